//! Remedies as data. No fix lowers what is verified, and none holds a password. Settings are written by whoever shows
//! them, quoted for the connection string; commands are quoted here, for the running system's shell.

use std::ops::Range;
use std::path::Path;

use super::Fix;
use super::view::{Reachability, View, file_name, path_text, reachability, shown_value};
use crate::conninfo::{Origin, holds_content};
use crate::evidence::NegotiateResult;
use crate::file::obstacle::Permissions;
use crate::provider::{Provider, Situation};
use crate::text::{nearest, shell_quoted};
use crate::trust::is_bundle;

impl Fix {
    /// What to do, imperative.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// What takes a hand on the server or pooler itself: its files, its shell, its superuser.
    pub(super) fn server(text: impl Into<String>) -> Self {
        Self { on_server: true, ..Self::text(text) }
    }

    /// What is done in its place where a provider runs the server.
    pub(super) fn or_at_provider(self, text: impl Into<String>) -> Self {
        Self { at_provider: Some(text.into()), ..self }
    }

    /// To wait for something.
    pub(super) fn wait(text: impl Into<String>) -> Self {
        Self { waits: true, ..Self::text(text) }
    }

    /// A setting it changes.
    pub(super) fn set(mut self, keyword: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((keyword, value.into()));
        self
    }

    /// Several settings it changes.
    pub(super) fn all(mut self, settings: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.settings.extend(settings);
        self
    }

    /// A change of the connection string's own bytes, where that is what is wrong.
    pub(super) fn edit(mut self, span: Range<usize>, new: impl Into<String>) -> Self {
        self.edit = Some((span, new.into()));
        self
    }

    /// Variables are taken away, which has the effect of the settings.
    pub(crate) fn by_unsetting(self, variables: &[&str]) -> Self {
        let command = match cfg!(windows) {
            true => {
                variables.iter().map(|one| format!("Remove-Item Env:{one}")).collect::<Vec<_>>().join("\n")
            }
            false => format!("unset {}", variables.join(" ")),
        };
        Self { by_command: true, ..self }.run(command)
    }

    /// Marks that its host is the server's own claim.
    pub(super) fn by_its_own_word(mut self) -> Self {
        self.claimed = true;
        self
    }

    /// Whether it sets a keyword.
    pub fn names(&self, keyword: &str) -> bool {
        self.settings.iter().any(|(known, _)| *known == keyword)
    }

    /// What the whole string under it changes.
    pub(crate) fn all_settings(&self) -> Vec<(&'static str, String)> {
        let replaced = |keyword: &str| self.also_set.iter().any(|(known, _)| *known == keyword);
        let own = self.settings.iter().filter(|(keyword, _)| !replaced(keyword));
        own.chain(&self.also_set).cloned().collect()
    }

    /// In a list of hosts, host, address and port are changed for the slot that was tried; the others keep theirs.
    pub(super) fn in_list(mut self, view: &View<'_>) -> Self {
        let Some(settings) = view.settings().filter(|settings| settings.hosts.len() > 1) else { return self };
        let slot = view.attempt.map_or(0, |attempt| attempt.host);
        for (keyword, value) in &mut self.settings {
            // What is a list already is the whole one.
            if !["host", "hostaddr", "port"].contains(keyword) || value.contains(',') {
                continue;
            }
            let list = settings.parameter(keyword).map(|known| shown_value(&known.value)).unwrap_or_default();
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

    /// Where what it changes is set, if nobody typed it: there it stays until it is changed.
    pub(super) fn where_it_is_set(mut self, view: &View<'_>) -> Self {
        if self.by_command || self.text.is_empty() {
            return self;
        }
        let set = |(keyword, _): &(&'static str, String)| Some((*keyword, view.origin(keyword)?));
        let elsewhere =
            |(_, origin): &(&str, &Origin)| matches!(origin, Origin::Environment(_) | Origin::Service { .. });
        let Some((keyword, origin)) = self.settings.iter().filter_map(set).find(elsewhere) else {
            return self;
        };
        if let Origin::Service { file, .. } = origin
            && self.text.contains(&path_text(file))
        {
            return self;
        }
        if let Origin::Environment(variable) = origin {
            if self.text.contains(variable) {
                return self;
            }
            // Without the variable libpq takes its own default.
            if self.settings == [("port", "5432".to_owned())] {
                self.text += &format!(": unset {variable}, which sets another one");
                return self.by_unsetting(&[variable]);
            }
        }
        // It is no place for another value.
        let mend =
            if *origin == Origin::Environment("PGREQUIRESSL") { "unset it" } else { "change it there" };
        self.text +=
            &format!("; now {keyword} is from {}: {mend}, or write in the string", view.phrase(origin));
        self
    }

    /// The server's own `psql` asks the server at the port that was checked, as a machine can have several; not a pooler's
    /// port, nor that of a tunnel on this machine.
    pub(super) fn at_its_port(mut self, view: &View<'_>) -> Self {
        let port = view.port();
        let is_tunnel = is_local(view) && view.origin("hostaddr").is_some();
        if port != 5432
            && !is_tunnel
            && view.pooler_of_port().is_none()
            && let Some(command) = &mut self.command
        {
            for options in ["-c '", "-c \"", "-Atc '"] {
                *command = command.replace(&format!("psql {options}"), &format!("psql -p {port} {options}"));
            }
        }
        self
    }

    /// Roots are exported into a file that is not there yet: not over the one in use.
    pub(super) fn beside_the_root_file(mut self, view: &View<'_>) -> Self {
        let in_use = view.settings().and_then(|settings| settings.parameter("sslrootcert"));
        let in_use = in_use.map(|parameter| shown_value(&parameter.value));
        if self.bundle.is_some()
            && let (Some(in_use), Some((_, file)), Some(command)) =
                (in_use, self.settings.first_mut(), &mut self.command)
            && in_use.rsplit(['/', '\\']).next() == Some(file.as_str())
        {
            let new = file.replace(".pem", ".new.pem");
            *command = command.replace(file.as_str(), &new);
            *file = new;
        }
        self
    }

    /// A command, as it is; none that would show the text of a key.
    pub(super) fn run(mut self, command: impl Into<String>) -> Self {
        let command = command.into();
        // With a key or certificate in the place of a path it would show that, and there is no such file.
        self.command = (!holds_content(command.as_bytes())).then_some(command);
        self
    }

    /// The commands of another fix.
    pub(super) fn run_as(self, other: Self) -> Self {
        Self { command: other.command, ..self }
    }

    /// A command by its words, each quoted for the shell.
    pub(super) fn run_words<'w>(self, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<String> = words.into_iter().map(shell_quoted).collect();
        self.run(words.join(" "))
    }

    /// A command that only the owner of a file may run, or root.
    pub(super) fn run_as_owner<'w>(self, of: &Permissions, words: impl IntoIterator<Item = &'w str>) -> Self {
        let sudo = (of.owner.uid != of.account.uid && !cfg!(windows)).then_some("sudo");
        self.run_words(sudo.into_iter().chain(words))
    }
}

/// The file that exists, for a setting whose file does not.
pub(super) fn there(keyword: &'static str, similar: &Path, sought: Option<&Path>) -> Fix {
    // Otherwise it was not found by its place.
    let is_beside = similar.is_absolute() && sought.is_some_and(|sought| sought.parent() == similar.parent());
    let is_alike = |sought: &Path| nearest(&file_name(sought), [file_name(similar).as_str()]).is_some();
    let is_alike = !is_beside || is_bundle(similar) || sought.is_none_or(is_alike);
    let what = match keyword {
        _ if is_alike => "which exists",
        "sslcert" => "the only client certificate in that directory",
        _ => "the only file with a CA certificate in that directory",
    };
    Fix::text(format!("use {}, {what}", path_text(similar))).set(keyword, similar.to_string_lossy())
}

/// What the server's provider advises in a situation.
pub(super) fn provider_hints(view: &View<'_>, situation: Situation, client: Option<&str>) -> Vec<Fix> {
    // The name of a host that several share tells less than a made-up login.
    let found = (situation == Situation::PasswordReplaced).then(|| view.provider_of_login()).flatten();
    let Some(provider) = found.or_else(|| Some(view.provider()?.provider)) else { return Vec::new() };
    let value = |place: &str| match place {
        "client" => client.map(str::to_owned),
        "host" => view.dns_name(),
        "database" => Some(view.database()),
        "user" => Some(view.user()),
        "port" => Some(view.port().to_string()),
        "server" => view.dns_name()?.split('.').next().map(str::to_owned),
        _ => None,
    };
    provider
        .hints_for(view.dns_name().as_deref(), situation)
        .map(|hint| Fix { text: hint.text.to_owned(), command: hint.command(value), ..Fix::default() })
        .collect()
}

/// The provider that runs the server, if one does: nobody else reaches its files, its shell and its superuser.
pub(super) fn manager(view: &View<'_>) -> Option<&'static Provider> {
    view.provider().filter(|_| view.rehearsal().is_none()).map(|found| found.provider)
}

/// Who may do on the server what not every role may.
pub(super) fn administrator(view: &View<'_>) -> &'static str {
    if manager(view).is_some() { "the server's administrator" } else { "a superuser" }
}

/// The fixes that can be done: where a provider runs the server, what takes a hand on it is left out or done at the provider.
/// One is always left.
pub(super) fn possible(view: &View<'_>, fixes: Vec<Fix>) -> Vec<Fix> {
    let Some(provider) = manager(view).filter(|_| fixes.iter().any(|fix| fix.on_server)) else {
        return fixes;
    };
    let mut left: Vec<Fix> = Vec::new();
    for fix in fixes {
        let fix = match (fix.on_server, fix.at_provider) {
            (true, None) => continue,
            (true, Some(text)) => Fix::text(text),
            (false, at_provider) => Fix { at_provider, ..fix },
        };
        if !left.contains(&fix) {
            left.push(fix);
        }
    }
    if left.is_empty() {
        left.push(Fix::text(format!(
            "this can be changed at the provider only: see the server's settings and state in the console of {name}, then ask the \
             support of {name}",
            name = provider.name
        )));
    }
    left
}

/// A command whose output becomes the password, where a variable holds that.
pub(super) fn exported(view: &View<'_>, fix: Fix, command: String) -> Fix {
    let origin = view.host().and_then(|host| host.password.as_ref()).map(|password| &password.origin);
    match origin {
        Some(Origin::Environment(variable)) if !command.contains('\n') => fix.run(match cfg!(windows) {
            true => format!("$env:{variable} = {command}"),
            false => format!("export {variable}=\"$({command})\""),
        }),
        _ => fix.run(command),
    }
}

/// Whether the target is this machine itself: nothing lies in between but what listens there.
pub(super) fn is_local(view: &View<'_>) -> bool {
    view.address().is_some_and(|address| reachability(address) == Reachability::Loopback)
}

/// Names the program that a port of this machine belongs to, and what to do about each.
pub(super) fn who_listens(view: &View<'_>) -> Fix {
    let port = view.port();
    let fix = Fix::text(format!("see which program listens on port {port} of this machine"));
    let command = match cfg!(windows) {
        true => format!("netstat -ano | findstr :{port}"),
        false => format!("sudo ss -ltnp 'sport = :{port}'"),
    };
    // What answered may be what a tunnel leads to.
    let tunnel = match matches!(view.negotiate(), Some(NegotiateResult::Accepted)) {
        true => "its arguments name its far end, which answered: look there",
        false => {
            "its arguments name its far end, its window says why that is not reached (ssh: \"open failed: connect failed\"): \
             correct it and start it again"
        }
    };
    let tunnel = format!("# ssh, kubectl, cloud-sql-proxy, stunnel: a tunnel; {tunnel}");
    fix.run(
        [
            command.as_str(),
            &tunnel,
            "# docker-proxy, rootlessport: docker ps names the container of the port; then docker logs CONTAINER",
            "# postgres, pgbouncer, haproxy: its own log has the reason",
        ]
        .join("\n"),
    )
}

/// To have the server log each connection, which tells whether this one arrives.
pub(super) fn log_connections(what: &str) -> Fix {
    Fix::server(format!(
        "on the server: log connections, try again, and look for \"connection received\" at this time in its log \
         (/var/log/postgresql, journalctl, the container's output, or the file that the last command names): {what}"
    ))
    .or_at_provider(format!(
        "at the provider: set the server parameter log_connections, try again, and look for \"connection received\" at this time in the \
         server's log there: {what}"
    ))
    .run(format!("ALTER SYSTEM SET log_connections = on;\n{RELOAD}\nSELECT pg_current_logfile();"))
}

/// What listens on this machine: servers, poolers, tunnels and containers.
pub(super) const LISTENERS: &str = if cfg!(windows) {
    "netstat -ano | findstr LISTENING"
} else {
    "sudo ss -ltnp | grep -E 'postgres|pgbouncer|ssh|kubectl|docker-proxy|rootlessport'"
};

/// To the server itself, where something else answers.
pub(super) fn to_the_server(view: &View<'_>) -> Fix {
    let port = if is_local(view) { "here: as listed by the command" } else { "its usual port is 5432" };
    let fix = Fix::text(format!(
        "set host and port to those of the PostgreSQL server ({port}); you connected to {}, port {}",
        view.host_name(),
        view.port()
    ));
    if is_local(view) { fix.run(LISTENERS) } else { fix }
}

/// To look into the server's log, wherever that is: what to look for, and what it means.
pub(super) fn in_the_log(what: &str) -> Fix {
    Fix::server(format!(
        "on the server: look in its log at this time (/var/log/postgresql, journalctl, the container's output, or the file that \
         the command names): {what}"
    ))
    .or_at_provider(format!("at the provider: look in the server's log at this time: {what}"))
    .run("SELECT pg_current_logfile();")
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
    fn no_command_shows_a_key_that_stands_in_the_place_of_a_path() {
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", "MIIC".repeat(200));
        for word in [key.clone(), format!("/home/me/{key}")] {
            assert_eq!(Fix::text("look").run_words(["ls", "-l", &word]).command, None, "{word}");
            assert_eq!(
                Fix::text("look").run(format!("cat x && rm {}", shell_quoted(&word))).command,
                None,
                "{word}"
            );
        }
        assert_eq!(Fix::text("look").run_words(["ls", "a b"]).command.as_deref(), Some("ls 'a b'"));
    }
}
