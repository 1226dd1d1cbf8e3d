//! CSV (RFC 4180), a line a target, for spreadsheets and what reads tables.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula: such a text gets an apostrophe before
//! it, which spreadsheets read as "text" (OWASP, CSV Injection). Numbers of this program's own stay numbers.

use std::io::{self, Write};

use super::accepted::Accepted;
use super::rows::Rows;
use super::server::Server;
use super::{Reporter, Row};
use crate::check::Run;
use crate::diagnose::Outcome;
use crate::timestamp::Timestamp;

pub(super) const FORMAT: Row = Row {
    endings: &["csv"],
    ..Row::new("csv", |layout, out| Box::new(Table { out, rows: Rows::new(layout) }))
};

/// The columns, in their order. New ones are added at the end.
const COLUMNS: &[&str] = &[
    "time",
    "host",
    "port",
    "address",
    "database",
    "user",
    "sslmode",
    "provider",
    "verdict",
    "exit_code",
    "code",
    "stage",
    "title",
    "warnings",
    "days_left",
    "not_after",
    "path_not_after",
    "issuer",
    "root",
    "tls_version",
    "cipher",
    "group",
    "ms",
    "fix",
    "source",
    "changes",
    "accepts",
    "weak_suites",
    "weak_groups",
    "plaintext",
    "policy",
];

/// Collects the lines: people read them in order.
struct Table<W> {
    out: W,
    rows: Rows<Vec<u8>>,
}

impl<W: Write> Reporter for Table<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        self.rows.add(&server, record(cells(&server))?);
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        self.out.write_all(&record(COLUMNS.iter().map(|name| (*name).to_owned()))?)?;
        for row in self.rows.sorted() {
            self.out.write_all(row)?;
        }
        if run.untold > 0 {
            self.out.write_all(&record(unfinished(run))?)?;
        }
        self.out.flush()
    }
}

fn record(cells: impl IntoIterator<Item = String>) -> io::Result<Vec<u8>> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    writer.into_inner().map_err(|error| error.into_error())
}

/// The line of targets that an interrupted run has not ended.
fn unfinished(run: &Run) -> impl Iterator<Item = String> {
    let (status, count) = (run.exit_status.to_string(), format!("{} not finished", run.untold));
    COLUMNS.iter().map(move |name| match *name {
        "verdict" => "interrupted".to_owned(),
        "exit_code" => status.clone(),
        "title" => count.clone(),
        _ => String::new(),
    })
}

fn cells(server: &Server) -> [String; COLUMNS.len()] {
    let [accepts, suites, groups, plaintext, policy] =
        server.accepted.as_ref().map(Accepted::cells).unwrap_or_default();
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    let (code, stage, title) = match &server.failure {
        Some((code, stage, title)) => (*code, *stage, title.as_str()),
        None => ("", "", ""),
    };
    let warnings: Vec<&str> = server.warnings.iter().map(|(code, _)| *code).collect();
    [
        server.started.to_string(),
        text(&server.host),
        text(&server.port),
        server.address.clone(),
        text(&server.database),
        text(&server.user),
        server.sslmode.to_owned(),
        server.provider.to_owned(),
        server.verdict_name.to_owned(),
        server.exit_status.to_string(),
        code.to_owned(),
        stage.to_owned(),
        text(title),
        warnings.join(" "),
        server.days_left.map(|days| days.to_string()).unwrap_or_default(),
        moment(server.not_after),
        moment(server.path_not_after),
        text(&server.issuer),
        text(&server.root),
        server.tls_version.to_owned(),
        text(&server.cipher),
        text(&server.group),
        format!("{:.3}", server.seconds * 1000.0),
        text(&server.fix),
        text(&server.source),
        text(server.changes.as_deref().unwrap_or_default()),
        text(accepts),
        text(suites),
        text(groups),
        plaintext.to_owned(),
        text(policy),
    ]
}

/// A text that no spreadsheet takes for a formula.
fn text(printable: &str) -> String {
    match printable
        .trim_start()
        .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    {
        true => format!("'{printable}"),
        false => printable.to_owned(),
    }
}
