//! What OpenSSL's configuration file sets, as values, and where they are kept for a run: they are the same for all targets, and
//! reading the file would be a good part of what a check costs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

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

/// What the configuration sets, read once for all who ask in the same surroundings, with the file that these name. Surroundings
/// that are made of others are other ones.
#[derive(Default)]
pub struct Remembered(OnceLock<(Option<OsString>, Option<OpenSslConfig>)>);

impl Remembered {
    /// What was read before, unless another file is named now.
    pub(super) fn once(
        &self,
        named: Option<OsString>,
        read: impl Fn() -> Option<OpenSslConfig>,
    ) -> Option<OpenSslConfig> {
        let (before, config) = self.0.get_or_init(|| (named.clone(), read()));
        if *before == named { config.clone() } else { read() }
    }
}

impl Clone for Remembered {
    fn clone(&self) -> Self {
        Self::default()
    }
}
