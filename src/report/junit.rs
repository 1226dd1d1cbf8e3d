//! JUnit's XML, as CI servers read it (the elements of Jenkins' `junit-10.xsd`): a suite a run, a case a target.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::human;
use super::problem::problems;
use super::rows::Rows;
use super::server::Server;
use super::{Reporter, Row};
use crate::check::Run;
use crate::diagnose::Outcome;
use crate::text;

pub(super) const FORMAT: Row = Row {
    endings: &["xml"],
    ..Row::new("junit", |layout, out| Box::new(Suite { out, cases: Rows::new(layout), failures: 0 }))
};

/// Collects cases: the counts stand before them.
struct Suite<W> {
    out: W,
    /// The cases: name, what stands before it, what behind it. A case is known by its name, which is counted at the end.
    cases: Rows<Case>,
    failures: usize,
}

struct Case {
    name: String,
    provider: &'static str,
    time: String,
    /// Its elements, written.
    content: Vec<u8>,
}

impl<W: Write> Reporter for Suite<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        let provider = if server.provider.is_empty() { "pgtls-check" } else { server.provider };
        let mut case = Case {
            name: server.name_with_port(),
            provider,
            time: seconds(server.seconds),
            content: Vec::new(),
        };
        let problems = problems(outcome);
        let failing: Vec<_> = problems.iter().filter(|problem| problem.fails()).collect();
        // Elements stand two deep.
        let mut writer = indented(&mut case.content);
        if let Some(first) = failing.first() {
            self.failures += 1;
            let message = text::printable(&format!("{}{}", first.title(), first.remark()));
            let blocks: String = failing.iter().map(|problem| human::block(problem)).collect();
            element(&mut writer, "failure", [("type", first.name()), ("message", &message)], &blocks)?;
        }
        let source = Some(&server.source).filter(|source| !source.is_empty());
        let source = source.map(|source| format!("source       {source}\n")).unwrap_or_default();
        element(&mut writer, "system-out", [], &(source + &human::course(outcome)))?;
        self.cases.add(&server, case);
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let (finished, errors) = (run.finished(), usize::from(run.unfinished > 0));
        let counts = [
            ("tests", (finished + errors).to_string()),
            ("failures", self.failures.to_string()),
            ("errors", errors.to_string()),
            ("time", seconds(run.elapsed.as_secs_f64())),
        ];
        let counts = counts.each_ref().map(|(name, value)| (*name, value.as_str()));
        let started = run.started.map(|started| started.to_string());
        // xs:dateTime as JUnit writes it: UTC, without saying so.
        let started = started.as_deref().map(|started| ("timestamp", started.trim_end_matches('Z')));
        let mut writer = indented(&mut self.out);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        begin(&mut writer, "testsuites", [("name", "pgtls-check")].into_iter().chain(counts))?;
        begin(&mut writer, "testsuite", [("name", "pgtls-check")].into_iter().chain(counts).chain(started))?;
        writer.get_mut().write_all(b"\n")?;
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for case in self.cases.sorted() {
            let used = names.entry(&case.name).or_insert(0);
            *used += 1;
            let name = if *used == 1 { case.name.clone() } else { format!("{} #{used}", case.name) };
            let attributes = [("classname", case.provider), ("name", &name), ("time", &case.time)];
            begin(&mut writer, "testcase", attributes)?;
            writer.get_mut().write_all(b"\n")?;
            writer.get_mut().write_all(&case.content)?;
            end(&mut writer, "testcase")?;
        }
        if run.unfinished > 0 {
            let message = format!("{} not finished", run.unfinished);
            begin(
                &mut writer,
                "testcase",
                [("classname", "pgtls-check"), ("name", "interrupted"), ("time", "0")],
            )?;
            element(&mut writer, "error", [("type", "interrupted"), ("message", &message)], "")?;
            end(&mut writer, "testcase")?;
        }
        end(&mut writer, "testsuite")?;
        end(&mut writer, "testsuites")?;
        writer.get_mut().write_all(b"\n")?;
        self.out.flush()
    }
}

fn indented<W: Write>(out: W) -> Writer<W> {
    Writer::new_with_indent(out, b' ', 2)
}

fn begin<'a, W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> io::Result<()> {
    writer.write_event(Event::Start(BytesStart::new(name).with_attributes(attributes)))
}

fn end<W: Write>(writer: &mut Writer<W>, name: &str) -> io::Result<()> {
    writer.write_event(Event::End(BytesEnd::new(name)))
}

fn element<'a, W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
    text: &str,
) -> io::Result<()> {
    begin(writer, name, attributes)?;
    writer.write_event(Event::Text(BytesText::new(text)))?;
    end(writer, name)
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}
