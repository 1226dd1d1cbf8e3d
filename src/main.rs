//! The `pgtls-check` program: turns a command line into an exit status.

use std::io;
use std::process::ExitCode;

use pgtls_check::cli::Cli;
use pgtls_check::commands;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version go to standard output and are no failure. Nobody is left to tell when printing fails.
            let status = answer.exit_code();
            let _ = answer.print();
            return ExitCode::from(u8::try_from(status).unwrap_or(commands::USAGE));
        }
    };
    match commands::run(&cli) {
        Ok(status) => status.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pgtls-check: {error:#}");
            commands::INTERNAL_ERROR.into()
        }
    }
}

/// Whoever read standard output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
