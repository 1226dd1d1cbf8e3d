//! The name in the ClientHello (SNI). libpq sends `host` as it was typed, and none for what may be an address
//! (fe-secure-openssl.c, initialize_SSL).

use crate::conninfo::{Host, is_possible_name};
use crate::probe::verbatim_sni::{Placeholder, is_sent_verbatim};

/// The name that libpq would send for a host; `None` for what is only digits and dots or has a colon in it, and for what no
/// host is called: libpq would send that too, whatever stands in it.
pub(in crate::probe) fn sent_name(host: &Host, sni: bool) -> Option<&[u8]> {
    let name = host.name.exposed();
    let address = name.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') || name.contains(&b':');
    (sni && !address && is_possible_name(std::str::from_utf8(name).ok()?)).then_some(name)
}

/// A server name and the way in which rustls can be brought to send it.
pub(super) enum ServerName {
    /// None is sent.
    None,
    /// rustls sends it itself.
    Plain(String),
    /// It takes the place of another on its way out.
    Replaced {
        /// The name, for the evidence.
        name: String,
        /// What rustls is given.
        placeholder: Placeholder,
    },
}

impl ServerName {
    /// The name for a host. One of more than 253 bytes cannot be sent here; none is then.
    pub(super) fn for_host(host: &Host, sni: bool) -> Self {
        let Some(bytes) = sent_name(host, sni) else { return Self::None };
        let name = String::from_utf8_lossy(bytes).into_owned();
        if is_sent_verbatim(&name) && name.as_bytes() == bytes {
            return Self::Plain(name);
        }
        match Placeholder::of(bytes) {
            Some(placeholder) => Self::Replaced { name, placeholder },
            None => Self::None,
        }
    }

    /// What the server gets.
    pub(super) fn sent(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Plain(name) | Self::Replaced { name, .. } => Some(name),
        }
    }

    /// What has to be replaced.
    pub(super) fn placeholder(&self) -> Option<&Placeholder> {
        match self {
            Self::Replaced { placeholder, .. } => Some(placeholder),
            Self::None | Self::Plain(_) => None,
        }
    }

    /// A name that rustls takes. The verifier compares the true one.
    pub(super) fn for_rustls(&self) -> String {
        match self {
            Self::None => "server.invalid".to_owned(),
            Self::Plain(name) => name.clone(),
            Self::Replaced { placeholder, .. } => placeholder.server_name().to_str().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::host_named;

    #[test]
    fn names_are_sent_as_typed_and_addresses_are_not() {
        for name in ["db.example", "DB.Example", "db.example.", "_x", "ü.example", "localhost", "x1"] {
            let host = host_named(name);
            assert_eq!(ServerName::for_host(&host, true).sent(), Some(name));
            assert_eq!(ServerName::for_host(&host, false).sent(), None);
        }
        // What may be a connection string, which libpq would send.
        for name in ["a b", "h;Password=x", "u@h", "postgres://u:p@h"] {
            assert_eq!(ServerName::for_host(&host_named(name), true).sent(), None, "{name}");
        }
        for name in ["", "127.0.0.1", "127.1", "1", "::1", "fe80::1%eth0", "a:b", &"x".repeat(300)] {
            assert_eq!(ServerName::for_host(&host_named(name), true).sent(), None, "{name}");
        }
    }

    #[test]
    fn rustls_takes_what_it_is_given() {
        for name in ["db.example", "db.example.", "-", "ü", "", "10.0.0.1"] {
            let given = ServerName::for_host(&host_named(name), true).for_rustls();
            assert!(rustls::pki_types::DnsName::try_from(given.as_str()).is_ok(), "{given}");
        }
    }
}
