//! Where the password comes from, and which source counts. That is the client's matter alone: one server is enough.

use super::Case;
use super::Reason::*;
use super::servers::{CLIENT_KEY, PASSWORD, SERVER_KEY, Server};
use crate::support::scripted_server::{Login, Tls};

/// A line of a password file in which this stands for the password.
fn line(key: &str) -> String {
    format!("{key}:{PASSWORD}\n")
}

/// The role that needs its password, which is in `.pgpass` by this content.
fn file(title: &str, content: &str) -> Case {
    Case::at_version(Server::Usual, 15, format!("password file: {title}"))
        .with("user=scram")
        .file(".pgpass", content)
}

/// Keys in place of the password, which libpq has since 18.
fn keys() -> Vec<Case> {
    let case = |title: &str, settings: String| {
        Case::at(Server::Usual, format!("SCRAM keys: {title}")).with("user=keyed").with(&settings).newer()
    };
    let client = format!("scram_client_key={CLIENT_KEY}");
    let server = format!("scram_server_key={SERVER_KEY}");
    vec![
        case("both", format!("{client} {server}")),
        case("both, and a wrong password", format!("{client} {server} password=wrong")),
        case("the client's alone", client.clone()).refused(PasswordRejected),
        case("the server's and the password", format!("{server} password='{PASSWORD}'")),
        case("the server's alone", server.clone()).refused(PasswordMissing),
        case("the server's for the client's", format!("scram_client_key={SERVER_KEY} {server}"))
            .refused(PasswordRejected),
        case("the client's for the server's", format!("{client} scram_server_key={CLIENT_KEY}"))
            .refused(PasswordRejected),
        case("both for MD5", format!("{client} {server} user=md5")).refused(PasswordMissing),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let scram =
        |title: &str| Case::at_version(Server::Usual, 15, format!("password: {title}")).with("user=scram");
    let mut all = vec![
        scram("in the string").with(&format!("password='{PASSWORD}'")),
        scram("in the environment").env("PGPASSWORD", PASSWORD),
        scram("in the string before the environment")
            .with(&format!("password='{PASSWORD}'"))
            .env("PGPASSWORD", "wrong"),
        scram("a wrong one in the string before a right one in the environment")
            .with("password=wrong")
            .env("PGPASSWORD", PASSWORD)
            .refused(PasswordRejected),
        scram("empty in the string, a right one in the environment")
            .with("password=''")
            .env("PGPASSWORD", PASSWORD)
            .refused(PasswordMissing),
        scram("empty in the string, a right one in the file")
            .with("password=''")
            .file(".pgpass", line("*:*:*:*")),
        scram("a wrong one in the environment before a right one in the file")
            .env("PGPASSWORD", "wrong")
            .file(".pgpass", line("*:*:*:*"))
            .refused(PasswordRejected),
        scram("empty in the environment, a right one in the file")
            .env("PGPASSWORD", "")
            .file(".pgpass", line("*:*:*:*")),
        scram("in a service")
            .with("service=own")
            .env("PGSERVICEFILE", "DIR/services")
            .file("services", format!("[own]\npassword={PASSWORD}\n")),
        scram("in a service before the environment")
            .with("service=own")
            .env("PGSERVICEFILE", "DIR/services")
            .env("PGPASSWORD", "wrong")
            .file("services", format!("[own]\npassword={PASSWORD}\n")),
        scram("nowhere").refused(PasswordMissing),
    ];
    all.extend(keys());
    all.push(
        scram("in a URI").instead(
            "postgresql://scram:Xylophone-7%25quartz@db.example:PORT0/postgres?hostaddr=127.0.0.1&sslmode=verify-full\
             &sslrootcert=FILES/root.crt",
        ),
    );
    all.push(
        scram("wrong in a URI")
            .instead(
                "postgresql://scram:wrong@db.example:PORT0/postgres?hostaddr=127.0.0.1&sslmode=verify-full\
                 &sslrootcert=FILES/root.crt",
            )
            .refused(PasswordRejected),
    );
    all.extend(files());
    all
}

fn files() -> Vec<Case> {
    let mut all = Vec::new();
    for (title, key, found) in [
        ("all written out", "db.example:PORT0:postgres:scram", true),
        ("all wildcards", "*:*:*:*", true),
        ("the address in place of the host", "127.0.0.1:PORT0:postgres:scram", false),
        ("another port", "db.example:1:postgres:scram", false),
        ("another database", "db.example:PORT0:other:scram", false),
        ("another user", "db.example:PORT0:postgres:other", false),
        ("the host in another case", "DB.example:PORT0:postgres:scram", false),
        ("an escaped letter", "d\\b.example:PORT0:postgres:scram", true),
        ("a wildcard within a word", "db.*:PORT0:postgres:scram", false),
        ("too few fields", "db.example:PORT0:scram", false),
    ] {
        let case = file(title, &line(key));
        all.push(if found { case } else { case.refused(PasswordMissing) });
    }
    all.extend([
        file("the first match counts", &("*:*:*:*:wrong\n".to_owned() + &line("*:*:*:*")))
            .refused(PasswordRejected),
        file("a comment", &("#*:*:*:*:wrong\n".to_owned() + &line("*:*:*:*"))),
        file("a blank before a comment", &(" # *:*:*:*:wrong\n".to_owned() + &line("*:*:*:*"))),
        file("CRLF", &line("*:*:*:*").replace('\n', "\r\n")),
        file("no final newline", line("*:*:*:*").trim_end()),
        file("an escaped password", "*:*:*:*:Xylophone\\-7%quartz\n"),
        file("more behind the password", &format!("*:*:*:*:{PASSWORD}:more\n")),
        file("an empty password", "*:*:*:*:\n").refused(PasswordMissing),
        file("no address without a host", &line("127.0.0.1:*:*:*")).with("host='' sslmode=verify-ca"),
        Case::at_version(Server::Usual, 15, "password file: of a bad mode")
            .with("user=scram")
            .file_of_mode(".pgpass", line("*:*:*:*"), 0o644)
            .refused(PasswordMissing),
        Case::at_version(Server::Usual, 15, "password file: given")
            .with("user=scram passfile=DIR/given")
            .file("given", line("*:*:*:*")),
        Case::at_version(Server::Usual, 15, "password file: given in place of the default")
            .with("user=scram passfile=DIR/given")
            .file("given", "*:*:*:*:wrong\n")
            .file(".pgpass", line("*:*:*:*"))
            .refused(PasswordRejected),
        Case::at_version(Server::Usual, 15, "password file: given and missing")
            .with("user=scram passfile=DIR/given")
            .file(".pgpass", line("*:*:*:*"))
            .refused(PasswordMissing),
        Case::at_version(Server::Usual, 15, "password file: by the environment")
            .with("user=scram")
            .env("PGPASSFILE", "DIR/given")
            .file("given", line("*:*:*:*")),
        Case::on_stage(
            Tls { login: Login::ClearText, ..Tls::default() },
            "password file: for a server not verified",
        )
        .with("sslrootcert=FILES/other.crt")
        .file(".pgpass", "*:*:*:*:unsaid\n")
        .refused(Chain)
        .connections(|_, record| !record.told_something()),
    ]);
    all
}
