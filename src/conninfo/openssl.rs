//! What OpenSSL's configuration file sets for every TLS connection of every program, libpq's included (config(5),
//! `SSL_CONF_cmd`(3)): the section that `openssl_conf`, then `ssl_conf`, then `system_default` lead to.
//!
//! Read are the security level and the protocol versions. Left out: lists of cipher suites, groups and signature
//! algorithms, and what belongs to a provider or to FIPS mode. Compared with libpq 15 over OpenSSL 3.0 and libpq 18 over 3.5.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::choices::Choice as _;
use super::{Environment, TlsVersion};
use crate::certificate::SecurityLevel;
use crate::file;

/// Where builds of OpenSSL have their `openssl.cnf` (`openssl version -d`): Debian and Ubuntu, Fedora and Red Hat, Alpine
/// and SUSE, macOS with Homebrew.
const PLACES: [&str; 4] = [
    "/usr/lib/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/ssl/openssl.cnf",
    "/opt/homebrew/etc/openssl@3/openssl.cnf",
];
/// No configuration that anybody uses is longer.
const LONGEST: u64 = 1024 * 1024;
/// Files that one includes, and the longest value that variables make, at most.
const MOST_FILES: usize = 100;
const LONGEST_VALUE: usize = 64 * 1024;

/// What the configuration sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenSslConfig {
    /// The file, as it was named.
    pub file: PathBuf,
    /// `@SECLEVEL` of `CipherString`.
    pub level: Option<SecurityLevel>,
    /// `MinProtocol`, which libpq's `ssl_min_protocol_version` replaces unless that is empty.
    pub min_tls: Option<TlsVersion>,
    /// `MaxProtocol`, which libpq's `ssl_max_protocol_version` replaces.
    pub max_tls: Option<TlsVersion>,
    /// What `Protocol` switches off, whatever libpq's bounds are.
    pub without: Vec<TlsVersion>,
}

impl OpenSslConfig {
    /// What the file that OpenSSL would read sets; `None` if that is nothing.
    pub(super) fn read(environment: &Environment) -> Option<Self> {
        if environment.program.own_tls {
            return None;
        }
        let file = match environment.variable("OPENSSL_CONF") {
            Some(path) => PathBuf::from(path),
            None => PLACES.iter().map(PathBuf::from).find(|path| path.is_file())?,
        };
        let mut reader = Reader::within(environment);
        reader.file(&file)?;
        let mut config = Self { file, ..Self::default() };
        for (name, value) in reader.system_default()? {
            config.command(name, value);
        }
        (config != Self { file: config.file.clone(), ..Self::default() }).then_some(config)
    }

    /// One line of the section (`SSL_CONF_cmd`). OpenSSL passes over what it does not understand.
    fn command(&mut self, name: &str, value: &str) {
        // `1.CipherString` and `TLS.MaxProtocol` are ways to say a thing twice, and of TLS alone.
        let name = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "cipherstring" => self.level = level(value).or(self.level),
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

/// The last level that a list of ciphers names (`ssl_create_cipher_list` in ssl_ciph.c).
fn level(ciphers: &str) -> Option<SecurityLevel> {
    let named = ciphers.split("@SECLEVEL=").skip(1).map(|rest| {
        let mut rest = rest.chars();
        let digit = rest.next().and_then(|digit| digit.to_digit(10));
        let ends = rest.next().is_none_or(|next| ": ;,@".contains(next));
        digit.filter(|_| ends).and_then(|level| SecurityLevel::new(u8::try_from(level).ok()?))
    });
    // One that is none spoils the list.
    named.collect::<Option<Vec<_>>>()?.last().copied()
}

fn bound(value: &str, to: &mut Option<TlsVersion>) {
    match TlsVersion::ALL.iter().find(|version| version.name() == value) {
        Some(version) => *to = Some(*version),
        None if value == "None" => *to = None,
        None => {}
    }
}

/// The sections of a file and of those that it includes (conf_def.c). A fault anywhere spoils all of it.
struct Reader<'a> {
    environment: &'a Environment,
    /// Name and value, in their order, for each section.
    sections: BTreeMap<String, Vec<(String, String)>>,
    section: String,
    files: usize,
}

impl<'a> Reader<'a> {
    fn within(environment: &'a Environment) -> Self {
        Self { environment, sections: BTreeMap::new(), section: "default".to_owned(), files: 0 }
    }

    fn file(&mut self, path: &Path) -> Option<()> {
        self.files += 1;
        if self.files > MOST_FILES {
            return None;
        }
        let bytes = file::read(&self.environment.current_dir.join(path), LONGEST).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let mut line = line.to_owned();
            while line.ends_with('\\') {
                line.pop();
                line.push_str(lines.next().unwrap_or_default());
            }
            self.line(without_comment(&line).trim())?;
        }
        Some(())
    }

    fn line(&mut self, line: &str) -> Option<()> {
        if line.is_empty() {
            return Some(());
        }
        if let Some(name) = line.strip_prefix('[') {
            self.section = name.split_once(']')?.0.trim().to_owned();
            self.sections.entry(self.section.clone()).or_default();
            return Some(());
        }
        if let Some(rest) = line.strip_prefix(".include") {
            let path = rest.trim_start().strip_prefix('=').unwrap_or(rest).trim();
            return self.include(&PathBuf::from(self.value(path)?));
        }
        if line.starts_with(".pragma") {
            return Some(());
        }
        let (name, value) = line.split_once('=')?;
        let (section, name) = match name.trim().split_once("::") {
            Some((section, name)) => (section.to_owned(), name),
            None => (self.section.clone(), name.trim()),
        };
        let value = self.value(value.trim())?;
        self.sections.entry(section).or_default().push((name.to_owned(), value));
        Some(())
    }

    /// A file, or the files of a directory that end in `.cnf` or `.conf`. What is not there is no fault.
    fn include(&mut self, path: &Path) -> Option<()> {
        let place = self.environment.current_dir.join(path);
        if place.is_file() {
            return self.file(path);
        }
        let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension().is_some_and(|extension| extension == "cnf" || extension == "conf")
            })
            .collect();
        files.sort();
        files.iter().try_for_each(|file| self.file(file))
    }

    /// A value without its quotes and escapes, and with variables replaced (`str_copy`).
    fn value(&self, text: &str) -> Option<String> {
        let mut value = String::new();
        let mut quote = None;
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            match (next, quote) {
                ('\\', _) => value.extend(rest.next()),
                (_, Some(open)) if next == open => quote = None,
                ('"' | '\'' | '`', None) => quote = Some(next),
                ('$', _) => {
                    let (variable, after) = variable(rest.as_str())?;
                    value.push_str(&self.lookup(variable)?);
                    rest = after.chars();
                }
                _ => value.push(next),
            }
            if value.len() > LONGEST_VALUE {
                return None;
            }
        }
        Some(value)
    }

    fn lookup(&self, variable: &str) -> Option<String> {
        let (section, name) = variable.split_once("::").unwrap_or((&self.section, variable));
        if section == "ENV" {
            return self.environment.variable(name).map(|value| value.to_string_lossy().into_owned());
        }
        self.get(section, name).or_else(|| self.get("default", name)).map(str::to_owned)
    }

    fn get(&self, section: &str, name: &str) -> Option<&str> {
        let values = self.sections.get(section)?;
        values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The lines of the section that counts for every TLS context.
    fn system_default(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let modules = self.get("default", "openssl_conf")?;
        let contexts = self.get(modules, "ssl_conf")?;
        let values = self.sections.get(self.get(contexts, "system_default")?)?;
        Some(values.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// The name behind a `$`, in brackets or not, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    for (open, close) in [('{', '}'), ('(', ')')] {
        if let Some(inside) = text.strip_prefix(open) {
            return inside.split_once(close);
        }
    }
    let ends = |next: char| !(next.is_ascii_alphanumeric() || next == '_' || next == ':');
    Some(text.split_at(text.find(ends).unwrap_or(text.len())))
}

/// A line up to a `#` that is neither quoted nor escaped.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (at, next) in line.char_indices() {
        match (next, quote) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            (_, Some(open)) if next == open => quote = None,
            ('"' | '\'' | '`', None) => quote = Some(next),
            ('#', None) => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(OpenSslConfig::read(&own), None);
        OpenSslConfig::read(&environment)
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
