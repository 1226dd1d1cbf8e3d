//! The answer of `clients`, for people and for machines.

use serde_json::{Value as Json, json};

use super::connection::{Connection, Root};
use super::difference::{Difference, Effect, Situation};
use super::table::Client;
use crate::conninfo::SslMode;
use crate::diagnose::{Outcome, Verdict};
use crate::report::human::page::Page;
use crate::report::json::{SCHEMA, line, sslmode_name};
use crate::report::{Role, Style, exit_status};
use crate::text::printable;

/// The label column: wide enough for `by default`.
const LABELS: usize = 10;

/// All that is shown.
pub struct Answer<'a> {
    /// What is spelled.
    pub connection: &'a Connection,
    /// The sslmode given, if it is below verify-full.
    pub raised_from: Option<SslMode>,
    /// How many further hosts the settings name.
    pub other_hosts: usize,
    /// What differences are told by.
    pub situation: Situation<'a>,
    /// What a live check came to.
    pub outcome: Option<&'a Outcome>,
    /// The clients, in the order of the table or of `--for`.
    pub clients: Vec<&'static Client>,
    /// Whether to show each in full.
    pub in_full: bool,
}

impl Answer<'_> {
    /// For people.
    pub fn human(&self, style: Style) -> String {
        let mut page = Page::new(style);
        self.head(&mut page);
        for client in &self.clients {
            page.part();
            if self.in_full {
                self.full(&mut page, client);
            } else {
                self.short(&mut page, client);
            }
        }
        if !self.in_full {
            page.part();
            let (head, _) = page.label(LABELS, "more", Role::Secondary);
            let command = style.paint(Role::Command, "pgtls-check clients --for NAME CONNINFO");
            page.line(&format!("{head}{command}"));
        }
        page.into_text()
    }

    /// What holds for all clients.
    fn head(&self, page: &mut Page) {
        let connection = self.connection;
        let target = format!("{}, verify-full, {}", place(connection), root_words(connection));
        page.labelled(LABELS, "spelled", Role::Secondary, Role::Title, &target);
        if let Some(mode) = self.raised_from {
            let text = format!(
                "sslmode={} does not verify the server; the snippets do, with verify-full",
                sslmode_name(mode)
            );
            page.labelled(LABELS, "raised", Role::Warning, Role::Plain, &text);
        }
        if self.other_hosts > 0 {
            let text = format!("the first host only; {} more are given", self.other_hosts);
            page.labelled(LABELS, "note", Role::Warning, Role::Plain, &text);
        }
        if connection.client.as_ref().is_some_and(|client| client.encrypted) {
            let text = "the key has a pass phrase, which is not printed: give it where the client takes it";
            page.labelled(LABELS, "note", Role::Warning, Role::Plain, text);
        }
        self.probe(page);
    }

    /// What the differences rest on.
    fn probe(&self, page: &mut Page) {
        let (role, text) = match self.outcome {
            None => (
                Role::Plain,
                "not made: differences that depend on the server's certificate are told with --probe"
                    .to_owned(),
            ),
            Some(Outcome { verdict: Verdict::Verified, .. }) => {
                (Role::Good, "verified; differences are told by the server's own chain".to_owned())
            }
            Some(Outcome { diagnosis, .. }) => {
                let what = diagnosis.as_ref().map(|found| format!("{}: {}", found.code, found.title));
                let seen = if self.situation.is_live() { "" } else { "; the server's chain was not seen" };
                (Role::Error, format!("failed, {}{seen}", what.unwrap_or_default()))
            }
        };
        page.labelled(LABELS, "live check", Role::Secondary, role, &text);
    }

    fn short(&self, page: &mut Page, client: &Client) {
        let style = page.style();
        page.line(&format!(
            "{}  {}",
            style.paint(Role::Title, client.name),
            style.paint(Role::Secondary, &style.text(&unasked(client)))
        ));
        page.line(&format!("    {}", style.paint(Role::Command, &client.essence(self.connection))));
        for difference in self.situation.differences(client) {
            write_difference(page, &difference);
        }
    }

    fn full(&self, page: &mut Page, client: &Client) {
        let style = page.style();
        page.line(&format!("{}  {}", style.paint(Role::Title, client.title), client.place));
        page.part();
        for line in client.snippet(self.connection).lines() {
            page.line(&style.paint(Role::Command, line));
        }
        page.part();
        page.labelled(LABELS, "by default", Role::Secondary, Role::Plain, &unasked(client));
        let differences = self.situation.differences(client);
        for difference in &differences {
            let role = role(difference.effect);
            page.labelled(LABELS, "differs", role, Role::Plain, &difference.text);
        }
        if differences.is_empty() {
            let text = match self.situation.is_live() {
                true => "from libpq in nothing that is known, for this server",
                false => "from libpq in nothing that is known, as far as can be told without --probe",
            };
            page.labelled(LABELS, "differs", Role::Secondary, Role::Plain, text);
        }
        for note in client.notes {
            page.labelled(LABELS, "note", Role::Secondary, Role::Plain, note);
        }
        let source = [client.source.what, client.source.basis.name(), client.source.date];
        let source: Vec<&str> = source.into_iter().filter(|part| !part.is_empty()).collect();
        page.labelled(LABELS, "source", Role::Secondary, Role::Secondary, &source.join(", "));
    }

    /// For machines: one object on one line.
    pub fn json(&self) -> String {
        let connection = self.connection;
        let root = match &connection.root {
            Root::File(path) => Some(printable(path)),
            Root::System => Some("system".to_owned()),
            Root::None => None,
        };
        let probe = self.outcome.map(|outcome| {
            json!({
                "verdict": match outcome.verdict { Verdict::Verified => "verified", Verdict::Failed => "failed" },
                "code": outcome.diagnosis.as_ref().map(|found| found.code),
                "exit_code": exit_status(outcome),
                "chain_seen": self.situation.is_live(),
            })
        });
        line(&json!({
            "schema": SCHEMA,
            "target": {
                "host": printable(&connection.host),
                "hostaddr": connection.hostaddr,
                "port": connection.port,
                "database": printable(&connection.database),
                "user": printable(&connection.user),
                "sslmode": "verify-full",
                "sslrootcert": root,
            },
            "raised_from": self.raised_from.map(sslmode_name),
            "other_hosts": self.other_hosts,
            "probe": probe,
            "clients": self.clients.iter().map(|client| self.client_json(client)).collect::<Vec<_>>(),
        }))
    }

    fn client_json(&self, client: &Client) -> Json {
        let differences: Vec<Json> = self
            .situation
            .differences(client)
            .iter()
            .map(|difference| {
                json!({
                    "code": difference.code,
                    "effect": difference.effect.name(),
                    "text": printable(&difference.text),
                })
            })
            .collect();
        json!({
            "name": client.name,
            "title": client.title,
            "place": client.place,
            "snippet": client.snippet(self.connection),
            "default": {
                "mode": client.default.mode,
                "encrypts": client.default.encrypts.name(),
                "verifies": client.default.verifies,
            },
            "differences": differences,
            "notes": client.notes,
            "source": {
                "what": client.source.what,
                "date": Some(client.source.date).filter(|date| !date.is_empty()),
                "basis": client.source.basis.name(),
            },
        })
    }
}

/// `host:port`
fn place(connection: &Connection) -> String {
    let host = &connection.host;
    if host.contains(':') {
        format!("[{host}]:{}", connection.port)
    } else {
        format!("{host}:{}", connection.port)
    }
}

fn root_words(connection: &Connection) -> String {
    match &connection.root {
        Root::File(path) => format!("trusting {path}"),
        Root::System => "trusting the system's roots".to_owned(),
        Root::None => "no root file: each client trusts what it trusts by itself, libpq nothing".to_owned(),
    }
}

/// What a client does without any TLS option.
fn unasked(client: &Client) -> String {
    let unasked = client.default;
    format!("{}: {}, verified: {}", unasked.mode, unasked.encrypts.words(), unasked.verifies)
}

fn role(effect: Effect) -> Role {
    match effect {
        Effect::Refuses => Role::Error,
        Effect::Accepts | Effect::Differs => Role::Warning,
    }
}

fn write_difference(page: &mut Page, difference: &Difference) {
    let head = format!("  {} ", page.style().paint(role(difference.effect), "!"));
    page.prose(&head, 4, 4, Role::Plain, &difference.text);
}
