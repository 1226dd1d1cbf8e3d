//! Which line of the system's hosts file gives a name its address (hosts(5)). getaddrinfo does not tell.

use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::evidence::HostsLine;

/// No hosts file that a person wrote is longer; block lists that are longer are not searched to their end.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The first line that gives `host` this address.
pub(super) fn line_of(host: &str, address: IpAddr) -> Option<HostsLine> {
    let file = place();
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(&file).ok().filter(|_| Path::is_file(&file))?;
    opened.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let line = find(&String::from_utf8_lossy(&bytes), host, address)?;
    Some(HostsLine { file, line })
}

fn place() -> PathBuf {
    match cfg!(windows) {
        false => "/etc/hosts".into(),
        true => {
            let root = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            Path::new(&root).join(r"System32\drivers\etc\hosts")
        }
    }
}

/// An address and its names, separated by blanks; `#` begins a comment.
fn find(text: &str, host: &str, address: IpAddr) -> Option<usize> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let gives = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        words.next().and_then(|word| word.parse::<IpAddr>().ok()) == Some(address)
            && words.any(|name| name.eq_ignore_ascii_case(host))
    };
    text.lines().position(gives).map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_gives_the_address_is_found() {
        let text = "127.0.0.1 localhost\n# 10.0.0.1 db.example\n\n10.0.0.2\tother DB.example # db\n10.0.0.1 db.example\n";
        for (host, address, line) in [
            ("db.example", "10.0.0.2", Some(4)),
            ("db.example.", "10.0.0.1", Some(5)),
            ("db.example", "10.0.0.3", None),
            ("db", "10.0.0.2", None),
            ("localhost", "127.0.0.1", Some(1)),
        ] {
            assert_eq!(find(text, host, address.parse().unwrap()), line, "{host} {address}");
        }
    }
}
