//! What can be wrong with a chain: values, never prose.

use crate::certificate::{Certificate, SignatureKind};
use crate::certificate::{ExtensionProblem, GeneralName, KeyKind, Malformed, RevocationReason, Subtree};
use crate::conninfo::{SslMode, Value};
use crate::timestamp::Timestamp;
use crate::trust::FileCrl;

/// One thing wrong with a chain, with its values. `at` is a place in [`Judgement::path`](super::Judgement).
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
    /// The path ends in a certificate that the file excludes for TLS servers (`TRUSTED CERTIFICATE` with trust settings).
    RejectedByFile,
    /// The path has more certificates than OpenSSL follows (its depth of 100).
    ChainTooLong,
    /// Judging it would take more work than is done for one chain.
    TooMuchWork,
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
    /// A signature that cannot be verified here although OpenSSL may be able to.
    UnsupportedHere {
        /// Its place in the path.
        at: usize,
        /// What exactly (`Ed448`, `RSA with SHA-224`).
        what: String,
    },
    /// A key too weak for security level 2.
    WeakKey {
        /// Its place in the path.
        at: usize,
        /// The key.
        key: KeyKind,
    },
    /// A signature too weak for security level 2: SHA-1, MD5.
    WeakSignature {
        /// Its place in the path.
        at: usize,
        /// Its algorithm.
        algorithm: SignatureKind,
    },
    /// An extension that cannot be read or stands there twice.
    InvalidExtension {
        /// Its place in the path.
        at: usize,
        /// Which extension, and what is wrong with it.
        problem: ExtensionProblem,
    },
    /// A critical extension that OpenSSL does not know.
    UnknownCriticalExtension {
        /// Its place in the path.
        at: usize,
        /// Dotted OID.
        oid: String,
    },
    /// A proxy certificate (RFC 3820), which OpenSSL takes only when told to.
    ProxyCertificate {
        /// Its place in the path.
        at: usize,
    },
    /// A key on a curve that is spelt out instead of named, which OpenSSL 3 refuses in a chain.
    ExplicitCurve {
        /// Its place in the path.
        at: usize,
    },
    /// A certificate above the leaf is no CA.
    NotACa {
        /// Its place in the path.
        at: usize,
        /// Why not.
        why: NotACa,
    },
    /// extendedKeyUsage without serverAuth; of a client's certificate, clientAuth.
    PurposeExcluded {
        /// Its place in the path.
        at: usize,
        /// The purposes it has, as dotted OIDs.
        purposes: Vec<String>,
    },
    /// Netscape's certificate type without the server's bit; of a client's certificate, the client's.
    NetscapeTypeExcluded {
        /// Its place in the path.
        at: usize,
    },
    /// The leaf's keyUsage has none of digitalSignature, keyEncipherment, keyAgreement; of a client's certificate, neither
    /// the first nor the last.
    KeyUsageExcluded {
        /// Its place in the path.
        at: usize,
        /// The uses it has.
        uses: Vec<&'static str>,
    },
    /// More intermediates below a CA than its path length allows.
    PathLengthExceeded {
        /// The CA's place in the path.
        at: usize,
        /// What it allows.
        limit: u64,
        /// How many there are.
        found: u64,
    },
    /// A name that a CA's name constraints exclude or do not permit.
    NameConstraint {
        /// Place in the path of the certificate with the name.
        at: usize,
        /// Place of the CA.
        authority: usize,
        /// The name, as [`GeneralName`]'s `Display` or the distinguished name writes it.
        name: String,
        /// What went wrong.
        fault: NameFault,
    },
    /// It lists number resources (RFC 3779) that its issuer has not, or that a root inherits from nobody.
    ResourcesNotNested {
        /// Its place in the path.
        at: usize,
        /// Which: `IP resources` or `AS resources`.
        resources: String,
    },
    /// A CRL lists it.
    Revoked {
        /// Its place in the path.
        at: usize,
        /// Since when.
        date: Option<Timestamp>,
        /// Why, if the list says so.
        reason: Option<RevocationReason>,
        /// The list.
        list: FileCrl,
    },
    /// Checking is on, and no CRL for its issuer is there.
    CrlMissing {
        /// Its place in the path.
        at: usize,
        /// Its issuer, printable.
        issuer: String,
    },
    /// The CRL that its check needs is no good.
    CrlInvalid {
        /// Its place in the path.
        at: usize,
        /// The list.
        list: FileCrl,
        /// What is wrong with it.
        fault: CrlFault,
    },
    /// The library of the program that connects refuses what OpenSSL accepts.
    RefusedByLibrary {
        /// Why.
        reason: StrictReason,
    },
    /// There is no name to verify: only verify-full minds.
    NoHost,
    /// The name is not among the certificate's.
    NameMismatch {
        /// The host compared.
        host: Value,
        /// The common name, when it was compared.
        common_name: Option<Vec<u8>>,
    },
    /// libpq stops at a name it cannot compare: an embedded NUL, an address of an odd length.
    NameUnusable {
        /// The name it stops at.
        name: Presented,
    },
}

/// Why strict clients refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrictReason {
    /// Only the common name fits: there is no SAN of the host's kind (code `no-subject-alt-name`).
    NoSubjectAltName,
    /// The leaf says that it is a CA (code `ca-as-server-certificate`).
    CaAsServerCertificate,
    /// The leaf is of X.509 version 1 or 2 (code `strict-client-rejects`).
    OldVersion(u32),
    /// A certificate of the chain has a negative serial number, which Go refuses to parse from 1.23 on (its release notes,
    /// crypto/x509; code `strict-client-rejects`).
    NegativeSerial,
    /// A certificate of the chain names no issuer, which the JDK refuses to parse (X509CertInfo in sun.security.x509; code
    /// `strict-client-rejects`).
    EmptyIssuer,
    /// OpenSSL's strict mode, which Python sets from 3.13 on, refuses a certificate of the path (code `strict-client-rejects`).
    X509Strict {
        /// Its place in the path.
        at: usize,
        /// In OpenSSL's words.
        what: &'static str,
    },
    /// Anything else that webpki refuses, in its words (code `strict-client-rejects`).
    Other(String),
}

/// What demands that a defect be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// TLS itself: no sslmode forgives it.
    Always,
    /// Verifying the chain: verify-ca, verify-full, and any mode with a root file.
    Chain,
    /// Verifying the name: verify-full.
    Name,
}

/// Why a certificate above the leaf is no CA for OpenSSL (`check_ca` in v3_purp.c).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotACa {
    /// basicConstraints says so.
    SaysNot,
    /// It has no basicConstraints; a root may do with version 1 or with keyUsage instead.
    NoBasicConstraints,
    /// keyUsage lacks keyCertSign; the uses it has.
    KeyUsage(Vec<&'static str>),
}

/// How a name violates name constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// None of the subtrees permitted for its kind contains it.
    NotPermitted(Vec<Subtree>),
    /// An excluded subtree contains it.
    Excluded(Subtree),
    /// A constraint that OpenSSL cannot apply: of an unknown kind, or with minimum or maximum.
    Unsupported(Subtree),
    /// A name that cannot be held against its constraints (an e-mail address without `@`, …).
    BadName,
    /// More comparisons than OpenSSL is willing to make.
    TooMany,
}

/// What is wrong with a CRL that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrlFault {
    /// Its nextUpdate has passed.
    Expired(Timestamp),
    /// Its thisUpdate is to come.
    NotYetValid(Timestamp),
    /// Its signature is not the issuer's.
    BadSignature,
    /// Its signature cannot be verified here although OpenSSL may be able to: what.
    UnsupportedHere(String),
    /// The issuer's keyUsage lacks cRLSign.
    IssuerMayNotSign,
    /// It covers other certificates (issuingDistributionPoint).
    OtherScope,
    /// It has a critical extension that OpenSSL does not know.
    UnknownCriticalExtension,
}

/// A name of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// A SAN entry.
    Alternative(GeneralName),
    /// The common name.
    CommonName(Vec<u8>),
}

impl Defect {
    /// What demands that it be absent.
    pub fn demand(&self) -> Demand {
        match self {
            Self::NoCertificate | Self::Malformed { .. } => Demand::Always,
            Self::NoHost | Self::NameMismatch { .. } | Self::NameUnusable { .. } => Demand::Name,
            _ => Demand::Chain,
        }
    }

    /// Whether libpq minds under an sslmode, `verifies` telling whether a root file was loaded (without one `require`
    /// and below verify nothing).
    pub fn demanded(&self, mode: SslMode, verifies: bool) -> bool {
        match self.demand() {
            Demand::Always => true,
            Demand::Chain => verifies || mode >= SslMode::VerifyCa,
            Demand::Name => mode == SslMode::VerifyFull,
        }
    }

    /// The place in the path of the certificate that is at fault.
    pub fn place(&self) -> Option<usize> {
        match self {
            Self::Expired { at }
            | Self::NotYetValid { at }
            | Self::BadSignature { at }
            | Self::UnsupportedHere { at, .. }
            | Self::WeakKey { at, .. }
            | Self::WeakSignature { at, .. }
            | Self::InvalidExtension { at, .. }
            | Self::UnknownCriticalExtension { at, .. }
            | Self::ProxyCertificate { at }
            | Self::ExplicitCurve { at }
            | Self::NotACa { at, .. }
            | Self::PurposeExcluded { at, .. }
            | Self::NetscapeTypeExcluded { at }
            | Self::KeyUsageExcluded { at, .. }
            | Self::PathLengthExceeded { at, .. }
            | Self::NameConstraint { at, .. }
            | Self::ResourcesNotNested { at, .. }
            | Self::Revoked { at, .. }
            | Self::CrlMissing { at, .. }
            | Self::CrlInvalid { at, .. } => Some(*at),
            Self::SelfSignedLeaf
            | Self::RefusedByLibrary { .. }
            | Self::NoHost
            | Self::NameMismatch { .. }
            | Self::NameUnusable { .. } => Some(0),
            Self::NoCertificate
            | Self::Malformed { .. }
            | Self::IssuerUnknown { .. }
            | Self::RootNotInFile { .. }
            | Self::FileLacksRoot { .. }
            | Self::RejectedByFile
            | Self::ChainTooLong
            | Self::TooMuchWork => None,
        }
    }
}
