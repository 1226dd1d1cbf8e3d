//! PEM that was altered on its way: line ends lost or escaped, quotes round it, indentation, base64 over it, typographic
//! dashes, its first and last line missing. OpenSSL finds no block in it; what it was is still plain. Nothing here is
//! ever used for a verdict.

use std::fmt;

use super::{Certificate, pem};

use crate::order;

/// How a text differs from PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alteration {
    /// The whole is encoded in base64 once more.
    Base64,
    /// Line ends are written as `\n`.
    EscapedLineEnds,
    /// Lines end with a carriage return alone.
    CarriageReturns,
    /// Everything is on one line.
    LostLineEnds,
    /// It is a value of JSON.
    Json,
    /// It is a value of YAML, or of another file of settings.
    Settings,
    /// It is in quotes.
    Quotes,
    /// Lines begin with blanks.
    Indentation,
    /// The dashes of the first and last line are others, or not five.
    Dashes,
    /// First and last line are missing.
    NoFirstAndLastLine,
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base64 => "it is encoded in base64 once more",
            Self::EscapedLineEnds => {
                "the two characters \\n (a backslash and an n) are where its line ends should be"
            }
            Self::CarriageReturns => "its lines end with CR (carriage return) alone",
            Self::LostLineEnds => "its line ends are lost",
            Self::Json => "it is inside JSON",
            Self::Settings => "it is inside YAML or another file of settings",
            Self::Quotes => "it has quotes around it",
            Self::Indentation => "its lines are indented (begin with spaces)",
            Self::Dashes => "its first or last line does not have five ASCII dashes on each side",
            Self::NoFirstAndLastLine => "its BEGIN and END lines are missing",
        })
    }
}

/// What was altered in a text with certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// How it differs from PEM; never empty.
    pub by: Vec<Alteration>,
    /// The certificates that it holds, in order; never empty. All of them decode.
    pub certificates: Vec<Certificate>,
}

/// A text is looked into so many times when base64 is in base64.
const DEPTH: usize = 2;

/// The certificates of altered PEM. `None` for PEM that is as it should be, and for what cannot be read with certainty:
/// each block must be whole, and its content a certificate.
pub fn altered(bytes: &[u8]) -> Option<Altered> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut found = read(text.trim_start_matches('\u{feff}'), DEPTH)?;
    order::sort(&mut found.by);
    found.by.dedup();
    (!found.by.is_empty() && !found.certificates.is_empty()).then_some(found)
}

fn read(text: &str, depth: usize) -> Option<Altered> {
    if let Some(blocks) = blocks(text) {
        let certificates = blocks.iter().map(|block| certificate(block.body)).collect::<Option<Vec<_>>>()?;
        return Some(Altered { by: alterations(text, &blocks), certificates });
    }
    if let Some((before, inner)) = text.find(ENCODED).and_then(|place| text.split_at_checked(place)) {
        let mut found = read(&encoded(inner)?, depth.checked_sub(1)?)?;
        let is_json = before.trim_start().starts_with(['{', '[']);
        let name = before.trim_end_matches(['"', '\'', ' ', '\t', '\n', '|']);
        found.by.push(Alteration::Base64);
        found.by.extend(is_json.then_some(Alteration::Json));
        found.by.extend((!is_json && name.ends_with([':', '='])).then_some(Alteration::Settings));
        found.by.extend((before.trim() == "\"" || before.trim() == "'").then_some(Alteration::Quotes));
        return Some(found);
    }
    let decoded = decoded(unquoted(text.trim()))?;
    if let Ok(inner) = std::str::from_utf8(&decoded) {
        let mut found = read(inner, depth.checked_sub(1)?)?;
        found.by.push(Alteration::Base64);
        return Some(found);
    }
    let certificate = Certificate::from_der(&decoded);
    certificate.facts().ok()?;
    let mut by = vec![Alteration::NoFirstAndLastLine];
    by.extend((unquoted(text.trim()) != text.trim()).then_some(Alteration::Quotes));
    Some(Altered { by, certificates: vec![certificate] })
}

/// How `-----BEGIN` begins in base64.
const ENCODED: &str = "LS0tLS1CRUdJT";

/// The text that base64 holds: up to its quote or the end, else up to the end of its line.
fn encoded(text: &str) -> Option<String> {
    let all = text.split(['"', '\'', '}']).next().unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    [all, line].into_iter().find_map(|part| String::from_utf8(decoded(part)?).ok())
}

/// A block: where its first line begins, the first line itself, what is between.
struct Block<'t> {
    before: &'t str,
    first: &'t str,
    body: &'t str,
    last: &'t str,
}

const DASHES: [char; 7] = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];

/// All blocks of certificates, however they are written; `None` where there is none, or one that does not end.
fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(begin) = boundary(rest, "BEGIN") {
        let body = rest.get(begin.end..)?;
        let end = boundary(body, "END")?;
        if begin.is_certificate {
            blocks.push(Block {
                before: rest.get(..begin.start)?,
                first: rest.get(begin.start..begin.end)?,
                body: body.get(..end.start)?,
                last: body.get(end.start..end.end)?,
            });
        }
        rest = body.get(end.end..)?;
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// The line that begins or ends a block.
struct Boundary {
    start: usize,
    end: usize,
    is_certificate: bool,
}

fn boundary(text: &str, word: &str) -> Option<Boundary> {
    let mut from = 0;
    loop {
        let place = from + text.get(from..)?.find(word)?;
        from = place + word.len();
        let before = text.get(..place)?;
        let opening = before.trim_end_matches(' ');
        let start = opening.trim_end_matches(DASHES).len();
        let label = text.get(from..)?;
        let Some(length) = label.find(DASHES) else { continue };
        let after = label.get(length..)?;
        let end = from + length + (after.len() - after.trim_start_matches(DASHES).len());
        let label = label.get(..length)?.trim();
        let is_label = label.len() < 64 && label.chars().all(|c| c.is_ascii_uppercase() || c == ' ');
        if start < opening.len() && is_label {
            return Some(Boundary { start, end, is_certificate: label.ends_with("CERTIFICATE") });
        }
    }
}

fn certificate(body: &str) -> Option<Certificate> {
    let certificate = Certificate::from_der_prefix(&decoded(body)?);
    certificate.facts().is_ok().then_some(certificate)
}

/// Base64 with whatever stands between its characters because of the alteration.
fn decoded(body: &str) -> Option<Vec<u8>> {
    let body = body.replace("\\r", "").replace("\\n", "").replace("\\/", "/");
    let characters: String = body
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | ',' | '\\' | '|' | '>'))
        .collect();
    if characters.is_empty() {
        return None;
    }
    pem::from_base64(characters.as_bytes())
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

fn alterations(text: &str, blocks: &[Block<'_>]) -> Vec<Alteration> {
    let mut by = Vec::new();
    let mut add = |holds: bool, alteration| by.extend(holds.then_some(alteration));
    let is_json = matches!(text.trim_start().chars().next(), Some('{' | '['));
    add(is_json, Alteration::Json);
    for block in blocks {
        let all = [block.first, block.body, block.last].concat();
        let before = block.before.rsplit('\n').next().unwrap_or_default();
        add(all.contains("\\n"), Alteration::EscapedLineEnds);
        add(all.contains('\r') && !all.contains('\n'), Alteration::CarriageReturns);
        add(!all.contains(['\n', '\r']) && !all.contains("\\n"), Alteration::LostLineEnds);
        add(is_dashed_otherwise(block.first) || is_dashed_otherwise(block.last), Alteration::Dashes);
        let name = before.trim_end_matches(['"', '\'', ' ', '\t']);
        add(!is_json && name.ends_with([':', '=']), Alteration::Settings);
        add(before.ends_with(['"', '\'']) && !is_json, Alteration::Quotes);
        add(is_indented(before) || block.body.lines().skip(1).any(is_indented), Alteration::Indentation);
    }
    add(!is_json && blocks.iter().any(|block| under_a_key(block.before)), Alteration::Settings);
    by
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// Whether the line above ends as a YAML key does before a text in lines of its own.
fn under_a_key(before: &str) -> bool {
    let above = before.trim_end();
    above.ends_with(['|', '>']) || above.ends_with("|-") || above.ends_with(">-") || above.ends_with(':')
}

fn is_dashed_otherwise(line: &str) -> bool {
    let dashes = |text: &str| text.chars().take_while(|c| DASHES.contains(c)).collect::<String>();
    let (front, back) = (dashes(line), dashes(&line.chars().rev().collect::<String>()));
    front != "-----"
        || back != "-----"
        || line.contains(" BEGIN")
        || line.contains(" END")
        || line.trim_end_matches(DASHES).ends_with(' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::certificate::pem;

    fn root() -> String {
        pem::write("CERTIFICATE", crate::testing::Authority::root("Root").certificate.der())
    }

    type Change = fn(&str) -> String;

    /// What people's tools do to a text, and how it is told.
    const CHANGES: [(Alteration, Change); 10] = [
        (Alteration::Dashes, |text| text.replace("-----", "\u{2014}\u{2014}-")),
        (Alteration::Indentation, |text| text.lines().map(|line| format!("    {line}\n")).collect()),
        (Alteration::NoFirstAndLastLine, |text| {
            text.lines()
                .filter(|line| !line.contains("CERTIFICATE"))
                .map(|line| format!("{line}\n"))
                .collect()
        }),
        (Alteration::EscapedLineEnds, |text| text.replace('\n', "\\n")),
        (Alteration::CarriageReturns, |text| text.replace('\n', "\r")),
        (Alteration::LostLineEnds, |text| text.replace('\n', " ")),
        (Alteration::Quotes, |text| format!("\"{text}\"")),
        (Alteration::Json, |text| format!("{{\"ca\": \"{}\"}}", text.replace('\n', "\\n"))),
        (Alteration::Settings, |text| {
            format!("ca: |\n{}", text.lines().map(|line| format!("  {line}\n")).collect::<String>())
        }),
        (Alteration::Base64, |text| {
            let text = pem::write("X", text.as_bytes());
            text.lines().filter(|line| !line.contains("-----")).collect::<Vec<_>>().join("\n")
        }),
    ];

    fn ders(altered: &Altered) -> Vec<&[u8]> {
        altered.certificates.iter().map(Certificate::der).collect()
    }

    #[test]
    fn each_alteration_is_told_and_undone() {
        let text = root();
        let [block] = pem::blocks(text.as_bytes()).try_into().unwrap();
        for (alteration, change) in CHANGES {
            let changed = change(&text);
            let found = altered(changed.as_bytes()).unwrap_or_else(|| panic!("{alteration:?}\n{changed}"));
            assert!(found.by.contains(&alteration), "{alteration:?}: {:?}\n{changed}", found.by);
            assert_eq!(ders(&found), [block.content.as_ref().unwrap()], "{alteration:?}");
        }
    }

    #[test]
    fn several_alterations_are_undone_too() {
        let text = root();
        for (first, change) in CHANGES {
            for (second, again) in CHANGES {
                let changed = again(&change(&text));
                // What has lost its first and last line in the midst of something else is anybody's guess.
                if first == Alteration::NoFirstAndLastLine || second == Alteration::NoFirstAndLastLine {
                    let _ = altered(changed.as_bytes());
                    continue;
                }
                let found =
                    altered(changed.as_bytes()).unwrap_or_else(|| panic!("{first:?} {second:?}\n{changed}"));
                assert_eq!(found.certificates.len(), 1, "{first:?} {second:?}");
            }
        }
    }

    #[test]
    fn a_bundle_gives_all_its_certificates_in_order() {
        let (one, two) = (root(), root());
        let both = format!("# a\n{one}# b\n{two}");
        let found = altered(both.replace('\n', "\\n").as_bytes()).unwrap();
        assert_eq!(found.certificates.len(), 2);
        assert_eq!(found.by, [Alteration::EscapedLineEnds]);
    }

    #[test]
    fn sound_pem_and_what_cannot_be_read_with_certainty_are_left_alone() {
        let text = root();
        let damaged = text.replace('\n', "\\n").replacen("MII", "M!I", 1);
        let cut = text.replace("-----END CERTIFICATE-----", "").replace('\n', " ");
        let two = format!("{}{}", text.replace('\n', " "), cut);
        for text in [
            "",
            "hello",
            "BEGIN",
            "-----BEGIN",
            "aGVsbG8=",
            &text,
            &text.replace('\n', "\r\n"),
            &damaged,
            &cut,
            &two,
        ] {
            assert_eq!(altered(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = altered(&bytes);
        }

        #[test]
        fn any_parts_are_read(parts in proptest::collection::vec(
            prop::sample::select(vec!["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "BEGIN", "END", "\u{2014}", "MII", "\\n", "\r", " ", "\"", "{", "|"]), 0..20)
        ) {
            let _ = altered(parts.concat().as_bytes());
        }
    }
}
