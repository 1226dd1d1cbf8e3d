//! Every provider of the table on a chain that looks like its own: it is recognised, and what `roots export` writes is a
//! file that libpq and the program's own verdict read, trusting what is in it and nothing else.

use std::fs;

use pgtls_check::certificate::Certificate;
use pgtls_check::conninfo::{SslMode, Value};
use pgtls_check::provider::{Clue, PROVIDERS, Provider, bundle, detect};
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust::{ClientIdentity, Revocation, RootSource, Roots, Trust, read_root_file};
use pgtls_check::verify::judge;

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::psql::Psql;
use crate::support::site::OPEN;

/// A chain for `host` whose root is called as the provider's first root, or else after the provider.
fn look_alike(provider: &Provider, host: &str) -> Chain {
    let name = provider.roots.first().map_or(provider.name, |root| root.name).replace('*', "eu-central-1");
    let root = Draft::authority(&name, Algorithm::Ecdsa).self_signed();
    let intermediate = Draft::authority("An issuing CA", Algorithm::Ecdsa).signed_by(&root);
    let leaf = Draft::server(host, Algorithm::Ecdsa).signed_by(&intermediate);
    Chain { root, intermediate, leaf }
}

fn host_of(suffix: &str) -> String {
    format!("mydemoserver{}", suffix.replace("-*", "-c1a2b3").replace('*', "eu-central-1"))
}

fn sent(chain: &Chain) -> [Certificate; 2] {
    [&chain.leaf, &chain.intermediate]
        .map(|identity| Certificate::from_der(&identity.certificate.to_der().unwrap()))
}

fn accepts(file: &std::path::Path, chain: &Chain, host: &str) -> bool {
    let trust = Trust {
        roots: read_root_file(file, RootSource::Given(file.to_owned())),
        revocation: Revocation::Off,
        client: ClientIdentity::None,
    };
    assert!(matches!(trust.roots, Roots::Loaded(_)), "{:?}", trust.roots);
    let host = Value::from(host);
    judge(&sent(chain), &trust, Some(&host), Timestamp::now(), SslMode::VerifyFull).accepted
}

#[test]
fn each_is_recognised_by_its_name_and_behind_a_tunnel_by_its_certificate() {
    for provider in PROVIDERS {
        for suffix in provider.suffixes {
            let host = host_of(suffix);
            let named = detect(Some(&host), None, None, &[]).unwrap_or_else(|| panic!("{host}"));
            // Where rows share a suffix, the service that is alive is named.
            assert!(named.provider.suffixes.contains(suffix), "{host} is taken for {}", named.provider.id);

            let chain = sent(&look_alike(provider, &host));
            let tunnelled = detect(Some("localhost"), None, Some(15432), &chain).unwrap();
            assert_eq!(tunnelled.provider.id, named.provider.id);
            assert!(tunnelled.clues.contains(&Clue::CertifiedName(host.clone())), "{:?}", tunnelled.clues);

            let aliased = detect(Some("db.example"), Some(&host), None, &[]).unwrap();
            assert_eq!(aliased.provider.id, named.provider.id);
        }
    }
}

#[test]
fn a_bundle_trusts_its_roots_and_nothing_that_is_called_like_them() {
    let home = Home::new();
    for provider in PROVIDERS {
        let (Some(bundle), Some(suffix)) = (bundle(provider.id), provider.suffixes.first()) else { continue };
        let host = host_of(suffix);
        let chain = look_alike(provider, &host);
        let file = home.write(&format!("{}.pem", provider.id), bundle.to_pem());
        assert!(!accepts(&file, &chain, &host), "{}", provider.id);
        // The look-alike stands for the provider's root, whose key nobody here has.
        fs::write(&file, bundle.to_pem() + &chain.root.pem()).unwrap();
        assert!(accepts(&file, &chain, &host), "{}", provider.id);
        assert!(!accepts(&file, &chain, "mydemoserver.example"), "{}", provider.id);
    }
}

#[test]
fn libpq_reads_every_exported_bundle_and_verifies_with_it() {
    let home = Home::new();
    let azure = pgtls_check::provider::by_id("azure-flexible").unwrap();
    let host = "mydemoserver.postgres.database.azure.com";
    let chain = look_alike(azure, host);
    let server = Postgres::version(18).tls(&chain).trusted(OPEN).start();
    let connect = |libpq: u8, file: &std::path::Path| {
        let conninfo = format!(
            "host={host} hostaddr=127.0.0.1 port={} dbname=postgres user={OPEN} sslmode=verify-full sslrootcert={}",
            server.port(),
            file.display()
        );
        Psql::libpq(libpq).connect(&home, &conninfo, &[])
    };
    for bundle in PROVIDERS.iter().filter_map(|provider| bundle(provider.id)) {
        let id = bundle.provider.id;
        let file = home.write(&format!("{id}.pem"), bundle.to_pem());
        // The file is read, and the look-alike is not in it.
        let refused = connect(15, &file);
        assert!(
            !refused.connected && refused.stderr.contains("certificate verify failed"),
            "{id}: {refused:?}"
        );
    }
    let file = home.write("with.pem", bundle(azure.id).unwrap().to_pem() + &chain.root.pem());
    for libpq in [15, 18] {
        let connection = connect(libpq, &file);
        assert!(connection.connected, "{connection:?}");
    }
}
