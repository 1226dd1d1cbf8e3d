//! The client certificate's part: sent whenever the server asks, whatever CAs it names, as OpenSSL does.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::certificate::DistinguishedName;
use crate::evidence::ClientCertificateRecord;
use crate::trust::{ClientCertificate, ClientIdentity};

/// More names of CAs than this are not kept.
const MOST_AUTHORITIES: usize = 100;

/// What came of the server's request.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub record: ClientCertificateRecord,
    /// A certificate was asked for, there is one, and its key can sign nothing here: what kind of key.
    pub unusable_key: Option<String>,
}

/// Answers the server's request.
#[derive(Debug)]
pub(super) struct Resolver {
    identity: Option<Identity>,
    findings: Arc<Mutex<Findings>>,
}

#[derive(Debug)]
enum Identity {
    Usable(Arc<CertifiedKey>),
    Unusable(String),
}

impl Resolver {
    /// `schemes`: those in which the client signs, if not all.
    pub(super) fn new(identity: &ClientIdentity, schemes: Option<&[u16]>) -> Self {
        let identity = match identity {
            ClientIdentity::Ready(certificate) => Some(Identity::of(certificate, schemes)),
            ClientIdentity::None | ClientIdentity::Absent { .. } | ClientIdentity::Failed(..) => None,
        };
        Self { identity, findings: Arc::default() }
    }

    /// Where the findings will be.
    pub(super) fn findings(&self) -> Arc<Mutex<Findings>> {
        Arc::clone(&self.findings)
    }
}

impl Identity {
    fn of(certificate: &ClientCertificate, schemes: Option<&[u16]>) -> Self {
        let key = certificate.signing_key().map(|key| match schemes {
            Some(schemes) => Arc::new(Limited { key, schemes: schemes.to_vec() }) as Arc<dyn SigningKey>,
            None => key,
        });
        let Some(key) = key else {
            let kind = certificate.chain.first().and_then(|leaf| leaf.facts().ok());
            return Self::Unusable(
                kind.map_or_else(|| "of another kind".to_owned(), |facts| facts.key.to_string()),
            );
        };
        let chain = certificate.chain.iter();
        let chain = chain.map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
        // Not `from_der`, which refuses certificates of version 1.
        Self::Usable(Arc::new(CertifiedKey::new(chain, key)))
    }
}

/// A key that signs in some of its schemes only.
#[derive(Debug)]
struct Limited {
    key: Arc<dyn SigningKey>,
    schemes: Vec<u16>,
}

impl SigningKey for Limited {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let both = offered.iter().filter(|scheme| self.schemes.contains(&u16::from(**scheme)));
        self.key.choose_scheme(&both.copied().collect::<Vec<_>>())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

/// The findings, once the handshake is over.
pub(super) fn take(findings: &Mutex<Findings>) -> Findings {
    std::mem::take(&mut *findings.lock().unwrap_or_else(PoisonError::into_inner))
}

impl ResolvesClientCert for Resolver {
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.record.requested = true;
        findings.record.authorities =
            authorities.iter().take(MOST_AUTHORITIES).map(|der| authority(der)).collect();
        match self.identity.as_ref()? {
            Identity::Unusable(kind) => {
                findings.unusable_key = Some(kind.clone());
                None
            }
            Identity::Usable(identity) => {
                // rustls sends none when the key suits none of the server's schemes; so does OpenSSL.
                findings.record.sent = identity.key.choose_scheme(schemes).is_some();
                Some(Arc::clone(identity))
            }
        }
    }

    /// The request is to be seen even if there is none to send.
    fn has_certs(&self) -> bool {
        true
    }
}

fn authority(der: &[u8]) -> String {
    match DistinguishedName::from_der(der) {
        Ok(name) => name.to_string(),
        Err(_) => format!("(a name of {} bytes that cannot be read)", der.len()),
    }
}
