//! `guide`: the pages of the manual.

use super::{Streams, Usage};
use crate::cli::DisplayArgs;
use crate::cli::guide::GuideArgs;
use crate::conninfo;
use crate::guide;
use crate::report::listing::guide::Topics;

pub(super) fn run(
    arguments: &GuideArgs,
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let form = super::listing_form(display)?;
    match &arguments.topic {
        None => streams.list(&Topics, form)?,
        Some(topic) => match guide::find(topic) {
            Some(page) => streams.list(page, form)?,
            None => return Err(unknown(topic).into()),
        },
    }
    Ok(0)
}

fn unknown(topic: &str) -> Usage {
    let nearest = guide::nearest(topic).map(|topic| format!("; did you mean {topic}?"));
    let topic = conninfo::mask_argument(topic.as_bytes());
    Usage(format!(
        "there is no page \"{topic}\"{}",
        nearest.unwrap_or_else(|| "; pgtls-check guide lists them".to_owned())
    ))
}
