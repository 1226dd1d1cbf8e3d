//! The second opinion: what stricter clients than libpq refuse in a chain that libpq accepts. Asked of webpki, which
//! the Rust drivers use; what else refuses the same is known by measurement.

use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, IpAddr as PkiAddress, ServerName,
    SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::budget::SIGNATURE;
use super::hostname::{is_ip_address, matches_address};
use super::{Defect, Demand, Judgement, StrictReason};
use crate::certificate::{Certificate, Facts, GeneralName, public_key};
use crate::conninfo::{Library, Value};
use crate::timestamp::Timestamp;
use crate::trust::FileCertificate;

/// One reason for which strict clients refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictRefusal {
    /// Why.
    pub reason: StrictReason,
    /// The client families known to refuse, for people.
    pub clients: &'static [&'static str],
}

const RUSTLS: &[&str] = &["rustls (tokio-postgres, sqlx)"];
const GO: &[&str] = &["Go 1.23 and later (lib/pq, pgx)"];
const JAVA: &[&str] = &["Java (pgJDBC, R2DBC)"];
const PYTHON: &[&str] = &["Python 3.13 and later with ssl.create_default_context() (asyncpg, pg8000)"];
const GO_AND_RUSTLS: &[&str] = &["Go (lib/pq, pgx)", "rustls (tokio-postgres, sqlx)"];

/// Makes a defect of what the program's own library refuses besides: then it is no second opinion.
pub(super) fn demanded(judgement: &mut Judgement, library: Library, host: Option<&Value>) {
    let of_go = |reason: &StrictReason| {
        matches!(reason, StrictReason::NoSubjectAltName | StrictReason::NegativeSerial)
    };
    let of_webpki = |reason: &StrictReason| {
        !matches!(
            reason,
            StrictReason::NegativeSerial | StrictReason::EmptyIssuer | StrictReason::X509Strict { .. }
        )
    };
    let refused = match library {
        Library::OpenSsl => return,
        Library::Go => judgement.strict.extract_if(.., |refusal| of_go(&refusal.reason)).next(),
        Library::Rustls => judgement.strict.extract_if(.., |refusal| of_webpki(&refusal.reason)).next(),
    };
    let (Some(refused), Some(host)) = (refused, host) else { return };
    judgement.defects.push(match refused.reason {
        StrictReason::NoSubjectAltName => Defect::NameMismatch { host: host.clone(), common_name: None },
        reason => Defect::RefusedByLibrary { reason },
    });
}

/// What strict clients refuse. `judgement` is of a good chain.
pub(super) fn refusals(
    chain: &[Certificate],
    anchors: &[FileCertificate],
    host: Option<&Value>,
    at: Timestamp,
    judgement: &Judgement,
) -> Vec<StrictRefusal> {
    let Some((leaf, others)) = chain.split_first() else { return Vec::new() };
    let Ok(facts) = leaf.facts() else { return Vec::new() };
    // webpki bounds its comparisons by itself.
    if judgement.budget.spend(MOST_INTERMEDIATES * SIGNATURE).is_err() {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    let name_is_good = !judgement.defects.iter().any(|defect| defect.demand() == Demand::Name);
    let host = host.filter(|_| name_is_good);
    if !has_name_of_its_kind(facts, host) {
        reasons.push(StrictReason::NoSubjectAltName);
    }
    if facts.is_ca() {
        reasons.push(StrictReason::CaAsServerCertificate);
    }
    if facts.version < 3 {
        reasons.push(StrictReason::OldVersion(facts.version));
    }
    let path = || judgement.path.iter().map(|link| &link.certificate).chain(chain);
    let any = |is: fn(&Facts) -> bool| path().any(|certificate| certificate.facts().is_ok_and(is));
    if any(|facts| facts.serial.first().is_some_and(|byte| byte & 0x80 != 0)) {
        reasons.push(StrictReason::NegativeSerial);
    }
    if any(|facts| facts.issuer.is_empty()) {
        reasons.push(StrictReason::EmptyIssuer);
    }
    match webpki_opinion(leaf, &intermediates(others, judgement), anchors, host, at, &verified(judgement)) {
        Ok(()) => {}
        Err(Error::CaUsedAsEndEntity) if facts.is_ca() => {}
        Err(Error::UnsupportedCertVersion) if facts.version < 3 => {}
        Err(Error::CertNotValidForName(_)) if reasons.contains(&StrictReason::NoSubjectAltName) => {}
        // What ring lacks other providers have: no refusal of a client's.
        Err(
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_),
        ) => {}
        Err(Error::CertNotValidForName(_)) => {
            reasons.push(StrictReason::Other("CertNotValidForName".to_owned()));
        }
        Err(error) => reasons.push(StrictReason::Other(format!("{error:?}"))),
    }
    reasons.into_iter().map(|reason| StrictRefusal { clients: clients(&reason), reason }).collect()
}

pub(super) fn clients(reason: &StrictReason) -> &'static [&'static str] {
    match reason {
        StrictReason::X509Strict { .. } => PYTHON,
        StrictReason::NoSubjectAltName => GO_AND_RUSTLS,
        StrictReason::NegativeSerial => GO,
        StrictReason::EmptyIssuer => JAVA,
        StrictReason::CaAsServerCertificate | StrictReason::OldVersion(_) | StrictReason::Other(_) => RUSTLS,
    }
}

/// Whether a host that libpq found is in subjectAltName, an address as one: libpq takes it from a DNS name, too.
fn has_name_of_its_kind(facts: &Facts, host: Option<&Value>) -> bool {
    let address = host.map(Value::as_bytes).filter(|host| is_ip_address(host));
    facts.sans.iter().flatten().any(|name| match name {
        GeneralName::Dns(_) => address.is_none(),
        GeneralName::Ip(of) => address.map_or(host.is_none(), |host| matches_address(*of, host)),
        _ => false,
    })
}

/// More than webpki follows in one path (`MAX_SUB_CA_COUNT`), so that a longer path still fails for its length.
const MOST_INTERMEDIATES: usize = 7;

/// The certificates that webpki may build its path from: those sent that are on libpq's path, then the others.
///
/// webpki tries every order of same-named certificates, up to 200 000 times, and reads all of them each time; a server
/// that sends a hundred would keep it busy for the better part of a minute. So the number is small.
pub(super) fn intermediates<'a>(others: &'a [Certificate], judgement: &'a Judgement) -> Vec<&'a Certificate> {
    let on_path = |certificate: &Certificate| {
        judgement.path.iter().any(|link| link.sent.is_some() && link.certificate == *certificate)
    };
    let (mut first, others): (Vec<_>, Vec<_>) = others.iter().partition(|certificate| on_path(certificate));
    first.extend(others);
    first.truncate(MOST_INTERMEDIATES);
    first
}

fn webpki_opinion(
    leaf: &Certificate,
    intermediates: &[&Certificate],
    anchors: &[FileCertificate],
    host: Option<&Value>,
    at: Timestamp,
    verified: &[Verified<'_>],
) -> Result<(), Error> {
    let algorithms: Vec<CachedVerification<'_>> = webpki::ALL_VERIFICATION_ALGS
        .iter()
        .map(|algorithm| CachedVerification { algorithm: *algorithm, verified })
        .collect();
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
        algorithms.iter().map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm).collect();
    let leaf_der = CertificateDer::from(leaf.der());
    let leaf = EndEntityCert::try_from(&leaf_der)?;
    let anchors: Vec<CertificateDer<'_>> =
        anchors.iter().map(|anchor| CertificateDer::from(anchor.certificate.der())).collect();
    let anchors: Vec<TrustAnchor<'_>> =
        anchors.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let intermediates: Vec<CertificateDer<'_>> =
        intermediates.iter().map(|certificate| CertificateDer::from(certificate.der())).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.unix()).unwrap_or(0)));
    leaf.verify_for_usage(&algorithms, &anchors, &intermediates, time, KeyUsage::server_auth(), None, None)?;
    let name = host.and_then(|host| server_name(host.as_bytes()));
    name.map_or(Ok(()), |name| leaf.verify_is_valid_for_subject_name(&name))
}

/// A signature that was found good while libpq's path was judged.
#[derive(Debug)]
struct Verified<'a> {
    key: &'a [u8],
    message: &'a [u8],
    signature: &'a [u8],
}

/// The signatures of a path whose chain is good: each of them was verified.
fn verified(judgement: &Judgement) -> Vec<Verified<'_>> {
    let issuers = judgement.path.iter().skip(1);
    let signed = judgement.path.iter().zip(issuers).filter_map(|(link, issuer)| {
        let (_, key) = public_key(&issuer.certificate.facts().ok()?.spki).ok()?;
        let (message, signature) = (link.certificate.signed_part(), link.certificate.signature_value());
        Some(Verified { key, message, signature })
    });
    signed.collect()
}

/// An algorithm of webpki's that does not verify again what was verified before: with ECDSA that is a tenth of a check.
#[derive(Debug)]
struct CachedVerification<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    verified: &'a [Verified<'a>],
}

impl SignatureVerificationAlgorithm for CachedVerification<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let known = |verified: &Verified<'_>| {
            verified.key == key && verified.message == message && verified.signature == signature
        };
        if self.verified.iter().any(known) {
            return Ok(());
        }
        self.algorithm.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

/// The host as rustls takes it; names that it refuses to hold are not asked about.
fn server_name(host: &[u8]) -> Option<ServerName<'_>> {
    let text = std::str::from_utf8(host).ok()?;
    match text.parse::<std::net::IpAddr>() {
        Ok(address) => Some(ServerName::IpAddress(PkiAddress::from(address))),
        Err(_) => ServerName::try_from(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_signature_that_was_verified_is_taken_as_such() {
        let verified = [Verified { key: b"key", message: b"message", signature: b"signature" }];
        let algorithm = CachedVerification { algorithm: webpki::ring::ED25519, verified: &verified };
        assert!(algorithm.verify_signature(b"key", b"message", b"signature").is_ok());
        assert!(algorithm.verify_signature(b"KEY", b"message", b"signature").is_err());
        assert!(algorithm.verify_signature(b"key", b"another", b"signature").is_err());
        assert!(algorithm.verify_signature(b"key", b"message", b"forged").is_err());
    }
}
