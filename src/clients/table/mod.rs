//! The table of clients, one row each: how it spells verify-full, what it does without any TLS option, and what it does
//! otherwise than libpq. Every row carries its source and that source's date. A new client is one row, and its two parts in
//! `snippets.txt`.

mod dotnet;
mod elixir;
mod go;
mod jvm;
mod libpq;
mod node;
mod php;
mod python;
mod rust;
mod services;

use super::connection::Connection;
use super::quote::Language;
use crate::packed;

/// A driver, framework or tool that connects to PostgreSQL.
#[derive(Debug)]
pub struct Client {
    /// What `--for` takes.
    pub name: &'static str,
    /// Other names that `--for` takes.
    pub aliases: &'static [&'static str],
    /// Its name in its own spelling.
    pub title: &'static str,
    /// Where the snippet goes.
    pub place: &'static str,
    /// What the snippet is written in.
    pub language: Language,
    /// What `«string»` stands for.
    pub string: Option<fn(&Connection) -> String>,
    /// Without any TLS option.
    pub default: DefaultTls,
    /// What differs from libpq.
    pub behaviour: Behaviour,
    /// What else is worth knowing.
    pub notes: &'static [&'static str],
    /// How it is known.
    pub source: Source,
}

/// What a client does when nothing is said of TLS.
#[derive(Clone, Copy, Debug)]
pub struct DefaultTls {
    /// The mode by its own name.
    pub mode: &'static str,
    /// Whether it encrypts.
    pub encrypts: Encrypts,
    /// Whether it verifies.
    pub verifies: &'static str,
}

/// Whether a client encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypts {
    /// Never.
    No,
    /// Where the server offers TLS; in plaintext elsewhere.
    IfOffered,
    /// Always; a server without TLS is an error.
    Always,
    /// As it is told, or as what it is built on.
    Depends,
}

impl Encrypts {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::No => "no TLS",
            Self::IfOffered => "TLS if offered",
            Self::Always => "TLS",
            Self::Depends => "TLS as configured",
        }
    }

    /// For machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::IfOffered => "if-offered",
            Self::Always => "yes",
            Self::Depends => "depends",
        }
    }
}

/// In what a client differs from libpq.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// Who verifies.
    pub verifier: Verifier,
    /// Without a root file.
    pub without_root: WithoutRoot,
    /// Asked for the system's roots.
    pub system: SystemRoots,
    /// Whether it can connect to another address than the name to verify resolves to.
    pub takes_address: bool,
    /// The further settings it takes, by libpq's keywords; `None`: all of them.
    pub further: Option<&'static [&'static str]>,
}

/// Who judges chain and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// libpq of the system.
    Libpq,
    /// A libpq that the client brings along.
    BundledLibpq,
    /// Python's `ssl` module.
    Python,
    /// Node's `tls` module.
    Node,
    /// Node's `tls` module as postgres.js uses it.
    PostgresJs,
    /// The JDK with pgjdbc's rules.
    Java,
    /// Go's `crypto/x509`.
    Go,
    /// webpki, which rustls uses.
    Webpki,
    /// webpki with the roots of the program or the system besides the file's.
    WebpkiAndPublicRoots,
    /// Something whose deviations were not measured.
    Other,
}

/// What a client trusts without a root file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutRoot {
    /// `~/.postgresql/root.crt` or nothing, as libpq.
    AsLibpq,
    /// That file or nothing, found on its own.
    DefaultFile,
    /// These.
    Trusts(&'static str),
}

/// What a client makes of a wish for the system's roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemRoots {
    /// `sslrootcert=system`, from libpq 16 on.
    Libpq16,
    /// `sslrootcert=system` itself.
    Knows,
    /// It is spelled in another way, and means these.
    Spelled(&'static str),
    /// It must be given a file.
    NeedsFile,
}

/// How the facts of a row are known.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// What was read or run.
    pub what: &'static str,
    /// When, or its date: `2026-11-23`; empty where it has none or nothing was read.
    pub date: &'static str,
    /// How far it holds.
    pub basis: Basis,
}

/// How far a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The client was run.
    Measured,
    /// Its code or documentation was read.
    Read,
    /// General knowledge.
    General,
}

impl Basis {
    /// For people and machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Read => "read",
            Self::General => "general knowledge",
        }
    }
}

/// All clients, those of one ecosystem together.
pub fn all() -> impl Iterator<Item = &'static Client> {
    [
        libpq::CLIENTS,
        python::CLIENTS,
        node::CLIENTS,
        jvm::CLIENTS,
        dotnet::CLIENTS,
        go::CLIENTS,
        rust::CLIENTS,
        php::CLIENTS,
        elixir::CLIENTS,
        services::CLIENTS,
    ]
    .into_iter()
    .flatten()
}

/// The client of a name, an alias or a title, whatever the case.
pub fn find(name: &str) -> Option<&'static Client> {
    all().find(|client| client.names().any(|known| known.eq_ignore_ascii_case(name)))
}

/// The nearest name to a mistyped one.
pub fn nearest(name: &str) -> Option<&'static str> {
    crate::text::nearest(name, all().flat_map(Client::names))
}

impl Client {
    fn names(&'static self) -> impl Iterator<Item = &'static str> {
        [self.name, self.title].into_iter().chain(self.aliases.iter().copied())
    }

    /// The template of the snippet, see [`snippet`](super::snippet).
    fn template(&self) -> &'static str {
        template(&format!("=== {}\n", self.name))
    }

    /// The part of it that is about verification, each line a piece.
    fn verifying(&self) -> &'static str {
        template(&format!("=== {}: verified by\n", self.name))
    }

    /// The snippet for a connection.
    pub fn snippet(&self, connection: &Connection) -> String {
        let string = self.string.map(|compose| compose(connection));
        super::snippet::write(self.template(), self.language, connection, string.as_deref())
    }

    /// The part of the snippet that is about verification, on one line.
    pub fn key_settings(&self, connection: &Connection) -> String {
        let string = self.string.map(|compose| compose(connection));
        let pieces = super::snippet::write(self.verifying(), self.language, connection, string.as_deref());
        let joined = |text: String, mark: &str| text.replace(&format!("\n{mark}"), mark);
        [",", ";", "&", "}"].into_iter().fold(pieces, joined).replace('\n', " ")
    }
}

/// What `snippets.txt` has below a head.
fn template(head: &str) -> &'static str {
    let below = packed::text("clients", "snippets").split_once(head).map(|(_, below)| below);
    below.unwrap_or_default().split("\n===").next().unwrap_or_default()
}

/// libpq's default: `prefer`.
const PREFER: DefaultTls = DefaultTls { mode: "prefer", encrypts: Encrypts::IfOffered, verifies: "no" };

/// A client that hands everything to the system's libpq.
const AS_LIBPQ: Behaviour = Behaviour {
    verifier: Verifier::Libpq,
    without_root: WithoutRoot::AsLibpq,
    system: SystemRoots::Libpq16,
    takes_address: true,
    further: None,
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::snippet::marks;
    use super::super::testing::connection;
    use super::*;

    const KNOWN: &[&str] = &[
        "host",
        "hostaddr",
        "place",
        "port",
        "database",
        "user",
        "root",
        "certificate",
        "key",
        "pkcs12",
        "string",
        "words",
        "%root",
        "uri",
        "keyword",
        "value",
        "each further",
    ];
    const CONDITIONS: &[&str] = &["root", "system", "none", "client", "address", "hostaddr"];

    #[test]
    fn rows_are_complete_and_their_names_unique() {
        let mut names = BTreeSet::new();
        for client in all() {
            for name in client.names().map(str::to_ascii_lowercase).collect::<BTreeSet<_>>() {
                assert!(names.insert(name.clone()), "{name} twice");
            }
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            assert!(client.name.chars().all(plain), "{}", client.name);
            assert!(!client.source.what.is_empty() && !client.place.is_empty(), "{}", client.name);
            let date = client.source.date;
            assert!(date.is_empty() || date.len() == "2026-11-23".len(), "{}: its date", client.name);
            assert!(!date.is_empty() || client.source.basis != Basis::Measured, "{}: its date", client.name);
            assert_eq!(client.template().contains("«string»"), client.string.is_some(), "{}", client.name);
        }
        assert!(names.len() > 38);
    }

    #[test]
    fn templates_use_known_marks_only() {
        for client in all() {
            for mark in marks(client.template()).chain(marks(client.verifying())) {
                let known = match mark.strip_prefix("if ") {
                    Some(condition) => CONDITIONS.contains(&condition.trim_start_matches("not ")),
                    None => KNOWN.contains(&mark),
                };
                assert!(known, "{}: «{mark}»", client.name);
            }
        }
    }

    #[test]
    fn every_snippet_has_what_it_needs_and_no_password() {
        for conninfo in [
            "host=db.example hostaddr=10.0.0.7 port=6432 dbname=app user=me password=Zyzzyva sslrootcert=/roots.pem \
             sslcert=/me.crt sslkey=/me.key sslpassword=Zyzzyva sslmode=require",
            "host=db.example user=me password=Zyzzyva sslrootcert=system sslmode=verify-full",
            "host=10.0.0.7 user=me password=Zyzzyva",
        ] {
            let connection = connection(conninfo).unwrap();
            for client in all() {
                for text in [client.snippet(&connection), client.key_settings(&connection)] {
                    let name = client.name;
                    assert!(!text.contains("Zyzzyva") && !text.contains('«'), "{name}: {text}");
                    assert!(!text.is_empty() && !text.contains("\n\n\n"), "{name}: {text}");
                }
            }
        }
    }

    #[test]
    fn the_root_file_is_in_every_snippet_that_can_have_one() {
        let connection = connection("host=db.example sslrootcert=/srv/roots.pem").unwrap();
        for client in all() {
            let snippet = client.snippet(&connection);
            let encoded = snippet.contains("%2Fsrv%2Froots.pem");
            assert!(encoded || snippet.contains("/srv/roots.pem"), "{}: {snippet}", client.name);
        }
    }

    #[test]
    fn names_are_found_and_mistyped_ones_guessed() {
        assert_eq!(find("psycopg3").unwrap().name, "psycopg");
        assert_eq!(find("Spring Boot").unwrap().name, "spring-boot");
        assert!(find("asyncp").is_none());
        assert_eq!(nearest("asyncpgg"), Some("asyncpg"));
        assert_eq!(nearest("node-postgre"), Some("node-postgres"));
    }
}
