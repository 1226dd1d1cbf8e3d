//! The password file, `~/.pgpass` (fe-connect.c, passwordFromFile).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::mask::obstacle;
use super::{NoPassword, Notice};
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

impl<'a> Key<'a> {
    fn fields(&self) -> [(&'static str, &'a [u8]); 4] {
        [("host", self.host), ("port", self.port), ("database", self.database), ("user", self.user)]
    }

    /// What follows the four fields of a line, if they fit.
    fn rest_of<'l>(&self, line: &'l [u8]) -> Option<&'l [u8]> {
        self.fields().into_iter().try_fold(line, |line, (_, value)| field(line, value))
    }

    /// The one field in which a line differs, if it is one alone and a password follows.
    fn only_difference(&self, line: &[u8]) -> Option<&'static str> {
        let mut differs = None;
        let mut rest = line;
        for (name, value) in self.fields() {
            rest = match field(rest, value) {
                Some(after) => after,
                None if differs.is_none() => {
                    differs = Some(name);
                    after_colon(rest)?
                }
                None => return None,
            };
        }
        differs.filter(|_| !rest.is_empty())
    }
}

/// What follows the first colon that no backslash makes literal.
fn after_colon(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    loop {
        let (byte, after) = rest.split_first()?;
        match byte {
            b'\\' => rest = after.split_first()?.1,
            b':' => return Some(after),
            _ => rest = after,
        }
    }
}

/// A value as a line has it.
fn escaped(value: &[u8]) -> String {
    String::from_utf8_lossy(value).replace('\\', "\\\\").replace(':', "\\:")
}

impl PasswordFile {
    /// Reads the file. libpq passes over one that is not there or cannot be read, one that is no plain file, and one that is
    /// open to others.
    pub(super) fn open(path: &Path) -> Result<Self, Notice> {
        let useless = |error: &io::Error| Notice::PassfileUseless {
            path: path.to_owned(),
            slot: 0,
            why: match error.kind() {
                io::ErrorKind::NotFound => NoPassword::Missing,
                _ => NoPassword::Unreadable(
                    obstacle(path).map_or_else(|| error.to_string(), |found| found.to_string()),
                ),
            },
        };
        let metadata = crate::file::metadata(path).map_err(|error| useless(&error))?;
        crate::file::note(path, &metadata);
        // Before the file is opened, since opening a named pipe would wait for somebody to write into it.
        check(path, &metadata)?;
        Self::read(path, &metadata).map_err(|error| useless(&error))
    }

    /// A file that libpq ignores for its mode, to see what it would find there then.
    pub(super) fn ignored(path: &Path) -> Option<Self> {
        Self::read(path, &crate::file::metadata(path).ok()?).ok()
    }

    fn read(path: &Path, metadata: &fs::Metadata) -> io::Result<Self> {
        // One of the kernel's files says that it is empty, and may keep its reader waiting.
        if metadata.len() == 0 {
            return Ok(Self(Zeroizing::default()));
        }
        let there = path.to_owned();
        let read = crate::file::bounded(move || {
            let mut content = Zeroizing::new(Vec::new());
            File::open(there)?.take(SIZE_LIMIT).read_to_end(&mut content)?;
            // For fgets a line ends at a zero byte, and goes on with the next line, without which there is none.
            let is_whole = content.last() == Some(&b'\n');
            let mut hidden = false;
            content.retain(|byte| {
                hidden |= *byte == 0;
                let kept = !hidden;
                hidden &= *byte != b'\n';
                kept
            });
            if is_whole && content.last() != Some(&b'\n') {
                let end = content.iter().rposition(|byte| *byte == b'\n');
                content.truncate(end.map_or(0, |end| end + 1));
            }
            Ok(content)
        });
        read.map(Self)
    }

    /// The password of the first line that fits.
    pub(super) fn find(&self, key: &Key<'_>) -> Option<Secret> {
        self.lines().find_map(|(_, line)| Some(password(key.rest_of(line)?)))
    }

    /// The number of the line that counts, and that of a later one that fits too and has another password.
    pub(super) fn taken(&self, key: &Key<'_>) -> Option<(usize, Option<usize>)> {
        let mut fitting = self.lines().filter_map(|(number, line)| Some((number, key.rest_of(line)?)));
        let (taken, first) = fitting.next()?;
        let other = fitting.find(|(_, rest)| *rest != first && !rest.is_empty());
        Some((taken, other.map(|(number, _)| number)))
    }

    /// The line of a key whose password ends at a colon with more behind it.
    pub(super) fn cut(&self, key: &Key<'_>) -> Option<usize> {
        let (number, rest) = self.lines().find_map(|(number, line)| Some((number, key.rest_of(line)?)))?;
        let mut escaped = false;
        let colon = rest.iter().position(|byte| {
            let ends = *byte == b':' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })?;
        (colon + 1 < rest.len()).then_some(number)
    }

    /// Why there is no password for a key.
    pub(super) fn why_none(&self, key: &Key<'_>) -> NoPassword {
        match self.lines().find(|(_, line)| key.rest_of(line).is_some()) {
            Some((line, _)) => NoPassword::EmptyPassword { line },
            None => NoPassword::NoLine {
                wanted: key.fields().map(|(_, value)| escaped(value)).join(":"),
                nearest: self.lines().find_map(|(number, line)| Some((number, key.only_difference(line)?))),
            },
        }
    }

    /// The lines that are no comments, with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let lines = self.0.split(|byte| *byte == b'\n').enumerate();
        lines.filter_map(|(index, line)| {
            let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
            let line = line.get(..end).filter(|line| !line.starts_with(b"#"))?;
            Some((index + 1, line))
        })
    }
}

#[cfg(unix)]
fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), Notice> {
    use std::os::unix::fs::PermissionsExt;

    use crate::file::obstacle::may_change_mode;

    let mode = metadata.permissions().mode() & 0o7777;
    let changeable = || may_change_mode(path);
    let ignored =
        |mode| Err(Notice::PassfileIgnored { path: path.to_owned(), mode, changeable: changeable() });
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

    #[test]
    fn why_there_is_no_password_is_told_without_one() {
        let key = Key { host: b"h", port: b"1", database: b"d:b", user: b"u" };
        let why = |content: &[u8]| PasswordFile(Zeroizing::new(content.to_vec())).why_none(&key);
        let none = |nearest| NoPassword::NoLine { wanted: "h:1:d\\:b:u".to_owned(), nearest };
        for (content, expected) in [
            (&b""[..], none(None)),
            (b"# h:1:d\\:b:v:x\nh:2:d\\:b:u:x", none(Some((2, "port")))),
            (b"other:1:d\\:b:u:x", none(Some((1, "host")))),
            (b"h:1:*:U:x", none(Some((1, "user")))),
            // Two fields, and a line with a field too few, in which another is the password.
            (b"h:2:*:v:x\nh:1:u:secret", none(None)),
            (b"\nh:*:*:u:", NoPassword::EmptyPassword { line: 2 }),
        ] {
            assert_eq!(why(content), expected, "{}", String::from_utf8_lossy(content));
        }
    }

    #[test]
    fn a_password_that_ends_at_a_colon_is_told_by_its_line() {
        let key = Key { host: b"h", port: b"1", database: b"d", user: b"u" };
        for (content, cut) in [
            (&b"h:1:d:u:a:b"[..], Some(1)),
            (b"x:1:d:u:p\nh:1:d:u:a\\:b:c", Some(2)),
            (b"h:1:d:u:a\\:b", None),
            (b"h:1:d:u:ab:", None),
            (b"h:1:d:u:a\\\\:b", Some(1)),
        ] {
            assert_eq!(
                PasswordFile(Zeroizing::new(content.to_vec())).cut(&key),
                cut,
                "{}",
                String::from_utf8_lossy(content)
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_open_to_others_are_ignored() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        let missing = Notice::PassfileUseless { path: path.clone(), slot: 0, why: NoPassword::Missing };
        assert_eq!(PasswordFile::open(&path).err(), Some(missing));
        fs::write(&path, "*:*:*:*:x").unwrap();
        for mode in [0o640, 0o604, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let notice = PasswordFile::open(&path).err();
            assert_eq!(
                notice,
                Some(Notice::PassfileIgnored { path: path.clone(), mode: Some(mode), changeable: true })
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(PasswordFile::open(&path).is_ok());
        let notice = PasswordFile::open(directory.path()).err();
        assert_eq!(
            notice,
            Some(Notice::PassfileIgnored { path: directory.path().to_owned(), mode: None, changeable: true })
        );
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
