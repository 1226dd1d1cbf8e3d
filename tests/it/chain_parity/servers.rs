//! The server's own certificate: self-signed ones, and what an issued one may and may not say.

use super::Reason::{Chain, Handshake, Malformed};
use super::{Case, HOST, changed, on_server, usual_ca, usual_root, usual_server};
use crate::support::der::{
    boolean, element, explicit, generalized_time, implicit, integer, null, octets, oid, sequence,
    sequence_of, utc_time,
};
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = self_signed();
    all.extend(fields());
    all.extend(dates());
    all.extend(usages());
    all.extend(criticals());
    all.extend(resources());
    all.extend(identifiers());
    all.extend(broken_extensions());
    all.extend(undecodable());
    all
}

/// A certificate that signs itself and is what the root file holds.
fn listed(name: &str, change: impl FnOnce(Draft) -> Draft) -> Case {
    let bare = Draft::bare(HOST).names([dns(HOST)]);
    let server = change(bare).self_signed();
    Case::new(format!("self-signed and listed, {name}"), &[&server]).root(&[&server])
}

fn self_signed() -> Vec<Case> {
    let plain = Draft::bare(HOST).names([dns(HOST)]);
    let unlisted = plain.clone().self_signed();
    let reissued = plain.clone().self_signed();
    let other_key = plain.clone().key(Key::labelled(Kind::P256, "another")).self_signed();
    let other_key_unidentified =
        plain.clone().unidentified().key(Key::labelled(Kind::P256, "another")).self_signed();
    let unidentified = plain.unidentified().self_signed();
    vec![
        listed("plain", |server| server).accepted(),
        listed("CA:FALSE", |server| server.with(basic_constraints(false, None))).accepted(),
        listed("CA:TRUE", |server| server.with(basic_constraints(true, None))).accepted(),
        listed("version 1", |server| server.version(1)).accepted(),
        listed("version 2", |server| server.version(2)).accepted(),
        listed("without key identifiers", Draft::unidentified).accepted(),
        listed("as the PostgreSQL manual makes it", |server| {
            server.without(SUBJECT_ALT_NAME).with(basic_constraints(true, None))
        })
        .accepted(),
        listed("all usages of a server", |server| {
            server
                .with(key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]))
                .with(extended_key_usage(&[SERVER_AUTH]))
        })
        .accepted(),
        listed("keyUsage of a server and a CA", |server| {
            server.with(key_usage(&[DIGITAL_SIGNATURE, KEY_CERT_SIGN])).with(basic_constraints(true, None))
        })
        .accepted(),
        listed("RSA 2048", |server| server.keyed(Kind::Rsa(2048))).accepted(),
        listed("path length 0", |server| server.with(basic_constraints(true, Some(0)))).accepted(),
        listed("expired", Draft::expired).diagnosed(&codes::CERTIFICATE_EXPIRED),
        listed("not yet valid", Draft::future).diagnosed(&codes::CERTIFICATE_NOT_YET_VALID),
        listed("EKU clientAuth only", |server| server.with(extended_key_usage(&[CLIENT_AUTH])))
            .diagnosed(&codes::CERTIFICATE_PURPOSE),
        listed("keyUsage keyCertSign only", |server| server.with(key_usage(&[KEY_CERT_SIGN]))).refused(Chain),
        listed("unknown critical extension", |server| server.with(unknown().critical()))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        listed("RSA 1024", |server| server.keyed(Kind::Rsa(1024))).diagnosed(&codes::CERTIFICATE_WEAK),
        listed("with a wrong signature", Draft::spoiled).accepted(),
        Case::new("self-signed, not listed", &[&unlisted])
            .root(&[&usual_root().self_signed()])
            .diagnosed(&codes::SELF_SIGNED),
        Case::new("self-signed, listed with another serial number", &[&unlisted])
            .root(&[&reissued])
            .refused(Chain),
        Case::new("self-signed, another key of that name listed", &[&unlisted])
            .root(&[&other_key])
            .refused(Chain),
        Case::new("self-signed, another key of that name listed, without key identifiers", &[&unidentified])
            .root(&[&other_key_unidentified])
            .refused(Chain),
        Case::new("self-signed, listed after another key of that name", &[&unlisted])
            .root(&[&other_key, &unlisted])
            .accepted(),
        Case::new(
            "self-signed, listed after another key of that name, without key identifiers",
            &[&unidentified],
        )
        .root(&[&other_key_unidentified, &unidentified])
        .refused(Chain),
    ]
}

fn unknown() -> Extension {
    Extension::new("1.3.6.1.4.1.99999.1", null())
}

fn fields() -> Vec<Case> {
    vec![
        on_server("server as it should be", |server| server).accepted(),
        on_server("server CA:TRUE without keyUsage", |server| {
            server.without(KEY_USAGE).with(basic_constraints(true, None))
        })
        .accepted(),
        on_server("server version 1", |server| server.version(1)).accepted(),
        on_server("server version 2", |server| server.version(2)).accepted(),
        on_server("server without extensions", Draft::without_extensions).accepted(),
        on_server("server without key identifiers", Draft::unidentified).accepted(),
        on_server("server with an empty subject", |server| server.subject(name(&[]))).accepted(),
        on_server("server serial 0", |server| server.serial(&[0])).accepted(),
        on_server("server serial negative", |server| server.serial(&[0x80, 1])).accepted(),
        on_server("server serial of 30 bytes", |server| server.serial(&[0x7a; 30])).accepted(),
        on_server("server with unique identifiers", Draft::unique_identifiers).accepted(),
        on_server("server with unique identifiers in version 1", |server| {
            server.version(1).unique_identifiers()
        })
        .accepted(),
        on_server("server with a wrong signature", Draft::spoiled).diagnosed(&codes::CERTIFICATE_INVALID),
        on_server("server whose inner and outer signature algorithms differ", |server| {
            server.inner_algorithm(signature_algorithm(Kind::P256, Scheme::Usual(Hash::Sha384)))
        })
        .refused(Chain),
        on_server("server issued by the wrong name", |server| server.issuer(common_name("Nobody")))
            .refused(Chain),
        on_server("server with pathlen and CA:FALSE", |server| {
            server.with(basic_constraints(false, Some(0)))
        })
        .accepted(),
        on_server("server with basicConstraints twice", |server| server.also(basic_constraints(false, None)))
            .refused(Malformed),
        on_server("server with keyUsage twice", |server| server.also(key_usage(&[DIGITAL_SIGNATURE])))
            .refused(Malformed),
        on_server("server with EKU twice", |server| server.also(extended_key_usage(&[SERVER_AUTH])))
            .refused(Malformed),
        on_server("server with SAN twice", |server| server.also(alt_names([dns("other.test")])))
            .refused(Malformed),
        on_server("server with an unknown extension twice", |server| server.also(unknown()).also(unknown()))
            .accepted(),
        on_server("server with policies twice", |server| server.also(policies()).also(policies())).accepted(),
    ]
}

fn dates() -> Vec<Case> {
    let between = |name: &str, from: Vec<u8>, to: Vec<u8>| {
        on_server(format!("server {name}"), |server| server.valid(from, to))
    };
    let past = || days(-2);
    let future = || days(300);
    vec![
        on_server("server expired", Draft::expired).diagnosed(&codes::CERTIFICATE_EXPIRED),
        on_server("server not yet valid", Draft::future).diagnosed(&codes::CERTIFICATE_NOT_YET_VALID),
        between("valid until 9999", past(), generalized_time("99991231235959Z")).accepted(),
        between("valid since 1950", utc_time("500101000000Z"), future()).accepted(),
        between("valid until 1949 by its two digits (2049)", past(), utc_time("491231235959Z")).accepted(),
        between("expired in 1951", utc_time("500101000000Z"), utc_time("510101000000Z"))
            .diagnosed(&codes::CERTIFICATE_EXPIRED),
        between("GeneralizedTime before 2050", generalized_time("20200101000000Z"), future()).accepted(),
        between("GeneralizedTime of the year 0001", generalized_time("00010101000000Z"), future()).accepted(),
        between("ending before it begins", future(), past()).refused(Chain),
        between("UTCTime without seconds", past(), utc_time("4001010000Z"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        between("UTCTime with an offset", past(), utc_time("400101000000+0100"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        between("UTCTime without Z", past(), utc_time("400101000000")).diagnosed(&codes::CERTIFICATE_INVALID),
        between("GeneralizedTime with fractions", past(), generalized_time("20400101000000.5Z"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        between("GeneralizedTime without Z", past(), generalized_time("20400101000000"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        between("a thirteenth month", past(), utc_time("401301000000Z"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        between("the 30th of February", past(), utc_time("400230000000Z"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        between("the hour 24", past(), utc_time("400101240000Z")).diagnosed(&codes::CERTIFICATE_INVALID),
        between("the second 60", past(), utc_time("400101000060Z")).diagnosed(&codes::CERTIFICATE_INVALID),
        between("an empty date", past(), utc_time("")).diagnosed(&codes::CERTIFICATE_INVALID),
        between("letters for a date", past(), utc_time("forever now Z"))
            .diagnosed(&codes::CERTIFICATE_INVALID),
    ]
}

fn usages() -> Vec<Case> {
    let usage = |name: &str, bits: &[u8]| {
        on_server(format!("server keyUsage {name}"), |server| server.with(key_usage(bits)))
    };
    let purpose = |name: &str, purposes: &[&str]| {
        on_server(format!("server EKU {name}"), |server| server.with(extended_key_usage(purposes)))
    };
    let netscape = |name: &str, bits: &[u8]| {
        let extension = Extension::new(NETSCAPE_TYPE, crate::support::der::named_bits(bits));
        on_server(format!("server Netscape type {name}"), |server| server.with(extension))
    };
    vec![
        usage("digitalSignature", &[DIGITAL_SIGNATURE]).accepted(),
        usage("keyEncipherment", &[KEY_ENCIPHERMENT]).accepted(),
        usage("keyAgreement", &[KEY_AGREEMENT]).accepted(),
        usage("digitalSignature and keyCertSign", &[DIGITAL_SIGNATURE, KEY_CERT_SIGN]).accepted(),
        usage("keyCertSign and cRLSign", &[KEY_CERT_SIGN, CRL_SIGN]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        usage("nonRepudiation", &[NON_REPUDIATION]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        usage("empty", &[]).refused(Malformed),
        on_server("server keyUsage absent", |server| server.without(KEY_USAGE)).accepted(),
        on_server("server keyUsage not critical and unfit", |server| {
            server.with(key_usage(&[KEY_CERT_SIGN]).not_critical())
        })
        .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_server("server CA:TRUE with keyUsage keyCertSign", |server| {
            server.with(basic_constraints(true, None)).with(key_usage(&[KEY_CERT_SIGN]))
        })
        .diagnosed(&codes::CERTIFICATE_PURPOSE),
        on_server("server EKU absent", |server| server.without(EXTENDED_KEY_USAGE)).accepted(),
        purpose("serverAuth and clientAuth", &[SERVER_AUTH, CLIENT_AUTH]).accepted(),
        purpose("any and serverAuth", &[ANY_PURPOSE, SERVER_AUTH]).accepted(),
        purpose("unknown and serverAuth", &["1.3.6.1.4.1.99999.2", SERVER_AUTH]).accepted(),
        purpose("Netscape server gated crypto", &["2.16.840.1.113730.4.1"]).accepted(),
        purpose("Microsoft server gated crypto", &["1.3.6.1.4.1.311.10.3.3"]).accepted(),
        purpose("clientAuth", &[CLIENT_AUTH]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        purpose("any", &[ANY_PURPOSE]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        purpose("unknown", &["1.3.6.1.4.1.99999.2"]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        purpose("without any purpose", &[]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        netscape("server", &[1]).accepted(),
        netscape("client and server", &[0, 1]).accepted(),
        netscape("client", &[0]).diagnosed(&codes::CERTIFICATE_PURPOSE),
        netscape("SSL CA", &[5]).diagnosed(&codes::CERTIFICATE_PURPOSE),
    ]
}

fn policies() -> Extension {
    Extension::new(POLICIES, sequence(&[&sequence(&[&oid("1.3.6.1.4.1.99999.3")])]))
}

fn criticals() -> Vec<Case> {
    let critical = |name: &str, extension: Extension| {
        on_server(format!("server with critical {name}"), |server| server.with(extension.critical()))
    };
    let access = sequence(&[&sequence(&[&oid("1.3.6.1.5.5.7.48.1"), &uri("http://ocsp.test")])]);
    let points = sequence(&[&sequence(&[&explicit(0, &[&explicit(0, &[&uri("http://crl.test")])])])]);
    vec![
        on_server("server with an unknown extension", |server| server.with(unknown())).accepted(),
        critical("unknown extension", unknown()).diagnosed(&codes::CERTIFICATE_INVALID),
        critical("subjectAltName", alt_names([dns(HOST)])).accepted(),
        critical("EKU", extended_key_usage(&[SERVER_AUTH])).accepted(),
        critical("policies", policies()).accepted(),
        critical("policy constraints", Extension::new("2.5.29.36", sequence(&[&implicit(0, &[0])])))
            .accepted(),
        critical("inhibitAnyPolicy", Extension::new("2.5.29.54", integer(&[0]))).accepted(),
        critical(
            "policy mappings",
            Extension::new(
                "2.5.29.33",
                sequence(&[&sequence(&[&oid("1.3.6.1.4.1.99999.3"), &oid("1.3.6.1.4.1.99999.4")])]),
            ),
        )
        .accepted(),
        critical("CRL distribution points", Extension::new("2.5.29.31", points)).accepted(),
        critical("Netscape type", Extension::new(NETSCAPE_TYPE, crate::support::der::named_bits(&[1])))
            .accepted(),
        critical("name constraints", name_constraints(&[dns("test")], &[])).accepted(),
        critical("OCSP no check", Extension::new("1.3.6.1.5.5.7.48.1.5", null())).accepted(),
        critical("authority information access", Extension::new("1.3.6.1.5.5.7.1.1", access))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        critical("issuerAltName", Extension::new("2.5.29.18", sequence(&[&dns("issuer.test")])))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        critical("TLS feature", Extension::new("1.3.6.1.5.5.7.1.24", sequence(&[&integer(&[5])])))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        critical("freshest CRL", Extension::new("2.5.29.46", sequence(&[])))
            .diagnosed(&codes::CERTIFICATE_INVALID),
        critical(
            "Netscape comment",
            Extension::new("2.16.840.1.113730.1.13", crate::support::der::utf8("x")),
        )
        .diagnosed(&codes::CERTIFICATE_INVALID),
        on_server("server with critical key identifiers", |server| {
            let own = octets(&[7; 20]);
            server.with(Extension::new(SUBJECT_KEY_IDENTIFIER, own).critical())
        })
        .diagnosed(&codes::CERTIFICATE_INVALID),
        on_server("server that is a proxy certificate", |server| {
            let language = sequence(&[&oid("1.3.6.1.5.5.7.21.1")]);
            let proxy = Extension::new("1.3.6.1.5.5.7.1.14", sequence(&[&language])).critical();
            server.without(SUBJECT_ALT_NAME).without(BASIC_CONSTRAINTS).with(proxy)
        })
        .refused(Chain),
        critical("IP resources", addresses(&null())).accepted(),
    ]
}

/// The address blocks of RFC 3779: one family, version 4.
fn addresses(choice: &[u8]) -> Extension {
    Extension::new("1.3.6.1.5.5.7.1.7", sequence(&[&sequence(&[&octets(&[0, 1]), choice])]))
}

/// An address block: unused bits and the bytes of the prefix.
fn prefix(bits: &[u8]) -> Vec<u8> {
    element(0x03, &[bits])
}

/// The numbers of autonomous systems of RFC 3779.
fn systems(choice: &[u8]) -> Extension {
    Extension::new("1.3.6.1.5.5.7.1.8", sequence(&[&explicit(0, &[choice])]))
}

/// Number resources, of the server, of the CA and of the root.
fn resources() -> Vec<Case> {
    type Held = Option<Extension>;
    let held = |title: &str, server: Held, ca: Held, root: Held| {
        let with = |draft: Draft, extension: Held| match extension {
            Some(extension) => draft.with(extension),
            None => draft,
        };
        changed(
            format!("resources: {title}"),
            |draft| with(draft, server),
            |draft| with(draft, ca),
            |draft| with(draft, root),
        )
    };
    let blocks = |prefixes: &[&[u8]]| Some(addresses(&sequence_of(prefixes.iter().map(|bits| prefix(bits)))));
    let range =
        |low: &[u8], high: &[u8]| Some(addresses(&sequence(&[&sequence(&[&prefix(low), &prefix(high)])])));
    let numbers =
        |numbers: &[u8]| Some(systems(&sequence_of(numbers.iter().map(|number| integer(&[*number])))));
    let inherited = || Some(addresses(&null()));
    vec![
        held("addresses that the CA has not", blocks(&[&[0, 10]]), None, None).refused(Chain),
        held("addresses of all three", blocks(&[&[0, 10, 1]]), blocks(&[&[0, 10]]), blocks(&[&[1, 10]]))
            .accepted(),
        held("addresses outside the CA's", blocks(&[&[0, 10]]), blocks(&[&[0, 10, 1]]), blocks(&[&[0, 10]]))
            .refused(Chain),
        held("addresses outside the root's", blocks(&[&[0, 10]]), blocks(&[&[0, 10]]), blocks(&[&[0, 11]]))
            .refused(Chain),
        held("addresses that the CA inherits", blocks(&[&[0, 10, 1]]), inherited(), blocks(&[&[0, 10]]))
            .accepted(),
        held("addresses inherited by all", inherited(), inherited(), inherited()).refused(Chain),
        held("addresses inherited from a root", inherited(), inherited(), blocks(&[&[0, 10]])).accepted(),
        held("addresses inherited from nobody", inherited(), inherited(), None).accepted(),
        held("addresses of the CA only", None, blocks(&[&[0, 10]]), None).accepted(),
        held(
            "addresses in a range",
            range(&[0, 10, 1], &[0, 10, 2]),
            blocks(&[&[0, 10]]),
            blocks(&[&[0, 10]]),
        )
        .accepted(),
        held(
            "a range that is a prefix",
            range(&[0, 10, 0], &[0, 10, 255]),
            blocks(&[&[0, 10]]),
            blocks(&[&[0, 10]]),
        )
        .refused(Chain),
        held("addresses in disorder", blocks(&[&[0, 11], &[0, 9]]), blocks(&[&[0]]), blocks(&[&[0]]))
            .refused(Chain),
        held("adjacent addresses", blocks(&[&[0, 10], &[0, 11]]), blocks(&[&[0]]), blocks(&[&[0]]))
            .refused(Chain),
        held("no addresses", blocks(&[]), blocks(&[&[0]]), blocks(&[&[0]])).refused(Chain),
        held("systems that the CA has not", numbers(&[7]), None, None).refused(Chain),
        held("systems of all three", numbers(&[7]), numbers(&[7, 9]), numbers(&[5, 7, 9])).accepted(),
        held("systems outside the CA's", numbers(&[8]), numbers(&[7, 9]), numbers(&[7, 8, 9])).refused(Chain),
        held("systems in disorder", numbers(&[9, 7]), numbers(&[7, 9]), numbers(&[7, 9])).refused(Chain),
        held(
            "systems inherited by all",
            Some(systems(&null())),
            Some(systems(&null())),
            Some(systems(&null())),
        )
        .refused(Chain),
        held("broken", Some(addresses(&boolean(true))), None, None).refused(Malformed),
    ]
}

fn identifiers() -> Vec<Case> {
    let root = usual_root().self_signed();
    let ca = usual_ca().signed_by(&root);
    let with = |name: &str, extension: Extension| {
        let server = usual_server().with(extension).signed_by(&ca);
        Case::new(format!("server whose authority key identifier {name}"), &[&server, &ca]).root(&[&root])
    };
    let wrong = [9; 20];
    let own_identifier: &[u8] = &ca.identifier;
    vec![
        with("is right", authority(Some(own_identifier), None)).accepted(),
        with("is wrong", authority(Some(&wrong), None)).refused(Chain),
        with("names issuer and serial rightly", authority(None, Some((&ca.issuer, &ca.serial)))).accepted(),
        with("names the wrong serial", authority(None, Some((&ca.issuer, &[9, 9])))).refused(Chain),
        with("names the wrong issuer", authority(None, Some((&common_name("Somebody"), &ca.serial))))
            .refused(Chain),
        with(
            "is right and names the wrong serial",
            authority(Some(own_identifier), Some((&ca.issuer, &[9, 9]))),
        )
        .refused(Chain),
        with("is empty", authority(None, None)).accepted(),
        with("is an empty string", authority(Some(&[]), None)).refused(Chain),
        with("is critical", authority(Some(own_identifier), None).critical()).refused(Chain),
    ]
}

fn broken_extensions() -> Vec<Case> {
    let broken = |name: &str, oid: &'static str, value: Vec<u8>| {
        on_server(format!("server with a broken {name}"), |server| server.with(Extension::new(oid, value)))
    };
    vec![
        broken("basicConstraints", BASIC_CONSTRAINTS, null()).refused(Malformed),
        broken("keyUsage", KEY_USAGE, null()).refused(Malformed),
        broken("EKU", EXTENDED_KEY_USAGE, null()).refused(Malformed),
        broken("subjectAltName", SUBJECT_ALT_NAME, null()).refused(Malformed),
        broken("authority key identifier", AUTHORITY_KEY_IDENTIFIER, null()).refused(Malformed),
        broken("subject key identifier", SUBJECT_KEY_IDENTIFIER, vec![5, 0, 0]).refused(Malformed),
        broken("name constraints", NAME_CONSTRAINTS, null()).refused(Malformed),
        broken("policies", POLICIES, null()).accepted(),
        broken("Netscape type", NETSCAPE_TYPE, null()).refused(Malformed),
        broken("CRL distribution points", "2.5.29.31", null()).refused(Malformed),
        broken("basicConstraints with bytes behind", BASIC_CONSTRAINTS, [sequence(&[]), null()].concat())
            .accepted(),
        broken("basicConstraints with a negative path length", BASIC_CONSTRAINTS, {
            sequence(&[&boolean(true), &integer(&[0xff])])
        })
        .refused(Malformed),
        broken("basicConstraints with CA written as FALSE", BASIC_CONSTRAINTS, sequence(&[&boolean(false)]))
            .accepted(),
        broken("basicConstraints with TRUE written as 01", BASIC_CONSTRAINTS, sequence(&[&[1, 1, 1]]))
            .accepted(),
    ]
}

/// Chains whose bytes are no certificates, so that the server must not look at them.
fn undecodable() -> Vec<Case> {
    let root = usual_root().self_signed();
    let ca = usual_ca().signed_by(&root);
    let server = usual_server().signed_by(&ca);
    let case = |name: &str, der: Vec<u8>| {
        Case::new(format!("server certificate {name}"), &[&server, &ca]).root(&[&root]).raw(0, der)
    };
    let behind = [server.der.clone(), vec![0]].concat();
    let cut = server.der[..server.der.len() - 1].to_vec();
    let serial = |content: &[u8]| usual_server().serial(content).signed_by(&ca).der;
    vec![
        Case::new("a server that looks at no certificate", &[&server, &ca]).root(&[&root]).blind().accepted(),
        Case::new("a server without its certificate's key", &[&server, &ca])
            .root(&[&root])
            .held_by(Key::labelled(Kind::P256, "stolen"))
            .refused(Handshake),
        Case::new("a server without its certificate's key, nothing verified", &[&server, &ca])
            .mode("require")
            .held_by(Key::labelled(Kind::P256, "stolen"))
            .refused(Handshake),
        case("with a byte behind it", behind).refused(Malformed),
        case("cut off", cut).refused(Malformed),
        case("is no DER", b"certificate".to_vec()).refused(Malformed),
        case("is empty", Vec::new()).refused(Malformed),
        case("with an empty serial number", serial(&[])).refused(Malformed),
        case("with a padded serial number", serial(&[0, 0, 1])).refused(Malformed),
        case("with a padded negative serial number", serial(&[0xff, 0xff])).refused(Malformed),
        Case::new("CA certificate cut off", &[&server, &ca])
            .root(&[&root])
            .raw(1, ca.der[..40].to_vec())
            .refused(Malformed),
        Case::new("CA certificate with a byte behind it", &[&server, &ca])
            .root(&[&root])
            .raw(1, [ca.der.clone(), vec![0]].concat())
            .refused(Malformed),
        Case::new("an unrelated third certificate cut off", &[&server, &ca, &root])
            .root(&[&root])
            .raw(2, root.der[..40].to_vec())
            .refused(Malformed),
    ]
}
