//! Remedies as data. No fix lowers what is verified, and none holds a password. Settings are written by whoever shows
//! them, quoted for the connection string; commands are quoted here, for the running system's shell.

use std::ops::Range;

use super::Fix;
use super::root_file::present_roots;
use super::view::{Reach, View, reach, shown};
use crate::conninfo::SslMode;
use crate::provider::{self, Provider, Situation, SystemRoots};
use crate::text::shell_quoted;

impl Fix {
    /// What to do, imperative.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A setting it changes.
    pub(super) fn set(mut self, keyword: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((keyword, value.into()));
        self
    }

    /// A change of the connection string's own bytes, where that is what is wrong.
    pub(super) fn edit(mut self, span: Range<usize>, new: impl Into<String>) -> Self {
        self.edit = Some((span, new.into()));
        self
    }

    /// Whether it sets a keyword.
    pub fn names(&self, keyword: &str) -> bool {
        self.settings.iter().any(|(known, _)| *known == keyword)
    }

    /// In a list of hosts, host, address and port are changed for the slot that was tried; the others keep theirs.
    pub(super) fn in_list(mut self, view: &View<'_>) -> Self {
        let Some(settings) = view.settings().filter(|settings| settings.hosts.len() > 1) else { return self };
        let slot = view.attempt.map_or(0, |attempt| attempt.host);
        for (keyword, value) in &mut self.settings {
            if !["host", "hostaddr", "port"].contains(keyword) {
                continue;
            }
            let list = settings.parameter(keyword).map(|known| shown(&known.value)).unwrap_or_default();
            let mut entries: Vec<&str> = list.split(',').collect();
            // One entry stands for all slots.
            if let [only] = entries.as_slice() {
                entries = vec![only; settings.hosts.len()];
            }
            if let Some(entry) = entries.get_mut(slot) {
                *entry = value;
            }
            *value = entries.join(",");
        }
        self
    }

    /// A command, as it is.
    pub(super) fn run(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// A command by its words, each quoted for the shell.
    pub(super) fn run_words<'w>(self, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<String> = words.into_iter().map(shell_quoted).collect();
        self.run(words.join(" "))
    }
}

/// What the server's provider advises in a situation.
pub(super) fn provider_hints(view: &View<'_>, situation: Situation, client: Option<&str>) -> Vec<Fix> {
    let Some(detection) = view.provider() else { return Vec::new() };
    let value = |place: &str| match place {
        "client" => client.map(str::to_owned),
        "host" => view.dns_name(),
        "port" => Some(view.port().to_string()),
        "server" => view.dns_name()?.split('.').next().map(str::to_owned),
        _ => None,
    };
    detection
        .provider
        .hints(situation)
        .map(|hint| Fix { text: hint.text.to_owned(), command: hint.command(value), ..Fix::default() })
        .collect()
}

/// Writes the roots that a provider uses now into a file and uses it; `None` where they do not ship.
pub(super) fn provider_roots(provider: &Provider) -> Option<Fix> {
    provider::bundle(provider.id).and_then(|_| present_roots(provider).into_iter().next())
}

/// Trusts the public roots of this machine; libpq takes them under verify-full only (fe-connect.c, libpq 16).
pub(super) fn system_roots(mode: SslMode) -> Fix {
    let fix = Fix::text("trust this machine's public roots (libpq 16 or later)").set("sslrootcert", "system");
    if mode == SslMode::VerifyFull { fix } else { fix.set("sslmode", "verify-full") }
}

/// Where the right roots can be had, most likely first, for a server of which no chain was seen or of whose chain no
/// root is known.
pub(super) fn root_sources(view: &View<'_>) -> Vec<Fix> {
    let detection = view.provider();
    let mut fixes = Vec::new();
    let system = detection.as_ref().map_or(SystemRoots::Unknown, |found| found.provider.system_roots);
    if let Some(detection) = &detection {
        fixes.extend(present_roots(detection.provider));
    } else {
        fixes.push(Fix::text(
            "get the root certificate of the server's CA from whoever runs the server, over a channel you \
             trust, and name its file in sslrootcert",
        ));
    }
    let is_public = view.address().is_none_or(|address| reach(address) == Reach::Public);
    match system {
        SystemRoots::Enough | SystemRoots::Depends(_) => fixes.push(system_roots(view.mode)),
        SystemRoots::Unknown if is_public => fixes.push(system_roots(view.mode)),
        SystemRoots::Unknown | SystemRoots::NotEnough => {}
    }
    fixes
}

/// Reloads a PostgreSQL server's configuration and certificates.
pub(super) const RELOAD: &str = "SELECT pg_reload_conf();";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        let fix = Fix::text("look").run_words(["chmod", "600", "/home/me/my key; rm"]);
        assert_eq!(fix.command.as_deref(), Some("chmod 600 '/home/me/my key; rm'"));
    }

    #[test]
    fn the_systems_roots_go_with_verify_full_only() {
        assert_eq!(system_roots(SslMode::VerifyFull).settings, [("sslrootcert", "system".to_owned())]);
        assert_eq!(
            system_roots(SslMode::VerifyCa).settings,
            [("sslrootcert", "system".to_owned()), ("sslmode", "verify-full".to_owned())]
        );
    }
}
