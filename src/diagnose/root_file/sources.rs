//! Where the right roots of a server can be had.

use super::Server;
use crate::conninfo::SslMode;
use crate::diagnose::Fix;
use crate::diagnose::certificate::Root;
use crate::provider::{self, Provider, Situation, SystemRoots, bundle};
use crate::trust::RootSource;

/// How to get the provider's present roots: its bundle, else its own advice.
pub fn present_roots(provider: &Provider) -> Vec<Fix> {
    let id = provider.id;
    if bundle(id).is_some() {
        let file = format!("{}-roots.pem", id.split('-').next().unwrap_or(id));
        return vec![Fix {
            text: "export the provider's current roots and use that file".to_owned(),
            command: Some(format!("pgtls-check roots export {id} --output {file}")),
            settings: vec![("sslrootcert", file)],
            bundle: Some(id),
            ..Fix::default()
        }];
    }
    let hints = provider.hints(Situation::RootMissing);
    let hints: Vec<Fix> = hints
        .map(|hint| Fix { text: hint.text.to_owned(), command: hint.command(|_| None), ..Fix::default() })
        .collect();
    let advice = provider.root_file.map(|advice| Fix { text: format!("use {advice}"), ..Fix::default() });
    if hints.is_empty() { advice.into_iter().collect() } else { hints }
}

/// Writes the roots that a provider uses now into a file and uses it; `None` where they do not ship.
pub(in crate::diagnose) fn provider_roots(provider: &Provider) -> Option<Fix> {
    provider::bundle(provider.id).and_then(|_| present_roots(provider).into_iter().next())
}

/// Trusts the public roots of this machine; libpq takes them under verify-full only (fe-connect.c, libpq 16).
pub(in crate::diagnose) fn system_roots(mode: SslMode) -> Fix {
    let fix = Fix::text("use this machine's public roots (libpq 16 or later)").set("sslrootcert", "system");
    if mode == SslMode::VerifyFull { fix } else { fix.set("sslmode", "verify-full") }
}

/// Where the roots of a server can be had that runs at no provider.
const FROM_ADMINISTRATOR: &str = "get the CA's root certificate from the server's administrator over a trusted channel, then set \
                                  sslrootcert to that file";
/// The end of what sends for a root that is known by name.
pub(in crate::diagnose) const TO_ITS_PATH: &str = "set sslrootcert to its path";
/// What stands for the path of that file in a string.
const ROOT_PATH: &str = if cfg!(windows) { "C:/path/to/root.crt" } else { "/path/to/root.crt" };
/// Its beginning, as long as nothing shows which root it is.
const UNNAMED_ROOT: &str = "get the CA's root certificate from";

impl Fix {
    /// Whether it sends for a root that nothing has shown yet.
    pub(crate) fn asks_for_a_root(text: &str) -> bool {
        text.starts_with(UNNAMED_ROOT)
    }

    /// The setting that is left for the reader to complete, where it sends for a root and the file gets a path of its own.
    pub(crate) fn root_to_come(&self) -> Option<(&'static str, String)> {
        let sends = self.text == FROM_ADMINISTRATOR || self.text.ends_with(TO_ITS_PATH);
        let path = match self.downloaded() {
            Some(file) => ROOT_PATH.replace("root.crt", file),
            None => ROOT_PATH.to_owned(),
        };
        (self.settings.is_empty() && (sends || self.downloaded().is_some())).then_some(("sslrootcert", path))
    }

    /// The file that a provider has for download, by its name.
    fn downloaded(&self) -> Option<&str> {
        let file = self.text.strip_prefix("download ")?.split(' ').next()?;
        [".crt", ".pem"].iter().any(|end| file.ends_with(end)).then_some(file)
    }

    /// The root file's path, or the name under which it is told to be saved.
    pub(crate) fn root_as_told<'a>(&self, path: &'a str) -> &'a str {
        let told = |text: &String| text.contains(NEW_ROOT);
        if path == ROOT_PATH && (told(&self.text) || self.then.as_ref().is_some_and(told)) {
            NEW_ROOT
        } else {
            path
        }
    }

    /// Leaves out that sslrootcert names the root, where it stands below in a driver's own words.
    pub(crate) fn names_no_setting(&mut self) {
        for text in [&mut self.text].into_iter().chain(&mut self.then) {
            *text = text.replace(&format!(", and {TO_ITS_PATH}"), "");
        }
    }

    /// Where it sends for a root, says which one.
    pub(crate) fn name_the_root(&mut self, name: &str) {
        let named = format!("get the root certificate of the server's CA ({name}) from");
        self.text = self.text.replace(UNNAMED_ROOT, &named);
    }
}

/// The name under which a root that is sent for is to be saved.
const NEW_ROOT: &str = "new-root.crt";

/// The root file of a server at no provider, put where the client looks for it.
pub(super) fn saved_as(path: &str, program: &str) -> Fix {
    // Other drivers have words of their own for it.
    let or_set = if program == "libpq" { ", or set sslrootcert to its absolute path" } else { "" };
    Fix::text(format!(
        "{UNNAMED_ROOT} the server's administrator over a trusted channel, and save it as {path}, where {program} finds it; if you have \
         it already: copy it there{or_set}"
    ))
}

/// Where the right roots can be had, most likely first, for a server of which no chain was seen or of whose chain no
/// root is known.
pub(in crate::diagnose) fn root_sources(server: &Server<'_>) -> Vec<Fix> {
    let mut fixes = match server.provider {
        Some(provider) => present_roots(provider),
        None => vec![Fix::text(FROM_ADMINISTRATOR)],
    };
    match server.provider.map_or(SystemRoots::Unknown, |provider| provider.system_roots) {
        SystemRoots::Enough | SystemRoots::Depends(_) => fixes.push(system_roots(server.sslmode)),
        SystemRoots::Unknown if server.may_be_public => fixes.push(system_roots(server.sslmode)),
        SystemRoots::Unknown | SystemRoots::NotEnough => {}
    }
    fixes
}

/// Where a known root can be had, most likely first. `in_use` is where the roots at hand came from.
pub(in crate::diagnose) fn get_root(
    server: &Server<'_>,
    root: &Root,
    in_use: Option<&RootSource>,
) -> Vec<Fix> {
    let mut fixes = Vec::new();
    let provider = server.provider.filter(|provider| root.used_by.contains(&provider.id));
    match (provider, root.used_by.first()) {
        (Some(provider), _) => fixes.extend(provider_roots(provider)),
        (None, Some(id)) => {
            let export = provider::by_id(id).and_then(provider_roots);
            fixes.extend(export.map(|export| Fix {
                text: "export the roots known to pgtls-check that contain it, and use that file".to_owned(),
                ..export
            }));
        }
        (None, None) => {}
    }
    let on_machine = server.system_roots.is_none_or(|store| {
        root.certificate
            .as_ref()
            .is_none_or(|root| store.certificates.iter().any(|entry| entry.certificate == *root))
    });
    let is_system = matches!(in_use, Some(RootSource::System { .. }));
    if root.is_public() && on_machine && !is_system {
        fixes.push(system_roots(server.sslmode));
    }
    if fixes.is_empty() {
        fixes.push(Fix::text(format!("add {} to the file, from its CA's own page", root.name)));
    }
    fixes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PROVIDERS;

    #[test]
    fn the_systems_roots_go_with_verify_full_only() {
        assert_eq!(system_roots(SslMode::VerifyFull).settings, [("sslrootcert", "system".to_owned())]);
        assert_eq!(
            system_roots(SslMode::VerifyCa).settings,
            [("sslrootcert", "system".to_owned()), ("sslmode", "verify-full".to_owned())]
        );
    }

    #[test]
    fn a_file_for_download_is_in_the_string_by_its_name() {
        let mut seen = 0;
        for provider in PROVIDERS {
            for fix in present_roots(provider).iter().filter(|fix| fix.text.starts_with("download ")) {
                let Some((_, path)) = fix.root_to_come() else { continue };
                let file = path.rsplit('/').next().unwrap();
                assert!(fix.text.contains(file) && file != "root.crt", "{path}");
                seen += 1;
            }
        }
        assert!(seen > 1);
    }

    #[test]
    fn every_provider_of_which_roots_are_known_has_a_remedy() {
        for provider in PROVIDERS.iter().filter(|provider| !provider.roots.is_empty()) {
            assert!(!present_roots(provider).is_empty(), "{}", provider.id);
        }
    }
}
