//! Nothing that comes from outside reaches the reader raw, in any format and look.

use std::path::PathBuf;

use rcgen::{CertificateParams, CustomExtension, DnType, KeyPair};

use super::*;
use crate::certificate::Certificate;
use crate::certificate::encode::{element, sequence};
use crate::conninfo::{Origin, Parameter, ParameterValue, Value};
use crate::diagnose::tests::fixtures::step;
use crate::diagnose::{DeniedBy, Diagnosis, Fact, Fix, Mark, Trial, Warning, codes};
use crate::evidence::{ClientCertificateRecord, Offer, SessionRecord};

/// What a hostile server, certificate or file would like to smuggle onto a terminal or into a log.
const POISON: &str = "\x1b]0;owned\x07\x1b[2J\r\nverified  db.example.com\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{85}\x7f\0";

/// A certificate whose names are these bytes.
fn certificate(poison: &str, bytes: &[u8]) -> Certificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, poison);
    // GeneralNames: a DNS name, a URI and an e-mail address.
    let name = |tag: u8| element(tag, &[bytes]);
    let names = sequence(&[&name(0x82), &name(0x86), &name(0x81)]);
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    Certificate::from_der(certificate.der())
}

/// An outcome whose every string from outside holds `poison`. It is no possible one: nothing is right in it.
pub(super) fn poisoned(poison: &str) -> Outcome {
    let bytes = [b"\xff\xc3".as_slice(), poison.as_bytes()].concat();
    let mut outcome = outcomes::hostname_mismatch();
    let settings = outcome.evidence.config.as_mut().unwrap();
    settings.hosts[0].name = ParameterValue::of("dbname", Value::new(bytes.clone()), false);
    settings.user = ParameterValue::of("dbname", Value::new(bytes.clone()), false);
    settings.database = ParameterValue::of("dbname", Value::new(bytes.clone()), false);
    for parameter in settings.parameters.iter_mut().take(2) {
        parameter.value = ParameterValue::of("dbname", Value::new(bytes.clone()), false);
    }
    settings.parameters.push(Parameter {
        keyword: "application_name",
        value: ParameterValue::of("dbname", Value::new(bytes.clone()), false),
        origin: Origin::Service { name: poison.to_owned(), file: PathBuf::from(poison) },
        place: None,
    });
    poison_diagnosis(outcome.diagnosis.as_mut().unwrap(), poison);
    outcome.also = outcome.diagnosis.clone().into_iter().collect();
    outcome.warnings = vec![Warning {
        mark: None,
        code: &codes::PASSFILE_IGNORED,
        title: poison.to_owned(),
        evidence: vec![("file", Fact::Text(poison.to_owned()))],
        fixes: outcome.also[0].fixes.clone(),
        denied: Some(DeniedBy::Deny),
    }];
    for stage in &mut outcome.stages {
        stage.detail.push_str(poison);
    }
    let hostile = certificate(poison, &bytes);
    let attempt = outcome.evidence.attempts.last_mut().unwrap();
    let tls = &mut attempt.tls.as_mut().unwrap().result;
    tls.chain = vec![hostile.clone(), hostile];
    let trust = outcome.evidence.trust.as_ref().unwrap();
    let host = Value::new(bytes.clone());
    let (at, mode) = (outcome.evidence.judged_at, crate::conninfo::SslMode::VerifyFull);
    tls.judgement = Some(crate::verify::judge(&tls.chain, trust, Some(&host), at, mode));
    tls.alpn = Some(poison.to_owned());
    tls.cipher = Some(poison.to_owned());
    tls.group = Some(poison.to_owned());
    tls.offer = Offer { versions: vec![], sni: Some(poison.to_owned()), alpn: vec![poison.to_owned()] };
    tls.client_certificate =
        ClientCertificateRecord { requested: true, authorities: vec![poison.to_owned()], sent: false };
    let session = SessionRecord {
        server_version: Some(poison.to_owned()),
        backend_ssl: Some(true),
        ..SessionRecord::default()
    };
    attempt.session = Some(step(41.0, 1.0, session));
    outcome
}

fn poison_diagnosis(diagnosis: &mut Diagnosis, poison: &str) {
    diagnosis.title.push_str(poison);
    diagnosis.cause.push_str(poison);
    diagnosis.evidence.push(("server_says", Fact::Text(poison.to_owned())));
    diagnosis.evidence.push(("names", Fact::List(vec![poison.to_owned(), poison.to_owned()])));
    diagnosis.fixes.push(Fix {
        text: poison.to_owned(),
        command: Some(poison.to_owned()),
        settings: vec![("host", poison.to_owned())],
        tried: Some(Trial::Works),
        conninfo: Some(poison.to_owned()),
        ..Fix::default()
    });
    let text = format!("host={poison} user={poison}");
    let spans = std::iter::once(5..5 + poison.len()).collect();
    diagnosis.mark = Some(Mark { spans, text, label: poison.to_owned() });
}

#[test]
fn nothing_from_outside_reaches_the_reader_raw() {
    for (name, report) in everything(&[poisoned(POISON)]) {
        // What this program itself writes: line feeds, and colours where they are on.
        let report = if name.contains("colour") { without_colours(&report) } else { report };
        for character in report.chars().filter(|character| *character != '\n') {
            assert!(is_printable(character), "{name}: {character:?} in {report}");
        }
        assert!(!report.lines().any(|line| line.starts_with("verified  db.example.com")), "{name}: {report}");
        if name.contains("ascii") && name.starts_with("human") {
            assert!(report.is_ascii(), "{name}: {report}");
        }
        if name.starts_with("json") {
            assert_eq!(report.lines().count(), 1, "{name}");
            assert_printable(&serde_json::from_str(&report).unwrap());
        }
    }
}

#[test]
fn json_shows_bytes_that_are_not_text_as_u_fffd() {
    let line = written(Format::Json, NORMAL, &[poisoned("x")]);
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["target"]["user"], "\u{fffd}\u{fffd}x");
    assert_eq!(object["chain"][0]["sans"][0], "DNS:\u{fffd}\u{fffd}x");
}

/// Decoded strings are as printable as the line itself.
fn assert_printable(value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => assert!(text.chars().all(is_printable), "{text:?}"),
        serde_json::Value::Array(items) => items.iter().for_each(assert_printable),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(key, value)| match value {
            // A command may have several lines.
            serde_json::Value::String(text) if key == "command" => {
                assert!(text.lines().all(|line| line.chars().all(is_printable)), "{text:?}");
            }
            _ => assert_printable(value),
        }),
        _ => {}
    }
}

/// A certificate of many names, and of long ones.
fn of_names(names: usize, length: usize) -> Certificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "c".repeat(length));
    params.distinguished_name.push(DnType::OrganizationName, "o".repeat(length));
    let name =
        |number: usize| element(0x82, &[format!("n{number}.{}.example", "x".repeat(length)).as_bytes()]);
    let all: Vec<Vec<u8>> = (0..names).map(name).collect();
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], sequence(&all))];
    Certificate::from_der(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
}

#[test]
fn what_a_certificate_holds_makes_no_report_unreadable() {
    for (names, length) in [(3000, 20), (1, 60_000), (300, 200)] {
        let mut evidence = outcomes::hostname_mismatch().evidence;
        let tls = &mut evidence.attempts.last_mut().unwrap().tls.as_mut().unwrap().result;
        tls.chain = vec![of_names(names, length)];
        let host = Value::new("db.example");
        let (at, mode) = (evidence.judged_at, crate::conninfo::SslMode::VerifyFull);
        let trust = evidence.trust.as_ref().unwrap();
        tls.judgement = Some(crate::verify::judge(&tls.chain, trust, Some(&host), at, mode));
        let outcome = crate::diagnose::diagnose(evidence);
        for (name, report) in everything(&[outcome]) {
            assert!(
                report.len() < 48 * 1024,
                "{names} names of {length}: {} bytes of {name}: {}",
                report.len(),
                report
                    .replace(&"x".repeat(5000), "XXX")
                    .replace(&"c".repeat(5000), "CCC")
                    .replace(&"o".repeat(5000), "OOO")
            );
        }
    }
}
