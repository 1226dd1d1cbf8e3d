//! What a run checks: the strings of the command line, those of a list, the sections of the service file.

use std::io::{self, BufRead, Read as _};
use std::path::Path;

use anyhow::Context as _;

use crate::cli::check::CheckArgs;
use crate::conninfo::{self, Environment, mask_path};
use crate::file;
use crate::secret::Secret;

/// The longest line of `--from`.
const LONGEST_LINE: usize = 64 * 1024;
/// The most targets of `--from`: a device that never ends is no list.
const MOST_LISTED: usize = 1_000_000;

/// The targets in their order: those of the command line, then those of `--from`. No target at all is one without a
/// string: environment or service say where to go.
pub(super) fn targets(
    arguments: &CheckArgs,
    environment: &Environment,
) -> anyhow::Result<Vec<Option<Secret>>> {
    let given = arguments.conninfo.iter().cloned().map(Some);
    let mut targets: Vec<Option<Secret>> = given.collect();
    if let Some(path) = &arguments.from {
        let listed = listed(path).with_context(|| format!("--from {}", mask_path(path)))?;
        anyhow::ensure!(
            !listed.is_empty() || !targets.is_empty(),
            "--from {}: no target in it",
            mask_path(path)
        );
        targets.extend(listed.into_iter().map(Some));
    }
    if arguments.all_services {
        let names = conninfo::service::names(environment);
        anyhow::ensure!(
            !names.is_empty(),
            "--all-services: no section in a service file (PGSERVICEFILE, else ~/.pg_service.conf)"
        );
        let service =
            |name: String| [b"service=".as_slice(), &conninfo::write::quoted(name.as_bytes())].concat();
        targets.extend(names.into_iter().map(|name| Some(Secret::new(service(name)))));
    }
    if targets.is_empty() {
        targets.push(None);
    }
    Ok(targets)
}

/// A connection string a line; blank lines and those that begin with `#` are none.
fn listed(path: &Path) -> anyhow::Result<Vec<Secret>> {
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(io::BufReader::new(file::open(path)?))
    };
    let mut targets = Vec::new();
    for number in 1.. {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(LONGEST_LINE as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        anyhow::ensure!(line.len() <= LONGEST_LINE, "line {number} is longer than {LONGEST_LINE} bytes");
        let line = line.trim_ascii();
        if !line.is_empty() && line.first() != Some(&b'#') {
            anyhow::ensure!(targets.len() < MOST_LISTED, "more than {MOST_LISTED} targets");
            targets.push(Secret::new(line.to_vec()));
        }
    }
    Ok(targets)
}
