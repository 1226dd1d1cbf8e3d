//! Client certificates and keys that libpq does not take, and files that it takes although nobody named them. What a
//! diagnosis offers is done as printed, and then the server is verified; psql 15 and 18 agree before and after.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use openssl::pkcs12::Pkcs12;
use openssl::symm::Cipher;

use serde_json::Value;

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Chain, Draft, Identity};
use crate::support::postgres::Postgres;
use crate::support::psql::Psql;
use crate::support::site::{NAME, OPEN, verify_full};
use crate::support::tool::{Report, Tool};

const PASS_PHRASE: &str = "open sesame";

/// A server that wants a client certificate, and one for it.
struct Fixture {
    server: Postgres,
    home: Home,
    root: PathBuf,
    client: Identity,
}

impl Fixture {
    fn new(version: u8) -> Self {
        let chain = Chain::honest(NAME, Algorithm::Rsa);
        let clients = Draft::authority("clients", Algorithm::Rsa).self_signed();
        let server = Postgres::version(version)
            .tls(&chain)
            .trusted(OPEN)
            .client_roots(clients.pem())
            .hba("hostssl all all 127.0.0.1/32 trust clientcert=verify-ca")
            .start();
        let home = Home::new();
        let root = home.write("root.pem", chain.root.pem());
        Self { server, home, root, client: Draft::server(OPEN, Algorithm::Rsa).signed_by(&clients) }
    }

    fn conninfo(&self, certificate: &Path, key: &Path) -> String {
        let server = verify_full(self.server.port(), self.root.to_str().unwrap(), OPEN);
        format!("{server} sslcert='{}' sslkey='{}'", certificate.display(), key.display())
    }

    fn check(&self, certificate: &Path, key: &Path) -> Report {
        let conninfo = self.conninfo(certificate, key) + &format!(" sslpassword='{PASS_PHRASE}'");
        let report = Tool::at(&self.home).check(&conninfo);
        for version in [15, 18] {
            let mut psql = Psql::libpq(version).command(&self.home);
            let said = psql.args(["-XAtwqc", "select 1", "-d", &conninfo]).output().unwrap();
            assert_eq!(
                said.status.success(),
                report.status == Some(0),
                "libpq {version}: {said:?}: {report}"
            );
        }
        report
    }
}

/// What some drivers call sslcert is the CA's file; libpq wants a private key for it.
#[test]
fn the_file_of_a_ca_in_the_place_of_a_certificate_is_meant_as_the_root_file() {
    let chain = Chain::honest(NAME, Algorithm::Rsa);
    let server = Postgres::version(18).tls(&chain).trusted(OPEN).start();
    let home = Home::new();
    let root = home.write("root.pem", chain.root.pem());
    let conninfo = format!(
        "host={NAME} hostaddr=127.0.0.1 port={} user={OPEN} dbname=postgres sslmode=require sslcert={}",
        server.port(),
        root.display()
    );
    let report = Tool::at(&home).check(&conninfo);
    let diagnosis = &report.json()["diagnosis"];
    assert_eq!(diagnosis["code"], "client-key-missing", "{report}");
    assert!(
        diagnosis["title"].as_str().is_some_and(|title| title.contains("is a CA certificate")),
        "{report}"
    );
    let first = &diagnosis["fixes"][0];
    assert_eq!(first["settings"]["sslrootcert"], root.to_str().unwrap(), "{report}");
    assert_eq!(first["tried"], "works", "{report}");
    let mended = format!("{conninfo} sslrootcert={} sslcert=''", root.display());
    let said = Psql::libpq(18).command(&home).args(["-XAtwqc", "select 1", "-d", &mended]).output().unwrap();
    assert!(said.status.success(), "{said:?}");
}

/// Whatever is wrong with a key, what will then be wrong with its certificate is said too.
#[test]
fn the_certificate_of_a_key_that_is_no_good_is_read() {
    let chain = Chain::honest(NAME, Algorithm::Rsa);
    let server = Postgres::version(18).tls(&chain).trusted(OPEN).start();
    let home = Home::new();
    let root = home.write("root.pem", chain.root.pem());
    let other = home.write("other.key", Draft::authority("Other", Algorithm::Rsa).self_signed().key_pem());
    for (name, days, mode, told) in [
        ("App", 90, 0o600, "the certificate is for App, not for open_role"),
        ("App", 90, 0o644, "the certificate is for App, not for open_role"),
        (OPEN, -2, 0o600, "the certificate has expired"),
        (OPEN, 90, 0o600, ""),
    ] {
        fs::set_permissions(&other, fs::Permissions::from_mode(mode)).unwrap();
        let client = Draft::server(name, Algorithm::Rsa).days(-5, days).signed_by(&chain.root);
        let report = Tool::at(&home).check(&format!(
            "host={NAME} hostaddr=127.0.0.1 port={} user={OPEN} dbname=postgres sslrootcert={} sslcert={} sslkey={}",
            server.port(),
            root.display(),
            home.write("client.crt", client.pem()).display(),
            other.display()
        ));
        let fixes = report.at("/diagnosis/fixes");
        let about = |fix: &Value| fix["text"].as_str().is_some_and(|text| text.contains(told));
        assert!(fixes.as_array().unwrap().iter().any(about), "{report}");
        let of_leaf = ["the certificate is for", "the certificate has expired"];
        assert_eq!(
            of_leaf.iter().any(|text| report.to_string().contains(text)),
            !told.is_empty(),
            "{report}"
        );
    }
}

/// Runs a command as it was printed, without a terminal; whoever asks for pass phrases gets them on standard input.
fn run(home: &Home, command: &str) {
    let tool = Path::new(Tool::PROGRAM).parent().unwrap();
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = home.command("setsid");
    shell.env("PATH", path).args(["--wait", "sh", "-c", command]);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let answers = format!("{PASS_PHRASE}\n").repeat(3);
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

/// What a file contains, the words that tell it, and the command that mends it as far as there is one.
type Kind = (&'static str, Vec<u8>, &'static str, Option<&'static str>);

fn bundle(client: &Identity) -> Vec<u8> {
    let bundle = Pkcs12::builder().name("x").pkey(&client.key).cert(&client.certificate).build2(PASS_PHRASE);
    bundle.unwrap().to_der().unwrap()
}

#[test]
fn keys_in_other_forms_are_converted_by_the_command_that_is_offered() {
    let fixture = Fixture::new(18);
    let client = &fixture.client;
    let certificate = fixture.home.write("client.crt", client.pem());
    let encrypted = client.key.private_key_to_pkcs8_passphrase(Cipher::aes_256_cbc(), PASS_PHRASE.as_bytes());
    let ssh = fixture.home.write("ssh", client.key_pem());
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o600)).unwrap();
    run(&fixture.home, &format!("ssh-keygen -p -N '' -f {}", ssh.display()));
    let pem = client.key_pem();
    let kinds: [Kind; 7] = [
        (
            "encrypted-der",
            encrypted.unwrap(),
            "encrypted PKCS#8 key in DER",
            Some("openssl pkey -inform DER"),
        ),
        ("pkcs12", bundle(client), "a PKCS#12 bundle", Some("openssl pkcs12")),
        ("openssh", fs::read(&ssh).unwrap(), "OpenSSH's own format", Some("cp ")),
        ("certificate", client.pem().into_bytes(), "a certificate, not a private key", None),
        ("altered", pem.replace('\n', "\\n").into_bytes(), "lines were altered", None),
        ("text", b"none".to_vec(), "no private key", None),
        ("cut", pem.replace("-----END", "----").into_bytes(), "damaged", None),
    ];
    for (name, content, problem, mended_by) in kinds {
        let key = fixture.home.write(&format!("{name} of mine"), content);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let report = fixture.check(&certificate, &key);
        report.exits(3).diagnosed("client-key-invalid").conceals(PASS_PHRASE);
        let said = report.at("/diagnosis/evidence/problem");
        assert!(said.as_str().unwrap().contains(problem), "{name}: {report}");
        // A key that an earlier round made lies beside it and is found.
        let fixes = report.at("/diagnosis/fixes");
        let fix = fixes.as_array().unwrap().iter().find(|fix| fix["tried"].is_null()).unwrap();
        assert_eq!(fix["command"].is_string(), mended_by.is_some(), "{name}: {report}");
        let (Some(command), Some(wanted)) = (fix["command"].as_str(), mended_by) else { continue };
        assert!(command.starts_with(wanted), "{name}: {command}");
        run(&fixture.home, command);
        let made = PathBuf::from(fix["settings"]["sslkey"].as_str().unwrap());
        fixture.check(&certificate, &made).verified();
    }
}

#[test]
fn certificates_in_other_forms_are_converted_by_the_command_that_is_offered() {
    let fixture = Fixture::new(15);
    let client = &fixture.client;
    let key = fixture.home.write("client.key", client.key_pem());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let pem = client.pem();
    const CONVERT: Option<&str> = Some("pgtls-check roots convert");
    let kinds: [Kind; 6] = [
        ("der", client.certificate.to_der().unwrap(), "a DER certificate", Some("openssl x509 -inform DER")),
        ("pkcs12", bundle(client), "a PKCS#12 bundle", Some("openssl pkcs12")),
        ("one-line", pem.replace('\n', "\\n").into_bytes(), "\\n", CONVERT),
        ("indented", pem.replace("-----BEGIN", " -----BEGIN").into_bytes(), "indented", CONVERT),
        ("base64", openssl::base64::encode_block(pem.as_bytes()).into_bytes(), "base64", CONVERT),
        ("text", b"none".to_vec(), "no certificate", None),
    ];
    for (name, content, problem, mended_by) in kinds {
        let certificate = fixture.home.write(&format!("{name} of mine.crt"), content);
        let report = fixture.check(&certificate, &key);
        report.exits(3).diagnosed("client-cert-invalid");
        let said = report.at("/diagnosis/evidence/problem");
        assert!(said.as_str().unwrap().contains(problem), "{name}: {report}");
        let fix = report.at("/diagnosis/fixes/0");
        assert_eq!(fix["command"].is_string(), mended_by.is_some(), "{name}: {report}");
        let (Some(command), Some(wanted)) = (fix["command"].as_str(), mended_by) else { continue };
        assert!(command.starts_with(wanted), "{name}: {command}");
        run(&fixture.home, command);
        let made = PathBuf::from(fix["settings"]["sslcert"].as_str().unwrap());
        fixture.check(&made, &key).verified();
    }
    // Both in one file, of which the key's setting knows nothing.
    let both = fixture.home.write("both.pem", pem.clone() + &client.key_pem());
    fs::set_permissions(&both, fs::Permissions::from_mode(0o600)).unwrap();
    let report = fixture.check(&both, &fixture.home.join("gone.key"));
    report.exits(3).diagnosed("client-key-missing").says("/diagnosis/fixes/0/tried", "works");
    report.says("/diagnosis/fixes/0/settings/sslkey", both.to_str().unwrap());
    // The client's own certificate behind another one; the command puts it first.
    let other = Draft::authority("another", Algorithm::Rsa).self_signed();
    let joined = fixture.home.write("joined.crt", other.pem() + &pem);
    let report = fixture.check(&joined, &key);
    report.exits(3).diagnosed("client-key-mismatch");
    run(&fixture.home, report.at("/diagnosis/fixes/0/command").as_str().unwrap());
    fixture.check(&joined, &key).verified();
    // Each in the other's place.
    let certificate = fixture.home.write("client.crt", pem);
    fs::set_permissions(&certificate, fs::Permissions::from_mode(0o600)).unwrap();
    let swapped = fixture.check(&key, &certificate);
    swapped.exits(3).diagnosed("client-cert-invalid").says("/diagnosis/fixes/0/tried", "works");
    swapped.says("/diagnosis/fixes/0/settings/sslcert", certificate.to_str().unwrap());
}

#[test]
fn files_that_nobody_named_are_said_to_be_found_by_default() {
    for version in [15, 18] {
        let chain = Chain::honest(NAME, Algorithm::Ecdsa);
        let clients = Draft::authority("clients", Algorithm::Ecdsa).self_signed();
        let server = Postgres::version(version).tls(&chain).trusted(OPEN).client_roots(clients.pem()).start();
        let home = Home::new();
        let root = home.write("root.pem", chain.root.pem());
        let conninfo = verify_full(server.port(), root.to_str().unwrap(), OPEN);
        let default = |name: &str| home.join(&format!(".postgresql/{name}"));
        let check = |conninfo: &str| Tool::at(&home).check(conninfo);

        // Another CA's certificate: the server rejects it, and does without.
        let stray = Draft::server("alice", Algorithm::Ecdsa)
            .signed_by(&Draft::authority("others", Algorithm::Ecdsa).self_signed());
        home.write(".postgresql/postgresql.crt", stray.pem());
        let lonely = check(&conninfo);
        lonely
            .exits(3)
            .diagnosed("client-key-missing")
            .says("/diagnosis/fixes/0/settings/sslcert", "/nonexistent");
        assert!(lonely.at("/diagnosis/cause").as_str().unwrap().contains("by default"), "{lonely}");
        let key = home.write(".postgresql/postgresql.key", stray.key_pem());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let rejected = check(&conninfo);
        rejected
            .diagnosed("client-cert-rejected")
            .says("/diagnosis/fixes/0/settings/sslcert", "/nonexistent");
        assert!(rejected.at("/diagnosis/cause").as_str().unwrap().contains("by default"), "{rejected}");
        check(&(conninfo.clone() + " sslcert=/nonexistent")).verified();
        run(&home, rejected.at("/diagnosis/fixes/1/command").as_str().unwrap());
        check(&conninfo).verified();

        // Another CA's root makes require verify.
        let require = conninfo.replace("verify-full", "require");
        let required = require.replace(&format!("sslrootcert={}", root.display()), "");
        check(&required).exits(0);
        home.write(".postgresql/root.crt", clients.pem());
        let verifying = check(&required);
        verifying.exits(8);
        let shown = default("root.crt").display().to_string();
        let cause = verifying.at("/diagnosis/cause").to_string();
        assert!(cause.contains(&shown) && cause.contains("as under verify-ca"), "{verifying}");
        let moves = format!("mv {shown} {shown}.unused");
        assert!(verifying.at("/diagnosis/fixes").to_string().contains(&moves), "{verifying}");
        run(&home, &moves);
        check(&required).exits(0);
    }
}

/// HOME is another user's, whose directory this account may not search.
#[test]
fn a_home_directory_that_may_not_be_searched() {
    let site = crate::support::site::Site::shared(18, Algorithm::Ecdsa);
    let (home, closed) = (Home::new(), Home::new());
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let conninfo = site.verify_full(&home, OPEN);
    fs::set_permissions(home.join("root.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    // The superuser may search everything, so that another account is taken; others lock themselves out.
    let is_root = closed.owner() == 0;
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(if is_root { 0o700 } else { 0o600 }))
        .unwrap();
    let run = |conninfo: &str, from: &Path| {
        let program = home.join("pgtls-check");
        if !program.exists() {
            fs::copy(Tool::PROGRAM, &program).unwrap();
        }
        let mut command =
            std::process::Command::new(if is_root { "setpriv".into() } else { program.clone() });
        if is_root {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        }
        Tool::by(&home, command).env("HOME", from.to_str().unwrap()).check(conninfo)
    };
    let report = run(&conninfo, closed.path());
    report.exits(3).diagnosed("default-files-unreadable");
    let evidence = report.at("/diagnosis/evidence");
    let shown = |label: &str| evidence[label].as_str().unwrap_or_default().to_owned();
    assert_eq!(shown("home"), closed.path().display().to_string(), "{report}");
    let mode = if is_root { "mode 0700" } else { "mode 0600" };
    assert!(shown("directory").contains(mode) && shown("account").contains("uid"), "{report}");
    report
        .says("/diagnosis/fixes/0/settings/sslcert", "/nonexistent")
        .says("/diagnosis/fixes/0/tried", "works");
    assert!(report.at("/diagnosis/fixes").to_string().contains("HOME=/tmp"), "{report}");
    // Neighbours: the fix, and a home directory that does not exist.
    run(&(conninfo.clone() + " sslcert=/nonexistent"), closed.path()).verified();
    run(&conninfo, Path::new("/nonexistent")).verified();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

/// libpq sends a client certificate of version 1 as it is; rustls refuses it, which `clients` says without a server.
#[test]
fn a_client_certificate_of_version_1_is_no_good_for_rustls() {
    use crate::support::odd_pki::Draft;
    let home = Home::new();
    let root = Draft::authority("Roots").self_signed();
    let roots = home.write("roots.pem", root.pem());
    let key = home.join("client.key");
    for (version, is_refused) in [(1, true), (3, false)] {
        let draft = Draft::bare("app");
        let client =
            if version == 1 { draft.without_extensions().version(1) } else { draft }.signed_by(&root);
        let certificate = home.write("client.crt", client.pem());
        fs::write(&key, client.key.private.private_key_to_pem_pkcs8().unwrap()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let conninfo = format!(
            "host={NAME} user=app sslrootcert={} sslcert={} sslkey={}",
            roots.display(),
            certificate.display(),
            key.display()
        );
        for (client, is_rustls) in [("tokio-postgres", true), ("pgx", false)] {
            let said = Tool::at(&home).with(["clients", "--for", client, &conninfo]).run();
            let refused = said.stdout.contains("the client certificate is of X.509 version 1");
            assert_eq!(refused, is_refused && is_rustls, "{client}, version {version}: {said}");
        }
    }
}
