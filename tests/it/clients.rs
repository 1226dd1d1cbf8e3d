//! The snippets of `clients`, run: each installed client connects with what is printed for it, over TLS, by host, by
//! address and with a client certificate, the password coming from the environment, and refuses another root or name.

mod runners;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::LazyLock;

use openssl::pkcs12::Pkcs12;
use openssl::stack::Stack;

use crate::support::home::Home;
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::psql::Psql;
use crate::support::site::{GUARDED, NAME, PASSWORD, Site};
use crate::support::tool::{Report, Tool};

use runners::{Prepare, Run};

/// A role that logs in with a certificate for its name.
const CERTIFIED: &str = "certified_role";

/// A server whose certificate is for localhost, which every client can resolve, and which takes client certificates.
struct Local {
    chain: Chain,
    clients: Chain,
    server: Postgres,
}

static LOCAL: LazyLock<Local> = LazyLock::new(|| {
    let chain = Chain::honest("localhost", Algorithm::Ecdsa);
    let clients = Chain::honest(CERTIFIED, Algorithm::Ecdsa);
    let server = Postgres::version(18)
        .tls(&chain)
        .client_roots(clients.root.pem())
        .hba(&format!("hostssl all {CERTIFIED} all cert"))
        .trusted(CERTIFIED)
        .user(GUARDED, PASSWORD)
        .start();
    Local { chain, clients, server }
});

/// What a snippet is asked for and what must come of it.
struct Case {
    conninfo: String,
    expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Connected,
    Refused,
}

/// A path that has to be quoted in every language.
const ROOT_FILE: &str = "my root's \"CA\" $x.pem";

/// Runs the snippets of a client for every case. `takes_address`: whether it can be given an address beside the host.
#[track_caller]
fn verifies(name: &str, takes_address: bool, prepare: Prepare) {
    let home = Home::new();
    let (fifteen, eighteen) = (Site::shared(15, Algorithm::Rsa), Site::shared(18, Algorithm::Rsa));
    let roots = [&LOCAL.chain, &fifteen.chain, &eighteen.chain].map(|chain| chain.root.pem()).concat();
    let file = home.write(ROOT_FILE, &roots);
    let quoted = file.to_str().expect("a path in UTF-8").replace('\'', "\\'");
    let to = |place: &str, port: u16| {
        format!(
            "{place} port={port} dbname=postgres user={GUARDED} password={PASSWORD} sslrootcert='{quoted}'"
        )
    };
    let by_address = match takes_address {
        true => format!("host={NAME} hostaddr=127.0.0.1"),
        false => "host=127.0.0.1".to_owned(),
    };
    let mut cases = vec![
        Case { conninfo: to("host=localhost", LOCAL.server.port()), expected: Expected::Connected },
        Case { conninfo: to(&by_address, fifteen.server.port()), expected: Expected::Connected },
        // Root and address are right, the name is not.
        Case { conninfo: to("host=localhost", eighteen.server.port()), expected: Expected::Refused },
    ];
    let certificate = home.write("me.crt", LOCAL.clients.server_pem());
    let key = home.write("me.key", LOCAL.clients.leaf.key_pem());
    home.write("me.p12", pkcs12(&LOCAL.clients));
    let conninfo = to("host=localhost", LOCAL.server.port()).replace(GUARDED, CERTIFIED);
    let conninfo = format!("{conninfo} sslcert={} sslkey={}", certificate.display(), key.display());
    cases.push(Case { conninfo, expected: Expected::Connected });
    let snippets: Vec<String> = cases.iter().map(|case| snippet(&home, name, &case.conninfo)).collect();
    let command = prepare(&home, &snippets);
    for (index, case) in cases.iter().enumerate() {
        let run = Run::of(command(index), PASSWORD);
        run.came_to(case.expected == Expected::Connected, &snippets[index]);
    }
    let stranger = Draft::authority("another root", Algorithm::Ecdsa).self_signed();
    home.write(ROOT_FILE, stranger.pem());
    Run::of(command(0), PASSWORD).came_to(false, &snippets[0]);
}

/// A certificate with chain and key as Java wants them, under [`PASSWORD`].
fn pkcs12(chain: &Chain) -> Vec<u8> {
    let mut others = Stack::new().expect("a list");
    others.push(chain.intermediate.certificate.clone()).expect("room in it");
    let mut builder = Pkcs12::builder();
    builder.name("user").pkey(&chain.leaf.key).cert(&chain.leaf.certificate).ca(others);
    builder.build2(PASSWORD).and_then(|archive| archive.to_der()).expect("PKCS #12")
}

/// The snippet as the program prints it.
fn snippet(home: &Home, name: &str, conninfo: &str) -> String {
    let report = clients(home, &["--for", name, "--format", "json", conninfo]);
    report.exits(0).conceals(PASSWORD);
    report.at("/clients/0/snippet").as_str().expect("a snippet").to_owned()
}

fn clients(home: &Home, arguments: &[&str]) -> Report {
    arguments.iter().fold(Tool::at(home).with(["clients"]), |tool, argument| tool.with([*argument])).run()
}

#[test]
fn psql() {
    verifies("psql", true, runners::psql_string);
}

#[test]
fn psql_by_uri() {
    verifies("psql", true, runners::psql_uri);
}

#[test]
fn libpq_by_the_environment() {
    verifies("libpq", true, runners::psql_environment);
}

#[test]
fn psycopg_3() {
    verifies("psycopg", true, runners::psycopg);
}

#[test]
fn psycopg_2() {
    verifies("psycopg2", true, runners::psycopg2);
}

#[test]
fn asyncpg() {
    verifies("asyncpg", false, runners::asyncpg);
}

#[test]
fn pg8000() {
    verifies("pg8000", false, runners::pg8000);
}

#[test]
fn sqlalchemy() {
    verifies("sqlalchemy", true, runners::sqlalchemy);
}

#[test]
fn node_postgres() {
    verifies("node-postgres", true, runners::node_postgres);
}

#[test]
fn postgres_js() {
    verifies("postgres.js", true, runners::postgres_js);
}

#[test]
fn jdbc() {
    verifies("jdbc", false, runners::jdbc);
}

#[test]
fn lib_pq() {
    verifies("lib-pq", false, runners::lib_pq);
}

#[test]
fn tokio_postgres_with_rustls() {
    verifies("tokio-postgres", true, runners::tokio_postgres);
}

#[test]
fn php_pdo() {
    verifies("pdo", true, runners::pdo);
}

#[test]
fn ruby_pg() {
    verifies("ruby-pg", true, runners::ruby_pg);
}

#[test]
fn perl_dbd_pg() {
    verifies("dbd-pg", true, runners::dbd_pg);
}

/// PgBouncer is a client of the server behind it: what is printed is the beginning of its file.
#[test]
fn pgbouncer() {
    let home = Home::new();
    let file = home.write(ROOT_FILE, LOCAL.chain.root.pem());
    let readable =
        || std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    let conninfo = format!(
        "host=localhost port={} dbname=postgres user={GUARDED} sslrootcert='{}'",
        LOCAL.server.port(),
        file.to_str().expect("a path in UTF-8").replace('\'', "\\'")
    );
    let snippet = snippet(&home, "pgbouncer", &conninfo);
    let ask = || {
        readable();
        let pooler =
            PgBouncer::configured(snippet.clone() + "\nserver_login_retry = 1\nquery_wait_timeout = 5")
                .user(GUARDED, PASSWORD)
                .start();
        let conninfo =
            format!("host=127.0.0.1 port={} dbname=app user={GUARDED} sslmode=disable", pooler.port());
        let connection = Psql::libpq(15).connect(&home, &conninfo, &[("PGPASSWORD", PASSWORD)]);
        (connection, pooler.log())
    };
    let (connection, log) = ask();
    assert!(connection.connected && log.contains("SSL established"), "{connection:?}\n{snippet}\n{log}");
    home.write(ROOT_FILE, Draft::authority("another root", Algorithm::Ecdsa).self_signed().pem());
    let (connection, log) = ask();
    assert!(!connection.connected && log.contains("certificate verify failed"), "{connection:?}\n{log}");
}

/// A certificate without subjectAltName, which psql and Python accept, and Go and rustls refuse: told by the live check.
#[test]
fn a_live_check_tells_who_refuses_the_chain() {
    let home = Home::new();
    let root = Draft::authority("a root", Algorithm::Ecdsa).self_signed();
    let leaf = Draft { dns: Vec::new(), ..Draft::server(NAME, Algorithm::Ecdsa) }.signed_by(&root);
    let chain = Chain { root: root.clone(), intermediate: root, leaf };
    let server = Postgres::version(18).tls(&chain).start();
    let file = home.write("root.pem", chain.root.pem());
    let conninfo = format!(
        "host={NAME} hostaddr=127.0.0.1 port={} user=me sslmode=require sslrootcert={}",
        server.port(),
        file.display()
    );
    let report = clients(&home, &["--probe", "--format", "json", &conninfo]);
    report.exits(0).says("/probe/verdict", "verified").says("/raised_from", "require");
    let all = report.at("/clients");
    let refusing: Vec<&str> = all
        .as_array()
        .expect("a list")
        .iter()
        .filter(|client| {
            let differences = client["differences"].as_array().expect("a list");
            differences
                .iter()
                .any(|found| found["code"] == "common-name-only" && found["effect"] == "refuses")
        })
        .map(|client| client["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(refusing, ["pgx", "gorm", "lib-pq", "tokio-postgres", "sqlx", "diesel-async", "grafana"]);

    let stranger = home.write("stranger.pem", Draft::authority("x", Algorithm::Ecdsa).self_signed().pem());
    let conninfo = conninfo.replace(file.to_str().unwrap(), stranger.to_str().unwrap());
    let report = clients(&home, &["--probe", "--for", "pgx", "--format", "json", &conninfo]);
    report.exits(8).says("/probe/verdict", "failed").says("/probe/exit_code", 8);
}

#[test]
fn what_cannot_be_spelled_is_told() {
    let home = Home::new();
    let report = clients(&home, &["--for", "pyscopg", "host=h user=me"]);
    report.exits(2);
    assert!(report.stderr.contains("did you mean psycopg?"), "{report}");
    let report = clients(&home, &["host=/tmp user=me"]);
    report.exits(2);
    assert!(report.stderr.contains("a Unix-domain socket has no TLS"), "{report}");
    let report = clients(&home, &["--format", "json", "host=h usr=me password=Zyzzyva"]);
    report.exits(2).diagnosed("conninfo-unknown-option").conceals("Zyzzyva");
}

#[test]
fn the_short_list_names_every_client_and_what_raises_the_mode() {
    let home = Home::new();
    let report =
        clients(&home, &["host=db.example user=me password=Zyzzyva sslmode=prefer sslrootcert=system"]);
    // libpq itself refuses system with a weak mode.
    report.exits(2).conceals("Zyzzyva");
    let report =
        clients(&home, &["host=db.example user=me password=Zyzzyva sslmode=prefer sslrootcert=roots.pem"]);
    report.exits(0).conceals("Zyzzyva");
    assert!(report.stdout.contains("sslmode=prefer does not verify the server"), "{report}");
    for client in pgtls_check::clients::table::all() {
        assert!(
            report.stdout.lines().any(|line| line.starts_with(&format!("{}  ", client.name))),
            "{report}"
        );
    }
}
