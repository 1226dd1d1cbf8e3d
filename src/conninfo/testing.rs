//! Settings for the unit tests of other modules.

use super::{Environment, Keepalives, Overrides, ParameterValue, RootChoice, Settings, Value, resolve};

/// Verify-full with libpq's defaults, and nobody to connect to. They come from the reading of strings itself, so that an
/// option is added without a place here.
pub(crate) fn settings() -> Settings {
    let resolved =
        resolve(Some(b"host=h user=u sslmode=verify-full"), &Overrides::default(), &Environment::default());
    Settings {
        input: None,
        parameters: Vec::new(),
        hosts: Vec::new(),
        user: ParameterValue::default(),
        database: ParameterValue::default(),
        root: RootChoice::Default(None),
        keepalives: Keepalives { enabled: true, idle: None, interval: None, count: None, user_timeout: None },
        startup: Vec::new(),
        notices: Vec::new(),
        ..resolved.unwrap()
    }
}

/// A parameter's value.
pub(crate) fn value(keyword: &str, text: &str) -> ParameterValue {
    ParameterValue::of(keyword, Value::from(text), false)
}
