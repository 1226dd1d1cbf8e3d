//! What OpenSSL's configuration file sets for every TLS connection of every program, libpq's included (config(5),
//! `SSL_CONF_cmd`(3)): the section that `openssl_conf`, then `ssl_conf`, then `system_default` lead to.
//!
//! Read are the security level, the protocol versions, the lists of cipher suites, groups and signature algorithms, and
//! whether FIPS mode is on. Left out: the keywords of Suite B. Compared with libpq 15 over OpenSSL 3.0 and libpq 18 over 3.5.

mod ciphers;
mod file;
mod lists;
mod offered;

use std::path::PathBuf;

pub use offered::Offered;

use super::choices::Choice as _;
use super::{Environment, OpenSslConfig, TlsVersion};
use file::Reader;

/// Where builds of OpenSSL have their `openssl.cnf` (`openssl version -d`): Debian and Ubuntu, Fedora and Red Hat, Alpine
/// and SUSE, macOS with Homebrew.
const PLACES: [&str; 4] = [
    "/usr/lib/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/ssl/openssl.cnf",
    "/opt/homebrew/etc/openssl@3/openssl.cnf",
];
impl OpenSslConfig {
    /// What the file that OpenSSL would read sets; `None` if that is nothing.
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        if environment.program.own_tls {
            return None;
        }
        let named = environment.variable("OPENSSL_CONF").map(|path| path.to_owned());
        environment.openssl.once(named, || Self::read(environment))
    }

    fn read(environment: &Environment) -> Option<Self> {
        let file = match environment.variable("OPENSSL_CONF") {
            Some(path) => PathBuf::from(path),
            None => PLACES.iter().map(PathBuf::from).find(|path| crate::file::is_file(path))?,
        };
        let mut reader = Reader::within(environment);
        reader.file(&file)?;
        let mut config = Self { file, fips: reader.asks_for_fips(), ..Self::default() };
        for (name, value) in reader.system_default().into_iter().flatten() {
            config.command(name, value);
        }
        (config != Self { file: config.file.clone(), ..Self::default() }).then_some(config)
    }

    /// One line of the section (`SSL_CONF_cmd`). OpenSSL passes over what it does not understand.
    fn command(&mut self, name: &str, value: &str) {
        // `1.CipherString` and `TLS.MaxProtocol` are ways to say a thing twice, and of TLS alone.
        let name = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "cipherstring" if !value.starts_with("SUITEB") => {
                let ciphers::CipherString { suites, level } = ciphers::cipher_string(value);
                self.level = level.or(self.level);
                if let Some(suites) = suites {
                    self.suites12 = Some(suites).filter(|suites| !offered::is_default_of_tls12(suites));
                }
            }
            "ciphersuites" => set(&mut self.suites13, ciphers::suites_of_tls13(value)),
            "groups" | "curves" => set(&mut self.groups, lists::groups(value, offered::default_groups())),
            "ecdhparameters" if !["auto", "automatic"].contains(&value.to_ascii_lowercase().as_str()) => {
                // One group alone.
                set(
                    &mut self.groups,
                    lists::groups(value, offered::default_groups()).filter(|_| !value.contains(':')),
                );
            }
            "signaturealgorithms" => set(&mut self.schemes, lists::schemes(value)),
            "clientsignaturealgorithms" => set(&mut self.client_schemes, lists::schemes(value)),
            "minprotocol" => bound(value, &mut self.min_tls),
            "maxprotocol" => bound(value, &mut self.max_tls),
            "protocol" => {
                for word in value.split(',').map(str::trim) {
                    let (off, word) = match word.strip_prefix('-') {
                        Some(word) => (true, word),
                        None => (false, word.strip_prefix('+').unwrap_or(word)),
                    };
                    let meant = |version: &TlsVersion| word == "ALL" || word == version.name();
                    self.without.retain(|version| !meant(version));
                    self.without.extend(TlsVersion::ALL.iter().filter(|version| off && meant(version)));
                }
            }
            _ => {}
        }
    }

    /// The bounds of the versions offered, where libpq's options say this and an unset or empty one says nothing.
    pub(super) fn bounds(
        &self,
        min: Option<TlsVersion>,
        max: Option<TlsVersion>,
    ) -> (Option<TlsVersion>, Option<TlsVersion>) {
        let (mut min, mut max) = (min.or(self.min_tls), max.or(self.max_tls));
        // Of the two versions that are still in use, one without the other is a bound.
        if self.without.contains(&TlsVersion::Tls13) {
            max = Some(max.map_or(TlsVersion::Tls12, |max| max.min(TlsVersion::Tls12)));
        }
        if self.without.contains(&TlsVersion::Tls12) {
            let lowest = if max == Some(TlsVersion::Tls12) { TlsVersion::Tls11 } else { TlsVersion::Tls13 };
            match lowest {
                TlsVersion::Tls13 => min = Some(min.map_or(lowest, |min| min.max(lowest))),
                _ => max = Some(lowest),
            }
        }
        (min, max)
    }
}

/// A list that is not understood leaves the one before it.
fn set(list: &mut Option<Vec<u16>>, read: Option<Vec<u16>>) {
    *list = read.or(list.take());
}

fn bound(value: &str, to: &mut Option<TlsVersion>) {
    match TlsVersion::ALL.iter().find(|version| version.name() == value) {
        Some(version) => *to = Some(*version),
        None if value == "None" => *to = None,
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::SecurityLevel;
    use crate::conninfo::Program;

    const HEAD: &str =
        "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = system\n[system]\n";

    /// What a file with this text sets.
    fn read(text: &str) -> Option<OpenSslConfig> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("openssl.cnf"), text).unwrap();
        std::fs::write(directory.path().join("level.inc"), format!("{HEAD}CipherString = @SECLEVEL=4\n"))
            .unwrap();
        let environment = Environment {
            variables: [("OPENSSL_CONF", "openssl.cnf"), ("LEVEL", "1")]
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            current_dir: directory.path().to_owned(),
            ..Environment::default()
        };
        let own =
            Environment { program: Program { own_tls: true, ..Program::default() }, ..environment.clone() };
        assert_eq!(OpenSslConfig::of(&own), None);
        // Once read, it is as it was for all who ask in the same surroundings.
        let config = OpenSslConfig::of(&environment);
        std::fs::remove_file(directory.path().join("openssl.cnf")).unwrap();
        assert_eq!(OpenSslConfig::of(&environment), config);
        assert_eq!(OpenSslConfig::of(&environment.clone()), None);
        config
    }

    fn level_of(text: &str) -> Option<u8> {
        read(text)?.level.map(SecurityLevel::number)
    }

    /// Each was tried with libpq 15 and 18: a server with RSA of 2048 bits is refused from level 3 on.
    #[test]
    fn security_levels() {
        let system = |lines: &str| format!("{HEAD}{lines}\n");
        for (lines, level) in [
            ("CipherString = DEFAULT@SECLEVEL=3", Some(3)),
            ("CipherString = @SECLEVEL=3", Some(3)),
            ("CipherString = DEFAULT @SECLEVEL=3", Some(3)),
            ("CipherString = @SECLEVEL=2:kEECDH:kRSA:-aDSS", Some(2)),
            ("cipherstring=\"DEFAULT@SECLEVEL=3\" # strict", Some(3)),
            ("CipherString = DEFAULT\\\n@SECLEVEL=3", Some(3)),
            ("CipherString = DEFAULT@SECLEVEL=3:@SECLEVEL=2", Some(2)),
            ("CipherString = DEFAULT@SECLEVEL=3\nCipherString = DEFAULT@SECLEVEL=2", Some(2)),
            ("CipherString = DEFAULT@SECLEVEL=$ENV::LEVEL", Some(1)),
            ("CipherString = DEFAULT@SECLEVEL=9", None),
            ("CipherString = DEFAULT@SECLEVEL=3x", None),
            ("CipherString = DEFAULT", None),
            ("Nonsense = 1\nCipherString = DEFAULT@SECLEVEL=3", Some(3)),
            ("CipherString = DEFAULT@SECLEVEL=$nowhere", None),
            ("CipherString = DEFAULT@SECLEVEL=3\n[broken", None),
            ("[system]\nMinProtocol = TLSv1.2\n[system]\nCipherString = DEFAULT@SECLEVEL=3", Some(3)),
        ] {
            assert_eq!(level_of(&system(lines)), level, "{lines}");
        }
        let variable = format!("n = 3\n{HEAD}CipherString = DEFAULT@SECLEVEL=${{default::n}}\n");
        assert_eq!(level_of(&variable), Some(3));
        assert_eq!(level_of(".include level.inc\n"), Some(4));
        assert_eq!(level_of(".include = level.inc\n"), Some(4));
        assert_eq!(level_of("[system]\nCipherString = DEFAULT@SECLEVEL=3\n"), None);
        let server_only = HEAD.replace("system_default", "server") + "CipherString = DEFAULT@SECLEVEL=3\n";
        assert_eq!(level_of(&server_only), None);
    }

    #[test]
    fn versions() {
        use TlsVersion::{Tls11, Tls12, Tls13};
        let usual = (Some(Tls12), None);
        for (lines, options, bounds) in [
            ("MaxProtocol = TLSv1.2", usual, (Some(Tls12), Some(Tls12))),
            ("TLS.MaxProtocol = TLSv1.2", usual, (Some(Tls12), Some(Tls12))),
            ("MaxProtocol = TLSv1.2", (Some(Tls12), Some(Tls13)), (Some(Tls12), Some(Tls13))),
            ("MinProtocol = TLSv1.3", usual, usual),
            ("MinProtocol = TLSv1.3", (None, None), (Some(Tls13), None)),
            ("Protocol = ALL,-TLSv1.3", (Some(Tls12), Some(Tls13)), (Some(Tls12), Some(Tls12))),
            ("Protocol = -TLSv1.2", usual, (Some(Tls13), None)),
            ("Protocol = -ALL,TLSv1.2", usual, (Some(Tls12), Some(Tls12))),
            ("Protocol = -ALL", usual, (Some(Tls12), Some(Tls11))),
        ] {
            let config = read(&format!("{HEAD}{lines}\n")).unwrap();
            assert_eq!(config.bounds(options.0, options.1), bounds, "{lines} {options:?}");
        }
        for nothing in
            ["MaxProtocol = None", "MaxProtocol = tlsv1.2", "MaxProtocol = TLSv1.2\nMaxProtocol = None"]
        {
            assert_eq!(read(&format!("{HEAD}{nothing}\n")), None, "{nothing}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_text_is_read(parts in proptest::collection::vec(proptest::sample::select(vec![
            "[", "]", "$", "{", "}", "=", ":", "::", "\\", "#", "\"", "'", ".include", "openssl_conf", "default", "\n", " ",
            "@SECLEVEL=", "9", "é", "(", ")", "a",
        ]), 0..40)) {
            read(&parts.concat());
        }
    }
}
