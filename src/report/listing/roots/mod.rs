//! `roots`: every provider with its roots, what a file holds, whether it serves, a bundle.

mod bundle;
mod contents;
mod list;
mod verdict;

use serde_json::{Map, Value as Json, json};

use crate::certificate::Certificate;
use crate::diagnose::POLICY_NOT_MET;
use crate::diagnose::root_file::Assessment;
use crate::report::Role;
use crate::report::human::diagnosis as block;
use crate::report::json::{self, bounded, shown};
use crate::report::page::Page;

pub use bundle::{Converted, Exported, Written};
pub use contents::Held;
pub use list::Providers;
pub use verdict::Checked;

/// The facts of a certificate that every subcommand shows.
fn certificate_fields(certificate: &Certificate) -> Map<String, Json> {
    let readable = certificate.readable();
    let fields = json!({
        "subject": readable.subject.map(|name| bounded(&name.to_string())),
        "issuer": readable.issuer.map(|name| bounded(&name.to_string())),
        "not_before": readable.not_before.map(|moment| moment.to_string()),
        "not_after": readable.not_after.map(|moment| moment.to_string()),
        "key": readable.key.map(|key| shown(&key.to_string())),
        "sha256": certificate.fingerprint(),
    });
    match fields {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The blocks of a report for people.
fn blocks(assessment: &Assessment, page: &mut Page) {
    for warning in &assessment.warnings {
        page.part();
        block::warning(page, warning);
    }
    if let Some(diagnosis) = &assessment.diagnosis {
        page.part();
        block::error(page, diagnosis, &[]);
    }
}

/// The last line: the words if all is well, else that it failed, and where.
fn last_line(assessment: &Assessment, page: &mut Page, words: &str, subject: &[String]) {
    page.part();
    let style = page.style();
    let (role, words) = match (&assessment.diagnosis, assessment.exit_status()) {
        (Some(_), _) | (None, POLICY_NOT_MET) => (Role::Error, "failed"),
        (None, _) if !assessment.warnings.is_empty() => (Role::Warning, words),
        (None, _) => (Role::Good, words),
    };
    let mut parts = vec![style.paint(role, words)];
    parts.extend(subject.iter().map(|part| style.text(part)));
    match assessment.warnings.len() {
        0 => {}
        1 => parts.push("1 warning".to_owned()),
        n => parts.push(format!("{n} warnings")),
    }
    if assessment.exit_status() != 0 {
        let stage = assessment.diagnosis.as_ref().map(|diagnosis| diagnosis.code.stage.name());
        parts.extend(stage.map(str::to_owned));
        parts.push(format!("exit {}", assessment.exit_status()));
    }
    page.line(&parts.join("  "));
}

/// The fields of a JSON object.
fn verdict(assessment: &Assessment) -> [(&'static str, Json); 4] {
    [
        ("verdict", json!(if assessment.exit_status() == 0 { "ok" } else { "failed" })),
        ("exit_code", json!(assessment.exit_status())),
        ("diagnosis", assessment.diagnosis.as_ref().map_or(Json::Null, json::diagnosis)),
        ("warnings", assessment.warnings.iter().map(json::warning).collect()),
    ]
}
