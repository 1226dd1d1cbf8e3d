//! The connection string under a fix: the same string is tried and, without its secrets, shown. It holds what was
//! typed, in the string and as options, and the fix's changes over that; what comes from elsewhere stays there.

use super::Context;
use crate::conninfo::{self, Form, Origin, ParameterValue, Parsed, Settings, Value};
use crate::diagnose::Fix;
use crate::evidence::Evidence;
use crate::secret::Secret;
use crate::trust::{RootSource, Roots};

/// A corrected connection string in the making.
pub(super) struct Corrected {
    form: Form,
    /// The string that was typed, in which the changes are made.
    typed: Vec<u8>,
    /// In the order typed, each keyword once.
    settings: Vec<(&'static str, ParameterValue)>,
}

impl Corrected {
    /// What was typed, under the fix. `None` if it cannot be read even so.
    pub(super) fn of(fix: &Fix, evidence: &Evidence, context: Context<'_>) -> Option<Self> {
        let typed = context.input.map(Secret::expose).unwrap_or_default();
        let typed = edited(typed, fix, evidence);
        let parsed = whole(&typed)?;
        let mut corrected = Self { form: Form::of(&typed), typed, settings: Vec::new() };
        corrected.add(&parsed);
        // As in psql a connection string given with -d beats the other options.
        let mut last = None;
        for (keyword, value, _) in &context.overrides.parameters {
            match value.as_bytes() {
                [] => {}
                text if *keyword == "dbname" && conninfo::is_connection_string(text) => {
                    last = Some(edited(text, fix, evidence));
                }
                text => corrected.set(keyword, text),
            }
        }
        if let Some(last) = last {
            corrected.add(&whole(&last)?);
        }
        // Written anew, no backslash is eaten: the path is the one at which the file was found.
        if let Some(Roots::Loaded(store)) = evidence.trust.as_ref().map(|trust| &trust.roots)
            && let RootSource::GivenAsTyped { typed, .. } = &store.source
        {
            corrected.set("sslrootcert", typed.as_os_str().as_encoded_bytes());
        }
        for (keyword, value) in fix.settings.iter().chain(&fix.also_set) {
            corrected.set(keyword, value.as_bytes());
        }
        corrected.remove_what_is_empty(fix, evidence, context);
        Some(corrected)
    }

    /// What a fix empties is left out where nothing else would then set it: an empty value stands over variables and
    /// services (conninfo_add_defaults in fe-connect.c), and is otherwise the same as none.
    fn remove_what_is_empty(&mut self, fix: &Fix, evidence: &Evidence, context: Context<'_>) {
        let by_service =
            evidence.config.as_ref().is_ok_and(|settings| settings.parameter("service").is_some());
        let is_set_elsewhere = |keyword: &str| {
            let option = conninfo::options::find(keyword.as_bytes());
            let variable = option.and_then(|option| option.variable);
            by_service || variable.is_some_and(|name| context.environment.sets(name))
        };
        self.settings.retain(|(keyword, value)| {
            let is_emptied =
                value.exposed().is_empty() && fix.settings.iter().any(|(emptied, _)| emptied == keyword);
            !is_emptied || is_set_elsewhere(keyword)
        });
    }

    fn add(&mut self, parsed: &Parsed) {
        for (keyword, assignment) in &parsed.assignments {
            let value = Value::new(assignment.value.as_bytes());
            self.put(keyword, ParameterValue::of(keyword, value, assignment.may_hold_password));
        }
    }

    fn set(&mut self, keyword: &'static str, value: &[u8]) {
        self.put(keyword, ParameterValue::of(keyword, Value::new(value), false));
    }

    fn put(&mut self, keyword: &'static str, value: ParameterValue) {
        match self.settings.iter_mut().find(|(known, _)| *known == keyword) {
            Some((_, known)) => *known = value,
            None => self.settings.push((keyword, value)),
        }
    }

    /// The whole string, secrets and all, for trying it.
    pub(super) fn whole(&self) -> Secret {
        Secret::new(self.written(self.settings.iter()))
    }

    /// The string to be shown: without secrets, and with the sslmode that was tried where none was typed. `None` where
    /// it would not be the same after being made printable, or might still hold a piece of a password.
    pub(super) fn shown(mut self, tried: &Settings) -> Option<String> {
        let mode = tried.parameter("sslmode")?;
        if matches!(mode.origin, Origin::ToolDefault(_)) {
            self.set("sslmode", mode.value.exposed());
        }
        self.without_secrets()
    }

    /// As [`Self::shown`], of a string that no trial has read to its end.
    pub(super) fn shown_as_set(mut self, context: Context<'_>) -> Option<String> {
        let is_set = |keyword: &str| self.settings.iter().any(|(known, _)| *known == keyword);
        let elsewhere = ["PGSSLMODE", "PGSERVICE"].iter().any(|name| context.environment.sets(name));
        if !is_set("sslmode") && !is_set("service") && !elsewhere {
            self.set("sslmode", b"verify-full");
        }
        self.without_secrets()
    }

    fn without_secrets(&self) -> Option<String> {
        let is_mixed = |value: &ParameterValue| matches!(value, ParameterValue::Mixed { .. });
        if self.settings.iter().any(|(_, value)| is_mixed(value)) {
            return None;
        }
        let plain = self.settings.iter().filter(|(_, value)| value.plain().is_some());
        let text = self.written(plain);
        let masked = conninfo::mask(&text, &[]).text;
        (masked.as_bytes() == text).then_some(masked)
    }

    fn written<'a>(&self, settings: impl Iterator<Item = &'a (&'static str, ParameterValue)>) -> Vec<u8> {
        let settings: Vec<_> = settings.map(|(keyword, value)| (*keyword, value.exposed())).collect();
        conninfo::mended(&self.typed, &settings)
            .unwrap_or_else(|| conninfo::write::string(self.form, settings))
    }
}

/// What a string sets, unless libpq would take it apart within the password.
fn whole(text: &[u8]) -> Option<Parsed> {
    (!conninfo::has_unencoded_password(text)).then(|| conninfo::parse(text).ok())?
}

/// The string with the fix's edit, if the fault lies in this one.
fn edited(text: &[u8], fix: &Fix, evidence: &Evidence) -> Vec<u8> {
    let at_fault = evidence.input.as_ref().is_some_and(|input| input.expose() == text);
    let edit = fix.edit.as_ref().filter(|_| at_fault);
    let parts = edit.and_then(|(span, new)| Some((text.get(..span.start)?, new, text.get(span.end..)?)));
    match parts {
        Some((before, new, after)) => [before, new.as_bytes(), after].concat(),
        None => text.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::conninfo::{Environment, Overrides, options};
    use crate::evidence::Scope;
    use crate::timestamp::Timestamp;
    use crate::trust::SystemStore;

    /// The corrected string of one that was typed, with options over it.
    fn corrected(typed: &[u8], options: Vec<(&'static str, Value)>, fix: &Fix) -> Option<Corrected> {
        let environment = Environment::default();
        let failure = conninfo::resolve(Some(b"port=x"), &Overrides::default(), &environment).unwrap_err();
        let mut evidence = Evidence::of_bad_config(Timestamp::now(), Scope::default(), *failure);
        evidence.input = Some(Secret::new(typed.to_vec()));
        let parameters = options.into_iter().map(|(keyword, value)| (keyword, value, "-x")).collect();
        let overrides = Overrides { parameters, never_prompt: false };
        let input = Secret::new(typed.to_vec());
        let context = Context {
            input: Some(&input),
            overrides: &overrides,
            environment: &environment,
            may_connect: false,
            total_limit: None,
            system_store: &SystemStore::default(),
        };
        Corrected::of(fix, &evidence, context)
    }

    fn set(settings: &[(&'static str, &str)]) -> Fix {
        let settings = settings.iter().map(|(keyword, value)| (*keyword, (*value).to_owned())).collect();
        Fix { settings, ..Fix::default() }
    }

    #[test]
    fn the_form_and_the_order_are_those_that_were_typed() {
        for (typed, fix, expected) in [
            (
                "sslmode=verify-full host=localhost password=x",
                set(&[("host", "db.example"), ("hostaddr", "127.0.0.1")]),
                Some("sslmode=verify-full host=db.example hostaddr=127.0.0.1"),
            ),
            (
                "postgresql://me:x@localhost:5433/app?sslmode=verify-full",
                set(&[("host", "db.example"), ("hostaddr", "127.0.0.1")]),
                Some("postgresql://me@db.example:5433/app?sslmode=verify-full&hostaddr=127.0.0.1"),
            ),
            (
                "postgresql://me@a:1,b:2/app",
                set(&[("host", "a,db.example")]),
                Some("postgresql://me@a:1,db.example:2/app"),
            ),
            ("host=a,b port=1,2", set(&[("port", "1,5432")]), Some("host=a,b port=1,5432")),
            // Whatever may hold a piece of a password is not tried or shown, unless it is replaced.
            ("host=postgres://me:x@h port=1", set(&[("host", "h")]), Some("host=h port=1")),
            ("host=postgres://me:x@h port=1", set(&[("port", "2")]), None),
            ("hsot=h", Fix { edit: Some((0..4, "host".to_owned())), ..Fix::default() }, Some("host=h")),
            ("pasword=h", Fix { edit: Some((0..7, "password".to_owned())), ..Fix::default() }, Some("")),
        ] {
            let shown = corrected(typed.as_bytes(), vec![], &fix).and_then(|text| text.without_secrets());
            assert_eq!(shown.as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn options_beat_the_string_and_a_string_in_an_option_beats_both() {
        let options = vec![
            ("host", Value::from("option")),
            ("user", Value::from("")),
            ("dbname", Value::from("host=inner password=x port=7")),
        ];
        let text = corrected(b"host=outer user=me", options, &set(&[("port", "8")])).unwrap();
        assert_eq!(text.without_secrets().as_deref(), Some("host=inner user=me port=8"));
        assert_eq!(text.whole().expose(), b"host=inner user=me password=x port=8");
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9.,]{0,10}",
            "[ -~]{0,10}",
            Just(r"c:\certs\ca.pem".to_owned()),
            Just("it's".to_owned())
        ]
    }

    fn settings(keywords: &'static [&'static str]) -> impl Strategy<Value = BTreeMap<&'static str, String>> {
        proptest::collection::btree_map(proptest::sample::select(keywords), value(), 0..6)
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        /// What is shown parses back to exactly what was typed, with the fix's changes and without secrets.
        #[test]
        fn it_parses_back_to_exactly_those_settings(
            typed in settings(&["host", "hostaddr", "port", "user", "dbname", "sslmode", "sslrootcert", "password", "sslpassword"]),
            changed in settings(&["host", "hostaddr", "port", "sslmode", "sslrootcert", "sslnegotiation"]),
            is_uri: bool,
        ) {
            let form = if is_uri { Form::Uri } else { Form::KeywordValue };
            let pairs = typed.iter().map(|(keyword, value)| (*keyword, value.as_bytes()));
            let text = conninfo::write::string(form, pairs);
            let fix = Fix { settings: changed.clone().into_iter().collect(), ..Fix::default() };
            let corrected = corrected(&text, vec![], &fix).unwrap();
            let mut expected = typed.clone();
            expected.extend(changed.clone());
            // What a fix empties is left out.
            expected.retain(|keyword, value| !(value.is_empty() && changed.contains_key(keyword)));
            let read = |text: &[u8]| -> BTreeMap<&str, String> {
                let assignments = conninfo::parse(text).unwrap().assignments;
                assignments
                    .into_iter()
                    .map(|(keyword, found)| {
                        (keyword, String::from_utf8(found.value.as_bytes().to_vec()).unwrap())
                    })
                    .collect()
            };
            prop_assert_eq!(&read(corrected.whole().expose()), &expected);
            if let Some(shown) = corrected.without_secrets() {
                expected.retain(|keyword, _| !options::is_secret(keyword));
                prop_assert_eq!(Form::of(shown.as_bytes()), form);
                prop_assert_eq!(&read(shown.as_bytes()), &expected);
            }
        }
    }
}
