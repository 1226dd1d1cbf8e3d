//! The program that reads the settings, as far as it differs from libpq in what it finds by itself and verifies with.

use std::path::PathBuf;
use std::sync::Arc;

/// A program that connects; libpq unless something else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Files in the user's directories that libpq looks for and this program does not, by name.
    pub passes_over: &'static [&'static str],
    /// What it verifies with.
    pub library: Library,
    /// Whether its TLS is set up by itself, so that OpenSSL's configuration file does not count.
    pub own_tls: bool,
    /// Roots that it has without a file, or besides one.
    pub roots: ProgramRoots,
}

/// Roots that a program trusts and libpq has no setting for. They count where no other root file is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProgramRoots {
    /// None: what the settings name is all.
    #[default]
    None,
    /// Certificates in PEM that stand in the program's own text.
    Text {
        /// What they are the value of: `ssl.ca`.
        name: String,
        /// The text.
        pem: Arc<[u8]>,
    },
    /// The system's, under verify-ca too, and the certificates of this file besides.
    System(Option<PathBuf>),
}

/// What a program verifies certificates with, as far as that refuses what OpenSSL accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Library {
    /// OpenSSL, or what accepts the same.
    #[default]
    OpenSsl,
    /// Go's crypto/x509: a common name is no host name.
    Go,
    /// rustls with webpki: nor is it here, and a CA's certificate is no server's.
    Rustls,
}
