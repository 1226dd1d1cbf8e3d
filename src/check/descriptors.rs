//! How many targets the limit on open files lets be checked at once. Sockets beyond it would fail, and what has nothing
//! to do with a server would be told of it.

/// One target's sockets at a time (its own, three second looks, the resolver's) and its files.
#[cfg(unix)]
const EACH: u64 = 8;
/// What the program itself has open.
#[cfg(unix)]
const OWN: u64 = 32;

/// So many of `wanted` as there is room for, at least one. The process's limit is raised first, as far as it may be.
#[cfg(unix)]
pub(super) fn room_for(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = OWN.saturating_add(EACH.saturating_mul(wanted as u64));
    let limit = getrlimit(Resource::Nofile);
    let Some(now) = limit.current.filter(|now| *now < needed) else { return wanted };
    let higher = limit.maximum.map_or(needed, |maximum| needed.min(maximum));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(higher), maximum: limit.maximum });
    let room = if raised.is_ok() { higher } else { now };
    let fitting = usize::try_from(room.saturating_sub(OWN) / EACH).unwrap_or(wanted);
    fitting.clamp(1, wanted.max(1))
}

#[cfg(not(unix))]
pub(super) fn room_for(wanted: usize) -> usize {
    wanted
}
