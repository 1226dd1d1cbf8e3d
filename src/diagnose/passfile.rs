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
    chmod.map_or_else(|| from_a_volume(path), |chmod| vec![chmod])
}

/// What helps with a file that comes from a secret of a container: its mode is the volume's, not to be changed there.
fn from_a_volume(path: &Path) -> Vec<Fix> {
    let copy = Fix::text("its mode cannot be changed here (read-only mount or another owner): copy it, and set PGPASSFILE to the copy")
            .run_words(["install", "-m", "600", &path.to_string_lossy(), "/tmp/pgpass"])
            .set("passfile", "/tmp/pgpass");
    let volume = Fix::text(
        "if it comes from a Kubernetes secret: set defaultMode: 0600 on the volume; with fsGroup the mode becomes 0640 all the same, \
         then copy the file in an init container",
    );
    vec![copy, volume]
}
