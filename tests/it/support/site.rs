//! The servers most tests are content with: an honest chain, one role let in freely and one with a password. Each is
//! started when a test first asks for it and shared by all that follow.

use std::sync::LazyLock;

use super::home::Home;
use super::pki::{Algorithm, Chain};
use super::postgres::{Postgres, Setup};

/// The name all certificates of the test bed are for. Nothing resolves it: tests give the address beside it.
pub(crate) const NAME: &str = "db.example";
/// A role that is let in without a password.
pub(crate) const OPEN: &str = "open_role";
/// A role that is asked for [`PASSWORD`].
pub(crate) const GUARDED: &str = "guarded_role";
pub(crate) const PASSWORD: &str = "Xylophone-7%quartz";

/// A server and the chain it shows.
pub(crate) struct Site {
    pub chain: Chain,
    pub server: Postgres,
}

impl Site {
    /// The shared server of a major version with a chain of an algorithm.
    pub(crate) fn shared(version: u8, algorithm: Algorithm) -> &'static Self {
        static RSA_15: LazyLock<Site> = LazyLock::new(|| Site::new(15, Algorithm::Rsa, |setup| setup));
        static RSA_18: LazyLock<Site> = LazyLock::new(|| Site::new(18, Algorithm::Rsa, |setup| setup));
        static ECDSA_15: LazyLock<Site> = LazyLock::new(|| Site::new(15, Algorithm::Ecdsa, |setup| setup));
        static ECDSA_18: LazyLock<Site> = LazyLock::new(|| Site::new(18, Algorithm::Ecdsa, |setup| setup));
        match (version, algorithm) {
            (15, Algorithm::Rsa) => &RSA_15,
            (15, Algorithm::Ecdsa) => &ECDSA_15,
            (18, Algorithm::Rsa) => &RSA_18,
            (18, Algorithm::Ecdsa) => &ECDSA_18,
            _ => panic!("the tests have PostgreSQL 15 and 18, not {version}"),
        }
    }

    /// A server of the test's own, the same but for what `change` adds.
    pub(crate) fn new(version: u8, algorithm: Algorithm, change: impl FnOnce(Setup) -> Setup) -> Self {
        let chain = Chain::honest(NAME, algorithm);
        let setup = Postgres::version(version).tls(&chain).trusted(OPEN).user(GUARDED, PASSWORD);
        Self { server: change(setup).start(), chain }
    }

    /// A connection string that verifies everything, with the chain's root as a file in `home`.
    pub(crate) fn verify_full(&self, home: &Home, user: &str) -> String {
        let root = home.write("root.pem", self.chain.root.pem());
        verify_full(self.server.port(), root.to_str().expect("a path in UTF-8"), user)
    }
}

/// A connection string for [`NAME`] at 127.0.0.1 that verifies everything.
pub(crate) fn verify_full(port: u16, root: &str, user: &str) -> String {
    format!(
        "host={NAME} hostaddr=127.0.0.1 port={port} dbname=postgres user={user} sslmode=verify-full sslrootcert={root}"
    )
}
