//! rustls' view of the server's certificate: it asks, [`verify::judge`] answers, and what was found is kept on the side.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use crate::certificate::Certificate;
use crate::conninfo::{Host, SslMode, Value};
use crate::plan::Plan;
use crate::timestamp::Timestamp;
use crate::trust::{Roots, Trust};
use crate::verify::{self, Defect, Judgement, signature};

/// What the verifier saw.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub chain: Vec<Certificate>,
    pub judgement: Option<Judgement>,
    pub judging: Option<Duration>,
    /// The scheme of the handshake's signature, once it was looked at.
    pub scheme: Option<SignatureScheme>,
}

/// Judges for one handshake.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Arc<Trust>,
    host: Option<Value>,
    at: Timestamp,
    mode: SslMode,
    schemes: Vec<SignatureScheme>,
    findings: Arc<Mutex<Findings>>,
}

impl Verifier {
    /// `schemes`: those in which a server may sign, if not all.
    pub(super) fn new(plan: &Plan, trust: Arc<Trust>, host: &Host, schemes: Option<&[u16]>) -> Self {
        let mut supported = signature::supported_schemes();
        supported.retain(|scheme| schemes.is_none_or(|schemes| schemes.contains(&u16::from(*scheme))));
        Self {
            schemes: supported,
            trust,
            host: (!host.name.is_empty()).then(|| Value::new(host.name.exposed())),
            at: plan.started,
            mode: plan.settings.sslmode,
            findings: Arc::default(),
        }
    }

    /// Where the findings will be.
    pub(super) fn findings(&self) -> Arc<Mutex<Findings>> {
        Arc::clone(&self.findings)
    }

    /// The leaf's key, and a note of the scheme that is to be verified with it.
    fn key(&self, certificate: &CertificateDer<'_>, scheme: SignatureScheme) -> Result<Vec<u8>, Error> {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.scheme = Some(scheme);
        let leaf = findings.chain.first().filter(|leaf| leaf.der() == certificate.as_ref());
        match leaf.map(Certificate::facts) {
            Some(Ok(facts)) => Ok(facts.spki.clone()),
            Some(Err(_)) | None => Err(CertificateError::BadEncoding.into()),
        }
    }
}

/// The findings, once the handshake is over.
pub(super) fn take(findings: &Mutex<Findings>) -> Findings {
    std::mem::take(&mut *findings.lock().unwrap_or_else(PoisonError::into_inner))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let begin = Instant::now();
        let decoded = |der: &CertificateDer<'_>| match &self.trust.roots {
            Roots::Loaded(store) => store.issuers.decoded(der),
            _ => Certificate::from_der(der),
        };
        let leaf = Certificate::from_der(leaf);
        let chain: Vec<Certificate> = std::iter::once(leaf).chain(others.iter().map(decoded)).collect();
        let judgement = verify::judge(&chain, &self.trust, self.host.as_ref(), self.at, self.mode);
        let verdict = match judgement.accepted {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(refusal(&judgement, self.mode).into()),
        };
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.chain = chain;
        findings.judgement = Some(judgement);
        findings.judging = Some(begin.elapsed());
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(message, &self.key(certificate, signed.scheme)?, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(message, &self.key(certificate, signed.scheme)?, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Refuses every server: what stands in a configuration until a handshake's own verifier does.
#[derive(Debug)]
pub(super) struct Nobody;

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Vec::new()
    }
}

/// The error that makes rustls send the alert that OpenSSL would send (`x509table` in statem_lib.c).
fn refusal(judgement: &Judgement, mode: SslMode) -> CertificateError {
    let first = judgement.defects.iter().find(|defect| defect.demanded(mode, judgement.verifies));
    match first {
        Some(Defect::Expired { .. }) => CertificateError::Expired,
        Some(Defect::NotYetValid { .. }) => CertificateError::NotValidYet,
        Some(Defect::Revoked { .. }) => CertificateError::Revoked,
        Some(Defect::BadSignature { .. }) => CertificateError::BadSignature,
        Some(Defect::PurposeExcluded { .. } | Defect::KeyUsageExcluded { .. }) => {
            CertificateError::InvalidPurpose
        }
        Some(Defect::NameMismatch { .. } | Defect::NameUnusable { .. } | Defect::NoHost) => {
            CertificateError::NotValidForName
        }
        Some(Defect::Malformed { .. } | Defect::InvalidExtension { .. }) => CertificateError::BadEncoding,
        _ => CertificateError::UnknownIssuer,
    }
}
