//! Writing a file so that nobody ever sees half of it: beside its place, then moved there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What to do with a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail with [`io::ErrorKind::AlreadyExists`].
    Keep,
    /// Replace it.
    Replace,
}

/// Writes a file whole or not at all.
///
/// # Errors
/// What the system says; `AlreadyExists` for a file that is to be kept.
pub fn atomically(path: &Path, content: &[u8], existing: Existing) -> io::Result<()> {
    // Asked first for the sake of a plain answer; the move below decides.
    if existing == Existing::Keep && fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let beside = beside(path)?;
    let written = written(&beside, content).and_then(|()| match existing {
        Existing::Replace => fs::rename(&beside, path),
        // A link fails where the name is taken, a rename does not.
        Existing::Keep => match fs::hard_link(&beside, path) {
            Err(error) if cannot_link(&error) && fs::symlink_metadata(path).is_err() => {
                fs::rename(&beside, path)
            }
            linked => linked,
        },
    });
    match fs::remove_file(&beside) {
        Err(error) if written.is_ok() && error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => written,
    }
}

/// Whether a file system has no links.
fn cannot_link(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

fn written(path: &Path, content: &[u8]) -> io::Result<()> {
    // Left by a run that was killed and had the same number.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A name beside the file that no other run uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("roots.pem");
        for existing in [Existing::Keep, Existing::Replace] {
            let _ = fs::remove_file(&path);
            atomically(&path, b"new", existing).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(names(directory.path()), ["roots.pem"]);
        }
    }

    #[test]
    fn what_is_to_be_kept_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("roots.pem");
        fs::write(&path, b"old").unwrap();
        let error = atomically(&path, b"new", Existing::Keep).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        atomically(&path, b"new", Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["roots.pem"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_stays_clean() {
        let directory = tempfile::tempdir().unwrap();
        assert!(atomically(&directory.path().join("none/roots.pem"), b"new", Existing::Keep).is_err());
        assert!(atomically(Path::new("/"), b"new", Existing::Replace).is_err());
        assert!(names(directory.path()).is_empty());
    }
}
