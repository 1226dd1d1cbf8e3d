//! What a code is: the public name of a diagnosis or warning, with everything that has to be known of it. Each is
//! declared once, beside the rule that finds it; all others ask the value.

use std::fmt;

use crate::packed;
use crate::stage::Stage;

/// A diagnosis or warning that can be made. Codes are public for ever: none is renamed or used again for something else.
#[derive(Clone, Copy)]
pub struct Code {
    /// The public name, in kebab case.
    pub name: &'static str,
    /// What it does to the verdict.
    pub severity: Severity,
    /// The stage it belongs to. A failure has its exit status.
    pub stage: Stage,
    /// What it is about, for lists: lower case, no full stop.
    pub title: &'static str,
    /// Its words in the line of the stage; `None` where the title of what was found says it best.
    pub short: Option<&'static str>,
    /// What it has in common with others.
    pub concerns: &'static [Concern],
    /// Whether waiting can cure it.
    pub retryable: bool,
}

/// What a code does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The check fails.
    Failure,
    /// It is verified all the same, unless a policy of the user denies it.
    Warning,
}

/// What a code is about, where that decides something elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The roots at hand do not fit the chain: others may, and others that do not fit either are no remedy.
    Roots,
    /// The server wants a client certificate, or another one.
    ClientCertificate,
    /// The client's own certificate or key is no good.
    ClientFiles,
    /// Revocation is checked, and a CRL is missing or no good.
    Revocation,
    /// An answer did not come in time, so that a trial's shorter time shows nothing.
    Deadline,
}

impl Code {
    /// Whether it is about this.
    pub fn concerns(&self, concern: Concern) -> bool {
        self.concerns.contains(&concern)
    }

    /// The stage in which a check fails with it; `None` of a warning.
    pub fn fails_in(&self) -> Option<Stage> {
        (self.severity == Severity::Failure).then_some(self.stage)
    }

    /// Its page, as it was written: a sentence, then the parts under headings (see [`Code::parts`]).
    pub fn page(&self) -> &'static str {
        packed::text("explain", self.name)
    }

    /// The sentence at the top of the page.
    pub fn summary(&self) -> &'static str {
        self.page().split("\n\n").next().unwrap_or_default().trim()
    }

    /// The parts of the page: heading and text.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.page()
            .split("\n## ")
            .skip(1)
            .filter_map(|part| part.split_once('\n'))
            .map(|(head, text)| (head.trim(), text.trim_matches('\n')))
    }
}

/// Names are unique, so that they are the identity.
impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Code {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
