//! Lists of key-exchange groups and of signature algorithms (`Groups` and `SignatureAlgorithms` in `SSL_CONF_cmd`(3)), as
//! OpenSSL 3.5 reads them. Before 3.5 a list with `?`, `*`, `-`, `/`, `DEFAULT` or a name given twice changes nothing.

use crate::iana;

/// A group: its number, the names that OpenSSL has besides the registered one, its bits of security.
pub(super) const GROUPS: &[(u16, &[&str], u32)] = &[
    (4588, &[], 192),
    (4587, &[], 192),
    (4589, &[], 256),
    (29, &[], 128),
    (23, &["P-256", "prime256v1"], 128),
    (30, &[], 224),
    (25, &["P-521"], 256),
    (24, &["P-384"], 192),
    (26, &[], 128),
    (27, &[], 192),
    (28, &[], 256),
    (256, &[], 112),
    (257, &[], 128),
    (258, &[], 128),
    (259, &[], 128),
    (260, &[], 192),
];

/// A signature scheme: its number, its names, its bits of security.
pub(super) const SCHEMES: &[(u16, &[&str], u32)] = &[
    (0x0403, &["ecdsa_secp256r1_sha256", "ECDSA+SHA256"], 128),
    (0x0503, &["ecdsa_secp384r1_sha384", "ECDSA+SHA384"], 192),
    (0x0603, &["ecdsa_secp521r1_sha512", "ECDSA+SHA512"], 256),
    (0x0807, &["ed25519"], 128),
    (0x0808, &["ed448"], 224),
    (0x081A, &["ecdsa_brainpoolP256r1tls13_sha256"], 128),
    (0x081B, &["ecdsa_brainpoolP384r1tls13_sha384"], 192),
    (0x081C, &["ecdsa_brainpoolP512r1tls13_sha512"], 256),
    (0x0904, &["mldsa44"], 128),
    (0x0905, &["mldsa65"], 192),
    (0x0906, &["mldsa87"], 256),
    (0x0809, &["rsa_pss_pss_sha256"], 128),
    (0x080A, &["rsa_pss_pss_sha384"], 192),
    (0x080B, &["rsa_pss_pss_sha512"], 256),
    (0x0804, &["rsa_pss_rsae_sha256", "RSA-PSS+SHA256", "PSS+SHA256"], 128),
    (0x0805, &["rsa_pss_rsae_sha384", "RSA-PSS+SHA384", "PSS+SHA384"], 192),
    (0x0806, &["rsa_pss_rsae_sha512", "RSA-PSS+SHA512", "PSS+SHA512"], 256),
    (0x0401, &["rsa_pkcs1_sha256", "RSA+SHA256"], 128),
    (0x0501, &["rsa_pkcs1_sha384", "RSA+SHA384"], 192),
    (0x0601, &["rsa_pkcs1_sha512", "RSA+SHA512"], 256),
    (0x0303, &["ecdsa_sha224", "ECDSA+SHA224"], 112),
    (0x0301, &["rsa_pkcs1_sha224", "RSA+SHA224"], 112),
    (0x0302, &["dsa_sha224", "DSA+SHA224"], 112),
    (0x0402, &["dsa_sha256", "DSA+SHA256"], 128),
    (0x0502, &["dsa_sha384", "DSA+SHA384"], 192),
    (0x0602, &["dsa_sha512", "DSA+SHA512"], 256),
    (0x0203, &["ecdsa_sha1", "ECDSA+SHA1"], 64),
    (0x0201, &["rsa_pkcs1_sha1", "RSA+SHA1"], 64),
    (0x0202, &["dsa_sha1", "DSA+SHA1"], 64),
];

/// Reads a list of groups (`tls1_set_groups_list` in t1_lib.c); `None` if it changes nothing.
pub(super) fn groups(list: &str, usual: &[u16]) -> Option<Vec<u16>> {
    let mut groups: Vec<u16> = Vec::new();
    for item in list.split([':', '/']).map(str::trim).filter(|item| !item.is_empty()) {
        let name = item.trim_start_matches(['?', '*', '-']);
        let marks = item.strip_suffix(name).unwrap_or_default();
        let meant: Vec<u16> = match name.eq_ignore_ascii_case("DEFAULT") {
            true => usual.to_vec(),
            false => match group(name) {
                Some(number) => vec![number],
                None if marks.contains(['?', '-']) => continue,
                None => return None,
            },
        };
        match marks.contains('-') {
            true => groups.retain(|number| !meant.contains(number)),
            false => add(&mut groups, meant),
        }
    }
    Some(groups)
}

/// Reads a list of signature algorithms (`tls1_set_sigalgs_list`); `None` if it changes nothing.
pub(super) fn schemes(list: &str) -> Option<Vec<u16>> {
    let mut schemes = Vec::new();
    for item in list.split(':').map(str::trim) {
        let name = item.strip_prefix('?').unwrap_or(item);
        let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        match SCHEMES.iter().find(|(_, names, _)| known(names)) {
            Some((number, ..)) => add(&mut schemes, vec![*number]),
            None if name.len() < item.len() => {}
            None => return None,
        }
    }
    (!schemes.is_empty()).then_some(schemes)
}

fn add(to: &mut Vec<u16>, numbers: Vec<u16>) {
    let new: Vec<u16> = numbers.into_iter().filter(|number| !to.contains(number)).collect();
    to.extend(new);
}

fn group(name: &str) -> Option<u16> {
    let known = |number: u16, names: &[&str]| {
        iana::group(number).eq_ignore_ascii_case(name)
            || names.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    GROUPS.iter().find(|(number, names, _)| known(*number, names)).map(|(number, ..)| *number)
}
