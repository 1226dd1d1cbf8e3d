//! What a check shares with other commands: where to, over the string; many targets; which warnings are failures; lengths
//! of time.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::clients::dialect::{self, Dialect};
use crate::conninfo::{Overrides, Value};
use crate::diagnose::policy::UnknownCode;
use crate::diagnose::{Policy, Verdict};
use crate::report::Sort;
use crate::secret::Secret;

/// Takes an argument into custody as it is read: it may hold a password, and nobody keeps another copy.
pub(super) fn in_custody() -> impl TypedValueParser<Value = Secret> {
    OsStringValueParser::new().map(|text| Secret::new(text.into_encoded_bytes()))
}

/// What overrides the connection string, as in psql.
#[derive(Debug, Default, Args)]
pub struct ConnectionArgs {
    /// As psql: overrides the string
    #[arg(short = 'h', long = "host", value_name = "HOST", help_heading = "Connection")]
    pub host: Option<OsString>,
    /// As psql: overrides the string
    #[arg(short = 'p', long = "port", value_name = "PORT", help_heading = "Connection")]
    pub port: Option<OsString>,
    /// As psql: overrides the string
    #[arg(short = 'U', long = "username", value_name = "USER", help_heading = "Connection")]
    pub user: Option<OsString>,
    /// As psql: a database, or a connection string
    #[arg(short = 'd', long = "dbname", value_name = "DBNAME|CONNINFO", value_parser = in_custody(), help_heading = "Connection")]
    pub dbname: Option<Secret>,
    /// Never ask for a password
    #[arg(short = 'w', long, help_heading = "Connection")]
    pub no_password: bool,
}

impl ConnectionArgs {
    /// What the options set, over the connection string.
    pub fn overrides(&self) -> Overrides {
        let given = [("host", &self.host, "-h"), ("port", &self.port, "-p"), ("user", &self.user, "-U")];
        let parameters = given
            .into_iter()
            .filter_map(|(keyword, value, option)| {
                let bytes = value.as_ref()?.clone().into_encoded_bytes();
                Some((keyword, Value::new(bytes), option))
            })
            .chain(self.dbname.iter().map(|text| ("dbname", Value::held(text.clone()), "-d")))
            .collect();
        Overrides { parameters, never_prompt: self.no_password }
    }
}

/// Whose strings they are.
#[derive(Debug, Default, Args)]
pub struct DialectArgs {
    /// Read the strings as this driver does (jdbc, npgsql, node-postgres, ...); libpq: as libpq alone does
    #[arg(long = "as", value_name = "DIALECT", value_parser = dialect, help_heading = "Connection")]
    pub dialect: Option<&'static Dialect>,
}

fn dialect(name: &str) -> Result<&'static Dialect, String> {
    dialect::find(name)
        .ok_or_else(|| {
            let nearest = dialect::nearest(name).map(|known| format!("; did you mean {known}?"));
            nearest.unwrap_or_else(|| {
                let names: Vec<&str> = dialect::all().map(|dialect| dialect.name).collect();
                format!("; known are {}", names.join(", "))
            })
        })
        .map_err(|words| format!("no driver is known by this name{words}"))
}

/// Many targets: where they are listed, in which order they are told, how many are checked at once.
#[derive(Debug, Args)]
pub struct FleetArgs {
    /// Read targets from FILE (- for standard input), one connection string per line, # comments
    #[arg(long, value_name = "FILE", help_heading = "Many targets")]
    pub from: Option<PathBuf>,
    /// Check every section of the service file
    #[arg(long, help_heading = "Many targets")]
    pub all_services: bool,
    /// Report only what changed since FILE, a report of an earlier run in JSON
    #[arg(long, value_name = "FILE", help_heading = "Many targets")]
    pub since: Option<PathBuf>,
    /// Order of the targets in tables (csv, markdown, html, -v)
    #[arg(long, value_name = "ORDER", default_value = "input", help_heading = "Many targets")]
    pub sort: Sort,
    /// Number of targets to check at once
    #[arg(long, value_name = "N", default_value_t = Self::default().jobs, value_parser = clap::value_parser!(u16).range(1..),
          help_heading = "Many targets")]
    pub jobs: u16,
}

impl Default for FleetArgs {
    fn default() -> Self {
        Self { from: None, all_services: false, since: None, sort: Sort::Input, jobs: 64 }
    }
}

/// Which certificates end soon.
#[derive(Debug, Args)]
pub struct ExpiryArgs {
    /// Warn about certificates that expire within DAYS days
    #[arg(long, value_name = "DAYS", default_value_t = Self::default().expires_within, value_parser = days,
          help_heading = "What to check")]
    pub expires_within: u32,
}

impl Default for ExpiryArgs {
    fn default() -> Self {
        Self { expires_within: 30 }
    }
}

/// Which warnings are failures.
#[derive(Debug, Default, Args)]
pub struct PolicyArgs {
    /// Turn all warnings into failures with exit status 10
    #[arg(long, help_heading = "What to check")]
    pub strict: bool,
    /// Turn these warnings into failures
    #[arg(long, value_name = "CODE", value_delimiter = ',', help_heading = "What to check")]
    pub deny: Vec<String>,
    /// Keep these as warnings
    #[arg(long, value_name = "CODE", value_delimiter = ',', help_heading = "What to check")]
    pub allow: Vec<String>,
    /// Fail if a certificate expires within DAYS days
    #[arg(long, value_name = "DAYS", value_parser = days, help_heading = "What to check")]
    pub fail_within: Option<u32>,
    /// Fail if less was verified: verified (chain and host name) or chain-verified
    #[arg(long, value_name = "LEVEL", value_parser = level, help_heading = "What to check")]
    pub require_level: Option<Verdict>,
}

impl PolicyArgs {
    /// The policy.
    ///
    /// # Errors
    /// The first code that is no warning's.
    pub fn policy(&self) -> Result<Policy, UnknownCode> {
        let policy = Policy::new(self.strict, self.deny.clone(), self.allow.clone())?;
        Ok(policy.requiring(self.require_level))
    }
}

fn level(text: &str) -> Result<Verdict, String> {
    let levels = || Verdict::ALL.into_iter().filter(|level| *level != Verdict::Failed);
    levels().find(|level| level.name() == text).ok_or_else(|| {
        let names: Vec<&str> = levels().map(Verdict::name).collect();
        format!("the levels are {}", names.join(", "))
    })
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = "a number of seconds above 0, such as 30 or 0.5";
    let seconds: f64 = text.parse().map_err(|_| format!("this is not {wanted}"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("this is not {wanted}")),
    }
}

/// More than a certificate is ever valid for.
const MOST_DAYS: u32 = 36_500;

/// A number of days.
fn days(text: &str) -> Result<u32, String> {
    let wanted = "a number of days is expected";
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: Option<u32> = digits.parse().ok();
    match (number, unit.trim()) {
        (Some(days), "") if days <= MOST_DAYS => Ok(days),
        (Some(_), "") => Err(format!("at most {MOST_DAYS} days")),
        (Some(days), "d" | "day" | "days") => Err(format!("{wanted}, without a unit: {days}")),
        (Some(weeks), "w" | "week" | "weeks") => {
            Err(format!("{wanted}, without a unit: {}", weeks.saturating_mul(7)))
        }
        _ => Err(wanted.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_no_unit() {
        assert_eq!(days("60"), Ok(60));
        for (typed, said) in
            [("60d", ": 60"), ("2w", ": 14"), ("x", "expected"), ("", "expected"), ("99999", "at most")]
        {
            assert!(days(typed).is_err_and(|words| words.contains(said)), "{typed}");
        }
    }

    #[test]
    fn seconds_are_positive_numbers() {
        for bad in ["0", "-1", "x", "", "NaN", "inf", "1e30"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    }
}
