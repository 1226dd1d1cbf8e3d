//! What OpenSSL finds in a file, in a directory and in both: namesakes of the issuer (of another key, expired,
//! cross-signed, the right one), of which the one that comes first hides the others or does not.
//!
//! A store is asked by name. It looks at what was loaded, and only if nothing of that name is there into its directories,
//! from which it loads every file of the name's hash (crypto/x509/x509_lu.c, X509_STORE_CTX_get_by_subject; by_dir.c).

use crate::support::differential::{Known, Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::libpq::Build;
use crate::support::odd_pki::*;
use crate::support::psql::Psql;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::tool::Tool;

const HOST: &str = "pgtls.test";
const ROOT: &str = "Twin Root";

/// All that has the root's name, and the others that matter.
struct Certificates {
    right: Issued,
    other_key: Issued,
    expired: Issued,
    cross: Issued,
    /// Who cross-signed the root.
    elder: Issued,
    stranger: Issued,
    ca: Issued,
    /// Of the name of the CA, with another key.
    other_ca: Issued,
    crls: String,
}

impl Certificates {
    /// With key identifiers in all certificates, or in none.
    fn new(identified: bool) -> Self {
        let draft = |name: &str| {
            let draft = Draft::authority(name);
            if identified { draft } else { draft.unidentified() }
        };
        let key = Key::labelled(Kind::P256, "the root's");
        let right = draft(ROOT).key(key.clone()).self_signed();
        let elder = draft("Elder Root").self_signed();
        let ca = draft("Twin CA").signed_by(&right);
        let crls = [&right, &elder, &ca].map(|issuer| crl_pem(&CrlDraft::revoking(&[]).signed_by(issuer)));
        Self {
            other_key: draft(ROOT).key(Key::labelled(Kind::P256, "another")).self_signed(),
            expired: draft(ROOT).key(key.clone()).expired().self_signed(),
            cross: draft(ROOT).key(key).signed_by(&elder),
            other_ca: draft("Twin CA").key(Key::labelled(Kind::P256, "another CA's")).signed_by(&right),
            stranger: draft("Stranger").self_signed(),
            crls: crls.concat(),
            right,
            elder,
            ca,
        }
    }

    /// The certificates that the letters stand for.
    fn named(&self, letters: &str) -> Vec<&Issued> {
        letters
            .chars()
            .map(|letter| match letter {
                'r' => &self.right,
                'o' => &self.other_key,
                'x' => &self.expired,
                'c' => &self.cross,
                'e' => &self.elder,
                's' => &self.stranger,
                'i' => &self.ca,
                'w' => &self.other_ca,
                _ => panic!("{letter}"),
            })
            .collect()
    }

    fn pem(&self, letters: &str) -> String {
        self.named(letters).into_iter().map(Issued::pem).collect()
    }
}

/// What a file holds: right, other key, expired, cross-signed, elder, stranger, CA, CA of another key.
const FILES: [&str; 12] = ["s", "r", "o", "x", "c", "or", "ro", "xr", "ce", "i", "w", "e"];
/// What a directory holds, its files between commas: each is named by the hash of its first certificate and numbered in
/// this order. `!` is a block that cannot be read, `#` is text without one.
const DIRECTORIES: [&str; 11] = ["", "r", "o", "x", "c", "o,r", "x,r", "c,e", "x,o", "r,i", "r,w"];
/// Files that cannot be read, a number that is left out (`-`), a root that is not in PEM (`d`), and what comes in passing: certificates of other names, of which OpenSSL keeps what it
/// happens to find. Several directories stand between colons.
const ODD_DIRECTORIES: [&str; 29] = [
    "-,r", "o,-,r", "d", "d,r", "o,d", "rd", "d:r", "r!", "!r", "#,r", "!,r", "r!,o", "o!,r", "io,r", "ir",
    "ro", "or", "i,r", "sr,i", "o:r", "r:o", "x:r", ":r", "#:r", "r!:o", "o!:r", "i:r", "io:r", "ir:o",
];

/// Whether a server is below the root, below a CA that it sends, or below one that it does not.
const SENT: [&str; 3] = ["server", "server, CA", "server, CA not sent"];

#[test]
fn of_namesakes_in_file_and_directory_openssl_takes_the_same() {
    let home = Home::new();
    let mut situations = Vec::new();
    let mut servers = Vec::new();
    for identified in [true, false] {
        let certificates = Certificates::new(identified);
        let how = if identified { "identified" } else { "unidentified" };
        home.write(&format!("{how}/all.crl"), &certificates.crls);
        for letters in FILES {
            home.write(&format!("{how}/{letters}.crt"), certificates.pem(letters));
        }
        for letters in DIRECTORIES.into_iter().chain(ODD_DIRECTORIES).flat_map(|list| list.split(':')) {
            directory(&home, &format!("{how}/in {letters}"), &certificates, letters);
        }
        let server = |issuer: &Issued| {
            let draft = Draft::server(HOST);
            if identified { draft } else { draft.unidentified() }.signed_by(issuer)
        };
        let (below_root, below_ca) = (server(&certificates.right), server(&certificates.ca));
        for sent in SENT {
            let (chain, key) = match sent {
                "server" => (vec![below_root.der.clone()], &below_root.key),
                "server, CA" => (vec![below_ca.der.clone(), certificates.ca.der.clone()], &below_ca.key),
                _ => (vec![below_ca.der.clone()], &below_ca.key),
            };
            let scripted = ScriptedServer::start(&chain, key, &Tls::default());
            let mut add = |file: &str, list: &str| {
                situations.extend(both_ways(&home, scripted.address.port(), how, sent, file, list));
            };
            for file in FILES {
                for list in DIRECTORIES.iter().take(if sent == "server" { 11 } else { 4 }) {
                    add(file, list);
                }
            }
            let files: &[&str] = if sent == "server, CA not sent" { &["s", "i"] } else { &["s"] };
            for (file, list) in files.iter().flat_map(|file| ODD_DIRECTORIES.map(|list| (file, list))) {
                add(file, list);
            }
            servers.push(scripted);
        }
    }
    assert!(situations.len() >= 1000, "only {}", situations.len());
    let checked = assert_agreement(&home, &situations, &[GOES_ON_IN_DIRECTORIES]);
    let accepted = checked.iter().filter(|checked| checked.code.is_none()).count();
    assert!((100..situations.len() - 100).contains(&accepted), "{accepted} of {}", situations.len());
}

/// Files with the root and its cross-signed copy: the copy first and what it leads to missing or expired, or the copy alone.
#[test]
fn a_cross_signed_copy_before_its_root_is_told_and_the_order_that_works_is_tried() {
    let home = Home::new();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_pgtls-check")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("PATH"));
    for identified in [true, false] {
        let certificates = Certificates::new(identified);
        let draft = Draft::server(HOST);
        let server = if identified { draft } else { draft.unidentified() }.signed_by(&certificates.right);
        let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
        let pem = |letters: &str| certificates.pem(letters);
        // The same key as the elder's that is in date.
        let elder = Draft::authority("Elder Root").expired();
        let expired = if identified { elder } else { elder.unidentified() }.self_signed().pem();
        for (name, text, code) in [
            ("copy-first", pem("cr"), "root-file-lacks-root"),
            ("with-another", pem("icrs"), "root-file-lacks-root"),
            ("expired", pem("c") + &expired + &pem("r"), "root-expired"),
            ("alone", pem("c"), "root-file-lacks-root"),
        ] {
            // What lies beside would be found.
            let file = home.write(&format!("{identified}-{name}/root.pem"), text);
            let rest = format!("host={HOST} hostaddr=127.0.0.1 port={} user=u", scripted.address.port());
            let string = |root: &str| format!("{rest} sslmode=verify-full sslrootcert={root}");
            let typed = string(file.to_str().expect("UTF-8"));
            assert!(!Psql::libpq(15).connect(&home, &typed, &[]).connected, "{name}");
            let report = Tool::at(&home).check(&typed);
            report.diagnosed(code);
            let title = report.at("/diagnosis/title").to_string();
            assert!(title.contains("cross-signed copy"), "{report}");
            let fix = report.at("/diagnosis/fixes/0");
            if name == "alone" {
                assert!(
                    report.at("/diagnosis/fixes").to_string().contains("self-signed certificate of"),
                    "{report}"
                );
                continue;
            }
            assert_eq!(fix["tried"], "works", "{report}");
            let command = fix["command"].as_str().expect("a command");
            let ran =
                std::process::Command::new("sh").args(["-c", command]).env("PATH", &path).output().unwrap();
            assert!(ran.status.success(), "{command}: {ran:?}");
            let mended = fix["conninfo"].as_str().expect("a string");
            Tool::at(&home).check(mended).exits(0);
            for libpq in [15, 18] {
                assert!(Psql::libpq(libpq).connect(&home, mended, &[]).connected, "{mended}");
            }
        }
    }
}

/// Of a file that cannot be read the program takes what OpenSSL 3.0 and 1.1.1 take.
const GOES_ON_IN_DIRECTORIES: Known = Known {
    build: Build::Pq18OnOpenSsl3,
    reason: "OpenSSL 3.5 goes on to the next file of a directory where one has nothing that can be read",
    of: |name| {
        let unread = ["#,r in ", "!,r in ", " d,r in ", "o!,r in "].iter().any(|list| name.contains(list));
        // Without its CA the server is nobody's either way, and without identifiers the first namesake is taken.
        unread && !name.contains("CA not sent: s") && !(name.starts_with("un") && name.contains("o!,r"))
    },
};

/// The file as root file with the directories as those of CRLs, and both as the system's.
fn both_ways(home: &Home, port: u16, how: &str, sent: &str, file: &str, list: &str) -> [Situation; 2] {
    let path = |name: &str| home.join(how).join(name).to_str().expect("UTF-8").to_owned();
    let rest = format!("host={HOST} hostaddr=127.0.0.1 port={port} user=u dbname=d sslmode=verify-full");
    let directories: Vec<String> = list.split(':').map(|letters| path(&format!("in {letters}"))).collect();
    let (root, crl, directories) = (path(&format!("{file}.crt")), path("all.crl"), directories.join(":"));
    [
        Situation {
            name: format!("{how} {sent}: {file} in sslrootcert, {list} in sslcrldir"),
            conninfo: format!("{rest} sslrootcert={root} sslcrl={crl} sslcrldir='{directories}'"),
            environment: Vec::new(),
            newer: false,
        },
        Situation {
            name: format!("{how} {sent}: {file} in SSL_CERT_FILE, {list} in SSL_CERT_DIR"),
            conninfo: format!("{rest} sslrootcert=system"),
            environment: vec![("SSL_CERT_FILE".to_owned(), root), ("SSL_CERT_DIR".to_owned(), directories)],
            newer: true,
        },
    ]
}

/// A block that no PEM reader takes.
const DAMAGED: &str = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";

fn directory(home: &Home, name: &str, certificates: &Certificates, letters: &str) {
    let text = |letter: char| match letter {
        '!' => DAMAGED.into(),
        '#' => "nothing of use\n".into(),
        'd' => certificates.right.der.clone(),
        letter => certificates.pem(&letter.to_string()).into(),
    };
    let hash = |file: &str| {
        let first = file.trim_matches(['!', '#', 'd', '-']);
        let first = if first.is_empty() { &certificates.right } else { certificates.named(first)[0] };
        first.subject_hash()
    };
    hashed_directory(home, name, letters, "", hash, text);
}

/// A directory of files that are named by hash and numbered; each letter of a file stands for a part of it.
fn hashed_directory(
    home: &Home,
    name: &str,
    letters: &str,
    kind: &str,
    hash: impl Fn(&str) -> String,
    text: impl Fn(char) -> Vec<u8>,
) {
    std::fs::create_dir_all(home.join(name)).expect("a directory");
    let mut hashes: Vec<String> = Vec::new();
    for file in letters.split(',').filter(|file| !file.is_empty()) {
        let hash = hash(file);
        let number = hashes.iter().filter(|known| **known == hash).count();
        if file != "-" {
            home.write(
                &format!("{name}/{hash}.{kind}{number}"),
                file.chars().flat_map(&text).collect::<Vec<u8>>(),
            );
        }
        hashes.push(hash);
    }
}

/// CRLs in a file: clear, revoking and newer, expired, badly signed, of a stranger.
const CRL_FILES: [&str; 7] = ["", "c", "v", "x", "w", "s", "cs"];
/// CRLs in directories, as above.
const CRL_DIRECTORIES: [&str; 24] = [
    "", "c", "v", "x", "w", "s", "c,v", "v,c", "x,c", "w,c", "#,c", "!,c", "c!", "!c", "sc", "c!,v", "c:v",
    "v:c", "x:c", ":c", "#:c", "s:c", "c!:v", "w:v",
];

#[test]
fn of_crls_in_file_and_directory_openssl_takes_the_same() {
    let home = Home::new();
    let root = Draft::authority(ROOT).self_signed();
    let stranger = Draft::authority("Stranger").self_signed();
    let server = Draft::server(HOST).signed_by(&root);
    home.write("root.crt", root.pem());
    let text = |letter: char| match letter {
        'c' => crl_pem(&CrlDraft::revoking(&[]).number(1).updates(days(-5), Some(days(20))).signed_by(&root)),
        'v' => crl_pem(&CrlDraft::revoking(&[&server]).number(2).signed_by(&root)),
        'x' => crl_pem(&CrlDraft::revoking(&[]).updates(days(-9), Some(days(-1))).signed_by(&root)),
        'w' => crl_pem(&CrlDraft::revoking(&[]).spoiled().signed_by(&root)),
        's' => crl_pem(&CrlDraft::revoking(&[]).signed_by(&stranger)),
        '!' => DAMAGED.replace("CERTIFICATE", "X509 CRL"),
        '#' => "nothing of use\n".to_owned(),
        letter => panic!("{letter}"),
    };
    for letters in CRL_FILES {
        home.write(&format!("{letters}.crl"), letters.chars().map(text).collect::<String>());
    }
    for letters in CRL_DIRECTORIES.into_iter().flat_map(|list| list.split(':')) {
        let text = |letter| text(letter).into_bytes();
        hashed_directory(&home, &format!("in {letters}"), letters, "r", |_| root.subject_hash(), text);
    }
    let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
    let path = |name: &str| home.join(name).to_str().expect("UTF-8").to_owned();
    let mut situations = Vec::new();
    for file in CRL_FILES {
        for list in CRL_DIRECTORIES {
            let directories: Vec<String> =
                list.split(':').map(|letters| path(&format!("in {letters}"))).collect();
            let given = match file {
                "" => String::new(),
                file => format!(" sslcrl={}", path(&format!("{file}.crl"))),
            };
            let port = scripted.address.port();
            situations.push(Situation {
                name: format!("{file} in sslcrl, {list} in sslcrldir"),
                conninfo: format!(
                    "host={HOST} hostaddr=127.0.0.1 port={port} user=u dbname=d sslmode=verify-full \
                     sslrootcert={}{given} sslcrldir='{}'",
                    path("root.crt"),
                    directories.join(":")
                ),
                environment: Vec::new(),
                newer: false,
            });
        }
    }
    assert!(situations.len() >= 150, "only {}", situations.len());
    let known = [
        Known {
            build: Build::Pq18OnOpenSsl3,
            reason: "OpenSSL 3.5 goes on to the next file of a directory where one has nothing that can be read",
            of: |name| {
                let good = ["c in", "v in", "w in", "cs in"].iter().any(|file| name.starts_with(file));
                !good && ["#,c in", "!,c in"].iter().any(|list| name.contains(list))
                    || name.contains("c!,v in") && !name.starts_with("v in") && !name.starts_with("w in")
            },
        },
        Known {
            build: Build::Pq18OnOpenSsl3,
            reason: "OpenSSL 3.5 goes on to the next directory where one has no file of the name",
            of: |name| name == "x in sslcrl, :c in sslcrldir",
        },
    ];
    assert_agreement(&home, &situations, &known);
}
