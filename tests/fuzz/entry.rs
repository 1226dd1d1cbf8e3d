//! What the fuzz targets call, over nothing but bytes. `tests/it/verify_properties.rs` drives the same functions with
//! mutated certificates in every test run. A panic is a finding, and so is a broken promise asserted here.

use std::path::{Path, PathBuf};

use pgtls_check::certificate::{Certificate, Crl, Facts, pem};
use pgtls_check::conninfo::{SslMode, Value};
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust::{
    ClientIdentity, FileCertificate, FileCrl, Revocation, RootSource, RootStore, Roots, Trust,
    root_file_from_bytes,
};
use pgtls_check::verify::{self, Judgement};

/// Decodes a certificate and reads everything it says.
pub(super) fn certificate(der: &[u8]) {
    let certificate = Certificate::from_der(der);
    assert_eq!(certificate.der(), der);
    let readable = certificate.readable();
    drop(format!("{readable:?}"));
    readable.subject.iter().for_each(|name| drop(name.to_string()));
    readable.sans.iter().for_each(|name| drop(name.to_string()));
    match certificate.facts() {
        Ok(facts) => read_all(facts),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(error.offset.is_none_or(|offset| offset <= der.len()));
            assert!(certificate.signed_part().is_empty());
        }
    }
}

fn read_all(facts: &Facts) {
    drop(format!("{facts:?} {} {} {}", facts.key, facts.signature, facts.serial_hex()));
    drop((facts.subject.hash(), facts.issuer.common_name(), facts.is_ca()));
    assert!(!facts.is_self_signed() || facts.is_self_issued() && facts.names_key_of(facts));
}

/// Decodes a CRL and reads everything it says.
pub(super) fn crl(der: &[u8]) {
    match Crl::decode(der) {
        Ok(crl) => {
            assert!(crl.signed_part().len() <= der.len());
            drop(format!("{:?}", crl.facts()));
            let reasons = crl.facts().revoked.values().flatten().filter_map(|entry| entry.reason);
            reasons.for_each(|reason| drop(reason.to_string()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads a file as libpq reads a root file.
pub(super) fn pem_file(bytes: &[u8]) {
    let blocks = pem::blocks(bytes);
    assert!(
        blocks.iter().filter_map(|block| block.content.as_ref().ok()).all(|der| der.len() <= bytes.len())
    );
    let path = Path::new("fuzzed.crt");
    match root_file_from_bytes(path, bytes, RootSource::Given(path.to_owned())) {
        Roots::Loaded(store) => {
            assert!(store.certificates.iter().all(|entry| entry.certificate.decodes_but_for_times()));
            assert!(store.certificates.len() <= blocks.len());
        }
        Roots::Invalid { content, .. } => assert!(!content.to_string().is_empty()),
        other => panic!("bytes are never {other:?}"),
    }
}

/// Judges what [`parcel`] packs, and checks what every judgement promises.
pub(super) fn judge(parcel: &[u8]) -> Option<Judgement> {
    let (&[revocation, sent], rest) = parcel.split_first_chunk()?;
    let mut parts = Parts(rest);
    let chain: Vec<Certificate> = parts.by_ref().take(usize::from(sent)).map(Certificate::from_der).collect();
    let file = PathBuf::from("fuzzed.crt");
    let (mut certificates, mut lists) = (Vec::new(), Vec::new());
    for (index, der) in parts.enumerate() {
        let certificate = Certificate::from_der(der);
        if certificate.facts().is_ok() {
            certificates.push(FileCertificate { certificate, file: file.clone(), line: index + 1 });
        } else if let Ok(crl) = Crl::decode(der) {
            lists.push(FileCrl { crl, file: file.clone(), line: index + 1 });
        }
    }
    let trust = Trust {
        roots: Roots::Loaded(RootStore::loaded(RootSource::Given(file), certificates)),
        revocation: match revocation {
            0 => Revocation::Off,
            _ => Revocation::On { lists, directories: Vec::new(), directory: None },
        },
        client: ClientIdentity::None,
        library: Default::default(),
        level: Default::default(),
    };
    let host = Value::new("pgtls.test");
    let judgement = verify::judge(&chain, &trust, Some(&host), Timestamp::now(), SslMode::VerifyFull);
    drop(format!("{judgement:?}"));
    assert_eq!(judgement.accepted, judgement.defects.is_empty());
    assert!(judgement.path.len() <= 102);
    assert!(judgement.strict.is_empty() || judgement.chain_is_good());
    let places = judgement.defects.iter().filter_map(|defect| defect.place());
    assert!(places.clone().all(|place| place < judgement.path.len().max(1)));
    Some(judgement)
}

/// Packs a chain, and certificates and CRLs of files, for [`judge`]: a byte that tells whether CRLs are asked for, one
/// that counts the chain, then every part with its length in two bytes.
pub(super) fn parcel(revocation: bool, chain: &[&[u8]], files: &[&[u8]]) -> Vec<u8> {
    let mut parcel = vec![u8::from(revocation), u8::try_from(chain.len()).unwrap_or(u8::MAX)];
    for part in chain.iter().chain(files) {
        parcel.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        parcel.extend_from_slice(part);
    }
    parcel
}

/// The parts of a parcel. A length that is too large stands for all that is left.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let (part, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
        self.0 = rest;
        Some(part)
    }
}
