//! The root file as OpenSSL's PEM reader takes it.

use super::Reason::{Chain, RootFile};
use super::{Case, usual_ca, usual_root, usual_server};
use crate::support::der::{oid, pem, sequence};
use crate::support::odd_pki::*;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let root = usual_root().self_signed();
    let ca = usual_ca().signed_by(&root);
    let server = usual_server().signed_by(&ca);
    let stranger = Draft::authority("Stranger").self_signed();
    let good = root.pem();
    let other = stranger.pem();
    let bare = |title: &str| Case::new(format!("root file: {title}"), &[&server, &ca]);
    let case = |title: &str, content: &[u8]| bare(title).root_file(content);
    let body = openssl::base64::encode_block(&root.der).replace('\n', "");
    let block = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let wrapped = |width: usize| {
        let lines: Vec<&str> =
            body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        block(&lines.join("\n"))
    };
    let key = String::from_utf8(root.key.private.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let rsa_key = {
        let rsa = Key::labelled(Kind::Rsa(2048), "").private.rsa().unwrap();
        String::from_utf8(rsa.private_key_to_pem().unwrap()).unwrap()
    };
    let crl = crl_pem(&CrlDraft::revoking(&[]).signed_by(&root));
    let cut = &good[..good.len() / 2];
    let truncated = pem("CERTIFICATE", &root.der[..root.der.len() - 20]);
    let trailing = pem("CERTIFICATE", &[root.der.clone(), vec![0]].concat());
    let bad_base64 = block(&body.replacen('M', "!", 1));
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(good.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let indented: String = good.lines().map(|line| format!("    {line}\n")).collect();
    let many: String = (0..150)
        .map(|number| Draft::authority(&format!("Extra Root {number}")).self_signed().pem())
        .chain([good.clone()])
        .collect();
    let trusted = |auxiliary: &[u8]| pem("TRUSTED CERTIFICATE", &[root.der.as_slice(), auxiliary].concat());
    let uses = |purposes: &[&str]| {
        sequence(&[&purposes.iter().map(|purpose| oid(purpose)).collect::<Vec<_>>().concat()])
    };
    let rejects = |purpose: &str| sequence(&[&crate::support::der::explicit(0, &[&oid(purpose)])]);
    let pkcs7 = {
        // A degenerate SignedData (RFC 2315): certificates and nothing else.
        use crate::support::der::{explicit, integer, set};
        let content = sequence(&[&oid("1.2.840.113549.1.7.1")]);
        let signed = sequence(&[&integer(&[1]), &set(&[]), &content, &explicit(0, &[&root.der]), &set(&[])]);
        sequence(&[&oid("1.2.840.113549.1.7.2"), &explicit(0, &[&signed])])
    };
    let with_bom = format!("\u{feff}{good}");
    let windows = good.replace('\n', "\r\n");
    let relabelled = |label: &str| good.replace("CERTIFICATE", label);
    let mut all = vec![
        case("text around the blocks", format!("# My roots\n\nIssued by me:\n{good}\nend\n").as_bytes())
            .accepted(),
        case(
            "what openssl x509 -text writes",
            format!("Certificate:\n    Data:\n        Version: 3\n{good}").as_bytes(),
        )
        .accepted(),
        case("CRLF", windows.as_bytes()).accepted(),
        case("CR only", good.replace('\n', "\r").as_bytes()).refused(RootFile),
        case("no final newline", good.trim_end().as_bytes()).accepted(),
        case("base64 in one line", block(&body).as_bytes()).accepted(),
        case("base64 in lines of 76", wrapped(76).as_bytes()).accepted(),
        case("base64 in lines of 20", wrapped(20).as_bytes()).accepted(),
        case("base64 in lines of 300", wrapped(300).as_bytes()).accepted(),
        case("an empty line in the base64", good.replacen("\nMII", "\n\nMII", 1).as_bytes()).accepted(),
        case("blanks at the ends of lines", good.replace('\n', "  \n").as_bytes()).accepted(),
        case("blanks before the base64", good.replace("\nM", "\n M").as_bytes()).accepted(),
        case("label X509 CERTIFICATE", relabelled("X509 CERTIFICATE").as_bytes()).accepted(),
        case("label TRUSTED CERTIFICATE without trust settings", trusted(&[]).as_bytes()).accepted(),
        case(
            "label TRUSTED CERTIFICATE trusted for servers",
            trusted(&sequence(&[&uses(&[SERVER_AUTH])])).as_bytes(),
        )
        .accepted(),
        case(
            "label TRUSTED CERTIFICATE trusted for e-mail",
            trusted(&sequence(&[&uses(&["1.3.6.1.5.5.7.3.4"])])).as_bytes(),
        )
        .refused(Chain),
        case("label TRUSTED CERTIFICATE rejected for servers", trusted(&rejects(SERVER_AUTH)).as_bytes())
            .refused(Chain),
        case(
            "label TRUSTED CERTIFICATE rejected for e-mail",
            trusted(&rejects("1.3.6.1.5.5.7.3.4")).as_bytes(),
        )
        .accepted(),
        case("a private key before it", format!("{key}{good}").as_bytes()).accepted(),
        case("a private key behind it", format!("{good}{rsa_key}").as_bytes()).accepted(),
        case("the same root three times", good.repeat(3).as_bytes()).accepted(),
        case("another root before it", format!("{other}{good}").as_bytes()).accepted(),
        case("another root behind it", format!("{good}{other}").as_bytes()).accepted(),
        case("150 more roots", many.as_bytes()).accepted(),
        case("a CRL before it", format!("{crl}{good}").as_bytes()).accepted(),
        case("a CRL behind it", format!("{good}{crl}").as_bytes()).accepted(),
        case("a CRL only", crl.as_bytes()).refused(Chain),
        case("a byte-order mark", with_bom.as_bytes()).accepted(),
        case("text before BEGIN on its line", format!("root: {good}").as_bytes()).refused(RootFile),
        case("text behind BEGIN on its line", good.replacen("-----\n", "----- x\n", 1).as_bytes())
            .refused(RootFile),
        case("four dashes", good.replace("-----", "----").as_bytes()).refused(RootFile),
        case("another END label", good.replace("END CERTIFICATE", "END X509").as_bytes()).refused(RootFile),
        case("empty", b"").diagnosed(&codes::ROOT_FILE_INVALID),
        case("blank", b" \n\n").refused(RootFile),
        case("a web page", b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n")
            .diagnosed(&codes::ROOT_FILE_INVALID),
        case("DER", &root.der).diagnosed(&codes::ROOT_FILE_INVALID),
        case("PKCS#7 as PEM", pem("PKCS7", &pkcs7).as_bytes()).diagnosed(&codes::ROOT_FILE_INVALID),
        case("PKCS#7 as DER", &pkcs7).diagnosed(&codes::ROOT_FILE_INVALID),
        case("a certificate labelled PKCS7", relabelled("PKCS7").as_bytes()).refused(RootFile),
        case("UTF-16", &utf16).diagnosed(&codes::ROOT_FILE_INVALID),
        case("indented", indented.as_bytes()).refused(RootFile),
        case("a wrong label", relabelled("CERT").as_bytes()).refused(RootFile),
        case("label in lower case", relabelled("certificate").as_bytes()).refused(RootFile),
        case("a request", relabelled("CERTIFICATE REQUEST").as_bytes()).refused(RootFile),
        case("a private key only", key.as_bytes()).diagnosed(&codes::ROOT_FILE_INVALID),
        case("base64 without BEGIN and END", body.as_bytes()).refused(RootFile),
        case("cut off", cut.as_bytes()).diagnosed(&codes::ROOT_FILE_INVALID),
        case("cut off in its second block", format!("{good}{}", &other[..other.len() / 2]).as_bytes())
            .refused(RootFile),
        case("cut off in its first block", format!("{}\n{good}", &other[..other.len() / 2]).as_bytes())
            .refused(RootFile),
        case("bad base64 behind the good one", format!("{good}{bad_base64}").as_bytes())
            .diagnosed(&codes::ROOT_FILE_INVALID),
        case("bad base64 before the good one", format!("{bad_base64}{good}").as_bytes()).refused(RootFile),
        case("truncated DER behind the good one", format!("{good}{truncated}").as_bytes())
            .diagnosed(&codes::ROOT_FILE_INVALID),
        case("an empty block behind the good one", format!("{good}{}", block("")).as_bytes())
            .refused(RootFile),
        case(
            "a bad block of another label behind the good one",
            format!("{good}-----BEGIN NONSENSE-----\n!!!\n-----END NONSENSE-----\n").as_bytes(),
        )
        .refused(RootFile),
        case(
            "a well-formed block of another label behind it",
            format!("{good}-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n").as_bytes(),
        )
        .accepted(),
        case("DER with a byte behind it", trailing.as_bytes()).accepted(),
        case("padding left out", block(body.trim_end_matches('=')).as_bytes()).expects(
            if body.ends_with('=') { super::Outcome::Refused(RootFile) } else { super::Outcome::Accepted },
        ),
        case("a NUL byte before it", format!("\0\n{good}").as_bytes()).refused(RootFile),
        case("PEM headers in the block", good.replacen("-----\n", "-----\nComment: mine\n\n", 1).as_bytes())
            .refused(RootFile),
        bare("missing").settings("sslrootcert=DIR/none.crt").diagnosed(&codes::ROOT_FILE_MISSING),
        bare("a directory")
            .directory("root.crt")
            .settings("sslrootcert=DIR/root.crt")
            .diagnosed(&codes::ROOT_FILE_UNREADABLE),
        bare("a hashed directory")
            .file(format!("roots/{}.0", root.subject_hash()), good.clone())
            .settings("sslrootcert=DIR/roots")
            .diagnosed(&codes::ROOT_FILE_UNREADABLE),
        bare("a dangling link")
            .link("root.crt", "nowhere")
            .settings("sslrootcert=DIR/root.crt")
            .diagnosed(&codes::ROOT_FILE_MISSING),
        bare("a link to it")
            .file("real.crt", good.clone())
            .link("root.crt", "real.crt")
            .settings("sslrootcert=DIR/root.crt")
            .accepted(),
        bare("below a file").file("file", "x").settings("sslrootcert=DIR/file/root.crt").refused(RootFile),
        bare("relative to the working directory")
            .file("here.crt", good.clone())
            .settings("sslrootcert=here.crt")
            .accepted(),
        bare("with a tilde")
            .file("root.crt", good.clone())
            .settings("sslrootcert=~/root.crt")
            .diagnosed(&codes::ROOT_FILE_MISSING),
        bare("an empty name, with a default file")
            .file(".postgresql/root.crt", good.clone())
            .settings("sslrootcert=''")
            .accepted(),
    ];
    all.extend(expired_among(&root));
    all
}

fn expired_among(root: &Issued) -> Vec<Case> {
    let ca = usual_ca().signed_by(root);
    let server = usual_server().signed_by(&ca);
    let expired = Draft::authority("Expired Stranger").expired().self_signed();
    let server_of_expired = usual_server().signed_by(&expired);
    vec![
        Case::new("root file: an expired stranger among them", &[&server, &ca])
            .root(&[&expired, root])
            .accepted(),
        Case::new("root file: the one wanted is expired", &[&server_of_expired])
            .root(&[&expired, root])
            .refused(Chain),
    ]
}
