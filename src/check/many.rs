//! Many targets: so many at a time, reported as they end and counted.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::audited::with_audit;
use super::descriptors::room_for;
use super::group::{Group, Waiting, members};
use super::one::{check_until, checked_alike};
use super::run::Run;
use super::signals::Signals;
use super::watch::RunWatcher;
use super::{Given, Setup};
use crate::diagnose::Outcome;
use crate::runtime::in_heap;

/// Checks all targets, at most `jobs` at a time and no more than the system has sockets for, and hands over each outcome
/// as it ends: none waits for a slow one before it. Ctrl-C, SIGTERM and SIGHUP end it; what had been finished by then is handed over.
///
/// # Errors
/// What `report` says.
pub async fn check_all(
    setup: Rc<Setup>,
    targets: Vec<Given>,
    jobs: usize,
    watcher: &dyn RunWatcher,
    report: &mut dyn FnMut(&mut Outcome) -> io::Result<()>,
) -> io::Result<Run> {
    let begin = Instant::now();
    let most = if setup.each { jobs } else { jobs.min(targets.len()) };
    let mut run = Run::default();
    let mut count_and_report = |outcome: &mut Outcome| {
        run.count(outcome);
        report(outcome)
    };
    let ended = as_they_end(setup, targets, room_for(most), watcher, &mut count_and_report).await?;
    if let Some(status) = ended.interrupted {
        run.exit_status = status;
    }
    let told = run.unfinished;
    run.unfinished = ended.total.saturating_sub(run.finished());
    run.untold = run.unfinished.saturating_sub(told);
    run.elapsed = begin.elapsed();
    Ok(run)
}

/// How a run ended.
struct Ended {
    /// Targets there were, members of one counted each.
    total: usize,
    /// The exit status that the signal which ended it stands for.
    interrupted: Option<u8>,
}

/// What came of a task.
enum Done {
    /// A check ended, unless it was interrupted before its first try did; others ask the same.
    Checked(Option<Box<Outcome>>, Vec<Given>),
    /// What a group consists of.
    Members(Vec<Group>),
    /// A group that cannot be taken apart: its settings are wrong.
    Whole(Group),
}

/// What the tasks of a run share.
struct Tasks<'a> {
    setup: Rc<Setup>,
    watcher: &'a dyn RunWatcher,
    waiting: Waiting,
    running: JoinSet<Done>,
    interrupted: tokio::sync::watch::Receiver<bool>,
    total: usize,
}

impl Tasks<'_> {
    /// Starts the next one; false if there is none.
    fn start(&mut self) -> bool {
        let Some(group) = self.waiting.pop() else { return false };
        let setup = Rc::clone(&self.setup);
        if setup.each && group.first.member.is_none() {
            self.running.spawn_local(async move {
                in_heap(|| members(&setup, group)).await.map_or_else(Done::Whole, Done::Members)
            });
            return true;
        }
        self.check(group);
        true
    }

    /// Starts the check of a group as it is.
    fn check(&mut self, Group { first, same }: Group) {
        let setup = Rc::clone(&self.setup);
        let (watcher, mut interrupted) = (self.watcher.begins(&first.source), self.interrupted.clone());
        self.running.spawn_local(async move {
            let mut again = interrupted.clone();
            // The other end is there as long as targets are checked.
            let until = async move { drop(interrupted.wait_for(|is| *is).await) };
            let outcome = check_until(until, &setup, &first, &*watcher).await;
            let outcome = match (outcome, setup.audit) {
                (Some(outcome), Some(policy)) => {
                    let auditing = in_heap(|| with_audit(&setup, (*outcome).clone(), policy.profile));
                    tokio::select! {
                        audited = auditing => Some(Box::new(audited)),
                        _ = again.wait_for(|is| *is) => Some(outcome),
                    }
                }
                (outcome, _) => outcome,
            };
            Done::Checked(outcome.map(|outcome| Box::new(outcome.given_by(first.source))), same)
        });
    }

    /// Takes the members of a target for targets of their own, next in turn.
    fn take(&mut self, members: Vec<Group>) {
        let Some(first) = members.first() else { return };
        for _ in 0..=first.same.len() {
            self.watcher.becomes(members.len());
            self.total += members.len() - 1;
        }
        for group in members.into_iter().rev() {
            self.waiting.push_first(group);
        }
    }
}

/// Checks so many at a time and reports each as it ends.
async fn as_they_end(
    setup: Rc<Setup>,
    targets: Vec<Given>,
    jobs: usize,
    watcher: &dyn RunWatcher,
    report: &mut dyn FnMut(&mut Outcome) -> io::Result<()>,
) -> io::Result<Ended> {
    let (interruption, interrupted) = tokio::sync::watch::channel(false);
    let total = targets.len();
    let waiting = Waiting::grouped(&setup, targets);
    let running = JoinSet::new();
    let mut tasks = Tasks { setup, watcher, waiting, running, interrupted, total };
    let mut signals = Signals::awaited_in_checks()?;
    loop {
        while tasks.running.len() < jobs && tasks.start() {}
        let (ended, interrupted) = tokio::select! {
            ended = tasks.running.join_next() => (ended, None),
            status = signals.next() => {
                interruption.send_replace(true);
                (tasks.running.join_next().await, Some(status))
            }
        };
        let mut next = ended;
        while let Some(ended) = next {
            match ended.map_err(io::Error::other)? {
                Done::Members(members) => tasks.take(members),
                Done::Whole(group) => tasks.check(group),
                Done::Checked(None, _) => {}
                Done::Checked(Some(mut first), same) => {
                    watcher.ends(&first);
                    report(&mut first)?;
                    for given in same {
                        let mut outcome = in_heap(|| checked_alike(&tasks.setup, given, &first)).await;
                        watcher.ends(&outcome);
                        report(&mut outcome)?;
                    }
                }
            }
            // What ended at the same moment counts as finished, and what waits has failed before.
            next = match interrupted.is_some() {
                true => tasks.running.join_next().await,
                false => tasks.running.try_join_next(),
            };
        }
        if interrupted.is_some() || (tasks.running.is_empty() && tasks.waiting.is_empty()) {
            return Ok(Ended { total: tasks.total, interrupted });
        }
    }
}
