//! The session after authentication, and what ends it before.

use std::net::IpAddr;

use super::auth::{error, lower_case, quoted_role, words};
use super::code::{Code, Concern, Severity};
use super::fix::{
    RELOAD, administrator, in_the_log, is_local, log_connections, manager, provider_hints, who_listens,
};
use super::recognise::translated::is_message;
use super::rule::{Finding, Rule};
use super::said::{Gateway, SOMEBODY, Said, gateway, said};
use super::view::{Reachability, View, reachability, shown_value};
use super::{Fix, look_alike};
use crate::conninfo::Origin;
use crate::evidence::{Closure, ServerMessage, SessionFailure};
use crate::provider::{self, Situation};
use crate::stage::Stage;
use crate::text;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &DATABASE_MISSING, detect: database_missing },
    Rule { code: &TOO_MANY_CONNECTIONS, detect: too_many },
    Rule { code: &UPSTREAM_FAILED, detect: upstream },
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
};

/// `upstream-failed`.
pub const UPSTREAM_FAILED: Code = Code {
    name: "upstream-failed",
    severity: Severity::Failure,
    stage: Stage::Session,
    title: "a pooler or proxy could not reach the server behind it",
    short: Some("the pooler's own connection failed"),
    concerns: &[],
    retryable: true,
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
};

fn database_missing(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let by_pooler = gateway(message);
    match &by_pooler {
        Some(found) if found.means != Gateway::NoDatabase => return None,
        None if said(message) != Some(Said::NoDatabase) || damaged(view).is_some() => return None,
        _ => {}
    }
    let database = view.database();
    let named = |origin: &Origin| !matches!(origin, Origin::Default | Origin::ToolDefault(_));
    let by_user = !view.origin("dbname").is_some_and(named) && database == view.user();
    let title = match &by_pooler {
        Some(found) => format!("{} knows no database {database}", found.by),
        None => format!("the database {database} does not exist"),
    };
    let finding = Finding::titled(title)
        .because(match (&by_pooler, by_user) {
            (Some(_), _) => {
                "its own configuration has no such database, whatever the server behind it has; names are case-sensitive".to_owned()
            }
            (None, true) => format!("dbname is not set, and {} then uses the user's name", view.program()),
            (None, false) => format!("names are case-sensitive; {}", login_words(view)),
        })
        .fact("database", database.clone())
        .fact_if("from", view.origin_words("dbname"))
        .fact("server_says", words(message))
        .fact_if("detail", detail(message));
    if let Some(mended) = look_alike::mended_value(view, &finding, "dbname") {
        return Some(mended);
    }
    Some(match by_pooler {
        Some(_) if manager(view).is_some() => finding
            .fixes(provider_hints(view, Situation::NoPool, None))
            .fixes(super::tcp::past_pooler(view))
            .fix(Fix::text("set dbname to one that the pooler has: the provider's console lists them")),
        Some(_) => finding
            .fix(
                Fix::text("list the databases of PgBouncer, as one of its admin_users (in place of ADMIN)")
                    .run(console(view, "SHOW DATABASES")),
            )
            .fix(
                Fix::server("in PgBouncer: add it to [databases] in pgbouncer.ini (in place of SERVER its host), then RELOAD")
                    .run(format!("{database} = host=SERVER port=5432")),
            ),
        None => finding.fixes(other_database(view, &database, by_user)),
    })
}

/// Another database, or a new one: nobody meant one that only a default names.
fn other_database(view: &View<'_>, database: &str, by_user: bool) -> Vec<Fix> {
    let lower = lower_case(database).map(|database| {
        Fix::text("write it in lower case: PostgreSQL stores names so that were not created in double quotes")
            .set("dbname", database)
    });
    let list = Fix::text("list the databases, and set dbname to the one that is meant, in its exact case")
        .run(view.command_under(["psql", "-l"], &[("dbname", "postgres".to_owned())]));
    let create = Fix::text("on the server, if none of them is meant: create it, which is then empty")
        .run(format!("CREATE DATABASE {};", quoted_role(database)));
    let mut others = provider_hints(view, Situation::DatabaseMissing, None);
    others.push(create);
    let every = Fix::text("use the one that every server has").set("dbname", "postgres");
    others.insert(if by_user { 0 } else { others.len() }, every);
    lower.into_iter().chain([list]).chain(others).collect()
}

/// The files of a database that an error's DETAIL names, below the server's data directory: a path is the same in every
/// language (postinit.c, InitPostgres; miscinit.c, ValidatePgVersion).
fn missing_files(message: &ServerMessage) -> Option<String> {
    let of_database = |part: &&str| part.starts_with("base/") || part.starts_with("pg_tblspc/");
    let texts = [message.detail.as_deref(), Some(message.message.as_str())].into_iter().flatten();
    let found =
        texts.flat_map(|text| text.split(['"', '»', '«', '„', '“', '”'])).map(str::trim).find(of_database)?;
    Some(text::truncated(&text::printable(found), 200))
}

/// A database that is in the catalogue and not on the disk, or that only DROP DATABASE may still touch: to create it helps
/// nothing.
fn damaged(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let database = view.database();
    let finding = |title: String| {
        Finding::titled(title)
            .in_short("the database is damaged")
            .fact("database", database.clone())
            .fact("sqlstate", text::truncated(&text::printable(&message.sqlstate), 10))
            .fact("server_says", words(message))
            .fact_if("detail", detail(message))
    };
    let login = login_words(view);
    if is_message(&message.message, "cannot connect to invalid database") {
        let name = quoted_role(&database);
        return Some(
            finding(format!("the database {database} is invalid: a DROP DATABASE of it was interrupted"))
                .because(format!("{login}; after that PostgreSQL allows nothing with it but to drop it"))
                .fix(
                    Fix::text("on the server: drop it, create it again, and restore its content from a backup (in place of FILE)")
                        .run(format!("DROP DATABASE {name};\nCREATE DATABASE {name};\n-- in a shell:\n-- pg_restore -d {name} FILE")),
                ),
        );
    }
    let path = missing_files(message)
        .filter(|_| ["3D000", "22023", "58P01"].contains(&message.sqlstate.as_str()))?;
    let is_elsewhere = path.starts_with("pg_tblspc/");
    let restore = match view.provider() {
        Some(found) => Fix::text(format!(
            "at {}: restore the server to a moment before the loss (point-in-time recovery), and report it to the support",
            found.provider.name
        )),
        None => Fix::text(
            "on the server, if they are lost: stop it, keep a copy of the data directory as it is, and restore the last backup with the WAL \
             since then (pgBackRest, Barman, pg_basebackup); what is left of the other databases can be dumped first",
        )
        .run(format!("pg_dumpall --exclude-database={} -f others.sql", text::posix_quoted(&database))),
    };
    let mounted = view.provider().is_none().then(|| {
        Fix::text(match is_elsewhere {
            true => {
                "on the server: see where the link of the tablespace leads and whether that disk is mounted; mount it, then restart PostgreSQL"
            }
            false => {
                "on the server: see whether the disk with the data is mounted, whether this is the data directory that is meant, and whether \
                 somebody moved the directory away; mount or put it back, then restart PostgreSQL"
            }
        })
        .run(format!(
            "psql -d postgres -Atc 'SHOW data_directory'\n# there:\nls -ld {}; ls -l pg_tblspc; findmnt -T .; dmesg -T | grep -iE 'i/o error|ext4|xfs' | tail",
            text::posix_quoted(&path)
        ))
    });
    Some(
        finding(format!("the files of the database {database} are missing on the server: {path}"))
            .because(format!(
                "{login}; the database is in the server's catalogue, its files are not on the disk: they are on a disk that is not mounted, or \
                 they were lost. CREATE DATABASE does not help"
            ))
            .fixes(mounted)
            .fix(restore),
    )
}

/// What a pooler has in its own configuration for a user of a database, and where: the file, what is to stand in it, and how it
/// is read again. In the lines `{database}` and `{user}` are filled in.
const ROUTES: &[(&str, &str, &str, &str)] = &[
    (
        "Odyssey",
        "odyssey.conf",
        "database \"{database}\" {\n    user \"{user}\" {\n        authentication \"scram-sha-256\"\n        password \"PASSWORD\"\n        \
         storage \"STORAGE\"\n        pool \"session\"\n    }\n}",
        "sudo systemctl reload odyssey",
    ),
    (
        "PgCat",
        "pgcat.toml",
        "[pools.{database}.users.0]\nusername = \"{user}\"\npassword = \"PASSWORD\"\npool_size = 10\n[pools.{database}.shards.0]\ndatabase = \
         \"{database}\"\nservers = [[\"SERVER\", 5432, \"primary\"]]",
        "sudo pkill -HUP pgcat",
    ),
    (
        "Pgpool-II",
        "pool_hba.conf",
        "hostssl {database} {user} CLIENT-ADDRESS/32 scram-sha-256",
        "pgpool reload",
    ),
];

/// A pooler that has no route for the user and the database: nothing is known of the server behind it.
fn no_route(view: &View<'_>, message: &ServerMessage, by: &'static str) -> Finding {
    let (user, database) = (view.user(), view.database());
    let named = |text: &str| text.replace("{database}", &database).replace("{user}", &user);
    let fix = match ROUTES.iter().find(|(product, ..)| *product == by) {
        Some((_, file, lines, reload)) => Fix::server(format!(
            "on the pooler's machine: add the user of this database to {file} (in place of the words in capitals its values), then reload"
        ))
        .run(format!("{}\n# then:\n{reload}", named(lines))),
        None if message.message.contains("does not allow connections") => {
            Fix::server("in PgBouncer: let the database take connections again, as one of its admin_users (in place of ADMIN)")
                .run(console(view, &format!("ENABLE {database}")))
        }
        None => Fix::server(
            "in PgBouncer: add the user to the file of auth_file (userlist.txt; in place of PASSWORD the password), or set auth_user and \
             auth_query, then RELOAD as one of its admin_users (in place of ADMIN)",
        )
        .run(format!("\"{user}\" \"PASSWORD\"\n# then:\n{}", console(view, "RELOAD"))),
    };
    let answer = words(message);
    Finding::titled(format!("{by} does not let user {user} into database {database}: {answer}"))
        .in_short("the pooler has no route")
        .because(format!(
            "the pooler's own configuration has nothing for this user and database; it did not ask the server behind it ({})",
            view.tls_words()
        ))
        .answered(true)
        .fact("message_from", by)
        .fact("user", user)
        .fact("database", database)
        .fact("sqlstate", text::truncated(&text::printable(&message.sqlstate), 10))
        .fact("message", answer)
        .fix(fix)
        .fix(Fix::text(
            "here: if another user or database is meant, set user and dbname to those that the pooler has; both are case-sensitive",
        ))
}

/// Whether a pooler repeats that its login was rejected.
fn is_login(said: &str) -> bool {
    ["authentication failed", "no pg_hba.conf entry"].iter().any(|words| said.contains(words))
}

/// Whether PgBouncer has the password in a form that is no answer to what the server asks (its proto.c).
fn is_another_form(said: &str) -> bool {
    said.contains("wrong password type")
}

/// An md5 hash is no answer to SCRAM, and a SCRAM secret only where the client proves by SCRAM what PgBouncer then repeats.
fn without_scram(view: &View<'_>, said: &str) -> (String, String, Vec<Fix>) {
    let user = view.user();
    (
        format!("the pooler cannot log in to its server: {said}"),
        format!(
            "your connection to the pooler is up ({}); PgBouncer has the password in a form that is no answer to what the server asks: \
             mostly md5… in its auth_file (userlist.txt), where the server asks for SCRAM",
            view.tls_words()
        ),
        vec![
            Fix::server(
                "in PgBouncer: write the plain password in the place of md5… there, then RELOAD as one of its admin_users (in place of ADMIN)",
            )
            .run(format!("# in userlist.txt:\n\"{user}\" \"PASSWORD\"\n# then:\n{}", console(view, "RELOAD"))),
            Fix::server(
                "without the plain password: write the SCRAM secret there, which this prints on the server, set auth_type = scram-sha-256 in \
                 pgbouncer.ini, and RELOAD",
            )
            .run(format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{}';", user.replace('\'', "''"))),
        ],
    )
}

/// Where a pooler tells the state of its servers.
fn its_servers(view: &View<'_>, pooler: &str) -> Fix {
    if pooler.starts_with("Pgpool") {
        return Fix::server("in Pgpool-II: see which servers are down, start them, and attach them again (N: the node's number)")
            .run("psql -h localhost -p PORT -c 'SHOW pool_nodes'\npcp_attach_node -n N");
    }
    Fix::server(
        "in PgBouncer: the errors of its server connections are in its log; one of its admin_users (in place of ADMIN) sees the state of \
         its servers with",
    )
    .run(console(view, "SHOW SERVERS"))
}

/// The pooler's own connection failed, for sure or in all likelihood. PostgreSQL sends no state of class 08 to a client that has
/// just connected.
fn unreachable_behind(
    view: &View<'_>,
    message: &ServerMessage,
    by: &str,
    said: &str,
) -> (String, String, Vec<Fix>) {
    let tls = view.tls_words();
    let check = Fix::server("on the pooler's machine: check the connection that the pooler makes, with its host, user and sslmode")
        .run("pgtls-check 'host=SERVER user=USER sslmode=verify-full'");
    if by == SOMEBODY {
        let cause = format!(
            "{tls}; PostgreSQL itself sends no SQLSTATE {} to a client that has just connected: probably a pooler or proxy could not \
             reach the server behind it",
            text::printable(&message.sqlstate)
        );
        return (format!("a connection failed behind the one that is up: {said}"), cause, vec![check]);
    }
    let cause = format!(
        "your connection to the pooler is up ({tls}); the pooler's own connection to the PostgreSQL server behind it failed. The \
         message is from {by}"
    );
    (format!("the pooler cannot reach its server: {said}"), cause, vec![check, its_servers(view, by)])
}

/// Another name for the server that a gateway does not know.
fn named_again(view: &View<'_>, by: &str, said: &str) -> Fix {
    match by.starts_with("Supavisor") {
        true if !view.user().contains('.') => Fix::text(
            "write the project's reference after the role (in place of REF; it is in the URL of the project's page), and set host \
             to the pooler of the project's region",
        )
        .set("user", format!("{}.REF", view.user())),
        true => Fix::text(
            "copy host and user from the project's page again: the pooler's user is ROLE.PROJECT-REF, such as \
             postgres.abcdefghijkl; a paused or deleted project reads the same",
        ),
        // Neon's.
        false if said.contains("endpoint") => Fix::text(
            "the endpoint in host was deleted, as it is with its branch or project, or is mistyped: copy the string of a branch that \
             exists from the provider's page",
        ),
        false => Fix::text(
            "copy host and user from the provider's page of this project again; a deleted or paused project reads \
             the same",
        ),
    }
}

/// An error of the hop behind the one that answers.
fn upstream(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let found = gateway(message)?;
    let said = words(message);
    let (title, cause, fixes) = match found.means {
        Gateway::Upstream if is_login(&said) => (
            format!("the pooler cannot log in to its server: {said}"),
            format!(
                "your connection to the pooler is up ({}), and so is the pooler's to the PostgreSQL server behind it, which rejects \
                 the pooler's login. The message is from {}",
                view.tls_words(),
                found.by
            ),
            match super::auth::entry_for_pooler(view, &said) {
                Some(fixes) => fixes,
                None => vec![
                Fix::server(
                    "in PgBouncer: put the user's current password into the file of auth_file (userlist.txt), in place of \
                     PASSWORD, or user= and password= into its line in [databases]; then RELOAD as one of its admin_users (in \
                     place of ADMIN)",
                )
                .run(format!(
                    "# in userlist.txt:\n\"{}\" \"PASSWORD\"\n# then:\n{}",
                    view.user(),
                    console(view, "RELOAD")
                )),
                Fix::server("on the pooler's machine: try the pooler's login, with its host and user")
                    .run("psql 'host=SERVER user=USER'"),
                ],
            },
        ),
        Gateway::Upstream if is_another_form(&said) => without_scram(view, &said),
        Gateway::Upstream => unreachable_behind(view, message, found.by, &said),
        Gateway::NoRoute => return Some(no_route(view, message, found.by)),
        Gateway::NoTarget => (
            format!("the pooler does not know the server that is meant: {said}"),
            format!(
                "your connection to the pooler or gateway is up ({}); it finds the server by user, host or project name, and \
                 knows none of this one. The message is from {}",
                view.tls_words(),
                found.by
            ),
            vec![named_again(view, found.by, &said)],
        ),
        _ => return None,
    };
    Some(
        Finding::titled(title)
            .answered(found.means == Gateway::NoTarget || is_login(&said) || is_another_form(&said))
            .because(cause)
            .fact("message_from", found.by)
            .fact("sqlstate", text::truncated(&text::printable(&message.sqlstate), 10))
            .fact("message", said)
            .fact_if("detail", detail(message))
            .fixes(
                (found.means == Gateway::NoTarget && !found.by.starts_with("Supavisor"))
                    .then(|| provider_hints(view, Situation::RoleMissing, None))
                    .into_iter()
                    .flatten(),
            )
            .fixes(fixes),
    )
}

/// A command in the console of PgBouncer, which is a database of the pooler itself: the same target otherwise.
fn console(view: &View<'_>, command: &str) -> String {
    let to =
        view.command_under(["psql"], &[("dbname", "pgbouncer".to_owned()), ("user", "ADMIN".to_owned())]);
    format!("{to} -c {}", text::shell_quoted(command))
}

fn detail(message: &ServerMessage) -> Option<String> {
    message.detail.as_deref().map(|detail| text::truncated(&text::printable(detail), 300))
}

/// Limits of poolers, by what their errors hold, in lower case: PgBouncer's objects.c and client.c, Supavisor's issues,
/// Odyssey's frontend.h.
const POOLERS_LIMITS: &[(&str, &str, &str)] = &[
    ("(max_client_conn)", PGBOUNCER, "max_client_conn"),
    ("max_db_client_connections", PGBOUNCER, "max_db_client_connections"),
    ("max_user_client_connections", PGBOUNCER, "max_user_client_connections"),
    ("max client connections reached", "Supavisor (Supabase)", "the limit of the pooler's clients"),
    ("max clients reached", "Supavisor (Supabase)", "pool_size"),
    ("odyssey: ", "Odyssey", "client_max, of the route or of all"),
];

const PGBOUNCER: &str = "PgBouncer";

/// The limit on replication.
fn no_senders(view: &View<'_>, message: &ServerMessage) -> Finding {
    Finding::titled("the server has no free connections for replication")
                .because(format!("it has reached max_wal_senders; {}", view.tls_words()))
                .fact("limit", words(message))
                .fix(
                    Fix::server("on the server: see who replicates and end what is not needed, or raise the limit (needs a restart)")
                        .or_at_provider("see in pg_stat_replication who replicates and end what is not needed, or raise the server parameter max_wal_senders at the provider")
                        .run(
                        "SELECT pid, usename, application_name, client_addr FROM pg_stat_replication;\nALTER SYSTEM SET max_wal_senders = \
                         20;",
                    ),
                )
}

fn too_many(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let is_state = message.sqlstate == "53300";
    let text = message.message.to_lowercase();
    let by_pooler =
        POOLERS_LIMITS.iter().find(|(words, by, _)| text.contains(words) && (is_state || *by != "Odyssey"));
    let fewer = Fix::text(
        "in the clients: open fewer connections, or close idle ones (the application's own pool size)",
    );
    if let Some((_, by, limit)) = by_pooler {
        let raise = match *by {
            PGBOUNCER => Fix::server(format!(
                "in PgBouncer: raise {limit} in pgbouncer.ini (and ulimit -n above it), then restart it; who is connected, its \
                 admin_users (in place of ADMIN) see with"
            ))
            .run(console(view, "SHOW CLIENTS")),
            by => Fix::text(format!("in {by}: raise {limit}")),
        };
        let of_provider = match *limit {
            "max_client_conn" => provider_hints(view, Situation::PoolerFull, None),
            _ => Vec::new(),
        };
        return Some(
            Finding::titled(format!("{by} has no free client connections"))
                .because(format!("{by} has reached its limit of clients, {limit}; {}", view.tls_words()))
                .fact("limit", words(message))
                .fixes(of_provider)
                .fixes(transactions(view, limit))
                .fix(raise)
                .fix(fewer),
        );
    }
    if !is_state {
        return None;
    }
    if message.message.contains("max_wal_senders") {
        return Some(no_senders(view, message));
    }
    let Some((reached, of)) = reached(&message.message) else {
        return Some(
            Finding::titled(format!("too many connections: {}", words(message)))
                .because(format!(
                    "{}; whose limit it is (the server's, a role's, a database's, a pooler's or the provider's), SQLSTATE 53300 does \
                     not tell, the message may",
                    view.tls_words()
                ))
                .fact("limit", words(message))
                .fact_if("detail", detail(message))
                .fix(fewer)
                .fix(Fix::text("where the limit is: raise it, or end idle sessions")),
        );
    };
    let raised = of.map(|of| {
        let what = if of == "ROLE" { view.user() } else { view.database() };
        Fix::text("on the server: raise the limit (-1: none)")
            .run(format!("ALTER {of} {} CONNECTION LIMIT -1;", quoted_role(&what)))
    });
    Some(
        Finding::titled("the server has no free connections")
            .because(format!("{reached}; {}", view.tls_words()))
            .fact("limit", words(message))
            .fact_if("detail", message.detail.as_deref().map(text::printable))
            .fixes(raised)
            .fix(
                Fix::text(match manager(view) {
                    Some(_) => "in a session that is open: end idle ones (a role its own, the server's administrator those of others)",
                    None => "on the server as a superuser (for whom connections are reserved): end idle sessions",
                }).run(
                    "SELECT pid, usename, state_change FROM pg_stat_activity WHERE state = 'idle' ORDER BY state_change;\nSELECT pg_terminate_backend(PID);",
                ),
            )
            .fixes(provider_hints(view, Situation::NoConnectionsLeft, None))
            .fix(
                Fix::server("use a pooler, or on the server: raise max_connections (needs a restart)")
                    .or_at_provider("use a pooler, or a larger size of the server: the limit grows with it"),
            ),
    )
}

/// Supavisor's pool of sessions is used up: on its other port many clients share it.
fn transactions(view: &View<'_>, limit: &str) -> Option<Fix> {
    let ports = view.provider().filter(|_| limit == "pool_size")?.provider.ports;
    let pooler = ports.iter().find(|port| port.pooler && port.number != view.port())?;
    let text = format!(
        "use {} at port {}, where many clients share few connections (without prepared statements, LISTEN and SET)",
        pooler.what, pooler.number
    );
    Some(Fix::text(text).set("port", pooler.number.to_string()))
}

/// Which limit it is, as far as the message tells (proc.c, postinit.c, miscinit.c), and of what it can be raised at once.
fn reached(message: &str) -> Option<(&'static str, Option<&'static str>)> {
    const MAX: &str = "the server has reached its limit (max_connections)";
    [
        (
            "too many connections for database *",
            "the database has reached its CONNECTION LIMIT",
            Some("DATABASE"),
        ),
        ("too many connections for role *", "the role has reached its CONNECTION LIMIT", Some("ROLE")),
        ("sorry, too many clients already", MAX, None),
        ("remaining connection slots are reserved *", MAX, None),
    ]
    .into_iter()
    .find(|(pattern, ..)| is_message(message, pattern))
    .map(|(_, reached, of)| (reached, of))
}

/// How far it came: before AuthenticationOk nothing is known of the login.
fn login_words(view: &View<'_>) -> String {
    let session = view.session();
    let tls = view.tls_words();
    match session.is_some_and(|session| session.authenticated.is_some()) {
        false => tls.to_owned(),
        true if session.is_some_and(|session| !session.requested.is_empty()) => {
            format!("{tls}, and the password was accepted")
        }
        true => format!("{tls}, and the login succeeded"),
    }
}

fn starting(view: &View<'_>) -> Option<Finding> {
    let message = error(view)
        .filter(|message| matches!(message.sqlstate.as_str(), "57P03" | "57P01" | "57P02"))
        .filter(|message| !is_of_an_account(message))?;
    let no_standby_sessions =
        message.detail.as_deref().is_some_and(|detail| detail.contains("Hot standby mode is disabled"));
    let says_so = is_message(&message.message, "the database system is shutting down");
    let stops = says_so || message.sqlstate == "57P01";
    let state = match message.sqlstate.as_str() {
        "57P03" if stops => {
            "it is being stopped; it accepts connections again once somebody or the system has started it"
        }
        _ if no_standby_sessions => {
            "it is a standby that takes no sessions (hot_standby is off); waiting does not change that"
        }
        "57P03" if is_message(&message.message, "the database system is *") => {
            "it cannot accept connections now: it is starting, stopping or recovering"
        }
        "57P01" if is_message(&message.message, "administrator command") || says_so => {
            "an administrator is shutting it down, or ended this session"
        }
        "57P02" if is_message(&message.message, "crash of another server process") => {
            "another of its processes crashed, and it restarts"
        }
        _ => "it, or a pooler or proxy in front of it, takes no sessions now; the message has the reason",
    };
    Some(
        Finding::titled("the server is starting or stopping")
            .because(state)
            .fact("state", words(message))
            .fact_if("detail", detail(message))
            .fact("sqlstate", text::printable(&message.sqlstate))
            .fixes(no_standby_sessions.then(|| {
                [
                    Fix::text("set host to the primary of the cluster"),
                    Fix::server("on the server, if the standby is meant: let it take sessions (needs a restart)")
                        .run("ALTER SYSTEM SET hot_standby = on;"),
                ]
            }).into_iter().flatten())
            .fixes((!no_standby_sessions).then(|| {
                Fix::wait("wait until it accepts connections").run(view.command(["pg_isready", "-d"]))
            }))
            .fixes(stops.then(|| {
                Fix::server("on the server, if it stays stopped: start it, or see who stopped it")
                    .run("sudo systemctl start postgresql\nsudo journalctl -u 'postgresql*' -S -1h")
            }))
            .fix(Fix::text(
                "if it lasts for minutes or comes again: its log has the reason (recovery in progress, a standby that waits for WAL, no disk \
                 space; after a crash \"was terminated by signal\" and the statement or extension that caused it)",
            )),
    )
}

/// The last message that came, by its type.
fn last_message(view: &View<'_>) -> String {
    let last = view.session().and_then(|session| session.last_message);
    last.map_or_else(|| "none".to_owned(), message_type)
}

fn message_type(kind: u8) -> String {
    let name = match kind {
        b'R' => "an authentication request",
        b'S' => "a parameter",
        b'K' => "the cancel key",
        b'Z' => "ready for queries",
        b'N' => "a notice",
        b'E' => "an error",
        byte => return text::printable_bytes(&[byte]),
    };
    format!("{}, {name}", char::from(kind))
}

/// A message of which only a part came, or the TLS record around it.
fn incomplete(view: &View<'_>) -> Option<String> {
    let session = view.session()?;
    if let Some((came, all)) = session.part_of_record {
        let what = if all == 5 { "the header of a TLS record" } else { "a TLS record" };
        return Some(format!("{what}, cut off after byte {came} of {all}"));
    }
    let (kind, bytes) = session.incomplete?;
    Some(format!("{}, cut off after byte {bytes}", message_type(kind)))
}

fn seconds(view: &View<'_>) -> Option<i64> {
    let step = view.attempt?.session.as_ref()?;
    i64::try_from(super::view::seconds(step.took)).ok()
}

/// What PgBouncer's pools tell.
const READ_POOLS: &str = "\
# sv_active and sv_idle 0: it has no connection to the server behind it; its log says why:
#   \"connect failed\": start that server, or correct its address in pgbouncer.ini
#   \"DNS lookup failed\": correct the name in host= of its line in [databases], which does not resolve there, then RELOAD
#   \"certificate verify failed\": set server_tls_ca_file in pgbouncer.ini to the root file of that server's CA
# cl_waiting above 0, and servers busy: end sessions that are \"idle in transaction\" on the server, or raise default_pool_size, then RELOAD";

fn timeout(view: &View<'_>) -> Option<Finding> {
    if !matches!(view.session_failure(), None | Some(SessionFailure::TimedOut)) {
        return None;
    }
    let incomplete = incomplete(view);
    let session = view.session();
    let last = session.and_then(|session| session.last_message);
    let title = match (session.and_then(|session| session.authenticated), last) {
        _ if incomplete.is_some() => "only a part of a message came after the startup message",
        (Some(_), Some(b'R') | None) => "no response after the login",
        (Some(_), Some(_)) => "no ReadyForQuery after the login",
        (None, Some(_)) => "no response during authentication",
        (None, None) => "no response after the startup message",
    };
    let waits = match incomplete {
        Some(_) => {
            "the rest of it did not come: the server, or a proxy or pooler in front of it, stopped half-way"
        }
        None => {
            "one of these waits: a pooler for a free server connection, a proxy for a server that does not respond, \
             the server for its LDAP, RADIUS or Kerberos"
        }
    };
    let log = log_connections(
        "if it is missing, a pooler or proxy holds the connection; if it is there, the server waits for the LDAP, RADIUS or \
         Kerberos server that this user's password is checked by",
    );
    let pooler = Fix::server("if PgBouncer holds it: ask it as one of its admin_users (in place of ADMIN)")
        .run(format!("{}\n{READ_POOLS}", console(view, "SHOW POOLS")));
    // The port tells who it most likely is.
    let fixes = if view.pooler_of_port().is_some() { [pooler, log] } else { [log, pooler] };
    Some(
        Finding::titled(title)
            .because(format!("{}; {waits}", view.tls_words()))
            .fact("last_message", last_message(view))
            .fact_if("incomplete", incomplete)
            .fact_if("seconds", seconds(view))
            .fixes(fixes)
            .fixes(is_local(view).then(|| who_listens(view)))
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
        Finding::titled("the connection was closed after the startup message")
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
                let error = if incomplete(view).is_some() {
                    "the last message was cut off"
                } else {
                    "no error was sent"
                };
                format!(
                    "{}; {error}. One of these: the server process ended; a proxy or pooler found no server for the \
                     session; a proxy or provider drops addresses that are not on its allow list",
                    view.tls_words()
                )
            })
            .fact("answer", how)
            .fact("last_message", last_message(view))
            .fact_if("incomplete", incomplete(view))
            .fact_if("seconds", seconds(view))
            .fixes(asked.then(|| {
                Fix::text(
                    "set the certificate that the server's CA issued for you, and its key: sslcert=FILE sslkey=FILE",
                )
            }))
            .fixes(who_closed(view))
            .fixes(is_local(view).then(|| who_listens(view)))
            .fix(Fix::text("check TLS alone").run(view.command(["pgtls-check", "--tls-only"]))),
    )
}

/// Where the reason is: the log decides. An allow list comes first only where a provider is known to have one in front.
fn who_closed(view: &View<'_>) -> Vec<Fix> {
    let log = in_the_log(
        "\"terminated by signal\" means that the server process crashed; no line of this connection means that a proxy or pooler \
         closed it, and its own log has the reason",
    );
    let is_public = view.address().is_some_and(|address| reachability(address) == Reachability::Public);
    let allow = Fix::text(if is_public {
        "at the provider or proxy: add this machine's public address to the allow list (IP rules, trusted sources)"
    } else {
        "if a proxy or pooler is in front of the server: check that the server behind it is up, and that this machine's address is \
         on its allow list"
    });
    if view.provider().is_some() { vec![allow, log] } else { vec![log, allow] }
}

/// A primary whose sessions are read-only: where that is set.
fn read_only_by_default(view: &View<'_>) -> Fix {
    let (database, role) = (quoted_role(&view.database()), quoted_role(&view.user()));
    let (from_file, text) = match manager(view) {
        Some(_) => (
            "-- anything else: the server parameter of that name, at the provider".to_owned(),
            "on the server: it is the primary, and default_transaction_read_only makes its sessions read-only; see where it is \
                         set, and take it back if it is not on purpose (providers set it themselves when the storage is nearly full: \
                         then enlarge that)",
        ),
        None => (
            format!(
                "-- source configuration file:\nALTER SYSTEM RESET default_transaction_read_only; {RELOAD}"
            ),
            "on the server: it is the primary, and default_transaction_read_only makes its sessions read-only; see where it is \
                         set, and take it back if it is not on purpose",
        ),
    };
    Fix::text(text).run(format!(
                    "SELECT setting, source, sourcefile FROM pg_settings WHERE name = 'default_transaction_read_only';\n\
                     -- source database or user:\n\
                     ALTER DATABASE {database} RESET default_transaction_read_only; ALTER ROLE {role} RESET default_transaction_read_only;\n\
                     {from_file}"
                ))
}

/// A standby in the place of a primary that is not there.
fn promoted() -> Fix {
    Fix::server(
        "other hosts of the list did not get this far (below): start the primary again; if it does not come back, promote this standby, by \
         your failover tool (Patroni, repmgr, …) or, where there is none, here",
    )
    .run("SELECT pg_promote();")
    .or_at_provider(
        "other hosts of the list did not get this far (below): see in the provider's console which server is the primary",
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
        // Whatever a standby's default is, it takes no writes.
        Some(false) if *standby != Some(true) => found.push("read-write".to_owned()),
        Some(false) | None => {}
    }
    let found = if found.is_empty() { "not reported".to_owned() } else { found.join(", ") };
    let several = view.settings().is_some_and(|settings| settings.hosts.len() > 1);
    let wants_writes = wanted == "read-write";
    // A standby is read-only whatever its default; a primary only by that.
    let by_default = wants_writes && *standby == Some(false) && *read_only == Some(true);
    let primary = twin_host(view)
        .filter(|_| *standby == Some(true) && ["read-write", "primary"].contains(&wanted.as_str()));
    let has_primary = primary.is_some();
    let others_failed = several && view.evidence.attempts.iter().any(|attempt| attempt.session.is_none());
    let lost = wants_writes && *standby == Some(true) && others_failed;
    Some(
        Finding::titled(format!("target_session_attrs={wanted}, but the server is {found}"))
            .because(if several {
                "TLS and login succeeded; libpq tries each host in turn, and none of them matches"
            } else {
                "TLS and login succeeded; libpq would try the next host, but host names only this one"
            })
            .fact("wanted", wanted.clone())
            .fact("found", found)
            .fact_if("from", view.origin_words("target_session_attrs"))
            .fixes(match view.origin("target_session_attrs") {
                Some(Origin::Environment(variable)) => Some(
                    Fix::text(format!("unset {variable}, unless {wanted} is wanted"))
                        .by_unsetting(&[variable])
                        .set("target_session_attrs", "any"),
                ),
                _ => None,
            })
            .fixes(by_default.then(|| read_only_by_default(view)))
            .fixes(primary.map(|host| Fix::text("use the name that leads to the cluster's primary; this one leads to its standbys").set("host", host)))
            .fixes(lost.then(promoted))
            .fixes(((!by_default || several) && !has_primary).then(|| Fix::text(match wanted.as_str() {
                "standby" | "read-only" => {
                    "name the cluster's standbys too (in place of OTHER-…), or use target_session_attrs=prefer-standby: it \
                     accepts a primary if no standby answers"
                }
                _ => "name all servers of the cluster, so that libpq can find the primary (the others in place of OTHER-…)",
            }).all(several_hosts(view))))
            .fixes((!by_default && !has_primary).then(|| Fix::wait("if a failover is in progress: wait until a server is promoted")))
            .fixes((!by_default).then(|| {
                Fix::text("on the server: see what it is")
                    .run("SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only');")
            })),
    )
}

/// The name of the cluster's primary, where the host is one of its standbys.
fn twin_host(view: &View<'_>) -> Option<String> {
    view.provider()?.provider.twin(&view.dns_name()?)
}

/// The settings of where to connect, each with a place for one more server: of lists libpq wants equally many entries.
fn several_hosts(view: &View<'_>) -> Vec<(&'static str, String)> {
    let Some(settings) = view.settings() else { return Vec::new() };
    [("host", "OTHER-HOST"), ("hostaddr", "OTHER-ADDRESS"), ("port", "OTHER-PORT")]
        .into_iter()
        .filter_map(|(keyword, other)| {
            let known = settings.parameter(keyword).map(|known| super::view::shown_value(&known.value))?;
            // One entry stands for all hosts.
            let is_list = known.contains(',') || settings.hosts.len() == 1;
            (!known.is_empty() && is_list).then(|| (keyword, format!("{known},{other}")))
        })
        .collect()
}

/// What a server's error comes from, and what mends it, where that is known; else by the class of its SQLSTATE.
fn meaning(view: &View<'_>, message: &ServerMessage) -> (String, Vec<Fix>) {
    let (user, database) = (view.user(), view.database());
    let role = quoted_role(&user);
    let name = quoted_role(&database);
    let (tls, login) = (view.tls_words(), login_words(view));
    match said(message) {
        Some(Said::NoLogin) => (
            format!(
                "{tls}; the role exists and lacks the attribute LOGIN (a group role, or NOLOGIN was set)"
            ),
            vec![
                Fix::text(format!(
                    "on the server: allow the role to log in, as {} or a role with CREATEROLE",
                    administrator(view)
                ))
                .run(format!("ALTER ROLE {role} LOGIN;")),
            ],
        ),
        Some(Said::NoConnectPrivilege) => (
            format!(
                "{login}; the role {user} lacks the privilege CONNECT on {database}"
            ),
            vec![
                Fix::text(format!("on the server: grant it, as the database's owner or {}", administrator(view)))
                    .run(format!("GRANT CONNECT ON DATABASE {name} TO {role};")),
            ],
        ),
        Some(Said::NoReplication) => (
            format!("{login}; replication needs the attribute REPLICATION, which the role {user} lacks"),
            vec![
                Fix::text(format!("on the server: give it, as {} (since PostgreSQL 16 also as a role with CREATEROLE and REPLICATION)", administrator(view)))
                    .run(format!("ALTER ROLE {role} REPLICATION;")),
                Fix::text("if no replication is meant: take it out of the string").set("replication", ""),
            ],
        ),
        Some(Said::DatabaseClosed) => (
            format!("{tls}; the database {database} has ALLOW_CONNECTIONS false, as template0 has"),
            vec![
                Fix::text("set dbname to the database that is meant"),
                Fix::text("on the server: let it accept connections, as its owner")
                    .run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true;")),
            ],
        ),
        Some(Said::NotByAccount(method)) => (
            format!(
                "{tls}; this user's line in pg_hba.conf has the method {method}, which asks for no password but for the account of the \
                 client"
            ),
            vec![
                Fix::server(format!(
                    "on the server, if a password is meant: give that line of pg_hba.conf the method scram-sha-256 instead of {method}, \
                     set a password, then reload"
                ))
                .run(format!(
                    "# the line:\npsql -c \"SELECT line_number, user_name, address FROM pg_hba_file_rules WHERE auth_method = \
                     '{method}'\"\n# in psql:\n\\password {role}\nSELECT pg_reload_conf();"
                )),
            ],
        ),
        None if gateway(message).is_some_and(|found| found.means == Gateway::NotListed) => not_listed(view, message),
        None if is_of_an_account(message) => (
            format!("{tls}; the provider, not PostgreSQL, ends the session: the message is about the account or project"),
            vec![Fix::text("in the provider's console: see the project's quota, plan or state, and do as the message says")],
        ),
        _ => match starting_setting(view, message) {
            Some((cause, fixes)) => (format!("{tls}; {cause}"), fixes),
            None => {
                let (class, fixes) = by_class(&message.sqlstate);
                (format!("{tls}; {class}"), fixes)
            }
        },
    }
}

/// The address that the provider keeps out is the one that this network has on the internet, and mostly in the message:
/// `93.200.14.7`, or `{93, 200, 14, 7}` of Supavisor's.
fn not_listed(view: &View<'_>, message: &ServerMessage) -> (String, Vec<Fix>) {
    let listed = message.message.split_once('{').and_then(|(_, list)| list.split_once('}'));
    let numbers = listed.map(|(list, _)| list.replace(", ", ".")).unwrap_or_default();
    let words = message.message.split_ascii_whitespace().map(|word| word.trim_end_matches(['.', ',']));
    let address = words.chain([numbers.as_str()]).find_map(|word| word.parse::<IpAddr>().ok());
    let address = address.map_or("ADDRESS".to_owned(), |address| address.to_string());
    let mut fixes = provider_hints(view, Situation::NotAdmitted, Some(&address));
    if fixes.is_empty() {
        fixes.push(Fix::text("at the provider: add it to the addresses that may connect"));
    }
    for fix in &mut fixes {
        fix.text += &format!(", {address}");
    }
    let cause = format!(
        "{}; the provider accepts listed addresses only, and this network's public address, {address}, is not one of them: a new line, \
         VPN or network has another",
        view.tls_words()
    );
    (cause, fixes)
}

/// Whether a provider speaks of what was booked: no word of PostgreSQL's.
fn is_of_an_account(message: &ServerMessage) -> bool {
    let said = message.message.to_lowercase();
    let is_own = ["XX000", "53400", "57P03", "08P01", "28000"].contains(&message.sqlstate.as_str());
    is_own
        && ["quota", "upgrade your", "billing", "suspended", "your plan", "your account"]
            .iter()
            .any(|word| said.contains(word))
}

/// Settings that are often given to a session in `options` or PGOPTIONS.
const SESSION_SETTINGS: [&str; 16] = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "search_path",
    "work_mem",
    "maintenance_work_mem",
    "TimeZone",
    "DateStyle",
    "client_encoding",
    "client_min_messages",
    "application_name",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "role",
];

/// An error about what the client sets at the start: the setting, where it is from, and what helps there.
fn starting_setting(view: &View<'_>, message: &ServerMessage) -> Option<(String, Vec<Fix>)> {
    let said = message.message.as_str();
    let quoted = || said.split('"').nth(1).map(text::printable);
    let (name, by_pooler) =
        match (message.sqlstate.as_str(), said.split_once("unsupported startup parameter")) {
            // What a provider adds to it follows.
            ("08P01", Some((_, rest))) => {
                let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.';
                let name = rest.split_once(": ")?.1.split(is_other).next()?;
                (name.trim_end_matches('.').to_owned(), true)
            }
            ("42704" | "22023", _) => (quoted()?, false),
            ("42501", _) if said.starts_with("permission denied to set parameter") => (quoted()?, false),
            _ => return None,
        };
    let in_options = || {
        let options = view.settings()?.parameter("options")?;
        super::view::shown_value(&options.value)
            .replace("-", "_")
            .contains(&name.replace("-", "_"))
            .then(|| options.origin.clone())
    };
    let variable = crate::conninfo::options::SERVER_SETTINGS
        .iter()
        .find(|(_, setting)| setting.eq_ignore_ascii_case(&name))
        .map(|(variable, _)| *variable);
    let place = match (name.as_str(), in_options()) {
        (_, Some(Origin::Environment(variable))) => variable.to_owned(),
        (_, Some(origin)) => format!("options, from {}", origin.phrase()),
        (_, None) if variable.is_some() => {
            format!("the environment variable {}", variable.unwrap_or_default())
        }
        ("client_encoding", None) => view.origin_words("client_encoding").unwrap_or_default(),
        ("options", None) => {
            view.origin_words("options").map_or("options".to_owned(), |from| format!("options, from {from}"))
        }
        _ => "the string or a PG* variable".to_owned(),
    };
    if by_pooler {
        return Some(kept_by_pooler(view, &name, &place));
    }
    let near = text::nearest(&name, SESSION_SETTINGS).filter(|near| *near != name);
    if message.sqlstate == "42501" {
        let role = quoted_role(&view.user());
        return Some((
            format!("the client sets {name} at the start ({place}), which only a superuser may"),
            vec![
                Fix::text(format!("in {place}: remove {name}")),
                Fix::text("on the server, if this role is to set it: grant it (PostgreSQL 15 or later)")
                    .run(format!("GRANT SET ON PARAMETER {name} TO {role};")),
            ],
        ));
    }
    let fix = match (message.sqlstate.as_str(), near) {
        ("42704", Some(near)) => format!("in {place}: write {near} instead of {name}"),
        ("42704", None) => format!("in {place}: remove {name}, or correct its name"),
        _ if name == "client_encoding" => {
            format!("in {place}: write an encoding that PostgreSQL has, such as UTF8")
        }
        _ => format!("in {place}: correct the value of {name}"),
    };
    let fix = match variable.filter(|variable| place.contains(variable)) {
        Some(variable) => Fix::text(format!("{fix}, or remove the variable")).by_unsetting(&[variable]),
        None => Fix::text(fix),
    };
    Some((format!("the client sets {name} at the start ({place}), and the server rejects that"), vec![fix]))
}

/// What a pooler does not pass on: where it is set, and what helps.
fn kept_by_pooler(view: &View<'_>, name: &str, place: &str) -> (String, Vec<Fix>) {
    let options = view.settings().and_then(|settings| settings.parameter("options"));
    let (left, value) = options
        .filter(|options| !matches!(options.origin, Origin::Environment(_)))
        .and_then(|options| without_setting(&super::view::shown_value(&options.value), name))
        .unzip();
    let left = left.or((name == "options").then(String::new));
    // Anything else may need quotes of its own.
    let is_plain = |value: &String| {
        value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '"' | '$')) && !value.is_empty()
    };
    let role = quoted_role(&view.user());
    let to_set = value.filter(is_plain).map(|value| format!("ALTER ROLE {role} SET {name} = {value};"));
    let direct = view.dns_name().and_then(|host| provider::past_pooler(&host)).map(|server| {
        Fix::text("connect to the server itself, past the pooler, which takes it").set("host", server)
    });
    let ignore =
        Fix::server("in pgbouncer.ini: let PgBouncer ignore it, which leaves it without effect, then RELOAD")
            .run(format!("ignore_startup_parameters = {name}"));
    let hints = provider_hints(view, Situation::PoolerIgnores, None).into_iter();
    let hints = hints
        .map(|hint| Fix { command: hint.command.map(|command| command.replace("PARAMETER", name)), ..hint });
    let taken_out = Fix::text(format!(
        "take {name} out of {place}, and set what it sets in the database: {}",
        to_set.as_deref().unwrap_or("ALTER ROLE … SET …")
    ))
    .all(left.map(|left| ("options", left)));
    (
        format!(
            "these are a pooler's words, of PgBouncer or the like: it does not pass {name} on to the server ({place})"
        ),
        direct.into_iter().chain([taken_out, ignore]).chain(hints).collect(),
    )
}

/// `options` without a setting, and the setting's value: `-cNAME=VALUE`, `-c NAME=VALUE` and `--NAME=VALUE`.
fn without_setting(options: &str, name: &str) -> Option<(String, String)> {
    let mut words = options.split_whitespace().filter(|_| !options.contains('\\'));
    let (mut left, mut found) = (Vec::new(), None);
    while let Some(word) = words.next() {
        let (shown, setting) = match word {
            "-c" => {
                let setting = words.next()?;
                (format!("-c {setting}"), setting)
            }
            _ => (
                word.to_owned(),
                word.strip_prefix("-c").or_else(|| word.strip_prefix("--")).unwrap_or_default(),
            ),
        };
        match setting.split_once('=').filter(|(known, _)| known.replace('-', "_").eq_ignore_ascii_case(name))
        {
            Some((_, value)) => found = Some(value.to_owned()),
            None => left.push(shown),
        }
    }
    Some((left.join(" "), found?))
}

/// What an error comes from as far as its SQLSTATE tells (PostgreSQL's documentation, appendix A).
/// Where a SQLSTATE that has the form of one is explained.
fn listed(sqlstate: &str) -> String {
    let is_one =
        sqlstate.len() == 5 && sqlstate.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z'));
    match is_one {
        true => format!(
            "; SQLSTATE {sqlstate}, unless it is somebody's own, is in PostgreSQL's manual, appendix \"PostgreSQL Error Codes\""
        ),
        false => String::new(),
    }
}

fn by_class(sqlstate: &str) -> (&'static str, Vec<Fix>) {
    let fixes = match sqlstate {
        "53100" => vec![
            Fix::server("on the server: free space on the disk that is full (of the data, of pg_wal, of a tablespace), or enlarge it")
                .run("df -h"),
        ],
        "XX001" | "XX002" => vec![
            Fix::server(
                "on the server: its data is damaged. Stop it, copy the data directory, look for errors of the disk, and restore from a \
                 backup; do not run it on the damaged files",
            )
            .run("sudo dmesg -T | grep -iE 'i/o error|ext4|xfs|nvme' | tail"),
        ],
        "53200" => vec![
            Fix::server("on the server: reduce its load or add memory; for \"shared memory\", raise max_locks_per_transaction (needs a restart)")
                .run("free -m"),
        ],
        _ => Vec::new(),
    };
    let class = match sqlstate.get(..2).filter(|_| sqlstate.len() == 5) {
        Some("28") => "the server does not authorise this login; its log names the rule",
        Some("42") => {
            "the server does not allow this, or does not know a setting sent at the start (options, PG* variables)"
        }
        Some("53") => "the server lacks a resource",
        Some("57") => "an administrator, a time limit or the system ended the session",
        Some("58" | "XX") => {
            "the server, or a pooler in front of it, has a problem of its own; its log has the details"
        }
        Some("22" | "0A") => {
            "the server does not accept or support what was sent at the start (options, client_encoding, PG* variables)"
        }
        Some("08") => {
            "the server, or a pooler or proxy in between, rejects what was sent, or ends the session for a reason of its own"
        }
        _ => "the server ends the session with an error of its own",
    };
    (class, fixes)
}

/// A newer version of PostgreSQL's protocol was asked for than the server has.
fn protocol_demanded(view: &View<'_>) -> Option<Fix> {
    let Some(SessionFailure::Protocol(what)) = view.session_failure() else { return None };
    let demanded =
        view.settings()?.parameter("min_protocol_version").filter(|_| what.contains("newer one"))?;
    Some(
        Fix::text(format!(
            "min_protocol_version={} demands a version that this server does not speak (3.2 came with PostgreSQL 18): remove it",
            shown_value(&demanded.value)
        ))
        .set("min_protocol_version", ""),
    )
}

/// Any other error.
fn server_error(view: &View<'_>) -> Option<Finding> {
    if let Some(found) = damaged(view) {
        return Some(found);
    }
    if let Some(message) = error(view) {
        let sqlstate = text::truncated(&text::printable(&message.sqlstate), 10);
        let words = words(message);
        let (cause, fixes) = meaning(view, message);
        let known = !fixes.is_empty();
        return Some(
            Finding::titled(format!("the server reports: {words}"))
                .because(cause)
                .fact("sqlstate", sqlstate.clone())
                .fact("message", words)
                .fact_if("detail", detail(message))
                .fact_if(
                    "hint",
                    message.hint.as_deref().map(|hint| text::truncated(&text::printable(hint), 300)),
                )
                .fixes(fixes)
                .fixes((!known).then(|| {
                    Fix::server(format!(
                        "look for this message in the server's log: the lines around it have the reason. If it is not \
                         there, a pooler or proxy wrote it{}",
                        listed(&sqlstate)
                    ))
                    .or_at_provider(format!(
                        "at the provider: look for this message in its documentation and in the server's log{}, or ask its support",
                        listed(&sqlstate)
                    ))
                }))
                .fix(Fix::text("check TLS alone").run(view.command(["pgtls-check", "--tls-only"]))),
        );
    }
    let unfit = "PostgreSQL's protocol does not allow this message here";
    let (what, cause) = match view.session_failure() {
        Some(SessionFailure::Protocol(what)) => (text::printable(what), unfit),
        Some(SessionFailure::Tls(what)) => (
            format!("a violation of TLS: {}", text::printable(what)),
            "either the server's TLS is faulty, or something in between changes it",
        ),
        Some(SessionFailure::AlertReceived(alert)) => {
            (super::alerts::name(*alert), super::alerts::meaning(*alert))
        }
        _ => ("something unknown to pgtls-check".to_owned(), unfit),
    };
    Some(
        Finding::titled(format!("the session ended with {what}"))
            .because(format!("{}; {cause}", view.tls_words()))
            .fact("message", what)
            .fact("last_message", last_message(view))
            .fixes(protocol_demanded(view))
            .fix(Fix::text(
                "check the server itself, past any proxy or pooler: one in between may change the session",
            ))
            .fix(Fix::text(
                "look for this connection in the server's log: an entry names what the server did, none means a proxy",
            )),
    )
}
