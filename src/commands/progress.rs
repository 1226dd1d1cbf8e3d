//! The line on a terminal's standard error that says for what a check is waiting. It is redrawn in its place and wiped
//! before anything else is written.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::plan::{Progress, Wait};
use crate::report::Style;
use crate::text::{truncated, width};

/// A check that takes no longer says nothing.
const PATIENCE: Duration = Duration::from_millis(300);
const REDRAW: Duration = Duration::from_millis(200);

/// Whether there is somebody to tell, and a terminal that can redraw.
pub(super) fn is_wanted(style: Style) -> bool {
    style.width.is_some()
        && io::stderr().is_terminal()
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Runs a check and tells meanwhile for what it waits.
pub(super) async fn told<T>(progress: &Progress, style: Style, check: impl Future<Output = T>) -> T {
    let mut drawn = false;
    tokio::pin!(check);
    let first = tokio::time::Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval_at(first, REDRAW);
    let result = loop {
        tokio::select! {
            result = &mut check => break result,
            _ = ticks.tick() => {
                if let Some(wait) = progress.now() {
                    draw(&line(&wait, style));
                    drawn = true;
                }
            }
        }
    };
    if drawn {
        draw("");
    }
    result
}

/// `tcp  10.0.4.5:5432  3 s of 10 s`
fn line(wait: &Wait, style: Style) -> String {
    let times = format!("  {} s of {} s", wait.since.elapsed().as_secs(), wait.limit.as_secs());
    let room = style.width.unwrap_or(80).saturating_sub(width(&times) + 1);
    truncated(&format!("{}  {}", wait.stage.name(), style.text(&wait.target)), room) + &times
}

/// Takes the place of what was drawn before. Nobody minds a picture that cannot be drawn.
fn draw(text: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}
