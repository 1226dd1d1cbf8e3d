//! CPU time of one judgement on normal chains: decoding and judging, as a check does both once. Prints, asserts
//! nothing: a busy machine proves nothing. The goal is below 0.5 ms.
//!
//!     cargo bench --bench judge
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "../tests/it/support/der.rs"]
#[allow(dead_code)] // The tests use more of it.
mod der;
#[path = "../tests/it/support/odd_pki/mod.rs"]
#[allow(dead_code, unused_imports)] // The tests use more of it.
mod odd_pki;
#[path = "../tests/it/support/pki.rs"]
#[allow(dead_code)] // The tests use more of it.
mod pki;

use std::path::{Path, PathBuf};
use std::time::Instant;

use openssl::x509::X509;
use pgtls_check::certificate::Certificate;
use pgtls_check::conninfo::{SslMode, Value};
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust::{ClientIdentity, Revocation, RootSource, Roots, Trust, root_file_from_bytes};
use pgtls_check::verify::judge;
use pki::{Algorithm, Chain, Draft};

const ROUNDS: usize = 2_000;
const HOST: &str = "db.example";

fn main() {
    for algorithm in [Algorithm::Rsa, Algorithm::Ecdsa] {
        let chain = Chain::honest(HOST, algorithm);
        let others: String = (0..140)
            .map(|n| Draft::authority(&format!("root {n}"), Algorithm::Ecdsa).self_signed().pem())
            .collect();
        for (size, more) in [("1 root", ""), ("141 roots", others.as_str())] {
            report(&format!("{algorithm:?}, file of {size}"), &chain, &(more.to_owned() + &chain.root.pem()));
        }
    }
}

fn report(name: &str, chain: &Chain, file: &str) {
    let der = |certificate: &X509| certificate.to_der().unwrap();
    let sent = [der(&chain.leaf.certificate), der(&chain.intermediate.certificate)];
    let host = Value::new(HOST);
    let at = Timestamp::now();
    let path = Path::new("root.crt");
    let read = || root_file_from_bytes(path, file.as_bytes(), RootSource::Given(PathBuf::from(path)));
    let trust = |roots: Roots| Trust {
        roots,
        revocation: Revocation::Off,
        client: ClientIdentity::None,
        library: Default::default(),
        level: Default::default(),
    };
    let loaded = trust(read());
    let decode = || sent.iter().map(|der| Certificate::from_der(der)).collect::<Vec<_>>();
    let certificates = decode();
    assert!(judge(&certificates, &loaded, Some(&host), at, SslMode::VerifyFull).accepted);
    for (step, time) in [
        ("judge", cpu(|| drop(judge(&certificates, &loaded, Some(&host), at, SslMode::VerifyFull)))),
        ("decode the chain", cpu(|| drop(decode()))),
        ("read the root file", cpu(|| drop(read()))),
    ] {
        println!("{name:<22} {step:<20} {:8.1} µs of CPU", time * 1e6);
    }
}

/// Seconds of CPU that a step takes, the mean of many: the kernel's clock is coarse.
fn cpu(step: impl Fn()) -> f64 {
    let (before, clock) = (on_cpu(), Instant::now());
    (0..ROUNDS).for_each(|_| step());
    let all = match (before, on_cpu()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => clock.elapsed().as_secs_f64(),
    };
    all / ROUNDS as f64
}

/// Nanoseconds this thread has spent on a CPU, where the system tells (Linux).
fn on_cpu() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
