//! Makes [`Settings`] of all that was given, where libpq would accept it: merges, checks, reads the password file.

use std::ffi::OsStr;
use std::path::Path;

use super::merge::Merge;
use super::options::{self, OPTIONS};
use super::passfile::{Key, PasswordFile};
use super::validate::{self, Merged};
use super::{
    ConfigError, Endpoint, Environment, Host, Masked, Notice, OpenSslConfig, Origin, Overrides, Parameter,
    ParameterValue, Password, Settings, SslMode, Value, hosts, kerberos, mask,
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
    resolve_secret(input.map(secret).as_ref(), overrides, environment)
}

/// As [`resolve`], of a string in custody: it and the secrets in it stay in its memory.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_secret(
    input: Option<&Secret>,
    overrides: &Overrides,
    environment: &Environment,
) -> Result<Settings, Box<Failure>> {
    let mut merge = Merge::of(input);
    let mut notices = Vec::new();
    let result =
        merge.read(overrides, environment).and_then(|()| settings(merge.merged(), environment, &mut notices));
    match result {
        Ok(mut settings) => {
            let keywords = merge.read_otherwise();
            settings.notices.extend((!keywords.is_empty()).then_some(Notice::ReadOtherwise { keywords }));
            Ok(Settings { input: merge.kept_string(), ..settings })
        }
        Err(error) => {
            let merged = merge.merged();
            let spans = merged.places(&error);
            let shown = merge.shown_string();
            Err(Box::new(Failure {
                error: *error,
                parameters: merged.parameters,
                input: merge.kept_string(),
                marked: shown.map(|text| mask(text, &spans)),
            }))
        }
    }
}

fn secret(text: &[u8]) -> Secret {
    Secret::new(text.to_vec())
}

/// Checks the parameters and makes settings of them.
fn settings(
    given: Merged,
    environment: &Environment,
    notices: &mut Vec<Notice>,
) -> Result<Settings, Box<ConfigError>> {
    let merged = &given;
    let mut hosts = hosts::hosts(merged)?;
    if merged.text("user").is_empty() {
        // The password database is a file, or a socket, of which there may be too many.
        let readable = std::fs::File::open("/").is_ok() || cfg!(not(unix));
        let reason = match readable {
            true => "the system knows no name for this account",
            false => "the name of this account cannot be looked up: too many open files",
        };
        return Err(merged.invalid("user", reason));
    }
    let over_tcp = hosts.iter().any(|host| !matches!(host.endpoint, Endpoint::Socket(_)));
    let credentials = || kerberos::credentials(environment);
    let choices = validate::check(merged, over_tcp, credentials)?;
    let nameless = |host: &Host| {
        host.name.is_empty() && matches!(host.endpoint, Endpoint::Address(..) | Endpoint::BadAddress)
    };
    if choices.sslmode == SslMode::VerifyFull && hosts.iter().all(nameless) {
        return Err(Box::new(ConfigError::HostRequired));
    }
    hosts::check(merged, &hosts, choices.shuffle_hosts)?;
    let by_file = passwords(merged, environment, &mut hosts, notices);
    if over_tcp && choices.asks_for_gss {
        notices.extend(credentials().map(|name| Notice::KerberosCredentials { name }));
    }
    let openssl = OpenSslConfig::of(environment);
    let (min_tls, max_tls) = match &openssl {
        Some(config) => config.bounds(choices.min_tls, choices.max_tls),
        None => (choices.min_tls, choices.max_tls),
    };
    note_files(merged, environment);
    let (user, database) = (merged.value("user"), merged.value("dbname"));
    let sni = merged.text("sslsni") == b"1";
    let root = validate::root(merged, environment.default_file("root.crt"));
    let startup = startup(merged, environment);
    let mut parameters = given.parameters;
    if by_file {
        list_password(&hosts, &mut parameters);
    }
    Ok(Settings {
        input: None,
        user,
        database,
        sni,
        root,
        startup,
        notices: std::mem::take(notices),
        hosts,
        parameters,
        sslmode: choices.sslmode,
        negotiation: choices.negotiation,
        min_tls,
        max_tls,
        openssl,
        certificate_mode: choices.certificate_mode,
        channel_binding: choices.channel_binding,
        require_auth: choices.require_auth,
        target_session_attrs: choices.target_session_attrs,
        shuffle_hosts: choices.shuffle_hosts,
        connect_timeout: choices.connect_timeout,
        keepalives: choices.keepalives,
    })
}

/// Remembers the files that parameters and variables name, read or not: no report takes the place of one.
fn note_files(merged: &Merged, environment: &Environment) {
    let keywords = ["passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl"];
    let given = keywords.iter().filter_map(|keyword| Some(merged.get(keyword)?.value.to_path()));
    let variables = environment.variables.iter();
    let named = variables.filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG"));
    let paths = given.chain(named.map(|(_, value)| value.into()));
    crate::file::note_named(paths.map(|path| environment.current_dir.join(path)));
}

/// Gives every host its password: the one that was set, else the password file's. Says whether a file was looked for.
fn passwords(
    merged: &Merged,
    environment: &Environment,
    hosts: &mut [Host],
    notices: &mut Vec<Notice>,
) -> bool {
    let path = merged.get("passfile").filter(|path| !path.value.is_empty());
    let path = path.map(|path| path.value.to_path());
    if let Some(given) = merged.get("password").filter(|given| !given.value.is_empty()) {
        let path = path.or_else(|| environment.default_passfile());
        let path = path.filter(|_| matches!(given.origin, Origin::Environment(_)));
        let file = path
            .and_then(|path| Some((PasswordFile::open(&environment.current_dir.join(&path)).ok()?, path)));
        if let Some((file, path)) = file {
            let given = given.value.secret();
            let ports = hosts::port_texts(merged, hosts.len());
            for (slot, key) in keys(merged, hosts, &ports).iter().enumerate() {
                let found = file.find(key).filter(|found| !found.expose().is_empty());
                if found.is_some_and(|found| found.expose() != given.expose()) {
                    notices.push(Notice::PasswordBeside { path: path.clone(), slot });
                }
            }
        }
        for host in hosts {
            let secret = given.value.secret();
            host.password = Some(Password { secret, origin: given.origin.clone(), lines: None });
        }
        return false;
    }
    let Some(path) = path else { return false };
    match PasswordFile::open(&environment.current_dir.join(&path)) {
        Ok(file) => passwords_of(&file, &path, merged, hosts, notices, true),
        // The path as it was given.
        Err(Notice::PassfileIgnored { mode, changeable, .. }) => {
            notices.push(Notice::PassfileIgnored { path: path.clone(), mode, changeable });
            let file = mode.and_then(|_| PasswordFile::ignored(&environment.current_dir.join(&path)));
            if let Some(file) = file {
                passwords_of(&file, &path, merged, hosts, notices, false);
            }
        }
        Err(Notice::PassfileUseless { slot, why, .. }) => {
            notices.push(Notice::PassfileUseless { path, slot, why });
        }
        Err(notice) => notices.push(notice),
    }
    true
}

/// Gives every host the password of its line in the password file, or only says what it lacks where libpq ignores it.
fn passwords_of(
    file: &PasswordFile,
    path: &Path,
    merged: &Merged,
    hosts: &mut [Host],
    notices: &mut Vec<Notice>,
    read: bool,
) {
    let ports = hosts::port_texts(merged, hosts.len());
    let found: Vec<_> = keys(merged, hosts, &ports)
        .iter()
        .map(|key| {
            let secret = file.find(key).filter(|secret| !secret.expose().is_empty());
            secret.map_or_else(
                || Err(file.why_none(key)),
                |secret| Ok((secret, file.cut(key), file.taken(key))),
            )
        })
        .collect();
    for (slot, (host, found)) in hosts.iter_mut().zip(found).enumerate() {
        match found {
            Ok(_) if !read => {}
            Ok((secret, cut, lines)) => {
                let cut = cut.map(|line| Notice::PasswordCut { path: path.to_owned(), line, slot });
                notices.extend(cut);
                host.password =
                    Some(Password { secret, origin: Origin::PasswordFile(path.to_owned()), lines });
            }
            Err(why) => notices.push(Notice::PassfileUseless { path: path.to_owned(), slot, why }),
        }
    }
}

/// What each host's password is sought by.
fn keys<'a>(merged: &'a Merged, hosts: &'a [Host], ports: &'a [Vec<u8>]) -> Vec<Key<'a>> {
    let addresses: Vec<&[u8]> = merged.text("hostaddr").split(|byte| *byte == b',').collect();
    let slots = hosts.iter().zip(ports).enumerate();
    slots
        .map(|(slot, (host, port))| Key {
            host: passfile_host(host, addresses.get(slot).copied().unwrap_or_default()),
            port,
            database: merged.text("dbname"),
            user: merged.text("user"),
        })
        .collect()
}

/// libpq keeps the passwords of the password file apart from its parameters; here the listing tells of them.
fn list_password(hosts: &[Host], parameters: &mut Vec<Parameter>) {
    if let Some(password) = hosts.iter().find_map(|host| host.password.as_ref()) {
        let at = OPTIONS.iter().take_while(|option| option.keyword != "password");
        let before = |parameter: &Parameter| at.clone().any(|option| option.keyword == parameter.keyword);
        parameters.retain(|parameter| parameter.keyword != "password");
        let at = parameters.iter().take_while(|parameter| before(parameter)).count();
        let value = ParameterValue::Secret(password.secret.clone());
        let origin = password.origin.clone();
        parameters.insert(at, Parameter { keyword: "password", value, origin, place: None });
    }
}

/// What a host is called in the password file: its name, its address where it has none, `localhost` for the default
/// socket.
fn passfile_host<'a>(host: &'a Host, address: &'a [u8]) -> &'a [u8] {
    let name = host.name.exposed();
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::conninfo::MASK;
    use crate::conninfo::NoPassword;
    use crate::conninfo::{
        AuthMethod, BadPort, LibpqVersion, LoginName, Place, RequireAuth, RootChoice, SslNegotiation,
        TlsVersion, parse_as,
    };

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            beside: Vec::new(),
            account_home: Some("/nonexistent".into()),
            login_name: LoginName::Known("me".to_owned()),
            user_id: None,
            current_dir: "/".into(),
            secrets: Default::default(),
            system_config_dir: "/nonexistent".into(),
            program: Default::default(),
            openssl: Default::default(),
            kerberos: Default::default(),
        }
    }

    fn with(input: &str, variables: &[(&str, &str)]) -> Result<Settings, Box<Failure>> {
        resolve(Some(input.as_bytes()), &Overrides::default(), &environment(variables))
    }

    fn settings(input: &str) -> Settings {
        with(input, &[]).unwrap()
    }

    fn error(input: &str) -> ConfigError {
        with(input, &[]).unwrap_err().error
    }

    /// Value and origin of a parameter.
    fn parameter(settings: &Settings, keyword: &str) -> (String, Origin) {
        let found = settings.parameter(keyword).unwrap();
        (String::from_utf8_lossy(found.value.shown()).into_owned(), found.origin.clone())
    }

    #[test]
    fn each_source_hides_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("services");
        fs::write(&file, "[s]\nhost=service\nport=2\nuser=service\n").unwrap();
        let overrides = Overrides {
            parameters: vec![("host", Value::from("option"), "-h"), ("user", Value::from(""), "-U")],
            never_prompt: false,
        };
        let variables = [
            ("PGSERVICEFILE", file.to_str().unwrap()),
            ("PGSERVICE", "s"),
            ("PGHOST", "environment"),
            ("PGUSER", "environment"),
            ("PGDATABASE", "environment"),
            ("PGAPPNAME", ""),
        ];
        let settings = resolve(Some(b"host=string port=1"), &overrides, &environment(&variables)).unwrap();
        let service = Origin::Service { name: "s".to_owned(), file };
        for (keyword, value, origin) in [
            ("host", "option", Origin::Option("-h")),
            ("port", "1", Origin::ConnectionString),
            ("user", "service", service),
            ("dbname", "environment", Origin::Environment("PGDATABASE")),
            ("application_name", "", Origin::Environment("PGAPPNAME")),
            ("sslsni", "1", Origin::Default),
            ("sslmode", "verify-full", Origin::ToolDefault("libpq's is prefer")),
        ] {
            assert_eq!(parameter(&settings, keyword), (value.to_owned(), origin), "{keyword}");
        }
        assert_eq!(settings.parameter("port").unwrap().place, Some(Place { keyword: 12..16, value: 17..18 }));
        assert!(settings.parameter("sslcert").is_none());
    }

    #[test]
    fn a_connection_string_as_d_beats_other_options_as_in_psql() {
        let overrides = Overrides {
            parameters: vec![
                ("host", Value::from("a"), "-h"),
                ("dbname", Value::from("postgresql://b/d"), "-d"),
                ("user", Value::from("u"), "-U"),
            ],
            never_prompt: false,
        };
        let found = resolve(Some(b"host=c port=7 user=v"), &overrides, &environment(&[])).unwrap();
        assert_eq!(parameter(&found, "host"), ("b".to_owned(), Origin::Option("-d")));
        assert_eq!(parameter(&found, "dbname"), ("d".to_owned(), Origin::Option("-d")));
        assert_eq!(parameter(&found, "user"), ("u".to_owned(), Origin::Option("-U")));
        assert_eq!(parameter(&found, "port"), ("7".to_owned(), Origin::ConnectionString));
        let bad =
            Overrides { parameters: vec![("dbname", Value::from("hots=b"), "-d")], never_prompt: false };
        let failure = resolve(Some(b"host=c"), &bad, &environment(&[])).unwrap_err();
        let marked = failure.marked.unwrap();
        assert_eq!((marked.text.as_str(), &marked.spans[0]), ("hots=b", &(0..4)));
    }

    #[test]
    fn sslmode_from_nowhere() {
        let mode = |input: &str, variables: &[(&str, &str)]| {
            let settings = with(input, variables).unwrap();
            (settings.sslmode, parameter(&settings, "sslmode").1)
        };
        let tool = Origin::ToolDefault("libpq's is prefer");
        assert_eq!(mode("host=h", &[]), (SslMode::VerifyFull, tool.clone()));
        assert_eq!(mode("host=h sslrootcert=system", &[]), (SslMode::VerifyFull, Origin::Default));
        assert_eq!(mode("host=h sslmode=prefer", &[]), (SslMode::Prefer, Origin::ConnectionString));
        let variable = Origin::Environment("PGREQUIRESSL");
        assert_eq!(mode("host=h", &[("PGREQUIRESSL", "1x")]), (SslMode::Require, variable));
        assert_eq!(mode("host=h", &[("PGREQUIRESSL", "0")]), (SslMode::VerifyFull, tool));
        let both = [("PGREQUIRESSL", "1"), ("PGSSLMODE", "verify-ca")];
        assert_eq!(mode("host=h", &both), (SslMode::VerifyCa, Origin::Environment("PGSSLMODE")));
        let direct = settings("host=h sslnegotiation=direct sslrootcert=system");
        assert_eq!((direct.sslmode, direct.negotiation), (SslMode::VerifyFull, SslNegotiation::Direct));
    }

    #[test]
    fn contradictions_name_their_parameters_and_a_way_out() {
        type Pair = (&'static str, &'static str);
        let cases: [(&str, &[Pair], &[Pair]); 9] = [
            (
                "host=h sslnegotiation=direct",
                &[("sslmode", "prefer"), ("sslnegotiation", "direct")],
                &[("sslmode", "verify-full")],
            ),
            (
                "host=h sslnegotiation=direct sslmode=allow",
                &[("sslmode", "allow"), ("sslnegotiation", "direct")],
                &[("sslmode", "verify-full")],
            ),
            (
                "host=h sslrootcert=system sslmode=require",
                &[("sslmode", "require"), ("sslrootcert", "system")],
                &[("sslmode", "verify-full")],
            ),
            (
                "host=h ssl_max_protocol_version=TLSv1.1",
                &[("ssl_min_protocol_version", "TLSv1.2"), ("ssl_max_protocol_version", "TLSv1.1")],
                &[("ssl_max_protocol_version", "TLSv1.2")],
            ),
            (
                "host=h min_protocol_version=3.2 max_protocol_version=3.0",
                &[("min_protocol_version", "3.2"), ("max_protocol_version", "3.0")],
                &[("max_protocol_version", "latest")],
            ),
            ("host=a,b hostaddr=127.0.0.1", &[("host", "a,b"), ("hostaddr", "127.0.0.1")], &[]),
            ("host=a,b,c port=1,2", &[("host", "a,b,c"), ("port", "1,2")], &[]),
            ("host=a port=1,2", &[("host", "a"), ("port", "1,2")], &[]),
            ("port=1,2", &[("port", "1,2")], &[]),
        ];
        for (input, expected, way_out) in cases {
            let ConfigError::Contradiction { parameters, remedy, reason } = error(input) else {
                panic!("{input}: {:?}", error(input));
            };
            let found: Vec<(&str, String)> = parameters
                .iter()
                .map(|(keyword, value, _)| (*keyword, String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect();
            let owned = |pairs: &[Pair]| pairs.iter().map(|(k, v)| (*k, (*v).to_owned())).collect::<Vec<_>>();
            assert_eq!(found, owned(expected), "{input}: {reason}");
            assert_eq!(remedy, owned(way_out), "{input}");
            for (keyword, value) in way_out {
                settings(&format!("{input} {keyword}={value}"));
            }
        }
    }

    #[test]
    fn invalid_values_are_named_with_what_is_allowed() {
        for (input, keyword, allowed) in [
            ("sslmode=Require", "sslmode", "disable, allow, prefer, require, verify-ca or verify-full"),
            ("sslmode=", "sslmode", "disable, allow, prefer, require, verify-ca or verify-full"),
            ("sslnegotiation=x", "sslnegotiation", "postgres or direct"),
            ("channel_binding=x", "channel_binding", "disable, prefer or require"),
            ("sslcertmode=prefer", "sslcertmode", "disable, allow or require"),
            ("gssencmode=x", "gssencmode", "disable, prefer or require"),
            ("load_balance_hosts=x", "load_balance_hosts", "disable or random"),
            ("min_protocol_version=3.1", "min_protocol_version", "3.0, 3.2 or latest"),
            (
                "ssl_min_protocol_version=SSLv3",
                "ssl_min_protocol_version",
                "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3",
            ),
            ("connect_timeout=1s", "connect_timeout", "an integer"),
            ("connect_timeout=", "connect_timeout", "an integer"),
            ("connect_timeout=3000000000", "connect_timeout", "an integer"),
            ("keepalives=yes", "keepalives", "an integer"),
            ("tcp_user_timeout=x", "tcp_user_timeout", "an integer"),
            ("require_auth=md5,md5", "require_auth", "each method once"),
        ] {
            let input = format!("host=h {input}");
            let failure = with(&input, &[]).unwrap_err();
            let ConfigError::InvalidValue { keyword: found, allowed: words, span, origin, .. } =
                &failure.error
            else {
                panic!("{input}: {:?}", failure.error);
            };
            assert_eq!((*found, words.as_str()), (keyword, allowed), "{input}");
            assert_eq!(*origin, Origin::ConnectionString);
            let span = span.clone().unwrap();
            let typed = input.split_once(' ').unwrap().1.split_once('=').unwrap().1;
            assert_eq!(&input[span.clone()], typed, "{input}");
            assert_eq!(failure.marked.as_ref().unwrap().spans, [span]);
            assert!(failure.parameters.iter().any(|parameter| parameter.keyword == keyword));
        }
        let ConfigError::InvalidValue { value, .. } = error("host=h scram_client_key=AAAA") else { panic!() };
        assert_eq!(value, Value::from(MASK));
        assert!(matches!(
            with("host=h", &[("PGSSLMODE", "")]).unwrap_err().error,
            ConfigError::InvalidValue { origin: Origin::Environment("PGSSLMODE"), span: None, .. }
        ));
    }

    #[test]
    fn what_is_not_looked_at_may_be_wrong() {
        for input in ["host=h keepalives=0 keepalives_idle=x tcp_user_timeout=x", "host=/tmp keepalives=x"] {
            assert!(!settings(input).keepalives.enabled);
        }
        assert!(cfg!(not(target_os = "linux")) || with("host=h keepalives_idle=0", &[]).is_err());
    }

    #[test]
    fn unknown_options_and_syntax_errors_keep_what_was_read() {
        let failure = with("password=x host=a sslrotcert=b", &[("PGUSER", "u")]).unwrap_err();
        assert_eq!(
            failure.error,
            ConfigError::UnknownOption {
                keyword: Value::from("sslrotcert"),
                nearest: Some("sslrootcert"),
                origin: Origin::ConnectionString,
                span: Some(18..28),
            }
        );
        let marked = failure.marked.unwrap();
        assert_eq!(marked.text, "password=******** host=a sslrotcert=b");
        assert_eq!(&marked.text[marked.spans[0].clone()], "sslrotcert");
        let read: Vec<_> = failure.parameters.iter().map(|parameter| parameter.keyword).collect();
        assert_eq!(read, ["password", "host"]);
        assert!(matches!(error("host"), ConfigError::Syntax(_)));
    }

    #[test]
    fn services_that_cannot_be_found_are_marked() {
        let failure = with("host=a service=nowhere", &[]).unwrap_err();
        let ConfigError::ServiceNotFound { name, files, .. } = &failure.error else { panic!("{failure:?}") };
        assert_eq!((name.as_str(), files.len()), ("nowhere", 2));
        assert_eq!(failure.marked.unwrap().spans[0], 15..22);
    }

    #[test]
    fn verify_full_needs_a_name() {
        assert_eq!(error("hostaddr=127.0.0.1"), ConfigError::HostRequired);
        assert_eq!(error("hostaddr=127.0.0.1,::1 host=,"), ConfigError::HostRequired);
        settings("hostaddr=127.0.0.1 sslmode=verify-ca");
        settings("hostaddr=127.0.0.1,::1 host=,b");
        settings("host=/tmp");
        assert!(matches!(error("host=h gssencmode=require"), ConfigError::NotSupported { .. }));
    }

    #[test]
    fn hosts_ports_and_addresses_go_together() {
        let hosts = |input: &str| -> Vec<(String, Endpoint, Result<u16, BadPort>)> {
            let hosts = settings(input).hosts.into_iter();
            hosts
                .map(|host| {
                    let name = String::from_utf8_lossy(host.name.shown()).into_owned();
                    (name, host.endpoint, host.port)
                })
                .collect()
        };
        let socket = || Endpoint::Socket(hosts::DEFAULT_SOCKET_DIRECTORY.into());
        let name = |name: &str| Endpoint::Name(name.to_owned());
        let local = || Endpoint::Address([127, 0, 0, 1].into(), None);
        assert_eq!(hosts(""), [(String::new(), socket(), Ok(5432))]);
        assert_eq!(
            hosts("host=a,,b port=1,,3"),
            [
                ("a".to_owned(), name("a"), Ok(1)),
                (String::new(), socket(), Ok(5432)),
                ("b".to_owned(), name("b"), Ok(3)),
            ]
        );
        assert_eq!(
            hosts("host=a,b hostaddr=,127.0.0.1 port=7"),
            [("a".to_owned(), name("a"), Ok(7)), ("b".to_owned(), local(), Ok(7))]
        );
        assert_eq!(hosts("host=a,b port=1,x")[1].2, Err(BadPort::NotANumber("x".to_owned())));
    }

    #[test]
    fn ports_and_addresses_that_leave_nothing_to_connect_to_are_refused() {
        for (input, keyword) in [
            ("host=a port=x", "port"),
            ("host=a port=65536", "port"),
            ("host=a,b port=0,x", "port"),
            ("host=a,b port=x,1", "port"),
            ("host=a,b port=x,y load_balance_hosts=random", "port"),
            ("host=a hostaddr=x", "hostaddr"),
            ("host=a,b hostaddr=x,y port=1,0", "hostaddr"),
        ] {
            let error = error(input);
            let ConfigError::InvalidValue { keyword: found, .. } = error else {
                panic!("{input}: {error:?}")
            };
            assert_eq!(found, keyword, "{input}");
        }
        settings("host=a,b port=0,1");
        settings("host=a,b port=x,1 load_balance_hosts=random");
        settings("host=a,b hostaddr=x,");
    }

    #[test]
    fn a_password_that_spills_over_in_a_uri_is_not_told() {
        let secret = "Pumpernickel";
        for uri in [
            format!("postgresql://u:{secret}/x@h:1/d"),
            format!("postgresql://u:a@{secret}@h:1/d"),
            format!("postgresql://u@server:{secret}@h:1/d"),
            format!("postgresql://u:1/{secret}@h:1/d"),
            format!("postgresql://u:a@ss/{secret}#1@h/d"),
            format!("postgresql://u:a/{secret}?b@h:1/d?sslmode=require"),
        ] {
            let failure = with(&uri, &[]).unwrap_err();
            let ConfigError::UnencodedPassword(unencoded) = &failure.error else {
                panic!("{uri}: {:?}", failure.error);
            };
            let corrected = String::from_utf8_lossy(unencoded.without_password.as_bytes()).into_owned();
            assert!(with(&corrected, &[]).is_ok(), "{corrected}");
            let marked = failure.marked.as_ref().unwrap();
            let shown = format!("{:?} {:?} {}", failure.error, failure.parameters, marked.text);
            assert!(!shown.contains(secret) && !corrected.contains(secret), "{shown}");
            assert!(marked.text[marked.spans[0].clone()].contains(MASK), "{shown}");
        }
    }

    #[test]
    fn a_url_as_host_does_not_tell_its_password() {
        let found = settings("host=postgres://u:Pumpernickel@db.example/d");
        assert_eq!(found.hosts[0].name.shown(), b"postgres://u:********@db.example/d");
        assert_eq!(found.hosts[0].endpoint, Endpoint::Malformed { meant: Some("db.example".to_owned()) });
        assert_eq!(parameter(&found, "host").0, "postgres://u:********@db.example/d");
    }

    #[test]
    fn debug_formatting_tells_no_secret() {
        let secret = "Pumpernickel";
        let given = environment(&[("PGPASSWORD", secret)]);
        let overrides = Overrides {
            parameters: vec![("dbname", Value::from(format!("sslpassword={secret}").as_str()), "-d")],
            never_prompt: false,
        };
        let bytes = format!("{:?}", secret.as_bytes());
        for input in ["host=h", "hots=h", "host=h sslmode=x"] {
            let result = resolve(Some(input.as_bytes()), &overrides, &given);
            let text = format!(
                "{result:?} {given:?} {overrides:?} {:?}",
                parse_as(b"password=x", LibpqVersion::V18)
            );
            assert!(!text.contains(secret) && !text.contains(bytes.trim_matches(['[', ']'])), "{text}");
        }
    }

    #[test]
    fn values_become_settings() {
        let settings = settings(
            "host=h sslmode=require require_auth=!md5,!none sslsni=0 load_balance_hosts=random \
             keepalives_idle=5 tcp_user_timeout=700",
        );
        assert_eq!(settings.sslmode, SslMode::Require);
        assert_eq!(settings.require_auth, RequireAuth::Except(vec![AuthMethod::Md5, AuthMethod::None]));
        assert!(!settings.sni && settings.shuffle_hosts && settings.keepalives.enabled);
        assert_eq!(settings.keepalives.idle, Some(Duration::from_secs(5)));
        assert_eq!(settings.keepalives.user_timeout, Some(Duration::from_millis(700)));
    }

    #[test]
    fn tls_bounds_and_timeouts() {
        let bounds = |input: &str| (settings(input).min_tls, settings(input).max_tls);
        assert_eq!(bounds(""), (Some(TlsVersion::Tls12), None));
        assert_eq!(
            bounds("ssl_min_protocol_version='' ssl_max_protocol_version=tlsV1.1"),
            (None, Some(TlsVersion::Tls11))
        );
        for (value, limit) in [("0", None), ("-1", None), ("1", Some(1)), ("' 7 '", Some(7))] {
            let settings = settings(&format!("connect_timeout={value}"));
            assert_eq!(settings.connect_timeout, limit.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn roots() {
        let root = |input: &str| settings(&format!("host=h {input}")).root;
        assert_eq!(root(""), RootChoice::Default(Some("/nonexistent/.postgresql/root.crt".into())));
        assert_eq!(root("sslrootcert=''"), root(""));
        assert_eq!(root("sslrootcert=system"), RootChoice::System);
        let file = |path: &str, typed: Option<&str>| RootChoice::File {
            path: path.into(),
            typed: typed.map(PathBuf::from),
        };
        assert_eq!(root("sslrootcert=ca.pem"), file("ca.pem", None));
        assert_eq!(root(r"sslrootcert=c:\ssl\ca.pem"), file("c:sslca.pem", Some(r"c:\ssl\ca.pem")));
    }

    #[test]
    fn the_startup_message_carries_what_libpq_sends() {
        let variables =
            [("PGDATESTYLE", "ISO"), ("PGTZ", "Default"), ("PGAPPNAME", ""), ("LANG", "de_DE.UTF-8")];
        let input = "host=h options='-c a=b' fallback_application_name=f client_encoding=auto";
        let startup = with(input, &variables).unwrap().startup;
        let expected = [
            ("options", "-c a=b"),
            ("application_name", "f"),
            ("client_encoding", "UTF8"),
            ("datestyle", "ISO"),
        ];
        assert_eq!(startup, expected.map(|(name, value)| (name, Value::from(value))));
    }

    #[cfg(unix)]
    #[test]
    fn passwords_come_from_the_file_host_by_host() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        fs::write(&path, "a:1:d:u:first\n127.0.0.1:5432:d:u:second\nlocalhost:5432:d:u:third\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let input = "user=u dbname=d host=a,,,b hostaddr=127.0.0.9,127.0.0.1,, port=1,,,2 sslmode=require";
        let variables = [("PGPASSFILE", path.to_str().unwrap())];
        let found = with(input, &variables).unwrap();
        let passwords: Vec<Option<String>> = found
            .hosts
            .iter()
            .map(|host| {
                let password = host.password.as_ref()?;
                assert_eq!(password.origin, Origin::PasswordFile(path.clone()));
                Some(String::from_utf8_lossy(password.secret.expose()).into_owned())
            })
            .collect();
        let expected = [Some("first"), Some("second"), Some("third"), None];
        assert_eq!(passwords, expected.map(|password| password.map(str::to_owned)));
        assert_eq!(parameter(&found, "password").1, Origin::PasswordFile(path.clone()));
        let order: Vec<_> = found.parameters.iter().map(|parameter| parameter.keyword).take(3).collect();
        assert_eq!(order, ["user", "password", "passfile"]);
        // The variable takes its place, and what the file has besides is told.
        let beside = with(input, &[variables[0], ("PGPASSWORD", "second")]).unwrap();
        let told = [0, 2].map(|slot| Notice::PasswordBeside { path: path.clone(), slot });
        assert_eq!(beside.notices, told);
        // One that was given is everybody's.
        let given = with(&format!("{input} password=x"), &variables).unwrap();
        assert!(given.hosts.iter().all(|host| host.password.as_ref().unwrap().secret.expose() == b"x"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let ignored = with(input, &variables).unwrap();
        assert!(ignored.hosts.iter().all(|host| host.password.is_none()));
        // What is ignored is looked at all the same: the fourth host would still lack its line.
        let notice = Notice::PassfileIgnored { path: path.clone(), mode: Some(0o644), changeable: true };
        let why = NoPassword::NoLine { wanted: "b:2:d:u".to_owned(), nearest: None };
        assert_eq!(ignored.notices, [notice, Notice::PassfileUseless { path, slot: 3, why }]);
    }

    #[test]
    fn the_user_is_the_login_and_the_database_the_user() {
        let found = settings("host=h user='' dbname=''");
        assert_eq!((found.user.shown(), found.database.shown()), (&b"me"[..], &b"me"[..]));
        let found = settings("host=h user=u");
        assert_eq!((found.user.shown(), found.database.shown()), (&b"u"[..], &b"u"[..]));
        let nobody = Environment { login_name: LoginName::Unknown, ..environment(&[]) };
        let failure = resolve(Some(b"host=h"), &Overrides::default(), &nobody).unwrap_err();
        assert!(matches!(failure.error, ConfigError::InvalidValue { keyword: "user", .. }));
    }

    #[test]
    fn words_and_their_meanings_are_as_many() {
        // Every word of the table is taken by the tool, so none lacks its meaning.
        for option in OPTIONS {
            let options::Kind::Words(words) = option.kind else { continue };
            for word in words {
                let input = format!("host=h sslmode=require {}={word}", option.keyword);
                assert!(parse_as(input.as_bytes(), LibpqVersion::V18).is_ok());
                let refused = with(&input, &[]).err().map(|failure| failure.error);
                assert!(!matches!(refused, Some(ConfigError::InvalidValue { .. })), "{input}");
            }
        }
    }
}
