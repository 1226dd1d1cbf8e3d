//! SQLSTATEs, for texts whose words are not known: languages and drivers without an entry of their own.

use super::KnownText;

/// The states of errors that end a login (PostgreSQL's errcodes.txt), and the groups of their readings.
const STATES: [(&str, &str); 8] = [
    ("28P01", "password"),
    ("28000", "not-authorised"),
    ("3D000", "database"),
    ("42501", "no-connect-privilege"),
    ("53300", "full"),
    ("57P01", "shut-down"),
    ("57P03", "starting"),
    ("08P01", "session-protocol"),
];

pub(super) fn states() -> impl Iterator<Item = KnownText> {
    STATES.iter().map(|(pattern, group)| KnownText { pattern, by: "the server, through any client", group })
}

/// Words that stand before a SQLSTATE; digits alone could be anything.
const BEFORE: [&str; 4] = ["sqlstate", "code", "fatal", "error"];

/// The reading of the SQLSTATE that stands in a plain text.
pub(super) fn known(text: &str) -> Option<KnownText> {
    let words: Vec<&str> =
        text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let announced = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        before.is_some_and(|word| BEFORE.contains(word))
    };
    words.iter().enumerate().find_map(|(index, word)| {
        let known = states().find(|known| known.pattern.eq_ignore_ascii_case(word))?;
        (word.contains('p') || announced(index)).then_some(known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::codes;

    #[test]
    fn a_state_counts_where_it_is_announced_or_cannot_be_a_number() {
        for text in
            ["(sqlstate 28p01)", "sqlstate[28p01]", "code: '28p01'", "xyz 28p01: kaputt", "fatal: 28p01: x"]
        {
            let known = known(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(known.readings()[0].codes[0], &codes::PASSWORD_REJECTED, "{text}");
        }
        assert_eq!(known("sqlstate 28000").map(|known| known.pattern), Some("28000"));
        for text in ["port 28000", "28000", "53300 rows", "x28p01y", ""] {
            assert!(known(text).is_none(), "{text}");
        }
    }
}
