//! A rehearsal: what a check would see if a server had these files. Nothing is sent; the chain comes from the file and is
//! judged as one that came from a server is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Setup;
use super::one::check;
use super::watch::Watcher;
use crate::certificate::{Certificate, Facts};
use crate::conninfo::{Endpoint, Settings, SslCertMode, SslMode, Value};
use crate::diagnose::Outcome;
use crate::evidence::{
    Attempt, ClientCertificateRecord, Evidence, Offer, Rehearsal, Scope, Served, SessionFailure,
    SessionRecord, Step, TlsFailure, TlsRecord,
};
use crate::order;
use crate::own_thread;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::trust::{ClientIdentity, ServerFiles, Trust};
use crate::verify::{self, Defect, Judgement};

/// What stands in for a server.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// Its files.
    pub files: Arc<ServerFiles>,
    /// The chain that it would send, leaf first.
    pub chain: Vec<Certificate>,
    /// How many certificates of the chain are not in `ssl_cert_file`.
    pub sent_from_authorities: usize,
    /// What a running server sends now, where one was asked.
    pub served: Option<Arc<Served>>,
    /// The moment for which all is judged, if it is not now.
    pub at: Option<Timestamp>,
}

impl Rehearsed {
    /// A server with these files.
    pub fn new(files: Arc<ServerFiles>, at: Option<Timestamp>) -> Self {
        let mut chain = files.in_order();
        let before = chain.len();
        if let ([_], Some(authorities)) = (chain.as_slice(), files.client_trust()) {
            let judged = verify::judge(
                &chain,
                &authorities,
                None,
                at.unwrap_or_else(Timestamp::now),
                SslMode::VerifyCa,
            );
            chain = judged.path.into_iter().map(|link| link.certificate).collect();
        }
        Self { files, sent_from_authorities: chain.len().saturating_sub(before), chain, served: None, at }
    }

    /// The record that a check of these settings would leave, as far as the files decide about it.
    pub(super) async fn evidence(&self, plan: &Plan) -> Evidence {
        let (rehearsed, plan) = (self.clone(), plan.clone());
        own_thread::run(verify::is_long(&self.chain), move || rehearsed.judged(&plan)).await
    }

    fn judged(&self, plan: &Plan) -> Evidence {
        let begin = Instant::now();
        let at = self.at.unwrap_or(plan.started);
        let client = self.judged_client(&plan.trust, at);
        let hosts = plan.settings.hosts.iter().enumerate();
        let mut attempts: Vec<Attempt> =
            hosts.map(|(slot, _)| self.attempt(plan, slot, at, client.as_ref())).collect();
        // A client comes to any of its hosts: what fails at one of them is the answer.
        order::by_key(&mut attempts, |attempt| {
            attempt.tls.as_ref().is_some_and(|tls| tls.result.failure.is_some())
        });
        let scope = Scope { tls_only: true, require_auth: false, ..plan.scope };
        Evidence {
            judged_at: at,
            attempts,
            rehearsal: Some(Rehearsal {
                files: Arc::clone(&self.files),
                sent_from_authorities: self.sent_from_authorities,
                client,
                served: self.served.clone(),
            }),
            took: begin.elapsed(),
            ..Evidence::of_settings(plan.started, scope, plan.settings.clone(), plan.trust.clone())
        }
    }

    /// The server's verdict on the client's certificate, where it asks for one and one is there. A server that has client
    /// CAs asks every client, and refuses one that it cannot verify, whatever `pg_hba.conf` says.
    fn judged_client(&self, trust: &Trust, at: Timestamp) -> Option<Judgement> {
        let ClientIdentity::Ready(identity) = &trust.client else { return None };
        Some(verify::judge_client(&identity.chain, &self.files.client_trust()?, at))
    }

    fn attempt(&self, plan: &Plan, slot: usize, at: Timestamp, client: Option<&Judgement>) -> Attempt {
        let settings = &plan.settings;
        let host = settings.hosts.get(slot);
        let name =
            host.map(|host| Value::new(host.name.exposed())).filter(|name| !name.as_bytes().is_empty());
        let begin = Instant::now();
        let judgement = verify::judge(&self.chain, &plan.trust, name.as_ref(), at, settings.sslmode);
        // Here it is asked which drivers would refuse, too.
        let judgement = judgement.with_x509_strict();
        let judging = begin.elapsed();
        let session = judgement.accepted.then(|| self.answer(settings, client)).flatten();
        let failure = (!judgement.accepted).then_some(TlsFailure::CertificateRefused);
        let record = TlsRecord {
            offer: Offer { versions: Vec::new(), sni: None, alpn: Vec::new() },
            version: None,
            cipher: None,
            group: None,
            hello_retry: false,
            alpn: None,
            chain: self.chain.clone(),
            judgement: Some(judgement),
            judging: Some(judging),
            client_certificate: self.client_certificate(client),
            bytes_sent: 0,
            bytes_received: 0,
            flights: 0,
            failure,
        };
        Attempt {
            address: host.and_then(|host| match host.endpoint {
                Endpoint::Address(address, _) => Some(address),
                _ => None,
            }),
            tls: Some(Step { start: Duration::ZERO, took: judging, result: record }),
            session: session.map(|failure| Step {
                start: judging,
                took: Duration::ZERO,
                result: SessionRecord { failure: Some(failure), ..SessionRecord::default() },
            }),
            ..Attempt::begun(slot, plan.address_limit())
        }
    }

    fn client_certificate(&self, client: Option<&Judgement>) -> ClientCertificateRecord {
        let authorities = self.files.authorities.as_ref();
        let names = authorities.into_iter().flat_map(|store| &store.certificates);
        let names = names.filter_map(|entry| entry.certificate.facts().ok());
        ClientCertificateRecord {
            requested: authorities.is_some(),
            authorities: names.map(|facts: &Facts| facts.subject.to_string()).collect(),
            sent: client.is_some(),
        }
    }

    /// What comes of the client's certificate once the client has accepted the server.
    fn answer(&self, settings: &Settings, client: Option<&Judgement>) -> Option<SessionFailure> {
        match client {
            Some(judgement) if !judgement.accepted => {
                Some(SessionFailure::AlertReceived(alert(judgement.chain_defects().next())))
            }
            None if settings.certificate_mode == SslCertMode::Require => {
                Some(SessionFailure::CertificateModeUnmet)
            }
            Some(_) | None => None,
        }
    }
}

/// The alert with which OpenSSL answers a client's certificate (`x509table` in statem_lib.c).
fn alert(defect: Option<&Defect>) -> u8 {
    match defect {
        Some(
            Defect::NotYetValid { .. }
            | Defect::RejectedByFile
            | Defect::WeakKey { .. }
            | Defect::WeakSignature { .. }
            | Defect::ExplicitCurve { .. },
        ) => 42,
        Some(
            Defect::PurposeExcluded { .. }
            | Defect::KeyUsageExcluded { .. }
            | Defect::NetscapeTypeExcluded { .. },
        ) => 43,
        Some(Defect::Revoked { .. }) => 44,
        Some(Defect::Expired { .. }) => 45,
        Some(Defect::BadSignature { .. }) => 51,
        Some(
            Defect::IssuerUnknown { .. }
            | Defect::SelfSignedLeaf
            | Defect::RootNotInFile { .. }
            | Defect::FileLacksRoot { .. }
            | Defect::ChainTooLong
            | Defect::NotACa { .. }
            | Defect::PathLengthExceeded { .. }
            | Defect::CrlMissing { .. },
        ) => 48,
        _ => 46,
    }
}

/// What a running server sends now: a check of TLS that sends no user and no password.
///
/// # Errors
/// The outcome of a check that saw no certificate.
pub async fn served(
    setup: &Setup,
    target: Option<&Secret>,
    name: impl FnOnce(&Outcome) -> String,
    watcher: &dyn Watcher,
) -> Result<Served, Box<Outcome>> {
    let outcome = check(setup, target, watcher).await;
    let tls = outcome.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    match tls.map(|step| &step.result.chain).filter(|chain| !chain.is_empty()) {
        Some(chain) => Ok(Served { chain: chain.clone(), server: name(&outcome) }),
        None => Err(Box::new(outcome)),
    }
}
