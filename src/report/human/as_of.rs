//! The judgement as of another date, beside the check that was made now.

use super::{chain, diagnosis, verdict_role};
use crate::diagnose::{AsOf, Outcome};
use crate::report::page::Page;
use crate::report::problem::{Problem, Rank, Said, date};
use crate::report::{Style, Verbosity};

/// What is wrong on that date and not now; with `-v` the chain as of that date too.
pub(super) fn section(page: &mut Page, then: &AsOf, now: &Outcome, verbosity: Verbosity) {
    let quiet = verbosity == Verbosity::Quiet;
    if let (Some(judged), Verbosity::Verbose) = (&then.judged, verbosity) {
        page.part();
        page.line(&format!("{}, judged of the chain that was recorded now", date(then)));
        chain::draw(page, judged);
    }
    for warning in then.warnings(&now.warnings).filter(|warning| warning.denied.is_some() || !quiet) {
        page.part();
        let rank = warning.denied.map_or(Rank::Warning, Rank::Denied);
        diagnosis::problem(page, &Problem { rank, said: Said::Warning(warning), then: Some(then) });
    }
    if let Some(judged) = &then.judged
        && let Some(found) = &judged.diagnosis
        && now.diagnosis.as_ref().is_none_or(|known| (known.code, &known.title) != (found.code, &found.title))
    {
        page.part();
        let said = Said::Diagnosis(found, &judged.also);
        diagnosis::problem(page, &Problem { rank: Rank::Error, said, then: Some(then) });
    }
}

/// Its part of the last line: `as of 2027-01-01: failed, certificate-expired`.
pub(super) fn words(style: Style, then: &AsOf) -> String {
    let date = date(then);
    let Some(judged) = &then.judged else { return format!("{date}: not judged") };
    let verdict = style.paint(verdict_role(judged.verdict), judged.verdict.words());
    let code = judged.diagnosis.as_ref().map(|found| format!(", {}", found.code)).unwrap_or_default();
    format!("{date}: {verdict}{code}")
}
