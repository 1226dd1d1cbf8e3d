//! Whose an error text is: the client that printed it, and what the provider of the server in it advises.

use super::{KnownText, Mentioned, Reading, plain};
use crate::diagnose::{Code, codes};
use crate::packed;
use crate::provider::{Provider, Situation};

/// Words of a client and its name, in the order in which they are looked for.
fn markers() -> impl Iterator<Item = [&'static str; 2]> {
    packed::rows("recognise", "clients")
}

/// The client that printed a text, where a fix of it is a setting that this client may spell otherwise.
pub fn client(text: &str, known: &KnownText) -> Option<&'static str> {
    if !known.readings().iter().any(|reading| reading.fix.contains("set ssl")) {
        return None;
    }
    let words = plain(&format!("{text} {}", known.by));
    markers().find(|[marker, _]| words.contains(marker)).map(|[_, name]| name)
}

/// Where a provider has advice of its own for a diagnosis.
static SITUATIONS: &[(&Code, Situation)] = &[
    (&codes::DNS_NOT_FOUND, Situation::NameNotFound),
    (&codes::TCP_TIMEOUT, Situation::NoAnswer),
    (&codes::TCP_UNREACHABLE, Situation::Unreachable),
    (&codes::TLS_NOT_REQUESTED, Situation::NotEncrypted),
    (&codes::NEGOTIATION_CLOSED, Situation::RefusedBeforeTls),
    (&codes::ROOT_NOT_IN_FILE, Situation::RootMissing),
    (&codes::ROOT_FILE_MISSING, Situation::RootMissing),
    (&codes::SELF_SIGNED, Situation::SelfSigned),
    (&codes::HOSTNAME_MISMATCH, Situation::NameMismatch),
    (&codes::SNI_UNRECOGNIZED, Situation::ServerNameMissing),
    (&codes::CLIENT_CERT_REQUIRED, Situation::ClientCertificate),
    (&codes::PASSWORD_REJECTED, Situation::PasswordRejected),
    (&codes::ROLE_MISSING, Situation::RoleMissing),
    (&codes::DATABASE_MISSING, Situation::DatabaseMissing),
    (&codes::TOO_MANY_CONNECTIONS, Situation::NoConnectionsLeft),
];

/// A provider and what it advises, each with its command.
pub(super) type Advice = (&'static Provider, Vec<(&'static str, Option<String>)>);

/// What the provider of the server in a text advises for the first reading, each with its command. A root file that this
/// program writes is in the fix itself.
pub fn advice(readings: &[Reading], said: &Mentioned) -> Option<Advice> {
    let provider = said.provider()?;
    let value = |place: &str| match place {
        "server" => said.value("host")?.split('.').next().map(str::to_owned),
        "database" => said.value("dbname").map(str::to_owned),
        place => said.value(place).map(str::to_owned),
    };
    let mut advice = Vec::new();
    for code in readings.iter().take(1).flat_map(|reading| &reading.codes) {
        let situations = SITUATIONS.iter().filter(|(of, _)| of == code).map(|(_, at)| match at {
            Situation::NoAnswer if said.is_private() => Situation::NoAnswerPrivate,
            at => *at,
        });
        let situations = situations.filter(|at| *at != Situation::RootMissing || said.bundle().is_none());
        for hint in situations.flat_map(|at| provider.hints_for(said.value("host"), at)) {
            if !advice.iter().any(|(text, _)| *text == hint.text) {
                advice.push((hint.text, hint.command(value)));
            }
        }
    }
    (!advice.is_empty()).then_some((provider, advice))
}

#[cfg(test)]
mod tests {
    use super::super::{mentioned, recognise};
    use super::*;

    fn client_of(text: &str) -> Option<&'static str> {
        client(text, &recognise(text).unwrap_or_else(|| panic!("{text}")))
    }

    #[test]
    fn the_client_is_told_by_its_stack_or_its_words() {
        for (text, name) in [
            (
                "Error: self-signed certificate\n    at /app/node_modules/pg/lib/client.js:1:2",
                "node-postgres",
            ),
            ("SequelizeConnectionError: self-signed certificate\n at node_modules/pg/lib/x.js", "sequelize"),
            ("org.postgresql.util.PSQLException: PKIX path building failed", "jdbc"),
            ("Npgsql.NpgsqlException: UntrustedRoot", "npgsql"),
            ("pq: x509: certificate signed by unknown authority", "lib-pq"),
            ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "node-postgres"),
        ] {
            assert_eq!(client_of(text), Some(name), "{text}");
        }
        for text in [
            // libpq's own spelling is that of the fix; a fix that sets nothing has no spelling.
            "psql: error: SSL error: certificate verify failed",
            "Npgsql.PostgresException: 53300: sorry, too many clients already",
        ] {
            assert_eq!(client_of(text), None, "{text}");
        }
    }

    #[test]
    fn each_client_is_one_of_the_table() {
        for [marker, name] in markers() {
            assert!(crate::clients::table::find(name).is_some(), "{name}");
            assert_eq!(plain(marker), marker.trim_end(), "{marker}");
        }
    }

    fn advised(text: &str) -> Vec<(&'static str, Option<String>)> {
        let readings = recognise(text).unwrap().readings();
        advice(&readings, &mentioned(text)).map(|(_, advice)| advice).unwrap_or_default()
    }

    #[test]
    fn the_provider_of_the_server_in_the_text_has_its_say() {
        let unreached = |host: &str| format!("Can't reach database server at `{host}:5432`");
        let of_azure = advised(&unreached("orders.postgres.database.azure.com"));
        assert!(of_azure[0].0.starts_with("allow this machine's public address"), "{of_azure:?}");
        assert!(advised(&unreached("aws-0-eu-west-1.pooler.supabase.com")).is_empty());
        let of_supabase = advised(&unreached("db.abc.supabase.co"));
        assert!(of_supabase[0].0.contains("IPv6 addresses only"), "{of_supabase:?}");
        let of_amazon = |address: &str| {
            format!(
                "connection to server at \"x.abc.eu-west-1.rds.amazonaws.com\" ({address}), port 5433 failed: Connection timed out"
            )
        };
        let command = |address: &str| advised(&of_amazon(address)).remove(0).1.unwrap();
        assert!(command("3.1.2.3").contains("--port 5433 --cidr"), "{}", command("3.1.2.3"));
        assert!(command("10.1.2.3").contains("--source-group"), "{}", command("10.1.2.3"));
        // What has a root file here, what is no provider's, and what only the second reading is about.
        let azure =
            "connection to server at \"x.postgres.database.azure.com\" (20.1.2.3), port 5432 failed: ";
        for text in [
            format!("{azure}SSL error: certificate verify failed"),
            unreached("db.example"),
            format!(
                "{azure}FATAL: no pg_hba.conf entry for host \"20.9.9.9\", user \"u\", database \"d\", no encryption"
            ),
        ] {
            assert!(advised(&text).is_empty(), "{text}");
        }
    }
}
