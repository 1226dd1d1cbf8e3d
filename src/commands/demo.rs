//! `demo`: a check against the embedded server, healthy or with a fault; or that server alone, for other programs.

use anyhow::Context as _;

use super::check::{self, Setup};
use super::{USAGE, audit, output_style, print, report_one};
use crate::cli::DisplayArgs;
use crate::cli::demo::DemoArgs;
use crate::conninfo::{Environment, Overrides};
use crate::demo::{self, Demo, Fault, SeenBy};
use crate::diagnose::Policy;
use crate::evidence::Scope;
use crate::secret::Secret;
use crate::text;
use crate::trust::SystemStore;

pub(super) fn run(
    arguments: &DemoArgs,
    display: &DisplayArgs,
    environment: &Environment,
) -> anyhow::Result<u8> {
    if arguments.list {
        print(&list())?;
        return Ok(0);
    }
    let fault = match &arguments.fault {
        None => None,
        Some(name) => match demo::fault(name) {
            Some(fault) => Some(fault),
            None => {
                let names = demo::faults().iter().map(|fault| fault.name);
                let nearest = text::nearest(name, names).map(|name| format!("; did you mean {name}?"));
                eprintln!(
                    "pgtls-check: there is no fault {name:?}{}\nAll faults: pgtls-check demo --list",
                    nearest.unwrap_or_default()
                );
                return Ok(USAGE);
            }
        },
    };
    let demo = Demo::start(fault).context("the embedded server does not start")?;
    if arguments.serve {
        return serve(&demo);
    }
    check(&demo, fault.map(|fault| fault.seen_by), display, environment)
}

fn list() -> String {
    let widest = demo::faults().iter().map(|fault| text::width(fault.name)).max().unwrap_or(0);
    demo::faults().iter().map(|Fault { name, about, .. }| format!("{name:widest$}  {about}\n")).collect()
}

/// Keeps the server up until Ctrl-C or until whoever started it is gone.
fn serve(demo: &Demo) -> anyhow::Result<u8> {
    let mut command = String::new();
    for (name, value) in demo.variables() {
        command.push_str(&format!("export {name}={}\n", text::shell_quoted(&value.to_string_lossy())));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // A shell starts programs in the background with SIGINT ignored: who reads that the server is up may end it at
        // once, so the signal is waited for by then.
        let interrupt = tokio::spawn(tokio::signal::ctrl_c());
        tokio::task::yield_now().await;
        print(&format!("{command}{}\n", demo.conninfo()))?;
        eprintln!("serving until Ctrl-C");
        interrupt.await.context("waiting for Ctrl-C")??;
        Ok(0)
    })
}

fn check(
    demo: &Demo,
    seen_by: Option<SeenBy>,
    display: &DisplayArgs,
    environment: &Environment,
) -> anyhow::Result<u8> {
    let audited = seen_by == Some(SeenBy::Audit);
    let setup = Setup {
        environment: demo.environment(),
        overrides: Overrides::default(),
        scope: Scope {
            tls_only: audited,
            require_auth: seen_by == Some(SeenBy::SessionCheck),
            ..Scope::default()
        },
        may_try: true,
        total_limit: None,
        as_of: None,
        policy: Policy::default(),
        wait: None,
        watched: None,
        system_store: SystemStore::default(),
    };
    let target = Secret::new(demo.conninfo().as_bytes().to_vec());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match audited {
            true => audit::audited(&setup, Some(&target)).await,
            false => check::check(&setup, Some(&target)).await,
        }
    });
    Ok(report_one(&outcome, display, output_style(display, environment))?)
}
