//! TLS alerts: their numbers, names and meaning (RFC 8446 section 6, RFC 5246 section 7.2, RFC 7301).

/// An alert's name as the RFCs write it, or its number.
pub(super) fn name(alert: u8) -> String {
    match ALERTS.iter().find(|(number, ..)| *number == alert) {
        Some((_, name, _)) => format!("{name} ({alert})"),
        None => format!("alert {alert}"),
    }
}

/// What a peer means by it.
pub(super) fn meaning(alert: u8) -> &'static str {
    ALERTS
        .iter()
        .find(|(number, ..)| *number == alert)
        .map_or("not in the standards", |(.., meaning)| meaning)
}

const ALERTS: &[(u8, &str, &str)] = &[
    (0, "close_notify", "the peer is done"),
    (10, "unexpected_message", "a message came that the peer did not expect"),
    (20, "bad_record_mac", "a record could not be decrypted: it was damaged or changed in between"),
    (21, "decryption_failed", "a record could not be decrypted"),
    (22, "record_overflow", "a record was too long"),
    (30, "decompression_failure", "a record could not be unpacked"),
    (40, "handshake_failure", "nothing acceptable was offered"),
    (41, "no_certificate", "no certificate was given"),
    (42, "bad_certificate", "a certificate was damaged or its signature is wrong"),
    (43, "unsupported_certificate", "a certificate is of a kind or for a purpose the peer does not take"),
    (44, "certificate_revoked", "a certificate was revoked by its issuer"),
    (45, "certificate_expired", "a certificate has expired or is not yet valid"),
    (46, "certificate_unknown", "a certificate could not be accepted, for a reason not told"),
    (47, "illegal_parameter", "a field in the handshake was out of range or did not fit the others"),
    (48, "unknown_ca", "the issuer of a certificate is not among the CAs the peer trusts"),
    (49, "access_denied", "the certificate is good and may not come in"),
    (50, "decode_error", "a message could not be decoded"),
    (51, "decrypt_error", "a signature or key exchange could not be verified"),
    (60, "export_restriction", "export rules were not met"),
    (70, "protocol_version", "none of the protocol versions offered is supported"),
    (71, "insufficient_security", "the suites offered are weaker than what the peer demands"),
    (80, "internal_error", "something went wrong in the peer itself"),
    (86, "inappropriate_fallback", "a lower version was tried without need"),
    (90, "user_canceled", "the peer gave up"),
    (100, "no_renegotiation", "renegotiation was refused"),
    (109, "missing_extension", "an extension that the peer demands was missing"),
    (110, "unsupported_extension", "an extension came that was not asked for"),
    (111, "certificate_unobtainable", "a certificate could not be fetched"),
    (112, "unrecognized_name", "the peer knows no server of the name sent (SNI)"),
    (113, "bad_certificate_status_response", "the OCSP answer was invalid"),
    (114, "bad_certificate_hash_value", "a certificate's hash did not fit"),
    (115, "unknown_psk_identity", "the key identity is not known"),
    (116, "certificate_required", "a client certificate is demanded and none was sent"),
    (120, "no_application_protocol", "none of the application protocols offered (ALPN) is supported"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_their_standard_names() {
        assert_eq!(name(70), "protocol_version (70)");
        assert_eq!(name(116), "certificate_required (116)");
        assert_eq!(name(200), "alert 200");
        assert!(meaning(48).contains("CAs"));
        assert!(ALERTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
