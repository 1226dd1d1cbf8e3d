//! A page on its own: no script, no network, readable in light and dark, on paper and on a narrow screen.
//!
//! Everything from outside is text or the value of an attribute in double quotes, escaped as both need it. The page's
//! policy forbids whatever else might slip in (CSP).

use std::io::{self, Write};

use super::accepted::{self, Accepted};
use super::causes::{Cause, Causes};
use super::human;
use super::markdown::counts;
use super::members::Members;
use super::problem::{Problem, Rank, Said, problems};
use super::rows::Rows;
use super::server::Server;
use super::{Layout, Reporter, Row};
use crate::check::Run;
use crate::conninfo::write::setting;
use crate::diagnose::{Fact, Fix, Outcome, StageStatus, Standing, Trial};
use crate::text;

pub(super) const FORMAT: Row = Row {
    endings: &["html", "htm"],
    ..Row::new("html", |layout, out| {
        Box::new(Document {
            out,
            layout,
            rows: Rows::new(layout),
            stages: String::new(),
            causes: Causes::default(),
            members: Members::default(),
            changes: Rows::new(layout),
            accepted: Rows::new(layout),
        })
    })
};

const STYLE: &str = include_str!("html.css");

/// Collects rows and causes.
struct Document<W> {
    out: W,
    layout: Layout,
    rows: Rows<String>,
    /// The stages of the one target there is.
    stages: String,
    causes: Causes,
    members: Members,
    /// `--since`: what is otherwise.
    changes: Rows<String>,
    /// What an audit found.
    accepted: Rows<String>,
}

impl<W: Write> Reporter for Document<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        self.members.count(outcome, &server);
        match server.changes.as_deref() {
            None => {}
            Some("") => return Ok(()),
            Some(changes) => self.changes.add(&server, change(&server.described(), changes)),
        }
        problems(outcome)
            .iter()
            .for_each(|problem| self.causes.count(problem, server.place, &server.described()));
        if let Some(accepted) = &server.accepted {
            self.accepted.add(&server, accepts(&server, accepted));
        }
        self.rows.add(&server, row(&server));
        if !self.layout.many {
            self.stages = stages(outcome);
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let title = format!("PostgreSQL TLS: {}", counts(run));
        let class = if run.exit_status == 0 { "good" } else { "bad" };
        let begun = run.started.map(|started| format!("{started}, ")).unwrap_or_default();
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>PostgreSQL TLS: \
             <span class=\"{class}\">{counts}</span></h1>\n<p class=\"dim\">{begun}{:.1} s, exit status {}</p>\n",
            run.elapsed.as_secs_f64(),
            run.exit_status,
            counts = counts(run),
        );
        let causes = self.causes.worst_first();
        if !causes.is_empty() {
            page += "<h2>Causes</h2>\n";
            causes.into_iter().for_each(|cause| page += &section(cause));
        }
        page += &changed(&self.changes.sorted(), run);
        page += &mixed(&self.members);
        let rows: String = self.rows.sorted().into_iter().map(String::as_str).collect();
        page += &format!("<h2>Servers</h2>\n{}{rows}</tbody>\n</table>\n{}", head(&COLUMNS), self.stages);
        let accepted: String = self.accepted.sorted().into_iter().map(String::as_str).collect();
        if !accepted.is_empty() {
            let columns: Vec<&str> = ["Target"].into_iter().chain(accepted::HEAD).collect();
            page += &format!("<h2>What they accept</h2>\n{}{accepted}</tbody>\n</table>\n", head(&columns));
        }
        page += "</body>\n</html>\n";
        self.out.write_all(page.as_bytes())?;
        self.out.flush()
    }
}

fn change(target: &str, words: &str) -> String {
    format!("<li><code>{}</code>: {}</li>\n", escaped(target), escaped(words))
}

/// What is otherwise than in an earlier report.
fn changed(changes: &[&String], run: &Run) -> String {
    let mut lines: String = changes.iter().map(|line| line.as_str()).collect();
    for removed in &run.removed {
        lines += &change(&removed.name, &format!("removed (was {})", removed.verdict));
    }
    if lines.is_empty() { lines } else { format!("<h2>Changed</h2>\n<ul>\n{lines}</ul>\n") }
}

/// Targets that fail only sometimes.
fn mixed(members: &Members) -> String {
    let lines: String = members
        .mixed()
        .iter()
        .map(|words| format!("<li><code>{}</code></li>\n", escaped(&text::printable(words))))
        .collect();
    if lines.is_empty() { lines } else { format!("<h2>Only sometimes</h2>\n<ul>\n{lines}</ul>\n") }
}

const COLUMNS: [&str; 8] = ["Target", "Result", "Cause", "Expires", "Issuer", "Root", "TLS", "Time"];

fn head(columns: &[&str]) -> String {
    let cells: String = columns.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    format!("<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n")
}

/// What a server accepts.
fn accepts(server: &Server, accepted: &Accepted) -> String {
    let name = format!("<td data-name=\"Target\"><code>{}</code></td>", escaped(&server.name()));
    let cell = |(name, cell): (&str, &str)| format!("<td data-name=\"{name}\">{}</td>", escaped(cell));
    let cells: String = accepted::HEAD.into_iter().zip(accepted.cells()).map(cell).collect();
    format!("<tr>{name}{cells}</tr>\n")
}

fn row(server: &Server) -> String {
    let (sign, class) = match server.standing {
        Standing::Verified => ("✓", "good"),
        Standing::ChainVerified | Standing::Encrypted => ("!", "warn"),
        Standing::PolicyFailed | Standing::Failed => ("✗", "bad"),
    };
    let cause = match &server.failure {
        Some((code, ..)) => (*code).to_owned(),
        None => server.warnings.iter().map(|(code, _)| *code).collect::<Vec<_>>().join(", "),
    };
    let cells = [
        format!("<code>{}</code>{}", escaped(&server.name()), given(server)),
        format!("<span class=\"{class}\">{sign} {}</span>", server.standing.words()),
        escaped(&cause),
        escaped(&server.expires()),
        escaped(&server.issuer),
        escaped(&server.root),
        escaped(server.tls_version),
        format!("{:.0} ms", server.seconds * 1000.0),
    ];
    let cells: String = COLUMNS
        .iter()
        .zip(cells)
        .map(|(name, cell)| match *name {
            "TLS" | "Time" => format!("<td class=\"number\" data-name=\"{name}\">{cell}</td>"),
            _ => format!("<td data-name=\"{name}\">{cell}</td>"),
        })
        .collect();
    format!("<tr>{cells}</tr>\n")
}

/// Where a target was given, if that is a file.
fn given(server: &Server) -> String {
    match server.source.as_str() {
        "" => String::new(),
        source => format!(" <span class=\"dim\">{}</span>", escaped(source)),
    }
}

fn stages(outcome: &Outcome) -> String {
    let rows = outcome.stages.iter().map(|line| {
        let (sign, class) = match line.status {
            StageStatus::Ok => ("✓ ok", "good"),
            StageStatus::Warning => ("! warning", "warn"),
            StageStatus::Failed => ("✗ failed", "bad"),
            StageStatus::Skipped => ("– skipped", "dim"),
        };
        let time = line.milliseconds.map(|ms| format!("{ms:.1} ms")).unwrap_or_default();
        format!(
            "<tr><td data-name=\"Stage\">{}</td><td data-name=\"Status\" class=\"{class}\">{sign}</td>\
             <td data-name=\"Detail\">{}</td><td class=\"number\" data-name=\"Time\">{time}</td></tr>\n",
            line.stage.name(),
            escaped(&line.detail)
        )
    });
    let rows: String = rows.collect();
    format!(
        "<h2>Stages</h2>\n<table>\n<thead><tr><th scope=\"col\">Stage</th><th scope=\"col\">Status</th>\
         <th scope=\"col\">Detail</th><th scope=\"col\">Time</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )
}

/// A cause, told once.
fn section(cause: &Cause) -> String {
    let problem = cause.problem();
    let (kind, class) = if cause.rank == Rank::Warning { ("warning", "warn") } else { ("error", "bad") };
    let mut names: Vec<String> =
        cause.names().into_iter().map(|name| format!("<code>{}</code>", escaped(name))).collect();
    names.extend((cause.unnamed() > 0).then(|| format!("and {} more", cause.unnamed())));
    let mut text = format!(
        "<section class=\"{class}\">\n<h3><span class=\"{class}\">{kind}</span> {}</h3>\n\
         <p class=\"dim\"><code>{}</code>{}{}: {}</p>\n",
        escaped(&format!("{}{}", problem.title(), cause.first_of_them())),
        problem.name(),
        cause.count(),
        escaped(&problem.remark()),
        names.join(", ")
    );
    text += &details(&problem);
    text + "</section>\n"
}

fn details(problem: &Problem<'_>) -> String {
    let (mark, why, also) = match problem.said {
        Said::Diagnosis(found, also) => (found.mark.as_ref(), found.cause.as_str(), also),
        Said::Warning(warning) => (warning.mark.as_ref(), "", [].as_slice()),
        Said::NotJudged => (None, "", [].as_slice()),
    };
    let mut text = String::new();
    if let Some(mark) = mark {
        text += &format!("<pre>{}</pre>\n", escaped_lines(&human::marked(mark)));
    }
    let mut facts: String =
        problem.evidence().iter().map(|(label, fact)| entry(label, &words(fact))).collect();
    if !why.is_empty() {
        facts += &entry("why", &escaped(why));
    }
    if !facts.is_empty() {
        text += &format!("<dl>\n{facts}</dl>\n");
    }
    text += &fixes(problem.fixes());
    for other in also {
        text += &format!("<p>also <code>{}</code>: {}</p>\n", other.code.name, escaped(&other.title));
        text += &fixes(other.fixes.get(..1).unwrap_or_default());
    }
    text + &format!("<p class=\"dim\">more: <code>pgtls-check explain {}</code></p>\n", problem.name())
}

fn entry(label: &str, value: &str) -> String {
    format!("<dt>{}</dt><dd>{value}</dd>\n", escaped(&label.replace('_', " ")))
}

fn words(fact: &Fact) -> String {
    match fact {
        Fact::Text(text) => escaped(text),
        Fact::Number(number) => number.to_string(),
        Fact::List(items) if items.is_empty() => "none".to_owned(),
        Fact::List(items) => items.iter().map(|item| escaped(item)).collect::<Vec<_>>().join("<br>"),
    }
}

/// The remedies, most likely first.
fn fixes(fixes: &[Fix]) -> String {
    if fixes.is_empty() {
        return String::new();
    }
    let items: String = fixes.iter().map(|fix| format!("<li>{}</li>\n", remedy(fix))).collect();
    format!("<p>Fix</p>\n<ol>\n{items}</ol>\n")
}

fn remedy(fix: &Fix) -> String {
    let mut lines: Vec<&str> = fix.command.iter().flat_map(|command| command.lines()).collect();
    let settings: Vec<String> = fix.settings.iter().map(|(keyword, value)| setting(keyword, value)).collect();
    let settings = settings.join(" ");
    if !settings.is_empty() && !fix.by_command {
        lines.push(&settings);
    }
    let tried =
        if fix.tried == Some(Trial::Works) { " <span class=\"good\">(tried: works)</span>" } else { "" };
    let mut text = format!("{}{tried}{}", escaped(&fix.text), typed(lines));
    let (note, whole) = match (&fix.in_dialect, &fix.conninfo) {
        (Some(Ok(whole)), _) => ("in the driver's own words, without the password:", Some(whole.clone())),
        (Some(Err(words)), _) => (words.as_str(), None),
        (None, Some(whole)) if fix.in_list.is_some() => {
            ("the whole line, without its password:", Some(whole.clone()))
        }
        (None, Some(whole)) => ("the whole string, without its password:", Some(text::shell_quoted(whole))),
        (None, None) => ("", None),
    };
    if !note.is_empty() {
        text += &format!(
            "<p class=\"dim\">{}</p>{}",
            escaped(note),
            typed(whole.as_deref().into_iter().collect())
        );
    }
    if let Some(then) = &fix.then {
        let commands = fix.then_run.iter().flat_map(|commands| commands.lines()).collect();
        text += &format!("<p>{}</p>{}", escaped(then), typed(commands));
    }
    text
}

/// Lines to type.
fn typed(lines: Vec<&str>) -> String {
    let lines: Vec<String> = lines.into_iter().map(escaped).collect();
    if lines.is_empty() { String::new() } else { format!("<pre>{}</pre>", lines.join("<br>")) }
}

/// Text of one line, printable, as HTML reads it back, between tags and between quotes.
fn escaped(untrusted: &str) -> String {
    escaped_lines(&text::printable(untrusted))
}

/// The same for text of several lines that is printable already.
fn escaped_lines(printable: &str) -> String {
    printable
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
