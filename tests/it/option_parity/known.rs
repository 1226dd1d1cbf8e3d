//! Where a client is known to differ from what the cases say.

use crate::support::parity::Known;

pub const KNOWN: &[Known] = &[];
