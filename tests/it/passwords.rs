//! A password given in any way never leaves by any output, whatever the exit.

use std::io::{Read as _, Write as _};

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Draft};
use crate::support::postgres::Postgres;
use crate::support::service::free_port;
use crate::support::site::{self, GUARDED, NAME, OPEN, Site};
use crate::support::tool::Tool;

/// Unlike any word of a report.
const SECRET: &str = "Pumpernickel-4711";

#[test]
fn it_stays_hidden_whatever_the_exit() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Rsa);
    let good = site.verify_full(&home, OPEN);
    let plain = Postgres::version(15).start();
    let old = Site::new(15, Algorithm::Ecdsa, |setup| setup.protocols("TLSv1.2", "TLSv1.2"));
    let root = Draft::authority("another root", Algorithm::Ecdsa).self_signed();
    let root = home.write("other-root.pem", root.pem());
    let root = root.to_str().expect("a path in UTF-8");
    let situations = [
        (0, good.clone()),
        (2, format!("{good} nonsense=1")),
        (2, format!("{good} sslmode=maybe")),
        (2, format!("{good} dbname='unterminated")),
        (3, format!("{good} sslrootcert=/nonexistent/root.pem")),
        (4, good.replace("hostaddr=127.0.0.1", "").replace(NAME, "nowhere.invalid")),
        (5, site::verify_full(free_port(), root, OPEN)),
        (6, site::verify_full(plain.port(), root, OPEN)),
        (7, format!("{} ssl_min_protocol_version=TLSv1.3", site::verify_full(old.server.port(), root, OPEN))),
        (8, site::verify_full(site.server.port(), root, OPEN)),
        (9, site.verify_full(&home, GUARDED)),
        (10, format!("{good} sslmode=require sslrootcert=''")),
    ];
    for (status, conninfo) in situations {
        // Behind, before and beside the string.
        let spellings = [
            (format!("password={SECRET} {conninfo}"), None),
            (format!("{conninfo} password='{SECRET}'"), None),
            (conninfo, Some(SECRET)),
        ];
        for (conninfo, environment) in spellings {
            for options in
                [&["-v"][..], &["-q"], &["--format", "json"], &["-v", "--format", "json"], &["--show-config"]]
            {
                let mut tool = Tool::at(&home);
                for option in options {
                    tool = tool.with([*option]);
                }
                if let Some(password) = environment {
                    tool = tool.env("PGPASSWORD", password);
                }
                let report = tool.with(["--no-try", "--strict", &conninfo]).run();
                report.conceals(SECRET);
                if options != ["--show-config"] {
                    report.exits(status);
                }
            }
        }
    }
}

#[test]
fn it_stays_hidden_in_a_string_that_does_not_parse() {
    let home = Home::new();
    for uri in [
        format!("postgresql://user:{SECRET}@db.example:port/postgres"),
        format!("postgresql://user:{SECRET}@[::1/postgres"),
        format!("postgresql://user:{SECRET}%zz@db.example/postgres"),
        format!("postgres://user:{SECRET}@db.example/postgres?nonsense=1"),
        format!("postgresql://db.example/postgres?password={SECRET}&sslmode"),
        format!("postgresql://db.example/postgres?password={SECRET}&password=%"),
        format!("user:{SECRET}@db.example:5432/postgres"),
        format!("host=user:{SECRET}@db.example dbname=postgres"),
        format!("dbname=postgresql://user:{SECRET}@db.example/postgres host=/tmp"),
        format!("postgresql://user:1/{SECRET}@db.example/postgres?host=/tmp"),
    ] {
        for format in ["human", "json"] {
            let report = Tool::at(&home).with(["--format", format, "-v", &uri]).run();
            report.exits(2).conceals(SECRET);
        }
    }
}

/// One that had it before, or another's server: what it says before TLS is masked as what it says behind.
#[test]
fn it_stays_hidden_where_a_server_says_it_before_tls() {
    let home = Home::new();
    let error = format!("SFATAL\0C28000\0Mno {SECRET}\0D\"{SECRET}\"\0\0");
    let length = u32::try_from(error.len() + 4).expect("a short message").to_be_bytes();
    let message = [&b"E"[..], &length, error.as_bytes()].concat();
    for (begin, rest) in [
        (&b""[..], message.as_slice()),
        (b"", SECRET.as_bytes()),
        (b"S", SECRET.as_bytes()),
        (b"S", b"S" as &[u8]),
    ] {
        let said = [begin, rest].concat();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let _ = client.read(&mut [0; 8]);
                // The answer to SSLRequest alone, or with what is no TLS.
                let apart = said.len() > 1 && said[0] == b'S';
                let _ = client.write_all(if apart { &said[..1] } else { &said });
                if apart {
                    let _ = client.read(&mut [0; 1000]);
                    let _ = client.write_all(&said[1..]);
                }
            }
        });
        let string =
            format!("host=127.0.0.1 port={port} user=u sslmode=require connect_timeout=2 password={SECRET}");
        for options in [&["-v"][..], &["-v", "--format", "json"], &["-v", "--format", "html"], &["audit"]] {
            let tool = options.iter().fold(Tool::at(&home), |tool, option| tool.with([*option]));
            tool.with([&string]).run().conceals(SECRET);
        }
    }
}

#[test]
fn it_stays_hidden_where_it_was_pasted_with_something_else() {
    let home = Home::new();
    let call = "DriverManager.getConnection(\"jdbc:postgresql://h/d\", \"me\", \"open-sesame\")";
    for arguments in [
        &["db.example:5432:app:me:9=open-sesame"][..],
        &["-h", call, "user=u"],
        &["-d", "postgresql://me:p@ss/w:open-sesame@h/db?sslpassword=open-sesame"],
    ] {
        for more in [&[][..], &["-v"], &["--format", "json"], &["--show-config"]] {
            let tool = arguments.iter().chain(more).fold(Tool::at(&home), |tool, word| tool.with([*word]));
            let report = tool.run();
            report.conceals("open-sesame");
        }
    }
}
