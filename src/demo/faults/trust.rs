//! Faults of the files that a check trusts or uses.

use super::Fault;
use crate::demo::directory::set_mode;
use crate::demo::pki::{Authority, days};
use crate::demo::scene::{Clients, PASSWORD};
use crate::demo::session::Authentication;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("root-file-missing", "sslrootcert names a file that does not exist", |scene| {
        let path = scene.directory.path().join("no-such-root.crt");
        scene.name_file("sslrootcert", &path);
        Ok(())
    }),
    Fault::new("root-file-unreadable", "sslrootcert names a directory", |scene| {
        let path = scene.directory.path().join("certs");
        std::fs::create_dir(&path)?;
        scene.name_file("sslrootcert", &path);
        Ok(())
    }),
    Fault::new("root-file-invalid", "the root file is DER, and libpq reads PEM only", |scene| {
        scene.write_for("sslrootcert", "root.der", scene.root.der.clone()).map(drop)
    }),
    Fault::new("root-file-invalid", "the root file is the web page it was to be downloaded from", |scene| {
        let page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n";
        scene.write_for("sslrootcert", "root.crt", page).map(drop)
    })
    .named("root-file-html"),
    Fault::new("root-file-invalid", "the last certificate of the root file is cut off", |scene| {
        let pem = scene.root.pem();
        let cut = pem.get(..pem.len() / 2).unwrap_or_default();
        scene.write_for("sslrootcert", "root.crt", format!("{pem}{cut}")).map(drop)
    })
    .named("root-file-truncated"),
    Fault::new("root-expired", "the root in the file has expired", |scene| {
        let root = Authority::root_with("Demo Root CA", |root| {
            (root.not_before, root.not_after) = (days(-3650), days(-3));
        })?;
        scene.root_in(root)?;
        scene.update_root_file()
    }),
    Fault::new(
        "client-cert-missing",
        "sslcertmode=require, and the file of sslcert does not exist",
        |scene| {
            scene.clients = Clients::Asked(Authority::root("Demo Client CA")?);
            scene.set("sslcertmode", "require");
            let path = scene.directory.path().join("no-such-client.crt");
            scene.name_file("sslcert", &path);
            Ok(())
        },
    ),
    Fault::new("client-key-missing", "sslcert is there, and the file of sslkey is not", |scene| {
        scene.identify_by(&Authority::root("Demo Client CA")?)?;
        let path = scene.directory.path().join("no-such-client.key");
        scene.name_file("sslkey", &path);
        Ok(())
    }),
    Fault::new("client-cert-invalid", "the client certificate is DER, and libpq reads PEM only", |scene| {
        let client = scene.identify_by(&Authority::root("Demo Client CA")?)?;
        scene.write_for("sslcert", "client.crt", client.der).map(drop)
    }),
    Fault::new("client-key-invalid", "sslkey names the certificate in place of the key", |scene| {
        let client = scene.identify_by(&Authority::root("Demo Client CA")?)?;
        scene.write_for("sslkey", "client.key", client.pem()).map(drop)
    }),
    Fault::new("client-key-invalid", "the client's key is encrypted, and sslpassword is not set", |scene| {
        let client = scene.identify_by(&Authority::root("Demo Client CA")?)?;
        scene.write_for("sslkey", "client.key", client.encrypted_key_pem("open sesame")?).map(drop)
    })
    .named("client-key-encrypted"),
    Fault::new("client-key-permissions", "everybody may read the client's private key", |scene| {
        scene.identify_by(&Authority::root("Demo Client CA")?)?;
        set_mode(&scene.directory.path().join("client.key"), 0o644)
    }),
    Fault::new("client-key-mismatch", "the client's key belongs to another certificate", |scene| {
        let authority = Authority::root("Demo Client CA")?;
        scene.identify_by(&authority)?;
        let other = authority.client("somebody")?;
        scene.write_for("sslkey", "client.key", other.key_pem()).map(drop)
    }),
    Fault::new("crl-invalid", "the CRL of the issuing CA has expired", |scene| {
        let lists = [scene.root.crl(&[], 1)?, scene.intermediate.crl(&[], 40)?];
        scene.write_for("sslcrl", "root.crl", lists.concat()).map(drop)
    }),
];

pub(super) const WARNINGS: &[Fault] = &[
    Fault::warning(
        "backslash-path",
        "the root file's path has backslashes, which libpq's strings eat",
        |scene| {
            if cfg!(windows) {
                std::fs::create_dir(scene.directory.path().join("certs"))?;
            }
            // Elsewhere a backslash is an ordinary sign of a file's name.
            let path = scene.directory.write(r"certs\root.crt", scene.root.pem())?;
            let typed = path.to_string_lossy().into_owned();
            scene.type_in("sslrootcert", typed);
            Ok(())
        },
    ),
    Fault::warning(
        "passfile-ignored",
        "everybody may read the password file, so libpq passes it over",
        |scene| {
            let path = scene.write_for("passfile", "pgpass", format!("*:*:*:*:{PASSWORD}\n"))?;
            scene.unset("password");
            scene.session.authentication = Authentication::Trust;
            set_mode(&path, 0o644)
        },
    ),
    Fault::warning(
        "crl-ignored",
        "sslcrl names no file, and libpq checks no revocation without a word",
        |scene| {
            let path = scene.directory.path().join("no-such.crl");
            scene.name_file("sslcrl", &path);
            Ok(())
        },
    ),
];
