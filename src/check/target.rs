//! What a target is: a string of libpq's as it is, one within other text, or another driver's, which becomes the string of
//! libpq's that demands the same, in the surroundings as that driver sees them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::Setup;
use crate::clients::dialect::{
    self, Absent, Chain, Demand, Dialect, Encryption, Kind, Layer, Read, Reading, Root, Setting,
    SettingValue, Taken, Typed, Variables,
};
use crate::conninfo::{self, ConfigError, Environment, Failure, Form, Program, ProgramRoots, options};
use crate::probe;
use crate::runtime::in_heap;
use crate::secret::Secret;

/// A target, ready to be resolved.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The connection string in libpq's words; without one, environment or service say where to go.
    pub input: Option<Cow<'a, Secret>>,
    /// The surroundings as the program sees them that reads the string.
    pub environment: Cow<'a, Environment>,
    /// What was typed, where that is not a string of libpq's alone.
    pub typed: Option<Arc<Typed>>,
}

/// What only libpq and a few others look for in the user's directories.
const FILES: &[&str] = &["root.crt", "root.crl", "postgresql.crt", "postgresql.key", PASSWORD_FILE];
/// The same, for drivers that read the password file.
const ALL_BUT_PASSWORDS: &[&str] = &["root.crt", "root.crl", "postgresql.crt", "postgresql.key"];
/// The same, for drivers that look for roots.
const ALL_BUT_ROOTS: &[&str] = &["root.crl", "postgresql.crt", "postgresql.key", PASSWORD_FILE];
/// The same, for drivers that look for both.
const OTHERS: &[&str] = &["root.crl", "postgresql.crt", "postgresql.key"];

const PASSWORD_FILE: &str = if cfg!(windows) { "pgpass.conf" } else { ".pgpass" };

impl<'a> Target<'a> {
    /// Reads what was given.
    pub(super) async fn read(setup: &'a Setup, given: Option<&'a Secret>) -> Self {
        let as_it_is = || Self {
            input: given.map(Cow::Borrowed),
            environment: Cow::Borrowed(&setup.environment),
            typed: None,
        };
        let Some(text) = given else { return as_it_is() };
        let is_odd = !conninfo::swallowed(text.expose()).is_empty();
        if setup.dialect.is_none() && !is_odd && dialect::is_plain(text.expose()) {
            return as_it_is();
        }
        // What libpq reads is libpq's, whatever else might read it.
        match dialect::read(text.expose(), setup.dialect) {
            dialect::Target::Libpq(taken) => match is_as_given(&taken, text) {
                // Others read URLs too, and not all alike; and libpq knows no placeholders.
                true if is_odd || is_url(text) || !dialect::placeholders(text.expose()).is_empty() => {
                    let typed = Typed::new(text.clone(), Read::Libpq(Vec::new()));
                    Self { typed: Some(Arc::new(typed)), ..as_it_is() }
                }
                true => as_it_is(),
                false if taken.uncertain && !in_heap(|| is_host(&taken, setup)).await => as_it_is(),
                false => of_libpq(setup, text, taken).unwrap_or_else(as_it_is),
            },
            dialect::Target::Driver(reading) => {
                let mut environment = setup.environment.clone();
                set_beside(&mut environment, text, &reading.layers);
                let variable = |name: &str| {
                    let value = environment.variables.get(OsStr::new(name))?;
                    Some(value.as_encoded_bytes().to_vec())
                };
                let section = match reading.service(variable) {
                    Some(name) => conninfo::service::said(&name, &["sslmode", "sslrootcert"], &environment),
                    None => Vec::new(),
                };
                let service = |keyword: &str| {
                    let (_, value) = section.iter().find(|(known, _)| *known == keyword)?;
                    Some(value.as_bytes().to_vec())
                };
                match reading.in_environment(text.expose(), service, variable) {
                    Ok(mut reading) => {
                        reading.settings.iter_mut().for_each(|setting| setting.keep_in(text));
                        of_driver(&environment, text, reading)
                    }
                    Err(failure) => Self { typed: Some(Arc::new(refused(text, failure))), ..as_it_is() },
                }
            }
            dialect::Target::Refused(failure) => {
                Self { typed: Some(Arc::new(refused(text, failure))), ..as_it_is() }
            }
        }
    }

    /// Why its driver refuses it, if it does.
    pub(super) fn refusal(&self) -> Option<Box<Failure>> {
        let typed = self.typed.as_ref()?;
        let Read::Refused(failure) = &typed.read else { return None };
        let places: Vec<_> = failure.faults.iter().map(|fault| fault.place.clone()).collect();
        let places: Vec<_> = places.into_iter().filter(|place| !place.is_empty()).collect();
        Some(Box::new(Failure {
            error: ConfigError::OtherDriver,
            parameters: Vec::new(),
            input: None,
            marked: Some(typed.masked(&places)),
        }))
    }

    /// A failure of the settings, as it looks in what was typed.
    pub(super) fn in_its_words(&self, failure: Failure) -> Failure {
        let Some(typed) = &self.typed else { return failure };
        let Some(reading) = typed.reading() else { return failure };
        let keywords: Vec<&str> = match &failure.error {
            ConfigError::InvalidValue { keyword, .. } | ConfigError::NotSupported { keyword, .. } => {
                vec![keyword]
            }
            ConfigError::Contradiction { parameters, .. } => {
                parameters.iter().map(|(keyword, ..)| *keyword).collect()
            }
            _ => Vec::new(),
        };
        let places: Vec<_> = keywords
            .into_iter()
            .filter_map(|keyword| reading.libpq(keyword).filter(|setting| setting.variable.is_none()))
            .map(|setting| setting.place.value.clone())
            .collect();
        Failure { marked: Some(typed.masked(&places)), ..failure }
    }
}

/// What other lines of an environment file say beside the one that has the string: the program that reads the file finds
/// them among its variables. Only those that concern a connection.
fn set_beside(environment: &mut Environment, text: &Secret, layers: &[Layer]) {
    if !layers.iter().any(|layer| matches!(layer, Layer::Variable(name) if !name.is_empty())) {
        return;
    }
    for (name, value) in dialect::assignments(text.expose()) {
        let option = options::OPTIONS.iter().find(|option| option.variable == Some(name.as_str()));
        if option.is_some()
            || matches!(name.as_str(), "PGSSL" | "NODE_TLS_REJECT_UNAUTHORIZED" | "NODE_EXTRA_CA_CERTS")
        {
            set_variable(environment, &name, option, &kept_in(text, &value));
        }
    }
}

/// Sets a variable, a secret one where secrets are.
fn set_variable(
    environment: &mut Environment,
    name: &str,
    option: Option<&options::ConnectionOption>,
    value: &Secret,
) {
    match option.and_then(|option| option.variable.filter(|_| options::is_secret(option.keyword))) {
        Some(name) => environment.secrets.insert(name, value.clone()).map(drop),
        None => environment.variables.insert(name.into(), os_string(value.expose())).map(drop),
    };
}

/// The same bytes where they stand in the text, if they do.
fn kept_in(text: &Secret, value: &Secret) -> Secret {
    text.part(0..text.expose().len(), value.expose()).unwrap_or_else(|| value.clone())
}

fn refused(text: &Secret, failure: Box<dialect::Failure>) -> Typed {
    Typed::new(text.clone(), Read::Refused(failure))
}

fn is_url(text: &Secret) -> bool {
    [&b"postgresql://"[..], b"postgres://"].iter().any(|scheme| text.expose().starts_with(scheme))
}

fn is_as_given(taken: &Taken, text: &Secret) -> bool {
    taken.layers.is_empty()
        && taken.options.is_empty()
        && taken.variables.is_empty()
        && taken.text.as_ref().is_some_and(|inner| inner.bytes() == text.expose())
}

/// Whether a word alone is the name of a host. One that is nearly a subcommand's is that, mistyped.
async fn is_host(taken: &Taken, setup: &Setup) -> bool {
    // A rehearsal asks nobody, and takes words for what they most likely are.
    if setup.rehearsed.is_some() {
        return true;
    }
    let Some(name) = taken.options.first().map(|setting| setting.value.expose()) else { return false };
    let Ok(name) = std::str::from_utf8(name) else { return false };
    // Nearly every name of four letters is near to one of three.
    let commands = crate::diagnose::SUBCOMMANDS.into_iter().filter(|command| command.len() > 3);
    crate::text::nearest(name, commands).is_none() && probe::is_known_host(name, setup.total_limit).await
}

/// A string of libpq's with what stood round it: options count less than it, variables less than both.
fn of_libpq<'a>(setup: &'a Setup, text: &Secret, taken: Taken) -> Option<Target<'a>> {
    let inner = taken.text.as_ref().map(|text| text.bytes()).unwrap_or_default();
    let input = match taken.options.as_slice() {
        [] => text.part(0..text.expose().len(), inner).unwrap_or_else(|| Secret::new(inner.to_vec())),
        options => {
            let parsed = conninfo::parse(inner).ok()?;
            let mut settings: Vec<(&str, &[u8])> =
                options.iter().filter_map(|option| Some((option.libpq()?, option.value.expose()))).collect();
            for (keyword, assignment) in &parsed.assignments {
                settings.retain(|(known, _)| known != keyword);
                settings.push((keyword, assignment.value.as_bytes()));
            }
            Secret::new(conninfo::write::string(Form::of(inner), settings))
        }
    };
    let mut environment = setup.environment.clone();
    set_beside(&mut environment, text, &taken.layers);
    for variable in &taken.variables {
        let option = variable.libpq().and_then(|option| options::find(option.as_bytes()));
        if let Some(name) = option.and_then(|option| option.variable) {
            set_variable(
                &mut environment,
                name,
                option,
                &kept_in(text, &Secret::new(variable.value.expose().to_vec())),
            );
        }
    }
    let typed = Typed::new(text.clone(), Read::Libpq(taken.layers));
    Some(Target {
        input: Some(Cow::Owned(input)),
        environment: Cow::Owned(environment),
        typed: Some(Arc::new(typed)),
    })
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Another driver's string.
fn of_driver<'a>(surroundings: &Environment, text: &Secret, reading: Box<Reading>) -> Target<'a> {
    let mut environment = seen_by(reading.dialect, &reading.decision.demand, surroundings);
    let demand = &reading.decision.demand;
    let mut settings: Vec<(&'static str, Cow<'_, [u8]>)> = Vec::new();
    let mut beside = Vec::new();
    for setting in &reading.settings {
        match (carried(setting), &setting.value) {
            (Some((option, value)), SettingValue::Secret(secret))
                if options::is_secret(option) && *value == *secret.expose() =>
            {
                beside.push((option, secret.clone()));
            }
            (carried, _) => settings.extend(carried),
        }
    }
    environment.beside = beside;
    absent(reading.dialect, &mut settings);
    let mode = sslmode(demand);
    settings.push(("sslmode", Cow::Borrowed(mode.as_bytes())));
    let mut assumed = None;
    // The roots of a service would make libpq verify what this driver does not.
    let of_service = |setting: &Setting| setting.variable.is_some() && setting.keyword == "sslrootcert";
    if demand.chain == Chain::No && reading.settings.iter().any(of_service) {
        settings.push(("sslrootcert", Cow::Borrowed(b"")));
    }
    if demand.chain != Chain::No && mode != "disable" {
        let chosen = chosen(&reading, &environment);
        let (root, file) = trusted(chosen, &reading, mode, &mut environment);
        settings.extend(file.map(|file| ("sslrootcert", Cow::Owned(file))));
        assumed = root;
    }
    let input = conninfo::write::string(
        Form::KeywordValue,
        settings.iter().map(|(keyword, value)| (*keyword, value.as_ref())),
    );
    let input = Secret::new(input);
    let is_plain = |keyword: &str| !options::is_secret(keyword);
    // Where libpq does not take `system`, its file says the same.
    let file = match environment.program.roots {
        ProgramRoots::System(_) if mode != "verify-full" => crate::trust::system_file(&environment),
        _ => None,
    };
    let file = file.map(|file| ("sslrootcert", Cow::Owned(file.into_os_string().into_encoded_bytes())));
    let plain = settings.iter().chain(&file).filter(|(keyword, _)| is_plain(keyword));
    let shown =
        conninfo::write::string(Form::KeywordValue, plain.map(|(keyword, value)| (*keyword, value.as_ref())));
    let in_libpq =
        String::from_utf8(shown).ok().filter(|text| conninfo::mask_argument(text.as_bytes()) == *text);
    drop(settings);
    let input = Some(Cow::Owned(input));
    let mut typed = Typed { assumed, in_libpq, ..Typed::new(text.clone(), Read::Driver(reading)) };
    typed.unused_roots = unused_roots(&typed, surroundings);
    Target { input, environment: Cow::Owned(environment), typed: Some(Arc::new(typed)) }
}

/// A setting in libpq's words, if libpq has any. What is demanded is said apart from it.
fn carried(setting: &Setting) -> Option<(&'static str, Cow<'_, [u8]>)> {
    let option = setting.libpq().filter(|_| setting.counts && setting.kind != Kind::Code)?;
    let value = setting.libpq_value()?;
    // The text of a certificate is no file's name; it is the client's and takes no part in what is verified.
    if matches!(option, "sslcert" | "sslkey") && value.starts_with(b"-----BEGIN ") {
        return None;
    }
    (!matches!(option, "sslmode" | "sslrootcert")).then_some((option, value))
}

/// What the driver takes where nothing is said and libpq would take something else.
fn absent(dialect: &Dialect, settings: &mut Vec<(&'static str, Cow<'_, [u8]>)>) {
    let of = &dialect.surroundings;
    for (option, absent) in [("user", of.user), ("dbname", of.database), ("host", of.host)] {
        let given = settings.iter().any(|(known, value)| *known == option && !value.is_empty())
            || (option == "host" && settings.iter().any(|(known, _)| *known == "hostaddr"));
        let variable = match of.variables {
            Variables::All => true,
            Variables::Of(options) => options.contains(&option),
        };
        if let (Absent::Is(value), false, false) = (absent, given, variable) {
            settings.push((option, Cow::Borrowed(value.as_bytes())));
        }
    }
    if of.connect_timeout > 0 && !settings.iter().any(|(known, _)| *known == "connect_timeout") {
        settings.push(("connect_timeout", Cow::Owned(of.connect_timeout.to_string().into_bytes())));
    }
}

/// libpq's word for what is demanded. A driver that goes on in plaintext only where no TLS is offered, and else insists on
/// a good certificate, has none there: what it insists on is taken, for plaintext is never verified.
fn sslmode(demand: &Demand) -> &'static str {
    match (demand.encryption, demand.chain, demand.name) {
        (Encryption::Never, ..) => "disable",
        (Encryption::AfterRefusal, ..) => "allow",
        (_, Chain::Yes, true) => "verify-full",
        (_, Chain::Yes, false) => "verify-ca",
        (Encryption::IfOffered(_), ..) => "prefer",
        (Encryption::Always, ..) => "require",
    }
}

/// The surroundings as a driver sees them.
fn seen_by(dialect: &Dialect, demand: &Demand, environment: &Environment) -> Environment {
    let home = demand.roots.contains(&Root::Home);
    let passfile = dialect.surroundings.passfile;
    let Variables::Of(options) = dialect.surroundings.variables else {
        let passes_over: &[&str] = if demand.chain == Chain::No { &["root.crt"] } else { &[] };
        let program = Program { passes_over, library: dialect.library, own_tls: false, ..Program::default() };
        return Environment { program, ..environment.clone() };
    };
    let passes_over = match (home, passfile) {
        (false, false) => FILES,
        (false, true) => ALL_BUT_PASSWORDS,
        (true, false) => ALL_BUT_ROOTS,
        (true, true) => OTHERS,
    };
    let reads = |name: &OsStr| {
        let is_libpqs = name.as_encoded_bytes().starts_with(b"PG");
        let of_option = |option: &&str| {
            let variable = options::find(option.as_bytes()).and_then(|option| option.variable);
            variable.is_some_and(|variable| name == variable) && !matches!(*option, "sslmode" | "sslrootcert")
        };
        let of_service = options.contains(&"service") && (name == "PGSERVICEFILE" || name == "PGSYSCONFDIR");
        !is_libpqs || options.iter().any(of_option) || (passfile && name == "PGPASSFILE") || of_service
    };
    let variables = environment.variables.iter().filter(|(name, _)| reads(name));
    let secrets = environment.secrets.iter().filter(|(name, _)| reads(OsStr::new(name)));
    Environment {
        secrets: secrets.map(|(name, value)| (*name, value.clone())).collect(),
        variables: variables.map(|(name, value)| (name.clone(), value.clone())).collect(),
        program: Program { passes_over, library: dialect.library, own_tls: true, ..Program::default() },
        ..environment.clone()
    }
}

/// The first of the driver's roots that are there.
fn chosen<'r>(reading: &'r Reading, environment: &Environment) -> Option<&'r Root> {
    let value = |at: usize| reading.settings.get(at).map(|setting| setting.value.expose());
    reading.decision.demand.roots.iter().find(|root| match root {
        Root::Named(at)
        | Root::Pinned(at)
        | Root::Inline(at)
        | Root::AddedToSystem(at)
        | Root::AddedToNode(at) => value(*at).is_some_and(|value| !value.is_empty()),
        Root::Home => environment.default_file("root.crt").is_some_and(|path| crate::file::exists(&path)),
        Root::System | Root::Node | Root::Java | Root::Program => true,
    })
}

/// The roots with which a driver that verifies nothing would verify.
fn unused_roots(typed: &Typed, environment: &Environment) -> Option<String> {
    let ignored = typed.root_ignored().is_some();
    typed
        .decision()
        .map(|decision| &decision.demand)
        .filter(|demand| demand.chain == Chain::No || (ignored && !demand.verifies()))?;
    // What libpq calls it the reader wrote, and the driver passes over it.
    let is_libpqs = |setting: &&dialect::Setting| setting.keyword.eq_ignore_ascii_case("sslrootcert");
    if let Some(given) =
        typed.reading()?.settings.iter().find(is_libpqs).and_then(|setting| setting.value.plain())
    {
        return String::from_utf8(given.to_vec()).ok().filter(|path| !path.is_empty());
    }
    let Ok(verifying) = typed.verifying()? else { return None };
    let dialect::Target::Driver(other) = dialect::read(verifying.as_bytes(), Some(typed.dialect())) else {
        return None;
    };
    let file = match chosen(&other, environment).filter(|_| other.decision.demand.verifies())? {
        Root::Named(at) | Root::AddedToSystem(at) | Root::AddedToNode(at) => {
            other.settings.get(*at)?.value.plain()?.to_vec()
        }
        Root::Home => environment.default_file("root.crt")?.into_os_string().into_encoded_bytes(),
        Root::System | Root::Node | Root::Java => b"system".to_vec(),
        Root::Pinned(_) | Root::Inline(_) | Root::Program => return None,
    };
    String::from_utf8(file).ok()
}

/// What libpq has to be given for these roots, and which of them cannot be seen from here.
fn trusted(
    root: Option<&Root>,
    reading: &Reading,
    mode: &str,
    environment: &mut Environment,
) -> (Option<Root>, Option<Vec<u8>>) {
    let value = |at: usize| reading.settings.get(at).map(|setting| setting.value.expose().to_vec());
    // libpq takes `system` under verify-full only.
    let system = |environment: &mut Environment, added| {
        environment.program.roots = ProgramRoots::System(added);
        (mode == "verify-full").then(|| b"system".to_vec())
    };
    match root {
        None | Some(Root::Home) => (None, None),
        Some(Root::Named(at)) => (None, value(*at).map(as_file)),
        Some(Root::Pinned(at)) => {
            let file = value(*at).unwrap_or_default();
            (None, Some(as_file(file.strip_prefix(b"file:").unwrap_or(&file).to_vec())))
        }
        Some(added @ (Root::AddedToSystem(at) | Root::AddedToNode(at))) => {
            let file = os_string(&value(*at).unwrap_or_default()).into();
            let assumed = matches!(added, Root::AddedToNode(_)).then(|| added.clone());
            (assumed, system(environment, Some(file)))
        }
        Some(Root::Inline(at)) => {
            let name = reading.settings.get(*at).map(|setting| setting.keyword.to_string());
            let pem = value(*at).unwrap_or_default().into();
            environment.program.roots = ProgramRoots::Text { name: name.unwrap_or_default(), pem };
            (None, None)
        }
        Some(Root::System) => (None, system(environment, None)),
        Some(other @ (Root::Node | Root::Java | Root::Program)) => {
            (Some(other.clone()), system(environment, None))
        }
    }
}

/// A file's name that libpq takes for one.
fn as_file(path: Vec<u8>) -> Vec<u8> {
    if path == b"system" { b"./system".to_vec() } else { path }
}
