//! Files that libpq finds in its default place although nobody named them: a root file that makes `require` verify, a
//! client certificate, a CRL. Where such a file is the cause, that is half of it.

use std::path::Path;

use super::view::{View, path_text};
use super::{Diagnosis, Fix};
use crate::conninfo::SslMode;
use crate::diagnose::Concern;
use crate::trust::RootSource;

/// A path at which no file is: libpq of every release then does without the file, where `sslcertmode=disable` needs
/// libpq 16.
pub const NO_FILE: &str = if cfg!(windows) { "C:/nonexistent" } else { "/nonexistent" };

/// Whether nobody named the file of a keyword.
pub(super) fn is_unnamed(view: &View<'_>, keyword: &str) -> bool {
    view.settings().is_some_and(|settings| settings.path(keyword).is_none())
}

/// libpq goes without a client certificate.
pub(super) fn no_client_certificate() -> Fix {
    Fix::text("if no client certificate is wanted: point sslcert to no file").set("sslcert", NO_FILE)
}

/// The file is moved away.
pub(super) fn move_away(path: &Path) -> Fix {
    let from = path.to_string_lossy();
    let to = format!("{from}.unused");
    let command = if cfg!(windows) { "move" } else { "mv" };
    Fix::text("if the file is a leftover: move it away").run_words([command, &from, &to])
}

/// A root file that nobody named, in a diagnosis of the roots.
pub(super) fn with_root_file(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let Some(RootSource::DefaultFile(path)) = view.store().map(|store| &store.source) else { return found };
    if !found.code.concerns(Concern::Roots) {
        return found;
    }
    let shown = path_text(path);
    found.evidence.push(("root_file", format!("{shown}, found by default (sslrootcert is not set)").into()));
    if view.mode < SslMode::VerifyCa {
        found.cause.push_str(&format!(
            "; sslmode={} verifies nothing by itself, but because {shown} exists, libpq verifies the chain as under verify-ca",
            view.mode.name()
        ));
    }
    found.fixes.push(move_away(path));
    found
}
