//! Listens to the ciphertext side of a connection: what went out and came in, how much, and how often the direction
//! turned; and reads the part of a handshake that is in the clear.

mod handshake;
mod tap;

pub(super) use handshake::{ServerFlight, is_record, read_flight};
pub(super) use tap::{Tap, Traffic, end};

/// IANA's name of a cipher suite (`TLS_AES_256_GCM_SHA384`), or its number.
pub(super) fn suite_name(number: u16) -> String {
    match rustls::CipherSuite::from(number).as_str() {
        // rustls writes the version into the names of TLS 1.3.
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("0x{number:04X}"),
    }
}

/// The name of a key-exchange group (`secp256r1`, `x25519`), or its number.
pub(super) fn group_name(number: u16) -> String {
    match rustls::NamedGroup::from(number).as_str() {
        Some(name) => name.to_ascii_lowercase(),
        None => format!("0x{number:04X}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_those_of_iana() {
        assert_eq!(super::suite_name(0x1302), "TLS_AES_256_GCM_SHA384");
        assert_eq!(super::suite_name(0xC02F), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(super::suite_name(0xFAFA), "0xFAFA");
        assert_eq!(super::group_name(23), "secp256r1");
        assert_eq!(super::group_name(29), "x25519");
    }
}
