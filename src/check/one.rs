//! One target: probed, judged, its fixes tried; again and again while waiting may cure what failed.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::target::Target;
use super::waiting::Waiting;
use super::watch::Watcher;
use super::{Given, Setup, as_of, at_hand};
use crate::clients::dialect::Typed;
use crate::conninfo::{self, Environment, Failure, Overrides, Parameter, Settings};
use crate::diagnose::{self, Code, Diagnosis, Outcome, Tries, WaitEnd};
use crate::evidence::Evidence;
use crate::file;
use crate::own_thread;
use crate::plan::{DEFAULT_ADDRESS_LIMIT, Plan};
use crate::probe::{self, Probed};
use crate::runtime::in_heap;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::trial::{self, Context};
use crate::trust::{self, FileCertificate, Roots, Trust};

/// Checks one target, again and again while waiting may cure it and `--wait` allows. Second looks are taken when another
/// failure is seen than in the round before, and in the last round; fixes are tried in the last round alone.
///
/// `target` is its connection string; without one, environment or service say where to go.
pub async fn check(setup: &Setup, target: Option<&Secret>, watcher: &dyn Watcher) -> Outcome {
    let given = Given { text: target.cloned(), ..Given::default() };
    let last = RefCell::default();
    *in_heap(|| check_noting(setup, &given, watcher, &last)).await
}

/// The same, until the check is interrupted: then the outcome of the last try, if one had ended.
pub(super) async fn check_until(
    interrupted: impl Future<Output = ()>,
    setup: &Setup,
    given: &Given,
    watcher: &dyn Watcher,
) -> Option<Box<Outcome>> {
    let last = LastTry::default();
    tokio::select! {
        outcome = in_heap(|| check_noting(setup, given, watcher, &last)) => Some(outcome),
        () = interrupted => {
            let (outcome, tries) = last.take()?;
            let tries = Tries { end: Some(WaitEnd::Interrupted), ..tries };
            Some(Box::new(outcome.in_the_drivers_words().after(tries)))
        }
    }
}

/// The last try that ended, and the tries until then.
type LastTry = RefCell<Option<(Box<Outcome>, Tries)>>;

/// A check that notes each try that another one follows.
async fn check_noting(setup: &Setup, given: &Given, watcher: &dyn Watcher, last: &LastTry) -> Box<Outcome> {
    let target = &Target::read(setup, given.text.as_ref()).await;
    let context = Context {
        input: target.input.as_deref(),
        overrides: &setup.overrides,
        environment: &target.environment,
        may_connect: setup.may_try,
        total_limit: setup.total_limit,
        system_store: &setup.system_store,
    };
    let mut waiting = Waiting::new(setup.wait);
    loop {
        let (begin, room) = (Instant::now(), waiting.room());
        let limit = setup.total_limit.into_iter().chain(room).min();
        let pending = match PendingCheck::begin(setup, (target, given), limit, watcher).await {
            Ok(pending) => pending,
            Err(outcome) => {
                return with_tried_fixes(*outcome, context).await;
            }
        };
        let known = match setup.wait {
            Some(_) => in_heap(|| pending.told_before(setup, last, &waiting, (begin.elapsed(), room))).await,
            None => None,
        };
        let mut outcome = match known {
            Some(outcome) => outcome,
            None => Box::new(pending.end(setup).await),
        };
        let is_curable = curable(&outcome).is_some();
        if let Some(pause) = waiting.next_pause(begin.elapsed()).filter(|_| is_curable) {
            let tries = waiting.tries(None);
            watcher.tries_again(&outcome, tries);
            last.replace(Some((outcome, tries)));
            waiting.wait(pause).await;
            continue;
        }
        let context = Context { total_limit: limit, ..context };
        let has_fixes = outcome.diagnosis.is_some() || !outcome.warnings.is_empty();
        if has_fixes {
            outcome = with_tried_fixes(*outcome, context).await;
        }
        if setup.wait.is_some() {
            outcome = Box::new(outcome.after(waiting.tries(is_curable.then_some(WaitEnd::GaveUp))));
        }
        if let Some(date) = setup.as_of {
            let judged = in_heap(|| as_of::judged(&outcome.evidence, date, &setup.policy, context)).await;
            outcome.as_of = Some(Box::new(judged));
        }
        return outcome;
    }
}

async fn with_tried_fixes(outcome: Outcome, context: Context<'_>) -> Box<Outcome> {
    Box::new(in_heap(|| trial::try_fixes(outcome, context)).await.in_the_drivers_words())
}

/// The outcome of a target that asks the same of the same server as one that was checked: the connection that was made
/// shows as much of both. What was tried for the first is not tried again.
pub(super) async fn checked_alike(setup: &Setup, given: Given, first: &Outcome) -> Box<Outcome> {
    let target = &Target::read(setup, given.text.as_ref()).await;
    let resolve = || conninfo::resolve_secret(target.input.as_deref(), &setup.overrides, &target.environment);
    let settings = match target.refusal() {
        None if first.evidence.config.is_ok() => file::within(DEFAULT_ADDRESS_LIMIT, resolve).ok(),
        _ => None,
    };
    let Some(settings) = settings else {
        let last = RefCell::default();
        let outcome = in_heap(|| check_noting(setup, &given, &(), &last)).await;
        return Box::new(outcome.given_by(given.source));
    };
    let context = Context {
        input: target.input.as_deref(),
        overrides: &setup.overrides,
        environment: &target.environment,
        may_connect: false,
        total_limit: setup.total_limit,
        system_store: &setup.system_store,
    };
    let evidence = Evidence {
        input: settings.input.clone(),
        typed: target.typed.clone(),
        config: Ok(settings),
        ..first.evidence.clone()
    };
    let mut outcome = Box::new(trial::try_fixes(judged(setup, evidence).await, context).await);
    let tried = first.diagnosis.as_ref().map(|found| found.fixes.as_slice()).unwrap_or_default();
    for fix in outcome.diagnosis.iter_mut().flat_map(|found| &mut found.fixes) {
        let same = tried.iter().find(|other| other.settings == fix.settings && other.text == fix.text);
        fix.tried = fix.tried.or(same.and_then(|same| same.tried));
    }
    outcome.tries = first.tries;
    outcome = Box::new(outcome.in_the_drivers_words().given_by(given.source));
    if let Some(date) = setup.as_of {
        outcome.as_of = Some(Box::new(as_of::judged(&outcome.evidence, date, &setup.policy, context).await));
    }
    outcome
}

/// The settings that a check of a target would use, and why it would use none.
#[derive(Debug)]
pub struct Effective {
    /// Every setting with its origin, as far as they could be merged.
    pub parameters: Vec<Parameter>,
    /// What is wrong with them.
    pub diagnosis: Option<Diagnosis>,
    /// What was typed, where that is not a string of libpq's alone.
    pub typed: Option<Arc<Typed>>,
}

impl Effective {
    /// The exit status of a check that would end there.
    pub fn exit_status(&self) -> u8 {
        self.diagnosis.as_ref().map_or(0, |diagnosis| diagnosis.code.stage.exit_status())
    }
}

/// The settings of a target, with the surroundings in which its program sees them.
#[derive(Debug)]
pub struct Resolved {
    /// The settings.
    pub settings: Settings,
    /// The surroundings.
    pub environment: Environment,
    /// What was typed, where that is not a string of libpq's alone.
    pub typed: Option<Arc<Typed>>,
}

/// Reads a target as a check would, and merges its settings.
///
/// # Errors
/// The outcome of a check that would end there.
pub async fn resolved(setup: &Setup, target: Option<&Secret>) -> Result<Resolved, Box<Outcome>> {
    let target = Target::read(setup, target).await;
    let found = match target.refusal() {
        Some(refusal) => Err(refusal),
        None => conninfo::resolve_secret(target.input.as_deref(), &setup.overrides, &target.environment),
    };
    match found {
        Ok(settings) => Ok(Resolved {
            settings,
            typed: target.typed.clone(),
            environment: target.environment.into_owned(),
        }),
        Err(failure) => Err(Box::new(of_bad_config(setup, &target, Timestamp::now(), *failure))),
    }
}

/// Merges the settings of a target. What a run would refuse before its first socket is diagnosed.
pub async fn effective(setup: &Setup, target: Option<&Secret>) -> Effective {
    let target = Target::read(setup, target).await;
    let input = target.input.as_deref();
    let resolved = match target.refusal() {
        Some(refusal) => Err(refusal),
        None => conninfo::resolve_secret(input, &setup.overrides, &target.environment),
    };
    let typed = target.typed.clone();
    match resolved {
        Ok(settings) => Effective { parameters: settings.parameters, diagnosis: None, typed },
        Err(failure) => {
            let parameters = failure.parameters.clone();
            let diagnosis = of_bad_config(setup, &target, Timestamp::now(), *failure).diagnosis;
            Effective { parameters, diagnosis, typed }
        }
    }
}

/// The code of a failure that waiting may cure.
fn curable(outcome: &Outcome) -> Option<&'static Code> {
    outcome.diagnosis.as_ref().map(|diagnosis| diagnosis.code).filter(|code| code.retryable)
}

/// Merges the settings and reads the files, those that no target before named. What has to be waited for is waited for on
/// another thread, and no longer than connecting would take.
async fn read(setup: &Setup, target: &Target<'_>) -> Result<(Settings, Arc<Trust>), Box<Failure>> {
    fn read(
        target: Option<&Secret>,
        overrides: &Overrides,
        environment: &Environment,
        most: Duration,
        kept: impl FnOnce(&Settings) -> Option<Arc<Trust>>,
    ) -> Result<(Settings, Arc<Trust>), Box<Failure>> {
        file::within(most, || {
            let resolve = || conninfo::resolve_secret(target, overrides, environment);
            let settings = file::within(DEFAULT_ADDRESS_LIMIT, resolve)?;
            let limit = settings.connect_timeout.unwrap_or(DEFAULT_ADDRESS_LIMIT);
            let load = || Arc::new(file::within(limit, || trust::load(&settings, environment)));
            let trust = kept(&settings).unwrap_or_else(load);
            Ok((settings, trust))
        })
    }
    if let Some(refusal) = target.refusal() {
        return Err(refusal);
    }
    let most = setup.total_limit.unwrap_or(Duration::MAX);
    let (input, environment) = (target.input.as_deref(), &*target.environment);
    let keeps = setup.wait.is_none();
    let kept = |settings: &Settings| setup.kept_trust.get(settings, environment).filter(|_| keeps);
    let read = match file::at_once(|| read(input, &setup.overrides, environment, most, kept)) {
        Some(read) => read,
        None => {
            let (input, overrides) = (input.cloned(), setup.overrides.clone());
            let environment = environment.clone();
            own_thread::run(true, move || read(input.as_ref(), &overrides, &environment, most, |_| None))
                .await
        }
    };
    if let (Ok((settings, trust)), true) = (&read, keeps) {
        setup.kept_trust.keep(settings, environment, trust);
    }
    read
}

/// One check of a target, as far as it needs no further connections.
struct PendingCheck {
    plan: Plan,
    probed: Probed,
}

impl PendingCheck {
    /// Probes; the outcome of settings that are wrong is there at once.
    async fn begin(
        setup: &Setup,
        (target, given): (&Target<'_>, &Given),
        total_limit: Option<Duration>,
        watcher: &dyn Watcher,
    ) -> Result<Box<Self>, Box<Outcome>> {
        let started = Timestamp::now();
        let (settings, trust) = read(setup, target)
            .await
            .map_err(|failure| Box::new(of_bad_config(setup, target, started, *failure)))?;
        watcher.resolved(&settings, given.member.as_deref());
        let plan = Plan {
            trust,
            settings,
            started,
            scope: setup.scope,
            second_looks: setup.may_try,
            total_limit,
            only: given.member.clone(),
        };
        let mut probed = match &setup.rehearsed {
            Some(rehearsed) => Probed::of(in_heap(|| rehearsed.evidence(&plan)).await),
            None => probe::probe_once(&plan, watcher).await,
        };
        probed.evidence.typed = target.typed.clone();
        Ok(Box::new(Self { plan, probed }))
    }

    /// What was told of the try before, where this one shows no more: it was cut short by the limit, or failed the same way.
    /// `took` is how long it took, `room` how long it could.
    async fn told_before(
        &self,
        setup: &Setup,
        last: &LastTry,
        waiting: &Waiting,
        (took, room): (Duration, Option<Duration>),
    ) -> Option<Box<Outcome>> {
        let seen = judged(setup, self.probed.evidence.clone()).await;
        let before = last.borrow().as_ref().map(|(before, _)| before.clone())?;
        let is_cut = room.is_some_and(|room| took >= room) && seen.diagnosis.is_some();
        // Looks were taken when a failure was new; they are again in the last round.
        let is_same = || curable(&seen).is_some() && curable(&seen) == curable(&before);
        (is_cut || (is_same() && waiting.next_pause(took).is_some())).then_some(before)
    }

    /// Takes second looks and judges.
    async fn end(self: Box<Self>, setup: &Setup) -> Outcome {
        let Self { plan, probed } = *self;
        let mut evidence = match plan.second_looks {
            true => probed.looked_further(&plan).await,
            false => probed.evidence,
        };
        // The public roots are read only where they may explain a failure.
        if evidence.chain_was_refused() {
            evidence.system_roots =
                Some(file::within(Duration::ZERO, || setup.system_store.get(&setup.environment).clone()));
        }
        evidence.in_directories = in_directories(&evidence);
        evidence.server_at_hand = at_hand::server(&evidence, &setup.environment);
        evidence.missing_socket = at_hand::missing_socket(&evidence);
        evidence.cloud_run = setup
            .environment
            .variables
            .get(OsStr::new("K_SERVICE"))
            .and_then(|name| name.clone().into_string().ok());
        evidence.root_at_hand = at_hand::root(&evidence, &setup.environment);
        judged(setup, evidence).await
    }
}

/// What directories of roots hold under the names of a refused chain's issuers.
fn in_directories(evidence: &Evidence) -> Vec<FileCertificate> {
    let Some(Roots::Loaded(store)) = evidence.trust.as_ref().map(|trust| &trust.roots) else {
        return Vec::new();
    };
    let tls = evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    let judgement = tls.and_then(|step| step.result.judgement.as_ref());
    let Some(judgement) = judgement.filter(|judgement| !judgement.chain_is_good()) else { return Vec::new() };
    let issuers =
        judgement.path.iter().filter_map(|link| link.certificate.facts().ok()).map(|facts| &facts.issuer);
    let issuers: Vec<_> = issuers.collect();
    file::within(Duration::ZERO, || trust::namesakes_in_directories(store, &issuers))
}

/// Judges evidence; where that may take long, on a thread of its own.
async fn judged(setup: &Setup, evidence: Evidence) -> Outcome {
    let outcome = match evidence.is_long() {
        true => in_heap(|| own_thread::run(true, move || diagnose::diagnose(evidence))).await,
        false => diagnose::diagnose(evidence),
    };
    under_policy(setup, outcome)
}

/// The outcome of settings that are wrong.
fn of_bad_config(setup: &Setup, target: &Target<'_>, started: Timestamp, failure: Failure) -> Outcome {
    let mut evidence = Evidence::of_bad_config(started, setup.scope, target.in_its_words(failure));
    evidence.typed = target.typed.clone();
    under_policy(setup, diagnose::diagnose(evidence))
}

fn under_policy(setup: &Setup, mut outcome: Outcome) -> Outcome {
    setup.policy.apply(&mut outcome);
    outcome
}
