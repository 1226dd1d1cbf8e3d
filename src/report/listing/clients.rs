//! The answer of `clients`, for people and for machines.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::clients::connection::{Connection, Root};
use crate::clients::dialect::Typed;
use crate::clients::difference::{Difference, Effect, Situation};
use crate::clients::table::Client;
use crate::conninfo::SslMode;
use crate::diagnose::{self, Outcome};
use crate::report::Role;
use crate::report::page::Page;
use crate::text::printable;

/// The label column: wide enough for `by default`.
const LABELS: usize = 10;

/// All that is shown.
pub struct Answer<'a> {
    /// What is spelled.
    pub connection: &'a Connection,
    /// The sslmode given, if it is below verify-full.
    pub raised_from: Option<SslMode>,
    /// Another driver's string, if it is one.
    pub read_as: Option<&'a Typed>,
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

impl Listing for Answer<'_> {
    fn page(&self, page: &mut Page) {
        self.head(page);
        if self.in_full {
            for client in &self.clients {
                page.part();
                self.full(page, client);
            }
        } else {
            page.part();
            for client in &self.clients {
                self.short(page, client);
            }
            page.part();
            let (head, _) = page.label(LABELS, "more", Role::Secondary);
            let command = page.style().paint(Role::Command, "pgtls-check clients --for NAME CONNINFO");
            page.line(&format!("{head}{command}"));
        }
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let connection = self.connection;
        let root = match &connection.root {
            Root::File(path) => Some(printable(path)),
            Root::System => Some("system".to_owned()),
            Root::None => None,
        };
        let target = json!({
            "host": printable(&connection.host),
            "hostaddr": connection.hostaddr,
            "port": connection.port,
            "database": printable(&connection.database),
            "user": printable(&connection.user),
            "sslmode": "verify-full",
            "sslrootcert": root,
        });
        let probe = self.outcome.map(|outcome| {
            json!({
                "verdict": outcome.verdict.name(),
                "code": outcome.diagnosis.as_ref().map(|found| found.code.name),
                "exit_code": outcome.exit_status(),
                "chain_seen": self.situation.is_live(),
            })
        });
        vec![
            ("dialect", json!(self.read_as.map_or("libpq", |typed| typed.dialect().name))),
            ("target", target),
            ("raised_from", json!(self.raised_from.map(SslMode::name))),
            ("other_hosts", json!(self.other_hosts)),
            ("probe", json!(probe)),
            ("clients", self.clients.iter().map(|client| self.client_json(client)).collect()),
        ]
    }
}

impl Answer<'_> {
    /// What holds for all clients.
    fn head(&self, page: &mut Page) {
        let connection = self.connection;
        let target = format!("{}, verify-full, {}", place(connection), root_words(connection));
        page.labelled(LABELS, "connection", Role::Secondary, Role::Title, &target);
        if let Some(typed) = self.read_as {
            let demand = typed.decision().map_or("", |decision| diagnose::demanded(&decision.demand));
            let text = format!("{}, which demands: {demand}", typed.dialect().title);
            page.labelled(LABELS, "read as", Role::Secondary, Role::Plain, &text);
        }
        if let Some(mode) = self.raised_from {
            let text =
                format!("sslmode={} does not verify the server; the snippets use verify-full", mode.name());
            page.labelled(LABELS, "changed", Role::Warning, Role::Plain, &text);
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
                "not probed: add --probe to include differences that depend on the server's certificate"
                    .to_owned(),
            ),
            Some(Outcome { diagnosis: None, verdict, .. }) => (
                Role::Good,
                format!("{}; the differences are those of the server's own chain", verdict.words()),
            ),
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
            style.paint(Role::Secondary, &style.text(&format!("by default {}", default_tls(client))))
        ));
        page.line(&format!("    {}", style.paint(Role::Command, &client.key_settings(self.connection))));
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
        page.labelled(LABELS, "by default", Role::Secondary, Role::Plain, &default_tls(client));
        let differences = self.situation.differences(client);
        for difference in &differences {
            let role = role(difference.effect);
            page.labelled(LABELS, "differs", role, Role::Plain, &difference.text);
        }
        if differences.is_empty() {
            let text = match self.situation.is_live() {
                true => "no known difference from libpq for this server",
                false => "no known difference from libpq (use --probe to check the certificate)",
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
fn default_tls(client: &Client) -> String {
    let default_tls = client.default;
    format!("{}: {}, verified: {}", default_tls.mode, default_tls.encrypts.words(), default_tls.verifies)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clients::connection::raised_from;
    use crate::clients::table;
    use crate::clients::testing::read;
    use crate::report::{Form, Style};
    use crate::text::{is_printable, width};

    const ODD: &str = "host=db.example hostaddr=10.0.0.7 user=me password=Zyzzyva sslmode=require \
                       sslrootcert='/srv/it\\'s\x1b[2J.pem' sslcert=/me.crt sslkey=/me.key sslpassword=Zyzzyva";

    fn shown<T>(
        conninfo: &str,
        clients: Vec<&'static Client>,
        in_full: bool,
        show: impl Fn(&Answer<'_>) -> T,
    ) -> T {
        let (settings, trust) = read(conninfo);
        let connection = Connection::of(&settings, &trust, Path::new("/")).unwrap();
        show(&Answer {
            connection: &connection,
            read_as: None,
            raised_from: raised_from(&settings),
            other_hosts: settings.hosts.len() - 1,
            situation: Situation::new(&connection, &settings, &trust, None),
            outcome: None,
            clients,
            in_full,
        })
    }

    #[test]
    fn one_client_in_full() {
        let client = table::find("asyncpg").unwrap();
        let conninfo = "host=db.example,other hostaddr=10.0.0.7,10.0.0.8 dbname=app user=me sslmode=prefer \
                        sslrootcert=/srv/roots.pem";
        let text = shown(conninfo, vec![client], true, |answer| Form::Page.text(answer, Style::document()));
        assert_eq!(
            text,
            "connection  db.example:5432, verify-full, trusting /srv/roots.pem\n   \
             changed  sslmode=prefer does not verify the server; the snippets use verify-full\n      \
             note  the first host only; 1 more are given\n\
             live check  not probed: add --probe to include differences that depend on the server's certificate\n\
             asyncpg  Python, in a coroutine\n\
             import os, ssl\n\
             import asyncpg\n\
             \n\
             context = ssl.create_default_context(cafile=\"/srv/roots.pem\")\n\
             connection = await asyncpg.connect(\n    \
             host=\"db.example\",\n    \
             port=5432,\n    \
             database=\"app\",\n    \
             user=\"me\",\n    \
             password=os.environ.get(\"PGPASSWORD\"),\n    \
             ssl=context,\n\
             )\n\
             by default  prefer: TLS if offered, verified: no\n   \
             differs  knows no address beside the host: it connects to what db.example resolves to, not to 10.0.0.7\n      \
             note  a DSN works too: ?sslmode=verify-full&sslrootcert=FILE&sslcert=FILE&sslkey=FILE\n      \
             note  ssl=True verifies against the system's roots\n    \
             source  MagicStack/asyncpg connect_utils.py 2026-02-27; run on Python 3.11, measured, 2026-11-23\n"
        );
    }

    #[test]
    fn every_form_is_printable_and_without_passwords() {
        for in_full in [false, true] {
            for (unicode, columns) in [(true, None), (false, None), (true, Some(80)), (false, Some(40))] {
                let style = Style { unicode, width: columns, ..Style::document() };
                let text =
                    shown(ODD, table::all().collect(), in_full, |answer| Form::Page.text(answer, style));
                assert!(text.chars().all(|c| c == '\n' || is_printable(c)), "{text:?}");
                assert!(!text.contains("Zyzzyva"));
                for client in table::all() {
                    let name = if in_full { client.title } else { client.name };
                    assert!(text.lines().any(|line| line.starts_with(name)), "{name} in {text}");
                }
            }
        }
    }

    #[test]
    fn prose_keeps_to_the_width() {
        let style = Style { width: Some(80), ..Style::document() };
        let text = shown("host=10.0.0.7 user=me", table::all().collect(), false, |answer| {
            Form::Page.text(answer, style)
        });
        let differences =
            text.lines().filter(|line| line.starts_with("  !") || line.starts_with("live check"));
        for line in differences {
            assert!(width(line) <= 80, "{line}");
        }
    }

    #[test]
    fn machines_get_one_line_with_everything() {
        let line =
            shown(ODD, table::all().collect(), false, |answer| Form::Json.text(answer, Style::document()));
        assert!(line.ends_with('\n') && line.trim_end().lines().count() == 1 && !line.contains("Zyzzyva"));
        let read: Json = serde_json::from_str(&line).unwrap();
        assert_eq!(read["schema"], 1);
        assert_eq!(read["raised_from"], "require");
        assert_eq!(read["probe"], Json::Null);
        assert_eq!(read["target"]["hostaddr"], "10.0.0.7");
        let clients = read["clients"].as_array().unwrap();
        assert_eq!(clients.len(), table::all().count());
        for client in clients {
            for key in ["name", "title", "place", "snippet", "default", "differences", "notes", "source"] {
                assert!(!client[key].is_null(), "{key} of {client}");
            }
            let snippet = client["snippet"].as_str().unwrap();
            assert!(snippet.chars().all(|c| c == '\n' || is_printable(c)), "{snippet:?}");
        }
    }
}
