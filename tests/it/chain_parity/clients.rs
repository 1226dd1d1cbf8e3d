//! What the clients share: the connection string, and the name they ask for.

use super::Case;
use std::fmt::Write as _;
use std::path::Path;

/// The name in the ClientHello of a connection to `host`: verbatim, unless it looks like an address (libpq,
/// initialize_SSL).
pub(super) fn server_name(host: &str) -> Option<&str> {
    let address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || host.contains(':');
    (!address).then_some(host)
}

pub(super) fn connection_string(case: &Case, directory: &Path, port: u16) -> String {
    let mut text =
        format!("hostaddr=127.0.0.1 port={port} user=someone dbname=somewhere sslmode={}", case.mode);
    if let Some(host) = &case.host {
        let quoted = host.replace('\\', "\\\\").replace('\'', "\\'");
        write!(text, " host='{quoted}'").unwrap();
    }
    text + &case.settings.replace("DIR", directory.to_str().unwrap())
}
