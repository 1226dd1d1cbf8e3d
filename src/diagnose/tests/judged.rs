//! The outcome as a whole: stages, policy.

use super::fixtures::*;
use crate::diagnose::{Policy, StageStatus, codes, diagnose};
use crate::evidence::{Evidence, TcpResult};
use crate::stage::Stage;

fn lines(evidence: Evidence) -> Vec<(StageStatus, String)> {
    let outcome = diagnose(evidence);
    let order: Vec<Stage> = outcome.stages.iter().map(|line| line.stage).collect();
    assert_eq!(order, Stage::ALL);
    outcome.stages.into_iter().map(|line| (line.status, line.detail)).collect()
}

#[test]
fn a_healthy_check_reads_as_in_the_manual() {
    let expected = [
        "verify-full",
        "roots.pem · 1 root",
        "203.0.113.7",
        "port 5432",
        "TLS offered",
        "TLSv1.3 · AES-256-GCM · secp256r1",
        "to Test Root · 139 days left",
        "scram-sha-256 as app",
        "PostgreSQL 18.4",
    ];
    let lines = lines(Evidence::healthy());
    assert!(lines.iter().all(|(status, _)| *status == StageStatus::Ok), "{lines:?}");
    assert_eq!(lines.into_iter().map(|(_, detail)| detail).collect::<Vec<_>>(), expected);
}

#[test]
fn what_was_not_reached_is_skipped() {
    let lines = lines(Evidence::healthy().with_host(HOST, "10.0.4.5").with_tcp(TcpResult::TimedOut));
    assert_eq!(lines[2], (StageStatus::Ok, "10.0.4.5, a private address".to_owned()));
    assert_eq!(lines[3], (StageStatus::Failed, "no answer".to_owned()));
    assert!(lines[4..].iter().all(|line| *line == (StageStatus::Skipped, String::new())), "{lines:?}");
}

#[test]
fn times_are_those_of_the_steps() {
    let outcome = diagnose(Evidence::healthy());
    let ms: Vec<Option<f64>> = outcome.stages.iter().map(|line| line.milliseconds).collect();
    let close = |found: Option<f64>, wanted: f64| found.is_some_and(|found| (found - wanted).abs() < 0.01);
    assert_eq!(&ms[..2], [None, None]);
    for (found, wanted) in ms[2..].iter().zip([1.9, 11.2, 11.3, 12.6, 0.4, 15.0, 4.0]) {
        assert!(close(*found, wanted), "{ms:?}");
    }
}

#[test]
fn policies_deny_warnings_and_nothing_else() {
    let warned = || {
        let mut outcome = diagnose(Evidence::healthy().with_attempt(|attempt| {
            attempt.session.as_mut().unwrap().result.backend_ssl = Some(false);
        }));
        assert_eq!(outcome.warnings.len(), 1);
        outcome.warnings[0].denied = false;
        outcome
    };
    let code = || vec![codes::TLS_TERMINATED_UPSTREAM.name.to_owned()];
    let other = || vec![codes::TLS12_ONLY.name.to_owned()];
    for (strict, deny, allow, denied) in [
        (false, vec![], vec![], false),
        (true, vec![], vec![], true),
        (false, code(), vec![], true),
        (false, other(), vec![], false),
        (true, vec![], code(), false),
        (true, vec![], other(), true),
    ] {
        let mut outcome = warned();
        Policy::new(strict, deny, allow).unwrap().apply(&mut outcome);
        assert_eq!(outcome.warnings[0].denied, denied);
    }
    let unknown = Policy::new(false, vec!["tls12only".to_owned()], vec![]).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no warning \"tls12only\"; did you mean tls12-only?");
    assert!(
        Policy::new(false, vec![], vec![codes::HOSTNAME_MISMATCH.name.to_owned()]).is_err(),
        "a diagnosis is no warning"
    );
}
