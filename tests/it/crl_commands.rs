//! The commands that put a CRL where it is missing or no good, run as printed beside the CRLs of the CAs, leave files with
//! which libpq's check of revocation passes.

use std::path::Path;

use crate::support::der::{explicit, sequence};
use crate::support::home::Home;
use crate::support::odd_pki::{CrlDraft, Draft, Extension, Issued, crl_pem, days, uri};
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::NAME;
use crate::support::tool::{Report, Tool};

const ADDRESS: &str = "http://crl.pgtls.test/reissue-ca.crl";

struct Chain {
    root: Issued,
    ca: Issued,
    server: ScriptedServer,
}

impl Chain {
    /// A server whose certificate says where its CRL is to be had, if it is to.
    fn new(addressed: bool) -> Self {
        let root = Draft::authority("CRL Root").self_signed();
        let ca = Draft::authority("CRL CA").signed_by(&root);
        let name = explicit(0, &[&explicit(0, &[&uri(ADDRESS)])]);
        let point = Extension::new("2.5.29.31", sequence(&[&sequence(&[&name])]));
        let draft = Draft::server(NAME);
        let leaf = if addressed { draft.with(point) } else { draft }.signed_by(&ca);
        let server = ScriptedServer::start(&[leaf.der.clone(), ca.der.clone()], &leaf.key, &Tls::default());
        Self { root, ca, server }
    }

    fn check(&self, home: &Home, more: &str) -> Report {
        let roots = home.write("roots.pem", self.root.pem());
        Tool::at(home).with(["--tls-only"]).check(&format!(
            "host={NAME} hostaddr=127.0.0.1 port={} sslmode=verify-full sslrootcert={} {more}",
            self.server.address.port(),
            roots.display()
        ))
    }

    fn lists(&self) -> [String; 2] {
        [&self.ca, &self.root].map(|issuer| crl_pem(&CrlDraft::revoking(&[]).signed_by(issuer)))
    }
}

/// The command of the first fix that has one.
#[track_caller]
fn command(report: &Report, code: &str) -> String {
    report.diagnosed(code);
    let fixes = report.at("/diagnosis/fixes");
    let mut commands = fixes.as_array().unwrap().iter().filter_map(|fix| fix["command"].as_str());
    commands.next().unwrap_or_else(|| panic!("no command: {report}")).to_owned()
}

fn run(home: &Home, command: &str) {
    let done = home.command("sh").args(["-ec", command]).current_dir(home.path()).output().unwrap();
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}

fn with_file(file: &Path) -> String {
    format!("sslcrl={}", file.display())
}

#[test]
fn a_crl_that_is_missing_is_appended_to_the_file() {
    let chain = Chain::new(false);
    let home = Home::new();
    let [of_ca, of_root] = chain.lists();
    let file = home.write("lists.pem", &of_root);
    let missing = chain.check(&home, &with_file(&file));
    let command = command(&missing, "crl-missing");
    home.write("ca.crl", &of_ca);
    run(&home, &command);
    chain.check(&home, &with_file(&file)).verified();
}

#[test]
fn a_crl_that_expired_is_replaced_and_the_others_stay() {
    let chain = Chain::new(false);
    for is_first in [true, false] {
        let home = Home::new();
        let [of_ca, of_root] = chain.lists();
        let old = CrlDraft::revoking(&[]).updates(days(-20), Some(days(-10)));
        let old = crl_pem(&old.signed_by(&chain.ca));
        let file = home.write("lists.pem", if is_first { old + &of_root } else { of_root + &old });
        let expired = chain.check(&home, &with_file(&file));
        let command = command(&expired, "crl-invalid");
        home.write("ca.crl", &of_ca);
        run(&home, &command);
        chain.check(&home, &with_file(&file)).verified();
        // What is offered to those who want no revocation was tried.
        let fixes = expired.at("/diagnosis/fixes");
        let last = fixes.as_array().unwrap().last().unwrap().clone();
        assert_eq!((last["settings"]["sslcrl"].as_str(), last["tried"].as_str()), (Some(""), Some("works")));
    }
}

#[test]
fn a_directory_of_crls_is_made() {
    let chain = Chain::new(false);
    let home = Home::new();
    let directory = format!("sslcrldir={}", home.join("lists").display());
    let missing = chain.check(&home, &directory);
    let command = command(&missing, "crl-missing");
    let [of_ca, of_root] = chain.lists();
    home.write("ca1.crl", &of_ca);
    home.write("ca2.crl", &of_root);
    run(&home, &command);
    chain.check(&home, &directory).verified();
}

#[test]
fn the_address_in_the_certificate_is_where_the_crl_is_downloaded() {
    let chain = Chain::new(true);
    let home = Home::new();
    let [of_ca, of_root] = chain.lists();
    let file = home.write("lists.pem", &of_root);
    let missing = chain.check(&home, &with_file(&file));
    let command = command(&missing, "crl-missing");
    let (download, rest) = command.split_once('\n').unwrap();
    assert_eq!(download, format!("curl -fsS -o ca.crl {ADDRESS}"), "{missing}");
    home.write("ca.crl", &of_ca);
    run(&home, rest);
    chain.check(&home, &with_file(&file)).verified();
}
