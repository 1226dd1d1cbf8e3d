//! Names that would be markup, commands, formulas or labels of their own: whatever they are, a reader of the format finds
//! this program's structure and nothing else. The readers here know as much of a format as that takes.

use proptest::prelude::*;
use proptest::sample::select;

use super::hostile::poisoned;
use super::*;

/// What means something to some reader.
const FRAGMENTS: &[&str] = &[
    "::error::x",
    "::set-env name=A::b",
    "::stop-commands::x",
    "##vso[task.setvariable variable=a]b",
    "##vso[task.complete result=Succeeded;]",
    "##[error]",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "</title>",
    "</textarea>",
    "\"><img src=x onerror=alert(1)>",
    "' onload='x",
    "]]>",
    "<!--",
    "&amp;",
    "&#60;",
    "|",
    "\\|",
    "`",
    "``",
    "\n```\n",
    "\\",
    "\"",
    "\n",
    "\r\n",
    "%0A",
    "%0D",
    "%25",
    "%AZP25",
    "{",
    "}",
    "\"} 1\nforged{host=\"",
    "'",
    "\u{202e}",
    "é",
    ",",
    ";",
    "]",
    "[x](http://evil.example)",
    "![x](y)",
    "**b**",
    "\n# h",
    "\n- l",
    "~~~",
    "\t",
    "$(x)",
    "<b>",
    "\u{ff1d}1",
    "PGTLS OK - ",
    " | time=1s",
    "www.evil.example",
    "#1",
];

fn hostile() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(FRAGMENTS), 1..6).prop_map(|fragments| fragments.concat())
}

/// A reader of a format: what is wrong with a report, if something is.
type Reader = fn(&str) -> Result<(), String>;

/// For each format that has not its own test in this directory.
fn reader(format: Format) -> Option<Reader> {
    match format {
        Format::Human | Format::Json => None,
        Format::Junit => Some(junit),
        Format::Github => Some(github),
        Format::AzurePipelines => Some(azure_pipelines),
        Format::Prometheus => Some(prometheus),
        Format::Nagios => Some(nagios),
        Format::Csv => Some(csv),
        Format::Markdown => Some(markdown),
        Format::Html => Some(html),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..crate::properties::config() })]

    #[test]
    fn no_name_gets_out_of_its_place(poison in hostile()) {
        let outcomes = [poisoned(&poison), outcomes::healthy()];
        for (format, reader) in Format::ALL.iter().filter_map(|format| Some((*format, reader(*format)?))) {
            for few in [&outcomes[..1], &outcomes] {
                let layout = Layout { style: Style::document(), many: few.len() > 1, ..NORMAL };
                let report = written(format, layout, few);
                if let Err(wrong) = reader(&report) {
                    panic!("{}: {wrong}, of {poison:?}:\n{report}", format.name());
                }
            }
        }
    }
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// As the runner does: a line that begins with `::` is a command, and one with `##[` in it (actions/runner, ActionCommand.cs).
fn github(report: &str) -> Result<(), String> {
    let (last, commands) =
        report.lines().collect::<Vec<_>>().split_last().map(|(l, c)| (*l, c.to_vec())).unwrap();
    expect(last.starts_with("verified "), || format!("last line {last:?}"))?;
    for line in commands {
        let command = line.strip_prefix("::error title=").or(line.strip_prefix("::warning title="));
        let command = command.ok_or_else(|| format!("another line: {line}"))?;
        let (title, message) = command.split_once("::").ok_or("no end of the properties")?;
        expect(!title.contains([',', ':']), || format!("properties {title}"))?;
        expect(!message.contains("##[") && !message.contains("##vso["), || format!("message {message}"))?;
    }
    Ok(())
}

/// As the agent does: what stands behind `##vso[` up to `]` is a command, wherever it begins (Command.cs).
fn azure_pipelines(report: &str) -> Result<(), String> {
    let (last, commands) =
        report.lines().collect::<Vec<_>>().split_last().map(|(l, c)| (*l, c.to_vec())).unwrap();
    expect(last.starts_with("verified ") && !last.contains("##"), || format!("last line {last:?}"))?;
    for line in commands {
        let rest = line.strip_prefix("##vso[").ok_or_else(|| format!("another line: {line}"))?;
        let (command, message) = rest.split_once(']').ok_or("no end of the command")?;
        let kinds = ["task.logissue type=error;code=", "task.logissue type=warning;code="];
        let code = kinds.iter().find_map(|kind| command.strip_prefix(kind));
        let code = code.ok_or_else(|| format!("command {command}"))?;
        expect(code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), || format!("code {code}"))?;
        expect(!message.contains("##vso[") && !message.contains("##["), || format!("message {message}"))?;
    }
    Ok(())
}

fn junit(report: &str) -> Result<(), String> {
    use quick_xml::events::Event;
    const KNOWN: &[&str] = &["testsuites", "testsuite", "testcase", "failure", "system-out"];
    let mut reader = quick_xml::Reader::from_str(report);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Eof => return Ok(()),
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                expect(KNOWN.contains(&name.as_str()), || format!("element {name}"))?;
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|error| error.to_string())?;
                    expect(!attribute.value.contains('<'), || format!("attribute of {name}"))?;
                }
            }
            Event::End(_) | Event::Text(_) | Event::Decl(_) | Event::GeneralRef(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
}

fn csv(report: &str) -> Result<(), String> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(report.as_bytes());
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        for cell in &record {
            let is_formula = cell.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}']);
            expect(!is_formula || cell.parse::<i64>().is_ok(), || format!("formula {cell}"))?;
        }
    }
    Ok(())
}

/// prometheus.io/docs/instrumenting/exposition_formats, "Comments, help text, and type information".
fn prometheus(report: &str) -> Result<(), String> {
    for line in report.lines().filter(|line| !line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) {
        let rest = line.strip_prefix("pgtls_check_").ok_or_else(|| format!("another metric: {line}"))?;
        let name = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').ok_or("no value")?;
        let mut rest = &rest[name..];
        if let Some(mut labels) = rest.strip_prefix('{') {
            loop {
                let (label, after) = labels.split_once("=\"").ok_or("no label")?;
                expect(label.chars().all(|c| c.is_ascii_lowercase()), || format!("label {label}"))?;
                let mut escaped = false;
                let end = after.find(|c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let after = &after[end.ok_or("no end of a label")? + 1..];
                match after.strip_prefix(',') {
                    Some(more) => labels = more,
                    None => {
                        break rest = after.strip_prefix('}').ok_or_else(|| format!("labels: {after}"))?;
                    }
                }
            }
        }
        expect(rest.strip_prefix(' ').is_some_and(|value| value.parse::<f64>().is_ok()), || {
            format!("value {rest}")
        })?;
    }
    Ok(())
}

fn nagios(report: &str) -> Result<(), String> {
    let line = report.strip_suffix('\n').ok_or("no line")?;
    expect(!line.contains('\n'), || "several lines".to_owned())?;
    let (words, data) = line.split_once('|').ok_or("no data")?;
    expect(words.starts_with("PGTLS CRITICAL - "), || words.to_owned())?;
    let known =
        |datum: &str| ["time=", "days=", "verified=", "failed="].iter().any(|name| datum.starts_with(name));
    expect(!data.contains('|') && data.split_whitespace().all(known), || data.to_owned())
}

/// CommonMark 0.31, 4.5 (fences) and 6.1 (code spans): outside of both stands no more than this program's own markup.
fn markdown(report: &str) -> Result<(), String> {
    let mut lines = report.lines();
    while let Some(line) = lines.next() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks >= 3 && line.ends_with("text") {
            let fence = "`".repeat(ticks);
            lines.by_ref().find(|line| line.starts_with(&fence)).ok_or("an open fence")?;
            continue;
        }
        let mut rest = line;
        let mut outside = String::new();
        while let Some(at) = rest.find('`') {
            outside.push_str(&rest[..at]);
            let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
            let inside = &rest[at + run..];
            let runs = inside.match_indices('`').map(|(place, _)| place);
            let length = |place: usize| inside[place..].len() - inside[place..].trim_start_matches('`').len();
            let begins = |place: &usize| *place == 0 || !inside[..*place].ends_with('`');
            let end = runs.filter(begins).find(|place| length(*place) == run).ok_or("an open code span")?;
            expect(!line.starts_with('|') || !inside[..end].contains('|'), || {
                format!("a cell's end in {line}")
            })?;
            rest = &inside[end + run..];
        }
        outside.push_str(rest);
        let own = |c: char| c.is_ascii_alphanumeric() || " |-#().,:;✓✗!".contains(c);
        expect(outside.chars().all(own), || format!("markup outside of code: {outside}"))?;
        let columns = line.starts_with('|').then(|| outside.matches('|').count());
        expect(columns.is_none_or(|bars| bars == 8), || format!("cells of {line}"))?;
    }
    Ok(())
}

/// Tags and references as the HTML standard tokenises them (13.2.5), as far as this program writes any.
fn html(report: &str) -> Result<(), String> {
    const KNOWN: &[&str] = &[
        "!doctype", "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "span",
        "section", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "ol", "li",
        "br",
    ];
    const ATTRIBUTES: &[&str] =
        &["lang", "charset", "name", "content", "http-equiv", "class", "scope", "data-name", "html"];
    let mut rest = report;
    while let Some(at) = rest.find('<') {
        expect(!rest[..at].contains('>') || rest[..at].contains("@media"), || {
            format!("text {}", &rest[..at])
        })?;
        let (tag, after) = rest[at + 1..].split_once('>').ok_or("an open tag")?;
        let mut words = tag.trim_start_matches('/').splitn(2, ' ');
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        expect(KNOWN.contains(&name.as_str()), || format!("element {name}"))?;
        let mut attributes = words.next().unwrap_or_default();
        while !attributes.is_empty() {
            let (attribute, value) = attributes.split_once("=\"").unwrap_or((attributes, "\""));
            expect(ATTRIBUTES.contains(&attribute.trim()), || format!("attribute {attribute}"))?;
            attributes = value.split_once('"').ok_or("an open attribute")?.1;
        }
        rest = after;
    }
    Ok(())
}
