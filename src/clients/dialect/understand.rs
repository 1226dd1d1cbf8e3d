//! From pairs to settings: which keyword each is, which of several counts, what is a placeholder, what is demanded.

use std::borrow::Cow;
use std::ops::Range;

use super::grammar::{Broken, Form, Pair, Parsed, Part};
use super::lookup::{Lookup, shown};
use super::placeholder::{is_partly_placeholder, is_placeholder, stands_for_another};
use super::table::owners;
use super::text::Text;
use super::{
    Absent, Dialect, Failure, Fault, FaultKind, Kind, Layer, Meaning, Place, Reading, Remark, Repeated,
    Setting, SettingValue, Unknown, Variables,
};
use super::{hosts, secrets};
use crate::conninfo::{MASK, holds_content, options};
use crate::secret::Secret;

/// What was found in a string and round it, before anything is made of it.
pub(super) struct Found<'a> {
    pub dialect: &'static Dialect,
    pub layers: Vec<Layer>,
    /// The original.
    pub original: &'a [u8],
    /// The string itself.
    pub text: Text,
    pub form: Form,
    pub parsed: Parsed,
    /// Settings that stood round the string, with places in the original; libpq's names.
    pub beside: Vec<Pair>,
    /// Whether what stood round the string counts more than what is in it.
    pub beside_wins: bool,
}

/// Makes a reading of what was found.
pub(super) fn understand(found: Found<'_>) -> Result<Reading, Box<Failure>> {
    let dialect = found.dialect;
    let mut settings: Vec<Setting> = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    let object = matches!(found.form, Form::Object(_));
    let broken = found.parsed.broken.is_some();
    let mut naming = Naming { dialect, object, broken, behind_secret: false };
    for pair in &found.parsed.pairs {
        settings.push(naming.setting(pair, placed(&found.text, &pair.place)));
    }
    // Where code stops making sense behind a literal, a quote in the value may have ended it too early.
    if matches!(found.form, Form::Object(_))
        && found.parsed.broken.is_some()
        && let Some(last) = settings.last_mut()
        && let SettingValue::Plain(bytes) = &last.value
    {
        last.value = SettingValue::Secret(Secret::new(bytes.clone()));
    }
    // What stands beside and is nobody's may be the rest of a literal that a quote ended too early.
    let mut naming = Naming { dialect, object: true, broken: true, behind_secret: false };
    for pair in &found.beside {
        settings.push(naming.setting(pair, pair.place.clone()));
    }
    if let Some(Broken { kind, place }) = found.parsed.broken.clone() {
        faults.push(Fault { kind, place: found.text.place(&place) });
    }
    let mut remarks = choose(dialect, &found, &mut settings);
    remarks.extend(misnamed(dialect, &found, &settings));
    unknown(&found, &settings, &mut remarks, &mut faults);
    open(&mut settings, &mut remarks, &mut faults);
    rewritten(dialect, &settings, &mut remarks, &mut faults);
    let scheme = scheme(found.form, &found.text);
    let decision = (dialect.demand)(&Lookup {
        settings: &settings,
        scheme,
        object,
        beside: found.parsed.pairs.len(),
        instead: None,
    });
    if found.parsed.broken.is_none() {
        faults
            .extend(decision.faults(|at| {
                settings.get(at).map(|setting| setting.place.value.clone()).unwrap_or_default()
            }));
        faults.extend(missing(dialect, &settings));
    }
    faults.extend(secret_hosts(&settings));
    faults.extend(hosts_of_another(&found, &settings));
    // Beside what it refuses anyway, what stands for another word is another one that it refuses.
    if faults.iter().any(|fault| matches!(fault.kind, FaultKind::UnknownKeyword { .. })) {
        let names = remarks.iter().filter_map(|remark| match remark {
            Remark::Misnamed(at) => settings.get(*at),
            _ => None,
        });
        faults.extend(names.map(|setting| Fault {
            kind: FaultKind::UnknownKeyword {
                keyword: setting.typed.clone(),
                nearest: setting.libpq().and_then(|option| dialect.keyword_of(option)),
                belongs_to: owners(&setting.typed),
            },
            place: setting.place.keyword.clone(),
        }));
    }
    if faults.is_empty() {
        let (layers, form, scheme) = (found.layers, found.form, scheme.to_owned());
        let beside = found.parsed.pairs.len();
        return Ok(Reading { dialect, layers, settings, decision, remarks, form, beside, scheme });
    }
    // What begins with the wrong sign was read to its end.
    let is_unread = |broken: &&Broken| broken.kind != FaultKind::AmpersandFirst;
    let unread = found.parsed.broken.as_ref().filter(is_unread).map(|broken| {
        let read = found.parsed.pairs.iter().map(|pair| pair.place.value.end).max().unwrap_or(0);
        found.text.place(&(read.min(broken.place.start)..found.text.len()))
    });
    let secrets = secrets::secrets(found.original, &settings, unread);
    Err(Box::new(Failure { dialect, layers: found.layers, settings, faults, secrets }))
}

/// What a URL begins with, up to its authority; nothing for other forms.
fn scheme(form: Form, text: &Text) -> &str {
    let length = match form {
        Form::Url(rules) => rules.scheme(text.bytes()).unwrap_or(0),
        Form::Libpq => ["postgresql://", "postgres://"]
            .into_iter()
            .find(|scheme| text.bytes().starts_with(scheme.as_bytes()))
            .map_or(0, str::len),
        Form::Pairs(_) | Form::Object(_) => 0,
    };
    std::str::from_utf8(text.get(&(0..length))).unwrap_or_default()
}

fn placed(text: &Text, place: &Place) -> Place {
    Place { keyword: text.place(&place.keyword), value: text.place(&place.value) }
}

/// Settings that stood round a string of libpq's; they have libpq's names, and places in the original.
pub(super) fn plain(pairs: &[Pair]) -> Vec<Setting> {
    let setting = |pair: &Pair| {
        let option = options::find(pair.name.as_bytes())?;
        let value = if option.kind.is_secret() {
            SettingValue::Secret(Secret::new(pair.value.clone()))
        } else {
            shown_or_secret(pair, Some(Meaning::Libpq(option.keyword)))
        };
        Some(Setting {
            keyword: option.keyword.into(),
            typed: String::new(),
            meaning: Some(Meaning::Libpq(option.keyword)),
            value,
            kind: pair.kind,
            place: pair.place.clone(),
            counts: true,
            variable: None,
        })
    };
    pairs.iter().filter_map(setting).collect()
}

/// Objects that are no settings of their own: what stands in them is taken as if it stood outside.
const TRANSPARENT: [&str; 7] =
    ["OPTIONS", "dialectOptions", "extra", "connection", "connect_args", "default", "config"];

/// The keyword of a name; in an object, names of inner settings have the outer one before a dot.
fn known(dialect: &Dialect, name: &str, object: bool) -> Option<(&'static str, Meaning)> {
    // Where one row has several names for one thing, it is called by the first; a list of other things has them all.
    let first = |(keyword, name): (&super::Keyword, &'static str)| {
        let alike = !matches!(keyword.meaning, Meaning::Own | Meaning::Server);
        Some((if alike { *keyword.names.first()? } else { name }, keyword.meaning))
    };
    let allowed = |found: (&'static str, Meaning), under: Option<&str>| {
        let wrong_place = found.1 == Meaning::Tls
            && object
            && dialect.keywords.demand_under.is_some_and(|wanted| under != Some(wanted));
        let of_driver = match (found.1, dialect.keywords.unknown) {
            (Meaning::Libpq(option), Unknown::RefusedUnder(wanted)) if object => {
                (found.0 == option) != (under == Some(wanted))
            }
            _ => false,
        };
        (!wrong_place && !of_driver).then_some(found)
    };
    if let Some(keyword) = dialect.keyword(name) {
        return allowed(first(keyword)?, None);
    }
    if let Some(option) = name.strip_prefix("pqopt.").and_then(|name| options::find(name.as_bytes())) {
        return Some((option.keyword, Meaning::Libpq(option.keyword)));
    }
    if let Some((_, option)) =
        dialect.keywords.misnamed.iter().find(|(word, _)| word.eq_ignore_ascii_case(name))
    {
        return Some((option, Meaning::Libpq(option)));
    }
    if !object {
        return None;
    }
    let mut name = name;
    let mut under = None;
    while let Some((outer, inner)) = name.split_once('.') {
        let number = outer.bytes().all(|byte| byte.is_ascii_digit());
        if !number && !TRANSPARENT.contains(&outer) && dialect.keyword(outer).is_some() {
            // What stands in a setting of the driver's own is the driver's own.
            return Some((first(dialect.keyword(outer)?)?.0, Meaning::Own));
        }
        under = if number { under } else { Some(outer) };
        name = inner;
        if let Some(keyword) = dialect.keyword(name) {
            return allowed(first(keyword)?, under);
        }
    }
    None
}

/// Goes from pair to pair and makes settings of them.
struct Naming {
    dialect: &'static Dialect,
    /// Whether names nest.
    object: bool,
    /// Whether the text stops making sense somewhere: then names that nobody knows are not shown.
    broken: bool,
    /// Whether a secret stands before: what follows and is no keyword of anybody's may be a piece of it.
    behind_secret: bool,
}

impl Naming {
    fn setting(&mut self, pair: &Pair, place: Place) -> Setting {
        let known = match pair.part {
            Part::Fixed => options::find(pair.name.as_bytes())
                .map(|option| (option.keyword, Meaning::Libpq(option.keyword))),
            Part::Keyword => known(self.dialect, &pair.name, self.object),
        };
        let secret = match known {
            Some((_, Meaning::Libpq(option) | Meaning::Rewritten(option, _))) => options::is_secret(option),
            Some((name, meaning)) => {
                secrets::sounds_secret(name)
                    || (meaning == Meaning::Own && secrets::sounds_secret(&pair.name))
            }
            None => secrets::sounds_secret(&pair.name),
        };
        let holder = self.object && TRANSPARENT.contains(&pair.name.as_str()) && pair.kind == Kind::Object;
        let inner = pair.name.rsplit('.').next().filter(|_| self.object).unwrap_or(&pair.name);
        // In the wrong place it is somebody's all the same.
        let is_libpqs = self.object && options::find(inner.as_bytes()).is_some();
        let nobodys = known.is_none() && owners(inner).is_empty() && !is_libpqs && !holder;
        let piece = self.behind_secret && nobodys && !secret;
        let unplain = nobodys && (self.broken || !secrets::is_plain_name(&pair.name));
        let hidden = piece || unplain;
        self.behind_secret = secret || hidden || secrets::holds_secret(&pair.value);
        let (keyword, meaning) = match known {
            Some((name, meaning)) => (Cow::Borrowed(name), Some(meaning)),
            None if hidden => (Cow::Borrowed(MASK), None),
            None => (Cow::Owned(shown(inner)), None),
        };
        // What only holds others is looked into.
        let meaning = meaning.or((self.object && pair.kind == Kind::Object).then_some(Meaning::Own));
        // What nobody knows may be the mistyped name of a secret.
        let value = if secret || (nobodys && !secrets::is_no_secret(&pair.value)) {
            SettingValue::Secret(Secret::new(pair.value.clone()))
        } else {
            shown_or_secret(pair, meaning)
        };
        let typed = if hidden || pair.part == Part::Fixed { String::new() } else { shown(&pair.name) };
        Setting { keyword, typed, meaning, value, kind: pair.kind, place, counts: true, variable: None }
    }
}

/// The value of a keyword that is none of a secret, unless it holds one.
fn shown_or_secret(pair: &Pair, meaning: Option<Meaning>) -> SettingValue {
    // A whole string as a value was not read, else it would not be here.
    let string = pair.value.windows(3).any(|part| part == b"://") && pair.part == Part::Keyword;
    let secret = match meaning {
        Some(Meaning::Libpq("host" | "hostaddr" | "port")) => {
            !secrets::is_list_of_hosts(&pair.value) && !is_placeholder(&pair.value)
        }
        _ => string || secrets::holds_secret(&pair.value),
    };
    // The text of certificates is no secret, whatever words its letters make; that of a key is, wherever it stands.
    let certificates = secrets::is_certificates(&pair.value);
    if !certificates && (secret || holds_content(&pair.value)) {
        SettingValue::Secret(Secret::new(pair.value.clone()))
    } else {
        SettingValue::Plain(pair.value.clone())
    }
}

/// Decides which of several settings of one meaning counts.
fn choose(dialect: &Dialect, found: &Found<'_>, settings: &mut [Setting]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let from_string = found.parsed.pairs.len();
    let rank = |at: usize| -> (u8, isize) {
        let fixed = found.parsed.pairs.get(at).is_some_and(|pair| pair.part == Part::Fixed);
        let source = match (at >= from_string, found.form) {
            (true, _) => {
                if found.beside_wins {
                    9
                } else {
                    0
                }
            }
            (false, Form::Url(rules)) if fixed => {
                if rules.query_wins {
                    1
                } else {
                    2
                }
            }
            (false, Form::Url(rules)) => {
                if rules.query_wins {
                    2
                } else {
                    1
                }
            }
            (false, _) => 1,
        };
        let order = isize::try_from(at).unwrap_or(isize::MAX);
        (source, if dialect.keywords.repeated == Repeated::Last { order } else { -order })
    };
    // One entry for each thing that the driver knows, however long the string is.
    let mut best: Vec<(&str, usize)> = Vec::new();
    for (at, setting) in settings.iter().enumerate() {
        let Some(subject) = subject(setting) else { continue };
        match best.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, other)) => *other = std::cmp::max_by_key(*other, at, |at| rank(*at)),
            None => best.push((subject, at)),
        }
    }
    let chosen = |setting| {
        let subject = subject(setting)?;
        best.iter().find(|(known, _)| *known == subject).map(|(_, at)| *at)
    };
    let chosen: Vec<Option<usize>> = settings.iter().map(chosen).collect();
    for ((at, setting), by) in settings.iter_mut().enumerate().zip(chosen) {
        if let Some(by) = by.filter(|by| *by != at) {
            setting.counts = false;
            remarks.push(Remark::Overridden { setting: at, by });
        }
    }
    remarks
}

/// Settings under names that the driver does not know and that were taken for what they mean.
fn misnamed(dialect: &Dialect, found: &Found<'_>, settings: &[Setting]) -> Vec<Remark> {
    let pairs = found.parsed.pairs.iter().chain(&found.beside).zip(settings).enumerate();
    let is_misnamed = |pair: &Pair| {
        let name = pair.name.rsplit('.').next().unwrap_or_default();
        pair.part == Part::Keyword
            && dialect.keyword(name).is_none()
            && dialect.keywords.misnamed.iter().any(|(word, _)| word.eq_ignore_ascii_case(name))
    };
    pairs.filter(|(_, (pair, _))| is_misnamed(pair)).map(|(at, _)| Remark::Misnamed(at)).collect()
}

/// What a setting is about, so that two of the same are rivals.
fn subject(setting: &Setting) -> Option<&str> {
    match setting.meaning? {
        Meaning::Libpq(option) | Meaning::Rewritten(option, _) => Some(option),
        Meaning::Tls => Some(&setting.keyword),
        Meaning::Server | Meaning::Own => None,
    }
}

/// What becomes of keywords the driver does not know, all at once. Those that stood beside the string are arguments of a
/// call, or lines of a document, and go to others than the driver.
fn unknown(found: &Found<'_>, settings: &[Setting], remarks: &mut Vec<Remark>, faults: &mut Vec<Fault>) {
    let (dialect, beside) = (found.dialect, found.parsed.pairs.len());
    let is_outside = |setting: &Setting, key| {
        matches!(found.form, Form::Object(_)) && setting.typed.split('.').all(|part| part != key)
    };
    for (at, setting) in settings.iter().enumerate() {
        match setting.meaning {
            Some(Meaning::Own) => remarks.push(Remark::NotOfTheConnection(at)),
            Some(Meaning::Server) => remarks.push(Remark::Sent(at)),
            Some(_) => {}
            None => {
                let name = setting.keyword.as_ref();
                let belongs_to = owners(name);
                let nearest = dialect.nearest_keyword(name);
                match dialect.keywords.unknown {
                    _ if at >= beside => {}
                    Unknown::Ignored => remarks.push(Remark::Ignored { setting: at, nearest, belongs_to }),
                    Unknown::RefusedUnder(key) if is_outside(setting, key) => {
                        remarks.push(match options::find(name.to_ascii_lowercase().as_bytes()) {
                            Some(_) => Remark::Misplaced { setting: at, key },
                            None => Remark::Ignored { setting: at, nearest, belongs_to },
                        });
                    }
                    Unknown::Refused | Unknown::RefusedUnder(_) | Unknown::Sent => faults.push(Fault {
                        kind: FaultKind::UnknownKeyword {
                            keyword: name.to_owned(),
                            nearest: nearest.or_else(|| dialect.keyword_of(name)),
                            belongs_to,
                        },
                        place: setting.place.keyword.clone(),
                    }),
                }
            }
        }
    }
}

/// Placeholders and values that only the program knows: without a password one can go on, without the rest not. What
/// takes part in the demand is left to the row's rules.
fn open(settings: &mut [Setting], remarks: &mut Vec<Remark>, faults: &mut Vec<Fault>) {
    for (at, setting) in settings.iter_mut().enumerate().filter(|(_, setting)| setting.counts) {
        let is_name = matches!(setting.libpq(), Some("host" | "hostaddr" | "user" | "dbname"));
        let text = setting.value.expose();
        let placeholder =
            setting.kind != Kind::Code && (is_placeholder(text) || (is_name && is_partly_placeholder(text)));
        let computed = setting.kind == Kind::Code
            || (setting.kind == Kind::Content && setting.meaning != Some(Meaning::Tls));
        let concerns =
            matches!(setting.meaning, Some(Meaning::Libpq(_) | Meaning::Rewritten(..) | Meaning::Tls));
        if !(placeholder || computed) || !concerns {
            continue;
        }
        let is_file = matches!(setting.libpq(), Some("sslcert" | "sslkey"));
        match &setting.value {
            SettingValue::Secret(_) => {
                setting.counts = false;
                remarks.push(Remark::Placeholder(at));
            }
            // Which roots the program gives is for the row's rules.
            SettingValue::Plain(_) if setting.libpq() == Some("sslrootcert") && !placeholder => {}
            // A file that the program reads is a file all the same.
            SettingValue::Plain(_) if setting.kind == Kind::Content && is_file && !placeholder => {}
            SettingValue::Plain(_) if placeholder => faults.push(Fault {
                kind: FaultKind::Placeholder(setting.keyword.clone()),
                place: setting.place.value.clone(),
            }),
            SettingValue::Plain(_) if setting.meaning == Some(Meaning::Tls) => {}
            SettingValue::Plain(_) => faults.push(Fault {
                kind: FaultKind::Computed(setting.keyword.clone()),
                place: setting.place.value.clone(),
            }),
        }
    }
}

/// Values that are written in another way than libpq's.
fn rewritten(dialect: &Dialect, settings: &[Setting], remarks: &mut Vec<Remark>, faults: &mut Vec<Fault>) {
    for (at, setting) in settings.iter().enumerate().filter(|(_, setting)| setting.counts) {
        let Some(Meaning::Rewritten(_, rewrite)) = setting.meaning else { continue };
        if setting.libpq_value().is_none() {
            match rewrite {
                super::Rewrite::Milliseconds | super::Rewrite::Duration => faults.push(Fault {
                    kind: FaultKind::InvalidValue(setting.keyword.clone(), "a duration".into()),
                    place: setting.place.value.clone(),
                }),
                // pgjdbc does not start with another one (HostRequirement.getTargetServerType).
                super::Rewrite::ServerType if dialect.name == "jdbc" && !prefers_primary(setting) => faults
                    .push(Fault {
                        kind: FaultKind::InvalidValue(
                            setting.keyword.clone(),
                            "any, primary, secondary, preferPrimary, preferSecondary".into(),
                        ),
                        place: setting.place.value.clone(),
                    }),
                _ => remarks.push(Remark::NotCarried(at)),
            }
        }
    }
}

/// Whether pgjdbc is to take a primary server where there is one, for which libpq has no word.
fn prefers_primary(setting: &Setting) -> bool {
    setting.value.plain() == Some(b"preferPrimary")
}

/// Hosts that hold what may be a password: nothing of that sort is looked up.
fn secret_hosts(settings: &[Setting]) -> Vec<Fault> {
    let is_one = |setting: &&Setting| {
        matches!(setting.libpq(), Some("host" | "hostaddr" | "port")) && setting.value.plain().is_none()
    };
    let invalid = |setting: &Setting| {
        let keyword = setting.keyword.clone();
        let kind = match (stands_for_another(setting.value.expose()), setting.libpq()) {
            (true, _) => FaultKind::Placeholder(keyword),
            (false, Some("port")) => FaultKind::InvalidValue(keyword, "a number".into()),
            (false, _) => FaultKind::InvalidValue(keyword, "a host name".into()),
        };
        Fault { kind, place: setting.place.value.clone() }
    };
    settings.iter().filter(is_one).map(invalid).collect()
}

/// Hosts in SQL Server's form, as Npgsql takes none.
fn hosts_of_another(found: &Found<'_>, settings: &[Setting]) -> Vec<Fault> {
    let is_one = |setting: &&Setting| {
        let typed = found.original.get(setting.place.value.clone()).unwrap_or_default();
        setting.libpq() == Some("host") && hosts::of_sql_server(typed).is_some()
    };
    let fault = |setting: &Setting| Fault {
        kind: FaultKind::InvalidValue(
            setting.keyword.clone(),
            "the host alone: tcp: and a port behind a comma are SQL Server's".into(),
        ),
        place: setting.place.value.clone(),
    };
    let has_words = !found.dialect.keywords.misnamed.is_empty() && matches!(found.form, Form::Pairs(_));
    settings.iter().filter(|setting| has_words && is_one(setting)).map(fault).collect()
}

/// What the driver does not connect without, and no variable gives.
fn missing(dialect: &Dialect, settings: &[Setting]) -> Vec<Fault> {
    let surroundings = dialect.surroundings;
    let wanted =
        [("host", surroundings.host), ("user", surroundings.user), ("dbname", surroundings.database)];
    let given = |option: &str| {
        let set = settings.iter().any(|setting| {
            setting.libpq() == Some(option)
                && (!setting.value.expose().is_empty() || setting.kind == Kind::Code)
        });
        // A service has what is not said.
        let set =
            set || (option != "user" && settings.iter().any(|setting| setting.libpq() == Some("service")));
        let variable = match surroundings.variables {
            Variables::All => false,
            Variables::Of(options) => options.contains(&option),
        };
        let address = option == "host" && settings.iter().any(|setting| setting.libpq() == Some("hostaddr"));
        set || variable || address
    };
    let missing = wanted.into_iter().filter(|(option, absent)| *absent == Absent::Refused && !given(option));
    missing.map(|(option, _)| Fault { kind: FaultKind::Missing(option), place: Range::default() }).collect()
}
