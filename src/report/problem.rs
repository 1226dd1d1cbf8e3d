//! What an outcome's problems are, one list for all formats: why it failed, what a policy makes a failure, what is worth
//! knowing, now and on the date of `--as-of`.

use crate::conninfo::write::setting;
use crate::diagnose::{AsOf, DeniedBy, Diagnosis, Fact, Fix, Outcome, Verdict, Warning};
use crate::stage::Stage;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// It is why the check failed.
    Error,
    /// A warning that one of the user's demands makes a failure.
    Denied(DeniedBy),
    /// Worth knowing.
    Warning,
}

/// A problem of a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem<'a> {
    /// How bad it is.
    pub rank: Rank,
    /// What it is.
    pub said: Said<'a>,
    /// The date of `--as-of`, where it comes with that.
    pub then: Option<&'a AsOf>,
}

/// What is said of a problem.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said<'a> {
    /// A diagnosis, and what is certainly wrong besides.
    Diagnosis(&'a Diagnosis, &'a [Diagnosis]),
    /// A warning.
    Warning(&'a Warning),
    /// The chain could not be judged as of the date.
    NotJudged,
}

/// The problems of an outcome: the diagnosis first, then warnings, then what comes with the date of `--as-of` where
/// nothing failed now.
pub(super) fn problems(outcome: &Outcome) -> Vec<Problem<'_>> {
    let now = outcome.diagnosis.iter().map(|found| (Said::Diagnosis(found, &outcome.also), None));
    let warnings = outcome.warnings.iter().map(|warning| (Said::Warning(warning), None));
    let mut said: Vec<(Said<'_>, Option<&AsOf>)> = now.chain(warnings).collect();
    if let (Some(then), true) = (&outcome.as_of, outcome.verdict != Verdict::Failed) {
        let then: &AsOf = then;
        match then.judged.as_ref().map(|judged| (&judged.diagnosis, &judged.also)) {
            None => said.push((Said::NotJudged, Some(then))),
            Some((Some(found), also)) => said.push((Said::Diagnosis(found, also), Some(then))),
            Some((None, _)) => said
                .extend(then.warnings(&outcome.warnings).map(|warning| (Said::Warning(warning), Some(then)))),
        }
    }
    said.into_iter().map(|(said, then)| Problem { rank: rank(said), said, then }).collect()
}

fn rank(said: Said<'_>) -> Rank {
    match said {
        Said::Diagnosis(..) | Said::NotJudged => Rank::Error,
        Said::Warning(warning) => warning.denied.map_or(Rank::Warning, Rank::Denied),
    }
}

impl<'a> Problem<'a> {
    /// Whether it makes the run fail.
    pub(super) fn fails(&self) -> bool {
        self.rank != Rank::Warning
    }

    /// Its code's name.
    pub(super) fn name(&self) -> &'static str {
        match self.said {
            Said::Diagnosis(found, _) => found.code.name,
            Said::Warning(warning) => warning.code.name,
            Said::NotJudged => "not-judged",
        }
    }

    /// The stage it belongs to.
    pub(super) fn stage(&self) -> Stage {
        match self.said {
            Said::Diagnosis(found, _) => found.code.stage,
            Said::Warning(warning) => warning.code.stage,
            Said::NotJudged => Stage::Certificate,
        }
    }

    /// What is the case.
    pub(super) fn title(&self) -> &'a str {
        match self.said {
            Said::Diagnosis(found, _) => &found.title,
            Said::Warning(warning) => &warning.title,
            Said::NotJudged => "the chain was not judged as of the date",
        }
    }

    /// The evidence.
    pub(super) fn evidence(&self) -> &'a [(&'static str, Fact)] {
        match self.said {
            Said::Diagnosis(found, _) => &found.evidence,
            Said::Warning(warning) => &warning.evidence,
            Said::NotJudged => &[],
        }
    }

    /// What to do.
    pub(super) fn fixes(&self) -> &'a [Fix] {
        match self.said {
            Said::Diagnosis(found, _) => &found.fixes,
            Said::Warning(warning) => &warning.fixes,
            Said::NotJudged => &[],
        }
    }

    /// `as of 2027-01-01`, where it comes with that date.
    pub(super) fn date(&self) -> Option<String> {
        self.then.map(date)
    }

    /// What is the case, and on which date where that is not now.
    pub(super) fn dated_title(&self) -> String {
        match self.date() {
            Some(date) => format!("{}, {date}", self.title()),
            None => self.title().to_owned(),
        }
    }

    /// What is said behind the code: who denies it, and the date that it comes with.
    pub(super) fn remark(&self) -> String {
        let by = match self.rank {
            Rank::Denied(by) => format!(" (by {})", by.option()),
            Rank::Error | Rank::Warning => String::new(),
        };
        let date = self.date().map(|date| format!(" {date}")).unwrap_or_default();
        by + &date
    }
}

/// `as of 2027-01-01`
pub(super) fn date(then: &AsOf) -> String {
    format!("as of {}", then.date.date())
}

/// A remedy in one line: its words, else the settings that say it all.
pub(super) fn remedy(fix: &Fix) -> String {
    let settings = || {
        let pairs: Vec<String> =
            fix.settings.iter().map(|(keyword, value)| setting(keyword, value)).collect();
        (!pairs.is_empty()).then(|| pairs.join(" "))
    };
    // Of several lines to type, none is the remedy alone.
    let command = fix.command.clone().filter(|command| command.lines().count() == 1);
    let typed = command.or_else(settings);
    match (fix.text.is_empty(), typed) {
        (true, Some(typed)) => typed,
        (false, Some(typed)) => format!("{}: {typed}", fix.text),
        (_, None) => fix.text.clone(),
    }
}
