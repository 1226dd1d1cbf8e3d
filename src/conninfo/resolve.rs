//! Merges connection string, options, service file, environment and defaults (fe-connect.c, conninfo_add_defaults),
//! reads the password file, and makes [`Settings`] of what libpq would accept.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use super::options::{self, ConnectionOption, OPTIONS};
use super::parse::{Assignment, ParseFailure, Refusal, is_connection_string, parse};
use super::passfile::{Key, PasswordFile};
use super::validate::{self, Merged};
use super::{
    ConfigError, Endpoint, Environment, Host, MASK, Masked, Notice, Origin, Overrides, Parameter, Password,
    Place, Settings, SslMode, Value, hosts, mask, service,
};
use crate::secret::Secret;

/// Why settings cannot be used, with all that can be shown of them.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What is wrong.
    pub error: ConfigError,
    /// The parameters read so far, in libpq's order. Secret ones are not rendered.
    pub parameters: Vec<Parameter>,
    /// The connection string at fault as given, if one was: the positional one or, where that is what is wrong, the
    /// one of `-d`.
    pub input: Option<Secret>,
    /// The same string without its secrets, the places of the fault marked. They are none where it lies elsewhere.
    pub marked: Option<Masked>,
}

/// Merges everything that libpq would and checks what it would check before its first socket.
///
/// What beats what: a connection string given with `-d`, other options, `input`, service file, environment, defaults.
///
/// # Errors
/// What libpq refuses, and what this tool does not do.
pub fn resolve(
    input: Option<&[u8]>,
    overrides: &Overrides,
    environment: &Environment,
) -> Result<Settings, Box<Failure>> {
    let mut merge = Merge { input, ..Merge::default() };
    let mut notices = Vec::new();
    let result = merge
        .read(overrides, environment)
        .and_then(|()| settings(&merge.merged(), environment, &mut notices));
    match result {
        Ok(settings) => Ok(Settings { input: merge.shown_string().map(secret), ..settings }),
        Err(error) => {
            let merged = merge.merged();
            let spans = merged.places(&error);
            let shown = merge.shown_string();
            Err(Box::new(Failure {
                error,
                parameters: shown_parameters(&merged),
                input: shown.map(secret),
                marked: shown.map(|text| mask(text, &spans)),
            }))
        }
    }
}

fn secret(text: &[u8]) -> Secret {
    Secret::new(text.to_vec())
}

/// One value and where it came from.
struct Found {
    value: Value,
    origin: Origin,
    /// Its place, and in which string that is.
    place: Option<(Which, Place)>,
    typed: Option<Vec<u8>>,
    suspect: bool,
}

/// The two places where a connection string may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Positional,
    OptionD,
}

/// What was found so far; the first value of a keyword stays.
#[derive(Default)]
struct Merge<'a> {
    input: Option<&'a [u8]>,
    option_d: Option<&'a [u8]>,
    found: BTreeMap<&'static str, Found>,
    /// Whether it is the string of `-d` that does not parse.
    option_d_is_at_fault: bool,
}

impl<'a> Merge<'a> {
    /// Reads all sources, best first.
    fn read(&mut self, overrides: &'a Overrides, environment: &Environment) -> Result<(), ConfigError> {
        // An option that is set to nothing says nothing (conninfo_array_parse).
        let given = || overrides.parameters.iter().rev().filter(|(_, value, _)| !value.as_bytes().is_empty());
        let is_string =
            |keyword: &str, value: &Value| keyword == "dbname" && is_connection_string(value.as_bytes());
        let option_d = given().find(|(keyword, value, _)| is_string(keyword, value));
        let mut refused = None;
        if let Some((_, text, option)) = option_d {
            self.option_d = Some(text.as_bytes());
            refused = self.string(text.as_bytes(), Which::OptionD, &Origin::Option(option));
            self.option_d_is_at_fault = refused.is_some();
        }
        for (keyword, value, option) in given().filter(|(keyword, value, _)| !is_string(keyword, value)) {
            self.plain(keyword, value.clone(), Origin::Option(option));
        }
        if let Some(input) = self.input {
            let also = self.string(input, Which::Positional, &Origin::ConnectionString);
            refused = refused.or(also);
        }
        if let Some(error) = refused {
            return Err(error);
        }
        self.service(environment)?;
        for option in OPTIONS {
            if let Some((value, origin)) = fallback(option, environment) {
                self.plain(option.keyword, value, origin);
            }
        }
        self.default_sslmode();
        self.computed_defaults(environment);
        Ok(())
    }

    /// Reads a connection string, up to what libpq refuses.
    fn string(&mut self, text: &[u8], which: Which, origin: &Origin) -> Option<ConfigError> {
        let (read, refusal) = match parse(text) {
            Ok(read) => (read, None),
            Err(ParseFailure { refusal, read }) => (read, Some(refusal)),
        };
        for (keyword, assignment) in read.assignments.into_iter().rev() {
            let Assignment { value, place, typed, may_hold_password } = assignment;
            self.found.entry(keyword).or_insert(Found {
                value,
                origin: origin.clone(),
                place: Some((which, place)),
                typed,
                suspect: may_hold_password,
            });
        }
        refusal.map(|refusal| match refusal {
            Refusal::Syntax(error) => ConfigError::Syntax(error),
            Refusal::UnknownOption { keyword, span } => ConfigError::UnknownOption {
                nearest: options::nearest(keyword.as_bytes()),
                keyword,
                origin: origin.clone(),
                span: Some(span),
            },
        })
    }

    fn plain(&mut self, keyword: &'static str, value: Value, origin: Origin) {
        self.found.entry(keyword).or_insert(Found {
            value,
            origin,
            place: None,
            typed: None,
            suspect: false,
        });
    }

    fn service(&mut self, environment: &Environment) -> Result<(), ConfigError> {
        let given = self.found.get("service").map(|found| found.value.clone());
        let Some(name) = given.or_else(|| environment.value("PGSERVICE")) else { return Ok(()) };
        let section = service::find(&name, environment)?;
        let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
        for (keyword, value) in section.settings {
            self.plain(keyword, value, Origin::Service { name: name.clone(), file: section.file.clone() });
        }
        Ok(())
    }

    /// Where nobody gave an sslmode, libpq takes `prefer`, but `verify-full` with `sslrootcert=system`. This tool takes
    /// `verify-full` always, unless libpq would refuse its `prefer`.
    fn default_sslmode(&mut self) {
        let is = |keyword: &str, text: &[u8]| {
            self.found.get(keyword).is_some_and(|found| found.value.as_bytes() == text)
        };
        let (system, direct) = (is("sslrootcert", b"system"), is("sslnegotiation", b"direct"));
        if let Some(sslmode) = self.found.get_mut("sslmode")
            && sslmode.origin == Origin::Default
            && (system || !direct)
        {
            sslmode.value = Value::from("verify-full");
            if !system {
                sslmode.origin = Origin::ToolDefault("libpq's is prefer");
            }
        }
    }

    /// The user is the login name, the database the user, the password file `~/.pgpass`; set to nothing they are as
    /// good as unset (pqConnectOptions2).
    fn computed_defaults(&mut self, environment: &Environment) {
        if let Some(name) = &environment.login_name {
            self.default_for_nothing("user", Value::from(name.as_str()));
        }
        if let Some(user) = self.found.get("user").map(|found| found.value.clone()) {
            self.default_for_nothing("dbname", user);
        }
        let no_password = self.found.get("password").is_none_or(|found| found.value.as_bytes().is_empty());
        let name = if cfg!(windows) { "pgpass.conf" } else { ".pgpass" };
        if let Some(home) = environment.home().filter(|_| no_password) {
            let path = home.join(name);
            self.default_for_nothing("passfile", Value::new(path.as_os_str().as_encoded_bytes()));
        }
    }

    fn default_for_nothing(&mut self, keyword: &'static str, value: Value) {
        if self.found.get(keyword).is_none_or(|found| found.value.as_bytes().is_empty()) {
            self.found.remove(keyword);
            self.plain(keyword, value, Origin::Default);
        }
    }

    /// The string whose places the parameters have.
    fn shown_string(&self) -> Option<&'a [u8]> {
        if self.option_d_is_at_fault { self.option_d } else { self.input.or(self.option_d) }
    }

    fn merged(&self) -> Merged {
        let shown = if self.option_d_is_at_fault || self.input.is_none() {
            Which::OptionD
        } else {
            Which::Positional
        };
        let place = |found: &Found| {
            found.place.as_ref().filter(|(which, _)| *which == shown).map(|(_, place)| place.clone())
        };
        let found =
            OPTIONS.iter().filter_map(|option| Some((option.keyword, self.found.get(option.keyword)?)));
        Merged {
            parameters: found
                .clone()
                .map(|(keyword, found)| Parameter {
                    keyword,
                    value: found.value.clone(),
                    origin: found.origin.clone(),
                    place: place(found),
                })
                .collect(),
            typed_root: self
                .found
                .get("sslrootcert")
                .and_then(|found| found.typed.as_deref())
                .map(|typed| Value::new(typed).to_path()),
            suspects: found.filter(|(_, found)| found.suspect).map(|(keyword, _)| keyword).collect(),
        }
    }
}

/// What the environment or libpq itself says where neither string nor service does.
fn fallback(option: &ConnectionOption, environment: &Environment) -> Option<(Value, Origin)> {
    if let Some(variable) = option.variable
        && let Some(value) = environment.value(variable)
    {
        return Some((value, Origin::Environment(variable)));
    }
    let required =
        || environment.value("PGREQUIRESSL").is_some_and(|value| value.as_bytes().starts_with(b"1"));
    if option.keyword == "sslmode" && required() {
        return Some((Value::from("require"), Origin::Environment("PGREQUIRESSL")));
    }
    Some((Value::from(option.default?), Origin::Default))
}

/// Checks the parameters and makes settings of them.
fn settings(
    merged: &Merged,
    environment: &Environment,
    notices: &mut Vec<Notice>,
) -> Result<Settings, ConfigError> {
    let mut hosts = hosts::hosts(merged)?;
    if merged.text("user").is_empty() {
        return Err(merged.invalid("user", "a name; the system knows none for this account"));
    }
    let over_tcp = hosts.iter().any(|host| !matches!(host.endpoint, Endpoint::Socket(_)));
    let choices = validate::check(merged, over_tcp)?;
    let nameless = |host: &Host| {
        host.name.as_bytes().is_empty()
            && matches!(host.endpoint, Endpoint::Address(..) | Endpoint::BadAddress)
    };
    if choices.sslmode == SslMode::VerifyFull && hosts.iter().all(nameless) {
        return Err(ConfigError::HostRequired);
    }
    let mut parameters = shown_parameters(merged);
    passwords(merged, environment, &mut hosts, &mut parameters, notices);
    Ok(Settings {
        input: None,
        user: Value::new(merged.text("user")),
        database: Value::new(merged.text("dbname")),
        sni: merged.text("sslsni") == b"1",
        root: validate::root(merged, environment.default_file("root.crt")),
        startup: startup(merged, environment),
        notices: std::mem::take(notices),
        hosts,
        parameters,
        sslmode: choices.sslmode,
        negotiation: choices.negotiation,
        min_tls: choices.min_tls,
        max_tls: choices.max_tls,
        certificate_mode: choices.certificate_mode,
        channel_binding: choices.channel_binding,
        require_auth: choices.require_auth,
        target_session_attrs: choices.target_session_attrs,
        shuffle_hosts: choices.shuffle_hosts,
        connect_timeout: choices.connect_timeout,
        keepalives: choices.keepalives,
    })
}

/// The parameters without what may be a piece of a password.
fn shown_parameters(merged: &Merged) -> Vec<Parameter> {
    let mut parameters = merged.parameters.clone();
    for parameter in parameters.iter_mut().filter(|parameter| merged.is_suspect(parameter.keyword)) {
        parameter.value = Value::from(MASK);
    }
    parameters
}

/// Gives every host its password: the one that was set, else the password file's.
fn passwords(
    merged: &Merged,
    environment: &Environment,
    hosts: &mut [Host],
    parameters: &mut Vec<Parameter>,
    notices: &mut Vec<Notice>,
) {
    if let Some(given) = merged.get("password").filter(|given| !given.value.as_bytes().is_empty()) {
        for host in hosts {
            let secret = Secret::new(given.value.as_bytes().to_vec());
            host.password = Some(Password { secret, origin: given.origin.clone() });
        }
        return;
    }
    let path = merged.get("passfile").filter(|path| !path.value.as_bytes().is_empty());
    let Some(path) = path.map(|path| path.value.to_path()) else { return };
    let file = match PasswordFile::open(&environment.current_dir.join(&path)) {
        Ok(Some(file)) => file,
        Ok(None) => return,
        Err(Notice::PassfileIgnored { mode, .. }) => {
            notices.push(Notice::PassfileIgnored { path, mode });
            return;
        }
    };
    let ports = hosts::port_texts(merged, hosts.len());
    let addresses: Vec<&[u8]> = merged.text("hostaddr").split(|byte| *byte == b',').collect();
    for (slot, (host, port)) in hosts.iter_mut().zip(&ports).enumerate() {
        let key = Key {
            host: passfile_host(host, addresses.get(slot).copied().unwrap_or_default()),
            port,
            database: merged.text("dbname"),
            user: merged.text("user"),
        };
        if let Some(secret) = file.find(&key).filter(|secret| !secret.expose().is_empty()) {
            host.password = Some(Password { secret, origin: Origin::PasswordFile(path.clone()) });
        }
    }
    // libpq keeps these apart from its parameters; here the listing tells of them.
    if let Some(password) = hosts.iter().find_map(|host| host.password.as_ref()) {
        let at = OPTIONS.iter().take_while(|option| option.keyword != "password");
        let before = |parameter: &Parameter| at.clone().any(|option| option.keyword == parameter.keyword);
        parameters.retain(|parameter| parameter.keyword != "password");
        let at = parameters.iter().take_while(|parameter| before(parameter)).count();
        let value = Value::new(password.secret.expose());
        let origin = password.origin.clone();
        parameters.insert(at, Parameter { keyword: "password", value, origin, place: None });
    }
}

/// What a host is called in the password file: its name, its address where it has none, `localhost` for the default
/// socket.
fn passfile_host<'a>(host: &'a Host, address: &'a [u8]) -> &'a [u8] {
    let name = host.name.as_bytes();
    match (name.is_empty(), address.is_empty()) {
        (true, false) => address,
        (true, true) => b"localhost",
        _ if name == hosts::DEFAULT_SOCKET_DIRECTORY.as_bytes() => b"localhost",
        _ => name,
    }
}

/// What the start-up message carries besides user and database (fe-protocol3.c, build_startup_packet).
fn startup(merged: &Merged, environment: &Environment) -> Vec<(&'static str, Value)> {
    let mut startup = Vec::new();
    let mut push = |name: &'static str, value: &[u8]| {
        if !value.is_empty() {
            startup.push((name, Value::new(value)));
        }
    };
    push("replication", merged.text("replication"));
    push("options", merged.text("options"));
    let name = merged.text("application_name");
    push("application_name", if name.is_empty() { merged.text("fallback_application_name") } else { name });
    match merged.text("client_encoding") {
        b"auto" => push("client_encoding", locale_encoding(environment).as_bytes()),
        encoding => push("client_encoding", encoding),
    }
    for (variable, setting) in options::SERVER_SETTINGS {
        let value = environment.value(variable).unwrap_or_default();
        if !value.as_bytes().eq_ignore_ascii_case(b"default") {
            push(setting, value.as_bytes());
        }
    }
    startup
}

/// The encoding of the locale, as far as it matters today: UTF-8 or something that is left to the server.
fn locale_encoding(environment: &Environment) -> &'static str {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| environment.variable(name).filter(|value| !value.is_empty()))
        .unwrap_or(OsStr::new(""));
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") { "UTF8" } else { "SQL_ASCII" }
}
