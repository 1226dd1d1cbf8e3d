//! The program that reads the settings, as far as it differs from libpq in what it finds by itself and verifies with.

/// A program that connects; libpq unless something else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Files in the user's directories that libpq looks for and this program does not, by name.
    pub passes_over: &'static [&'static str],
    /// What it verifies with.
    pub library: Library,
    /// Whether its TLS is set up by itself, so that OpenSSL's configuration file does not count.
    pub own_tls: bool,
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
