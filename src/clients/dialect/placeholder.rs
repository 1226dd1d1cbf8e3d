//! Text that stands for a value: what a portal or a manual leaves to be filled in, and what a shell or a program would
//! have replaced.

/// Whether a value is a placeholder.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let text = text.trim();
    enclosed(text) || variable(text) || asterisks(text) || instruction(text)
}

/// The brackets of a placeholder around a password: nobody's word for one has a digit, or what no word has.
pub fn bracketed(password: &str) -> Option<&'static str> {
    let kinds =
        [('[', ']', "is in square brackets"), ('<', '>', "is in angle brackets"), ('{', '}', "is in braces")];
    let kind = |(open, close, words)| Some((password.strip_prefix(open)?.strip_suffix(close)?, words));
    let (inner, words) = kinds.into_iter().find_map(kind)?;
    let lower = inner.to_ascii_lowercase();
    let is_word = |c: char| c.is_alphabetic() || "_- .".contains(c);
    let asks = ["pass", "pwd", "your", "secret"].iter().any(|word| lower.contains(word));
    (!asks && inner.starts_with(char::is_alphanumeric) && inner.len() > 2 && !inner.chars().all(is_word))
        .then_some(words)
}

/// Whether a part of a name would have been replaced by a shell or a program: `db-${STAGE}.example.com`,
/// `${process.env.SERVER}.postgres.database.azure.com`. No name has such a sign in it; a password may.
pub(super) fn is_partly_placeholder(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else { return false };
    // `{your_server}.postgres.database.azure.com`
    text.split_once('.').is_some_and(|(first, _)| enclosed(first))
        || [("${", "}"), ("$(", ")"), ("#{", "}"), ("<%", "%>"), ("{{", "}}")].into_iter().any(
            |(open, close)| {
                text.split_once(open)
                    .is_some_and(|(_, rest)| rest.find(close).is_some_and(|length| length > 0))
            },
        )
}

/// Whether a value that is no host looks like a placeholder or a variable: `$host`, `<host>:<port>`.
pub(super) fn stands_for_another(value: &[u8]) -> bool {
    matches!(value, [b'$' | b'<' | b'{' | b'%', next, ..] if next.is_ascii_alphabetic() || *next == b'{')
        || is_partly_placeholder(value)
}

/// `{your_password}`, `<password>`, `[YOUR-PASSWORD]`, `{{ password }}`, `%(password)s`.
fn enclosed(text: &str) -> bool {
    let inner = [("{{", "}}"), ("{", "}"), ("<", ">"), ("[", "]"), ("%(", ")s")]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close));
    // An IPv6 address in brackets is none: it has a colon.
    inner.is_some_and(|inner| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.');
        inner.chars().any(char::is_alphabetic) && inner.chars().all(word)
    })
}

/// `$PGPASSWORD`, `${PGPASSWORD}`, `${PGPASSWORD:-x}`, `$(command)`, `%PGPASSWORD%`, `$env:PGPASSWORD`, `<%= … %>`, `#{…}`.
fn variable(text: &str) -> bool {
    let name = |text: &str| {
        let mut letters = text.chars();
        letters.next().is_some_and(|c| c.is_ascii_uppercase() || c == '_')
            && letters.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let between = |open: &str, close: &str| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).filter(|inner| !inner.is_empty())
    };
    text.strip_prefix('$').is_some_and(name)
        || text.strip_prefix("$env:").is_some_and(|rest| !rest.is_empty())
        || between("%", "%").is_some_and(name)
        || [("${", "}"), ("$(", ")"), ("<%", "%>"), ("#{", "}"), ("${{", "}}")]
            .into_iter()
            .any(|(open, close)| between(open, close).is_some())
}

/// `****`, `xxxx`, `…`.
fn asterisks(text: &str) -> bool {
    text == "..." || text == "…" || (text.len() >= 3 && text.bytes().all(|byte| byte == b'*'))
}

/// `your_password`, `YOUR-PASSWORD-HERE`, `your_password_here`.
fn instruction(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = ["your_", "your-"].into_iter().find_map(|begin| lower.strip_prefix(begin));
    rest.is_some_and(|rest| {
        rest.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-')) && rest.len() > 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_left_around_a_password() {
        for text in ["[Fluss-Ufer-31]", "<a1b>", "{x!y}"] {
            assert!(bracketed(text).is_some(), "{text}");
        }
        for text in [
            "[YOUR-PASSWORD]",
            "<password1>",
            "[geheim]",
            "{{x1}}",
            "<%= ENV['X1'] %>",
            "[]",
            "[a1",
            "a1]",
            "",
        ] {
            assert!(bracketed(text).is_none(), "{text}");
        }
    }

    #[test]
    fn placeholders() {
        for text in [
            "{your_password}",
            "<host>",
            "[YOUR-PASSWORD]",
            "{ca-cert filename}",
            "****",
            "$PGPASSWORD",
            "${DB_PASSWORD}",
            "${{ secrets.X }}",
            "%DB_PASSWORD%",
            "$env:PGPASSWORD",
            "<%= ENV['X'] %>",
            "{{ password }}",
            "your_password_here",
            "...",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in
            ["", "a", "[::1]", "$ecret", "$1a", "p%a%b", "{}", "yours", "**", "db.example", "{a:b}", "secret"]
        {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
        assert!(!is_placeholder(b"{\xff}"));
        for text in [
            "db-${STAGE}.example.com",
            "${process.env.H}.example",
            "#{host}.local",
            "{{ h }}.svc",
            "$(cat h).x",
            "{your_server}.postgres.database.azure.com",
            "<host>.example",
        ] {
            assert!(is_partly_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["db.example", "${}", "a{b}", "$x.example", "[::1]"] {
            assert!(!is_partly_placeholder(text.as_bytes()), "{text}");
        }
    }
}
