//! The table of faults: one entry each, in the order of the stages at which a check fails.

mod certificate;
mod config;
mod network;
mod session;
mod tls;
mod trust;

use std::io;
use std::sync::LazyLock;

use super::scene::Scene;

/// A fault that can be staged.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name on the command line.
    pub name: &'static str,
    /// The code of the diagnosis or warning that a check gives.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub about: &'static str,
    /// Whether it shows only to a check that asks for a session (`--require-auth`).
    pub require_auth: bool,
    pub(super) stage: fn(&mut Scene) -> io::Result<()>,
}

impl Fault {
    /// A fault named after its code.
    const fn new(code: &'static str, about: &'static str, stage: fn(&mut Scene) -> io::Result<()>) -> Fault {
        Fault { name: code, code, about, require_auth: false, stage }
    }

    /// Only a check that asks for a session fails.
    const fn for_sessions(self) -> Fault {
        Fault { require_auth: true, ..self }
    }

    /// Another way to the same code.
    const fn named(self, name: &'static str) -> Fault {
        Fault { name, ..self }
    }
}

/// All faults, in the order of the stages, warnings last.
pub fn faults() -> &'static [Fault] {
    static ALL: LazyLock<Vec<Fault>> = LazyLock::new(|| {
        [
            config::FAULTS,
            trust::FAULTS,
            network::FAULTS,
            tls::FAULTS,
            certificate::FAULTS,
            session::FAULTS,
            trust::WARNINGS,
            network::WARNINGS,
            tls::WARNINGS,
            certificate::WARNINGS,
            session::WARNINGS,
        ]
        .concat()
    });
    &ALL
}

/// The fault of this name.
pub fn fault(name: &str) -> Option<&'static Fault> {
    faults().iter().find(|fault| fault.name == name)
}
