//! Targets that are checked in one go: those that ask the same of the same server, and with `--each` what one consists of.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::one::resolved;
use super::{Given, Setup};
use crate::conninfo;
use crate::evidence::Place;
use crate::order;
use crate::probe;
use crate::secret::Secret;

/// A target, and others that ask the same of the same server.
#[derive(Debug)]
pub(super) struct Group {
    pub first: Given,
    pub same: Vec<Given>,
}

/// The targets that have not begun.
#[derive(Debug)]
pub(super) struct Waiting {
    next: VecDeque<Given>,
    /// Those that ask the same as one among the next, by its place: mostly none.
    same: HashMap<Place, Vec<Given>>,
}

impl Waiting {
    /// Puts targets together whose settings are the same, as far as the server gets to hear of them.
    pub(super) fn grouped(setup: &Setup, targets: Vec<Given>) -> Self {
        let mut same: HashMap<Place, Vec<Given>> = HashMap::new();
        let followers = followers(setup, &targets);
        let mut next = VecDeque::from(targets);
        if !followers.is_empty() {
            let mut places = 0..;
            next.retain_mut(|given| {
                let leader = places.next().and_then(|place: usize| followers.get(&place));
                leader.map(|leader| same.entry(*leader).or_default().push(std::mem::take(given))).is_none()
            });
        }
        Self { next, same }
    }

    /// The next one.
    pub(super) fn pop(&mut self) -> Option<Group> {
        let first = self.next.pop_front()?;
        let same = self.same.remove(&first.source.place).unwrap_or_default();
        Some(Group { first, same })
    }

    /// Puts one before all others.
    pub(super) fn push_first(&mut self, Group { first, same }: Group) {
        if !same.is_empty() {
            self.same.insert(first.source.place, same);
        }
        self.next.push_front(first);
    }

    /// Whether all have begun.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_empty()
    }
}

/// The targets that ask the same as one before them, by their number, and the place of that one.
fn followers(setup: &Setup, targets: &[Given]) -> HashMap<usize, Place> {
    let mut asked: Vec<(u64, usize)> = targets
        .iter()
        .enumerate()
        .map(|(number, target)| (hash(&self::asked(setup, target)), number))
        .collect();
    order::sort(&mut asked);
    let mut followers = HashMap::new();
    for alike in asked.chunk_by(|one, other| one.0 == other.0) {
        let [(_, leader), others @ ..] = alike else { continue };
        let Some(leader) = targets.get(*leader).filter(|_| !others.is_empty()) else { continue };
        let wanted = self::asked(setup, leader);
        let same = others
            .iter()
            .map(|(_, number)| *number)
            .filter(|number| targets.get(*number).is_some_and(|target| self::asked(setup, target) == wanted));
        followers.extend(same.map(|number| (number, leader.source.place)));
    }
    followers
}

/// What the server does not hear of before TLS is verified and the connection ends.
const AFTER_TLS: [&str; 6] =
    ["user", "dbname", "password", "application_name", "fallback_application_name", "options"];

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
    order::sort(&mut settings);
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
///
/// # Errors
/// The group, whose settings are wrong: its check finds that once more.
pub(super) async fn members(setup: &Setup, group: Group) -> Result<Vec<Group>, Group> {
    let Ok(resolved) = resolved(setup, group.first.text.as_ref()).await else { return Err(group) };
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
    Ok((0..).zip(members).map(of_member).collect())
}
