//! A temporary directory of the demo's own, gone with its value.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::pki::random;
use crate::file;

/// The directory.
pub(super) struct Directory {
    path: PathBuf,
    /// The files that were written into it.
    files: Vec<PathBuf>,
}

impl Directory {
    /// Makes one that only this account may enter, under a name that nobody can foresee: where temporary files go, or
    /// here, where a container has no such place.
    pub(super) fn new() -> io::Result<Self> {
        file::bounded(Self::made)
    }

    fn made() -> io::Result<Self> {
        let name = format!("pgtls-check-demo-{:016x}", u64::from_be_bytes(random()?));
        let place = Some(std::env::temp_dir()).filter(|place| place.is_dir());
        let place = place.map_or_else(std::env::current_dir, Ok)?;
        let path = place.join(name);
        private_builder().create(&path).map_err(|error| {
            let variable = if cfg!(windows) { "TEMP" } else { "TMPDIR" };
            let words = format!("a directory in {} ({variable} names another): {error}", place.display());
            io::Error::new(error.kind(), words)
        })?;
        let mut directory = Self { path, files: Vec::new() };
        if cfg!(unix) {
            // As the system names it (macOS: /private/var for /var), so that paths read the same everywhere.
            directory.path = directory.path.canonicalize()?;
        }
        Ok(directory)
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only its owner may read, as libpq demands of keys and password files.
    pub(super) fn write(&mut self, name: &str, content: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        self.files.push(path.clone());
        let content = content.as_ref().to_vec();
        file::bounded(move || {
            fs::write(&path, content)?;
            set_mode(&path, 0o600)?;
            Ok(path)
        })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let (path, files) = (std::mem::take(&mut self.path), std::mem::take(&mut self.files));
        let _ = file::bounded(move || {
            removed(&path, &files);
            Ok(())
        });
    }
}

fn removed(path: &Path, files: &[PathBuf]) {
    if fs::remove_dir_all(path).is_err() {
        // Looking into a directory takes a descriptor, and there may be none left. What cannot be removed now either,
        // the system removes in time: it is in the directory for temporary files.
        files.iter().for_each(|file| drop(fs::remove_file(file)));
        let _ = fs::remove_dir(path);
    }
}

/// Makes directories that only this account may enter. On Windows those of the account's temporary directory are so anyway.
#[cfg(unix)]
fn private_builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(not(unix))]
fn private_builder() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

/// Sets permission bits where there are any.
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}
