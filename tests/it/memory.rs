//! How often a password is in the memory of a check that waits for its server: once, wherever it came from. The block of
//! arguments and environment that the kernel sets up on the stack is not the program's to change.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::support::home::Home;
use crate::support::tool::Tool;

const PASSWORD: &str = "quite-Unlikely-4711-elsewhere";

/// How often the password is in the kernel's block on the stack, and how often anywhere else.
fn copies(process: u32) -> (usize, usize) {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("a process of one's own");
    let mut memory = fs::File::open(format!("/proc/{process}/mem")).expect("a child's memory");
    let (mut block, mut elsewhere) = (0, 0);
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next().expect("a range"), words.next().expect("rights"));
        let place = words.nth(3).unwrap_or_default();
        if !rights.starts_with('r') || place.starts_with("[v") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("from and to");
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).expect("hexadecimal digits"));
        let mut content = Vec::new();
        memory.seek(SeekFrom::Start(from)).expect("a place");
        // A part that cannot be read is none of the program's.
        let _ = (&mut memory).take(to - from).read_to_end(&mut content);
        let found = content.windows(PASSWORD.len()).filter(|part| *part == PASSWORD.as_bytes()).count();
        *(if place == "[stack]" { &mut block } else { &mut elsewhere }) += found;
    }
    (block, elsewhere)
}

#[test]
fn a_password_is_in_memory_once() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let rest = format!("host=127.0.0.1 port={port} user=u dbname=d sslmode=require connect_timeout=30");
    let string = format!("{rest} password={PASSWORD}");
    let private = |name: &str, text: String| {
        let file = home.write(name, text);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        file.to_str().expect("UTF-8").to_owned()
    };
    let service = private("services", format!("[s]\npassword={PASSWORD}\n"));
    let passfile = private("passwords", format!("*:*:*:*:{PASSWORD}\n"));
    let list = private("targets", format!("{string}\n"));
    let uri = format!("postgresql://u:{PASSWORD}@127.0.0.1:{port}/d?sslmode=require&connect_timeout=30");
    let place = format!("127.0.0.1:{port}/d");
    let jdbc = format!("jdbc:postgresql://{place}?user=u&password={PASSWORD}&sslmode=require");
    let npgsql =
        format!("Host=127.0.0.1;Port={port};Username=u;Password={PASSWORD};Database=d;SSL Mode=Require");
    let sqlalchemy = format!("postgresql+psycopg://u:{PASSWORD}@{place}?sslmode=require");
    let prisma = format!("postgresql://u:{PASSWORD}@{place}?sslaccept=accept_invalid_certs");
    let wrapped = format!("psql \"{string}\"");
    let variable = format!("DATABASE_URL=\"{uri}\"");
    let lines = format!("PGPASSWORD={PASSWORD}\nDATABASE_URL=postgresql://u@{place}?sslmode=require\n");
    let python = format!(
        "psycopg.connect(\"host=127.0.0.1 port={port} user=u dbname=d sslmode=require password={PASSWORD}\")"
    );
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for (from, arguments, variable, block) in [
        ("an argument", words(&[&string]), None, 1),
        ("a quoted value", words(&[&format!("{rest} password='{PASSWORD}'")]), None, 1),
        ("a URI", words(&[&uri]), None, 1),
        ("-d", words(&["-d", &string]), None, 1),
        ("JDBC's URL", words(&[&jdbc]), None, 1),
        ("Npgsql's string", words(&[&npgsql]), None, 1),
        ("SQLAlchemy's URL", words(&[&sqlalchemy]), None, 1),
        ("Prisma's URL", words(&["--as", "prisma", &prisma]), None, 1),
        ("a command", words(&[&wrapped]), None, 1),
        ("a variable", words(&[&variable]), None, 1),
        ("lines of variables", words(&[&lines]), None, 1),
        ("a call", words(&[&python]), None, 1),
        ("the environment", words(&[&rest]), Some(("PGPASSWORD", PASSWORD)), 1),
        ("the password file", words(&[&format!("{rest} passfile={passfile}")]), None, 0),
        ("a service", words(&[&format!("{rest} service=s")]), Some(("PGSERVICEFILE", service.as_str())), 0),
        ("a list", words(&["--from", &list]), None, 0),
    ] {
        let mut command = home.command(Tool::PROGRAM);
        command.args(&arguments).envs(variable).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program");
        let (client, _) = listener.accept().expect("its connection");
        // It is in: the strings are read, and the answer to SSLRequest does not come.
        let mut request = [0; 8];
        (&client).read_exact(&mut request).expect("SSLRequest");
        let found = copies(child.id());
        child.kill().expect("its end");
        child.wait().expect("its end");
        assert_eq!(found, (block, 1), "from {from}");
    }
}
