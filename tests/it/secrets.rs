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
use pgtls_check::conninfo::{Environment, LoginName};
use pgtls_check::report::Format;

use crate::support::home::Home;
use crate::support::in_process::{self, Run};
use crate::support::network::{alone, resolver};
use crate::support::odd_pki::Draft;
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
    "$env:PGPASSWORD = '%'",
    "password = \"\"\"%\"\"\"",
    "kubectl create secret generic x --from-literal=password=%",
    "aws rds create-db-instance --master-user-password % --engine postgres",
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
    "user/%@x",
    "5432:%",
    "the password: two words of %",
    "Password: x, y; and %",
    "pass: a b %",
    "token: 'a' %",
    "x; secret: a b, c %",
    "my password = two words %",
];

/// Sentences, which are explained.
const SENTENCES: &[&str] = &[
    "the password: two words of %",
    "error: Password: x, y; and %",
    "psql\npass: a b %\nmore",
    "token: 'a' %",
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
        // What follows tells that it goes on behind a blank.
        if ["%@", "%;", "%&"].iter().any(|end| text.contains(end)) && random.chance(30) {
            return text
                .replace('%', &format!("{} {}", random.pick(&["x", "12", "@a", "p/q"]), password(random)));
        }
        let text = if random.chance(40) { damaged(text, random) } else { text.to_owned() };
        return text.replace('%', &password(random));
    }
    let stowaway = random.pick(STOWAWAYS).replace('%', SECRET);
    let keyword = random.pick(KEYWORDS);
    match random.below(4) {
        0 => format!("host=db.example {keyword}={stowaway}"),
        2 => {
            let escape = |byte: u8| {
                if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") }
            };
            format!(
                "postgresql://db.example/app?{keyword}={}",
                stowaway.bytes().map(escape).collect::<String>()
            )
        }
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
    let Run { result, out, notes } = in_process::run(&cli, environment.clone());
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

/// Runs a command line; an error if it writes the secret or what is no text.
fn told_nothing(arguments: &[&str], environment: &Environment) -> Result<(), String> {
    let odd = |c: char| c.is_control() && c != '\n';
    let written = output(arguments, environment);
    let tells = holds(written.as_bytes()) || written.contains(odd);
    if tells { Err(format!("{arguments:?}\n{written}")) } else { Ok(()) }
}

/// A network in which everything that is asked for and sent is looked at.
struct Watched {
    home: Home,
    environment: Environment,
    asked: Receiver<String>,
    received: Receiver<Vec<u8>>,
}

impl Watched {
    fn new() -> Self {
        let home = Home::new();
        let asked = resolver(&home, "timeout:1 attempts:1");
        let environment = Environment {
            account_home: Some(home.path().to_owned()),
            login_name: LoginName::Known("me".to_owned()),
            current_dir: home.path().to_owned(),
            variables: [("PGCONNECT_TIMEOUT".into(), "1".into())].into(),
            ..Environment::default()
        };
        Self { home, environment, asked, received: recorder() }
    }

    /// Nothing but possible names was asked for, and nothing but requests for TLS was sent.
    #[track_caller]
    fn saw_nothing(&self) {
        let names: Vec<String> = self.asked.try_iter().collect();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || !c.is_ascii();
        for name in &names {
            assert!(name.chars().all(fits) && !holds(name.as_bytes()), "{name:?} was asked for");
        }
        let sent: Vec<Vec<u8>> = self.received.try_iter().collect();
        for bytes in &sent {
            assert!(is_harmless(bytes), "{:?} was sent", String::from_utf8_lossy(bytes));
        }
        // The recorders recorded.
        assert!(names.iter().any(|name| name == "db.example"), "{names:?}");
        assert!(sent.iter().any(|bytes| bytes.starts_with(&SSL_REQUEST) && bytes.len() > 100), "{sent:?}");
    }
}

#[test]
fn a_secret_is_neither_written_nor_asked_for_nor_sent() {
    alone("secrets::a_secret_is_neither_written_nor_asked_for_nor_sent", || {
        let watched = Watched::new();
        let mut random = Random::new(4711);
        let strings: Vec<String> = (0..Random::count(CASES)).map(|_| string(&mut random)).collect();
        let environment = &watched.environment;
        let told = |string: &String| {
            command_lines(string).iter().try_for_each(|arguments| told_nothing(arguments, environment))
        };
        each(&strings, |string| string.as_str(), told);
        for sentence in SENTENCES {
            let sentence = sentence.replace('%', &password(&mut random));
            for format in Format::ALL {
                told_nothing(&["explain", "--format", format.name(), &sentence], environment).unwrap();
            }
        }
        watched.saw_nothing();
    });
}

/// Strings; each is given in some twenty ways.
const CASES: usize = 250;

/// The body of a key: lines of base64 with the secret in each, whose last is short.
fn key_body(random: &mut Random) -> Vec<String> {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let begin = *random.pick(&[&"MIIEvQIBADAN", &"MIGHAgEAMBMG", &"MHcCAQEEIOI7", &"b3BlbnNzaC1rZXktdjEA"]);
    let lines = 3 + random.below(20);
    let mut line = |length: usize| -> String {
        (0..length).map(|_| char::from(BASE64[random.below(BASE64.len())])).collect()
    };
    let mut body: Vec<String> =
        (0..lines).map(|_| format!("{}{SECRET}{}", line(20), line(64 - 20 - SECRET.len()))).collect();
    body[0].replace_range(..begin.len(), begin);
    body.push(format!("{SECRET}+A=="));
    body
}

/// A key as it is in files, and as it is after other people's tools.
fn key_file(random: &mut Random) -> String {
    let body = key_body(random);
    let label =
        random.pick(&["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]);
    let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", body.join("\n"));
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    match random.below(16) {
        0 => text.replace('\n', "\r\n"),
        1 => text.replace('\n', "\r"),
        2 => text.replace('\n', "\\n"),
        3 => format!("\"{text}\""),
        4 => indented(&text),
        5 => body.join("\n"),
        6 => body.concat(),
        7 => body[1..].join("\n"),
        8 => format!("KEY=\"{text}\"\nhost=db.example\n"),
        9 => format!("data:\n  tls.key: |\n{}", indented(&text)),
        10 => format!("{{\"key\":\"{}\"}}", text.replace('\n', "\\n")),
        11 => text.replace("-----", "\u{2014}\u{2014}"),
        12 => text.lines().skip(1).collect::<Vec<_>>().join("\n"),
        13 => text[..text.len() / 2].to_owned(),
        14 => format!("host=db.example sslkey={text}"),
        _ => text,
    }
}

/// A file with a password, and whether a line of it may be a name.
fn password_file(random: &mut Random) -> (String, bool) {
    let password = password(random);
    let texts = [
        format!("{password}\n"),
        format!("ab/{password}"),
        format!("{password} and more words"),
        format!("*:*:*:me:{password}\n"),
        format!("db.example:5432:app:me:{password}\n# more\n"),
        format!("[orders]\nhost=db.example\npassword={password}\n"),
        format!("DATABASE_URL=postgres://me:{password}@db.example/app\n"),
        format!("PGPASSWORD={password}\nPGHOST=db.example\n"),
        format!("host=db.example password={password}\n"),
        format!("{{\"username\":\"me\",\"password\":\"{password}\"}}"),
        format!("db:\n  password: {password}\n"),
        format!("postgresql://me:{password}@db.example/app"),
    ];
    let which = random.below(texts.len());
    (texts[which].clone(), which < 3)
}

/// Every way in which a file is given to the program, with `@` for its path.
const FILES: &[&str] = &[
    "-v|host=db.example sslmode=verify-full sslrootcert=@",
    "-v|host=db.example sslmode=verify-full sslrootcert=root.pem sslcert=@ sslkey=@",
    "-v|host=db.example sslmode=verify-full sslrootcert=root.pem sslcert=root.pem sslkey=@",
    "-v|host=db.example sslmode=verify-full sslrootcert=root.pem sslcrl=@",
    "-v|host=db.example sslmode=verify-full sslrootcert=root.pem sslcrldir=@",
    "-v|host=db.example sslmode=require passfile=@",
    "--show-config|host=db.example sslrootcert=@ sslcert=@ sslkey=@ passfile=@",
    "roots|show|-v|@",
    "roots|check|--provider|azure-flexible|@",
    "rehearse|-v|--cert|@|--key|@|--host|db.example",
    "rehearse|--cert|root.pem|--key|@|--client-ca|@|--crl|@|--host|db.example",
    "rehearse|--cert|root.pem|--roots|@|--host|db.example",
    "clients|host=db.example sslrootcert=@ sslcert=@ sslkey=@",
    "--since|@|--tls-only|host=db.example",
    "--output|@/report.json|host=db.example",
];

/// Those in which its lines are read as targets.
const LISTS: &[&str] = &[
    "--tls-only|-v|--from|@",
    "--show-config|--from|@",
    "audit|--from|@",
    "rehearse|--cert|root.pem|--from|@",
];

/// Variables that name a file.
const VARIABLES: &[&str] = &[
    "PGSERVICEFILE",
    "PGPASSFILE",
    "PGSSLROOTCERT",
    "PGSSLKEY",
    "SSL_CERT_FILE",
    "OPENSSL_CONF",
    "KRB5CCNAME",
];

/// The wrong file, or the right one in the wrong place.
#[test]
fn no_file_s_secret_is_written_nor_asked_for_nor_sent() {
    alone("secrets::no_file_s_secret_is_written_nor_asked_for_nor_sent", || {
        let watched = Watched::new();
        let root = Draft::authority("root").self_signed();
        watched.home.write("root.pem", root.pem());
        let mut random = Random::new(815);
        let files: Vec<(String, bool, String)> = (0..Random::count(FILE_CASES))
            .map(|number| {
                let (text, may_be_name) = if random.chance(60) {
                    (key_file(&mut random), false)
                } else {
                    password_file(&mut random)
                };
                let path = watched.home.write(&format!("file-{number}"), &text);
                (text, may_be_name, path.to_str().expect("a path").to_owned())
            })
            .collect();
        let environment = &watched.environment;
        let told = |(text, may_be_name, path): &(String, bool, String)| {
            let lists = if *may_be_name { &[] } else { LISTS };
            let format = Format::ALL[text.len() % Format::ALL.len()].name();
            for line in FILES.iter().chain(lists) {
                let line = line.replace('@', path);
                let mut arguments: Vec<&str> = line.split('|').collect();
                told_nothing(&arguments, environment)?;
                arguments.extend(["--format", format]);
                told_nothing(&arguments, environment)?;
            }
            for variable in VARIABLES {
                let mut environment = environment.clone();
                environment.variables.insert(variable.into(), path.into());
                let target = "host=db.example sslmode=verify-full service=orders sslcert=root.pem";
                let target =
                    if *variable == "PGSERVICEFILE" { target } else { &target.replace("service=orders", "") };
                told_nothing(&["-v", target], &environment)?;
                told_nothing(&["-v", "--format", format, target], &environment)?;
            }
            // As the content itself, which somebody took for a path.
            if !text.contains('|') && !*may_be_name {
                for line in FILES {
                    let line = line.replace('@', text);
                    told_nothing(&line.split('|').collect::<Vec<_>>(), environment)?;
                }
            }
            Ok(())
        };
        each(&files, |(text, _, _)| text.as_str(), told);
        watched.saw_nothing();
    });
}

/// Files; each is given in some forty ways.
const FILE_CASES: usize = 40;
