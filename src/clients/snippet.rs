//! Writes snippets: a client's template with the values of a connection in it, quoted for its language.
//!
//! A template is the snippet itself with marks in `«»`:
//! - `«host»`, `«hostaddr»`, `«port»`, `«database»`, `«user»`, `«root»`, `«certificate»`, `«key»`: the value, as a
//!   literal (numbers bare); `«place»` is the address to connect to, else the host; `«pkcs12»` is where a PKCS #12 file of
//!   certificate and key goes. `«string»` is what the client's own function composes, a URL for example, `«uri»`
//!   libpq's. A line with a mark whose value is not there is left out.
//! - `«each further»` at the beginning of a line repeats it for every further setting, `«keyword»` (bare) and `«value»`.
//! - `«if WORD»` at the beginning of a line keeps it only where that holds: `root`, `system`, `none` (no root at all),
//!   `client` (a certificate), `address` (the host is one), `hostaddr`; `«if not WORD»` the opposite.
//!
//! Passwords are no values: a template names the variable in which the client finds one.

use std::borrow::Cow;

use super::connection::{Connection, Root};
use super::quote::{Language, percent};
use super::strings::{pkcs12_beside, uri, words};
use crate::text::printable;

/// The snippet of a template, its lines without the last line feed.
pub fn write(template: &str, language: Language, connection: &Connection, string: Option<&str>) -> String {
    let lines: Vec<String> = template
        .trim_matches('\n')
        .lines()
        .flat_map(|line| match line.strip_prefix("«each further»") {
            Some(line) => further(line, language, connection),
            None => self::line(line, language, connection, string).into_iter().collect(),
        })
        .collect();
    lines.join("\n")
}

/// A line for every further setting.
fn further(line: &str, language: Language, connection: &Connection) -> Vec<String> {
    let (before, after) = line.split_once("«keyword»").unwrap_or(("", line));
    let (between, after) = after.split_once("«value»").unwrap_or((after, ""));
    let written = |(keyword, value): &(&str, String)| {
        format!("{before}{keyword}{between}{}{after}", language.literal(value))
    };
    connection.further.iter().map(written).collect()
}

/// A line, or `None` if it is to be left out.
fn line(
    mut template: &str,
    language: Language,
    connection: &Connection,
    string: Option<&str>,
) -> Option<String> {
    while let Some(rest) = template.strip_prefix("«if ") {
        let (condition, rest) = rest.split_once('»')?;
        let (wanted, word) = match condition.strip_prefix("not ") {
            Some(word) => (false, word),
            None => (true, condition),
        };
        if holds(word, connection)? != wanted {
            return None;
        }
        template = rest;
    }
    let mut written = String::new();
    while let Some((before, rest)) = template.split_once('«') {
        let (mark, rest) = rest.split_once('»')?;
        written.push_str(before);
        written.push_str(&value(mark, language, connection, string)?);
        template = rest;
    }
    written.push_str(template);
    Some(written)
}

fn holds(word: &str, connection: &Connection) -> Option<bool> {
    Some(match word {
        "root" => connection.root_file().is_some(),
        "system" => connection.root == Root::System,
        "none" => connection.root == Root::None,
        "client" => connection.client.is_some(),
        "address" => connection.host_is_address(),
        "hostaddr" => connection.hostaddr.is_some(),
        _ => return None,
    })
}

fn value(mark: &str, language: Language, connection: &Connection, string: Option<&str>) -> Option<String> {
    let text: Cow<'_, str> = match mark {
        "port" => return Some(connection.port.to_string()),
        "%root" => return connection.root_file().map(percent),
        "words" => return Some(printable(&words(connection))),
        "host" => connection.host.as_str().into(),
        "hostaddr" => connection.hostaddr.as_deref()?.into(),
        "place" => connection.address().into(),
        "database" => connection.database.as_str().into(),
        "user" => connection.user.as_str().into(),
        "root" => connection.root_file()?.into(),
        "certificate" => connection.client.as_ref()?.certificate.as_str().into(),
        "key" => connection.client.as_ref()?.key.as_str().into(),
        "pkcs12" => pkcs12_beside(&connection.client.as_ref()?.certificate).into(),
        "uri" => uri(connection).into(),
        "string" => string?.into(),
        _ => return None,
    };
    Some(language.literal(&text))
}

/// The marks and conditions a template uses, for the test that all of them are known.
#[cfg(test)]
pub fn marks(template: &str) -> impl Iterator<Item = &str> {
    template.split('«').skip(1).map(|rest| rest.split_once('»').expect("a mark ends").0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::connection;
    use super::*;

    const TEMPLATE: &str = "
connect(host=«host», port=«port»,
    hostaddr=«hostaddr»,
«if root»    root=«root»,
«if not root»    root=DEFAULT,
«if client»«if system»    both=yes,
    certificate=«certificate»,
)
";

    #[test]
    fn lines_whose_value_is_missing_are_left_out() {
        let bare = connection("host=db.example").unwrap();
        assert_eq!(
            write(TEMPLATE, Language::Python, &bare, None),
            "connect(host=\"db.example\", port=5432,\n    root=DEFAULT,\n)"
        );
        let full = connection(
            "host=db.example hostaddr=10.0.0.7 sslrootcert=/a'b sslcert=/c sslkey=/k sslmode=verify-full",
        )
        .unwrap();
        assert_eq!(
            write(TEMPLATE, Language::Php, &full, None),
            "connect(host='db.example', port=5432,\n    hostaddr='10.0.0.7',\n    root='/a\\'b',\n    \
             certificate='/c',\n)"
        );
    }

    #[test]
    fn what_is_inserted_is_no_template() {
        let odd = connection("host=db.example user=«host» dbname='«if root»'").unwrap();
        assert_eq!(
            write("a(«user», «database»)", Language::Python, &odd, None),
            "a(\"«host»\", \"«if root»\")"
        );
    }
}
