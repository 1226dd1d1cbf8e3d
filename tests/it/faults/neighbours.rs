//! The healthy neighbour of every code: what looks like the fault and is fine stays verified. psql agrees on each.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use pgtls_check::demo::fault;

use super::table::{Certificates, Neighbour, Staged, rows};
use crate::support::home::Home;
use crate::support::network::relay;
use crate::support::parallel::{each, expect};
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{self, Algorithm, Chain};
use crate::support::psql::Psql;
use crate::support::scripted_server::ScriptedServer;
use crate::support::site::{self, GUARDED, NAME, OPEN, PASSWORD, Site};
use crate::support::tool::{Report, Tool};

/// Checks a connection string with the program and with psql: both must be content, the former without a word of `code`.
fn fine(home: &Home, code: &str, libpq: u8, conninfo: &str) -> Result<Report, String> {
    let connection = Psql::libpq(libpq).connect(home, conninfo, &[]);
    expect(connection.connected, || format!("psql: {connection:?}"))?;
    let report = Tool::at(home).check(conninfo);
    let verified = report.status == Some(0) && report.at("/verdict") != "failed";
    expect(verified, || format!("not verified: {report}"))?;
    let warnings = report.at("/warnings");
    let warned = warnings.as_array().into_iter().flatten().any(|warning| warning["code"] == code);
    expect(!warned, || format!("warned: {report}"))?;
    Ok(report)
}

/// The neighbours of the table that `pick` picks, each with the code it stands beside.
fn those<T>(pick: impl Fn(&'static Neighbour) -> Option<T>) -> Vec<(&'static str, T)> {
    let all = rows().into_iter().flat_map(|row| {
        let code = fault(row.fault).expect("a fault").code;
        row.neighbours.iter().map(move |neighbour| (code, neighbour))
    });
    all.filter_map(|(code, neighbour)| Some((code, pick(neighbour)?))).collect()
}

/// The files that settings of the table name.
pub(super) fn prepare(home: &Home, site: &Site) {
    let root = site.chain.root.pem();
    home.write(r"odd\name.pem", &root);
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
    let settings = those(|neighbour| match neighbour {
        Neighbour::Settings(what, settings) => Some((*what, *settings)),
        _ => None,
    });
    each(
        &settings,
        |(code, _)| code,
        |(code, (what, settings))| {
            let settings = settings
                .replace("DIR", directory)
                .replace("CLOSED", &closed_port().to_string())
                .replace("PORT", &site.server.port().to_string());
            fine(&home, code, 18, &format!("{good} {settings}"))
                .map(drop)
                .map_err(|why| format!("{what}: {why}"))
        },
    );
}

#[test]
fn chains_that_look_alike() {
    let certificates = Certificates::new();
    let chains = those(|neighbour| match neighbour {
        Neighbour::Chain(what, stage) => Some((*what, *stage)),
        _ => None,
    });
    each(
        &chains,
        |(code, _)| code,
        |(code, (what, stage))| {
            let home = Home::new();
            let Staged { chain, root, tls, files, settings } = stage(&certificates);
            let der: Vec<Vec<u8>> = chain.iter().map(|certificate| certificate.der.clone()).collect();
            let server = ScriptedServer::start(&der, &chain[0].key, &tls);
            let path = home.write("root.pem", root.pem());
            for (name, content) in files {
                home.write(name, content);
            }
            let good = site::verify_full(server.address.port(), path.to_str().unwrap(), OPEN);
            let settings = settings.replace("DIR", home.path().to_str().unwrap());
            fine(&home, code, 15, &format!("{good} {settings}"))
                .map(drop)
                .map_err(|why| format!("{what}: {why}"))
        },
    );
}

#[test]
pub(super) fn servers_that_are_slow_and_answer() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, site.server.port()));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // The answer to SSLRequest, the flights and the session's messages each come after a pause, and cut in two: behind
    // the first byte, behind a TLS record's header, and in its midst.
    for (first, pause) in [(0, 150), (1, 50), (5, 50), (100, 50)] {
        let port = relay(address, server, first, Duration::from_millis(pause));
        let conninfo = format!("{} port={port} connect_timeout=10", site.verify_full(&home, OPEN));
        fine(&home, "a timeout", 15, &conninfo).expect("both are content").stage("session", "ok");
    }
}

#[test]
pub(super) fn a_pooler_with_tls_on() {
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
