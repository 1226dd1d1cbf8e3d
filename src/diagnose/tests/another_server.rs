//! Another server than the one that was meant: what led to it, and what is never advised about it.

use super::fixtures::*;
use crate::certificate::{Certificate, pem};
use crate::conninfo::Origin;
use crate::diagnose::{Trial, codes};
use crate::evidence::{Evidence, HostsLine, TcpResult};
use crate::provider::known_root;
use crate::trust::{FileCertificate, RootSource, RootStore};

const AZURE: &str = "demo.postgres.database.azure.com";

#[test]
fn what_leads_to_another_server_is_named() {
    let chain = Chain::honest();
    let evidence = |origin: Origin| {
        Evidence::of(chain.sent(), &[&chain.root.certificate])
            .with_host("orders.example", "127.0.0.1")
            .with_settings(|settings| {
                settings.parameters.retain(|known| known.keyword != "hostaddr");
                settings.parameters.push(parameter("hostaddr", "127.0.0.1", origin));
            })
    };
    let by =
        |origin| evidence(origin).with_attempt(|attempt| attempt.dns = None).fails(&codes::HOSTNAME_MISMATCH);
    for (origin, words, fix) in [
        (Origin::Environment("PGHOSTADDR"), "comes from environment variable PGHOSTADDR", "unset PGHOSTADDR"),
        (
            Origin::ConnectionString,
            "comes from the connection string",
            "remove hostaddr from the connection string",
        ),
        (
            Origin::Service { name: "orders".to_owned(), file: "/home/me/.pg_service.conf".into() },
            "/home/me/.pg_service.conf",
            "/home/me/.pg_service.conf: remove hostaddr from [orders]",
        ),
    ] {
        by(origin)
            .because(&format!("127.0.0.1:5432 leads to {HOST}, not to orders.example"))
            .shows("address_from", words)
            .advises(fix)
            .advises("let it end at orders.example")
            .first_sets("hostaddr", "");
    }
    evidence(Origin::Default)
        .with(|evidence| {
            evidence.hosts_line = Some(HostsLine { file: "/etc/hosts".into(), line: 7, alias: None });
        })
        .fails(&codes::HOSTNAME_MISMATCH)
        .shows("address_from", "/etc/hosts, line 7 gives orders.example this address")
        .advises("/etc/hosts, line 7: remove orders.example")
        .first_sets_no("host");
}

/// An address that was typed beside the name may be an old one; one of this machine is a tunnel's.
#[test]
fn a_typed_address_that_does_not_answer_is_taken_away_first() {
    let silent = |to: &str| {
        let evidence = Evidence::at("orders.example", to).with_settings(|settings| {
            settings.parameters.push(parameter("hostaddr", to, Origin::ConnectionString));
        });
        evidence.with_attempt(|attempt| attempt.dns = None).with_tcp(TcpResult::TimedOut)
    };
    let mut found = silent("203.0.113.8").fails(&codes::TCP_TIMEOUT).first_sets("hostaddr", "").diagnosis;
    found.fixes[0].tried = Some(Trial::Works);
    found.with_place_that_answers();
    assert!(found.cause.contains("another address now") && found.fixes.len() == 1, "{found:#?}");
    silent("127.0.0.1").fails(&codes::TCP_TIMEOUT).first_sets_no("hostaddr");
}

/// The hosts file has the address that is sought for another name.
#[test]
fn a_line_that_nobody_reads_is_named() {
    let chain = Chain::honest();
    let line = |alias| HostsLine { file: "/etc/hosts".into(), line: 3, alias };
    let evidence = |line: HostsLine| {
        let evidence =
            Evidence::of(chain.sent(), &[&chain.root.certificate]).with_host("orders.example", "10.0.0.7");
        evidence.with(|evidence| evidence.hosts_line = Some(line)).fails(&codes::HOSTNAME_MISMATCH)
    };
    let alias = ("orders.private.example".to_owned(), "10.9.9.9".parse().unwrap());
    evidence(line(Some(alias)))
        .shows("hosts_file", "/etc/hosts, line 3 gives 10.9.9.9 to orders.private.example")
        .first_sets("hostaddr", "10.9.9.9");
    evidence(line(None)).shows("address_from", "/etc/hosts, line 3");
}

/// Whatever the CA calls itself, and whatever file or store has it.
#[test]
fn somebody_else_answers_for_a_providers_host() {
    let other = Authority::root("Another Root");
    let unsafe_words = ["ssl_cert_file", "get the root certificate", "add it to", "intermediate after"];
    let stranger = |evidence: Evidence| {
        let found =
            evidence.with_host(AZURE, "20.61.7.9").with_settings(|_| {}).fails(&codes::TLS_INSPECTION);
        for fix in &found.diagnosis.fixes {
            assert!(!unsafe_words.iter().any(|words| fix.text.contains(words)), "{fix:?}");
            assert!(fix.settings.is_empty() && fix.command.is_none(), "{fix:?}");
        }
        found
    };
    for name in [
        "Corporate Root CA",
        "DigiCert Global Root G2",
        "Microsoft Azure RSA TLS Issuing CA 08",
        "Microsoft RSA Root Certificate Authority 2017",
    ] {
        let root = Authority::root(name);
        let issuing = root.intermediate("Issuing CA 1");
        let leaf = issuing.server(AZURE);
        // Root sent, root not sent, intermediate not sent.
        for sent in [
            vec![leaf.clone(), issuing.certificate.clone(), root.certificate.clone()],
            vec![leaf.clone(), issuing.certificate.clone()],
            vec![leaf.clone()],
        ] {
            stranger(Evidence::of(sent, &[&other.certificate]))
                .titled("somebody else answers instead of Azure Database for PostgreSQL Flexible Server");
        }
        // A real root of that name in the file, another key.
        if let Some(real) = known_root(name) {
            stranger(Evidence::of(vec![root.server(AZURE)], &[&real.certificate]));
        }
        // The machine's store has the CA: a company put it there.
        stranger(Evidence::of(vec![leaf, issuing.certificate.clone()], &[&other.certificate]).with(
            |evidence| {
                let file = vec![FileCertificate {
                    certificate: root.certificate.clone(),
                    file: "/etc/ssl/certs/ca-certificates.crt".into(),
                    line: 1,
                }];
                let source = RootSource::System { file: None, directory: None };
                evidence.system_roots = Some(RootStore::loaded(source, file));
            },
        ))
        .because("machine's store");
    }
    stranger(Evidence::of(
        vec![Authority::root_with(params(AZURE, false)).certificate],
        &[&other.certificate],
    ))
    .advises("exempted from TLS inspection");
    // Another provider's server.
    let rds = known_root("Amazon RDS eu-west-1 Root CA RSA2048 G1").expect("a root that ships");
    stranger(Evidence::of(vec![rds.certificate.clone()], &[&other.certificate]))
        .because("another provider's server");
    // The neighbours: a public root, and a host that is nobody's.
    let text = include_str!("DigiCert_Global_G2_TLS_RSA_SHA256_2020_CA1.pem");
    let public = Certificate::from_der(pem::blocks(text.as_bytes())[0].content.as_ref().unwrap());
    Evidence::of(vec![public], &[&other.certificate])
        .with_host(AZURE, "20.61.7.9")
        .with_settings(|_| {})
        .fails(&codes::ROOT_NOT_IN_FILE);
    let own = Authority::root("Corporate Root CA");
    Evidence::of(vec![own.server("db.company.example")], &[&other.certificate])
        .with_host("db.company.example", "203.0.113.7")
        .with_settings(|_| {})
        .fails(&codes::UNKNOWN_ISSUER);
}

#[test]
fn a_certificate_for_another_name_is_no_inspecting_proxys() {
    let other = Authority::root("Another Root");
    // Who inspects TLS has a certificate for the name that was asked for: this is another machine.
    let machine =
        || Evidence::of(vec![Authority::root_with(params("vm-7", false)).certificate], &[&other.certificate]);
    let at = |address: &str| {
        let found = machine().with_host(AZURE, address).with_settings(|_| {}).fails(&codes::TLS_INSPECTION);
        let first = found.diagnosis.fixes[0].text.clone();
        assert!(first.starts_with("in the DNS") && first.contains("it leads to another machine"), "{first}");
        assert!(
            found.diagnosis.fixes.iter().all(|fix| !fix.text.contains("exempted")),
            "{:#?}",
            found.diagnosis.fixes
        );
        first
    };
    assert!(at("10.0.4.5").contains("the zone privatelink.postgres.database.azure.com"));
    assert!(!at("20.61.7.9").contains("privatelink"));
}
