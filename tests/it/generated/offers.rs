//! What OpenSSL's configuration makes of a ClientHello: the lists of suites, groups and signature algorithms in those that
//! libpq sends, beside those of the program, and what servers make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use openssl::ssl::SslVersion;

use super::builds::{configuration, settings};
use crate::support::differential::{Known, Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::libpq::{Build, Libpq};
use crate::support::odd_pki::*;
use crate::support::random::Random;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::tool::Tool;

const HOST: &str = "pgtls.test";

/// The lists of a ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hello {
    suites: BTreeSet<u16>,
    groups: BTreeSet<u16>,
    schemes: BTreeSet<u16>,
}

impl Hello {
    /// Without what is no offer (the value for renegotiation), suites for DSA keys, and what one release of OpenSSL alone
    /// has: large finite fields, post-quantum groups and signatures.
    fn read(record: &[u8]) -> Self {
        let numbers =
            |bytes: &[u8]| bytes.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        let length = |at: usize| usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
        let mut hello = Self::default();
        // Record, message, version and random; then the session.
        let mut at = 5 + 4 + 2 + 32;
        at += 1 + usize::from(record[at]);
        hello.suites = numbers(&record[at + 2..at + 2 + length(at)]);
        at += 2 + length(at);
        at += 1 + usize::from(record[at]);
        let end = at + 2 + length(at);
        at += 2;
        while at < end {
            let (kind, size) = (length(at), length(at + 2));
            let content = &record[at + 4..at + 4 + size];
            match kind {
                10 => hello.groups = numbers(&content[2..]),
                13 => hello.schemes = numbers(&content[2..]),
                _ => {}
            }
            at += 4 + size;
        }
        hello.suites.retain(|suite| *suite != 0x00FF && !DSS.contains(suite));
        hello.groups.retain(|group| !BY_RELEASE.contains(group));
        hello.schemes.retain(|scheme| !matches!(scheme, 0x0904..=0x0906 | 0x081A..=0x081C));
        hello
    }
}

const DSS: [u16; 12] = [0x32, 0x38, 0x40, 0x44, 0x6A, 0x87, 0xA2, 0xA3, 0xBD, 0xC3, 0xC056, 0xC057];
const BY_RELEASE: [u16; 4] = [4588, 258, 259, 260];

/// A server that takes down every ClientHello and answers it with handshake_failure.
struct Recorder {
    port: u16,
    hellos: Arc<Mutex<Vec<Hello>>>,
    stop: Arc<AtomicBool>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (hellos, stop) = (Arc::<Mutex<Vec<Hello>>>::default(), Arc::<AtomicBool>::default());
        let (taken, stopped) = (Arc::clone(&hellos), Arc::clone(&stop));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Some(record) = client_hello(&client) {
                    // Before the answer, with which the client ends.
                    taken.lock().unwrap().push(Hello::read(&record));
                    let _ = (&client).write_all(&[21, 3, 3, 0, 2, 2, 40]);
                }
            }
        });
        Self { port, hellos, stop }
    }

    fn take(&self) -> Vec<Hello> {
        std::mem::take(&mut self.hellos.lock().unwrap())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Says S to SSLRequest; the record with the ClientHello. An alert in its place is OpenSSL's, which has nothing to offer.
pub(super) fn client_hello(mut client: &TcpStream) -> Option<Vec<u8>> {
    client.read_exact(&mut [0; 8]).ok()?;
    client.write_all(b"S").ok()?;
    let mut record = vec![0; 5];
    client.read_exact(&mut record).ok()?;
    record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
    client.read_exact(&mut record[5..]).ok()?;
    (record[0] == 22).then_some(record)
}

/// Words of lists of ciphers, as configurations have them, and some that mean nothing.
const WORDS: &[&str] = &[
    "ALL",
    "HIGH",
    "kRSA",
    "RSA",
    "kDHE",
    "kEDH",
    "DH",
    "EDH",
    "kECDHE",
    "kEECDH",
    "ECDHE",
    "EECDH",
    "aRSA",
    "aECDSA",
    "ECDSA",
    "AES",
    "AES128",
    "AES256",
    "AESGCM",
    "AESCCM",
    "AESCCM8",
    "CAMELLIA",
    "CAMELLIA128",
    "ARIA",
    "ARIA256",
    "CHACHA20",
    "SHA",
    "SHA1",
    "SHA256",
    "SHA384",
    "SSLv3",
    "TLSv1",
    "TLSv1.2",
    "FIPS",
    "PSK",
    "aNULL",
    "eNULL",
    "nonsense",
    "3DES",
    "MEDIUM",
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "DHE-RSA-AES256-SHA",
    "ECDHE-RSA-CAMELLIA256-SHA384",
    "ECDHE-ARIA128-GCM-SHA256",
    "ECDHE-ECDSA-AES128-CCM",
    "DHE-RSA-CHACHA20-POLY1305",
    "CAMELLIA128-SHA",
    "TLS_AES_128_GCM_SHA256",
];
const GROUPS: &[&str] = &[
    "P-256",
    "P-384",
    "P-521",
    "prime256v1",
    "secp384r1",
    "SECP521R1",
    "X25519",
    "x448",
    "ffdhe2048",
    "ffdhe3072",
    "brainpoolP256r1",
    "X25519MLKEM768",
    "nonsense",
    "?nonsense",
    "?P-384",
    "*P-521",
    "-X25519",
    "DEFAULT",
];
const SCHEMES: &[&str] = &[
    "ECDSA+SHA256",
    "ecdsa+sha384",
    "ECDSA+SHA512",
    "RSA+SHA256",
    "RSA+SHA384",
    "RSA-PSS+SHA256",
    "PSS+SHA512",
    "ed25519",
    "ed448",
    "rsa_pss_pss_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pkcs1_sha512",
    "ecdsa_secp256r1_sha256",
    "RSA+SHA1",
    "RSA+SHA224",
    "nonsense",
    "?nonsense",
    "DSA+SHA256",
];
const SUITES: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "nonsense",
];

/// Some of a table, joined.
fn list(random: &mut Random, words: &[&str], most: usize, separators: &[&str]) -> String {
    let mut list = String::new();
    for at in 0..1 + random.below(most) {
        if at > 0 {
            list += random.pick(separators);
        }
        list += random.pick(words);
    }
    list
}

/// The lines of a configuration: one list or two, a level, FIPS left out since no machine of the tests has its module.
fn lines(random: &mut Random) -> String {
    let mut lines = Vec::new();
    for _ in 0..1 + random.below(2) {
        lines.push(match random.below(7) {
            0..=2 => {
                let head = random.pick(&["", "", "DEFAULT:", "DEFAULT", "@SECLEVEL=1:", "@SECLEVEL=3:"]);
                let rules = list(random, WORDS, 5, &[":", ":!", ":-", ":+", "+", "+", " ", ","]);
                let tails: &[&str] = match rules.contains('+') {
                    true => &["", ":@STRENGTH", ":@SECLEVEL=4"],
                    false => &["", "", ":@STRENGTH", "@SECLEVEL=3", ":@SECLEVEL=4", "@SECLEVEL=7", ":!"],
                };
                let tail = random.pick(tails);
                format!("CipherString = {head}{rules}{tail}")
            }
            3 => format!("Ciphersuites = {}", list(random, SUITES, 3, &[":", " : "])),
            4 => format!(
                "{} = {}",
                random.pick(&["Groups", "Curves"]),
                list(random, GROUPS, 4, &[":", ":", "/"])
            ),
            5 => format!("SignatureAlgorithms = {}", list(random, SCHEMES, 5, &[":"])),
            _ => format!("ECDHParameters = {}", list(random, GROUPS, 2, &[":"])),
        });
    }
    lines.join("\n")
}

/// libpq's hello under a configuration, and what it says if it sends none.
fn of_libpq(
    libpq: &Libpq,
    home: &Home,
    recorder: &Recorder,
    file: &(String, String),
) -> Result<Hello, String> {
    let string =
        format!("host=127.0.0.1 port={} user=u dbname=d sslmode=require gssencmode=disable", recorder.port);
    let attempted = libpq.attempt(home, &[(string, vec![file.clone()])]);
    recorder.take().pop().ok_or_else(|| attempted[0].error.clone())
}

#[test]
fn lists_of_openssls_configuration_are_read_as_openssl_reads_them() {
    let home = Home::new();
    let recorder = Recorder::start();
    let [older, newer] = [Build::Pq15, Build::Pq18OnOpenSsl3].map(|build| Libpq::of(build, &home));
    let mut random = Random::new(0x0ff3_4511);
    let mut faults = String::new();
    let (mut limited, mut silent, mut as_before) = (0, 0, 0);
    for at in 0..Random::count(300) {
        let lines = if at == 0 { String::new() } else { lines(&mut random) };
        let file = configuration(&home, &format!("lists-{at}"), &lines);
        let theirs = of_libpq(&newer, &home, &recorder, &file);
        let before = of_libpq(&older, &home, &recorder, &file);
        let string = format!("host=127.0.0.1 port={} user=u dbname=d sslmode=require", recorder.port);
        let run = Tool::at(&home).env(&file.0, &file.1).with(["--tls-only", &string]).run();
        let ours = recorder.take();
        let mut differs = |what: String| faults += &format!("{lines:?}: {what}\n{}\n", run.stdout);
        let theirs = match theirs {
            Ok(theirs) => theirs,
            Err(error) => {
                silent += 1;
                if !ours.is_empty() {
                    differs(format!("libpq sends no hello: {error}"));
                }
                continue;
            }
        };
        let unable = run.stdout.contains("tls-unsupported-here");
        let Some(own) = ours.first() else {
            if !unable {
                differs("the program sends no hello".to_owned());
            }
            continue;
        };
        for (name, own, theirs) in [
            ("suites", &own.suites, &theirs.suites),
            ("groups", &own.groups, &theirs.groups),
            ("schemes", &own.schemes, &theirs.schemes),
        ] {
            let more: Vec<_> = own.difference(theirs).collect();
            if !more.is_empty() {
                differs(format!("{name} that libpq does not offer: {more:04X?}"));
            }
        }
        // The second is the look with all that psql offers.
        let all = ours.get(1).cloned().unwrap_or_default();
        if all != theirs {
            differs(format!("libpq offers {theirs:04X?}\nand the look {all:04X?}"));
        }
        limited += usize::from(own != &Hello { suites: own.suites.clone(), ..Hello::default() });
        as_before += usize::from(before.is_ok_and(|before| before.suites == theirs.suites));
    }
    assert!(faults.is_empty(), "{faults}");
    println!("{limited} hellos, {silent} none, {as_before} with suites as before");
    assert!(limited > 100 && as_before > 100, "{limited} {silent} {as_before}");
}

/// Servers that have one thing only, against configurations that allow it or not.
#[test]
fn servers_and_lists_of_openssls_configuration() {
    let home = Home::new();
    let mut situations = Vec::new();
    let mut servers = Vec::new();
    let (new, old) = ((SslVersion::TLS1_3, SslVersion::TLS1_3), (SslVersion::TLS1_2, SslVersion::TLS1_2));
    let root = Draft::authority("Root").self_signed();
    let file = home.write("root.crt", root.pem());
    for (name, key, (minimum, maximum), ciphers, groups) in [
        ("RSA, 1.2", Kind::Rsa(2048), old, None, None),
        ("RSA, 1.3", Kind::Rsa(2048), new, None, None),
        ("ECDSA, 1.2", Kind::P256, old, None, None),
        ("ECDSA, 1.3", Kind::P256, new, None, None),
        ("Ed25519, 1.3", Kind::Ed25519, new, None, None),
        ("P-256 alone", Kind::Rsa(2048), new, None, Some("P-256")),
        ("P-384 alone", Kind::Rsa(2048), new, None, Some("P-384")),
        ("X25519 alone, 1.2", Kind::Rsa(2048), old, None, Some("X25519")),
        ("AES-128 alone", Kind::Rsa(2048), old, Some("ECDHE-RSA-AES128-GCM-SHA256"), None),
        ("ChaCha20 alone", Kind::P256, old, Some("ECDHE-ECDSA-CHACHA20-POLY1305"), None),
        ("CBC alone", Kind::Rsa(3072), old, Some("ECDHE-RSA-AES128-SHA"), None),
    ] {
        let server = Draft::server(HOST).keyed(key).signed_by(&root);
        let tls = Tls { minimum: Some(minimum), maximum: Some(maximum), ciphers, groups, ..Tls::default() };
        let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &tls);
        for (at, lines) in LIMITS.iter().enumerate() {
            situations.push(Situation {
                name: format!("{name} | {}", lines.replace('\n', " ; ")),
                conninfo: settings(scripted.address.port(), &file),
                environment: vec![configuration(&home, &format!("limits-{at}"), lines)],
                newer: false,
            });
        }
        servers.push(scripted);
    }
    let checked = assert_agreement(&home, &situations, DIFFERENCES);
    let mut codes = BTreeMap::<String, usize>::new();
    for (situation, checked) in situations.iter().zip(&checked) {
        let Some(code) = &checked.code else { continue };
        // With second looks, which tell what psql can and this program cannot from what nobody has in common.
        let mut tool = Tool::at(&home).with(["--format", "json", &situation.conninfo]);
        for (name, value) in &situation.environment {
            tool = tool.env(name, value);
        }
        let run = tool.run();
        let report = run.json();
        let looked = report["diagnosis"]["code"].as_str().unwrap_or("none");
        *codes.entry(looked.to_owned()).or_default() += 1;
        let (server, lines) = situation.name.split_once(" | ").expect("a line");
        // Here libpq goes on with DHE, to find that the certificate is too weak.
        let goes_on = situation.name == "X25519 alone, 1.2 | CipherString = DEFAULT@SECLEVEL=4";
        let beyond = beyond_rustls(&situation.name) || goes_on;
        assert_eq!(looked == "tls-unsupported-here", beyond, "{}: {run}", situation.name);
        if looked == "certificate-weak" || beyond {
            continue;
        }
        let command =
            if lines.contains("SECLEVEL") { "SECLEVEL" } else { lines.split(' ').next().expect("a word") };
        let command =
            if command.starts_with("Curves") || command.starts_with("ECDH") { "Groups" } else { command };
        for said in [&checked.said, &report["diagnosis"]["cause"].to_string()] {
            assert!(said.contains(".cnf") && said.contains(command), "{server} | {lines}: {code} {said}");
        }
        assert_eq!(looked, "tls-no-shared-cipher", "{}: {run}", situation.name);
    }
    assert!(codes["tls-no-shared-cipher"] > 20, "{codes:?}");
}

/// What libpq shakes hands with and rustls has not.
fn beyond_rustls(name: &str) -> bool {
    let (server, lines) = name.split_once(" | ").expect("a line");
    match server {
        "CBC alone" => {
            let without = ["ECDHE+AESGCM", "CHACHA20\"", "kRSA", "ECDSA", "ed25519", "SECLEVEL=4", "AES256"];
            !without.iter().any(|without| lines.contains(without)) && lines != "CipherString = CHACHA20"
        }
        "RSA, 1.2" => lines == "CipherString = kRSA",
        "X25519 alone, 1.2" => {
            ["CipherString = kRSA", "Groups = P-384", "ECDHParameters = P-521"].contains(&lines)
        }
        _ => false,
    }
}

const LIMITS: &[&str] = &[
    "CipherString = DEFAULT",
    "CipherString = ECDHE+AESGCM",
    "CipherString = ECDHE+AESGCM:!aRSA",
    "CipherString = CHACHA20",
    "CipherString = kRSA",
    "Ciphersuites = TLS_CHACHA20_POLY1305_SHA256",
    "Groups = P-384",
    "Groups = P-256:nonsense",
    "Groups = P-256/X25519",
    "Curves = X25519",
    "ECDHParameters = P-521",
    "SignatureAlgorithms = RSA+SHA256:RSA+SHA512",
    "SignatureAlgorithms = RSA-PSS+SHA256",
    "SignatureAlgorithms = ECDSA+SHA256",
    "SignatureAlgorithms = ed25519:ed448",
    "CipherString = DEFAULT@SECLEVEL=3",
    "CipherString = DEFAULT@SECLEVEL=4",
    "CipherString = AES256\nGroups = X25519:P-384",
];

const BEYOND: &str = "CBC and static RSA: tls-unsupported-here";

const DIFFERENCES: &[Known] = &[
    Known { build: Build::Pq15, reason: BEYOND, of: beyond_rustls },
    Known {
        build: Build::Pq18OnOpenSsl1,
        reason: BEYOND,
        of: |name| beyond_rustls(name) && !name.ends_with("SECLEVEL=3"),
    },
    Known { build: Build::Pq18OnOpenSsl3, reason: BEYOND, of: beyond_rustls },
    Known { build: Build::Pq15, reason: SEPARATOR, of: separated },
    Known { build: Build::Pq18OnOpenSsl1, reason: SEPARATOR, of: separated },
    Known {
        build: Build::Pq18OnOpenSsl1,
        reason: "OpenSSL 1.1.1 has no ciphers at level 3 when all versions of libpq are allowed",
        of: |name| {
            name.ends_with("SECLEVEL=3")
                && ["ECDSA", "Ed25519", "ChaCha20"].iter().any(|key| name.starts_with(key))
        },
    },
];

const SEPARATOR: &str = "before OpenSSL 3.5 a list of groups with a slash changes nothing";

fn separated(name: &str) -> bool {
    name == "P-384 alone | Groups = P-256/X25519"
}
