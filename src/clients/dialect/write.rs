//! Writes settings as a dialect's strings, so that its driver reads the same settings in them.
//!
//! What is written for people to use holds no password: [`Reading::corrected`] leaves secrets out.

use super::grammar::pairs::{Prefix, Rules as PairRules, Syntax};
use super::grammar::url::{Login, Path, Rules as UrlRules};
use super::grammar::{Form, Look};
use super::secrets::is_certificates;
use super::text::split;
use super::verify::{Spelled, Trusted};
use super::{Dialect, Failure, Hosts, Kind, Meaning, Reading, Setting};
use crate::clients::quote::{Language, ado_net};
use crate::conninfo::write::{encoded, quoted};
use crate::order;

/// Said of a setting that a driver does not have.
pub const NO_SUCH_SETTING: &str = "this driver has no such setting";

/// A setting to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// libpq's `host`, `port`, `dbname`, `user`, `password`, or the driver's keyword; inner ones with dots.
    pub name: &'a str,
    pub value: &'a [u8],
    pub kind: Kind,
}

/// What has a place of its own in a URL, and other names among keywords.
const FIXED: [&str; 5] = ["host", "port", "dbname", "user", "password"];

/// Keys that tell a framework which database it is.
const TELLING: [&str; 5] = ["ENGINE", "adapter", "dialect", "type", "client"];

/// The form a string is written in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    pub form: Form,
    /// What a URL begins with, if it is to be one; empty for the dialect's own.
    pub scheme: &'a str,
}

/// A string of a dialect's; `None` where it cannot hold these settings.
pub(super) fn write(dialect: &Dialect, shape: Shape<'_>, entries: &[Entry<'_>]) -> Option<Vec<u8>> {
    match shape.form {
        Form::Url(rules) => url(dialect, rules, shape.scheme, entries),
        Form::Pairs(rules) => pairs(dialect, rules, entries),
        Form::Libpq => Some(libpq(shape.scheme, entries)),
        Form::Object(look) => object(dialect, look, entries),
    }
}

impl Failure {
    /// Host, port, database and user in a string of the driver's first form that makes it verify; `None` without a host.
    pub fn anew(&self) -> Option<Vec<u8>> {
        let setting = |option: &'static str| {
            let found =
                self.settings.iter().find(|setting| setting.counts && setting.libpq() == Some(option))?;
            Some(Entry { name: option, value: found.value.plain()?, kind: Kind::Text })
        };
        let mut entries: Vec<Entry<'_>> = FIXED
            .iter()
            .filter(|option| **option != "password")
            .filter_map(|option| setting(option))
            .collect();
        let spelled = (self.dialect.spell)(false, Trusted::System).ok()?;
        entries.first().filter(|entry| entry.name == "host")?;
        entries.extend(spelled.iter().map(|spelled| Entry {
            name: spelled.keyword,
            value: spelled.value.as_bytes(),
            kind: spelled.kind,
        }));
        write(self.dialect, Shape { form: *self.dialect.forms.first()?, scheme: "" }, &entries)
    }
}

impl Reading {
    /// The string as it should be written, in the same form and without secrets: some of libpq's options changed and, if
    /// `trusted` is given, so that the driver verifies chain and name.
    ///
    /// # Errors
    /// What has to be done elsewhere, where a string of this form cannot say it.
    pub fn corrected(
        &self,
        changes: &[(&'static str, &[u8])],
        trusted: Option<Trusted<'_>>,
    ) -> Result<Vec<u8>, &'static str> {
        let dialect = self.dialect;
        let changed =
            |option: &str| changes.iter().find(|(name, _)| *name == option).map(|(_, value)| *value);
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let counting = |setting: &&Setting| setting.counts && setting.value.plain().is_some();
        // What stands beside the string and is the program's own stays there.
        let stays = |setting: &Setting| {
            matches!(setting.meaning, Some(Meaning::Own | Meaning::Server)) && self.is_beside(setting)
        };
        for setting in self.typed_settings().filter(counting).filter(|setting| !stays(setting)) {
            let value = setting.libpq().and_then(changed).unwrap_or(setting.value.expose());
            entries.extend(kept(setting, value, trusted.is_some(), self.shape()));
        }
        let mut added: Vec<(String, &[u8])> = Vec::new();
        for (option, value) in changes {
            let given =
                self.typed_settings().any(|setting| setting.counts && setting.libpq() == Some(option));
            let written = given || (trusted.is_some() && matches!(*option, "sslmode" | "sslrootcert"));
            if !written {
                added.push((self.name_of_new(option)?, value));
            }
        }
        entries.extend(added.iter().map(|(name, value)| Entry { name, value, kind: Kind::Text }));
        let spelled: Vec<Spelled> = match trusted {
            Some(trusted) => (dialect.spell)(matches!(self.form, Form::Object(_)), trusted)?,
            None => Vec::new(),
        };
        // A switch beside options of the same name is said by those.
        let is_said = |spelled: &&Spelled| {
            let inner = |entry: &Entry<'_>| {
                entry.name.strip_prefix(spelled.keyword).is_some_and(|rest| rest.starts_with('.'))
            };
            spelled.value == "true" && entries.iter().any(inner)
        };
        let spelled: Vec<Entry<'_>> = spelled
            .iter()
            .filter(|spelled| !is_said(spelled))
            .map(|spelled| Entry {
                name: spelled.keyword,
                value: changed("sslmode")
                    .filter(|_| matches!(spelled.value.as_str(), "verify-full" | "VerifyFull"))
                    .unwrap_or(spelled.value.as_bytes()),
                kind: spelled.kind,
            })
            .collect();
        entries.extend(spelled);
        if dialect.name.starts_with("ecto")
            && entries.iter().any(|entry| entry.name.starts_with("ssl."))
            && trusted.is_some_and(|trusted| trusted.file().is_none())
        {
            return Err("name the roots among the options of ssl: cacertfile: FILE");
        }
        // Inner settings of one object stand together.
        let outer = |entry: &Entry<'_>| entry.name.split('.').next().unwrap_or_default().to_owned();
        let order: Vec<String> = entries.iter().map(outer).collect();
        if matches!(self.form, Form::Object(_)) {
            order::by_key(&mut entries, |entry| order.iter().position(|name| *name == outer(entry)));
        }
        write(dialect, self.shape(), &entries).ok_or("a string of this form cannot hold these settings")
    }

    /// The name under which one of libpq's options is added.
    fn name_of_new(&self, option: &str) -> Result<String, &'static str> {
        if FIXED.contains(&option) {
            return Ok(option.to_owned());
        }
        let name = self.dialect.keyword_of(option).ok_or(NO_SUCH_SETTING)?;
        let is_inner = self.dialect.name == "django" && matches!(self.form, Form::Object(_));
        Ok(if is_inner { format!("OPTIONS.{name}") } else { name.to_owned() })
    }

    /// The root file that is named, whether it counts for anything or not.
    pub(super) fn root_file(&self) -> Option<&Setting> {
        const ANY: &str = "/";
        let spelled = (self.dialect.spell)(matches!(self.form, Form::Object(_)), Trusted::File(ANY)).ok()?;
        let spelled = spelled.iter().find(|spelled| spelled.value == ANY)?;
        // The text of certificates is no file.
        self.get(spelled.keyword).filter(|setting| setting.kind == spelled.kind)
    }

    /// Those of the text: what variables say stays where it is.
    fn typed_settings(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| setting.variable.is_none())
    }

    fn shape(&self) -> Shape<'_> {
        Shape { form: self.form, scheme: &self.scheme }
    }
}

/// Objects of a framework's within which the driver's own settings stand.
const WITHIN: [&str; 4] = ["OPTIONS.", "dialectOptions.", "extra.", "connect_args."];

/// The name of a setting with the object that it stands in.
fn within(setting: &Setting) -> &str {
    let typed = setting.typed.as_str();
    let place = WITHIN.iter().find_map(|outer| typed.find(outer)).unwrap_or(typed.len());
    typed.get(place..).filter(|name| name.ends_with(&*setting.keyword)).unwrap_or(&setting.keyword)
}

/// A setting as it is written again, if it is.
fn kept<'a>(
    setting: &'a Setting,
    value: &'a [u8],
    spelled_anew: bool,
    shape: Shape<'_>,
) -> Option<Entry<'a>> {
    let in_object = matches!(shape.form, Form::Object(_));
    let name = match setting.meaning? {
        Meaning::Libpq(option) if spelled_anew && matches!(option, "sslmode" | "sslrootcert") => return None,
        // The writer's own word for it; a list of hosts is put together anew.
        Meaning::Libpq(_)
            if matches!(shape.form, Form::Pairs(_))
                && !setting.typed.is_empty()
                && (!value.contains(&b',') || setting.typed.starts_with("pqopt.")) =>
        {
            &setting.typed
        }
        Meaning::Libpq(option) if FIXED.contains(&option) => option,
        Meaning::Libpq(_) | Meaning::Rewritten(..) if in_object => within(setting),
        Meaning::Libpq(_) | Meaning::Rewritten(..) => &setting.keyword,
        Meaning::Tls if spelled_anew && !(in_object && is_certificates(setting.value.expose())) => {
            return None;
        }
        // What stands in an object of the driver's own is not taken apart, but for what tells whose object it is.
        Meaning::Own if in_object && !TELLING.contains(&&*setting.keyword) => return None,
        Meaning::Tls if in_object => within(setting),
        Meaning::Tls | Meaning::Server | Meaning::Own => &setting.keyword,
    };
    let written = setting.kind == Kind::Text || (setting.kind == Kind::Content && in_object);
    // The container of options that are written by themselves.
    (written && name != "pqopt").then_some(Entry { name, value, kind: setting.kind })
}

fn value<'a>(entries: &[Entry<'a>], name: &str) -> Option<&'a [u8]> {
    entries.iter().find(|entry| entry.name == name && !entry.value.is_empty()).map(|entry| entry.value)
}

fn libpq(scheme: &str, entries: &[Entry<'_>]) -> Vec<u8> {
    use crate::conninfo::write::{Form, string};
    let form = if scheme.is_empty() { Form::KeywordValue } else { Form::Uri };
    string(form, entries.iter().map(|entry| (entry.name, entry.value)))
}

/// Hosts and ports, one list as two.
fn hosts<'a>(entries: &[Entry<'a>]) -> Vec<(&'a [u8], &'a [u8])> {
    let host = value(entries, "host").unwrap_or_default();
    let port = value(entries, "port").unwrap_or_default();
    let part = |list: &'a [u8]| {
        split(list, 0..list.len(), b',').into_iter().map(move |range| list.get(range).unwrap_or_default())
    };
    let ports: Vec<&[u8]> = part(port).collect();
    let several = ports.len() > 1;
    part(host)
        .enumerate()
        .map(|(at, host)| (host, ports.get(if several { at } else { 0 }).copied().unwrap_or_default()))
        .collect()
}

/// A host within a URL or list: an IPv6 address in brackets.
fn host_and_port(host: &[u8], port: &[u8], encode: bool) -> Vec<u8> {
    let bracketed = host.contains(&b':');
    let mut text = Vec::new();
    text.extend(bracketed.then_some(b'['));
    if encode && !bracketed {
        text.extend(encoded(host))
    } else {
        text.extend(host)
    }
    text.extend(bracketed.then_some(b']'));
    if !port.is_empty() {
        text.push(b':');
        text.extend(port);
    }
    text
}

fn url(dialect: &Dialect, rules: &UrlRules, scheme: &str, entries: &[Entry<'_>]) -> Option<Vec<u8>> {
    let scheme = if scheme.is_empty() { rules.schemes.first()? } else { scheme };
    let mut text = scheme.as_bytes().to_vec();
    let mut query: Vec<(String, Vec<u8>)> = Vec::new();
    let user = value(entries, "user");
    let password = value(entries, "password");
    if rules.login == Login::Nowhere {
        text.extend(b"//");
        query.extend(user.map(|user| ("user".to_owned(), user.to_vec())));
        query.extend(password.map(|password| ("password".to_owned(), password.to_vec())));
    } else if user.is_some() || password.is_some() {
        text.extend(encoded(user.unwrap_or_default()));
        if let Some(password) = password {
            text.push(b':');
            text.extend(encoded(password));
        }
        text.push(b'@');
    }
    let hosts = hosts(entries);
    let literal = rules.host == super::grammar::url::LITERAL;
    if literal && hosts.iter().any(|(host, _)| host.iter().any(|byte| b"/?#@,[]".contains(byte))) {
        return None;
    }
    if hosts.len() == 1 || rules.several_hosts {
        let hosts: Vec<Vec<u8>> =
            hosts.iter().map(|(host, port)| host_and_port(host, port, !literal)).collect();
        text.extend(hosts.join(&b','));
    } else if dialect.hosts == Hosts::Repeated {
        query.extend(hosts.iter().map(|(host, port)| ("host".to_owned(), host_and_port(host, port, false))));
    } else {
        return None;
    }
    let database = value(entries, "dbname");
    if database.is_some() || rules.path_form == Path::Jdbc {
        text.push(b'/');
        let database = database.unwrap_or_default();
        if rules.path == super::grammar::url::LITERAL && database.iter().any(|byte| b"?#%@".contains(byte)) {
            return None;
        }
        text.extend(match rules.path.percent {
            super::grammar::url::Percent::Literal => database.to_vec(),
            super::grammar::url::Percent::Unreserved
                if database.iter().any(|byte| b";/?:@&=+$,#".contains(byte)) =>
            {
                return None;
            }
            _ => encoded(database),
        });
    }
    for entry in entries.iter().filter(|entry| !FIXED.contains(&entry.name)) {
        query.push((entry.name.to_owned(), entry.value.to_vec()));
    }
    for (at, (name, value)) in query.iter().enumerate() {
        text.push(if at == 0 { b'?' } else { b'&' });
        text.extend(name.as_bytes());
        text.push(b'=');
        text.extend(encoded(value));
    }
    Some(text)
}

fn pairs(dialect: &Dialect, rules: &PairRules, entries: &[Entry<'_>]) -> Option<Vec<u8>> {
    let any = |bytes: &[u8]| entries.iter().any(|entry| entry.value.iter().any(|byte| bytes.contains(byte)));
    // Neither finds its semicolons where quotes or backslashes stand in other values.
    if matches!(rules.syntax, Syntax::SemicolonsToo { .. }) && any(b";") && any(b"'\\") {
        return None;
    }
    let mut written: Vec<Vec<u8>> = Vec::new();
    let mut inner: Vec<Vec<u8>> = Vec::new();
    let joined: Option<Vec<u8>> =
        (dialect.hosts == Hosts::WithPorts && hosts(entries).len() > 1).then(|| {
            hosts(entries)
                .iter()
                .map(|(host, port)| host_and_port(host, port, false))
                .collect::<Vec<_>>()
                .join(&b',')
        });
    for entry in entries.iter().filter(|entry| !entry.value.is_empty()) {
        if let Some(name) = entry.name.strip_prefix("pqopt.") {
            inner.push([name.as_bytes(), b"=", &quoted(entry.value)].concat());
            continue;
        }
        let mut value = entry.value;
        if let Some(joined) = &joined {
            match entry.name {
                "port" => continue,
                "host" => value = joined,
                _ => {}
            }
        }
        let name = if FIXED.contains(&entry.name) { dialect.keyword_of(entry.name)? } else { entry.name };
        written.push([name.as_bytes(), b"=", &pair_value(rules.syntax, value)?].concat());
    }
    if !inner.is_empty() {
        written.push([&b"pqopt="[..], &braced(&inner.join(&b' '))].concat());
    }
    let prefix: &[u8] = match rules.prefix {
        Prefix::Nothing => b"",
        Prefix::Pdo => b"pgsql:",
        Prefix::Dbi => b"dbi:Pg:",
    };
    // DBD::Pg counts quotes to find its semicolons, and loses count where a value has one in it.
    let quotes = written.iter().any(|pair| pair.contains(&b'\''));
    let separator = match rules.syntax {
        Syntax::Blanks(_) => b' ',
        Syntax::SemicolonsToo { in_quotes: false } if quotes => b' ',
        _ => b';',
    };
    Some([prefix, &written.join(&separator)].concat())
}

fn pair_value(syntax: Syntax, value: &[u8]) -> Option<Vec<u8>> {
    Some(match syntax {
        Syntax::AdoNet => ado_net(std::str::from_utf8(value).ok()?).into_bytes(),
        Syntax::Odbc => {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/:\\,".contains(byte);
            if value.iter().all(plain) { value.to_vec() } else { braced(value) }
        }
        Syntax::Blanks(_) => quoted(value),
        // A semicolon becomes a blank wherever it stands.
        Syntax::SemicolonsToo { in_quotes: true } if value.contains(&b';') => return None,
        Syntax::SemicolonsToo { .. } if value.contains(&b';') => [b"'", value, b"'"].concat(),
        Syntax::SemicolonsToo { .. } => quoted(value),
    })
}

/// In braces, closing ones doubled.
fn braced(value: &[u8]) -> Vec<u8> {
    let mut text = vec![b'{'];
    for byte in value {
        text.push(*byte);
        if *byte == b'}' {
            text.push(b'}');
        }
    }
    text.push(b'}');
    text
}

fn object(dialect: &Dialect, look: &Look, entries: &[Entry<'_>]) -> Option<Vec<u8>> {
    let entries: Vec<(&str, &Entry<'_>)> = entries
        .iter()
        .map(|entry| {
            Some((
                if FIXED.contains(&entry.name) { dialect.keyword_of(entry.name)? } else { entry.name },
                entry,
            ))
        })
        .collect::<Option<_>>()?;
    Some(format!("{}{}{}", look.open, members(look, &entries)?, look.close).into_bytes())
}

/// Settings of one object; those with a dot stand in another one.
fn members(look: &Look, entries: &[(&str, &Entry<'_>)]) -> Option<String> {
    let mut written: Vec<String> = Vec::new();
    let quote = if look.quoted { "\"" } else { "" };
    let mut at = 0;
    while let Some((name, entry)) = entries.get(at) {
        let outer = name.split('.').next().unwrap_or_default();
        let inner: Vec<(&str, &Entry<'_>)> = entries
            .get(at..)?
            .iter()
            .map_while(|(name, entry)| Some((name.strip_prefix(outer)?.strip_prefix('.')?, *entry)))
            .collect();
        let (open, close) = look.inner;
        let value = if inner.is_empty() {
            literal(look, entry)?
        } else {
            format!("{open}{}{close}", members(look, &inner)?)
        };
        at += inner.len().max(1);
        written.push(format!("{quote}{outer}{quote}{}{value}", look.sign));
    }
    Some(written.join(", "))
}

/// The value of a setting in the language's own way.
fn literal(look: &Look, entry: &Entry<'_>) -> Option<String> {
    let text = std::str::from_utf8(entry.value).ok()?;
    let literal = look.language.literal(text);
    Some(match (entry.kind, text) {
        (Kind::Content, _) => format!("fs.readFileSync({literal}).toString()"),
        (Kind::Text, "true") if look.language == Language::Python => "True".to_owned(),
        (Kind::Text, "false") if look.language == Language::Python => "False".to_owned(),
        (Kind::Text, "true" | "false") => text.to_owned(),
        // Elixir and Python take no text for a port.
        (Kind::Text, _)
            if (look.language == Language::JavaScript || entry.name == "port") && is_port(text) =>
        {
            text.to_owned()
        }
        _ => literal,
    })
}

/// Whether a text reads the same as a number: `+0` and `007` would be others.
fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|number| number.to_string() == text)
}
