//! The table of providers. Gathered from public documents up to 2026-11-23; each row says where.
//!
//! A row states what its sources state. What is only inferred or reported stands in `gotchas` with that word, and what
//! nobody looked up is left out.

mod amazon;
mod azure;
mod others;

use super::{Confidence, Port, Provider, RootStatus, Source, SystemRoots};

/// All providers. Where several share a suffix, the one in service comes first.
pub static PROVIDERS: &[&Provider] = &[
    &azure::FLEXIBLE,
    &azure::US_GOVERNMENT,
    &azure::CHINA,
    &azure::SINGLE,
    &azure::COSMOS,
    &amazon::RDS,
    &amazon::RDS_CHINA,
    &amazon::RDS_PROXY,
    &amazon::DSQL,
    &others::CLOUD_SQL,
    &others::ALLOY_DB,
    &others::NEON,
    &others::SUPABASE,
    &others::HEROKU,
    &others::DIGITAL_OCEAN,
    &others::AIVEN,
    &others::CRUNCHY_BRIDGE,
    &others::TIMESCALE,
    &others::COCKROACH,
    &others::YUGABYTE,
    &others::RENDER,
    &others::RAILWAY,
    &others::FLY,
    &others::PLANETSCALE,
    &others::XATA,
    &others::SCALEWAY_SERVERLESS,
    &others::SCALEWAY,
    &others::OVH,
    &others::IBM,
    &others::ORACLE,
    &others::SNOWFLAKE,
];

/// A row of which nothing is known yet.
const BLANK: Provider = Provider {
    id: "",
    name: "",
    suffixes: &[],
    ports: &[],
    roots: &[],
    root_file: None,
    sslmode: None,
    system_roots: SystemRoots::Unknown,
    token_audiences: &[],
    forms: &[],
    twins: &[],
    user_end: None,
    made_up: None,
    user_at_server: None,
    chain: &[],
    hints: &[],
    announcements: &[],
    gotchas: &[],
    sources: &[],
    confidence: Confidence::Unverified,
};

/// libpq's default port.
const SERVER: Port = Port { number: 5432, what: "the server", pooler: false };

const fn pooler(number: u16, what: &'static str) -> Port {
    Port { number, what, pooler: true }
}

const fn root(name: &'static str, status: RootStatus) -> super::ExpectedRoot {
    super::ExpectedRoot { name, status, sha256: None }
}

const fn undated(what: &'static str) -> Source {
    Source { what, date: None }
}

const fn dated(what: &'static str, date: &'static str) -> Source {
    Source { what, date: Some(date) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::provider::{by_host, known_roots};
    use crate::timestamp::Timestamp;

    fn is_day(day: &str) -> bool {
        let parts: Vec<u32> = day.split('-').map_while(|part| part.parse().ok()).collect();
        match parts.as_slice() {
            [year, month, day_of_month] => Timestamp::from_utc(
                i32::try_from(*year).unwrap(),
                u8::try_from(*month).unwrap(),
                u8::try_from(*day_of_month).unwrap(),
                0,
                0,
                0,
            )
            .is_some_and(|moment| moment.date() == day),
            _ => false,
        }
    }

    #[test]
    fn identifiers_are_unique_and_kebab_case() {
        let mut seen = BTreeSet::new();
        for provider in PROVIDERS {
            assert!(seen.insert(provider.id), "{}", provider.id);
            assert!(
                provider.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                provider.id
            );
            assert!(!provider.name.is_empty());
        }
    }

    #[test]
    fn every_day_is_one() {
        for provider in PROVIDERS {
            let status = provider.roots.iter().filter_map(|root| match root.status {
                RootStatus::Announced { from } => Some(from),
                RootStatus::Former { until } => Some(until),
                RootStatus::Now | RootStatus::Sometimes { .. } => None,
            });
            let announced = provider.announcements.iter().map(|announcement| announcement.day);
            let read = provider.sources.iter().filter_map(|source| source.date);
            for day in status.chain(announced).chain(read) {
                assert!(is_day(day), "{}: {day}", provider.id);
            }
        }
    }

    #[test]
    fn what_is_claimed_has_a_source() {
        for provider in PROVIDERS {
            let claims =
                !provider.roots.is_empty() || provider.sslmode.is_some() || !provider.suffixes.is_empty();
            assert_eq!(claims, !provider.sources.is_empty(), "{}", provider.id);
            if provider.confidence != Confidence::Unverified {
                assert!(!provider.sources.is_empty(), "{}", provider.id);
            }
        }
    }

    #[test]
    fn every_suffix_finds_a_provider_that_has_it() {
        for provider in PROVIDERS {
            for suffix in provider.suffixes {
                let host = format!("name{}", suffix.replace('*', "x1"));
                let found = by_host(&host).unwrap_or_else(|| panic!("{host} finds nobody"));
                assert!(found.suffixes.contains(suffix), "{host} finds {}", found.id);
            }
        }
    }

    #[test]
    fn roots_are_shipped_or_their_fingerprint_is_known() {
        for expected in PROVIDERS.iter().flat_map(|provider| provider.roots) {
            let shipped = known_roots().iter().any(|root| {
                let subject = &root.certificate.facts().unwrap().subject;
                crate::provider::host::fits(expected.name, &subject.common_name().unwrap())
            });
            assert!(shipped != expected.sha256.is_some(), "{}", expected.name);
        }
    }
}
