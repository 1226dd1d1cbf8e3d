//! Many targets: so many at a time, reported in their order and counted.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::Setup;
use super::descriptors::room_for;
use super::one::check;
use super::run::{INTERRUPTED, Run};
use crate::diagnose::Outcome;
use crate::probe::Observer;
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
    observer: Rc<dyn Observer>,
    report: &mut dyn FnMut(&Outcome) -> io::Result<()>,
) -> io::Result<Run> {
    let (begin, total) = (Instant::now(), targets.len());
    let mut run = Run::default();
    let mut count_and_report = |outcome: &Outcome| {
        run.count(outcome);
        report(outcome)
    };
    let interrupted =
        in_order(setup, targets, room_for(jobs.min(total)), &observer, &mut count_and_report).await?;
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
    observer: &Rc<dyn Observer>,
    report: &mut dyn FnMut(&Outcome) -> io::Result<()>,
) -> io::Result<bool> {
    let setup = Rc::new(setup);
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
            let (setup, observer) = (Rc::clone(&setup), Rc::clone(observer));
            running.spawn_local(async move { (place, check(&setup, target.as_ref(), &*observer).await) });
        }
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            _ = &mut interrupt => {
                // What ended at the same moment counts as finished.
                while let Some(Ok((place, outcome))) = running.try_join_next() {
                    finished.insert(place, outcome);
                }
                for outcome in finished.into_values() {
                    report(&outcome)?;
                }
                return Ok(true);
            }
        };
        let Some(ended) = ended else { return Ok(false) };
        let (place, outcome) = ended.map_err(io::Error::other)?;
        finished.insert(place, outcome);
        while let Some(outcome) = finished.remove(&next) {
            report(&outcome)?;
            next += 1;
        }
    }
}
