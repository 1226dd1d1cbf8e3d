//! Why a handshake failed: rustls' error and what was received, turned into values.

use std::io;

use rustls::{Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use super::verifier;
use crate::certificate::KeyKind;
use crate::conninfo::TlsVersion;
use crate::evidence::{InFlight, TlsFailure};
use crate::probe::negotiate::{ended, silence};
use crate::probe::tcp::os_failure;
use crate::probe::wiretap::{ServerFlight, is_record};

/// So much of what is no TLS is kept.
const FIRST_BYTES: usize = 256;

/// Near the 64 KiB that rustls has room for.
const LARGE: usize = 60 * 1024;

/// What is known besides the error.
pub(super) struct Observed<'a> {
    pub flight: &'a ServerFlight,
    /// What came since the ClientHello, as far as it was remembered.
    pub bytes: &'a [u8],
    pub chain: &'a verifier::Findings,
}

/// rustls' error inside an I/O error. `source()` does not lead there.
pub(in crate::probe) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

/// The alert inside an I/O error.
pub(in crate::probe) fn alert_of(error: &io::Error) -> Option<u8> {
    match tls_error(error)? {
        Error::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    }
}

/// What an error of the handshake stands for.
pub(super) fn of(
    error: &io::Error,
    observed: &Observed<'_>,
    in_flight: impl FnOnce() -> Option<InFlight>,
) -> TlsFailure {
    if let Some(error) = tls_error(error) {
        return of_tls(error, observed);
    }
    if silence(error) {
        return TlsFailure::TimedOut(in_flight());
    }
    // A peer that answers with a few bytes of something else and closes.
    if !is_record(observed.bytes) {
        return not_tls(observed.bytes);
    }
    // So rustls says that a message has no room.
    let is_full = error.kind() == io::ErrorKind::InvalidData && observed.bytes.len() > LARGE;
    if is_full && observed.flight.version.is_some() {
        return TlsFailure::MessageTooLong;
    }
    match ended(error) {
        Some(closure) => TlsFailure::Ended(closure),
        None if error.raw_os_error().is_none() => TlsFailure::Protocol(error.to_string()),
        None => TlsFailure::Failed(os_failure(error)),
    }
}

fn not_tls(bytes: &[u8]) -> TlsFailure {
    TlsFailure::NotTls(bytes.iter().copied().take(FIRST_BYTES).collect())
}

fn of_tls(error: &Error, observed: &Observed<'_>) -> TlsFailure {
    if observed.chain.judgement.as_ref().is_some_and(|judgement| !judgement.accepted) {
        return TlsFailure::CertificateRefused;
    }
    match error {
        Error::AlertReceived(alert) => TlsFailure::AlertReceived(u8::from(*alert)),
        Error::InvalidMessage(_) if !is_record(observed.bytes) => not_tls(observed.bytes),
        Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon)
        | Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => match unverifiable(observed) {
            Some(what) => TlsFailure::Unsupported(what),
            None => TlsFailure::Protocol(error.to_string()),
        },
        // Before ServerHello it is none with certificates.
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge)
            if observed.flight.version.is_some() =>
        {
            TlsFailure::MessageTooLong
        }
        _ => TlsFailure::Protocol(error.to_string()),
    }
}

/// A handshake signature that OpenSSL verifies and nothing here does.
fn unverifiable(observed: &Observed<'_>) -> Option<String> {
    let facts = observed.chain.chain.first()?.facts().ok()?;
    match &facts.key {
        KeyKind::RsaPss(_) if observed.flight.version != Some(TlsVersion::Tls13) => {
            Some(format!("a key of {} in TLS 1.2", facts.key))
        }
        KeyKind::Rsa(_) | KeyKind::RsaPss(_) | KeyKind::Ed448 => Some(format!("a key of {}", facts.key)),
        KeyKind::Ec(_) | KeyKind::Ed25519 | KeyKind::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Closure;

    fn failure(error: io::Error, bytes: &[u8]) -> TlsFailure {
        let chain = verifier::Findings::default();
        of(&error, &Observed { flight: &ServerFlight::default(), bytes, chain: &chain }, || None)
    }

    #[test]
    fn errors_become_values() {
        let alert = Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert_eq!(alert_of(&wrapped), Some(40));
        assert_eq!(failure(wrapped, &[21, 3, 3]), TlsFailure::AlertReceived(40));
        let eof = || io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(failure(eof(), &[]), TlsFailure::Ended(Closure::Closed));
        assert_eq!(failure(eof(), b"E\0\0"), TlsFailure::NotTls(b"E\0\0".to_vec()));
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(failure(reset, &[22, 3]), TlsFailure::Ended(Closure::Reset));
        let garbage = Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let garbage = || io::Error::new(io::ErrorKind::InvalidData, garbage.clone());
        assert_eq!(failure(garbage(), b"HTTP/1.1"), TlsFailure::NotTls(b"HTTP/1.1".to_vec()));
        assert!(matches!(failure(garbage(), &[22, 3, 3]), TlsFailure::Protocol(_)));
        assert_eq!(failure(io::Error::from(io::ErrorKind::TimedOut), &[]), TlsFailure::TimedOut(None));
    }
}
