//! .NET: Npgsql, by itself and under Entity Framework Core.

use super::{
    Absent, Case, Decision, Demand, Dialect, Encryption, Fallback, FaultKind, Form, Hosts, Keyword, Keywords,
    Library, Lookup, PLAIN, Prefix, Rewrite, Root, Spelled, Surroundings, Syntax, Trusted, Variables, Word,
    named, own, pairs, rewritten, server, tls,
};

pub(super) const DIALECTS: &[&Dialect] = &[&NPGSQL, &NPGSQL_6, &NPGSQL_5];

const FORMS: &[Form] = &[Form::Pairs(&pairs::Rules { prefix: Prefix::Nothing, syntax: Syntax::AdoNet })];

const KEYWORDS: Keywords = Keywords {
    known: &[NPGSQL_KEYWORDS],
    case: Case::AnyWithoutBlanks,
    misnamed: &[
        ("Data Source", "host"),
        ("Initial Catalog", "dbname"),
        ("Connection Timeout", "connect_timeout"),
        ("Connect Timeout", "connect_timeout"),
    ],
    ..PLAIN
};

const SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::Of(&[
        "user",
        "password",
        "passfile",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslnegotiation",
    ]),
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::Refused,
    passfile: true,
    connect_timeout: 15,
    service_of_string: true,
    of_tls: &[("PGSSLROOTCERT", "Root Certificate")],
};

/// Npgsql as it is now.
static NPGSQL: Dialect = Dialect {
    name: "npgsql",
    aliases: &[".net", "dotnet", "ado.net", "ef-core", "efcore", "c#"],
    title: "Npgsql",
    releases: "8 to 10",
    forms: FORMS,
    keywords: KEYWORDS,
    hosts: Hosts::WithPorts,
    demand: npgsql_rules,
    spell: spell_npgsql,
    library: Library::OpenSsl,
    surroundings: SURROUNDINGS,
    source: "npgsql/npgsql 10.0.3 and npgsql/doc security.md read, 2026-08-18; not run",
};

/// Require without Trust Server Certificate is an exception.
static NPGSQL_6: Dialect = Dialect {
    name: "npgsql-6",
    aliases: &["npgsql-7"],
    title: "Npgsql 6 and 7",
    releases: "6 and 7",
    hosts: Hosts::WithPorts,
    demand: npgsql_6_rules,
    source: "npgsql/npgsql tags 6 and 7 read, 2026-08-18; not run",
    ..copy_of_npgsql()
};

/// Prefer and Require verify unless Trust Server Certificate is set; the default is Disable.
static NPGSQL_5: Dialect = Dialect {
    name: "npgsql-5",
    aliases: &["npgsql-4"],
    title: "Npgsql 5",
    releases: "up to 5",
    hosts: Hosts::WithPorts,
    demand: npgsql_5_rules,
    spell: spell_npgsql_5,
    source: "npgsql/npgsql tag 5.0.18 read, 2026-08-18; not run",
    ..copy_of_npgsql()
};

const fn copy_of_npgsql() -> Dialect {
    Dialect {
        name: "",
        aliases: &[],
        title: "",
        releases: "",
        forms: FORMS,
        keywords: KEYWORDS,
        hosts: Hosts::WithPorts,
        demand: npgsql_rules,
        spell: spell_npgsql,
        library: Library::OpenSsl,
        surroundings: SURROUNDINGS,
        source: "",
    }
}

const NPGSQL_KEYWORDS: &[Keyword] = &[
    named(&["Host", "Server"], "host"),
    named(&["Port"], "port"),
    named(&["Database", "DB"], "dbname"),
    named(&["Username", "UserId", "UID"], "user"),
    named(&["Password", "PSW", "PWD"], "password"),
    named(&["Passfile"], "passfile"),
    tls(&["SSL Mode"]),
    tls(&["Trust Server Certificate"]),
    tls(&["Root Certificate"]),
    tls(&["Check Certificate Revocation"]),
    named(&["SSL Certificate", "Client Certificate"], "sslcert"),
    named(&["SSL Key", "Client Certificate Key"], "sslkey"),
    named(&["SSL Password"], "sslpassword"),
    rewritten(&["SSL Negotiation"], "sslnegotiation", Rewrite::Word),
    rewritten(&["Channel Binding"], "channel_binding", Rewrite::Word),
    named(&["Timeout"], "connect_timeout"),
    rewritten(&["Target Session Attributes"], "target_session_attrs", Rewrite::Word),
    rewritten(&["Load Balance Hosts"], "load_balance_hosts", Rewrite::Balancing),
    named(&["Application Name"], "application_name"),
    named(&["Options"], "options"),
    server("Search Path|Timezone|Client Encoding"),
    own("Array Nullability Mode|Auto Prepare Min Usages|Backend Timeouts|Buffer Size|\
         Cancellation Timeout|Command Timeout|Connection Idle Lifetime|Connection Lifetime|\
         Connection Pruning Interval|Continuous Processing|Convert Infinity DateTime|\
         EF Admin Database|EF Template Database|Encoding|Enlist|Entity Admin Database|\
         Entity Template Database|GSS Encryption Mode|Host Recheck Seconds|Include Error Detail|\
         Include Error Details|Include Failed Batched Command|Include Realm|Integrated Security|\
         Internal Command Timeout|Keepalive|Kerberos Service Name|Load Balance Timeout|\
         Load Table Composites|Log Parameters|Max Auto Prepare|Maximum Pool Size|MaxPoolSize|\
         Minimum Pool Size|MinPoolSize|Multiplexing|No Reset On Close|Persist Security Info|\
         Pooling|Read Buffer Size|Replication Mode|Require Auth|Server Compatibility Mode|\
         Socket Receive Buffer Size|Socket Send Buffer Size|Tcp Keepalive|Tcp Keepalive Interval|\
         Tcp Keepalive Time|Use Perf Counters|Use Ssl Stream|Write Buffer Size|\
         Write Coalescing Buffer Threshold Bytes"),
];

const MODES: &str = "Disable, Allow, Prefer, Require, VerifyCA or VerifyFull, without hyphens and blanks";

/// The file, the variable, `~/.postgresql/root.crt` if it is there, else the operating system's store.
fn roots(lookup: &Lookup<'_>) -> Vec<Root> {
    match lookup.filled("Root Certificate") {
        Some(file) => vec![Root::Named(file.at)],
        None => vec![Root::Home, Root::System],
    }
}

/// The mode by its name in lower case, and where it stands. Enum.Parse takes numbers too, which nobody writes.
fn mode<'a>(lookup: &Lookup<'a>, default: &'static str) -> (Option<Word<'a>>, String) {
    let word = lookup.filled("SSL Mode");
    (word, word.map_or(default, |word| word.text).to_ascii_lowercase())
}

/// Whether Trust Server Certificate is set, and where.
fn trusting<'a>(lookup: &Lookup<'a>) -> Option<Word<'a>> {
    lookup.get("Trust Server Certificate").filter(|word| is_true(word.text))
}

/// Convert.ToBoolean, and what NpgsqlConnectionStringBuilder takes besides.
fn is_true(text: &str) -> bool {
    ["true", "yes", "on", "1"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

fn npgsql_rules(lookup: &Lookup<'_>) -> Decision {
    let (word, mode) = mode(lookup, "prefer");
    let at = word.map(|word| word.at);
    let demand = match mode.as_str() {
        "disable" => Demand::plaintext(),
        "allow" => Demand::after_refusal(),
        "prefer" => Demand::if_offered(Fallback::SessionRefused),
        "require" => Demand::encrypted(),
        "verifyca" => Demand::chain(roots(lookup)),
        "verifyfull" => Demand::full(roots(lookup)),
        _ => return Decision::invalid(at.unwrap_or(0), "SSL Mode", MODES),
    };
    let verifies = demand.chain != super::Chain::No;
    let decision = Decision::by(at, demand);
    match (mode.as_str(), trusting(lookup)) {
        ("require", _) if lookup.filled("Root Certificate").is_some() => decision
            .because("Npgsql's Require verifies nothing since version 8, with Root Certificate either"),
        ("require", _) => decision.because("Npgsql's Require encrypts and verifies nothing since version 8"),
        (_, Some(_)) if verifies => decision.because(
            "Trust Server Certificate does nothing since version 8: VerifyCA and VerifyFull still verify",
        ),
        _ => decision,
    }
}

fn npgsql_6_rules(lookup: &Lookup<'_>) -> Decision {
    let (word, mode) = mode(lookup, "prefer");
    let at = word.map(|word| word.at);
    let trusting = trusting(lookup);
    match (mode.as_str(), trusting) {
        ("require", None) => Decision::refused(
            at,
            FaultKind::InvalidValue(
                "SSL Mode".into(),
                "VerifyFull; Npgsql 6 and 7 take Require only beside Trust Server Certificate=true, which verifies nothing".into(),
            ),
        ),
        ("require", Some(word)) => Decision::by(Some(word.at), Demand::encrypted())
            .because("Trust Server Certificate beside Require: any certificate is accepted"),
        ("verifyca" | "verifyfull", Some(word)) => Decision::refused(
            Some(word.at),
            FaultKind::InvalidValue(
                "Trust Server Certificate".into(),
                "false: Npgsql 6 and 7 refuse true beside VerifyCA and VerifyFull".into(),
            ),
        ),
        _ => npgsql_rules(lookup),
    }
}

fn npgsql_5_rules(lookup: &Lookup<'_>) -> Decision {
    let (word, mode) = mode(lookup, "disable");
    let at = word.map(|word| word.at);
    if mode == "disable" {
        let decision = Decision::by(at, Demand::plaintext());
        return if at.is_none() {
            decision.because("up to version 5 Npgsql does not use TLS unless told")
        } else {
            decision
        };
    }
    let encryption = match mode.as_str() {
        "prefer" => Encryption::IfOffered(Fallback::NotOffered),
        "require" => Encryption::Always,
        _ => return Decision::invalid(at.unwrap_or(0), "SSL Mode", "Disable, Prefer or Require"),
    };
    if let Some(word) = trusting(lookup) {
        let demand = Demand { encryption, ..Demand::encrypted() };
        return Decision::by(Some(word.at), demand)
            .because("Trust Server Certificate: any certificate is accepted");
    }
    let name = lookup.filled("Root Certificate").is_none();
    let demand = Demand { encryption, name, ..Demand::chain(vec![Root::System]) };
    let decision = Decision::by(at, demand);
    if name {
        decision
    } else {
        decision.because("with Root Certificate, Npgsql 5 does not check the host name, and still asks the operating system's store")
    }
}

fn spell_npgsql(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    Ok(trusted.named(&[("SSL Mode", "VerifyFull")], "Root Certificate"))
}

fn spell_npgsql_5(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match trusted {
        Trusted::File(_) => {
            Err("up to version 5 Npgsql verifies against the operating system's store: import the root there")
        }
        Trusted::System | Trusted::Default => Ok(vec![Spelled::new("SSL Mode", "Require")]),
    }
}
