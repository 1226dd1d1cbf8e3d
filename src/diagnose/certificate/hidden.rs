//! A certificate of the root file that hides the right one in a directory. OpenSSL looks into its directories only for a
//! name of which it holds nothing yet (`X509_STORE_CTX_get_by_subject` in crypto/x509/x509_lu.c), so that the wrong
//! certificate of that name in the file is all it considers.

use crate::certificate::Certificate;
use crate::diagnose::Fix;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, path_text};
use crate::trust::FileCertificate;
use crate::verify::signature;

/// What is found where a certificate of the file stands in the way of one of the same name in a directory that is in date
/// and whose key signed `below`.
pub(in crate::diagnose) fn hides_the_right_one(
    view: &View<'_>,
    in_file: &FileCertificate,
    below: &Certificate,
) -> Option<Finding> {
    let right = right_one(view, in_file, below)?;
    let name = in_file.certificate.short_subject();
    let place = |entry: &FileCertificate| format!("{}, line {}", path_text(&entry.file), entry.line);
    let shown =
        |entry: &FileCertificate| vec![format!("SHA-256 {}", entry.certificate.fingerprint()), place(entry)];
    let file = right
        .file
        .to_str()
        .map(|path| Fix::text(format!("use the file that has the right {name}")).set("sslrootcert", path));
    Some(
        Finding::titled(format!("a certificate named {name} in the root file hides the right one in a directory"))
            .in_short("hidden by another certificate of that name in your file")
            .because(
                "OpenSSL looks into a directory only for names of which the root file has no certificate; the one in \
                 the file does not verify this server, the one in the directory would",
            )
            .fact("name", name.clone())
            .fact("in_file", shown(in_file))
            .fact("hidden", shown(right))
            .fixes(file)
            .fix(Fix::text(format!(
                "{}: remove the certificate of {name} that begins there, if nothing else needs it",
                place(in_file)
            ))),
    )
}

/// The one in a directory: of the same name, in date, with the key that signed `below`.
fn right_one<'a>(
    view: &View<'a>,
    in_file: &FileCertificate,
    below: &Certificate,
) -> Option<&'a FileCertificate> {
    let wrong = in_file.certificate.facts().ok()?;
    let issued = below.facts().ok()?;
    let at = view.evidence.judged_at;
    let fits = |entry: &&FileCertificate| {
        entry.certificate.facts().is_ok_and(|facts| {
            facts.subject.canonical == wrong.subject.canonical
                && (facts.not_before..facts.not_after).contains(&at)
                && signature::verify(
                    &facts.spki,
                    issued.signature.algorithm,
                    below.signed_part(),
                    below.signature_value(),
                )
                .is_ok()
        })
    };
    view.evidence.in_directories.iter().find(fits)
}
