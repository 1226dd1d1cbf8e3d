//! `roots`: what its subcommands print, how they end, and that what one writes the others and OpenSSL read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use openssl::x509::X509;
use pgtls_check::cli::{Cli, Command};
use pgtls_check::commands::Streams;
use pgtls_check::commands::roots::run;
use pgtls_check::conninfo::{Environment, LoginName};
use pgtls_check::provider::{PROVIDERS, bundle};
use pgtls_check::report::Style;
use pgtls_check::timestamp::Timestamp;
use serde_json::Value as Json;

use crate::support::pki::{Algorithm, Draft};

/// A directory to run in, and the moment for which certificates are judged.
struct Place {
    directory: tempfile::TempDir,
    at: Timestamp,
    style: Style,
}

/// What a run said.
struct Ended {
    status: u8,
    out: String,
    notes: String,
}

impl Ended {
    fn exits(self, status: u8) -> Self {
        assert_eq!(self.status, status, "{}{}", self.out, self.notes);
        self
    }

    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "no {word:?} in\n{}", self.out);
        }
        self
    }

    fn notes(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.notes.contains(word), "no {word:?} in\n{}", self.notes);
        }
        self
    }

    fn json(&self) -> Json {
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        let object: Json = serde_json::from_str(&self.out).unwrap();
        assert_eq!(object["schema"], 1);
        object
    }
}

impl Place {
    fn new() -> Self {
        Self::on(2026, 11, 23)
    }

    fn on(year: i32, month: u8, day: u8) -> Self {
        let at = Timestamp::from_utc(year, month, day, 12, 0, 0).unwrap();
        Self { directory: tempfile::tempdir().unwrap(), at, style: Style::document() }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn roots(&self, words: &[&str]) -> Ended {
        let line = ["pgtls-check", "roots"].into_iter().chain(words.iter().copied()).map(Into::into);
        let cli = Cli::read(line).unwrap_or_else(|error| panic!("{error}"));
        let Some(Command::Roots(args)) = &cli.command else { panic!("another command") };
        let environment = Environment {
            beside: Vec::new(),
            variables: BTreeMap::new(),
            account_home: None,
            login_name: LoginName::Unknown,
            user_id: None,
            current_dir: self.directory.path().to_owned(),
            secrets: Default::default(),
            system_config_dir: PathBuf::new(),
            program: Default::default(),
            openssl: Default::default(),
            kerberos: Default::default(),
        };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            out: &mut out,
            notes: &mut notes,
            style: self.style,
            notes_style: self.style,
            pager: None,
        };
        let status =
            run(args, cli.display.format.listing().unwrap(), &environment, self.at, &mut streams).unwrap();
        Ended { status, out: String::from_utf8(out).unwrap(), notes: String::from_utf8(notes).unwrap() }
    }
}

fn shipped(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("certs").join(file)).unwrap()
}

const G1: &str = "DigiCertGlobalRootCA.crt.pem";
const AZURE: &str = "mydemoserver.postgres.database.azure.com";

#[test]
fn every_bundle_goes_out_and_comes_back_complete() {
    let place = Place::new();
    for provider in PROVIDERS.iter().filter(|provider| bundle(provider.id).is_some()) {
        let id = provider.id;
        let file = format!("{id}.pem");
        place.roots(&["export", id, "--output", &file]).exits(0).notes(&["wrote", &file]);
        let text = fs::read(place.path(&file)).unwrap();
        assert_eq!(place.roots(&["export", id]).exits(0).out.as_bytes(), text);

        let count = bundle(id).unwrap().roots.len();
        assert_eq!(X509::stack_from_pem(&text).unwrap().len(), count, "{id}");
        let shown = place.roots(&["show", &file, "--format", "json"]).exits(0).json();
        let items = shown["items"].as_array().unwrap();
        assert_eq!(items.len(), count);
        for item in items {
            assert_eq!((&item["kind"], &item["role"]), (&"certificate".into(), &"root".into()));
            assert!(item["used_by"].as_array().unwrap().contains(&id.into()), "{item}");
        }
        let checked = place.roots(&["check", &file, "--provider", id, "--format", "json"]).exits(0).json();
        assert_eq!((&checked["verdict"], &checked["judged"]), (&"ok".into(), &true.into()));
        assert_eq!(checked["warnings"], Json::Array(Vec::new()), "{id}");
    }
}

#[test]
fn the_file_of_the_first_azure_instructions_is_named_outdated_and_the_fix_works() {
    let place = Place::new();
    place.file(G1, shipped(G1));
    place.roots(&["check", G1, "--host", AZURE]).exits(8).says(&[
        "error[root-not-in-file]",
        "DigiCert Global Root G2, SHA-256 CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F",
        "Microsoft RSA Root Certificate Authority 2017, SHA-256 C741F70F4B2A8D88BF2E71C14122EF53EF10EBA0CFA5E64CFA20F418853073E0",
        "DigiCert Global Root CA, until 2031-11-10",
        "no longer trusted by Mozilla and Chrome, since 2026-04-15",
        "security-tls.md, 2025-12-19",
        "pgtls-check roots export azure-flexible --output azure-roots.pem",
        "failed  DigiCertGlobalRootCA.crt.pem  for azure-flexible  certificate  exit 8",
    ]);
    place.roots(&["export", "azure-flexible", "--output", "azure-roots.pem"]).exits(0);
    place
        .roots(&["check", "azure-roots.pem", "--host", AZURE])
        .exits(0)
        .says(&["complete  azure-roots.pem  for azure-flexible\n"]);
}

#[test]
fn where_servers_are_still_on_the_old_root_the_file_passes_and_what_comes_is_named() {
    let place = Place::on(2026, 1, 10);
    place.file(G1, shipped(G1));
    let host = "x.postgres.database.chinacloudapi.cn";
    place.roots(&["check", G1, "--host", host]).exits(0).says(&[
        "warning[root-bundle-incomplete]",
        "DigiCert Global Root G2, SHA-256 CB3CCBB7",
        "from 2026-03-09 on",
        "usable  DigiCertGlobalRootCA.crt.pem  for some servers of azure-flexible-china  1 warning\n",
    ]);
    let json = place.roots(&["check", G1, "--host", host, "--strict", "--format", "json"]).exits(10).json();
    assert_eq!((&json["verdict"], &json["exit_code"]), (&"failed".into(), &10.into()));
    assert_eq!(json["warnings"][0]["denied"], true);

    let later = Place::on(2026, 5, 1);
    later.file(G1, shipped(G1));
    later.roots(&["check", G1, "--host", host]).exits(0).says(&["warning[root-retired]", "2026-04-15"]);
}

#[test]
fn a_region_needs_its_own_roots() {
    let place = Place::new();
    place.roots(&["export", "aws-rds", "--output", "rds.pem"]).exits(0);
    place
        .roots(&["check", "rds.pem", "--host", "db.c1.eu-west-1.rds.amazonaws.com"])
        .exits(0)
        .says(&["complete"]);
    place.file("amazon.pem", shipped("Amazon_Root_CA_1.pem"));
    place
        .roots(&["check", "amazon.pem", "--host", "db.c1.eu-west-1.rds.amazonaws.com"])
        .exits(8)
        .says(&["Amazon RDS eu-west-1 Root CA RSA2048 G1, SHA-256", "roots export aws-rds"]);
    place
        .roots(&["check", "rds.pem", "--host", "db.proxy-c1.eu-west-1.rds.amazonaws.com"])
        .exits(8)
        .says(&["Amazon Root CA 1", "roots export aws-rds-proxy"]);
}

#[test]
fn files_that_libpq_refuses_are_told_what_they_are() {
    let place = Place::new();
    let pem = shipped(G1);
    let der = X509::from_pem(&pem).unwrap().to_der().unwrap();
    let key = String::from_utf8(Algorithm::Ecdsa.key().private_key_to_pem_pkcs8().unwrap()).unwrap();
    let cut = String::from_utf8(pem.clone()).unwrap().replace("-----END CERTIFICATE-----", "");
    for (name, content, code, words) in [
        ("root.crt", der, "root-file-invalid", "openssl x509 -inform DER -in"),
        ("page.pem", b"<html>".to_vec(), "root-file-invalid", "an HTML page"),
        ("empty.pem", Vec::new(), "root-file-invalid", "it is empty"),
        ("key.pem", key.into_bytes(), "root-file-invalid", "a private key"),
        ("cut.pem", cut.into_bytes(), "root-file-invalid", "it has no end line"),
    ] {
        place.file(name, content);
        place.roots(&["check", name]).exits(3).says(&[code, words, "trust  exit 3"]);
        place.roots(&["show", name]).exits(3).says(&[code]);
    }
    place.roots(&["check", "none.pem"]).exits(3).says(&["error[root-file-missing]"]);
    place.roots(&["show", "none.pem", "--format", "json"]).exits(3);
    place.roots(&["check", "."]).exits(3).says(&["error[root-file-unreadable]", "a directory"]);
    place.roots(&["show", "."]).exits(3).says(&["error[root-file-unreadable]", "a directory"]);
    // What it is shows even where libpq refuses it.
    place
        .roots(&["show", "root.crt"])
        .says(&["4348A0E9444C78CB265E058D5E8944B4D84F9662BD26DB257F8934A443C70161"]);
}

#[test]
fn files_without_a_root_or_with_expired_ones_fail_as_a_check_would() {
    let place = Place::new();
    let root = Draft::authority("A root", Algorithm::Ecdsa).self_signed();
    let below = Draft::authority("An intermediate", Algorithm::Ecdsa).signed_by(&root);
    place.file("below.pem", below.pem());
    let place_now = Place { at: Timestamp::now(), ..place };
    place_now.roots(&["check", "below.pem"]).exits(8).says(&[
        "error[root-file-lacks-root]",
        "the intermediate certificate An intermediate without its root",
        "needed  A root\n",
    ]);
    place_now.roots(&["show", "below.pem"]).exits(8).says(&[
        "intermediate",
        "libpq trusts it only together with A root",
        "error[root-file-lacks-root]",
    ]);
    place_now.file("both.pem", below.pem() + &root.pem()).roots(&["check", "both.pem"]).exits(0);

    let place = Place::new();
    place.file("old.pem", shipped("Baltimore_CyberTrust_Root.pem"));
    place.roots(&["check", "old.pem"]).exits(3).says(&["error[root-expired]", "expired on 2025-05-12"]);
    let near = Place::on(2031, 11, 1);
    near.file(G1, shipped(G1));
    near.roots(&["check", G1]).exits(0).says(&["warning[root-expires-soon]", "2031-11-10", "8 days left"]);
}

#[test]
fn show_lists_everything_and_what_becomes_of_it() {
    let place = Place::new();
    let g1 = String::from_utf8(shipped(G1)).unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n";
    let leaf = Draft::server("db.example", Algorithm::Ecdsa).self_signed().pem();
    place.file("mixed.pem", format!("notes\n{g1}{key}{g1}{leaf}"));
    place.roots(&["show", "mixed.pem"]).exits(0).says(&[
        "CN=DigiCert Global Root CA, OU=www.digicert.com, O=DigiCert Inc, C=US",
        "line  2\n",
        "2006-11-10 to 2031-11-10",
        "4348A0E9444C78CB265E058D5E8944B4D84F9662BD26DB257F8934A443C70161",
        "ignored  PRIVATE KEY",
        "the same certificate as at line 2",
        "not a CA certificate: it verifies only the server",
        "azure-flexible-china",
        "usable  mixed.pem  3 certificates\n",
    ]);
    let json = place.roots(&["show", "mixed.pem", "--format", "json"]).exits(0).json();
    let kinds: Vec<&str> =
        json["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["certificate", "ignored", "certificate", "certificate"]);
    assert_eq!(json["items"][3]["role"], "self-signed");
}

#[test]
fn a_hostile_file_prints_nothing_but_text() {
    let mut place = Place::new();
    let name = "\u{1b}[2J\u{202e}evil\u{7}";
    let root = Draft::authority(name, Algorithm::Ecdsa).self_signed();
    let label = "-----BEGIN \u{1b}]0;x\u{7}-----\nAAEC\n-----END \u{1b}]0;x\u{7}-----\n";
    place.file("evil.pem", root.pem() + label);
    for unicode in [true, false] {
        for width in [None, Some(100), Some(40)] {
            place.style = Style { unicode, width, ..Style::document() };
            for words in [
                &["show", "evil.pem"][..],
                &["check", "evil.pem"],
                &["check", "evil.pem", "--provider", "neon"],
            ] {
                let ended = place.roots(words);
                let printable =
                    |c: char| c == '\n' || (pgtls_check::text::is_printable(c) && (unicode || c.is_ascii()));
                assert!(ended.out.chars().all(printable), "{:?}", ended.out);
                let mut json = words.to_vec();
                json.extend(["--format", "json"]);
                let json = place.roots(&json);
                assert!(json.out.trim_end().chars().all(pgtls_check::text::is_printable), "{:?}", json.out);
                json.json();
            }
        }
    }
}

#[test]
fn export_keeps_what_is_there_unless_forced() {
    let place = Place::new();
    place.file("mine.pem", "mine");
    place
        .roots(&["export", "neon", "--output", "mine.pem"])
        .exits(2)
        .notes(&["exists and is left as it is", "--force replaces it"]);
    assert_eq!(fs::read(place.path("mine.pem")).unwrap(), b"mine");
    place.roots(&["export", "neon", "--output", "mine.pem", "--force"]).exits(0);
    assert!(fs::read_to_string(place.path("mine.pem")).unwrap().contains("ISRG Root X1"));
    assert_eq!(fs::read_dir(place.directory.path()).unwrap().count(), 1);
}

#[test]
fn wrong_options_say_what_is_right() {
    let place = Place::new();
    place.file(G1, shipped(G1));
    place.roots(&["export", "nobody"]).exits(2).notes(&["no provider is called", "azure-flexible"]);
    place.roots(&["export", "supabase"]).exits(2).notes(&["no roots of Supabase ship", "prod-ca-2021.crt"]);
    place
        .roots(&["check", G1, "--host", "x.postgres.database.azur.com"])
        .exits(2)
        .notes(&["is x.postgres.database.azure.com meant"]);
    place.roots(&["check", G1, "--host", "db.example"]).exits(2).notes(&["of no provider"]);
    place.roots(&["check", G1, "--host", AZURE, "--provider", "neon"]).exits(2).notes(&["not of Neon"]);
    place.roots(&["check", G1, "--host", AZURE, "--provider", "azure-single"]).exits(8);
    // Where nothing is known of the roots, the file is judged by itself and that is said.
    place.roots(&["check", G1, "--provider", "aiven"]).exits(0).says(&["not known here", "ca.pem"]);
}

#[test]
fn the_list_has_every_provider_of_which_something_is_known() {
    let place = Place::new();
    let text = place.roots(&[]).exits(0).says(&[
        "azure-flexible  Azure Database for PostgreSQL Flexible Server",
        "DigiCert Global Root G2 · until 2038-01-15",
        "needed for servers with a rotation extension",
        "36 like Amazon RDS",
        "prod-ca-2021.crt",
        "security-tls.md, 2025-12-19",
    ]);
    assert_eq!(text.out, place.roots(&["list"]).out);
    let json = place.roots(&["list", "--format", "json"]).exits(0).json();
    let listed = json["providers"].as_array().unwrap();
    assert_eq!(listed.len(), PROVIDERS.len());
    assert_eq!(listed[0]["roots"][2]["retired"], "2026-04-15");
}
