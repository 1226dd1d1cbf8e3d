//! How strong a cipher suite or a key-exchange group is, by its name alone. Weak is what has no forward secrecy, CBC
//! (RFC 7366 is not in use), a MAC by SHA-1 or MD5, or less than 112 bits of security (NIST SP 800-57 part 1, table 2; OpenSSL
//! counts the 64-bit tag of CCM_8 as 64 bits). Not weak for libpq, which negotiates something else; weak for whoever can
//! make a client take it.

use crate::evidence::audit::Audit;
use crate::iana;
use crate::order;

/// Why something is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    /// Nothing is encrypted.
    NoEncryption,
    /// No certificate is shown.
    NoAuthentication,
    /// Whoever gets the server's key later can decrypt what was recorded.
    NoForwardSecrecy,
    /// Padding oracles.
    Cbc,
    /// The MAC is by SHA-1 or MD5.
    Sha1,
    /// Less than 112 bits.
    Below112Bits,
}

impl Weakness {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoEncryption => "no encryption",
            Self::NoAuthentication => "no authentication",
            Self::NoForwardSecrecy => "no forward secrecy",
            Self::Cbc => "CBC",
            Self::Sha1 => "SHA-1",
            Self::Below112Bits => "below 112 bits",
        }
    }
}

/// The weaknesses of a cipher suite; none of a strong one.
pub fn of_suite(number: u16) -> Vec<Weakness> {
    let name = iana::suite(number);
    let Some((exchange, cipher)) = name.split_once("_WITH_") else {
        // TLS 1.3 leaves the exchange of keys to its groups.
        return name.contains("_CCM_8_").then_some(Weakness::Below112Bits).into_iter().collect();
    };
    let small = ["_3DES_", "RC4_", "DES_CBC", "DES40", "_40_"];
    let padded = format!("_{cipher}");
    let tests = [
        (cipher.contains("NULL"), Weakness::NoEncryption),
        (exchange.contains("_anon"), Weakness::NoAuthentication),
        (!exchange.contains("DHE") && !exchange.contains("_anon"), Weakness::NoForwardSecrecy),
        (cipher.contains("_CBC_"), Weakness::Cbc),
        (cipher.ends_with("_SHA") || cipher.ends_with("_MD5"), Weakness::Sha1),
        (
            small.iter().any(|part| padded.contains(part))
                || exchange.contains("EXPORT")
                || cipher.ends_with("_CCM_8"),
            Weakness::Below112Bits,
        ),
    ];
    tests.into_iter().filter_map(|(holds, weakness)| holds.then_some(weakness)).collect()
}

/// The weaknesses of a group: the curves below 224 bits (IANA's numbers 1 to 5 and 15 to 19).
pub fn of_group(number: u16) -> Vec<Weakness> {
    matches!(number, 1..=5 | 15..=19).then_some(Weakness::Below112Bits).into_iter().collect()
}

/// Weaknesses in words: `CBC and SHA-1`.
pub fn words(weaknesses: &[Weakness]) -> String {
    weaknesses.iter().map(|weakness| weakness.words()).collect::<Vec<_>>().join(" and ")
}

/// What an audit found of weak suites and groups: their reasons, each with the names that have them, worst first.
pub fn weak(audit: &Audit) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(Vec<Weakness>, Vec<String>)> = Vec::new();
    let suites = audit.versions.iter().flat_map(|version| &version.suites.accepted);
    let suites = suites.map(|suite| (of_suite(*suite), iana::suite(*suite)));
    let groups = audit.groups.iter().flat_map(|(_, found)| &found.accepted);
    let groups = groups.map(|group| (of_group(*group), iana::group(*group)));
    for (weaknesses, name) in suites.chain(groups) {
        if weaknesses.is_empty() {
            continue;
        }
        match found.iter_mut().find(|(known, _)| *known == weaknesses) {
            // The same suite in several versions.
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => found.push((weaknesses, vec![name])),
        }
    }
    order::sort(&mut found);
    found.into_iter().map(|(weaknesses, names)| (words(&weaknesses), names)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_graded_by_what_their_names_say() {
        for (number, expected) in [
            (0x1301, ""),
            (0x1303, ""),
            (0x1305, "below 112 bits"),
            (0xC02B, ""),
            (0xCCA8, ""),
            (0x009E, ""),
            (0xC0AE, "below 112 bits"),
            (0x009C, "no forward secrecy"),
            (0xC027, "CBC"),
            (0xC013, "CBC and SHA-1"),
            (0x002F, "no forward secrecy and CBC and SHA-1"),
            (0x000A, "no forward secrecy and CBC and SHA-1 and below 112 bits"),
            (0xC011, "SHA-1 and below 112 bits"),
            (0x0009, "no forward secrecy and CBC and SHA-1 and below 112 bits"),
            (0x0003, "no forward secrecy and SHA-1 and below 112 bits"),
            (0x00A6, "no authentication"),
            (0x003B, "no encryption and no forward secrecy"),
        ] {
            assert_eq!(words(&of_suite(number)), expected, "{}", iana::suite(number));
        }
        assert!(iana::GROUPS.iter().all(|(group, _)| of_group(*group).is_empty()));
        assert_eq!(of_group(19), [Weakness::Below112Bits]);
    }

    /// OpenSSL's own list of what is strong is made of the same suites.
    #[test]
    fn what_mozilla_recommends_is_strong() {
        for (number, name) in iana::SUITES {
            let is_aead = name.contains("GCM") || name.contains("CHACHA20");
            let is_strong = of_suite(*number).is_empty();
            assert!(!(is_aead && name.contains("_ECDHE_")) || is_strong, "{name}");
        }
    }
}
