//! The certificates, keys and root files that the cases share, in one directory.

use super::NAME;
use crate::support::home::Home;
use crate::support::odd_pki::*;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

/// The password of every encrypted key.
pub(super) const KEY_PASSWORD: &str = "open sesame";

/// The root above all servers but those whose certificate is to have an uncommon signature.
pub(super) static ROOT: LazyLock<Issued> = LazyLock::new(|| Draft::authority("Options Root").self_signed());
static PSS_ROOT: LazyLock<Issued> = LazyLock::new(|| {
    Draft::authority("Options RSA Root").key(Key::labelled(Kind::Rsa(2048), "options root")).self_signed()
});
static ED25519_ROOT: LazyLock<Issued> =
    LazyLock::new(|| Draft::authority("Options Ed25519 Root").keyed(Kind::Ed25519).self_signed());
/// The root of the clients, and a CA below it.
pub(super) static CLIENT_ROOT: LazyLock<Issued> =
    LazyLock::new(|| Draft::authority("Clients Root").self_signed());
pub(super) static CLIENT_CA: LazyLock<Issued> =
    LazyLock::new(|| Draft::authority("Clients CA").signed_by(&CLIENT_ROOT));
static REVOKED: LazyLock<Issued> = LazyLock::new(|| client("cert").signed_by(&CLIENT_ROOT));

fn server_draft() -> Draft {
    Draft::server(NAME).names([
        dns(NAME),
        dns("localhost"),
        ip(&[127, 0, 0, 1]),
        ip(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ])
}

/// The usual certificate of a server, always the same.
pub(super) fn server() -> &'static Issued {
    static SERVER: LazyLock<Issued> = LazyLock::new(|| server_draft().signed_by(&ROOT));
    &SERVER
}

/// A certificate of a server with an RSA key.
pub(super) fn rsa_server() -> Issued {
    server_draft().key(Key::labelled(Kind::Rsa(2048), "options server")).signed_by(&ROOT)
}

/// One that is signed so.
pub(super) fn server_signed(scheme: Scheme) -> Issued {
    let issuer = if matches!(scheme, Scheme::Pss(_)) { &PSS_ROOT } else { &ROOT };
    server_draft().scheme(scheme).signed_by(issuer)
}

/// One that is signed with Ed25519.
pub(super) fn server_signed_with_ed25519() -> Issued {
    server_draft().signed_by(&ED25519_ROOT)
}

/// One with an Ed25519 key, signed with ECDSA.
pub(super) fn ed25519_server() -> Issued {
    server_draft().keyed(Kind::Ed25519).signed_by(&ROOT)
}

/// The CRLs of both CAs of the clients.
pub(super) fn client_crls() -> String {
    crl_pem(&CrlDraft::revoking(&[&REVOKED]).signed_by(&CLIENT_ROOT))
        + &crl_pem(&CrlDraft::revoking(&[]).signed_by(&CLIENT_CA))
}

fn client(name: &str) -> Draft {
    Draft::bare(name)
        .key(Key::labelled(Kind::P256, "a client"))
        .with(basic_constraints(false, None))
        .with(key_usage(&[DIGITAL_SIGNATURE]))
        .with(extended_key_usage(&[CLIENT_AUTH]))
}

fn pem_of(key: &PKey<Private>) -> String {
    String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

/// PKCS#8 in PEM.
pub(super) fn key_pem(certificate: &Issued) -> String {
    pem_of(&certificate.key.private)
}

/// The directory.
pub(super) static FILES: LazyLock<Home> = LazyLock::new(|| {
    let home = Home::new();
    home.write("root.crt", ROOT.pem() + &PSS_ROOT.pem() + &ED25519_ROOT.pem());
    home.write("other.crt", Draft::authority("Another Root").self_signed().pem());
    home.write("empty.crt", "");
    certificates_of_clients(&home);
    keys_of_clients(&home);
    home
});

/// Clears the directory away when dropped, which a static by itself is not.
pub(super) struct RemovedOnDrop;

impl Drop for RemovedOnDrop {
    fn drop(&mut self) {
        // It may not be there, when the test failed before anything was written.
        let _ = std::fs::remove_dir_all(FILES.path());
    }
}

fn certificates_of_clients(home: &Home) {
    let other = Draft::authority("Unknown Clients Root").self_signed();
    let below = client("cert").signed_by(&CLIENT_CA);
    let good = client("cert").signed_by(&CLIENT_ROOT);
    for (name, certificate) in [
        ("cert", &good),
        ("other-name", &client("somebody").signed_by(&CLIENT_ROOT)),
        ("below", &below),
        ("unknown", &client("cert").signed_by(&other)),
        ("revoked", &REVOKED),
        ("expired", &client("cert").expired().signed_by(&CLIENT_ROOT)),
        ("server-only", &client("cert").with(extended_key_usage(&[SERVER_AUTH])).signed_by(&CLIENT_ROOT)),
        ("version-1", &client("cert").version(1).signed_by(&CLIENT_ROOT)),
        ("no-usage", &client("cert").without(EXTENDED_KEY_USAGE).signed_by(&CLIENT_ROOT)),
        ("self-signed", &client("cert").self_signed()),
    ] {
        home.write(&format!("{name}.crt"), certificate.pem());
    }
    home.write("chain.crt", below.pem() + &CLIENT_CA.pem());
    home.write("ca-first.crt", CLIENT_CA.pem() + &below.pem());
    home.write("chain-and-root.crt", below.pem() + &CLIENT_CA.pem() + &CLIENT_ROOT.pem());
    home.write("text-around.crt", format!("some text\n{}more text\n", good.pem()));
    home.write("crlf.crt", good.pem().replace('\n', "\r\n"));
    home.write("with-key.crt", good.pem() + &key_pem(&good));
    home.write("der.crt", &good.der);
    home.write("garbage.crt", "no certificate\n");
    for (name, kind) in [("rsa", Kind::Rsa(2048)), ("ed25519", Kind::Ed25519), ("p384", Kind::P384)] {
        let certificate = client("cert").key(Key::labelled(kind, "a client")).signed_by(&CLIENT_ROOT);
        home.write(&format!("{name}.crt"), certificate.pem());
        home.write(&format!("{name}.key"), key_pem(&certificate));
    }
}

fn keys_of_clients(home: &Home) {
    let password = KEY_PASSWORD.as_bytes();
    let key = Key::labelled(Kind::P256, "a client").private;
    let rsa = Key::labelled(Kind::Rsa(2048), "a client").private;
    let encrypted =
        |key: &PKey<Private>, cipher| key.private_key_to_pem_pkcs8_passphrase(cipher, password).unwrap();
    home.write("cert.key", pem_of(&key));
    home.write("other.key", pem_of(&Key::labelled(Kind::P256, "nobody").private));
    home.write("sec1.key", key.ec_key().unwrap().private_key_to_pem().unwrap());
    home.write("pkcs1.key", rsa.rsa().unwrap().private_key_to_pem().unwrap());
    home.write("pkcs8.der", key.private_key_to_pkcs8().unwrap());
    home.write("sec1.der", key.private_key_to_der().unwrap());
    home.write("pkcs1.der", rsa.private_key_to_der().unwrap());
    home.write("pbes2-aes.key", encrypted(&key, Cipher::aes_256_cbc()));
    home.write("pbes2-des3.key", encrypted(&key, Cipher::des_ede3_cbc()));
    home.write("pbes2-rsa.key", encrypted(&rsa, Cipher::aes_128_cbc()));
    home.write(
        "encrypted.der",
        key.private_key_to_pkcs8_passphrase(Cipher::aes_256_cbc(), password).unwrap(),
    );
    for (name, cipher) in [("aes", Cipher::aes_256_cbc()), ("des3", Cipher::des_ede3_cbc())] {
        let rsa = rsa.rsa().unwrap().private_key_to_pem_passphrase(cipher, password).unwrap();
        home.write(&format!("legacy-{name}-rsa.key"), rsa);
        let ec = key.ec_key().unwrap().private_key_to_pem_passphrase(cipher, password).unwrap();
        home.write(&format!("legacy-{name}-ec.key"), ec);
    }
    home.write("empty.key", "");
    home.write("garbage.key", "no key\n");
    for mode in [0o400, 0o600, 0o700, 0o640, 0o440, 0o644, 0o660, 0o604, 0o650] {
        let path = home.write(&format!("mode-{mode:o}.key"), pem_of(&key));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    // The modes of a key that root does not own are another rule. It needs root to make one.
    if home.owner() == 0 {
        for mode in [0o600, 0o640] {
            let path = home.write(&format!("foreign-{mode:o}.key"), pem_of(&key));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            std::os::unix::fs::chown(&path, Some(1), Some(0)).unwrap();
        }
    }
    std::os::unix::fs::symlink("cert.key", home.join("link.key")).unwrap();
    std::fs::create_dir(home.join("directory")).unwrap();
}
