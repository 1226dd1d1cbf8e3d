//! Long texts that few runs need: the pages of codes, the manual, known error texts and their translations, terms, the snippets
//! of clients, roots. `build.rs` packs them to about a third.

use std::sync::LazyLock;

use crate::certificate::{first_length, pem};

/// Texts that were packed together.
struct Packed {
    deflated: &'static [u8],
    /// Name and end of each, in their order.
    ends: &'static [(&'static str, usize)],
}

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// Memory that their texts may take.
const LARGEST: usize = 1 << 20;

static EXPLAIN: LazyLock<String> = LazyLock::new(|| EXPLAIN_PACKED.unpacked());
static GUIDE: LazyLock<String> = LazyLock::new(|| GUIDE_PACKED.unpacked());
static TRANSLATIONS: LazyLock<String> = LazyLock::new(|| TRANSLATIONS_PACKED.unpacked());
static RECOGNISE: LazyLock<String> = LazyLock::new(|| RECOGNISE_PACKED.unpacked());
static TERMS: LazyLock<String> = LazyLock::new(|| TERMS_PACKED.unpacked());
static CLIENTS: LazyLock<String> = LazyLock::new(|| CLIENTS_PACKED.unpacked());
static CERTS: LazyLock<String> = LazyLock::new(|| as_pem(&CERTS_PACKED.bytes()));
static ROOTS: LazyLock<String> = LazyLock::new(|| ROOTS_PACKED.unpacked());
static LISTS: LazyLock<String> = LazyLock::new(|| LISTS_PACKED.unpacked());

impl Packed {
    /// All of them, one after another. That they unpack is a matter of the build: a test holds it.
    fn unpacked(&self) -> String {
        String::from_utf8(self.bytes()).unwrap_or_default()
    }

    fn bytes(&self) -> Vec<u8> {
        miniz_oxide::inflate::decompress_to_vec_with_limit(self.deflated, LARGEST).unwrap_or_default()
    }

    fn one<'a>(&self, texts: &'a str, name: &str) -> Option<&'a str> {
        let place = self.ends.iter().position(|(known, _)| *known == name)?;
        let end = |place: usize| self.ends.get(place).map(|(_, end)| *end);
        texts.get(place.checked_sub(1).map_or(Some(0), end)?..end(place)?)
    }
}

/// Certificates, one after another, as PEM.
fn as_pem(mut certificates: &[u8]) -> String {
    let mut text = String::new();
    while !certificates.is_empty() {
        let (first, rest) = certificates.split_at(first_length(certificates));
        text += &pem::write("CERTIFICATE", first);
        certificates = rest;
    }
    text
}

/// A text, by the folder (`roots` and `lists` are those of `certs`) and the name of its file; nothing where there is none.
pub(crate) fn text(folder: &str, name: &str) -> &'static str {
    let found = match folder {
        "explain" => EXPLAIN_PACKED.one(&EXPLAIN, name),
        "guide" => GUIDE_PACKED.one(&GUIDE, name),
        "recognise" if name == "translations" => TRANSLATIONS_PACKED.one(&TRANSLATIONS, name),
        "recognise" => RECOGNISE_PACKED.one(&RECOGNISE, name),
        "terms" => TERMS_PACKED.one(&TERMS, name),
        "clients" => CLIENTS_PACKED.one(&CLIENTS, name),
        "roots" => ROOTS_PACKED.one(&ROOTS, name),
        "lists" => LISTS_PACKED.one(&LISTS, name),
        _ => CERTS_PACKED.one(&CERTS, name),
    };
    found.unwrap_or_default()
}

/// The rows of a table with tabs, whose comments begin with `#`; a row that lacks a field is none.
pub(crate) fn rows<const FIELDS: usize>(
    folder: &str,
    name: &str,
) -> impl Iterator<Item = [&'static str; FIELDS]> + use<FIELDS> {
    let lines = text(folder, name).lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut fields = [""; FIELDS];
        let mut values = line.split('\t');
        for field in &mut fields {
            *field = values.next()?;
        }
        Some(fields)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_text_is_that_of_its_file() {
        let folders = [
            ("explain", &EXPLAIN_PACKED),
            ("guide", &GUIDE_PACKED),
            ("recognise", &TRANSLATIONS_PACKED),
            ("recognise", &RECOGNISE_PACKED),
            ("terms", &TERMS_PACKED),
            ("clients", &CLIENTS_PACKED),
            ("certs", &CERTS_PACKED),
            ("roots", &ROOTS_PACKED),
            ("lists", &LISTS_PACKED),
        ];
        for (folder, packed) in folders {
            assert!(!packed.ends.is_empty());
            for (name, _) in packed.ends {
                let written_in = if matches!(folder, "lists" | "roots") { "certs" } else { folder };
                let places = ["src/diagnose", "src", "."].map(|place| Path::new(place).join(written_in));
                let files = places.iter().flat_map(|place| {
                    ["md", "pem", "tsv", "csv", "txt"].map(|ending| place.join(format!("{name}.{ending}")))
                });
                let written = files.filter_map(|file| fs::read_to_string(file).ok()).next().unwrap();
                // As build.rs has line ends.
                assert_eq!(text(folder, name), written.replace("\r\n", "\n"), "{folder}/{name}");
            }
        }
        assert_eq!(text("guide", "nothing"), "");
    }
}
