//! What an error of the server means. The SQLSTATE decides first; where one state stands for several faults, PostgreSQL's
//! message does, in English or in a language that PostgreSQL has it in. Poolers and providers have texts of their own:
//! those are a table.

use super::recognise::translated::is_message;
use crate::evidence::ServerMessage;

/// What an error of PostgreSQL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// No line of pg_hba.conf matches.
    NoEntry,
    /// A line of pg_hba.conf matches, and its method is reject.
    RejectEntry,
    /// The certificate's name is not the user's: a line with `cert`, or `trust` with clientcert=verify-full.
    CertificateFailed,
    /// The password, as far as the server says.
    PasswordFailed,
    /// The service that the server asks (PAM, LDAP, …) rejected the login.
    ServiceRejected(&'static str),
    /// A method that asks for no password rejected the login: who the client's account is counts there.
    NotByAccount(&'static str),
    /// The role does not exist.
    NoRole,
    /// The role may not log in.
    NoLogin,
    /// The role lacks the privilege CONNECT.
    NoConnectPrivilege,
    /// The role lacks the attribute REPLICATION.
    NoReplication,
    /// The database does not exist.
    NoDatabase,
    /// The database takes no connections (ALLOW_CONNECTIONS).
    DatabaseClosed,
}

/// PostgreSQL's messages (auth.c, postinit.c, miscinit.c of versions 9.6 to 18): the SQLSTATEs under which each comes, its
/// pattern, its meaning. PAM comes under 28P01 from managed servers.
const MESSAGES: &[(&[&str], &str, Said)] = &[
    (&["28000"], "no pg_hba.conf entry for *", Said::NoEntry),
    (&["28000"], "pg_hba.conf rejects *", Said::RejectEntry),
    (&["28000"], "certificate authentication failed for user *", Said::CertificateFailed),
    (&["28000"], "\"trust\" authentication failed for user *", Said::CertificateFailed),
    (&["28000", "28P01"], "PAM authentication failed *", Said::ServiceRejected("PAM")),
    (&["28000", "28P01"], "LDAP authentication failed *", Said::ServiceRejected("LDAP")),
    (&["28000", "28P01"], "RADIUS authentication failed *", Said::ServiceRejected("RADIUS")),
    (&["28000", "28P01"], "BSD authentication failed *", Said::ServiceRejected("BSD authentication")),
    (&["28000", "28P01"], "IAM * authentication failed *", Said::ServiceRejected("IAM")),
    (&["28000"], "Ident authentication failed *", Said::NotByAccount("ident")),
    (&["28000"], "Peer authentication failed *", Said::NotByAccount("peer")),
    (&["28000"], "GSSAPI authentication failed *", Said::NotByAccount("gss")),
    (&["28000"], "SSPI authentication failed *", Said::NotByAccount("sspi")),
    (&["28000"], "role \"*\" does not exist", Said::NoRole),
    (&["28000"], "role \"*\" is not permitted to log in", Said::NoLogin),
    (&["42501"], "permission denied for database *", Said::NoConnectPrivilege),
    (&["42501"], "must be superuser or replication role to start walsender", Said::NoReplication),
    (&["42501"], "permission denied to start WAL sender", Said::NoReplication),
    (&["55000"], "database \"*\" is not currently accepting connections", Said::DatabaseClosed),
];

/// What PostgreSQL's error means; `None` for one that is not about who may log in where.
pub(super) fn said(message: &ServerMessage) -> Option<Said> {
    let state = message.sqlstate.as_str();
    let known = MESSAGES
        .iter()
        .filter(|(states, ..)| states.contains(&state))
        .find(|(_, pattern, _)| is_message(&message.message, pattern));
    known.map(|(.., said)| *said).or(match state {
        "28P01" => Some(Said::PasswordFailed),
        "3D000" => Some(Said::NoDatabase),
        // The file's name is the same in every language.
        "28000" if message.message.contains("pg_hba.conf") => Some(Said::NoEntry),
        _ => None,
    })
}

/// What a pooler, proxy or provider means with an error of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    /// Its own connection to the server failed, or it has none to give.
    Upstream,
    /// It knows no server for this user, project or endpoint.
    NoTarget,
    /// It chooses the server by the name in the handshake and was sent none.
    NoServerName,
    /// It wants a newer TLS version.
    TlsTooOld,
    /// The token or other temporary credential expired or is not accepted.
    Credential,
    /// It knows no database of this name.
    NoDatabase,
    /// Its own configuration has no route, pool or line for this user and database.
    NoRoute,
    /// It keeps a list of the addresses that may connect.
    NotListed,
}

/// Who says it, and what it means.
pub(super) struct GatewayMessage {
    /// Who: a program or service.
    pub(super) by: &'static str,
    /// What.
    pub(super) means: Gateway,
}

/// Texts of poolers and providers, in lower case: PgBouncer's sources (objects.c, janitor.c, client.c), Pgpool-II's (pool_connection_pool.c,
/// child.c), Odyssey's (frontend.c), PgCat's (client.rs), documentation and reports for the others.
const GATEWAYS: &[(&str, &str, Gateway)] = &[
    ("server login failed", "PgBouncer", Gateway::Upstream),
    ("server login has been failing", "PgBouncer", Gateway::Upstream),
    ("server_login_retry", "PgBouncer", Gateway::Upstream),
    ("cannot connect to server", "PgBouncer", Gateway::Upstream),
    ("client_login_timeout (server down)", "PgBouncer", Gateway::Upstream),
    ("query_wait_timeout", "PgBouncer", Gateway::Upstream),
    ("server conn crashed?", "PgBouncer", Gateway::Upstream),
    ("server dns lookup failed", "PgBouncer", Gateway::Upstream),
    ("no such database: ", "PgBouncer", Gateway::NoDatabase),
    ("no such user: ", "PgBouncer", Gateway::NoRoute),
    ("database does not allow connections: ", "PgBouncer", Gateway::NoRoute),
    ("route for '", "Odyssey", Gateway::NoRoute),
    ("user blocked", "Odyssey", Gateway::NoRoute),
    ("no pool configured for database", "PgCat", Gateway::NoRoute),
    ("no pool_hba.conf entry for", "Pgpool-II", Gateway::NoRoute),
    ("unable to read data from db node", "Pgpool-II", Gateway::Upstream),
    ("unable to read message kind", "Pgpool-II", Gateway::Upstream),
    ("failed to create a backend", "Pgpool-II", Gateway::Upstream),
    ("all backend nodes are down", "Pgpool-II", Gateway::Upstream),
    ("pgpool is not accepting any new connections", "Pgpool-II", Gateway::Upstream),
    ("timed-out waiting to acquire database connection", "RDS Proxy", Gateway::Upstream),
    ("this rds proxy has no credentials for the role", "RDS Proxy", Gateway::NoTarget),
    ("unable to check out process from the pool", "Supavisor (Supabase)", Gateway::Upstream),
    ("circuit breaker open", "Supavisor (Supabase)", Gateway::Upstream),
    ("tenant or user not found", "Supavisor (Supabase)", Gateway::NoTarget),
    ("(enotfound) tenant", "Supavisor (Supabase)", Gateway::NoTarget),
    ("couldn't connect to compute node", "the provider's proxy (Neon)", Gateway::Upstream),
    ("control plane request failed", "the provider's proxy (Neon)", Gateway::Upstream),
    ("requested endpoint could not be found", "the provider's proxy (Neon)", Gateway::NoTarget),
    ("endpoint id is not specified", "the provider's proxy (Neon)", Gateway::NoServerName),
    ("is not allowed to connect to this endpoint", "the provider's proxy (Neon)", Gateway::NotListed),
    ("not in tenant allow_list", "Supavisor (Supabase)", Gateway::NotListed),
    ("missing cluster identifier", "the provider's proxy (CockroachDB)", Gateway::NoServerName),
    ("codebackend", "the provider's proxy (CockroachDB)", Gateway::Upstream),
    ("unable to reach backend sql server", "the provider's proxy (CockroachDB)", Gateway::Upstream),
    ("failed to get remote server connection", "Odyssey", Gateway::Upstream),
    ("could not get connection from the pool", "PgCat", Gateway::Upstream),
    ("tls version used does not meet minimal requirements", "the provider", Gateway::TlsTooOld),
    ("unable to accept connection, access denied", "the provider (Aurora DSQL)", Gateway::Credential),
    ("access token", "the provider", Gateway::Credential),
    ("token has expired", "the provider", Gateway::Credential),
    ("token is expired", "the provider", Gateway::Credential),
    ("token expired", "the provider", Gateway::Credential),
];

/// Who says what shows no name.
pub(super) const SOMEBODY: &str = "a pooler or proxy";

/// The meaning of an error that a pooler, proxy or provider wrote; `None` where nothing shows that one did.
pub(super) fn gateway(message: &ServerMessage) -> Option<GatewayMessage> {
    let mut text = message.message.to_lowercase();
    // Pgpool-II has the reason there (pool_hba.c); of other programs the DETAIL may speak of anything.
    text.extend(message.detail.iter().filter(|detail| detail.contains("pool_hba.conf")).map(String::as_str));
    let known = GATEWAYS.iter().find(|(words, ..)| text.contains(words));
    match known {
        Some((_, by, means)) => Some(GatewayMessage { by, means: *means }),
        // PgBouncer up to 1.22 passes the errors of its servers on under a protocol violation's state (measured).
        None if message.sqlstate == "08P01" && is_of_postgres(&message.message) => Some(GatewayMessage {
            by: "PgBouncer, which passes its server's error on",
            means: Gateway::Upstream,
        }),
        // Class 08 is of a connection: PostgreSQL sends none of these to a client that has just connected.
        None if ["08000", "08001", "08003", "08004", "08006", "08007"]
            .contains(&message.sqlstate.as_str()) =>
        {
            Some(GatewayMessage { by: SOMEBODY, means: Gateway::Upstream })
        }
        None => None,
    }
}

/// Whether PostgreSQL writes this message when it refuses a login.
fn is_of_postgres(message: &str) -> bool {
    let others = ["password authentication failed for user *", "database \"*\" does not exist"];
    let patterns = MESSAGES.iter().map(|(_, pattern, _)| *pattern);
    patterns.chain(others).any(|pattern| is_message(message, pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sqlstate: &str, text: &str) -> ServerMessage {
        ServerMessage { sqlstate: sqlstate.to_owned(), message: text.to_owned(), ..ServerMessage::default() }
    }

    #[test]
    fn a_message_means_the_same_in_every_language() {
        for (state, text, expected) in [
            (
                "28000",
                r#"no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption"#,
                Said::NoEntry,
            ),
            (
                "28000",
                r#"pg_hba.conf rejects connection for host "1.2.3.4", user "u", database "d", SSL encryption"#,
                Said::RejectEntry,
            ),
            (
                "28000",
                "pg_hba.conf lehnt Verbindung ab für Host »1.2.3.4«, Benutzer »u«, Datenbank »d«, SSL-Verschlüsselung",
                Said::RejectEntry,
            ),
            ("28000", r#"role "u" does not exist"#, Said::NoRole),
            ("28000", "Rolle »u« existiert nicht", Said::NoRole),
            ("28000", "le rôle « u » n'est pas autorisé à se connecter", Said::NoLogin),
            ("42501", "keine Berechtigung für Datenbank d", Said::NoConnectPrivilege),
            ("55000", r#"database "d" is not currently accepting connections"#, Said::DatabaseClosed),
            ("28P01", "ein Satz in einer Sprache, die niemand kennt", Said::PasswordFailed),
            ("28P01", r#"PAM authentication failed for user "u""#, Said::ServiceRejected("PAM")),
            ("28000", "xyz pg_hba.conf xyz", Said::NoEntry),
            ("3D000", "xyz", Said::NoDatabase),
        ] {
            assert_eq!(said(&message(state, text)), Some(expected), "{text}");
        }
        // The words alone decide nothing.
        for (state, text) in [("XX000", r#"role "u" does not exist"#), ("28000", "xyz"), ("", "")] {
            assert_eq!(said(&message(state, text)), None, "{text}");
        }
    }

    #[test]
    fn errors_of_the_other_hop() {
        for (state, text, by, means) in [
            ("08P01", "server login failed: FATAL wrong password", "PgBouncer", Gateway::Upstream),
            ("08006", "whatever", "a pooler or proxy", Gateway::Upstream),
            (
                "08P01",
                r#"password authentication failed for user "u""#,
                "PgBouncer, which passes its server's error on",
                Gateway::Upstream,
            ),
            ("XX000", "Tenant or user not found", "Supavisor (Supabase)", Gateway::NoTarget),
            (
                "3D000",
                "odyssey: cc3deab3a28e8: route for 'shop.app' is not found",
                "Odyssey",
                Gateway::NoRoute,
            ),
            ("58000", r#"No pool configured for database: "shop", user: "app""#, "PgCat", Gateway::NoRoute),
            (
                "08004",
                "codeParamsRoutingFailed: missing cluster identifier",
                "the provider's proxy (CockroachDB)",
                Gateway::NoServerName,
            ),
            ("28000", "The access token has expired.", "the provider", Gateway::Credential),
        ] {
            let found = gateway(&message(state, text)).unwrap();
            assert_eq!((found.by, found.means), (by, means), "{text}");
        }
        for (state, text) in
            [("08P01", "invalid startup packet"), ("28P01", "password authentication failed")]
        {
            assert!(gateway(&message(state, text)).is_none(), "{text}");
        }
    }

    #[test]
    fn patterns_are_written_as_they_are_compared() {
        for (words, ..) in GATEWAYS {
            assert_eq!(*words, words.to_lowercase());
        }
    }
}
