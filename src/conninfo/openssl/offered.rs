//! What libpq's OpenSSL offers in its ClientHello, by default and under a configuration: seen in those of libpq 15 on OpenSSL
//! 3.0 and of libpq 18 on 3.5.

use super::ciphers::Suite;
use super::lists::{GROUPS, SCHEMES};
use crate::conninfo::OpenSslConfig;
use crate::conninfo::TlsVersion;

/// Cipher suites, key-exchange groups and signature schemes, by their registered numbers and in no order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The suites of TLS 1.3.
    pub suites13: Vec<u16>,
    /// The suites of TLS 1.2 and below.
    pub suites12: Vec<u16>,
    /// The groups.
    pub groups: Vec<u16>,
    /// The schemes that a server may sign with.
    pub schemes: Vec<u16>,
    /// The schemes in which a client signs.
    pub client_schemes: Vec<u16>,
}

/// OpenSSL's defaults, its order. Up to 3.4 all of the groups are offered but the first, from 3.5 on the first and no finite
/// fields beyond 3072 bits. The post-quantum signatures of 3.5 are left out, which no certificate authority issues yet.
const SUITES_13: [u16; 3] = [0x1302, 0x1303, 0x1301];
const SUITES_12: [u16; 27] = [
    0xC02C, 0xC030, 0x009F, 0xCCA9, 0xCCA8, 0xCCAA, 0xC02B, 0xC02F, 0x009E, 0xC024, 0xC028, 0x006B, 0xC023,
    0xC027, 0x0067, 0xC00A, 0xC014, 0x0039, 0xC009, 0xC013, 0x0033, 0x009D, 0x009C, 0x003D, 0x003C, 0x0035,
    0x002F,
];
const DEFAULT_GROUPS: [u16; 11] = [4588, 29, 23, 30, 25, 24, 256, 257, 258, 259, 260];
const DEFAULT_SCHEMES: [u16; 23] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501,
    0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602, 0x0203, 0x0201, 0x0202,
];
/// Of TLS 1.2 alone.
const BRAINPOOL_OF_TLS12: std::ops::RangeInclusive<u16> = 26..=28;
/// What the FIPS provider has not: ChaCha20, the curves of RFC 7748, the signatures of RFC 8032 before 3.4.
const NOT_FIPS_SUITES: [u16; 4] = [0x1303, 0xCCA8, 0xCCA9, 0xCCAA];
const NOT_FIPS_GROUPS: [u16; 3] = [4588, 29, 30];
const NOT_FIPS_SCHEMES: [u16; 2] = [0x0807, 0x0808];

impl Default for Offered {
    fn default() -> Self {
        OpenSslConfig::default().offered()
    }
}

impl Offered {
    /// What is missing for a ClientHello with this version as the highest: libpq fails before it sends one.
    pub fn lacks(&self, highest: TlsVersion) -> Option<&'static str> {
        let new = highest == TlsVersion::Tls13;
        let suites = if new { &self.suites13 } else { &self.suites12 };
        let no_group = !self.groups.iter().any(|group| !(new && BRAINPOOL_OF_TLS12.contains(group)));
        let lacking = [
            (suites.is_empty(), "cipher suite"),
            (no_group, "group"),
            (self.schemes.is_empty(), "signature algorithm"),
        ];
        lacking.into_iter().find(|(lacks, _)| *lacks).map(|(_, what)| what)
    }
}

impl OpenSslConfig {
    /// Whether it changes anything of what is offered by default, TLS versions apart.
    pub fn limits_offer(&self) -> bool {
        let lists = [&self.suites12, &self.suites13, &self.groups, &self.schemes, &self.client_schemes];
        self.fips
            || lists.iter().any(|list| list.is_some())
            || self.level.is_some_and(|level| level.number() > 2)
    }

    /// What is offered.
    pub fn offered(&self) -> Offered {
        let level = self.level.unwrap_or_default();
        let list = |set: &Option<Vec<u16>>, usual: &[u16]| set.clone().unwrap_or_else(|| usual.to_vec());
        let strong = |table: &[(u16, &[&str], u32)], number: &u16| {
            table.iter().any(|(known, _, bits)| known == number && *bits >= level.bits())
        };
        let mut groups = list(&self.groups, &DEFAULT_GROUPS);
        // The key shares of 3.5 are of the first of its default groups, which are too weak for the highest level.
        if level.number() == 5 && self.groups.is_none() {
            groups.clear();
        }
        groups.retain(|group| strong(GROUPS, group) && !(self.fips && NOT_FIPS_GROUPS.contains(group)));
        let mut schemes = list(&self.schemes, &DEFAULT_SCHEMES);
        let fits =
            |scheme: &u16| strong(SCHEMES, scheme) && !(self.fips && NOT_FIPS_SCHEMES.contains(scheme));
        schemes.retain(fits);
        let mut client_schemes = self.client_schemes.clone().unwrap_or_else(|| schemes.clone());
        client_schemes.retain(fits);
        let mut suites13 = list(&self.suites13, &SUITES_13);
        suites13.retain(|suite| {
            // AES with 128 bits: two of TLS 1.3 have not.
            let bits = if matches!(suite, 0x1302 | 0x1303) { 256 } else { 128 };
            bits >= level.bits() && !(self.fips && NOT_FIPS_SUITES.contains(suite))
        });
        let mut suites12 = list(&self.suites12, &SUITES_12);
        // `ssl_set_sig_mask`: without a scheme for keys of a kind, no suite for them.
        let rsa = schemes.iter().any(|scheme| is_of_rsa(*scheme));
        let ecdsa = schemes.iter().any(|scheme| is_of_ecdsa(*scheme));
        let usable: Vec<u16> = Suite::all()
            .filter(|suite| suite.is_strong_at(level) && if suite.is_rsa() { rsa } else { ecdsa })
            .map(|suite| suite.number)
            .collect();
        suites12.retain(|suite| usable.contains(suite) && !(self.fips && NOT_FIPS_SUITES.contains(suite)));
        Offered { suites13, suites12, groups, schemes, client_schemes }
    }

    /// The commands that limit what is offered, by their names in the file.
    pub fn limiting_commands(&self) -> Vec<String> {
        let level = self.level.filter(|level| level.number() > 2);
        [
            level.map(|level| format!("SECLEVEL={}", level.number())),
            self.suites12.as_ref().map(|_| "CipherString".to_owned()),
            self.suites13.as_ref().map(|_| "Ciphersuites".to_owned()),
            self.groups.as_ref().map(|_| "Groups".to_owned()),
            self.schemes.as_ref().map(|_| "SignatureAlgorithms".to_owned()),
            self.client_schemes.as_ref().map(|_| "ClientSignatureAlgorithms".to_owned()),
            self.fips.then(|| "FIPS mode".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn is_of_rsa(scheme: u16) -> bool {
    matches!(scheme, 0x0804..=0x0806 | 0x0809..=0x080B) || scheme & 0xFF == 1
}

fn is_of_ecdsa(scheme: u16) -> bool {
    matches!(scheme, 0x0807 | 0x0808) || scheme & 0xFF == 3
}

/// The default suites, to tell that a list names no others.
pub(super) fn is_default_of_tls12(suites: &[u16]) -> bool {
    suites.len() == SUITES_12.len() && SUITES_12.iter().all(|suite| suites.contains(suite))
}

pub(super) const fn default_groups() -> &'static [u16] {
    &DEFAULT_GROUPS
}
