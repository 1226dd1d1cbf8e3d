//! The translations that `explain` knows are those of PostgreSQL's own message catalogues.
//!
//! With `UPDATE_SNAPSHOTS=1` the file is written anew from the installed catalogues; languages that have none keep their
//! lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pgtls_check::diagnose::recognise::recognise;

use super::libpq_messages::replaced;

const FILE: &str = "src/diagnose/recognise/translations.tsv";

/// Languages without a catalogue in version 15.
const REPORTED: [&str; 1] = ["pt_BR"];

/// `(language, text)` by the English text.
type Translations = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn they_are_those_of_postgresql_and_libpq() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let file = std::fs::read_to_string(&path).unwrap();
    let english: Vec<&str> = file.lines().filter(|line| !line.starts_with('\t')).collect();
    let known = read(&file);
    let installed = catalogues();
    let mut expected = String::new();
    for text in &english {
        let mut translations =
            installed.get(*text).cloned().unwrap_or_else(|| panic!("no catalogue has {text}"));
        for language in REPORTED {
            if let Some(text) = known[*text].get(language) {
                translations.insert(language.to_owned(), text.clone());
            }
        }
        writeln!(expected, "{text}").unwrap();
        for (language, text) in translations {
            writeln!(expected, "\t{language}\t{text}").unwrap();
        }
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(file == expected, "{FILE} differs from the installed catalogues; UPDATE_SNAPSHOTS=1 writes it");
}

#[test]
fn what_a_server_or_libpq_reports_in_a_language_reads_as_in_english() {
    let file = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).unwrap();
    let mut languages = BTreeMap::<String, usize>::new();
    for (english, translations) in read(&file) {
        let expected =
            recognise(&english.replace('*', "x1")).unwrap_or_else(|| panic!("{english}")).readings();
        for (language, text) in translations {
            let pasted = format!("psql: FATAL:  {}\n", text.replace('*', "x1"));
            let readings = recognise(&pasted).unwrap_or_else(|| panic!("{language}: {pasted}")).readings();
            assert_eq!(readings, expected, "{language}: {pasted}");
            *languages.entry(language).or_default() += 1;
        }
    }
    for language in ["de", "es", "fr", "ja", "zh_CN"] {
        assert!(languages[language] >= 50, "{language}: {}", languages[language]);
    }
    assert!(languages["pt_BR"] >= 5);
}

fn read(file: &str) -> Translations {
    let mut translations = Translations::new();
    let mut english = "";
    for line in file.lines() {
        match line.strip_prefix('\t').and_then(|line| line.split_once('\t')) {
            None => english = line,
            Some((language, text)) => {
                translations
                    .entry(english.to_owned())
                    .or_default()
                    .insert(language.to_owned(), text.to_owned());
            }
        }
    }
    translations
}

/// What the catalogues of Debian's packages say, with `*` for the variable parts.
fn catalogues() -> Translations {
    let mut translations = Translations::new();
    let mut count = 0;
    for entry in std::fs::read_dir("/usr/share/locale")
        .expect("/usr/share/locale; apt-get install postgresql-15 libpq5")
    {
        let entry = entry.unwrap();
        let language = entry.file_name().into_string().unwrap();
        for name in ["libpq5-15.mo", "postgres-15.mo"] {
            let path: PathBuf = entry.path().join("LC_MESSAGES").join(name);
            let Ok(bytes) = std::fs::read(&path) else { continue };
            count += 1;
            for (english, text) in catalogue(&bytes) {
                let (english, text) = (pattern(&english), pattern(&text));
                if english != text {
                    translations.entry(english).or_default().entry(language.clone()).or_insert(text);
                }
            }
        }
    }
    assert!(count >= 20, "{count} catalogues; apt-get install --reinstall postgresql-15 libpq5");
    translations
}

/// The messages of a catalogue in GNU's format (gettext's manual, "The Format of GNU MO Files"); of those with a plural
/// the first form.
fn catalogue(bytes: &[u8]) -> Vec<(String, String)> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(number(0), 0x9504_12de, "a catalogue in little-endian order");
    let (count, originals, translations) = (number(8), number(12), number(16));
    let text = |table: usize, index: usize| {
        let (length, start) = (number(table + 8 * index), number(table + 8 * index + 4));
        let text = String::from_utf8(bytes[start..start + length].to_vec()).unwrap();
        text.split('\0').next().unwrap_or_default().to_owned()
    };
    (0..count).map(|index| (text(originals, index), text(translations, index))).collect()
}

/// A message with `*` for its printf conversions, and single blanks.
fn pattern(message: &str) -> String {
    replaced(message, "*").split_whitespace().collect::<Vec<_>>().join(" ")
}
