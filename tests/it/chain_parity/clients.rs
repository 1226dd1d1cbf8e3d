//! What is particular to each client in these cases: the connection string they share, and the name they ask for.

use super::Case;
use crate::support::parity::Client;
use rustls::pki_types::DnsName;
use std::fmt::Write as _;
use std::path::Path;

/// The name that this client asks for in its ClientHello when it connects to `host` (libpq, initialize_SSL).
pub fn server_name(client: Client, host: &str) -> Option<&str> {
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || host.contains(':') {
        return None;
    }
    match client {
        Client::Libpq15 | Client::Libpq18 => Some(host),
        // rustls sends only what is a name for DNS, and that without a final dot.
        Client::Program => DnsName::try_from(host).ok().map(|_| host.strip_suffix('.').unwrap_or(host)),
    }
}

pub fn connection_string(case: &Case, directory: &Path, port: u16) -> String {
    let mut text =
        format!("hostaddr=127.0.0.1 port={port} user=someone dbname=somewhere sslmode={}", case.mode);
    if let Some(host) = &case.host {
        let quoted = host.replace('\\', "\\\\").replace('\'', "\\'");
        write!(text, " host='{quoted}'").unwrap();
    }
    text + &case.settings.replace("DIR", directory.to_str().unwrap())
}
