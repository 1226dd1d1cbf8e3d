//! The `pgtls-check` program: turns a command line into an exit status.

#[cfg(not(target_env = "musl"))]
use std::alloc::System;
use std::io::{self, Write as _};
use std::process::ExitCode;

#[cfg(target_env = "musl")]
use dlmalloc::GlobalDlmalloc as System;
use pgtls_check::cli::Cli;
use pgtls_check::commands::{self, completions};
use pgtls_check::conninfo::mask_argument;
use zeroizing_alloc::ZeroAlloc;

/// Memory is wiped as it is freed: what clap, the parsers and the TLS stack copy of a password stays nowhere.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    if completions::is_asked() {
        // A shell shows nothing of an error in the middle of a line.
        return ExitCode::from(
            completions::answer(std::env::args_os()).map_or(commands::INTERNAL_ERROR, |()| 0),
        );
    }
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(answer) => {
            if let Some(trouble) = commands::trouble(&answer, std::env::args_os()) {
                let _ = write!(io::stdout(), "{}", trouble.line);
                return trouble.exit_status.into();
            }
            // Help and version go to standard output and are no failure, unless they cannot be written; that nobody reads on
            // is none either.
            let status = u8::try_from(answer.exit_code()).unwrap_or(commands::USAGE);
            let lost = answer.print().is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe);
            return ExitCode::from(if lost && status == 0 { commands::INTERNAL_ERROR } else { status });
        }
    };
    match commands::run(&cli) {
        Ok(status) => status.into(),
        Err(error) => {
            let words = mask_argument(format!("{error:#}").as_bytes());
            let _ = writeln!(io::stderr(), "pgtls-check: {words}");
            commands::INTERNAL_ERROR.into()
        }
    }
}
