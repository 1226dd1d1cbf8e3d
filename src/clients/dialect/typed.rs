//! What was typed, as a check keeps it beside what came of it: in whose words, where what stands, what may be shown.

use std::ops::Range;

use super::lookup::shown;
use super::recognise::{Target, read};
use super::{
    Decision, Demand, Dialect, Failure, Fault, FaultKind, Layer, Lookup, Reading, Remark, Root, Setting,
    Trusted, table,
};
use crate::conninfo::{Masked, mask, mask_argument, mask_at, with_separator};
use crate::provider;
use crate::secret::Secret;

/// A text and what its program reads in it.
#[derive(Debug)]
pub struct Typed {
    /// The text as given.
    pub original: Secret,
    /// What it says.
    pub read: Read,
    /// The roots that the driver trusts and that cannot be seen from here, where others stand in for them.
    pub assumed: Option<Root>,
    /// The string of libpq's that means the same, without secrets; `None` where none could be written.
    pub in_libpq: Option<String>,
    /// The root file, or `system`, with which its driver would verify if its string said so, where it verifies nothing now.
    pub unused_roots: Option<String>,
}

/// What a text says.
#[derive(Debug)]
pub enum Read {
    /// A string of libpq's, within other text.
    Libpq(Vec<Layer>),
    /// A string of another driver's.
    Driver(Box<Reading>),
    /// One that its driver refuses.
    Refused(Box<Failure>),
}

impl Typed {
    /// A text, and what was read in it; nothing else is known of it yet.
    pub const fn new(original: Secret, read: Read) -> Self {
        Self { original, read, assumed: None, in_libpq: None, unused_roots: None }
    }

    /// Whose string it is.
    pub fn dialect(&self) -> &'static Dialect {
        match &self.read {
            Read::Libpq(_) => table::libpq(),
            Read::Driver(reading) => reading.dialect,
            Read::Refused(failure) => failure.dialect,
        }
    }

    /// What stood round it, the outermost first.
    pub fn layers(&self) -> &[Layer] {
        match &self.read {
            Read::Libpq(layers) => layers,
            Read::Driver(reading) => &reading.layers,
            Read::Refused(failure) => &failure.layers,
        }
    }

    /// The reading, if its driver takes it.
    pub fn reading(&self) -> Option<&Reading> {
        match &self.read {
            Read::Driver(reading) => Some(reading),
            Read::Libpq(_) | Read::Refused(_) => None,
        }
    }

    /// What the driver demands, if it is another's than libpq's.
    pub fn decision(&self) -> Option<&Decision> {
        self.reading().map(|reading| &reading.decision)
    }

    /// The setting that decided what is demanded.
    pub fn word(&self) -> Option<&Setting> {
        let reading = self.reading()?;
        reading.settings.get(reading.decision.word?)
    }

    /// Where a setting of libpq's comes from, if not from the text: a variable, or what the driver takes where nothing is
    /// said.
    pub fn origin(&self, option: &str) -> Option<String> {
        let reading = self.reading()?;
        let setting = match option {
            "sslmode" => self.word(),
            "sslrootcert" => {
                reading.libpq(option).or_else(|| reading.get(option)).or_else(|| reading.root_file())
            }
            _ => reading.libpq(option),
        };
        match setting {
            Some(setting) => setting.variable.map(|variable| match variable.contains(':') {
                true => variable.to_owned(),
                false => format!("environment {variable}"),
            }),
            None => Some(format!("default of {}", reading.dialect.title)),
        }
    }

    /// A string that its driver refuses for names alone: with its driver's names for those that are near to one, without the
    /// others, without secrets; verifying, where it says nothing of TLS.
    pub fn renamed(&self) -> Option<String> {
        let Read::Refused(failure) = &self.read else { return None };
        let text = self.original.expose();
        let (mut mended, mut at) = (Vec::new(), 0);
        for Fault { kind, place } in &failure.faults {
            let FaultKind::UnknownKeyword { nearest, .. } = kind else { return None };
            let setting = failure.settings.iter().find(|setting| setting.place.keyword == *place)?;
            let value = &setting.place.value;
            // What may be a piece of a password stays hidden.
            if failure.secrets.iter().any(|secret| secret.start < value.end && value.start < secret.end) {
                return None;
            }
            let is_parameter = matches!(text.get(place.start.checked_sub(1)?), Some(b'?' | b'&'));
            let place = match nearest {
                Some(_) => place.clone(),
                None if is_parameter => with_separator(text, place.start..value.end, true),
                None => return None,
            };
            mended.extend_from_slice(text.get(at..place.start)?);
            mended.extend_from_slice(nearest.unwrap_or_default().as_bytes());
            at = place.end;
        }
        mended.extend_from_slice(text.get(at..)?);
        let Target::Driver(reading) = read(&mended, Some(failure.dialect)) else { return None };
        let typed = Self::new(Secret::new(mended), Read::Driver(reading));
        if typed.word().is_some() { typed.changed(&[]) } else { typed.verifying() }?.ok()
    }

    /// What libpq would demand by the words that it has in common with the driver, where that is something else.
    pub fn libpq_demand(&self) -> Option<Demand> {
        let reading = self.reading()?;
        let settings = &reading.settings;
        let lookup = Lookup { settings, scheme: "", object: false, beside: settings.len(), instead: None };
        let demand = table::libpq_rules(&lookup).demand;
        let what = |demand: &Demand| (demand.encryption, demand.chain, demand.name);
        (what(&demand) != what(&reading.decision.demand)).then_some(demand)
    }

    /// The string as it has to be written for its driver to verify chain and name, without secrets; or what has to be
    /// done where no string can say it. `None` for libpq's own.
    pub fn verifying(&self) -> Option<Result<String, &'static str>> {
        self.changed(&[("sslmode", "verify-full".to_owned())])
    }

    /// The root file under a name of libpq's that the driver passes over.
    pub fn root_ignored(&self) -> Option<&str> {
        Self::root_ignored_in(self.reading()?)
    }

    fn root_ignored_in(reading: &Reading) -> Option<&str> {
        let ignored = reading.remarks.iter().filter_map(|remark| match remark {
            Remark::Ignored { setting, .. } | Remark::Misplaced { setting, .. } => {
                reading.settings.get(*setting)
            }
            _ => None,
        });
        let mut roots = ignored.filter(|setting| setting.keyword.eq_ignore_ascii_case("sslrootcert"));
        std::str::from_utf8(roots.next()?.value.plain()?).ok()
    }

    /// As [`Self::verifying`], with a root file beside it, where none is named and the string can name one.
    pub fn verifying_by(&self, file: &str) -> Option<String> {
        let reading = self.reading().filter(|reading| self.root_named(reading).is_none())?;
        let host = reading.libpq("host").and_then(|host| std::str::from_utf8(host.value.plain()?).ok());
        let is_providers = host.is_some_and(|host| provider::by_host(host).is_some());
        if is_providers || reading.decision.demand.roots.contains(&Root::Program) {
            return None;
        }
        let by_file = [("sslmode", "verify-full".to_owned()), ("sslrootcert", file.to_owned())];
        let text = self.changed(&by_file)?.ok()?;
        text.contains(file).then_some(text)
    }

    /// The root file that the string names.
    fn root_named<'a>(&self, reading: &'a Reading) -> Option<&'a str> {
        let named = reading.decision.demand.roots.iter().find_map(|root| match root {
            Root::Named(at) | Root::Pinned(at) | Root::AddedToSystem(at) => reading.settings.get(*at),
            _ => None,
        });
        let given = named.or_else(|| reading.libpq("sslrootcert")).or_else(|| reading.root_file());
        let given = given.filter(|setting| setting.variable.is_none());
        given
            .and_then(|setting| std::str::from_utf8(setting.value.plain()?).ok())
            .filter(|path| !path.is_empty())
            .or_else(|| Self::root_ignored_in(reading))
    }

    /// The word for verify-ca, where that was typed: it is kept.
    pub fn verify_ca(&self) -> Option<&[u8]> {
        let is_it = |value: &&[u8]| {
            [&b"verify-ca"[..], b"verifyca"].iter().any(|word| value.eq_ignore_ascii_case(word))
        };
        let values = self.reading()?.settings.iter().filter(|setting| setting.counts);
        values.filter_map(|setting| setting.value.plain()).find(is_it)
    }

    /// The string with settings of libpq's changed, in its driver's words. What is changed of TLS makes it verify.
    pub fn changed(&self, changes: &[(&'static str, String)]) -> Option<Result<String, &'static str>> {
        let reading = self.reading()?;
        let of_tls = |keyword: &str| matches!(keyword, "sslmode" | "sslrootcert");
        let root =
            changes.iter().find(|(keyword, _)| *keyword == "sslrootcert").map(|(_, value)| value.as_str());
        // A certificate alone is named as a URL.
        let given = self.root_named(reading).map(|path| path.strip_prefix("file:").unwrap_or(path));
        let trusted = match root.or(given.filter(|path| !path.is_empty())) {
            Some("system") => Trusted::System,
            Some(path) => Trusted::File(path),
            None => Trusted::Default,
        };
        let trusted = changes.iter().any(|(keyword, _)| of_tls(keyword)).then_some(trusted);
        if let (Some(words), Some(_)) = (reading.decision.elsewhere, trusted) {
            return Some(Err(words));
        }
        let others: Vec<(&'static str, &[u8])> = changes
            .iter()
            .filter(|(keyword, _)| !of_tls(keyword))
            .map(|(keyword, value)| (*keyword, value.as_bytes()))
            .collect();
        let kept = self.verify_ca().filter(|_| changes.iter().all(|(keyword, _)| *keyword != "sslmode"));
        let others: Vec<_> = others.into_iter().chain(kept.map(|word| ("sslmode", word))).collect();
        let text = match reading.corrected(&others, trusted) {
            Ok(text) => String::from_utf8(text).ok()?,
            Err(words) => return Some(Err(words)),
        };
        // What may still be taken for a secret is not shown.
        (mask_argument(text.as_bytes()) == text).then_some(Ok(text))
    }

    /// The text without its secrets, with places marked.
    pub fn masked(&self, places: &[Range<usize>]) -> Masked {
        let text = self.original.expose();
        match &self.read {
            Read::Libpq(_) => mask(text, places),
            Read::Driver(reading) => mask_at(text, reading.secrets(text), places),
            Read::Refused(failure) => mask_at(text, failure.secrets.clone(), places),
        }
    }

    /// A setting as it was typed, without secrets: its keyword and its value with all that is between them.
    pub fn as_typed(&self, setting: &Setting) -> String {
        if let Some(variable) = setting.variable {
            let value = setting.value.plain().map(String::from_utf8_lossy).unwrap_or_default();
            return format!("{variable}={}", shown(&value));
        }
        let place = &setting.place;
        let start = if place.keyword.is_empty() { place.value.start } else { place.keyword.start };
        let masked = self.masked(std::slice::from_ref(&(start..place.value.end.max(place.keyword.end))));
        let span = masked.spans.first().cloned().unwrap_or_default();
        masked.text.get(span).unwrap_or_default().to_owned()
    }
}
