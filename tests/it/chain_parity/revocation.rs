//! CRLs: sslcrl, sslcrldir and the default file.

use super::Reason::Chain;
use super::{Case, usual_ca, usual_root, usual_server};
use crate::support::der::{boolean, element, implicit, integer, null, sequence};
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

/// The people of these cases.
struct Certificates {
    root: Issued,
    ca: Issued,
    server: Issued,
    /// Of the root and of the CA, revoking nothing.
    clear: [Vec<u8>; 2],
}

impl Certificates {
    fn new() -> Self {
        let root = usual_root().self_signed();
        let ca = usual_ca().signed_by(&root);
        let server = usual_server().signed_by(&ca);
        let clear = [CrlDraft::revoking(&[]).signed_by(&root), CrlDraft::revoking(&[]).signed_by(&ca)];
        Self { root, ca, server, clear }
    }

    fn case(&self, title: &str) -> Case {
        Case::new(format!("CRL: {title}"), &[&self.server, &self.ca]).root(&[&self.root])
    }

    /// With a file of these CRLs.
    fn file(&self, title: &str, crls: &[&Vec<u8>]) -> Case {
        let text: String = crls.iter().map(|crl| crl_pem(crl)).collect();
        self.text(title, text)
    }

    fn text(&self, title: &str, content: impl Into<Vec<u8>>) -> Case {
        self.case(title).file("list.crl", content).settings("sslcrl=DIR/list.crl")
    }

    /// A directory with these CRLs, named as OpenSSL looks for them.
    fn hashed(&self, title: &str, crls: &[(&Issued, &Vec<u8>, u8)]) -> Case {
        let mut case = self.case(title).directory("crls").settings("sslcrldir=DIR/crls");
        for (issuer, crl, number) in crls {
            case = case.file(format!("crls/{}.r{number}", issuer.subject_hash()), crl_pem(crl));
        }
        case
    }
}

pub(super) fn cases() -> Vec<Case> {
    let certificates = Certificates::new();
    let mut all = files(&certificates);
    all.extend(directories(&certificates));
    all.extend(lists(&certificates));
    all.extend(paths());
    all
}

fn files(certificates: &Certificates) -> Vec<Case> {
    let Certificates { root, ca, server, clear: [of_root, of_ca] } = certificates;
    let revoking = CrlDraft::revoking(&[server]).signed_by(ca);
    let revoking_ca = CrlDraft::revoking(&[ca]).signed_by(root);
    let default = |title: &str, crls: &[&Vec<u8>]| {
        let text: String = crls.iter().map(|crl| crl_pem(crl)).collect();
        certificates.case(title).file(".postgresql/root.crl", text)
    };
    vec![
        certificates.file("of all CAs, nothing revoked", &[of_root, of_ca]).accepted(),
        certificates.file("in the other order", &[of_ca, of_root]).accepted(),
        certificates.file("the server revoked", &[of_root, &revoking]).diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates.file("the CA revoked", &[&revoking_ca, of_ca]).diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates.file("of the issuing CA only", &[of_ca]).diagnosed(&codes::CRL_MISSING),
        certificates.file("of the root only", &[of_root]).diagnosed(&codes::CRL_MISSING),
        certificates.file("of the issuing CA only, the server revoked", &[&revoking]).refused(Chain),
        certificates.case("file missing").settings("sslcrl=DIR/none.crl").accepted(),
        certificates.text("file empty", "").accepted(),
        certificates.text("file garbage", "nothing of use\n").accepted(),
        certificates.text("file DER", revoking.clone()).accepted(),
        certificates
            .case("file a directory")
            .directory("list.crl")
            .settings("sslcrl=DIR/list.crl")
            .accepted(),
        certificates.text("file of a certificate", root.pem()).diagnosed(&codes::CRL_MISSING),
        certificates
            .text("file of a private key", root.key.private.private_key_to_pem_pkcs8().unwrap())
            .accepted(),
        certificates
            .text("text around the blocks", format!("CRLs\n{}\n{}end", crl_pem(of_root), crl_pem(of_ca)))
            .accepted(),
        certificates
            .text("bad block behind good ones, the server revoked", {
                format!(
                    "{}{}-----BEGIN X509 CRL-----\n!!!\n-----END X509 CRL-----\n",
                    crl_pem(of_root),
                    crl_pem(&revoking)
                )
            })
            .accepted(),
        certificates
            .text("CRLF", format!("{}{}", crl_pem(of_root), crl_pem(&revoking)).replace('\n', "\r\n"))
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        // OpenSSL loads certificates from the same file, and what it loads it trusts.
        certificates
            .text("file with the root as well, root file of a stranger", {
                format!("{}{}{}", root.pem(), crl_pem(of_root), crl_pem(of_ca))
            })
            .settings("sslrootcert=DIR/stranger.crt")
            .file("stranger.crt", Draft::authority("Stranger").self_signed().pem())
            .accepted(),
        default("default file, nothing revoked", &[of_root, of_ca]).accepted(),
        default("default file, the server revoked", &[of_root, &revoking])
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        default("default file not looked at when sslcrl is set", &[of_root, &revoking])
            .settings("sslcrl=DIR/none.crl")
            .accepted(),
        default("default file not looked at when sslcrldir is set", &[of_root, of_ca])
            .directory("crls")
            .settings("sslcrldir=DIR/crls")
            .refused(Chain),
        default("default file looked at when sslcrl is empty", &[of_root, &revoking])
            .settings("sslcrl=''")
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates
            .file("verify-ca, the server revoked", &[of_root, &revoking])
            .mode("verify-ca")
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates
            .file("require with a root file, the server revoked", &[of_root, &revoking])
            .mode("require")
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        Case::new("CRL: require without a root file, the server revoked", &[server, ca])
            .mode("require")
            .file("list.crl", format!("{}{}", crl_pem(of_root), crl_pem(&revoking)))
            .settings("sslcrl=DIR/list.crl")
            .accepted(),
        certificates
            .file("the server revoked, wrong name", &[of_root, &revoking])
            .host("other.test")
            .refused(Chain),
        Case::new("CRL: in the root file, the server revoked", &[server, ca])
            .root_file(format!("{}{}{}", root.pem(), crl_pem(of_root), crl_pem(&revoking)))
            .accepted(),
    ]
}

fn directories(certificates: &Certificates) -> Vec<Case> {
    let Certificates { root, ca, server, clear: [of_root, of_ca] } = certificates;
    let revoking = CrlDraft::revoking(&[server]).number(2).updates(days(-1), Some(days(30))).signed_by(ca);
    vec![
        certificates.hashed("directory, nothing revoked", &[(root, of_root, 0), (ca, of_ca, 0)]).accepted(),
        certificates
            .hashed("directory, the server revoked", &[(root, of_root, 0), (ca, &revoking, 0)])
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates
            .hashed("directory with the issuing CA's only", &[(ca, of_ca, 0)])
            .diagnosed(&codes::CRL_MISSING),
        certificates.hashed("directory empty", &[]).diagnosed(&codes::CRL_MISSING),
        certificates.case("directory missing").settings("sslcrldir=DIR/none").diagnosed(&codes::CRL_MISSING),
        certificates
            .case("directory with names that are no hashes")
            .file("crls/root.crl", crl_pem(of_root))
            .file("crls/ca.crl", crl_pem(of_ca))
            .settings("sslcrldir=DIR/crls")
            .diagnosed(&codes::CRL_MISSING),
        certificates
            .case("directory in the file's place, hashed")
            .file(format!("crls/{}.r0", root.subject_hash()), crl_pem(of_root))
            .settings("sslcrl=DIR/crls")
            .accepted(),
        certificates
            .hashed("directory numbered from 1", &[(root, of_root, 1), (ca, of_ca, 1)])
            .diagnosed(&codes::CRL_MISSING),
        certificates
            .hashed(
                "directory with an old and a revoking one",
                &[(root, of_root, 0), (ca, of_ca, 0), (ca, &revoking, 1)],
            )
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates
            .hashed("directory for the CA, file for the root", &[(ca, of_ca, 0)])
            .file("list.crl", crl_pem(of_root))
            .settings("sslcrl=DIR/list.crl")
            .accepted(),
        certificates
            .hashed("directory for the root, file for the CA, the server revoked", &[(root, of_root, 0)])
            .file("list.crl", crl_pem(&revoking))
            .settings("sslcrl=DIR/list.crl")
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates
            .hashed(
                "directory good, file missing, the server revoked",
                &[(root, of_root, 0), (ca, &revoking, 0)],
            )
            .settings("sslcrl=DIR/none.crl")
            .accepted(),
        certificates
            .hashed(
                "directory good, file empty, the server revoked",
                &[(root, of_root, 0), (ca, &revoking, 0)],
            )
            .file("list.crl", "")
            .settings("sslcrl=DIR/list.crl")
            .accepted(),
        certificates
            .case("directory with DER files")
            .file(format!("crls/{}.r0", root.subject_hash()), of_root.clone())
            .file(format!("crls/{}.r0", ca.subject_hash()), of_ca.clone())
            .settings("sslcrldir=DIR/crls")
            .refused(Chain),
        certificates
            .case("two directories")
            .file(format!("one/{}.r0", root.subject_hash()), crl_pem(of_root))
            .file(format!("two/{}.r0", ca.subject_hash()), crl_pem(of_ca))
            .settings("sslcrldir=DIR/one:DIR/two")
            .accepted(),
        // As above: a hashed certificate in the directory is trusted.
        certificates
            .case("directory with roots as well, root file of a stranger")
            .file(format!("crls/{}.0", root.subject_hash()), root.pem())
            .file(format!("crls/{}.r0", root.subject_hash()), crl_pem(of_root))
            .file(format!("crls/{}.r0", ca.subject_hash()), crl_pem(of_ca))
            .settings("sslcrldir=DIR/crls sslrootcert=DIR/stranger.crt")
            .file("stranger.crt", Draft::authority("Stranger").self_signed().pem())
            .accepted(),
    ]
}

/// What a single CRL may say.
fn lists(certificates: &Certificates) -> Vec<Case> {
    let Certificates { root, ca, server, clear: [of_root, of_ca] } = certificates;
    let with = |title: &str, draft: CrlDraft| certificates.file(title, &[of_root, &draft.signed_by(ca)]);
    let clear = || CrlDraft::revoking(&[]);
    let wrong = Key::labelled(Kind::P256, "wrong");
    let by_other_key = clear().sign(&wrong, &ca.subject, &ca.identifier);
    let by_other_ca = clear().signed_by(&Draft::authority("Stranger").self_signed());
    let revoking = |number| CrlDraft::revoking(&[server]).number(number);
    let older = revoking(1).updates(days(-5), Some(days(20))).signed_by(ca);
    let newer = clear().number(2).signed_by(ca);
    let newer_revoking = revoking(2).signed_by(ca);
    let older_clear = clear().number(1).updates(days(-5), Some(days(20))).signed_by(ca);
    let expired = clear().updates(days(-9), Some(days(-1))).signed_by(ca);
    let reason = |code: u8| Extension::new("2.5.29.21", element(0x0a, &[&[code]]));
    let unknown = || Extension::new("1.3.6.1.4.1.99999.9", null());
    // IssuingDistributionPoint (RFC 5280, 5.2.5) with one of its flags.
    let distribution =
        |field: u8| Extension::new("2.5.29.28", sequence(&[&implicit(field, &[0xff])])).critical();
    vec![
        with("expired", clear().updates(days(-9), Some(days(-1)))).diagnosed(&codes::CRL_INVALID),
        with("of the future", clear().updates(days(1), Some(days(9)))).diagnosed(&codes::CRL_INVALID),
        with("without a next update", clear().updates(days(-9), None)).accepted(),
        with("badly signed", clear().spoiled()).diagnosed(&codes::CRL_INVALID),
        certificates.file("signed by another key", &[of_root, &by_other_key]).refused(Chain),
        certificates.file("of another CA", &[of_root, &by_other_ca]).diagnosed(&codes::CRL_MISSING),
        with("without authority key identifier", clear().unidentified()).accepted(),
        with(
            "with the wrong authority key identifier",
            clear().unidentified().with(authority(Some(&[9; 20]), None)),
        )
        .refused(Chain),
        with("signed with SHA-1", clear().scheme(Scheme::Usual(Hash::Sha1))).accepted(),
        with("signed with SHA-1, the server revoked", revoking(1).scheme(Scheme::Usual(Hash::Sha1)))
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        with("signed with SHA-512", clear().scheme(Scheme::Usual(Hash::Sha512))).accepted(),
        with("signed with SHA-224", clear().scheme(Scheme::Usual(Hash::Sha224))).accepted(),
        certificates.file("old revoking one and new clear one", &[of_root, &older, &newer]).accepted(),
        certificates.file("new clear one and old revoking one", &[of_root, &newer, &older]).accepted(),
        certificates
            .file("old clear one and new revoking one", &[of_root, &older_clear, &newer_revoking])
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates.file("expired one and valid one", &[of_root, &expired, of_ca]).accepted(),
        with("another serial revoked", CrlDraft { revoked: vec![vec![0x55, 1]], ..clear() }).accepted(),
        with("revoked for key compromise", revoking(1).with_entry(reason(1)))
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        with("revoked on hold", revoking(1).with_entry(reason(6))).diagnosed(&codes::CERTIFICATE_REVOKED),
        with("removed from the list", revoking(1).with_entry(reason(8))).accepted(),
        with("with an unknown extension", clear().with(unknown())).accepted(),
        with("with an unknown critical extension", clear().with(unknown().critical())).refused(Chain),
        with("with an unknown critical entry extension, another serial", {
            CrlDraft { revoked: vec![vec![0x55, 1]], ..clear() }.with_entry(unknown().critical())
        })
        .refused(Chain),
        with("for servers only", clear().with(distribution(1))).accepted(),
        with("for servers only, the server revoked", revoking(1).with(distribution(1)))
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        with("for CAs only", clear().with(distribution(2))).refused(Chain),
        with("for attribute certificates only", clear().with(distribution(5))).refused(Chain),
        with("indirect", clear().with(distribution(4))).refused(Chain),
        // libpq does not set X509_V_FLAG_EXTENDED_CRL_SUPPORT, and only with it OpenSSL puts delta CRLs aside.
        with("a delta", {
            let base = Extension::new("2.5.29.27", integer(&[1])).critical();
            clear().number(5).with(base)
        })
        .accepted(),
        with("a delta, the server revoked", {
            let base = Extension::new("2.5.29.27", integer(&[1])).critical();
            revoking(5).with(base)
        })
        .diagnosed(&codes::CERTIFICATE_REVOKED),
        certificates
            .file(
                "many serials revoked",
                &[
                    of_root,
                    &CrlDraft {
                        revoked: (0..500u16).map(|n| vec![0x50, (n >> 8) as u8, n as u8]).collect(),
                        ..clear()
                    }
                    .signed_by(ca),
                ],
            )
            .accepted(),
        {
            let root = usual_root().self_signed();
            let ca = usual_ca().with(key_usage(&[KEY_CERT_SIGN])).signed_by(&root);
            let server = usual_server().signed_by(&ca);
            let text = format!("{}{}", crl_pem(of_root), crl_pem(&clear().signed_by(&ca)));
            Case::new("CRL: of a CA whose keyUsage lacks cRLSign", &[&server, &ca])
                .root(&[&root])
                .file("list.crl", text)
                .settings("sslcrl=DIR/list.crl")
                .refused(Chain)
        },
        {
            let server = usual_server().serial(&[0x00, 0x80, 0x01]).signed_by(ca);
            let crl = CrlDraft { revoked: vec![vec![0x00, 0x80, 0x01]], ..clear() }.signed_by(ca);
            Case::new("CRL: a serial with its highest bit set revoked", &[&server, ca])
                .root(&[root])
                .file("list.crl", format!("{}{}", crl_pem(of_root), crl_pem(&crl)))
                .settings("sslcrl=DIR/list.crl")
                .diagnosed(&codes::CERTIFICATE_REVOKED)
        },
        {
            let server = usual_server().with(distribution_point("http://crl.test/a")).signed_by(ca);
            let point = crate::support::der::explicit(
                0,
                &[&crate::support::der::explicit(0, &[&uri("http://crl.test/b")])],
            );
            let crl = clear().with(Extension::new("2.5.29.28", sequence(&[&point])).critical()).signed_by(ca);
            Case::new("CRL: of another distribution point", &[&server, ca])
                .root(&[root])
                .file("list.crl", format!("{}{}", crl_pem(of_root), crl_pem(&crl)))
                .settings("sslcrl=DIR/list.crl")
                .refused(Chain)
        },
        {
            let server = usual_server().with(distribution_point("http://crl.test/a")).signed_by(ca);
            let point = crate::support::der::explicit(
                0,
                &[&crate::support::der::explicit(0, &[&uri("http://crl.test/a")])],
            );
            let crl = clear().with(Extension::new("2.5.29.28", sequence(&[&point])).critical()).signed_by(ca);
            Case::new("CRL: of the same distribution point", &[&server, ca])
                .root(&[root])
                .file("list.crl", format!("{}{}", crl_pem(of_root), crl_pem(&crl)))
                .settings("sslcrl=DIR/list.crl")
                .accepted()
        },
        with("with a broken authority key identifier", {
            clear().unidentified().with(Extension::new(AUTHORITY_KEY_IDENTIFIER, boolean(true)))
        })
        .accepted(),
    ]
}

fn distribution_point(address: &str) -> Extension {
    use crate::support::der::explicit;
    let point = sequence(&[&explicit(0, &[&explicit(0, &[&uri(address)])])]);
    Extension::new("2.5.29.31", sequence(&[&point]))
}

fn paths() -> Vec<Case> {
    let root = usual_root().self_signed();
    let server = usual_server().signed_by(&root);
    let listed = Draft::bare(super::HOST).names([dns(super::HOST)]).self_signed();
    let of_root = CrlDraft::revoking(&[]).signed_by(&root);
    let revoking = CrlDraft::revoking(&[&server]).signed_by(&root);
    let case = |title: &str, server: &Issued, root: &Issued, crl: &Vec<u8>| {
        Case::new(format!("CRL: {title}"), &[server])
            .root(&[root])
            .file("list.crl", crl_pem(crl))
            .settings("sslcrl=DIR/list.crl")
    };
    let own = CrlDraft::revoking(&[]).signed_by(&listed);
    let own_revoking = CrlDraft::revoking(&[&listed]).signed_by(&listed);
    let revoking_root = CrlDraft::revoking(&[&root]).signed_by(&root);
    vec![
        case("server under the root", &server, &root, &of_root).accepted(),
        case("server under the root revoked", &server, &root, &revoking)
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        case("the root itself revoked", &server, &root, &revoking_root)
            .diagnosed(&codes::CERTIFICATE_REVOKED),
        case("self-signed server without one of its own", &listed, &listed, &of_root).refused(Chain),
        case("self-signed server with one of its own", &listed, &listed, &own).accepted(),
        case("self-signed server revoked by itself", &listed, &listed, &own_revoking)
            .diagnosed(&codes::CERTIFICATE_REVOKED),
    ]
}
