//! What the user demands beyond the sslmode: `--strict`, `--deny`, `--allow`, `--fail-within`, `--require-level`. They
//! make failures of warnings and leave the verdict alone (exit status 10).

use super::code::Code;
use super::{DeniedBy, Fact, Outcome, Verdict, Warning, catalogue, codes};
use crate::text::nearest;

/// Which warnings are failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    strict: bool,
    deny: Vec<&'static Code>,
    allow: Vec<&'static Code>,
    level: Option<Verdict>,
}

/// A code that is no warning's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode {
    /// As given.
    pub code: String,
    /// The nearest code of a warning, if one is near.
    pub nearest: Option<&'static str>,
}

impl std::fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no warning \"{}\"", crate::conninfo::mask_argument(self.code.as_bytes()))?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownCode {}

impl Policy {
    /// `--strict`, the codes of `--deny` and those of `--allow`.
    ///
    /// # Errors
    /// The first code that is no warning's. Diagnoses fail anyway and cannot be allowed.
    pub fn new(
        strict: bool,
        deny: impl IntoIterator<Item = String>,
        allow: impl IntoIterator<Item = String>,
    ) -> Result<Self, UnknownCode> {
        let known = |name: String| {
            catalogue::warnings().find(|code| code.name == name).ok_or_else(|| {
                let nearest = nearest(&name, catalogue::warnings().map(|code| code.name));
                UnknownCode { code: name, nearest }
            })
        };
        Ok(Self {
            strict,
            deny: deny.into_iter().map(known).collect::<Result<_, _>>()?,
            allow: allow.into_iter().map(known).collect::<Result<_, _>>()?,
            level: None,
        })
    }

    /// With the verdict of `--require-level`: a lower one is a failure.
    #[must_use]
    pub fn requiring(self, level: Option<Verdict>) -> Self {
        Self { level, ..self }
    }

    /// Marks the warnings that are denied. What is allowed by name stays a warning, but for what a level or a threshold
    /// demands, which say themselves how much is asked for.
    pub fn apply(&self, outcome: &mut Outcome) {
        let fails_within = outcome.evidence.scope.fail_within.map(i64::from);
        for warning in &mut outcome.warnings {
            let listed = |codes: &[&Code]| codes.contains(&warning.code);
            let within = days_left(warning).zip(fails_within).is_some_and(|(days, limit)| days <= limit);
            warning.denied = match listed(&self.allow) {
                _ if warning.code == &codes::POLICY_NOT_MET => Some(DeniedBy::Policy),
                _ if within => Some(DeniedBy::FailWithin),
                true => None,
                false if listed(&self.deny) => Some(DeniedBy::Deny),
                false => self.strict.then_some(DeniedBy::Strict),
            };
        }
        let lower = |level: &Verdict| outcome.verdict != Verdict::Failed && outcome.verdict < *level;
        if let Some(level) = self.level.filter(lower) {
            deny_level(outcome, level);
        }
    }
}

/// How many days are left of what a warning says will expire.
fn days_left(warning: &Warning) -> Option<i64> {
    let expires = [&codes::CERTIFICATE_EXPIRES_SOON, &codes::ROOT_EXPIRES_SOON].contains(&warning.code);
    warning.evidence.iter().filter(|_| expires).find_map(|(label, fact)| match fact {
        Fact::Number(days) if *label == "days_left" => Some(*days),
        _ => None,
    })
}

/// What the mode does not verify is a warning; here it is too little.
fn deny_level(outcome: &mut Outcome, level: Verdict) {
    let code = &codes::SSLMODE_NOT_VERIFYING;
    let position = outcome.warnings.iter().position(|warning| warning.code == code);
    let place = position.unwrap_or(outcome.warnings.len());
    if position.is_none() {
        let title = format!("{}, and {} is required", outcome.verdict.words(), level.name());
        let warning = Warning { code, title, evidence: vec![], fixes: vec![], mark: None, denied: None };
        outcome.warnings.push(warning);
    }
    if let Some(warning) = outcome.warnings.get_mut(place) {
        warning.denied = Some(DeniedBy::RequireLevel);
        warning.evidence.retain(|(label, _)| *label != "required");
        warning.evidence.insert(
            0,
            ("required", Fact::Text(format!("{} ({})", level.name(), DeniedBy::RequireLevel.option()))),
        );
    }
}
