//! Where releases of libpq and builds and configurations of its OpenSSL part ways: security levels and versions of TLS in
//! OpenSSL's configuration, byte-order marks in root files, spaces in URIs. The program ends as libpq 18 on OpenSSL 3 does
//! in the same surroundings, and names what another libpq does.

use std::collections::BTreeMap;

use openssl::ssl::SslVersion;

use crate::support::differential::{Checked, Known, Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::libpq::Build;
use crate::support::odd_pki::*;
use crate::support::scripted_server::{ScriptedServer, Tls};

const HOST: &str = "pgtls.test";
const CODE: &str = "libpq-builds-differ";

/// A configuration whose section for all TLS contexts has these lines.
pub(super) fn configuration(home: &Home, name: &str, lines: &str) -> (String, String) {
    let head = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = system\n[system]\n";
    let file = home.write(&format!("{name}.cnf"), format!("{head}{lines}\n"));
    ("OPENSSL_CONF".to_owned(), file.to_str().expect("UTF-8").to_owned())
}

fn named(checked: &Checked) -> Option<&str> {
    checked.warnings.iter().find(|(code, _)| code == CODE).map(|(_, title)| title.as_str())
}

pub(super) fn settings(port: u16, root: &std::path::Path) -> String {
    format!(
        "host={HOST} hostaddr=127.0.0.1 port={port} user=u dbname=d sslmode=verify-full sslrootcert={}",
        root.display()
    )
}

/// What the root, the server and the signature on it are made of.
fn strengths() -> Vec<(&'static str, Kind, Kind, Scheme)> {
    use Kind::{Ed25519, P256, P384, P521, Rsa};
    let usual = Scheme::Usual;
    vec![
        ("RSA 2048", Rsa(2048), Rsa(2048), usual(Hash::Sha256)),
        ("RSA 3072", Rsa(3072), Rsa(3072), usual(Hash::Sha256)),
        ("RSA 2048 below 3072", Rsa(3072), Rsa(2048), usual(Hash::Sha384)),
        ("RSA 3072 below 2048", Rsa(2048), Rsa(3072), usual(Hash::Sha256)),
        ("RSA 1024 root", Rsa(1024), Rsa(2048), usual(Hash::Sha256)),
        ("RSA 1536 root", Rsa(1536), P256, usual(Hash::Sha256)),
        ("SHA-1", Rsa(2048), Rsa(2048), usual(Hash::Sha1)),
        ("SHA-1 with PSS", Rsa(2048), P256, Scheme::Pss(Hash::Sha1)),
        ("P-256", P256, P256, usual(Hash::Sha256)),
        ("P-384 with SHA-256", P384, P384, usual(Hash::Sha256)),
        ("P-384", P384, P384, usual(Hash::Sha384)),
        ("P-521", P521, P521, usual(Hash::Sha512)),
        ("P-256 below P-521", P521, P256, usual(Hash::Sha512)),
        ("Ed25519", Ed25519, P256, usual(Hash::Sha256)),
    ]
}

#[test]
fn security_levels_of_openssls_configuration_count() {
    let home = Home::new();
    let mut situations = Vec::new();
    let mut servers = Vec::new();
    for (name, root, server, scheme) in strengths() {
        let root = Draft::authority(&format!("Root of {name}")).keyed(root).self_signed();
        let server = Draft::server(HOST).keyed(server).scheme(scheme).signed_by(&root);
        let file = home.write(&format!("{name}.crt").replace(' ', "-"), root.pem());
        let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
        for level in ["none", "0", "1", "2", "3", "4"] {
            let lines = match level {
                "none" => String::new(),
                level => format!("CipherString = DEFAULT@SECLEVEL={level}"),
            };
            situations.push(Situation {
                name: format!("{name} at level {level}"),
                conninfo: settings(scripted.address.port(), &file),
                environment: vec![configuration(&home, &format!("level-{level}"), &lines)],
                newer: false,
            });
        }
        servers.push(scripted);
    }
    let checked = assert_agreement(&home, &situations, LEVELS);
    let of: BTreeMap<&str, &Checked> =
        situations.iter().map(|situation| situation.name.as_str()).zip(&checked).collect();
    let on_p256: Vec<&str> = strengths()
        .iter()
        .filter(|(_, _, server, _)| *server == Kind::P256)
        .map(|(name, ..)| *name)
        .collect();
    let mut noted = 0;
    for (name, checked) in &of {
        let (strength, _) = name.rsplit_once(' ').expect("a level");
        let lowered = checked.code.is_none() && of[format!("{strength} none").as_str()].code.is_some();
        assert_eq!(named(checked).is_some(), lowered, "{name}: {:?}", checked.warnings);
        noted += usize::from(lowered);
        if let Some(code) = &checked.code {
            if unsupported(name) {
                assert_eq!(code, "tls-unsupported-here", "{name}");
                continue;
            }
            // At level 4 a key on P-256 signs in no scheme that is offered.
            let unsigned =
                name.ends_with("level 4") && on_p256.iter().any(|on| strength == format!("{on} at level"));
            assert_eq!(code, if unsigned { "tls-no-shared-cipher" } else { "certificate-weak" }, "{name}");
            assert_eq!(
                checked.said.contains("OpenSSL configuration"),
                !name.ends_with("none"),
                "{}",
                checked.said
            );
        }
    }
    assert!(noted >= 5, "{noted}");
}

const UNSUPPORTED: &str = "rustls verifies no signatures of RSA-PSS with SHA-1";

fn unsupported(name: &str) -> bool {
    name == "SHA-1 with PSS at level 0"
}

const LEVELS: &[Known] = &[
    Known { build: Build::Pq15, reason: UNSUPPORTED, of: unsupported },
    Known { build: Build::Pq18OnOpenSsl1, reason: UNSUPPORTED, of: unsupported },
    Known { build: Build::Pq18OnOpenSsl3, reason: UNSUPPORTED, of: unsupported },
    Known {
        build: Build::Pq18OnOpenSsl1,
        reason: "OpenSSL 1.1.1 has level 1 by default, and takes SHA-1 there",
        of: |name| {
            let lenient = ["RSA 1024 root", "RSA 1536 root", "SHA-1 at", "SHA-1 with PSS"];
            let weak = lenient.iter().any(|weak| name.starts_with(weak));
            (weak && name.ends_with("none")) || (name.starts_with("SHA-1") && name.ends_with("level 1"))
        },
    },
    Known {
        build: Build::Pq18OnOpenSsl1,
        reason: "OpenSSL 1.1.1 has no ciphers at level 3 and above when all versions of libpq are allowed",
        of: |name| {
            let (strength, level) = name.split_once(" at level ").expect("a level");
            let strong3 =
                !(strength.contains("2048") || strength.contains("root") || strength.contains("SHA-1 "))
                    && strength != "SHA-1";
            match level {
                "3" => strong3,
                "4" => matches!(strength, "P-384" | "P-521"),
                _ => false,
            }
        },
    },
];

/// Lines of the configuration, an option of libpq's, and what the server speaks.
#[test]
pub(crate) fn versions_of_openssls_configuration_count() {
    let home = Home::new();
    let root = Draft::authority("Root").self_signed();
    let server = Draft::server(HOST).signed_by(&root);
    let file = home.write("root.crt", root.pem());
    let mut situations = Vec::new();
    let mut servers = Vec::new();
    for (speaks, minimum, maximum) in [
        ("1.2", SslVersion::TLS1_2, SslVersion::TLS1_2),
        ("1.3", SslVersion::TLS1_3, SslVersion::TLS1_3),
        ("both", SslVersion::TLS1_2, SslVersion::TLS1_3),
    ] {
        let tls = Tls { minimum: Some(minimum), maximum: Some(maximum), ..Tls::default() };
        let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &tls);
        for (at, lines) in [
            "",
            "MinProtocol = TLSv1.2",
            "MinProtocol = TLSv1.3",
            "MaxProtocol = TLSv1.1",
            "MaxProtocol = TLSv1.2",
            "MaxProtocol = TLSv1.3",
            "MaxProtocol = None",
            "MaxProtocol = tlsv1.2",
            "TLS.MaxProtocol = TLSv1.2",
            "Protocol = ALL,-TLSv1.3",
            "Protocol = -TLSv1.2",
            "Protocol = -ALL,TLSv1.3",
        ]
        .into_iter()
        .enumerate()
        {
            for option in [
                "",
                "ssl_min_protocol_version=''",
                "ssl_min_protocol_version=TLSv1.3",
                "ssl_max_protocol_version=''",
                "ssl_max_protocol_version=TLSv1.3",
            ] {
                situations.push(Situation {
                    name: format!("{speaks}, {lines:?}, {option}"),
                    conninfo: format!("{} {option}", settings(scripted.address.port(), &file)),
                    environment: vec![configuration(&home, &format!("versions-{at}"), lines)],
                    newer: false,
                });
            }
        }
        servers.push(scripted);
    }
    let hole =
        |name: &str| !name.starts_with("1.2") && name.ends_with("-TLSv1.2\", ssl_min_protocol_version=''");
    let reason = "where OpenSSL up to 3.0 may offer 1.1, a hole at 1.2 leaves it 1.1 alone";
    let known = [Build::Pq15, Build::Pq18OnOpenSsl1].map(|build| Known { build, reason, of: hole });
    let checked = assert_agreement(&home, &situations, &known);
    for (situation, checked) in situations.iter().zip(&checked) {
        let name = &situation.name;
        let limits =
            ["TLSv1.1\"", "MaxProtocol = TLSv1.2", "-TLSv1", "-ALL"].iter().any(|line| name.contains(line));
        let overruled = name.contains("MaxProtocol") && name.ends_with("ssl_max_protocol_version=TLSv1.3");
        let raised = name.contains("MinProtocol = TLSv1.3") && name.ends_with("ssl_min_protocol_version=''");
        let limited = (limits && !overruled) || raised;
        assert_eq!(named(checked).is_some(), limited, "{name}: {} {:?}", checked.said, checked.warnings);
        if let Some(code) = &checked.code {
            assert_eq!(code, "tls-version-unsupported", "{name}");
            assert!(
                checked.said.contains("OpenSSL") || checked.said.contains("comes from"),
                "{}",
                checked.said
            );
        }
    }
}

/// Root files with a mark: the root alone, first, last, or behind text.
#[test]
fn a_byte_order_mark_costs_openssl_1_1_the_first_certificate() {
    let home = Home::new();
    let root = Draft::authority("Root").self_signed();
    let other = Draft::authority("Other").self_signed();
    let server = Draft::server(HOST).signed_by(&root);
    let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
    let (root, other) = (root.pem(), other.pem());
    let mut situations = Vec::new();
    for (name, text) in [
        ("alone", root.clone()),
        ("first", root.clone() + &other),
        ("last", other.clone() + &root),
        ("twice", root.clone() + &root),
        ("behind text", format!("a note\n{root}")),
        ("with line ends of Windows", root.replace('\n', "\r\n")),
    ] {
        for mark in ["", "\u{feff}"] {
            let marked = if mark.is_empty() { "" } else { ", marked" };
            let file =
                home.write(&format!("{name}{marked}.crt").replace([' ', ','], "-"), format!("{mark}{text}"));
            situations.push(Situation {
                name: format!("{name}{marked}"),
                conninfo: settings(scripted.address.port(), &file),
                environment: Vec::new(),
                newer: false,
            });
        }
    }
    let loses =
        |name: &str| ["alone, marked", "first, marked", "with line ends of Windows, marked"].contains(&name);
    let known = [Known {
        build: Build::Pq18OnOpenSsl1,
        reason: "OpenSSL 1.1 loses the block behind a mark",
        of: loses,
    }];
    let checked = assert_agreement(&home, &situations, &known);
    for (situation, checked) in situations.iter().zip(&checked) {
        assert_eq!(
            named(checked).is_some(),
            loses(&situation.name),
            "{}: {:?}",
            situation.name,
            checked.warnings
        );
    }
}

/// Spaces at either end of each part of a URI, typed and encoded.
#[test]
fn spaces_in_a_uri_part_libpq_15_from_18() {
    let home = Home::new();
    let root = Draft::authority("Root").self_signed();
    let server = Draft::server(HOST).signed_by(&root);
    let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
    let file = home.write("root.crt", root.pem());
    let port = scripted.address.port().to_string();
    let parts = [
        ("host", HOST),
        ("hostaddr", "127.0.0.1"),
        ("port", port.as_str()),
        ("dbname", "d"),
        ("user", "u"),
        ("sslmode", "verify-full"),
        ("sslrootcert", file.to_str().expect("UTF-8")),
        ("connect_timeout", "10"),
    ];
    let mut situations = Vec::new();
    for spaced in [None].into_iter().chain(parts.map(|(keyword, _)| Some(keyword))) {
        for (how, before, after) in
            [("none", "", ""), ("before", " ", ""), ("after", "", " "), ("both", "  ", " ")]
        {
            if spaced.is_none() != (how == "none") {
                continue;
            }
            let part = |(keyword, value): (&str, &str)| match spaced == Some(keyword) {
                true => format!("{keyword}={before}{value}{after}"),
                false => format!("{keyword}={value}"),
            };
            situations.push(Situation {
                name: format!("{} {how}", spaced.unwrap_or("no")),
                // A blank at the end of all would be taken off as one round the string.
                conninfo: format!("postgresql://?{}&application_name=x", parts.map(part).join("&")),
                environment: Vec::new(),
                newer: false,
            });
        }
    }
    let refuses = |name: &str| {
        ["host ", "hostaddr ", "sslmode ", "sslrootcert "].iter().any(|part| name.starts_with(part))
    };
    let known = [Known { build: Build::Pq15, reason: "libpq 15 keeps spaces of a URI", of: refuses }];
    let checked = assert_agreement(&home, &situations, &known);
    for (situation, checked) in situations.iter().zip(&checked) {
        let reads = refuses(&situation.name)
            || ["dbname ", "user "].iter().any(|part| situation.name.starts_with(part));
        let keyword = situation.name.split(' ').next().unwrap_or_default();
        let title = named(checked);
        assert_eq!(title.is_some(), reads, "{}: {:?}", situation.name, checked.warnings);
        assert!(title.is_none_or(|title| title.contains(keyword)), "{title:?}");
    }
}
