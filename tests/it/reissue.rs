//! Each "reissue the certificate" comes with commands. Run as printed, beside the files that they name, they leave files
//! with which a real PostgreSQL is verified, also by what is stricter than libpq.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::home::Home;
use crate::support::odd_pki::{
    CLIENT_AUTH, CrlDraft, DIGITAL_SIGNATURE, Draft, Extension, Hash, Issued, Key, Kind, SUBJECT_ALT_NAME,
    Scheme, basic_constraints, crl_pem, extended_key_usage, key_usage,
};
use crate::support::postgres::Postgres;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::{NAME, OPEN};
use crate::support::tool::{Report, Tool};

/// Certificates of which something is wrong.
struct Fault {
    /// The diagnosis or the warning whose fix is run.
    code: &'static str,
    host: &'static str,
    leaf: Issued,
    /// The CA that issued it, and the root above that if it is another.
    ca: Issued,
    root: Option<Issued>,
    /// A CRL for the client.
    crl: Option<String>,
    /// Intermediates between the CA and the root, which the server sends too.
    above: Vec<Issued>,
}

impl Fault {
    fn new(code: &'static str, change: impl FnOnce(Draft) -> Draft) -> Self {
        let root = Draft::authority("Reissue Root").self_signed();
        let ca = Draft::authority("Reissue CA").signed_by(&root);
        let leaf = change(Draft::server(NAME)).signed_by(&ca);
        Self { code, host: NAME, leaf, ca, root: Some(root), crl: None, above: vec![] }
    }

    fn root(&self) -> &Issued {
        self.root.as_ref().unwrap_or(&self.ca)
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        let intermediate = self.root.as_ref().map(|_| self.ca.der.clone());
        [self.leaf.der.clone()]
            .into_iter()
            .chain(intermediate)
            .chain(self.above.iter().map(|above| above.der.clone()))
            .collect()
    }
}

fn faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault { host: "alias.example", ..Fault::new("hostname-mismatch", |leaf| leaf) },
        Fault { host: "127.0.0.1", ..Fault::new("hostname-mismatch", |leaf| leaf) },
        Fault::new("certificate-expired", Draft::expired),
        Fault::new("certificate-not-yet-valid", Draft::future),
        Fault::new("certificate-weak", |leaf| leaf.keyed(Kind::Rsa(1024))),
        Fault::new("certificate-weak", |leaf| leaf.scheme(Scheme::Usual(Hash::Sha1))),
        Fault::new("certificate-purpose", |leaf| leaf.with(extended_key_usage(&[CLIENT_AUTH]))),
        Fault::new("certificate-invalid", |leaf| {
            leaf.with(Extension::new("1.3.6.1.4.1.99999.1", vec![5, 0]).critical())
        }),
        Fault::new("no-subject-alt-name", |leaf| leaf.without(SUBJECT_ALT_NAME)),
        Fault::new("ca-as-server-certificate", |leaf| leaf.with(basic_constraints(true, None))),
        Fault::new("strict-client-rejects", |leaf| leaf.version(1)),
        // Go refuses a negative serial number.
        Fault::new("strict-client-rejects", |leaf| leaf.serial(&[0x8F, 0x01])),
    ];
    // Of another name as well: what is issued anew is for the name that was asked for.
    faults.push(Fault { host: "alias.example", ..Fault::new("certificate-expired", Draft::expired) });
    // Two intermediates, of which the file needs both.
    let root = Draft::authority("Reissue Root").self_signed();
    let policy = Draft::authority("Reissue Policy").signed_by(&root);
    let ca = Draft::authority("Reissue CA").signed_by(&policy);
    let leaf = Draft::server(NAME).expired().signed_by(&ca);
    let above = vec![policy];
    faults.push(Fault {
        code: "certificate-expired",
        host: NAME,
        leaf,
        ca,
        root: Some(root),
        crl: None,
        above,
    });
    // A root that signs the server's certificate itself.
    let root = Draft::authority("Reissue Root").self_signed();
    let leaf = Draft::server(NAME).expired().signed_by(&root);
    faults.push(Fault {
        code: "certificate-expired",
        host: NAME,
        leaf,
        ca: root,
        root: None,
        crl: None,
        above: vec![],
    });
    // A self-signed certificate in the root file; the second fix of one that is not there is run below.
    let alone = Draft::server(NAME).with(basic_constraints(false, None)).expired().self_signed();
    faults.push(Fault {
        code: "certificate-expired",
        host: NAME,
        ca: alone.clone(),
        leaf: alone,
        root: None,
        crl: None,
        above: vec![],
    });
    // An intermediate that may not issue.
    let root = Draft::authority("Reissue Root").self_signed();
    let no_ca = Draft::authority("Reissue CA").with(key_usage(&[DIGITAL_SIGNATURE])).signed_by(&root);
    let leaf = Draft::server(NAME).signed_by(&no_ca);
    faults.push(Fault {
        code: "certificate-purpose",
        host: NAME,
        leaf,
        ca: no_ca,
        root: Some(root),
        crl: None,
        above: vec![],
    });
    // A key that others may know.
    let mut revoked = Fault::new("certificate-revoked", |leaf| leaf);
    let lists = [(&revoked.ca, vec![&revoked.leaf]), (revoked.root(), Vec::new())]
        .map(|(issuer, certificates)| crl_pem(&CrlDraft::revoking(&certificates).signed_by(issuer)));
    revoked.crl = Some(lists.concat());
    faults.push(revoked);
    faults
}

fn key_pem(key: &Key) -> String {
    String::from_utf8(key.private.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

/// The first command among the fixes of a diagnosis or warning that issues a certificate.
fn command(report: &Report, code: &str) -> String {
    let json = report.json();
    let warnings = json["warnings"].as_array().into_iter().flatten();
    let found = warnings.chain([&json["diagnosis"]]).find(|finding| finding["code"] == code);
    let fixes = found.unwrap_or_else(|| panic!("no {code}: {report}"))["fixes"].as_array().unwrap().clone();
    let commands = fixes.iter().filter_map(|fix| fix["command"].as_str());
    commands
        .clone()
        .find(|command| command.contains("openssl x509 -req"))
        .unwrap_or_else(|| panic!("{code} has no command to reissue: {report}"))
        .to_owned()
}

fn conninfo(host: &str, port: u16, root: &std::path::Path, more: &str) -> String {
    format!(
        "host={host} hostaddr=127.0.0.1 port={port} dbname=postgres user={OPEN} sslmode=verify-full sslrootcert={}{more}",
        root.display()
    )
}

/// A server whose certificate does not matter, since the commands replace it.
fn server(version: u8, leaf: &Issued) -> Postgres {
    let honest = Draft::server(NAME).self_signed();
    let server =
        Postgres::version(version).certificate(honest.pem(), key_pem(&honest.key)).trusted(OPEN).start();
    server.put(&[("server.key", &key_pem(&leaf.key)), ("server.crt", &leaf.pem())]);
    server
}

/// Checks until the reload has happened, which the server does when it comes to it.
#[track_caller]
fn verified(home: &Home, conninfo: &str, command: &str) -> Report {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let report = Tool::at(home).check(conninfo);
        if report.status == Some(0) || Instant::now() > deadline {
            assert!(report.json()["verdict"] == "verified", "after\n{command}\n{report}");
            return report;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_commands_leave_a_certificate_that_verifies() {
    for (index, fault) in faults().into_iter().enumerate() {
        let home = Home::new();
        let roots = home.write("roots.pem", fault.root().pem());
        let crl = fault.crl.as_ref().map(|pem| home.write("lists.pem", pem));
        let more = crl.map(|path| format!(" sslcrl={}", path.display())).unwrap_or_default();
        // rustls has no RSA of 1024 bits.
        let tls = Tls { blind: fault.leaf.key.kind != Kind::Rsa(1024), ..Tls::default() };
        let shown = ScriptedServer::start(&fault.sent(), &fault.leaf.key, &tls);
        let report = Tool::at(&home).with(["--tls-only"]).check(&conninfo(
            fault.host,
            shown.address.port(),
            &roots,
            &more,
        ));
        let command = command(&report, fault.code);

        let server = server(if index % 2 == 0 { 15 } else { 18 }, &fault.leaf);
        let above = fault.root();
        let (ca, ca_key) = (fault.ca.pem(), key_pem(&fault.ca.key));
        let (root, root_key) = (above.pem(), key_pem(&above.key));
        server.put(&[("ca.crt", &ca), ("ca.key", &ca_key), ("root.crt", &root), ("root.key", &root_key)]);
        for upper in &fault.above {
            server.put(&[("upper-ca.crt", &upper.pem())]);
        }
        server.administer(&command);
        let is_self_signed = fault.leaf.der == fault.ca.der;
        if is_self_signed {
            home.write("roots.pem", server.administer("cat server.crt"));
        }
        let after = verified(&home, &conninfo(fault.host, server.port(), &roots, &more), &command);
        assert_eq!(after.json()["warnings"], Value::Array(Vec::new()), "{}\n{command}\n{after}", fault.code);
        if !is_self_signed {
            // What Python 3.13, Go and others mind: the identifiers of keys, the criticality of constraints.
            server.administer(
                "openssl verify -x509_strict -purpose sslserver -CAfile root.crt -untrusted server.crt server.crt",
            );
        }
    }
}

/// A root is in the clients' files and not on the server: its own key signs it anew, and what it issued stays valid.
#[test]
fn a_root_that_may_not_issue_is_replaced_where_it_is_used() {
    let changes: [fn(Draft) -> Draft; 3] = [
        |root| root.with(basic_constraints(false, None)),
        |root| root.with(key_usage(&[DIGITAL_SIGNATURE])),
        |root| root.with(extended_key_usage(&[CLIENT_AUTH])),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let home = Home::new();
        let root = change(Draft::authority("Reissue Root")).self_signed();
        let leaf = Draft::server(NAME).signed_by(&root);
        let beside = Draft::authority("Another Root").self_signed().pem();
        // Alone in its file, and among others.
        let file = if index == 0 { root.pem() } else { format!("{beside}{}", root.pem()) };
        let roots = home.write("roots.pem", file);
        let server = ScriptedServer::start(std::slice::from_ref(&leaf.der), &leaf.key, &Tls::default());
        let conninfo = conninfo(NAME, server.address.port(), &roots, "");
        let report = Tool::at(&home).with(["--tls-only"]).check(&conninfo);
        let json = report.json();
        assert_eq!(json["diagnosis"]["code"], "certificate-purpose", "{report}");
        assert_eq!(json["diagnosis"]["fixes"].as_array().map(Vec::len), Some(1), "{report}");
        let command = json["diagnosis"]["fixes"][0]["command"].as_str().expect("a command");
        assert!(!command.contains("server.crt"), "{command}");
        let authority = Home::new();
        authority.write("ca.crt", root.pem());
        authority.write("ca.key", key_pem(&root.key));
        let done = std::process::Command::new("sh")
            .args(["-ec", command])
            .current_dir(authority.path())
            .output()
            .expect("a shell");
        assert!(done.status.success(), "{command}\n{}", String::from_utf8_lossy(&done.stderr));
        let server = ScriptedServer::start(std::slice::from_ref(&leaf.der), &leaf.key, &Tls::default());
        let conninfo = self::conninfo(NAME, server.address.port(), &roots, "");
        let after = Tool::at(&home).with(["--tls-only"]).check(&conninfo);
        assert_eq!(after.status, Some(0), "{command}\n{after}");
        assert_eq!(after.json()["warnings"], Value::Array(Vec::new()), "{after}");
    }
}

/// Who fetches what a certificate names may wait where the address is not everybody's: of documentation, of a network.
#[test]
fn an_address_of_few_in_the_certificate_is_noted() {
    for (url, noted) in
        [("http://192.0.2.1/ca.crt", true), ("http://10.1.2.3/ca.crt", true), ("http://8.8.8.8/ca", false)]
    {
        let place = [&[0x86, u8::try_from(url.len()).unwrap()], url.as_bytes()].concat();
        let issuers = [&[6, 8, 0x2b, 6, 1, 5, 5, 7, 48, 2][..], &place].concat();
        let access = [&[0x30, u8::try_from(issuers.len()).unwrap()], &issuers[..]].concat();
        let value = [&[0x30, u8::try_from(access.len()).unwrap()], &access[..]].concat();
        let fault = Fault::new("", |leaf| leaf.with(Extension::new("1.3.6.1.5.5.7.1.1", value)));
        let home = Home::new();
        let roots = home.write("roots.pem", fault.root().pem());
        let server = ScriptedServer::start(&fault.sent(), &fault.leaf.key, &Tls::default());
        let report =
            Tool::at(&home).with(["--tls-only"]).check(&conninfo(NAME, server.address.port(), &roots, ""));
        report.verified();
        let says = report.stdout.contains(&format!("the certificate names {url}, which not every network"));
        assert_eq!(says, noted, "{report}");
    }
}

#[test]
fn a_new_authority_is_made_by_its_commands() {
    let home = Home::new();
    let other = home.write("other.pem", Draft::authority("Other").self_signed().pem());
    let alone = Draft::server(NAME).self_signed();
    let shown = ScriptedServer::start(
        std::slice::from_ref(&alone.der),
        &alone.key,
        &Tls { blind: true, ..Tls::default() },
    );
    let report = Tool::at(&home).check(&conninfo(NAME, shown.address.port(), &other, ""));
    let command = command(&report, "self-signed");
    let server = server(15, &alone);
    server.administer(&command);
    let roots = home.write("roots.pem", server.administer("cat ca.crt"));
    verified(&home, &conninfo(NAME, server.port(), &roots, ""), &command);
    server.administer("openssl verify -x509_strict -purpose sslserver -CAfile ca.crt server.crt");
}

#[test]
fn a_clients_certificate_is_made_by_its_commands() {
    let home = Home::new();
    let root = Draft::authority("Reissue Root").self_signed();
    let leaf = Draft::server(NAME).signed_by(&root);
    let client = Draft::bare("somebody").with(extended_key_usage(&[CLIENT_AUTH])).signed_by(&root);
    let server = Postgres::version(15)
        .certificate(leaf.pem(), key_pem(&leaf.key))
        .client_roots(root.pem())
        .hba(&format!("hostssl all {OPEN} all cert"))
        .sql(&format!("CREATE ROLE {OPEN} LOGIN"))
        .start();
    let roots = home.write("roots.pem", root.pem());
    let with = |certificate: &str, key: &str| {
        let certificate = home.write("client.crt", certificate);
        let key = home.write("client.key", key);
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let files = format!(" sslcert={} sslkey={}", certificate.display(), key.display());
        conninfo(NAME, server.port(), &roots, &files)
    };
    let report = Tool::at(&home).check(&with(&client.pem(), &key_pem(&client.key)));
    report.diagnosed("certificate-user-mismatch");
    let command = command(&report, "certificate-user-mismatch");
    server.put(&[("ca.crt", &root.pem()), ("ca.key", &key_pem(&root.key))]);
    server.administer(&command);
    let made = |ending: &str| server.administer(&format!("cat {OPEN}.{ending}"));
    let issued = with(&made("crt"), &made("key"));
    verified(&home, &issued, &command);
}
