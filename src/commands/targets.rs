//! What a run checks: the strings of the command line, those of a list, the sections of the service file.

use std::io::{self, BufRead, Cursor, Read as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::check::Given;
use crate::cli::target::FleetArgs;
use crate::conninfo::{self, Environment, mask_path};
use crate::evidence::{Place, Source, SourceKind};
use crate::file;
use crate::secret::Secret;

/// The longest line of `--from`.
const LONGEST_LINE: usize = 64 * 1024;
/// The most targets of `--from`: a device that never ends is no list.
const MOST_LISTED: usize = 1_000_000;
/// The largest list in UTF-16, which is read as a whole.
const LARGEST_WIDE: u64 = 256 * 1024 * 1024;

/// The targets in their order: those of the command line, those of `--from`, those of `--all-services`. No target at all
/// is one without a string: options (`is_named`), environment or service say where to go.
pub(super) fn targets(
    strings: &[Secret],
    is_named: bool,
    fleet: &FleetArgs,
    environment: &Environment,
) -> anyhow::Result<Vec<Given>> {
    let given = strings.iter().cloned().map(|text| Given { text: Some(text), ..Given::default() });
    let mut targets: Vec<Given> = given.collect();
    if let Some(path) = &fleet.from {
        let listed = listed(path).with_context(|| {
            let similar = file::obstacle::similar(path).filter(|_| !file::exists(path));
            let meant = similar
                .map(|similar| format!(" (did you mean {}?)", mask_path(&similar)))
                .unwrap_or_default();
            format!("--from {}{meant}", mask_path(path))
        })?;
        anyhow::ensure!(
            !listed.is_empty() || !targets.is_empty(),
            "--from {}: no target in it",
            mask_path(path)
        );
        targets.extend(listed);
    }
    if fleet.all_services {
        let sections = conninfo::service::sections(environment);
        anyhow::ensure!(
            !sections.is_empty(),
            "--all-services: no service is defined: {}. If your file is elsewhere, set PGSERVICEFILE to it; a service is a line \
             [NAME] and below it one keyword=value per line",
            conninfo::service::without_sections(environment)
        );
        targets.extend(sections.into_iter().map(|section| {
            let text = [b"service=".as_slice(), &conninfo::write::quoted(section.name.as_bytes())].concat();
            let source = Source {
                kind: SourceKind::Service,
                file: Some(mask_path(&section.file).into()),
                line: u32::try_from(section.line).ok(),
                name: Some(section.name.into()),
                ..Source::default()
            };
            Given { text: Some(Secret::new(text)), source, member: None }
        }));
    }
    if targets.is_empty() {
        let kind = if is_named { SourceKind::Argument } else { SourceKind::Environment };
        targets.push(Given { source: Source { kind, ..Source::default() }, ..Given::default() });
    }
    for (place, target) in (0..).zip(&mut targets) {
        target.source.place = Place { target: place, member: 0 };
    }
    // A long list is kept for as long as the run lasts.
    targets.shrink_to_fit();
    Ok(targets)
}

/// A connection string or a host a line; blank lines and those that begin with `#` are none.
fn listed(path: &Path) -> anyhow::Result<Vec<Given>> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let reader = file::open(path)?;
        file::metadata(path).iter().for_each(|metadata| file::note(path, metadata));
        Box::new(io::BufReader::new(reader))
    };
    let name = if path == Path::new("-") { "(standard input)".to_owned() } else { mask_path(path) };
    lines(reader, &name.into())
}

fn lines(reader: Box<dyn BufRead + '_>, file: &Arc<str>) -> anyhow::Result<Vec<Given>> {
    let mut reader = in_utf8(reader)?;
    let (mut targets, mut block) = (Vec::new(), Block::default());
    for number in 1.. {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(LONGEST_LINE as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        anyhow::ensure!(line.len() <= LONGEST_LINE, "line {number} is longer than {LONGEST_LINE} bytes");
        let line = line.trim_ascii();
        anyhow::ensure!(
            !line.contains(&0),
            "line {number} holds a zero byte: this is no text, or UTF-16 without a byte-order mark"
        );
        // Its lines would be taken for hosts, looked up and shown.
        anyhow::ensure!(
            !conninfo::is_line_of_content(line),
            "line {number} is part of a key or certificate: this is a PEM file, not a list of targets"
        );
        if !line.is_empty() && line.first() != Some(&b'#') {
            anyhow::ensure!(targets.len() < MOST_LISTED, "more than {MOST_LISTED} targets");
            let source = Source {
                kind: SourceKind::File,
                file: Some(Arc::clone(file)),
                line: Some(number),
                ..Source::default()
            };
            let host = if is_bare_host(line) { b"host=".as_slice() } else { b"" };
            block.add(&[host, line].concat());
            targets.push(Given { text: None, source, member: None });
            if block.bytes.len() >= BLOCK {
                block.give_to(&mut targets);
            }
        }
    }
    block.give_to(&mut targets);
    Ok(targets)
}

/// Lines that share one memory: each in its own would take half as much again.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    lines: Vec<Range<usize>>,
}

/// A block is full with so many bytes.
const BLOCK: usize = 64 * 1024;

impl Block {
    fn add(&mut self, line: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(line);
        self.lines.push(start..self.bytes.len());
    }

    /// Gives the last targets their lines, and begins anew.
    fn give_to(&mut self, targets: &mut [Given]) {
        let Self { mut bytes, lines } = std::mem::take(self);
        bytes.shrink_to_fit();
        let whole = Secret::new(bytes);
        for (target, line) in targets.iter_mut().rev().zip(lines.into_iter().rev()) {
            target.text = whole.expose().get(line.clone()).and_then(|bytes| whole.part(line, bytes));
        }
    }
}

/// Takes off the byte-order mark of UTF-8, and reads what begins with one of UTF-16's, as Windows' editors and PowerShell
/// write it.
fn in_utf8<'a>(mut reader: Box<dyn BufRead + 'a>) -> anyhow::Result<Box<dyn BufRead + 'a>> {
    let begin = reader.fill_buf()?;
    let read = match begin {
        [0xEF, 0xBB, 0xBF, ..] => {
            reader.consume(3);
            return Ok(reader);
        }
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return Ok(reader),
    };
    reader.consume(2);
    let mut bytes = Vec::new();
    (&mut reader).take(LARGEST_WIDE + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() as u64 <= LARGEST_WIDE,
        "this list in UTF-16 is larger than {LARGEST_WIDE} bytes"
    );
    let (units, rest) = bytes.as_chunks::<2>();
    anyhow::ensure!(rest.is_empty(), "this UTF-16 text ends within a character");
    let text = char::decode_utf16(units.iter().map(|unit| read(*unit))).collect::<Result<String, _>>();
    let text = text.map_err(|_| anyhow::anyhow!("this is not UTF-16, though it begins like it"))?;
    Ok(Box::new(Cursor::new(text.into_bytes())))
}

/// Whether a line is one name and nothing else. On the command line it would have to resolve to be taken for a host; in a
/// list of targets it can be nothing else.
fn is_bare_host(line: &[u8]) -> bool {
    line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(String, u32)>, String> {
        let given = lines(Box::new(bytes), &"fleet.txt".into()).map_err(|error| error.to_string())?;
        let text = |target: Given| {
            let text = String::from_utf8(target.text.unwrap().expose().to_vec()).unwrap();
            (text, target.source.line.unwrap())
        };
        Ok(given.into_iter().map(text).collect())
    }

    fn wide(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_list_is_read_in_the_encodings_that_editors_write() {
        let text = "# fleet\r\ndb012\r\n\r\nhost=\u{e4}.example user=me\r\ndb1.example.com:6432\n";
        let expected = vec![
            ("host=db012".to_owned(), 2),
            ("host=\u{e4}.example user=me".to_owned(), 4),
            ("db1.example.com:6432".to_owned(), 5),
        ];
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            wide(text, u16::to_le_bytes),
            wide(text, u16::to_be_bytes),
        ] {
            assert_eq!(read(&bytes), Ok(expected.clone()));
        }
    }

    #[test]
    fn lines_keep_their_text_whatever_block_they_are_in() {
        let lines: Vec<(String, u32)> = (1..5000)
            .map(|number| (format!("host=db{number} user={}", "x".repeat(number % 97)), number as u32))
            .collect();
        let text: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
        assert!(text.len() > 3 * BLOCK);
        assert_eq!(read(text.as_bytes()), Ok(lines));
    }

    #[test]
    fn a_file_with_a_key_is_no_list() {
        let body = "Jc1Q1JEnij1VpSTIomwppqKlvImv3nbrRvlDC4JklnoWix9iuIWjlI9ZfJHoV0ab";
        for text in [
            format!("-----BEGIN PRIVATE KEY-----\nMIIE\n{body}\n-----END PRIVATE KEY-----\n"),
            format!("host=a sslkey=-----BEGIN PRIVATE KEY-----\n{body}\n"),
            format!("KEY=\"-----BEGIN PRIVATE KEY-----\n{body}\n"),
            format!("tls.key: |\n  {body}\n"),
            format!("{body}\nAbC\n"),
            "MC4CAQAwBQYDK2VwBCIEIHfa81rO2q9eoX7\n".to_owned(),
        ] {
            assert!(read(text.as_bytes()).unwrap_err().contains("is part of a key"), "{text}");
        }
        // A whole one in a string is a fault of that string alone.
        let string = "host=a sslkey=-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----";
        assert_eq!(read(string.as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_text_is_named() {
        let unmarked = wide("host=a", u16::to_le_bytes).split_off(2);
        assert!(read(&unmarked).unwrap_err().contains("UTF-16 without a byte-order mark"));
        assert!(read(b"\xff\xfea").unwrap_err().contains("ends within a character"));
        assert!(read(b"\xff\xfe\x00\xd8").unwrap_err().contains("not UTF-16"));
    }
}
