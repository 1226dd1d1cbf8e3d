//! All sources of settings together: connection strings, options, service file, environment, defaults
//! (fe-connect.c, conninfo_add_defaults and what pqConnectOptions2 fills in).

use std::ffi::OsStr;
use std::fmt;

use super::grammar::Assignment;
use super::options::{self, ConnectionOption, Kind, LibpqVersion, OPTIONS};
use super::parse::{ParseFailure, Refusal, is_connection_string, parse, parse_as};
use super::uri::{scheme_length, unencoded_password};
use super::validate::Merged;
use super::{ConfigError, Environment, Origin, Parameter, ParameterValue, Place, Value, service};
use crate::secret::Secret;

/// Settings from command-line options, which beat the connection string: keyword, value, the option (`-h`). Those set
/// to nothing are passed over. A `dbname` (`-d`) may be a connection string; as in psql it beats the other options.
/// `Debug` tells no values: a connection string may hold a password.
#[derive(Clone, Default)]
pub struct Overrides {
    /// In the order given.
    pub parameters: Vec<(&'static str, Value, &'static str)>,
    /// `-w`: never ask for a password. Kept here because it decides what is read.
    pub never_prompt: bool,
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.parameters.iter().map(|(_, _, option)| option).collect();
        f.debug_struct("Overrides")
            .field("options", &options)
            .field("never_prompt", &self.never_prompt)
            .finish()
    }
}

/// One value and where it came from.
struct Found {
    value: ParameterValue,
    origin: Origin,
    /// Its place, and in which string that is.
    place: Option<(StringSource, Place)>,
    typed: Option<Vec<u8>>,
}

/// The two places where a connection string may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StringSource {
    Positional,
    OptionD,
}

/// A value for each option that has one, in libpq's order.
#[derive(Default)]
struct Values(Vec<Option<Found>>);

impl Values {
    /// That of the option at a place of [`OPTIONS`].
    fn at(&self, place: usize) -> Option<&Found> {
        self.0.get(place)?.as_ref()
    }

    fn get(&self, keyword: &str) -> Option<&Found> {
        self.at(place(keyword)?)
    }

    fn get_mut(&mut self, keyword: &str) -> Option<&mut Found> {
        self.slot(keyword)?.as_mut()
    }

    fn insert(&mut self, keyword: &str, found: Found) {
        if let Some(slot) = self.slot(keyword) {
            *slot = Some(found);
        }
    }

    fn or_insert(&mut self, keyword: &str, found: Found) {
        if let Some(slot) = self.slot(keyword) {
            slot.get_or_insert(found);
        }
    }

    fn slot(&mut self, keyword: &str) -> Option<&mut Option<Found>> {
        let place = place(keyword)?;
        if self.0.is_empty() {
            self.0.resize_with(OPTIONS.len(), || None);
        }
        self.0.get_mut(place)
    }
}

fn place(keyword: &str) -> Option<usize> {
    OPTIONS.iter().position(|option| option.keyword == keyword)
}

/// What was found so far; the first value of a keyword stays.
#[derive(Default)]
pub(super) struct Merge<'a> {
    /// The positional string, whose memory the secrets in it share.
    held: Option<Secret>,
    /// The same of the string of `-d`.
    held_d: Option<Secret>,
    input: Option<&'a [u8]>,
    option_d: Option<&'a [u8]>,
    found: Values,
    /// Whether it is the string of `-d` that does not parse.
    option_d_is_at_fault: bool,
}

impl<'a> Merge<'a> {
    /// Nothing but the positional connection string, not yet read.
    pub(super) fn of(input: Option<&'a Secret>) -> Self {
        Self { held: input.cloned(), input: input.map(Secret::expose), ..Self::default() }
    }

    /// Reads all sources, best first.
    pub(super) fn read(
        &mut self,
        overrides: &'a Overrides,
        environment: &Environment,
    ) -> Result<(), Box<ConfigError>> {
        // An option that is set to nothing says nothing (conninfo_array_parse).
        let given = || overrides.parameters.iter().rev().filter(|(_, value, _)| !value.as_bytes().is_empty());
        let is_string =
            |keyword: &str, value: &Value| keyword == "dbname" && is_connection_string(value.as_bytes());
        let option_d = given().find(|(keyword, value, _)| is_string(keyword, value));
        let mut refused = None;
        if let Some((_, text, option)) = option_d {
            self.option_d = Some(text.as_bytes());
            self.held_d = Some(text.clone().into_secret());
            refused = self.string(text.as_bytes(), StringSource::OptionD, &Origin::Option(option));
            self.option_d_is_at_fault = refused.is_some();
        }
        for (keyword, value, option) in given().filter(|(keyword, value, _)| !is_string(keyword, value)) {
            self.plain(keyword, value.clone(), Origin::Option(option));
        }
        if let Some(input) = self.input {
            let also = self.string(input, StringSource::Positional, &Origin::ConnectionString);
            refused = refused.or(also);
        }
        for (keyword, secret) in &environment.beside {
            self.found.or_insert(
                keyword,
                Found {
                    value: ParameterValue::Secret(secret.clone()),
                    origin: Origin::ConnectionString,
                    place: None,
                    typed: None,
                },
            );
        }
        if let Some(error) = refused {
            return Err(Box::new(error));
        }
        self.service(environment)?;
        let variables: Vec<_> = environment.of_libpq().collect();
        for (place, option) in OPTIONS.iter().enumerate() {
            if self.found.at(place).is_some() {
                continue;
            }
            let secret = option.variable.filter(|_| option.kind.is_secret());
            if let Some((variable, secret)) = secret.and_then(|name| Some((name, environment.secret(name)?)))
            {
                self.found.insert(
                    option.keyword,
                    Found {
                        value: ParameterValue::Secret(secret),
                        origin: Origin::Environment(variable),
                        place: None,
                        typed: None,
                    },
                );
            } else if let Some((value, origin)) = said(option, &variables) {
                self.plain(option.keyword, value, origin);
            } else if let Some(default) = option.default {
                let (value, origin) = (ParameterValue::Plain(Value::fixed(default)), Origin::Default);
                self.found.insert(option.keyword, Found { value, origin, place: None, typed: None });
            }
        }
        self.default_sslmode();
        self.computed_defaults(environment);
        Ok(())
    }

    /// Reads a connection string, up to what libpq refuses.
    fn string(&mut self, text: &[u8], source: StringSource, origin: &Origin) -> Option<ConfigError> {
        let (read, refusal) = match parse(text) {
            Ok(read) => (read, None),
            Err(ParseFailure { refusal, read }) => (read, Some(refusal)),
        };
        for (keyword, assignment) in read.assignments.into_iter().rev() {
            let Assignment { value, place, typed, may_hold_password } = assignment;
            let held = match source {
                StringSource::Positional => self.held.as_ref(),
                StringSource::OptionD => self.held_d.as_ref(),
            };
            let value = ParameterValue::of(keyword, value, may_hold_password);
            let shared = held.and_then(|held| held.part(place.value.clone(), value.exposed()));
            self.found.or_insert(
                keyword,
                Found {
                    value: shared.map_or(value.clone(), |shared| value.in_memory_of(shared)),
                    origin: origin.clone(),
                    place: Some((source, place)),
                    typed,
                },
            );
        }
        // Before anything else that libpq refuses: what stands there may be pieces of the password.
        if let Some(unencoded) = unencoded_password(text) {
            return Some(ConfigError::UnencodedPassword(unencoded));
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
        self.found.or_insert(
            keyword,
            Found { value: ParameterValue::of(keyword, value, false), origin, place: None, typed: None },
        );
    }

    fn service(&mut self, environment: &Environment) -> Result<(), Box<ConfigError>> {
        let given = self.found.get("service").map(|found| Value::new(found.value.exposed()));
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
            self.found.get(keyword).is_some_and(|found| found.value.exposed() == text)
        };
        let (system, direct) = (is("sslrootcert", b"system"), is("sslnegotiation", b"direct"));
        if let Some(sslmode) = self.found.get_mut("sslmode")
            && sslmode.origin == Origin::Default
            && (system || !direct)
        {
            sslmode.value = ParameterValue::Plain(Value::fixed("verify-full"));
            if !system {
                sslmode.origin = Origin::ToolDefault("libpq's is prefer");
            }
        }
    }

    /// The user is the login name, the database the user, the password file `~/.pgpass`; set to nothing they are as
    /// good as unset (pqConnectOptions2).
    fn computed_defaults(&mut self, environment: &Environment) {
        let no_user = self.found.get("user").is_none_or(|found| found.value.is_empty());
        if let Some(name) = no_user.then(|| environment.login_name.get()).flatten() {
            self.default_for_nothing("user", ParameterValue::of("user", Value::from(name.as_str()), false));
        }
        if let Some(user) = self.found.get("user").map(|found| found.value.clone()) {
            self.default_for_nothing("dbname", user);
        }
        let no_password = self.found.get("password").is_none_or(|found| found.value.is_empty());
        if let Some(path) = environment.default_passfile().filter(|_| no_password) {
            let path = Value::new(path.as_os_str().as_encoded_bytes());
            self.default_for_nothing("passfile", ParameterValue::of("passfile", path, false));
        }
    }

    fn default_for_nothing(&mut self, keyword: &'static str, value: ParameterValue) {
        if self.found.get(keyword).is_none_or(|found| found.value.is_empty()) {
            let found = Found { value, origin: Origin::Default, place: None, typed: None };
            self.found.insert(keyword, found);
        }
    }

    /// The same, for whoever keeps it.
    pub(super) fn kept_string(&self) -> Option<Secret> {
        match (&self.held, self.option_d_is_at_fault) {
            (Some(held), false) => Some(held.clone()),
            _ => self.held_d.clone(),
        }
    }

    /// The string whose places the parameters have.
    pub(super) fn shown_string(&self) -> Option<&'a [u8]> {
        if self.option_d_is_at_fault { self.option_d } else { self.input.or(self.option_d) }
    }

    /// The keywords whose values in the strings, as far as they count, libpq 15 reads otherwise than 18. Integers may have
    /// spaces round them.
    pub(super) fn read_otherwise(&self) -> Vec<&'static str> {
        let strings = [(self.option_d, StringSource::OptionD), (self.input, StringSource::Positional)];
        let mut otherwise = Vec::new();
        let uris = strings.into_iter().filter_map(|(text, source)| Some((text?, source)));
        // Of the other grammar nothing has changed.
        for (text, source) in uris.filter(|(text, _)| scheme_length(text).is_some()) {
            let older = parse_as(text, LibpqVersion::V15).unwrap_or_else(|failure| failure.read);
            for (keyword, _) in &older.assignments {
                let found = self.found.get(keyword).filter(|found| {
                    found.place.as_ref().is_some_and(|(at, _)| *at == source)
                        && *keyword != "port"
                        && options::find(keyword.as_bytes()).is_some_and(|known| known.kind != Kind::Integer)
                });
                let value = older.get(keyword).map(|assignment| assignment.value.as_bytes());
                if found.is_some_and(|found| value != Some(found.value.exposed()))
                    && !otherwise.contains(keyword)
                {
                    otherwise.push(*keyword);
                }
            }
        }
        otherwise
    }

    /// The parameters as they stand.
    pub(super) fn merged(&self) -> Merged {
        let shown = if self.option_d_is_at_fault || self.input.is_none() {
            StringSource::OptionD
        } else {
            StringSource::Positional
        };
        let place = |found: &Found| {
            found.place.as_ref().filter(|(source, _)| *source == shown).map(|(_, place)| place.clone())
        };
        let options = OPTIONS.iter().enumerate();
        let found = options.filter_map(|(place, option)| Some((option.keyword, self.found.at(place)?)));
        Merged {
            parameters: found
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
        }
    }
}

/// What the environment says where neither string nor service does.
fn said(option: &ConnectionOption, variables: &[(&OsStr, &OsStr)]) -> Option<(Value, Origin)> {
    let value = |wanted: &str| {
        let (_, value) = variables.iter().find(|(name, _)| *name == wanted)?;
        Some(Value::new(value.as_encoded_bytes()))
    };
    if let Some(variable) = option.variable
        && let Some(value) = value(variable)
    {
        return Some((value, Origin::Environment(variable)));
    }
    let required = || value("PGREQUIRESSL").is_some_and(|value| value.as_bytes().starts_with(b"1"));
    if option.keyword == "sslmode" && required() {
        return Some((Value::from("require"), Origin::Environment("PGREQUIRESSL")));
    }
    None
}
