//! The host asked for against the names in the certificate, and the modes that do or do not compare them.

use super::Reason::{BrokenName, Name, Settings};
use super::{Case, HOST, usual_ca, usual_root};
use crate::support::der::{null, utf8};
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

/// A server with this subject and these SANs (none: no such extension), asked for as `host`.
fn case(title: &str, host: &str, subject: Vec<u8>, names: &[Vec<u8>]) -> Case {
    let root = usual_root().self_signed();
    let ca = usual_ca().signed_by(&root);
    let mut server = super::usual_server().without(SUBJECT_ALT_NAME).subject(subject);
    if !names.is_empty() {
        server = server.names(names);
    }
    let server = server.signed_by(&ca);
    Case::new(format!("name: {title}"), &[&server, &ca]).root(&[&root]).host(host)
}

/// With one dNSName.
fn pattern(host: &str, pattern: &str) -> Case {
    case(&format!("{host:?} for {pattern:?}"), host, common_name("irrelevant"), &[dns(pattern)])
}

/// With no SAN and this CN.
fn cn(host: &str, value: &str) -> Case {
    case(&format!("{host:?} for the CN {value:?}"), host, common_name(value), &[])
}

fn address(host: &str, bytes: &[u8]) -> Case {
    case(&format!("{host:?} for the address {bytes:?}"), host, common_name("irrelevant"), &[ip(bytes)])
}

/// The host among so many others, of 21 bytes each.
fn many(count: usize) -> Case {
    let others = (1..count).map(|number| dns(&format!("host-{number:06}.example")));
    let names: Vec<Vec<u8>> = others.chain([dns(HOST)]).collect();
    case(&format!("one of {count}"), HOST, common_name("irrelevant"), &names).accepted()
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = patterns();
    all.extend(addresses());
    all.extend(common_names());
    all.extend(mixtures());
    all.extend(broken());
    all.extend([2_500, 3_200, 4_500].map(many));
    all.extend(modes());
    all
}

fn patterns() -> Vec<Case> {
    let mut all = Vec::new();
    for (host, name) in [
        ("pgtls.test", "pgtls.test"),
        ("PGTLS.Test", "pgtls.test"),
        ("pgtls.test", "PGTLS.TEST"),
        ("pgtls.test", "*.test"),
        ("a.b.test", "*.b.test"),
        ("A.B.test", "*.b.TEST"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "*.0.2.1"),
        ("d*.x", "d*.x"),
        ("*.*.x", "*.*.x"),
        ("*", "*"),
        ("a.*.x", "a.*.x"),
        ("*.x", "*.x"),
        ("db_1.test", "db_1.test"),
        ("-db-.test", "-db-.test"),
        ("database", "database"),
        ("my database", "my database"),
        ("db.test.", "db.test."),
        ("a..test", "a..test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("b\u{fc}cher.test", "b\u{fc}cher.test"),
        ("b\u{fc}cher.test", "*.test"),
        ("it's.test", "it's.test"),
        ("a\\b.test", "a\\b.test"),
        ("x.y", "*.y"),
        ("::1", "::1"),
        ("12345", "12345"),
        (
            "a.very-long-label-of-more-than-sixty-three-characters-that-no-resolver-would-take.test",
            "a.very-long-label-of-more-than-sixty-three-characters-that-no-resolver-would-take.test",
        ),
        ("https://pgtls.test", "https://pgtls.test"),
    ] {
        all.push(pattern(host, name).accepted());
    }
    for (host, name) in [
        ("pgtls.test", "other.test"),
        ("test", "*.test"),
        (".test", "*.test"),
        ("a.b.test", "*.test"),
        ("pgtls.test", "pg*.test"),
        ("pgtls.test", "*tls.test"),
        ("pgtls.test", "*"),
        ("pgtls.test", "*."),
        ("pgtls.test", "*.*"),
        ("a.b.x", "*.*.x"),
        ("a.b.x", "a.*.x"),
        ("pgtls.test.", "pgtls.test"),
        ("pgtls.test", "pgtls.test."),
        ("pgtls.test.", "*.test"),
        ("pgtls.test", ".pgtls.test"),
        ("pgtls.test", " pgtls.test"),
        ("pgtls.test", "pgtls.test "),
        ("b\u{fc}cher.test", "xn--bcher-kva.test"),
        ("B\u{dc}CHER.test", "b\u{fc}cher.test"),
        ("pgtls.test", "pgtls"),
        ("pgtls.test", ""),
        ("pgtls.test", "pgtls.test:5432"),
        ("192.0.2.1", "192.0.2.2"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("127.1", "127.0.0.1"),
    ] {
        all.push(pattern(host, name).refused(Name));
    }
    all
}

const V6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const MAPPED: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];

fn addresses() -> Vec<Case> {
    let mut all = Vec::new();
    for host in [
        "192.0.2.1",
        "192.000.002.001",
        "0300.0.2.1",
        "192.0.513",
        "3221225985",
        "0xC0000201",
        "0xc0.0.2.1",
        "192.513",
        "030000001001",
        "192.0.2.1 ",
    ] {
        all.push(address(host, &[192, 0, 2, 1]).accepted());
    }
    for host in [
        "192.0.2.2",
        "192.0.2.1.",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1.0",
        "pgtls.test",
        " 192.0.2.1",
        "192.0.2.09",
    ] {
        all.push(address(host, &[192, 0, 2, 1]).refused(Name));
    }
    for host in
        ["2001:db8::1", "2001:DB8:0:0::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::0.0.0.1"]
    {
        all.push(address(host, &V6).accepted());
    }
    for host in [
        "2001:db8::2",
        "[2001:db8::1]",
        "2001:db8::1%lo",
        "2001:db8::1/128",
        "2001:db8:::1",
        "2001:db8::00001",
    ] {
        all.push(address(host, &V6).refused(Name));
    }
    all.extend([
        address("192.0.2.1", &MAPPED).refused(Name),
        address("::ffff:192.0.2.1", &MAPPED).accepted(),
        address("::ffff:192.0.2.1", &[192, 0, 2, 1]).refused(Name),
    ]);
    all
}

fn common_names() -> Vec<Case> {
    let first = name(&[(CN, utf8(HOST)), (CN, utf8("other.test"))]);
    let last = name(&[(CN, utf8("other.test")), (CN, utf8(HOST))]);
    let typed = |title: &str, tag: u8, bytes: &[u8]| case(title, HOST, name(&[(CN, text(tag, bytes))]), &[]);
    let wide: Vec<u8> = HOST.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wider: Vec<u8> = HOST.chars().flat_map(|letter| (letter as u32).to_be_bytes()).collect();
    vec![
        cn(HOST, HOST).accepted(),
        cn("PGTLS.test", HOST).accepted(),
        cn(HOST, "*.test").accepted(),
        cn("192.0.2.1", "192.0.2.1").accepted(),
        cn("2001:db8::1", "2001:db8::1").accepted(),
        cn("my database", "my database").accepted(),
        cn(HOST, "other.test").refused(Name),
        cn(HOST, "*").refused(Name),
        cn("192.000.002.001", "192.0.2.1").refused(Name),
        cn(HOST, "").refused(Name),
        case("the first of two CNs", HOST, first, &[]).accepted(),
        case("the second of two CNs", HOST, last, &[]).refused(Name),
        case("no CN and no SAN", HOST, name(&[(O, utf8(HOST))]), &[]).refused(Name),
        case("an empty subject and no SAN", HOST, name(&[]), &[]).refused(Name),
        case(
            "a CN behind other parts",
            HOST,
            name(&[(C, text(PRINTABLE, b"NA")), (O, utf8("x")), (CN, utf8(HOST))]),
            &[],
        )
        .accepted(),
        case("a CN before other parts", HOST, name(&[(CN, utf8(HOST)), (O, utf8("x"))]), &[]).accepted(),
        typed("a CN as PrintableString", PRINTABLE, HOST.as_bytes()).accepted(),
        typed("a CN as T61String", T61, HOST.as_bytes()).accepted(),
        typed("a CN as IA5String", IA5, HOST.as_bytes()).accepted(),
        typed("a CN as BMPString", BMP, &wide).refused(BrokenName),
        typed("a CN as UniversalString", UNIVERSAL, &wider).refused(BrokenName),
        typed("a CN with NUL at its end", 0x0c, b"pgtls.test\0").refused(BrokenName),
        typed("a CN with NUL within", 0x0c, b"pgtls.test\0.example").refused(BrokenName),
    ]
}

fn mixtures() -> Vec<Case> {
    let with = |title: &str, host: &str, names: &[Vec<u8>]| case(title, host, common_name(HOST), names);
    let other =
        |title: &str, host: &str, names: &[Vec<u8>]| case(title, host, common_name("irrelevant"), names);
    let four = [192, 0, 2, 1];
    let empty_list = {
        let root = usual_root().self_signed();
        let server = super::usual_server().names([[]; 0]).signed_by(&root);
        Case::new("name: CN beside an empty SAN list", &[&server]).root(&[&root])
    };
    vec![
        with("CN beside another dNSName", HOST, &[dns("other.test")]).refused(Name),
        with("CN beside an iPAddress", HOST, &[ip(&four)]).accepted(),
        with("CN beside an e-mail", HOST, &[email("a@pgtls.test")]).accepted(),
        with("CN beside a URI", HOST, &[uri("postgres://other.test")]).accepted(),
        with("CN beside a directory name", HOST, &[directory(&common_name("other.test"))]).accepted(),
        with("CN beside a registered id", HOST, &[registered_id("1.2.3")]).accepted(),
        with("CN beside an other name", HOST, &[other_name("other.test")]).accepted(),
        empty_list.accepted(),
        other("host only as an e-mail", HOST, &[email(HOST)]).refused(Name),
        other("host only as a URI", HOST, &[uri(HOST)]).refused(Name),
        other("host only as a directory name", HOST, &[directory(&common_name(HOST))]).refused(Name),
        other("host only as an other name", HOST, &[other_name(HOST)]).refused(Name),
        case("address as CN beside a dNSName", "192.0.2.1", common_name("192.0.2.1"), &[dns("other.test")])
            .accepted(),
        case(
            "address as CN beside another iPAddress",
            "192.0.2.1",
            common_name("192.0.2.1"),
            &[ip(&[192, 0, 2, 9])],
        )
        .refused(Name),
        case(
            "address as dNSName beside another iPAddress",
            "192.0.2.1",
            common_name("x"),
            &[ip(&[192, 0, 2, 9]), dns("192.0.2.1")],
        )
        .accepted(),
        case("IPv4 as CN beside an IPv6 iPAddress", "192.0.2.1", common_name("192.0.2.1"), &[ip(&V6)])
            .refused(Name),
        other("the last of many", HOST, &{
            let mut many: Vec<Vec<u8>> = (0..99).map(|number| dns(&format!("db{number}.test"))).collect();
            many.push(dns(HOST));
            many
        })
        .accepted(),
        other(
            "none of many",
            HOST,
            &(0..99).map(|number| dns(&format!("db{number}.test"))).collect::<Vec<_>>(),
        )
        .refused(Name),
        other("a name and an address", "192.0.2.1", &[dns(HOST), ip(&four)]).accepted(),
        other("the address only, a name asked for", HOST, &[ip(&[127, 0, 0, 1])]).refused(Name),
        other("the address connected to is not the name", HOST, &[dns("127.0.0.1")]).refused(Name),
        case("no host", HOST, common_name(HOST), &[dns(HOST)]).no_host().diagnosed(&codes::HOST_REQUIRED),
        case("an empty host", "", common_name(HOST), &[dns(HOST)]).refused(Settings),
        case("a socket directory for a host", "/tmp", common_name(HOST), &[dns("/tmp")]).accepted(),
    ]
}

fn broken() -> Vec<Case> {
    let with = |title: &str, host: &str, names: &[Vec<u8>]| case(title, host, common_name(HOST), names);
    let nul = implicit_dns(b"pgtls.test\0.example");
    vec![
        with("a dNSName with NUL", HOST, std::slice::from_ref(&nul)).refused(BrokenName),
        with("a dNSName with NUL before the right one", HOST, &[nul.clone(), dns(HOST)]).refused(BrokenName),
        with("a dNSName with NUL behind the right one", HOST, &[dns(HOST), nul.clone()]).accepted(),
        with("a dNSName with NUL behind a wrong one", HOST, &[dns("other.test"), nul]).refused(BrokenName),
        with("an iPAddress of 5 bytes", "192.0.2.1", &[ip(&[192, 0, 2, 1, 0])]).refused(BrokenName),
        with("an iPAddress of 0 bytes", "192.0.2.1", &[ip(&[])]).refused(BrokenName),
        with("an iPAddress of 8 bytes", "192.0.2.1", &[ip(&[192, 0, 2, 1, 255, 255, 255, 255])])
            .refused(BrokenName),
        with("an iPAddress of 5 bytes before the right name", HOST, &[ip(&[1; 5]), dns(HOST)])
            .refused(BrokenName),
        with("an iPAddress of 5 bytes behind the right name", HOST, &[dns(HOST), ip(&[1; 5])]).accepted(),
        with(
            "an iPAddress of 5 bytes before the right address",
            "192.0.2.1",
            &[ip(&[1; 5]), ip(&[192, 0, 2, 1])],
        )
        .refused(BrokenName),
        with("a dNSName that is no ASCII", HOST, &[implicit_dns(b"\xff\xfe"), dns(HOST)]).accepted(),
        with("a SAN of an unknown kind", HOST, &[crate::support::der::implicit(9, b"x"), dns(HOST)])
            .refused(super::Reason::Malformed),
        with("a SAN that is no name", HOST, &[null()]).refused(super::Reason::Malformed),
    ]
}

fn implicit_dns(bytes: &[u8]) -> Vec<u8> {
    crate::support::der::implicit(2, bytes)
}

/// Names and chains under the weaker modes.
fn modes() -> Vec<Case> {
    use super::Outcome::Plaintext;
    use super::Reason::{Chain, NotRequested, RootFile};
    let root = usual_root().self_signed();
    let ca = usual_ca().signed_by(&root);
    let server = super::usual_server().signed_by(&ca);
    let expired = super::usual_server().expired().signed_by(&ca);
    let stranger = Draft::authority("Stranger").self_signed();
    let case = |title: &str, server: &Issued, mode: &'static str| {
        Case::new(format!("mode {mode}: {title}"), &[server, &ca]).mode(mode)
    };
    let mut all = Vec::new();
    for mode in ["require", "verify-ca"] {
        all.extend([
            case("good chain, wrong name", &server, mode).root(&[&root]).host("other.test").accepted(),
            case("good chain, no host", &server, mode).root(&[&root]).no_host().accepted(),
            case("unknown root", &server, mode).root(&[&stranger]).refused(Chain),
            case("expired server", &expired, mode).root(&[&root]).refused(Chain),
            case("default root file, unknown root", &server, mode)
                .file(".postgresql/root.crt", stranger.pem())
                .refused(Chain),
            case("default root file", &server, mode).file(".postgresql/root.crt", root.pem()).accepted(),
            case("empty root file", &server, mode).root_file("").refused(RootFile),
        ]);
    }
    all.extend([
        case("no root file", &expired, "require").accepted(),
        case("root file named and absent", &expired, "require")
            .settings("sslrootcert=DIR/none.crt")
            .accepted(),
        case("root file a dangling link", &expired, "require")
            .link("root.crt", "nowhere")
            .settings("sslrootcert=DIR/root.crt")
            .accepted(),
        case("no root file, malformed certificate", &server, "require")
            .raw(0, b"certificate".to_vec())
            .refused(super::Reason::Malformed),
        case("no root file", &server, "verify-ca").refused(RootFile),
        case("no root file", &server, "verify-full").refused(RootFile),
        case("default root file", &server, "verify-full").file(".postgresql/root.crt", root.pem()).accepted(),
        case("the file named wins over the default one", &server, "verify-full")
            .file(".postgresql/root.crt", stranger.pem())
            .root(&[&root])
            .accepted(),
        case("wrong name and expired", &expired, "verify-full")
            .root(&[&root])
            .host("other.test")
            .refused(Chain),
        case("no root file", &server, "prefer").accepted(),
        case("good chain, wrong name", &server, "prefer").root(&[&root]).host("other.test").accepted(),
        case("unknown root", &server, "prefer").root(&[&stranger]).expects(Plaintext(Chain)),
        case("expired server", &expired, "prefer").root(&[&root]).expects(Plaintext(Chain)),
        case("unusable root file", &server, "prefer").root_file("none").expects(Plaintext(RootFile)),
        case("good chain", &server, "allow").root(&[&root]).expects(Plaintext(NotRequested)),
        case("good chain", &server, "disable").root(&[&root]).expects(Plaintext(NotRequested)),
    ]);
    all
}
