//! Passwords that a semicolon in them ends, as their driver reads the string.

use super::grammar::Form;
use super::grammar::pairs::Syntax;
use super::secrets::sounds_secret;
use super::{Dialect, Failure, Fault, Reading, Target, read};

impl Dialect {
    /// How a password with a semicolon in it is given; `None` where none ends it.
    pub fn semicolons(&self) -> Option<&'static str> {
        self.forms.iter().find_map(|form| match form {
            Form::Pairs(rules) => Some(match rules.syntax {
                Syntax::AdoNet => "set it in double quotes, Password=\"…\" (each \" in it doubled)",
                Syntax::Odbc => "set it in braces, Pwd={…} (each } in it doubled)",
                Syntax::SemicolonsToo { .. } => "give it in the call's own argument, behind the user's",
                Syntax::Blanks(_) => return None,
            }),
            _ => None,
        })
    }
}

impl Failure {
    /// How a password is given that ends at a semicolon just before a fault, and the string without it, if it can be
    /// written.
    pub fn behind_password(&self, fault: &Fault, typed: &[u8]) -> Option<(&'static str, Option<Vec<u8>>)> {
        let how = self.dialect.semicolons()?;
        let end = typed.get(..fault.place.start)?.trim_ascii_end().strip_suffix(b";")?.len();
        let pair = typed.get(..end)?.rsplit(|byte| *byte == b';').next()?;
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let name = |pair: &[u8]| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            String::from_utf8_lossy(name.trim_ascii()).into_owned()
        };
        if !sounds_secret(&name(pair)) {
            return None;
        }
        // The rest of the password reaches to the next keyword.
        let mut at = end;
        let begins = |piece: &[u8]| piece.contains(&b'=') && self.dialect.has(&name(piece));
        for piece in typed.get(end..)?.split(|byte| *byte == b';') {
            if begins(piece) {
                break;
            }
            at += piece.len() + 1;
        }
        let mut rest = typed.get(..end - pair.len() + equals + 1)?.to_vec();
        rest.extend(b"x;");
        rest.extend(typed.get(at..).unwrap_or_default());
        let written = match read(&rest, Some(self.dialect)) {
            Target::Driver(reading) => reading.corrected(&[], None).ok(),
            _ => None,
        };
        Some((how, written))
    }
}

impl Reading {
    /// How a password is given behind which the driver passes over what is no pair.
    pub fn lost_behind_password(&self, typed: &[u8]) -> Option<&'static str> {
        let password = self.settings.iter().find(|setting| setting.libpq() == Some("password"))?;
        let rest = typed.get(password.place.value.end..)?.strip_prefix(b";")?;
        let piece = rest.split(|byte| *byte == b';').next()?.trim_ascii();
        (!piece.is_empty() && !piece.contains(&b'=')).then(|| self.dialect.semicolons()).flatten()
    }
}
