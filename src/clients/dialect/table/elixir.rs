//! Elixir: Ecto's URL and Postgrex' options.

use super::{
    Absent, Bare, Case, Decision, Demand, Dialect, ELIXIR, FORM, FaultKind, Form, Hosts, Keyword, Keywords,
    Kind, LENIENT, Library, Login, Lookup, PLAIN, Path, Repeated, Rewrite, Root, Spelled, Surroundings,
    Trusted, Unknown, Variables, Word, named, own, rewritten, same, tls, url,
};

pub(super) const DIALECTS: &[&Dialect] = &[&ECTO, &ECTO_0_20];

/// Ecto with Postgrex as it is now.
static ECTO: Dialect = Dialect {
    name: "ecto",
    aliases: &["postgrex", "elixir"],
    title: "Ecto (Postgrex)",
    releases: "Postgrex from 0.21 on",
    hosts: Hosts::Plain,
    demand: |lookup| rules(lookup, true),
    ..copy_of_ecto()
};

/// Postgrex whose `ssl: true` does not verify.
static ECTO_0_20: Dialect = Dialect {
    name: "ecto-0.20",
    aliases: &["postgrex-0.20"],
    title: "Ecto (Postgrex 0.20)",
    releases: "Postgrex 0.18 to 0.20",
    hosts: Hosts::Plain,
    demand: |lookup| rules(lookup, false),
    spell: spell_ecto_0_20,
    source: "postgrex 0.17.5 run, 0.18 to 0.20 read, 2026-11-29",
    ..copy_of_ecto()
};

const fn copy_of_ecto() -> Dialect {
    Dialect {
        name: "",
        aliases: &[],
        title: "",
        releases: "",
        forms: &[
            Form::Url(&url::Rules {
                schemes: &["ecto://", "postgresql://", "postgres://"],
                exact_scheme: false,
                login: Login::ToLast,
                authority_ends: b"/?#",
                fragment: true,
                several_hosts: false,
                user: LENIENT,
                host: LENIENT,
                path: LENIENT,
                query: FORM,
                path_form: Path::OneSegment,
                bare: Bare::Empty,
                query_wins: true,
            }),
            Form::Object(&ELIXIR),
        ],
        keywords: Keywords {
            known: &[ECTO_KEYWORDS],
            case: Case::Exact,
            unknown: Unknown::Ignored,
            repeated: Repeated::Last,
            ..PLAIN
        },
        hosts: Hosts::Plain,
        demand: |lookup| rules(lookup, true),
        spell: spell_ecto,
        library: Library::OpenSsl,
        surroundings: Surroundings {
            variables: Variables::Of(&["host", "port", "user", "password", "dbname"]),
            user: Absent::AsLibpq,
            database: Absent::Refused,
            host: Absent::Is("localhost"),
            passfile: false,
            connect_timeout: 15,
            service_of_string: true,
            of_tls: &[],
        },
        source: "postgrex 0.22.2 run with Ecto's rules for URLs, 2026-11-29",
    }
}

const ECTO_KEYWORDS: &[Keyword] = &[
    named(&["hostname"], "host"),
    same(&["port"]),
    named(&["database"], "dbname"),
    named(&["username"], "user"),
    same(&["password"]),
    tls(&["ssl"]),
    tls(&["ssl.cacertfile"]),
    tls(&["ssl.cacerts"]),
    tls(&["ssl.verify"]),
    tls(&["ssl.server_name_indication"]),
    tls(&["ssl_opts"]),
    tls(&["ssl_opts.verify"]),
    tls(&["ssl_opts.cacertfile"]),
    tls(&["ssl_opts.cacerts"]),
    tls(&["ssl_opts.server_name_indication"]),
    named(&["ssl.certfile"], "sslcert"),
    named(&["ssl.keyfile"], "sslkey"),
    named(&["ssl.password"], "sslpassword"),
    rewritten(&["timeout", "connect_timeout"], "connect_timeout", Rewrite::Milliseconds),
    rewritten(&["target_server_type"], "target_session_attrs", Rewrite::ServerType),
    own("url|adapter|pool|pool_size|pool_count|queue_target|queue_interval|idle_interval|\
         handshake_timeout|ping_timeout|ownership_timeout|parameters|prepare|socket_options|\
         socket|socket_dir|endpoints|types|transactions|disconnect_on_error_codes|ssl.depth|\
         ssl.versions|ssl.ciphers|ssl.customize_hostname_check|\
         ssl.customize_hostname_check.match_fun|show_sensitive_data_on_connection_error|\
         stacktrace|log|otp_app"),
];

/// Only `ssl` counts: any other word of the query, libpq's `sslmode` too, becomes an option that Postgrex passes over.
fn rules(lookup: &Lookup<'_>, verifies: bool) -> Decision {
    let Some(ssl) = lookup.get("ssl") else {
        let ignored = lookup.ignored("sslmode");
        let decision = Decision::by(ignored.map(|word| word.at), Demand::plaintext());
        return match ignored {
            Some(_) => decision.because("Ecto does not know sslmode: without ssl=true it does not use TLS"),
            None => decision.because("without ssl=true Ecto does not use TLS"),
        };
    };
    let decision = |demand| Decision::by(Some(ssl.at), demand);
    match (ssl.kind, ssl.text) {
        (Kind::Text, "false" | "null") => decision(Demand::plaintext()),
        (Kind::Text, "true") if lookup.get("ssl_opts").is_some() => deprecated(lookup),
        (Kind::Text, "true") if verifies => decision(Demand::full(vec![Root::System])),
        (Kind::Text, "true") => {
            decision(Demand::encrypted()).because("ssl: true does not verify before Postgrex 0.21")
        }
        (Kind::Object, _) => list(lookup, ssl.at),
        (Kind::Code | Kind::Content, _) => Decision::refused(Some(ssl.at), FaultKind::Computed("ssl".into())),
        (Kind::Text, _) => Decision::invalid(ssl.at, "ssl", "true or false"),
    }
}

/// `ssl: [cacertfile: …]`: Postgrex adds that the server is verified, but no roots.
fn list(lookup: &Lookup<'_>, at: usize) -> Decision {
    let roots = match (lookup.filled("ssl.cacertfile"), lookup.get("ssl.cacerts")) {
        (Some(file), _) => vec![Root::Named(file.at)],
        (None, Some(_)) => vec![Root::Program],
        (None, None) => Vec::new(),
    };
    let words = ["ssl.verify", "ssl.server_name_indication"].map(|keyword| lookup.get(keyword));
    options(words, roots, at)
}

/// `ssl: true, ssl_opts: […]`: Postgrex adds nothing to these options (protocol.ex, init).
fn deprecated(lookup: &Lookup<'_>) -> Decision {
    let at = lookup.get("ssl_opts").map_or(0, |word| word.at);
    let verify = lookup.get("ssl_opts.verify");
    if verify.is_none() {
        return Decision::by(Some(at), Demand::encrypted()).because(
            "ssl_opts takes the place of what verifies: without verify: :verify_peer Erlang before OTP 26 accepts any certificate",
        );
    }
    let roots = match (lookup.filled("ssl_opts.cacertfile"), lookup.get("ssl_opts.cacerts")) {
        (Some(file), _) => vec![Root::Named(file.at)],
        (None, Some(_)) => vec![Root::Program],
        (None, None) => Vec::new(),
    };
    options([verify, lookup.get("ssl_opts.server_name_indication")], roots, at)
}

/// What options of Erlang's ssl application demand.
fn options([verify, indication]: [Option<Word<'_>>; 2], roots: Vec<Root>, at: usize) -> Decision {
    if let Some(word) = verify.filter(|word| word.text == "verify_none") {
        return Decision::by(Some(word.at), Demand::encrypted())
            .because("verify_none accepts any certificate");
    }
    if roots.is_empty() {
        return Decision::refused(Some(at), FaultKind::Missing("cacertfile"));
    }
    match indication.filter(|word| word.text == "disable") {
        Some(word) => Decision::by(Some(word.at), Demand::chain(roots))
            .because("without server_name_indication the host name is not checked"),
        None => Decision::by(Some(at), Demand::full(roots)),
    }
}

fn spell_ecto(in_object: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match (in_object, trusted.file()) {
        (true, Some(path)) => Ok(vec![Spelled::new("ssl.cacertfile", path)]),
        (_, None) => Ok(vec![Spelled::new("ssl", "true")]),
        (false, Some(_)) => {
            Err("configure ssl: [cacertfile: FILE] beside the URL: a URL cannot name a root file for Ecto")
        }
    }
}

/// Before 0.21 only a list of options verifies.
fn spell_ecto_0_20(in_object: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match trusted.file() {
        Some(path) if in_object => Ok(vec![Spelled::new("ssl.cacertfile", path)]),
        _ => Err(
            "configure ssl: [cacertfile: FILE] beside the URL: before Postgrex 0.21 nothing else verifies",
        ),
    }
}
