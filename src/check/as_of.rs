//! `--as-of`: the recorded chain judged a second time, as of another date. Nothing is sent on its account: by then the
//! check is over, which was as of now.

use crate::diagnose::{AsOf, Policy, diagnose};
use crate::evidence::Evidence;
use crate::own_thread;
use crate::timestamp::Timestamp;
use crate::trial::{self, Context};

/// Judges the chain that a check recorded as of a date, and tries the fixes of what is then wrong on that chain alone.
pub(super) async fn judged(
    evidence: &Evidence,
    date: Timestamp,
    policy: &Policy,
    context: Context<'_>,
) -> AsOf {
    let recorded = evidence.clone();
    let judged =
        own_thread::run(evidence.is_long(), move || trial::judged_as_of(recorded, date).map(diagnose)).await;
    let Some(judged) = judged else { return AsOf { date, judged: None } };
    let mut judged = trial::try_fixes(judged, Context { may_connect: false, ..context }).await;
    policy.apply(&mut judged);
    AsOf { date, judged: Some(judged) }
}
