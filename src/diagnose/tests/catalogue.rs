//! The codes are public, for ever: they are what the published list says, and each has its page.

use std::collections::BTreeSet;

use crate::diagnose::catalogue::{self, HEADINGS, all, diagnoses, nearest_code};
use crate::diagnose::codes;
use crate::stage::Stage;
use crate::text::width;

/// The published codes, by stage, those that waiting can cure with a star.
const PUBLISHED: &[(Option<Stage>, &str)] = &[
    (
        Some(Stage::Config),
        "conninfo-syntax conninfo-unknown-option conninfo-invalid-value conninfo-host-malformed \
         service-not-found host-required tls-not-requested option-not-supported",
    ),
    (
        Some(Stage::Trust),
        "root-file-missing root-file-unreadable root-file-invalid root-expired client-cert-missing \
         client-key-missing client-cert-invalid client-key-invalid client-key-permissions \
         client-key-mismatch crl-invalid",
    ),
    (Some(Stage::Dns), "dns-not-found dns-no-address dns-failure*"),
    (Some(Stage::Tcp), "tcp-timeout* tcp-refused* tcp-unreachable*"),
    (
        Some(Stage::Negotiate),
        "server-refused-tls negotiation-closed* negotiation-timeout* not-postgresql \
         server-error-before-tls* injected-plaintext direct-tls-unsupported",
    ),
    (
        Some(Stage::Tls),
        "tls-version-unsupported tls-no-shared-cipher client-cert-required client-cert-rejected \
         sni-unrecognized alpn-rejected tls-timeout* tls-closed* tls-protocol-error tls-unsupported-here",
    ),
    (
        Some(Stage::Certificate),
        "unknown-issuer root-not-in-file intermediate-missing self-signed root-key-changed \
         root-file-lacks-root tls-inspection hostname-mismatch certificate-expired \
         certificate-not-yet-valid certificate-revoked crl-missing certificate-weak certificate-purpose \
         certificate-name-constraints certificate-invalid",
    ),
    (
        Some(Stage::Auth),
        "password-required password-rejected hba-rejected role-missing auth-method-unsupported \
         channel-binding-failed",
    ),
    (
        Some(Stage::Session),
        "database-missing too-many-connections* server-starting* session-timeout* session-closed* \
         session-readonly* server-error",
    ),
    (
        None,
        "sslmode-not-verifying certificate-expires-soon root-expires-soon root-bundle-incomplete \
         root-retired backslash-path no-subject-alt-name ca-as-server-certificate strict-client-rejects \
         tls12-only legacy-tls-accepted plaintext-accepted tls-terminated-upstream passfile-ignored \
         crl-ignored clear-text-password-requested",
    ),
];

#[test]
fn the_codes_are_those_published() {
    for (stage, codes) in PUBLISHED {
        let published: BTreeSet<(&str, bool)> =
            codes.split_whitespace().map(|code| (code.trim_end_matches('*'), code.ends_with('*'))).collect();
        let found: BTreeSet<(&str, bool)> = all()
            .filter(|entry| entry.fails_in() == *stage)
            .map(|entry| (entry.name, entry.retryable))
            .collect();
        assert_eq!(found, published, "{stage:?}");
    }
}

#[test]
fn codes_are_unique_and_kebab_case() {
    let codes: Vec<&str> = all().map(|entry| entry.name).collect();
    let unique: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(codes.len(), unique.len());
    for code in codes {
        let kebab = code.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        assert!(kebab, "{code}");
    }
}

#[test]
fn titles_keep_to_the_house_style() {
    for entry in all() {
        let first = entry.title.chars().next().unwrap();
        assert!(!entry.title.ends_with('.') && !entry.title.contains('!'), "{}", entry.title);
        let named = ["CRL", "TLS", "CRLs", "psql", "SSL"].iter().any(|name| entry.title.starts_with(name));
        assert!(first.is_lowercase() || named, "{}", entry.title);
    }
}

#[test]
fn every_page_has_its_parts() {
    for entry in all() {
        assert!(entry.summary().ends_with('.'), "{}", entry.name);
        let headings: Vec<&str> = entry.parts().map(|(heading, _)| heading).collect();
        assert_eq!(headings, HEADINGS, "{}", entry.name);
        for (heading, text) in entry.parts() {
            assert!(text.len() > 8, "{} {heading}", entry.name);
        }
        let (_, fix) = entry.parts().find(|(heading, _)| *heading == "FIX").unwrap();
        assert!(fix.starts_with("1. "), "{}", entry.name);
    }
}

#[test]
fn no_page_lowers_verification() {
    for entry in all() {
        let (_, fix) = entry.parts().find(|(heading, _)| *heading == "FIX").unwrap();
        for weaker in ["sslmode=require\n", "sslmode=prefer\n", "sslmode=disable", "sslmode=allow"] {
            assert!(!fix.contains(weaker), "{} {weaker}", entry.name);
        }
    }
}

#[test]
fn pages_are_laid_out_for_any_width() {
    let page = catalogue::page(&codes::HOSTNAME_MISMATCH, 80);
    assert!(page.starts_with("hostname-mismatch"), "{page}");
    assert!(page.lines().next().unwrap().ends_with("certificate · exit 8"), "{page}");
    assert!(
        page.contains("\nWHAT\n") && page.contains("\nSEE IT\n      pgtls-check demo hostname-mismatch\n"),
        "{page}"
    );
    for entry in all() {
        for columns in [20, 60, 80, 100] {
            for line in catalogue::page(entry, columns).lines() {
                let typed = line.starts_with("    ") || !line.trim().contains(' ');
                let heads = line.starts_with(entry.name);
                assert!(
                    width(line) <= columns || typed || heads || line.trim().split(' ').count() <= 3,
                    "{line:?}"
                );
            }
        }
    }
    assert!(catalogue::code("no-such-code").is_none());
}

#[test]
fn a_mistyped_code_gets_its_neighbour() {
    assert_eq!(nearest_code("hostname-mismach"), Some(codes::HOSTNAME_MISMATCH.name));
    assert_eq!(nearest_code("zzz"), None);
    assert_eq!(catalogue::code("tcp-timeout"), Some(&codes::TCP_TIMEOUT));
}

#[test]
fn the_list_names_every_code_once() {
    let list = catalogue::list();
    for entry in all() {
        let lines = list.lines().filter(|line| line.split_whitespace().next() == Some(entry.name));
        assert_eq!(lines.count(), 1, "{}", entry.name);
    }
    assert_eq!(
        diagnoses()
            .map(|entry| entry.stage)
            .collect::<Vec<_>>()
            .windows(2)
            .filter(|pair| pair[0] > pair[1])
            .count(),
        0
    );
}
