//! Clients that are a thin layer over libpq, in C, Ruby and Perl.

use super::super::quote::Language;
use super::super::strings::{keyword_value, perl_dsn};
use super::{AS_LIBPQ, Basis, Client, PREFER, Source};

pub(super) const CLIENTS: &[Client] = &[PSQL, RUBY_PG, RAILS, DBD_PG];

const PSQL: Client = Client {
    name: "psql",
    aliases: &["libpq", "pg_dump", "odbc", "psqlodbc"],
    title: "psql, pg_dump and other libpq programs",
    place: "a shell",
    language: Language::Shell,
    string: Some(keyword_value),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &[
        "a backslash in a keyword/value string is an escape: write c:/ssl/x.pem or c:\\\\ssl\\\\x.pem",
        "libpq 15 takes sslrootcert=system for a file name; from libpq 18 on weak modes are refused with it",
    ],
    source: Source { what: "psql 15 and libpq 18", date: "2026-11-23", basis: Basis::Measured },
};

const RUBY_PG: Client = Client {
    name: "ruby-pg",
    aliases: &["ruby", "pg-gem"],
    title: "Ruby pg",
    place: "Ruby",
    language: Language::Ruby,
    string: None,
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &["gems with binaries for Windows and macOS bring a libpq of their own (unverified)"],
    source: Source { what: "ged/ruby-pg: options go to libpq", date: "2026-08-22", basis: Basis::Read },
};

const RAILS: Client = Client {
    name: "rails",
    aliases: &["activerecord", "ruby-on-rails"],
    title: "Ruby on Rails",
    place: "config/database.yml",
    language: Language::Yaml,
    string: None,
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &["DATABASE_URL takes the same settings as libpq's URI"],
    source: Source { what: "ged/ruby-pg: options go to libpq", date: "2026-08-22", basis: Basis::Read },
};

const DBD_PG: Client = Client {
    name: "dbd-pg",
    aliases: &["perl", "dbi", "dbd::pg"],
    title: "Perl DBD::Pg",
    place: "Perl",
    language: Language::Perl,
    string: Some(perl_dsn),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &[],
    source: Source { what: "bucardo/dbdpg Pg.pm; run", date: "2026-11-23", basis: Basis::Measured },
};
