//! Node: node-postgres and what is built on it, postgres.js.

use super::{
    Absent, Bare, Case, Decision, Demand, Dialect, FORM, Fallback, FaultKind, Form, Hosts, JAVASCRIPT,
    Keyword, Keywords, Kind, LENIENT, Library, Login, Lookup, PLAIN, Path, Repeated, Rewrite, Root, Spelled,
    Surroundings, Trusted, Unknown, Variables, Word, named, own, rewritten, same, server, tls, url,
};
use crate::clients::dialect::grammar::url::{Decode, Percent};

pub(super) const DIALECTS: &[&Dialect] = &[&NODE_POSTGRES, &TYPEORM, &SEQUELIZE, &POSTGRES_JS];

/// node-postgres 8 with pg-connection-string, and so knex, Drizzle and pg-promise.
pub(super) static NODE_POSTGRES: Dialect = Dialect {
    name: "node-postgres",
    aliases: &["pg", "node", "drizzle", "knex", "pg-promise"],
    title: "node-postgres",
    releases: "8",
    forms: &[NODE_URL, Form::Object(&JAVASCRIPT)],
    keywords: NODE_KEYWORDS,
    hosts: Hosts::Plain,
    demand: node_rules,
    spell: spell_node,
    library: Library::OpenSsl,
    surroundings: NODE_SURROUNDINGS,
    source: "pg 8.23.1 with pg-connection-string 2.14.1 run, 2026-11-29",
};

pub(super) const NODE_URL: Form = Form::Url(&url::Rules {
    schemes: &["postgresql://", "postgres://", "pg://"],
    exact_scheme: false,
    login: Login::ToLast,
    authority_ends: b"/?#",
    fragment: true,
    several_hosts: false,
    user: LENIENT,
    host: LENIENT,
    path: Decode { percent: Percent::Unreserved, plus: false },
    query: FORM,
    path_form: Path::Database,
    bare: Bare::Empty,
    query_wins: true,
});

pub(super) const NODE_SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::Of(&[
        "host",
        "port",
        "user",
        "password",
        "dbname",
        "sslmode",
        "sslnegotiation",
        "application_name",
        "options",
        "passfile",
        "connect_timeout",
    ]),
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::Is("localhost"),
    passfile: true,
    connect_timeout: 0,
    service_of_string: true,
    of_tls: &[("PGSSLMODE", "PGSSLMODE"), REJECT_UNAUTHORIZED, EXTRA_CA_CERTS],
};

pub(super) const NODE_KEYWORDS: Keywords = Keywords {
    known: &[NODE_NAMES],
    case: Case::Exact,
    unknown: Unknown::Ignored,
    repeated: Repeated::Last,
    ..PLAIN
};

const NODE_NAMES: &[Keyword] = &[
    same(&["host"]),
    same(&["port"]),
    named(&["database"], "dbname"),
    same(&["user"]),
    same(&["password"]),
    tls(&["sslmode"]),
    tls(&["ssl"]),
    tls(&["sslrootcert"]),
    tls(&["uselibpqcompat"]),
    tls(&["ssl.ca", "ssl.ca.0"]),
    tls(&["ssl.rejectUnauthorized"]),
    tls(&["ssl.checkServerIdentity"]),
    tls(&["ssl.servername"]),
    tls(&["connectionString"]),
    same(&["sslcert"]),
    same(&["sslkey"]),
    same(&["sslnegotiation"]),
    named(&["ssl.cert"], "sslcert"),
    named(&["ssl.key"], "sslkey"),
    named(&["ssl.passphrase"], "sslpassword"),
    rewritten(&["connectionTimeoutMillis"], "connect_timeout", Rewrite::Milliseconds),
    same(&["application_name"]),
    same(&["fallback_application_name"]),
    same(&["options"]),
    same(&["client_encoding"]),
    same(&["replication"]),
    server("statement_timeout|lock_timeout|idle_in_transaction_session_timeout"),
    own("query_timeout|keepAlive|keepAliveInitialDelayMillis|enableChannelBinding|binary|stream|\
         types|parseInputDatesAsUTC|isDomainSocket|encoding|max|min|maxUses|idleTimeoutMillis|\
         allowExitOnIdle|maxLifetimeSeconds|log|Promise|ssl.require|ssl.minVersion|ssl.maxVersion|\
         ssl.ciphers|dialect|dialectOptions|logging|pool|type|synchronize|entities|migrations|\
         schema|client|connection"),
];

/// TypeORM and Sequelize call the user otherwise.
const USERNAME: Keyword = named(&["username"], "user");

/// TypeORM: node-postgres under another object.
static TYPEORM: Dialect = Dialect {
    name: "typeorm",
    aliases: &["nestjs"],
    title: "TypeORM",
    releases: "1.1",
    forms: &[NODE_URL, Form::Object(&JAVASCRIPT)],
    keywords: Keywords { known: &[&[USERNAME], NODE_NAMES], ..NODE_KEYWORDS },
    hosts: Hosts::Plain,
    demand: node_rules,
    spell: spell_node,
    library: Library::OpenSsl,
    surroundings: NODE_SURROUNDINGS,
    source: "typeorm 1.1.1 with pg 8.23.1 run, 2026-11-29",
};

/// Sequelize: node-postgres, but of its own object it hands on `dialectOptions` alone.
static SEQUELIZE: Dialect = Dialect {
    name: "sequelize",
    aliases: &[],
    title: "Sequelize",
    releases: "6",
    forms: &[NODE_URL, Form::Object(&JAVASCRIPT)],
    keywords: Keywords {
        known: &[&[USERNAME], NODE_NAMES],
        demand_under: Some("dialectOptions"),
        ..NODE_KEYWORDS
    },
    hosts: Hosts::Plain,
    demand: node_rules,
    spell: spell_sequelize,
    library: Library::OpenSsl,
    surroundings: NODE_SURROUNDINGS,
    source: "sequelize 6.37.8 with pg 8.23.1 run, 2026-11-29",
};

/// Set to 0, Node verifies nothing unless `rejectUnauthorized: true` is given (tls.js, `rejectUnauthorized` of
/// tls.connect's defaults).
const REJECT_UNAUTHORIZED: (&str, &str) = ("NODE_TLS_REJECT_UNAUTHORIZED", "NODE_TLS_REJECT_UNAUTHORIZED");
/// A file whose certificates Node trusts besides its own, where no `ca` is given.
const EXTRA_CA_CERTS: (&str, &str) = ("NODE_EXTRA_CA_CERTS", "NODE_EXTRA_CA_CERTS");

/// What Node makes of a demand in these surroundings.
fn in_node(lookup: &Lookup<'_>, decision: Decision) -> Decision {
    let insists = lookup.get("ssl.rejectUnauthorized").is_some_and(|word| word.text == "true");
    let off = lookup.get(REJECT_UNAUTHORIZED.1).filter(|word| word.text == "0" && !insists);
    match off {
        Some(word) if decision.demand.chain != super::Chain::No => {
            let demand = Demand { encryption: decision.demand.encryption, ..Demand::encrypted() };
            let elsewhere = Some(
                "unset NODE_TLS_REJECT_UNAUTHORIZED in the program's environment: while it is 0, no string makes \
                 Node verify",
            );
            let decision = Decision { elsewhere, ..Decision::by(Some(word.at), demand) };
            decision.because("with this variable Node accepts any certificate, whatever the string says")
        }
        _ => decision,
    }
}

/// What Node trusts where no file is named.
fn roots(lookup: &Lookup<'_>, file: &'static str) -> Vec<Root> {
    match lookup.filled(file) {
        Some(word) if word.kind == Kind::Code => vec![Root::Program],
        // In an object it is the text of certificates, whatever it says.
        Some(word) if word.kind == Kind::Text && (file == "ssl.ca" || word.text.contains("-----BEGIN")) => {
            vec![Root::Inline(word.at)]
        }
        Some(word) => vec![Root::Named(word.at)],
        None => built_in(lookup),
    }
}

/// Node's own list, with what NODE_EXTRA_CA_CERTS adds.
fn built_in(lookup: &Lookup<'_>) -> Vec<Root> {
    let extra = lookup.filled(EXTRA_CA_CERTS.1);
    vec![extra.map_or(Root::Node, |extra| Root::AddedToNode(extra.at))]
}

/// node-postgres in Node.
pub(super) fn node_rules(lookup: &Lookup<'_>) -> Decision {
    in_node(lookup, node_postgres(lookup))
}

/// What the URL says, where it says anything (pg-connection-string, parse), else the `ssl` of the object, else PGSSLMODE.
fn node_postgres(lookup: &Lookup<'_>) -> Decision {
    let in_object = lookup.is_object() && lookup.get("connectionString").is_none();
    let mode = lookup.get("sslmode").filter(|mode| !mode.text.is_empty());
    if in_object {
        let decision = object_rules(lookup);
        return match mode {
            Some(mode) if lookup.get("ssl").is_none() => decision_of_ignored(mode, decision),
            _ => decision,
        };
    }
    let file = ["sslrootcert", "sslcert", "sslkey"].into_iter().find_map(|name| lookup.filled(name));
    let ssl = lookup.get("ssl").filter(|ssl| !ssl.text.is_empty() || ssl.kind != Kind::Text);
    let Some(mode) = mode else {
        return match (file, ssl) {
            (Some(file), _) => Decision::by(Some(file.at), Demand::full(roots(lookup, "sslrootcert"))),
            (None, Some(ssl)) if lookup.is_beside(ssl) => object_rules(lookup),
            (None, Some(ssl)) => ssl_word(lookup, ssl),
            (None, None) if lookup.ignored("ssl").is_some() => ignored_ssl(lookup),
            // What is set to nothing is set: the variable counts no more.
            (None, None) => {
                by_variable(lookup).filter(|_| lookup.get("ssl").is_none()).unwrap_or_else(|| {
                    Decision::by(None, Demand::plaintext())
                        .because("without ssl or sslmode node-postgres does not use TLS")
                })
            }
        };
    };
    if lookup.get("uselibpqcompat").is_some_and(|word| word.text == "true") {
        return compatible(lookup, mode);
    }
    let decision = |demand| Decision::by(Some(mode.at), demand);
    match mode.text {
        "disable" => decision(Demand::plaintext()),
        "no-verify" => decision(Demand::encrypted()).because("no-verify accepts any certificate"),
        _ => decision(Demand::full(roots(lookup, "sslrootcert"))),
    }
}

/// PGSSLMODE, where neither string nor object says anything (connection-parameters.js, readSSLConfigFromEnvironment).
fn by_variable(lookup: &Lookup<'_>) -> Option<Decision> {
    let word = lookup.get("PGSSLMODE")?;
    let demand = match word.text {
        "disable" => Demand::plaintext(),
        "prefer" | "require" | "verify-ca" | "verify-full" => Demand::full(built_in(lookup)),
        "no-verify" => {
            let decision = Decision::by(Some(word.at), Demand::encrypted());
            return Some(decision.because("no-verify accepts any certificate"));
        }
        _ => return None,
    };
    Some(Decision::by(Some(word.at), demand))
}

/// A mode in the object, where node-postgres looks for `ssl` only.
fn decision_of_ignored(mode: Word<'_>, decision: Decision) -> Decision {
    Decision { word: Some(mode.at), ..decision }.because(format!(
        "sslmode: '{}' in the object is ignored: node-postgres looks at ssl",
        super::shown(mode.text)
    ))
}

/// `ssl=…` in a URL, or as a word in the object.
fn ssl_word(lookup: &Lookup<'_>, ssl: Word<'_>) -> Decision {
    let decision = |demand| Decision::by(Some(ssl.at), demand);
    match (ssl.kind, ssl.text) {
        (Kind::Text, "true" | "1") => decision(Demand::full(roots(lookup, "sslrootcert"))),
        (Kind::Text, "0") => decision(Demand::plaintext()),
        (Kind::Text, "no-verify") => {
            decision(Demand::encrypted()).because("no-verify accepts any certificate")
        }
        (Kind::Code | Kind::Content, _) => Decision::refused(Some(ssl.at), FaultKind::Computed("ssl".into())),
        _ => Decision::invalid(ssl.at, "ssl", "true, 1, 0 or no-verify: node-postgres fails on other words"),
    }
}

/// With uselibpqcompat=true (pg-connection-string from 2.7 on).
fn compatible(lookup: &Lookup<'_>, mode: Word<'_>) -> Decision {
    let file = lookup.filled("sslrootcert");
    let roots = roots(lookup, "sslrootcert");
    let decision = |demand| Decision::by(Some(mode.at), demand);
    match (mode.text, file) {
        ("disable", _) => decision(Demand::plaintext()),
        ("prefer", _) => decision(Demand::encrypted())
            .because("prefer here has no way back to plaintext, and verifies nothing"),
        ("require", None) => decision(Demand::encrypted()),
        ("require" | "verify-ca", Some(_)) => decision(Demand::chain(roots)),
        ("verify-ca", None) => Decision::refused(Some(mode.at), FaultKind::Missing("sslrootcert")),
        _ => decision(Demand::full(roots)),
    }
}

/// The `ssl` of the object.
fn object_rules(lookup: &Lookup<'_>) -> Decision {
    let Some(ssl) = lookup.get("ssl") else {
        return match lookup.ignored("ssl") {
            Some(_) => ignored_ssl(lookup),
            None => by_variable(lookup).unwrap_or_else(|| {
                Decision::by(None, Demand::plaintext()).because("without ssl node-postgres does not use TLS")
            }),
        };
    };
    let decision = |demand| Decision::by(Some(ssl.at), demand);
    match (ssl.kind, ssl.text) {
        (Kind::Text, "false" | "null" | "") => decision(Demand::plaintext()),
        (Kind::Text, "true") => decision(Demand::full(built_in(lookup))),
        (Kind::Text, "no-verify") => {
            decision(Demand::encrypted()).because("no-verify accepts any certificate")
        }
        (Kind::Object, _) => object(lookup, ssl),
        (Kind::Code | Kind::Content, _) => Decision::refused(Some(ssl.at), FaultKind::Computed("ssl".into())),
        _ => {
            Decision::invalid(ssl.at, "ssl", "true, false or an object: node-postgres fails on other values")
        }
    }
}

/// Sequelize's `ssl` outside of `dialectOptions`.
fn ignored_ssl(lookup: &Lookup<'_>) -> Decision {
    Decision::by(lookup.ignored("ssl").map(|word| word.at), Demand::plaintext())
        .because("ssl is ignored here: Sequelize hands on what stands in dialectOptions")
}

/// The options of tls.connect in an `ssl` object.
fn object(lookup: &Lookup<'_>, ssl: Word<'_>) -> Decision {
    if let Some(word) = lookup.get("ssl.rejectUnauthorized").filter(|word| word.text == "false") {
        return Decision::by(Some(word.at), Demand::encrypted())
            .because("rejectUnauthorized: false accepts any certificate");
    }
    let roots = roots(lookup, "ssl.ca");
    if let Some(word) = lookup.get("ssl.checkServerIdentity") {
        return Decision::by(Some(word.at), Demand::chain(roots))
            .because("this function decides about the host name");
    }
    Decision::by(Some(ssl.at), Demand::full(roots))
}

/// postgres.js.
static POSTGRES_JS: Dialect = Dialect {
    name: "postgres.js",
    aliases: &["postgresjs", "postgres-js"],
    title: "postgres.js",
    releases: "3.4",
    forms: &[
        Form::Url(&url::Rules {
            schemes: &["postgresql://", "postgres://"],
            exact_scheme: false,
            login: Login::ToLast,
            authority_ends: b"/?#",
            fragment: true,
            several_hosts: true,
            user: LENIENT,
            host: LENIENT,
            path: super::LITERAL,
            query: FORM,
            path_form: Path::Database,
            bare: Bare::Empty,
            query_wins: false,
        }),
        Form::Object(&JAVASCRIPT),
    ],
    keywords: Keywords {
        known: &[POSTGRES_JS_NAMES],
        case: Case::Exact,
        unknown: Unknown::Sent,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: postgres_js_rules,
    spell: spell_postgres_js,
    library: Library::OpenSsl,
    surroundings: Surroundings {
        variables: Variables::Of(&[
            "host",
            "port",
            "user",
            "password",
            "dbname",
            "target_session_attrs",
            "sslnegotiation",
            "connect_timeout",
            "application_name",
        ]),
        user: Absent::AsLibpq,
        database: Absent::AsLibpq,
        host: Absent::Is("localhost"),
        passfile: false,
        connect_timeout: 30,
        service_of_string: true,
        of_tls: &[("PGSSL", "PGSSL"), REJECT_UNAUTHORIZED, EXTRA_CA_CERTS],
    },
    source: "postgres 3.4.9 run, 2026-11-29",
};

const POSTGRES_JS_NAMES: &[Keyword] = &[
    tls(&["sslmode"]),
    tls(&["ssl"]),
    tls(&["ssl.ca"]),
    tls(&["ssl.rejectUnauthorized"]),
    tls(&["ssl.checkServerIdentity"]),
    tls(&["ssl.servername"]),
    same(&["sslnegotiation"]),
    named(&["ssl.cert"], "sslcert"),
    named(&["ssl.key"], "sslkey"),
    named(&["ssl.passphrase"], "sslpassword"),
    same(&["connect_timeout"]),
    same(&["target_session_attrs"]),
    server("application_name|search_path|statement_timeout|TimeZone|timezone|options"),
    own("max|idle_timeout|max_lifetime|max_pipeline|backoff|keep_alive|prepare|debug|fetch_types|\
         publications|types|transform|onnotice|onparameter|onclose|connection|path|ssl.minVersion|\
         ssl.maxVersion"),
    // Of the object only: in a URL they are sent to the server (see postgres_js_rules).
    named(&["host", "hostname"], "host"),
    same(&["port"]),
    named(&["database", "db"], "dbname"),
    named(&["username", "user"], "user"),
    named(&["password", "pass"], "password"),
];

/// postgres.js in Node.
fn postgres_js_rules(lookup: &Lookup<'_>) -> Decision {
    in_node(lookup, postgres_js(lookup))
}

/// parseOptions: `sslmode` takes the place of `ssl`; only require, allow and prefer do not verify.
fn postgres_js(lookup: &Lookup<'_>) -> Decision {
    let of_object = lookup.get("ssl").filter(|word| lookup.is_object() || lookup.is_beside(*word));
    let word =
        of_object.or_else(|| lookup.get("sslmode").filter(|_| !lookup.is_object())).or(lookup.get("ssl"));
    let variable = lookup.filled("PGSSL");
    let Some(word) = word.or(variable) else {
        return Decision::by(None, Demand::plaintext()).because("without ssl postgres.js does not use TLS");
    };
    let decision = |demand| Decision::by(Some(word.at), demand);
    match (word.kind, word.text) {
        // The words that switch TLS off are known in a string only.
        (Kind::Text, "disable" | "false" | "null" | "") if word_is(word, variable) => {
            decision(Demand::full(built_in(lookup)))
                .because(format!("PGSSL={} switches TLS on: any word does", super::shown(word.text)))
        }
        (Kind::Text, "disable" | "false" | "null" | "") => decision(Demand::plaintext()),
        (Kind::Text, "prefer") => decision(Demand::if_offered(Fallback::NotOffered)),
        (Kind::Text, "require" | "allow") => decision(Demand::encrypted())
            .because("require and allow encrypt and verify nothing in postgres.js"),
        (Kind::Object, _) => object(lookup, word),
        (Kind::Code | Kind::Content, _) => {
            Decision::refused(Some(word.at), FaultKind::Computed("ssl".into()))
        }
        (Kind::Text, _) => decision(Demand::full(built_in(lookup))),
    }
}

fn word_is(word: Word<'_>, other: Option<Word<'_>>) -> bool {
    other.is_some_and(|other| other.at == word.at)
}

pub(super) fn spell_node(in_object: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    Ok(match (in_object, trusted.file()) {
        (true, Some(path)) => vec![Spelled::content("ssl.ca", path)],
        (true, None) => vec![Spelled::new("ssl", "true")],
        (false, _) => trusted.named(&[("sslmode", "verify-full")], "sslrootcert"),
    })
}

fn spell_sequelize(in_object: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    Ok(match (in_object, trusted.file()) {
        (true, Some(path)) => vec![Spelled::content("dialectOptions.ssl.ca", path)],
        (true, None) => vec![Spelled::new("dialectOptions.ssl", "true")],
        (false, _) => trusted.named(&[("sslmode", "verify-full")], "sslrootcert"),
    })
}

fn spell_postgres_js(in_object: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match (in_object, trusted.file()) {
        (true, _) => spell_node(true, trusted),
        (false, Some(_)) => Err(
            "give ssl: { ca: fs.readFileSync(FILE) } in the options: a URL cannot name a root file for postgres.js",
        ),
        (false, None) => Ok(vec![Spelled::new("sslmode", "verify-full")]),
    }
}
