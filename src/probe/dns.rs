//! Name resolution by the system's getaddrinfo, whose own codes tell a name that does not exist from a resolver that
//! does not answer (std hides them). It blocks, so it has a thread of its own and is left behind at the deadline.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind};
use tokio::time::timeout;

use crate::evidence::{DnsFailure, NameServer, Resolution};
use crate::own_thread;
use crate::plan::DEFAULT_ADDRESS_LIMIT;

/// More addresses of one name than this are not tried.
const MOST_ADDRESSES: usize = 64;
/// A file of hosts that blocks advertisers has some megabytes.
const LARGEST_HOSTS: u64 = 16 * 1024 * 1024;
/// `AI_CANONNAME`, the same number on Linux, macOS, the BSDs and Windows.
const CANONICAL_NAME: i32 = 2;
/// `SOCK_STREAM`, likewise.
const STREAM: i32 = 1;
/// glibc's `EAI_ADDRFAMILY`: the name has addresses, none of the family asked for. dns-lookup has no name for it.
const ADDRESS_FAMILY: i32 = -9;

/// What the resolver said, with what the sockets need.
pub(super) struct Resolved {
    /// For the evidence.
    pub resolution: Resolution,
    /// The addresses in the resolver's order, with port and IPv6 zone.
    pub addresses: Vec<SocketAddr>,
    /// The end of the CNAME chain, where it is another name.
    pub canonical_name: Option<String>,
}

impl Resolved {
    /// What `localhost` is without a file that says so (RFC 6761, 6.3): libc in an empty root directory asks the DNS.
    fn loopback(port: u16) -> Self {
        let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        Self {
            resolution: Resolution::Found(addresses.to_vec()),
            addresses: addresses.map(|address| SocketAddr::new(address, port)).to_vec(),
            canonical_name: None,
        }
    }

    fn nothing(resolution: Resolution) -> Self {
        Self { resolution, addresses: Vec::new(), canonical_name: None }
    }
}

/// Whether the system knows a host of this name.
pub async fn is_known_host(name: &str, limit: Option<Duration>) -> bool {
    let limit = limit.unwrap_or(DEFAULT_ADDRESS_LIMIT).min(DEFAULT_ADDRESS_LIMIT);
    !resolve(name, 0, limit).await.addresses.is_empty()
}

/// Asks the system for the addresses of `name`.
pub(super) async fn resolve(name: &str, port: u16, limit: Duration) -> Resolved {
    let name = name.to_owned();
    within(limit, move || ask(&name, port)).await
}

async fn within(limit: Duration, ask: impl FnOnce() -> Resolved + Send + 'static) -> Resolved {
    let answer = match own_thread::started(ask) {
        Ok(answer) => answer,
        Err(error) => {
            return Resolved::nothing(Resolution::Failed {
                kind: DnsFailure::Permanent,
                code: None,
                text: error.to_string(),
            });
        }
    };
    timeout(limit, answer).await.unwrap_or_else(|_| Resolved::nothing(Resolution::TimedOut))
}

fn ask(name: &str, port: u16) -> Resolved {
    // dns-lookup cannot hold a canonical name that is not UTF-8, and panics. No such name comes from DNS by glibc, which
    // takes host names only; one may come from the file of hosts.
    let flags = if hosts_are_text() { CANONICAL_NAME } else { 0 };
    let hints = AddrInfoHints { flags, address: 0, socktype: STREAM, protocol: 0 };
    let found = match dns_lookup::getaddrinfo(Some(name), None, Some(hints)) {
        Ok(found) => found,
        Err(_) if is_localhost(name) => return Resolved::loopback(port),
        Err(error) => return Resolved::nothing(failure(error)),
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    let mut canonical_name = None;
    for entry in found.filter_map(Result::ok).take(MOST_ADDRESSES) {
        canonical_name = canonical_name.or(entry.canonname);
        let mut address = entry.sockaddr;
        address.set_port(port);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let plain = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    Resolved {
        resolution: Resolution::Found(addresses.iter().map(SocketAddr::ip).collect()),
        addresses,
        canonical_name: canonical_name.filter(|canonical| plain(canonical) != plain(name)),
    }
}

fn is_localhost(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost")
}

fn failure(error: LookupError) -> Resolution {
    let code = error.error_num();
    let kind = match error.kind() {
        LookupErrorKind::NoName => DnsFailure::NoSuchName,
        LookupErrorKind::NoData => DnsFailure::NoAddress,
        LookupErrorKind::Again => DnsFailure::Temporary,
        _ if cfg!(target_os = "linux") && code == ADDRESS_FAMILY => DnsFailure::NoAddress,
        _ => DnsFailure::Permanent,
    };
    let text = std::io::Error::from(error).to_string();
    // std's words for getaddrinfo's own: the system's text follows them.
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned();
    Resolution::Failed { kind, code: Some(code), text }
}

/// Whether the file of hosts, as far as it is read, is UTF-8.
fn hosts_are_text() -> bool {
    let hosts = if cfg!(windows) { r"C:\Windows\System32\drivers\etc\hosts" } else { "/etc/hosts" };
    match crate::file::read(std::path::Path::new(hosts), LARGEST_HOSTS) {
        Ok(text) => std::str::from_utf8(&text).is_ok(),
        Err(error) => error.kind() != std::io::ErrorKind::FileTooLarge,
    }
}

/// The name servers that the system's resolver asks (resolv.conf(5)); none where there is no such file.
pub(super) fn resolvers() -> Vec<NameServer> {
    name_servers(&resolv_conf())
        .into_iter()
        .map(|address| NameServer { address, answer: None, alias_of: None, aliases: Vec::new() })
        .collect()
}

/// The namespace of the pod that this program runs in, by the search domains that Kubernetes gives it.
pub(super) fn namespace() -> Option<String> {
    namespace_in(&resolv_conf())
}

/// Nothing where it cannot be read.
fn resolv_conf() -> String {
    use std::io::Read as _;
    let mut text = String::new();
    let read = std::fs::File::open("/etc/resolv.conf")
        .and_then(|file| file.take(64 * 1024).read_to_string(&mut text));
    read.map_or_else(|_| String::new(), |_| text)
}

/// `search NAMESPACE.svc.cluster.local svc.cluster.local cluster.local`; the cluster's domain may be another one.
fn namespace_in(text: &str) -> Option<String> {
    let lists = text.lines().filter_map(|line| line.trim_start().strip_prefix("search"));
    let mut domains = lists.flat_map(str::split_ascii_whitespace).filter_map(|domain| domain.split_once('.'));
    domains.find(|(_, rest)| rest.starts_with("svc.")).map(|(namespace, _)| namespace.to_owned())
}

/// glibc asks the first three.
fn name_servers(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next().map(str::to_owned)).flatten()
        })
        .take(3)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::run;

    #[test]
    fn localhost_has_loopback_addresses_with_the_port() {
        let resolved = run(resolve("localhost", 5432, Duration::from_secs(10)));
        let Resolution::Found(found) = &resolved.resolution else { panic!("{:?}", resolved.resolution) };
        assert!(!found.is_empty() && found.iter().all(|address| address.is_loopback()), "{found:?}");
        assert!(resolved.addresses.iter().all(|address| address.port() == 5432));
    }

    #[test]
    fn a_name_no_one_can_have_is_told_by_its_code() {
        // A label of 64 bytes: refused without asking anybody.
        let resolved = run(resolve(&"x".repeat(64), 5432, Duration::from_secs(10)));
        let Resolution::Failed { code: Some(code), text, .. } = &resolved.resolution else {
            panic!("{:?}", resolved.resolution)
        };
        assert!(*code != 0 && !text.is_empty());
        assert!(resolved.addresses.is_empty());
    }

    #[test]
    fn a_resolver_that_does_not_answer_is_left_behind() {
        let asking = within(Duration::from_millis(10), || {
            std::thread::sleep(Duration::from_secs(60));
            Resolved::nothing(Resolution::Found(Vec::new()))
        });
        let resolved = run(asking);
        assert_eq!(resolved.resolution, Resolution::TimedOut);
    }

    #[test]
    fn name_servers_are_read_from_resolv_conf() {
        let text = "# nameserver 192.0.2.1\nsearch x\nnameserver 192.0.2.2 # one\n  nameserver\t2001:db8::1\n\
                    nameserver\nnameserver a\nnameserver b\n";
        assert_eq!(name_servers(text), ["192.0.2.2", "2001:db8::1", "a"]);
        assert_eq!(namespace_in(text), None);
        let pod = "search jobs.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n";
        assert_eq!(namespace_in(pod).as_deref(), Some("jobs"));
    }
}
