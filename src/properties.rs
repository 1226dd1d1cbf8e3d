//! How property tests run, in one place.

use proptest::test_runner::{Config, FileFailurePersistence};

/// proptest's defaults, with the seeds of failures kept among the tests.
pub(crate) fn config() -> Config {
    let seeds = FileFailurePersistence::SourceParallel("tests/proptest-regressions");
    Config { failure_persistence: Some(Box::new(seeds)), ..Config::default() }
}
