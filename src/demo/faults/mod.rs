//! The table of faults: one entry each, in the order of the stages at which a check fails.

mod certificate;
mod config;
mod network;
mod session;
mod tls;
mod trust;

use std::io;
use std::sync::LazyLock;

use super::scenario::Scenario;

/// What has to be run to see a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenBy {
    /// A check: it fails with the code.
    Check,
    /// A check that asks for a session (`--require-auth`); others are content.
    SessionCheck,
    /// A check: it succeeds and warns with the code.
    Warning,
    /// `audit`; checks are content.
    Audit,
}

/// A fault that can be staged.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name on the command line.
    pub name: &'static str,
    /// The code of the diagnosis or warning that a check gives.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub about: &'static str,
    /// Who sees it.
    pub seen_by: SeenBy,
    pub(super) stage: fn(&mut Scenario) -> io::Result<()>,
}

impl Fault {
    /// A fault named after its code.
    const fn new(
        code: &'static str,
        about: &'static str,
        stage: fn(&mut Scenario) -> io::Result<()>,
    ) -> Self {
        Self { name: code, code, about, seen_by: SeenBy::Check, stage }
    }

    /// A fault that does not make a check fail.
    const fn warning(
        code: &'static str,
        about: &'static str,
        stage: fn(&mut Scenario) -> io::Result<()>,
    ) -> Self {
        Self { seen_by: SeenBy::Warning, ..Self::new(code, about, stage) }
    }

    /// Seen by something else.
    const fn seen_by(self, seen_by: SeenBy) -> Self {
        Self { seen_by, ..self }
    }

    /// Another way to the same code.
    const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_lead_to_their_faults() {
        let names: BTreeSet<&str> = faults().iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), faults().len());
        for name in names {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
            assert_eq!(fault(name).map(|fault| fault.name), Some(name));
        }
        assert!(fault("no-such-fault").is_none());
    }

    #[test]
    fn each_code_has_a_fault_of_its_name_and_a_line_that_fits_a_list() {
        for fault in faults() {
            assert!(super::fault(fault.code).is_some(), "{}", fault.code);
            assert!(fault.about.len() <= 74 && !fault.about.ends_with('.'), "{}", fault.about);
        }
    }
}
