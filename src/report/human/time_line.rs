//! With `-v`: where the time went, with the numbers beside the bars.

use std::time::Duration;

use crate::diagnose::Outcome;
use crate::evidence::{Attempt, Step, TcpResult};
use crate::report::Role;
use crate::report::page::{Page, TIME_EDGE};
use crate::text::width;

/// Where bars begin.
const BARS: usize = 22;

/// A bar: name, begin and length since the start of the check, in milliseconds.
struct Bar {
    name: String,
    start: f64,
    took: f64,
}

/// One bar a step of the last attempt, one for each attempt before it, and the round trips.
pub(super) fn draw(page: &mut Page, outcome: &Outcome) {
    // A rehearsal waits for nobody.
    if outcome.evidence.rehearsal.is_some() {
        return;
    }
    let Some((last, earlier)) = outcome.evidence.attempts.split_last() else { return };
    let mut bars: Vec<Bar> =
        earlier.iter().enumerate().filter_map(|(index, attempt)| whole(index + 1, attempt)).collect();
    bars.extend(steps(last).into_iter().map(|(name, start, took)| Bar {
        name: name.to_owned(),
        start: ms(start),
        took: ms(took),
    }));
    if bars.is_empty() {
        return;
    }
    let total = bars.iter().map(|bar| bar.start + bar.took).fold(ms(outcome.evidence.took), f64::max);
    page.part();
    match page.style().width {
        None => numbers(page, &bars, total),
        Some(limit) => drawing(page, &bars, total, limit.min(TIME_EDGE)),
    }
    round_trips(page, outcome, last);
}

/// Away from a terminal: no drawing, one fact a line.
fn numbers(page: &mut Page, bars: &[Bar], total: f64) {
    page.line(&format!("time line      {total:.1} ms"));
    for bar in bars {
        page.line(&format!("  {:<11}  {:.1} ms, from {:.1} ms on", bar.name, bar.took, bar.start));
    }
}

fn drawing(page: &mut Page, bars: &[Bar], total: f64, edge: usize) {
    let style = page.style();
    let room = edge.saturating_sub(BARS).max(1);
    let end = format!("{total:.1} ms");
    let gap = edge.saturating_sub(19 + width(&end)).max(1);
    page.line(&format!("time line      0 ms{:gap$}{end}", ""));
    let column = |at: f64| ((at / total.max(f64::MIN_POSITIVE)) * room as f64).round() as usize;
    for bar in bars {
        let from = column(bar.start).min(room - 1);
        // Every step is to be seen, however short.
        let length = column(bar.start + bar.took).saturating_sub(from).max(1);
        let blocks = style.paint(Role::Secondary, &page.clean("█").repeat(length));
        page.line(&format!("  {:<11}{:>7.1}  {:from$}{blocks}", bar.name, bar.took, ""));
    }
}

/// What the network's delay costs: the time of the TCP handshake is one round trip, and the wire was counted.
fn round_trips(page: &mut Page, outcome: &Outcome, attempt: &Attempt) {
    let (Some(tcp), Some(tls)) = (&attempt.tcp, &attempt.tls) else { return };
    if !matches!(tcp.result, TcpResult::Connected { .. }) || tls.result.failure.is_some() {
        return;
    }
    let trip = ms(tcp.took);
    let count = tls.result.flights + 1;
    let begin = attempt.dns.as_ref().map_or(tcp.start, |dns| dns.start.min(tcp.start));
    let verdict = ms(tls.start + tls.took) - ms(begin);
    let rest = verdict - trip * count as f64;
    let mut words = format!("{trip:.1} · {count} of them to the verdict");
    if rest >= 0.0 && outcome.evidence.attempts.len() == 1 {
        words.push_str(&format!(" · the rest, {rest:.1}, is name look-up and work"));
    }
    let head = page.clean("  round trip  ");
    if page.is_narrow() {
        page.line(&head);
        page.prose("    ", 4, 4, Role::Plain, &words);
    } else {
        // The number ends where those of the bars end.
        let number = format!("{trip:.1}").len();
        let indent = if page.style().width.is_none() { 15 } else { 20_usize.saturating_sub(number) };
        let pad = indent.saturating_sub(head.len());
        page.prose(&format!("{head}{:pad$}", ""), indent, indent, Role::Plain, &words);
    }
}

/// An attempt that libpq went on from, as one bar.
fn whole(number: usize, attempt: &Attempt) -> Option<Bar> {
    let steps = steps(attempt);
    let start = steps.iter().map(|(_, start, _)| *start).min()?;
    let end = steps.iter().map(|(_, start, took)| *start + *took).max()?;
    Some(Bar { name: format!("attempt {number}"), start: ms(start), took: ms(end.saturating_sub(start)) })
}

fn steps(attempt: &Attempt) -> Vec<(&'static str, Duration, Duration)> {
    fn of<T>(name: &'static str, step: &Option<Step<T>>) -> Option<(&'static str, Duration, Duration)> {
        step.as_ref().map(|step| (name, step.start, step.took))
    }
    [
        of("dns", &attempt.dns),
        of("plaintext", &attempt.plaintext),
        of("without TLS", &attempt.without_tls),
        of("tcp", &attempt.tcp),
        of("negotiate", &attempt.negotiate),
        of("tls", &attempt.tls),
        of("session", &attempt.session),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
