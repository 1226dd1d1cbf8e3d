//! `explain`: the page of a diagnosis, the list of all, what a term means, or what an error text can stand for.

use std::io::{self, Read};

use anyhow::Context as _;

use super::{Streams, Usage};
use crate::cli::DisplayArgs;
use crate::cli::explain::ExplainArgs;
use crate::conninfo;
use crate::diagnose::recognise::recognise;
use crate::diagnose::{catalogue, terms};
use crate::report::Listing;
use crate::report::listing::catalogue::Codes;
use crate::report::listing::readings::Readings;

/// The longest error text that is read from standard input.
const LONGEST_TEXT: u64 = 64 * 1024;

pub(super) fn run(
    arguments: &ExplainArgs,
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let form = super::listing_form(display)?;
    let topic = arguments.topic.join(" ");
    let mut show = |listing: &dyn Listing| streams.list(listing, form);
    match topic.trim() {
        "" => show(&Codes)?,
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().lock().take(LONGEST_TEXT).read_to_end(&mut bytes).context("standard input")?;
            show(&Readings(&String::from_utf8_lossy(&bytes)))?;
        }
        topic => {
            if let Some(code) = catalogue::code(topic) {
                show(code)?;
            } else if let Some(term) = terms::term(topic) {
                show(&term)?;
            } else if let Some(line) = terms::hba_line(topic) {
                show(&line)?;
            } else if is_mistyped(topic) {
                return Err(unknown(topic).into());
            } else {
                show(&Readings(topic))?;
            }
        }
    }
    Ok(0)
}

/// A word that no client prints is a mistyped code; anything longer is the text of an error.
fn is_mistyped(topic: &str) -> bool {
    !topic.contains(char::is_whitespace) && recognise(topic).is_none()
}

fn unknown(topic: &str) -> Usage {
    let nearest = catalogue::nearest_code(topic).map(|code| format!("; did you mean {code}?"));
    let topic = conninfo::mask_argument(topic.as_bytes());
    Usage(format!("there is no diagnosis \"{topic}\"{}", nearest.unwrap_or_default()))
}
