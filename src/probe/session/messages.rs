//! The messages that are made or read by hand (PostgreSQL's manual, chapter Message Formats).

use crate::conninfo::Settings;
use md5::{Digest as _, Md5};

use crate::evidence::ServerMessage;

/// Longer texts of the server are cut.
const LONGEST_TEXT: usize = 4096;

/// The version of the protocol that every server since PostgreSQL 7.4 speaks.
pub(in crate::probe) const PROTOCOL_3_0: u32 = 0x0003_0000;

/// StartupMessage as libpq sends it (fe-protocol3.c, build_startup_packet): every value as its bytes. The encoding is
/// UTF-8 where the settings name none, for what the server says is shown.
pub(in crate::probe) fn startup_message(settings: &Settings) -> Vec<u8> {
    let own = [("user", settings.user.exposed()), ("database", settings.database.exposed())];
    let others = settings.startup.iter().map(|(name, value)| (*name, value.as_bytes()));
    let named = settings.startup.iter().any(|(name, value)| {
        *name == "client_encoding" && value.as_bytes() != b"auto" && !value.as_bytes().is_empty()
    });
    let encoding = (!named).then_some(("client_encoding", &b"UTF8"[..]));
    let others = others.filter(|(name, _)| named || *name != "client_encoding");
    let all = own.into_iter().chain(others).chain(encoding);
    startup_packet(protocol(settings), all)
}

/// StartupMessage with these parameters; empty ones are left out.
pub(in crate::probe) fn startup_packet<'a>(
    protocol: u32,
    parameters: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Vec<u8> {
    let mut body = protocol.to_be_bytes().to_vec();
    for (name, value) in parameters {
        // No parser lets a NUL through; one would end the value here.
        if value.is_empty() || value.contains(&0) {
            continue;
        }
        body.extend(name.as_bytes());
        body.push(0);
        body.extend(value);
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &body].concat()
}

/// The protocol version asked for: 3.0 unless `max_protocol_version` (libpq 18) allows more and something asks for it.
pub(super) fn protocol(settings: &Settings) -> u32 {
    const NEWER: [&[u8]; 2] = [b"3.2", b"latest"];
    let names_newer = |keyword| {
        settings.parameter(keyword).is_some_and(|parameter| NEWER.contains(&parameter.value.exposed()))
    };
    let newer = names_newer("max_protocol_version") || requires_newer(settings);
    if newer { 0x0003_0002 } else { PROTOCOL_3_0 }
}

/// Whether a server that speaks only 3.0 is refused (`min_protocol_version`).
pub(super) fn requires_newer(settings: &Settings) -> bool {
    settings
        .parameter("min_protocol_version")
        .is_some_and(|parameter| matches!(parameter.value.exposed(), b"3.2" | b"latest"))
}

/// The fields of an ErrorResponse or NoticeResponse (chapter Error and Notice Message Fields).
pub(in crate::probe) fn error_message(body: &[u8]) -> ServerMessage {
    let mut message = ServerMessage::default();
    let mut localised = String::new();
    for field in body.split(|byte| *byte == 0) {
        let Some((kind, text)) = field.split_first() else { break };
        let text = self::text(text);
        match kind {
            b'S' => localised = text,
            b'V' => message.severity = text,
            b'C' => message.sqlstate = text,
            b'M' => message.message = text,
            b'D' => message.detail = Some(text),
            b'H' => message.hint = Some(text),
            _ => {}
        }
    }
    if message.severity.is_empty() {
        message.severity = localised;
    }
    message
}

/// Two C strings at the front of a body: a parameter and its value.
pub(super) fn parameter(body: &[u8]) -> Option<(String, String)> {
    let mut parts = body.split(|byte| *byte == 0);
    let mut text = || parts.next().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Some((text()?, text()?))
}

/// A text of the server, as long as it may be.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..LONGEST_TEXT).unwrap_or(bytes)).into_owned()
}

/// The length of so many C strings.
pub(super) fn strings_length(count: usize, body: &[u8]) -> Option<usize> {
    let ends = body.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at + 1);
    ends.take(count).nth(count.checked_sub(1)?)
}

/// The length of the fields of a NoticeResponse: each a type and a C string, then a zero byte.
pub(super) fn fields_length(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    while *body.get(at)? != 0 {
        at += 1 + strings_length(1, body.get(at + 1..)?)?;
    }
    Some(at + 1)
}

/// The length of what a message of this type has to hold, if its body holds it.
pub(super) fn content_length(kind: u8, body: &[u8]) -> Option<usize> {
    match kind {
        b'N' | b'E' => fields_length(body),
        b'S' => strings_length(2, body),
        b'A' => Some(4 + strings_length(2, body.get(4..)?)?),
        _ => Some(body.len()),
    }
}

/// The length of C strings up to an empty one, that included.
pub(super) fn list_length(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = strings_length(1, body.get(at..)?)?;
        at += length;
        if length == 1 {
            return Some(at);
        }
    }
}

/// Whether it is the body of a RowDescription: for each column a name and 18 bytes.
pub(super) fn is_row_description(body: &[u8]) -> bool {
    let whole = || {
        let (count, mut rest) = body.split_first_chunk::<2>()?;
        for _ in 0..u16::from_be_bytes(*count) {
            rest = rest.get(strings_length(1, rest)? + 18..)?;
        }
        Some(rest.is_empty())
    };
    whole().unwrap_or_default()
}

/// Whether it is the body of a ParameterDescription: four bytes for each.
pub(super) fn is_parameter_description(body: &[u8]) -> bool {
    body.split_first_chunk::<2>()
        .is_some_and(|(count, rest)| rest.len() == 4 * usize::from(u16::from_be_bytes(*count)))
}

/// AuthenticationOk.
pub(super) fn authentication_ok() -> [u8; 9] {
    [b'R', 0, 0, 0, 8, 0, 0, 0, 0]
}

/// What answers a request for MD5: the hash of salt and of the hash that the server keeps (`pg_md5_encrypt`), as text.
pub(super) fn md5(user: &[u8], password: &[u8], salt: &[u8]) -> Vec<u8> {
    let hash = |text: &[u8], salt: &[u8]| {
        let digest = Md5::new().chain_update(text).chain_update(salt).finalize();
        crate::text::hex(&digest)
    };
    let kept = hash(password, user);
    format!("md5{}\0", hash(kept.as_bytes(), salt)).into_bytes()
}

/// C strings up to an empty one: the SASL mechanisms of AuthenticationSASL.
pub(super) fn mechanisms(body: &[u8]) -> Vec<String> {
    body.split(|byte| *byte == 0)
        .take_while(|name| !name.is_empty())
        .take(16)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conninfo::{ParameterValue, Value};
    use crate::probe::testing::settings;

    #[test]
    fn the_startup_message_has_the_bytes_of_the_settings() {
        let mut settings = settings();
        settings.user = ParameterValue::Plain(Value::new(b"\xfcser".to_vec()));
        settings.database = ParameterValue::Plain(Value::from("db"));
        settings.startup =
            vec![("application_name", Value::from("x")), ("client_encoding", Value::from("auto"))];
        let message = startup_message(&settings);
        let expected =
            b"\0\x03\0\0user\0\xfcser\0database\0db\0application_name\0x\0client_encoding\0UTF8\0\0";
        assert_eq!(message[4..], expected[..]);
        assert_eq!(message[..4], u32::try_from(message.len()).unwrap().to_be_bytes());
    }

    #[test]
    fn an_encoding_of_the_users_own_is_kept() {
        let mut settings = settings();
        settings.startup = vec![("client_encoding", Value::from("LATIN1"))];
        let message = startup_message(&settings);
        let text = String::from_utf8_lossy(&message);
        assert!(text.contains("client_encoding\0LATIN1\0") && !text.contains("UTF8"), "{text:?}");
    }

    #[test]
    fn errors_are_read_field_by_field() {
        let body = b"SFATAL\0VFATAL\0C28000\0Mno entry\0Dmore\0Hdo\0Fauth.c\0\0";
        let message = error_message(body);
        assert_eq!((message.severity.as_str(), message.sqlstate.as_str()), ("FATAL", "28000"));
        assert_eq!(message.message, "no entry");
        assert_eq!((message.detail.as_deref(), message.hint.as_deref()), (Some("more"), Some("do")));
        assert_eq!(error_message(b"SFATAL\0\0").severity, "FATAL");
    }

    #[test]
    fn lengths_are_those_of_the_content() {
        for (body, strings, fields) in [
            (&b""[..], None, None),
            (b"\0", None, Some(1)),
            (b"a\0b\0", Some(4), None),
            (b"a\0b\0c", Some(4), None),
            (b"Sa\0Mb\0\0", Some(6), Some(7)),
            (b"Sa\0\0\0", Some(4), Some(4)),
        ] {
            assert_eq!((strings_length(2, body), fields_length(body)), (strings, fields), "{body:?}");
        }
        assert_eq!(list_length(b"a\0b\0\0c"), Some(5));
        assert_eq!((list_length(b"a\0b\0"), list_length(b"")), (None, None));
        let column = [&b"a\0"[..], &[0; 18]].concat();
        assert!(is_row_description(&[&[0, 1][..], &column].concat()) && is_row_description(&[0, 0]));
        assert!(!is_row_description(&[&[0, 2][..], &column].concat()) && !is_row_description(&[0, 0, 0]));
        assert!(is_parameter_description(&[0, 1, 0, 0, 0, 23]) && !is_parameter_description(&[0, 1]));
    }

    /// `select 'md5' || md5(md5('secret' || 'me') || 'salt')`
    #[test]
    fn md5_is_that_of_postgresql() {
        assert_eq!(md5(b"me", b"secret", b"salt"), *b"md541c83370953958037c7298c50b238bda\0");
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_body_is_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            error_message(&body);
            parameter(&body);
            prop_assert!(mechanisms(&body).len() <= 16);
            for length in [strings_length(2, &body), fields_length(&body), list_length(&body)] {
                prop_assert!(length.is_none_or(|length| length <= body.len()));
            }
            is_row_description(&body);
        }
    }
}
