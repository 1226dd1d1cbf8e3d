//! The test bed itself, held against libpq: were a server or the oracle not what its name says, the other tests would
//! prove nothing.

use crate::support::home::Home;
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::psql::Psql;
use crate::support::site::{self, GUARDED, NAME, OPEN, PASSWORD, Site};

#[test]
fn each_oracle_is_the_libpq_it_claims_to_be() {
    let home = Home::new();
    // The option came with libpq 17.
    let conninfo = "sslnegotiation=nonsense host=127.0.0.1";
    let old = Psql::libpq(15).connect(&home, conninfo, &[]);
    assert!(old.stderr.contains("invalid connection option"), "{old:?}");
    let new = Psql::libpq(18).connect(&home, conninfo, &[]);
    assert!(new.stderr.contains("invalid sslnegotiation value"), "{new:?}");
}

#[test]
fn libpq_verifies_every_shared_server() {
    let home = Home::new();
    for version in [15, 18] {
        for algorithm in [Algorithm::Rsa, Algorithm::Ecdsa] {
            let site = Site::shared(version, algorithm);
            let conninfo = site.verify_full(&home, OPEN);
            for (libpq, address) in [(15, "127.0.0.1"), (18, "::1")] {
                let conninfo = format!("{conninfo} hostaddr={address}");
                let connection = Psql::libpq(libpq).connect(&home, &conninfo, &[]);
                assert!(connection.connected, "{version} {algorithm:?} libpq {libpq}: {connection:?}");
                let reached = connection.reached.expect("host and port");
                assert_eq!(reached, (NAME.to_owned(), site.server.port()));
            }
        }
    }
}

#[test]
fn libpq_refuses_another_root_and_another_name() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let other =
        home.write("other.pem", Draft::authority("another root", Algorithm::Ecdsa).self_signed().pem());
    let elsewhere = site::verify_full(site.server.port(), other.to_str().unwrap(), OPEN);
    let refused = Psql::libpq(15).connect(&home, &elsewhere, &[]);
    assert!(!refused.connected && refused.stderr.contains("certificate verify failed"), "{refused:?}");

    let renamed = site.verify_full(&home, OPEN) + " host=other.example";
    let refused = Psql::libpq(15).connect(&home, &renamed, &[]);
    assert!(!refused.connected && refused.stderr.contains("does not match host name"), "{refused:?}");
}

#[test]
fn a_password_is_demanded_and_checked() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Rsa);
    let conninfo = site.verify_full(&home, GUARDED);
    assert!(Psql::libpq(15).connect(&home, &conninfo, &[("PGPASSWORD", PASSWORD)]).connected);
    let none = Psql::libpq(15).connect(&home, &conninfo, &[]);
    assert!(none.stderr.contains("no password supplied"), "{none:?}");
    let wrong = Psql::libpq(15).connect(&home, &conninfo, &[("PGPASSWORD", "wrong")]);
    assert!(wrong.stderr.contains("password authentication failed"), "{wrong:?}");
}

#[test]
fn versions_suites_and_client_certificates_are_what_was_asked_for() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| {
        setup.protocols("TLSv1.2", "TLSv1.2").ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    });
    let conninfo = site.verify_full(&home, OPEN);
    assert!(Psql::libpq(15).connect(&home, &conninfo, &[]).connected);
    let refused = Psql::libpq(15).connect(&home, &(conninfo + " ssl_min_protocol_version=TLSv1.3"), &[]);
    assert!(refused.stderr.contains("protocol version"), "{refused:?}");

    let clients = Draft::authority("clients", Algorithm::Ecdsa).self_signed();
    let client = Draft::server(OPEN, Algorithm::Ecdsa).signed_by(&clients);
    let site = Site::new(18, Algorithm::Ecdsa, |setup| {
        setup.client_roots(clients.pem()).hba("hostssl all all 127.0.0.1/32 trust clientcert=verify-full")
    });
    let certificate = home.write("client.crt", client.pem());
    let key = home.write("client.key", client.key_pem());
    // Default files would be read from the home directory; there are none.
    let without = site.verify_full(&home, OPEN);
    let with = format!("{without} sslcert={} sslkey={}", certificate.display(), key.display());
    let refused = Psql::libpq(15).connect(&home, &without, &[]);
    assert!(!refused.connected, "{refused:?}");
    let connection = Psql::libpq(15).connect(&home, &with, &[]);
    assert!(connection.connected, "{connection:?}");
}

#[test]
fn a_server_without_tls_says_so() {
    let home = Home::new();
    let server = Postgres::version(15).trusted(OPEN).start();
    let root = home.write("root.pem", Chain::honest(NAME, Algorithm::Ecdsa).root.pem());
    let refused =
        Psql::libpq(15).connect(&home, &site::verify_full(server.port(), root.to_str().unwrap(), OPEN), &[]);
    assert!(refused.stderr.contains("server does not support SSL"), "{refused:?}");
}

#[test]
fn a_pooler_speaks_tls_for_the_server_behind_it() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Rsa);
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let pooler = PgBouncer::before(&site.server).tls("require", &chain).user(GUARDED, PASSWORD).start();
    let root = home.write("pooler.pem", chain.root.pem());
    let conninfo = site::verify_full(pooler.port(), root.to_str().unwrap(), GUARDED);
    let connection = Psql::libpq(18).connect(&home, &conninfo, &[("PGPASSWORD", PASSWORD)]);
    assert!(connection.connected, "{connection:?}\n{}", pooler.log());
}

#[test]
fn a_server_ends_with_its_value_and_leaves_nothing() {
    let server = Postgres::version(15).start();
    let directory = server.directory().to_owned();
    let process = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
    let process = format!("/proc/{}", process.lines().next().unwrap());
    assert!(std::path::Path::new(&process).exists());
    drop(server);
    assert!(!std::path::Path::new(&process).exists(), "{process} is still there");
    assert!(!directory.exists(), "{} is still there", directory.display());
}
