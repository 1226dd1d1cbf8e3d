//! Lists of cipher suites as OpenSSL writes them: `CipherString` for TLS 1.2 (ciphers(1), `ssl_create_cipher_list` in
//! ssl_ciph.c), `Ciphersuites` for TLS 1.3.

use crate::certificate::SecurityLevel;
use crate::iana::SUITES;

/// A suite of TLS 1.2 that OpenSSL 3 has and that goes with certificates of RSA or ECDSA keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    pub number: u16,
    name: &'static str,
    /// `RSA`, `DHE` or `ECDHE`.
    exchange: &'static str,
    /// `RSA` or `ECDSA`.
    authentication: &'static str,
    /// `AES_128_GCM_SHA256` and the like.
    encryption: &'static str,
}

impl Suite {
    /// The suites, read from their registered names.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        SUITES.iter().filter_map(|(number, name)| {
            let (keys, encryption) = name.strip_prefix("TLS_")?.split_once("_WITH_")?;
            let (exchange, authentication) = match keys {
                "RSA" => ("RSA", "RSA"),
                "DHE_RSA" => ("DHE", "RSA"),
                "ECDHE_RSA" => ("ECDHE", "RSA"),
                "ECDHE_ECDSA" => ("ECDHE", "ECDSA"),
                _ => return None,
            };
            let known = ["AES_", "CHACHA20_", "CAMELLIA_", "ARIA_"];
            known.iter().any(|known| encryption.starts_with(known)).then_some(Self {
                number: *number,
                name,
                exchange,
                authentication,
                encryption,
            })
        })
    }

    /// Whether the server is known by a key of RSA, or else of ECDSA.
    pub(super) fn is_rsa(self) -> bool {
        self.authentication == "RSA"
    }

    /// Whether OpenSSL has it at this level (`ssl_security_default_callback` in ssl_cert.c).
    pub(super) fn is_strong_at(self, level: SecurityLevel) -> bool {
        let number = level.number();
        let bits = match () {
            () if self.has("CCM_8") => 64,
            () if self.has("_128_") => 128,
            () => 256,
        };
        bits >= level.bits() && (number < 3 || self.exchange != "RSA") && (number < 4 || self.mac() != "SHA1")
    }

    fn has(self, word: &str) -> bool {
        self.encryption.contains(word)
    }

    fn mac(self) -> &'static str {
        match self.encryption.rsplit_once("_CBC_") {
            Some((_, "SHA")) => "SHA1",
            Some((_, mac)) => mac,
            None => "AEAD",
        }
    }

    /// Whether it is in `DEFAULT`.
    fn is_default(self) -> bool {
        !self.has("CCM") && !self.has("CAMELLIA") && !self.has("ARIA")
    }

    /// OpenSSL's own name.
    fn own_name(self) -> String {
        let keys = match (self.exchange, self.authentication) {
            ("RSA", _) => String::new(),
            ("ECDHE", "RSA") if self.has("ARIA") => "ECDHE-".to_owned(),
            (exchange, authentication) => format!("{exchange}-{authentication}-"),
        };
        let mut encryption = self.encryption.replace("_CBC", "").replace("CCM_8", "CCM8");
        for cipher in ["AES", "CAMELLIA", "ARIA"] {
            encryption = encryption.replace(&format!("{cipher}_"), cipher);
        }
        if self.has("CHACHA20") {
            encryption = "CHACHA20-POLY1305".to_owned();
        }
        keys + &encryption.replace('_', "-")
    }

    /// Whether a word of a list means it (`cipher_aliases`). A word that is none of OpenSSL's means no suite.
    fn is_meant_by(self, word: &str) -> bool {
        let aes = self.has("AES_");
        let (rsa, exchange) = (self.is_rsa(), self.exchange);
        match word {
            "ALL" | "HIGH" => true,
            "COMPLEMENTOFDEFAULT" => !self.is_default(),
            "kRSA" | "RSA" => exchange == "RSA",
            "kDHE" | "kEDH" | "DH" | "DHE" | "EDH" => exchange == "DHE",
            "kECDHE" | "kEECDH" | "ECDH" | "ECDHE" | "EECDH" => exchange == "ECDHE",
            "aRSA" => rsa,
            "aECDSA" | "ECDSA" => !rsa,
            "AES" => aes,
            "AES128" => self.has("AES_128"),
            "AES256" => self.has("AES_256"),
            "AESGCM" => aes && self.has("GCM"),
            "AESCCM" => self.has("CCM"),
            "AESCCM8" => self.has("CCM_8"),
            "CAMELLIA" => self.has("CAMELLIA"),
            "CAMELLIA128" => self.has("CAMELLIA_128"),
            "CAMELLIA256" => self.has("CAMELLIA_256"),
            "ARIA" | "ARIAGCM" => self.has("ARIA"),
            "ARIA128" => self.has("ARIA_128"),
            "ARIA256" => self.has("ARIA_256"),
            "CHACHA20" => self.has("CHACHA20"),
            "SHA" | "SHA1" => self.mac() == "SHA1",
            "SHA256" | "SHA384" => self.mac() == word,
            "SSLv3" => self.mac() == "SHA1" && exchange != "ECDHE",
            "TLSv1" | "TLSv1.0" => self.mac() == "SHA1" && exchange == "ECDHE",
            "TLSv1.2" => self.mac() != "SHA1",
            "FIPS" => aes && !self.has("CCM"),
            _ => word == self.name || word == self.own_name(),
        }
    }
}

/// What a `CipherString` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CipherString {
    /// The suites of TLS 1.2 that remain, in no order of preference; `None` if the list stays as it was.
    pub suites: Option<Vec<u16>>,
    /// The last `@SECLEVEL`.
    pub level: Option<SecurityLevel>,
}

/// Words for suites that do not go with a certificate, or that OpenSSL 3 no longer has.
const OTHERS: [&str; 21] = [
    "COMPLEMENTOFALL",
    "NULL",
    "eNULL",
    "aNULL",
    "ADH",
    "AECDH",
    "DSS",
    "aDSS",
    "PSK",
    "kPSK",
    "aPSK",
    "kRSAPSK",
    "kDHEPSK",
    "kECDHEPSK",
    "SRP",
    "kSRP",
    "aSRP",
    "MEDIUM",
    "LOW",
    "3DES",
    "EXP",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Out,
    In,
    Killed,
}

/// Reads a list (`ssl_cipher_process_rulestr`). A level counts even where the list is not understood.
pub(super) fn cipher_string(list: &str) -> CipherString {
    let mut suites = Suites(Suite::all().map(|suite| (suite, State::Out)).collect());
    let mut read = CipherString { suites: None, level: None };
    let mut rest = list;
    if let Some(after) = rest.strip_prefix("DEFAULT") {
        suites.apply(' ', &["ALL"]);
        suites.apply('!', &["COMPLEMENTOFDEFAULT"]);
        rest = after.strip_prefix(':').unwrap_or(after);
    }
    let mut understood = true;
    while let Some(first) = rest.chars().next() {
        if is_separator(first) {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let rule = if "-+!@".contains(first) { first } else { ' ' };
        let item = rest.strip_prefix(rule).unwrap_or(rest);
        let (words, after) = words(item);
        if words.iter().any(|word| word.is_empty()) {
            return read;
        }
        // The next rule may begin without a separator, but behind one that changes something only.
        let next = item.find(is_separator).and_then(|at| item.get(at..)).unwrap_or_default();
        rest = match (rule, words.as_slice()) {
            ('@', ["STRENGTH", ..]) => next,
            ('@', words) => {
                let number = words.first().and_then(|word| word.strip_prefix("SECLEVEL="));
                let level = number.filter(|number| number.len() == 1).and_then(|number| number.parse().ok());
                let level = level.and_then(SecurityLevel::new);
                understood &= level.is_some();
                read.level = level.or(read.level);
                next
            }
            (rule, words) if suites.apply(rule, words) => after,
            _ => next,
        };
    }
    read.suites = understood.then(|| suites.chosen());
    read
}

struct Suites(Vec<(Suite, State)>);

impl Suites {
    /// Does to the suites that all of these words mean what the rule says; tells whether the words are understood.
    fn apply(&mut self, rule: char, words: &[&str]) -> bool {
        // Both are grades of strength, and no suite has two.
        if words.contains(&"FIPS") && words.contains(&"HIGH") {
            return false;
        }
        let mut any = matches!(words, [word] if OTHERS.contains(word));
        for (suite, state) in &mut self.0 {
            if !words.iter().all(|word| suite.is_meant_by(word)) {
                continue;
            }
            any = true;
            *state = match rule {
                _ if *state == State::Killed => State::Killed,
                '!' => State::Killed,
                '-' => State::Out,
                // Which comes first is the server's choice, or one that changes no verdict.
                '+' => *state,
                _ => State::In,
            };
        }
        any
    }

    fn chosen(&self) -> Vec<u16> {
        let chosen = self.0.iter().filter(|(_, state)| *state == State::In);
        chosen.map(|(suite, _)| suite.number).collect()
    }
}

fn is_separator(character: char) -> bool {
    ":;, ".contains(character)
}

/// The words that `+` joins, and what follows them.
fn words(mut item: &str) -> (Vec<&str>, &str) {
    let ends = |next: char| !(next.is_ascii_alphanumeric() || "-_.=".contains(next));
    let mut words = Vec::new();
    loop {
        let (word, after) = item.split_at(item.find(ends).unwrap_or(item.len()));
        words.push(word);
        match after.strip_prefix('+') {
            Some(next) => item = next,
            None => return (words, after),
        }
    }
}

/// Reads `Ciphersuites`: unknown names are passed over, and a list of nothing else changes nothing.
pub(super) fn suites_of_tls13(list: &str) -> Option<Vec<u16>> {
    if list.is_empty() {
        return Some(Vec::new());
    }
    let known = |name: &str| SUITES.iter().find(|(number, known)| *known == name && number >> 8 == 0x13);
    let suites: Vec<u16> =
        list.split(':').filter_map(|name| known(name.trim())).map(|(number, _)| *number).collect();
    (!suites.is_empty()).then_some(suites)
}
