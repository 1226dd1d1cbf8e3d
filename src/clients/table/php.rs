//! PHP.

use super::super::quote::Language;
use super::super::strings::pdo_dsn;
use super::{AS_LIBPQ, Basis, Behaviour, Client, PREFER, Source};

pub(super) const CLIENTS: &[Client] = &[PDO, LARAVEL];

const HOME_NOTE: &str =
    "a service user often has no home directory, and then no default root file: set sslrootcert";

const PDO: Client = Client {
    name: "pdo",
    aliases: &["php", "php-pdo", "pdo_pgsql"],
    title: "PHP PDO",
    place: "PHP",
    language: Language::Php,
    string: Some(pdo_dsn),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &["a value cannot contain a semicolon: PDO replaces it with a space", HOME_NOTE],
    source: Source { what: "libpq's rules; FreshPorts issue 82", date: "", basis: Basis::General },
};

const LARAVEL: Client = Client {
    name: "laravel",
    aliases: &["eloquent"],
    title: "Laravel",
    place: "config/database.php, under connections",
    language: Language::Php,
    string: None,
    default: PREFER,
    behaviour: Behaviour { takes_address: false, further: Some(&[]), ..AS_LIBPQ },
    notes: &["of the TLS settings only these four are passed on", HOME_NOTE],
    source: Source {
        what: "laravel/framework PostgresConnector.php",
        date: "2026-08-21",
        basis: Basis::Read,
    },
};
