//! What comes of looking at a root file alone, by all that is said of one.

use super::against_provider::{ends_soon, incomplete, lacks_all, retired};
use super::context::{Context, Server};
use super::unfit::unfit;
use crate::certificate::Certificate;
use crate::diagnose::{Diagnosis, POLICY_NOT_MET, Warning};
use crate::provider::advice;
use crate::timestamp::Timestamp;
use crate::trust::{RootStore, Roots};

/// Why a connection with a root file would fail, and what is worth knowing of it.
#[derive(Debug, Default)]
pub struct Assessment {
    /// Why it would fail.
    pub diagnosis: Option<Diagnosis>,
    /// What is worth knowing.
    pub warnings: Vec<Warning>,
}

/// What a root file is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The server.
    pub server: Server<'a>,
    /// Its name.
    pub host: Option<&'a str>,
    /// The threshold of the expiry warnings, in days.
    pub expires_within: i64,
}

impl Assessment {
    /// On what libpq makes of a file.
    pub fn of(roots: &Roots, at: Timestamp) -> Self {
        unfit(roots, at, &Context::default()).map(Self::failed).unwrap_or_default()
    }

    /// On a file, called `name`, that is to serve a purpose.
    pub fn for_purpose(roots: &Roots, name: &str, purpose: Purpose<'_>, at: Timestamp) -> Self {
        let context = Context { server: purpose.server, ..Context::default() };
        if let Some(diagnosis) = unfit(roots, at, &context) {
            return Self::failed(diagnosis);
        }
        let Roots::Loaded(store) = roots else { return Self::default() };
        let certificates = store.certificates.iter().map(|entry| &entry.certificate);
        let mut warnings = Vec::new();
        if let Some(provider) = purpose.server.provider {
            let advice = advice(provider, purpose.host, &current(store, at), at);
            if let Some(diagnosis) = lacks_all(name, &advice, store, at) {
                return Self::failed(diagnosis);
            }
            warnings.extend(incomplete(name, &advice, store));
            if advice.rests_on_retired() {
                warnings.extend(retired(name, certificates, || Some(provider), at));
            }
        } else {
            warnings.extend(retired(name, certificates, || None, at));
        }
        warnings.extend(ends_soon(name, store, at, purpose.expires_within));
        Self { diagnosis: None, warnings }
    }

    fn failed(diagnosis: Diagnosis) -> Self {
        Self { diagnosis: Some(diagnosis), warnings: Vec::new() }
    }

    /// That of the diagnosis' stage, as a check of a server would end with this file.
    pub fn exit_status(&self) -> u8 {
        match &self.diagnosis {
            Some(diagnosis) => diagnosis.code.stage.exit_status(),
            None if self.warnings.iter().any(|warning| warning.denied.is_some()) => POLICY_NOT_MET,
            None => 0,
        }
    }
}

/// The certificates that are valid at a moment: the others verify nothing.
fn current(store: &RootStore, at: Timestamp) -> RootStore {
    let mut store = store.clone();
    store.certificates.retain(|entry| outside(&entry.certificate, at).is_none());
    store
}

/// That a certificate is outside its dates.
pub fn outside(certificate: &Certificate, at: Timestamp) -> Option<String> {
    let facts = certificate.facts().ok()?;
    if facts.not_after < at {
        return Some(format!("expired on {}", facts.not_after.date()));
    }
    (facts.not_before > at).then(|| format!("not valid before {}", facts.not_before.date()))
}
