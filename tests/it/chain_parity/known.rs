//! Where a client is known to differ from libpq 15 on OpenSSL 3 at security level 2.

use super::{Client, Outcome, Reason};

/// One difference.
pub struct Known {
    pub case: &'static str,
    pub client: Client,
    pub outcome: Outcome,
    pub reason: &'static str,
}

pub const KNOWN: &[Known] = &[];
