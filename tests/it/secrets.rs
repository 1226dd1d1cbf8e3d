//! A secret anywhere in a string of any driver, valid or broken, in any argument: no output tells it, no resolver is asked
//! for it, no server is sent it. What is asked is a name that a host may have; what is sent is SSLRequest or a ClientHello.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use pgtls_check::cli::Cli;
use pgtls_check::clients::dialect;
use pgtls_check::commands::{self, Streams};
use pgtls_check::conninfo::{Environment, LoginName};
use pgtls_check::report::{Format, Style};

use crate::support::home::Home;
use crate::support::network::{alone, resolver};
use crate::support::parallel::each;
use crate::support::random::Random;

/// Unlike any word of a report, and in the alphabet of base64.
const SECRET: &str = "Pumpernickel";

/// Strings of every form, with `%` where the password stands.
const STRINGS: &[&str] = &[
    "host=db.example user=me password=% dbname=app",
    "host=db.example user=me password='%' dbname=app",
    "host=db.example port=5432 sslmode=require sslpassword=%",
    "host=db.example sslmode=verify-ca oauth_client_secret=% user=me",
    "postgresql://me:%@db.example:5432/app?sslmode=require",
    "postgres://me:%@db.example/app",
    "postgresql://db.example/app?user=me&password=%&sslmode=require",
    "jdbc:postgresql://db.example:5432/app?user=me&password=%&ssl=true",
    "jdbc:postgresql://me:%@db.example/app",
    "r2dbc:postgresql://me:%@db.example/app?sslMode=require",
    "Host=db.example;Username=me;Password=%;SSL Mode=Require",
    "Server=db.example;User Id=me;Pwd=%;Port=5432",
    "Driver={PostgreSQL Unicode};Server=db.example;Uid=me;Pwd={%};SSLmode=require",
    "pgsql:host=db.example;user=me;password=%;dbname=app",
    "dbi:Pg:host=db.example;user=me;password='%';dbname=app",
    "postgresql+psycopg2://me:%@db.example/app?sslmode=require",
    "ecto://me:%@db.example/app?ssl=true",
    "host: db.example\nusername: me\npassword: %\nsslmode: require\n",
    "production:\n  adapter: postgresql\n  host: db.example\n  password: \"%\"\n",
    "{\"host\": \"db.example\", \"password\": \"%\", \"port\": 5432}",
    "psycopg2.connect(host='db.example', password='%', user='me')",
    "new Client({host: 'db.example', password: '%', ssl: true})",
    "DATABASE_URL=postgres://me:%@db.example/app",
    "export PGHOST=db.example PGPASSWORD=%",
    "psql \"host=db.example password=% user=me\"",
    "PGPASSWORD=% psql -h db.example",
    "me:%@db.example:5432/app",
    "db.example:5432:app:me:%",
    "*:*:*:me:%",
    "<password>%</password><host>db.example</host>",
];

/// Values that hold a secret where none belongs, with `%` in its place.
const STOWAWAYS: &[&str] = &[
    "x;Password=%",
    "x,password=%",
    "x&pwd=%",
    "x password=%",
    "x?token=%",
    "postgres://me:%@db.example/app",
    "jdbc:postgresql://db.example/app?password=%",
    "me:%@db.example",
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByq%\n-----END PRIVATE KEY-----\n",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w%",
    "secret: %",
    "{\"password\":\"%\"}",
];

/// Keywords that take such a value.
const KEYWORDS: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "sslcrldir",
    "passfile",
    "service",
    "options",
    "application_name",
    "connect_timeout",
    "channel_binding",
    "require_auth",
    "target_session_attrs",
    "ssl_min_protocol_version",
    "krbsrvname",
    "sslnegotiation",
];

/// The secret, with characters before it that mean something to one grammar or another.
fn password(random: &mut Random) -> String {
    const SPECIAL: &[&str] = &[
        "@", "/", "?", "#", ":", ";", "&", "=", "%", "+", "'", "\"", "{", "}", "\\", "$", ",", "|", "x", "9",
    ];
    let mut password = String::new();
    for _ in 0..random.below(4) {
        password += random.pick(SPECIAL);
    }
    password + SECRET
}

/// A string with the secret in it, as somebody types it who knows of no escapes.
fn string(random: &mut Random) -> String {
    if random.chance(60) {
        let text = random.pick(STRINGS);
        let text = if random.chance(40) { damaged(text, random) } else { text.to_owned() };
        return text.replace('%', &password(random));
    }
    let stowaway = random.pick(STOWAWAYS).replace('%', SECRET);
    let keyword = random.pick(KEYWORDS);
    match random.below(3) {
        0 => format!("host=db.example {keyword}={stowaway}"),
        1 => format!("{keyword}='{}' sslmode=require", stowaway.replace('\'', "\\'")),
        _ => format!("postgresql://db.example/app?{keyword}={}", stowaway.replace('\n', "%0A")),
    }
}

/// A string with one character gone, added or everything gone behind one. It keeps what tells where the password is.
fn damaged(text: &str, random: &mut Random) -> String {
    let characters: Vec<char> = text.chars().collect();
    let place = characters.iter().position(|c| *c == '%').expect("a place for the password");
    let at = random.below(characters.len());
    // The name of the secret, its sign and quotes stay.
    let begin = text[..text.find('%').unwrap_or(0)].trim_end_matches(|c: char| !c.is_alphanumeric());
    let name = begin.chars().rev().take_while(|c| c.is_alphanumeric()).count();
    let begin = begin.chars().count() - name;
    let (before, after) = (at < begin.saturating_sub(3), at > place + 1);
    let mut characters = characters;
    match random.below(3) {
        0 if before || after => drop(characters.remove(at)),
        1 if before || after => {
            characters.insert(at, *random.pick(&[&'@', &'/', &';', &'=', &' ', &'\'', &'"', &'&']))
        }
        _ if after => characters.truncate(at),
        _ => {}
    }
    characters.into_iter().collect()
}

/// Every way in which such a string is given to the program.
fn command_lines(string: &str) -> Vec<Vec<&str>> {
    let mut lines = vec![
        vec!["-v", string],
        vec!["--show-config", string],
        vec!["-d", string],
        vec!["--tls-only", "-h", string],
        vec!["-U", string, "-h", "db.example", "--tls-only", "--format", "json"],
        vec!["--from", string],
        vec!["--format", string],
        vec!["--deny", string, "host=db.example"],
        vec!["clients", string],
        vec!["clients", "--for", string, "host=db.example"],
        vec!["audit", string],
        vec!["explain", string],
        vec!["roots", "show", string],
        vec!["roots", "check", "--provider", string, "x.pem"],
        vec!["demo", "--list", string],
    ];
    // In formats of all that there are, others for each string.
    for turn in 0..3 {
        let place = (string.len() + turn * Format::ALL.len().div_ceil(3)) % Format::ALL.len();
        let format = Format::ALL[place].name();
        lines.push(vec!["--format", format, "-v", string]);
        lines.push(vec!["--format", format, "--show-config", string]);
        for command in ["clients", "audit", "explain"] {
            lines.push(vec![command, "--format", format, string]);
        }
    }
    // As several drivers read it, others for each string.
    let dialects: Vec<&str> = dialect::all().map(|dialect| dialect.name).collect();
    for turn in 0..3 {
        let name = dialects[(string.len() + turn * (dialects.len() / 3)) % dialects.len()];
        lines.push(vec!["--as", name, "-v", string]);
        lines.push(vec!["--as", name, "--format", "json", "-v", string]);
        lines.push(vec!["--as", name, "--show-config", string]);
        lines.push(vec!["clients", "--as", name, "--from", string]);
    }
    // Without its quotes.
    lines.push(["audit"].into_iter().chain(string.split(' ')).collect());
    lines.push(["--tls-only"].into_iter().chain(string.split(' ')).collect());
    lines
}

/// All that a run in this process writes, and what it would say of an error.
fn output(arguments: &[&str], environment: &Environment) -> String {
    let cli = match Cli::read(std::iter::once("pgtls-check").chain(arguments.iter().copied()).map(Into::into))
    {
        Ok(cli) => cli,
        Err(error) => return error.to_string(),
    };
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        notes: &mut notes,
        style: Style::document(),
        notes_style: Style::document(),
        pager: None,
    };
    let result = commands::run_in(&cli, environment.clone(), &mut streams);
    let mut written = String::from_utf8_lossy(&[out, notes].concat()).into_owned();
    if let Err(error) = result {
        let words = pgtls_check::conninfo::mask_argument(format!("{error:#}").as_bytes());
        let _ = writeln!(written, "{words}");
    }
    written
}

/// A server that takes every SSLRequest and keeps what else it is sent.
fn recorder() -> Receiver<Vec<u8>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 5432)).expect("port 5432 of this network");
    let (tell, told) = channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || {
                // Nobody may care.
                let _ = tell.send(recorded(client));
            });
        }
    });
    told
}

fn recorded(mut client: TcpStream) -> Vec<u8> {
    client.set_read_timeout(Some(Duration::from_millis(200))).expect("an option");
    let mut all = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut part) {
        all.extend(&part[..length]);
        if all == SSL_REQUEST {
            let _ = client.write_all(b"S");
        } else {
            // An alert, and the end.
            let _ = client.write_all(&[21, 3, 3, 0, 2, 2, 40]);
            return all;
        }
    }
    all
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Whether these bytes are SSLRequest, a ClientHello, one behind the other, or the beginning of either.
fn is_harmless(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(&SSL_REQUEST[..]).unwrap_or(bytes);
    let is_hello =
        rest.is_empty() || (rest.starts_with(&[22, 3]) && rest.get(5).is_none_or(|kind| *kind == 1));
    is_hello && !holds(bytes)
}

fn holds(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).to_lowercase().contains(&SECRET.to_lowercase())
}

#[test]
fn a_secret_is_neither_written_nor_asked_for_nor_sent() {
    alone("secrets::a_secret_is_neither_written_nor_asked_for_nor_sent", || {
        let home = Home::new();
        let asked = resolver(&home, "timeout:1 attempts:1");
        let received = recorder();
        let environment = Environment {
            account_home: Some(home.path().to_owned()),
            login_name: LoginName::Known("me".to_owned()),
            current_dir: home.path().to_owned(),
            variables: [("PGCONNECT_TIMEOUT".into(), "1".into())].into(),
            ..Environment::default()
        };
        let mut random = Random::new(4711);
        let strings: Vec<String> = (0..Random::count(CASES)).map(|_| string(&mut random)).collect();
        let told = |string: &String| {
            let odd = |c: char| c.is_control() && c != '\n';
            let telling = command_lines(string).into_iter().find_map(|arguments| {
                let written = output(&arguments, &environment);
                let tells = holds(written.as_bytes()) || written.contains(odd);
                tells.then(|| format!("{arguments:?}\n{written}"))
            });
            telling.map_or(Ok(()), Err)
        };
        each(&strings, |string| string.as_str(), told);
        let names: Vec<String> = asked.try_iter().collect();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || !c.is_ascii();
        for name in &names {
            assert!(name.chars().all(fits) && !holds(name.as_bytes()), "{name:?} was asked for");
        }
        let sent: Vec<Vec<u8>> = received.try_iter().collect();
        for bytes in &sent {
            assert!(is_harmless(bytes), "{:?} was sent", String::from_utf8_lossy(bytes));
        }
        // The recorders recorded.
        assert!(names.iter().any(|name| name == "db.example"), "{names:?}");
        assert!(sent.iter().any(|bytes| bytes.starts_with(&SSL_REQUEST) && bytes.len() > 100), "{sent:?}");
    });
}

/// Strings; each is given in some twenty ways.
const CASES: usize = 250;
