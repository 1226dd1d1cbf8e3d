//! The nearest of several known words: for what people mistype.

use crate::verify::hints::distance;

/// The known word nearest to what was typed, if it is near: at most a third of its letters are amiss.
pub(super) fn nearest<'w>(typed: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let typed = typed.to_ascii_lowercase();
    if typed.chars().count() > 60 {
        return None;
    }
    let allowed = |word: &str| (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (distance(&typed, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= allowed(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["verify-full", "verify-ca", "require", "demo"];
        assert_eq!(nearest("verify-al", known), Some("verify-ca"));
        assert_eq!(nearest("Verify-Full", known), Some("verify-full"));
        assert_eq!(nearest("dem", known), Some("demo"));
        assert_eq!(nearest("quux", known), None);
        assert_eq!(nearest(&"x".repeat(1000), known), None);
    }
}
