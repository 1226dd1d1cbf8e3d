//! What a server sends costs it more than the one who checks it: chains made to keep a client busy are refused soon, and
//! a list goes on beside them.

use std::time::{Duration, Instant};

use crate::support::home::Home;
use crate::support::odd_pki::{Draft, Issued, alt_names, dns, email, name_constraints};
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::{self, NAME, OPEN};
use crate::support::tool::Tool;

/// A chain of nearly 64 KiB, valid in everything: twenty certificates, each with e-mail addresses that are not in the
/// subtrees which those above it exclude. Leaf first; the root is the last.
fn quarrelsome() -> Vec<Issued> {
    let addresses =
        |host: &str| -> Vec<Vec<u8>> { (0..150).map(|n| email(&format!("{n}@{host}"))).collect() };
    let mut chain = vec![Draft::authority("root").self_signed()];
    for at in 1..20 {
        let draft = Draft::authority(&format!("CA {at}")).with(alt_names(addresses("b")));
        let issued = draft.with(name_constraints(&[], &addresses("c"))).signed_by(&chain[0]);
        chain.insert(0, issued);
    }
    let names = addresses("b").into_iter().chain([dns(NAME)]);
    let leaf = Draft::server(NAME).with(alt_names(names)).signed_by(&chain[0]);
    chain.insert(0, leaf);
    chain
}

fn serving(chain: &[Issued], tls: Tls) -> ScriptedServer {
    let sent: Vec<Vec<u8>> = chain.iter().map(|certificate| certificate.der.clone()).collect();
    ScriptedServer::start(&sent, &chain[0].key, &tls)
}

#[test]
fn hostile_chains_in_a_list_change_no_other_result() {
    let home = Home::new();
    let mut hostile = quarrelsome();
    let hostile_root = home.write("hostile.pem", hostile.pop().expect("a root").pem());
    let bytes: usize = hostile.iter().map(|certificate| certificate.der.len()).sum();
    assert!((50_000..64 * 1024).contains(&bytes), "{bytes} bytes");
    let root = Draft::authority("honest root").self_signed();
    let root_file = home.write("root.pem", root.pem());
    // Other files of roots lie beside the one named: a trial may look into them.
    for other in 0..12 {
        home.write(&format!("other-{other}.pem"), hostile[19].pem());
    }
    let honest = vec![Draft::server(NAME).signed_by(&root)];
    let servers: Vec<(bool, ScriptedServer)> = (0..9)
        .map(|place| match place % 3 {
            0 => (false, serving(&hostile, Tls { blind: true, ..Tls::default() })),
            _ => (true, serving(&honest, Tls::default())),
        })
        .collect();
    let list: String = servers
        .iter()
        .map(|(good, scripted)| {
            let root = if *good { &root_file } else { &hostile_root };
            site::verify_full(scripted.address.port(), root.to_str().expect("a path"), OPEN) + "\n"
        })
        .collect();
    home.write("targets", list);
    let report = Tool::at(&home).with(["--from", "targets", "--format", "json"]).run();
    report.exits(8);
    let lines = report.objects();
    assert_eq!(lines.len(), servers.len(), "{report}");
    for ((good, _), line) in servers.iter().zip(&lines) {
        match good {
            true => assert_eq!(line["verdict"], "verified", "{line}"),
            false => {
                assert_eq!(line["diagnosis"]["code"], "certificate-invalid", "{line}");
                assert!(line["diagnosis"]["title"].to_string().contains("more work"), "{line}");
            }
        }
    }
}

/// Nothing in reading, masking and telling a string takes time that grows faster than the string by much.
#[test]
fn long_strings_are_read_in_time_that_grows_with_them() {
    let home = Home::new();
    for (begin, piece, end) in [
        ("postgresql://h/d?", "a=b&", ""),
        ("postgresql://h/d?", "sslmod=require&", ""),
        ("", "Host=a;", ""),
        ("", "host='", ""),
        ("", "<a>", ""),
        ("", "a=b ", ""),
        ("", "a:b@", ""),
        ("jdbc:postgresql://", "h:x,", "/d"),
        ("new Client(", "{a:", "}"),
    ] {
        let string = |pieces: usize| format!("{begin}{}{end}", piece.repeat(pieces));
        let taken = |pieces: usize| {
            let began = Instant::now();
            Tool::at(&home).with(["--tls-only", "-v", &string(pieces)]).run();
            began.elapsed()
        };
        // What starting costs, and a busy machine, are left out of the account.
        let (short, long) = (taken(100), taken(1000));
        assert!(long < short * 30 + Duration::from_secs(4), "{begin}{piece}…{end}: {short:?}, then {long:?}");
    }
}
