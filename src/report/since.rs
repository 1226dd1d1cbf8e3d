//! `--since`: an earlier report in JSON, and what is otherwise now. Both sides of the comparison are objects as
//! `json` writes them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::{BufRead, Read as _};

use serde_json::Value as Json;

use super::json;
use crate::diagnose::{Change, Changed, Outcome, Removed};
use crate::order;

/// No report of a target is longer.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// An earlier report.
#[derive(Debug, Default)]
pub struct Since {
    /// What is known of each target that was not met again; several may have the same name.
    targets: HashMap<Key, VecDeque<(usize, Was)>>,
    /// A signal ended its run: that a target is not in it does not make it new.
    is_cut: bool,
}

/// What makes a target the same from run to run: hosts and ports as its settings have them, the member, user, database.
/// Of settings that could not be read, where they stood.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    endpoint: String,
    member: Option<String>,
    user: Option<String>,
    database: Option<String>,
    source: Option<String>,
}

/// What is compared of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Was {
    verdict: String,
    succeeds: bool,
    /// Why it fails, if it does.
    cause: Option<String>,
    warnings: BTreeSet<String>,
    certificate: Option<String>,
    expires: Option<String>,
    /// The root's fingerprint and name.
    root: Option<(String, String)>,
}

impl Since {
    /// Reads an earlier report.
    ///
    /// # Errors
    /// What the system says; that it is none, with the line.
    pub fn read(mut reader: impl BufRead) -> Result<Self, String> {
        let mut since = Self::default();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = (&mut reader).take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
            match read.map_err(|error| error.to_string())? {
                0 => break,
                length if length as u64 > LONGEST_LINE => {
                    return Err(format!("line {number} is longer than {LONGEST_LINE} bytes"));
                }
                _ => {}
            }
            let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line).trim_ascii();
            if line.is_empty() {
                continue;
            }
            match target(line, number)? {
                Line::Target(target) => {
                    since.targets.entry(target.0).or_default().push_back((number, target.1));
                }
                Line::Removed => {}
                Line::Cut => since.is_cut = true,
            }
        }
        match since.targets.is_empty() {
            true => Err("no target is in it: this is not a report written with --format json".to_owned()),
            false => Ok(since),
        }
    }

    /// What is otherwise with a target; it is met from then on.
    pub fn changes(&mut self, outcome: &Outcome) -> Vec<Change> {
        let object = json::object(outcome);
        let (key, is) = (key(&object), Was::read(&object));
        let known = self.targets.get_mut(&key).and_then(VecDeque::pop_front);
        match known {
            Some((_, was)) => was.compared(&is),
            None if self.is_cut => Vec::new(),
            None => {
                let to = is.cause.unwrap_or(is.verdict);
                vec![Change { of: Changed::Added, from: None, to: Some(to) }]
            }
        }
    }

    /// The targets that were not met, in the order of the report.
    pub fn removed(&self) -> Vec<Removed> {
        let mut left: Vec<(usize, Removed)> = Vec::new();
        for (key, targets) in &self.targets {
            left.extend(
                targets
                    .iter()
                    .map(|(line, was)| (*line, Removed { name: key.name(), verdict: was.verdict.clone() })),
            );
        }
        order::by_key(&mut left, |(line, _)| *line);
        left.into_iter().map(|(_, removed)| removed).collect()
    }
}

/// What a line has.
enum Line {
    Target(Box<(Key, Was)>),
    Removed,
    Cut,
}

fn target(line: &[u8], number: usize) -> Result<Line, String> {
    let wrong = |what: &str| {
        format!(
            "line {number} {what}: --since takes a report written with --format json or --output FILE.json"
        )
    };
    let object: Json = serde_json::from_slice(line).map_err(|_| wrong("is not JSON"))?;
    let tool = object.get("tool").and_then(Json::as_str).unwrap_or_default();
    match object.get("schema").and_then(Json::as_u64) {
        Some(schema) if schema > u64::from(json::SCHEMA) => {
            return Err(format!("line {number} has schema {schema}; this version reads {}", json::SCHEMA));
        }
        Some(_) if tool.starts_with("pgtls-check ") => {}
        _ => return Err(wrong("is not written by pgtls-check")),
    }
    if object.get("removed").is_some() {
        return Ok(Line::Removed);
    }
    if object.get("unfinished").is_some() {
        return Ok(Line::Cut);
    }
    if object.get("verdict").and_then(Json::as_str).is_none() {
        return Err(wrong("is not the report of a check"));
    }
    Ok(Line::Target(Box::new((key(&object), Was::read(&object)))))
}

fn text(object: &Json, pointer: &str) -> Option<String> {
    object.pointer(pointer).and_then(Json::as_str).map(str::to_owned)
}

fn key(object: &Json) -> Key {
    let endpoint = text(object, "/target/endpoint").unwrap_or_else(|| {
        let port = object.pointer("/target/port").and_then(Json::as_u64).unwrap_or(5432);
        format!("{}:{port}", text(object, "/target/host").unwrap_or_default())
    });
    let (user, database) = (text(object, "/target/user"), text(object, "/target/database"));
    let line = object.pointer("/source/line").and_then(Json::as_u64);
    let place =
        || format!("{}:{}", text(object, "/source/file").unwrap_or_default(), line.unwrap_or_default());
    let source = user.is_none().then(place);
    Key { endpoint, member: text(object, "/member/address"), user, database, source }
}

impl Key {
    fn name(&self) -> String {
        let member = self.member.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
        let endpoint = self.endpoint.strip_suffix(":5432").unwrap_or(&self.endpoint);
        match (&self.user, &self.database, &self.source) {
            (Some(user), Some(database), _) => format!("{endpoint}{member} ({user}, {database})"),
            (_, _, Some(source)) => format!("{endpoint}{member} ({source})"),
            _ => format!("{endpoint}{member}"),
        }
    }
}

impl Was {
    fn read(object: &Json) -> Self {
        let warnings = object.get("warnings").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let code = |warning: &Json| text(warning, "/code");
        let denied = warnings.iter().find(|warning| warning.get("denied") == Some(&Json::Bool(true)));
        let succeeds = object.get("exit_code").and_then(Json::as_u64) == Some(0);
        let cause = text(object, "/diagnosis/code").or_else(|| denied.and_then(code));
        let chain = object.get("chain").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let with_role = |role: &str| chain.iter().find(|entry| entry.get("role") == Some(&role.into()));
        Self {
            verdict: text(object, "/verdict").unwrap_or_default(),
            succeeds,
            cause: if succeeds { None } else { cause.or_else(|| text(object, "/verdict")) },
            warnings: warnings.iter().filter_map(code).collect(),
            certificate: with_role("leaf").and_then(|leaf| text(leaf, "/sha256")),
            expires: with_role("leaf").and_then(|leaf| text(leaf, "/not_after")),
            root: with_role("root").and_then(|root| Some((text(root, "/sha256")?, text(root, "/subject")?))),
        }
    }

    /// What is otherwise. What was not seen on one side is not compared.
    fn compared(&self, is: &Self) -> Vec<Change> {
        let change = |of, from: Option<&String>, to: Option<&String>| Change {
            of,
            from: from.cloned(),
            to: to.cloned(),
        };
        let mut changes = Vec::new();
        changes.extend(match (&self.cause, &is.cause) {
            (None, Some(cause)) => Some(change(Changed::Failed, Some(&self.verdict), Some(cause))),
            (Some(cause), None) => Some(change(Changed::Cured, Some(cause), Some(&is.verdict))),
            (Some(was), Some(is)) if was != is => Some(change(Changed::Cause, Some(was), Some(is))),
            (None, None) if self.verdict != is.verdict => {
                Some(change(Changed::Level, Some(&self.verdict), Some(&is.verdict)))
            }
            _ => None,
        });
        let both = |of, was: Option<&String>, is: Option<&String>| {
            (was.is_some() && is.is_some() && was != is).then(|| change(of, was, is))
        };
        changes.extend(both(Changed::Certificate, self.certificate.as_ref(), is.certificate.as_ref()));
        changes.extend(both(Changed::Expires, self.expires.as_ref(), is.expires.as_ref()));
        if let (Some((was_sha, was)), Some((is_sha, is))) = (&self.root, &is.root)
            && was_sha != is_sha
        {
            changes.push(change(Changed::Root, Some(was), Some(is)));
        }
        // What is said of a server that was not reached is no sign of a change.
        if self.succeeds && is.succeeds {
            let new = is.warnings.difference(&self.warnings);
            changes.extend(new.map(|code| change(Changed::Warning, None, Some(code))));
            let gone = self.warnings.difference(&is.warnings);
            changes.extend(gone.map(|code| change(Changed::Warning, Some(code), None)));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::outcomes;

    fn earlier(outcomes: &[&Outcome]) -> Since {
        let lines: String = outcomes.iter().map(|outcome| json::line(&json::object(outcome))).collect();
        Since::read(lines.as_bytes()).unwrap()
    }

    #[test]
    fn a_run_that_is_as_the_one_before_has_no_changes() {
        let all = outcomes::all();
        let all: Vec<&Outcome> = all.iter().map(|(_, outcome)| outcome).collect();
        let mut since = earlier(&all);
        for outcome in &all {
            assert_eq!(since.changes(outcome), [], "{:?}", outcome.diagnosis);
        }
        assert_eq!(since.removed(), []);
        let again = since.changes(all.first().unwrap());
        assert_eq!(again.first().map(|change| change.of), Some(Changed::Added));
    }

    fn was(verdict: &str, cause: Option<&str>) -> Was {
        Was {
            verdict: verdict.to_owned(),
            succeeds: cause.is_none(),
            cause: cause.map(str::to_owned),
            ..Was::default()
        }
    }

    fn words(was: &Was, is: &Was) -> Vec<String> {
        was.compared(is).iter().map(Change::words).collect()
    }

    #[test]
    fn each_change_is_named() {
        let good = was("verified", None);
        let refused = was("failed", Some("tcp-refused"));
        assert_eq!(words(&good, &good), [""; 0]);
        assert_eq!(words(&good, &refused), ["newly failed: tcp-refused (was verified)"]);
        assert_eq!(words(&refused, &good), ["cured: verified (was tcp-refused)"]);
        let expired = was("failed", Some("certificate-expired"));
        assert_eq!(words(&refused, &expired), ["other cause: certificate-expired (was tcp-refused)"]);
        assert_eq!(words(&good, &was("encrypted", None)), ["encrypted (was verified)"]);
        let with = |sha: &str, end: &str, root: &str, warning: &str| Was {
            certificate: Some(sha.to_owned()),
            expires: Some(end.to_owned()),
            root: Some((root.to_owned(), format!("CN={root}"))),
            warnings: [warning.to_owned()].into(),
            ..good.clone()
        };
        let before = with("AA", "2026-12-01T00:00:00Z", "G1", "certificate-expires-soon");
        assert_eq!(
            words(&before, &with("BB", "2027-03-01T00:00:00Z", "G2", "root-retired")),
            [
                "other certificate",
                "expires 2027-03-01 (was 2026-12-01)",
                "root CN=G2 (was CN=G1)",
                "new warning: root-retired",
                "warning gone: certificate-expires-soon"
            ]
        );
        // Not seen is not changed.
        assert_eq!(words(&before, &refused), ["newly failed: tcp-refused (was verified)"]);
    }

    #[test]
    fn what_is_no_report_is_named_with_its_line() {
        let good = json::line(&json::object(&outcomes::healthy()));
        for (text, words) in [
            ("", "no target is in it"),
            ("\n\n", "no target is in it"),
            ("host=a\n", "line 1 is not JSON"),
            ("{}\n", "line 1 is not written by pgtls-check"),
            ("[1, 2]", "line 1 is not written by pgtls-check"),
            ("{\"schema\": 1, \"verdict\": \"verified\"}", "line 1 is not written by pgtls-check"),
            ("{\"schema\": 2, \"tool\": \"pgtls-check 9.0.0\"}", "line 1 has schema 2; this version reads 1"),
            ("{\"schema\": 1, \"tool\": \"pgtls-check 0.1.0\"}", "line 1 is not the report of a check"),
        ] {
            let error = Since::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        let error = Since::read(format!("{good}{{\n").as_bytes()).unwrap_err();
        assert!(error.starts_with("line 2 is not JSON"), "{error}");
    }
}
