//! What the clients share: the connection string, and the name they ask for.

use super::{Case, Client};
use std::fmt::Write as _;
use std::path::Path;

/// The name in the ClientHello of a connection to `host`: verbatim, unless it looks like an address (libpq,
/// initialize_SSL). What no host is called libpq sends too; the program does not, since a password may stand in it.
pub(super) fn server_name(client: Client, host: &str) -> Option<&str> {
    let address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || host.contains(':');
    let is_name = host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (!address && (is_name || client != Client::Program)).then_some(host)
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
