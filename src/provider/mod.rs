//! Who runs a server, as far as name, port and chain tell, and the roots that providers use. Data with sources.

use crate::certificate::Certificate;

/// A provider of PostgreSQL servers.
#[derive(Debug)]
pub struct Provider {
    /// Public identifier (`azure-flexible`).
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Ends of its host names, each with its leading dot.
    pub suffixes: &'static [&'static str],
}

/// The provider whose suffix a host name has; case and a final dot do not matter.
pub fn by_host(host: &str) -> Option<&'static Provider> {
    let _ = host;
    None
}

/// A root certificate that this tool knows.
#[derive(Clone, Debug)]
pub struct KnownRoot {
    /// The certificate.
    pub certificate: Certificate,
    /// Its file in `certs/`, without the ending.
    pub file: &'static str,
    /// The identifiers of the providers that use it now.
    pub used_by: &'static [&'static str],
}

/// All roots that ship with this tool.
pub fn known_roots() -> &'static [KnownRoot] {
    &[]
}
