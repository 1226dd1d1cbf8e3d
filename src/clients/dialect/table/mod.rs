//! The table of dialects, one row each: forms, keywords, what is demanded, what is taken from elsewhere. A new dialect is
//! one row in its ecosystem's file.

mod dotnet;
mod elixir;
mod go;
mod jvm;
mod libpq;
mod node;
mod odbc;
mod prisma;
mod python;
mod rust;

use std::sync::OnceLock;

use super::demand::{Chain, Decision, Demand, Encryption, Fallback, Root};
use super::grammar::pairs::{self, Backslash, Prefix, Syntax};
use super::grammar::url::{self, Bare, FORM, LENIENT, LITERAL, Login, Path, STRICT, STRICT_FORM};
use super::grammar::{DICTIONARY, ELIXIR, Form, JAVASCRIPT, PYTHON, RUBY};
use super::lookup::{Lookup, Word, shown};
use super::verify::{Spelled, Trusted};
use super::{
    Absent, Case, Dialect, FaultKind, Hosts, Keyword, Keywords, Kind, Library, Meaning, Repeated, Rewrite,
    Surroundings, Unknown, Variables,
};
use crate::order;

/// All dialects, those of one ecosystem together.
pub fn all() -> impl Iterator<Item = &'static Dialect> {
    [
        libpq::DIALECTS,
        jvm::DIALECTS,
        dotnet::DIALECTS,
        odbc::DIALECTS,
        python::DIALECTS,
        node::DIALECTS,
        prisma::DIALECTS,
        elixir::DIALECTS,
        go::DIALECTS,
        rust::DIALECTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// libpq itself.
pub(super) fn libpq() -> &'static Dialect {
    &libpq::LIBPQ
}

/// The dialect of a name or alias, whatever the case.
pub fn find(name: &str) -> Option<&'static Dialect> {
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    all().find(|dialect| is(&dialect.name) || dialect.aliases.iter().any(&is))
}

/// The nearest name to a mistyped one.
pub fn nearest(name: &str) -> Option<&'static str> {
    let names = all().flat_map(|dialect| [dialect.name].into_iter().chain(dialect.aliases.iter().copied()));
    crate::text::nearest(name, names)
}

/// Whether some driver has a keyword of this name, libpq included.
pub(super) fn knows(name: &str) -> bool {
    crate::conninfo::options::find(name.as_bytes()).is_some() || !owners(name).is_empty() || name == "ssl"
}

/// Those whose own keyword this is: of a name that many have, none.
pub fn owners(name: &str) -> Vec<&'static str> {
    let mut owners: Vec<&'static str> = Vec::new();
    let named = INDEX.get_or_init(index);
    let start = named.partition_point(|(beginning, ..)| *beginning < self::beginning(name));
    let alike = named.iter().skip(start).take_while(|(beginning, ..)| *beginning == self::beginning(name));
    for (_, known, dialect) in alike {
        if dialect.is_called(known, name) && !owners.contains(&dialect.title) {
            owners.push(dialect.title);
        }
    }
    let foreign =
        FOREIGN.iter().filter(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
    owners.extend(foreign.map(|(product, _)| *product));
    owners
}

/// All drivers' names for keywords, in the order of their beginnings: a long string asks for every word of it.
static INDEX: OnceLock<Vec<(u64, &'static str, &'static Dialect)>> = OnceLock::new();

fn index() -> Vec<(u64, &'static str, &'static Dialect)> {
    let names = |dialect: &'static Dialect| {
        let known = dialect.keywords.known.iter().flat_map(|rows| rows.iter());
        known.flat_map(Keyword::names).map(move |name| (beginning(name), name, dialect))
    };
    let mut index: Vec<_> = all().flat_map(names).collect();
    order::by_key(&mut index, |(beginning, ..)| *beginning);
    index
}

/// What names begin with that some driver takes for the same.
fn beginning(name: &str) -> u64 {
    bare(name).take(8).fold(0, |all, next| all << 8 | u64::from(u32::from(next) & 0xff))
}

/// A name without its case and blanks.
fn bare(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase())
}

/// Whose strings are brought to Npgsql.
pub const SQL_SERVER: &str = "SQL Server";

/// Keywords of other databases' drivers that people bring along.
const FOREIGN: [(&str, &[&str]); 2] = [
    (
        SQL_SERVER,
        &[
            "Encrypt",
            "Initial Catalog",
            "Data Source",
            "MultipleActiveResultSets",
            "Trusted_Connection",
            "Connection Timeout",
            "Connect Timeout",
            "ApplicationIntent",
            "MultiSubnetFailover",
        ],
    ),
    ("MySQL", &["charset", "useSSL", "requireSSL", "allowPublicKeyRetrieval", "serverTimezone"]),
];

impl Dialect {
    /// The keyword of a name, as this driver compares names, and the name as it knows it.
    pub(super) fn keyword(&self, name: &str) -> Option<(&'static Keyword, &'static str)> {
        let known = self.keywords.known.iter().flat_map(|rows| rows.iter());
        known
            .into_iter()
            .find_map(|keyword| Some((keyword, keyword.names().find(|known| self.is_called(known, name))?)))
    }

    /// Whether a name is this one, as this driver compares names.
    fn is_called(&self, known: &str, name: &str) -> bool {
        match self.keywords.case {
            Case::Exact => known == name,
            Case::Any => known.eq_ignore_ascii_case(name),
            Case::AnyWithoutBlanks => bare(known).eq(bare(name)),
        }
    }

    /// What it calls an option of libpq's.
    pub(crate) fn keyword_of(&self, option: &str) -> Option<&'static str> {
        let option = crate::conninfo::options::find(option.as_bytes())?.keyword;
        let known = self.keywords.known.iter().flat_map(|rows| rows.iter());
        let found = known.into_iter().find(|keyword| keyword.meaning == Meaning::Libpq(option))?;
        found.names.first().copied()
    }

    /// Whether it has a keyword of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.keyword(name).is_some()
    }

    /// libpq's keyword for one of this driver's.
    pub(crate) fn meaning(&self, name: &str) -> Option<&'static str> {
        match self.keyword(name)?.0.meaning {
            Meaning::Libpq(option) => Some(option),
            _ => None,
        }
    }

    /// The nearest keyword to a mistyped one.
    pub(super) fn nearest_keyword(&self, name: &str) -> Option<&'static str> {
        let names = self.keywords.known.iter().flat_map(|rows| rows.iter()).flat_map(Keyword::names);
        let bare = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let typed = bare(name);
        names
            .map(|known| (crate::text::distance(&typed, &bare(known)), known))
            .filter(|(distance, _)| 3 * distance <= typed.chars().count())
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
            // What others call an option of libpq's that it has too.
            .or_else(|| self.keyword_of(crate::conninfo::options::nearest(name.as_bytes())?))
    }
}

/// What most keywords have in common.
const PLAIN: Keywords = Keywords {
    known: &[],
    case: Case::Exact,
    unknown: Unknown::Refused,
    repeated: Repeated::Last,
    demand_under: None,
    misnamed: &[],
};

/// libpq's option under its own name.
const fn same(names: &'static [&'static str; 1]) -> Keyword {
    let [name] = names;
    Keyword { names, others: "", meaning: Meaning::Libpq(name) }
}

/// libpq's option under other names.
const fn named(names: &'static [&'static str], option: &'static str) -> Keyword {
    Keyword { names, others: "", meaning: Meaning::Libpq(option) }
}

/// libpq's option under other names, with other values.
const fn rewritten(names: &'static [&'static str], option: &'static str, rewrite: Rewrite) -> Keyword {
    Keyword { names, others: "", meaning: Meaning::Rewritten(option, rewrite) }
}

/// Something that takes part in the demand.
const fn tls(names: &'static [&'static str]) -> Keyword {
    Keyword { names, others: "", meaning: Meaning::Tls }
}

/// Something that does not concern the connection: names separated by `|`.
const fn own(names: &'static str) -> Keyword {
    Keyword { names: &[], others: names, meaning: Meaning::Own }
}

/// Settings of the session: names separated by `|`.
const fn server(names: &'static str) -> Keyword {
    Keyword { names: &[], others: names, meaning: Meaning::Server }
}

/// libpq's own keywords.
const LIBPQ_KEYWORDS: &[Keyword] = &[
    same(&["host"]),
    same(&["hostaddr"]),
    same(&["port"]),
    same(&["dbname"]),
    same(&["user"]),
    same(&["password"]),
    same(&["passfile"]),
    same(&["service"]),
    same(&["channel_binding"]),
    same(&["connect_timeout"]),
    same(&["client_encoding"]),
    same(&["options"]),
    same(&["application_name"]),
    same(&["fallback_application_name"]),
    same(&["keepalives"]),
    same(&["keepalives_idle"]),
    same(&["keepalives_interval"]),
    same(&["keepalives_count"]),
    same(&["tcp_user_timeout"]),
    same(&["sslmode"]),
    same(&["sslnegotiation"]),
    same(&["sslcompression"]),
    same(&["sslcert"]),
    same(&["sslkey"]),
    same(&["sslcertmode"]),
    same(&["sslpassword"]),
    same(&["sslrootcert"]),
    same(&["sslcrl"]),
    same(&["sslcrldir"]),
    same(&["sslsni"]),
    same(&["requirepeer"]),
    same(&["require_auth"]),
    same(&["min_protocol_version"]),
    same(&["max_protocol_version"]),
    same(&["ssl_min_protocol_version"]),
    same(&["ssl_max_protocol_version"]),
    same(&["gssencmode"]),
    same(&["krbsrvname"]),
    same(&["gsslib"]),
    same(&["gssdelegation"]),
    same(&["replication"]),
    same(&["target_session_attrs"]),
    same(&["load_balance_hosts"]),
    same(&["scram_client_key"]),
    same(&["scram_server_key"]),
    same(&["oauth_issuer"]),
    same(&["oauth_client_id"]),
    same(&["oauth_client_secret"]),
    same(&["oauth_scope"]),
    same(&["sslkeylogfile"]),
];

/// Settings of the session that clients send under their own names.
const SERVER_SETTINGS: &[Keyword] = &[server(
    "search_path|timezone|TimeZone|datestyle|DateStyle|statement_timeout|lock_timeout|\
         idle_in_transaction_session_timeout|extra_float_digits|client_min_messages|\
         default_transaction_isolation|default_transaction_read_only|role|geqo|intervalstyle|jit|\
         work_mem",
)];

/// What libpq takes from elsewhere.
const LIBPQ_SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::All,
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::AsLibpq,
    passfile: true,
    connect_timeout: 0,
    service_of_string: true,
    of_tls: &[("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert")],
};

/// libpq's modes, for what is said of a value that is none.
const LIBPQ_MODES: &str = "disable, allow, prefer, require, verify-ca or verify-full";

/// libpq's rules over its `sslmode` and `sslrootcert` (fe-connect.c, pqConnectOptions2; fe-secure-openssl.c,
/// initialize_SSL), from libpq 16 on as far as `sslrootcert=system` is concerned.
pub(super) fn libpq_rules(lookup: &Lookup<'_>) -> Decision {
    let root = lookup.filled("sslrootcert");
    let mode = lookup.get("sslmode");
    let at = mode.map(|word| word.at);
    if root.is_some_and(|root| root.text == "system") {
        let demand = Demand::full(vec![Root::System]);
        return match mode {
            None => Decision::by(root.map(|root| root.at), demand),
            Some(mode) if mode.text == "verify-full" => Decision::by(at, demand),
            Some(mode) => Decision::invalid(mode.at, "sslmode", "verify-full beside sslrootcert=system"),
        };
    }
    let roots = match root {
        None => vec![Root::Home],
        Some(root) if root.kind == Kind::Code => vec![Root::Program],
        Some(root) => vec![Root::Named(root.at)],
    };
    let demand = |encryption| Demand { encryption, chain: Chain::IfRoots, name: false, roots: roots.clone() };
    let demand = match mode.map_or("prefer", |word| word.text) {
        "disable" => Demand::plaintext(),
        "allow" => demand(Encryption::AfterRefusal),
        "prefer" => demand(Encryption::IfOffered(Fallback::AnyFailure)),
        "require" => demand(Encryption::Always),
        "verify-ca" => Demand::chain(roots),
        "verify-full" => Demand::full(roots),
        _ => return Decision::invalid(at.unwrap_or(0), "sslmode", LIBPQ_MODES),
    };
    Decision::by(at, demand)
}

/// libpq's own words.
fn spell_libpq(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    let mut settings = trusted.named(&[("sslmode", "verify-full")], "sslrootcert");
    settings.extend((trusted == Trusted::System).then(|| Spelled::new("sslrootcert", "system")));
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_complete_and_their_names_unique() {
        let mut names = BTreeSet::new();
        for dialect in all() {
            for name in [dialect.name].iter().chain(dialect.aliases) {
                assert!(names.insert(name.to_ascii_lowercase()), "{name} twice");
                assert!(std::ptr::eq(find(name).unwrap(), dialect), "{name}");
            }
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.+".contains(c);
            assert!(dialect.name.chars().all(plain), "{}", dialect.name);
            assert!(!dialect.source.is_empty() && !dialect.forms.is_empty(), "{}", dialect.name);
            let mut known = BTreeSet::new();
            for name in dialect.keywords.known.iter().flat_map(|rows| rows.iter()).flat_map(Keyword::names) {
                assert!(known.insert(name), "{}: {name} twice", dialect.name);
            }
            for row in dialect.keywords.known.iter().flat_map(|rows| rows.iter()) {
                if let Meaning::Libpq(option) | Meaning::Rewritten(option, _) = row.meaning {
                    let found = crate::conninfo::options::find(option.as_bytes());
                    assert!(found.is_some(), "{}: {option} is none of libpq's", dialect.name);
                }
            }
        }
        assert!(names.len() > 24);
    }

    #[test]
    fn libpqs_keywords_are_libpqs_options() {
        let options: Vec<&str> =
            crate::conninfo::options::OPTIONS.iter().map(|option| option.keyword).collect();
        for row in LIBPQ_KEYWORDS {
            assert!(options.contains(&row.names[0]), "{}", row.names[0]);
        }
        assert_eq!(LIBPQ_KEYWORDS.len(), options.len());
    }

    #[test]
    fn keywords_of_others_are_known_as_theirs() {
        assert!(owners("pgbouncer").iter().any(|owner| owner.contains("Prisma")));
        assert!(owners("uselibpqcompat").iter().any(|owner| owner.contains("node-postgres")));
        assert!(owners("no such thing").is_empty());
        assert_eq!(nearest("jdcb"), Some("jdbc"));
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for rows in all().flat_map(|dialect| dialect.keywords.known) {
            names.extend(rows.iter().flat_map(Keyword::names));
        }
        for name in names {
            let typed = [name.to_owned(), name.to_uppercase(), format!(" {name}\t"), format!("{name}s")];
            for name in typed {
                let searched: BTreeSet<&str> = all()
                    .filter(|dialect| dialect.keyword(&name).is_some())
                    .map(|dialect| dialect.title)
                    .collect();
                let found = owners(&name);
                let found = found.into_iter().filter(|owner| FOREIGN.iter().all(|row| row.0 != *owner));
                assert_eq!(found.collect::<BTreeSet<_>>(), searched, "{name}");
            }
        }
    }
}
