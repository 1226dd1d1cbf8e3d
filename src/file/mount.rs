//! Whether a file lies on a mount that nobody can write to, as the secrets of containers do.

use std::path::{Path, PathBuf};

/// Whether the file system that holds a path is mounted read-only; `false` where the system does not tell.
pub fn is_read_only(path: &Path) -> bool {
    let named = path.to_owned();
    let Ok(path) = super::bounded(move || named.canonicalize()) else { return false };
    std::fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| read_only(&mounts, &path))
}

/// The mount whose place is the longest beginning of the path decides, of several at one place the last (proc(5)).
fn read_only(mounts: &str, path: &Path) -> bool {
    let mut longest = (0, false);
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(4);
        let (Some(place), Some(options)) = (fields.next(), fields.next()) else { continue };
        let place = PathBuf::from(place.replace("\\040", " "));
        let depth = place.components().count();
        if path.starts_with(&place) && depth >= longest.0 {
            longest = (depth, options.split(',').any(|option| option == "ro"));
        }
    }
    longest.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides() {
        let mounts = "1 0 8:1 / / rw,relatime - ext4 /dev/sda rw\n\
                      2 1 0:5 / /run/secrets ro,relatime - tmpfs tmpfs rw\n\
                      3 1 0:6 / /with\\040space rw - tmpfs tmpfs rw\n\
                      4 1 0:7 / /with\\040space ro - tmpfs tmpfs rw\n\
                      5 2 0:8 / /run/secrets/own rw - tmpfs tmpfs rw\nodd\n";
        for (path, expected) in [
            ("/run/secrets/pgpass", true),
            ("/run/secrets/own/pgpass", false),
            ("/run/secretsx", false),
            ("/with space/x", true),
            ("/home", false),
        ] {
            assert_eq!(read_only(mounts, Path::new(path)), expected, "{path}");
        }
    }
}
