//! Opens the sockets: resolves, connects, negotiates, shakes hands, starts the session; one file a stage. It never
//! fails: what went wrong is in the [`Evidence`].

pub mod verbatim_sni;

use crate::evidence::Evidence;
use crate::plan::Plan;

/// Probes one target: host by host and address by address, as libpq would go on or stop.
pub async fn probe(plan: &Plan) -> Evidence {
    Evidence {
        started: plan.started,
        judged_at: plan.judged_at,
        input: plan.settings.input.clone(),
        config: Ok(plan.settings.clone()),
        trust: Some(plan.trust.clone()),
        attempts: Vec::new(),
        looks: Vec::new(),
        system_roots: None,
        resolvers: Vec::new(),
        scope: plan.scope,
        took: std::time::Duration::ZERO,
    }
}
