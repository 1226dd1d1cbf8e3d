//! What every format needs to know of an outcome: which server, how sure, which exit status.

use crate::conninfo::{self, Host, Settings};
use crate::diagnose::Outcome;
use crate::evidence::Attempt;
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

/// The server as people name it: host, or address where there is no host, with its port unless that is 5432. Not yet
/// printable. `None` where the settings could not be merged.
pub fn target_name(outcome: &Outcome) -> Option<String> {
    let host = host(outcome)?;
    let name = host_name(host, attempt(outcome));
    Some(match host.port {
        Ok(DEFAULT_PORT) | Err(_) => name,
        Ok(port) if is_ipv6(&name) => format!("[{name}]:{port}"),
        Ok(port) => format!("{name}:{port}"),
    })
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
    let first = || settings.and_then(|settings| settings.hosts.first()).map(|host| host_name(host, None));
    let host = value("host").or_else(|| value("hostaddr")).or_else(first).unwrap_or_default();
    (host, value("port").unwrap_or_else(|| DEFAULT_PORT.to_string()))
}

/// The attempt where libpq stops.
pub(super) fn attempt(outcome: &Outcome) -> Option<&Attempt> {
    outcome.evidence.attempts.last()
}

/// The host slot of the last attempt, or the first slot where none was tried.
pub(super) fn host(outcome: &Outcome) -> Option<&Host> {
    settings(outcome)?.hosts.get(attempt(outcome).map_or(0, |attempt| attempt.host))
}

/// A host's name, else the address it led to.
pub(super) fn host_name(host: &Host, attempt: Option<&Attempt>) -> String {
    use crate::conninfo::Endpoint;
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
