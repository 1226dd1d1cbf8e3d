//! What OpenSSL's configuration file sets, as values.

use std::path::PathBuf;

use super::TlsVersion;
use crate::certificate::SecurityLevel;

/// What the configuration sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenSslConfig {
    /// The file, as it was named.
    pub file: PathBuf,
    /// `@SECLEVEL` of `CipherString`.
    pub level: Option<SecurityLevel>,
    /// `MinProtocol`, which libpq's `ssl_min_protocol_version` replaces unless that is empty.
    pub min_tls: Option<TlsVersion>,
    /// `MaxProtocol`, which libpq's `ssl_max_protocol_version` replaces.
    pub max_tls: Option<TlsVersion>,
    /// What `Protocol` switches off, whatever libpq's bounds are.
    pub without: Vec<TlsVersion>,
    /// `CipherString`: the suites of TLS 1.2 and below, unless they are the default ones.
    pub suites12: Option<Vec<u16>>,
    /// `Ciphersuites`: those of TLS 1.3.
    pub suites13: Option<Vec<u16>>,
    /// `Groups`, `Curves` or `ECDHParameters`.
    pub groups: Option<Vec<u16>>,
    /// `SignatureAlgorithms`.
    pub schemes: Option<Vec<u16>>,
    /// `ClientSignatureAlgorithms`, where a client signs with others than a server may.
    pub client_schemes: Option<Vec<u16>>,
    /// Whether algorithms approved by FIPS 140 alone are asked for.
    pub fips: bool,
}
