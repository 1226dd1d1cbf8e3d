//! Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.

use std::error::Error;
use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _};

const QUERY: &str = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (driver, file) = (arguments.next().expect("a driver"), arguments.next().expect("a file"));
    for text in std::fs::read_to_string(file).expect("the file").lines() {
        let found = match driver.as_str() {
            "tokio-postgres" => tokio_postgres(text).await,
            "sqlx" => sqlx(text).await,
            other => panic!("{other}"),
        };
        match found {
            Ok(true) => println!("tls"),
            Ok(false) => println!("plaintext"),
            Err(error) => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                let words = format!("{error} {cause}");
                println!("refused {}", words.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
    }
}

/// With rustls and the system's roots, as most programs have it.
async fn tokio_postgres(text: &str) -> Result<bool, Box<dyn Error>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_postgres_rustls::MakeRustlsConnect::new(config);
    let (client, connection) = tokio_postgres::connect(text, connector).await?;
    let served = tokio::spawn(connection);
    let found = client.query_one(QUERY, &[]).await?.get(0);
    drop(client);
    let _ = served.await;
    Ok(found)
}

async fn sqlx(text: &str) -> Result<bool, Box<dyn Error>> {
    let options: sqlx::postgres::PgConnectOptions = text.parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    let found = sqlx::query_scalar(QUERY).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}
