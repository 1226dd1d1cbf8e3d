//! The outcome as a whole: stages, policy.

use super::fixtures::*;
use crate::conninfo::SslMode;
use crate::diagnose::{DeniedBy, Policy, StageStatus, Standing, Verdict, codes, diagnose};
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
        outcome.warnings[0].denied = None;
        outcome
    };
    let code = || vec![codes::TLS_TERMINATED_UPSTREAM.name.to_owned()];
    let other = || vec![codes::TLS12_ONLY.name.to_owned()];
    for (strict, deny, allow, denied) in [
        (false, vec![], vec![], None),
        (true, vec![], vec![], Some(DeniedBy::Strict)),
        (false, code(), vec![], Some(DeniedBy::Deny)),
        (false, other(), vec![], None),
        (true, vec![], code(), None),
        (true, vec![], other(), Some(DeniedBy::Strict)),
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

#[test]
fn a_level_that_is_not_reached_fails_the_policy_and_not_the_check() {
    let under = |mode: SslMode, level: Verdict| {
        let mut outcome =
            diagnose(Evidence::healthy().with(|evidence| evidence.config.as_mut().unwrap().sslmode = mode));
        let allowed = vec![codes::SSLMODE_NOT_VERIFYING.name.to_owned()];
        let policy = Policy::new(false, vec![], allowed).unwrap().requiring(Some(level));
        policy.apply(&mut outcome);
        policy.apply(&mut outcome);
        outcome
    };
    for (mode, level, status, standing) in [
        (SslMode::VerifyFull, Verdict::Verified, 0, Standing::Verified),
        (SslMode::VerifyCa, Verdict::Verified, 10, Standing::PolicyFailed),
        (SslMode::VerifyCa, Verdict::ChainVerified, 0, Standing::ChainVerified),
        (SslMode::VerifyCa, Verdict::Encrypted, 0, Standing::ChainVerified),
    ] {
        let outcome = under(mode, level);
        assert_eq!((outcome.exit_status(), outcome.standing()), (status, standing), "{mode:?} {level:?}");
        assert!(outcome.diagnosis.is_none());
        let denied: Vec<_> = outcome.warnings.iter().filter(|warning| warning.denied.is_some()).collect();
        assert_eq!(denied.len(), usize::from(status != 0));
        for warning in denied {
            assert_eq!(warning.denied, Some(DeniedBy::RequireLevel));
            assert_eq!(warning.evidence.iter().filter(|(label, _)| *label == "required").count(), 1);
        }
    }
}

#[test]
fn what_expires_within_the_threshold_of_failures_fails() {
    for (fails_within, days, denied) in [
        (None, 20, Some(None)),
        (Some(7), 20, Some(None)),
        (Some(20), 20, Some(Some(DeniedBy::FailWithin))),
        (Some(60), 50, Some(Some(DeniedBy::FailWithin))),
        (Some(60), 90, None),
    ] {
        let evidence = Evidence::healthy().with(|evidence| {
            let attempt = evidence.attempts.last().unwrap();
            let leaf = &attempt.tls.as_ref().unwrap().result.chain[0];
            evidence.judged_at = leaf.facts().unwrap().not_after.plus_days(-days);
            evidence.scope.fail_within = fails_within;
        });
        let mut outcome = diagnose(evidence);
        Policy::default().apply(&mut outcome);
        let warning = outcome.warnings.iter().find(|found| found.code == &codes::CERTIFICATE_EXPIRES_SOON);
        assert_eq!(warning.map(|warning| warning.denied), denied, "{fails_within:?}, {days} days");
    }
}
