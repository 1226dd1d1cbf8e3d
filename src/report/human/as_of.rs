//! The judgement as of another date, beside the check that was made now.

use super::diagnosis::{self, DENIED, ERROR, WARNING};
use super::{chain, verdict_role};
use crate::diagnose::{AsOf, Outcome};
use crate::report::page::Page;
use crate::report::{Style, Verbosity};

/// What is wrong on that date and not now; with `-v` the chain as of that date too.
pub(super) fn section(page: &mut Page, then: &AsOf, now: &Outcome, verbosity: Verbosity) {
    let remark = format!(" {}", date(then));
    let quiet = verbosity == Verbosity::Quiet;
    if let (Some(judged), Verbosity::Verbose) = (&then.judged, verbosity) {
        page.part();
        page.line(&format!("{}, judged of the chain that was recorded now", date(then)));
        chain::draw(page, judged);
    }
    for warning in then.warnings(&now.warnings).filter(|warning| warning.denied || !quiet) {
        page.part();
        let level = if warning.denied { DENIED } else { WARNING };
        diagnosis::warning_at(page, level, warning, &remark);
    }
    if let Some(judged) = &then.judged
        && let Some(found) = &judged.diagnosis
        && now.diagnosis.as_ref().is_none_or(|known| (known.code, &known.title) != (found.code, &found.title))
    {
        page.part();
        diagnosis::error_at(page, ERROR, found, &judged.also, &remark);
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

/// `as of 2027-01-01`
pub(super) fn date(then: &AsOf) -> String {
    format!("as of {}", then.date.date())
}
