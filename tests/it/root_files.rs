//! Root files that libpq does not take: the check of a server, `roots show` and `roots check` say the same of each, and
//! every command that they offer, run as printed, leaves a file that verifies the server.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::Private;
use openssl::stack::Stack;
use openssl::x509::{X509, X509Req};
use pgtls_check::demo::Demo;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Draft};
use crate::support::tool::{Report, Tool};

/// What is in a file, and the command that mends it as far as there is one.
struct Kind {
    name: &'static str,
    content: Vec<u8>,
    code: &'static str,
    mended_by: Option<&'static str>,
}

fn kind(
    name: &'static str,
    content: impl AsRef<[u8]>,
    code: &'static str,
    mended_by: impl Into<Option<&'static str>>,
) -> Kind {
    Kind { name, content: content.as_ref().to_vec(), code, mended_by: mended_by.into() }
}

fn utf16(text: &str, mark: bool, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
}

fn pkcs7(root: &X509, other: &X509, key: &openssl::pkey::PKey<Private>) -> Pkcs7 {
    let mut bundle = Stack::new().unwrap();
    bundle.push(root.clone()).unwrap();
    Pkcs7::sign(other, key, &bundle, b"", Pkcs7Flags::DETACHED).unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut child = std::process::Command::new("gzip")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip starts");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), content).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// Every kind of file that is told apart, and some that are not, made of the root that verifies the server.
fn kinds(root: &X509) -> Vec<Kind> {
    const INVALID: &str = "root-file-invalid";
    const CONVERT: &str = "pgtls-check roots convert";
    let other = Draft::authority("Another", Algorithm::Ecdsa).self_signed();
    let pem = String::from_utf8(root.to_pem().unwrap()).unwrap();
    let signed = pkcs7(root, &other.certificate, &other.key);
    let signed_pem = String::from_utf8(signed.to_pem().unwrap()).unwrap();
    let mut authorities = Stack::new().unwrap();
    authorities.push(root.clone()).unwrap();
    let pkcs12 =
        Pkcs12::builder().name("x").pkey(&other.key).cert(&other.certificate).ca(authorities).build2("");
    let mut request = X509Req::builder().unwrap();
    request.set_pubkey(&other.key).unwrap();
    request.sign(&other.key, openssl::hash::MessageDigest::sha256()).unwrap();
    let request = request.build();
    vec![
        kind("der", root.to_der().unwrap(), INVALID, "openssl x509 -inform DER"),
        kind("pkcs7-pem", &signed_pem, INVALID, "openssl pkcs7 -print_certs"),
        kind("pkcs7-der", signed.to_der().unwrap(), INVALID, "openssl pkcs7 -inform DER"),
        kind("cms", signed_pem.replace("PKCS7", "CMS"), INVALID, "openssl cms"),
        kind("signed-data", signed_pem.replace("PKCS7", "PKCS #7 SIGNED DATA"), INVALID, "openssl pkcs7"),
        kind("pkcs12", pkcs12.unwrap().to_der().unwrap(), INVALID, "openssl pkcs12"),
        kind("utf16-marked", utf16(&pem, true, u16::to_le_bytes), INVALID, CONVERT),
        kind("utf16-marked-be", utf16(&pem, true, u16::to_be_bytes), INVALID, CONVERT),
        kind("utf16-le", utf16(&pem, false, u16::to_le_bytes), INVALID, CONVERT),
        kind("utf16-be", utf16(&pem, false, u16::to_be_bytes), INVALID, CONVERT),
        kind("key", other.key_pem(), INVALID, None),
        kind("key-der", other.key.private_key_to_der().unwrap(), INVALID, None),
        kind("request", request.to_pem().unwrap(), INVALID, None),
        kind("request-der", request.to_der().unwrap(), INVALID, None),
        kind("page", "<!doctype html><html>", INVALID, None),
        kind("empty", "", INVALID, None),
        kind("gzip", gzip(pem.as_bytes()), INVALID, "gunzip -c"),
        kind("template", "{{ .Values.ca }}", INVALID, None),
        kind("text", "sslrootcert goes here", INVALID, None),
        kind("lines-lost", pem.replace('\n', " "), INVALID, CONVERT),
        kind("lines-escaped", pem.replace('\n', "\\n"), INVALID, CONVERT),
        kind("carriage-returns", pem.replace('\n', "\r"), INVALID, CONVERT),
        kind("indented", pem.replace("-----BEGIN", "  -----BEGIN"), INVALID, CONVERT),
        kind("quoted", format!("\"{pem}\""), INVALID, CONVERT),
        kind("json", format!("{{\"ca\": \"{}\"}}", pem.replace('\n', "\\n")), INVALID, CONVERT),
        kind("yaml", format!("ca: |\n  {}", pem.replace('\n', "\n  ")), INVALID, CONVERT),
        kind("base64", openssl::base64::encode_block(pem.as_bytes()), INVALID, CONVERT),
        kind("dashes", pem.replace("-----", "\u{2014}"), INVALID, CONVERT),
        kind(
            "body",
            pem.lines().filter(|line| !line.contains('-')).collect::<Vec<_>>().join("\n"),
            INVALID,
            CONVERT,
        ),
        kind("quoted-and-escaped", format!("'{}'", pem.replace('\n', "\\n")), INVALID, CONVERT),
        kind(
            "base64-of-one-line",
            openssl::base64::encode_block(pem.replace('\n', "").as_bytes()),
            INVALID,
            CONVERT,
        ),
        kind("utf16-and-escaped", utf16(&pem.replace('\n', "\\n"), true, u16::to_le_bytes), INVALID, CONVERT),
        kind("path", "/etc/ssl/root-ca.pem\n", INVALID, None),
        kind("path-of-shell", "$(cat root.pem)", INVALID, None),
        kind("cut", pem.replace("-----END CERTIFICATE-----", ""), INVALID, None),
        kind("damaged", pem.replace("MII", "M!I"), INVALID, None),
        kind("damaged-second", pem.clone() + &pem.replace("MII", "M!I"), INVALID, None),
    ]
}

/// A healthy server, its root, and a place for files.
struct Fixture {
    demo: Demo,
    home: Home,
    root: X509,
}

impl Fixture {
    fn new() -> Self {
        let demo = Demo::start(None).unwrap();
        let root = X509::from_pem(&fs::read(demo.directory().join("root.crt")).unwrap()).unwrap();
        Self { demo, home: Home::new(), root }
    }

    fn check(&self, file: &Path, options: &[&str]) -> Report {
        let conninfo = format!("{} sslrootcert={}", self.demo.conninfo(), file.display());
        options.iter().fold(Tool::at(&self.home), |tool, option| tool.with([*option])).check(&conninfo)
    }

    fn roots(&self, action: &str, file: &Path) -> Report {
        Tool::at(&self.home).with(["--format", "json", "roots", action, file.to_str().unwrap()]).run()
    }

    /// The diagnosis of the check; the commands say the same.
    fn same_everywhere(&self, file: &Path, code: &str) -> Value {
        let check = self.check(file, &["--no-try"]);
        check.diagnosed(code);
        let wanted = compared(&check.at("/diagnosis"));
        for action in ["show", "check"] {
            let report = self.roots(action, file);
            report.exits(check.status.unwrap()).diagnosed(code);
            let found = compared(&report.at("/diagnosis"));
            assert_eq!(found, wanted, "roots {action} beside {check}");
        }
        check.at("/diagnosis")
    }
}

/// What must be the same. Not so: that the check tells who named the file, and that only a command that knows no address
/// thinks of public roots.
fn compared(diagnosis: &Value) -> Value {
    let mut compared = diagnosis.clone();
    compared["evidence"].as_object_mut().unwrap().remove("from");
    compared.as_object_mut().unwrap().remove("mark");
    let is_public = |fix: &Value| fix["settings"]["sslrootcert"] == "system";
    let fixes = compared["fixes"].as_array_mut().unwrap();
    fixes.retain(|fix| !is_public(fix));
    // Only a check has a string to put the path of a root into that has yet to come.
    let to_come = |fix: &&mut Value| {
        fix["conninfo"].as_str().is_some_and(|whole| whole.contains("sslrootcert=/path/to/"))
    };
    fixes.iter_mut().filter(to_come).for_each(|fix| fix["conninfo"] = Value::Null);
    compared
}

/// Runs a command as it was printed, without a terminal: what asks for a password gets an empty one.
fn run(home: &Home, command: &str) {
    let tool = Path::new(env!("CARGO_BIN_EXE_pgtls-check")).parent().unwrap();
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = home.command("setsid");
    shell.env("PATH", path);
    shell.args(["--wait", "sh", "-c", command]);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(b"\n");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

#[test]
fn every_offered_command_makes_a_file_that_verifies_the_server() {
    let fixture = Fixture::new();
    for Kind { name, content, code, mended_by } in kinds(&fixture.root) {
        // One with blanks, as files from a browser have.
        let file = fixture.home.write(&format!("{name}/ca root.crt"), content);
        let link = fixture.home.join(&format!("{name}/root.crt"));
        fs::hard_link(&file, &link).unwrap();
        let found = fixture.same_everywhere(&link, code);
        let fixes = found["fixes"].as_array().unwrap();
        assert!(!fixes.is_empty(), "{name}: {found}");
        let commands: Vec<&str> = fixes.iter().filter_map(|fix| fix["command"].as_str()).collect();
        assert_eq!(commands.len(), usize::from(mended_by.is_some()), "{name}: {commands:?}");
        for fix in fixes {
            let (Some(command), Some(wanted)) = (fix["command"].as_str(), mended_by) else { continue };
            assert!(command.starts_with(wanted), "{name}: {command}");
            run(&fixture.home, command);
            let made = Path::new(fix["settings"]["sslrootcert"].as_str().unwrap()).to_owned();
            fixture.check(&made, &[]).verified();
            fixture.roots("check", &made).exits(0);
        }
        // The same with a name that the shell would take apart.
        let spaced = fixture.roots("show", &file);
        for fix in spaced.at("/diagnosis/fixes").as_array().unwrap() {
            let Some(command) = fix["command"].as_str() else { continue };
            run(&fixture.home, command);
            let made = Path::new(fix["settings"]["sslrootcert"].as_str().unwrap()).to_owned();
            fixture.roots("check", &made).exits(0);
        }
    }
}

#[test]
fn a_fix_never_writes_over_the_file_it_reads() {
    let fixture = Fixture::new();
    let der = fixture.root.to_der().unwrap();
    for name in ["root.pem", "root.PEM", "root"] {
        let file = fixture.home.write(name, &der);
        let report = fixture.roots("check", &file);
        let fix = report.at("/diagnosis/fixes/0");
        assert_ne!(fix["settings"]["sslrootcert"], file.to_str().unwrap(), "{report}");
        run(&fixture.home, fix["command"].as_str().unwrap());
        assert_eq!(fs::read(&file).unwrap(), der);
    }
}

#[test]
fn files_that_cannot_be_read_are_the_same_to_check_and_commands() {
    let fixture = Fixture::new();
    fixture.same_everywhere(Path::new("/nowhere/root.crt"), "root-file-missing");
    fixture.same_everywhere(Path::new("here/root.crt"), "root-file-missing");
    fixture.same_everywhere(Path::new("~/root.crt"), "root-file-missing");
    fixture.same_everywhere(fixture.home.path(), "root-file-unreadable");
    let file = fixture.home.write("root.crt", fixture.root.to_pem().unwrap());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it all the same.
    if fs::read(&file).is_err() {
        let found = fixture.same_everywhere(&file, "root-file-unreadable");
        run(&fixture.home, found["fixes"][0]["command"].as_str().unwrap());
        fixture.check(&file, &[]).verified();
    }
}

#[test]
fn files_in_which_no_path_ends_are_the_same_to_check_and_commands() {
    let fault = |name| pgtls_check::demo::fault(name).unwrap();
    for (name, code) in [("root-expired", "root-expired"), ("root-file-lacks-root", "root-file-lacks-root")] {
        let fixture = Fixture { demo: Demo::start(Some(fault(name))).unwrap(), ..Fixture::new() };
        let file = fixture.demo.directory().join("root.crt");
        fixture.same_everywhere(&file, code);
    }
}

#[test]
fn of_several_roots_that_fail_each_is_named() {
    let fixture = Fixture::new();
    let root = |name: &str, days| Draft { days, ..Draft::authority(name, Algorithm::Ecdsa) }.self_signed();
    let (one, two) = (root("One", (-9, -2)), root("Two", (-9, -1)));
    let file = fixture.home.write("expired.pem", one.pem() + &two.pem());
    let report = fixture.roots("check", &file);
    report.exits(3).diagnosed("root-expired");
    let listed = report.at("/diagnosis/evidence/in_file");
    assert!(listed[0].as_str().unwrap().starts_with("One, "), "{report}");
    assert!(listed[1].as_str().unwrap().starts_with("Two, "), "{report}");

    let later = root("Later", (2, 9));
    let file = fixture.home.write("later.pem", one.pem() + &later.pem());
    let report = fixture.roots("check", &file);
    report.exits(8).diagnosed("certificate-not-yet-valid").says("/diagnosis/evidence/certificate", "Later");

    let (over, other) = (root("Over", (-9, 9)), root("Other", (-9, 9)));
    let under = |name: &str, root| Draft::authority(name, Algorithm::Ecdsa).signed_by(root).pem();
    let below = under("Under", &over) + &under("Under too", &over) + &under("Elsewhere", &other);
    let file = fixture.home.write("below.pem", below);
    let report = fixture.roots("check", &file);
    report.exits(8).diagnosed("root-file-lacks-root");
    report.says("/diagnosis/evidence/needed", serde_json::json!(["Over", "Other"]));
}

#[test]
fn what_is_in_the_way_on_the_path_is_named() {
    let fixture = Fixture::new();
    let pem = fixture.root.to_pem().unwrap();
    let good = fixture.home.write("certs/root-ca.pem", &pem);
    let certs = good.parent().unwrap();
    std::os::unix::fs::symlink("loop.pem", certs.join("loop.pem")).unwrap();
    std::os::unix::fs::symlink("gone.pem", certs.join("link.pem")).unwrap();

    let found = fixture.same_everywhere(&certs.join("loop.pem"), "root-file-missing");
    assert!(found["title"].as_str().unwrap().contains("symbolic link that leads back to itself"), "{found}");
    let found = fixture.same_everywhere(&certs.join("link.pem"), "root-file-missing");
    assert!(
        found["title"].as_str().unwrap().contains("symbolic link to gone.pem, which does not exist"),
        "{found}"
    );
    // As Kubernetes mounts a secret that has no such key: what it lacks is added there, and not here.
    fixture.home.write("secret/..2026_11_30/root.pem", &pem);
    let secret = fixture.home.join("secret");
    std::os::unix::fs::symlink("..2026_11_30", secret.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/ca.crt", secret.join("ca.crt")).unwrap();
    let report = fixture.check(&secret.join("ca.crt"), &[]);
    report.diagnosed("root-file-missing");
    let fixes = report.at("/diagnosis/fixes");
    let of_volume =
        fixes.as_array().unwrap().iter().find(|fix| fix["text"].as_str().unwrap().contains("Kubernetes"));
    let command = of_volume.unwrap_or_else(|| panic!("{report}"))["command"].as_str().unwrap();
    assert!(command.contains("kubectl patch secret") && command.contains("ca.crt"), "{report}");
    let found = fixture.same_everywhere(&fixture.home.join("cert/root-ca.pem"), "root-file-missing");
    assert!(found["cause"].as_str().unwrap().contains("/cert does not exist"), "{found}");

    // A name that is almost right is offered, and tried.
    let report = fixture.check(&certs.join("root_ca.pem"), &[]);
    report.diagnosed("root-file-missing");
    assert_eq!(report.at("/diagnosis/fixes/0/settings/sslrootcert"), good.to_str().unwrap(), "{report}");
    assert_eq!(report.at("/diagnosis/fixes/0/tried"), "works", "{report}");
    // So is one below a directory that has another name now.
    let moved = fixture.home.write("venv/python3.12/ca/root.pem", &pem);
    let report = fixture.check(&fixture.home.join("venv/python3.11/ca/root.pem"), &[]);
    assert_eq!(report.at("/diagnosis/fixes/0/settings/sslrootcert"), moved.to_str().unwrap(), "{report}");
    assert_eq!(report.at("/diagnosis/fixes/0/tried"), "works", "{report}");
    // So is the file that ~ means.
    let report = fixture.check(Path::new("~/certs/root-ca.pem"), &[]);
    assert_eq!(report.at("/diagnosis/fixes/0/settings/sslrootcert"), good.to_str().unwrap(), "{report}");
}

#[test]
fn a_directory_that_may_not_be_searched_is_named_with_mode_owner_and_account() {
    let fixture = Fixture::new();
    let file = fixture.home.write("closed/root.crt", fixture.root.to_pem().unwrap());
    let closed = file.parent().unwrap();
    fs::set_permissions(closed, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(fixture.home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut tool = match fixture.home.owner() {
        // The superuser searches every directory.
        0 => {
            let mut setpriv = fixture.home.command("setpriv");
            setpriv
                .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
                .arg(env!("CARGO_BIN_EXE_pgtls-check"));
            setpriv
        }
        _ => fixture.home.command(env!("CARGO_BIN_EXE_pgtls-check")),
    };
    tool.args(["--format", "json"]).arg(format!(
        "{} sslrootcert={}",
        fixture.demo.conninfo(),
        file.display()
    ));
    let output = tool.output().expect("setpriv; apt-get install util-linux");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let found = &report["diagnosis"];
    assert_eq!(found["code"], "root-file-unreadable", "{report}");
    let cause = found["cause"].as_str().unwrap();
    for part in [closed.to_str().unwrap(), "mode 0600", "does not let", "permission denied"] {
        assert!(cause.contains(part), "{part}: {cause}");
    }
    assert_eq!(found["fixes"][0]["command"], format!("sudo chmod o+x {}", closed.display()), "{report}");
    fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
}
