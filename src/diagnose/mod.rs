//! From evidence to one diagnosis: rules, one file a stage, most specific first. Pure: the same evidence gives the
//! same outcome, and every evidence gives one.
//!
//! An attempt ends in one stage (`View::end`); the rules of that stage name the cause, and the last of them always
//! finds something. A new diagnosis is one [`Code`] and its
//! rule in its stage's file and its page in `explain/`.

mod alerts;
mod auth;
mod by_default;
pub mod catalogue;
mod certificate;
mod change;
mod code;
mod config;
mod connect_errors;
mod dns;
mod driver;
mod fingerprints;
mod fix;
mod joined;
mod judge;
mod look_alike;
mod meant;
mod negotiate;
mod passfile;
pub mod policy;
mod rule;
mod rules;
mod said;
mod server_files;
mod session;
mod stages;
mod suites;
mod tcp;
mod tls;
mod token;
mod tries;
mod trust;
mod view;
pub mod warnings;
mod way;

#[cfg(test)]
pub(crate) mod tests;

pub mod grades;
pub mod looks;
pub mod profiles;
pub mod recognise;
pub mod root_file;
pub mod terms;

use crate::evidence::{Evidence, Source};
use crate::provider::Detection;
use crate::stage::Stage;
use crate::timestamp::Timestamp;
use view::View;

pub use by_default::NO_FILE;
pub use change::{Change, Changed, Removed};
pub use code::{Code, Concern, Severity};
pub(crate) use config::SUBCOMMANDS;
pub use driver::{Note, demanded, demands, notes, taken_off, url_checked};
pub use judge::{diagnose, is_stranger};
pub use policy::Policy;
pub use tries::{Tries, WaitEnd};

/// All codes by name, for whoever refers to one.
pub mod codes {
    pub use super::auth::*;
    pub use super::certificate::*;
    pub use super::config::*;
    pub use super::dns::*;
    pub use super::negotiate::*;
    pub use super::root_file::{
        ROOT_BUNDLE_INCOMPLETE, ROOT_EXPIRED, ROOT_EXPIRES_SOON, ROOT_FILE_INVALID, ROOT_FILE_LACKS_ROOT,
        ROOT_FILE_MISSING, ROOT_FILE_UNREADABLE, ROOT_NOT_IN_FILE, ROOT_RETIRED,
    };
    pub use super::server_files::*;
    pub use super::session::*;
    pub use super::tcp::*;
    pub use super::tls::*;
    pub use super::trust::*;
    pub use super::warnings::*;
}

/// Evidence and every opinion on it: all that a report needs.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was observed.
    pub evidence: Evidence,
    /// libpq's verdict under the same settings, now.
    pub verdict: Verdict,
    /// Why it failed; `None` exactly when it did not.
    pub diagnosis: Option<Diagnosis>,
    /// What is certainly wrong besides.
    pub also: Vec<Diagnosis>,
    /// What is not wrong for libpq and worth knowing.
    pub warnings: Vec<Warning>,
    /// The nine stages.
    pub stages: Vec<StageReport>,
    /// For each attempt before the last one, why it failed, unless it did not.
    pub earlier: Vec<Option<Diagnosis>>,
    /// `--as-of`: what would be judged of the same chain on another date.
    pub as_of: Option<Box<AsOf>>,
    /// `--wait`: how often the target was tried.
    pub tries: Tries,
    /// `--since`: what is otherwise than in an earlier report.
    pub changes: Option<Vec<Change>>,
    /// Where the target was given.
    pub source: Source,
}

/// The second judgement that `--as-of` asks for. Nothing was sent on its account, and the verdict of the check does not
/// depend on it.
#[derive(Clone, Debug)]
pub struct AsOf {
    /// The date.
    pub date: Timestamp,
    /// What the recorded chain comes to on that date; the stages after the certificate are not part of it. `None` where
    /// no chain was recorded, or judging it a second time would have taken too much work.
    pub judged: Option<Outcome>,
}

impl AsOf {
    /// Whether what the sslmode demands holds on that date.
    pub fn holds(&self) -> bool {
        self.judged.as_ref().is_some_and(|judged| judged.verdict != Verdict::Failed)
    }

    /// The warnings that come only with the date: those of the check itself say the rest.
    pub fn warnings<'a>(&'a self, now: &'a [Warning]) -> impl Iterator<Item = &'a Warning> {
        let warnings = self.judged.as_ref().map(|judged| judged.warnings.as_slice()).unwrap_or_default();
        let known = |warning: &Warning| {
            now.iter().any(|other| {
                (other.code, &other.title, &other.evidence)
                    == (warning.code, &warning.title, &warning.evidence)
            })
        };
        warnings.iter().filter(move |warning| !known(warning))
    }
}

impl Outcome {
    /// For each attempt of the evidence, why it failed, unless it did not.
    pub fn of_attempts(&self) -> impl Iterator<Item = Option<&Diagnosis>> {
        let last = self.evidence.attempts.last().map(|_| self.diagnosis.as_ref());
        self.earlier.iter().map(Option::as_ref).chain(last)
    }

    /// Who runs the server of the last attempt, as far as name, alias, port and chain tell.
    pub fn provider(&self) -> Option<Detection> {
        View::new(&self.evidence, self.evidence.attempts.last()).provider()
    }

    /// The exit status of a check of this target alone: that of the check, and where that is no failure, that of the
    /// judgement as of another date.
    pub fn exit_status(&self) -> u8 {
        let now = match (self.verdict, &self.diagnosis) {
            _ if self.is_interrupted() => return INTERRUPTED,
            (Verdict::Failed, Some(diagnosis)) => return diagnosis.code.stage.exit_status(),
            (Verdict::Failed, None) => return 1,
            _ if self.is_denied() => POLICY_NOT_MET,
            _ => 0,
        };
        let then = match &self.as_of {
            None => 0,
            Some(as_of) => as_of.judged.as_ref().map_or(Stage::Certificate.exit_status(), Self::exit_status),
        };
        if then == 0 { now } else { then }
    }

    /// Whether the check succeeded, on the date of `--as-of` too.
    pub fn holds(&self) -> bool {
        self.verdict != Verdict::Failed && self.as_of.as_ref().is_none_or(|as_of| as_of.holds())
    }

    /// Whether Ctrl-C ended the waiting for it.
    pub fn is_interrupted(&self) -> bool {
        self.tries.end == Some(WaitEnd::Interrupted)
    }

    /// Its verdict's name for machines.
    pub fn verdict_name(&self) -> &'static str {
        if self.is_interrupted() { "interrupted" } else { self.verdict.name() }
    }

    /// Whether a policy of the user's makes a warning of it a failure.
    pub fn is_denied(&self) -> bool {
        self.warnings.iter().any(|warning| warning.denied.is_some())
    }

    /// How it counts: by the verdict, and whether that is enough for whoever asked.
    pub fn standing(&self) -> Standing {
        match self.verdict {
            _ if !self.holds() => Standing::Failed,
            _ if self.exit_status() == POLICY_NOT_MET => Standing::PolicyFailed,
            Verdict::Failed => Standing::Failed,
            Verdict::Encrypted => Standing::Encrypted,
            Verdict::ChainVerified => Standing::ChainVerified,
            Verdict::Verified => Standing::Verified,
        }
    }
}

/// How a target counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// What the sslmode demands does not hold, now or on the date of `--as-of`.
    Failed,
    /// What the sslmode demands holds, and a policy of the user's is not met.
    PolicyFailed,
    /// [`Verdict::Encrypted`], and that is enough.
    Encrypted,
    /// [`Verdict::ChainVerified`], and that is enough.
    ChainVerified,
    /// Verified.
    Verified,
}

impl Standing {
    /// All of them, best first.
    pub const ALL: [Self; 5] =
        [Self::Verified, Self::ChainVerified, Self::Encrypted, Self::PolicyFailed, Self::Failed];

    /// Its name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::PolicyFailed => "policy-failed",
            Self::Failed => Verdict::Failed.name(),
            Self::Encrypted => Verdict::Encrypted.name(),
            Self::ChainVerified => Verdict::ChainVerified.name(),
            Self::Verified => Verdict::Verified.name(),
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::PolicyFailed => "policy failed",
            Self::Failed => Verdict::Failed.words(),
            Self::Encrypted => Verdict::Encrypted.words(),
            Self::ChainVerified => Verdict::ChainVerified.words(),
            Self::Verified => Verdict::Verified.words(),
        }
    }
}

/// Exit status after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Exit status: the check succeeded, but a policy of the user's is not met.
pub const POLICY_NOT_MET: u8 = 10;

/// The verdict: what was verified of the server, where what the sslmode demands holds. From the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// What the sslmode demands does not hold.
    Failed,
    /// TLS is up, with anybody: nothing was demanded.
    Encrypted,
    /// The chain holds, nobody compared the name. Below verify-ca libpq verifies the chain all the same when a root file
    /// is there (fe-secure-openssl.c, initialize_SSL: SSL_VERIFY_PEER is set with the file, whatever the sslmode).
    ChainVerified,
    /// Chain and name hold.
    Verified,
}

impl Verdict {
    /// All of them, best first.
    pub const ALL: [Self; 4] = [Self::Verified, Self::ChainVerified, Self::Encrypted, Self::Failed];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Encrypted => "encrypted",
            Self::ChainVerified => "chain-verified",
            Self::Verified => "verified",
        }
    }

    /// In words, as the last line has it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Encrypted => "encrypted, not verified",
            Self::ChainVerified => "chain verified, name not",
            Self::Verified => "verified",
        }
    }
}

/// A named root cause with its evidence and its remedies.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What it is; its stage gives the exit status.
    pub code: &'static Code,
    /// What happened: lower case, no full stop.
    pub title: String,
    /// The same in the line of the stage.
    pub short: String,
    /// Why.
    pub cause: String,
    /// The evidence: snake_case label and value.
    pub evidence: Vec<(&'static str, Fact)>,
    /// What to do, most likely first.
    pub fixes: Vec<Fix>,
    /// Where in the connection string the fault lies (masked text and byte range in it).
    pub mark: Option<Mark>,
    /// Whether waiting may cure it and has not been tried.
    pub advises_waiting: bool,
}

/// A value of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Text, not yet made printable.
    Text(String),
    /// Several.
    List(Vec<String>),
    /// A number.
    Number(i64),
}

/// A remedy, as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// What to do, imperative.
    pub text: String,
    /// The fault that is left then, and its remedy.
    pub then: Option<String>,
    /// What to type for that.
    pub then_run: Option<String>,
    /// The settings it changes: keyword and value.
    pub settings: Vec<(&'static str, String)>,
    /// A command to run.
    pub command: Option<String>,
    /// Whether the command does by itself what the settings say: they are what can be tried, it is what is to be typed.
    pub by_command: bool,
    /// The provider whose shipped roots the command writes into the file that the settings name.
    pub bundle: Option<&'static str>,
    /// The file that the command converts into the one that the settings name.
    pub converts: Option<std::path::PathBuf>,
    /// A change in the connection string at fault itself: what to put in place of which bytes.
    pub edit: Option<(std::ops::Range<usize>, String)>,
    /// Whether the host it names is what the server's certificate says, in place of another name that was asked for. It
    /// would verify whoever answers, so that trying it shows nothing, and it never comes first.
    pub claimed: bool,
    /// Whether it lets DNS say where the host is, in place of a file.
    pub by_dns: bool,
    /// Whether it is to wait for something.
    pub waits: bool,
    /// Whether it has the server's firewall let this machine in.
    pub(crate) admits: bool,
    /// Whether it names the very file that was named, as this system has it: whatever that holds, it is what was meant.
    pub(crate) same_file: bool,
    /// Whether it takes a hand on the server or pooler itself: its files, its shell, its superuser. Nobody but the provider has
    /// those of a managed server, and there this is not offered.
    pub(crate) on_server: bool,
    /// What is done in its place where a provider runs the server.
    pub(crate) at_provider: Option<String>,
    /// Whether it was tried, and what came of it.
    pub tried: Option<Trial>,
    /// The whole corrected connection string, without secrets; only where the trial showed that it works, nothing but a
    /// login can show it, or it is what the first of two faults needs.
    pub conninfo: Option<String>,
    /// The line of a list that the corrected string replaces.
    pub in_list: Option<String>,
    /// For another driver's string: the whole string under these settings in that driver's words, without secrets, or
    /// what has to be done where no string of its can say it.
    pub in_dialect: Option<Result<String, String>>,
    /// What the whole string changes besides, where another fault remains: the settings of its remedy.
    pub(crate) also_set: Vec<(&'static str, String)>,
}

/// What came of trying a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It cures the fault.
    Works,
    /// It cures this fault and uncovers another.
    Fails,
}

/// A place in a masked connection string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The connection string with its secrets masked and everything printable.
    pub text: String,
    /// The places to underline, in bytes of `text`, in order.
    pub spans: Vec<std::ops::Range<usize>>,
    /// What to say beside the underline.
    pub label: String,
}

/// Something worth knowing that does not change the verdict.
#[derive(Clone, Debug)]
pub struct Warning {
    /// What it is.
    pub code: &'static Code,
    /// What is the case.
    pub title: String,
    /// The evidence.
    pub evidence: Vec<(&'static str, Fact)>,
    /// What to do.
    pub fixes: Vec<Fix>,
    /// Where in the connection string it lies.
    pub mark: Option<Mark>,
    /// Which of the user's demands makes it a failure, if one does.
    pub denied: Option<DeniedBy>,
}

/// What the user demands beyond what the sslmode does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedBy {
    /// `--strict`
    Strict,
    /// `--deny`
    Deny,
    /// `--fail-within`
    FailWithin,
    /// `--require-level`
    RequireLevel,
    /// `audit --policy`
    Policy,
}

impl DeniedBy {
    /// The option.
    pub fn option(self) -> &'static str {
        match self {
            Self::Strict => "--strict",
            Self::Deny => "--deny",
            Self::FailWithin => "--fail-within",
            Self::RequireLevel => "--require-level",
            Self::Policy => "--policy",
        }
    }
}

/// One stage's line.
#[derive(Clone, Debug)]
pub struct StageReport {
    /// Which.
    pub stage: Stage,
    /// How it ended.
    pub status: StageStatus,
    /// How long it took, in milliseconds; `None` where nothing was timed.
    pub milliseconds: Option<f64>,
    /// What is to be known of it.
    pub detail: String,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageStatus {
    /// Well.
    Ok,
    /// Well, with a warning.
    Warning,
    /// It is where the check failed.
    Failed,
    /// Not reached, or not asked for.
    Skipped,
}
