//! Every message of the installed libpq 15 and 18 that concerns connecting is known to `explain`.

use std::path::{Path, PathBuf};

use pgtls_check::diagnose::recognise::recognise;

use crate::support::postgres::Installation;

/// Messages that do not concern connecting, by a part of each, and why.
const OTHERS: &[(&str, &[&str])] = &[
    (
        "queries and their results on a connection that stands",
        &[
            "COPY",
            "PQ",
            "PGresult",
            "pipeline",
            "lo_",
            "large object",
            "row number",
            "column number",
            "parameter number",
            "number of parameters",
            "command string",
            "statement name",
            "multibyte",
            "size exceeds the maximum allowed",
            "another command",
            "binary parameter",
            "message type 0x",
            "insufficient data",
            "unexpected field count",
            "without prior row description",
            "out of memory",
            "no function result",
            "protocol error: id",
            "at character",
            "Query re",
            "<t",
            "align=",
            "field separator",
            "header size",
            "ExecStatusType",
            "asyncStatus",
            "could not interpret result",
            "pqGetInt",
            "pqPutInt",
            "OID of function",
            "Unknown message",
            "mismatched message length",
            "connection not open",
            "connection in wrong state",
            "no connection to the server",
            "could not open file",
            "could not read from file",
            "could not write to file",
            "no error text available",
            "no error message available",
            "cannot allocate memory",
            "cancel",
            "client_encoding",
        ],
    ),
    (
        "changing a password (PQencryptPasswordConn)",
        &[
            "could not encrypt password",
            "password_encryption",
            "password encryption algorithm",
            "result set returned for SHOW",
            "could not encode salt",
            "could not encode stored key",
            "could not encode server key",
            "random salt",
        ],
    ),
    (
        "states that a program cannot reach without a bug in it or a want of memory",
        &[
            "probably indicative of memory corruption",
            "internal error",
            "incorrectly linked",
            "is a null pointer",
            "pointer is NULL",
            "invalid socket",
            "libpq socket",
            "nonce",
            "client proof",
            "cbind data",
            "SCRAM client key",
            "SCRAM server key",
            "destination buffer",
            "operating system error",
            "failed to retransmit",
            "could not determine encoding",
            "Unknown authentication message",
            "incremental",
            "error description",
        ],
    ),
    (
        "parts of another message, which is known as a whole",
        &["connection to server at", "server requested ", "no application protocol"],
    ),
    (
        "the JSON of OAuth, which no server before 18 asks for; shown behind a message that is known",
        &[
            "JSON",
            "Unicode",
            "\\u",
            "Expected ",
            "Escape sequence",
            "Character with value",
            "Token \"",
            "string ended",
            "json parse error",
            "must be an object",
            "must be a string",
            "is duplicated",
            "target scalar",
            "server's error",
            "error response",
            "new bearer token",
            "unexpected empty error",
        ],
    ),
    ("SQL that libpq sends", &["select proname", "show "]),
];

#[test]
fn every_message_that_concerns_connecting_is_known() {
    let debian = PathBuf::from("/usr/lib/x86_64-linux-gnu/libpq.so.5");
    let mut unknown = Vec::new();
    let mut known = 0;
    for library in [debian, Installation::of(18).libraries().join("libpq.so.5")] {
        for message in messages(&library) {
            let filled = filled(&message);
            let other = OTHERS.iter().any(|(_, parts)| parts.iter().any(|part| message.contains(part)));
            match recognise(&filled) {
                Some(_) => known += 1,
                None if other => {}
                None => unknown.push(message),
            }
        }
    }
    assert!(known > 200, "only {known} messages were found: are they still in the library?");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn no_entry_of_the_others_is_superfluous() {
    let debian = PathBuf::from("/usr/lib/x86_64-linux-gnu/libpq.so.5");
    let all: Vec<String> = [debian, Installation::of(18).libraries().join("libpq.so.5")]
        .iter()
        .flat_map(|library| messages(library))
        .collect();
    let needed = |part: &str| {
        all.iter().any(|message| message.contains(part) && recognise(&filled(message)).is_none())
    };
    let superfluous: Vec<&&str> =
        OTHERS.iter().flat_map(|(_, parts)| *parts).filter(|part| !needed(part)).collect();
    assert!(superfluous.is_empty(), "{superfluous:?} are not needed");
}

/// The texts between two NUL bytes of a library that read like messages: printable, and with two words in a row.
fn messages(library: &Path) -> Vec<String> {
    let bytes = std::fs::read(library).unwrap_or_else(|error| {
        panic!("{}: {error}; install it with: apt-get install libpq5", library.display())
    });
    let is_text = |bytes: &&[u8]| {
        bytes.len() >= 8 && bytes.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b' '..=b'~'))
    };
    bytes
        .split(|byte| *byte == 0)
        .filter(is_text)
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .filter(|text| {
            let words: Vec<&str> = text.split(' ').collect();
            let is_word = |word: &&str| word.len() >= 2 && word.chars().all(|c| c.is_ascii_lowercase());
            words.windows(2).any(|pair| is_word(&pair[0]) && !pair[1].is_empty())
        })
        .collect()
}

fn filled(message: &str) -> String {
    replaced(message, "1")
}

/// A message with a text in the place of each of its printf conversions.
pub(super) fn replaced(message: &str, with: &str) -> String {
    let mut filled = String::new();
    let mut characters = message.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            filled.push(character);
            continue;
        }
        // %s, %d, %1$s, %.*s, %zu, %02x, %%
        for modifier in characters.by_ref() {
            match modifier {
                '%' => filled.push('%'),
                '0'..='9' | '$' | '.' | '*' | '-' | '#' | 'z' | 'l' => continue,
                _ => filled.push_str(with),
            }
            break;
        }
    }
    filled
}
