//! Service files (fe-connect.c, parseServiceInfo and parseServiceFile). LDAP look-ups are left out.

use std::io;
use std::path::{Path, PathBuf};

use super::blanks::is_space;
use super::mask::obstacle;
use super::{ConfigError, Environment, Origin, Value, mask, options};
use crate::file;

/// The largest file that is read.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// libpq's buffer for a line, its end and a zero byte: a line that fills it is refused.
const LINE_LIMIT: usize = 1023;

/// A section found.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The file.
    pub(super) file: PathBuf,
    /// Its settings, the first of each keyword.
    pub(super) settings: Vec<(&'static str, Value)>,
}

/// Looks a service up: in `PGSERVICEFILE` or else the user's file, then in the system's.
pub(super) fn find(name: &Value, environment: &Environment) -> Result<Section, Box<ConfigError>> {
    let (mut searched, mut unreadable) = (Vec::new(), Vec::new());
    for (path, must_exist) in files(environment) {
        let place = environment.current_dir.join(&path);
        let missing = match read(&place) {
            Ok(content) => match section(&content, name, &path) {
                Ok(Some(settings)) => return Ok(Section { file: path, settings }),
                Ok(None) => "has no such section".to_owned(),
                Err(Problem::File(what)) => {
                    searched.push((path, what));
                    return Err(not_found(name, searched, unreadable, environment));
                }
                Err(Problem::Setting(error)) => return Err(error),
            },
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    unreadable.push(path.clone());
                }
                let why = reason(&place, &error);
                if must_exist {
                    searched.push((path, why));
                    return Err(not_found(name, searched, unreadable, environment));
                }
                why
            }
        };
        searched.push((path, missing));
    }
    Err(not_found(name, searched, unreadable, environment))
}

/// What a service says of some keywords; nothing where there is no such service, which whoever merges settings tells.
pub fn said(name: &[u8], keywords: &[&str], environment: &Environment) -> Vec<(&'static str, Value)> {
    let found = find(&Value::new(name), environment).map(|section| section.settings).unwrap_or_default();
    found.into_iter().filter(|(keyword, _)| keywords.contains(keyword)).collect()
}

/// The service files, none of which has a section, in words.
pub fn without_sections(environment: &Environment) -> String {
    let said = |(path, _): &(PathBuf, bool)| {
        let place = environment.current_dir.join(path);
        let what = read(&place).err().map(|error| reason(&place, &error));
        format!("{} {}", mask::mask_path(path), what.as_deref().unwrap_or("has no section"))
    };
    files(environment).iter().map(said).collect::<Vec<_>>().join(", ")
}

/// Where a section of a service file begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The file.
    pub file: PathBuf,
    /// The line of its head, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
}

/// All sections of the service files, in their order, each name once.
pub fn sections(environment: &Environment) -> Vec<Head> {
    let mut sections: Vec<Head> = Vec::new();
    for (file, _) in files(environment) {
        let content = read(&environment.current_dir.join(&file)).unwrap_or_default();
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            let name =
                trimmed(line).strip_prefix(b"[").and_then(|rest| rest.split(|byte| *byte == b']').next());
            let Some(name) = name.map(|name| String::from_utf8_lossy(name).into_owned()) else { continue };
            if sections.iter().all(|known| known.name != name) {
                sections.push(Head { file: file.clone(), line: index + 1, name });
            }
        }
    }
    sections
}

/// Where services are looked for, and whether the file must be there.
fn files(environment: &Environment) -> Vec<(PathBuf, bool)> {
    let first = match environment.variable("PGSERVICEFILE") {
        Some(file) => Some((PathBuf::from(file), true)),
        None => environment.home().map(|home| (home.join(".pg_service.conf"), false)),
    };
    let system = match environment.variable("PGSYSCONFDIR") {
        Some(directory) => PathBuf::from(directory),
        None => environment.system_config_dir.clone(),
    };
    first.into_iter().chain([(system.join("pg_service.conf"), false)]).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    file::read(path, SIZE_LIMIT)
}

fn reason(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::FileTooLarge => format!("is larger than {SIZE_LIMIT} bytes"),
        _ => match obstacle(path) {
            Some(found) => format!("cannot be read: {found}"),
            None => format!("cannot be read: {error}"),
        },
    }
}

fn shown(name: &Value) -> String {
    String::from_utf8_lossy(mask::other("", name.as_bytes()).as_bytes()).into_owned()
}

fn not_found(
    name: &Value,
    files: Vec<(PathBuf, String)>,
    unreadable: Vec<PathBuf>,
    environment: &Environment,
) -> Box<ConfigError> {
    let others =
        sections(environment).into_iter().map(|head| shown(&Value::from(head.name.as_str()))).collect();
    let own_file = environment.home().map(|home| home.join(".pg_service.conf"));
    let has_it = |path: &PathBuf| {
        environment.variable("PGSERVICEFILE").is_some()
            && read(path).is_ok_and(|content| matches!(section(&content, name, path), Ok(Some(_))))
    };
    let own_file = own_file.filter(has_it);
    Box::new(ConfigError::ServiceNotFound { name: shown(name), files, unreadable, others, own_file })
}

/// What ends the search for a service.
enum Problem {
    /// The file is malformed: what and where.
    File(String),
    /// A setting of the section cannot be used.
    Setting(Box<ConfigError>),
}

type Settings = Vec<(&'static str, Value)>;

/// The settings of the first section of that name; lines of others are not looked at, but for their length.
fn section(content: &[u8], name: &Value, path: &Path) -> Result<Option<Settings>, Problem> {
    let mut found: Option<Settings> = None;
    for (index, whole) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        if whole.len() >= LINE_LIMIT {
            return Err(Problem::File(format!("line {number} is longer than {} bytes", LINE_LIMIT - 1)));
        }
        let line = trimmed(whole);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(heading) = line.strip_prefix(b"[") {
            if found.is_some() {
                break;
            }
            let rest = heading.strip_prefix(name.as_bytes());
            found = rest.is_some_and(|rest| rest.starts_with(b"]")).then(Vec::new);
        } else if let Some(settings) = &mut found {
            let (keyword, value) = setting(line, number, name, path)?;
            if settings.iter().all(|(known, _)| *known != keyword) {
                settings.push((keyword, value));
            }
        }
    }
    Ok(found)
}

/// `keyword=value`, without quotes, escapes or white space round the `=`.
fn setting(line: &[u8], number: usize, name: &Value, path: &Path) -> Result<(&'static str, Value), Problem> {
    let origin = || Origin::Service { name: shown(name), file: path.to_owned() };
    if line.starts_with(b"ldap") {
        return Err(Problem::Setting(Box::new(ConfigError::NotSupported {
            keyword: "service",
            value: name.clone(),
            reason: format!(
                "line {number} of {} asks an LDAP server for the settings; libpq would ask it",
                path.display()
            ),
        })));
    }
    let Some(equals) = line.iter().position(|byte| *byte == b'=') else {
        return Err(Problem::File(format!("line {number} has no \"=\"")));
    };
    let (keyword, value) = line.split_at(equals);
    match options::find(keyword) {
        Some(option) if option.keyword == "service" => {
            Err(Problem::File(format!("line {number} names a service, and services do not nest")))
        }
        Some(option) => Ok((option.keyword, Value::new(value.get(1..).unwrap_or_default()))),
        None => Err(Problem::Setting(Box::new(ConfigError::UnknownOption {
            keyword: mask::value(keyword, false),
            nearest: options::nearest(keyword),
            origin: origin(),
            span: None,
        }))),
    }
}

/// A line up to a zero byte, which ends it for libpq, without white space at its ends.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let start = line.iter().position(|byte| !is_space(*byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn lines(content: &str, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
        let text = |value: &Value| String::from_utf8_lossy(value.as_bytes()).into_owned();
        match section(content.as_bytes(), &Value::from(name), Path::new("file")) {
            Ok(found) => {
                Ok(found.map(|all| all.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect()))
            }
            Err(Problem::File(what)) => Err(what),
            Err(Problem::Setting(error)) => Err(match *error {
                ConfigError::UnknownOption { keyword, nearest, .. } => {
                    format!("{} {nearest:?}", text(&keyword))
                }
                other => format!("{other:?}"),
            }),
        }
    }

    #[test]
    fn sections() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        for (content, expected) in [
            ("[s]\nhost=a\nhost=b\nport=1\n", Ok(Some(vec![pair("host", "a"), pair("port", "1")]))),
            (
                "  [s] text behind\r\n# host=x\r\n\r\n  user='x' \r\n[t]\nport=1",
                Ok(Some(vec![pair("user", "'x'")])),
            ),
            ("[s]\n[s]\nhost=a", Ok(Some(vec![]))),
            ("[s]\npassword=a=b", Ok(Some(vec![pair("password", "a=b")]))),
            ("[t]\nnonsense\n[s]\nhost= a", Ok(Some(vec![pair("host", " a")]))),
            ("[ s ]\nhost=a", Ok(None)),
            ("[ss]\nhost=a", Ok(None)),
            ("host=a", Ok(None)),
            ("[s]\nnonsense", Err("line 2 has no \"=\"".to_owned())),
            ("[s]\nservice=t", Err("line 2 names a service, and services do not nest".to_owned())),
            ("[s]\nuser = x", Err("user  Some(\"user\")".to_owned())),
        ] {
            assert_eq!(lines(content, "s"), expected, "{content:?}");
        }
        let unknown = lines("[s]\npassword: x=1", "s");
        assert!(unknown.is_err_and(|error| error.starts_with("password: ********")));
        let long = |length: usize| format!("[t]\n{}\n[s]\nhost=a\n", "#".repeat(length));
        assert!(lines(&long(1021), "s").is_ok());
        assert!(lines(&long(1022), "s").is_err());
        assert_eq!(lines("[]\nhost=a", "").unwrap().map(|all| all.len()), Some(1));
    }

    #[test]
    fn files_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let environment = |variables: &[(&str, PathBuf)]| Environment {
            variables: variables.iter().map(|(name, value)| ((*name).into(), value.into())).collect(),
            account_home: Some(directory.path().to_owned()),
            secrets: Default::default(),
            system_config_dir: at("system"),
            ..Environment::default()
        };
        let found = |name: &str, environment: &Environment| {
            find(&Value::from(name), environment).map(|section| section.file)
        };
        let plain = environment(&[]);
        assert_eq!(
            found("s", &plain),
            Err(Box::new(ConfigError::ServiceNotFound {
                name: "s".to_owned(),
                files: vec![
                    (at(".pg_service.conf"), "does not exist".to_owned()),
                    (at("system/pg_service.conf"), "does not exist".to_owned()),
                ],
                unreadable: Vec::new(),
                others: Vec::new(),
                own_file: None,
            }))
        );
        fs::create_dir(at("system")).unwrap();
        fs::write(at("system/pg_service.conf"), "[s]\n[t]\n").unwrap();
        assert_eq!(found("s", &plain), Ok(at("system/pg_service.conf")));
        fs::write(at(".pg_service.conf"), "[s]\n[u]\n").unwrap();
        assert_eq!(found("s", &plain), Ok(at(".pg_service.conf")));
        assert_eq!(found("t", &plain), Ok(at("system/pg_service.conf")));
        let heads = super::sections(&plain).into_iter().map(|head| (head.name, head.line));
        let expected = [("s".to_owned(), 1), ("u".to_owned(), 2), ("t".to_owned(), 2)];
        assert_eq!(heads.collect::<Vec<_>>(), expected);
        // A file that is named must be there; there is no fall-back to the system's.
        let missing = environment(&[("PGSERVICEFILE", at("missing"))]);
        assert!(found("t", &missing).is_err());
        let elsewhere = environment(&[("PGSYSCONFDIR", at("nowhere"))]);
        assert!(found("t", &elsewhere).is_err());
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn nothing_makes_it_panic(content in "(\\[s\\]\n)?[a-z=\\[\\] \n\r\0#]{0,60}", name in "[s\\]]{0,2}") {
            let _ = section(content.as_bytes(), &Value::from(name.as_str()), Path::new("file"));
        }
    }
}
