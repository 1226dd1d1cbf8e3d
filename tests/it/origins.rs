//! Files at fault that nobody typed: a variable or a service file names them. The place is part of the cause, with its path,
//! and taking the setting away was tried and works.

use std::path::PathBuf;

use crate::support::home::Home;
use crate::support::odd_pki::{CrlDraft, Draft, Issued, crl_pem};
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::NAME;
use crate::support::tool::{Report, Tool};

struct Scene {
    home: Home,
    root: Issued,
    server: ScriptedServer,
    /// Another CA's root.
    other: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let root = Draft::authority("Right Root").self_signed();
        let leaf = Draft::server(NAME).signed_by(&root);
        let server = ScriptedServer::start(std::slice::from_ref(&leaf.der), &leaf.key, &Tls::default());
        let home = Home::new();
        std::fs::create_dir(home.join(".postgresql")).unwrap();
        let other = home.write("other.pem", Draft::authority("Other Root").self_signed().pem());
        Self { home, root, server, other }
    }

    fn with_default_root(self) -> Self {
        self.home.write(".postgresql/root.crt", self.root.pem());
        self
    }

    fn check(&self, variables: &[(&str, &str)], more: &str) -> Report {
        let mut tool = Tool::at(&self.home).with(["--tls-only"]);
        for (name, value) in variables {
            tool = tool.env(name, value);
        }
        let port = self.server.address.port();
        tool.check(&format!("host={NAME} hostaddr=127.0.0.1 port={port} sslmode=verify-full {more}"))
    }

    fn right_root(&self) -> String {
        format!("sslrootcert={}", self.home.write("right.pem", self.root.pem()).display())
    }
}

/// The fix that was tried, works and says this.
#[track_caller]
fn tried(report: &Report, words: &str) -> serde_json::Value {
    let fixes = report.at("/diagnosis/fixes");
    let works = |fix: &&serde_json::Value| {
        fix["tried"] == "works" && fix["text"].as_str().is_some_and(|text| text.contains(words))
    };
    fixes.as_array().unwrap().iter().find(works).unwrap_or_else(|| panic!("no {words:?}: {report}")).clone()
}

/// The whole string of a fix is verified beside this service file.
#[track_caller]
fn cured(scene: &Scene, file: &str, fix: &serde_json::Value) {
    let tool = Tool::at(&scene.home).with(["--tls-only"]).env("PGSERVICEFILE", file);
    tool.check(fix["conninfo"].as_str().unwrap()).verified();
}

#[track_caller]
fn names(report: &Report, label: &str, parts: &[&str]) {
    let said = report.at(&format!("/diagnosis/evidence/{label}"));
    let said = said.as_str().unwrap_or_else(|| panic!("no {label}: {report}"));
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_root_file_of_a_variable_is_named_and_unset() {
    let scene = Scene::new().with_default_root();
    let other = scene.other.to_str().unwrap();
    let wrong = scene.check(&[("PGSSLROOTCERT", other)], "");
    wrong.diagnosed("unknown-issuer");
    names(&wrong, "root_file", &[other, "environment variable PGSSLROOTCERT"]);
    let fix = tried(&wrong, "unset PGSSLROOTCERT");
    assert_eq!(fix["command"], "unset PGSSLROOTCERT");
    assert!(fix["text"].as_str().unwrap().contains(".postgresql/root.crt"), "{fix}");
    scene.check(&[], "").verified();

    let missing = scene.check(&[("PGSSLROOTCERT", "/no/such.pem")], "");
    missing.diagnosed("root-file-missing");
    names(&missing, "from", &["sslrootcert from environment variable PGSSLROOTCERT"]);
    let fix = tried(&missing, "unset PGSSLROOTCERT");
    assert!(fix["text"].as_str().unwrap().contains(".postgresql/root.crt, which exists"), "{fix}");
}

#[test]
fn a_root_file_at_hand_that_verifies_is_named() {
    let scene = Scene::new();
    let port = scene.server.address.port();
    let right = scene.home.write("certificates/right.pem", scene.root.pem());
    let right = right.to_str().unwrap();
    let variable = [("PGSSLROOTCERT", right)];
    // The variable counts for libpq where the string names no file, and for pgjdbc never.
    let other = format!("sslrootcert={}", scene.other.display());
    let overridden = scene.check(&variable, &other);
    overridden.diagnosed("unknown-issuer");
    let fix = tried(&overridden, "PGSSLROOTCERT, which libpq does not use here, names");
    assert_eq!(fix["settings"]["sslrootcert"], right);
    // Nothing sends to an administrator for what is there.
    assert_eq!(overridden.at("/diagnosis/fixes/1"), serde_json::Value::Null, "{overridden}");
    let jdbc = format!("jdbc:postgresql://127.0.0.1:{port}/shop?user=app&sslmode=verify-ca");
    let tool = Tool::at(&scene.home).with(["--tls-only"]).env("PGSSLROOTCERT", right);
    let unread = tool.check(&jdbc);
    unread.diagnosed("root-file-missing");
    let fix = tried(&unread, "PGSSLROOTCERT, which JDBC (pgjdbc) does not use here, names");
    assert!(fix.to_string().contains("&sslrootcert="), "{fix}");

    // Beside the file in use and in the working directory, but no file that does not verify, nor one that nobody's string is near.
    let wrong = scene.check(&[], &other);
    wrong.diagnosed("unknown-issuer");
    assert!(!wrong.at("/diagnosis/fixes").to_string().contains("right.pem"), "{wrong}");
    scene.home.write("zz.CRT", scene.root.pem());
    scene.home.write("aa.pem", "no certificate");
    let fix = tried(
        &scene.check(&[], &other),
        "zz.CRT, which has this root, if it came to you over a trusted channel",
    );
    assert!(fix["conninfo"].as_str().unwrap().contains("zz.CRT"), "{fix}");
    // Of node-postgres, whose object in the program a URL's parameter takes away.
    let url = format!("postgres://app@127.0.0.1:{port}/shop?sslmode=require");
    let tool = Tool::at(&scene.home).with(["--tls-only", "--as", "node-postgres"]);
    let of_node = tool.check(&url);
    let text = of_node.at("/diagnosis/fixes/0/text").to_string();
    assert!(text.contains("an `ssl` object in the program, its ca included, is dropped"), "{of_node}");
}

#[test]
fn what_lies_one_directory_deeper_or_in_a_variable_nearly_called_so_is_named() {
    let scene = Scene::new();
    let deeper = scene.home.write("keys/firm.pem", scene.root.pem());
    let deeper = deeper.to_str().unwrap();
    scene.home.write("aa/firm.pem", "no certificate");
    let missing = scene.check(&[], "sslrootcert=firm.pem");
    missing.diagnosed("root-file-missing");
    let fix = tried(&missing, "keys/firm.pem, if it came to you over a trusted channel");
    assert_eq!(fix["settings"]["sslrootcert"], deeper);
    for variable in ["PGSSLROOT", "PGSSLCA", "PGSSL_ROOTCERT"] {
        let missing = scene.check(&[(variable, deeper)], "");
        missing.diagnosed("root-file-missing");
        let fix = tried(
            &missing,
            &format!("{variable} is no variable of libpq's, and names {deeper}: call it PGSSLROOTCERT"),
        );
        assert_eq!(fix["settings"]["sslrootcert"], deeper);
    }
    // Another option's variable is none that is nearly called so.
    let other = scene.check(&[("PGSSLCERTMODE", "disable")], "");
    assert!(!other.to_string().contains("no variable of libpq's"), "{other}");
    let tool = Tool::at(&scene.home).with(["--tls-only"]).env("PGHOSTNAME", "127.0.0.1");
    let socket = tool.check("user=app sslmode=verify-full");
    socket.diagnosed("tls-not-requested");
    let fix = socket.at("/diagnosis/fixes/0");
    assert!(
        fix["text"].as_str().unwrap().contains("PGHOSTNAME is no variable of libpq's: call it PGHOST"),
        "{fix}"
    );
    assert_eq!(fix["settings"]["host"], "127.0.0.1");
}

#[test]
fn a_directory_a_line_of_the_password_file_and_an_empty_host_are_told_by_what_they_nearly_are() {
    let scene = Scene::new();
    scene.home.write("store/ca-certificates.crt", scene.root.pem());
    let directory = scene.check(&[], "sslrootcert=store");
    directory.diagnosed("root-file-unreadable");
    let fix = tried(&directory, "use the public roots in it, as one file");
    assert!(fix["settings"]["sslrootcert"].as_str().unwrap().ends_with("store/ca-certificates.crt"), "{fix}");

    for (line, is_told) in [("*:*:*:somebody:Moor-8\n", true), ("else:1:*:somebody:Moor-8\n", false)] {
        let file = scene.home.write("passwords", line);
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let missing = scene.check(&[("PGPASSFILE", file.to_str().unwrap())], "sslrootcert=/no/such.pem");
        missing.diagnosed("root-file-missing");
        let also = missing.at("/also").to_string();
        assert_eq!(also.contains("line 1 differs only in its user"), is_told, "{also}");
        assert!(!also.contains("Moor-8"), "{also}");
    }

    let django = "{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'USER': 'app', 'HOST': ''}";
    let socket = Tool::at(&scene.home).check(django);
    socket.diagnosed("tls-not-requested");
    names(&socket, "from", &["HOST is empty (an unset variable?)"]);
    let fix = socket.at("/diagnosis/fixes/0/text");
    assert!(fix.as_str().unwrap().contains("name the server in HOST"), "{fix}");
}

#[test]
fn a_root_file_of_a_service_is_named_with_its_file_and_overridden() {
    let scene = Scene::new().with_default_root();
    let other = scene.other.to_str().unwrap();
    let file = scene.home.write("services.conf", format!("[orders]\nsslrootcert={other}\n"));
    let file = file.to_str().unwrap();
    // A service beats the environment (libpq's parseServiceInfo fills in before the variables do).
    let right = scene.home.write("right.pem", scene.root.pem());
    let variables = [("PGSERVICEFILE", file), ("PGSSLROOTCERT", right.to_str().unwrap())];
    let wrong = scene.check(&variables, "service=orders");
    wrong.diagnosed("unknown-issuer");
    names(&wrong, "root_file", &[other, "service orders", file]);
    cured(&scene, file, &tried(&wrong, "libpq's default file"));
}

#[test]
fn crls_of_a_variable_are_named_and_unset() {
    let scene = Scene::new();
    let right = scene.right_root();
    let list = scene.home.write("list.pem", scene.root.pem());
    let list = list.to_str().unwrap();
    let missing = scene.check(&[("PGSSLCRL", list)], &right);
    missing.diagnosed("crl-missing");
    names(&missing, "set_by", &[list, "environment variable PGSSLCRL"]);
    let fix = tried(&missing, "unset PGSSLCRL");
    assert_eq!(fix["command"], "unset PGSSLCRL");
    assert!(fix["text"].as_str().unwrap().contains("revoked certificates then pass"), "{fix}");
    // Who set a variable for CRLs most likely wants them checked.
    assert_ne!(missing.at("/diagnosis/fixes/0/command"), fix["command"]);
    // But not those of a CA that has no part in the chain: that is a leftover.
    let other = Draft::authority("Another CA").self_signed();
    let leftover = scene.home.write("leftover.pem", crl_pem(&CrlDraft::revoking(&[]).signed_by(&other)));
    let missing = scene.check(&[("PGSSLCRL", leftover.to_str().unwrap())], &right);
    missing.diagnosed("crl-missing");
    let first = missing.at("/diagnosis/fixes/0");
    assert_eq!(
        (&first["command"], &first["tried"]),
        (&"unset PGSSLCRL".into(), &"works".into()),
        "{missing}"
    );
    scene.check(&[], &right).verified();
}

#[test]
fn a_client_key_of_variables_or_a_service_is_named_and_taken_away() {
    let scene = Scene::new();
    let right = scene.right_root();
    let client = Draft::bare("app").signed_by(&scene.root);
    let stranger = Draft::bare("other").signed_by(&scene.root);
    let key = String::from_utf8(stranger.key.private.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let (certificate, key) = (scene.home.write("c.pem", client.pem()), scene.home.write("k.pem", key));
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let variables = [("PGSSLCERT", certificate), ("PGSSLKEY", key)];
    let wrong = scene.check(&variables, &right);
    wrong.diagnosed("client-key-mismatch");
    names(&wrong, "set_by", &[certificate, "environment variable PGSSLCERT"]);
    assert_eq!(tried(&wrong, "unset PGSSLCERT and PGSSLKEY")["command"], "unset PGSSLCERT PGSSLKEY");
    scene.check(&[], &right).verified();

    let file = scene.home.write("services.conf", format!("[app]\nsslcert={certificate}\nsslkey={key}\n"));
    let file = file.to_str().unwrap();
    let wrong = scene.check(&[("PGSERVICEFILE", file)], &format!("{right} service=app"));
    wrong.diagnosed("client-key-mismatch");
    names(&wrong, "set_by", &[certificate, "service app", file]);
    cured(&scene, file, &tried(&wrong, &format!("{file}: remove sslcert and sslkey from [app]")));
}

#[test]
fn an_address_of_a_variable_is_unset_by_a_line_to_type() {
    let scene = Scene::new();
    let right = scene.right_root();
    let port = scene.server.address.port();
    let wrong = Tool::at(&scene.home)
        .with(["--tls-only"])
        .env("PGHOSTADDR", "127.0.0.1")
        .check(&format!("host=orders.pgtls.test port={port} sslmode=verify-full {right}"));
    wrong.diagnosed("hostname-mismatch");
    wrong.says("/diagnosis/fixes/0/command", "unset PGHOSTADDR");
    let text = wrong.at("/diagnosis/fixes/0/text");
    assert!(
        text.as_str().unwrap().starts_with("two faults, the first is `hostname-mismatch`: unset"),
        "{wrong}"
    );
}
