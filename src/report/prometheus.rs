//! Prometheus' text format, for a file that the node exporter's textfile collector or a web server hands on: gauges in
//! base units, without time stamps (prometheus.io/docs/instrumenting/exposition_formats).
//!
//! A series is told apart by host and port as the settings have them, so that it is the same one from run to run,
//! wherever a check ends; with `--each` by the address too. Targets with the same labels are one series: the worst of each. Labels hold no messages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use super::server::Server;
use super::{Reporter, Row};
use crate::check::Run;
use crate::check::higher_exit_status;
use crate::diagnose::{Outcome, Standing, Verdict};
use crate::timestamp::Timestamp;

pub(super) const FORMAT: Row = Row {
    endings: &["prom"],
    ..Row::new("prometheus", |_, out| Box::new(Metrics { out, servers: BTreeMap::new() }))
};

/// Collects the targets by host and port, and by the address of a member.
struct Metrics<W> {
    out: W,
    servers: BTreeMap<(String, String, Option<String>), Measured>,
}

/// What is measured of one host and port.
struct Measured {
    verdict: Verdict,
    exit_status: u8,
    seconds: f64,
    stages: BTreeMap<&'static str, f64>,
    not_after: Option<Timestamp>,
    path_not_after: Option<Timestamp>,
    diagnoses: BTreeSet<(&'static str, &'static str)>,
    warnings: BTreeMap<&'static str, bool>,
    handshakes: BTreeSet<(&'static str, String, String)>,
}

impl<W: Write> Reporter for Metrics<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        let key = (server.host.clone(), server.port.clone(), server.member.clone());
        let measured = self.servers.entry(key).or_insert_with(|| Measured {
            verdict: Verdict::Verified,
            exit_status: 0,
            seconds: 0.0,
            stages: BTreeMap::new(),
            not_after: None,
            path_not_after: None,
            diagnoses: BTreeSet::new(),
            warnings: BTreeMap::new(),
            handshakes: BTreeSet::new(),
        });
        measured.add(outcome, server);
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut text = String::new();
        self.of_servers(&mut text);
        of_run(&mut text, run);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl Measured {
    fn add(&mut self, outcome: &Outcome, server: Server) {
        let earlier = |one: Option<Timestamp>, other: Option<Timestamp>| one.into_iter().chain(other).min();
        self.verdict = self.verdict.min(server.verdict);
        self.exit_status = higher_exit_status(self.exit_status, server.exit_status);
        self.seconds = self.seconds.max(server.seconds);
        for stage in &outcome.stages {
            if let Some(milliseconds) = stage.milliseconds {
                let longest = self.stages.entry(stage.stage.name()).or_insert(0.0);
                *longest = longest.max(milliseconds / 1000.0);
            }
        }
        self.not_after = earlier(self.not_after, server.not_after);
        self.path_not_after = earlier(self.path_not_after, server.path_not_after);
        let failure = server.failure.filter(|_| server.standing == Standing::Failed);
        self.diagnoses.extend(failure.map(|(code, stage, _)| (code, stage)));
        for (code, denied) in server.warnings {
            *self.warnings.entry(code).or_insert(false) |= denied;
        }
        if !server.tls_version.is_empty() {
            self.handshakes.insert((server.tls_version, server.cipher, server.group));
        }
    }
}

impl<W> Metrics<W> {
    fn of_servers(&self, text: &mut String) {
        self.gauge(text, "verified", "Whether chain and host name were verified.", |measured, add| {
            add(&[], &u8::from(measured.verdict == Verdict::Verified));
        });
        self.gauge(
            text,
            "success",
            "Whether all that was asked for holds (exit status 0).",
            |measured, add| {
                add(&[], &u8::from(measured.exit_status == 0));
            },
        );
        self.gauge(text, "verdict", "The verdict: 1 for the one that holds.", |measured, add| {
            for verdict in Verdict::ALL {
                add(&[("verdict", verdict.name())], &u8::from(measured.verdict == verdict));
            }
        });
        self.gauge(text, "exit_status", "The exit status of a check of this target.", |measured, add| {
            add(&[], &measured.exit_status);
        });
        self.gauge(text, "diagnosis_info", "Why the check failed.", |measured, add| {
            for (code, stage) in &measured.diagnoses {
                add(&[("code", code), ("stage", stage)], &1);
            }
        });
        let about = "What is worth knowing; denied: it makes the check fail.";
        self.gauge(text, "warning_info", about, |measured, add| {
            for (code, denied) in &measured.warnings {
                add(&[("code", code), ("denied", if *denied { "true" } else { "false" })], &1);
            }
        });
        let about = "End of the first certificate to expire on the path from the server's, verified or not.";
        self.gauge(text, "path_not_after_timestamp_seconds", about, |measured, add| {
            measured.path_not_after.iter().for_each(|end| add(&[], &end.unix()));
        });
        let about = "End of the server's certificate, verified or not.";
        self.gauge(text, "certificate_not_after_timestamp_seconds", about, |measured, add| {
            measured.not_after.iter().for_each(|end| add(&[], &end.unix()));
        });
        self.gauge(text, "tls_info", "Protocol version, cipher suite and group.", |measured, add| {
            for (version, cipher, group) in &measured.handshakes {
                add(&[("version", version), ("cipher", cipher), ("group", group)], &1);
            }
        });
        self.gauge(text, "stage_duration_seconds", "How long a stage took.", |measured, add| {
            for (stage, seconds) in &measured.stages {
                add(&[("stage", stage)], &Seconds(*seconds));
            }
        });
        self.gauge(text, "duration_seconds", "How long the check took.", |measured, add| {
            add(&[], &Seconds(measured.seconds));
        });
    }

    /// A metric and its samples of all servers; nothing where there are none.
    fn gauge(
        &self,
        text: &mut String,
        name: &str,
        about: &str,
        samples: impl Fn(&Measured, &mut dyn FnMut(&[(&str, &str)], &dyn Display)),
    ) {
        let mut lines = String::new();
        for ((host, port, member), measured) in &self.servers {
            samples(measured, &mut |labels, value| {
                let own = [("host", host.as_str()), ("port", port.as_str())];
                let address = member.as_ref().map(|address| ("address", address.as_str()));
                sample(&mut lines, name, own.iter().chain(&address).chain(labels), value);
            });
        }
        if !lines.is_empty() {
            head(text, name, about);
            text.push_str(&lines);
        }
    }
}

/// Metrics of the run as a whole.
fn of_run(text: &mut String, run: &Run) {
    head(text, "targets", "Targets, by how they ended.");
    for standing in Standing::ALL {
        sample(text, "targets", &[("result", standing.name())], &run.counted(standing));
    }
    sample(text, "targets", &[("result", "unfinished")], &run.unfinished);
    head(text, "run_exit_status", "The exit status of the run.");
    sample(text, "run_exit_status", &[], &run.exit_status);
    head(text, "run_duration_seconds", "How long the run took.");
    sample(text, "run_duration_seconds", &[], &Seconds(run.elapsed.as_secs_f64()));
    if let Some(started) = run.started {
        head(text, "run_timestamp_seconds", "When the run began.");
        sample(text, "run_timestamp_seconds", &[], &started.unix());
    }
    head(text, "build_info", "The version of pgtls-check.");
    sample(text, "build_info", &[("version", env!("CARGO_PKG_VERSION"))], &1);
}

fn head(text: &mut String, name: &str, about: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP pgtls_check_{name} {about}\n# TYPE pgtls_check_{name} gauge");
}

fn sample<'l>(
    text: &mut String,
    name: &str,
    labels: impl IntoIterator<Item = &'l (&'l str, &'l str)>,
    value: &dyn Display,
) {
    let labels: Vec<String> =
        labels.into_iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "pgtls_check_{name}{labels} {value}");
}

/// A label's value between its quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Seconds to the microsecond: what the clock says beyond that is noise.
struct Seconds(f64);

impl Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", (self.0 * 1e6).round() / 1e6)
    }
}
