//! `roots`: looks into a root file, holds it against a provider, writes a provider's bundle. Connects nowhere.

mod check;
mod export;
mod list;
mod show;

use std::io::Write;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Streams, USAGE};
use crate::certificate::Certificate;
use crate::cli::roots::{RootsAction, RootsArgs};
use crate::conninfo::Environment;
use crate::diagnose::{Diagnosis, Warning, policy};
use crate::report::human::diagnosis as block;
use crate::report::json::{diagnosis as json_diagnosis, line, shown, warning as json_warning};
use crate::report::lossy;
use crate::report::page::Page;
use crate::report::{Form, Role};
use crate::timestamp::Timestamp;

/// Runs `roots` and gives the exit status. Certificates are judged for the moment `at`.
///
/// # Errors
/// Output that cannot be written.
pub fn run(
    args: &RootsArgs,
    form: Form,
    environment: &Environment,
    at: Timestamp,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    match args.action.as_ref().unwrap_or(&RootsAction::List) {
        RootsAction::List => list::run(form, streams),
        RootsAction::Show { file } => show::run(file, form, environment, at, streams),
        RootsAction::Check(check) => check::run(check, form, environment, at, streams),
        RootsAction::Export(export) => export::run(export, form, environment, streams),
    }
}

/// A word about wrong options on standard error, with what would be right.
fn usage(streams: &mut Streams<'_>, message: &str, hint: Option<&str>) -> anyhow::Result<u8> {
    let style = streams.notes_style;
    writeln!(streams.notes, "{} {}", style.paint(Role::Error, "error:"), style.text(message))?;
    if let Some(hint) = hint {
        writeln!(streams.notes, "  {}", style.text(hint))?;
    }
    Ok(USAGE)
}

/// The last part of a path, for people.
fn file_name(path: &Path) -> String {
    lossy(path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes())
}

/// The facts of a certificate that every subcommand shows.
fn json_certificate(certificate: &Certificate) -> serde_json::Map<String, Json> {
    let readable = certificate.readable();
    let fields = json!({
        "subject": readable.subject.map(|name| shown(&name.to_string())),
        "issuer": readable.issuer.map(|name| shown(&name.to_string())),
        "not_before": readable.not_before.map(|moment| moment.to_string()),
        "not_after": readable.not_after.map(|moment| moment.to_string()),
        "key": readable.key.map(|key| shown(&key.to_string())),
        "sha256": certificate.fingerprint(),
    });
    match fields {
        Json::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}

/// What came of looking at a file: why a connection with it would fail, and what is worth knowing.
#[derive(Debug, Default)]
struct Opinion {
    diagnosis: Option<Diagnosis>,
    warnings: Vec<Warning>,
}

impl Opinion {
    fn failed(diagnosis: Diagnosis) -> Self {
        Self { diagnosis: Some(diagnosis), warnings: Vec::new() }
    }

    /// That of the diagnosis' stage, as a check of a server would end with this file.
    fn exit_status(&self) -> u8 {
        match &self.diagnosis {
            Some(diagnosis) => diagnosis.code.stage.exit_status(),
            None if self.warnings.iter().any(|warning| warning.denied) => policy::NOT_MET,
            None => 0,
        }
    }

    /// The blocks of a report for people.
    fn write(&self, page: &mut Page) {
        for warning in &self.warnings {
            page.part();
            block::warning(page, warning);
        }
        if let Some(diagnosis) = &self.diagnosis {
            page.part();
            block::error(page, diagnosis, &[]);
        }
    }

    /// The last line: the words if all is well, else that it failed, and where.
    fn write_last_line(&self, page: &mut Page, words: &str, subject: &[String]) {
        page.part();
        let style = page.style();
        let (role, words) = match (&self.diagnosis, self.exit_status()) {
            (Some(_), _) | (None, policy::NOT_MET) => (Role::Error, "failed"),
            (None, _) if !self.warnings.is_empty() => (Role::Warning, words),
            (None, _) => (Role::Good, words),
        };
        let mut parts = vec![style.paint(role, words)];
        parts.extend(subject.iter().map(|part| style.text(part)));
        match self.warnings.len() {
            0 => {}
            1 => parts.push("1 warning".to_owned()),
            n => parts.push(format!("{n} warnings")),
        }
        if self.exit_status() != 0 {
            let stage = self.diagnosis.as_ref().map(|diagnosis| diagnosis.code.stage.name());
            parts.extend(stage.map(str::to_owned));
            parts.push(format!("exit {}", self.exit_status()));
        }
        page.line(&parts.join("  "));
    }

    /// The fields of a JSON object.
    fn json(&self) -> [(&'static str, Json); 4] {
        [
            ("verdict", json!(if self.exit_status() == 0 { "ok" } else { "failed" })),
            ("exit_code", json!(self.exit_status())),
            ("diagnosis", self.diagnosis.as_ref().map_or(Json::Null, json_diagnosis)),
            ("warnings", self.warnings.iter().map(json_warning).collect()),
        ]
    }
}

/// Writes one JSON object of this schema.
fn write_json<'a>(
    out: &mut dyn Write,
    fields: impl IntoIterator<Item = (&'a str, Json)>,
) -> std::io::Result<()> {
    let mut object = serde_json::Map::new();
    object.insert("schema".to_owned(), json!(crate::report::json::SCHEMA));
    object.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    out.write_all(line(&Json::Object(object)).as_bytes())
}
