//! A password file that libpq ignores, and what makes it read it.

use std::path::Path;

use super::Fix;
use super::view::path_text;

/// What makes libpq read a password file that it ignores, for the warning and for a login that has no password because of it.
pub(super) fn passfile_fixes(path: &Path, mode: Option<u32>, changeable: bool) -> Vec<Fix> {
    if mode.is_none() {
        return vec![Fix::text("set passfile to a regular file")];
    }
    let chmod = changeable.then(|| {
        Fix::text(format!("make {} readable for its owner only", path_text(path))).run_words([
            "chmod",
            "600",
            &path.to_string_lossy(),
        ])
    });
    let [copy, volume] = from_a_volume(path);
    match chmod {
        // People write their own files; a secret's are for reading.
        Some(chmod) if mode.is_some_and(|mode| mode & 0o200 != 0) => vec![chmod],
        chmod => vec![chmod.unwrap_or(copy), volume],
    }
}

/// What helps with a file that comes from a secret of a container: its mode is the volume's, not to be changed there.
fn from_a_volume(path: &Path) -> [Fix; 2] {
    let copy = Fix::text("its mode cannot be changed here (read-only mount or another owner): copy it, and set PGPASSFILE to the copy")
            .run_words(["install", "-m", "600", &path.to_string_lossy(), "/tmp/pgpass"])
            .set("passfile", "/tmp/pgpass");
    let volume = Fix::text(
        "if it comes from a Kubernetes secret: set defaultMode: 0600 on the volume; with fsGroup the mode becomes 0640 all the same, \
         then copy the file in an init container",
    );
    [copy, volume]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_named_where_its_owner_cannot_write_to_the_file() {
        let fixes = |mode, changeable| passfile_fixes(Path::new("/secrets/pass"), Some(mode), changeable);
        let words = |fixes: &[Fix]| fixes.iter().map(|fix| fix.text.clone()).collect::<Vec<_>>().join("\n");
        assert!(!words(&fixes(0o640, true)).contains("volume"));
        for (mode, changeable) in [(0o440, true), (0o440, false), (0o640, false)] {
            let fixes = fixes(mode, changeable);
            assert_eq!(fixes.len(), 2, "{mode:o} {changeable}");
            assert!(words(&fixes).contains("on the volume"), "{mode:o} {changeable}");
        }
    }
}
