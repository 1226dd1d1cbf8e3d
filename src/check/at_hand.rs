//! The root file that lies at hand where the one in use does not fit: named by a variable that the driver does not read, or
//! beside the files that are used.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conninfo::{Endpoint, Environment, Origin};
use crate::evidence::{Evidence, RootAtHand, ServerAtHand};
use crate::file;
use crate::trust::{self, RootSource, Roots, Trust};
use crate::verify;

/// Files that are read at most.
const MOST: usize = 32;

/// A file of roots other than the one in use under which the chain that was refused is good; of a server whose chain was not
/// seen for want of a root file, the one that a variable names.
pub(super) fn root(evidence: &Evidence, environment: &Environment) -> Option<RootAtHand> {
    let (settings, trust) = (evidence.config.as_ref().ok()?, evidence.trust.as_ref()?);
    if evidence.rehearsal.is_some() {
        return None;
    }
    let is_missing = matches!(trust.roots, Roots::Missing { .. });
    let tls = evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref()).map(|step| &step.result);
    let refused = tls.and_then(|tls| {
        tls.judgement.as_ref().filter(|judgement| judgement.verifies && !judgement.chain_is_good())
    });
    if refused.is_none() && !is_missing {
        return None;
    }
    let is_good = |path: &Path| {
        let roots = trust::read_root_file(path, &environment.current_dir);
        let is_loaded = matches!(&roots, Roots::Loaded(store) if !store.certificates.is_empty());
        let (Some(first), Some(tls), true) = (refused, tls, is_loaded) else { return is_loaded };
        let trust = Trust { roots, ..Trust::clone(trust) };
        let at = evidence.judged_at;
        let judged = verify::judge_again(first, &tls.chain, &trust, None, at, settings.sslmode);
        judged.is_some_and(|judged| judged.chain_is_good())
    };
    let origin = settings.parameter("sslrootcert").map(|known| &known.origin);
    let is_read = matches!(origin, Some(Origin::Environment(_)));
    let is_elsewhere = is_read || matches!(origin, Some(Origin::Service { .. }));
    let variable = || {
        let own = "PGSSLROOTCERT";
        let unread = environment.variables.get(OsStr::new(own)).filter(|_| !is_read);
        let unread = unread.map(|path| (own, path.as_os_str()));
        let (name, path) =
            unread.or_else(|| environment.nearly("sslrootcert").filter(|_| evidence.typed.is_none()))?;
        Some(RootAtHand { path: environment.current_dir.join(path), variable: Some(name.to_owned()) })
    };
    let in_use = match &trust.roots {
        Roots::Loaded(store) => match &store.source {
            RootSource::Given(path) | RootSource::DefaultFile(path) => {
                Some(environment.current_dir.join(path))
            }
            _ => None,
        },
        _ => None,
    };
    file::within(Duration::ZERO, || {
        let named = variable().filter(|found| is_good(&found.path));
        named.or_else(|| {
            if let Roots::Missing { path: Some(path), .. } = &trust.roots {
                let path =
                    deeper(&environment.current_dir.join(path)).into_iter().find(|path| is_good(path))?;
                return Some(RootAtHand { path, variable: None });
            }
            refused?;
            let used = ["sslcert", "sslkey"].into_iter().filter_map(|keyword| settings.path(keyword));
            let used = used.map(|path| environment.current_dir.join(path)).chain(in_use.clone());
            let beside = used.filter_map(|path| Some(path.parent()?.to_owned()));
            // In the place of a variable's or a service's file libpq's own is told apart from this.
            let default = environment.default_file("root.crt").filter(|_| !is_elsewhere);
            let default = default.and_then(|path| Some(path.parent()?.to_owned()));
            let directories: Vec<PathBuf> =
                [environment.current_dir.clone()].into_iter().chain(beside).chain(default).collect();
            let path = directories.iter().flat_map(|directory| certificates_in(directory)).take(MOST);
            let path = path.filter(|path| Some(path) != in_use.as_ref()).find(|path| is_good(path))?;
            Some(RootAtHand { path, variable: None })
        })
    })
}

/// The variable that nothing reads and that names a server, by a URL or as a host, where no other is named and libpq takes its
/// own socket.
pub(super) fn server(evidence: &Evidence, environment: &Environment) -> Option<ServerAtHand> {
    let settings = evidence.config.as_ref().ok()?;
    let names_none = ["host", "hostaddr"]
        .iter()
        .all(|keyword| settings.parameter(keyword).is_none_or(|known| known.value.is_empty()));
    if !names_none {
        return None;
    }
    let host = || {
        let (variable, host) = environment.nearly("host")?;
        Some(ServerAtHand { variable: variable.to_owned(), host: Some(host.to_str()?.to_owned()) })
    };
    let url = environment.url_variable();
    url.map(|variable| ServerAtHand { variable: variable.to_owned(), host: None }).or_else(host)
}

/// The places of a file's name in the directories beside it.
fn deeper(file: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else { return Vec::new() };
    let mut beside = file::directory(directory).unwrap_or_default();
    crate::order::sort(&mut beside);
    beside.into_iter().take(MOST).map(|other| directory.join(other).join(name)).collect()
}

/// The socket that the settings name, where it does not exist.
pub(super) fn missing_socket(evidence: &Evidence) -> Option<PathBuf> {
    let host = evidence.config.as_ref().ok()?.hosts.first()?;
    let Endpoint::Socket(directory) = &host.endpoint else { return None };
    let socket = directory.join(format!(".s.PGSQL.{}", host.port.as_ref().ok()?));
    // @ stands for Linux' abstract names, which are no files.
    (!directory.starts_with("@") && matches!(socket.try_exists(), Ok(false))).then_some(socket)
}

/// The files of a directory that are called as certificates are.
fn certificates_in(directory: &Path) -> Vec<PathBuf> {
    let mut names = file::directory(directory).unwrap_or_default();
    let is_called = |path: &Path| {
        path.extension()
            .is_some_and(|end| ["pem", "crt", "cer"].iter().any(|known| end.eq_ignore_ascii_case(known)))
    };
    names.retain(|name| is_called(Path::new(name)));
    crate::order::sort(&mut names);
    names.into_iter().map(|name| directory.join(name)).collect()
}
