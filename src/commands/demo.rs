//! `demo`: a check against the embedded server, healthy or with a fault; or that server alone, for other programs.

use anyhow::Context as _;

use super::{Streams, Usage};
use crate::check::{Setup, audited, block_on, check};
use crate::cli::DisplayArgs;
use crate::cli::demo::DemoArgs;
use crate::demo::{self, Demo, Fault, SeenBy};
use crate::evidence::Scope;
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
    let demo = Demo::start(fault).context("the embedded server does not start")?;
    match arguments.serve {
        true => serve(&demo, streams),
        false => checked(&demo, fault.map(|fault| fault.seen_by), display, streams),
    }
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
            "there is no fault {name:?}{}\nAll faults: pgtls-check demo --list",
            nearest.unwrap_or_default()
        ))
    })
}

/// Keeps the server up until Ctrl-C or until whoever started it is gone.
fn serve(demo: &Demo, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let mut command = String::new();
    for (name, value) in demo.variables() {
        command.push_str(&format!("export {name}={}\n", text::shell_quoted(&value.to_string_lossy())));
    }
    block_on(async {
        // A shell starts programs in the background with SIGINT ignored: who reads that the server is up may end it at
        // once, so the signal is waited for by then.
        let interrupt = tokio::spawn(tokio::signal::ctrl_c());
        tokio::task::yield_now().await;
        streams.print(&format!("{command}{}\n", demo.conninfo()))?;
        streams.note("serving until Ctrl-C");
        interrupt.await.context("waiting for Ctrl-C")??;
        Ok(0)
    })?
}

fn checked(
    demo: &Demo,
    seen_by: Option<SeenBy>,
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let is_audited = seen_by == Some(SeenBy::Audit);
    let scope = Scope {
        tls_only: is_audited,
        require_auth: seen_by == Some(SeenBy::SessionCheck),
        ..Scope::default()
    };
    let setup = Setup { scope, ..Setup::new(demo.environment()) };
    let target = Secret::new(demo.conninfo().as_bytes().to_vec());
    let outcome = block_on(async {
        match is_audited {
            true => audited(&setup, Some(&target), &()).await,
            false => check(&setup, Some(&target), &()).await,
        }
    })?;
    Ok(streams.report_one(&outcome, display)?)
}
