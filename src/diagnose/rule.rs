//! What a rule is and what it finds.

use super::code::Code;
use super::view::View;
use super::{Diagnosis, Fact, Fix, Mark, Warning};
use crate::text::truncated;

/// Most characters of a title, of a text on it, and of one item of the evidence: what certificates and servers say has no
/// limit of its own below tens of thousands, and a report has to stay readable.
const LONGEST_TITLE: usize = 400;
const LONGEST_TEXT: usize = 2000;
const LONGEST_ITEM: usize = 600;
/// Most items of a list.
const MOST_ITEMS: usize = 100;

/// How a diagnosis is recognised. A code can have several.
pub(super) struct Rule {
    /// What is found.
    pub code: &'static Code,
    /// Finds it in the evidence.
    pub detect: fn(&View<'_>) -> Option<Finding>,
}

/// What a rule found.
#[derive(Clone, Debug, Default)]
pub(super) struct Finding {
    title: String,
    short: Option<String>,
    cause: String,
    evidence: Vec<(&'static str, Fact)>,
    fixes: Vec<Fix>,
    mark: Option<Mark>,
    is_final: bool,
}

impl Finding {
    /// What is the case: lower case, no full stop.
    pub(super) fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Other words for the line of the stage than the code has.
    pub(super) fn in_short(mut self, words: impl Into<String>) -> Self {
        self.short = Some(words.into());
        self
    }

    /// Why.
    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// A value seen.
    pub(super) fn fact(mut self, label: &'static str, fact: impl Into<Fact>) -> Self {
        self.evidence.push((label, fact.into()));
        self
    }

    /// A value seen, if it was.
    pub(super) fn fact_if(self, label: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        match fact {
            Some(fact) => self.fact(label, fact),
            None => self,
        }
    }

    /// A remedy, less likely than those before.
    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The remedy that comes first.
    pub(super) fn first(mut self, fix: Fix) -> Self {
        self.fixes.insert(0, fix);
        self
    }

    /// Whether its first remedy writes a file in use anew.
    pub(super) fn converts(&self) -> bool {
        self.fixes.first().is_some_and(|fix| fix.converts.is_some())
    }

    /// The remedy in the place of those that change no setting.
    pub(super) fn instead(mut self, fix: Fix) -> Self {
        self.fixes.retain(|other| !other.settings.is_empty());
        self.first(fix)
    }

    /// The one remedy.
    pub(super) fn only(mut self, fix: Fix) -> Self {
        self.fixes = vec![fix];
        self
    }

    /// The remedy that comes after the first.
    pub(super) fn second(mut self, fix: Fix) -> Self {
        self.fixes.insert(1.min(self.fixes.len()), fix);
        self
    }

    /// Several remedies, or none.
    pub(super) fn fixes(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fixes.extend(fixes);
        self
    }

    /// There was an answer that waiting does not change: none is advised, even if other causes of the code pass by themselves.
    pub(super) fn answered(mut self, is_final: bool) -> Self {
        self.is_final = is_final;
        self
    }

    /// A place in the connection string.
    pub(super) fn mark(mut self, mark: Option<Mark>) -> Self {
        self.mark = mark;
        self
    }

    /// Without a remedy that sets a secret, and with everything cut that is too long to be read. Settings and commands stay
    /// whole: cut, they would be wrong.
    fn bounded(mut self) -> Self {
        self.title = truncated(&self.title, LONGEST_TITLE);
        self.cause = truncated(&self.cause, LONGEST_TEXT);
        for (_, fact) in &mut self.evidence {
            match fact {
                Fact::Text(text) => *text = truncated(text, LONGEST_TEXT),
                Fact::List(items) => {
                    let more = items.len().saturating_sub(MOST_ITEMS);
                    items.truncate(MOST_ITEMS);
                    for item in items.iter_mut() {
                        *item = truncated(item, LONGEST_ITEM);
                    }
                    items.extend((more > 0).then(|| format!("and {more} more")));
                }
                Fact::Number(_) => {}
            }
        }
        // What was typed in a wrong place may be a secret.
        let is_shown = |(_, value): &(_, String)| crate::conninfo::mask_text(value) == *value;
        self.fixes.retain(|fix| fix.settings.iter().all(is_shown));
        for fix in &mut self.fixes {
            fix.text = truncated(&fix.text, LONGEST_TEXT);
        }
        self
    }

    /// The diagnosis of this code.
    pub(super) fn diagnosis(self, code: &'static Code) -> Diagnosis {
        let Self { title, short, cause, evidence, fixes, mark, is_final } = self.bounded();
        let short = short.or_else(|| code.short.map(str::to_owned)).unwrap_or_else(|| title.clone());
        let short = truncated(&short, LONGEST_TITLE);
        Diagnosis {
            code,
            title,
            short,
            cause,
            evidence,
            fixes,
            mark,
            advises_waiting: code.retryable && !is_final,
        }
    }

    /// The warning of this code; it has no cause and no words for the line of a stage.
    pub(super) fn warning(self, code: &'static Code) -> Warning {
        let Self { title, cause, mut evidence, fixes, mark, .. } = self.bounded();
        if !cause.is_empty() {
            evidence.push(("why", Fact::Text(cause)));
        }
        Warning { code, title, evidence, fixes, mark, denied: None }
    }
}

/// What a command says of a file is a warning's finding too.
impl From<Warning> for Finding {
    fn from(Warning { title, evidence, fixes, .. }: Warning) -> Self {
        Self { title, evidence, fixes, ..Self::default() }
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
