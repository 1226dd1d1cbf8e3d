//! What is expected of every fault that the embedded server stages: one row each, here and nowhere else. The rows stand
//! in files of the same names as the faults (`src/demo/faults/`), in their order.

mod certificate;
mod config;
mod network;
mod session;
mod tls;
mod trust;

use openssl::ssl::SslVersion;

use super::neighbours;
use crate::generated::builds;
use crate::support::der::{oid, sequence};
use crate::support::odd_pki::{
    CrlDraft, Draft, EXTENDED_KEY_USAGE, Extension, Issued, Kind, POLICIES, common_name, crl_pem, days, dns,
    ip, name_constraints,
};
use crate::support::scripted_server::Tls;
use crate::support::site::NAME;
use crate::{audit, network as networks, real_faults, trials};

/// What is expected of one fault.
pub(crate) struct Row {
    /// Its name.
    pub fault: &'static str,
    /// The evidence: `label: words of its value`, and between two of them `; `. Values that differ from run to run have
    /// their label only.
    pub shows: &'static str,
    /// Words of one of the fixes: of its text, its command or its settings.
    pub fix: &'static str,
    /// What settings do about it.
    pub fixed_by: FixedBy,
    /// The answer of libpq.
    pub psql: Answer,
    /// What looks like it and is fine. One row of those that share a code has some.
    pub neighbours: &'static [Neighbour],
}

/// What becomes of the fault when settings are changed. `DIR` stands for the directory of its files.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FixedBy {
    /// No fix has settings.
    NoSetting,
    /// These are among those that were tried and work, for psql too.
    Works(&'static str),
    /// These are offered and cannot be tried without a password, or before a command was run.
    Untried(&'static str),
    /// These fixed_by it and bring another fault to light: the code of that.
    Uncovers(&'static str, &'static str),
}

/// What psql does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Connects,
    /// It fails, and says this.
    Fails(&'static str),
    /// It finds fault with the chain; OpenSSL's alert tells what.
    Alerts(u8),
    /// With libpq 15 on Debian's OpenSSL 3, and with libpq 18 on OpenSSL 1.1 at its level 1.
    Differs(&'static Self, &'static Self),
}

impl Answer {
    /// That of one version of libpq.
    pub(crate) fn of(self, version: u8) -> Self {
        match (self, version) {
            (Differs(answer, _), 15) | (Differs(_, answer), _) => *answer,
            (answer, _) => answer,
        }
    }
}

/// What looks like a fault and is fine.
pub(crate) enum Neighbour {
    /// What it is, and the settings that make it of the good connection string of a real server; `DIR` stands for the
    /// home with [`neighbours::prepare`]'s files, `PORT` for the server's port and `CLOSED` for one that nobody listens
    /// on.
    Settings(&'static str, &'static str),
    /// What it is, and a chain.
    Chain(&'static str, fn(&Certificates) -> Staged),
    /// Another test has it: its function, so that a renamed or removed one does not compile.
    Test(#[allow(dead_code)] fn()),
}

use Answer::{Alerts, Connects, Differs, Fails};
use FixedBy::{NoSetting, Uncovers, Untried, Works};
use Neighbour::{Chain, Settings, Test};

// Alerts (RFC 8446, 6.2) as OpenSSL's `x509table` in ssl/statem/statem_lib.c and others choose them.
const BAD_CERTIFICATE: u8 = 42;
const UNSUPPORTED_CERTIFICATE: u8 = 43;
const CERTIFICATE_REVOKED: u8 = 44;
const CERTIFICATE_EXPIRED: u8 = 45;
const CERTIFICATE_UNKNOWN: u8 = 46;
const UNKNOWN_CA: u8 = 48;
const DECRYPT_ERROR: u8 = 51;

/// Of libpq 15 to an option of later versions.
const UNKNOWN: Answer = Fails("invalid connection option");

/// All rows, in the order of the faults.
pub(crate) fn rows() -> Vec<&'static Row> {
    [
        config::FAILURES,
        trust::FAILURES,
        network::FAILURES,
        tls::FAILURES,
        certificate::FAILURES,
        session::FAILURES,
        trust::WARNINGS,
        network::WARNINGS,
        tls::WARNINGS,
        certificate::WARNINGS,
        session::WARNINGS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The row of a fault.
#[track_caller]
pub(crate) fn row(fault: &str) -> &'static Row {
    rows().into_iter().find(|row| row.fault == fault).unwrap_or_else(|| panic!("no row for {fault}"))
}

/// Who takes part in the chains of [`Neighbour::Chain`].
pub(crate) struct Certificates {
    pub root: Issued,
    pub ca: Issued,
    /// The server's certificate, of the CA.
    pub plain: Issued,
    /// Another server's, of the root, expired.
    pub old: Issued,
}

/// A server to be started, and how it is asked.
pub(crate) struct Staged {
    pub chain: Vec<Issued>,
    /// What the root file holds.
    pub root: Issued,
    pub tls: Tls,
    /// Files in the home, and settings over the good ones; `DIR` stands for the home.
    pub files: Vec<(&'static str, String)>,
    pub settings: &'static str,
}

/// A certificate for the server.
fn server() -> Draft {
    Draft::server(NAME)
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let root = Draft::authority("Neighbour Root").self_signed();
        let ca = Draft::authority("Neighbour CA").signed_by(&root);
        let plain = server().signed_by(&ca);
        let old = Draft::server("old.example").expired().signed_by(&root);
        Self { root, ca, plain, old }
    }

    /// These certificates, leaf first.
    fn staged(&self, chain: &[&Issued]) -> Staged {
        Staged {
            chain: chain.iter().map(|certificate| (*certificate).clone()).collect(),
            root: self.root.clone(),
            tls: Tls::default(),
            files: Vec::new(),
            settings: "",
        }
    }

    /// This certificate, issued by the CA.
    fn issued(&self, leaf: Draft) -> Staged {
        self.staged(&[&leaf.signed_by(&self.ca), &self.ca])
    }

    /// One file that is the neighbour of all that can be wrong with CRLs: it is there, whole, in date, has a list of
    /// every CA, and revokes another certificate.
    fn with_lists(&self) -> Staged {
        let other = server().signed_by(&self.ca);
        let lists = [
            CrlDraft::revoking(&[]).signed_by(&self.root),
            CrlDraft::revoking(&[&other]).signed_by(&self.ca),
        ];
        Staged {
            files: vec![("lists.pem", lists.map(|list| crl_pem(&list)).concat())],
            settings: "sslcrl=DIR/lists.pem",
            ..self.staged(&[&self.plain, &self.ca])
        }
    }

    /// A server of Azure's with the provider's roots in the file.
    fn at_azure(&self) -> Staged {
        let bundle = pgtls_check::provider::bundle("azure-flexible").expect("Azure's roots are shipped");
        Staged {
            files: vec![("all.pem", bundle.to_pem() + &self.root.pem())],
            settings: "host=mydemo.postgres.database.azure.com sslrootcert=DIR/all.pem",
            ..self.issued(Draft::server("mydemo.postgres.database.azure.com"))
        }
    }
}
