//! Causes told once: what several targets have in common is said in the words of the first, with the targets counted.

use std::collections::BTreeMap;

use super::problem::{Problem, Rank, Said};
use crate::diagnose::{AsOf, Diagnosis, Warning};
use crate::evidence::Place;
use crate::order;

/// The most targets that a cause names.
const MOST_NAMED: usize = 20;

/// The causes of a run, in the order of their first targets.
#[derive(Default)]
pub(super) struct Causes(Vec<Cause>);

/// A code, with its targets.
pub(super) struct Cause {
    /// How bad it is.
    pub rank: Rank,
    /// How many targets.
    pub targets: usize,
    /// The first of them, by their places in the run.
    names: BTreeMap<Place, String>,
    /// Whether another target has another title under the same code.
    pub differs: bool,
    name: &'static str,
    remark: String,
    first: First,
    then: Option<Box<AsOf>>,
}

/// What was said of the first target.
enum First {
    Diagnosis(Box<Diagnosis>, Vec<Diagnosis>),
    Warning(Box<Warning>),
    NotJudged,
}

impl First {
    fn of(problem: &Problem<'_>) -> Self {
        match problem.said {
            Said::Diagnosis(found, also) => Self::Diagnosis(Box::new(found.clone()), also.to_vec()),
            Said::Warning(warning) => Self::Warning(Box::new(warning.clone())),
            Said::NotJudged => Self::NotJudged,
        }
    }
}

impl Causes {
    /// Counts a target's problem.
    pub(super) fn count(&mut self, problem: &Problem<'_>, place: Place, target: &str) {
        let remark = problem.remark();
        let is_it = |cause: &&mut Cause| {
            (cause.name, cause.rank, &cause.remark) == (problem.name(), problem.rank, &remark)
        };
        if let Some(cause) = self.0.iter_mut().find(is_it) {
            cause.targets += 1;
            cause.differs |= cause.problem().title() != problem.title();
            if cause.names.first_key_value().is_some_and(|(first, _)| place < *first) {
                cause.first = First::of(problem);
            }
            cause.names.insert(place, target.to_owned());
            if cause.names.len() > MOST_NAMED {
                cause.names.pop_last();
            }
            return;
        }
        self.0.push(Cause {
            rank: problem.rank,
            targets: 1,
            names: BTreeMap::from([(place, target.to_owned())]),
            differs: false,
            name: problem.name(),
            remark,
            first: First::of(problem),
            then: problem.then.map(|then| Box::new(AsOf { date: then.date, judged: None })),
        });
    }

    /// What fails first, then what is denied, then what is worth knowing.
    pub(super) fn worst_first(&self) -> Vec<&Cause> {
        let mut causes: Vec<&Cause> = self.0.iter().collect();
        order::by_key(&mut causes, |cause| {
            let rank = match cause.rank {
                Rank::Error => 0,
                Rank::Denied(_) => 1,
                Rank::Warning => 2,
            };
            (rank, cause.names.first_key_value().map(|(place, _)| *place))
        });
        causes
    }
}

impl Cause {
    /// The problem of the first target.
    pub(super) fn problem(&self) -> Problem<'_> {
        let said = match &self.first {
            First::Diagnosis(found, also) => Said::Diagnosis(found, also),
            First::Warning(warning) => Said::Warning(warning),
            First::NotJudged => Said::NotJudged,
        };
        Problem { rank: self.rank, said, then: self.then.as_deref() }
    }

    /// The first of the targets.
    pub(super) fn names(&self) -> Vec<&str> {
        self.names.values().map(String::as_str).collect()
    }

    /// ` for 2 targets`
    pub(super) fn count(&self) -> String {
        if self.targets == 1 { " for 1 target".to_owned() } else { format!(" for {} targets", self.targets) }
    }

    /// Says that the words are those of the first target, where others have other words.
    pub(super) fn first_of_them(&self) -> &'static str {
        if self.differs { " (the first of them)" } else { "" }
    }

    /// How many targets are not named.
    pub(super) fn unnamed(&self) -> usize {
        self.targets.saturating_sub(self.names.len())
    }
}
