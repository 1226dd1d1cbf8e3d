//! Remedies that lie on this machine and that no rule can see in the evidence: another file of roots beside the one
//! that is no good, the client certificate in libpq's default place. They are offered only if a trial shows that they
//! work.

use std::path::{Path, PathBuf};

use crate::conninfo::{self, Environment, Origin, RootChoice, Settings};
use crate::diagnose::Fix;
use crate::file;
use crate::order;

/// Files of one directory that are looked at, and entries that are passed in search of them.
const MOST_FILES: usize = 12;
const MOST_ENTRIES: usize = 500;
/// No file of roots is larger; the bundle of all public ones has a quarter of this.
const LARGEST: u64 = 1024 * 1024;
/// What files of certificates are called.
const EXTENSIONS: [&str; 5] = ["pem", "crt", "cer", "cert", "ca-bundle"];

/// In the BEGIN line of every private key in PEM.
const KEY_LABEL: &[u8] = b"PRIVATE KEY-----";
/// What files of private keys are called.
const KEY_EXTENSIONS: [&str; 2] = ["key", "pem"];

/// Other files of roots: those beside the one named, then libpq's default file.
pub(super) fn root_files(settings: &Settings, environment: &Environment) -> Vec<Fix> {
    let default = environment.default_file("root.crt");
    let given = match &settings.root {
        RootChoice::File { path, typed } => typed.as_ref().unwrap_or(path).clone(),
        RootChoice::Default(Some(path)) => path.clone(),
        RootChoice::Default(None) | RootChoice::System => return Vec::new(),
    };
    let is_other = |path: &PathBuf| place(environment, path) != place(environment, &given);
    let beside = files_beside(&given, &EXTENSIONS, environment).into_iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        root_file(&path, format!("use {name}, in the same directory, which has the root that is needed"))
    });
    let default = default.filter(|path| is_other(path) && is_file(&place(environment, path)));
    let stray = settings.parameter("sslrootcert").map(|known| &known.origin);
    let default = default.map(|path| match stray {
        Some(Origin::Environment(variable)) => {
            let default = conninfo::mask_path(&path);
            let text = format!("unset {variable}: libpq then uses its default file {default}, which has the root that is needed");
            root_file(&path, text).map(|fix| fix.by_unsetting(&[variable]))
        }
        _ => root_file(&path, "use libpq's default file, which has the root that is needed"),
    });
    beside.chain(default).flatten().collect()
}

fn root_file(path: &Path, text: impl Into<String>) -> Option<Fix> {
    let settings = vec![("sslrootcert", path.to_str()?.to_owned())];
    Some(Fix { text: text.into(), settings, ..Fix::default() })
}

fn place(environment: &Environment, path: &Path) -> PathBuf {
    environment.current_dir.join(path)
}

/// Other keys beside the client's certificate, and beside the key that is no good.
pub(super) fn keys(settings: &Settings, environment: &Environment) -> Vec<Fix> {
    let named = ["sslcert", "sslkey"].into_iter().filter_map(|keyword| settings.path(keyword));
    let mut found: Vec<PathBuf> = Vec::new();
    // Certificate and key are often one file.
    let is_both = |path: &PathBuf| {
        let path = place(environment, path);
        let content = is_file(&path).then(|| within(|| file::read(&path, LARGEST)));
        content
            .and_then(Result::ok)
            .is_some_and(|content| content.windows(KEY_LABEL.len()).any(|part| part == KEY_LABEL))
    };
    found.extend(settings.path("sslcert").filter(is_both));
    for path in named.flat_map(|given| files_beside(&given, &KEY_EXTENSIONS, environment)) {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    // The one that is called like the certificate first.
    let certificate = settings.path("sslcert");
    let stem = certificate.as_deref().and_then(Path::file_stem);
    order::by_key(&mut found, |path| path.file_stem() != stem);
    found
        .into_iter()
        .take(MOST_FILES)
        .filter_map(|path| {
            let name = conninfo::mask_path(&path);
            let text = format!("use {name}, the key of this certificate");
            Some(Fix { text, settings: vec![("sslkey", path.to_str()?.to_owned())], ..Fix::default() })
        })
        .collect()
}

/// What is called like a file of certificates in the directory of `given`, by name. Nothing from a directory to which
/// everybody may write: what lies there is anybody's.
fn files_beside(given: &Path, extensions: &[&str], environment: &Environment) -> Vec<PathBuf> {
    // Text in the place of a path lies nowhere, and that of a key is a secret.
    if conninfo::is_content(given) {
        return Vec::new();
    }
    let place = place(environment, given);
    let Some(directory) = place.parent().filter(|directory| !is_everybodys(directory)) else {
        return Vec::new();
    };
    let Ok(entries) = within(|| file::directory(directory)) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .into_iter()
        .take(MOST_ENTRIES)
        .filter_map(|name| {
            let extension = Path::new(&name).extension()?.to_str()?.to_ascii_lowercase();
            let metadata = within(|| file::metadata(&directory.join(&name))).ok()?;
            let fits = extensions.contains(&extension.as_str())
                && metadata.is_file()
                && metadata.len() <= LARGEST
                && Some(name.as_os_str()) != given.file_name();
            fits.then_some(name)
        })
        .collect();
    order::sort(&mut names);
    names.into_iter().take(MOST_FILES).map(|name| given.with_file_name(name)).collect()
}

fn is_file(path: &Path) -> bool {
    within(|| file::metadata(path)).is_ok_and(|found| found.is_file())
}

/// Nobody waits for a file system that does not answer, for what may help.
fn within<T>(work: impl FnOnce() -> T) -> T {
    file::within(std::time::Duration::ZERO, work)
}

#[cfg(unix)]
fn is_everybodys(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    within(|| file::metadata(directory)).map_or(true, |metadata| metadata.mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn is_everybodys(_: &Path) -> bool {
    false
}

/// libpq's default client certificate, where another was named or none was to be used.
pub(super) fn client_certificate(settings: &Settings, environment: &Environment) -> Option<Fix> {
    let certificate = environment.default_file("postgresql.crt").filter(|path| is_file(path))?;
    let key = environment.default_file("postgresql.key").filter(|path| is_file(path))?;
    let named = settings.path("sslcert").is_some_and(|path| place(environment, &path) != certificate);
    let disabled = settings.parameter("sslcertmode").is_some_and(|mode| mode.value.exposed() == b"disable");
    let mut changes = Vec::new();
    if named {
        changes.push(("sslcert", certificate.to_str()?.to_owned()));
        changes.push(("sslkey", key.to_str()?.to_owned()));
    }
    if disabled {
        changes.push(("sslcertmode", "allow".to_owned()));
    }
    let text =
        format!("use the client certificate in libpq's default place, {}", conninfo::mask_path(&certificate));
    (!changes.is_empty()).then_some(Fix { text, settings: changes, ..Fix::default() })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_files_that_may_be_roots_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["given.pem", "b.crt", "a.PEM", "notes.txt", "key"] {
            fs::write(at(name), "x").unwrap();
        }
        fs::create_dir(at("dir.pem")).unwrap();
        fs::write(at("large.pem"), vec![b'x'; usize::try_from(LARGEST).unwrap() + 1]).unwrap();
        let environment = Environment { current_dir: directory.path().to_owned(), ..Environment::default() };
        for given in [PathBuf::from("given.pem"), at("given.pem"), at("no-such.pem")] {
            let found = files_beside(&given, &EXTENSIONS, &environment);
            let mut expected = vec![given.with_file_name("a.PEM"), given.with_file_name("b.crt")];
            if given.ends_with("no-such.pem") {
                expected.push(at("given.pem"));
            }
            assert_eq!(found, expected, "{}", given.display());
        }
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(files_beside(&at("given.pem"), &EXTENSIONS, &environment), Vec::<PathBuf>::new());
    }
}
