//! One member of a target: the one host of its list, and the one address of that, which `--each` checks by itself.

use std::net::SocketAddr;

use super::{Resolution, Step};

/// The one host of a list, and the one of its addresses, that is to be tried.
#[derive(Clone, Debug)]
pub struct Member {
    /// The host's place in the list.
    pub host: usize,
    /// Its address, where that was looked up.
    pub address: Option<MemberAddress>,
}

/// An address of a name, as it was looked up for all members of a target at once.
#[derive(Clone, Debug)]
pub struct MemberAddress {
    /// The name.
    pub name: String,
    /// The address, with the port that the list has beside the name.
    pub socket: SocketAddr,
    /// How all of them were found.
    pub dns: Step<Resolution>,
    /// The end of the name's CNAME chain, where that is another name.
    pub canonical_name: Option<String>,
}

impl Member {
    /// All addresses of the host.
    pub fn host(host: usize) -> Self {
        Self { host, address: None }
    }
}
