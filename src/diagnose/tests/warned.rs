//! warnings

use std::time::Duration;

use rcgen::date_time_ymd;

use super::fixtures::*;
use crate::certificate::Certificate;
use crate::conninfo::{AuthMethod, Library, Notice, SslMode, TlsVersion};
use crate::diagnose::{Code, Outcome, StageStatus, Warning, codes, diagnose, warnings};
use crate::evidence::audit::{self, Audit};
use crate::evidence::{AuthRequest, Evidence, PlaintextAnswer};
use crate::provider::known_root;
use crate::trust::{Revocation, RootSource, Roots};

/// The only warning of an outcome that is no failure.
fn only(evidence: Evidence, code: &Code) -> Warning {
    let outcome = evidence.verified();
    let codes: Vec<&Code> = outcome.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [code], "{:#?}", outcome.warnings);
    let line = outcome.stages.iter().find(|line| line.stage == code.stage).unwrap();
    assert_eq!(line.status, StageStatus::Warning, "{line:?}");
    outcome.warnings.into_iter().next().unwrap()
}

fn has(outcome: &Outcome, code: &Code) -> bool {
    outcome.warnings.iter().any(|warning| warning.code == code)
}

fn says(warning: &Warning, part: &str) {
    assert!(format!("{warning:?}").contains(part), "no {part:?} in {warning:#?}");
}

#[test]
fn a_healthy_check_has_none() {
    assert!(Evidence::healthy().verified().warnings.is_empty());
}

#[test]
fn what_verify_full_would_have_said() {
    let mode = |evidence: Evidence, mode| evidence.with_settings(|settings| settings.sslmode = mode);
    says(&only(mode(Evidence::healthy(), SslMode::VerifyCa), &codes::SSLMODE_NOT_VERIFYING), "would succeed");
    let other = mode(Evidence::healthy(), SslMode::VerifyCa).with_settings(|settings| {
        settings.hosts[0].name = crate::conninfo::testing::value("host", "other.example")
    });
    says(&only(other, &codes::SSLMODE_NOT_VERIFYING), "would fail: hostname-mismatch");
    let rootless = mode(Evidence::healthy(), SslMode::Require).with_trust(|trust| trust.roots = Roots::None);
    let outcome = diagnose(rootless);
    let warning =
        outcome.warnings.iter().find(|warning| warning.code == &codes::SSLMODE_NOT_VERIFYING).unwrap();
    assert_eq!(warning.title, "sslmode=require encrypts and verifies nothing");
    says(warning, "would fail: there is no root file");
    assert_eq!(warning.fixes[0].settings[0], ("sslmode", "verify-full".to_owned()));
}

/// A chain of a root and a leaf with these ends.
fn ending(root: (i32, u8, u8), leaf: (i32, u8, u8)) -> Evidence {
    let mut of_root = params("Test Root", true);
    of_root.not_after = date_time_ymd(root.0, root.1, root.2);
    let authority = Authority::root_with(of_root);
    let mut of_leaf = params(HOST, false);
    of_leaf.not_after = date_time_ymd(leaf.0, leaf.1, leaf.2);
    let leaf = authority.issue(of_leaf).certificate;
    Evidence::of(vec![leaf], &[&authority.certificate])
}

#[test]
fn ends_within_the_threshold() {
    let warning = only(ending((2035, 1, 1), (2026, 12, 2)), &codes::CERTIFICATE_EXPIRES_SOON);
    assert_eq!(warning.title, "the server certificate expires on 2026-12-02");
    says(&warning, "the threshold of 30 days (it expires in 6 days)");
    says(
        &only(ending((2026, 12, 5), (2027, 4, 14)), &codes::ROOT_EXPIRES_SOON),
        "the root Test Root expires on 2026-12-05",
    );
    assert!(ending((2035, 1, 1), (2027, 1, 15)).verified().warnings.is_empty());
    let wider = ending((2035, 1, 1), (2027, 1, 15)).with(|evidence| evidence.scope.expires_within = Some(60));
    only(wider, &codes::CERTIFICATE_EXPIRES_SOON);
}

fn shipped(name: &str) -> Certificate {
    known_root(name).unwrap().certificate.clone()
}

#[test]
fn roots_that_the_provider_needs_and_the_file_lacks() {
    const AZURE: &str = "x.postgres.database.azure.com";
    let own = Authority::root("Test Root");
    let g2 = shipped("DigiCert Global Root G2");
    let rsa = shipped("Microsoft RSA Root Certificate Authority 2017");
    let evidence = |roots: &[&Certificate]| {
        Evidence::of(vec![own.server(AZURE)], roots).with_host(AZURE, "20.61.7.9").with_settings(|_| {})
    };
    says(
        &only(evidence(&[&own.certificate, &g2]), &codes::ROOT_BUNDLE_INCOMPLETE),
        "Microsoft RSA Root Certificate Authority 2017",
    );
    assert!(evidence(&[&own.certificate, &g2, &rsa]).verified().warnings.is_empty());
}

#[test]
fn a_root_that_was_given_up() {
    let g1 = shipped("DigiCert Global Root CA");
    let host = "g1";
    // The root itself, sent and in the file, stands for a chain below it.
    let outcome = diagnose(
        Evidence::of(vec![g1.clone()], &[&g1])
            .with_host(host, "203.0.113.7")
            .with_settings(|settings| settings.sslmode = SslMode::Require),
    );
    let judged = outcome.evidence.attempts[0].tls.as_ref().unwrap().result.judgement.clone().unwrap();
    assert_eq!(judged.path.len(), 1);
    let view = crate::diagnose::view::View::new(&outcome.evidence, outcome.evidence.attempts.last());
    let all = warnings::of_check(&view, true);
    let warning = all.iter().find(|warning| warning.code == &codes::ROOT_RETIRED).unwrap();
    says(warning, "DigiCert Global Root CA");
    says(warning, "2026-04-15");
}

#[test]
fn a_path_that_psql_reads_otherwise() {
    let evidence = Evidence::healthy().with_trust(|trust| {
        let Roots::Loaded(store) = &mut trust.roots else { panic!() };
        store.source =
            RootSource::GivenAsTyped { typed: r"c:\ssl\root.pem".into(), parsed: "c:sslroot.pem".into() };
    });
    let warning = only(evidence, &codes::BACKSLASH_PATH);
    assert_eq!(warning.fixes[0].settings, [("sslrootcert", "c:/ssl/root.pem".to_owned())]);
    assert_eq!(warning.fixes[1].settings, [("sslrootcert", r"c:\ssl\root.pem".to_owned())]);
}

#[test]
fn what_strict_clients_refuse() {
    let root = Authority::root("Test Root");
    let mut bare = params(HOST, false);
    bare.subject_alt_names.clear();
    let leaf = root.issue(bare).certificate;
    says(
        &only(Evidence::of(vec![leaf], &[&root.certificate]), &codes::NO_SUBJECT_ALT_NAME),
        "Go (lib/pq, pgx)",
    );

    // libpq takes an address from a DNS name, too.
    for other in ["", "198.51.100.4"] {
        let mut typed = params(HOST, false);
        let name = rcgen::SanType::DnsName("203.0.113.7".try_into().unwrap());
        let other = other.parse().ok().map(rcgen::SanType::IpAddress);
        typed.subject_alt_names = [name].into_iter().chain(other).collect();
        let leaf = root.issue(typed).certificate;
        let evidence = Evidence::of(vec![leaf], &[&root.certificate]).with_host("203.0.113.7", "203.0.113.7");
        evidence
            .clone()
            .with_trust(|trust| trust.library = Library::Go)
            .fails(&codes::HOSTNAME_MISMATCH)
            .because("counts only IP:203.0.113.7 in subjectAltName");
        let warning = only(evidence, &codes::NO_SUBJECT_ALT_NAME);
        says(&warning, "Go (lib/pq, pgx)");
        assert!(warning.fixes[0].command.as_ref().unwrap().contains("IP:203.0.113.7"), "{warning:#?}");
    }

    let mut ca = params(HOST, true);
    ca.subject_alt_names = params(HOST, false).subject_alt_names;
    ca.key_usages = vec![];
    let own = Authority::root_with(ca).certificate;
    let outcome = diagnose(Evidence::of(vec![own.clone()], &[&own]));
    assert!(has(&outcome, &codes::CA_AS_SERVER_CERTIFICATE), "{:#?}", outcome.warnings);

    // webpki takes no final dot; libpq takes what is in the certificate.
    let mut dotted = params("db.example", false);
    dotted.use_authority_key_identifier_extension = false;
    let mut odd = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 36], vec![0x30, 0x00]);
    odd.set_criticality(true);
    dotted.custom_extensions = vec![odd];
    let leaf = root.issue(dotted).certificate;
    let outcome = diagnose(Evidence::of(vec![leaf], &[&root.certificate]));
    assert!(has(&outcome, &codes::STRICT_CLIENT_REJECTS), "{:#?} {:#?}", outcome.diagnosis, outcome.warnings);
}

#[test]
fn what_was_agreed_on() {
    let older = Evidence::healthy().with_attempt(|attempt| {
        attempt.tls.as_mut().unwrap().result.version = Some(TlsVersion::Tls12);
    });
    only(older, &codes::TLS12_ONLY);
    let not_offered = Evidence::healthy().with_attempt(|attempt| {
        let tls = &mut attempt.tls.as_mut().unwrap().result;
        tls.version = Some(TlsVersion::Tls12);
        tls.offer.versions = vec![TlsVersion::Tls12];
    });
    assert!(not_offered.verified().warnings.is_empty());
    let terminated = Evidence::healthy().with_attempt(|attempt| {
        attempt.session.as_mut().unwrap().result.backend_ssl = Some(false);
    });
    only(terminated, &codes::TLS_TERMINATED_UPSTREAM);
    let clear = Evidence::healthy().with_attempt(|attempt| {
        let request = AuthRequest { method: AuthMethod::Password, mechanisms: vec![], code: 3 };
        attempt.session.as_mut().unwrap().result.requested = vec![request];
    });
    only(clear, &codes::CLEAR_TEXT_PASSWORD_REQUESTED);
}

#[test]
fn files_that_libpq_passes_over() {
    let open = Evidence::healthy().with_settings(|settings| {
        settings.notices = vec![Notice::PassfileIgnored {
            path: "/home/me/.pgpass".into(),
            mode: Some(0o644),
            changeable: true,
        }];
    });
    let warning = only(open, &codes::PASSFILE_IGNORED);
    assert_eq!(warning.fixes[0].command.as_deref(), Some("chmod 600 /home/me/.pgpass"));
    let ignored = Evidence::healthy().with_trust(|trust| {
        trust.revocation =
            Revocation::Ignored { path: "/etc/ssl/root.crl".into(), why: "it is empty".to_owned() };
    });
    says(&only(ignored, &codes::CRL_IGNORED), "it is empty");
}

#[test]
fn a_delta_list_that_passes_for_a_whole_one() {
    let authority = Authority::root("Test Root");
    let whole = authority.crl(&[], (2027, 1, 1));
    // cRLNumber (2.5.29.20) turned into deltaCRLIndicator (2.5.29.27).
    let mut der = whole.der().to_vec();
    let number = der.windows(3).position(|window| window == [0x55, 0x1d, 20]).unwrap();
    der[number + 2] = 27;
    let delta = crate::certificate::Crl::decode(&der).unwrap();
    for (crl, told) in [(whole, false), (delta, true)] {
        let list = crate::trust::FileCrl { crl, file: "/etc/ssl/root.crl".into(), line: 7 };
        let outcome = diagnose(Evidence::healthy().with_trust(|trust| {
            trust.revocation = Revocation::On { lists: vec![list], directories: Vec::new(), directory: None };
        }));
        let warning = outcome.warnings.iter().find(|warning| warning.code == &codes::CRL_IGNORED);
        assert_eq!(warning.is_some(), told);
        warning.iter().for_each(|warning| says(warning, "/etc/ssl/root.crl, line 7"));
    }
}

#[test]
fn what_audit_finds() {
    let old =
        |version| audit::Version { version, accepted: audit::Accepts::Yes, suites: audit::Found::default() };
    let mut audit = Audit {
        ssl_request: audit::Accepts::Yes,
        direct: audit::Accepts::No,
        versions: vec![old(TlsVersion::Tls12), old(TlsVersion::Tls11), old(TlsVersion::Tls10)],
        groups: None,
        plaintext: Some(PlaintextAnswer::Admitted),
        profile: None,
        connections: 4,
        took: Duration::ZERO,
    };
    let checked = Evidence::healthy().verified();
    let outcome = checked.clone().audited(audit.clone());
    let codes: Vec<&Code> = outcome.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [&codes::LEGACY_TLS_ACCEPTED, &codes::PLAINTEXT_ACCEPTED]);
    assert_eq!(outcome.warnings[0].title, "the server accepts TLSv1 and TLSv1.1");
    // The lines of the stages tell of the check.
    assert!(outcome.stages.iter().all(|line| line.status != StageStatus::Warning));
    audit.versions.truncate(1);
    audit.plaintext = None;
    assert!(checked.audited(audit).warnings.is_empty());
}
