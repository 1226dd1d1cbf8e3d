//! What keeps a file from being opened, found by going along its path: the part that does not exist, the link that leads
//! nowhere, the directory that this account may not search.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// So many links are followed (Linux follows 40).
const MOST_LINKS: usize = 40;

/// What keeps a file from being opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing has this name; the directory above exists.
    Absent(PathBuf),
    /// A link to something that does not exist.
    DanglingLink {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A link that leads to itself in the end.
    LinkLoop(PathBuf),
    /// Something that is no directory and stands where the path needs one.
    NotADirectory(PathBuf),
    /// A directory that this account may not search.
    NotSearchable(Permissions),
    /// A file that this account may not read.
    NotReadable(Permissions),
}

/// Who owns a file and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The file or directory.
    pub path: PathBuf,
    /// Its mode, without the type of the file.
    pub mode: u32,
    /// Who owns it.
    pub owner: Account,
    /// Who runs this program.
    pub account: Account,
}

/// An account of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// Its name, if it has one.
    pub name: Option<String>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "user {name} (uid {})", self.uid),
            None => write!(f, "uid {}", self.uid),
        }
    }
}

impl fmt::Display for Permissions {
    /// Path, mode and owner, as `/srv/keys (mode 0700, owner user root (uid 0))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (mode {:04o}, owner {})", self.path.display(), self.mode, self.owner)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(path) => write!(f, "{} does not exist", path.display()),
            Self::DanglingLink { link, target } => {
                write!(
                    f,
                    "{} is a symbolic link to {}, which does not exist",
                    link.display(),
                    target.display()
                )
            }
            Self::LinkLoop(link) => {
                write!(f, "{} is a symbolic link that leads back to itself", link.display())
            }
            Self::NotADirectory(path) => write!(f, "{} is not a directory", path.display()),
            Self::NotSearchable(found) => {
                write!(f, "the directory {found} does not let {} search it: permission denied", found.account)
            }
            Self::NotReadable(found) => {
                write!(f, "{found} is not readable for {}: permission denied", found.account)
            }
        }
    }
}

/// The account that may not read a file, by name, where the words of an obstacle name one.
pub fn reader_in(words: &str) -> Option<&str> {
    let (_, reader) = words.split_once(" is not readable for user ")?;
    reader.split_once(" (uid ").map(|(name, _)| name)
}

/// What keeps the file at a path from being opened; `None` where nothing does, or where it cannot be found.
pub fn obstacle(path: &Path) -> Option<Obstacle> {
    let path = path.to_owned();
    super::bounded(move || Ok(along(&path, MOST_LINKS))).ok().flatten()
}

/// The file beside which nothing has the name asked for: the one in the same directory whose name is nearest.
pub fn similar(path: &Path) -> Option<PathBuf> {
    if let Some(plain) = unquoted(path).filter(|path| super::is_file(path)) {
        return Some(plain);
    }
    let wanted = path.file_name()?.to_str()?;
    let directory = path.parent()?;
    // A directory above has another name: python3.12 in the place of python3.11.
    if !directory.as_os_str().is_empty() && !super::exists(directory) {
        let other = similar_to(directory)?.join(wanted);
        return Some(other).filter(|path| super::is_file(path));
    }
    similar_to(path).filter(|path| super::is_file(path))
}

/// The one file beside a missing one that holds what is sought, where its name does not tell. Nothing from a directory to
/// which everybody may write: what lies there is anybody's.
pub fn only_one(path: &Path, is_sought: impl Fn(&[u8]) -> bool) -> Option<PathBuf> {
    const MOST_FILES: usize = 50;
    const LARGEST: u64 = 1 << 20;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty())?;
    if permissions(directory).is_some_and(|found| found.mode & 0o002 != 0) {
        return None;
    }
    let names = super::directory(directory).ok().filter(|names| names.len() <= MOST_FILES)?;
    let mut sought = names.into_iter().map(|name| directory.join(name)).filter(|file| {
        super::is_file(file) && super::read(file, LARGEST).is_ok_and(|bytes| is_sought(&bytes))
    });
    sought.next().filter(|_| sought.next().is_none())
}

/// The path within quotation marks, behind the directory to which it was joined if it is relative.
pub fn unquoted(path: &Path) -> Option<PathBuf> {
    let text = path.to_str()?;
    let quote = text.chars().next_back().filter(|last| matches!(last, '"' | '\''))?;
    let (before, rest) = text.split_once(quote)?;
    let inside = rest.strip_suffix(quote).filter(|inside| !inside.is_empty())?;
    (before.is_empty() || before.ends_with('/')).then(|| Path::new(before).join(inside))
}

/// What lies beside a path under the nearest name.
fn similar_to(path: &Path) -> Option<PathBuf> {
    const MOST_FILES: usize = 2000;
    let wanted = path.file_name()?.to_str()?;
    let directory = path.parent()?;
    if !directory.as_os_str().is_empty() && !super::exists(directory) {
        return Some(similar_to(directory)?.join(wanted)).filter(|path| super::exists(path));
    }
    // A name alone is in the current directory.
    let place = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let names: Vec<String> = super::directory(place)
        .ok()?
        .into_iter()
        .take(MOST_FILES)
        .filter_map(|name| name.into_string().ok())
        .collect();
    let nearest = crate::text::nearest(wanted, names.iter().map(String::as_str))?;
    Some(directory.join(nearest))
}

fn along(path: &Path, links: usize) -> Option<Obstacle> {
    let mut place = PathBuf::new();
    for part in path.components() {
        let above = place.clone();
        place.push(part);
        match fs::symlink_metadata(&place) {
            Err(error) => return at(&error, &above, place),
            Ok(found) if found.is_symlink() => {
                if let Some(obstacle) = behind_link(&place, links) {
                    return Some(obstacle);
                }
            }
            Ok(_) => {}
        }
    }
    // Opening a pipe would wait for somebody to write into it.
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    match fs::File::open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            permissions(path).map(Obstacle::NotReadable)
        }
        _ => None,
    }
}

/// What an error of the system means for `place`, which lies in the directory `above`.
fn at(error: &io::Error, above: &Path, place: PathBuf) -> Option<Obstacle> {
    match error.kind() {
        ErrorKind::NotFound => Some(Obstacle::Absent(place)),
        ErrorKind::NotADirectory => Some(Obstacle::NotADirectory(above.to_owned())),
        ErrorKind::PermissionDenied => permissions(above).map(Obstacle::NotSearchable),
        _ => None,
    }
}

fn behind_link(link: &Path, links: usize) -> Option<Obstacle> {
    // Whatever is wrong behind a link that works is found further along the path.
    fs::metadata(link).err()?;
    let target = fs::read_link(link).ok()?;
    let whole = link.parent().unwrap_or(link).join(&target);
    match links.checked_sub(1) {
        None => Some(Obstacle::LinkLoop(link.to_owned())),
        Some(links) => match along(&whole, links)? {
            Obstacle::Absent(_) => Some(Obstacle::DanglingLink { link: link.to_owned(), target }),
            Obstacle::LinkLoop(_) => Some(Obstacle::LinkLoop(link.to_owned())),
            other => Some(other),
        },
    }
}

/// Whether this account may change the mode of a file: it owns it or is the superuser, and the file can be written to.
pub fn may_change_mode(path: &Path) -> bool {
    let owns = permissions(path).is_none_or(|found| found.account.uid == 0 || found.account == found.owner);
    owns && !super::mount::is_read_only(path)
}

#[cfg(unix)]
pub(crate) fn permissions(path: &Path) -> Option<Permissions> {
    use std::os::unix::fs::MetadataExt;

    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let found = super::metadata(path).ok()?;
    let account = |uid| Account {
        uid,
        name: uzers::get_user_by_uid(uid).and_then(|user| user.name().to_os_string().into_string().ok()),
    };
    Some(Permissions {
        path: path.to_owned(),
        mode: found.mode() & 0o7777,
        owner: account(found.uid()),
        account: account(uzers::get_effective_uid()),
    })
}

#[cfg(not(unix))]
pub(crate) fn permissions(_: &Path) -> Option<Permissions> {
    None
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn the_part_of_the_path_that_is_in_the_way_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "x").unwrap();
        symlink("gone", at("dangling")).unwrap();
        symlink("two", at("one")).unwrap();
        symlink("one", at("two")).unwrap();
        symlink("file", at("fine")).unwrap();
        assert_eq!(obstacle(&at("file")), None);
        assert_eq!(obstacle(&at("fine")), None);
        assert_eq!(obstacle(directory.path()), None);
        assert_eq!(obstacle(&at("a/b/c")), Some(Obstacle::Absent(at("a"))));
        assert_eq!(obstacle(&at("file/x")), Some(Obstacle::NotADirectory(at("file"))));
        let dangling = Obstacle::DanglingLink { link: at("dangling"), target: "gone".into() };
        assert_eq!(obstacle(&at("dangling")), Some(dangling));
        assert!(matches!(obstacle(&at("one")), Some(Obstacle::LinkLoop(_))));
    }

    #[test]
    fn what_this_account_may_not_do_is_told_with_mode_and_owner() {
        let directory = tempfile::tempdir().unwrap();
        let closed = directory.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::write(closed.join("file"), "x").unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o600)).unwrap();
        // The superuser searches and reads everything: there the look is told by what the system would say.
        let found = match obstacle(&closed.join("file")) {
            None => at(&ErrorKind::PermissionDenied.into(), &closed, closed.join("file")),
            found => found,
        };
        let Some(Obstacle::NotSearchable(permissions)) = found else { panic!("{found:?}") };
        assert_eq!((permissions.path.as_path(), permissions.mode), (closed.as_path(), 0o600));
        assert_eq!(permissions.owner, permissions.account);
        let text = Obstacle::NotSearchable(permissions).to_string();
        assert!(text.contains("mode 0600") && text.contains("permission denied"), "{text}");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    }
}
