//! Values that a driver writes in another way than libpq.

use std::borrow::Cow;

use super::{Meaning, Rewrite, Setting};

impl Setting {
    /// The value as libpq would have it; `None` where libpq has no such value, or where it is no option of libpq's.
    pub fn libpq_value(&self) -> Option<Cow<'_, [u8]>> {
        match self.meaning? {
            Meaning::Libpq(_) => Some(Cow::Borrowed(self.value.expose())),
            Meaning::Rewritten(_, rewrite) => {
                let text = std::str::from_utf8(self.value.expose()).ok()?;
                rewrite.libpq(text).map(|value| Cow::Owned(value.into_bytes()))
            }
            Meaning::Tls | Meaning::Server | Meaning::Own => None,
        }
    }
}

impl Rewrite {
    /// A value of the driver's as libpq's.
    fn libpq(self, text: &str) -> Option<String> {
        let text = text.trim();
        match self {
            Self::Milliseconds => text.parse::<u64>().ok().map(|limit| limit.div_ceil(1000).to_string()),
            Self::Duration => seconds(text).map(|limit| limit.to_string()),
            Self::ServerType => server_type(&bare(text)).map(str::to_owned),
            Self::Balancing => match bare(text).as_str() {
                "true" => Some("random".to_owned()),
                "false" => Some("disable".to_owned()),
                _ => None,
            },
            Self::Word => Some(words(text)),
        }
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn server_type(word: &str) -> Option<&'static str> {
    Some(match word {
        "any" => "any",
        "primary" | "master" => "primary",
        "secondary" | "slave" => "standby",
        "prefersecondary" | "preferslave" => "prefer-standby",
        _ => return None,
    })
}

/// `PreferStandby`, `PREFER_STANDBY`, `prefer standby` as `prefer-standby`.
fn words(text: &str) -> String {
    let mut word = String::new();
    let mut before = ' ';
    for character in text.chars() {
        if matches!(character, '_' | ' ' | '-') {
            word.push('-');
        } else {
            if character.is_ascii_uppercase() && before.is_ascii_lowercase() {
                word.push('-');
            }
            word.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    word
}

/// `PT1M30S` (ISO 8601, as java.time.Duration reads it) in whole seconds, rounded up.
fn seconds(text: &str) -> Option<u64> {
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix("PT")?;
    let mut total = 0.0_f64;
    let mut number = String::new();
    for character in rest.chars() {
        let unit = match character {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            '0'..='9' | '.' => {
                number.push(character);
                continue;
            }
            _ => return None,
        };
        total += std::mem::take(&mut number).parse::<f64>().ok()? * unit;
    }
    let whole = total.ceil();
    // Beyond that nobody waits.
    (number.is_empty() && !rest.is_empty() && (0.0..=1e9).contains(&whole)).then_some(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_another_way() {
        for (rewrite, text, expected) in [
            (Rewrite::Milliseconds, "1500", Some("2")),
            (Rewrite::Milliseconds, "0", Some("0")),
            (Rewrite::Milliseconds, "x", None),
            (Rewrite::Duration, "PT1M30S", Some("90")),
            (Rewrite::Duration, "pt0.5s", Some("1")),
            (Rewrite::Duration, "5", None),
            (Rewrite::Duration, "PT", None),
            (Rewrite::ServerType, "preferSecondary", Some("prefer-standby")),
            (Rewrite::ServerType, "PREFER_SECONDARY", Some("prefer-standby")),
            (Rewrite::ServerType, "preferPrimary", None),
            (Rewrite::Balancing, "true", Some("random")),
            (Rewrite::Word, "PreferStandby", Some("prefer-standby")),
            (Rewrite::Word, "READ_WRITE", Some("read-write")),
            (Rewrite::Word, "Direct", Some("direct")),
        ] {
            assert_eq!(rewrite.libpq(text).as_deref(), expected, "{text}");
        }
    }
}
