//! JSON: one object a line, one line a target, schema 1. UTF-8, times in UTC, milliseconds as numbers.
//!
//! Strings are those of the evidence after [`printable`](crate::text::printable), so that a reader who prints them on
//! a terminal is as safe as with the report for people. Secrets are not among them.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::{Form, Reporter, Row, rehearsal, subject};
use crate::certificate::Certificate;
use crate::check::Run;
use crate::conninfo::{Host, SslNegotiation, TlsVersion};
use crate::diagnose::grades::{self, Weakness};
use crate::diagnose::profiles;
use crate::diagnose::{
    AsOf, Change, Diagnosis, Fact, Fix, INTERRUPTED, Note, Outcome, Removed, StageReport, StageStatus, Trial,
    Warning, looks,
};
use crate::evidence::audit::{Accepts, Audit, Found, Profile, STRANGER};
use crate::evidence::{Attempt, Look, Member, PlaintextAnswer, Rehearsal, Source, TlsRecord};
use crate::iana;
use crate::report::lossy;
use crate::text;
use crate::trust::FileCertificate;

/// The schema's version.
pub(crate) const SCHEMA: u32 = 1;
const TOOL: &str = concat!("pgtls-check ", env!("CARGO_PKG_VERSION"));

pub(super) const FORMAT: Row = Row {
    listing: Some(Form::Json),
    endings: &["json", "jsonl"],
    ..Row::new("json", |_, out| Box::new(JsonLines { out }))
};

/// Writes a line as each target ends.
struct JsonLines<W> {
    out: W,
}

impl<W: Write> Reporter for JsonLines<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.out.write_all(line(&object(outcome)).as_bytes())?;
        self.out.flush()
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        if !run.removed.is_empty() {
            let target = |removed: &Removed| json!({ "name": shown(&removed.name), "verdict": shown(&removed.verdict) });
            let removed: Vec<Json> = run.removed.iter().map(target).collect();
            self.out
                .write_all(line(&json!({ "schema": SCHEMA, "tool": TOOL, "removed": removed })).as_bytes())?;
        }
        if run.untold > 0 {
            let object = json!({
                "schema": SCHEMA, "tool": TOOL, "verdict": "interrupted", "exit_code": INTERRUPTED, "unfinished": run.untold
            });
            self.out.write_all(line(&object).as_bytes())?;
        }
        self.out.flush()
    }
}

/// A value on one line. What is not printable, and can stand in strings only, is written as `\u202e`.
pub(crate) fn line(value: &Json) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        if text::is_printable(character) {
            line.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    line.push('\n');
    line
}

/// A target's object.
pub(super) fn object(outcome: &Outcome) -> Json {
    let attempt = subject::attempt(outcome);
    let tls = attempt.and_then(|attempt| attempt.tls.as_ref()).map(|step| &step.result);
    // No handshake was made in a rehearsal.
    let is_real = outcome.evidence.rehearsal.is_none();
    let mut object = json!({
        "schema": SCHEMA,
        "tool": TOOL,
        "time": outcome.evidence.started.to_string(),
        "dialect": outcome.evidence.typed.as_ref().map_or("libpq", |typed| typed.dialect().name),
        "source": source(&outcome.source),
        "target": target(outcome, attempt),
        "verdict": outcome.verdict_name(),
        "tries": outcome.tries.count,
        "waited_s": (outcome.tries.waited.as_secs_f64() * 1e3).round() / 1000.0,
        "exit_code": outcome.exit_status(),
        "diagnosis": outcome.diagnosis.as_ref().map_or(Json::Null, diagnosis),
        "also": outcome.also.iter().map(also).collect::<Vec<_>>(),
        "warnings": outcome.warnings.iter().map(warning).collect::<Vec<_>>(),
        "stages": outcome.stages.iter().map(stage).collect::<Vec<_>>(),
        "attempts": attempts(outcome),
        "looks": outcome.evidence.looks.iter().map(look).collect::<Vec<_>>(),
        "tls": tls.filter(|_| is_real).map_or(Json::Null, |tls| handshake(outcome, tls)),
        "chain": tls.map_or_else(Vec::new, |tls| chain(outcome, tls)),
        "server": attempt.map_or(Json::Null, server),
    });
    if let Some(object) = object.as_object_mut() {
        if let Some(count) = tls.and_then(chain_count) {
            object.insert("chain_count".to_owned(), count.into());
        }
        let said = outcome.notes();
        if outcome.evidence.typed.is_some() || !said.is_empty() {
            object.insert("notes".to_owned(), notes(&said));
        }
        if let Some(member) = &outcome.evidence.member {
            object.insert("member".to_owned(), self::member(outcome, member));
        }
        if let Some(changes) = &outcome.changes {
            object.insert("since".to_owned(), changes.iter().map(change).collect());
        }
        if let Some(audit) = &outcome.evidence.audit {
            object.insert("audit".to_owned(), accepts(outcome, audit));
        }
        if let Some(files) = &outcome.evidence.rehearsal {
            object.insert("rehearsal".to_owned(), rehearsal(outcome, files));
        }
        if let Some(then) = &outcome.as_of {
            object.insert("as_of".to_owned(), as_of(then, outcome));
        }
    }
    object
}

/// What is worth knowing of the string: what its driver passes over, who else would read it otherwise.
pub(super) fn notes(notes: &[Note]) -> Json {
    notes.iter().map(|note| shown(&note.text)).collect::<Vec<_>>().into()
}

/// What the recorded chain comes to on another date; there only where `--as-of` asked. Where it was not judged, all but
/// the date is null or empty.
fn as_of(then: &AsOf, now: &Outcome) -> Json {
    let judged = then.judged.as_ref();
    json!({
        "date": then.date.to_string(),
        "verdict": judged.map(|judged| judged.verdict.name()),
        "exit_code": judged.map(Outcome::exit_status),
        "diagnosis": judged.and_then(|judged| judged.diagnosis.as_ref()).map(diagnosis),
        "also": judged.map(|judged| judged.also.iter().map(also).collect::<Vec<_>>()).unwrap_or_default(),
        "warnings": then.warnings(&now.warnings).map(warning).collect::<Vec<_>>(),
    })
}

/// What `audit` found; there only where it asked. Null stands for an answer that tells neither.
fn accepts(outcome: &Outcome, audit: &Audit) -> Json {
    let suites = |found: &Found| -> Vec<String> { found.accepted.iter().map(|n| iana::suite(*n)).collect() };
    let versions = audit.versions.iter().map(|version| {
        json!({
            "version": version.version.name(),
            "accepted": yes_or_no(version.accepted),
            "suites": suites(&version.suites),
            "weak": weak(&version.suites.accepted, iana::suite, grades::of_suite),
            "complete": version.suites.complete,
        })
    });
    let groups = audit.groups.as_ref().map_or(Json::Null, |(version, found)| {
        let names: Vec<String> = found.accepted.iter().map(|number| iana::group(*number)).collect();
        let weak = weak(&found.accepted, iana::group, grades::of_group);
        json!({ "version": version.name(), "accepted": names, "weak": weak, "complete": found.complete })
    });
    let message = match &audit.plaintext {
        Some(PlaintextAnswer::Refused(message)) => json!(shown(&message.message)),
        _ => Json::Null,
    };
    let (user, database) = STRANGER;
    json!({
        "sslrequest": yes_or_no(audit.ssl_request),
        "direct": yes_or_no(audit.direct),
        "versions": versions.collect::<Vec<_>>(),
        "groups": groups,
        "plaintext": {
            "asked": audit.plaintext.is_some(),
            "accepted": yes_or_no(audit.plaintext_accepted()),
            "logs_in": (audit.plaintext_accepted() == Accepts::Yes).then(|| audit.logs_in_without_tls()),
            "user": user,
            "database": database,
            "message": message,
        },
        "policy": audit.profile.map_or(Json::Null, |profile| policy(outcome, audit, profile)),
        "connections": audit.connections,
        "ms": (audit.took.as_secs_f64() * 1e6).round() / 1000.0,
    })
}

/// The weak ones of several numbers, each with its reasons.
fn weak(numbers: &[u16], name: fn(u16) -> String, grade: fn(u16) -> Vec<Weakness>) -> Vec<Json> {
    let graded = numbers.iter().map(|number| (name(*number), grade(*number)));
    graded
        .filter(|(_, weaknesses)| !weaknesses.is_empty())
        .map(|(name, weaknesses)| {
            let reasons: Vec<&str> = weaknesses.iter().map(|weakness| weakness.words()).collect();
            json!({ "name": name, "reasons": reasons })
        })
        .collect()
}

fn policy(outcome: &Outcome, audit: &Audit, profile: Profile) -> Json {
    let tls = outcome.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    let violations = profiles::violations(audit, profile, tls.and_then(|tls| tls.result.chain.first()));
    json!({
        "name": profile.name(),
        "title": profiles::title(profile),
        "met": violations.is_empty(),
        "violations": violations,
    })
}

fn yes_or_no(accepts: Accepts) -> Option<bool> {
    match accepts {
        Accepts::Yes => Some(true),
        Accepts::No => Some(false),
        Accepts::Unknown => None,
    }
}

/// What a rehearsal found; there only in one.
fn rehearsal(outcome: &Outcome, rehearsal: &Rehearsal) -> Json {
    let files = &rehearsal.files;
    let path = |path: &Path| shown(&lossy(path.as_os_str().as_encoded_bytes()));
    let tls = outcome.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    let chain = tls.map(|tls| tls.result.chain.as_slice()).unwrap_or_default();
    let key = files.key.as_ref().map(|key| {
        json!({
            "file": path(&key.file),
            "fits": key.fits,
            "encrypted": key.is_encrypted,
            "mode": key.mode.map(|mode| format!("{mode:04o}")),
            "owner": key.owner.as_ref().map(|owner| shown(&owner.to_string())),
        })
    });
    let hosts = rehearsal::hosts(outcome).into_iter();
    let ends = rehearsal::ends(outcome, rehearsal).into_iter().map(|end| {
        json!({
            "what": end.what,
            "name": bounded(&end.name),
            "not_after": end.at.to_string(),
            "file": end.place.as_ref().map(|(file, _)| path(file)),
            "line": end.place.map(|(_, line)| line),
        })
    });
    json!({
        "as_of": outcome.evidence.judged_at.to_string(),
        "certificate": path(&files.certificate_file),
        "sha256": files.certificates.first().map(|entry| entry.certificate.fingerprint()),
        "key": key,
        "asks_for_client_certificates": files.authorities.is_some(),
        "client_certificate_accepted": rehearsal.client.as_ref().map(|judgement| judgement.accepted),
        "hosts": hosts.map(|(host, covered)| json!({ "host": bounded(&host), "covered": covered })).collect::<Vec<_>>(),
        "expires": ends.collect::<Vec<_>>(),
        "against": rehearsal.served.as_ref().map(|served| json!({
            "server": shown(&served.server),
            "loaded": served.chain == chain,
            "sha256": served.chain.first().map(Certificate::fingerprint),
            "not_before": served.chain.first().and_then(|leaf| leaf.readable().not_before).map(|date| date.to_string()),
            "not_after": served.chain.first().and_then(|leaf| leaf.readable().not_after).map(|date| date.to_string()),
        })),
    })
}

/// Where the target was given.
fn source(source: &Source) -> Json {
    json!({
        "kind": source.kind.name(),
        "file": source.file.as_deref().map(shown),
        "line": source.line,
        "name": source.name.as_deref().map(shown),
    })
}

/// What is otherwise than in the report that `--since` names.
fn change(change: &Change) -> Json {
    let or_null = |value: &Option<String>| value.as_deref().map(shown);
    json!({ "change": change.of.name(), "from": or_null(&change.from), "to": or_null(&change.to) })
}

/// Which member of the target it is; there only with `--each`.
fn member(outcome: &Outcome, member: &Member) -> Json {
    json!({
        "host": member.host + 1,
        "hosts": subject::settings(outcome).map(|settings| settings.hosts.len()),
        "address": subject::member_address(outcome).map(|address| address.to_string()),
    })
}

fn target(outcome: &Outcome, attempt: Option<&Attempt>) -> Json {
    let settings = subject::settings(outcome);
    let host = subject::host(outcome);
    let (hosts, ports) = subject::endpoint(outcome);
    json!({
        "host": host.and_then(name),
        "address": attempt.and_then(|attempt| attempt.address).map(|address| address.to_string()),
        "port": host.and_then(|host| host.port.as_ref().ok()),
        "database": settings.map(|settings| shown(&lossy(settings.database.shown()))),
        "user": settings.map(|settings| shown(&lossy(settings.user.shown()))),
        "sslmode": settings.map(|settings| settings.sslmode.name()),
        "provider": outcome.provider().map(|detection| detection.provider.id),
        "endpoint": shown(&format!("{hosts}:{ports}")),
    })
}

/// The name given, or null where only an address was.
fn name(host: &Host) -> Option<String> {
    Some(host.name.shown()).filter(|name| !name.is_empty()).map(|name| shown(&lossy(name)))
}

pub(crate) fn diagnosis(diagnosis: &Diagnosis) -> Json {
    json!({
        "code": diagnosis.code.name,
        "stage": diagnosis.code.stage.name(),
        "title": shown(&diagnosis.title),
        "cause": shown(&diagnosis.cause),
        "evidence": evidence(&diagnosis.evidence),
        "fixes": fixes(&diagnosis.fixes),
        "retryable": diagnosis.code.retryable,
        "doc": format!("pgtls-check explain {}", diagnosis.code),
    })
}

fn also(diagnosis: &Diagnosis) -> Json {
    json!({
        "code": diagnosis.code.name,
        "stage": diagnosis.code.stage.name(),
        "title": shown(&diagnosis.title),
        "fixes": fixes(&diagnosis.fixes),
    })
}

/// `denied` is there only where it is true, beside the option that demands it.
pub(crate) fn warning(warning: &Warning) -> Json {
    let mut object = json!({
        "code": warning.code.name,
        "title": shown(&warning.title),
        "evidence": evidence(&warning.evidence),
        "fixes": fixes(&warning.fixes),
    });
    if let (Some(by), Some(object)) = (warning.denied, object.as_object_mut()) {
        object.insert("denied".to_owned(), json!(true));
        object.insert("denied_by".to_owned(), json!(by.option()));
    }
    object
}

fn evidence(facts: &[(&'static str, Fact)]) -> Json {
    let value = |fact: &Fact| match fact {
        Fact::Text(text) => json!(shown(text)),
        Fact::List(items) => items.iter().map(|item| shown(item)).collect(),
        Fact::Number(number) => json!(number),
    };
    Json::Object(facts.iter().map(|(label, fact)| ((*label).to_owned(), value(fact))).collect())
}

fn fixes(fixes: &[Fix]) -> Vec<Json> {
    let settings = |fix: &Fix| -> Json {
        if fix.settings.is_empty() {
            return Json::Null;
        }
        fix.settings
            .iter()
            .map(|(keyword, value)| ((*keyword).to_owned(), json!(shown(value))))
            .collect::<Map<_, _>>()
            .into()
    };
    // Where the settings say it all, people see nothing else; a script that prints the text needs words.
    let text = |fix: &Fix| match fix.settings.as_slice() {
        [_, ..] if fix.text.is_empty() => {
            let pairs: Vec<String> =
                fix.settings.iter().map(|(keyword, value)| format!("{keyword}={value}")).collect();
            format!("set {}", pairs.join(" "))
        }
        _ => fix.text.clone(),
    };
    let text = |fix: &Fix| match &fix.then {
        Some(then) => format!("{}; {then}", text(fix)),
        None => text(fix),
    };
    fixes
        .iter()
        .map(|fix| {
            let in_dialect = fix.in_dialect.as_ref().map(|text| text.as_deref().ok().map(shown));
            let libpqs = fix.conninfo.as_deref().map(shown);
            let mut object = json!({
                "text": shown(&text(fix)),
                "tried": fix.tried.map(|trial| match trial {
                    Trial::Works => "works",
                    Trial::Fails => "fails",
                }),
                "settings": settings(fix),
                "command": fix.command.as_deref().map(shown_lines),
                "conninfo": in_dialect.clone().unwrap_or_else(|| libpqs.clone()),
            });
            if let Some(object) = object.as_object_mut() {
                // In libpq's words too, where those of the reader are others.
                if in_dialect.is_some() {
                    object.insert("libpq_conninfo".to_owned(), json!(libpqs));
                }
                if let Some(commands) = &fix.then_run {
                    object.insert("then_command".to_owned(), json!(shown_lines(commands)));
                }
            }
            object
        })
        .collect()
}

fn stage(stage: &StageReport) -> Json {
    json!({
        "name": stage.stage.name(),
        "status": match stage.status {
            StageStatus::Ok => "ok",
            StageStatus::Warning => "warning",
            StageStatus::Failed => "failed",
            StageStatus::Skipped => "skipped",
        },
        "ms": stage.milliseconds.map(to_the_microsecond),
        "detail": shown(&stage.detail),
    })
}

/// What the clock says beyond that is noise.
fn to_the_microsecond(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

fn milliseconds(time: Duration) -> f64 {
    to_the_microsecond(time.as_secs_f64() * 1000.0)
}

fn attempts(outcome: &Outcome) -> Vec<Json> {
    let hosts = subject::settings(outcome).map(|settings| settings.hosts.as_slice()).unwrap_or_default();
    outcome
        .evidence
        .attempts
        .iter()
        .zip(outcome.of_attempts())
        .map(|(attempt, found)| {
            let host = hosts.get(attempt.host);
            json!({
                "host": host.and_then(name),
                "address": attempt.address.map(|address| address.to_string()),
                "port": host.and_then(|host| host.port.as_ref().ok()),
                "diagnosis": found.map_or(Json::Null, diagnosis),
            })
        })
        .collect()
}

/// A connection that was made after the failure to tell its causes apart.
fn look(look: &Look) -> Json {
    json!({
        "address": look.address.ip().to_string(),
        "port": look.address.port(),
        "asked": shown(&looks::asked(look)),
        "answer": shown(&looks::answer(look)),
        "ms": milliseconds(look.took),
    })
}

fn handshake(outcome: &Outcome, tls: &TlsRecord) -> Json {
    let negotiation = subject::settings(outcome).map(|settings| match settings.negotiation {
        SslNegotiation::Postgres => "sslrequest",
        SslNegotiation::Direct => "direct",
    });
    json!({
        "version": tls.version.map(TlsVersion::name),
        "cipher": tls.cipher.as_deref().map(shown),
        "group": tls.group.as_deref().map(shown),
        "alpn": tls.alpn.as_deref().map(shown),
        "sni": tls.offer.sni.as_deref().map(shown),
        "negotiation": negotiation,
    })
}

/// The path from the leaf as far as it goes, then what was sent besides.
fn chain(outcome: &Outcome, tls: &TlsRecord) -> Vec<Json> {
    let path = tls.judgement.as_ref().map(|judgement| judgement.path.as_slice()).unwrap_or_default();
    let on_path = path.iter().map(|link| {
        let in_file = link.in_file.and_then(|place| subject::in_file(outcome, place));
        entry(&link.certificate, link.sent, in_file)
    });
    let besides = tls
        .chain
        .iter()
        .enumerate()
        .filter(|(place, _)| !path.iter().any(|link| link.sent == Some(*place)))
        .map(|(place, certificate)| entry(certificate, Some(place), None));
    on_path.chain(besides).take(MOST_CERTIFICATES).collect()
}

/// How many certificates there are, where not all of them are listed.
fn chain_count(tls: &TlsRecord) -> Option<usize> {
    let from_files =
        tls.judgement.iter().flat_map(|judgement| &judgement.path).filter(|link| link.sent.is_none());
    Some(from_files.count() + tls.chain.len()).filter(|count| *count > MOST_CERTIFICATES)
}

/// One certificate: what of it can be read, and where it comes from.
fn entry(certificate: &Certificate, sent: Option<usize>, in_file: Option<&FileCertificate>) -> Json {
    let facts = certificate.readable();
    json!({
        "subject": facts.subject.map(|name| bounded(&name.to_string())),
        "issuer": facts.issuer.map(|name| bounded(&name.to_string())),
        "sans": facts.sans.iter().take(MOST_NAMES).map(|name| bounded(&name.to_string())).collect::<Vec<_>>(),
        "sans_count": facts.sans.len(),
        "serial": facts.serial.map(|serial| bounded(&serial)),
        "not_before": facts.not_before.map(|moment| moment.to_string()),
        "not_after": facts.not_after.map(|moment| moment.to_string()),
        "key": facts.key.map(|key| shown(&key.to_string())),
        "signature": facts.signature.map(|signature| shown(&signature.to_string())),
        "sha256": certificate.fingerprint(),
        "sent": sent.is_some(),
        "file": in_file.map(|entry| shown(&lossy(entry.file.as_os_str().as_encoded_bytes()))),
        "line": in_file.map(|entry| entry.line),
        "malformed": certificate.facts().err().map(|error| shown(&error.to_string())),
        "role": match sent {
            Some(0) => "leaf",
            _ if certificate.is_self_issued() => "root",
            _ => "intermediate",
        },
    })
}

fn server(attempt: &Attempt) -> Json {
    let session = attempt.session.as_ref().map(|step| &step.result);
    match session.and_then(|session| session.server_version.as_ref().map(|version| (session, version))) {
        None => Json::Null,
        Some((session, version)) => {
            json!({ "version": shown(version), "ssl_in_backend": session.backend_ssl })
        }
    }
}

/// Most certificates of a chain.
const MOST_CERTIFICATES: usize = 100;
/// Most names of a certificate, and most characters of one.
const MOST_NAMES: usize = 100;
const LONGEST_NAME: usize = 600;

/// A name of a certificate, cut where it is too long.
pub(crate) fn bounded(name: &str) -> String {
    shown(&text::truncated(name, LONGEST_NAME))
}

pub(crate) fn shown(untrusted: &str) -> String {
    text::printable(untrusted)
}

/// The same of several lines.
fn shown_lines(untrusted: &str) -> String {
    untrusted.lines().map(shown).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_text_is_one_printable_line_and_reads_back(value in any::<String>()) {
            let line = line(&json!({ "value": value }));
            prop_assert!(line.trim_end_matches('\n').chars().all(text::is_printable), "{line:?}");
            let read: Json = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read, json!({ "value": value }));
        }
    }
}
