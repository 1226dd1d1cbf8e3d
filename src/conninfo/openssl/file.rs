//! The syntax of OpenSSL's configuration files (config(5)).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::conninfo::Environment;
use crate::file;
use crate::order;
use crate::text;

/// No configuration that anybody uses is longer.
const LONGEST: u64 = 1024 * 1024;
/// Files that one includes, and the longest value that variables make, at most.
const MOST_FILES: usize = 100;
const LONGEST_VALUE: usize = 64 * 1024;

/// The sections of a file and of those that it includes (conf_def.c). A fault anywhere spoils all of it.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    /// Name and value, in their order, for each section.
    sections: BTreeMap<String, Vec<(String, String)>>,
    section: String,
    files: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn within(environment: &'a Environment) -> Self {
        Self { environment, sections: BTreeMap::new(), section: "default".to_owned(), files: 0 }
    }

    pub(super) fn file(&mut self, path: &Path) -> Option<()> {
        self.files += 1;
        if self.files > MOST_FILES {
            return None;
        }
        let bytes = file::read(&self.environment.current_dir.join(path), LONGEST).ok()?;
        if self.files == 1 && !may_concern_tls(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes)) {
            return Some(());
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let mut line = Cow::Borrowed(line);
            while line.ends_with('\\') {
                let line = line.to_mut();
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
        let section = self.sections.entry(section).or_default();
        // A name that is there already takes the new value, and the new place (`_CONF_add_string`).
        section.retain(|(known, _)| known != name);
        section.push((name.to_owned(), value));
        Some(())
    }

    /// A file, or the files of a directory that end in `.cnf` or `.conf`. What is not there is no fault.
    fn include(&mut self, path: &Path) -> Option<()> {
        let place = self.environment.current_dir.join(path);
        if file::is_file(&place) {
            return self.file(path);
        }
        let names = file::directory(&place).unwrap_or_default();
        let mut files: Vec<PathBuf> = names
            .into_iter()
            .map(|name| place.join(name))
            .filter(|path| {
                path.extension().is_some_and(|extension| extension == "cnf" || extension == "conf")
            })
            .collect();
        order::sort(&mut files);
        files.iter().try_for_each(|file| self.file(file))
    }

    /// A value without its quotes and escapes, and with variables replaced (`str_copy`).
    fn value(&self, text: &str) -> Option<String> {
        if text.len() <= LONGEST_VALUE && !text.contains(['\\', '"', '\'', '`', '$']) {
            return Some(text.to_owned());
        }
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
        values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether algorithms approved by FIPS 140 alone are to be fetched (fips_module(7)): by the default properties, or since
    /// the provider that is activated is the one with those.
    pub(super) fn asks_for_fips(&self) -> bool {
        let section = |name| self.get("default", "openssl_conf").and_then(|modules| self.get(modules, name));
        let properties = section("alg_section").is_some_and(|algorithms| {
            let default = self.get(algorithms, "default_properties").unwrap_or_default();
            let wanted = |property: &str| matches!(property.replace(' ', "").as_str(), "fips=yes" | "fips");
            default.split(',').any(wanted) || self.get(algorithms, "fips_mode").is_some_and(is_true)
        });
        let activated = |name| {
            let provider = section("providers").and_then(|providers| self.get(providers, name));
            provider.and_then(|provider| self.get(provider, "activate")).is_some_and(is_true)
        };
        properties || (activated("fips") && !activated("default"))
    }

    /// The lines of the section that counts for every TLS context.
    pub(super) fn system_default(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let modules = self.get("default", "openssl_conf")?;
        let contexts = self.get(modules, "ssl_conf")?;
        let values = self.sections.get(self.get(contexts, "system_default")?)?;
        Some(values.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Whether a file can set anything of what is asked for here: it includes another, or names one of the sections that lead
/// there. The file that systems come with does neither, and is long.
fn may_concern_tls(bytes: &[u8]) -> bool {
    const LEADS_THERE: [&[u8]; 3] = [b"ssl_conf", b"alg_section", b"providers"];
    text::lines(bytes).map(<[u8]>::trim_ascii).filter(|line| !line.starts_with(b"#")).any(|line| {
        let name = line.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = name.rsplit(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
        LEADS_THERE.contains(&name) || line.starts_with(b".include") || line.ends_with(b"\\")
    })
}

fn is_true(value: &str) -> bool {
    ["1", "yes", "true", "on"].contains(&value.to_ascii_lowercase().as_str())
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
    // Most lines are one as a whole, or have none.
    if line.starts_with('#') {
        return "";
    }
    if !line.contains('#') {
        return line;
    }
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
