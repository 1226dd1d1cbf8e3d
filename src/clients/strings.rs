//! Connection strings of the clients: each composed so that its reader gets the same values back.

use super::connection::{Connection, Root};
use super::quote::{ado_net, percent, pgbouncer, uri_host};
use crate::conninfo::write::{Form, string};

/// libpq's settings of verify-full, in the order people write them.
fn libpq_settings(connection: &Connection) -> Vec<(&'static str, String)> {
    let mut settings = vec![("host", connection.host.clone())];
    settings.extend(connection.hostaddr.clone().map(|address| ("hostaddr", address)));
    settings.push(("port", connection.port.to_string()));
    settings.push(("dbname", connection.database.clone()));
    settings.push(("user", connection.user.clone()));
    settings.extend(tls_settings(connection));
    settings.extend(connection.further.clone());
    settings
}

/// Those that are about verification.
pub fn tls_settings(connection: &Connection) -> Vec<(&'static str, String)> {
    let mut settings = vec![("sslmode", "verify-full".to_owned())];
    match &connection.root {
        Root::File(path) => settings.push(("sslrootcert", path.clone())),
        Root::System => settings.push(("sslrootcert", "system".to_owned())),
        Root::None => {}
    }
    if let Some(client) = &connection.client {
        settings.push(("sslcert", client.certificate.clone()));
        settings.push(("sslkey", client.key.clone()));
    }
    settings
}

fn libpq(form: Form, settings: &[(&'static str, String)]) -> String {
    let bytes = string(form, settings.iter().map(|(keyword, value)| (*keyword, value.as_bytes())));
    // Everything in it was UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

/// `host=… port=…`, complete.
pub fn keyword_value(connection: &Connection) -> String {
    libpq(Form::KeywordValue, &libpq_settings(connection))
}

/// The part of a keyword/value string that is about verification.
pub fn words(connection: &Connection) -> String {
    libpq(Form::KeywordValue, &tls_settings(connection))
}

/// `postgresql://…`, complete.
pub fn uri(connection: &Connection) -> String {
    libpq(Form::Uri, &libpq_settings(connection))
}

/// `dbi:Pg:host=… …`. Blanks instead of the usual semicolons: DBD::Pg makes blanks of these outside of quotes, and loses
/// count where a value has a quote in it (`pg_db_login6` in dbdimp.c). User and password are arguments of their own.
pub fn perl_dsn(connection: &Connection) -> String {
    format!("dbi:Pg:{}", without_user(connection))
}

/// `pgsql:host=… …`. Blanks here too; PDO makes blanks of all semicolons (`pdo_pgsql_handle_factory` in pgsql_driver.c).
pub fn pdo_dsn(connection: &Connection) -> String {
    format!("pgsql:{}", without_user(connection))
}

fn without_user(connection: &Connection) -> String {
    let mut settings = libpq_settings(connection);
    settings.retain(|(keyword, _)| *keyword != "user");
    libpq(Form::KeywordValue, &settings)
}

/// A URL with libpq's keywords in its query, for clients that read it on their own: the host must stand in the
/// authority, and what they do not know must not stand in the query.
pub fn url(connection: &Connection, scheme: &str, query: &[(&str, String)]) -> String {
    format!(
        "{scheme}://{}@{}:{}/{}{}",
        percent(&connection.user),
        uri_host(&connection.host),
        connection.port,
        percent(&connection.database),
        query_part(query)
    )
}

fn query_part(query: &[(&str, String)]) -> String {
    let written: Vec<String> =
        query.iter().map(|(keyword, value)| format!("{keyword}={}", percent(value))).collect();
    if written.is_empty() { String::new() } else { format!("?{}", written.join("&")) }
}

/// Prisma's own engine: `sslcert` is the root, the client's identity is PKCS #12.
pub fn prisma(connection: &Connection) -> String {
    let mut query = vec![("sslmode", "require".to_owned()), ("sslaccept", "strict".to_owned())];
    query.extend(connection.root_file().map(|path| ("sslcert", path.to_owned())));
    if let Some(client) = &connection.client {
        query.push(("sslidentity", pkcs12_beside(&client.certificate)));
    }
    url(connection, "postgresql", &query)
}

/// pgjdbc. User and password are properties of their own.
pub fn jdbc(connection: &Connection) -> String {
    let mut query = vec![("sslmode", "verify-full".to_owned())];
    match &connection.root {
        Root::File(path) => query.push(("sslrootcert", path.clone())),
        Root::System => query.push(("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory".to_owned())),
        Root::None => {}
    }
    if let Some(client) = &connection.client {
        query.push(("sslkey", pkcs12_beside(&client.certificate)));
    }
    for (libpq, jdbc) in JDBC_FURTHER {
        query.extend(connection.further(libpq).map(|value| (*jdbc, value.to_owned())));
    }
    format!(
        "jdbc:postgresql://{}:{}/{}{}",
        uri_host(&connection.host),
        connection.port,
        percent(&connection.database),
        query_part(&query)
    )
}

/// What pgjdbc has of libpq's further settings, and how it calls them.
pub const JDBC_FURTHER: &[(&str, &str)] = &[
    ("sslnegotiation", "sslNegotiation"),
    ("channel_binding", "channelBinding"),
    ("connect_timeout", "connectTimeout"),
];

/// r2dbc-postgresql. User and password are settings of their own.
pub fn r2dbc(connection: &Connection) -> String {
    let mut query = vec![("sslMode", "VERIFY_FULL".to_owned())];
    query.extend(connection.root_file().map(|path| ("sslRootCert", path.to_owned())));
    if let Some(client) = &connection.client {
        query.push(("sslCert", client.certificate.clone()));
        query.push(("sslKey", client.key.clone()));
    }
    query.extend(connection.further("sslnegotiation").map(|value| ("sslNegotiation", value.to_uppercase())));
    format!(
        "r2dbc:postgresql://{}:{}/{}{}",
        uri_host(&connection.host),
        connection.port,
        percent(&connection.database),
        query_part(&query)
    )
}

/// Npgsql; the password comes from `PGPASSWORD`, which it reads.
pub fn npgsql(connection: &Connection) -> String {
    let port = connection.port.to_string();
    let mut pairs = vec![
        ("Host", connection.host.as_str()),
        ("Port", &port),
        ("Database", &connection.database),
        ("Username", &connection.user),
        ("SSL Mode", "VerifyFull"),
    ];
    pairs.extend(connection.root_file().map(|path| ("Root Certificate", path)));
    if let Some(client) = &connection.client {
        pairs.push(("SSL Certificate", &client.certificate));
        pairs.push(("SSL Key", &client.key));
    }
    let written: Vec<String> =
        pairs.into_iter().map(|(keyword, value)| format!("{keyword}={}", ado_net(value))).collect();
    written.join(";")
}

/// lib/pq and pgx, which read `'` and `\` in values as libpq does. An address beside the name is nothing they know.
pub fn go(connection: &Connection) -> String {
    let unknown = |keyword: &str| keyword == "hostaddr" || GO_UNKNOWN.contains(&keyword);
    let settings: Vec<_> =
        libpq_settings(connection).into_iter().filter(|(keyword, _)| !unknown(keyword)).collect();
    libpq(Form::KeywordValue, &settings)
}

/// Further settings that lib/pq or pgx would send to the server as run-time parameters.
const GO_UNKNOWN: [&str; 9] = [
    "target_session_attrs",
    "sslnegotiation",
    "channel_binding",
    "require_auth",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "sslcrl",
    "sslcrldir",
    "sslcertmode",
];

/// An entry of PgBouncer's `[databases]`, behind the equals sign.
pub fn pgbouncer_database(connection: &Connection) -> String {
    format!(
        "host={} port={} dbname={}",
        pgbouncer(&connection.host),
        connection.port,
        pgbouncer(&connection.database)
    )
}

/// Airflow's connection as JSON; the hook's libpq takes the password from `PGPASSWORD` where there is none in it.
pub fn airflow(connection: &Connection) -> String {
    let extra: serde_json::Map<String, serde_json::Value> = tls_settings(connection)
        .into_iter()
        .chain(connection.hostaddr.clone().map(|address| ("hostaddr", address)))
        .chain(connection.further.clone())
        .map(|(keyword, value)| (keyword.to_owned(), value.into()))
        .collect();
    serde_json::json!({
        "conn_type": "postgres",
        "host": connection.host,
        "port": connection.port,
        "schema": connection.database,
        "login": connection.user,
        "extra": extra,
    })
    .to_string()
}

/// Where the PKCS #12 file goes that is made of a certificate and its key: beside it.
pub fn pkcs12_beside(certificate: &str) -> String {
    let path = std::path::Path::new(certificate).with_extension("p12");
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::testing::connection;
    use super::*;

    fn full() -> Connection {
        connection(
            "host=db.example dbname='my db' user=o\\'brien sslmode=verify-full sslrootcert='/my roots/r;1.pem' \
             sslcert=/c/me.crt sslkey=/c/me.key",
        )
        .unwrap()
    }

    #[test]
    fn strings_of_every_client() {
        let connection = full();
        assert_eq!(
            perl_dsn(&connection),
            "dbi:Pg:host=db.example port=5432 dbname='my db' sslmode=verify-full \
             sslrootcert='/my roots/r;1.pem' sslcert=/c/me.crt sslkey=/c/me.key"
        );
        assert_eq!(
            jdbc(&connection),
            "jdbc:postgresql://db.example:5432/my%20db?sslmode=verify-full\
             &sslrootcert=%2Fmy%20roots%2Fr%3B1.pem&sslkey=%2Fc%2Fme.p12"
        );
        assert_eq!(
            npgsql(&connection),
            "Host=db.example;Port=5432;Database=\"my db\";Username=\"o'brien\";SSL Mode=VerifyFull;\
             Root Certificate=\"/my roots/r;1.pem\";SSL Certificate=/c/me.crt;SSL Key=/c/me.key"
        );
        assert_eq!(
            prisma(&connection),
            "postgresql://o%27brien@db.example:5432/my%20db?sslmode=require&sslaccept=strict\
             &sslcert=%2Fmy%20roots%2Fr%3B1.pem&sslidentity=%2Fc%2Fme.p12"
        );
        assert_eq!(pgbouncer_database(&connection), "host=db.example port=5432 dbname='my db'");
        assert!(r2dbc(&connection).ends_with("&sslCert=%2Fc%2Fme.crt&sslKey=%2Fc%2Fme.key"));
        let read: serde_json::Value = serde_json::from_str(&airflow(&connection)).unwrap();
        assert_eq!(read["extra"]["sslrootcert"], "/my roots/r;1.pem");
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        let given = connection("host=::1").unwrap();
        assert!(jdbc(&given).starts_with("jdbc:postgresql://[::1]:5432/"));
        assert!(prisma(&given).contains("@[::1]:5432/"));
        assert_eq!(connection(&uri(&given)).unwrap(), given);
    }

    #[test]
    fn libpq_reads_back_what_was_written() {
        let given = full();
        for text in [keyword_value(&given), uri(&given)] {
            assert_eq!(connection(&text).unwrap(), given, "{text}");
        }
        assert!(
            !go(&connection("host=h hostaddr=10.0.0.1 channel_binding=require").unwrap()).contains("10.0")
        );
    }
}
