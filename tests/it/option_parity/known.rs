//! Where a client is known to differ from what the cases say.

use crate::support::parity::Outcome::{Accepted, Plaintext, Refused};
use crate::support::parity::Reason::{NoTls, NotRequested, RootFile, Settings, Unsupported};
use crate::support::parity::{Client, Known};

pub(super) const KNOWN: &[Known] = &[
    Known {
        client: Client::Libpq15,
        outcome: Refused(RootFile),
        reason: "sslrootcert=system came with libpq 16; before, it is the name of a file",
        cases: &[
            "system roots",
            "system roots without this root",
            "system roots for another name",
            "system roots under verify-ca",
        ],
    },
    Known {
        client: Client::Libpq15,
        outcome: Accepted,
        reason: "sslrootcert=system came with libpq 16; before, it is the name of a file that require does without",
        cases: &["system roots under require", "system roots and no sslmode"],
    },
    Known {
        client: Client::Libpq15,
        outcome: Plaintext(NotRequested),
        reason: "sslrootcert=system came with libpq 16, and only since then is it refused under disable",
        cases: &["system roots under disable"],
    },
    Known {
        client: Client::Libpq15,
        outcome: Accepted,
        reason: "these variables came with libpq 16 and 17; before, nobody looks at them",
        cases: &["direct TLS: by the environment and no sslmode", "PGREQUIREAUTH=!md5 for md5"],
    },
    Known {
        client: Client::Program,
        outcome: Refused(NotRequested),
        reason: "under sslmode=disable there is nothing to verify, whatever the server would say",
        cases: &[
            "disable where TLS is demanded",
            "SCRAM for TLS only over plaintext",
            "channel_binding=require without TLS",
            "sslcertmode=require, sslmode=disable",
        ],
    },
    Known {
        client: Client::Program,
        outcome: Refused(NoTls),
        reason: "that the server has no TLS is the failure, whatever libpq then meets in plaintext",
        cases: &[
            "channel_binding=require and prefer before a server without TLS",
            "sslcertmode=require, no TLS and prefer",
        ],
    },
    Known {
        client: Client::Program,
        outcome: Refused(Settings),
        reason: "keys in OpenSSL's engines are out of its reach, whether the engine is there or not",
        cases: &["client certificate: key by an engine that is none"],
    },
    Known {
        client: Client::Program,
        outcome: Refused(Unsupported),
        reason: "rustls has no suites with CBC in TLS 1.2",
        cases: &[
            "beyond rustls: CBC suites of a server",
            "beyond rustls: CBC suites of a server, require",
            "beyond rustls: CBC suites of a server, prefer",
            "beyond rustls: CBC suites of a server, another root",
            "beyond rustls: ECDHE-ECDSA with CBC",
            "beyond rustls: ECDHE-ECDSA with CBC and SHA-1",
        ],
    },
    Known {
        client: Client::Program,
        outcome: Refused(Unsupported),
        reason: "there is no key exchange over X448 here",
        cases: &["beyond rustls: X448 only in TLS 1.3"],
    },
];
