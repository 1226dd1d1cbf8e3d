//! Many targets: so many at a time, reported as they end and counted.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::descriptors::room_for;
use super::one::check_until;
use super::run::Run;
use super::watch::RunWatcher;
use super::{Given, Setup};
use crate::diagnose::{INTERRUPTED, Outcome};

/// Checks all targets, at most `jobs` at a time and no more than the system has sockets for, and hands over each outcome
/// as it ends: none waits for a slow one before it. Ctrl-C ends it; what had been finished by then is handed over.
///
/// # Errors
/// What `report` says.
pub async fn check_all(
    setup: Setup,
    targets: Vec<Given>,
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
        as_they_end(setup, targets, room_for(jobs.min(total)), watcher, &mut count_and_report).await?;
    if interrupted {
        run.exit_status = INTERRUPTED;
    }
    run.unfinished = total.saturating_sub(run.finished());
    run.elapsed = begin.elapsed();
    Ok(run)
}

/// Checks so many at a time and reports each as it ends. True when Ctrl-C ended it.
async fn as_they_end(
    setup: Setup,
    targets: Vec<Given>,
    jobs: usize,
    watcher: &dyn RunWatcher,
    report: &mut dyn FnMut(&Outcome) -> io::Result<()>,
) -> io::Result<bool> {
    let setup = Rc::new(setup);
    let (interruption, interrupted) = tokio::sync::watch::channel(false);
    let mut waiting = targets.into_iter();
    let mut running = JoinSet::new();
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    loop {
        while running.len() < jobs
            && let Some(target) = waiting.next()
        {
            let (setup, watcher) = (Rc::clone(&setup), watcher.begins(&target.source));
            let mut interrupted = interrupted.clone();
            running.spawn_local(async move {
                // The other end is there as long as targets are checked.
                let interrupted = async move { drop(interrupted.wait_for(|is| *is).await) };
                let outcome = check_until(interrupted, &setup, target.text.as_ref(), &*watcher).await;
                outcome.map(|outcome| Outcome { source: target.source, ..outcome })
            });
        }
        let (ended, is_interrupted) = tokio::select! {
            ended = running.join_next() => (ended, false),
            _ = &mut interrupt => {
                interruption.send_replace(true);
                (running.join_next().await, true)
            }
        };
        let mut next = ended;
        while let Some(ended) = next {
            if let Some(outcome) = ended.map_err(io::Error::other)? {
                watcher.ends(&outcome);
                report(&outcome)?;
            }
            // What ended at the same moment counts as finished, and what waits has failed before.
            next = if is_interrupted { running.join_next().await } else { running.try_join_next() };
        }
        if is_interrupted || (running.is_empty() && waiting.len() == 0) {
            return Ok(is_interrupted);
        }
    }
}
