//! Paths that begin with what a shell was to replace and did not: in single quotes, in a file, or in another shell than the
//! one that they are written for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Who replaces what a path begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacer {
    /// A POSIX shell: `~`, `$NAME`, `${NAME}`.
    Posix,
    /// PowerShell: `$env:NAME`, `${env:NAME}`.
    PowerShell,
    /// cmd: `%NAME%`.
    Cmd,
}

/// Such a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexpanded<'a> {
    /// Who would have replaced it.
    pub by: Replacer,
    /// What it begins with, as it is written.
    pub written: &'a str,
    /// The variable.
    pub variable: &'a str,
    /// What follows, separated by `/`.
    pub rest: String,
}

impl<'a> Unexpanded<'a> {
    /// The same path taken apart, if it is such a one.
    pub fn of(path: &'a str) -> Option<Self> {
        let (by, variable, behind) = if let Some(behind) = path.strip_prefix('~') {
            (Replacer::Posix, "HOME", behind)
        } else if let Some(rest) = path.strip_prefix('%') {
            let (name, behind) = rest.split_once('%')?;
            (Replacer::Cmd, name, behind)
        } else {
            let rest = path.strip_prefix('$')?;
            let (name, behind) = match rest.strip_prefix('{') {
                Some(rest) => rest.split_once('}')?,
                None => rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len())),
            };
            let is_powershell = name.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("env:"));
            match name.get(4..).filter(|_| is_powershell) {
                Some(name) => (Replacer::PowerShell, name, behind),
                None => (Replacer::Posix, name, behind),
            }
        };
        let is_name = !variable.is_empty() && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let begins = behind.is_empty() || behind.starts_with(['/', '\\']);
        (is_name && begins).then(|| Self {
            by,
            written: path.strip_suffix(behind).unwrap_or(path),
            variable,
            rest: behind.trim_start_matches(['/', '\\']).replace('\\', "/"),
        })
    }

    /// The path that is meant on this machine, where the variable is set.
    pub fn expanded(
        &self,
        home: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Option<PathBuf> {
        let is_home = ["HOME", "USERPROFILE"].contains(&self.variable);
        let value = variable(self.variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        Some(value.or_else(|| home.filter(|_| is_home).map(Path::to_owned))?.join(&self.rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_was_to_replace_is_seen() {
        use Replacer::{Cmd, Posix, PowerShell};
        for (path, by, written, variable, rest) in [
            ("~/certs/root.crt", Posix, "~", "HOME", "certs/root.crt"),
            ("$HOME/root.crt", Posix, "$HOME", "HOME", "root.crt"),
            ("${CERTS}/a/root.crt", Posix, "${CERTS}", "CERTS", "a/root.crt"),
            (
                r"$env:APPDATA\postgresql\root.crt",
                PowerShell,
                "$env:APPDATA",
                "APPDATA",
                "postgresql/root.crt",
            ),
            (
                "${Env:APPDATA}/postgresql/root.crt",
                PowerShell,
                "${Env:APPDATA}",
                "APPDATA",
                "postgresql/root.crt",
            ),
            (r"%USERPROFILE%\root.crt", Cmd, "%USERPROFILE%", "USERPROFILE", "root.crt"),
        ] {
            let rest = rest.to_owned();
            assert_eq!(Unexpanded::of(path), Some(Unexpanded { by, written, variable, rest }), "{path}");
        }
        for path in [
            "root.crt",
            "/a/$HOME/x",
            "~other/x",
            "$",
            "%a",
            "100%/x",
            "%%/x",
            "$a b/x",
            "${HOME",
            "${HOME}x/y",
        ] {
            assert_eq!(Unexpanded::of(path), None, "{path}");
        }
        let path = Unexpanded::of("$CERTS/root.crt").unwrap();
        let set = |name: &str| (name == "CERTS").then(|| OsString::from("/etc/certs"));
        assert_eq!(path.expanded(None, set), Some("/etc/certs/root.crt".into()));
        assert_eq!(path.expanded(Some(Path::new("/home/me")), |_| None), None);
        let home = Unexpanded::of("~/root.crt").unwrap();
        assert_eq!(home.expanded(Some(Path::new("/home/me")), |_| None), Some("/home/me/root.crt".into()));
    }
}
