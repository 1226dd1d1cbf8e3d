//! CAs: what an intermediate and a root may and may not say.

use super::Reason::{Chain, Malformed};
use super::{Case, changed, on_ca, on_root, usual_ca, usual_root, usual_server};
use crate::support::der::null;
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = intermediates();
    all.extend(roots());
    all.extend(path_lengths());
    all.extend(written_names());
    all
}

fn unknown() -> Extension {
    Extension::new("1.3.6.1.4.1.99999.1", null())
}

fn netscape(bits: &[u8]) -> Extension {
    Extension::new(NETSCAPE_TYPE, crate::support::der::named_bits(bits))
}

fn intermediates() -> Vec<Case> {
    vec![
        on_ca("CA without keyUsage", |ca| ca.without(KEY_USAGE)).accepted(),
        on_ca("CA with EKU serverAuth", |ca| ca.with(extended_key_usage(&[SERVER_AUTH]))).accepted(),
        on_ca("CA with EKU serverAuth and others", |ca| {
            ca.with(extended_key_usage(&[CLIENT_AUTH, SERVER_AUTH]))
        })
        .accepted(),
        on_ca("CA with basicConstraints not critical", |ca| {
            ca.with(basic_constraints(true, None).not_critical())
        })
        .accepted(),
        on_ca("CA without key identifiers", Draft::unidentified).accepted(),
        on_ca("CA with an unknown extension", |ca| ca.with(unknown())).accepted(),
        on_ca("CA with all key usages", |ca| {
            ca.with(key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN]))
        })
        .accepted(),
        on_ca("CA with Netscape type SSL CA", |ca| ca.with(netscape(&[5]))).accepted(),
        on_ca("CA with Netscape type server and SSL CA", |ca| ca.with(netscape(&[1, 5]))).accepted(),
        on_ca("CA with serial 0", |ca| ca.serial(&[0])).accepted(),
        on_ca("CA with unique identifiers", Draft::unique_identifiers).accepted(),
        on_ca("CA CA:FALSE", |ca| ca.with(basic_constraints(false, None)))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_ca("CA without basicConstraints", |ca| ca.without(BASIC_CONSTRAINTS))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_ca("CA without basicConstraints and keyUsage", |ca| {
            ca.without(BASIC_CONSTRAINTS).without(KEY_USAGE)
        })
        .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_ca("CA version 1", |ca| ca.version(1)).diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_ca("CA keyUsage without keyCertSign", |ca| ca.with(key_usage(&[DIGITAL_SIGNATURE, CRL_SIGN])))
            .refused(Chain),
        on_ca("CA with EKU clientAuth", |ca| ca.with(extended_key_usage(&[CLIENT_AUTH])))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_ca("CA with EKU any", |ca| ca.with(extended_key_usage(&[ANY_PURPOSE])))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_ca("CA with Netscape type server", |ca| ca.with(netscape(&[1]))).accepted(),
        on_ca("CA with Netscape type e-mail CA", |ca| ca.with(netscape(&[6]))).accepted(),
        on_ca("CA with Netscape type SSL CA and no basicConstraints", |ca| {
            ca.without(BASIC_CONSTRAINTS).without(KEY_USAGE).with(netscape(&[5]))
        })
        .refused(Chain),
        on_ca("CA with an unknown critical extension", |ca| ca.with(unknown().critical()))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        on_ca("CA with a wrong signature", Draft::spoiled).diagnosed(&codes::CERTIFICATE_INVALID),
        on_ca("CA expired", Draft::expired).diagnosed(&codes::CERTIFICATE_EXPIRED),
        on_ca("CA not yet valid", Draft::future).diagnosed(&codes::CERTIFICATE_NOT_YET_VALID),
        on_ca("CA with broken basicConstraints", |ca| ca.with(Extension::new(BASIC_CONSTRAINTS, null())))
            .refused(Malformed),
        on_ca("CA with basicConstraints twice", |ca| ca.also(basic_constraints(true, None)))
            .refused(Malformed),
        on_ca("CA whose inner and outer signature algorithms differ", |ca| {
            ca.inner_algorithm(signature_algorithm(Kind::P256, Scheme::Usual(Hash::Sha384)))
        })
        .refused(Chain),
        on_ca("CA whose authority key identifier is wrong", |ca| ca.with(authority(Some(&[9; 20]), None)))
            .refused(Chain),
    ]
}

fn roots() -> Vec<Case> {
    vec![
        on_root("root version 1", |root| root.version(1)).accepted(),
        on_root("root version 2", |root| root.version(2)).refused(Chain),
        on_root("root with an empty name", |root| root.subject(name(&[]))).accepted(),
        on_root("root with a wrong signature", Draft::spoiled).accepted(),
        on_root("root signed with SHA-1", |root| root.scheme(Scheme::Usual(Hash::Sha1))).accepted(),
        on_root("root signed with MD5", |root| root.keyed(Kind::Rsa(2048)).scheme(Scheme::Usual(Hash::Md5)))
            .accepted(),
        on_root("root without keyUsage", |root| root.without(KEY_USAGE)).accepted(),
        on_root("root without key identifiers", Draft::unidentified).accepted(),
        on_root("root with keyUsage keyCertSign and no basicConstraints", |root| {
            root.without(BASIC_CONSTRAINTS)
        })
        .accepted(),
        on_root("root with EKU serverAuth", |root| root.with(extended_key_usage(&[SERVER_AUTH]))).accepted(),
        on_root("root with an unknown extension", |root| root.with(unknown())).accepted(),
        on_root("root with Netscape type SSL CA", |root| root.with(netscape(&[5]))).accepted(),
        on_root("root with Netscape type SSL CA and nothing else", |root| {
            root.without(BASIC_CONSTRAINTS).without(KEY_USAGE).with(netscape(&[5]))
        })
        .accepted(),
        on_root("root with Netscape type server and nothing else", |root| {
            root.without(BASIC_CONSTRAINTS).without(KEY_USAGE).with(netscape(&[1]))
        })
        .refused(Chain),
        on_root("root expired", Draft::expired).refused(Chain),
        on_root("root not yet valid", Draft::future).refused(Chain),
        on_root("root version 3 without basicConstraints and keyUsage", |root| {
            root.without(BASIC_CONSTRAINTS).without(KEY_USAGE)
        })
        .refused(Chain),
        on_root("root version 3 without extensions", Draft::without_extensions).refused(Chain),
        on_root("root CA:FALSE", |root| root.with(basic_constraints(false, None)))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_root("root keyUsage without keyCertSign", |root| root.with(key_usage(&[DIGITAL_SIGNATURE])))
            .refused(Chain),
        on_root("root with an unknown critical extension", |root| root.with(unknown().critical()))
            .refused(Chain),
        on_root("root with EKU clientAuth", |root| root.with(extended_key_usage(&[CLIENT_AUTH])))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_root("root with EKU any", |root| root.with(extended_key_usage(&[ANY_PURPOSE])))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_root("root with Netscape type server", |root| root.with(netscape(&[1]))).accepted(),
        on_root("root with broken basicConstraints", |root| {
            root.with(Extension::new(BASIC_CONSTRAINTS, null()))
        })
        .refused(Malformed),
        on_root("root with basicConstraints twice", |root| root.also(basic_constraints(true, None)))
            .refused(Malformed),
        on_root("root whose authority key identifier is not its own", |root| {
            root.with(authority(Some(&[9; 20]), None))
        })
        .refused(Chain),
    ]
}

/// A root with this path length above so many CAs, each with its own.
fn path(name: &str, root_length: Option<u8>, lengths: &[Option<u8>]) -> Case {
    let root = usual_root().with(basic_constraints(true, root_length)).self_signed();
    let mut issuer = root.clone();
    let mut chain = Vec::new();
    for (depth, length) in lengths.iter().enumerate() {
        let draft = Draft::authority(&format!("Parity CA {depth}")).with(basic_constraints(true, *length));
        issuer = draft.signed_by(&issuer);
        chain.push(issuer.clone());
    }
    chain.push(usual_server().signed_by(&issuer));
    chain.reverse();
    Case::new(name, &chain.iter().collect::<Vec<_>>()).root(&[&root])
}

fn path_lengths() -> Vec<Case> {
    let self_issued = {
        let root = usual_root().with(basic_constraints(true, None)).self_signed();
        let upper = usual_ca().with(basic_constraints(true, Some(0))).signed_by(&root);
        let lower = usual_ca().key(Key::labelled(Kind::P256, "rolled over")).signed_by(&upper);
        let server = usual_server().signed_by(&lower);
        Case::new("path length 0 above a self-issued CA", &[&server, &lower, &upper]).root(&[&root])
    };
    vec![
        path("path length 0 on the only CA", None, &[Some(0)]).accepted(),
        path("path length 1 above one CA", None, &[Some(1), None]).accepted(),
        path("path lengths falling to 0", Some(3), &[Some(2), Some(1), Some(0)]).accepted(),
        path("path length 0 above a CA", None, &[Some(0), None]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        path("path length 1 above two CAs", None, &[Some(1), None, None])
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        path("path length 1 of the root above two CAs", Some(1), &[None, None])
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        path("path length 2 of the root above two CAs", Some(2), &[None, None]).accepted(),
        path("path length 0 of the root above a CA", Some(0), &[None]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        path("path length 0 of the root above a server", Some(0), &[]).accepted(),
        self_issued.accepted(),
        changed(
            "path length 0 above a server that is a CA",
            |server| server.without(KEY_USAGE).with(basic_constraints(true, None)),
            |ca| ca.with(basic_constraints(true, Some(0))),
            |root| root,
        )
        .accepted(),
    ]
}

/// The issuer as the server's certificate writes it, against the CA's own writing.
fn written_names() -> Vec<Case> {
    let written = |title: &str, subject: Vec<u8>, issuer: Vec<u8>| {
        changed(
            format!("issuer {title}"),
            |server| server.issuer(issuer),
            |ca| ca.subject(subject),
            |root| root,
        )
    };
    let utf8_cn = |value: &str| name(&[(CN, text(0x0c, value.as_bytes()))]);
    let printable_cn = |value: &str| name(&[(CN, text(PRINTABLE, value.as_bytes()))]);
    let bmp = |value: &str| value.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let two = |first: &str, second: &str| {
        name(&[(O, text(0x0c, first.as_bytes())), (CN, text(0x0c, second.as_bytes()))])
    };
    vec![
        written("in other case", utf8_cn("Some CA"), utf8_cn("sOME cA")).accepted(),
        written("with more blanks", utf8_cn("Some CA"), utf8_cn("  Some \t CA ")).accepted(),
        written("as another string type", utf8_cn("Some CA"), printable_cn("Some CA")).accepted(),
        written("as BMPString", utf8_cn("Some CA"), name(&[(CN, text(BMP, &bmp("Some CA")))])).accepted(),
        written("as T61String", utf8_cn("Some CA"), name(&[(CN, text(T61, b"Some CA"))])).accepted(),
        written(
            "as T61String with Latin-1",
            utf8_cn("Caf\u{e9} CA"),
            name(&[(CN, text(T61, b"Caf\xe9 CA"))]),
        )
        .accepted(),
        written("as IA5String", utf8_cn("Some CA"), name(&[(CN, text(IA5, b"Some CA"))])).accepted(),
        written("as UniversalString", utf8_cn("CA"), name(&[(CN, text(UNIVERSAL, b"\0\0\0C\0\0\0A"))]))
            .accepted(),
        written("with a non-ASCII letter in other case", utf8_cn("\u{e9} CA"), utf8_cn("\u{c9} CA"))
            .refused(Chain),
        written("with a no-break space", utf8_cn("Some CA"), utf8_cn("Some\u{a0}CA")).refused(Chain),
        written(
            "with its parts in another order",
            two("a", "b"),
            name(&[(CN, text(0x0c, b"b")), (O, text(0x0c, b"a"))]),
        )
        .refused(Chain),
        written("with a part missing", two("a", "b"), utf8_cn("b")).refused(Chain),
        written("of two parts", two("a", "b"), two("A", "B")).accepted(),
        written(
            "with domain components in other case",
            name(&[(DC, text(IA5, b"TEST")), (CN, text(0x0c, b"x"))]),
            name(&[(DC, text(IA5, b"test")), (CN, text(0x0c, b"x"))]),
        )
        .accepted(),
        written("as another type that is no text", utf8_cn("12"), name(&[(CN, text(0x12, b"12"))]))
            .refused(Chain),
        written(
            "with parts in one set",
            {
                let both = crate::support::der::set(&[&part(CN, "a"), &part(O, "b")]);
                crate::support::der::sequence(&[&both])
            },
            {
                let both = crate::support::der::set(&[&part(CN, "A"), &part(O, "B")]);
                crate::support::der::sequence(&[&both])
            },
        )
        .accepted(),
        written("with parts in one set instead of two", two("b", "a"), {
            let both = crate::support::der::set(&[&part(CN, "a"), &part(O, "b")]);
            crate::support::der::sequence(&[&both])
        })
        .refused(Chain),
    ]
}

fn part(kind: &str, value: &str) -> Vec<u8> {
    use crate::support::der::{oid, sequence, utf8};
    sequence(&[&oid(kind), &utf8(value)])
}
