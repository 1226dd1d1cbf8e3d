//! What `audit --policy` asks of a server. Mozilla's profiles are those of version 6.0 of its guidelines
//! (<https://ssl-config.mozilla.org/guidelines/6.0.json>, repository mozilla/ssl-config-generator, read 2026-11-29): versions,
//! suites, groups and the kind of the key; how long certificates live and how a web server answers is left out. Azure's is what
//! its documentation says of Flexible Server (MicrosoftDocs/azure-databases-docs, articles/postgresql/security/security-tls.md,
//! 2025-12-19): TLS 1.2 and 1.3 alone, no session without TLS.

use crate::certificate::{Certificate, KeyKind};
use crate::conninfo::TlsVersion;
use crate::evidence::audit::{Accepts, Audit, Profile};
use crate::iana;

/// What a profile allows.
struct Allowed {
    versions: &'static [TlsVersion],
    /// Suites and groups, where the profile lists them.
    suites: Option<&'static [u16]>,
    groups: Option<&'static [u16]>,
    /// Curves of ECDSA keys, and the fewest bits of RSA keys; `None` where RSA is not allowed.
    key: Option<(&'static [&'static str], Option<u32>)>,
}

const TLS13_SUITES: [u16; 3] = [0x1301, 0x1302, 0x1303];
const INTERMEDIATE_SUITES: [u16; 9] =
    [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8];
/// X25519MLKEM768, X25519, prime256v1, secp384r1.
const MOZILLA_GROUPS: [u16; 4] = [4588, 29, 23, 24];
const MOZILLA_CURVES: [&str; 2] = ["P-256", "P-384"];

/// Suites of Mozilla's intermediate profile, as OpenSSL spells them.
const INTERMEDIATE_CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
                                    ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

fn allowed(profile: Profile) -> Allowed {
    match profile {
        Profile::Modern => Allowed {
            versions: &[TlsVersion::Tls13],
            suites: Some(&TLS13_SUITES),
            groups: Some(&MOZILLA_GROUPS),
            key: Some((&MOZILLA_CURVES, None)),
        },
        Profile::Intermediate => Allowed {
            versions: &[TlsVersion::Tls12, TlsVersion::Tls13],
            suites: Some(&INTERMEDIATE_SUITES),
            groups: Some(&MOZILLA_GROUPS),
            key: Some((&MOZILLA_CURVES, Some(2048))),
        },
        Profile::Azure => Allowed {
            versions: &[TlsVersion::Tls12, TlsVersion::Tls13],
            suites: None,
            groups: None,
            key: None,
        },
    }
}

/// A profile with its version or date.
pub fn title(profile: Profile) -> &'static str {
    match profile {
        Profile::Modern => "Mozilla modern, version 6.0",
        Profile::Intermediate => "Mozilla intermediate, version 6.0",
        Profile::Azure => "Azure Database for PostgreSQL, 2025-12-19",
    }
}

/// What makes a server meet the profile, as far as settings do.
pub(super) fn settings(profile: Profile) -> String {
    let minimum = match profile {
        Profile::Modern => "TLSv1.3",
        Profile::Intermediate | Profile::Azure => "TLSv1.2",
    };
    let ciphers = match profile {
        Profile::Intermediate => format!("ALTER SYSTEM SET ssl_ciphers = '{INTERMEDIATE_CIPHERS}';\n"),
        Profile::Modern | Profile::Azure => String::new(),
    };
    format!(
        "ALTER SYSTEM SET ssl_min_protocol_version = '{minimum}';\nALTER SYSTEM SET ssl_max_protocol_version = '';\n\
         {ciphers}SELECT pg_reload_conf();"
    )
}

/// What a server does that the profile does not allow, and what could not be found out. `leaf` is its certificate.
pub fn violations(audit: &Audit, profile: Profile, leaf: Option<&Certificate>) -> Vec<String> {
    let words = |(version, suites): (&'static str, Vec<String>)| -> Vec<String> {
        suites.iter().map(|suite| format!("{suite} is accepted in {version}")).collect()
    };
    let (suites, mut found) = violations_by_kind(audit, profile, leaf);
    found.extend(suites.into_iter().flat_map(words));
    found
}

/// Suites of a version, by name.
pub(super) type Suites = (&'static str, Vec<String>);

/// The same: the suites by version, and all else.
pub(super) fn violations_by_kind(
    audit: &Audit,
    profile: Profile,
    leaf: Option<&Certificate>,
) -> (Vec<Suites>, Vec<String>) {
    let allowed = allowed(profile);
    let (mut suites, mut found) = (Vec::new(), Vec::new());
    for version in &audit.versions {
        let name = version.version.name();
        match version.accepted {
            Accepts::Yes if !allowed.versions.contains(&version.version) => {
                found.push(format!("{name} is accepted"));
                continue;
            }
            Accepts::Unknown => found.push(format!("{name}: no clear answer")),
            Accepts::Yes | Accepts::No => {}
        }
        let listed = |suite: &u16| allowed.suites.is_none_or(|suites| suites.contains(suite));
        let others = version.suites.accepted.iter().filter(|suite| !listed(suite));
        let others: Vec<String> = others.map(|suite| iana::suite(*suite)).collect();
        if !others.is_empty() {
            suites.push((name, others));
        }
        if version.accepted == Accepts::Yes && allowed.suites.is_some() && !version.suites.complete {
            found.push(format!("{name}: not all suites could be tried"));
        }
    }
    if let (Some(groups), Some((_, accepted))) = (allowed.groups, &audit.groups) {
        let others = accepted.accepted.iter().filter(|group| !groups.contains(group));
        found.extend(others.map(|group| format!("the group {} is accepted", iana::group(*group))));
        if !accepted.complete {
            found.push("not all groups could be tried".to_owned());
        }
    }
    match audit.plaintext_accepted() {
        Accepts::Yes => found.push("connections without TLS are accepted".to_owned()),
        Accepts::Unknown => found.push("connections without TLS: no clear answer".to_owned()),
        Accepts::No => {}
    }
    let key = leaf.and_then(|leaf| leaf.facts().ok()).map(|facts| &facts.key);
    if let (Some((curves, bits)), Some(key)) = (allowed.key, key) {
        let is_allowed = match key {
            KeyKind::Ec(curve) => curves.contains(&curve.as_str()),
            KeyKind::Rsa(size) => bits.is_some_and(|least| least <= *size),
            _ => false,
        };
        if !is_allowed {
            found.push(format!("the certificate's key is {key}"));
        }
    }
    (suites, found)
}
