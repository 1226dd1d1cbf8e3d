//! Name constraints (RFC 5280, 4.2.1.10) on the CA and on the root, against SANs and the CN.

use super::Reason::{Chain, Malformed};
use super::{Case, HOST, changed};
use crate::support::der::{element, implicit, null, sequence, utf8};
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

/// A CA with this constraint above a server changed so.
fn case(name: &str, constraint: Extension, server: impl FnOnce(Draft) -> Draft) -> Case {
    changed(format!("name constraints: {name}"), server, |ca| ca.with(constraint), |root| root)
}

fn permit(base: &str) -> Extension {
    name_constraints(&[dns(base)], &[])
}

fn exclude(base: &str) -> Extension {
    name_constraints(&[], &[dns(base)])
}

fn as_made(server: Draft) -> Draft {
    server
}

/// Without SAN, so that the CN is the name.
fn cn_only(server: Draft) -> Draft {
    server.without(SUBJECT_ALT_NAME)
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = vec![
        case("the name itself is permitted", permit(HOST), as_made).accepted(),
        case("its domain is permitted", permit("test"), as_made).accepted(),
        case("its domain is permitted with a leading dot", permit(".test"), as_made).accepted(),
        case("its domain is permitted in other case", permit("TEST"), as_made).accepted(),
        case("everything is permitted", permit(""), as_made).accepted(),
        case("one of two permitted fits", name_constraints(&[dns("example"), dns("test")], &[]), as_made)
            .accepted(),
        case("another domain is excluded", exclude("example"), as_made).accepted(),
        case("another domain is permitted", permit("example"), as_made)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("a domain that is no label's end is permitted", permit("tls.test"), as_made)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("the name itself with a leading dot is permitted", permit(".pgtls.test"), as_made)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("its domain is excluded", exclude("test"), as_made)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("everything is excluded", exclude(""), as_made).diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("permitted and excluded", name_constraints(&[dns("test")], &[dns(HOST)]), as_made)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("violated, not critical", permit("example").not_critical(), as_made)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("satisfied, not critical", permit("test").not_critical(), as_made).accepted(),
        case("a second name violates", permit("test"), |server| server.names([dns(HOST), dns("db.example")]))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("a wildcard name within", permit("test"), |server| server.names([dns("*.test")])).accepted(),
        case("a wildcard name beside", permit("example"), |server| server.names([dns("*.test")]))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("satisfied by a CN alone", permit("test"), cn_only).accepted(),
        case("violated by a CN alone", permit("example"), cn_only)
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("excluded CN alone", exclude("test"), cn_only).diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("violated by a CN beside a SAN", permit("test"), |server| {
            server.subject(common_name("db.example"))
        })
        .accepted(),
        case("violated by a CN beside an address SAN", permit("example"), |server| {
            server.names([ip(&[127, 0, 0, 1])])
        })
        .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("a CN that is no host name, with a SAN within", permit("test"), |server| {
            server.subject(common_name("The Database"))
        })
        .accepted(),
        case("a CN that is no host name, without SAN", permit("test"), |server| {
            server.without(SUBJECT_ALT_NAME).subject(common_name("The Database"))
        })
        .host("The Database")
        .accepted(),
        case("a CN with an underscore, without SAN", permit("example"), |server| {
            server.without(SUBJECT_ALT_NAME).subject(common_name("db_1.test"))
        })
        .host("db_1.test")
        .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("a single-label CN, without SAN", permit("test"), |server| {
            server.without(SUBJECT_ALT_NAME).subject(common_name("database"))
        })
        .host("database")
        .accepted(),
        case("an address CN, without SAN", permit("test"), |server| {
            server.without(SUBJECT_ALT_NAME).subject(common_name("127.0.0.1"))
        })
        .host("127.0.0.1")
        .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("two CNs, the second violates", permit("test"), |server| {
            server.without(SUBJECT_ALT_NAME).subject(name(&[(CN, utf8(HOST)), (CN, utf8("db.example"))]))
        })
        .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
    ];
    all.extend(addresses());
    all.extend(other_kinds());
    all.extend(places());
    all
}

fn addresses() -> Vec<Case> {
    let addressed = |bytes: &'static [u8]| move |server: Draft| server.names([dns(HOST), ip(bytes)]);
    let permit = |bytes: &[u8]| name_constraints(&[ip(bytes)], &[]);
    let exclude = |bytes: &[u8]| name_constraints(&[], &[ip(bytes)]);
    let mut wide = vec![0x20, 0x01, 0x0d, 0xb8];
    wide.resize(16, 0);
    wide.extend([0xff, 0xff, 0xff, 0xff]);
    wide.resize(32, 0);
    const V6: &[u8] = &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    vec![
        case("a permitted address range", permit(&[10, 0, 0, 0, 255, 0, 0, 0]), addressed(&[10, 1, 2, 3]))
            .accepted(),
        case(
            "outside the permitted address range",
            permit(&[10, 0, 0, 0, 255, 0, 0, 0]),
            addressed(&[11, 1, 2, 3]),
        )
        .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("an excluded address", exclude(&[10, 1, 2, 3, 255, 255, 255, 255]), addressed(&[10, 1, 2, 3]))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case(
            "beside the excluded address",
            exclude(&[10, 1, 2, 3, 255, 255, 255, 255]),
            addressed(&[10, 1, 2, 4]),
        )
        .accepted(),
        case("permitted addresses and no address", permit(&[10, 0, 0, 0, 255, 0, 0, 0]), as_made).accepted(),
        case("a permitted IPv6 range", permit(&wide), addressed(V6)).accepted(),
        case("an excluded IPv6 range", exclude(&wide), addressed(V6))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("IPv6 permitted, an IPv4 address", permit(&wide), addressed(&[10, 1, 2, 3]))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        case("all IPv4 excluded, an IPv6 address", exclude(&[0; 8]), addressed(V6)).accepted(),
        case("a mask with holes", permit(&[10, 0, 0, 3, 255, 0, 0, 255]), addressed(&[10, 1, 2, 3]))
            .accepted(),
        case(
            "a permitted range with host bits set",
            permit(&[10, 9, 9, 9, 255, 0, 0, 0]),
            addressed(&[10, 1, 2, 3]),
        )
        .accepted(),
        case("a permitted range of a wrong length", permit(&[10, 0, 0, 0, 255]), addressed(&[10, 1, 2, 3]))
            .refused(Chain),
    ]
}

fn other_kinds() -> Vec<Case> {
    let organised = |server: Draft| server.subject(name(&[(O, utf8("Parity")), (CN, utf8(HOST))]));
    let parity = name(&[(O, utf8("Parity"))]);
    let shouted = name(&[(O, text(PRINTABLE, b"PARITY"))]);
    let other = name(&[(O, utf8("Other"))]);
    let permit = |base: Vec<u8>| name_constraints(&[base], &[]);
    let exclude = |base: Vec<u8>| name_constraints(&[], &[base]);
    let ranged = |tag: u8, value: u8| {
        let subtree = sequence(&[&dns("test"), &implicit(tag, &[value])]);
        Extension::new(NAME_CONSTRAINTS, sequence(&[&element(0xa0, &[&subtree])])).critical()
    };
    vec![
        case("the subject's directory name is permitted", permit(directory(&parity)), organised).accepted(),
        case("it is permitted in other case", permit(directory(&shouted)), organised).accepted(),
        case("another directory name is permitted", permit(directory(&other)), organised).refused(Chain),
        case("the subject's directory name is excluded", exclude(directory(&parity)), organised)
            .refused(Chain),
        case("another directory name is excluded", exclude(directory(&other)), organised).accepted(),
        case("a directory name is permitted, the subject is empty", permit(directory(&other)), |server| {
            server.subject(name(&[]))
        })
        .accepted(),
        case("a directory name SAN outside", permit(directory(&parity)), |server| {
            organised(server).names([dns(HOST), directory(&other)])
        })
        .refused(Chain),
        case("an e-mail domain is permitted, no e-mail", permit(email("test")), as_made).accepted(),
        case("an e-mail domain is permitted, another SAN", permit(email("test")), |server| {
            server.names([dns(HOST), email("a@example")])
        })
        .refused(Chain),
        case("an e-mail domain is permitted, an e-mail within", permit(email("test")), |server| {
            server.names([dns(HOST), email("a@test")])
        })
        .accepted(),
        case("an e-mail host is excluded, the subject's e-mail", exclude(email("example")), |server| {
            server.subject(name(&[(CN, utf8(HOST)), (EMAIL, text(IA5, b"a@example"))]))
        })
        .refused(Chain),
        case("an e-mail mailbox is permitted, that one", permit(email("a@test")), |server| {
            server.names([dns(HOST), email("a@TEST")])
        })
        .accepted(),
        case("a URI host is permitted, another one", permit(uri("test")), |server| {
            server.names([dns(HOST), uri("https://example/x")])
        })
        .refused(Chain),
        case("a URI host is permitted, that one", permit(uri("test")), |server| {
            server.names([dns(HOST), uri("https://test/x")])
        })
        .accepted(),
        case("a URI domain is permitted, a host in it", permit(uri(".test")), |server| {
            server.names([dns(HOST), uri("https://a.test:443/x")])
        })
        .accepted(),
        case("a registered id is permitted, none is there", permit(registered_id("1.2.3")), as_made)
            .accepted(),
        case("a registered id is permitted, one is there", permit(registered_id("1.2.3")), |server| {
            server.names([dns(HOST), registered_id("1.2.3")])
        })
        .refused(Chain),
        case("an other name is excluded, none is there", exclude(other_name("x")), as_made).accepted(),
        case("with minimum 0 written", ranged(0, 0), as_made).accepted(),
        case("with minimum 1", ranged(0, 1), as_made).refused(Chain),
        case("with a maximum", ranged(1, 5), as_made).refused(Chain),
        case("empty", name_constraints(&[], &[]), as_made).accepted(),
        case("broken", Extension::new(NAME_CONSTRAINTS, null()).critical(), as_made).refused(Malformed),
    ]
}

fn places() -> Vec<Case> {
    let on_root = |name: &str, constraint: Extension| {
        changed(
            format!("name constraints on the root: {name}"),
            |server| server,
            |ca| ca,
            |root| root.with(constraint),
        )
    };
    let directly = |name: &str, constraint: Extension| {
        let root = super::usual_root().with(constraint).self_signed();
        let server = super::usual_server().signed_by(&root);
        Case::new(format!("name constraints on the root above the server: {name}"), &[&server]).root(&[&root])
    };
    let both = |name: &str, upper: Extension, lower: Extension| {
        changed(
            format!("name constraints on root and CA: {name}"),
            |server| server,
            |ca| ca.with(lower),
            |root| root.with(upper),
        )
    };
    vec![
        on_root("satisfied", permit("test")).accepted(),
        on_root("violated", permit("example")).diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        on_root("violated, not critical", permit("example").not_critical())
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        directly("satisfied", permit("test")).accepted(),
        directly("violated", exclude("test")).diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        both("both satisfied", permit("test"), permit(HOST)).accepted(),
        both("the upper violated", permit("example"), permit("test"))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        both("the lower violated", permit("test"), permit("example"))
            .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        on_root(
            "its directory names are not the CA's",
            name_constraints(&[directory(&name(&[(O, utf8("x"))]))], &[]),
        )
        .diagnosed(&codes::CERTIFICATE_NAME_CONSTRAINTS),
        changed(
            "name constraints on the server itself",
            |server| server.with(permit("example")),
            |ca| ca,
            |root| root,
        )
        .accepted(),
    ]
}
