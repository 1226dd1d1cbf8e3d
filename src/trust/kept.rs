//! What was read of files, kept for a run: most of its targets name the same ones, and reading and decoding them is a good
//! part of what a check costs.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use super::Trust;
use crate::certificate::SecurityLevel;
use crate::conninfo::{Environment, Program, RootChoice, Settings, SslCertMode, SslMode};
use crate::secret::Secret;

/// Files that were read, with what asked for them, the last asked for first. As long as nobody waits for a file to change,
/// all targets of a run may be told the same.
#[derive(Debug, Default)]
pub struct KeptTrust(RefCell<Vec<(Asked, Arc<Trust>)>>);

/// So many are kept: with more root files than these, each has few targets.
const MOST: usize = 16;

/// All that decides what is read, the variables aside that are the same throughout a run (`HOME`, `SSL_CERT_FILE`, …).
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    mode: SslMode,
    certificate_mode: SslCertMode,
    root: RootChoice,
    level: SecurityLevel,
    paths: [Option<PathBuf>; 4],
    pass_phrase: Option<Secret>,
    program: Program,
}

impl Asked {
    fn of(settings: &Settings, environment: &Environment) -> Self {
        let pass_phrase = settings.parameter("sslpassword").map(|parameter| parameter.value.exposed());
        Self {
            mode: settings.sslmode,
            certificate_mode: settings.certificate_mode,
            root: settings.root.clone(),
            level: settings.security_level(),
            paths: ["sslcrl", "sslcrldir", "sslcert", "sslkey"].map(|keyword| settings.path(keyword)),
            pass_phrase: pass_phrase.map(|phrase| Secret::new(phrase.to_vec())),
            program: environment.program.clone(),
        }
    }
}

impl KeptTrust {
    /// What was read before for the same settings.
    pub fn get(&self, settings: &Settings, environment: &Environment) -> Option<Arc<Trust>> {
        let mut kept = self.0.borrow_mut();
        if kept.is_empty() {
            return None;
        }
        let asked = Asked::of(settings, environment);
        let at = kept.iter().position(|(known, _)| *known == asked)?;
        kept.get_mut(..=at)?.rotate_right(1);
        kept.first().map(|(_, trust)| Arc::clone(trust))
    }

    /// Keeps what was read.
    pub fn keep(&self, settings: &Settings, environment: &Environment, trust: &Arc<Trust>) {
        let mut kept = self.0.borrow_mut();
        if kept.iter().any(|(_, known)| Arc::ptr_eq(known, trust)) {
            return;
        }
        kept.truncate(MOST - 1);
        kept.insert(0, (Asked::of(settings, environment), Arc::clone(trust)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::conninfo::resolve;

    #[test]
    fn what_reads_the_same_is_kept_and_nothing_else() {
        let home = Home::new();
        home.write("one.pem", "");
        let kept = KeptTrust::default();
        let settings =
            |text: &str| resolve(Some(text.as_bytes()), &Default::default(), &home.environment).unwrap();
        let get = |text: &str| kept.get(&settings(text), &home.environment);
        let keep = |text: &str| {
            let trust = Arc::new(super::super::load(&settings(text), &home.environment));
            kept.keep(&settings(text), &home.environment, &trust);
            trust
        };
        let first = "host=a user=me sslmode=verify-full sslrootcert=one.pem";
        assert!(get(first).is_none());
        let trust = keep(first);
        for same in [first, "host=b user=other port=1 sslmode=verify-full sslrootcert=one.pem password=x"] {
            assert!(get(same).is_some_and(|found| Arc::ptr_eq(&found, &trust)), "{same}");
        }
        for other in [
            "host=a user=me sslmode=verify-ca sslrootcert=one.pem",
            "host=a user=me sslmode=verify-full sslrootcert=two.pem",
            "host=a user=me sslmode=verify-full sslrootcert=one.pem sslcrl=x",
            "host=a user=me sslmode=verify-full sslrootcert=one.pem sslcert=x",
            "host=a user=me sslmode=verify-full sslrootcert=one.pem sslkey=x",
            "host=a user=me sslmode=verify-full sslrootcert=one.pem sslpassword=x",
            "host=a user=me sslmode=verify-full sslrootcert=one.pem sslcertmode=disable",
            "host=a user=me sslmode=verify-full",
        ] {
            assert!(get(other).is_none(), "{other}");
        }
        // What was asked for last is kept longest.
        for number in 0..MOST - 1 {
            keep(&format!("host=a user=me sslmode=verify-full sslrootcert={number}.pem"));
            assert!(get(first).is_some());
        }
        keep("host=a user=me sslmode=verify-full sslrootcert=last.pem");
        assert!(get(first).is_some());
        assert!(get("host=a user=me sslmode=verify-full sslrootcert=0.pem").is_none());
    }
}
