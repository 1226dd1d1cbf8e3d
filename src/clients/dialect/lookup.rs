//! What the rules of a row ask: which of a driver's words were given.

use super::{Kind, Setting};

/// The driver's settings as a row's rules ask for them.
pub(super) struct Lookup<'a> {
    pub(super) settings: &'a [Setting],
    /// The text's scheme, if it has one.
    pub(super) scheme: &'a str,
    pub(super) object: bool,
    /// From which setting on they stood round the string.
    pub(super) beside: usize,
    /// A setting that is to be taken for another word.
    pub(super) instead: Option<(usize, &'static str)>,
}

/// One setting that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    /// Its place in the list.
    pub at: usize,
    /// Its value; empty if it is not text.
    pub text: &'a str,
    pub kind: Kind,
}

impl<'a> Lookup<'a> {
    /// What counts for a keyword, by its first name.
    pub(super) fn get(&self, keyword: &str) -> Option<Word<'a>> {
        if let Some((at, text)) = self.instead
            && keyword == "sslmode"
        {
            return Some(Word { at, text, kind: Kind::Text });
        }
        self.word(|setting| setting.meaning.is_some() && setting.counts && setting.keyword == keyword)
            .or_else(|| self.word(|setting| setting.counts && setting.libpq() == Some(keyword)))
    }

    /// The same, if it is not set to nothing.
    pub(super) fn filled(&self, keyword: &str) -> Option<Word<'a>> {
        self.get(keyword).filter(|word| !word.text.is_empty() || word.kind != Kind::Text)
    }

    /// A keyword that the driver does not know.
    pub(super) fn ignored(&self, keyword: &str) -> Option<Word<'a>> {
        self.word(|setting| setting.meaning.is_none() && setting.keyword == keyword)
    }

    /// Where a keyword is given, whether it counts or not.
    pub(super) fn given(&self, keyword: &str) -> Option<usize> {
        self.settings.iter().position(|setting| setting.meaning.is_some() && setting.keyword == keyword)
    }

    /// A keyword that nobody knows, of those with this prefix; and its name without it.
    pub(super) fn unknown_in(&self, prefix: &str) -> Option<(usize, &'a str)> {
        let unknown = self.settings.iter().enumerate().filter(|(_, setting)| setting.meaning.is_none());
        unknown.into_iter().find_map(|(at, setting)| Some((at, setting.keyword.strip_prefix(prefix)?)))
    }

    /// The scheme of a URL, up to the authority, else nothing.
    pub(super) fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// Whether it is an object, not a string.
    pub(super) fn is_object(&self) -> bool {
        self.object
    }

    /// Whether a setting stood round the string, in an object or among the arguments of a call.
    pub(super) fn is_beside(&self, word: Word<'_>) -> bool {
        word.at >= self.beside && !self.is_of_variable(word)
    }

    /// Whether a variable says it, and not the string.
    pub(super) fn is_of_variable(&self, word: Word<'_>) -> bool {
        self.settings.get(word.at).is_some_and(|setting| setting.variable.is_some())
    }

    /// What `rules` make of this with another word for sslmode.
    pub(super) fn with<T>(&self, at: usize, mode: &'static str, rules: impl FnOnce(&Self) -> T) -> T {
        rules(&Lookup { instead: Some((at, mode)), ..*self })
    }

    fn word(&self, wanted: impl Fn(&Setting) -> bool) -> Option<Word<'a>> {
        let (at, setting) = self.settings.iter().enumerate().find(|(_, setting)| wanted(setting))?;
        let text = setting.value.plain().and_then(|bytes| std::str::from_utf8(bytes).ok());
        // What is not text is no word of anybody's.
        let text = text.unwrap_or("\u{fffd}");
        Some(Word { at, text, kind: setting.kind })
    }
}

/// A few characters of what was typed, fit to be shown.
pub(super) fn shown(text: &str) -> String {
    crate::text::printable(&crate::text::truncated(text, 40))
}
