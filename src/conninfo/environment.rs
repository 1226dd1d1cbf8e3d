//! The surroundings of the running process, and where libpq looks for files in them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::mask::mask_path;
use super::options::OPTIONS;
use super::{OpenSslConfig, Program, Remembered, Value, options};
use crate::secret::Secret;
use crate::text::printable_bytes;

/// The process's surroundings as a value, so that tests need not change the process. `Debug` tells the variables' names
/// only: there may be secrets among their values.
#[derive(Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// Variables whose values are secrets, held apart: each is in memory once.
    pub secrets: BTreeMap<&'static str, Secret>,
    /// Secret options of the connection string that do not stand in it: those of another program's string, in the memory in
    /// which that was given.
    pub beside: Vec<(&'static str, Secret)>,
    /// The home directory of the password database, used when `HOME` is unset or empty.
    pub account_home: Option<PathBuf>,
    /// The login name of the effective user: libpq's default for `user`.
    pub login_name: LoginName,
    /// The number of the effective user, where the system tells it.
    pub user_id: Option<u32>,
    /// The directory against which relative paths are read.
    pub current_dir: PathBuf,
    /// Where `pg_service.conf` of the system lies when `PGSYSCONFDIR` is unset.
    pub system_config_dir: PathBuf,
    /// The program whose surroundings these are.
    pub program: Program,
    /// What OpenSSL's configuration sets in them, once it was read.
    pub openssl: Remembered<Option<OsString>, Option<OpenSslConfig>>,
    /// The name of the Kerberos credentials that are found in them, once they were looked for.
    pub kerberos: Remembered<[Option<OsString>; 4], Option<String>>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.keys()).finish_non_exhaustive()
    }
}

/// Where `pg_service.conf` lies in the libpq of common systems: Debian and Ubuntu, Red Hat, Homebrew on both processors, others. It is compiled into
/// libpq (`pg_config --sysconfdir`), so the first of these that exists is taken.
const SYSTEM_CONFIG_DIRECTORIES: [&str; 5] = [
    "/etc/postgresql-common",
    "/etc/sysconfig/pgsql",
    "/opt/homebrew/etc/postgresql",
    "/usr/local/etc/postgresql",
    "/etc/postgresql",
];

/// The variables of options that are secrets.
fn secret_variables() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().filter(|option| option.kind.is_secret()).filter_map(|option| option.variable)
}

/// The name of the effective user. The system may ask a directory server for it: it is looked up only where it counts.
#[derive(Clone, Debug, Default)]
pub enum LoginName {
    /// Nobody knows it.
    #[default]
    Unknown,
    /// It is this.
    Known(String),
    /// Whatever the system calls the user of this process.
    OfProcess,
}

impl LoginName {
    /// The name, as libpq asks for it (fe-auth.c, pg_fe_getusername).
    pub fn get(&self) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Known(name) => Some(name.clone()),
            #[cfg(unix)]
            Self::OfProcess => uzers::get_effective_username()?.into_string().ok(),
            #[cfg(not(unix))]
            Self::OfProcess => whoami::username().ok(),
        }
    }
}

impl Environment {
    /// What the process has.
    pub fn from_process() -> Self {
        // One by one: collecting would sort them first, by code that nothing else needs.
        let (mut variables, mut secrets) = (BTreeMap::new(), BTreeMap::new());
        variables.extend(std::env::vars_os());
        let secret = |variable: &'static str| {
            let value = variables.remove(OsStr::new(variable))?;
            Some((variable, Secret::new(value.into_encoded_bytes())))
        };
        secrets.extend(secret_variables().filter_map(secret));
        let has_home = variables.get(OsStr::new("HOME")).is_some_and(|home| !home.is_empty());
        let system = SYSTEM_CONFIG_DIRECTORIES.iter().map(Path::new).find(|directory| directory.is_dir());
        Self {
            beside: Vec::new(),
            // With HOME set this would be HOME again; it is not looked at then.
            account_home: if has_home { None } else { std::env::home_dir() },
            login_name: LoginName::OfProcess,
            user_id: user_id(),
            current_dir: std::env::current_dir().unwrap_or_default(),
            system_config_dir: system.map_or_else(|| PathBuf::from("/etc"), Path::to_owned),
            program: Program::default(),
            openssl: Default::default(),
            kerberos: Default::default(),
            secrets,
            variables,
        }
    }

    /// A file of libpq's directory for per-user files: `~/.postgresql/NAME`, on Windows `%APPDATA%\postgresql\NAME`.
    /// `None` where there is no home directory, and for what the program does not look for.
    pub fn default_file(&self, name: &str) -> Option<PathBuf> {
        let home = self.home().filter(|_| self.looks_for(name))?;
        Some(if cfg!(windows) { home.join(name) } else { home.join(".postgresql").join(name) })
    }

    /// Where a path leads. One that leads to nothing and may be a secret stays as it was typed, so that it is shown as that.
    pub fn place(&self, path: PathBuf) -> PathBuf {
        let place = self.current_dir.join(&path);
        if mask_path(&path) == printable_bytes(path.as_os_str().as_encoded_bytes())
            || crate::file::metadata(&place).is_ok()
        {
            place
        } else {
            path
        }
    }

    /// libpq's default password file, where the program looks for it.
    pub(super) fn default_passfile(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "pgpass.conf" } else { ".pgpass" };
        Some(self.home().filter(|_| self.looks_for(name))?.join(name))
    }

    /// Whether the program looks for a file of this name in the user's directories.
    pub(super) fn looks_for(&self, name: &str) -> bool {
        !self.program.passes_over.contains(&name)
    }

    /// The user's directory, on Windows PostgreSQL's directory in it (fe-connect.c, pqGetHomeDirectory).
    pub(crate) fn home(&self) -> Option<PathBuf> {
        let variable = |name: &str| self.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if cfg!(windows) {
            return variable("APPDATA").map(|data| data.join("postgresql"));
        }
        variable("HOME").or_else(|| self.account_home.clone())
    }

    /// Whether a variable of libpq's is set: what is checked without a connection string follows from those.
    pub fn has_variables_of_libpq(&self) -> bool {
        options::OPTIONS.iter().filter_map(|option| option.variable).any(|name| self.variable(name).is_some())
    }

    /// A variable that holds a whole URL of a server, as platforms set it, and libpq does not read.
    pub fn url_variable(&self) -> Option<&str> {
        let is_url = |value: &OsStr| {
            let value = value.as_encoded_bytes();
            let value = value.strip_prefix(b"jdbc:").unwrap_or(value);
            [&b"postgres://"[..], b"postgresql://", b"postgresql+"]
                .iter()
                .any(|begin| value.starts_with(begin))
        };
        let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // The best known first.
        let known = ["DATABASE_URL", "POSTGRES_URL"].into_iter();
        let known = known.filter_map(|name| Some((OsStr::new(name), self.variable(name)?)));
        let all = self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        let mut urls = known.chain(all).filter(|(_, value)| is_url(value));
        urls.find_map(|(name, _)| name.to_str().filter(is_name))
    }

    /// The variable that is called nearly as libpq's for an option, as no other of libpq's is, and its value.
    pub fn nearly(&self, keyword: &str) -> Option<(&str, &OsStr)> {
        self.of_libpq().find_map(|(name, value)| {
            let name = name.to_str().filter(|_| !value.is_empty())?;
            let is_known = options::OPTIONS.iter().any(|option| option.variable == Some(name));
            let bare = name.get(2..).filter(|_| !is_known)?.to_ascii_lowercase();
            (options::nearest(bare.as_bytes()) == Some(keyword)).then_some((name, value))
        })
    }

    /// Whether a variable is set, be it to nothing.
    pub fn sets(&self, name: &str) -> bool {
        self.variable(name).is_some() || self.secrets.contains_key(name)
    }

    /// The variables that are named as libpq's are, few of all.
    pub(super) fn of_libpq(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let begin = Bound::Included(OsStr::new("PG"));
        let from = self.variables.range::<OsStr, _>((begin, Bound::Unbounded));
        let alike = from.take_while(|(name, _)| name.as_encoded_bytes().starts_with(b"PG"));
        alike.map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// A variable, if it is set, be it to nothing.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(|value| value.as_os_str())
    }

    /// A secret's variable, if it is set.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        let plain = || Some(Secret::new(self.variable(name)?.as_encoded_bytes().to_vec()));
        self.secrets.get(name).cloned().or_else(plain)
    }

    /// A variable's bytes.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.variable(name).map(|value| Value::new(value.as_encoded_bytes()))
    }
}

/// The effective user.
#[cfg(unix)]
fn user_id() -> Option<u32> {
    Some(uzers::get_effective_uid())
}

#[cfg(not(unix))]
fn user_id() -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_a_user_and_a_place() {
        let environment = Environment::from_process();
        assert!(environment.login_name.get().is_some_and(|name| !name.is_empty()));
        assert!(environment.current_dir.is_absolute());
        assert_eq!(environment.variables.get(OsStr::new("PATH")), std::env::var_os("PATH").as_ref());
    }

    #[cfg(unix)]
    #[test]
    fn the_home_directory_is_that_of_the_account_where_home_is_unset_or_empty() {
        let account = Environment { account_home: Some("/account".into()), ..Environment::default() };
        assert_eq!(account.default_file("root.crt"), Some("/account/.postgresql/root.crt".into()));
        let with = |home: &str| {
            let mut environment = account.clone();
            environment.variables.insert("HOME".into(), home.into());
            environment.default_file("root.crt")
        };
        assert_eq!(with(""), Some("/account/.postgresql/root.crt".into()));
        assert_eq!(with("/home/me"), Some("/home/me/.postgresql/root.crt".into()));
        assert_eq!(Environment::default().default_file("root.crt"), None);
    }
}
