//! What every format needs to know of an outcome: which server, how sure, which exit status.

use std::net::IpAddr;

use crate::conninfo::{self, Endpoint, Host, Settings};
use crate::diagnose::Outcome;
use crate::evidence::{Attempt, Member};
use crate::trust::{FileCertificate, Roots};

use crate::report::lossy;

/// libpq's default port, which goes without saying.
const DEFAULT_PORT: u16 = 5432;

/// A certificate of the root file, by its place there.
pub(super) fn in_file(outcome: &Outcome, place: usize) -> Option<&FileCertificate> {
    match &outcome.evidence.trust.as_ref()?.roots {
        Roots::Loaded(store) => store.certificates.get(place),
        _ => None,
    }
}

/// The server as people name it: host, or address where there is no host, with its port unless that is 5432; of a member
/// its address too. Not yet printable. `None` where the settings could not be merged.
pub fn target_name(outcome: &Outcome) -> Option<String> {
    let host = host(outcome)?;
    let name = host_name(host, attempt(outcome));
    let name = match host.port {
        Ok(DEFAULT_PORT) | Err(_) => name,
        Ok(port) if is_ipv6(&name) => format!("[{name}]:{port}"),
        Ok(port) => format!("{name}:{port}"),
    };
    Some(at(name, member_address(outcome).map(|address| address.to_string()).as_deref()))
}

/// A host, or one member of it, while it is checked. Not yet printable.
pub fn member_name(settings: &Settings, member: Option<&Member>) -> Option<String> {
    let host = settings.hosts.get(member.map_or(0, |member| member.host))?;
    let address = member.and_then(|member| address_of(host, member)).map(|address| address.to_string());
    Some(at(host_name(host, None), address.as_deref()))
}

/// A name, at one of its addresses.
pub(super) fn at(name: String, address: Option<&str>) -> String {
    match address {
        Some(address) => format!("{name} at {address}"),
        None => name,
    }
}

/// The address that a member is, beside the host's name.
pub(super) fn member_address(outcome: &Outcome) -> Option<IpAddr> {
    let member = outcome.evidence.member.as_deref()?;
    address_of(settings(outcome)?.hosts.get(member.host)?, member)
}

/// The hosts of the list that a member belongs to; `None` where there are no members.
pub(super) fn hosts_of_member(outcome: &Outcome) -> Option<Vec<String>> {
    outcome.evidence.member.as_ref()?;
    Some(settings(outcome)?.hosts.iter().map(|host| host_name(host, None)).collect())
}

fn address_of(host: &Host, member: &Member) -> Option<IpAddr> {
    let address = match (&member.address, &host.endpoint) {
        (Some(found), _) => found.socket.ip(),
        (None, Endpoint::Address(address, _)) => *address,
        _ => return None,
    };
    let is_named_otherwise = !host.name.is_empty() && host.name.shown() != address.to_string().as_bytes();
    is_named_otherwise.then_some(address)
}

/// Whether a port behind it needs brackets: an IPv6 address, with a zone or without.
fn is_ipv6(name: &str) -> bool {
    name.split('%').next().is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

/// The merged settings, if they could be merged.
pub(super) fn settings(outcome: &Outcome) -> Option<&Settings> {
    outcome.evidence.config.as_ref().ok()
}

/// Hosts and ports as the merged settings have them, all of a list, and as far as they are known where the settings could
/// not be merged: unlike the host at which a check ends, they are the same from run to run. Not yet printable.
pub(super) fn endpoint(outcome: &Outcome) -> (String, String) {
    let settings = settings(outcome);
    let parameters = settings.map_or(&outcome.evidence.unmerged, |settings| &settings.parameters);
    let value = |keyword: &str| {
        let parameter = parameters.iter().find(|parameter| parameter.keyword == keyword)?;
        Some(lossy(parameter.value.shown())).filter(|value| !value.is_empty())
    };
    if let (Some(settings), Some(member)) = (settings, &outcome.evidence.member)
        && let Some(host) = settings.hosts.get(member.host)
    {
        let port = host.port.as_ref().ok().map_or_else(|| value("port"), |port| Some(port.to_string()));
        return (host_name(host, attempt(outcome)), port.unwrap_or_else(|| DEFAULT_PORT.to_string()));
    }
    let first = || settings.and_then(|settings| settings.hosts.first()).map(|host| host_name(host, None));
    let host = value("host").or_else(|| value("hostaddr")).or_else(first).unwrap_or_default();
    (host, value("port").unwrap_or_else(|| DEFAULT_PORT.to_string()))
}

/// The attempt where libpq stops.
pub(super) fn attempt(outcome: &Outcome) -> Option<&Attempt> {
    outcome.evidence.attempts.last()
}

/// The host slot of the last attempt; where none was tried, the member's, or the first.
pub(super) fn host(outcome: &Outcome) -> Option<&Host> {
    let member = outcome.evidence.member.as_ref().map_or(0, |member| member.host);
    settings(outcome)?.hosts.get(attempt(outcome).map_or(member, |attempt| attempt.host))
}

/// A host's name, else the address it led to.
pub(super) fn host_name(host: &Host, attempt: Option<&Attempt>) -> String {
    if !host.name.is_empty() {
        return lossy(host.name.shown());
    }
    match (attempt.and_then(|attempt| attempt.address), &host.endpoint) {
        (Some(address), _) => address.to_string(),
        (None, Endpoint::Address(address, _)) => address.to_string(),
        (None, Endpoint::Socket(path)) => conninfo::mask_path(path),
        (None, Endpoint::Name(name)) => name.clone(),
        (None, Endpoint::Malformed { .. } | Endpoint::BadAddress) => String::new(),
    }
}
