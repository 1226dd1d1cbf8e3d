//! What a rule is and what it finds.

use super::view::View;
use super::{Diagnosis, Fact, Fix, Mark};
use crate::stage::Stage;

/// A diagnosis that can be made: its public identity, its page, and how it is recognised.
pub(super) struct Rule {
    /// The public code. It is never renamed.
    pub code: &'static str,
    /// What it is about, for lists.
    pub title: &'static str,
    /// Whether waiting can cure it.
    pub retryable: bool,
    /// Its page.
    pub page: &'static str,
    /// Finds it in the evidence.
    pub detect: fn(&View<'_>) -> Option<Finding>,
}

/// Declares a rule whose page is `explain/CODE.md`.
macro_rules! rule {
    ($name:ident, $code:literal, $title:literal, retryable: $retryable:literal, $detect:expr) => {
        pub(in crate::diagnose) const $name: $crate::diagnose::rule::Rule = $crate::diagnose::rule::Rule {
            code: $code,
            title: $title,
            retryable: $retryable,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnose/explain/", $code, ".md")),
            detect: $detect,
        };
    };
}
pub(super) use rule;

/// What a rule found.
#[derive(Clone, Debug, Default)]
pub(super) struct Finding {
    title: String,
    cause: String,
    evidence: Vec<(&'static str, Fact)>,
    fixes: Vec<Fix>,
    mark: Option<Mark>,
}

impl Finding {
    /// What is the case: lower case, no full stop.
    pub fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Why.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// A value seen.
    pub fn fact(mut self, label: &'static str, fact: impl Into<Fact>) -> Self {
        self.evidence.push((label, fact.into()));
        self
    }

    /// A value seen, if it was.
    pub fn fact_if(self, label: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        match fact {
            Some(fact) => self.fact(label, fact),
            None => self,
        }
    }

    /// A remedy, less likely than those before.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Several remedies, or none.
    pub fn fixes(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fixes.extend(fixes);
        self
    }

    /// A place in the connection string.
    pub fn mark(mut self, mark: Option<Mark>) -> Self {
        self.mark = mark;
        self
    }

    /// The diagnosis that the rule makes of it.
    pub fn diagnosis(self, rule: &Rule, stage: Stage) -> Diagnosis {
        Diagnosis {
            code: rule.code,
            stage,
            title: self.title,
            cause: self.cause,
            evidence: self.evidence,
            fixes: self.fixes,
            retryable: rule.retryable,
            mark: self.mark,
        }
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Fact {
    fn from(items: Vec<String>) -> Self {
        Self::List(items)
    }
}

impl From<i64> for Fact {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
