//! Settings for the unit tests of other modules.

use super::{
    ChannelBinding, Keepalives, ParameterValue, RequireAuth, RootChoice, Settings, SslCertMode, SslMode,
    SslNegotiation, TargetSessionAttrs, TlsVersion, Value,
};

/// Verify-full with libpq's defaults, and nobody to connect to.
pub(crate) fn settings() -> Settings {
    Settings {
        input: None,
        parameters: Vec::new(),
        hosts: Vec::new(),
        user: ParameterValue::default(),
        database: ParameterValue::default(),
        sslmode: SslMode::VerifyFull,
        negotiation: SslNegotiation::Postgres,
        min_tls: Some(TlsVersion::Tls12),
        max_tls: None,
        sni: true,
        root: RootChoice::Default(None),
        certificate_mode: SslCertMode::Allow,
        channel_binding: ChannelBinding::Prefer,
        require_auth: RequireAuth::Any,
        target_session_attrs: TargetSessionAttrs::Any,
        shuffle_hosts: false,
        connect_timeout: None,
        keepalives: Keepalives { enabled: true, idle: None, interval: None, count: None, user_timeout: None },
        startup: Vec::new(),
        notices: Vec::new(),
    }
}

/// A parameter's value.
pub(crate) fn value(keyword: &str, text: &str) -> ParameterValue {
    ParameterValue::of(keyword, Value::from(text), false)
}
