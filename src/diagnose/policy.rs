//! What the user demands beyond verification: `--strict`, `--deny`, `--allow`. They act on the codes of warnings and
//! leave the verdict alone (exit status 10).

use super::code::Code;
use super::{Outcome, catalogue};
use crate::text::nearest;

/// Which warnings are failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    strict: bool,
    deny: Vec<&'static Code>,
    allow: Vec<&'static Code>,
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
        })
    }

    /// Marks the warnings that are denied; what is allowed by name stays a warning.
    pub fn apply(&self, outcome: &mut Outcome) {
        for warning in &mut outcome.warnings {
            let listed = |codes: &[&Code]| codes.contains(&warning.code);
            warning.denied = (self.strict || listed(&self.deny)) && !listed(&self.allow);
        }
    }
}
