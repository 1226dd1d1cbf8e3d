//! Many targets: so many at a time, reported in their order and counted.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::Setup;
use super::descriptors::room_for;
use super::one::check_until;
use super::run::Run;
use super::watch::RunWatcher;
use crate::diagnose::{INTERRUPTED, Outcome};
use crate::secret::Secret;

/// Checks all targets, at most `jobs` at a time and no more than the system has sockets for, and hands over each outcome
/// in the order of its target. Ctrl-C ends it; what had been finished by then is handed over.
///
/// # Errors
/// What `report` says.
pub async fn check_all(
    setup: Setup,
    targets: Vec<Option<Secret>>,
    jobs: usize,
    watcher: &dyn RunWatcher,
    report: &mut dyn FnMut(&Outcome) -> io::Result<()>,
) -> io::Result<Run> {
    let (begin, total) = (Instant::now(), targets.len());
    let mut run = Run::default();
    let mut count_and_report = |outcome: &Outcome| {
        run.count(outcome);
        report(outcome)
    };
    let interrupted =
        in_order(setup, targets, room_for(jobs.min(total)), watcher, &mut count_and_report).await?;
    if interrupted {
        run.exit_status = INTERRUPTED;
    }
    run.unfinished = total.saturating_sub(run.finished());
    run.elapsed = begin.elapsed();
    Ok(run)
}

/// True when Ctrl-C ended it.
async fn in_order(
    setup: Setup,
    targets: Vec<Option<Secret>>,
    jobs: usize,
    watcher: &dyn RunWatcher,
    report: &mut dyn FnMut(&Outcome) -> io::Result<()>,
) -> io::Result<bool> {
    let setup = Rc::new(setup);
    let (interruption, interrupted) = tokio::sync::watch::channel(false);
    let mut waiting = targets.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut finished = BTreeMap::new();
    let mut next = 0;
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    loop {
        while running.len() < jobs
            && let Some((place, target)) = waiting.next()
        {
            let (setup, watcher) = (Rc::clone(&setup), watcher.begins(place));
            let mut interrupted = interrupted.clone();
            running.spawn_local(async move {
                // The other end is there as long as targets are checked.
                let interrupted = async move { drop(interrupted.wait_for(|is| *is).await) };
                (place, check_until(interrupted, &setup, target.as_ref(), &*watcher).await)
            });
        }
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            _ = &mut interrupt => {
                // What ended at the same moment counts as finished, and what waits has failed before.
                interruption.send_replace(true);
                while let Some(ended) = running.join_next().await {
                    let (place, outcome) = ended.map_err(io::Error::other)?;
                    if let Some(outcome) = outcome {
                        watcher.ends(place, &outcome);
                        finished.insert(place, outcome);
                    }
                }
                for outcome in finished.into_values() {
                    report(&outcome)?;
                }
                return Ok(true);
            }
        };
        let Some(ended) = ended else { return Ok(false) };
        let (place, outcome) = ended.map_err(io::Error::other)?;
        if let Some(outcome) = outcome {
            watcher.ends(place, &outcome);
            finished.insert(place, outcome);
        }
        while let Some(outcome) = finished.remove(&next) {
            report(&outcome)?;
            next += 1;
        }
    }
}
