//! Tries the fixes that change settings, before they are offered: on the chain that was captured where that is enough,
//! else by another connection that ends when TLS is verified and carries no user, database or password.
//!
//! A fix that works says so and gives the whole corrected connection string. One that cures the fault and uncovers
//! another says which. One that changes nothing, or leads to an earlier failure, is not offered. What cannot be tried
//! without a password, or before a command was run, stays untried.

mod candidates;
mod string;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::conninfo::{self, Endpoint, Environment, Host, Origin, Overrides, Settings, SslMode, Value};
use crate::diagnose::{
    Code, Concern, Diagnosis, Fact, Fix, NO_FILE, Outcome, Trial, Warning, codes, diagnose, is_stranger,
};
use crate::evidence::{Attempt, Evidence, Member, Resolution, SessionFailure, TcpResult, TlsFailure};
use crate::file;
use crate::order;
use crate::own_thread;
use crate::plan::Plan;
use crate::probe::{addresses_by_dns, probe};
use crate::provider;
use crate::secret::Secret;
use crate::stage::Stage;
use crate::timestamp::Timestamp;
use crate::trust::{self, ClientIdentity, RootSource, RootStore, Roots, SystemStore, Trust};
use crate::verify::{self, Demand};
use string::Corrected;

/// Connections that trials may make in all.
const MOST_CONNECTIONS: usize = 6;
/// Other addresses of a name that are looked at.
const MOST_ADDRESSES: usize = 2;
/// PostgreSQL's protocol in ALPN (RFC 7301), as IANA registered it.
const ALPN: &str = "postgresql";
/// How much longer than its own limit a failing address may take for the sake of its fixes (README, "Time").
const GRACE: Duration = Duration::from_secs(1);
/// Settings under which the same handshake is only judged differently.
const JUDGED_ONLY: [&str; 4] = ["sslmode", "sslrootcert", "sslcrl", "sslcrldir"];
/// Settings under which the server is the same and verified by the same rules. Only there does a trial present the client
/// certificate: under another name or other roots it would go to whoever this check did not accept.
const SAME_SERVER: [&str; 7] = [
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcertmode",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "sslnegotiation",
];
/// What the program does whatever the settings say: there is no GSSAPI in it.
const AS_CHECKED: [(&str, &str); 1] = [("gssencmode", "disable")];
/// Settings that matter after TLS and cannot be tried without credentials.
const CREDENTIALS: [&str; 4] = ["user", "dbname", "channel_binding", "require_auth"];

/// What a check was made from, and what a trial may do.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The connection string.
    pub input: Option<&'a Secret>,
    /// The options over it.
    pub overrides: &'a Overrides,
    /// The surroundings.
    pub environment: &'a Environment,
    /// Whether another connection may be made.
    pub may_connect: bool,
    /// `--timeout`: the limit of the whole target.
    pub total_limit: Option<Duration>,
    /// The system's trust store.
    pub system_store: &'a SystemStore,
}

/// Tries the fixes of a check: those of its diagnosis, within the time that its address has left and at most a second
/// more; of a verified one those of its warnings, on the captured chain alone.
pub async fn try_fixes(mut outcome: Outcome, context: Context<'_>) -> Outcome {
    let begin = Instant::now();
    match outcome.diagnosis.take() {
        None => {
            let warnings = std::mem::take(&mut outcome.warnings);
            let trials = Trials::new(&outcome.evidence, context);
            let mut judged = Vec::new();
            for warning in warnings {
                judged.push(Box::pin(trials.judged_warning(warning)).await);
            }
            outcome.warnings = judged;
        }
        Some(mut diagnosis) => {
            let mut trials = Trials::new(&outcome.evidence, context);
            if *diagnosis.code == codes::HOST_REQUIRED {
                Box::pin(trials.with_names(&mut diagnosis)).await;
            }
            trials.beside = std::mem::take(&mut outcome.also);
            // Four times as large as all else that a check keeps while it waits, and most checks do not come here.
            diagnosis.fixes = Box::pin(trials.tried(&diagnosis)).await;
            diagnosis.with_place_that_answers();
            let mut also = std::mem::take(&mut trials.beside);
            let known = |found: &Diagnosis| also.iter().any(|other| other.code == found.code);
            let found = trials.of_the_chain.take().filter(|found| !known(found));
            also.extend(found);
            outcome.also = also;
            outcome.diagnosis = Some(diagnosis);
            outcome.evidence.took += begin.elapsed();
        }
    }
    outcome
}

/// What a trial showed.
enum Comparison {
    /// The fault is gone and nothing else is wrong; with the string that shows it.
    Cured(Option<String>),
    /// So is the handshake without a client certificate; whether the server then demands one of this user, only the login
    /// shows.
    Admitted(Option<String>),
    /// The fault is gone, another one came to light.
    Another(Diagnosis),
    /// The same fault, or one before it.
    NoBetter,
    /// Another address has a server that is verified too; the login, which failed, is not tried there.
    Elsewhere(IpAddr),
    /// It cannot be tried, or ran out of time.
    Undecided,
}

/// What is known of a fix that takes the client certificate away from a server that asks for one.
const WITHOUT_CERTIFICATE: &str =
    " (TLS works without it; whether the login does, the user's line in pg_hba.conf decides)";

/// What came of judging the captured chain again.
enum Rejudged {
    Judged(Box<Evidence>),
    /// None was captured.
    NoChain,
    /// The time or the work that it may take is used up.
    Exhausted,
}

/// What was found under a fix, and the settings that the corrected string gives.
struct TrialResult {
    settings: Option<Settings>,
    outcome: Outcome,
    /// Whether the client certificate was held back, so that a demand for it is no new fault.
    anonymous: bool,
    /// Whether the fix takes the client certificate away from a server that asks for one.
    asked: bool,
}

struct Trials<'a> {
    evidence: &'a Evidence,
    context: Context<'a>,
    /// A chain that a trial saw where the check itself saw none.
    captured: Option<Evidence>,
    /// What is wrong with the server's chain where the fault is in the client's own files.
    of_the_chain: Option<Diagnosis>,
    /// What is told beside the diagnosis.
    beside: Vec<Diagnosis>,
    /// The issuer that the chain needs and that nothing on this machine has.
    sought: Option<String>,
    begin: Instant,
    budget: Duration,
    connections: usize,
}

impl<'a> Trials<'a> {
    fn new(evidence: &'a Evidence, context: Context<'a>) -> Self {
        Self {
            evidence,
            context,
            captured: None,
            of_the_chain: None,
            beside: Vec::new(),
            sought: None,
            begin: Instant::now(),
            budget: time_left(evidence, context.total_limit),
            connections: 0,
        }
    }

    /// The fixes of a diagnosis, tried, and what else a trial shows to work.
    async fn tried(&mut self, diagnosis: &Diagnosis) -> Vec<Fix> {
        let mut kept: Vec<Fix> = Vec::new();
        // What cures the second of two faults: it stands below the first one's remedy.
        let mut next: Vec<String> = Vec::new();
        // And what it sets.
        let mut cure: Vec<(&'static str, String)> = Vec::new();
        let mut elsewhere = None;
        for mut fix in diagnosis.fixes.clone() {
            self.as_written(&mut fix);
            match self.compared(diagnosis, &fix).await {
                Comparison::Cured(conninfo) => {
                    fix.tried = Some(Trial::Works);
                    // Where a command does it, the string stays as it was.
                    fix.conninfo = conninfo.filter(|_| !fix.by_command);
                }
                Comparison::Admitted(conninfo) => {
                    fix.text.push_str(WITHOUT_CERTIFICATE);
                    fix.conninfo = conninfo.filter(|_| !fix.by_command);
                }
                // Another way to begin that leads no further is no remedy.
                Comparison::Another(ref found)
                    if fix.names("sslnegotiation")
                        && diagnosis.fixes.len() > 1
                        && order(found.code.stage) <= order(diagnosis.code.stage) =>
                {
                    continue;
                }
                Comparison::Another(mut found) => {
                    let is_whole = self.put_first_what_works(&fix, &mut found).await;
                    next.extend(found.fixes.first().map(|fix| fix.text.clone()));
                    if is_whole && cure.is_empty() {
                        cure.extend(found.fixes.first().into_iter().flat_map(|fix| fix.settings.clone()));
                    }
                    fix.conninfo = self.string_of_both(&mut fix, &found).filter(|_| !fix.by_command);
                    // Whatever is done about the client's own files, the server's chain stays what it is.
                    let stays = diagnosis.code.concerns(Concern::ClientFiles)
                        && found.code.stage == Stage::Certificate;
                    let told = Told {
                        below: self.is_beside(&found, stays),
                        whole: is_whole && fix.conninfo.is_some(),
                    };
                    uncovers(&mut fix, diagnosis.code, &found, told);
                }
                Comparison::NoBetter => continue,
                Comparison::Elsewhere(address) => {
                    fix.text.push_str(&format!(" at {address}, which is verified too"));
                    elsewhere = Some(fix);
                    continue;
                }
                Comparison::Undecided => {
                    let string = fix.conninfo.take().or_else(|| self.untried_string(&fix, &cure));
                    fix.conninfo = string.filter(|_| !fix.by_command);
                }
            }
            kept.push(fix);
        }
        let says_so = |fix: &Fix| {
            let asks = Fix::asks_for_a_root(&fix.text);
            next.iter().any(|next| *next == fix.text || (asks && Fix::asks_for_a_root(next)))
        };
        kept.retain(|fix| fix.tried.is_some() || !says_so(fix));
        self.with_candidates(diagnosis, &mut kept).await;
        // Of a chain that the check saw itself the diagnosis says what it needs.
        if let Some(name) = self.sought.take().filter(|_| self.captured.is_some()) {
            kept.iter_mut().for_each(|fix| fix.name_the_root(&name));
        }
        // Whatever a trial led to, what mends the fault that is told is said.
        if kept.is_empty() {
            kept.extend(diagnosis.fixes.first().cloned());
        }
        let mut kept = self.in_order(kept, diagnosis);
        kept.splice(0..0, elsewhere);
        kept
    }

    /// What else a trial shows to work.
    async fn with_candidates(&mut self, diagnosis: &Diagnosis, kept: &mut Vec<Fix>) {
        for mut fix in self.candidates(diagnosis).await {
            if kept.iter().any(|known| known.settings == fix.settings) {
                continue;
            }
            self.as_written(&mut fix);
            match self.compared(diagnosis, &fix).await {
                Comparison::Cured(conninfo) => {
                    fix.tried = Some(Trial::Works);
                    fix.conninfo = conninfo.filter(|_| !fix.by_command);
                    kept.push(fix);
                    // One key that fits is enough.
                    if diagnosis.code.concerns(Concern::ClientFiles) {
                        break;
                    }
                }
                // Of two names the one that exists.
                Comparison::Another(found)
                    if fix.names("host") && order(found.code.stage) > order(diagnosis.code.stage) =>
                {
                    match diagnosis.code.stage {
                        Stage::Dns => fix.text.push_str(" (that name exists)"),
                        _ => {
                            uncovers(&mut fix, diagnosis.code, &found, Told::default());
                            // It stays where it stands.
                            fix.tried = None;
                        }
                    }
                    kept.insert(0, fix);
                }
                _ => {}
            }
        }
    }

    /// What works first, what uncovers another fault last, otherwise in the rule's order.
    fn in_order(&self, mut kept: Vec<Fix>, diagnosis: &Diagnosis) -> Vec<Fix> {
        let has_certificate =
            self.evidence.config.as_ref().is_ok_and(|settings| settings.path("sslcert").is_some());
        // Where DNS does not know the name either, the one that the server gives itself is the likelier.
        let is_stray =
            |fix: &Fix| self.removes_stray_address(fix) && diagnosis.code.stage == Stage::Certificate;
        let is_lost = kept.iter().any(|fix| fix.tried == Some(Trial::Fails) && is_stray(fix));
        let first = diagnosis.fixes.first().map(|fix| (&fix.settings, &fix.edit));
        let is_first = |fix: &Fix| first == Some((&fix.settings, &fix.edit));
        let rank = |fix: &Fix| match fix.tried {
            // Who named a certificate most likely wants it.
            Some(Trial::Works) if has_certificate && takes_certificate_away(fix) => 1,
            // And who named CRLs, revocation checked.
            Some(Trial::Works) if takes_revocation_away(fix) => 1,
            Some(Trial::Works) => 0,
            // The address leads to another server, whatever DNS then says of the right one.
            Some(Trial::Fails) if is_stray(fix) => 0,
            // What the rule has first mends the fault that is told.
            Some(Trial::Fails) if is_first(fix) => 1,
            None if !fix.claimed || is_lost => 1,
            Some(Trial::Fails) => 2,
            None => 3,
        };
        order::by_key(&mut kept, rank);
        // Beside what cures all, what leaves another fault is no remedy, and no root has to be sent for.
        if kept.first().is_some_and(|first| first.tried == Some(Trial::Works) && rank(first) == 0) {
            let is_to_come =
                |fix: &Fix| fix.root_to_come().is_some() && !diagnosis.code.concerns(Concern::Roots);
            kept.retain(|fix| fix.tried != Some(Trial::Fails) && !is_to_come(fix));
        }
        kept
    }

    /// Of the remedies of the second of two faults, the first one with which both are cured; one that was tried and leads
    /// no further is none. Whether that is all there is to do.
    async fn put_first_what_works(&mut self, fix: &Fix, found: &mut Diagnosis) -> bool {
        let (mut at, mut leads_on) = (0, false);
        while let Some(next) = found.fixes.get(at) {
            let by_hand = next.command.is_some()
                && !next.by_command
                && next.bundle.is_none()
                && next.converts.is_none();
            let both = both(fix, next);
            let corrected = Corrected::of(&both, self.evidence, self.context);
            let result = match corrected.filter(|_| !next.settings.is_empty() && !next.claimed && !by_hand) {
                Some(corrected) => self.found_under(&both, &corrected).await,
                None => None,
            };
            match result.map(|result| result.outcome.diagnosis) {
                Some(None) => {
                    let is_whole = next.command.is_none();
                    found.fixes.rotate_left(at);
                    return is_whole;
                }
                Some(Some(third))
                    if found.fixes.len() > 1
                        && (third.code == found.code
                            || order(third.code.stage) < order(found.code.stage)) =>
                {
                    found.fixes.remove(at);
                }
                Some(Some(third)) => {
                    let is_later =
                        third.code != found.code && order(third.code.stage) >= order(found.code.stage);
                    leads_on |= at == 0 && is_later && next.command.is_none();
                    at += 1;
                }
                None => at += 1,
            }
        }
        leads_on
    }

    /// Whether a fault is told beside the diagnosis, then with its remedies as they were tried.
    fn is_beside(&mut self, found: &Diagnosis, adds: bool) -> bool {
        match self.beside.iter_mut().find(|known| known.code == found.code) {
            Some(known) => known.fixes.clone_from(&found.fixes),
            None if adds => self.beside.push(found.clone()),
            None => return false,
        }
        true
    }

    /// The whole string under the first remedies of two faults. Where the second one's is no setting, that is done as told.
    fn string_of_both(&self, fix: &mut Fix, found: &Diagnosis) -> Option<String> {
        let next = found.fixes.first();
        let more = next.into_iter().flat_map(|next| next.settings.iter().cloned().chain(next.root_to_come()));
        fix.also_set.extend(more);
        let both = Fix { settings: fix.all_settings(), ..fix.clone() };
        Corrected::of(&both, self.evidence, self.context)?.shown_as_set(self.context)
    }

    /// The whole string under a fix that shows only with credentials, which no trial sends, or that sends for a root: then with
    /// what cures a second fault.
    fn untried_string(&self, fix: &Fix, cure: &[(&'static str, String)]) -> Option<String> {
        let settings = self.evidence.config.as_ref().ok()?;
        if let Some(root) = fix.root_to_come() {
            let mut set = cure.to_vec();
            set.retain(|(keyword, _)| *keyword != root.0);
            set.push(root);
            set.extend(self.for_the_name(settings));
            let with_root = Fix { settings: set, ..Fix::default() };
            return Corrected::of(&with_root, self.evidence, self.context)?.shown(settings);
        }
        let is_shown = (fix.claimed || self.is_seen_with_credentials_only())
            && fix.edit.is_none()
            && !fix.settings.is_empty()
            && !fix.names("sslmode");
        Corrected::of(fix, self.evidence, self.context).filter(|_| is_shown)?.shown(settings)
    }

    /// What verifies the name too in a string that sends for a root: verify-full, or what mends the name.
    fn for_the_name(&self, settings: &Settings) -> Vec<(&'static str, String)> {
        let tls = self.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
        let Some(judged) = tls.and_then(|tls| tls.result.judgement.as_ref()) else { return Vec::new() };
        let other = |code: &Code| self.beside.iter().find(|other| *other.code == *code);
        let is_named = judged.defects.iter().all(|defect| defect.demand() != Demand::Name);
        match other(&codes::HOSTNAME_MISMATCH).and_then(|other| other.fixes.first()) {
            Some(fix) if !fix.claimed => fix.settings.clone(),
            None if is_named && settings.sslmode == SslMode::Require => {
                vec![("sslmode", "verify-full".to_owned())]
            }
            _ => Vec::new(),
        }
    }

    /// What the server at an address calls itself, where no name to verify was given. That is its own claim, so that no trial
    /// under such a name shows anything.
    async fn with_names(&mut self, diagnosis: &mut Diagnosis) {
        // A name to read the settings with; it is not sent.
        let placeholder = Fix { settings: vec![("host", "localhost".to_owned())], ..Fix::default() };
        let Some(corrected) = Corrected::of(&placeholder, self.evidence, self.context) else { return };
        let Some(Ok((settings, mut trust))) = self.under(&placeholder, &corrected) else { return };
        let asked = Settings { sslmode: SslMode::Require, sni: false, ..settings.clone() };
        trust.roots = Roots::None;
        let Some(seen) = self.probed(asked, trust, true).await else { return };
        let Some(mut fix) = diagnosis.with_certified_names(&seen) else { return };
        let corrected = Corrected::of(&fix, self.evidence, self.context);
        fix.conninfo = corrected.and_then(|corrected| corrected.shown(&settings));
        diagnosis.fixes = vec![fix];
    }

    /// What may help besides the rule's fixes.
    async fn candidates(&mut self, diagnosis: &Diagnosis) -> Vec<Fix> {
        let Ok(settings) = &self.evidence.config else { return Vec::new() };
        let environment = self.context.environment;
        if diagnosis.code.concerns(Concern::ClientCertificate) {
            return candidates::client_certificate(settings, environment).into_iter().collect();
        }
        // A key that others may read is the right one: its mode is at fault.
        if *diagnosis.code == codes::CLIENT_KEY_PERMISSIONS {
            return Vec::new();
        }
        if diagnosis.code.concerns(Concern::ClientFiles) {
            return candidates::keys(settings, environment);
        }
        let mut fixes = self.other_addresses(diagnosis);
        fixes.extend(other_names(self.evidence, diagnosis));
        if !diagnosis.code.concerns(Concern::Roots) {
            return fixes;
        }
        fixes.extend(candidates::root_files(settings, environment));
        // Judged without any root, the chain tells which known one it leads to.
        if let Some(rootless) = self.without_roots(settings).await {
            let Outcome { diagnosis: found, also, .. } = diagnosed(rootless).await;
            self.sought = found.as_ref().and_then(sought_root);
            // What is wrong with it whatever the roots are.
            if self.captured.is_some() {
                let stranger =
                    found.as_ref().filter(|found| *found.code == codes::TLS_INSPECTION).map(with_issuer);
                self.of_the_chain = stranger
                    .or_else(|| also.into_iter().find(|found| found.code.stage == Stage::Certificate));
            }
            let found = found.map(|found| found.fixes).unwrap_or_default();
            fixes.extend(found.into_iter().filter(|fix| !fix.settings.is_empty()));
        }
        fixes
    }

    /// The other addresses of the name, where the server at the first one is at fault: libpq asks them only where it gets no
    /// connection.
    fn other_addresses(&self, diagnosis: &Diagnosis) -> Vec<Fix> {
        let Ok(settings) = &self.evidence.config else { return Vec::new() };
        let (Some(attempt), [host]) = (self.evidence.attempts.last(), settings.hosts.as_slice()) else {
            return Vec::new();
        };
        let resolved = attempt.dns.as_ref().and_then(|step| match &step.result {
            Resolution::Found(addresses) => Some(addresses),
            _ => None,
        });
        let others = resolved.into_iter().flatten().filter(|address| Some(**address) != attempt.address);
        let is_of_server = diagnosis.code.stage == Stage::Certificate && self.evidence.member.is_none();
        let name = crate::text::printable_bytes(host.name.exposed());
        let this = attempt.address.map(|address| address.to_string()).unwrap_or_default();
        let fix = |other: &IpAddr| Fix {
            text: format!(
                "at {other}, another address of {name}, a server answers that verifies: connect to that one; the server at {this} is \
                 another, or has to be mended"
            ),
            settings: vec![("hostaddr", other.to_string())],
            ..Fix::default()
        };
        others.filter(|_| is_of_server).take(MOST_ADDRESSES).map(fix).collect()
    }

    /// The captured chain judged against an empty file. Where files kept the check from shaking hands, that is done now.
    async fn without_roots(&mut self, settings: &Settings) -> Option<Evidence> {
        let source = match &settings.root {
            conninfo::RootChoice::File { path, .. } => RootSource::Given(path.clone()),
            conninfo::RootChoice::Default(path) => RootSource::DefaultFile(path.clone().unwrap_or_default()),
            conninfo::RootChoice::System => return None,
        };
        let mut trust = Trust::clone(self.evidence.trust.as_ref()?);
        trust.roots = Roots::Loaded(RootStore::loaded(source, Vec::new()));
        let mut judged = match self.judged_again(settings, &trust).await {
            Rejudged::Judged(judged) => *judged,
            Rejudged::Exhausted => return None,
            Rejudged::NoChain => {
                let captured = self.probed(settings.clone(), trust, true).await?;
                self.captured.insert(captured).clone()
            }
        };
        if judged.system_roots.is_none() {
            judged.system_roots = Some(file::within(Duration::ZERO, || {
                self.context.system_store.get(self.context.environment).clone()
            }));
        }
        Some(judged)
    }

    /// What is changed of TLS in another driver's string is written with verify-full, but for verify-ca.
    fn as_written(&self, fix: &mut Fix) {
        let weak = |settings: &Settings| settings.sslmode != SslMode::VerifyFull;
        if self
            .evidence
            .typed
            .as_ref()
            .is_some_and(|typed| typed.reading().is_some() && typed.verify_ca().is_none())
            && self.evidence.config.as_ref().is_ok_and(weak)
            && fix.names("sslrootcert")
            && !fix.names("sslmode")
        {
            fix.also_set.push(("sslmode", "verify-full".to_owned()));
        }
    }

    async fn compared(&mut self, before: &Diagnosis, fix: &Fix) -> Comparison {
        let after_login = self.is_seen_with_credentials_only();
        if fix.by_dns && fix.tried.is_none() {
            return match self.found_by_dns().await {
                Some(Some(found)) if after_login => self.elsewhere(&found.outcome),
                Some(Some(found)) => self.comparison(before, fix, None, found).await,
                // Without the file the name has no address, or the same one.
                Some(None) => Comparison::NoBetter,
                None => Comparison::Undecided,
            };
        }
        let changes = !fix.settings.is_empty() || fix.edit.is_some();
        let is_shown = !after_login || self.removes_stray_address(fix);
        if !changes || fix.claimed || fix.tried.is_some() || !is_shown {
            return Comparison::Undecided;
        }
        let Some(corrected) = Corrected::of(fix, self.evidence, self.context) else {
            return Comparison::Undecided;
        };
        let Some(found) = self.found_under(fix, &corrected).await else { return Comparison::Undecided };
        if after_login {
            return self.elsewhere(&found.outcome);
        }
        self.comparison(before, fix, Some(corrected), found).await
    }

    /// Whether another server is verified where nothing but DNS leads.
    fn elsewhere(&self, outcome: &Outcome) -> Comparison {
        let address = |evidence: &Evidence| evidence.attempts.last().and_then(|attempt| attempt.address);
        match address(&outcome.evidence).filter(|_| outcome.diagnosis.is_none()) {
            Some(there) if address(self.evidence) == Some(there) => Comparison::NoBetter,
            Some(there) => Comparison::Elsewhere(there),
            None => Comparison::Undecided,
        }
    }

    /// What the check would have found where DNS says the host is; nothing where it says nothing else than the file.
    /// `None` if that cannot be told.
    async fn found_by_dns(&mut self) -> Option<Option<TrialResult>> {
        let (Ok(settings), Some(trust)) = (&self.evidence.config, &self.evidence.trust) else { return None };
        let attempt = self.evidence.attempts.last()?;
        let host = settings.hosts.get(attempt.host)?;
        let Endpoint::Name(name) = &host.endpoint else { return None };
        let (left, most) = (self.left(), MOST_CONNECTIONS.saturating_sub(self.connections));
        if !self.context.may_connect || left.is_zero() || most == 0 {
            return None;
        }
        let addresses = addresses_by_dns(name, left, most).await?;
        if addresses.is_empty() || addresses.iter().any(|address| Some(*address) == attempt.address) {
            return Some(None);
        }
        let at = |address| Host { endpoint: Endpoint::Address(address, None), ..host.clone() };
        let hosts = addresses.into_iter().map(at).collect();
        let settings = Settings { hosts, shuffle_hosts: false, ..settings.clone() };
        let anonymous = matches!(trust.client, ClientIdentity::Ready(_));
        let evidence = self.probed(settings, Trust::clone(trust), true).await?;
        Some(Some(TrialResult {
            settings: None,
            outcome: diagnosed(evidence).await,
            anonymous,
            asked: false,
        }))
    }

    async fn comparison(
        &mut self,
        before: &Diagnosis,
        fix: &Fix,
        corrected: Option<Corrected>,
        found: TrialResult,
    ) -> Comparison {
        // A root that verifies somebody else in place of the provider is no remedy.
        if before.code.concerns(Concern::Roots) && !fix.same_file && is_stranger(&found.outcome.evidence) {
            // Behind a file that cannot be used it is no fault of what is to take its place.
            let is_own =
                self.captured.is_some() && !fix.settings.contains(&("sslrootcert", "system".to_owned()));
            return if is_own { Comparison::Undecided } else { Comparison::NoBetter };
        }
        // What speaks TLS at once and does not take PostgreSQL's ALPN is another service.
        if starts_with_tls(fix) && !self.takes_alpn(&found).await {
            return Comparison::NoBetter;
        }
        let demands_certificate = |after: &Diagnosis| after.code.concerns(Concern::ClientCertificate);
        let Some(after) =
            found.outcome.diagnosis.filter(|after| !(found.anonymous && demands_certificate(after)))
        else {
            let shown = found.settings.and_then(|settings| corrected?.shown(&settings));
            return if found.asked { Comparison::Admitted(shown) } else { Comparison::Cured(shown) };
        };
        let both_roots = [before, &after].iter().all(|found| found.code.concerns(Concern::Roots));
        if after.code.concerns(Concern::Deadline) && after.code != before.code {
            Comparison::Undecided
        } else if after.code == before.code
            // Where DNS takes the place of a wrong address, a name that it does not have is what is then left.
            || order(after.code.stage) < order(before.code.stage) && !(self.removes_stray_address(fix) && after.code.stage == Stage::Dns)
            // Another failure of the same handshake is no step forward.
            || (after.code.stage == Stage::Tls && before.code.stage == Stage::Tls)
            || (both_roots && fix.converts.is_none())
            // Other roots that are not there or do not fit are no way round those that are missing.
            || (fix.names("sslrootcert") && !self.takes_own_roots(fix) && after.code.concerns(Concern::Roots))
        {
            Comparison::NoBetter
        } else {
            Comparison::Another(after)
        }
    }

    /// Whether the roots that it sets are those that the driver has by itself.
    fn takes_own_roots(&self, fix: &Fix) -> bool {
        let own = self.evidence.typed.as_deref().and_then(|typed| typed.unused_roots.as_deref());
        fix.settings.iter().any(|(keyword, value)| *keyword == "sslrootcert" && own == Some(value))
    }

    /// Whether it takes away an address that nobody typed.
    fn removes_stray_address(&self, fix: &Fix) -> bool {
        let removes = fix.settings.iter().any(|(keyword, value)| *keyword == "hostaddr" && value.is_empty());
        let parameter =
            self.evidence.config.as_ref().ok().and_then(|settings| settings.parameter("hostaddr"));
        let is_stray = |origin: &Origin| matches!(origin, Origin::Environment(_) | Origin::Service { .. });
        removes && parameter.is_some_and(|parameter| is_stray(&parameter.origin))
    }

    /// Whether the failure came to light only after a user was named: then a connection that names none shows nothing.
    fn is_seen_with_credentials_only(&self) -> bool {
        let session = self.evidence.attempts.last().and_then(|attempt| attempt.session.as_ref());
        let failure = session.and_then(|step| step.result.failure.as_ref());
        failure.is_some_and(|failure| !matches!(failure, SessionFailure::AlertReceived(_)))
    }

    /// What the check would have found under a fix: `None` if that cannot be told.
    async fn found_under(&mut self, fix: &Fix, corrected: &Corrected) -> Option<TrialResult> {
        let (settings, trust) = match self.under(fix, corrected)? {
            Ok(under) => under,
            Err(outcome) => {
                let outcome = *outcome;
                return Some(TrialResult { settings: None, outcome, anonymous: false, asked: false });
            }
        };
        let anonymous =
            !self.may_present_certificate(fix) && matches!(trust.client, ClientIdentity::Ready(_));
        let judged_only = fix.edit.is_none()
            && !fix.settings.is_empty()
            && fix.settings.iter().all(|(keyword, _)| JUDGED_ONLY.contains(keyword));
        let mut asked = false;
        let again = if judged_only { self.judged_again(&settings, &trust).await } else { Rejudged::NoChain };
        let mut evidence = match again {
            Rejudged::Judged(judged) => *judged,
            Rejudged::Exhausted => return None,
            Rejudged::NoChain => {
                let probed = self.probed(settings.clone(), trust, anonymous).await?;
                // A server that asks for a client certificate may demand one of this user (pg_hba.conf), which no trial
                // tells it.
                asked = takes_certificate_away(fix) && certificate_was_asked_for(&probed);
                // What was captured before had no chain.
                if judged_only { self.captured.insert(probed).clone() } else { probed }
            }
        };
        without_the_drivers_demand(fix, &mut evidence);
        Some(TrialResult { settings: Some(settings), outcome: diagnosed(evidence).await, anonymous, asked })
    }

    /// Whether the server of a trial chooses ALPN `postgresql`. In TLS 1.3 that comes with the certificate, so that where
    /// this was refused another connection, which verifies nothing and ends with the handshake, shows it.
    async fn takes_alpn(&mut self, found: &TrialResult) -> bool {
        let chosen = |evidence: &Evidence| {
            let tls = evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
            tls.map(|step| step.result.alpn.as_deref() == Some(ALPN))
        };
        match (chosen(&found.outcome.evidence), &found.settings) {
            (Some(true), _) => true,
            (Some(false), Some(settings)) if found.outcome.evidence.chain_was_refused() => {
                let settings = Settings { sslmode: SslMode::Require, ..settings.clone() };
                let Some(trust) = &found.outcome.evidence.trust else { return false };
                let mut trust = Trust::clone(trust);
                trust.roots = Roots::None;
                let unverified = self.probed(settings, trust, true).await;
                unverified.is_some_and(|evidence| chosen(&evidence) == Some(true))
            }
            _ => false,
        }
    }

    /// Whether a trial may present the client certificate: the check did not refuse this server, and the fix changes
    /// neither whom it talks to nor how that is verified.
    fn may_present_certificate(&self, fix: &Fix) -> bool {
        let tls = self.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
        let judgement = tls.and_then(|step| step.result.judgement.as_ref());
        let refused = judgement.is_some_and(|judgement| !judgement.accepted);
        let same = fix.edit.is_none()
            && !fix.settings.is_empty()
            && fix.settings.iter().all(|(keyword, _)| SAME_SERVER.contains(keyword));
        same && !refused
    }

    /// Settings and files under a fix, or what is then wrong with the settings.
    fn under(&self, fix: &Fix, corrected: &Corrected) -> Option<Result<(Settings, Trust), Box<Outcome>>> {
        if fix.settings.iter().any(|(keyword, _)| CREDENTIALS.contains(keyword)) && fix.edit.is_none() {
            return None;
        }
        let whole = corrected.whole();
        // A driver of libpq's that does not verify passes its default root file over; under another sslmode it reads it.
        let mut environment = self.context.environment.clone();
        if fix.names("sslmode") && !environment.program.own_tls {
            environment.program.passes_over = &[];
        }
        let options = Overrides { parameters: Vec::new(), never_prompt: self.context.overrides.never_prompt };
        let resolved = file::at_once(|| conninfo::resolve_secret(Some(&whole), &options, &environment))?;
        let settings = match resolved {
            Ok(settings) => settings,
            Err(failure) => {
                let Evidence { started, scope, .. } = *self.evidence;
                let refused = Evidence::of_bad_config(started, scope, *failure);
                return Some(Err(Box::new(diagnose(refused))));
            }
        };
        let mut trust = file::at_once(|| trust::load(&settings, &environment))?;
        // What the fix's command would write counts as written.
        let path = settings.path("sslrootcert");
        match (fix.bundle, &fix.converts, &fix.command) {
            (Some(id), ..) => trust.roots = Roots::Loaded(provider::bundle(id)?.store(&path?)),
            (None, Some(from), _) => trust.roots = trust::converted(from, &path?)?,
            (None, None, Some(_)) if !fix.by_command => return None,
            (None, None, _) => {}
        }
        Some(Ok((settings, trust)))
    }

    /// The captured chain, judged under other settings, within the time and the work that are left for it.
    async fn judged_again(&self, settings: &Settings, trust: &Trust) -> Rejudged {
        if self.left().is_zero() {
            return Rejudged::Exhausted;
        }
        let evidence = self.captured.as_ref().unwrap_or(self.evidence).clone();
        let (settings, trust) = (settings.clone(), Arc::new(trust.clone()));
        own_thread::run(evidence.is_long(), move || rejudged(evidence, settings, trust)).await
    }

    /// The time that trials may still take.
    fn left(&self) -> Duration {
        self.budget.saturating_sub(self.begin.elapsed())
    }

    /// Another connection, which ends when TLS is verified; `None` if none may be made. An anonymous one presents no
    /// client certificate.
    async fn probed(&mut self, settings: Settings, mut trust: Trust, anonymous: bool) -> Option<Evidence> {
        let left = self.left();
        if !self.context.may_connect || left.is_zero() || self.connections >= MOST_CONNECTIONS {
            return None;
        }
        if anonymous {
            trust.client = ClientIdentity::None;
        }
        let mut scope = self.evidence.scope;
        scope.tls_only = true;
        scope.require_auth = false;
        let plan = Plan {
            only: self.only(&settings),
            settings,
            trust: Arc::new(trust),
            started: self.evidence.started,
            scope,
            // What the check itself did not come to is looked at as it would have been.
            second_looks: !self.has_connected(),
            total_limit: Some(left),
        };
        // In the heap: on a small stack there is no room for a probe within a check.
        let evidence = Box::pin(probe(&plan)).await;
        self.connections += evidence.attempts.len();
        Some(evidence)
    }

    fn has_connected(&self) -> bool {
        let last = self.evidence.attempts.last().and_then(|attempt| attempt.tcp.as_ref());
        last.is_some_and(|step| matches!(step.result, TcpResult::Connected { .. }))
    }

    /// The one host to be tried: that of `--each`, unless the fix is another list. With load_balance_hosts=random another
    /// one might come first, and show nothing of the fault.
    fn only(&self, settings: &Settings) -> Option<Arc<Member>> {
        if let Some(member) = &self.evidence.member {
            let hosts = self.evidence.config.as_ref().map_or(0, |checked| checked.hosts.len());
            return (settings.hosts.len() == hosts).then(|| Arc::clone(member));
        }
        let failing = self.evidence.attempts.last().map(|attempt| attempt.host);
        failing.filter(|_| settings.shuffle_hosts).map(|host| Arc::new(Member::host(host)))
    }

    /// A warning whose fixes were judged on the captured chain.
    async fn judged_warning(&self, mut warning: Warning) -> Warning {
        let is_judged = |fix: &Fix| {
            !fix.settings.is_empty() && fix.settings.iter().all(|(keyword, _)| JUDGED_ONLY.contains(keyword))
        };
        let mut fixes = Vec::new();
        for mut fix in std::mem::take(&mut warning.fixes) {
            // The check itself was made under it.
            if fix.settings == AS_CHECKED.map(|(keyword, value)| (keyword, value.to_owned())) {
                let settings = self.evidence.config.as_ref().ok();
                let corrected = Corrected::of(&fix, self.evidence, self.context);
                fix.tried = Some(Trial::Works);
                fix.conninfo =
                    settings.zip(corrected).and_then(|(settings, corrected)| corrected.shown(settings));
            }
            match is_judged(&fix) {
                true => fixes.extend(self.judged_fix(&warning, fix).await),
                false => fixes.push(fix),
            }
        }
        warning.fixes = fixes;
        warning
    }

    async fn judged_fix(&self, warning: &Warning, mut fix: Fix) -> Option<Fix> {
        let Some(corrected) = Corrected::of(&fix, self.evidence, self.context) else { return Some(fix) };
        let found = match self.under(&fix, &corrected) {
            Some(Ok((settings, trust))) => match self.judged_again(&settings, &trust).await {
                Rejudged::Judged(evidence) => Some((Some(settings), diagnosed(*evidence).await)),
                Rejudged::NoChain | Rejudged::Exhausted => None,
            },
            Some(Err(outcome)) => Some((None, *outcome)),
            None => None,
        };
        let Some((settings, outcome)) = found else { return Some(fix) };
        match outcome.diagnosis {
            // The path that a fix names leads nowhere.
            Some(found) if *found.code == codes::ROOT_FILE_MISSING && fix.names("sslrootcert") => None,
            Some(found) => {
                fix.conninfo = self.string_of_both(&mut fix, &found);
                uncovers(&mut fix, warning.code, &found, Told::default());
                Some(fix)
            }
            // What was typed for another driver demands no more than before: that is what the fix changes.
            None if !(self.evidence.typed.is_some() && fix.names("sslmode"))
                && outcome.warnings.iter().any(|other| other.code == warning.code) =>
            {
                None
            }
            None => {
                fix.tried = Some(Trial::Works);
                fix.conninfo = settings.and_then(|settings| corrected.shown(&settings));
                Some(fix)
            }
        }
    }
}

/// What the driver's own string demands no longer counts where a fix changes that.
fn without_the_drivers_demand(fix: &Fix, evidence: &mut Evidence) {
    if fix.names("sslmode") {
        evidence.typed = None;
    }
}

/// The chain that a check recorded, judged under its own settings as of another date; `None` where there is none, or
/// where judging it again would take too much work. Whatever else came of the handshake is left out.
pub fn judged_as_of(mut evidence: Evidence, date: Timestamp) -> Option<Evidence> {
    let settings = evidence.config.clone().ok()?;
    let trust = evidence.trust.clone()?;
    evidence.judged_at = date;
    if let Some(tls) = evidence.attempts.last_mut().and_then(|attempt| attempt.tls.as_mut()) {
        tls.result.failure = None;
    }
    match rejudged(evidence, settings, trust) {
        Rejudged::Judged(evidence) => Some(*evidence),
        Rejudged::NoChain | Rejudged::Exhausted => None,
    }
}

/// A captured chain, judged under other settings.
fn rejudged(mut evidence: Evidence, settings: Settings, trust: Arc<Trust>) -> Rejudged {
    let Some(attempt) = evidence.attempts.last_mut() else { return Rejudged::NoChain };
    let Some(host) = settings.hosts.get(attempt.host).map(|host| Value::new(host.name.exposed())) else {
        return Rejudged::NoChain;
    };
    let Some(tls) = attempt.tls.as_mut().map(|step| &mut step.result) else { return Rejudged::NoChain };
    if tls.chain.is_empty() {
        return Rejudged::NoChain;
    }
    let Some(first) = &tls.judgement else { return Rejudged::Exhausted };
    let host = Some(&host).filter(|host| !host.as_bytes().is_empty());
    let rejudged = verify::judge_again(first, &tls.chain, &trust, host, evidence.judged_at, settings.sslmode);
    let Some(judgement) = rejudged else { return Rejudged::Exhausted };
    match (judgement.accepted, &tls.failure) {
        (true, Some(TlsFailure::CertificateRefused)) => tls.failure = None,
        (false, _) => tls.failure = Some(TlsFailure::CertificateRefused),
        (true, _) => {}
    }
    tls.judgement = Some(judgement);
    attempt.session = None;
    evidence.scope.tls_only = true;
    evidence.scope.require_auth = false;
    evidence.trust = Some(trust);
    evidence.config = Ok(settings);
    Rejudged::Judged(Box::new(evidence))
}

/// Judges evidence; where that may take long, on a thread of its own.
async fn diagnosed(evidence: Evidence) -> Outcome {
    own_thread::run(evidence.is_long(), move || diagnose(evidence)).await
}

/// The names that the server may have: in its provider's other clouds, where its own does not exist; beside a container in
/// which nothing listens, those that services of Compose mostly have.
fn other_names(evidence: &Evidence, diagnosis: &Diagnosis) -> Vec<Fix> {
    let Ok(settings) = &evidence.config else { return Vec::new() };
    let [Host { endpoint, .. }] = settings.hosts.as_slice() else { return Vec::new() };
    let fix = |(name, text)| Fix { text, settings: vec![("host", name)], ..Fix::default() };
    let has_names = evidence.container.as_ref().is_some_and(|found| found.has_names);
    match endpoint {
        Endpoint::Name(name) if diagnosis.code.stage == Stage::Dns => {
            provider::other_names(name).into_iter().map(fix).collect()
        }
        Endpoint::Name(_) | Endpoint::Address(..)
            if has_names
                && *diagnosis.code == codes::TCP_REFUSED
                && settings.parameter("hostaddr").is_none() =>
        {
            let text = |name| format!("name the service {name}, which answers beside this container");
            ["db", "postgres", "database"].map(|name| fix((name.to_owned(), text(name)))).into()
        }
        _ => Vec::new(),
    }
}

/// What is said of the second of two faults elsewhere.
#[derive(Clone, Copy, Default)]
struct Told {
    /// All of it, beside the diagnosis.
    below: bool,
    /// The whole string mends it too.
    whole: bool,
}

/// Says that there are two faults: the one that a fix cures, and the other one with its own first remedy.
fn uncovers(fix: &mut Fix, cured: &Code, found: &Diagnosis, told: Told) {
    fix.tried = Some(Trial::Fails);
    let remedy = words_of(fix).unwrap_or_else(|| "write this".to_owned());
    fix.text = format!("two faults, the first is `{cured}`: {remedy}");
    let first = found.fixes.first();
    let next = first.and_then(words_of).map(|next| format!(": {next}")).unwrap_or_default();
    // Words may speak of the commands below them.
    fix.then_run =
        first.filter(|next| !next.text.is_empty() && !told.below).and_then(|next| next.command.clone());
    let begin = match told.whole {
        true => format!("the whole string mends the second too, `{}`", found.code),
        false => format!("then `{}` remains", found.code),
    };
    fix.then = Some(match told.below {
        true => format!("{begin}, told below"),
        false => format!("{begin} ({}){next}", found.title),
    });
}

/// Two remedies as one, for trying them together.
fn both(fix: &Fix, next: &Fix) -> Fix {
    let settings = Fix { also_set: next.settings.clone(), ..fix.clone() }.all_settings();
    Fix {
        settings,
        edit: fix.edit.clone(),
        bundle: fix.bundle.or(next.bundle),
        converts: fix.converts.clone().or_else(|| next.converts.clone()),
        ..Fix::default()
    }
}

/// Who answered, with whose certificate: below another fault nothing but the title is seen.
fn with_issuer(found: &Diagnosis) -> Diagnosis {
    let issuer = found.evidence.iter().find(|(label, _)| *label == "issued_by");
    let title = match issuer {
        Some((_, Fact::Text(issuer))) => format!("{}, with a certificate of {issuer}", found.title),
        _ => found.title.clone(),
    };
    Diagnosis { title, ..found.clone() }
}

/// The issuer that a diagnosis of the roots misses.
fn sought_root(found: &Diagnosis) -> Option<String> {
    found.evidence.iter().find_map(|(label, fact)| match fact {
        Fact::List(names) if *label == "sought" => names.first().cloned(),
        _ => None,
    })
}

/// A fix in words: its text, else its command. Settings are written below the text that they belong to.
fn words_of(fix: &Fix) -> Option<String> {
    match (&fix.text, &fix.command) {
        (text, _) if !text.is_empty() => Some(text.trim_end_matches(':').to_owned()),
        (_, Some(command)) => Some(command.clone()),
        _ => None,
    }
}

fn starts_with_tls(fix: &Fix) -> bool {
    fix.settings.iter().any(|(keyword, value)| *keyword == "sslnegotiation" && value == "direct")
}

fn takes_certificate_away(fix: &Fix) -> bool {
    fix.settings.iter().any(|(keyword, value)| match *keyword {
        "sslcertmode" => value == "disable",
        "sslcert" => value == NO_FILE || value.is_empty(),
        _ => false,
    })
}

fn takes_revocation_away(fix: &Fix) -> bool {
    fix.settings.iter().any(|(keyword, value)| ["sslcrl", "sslcrldir"].contains(keyword) && value.is_empty())
}

fn certificate_was_asked_for(evidence: &Evidence) -> bool {
    let tls = evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    tls.is_some_and(|step| step.result.client_certificate.requested && step.result.failure.is_none())
}

/// The order in which libpq comes upon the failures of a stage: files are read once the server has said `S`.
fn order(stage: Stage) -> u8 {
    match stage {
        Stage::Config => 0,
        Stage::Dns => 1,
        Stage::Tcp => 2,
        Stage::Negotiate => 3,
        Stage::Trust => 4,
        Stage::Tls => 5,
        Stage::Certificate => 6,
        Stage::Auth => 7,
        Stage::Session => 8,
    }
}

/// The time that trials may take.
fn time_left(evidence: &Evidence, total: Option<Duration>) -> Duration {
    let left = evidence.attempts.last().map_or(GRACE, |attempt| {
        let used = evidence.took.saturating_sub(start(attempt));
        (attempt.limit + GRACE).saturating_sub(used)
    });
    total.map_or(left, |total| left.min(total.saturating_sub(evidence.took)))
}

/// When an attempt began.
fn start(attempt: &Attempt) -> Duration {
    let steps = [
        attempt.plaintext.as_ref().map(|step| step.start),
        attempt.tcp.as_ref().map(|step| step.start),
        attempt.negotiate.as_ref().map(|step| step.start),
    ];
    steps.into_iter().flatten().min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{Certificate, pem};
    use crate::diagnose::tests::fixtures::{Authority, Chain, HOST};

    /// Tries the fixes of a check of this string that saw this chain, without a network.
    fn tried(conninfo: &str, chain: Vec<Certificate>, roots: &[&Certificate]) -> Outcome {
        let input = Secret::new(conninfo.as_bytes().to_vec());
        let environment =
            Environment { login_name: conninfo::LoginName::Known("me".to_owned()), ..Environment::default() };
        let overrides = Overrides::default();
        let settings = conninfo::resolve(Some(input.expose()), &overrides, &environment).unwrap();
        let mut evidence = Evidence::of(chain, roots);
        evidence.config = Ok(settings.clone());
        let trust = evidence.trust.clone().unwrap();
        let context = Context {
            input: Some(&input),
            overrides: &overrides,
            environment: &environment,
            may_connect: false,
            total_limit: None,
            system_store: &SystemStore::default(),
        };
        let Rejudged::Judged(evidence) = rejudged(evidence, settings, trust) else { panic!("no chain") };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(try_fixes(diagnose(*evidence), context))
    }

    fn trials(outcome: &Outcome) -> Vec<(&str, Option<Trial>)> {
        let fixes = &outcome.diagnosis.as_ref().unwrap().fixes;
        let settings = |fix: &'_ Fix| fix.settings.first().map_or("", |(keyword, _)| keyword);
        fixes.iter().map(|fix| (settings(fix), fix.tried)).collect()
    }

    /// A public intermediate passes for a server: its chain is real, and verify-ca asks for no name.
    #[test]
    fn a_bundle_that_is_still_to_be_written_is_tried_as_if_it_were_there() {
        let text = include_str!("../diagnose/tests/DigiCert_Global_G2_TLS_RSA_SHA256_2020_CA1.pem");
        let public = Certificate::from_der(pem::blocks(text.as_bytes())[0].content.as_ref().unwrap());
        let other = Authority::root("Another Root");
        let azure = "host=x.postgres.database.azure.com hostaddr=203.0.113.7 sslrootcert=/no/roots.pem";
        let conninfo = format!("{azure} sslmode=verify-ca");
        let outcome = tried(&conninfo, vec![public.clone()], &[&other.certificate]);
        let fix = &outcome.diagnosis.as_ref().unwrap().fixes[0];
        assert_eq!(fix.tried, Some(Trial::Works), "{fix:?}");
        assert_eq!(fix.bundle, Some("azure-flexible"));
        let expected = conninfo.replace("/no/roots.pem", "azure-roots.pem");
        assert_eq!(fix.conninfo.as_deref(), Some(expected.as_str()));
        // Under verify-full the name comes next.
        let outcome = tried(&format!("{azure} sslmode=verify-full"), vec![public], &[&other.certificate]);
        let fixes = &outcome.diagnosis.as_ref().unwrap().fixes;
        let fix = fixes.iter().find(|fix| fix.bundle.is_some()).unwrap();
        let expected = format!("{azure} sslmode=verify-full").replace("/no/roots.pem", "azure-roots.pem");
        assert_eq!((fix.tried, fix.conninfo.as_deref()), (Some(Trial::Fails), Some(expected.as_str())));
        assert_eq!(fix.then.as_deref(), Some("then `hostname-mismatch` remains, told below"));
        assert_eq!(outcome.also[0].code, &codes::HOSTNAME_MISMATCH);
    }

    /// A container whose engine knows its neighbours' names is asked for the usual ones; another one is not.
    #[test]
    fn beside_a_container_the_usual_names_are_sought() {
        let names = |conninfo: &str, has_names| {
            let chain = Chain::honest();
            let mut outcome = tried(conninfo, chain.sent(), &[&chain.root.certificate]);
            let machine = "host.docker.internal";
            outcome.evidence.container =
                Some(crate::evidence::Container { machine, address: None, has_names });
            let diagnosis = Diagnosis { code: &codes::TCP_REFUSED, ..outcome.diagnosis.unwrap() };
            let fixes = other_names(&outcome.evidence, &diagnosis);
            fixes.into_iter().map(|fix| fix.settings[0].1.clone()).collect::<Vec<_>>()
        };
        let local = "host=localhost sslmode=verify-full sslrootcert=/no/roots.pem";
        assert_eq!(names(local, true), ["db", "postgres", "database"]);
        assert!(names(local, false).is_empty());
        assert!(names(&format!("{local} hostaddr=127.0.0.1"), true).is_empty());
    }

    /// Of a string that sends for a root: require verifies no name.
    #[test]
    fn a_root_to_come_stands_beside_what_verifies_the_name() {
        let (root, other) = (Authority::root("Project CA"), Authority::root("Another Root"));
        let chain = vec![root.server("x.db.ondigitalocean.com")];
        let sent_for = |host: &str, mode: &str| {
            let conninfo = format!("host={host} hostaddr=203.0.113.7 sslmode={mode}");
            let found = tried(&conninfo, chain.clone(), &[&other.certificate]).diagnosis.unwrap();
            found.fixes.into_iter().find_map(|fix| fix.conninfo.filter(|_| fix.text.contains("download")))
        };
        for (host, typed, printed) in [
            ("x.db.ondigitalocean.com", "require", "verify-full"),
            ("x.db.ondigitalocean.com", "verify-ca", "verify-ca"),
            ("y.db.ondigitalocean.com", "require", "require"),
        ] {
            let whole = sent_for(host, typed).unwrap();
            assert!(
                whole.contains(&format!("sslmode={printed} sslrootcert=/path/to/ca")),
                "{typed}: {whole}"
            );
        }
    }

    #[test]
    fn what_needs_a_connection_stays_untried_without_one() {
        let chain = Chain::honest();
        let conninfo = "host=localhost hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=/no/roots.pem";
        let outcome = tried(conninfo, chain.sent(), &[&chain.root.certificate]);
        assert_eq!(trials(&outcome), [("host", None), ("", None)]);
        assert!(outcome.diagnosis.unwrap().fixes[0].settings.contains(&("host", HOST.to_owned())));
    }
}
