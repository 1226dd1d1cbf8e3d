//! The password file, `~/.pgpass` (fe-connect.c, passwordFromFile).

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::Notice;
use crate::secret::Secret;

/// The largest file that is read; what is longer is cut there.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// A password file, read.
pub(super) struct PasswordFile(Zeroizing<Vec<u8>>);

/// Whom a password is sought for.
pub(super) struct Key<'a> {
    pub(super) host: &'a [u8],
    pub(super) port: &'a [u8],
    pub(super) database: &'a [u8],
    pub(super) user: &'a [u8],
}

impl PasswordFile {
    /// Reads the file. One that cannot be read is passed over in silence, one that is no plain file or open to others
    /// with a notice.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Notice> {
        let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
        // Before the file is opened, since opening a named pipe would wait for somebody to write into it.
        check(path, &metadata)?;
        let mut content = Zeroizing::new(Vec::new());
        let read = File::open(path).and_then(|file| file.take(SIZE_LIMIT).read_to_end(&mut content));
        Ok(read.is_ok().then_some(Self(content)))
    }

    /// The password of the first line that fits.
    pub(super) fn find(&self, key: &Key<'_>) -> Option<Secret> {
        self.0.split(|byte| *byte == b'\n').find_map(|line| {
            let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
            let line = line.get(..end).filter(|line| !line.starts_with(b"#"))?;
            let rest = [key.host, key.port, key.database, key.user].into_iter().try_fold(line, field)?;
            Some(password(rest))
        })
    }
}

#[cfg(unix)]
fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), Notice> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    let ignored = |mode| Err(Notice::PassfileIgnored { path: path.to_owned(), mode });
    match metadata.is_file() {
        false => ignored(None),
        true if mode & 0o077 != 0 => ignored(Some(mode)),
        true => Ok(()),
    }
}

/// On Windows the directory is protected, so libpq does not look at the file.
#[cfg(not(unix))]
fn check(_: &Path, _: &fs::Metadata) -> Result<(), Notice> {
    Ok(())
}

/// What follows a line's first field and its colon, if the field is `*` or the value; a backslash makes the next byte
/// of the field literal (pwdfMatchesString).
fn field<'a>(line: &'a [u8], value: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let mut rest = line;
    let mut wanted = value.iter();
    loop {
        let (byte, after) = rest.split_first()?;
        let (byte, after) = match byte {
            b'\\' => after.split_first()?,
            b':' if wanted.as_slice().is_empty() => return Some(after),
            _ => (byte, after),
        };
        if wanted.next() != Some(byte) {
            return None;
        }
        rest = after;
    }
}

/// The last field, up to a colon, its escapes undone.
fn password(text: &[u8]) -> Secret {
    let mut password = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b':' => break,
            b'\\' => password.push(bytes.next().unwrap_or(b'\\')),
            _ => password.push(byte),
        }
    }
    Secret::new(password)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(content: &[u8], host: &str, port: &str, database: &str, user: &str) -> Option<String> {
        let key = Key {
            host: host.as_bytes(),
            port: port.as_bytes(),
            database: database.as_bytes(),
            user: user.as_bytes(),
        };
        let found = PasswordFile(Zeroizing::new(content.to_vec())).find(&key)?;
        Some(String::from_utf8_lossy(found.expose()).into_owned())
    }

    #[test]
    fn lines() {
        for (line, password) in [
            ("h:1:d:u:x", Some("x")),
            ("*:*:*:*:x", Some("x")),
            ("h:1:d:u:x:rest", Some("x")),
            ("h:1:d:u:x\\:y\\\\z\r", Some("x:y\\z")),
            ("h:1:d:u:x\\", Some("x\\")),
            ("h:1:d:u:", Some("")),
            ("\\h:1:d:u:x", Some("x")),
            ("h*:1:d:u:x", None),
            (" h:1:d:u:x", None),
            ("h:1:d:u", None),
            ("#h:1:d:u:x", None),
            ("h:2:d:u:x", None),
            ("", None),
            ("h:1:d:U:no\nh:1:d:u:first\nh:1:d:u:second", Some("first")),
        ] {
            assert_eq!(find(line.as_bytes(), "h", "1", "d", "u").as_deref(), password, "{line:?}");
        }
        assert_eq!(find(b"\\:\\:1:5432:d:u:x", "::1", "5432", "d", "u").as_deref(), Some("x"));
        // A colon that the value has too needs no escape.
        assert_eq!(find(b"::1:5432:d:u:x", "::1", "5432", "d", "u").as_deref(), Some("x"));
    }

    #[cfg(unix)]
    #[test]
    fn files_open_to_others_are_ignored() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        assert!(PasswordFile::open(&path).unwrap().is_none());
        fs::write(&path, "*:*:*:*:x").unwrap();
        for mode in [0o640, 0o604, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let notice = PasswordFile::open(&path).err();
            assert_eq!(notice, Some(Notice::PassfileIgnored { path: path.clone(), mode: Some(mode) }));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(PasswordFile::open(&path).unwrap().is_some());
        let notice = PasswordFile::open(directory.path()).err();
        assert_eq!(notice, Some(Notice::PassfileIgnored { path: directory.path().to_owned(), mode: None }));
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn an_escaped_line_is_found(
            values in proptest::collection::vec("[a-z:\\\\*é]{1,6}", 5),
        ) {
            let escaped: Vec<String> =
                values.iter().map(|value| value.replace('\\', "\\\\").replace(':', "\\:")).collect();
            let line = escaped.join(":");
            let found = find(line.as_bytes(), &values[0], &values[1], &values[2], &values[3]);
            prop_assert_eq!(found.as_deref(), Some(values[4].as_str()));
        }

        #[test]
        fn nothing_makes_it_panic(content in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = find(&content, "h", "1", "d", "u");
        }
    }
}
