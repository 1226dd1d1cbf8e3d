//! A directory of a test's own: its home, its files, and commands that see nothing else of the machine.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A new, empty directory that goes when the value does, also when the test panics.
pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    /// Makes the directory. Others may pass through it, because servers run as another user when the tests run as root.
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("pgtls-").tempdir().expect("a temporary directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The path of `name` inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file readable by its owner only (what libpq demands of keys and password files) and gives its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("the directory of a file");
        }
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    /// A command that runs in this directory with it as `HOME`, and with no variable of ours but `PATH`: no `PG*`,
    /// no `SSL_CERT_FILE`, no locale.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()))
            .env("HOME", self.path())
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.path());
        command
    }

    /// The user these tests run as, told by who owns the directory they made.
    pub(crate) fn owner(&self) -> u32 {
        fs::metadata(self.path()).expect("the directory").uid()
    }
}
