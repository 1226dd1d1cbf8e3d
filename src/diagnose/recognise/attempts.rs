//! What libpq prints when it tried more than once: a line an attempt.

use crate::order;

/// How the report of an attempt begins (fe-connect.c, emitHostIdentityInfo; up to version 13 connectFailureMessage).
const BEGINNINGS: [&str; 3] =
    ["connection to server at ", "connection to server on socket ", "could not connect to server: "];

/// How a server rejects a client that comes without TLS; and the machine without IPv6 that tries `::1` for localhost.
const LESSER: [&str; 6] = [
    "cannot assign requested address",
    ", no encryption",
    ", ssl off",
    "ssl connection is required",
    "connection is insecure",
    "requires tls connections",
];

/// The part of a plain text that has the cause: the first attempt, but for those that the server rejected only because
/// they came without TLS (`sslmode=prefer` makes one after the attempt that failed, `allow` one before), or that have no IPv6.
pub(super) fn cause(text: &str) -> &str {
    let attempts = attempts(text);
    let with_tls = attempts.iter().find(|attempt| !LESSER.iter().any(|words| attempt.contains(words)));
    with_tls.or_else(|| attempts.first()).copied().unwrap_or(text)
}

/// The attempts of a text, in their order; the whole text where it has no or one.
fn attempts(text: &str) -> Vec<&str> {
    let mut places: Vec<usize> =
        BEGINNINGS.iter().flat_map(|words| text.match_indices(words)).map(|(place, _)| place).collect();
    order::sort(&mut places);
    if places.len() < 2 {
        return vec![text];
    }
    let ends = places.iter().skip(1).copied().chain([text.len()]);
    places.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "connection to server at \"h\" (192.0.2.1), port 5432 failed: ";
    const PLAIN: &str =
        "fatal: no pg_hba.conf entry for host \"192.0.2.9\", user \"u\", database \"d\", no encryption";

    #[test]
    fn the_attempt_with_tls_has_the_cause_in_either_order() {
        for error in
            ["ssl error: certificate verify failed", "fatal: password authentication failed for user \"u\""]
        {
            for text in [format!("{AT}{error} {AT}{PLAIN}"), format!("psql: error: {AT}{PLAIN} {AT}{error}")]
            {
                assert!(cause(&text).contains(error) && !cause(&text).contains("pg_hba"), "{text}");
            }
        }
    }

    #[test]
    fn a_text_with_one_attempt_is_looked_at_whole() {
        for text in [format!("psql: error: {AT}{PLAIN}"), PLAIN.to_owned(), String::new()] {
            assert_eq!(cause(&text), text);
        }
        let both = format!("{AT}{PLAIN} {AT}{PLAIN}");
        assert!(cause(&both).contains("pg_hba"));
    }
}
