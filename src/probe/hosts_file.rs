//! Which line of the system's hosts file gives a name its address (hosts(5)). getaddrinfo does not tell.

use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::evidence::{Container, HostsLine};

/// No hosts file that a person wrote is longer; block lists that are longer are not searched to their end.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The first line that gives `host` this address.
pub(super) fn line_of(host: &str, address: IpAddr) -> Option<HostsLine> {
    let (file, line, _) = found(|name, known| known == address && is_name(name, host))?;
    Some(HostsLine { file, line, alias: None })
}

/// The first line that has another address for what a host is an alias of. getaddrinfo looks up the host alone.
pub(super) fn line_of_alias(aliases: &[String], address: IpAddr) -> Option<HostsLine> {
    let is_alias = |name: &str| aliases.iter().any(|alias| is_name(name, alias));
    let (file, line, (name, address)) = found(|name, known| known != address && is_alias(name))?;
    Some(HostsLine { file, line, alias: Some((name, address)) })
}

/// Whether it is a name of the machine itself (RFC 6761, section 6.3): no DNS leads elsewhere.
pub(super) fn is_own_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let (first, last) = (host.split('.').next().unwrap_or_default(), host.rsplit('.').next());
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    last == Some("localhost")
        || ["localhost", "localhost6", "ip6-localhost", "ip6-loopback"].contains(&first)
        || own.trim().eq_ignore_ascii_case(&host)
}

/// Files that engines put into their containers, and their names for the machine around them.
const ENGINES: [(&str, &str); 2] =
    [("/run/.containerenv", "host.containers.internal"), ("/.dockerenv", "host.docker.internal")];

/// The container that this program runs in, if it does.
pub(super) fn container() -> Option<Container> {
    let (_, machine) = ENGINES.into_iter().find(|(file, _)| Path::new(file).exists())?;
    let address = found(|name, _| is_name(name, machine)).map(|(.., (_, address))| address);
    // Docker's own name server (docs.docker.com, "Networking overview"); Podman's is the gateway of its network.
    let has_names = super::dns::resolvers().iter().any(|server| server.address == "127.0.0.11");
    Some(Container { machine, address, has_names })
}

fn is_name(name: &str, host: &str) -> bool {
    name.eq_ignore_ascii_case(host.strip_suffix('.').unwrap_or(host))
}

/// The file, and the line, name and address in it that are sought.
fn found(sought: impl Fn(&str, IpAddr) -> bool) -> Option<(PathBuf, usize, (String, IpAddr))> {
    let file = place();
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(&file).ok().filter(|_| Path::is_file(&file))?;
    opened.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let (line, entry) = find(&String::from_utf8_lossy(&bytes), sought)?;
    Some((file, line, entry))
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
fn find(text: &str, sought: impl Fn(&str, IpAddr) -> bool) -> Option<(usize, (String, IpAddr))> {
    let entry = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        let name = words.find(|name| sought(name, address))?;
        Some((name.to_owned(), address))
    };
    text.lines().enumerate().find_map(|(place, line)| Some((place + 1, entry(line)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_names_lead_nowhere_else() {
        for (host, is_own) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("localhost.localdomain", true),
            ("db.localhost", true),
            ("ip6-loopback", true),
            ("db.example", false),
            ("localhost-db.example", false),
        ] {
            assert_eq!(is_own_name(host), is_own, "{host}");
        }
    }

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
            let address: IpAddr = address.parse().unwrap();
            let found = find(text, |name, known| known == address && is_name(name, host));
            assert_eq!(found.map(|(line, _)| line), line, "{host} {address}");
        }
    }
}
