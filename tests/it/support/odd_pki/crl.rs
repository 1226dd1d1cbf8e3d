//! CRLs.

use super::super::der::{explicit, integer, pem, sequence, sequence_of};
use super::certificate::Issued;
use super::extensions::{Extension, authority, days};
use super::keys::{Hash, Key, Scheme, seal, signature_algorithm};

/// A CRL before it is signed.
#[derive(Clone)]
pub(crate) struct CrlDraft {
    pub revoked: Vec<Vec<u8>>,
    pub number: u8,
    pub this_update: Vec<u8>,
    pub next_update: Option<Vec<u8>>,
    pub scheme: Scheme,
    pub extensions: Vec<Extension>,
    pub entry_extensions: Vec<Extension>,
    pub spoiled: bool,
    pub identified: bool,
}

impl CrlDraft {
    pub(crate) fn revoking(certificates: &[&Issued]) -> Self {
        Self {
            revoked: certificates.iter().map(|certificate| certificate.serial.clone()).collect(),
            number: 1,
            this_update: days(-2),
            next_update: Some(days(30)),
            scheme: Scheme::Usual(Hash::Sha256),
            extensions: Vec::new(),
            entry_extensions: Vec::new(),
            spoiled: false,
            identified: true,
        }
    }

    pub(crate) fn number(mut self, number: u8) -> Self {
        self.number = number;
        self
    }

    pub(crate) fn updates(mut self, this: Vec<u8>, next: Option<Vec<u8>>) -> Self {
        (self.this_update, self.next_update) = (this, next);
        self
    }

    pub(crate) fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    pub(crate) fn with(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn with_entry(mut self, extension: Extension) -> Self {
        self.entry_extensions.push(extension);
        self
    }

    pub(crate) fn unidentified(mut self) -> Self {
        self.identified = false;
        self
    }

    pub(crate) fn spoiled(mut self) -> Self {
        self.spoiled = true;
        self
    }

    /// The DER of the CRL, signed by this CA.
    pub(crate) fn signed_by(self, issuer: &Issued) -> Vec<u8> {
        self.sign(&issuer.key, &issuer.subject, &issuer.identifier)
    }

    /// Signed by any key in any name.
    pub(crate) fn sign(mut self, key: &Key, issuer: &[u8], identifier: &[u8]) -> Vec<u8> {
        if self.identified {
            self.extensions.push(authority(Some(identifier), None));
        }
        self.extensions.push(Extension::new("2.5.29.20", integer(&[self.number])));
        let algorithm = signature_algorithm(key.kind, self.scheme);
        let extension_list = |list: &[Extension]| sequence_of(list.iter().map(Extension::der));
        let entries: Vec<Vec<u8>> = self
            .revoked
            .iter()
            .map(|serial| {
                let extensions = if self.entry_extensions.is_empty() {
                    Vec::new()
                } else {
                    extension_list(&self.entry_extensions)
                };
                sequence(&[&integer(serial), &days(-1), &extensions])
            })
            .collect();
        let list = if entries.is_empty() { Vec::new() } else { sequence_of(entries) };
        let body = sequence(&[
            &integer(&[1]),
            &algorithm,
            issuer,
            &self.this_update,
            &self.next_update.unwrap_or_default(),
            &list,
            &explicit(0, &[&extension_list(&self.extensions)]),
        ]);
        seal(&body, &algorithm, key, self.scheme, self.spoiled)
    }
}

/// A CRL as PEM.
pub(crate) fn crl_pem(der: &[u8]) -> String {
    pem("X509 CRL", der)
}
