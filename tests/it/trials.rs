//! Second looks and fixes that were tried: what is said to work does, for the program and for psql; what is said to
//! fail names what comes next; and no connection made for their sake tells a server who comes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgtls_check::conninfo::write::quoted;
use pgtls_check::demo::{ConnectionRecord, Demo, Fault, SeenBy, fault, faults};
use serde_json::Value;

use crate::faults::table::{FixedBy, Row, rows};
use crate::support::home::Home;
use crate::support::intercepting_proxy::{Decision, InterceptingProxy, alert};
use crate::support::odd_pki;
use crate::support::parallel::each;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::psql::Psql;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::service::free_port;
use crate::support::site::{NAME, OPEN, Site};
use crate::support::tool::{Report, Tool};

/// The password of the embedded server.
const DEMO_PASSWORD: &str = "demo-password";

/// A case: a string that fails, where it is run, and with which variables.
struct Case<'a> {
    home: &'a Home,
    directory: &'a Path,
    variables: Vec<(&'a str, String)>,
    conninfo: String,
}

impl<'a> Case<'a> {
    /// At a real server.
    fn new(home: &'a Home, conninfo: impl Into<String>) -> Self {
        Self { home, directory: home.path(), variables: Vec::new(), conninfo: conninfo.into() }
    }

    /// The embedded server's.
    fn of(demo: &'a Demo, home: &'a Home) -> Self {
        let text = |value: &std::ffi::OsString| value.to_str().expect("UTF-8").to_owned();
        let variables = demo.variables().iter().map(|(name, value)| (*name, text(value)));
        // A corrected string has no password.
        let password = ("PGPASSWORD", DEMO_PASSWORD.to_owned());
        Self {
            home,
            directory: demo.directory(),
            variables: variables.chain([password]).collect(),
            conninfo: demo.conninfo().to_owned(),
        }
    }

    fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    fn check(&self, conninfo: &str, options: &[&str]) -> Report {
        let mut tool = Tool::at(self.home).within(self.directory);
        for (name, value) in &self.variables {
            tool = tool.env(name, value);
        }
        for option in options {
            tool = tool.with([*option]);
        }
        tool.check(conninfo)
    }

    fn psql(&self, conninfo: &str) -> Result<(), String> {
        // Options that psql 15 does not know.
        let new = ["sslnegotiation", "sslcertmode", "sslrootcert=system", "sslrootcert%3Dsystem"];
        let version = if new.iter().any(|option| conninfo.contains(option)) { 18 } else { 15 };
        let mut command = Psql::libpq(version).command(self.home);
        command.current_dir(self.directory).envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.args(["-At", "-d", conninfo, "-c", "select 1"]).output().expect("psql runs");
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Runs what fails, and every fix of it that works; gives the settings of those, as they are typed.
    #[track_caller]
    fn cured(&self, code: &str) -> Vec<String> {
        self.cured_with(code, &[])
    }

    #[track_caller]
    fn cured_with(&self, code: &str, options: &[&str]) -> Vec<String> {
        let report = self.check(&self.conninfo, options);
        report.diagnosed(code);
        self.proved_with(&report, &report.at("/diagnosis/fixes"), options.is_empty())
    }

    #[track_caller]
    fn proved(&self, report: &Report, fixes: &Value) -> Vec<String> {
        self.proved_with(report, fixes, true)
    }

    /// `alone`: the settings behind the string say all, because no option was over it.
    #[track_caller]
    fn proved_with(&self, report: &Report, fixes: &Value, alone: bool) -> Vec<String> {
        let works = fixes.as_array().expect("fixes").iter().filter(|fix| fix["tried"] == "works");
        let proved: Vec<String> = works
            .map(|fix| {
                if let Some(command) = fix["command"].as_str() {
                    self.run(command);
                }
                let settings = settings(fix);
                let whole =
                    fix["conninfo"].as_str().unwrap_or_else(|| panic!("no string in {fix} of {report}"));
                assert!(!whole.contains("password"), "{whole}");
                let mut strings = vec![whole.to_owned()];
                if alone && !settings.is_empty() && !self.conninfo.contains("://") {
                    strings.push(format!("{} {settings}", self.conninfo));
                }
                for conninfo in strings {
                    let again = self.check(&conninfo, &[]);
                    assert_eq!(again.status, Some(0), "{conninfo}, from {report}: {again}");
                    if let Err(error) = self.psql(&conninfo) {
                        panic!("psql with {conninfo}: {error}\n{report}");
                    }
                }
                settings
            })
            .collect();
        assert!(!proved.is_empty(), "nothing works: {report}");
        // Who named a client certificate or CRLs most likely wants them: doing without comes second.
        let without =
            |settings: &String| settings.contains("sslcert=/nonexistent") || settings.starts_with("sslcrl");
        let has_files =
            ["sslcert=", "sslcrl=", "sslcrldir="].iter().any(|named| self.conninfo.contains(named));
        if !proved.iter().all(without) || !has_files {
            assert_eq!(fixes[0]["tried"], "works", "what works stands first: {report}");
        }
        proved
    }

    /// The command of a fix, as it would be pasted.
    fn run(&self, command: &str) {
        let program = Path::new(env!("CARGO_BIN_EXE_pgtls-check")).parent().expect("a directory");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("PATH"));
        let status = Command::new("sh")
            .args(["-c", command])
            .env("PATH", path)
            .current_dir(self.directory)
            .output()
            .expect("a shell");
        assert!(status.status.success(), "{command}: {}", String::from_utf8_lossy(&status.stderr));
    }
}

/// The settings of a fix as they are typed.
fn settings(fix: &Value) -> String {
    let pairs = fix["settings"].as_object().into_iter().flatten().map(|(keyword, value)| {
        let value = quoted(value.as_str().expect("a text").as_bytes());
        format!("{keyword}={}", String::from_utf8(value).expect("UTF-8"))
    });
    pairs.collect::<Vec<_>>().join(" ")
}

/// A string for the server at a port that would be well: its root is the file `root.pem` of `home`.
fn well(site: &Site, home: &Home, port: u16) -> String {
    home.write("root.pem", site.chain.root.pem());
    let root = home.join("root.pem");
    format!(
        "host={NAME} hostaddr=127.0.0.1 port={port} dbname=postgres user={OPEN} sslmode=verify-full \
         sslrootcert={}",
        root.display()
    )
}

fn staged(name: &str) -> (Demo, Home) {
    (Demo::start(Some(fault(name).expect("a fault"))).expect("it can be staged"), Home::new())
}

#[test]
fn what_works_for_the_program_works_for_psql() {
    let cured: Vec<&Row> =
        rows().into_iter().filter(|row| matches!(row.fixed_by, FixedBy::Works(_))).collect();
    each(
        &cured,
        |row| row.fault,
        |row| {
            let (demo, home) = staged(row.fault);
            let case = Case::of(&demo, &home);
            let report = case.check(&case.conninfo, &[]);
            let fixes = match report.at("/diagnosis") {
                Value::Null => report.at("/warnings/0/fixes"),
                diagnosis => diagnosis["fixes"].clone(),
            };
            case.proved(&report, &fixes);
            Ok(())
        },
    );
}

#[test]
fn a_warning_about_the_mode_ends_in_what_verifies() {
    let (demo, home) = (Demo::start(None).expect("it can be staged"), Home::new());
    let mut case = Case::of(&demo, &home);
    for mode in ["require", "verify-ca"] {
        case.conninfo = format!("{} sslmode={mode}", demo.conninfo());
        let report = case.check(&case.conninfo, &[]);
        report.exits(0).says("/warnings/0/code", "sslmode-not-verifying");
        assert_eq!(case.proved(&report, &report.at("/warnings/0/fixes")), ["sslmode=verify-full"]);
    }
    // Of another driver's string too, whose word for verify-full is in the remedy.
    let quoted = demo
        .conninfo()
        .split(' ')
        .map(|pair| pair.replacen('=', "=\"", 1) + "\"")
        .collect::<Vec<_>>()
        .join(", ");
    let report = case.check(
        &format!("psycopg2.connect({})", quoted.replace("sslmode=\"verify-full\"", "sslmode=\"require\"")),
        &[],
    );
    report
        .exits(0)
        .says("/warnings/0/code", "sslmode-not-verifying")
        .says("/warnings/0/fixes/0/tried", "works");
}

#[test]
fn roots_that_lie_at_hand_are_found() {
    let (site, home) = (Site::shared(15, Algorithm::Ecdsa), Home::new());
    let well = well(site, &home, site.server.port());
    let named = |path: &str| format!("{well} sslrootcert={path}");
    let beside = format!("sslrootcert={}", home.join("root.pem").display());
    // Beside a file with another root, the intermediate only, or none at all.
    let other = Draft::authority("another root", Algorithm::Ecdsa).self_signed();
    for (name, content, code) in [
        ("other.pem", other.pem(), "unknown-issuer"),
        ("middle.pem", site.chain.intermediate.pem(), "root-file-lacks-root"),
        ("empty.pem", String::new(), "root-file-invalid"),
    ] {
        let path = home.write(name, content);
        let proved = Case::new(&home, named(path.to_str().expect("UTF-8"))).cured(code);
        assert_eq!(proved, [beside.as_str()], "{name}");
        std::fs::remove_file(path).expect("a file");
    }
    // A relative path stays one.
    assert_eq!(Case::new(&home, named("no-such.pem")).cured("root-file-missing"), ["sslrootcert=root.pem"]);

    // The system's store, and libpq's default file, when the path named leads nowhere.
    let store = home.write("store/roots", site.chain.root.pem());
    home.write("elsewhere/notes", "");
    let case =
        Case::new(&home, named("elsewhere/root.pem")).with("SSL_CERT_FILE", store.to_str().expect("UTF-8"));
    assert_eq!(case.cured("root-file-missing"), ["sslrootcert=system"]);
    let default = home.write(".postgresql/root.crt", site.chain.root.pem());
    let proved = Case::new(&home, named("elsewhere/root.pem")).cured("root-file-missing");
    assert_eq!(proved, [format!("sslrootcert={}", default.display())]);
}

/// OpenSSL opens the directory only for names of which the file has nothing.
#[test]
fn a_namesake_in_the_file_that_hides_the_right_root_is_named() {
    let (site, home) = (Site::shared(18, Algorithm::Ecdsa), Home::new());
    let name = site.chain.root.certificate.subject_name().entries().next().expect("a common name");
    let name = name.data().to_string().expect("text");
    let other_key = Draft::authority(&name, Algorithm::Ecdsa).self_signed();
    let expired = Draft { key: site.chain.root.key.clone(), ..Draft::authority(&name, Algorithm::Ecdsa) };
    let right = format!("hashed/{:08x}.0", site.chain.root.certificate.subject_name_hash());
    let right = home.write(&right, site.chain.root.pem());
    let directory = home.join("hashed");
    for (namesake, code) in
        [(other_key, "root-key-changed"), (expired.days(-900, -30).self_signed(), "root-expired")]
    {
        let file = home.write("namesake.pem", namesake.pem());
        let case = Case::new(&home, format!("{} sslrootcert=system", well(site, &home, site.server.port())))
            .with("SSL_CERT_FILE", file.to_str().expect("UTF-8"))
            .with("SSL_CERT_DIR", directory.to_str().expect("UTF-8"));
        assert!(case.psql(&case.conninfo).is_err(), "{code}");
        assert_eq!(case.cured(code)[0], format!("sslrootcert={}", right.display()));
        let report = case.check(&case.conninfo, &[]);
        let said = report.at("/diagnosis").to_string();
        assert!(said.contains("hides the right one in a directory"), "{report}");
        assert!(said.contains("namesake.pem, line 1: remove"), "{report}");
        // The neighbour: nothing of that name in the file.
        let none = home.write("none.pem", Draft::authority("another", Algorithm::Ecdsa).self_signed().pem());
        let case = Case::new(&home, case.conninfo.clone())
            .with("SSL_CERT_FILE", none.to_str().expect("UTF-8"))
            .with("SSL_CERT_DIR", directory.to_str().expect("UTF-8"));
        case.check(&case.conninfo, &[]).verified();
    }
}

#[test]
fn a_path_as_typed_with_slashes_the_other_way() {
    let (site, home) = (Site::shared(15, Algorithm::Ecdsa), Home::new());
    let well = well(site, &home, site.server.port());
    home.write("certs/ca.pem", site.chain.root.pem());
    let case = Case::new(&home, format!(r"{well} sslrootcert=certs\ca.pem"));
    assert_eq!(case.cured("root-file-missing")[0], "sslrootcert=certs/ca.pem");
}

#[test]
fn the_port_next_door_is_found() {
    let (site, home) = (Site::shared(15, Algorithm::Ecdsa), Home::new());
    // An address of this test's own, so that the usual ports are free there.
    let at = format!("127.77.{}.{}", std::process::id() / 250 % 250 + 1, std::process::id() % 250 + 1);
    let server = site.server.port();
    let _proxy =
        InterceptingProxy::open(&format!("{at}:6432"), server, |_| Decision::Pass).expect("a free port");
    let no = InterceptingProxy::open(&format!("{at}:0"), server, |_| Decision::Answer(b"N".to_vec()))
        .expect("a port");
    let http = |_: &[u8]| Decision::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let http = InterceptingProxy::open(&format!("{at}:0"), server, http).expect("a port");
    for (port, code) in [
        (free_port(), "tcp-refused"),
        (no.address.port(), "server-refused-tls"),
        (http.address.port(), "not-postgresql"),
    ] {
        let case = Case::new(&home, format!("{} hostaddr={at}", well(site, &home, port)));
        assert_eq!(case.cured(code), ["port=6432"], "{code}");
    }
}

#[test]
fn tls_is_begun_as_the_door_wants_it() {
    let (site, home) = (Site::shared(18, Algorithm::Ecdsa), Home::new());
    let server = site.server.port();
    let tls_first = |first: &[u8]| match first.first() {
        Some(0x16) => Decision::Pass,
        _ => Decision::Answer(alert(10)),
    };
    let proxy = InterceptingProxy::open("127.0.0.1:0", server, tls_first).expect("a port");
    let case = Case::new(&home, well(site, &home, proxy.address.port()));
    assert_eq!(case.cured("not-postgresql"), ["sslnegotiation=direct"]);

    let by_name = |first: &[u8]| {
        let is_hello = first.first() == Some(&0x16);
        let named = first.windows(NAME.len()).any(|part| part == NAME.as_bytes());
        if is_hello && !named { Decision::Answer(alert(112)) } else { Decision::Pass }
    };
    let proxy = InterceptingProxy::open("127.0.0.1:0", server, by_name).expect("a port");
    let case = Case::new(&home, format!("{} sslsni=0", well(site, &home, proxy.address.port())));
    assert_eq!(case.cured("sni-unrecognized"), ["sslsni=1"]);

    // The alert says that it is the name; without ALPN the same name is answered.
    for number in [112, 40, 120] {
        let by_alpn = move |first: &[u8]| match first.windows(10).any(|part| part == b"postgresql") {
            true => Decision::Answer(alert(number)),
            false => Decision::Pass,
        };
        let proxy = InterceptingProxy::open("127.0.0.1:0", server, by_alpn).expect("a port");
        let report = Tool::at(&home).check(&well(site, &home, proxy.address.port()));
        report.diagnosed("alpn-rejected").says("/diagnosis/evidence/without_alpn", "the server answers");
    }
}

/// SSLRequest is closed on or answered with an alert; behind it is what takes TLS at once in one way or another, or not.
#[test]
pub(crate) fn what_speaks_tls_at_once_is_told_by_its_server_hello() {
    let (site, home) = (Site::shared(18, Algorithm::Ecdsa), Home::new());
    let certificate = odd_pki::Draft::server(NAME).self_signed();
    let web = Tls { without_alpn: true, ..Tls::default() };
    let web = ScriptedServer::start(std::slice::from_ref(&certificate.der), &certificate.key, &web);
    let speaks =
        |report: &Report| report.at("/diagnosis/title").as_str().unwrap().contains("speaks TLS at once");
    for refusal in [Vec::new(), alert(70)] {
        let door = |server: u16, hello: fn(bool) -> Option<Vec<u8>>| {
            let refusal = refusal.clone();
            let decide = move |first: &[u8]| {
                let alpn = first.windows(10).any(|part| part == b"postgresql");
                let answer = if first.first() == Some(&0x16) { hello(alpn) } else { Some(refusal.clone()) };
                answer.map_or(Decision::Pass, Decision::Answer)
            };
            let proxy = InterceptingProxy::open("127.0.0.1:0", server, decide).expect("a port");
            Case::new(&home, well(site, &home, proxy.address.port()))
        };
        // PostgreSQL 17 or later behind it.
        assert_eq!(door(site.server.port(), |_| None).cured("not-postgresql"), ["sslnegotiation=direct"]);
        // Another service, by ALPN or the lack of it: nothing is offered that would not work.
        for hello in [|_| None, |alpn: bool| alpn.then(|| alert(120))] {
            let case = door(web.address.port(), hello);
            let report = case.check(&case.conninfo, &[]);
            report.diagnosed("not-postgresql");
            assert!(speaks(&report), "{report}");
            let fixes = report.at("/diagnosis/fixes").to_string();
            assert!(!fixes.contains("\"sslnegotiation\":"), "{report}");
        }
        // Whatever answers no ClientHello is not said to speak TLS at once.
        let case = door(site.server.port(), |_| Some(Vec::new()));
        let report = case.check(&case.conninfo, &[]);
        assert!(!speaks(&report), "{report}");
    }
    // PostgreSQL 17 answers a ClientHello too: what closed the first time alone is no such port.
    let first = std::sync::Arc::new(AtomicUsize::new(0));
    let once = move |_: &[u8]| match first.fetch_add(1, Ordering::SeqCst) {
        0 => Decision::Answer(Vec::new()),
        _ => Decision::Pass,
    };
    let proxy = InterceptingProxy::open("127.0.0.1:0", site.server.port(), once).expect("a port");
    let report = Case::new(&home, "").check(&well(site, &home, proxy.address.port()), &[]);
    report.diagnosed("negotiation-closed");
    assert_eq!(report.at("/diagnosis/evidence/asked_again"), "it answers", "{report}");
}

#[test]
fn a_bound_of_the_client_is_lifted_and_its_certificate_found() {
    let home = Home::new();
    let clients = Draft::authority("clients", Algorithm::Ecdsa).self_signed();
    let client = Draft::server("cert_role", Algorithm::Ecdsa).signed_by(&clients);
    let site = Site::new(18, Algorithm::Ecdsa, |setup| {
        setup.protocols("TLSv1.3", "TLSv1.3").trusted("cert_role").client_roots(clients.pem())
    });
    let well = well(&site, &home, site.server.port());
    let case = Case::new(&home, format!("{well} ssl_max_protocol_version=TLSv1.2"));
    assert_eq!(case.cured("tls-version-unsupported"), ["ssl_max_protocol_version=''"]);

    // What lies in the default place is good; what was named is a stranger's, and the server refuses it.
    home.write(".postgresql/postgresql.crt", client.pem());
    home.write(".postgresql/postgresql.key", client.key_pem());
    let stranger = Draft::server("cert_role", Algorithm::Ecdsa)
        .signed_by(&Draft::authority("strangers", Algorithm::Ecdsa).self_signed());
    let (crt, key) = (home.write("s.crt", stranger.pem()), home.write("s.key", stranger.key_pem()));
    let case = Case::new(&home, format!("{well} sslcert={} sslkey={}", crt.display(), key.display()));
    let proved = case.cured("client-cert-rejected");
    assert!(
        proved.iter().any(|fix| fix.contains("sslcert=") && fix.contains("postgresql.crt")),
        "{proved:?}"
    );
}

#[test]
fn strings_are_corrected() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Ecdsa);
    let port = site.server.port();
    let well = well(site, &home, port);
    let root = home.join("root.pem").display().to_string();
    for (conninfo, code, settings) in [
        (format!("{well} sslnegotiation=direct sslmode=prefer"), "conninfo-invalid-value", "sslmode="),
        (
            format!("{well} ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2"),
            "conninfo-invalid-value",
            "ssl_m",
        ),
        (format!("{well} sslnegotiation=dirct"), "conninfo-invalid-value", "sslnegotiation=direct"),
        // What another driver has in its strings.
        (format!("{well} pool=5"), "conninfo-unknown-option", ""),
        (
            format!(
                "postgresql://{OPEN}@127.0.0.1:{port}/postgres?pool=5&sslmode=verify-full&sslca={root}&host={NAME}&hostaddr=127.0.0.1"
            ),
            "conninfo-unknown-option",
            "",
        ),
        (format!("{well} host={NAME}."), "hostname-mismatch", "host=db.example"),
        (
            format!("postgresql://{OPEN}@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={root}"),
            "hostname-mismatch",
            "host=db.example hostaddr=",
        ),
    ] {
        let case = Case::new(&home, conninfo);
        let proved = case.cured(code);
        assert!(proved.iter().any(|fix| fix.contains(settings)), "{proved:?}");
        let whole = case.check(&case.conninfo, &[]).at("/diagnosis/fixes/0/conninfo");
        let whole = whole.as_str().expect("a string");
        assert_eq!(whole.starts_with("postgresql://"), case.conninfo.contains("://"), "{whole}");
    }
}

/// What is wrong with the way in which a string is written is mended in all of it, not value by value.
#[test]
fn a_string_written_otherwise_is_corrected_whole() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let port = site.server.port();
    let well = well(site, &home, port);
    let root = home.join("root.pem").display().to_string();
    let settings: Vec<(&str, &str)> = well.split(' ').filter_map(|word| word.split_once('=')).collect();
    let quoted: Vec<String> =
        settings.iter().map(|(keyword, value)| format!("{keyword}=\"{value}\"")).collect();
    let uri = |separator: &str| {
        format!(
            "postgresql://{OPEN}@{NAME}:{port}/postgres?hostaddr=127.0.0.1&sslmode=verify-full{separator}sslrootcert={root}"
        )
    };
    for (conninfo, code) in [
        (well.replace(' ', ", "), "conninfo-invalid-value"),
        (quoted.join(" "), "conninfo-invalid-value"),
        (uri("?"), "conninfo-syntax"),
        (well.replace("port=", "port=tcp://127.0.0.1:"), "conninfo-invalid-value"),
    ] {
        let case = Case::new(&home, conninfo);
        assert!(!case.cured(code).is_empty(), "{}", case.conninfo);
    }
}

#[test]
fn a_host_with_its_port_is_taken_apart() {
    let home = Home::new();
    let site_chain = Chain::honest("localhost", Algorithm::Ecdsa);
    let server = crate::support::postgres::Postgres::version(15).tls(&site_chain).trusted(OPEN).start();
    let root = home.write("root.pem", site_chain.root.pem());
    let case = Case::new(
        &home,
        format!(
            "host=postgres://localhost:{} dbname=postgres user={OPEN} sslmode=verify-full sslrootcert={}",
            server.port(),
            root.display()
        ),
    );
    assert_eq!(case.cured("conninfo-host-malformed"), [format!("host=localhost port={}", server.port())]);
}

#[test]
fn in_a_list_of_hosts_only_the_slot_at_fault_changes() {
    let (site, home) = (Site::shared(15, Algorithm::Ecdsa), Home::new());
    let closed = free_port();
    let port = site.server.port();
    let well = well(site, &home, port);
    let case = Case::new(
        &home,
        format!("{well} host={NAME},localhost hostaddr=127.0.0.1,127.0.0.1 port={closed},{port}"),
    );
    assert_eq!(case.cured("hostname-mismatch"), [format!("host={NAME},{NAME} hostaddr=127.0.0.1,127.0.0.1")]);
    let case = Case::new(
        &home,
        format!(
            "postgresql://{OPEN}@localhost:{closed},localhost:{port}/postgres?sslmode=verify-full&sslrootcert={}",
            home.join("root.pem").display()
        ),
    );
    let proved = case.cured("hostname-mismatch");
    assert!(proved[0].starts_with(&format!("host=localhost,{NAME} hostaddr=,")), "{proved:?}");
}

#[test]
fn options_and_the_environment_count_and_passwords_stay_out() {
    let (site, home) = (Site::shared(15, Algorithm::Ecdsa), Home::new());
    let root = home.write("root.pem", site.chain.root.pem());
    let port = site.server.port().to_string();
    // No sslmode is typed: the tool's own default is part of what was tried.
    let case = Case::new(&home, format!("password=open-sesame sslrootcert={}", root.display()))
        .with("PGUSER", OPEN)
        .with("PGDATABASE", "postgres");
    case.cured_with("hostname-mismatch", &["-h", "localhost", "-p", &port]);
    let report = case.check(&case.conninfo, &["-h", "localhost", "-p", &port]);
    let whole = report.at("/diagnosis/fixes/0/conninfo");
    let whole = whole.as_str().expect("a string");
    report.conceals("open-sesame");
    for part in [&format!("port={port}"), "sslmode=verify-full", "host=db.example", "hostaddr="] {
        assert!(whole.contains(part), "{part} in {whole}");
    }
    assert!(!whole.contains("user="), "{whole}");
    // What may be a piece of a password that spilled over is not written anew.
    let spilled = format!(
        "postgresql://{OPEN}:open/sesame@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={}",
        root.display()
    );
    case.check(&spilled, &[]).conceals("sesame");
    case.check(&format!("{} pasword=open-sesame", case.conninfo), &["-h", NAME]).conceals("open-sesame");
}

#[test]
fn a_fix_that_fails_names_what_comes_next() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let well = well(site, &home, site.server.port());
    let name = "hostname-mismatch";
    for (change, code, second, both_by_settings) in [
        ("hostaddr=localhost", "conninfo-invalid-value", name, true),
        ("sslmode=verify_full host=localhost", "conninfo-invalid-value", name, true),
        ("pool=5 host=localhost", "conninfo-unknown-option", name, true),
        ("pool=5 sslmode=verify_full", "conninfo-unknown-option", "conninfo-invalid-value", true),
        // Which of several causes it is takes a second look.
        (
            "sslmode=verify_full sslnegotiation=direct",
            "conninfo-invalid-value",
            "direct-tls-unsupported",
            true,
        ),
        ("sslmode=disable host=localhost", "tls-not-requested", name, true),
        ("sslmode=verify_full host=other.example", "conninfo-invalid-value", name, false),
        ("sslmode=disable host=other.example", "tls-not-requested", name, false),
    ] {
        let case = Case::new(&home, format!("{well} {change}"));
        let report = case.check(&case.conninfo, &[]);
        report.diagnosed(code);
        both_are_cured(&case, &report, second, both_by_settings);
    }
}

/// What is wrong with the server's chain is told where the client's own key keeps psql from seeing it.
#[test]
fn the_chain_behind_an_unusable_key_is_judged() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let other = Draft::authority("Other Root", Algorithm::Ecdsa).self_signed();
    let well = well(site, &home, site.server.port());
    let root = home.write("other.pem", other.pem());
    let (certificate, key) = (home.write("c.crt", other.pem()), home.write("c.key", other.key_pem()));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let files =
        format!("sslrootcert={} sslcert={} sslkey={}", root.display(), certificate.display(), key.display());
    let report = Tool::at(&home).check(&format!("{well} {files}"));
    report.exits(3).diagnosed("client-key-permissions");
    let also = report.at("/also");
    let found = also.as_array().unwrap().iter().find(|other| other["stage"] == "certificate");
    assert!(found.is_some_and(|found| found["fixes"][0]["text"].is_string()), "{report}");
    // There, and not again with each remedy.
    let again = format!("then `{}` remains, told below", found.unwrap()["code"].as_str().unwrap());
    assert_eq!(report.stdout.matches("remains").count(), report.stdout.matches(&again).count(), "{report}");
    assert!(report.stdout.contains(&again), "{report}");
}

/// Whatever the driver, several URLs in one string are told as that, and no password of theirs.
#[test]
fn urls_of_a_driver_that_are_joined_are_told() {
    let home = Home::new();
    for (first, is_told) in [
        (
            "jdbc:postgresql://127.0.0.1:1/shop,jdbc:postgresql://127.0.0.1:2/shop?user=app&password=Zyzzyva",
            true,
        ),
        ("jdbc:postgresql://127.0.0.1:1/shop?sslmode=require,jdbc:postgresql://127.0.0.1:2/shop", true),
        ("jdbc:postgresql://127.0.0.1:1/shop/x", false),
    ] {
        let report = Tool::at(&home).check(first);
        report.exits(2).conceals("Zyzzyva");
        assert_eq!(
            report.at("/diagnosis/title") == "several URLs are joined in one string",
            is_told,
            "{report}"
        );
        let fix = report.at("/diagnosis/fixes/0/text").to_string();
        assert_eq!(fix.contains(",127.0.0.1:2"), is_told, "{report}");
    }
}

/// As a function has its arguments.
#[test]
fn settings_with_commas_between_them_are_told() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let well = well(site, &home, site.server.port()).replace(' ', ",");
    let report = Tool::at(&home).check(&well);
    let fix = report.at("/diagnosis/fixes/0");
    assert_eq!(fix["tried"], "works", "{report}");
    Tool::at(&home).check(fix["conninfo"].as_str().unwrap()).exits(0);
}

/// A file of roots that cannot be used hides no name that the certificate lacks.
#[test]
fn the_name_behind_unusable_roots_is_judged() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let well = well(site, &home, site.server.port());
    for (host, is_told) in [("short", true), (NAME, false)] {
        let wrong = format!("{well} host={host} sslrootcert={}", home.write("roots.der", "no PEM").display());
        let report = Tool::at(&home).check(&wrong);
        report.exits(3).diagnosed("root-file-invalid");
        let also = report.at("/also");
        let found = also.as_array().unwrap().iter().find(|other| other["code"] == "hostname-mismatch");
        assert_eq!(found.is_some(), is_told, "{report}");
        assert!(found.is_none_or(|found| found["fixes"][0]["settings"]["host"] == NAME), "{report}");
    }
}

/// No string that is printed keeps the second fault.
#[test]
fn what_sends_for_a_root_has_the_name_that_works() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let well = well(site, &home, site.server.port());
    let roots = well.split("sslrootcert=").nth(1).expect("a root file").split(' ').next().unwrap_or_default();
    let roots = std::fs::read(roots).expect("the root file");
    home.write("mine.pem", &roots);
    let report = Tool::at(&home).check(&format!("{well} host=short sslrootcert=~/mine.pem"));
    report.exits(3).diagnosed("root-file-missing");
    let fixes = report.at("/diagnosis/fixes");
    let strings: Vec<&str> =
        fixes.as_array().expect("fixes").iter().filter_map(|fix| fix["conninfo"].as_str()).collect();
    assert!(strings.len() > 1 && strings.iter().all(|string| string.contains(NAME)), "{report}");
}

/// A driver's string is written with verify-full, but for verify-ca: so it is tried.
#[test]
fn a_mark_stands_for_the_string_that_is_printed() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    home.write("root.pem", site.chain.root.pem());
    home.write("other.pem", Draft::authority("another root", Algorithm::Ecdsa).self_signed().pem());
    let port = site.server.port();
    let jdbc = format!("jdbc:postgresql://localhost:{port}/postgres?user={OPEN}&sslmode");
    let npgsql = format!("Host=localhost;Port={port};Database=postgres;Username={OPEN};SSL Mode");
    for (string, printed, tried) in [
        (format!("{jdbc}=verify-ca&sslrootcert=other.pem"), "sslmode=verify-ca&sslrootcert=", "works"),
        (format!("{jdbc}=verify-full&sslrootcert=other.pem"), "sslmode=verify-full&sslrootcert=", "fails"),
        (format!("{npgsql}=VerifyCA;Root Certificate=other.pem"), "SSL Mode=VerifyCA;", "works"),
    ] {
        let report = Tool::at(&home).check(&string);
        report.exits(8).diagnosed("unknown-issuer");
        let fix = report.at("/diagnosis/fixes/0");
        let whole = fix["conninfo"].as_str().expect("a string");
        assert!(whole.contains(printed), "{report}");
        assert_eq!(fix["tried"], tried, "{report}");
        if tried == "works" {
            Tool::at(&home).check(whole).exits(0);
        }
    }
}

/// Each remedy that leaves another fault names it, and the string of both remedies connects. Where the second one is no
/// setting, the string cures the first fault.
#[track_caller]
fn both_are_cured(case: &Case<'_>, report: &Report, code: &str, both_by_settings: bool) {
    let fixes = report.at("/diagnosis/fixes");
    let failing: Vec<&Value> =
        fixes.as_array().expect("fixes").iter().filter(|fix| fix["tried"] == "fails").collect();
    assert!(!failing.is_empty(), "{report}");
    for fix in failing {
        let words = match both_by_settings {
            true => format!("the whole string mends the second too, `{code}` ("),
            false => format!("then `{code}` remains ("),
        };
        assert!(fix["text"].as_str().expect("a text").contains(&words), "{fix}");
        let whole = fix["conninfo"].as_str().unwrap_or_else(|| panic!("no string in {fix}"));
        assert!(whole.contains("sslmode=verify-full") && !whole.contains("password"), "{fix}");
        let again = case.check(whole, &[]);
        let psql = case.psql(whole);
        assert_eq!(psql.is_ok(), both_by_settings, "psql with {whole}: {psql:?}\n{report}");
        if both_by_settings {
            assert_eq!(again.status, Some(0), "{whole}, from {report}: {again}");
        } else {
            // What is told of the second fault stands by itself: with what is to be typed.
            let next = again.diagnosed(code).at("/diagnosis/fixes/0/command");
            assert_eq!(fix["then_command"], next, "{fix}");
        }
    }
}

/// What can be seen of who comes.
fn is_told(record: &ConnectionRecord) -> bool {
    let holds = |word: &[u8]| record.clear.windows(word.len()).any(|part| part == word);
    record.startup.is_some()
        || !record.messages.is_empty()
        || holds(b"user\0")
        || holds(DEMO_PASSWORD.as_bytes())
}

#[test]
fn one_connection_for_the_check_and_no_other_tells_who_comes() {
    let failing: Vec<&Fault> = faults().iter().filter(|fault| fault.seen_by == SeenBy::Check).collect();
    let more = AtomicUsize::new(0);
    each(
        &failing,
        |fault| fault.name,
        |fault| {
            let (demo, home) = staged(fault.name);
            let case = Case::of(&demo, &home);
            let untried = case.check(&case.conninfo, &["--no-try"]);
            let alone = demo.connections().len();
            // Where the port can be reached, by one connection.
            let reached = demo_is_reached(&untried, fault.code);
            if alone != usize::from(reached) || untried.at("/looks") != Value::Array(Vec::new()) {
                return Err(format!("{alone} connections without trying: {untried}"));
            }
            let tried = case.check(&case.conninfo, &[]);
            let connections = demo.connections();
            let others: Vec<&ConnectionRecord> = connections.iter().skip(alone * 2).collect();
            more.fetch_add(others.len(), Ordering::Relaxed);
            if let Some(record) = others.iter().find(|record| is_told(record)) {
                return Err(format!("{record:?}"));
            }
            let looks = tried.at("/looks").as_array().map_or(0, Vec::len);
            // Three things in question at most, each asked twice.
            if looks > 6 || others.len() > 10 {
                return Err(format!("{looks} looks, {} connections for them and trials", others.len()));
            }
            Ok(())
        },
    );
    assert!(more.into_inner() > 20, "there were looks and trials");
}

fn demo_is_reached(report: &Report, code: &str) -> bool {
    report.at("/attempts/0/address") != Value::Null && !code.starts_with("tcp-")
}

#[test]
fn looks_are_listed() {
    let (demo, home) = staged("tls-version-unsupported");
    let case = Case::of(&demo, &home);
    let report = case.check(&case.conninfo, &[]);
    let looks = report.at("/looks");
    let looks = looks.as_array().expect("looks");
    assert_eq!(looks.len() + 1, demo.connections().len(), "{report}");
    for look in looks {
        assert_eq!(look["port"], demo.address().port(), "{look}");
        assert!(look["asked"].as_str().is_some_and(|asked| asked.contains("ClientHello")), "{look}");
        assert!(look["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{look}");
    }
    let last = &looks[looks.len() - 2]["answer"];
    assert!(last.as_str().is_some_and(|answer| answer.starts_with("ServerHello, TLSv1,")), "{report}");
    let verbose = Tool::at(&home).with(["demo", "tls-version-unsupported", "-v"]).run();
    assert!(verbose.stdout.contains("second looks"), "{verbose}");
    assert!(verbose.stdout.contains("ServerHello, TLSv1,"), "{verbose}");
}

#[test]
fn a_failing_check_ends_in_its_time() {
    // connect_timeout is 2 s in all of these; looks and trials have one more.
    let in_time = |(name, options, limit): (&str, &[&str], f64)| {
        let (demo, home) = staged(name);
        let case = Case::of(&demo, &home);
        let begin = Instant::now();
        case.check(&case.conninfo, options);
        let took = begin.elapsed();
        assert!(took < Duration::from_secs_f64(limit + 1.5), "{name} {options:?} took {took:?}");
    };
    std::thread::scope(|scope| {
        for case in [
            ("tls-timeout", &[][..], 3.0),
            ("tls-timeout-halfway", &[], 3.0),
            ("negotiation-timeout", &[], 3.0),
            ("tls-timeout", &["--timeout", "1"], 1.0),
            ("tls-timeout", &["--no-try"], 2.0),
        ] {
            scope.spawn(move || in_time(case));
        }
    });
}
