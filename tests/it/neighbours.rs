//! The healthy neighbour of every code: what looks like the fault and is fine stays verified. psql agrees on each.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use pgtls_check::diagnose::catalogue;

use crate::support::home::Home;
use crate::support::network::relay;
use crate::support::odd_pki::{
    CrlDraft, Draft, Extension, Issued, Kind, common_name, crl_pem, dns, ip, name_constraints,
};
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{self, Algorithm, Chain};
use crate::support::psql::Psql;
use crate::support::site::{self, GUARDED, NAME, OPEN, PASSWORD, Site};
use crate::support::stage::{Stage, Tls};
use crate::support::tool::{Report, Tool};

/// Checks a connection string with the program and with psql: both must be content, the former without a word of `code`.
#[track_caller]
fn fine(home: &Home, code: &str, libpq: u8, conninfo: &str) -> Report {
    let connection = Psql::libpq(libpq).connect(home, conninfo, &[]);
    assert!(connection.connected, "psql beside {code}: {connection:?}");
    let report = Tool::at(home).check(conninfo);
    report.verified();
    let warnings = report.at("/warnings");
    let warned = warnings.as_array().unwrap().iter().any(|warning| warning["code"] == code);
    assert!(!warned, "{code}: {report}");
    report
}

/// Neighbours by what is added to a good connection string of a real server, [`prepare`]d; `DIR` stands for the home.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("conninfo-syntax", "quotes and blanks that end well", r"application_name = 'it\'s \\ me'  "),
    ("conninfo-unknown-option", "an option that few know", "fallback_application_name=x"),
    ("conninfo-invalid-value", "blanks round a number", "connect_timeout=' 7 ' keepalives=0"),
    ("conninfo-host-malformed", "an odd name beside an address", "host=https://x sslmode=verify-ca"),
    ("host-required", "an address without a name, where none is compared", "host='' sslmode=verify-ca"),
    ("service-not-found", "a service", "service=bed"),
    ("option-not-supported", "the option's harmless values", "gssencmode=disable"),
    ("root-file-missing", "the default file", "sslrootcert=''"),
    ("root-file-unreadable", "a file for its owner alone", "sslrootcert=DIR/private.pem"),
    ("root-file-invalid", "text round the blocks, lines that end as on Windows", "sslrootcert=DIR/text.pem"),
    ("root-expired", "an expired root beside the good one", "sslrootcert=DIR/expired.pem"),
    ("root-not-in-file", "the root, last of several", "sslrootcert=DIR/several.pem"),
    ("unknown-issuer", "the root, first of several", "sslrootcert=DIR/several-first.pem"),
    ("root-file-lacks-root", "the intermediate beside its root", "sslrootcert=DIR/both.pem"),
    ("root-key-changed", "both roots of the name, the old one first", "sslrootcert=DIR/renewed.pem"),
    ("client-cert-missing", "a file that is not there and that nobody asks for", "sslcert=DIR/none.crt"),
    ("client-key-missing", "a key that is not there to no certificate", "sslkey=DIR/none.key"),
    ("client-cert-invalid", "text before the certificate", "sslcert=DIR/text.crt sslkey=DIR/client.key"),
    ("client-key-mismatch", "a pair", "sslcert=DIR/client.crt sslkey=DIR/client.key"),
    (
        "client-key-invalid",
        "an encrypted key",
        "sslcert=DIR/client.crt sslkey=DIR/locked.key sslpassword=open",
    ),
    ("client-key-permissions", "the most that is allowed", "sslcert=DIR/client.crt sslkey=DIR/shared.key"),
    (
        "tcp-refused",
        "the second of two hosts",
        "host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=CLOSED,PORT",
    ),
    ("tls-not-requested", "a mode that asks", "sslmode=verify-ca"),
    ("direct-tls-unsupported", "a server that knows it", "sslnegotiation=direct"),
    ("not-postgresql", "TLS first, where that is asked for", "sslnegotiation=direct"),
    ("session-timeout", "a second of silence after the login", "options='-c post_auth_delay=1'"),
    ("session-closed", "a server that ends idle sessions soon", "options='-c idle_session_timeout=5s'"),
    (
        "tls-version-unsupported",
        "bounds that leave one version",
        "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.3",
    ),
    ("sni-unrecognized", "no name sent to a server that wants none", "sslsni=0"),
    ("hostname-mismatch", "the name in other letters", "host=DB.Example"),
    ("hostname-mismatch", "an address that the certificate is for", "host=127.0.0.1 hostaddr=''"),
    ("hostname-mismatch", "an IPv6 address, written long", "host=0:0:0:0:0:0:0:1 hostaddr=''"),
    (
        "dns-not-found",
        "a name that the hosts file has",
        "host=localhost hostaddr=127.0.0.1 sslmode=verify-ca",
    ),
    ("password-rejected", "the right password", "user=guarded_role password='Xylophone-7%quartz'"),
    ("password-required", "a password file", "user=guarded_role passfile=DIR/passwords"),
    ("passfile-ignored", "a password file for its owner alone", "user=guarded_role passfile=DIR/passwords"),
    (
        "auth-method-unsupported",
        "the method that comes",
        "user=guarded_role passfile=DIR/passwords require_auth=scram-sha-256",
    ),
    (
        "channel-binding-failed",
        "binding to the server itself",
        "user=guarded_role passfile=DIR/passwords channel_binding=require",
    ),
    ("role-missing", "a role with a capital", "user=Odd-Role"),
    ("database-missing", "a database with a blank", "dbname='Odd base'"),
    ("hba-rejected", "a line for IPv6", "hostaddr=::1"),
    ("session-readonly", "a primary where one is wanted", "target_session_attrs=primary"),
    ("server-error", "options that the server knows", "options='-c statement_timeout=5s'"),
    ("too-many-connections", "a limit that is not reached", "user=limited"),
];

/// The files that [`SETTINGS`] name.
fn prepare(home: &Home, site: &Site) {
    let root = site.chain.root.pem();
    let other = |name: &str| pki::Draft::authority(name, Algorithm::Ecdsa);
    let expired = other("expired").days(-90, -2).self_signed().pem();
    let (first, second) = (other("first").self_signed().pem(), other("second").self_signed().pem());
    let namesake = other("Ecdsa test root").self_signed().pem();
    home.write(".postgresql/root.crt", &root);
    home.write("text.pem", format!("Our root, since 2020:\r\n{}\r\nthe end\r\n", root.replace('\n', "\r\n")));
    home.write("expired.pem", format!("{expired}{root}"));
    home.write("several.pem", format!("{first}{second}{root}"));
    home.write("several-first.pem", format!("{root}{first}{second}"));
    home.write("both.pem", site.chain.intermediate.pem() + &root);
    home.write("renewed.pem", namesake + &root);
    set_mode(&home.write("private.pem", &root), 0o400);
    let client = pki::Draft::server("client", Algorithm::Ecdsa).self_signed();
    home.write("client.crt", client.pem());
    home.write("text.crt", format!("subject=client\n{}", client.pem()));
    home.write("client.key", client.key_pem());
    let locked =
        client.key.private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"open");
    home.write("locked.key", locked.unwrap());
    // Root's keys may be read by their group (libpq, initialize_SSL).
    set_mode(&home.write("shared.key", client.key_pem()), if home.owner() == 0 { 0o640 } else { 0o600 });
    home.write("passwords", format!("# of the test\n{NAME}:*:*:{GUARDED}:{PASSWORD}\n"));
    home.write(".pg_service.conf", "# services\n[other]\nhost=elsewhere\n\n[bed]\napplication_name=bed\n");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn settings_and_files_that_look_alike() {
    let site = Site::new(18, Algorithm::Ecdsa, |setup| {
        setup.trusted("Odd-Role").trusted("limited").hba("hostssl all open_role ::1/128 trust")
    });
    site.server.execute("CREATE DATABASE \"Odd base\"");
    site.server.execute("ALTER ROLE limited CONNECTION LIMIT 5");
    let home = Home::new();
    prepare(&home, &site);
    let directory = home.path().to_str().unwrap();
    let good = site.verify_full(&home, OPEN);
    for (code, what, settings) in SETTINGS {
        let settings = settings
            .replace("DIR", directory)
            .replace("CLOSED", &closed_port().to_string())
            .replace("PORT", &site.server.port().to_string());
        let conninfo = format!("{good} {settings}");
        println!("{code}: {what}");
        fine(&home, code, 18, &conninfo);
    }
}

/// A server of this chain with a root file in `home`, and the connection string for it.
fn staged(home: &Home, chain: &[&Issued], root: &Issued, tls: &Tls) -> (Stage, String) {
    let der: Vec<Vec<u8>> = chain.iter().map(|certificate| certificate.der.clone()).collect();
    let stage = Stage::start(&der, &chain[0].key, tls);
    let path = home.write(&format!("{}.pem", stage.address.port()), root.pem());
    let conninfo = site::verify_full(stage.address.port(), path.to_str().unwrap(), OPEN);
    (stage, conninfo)
}

#[test]
fn chains_that_look_alike() {
    let home = Home::new();
    let root = Draft::authority("Neighbour Root").self_signed();
    let ca = Draft::authority("Neighbour CA").signed_by(&root);
    let server = || Draft::server(NAME);
    let old = Draft::server("old.example").expired().signed_by(&root);
    let soon = Draft::authority("Next CA").future().signed_by(&root);
    let zscaler = Draft::authority("Zscaler Root CA").self_signed();
    let constrained = Draft::authority("Constrained CA")
        .with(name_constraints(&[dns("example")], &[dns("other.example")]))
        .signed_by(&root);
    let odd = Extension::new("1.3.6.1.4.1.99999.7", vec![5, 0]);
    let plain = server().signed_by(&ca);
    let wildcard = Draft::server("*.example").names([dns("*.example"), dns("x.test")]).signed_by(&ca);
    let many =
        Draft::server("first.test").names([dns("first.test"), ip(&[10, 0, 0, 1]), dns(NAME)]).signed_by(&ca);
    let named =
        Draft::server("unrelated").subject(common_name("another name")).names([dns(NAME)]).signed_by(&ca);
    let self_signed = server().self_signed();
    let cases: &[(&str, &[&Issued], &Issued)] = &[
        ("intermediate-missing", &[&plain, &root, &old, &ca], &root),
        ("certificate-expired", &[&plain, &ca, &old], &root),
        ("certificate-not-yet-valid", &[&plain, &ca, &soon], &root),
        ("certificate-invalid", &[&server().also(odd).signed_by(&ca), &ca], &root),
        ("certificate-name-constraints", &[&server().signed_by(&constrained), &constrained], &root),
        ("certificate-weak", &[&server().keyed(Kind::Rsa(2048)).signed_by(&ca), &ca], &root),
        ("certificate-purpose", &[&server().without("2.5.29.37").signed_by(&ca), &ca], &root),
        ("tls-inspection", &[&server().signed_by(&zscaler)], &zscaler),
        ("hostname-mismatch", &[&wildcard, &ca], &root),
        ("hostname-mismatch", &[&many, &ca], &root),
        ("no-subject-alt-name", &[&named, &ca], &root),
        ("self-signed", &[&self_signed], &self_signed),
    ];
    for (code, chain, root) in cases {
        let (_stage, conninfo) = staged(&home, chain, root, &Tls::default());
        fine(&home, code, 15, &conninfo);
    }
    let suite = Tls { maximum: Some(openssl::ssl::SslVersion::TLS1_2), ..Tls::default() };
    let suite = Tls { ciphers: Some("ECDHE-ECDSA-CHACHA20-POLY1305"), ..suite };
    for (code, tls) in [
        ("tls-no-shared-cipher", suite),
        ("tls-unsupported-here", Tls { groups: Some("P-521:P-384"), ..Tls::default() }),
    ] {
        let (_stage, conninfo) = staged(&home, &[&plain, &ca], &root, &tls);
        let report = Tool::at(&home).check(&conninfo);
        report.verified();
        assert!(Psql::libpq(15).connect(&home, &conninfo, &[]).connected, "{code}");
    }
    let other = server().signed_by(&ca);
    let lists: String = [
        crl_pem(&CrlDraft::revoking(&[]).signed_by(&root)),
        crl_pem(&CrlDraft::revoking(&[&other]).signed_by(&ca)),
    ]
    .concat();
    let lists = home.write("lists.pem", lists);
    let (_stage, conninfo) = staged(&home, &[&plain, &ca], &root, &Tls::default());
    // One file is the neighbour of all that can be wrong with CRLs: it is there, whole, in date, and revokes another.
    for code in ["certificate-revoked", "crl-missing", "crl-invalid", "crl-ignored"] {
        fine(&home, code, 15, &format!("{conninfo} sslcrl={}", lists.display()));
    }
}

#[test]
fn servers_that_are_slow_and_answer() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, site.server.port()));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // The answer to SSLRequest, the flights and the session's messages each come after a pause, and cut in two: behind
    // the first byte, behind a TLS record's header, and in its midst.
    for (first, pause) in [(0, 150), (1, 50), (5, 50), (100, 50)] {
        let port = relay(address, server, first, Duration::from_millis(pause));
        let conninfo = format!("{} port={port} connect_timeout=10", site.verify_full(&home, OPEN));
        fine(&home, "a timeout", 15, &conninfo).stage("session", "ok");
    }
}

#[test]
fn a_pooler_with_tls_on() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Rsa);
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let pooler = PgBouncer::before(&site.server).tls("allow", &chain).user(GUARDED, PASSWORD).start();
    let root = home.write("pooler.pem", chain.root.pem());
    let conninfo = site::verify_full(pooler.port(), root.to_str().unwrap(), GUARDED);
    let conninfo = format!("{conninfo} password='{PASSWORD}'");
    assert!(Psql::libpq(15).connect(&home, &conninfo, &[]).connected);
    Tool::at(&home).check(&conninfo).verified();
}

/// Codes whose neighbours stand beside their faults in other tests of this program.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("network", &["dns-no-address", "dns-failure", "tcp-timeout", "tcp-unreachable"]),
    ("real_faults", &["client-cert-required", "client-cert-rejected", "server-starting"]),
    (
        "neighbours::servers_that_are_slow_and_answer",
        &[
            "negotiation-timeout",
            "tls-timeout",
            "injected-plaintext",
            "negotiation-closed",
            "tls-closed",
            "tls-protocol-error",
            "server-error-before-tls",
        ],
    ),
    ("neighbours::a_pooler_with_tls_on", &["server-refused-tls"]),
    (
        "neighbours::chains_that_look_alike",
        &[
            "intermediate-missing",
            "certificate-expired",
            "certificate-not-yet-valid",
            "certificate-invalid",
            "certificate-name-constraints",
            "certificate-weak",
            "certificate-purpose",
            "tls-inspection",
            "self-signed",
            "tls-no-shared-cipher",
            "tls-unsupported-here",
            "certificate-revoked",
            "crl-missing",
            "crl-invalid",
        ],
    ),
];

#[test]
fn every_diagnosis_has_its_neighbour() {
    let codes: BTreeSet<&str> = catalogue::diagnoses().map(|entry| entry.code).collect();
    let here = SETTINGS.iter().map(|(code, ..)| *code);
    let elsewhere = ELSEWHERE.iter().flat_map(|(_, codes)| codes.iter().copied());
    let covered: BTreeSet<&str> = here.chain(elsewhere).collect();
    let without: Vec<&&str> = codes.difference(&covered).collect();
    assert!(without.is_empty(), "no neighbour for {without:?}");
}
