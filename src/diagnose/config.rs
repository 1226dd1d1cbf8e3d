//! The connection string and everything merged into it.

use super::code::{Code, Severity};
use super::driver::{self, Kind};
use super::fix::provider_hints;
use super::root_file::root_sources;
use super::rule::{Finding, Rule};
use super::view::{View, path_text, shown, shown_value};
use super::{Diagnosis, Fix, Mark, look_alike, meant};
use crate::clients::dialect;
use crate::conninfo::{
    self, BadPort, ConfigError, Endpoint, Masked, Origin, SslMode, SyntaxError, SyntaxErrorKind, Unencoded,
    options,
};
use crate::evidence::Evidence;
use crate::file::unexpanded::{Replacer, Unexpanded};
use crate::provider::{self, Situation};
use crate::stage::Stage;
use crate::text;
use crate::text::nearest;
use crate::trust::{ClientIdentity, IdentityError};
use crate::verify::Defect;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &CONNINFO_SYNTAX, detect: |view| plainly(view, syntax(view)) },
    Rule { code: &CONNINFO_UNKNOWN_OPTION, detect: |view| plainly(view, unknown_option(view)) },
    Rule { code: &SERVICE_NOT_FOUND, detect: service_not_found },
    Rule { code: &HOST_REQUIRED, detect: host_required },
    Rule { code: &OPTION_NOT_SUPPORTED, detect: option_not_supported },
    Rule { code: &TLS_NOT_REQUESTED, detect: tls_not_requested },
    Rule { code: &CONNINFO_HOST_MALFORMED, detect: |view| plainly(view, host_malformed(view)) },
    Rule { code: &CONNINFO_INVALID_VALUE, detect: |view| plainly(view, invalid_value(view)) },
];

/// What only a chain shows.
pub(super) const JUDGED: &[Rule] = &[Rule { code: &HOST_REQUIRED, detect: host_required }];

/// What only a file shows.
pub(super) const FILES: &[Rule] = &[Rule { code: &OPTION_NOT_SUPPORTED, detect: option_not_supported }];

/// `conninfo-syntax`.
pub const CONNINFO_SYNTAX: Code = Code {
    name: "conninfo-syntax",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "the connection string cannot be parsed",
    short: Some("cannot be read"),
    concerns: &[],
    retryable: false,
};

/// `conninfo-unknown-option`.
pub const CONNINFO_UNKNOWN_OPTION: Code = Code {
    name: "conninfo-unknown-option",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "unknown connection option",
    short: Some("unknown option"),
    concerns: &[],
    retryable: false,
};

/// `conninfo-invalid-value`.
pub const CONNINFO_INVALID_VALUE: Code = Code {
    name: "conninfo-invalid-value",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "libpq rejects a value or a combination of values",
    short: Some("invalid value"),
    concerns: &[],
    retryable: false,
};

/// `conninfo-host-malformed`.
pub const CONNINFO_HOST_MALFORMED: Code = Code {
    name: "conninfo-host-malformed",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "the host value contains more than a host name",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `service-not-found`.
pub const SERVICE_NOT_FOUND: Code = Code {
    name: "service-not-found",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "the service is not defined in any service file",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `host-required`.
pub const HOST_REQUIRED: Code = Code {
    name: "host-required",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "verify-full needs a host name",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `tls-not-requested`.
pub const TLS_NOT_REQUESTED: Code = Code {
    name: "tls-not-requested",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "the settings do not request TLS",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `option-not-supported`.
pub const OPTION_NOT_SUPPORTED: Code = Code {
    name: "option-not-supported",
    severity: Severity::Failure,
    stage: Stage::Config,
    title: "an option is not supported by pgtls-check",
    short: None,
    concerns: &[],
    retryable: false,
};

fn error<'a>(view: &View<'a>) -> Option<&'a ConfigError> {
    view.evidence.config.as_ref().err()
}

/// What was found, where a character is at fault that looks like another one.
fn plainly(view: &View<'_>, found: Option<Finding>) -> Option<Finding> {
    let found = found?;
    let span = match error(view) {
        Some(ConfigError::UnknownOption { span, .. } | ConfigError::InvalidValue { span, .. }) => {
            span.clone()
        }
        Some(ConfigError::Syntax(error)) => Some(error.span.clone()),
        _ => None,
    };
    let at_fault = span.and_then(|span| view.evidence.input.as_ref()?.expose().get(span));
    let mended = match at_fault {
        Some(at_fault) => look_alike::mended(view, &found, at_fault),
        None => ["host", "hostaddr", "port"]
            .iter()
            .find_map(|keyword| look_alike::mended_value(view, &found, keyword)),
    };
    mended.or(Some(found))
}

/// The fault's places in the connection string, underlined; `None` where it lies elsewhere.
fn mark(view: &View<'_>, label: &str) -> Option<Mark> {
    let masked = view.evidence.marked.as_ref().filter(|masked| !masked.spans.is_empty())?;
    Some(Mark { text: masked.text.clone(), spans: masked.spans.clone(), label: label.to_owned() })
}

/// The subcommands, for a mistyped one that was taken for a connection string.
pub(crate) const SUBCOMMANDS: [&str; 10] =
    ["audit", "rehearse", "roots", "clients", "explain", "demo", "guide", "completions", "man", "help"];

fn syntax(view: &View<'_>) -> Option<Finding> {
    if let Some(found) = driver::refused(view, Kind::Syntax) {
        return Some(found);
    }
    let error = match error(view)? {
        ConfigError::Syntax(error) => error,
        // What stands behind an @ libpq takes for the host.
        ConfigError::UnencodedPassword(unencoded) if !unencoded.characters.contains(&'@') => {
            return Some(unencoded_password(view, unencoded));
        }
        _ => return None,
    };
    let input = view.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
    // A part of a longer string may be part of a password: only a word that is all there is gets repeated.
    let whole = |word: &[u8]| input.trim_ascii() == word;
    let place = view.evidence.marked.as_ref().and_then(place);
    let is_secret = place.as_ref().is_some_and(|(_, what)| what.chars().all(|c| c == '*'));
    let finding = match &error.kind {
        SyntaxErrorKind::MissingEquals(_) if scheme_fix(input).is_some() => {
            Finding::titled("expected keyword=value, or a URI that begins with postgresql://")
                .because("no URI of PostgreSQL begins so, and libpq reads it as keyword=value pairs")
                .mark(mark(view, "not a URI of PostgreSQL"))
                .fixes(scheme_fix(input))
        }
        SyntaxErrorKind::MissingEquals(word) if whole(word.as_bytes()) => {
            let word = shown(word);
            if let Some(found) = of_a_table(&word) {
                return Some(found.mark(mark(view, "a word without =")));
            }
            let command = nearest(&word, SUBCOMMANDS).map(|found| {
                Fix::text(format!("run the subcommand {found}")).run(format!("pgtls-check {found}"))
            });
            Finding::titled(format!("missing \"=\" after \"{word}\""))
                .because("it is not a subcommand, and libpq expects keyword=value pairs or a URI here")
                .mark(mark(view, "a word without ="))
                .fixes(command)
                .fix(
                    Fix::text("use it as the database name")
                        .set("dbname", word)
                        .edit(error.span.start..error.span.start, "dbname="),
                )
        }
        SyntaxErrorKind::MissingEquals(_) if apostrophe(input, error.span.start, is_secret).is_some() => {
            Finding::titled("a quoted value ends at a ' inside it")
                .because("a ' ends a quoted value, and what follows it is read as the next keyword")
                .mark(mark(view, "behind the ' that ends the value"))
                .fixes(apostrophe(input, error.span.start, is_secret))
                .fix(Fix::text("separate settings by a space: keyword='a' keyword='b'"))
        }
        SyntaxErrorKind::MissingEquals(_) => Finding::titled("expected keyword=value")
            .because(
                "libpq expects keyword=value pairs separated by spaces; a value with a space in it needs quotes",
            )
            .mark(mark(view, "a word without ="))
            .fixes(equals_for_colons(input))
            .fix(match unquoted(input, error.span.start).filter(|_| !is_secret) {
                Some((keyword, place, value)) => {
                    Fix::text(format!("if the words belong to {keyword}: put its value in single quotes")).edit(place, value)
                }
                None => Fix::text("put values with spaces in single quotes: keyword='a b'"),
            }),
        SyntaxErrorKind::UnterminatedQuote => Finding::titled("a quoted value does not end")
            .because("a value that begins with ' ends at the next ' not preceded by a backslash")
            .mark(mark(view, "no closing '"))
            .fixes(quote_end(input, error.span.start).map(|at| {
                Fix::text("close the quote at the end of its value, before the next keyword").edit(at..at, "'")
            }))
            .fix(Fix::text("close the quote; a ' inside a value is written \\' and a backslash \\\\")),
        _ => in_a_uri(view, error, is_secret),
    };
    Some(match place {
        Some((column, _)) if is_secret => finding.fact("column", column),
        Some((column, what)) => finding.fact("column", column).fact("found", what),
        None => finding.fact("found", "nothing: the string is empty"),
    })
}

/// What is wrong in a URI.
fn in_a_uri(view: &View<'_>, error: &SyntaxError, is_secret: bool) -> Finding {
    let input = view.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
    let (title, why, advice) = in_uri(&error.kind);
    let rest = input.get(error.span.start..).and_then(|rest| std::str::from_utf8(rest).ok());
    let is_variable = rest
        .and_then(Unexpanded::of)
        .is_some_and(|found| found.by == Replacer::Cmd && error.kind == SyntaxErrorKind::BadPercentEncoding);
    let (why, advice) = match is_variable {
        true => (
            "in a URI % begins an encoded byte; %NAME% is a variable of Windows, which cmd.exe alone replaces",
            "write the path itself in its place, with / for each \\",
        ),
        false => (why, advice),
    };
    let encoded = (error.kind == SyntaxErrorKind::BadPercentEncoding).then(|| {
        let (span, text) = meant::encoded_percents(input, error.span.start);
        Fix::text(match is_secret {
            true => {
                "the % belongs to the password: set PGPASSWORD to it as it is, and leave it out of the URI, as below; or write %25 \
                 for each %"
            }
            false => advice,
        })
        .edit(span, text)
    });
    if error.kind == SyntaxErrorKind::ParameterWithTwoEquals
        && let Some(at) = second_question_mark(input, error.span.start)
    {
        return Finding::titled("a second ? in the URI: parameters are separated by &")
            .because("the first ? begins the parameters, and a second one belongs to the value before it")
            .mark(mark(view, "here"))
            .fix(Fix::text("write & in the place of the second ?").edit(at..at + 1, "&"));
    }
    let space = (error.kind == SyntaxErrorKind::BareSpace).then(|| {
        [
            Fix::text("remove the space").edit(error.span.clone(), ""),
            Fix::text(advice).edit(error.span.clone(), "%20"),
        ]
    });
    let advice = (space.is_none() && encoded.is_none()).then(|| Fix::text(advice));
    Finding::titled(title)
        .because(why)
        .mark(mark(view, "here"))
        .fixes(space.into_iter().flatten())
        .fixes(encoded)
        .fixes(advice)
}

/// Where a `?` stands before the keyword at whose `=` a parameter of a URI is refused.
fn second_question_mark(input: &[u8], equals: usize) -> Option<usize> {
    let before = input.get(..equals)?;
    let at = before.iter().rposition(|byte| matches!(byte, b'?' | b'&'))?;
    let keyword = before.get(at + 1..)?;
    let is_second = before.get(at) == Some(&b'?') && before.get(..at)?.contains(&b'?');
    (is_second && options::find(keyword).is_some()).then_some(at)
}

/// A line of a table: fields separated by semicolons, commas or tabs, the first two of which may be host and port.
fn of_a_table(word: &str) -> Option<Finding> {
    let separator = [';', ',', '\t'].into_iter().find(|separator| word.contains(*separator))?;
    let fields: Vec<&str> = word.split(separator).map(str::trim).collect();
    let [host, port, ..] = fields.as_slice() else { return None };
    let is_host = conninfo::is_possible_name(host) || host.parse::<std::net::IpAddr>().is_ok();
    if !is_host || host.is_empty() {
        return None;
    }
    let finding = Finding::titled("the line is one of a table, not a connection string")
        .because("a list has one connection string or HOST:PORT per line");
    let shown = if separator == '\t' { "\\t".to_owned() } else { separator.to_string() };
    Some(finding.fix(
        Fix::text(match port.parse::<u16>() {
            Ok(port) => format!("write {}:{port} in its place; for the whole list, without its first line:", text::printable(host)),
            Err(_) => "remove the line if it is the heading of the table; for the whole list, without its first line:".to_owned(),
        })
        .run(format!("tail -n +2 FILE | cut -d$'{shown}' -f1,2 | tr '{shown}' ':' | pgtls-check --from -")),
    ))
}

/// A quote within a quoted value ends it, and what comes next is a word without `=`.
fn apostrophe(input: &[u8], at: usize, is_secret: bool) -> Option<Fix> {
    let quote = at.checked_sub(1).filter(|quote| input.get(*quote) == Some(&b'\''))?;
    Some(
        Fix::text(match is_secret {
            true => {
                "the ' belongs to the password: set PGPASSWORD to it as it is, and leave it out of the string, as below; or write \\' for it"
            }
            false => "if the ' belongs to the value: write \\' for it",
        })
        .edit(quote..at, "\\'"),
    )
}

/// Pairs as YAML writes them: `host: db.example user: me`, where each word before a colon is a keyword.
fn equals_for_colons(input: &[u8]) -> Option<Fix> {
    let text = std::str::from_utf8(input).ok()?;
    let mut words = text.split_whitespace();
    let mut pairs = Vec::new();
    while let Some(keyword) = words.next() {
        let keyword =
            keyword.strip_suffix(':').filter(|keyword| options::find(keyword.as_bytes()).is_some())?;
        pairs.push(format!("{keyword}={}", words.next()?));
    }
    (!pairs.is_empty()).then(|| {
        Fix::text("write = instead of :, without spaces around it").edit(0..input.len(), pairs.join(" "))
    })
}

/// The value of a name with spaces, up to the next keyword, and how it is written.
fn unquoted(input: &[u8], word: usize) -> Option<(&'static str, std::ops::Range<usize>, String)> {
    let before = input.get(..word)?;
    let equals = before.iter().rposition(|byte| *byte == b'=')?;
    let name = before.get(..equals)?.rsplit(u8::is_ascii_whitespace).next()?;
    let keyword = NAMED.into_iter().find(|keyword| keyword.as_bytes() == name)?;
    let end = quote_end(input, equals + 1)?;
    let value = std::str::from_utf8(input.get(equals + 1..end)?).ok()?;
    let is_plain = !value.contains(['\'', '\\', '"', '=', ',']) && !value.starts_with(char::is_whitespace);
    is_plain.then(|| (keyword, equals + 1..end, format!("'{value}'")))
}

/// What people give names with spaces.
const NAMED: [&str; 6] = ["user", "dbname", "application_name", "sslrootcert", "sslcert", "sslkey"];

/// Where the value probably ends that a quote begins: before the next keyword of libpq, else at the end.
fn quote_end(input: &[u8], start: usize) -> Option<usize> {
    let rest = input.get(start..)?.trim_ascii_end();
    let begins_setting = |at: &usize| {
        let word = rest.get(at + 1..).unwrap_or_default();
        let keyword = word.split(|byte| *byte == b'=').next().unwrap_or_default();
        keyword.len() < word.len() && options::find(keyword.trim_ascii()).is_some()
    };
    let spaces = rest.iter().enumerate().filter(|(_, byte)| byte.is_ascii_whitespace()).map(|(at, _)| at);
    let length = spaces.clone().find(begins_setting).unwrap_or(rest.len());
    Some(start + length)
}

/// A URI that libpq would take apart within the password.
fn unencoded_password(view: &View<'_>, unencoded: &Unencoded) -> Finding {
    let characters: Vec<String> = unencoded.characters.iter().map(|c| format!("`{c}`")).collect();
    let escapes: Vec<String> =
        unencoded.characters.iter().map(|c| format!("{c} as %{:02X}", u32::from(*c))).collect();
    let (characters, escapes) = (characters.join(" and "), escapes.join(", "));
    let (what, effect) = match unencoded.in_user {
        true => ("user name", "takes the rest for a host"),
        false => ("password", "takes the rest for a host, a port or a database"),
    };
    let mut fix = Fix::text(match unencoded.in_user {
        true => format!("write {escapes}"),
        false => format!(
            "leave the password out of the URI, as below, and set PGPASSWORD to it as it is; or keep it in the URI, where it has \
             to be encoded: write {escapes}"
        ),
    });
    // Another secret may stand in its query.
    fix.conninfo = Some(conninfo::mask(unencoded.without_password.as_bytes(), &[]).text);
    Finding::titled(format!("the {what} in the URI contains an unencoded {characters}"))
        .because(format!("libpq ends the {what} there and {effect}, so nothing was sent"))
        .fact("unencoded", characters)
        .mark(mark(view, "from the first : to the last @ is the password"))
        .fix(fix)
}

/// The first place marked: its column in the string as shown, from 1, and what stands there.
fn place(masked: &Masked) -> Option<(i64, String)> {
    let span = masked.spans.first()?;
    let before = masked.text.get(..span.start)?.chars().count();
    let what = masked.text.get(span.clone()).filter(|what| !what.is_empty());
    let what = what.map_or("the end of the string".to_owned(), |what| match what.trim().is_empty() {
        // A space alone would not be seen.
        true => format!("\"{}\"", text::truncated(what, 60)),
        false => text::truncated(what, 60),
    });
    Some((i64::try_from(before).ok()? + 1, what))
}

/// Title, cause and remedy of what is wrong in a URI, or in any string for its bytes.
fn in_uri(kind: &SyntaxErrorKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        SyntaxErrorKind::NulByte => (
            "the connection string holds a zero byte",
            "libpq's strings end at one, so no value can hold it, not even as %00",
            "remove the zero byte",
        ),
        SyntaxErrorKind::UnclosedBracket => (
            "an IPv6 address in the URI does not end",
            "an address that begins with [ ends with ]",
            "write the address as [2001:db8::7]",
        ),
        SyntaxErrorKind::EmptyBrackets => (
            "the brackets in the URI hold no address",
            "[ and ] stand round an IPv6 address",
            "write the address as [2001:db8::7], or give a name without brackets",
        ),
        SyntaxErrorKind::TextBehindBracket => (
            "something else than a port, path or query follows the address in the URI",
            "behind ] only :, /, ? or , may come",
            "write the port as [2001:db8::7]:5432",
        ),
        SyntaxErrorKind::ParameterWithoutEquals => (
            "a parameter of the URI has no value",
            "each parameter after ? is keyword=value, separated from the next by &",
            "write keyword=value; an & inside a value is %26",
        ),
        SyntaxErrorKind::ParameterWithTwoEquals => (
            "a parameter of the URI has two =",
            "libpq takes exactly one = in each parameter behind ?",
            "write an = inside a value as %3D",
        ),
        SyntaxErrorKind::BadPercentEncoding => (
            "a % in the URI is not followed by two hexadecimal digits",
            "in a URI % begins an encoded byte",
            "write a % that is meant as such as %25, in passwords too",
        ),
        SyntaxErrorKind::BareSpace => (
            "a part of the URI holds a space",
            "libpq 18 refuses spaces inside a URI",
            "write the space as %20, if it belongs to the value",
        ),
        SyntaxErrorKind::MissingEquals(_) | SyntaxErrorKind::UnterminatedQuote => (
            "the connection string cannot be read",
            "libpq refuses it at the place marked",
            "write keyword=value pairs, or postgresql://user@host:port/database?keyword=value",
        ),
    }
}

/// What looks like a URI under another scheme is read as keywords.
fn scheme_fix(input: &[u8]) -> Option<Fix> {
    let blank = input.len() - input.trim_ascii_start().len();
    let scheme = String::from_utf8_lossy(input.trim_ascii_start()).into_owned();
    let (scheme, _) = scheme.split_once("://")?;
    let is_scheme =
        scheme.len() < 40 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || ":+.-".contains(c));
    if blank > 0 && ["postgresql", "postgres"].contains(&scheme) {
        return Some(Fix::text("remove the space before the URI").edit(0..blank, ""));
    }
    if let Some(system) = provider::system_by_scheme(scheme) {
        return Some(Fix::text(format!(
            "give the URI of a PostgreSQL server: one that begins with {scheme}:// is for {system}, whose own client checks it"
        )));
    }
    is_scheme.then(|| {
        Fix::text(format!(
            "begin the URI with postgresql:// instead of {scheme}:// (libpq knows that and postgres://, \
             in lower case)"
        ))
        .edit(blank..blank + scheme.len(), "postgresql")
    })
}

fn unknown_option(view: &View<'_>) -> Option<Finding> {
    if let Some(found) = driver::refused(view, Kind::Keyword) {
        return Some(found);
    }
    let ConfigError::UnknownOption { keyword, nearest, origin, span } = error(view)? else { return None };
    let keyword = shown(keyword);
    // A URI under another scheme reads as a keyword up to the first = of its query.
    let input = view.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
    let scheme = if keyword.contains("://") { scheme_fix(input) } else { None };
    let is_escaped = keyword.starts_with("amp;");
    let scheme_is_none = scheme.is_none();
    let fix = match nearest {
        _ if scheme.is_some() => scheme.unwrap_or_default(),
        _ if is_escaped => without_entities(input, span.as_ref()),
        Some(nearest) if keyword.trim() == *nearest => {
            let place = match origin {
                Origin::Service { file, .. } => format!("{}: ", path_text(file)),
                _ => String::new(),
            };
            Fix::text(format!("{place}write {nearest}=VALUE, without spaces around the ="))
        }
        Some(nearest) => {
            let fix = Fix::text(format!("write `{nearest}`"));
            // What stands in the string can be tried; a service file is for its owner to change.
            match span {
                Some(span) => fix.edit(span.clone(), *nearest),
                None => fix,
            }
        }
        None => unknown_name(&keyword),
    };
    let others = other_unknown_options(view, span.as_ref());
    let names = || [keyword.as_str()].into_iter().chain(others.iter().map(|(name, _)| name.as_str()));
    let spaced = keyword != keyword.trim() && nearest.is_some_and(|nearest| nearest == keyword.trim());
    let owners = names().filter(|_| !spaced).filter_map(|name| driver::belongs(name, &owners(name, input)));
    let because = [match spaced {
        false if is_escaped => {
            format!("{}, and its names begin behind the & (from {})", driver::ESCAPED, origin.phrase())
        }
        true => {
            format!("in a service file the space before = is part of the name (from {})", origin.phrase())
        }
        false => not_an_option(&keyword, origin),
    }];
    let because: Vec<String> = because.into_iter().chain(owners).collect();
    let mark = match (span, input) {
        (Some(span), input) if !others.is_empty() => {
            let spans: Vec<_> =
                [span.clone()].into_iter().chain(others.iter().map(|(_, at)| at.clone())).collect();
            let masked = conninfo::mask(input, &spans);
            Some(Mark { text: masked.text, spans: masked.spans, label: "no such options".to_owned() })
        }
        _ => mark(view, &option_label(&keyword, *nearest)),
    };
    let is_plain = scheme_is_none && !is_escaped && !spaced && span.is_some();
    let fix = mended_names(input, &names().collect::<Vec<_>>()).filter(|_| is_plain).unwrap_or(fix);
    let all: Vec<String> = names().map(str::to_owned).collect();
    Some(
        Finding::titled(unknown_title(&all))
            .because(because.join("; "))
            .fact_if("option", (!keyword.contains("://")).then_some(keyword))
            .fact_if("also_unknown", (all.len() > 1).then(|| all.get(1..).unwrap_or_default().to_vec()))
            .fact_if("nearest", *nearest)
            .mark(mark)
            .fix(fix),
    )
}

/// All unknown names mended at once; `None` where one alone is near to an option.
fn mended_names(input: &[u8], names: &[&str]) -> Option<Fix> {
    let near = |name: &str| conninfo::options::nearest(name.as_bytes());
    if names.iter().any(|name| is_variable(name)) || matches!(names, [one] if near(one).is_some()) {
        return None;
    }
    let renamed = names.iter().filter_map(|name| Some(format!("write `{}` for `{name}`", near(name)?)));
    let mut words: Vec<String> = renamed.collect();
    let removed: Vec<&str> = names.iter().copied().filter(|name| near(name).is_none()).collect();
    if !removed.is_empty() {
        let list = removed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        words.push(match removed.iter().all(|name| dialect::owners(name).is_empty()) {
            true => format!("leave out {list}, or look it up in libpq's manual, section Parameter Key Words"),
            false => {
                format!("for libpq leave out {list}; what its own driver reads stays in that driver's string")
            }
        });
    }
    let (place, new) = conninfo::without_unknown(input)?;
    Some(Fix::text(words.join("; ")).edit(place, new))
}

/// Names all that libpq does not know.
fn unknown_title(all: &[String]) -> String {
    match all {
        [one] if one.contains("://") => match one.split("://").next().unwrap_or_default() {
            "postgresql" | "postgres" => "a space stands before the URI".to_owned(),
            scheme => format!("libpq knows no URI that begins with {scheme}://"),
        },
        [one] => format!("unknown connection option `{one}`"),
        [one, others @ ..] => {
            let others: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
            format!("unknown connection option `{one}`; also unknown: {}", others.join(", "))
        }
        [] => "unknown connection option".to_owned(),
    }
}

/// The URL as it was before it came into a document.
fn without_entities(input: &[u8], from: Option<&std::ops::Range<usize>>) -> Fix {
    let fix = Fix::text("write `&` in the place of each `&amp;`");
    let rest = from.and_then(|span| Some((span.start, std::str::from_utf8(input.get(span.start..)?).ok()?)));
    match rest {
        Some((start, rest)) => {
            fix.edit(start..input.len(), rest.strip_prefix("amp;").unwrap_or(rest).replace("&amp;", "&"))
        }
        None => fix,
    }
}

/// Whether a name is one as variables have.
fn is_variable(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// What to do with a name that is near to no option.
fn unknown_name(keyword: &str) -> Fix {
    // So variables are called, and no option of libpq.
    match is_variable(keyword) {
        true => Fix::text(
            "it looks like a line of an environment file: check the line with the connection string alone (here that of DATABASE_URL)",
        )
        .run("grep '^DATABASE_URL=' FILE | pgtls-check --from -"),
        false => Fix::text("remove it, or look the name up in libpq's manual, section Parameter Key Words"),
    }
}

/// Whose keyword a name is: that of the driver that the string looks like, if it has it.
fn owners(name: &str, input: &[u8]) -> Vec<&'static str> {
    match dialect::read(input, None) {
        dialect::Target::Driver(reading) if reading.dialect.has(name) => vec![reading.dialect.title],
        _ => dialect::owners(name),
    }
}

/// Why a keyword is none.
fn not_an_option(keyword: &str, origin: &Origin) -> String {
    match keyword.split_once("://") {
        Some((scheme, _)) if provider::system_by_scheme(scheme).is_some() => format!(
            "{scheme}:// begins the URI of another database system: make sure that it is the right variable or secret"
        ),
        Some(_) => "it is read as keywords then, and the first is no option of libpq".to_owned(),
        None => format!("not a libpq option (from {}; option names are case-sensitive)", origin.phrase()),
    }
}

/// What stands under an unknown option.
fn option_label(keyword: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if keyword.contains("://") => "not a URI of PostgreSQL".to_owned(),
        None => "no such option".to_owned(),
    }
}

/// What else is no option of libpq's in the string: libpq stops at the first.
fn other_unknown_options(
    view: &View<'_>,
    first: Option<&std::ops::Range<usize>>,
) -> Vec<(String, std::ops::Range<usize>)> {
    let (Some(first), Some(input)) = (first, &view.evidence.input) else { return Vec::new() };
    let mut others = conninfo::unknown_keywords(input.expose());
    others.retain(|(_, span)| span != first);
    // Of two of a name one is enough, and of many a few.
    let mut seen: Vec<String> = Vec::new();
    others.retain(|(name, _)| {
        let new = seen.len() < 8 && !seen.contains(name);
        seen.extend(new.then(|| name.clone()));
        new
    });
    others
}

fn invalid_value(view: &View<'_>) -> Option<Finding> {
    if let Some(found) = driver::refused(view, Kind::Value) {
        return Some(found);
    }
    match error(view) {
        Some(ConfigError::InvalidValue { keyword: "user", value, allowed, .. })
            if value.as_bytes().is_empty() =>
        {
            Some(
                Finding::titled(format!("user is not set, and {allowed}"))
                    .because("libpq takes the name of the account where no user is set")
                    .fact("option", "user")
                    .fix(Fix::text("set user or PGUSER to the database user")),
            )
        }
        Some(ConfigError::InvalidValue { keyword, value, allowed, origin, .. }) => {
            Some(refused_value(view, keyword, &shown(value), allowed, origin))
        }
        Some(ConfigError::Contradiction { parameters, reason, remedy }) => {
            let pairs: Vec<String> =
                parameters.iter().map(|(keyword, value, _)| format!("{keyword}={}", shown(value))).collect();
            let from: Vec<String> = parameters
                .iter()
                .zip(&pairs)
                .map(|((keyword, _, origin), pair)| {
                    let typed = requiressl_typed(view)
                        .filter(|_| *keyword == "sslmode" && matches!(origin, Origin::ConnectionString));
                    match typed {
                        Some(()) => format!("{pair}, from requiressl in the connection string"),
                        None => format!("{pair}, from {}", origin.phrase()),
                    }
                })
                .collect();
            let unset = parameters.iter().find_map(|(keyword, value, origin)| match origin {
                Origin::Environment(variable)
                    if *keyword == "sslmode" && remedy.iter().any(|(set, _)| *set == "sslmode") =>
                {
                    Some(
                        Fix::text(format!("unset {variable}, which sets sslmode={}", shown(value)))
                            .by_unsetting(&[variable])
                            .all(remedy.iter().cloned()),
                    )
                }
                _ => None,
            });
            let fixes = match remedy.is_empty() {
                true => meant::even_lists(parameters),
                false => Some(Fix::text("set what goes together").all(remedy.iter().cloned())),
            };
            let title = match pairs.as_slice() {
                [only] => format!("{only} is refused"),
                _ => format!("{} cannot go together", pairs.join(" and ")),
            };
            let label = if pairs.len() > 1 { "these cannot go together" } else { "refused" };
            Some(
                Finding::titled(title)
                    .because(reason.clone())
                    .fact("given", from)
                    .mark(mark(view, label))
                    .fixes(unset)
                    .fixes(fixes)
                    .fixes(parameters.iter().any(|(keyword, ..)| *keyword == "sslnegotiation").then(|| {
                        Fix::text("take sslnegotiation=direct out, which PostgreSQL knows since 17 only")
                            .all(remedy.iter().cloned())
                            .set("sslnegotiation", "postgres")
                    })),
            )
        }
        Some(_) => None,
        None => Some(bad_slot(view)),
    }
}

/// Whether the string says what it says of TLS by libpq's old keyword, of which sslmode is made.
fn requiressl_typed(view: &View<'_>) -> Option<()> {
    let input = view.evidence.input.as_ref()?.expose();
    input.windows(b"requiressl".len()).any(|part| part == b"requiressl").then_some(())
}

/// The port with which a value begins.
fn port_before(value: &str) -> Option<String> {
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    let goes_on = digits.len() < value.len() && digits.parse::<u16>().is_ok_and(|port| port > 0);
    goes_on.then_some(digits)
}

/// A URI whose port goes on: what separates it from a name is replaced by a /, if no / follows.
fn database_behind_port(uri: &[u8], port: &str) -> Fix {
    let fix = Fix::text("write a / between the port and the database");
    let end = uri.iter().position(|byte| *byte == b'?').unwrap_or(uri.len());
    let place = uri.get(..end).and_then(|uri| {
        let colon = format!(":{port}");
        let behind = uri.windows(colon.len()).rposition(|part| part == colon.as_bytes())? + colon.len();
        let rest = uri.get(behind..)?;
        let separators = rest.iter().take_while(|byte| byte.is_ascii_punctuation()).count();
        (separators > 0 && separators < rest.len() && !rest.contains(&b'/'))
            .then_some(behind..behind + separators)
    });
    match place {
        Some(place) => fix.edit(place, "/"),
        None => fix,
    }
}

/// A string of keywords without the commas behind its values or the double quotes around them; `None` where not all have them.
fn without_separators(input: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(input).ok()?.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_setting =
        |word: &&str| word.split_once('=').is_some_and(|(name, _)| options::find(name.as_bytes()).is_some());
    let (_, before) = words.split_last()?;
    let commas = !before.is_empty() && before.iter().all(|word| word.ends_with(','));
    let quotes = words.iter().all(|word| word.contains("=\"") && word.ends_with('"'));
    (words.iter().all(is_setting) && (commas || quotes)).then(|| {
        let bare = |word: &&str| word.trim_end_matches(',').replace('"', "");
        words.iter().map(bare).collect::<Vec<_>>().join(" ")
    })
}

/// The port of a string of keywords, where it is what Kubernetes puts into variables, and the number in it.
fn service_link(input: &[u8]) -> Option<(String, String)> {
    let parsed = conninfo::parse(input).ok()?;
    let (_, port) = parsed.assignments.iter().find(|(keyword, _)| *keyword == "port")?;
    let link = std::str::from_utf8(port.value.as_bytes()).ok()?;
    let (address, number) = link.strip_prefix("tcp://")?.rsplit_once(':')?;
    let is_address = address.parse::<std::net::IpAddr>().is_ok();
    (is_address && number.parse::<u16>().is_ok()).then(|| (link.to_owned(), number.to_owned()))
}

/// Where a value is refused since the string is written otherwise as a whole.
fn of_the_whole_string(
    view: &View<'_>,
    (keyword, value): (&'static str, &str),
    origin: &Origin,
    input: &[u8],
) -> Option<Finding> {
    if let Some((span, address)) = meant::address_without_brackets(input).filter(|_| keyword == "port") {
        return Some(
            Finding::titled("the IPv6 address in the URI has no brackets")
                .because("in a URI libpq takes what stands behind the first : of the host for the port")
                .mark(mark(view, "taken for the port"))
                .fact("option", keyword)
                .fact_if("from", Some(origin.phrase()))
                .fix(Fix::text(format!("write the address in brackets: {address}")).edit(span, address)),
        );
    }
    if let Some((link, port)) = service_link(input).filter(|_| keyword == "port") {
        return Some(
            Finding::titled(format!("the port is a whole address: {link}"))
            .because("Kubernetes sets such a variable (NAME_PORT=tcp://ADDRESS:PORT) for each service of the namespace")
            .fact("option", keyword)
            .fact("value", link)
            .fact("from", origin.phrase())
            .fix(Fix::text("use the number alone, as in the variable NAME_SERVICE_PORT").set(keyword, port))
            .fix(Fix::text("keep such variables out of the pod: enableServiceLinks: false in its spec, and set the variable yourself")),
        );
    }
    if let Some(bare) = without_separators(input) {
        let list = value.ends_with(',');
        return Some(
            Finding::titled(match list {
                true => "the settings are separated by commas, and libpq expects spaces",
                false => "double quotes are part of the values, and libpq expects none, or single quotes",
            })
            .because(format!("{keyword} is read as {value}"))
            .mark(mark(view, "read with it"))
            .fact("option", keyword)
            .fact("value", value)
            .fix(
                Fix::text(if list {
                    "separate the settings by spaces alone"
                } else {
                    "remove the double quotes"
                })
                .edit(0..input.len(), bare),
            ),
        );
    }
    None
}

fn refused_value(
    view: &View<'_>,
    keyword: &'static str,
    value: &str,
    allowed: &str,
    origin: &Origin,
) -> Finding {
    let words = allowed
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-._".contains(c))
        .filter(|word| word.len() > 1 && !["or", "and", "to", "an", "in", "of", "the"].contains(word));
    let line = value.trim_end_matches("\\n").trim_end_matches("\\r");
    let plain = line.trim_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace());
    let is_uri = matches!(origin, Origin::ConnectionString)
        && view
            .evidence
            .input
            .as_ref()
            .is_some_and(|input| conninfo::Form::of(input.expose()) == conninfo::Form::Uri);
    let meant = match keyword {
        // Whoever mistypes it wants to verify: nothing weaker is offered.
        "sslmode" => Some("verify-full".to_owned()),
        "ssl_min_protocol_version" | "ssl_max_protocol_version" => {
            meant::tls_version(plain).or_else(|| nearest(plain, words)).map(str::to_owned)
        }
        _ if allowed.starts_with("an integer") => meant::number(keyword, plain),
        "port" => meant::port(plain).or_else(|| port_before(plain).filter(|_| !is_uri)),
        "load_balance_hosts" if ["true", "on", "yes", "1"].contains(&plain) => Some("random".to_owned()),
        _ => nearest(plain, words).map(str::to_owned),
    };
    let input = view.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
    if let Some(found) = of_the_whole_string(view, (keyword, value), origin, input) {
        return found;
    }
    let bad_address = (keyword == "hostaddr").then(|| meant::address_fault(plain)).flatten();
    let label = match (&meant, &bad_address) {
        (Some(meant), _) => format!("did you mean `{meant}`?"),
        (None, Some(fault)) => fault.clone(),
        (None, None) => format!("allowed: {allowed}"),
    };
    let cause = match (keyword, plain) {
        _ if bad_address.is_some() => bad_address.clone().unwrap_or_default(),
        ("sslmode", "verify-all") => "no client has that mode, although pages on the web write it".to_owned(),
        ("port", _) if meant::port(plain).is_some() => {
            "a letter stands where a digit should (O for 0, l or I for 1)".to_owned()
        }
        ("port", _) if is_uri && port_before(plain).is_some() => {
            "in a URI the port ends at a /, which begins the database: postgresql://HOST:PORT/DATABASE"
                .to_owned()
        }
        ("port", _) if port_before(plain).is_some() => {
            "more than the number of the port stands there".to_owned()
        }
        _ if line != value => {
            "the end of a line belongs to it: the string is from a file, with \\r from Windows".to_owned()
        }
        _ if plain != value => "quotes round it are part of the value here".to_owned(),
        _ if allowed.starts_with("an integer") => "libpq accepts a number without a unit".to_owned(),
        _ => "libpq accepts no other value".to_owned(),
    };
    let is_set = meant.is_some() || bad_address.is_some();
    Finding::titled(format!("invalid {keyword} value \"{value}\""))
        .because(cause)
        .fact("option", keyword)
        .fact("value", value)
        .fact("allowed", allowed)
        .fact("from", origin.phrase())
        .mark(mark(view, &label))
        .fixes(meant.map(|meant| Fix::default().set(keyword, meant)))
        .fixes(
            (keyword == "hostaddr")
                .then(|| address_or_name(value, bad_address.is_some()))
                .into_iter()
                .flatten(),
        )
        .fixes((!is_set).then(|| match port_before(plain).filter(|_| is_uri && keyword == "port") {
            Some(port) => database_behind_port(input, &port),
            None => Fix::text(format!("set {keyword} to {allowed}")),
        }))
}

/// What libpq refuses only when the slot is tried: a port, an address.
fn bad_slot(view: &View<'_>) -> Finding {
    let host = view.host();
    let origin = |keyword| view.origin_words(keyword).unwrap_or_else(|| "the connection string".to_owned());
    if let Some(Err(BadPort::OutOfRange(port) | BadPort::NotANumber(port))) = host.map(|host| &host.port) {
        let port = text::printable(port);
        return Finding::titled(format!("invalid port value \"{port}\""))
            .because("a port is a number from 1 to 65535; PostgreSQL's is 5432")
            .fact("option", "port")
            .fact("value", port)
            .fact("allowed", "1 to 65535")
            .fact("from", origin("port"))
            .fix(Fix::default().set("port", "5432"));
    }
    let value = view
        .settings()
        .and_then(|settings| settings.parameter("hostaddr"))
        .map_or_else(String::new, |parameter| shown_value(&parameter.value));
    let fault = meant::address_fault(&value);
    let is_address = fault.is_some();
    Finding::titled(format!("hostaddr \"{value}\" is not an IP address"))
        .because(fault.unwrap_or_else(|| {
            "hostaddr takes an IPv4 or IPv6 address in digits; names go into host".to_owned()
        }))
        .fact("option", "hostaddr")
        .fact("value", value.clone())
        .fact("allowed", "an address such as 203.0.113.7 or 2001:db8::7")
        .fact("from", origin("hostaddr"))
        .fixes(address_or_name(&value, is_address))
}

/// Whether hostaddr is an address with a slip in it, or a name.
fn address_or_name(value: &str, is_address: bool) -> Vec<Fix> {
    match is_address {
        true => vec![
            Fix::text("correct the address in hostaddr"),
            Fix::text("leave hostaddr out, so that the name in host is looked up").set("hostaddr", ""),
        ],
        false => vec![name_as_host(value)],
    }
}

/// For a name in hostaddr.
fn name_as_host(value: &str) -> Fix {
    Fix::text("give the name as host and leave hostaddr out").set("host", value).set("hostaddr", "")
}

fn host_malformed(view: &View<'_>) -> Option<Finding> {
    if let Some(ConfigError::UnencodedPassword(unencoded)) = error(view) {
        return Some(unencoded_password(view, unencoded));
    }
    let host = view.host()?;
    let Endpoint::Malformed { meant } = &host.endpoint else { return None };
    let given = shown_value(&host.name);
    let place = view
        .settings()?
        .parameter("host")
        .filter(|_| view.settings().is_some_and(|settings| settings.hosts.len() == 1))
        .and_then(|parameter| parameter.place.as_ref())
        .map(|place| place.value.clone());
    let fix = match meant {
        Some(meant) => {
            let rest = given.rsplit_once(meant.as_str()).and_then(|(_, rest)| rest.strip_prefix(':'));
            let port: Option<u16> = rest
                .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
                .and_then(|p| p.parse().ok());
            let fix = Fix::text("give the bare name in host").set("host", meant);
            match port {
                Some(port) => fix.set("port", port.to_string()),
                None => fix,
            }
        }
        None => Fix::text("give the bare name: no scheme, port, user, path or space in it"),
    };
    let cause = if given.contains('@') {
        "host takes a bare name; in a URI an @ in the user name or password is written %40"
    } else {
        "host takes a bare name: a port goes into port, a user into user, and no scheme or path belongs to it"
    };
    Some(
        Finding::titled(format!("\"{given}\" is not a host name"))
            .because(cause)
            .fact("host", given.clone())
            .fact_if("meant", meant.as_deref().map(text::printable))
            .mark(place.and_then(|place| view.mark(std::slice::from_ref(&place), "not a host name")))
            .fix(user_with_at(view, &given).unwrap_or(fix)),
    )
}

/// A URI whose user name has an `@` of its own, which reads as the end of it.
fn user_with_at(view: &View<'_>, host: &str) -> Option<Fix> {
    let input = view.evidence.input.as_ref()?.expose();
    let (domain, _) = host.rsplit_once('@').filter(|_| conninfo::Form::of(input) == conninfo::Form::Uri)?;
    let wanted = format!("@{host}");
    let at = input.windows(wanted.len()).position(|part| part == wanted.as_bytes())?;
    let user = input.get(..at)?.rsplit(|byte| *byte == b'/').next()?;
    let user = std::str::from_utf8(user)
        .ok()
        .filter(|user| !user.is_empty() && !wanted.contains(':') && !user.contains(':'))?;
    let name = text::printable(&format!("{user}@{domain}"));
    Some(Fix::text(format!("if the user is {name}: write its @ as %40")).edit(at..at + 1, "%40"))
}

fn service_not_found(view: &View<'_>) -> Option<Finding> {
    let ConfigError::ServiceNotFound { name, files, unreadable, others, own_file } = error(view)? else {
        return None;
    };
    let listed = super::view::at_most(20, others.iter().map(|other| text::printable(other)));
    let name = text::printable(name);
    let looked: Vec<String> =
        files.iter().map(|(path, why)| format!("{}: {}", path_text(path), text::printable(why))).collect();
    let similar = others
        .iter()
        .min_by_key(|other| text::distance(other, &name))
        .filter(|other| text::distance(other, &name) <= 2)
        .map(|other| {
            Fix::text(format!("use {}, the section with the nearest name", text::printable(other)))
                .set("service", other.as_str())
        });
    let broken = files.iter().find(|(_, why)| why.starts_with("line "));
    // libpq passes over a file that it cannot read.
    let first = files.iter().find(|(path, _)| !unreadable.contains(path)).map(|(path, _)| path_text(path));
    let readable = unreadable.iter().map(|path| {
        let path = text::shell_quoted(&path.to_string_lossy());
        let fix = Fix::text("let this account read the file (as its owner or root), or give it a copy and set PGSERVICEFILE to that");
        if cfg!(windows) { fix } else { fix.run(format!("sudo setfacl -m u:\"$(id -un)\":r {path}")) }
    });
    let title = match (unreadable.as_slice(), broken) {
        ([], Some((path, why))) => format!("libpq cannot use {}: {}", path_text(path), text::printable(why)),
        ([], None) => format!("there is no service \"{name}\""),
        ([path, ..], _) => format!("service \"{name}\" is not found: {} cannot be read", path_text(path)),
    };
    Some(
        Finding::titled(title)
            .because(match broken {
                Some(_) => format!("libpq stops at that line, before it has read the settings of [{name}]"),
                None => "libpq found no section of that name in the service files it reads".to_owned(),
            })
            .fact("section", format!("[{name}]"))
            .fact("looked_in", looked)
            .fact_if("services", (!listed.is_empty()).then_some(listed.clone()))
            .mark(mark(view, "no such service"))
            .fixes(readable)
            .fixes(broken.map(|(_, why)| {
                Fix::text(match why.contains("do not nest") {
                    true => format!("replace that line by the settings of the section that it names: [{name}] needs all of its own"),
                    false => "correct that line: one keyword=value per line, no spaces around the =".to_owned(),
                })
            }))
            .fixes(own_file.as_ref().map(|path| {
                Fix::text(format!("unset PGSERVICEFILE: {} has the section", path_text(path)))
                    .by_unsetting(&["PGSERVICEFILE"])
            }))
            .fixes(similar)
            .fixes(broken.is_none().then(|| absent(view, &name, first.as_deref(), (&listed, unreadable.is_empty()))).into_iter().flatten())
            .fix(Fix::text(
                "if another file has this section: set the environment variable PGSERVICEFILE to that file",
            )),
    )
}

/// What can be done about a service that no file has.
fn absent(
    view: &View<'_>,
    name: &str,
    file: Option<&str>,
    (listed, all_read): (&[String], bool),
) -> Vec<Fix> {
    let add = Fix::text(format!(
        "add a section [{name}] to {}, with one keyword=value per line and no spaces around the =",
        file.unwrap_or("~/.pg_service.conf")
    ))
    .run(format!("[{name}]\nhost=HOST\nport=5432\ndbname=DATABASE\nuser=USER"));
    let other = (!listed.is_empty()).then(|| {
        Fix::text(format!(
            "if another service is meant: set service to one that exists: {}",
            listed.join(", ")
        ))
    });
    let without = without_service(view, name)
        .filter(|_| all_read)
        .unwrap_or_else(|| Fix::text(format!("remove service={name} if the string is complete without it")));
    [add].into_iter().chain(other).chain([without]).collect()
}

/// The string of keywords without its service, which a trial finds complete or not.
fn without_service(view: &View<'_>, name: &str) -> Option<Fix> {
    let input = view.evidence.input.as_ref()?.expose();
    let parsed = conninfo::parse(input).ok()?;
    let (_, service) = parsed.assignments.iter().find(|(keyword, _)| *keyword == "service")?;
    let place = &service.place;
    let is_keywords = conninfo::Form::of(input) == conninfo::Form::KeywordValue;
    is_keywords.then(|| {
        Fix::text(format!("remove service={name}: the string is complete without it"))
            .edit(place.keyword.start..place.value.end, "")
    })
}

fn host_required(view: &View<'_>) -> Option<Finding> {
    let said = matches!(error(view), Some(ConfigError::HostRequired));
    let judged = || {
        let judgement = view.judgement()?;
        let is_first =
            judgement.chain_defects().all(|defect| !defect.demanded(view.mode, judgement.verifies));
        let nameless = judgement.defects.iter().any(|defect| matches!(defect, Defect::NoHost));
        (is_first && nameless && view.mode == SslMode::VerifyFull).then_some(())
    };
    if !said && judged().is_none() {
        return None;
    }
    let certified = view.tls().and_then(|tls| tls.chain.first()).map(super::certificate::names_of);
    let input = view.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
    if let Some(name) = name_in_hostaddr(input) {
        return Some(
            Finding::titled("there is no host name to verify: the name is in hostaddr")
                .because("hostaddr takes an address only; the name that is looked up and compared with the certificate goes into host")
                .mark(mark(view, "a name, no address"))
                .fact("missing", "host")
                .fix(name_as_host(&name)),
        );
    }
    Some(
        Finding::titled("there is no host name to verify")
            .because(
                "sslmode=verify-full compares the name in host with the certificate; hostaddr only says \
                 where to connect and is never compared",
            )
            .fact("missing", "host")
            .mark(mark(view, "an address, and no host beside it"))
            .fact_if("certificate_for", certified.filter(|names| !names.is_empty()))
            .fix(Fix::text("add host=NAME beside hostaddr, with the name the server's certificate is for (its administrator knows it)")),
    )
}

/// The name that a string has in hostaddr, where only addresses belong.
fn name_in_hostaddr(input: &[u8]) -> Option<String> {
    let parsed = conninfo::parse(input).ok()?;
    let value = parsed.get("hostaddr")?.value.as_bytes();
    let name = std::str::from_utf8(value).ok()?;
    let is_name = name.contains(|c: char| c.is_ascii_alphabetic()) && !name.contains([',', ':']);
    (is_name && conninfo::is_possible_name(name) && conninfo::mask_text(name) == name)
        .then(|| name.to_owned())
}

impl Diagnosis {
    /// Adds what the server's certificate calls it to a demand for a host name, and gives the remedy under that name.
    pub(crate) fn with_certified_names(&mut self, seen: &Evidence) -> Option<Fix> {
        let view = View::new(seen, seen.attempts.last());
        let leaf = view.tls()?.chain.first()?;
        let names = super::certificate::names_of(leaf);
        let fix = super::certificate::host_name_of(leaf).map(|name| {
            let text = format!(
                "if the server you mean is {name} (the name in the certificate that {} presents): add it as host; else ask the \
                 server's administrator for its name",
                view.place()
            );
            Fix::text(text).set("host", name).by_its_own_word()
        });
        if !names.is_empty() {
            self.evidence.push(("certificate_names", super::view::at_most(20, names).into()));
        }
        fix
    }
}

fn over_socket(view: &View<'_>, path: String, mode: &str) -> Finding {
    let ignored = driver::host_ignored(view);
    let reading = view.evidence.typed.as_deref().and_then(|typed| typed.reading());
    let own = reading.and_then(|reading| reading.dialect.keyword_of("host"));
    let parameter = view.settings().and_then(|settings| settings.parameter("host"));
    let is_unset = parameter.is_some_and(|host| host.value.is_empty());
    let missing = view.evidence.missing_socket.as_deref().map(path_text);
    let instance = path.strip_prefix("/cloudsql/").filter(|name| name.split(':').count() > 2);
    let cloud_sql = instance.map(|name| cloud_sql_socket(view, name)).unwrap_or_default();
    let is_empty = view.evidence.input.as_ref().is_some_and(|input| input.expose().trim_ascii().is_empty());
    let by_variable = view.evidence.server_at_hand.as_ref().filter(|_| ignored.is_none()).map(|found| {
        let name = &found.variable;
        match &found.host {
            Some(host) => {
                Fix::text(format!("{name} is no variable of libpq's: call it PGHOST")).set("host", host)
            }
            None => Fix::text(format!("{name} holds a URL, which libpq does not read by itself: check that"))
                .run(driver::url_checked(name)),
        }
    });
    let by_name = (ignored.is_none() && cloud_sql.is_empty()).then(|| {
            Fix::text(match view.origin("host") {
                Some(Origin::Environment(variable)) => format!(
                    "name the server by the host name its certificate is for, in the string: host=NAME (it takes the place of {variable})"
                ),
                _ if is_empty => "give the string that was meant: the one given is empty (a variable that is not set?)".to_owned(),
                _ => match own {
                    Some(own) => format!("name the server in {own}, by the host name its certificate is for"),
                    None => "name the server by the host name its certificate is for: host=NAME".to_owned(),
                },
            })
        });
    let title = "a Unix-domain socket never uses TLS";
    Finding::titled(missing.as_ref().map_or(title.to_owned(), |missing| format!("{missing} does not exist; {title}")))
                .because(format!(
                    "{} connects to {path} in plaintext whatever the sslmode, {mode} included; there \
                     is nothing to verify",
                    view.program()
                ))
                .fact("socket", path.clone())
                .fact("sslmode", mode)
                .fact(
                    "from",
                    match view.origin_words("host") {
                        Some(from) if is_unset => {
                            format!("{from}, where {} is empty (an unset variable?)", own.unwrap_or("host"))
                        }
                        Some(from) => from,
                        None => "libpq's default: neither host nor the variable PGHOST is set".to_owned(),
                    },
                )
                .fixes(ignored)
                .fixes(by_variable)
                .fixes(by_name)
                .fixes(cloud_sql.is_empty().then(|| Fix::server(match &missing {
                    Some(_) => {
                        "if the server of this machine is meant: it does not run, or has its socket elsewhere (SHOW \
                         unix_socket_directories): start it, set host to that directory, or use host=localhost"
                    }
                    None => {
                        "if the server of this machine is meant: nothing leaves the machine over the socket, and there is no TLS to check; \
                         where it says peer authentication failed, the line `local` of pg_hba.conf asks no password but this system's \
                         account: connect as that account, or with host=localhost by the password"
                    }
                })))
                .fixes(cloud_sql)
}

/// What makes the socket of an instance of Cloud SQL. It is the near end of a proxy that uses TLS itself.
fn cloud_sql_socket(view: &View<'_>, instance: &str) -> Vec<Fix> {
    let instance = text::shell_quoted(instance);
    let service = view.evidence.cloud_run.as_deref();
    let attached = Fix::text(
        "in Cloud Run: attach the instance, which makes this socket (TLS to Cloud SQL is Google's part); the service's account needs the \
         role Cloud SQL Client (roles/cloudsql.client)",
    )
    .run(format!(
        "gcloud run services update {} --add-cloudsql-instances {instance}",
        service.map_or_else(|| "SERVICE".to_owned(), text::shell_quoted)
    ));
    let proxy = Fix::text("elsewhere: start the Cloud SQL Auth Proxy, which makes it")
        .run(format!("cloud-sql-proxy --unix-socket /cloudsql {instance}"));
    [attached].into_iter().chain(service.is_none().then_some(proxy)).collect()
}

fn tls_not_requested(view: &View<'_>) -> Option<Finding> {
    let settings = view.settings()?;
    let origin = view.origin_words("sslmode");
    let mode = settings.sslmode.name();
    if let Some(Endpoint::Socket(path)) = view.host().map(|host| &host.endpoint) {
        return Some(over_socket(view, path_text(path), mode));
    }
    let finding = if settings.sslmode == SslMode::Disable {
        Finding::titled(format!("{} turns TLS off", driver::said(view))).because(match driver::why(view) {
            Some(why) => {
                format!("{why}; {} connects in plaintext, so there is nothing to verify", view.program())
            }
            None => format!("{} connects in plaintext; there is nothing to verify", view.program()),
        })
    } else if view.admitted_in_plaintext() {
        Finding::titled(format!("{} tries plaintext first, and the server accepts it", driver::said(view)))
            .because(format!(
                "this server accepts plaintext, or requests a password without TLS; {} would use TLS only after a refusal",
                view.program()
            ))
    } else {
        return None;
    };
    let mut verify = Fix::text(match view.origin("sslmode") {
        Some(Origin::Service { name, file }) => format!(
            "verify the server: change sslmode in [{}] of {}, or override it in the string",
            text::printable(name),
            path_text(file)
        ),
        _ => "verify the server".to_owned(),
    })
    .set("sslmode", "verify-full");
    let unused = driver::unused_roots(view);
    if let Some(file) = unused {
        verify = verify.set("sslrootcert", file);
    }
    let given = settings.parameter("sslrootcert").is_some() || unused.is_some();
    let mut roots = if view.store().is_none() && !given { root_sources(&view.server()) } else { Vec::new() };
    if roots.first().is_some_and(|fix| fix.bundle.is_some()) {
        let bundle = roots.remove(0);
        let text = format!("{}: {}", verify.text, bundle.text);
        verify.settings.extend(bundle.settings.clone());
        verify = Fix { text, settings: verify.settings, ..bundle };
    }
    let hints = provider_hints(view, Situation::NotEncrypted, None);
    let finding = finding.mark(view.evidence.typed.as_deref().and_then(driver::word_marked));
    Some(finding.fact("sslmode", mode).fact_if("from", origin).fix(verify).fixes(roots).fixes(hints))
}

/// The check goes on without the option; for Kerberos encryption in TLS's place that is what is to be checked.
fn without(keyword: &'static str) -> Fix {
    match keyword {
        "gssencmode" => Fix::text("to check TLS: turn GSSAPI encryption off").set("gssencmode", "disable"),
        _ => Fix::text(format!("for this check, remove {keyword}; psql accepts it")),
    }
}

fn option_not_supported(view: &View<'_>) -> Option<Finding> {
    if let Some(ConfigError::NotSupported { keyword, value, reason }) = error(view) {
        let value = shown(value);
        return Some(
            Finding::titled(format!("{keyword}={value} is not supported by pgtls-check"))
                .because(reason.clone())
                .fact("option", *keyword)
                .fact("value", value)
                .mark(mark(view, "not supported"))
                .fix(without(keyword)),
        );
    }
    let ClientIdentity::Failed(IdentityError::KeyInEngine { reference }, _) = &view.trust()?.client else {
        return None;
    };
    let reference = path_text(reference);
    let file = Fix::text("set sslkey to a file whose path has no colon in it");
    let on_card =
        Fix::text("if the key is on a token or card: check TLS here without it, and the login with psql, which uses the engine")
            .set("sslcert", "/nonexistent")
            .set("sslkey", "");
    Some(
        Finding::titled(format!("sslkey={reference} is in an OpenSSL engine, which pgtls-check cannot use"))
            .because("libpq reads a value with a colon (other than in the second place) as engine:key")
            .fact("option", "sslkey")
            .fact("value", reference.clone())
            .fixes(if reference.starts_with("pkcs11") { [on_card, file] } else { [file, on_card] }),
    )
}
