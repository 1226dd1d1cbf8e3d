//! Connection strings to be read: values quoted so that they parse back to themselves, whole strings in both forms.

use super::{Origin, Parameter, ParameterValue};

/// The two forms of connection strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `host=… port=…`
    KeywordValue,
    /// `postgresql://…`
    Uri,
}

impl Form {
    /// The form of a connection string.
    pub fn of(input: &[u8]) -> Self {
        if super::uri::is_uri(input) { Self::Uri } else { Self::KeywordValue }
    }
}

/// A connection string with these settings, each keyword once. Bytes that are not UTF-8 stay as they are in the
/// keyword/value form and are percent-encoded in a URI.
pub fn string<'a>(form: Form, settings: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    match form {
        Form::KeywordValue => keyword_value(settings),
        Form::Uri => uri(settings.into_iter().collect()),
    }
}

/// The value of a keyword/value string, in quotes where it needs them.
pub fn quoted(value: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| !super::blanks::is_space(*byte) && !matches!(byte, b'\'' | b'\\');
    if !value.is_empty() && value.iter().all(plain) {
        return value.to_vec();
    }
    let mut text = vec![b'\''];
    for byte in value {
        if matches!(byte, b'\'' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'\'');
    text
}

/// `keyword=value`, the value in quotes where it needs them.
pub fn setting(keyword: &str, value: &str) -> String {
    format!("{keyword}={}", quoted_text(value))
}

/// As [`quoted`], for text.
pub fn quoted_text(value: &str) -> String {
    String::from_utf8_lossy(&quoted(value.as_bytes())).into_owned()
}

fn keyword_value<'a>(settings: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let settings: Vec<Vec<u8>> = settings
        .into_iter()
        .map(|(keyword, value)| [keyword.as_bytes(), b"=", &quoted(value)].concat())
        .collect();
    settings.join(&b' ')
}

fn uri(settings: Vec<(&str, &[u8])>) -> Vec<u8> {
    let mut settings = Unwritten(settings);
    let mut text = b"postgresql://".to_vec();
    let user = settings.take("user");
    let password = settings.take("password");
    if user.is_some() || password.is_some() {
        text.extend(encoded(user.unwrap_or_default()));
        if let Some(password) = password {
            text.push(b':');
            text.extend(encoded(password));
        }
        text.push(b'@');
    }
    // In the authority every host has a slot for its port: one port for several hosts cannot be said there, and none
    // would be a list of empty ones. Such lists go into the query, as does what is set to nothing.
    let hosts = settings.entries("host");
    let ports = settings.entries("port");
    if hosts > 0 && (hosts == ports || (hosts == 1 && ports == 0)) {
        let host = settings.take("host").unwrap_or_default();
        let port = settings.take("port").unwrap_or_default();
        let mut ports = port.split(|byte| *byte == b',');
        for (index, host) in host.split(|byte| *byte == b',').enumerate() {
            if index > 0 {
                text.push(b',');
            }
            let bracketed = host.contains(&b':');
            text.extend(bracketed.then_some(b'['));
            text.extend(encoded(host));
            text.extend(bracketed.then_some(b']'));
            if let Some(port) = ports.next().filter(|port| !port.is_empty()) {
                text.push(b':');
                text.extend(encoded(port));
            }
        }
    }
    if let Some(database) = settings.take("dbname") {
        text.push(b'/');
        text.extend(encoded(database));
    }
    for (index, (keyword, value)) in settings.0.into_iter().enumerate() {
        text.push(if index == 0 { b'?' } else { b'&' });
        text.extend(encoded(keyword.as_bytes()));
        text.push(b'=');
        text.extend(encoded(value));
    }
    text
}

/// The settings that are not in the URI yet.
struct Unwritten<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> Unwritten<'a> {
    /// The value of a keyword that has its own place in a URI, which nothing cannot take.
    fn take(&mut self, keyword: &str) -> Option<&'a [u8]> {
        let at = self.0.iter().position(|(name, value)| *name == keyword && !value.is_empty())?;
        Some(self.0.remove(at).1)
    }

    /// The entries of a comma-separated list; 0 if it is empty or not there.
    fn entries(&self, keyword: &str) -> usize {
        let list = self.0.iter().find(|(name, value)| *name == keyword && !value.is_empty());
        list.map_or(0, |(_, value)| value.split(|byte| *byte == b',').count())
    }
}

/// Percent-encoded but for the unreserved characters of RFC 3986, section 2.3: every decoder of URIs and of forms (`+` for
/// a blank) reads that alike.
pub fn encoded(text: &[u8]) -> Vec<u8> {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).map(|digit| digit.to_ascii_uppercase());
    let mut encoded = Vec::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(*byte);
        } else {
            let escape = ['%'].into_iter().chain(digit(byte >> 4)).chain(digit(byte & 15));
            encoded.extend(escape.filter_map(|character| u8::try_from(character).ok()));
        }
    }
    encoded
}

/// A corrected connection string to show: what was typed (in the string or as options), changed as told, without
/// secrets. Bytes that are not UTF-8 are lost in the keyword/value form.
pub fn corrected(form: Form, parameters: &[Parameter], changes: &[(&str, String)]) -> String {
    let typed = parameters
        .iter()
        .filter(|parameter| matches!(parameter.origin, Origin::ConnectionString | Origin::Option(_)))
        .filter(|parameter| !matches!(parameter.value, ParameterValue::Secret(_)))
        .map(|parameter| (parameter.keyword, parameter.value.shown()));
    let mut settings: Vec<(&str, &[u8])> = Vec::new();
    for (keyword, value) in typed.chain(changes.iter().map(|(keyword, value)| (*keyword, value.as_bytes()))) {
        match settings.iter_mut().find(|(name, _)| *name == keyword) {
            Some(known) => known.1 = value,
            None => settings.push((keyword, value)),
        }
    }
    String::from_utf8_lossy(&string(form, settings)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::conninfo::LibpqVersion::{self, V15, V18};
    use crate::conninfo::options::OPTIONS;
    use crate::conninfo::{Value, parse_as};

    fn shown(form: Form, settings: &[(&str, &str)]) -> String {
        let settings = settings.iter().map(|(keyword, value)| (*keyword, value.as_bytes()));
        String::from_utf8(string(form, settings)).unwrap()
    }

    #[test]
    fn settings_are_written_as_libpq_reads_them() {
        for (value, written) in [
            ("db.example.com", "k=db.example.com"),
            ("", "k=''"),
            ("a b", "k='a b'"),
            ("it's", "k='it\\'s'"),
            ("c:\\ssl\\root.crt", "k='c:\\\\ssl\\\\root.crt'"),
        ] {
            assert_eq!(setting("k", value), written);
        }
    }

    #[test]
    fn both_forms() {
        for (settings, keyword_value, uri) in [
            (&[][..], "", "postgresql://"),
            (
                &[("host", "db.example"), ("user", "me@x"), ("dbname", "a b"), ("sslrootcert", r"c:\ca.pem")],
                r"host=db.example user=me@x dbname='a b' sslrootcert='c:\\ca.pem'",
                "postgresql://me%40x@db.example/a%20b?sslrootcert=c%3A%5Cca.pem",
            ),
            (&[("host", "::1"), ("port", "5433")], "host=::1 port=5433", "postgresql://[%3A%3A1]:5433"),
            (&[("host", "a,b"), ("port", "1")], "host=a,b port=1", "postgresql://?host=a%2Cb&port=1"),
            (&[("host", "a,b"), ("port", "1,")], "host=a,b port=1,", "postgresql://a:1,b"),
            (&[("host", "")], "host=''", "postgresql://?host="),
        ] {
            assert_eq!(shown(Form::KeywordValue, settings), keyword_value);
            assert_eq!(shown(Form::Uri, settings), uri);
        }
    }

    #[test]
    fn a_corrected_string_has_no_secrets_and_nothing_that_was_not_typed() {
        let parameter = |keyword, value: &str, origin| Parameter {
            keyword,
            value: ParameterValue::of(keyword, Value::from(value), false),
            origin,
            place: None,
        };
        let parameters = [
            parameter("password", "x", Origin::ConnectionString),
            parameter("host", "localhost", Origin::ConnectionString),
            parameter("port", "5432", Origin::Default),
            parameter("user", "me", Origin::Option("-U")),
        ];
        let changes = [("host", "db.example".to_owned()), ("hostaddr", "127.0.0.1".to_owned())];
        assert_eq!(
            corrected(Form::KeywordValue, &parameters, &changes),
            "host=db.example user=me hostaddr=127.0.0.1"
        );
        assert_eq!(
            corrected(Form::Uri, &parameters, &changes),
            "postgresql://me@db.example?hostaddr=127.0.0.1"
        );
    }

    fn settings() -> impl Strategy<Value = BTreeMap<&'static str, Vec<u8>>> {
        let keyword = (0..OPTIONS.len()).prop_map(|at| OPTIONS[at].keyword);
        let keyword =
            prop_oneof![keyword, Just("host"), Just("port"), Just("user"), Just("password"), Just("dbname")];
        let value = prop_oneof![
            proptest::collection::vec(1u8..=255, 0..8),
            "[a-z:,/ '\\\\]{0,8}".prop_map(String::into_bytes),
        ];
        proptest::collection::btree_map(keyword, value, 0..6)
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn what_is_written_reads_back_the_same(settings in settings()) {
            for form in [Form::KeywordValue, Form::Uri] {
                let pairs = settings.iter().map(|(keyword, value)| (*keyword, value.as_slice()));
                let text = string(form, pairs);
                prop_assert_eq!(Form::of(&text), form);
                let known = |version: LibpqVersion| {
                    settings.keys().all(|keyword| OPTIONS.iter().any(|o| o.keyword == *keyword && o.since <= version))
                };
                for version in [V15, V18].into_iter().filter(|version| known(*version)) {
                    let parsed = parse_as(&text, version).unwrap();
                    let read: BTreeMap<&str, Vec<u8>> = parsed
                        .assignments
                        .iter()
                        .map(|(keyword, found)| (*keyword, found.value.as_bytes().to_vec()))
                        .collect();
                    prop_assert_eq!(&read, &settings, "{}", String::from_utf8_lossy(&text));
                }
            }
        }

        #[test]
        fn nothing_makes_the_parser_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            text in "(postgres(ql)?://)?[a-z:@/?&=%,\\[\\]' \\\\0-9]{0,40}",
        ) {
            for version in [V15, V18] {
                let _ = parse_as(&bytes, version);
                if let Ok(parsed) = parse_as(text.as_bytes(), version) {
                    for (_, assignment) in parsed.assignments {
                        prop_assert!(text.as_bytes().get(assignment.place.value).is_some());
                    }
                }
            }
        }
    }
}
