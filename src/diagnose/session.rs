//! The session after authentication, and what ends it before.

use super::Fix;
use super::auth::{error, words};
use super::code::{Code, Concern, Severity};
use super::fix::provider_hints;
use super::rule::{Finding, Rule};
use super::view::View;
use crate::conninfo::Origin;
use crate::evidence::{Closure, SessionFailure};
use crate::provider::Situation;
use crate::stage::Stage;
use crate::text;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &DATABASE_MISSING, detect: database_missing },
    Rule { code: &TOO_MANY_CONNECTIONS, detect: too_many },
    Rule { code: &SERVER_STARTING, detect: starting },
    Rule { code: &SESSION_READONLY, detect: wrong_attributes },
    Rule { code: &SESSION_TIMEOUT, detect: timeout },
    Rule { code: &SESSION_CLOSED, detect: closed },
    Rule { code: &SERVER_ERROR, detect: server_error },
];

/// `database-missing`.
pub const DATABASE_MISSING: Code = Code {
    name: "database-missing",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "the database does not exist",
    short: None,
    concerns: &[],
    retryable: false,
    page: include_str!("explain/database-missing.md"),
};

/// `too-many-connections`.
pub const TOO_MANY_CONNECTIONS: Code = Code {
    name: "too-many-connections",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "the server has no free connections",
    short: None,
    concerns: &[],
    retryable: true,
    page: include_str!("explain/too-many-connections.md"),
};

/// `server-starting`.
pub const SERVER_STARTING: Code = Code {
    name: "server-starting",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "the server is starting or stopping",
    short: None,
    concerns: &[],
    retryable: true,
    page: include_str!("explain/server-starting.md"),
};

/// `session-timeout`.
pub const SESSION_TIMEOUT: Code = Code {
    name: "session-timeout",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "no response after the startup message",
    short: Some("silence"),
    concerns: &[Concern::Deadline],
    retryable: true,
    page: include_str!("explain/session-timeout.md"),
};

/// `session-closed`.
pub const SESSION_CLOSED: Code = Code {
    name: "session-closed",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "the connection was closed after the startup message",
    short: Some("closed"),
    concerns: &[],
    retryable: true,
    page: include_str!("explain/session-closed.md"),
};

/// `session-readonly`.
pub const SESSION_READONLY: Code = Code {
    name: "session-readonly",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "the server does not match target_session_attrs",
    short: Some("not the kind of server that is wanted"),
    concerns: &[],
    retryable: true,
    page: include_str!("explain/session-readonly.md"),
};

/// `server-error`.
pub const SERVER_ERROR: Code = Code {
    name: "server-error",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "the server sent an error",
    short: Some("an error"),
    concerns: &[],
    retryable: false,
    page: include_str!("explain/server-error.md"),
};

fn database_missing(view: &View<'_>) -> Option<Finding> {
    let message = error(view).filter(|message| message.sqlstate == "3D000")?;
    let database = view.database();
    let named = |origin: &Origin| !matches!(origin, Origin::Default | Origin::ToolDefault(_));
    let by_user = !view.origin("dbname").is_some_and(named) && database == view.user();
    Some(
        Finding::titled(format!("there is no database {database}"))
            .because(if by_user {
                "no database was named, and libpq then takes the user's name"
            } else {
                "TLS and the login are well; names are case-sensitive"
            })
            .fact("database", database.clone())
            .fact_if("from", view.origin_words("dbname"))
            .fact("server_says", words(message))
            .fix(
                Fix::text("name the database; every server has one named postgres").set("dbname", "postgres"),
            )
            .fix(Fix::text("list those there are").run("psql -l")),
    )
}

fn too_many(view: &View<'_>) -> Option<Finding> {
    let message = error(view).filter(|message| message.sqlstate == "53300")?;
    Some(
        Finding::titled("the server has no free connection")
            .because("it, the database or the role has reached its limit; TLS is well")
            .fact("limit", words(message))
            .fact_if("detail", message.detail.as_deref().map(text::printable))
            .fix(
                Fix::text("wait, or end idle sessions").run(
                    "SELECT pid, usename, state, state_change FROM pg_stat_activity ORDER BY state_change;",
                ),
            )
            .fix(Fix::text(
                "put a pooler in front, or raise max_connections (or the CONNECTION LIMIT of role or \
                 database)",
            )),
    )
}

fn starting(view: &View<'_>) -> Option<Finding> {
    let message =
        error(view).filter(|message| matches!(message.sqlstate.as_str(), "57P03" | "57P01" | "57P02"))?;
    let state = match message.sqlstate.as_str() {
        "57P03" => "it cannot take connections now: it starts, stops or recovers",
        "57P01" => "an administrator is shutting it down, or ended this session",
        _ => "another of its processes crashed, and it restarts",
    };
    Some(
        Finding::titled("the server is starting or stopping")
            .because(state)
            .fact("state", words(message))
            .fact("sqlstate", text::printable(&message.sqlstate))
            .fix(Fix::text("wait until it accepts connections").run("pg_isready"))
            .fix(Fix::text("still so after minutes? its log says what it waits for")),
    )
}

/// The last message that came, by its type.
fn last_message(view: &View<'_>) -> String {
    match view.session().and_then(|session| session.last_message) {
        None => "none".to_owned(),
        Some(b'R') => "R, an authentication request".to_owned(),
        Some(b'S') => "S, a parameter".to_owned(),
        Some(b'K') => "K, the cancel key".to_owned(),
        Some(b'Z') => "Z, ready for queries".to_owned(),
        Some(b'N') => "N, a notice".to_owned(),
        Some(b'E') => "E, an error".to_owned(),
        Some(byte) => text::printable_bytes(&[byte]),
    }
}

fn seconds(view: &View<'_>) -> Option<i64> {
    let step = view.attempt?.session.as_ref()?;
    i64::try_from(super::view::seconds(step.took)).ok()
}

fn timeout(view: &View<'_>) -> Option<Finding> {
    if !matches!(view.session_failure(), None | Some(SessionFailure::TimedOut)) {
        return None;
    }
    let authenticated = view.session().is_some_and(|session| session.authenticated.is_some());
    Some(
        Finding::titled(if authenticated {
            "the server falls silent after the login"
        } else {
            "the server falls silent after the start-up message"
        })
        .because(format!(
            "{}; whoever answers then waits for something: a pooler for a free server connection, a proxy for a \
             server that does not answer, the server for its LDAP, RADIUS or Kerberos",
            view.tls_words()
        ))
        .fact("last_message", last_message(view))
        .fact_if("seconds", seconds(view))
        .fix(Fix::text("behind a pooler: see whether its pool is exhausted").run("SHOW POOLS;"))
        .fix(Fix::text("read the server's log: does it show the connection?"))
        .fix(Fix::text("check TLS alone").run(view.command(["pgtls-check", "--tls-only"]))),
    )
}

fn closed(view: &View<'_>) -> Option<Finding> {
    let how = match view.session_failure()? {
        SessionFailure::Ended(Closure::Closed) => "closed (FIN)".to_owned(),
        SessionFailure::Ended(Closure::Reset) => "reset (RST)".to_owned(),
        SessionFailure::Failed(failure) => text::printable(&failure.text),
        _ => return None,
    };
    let asked =
        view.tls().is_some_and(|tls| tls.client_certificate.requested && !tls.client_certificate.sent);
    Some(
        Finding::titled("the connection is closed after the start-up message")
            .because(if view.ended_in_plaintext() {
                "sslmode=allow asks without TLS first; the server closed that connection, and libpq stops there \
                 without trying TLS"
                    .to_owned()
            } else if asked {
                format!(
                    "{}; the server asked for a client certificate, got none, and closed the connection",
                    view.tls_words()
                )
            } else {
                format!(
                    "{}; the server's process ended, or a proxy in between found no server to pass the session to",
                    view.tls_words()
                )
            })
            .fact("answer", how)
            .fact("last_message", last_message(view))
            .fact_if("seconds", seconds(view))
            .fix(Fix::text(
                "read the server's log at this time; no entry there means the proxy or pooler before it",
            ))
            .fix(Fix::text("check TLS alone").run(view.command(["pgtls-check", "--tls-only"]))),
    )
}

fn wrong_attributes(view: &View<'_>) -> Option<Finding> {
    let SessionFailure::WrongSessionAttrs { standby, read_only } = view.session_failure()? else {
        return None;
    };
    let wanted = view
        .settings()?
        .parameter("target_session_attrs")
        .map_or("any".to_owned(), |parameter| super::view::shown_value(&parameter.value));
    let mut found = Vec::new();
    match standby {
        Some(true) => found.push("a standby".to_owned()),
        Some(false) => found.push("a primary".to_owned()),
        None => {}
    }
    match read_only {
        Some(true) => found.push("read-only by default".to_owned()),
        Some(false) => found.push("read-write".to_owned()),
        None => {}
    }
    let found = if found.is_empty() { "not told".to_owned() } else { found.join(", ") };
    Some(
        Finding::titled(format!("the server is {found}, and target_session_attrs={wanted}"))
            .because(
                "TLS and the login are well; libpq goes on to the next host until one is of the kind \
                 wanted, and there is none",
            )
            .fact("wanted", wanted)
            .fact("found", found)
            .fact_if("from", view.origin_words("target_session_attrs"))
            .fix(Fix::text("name all servers of the cluster in host, so that libpq can find the right one"))
            .fix(Fix::text("a failover under way? wait until a server is promoted")),
    )
}

/// Any other error.
fn server_error(view: &View<'_>) -> Option<Finding> {
    if let Some(message) = error(view) {
        let sqlstate = text::truncated(&text::printable(&message.sqlstate), 10);
        let said = words(message);
        let pooler = said.contains("Tenant or user not found");
        return Some(
            Finding::titled(format!("the server answers: {said}"))
                .because(if pooler {
                    "the pooler finds the server by the user name, and knows none of this one".to_owned()
                } else {
                    format!("{}; the server ends the session with an error of its own", view.tls_words())
                })
                .fact("sqlstate", sqlstate)
                .fact("message", said)
                .fact_if(
                    "detail",
                    message.detail.as_deref().map(|detail| text::truncated(&text::printable(detail), 300)),
                )
                .fact_if(
                    "hint",
                    message.hint.as_deref().map(|hint| text::truncated(&text::printable(hint), 300)),
                )
                .fixes(
                    pooler.then(|| provider_hints(view, Situation::RoleMissing, None)).into_iter().flatten(),
                )
                .fixes(message.message.contains("is not permitted to log in").then(|| {
                    Fix::text("let the role log in, as a role that may")
                        .run(format!("ALTER ROLE \"{}\" LOGIN;", view.user().replace('"', "\"\"")))
                }))
                .fix(Fix::text(
                    "read the server's log at this time, and PostgreSQL's manual, appendix Error Codes, \
                     under the SQLSTATE",
                ))
                .fix(Fix::text("check TLS alone").run(view.command(["pgtls-check", "--tls-only"]))),
        );
    }
    let what = match view.session_failure() {
        Some(SessionFailure::Protocol(what)) => text::printable(what),
        Some(SessionFailure::AlertReceived(alert)) => super::alerts::name(*alert),
        _ => "something this tool has no name for".to_owned(),
    };
    Some(
        Finding::titled(format!("the session ends with {what}"))
            .because(format!(
                "{}; what came then is not what PostgreSQL's protocol has at this place",
                view.tls_words()
            ))
            .fact("message", what)
            .fact("last_message", last_message(view))
            .fix(Fix::text(
                "see whether a proxy or pooler between changes the session; check the server itself",
            ))
            .fix(Fix::text("read the server's log at this time")),
    )
}
