//! Reading files that others name. A regular file is read at once and each time. A pipe, a device or a terminal may
//! keep its reader waiting and gives its content only once: it is read on a thread of its own, once a run, and waited for
//! no longer than the one who asks has time.

pub mod account;
pub mod mount;
pub mod obstacle;
pub mod unexpanded;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long one waits for a file where nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What tells one file from another: the system's numbers, or where links lead in the end.
#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = PathBuf;

/// The files that this run reads or that its settings name.
static INPUTS: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());

/// Whether this run writes reports to files.
static WRITES: AtomicBool = AtomicBool::new(false);

/// Says that this run writes reports to files: from now on what settings name is remembered, read or not.
pub fn writes_reports() {
    WRITES.store(true, Ordering::Relaxed);
}

/// Remembers what settings name, where reports are written that could take its place.
pub fn note_named(paths: impl IntoIterator<Item = PathBuf>) {
    if WRITES.load(Ordering::Relaxed) {
        for path in paths {
            self::metadata(&path).iter().for_each(|metadata| note(&path, metadata));
        }
    }
}

/// Remembers that a file is read.
pub fn note(path: &Path, metadata: &fs::Metadata) {
    locked(&INPUTS).extend(identity(path, metadata));
}

/// Whether a file is read or named in this run, under whatever name.
pub fn is_input(path: &Path, metadata: &fs::Metadata) -> bool {
    identity(path, metadata).is_some_and(|identity| locked(&INPUTS).contains(&identity))
}

#[cfg(unix)]
fn identity(_: &Path, metadata: &fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

/// The standard library has no numbers here.
#[cfg(not(unix))]
fn identity(path: &Path, _: &fs::Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok()
}

/// Whether somebody limits the time of this run.
static LIMITED: AtomicBool = AtomicBool::new(false);

/// Says that somebody limits the time of this run: from now on a file system that does not answer is not waited for either,
/// such as one whose server is gone. It costs a thread a file, so that only who asks pays.
pub fn limit_waits() {
    LIMITED.store(true, Ordering::Relaxed);
}

/// Does what comes before the first target, with the time that each target has.
pub fn prepared<T>(limit: Option<Duration>, work: impl FnOnce() -> T) -> T {
    match limit {
        Some(limit) => within(limit, work),
        None => work(),
    }
}

/// What the system says of a file, links followed.
///
/// # Errors
/// What the system says; `TimedOut` where its file system did not answer in time.
pub fn metadata(path: &Path) -> io::Result<fs::Metadata> {
    let there = path.to_owned();
    bounded(move || fs::metadata(there))
}

/// Whether there is something, links followed.
pub fn exists(path: &Path) -> bool {
    metadata(path).is_ok()
}

/// Whether there is a regular file.
pub fn is_file(path: &Path) -> bool {
    metadata(path).is_ok_and(|found| found.is_file())
}

/// Whether there is a directory.
pub fn is_directory(path: &Path) -> bool {
    metadata(path).is_ok_and(|found| found.is_dir())
}

/// The names in a directory.
///
/// # Errors
/// As [`metadata`].
pub fn directory(path: &Path) -> io::Result<Vec<OsString>> {
    let there = path.to_owned();
    bounded(move || Ok(fs::read_dir(there)?.flatten().map(|entry| entry.file_name()).collect()))
}

/// What may wait for a file system.
pub fn bounded<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    if !LIMITED.load(Ordering::Relaxed) {
        return work();
    }
    beside(work).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => io::Error::new(ErrorKind::TimedOut, "its file system did not answer in time"),
        _ => error,
    })
}

thread_local! {
    /// When waiting is over; [`PATIENCE`] from now where nothing is said.
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
    /// What [`PATIENCE`] has come to: who once waited in vain will do so again, for the directories above for example.
    static LEFT: Cell<Duration> = const { Cell::new(PATIENCE) };
    /// Whether a file was not waited for since [`at_once`] began.
    static MISSED: Cell<bool> = const { Cell::new(false) };
}

/// Does what reads files, and waits for all of them no longer than this.
pub fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    let before = END.get();
    let end = Instant::now().checked_add(limit).or(before);
    END.set(end.into_iter().chain(before).min());
    let result = work();
    END.set(before);
    result
}

/// Does what reads files; `None` if one of them would have to be waited for. Its reading begins all the same.
pub fn at_once<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = MISSED.replace(false);
    let result = within(Duration::ZERO, work);
    (!MISSED.replace(before)).then_some(result)
}

/// How long a file that is read piece by piece may have nothing to say: the program that writes a list may have to ask others
/// first.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Opens a file to be read piece by piece. Opening a pipe waits for somebody to write into it, and reading one ends with
/// `TimedOut` where its writer falls silent, as the kernel does that has no more messages to tell.
///
/// # Errors
/// What the system says; `TimedOut` where nobody opened the other end in time.
pub fn open(path: &Path) -> io::Result<Box<dyn io::Read>> {
    let metadata = self::metadata(path)?;
    // The kernel's own files are lists that nobody else has to be asked for.
    let silence = if metadata.is_file() { time_left() } else { LONGEST_SILENCE };
    let is_plain = metadata.is_file() && metadata.len() > 0 && !LIMITED.load(Ordering::Relaxed);
    match metadata.is_dir() || is_plain {
        true => Ok(Box::new(File::open(path)?)),
        false => Ok(Box::new(Pieces::of(path, silence)?)),
    }
}

/// The pieces of a file that a thread of its own reads.
struct Pieces {
    coming: mpsc::Receiver<io::Result<Vec<u8>>>,
    silence: Duration,
    piece: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Pieces {
    /// Pieces that nobody has taken yet.
    const MOST_WAITING: usize = 4;
    /// Bytes of one.
    const LARGEST: usize = 64 * 1024;

    fn of(path: &Path, silence: Duration) -> io::Result<Self> {
        let (give, coming) = mpsc::sync_channel(Self::MOST_WAITING);
        let there = path.to_owned();
        thread::Builder::new().spawn(move || {
            let mut file = match File::open(there) {
                Ok(file) => file,
                // Nobody may be waiting any more; so below.
                Err(error) => return drop(give.send(Err(error))),
            };
            // That it is open.
            let mut next = Ok(Vec::new());
            loop {
                let is_last = next.is_err();
                if give.send(next).is_err() || is_last {
                    return;
                }
                let mut piece = vec![0; Self::LARGEST];
                next = loop {
                    match file.read(&mut piece) {
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => break Err(error),
                        // Without one more piece the other end sees that this is all.
                        Ok(0) => return,
                        Ok(length) => {
                            piece.truncate(length);
                            break Ok(piece);
                        }
                    }
                };
            }
        })?;
        coming.recv_timeout(time_left()).unwrap_or_else(|_| Err(silent()))?;
        Ok(Self { coming, silence, piece: io::Cursor::default(), ended: false })
    }
}

impl io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.piece.read(buffer)?;
            if length > 0 || self.ended || buffer.is_empty() {
                return Ok(length);
            }
            match self.coming.recv_timeout(self.silence) {
                Ok(piece) => self.piece = io::Cursor::new(piece?),
                Err(mpsc::RecvTimeoutError::Disconnected) => self.ended = true,
                Err(mpsc::RecvTimeoutError::Timeout) => return Err(silent()),
            }
        }
    }
}

/// The whole content, unless it is larger than `most` bytes.
///
/// # Errors
/// What the system says; `FileTooLarge`; `TimedOut` where nothing came in time.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = self::metadata(path)?;
    note(path, &metadata);
    let there = path.to_owned();
    match metadata.is_file() {
        // The kernel's own files say that they are empty, and some keep their reader waiting, as /proc/kmsg does.
        true if metadata.len() == 0 => beside(move || read_whole(&there, most)),
        true => bounded(move || read_whole(&there, most)),
        false if metadata.is_dir() => read_whole(path, most),
        false => read_once(path, most),
    }
}

/// Done on a thread of its own, each time anew.
fn beside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let slot = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    ends_in_time(Box::new(move || *locked(&filled) = Some(work())))?;
    let done = locked(&slot).take();
    done.unwrap_or_else(|| {
        MISSED.set(true);
        if END.get().is_none() {
            LEFT.set(PATIENCE / 10);
        }
        Err(silent())
    })
}

/// Waits until work on another thread has ended, or until the time is over. Apart, and by the kind of channel that is used
/// for pieces: what starts threads and lets them talk is long, and
/// would be there for each kind of work.
fn ends_in_time(work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let (done, ended) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        work();
        done.send(Ok(Vec::new()))
    })?;
    // A file that is really empty is read in no time.
    let _: Result<io::Result<Vec<u8>>, _> = ended.recv_timeout(time_left().max(Duration::from_millis(50)));
    Ok(())
}

fn read_whole(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // One byte more, so that its end is seen without room for more. A file may claim to be of any length.
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(most) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let size = file.take(most + 1).read_to_end(&mut bytes)? as u64;
    if size > most {
        let text = format!("the file is larger than {most} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// What came of reading a file that can be read once.
type Content = Result<Vec<u8>, (ErrorKind, String)>;

/// Its content, once it is there.
#[derive(Default)]
struct Slot {
    content: Mutex<Option<Content>>,
    there: Condvar,
}

static READ_ONCE: LazyLock<Mutex<HashMap<PathBuf, Arc<Slot>>>> = LazyLock::new(Mutex::default);

fn time_left() -> Duration {
    END.get().map_or(LEFT.get(), |end| end.saturating_duration_since(Instant::now()))
}

fn silent() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "nothing came from it in time")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_once(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let slot = {
        let mut all = locked(&READ_ONCE);
        match all.get(path) {
            Some(slot) => Arc::clone(slot),
            None => {
                let slot = Arc::new(Slot::default());
                let (there, from) = (Arc::clone(&slot), path.to_owned());
                thread::Builder::new().spawn(move || {
                    let content = read_whole(&from, most);
                    *locked(&there.content) =
                        Some(content.map_err(|error| (error.kind(), error.to_string())));
                    there.there.notify_all();
                })?;
                all.insert(path.to_owned(), Arc::clone(&slot));
                slot
            }
        }
    };
    let limit = time_left();
    let content = locked(&slot.content);
    let waited = slot.there.wait_timeout_while(content, limit, |content| content.is_none());
    let (content, _) = waited.unwrap_or_else(PoisonError::into_inner);
    match &*content {
        Some(Ok(bytes)) => Ok(bytes.clone()),
        Some(Err((kind, text))) => Err(io::Error::new(*kind, text.clone())),
        None => {
            MISSED.set(true);
            Err(silent())
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pipe(directory: &tempfile::TempDir) -> PathBuf {
        let path = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn a_pipe_is_read_once_and_remembered() {
        let directory = tempfile::tempdir().unwrap();
        let path = pipe(&directory);
        assert!(at_once(|| read(&path, 100)).is_none());
        let silent = within(Duration::from_millis(10), || read(&path, 100)).unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::TimedOut);
        // The reader that waits since then gets what is written, and everybody else gets it from there.
        File::options().write(true).open(&path).unwrap().write_all(b"content").unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"content");
        assert_eq!(at_once(|| read(&path, 100)).unwrap().unwrap(), b"content");
    }

    #[test]
    fn what_does_not_answer_is_left() {
        let silent = within(Duration::from_millis(10), || {
            beside(|| {
                thread::sleep(Duration::from_secs(3));
                Ok(())
            })
        });
        assert_eq!(silent.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(beside(|| Ok(7)).unwrap(), 7);
    }

    #[test]
    fn pieces_come_until_the_end_or_until_the_writer_falls_silent() {
        let directory = tempfile::tempdir().unwrap();
        let path = pipe(&directory);
        for (hold, ends_well) in [(Duration::ZERO, true), (Duration::from_secs(2), false)] {
            let there = path.clone();
            let writer = thread::spawn(move || {
                let mut file = File::options().write(true).open(there).unwrap();
                file.write_all(&[b'x'; 200_000]).unwrap();
                thread::sleep(hold);
            });
            let mut all = Vec::new();
            let read = Pieces::of(&path, Duration::from_millis(500)).unwrap().read_to_end(&mut all);
            assert_eq!(read.map_err(|error| error.kind()).is_ok(), ends_well);
            assert_eq!(all, [b'x'; 200_000]);
            writer.join().unwrap();
        }
        assert!(open(&directory.path().join("none")).is_err());
    }

    #[test]
    fn what_never_ends_is_too_large_and_a_regular_file_is_read_each_time() {
        let endless = read(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for content in [b"one".as_slice(), b"two"] {
            fs::write(&path, content).unwrap();
            assert_eq!(at_once(|| read(&path, 100)).unwrap().unwrap(), content);
        }
        assert!(read(directory.path(), 100).is_err());
        assert_eq!(read(&directory.path().join("none"), 100).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
