//! A target as one row: what tables, lists of servers and metrics tell of it. Strings are printable and bounded; a format
//! escapes them as it has to.

use super::accepted::Accepted;
use super::problem::{problems, remedy};
use super::{lossy, subject};
use crate::certificate::Certificate;
use crate::conninfo::TlsVersion;
use crate::diagnose::{Change, Outcome, Standing, Verdict};
use crate::evidence::Place;
use crate::text;
use crate::timestamp::Timestamp;

/// The most characters of a value.
const LONGEST: usize = 300;

/// A target.
pub(super) struct Server {
    /// Its place in the run.
    pub place: Place,
    /// Where it was given, if that is a file.
    pub source: String,
    /// The hosts, as the settings have them: the same from run to run, wherever the check ends. Empty where unknown.
    pub host: String,
    /// The ports, likewise.
    pub port: String,
    /// The address where the check ended.
    pub address: String,
    /// `--each`: the one address of the host that was checked.
    pub member: Option<String>,
    pub database: String,
    pub user: String,
    pub sslmode: &'static str,
    pub provider: &'static str,
    pub verdict: Verdict,
    /// Its name, and whether Ctrl-C ended the waiting.
    pub verdict_name: &'static str,
    pub standing: Standing,
    pub exit_status: u8,
    /// Code, stage and title of why it fails, if it does.
    pub failure: Option<(&'static str, &'static str, String)>,
    /// What to do first about what fails, or else about what is worth knowing.
    pub fix: String,
    /// The codes of the warnings, and whether they are denied.
    pub warnings: Vec<(&'static str, bool)>,
    /// The server certificate's end.
    pub not_after: Option<Timestamp>,
    /// The earliest end on the path from the server certificate as far as it leads: what was sent besides does not count.
    pub path_not_after: Option<Timestamp>,
    /// Days to that.
    pub days_left: Option<i64>,
    /// The server certificate's issuer.
    pub issuer: String,
    /// The root at the end of the path.
    pub root: String,
    pub tls_version: &'static str,
    pub cipher: String,
    pub group: String,
    /// `--since`: what is otherwise, in words; empty if nothing is.
    pub changes: Option<String>,
    /// What else it accepts, where an audit asked.
    pub accepted: Option<Accepted>,
    /// The moment for which the chain was judged.
    pub judged_at: Timestamp,
    /// Begin.
    pub started: Timestamp,
    /// Length, in seconds.
    pub seconds: f64,
}

impl Server {
    /// The row of an outcome.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let attempt = subject::attempt(outcome);
        let settings = subject::settings(outcome);
        let (host, port) = subject::endpoint(outcome);
        let tls = attempt.and_then(|attempt| attempt.tls.as_ref()).map(|step| &step.result);
        let path = path(outcome);
        let end = |certificate: &&Certificate| certificate.not_after();
        let path_not_after = path.iter().filter_map(end).min();
        let issuer = path.first().and_then(|leaf| leaf.issuer());
        let problems = problems(outcome);
        let failing = problems.iter().find(|problem| problem.fails());
        let first = failing.or(problems.first());
        let value = |value: &[u8]| shown(&lossy(value));
        Self {
            place: outcome.source.place,
            source: shown(&outcome.source.to_string()),
            host: shown(&host),
            port: shown(&port),
            address: attempt
                .and_then(|attempt| attempt.address)
                .map(|address| address.to_string())
                .unwrap_or_default(),
            member: subject::member_address(outcome).map(|address| address.to_string()),
            database: settings.map(|settings| value(settings.database.shown())).unwrap_or_default(),
            user: settings.map(|settings| value(settings.user.shown())).unwrap_or_default(),
            sslmode: settings.map(|settings| settings.sslmode.name()).unwrap_or_default(),
            provider: outcome.provider().map(|detection| detection.provider.id).unwrap_or_default(),
            verdict: outcome.verdict,
            verdict_name: outcome.verdict_name(),
            standing: outcome.standing(),
            exit_status: outcome.exit_status(),
            failure: failing
                .map(|problem| (problem.name(), problem.stage().name(), shown(&problem.dated_title()))),
            fix: first
                .and_then(|problem| problem.fixes().first())
                .map(|fix| shown(&remedy(fix)))
                .unwrap_or_default(),
            warnings: outcome
                .warnings
                .iter()
                .map(|warning| (warning.code.name, warning.denied.is_some()))
                .collect(),
            not_after: path.first().and_then(end),
            path_not_after,
            days_left: path_not_after.map(|end| end.days_since(outcome.evidence.judged_at)),
            issuer: issuer.map(|name| shown(&name.short())).unwrap_or_default(),
            root: root(outcome).map(root_name).unwrap_or_default(),
            tls_version: tls.and_then(|tls| tls.version).map(TlsVersion::name).unwrap_or_default(),
            cipher: tls.and_then(|tls| tls.cipher.as_deref()).map(shown).unwrap_or_default(),
            group: tls.and_then(|tls| tls.group.as_deref()).map(shown).unwrap_or_default(),
            changes: changes(outcome),
            accepted: Accepted::of(outcome),
            judged_at: outcome.evidence.judged_at,
            started: outcome.evidence.started,
            seconds: outcome.evidence.took.as_secs_f64(),
        }
    }

    /// When the path ends, and how far that is: `2027-04-14 (in 142 days)`, `2026-10-25 (35 days ago)`.
    pub(super) fn expires(&self) -> String {
        let Some(end) = self.path_not_after else { return String::new() };
        let distance = end.distance(self.judged_at);
        match end > self.judged_at {
            true => format!("{} (in {distance})", end.date()),
            false => format!("{} ({distance} ago)", end.date()),
        }
    }

    /// The same, and where it was given.
    pub(super) fn described(&self) -> String {
        match self.source.as_str() {
            "" => self.name(),
            source => format!("{} ({source})", self.name()),
        }
    }

    /// How people name it, with its port unless that is PostgreSQL's own.
    pub(super) fn name(&self) -> String {
        let name = if self.port == "5432" { self.host_or_unknown().to_owned() } else { self.host_and_port() };
        subject::at(name, self.member.as_deref())
    }

    /// The same, always with its port.
    pub(super) fn name_with_port(&self) -> String {
        subject::at(self.host_and_port(), self.member.as_deref())
    }

    /// Without the member.
    pub(super) fn host_and_port(&self) -> String {
        match self.host.as_str() {
            "" => self.host_or_unknown().to_owned(),
            host if host.contains(':') => format!("[{host}]:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }

    fn host_or_unknown(&self) -> &str {
        if self.host.is_empty() { "(connection string)" } else { &self.host }
    }
}

/// The path from the server certificate as far as it leads; that certificate alone where none was judged.
fn path(outcome: &Outcome) -> Vec<&Certificate> {
    let tls = subject::attempt(outcome).and_then(|attempt| attempt.tls.as_ref()).map(|step| &step.result);
    let judged = tls.and_then(|tls| tls.judgement.as_ref()).map(|judgement| judgement.path.as_slice());
    match (judged, tls) {
        (Some(path), _) if !path.is_empty() => path.iter().map(|link| &link.certificate).collect(),
        (_, Some(tls)) => tls.chain.first().into_iter().collect(),
        (_, None) => Vec::new(),
    }
}

/// The root at the end of the path.
pub(super) fn root(outcome: &Outcome) -> Option<&Certificate> {
    let path = path(outcome);
    path.last().copied().filter(|last| path.len() > 1 && last.is_self_issued())
}

/// Its name.
pub(super) fn root_name(root: &Certificate) -> String {
    shown(&root.short_subject())
}

/// What is otherwise than in the report that `--since` names.
pub(super) fn changes(outcome: &Outcome) -> Option<String> {
    let words: Vec<String> = outcome.changes.as_ref()?.iter().map(Change::words).collect();
    Some(text::printable(&words.join("; ")))
}

fn shown(untrusted: &str) -> String {
    text::printable(&text::truncated(untrusted, LONGEST))
}
