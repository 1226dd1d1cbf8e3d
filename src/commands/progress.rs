//! The line on a terminal's standard error that says for what a check is waiting. It is redrawn in its place and wiped
//! before anything else is written.

use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::probe::{Observer, Wait};
use crate::report::Style;
use crate::text::{truncated, width};

/// A check that takes no longer says nothing.
const FIRST_SHOWN: Duration = Duration::from_millis(300);
const REDRAW: Duration = Duration::from_millis(100);

/// The style of the line, if there is somebody to tell, and a terminal that can redraw.
pub(super) fn wanted(style: Style) -> Option<Style> {
    let redraws = style.width.is_some()
        && io::stderr().is_terminal()
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
    redraws.then_some(style)
}

/// Runs a check and tells meanwhile, where a style is given, for what it waits.
pub(super) async fn watched<T>(style: Option<Style>, check: impl AsyncFnOnce(Rc<dyn Observer>) -> T) -> T {
    let Some(style) = style else { return check(Rc::new(())).await };
    let line = Rc::new(ProgressLine { style, state: Mutex::default() });
    let observer: Rc<dyn Observer> = Rc::<ProgressLine>::clone(&line);
    let check = check(observer);
    tokio::pin!(check);
    let mut ticks = tokio::time::interval(REDRAW);
    loop {
        tokio::select! {
            result = &mut check => break result,
            _ = ticks.tick() => line.redraw(),
        }
    }
}

/// What the line tells.
struct ProgressLine {
    style: Style,
    state: Mutex<LineState>,
}

#[derive(Default)]
struct LineState {
    /// What is waited for, and since when something has been.
    wait: Option<(Wait, Instant)>,
    /// What stands on the terminal.
    drawn: String,
}

impl Observer for ProgressLine {
    fn waits(&self, wait: Wait) {
        self.change(|state| {
            let since = state.wait.as_ref().map_or(wait.since, |(_, since)| *since);
            state.wait = Some((wait, since));
        });
    }

    fn ended(&self) {
        self.change(|state| {
            state.wait = None;
            state.draw(String::new());
        });
    }
}

impl ProgressLine {
    fn redraw(&self) {
        self.change(|state| {
            if let Some((wait, _)) = state.wait.as_ref().filter(|(_, since)| since.elapsed() >= FIRST_SHOWN) {
                let text = text(wait, self.style);
                state.draw(text);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut LineState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl LineState {
    /// Takes the place of what was drawn before. Nobody minds a picture that cannot be drawn.
    fn draw(&mut self, text: String) {
        if self.drawn != text {
            let mut out = io::stderr().lock();
            let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
            self.drawn = text;
        }
    }
}

/// `tcp  10.0.4.5:5432  3 s of 10 s`
fn text(wait: &Wait, style: Style) -> String {
    let times = format!("  {} s of {} s", wait.since.elapsed().as_secs(), wait.limit.as_secs());
    let room = style.width.unwrap_or(80).saturating_sub(width(&times) + 1);
    truncated(&format!("{}  {}", wait.stage.name(), style.text(&wait.target)), room) + &times
}
