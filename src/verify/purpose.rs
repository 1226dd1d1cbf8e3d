//! What each certificate of a path may be used for, by its extensions: critical ones, CA rules, purpose "SSL server" or
//! "SSL client", path length (`check_extensions` in x509_vfy.c, v3_purp.c).

use super::defect::{Defect, NotACa};
use super::path::Member;
use crate::certificate::{EXPLICIT_CURVE, Facts, KeyKind, KeyUsage};

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// "Server gated cryptography" of Microsoft and Netscape: OpenSSL takes either for serverAuth (`XKU_SGC`).
const SERVER_GATED: [&str; 2] = ["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const NETSCAPE_SSL_CLIENT: u8 = 0x80;
const NETSCAPE_SSL_SERVER: u8 = 0x40;
const NETSCAPE_SSL_CA: u8 = 0x04;
const NETSCAPE_ANY_CA: u8 = 0x07;

/// What a chain is presented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// By a server, to libpq.
    Server,
    /// By a client, to PostgreSQL.
    Client,
}

/// `check_extensions`, from the leaf upwards.
pub(super) fn check(members: &[Member<'_>], wanted: Purpose, defects: &mut Vec<Defect>) {
    let mut intermediates = 0;
    for (at, Member { facts, .. }) in members.iter().enumerate() {
        let extensions = &facts.extensions;
        for problem in &extensions.problems {
            defects.push(Defect::InvalidExtension { at, problem: problem.clone() });
        }
        for oid in &extensions.unknown_critical {
            defects.push(Defect::UnknownCriticalExtension { at, oid: oid.clone() });
        }
        if extensions.proxy {
            defects.push(Defect::ProxyCertificate { at });
        }
        if at > 0 {
            let is_root = at + 1 == members.len();
            defects.extend(not_a_ca(facts, is_root).map(|why| Defect::NotACa { at, why }));
        }
        if members.len() > 1 && facts.key == KeyKind::Ec(EXPLICIT_CURVE.to_owned()) {
            defects.push(Defect::ExplicitCurve { at });
        }
        purpose(at, facts, wanted, defects);
        let limit = extensions.basic_constraints.and_then(|constraints| constraints.path_length);
        if let Some(limit) = limit.filter(|limit| at > 1 && intermediates > *limit) {
            defects.push(Defect::PathLengthExceeded { at, limit, found: intermediates });
        }
        if at > 0 && !facts.is_self_issued() {
            intermediates += 1;
        }
    }
}

/// `check_ca`, and what `check_extensions` makes of its answer: an intermediate needs basicConstraints; the end of the
/// path may instead be of version 1, or have keyUsage with keyCertSign, or be a CA of Netscape's.
fn not_a_ca(facts: &Facts, is_root: bool) -> Option<NotACa> {
    let extensions = &facts.extensions;
    if let Some(usage) = extensions.key_usage.filter(|usage| !usage.signs_certificates()) {
        return Some(NotACa::KeyUsage(usage.names()));
    }
    if let Some(constraints) = extensions.basic_constraints {
        return (!constraints.ca).then_some(NotACa::SaysNot);
    }
    let version_1 = facts.version == 1 && facts.is_self_signed();
    let netscape = extensions.netscape_type.is_some_and(|kind| kind & NETSCAPE_ANY_CA != 0);
    let stands_in = version_1 || extensions.key_usage.is_some() || netscape;
    if is_root && stands_in { None } else { Some(NotACa::NoBasicConstraints) }
}

/// `check_purpose_ssl_server`, `check_purpose_ssl_client`.
fn purpose(at: usize, facts: &Facts, wanted: Purpose, defects: &mut Vec<Defect>) {
    let extensions = &facts.extensions;
    if let Some(purposes) = &extensions.extended_key_usage {
        let allows = |purpose: &String| match wanted {
            Purpose::Server => purpose == SERVER_AUTH || SERVER_GATED.contains(&purpose.as_str()),
            Purpose::Client => purpose == CLIENT_AUTH,
        };
        if !purposes.iter().any(allows) {
            defects.push(Defect::PurposeExcluded { at, purposes: purposes.clone() });
        }
    }
    if at == 0 {
        let bit = if wanted == Purpose::Server { NETSCAPE_SSL_SERVER } else { NETSCAPE_SSL_CLIENT };
        if extensions.netscape_type.is_some_and(|kind| kind & bit == 0) {
            defects.push(Defect::NetscapeTypeExcluded { at });
        }
        let serves = |usage: &KeyUsage| match wanted {
            Purpose::Server => usage.serves_tls(),
            Purpose::Client => usage.serves_tls_clients(),
        };
        if let Some(usage) = extensions.key_usage.filter(|usage| !serves(usage)) {
            defects.push(Defect::KeyUsageExcluded { at, uses: usage.names() });
        }
        return;
    }
    // Netscape's type is looked at above the leaf only when nothing else makes it a CA (`check_ssl_ca`).
    let only_netscape = extensions.basic_constraints.is_none()
        && extensions.key_usage.is_none()
        && !(facts.version == 1 && facts.is_self_signed());
    if only_netscape
        && extensions
            .netscape_type
            .is_some_and(|kind| kind & NETSCAPE_ANY_CA != 0 && kind & NETSCAPE_SSL_CA == 0)
    {
        defects.push(Defect::NetscapeTypeExcluded { at });
    }
}
