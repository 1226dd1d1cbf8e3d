//! The main job: checks one or more servers and reports each.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::{JoinSet, LocalSet};

use super::{
    INTERRUPTED, USAGE, descriptors, error_style, output_style, print, progress, unless_unread, write,
};
use crate::cli::DisplayArgs;
use crate::cli::check::{CheckArgs, Patience};
use crate::conninfo::{self, Environment, Overrides, Value};
use crate::diagnose::{self, Outcome, Policy, Verdict};
use crate::evidence::{Evidence, Scope};
use crate::plan::{Plan, Progress};
use crate::probe::{self, Probed};
use crate::report::{self, Format, Layout, Run, Style};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::trial::{self, Means};
use crate::trust::{self, SystemStore};

/// Pauses between tries of `--wait`.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest line of `--from`.
const LONGEST_LINE: usize = 64 * 1024;

/// Everything that is the same for all targets of a run.
pub(super) struct Setup {
    pub environment: Environment,
    pub overrides: Overrides,
    pub scope: Scope,
    /// Whether further connections may be made after a failure.
    pub may_try: bool,
    pub total_limit: Option<Duration>,
    pub as_of: Option<Timestamp>,
    pub policy: Policy,
    pub wait: Option<Patience>,
    /// How the line on the terminal may look that tells what is waited for; `None` where there is none.
    pub watched: Option<Style>,
    pub system_store: SystemStore,
}

impl Setup {
    /// Runs a part of a check and tells on the terminal, if one is watched, for what it waits.
    async fn telling<T>(&self, plan: &Plan, part: impl Future<Output = T>) -> T {
        match self.watched {
            Some(style) => progress::told(&plan.progress, style, part).await,
            None => part.await,
        }
    }
}

pub(super) fn run(
    arguments: &CheckArgs,
    display: &DisplayArgs,
    environment: &Environment,
) -> anyhow::Result<u8> {
    let policy = match arguments.policy.policy() {
        Ok(policy) => policy,
        Err(unknown) => {
            eprintln!("pgtls-check: {unknown}");
            return Ok(USAGE);
        }
    };
    let targets = match targets(arguments, environment) {
        Ok(targets) => targets,
        Err(error) => {
            eprintln!("pgtls-check: {error:#}");
            return Ok(USAGE);
        }
    };
    let mut overrides = arguments.overrides();
    if arguments.password && !arguments.show_config {
        match rpassword::prompt_password("Password: ") {
            Ok(password) => overrides.parameters.push(("password", Value::new(password), "-W")),
            Err(error) => {
                eprintln!("pgtls-check: -W: no password was read from the terminal: {error}");
                return Ok(USAGE);
            }
        }
    }
    let setup = Setup {
        environment: environment.clone(),
        overrides,
        scope: Scope {
            tls_only: arguments.tls_only,
            require_auth: arguments.require_auth,
            expires_within: Some(arguments.expires_within),
        },
        may_try: !arguments.no_try,
        total_limit: arguments.timeout,
        as_of: arguments.as_of,
        policy,
        wait: arguments.wait,
        watched: Some(error_style(display, environment))
            .filter(|style| targets.len() == 1 && progress::is_wanted(*style)),
        system_store: SystemStore::default(),
    };
    if arguments.show_config {
        let mut status = 0;
        for (place, target) in targets.iter().enumerate() {
            if place > 0 && display.format == Format::Human {
                print("\n")?;
            }
            status = worse(status, show_config(&setup, target.as_ref(), display)?);
        }
        return Ok(status);
    }
    let style = output_style(display, environment);
    check_all(setup, targets, arguments, display, style)
}

/// The targets in their order: those of the command line, then those of `--from`. No target at all is one without a
/// string: environment or service say where to go.
fn targets(arguments: &CheckArgs, environment: &Environment) -> anyhow::Result<Vec<Option<Secret>>> {
    let given = arguments.conninfo.iter().map(|text| Some(Secret::new(text.clone().into_encoded_bytes())));
    let mut targets: Vec<Option<Secret>> = given.collect();
    if let Some(path) = &arguments.from {
        let listed = listed_targets(path).with_context(|| format!("--from {}", path.display()))?;
        anyhow::ensure!(
            !listed.is_empty() || !targets.is_empty(),
            "--from {}: no target in it",
            path.display()
        );
        targets.extend(listed.into_iter().map(Some));
    }
    if arguments.all_services {
        let names = conninfo::service::names(environment);
        anyhow::ensure!(
            !names.is_empty(),
            "--all-services: no section in a service file (PGSERVICEFILE, else ~/.pg_service.conf)"
        );
        let service =
            |name: String| [b"service=".as_slice(), &conninfo::write::quoted(name.as_bytes())].concat();
        targets.extend(names.into_iter().map(|name| Some(Secret::new(service(name)))));
    }
    if targets.is_empty() {
        targets.push(None);
    }
    Ok(targets)
}

/// A connection string a line; blank lines and those that begin with `#` are none.
fn listed_targets(path: &Path) -> anyhow::Result<Vec<Secret>> {
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(io::BufReader::new(std::fs::File::open(path)?))
    };
    let mut targets = Vec::new();
    for number in 1.. {
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut reader, LONGEST_LINE as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        anyhow::ensure!(line.len() <= LONGEST_LINE, "line {number} is longer than {LONGEST_LINE} bytes");
        let line = line.trim_ascii();
        if !line.is_empty() && line.first() != Some(&b'#') {
            targets.push(Secret::new(line.to_vec()));
        }
    }
    Ok(targets)
}

/// Checks all targets, so many at once, and reports them in their order.
fn check_all(
    setup: Setup,
    targets: Vec<Option<Secret>>,
    arguments: &CheckArgs,
    display: &DisplayArgs,
    style: Style,
) -> anyhow::Result<u8> {
    let total = targets.len();
    let many = total > 1;
    let jobs = descriptors::room_for(usize::from(arguments.jobs).min(total));
    let verbosity = display.verbosity();
    let mut report = Vec::new();
    let mut tally = Tally::new(Instant::now());
    let run;
    {
        let main_style = if arguments.output.is_some() { Style::document() } else { style };
        let main: Box<dyn Write> = match arguments.output {
            Some(_) => Box::new(&mut report),
            None => Box::new(io::stdout().lock()),
        };
        let mut reporters =
            vec![display.format.reporter(Layout { style: main_style, verbosity, many }, main)];
        if arguments.output.is_some() {
            reporters.push(Format::Human.reporter(Layout { style, verbosity, many }, io::stdout().lock()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let interrupted = LocalSet::new().block_on(
            &runtime,
            check_in_order(setup, targets, jobs, &mut |outcome| {
                tally.count(outcome);
                reporters.iter_mut().try_for_each(|reporter| unless_unread(reporter.target(outcome)))
            }),
        )?;
        run = tally.run(total, interrupted);
        for reporter in &mut reporters {
            unless_unread(reporter.finish(&run))?;
        }
        // A look-up that hangs in the system's resolver has a thread of its own, which nobody waits for.
        runtime.shutdown_background();
    }
    if let Some(path) = &arguments.output {
        write::atomically(path, &report, write::Existing::Replace)
            .with_context(|| format!("--output {}", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(run.exit_status)
}

/// Runs at most `jobs` checks at a time and hands over each outcome in the order of its target. True when Ctrl-C ended
/// it; what had been finished by then was handed over.
async fn check_in_order(
    setup: Setup,
    targets: Vec<Option<Secret>>,
    jobs: usize,
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
            let setup = Rc::clone(&setup);
            running.spawn_local(async move { (place, check(&setup, target.as_ref()).await) });
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

/// Checks one target, again and again while waiting may cure it and `--wait` allows. Second looks are taken when another
/// failure is seen than in the round before, and in the last round; fixes are tried in the last round alone.
pub(super) async fn check(setup: &Setup, target: Option<&Secret>) -> Outcome {
    let means = Means {
        input: target,
        overrides: &setup.overrides,
        environment: &setup.environment,
        may_connect: setup.may_try,
        total_limit: setup.total_limit,
        system_store: &setup.system_store,
    };
    let mut waiting = Waiting::new(setup.wait);
    let mut known = None;
    loop {
        let round = match Round::begin(setup, target).await {
            Ok(round) => round,
            Err(outcome) => return trial::try_fixes(*outcome, means).await,
        };
        if setup.wait.is_some() {
            let seen = curable(&judged(setup, round.probed.evidence.clone()));
            if seen.is_some() && seen == known && waiting.pause().await {
                continue;
            }
            known = seen;
        }
        let outcome = round.end(setup).await;
        if curable(&outcome).is_some() && waiting.pause().await {
            continue;
        }
        return trial::try_fixes(outcome, means).await;
    }
}

/// The code of a failure that waiting may cure.
fn curable(outcome: &Outcome) -> Option<&'static str> {
    outcome.diagnosis.as_ref().filter(|diagnosis| diagnosis.retryable).map(|diagnosis| diagnosis.code)
}

/// The pauses of `--wait`.
struct Waiting {
    patience: Option<Patience>,
    begin: Instant,
    pause: Duration,
}

impl Waiting {
    fn new(patience: Option<Patience>) -> Self {
        Self { patience, begin: Instant::now(), pause: FIRST_PAUSE }
    }

    /// Waits for the next round; at once false if there is to be none.
    async fn pause(&mut self) -> bool {
        let patient = match self.patience {
            None => false,
            Some(Patience::Endless) => true,
            Some(Patience::For(limit)) => self.begin.elapsed() + self.pause < limit,
        };
        if patient {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        patient
    }
}

/// One check of a target, as far as it needs no further connections.
struct Round {
    plan: Plan,
    probed: Probed,
}

impl Round {
    /// Probes; the outcome of settings that are wrong is there at once.
    async fn begin(setup: &Setup, target: Option<&Secret>) -> Result<Self, Box<Outcome>> {
        let started = Timestamp::now();
        let judged_at = setup.as_of.unwrap_or(started);
        let resolved = conninfo::resolve(target.map(Secret::expose), &setup.overrides, &setup.environment);
        let settings = resolved.map_err(|failure| {
            let evidence = Evidence::of_bad_config(started, judged_at, setup.scope, *failure);
            Box::new(judged(setup, evidence))
        })?;
        let plan = Plan {
            trust: trust::load(&settings, &setup.environment),
            settings,
            started,
            judged_at,
            scope: setup.scope,
            second_looks: setup.may_try,
            total_limit: setup.total_limit,
            only_host: None,
            progress: Progress::default(),
        };
        let probed = setup.telling(&plan, probe::probe_once(&plan)).await;
        Ok(Self { plan, probed })
    }

    /// Takes second looks and judges.
    async fn end(self, setup: &Setup) -> Outcome {
        let Self { plan, probed } = self;
        let mut evidence = match plan.second_looks {
            true => setup.telling(&plan, probed.looked_further(&plan)).await,
            false => probed.evidence,
        };
        // The public roots are read only where they may explain a failure.
        if evidence.chain_was_refused() {
            evidence.system_roots = Some(setup.system_store.get(&setup.environment).clone());
        }
        judged(setup, evidence)
    }
}

fn judged(setup: &Setup, evidence: Evidence) -> Outcome {
    let mut outcome = diagnose::diagnose(evidence);
    setup.policy.apply(&mut outcome);
    outcome
}

/// The exit status of two targets: the lowest that is not 0.
fn worse(one: u8, other: u8) -> u8 {
    if one == 0 || other == 0 { one.max(other) } else { one.min(other) }
}

/// Counts outcomes.
struct Tally {
    begin: Instant,
    run: Run,
}

impl Tally {
    fn new(begin: Instant) -> Self {
        Self { begin, run: Run::default() }
    }

    fn count(&mut self, outcome: &Outcome) {
        match outcome.verdict {
            Verdict::Verified => self.run.verified += 1,
            Verdict::Failed => self.run.failed += 1,
        }
        if outcome.verdict == Verdict::Verified && !outcome.warnings.is_empty() {
            self.run.warned += 1;
        }
        self.run.exit_status = worse(self.run.exit_status, report::exit_status(outcome));
    }

    fn run(&self, targets: usize, interrupted: bool) -> Run {
        Run {
            elapsed: self.begin.elapsed(),
            unfinished: targets.saturating_sub(self.run.verified + self.run.failed),
            exit_status: if interrupted { INTERRUPTED } else { self.run.exit_status },
            ..self.run.clone()
        }
    }
}

/// `--show-config`: the settings and where they came from; what a run would refuse before its first socket is told.
fn show_config(setup: &Setup, target: Option<&Secret>, display: &DisplayArgs) -> anyhow::Result<u8> {
    let now = Timestamp::now();
    let (parameters, diagnosis) =
        match conninfo::resolve(target.map(Secret::expose), &setup.overrides, &setup.environment) {
            Ok(settings) => (settings.parameters, None),
            Err(failure) => {
                let parameters = failure.parameters.clone();
                (
                    parameters,
                    judged(setup, Evidence::of_bad_config(now, now, setup.scope, *failure)).diagnosis,
                )
            }
        };
    let text = match display.format {
        Format::Json => report::config::json(&parameters, diagnosis.as_ref()),
        _ => {
            report::config::human(output_style(display, &setup.environment), &parameters, diagnosis.as_ref())
        }
    };
    print(&text)?;
    Ok(diagnosis.map_or(0, |diagnosis| diagnosis.stage.exit_status()))
}
