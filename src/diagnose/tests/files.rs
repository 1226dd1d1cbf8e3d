//! trust

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::fixtures::*;
use crate::certificate::{Alteration, Hash, KeyKind, SignatureAlgorithm, SignatureKind};
use crate::conninfo::{Origin, Password, Place, RootChoice, SslMode};
use crate::diagnose::codes;
use crate::diagnose::{Fix, StageStatus};
use crate::evidence::{Evidence, NegotiateResult, SessionFailure};
use crate::secret::Secret;
use crate::stage::Stage;
use crate::trust::{
    ClientIdentity, FileContent, FileError, IdentityError, KeyProblem, Pkcs7Form, Roots, Utf16Form, Weakness,
    Wrapping,
};

fn path(text: &str) -> PathBuf {
    PathBuf::from(text)
}

/// Files that libpq refuses keep the handshake from being made.
fn with_roots(roots: Roots) -> Evidence {
    Evidence::healthy()
        .with(|evidence| Arc::make_mut(evidence.trust.as_mut().unwrap()).roots = roots)
        .with_attempt(|attempt| (attempt.tls, attempt.session) = (None, None))
}

fn with_identity(error: IdentityError) -> Evidence {
    Evidence::healthy()
        .with(|evidence| {
            Arc::make_mut(evidence.trust.as_mut().unwrap()).client = ClientIdentity::Failed(error, None)
        })
        .with_attempt(|attempt| (attempt.tls, attempt.session) = (None, None))
}

fn missing() -> Roots {
    Roots::Missing { path: Some(path("/etc/ssl/roots.pem")), typed: None, obstacle: None, similar: None }
}

fn denied() -> FileError {
    FileError {
        kind: ErrorKind::PermissionDenied,
        text: "Permission denied (os error 13)".to_owned(),
        obstacle: None,
    }
}

/// A server that is not found is no public one if its name is that of a private network, and a provider's if it misses that
/// by a slip.
#[test]
fn a_name_that_is_not_found_tells_which_roots_it_can_have() {
    for (host, system, export) in [
        ("db.example", true, None),
        ("db", false, None),
        ("db.ns.svc.cluster.local", false, None),
        ("x.eu-central-1.rds.amazonaw.com", false, Some("export aws-rds")),
    ] {
        let found = with_roots(missing())
            .with_host(host, "203.0.113.7")
            .with_dns(crate::evidence::Resolution::Failed {
                kind: crate::evidence::DnsFailure::NoSuchName,
                code: Some(-2),
                text: "unknown".to_owned(),
            })
            .fails(&codes::DNS_NOT_FOUND);
        let also = format!("{:?}", found.outcome.also);
        assert!(also.contains("root-file-missing"), "{host}: {also}");
        assert_eq!(also.contains("\"system\""), system, "{host}: {also}");
        assert!(export.is_none_or(|export| also.contains(export)), "{host}: {also}");
    }
}

/// As a container gets it from a file of variables, from which nobody took the quotation marks.
#[test]
fn values_in_quotation_marks_are_named_with_their_variables() {
    let directory = tempfile::tempdir().unwrap();
    let there = directory.path().join("r.pem");
    std::fs::write(&there, "x").unwrap();
    for quote in ['"', '\''] {
        let quoted = PathBuf::from(format!("{quote}{}{quote}", there.display()));
        assert_eq!(crate::file::obstacle::similar(&quoted), Some(there.clone()));
        let joined = directory.path().join(format!("{quote}r.pem{quote}"));
        assert_eq!(crate::file::obstacle::similar(&joined), Some(there.clone()));
        for similar in [Some(there.clone()), None] {
            let is_there = similar.is_some();
            let roots = Roots::Missing { path: Some(quoted.clone()), typed: None, obstacle: None, similar };
            let found = with_roots(roots)
                .with(|evidence| {
                    let settings = evidence.config.as_mut().unwrap();
                    settings.parameters.retain(|known| known.keyword != "sslrootcert");
                    let origin = Origin::Environment("PGSSLROOTCERT");
                    let value = quoted.to_str().unwrap();
                    settings.parameters.push(parameter("sslrootcert", value, origin));
                    let secret = Secret::new(b"'x y'".to_vec());
                    let origin = Origin::Environment("PGPASSWORD");
                    settings.hosts[0].password = Some(Password { secret, origin, lines: None });
                })
                .fails(&codes::ROOT_FILE_MISSING)
                .because("quotation marks are part of the path");
            let first = &found.diagnosis.fixes[0];
            assert!(
                first.text.contains("quotation marks, where they are set: PGSSLROOTCERT, PGPASSWORD"),
                "{first:?}"
            );
            assert_eq!(first.settings.is_empty(), !is_there, "{first:?}");
        }
    }
    let plain = with_roots(missing()).fails(&codes::ROOT_FILE_MISSING);
    assert!(!format!("{:?}", plain.diagnosis).contains("quotation"));
}

#[test]
fn a_missing_root_file_names_path_and_origin() {
    with_roots(missing())
        .fails(&codes::ROOT_FILE_MISSING)
        .titled("there is no file /etc/ssl/roots.pem")
        .shows("from", "sslrootcert from the connection string")
        .sets("sslrootcert", "system")
        .retryable(false);
    let default = with_roots(Roots::Missing {
        path: Some(path("/root/.postgresql/root.crt")),
        typed: None,
        obstacle: None,
        similar: None,
    })
    .with(|evidence| {
        let settings = evidence.config.as_mut().unwrap();
        settings.root = RootChoice::Default(Some(path("/root/.postgresql/root.crt")));
        settings.parameters.retain(|parameter| parameter.keyword != "sslrootcert");
    });
    default
        .clone()
        .fails(&codes::ROOT_FILE_MISSING)
        .titled("there is no root file /root/.postgresql/root.crt")
        .shows("from", "found by default")
        .because("sslrootcert is not set");
    // Where nobody asked for verification but this program, the client connects without the file.
    default
        .with_settings(|settings| {
            settings.parameters.retain(|parameter| parameter.keyword != "sslmode");
            let by_tool = Origin::ToolDefault("libpq's is prefer");
            settings.parameters.push(parameter("sslmode", "verify-full", by_tool));
        })
        .fails(&codes::ROOT_FILE_MISSING)
        .called("which this check's verify-full needs (libpq's default, prefer, does not)");
    with_roots(Roots::Missing { path: None, typed: None, obstacle: None, similar: None })
        .fails(&codes::ROOT_FILE_MISSING)
        .because("home directory");
}

#[test]
fn at_a_known_provider_the_roots_can_be_written() {
    with_roots(missing())
        .with(|evidence| {
            evidence.config.as_mut().unwrap().hosts[0].name =
                crate::conninfo::testing::value("host", "x.postgres.database.azure.com");
        })
        .fails(&codes::ROOT_FILE_MISSING)
        .runs("pgtls-check roots export azure-flexible --output azure-roots.pem")
        .sets("sslrootcert", "azure-roots.pem");
}

#[test]
fn eaten_backslashes_are_marked_and_undone() {
    let input = r"sslmode=verify-full sslrootcert=certs\ssl\root.pem host=db.example";
    let start = input.find("certs").unwrap();
    let roots = Roots::Missing {
        path: Some(path("certssslroot.pem")),
        typed: Some(path(r"certs\ssl\root.pem")),
        obstacle: None,
        similar: None,
    };
    let found = with_roots(roots)
        .with(|evidence| {
            evidence.input = Some(Secret::new(input.as_bytes().to_vec()));
            let settings = evidence.config.as_mut().unwrap();
            let parameter = settings.parameters.iter_mut().find(|p| p.keyword == "sslrootcert").unwrap();
            parameter.place = Some(Place { keyword: 20..31, value: start..start + 18 });
        })
        .fails(&codes::ROOT_FILE_MISSING)
        .titled("there is no file certssslroot.pem: the backslashes of certs\\ssl\\root.pem are lost")
        .shows("given", r"certs\ssl\root.pem")
        .shows("read", "certssslroot.pem")
        .sets("sslrootcert", "certs/ssl/root.pem")
        .sets("sslrootcert", r"certs\ssl\root.pem");
    assert_eq!(found.diagnosis.mark.unwrap().spans.len(), 2);
}

#[cfg(not(windows))]
#[test]
fn a_path_of_windows_that_nobody_shortened_is_none_of_this_system() {
    let missing = |written: &str, similar: Option<&str>| Roots::Missing {
        path: Some(path(written)),
        typed: None,
        obstacle: None,
        similar: similar.map(path),
    };
    let found = with_roots(missing(r"C:\certs\root.pem", Some("/app/certs/root.pem")))
        .fails(&codes::ROOT_FILE_MISSING)
        .because("a path of Windows, and this system is not Windows")
        .first_sets("sslrootcert", "/app/certs/root.pem");
    assert!(found.diagnosis.fixes[0].same_file, "{:?}", found.diagnosis.fixes);
    with_roots(missing("certs/root.pem", None)).fails(&codes::ROOT_FILE_MISSING).because("a relative path");
}

#[test]
fn a_missing_file_that_is_called_after_a_retired_root_is_not_the_one_to_look_for() {
    let found = |file: &str| {
        let roots = Roots::Missing { path: Some(path(file)), typed: None, obstacle: None, similar: None };
        with_roots(roots)
            .with(|evidence| {
                evidence.config.as_mut().unwrap().hosts[0].name =
                    crate::conninfo::testing::value("host", "x.postgres.database.azure.com");
            })
            .fails(&codes::ROOT_FILE_MISSING)
    };
    let retired = found("/opt/DigiCertGlobalRootCA.crt.pem")
        .because("by its name the file is for DigiCert Global Root CA");
    let is_path = |fix: &crate::diagnose::Fix| fix.text.contains("absolute path");
    assert!(!retired.diagnosis.fixes.iter().any(is_path), "{:#?}", retired.diagnosis.fixes);
    let old_user = |user: &str| {
        let value = crate::conninfo::ParameterValue::of("user", user.into(), false);
        let evidence = Evidence::at("x.postgres.database.azure.com", "20.61.7.9");
        let roots = Roots::Missing { path: Some(path("/r.pem")), typed: None, obstacle: None, similar: None };
        evidence
            .with_trust(|trust| trust.roots = roots)
            .with_settings(|settings| settings.user = value)
            .fails(&codes::ROOT_FILE_MISSING)
    };
    let old = old_user("app@x").shows("old_user", "Flexible Server takes the role alone: app");
    for fix in old.diagnosis.fixes.iter().filter(|fix| !fix.settings.is_empty()) {
        assert!(fix.text.contains("and set user to app"), "{fix:#?}");
        assert!(fix.all_settings().contains(&("user", "app".to_owned())), "{fix:#?}");
    }
    for user in ["app", "app@y", "app@x.example"] {
        assert!(old_user(user).diagnosis.evidence.iter().all(|(label, _)| *label != "old_user"), "{user}");
    }
    let current = found("/opt/DigiCertGlobalRootG2.crt.pem");
    assert!(current.diagnosis.fixes.iter().any(is_path) && !current.diagnosis.cause.contains("by its name"));
}

#[cfg(not(windows))]
#[test]
fn a_path_of_windows_on_another_system_gets_no_fix_that_is_a_path_of_windows() {
    let roots = |typed: &str| Roots::Missing {
        path: Some(path("c:sslroot.pem")),
        typed: Some(path(typed)),
        obstacle: None,
        similar: None,
    };
    for typed in [r"c:\ssl\root.pem", r"\\server\ssl\root.pem"] {
        let found = with_roots(roots(typed))
            .with(|evidence| {
                evidence.config.as_mut().unwrap().hosts[0].name =
                    crate::conninfo::testing::value("host", "x.postgres.database.azure.com");
            })
            .fails(&codes::ROOT_FILE_MISSING)
            .because("a path of Windows");
        let fix = &found.diagnosis.fixes[0];
        assert_eq!(fix.bundle, Some("azure-flexible"), "{fix:?}");
        assert!(
            found
                .diagnosis
                .fixes
                .iter()
                .all(|fix| fix.settings.iter().all(|(_, value)| !value.contains("ssl/")))
        );
    }
}

#[test]
fn before_the_servers_yes_a_bad_file_shows_in_its_stage_only() {
    let found = with_roots(missing()).with_answer(NegotiateResult::Refused).fails(&codes::SERVER_REFUSED_TLS);
    let found = found.also(&[&codes::ROOT_FILE_MISSING]);
    let trust = found.outcome.stages.iter().find(|line| line.stage == Stage::Trust).unwrap();
    assert_eq!(trust.status, StageStatus::Failed);
}

#[test]
fn a_root_file_that_cannot_be_read_says_why() {
    with_roots(Roots::Unreadable { path: path(ROOT_FILE), error: denied() })
        .fails(&codes::ROOT_FILE_UNREADABLE)
        .shows("error", "Permission denied")
        .runs("chmod a+r /etc/ssl/roots.pem");
    with_roots(Roots::Invalid { path: path("/etc/ssl"), content: FileContent::Directory })
        .fails(&codes::ROOT_FILE_UNREADABLE)
        .shows("error", "it is a directory");
}

#[test]
fn what_the_root_file_really_is_decides_what_to_do() {
    for (content, says, runs) in [
        (
            FileContent::DerCertificate,
            "DER",
            "openssl x509 -inform DER -in /etc/ssl/root.crt -out /etc/ssl/root.pem",
        ),
        (FileContent::Pkcs7(Pkcs7Form::Pem), "PKCS#7", "openssl pkcs7 -print_certs"),
        (FileContent::Pkcs7(Pkcs7Form::Der), "PKCS#7", "openssl pkcs7 -inform DER -print_certs"),
        (FileContent::Pkcs12, "PKCS#12", "openssl pkcs12 -in /etc/ssl/root.crt -cacerts -nokeys"),
        (FileContent::JavaKeystore, "Java keystore", "keytool -list -rfc -keystore /etc/ssl/root.crt > "),
        (FileContent::Utf16(Utf16Form::Marked), "UTF-16", "pgtls-check roots convert"),
        (
            FileContent::Altered(vec![Alteration::EscapedLineEnds, Alteration::Quotes]),
            "the two characters \\n (a backslash and an n) are where its line ends should be, it has quotes",
            "pgtls-check roots convert /etc/ssl/root.crt --output /etc/ssl/root.pem",
        ),
    ] {
        with_roots(Roots::Invalid { path: path("/etc/ssl/root.crt"), content })
            .fails(&codes::ROOT_FILE_INVALID)
            .called(says)
            .sets("sslrootcert", "/etc/ssl/root.pem")
            .runs(runs);
    }
    for (content, says, advice) in [
        (FileContent::Empty, "empty", "download"),
        (FileContent::Html, "HTML", "download"),
        (FileContent::Wrapped(Wrapping::ErrorPage), "404", "download"),
        (FileContent::Wrapped(Wrapping::LfsPointer), "Git LFS", "check out with LFS"),
        (FileContent::Wrapped(Wrapping::AnsibleVault), "Ansible Vault", "decrypt"),
        (FileContent::Wrapped(Wrapping::Sops), "sops", "decrypt"),
        (
            FileContent::Placeholder("$(DB_CA)".to_owned()),
            "$(DB_CA), a variable that nothing has replaced",
            "set the variable $(DB_CA)",
        ),
        (FileContent::PrivateKey, "private key", "sslkey"),
        (FileContent::Csr, "request", "request"),
        (
            FileContent::PathOfFile(path("/etc/ssl/ca.pem")),
            "the path of a file, /etc/ssl/ca.pem",
            "that file itself",
        ),
        (FileContent::NoCertificate, "no certificate", "PEM"),
        (FileContent::BadBlock { line: 7, what: "bad base64".to_owned() }, "line 7", "line 7"),
    ] {
        with_roots(Roots::Invalid { path: path("/etc/ssl/root.crt"), content })
            .fails(&codes::ROOT_FILE_INVALID)
            .called(says)
            .advises(advice);
    }
}

#[test]
fn under_prefer_the_text_says_that_libpq_goes_on_in_plaintext() {
    with_roots(Roots::Invalid { path: path(ROOT_FILE), content: FileContent::Empty })
        .with(|evidence| evidence.config.as_mut().unwrap().sslmode = SslMode::Prefer)
        .fails(&codes::ROOT_FILE_INVALID)
        .because("continues without TLS");
}

#[test]
fn a_certificate_needs_its_key() {
    with_identity(IdentityError::KeyMissing {
        certificate: path("/c.crt"),
        key: Some(path("/c.key")),
        of_ca: false,
    })
    .fails(&codes::CLIENT_KEY_MISSING)
    .shows("certificate", "/c.crt")
    .shows("key", "/c.key")
    .advises("sslkey=FILE");
}

/// A file of another name is called what it is.
#[test]
fn the_file_that_lies_there_instead_is_named_with_what_it_is() {
    let missing = |similar: &str| {
        let path = Some(path("/srv/pki/ca.crt"));
        with_roots(Roots::Missing { path, typed: None, obstacle: None, similar: Some(similar.into()) })
            .fails(&codes::ROOT_FILE_MISSING)
            .first_sets("sslrootcert", similar)
    };
    missing("/srv/pki/company.pem").advises("the only file with a CA certificate in that directory");
    missing("/srv/pki/ca.cert").advises("which exists");
}

/// What a shell was to replace in a path is told as such, with the file that is meant if it is there.
#[test]
fn a_path_that_no_shell_completed_is_told() {
    let missing = |written: &str, similar: Option<&str>| {
        let read = written.replace('\\', "");
        let typed = (read != written).then(|| path(written));
        let similar = similar.map(path);
        with_roots(Roots::Missing { path: Some(path(&read)), typed, obstacle: None, similar })
            .fails(&codes::ROOT_FILE_MISSING)
    };
    for (written, begin, who) in [
        (r"$env:APPDATA\postgresql\root.crt", "$env:APPDATA", "PowerShell replaces it"),
        (r"%APPDATA%\postgresql\root.crt", "%APPDATA%", "cmd replaces it"),
        ("$HOME/.postgresql/root.crt", "$HOME", "a POSIX shell replaces it"),
        ("${HOME}/.postgresql/root.crt", "${HOME}", "a POSIX shell replaces it"),
    ] {
        missing(written, None)
            .called(&format!("still has {begin}, which libpq does not replace"))
            .because(who)
            .advises("leave sslrootcert out: this is the file that libpq looks for by itself")
            .advises("write the whole path");
        let found = missing(written, Some("/home/me/.postgresql/root.crt"))
            .first_sets("sslrootcert", "/home/me/.postgresql/root.crt");
        assert!(!found.diagnosis.cause.contains("besides"), "{:?}", found.diagnosis);
    }
    if !cfg!(windows) {
        missing(r"$env:CERTS\root.crt", None).because("a path of Windows").advises("on the Windows machine");
    }
    missing("plain/root.crt", None).called("there is no file plain/root.crt");
}

/// What is too weak is sound, and copying it again mends nothing.
#[test]
fn a_weak_client_certificate_is_not_called_damaged() {
    let weak = |is_leaf, weakness| {
        let content = FileContent::TooWeak { line: 3, is_leaf, weakness };
        let found = with_identity(IdentityError::CertificateInvalid { path: path("/c.crt"), content })
            .fails(&codes::CLIENT_CERT_INVALID);
        let words = format!("{:?}", found.diagnosis);
        assert!(!words.contains("damaged") && !words.contains("copy the certificate"), "{words}");
        found.shows("problem", "line 3").because("security level 2")
    };
    let key = Weakness::Key(KeyKind::Rsa(1024));
    weak(true, key.clone())
        .titled("the client certificate in /c.crt is too weak: its key is RSA 1024")
        .shows("needed", "RSA of 2048 bits or more")
        .advises("for a new key")
        .runs("openssl req -new -newkey");
    let signature = Authority::root("Any").certificate.facts().unwrap().signature.clone();
    let algorithm = SignatureAlgorithm::RsaPkcs1(Hash::Sha1);
    let sha1 = Weakness::Signature(SignatureKind { algorithm, ..signature });
    weak(true, sha1)
        .called("its signature uses SHA-1")
        .shows("needed", "SHA-256")
        .advises("the key can stay")
        .runs("openssl x509 -x509toreq -in /c.crt");
    weak(false, key).called("a CA certificate in /c.crt is too weak").advises("here, in /c.crt");
}

#[test]
fn client_files_of_another_kind_are_named() {
    with_identity(IdentityError::CertificateInvalid { path: path("/c.p12"), content: FileContent::Pkcs12 })
        .fails(&codes::CLIENT_CERT_INVALID)
        .runs(
            "openssl pkcs12 -in /c.p12 -nokeys -out /c.pem\n\
             openssl pkcs12 -in /c.p12 -nocerts -nodes -out /c.key && chmod 600 /c.key",
        );
    // The key's setting may name the same bundle by a relative path.
    for (key, both) in [("c.p12", true), ("./c.p12", true), ("/c.p12", true), ("c.key", false)] {
        let bundle = IdentityError::CertificateInvalid { path: path("/c.p12"), content: FileContent::Pkcs12 };
        let found = with_identity(bundle)
            .with_settings(|settings| {
                settings.parameters.push(parameter("sslkey", key, Origin::ConnectionString));
            })
            .fails(&codes::CLIENT_CERT_INVALID);
        assert_eq!(found.diagnosis.fixes.iter().any(|fix| fix.names("sslkey")), both, "{key}");
    }
    with_identity(IdentityError::CertificateUnreadable { path: path("/c.crt"), error: denied() })
        .fails(&codes::CLIENT_CERT_INVALID)
        .shows("problem", "Permission denied");
    for (problem, says) in [
        (KeyProblem::NotAKey, "no private key"),
        (KeyProblem::EncryptedDer, "encrypted PKCS#8 key in DER"),
        (KeyProblem::Pkcs12, "PKCS#12"),
        (KeyProblem::OpenSsh, "OpenSSH"),
        (KeyProblem::Certificate, "a certificate"),
        (KeyProblem::Altered, "lines were altered"),
        (KeyProblem::Damaged, "damaged"),
        (KeyProblem::PassPhraseMissing, "sslpassword is not set"),
        (KeyProblem::PassPhraseWrong, "does not open it"),
        (KeyProblem::CipherUnknown("1.2.3".to_owned()), "1.2.3"),
    ] {
        with_identity(IdentityError::KeyInvalid { path: path("/c.key"), problem })
            .fails(&codes::CLIENT_KEY_INVALID)
            .shows("path", "/c.key")
            .shows("problem", says);
    }
    with_identity(IdentityError::KeyUnreadable { path: path("/c.key"), error: denied() })
        .fails(&codes::CLIENT_KEY_INVALID)
        .shows("problem", "Permission denied");
    with_identity(IdentityError::KeyNotAFile { path: path("/dev/null") }).fails(&codes::CLIENT_KEY_INVALID);
    with_identity(IdentityError::KeyInEngine { reference: path("pkcs11:id") })
        .fails(&codes::OPTION_NOT_SUPPORTED)
        .shows("value", "pkcs11:id");
}

#[test]
fn an_open_key_is_closed_as_far_as_its_owner_demands() {
    let open =
        |owned_by_root| IdentityError::KeyPermissions { path: path("/my key"), mode: 0o644, owned_by_root };
    with_identity(open(false))
        .fails(&codes::CLIENT_KEY_PERMISSIONS)
        .shows("mode", "0644")
        .runs("chmod 600 '/my key'");
    with_identity(open(true)).fails(&codes::CLIENT_KEY_PERMISSIONS).runs("chmod 640 '/my key'");
}

#[test]
fn a_certificate_for_another_user_that_nobody_named_is_first_taken_away() {
    for is_given in [false, true] {
        let open = IdentityError::KeyPermissions { path: path("/k"), mode: 0o644, owned_by_root: false };
        let leaf = Authority::root("CA").issue(params("somebody", false)).certificate;
        let found = with_identity(open)
            .with(|evidence| {
                let client = &mut Arc::make_mut(evidence.trust.as_mut().unwrap()).client;
                if let ClientIdentity::Failed(_, known) = client {
                    *known = Some(Box::new(leaf));
                }
            })
            .with_settings(|settings| {
                let given = is_given.then(|| parameter("sslcert", "/c.crt", Origin::ConnectionString));
                settings.parameters.extend(given);
            })
            .fails(&codes::CLIENT_KEY_PERMISSIONS)
            .shows("certificate_name", "somebody");
        let fixes = &found.diagnosis.fixes;
        let place = |of: &dyn Fn(&Fix) -> bool| fixes.iter().position(of).unwrap();
        let taken = place(&|fix| fix.names("sslcert"));
        let issued = place(&|fix| fix.text.contains("a new key and a certificate with CN="));
        assert_eq!(taken < issued, !is_given, "{fixes:#?}");
    }
}

#[test]
fn a_key_of_another_certificate_names_both() {
    with_identity(IdentityError::KeyMismatch {
        certificate: path("/c.crt"),
        key: path("/d.key"),
        place: None,
    })
    .fails(&codes::CLIENT_KEY_MISMATCH)
    .shows("certificate", "/c.crt")
    .shows("key", "/d.key")
    .runs(
        "wanted=$(openssl x509 -noout -pubkey -in /c.crt)\n\
             sudo find / -xdev -type f -size -64k",
    );
}

#[test]
fn an_absent_certificate_matters_only_where_one_is_demanded() {
    let absent = || {
        Evidence::healthy().with(|evidence| {
            Arc::make_mut(evidence.trust.as_mut().unwrap()).client =
                ClientIdentity::Absent { path: path("/c.crt"), similar: None };
            let settings = evidence.config.as_mut().unwrap();
            settings.parameters.push(parameter("sslcert", "/c.crt", Origin::ConnectionString));
        })
    };
    absent()
        .with_session(SessionFailure::CertificateModeUnmet)
        .fails(&codes::CLIENT_CERT_MISSING)
        .shows("path", "/c.crt")
        .shows("from", "sslcert from the connection string");
    absent()
        .with_error("28P01", "password authentication failed")
        .fails(&codes::PASSWORD_REJECTED)
        .also(&[&codes::CLIENT_CERT_MISSING]);
    absent().verified();
}

#[test]
fn what_is_offered_for_an_absent_certificate_depends_on_whether_the_server_requests_one() {
    let absent = |requested: bool, similar: Option<&str>| {
        let similar = similar.map(path);
        let evidence = Evidence::healthy().with(|evidence| {
            Arc::make_mut(evidence.trust.as_mut().unwrap()).client =
                ClientIdentity::Absent { path: path("/c.crt"), similar };
            let settings = evidence.config.as_mut().unwrap();
            settings.parameters.push(parameter("sslcert", "/c.crt", Origin::ConnectionString));
            let tls = evidence.attempts.last_mut().unwrap().tls.as_mut().unwrap();
            tls.result.client_certificate.requested = requested;
        });
        let found = evidence.with_session(SessionFailure::CertificateModeUnmet);
        let fixes = found.fails(&codes::CLIENT_CERT_MISSING).diagnosis.fixes;
        fixes.into_iter().map(|fix| fix.settings).collect::<Vec<_>>()
    };
    let set = |keyword, value: &str| (keyword, value.to_owned());
    let without = vec![set("sslcertmode", "allow"), set("sslcert", "")];
    assert_eq!(absent(false, None), [without.clone(), vec![]]);
    assert_eq!(absent(true, None), [vec![], without.clone()]);
    assert_eq!(absent(true, Some("/d.crt")), [vec![set("sslcert", "/d.crt")], vec![], without]);
}

#[test]
fn content_in_the_place_of_a_path_is_named_and_not_shown() {
    let pem = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUVhCl\n-----END CERTIFICATE-----\n";
    let roots = Roots::Missing { path: Some(path(pem)), typed: None, obstacle: None, similar: None };
    let found = with_roots(roots)
        .fails(&codes::ROOT_FILE_MISSING)
        .titled("sslrootcert is the content of a PEM file, not its path")
        .advises("write the text into a file");
    assert!(!format!("{:?}", found.diagnosis).contains("MIIB"));
    let key = pem.replace("CERTIFICATE", "PRIVATE KEY");
    let found = with_identity(IdentityError::KeyMissing {
        certificate: path("/c.crt"),
        key: Some(path(&key)),
        of_ca: false,
    })
    .fails(&codes::CLIENT_KEY_MISSING)
    .titled("sslkey is the content of a PEM file, not its path");
    assert!(!format!("{:?}", found.diagnosis).contains("MIIB"));
}

/// The package is what is missing, and without it the system has no roots of its own either.
#[test]
fn the_systems_bundle_comes_with_a_package() {
    let found = |host: &str, path: &str| {
        let roots = Roots::Missing { path: Some(path.into()), typed: None, obstacle: None, similar: None };
        let evidence = Evidence::at(host, "20.61.7.9").with_trust(|trust| trust.roots = roots);
        evidence.fails(&codes::ROOT_FILE_MISSING).diagnosis.fixes
    };
    let says = |fixes: &[crate::diagnose::Fix], part: &str| format!("{fixes:?}").contains(part);
    for path in ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"] {
        let public = found("x.postgres.database.azure.com", path);
        assert!(says(&public[..1], "apt-get install") && !says(&public, "\"system\""), "{public:#?}");
        // Its roots are in no such bundle.
        let private = found("x.c1.eu-west-1.rds.amazonaws.com", path);
        assert!(!says(&private, "apt-get install"), "{private:#?}");
    }
    let own = found("x.postgres.database.azure.com", "/etc/ssl/certs/own.crt");
    assert!(!says(&own, "apt-get install") && says(&own, "\"system\""), "{own:#?}");
}
