//! `rehearse` beside what it foretells: each situation is rehearsed, then its files are put on real servers of 15 and 18.
//! Whether PostgreSQL loads them, what it writes to its log, which chain it sends, whether psql then connects with libpq 15
//! and 18, and what a check of the running server finds must be what the rehearsal said.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::X509;

use crate::support::der::octets;
use crate::support::home::Home;
use crate::support::odd_pki::Hash;
use crate::support::odd_pki::{
    BASIC_CONSTRAINTS, CLIENT_AUTH, CrlDraft, DIGITAL_SIGNATURE, Draft, Extension, Issued, KEY_CERT_SIGN,
    KEY_ENCIPHERMENT, KEY_USAGE, Key, Kind, SERVER_AUTH, SUBJECT_KEY_IDENTIFIER, Scheme, alt_names,
    authority, basic_constraints, crl_pem, days, dns, extended_key_usage, ip, key_usage, name,
};
use crate::support::parallel::{each, expect};
use crate::support::postgres::Postgres;
use crate::support::psql::Psql;
use crate::support::random::Random;
use crate::support::site::{NAME, OPEN};
use crate::support::tool::{Report, Tool};

/// The account of the servers, where the tests are root's; nobody else may give files away.
const ACCOUNT: &str = "postgres";

/// Who owns the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Server,
    Root,
    Other,
}

/// What lies at the key's path.
#[derive(Clone)]
enum KeyFile {
    Bytes(Vec<u8>),
    Nothing,
    Directory,
}

/// The files of a server, and the client that comes.
#[derive(Clone)]
struct Situation {
    name: String,
    certificates: Vec<u8>,
    key: KeyFile,
    mode: u32,
    owner: Owner,
    authorities: Option<Vec<u8>>,
    lists: Option<Vec<u8>>,
    /// Certificates and key.
    client: Option<(String, String)>,
    sslmode: &'static str,
    host: &'static str,
    has_roots: bool,
}

/// The CAs, and those of others.
struct Site {
    root: Issued,
    intermediate: Issued,
    clients: Issued,
    stranger: Issued,
}

fn pem_of(key: &PKey<Private>) -> Vec<u8> {
    key.private_key_to_pem_pkcs8().unwrap()
}

fn leaf_draft(name: &str) -> Draft {
    Draft::bare(name)
        .key(Key::generate(Kind::P256))
        .with(basic_constraints(false, None))
        .with(key_usage(&[DIGITAL_SIGNATURE]))
        .with(extended_key_usage(&[SERVER_AUTH]))
}

fn client_draft(purpose: &str, uses: &[u8]) -> Draft {
    Draft::bare(OPEN)
        .key(Key::generate(Kind::P256))
        .with(basic_constraints(false, None))
        .with(key_usage(uses))
        .with(extended_key_usage(&[purpose]))
}

/// One change of a situation in which all is well.
type Change = (&'static str, fn(&Site, &mut Situation));

impl Site {
    fn new() -> Self {
        let root = Draft::authority("Rehearsal Root CA").with(basic_constraints(true, None)).self_signed();
        let intermediate =
            Draft::authority("Rehearsal Issuing CA").with(basic_constraints(true, Some(0))).signed_by(&root);
        let clients = Draft::authority("Clients' CA").with(basic_constraints(true, None)).self_signed();
        let stranger = Draft::authority("Strangers' CA").with(basic_constraints(true, None)).self_signed();
        Self { root, intermediate, clients, stranger }
    }

    /// A server's certificate, the draft changed; each is another, so that a server that has loaded it is recognised.
    fn leaf(&self, change: impl FnOnce(Draft) -> Draft) -> Issued {
        change(leaf_draft(NAME).names([dns(NAME)])).signed_by(&self.intermediate)
    }

    fn sound(&self) -> Situation {
        let leaf = self.leaf(|draft| draft);
        Situation {
            name: String::new(),
            certificates: (leaf.pem() + &self.intermediate.pem()).into_bytes(),
            key: KeyFile::Bytes(pem_of(&leaf.key.private)),
            mode: 0o600,
            owner: Owner::Server,
            authorities: None,
            lists: None,
            client: None,
            sslmode: "verify-full",
            host: NAME,
            has_roots: true,
        }
    }

    fn put(&self, situation: &mut Situation, leaf: &Issued, chain: &[&Issued]) {
        let chain: String = chain.iter().map(|certificate| certificate.pem()).collect();
        situation.certificates = (leaf.pem() + &chain).into_bytes();
        situation.key = KeyFile::Bytes(pem_of(&leaf.key.private));
    }

    /// The same with a leaf of its own.
    fn with_leaf(&self, situation: &mut Situation, change: impl FnOnce(Draft) -> Draft) {
        let leaf = self.leaf(change);
        self.put(situation, &leaf, &[&self.intermediate]);
    }

    fn client(&self, situation: &mut Situation, identity: &Issued) {
        let key = String::from_utf8(pem_of(&identity.key.private)).unwrap();
        situation.client = Some((identity.pem(), key));
        situation.authorities.get_or_insert_with(|| self.clients.pem().into_bytes());
    }
}

fn text(situation: &Situation) -> String {
    String::from_utf8(situation.certificates.clone()).unwrap()
}

/// The blocks of a PEM text.
fn blocks(text: &str) -> Vec<String> {
    text.split_inclusive("-----END CERTIFICATE-----\n").map(str::to_owned).collect()
}

fn key_bytes(situation: &Situation) -> Vec<u8> {
    match &situation.key {
        KeyFile::Bytes(bytes) => bytes.clone(),
        KeyFile::Nothing | KeyFile::Directory => Vec::new(),
    }
}

fn private(situation: &Situation) -> PKey<Private> {
    PKey::private_key_from_pem(&key_bytes(situation)).unwrap()
}

const CERTIFICATES: &[Change] = &[
    ("as it should be", |_, _| {}),
    ("root too", |site, s| s.certificates.extend(site.root.pem().bytes())),
    ("no intermediate", |_, s| s.certificates = blocks(&text(s))[0].clone().into_bytes()),
    ("intermediate twice", |site, s| s.certificates.extend(site.intermediate.pem().bytes())),
    ("a stranger too", |site, s| s.certificates.extend(site.stranger.pem().bytes())),
    ("leaf not first", |_, s| {
        let parts = blocks(&text(s));
        s.certificates = (parts[1].clone() + &parts[0]).into_bytes();
    }),
    ("root before the intermediate", |site, s| {
        let parts = blocks(&text(s));
        s.certificates = [parts[0].as_str(), &site.root.pem(), &parts[1]].concat().into_bytes();
    }),
    ("expired", |site, s| site.with_leaf(s, Draft::expired)),
    ("not yet valid", |site, s| site.with_leaf(s, Draft::future)),
    ("common name only", |site, s| {
        let leaf = leaf_draft(NAME).signed_by(&site.intermediate);
        site.put(s, &leaf, &[&site.intermediate]);
    }),
    ("another name", |site, s| site.with_leaf(s, |draft| draft.names([dns("db.other.example")]))),
    ("wildcard", |site, s| site.with_leaf(s, |draft| draft.names([dns("*.example")]))),
    ("address only", |site, s| site.with_leaf(s, |draft| draft.names([ip(&[127, 0, 0, 1])]))),
    ("for clients only", |site, s| {
        site.with_leaf(s, |draft| draft.with(extended_key_usage(&[CLIENT_AUTH])));
    }),
    ("version 1", |site, s| site.with_leaf(s, |draft| draft.without_extensions().version(1))),
    ("self-signed", |site, s| {
        let leaf = leaf_draft(NAME).names([dns(NAME)]).self_signed();
        site.put(s, &leaf, &[]);
    }),
    ("by another CA", |site, s| {
        let leaf = leaf_draft(NAME).names([dns(NAME)]).signed_by(&site.stranger);
        site.put(s, &leaf, &[]);
    }),
    ("RSA", |site, s| site.with_leaf(s, |draft| draft.keyed(Kind::Rsa(2048)))),
    ("RSA 1024", |site, s| site.with_leaf(s, |draft| draft.keyed(Kind::Rsa(1024)))),
    ("Ed25519", |site, s| site.with_leaf(s, |draft| draft.keyed(Kind::Ed25519))),
    ("P-521", |site, s| site.with_leaf(s, |draft| draft.keyed(Kind::P521))),
    ("SHA-1", |site, s| site.with_leaf(s, |draft| draft.scheme(Scheme::Usual(Hash::Sha1)))),
    ("spoiled signature", |site, s| site.with_leaf(s, Draft::spoiled)),
    ("DER", |_, s| s.certificates = X509::from_pem(&s.certificates).unwrap().to_der().unwrap()),
    ("garbage", |_, s| s.certificates = b"not PEM\n".to_vec()),
    ("empty", |_, s| s.certificates.clear()),
    ("cut off", |_, s| s.certificates.truncate(s.certificates.len() - 40)),
    ("damaged intermediate", |_, s| {
        let parts = blocks(&text(s));
        s.certificates = (parts[0].clone() + &parts[1].replacen("MI", "!!", 1)).into_bytes();
    }),
    ("carriage returns", |_, s| s.certificates = text(s).replace('\n', "\r\n").into_bytes()),
    ("text around", |_, s| s.certificates = format!("issued for us\n{}the end\n", text(s)).into_bytes()),
    ("byte-order mark", |_, s| s.certificates = format!("\u{feff}{}", text(s)).into_bytes()),
    ("key in the same file", |_, s| {
        let key = key_bytes(s);
        s.certificates.extend(key);
    }),
];

const KEYS: &[Change] = &[
    ("another key", |_, s| s.key = KeyFile::Bytes(pem_of(&Key::generate(Kind::P256).private))),
    ("a key of another kind", |_, s| s.key = KeyFile::Bytes(pem_of(&Key::generate(Kind::Rsa(2048)).private))),
    ("encrypted key", |_, s| {
        let locked = private(s).private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"quartz");
        s.key = KeyFile::Bytes(locked.unwrap());
    }),
    ("key encrypted as OpenSSL did before", |_, s| {
        let key = private(s).ec_key().unwrap();
        let locked = key.private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"quartz");
        s.key = KeyFile::Bytes(locked.unwrap());
    }),
    ("key in SEC1", |_, s| {
        s.key = KeyFile::Bytes(private(s).ec_key().unwrap().private_key_to_pem().unwrap());
    }),
    ("key in DER", |_, s| s.key = KeyFile::Bytes(private(s).private_key_to_pkcs8().unwrap())),
    ("key behind its certificate", |_, s| {
        s.key = KeyFile::Bytes([s.certificates.clone(), key_bytes(s)].concat());
    }),
    ("garbage for a key", |_, s| s.key = KeyFile::Bytes(b"not a key\n".to_vec())),
    ("empty key", |_, s| s.key = KeyFile::Bytes(Vec::new())),
    ("key cut off", |_, s| {
        let mut bytes = key_bytes(s);
        bytes.truncate(bytes.len() / 2);
        s.key = KeyFile::Bytes(bytes);
    }),
    ("certificate for a key", |_, s| s.key = KeyFile::Bytes(s.certificates.clone())),
    ("no key", |_, s| s.key = KeyFile::Nothing),
    ("directory for a key", |_, s| s.key = KeyFile::Directory),
    ("key 0400", |_, s| s.mode = 0o400),
    ("key 0640", |_, s| s.mode = 0o640),
    ("key 0644", |_, s| s.mode = 0o644),
    ("key 0700", |_, s| s.mode = 0o700),
    ("key 0620", |_, s| s.mode = 0o620),
    ("root's key 0600", |_, s| s.owner = Owner::Root),
    ("root's key 0640", |_, s| (s.owner, s.mode) = (Owner::Root, 0o640)),
    ("root's key 0660", |_, s| (s.owner, s.mode) = (Owner::Root, 0o660)),
    ("root's key 0644", |_, s| (s.owner, s.mode) = (Owner::Root, 0o644)),
    ("another's key 0600", |_, s| s.owner = Owner::Other),
    ("another's key 0640", |_, s| (s.owner, s.mode) = (Owner::Other, 0o640)),
];

const CLIENT_FILES: &[Change] = &[
    ("client CA", |site, s| s.authorities = Some(site.clients.pem().into_bytes())),
    ("garbage for a client CA", |_, s| s.authorities = Some(b"not PEM\n".to_vec())),
    ("empty client CA", |_, s| s.authorities = Some(Vec::new())),
    ("client CA in DER", |site, s| s.authorities = Some(site.clients.der.clone())),
    ("CRL for a client CA", |site, s| {
        s.authorities = Some(crl_pem(&CrlDraft::revoking(&[]).signed_by(&site.clients)).into_bytes());
    }),
    ("damaged client CA", |site, s| {
        let damaged = site.clients.pem() + &site.stranger.pem().replacen("MI", "!!", 1);
        s.authorities = Some(damaged.into_bytes());
    }),
    ("the server's CAs as client CA", |site, s| {
        s.authorities = Some((site.intermediate.pem() + &site.root.pem()).into_bytes());
    }),
    ("the server's CAs as client CA, leaf alone", |site, s| {
        s.authorities = Some((site.intermediate.pem() + &site.root.pem()).into_bytes());
        s.certificates = blocks(&text(s))[0].clone().into_bytes();
    }),
    ("CRL", |site, s| {
        s.authorities = Some(site.clients.pem().into_bytes());
        s.lists = Some(crl_pem(&CrlDraft::revoking(&[]).signed_by(&site.clients)).into_bytes());
    }),
    ("CRL in DER", |site, s| s.lists = Some(CrlDraft::revoking(&[]).signed_by(&site.clients))),
    ("empty CRL", |_, s| s.lists = Some(Vec::new())),
    ("certificate for a CRL", |site, s| s.lists = Some(site.clients.pem().into_bytes())),
    ("CRL of another CA", |site, s| {
        s.lists = Some(crl_pem(&CrlDraft::revoking(&[]).signed_by(&site.stranger)).into_bytes());
    }),
];

const CLIENTS: &[Change] = &[
    ("client with a certificate", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.clients);
        site.client(s, &identity);
    }),
    ("client of another CA", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.stranger);
        site.client(s, &identity);
    }),
    ("client with a server's certificate", |site, s| {
        let identity = client_draft(SERVER_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.clients);
        site.client(s, &identity);
    }),
    ("client whose key may only encipher", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[KEY_ENCIPHERMENT]).signed_by(&site.clients);
        site.client(s, &identity);
    }),
    ("expired client", |site, s| {
        let draft = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).valid(days(-20), days(-10));
        site.client(s, &draft.signed_by(&site.clients));
    }),
    ("self-signed client", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).self_signed();
        site.client(s, &identity);
    }),
    ("revoked client", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.clients);
        s.lists = Some(crl_pem(&CrlDraft::revoking(&[&identity]).signed_by(&site.clients)).into_bytes());
        site.client(s, &identity);
    }),
    ("client, and a CRL of another CA", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.clients);
        s.lists = Some(crl_pem(&CrlDraft::revoking(&[]).signed_by(&site.stranger)).into_bytes());
        site.client(s, &identity);
    }),
    ("client, and an expired CRL", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.clients);
        let list = CrlDraft::revoking(&[]).updates(days(-20), Some(days(-10)));
        s.lists = Some(crl_pem(&list.signed_by(&site.clients)).into_bytes());
        site.client(s, &identity);
    }),
    ("client with a certificate, no client CA", |site, s| {
        let identity = client_draft(CLIENT_AUTH, &[DIGITAL_SIGNATURE]).signed_by(&site.clients);
        site.client(s, &identity);
        s.authorities = None;
    }),
];

const SETTINGS: &[Change] = &[
    ("verify-ca", |_, s| s.sslmode = "verify-ca"),
    ("require with roots", |_, s| s.sslmode = "require"),
    ("require without roots", |_, s| (s.sslmode, s.has_roots) = ("require", false)),
    ("another host", |_, s| s.host = "db2.example"),
];

/// Each change alone, and pairs of them, the same in every run.
fn situations(site: &Site) -> Vec<Situation> {
    let made = |changes: &[&Change]| {
        let mut situation = site.sound();
        for (_, change) in changes {
            change(site, &mut situation);
        }
        let names: Vec<&str> = changes.iter().map(|(name, _)| *name).collect();
        Situation { name: names.join(" + "), ..situation }
    };
    let all = [CERTIFICATES, KEYS, CLIENT_FILES, CLIENTS, SETTINGS];
    let mut situations: Vec<Situation> =
        all.iter().flat_map(|changes| changes.iter()).map(|change| made(&[change])).collect();
    let mut random = Random::new(14);
    while situations.len() < 150 {
        // The certificates first: what stands in them is changed by none of the others.
        let first = &CERTIFICATES[random.below(CERTIFICATES.len())];
        let rest = [KEYS, CLIENT_FILES, CLIENTS, SETTINGS];
        let second = rest[random.below(rest.len())];
        let second = &second[random.below(second.len())];
        let third = &SETTINGS[random.below(SETTINGS.len())];
        let is_made_of_key = |name: &str| name.starts_with("encrypted") || name.starts_with("key in");
        // These write the key anew in forms that only P-256's has.
        if (is_made_of_key(second.0) || second.0.starts_with("key "))
            && !matches!(first.0, "as it should be" | "root too")
        {
            continue;
        }
        if second.0.ends_with("leaf alone") && String::from_utf8(made(&[first]).certificates).is_err() {
            continue;
        }
        situations.push(if random.chance(50) {
            made(&[first, second])
        } else {
            made(&[first, second, third])
        });
    }
    if Home::new().owner() != 0 {
        situations.retain(|situation| situation.owner == Owner::Server);
    }
    situations
}

/// A server whose files change.
struct Stage {
    version: u8,
    server: Postgres,
}

/// What became of a situation on a server.
struct Played {
    loaded: bool,
    /// What the server wrote to its log meanwhile.
    log: String,
    /// What it sends, as PEM.
    sent: Vec<X509>,
}

impl Stage {
    fn new(version: u8, site: &Site) -> Self {
        let first = site.sound();
        let setup = Postgres::version(version)
            .certificate(text(&first), String::from_utf8(key_bytes(&first)).unwrap())
            .trusted(OPEN);
        Self { version, server: setup.start() }
    }

    /// Puts the files into the data directory: those of this situation and no others.
    fn put(&self, situation: &Situation) {
        let data = self.server.directory().join("data");
        let write = |name: &str, bytes: Option<&[u8]>| {
            let path = data.join(name);
            let _ = fs::remove_dir(&path);
            let _ = fs::remove_file(&path);
            if let Some(bytes) = bytes {
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            }
        };
        write("server.crt", Some(&situation.certificates));
        write("clients.crt", situation.authorities.as_deref());
        write("clients.crl", situation.lists.as_deref());
        match &situation.key {
            KeyFile::Bytes(bytes) => write("server.key", Some(bytes)),
            KeyFile::Nothing => write("server.key", None),
            KeyFile::Directory => {
                write("server.key", None);
                fs::create_dir(data.join("server.key")).unwrap();
            }
        }
        // Gives all of them to the server's account.
        self.server.put(&[("touched", "")]);
        let key = data.join("server.key");
        if matches!(situation.key, KeyFile::Bytes(_)) {
            match situation.owner {
                Owner::Server => {}
                Owner::Root => chown(&key, Some(0), None).unwrap(),
                Owner::Other => chown(&key, Some(4_000_000), None).unwrap(),
            }
            fs::set_permissions(&key, PermissionsExt::from_mode(situation.mode)).unwrap();
        }
    }

    fn conninfo(&self, home: &Home, situation: &Situation) -> String {
        let mut text = format!(
            "host={} hostaddr=127.0.0.1 port={} dbname=postgres user={OPEN} sslmode={} gssencmode=disable",
            situation.host,
            self.server.port(),
            situation.sslmode
        );
        if situation.has_roots {
            text.push_str(&format!(" sslrootcert={}", home.join("root.pem").display()));
        }
        if let Some((certificate, key)) = &situation.client {
            let certificate = home.write("client.crt", certificate);
            let key = home.write("client.key", key);
            text.push_str(&format!(" sslcert={} sslkey={}", certificate.display(), key.display()));
        }
        text
    }

    fn rehearsed(&self, home: &Home, situation: &Situation) -> Report {
        let data = self.server.directory().join("data");
        let mut tool = Tool::at(home).within(&data).with([
            "rehearse",
            "--format",
            "json",
            "--cert",
            "server.crt",
            "--key",
            "server.key",
        ]);
        if home.owner() == 0 {
            tool = tool.with(["--server-user", ACCOUNT]);
        }
        if situation.authorities.is_some() {
            tool = tool.with(["--client-ca", "clients.crt"]);
        }
        if situation.lists.is_some() {
            tool = tool.with(["--crl", "clients.crl"]);
        }
        tool.with([&self.conninfo(home, situation)]).run()
    }

    /// Reloads, and waits for what comes of it.
    fn played(&self, situation: &Situation) -> Played {
        let refusal = "SSL configuration was not reloaded";
        let before = self.server.log().len();
        let name = |file: &str, there: bool| if there { file.to_owned() } else { String::new() };
        let authorities = name("clients.crt", situation.authorities.is_some());
        let lists = name("clients.crl", situation.lists.is_some());
        self.server.administer(&format!(
            "psql -qc \"ALTER SYSTEM SET ssl_ca_file = '{authorities}'\" -c \"ALTER SYSTEM SET ssl_crl_file = '{lists}'\" \
             -c 'SELECT pg_reload_conf()'"
        ));
        let first = X509::from_pem(&situation.certificates).ok().map(|leaf| leaf.to_der().unwrap());
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let log = self.server.log()[before..].to_owned();
            if log.contains(refusal) {
                return Played { loaded: false, log, sent: Vec::new() };
            }
            let sent = self.sent();
            if sent.first().map(|leaf| leaf.to_der().unwrap()) == first && first.is_some() {
                return Played { loaded: true, log, sent };
            }
            assert!(Instant::now() < deadline, "{}: neither loaded nor refused: {log}", situation.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The chain that the server sends, asked by OpenSSL.
    fn sent(&self) -> Vec<X509> {
        let output = Command::new("openssl")
            .args(["s_client", "-starttls", "postgres", "-showcerts", "-connect"])
            .arg(format!("127.0.0.1:{}", self.server.port()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .expect("openssl runs");
        X509::stack_from_pem(&output.stdout).unwrap_or_default()
    }
}

/// Codes of what PostgreSQL itself refuses.
const OF_SERVER: [&str; 6] = [
    "server-cert-invalid",
    "server-key-permissions",
    "server-key-invalid",
    "server-key-mismatch",
    "client-ca-invalid",
    "server-crl-invalid",
];

/// What the OpenSSL 1.1 of the tests' PostgreSQL 18 takes otherwise than OpenSSL 3: its security level is 1, and it reads a
/// byte-order mark as text, which costs the first certificate.
const OPENSSL_1_1: [&str; 3] = ["RSA 1024", "SHA-1", "byte-order mark"];

fn compare(stage: &Stage, site: &Site, situation: &Situation) -> Result<(), String> {
    let home = Home::new();
    home.write("root.pem", site.root.pem());
    stage.put(situation);
    let rehearsal = stage.rehearsed(&home, situation);
    let code = rehearsal.at("/diagnosis/code").as_str().map(str::to_owned);
    let played = stage.played(situation);
    let of_server = code.as_deref().is_some_and(|code| OF_SERVER.contains(&code));
    let by_build = OPENSSL_1_1.iter().any(|name| situation.name.starts_with(name));
    if stage.version == 18 && by_build && situation.owner == Owner::Server {
        let differs = played.loaded == of_server || situation.name.contains(" + ");
        return expect(differs, || format!("no longer differs: {rehearsal}\n{}", played.log));
    }
    expect(played.loaded != of_server, || {
        format!(
            "PostgreSQL {}: loaded {}, rehearsed {rehearsal}\n{}",
            stage.version, played.loaded, played.log
        )
    })?;
    if !played.loaded {
        let said = rehearsal.at("/diagnosis/evidence/postgresql_reports");
        let said = said.as_str().unwrap_or_default();
        expect(rehearsal.status == Some(3), || format!("exit {rehearsal}"))?;
        return expect(!said.is_empty() && played.log.contains(said), || {
            format!("PostgreSQL {} does not report {said:?} but {}", stage.version, played.log)
        });
    }
    let sent: Vec<String> = played
        .sent
        .iter()
        .map(|certificate| openssl::sha::sha256(&certificate.to_der().unwrap()))
        .map(|digest| digest.iter().map(|byte| format!("{byte:02X}")).collect())
        .collect();
    let chain = rehearsal.at("/chain");
    let foretold: Vec<&str> = chain
        .as_array()
        .unwrap()
        .iter()
        .filter(|link| link["sent"] == true)
        .map(|link| link["sha256"].as_str().unwrap())
        .collect();
    let mut sorted = (sent.clone(), foretold.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    sorted.0.sort();
    sorted.0.dedup();
    sorted.1.sort();
    sorted.1.dedup();
    expect(sorted.0 == sorted.1, || format!("sent {sent:?}, foretold {foretold:?}"))?;
    let conninfo = stage.conninfo(&home, situation);
    for libpq in [15, 18] {
        let connection = Psql::libpq(libpq).connect(&home, &conninfo, &[]);
        expect(connection.connected == (rehearsal.status == Some(0)), || {
            format!(
                "libpq {libpq} at {}: connected {}, rehearsed {rehearsal}\n{}",
                stage.version, connection.connected, connection.stderr
            )
        })?;
    }
    let check = Tool::at(&home).check(&conninfo);
    expect(check.status == rehearsal.status, || format!("checked {check}\nrehearsed {rehearsal}"))?;
    let checked = check.at("/diagnosis/code").as_str().map(str::to_owned);
    expect(checked == code, || format!("checked {checked:?}, rehearsed {code:?}"))
}

#[test]
fn what_is_rehearsed_is_what_postgresql_and_psql_then_do() {
    let site = Site::new();
    let situations = situations(&site);
    assert!(situations.len() > 100);
    let stages = [Stage::new(15, &site), Stage::new(18, &site)];
    // One situation after the other on each server.
    each(
        &stages,
        |stage| if stage.version == 15 { "PostgreSQL 15" } else { "PostgreSQL 18" },
        |stage| {
            let wrong: Vec<String> = situations
                .iter()
                .filter_map(|situation| {
                    Some(format!("{}: {}", situation.name, compare(stage, &site, situation).err()?))
                })
                .collect();
            expect(wrong.is_empty(), || {
                format!("{} of {}:\n{}", wrong.len(), situations.len(), wrong.join("\n"))
            })
        },
    );
}

/// A client's string, and the files of a sound server in a directory.
fn prepared(home: &Home, site: &Site) -> (Situation, String) {
    let situation = site.sound();
    home.write("root.pem", site.root.pem());
    home.write("server.crt", &situation.certificates);
    home.write("server.key", key_bytes(&situation));
    (situation, format!("host={NAME} user={OPEN} sslmode=verify-full sslrootcert=root.pem"))
}

const FILES: [&str; 5] = ["rehearse", "--cert", "server.crt", "--key", "server.key"];

#[test]
fn hosts_that_the_names_do_not_cover_are_told() {
    let (home, site) = (Home::new(), Site::new());
    let (_, client) = prepared(&home, &site);
    let list = client.replace(NAME, "db.example,db2.example,db3.example");
    let report = Tool::at(&home).with(FILES).with(["--format", "json", &list]).run();
    report.exits(8).diagnosed("hostname-mismatch");
    let hosts = report.at("/rehearsal/hosts");
    let covered: Vec<(&str, bool)> = hosts
        .as_array()
        .unwrap()
        .iter()
        .map(|host| (host["host"].as_str().unwrap(), host["covered"].as_bool().unwrap()))
        .collect();
    assert_eq!(covered, [(NAME, true), ("db2.example", false), ("db3.example", false)]);
    for stage in ["dns", "tcp", "negotiate", "tls", "auth", "session"] {
        report.stage(stage, "skipped");
    }

    let report = Tool::at(&home).with(FILES).with([&list]).run();
    for words in ["covers  db.example", "not covered  db2.example, db3.example", "would fail"] {
        assert!(report.stdout.contains(words), "{words}: {report}");
    }
    // Names alone, each a target of its own.
    let named = Tool::at(&home)
        .with(FILES)
        .with(["--format", "json", "--roots", "root.pem", "--host", NAME, "db2.example"])
        .run();
    named.exits(8);
    let objects = named.objects();
    let verdicts: Vec<&str> = objects.iter().map(|object| object["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["verified", "failed"], "{named}");
    let mistaken = Tool::at(&home).with(FILES).with(["--host", "host=a password=quartz"]).run();
    mistaken.exits(2).conceals("quartz");
    Tool::at(&home).with(FILES).run().exits(2);
}

#[test]
fn everything_that_ends_is_told_with_its_date() {
    let (home, site) = (Home::new(), Site::new());
    let (_, client) = prepared(&home, &site);
    home.write("clients.crt", site.clients.pem());
    home.write("clients.crl", crl_pem(&CrlDraft::revoking(&[]).signed_by(&site.clients)));
    let options = ["--client-ca", "clients.crt", "--crl", "clients.crl", &client];
    let report = Tool::at(&home).with(FILES).with(["--format", "json"]).with(options).run();
    report.exits(0).says("/rehearsal/key/fits", true).says("/rehearsal/asks_for_client_certificates", true);
    let ends = report.at("/rehearsal/expires");
    let mut what: Vec<&str> =
        ends.as_array().unwrap().iter().map(|end| end["what"].as_str().unwrap()).collect();
    what.sort_unstable();
    assert_eq!(what, ["CRL", "client CA", "intermediate", "root", "server certificate"]);
    let dates: Vec<&str> =
        ends.as_array().unwrap().iter().map(|end| end["not_after"].as_str().unwrap()).collect();
    assert!(dates.is_sorted(), "{dates:?}");

    // As of a day behind the leaf's end.
    let short = site.leaf(|draft| draft.valid(days(-2), days(100)));
    home.write("server.crt", short.pem() + &site.intermediate.pem());
    home.write("server.key", pem_of(&short.key.private));
    let date = time_in(200);
    let later = Tool::at(&home).with(FILES).with(["--as-of", &date, "--format", "json", &client]).run();
    later.exits(8).diagnosed("certificate-expired");
    later.says("/rehearsal/as_of", format!("{date}T00:00:00Z"));
    let later = Tool::at(&home).with(FILES).with(["--as-of", &date, &client]).run();
    assert!(later.stdout.trim_end().lines().last().unwrap().contains(&format!("as of {date}")), "{later}");
    assert!(!later.stdout.contains("still presents"), "{later}");
    // One that begins later is refused now and not then.
    let leaf = site.leaf(|draft| draft.valid(days(10), days(100)));
    home.write("server.crt", leaf.pem() + &site.intermediate.pem());
    let early = Tool::at(&home).with(["rehearse", "--cert", "server.crt", "--format", "json", &client]).run();
    early.exits(8).diagnosed("certificate-not-yet-valid");
    let then = time_in(50);
    let then = Tool::at(&home)
        .with(["rehearse", "--cert", "server.crt", "--as-of", &then, "--format", "json", &client])
        .run();
    then.verified();
}

/// A date so many days from now.
fn time_in(days: i64) -> String {
    use pgtls_check::timestamp::Timestamp;
    Timestamp::now().plus_days(days).date()
}

#[test]
fn the_chain_is_to_be_complete_in_order_and_without_more() {
    let (home, site) = (Home::new(), Site::new());
    let (situation, client) = prepared(&home, &site);
    let parts = blocks(&text(&situation));
    let (leaf, intermediate, root) = (&parts[0], &parts[1], &site.root.pem());
    let stranger = &site.stranger.pem();
    let unrelated = &Draft::authority("Unrelated CA").signed_by(&site.stranger).pem();
    for (certificates, words) in [
        (vec![leaf, intermediate], None),
        (vec![leaf, intermediate, root], Some("contains a root certificate")),
        (vec![leaf, intermediate, stranger], Some("contains a root certificate")),
        (vec![leaf, intermediate, intermediate], Some("more than once")),
        (vec![leaf, intermediate, unrelated], Some("issued none of the others")),
        (vec![leaf, root, intermediate], Some("not in order")),
    ] {
        let file: String = certificates.into_iter().map(String::as_str).collect();
        home.write("server.crt", file);
        let report = Tool::at(&home).with(FILES).with(["--format", "json", &client]).run();
        report.verified();
        let warnings = report.at("/warnings");
        let titles: Vec<&str> = warnings
            .as_array()
            .unwrap()
            .iter()
            .filter(|warning| warning["code"] == "chain-issues")
            .map(|warning| warning["title"].as_str().unwrap())
            .collect();
        match words {
            None => assert!(titles.is_empty(), "{report}"),
            Some(words) => assert!(titles.iter().any(|title| title.contains(words)), "{words}: {report}"),
        }
    }
    // With the intermediate in the root file alone this client is content, others would not be.
    home.write("server.crt", leaf);
    home.write("root.pem", format!("{intermediate}{root}"));
    let report = Tool::at(&home).with(FILES).with(["--format", "json", &client]).run();
    report.verified();
    assert!(report.stdout.contains("clients that have only the root would fail"), "{report}");
    let denied = Tool::at(&home).with(FILES).with(["--deny", "chain-issues", &client]).run();
    denied.exits(10);
    // Its neighbour: in no file at all.
    home.write("root.pem", root);
    let report = Tool::at(&home).with(FILES).with(["--format", "json", &client]).run();
    report.exits(8).diagnosed("intermediate-missing");
}

#[test]
fn what_a_running_server_presents_is_compared() {
    let (home, site) = (Home::new(), Site::new());
    let (situation, client) = prepared(&home, &site);
    let stage = Stage::new(15, &site);
    let against = format!("host={NAME} hostaddr=127.0.0.1 port={} sslmode=require", stage.server.port());
    let rehearse = |more: &[&str]| {
        let mut tool = Tool::at(&home).with(FILES).with(["--against", &against, "--format", "json"]);
        for argument in more {
            tool = tool.with([*argument]);
        }
        tool.with([&client]).run()
    };
    let before = rehearse(&[]);
    before.verified().says("/rehearsal/against/loaded", false);
    let old = &stage.sent()[0];
    let old = openssl::sha::sha256(&old.to_der().unwrap()).map(|byte| format!("{byte:02X}")).concat();
    before.says("/rehearsal/against/sha256", old.as_str());
    before.says("/warnings/0/code", "certificate-not-loaded");
    let title = before.at("/warnings/0/title");
    let title = title.as_str().unwrap();
    assert!(
        title.starts_with("new certificate not loaded yet: SHA-256 ") && title.contains(", issued "),
        "{title}"
    );
    rehearse(&["--deny", "certificate-not-loaded"]).exits(10);

    stage.put(&situation);
    assert!(stage.played(&situation).loaded);
    let after = rehearse(&["--deny", "certificate-not-loaded"]);
    after.verified().says("/rehearsal/against/loaded", true);
    // No server to compare with is no success.
    drop(stage);
    rehearse(&[]).exits(5).diagnosed("tcp-refused");
}

#[test]
fn an_encrypted_key_is_opened_by_the_command_that_postgresql_would_run() {
    let (home, site) = (Home::new(), Site::new());
    let (situation, client) = prepared(&home, &site);
    let locked = private(&situation).private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"quartz%");
    home.write("server.key", locked.unwrap());
    let with = |command: &str| {
        let report = Tool::at(&home)
            .with(FILES)
            .with(["--passphrase-command", command, "--format", "json", &client])
            .run();
        report.conceals("quartz%");
        report
    };
    Tool::at(&home)
        .with(FILES)
        .with(["--format", "json", &client])
        .run()
        .exits(3)
        .diagnosed("server-key-invalid");
    home.write("pass", "quartz%\nmore\n");
    with("cat pass").verified().says("/rehearsal/key/encrypted", true);
    with("printf 'wrong %%s' %p").exits(3).diagnosed("server-key-invalid");
    with("exit 3").exits(2);
}

#[test]
fn lists_of_clients_are_rehearsed_in_every_format() {
    let (home, site) = (Home::new(), Site::new());
    let (_, client) = prepared(&home, &site);
    home.write(
        "clients.txt",
        format!("# clients\n{client}\n\n{}\njdbc:postgresql://{NAME}/app?sslmode=verify-full&sslrootcert=root.pem\n", client.replace(NAME, "db2.example")),
    );
    let json = Tool::at(&home).with(FILES).with(["--from", "clients.txt", "--format", "json"]).run();
    json.exits(8);
    let objects = json.objects();
    let lines: Vec<(u64, &str)> = objects
        .iter()
        .map(|object| (object["source"]["line"].as_u64().unwrap(), object["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(lines, [(2, "verified"), (4, "failed"), (5, "verified")], "{json}");
    assert_eq!(objects[2]["dialect"], "jdbc");
    for (format, status) in [
        ("junit", 8),
        ("github", 8),
        ("azure-pipelines", 8),
        ("prometheus", 8),
        ("nagios", 2),
        ("csv", 8),
        ("markdown", 8),
        ("html", 8),
    ] {
        let report = Tool::at(&home).with(FILES).with(["--from", "clients.txt", "--format", format]).run();
        report.exits(status);
        assert!(report.stdout.contains("db2.example"), "{format}: {report}");
    }
    let people = Tool::at(&home).with(FILES).with(["--from", "clients.txt", "--output", "out.json"]).run();
    people.exits(8);
    assert!(people.stdout.contains("would verify 2 of 3  would fail 1"), "{people}");
    let written = fs::read_to_string(home.join("out.json")).unwrap();
    assert_eq!(written.lines().count(), 3);
}

#[test]
fn drivers_that_would_refuse_are_named() {
    let (home, site) = (Home::new(), Site::new());
    let (_, client) = prepared(&home, &site);
    let leaf = leaf_draft(NAME).signed_by(&site.intermediate);
    home.write("server.crt", leaf.pem() + &site.intermediate.pem());
    let report =
        Tool::at(&home).with(["rehearse", "--cert", "server.crt", "--format", "json", &client]).run();
    report.verified().says("/warnings/0/code", "no-subject-alt-name");
    let refused = report.at("/warnings/0/evidence/refused_by").to_string();
    assert!(refused.contains("pgx") && refused.contains("tokio-postgres"), "{refused}");
    // One of those drivers itself.
    let string = format!("postgresql://{NAME}/app?sslmode=verify-full&sslrootcert=root.pem");
    let own = Tool::at(&home)
        .with(["rehearse", "--cert", "server.crt", "--as", "pgx", "--format", "json", &string])
        .run();
    own.exits(8).diagnosed("hostname-mismatch");
}

/// A change of a certificate.
type Redraft = fn(Draft) -> Draft;

/// Changes of a certificate, each an offence against RFC 5280 or none.
const STRICTLY: [(&str, Redraft); 12] = [
    ("as it is", |draft| draft),
    ("no identifiers", Draft::unidentified),
    ("no key usage", |draft| draft.without(KEY_USAGE)),
    ("no basic constraints", |draft| draft.without(BASIC_CONSTRAINTS)),
    ("CA, not critical", |draft| draft.with(basic_constraints(true, None).not_critical())),
    ("CA, path length", |draft| draft.with(basic_constraints(true, Some(1)).critical())),
    ("no CA, path length", |draft| draft.with(basic_constraints(false, Some(0)))),
    ("signs certificates", |draft| draft.with(key_usage(&[DIGITAL_SIGNATURE, KEY_CERT_SIGN]))),
    ("no name", |draft| draft.subject(name(&[]))),
    ("no name, names critical", |draft| draft.subject(name(&[])).with(alt_names([dns(NAME)]).critical())),
    ("another's identifier critical", |draft| {
        draft.with(authority(Some(&[1; 20]), None).critical()).unidentified()
    }),
    ("own identifier critical", |draft| {
        draft.with(Extension::new(SUBJECT_KEY_IDENTIFIER, octets(&[7; 20])).critical())
    }),
];

/// What OpenSSL's strict mode refuses, which is Python's from 3.13 on, is told with the certificate and OpenSSL's own words;
/// and nothing else is.
#[test]
fn what_pythons_strict_mode_refuses_is_told() {
    let verify = |home: &Home, strict: bool| {
        let mut command = Command::new("openssl");
        command.args(["verify", "-purpose", "sslserver", "-CAfile"]).arg(home.join("root.pem"));
        command.arg("-untrusted").arg(home.join("server.crt"));
        if strict {
            command.args(["-x509_strict", "-partial_chain"]);
        }
        let output = command.arg(home.join("server.crt")).stdin(Stdio::null()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mut cases = Vec::new();
    for place in ["root", "intermediate", "leaf", "alone"] {
        let changes = STRICTLY.into_iter();
        cases.extend(changes.map(|(words, change)| (place, change, format!("{place}, {words}"))));
    }
    let told = std::sync::atomic::AtomicUsize::new(0);
    each(
        &cases,
        |(.., name)| name,
        |(place, change, _)| {
            let home = Home::new();
            let at = |here: &str, draft: Draft| if here == *place { change(draft) } else { draft };
            let root = at("root", Draft::authority("Strict Root CA")).self_signed();
            let intermediate = at("intermediate", Draft::authority("Strict Issuing CA")).signed_by(&root);
            let leaf = at("leaf", leaf_draft(NAME).names([dns(NAME)])).signed_by(&intermediate);
            home.write("root.pem", root.pem());
            home.write("server.crt", leaf.pem() + &intermediate.pem());
            if *place == "alone" {
                let own = change(leaf_draft(NAME).names([dns(NAME)])).self_signed().pem();
                home.write("root.pem", &own);
                home.write("server.crt", &own);
            }
            if !verify(&home, false).0 {
                return Ok(());
            }
            let client = format!("host={NAME} user={OPEN} sslmode=verify-full sslrootcert=root.pem");
            let report =
                Tool::at(&home).with(["rehearse", "--cert", "server.crt", "--format", "json", &client]).run();
            report.exits(0);
            let warnings = report.at("/warnings");
            let said: Vec<&str> = warnings
                .as_array()
                .unwrap()
                .iter()
                .filter(|warning| warning["evidence"]["refused_by"].to_string().contains("Python 3.13"))
                .filter_map(|warning| warning["evidence"]["openssl_says"].as_str())
                .collect();
            let (accepted, errors) = verify(&home, true);
            told.fetch_add(usize::from(!accepted), std::sync::atomic::Ordering::Relaxed);
            let words_fit = said.iter().all(|said| errors.contains(said));
            expect(said.is_empty() == accepted && (words_fit || accepted), || {
                format!("{said:?}, OpenSSL: {errors}")
            })
        },
    );
    let told = told.into_inner();
    assert!(told >= 15, "{told} refusals");
}

#[test]
fn commands_name_the_files_that_were_given() {
    let (home, site) = (Home::new(), Site::new());
    let (situation, client) = prepared(&home, &site);
    fs::create_dir(home.join("new")).unwrap();
    home.write("new/db cert.pem", &situation.certificates);
    home.write("new/db.key", key_bytes(&situation));
    let other = client.replace(NAME, "db9.example");
    let report = Tool::at(&home)
        .with(["rehearse", "--cert", "new/db cert.pem", "--key", "new/db.key", "--format", "json", &other])
        .run();
    report.exits(8).diagnosed("hostname-mismatch");
    let fixes = report.at("/diagnosis/fixes");
    let command = fixes.as_array().unwrap().iter().find_map(|fix| fix["command"].as_str()).unwrap();
    assert!(command.contains("-key new/db.key"), "{command}");
    assert!(command.contains("> 'new/db cert.pem'"), "{command}");
    for word in ["server.crt", "server.key", "pg_reload_conf"] {
        assert!(!command.contains(word), "{word}: {command}");
    }
    // Whatever the files are called, the commands do not step on them.
    let uses = key_usage(&[DIGITAL_SIGNATURE, KEY_CERT_SIGN]);
    let authority = Draft::authority(NAME).with(uses).names([dns(NAME)]).self_signed();
    home.write("leaf.crt", authority.pem());
    home.write("new.key", pem_of(&authority.key.private));
    home.write("root.pem", authority.pem());
    let report = Tool::at(&home)
        .with(["rehearse", "--cert", "leaf.crt", "--key", "new.key", "--format", "json", &client])
        .run();
    let warnings = report.at("/warnings");
    let fixes = warnings.as_array().unwrap().iter().map(|warning| &warning["fixes"][0]["command"]);
    let commands: Vec<&str> = fixes.filter_map(|command| command.as_str()).collect();
    assert!(commands.iter().any(|command| command.contains("next.key")), "{report}");
    for command in commands {
        let ran = Command::new("sh").args(["-ec", command]).current_dir(home.path()).output().unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn a_byte_order_mark_in_a_servers_files_is_told() {
    let (home, site) = (Home::new(), Site::new());
    let (situation, client) = prepared(&home, &site);
    home.write("clients.crt", [b"\xef\xbb\xbf", site.clients.pem().as_bytes()].concat());
    home.write("server.crt", [b"\xef\xbb\xbf", situation.certificates.as_slice()].concat());
    let all =
        Tool::at(&home).with(FILES).with(["--client-ca", "clients.crt", "--format", "json", &client]).run();
    all.verified();
    let titles: Vec<String> = all
        .at("/warnings")
        .as_array()
        .unwrap()
        .iter()
        .filter(|warning| warning["code"] == "libpq-builds-differ")
        .map(|warning| warning["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles.len(), 2, "{all}");
    for file in ["server.crt", "clients.crt"] {
        assert!(
            titles.iter().any(|title| title.starts_with(&format!("{file} begins with a byte-order mark"))),
            "{titles:?}"
        );
    }
    // Its fix removes it.
    let fix = all.at("/warnings/0/fixes/0/command");
    let mended =
        Command::new("sh").args(["-c", fix.as_str().unwrap()]).current_dir(home.path()).status().unwrap();
    assert!(mended.success());
    let after =
        Tool::at(&home).with(FILES).with(["--client-ca", "clients.crt", "--format", "json", &client]).run();
    let left = after.stdout.matches("begins with a byte-order mark").count();
    assert_eq!(left, 1, "{after}");
}
