//! Faults of the files that a check trusts or uses.

use super::Fault;
use crate::demo::directory::set_mode;
use crate::demo::pki::{Authority, days};
use crate::demo::scenario::{ClientCertificates, PASSWORD};
use crate::demo::session::Authentication;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("root-file-missing", "sslrootcert names a file that does not exist", |scenario| {
        let path = scenario.directory.path().join("no-such-root.crt");
        scenario.name_file("sslrootcert", &path);
        Ok(())
    }),
    Fault::new("root-file-unreadable", "sslrootcert names a directory", |scenario| {
        let path = scenario.directory.path().join("certs");
        std::fs::create_dir(&path)?;
        scenario.name_file("sslrootcert", &path);
        Ok(())
    }),
    Fault::new("root-file-invalid", "the root file is DER, and libpq reads PEM only", |scenario| {
        scenario.write_for("sslrootcert", "root.der", scenario.root.der.clone()).map(drop)
    }),
    Fault::new(
        "root-file-invalid",
        "the root file is the web page it was to be downloaded from",
        |scenario| {
            let page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n";
            scenario.write_for("sslrootcert", "root.crt", page).map(drop)
        },
    )
    .named("root-file-html"),
    Fault::new("root-file-invalid", "the last certificate of the root file is cut off", |scenario| {
        let pem = scenario.root.pem();
        let cut = pem.get(..pem.len() / 2).unwrap_or_default();
        scenario.write_for("sslrootcert", "root.crt", format!("{pem}{cut}")).map(drop)
    })
    .named("root-file-truncated"),
    Fault::new("root-expired", "the root in the file has expired", |scenario| {
        let root = Authority::root_with("Demo Root CA", |root| {
            (root.not_before, root.not_after) = (days(-3650), days(-3));
        })?;
        scenario.root_in(root)?;
        scenario.update_root_file()
    }),
    Fault::new(
        "client-cert-missing",
        "sslcertmode=require, and the file of sslcert does not exist",
        |scenario| {
            scenario.client_certificates = ClientCertificates::Asked(Authority::root("Demo Client CA")?);
            scenario.set("sslcertmode", "require");
            let path = scenario.directory.path().join("no-such-client.crt");
            scenario.name_file("sslcert", &path);
            Ok(())
        },
    ),
    Fault::new("client-key-missing", "sslcert is there, and the file of sslkey is not", |scenario| {
        scenario.identify_by(&Authority::root("Demo Client CA")?)?;
        let path = scenario.directory.path().join("no-such-client.key");
        scenario.name_file("sslkey", &path);
        Ok(())
    }),
    Fault::new(
        "client-cert-invalid",
        "the client certificate is DER, and libpq reads PEM only",
        |scenario| {
            let client = scenario.identify_by(&Authority::root("Demo Client CA")?)?;
            scenario.write_for("sslcert", "client.crt", client.der).map(drop)
        },
    ),
    Fault::new("client-key-invalid", "sslkey names the certificate in place of the key", |scenario| {
        let client = scenario.identify_by(&Authority::root("Demo Client CA")?)?;
        scenario.write_for("sslkey", "client.key", client.pem()).map(drop)
    }),
    Fault::new(
        "client-key-invalid",
        "the client's key is encrypted, and sslpassword is not set",
        |scenario| {
            let client = scenario.identify_by(&Authority::root("Demo Client CA")?)?;
            scenario.write_for("sslkey", "client.key", client.encrypted_key_pem("open sesame")?).map(drop)
        },
    )
    .named("client-key-encrypted"),
    Fault::new("client-key-permissions", "everybody may read the client's private key", |scenario| {
        scenario.identify_by(&Authority::root("Demo Client CA")?)?;
        set_mode(&scenario.directory.path().join("client.key"), 0o644)
    }),
    Fault::new("client-key-mismatch", "the client's key belongs to another certificate", |scenario| {
        let authority = Authority::root("Demo Client CA")?;
        scenario.identify_by(&authority)?;
        let other = authority.client("somebody")?;
        scenario.write_for("sslkey", "client.key", other.key_pem()).map(drop)
    }),
    Fault::new("crl-invalid", "the CRL of the issuing CA has expired", |scenario| {
        let lists = [scenario.root.crl(&[], 1)?, scenario.intermediate.crl(&[], 40)?];
        scenario.write_for("sslcrl", "root.crl", lists.concat()).map(drop)
    }),
];

pub(super) const WARNINGS: &[Fault] = &[
    Fault::warning(
        "backslash-path",
        "the root file's path has backslashes, which libpq's strings eat",
        |scenario| {
            if cfg!(windows) {
                std::fs::create_dir(scenario.directory.path().join("certs"))?;
            }
            // Elsewhere a backslash is an ordinary sign of a file's name.
            let path = scenario.directory.write(r"certs\root.crt", scenario.root.pem())?;
            let typed = path.to_string_lossy().into_owned();
            scenario.type_in("sslrootcert", typed);
            Ok(())
        },
    ),
    Fault::warning(
        "passfile-ignored",
        "everybody may read the password file, so libpq passes it over",
        |scenario| {
            let path = scenario.write_for("passfile", "pgpass", format!("*:*:*:*:{PASSWORD}\n"))?;
            scenario.unset("password");
            scenario.session.authentication = Authentication::Trust;
            set_mode(&path, 0o644)
        },
    ),
    Fault::warning(
        "crl-ignored",
        "sslcrl names no file, and libpq checks no revocation without a word",
        |scenario| {
            let path = scenario.directory.path().join("no-such.crl");
            scenario.name_file("sslcrl", &path);
            Ok(())
        },
    ),
];
