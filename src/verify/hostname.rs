//! Compares a host with the names in a certificate as libpq 15 to 18 do (fe-secure-common.c and
//! `pgtls_verify_peer_name_matches_certificate_guts` in fe-secure-openssl.c).
//!
//! Left out: libpq 14 and older, which look at no iPAddress.

use std::net::{IpAddr, Ipv6Addr};

use super::defect::{Defect, Presented};
use crate::certificate::{Facts, GeneralName};
use crate::conninfo::{Value, inet_aton};

/// What one name of the certificate says about the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Match,
    Other,
    /// libpq gives up at once.
    Unusable,
}

/// What is wrong with the certificate's names for `host`, if anything.
pub(super) fn defect(facts: &Facts, host: Option<&Value>) -> Option<Defect> {
    let Some(host) = host.filter(|host| !host.as_bytes().is_empty()) else { return Some(Defect::NoHost) };
    let bytes = host.as_bytes();
    let host_is_address = is_ip_address(bytes);
    let mut check_common_name = true;
    for name in facts.sans.as_deref().unwrap_or_default() {
        let compared = match name {
            GeneralName::Dns(pattern) => {
                check_common_name &= host_is_address;
                compare_text(pattern, bytes)
            }
            GeneralName::Ip(address) => {
                check_common_name &= !host_is_address;
                compare_address(*address, bytes)
            }
            GeneralName::BadIp(_) => {
                check_common_name &= !host_is_address;
                Comparison::Unusable
            }
            GeneralName::Email(_)
            | GeneralName::Uri(_)
            | GeneralName::Directory(_)
            | GeneralName::Other(..) => {
                continue;
            }
        };
        match compared {
            Comparison::Match => return None,
            Comparison::Other => {}
            Comparison::Unusable => {
                let name = Presented::Alternative(name.clone());
                return Some(Defect::NameUnusable { name });
            }
        }
    }
    let common_name = facts.subject.first("CN").filter(|_| check_common_name).map(|name| name.value.clone());
    match common_name.as_deref().map_or(Comparison::Other, |name| compare_text(name, bytes)) {
        Comparison::Match => None,
        Comparison::Other => Some(Defect::NameMismatch { host: host.clone(), common_name }),
        Comparison::Unusable => {
            let name = Presented::CommonName(common_name.unwrap_or_default());
            Some(Defect::NameUnusable { name })
        }
    }
}

/// Whether a dNSName or common name of a certificate matches a host.
pub fn matches_name(pattern: &[u8], host: &[u8]) -> bool {
    compare_text(pattern, host) == Comparison::Match
}

/// `pq_verify_peer_name_matches_certificate_name`.
fn compare_text(pattern: &[u8], host: &[u8]) -> Comparison {
    if pattern.contains(&0) {
        Comparison::Unusable
    } else if pattern.eq_ignore_ascii_case(host) || wildcard_matches(pattern, host) {
        Comparison::Match
    } else {
        Comparison::Other
    }
}

/// `wildcard_certificate_match`. Its test for a dot within what the star stands for does not look at that part's last
/// byte, which is kept so: `*.x` matches `a..x`.
fn wildcard_matches(pattern: &[u8], host: &[u8]) -> bool {
    let (Some(suffix), true) = (pattern.strip_prefix(b"*"), pattern.starts_with(b"*.") && pattern.len() >= 3)
    else {
        return false;
    };
    let Some(star) = host.len().checked_sub(suffix.len()).filter(|star| *star > 0) else { return false };
    let ends_so = host.get(star..).is_some_and(|end| end.eq_ignore_ascii_case(suffix));
    let dot_within = host.iter().take(star - 1).any(|byte| *byte == b'.');
    ends_so && !dot_within
}

/// `pq_verify_peer_name_matches_certificate_ip`.
fn compare_address(address: IpAddr, host: &[u8]) -> Comparison {
    if matches_address(address, host) { Comparison::Match } else { Comparison::Other }
}

/// Whether an iPAddress of a certificate is a host.
pub(super) fn matches_address(address: IpAddr, host: &[u8]) -> bool {
    match address {
        IpAddr::V4(address) => inet_aton(host) == Some(address),
        IpAddr::V6(address) => inet_pton6(host) == Some(address),
    }
}

/// Whether libpq takes a host for an address: what `inet_aton` or `inet_pton` for IPv6 reads.
pub fn is_ip_address(host: &[u8]) -> bool {
    inet_aton(host).is_some() || inet_pton6(host).is_some()
}

/// `inet_pton` for IPv6: no zone, no brackets.
fn inet_pton6(text: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
