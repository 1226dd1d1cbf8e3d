//! The connection string parser and the merging of all sources, held against libpq 15 and 18 on thousands of generated
//! cases: acceptance, every keyword and every value must agree.

use std::collections::BTreeMap;

use pgtls_check::conninfo::options::OPTIONS;
use pgtls_check::conninfo::{
    ConfigError, Environment, LibpqVersion, Origin, Overrides, Parameter, parse_as, resolve,
};

use crate::support::home::Home;
use crate::support::libpq::{Answer, Libpq, Question};
use crate::support::random::Random;

const VERSIONS: [(u8, LibpqVersion); 2] = [(15, LibpqVersion::V15), (18, LibpqVersion::V18)];

const STRINGS: usize = 10_000;
const COMBINATIONS: usize = 600;
const PASSWORD_FILES: usize = 400;

#[test]
fn strings_are_read_as_libpq_reads_them() {
    let home = Home::new();
    let mut random = Random::new(1);
    let strings: Vec<Vec<u8>> = (0..Random::count(STRINGS)).map(|_| string(&mut random)).collect();
    for (number, version) in VERSIONS {
        let questions: Vec<Question> = strings.iter().cloned().map(Question::Parse).collect();
        let answers = Libpq::version(number, &home).ask(&home, &questions);
        let accepted = answers.iter().filter(|answer| answer.is_some()).count();
        assert!(
            (strings.len() / 4..strings.len() * 3 / 4).contains(&accepted),
            "the mix is lopsided: {accepted}"
        );
        let differences: Vec<String> = strings
            .iter()
            .zip(&answers)
            .filter_map(|(text, answer)| {
                let ours = ours(text, version);
                (ours != *answer).then(|| {
                    format!("{:?}\n  libpq: {}\n  ours:  {}", lossy(text), shown(answer), shown(&ours))
                })
            })
            .collect();
        assert!(
            differences.is_empty(),
            "libpq {number} reads {} of {STRINGS} strings differently:\n{}",
            differences.len(),
            differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
        );
    }
}

fn ours(text: &[u8], version: LibpqVersion) -> Answer {
    let parsed = parse_as(text, version).ok()?;
    let pairs = parsed.assignments.iter();
    Some(pairs.map(|(key, found)| ((*key).to_owned(), found.value.as_bytes().to_vec())).collect())
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn shown(answer: &Answer) -> String {
    match answer {
        None => "refused".to_owned(),
        Some(values) => {
            let values = values.iter().map(|(keyword, value)| format!("{keyword}={:?}", lossy(value)));
            values.collect::<Vec<_>>().join(" ")
        }
    }
}

/// What people write, from the manual of PostgreSQL and of providers.
const REALISTIC: [&str; 16] = [
    r"sslmode=verify-full sslrootcert=c:\ssl\DigiCertGlobalRootCA.crt.pem host=mydemoserver.postgres.database.azure.com dbname=postgres user=myadmin",
    "host=localhost port=5432 dbname=mydb connect_timeout=10",
    "host = 'db.example' user='O\\'Brien' password='a b\\\\c'",
    "host=a,b,c port=1,2,3 target_session_attrs=read-write",
    "requiressl=1 host=a sslmode=disable",
    "user=me@server options='-c geqo=off -c search_path=a\\ b'",
    "sslmode=require channel_binding=require require_auth=scram-sha-256,!md5 sslnegotiation=direct",
    "postgresql://",
    "postgresql://user:secret@localhost:5433/mydb?connect_timeout=10&sslmode=verify-ca",
    "postgresql://other@localhost/otherdb?application_name=myapp",
    "postgresql://host1:123,host2:456/somedb?target_session_attrs=any&application_name=my%20app",
    "postgresql://[2001:db8::1234]:5432,[::1]/database",
    "postgresql:///dbname?host=/var/lib/postgresql&ssl=true",
    "postgres://%2Fvar%2Flib%2Fpostgresql/dbname?options=-c%20geqo%3Doff",
    "postgres://u%40d:p%3A%2F@h/d?user=x&password=%70w&requiressl=0",
    "postgresql://me:p@ss/w@h:5/d",
];

/// Pieces that mean something to one of the parsers.
const PIECES: [&str; 46] = [
    "host",
    "=",
    " ",
    "'",
    "\\",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "requiressl",
    "ssl",
    "true",
    "1",
    "postgresql://",
    "postgres://",
    "@",
    ":",
    "/",
    "?",
    "&",
    ",",
    "[",
    "]",
    "::1",
    "%",
    "%20",
    "%2F",
    "%00",
    "%zz",
    "%4",
    "a",
    "b.example",
    "5432",
    "verify-full",
    "\t",
    "\n",
    "\u{b}",
    "+",
    ";",
    "#",
    "é",
    "sslcertmode",
    "tty",
    "authtype",
    "Host",
];

fn string(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0..=2 => keyword_value(random),
        3..=5 => uri(random),
        6 | 7 => mutated(random),
        8 => (0..random.below(12)).flat_map(|_| random.pick(&PIECES).bytes()).collect(),
        _ => {
            let start: &str = random.pick(&["", "", "host=", "postgresql://", "postgres://u:"]);
            let noise = (0..random.below(20)).map(|_| 1 + random.below(255) as u8).collect::<Vec<u8>>();
            [start.as_bytes(), &noise].concat()
        }
    }
}

fn keyword(random: &mut Random) -> &'static str {
    match random.below(20) {
        0 => "requiressl",
        1 => random.pick(&["tty", "authtype", "Host", "ssl", "sslrotcert", "", "PGHOST", "servicefile"]),
        _ => OPTIONS[random.below(OPTIONS.len())].keyword,
    }
}

/// A value of a few bytes, most of them harmless.
fn value(random: &mut Random) -> Vec<u8> {
    let sensible =
        ["db.example", "a,b", "5432", "verify-full", "1", "require", "/tmp", "me@server", "::1", "x"];
    if random.chance(60) {
        return random.pick(&sensible).as_bytes().to_vec();
    }
    let alphabet = b"abc09 \t\n'\\=%&?/@:,[]+#\xc3\xa9\xff";
    (0..random.below(7)).map(|_| alphabet[random.below(alphabet.len())]).collect()
}

fn keyword_value(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    let blanks = ["", "", "", "", " ", "  ", "\t", "\n", " \r\x0b\x0c"];
    for _ in 0..random.below(5) {
        text.extend(random.pick(&blanks).bytes());
        text.extend(keyword(random).bytes());
        text.extend(random.pick(&blanks).bytes());
        if !random.chance(2) {
            text.push(b'=');
        }
        text.extend(random.pick(&blanks).bytes());
        let value = value(random);
        let quotes = random.chance(40);
        text.extend(quotes.then_some(b'\''));
        for byte in value {
            // Mostly escaped where it must be, sometimes where it need not.
            let special = matches!(byte, b'\'' | b'\\') || (!quotes && byte.is_ascii_whitespace());
            if random.chance(if special { 90 } else { 3 }) {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.extend((quotes && !random.chance(2)).then_some(b'\''));
        text.extend(random.pick(&[" ", " ", " ", "  ", "\n", ""]).bytes());
    }
    text
}

fn uri(random: &mut Random) -> Vec<u8> {
    let mut text = random.pick(&["postgresql://", "postgres://"]).as_bytes().to_vec();
    let component = |random: &mut Random| -> Vec<u8> {
        let raw = value(random);
        // Mostly encoded where it must be.
        let mut encoded = Vec::new();
        for byte in raw {
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            if plain && !random.chance(3) || !plain && random.chance(10) {
                encoded.push(byte);
            } else if random.chance(50) {
                encoded.extend(format!("%{byte:02x}").bytes());
            } else {
                encoded.extend(format!("%{byte:02X}").bytes());
            }
        }
        encoded
    };
    if random.chance(40) {
        text.extend(component(random));
        if random.chance(60) {
            text.push(b':');
            text.extend(component(random));
        }
        text.push(b'@');
    }
    for slot in 0..1 + random.below(3) {
        text.extend((slot > 0).then_some(b','));
        match random.below(4) {
            0 => text
                .extend(random.pick(&["[::1]", "[fe80::1%25lo]", "[x]", "[]", "[::1", "[::1]x", ""]).bytes()),
            _ => text.extend(component(random)),
        }
        if random.chance(40) {
            text.push(b':');
            text.extend(random.pick(&["5432", "", "0", "x", "1:2", " 5", "%35"]).bytes());
        }
    }
    if random.chance(60) {
        text.push(b'/');
        text.extend(component(random));
    }
    if random.chance(60) {
        text.push(b'?');
        for pair in 0..random.below(4) {
            text.extend((pair > 0).then_some(b'&'));
            if random.chance(10) {
                text.extend(
                    random.pick(&["ssl=true", "ssl=True", "ss%6c=tr%75e", "k", "a=b=c", "", "="]).bytes(),
                );
            } else {
                text.extend(keyword(random).bytes());
                text.push(b'=');
                text.extend(component(random));
            }
        }
        text.extend(random.chance(10).then_some(b'&'));
    }
    if random.chance(10) {
        let at = random.below(text.len() + 1);
        text.insert(at, b' ');
    }
    text
}

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut text = random.pick(&REALISTIC).as_bytes().to_vec();
    for _ in 0..random.below(4) {
        let at = random.below(text.len() + 1);
        match random.below(4) {
            0 if at < text.len() => {
                text.remove(at);
            }
            1 => text.truncate(at),
            2 => {
                let end = (at + random.below(12)).min(text.len());
                let again = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, again);
            }
            _ => {
                let piece = random.pick(&PIECES).bytes();
                text.splice(at..at, piece);
            }
        }
    }
    text
}

#[test]
fn strings_services_environment_and_defaults_merge_as_in_libpq() {
    let home = Home::new();
    for (number, version) in VERSIONS {
        let mut random = Random::new(2);
        let cases: Vec<Combination> = (0..Random::count(COMBINATIONS))
            .map(|case| Combination::new(&mut random, &home, version, case))
            .collect();
        let questions: Vec<Question> = cases.iter().map(Combination::question).collect();
        let answers = Libpq::version(number, &home).ask(&home, &questions);
        let accepted = answers.iter().filter(|answer| answer.is_some()).count();
        assert!(
            (cases.len() / 4..cases.len() * 9 / 10).contains(&accepted),
            "the mix is lopsided: {accepted}"
        );
        let differences: Vec<String> = cases
            .iter()
            .zip(answers)
            .filter_map(|(case, answer)| {
                let (ours, error) = case.ours(&home, version);
                let answer = case.comparable(answer);
                (ours != answer).then(|| {
                    format!("{case:?}\n  libpq: {}\n  ours:  {} {error:?}", shown(&answer), shown(&ours))
                })
            })
            .collect();
        assert!(
            differences.is_empty(),
            "libpq {number} merges {} of {COMBINATIONS} combinations differently:\n{}",
            differences.len(),
            differences.iter().take(10).cloned().collect::<Vec<_>>().join("\n")
        );
    }
}

/// A string, an environment and a service file.
#[derive(Debug)]
struct Combination {
    conninfo: Vec<u8>,
    environment: BTreeMap<String, Vec<u8>>,
}

/// Sensible and other values. No name is resolved and nothing but this machine is connected to.
fn candidates(keyword: &str) -> &'static [&'static str] {
    match keyword {
        "host" => &["127.0.0.1", "", "127.0.0.1,127.0.0.2", "/nonexistent", "::1,,/x"],
        "hostaddr" => &["127.0.0.1", "", "127.0.0.1,127.0.0.1", "nonsense"],
        "port" => &["1", "", "1,1", "1,,1", "0", "x"],
        "user" | "dbname" | "application_name" => &["me", "", "a b"],
        "service" => &["one", "two", "nowhere", ""],
        "passfile" | "sslcert" | "sslkey" | "sslcrl" | "sslcrldir" => &["/nonexistent/file", ""],
        "password" | "sslpassword" | "options" | "requirepeer" | "oauth_scope" => &["x", ""],
        "sslrootcert" => &["/nonexistent/root.crt", "", "system"],
        "sslmode" => &["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "", "Require"],
        "sslnegotiation" => &["postgres", "direct", ""],
        "channel_binding" => &["disable", "prefer", "require", "", "maybe"],
        "sslcertmode" => &["disable", "allow", "require", ""],
        "gssencmode" => &["disable", "prefer", "", "on"],
        "target_session_attrs" => &["any", "read-write", "prefer-standby", "", "writable"],
        "load_balance_hosts" => &["disable", "random", "", "on"],
        "require_auth" => &[
            "",
            "scram-sha-256",
            "password,md5,none",
            "!password,!none",
            "md5,md5",
            "md5,!gss",
            "!gss,md5",
            "x",
            "md5,",
        ],
        "ssl_min_protocol_version" | "ssl_max_protocol_version" => {
            &["TLSv1", "tlsv1.1", "TLSV1.2", "TLSv1.3", "", "SSLv3"]
        }
        "min_protocol_version" | "max_protocol_version" => &["3.0", "3.2", "latest", "", "3.1"],
        "scram_client_key" | "scram_server_key" => {
            &["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "", "AAAA", "nonsense!"]
        }
        "connect_timeout"
        | "keepalives"
        | "keepalives_idle"
        | "keepalives_interval"
        | "keepalives_count"
        | "tcp_user_timeout" => &["1", " 7 "],
        "replication" => &["database", ""],
        _ => &["x", "0", ""],
    }
}

impl Combination {
    fn new(random: &mut Random, home: &Home, version: LibpqVersion, case: usize) -> Self {
        let known: Vec<_> = OPTIONS.iter().filter(|option| option.since <= version).collect();
        let value = |random: &mut Random, keyword: &str| -> &'static str {
            let candidates = candidates(keyword);
            // libpq 15 takes `system` for a file.
            let usable: Vec<_> = candidates
                .iter()
                .filter(|value| version > LibpqVersion::V15 || **value != "system")
                .collect();
            // The first of them is good, and good ones must prevail for anything to be accepted.
            if random.chance(70) { usable[0] } else { usable[random.below(usable.len())] }
        };
        let some = |random: &mut Random, most: usize| -> Vec<(&'static str, &'static str)> {
            (0..random.below(most))
                .map(|_| {
                    let often =
                        ["host", "hostaddr", "port", "sslmode", "sslrootcert", "sslnegotiation", "user"];
                    let frequent = random.pick(&often);
                    let any = known[random.below(known.len())].keyword;
                    let keyword = if random.chance(30) { frequent } else { any };
                    let keyword =
                        known.iter().find(|option| option.keyword == keyword).map_or(any, |o| o.keyword);
                    (keyword, value(random, keyword))
                })
                .collect()
        };
        let mut conninfo: Vec<String> =
            some(random, 5).into_iter().map(|(keyword, value)| format!("{keyword}='{value}'")).collect();
        if random.chance(40) {
            conninfo.push("service=one".to_owned());
        }
        let mut environment: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (keyword, value) in some(random, 6) {
            if let Some(variable) =
                known.iter().find(|option| option.keyword == keyword).and_then(|o| o.variable)
            {
                environment.insert(variable.to_owned(), value.as_bytes().to_vec());
            }
        }
        if random.chance(15) {
            let value = random.pick(&["1", "0", ""]);
            environment.insert("PGREQUIRESSL".to_owned(), value.as_bytes().to_vec());
        }
        let mut service_file = String::from("# services\n[two]\nhost=127.0.0.1\nport=1\n\n [one] \n");
        for (keyword, value) in some(random, 5).into_iter().filter(|(keyword, _)| *keyword != "service") {
            // White space at the end of a line is stripped.
            service_file.push_str(&format!("{keyword}={}\r\n", value.trim_end()));
        }
        service_file.push_str(random.pick(&[
            "",
            "",
            "",
            "",
            "",
            "nonsense\n",
            "user = x\n",
            "requiressl=1\n",
        ]));
        service_file.push_str("[three]\nnonsense\n");
        let file = home.write(&format!("services/{case}/pg_service.conf"), &service_file);
        let directory = file.parent().expect("its directory").to_str().expect("a path in UTF-8");
        match random.below(3) {
            0 => environment.insert("PGSYSCONFDIR".to_owned(), directory.as_bytes().to_vec()),
            1 => environment.insert("PGSERVICEFILE".to_owned(), format!("{directory}/missing").into_bytes()),
            _ => environment
                .insert("PGSERVICEFILE".to_owned(), format!("{directory}/pg_service.conf").into_bytes()),
        };
        Self { conninfo: conninfo.join(" ").into_bytes(), environment }
    }

    fn question(&self) -> Question {
        Question::Connect { conninfo: self.conninfo.clone(), environment: self.environment.clone() }
    }

    /// What the program makes of it, as libpq would say it, and why it refuses.
    fn ours(&self, home: &Home, version: LibpqVersion) -> (Answer, Option<ConfigError>) {
        let variables = self
            .environment
            .iter()
            .map(|(name, value)| (name.into(), String::from_utf8(value.clone()).expect("UTF-8").into()))
            .chain([("HOME".into(), home.path().into())]);
        let environment = Environment {
            variables: variables.collect(),
            secrets: Default::default(),
            system_config_dir: "/nonexistent".into(),
            user_id: None,
            current_dir: home.path().to_owned(),
            ..Environment::from_process()
        };
        let parameters = match resolve(Some(&self.conninfo), &Overrides::default(), &environment) {
            Ok(settings) => settings.parameters,
            Err(failure) => match failure.error {
                // libpq finds out when the server's certificate is there, or when it comes to the host.
                ConfigError::HostRequired
                | ConfigError::InvalidValue { keyword: "port" | "hostaddr", .. } => failure.parameters,
                error => return (None, Some(error)),
            },
        };
        let known = |parameter: &Parameter| {
            OPTIONS.iter().any(|option| option.keyword == parameter.keyword && option.since <= version)
        };
        let values = parameters.iter().filter(|parameter| known(parameter)).map(|parameter| {
            let value = match parameter.origin {
                Origin::ToolDefault(_) => b"prefer".to_vec(),
                _ => parameter.value.exposed().to_vec(),
            };
            (parameter.keyword.to_owned(), value)
        });
        (self.comparable(Some(values.collect())), None)
    }

    /// Without what depends on the build of libpq (`gssencmode`), on its version (`service` is reported by some) or on
    /// the locale.
    fn comparable(&self, answer: Answer) -> Answer {
        answer.map(|mut values| {
            for keyword in ["service", "gssencmode", "gsslib", "krbsrvname"] {
                values.remove(keyword);
            }
            values
        })
    }
}

#[test]
fn password_files_are_read_as_libpq_reads_them() {
    let home = Home::new();
    for (number, _) in VERSIONS {
        let mut random = Random::new(3);
        let cases: Vec<(Vec<u8>, String)> = (0..Random::count(PASSWORD_FILES))
            .map(|case| password_file(&mut random, &home, case, number))
            .collect();
        let questions: Vec<Question> = cases
            .iter()
            .map(|(_, conninfo)| Question::Password {
                conninfo: conninfo.clone().into_bytes(),
                environment: BTreeMap::new(),
            })
            .collect();
        let answers = Libpq::version(number, &home).ask(&home, &questions);
        let mut found = 0;
        for ((content, conninfo), answer) in cases.iter().zip(answers) {
            let theirs = answer.expect("an answer").remove("PQpass").unwrap_or_default();
            let environment = Environment { current_dir: home.path().to_owned(), ..Environment::default() };
            let settings = resolve(Some(conninfo.as_bytes()), &Overrides::default(), &environment)
                .expect("a good connection string");
            let ours = settings.hosts[0].password.as_ref();
            let ours = ours.map(|password| password.secret.expose().to_vec()).unwrap_or_default();
            assert_eq!(lossy(&ours), lossy(&theirs), "libpq {number}: {conninfo} {:?}", lossy(content));
            found += usize::from(!theirs.is_empty());
        }
        assert!(
            (Random::count(PASSWORD_FILES) / 5..Random::count(PASSWORD_FILES)).contains(&found),
            "the mix is lopsided: {found}"
        );
    }
}

/// A file of a few lines that nearly or quite fit, and a connection string that names it.
fn password_file(random: &mut Random, home: &Home, case: usize, version: u8) -> (Vec<u8>, String) {
    // The default directory of sockets is Debian's in 15; the 18 of these tests has another.
    let socket = if version == 15 { "/var/run/postgresql" } else { "/nonexistent" };
    let hosts = ["127.0.0.1", "::1", "/nonexistent", socket, ""];
    let addresses = ["", "", "", "127.0.0.1", "::1"];
    let ports = ["1", "", "2"];
    let names = ["me", "a b", "o:x", r"c\d"];
    let (host, address) = (random.pick(&hosts), random.pick(&addresses));
    let (port, database, user) = (random.pick(&ports), random.pick(&names), random.pick(&names));
    let sought = match (host, address) {
        ("", "") | ("/var/run/postgresql", _) => "localhost",
        ("", address) => address,
        (host, _) => host,
    };
    let fields = [sought, if port.is_empty() { "5432" } else { port }, database, user];
    let mut content = Vec::new();
    for _ in 0..1 + random.below(4) {
        content.extend(random.pick(&["", "", "", "", "", "#", " "]).bytes());
        for field in fields {
            match random.below(12) {
                0 | 1 => content.push(b'*'),
                2 => content.extend(random.pick(&["other", "", "me", "**", "localhost"]).bytes()),
                3 => content.extend(field.bytes()),
                _ => content.extend(field.replace('\\', r"\\").replace(':', r"\:").bytes()),
            }
            content.push(b':');
        }
        content.extend(random.pick(&["secret", r"a\:b\\c", "a:rest", "", r"x\", " blanks ", "é"]).bytes());
        content.extend(random.pick(&["\n", "\n", "\r\n", "\n\n"]).bytes());
    }
    if random.chance(20) {
        content.pop();
    }
    let place = random.below(content.len() + 1);
    let odd: &[u8] = random.pick(&[
        &b"\xef\xbb\xbf"[..],
        b"\r",
        b"\n",
        b"\\",
        b":",
        b"\xff",
        b"\t",
        &[b'x'; 400],
        &[b'*'; 70_000],
    ]);
    match random.below(20) {
        0 => drop(content.splice(..0, b"\xef\xbb\xbf".iter().copied())),
        1..=4 => drop(content.splice(place..place, odd.iter().copied())),
        5 => {
            let long = [b"# ", &[b'y'; 9000][..], b"\n"].concat();
            content.splice(..0, long);
        }
        6 => content.insert(place, 0),
        _ => {}
    }
    let path = home.write(&format!("passwords/{case}"), &content);
    if random.chance(5) {
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("a mode");
    }
    let quoted = |text: &str| text.replace('\\', r"\\");
    let conninfo = format!(
        "host='{host}' hostaddr='{address}' port='{port}' dbname='{}' user='{}' passfile='{}' sslmode=prefer",
        quoted(database),
        quoted(user),
        path.display()
    );
    (content, conninfo)
}
