//! Names of what a second look found: suites and groups that psql's OpenSSL offers and this tool's rustls has not (IANA
//! registries "TLS Cipher Suites" and "TLS Supported Groups").

/// A suite's name, or its number.
pub(super) fn suite(number: u16) -> String {
    SUITES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("suite 0x{number:04X}"), |(_, name)| (*name).to_owned())
}

/// A group's name, or its number.
pub(super) fn group(number: u16) -> String {
    GROUPS
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("group 0x{number:04X}"), |(_, name)| (*name).to_owned())
}

/// Whether rustls offers the suite, so that it cannot be the reason of a failure.
pub(super) fn has_suite(number: u16) -> bool {
    matches!(number, 0x1301..=0x1303 | 0xC02B | 0xC02C | 0xC02F | 0xC030 | 0xCCA8 | 0xCCA9)
}

/// Whether rustls offers the group.
pub(super) fn has_group(number: u16) -> bool {
    matches!(number, 23 | 24 | 29)
}

/// What this tool offers, for people.
pub(super) const OFFERED: &str = "AES-GCM and ChaCha20-Poly1305 with ECDHE over P-256, X25519 and P-384; \
     ECDSA, RSA and Ed25519 signatures with SHA-256 and up";

const SUITES: &[(u16, &str)] = &[
    (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1304, "TLS_AES_128_CCM_SHA256"),
    (0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xCCAA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
];

const GROUPS: &[(u16, &str)] = &[
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1 (P-521)"),
    (29, "x25519"),
    (30, "x448"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustls_has_is_named_and_known() {
        assert_eq!(suite(0x1302), "TLS_AES_256_GCM_SHA384");
        assert_eq!(suite(0xC013), "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
        assert_eq!(suite(0xFFFF), "suite 0xFFFF");
        assert_eq!(group(25), "secp521r1 (P-521)");
        for provided in rustls::crypto::ring::ALL_CIPHER_SUITES {
            assert!(has_suite(u16::from(provided.suite())), "{:?}", provided.suite());
        }
        for provided in rustls::crypto::ring::ALL_KX_GROUPS {
            assert!(has_group(u16::from(provided.name())), "{:?}", provided.name());
        }
    }
}
