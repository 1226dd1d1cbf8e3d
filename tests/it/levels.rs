//! No report claims more than the sslmode verified: every sslmode, with roots and without, before every end that a session
//! can have, in every format. What a mode verifies is libpq's rule: the name under verify-full alone, the chain wherever
//! there are roots.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use pgtls_check::cli::Cli;
use pgtls_check::conninfo::{Environment, LoginName};
use pgtls_check::report::Format;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::in_process;
use crate::support::odd_pki::{Draft, Issued};
use crate::support::parallel::{each, expect};
use crate::support::scripted_server::{Login, Reply, ScriptedServer, Step, Tls, message};
use crate::support::site::NAME;

const MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// What of the server a report may call verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Nothing,
    Chain,
    All,
}

/// A way in which a session ends: its name, what is asked for beyond the usual, options, what the server does.
struct End {
    name: &'static str,
    settings: &'static str,
    options: &'static [&'static str],
    script: Vec<Step>,
}

fn request(code: u32, data: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes(), data].concat())
}

fn refusal(sqlstate: &str, words: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{sqlstate}\0M{words}\0\0").as_bytes())
}

/// A session that begins, with a parameter.
fn session(name: &str, value: &str) -> Vec<Step> {
    let parameter = message(b'S', format!("{name}\0{value}\0").as_bytes());
    let begin = [request(0, b""), parameter, message(b'K', &[7; 8]), message(b'Z', b"I")];
    vec![Step::Send(begin.concat()), Step::Serve]
}

fn ends() -> Vec<End> {
    let end = |name, settings, script| End { name, settings, options: &[], script };
    let says = |name, message: Vec<u8>| end(name, "", vec![Step::Send(message)]);
    let asked = |name, settings, request: Vec<u8>, answer: Vec<u8>| {
        end(name, settings, vec![Step::Send(request), Step::Read, Step::Send(answer)])
    };
    let wrong = || refusal("28P01", "password authentication failed for user \"u\"");
    let sasl = |name: &str| request(10, format!("{name}\0\0").as_bytes());
    let open = || session("server_version", "18.0");
    let with = |options, name| End { options, ..end(name, "", open()) };
    vec![
        end("closed", "", vec![]),
        End { options: &["--timeout=1"], ..end("silent", "", vec![Step::Read, Step::Read]) },
        end("open", "", open()),
        with(&["--tls-only"], "not begun"),
        with(&["--strict"], "open, warnings denied"),
        with(&["--require-auth"], "open, as demanded"),
        with(&["--require-level=verified"], "open, all demanded"),
        with(&["--fail-within=9000"], "open, expiring"),
        with(&["--as-of=2099-01-01"], "open, as of then"),
        with(&["--each"], "each"),
        says("closed when let in", request(0, b"")),
        says(
            "hba",
            refusal(
                "28000",
                "no pg_hba.conf entry for host \"192.0.2.1\", user \"u\", database \"d\", SSL encryption",
            ),
        ),
        says(
            "hba, no encryption",
            refusal(
                "28000",
                "no pg_hba.conf entry for host \"192.0.2.1\", user \"u\", database \"d\", no encryption",
            ),
        ),
        says("role", refusal("28000", "role \"u\" does not exist")),
        says("certificate", refusal("28000", "certificate authentication failed for user \"u\"")),
        says("database", refusal("3D000", "database \"d\" does not exist")),
        says("limit", refusal("53300", "sorry, too many clients already")),
        says("starting", refusal("57P03", "the database system is starting up")),
        says("shut down", refusal("57P01", "terminating connection due to administrator command")),
        says(
            "pooler",
            refusal("08P01", "server login failed: FATAL server does not support SSL, but SSL was required"),
        ),
        says("error", refusal("XX000", "something")),
        says("wrong words", refusal("XX000", "TLS: certificate not good")),
        says("no message", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        says("half a message", refusal("XX000", "something")[..12].to_vec()),
        says("unexpected message", message(b'D', b"\0\0")),
        says("password", request(3, b"")),
        says("MD5 password", request(5, b"salt")),
        says("SCRAM password", sasl("SCRAM-SHA-256\0")),
        End { options: &["--require-auth"], ..says("password demanded", sasl("SCRAM-SHA-256\0")) },
        says("Kerberos", request(2, b"")),
        says("GSSAPI", request(7, b"")),
        says("SSPI", request(9, b"")),
        says("OAuth", sasl("OAUTHBEARER\0")),
        says("unknown method", request(99, b"")),
        asked("wrong password", "password=x", request(3, b""), wrong()),
        asked("wrong MD5 password", "password=x", request(5, b"salt"), wrong()),
        asked("wrong SCRAM password", "password=x", sasl("SCRAM-SHA-256\0"), wrong()),
        asked("closed at the password", "password=x", request(3, b""), Vec::new()),
        asked("odd SCRAM", "password=x", sasl("SCRAM-SHA-256\0"), request(11, b"r=x")),
        end("no method asked", "require_auth=scram-sha-256", open()),
        end("other method asked", "require_auth=scram-sha-256 password=x", vec![Step::Send(request(3, b""))]),
        end("no binding", "channel_binding=require", open()),
        asked(
            "binding not offered",
            "channel_binding=require password=x",
            sasl("SCRAM-SHA-256\0"),
            Vec::new(),
        ),
        end("certificate demanded", "sslcertmode=require", open()),
        end("read only", "target_session_attrs=read-write", session("default_transaction_read_only", "on")),
        end("primary", "target_session_attrs=standby", session("in_hot_standby", "off")),
        end("standby", "target_session_attrs=primary", session("in_hot_standby", "on")),
    ]
}

/// A server: what it says to SSLRequest, whether its name and its root are those wanted, and whether it has TLS at all.
struct Server {
    name: &'static str,
    scripted: ScriptedServer,
    /// What is right about its certificate: nothing, its chain, all of it.
    right: Level,
    has_tls: bool,
}

fn servers(root: &Issued, scripts: &'static [Vec<Step>]) -> Vec<Server> {
    let server = |name, leaf: &Issued, right, reply| Server {
        name,
        scripted: ScriptedServer::start(
            std::slice::from_ref(&leaf.der),
            &leaf.key,
            // `allow` asks for TLS where it is refused without.
            &Tls {
                login: Login::Scripts(scripts),
                plain_login: matches!(reply, Reply::Handshake).then_some(Login::Fatal("28000")),
                reply,
                ..Tls::default()
            },
        ),
        right,
        has_tls: matches!(reply, Reply::Handshake),
    };
    let stranger = Draft::authority("stranger").self_signed();
    let good = Draft::server(NAME).signed_by(root);
    let other = Draft::server("other.example").signed_by(root);
    let strange = Draft::server(NAME).signed_by(&stranger);
    vec![
        server("good", &good, Level::All, Reply::Handshake),
        server("other name", &other, Level::Chain, Reply::Handshake),
        server("other root", &strange, Level::Nothing, Reply::Handshake),
        server("without TLS", &good, Level::All, Reply::Plaintext),
    ]
}

/// One run: what is given to the program, and what of the server it verifies at most.
struct Case {
    name: String,
    arguments: Vec<String>,
    level: Level,
    is_open: bool,
}

fn cases(servers: &[Server], ends: &[End], root: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for server in servers {
        for mode in MODES {
            for has_root in [true, false] {
                for (number, end) in ends.iter().enumerate() {
                    // Where no session comes about, how it would end makes no difference.
                    let has_roots = has_root || !mode.starts_with("verify");
                    let has_session = server.has_tls && server.right == Level::All && has_roots;
                    if !has_session && number % 10 != server.name.len() % 10 {
                        continue;
                    }
                    let demanded = match (*mode, has_root) {
                        ("disable", _) => Level::Nothing,
                        ("verify-full", _) => Level::All,
                        ("verify-ca", _) | (_, true) => Level::Chain,
                        _ => Level::Nothing,
                    };
                    let is_verified = server.has_tls && has_root && server.right >= demanded;
                    let roots = if has_root { format!(" sslrootcert={root}") } else { String::new() };
                    let port = server.scripted.address.port();
                    let string = format!(
                        "host={NAME} hostaddr=127.0.0.1 port={port} user=u dbname={number} sslmode={mode}{roots} {}",
                        end.settings
                    );
                    // Second looks and trials take long, and say of several ends the same.
                    let tries = if cases.len() % 8 == 0 { None } else { Some("--no-try".to_owned()) };
                    let options = end.options.iter().map(|option| (*option).to_owned());
                    cases.push(Case {
                        name: format!("{}, {mode}, root {has_root}, {}", server.name, end.name),
                        arguments: options.chain(tries).chain([string]).collect(),
                        level: if is_verified { demanded } else { Level::Nothing },
                        is_open: end.name.starts_with("open"),
                    });
                }
            }
        }
    }
    cases
}

/// The reports of a run in every format, with the verbose one for people and what was said on standard error.
fn reports(home: &Home, arguments: &[String]) -> BTreeMap<&'static str, String> {
    // Where writing waits for no disk.
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory in memory");
    let file = |name: &str| directory.path().join(name);
    let outputs = Format::ALL
        .iter()
        .map(|format| format!("--output={}={}", format.name(), file(format.name()).display()));
    let all: Vec<String> = ["pgtls-check", "-v"].map(str::to_owned).into_iter().chain(outputs).collect();
    let all = all.into_iter().chain(arguments.iter().cloned());
    let cli = Cli::read(all.map(Into::into)).expect("arguments");
    let environment = Environment {
        account_home: Some(home.path().to_owned()),
        login_name: LoginName::Known("me".to_owned()),
        current_dir: home.path().to_owned(),
        ..Environment::default()
    };
    let run = in_process::run(&cli, environment);
    run.result.expect("a run");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let mut reports: BTreeMap<&str, String> = Format::ALL
        .iter()
        .map(|format| (format.name(), fs::read_to_string(file(format.name())).expect("a report")))
        .collect();
    reports.extend([("verbose", text(&run.out)), ("notes", text(&run.notes))]);
    reports
}

/// Phrases with the word in them that claim nothing: what was not verified, what would be, what is demanded, counts of none.
const DENIALS: &[&str] = &[
    "not verified",
    "unverified",
    "nothing is verified",
    "nothing can be verified",
    "required verified (--require-level",
    "\"required\":\"verified (--require-level",
    "<dt>required</dt><dd>verified (--require-level",
    "verified 0 of",
    "0 of 1 verified",
    "verified=0",
];

/// Whether a line of metrics says no.
fn is_no(line: &str) -> bool {
    line.starts_with("pgtls_") && line.ends_with(" 0")
}

/// A claim of more than `level` in a report.
fn claim(report: &str, level: Level) -> Option<String> {
    // Metrics have a help text and a value.
    let lines = report.lines().filter(|line| !line.starts_with("# ") && !is_no(line));
    let words = lines.flat_map(str::split_whitespace).collect::<Vec<_>>();
    let mut rest = words.join(" ").to_lowercase();
    for denial in DENIALS {
        rest = rest.replace(denial, "");
    }
    if level >= Level::Chain {
        rest = rest.replace("chain verified", "").replace("chain-verified", "");
    }
    let at = rest.find("verified").filter(|_| level < Level::All)?;
    let begin = rest[..at].char_indices().rev().nth(80).map_or(0, |(begin, _)| begin);
    Some(rest[begin..].chars().take(140).collect())
}

#[test]
fn no_report_claims_more_than_the_sslmode_verified() {
    let home = Home::new();
    let root = Draft::authority("root").self_signed();
    let root_file = home.write("root.pem", root.pem());
    let ends = ends();
    let scripts: &'static [Vec<Step>] =
        Box::leak(ends.iter().map(|end| end.script.clone()).collect::<Vec<_>>().into());
    let servers = servers(&root, scripts);
    let cases = cases(&servers, &ends, root_file.to_str().expect("a path"));
    let claimed = Mutex::new(BTreeMap::<Level, usize>::new());
    each(
        &cases,
        |case| &case.name,
        |case| {
            let reports = reports(&home, &case.arguments);
            let json: Value =
                serde_json::from_str(reports["json"].lines().next().unwrap_or_default()).expect("JSON");
            let verdict = match json["verdict"].as_str() {
                Some("verified") => Level::All,
                Some("chain-verified") => Level::Chain,
                _ => Level::Nothing,
            };
            expect(verdict <= case.level, || format!("{verdict:?} at {:?}: {json}", case.level))?;
            if case.is_open && case.level > Level::Nothing {
                expect(verdict == case.level, || format!("only {verdict:?}: {json}"))?;
            }
            *claimed.lock().expect("no poison").entry(verdict).or_default() += 1;
            for (format, report) in &reports {
                if let Some(claim) = claim(report, case.level) {
                    return Err(format!("{format} at {:?}: …{claim}…", case.level));
                }
            }
            Ok(())
        },
    );
    let claimed = claimed.into_inner().expect("no poison");
    assert!(cases.len() > 600 && claimed.len() == 3, "{} cases: {claimed:?}", cases.len());
}
