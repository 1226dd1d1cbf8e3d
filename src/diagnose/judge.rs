//! Judges all attempts and puts the outcome together.

use super::certificate::{note_of_addresses, stranger};
use super::rules::{also, judge};
use super::view::{View, at_most};
use super::{Diagnosis, Note, Outcome, Tries, Verdict, Warning, driver, stages, warnings};
use crate::clients::dialect::NO_SUCH_SETTING;
use crate::evidence::audit::Audit;
use crate::evidence::{Evidence, Source, SourceKind};
use crate::text::shell_quoted;

/// Judges the evidence. Total: any evidence has an outcome, and a diagnosis unless it is verified.
pub fn diagnose(evidence: Evidence) -> Outcome {
    // libpq stops at the last attempt; what it went on from is named beside it.
    let (last, earlier) = match evidence.attempts.split_last() {
        Some((last, earlier)) => (Some(last), earlier),
        None => (None, [].as_slice()),
    };
    let earlier: Vec<Option<Diagnosis>> =
        earlier.iter().map(|attempt| judge(&View::new(&evidence, Some(attempt)))).collect();
    let view = View::new(&evidence, last);
    let mut diagnosis = judge(&view);
    if let Some(found) = &mut diagnosis
        && let Some(before) = failed_before(&evidence, &earlier, found)
    {
        // Hosts are not tried one after the other in a rehearsal.
        let joint = if view.rehearsal().is_some() { "and" } else { "before it" };
        found.title = format!("{}; {joint}: {before}", found.title);
    }
    let mut also = diagnosis.as_ref().map(|found| also(&view, found)).unwrap_or_default();
    if let Some(found) = &diagnosis {
        also.extend(other_hosts(&evidence, &earlier, found));
    }
    let mut warnings = warnings::of_check(&view, diagnosis.is_none());
    let stages = stages::reports(&view, diagnosis.as_ref(), &also, &warnings);
    warnings.extend(warnings::of_audit(&view));
    let verdict = if diagnosis.is_some() { Verdict::Failed } else { view.level() };
    Outcome {
        verdict,
        diagnosis,
        also,
        warnings,
        stages,
        earlier,
        as_of: None,
        tries: Tries::default(),
        changes: None,
        source: Source::default(),
        evidence,
    }
}

impl Outcome {
    /// The outcome with each fix that changes settings said in the words of the driver whose string was given.
    #[must_use]
    pub fn in_the_drivers_words(mut self) -> Self {
        let Some(typed) = self.evidence.typed.clone() else { return self };
        let diagnoses = self.diagnosis.iter_mut().chain(&mut self.also).map(|found| &mut found.fixes);
        let warnings = self.warnings.iter_mut().map(|warning| &mut warning.fixes);
        for fix in diagnoses.chain(warnings).flatten() {
            let changes: Vec<_> = fix.all_settings().into_iter().chain(fix.root_to_come()).collect();
            if !changes.is_empty() {
                let root = set(&changes, "sslrootcert");
                let mut said = typed.changed(&changes);
                // Where an address cannot be given beside the name, the hosts file does it.
                if let (Some(Err(NO_SUCH_SETTING)), Some((_, address)), Some((_, host))) =
                    (&said, set(&changes, "hostaddr"), set(&changes, "host"))
                {
                    let named: Vec<_> =
                        changes.iter().filter(|(keyword, _)| *keyword != "hostaddr").cloned().collect();
                    let line =
                        format!("; for this driver, put this line into the hosts file: {address} {host}");
                    said = typed.changed(&named).filter(Result::is_ok).or(said);
                    let text = fix.then.as_mut().unwrap_or(&mut fix.text);
                    *text += if said.as_ref().is_some_and(Result::is_ok) { &line } else { "" };
                }
                // Of several settings, what can be said of those of TLS.
                if said.as_ref().is_some_and(|said| *said == Err(NO_SUCH_SETTING)) {
                    let of_tls: Vec<_> =
                        changes.iter().filter(|(keyword, _)| keyword.starts_with("ssl")).cloned().collect();
                    said = typed.changed(&of_tls).filter(|said| said.is_err() && !of_tls.is_empty()).or(said);
                }
                fix.in_dialect = said.map(|said| {
                    said.map_err(|words| match root.filter(|(_, path)| path != "system") {
                        Some((_, path)) => words.replace("FILE", &format!("\"{}\"", fix.root_as_told(path))),
                        None => words.to_owned(),
                    })
                });
                if fix.in_dialect.is_some() {
                    fix.names_no_setting();
                }
            }
        }
        self
    }

    /// The outcome of a target that was given there: in a list, a corrected string goes in the place of its line.
    #[must_use]
    pub fn given_by(mut self, source: Source) -> Self {
        let diagnoses = self.diagnosis.iter_mut().chain(&mut self.also).map(|found| &mut found.fixes);
        let warnings = self.warnings.iter_mut().map(|warning| &mut warning.fixes);
        if source.kind == SourceKind::File {
            let line = source.to_string();
            let file = source.file.as_deref().map(shell_quoted).unwrap_or_default();
            diagnoses.chain(warnings).flatten().for_each(|fix| {
                fix.in_list = Some(line.clone());
                fix.command =
                    fix.command.take().map(|command| command.replace(" FILE | ", &format!(" {file} | ")));
            });
        }
        Self { source, ..self }
    }

    /// What is worth knowing besides, of the string and of the certificate.
    pub fn notes(&self) -> Vec<Note> {
        let weak = |warning: &Warning| warning.code == &warnings::SSLMODE_NOT_VERIFYING;
        let verifies = !self.warnings.iter().any(weak);
        let mut notes =
            self.evidence.typed.as_deref().map(|typed| driver::notes(typed, verifies)).unwrap_or_default();
        let view = View::new(&self.evidence, self.evidence.attempts.last());
        notes.extend(driver::note_of_key(&view));
        notes.extend(note_of_addresses(&view));
        notes
    }

    /// The outcome with what an audit of the same server saw: more evidence, and the warnings that it gives.
    #[must_use]
    pub fn audited(mut self, audit: Audit) -> Self {
        self.evidence.audit = Some(audit);
        let view = View::new(&self.evidence, self.evidence.attempts.last());
        self.warnings.extend(warnings::of_audit(&view));
        self
    }
}

/// Whether somebody else than the provider of the host answered, whatever the root file says to that.
pub fn is_stranger(evidence: &Evidence) -> bool {
    stranger(&View::new(evidence, evidence.attempts.last())).is_some()
}

/// What is wrong with other hosts of a list, each of which has a remedy of its own.
fn other_hosts(evidence: &Evidence, earlier: &[Option<Diagnosis>], last: &Diagnosis) -> Vec<Diagnosis> {
    let slot = evidence.attempts.last().map(|attempt| attempt.host);
    let mut others: Vec<Diagnosis> = Vec::new();
    for (attempt, found) in evidence.attempts.iter().zip(earlier) {
        let Some(found) = found.as_ref().filter(|_| Some(attempt.host) != slot) else { continue };
        let is_new = found.code != last.code && others.iter().all(|other| other.code != found.code);
        if is_new && others.len() < MOST_OTHER_HOSTS && evidence.rehearsal.is_none() {
            let place = View::new(evidence, Some(attempt)).host_name();
            others.push(Diagnosis { title: format!("{place}: {}", found.title), ..found.clone() });
        }
    }
    others
}

/// Other hosts of a list whose remedies are told.
const MOST_OTHER_HOSTS: usize = 3;

/// Names the attempts before the last one, each with its cause; `None` where there was none that failed.
fn failed_before(evidence: &Evidence, earlier: &[Option<Diagnosis>], last: &Diagnosis) -> Option<String> {
    let is_rehearsed = evidence.rehearsal.is_some();
    let mut others: Vec<String> = Vec::new();
    for (attempt, found) in evidence.attempts.iter().zip(earlier) {
        let Some(found) = found else { continue };
        // What is wrong with the files is so for every host.
        if is_rehearsed && found.title == last.title {
            continue;
        }
        // With target_session_attrs=prefer-standby all are tried twice.
        let other = format!("{}: {}", View::new(evidence, Some(attempt)).place(), found.short);
        if !others.contains(&other) {
            others.push(other);
        }
    }
    (!others.is_empty()).then(|| at_most(8, others).join(", "))
}

/// What is set of a keyword.
fn set<'a>(changes: &'a [(&'static str, String)], keyword: &str) -> Option<&'a (&'static str, String)> {
    changes.iter().find(|(name, _)| *name == keyword)
}
