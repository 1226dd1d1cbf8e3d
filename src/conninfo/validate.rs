//! What libpq checks before it connects (fe-connect.c, pqConnectOptions2), roughly in its order.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::blanks::is_space;
use super::choices::{Choice, GssEncryption, LoadBalancing, WireProtocol};
use super::{
    AuthMethod, ChannelBinding, ConfigError, Keepalives, Origin, Parameter, ParameterValue, RequireAuth,
    RootChoice, SslCertMode, SslMode, SslNegotiation, TargetSessionAttrs, TlsVersion, Value,
};

/// The parameters after merging, before anybody has looked at their values.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// In libpq's order.
    pub(super) parameters: Vec<Parameter>,
    /// `sslrootcert` as typed, where backslashes of it were eaten.
    pub(super) typed_root: Option<PathBuf>,
}

impl Merged {
    pub(super) fn get(&self, keyword: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.keyword == keyword)
    }

    /// The value of a keyword; nothing if it is unset.
    pub(super) fn text(&self, keyword: &str) -> &[u8] {
        self.get(keyword).map(|parameter| parameter.value.exposed()).unwrap_or_default()
    }

    /// The value of a keyword with what may be shown of it; nothing if it is unset.
    pub(super) fn value(&self, keyword: &str) -> ParameterValue {
        self.get(keyword).map(|parameter| parameter.value.clone()).unwrap_or_default()
    }

    /// A value that libpq refuses. Secrets are left out.
    pub(super) fn invalid(&self, keyword: &'static str, allowed: impl Into<String>) -> Box<ConfigError> {
        let found = self.get(keyword);
        Box::new(ConfigError::InvalidValue {
            keyword,
            value: self.shown(keyword),
            allowed: allowed.into(),
            origin: found.map_or(Origin::Default, |parameter| parameter.origin.clone()),
            span: found.and_then(|parameter| parameter.place.as_ref()).map(|place| place.value.clone()),
        })
    }

    /// Values that libpq refuses together.
    pub(super) fn contradiction(
        &self,
        keywords: &[&str],
        reason: impl Into<String>,
        remedy: Vec<(&'static str, String)>,
    ) -> Box<ConfigError> {
        let parameters = self.parameters.iter().filter(|parameter| keywords.contains(&parameter.keyword));
        Box::new(ConfigError::Contradiction {
            parameters: parameters
                .map(|found| (found.keyword, self.shown(found.keyword), found.origin.clone()))
                .collect(),
            reason: reason.into(),
            remedy,
        })
    }

    /// The places in the connection string of the parameters that an error is about.
    pub(super) fn places(&self, error: &ConfigError) -> Vec<Range<usize>> {
        let place = |keyword: &str| Some(self.get(keyword)?.place.as_ref()?.value.clone());
        match error {
            ConfigError::Syntax(error) => vec![error.span.clone()],
            ConfigError::UnencodedPassword(unencoded) => vec![unencoded.span.clone()],
            ConfigError::UnknownOption { span, .. } | ConfigError::InvalidValue { span, .. } => {
                span.iter().cloned().collect()
            }
            ConfigError::Contradiction { parameters, .. } => {
                parameters.iter().filter_map(|(keyword, ..)| place(keyword)).collect()
            }
            ConfigError::ServiceNotFound { .. } => place("service").into_iter().collect(),
            ConfigError::OtherDriver => Vec::new(),
            ConfigError::HostRequired => place("hostaddr").into_iter().collect(),
            ConfigError::NotSupported { keyword, .. } => place(keyword).into_iter().collect(),
        }
    }

    fn shown(&self, keyword: &str) -> Value {
        self.get(keyword).map(|parameter| Value::new(parameter.value.shown())).unwrap_or_default()
    }

    /// The value that a word stands for; `None` if it is unset.
    fn choice<T: Choice>(&self, keyword: &'static str) -> Result<Option<T>, Box<ConfigError>> {
        let Some(parameter) = self.get(keyword) else { return Ok(None) };
        match T::of(parameter.value.exposed()) {
            Some(value) => Ok(Some(value)),
            None => Err(self.invalid(keyword, alternatives(T::WORDS))),
        }
    }

    fn integer(&self, keyword: &'static str) -> Result<Option<i32>, Box<ConfigError>> {
        let Some(parameter) = self.get(keyword) else { return Ok(None) };
        match integer(parameter.value.exposed()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.invalid(keyword, "an integer")),
        }
    }

    /// A TLS version, in any case; `None` if it is unset or set to nothing.
    fn tls_version(&self, keyword: &'static str) -> Result<Option<TlsVersion>, Box<ConfigError>> {
        let text = self.text(keyword);
        if text.is_empty() {
            return Ok(None);
        }
        let named = |version: &&TlsVersion| version.name().as_bytes().eq_ignore_ascii_case(text);
        match TlsVersion::ALL.iter().find(named) {
            Some(version) => Ok(Some(*version)),
            None => Err(self.invalid(keyword, alternatives(TlsVersion::WORDS))),
        }
    }
}

/// What the parameters come to.
#[derive(Debug)]
pub(super) struct Choices {
    pub(super) sslmode: SslMode,
    pub(super) negotiation: SslNegotiation,
    pub(super) min_tls: Option<TlsVersion>,
    pub(super) max_tls: Option<TlsVersion>,
    pub(super) certificate_mode: SslCertMode,
    pub(super) channel_binding: ChannelBinding,
    pub(super) require_auth: RequireAuth,
    pub(super) target_session_attrs: TargetSessionAttrs,
    pub(super) shuffle_hosts: bool,
    /// Whether libpq asks for GSSAPI encryption where it finds credentials.
    pub(super) asks_for_gss: bool,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalives: Keepalives,
}

/// Checks everything but the list of hosts. `over_tcp` tells whether any of those is reached by TCP: what concerns it
/// alone is not looked at otherwise.
pub(super) fn check(
    merged: &Merged,
    over_tcp: bool,
    credentials: impl FnOnce() -> Option<String>,
) -> Result<Choices, Box<ConfigError>> {
    let require_auth = require_auth(merged)?;
    let channel_binding = merged.choice("channel_binding")?;
    let (sslmode, negotiation) = tls(merged)?;
    let (min_tls, max_tls) = tls_versions(merged)?;
    let certificate_mode = merged.choice("sslcertmode")?;
    let gss_encryption = merged.choice("gssencmode")?;
    let target_session_attrs = merged.choice("target_session_attrs")?;
    for keyword in ["scram_client_key", "scram_server_key"] {
        scram_key(merged, keyword)?;
    }
    let shuffle_hosts = merged.choice("load_balance_hosts")? == Some(LoadBalancing::Random);
    wire_protocol(merged)?;
    let connect_timeout = merged.integer("connect_timeout")?.and_then(|seconds| u64::try_from(seconds).ok());
    let keepalives = if over_tcp { keepalives(merged)? } else { Keepalives::unused() };
    if gss_encryption == Some(GssEncryption::Require) {
        // With credentials and without, TLS is not used (PQconnectPoll).
        let reason = match credentials() {
            Some(name) => format!(
                "libpq finds the Kerberos credentials {name}, asks for GSSAPI encryption and never uses TLS"
            ),
            None => "with it libpq uses Kerberos encryption and never TLS; without Kerberos credentials or GSSAPI support it fails"
                .to_owned(),
        };
        return Err(Box::new(ConfigError::NotSupported {
            keyword: "gssencmode",
            value: merged.shown("gssencmode"),
            reason,
        }));
    }
    Ok(Choices {
        sslmode,
        negotiation,
        min_tls,
        max_tls,
        certificate_mode: certificate_mode.unwrap_or(SslCertMode::Allow),
        channel_binding: channel_binding.unwrap_or(ChannelBinding::Prefer),
        require_auth,
        target_session_attrs: target_session_attrs.unwrap_or(TargetSessionAttrs::Any),
        shuffle_hosts,
        asks_for_gss: gss_encryption != Some(GssEncryption::Disable),
        connect_timeout: connect_timeout.filter(|seconds| *seconds > 0).map(Duration::from_secs),
        keepalives,
    })
}

/// The trust anchors asked for; `default` is libpq's own file.
pub(super) fn root(merged: &Merged, default: Option<PathBuf>) -> RootChoice {
    match merged.get("sslrootcert").map(|parameter| &parameter.value).filter(|value| !value.is_empty()) {
        None => RootChoice::Default(default),
        Some(value) if value.exposed() == b"system" => RootChoice::System,
        Some(value) => RootChoice::File { path: value.to_path(), typed: merged.typed_root.clone() },
    }
}

fn tls(merged: &Merged) -> Result<(SslMode, SslNegotiation), Box<ConfigError>> {
    let sslmode = merged.choice("sslmode")?.unwrap_or(SslMode::Prefer);
    let negotiation = merged.choice("sslnegotiation")?.unwrap_or(SslNegotiation::Postgres);
    let remedy = || vec![("sslmode", "verify-full".to_owned())];
    let given = merged.get("sslmode").is_some_and(|parameter| parameter.origin != Origin::Default);
    let default = if given { "" } else { ", and libpq's default is prefer" };
    if negotiation == SslNegotiation::Direct && sslmode < SslMode::Require {
        let reason =
            format!("sslnegotiation=direct needs sslmode require, verify-ca or verify-full{default}");
        return Err(merged.contradiction(&["sslmode", "sslnegotiation"], reason, remedy()));
    }
    if merged.text("sslrootcert") == b"system" && sslmode != SslMode::VerifyFull {
        let reason = "sslrootcert=system needs sslmode verify-full";
        return Err(merged.contradiction(&["sslmode", "sslrootcert"], reason, remedy()));
    }
    Ok((sslmode, negotiation))
}

fn tls_versions(merged: &Merged) -> Result<(Option<TlsVersion>, Option<TlsVersion>), Box<ConfigError>> {
    let min = merged.tls_version("ssl_min_protocol_version")?;
    let max = merged.tls_version("ssl_max_protocol_version")?;
    match (min, max) {
        (Some(lower), Some(upper)) if lower > upper => {
            let default = merged
                .get("ssl_min_protocol_version")
                .is_some_and(|parameter| parameter.origin == Origin::Default);
            let name = |keyword| String::from_utf8_lossy(merged.text(keyword)).into_owned();
            let lower = name("ssl_min_protocol_version");
            let reason = format!(
                "the highest TLS version, {}, is below the lowest, {lower}{}",
                name("ssl_max_protocol_version"),
                if default { ", which is the default" } else { "" }
            );
            let keywords = ["ssl_min_protocol_version", "ssl_max_protocol_version"];
            Err(merged.contradiction(&keywords, reason, vec![("ssl_max_protocol_version", lower)]))
        }
        bounds => Ok(bounds),
    }
}

/// PostgreSQL's own protocol: 3.0 or 3.2, which is the latest. Without an upper bound it is the latest where the lower
/// one is more than 3.0.
fn wire_protocol(merged: &Merged) -> Result<(), Box<ConfigError>> {
    let min = merged.choice("min_protocol_version")?.unwrap_or(WireProtocol::V30);
    let max = merged.choice("max_protocol_version")?.unwrap_or(WireProtocol::Latest);
    if min > WireProtocol::V30 && max == WireProtocol::V30 {
        let keywords = ["min_protocol_version", "max_protocol_version"];
        let reason = "min_protocol_version is above max_protocol_version";
        return Err(merged.contradiction(
            &keywords,
            reason,
            vec![("max_protocol_version", "latest".to_owned())],
        ));
    }
    Ok(())
}

/// A comma-separated list of methods, all of them or none with `!` before it.
fn require_auth(merged: &Merged) -> Result<RequireAuth, Box<ConfigError>> {
    let Some(parameter) = merged.get("require_auth") else { return Ok(RequireAuth::Any) };
    let text = parameter.value.exposed();
    if text.is_empty() {
        // A list of nothing: libpq 18 then refuses whoever asks for something (measured).
        return Ok(RequireAuth::Only(vec![AuthMethod::None]));
    }
    let names: Vec<&[u8]> = text.split(|byte| *byte == b',').collect();
    let negated = text.starts_with(b"!");
    let invalid = |what: &str| merged.invalid("require_auth", what);
    let mut methods = Vec::new();
    for name in names {
        let bare = name.strip_prefix(b"!");
        if bare.is_some() != negated {
            return Err(invalid("either methods to allow or, each with `!`, methods to exclude"));
        }
        let name = bare.unwrap_or(name);
        let Some(method) = AuthMethod::of(name) else {
            return Err(invalid(&format!("a list of {}", listed(AuthMethod::WORDS, "and"))));
        };
        if methods.contains(&method) {
            return Err(invalid("each method once"));
        }
        methods.push(method);
    }
    Ok(if negated { RequireAuth::Except(methods) } else { RequireAuth::Only(methods) })
}

fn scram_key(merged: &Merged, keyword: &'static str) -> Result<(), Box<ConfigError>> {
    let Some(parameter) = merged.get(keyword) else { return Ok(()) };
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let text: Vec<u8> = parameter.value.exposed().iter().copied().filter(|byte| !blank(byte)).collect();
    match STANDARD.decode(text) {
        Ok(key) if key.len() == 32 => Ok(()),
        _ => Err(merged.invalid(keyword, "32 bytes in base64")),
    }
}

impl Keepalives {
    fn unused() -> Self {
        Self { enabled: false, idle: None, interval: None, count: None, user_timeout: None }
    }
}

/// libpq passes the numbers on to the system, negative ones as 0; Linux refuses those outside its bounds, 0 among them
/// (tcp(7), `TCP_KEEPIDLE` and others), and then the connection fails. Without keepalives none of these is looked at.
fn keepalives(merged: &Merged) -> Result<Keepalives, Box<ConfigError>> {
    if merged.integer("keepalives")? == Some(0) {
        return Ok(Keepalives::unused());
    }
    let bounded = |keyword: &'static str, limit: i32| -> Result<Option<u32>, Box<ConfigError>> {
        let Some(number) = merged.integer(keyword)? else { return Ok(None) };
        if cfg!(target_os = "linux") && !(1..=limit).contains(&number) {
            return Err(merged.invalid(keyword, format!("an integer from 1 to {limit}")));
        }
        Ok(u32::try_from(number).ok().filter(|number| *number > 0))
    };
    let seconds = |number: u32| Duration::from_secs(number.into());
    Ok(Keepalives {
        enabled: true,
        idle: bounded("keepalives_idle", 32767)?.map(seconds),
        interval: bounded("keepalives_interval", 32767)?.map(seconds),
        count: bounded("keepalives_count", 127)?,
        user_timeout: merged
            .integer("tcp_user_timeout")?
            .and_then(|milliseconds| u64::try_from(milliseconds).ok())
            .filter(|milliseconds| *milliseconds > 0)
            .map(Duration::from_millis),
    })
}

/// C's `int` in decimal, with white space round it (fe-connect.c, pqParseIntParam).
pub(super) fn integer(text: &[u8]) -> Option<i32> {
    let start = text.iter().position(|byte| !is_space(*byte))?;
    let end = text.iter().rposition(|byte| !is_space(*byte))?;
    let digits = text.get(start..=end)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn alternatives(words: &[&str]) -> String {
    listed(words, "or")
}

fn listed(words: &[&str], last_joined_by: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} {last_joined_by} {last}", first.join(", ")),
    }
}
