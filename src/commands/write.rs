//! Writing where somebody said: a file so that nobody ever sees half of it (beside its place, then moved there), anything
//! else (a device, a pipe) in place. The place is tested when it is named, before a run begins.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::file;

/// How long a pipe may keep its writer waiting for a reader, and for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// Links that one name may lead through, as in Linux.
const MOST_LINKS: usize = 40;

/// What to do with a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail with [`io::ErrorKind::AlreadyExists`].
    Keep,
    /// Replace it.
    Replace,
}

/// A place that can be written to.
#[derive(Debug)]
pub struct Place {
    /// Links followed.
    path: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// A file of its own, moved there; with the mode of the one that it replaces.
    Moved(Existing, Option<Permissions>),
    /// Into what is there and open.
    Open(File),
    /// Over a file in a directory in which no other can be made.
    Over,
}

impl Place {
    /// Finds out whether a place can be written to, and how. Nothing in it changes.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for a file that is to be kept; `TimedOut` for a pipe that nobody reads.
    pub fn tested(path: &Path, existing: Existing) -> io::Result<Self> {
        let there = path.to_owned();
        file::bounded(move || Self::tested_here(&there, existing))
    }

    fn tested_here(path: &Path, existing: Existing) -> io::Result<Self> {
        // The program's own streams are what the shell made of them: a file there may be shared with others.
        let is_stream = path.starts_with("/dev") || path.starts_with("/proc");
        let path = followed(path)?;
        let there = match fs::metadata(&path) {
            Ok(metadata) if is_stream || !metadata.is_file() => {
                let file = opened(&path)?;
                return Ok(Self { path, way: Way::Open(file) });
            }
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if there.is_some() && existing == Existing::Keep {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let beside = beside(&path)?;
        let way = match may_be_made(&beside) {
            Ok(()) => Way::Moved(existing, there.map(|metadata| metadata.permissions())),
            Err(_) if there.is_some() && OpenOptions::new().append(true).open(&path).is_ok() => Way::Over,
            Err(error) => return Err(error),
        };
        Ok(Self { path, way })
    }

    /// No report is written over a file that the run reads or its settings name: that is known by now.
    fn unless_input(&self) -> io::Result<()> {
        let there = fs::symlink_metadata(&self.path);
        match there.is_ok_and(|there| there.is_file() && file::is_input(&self.path, &there)) {
            true => Err(io::Error::other(
                "this run reads the file or a setting names it, so it is not written over",
            )),
            false => Ok(()),
        }
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for a file that came meanwhile and is to be kept; `TimedOut` for a pipe that
    /// nobody reads any more.
    pub fn write(self, content: &[u8]) -> io::Result<()> {
        match self.way {
            Way::Moved(existing, permissions) => moved(&self.path, content, existing, permissions),
            Way::Over => fs::write(&self.path, content),
            Way::Open(mut file) => {
                let content = content.to_vec();
                patiently(move || file.write_all(&content).and_then(|()| file.flush()))
            }
        }
    }
}

/// A file that is being written. It appears at its place when it is finished, or never.
#[derive(Debug)]
pub struct Unfinished {
    place: Option<Place>,
    to: Destination,
    /// The first thing that went wrong. It is told at the end: nobody stops for it.
    error: Option<io::Error>,
}

#[derive(Debug)]
enum Destination {
    /// Beside the place, from the first bytes on: until then nothing is there that a signal could leave behind.
    Beside(PathBuf, Option<BufWriter<File>>),
    /// What is written in place is written at once.
    Memory(Vec<u8>),
}

impl Place {
    /// Begins to write.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(self) -> io::Result<Unfinished> {
        let to = match &self.way {
            Way::Moved(..) => Destination::Beside(beside(&self.path)?, None),
            Way::Open(_) | Way::Over => Destination::Memory(Vec::new()),
        };
        Ok(Unfinished { place: Some(self), to, error: None })
    }
}

impl Unfinished {
    /// Whether it takes the place of a file, rather than adding to a stream.
    pub fn is_file(&self) -> bool {
        !matches!(self.place, Some(Place { way: Way::Open(_), .. }))
    }

    /// Puts what was written in its place.
    ///
    /// # Errors
    /// What the system says, of any write before as well.
    pub fn finish(self) -> io::Result<()> {
        file::bounded(move || self.finish_here())
    }

    fn finish_here(mut self) -> io::Result<()> {
        let (Some(place), None) = (self.place.take(), &self.error) else {
            return Err(self.error.take().unwrap_or_else(|| io::ErrorKind::InvalidInput.into()));
        };
        place.unless_input()?;
        match (&mut self.to, place.way) {
            (Destination::Beside(beside, file), Way::Moved(existing, permissions)) => {
                let file = opened_once(beside, file)?;
                file.flush()?;
                file.get_ref().sync_all()?;
                placed(beside, &place.path, existing, permissions)
            }
            (Destination::Memory(content), way) => {
                let content = std::mem::take(content);
                Place { path: place.path, way }.write(&content)
            }
            (Destination::Beside(..), Way::Open(_) | Way::Over) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.to {
            Destination::Beside(beside, file) if self.error.is_none() => {
                opened_once(beside, file).and_then(|file| file.write_all(bytes))
            }
            Destination::Beside(..) => Ok(()),
            Destination::Memory(content) => content.write_all(bytes),
        };
        self.error = self.error.take().or(written.err());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Destination::Beside(beside, Some(_)) = &self.to {
            let _ = fs::remove_file(beside);
        }
    }
}

fn opened_once<'a>(
    beside: &Path,
    file: &'a mut Option<BufWriter<File>>,
) -> io::Result<&'a mut BufWriter<File>> {
    match file {
        Some(file) => Ok(file),
        None => Ok(file.insert(BufWriter::new(created(beside)?))),
    }
}

/// The end of a chain of links, be there a file or not.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        // A stream's link names what is no path.
        match fs::read_link(&path) {
            Ok(to) if !path.starts_with("/proc") && !path.starts_with("/dev") => {
                path = path.parent().unwrap_or(Path::new("")).join(to);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Opens what is no plain file. A pipe opens when somebody reads from it.
fn opened(path: &Path) -> io::Result<File> {
    let path = path.to_owned();
    patiently(move || OpenOptions::new().append(true).open(path))
}

/// Does on a thread of its own what may never end, and waits so long for it.
fn patiently<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (done, doing) = mpsc::channel();
    thread::Builder::new().spawn(move || done.send(work()))?;
    let silent = || Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads from it"));
    doing.recv_timeout(PATIENCE).unwrap_or_else(|_| silent())
}

/// Writes a file whole or not at all.
fn moved(
    path: &Path,
    content: &[u8],
    existing: Existing,
    permissions: Option<Permissions>,
) -> io::Result<()> {
    let beside = beside(path)?;
    let written = written(&beside, content);
    let written = written.and_then(|()| placed(&beside, path, existing, permissions));
    match fs::remove_file(&beside) {
        Err(error) if written.is_ok() && error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => written,
    }
}

/// Puts a file that was written beside its place there.
fn placed(
    beside: &Path,
    path: &Path,
    existing: Existing,
    permissions: Option<Permissions>,
) -> io::Result<()> {
    permissions.map_or(Ok(()), |permissions| fs::set_permissions(beside, permissions))?;
    match existing {
        Existing::Replace => fs::rename(beside, path),
        // A link fails where the name is taken, a rename does not.
        Existing::Keep => match fs::hard_link(beside, path) {
            Err(error) if cannot_link(&error) && fs::symlink_metadata(path).is_err() => {
                fs::rename(beside, path)
            }
            linked => linked,
        },
    }
}

/// Whether a file system has no links.
fn cannot_link(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// Whether the file can be made. Where the system tells, it is asked: a signal must not find what is made to see.
#[cfg(unix)]
fn may_be_made(path: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !fs::metadata(directory)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}

#[cfg(not(unix))]
fn may_be_made(path: &Path) -> io::Result<()> {
    let made = created(path).map(drop);
    let _ = fs::remove_file(path);
    made
}

fn created(path: &Path) -> io::Result<File> {
    crate::check::outlive_signals();
    let path = path.to_owned();
    file::bounded(move || {
        // Left by a run that was killed and had the same number.
        let _ = fs::remove_file(&path);
        OpenOptions::new().write(true).create_new(true).open(path)
    })
}

fn written(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = created(path)?;
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

    fn put(path: &Path, content: &[u8], existing: Existing) -> io::Result<()> {
        Place::tested(path, existing)?.write(content)
    }

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
            put(&path, b"new", existing).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(names(directory.path()), ["roots.pem"]);
        }
    }

    #[test]
    fn what_is_to_be_kept_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("roots.pem");
        fs::write(&path, b"old").unwrap();
        let error = put(&path, b"new", Existing::Keep).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        put(&path, b"new", Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["roots.pem"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_stays_clean() {
        let directory = tempfile::tempdir().unwrap();
        assert!(put(&directory.path().join("none/roots.pem"), b"new", Existing::Keep).is_err());
        assert!(put(Path::new("/"), b"new", Existing::Replace).is_err());
        assert!(names(directory.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_kept() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("roots.pem"), directory.path().join("link.pem"));
        symlink("roots.pem", &link).unwrap();
        // To nothing yet.
        put(&link, b"one", Existing::Keep).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"one");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(put(&link, b"two", Existing::Keep).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        put(&link, b"two", Existing::Replace).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(directory.path()), ["link.pem", "roots.pem"]);
        let (a, b) = (directory.path().join("a"), directory.path().join("b"));
        symlink("b", &a).unwrap();
        symlink("a", &b).unwrap();
        assert!(Place::tested(&a, Existing::Replace).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_in_place() {
        for existing in [Existing::Keep, Existing::Replace] {
            put(Path::new("/dev/null"), b"new", existing).unwrap();
        }
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn testing_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        Place::tested(&path, Existing::Replace).unwrap();
        assert!(names(directory.path()).is_empty());
        fs::write(&path, "old").unwrap();
        Place::tested(&path, Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
