//! psqlODBC, over libpq.

use super::{
    Absent, Case, Decision, Demand, Dialect, FaultKind, Form, Hosts, Keyword, Keywords, LIBPQ_SURROUNDINGS,
    Library, Lookup, PLAIN, Prefix, Repeated, Spelled, Surroundings, Syntax, Trusted, Unknown, Variables,
    Word, libpq_rules, named, own, pairs, tls,
};

pub(super) const DIALECTS: &[&Dialect] = &[&ODBC];

/// psqlODBC. Its `SSLmode` always reaches libpq, so that PGSSLMODE never counts.
static ODBC: Dialect = Dialect {
    name: "odbc",
    aliases: &["psqlodbc"],
    title: "psqlODBC",
    releases: "13 to 17",
    forms: &[Form::Pairs(&pairs::Rules { prefix: Prefix::Nothing, syntax: Syntax::Odbc })],
    keywords: Keywords {
        known: &[ODBC_KEYWORDS],
        case: Case::Any,
        unknown: Unknown::Ignored,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: odbc_rules,
    spell: spell_odbc,
    library: Library::OpenSsl,
    surroundings: Surroundings {
        variables: Variables::Of(&[
            "user",
            "password",
            "passfile",
            "service",
            "hostaddr",
            "sslrootcert",
            "sslcert",
            "sslkey",
            "sslcrl",
        ]),
        user: Absent::AsLibpq,
        database: Absent::AsLibpq,
        of_tls: &[("PGSSLROOTCERT", "pqopt.sslrootcert")],
        ..LIBPQ_SURROUNDINGS
    },
    source: "psqlODBC 13.02 run, postgresql-interfaces/psqlodbc read, 2026-11-29",
};

const ODBC_KEYWORDS: &[Keyword] = &[
    named(&["Servername", "Server"], "host"),
    named(&["Port"], "port"),
    named(&["Database"], "dbname"),
    named(&["Uid", "Username"], "user"),
    named(&["Pwd", "Password"], "password"),
    tls(&["SSLmode", "CA"]),
    // What `pqopt` holds, taken out of it; of libpq's other options it may hold too nothing more is known.
    named(&["pqopt.sslrootcert"], "sslrootcert"),
    named(&["pqopt.sslcert"], "sslcert"),
    named(&["pqopt.sslkey"], "sslkey"),
    named(&["pqopt.sslpassword"], "sslpassword"),
    named(&["pqopt.sslcrl"], "sslcrl"),
    named(&["pqopt.sslcrldir"], "sslcrldir"),
    named(&["pqopt.sslnegotiation"], "sslnegotiation"),
    named(&["pqopt.hostaddr"], "hostaddr"),
    named(&["pqopt.channel_binding"], "channel_binding"),
    named(&["pqopt.target_session_attrs"], "target_session_attrs"),
    named(&["pqopt.load_balance_hosts"], "load_balance_hosts"),
    named(&["pqopt.ssl_min_protocol_version"], "ssl_min_protocol_version"),
    named(&["pqopt.ssl_max_protocol_version"], "ssl_max_protocol_version"),
    named(&["pqopt.sslsni"], "sslsni"),
    named(&["pqopt.require_auth"], "require_auth"),
    named(&["pqopt.application_name"], "application_name"),
    named(&["pqopt.options"], "options"),
    named(&["pqopt.connect_timeout"], "connect_timeout"),
    tls(&["pqopt.sslmode"]),
    own("Driver|DSN|Description|pqopt|ReadOnly|Protocol|FakeOidIndex|ShowOidColumn|RowVersioning|\
         ShowSystemTables|ConnSettings|Fetch|UniqueIndex|UnknownSizes|MaxVarcharSize|\
         MaxLongVarcharSize|Debug|CommLog|Optimizer|Ksqo|UseDeclareFetch|TextAsLongVarchar|\
         UnknownsAsLongVarchar|BoolsAsChar|Parse|ExtraSysTablePrefixes|LFConversion|\
         UpdatableCursors|TrueIsMinus1|BI|ByteaAsLongVarBinary|UseServerSidePrepare|\
         LowerCaseIdentifier|NumericAs|KeepaliveTime|KeepaliveInterval|XaOpt|OptionalErrors|\
         FetchRefcursors|A0|A1|A2|A3|A4|A5|A6|A7|A8|A9|B0|B1|B2|B3|B4|B5|B6|B7|B8|B9|C0|C1|C2|C3|\
         C4|C5|C6|C7|C8|C9|D1|D2|D3|D4|D5|D6"),
];

/// The mode by its first letter in lower case; `v` needs a second one or libpq's own word. What begins otherwise is
/// `disable` (dlg_specific.c, copyConnAttributes).
fn odbc_rules(lookup: &Lookup<'_>) -> Decision {
    if let Some(word) = lookup.get("pqopt.sslmode") {
        let why = "options that have no keyword of their own, as sslmode has";
        return Decision::refused(Some(word.at), FaultKind::InvalidValue("pqopt".into(), why.into()));
    }
    // What has a keyword of its own may be said once.
    let twice = [("host", "Servername"), ("port", "Port"), ("dbname", "Database"), ("user", "Uid")];
    let twice =
        twice.iter().find_map(|(inner, outer)| lookup.given(inner).filter(|_| lookup.given(outer).is_some()));
    if let Some(at) = twice {
        let why = "options that are not given beside it";
        return Decision::refused(Some(at), FaultKind::InvalidValue("pqopt".into(), why.into()));
    }
    if let Some((at, name)) = lookup.unknown_in("pqopt.") {
        let kind =
            FaultKind::UnknownKeyword { keyword: name.to_owned(), nearest: None, belongs_to: Vec::new() };
        return Decision::refused(Some(at), kind);
    }
    if let Some(product) = lookup.filled("Driver").filter(|driver| !is_ours(driver.text)) {
        return Decision::refused(
            Some(product.at),
            FaultKind::OtherProduct("another ODBC driver than psqlODBC, with keywords of its own".into()),
        );
    }
    let Some(word) = lookup.filled("SSLmode") else {
        return Decision::by(None, Demand::plaintext())
            .because("without SSLmode psqlODBC does not use TLS (\"no encryption\" in the server's error)");
    };
    match mode(word) {
        Some("disable") if word.text.starts_with('d') => Decision::by(Some(word.at), Demand::plaintext()),
        Some("disable") => Decision::by(Some(word.at), Demand::plaintext()).because(format!(
            "psqlODBC reads the first letter, in lower case only: {} means disable",
            super::shown(word.text)
        )),
        Some(mode) => lookup.with(word.at, mode, libpq_rules),
        None => Decision::invalid(word.at, "SSLmode", super::LIBPQ_MODES),
    }
}

fn mode(word: Word<'_>) -> Option<&'static str> {
    let mut letters = word.text.bytes();
    Some(match (letters.next(), letters.next()) {
        (Some(b'a'), _) => "allow",
        (Some(b'p'), _) => "prefer",
        (Some(b'r'), _) => "require",
        (Some(b'v'), Some(b'c')) => "verify-ca",
        (Some(b'v'), Some(b'f')) => "verify-full",
        (Some(b'v'), _) if word.text == "verify-ca" => "verify-ca",
        (Some(b'v'), _) if word.text == "verify-full" => "verify-full",
        (Some(b'v'), _) => return None,
        _ => "disable",
    })
}

/// Names under which psqlODBC is installed.
fn is_ours(driver: &str) -> bool {
    let lower = driver.to_ascii_lowercase();
    let other = ["devart", "datadirect", "cdata", "simba", "easysoft", "redshift"];
    (lower.contains("postgresql") || lower.contains("psqlodbc"))
        && !other.iter().any(|product| lower.contains(product))
}

fn spell_odbc(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    let mut settings = trusted.named(&[("SSLmode", "verify-full")], "pqopt.sslrootcert");
    settings.extend((trusted == Trusted::System).then(|| Spelled::new("pqopt.sslrootcert", "system")));
    Ok(settings)
}
