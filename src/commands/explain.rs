//! `explain`: the page of a diagnosis, the list of all, or what an error text can stand for.

use std::io::{self, Read};

use anyhow::Context as _;
use serde_json::{Value as Json, json};

use super::{Streams, Usage, recognise};
use crate::cli::DisplayArgs;
use crate::cli::explain::ExplainArgs;
use crate::diagnose;
use crate::diagnose::catalogue::{self, Entry};
use crate::report::json::{SCHEMA, line};
use crate::report::{Format, Style, WIDEST};
use crate::text;

/// The longest error text that is read from standard input.
const LONGEST_TEXT: u64 = 64 * 1024;

pub(super) fn run(
    arguments: &ExplainArgs,
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let topic = arguments.topic.join(" ");
    let answer = match topic.trim() {
        "" => list(display.format, streams.style),
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().lock().take(LONGEST_TEXT).read_to_end(&mut bytes).context("standard input")?;
            readings(display.format, streams.style, &String::from_utf8_lossy(&bytes))
        }
        topic => match catalogue::entry(topic) {
            Some(entry) => page(display.format, streams.style, &entry),
            // A word that no client prints is a mistyped code; anything longer is the text of an error.
            None if !topic.contains(char::is_whitespace)
                && diagnose::recognise::recognise(topic).is_none() =>
            {
                let nearest = catalogue::nearest_code(topic).map(|code| format!("; did you mean {code}?"));
                let topic = text::printable(topic);
                return Err(Usage(format!(
                    "there is no diagnosis \"{topic}\"{}",
                    nearest.unwrap_or_default()
                ))
                .into());
            }
            None => readings(display.format, streams.style, topic),
        },
    };
    streams.print(&answer)?;
    Ok(0)
}

fn list(format: Format, style: Style) -> String {
    match format {
        Format::Human => style.text_lines(&catalogue::list()),
        Format::Json => {
            let entries: Vec<Json> = catalogue::all().map(|entry| summary(&entry)).collect();
            line(&json!({ "schema": SCHEMA, "diagnoses": entries }))
        }
    }
}

fn page(format: Format, style: Style, entry: &Entry) -> String {
    match format {
        Format::Human => style.text_lines(&entry.page(style.width.unwrap_or(WIDEST))),
        Format::Json => {
            let parts: serde_json::Map<String, Json> = entry
                .parts()
                .map(|(heading, text)| (heading.to_lowercase().replace(' ', "_"), json!(text)))
                .collect();
            line(&json!({ "schema": SCHEMA, "diagnosis": summary(entry), "parts": parts }))
        }
    }
}

fn summary(entry: &Entry) -> Json {
    json!({
        "code": entry.code,
        "stage": entry.stage.map(|stage| stage.name()),
        "exit_code": entry.stage.map(|stage| stage.exit_status()),
        "title": entry.title,
        "summary": entry.summary(),
        "retryable": entry.retryable,
    })
}

fn readings(format: Format, style: Style, text: &str) -> String {
    match format {
        Format::Human => recognise::human(style, text),
        Format::Json => recognise::json(text),
    }
}
