//! Long pages on a terminal, a screen at a time, as git and man show theirs.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::conninfo::Environment;

/// A program that shows text a screen at a time.
pub struct Pager {
    command: String,
    /// The lines of the terminal.
    rows: usize,
    /// The variable LESS, where nobody set it: end at once where all fits, keep colours, leave the screen as it is.
    less: bool,
}

impl Pager {
    /// What PAGER names, else less; none for a terminal that cannot move its cursor.
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        let variable = |name: &str| {
            let value = environment.variables.get(std::ffi::OsStr::new(name))?;
            value.to_str().map(str::to_owned)
        };
        let rows = terminal_size::terminal_size().map(|(_, rows)| usize::from(rows.0))?;
        let command = variable("PAGER").unwrap_or_else(|| "less".to_owned());
        let none =
            cfg!(windows) || command.trim().is_empty() || variable("TERM").is_none_or(|term| term == "dumb");
        (!none).then(|| Self { command, rows, less: variable("LESS").is_none() })
    }

    /// Shows a text that is longer than the screen. Whether it was shown.
    pub(super) fn show(&self, text: &str) -> bool {
        if text.lines().count() < self.rows {
            return false;
        }
        let mut command = Command::new("sh");
        command.args(["-c", &self.command]).stdin(Stdio::piped());
        if self.less {
            command.env("LESS", "FRX");
        }
        let Ok(mut child) = command.spawn() else { return false };
        if let Some(mut input) = child.stdin.take() {
            // A reader who has seen enough closes it.
            let _ = input.write_all(text.as_bytes());
        }
        // 127: the shell found no such program, and nothing was shown.
        child.wait().is_ok_and(|status| status.code() != Some(127))
    }
}
