//! What a root file really holds, item by item, beside what libpq makes of it as a whole. For showing, not for judging
//! a connection: also a file that libpq refuses is taken apart as far as it goes.

use std::path::Path;

use super::blocks::CERTIFICATE_LABELS;
use super::roots::given;
use super::{FileContent, Roots};
use crate::certificate::Certificate;
use crate::certificate::pem::{self, Block};

/// A root file taken apart.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What is in it, in order; nothing if it cannot be read.
    pub items: Vec<Item>,
    /// What libpq makes of it.
    pub roots: Roots,
}

/// One thing in a root file.
#[derive(Clone, Debug)]
pub struct Item {
    /// The line where it begins, from 1; `None` where it is the whole file.
    pub line: Option<usize>,
    /// What it is.
    pub kind: ItemKind,
}

/// What something in a root file is.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// A certificate.
    Certificate(Certificate, Role),
    /// A block of another kind, which libpq passes over: its label.
    Ignored(String),
    /// A revocation list: read, and used only where revocation is checked.
    RevocationList,
    /// A block for which libpq refuses the whole file: its label, and what is wrong.
    Damaged {
        /// Its label.
        label: String,
        /// What is wrong.
        what: String,
        /// What can be read of it, if it is a certificate.
        certificate: Option<Certificate>,
    },
}

/// What a certificate can be to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A CA that signed itself: a path can end here.
    Root,
    /// A CA that another CA signed: libpq ends no path here.
    Intermediate,
    /// It signed itself and is no CA: it stands for one server.
    SelfSigned,
    /// A server's or client's certificate.
    Leaf,
}

impl Role {
    /// What a certificate is by its own words.
    pub fn of(certificate: &Certificate) -> Self {
        let Ok(facts) = certificate.facts() else { return Self::Leaf };
        // Version 1 has no extensions to say that it is a CA; OpenSSL takes a self-signed one for a root.
        match (facts.is_self_signed(), facts.is_ca() || facts.version == 1) {
            (true, true) => Self::Root,
            (true, false) => Self::SelfSigned,
            (false, _) if facts.is_ca() => Self::Intermediate,
            (false, _) => Self::Leaf,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Intermediate => "intermediate",
            Self::SelfSigned => "self-signed",
            Self::Leaf => "leaf",
        }
    }
}

/// Takes a root file apart, relative to a directory.
pub fn contents(path: &Path, directory: &Path) -> Contents {
    let (roots, bytes) = given(path, directory);
    let mut items: Vec<Item> = pem::blocks(&bytes).iter().map(item).collect();
    if let (true, Roots::Invalid { content: FileContent::DerCertificate, .. }) = (items.is_empty(), &roots) {
        let certificate = Certificate::from_der(&bytes);
        let role = Role::of(&certificate);
        items.push(Item { line: None, kind: ItemKind::Certificate(certificate, role) });
    }
    Contents { items, roots }
}

fn item(block: &Block) -> Item {
    let label = block.label.clone();
    let damaged = |what: String, certificate| ItemKind::Damaged { label: label.clone(), what, certificate };
    let is_certificate = CERTIFICATE_LABELS.contains(&block.label.as_str());
    let kind = match &block.content {
        Err(error) => damaged(error.to_string(), None),
        Ok(_) if !is_certificate && block.label != "X509 CRL" => ItemKind::Ignored(label.clone()),
        Ok(_) if !block.headers.is_empty() => damaged("it has header lines".to_owned(), None),
        Ok(der) if is_certificate => {
            let certificate = Certificate::from_der_prefix(der);
            match certificate.facts().map(|_| Role::of(&certificate)) {
                Ok(role) => ItemKind::Certificate(certificate, role),
                Err(error) => damaged(error.to_string(), Some(certificate.clone())),
            }
        }
        Ok(der) => match crate::certificate::Crl::decode(der) {
            Ok(_) => ItemKind::RevocationList,
            Err(error) => damaged(error.to_string(), None),
        },
    };
    Item { line: Some(block.line), kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = include_str!("../../certs/DigiCertGlobalRootG2.crt.pem");

    fn of(content: &[u8]) -> Contents {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("roots.pem"), content).unwrap();
        contents(Path::new("roots.pem"), directory.path())
    }

    #[test]
    fn everything_in_a_file_is_listed() {
        let text = format!(
            "a note\n{ROOT}-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n\
             -----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n"
        );
        let found = of(text.as_bytes());
        let kinds: Vec<_> = found.items.iter().map(|item| (item.line, &item.kind)).collect();
        assert!(matches!(kinds[0], (Some(2), ItemKind::Certificate(_, Role::Root))), "{kinds:?}");
        assert!(matches!(kinds[1], (_, ItemKind::Ignored(label)) if label == "PRIVATE KEY"));
        assert!(matches!(kinds[2], (_, ItemKind::Damaged { certificate: Some(_), .. })));
        assert!(matches!(found.roots, Roots::Invalid { content: FileContent::BadBlock { .. }, .. }));
    }

    #[test]
    fn a_der_certificate_is_shown_although_libpq_refuses_it() {
        let der = crate::certificate::pem::blocks(ROOT.as_bytes()).remove(0).content.unwrap();
        let found = of(&der);
        assert!(matches!(
            found.items.as_slice(),
            [Item { line: None, kind: ItemKind::Certificate(_, Role::Root) }]
        ));
        assert!(matches!(found.roots, Roots::Invalid { content: FileContent::DerCertificate, .. }));
    }

    #[test]
    fn libpq_refuses_exactly_where_something_is_damaged_or_nothing_is_there() {
        for (text, usable) in [
            (ROOT.to_owned(), true),
            (ROOT.replace("MIID", "MII!"), false),
            (ROOT.replace("-----END CERTIFICATE-----", ""), false),
            (format!("{ROOT}-----BEGIN X-----\nAAEC\n-----END X-----\n"), true),
            (format!("{ROOT}-----BEGIN X-----\nA\n-----END X-----\n"), false),
            (String::new(), false),
        ] {
            let found = of(text.as_bytes());
            let damaged = found.items.iter().any(|item| matches!(item.kind, ItemKind::Damaged { .. }));
            assert_eq!(matches!(found.roots, Roots::Loaded(_)), usable, "{text}");
            assert_eq!(damaged, !usable && !found.items.is_empty(), "{text}");
        }
    }
}
