//! What a second look found: suites and groups that psql's OpenSSL offers and this tool's rustls has not.

pub(super) use crate::iana::{group, suite};

/// Whether rustls offers the suite, so that it cannot be the reason of a failure.
pub(super) fn has_suite(number: u16) -> bool {
    matches!(number, 0x1301..=0x1303 | 0xC02B | 0xC02C | 0xC02F | 0xC030 | 0xCCA8 | 0xCCA9)
}

/// Whether rustls offers the group.
pub(super) fn has_group(number: u16) -> bool {
    matches!(number, 23..=25 | 29)
}

/// What this tool offers, for people.
pub(super) const OFFERED: &str = "AES-GCM and ChaCha20-Poly1305 with ECDHE over P-256, X25519, P-384 and P-521; \
     ECDSA, RSA and Ed25519 signatures with SHA-256 and up";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustls_has_is_named_and_known() {
        for provided in rustls::crypto::ring::ALL_CIPHER_SUITES {
            assert!(has_suite(u16::from(provided.suite())), "{:?}", provided.suite());
        }
        for provided in rustls::crypto::ring::ALL_KX_GROUPS {
            assert!(has_group(u16::from(provided.name())), "{:?}", provided.name());
        }
    }
}
