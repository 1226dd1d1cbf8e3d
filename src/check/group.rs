//! Targets that are checked in one go: those that ask the same of the same server, and with `--each` what one consists of.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::one::resolved;
use super::{Given, Setup};
use crate::conninfo;
use crate::probe;
use crate::secret::Secret;

/// A target, and others that ask the same of the same server.
#[derive(Debug)]
pub(super) struct Group {
    pub first: Given,
    pub same: Vec<Given>,
}

/// What the server does not hear of before TLS is verified and the connection ends.
const AFTER_TLS: [&str; 6] =
    ["user", "dbname", "password", "application_name", "fallback_application_name", "options"];

/// Puts targets together whose settings are the same, as far as the server gets to hear of them.
pub(super) fn grouped(setup: &Setup, targets: Vec<Given>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(targets.len());
    let mut known: HashMap<u64, usize> = HashMap::new();
    for target in targets {
        let asked = asked(setup, &target);
        let place = *known.entry(hash(&asked)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) if self::asked(setup, &group.first) == asked => group.same.push(target),
            _ => groups.push(Group { first: target, same: Vec::new() }),
        }
    }
    groups
}

/// What a target asks, in the same bytes for all that ask the same; their surroundings are the same.
fn asked(setup: &Setup, target: &Given) -> Zeroizing<Vec<u8>> {
    let text = target.text.as_ref().map(Secret::expose).unwrap_or_default();
    let Some(parsed) = conninfo::parse(text).ok().filter(|_| setup.dialect.is_none()) else {
        return Zeroizing::new(text.to_vec());
    };
    let is_heard = |keyword: &str, value: &[u8]| {
        !setup.scope.tls_only || !AFTER_TLS.contains(&keyword) || conninfo::is_connection_string(value)
    };
    let mut settings: Vec<(&str, &[u8])> = parsed
        .assignments
        .iter()
        .map(|(keyword, assignment)| (*keyword, assignment.value.as_bytes()))
        .filter(|(keyword, value)| is_heard(keyword, value))
        .collect();
    settings.sort_unstable();
    let mut asked = Zeroizing::new(Vec::with_capacity(text.len() + settings.len()));
    for (keyword, value) in settings {
        // No value holds a zero byte: arguments and lines of a list cannot.
        asked.extend([b"\0", keyword.as_bytes(), b"\0", value].concat());
    }
    asked
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// What a group consists of, each host and address by itself.
pub(super) async fn members(setup: &Setup, group: Group) -> Vec<Group> {
    // What is wrong with the settings is found once more by its check.
    let Ok(resolved) = resolved(setup, group.first.text.as_ref()).await else { return vec![group] };
    let members = probe::members(&resolved.settings, setup.total_limit).await;
    let of_member = |(place, member)| {
        let member = Arc::new(member);
        let only = |given: &Given| {
            let mut given = Given { member: Some(Arc::clone(&member)), ..given.clone() };
            given.source.place.member = place;
            given
        };
        Group { first: only(&group.first), same: group.same.iter().map(only).collect() }
    };
    members.into_iter().enumerate().map(of_member).collect()
}
