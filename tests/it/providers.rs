//! Every provider of the table on a chain that looks like its own: it is recognised, and what `roots export` writes is a
//! file that libpq and the program's own verdict read, trusting what is in it and nothing else.

use std::fs;
use std::path::Path;

use pgtls_check::certificate::Certificate;
use pgtls_check::conninfo::{SslMode, Value};
use pgtls_check::provider::{PROVIDERS, Provider, bundle, detect};
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust::{ClientIdentity, Revocation, Roots, Trust, read_root_file};
use pgtls_check::verify::judge;

use crate::support::home::Home;
use crate::support::odd_pki::{Key, Kind};
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::psql::Psql;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::OPEN;
use crate::support::tool::{Report, Tool};

/// A chain for `host` whose root is called as the provider's first root, or else after the provider.
fn look_alike(provider: &Provider, host: &str) -> Chain {
    let root = Draft::authority(&look_alike_name(provider), Algorithm::Ecdsa).self_signed();
    let intermediate = Draft::authority("An issuing CA", Algorithm::Ecdsa).signed_by(&root);
    let leaf = Draft::server(host, Algorithm::Ecdsa).signed_by(&intermediate);
    Chain { root, intermediate, leaf }
}

fn look_alike_name(provider: &Provider) -> String {
    provider.roots.first().map_or(provider.name, |root| root.name).replace('*', "eu-central-1")
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
        roots: read_root_file(file, Path::new("")),
        revocation: Revocation::Off,
        client: ClientIdentity::None,
        library: Default::default(),
        level: Default::default(),
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

/// A server of a chain, and the string that verifies it as `host` with a file.
fn serve(chain: &Chain, host: &str, file: &std::path::Path) -> (ScriptedServer, String) {
    let der = [&chain.leaf, &chain.intermediate].map(|identity| identity.certificate.to_der().unwrap());
    let key = Key { kind: Kind::P256, private: chain.leaf.key.clone() };
    let scripted = ScriptedServer::start(&der, &key, &Tls::default());
    let conninfo = format!(
        "host={host} hostaddr=127.0.0.1 port={} user={OPEN} sslmode=verify-full sslrootcert={}",
        scripted.address.port(),
        file.display()
    );
    (scripted, conninfo)
}

/// The evidence of a warning, if it is told.
fn warned<'a>(report: &'a serde_json::Value, code: &str) -> Option<&'a serde_json::Value> {
    report["warnings"].as_array().unwrap().iter().find(|warning| warning["code"] == code)
}

fn roots(home: &Home, words: [&str; 4]) -> Report {
    Tool::at(home).with(["roots"]).with(words).run()
}

#[test]
fn a_check_names_each_provider_and_what_the_file_lacks_of_its_roots() {
    let home = Home::new();
    for provider in PROVIDERS {
        let Some(suffix) = provider.suffixes.first() else { continue };
        let host = host_of(suffix);
        let named = detect(Some(&host), None, None, &[]).unwrap().provider;
        let chain = look_alike(provider, &host);
        let file = home.write("root.pem", chain.root.pem());
        let (_stage, conninfo) = serve(&chain, &host, &file);
        let report = Tool::at(&home).check(&conninfo);
        report.verified();
        report.says("/target/provider", named.id);
        let json = report.json();
        let lacks = bundle(named.id).is_some();
        assert!(!lacks || warned(&json, "root-bundle-incomplete").is_some(), "{host}: {json}");

        // Behind a tunnel the certificate tells.
        let tunnelled = conninfo.replace(&format!("host={host} "), "host=localhost ");
        let report = Tool::at(&home).with(["--no-try"]).check(&tunnelled);
        report.diagnosed("hostname-mismatch");
        report.says("/target/provider", named.id);
    }
    let chain = Chain::honest("db.example", Algorithm::Ecdsa);
    let file = home.write("root.pem", chain.root.pem());
    let (_stage, conninfo) = serve(&chain, "db.example", &file);
    let report = Tool::at(&home).check(&conninfo);
    report.verified();
    report.says("/target/provider", serde_json::Value::Null);
}

#[test]
fn what_is_exported_is_shown_judged_and_verified_with() {
    let home = Home::new();
    for provider in PROVIDERS {
        let (Some(bundle), Some(suffix)) = (bundle(provider.id), provider.suffixes.first()) else { continue };
        let (id, host) = (provider.id, host_of(suffix));
        let chain = look_alike(provider, &host);
        let file = format!("{id}.pem");
        roots(&home, ["export", id, "--output", &file]).exits(0);
        let shown = roots(&home, ["show", &file, "--format", "json"]);
        shown.exits(0);
        assert_eq!(shown.json()["items"].as_array().unwrap().len(), bundle.roots.len(), "{id}");
        roots(&home, ["check", &file, "--provider", id]).exits(0);

        let path = home.join(&file);
        let (_stage, conninfo) = serve(&chain, &host, &path);
        let refused = Tool::at(&home).with(["--no-try"]).check(&conninfo);
        refused.exits(8);
        // The look-alike stands for the provider's root, whose key nobody here has.
        fs::write(&path, fs::read_to_string(&path).unwrap() + &chain.root.pem()).unwrap();
        let report = Tool::at(&home).check(&conninfo);
        report.verified();
        // The suffix of a service that is gone is that of its successor, which needs more.
        let own = report.at("/target/provider") == id;
        assert!(!own || warned(&report.json(), "root-bundle-incomplete").is_none(), "{id}: {report}");
    }
}

/// The file of the first instructions, against a server that is still on that root. A look-alike of the root stands
/// beside the real one in the file.
#[test]
fn a_server_still_on_the_old_root_is_verified_and_what_comes_is_named() {
    const G1: &str = "DigiCert Global Root CA";
    let home = Home::new();
    let certs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("certs");
    let old = fs::read_to_string(certs.join("DigiCertGlobalRootCA.crt.pem")).unwrap();
    for (host, id, day, words) in [
        (
            "demo.postgres.database.azure.com",
            "azure-flexible",
            "2026-11-25",
            "DigiCert Global Root G2, SHA-256",
        ),
        (
            "demo.postgres.database.chinacloudapi.cn",
            "azure-flexible-china",
            "2026-01-10",
            "from 2026-03-09 on",
        ),
    ] {
        let root = Draft::authority(G1, Algorithm::Ecdsa).days(-4000, 3650).self_signed();
        let intermediate = Draft::authority("An issuing CA", Algorithm::Ecdsa).days(-4000, 3650);
        let intermediate = intermediate.signed_by(&root);
        let leaf = Draft::server(host, Algorithm::Ecdsa).days(-4000, 3650).signed_by(&intermediate);
        let chain = Chain { root, intermediate, leaf };
        let file = home.write("DigiCertGlobalRootCA.crt.pem", old.clone() + &chain.root.pem());
        let (_stage, conninfo) = serve(&chain, host, &file);
        let report = Tool::at(&home).with(["--as-of", day]).check(&conninfo);
        report.verified();
        report.says("/target/provider", id);
        let json = report.json();
        // What the date changes stands beside it; what it does not is a warning of the check.
        let warning = warned(&json["as_of"], "root-bundle-incomplete")
            .or_else(|| warned(&json, "root-bundle-incomplete"))
            .unwrap_or_else(|| panic!("{json}"));
        let missing = warning["evidence"]["missing"].to_string();
        assert!(missing.contains(words), "{warning}");
        let command = format!("pgtls-check roots export {id} --output azure-roots.pem");
        assert_eq!(warning["fixes"][0]["command"], command.as_str());
    }
}

/// Where somebody else answers, a root file that is not there is told with all that mends it, and who answered beside it.
#[test]
fn somebody_else_is_seen_behind_a_missing_file_and_no_remedy_is_lost() {
    let home = Home::new();
    let mut seen = 0;
    for provider in PROVIDERS {
        let (Some(bundle), Some(suffix)) = (bundle(provider.id), provider.suffixes.first()) else { continue };
        let host = host_of(suffix);
        let chain = look_alike(provider, &host);
        let there = home.write("kept.pem.txt", bundle.to_pem());
        let (_stage, conninfo) = serve(&chain, &host, &there);
        if Tool::at(&home).check(&conninfo).at("/diagnosis/code") != "tls-inspection" {
            continue;
        }
        seen += 1;
        // Also where the file on this machine trusts whoever answers.
        for content in [bundle.to_pem(), bundle.to_pem() + &chain.root.pem()] {
            home.write("kept.pem.txt", content);
            let report = Tool::at(&home).check(&conninfo.replace("kept.pem.txt", "kept.pem"));
            report.exits(3).diagnosed("root-file-missing");
            report.says("/diagnosis/fixes/0/settings/sslrootcert", there.to_str());
            let fixes = report.at("/diagnosis/fixes");
            assert!(fixes.to_string().contains("roots export"), "{report}");
            assert!(!fixes.to_string().contains("sslrootcert=system"), "{report}");
            let also = report.at("/also");
            let other = also.as_array().unwrap().iter().find(|other| other["code"] == "tls-inspection");
            let name = look_alike_name(provider);
            assert!(other.is_some_and(|other| other["title"].as_str().unwrap().contains(&name)), "{report}");
        }
    }
    assert!(seen > 3, "{seen}");
}
