//! `demo`: a check against the embedded server, healthy or with a fault; or that server alone, for other programs.

use anyhow::Context as _;

use super::{Streams, Usage};
use crate::check::{Setup, Signals, audited, block_on, check};
use crate::cli::DisplayArgs;
use crate::cli::demo::DemoArgs;
use crate::conninfo::mask_argument;
use crate::demo::{self, Demo, Fault, SeenBy};
use crate::diagnose::Outcome;
use crate::evidence::Scope;
use crate::file;
use crate::secret::Secret;
use crate::text;

pub(super) fn run(
    arguments: &DemoArgs,
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    if arguments.list {
        streams.print(&list())?;
        return Ok(0);
    }
    let fault = arguments.fault.as_deref().map(named).transpose()?;
    // Its file system may not answer; a directory that does not exist is made.
    let place = file::metadata(&std::env::temp_dir());
    if place.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::TimedOut) {
        place.context("the temporary directory (TMPDIR)")?;
    }
    let ended = block_on(async {
        // Whoever ends the program ends the demo too, and with it its directory.
        let mut signals = Signals::awaited().context("waiting for signals")?;
        let demo = Demo::start(fault).context("the embedded server does not start")?;
        if arguments.serve {
            announce(&demo, streams)?;
            signals.next().await;
            return anyhow::Ok(Ended::Served);
        }
        tokio::select! {
            biased;
            status = signals.next() => Ok(Ended::Signal(status)),
            outcome = checked(&demo, fault.map(|fault| fault.seen_by)) => Ok(Ended::Checked(Box::new(outcome))),
        }
    })??;
    match ended {
        Ended::Served => Ok(0),
        Ended::Signal(status) => Ok(status),
        Ended::Checked(outcome) => Ok(streams.report_one(&outcome, display)?),
    }
}

/// How a demo ended.
enum Ended {
    Served,
    Signal(u8),
    Checked(Box<Outcome>),
}

fn list() -> String {
    let widest = demo::faults().iter().map(|fault| text::width(fault.name)).max().unwrap_or(0);
    demo::faults().iter().map(|Fault { name, about, .. }| format!("{name:widest$}  {about}\n")).collect()
}

fn named(name: &str) -> Result<&'static Fault, Usage> {
    demo::fault(name).ok_or_else(|| {
        let names = demo::faults().iter().map(|fault| fault.name);
        let nearest = text::nearest(name, names).map(|name| format!("; did you mean {name}?"));
        Usage(format!(
            "there is no fault \"{}\"{}; `pgtls-check demo --list` names all",
            mask_argument(name.as_bytes()),
            nearest.unwrap_or_default()
        ))
    })
}

/// Says how to connect.
fn announce(demo: &Demo, streams: &mut Streams<'_>) -> anyhow::Result<()> {
    let mut command = String::new();
    for (name, value) in demo.variables() {
        command.push_str(&format!("export {name}={}\n", text::shell_quoted(&value.to_string_lossy())));
    }
    streams.print(&format!("{command}{}\n", demo.conninfo()))?;
    streams.note("serving until Ctrl-C");
    Ok(())
}

async fn checked(demo: &Demo, seen_by: Option<SeenBy>) -> Outcome {
    let is_audited = seen_by == Some(SeenBy::Audit);
    let scope = Scope {
        tls_only: is_audited,
        require_auth: seen_by == Some(SeenBy::SessionCheck),
        ..Scope::default()
    };
    let setup = Setup { scope, ..Setup::new(demo.environment()) };
    let target = Secret::new(demo.conninfo().as_bytes().to_vec());
    match is_audited {
        true => audited(&setup, Some(&target), None, &()).await,
        false => check(&setup, Some(&target), &()).await,
    }
}
