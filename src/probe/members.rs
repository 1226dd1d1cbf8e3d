//! `--each`: what a target consists of.

use std::time::Duration;

use tokio::time::timeout;

use super::dns::{self, Resolved};
use crate::conninfo::{Endpoint, Host, Settings};
use crate::evidence::{Member, MemberAddress, Step};
use crate::plan::DEFAULT_ADDRESS_LIMIT;

/// The hosts of the list with each of their addresses, in libpq's order. A name that has none is a member all the same, and
/// fails as one. Looking up takes no longer than the target may.
pub async fn members(settings: &Settings, total_limit: Option<Duration>) -> Vec<Member> {
    let most = total_limit.unwrap_or(Duration::MAX);
    let limit = settings.connect_timeout.unwrap_or(DEFAULT_ADDRESS_LIMIT).min(most);
    let mut members = Vec::new();
    let looked_up = timeout(most, async {
        for (place, host) in settings.hosts.iter().enumerate() {
            members.extend(of_host(place, host, limit).await);
        }
    });
    if looked_up.await.is_err() {
        let first_left = members.last().map_or(0, |member: &Member| member.host + 1);
        members.extend((first_left..settings.hosts.len()).map(Member::host));
    }
    members
}

async fn of_host(place: usize, host: &Host, limit: Duration) -> Vec<Member> {
    let (Endpoint::Name(name), Ok(port)) = (&host.endpoint, &host.port) else {
        return vec![Member::host(place)];
    };
    let start = tokio::time::Instant::now();
    let Resolved { resolution, addresses, canonical_name } = dns::resolve(name, *port, limit).await;
    let dns = Step { start: Duration::ZERO, took: start.elapsed(), result: resolution };
    if addresses.is_empty() {
        return vec![Member::host(place)];
    }
    let member = |socket| {
        let (name, dns, canonical_name) = (name.clone(), dns.clone(), canonical_name.clone());
        Member { host: place, address: Some(MemberAddress { name, socket, dns, canonical_name }) }
    };
    addresses.into_iter().map(member).collect()
}
