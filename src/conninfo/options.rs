//! The table of connection options: one row for each keyword of libpq 15 to 18, in libpq's order
//! (fe-connect.c, PQconninfoOptions).

use LibpqVersion::{V15, V16, V17, V18};

use super::choices::{
    ChannelBinding, Choice, GssEncryption, LoadBalancing, SslCertMode, SslMode, SslNegotiation,
    TargetSessionAttrs, WireProtocol,
};
use crate::text;

/// A version of libpq. They differ in the options they know and in how they read spaces in a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LibpqVersion {
    /// PostgreSQL 15 and before.
    V15,
    /// PostgreSQL 16.
    V16,
    /// PostgreSQL 17.
    V17,
    /// PostgreSQL 18.
    V18,
}

/// One connection option.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionOption {
    /// libpq's keyword.
    pub keyword: &'static str,
    /// The environment variable that gives it, if one does.
    pub variable: Option<&'static str>,
    /// What libpq takes where nobody says anything. `user`, `dbname` and `passfile` are computed instead.
    pub default: Option<&'static str>,
    /// What its values are.
    pub kind: Kind,
    /// The first libpq that knows it; [`V15`] for older ones too.
    pub since: LibpqVersion,
}

/// What the values of an option are, as far as libpq cares before it connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything, or looked at elsewhere.
    Text,
    /// A file or directory.
    Path,
    /// An integer in C's `int`, with white space round it.
    Integer,
    /// One of these words, exactly.
    Words(&'static [&'static str]),
    /// A TLS version, in any case, or nothing.
    TlsVersion,
    /// A secret.
    Secret,
    /// A secret: 32 bytes in base64.
    ScramKey,
}

impl Kind {
    /// Whether values are never to be shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::ScramKey)
    }
}

/// The words of a type of values.
const fn words<T: Choice>() -> Kind {
    Kind::Words(T::WORDS)
}

/// The table. `gssencmode` has the default of a libpq with GSSAPI, as the manual has it; without, it is `disable`.
#[rustfmt::skip]
pub const OPTIONS: &[ConnectionOption] = &[
    option("service", Some("PGSERVICE"), None, Kind::Text, V15),
    option("user", Some("PGUSER"), None, Kind::Text, V15),
    option("password", Some("PGPASSWORD"), None, Kind::Secret, V15),
    option("passfile", Some("PGPASSFILE"), None, Kind::Path, V15),
    option("channel_binding", Some("PGCHANNELBINDING"), Some("prefer"), words::<ChannelBinding>(), V15),
    option("connect_timeout", Some("PGCONNECT_TIMEOUT"), None, Kind::Integer, V15),
    option("dbname", Some("PGDATABASE"), None, Kind::Text, V15),
    option("host", Some("PGHOST"), None, Kind::Text, V15),
    option("hostaddr", Some("PGHOSTADDR"), None, Kind::Text, V15),
    option("port", Some("PGPORT"), Some("5432"), Kind::Text, V15),
    option("client_encoding", Some("PGCLIENTENCODING"), None, Kind::Text, V15),
    option("options", Some("PGOPTIONS"), Some(""), Kind::Text, V15),
    option("application_name", Some("PGAPPNAME"), None, Kind::Text, V15),
    option("fallback_application_name", None, None, Kind::Text, V15),
    option("keepalives", None, None, Kind::Integer, V15),
    option("keepalives_idle", None, None, Kind::Integer, V15),
    option("keepalives_interval", None, None, Kind::Integer, V15),
    option("keepalives_count", None, None, Kind::Integer, V15),
    option("tcp_user_timeout", None, None, Kind::Integer, V15),
    option("sslmode", Some("PGSSLMODE"), Some("prefer"), words::<SslMode>(), V15),
    option("sslnegotiation", Some("PGSSLNEGOTIATION"), Some("postgres"), words::<SslNegotiation>(), V17),
    option("sslcompression", Some("PGSSLCOMPRESSION"), Some("0"), Kind::Text, V15),
    option("sslcert", Some("PGSSLCERT"), None, Kind::Path, V15),
    option("sslkey", Some("PGSSLKEY"), None, Kind::Path, V15),
    option("sslcertmode", Some("PGSSLCERTMODE"), Some("allow"), words::<SslCertMode>(), V16),
    option("sslpassword", None, None, Kind::Secret, V15),
    option("sslrootcert", Some("PGSSLROOTCERT"), None, Kind::Path, V15),
    option("sslcrl", Some("PGSSLCRL"), None, Kind::Path, V15),
    option("sslcrldir", Some("PGSSLCRLDIR"), None, Kind::Path, V15),
    option("sslsni", Some("PGSSLSNI"), Some("1"), Kind::Text, V15),
    option("requirepeer", Some("PGREQUIREPEER"), None, Kind::Text, V15),
    option("require_auth", Some("PGREQUIREAUTH"), None, Kind::Text, V16),
    option("min_protocol_version", Some("PGMINPROTOCOLVERSION"), None, words::<WireProtocol>(), V18),
    option("max_protocol_version", Some("PGMAXPROTOCOLVERSION"), None, words::<WireProtocol>(), V18),
    option("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION"), Some("TLSv1.2"), Kind::TlsVersion, V15),
    option("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION"), None, Kind::TlsVersion, V15),
    option("gssencmode", Some("PGGSSENCMODE"), Some("prefer"), words::<GssEncryption>(), V15),
    option("krbsrvname", Some("PGKRBSRVNAME"), Some("postgres"), Kind::Text, V15),
    option("gsslib", Some("PGGSSLIB"), None, Kind::Text, V15),
    option("gssdelegation", Some("PGGSSDELEGATION"), Some("0"), Kind::Text, V17),
    option("replication", None, None, Kind::Text, V15),
    option("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Some("any"), words::<TargetSessionAttrs>(), V15),
    option("load_balance_hosts", Some("PGLOADBALANCEHOSTS"), Some("disable"), words::<LoadBalancing>(), V16),
    option("scram_client_key", None, None, Kind::ScramKey, V18),
    option("scram_server_key", None, None, Kind::ScramKey, V18),
    option("oauth_issuer", None, None, Kind::Text, V18),
    option("oauth_client_id", None, None, Kind::Text, V18),
    option("oauth_client_secret", None, None, Kind::Secret, V18),
    option("oauth_scope", None, None, Kind::Text, V18),
    option("sslkeylogfile", None, None, Kind::Path, V18),
];

const fn option(
    keyword: &'static str,
    variable: Option<&'static str>,
    default: Option<&'static str>,
    kind: Kind,
    since: LibpqVersion,
) -> ConnectionOption {
    ConnectionOption { keyword, variable, default, kind, since }
}

/// Environment variables that go to the server as settings and are no options (fe-connect.c, EnvironmentOptions).
pub const SERVER_SETTINGS: &[(&str, &str)] =
    &[("PGDATESTYLE", "datestyle"), ("PGTZ", "timezone"), ("PGGEQO", "geqo")];

/// The option of this keyword, exactly as libpq compares: case counts.
pub fn find(keyword: &[u8]) -> Option<&'static ConnectionOption> {
    OPTIONS.iter().find(|option| option.keyword.as_bytes() == keyword)
}

/// Whether the values of a keyword are never to be shown.
pub fn is_secret(keyword: &str) -> bool {
    find(keyword.as_bytes()).is_some_and(|option| option.kind.is_secret())
}

/// Whether a name is a keyword of libpq or what another client calls one, whatever its case and separators.
pub(super) fn is_anybodys(name: &[u8]) -> bool {
    let bare = bare(&String::from_utf8_lossy(name));
    OTHER_NAMES.iter().any(|(other, _)| *other == bare)
        || OPTIONS.iter().any(|option| bare_bytes(option.keyword).eq(bare.bytes()))
}

/// A name in lower case and without separators.
fn bare(text: &str) -> String {
    bare_bytes(text).map(char::from).collect()
}

fn bare_bytes(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
}

/// The known keyword nearest to a mistyped one, if one is near: other case or separators, or one edit for every three
/// characters.
pub fn nearest(keyword: &[u8]) -> Option<&'static str> {
    if let Some(option) = find(keyword) {
        return Some(option.keyword);
    }
    let typed = bare(&String::from_utf8_lossy(keyword));
    if let Some((_, keyword)) = OTHER_NAMES.iter().find(|(other, _)| *other == typed) {
        return Some(keyword);
    }
    // As many edits as one is longer it takes at least.
    let may_be_near = |option: &&ConnectionOption| {
        3 * typed.len().abs_diff(bare_bytes(option.keyword).count()) <= typed.len()
    };
    OPTIONS
        .iter()
        .filter(may_be_near)
        .map(|option| (text::distance(&typed, &bare(option.keyword)), option.keyword))
        .filter(|(distance, _)| 3 * distance <= typed.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, keyword)| keyword)
}

/// What other clients call an option, without case and separators: JDBC, Npgsql, node-postgres, Go, ODBC.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("server", "host"),
    ("hostname", "host"),
    ("database", "dbname"),
    ("db", "dbname"),
    ("databasename", "dbname"),
    ("username", "user"),
    ("userid", "user"),
    ("uid", "user"),
    ("pwd", "password"),
    ("pass", "password"),
    ("ssl", "sslmode"),
    ("sslca", "sslrootcert"),
    ("sslroot", "sslrootcert"),
    ("rootcertificate", "sslrootcert"),
    ("cafile", "sslrootcert"),
    ("timeout", "connect_timeout"),
    ("applicationname", "application_name"),
    ("targetservertype", "target_session_attrs"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_unique_and_known_by_their_own_name() {
        for option in OPTIONS {
            assert_eq!(
                find(option.keyword.as_bytes()).unwrap().variable,
                option.variable,
                "{}",
                option.keyword
            );
            assert_eq!(nearest(option.keyword.as_bytes()), Some(option.keyword));
        }
        for (_, keyword) in OTHER_NAMES {
            assert!(find(keyword.as_bytes()).is_some(), "{keyword}");
        }
    }

    #[test]
    fn secrets() {
        let secret: Vec<_> =
            OPTIONS.iter().filter(|option| option.kind.is_secret()).map(|o| o.keyword).collect();
        assert_eq!(
            secret,
            ["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"]
        );
    }

    #[test]
    fn nearest_keywords() {
        for (typed, keyword) in [
            ("sslrotcert", Some("sslrootcert")),
            ("SSLMode", Some("sslmode")),
            ("Host", Some("host")),
            ("user ", Some("user")),
            ("hots", Some("host")),
            ("sslMode", Some("sslmode")),
            ("applicationName", Some("application_name")),
            ("connectTimeout", Some("connect_timeout")),
            ("Root Certificate", Some("sslrootcert")),
            ("Server", Some("host")),
            ("pasword", Some("password")),
            ("frobnicate", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed.as_bytes()), keyword, "{typed}");
        }
    }
}
