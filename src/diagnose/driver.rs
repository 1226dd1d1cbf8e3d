//! Strings of other drivers that their driver refuses, and the words of those that switch verification off.

use super::rule::Finding;
use super::view::{View, shown_value};
use super::{Fix, Mark};
use crate::clients::dialect::{
    self, Chain, Demand, Encryption, Failure, Fault, FaultKind, Layer, Read, Reading, Remark, Root, Setting,
    Target, Typed,
};
use crate::conninfo::{MASK, SslMode, mask_argument, unknown_keywords};
use crate::order;
use crate::provider::{self, SystemRoots};
use crate::text::{nearest, printable, shell_quoted};
use crate::trust::ClientIdentity;

/// What is wrong with a string, by the code that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It does not parse.
    Syntax,
    /// It has keywords that its driver does not know.
    Keyword,
    /// It has values that its driver refuses, or lacks some.
    Value,
}

/// How a string was read, and what its driver demands: the mode of libpq's that does is `mode`.
pub(super) fn read_as(typed: &Typed, mode: &str) -> Option<String> {
    let taken = taken_off(typed);
    let Some(decision) = typed.decision() else {
        return taken.map(|taken| format!("{mode}{taken}"));
    };
    let taken = taken.unwrap_or_default();
    let driver = typed.dialect().title;
    let why = decision.why.as_deref().map(|why| format!(" ({})", printable(why))).unwrap_or_default();
    let said = match typed.word() {
        Some(setting) => format!("{}: {}", typed.as_typed(setting), demanded(&decision.demand)),
        None => format!("nothing is said of TLS: {}", demanded(&decision.demand)),
    };
    Some(format!("read as {driver}{taken}; {said}{why}"))
}

/// What stood round a string, as the end of a sentence.
pub fn taken_off(typed: &Typed) -> Option<String> {
    let around: Vec<String> = typed.layers().iter().map(layer).collect();
    (!around.is_empty()).then(|| format!(", without {}", around.join(" and ")))
}

/// What a string demands, by which word, and what that means where it is not what its name says.
pub fn demands(typed: &Typed) -> Option<String> {
    let decision = typed.decision()?;
    let by = typed.word().map(|word| format!(", by {}", typed.as_typed(word))).unwrap_or_default();
    let why = decision.why.as_deref().map(|why| format!(" ({})", printable(why))).unwrap_or_default();
    Some(format!("{}{by}{why}", demanded(&decision.demand)))
}

/// What a driver demands, in words.
pub fn demanded(demand: &Demand) -> &'static str {
    match (demand.encryption, demand.chain, demand.name) {
        (Encryption::Never, ..) => "plaintext",
        (Encryption::AfterRefusal, ..) => "plaintext, TLS only if the server refuses that, unverified",
        (Encryption::IfOffered(_), Chain::Yes, true) => "verified TLS if offered, else plaintext",
        (Encryption::IfOffered(_), Chain::Yes, false) => {
            "TLS with a verified chain if offered, else plaintext"
        }
        (Encryption::IfOffered(_), ..) => "TLS if offered, unverified, else plaintext",
        (Encryption::Always, Chain::Yes, true) => "TLS, chain and name verified",
        (Encryption::Always, Chain::Yes, false) => "TLS, chain verified, any name",
        (Encryption::Always, Chain::IfRoots, _) => "TLS, chain verified only if there is a root file",
        (Encryption::Always, Chain::No, true) => "TLS, name compared, chain not verified",
        (Encryption::Always, Chain::No, false) => "TLS, not verified",
    }
}

fn layer(layer: &Layer) -> String {
    match layer {
        Layer::ByteOrderMark => "the byte-order mark before it".to_owned(),
        Layer::Quotes => "the quotes around it".to_owned(),
        Layer::Psql => "the psql command around it".to_owned(),
        Layer::Variable(name) if name.is_empty() => "the environment variables around it".to_owned(),
        Layer::Variable(name) => format!("the assignment to {}", mask_argument(name.as_bytes())),
        Layer::Call(function) => format!("the call of {function} around it"),
        Layer::Document(key) if key.is_empty() => "the text around it".to_owned(),
        Layer::Document(key) => format!("the setting {} around it", mask_argument(key.as_bytes())),
    }
}

/// The word that decided what is demanded, as it was typed: `sslmode=prefer`.
pub(super) fn said(view: &View<'_>) -> String {
    let typed = view.evidence.typed.as_deref().filter(|typed| typed.reading().is_some());
    match typed {
        None => format!("sslmode={}", view.mode.name()),
        Some(typed) => match typed.word() {
            Some(word) => typed.as_typed(word),
            None => "a string that says nothing of TLS".to_owned(),
        },
    }
}

/// What a driver's own words make of verification, with the word marked.
pub(super) fn not_verifying(typed: &Typed) -> Option<Finding> {
    let demand = &typed.decision()?.demand;
    let driver = typed.dialect().title;
    let title = match typed.word() {
        Some(word) => format!("`{}` does not make {driver} verify the server", typed.as_typed(word)),
        None => format!("{driver} does not verify the server unless it is told to"),
    };
    let why = typed.decision()?.why.as_deref().map(printable);
    let libpq = match typed.word().and_then(|word| refused_by_libpq(&typed.as_typed(word))) {
        Some(mode) if demand.encryption == Encryption::Always && demand.chain == Chain::No => {
            Some(format!("refuse the string: it has no sslmode {mode}; it calls that sslmode=require"))
        }
        Some(mode) => Some(format!("refuse the string: it has no sslmode {mode}")),
        None => typed.libpq_demand().map(|demand| demanded(&demand).to_owned()),
    };
    Some(
        Finding::titled(title)
            .mark(word_marked(typed))
            .fact("demands", demanded(demand))
            .fact_if("why", why)
            .fact_if("libpq_would", libpq),
    )
}

/// The word that decided, in the text, with what it demands.
pub(super) fn word_marked(typed: &Typed) -> Option<Mark> {
    let place = &typed.word()?.place;
    let start = if place.keyword.is_empty() { place.value.start } else { place.keyword.start };
    let place = start..place.value.end.max(place.keyword.end);
    mark(typed, &[place], demanded(&typed.decision()?.demand))
}

/// What the word that decided means to the driver, where it is not what its name says.
pub(super) fn why(view: &View<'_>) -> Option<String> {
    view.evidence.typed.as_deref()?.decision()?.why.as_deref().map(printable)
}

/// The value of an sslmode, as typed, that libpq does not know.
fn refused_by_libpq(typed: &str) -> Option<String> {
    let mode = typed.strip_prefix("sslmode=")?;
    SslMode::by_name(mode).is_none().then(|| mode.to_owned())
}

/// The host, where it is given under another driver's keyword for it, which this one passes over.
pub(super) fn host_ignored(view: &View<'_>) -> Option<Fix> {
    let reading = view.evidence.typed.as_deref()?.reading()?;
    let own = reading.dialect.keyword_of("host")?;
    let given = |remark: &Remark| match remark {
        Remark::Ignored { setting, .. } | Remark::Misplaced { setting, .. } => {
            let setting = reading.settings.get(*setting)?;
            let is_host = dialect::all().any(|other| other.meaning(&setting.keyword) == Some("host"));
            let value = std::str::from_utf8(setting.value.plain()?).ok()?;
            is_host.then_some((setting.keyword.as_ref(), value))
        }
        _ => None,
    };
    let (name, host) = reading.remarks.iter().find_map(given)?;
    let (driver, name) = (reading.dialect.title, printable(name));
    Some(Fix::text(format!("write {own} for {name}, which {driver} ignores")).set("host", host))
}

/// Checks the URL in a variable, without its password in the arguments.
pub fn url_checked(name: &str) -> String {
    let shown = if cfg!(windows) { format!("$env:{name}") } else { format!("printenv {name}") };
    format!("{shown} | pgtls-check --from -")
}

/// The roots with which a driver that verifies nothing would verify: public ones only where the server may have its
/// certificate from them.
pub(super) fn unused_roots<'a>(view: &View<'a>) -> Option<&'a str> {
    let is_private =
        view.provider().is_some_and(|found| found.provider.system_roots == SystemRoots::NotEnough);
    let unused = view.evidence.typed.as_deref()?.unused_roots.as_deref()?;
    (unused != "system" || !is_private).then_some(unused)
}

/// The roots that stand in for others.
pub(super) fn assumed(typed: &Typed) -> Option<&'static str> {
    Some(match typed.assumed.as_ref()? {
        Root::Node | Root::AddedToNode(_) => {
            "assumed: the driver trusts the roots built into Node.js, here the system's stand in for them"
        }
        Root::Java => "assumed: the driver trusts Java's cacerts, here the system's roots stand in for them",
        Root::Program => "assumed: the program gives the roots, here the system's stand in for them",
        _ => return None,
    })
}

/// Something worth knowing of a string that changes no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// In words.
    pub text: String,
    /// Whether it is worth a line in every report: what was said and does not count.
    pub always: bool,
}

/// What is worth knowing of the string that was checked, or would be.
///
/// `verifies` tells whether what it demands was verified: then nobody has to know who would demand less.
pub fn notes(typed: &Typed, verifies: bool) -> Vec<Note> {
    match &typed.read {
        Read::Driver(reading) => of_driver(typed, reading),
        Read::Libpq(layers) => {
            let text = typed.original.expose();
            let placeholders = dialect::placeholders(text).into_iter().map(|keyword| Note {
                text: format!("the {keyword} is a placeholder: libpq uses it as it is"),
                always: true,
            });
            let others = otherwise(text, !verifies).filter(|_| layers.is_empty());
            let ampersand = dialect::lacks_question_mark(text).then(|| Note {
                text: "the parameters begin with & and so belong to the database's name: write ? for the first &".to_owned(),
                always: true,
            });
            let swallowed = crate::conninfo::swallowed(text).into_iter().map(|(keyword, next)| Note {
                text: format!("`{keyword}=` has no value, so {next}=… behind it is taken as its value"),
                always: true,
            });
            placeholders.chain(ampersand).chain(swallowed).chain(others).collect()
        }
        Read::Refused(_) => Vec::new(),
    }
}

/// What the driver makes of the client's key where that is not what libpq makes of it. pgjdbc reads PKCS #8 in DER and PKCS #12,
/// PEM since 42.7.9 (pgjdbc/pgjdbc pull request 3700, changelog of 2026-01-15); an alias of `user` in each release.
pub(super) fn note_of_key(view: &View<'_>) -> Option<Note> {
    let typed = view.evidence.typed.as_deref().filter(|typed| typed.reading().is_some())?;
    if typed.dialect().name != "jdbc" {
        return None;
    }
    let path = shown_value(&view.settings()?.parameter("sslkey")?.value);
    let identity = match &view.trust()?.client {
        ClientIdentity::Ready(identity) => Some(identity).filter(|identity| identity.key_is_pem),
        _ => None,
    };
    let is_pkcs12 = [".p12", ".pfx"].iter().any(|ending| path.ends_with(ending));
    let text = match identity {
        Some(identity) => format!(
            "{} before 42.7.9 reads no key in PEM; all since 42.2.9 read PKCS #12: openssl pkcs12 -export -name user -in {} -inkey {} \
             -out client.p12; then set sslkey to client.p12 and sslpassword to the password that was asked for",
            typed.dialect().title,
            shell_quoted(&identity.certificate_file.to_string_lossy()),
            shell_quoted(&identity.key_file.to_string_lossy()),
        ),
        None if is_pkcs12 => format!(
            "{} takes certificate and key from {path}; libpq reads no PKCS #12, so this check sends neither",
            typed.dialect().title
        ),
        None => return None,
    };
    Some(Note { text, always: true })
}

/// More than any string that somebody wrote gives reason for.
const MOST_REMARKS: usize = 60;

/// What a URL out of an XML or HTML file has in the place of each `&`.
pub(super) const ESCAPED: &str = "the URL has `&amp;`, which is how XML and HTML write `&`";

/// What is worth knowing of a string of another driver's: what the driver passes over, overrides, or has no use for here.
fn of_driver(typed: &Typed, reading: &Reading) -> Vec<Note> {
    let driver = reading.dialect.title;
    let setting = |at: &usize| reading.settings.get(*at);
    let name = |setting: &Setting| match setting.typed.as_str() {
        "" => printable(&setting.keyword),
        typed => printable(typed),
    };
    let mut notes: Vec<Note> = Vec::new();
    let (mut own, mut sent) = (Vec::new(), Vec::new());
    for remark in reading.remarks.iter().take(MOST_REMARKS) {
        let words = match remark {
            Remark::NotOfTheConnection(at) => {
                own.extend(setting(at).filter(|setting| !setting.typed.is_empty()).map(name));
                None
            }
            Remark::Sent(at) => {
                sent.extend(setting(at).map(name));
                None
            }
            Remark::Ignored { setting: at, nearest, belongs_to } => setting(at)
                .filter(|setting| !setting.typed.is_empty())
                .map(|setting| ignored(driver, &name(setting), *nearest, belongs_to)),
            Remark::Misplaced { setting: at, key } => setting(at)
                .map(|setting| format!("{driver} ignores `{}` outside {key}", printable(&setting.keyword))),
            Remark::Overridden { setting: at, by } => setting(at).zip(setting(by)).map(|(setting, by)| {
                let (ignored, counts) = (typed.as_typed(setting), typed.as_typed(by));
                match setting.keyword == by.keyword {
                    true => {
                        format!("{} is given twice: {counts} counts, {ignored} is ignored", name(setting))
                    }
                    false => format!("{ignored} is ignored: {counts} counts"),
                }
            }),
            Remark::Placeholder(at) => setting(at).map(|setting| {
                let keyword = setting.libpq().unwrap_or(&setting.keyword);
                let replace = if keyword == "password" { ": put the real one in its place" } else { "" };
                format!("the {} is a placeholder, so none is used{replace}", printable(keyword))
            }),
            Remark::NotCarried(at) => setting(at).map(|setting| {
                format!(
                    "{} has no equivalent in libpq and is left out of this check",
                    typed.as_typed(setting)
                )
            }),
            Remark::Misnamed(at) => setting(at).map(|setting| {
                let known = setting.libpq().and_then(|option| reading.dialect.keyword_of(option));
                let meant = known.unwrap_or(&setting.keyword);
                let (name, meant) = (name(setting), printable(meant));
                format!("`{name}` is not a keyword of {driver}, which rejects it; read as {meant}")
            }),
        };
        notes.extend(words.map(|text| Note { text, always: true }));
    }
    notes.extend(reading.lost_behind_password(typed.original.expose()).map(|how| Note {
        text: format!("{driver} ends the password at the ; in it and passes over the rest: {how}"),
        always: true,
    }));
    let beside = typed.word().filter(|word| reading.is_beside(word) && !reading.decision.demand.verifies());
    notes.extend(beside.map(|word| Note {
        text: format!("{} stands beside the string: remove it there too", typed.as_typed(word)),
        always: true,
    }));
    if typed.original.expose().windows(5).any(|part| part == b"&amp;") {
        notes.push(Note {
            text: format!("{ESCAPED}: {driver} does not know what is behind one; write `&` in its place"),
            always: true,
        });
    }
    notes.extend(unknown_to_libpq(typed.original.expose()).map(|text| Note { text, always: true }));
    let list = |words: &str, names: Vec<String>| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| Note { text: format!("{words}: {}", names.join(", ")), always: false })
    };
    notes.extend(list("not about the connection", own));
    notes.extend(list("sent to the server as session settings", sent));
    let rest = reading.remarks.len().saturating_sub(MOST_REMARKS);
    notes
        .extend((rest > 0).then(|| Note { text: format!("and {rest} more notes like these"), always: true }));
    notes
}

/// What becomes of an object in the program, by lib/connection-parameters.js of node-postgres: what a URL gives takes its
/// place.
pub(super) fn object_dropped(view: &View<'_>) -> Option<String> {
    let typed = view.evidence.typed.as_deref().filter(|typed| typed.dialect().name == "node-postgres")?;
    let word = typed.word().filter(|_| typed.original.expose().starts_with(b"postgres"))?;
    Some(format!(
        "; an `ssl` object in the program, its ca included, is dropped where the string has {}",
        typed.as_typed(word)
    ))
}

/// What keeps libpq from a URL of its own scheme that is read as another driver's.
fn unknown_to_libpq(text: &[u8]) -> Option<String> {
    let names = unknown_keywords(text).into_iter().map(|(name, _)| format!("`{name}`"));
    let names: Vec<String> = names.filter(|_| text.starts_with(b"postgres")).collect();
    let them = if names.len() == 1 { "it" } else { "them" };
    (!names.is_empty()).then(|| {
        format!(
            "libpq (psql) rejects this string: it does not know {}; for psql, remove {them}",
            names.join(", ")
        )
    })
}

fn ignored(driver: &str, name: &str, nearest: Option<&str>, owners: &[&str]) -> String {
    let meant = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
    let owner = belongs(name, owners).map(|words| format!("; {words}"));
    let (owner, meant) = (owner.unwrap_or_default(), meant.unwrap_or_default());
    format!("{driver} ignores `{name}`{owner}{meant}")
}

/// What other drivers make of a URL that is read as libpq's, where that is something else: the same text is no driver's
/// alone.
fn otherwise(text: &[u8], always: bool) -> Option<Note> {
    let readers = dialect::readers(text);
    let libpq =
        readers.iter().find(|(dialect, _)| dialect.name == "libpq").map(|(_, demand)| demanded(demand))?;
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (dialect, demand) in readers.iter().filter(|(dialect, _)| dialect.name != "libpq") {
        let words = demanded(demand);
        match groups.iter_mut().find(|(known, _)| *known == words) {
            Some((_, names)) => names.push(dialect.name),
            None => groups.push((words, vec![dialect.name])),
        }
    }
    groups.retain(|(words, _)| *words != libpq);
    // An older release that makes the same of it needs no telling.
    let told = |names: &[&str]| {
        let is_older = |name: &&str| {
            names.iter().any(|other| name.strip_prefix(other).is_some_and(|rest| rest.starts_with('-')))
        };
        names.iter().filter(|name| !is_older(name)).copied().collect::<Vec<_>>().join(", ")
    };
    let groups: Vec<String> =
        groups.iter().map(|(words, names)| format!("{}: {words}", told(names))).collect();
    (!groups.is_empty()).then(|| Note {
        text: format!("read as libpq reads it; with --as, other drivers demand: {}", groups.join("; ")),
        always,
    })
}

/// The faults of a string that its driver refuses, if this is what is wrong with it first of all.
pub(super) fn refused(view: &View<'_>, kind: Kind) -> Option<Finding> {
    let typed = view.evidence.typed.as_deref()?;
    let Read::Refused(failure) = &typed.read else { return None };
    let first = failure.faults.iter().map(|fault| of(&fault.kind)).min()?;
    if first != kind {
        return None;
    }
    let faults: Vec<&Fault> = failure.faults.iter().filter(|fault| of(&fault.kind) == kind).collect();
    let finding = match kind {
        Kind::Syntax => syntax(failure, faults.first()?, typed.original.expose()),
        Kind::Keyword => keywords(typed, failure, &faults),
        Kind::Value => values(failure, &faults, typed.original.expose()),
    };
    let places: Vec<_> = faults.iter().map(|fault| fault.place.clone()).collect();
    Some(finding.fact("read_as", failure.dialect.title).mark(mark(typed, &places, label(kind))))
}

fn of(fault: &FaultKind) -> Kind {
    match fault {
        FaultKind::OtherProduct(_)
        | FaultKind::Syntax(_)
        | FaultKind::Unencoded(_)
        | FaultKind::LoginInUrl
        | FaultKind::AmpersandFirst => Kind::Syntax,
        FaultKind::UnknownKeyword { .. } => Kind::Keyword,
        FaultKind::InvalidValue(..)
        | FaultKind::Missing(_)
        | FaultKind::Placeholder(_)
        | FaultKind::Computed(_) => Kind::Value,
    }
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Syntax => "here",
        Kind::Keyword => "unknown",
        Kind::Value => "not accepted",
    }
}

/// Places of what was typed, underlined; `None` where there is none.
pub(super) fn mark(typed: &Typed, places: &[std::ops::Range<usize>], label: &str) -> Option<Mark> {
    let mut places: Vec<_> = places.iter().filter(|place| !place.is_empty()).cloned().collect();
    order::by_key(&mut places, |place| place.start);
    let masked = typed.masked(&places);
    (!places.is_empty()).then(|| Mark { text: masked.text, spans: masked.spans, label: label.to_owned() })
}

fn syntax(failure: &Failure, fault: &Fault, typed: &[u8]) -> Finding {
    let driver = failure.dialect.title;
    match &fault.kind {
        FaultKind::AmpersandFirst => {
            let mut meant = typed.to_vec();
            meant.get_mut(fault.place.clone()).into_iter().for_each(|sign| sign.fill(b'?'));
            let in_dialect = as_meant(&meant, failure);
            Finding::titled("the parameters of the URL begin with & in place of ?")
                .because(format!("{driver} takes all that is behind the host for the database's name, so no parameter counts"))
                .fix(Fix { in_dialect, ..Fix::text("write ? for the first &") })
        }
        FaultKind::LoginInUrl => Finding::titled("the URL has user and password before the host")
            .because(format!("{driver} takes all that is before the / for the host: it expects user and password as parameters"))
            .fix(Fix {
                in_dialect: without_login(typed).and_then(|meant| as_meant(&meant, failure)),
                ..Fix::text("write them as parameters, ?user=…&password=…, or give the password beside the URL (PGPASSWORD for this check)")
            }),
        FaultKind::OtherProduct(what) => {
            Finding::titled("the string is not one of a PostgreSQL driver known here")
                .because(format!("it is {}", printable(what)))
                .fix(Fix::text("give the string of the driver that connects to PostgreSQL"))
        }
        FaultKind::Unencoded(byte) => {
            let character = char::from(*byte);
            Finding::titled(format!("the user name or the password contains an unencoded `{character}`"))
                .because(format!(
                    "{driver} takes what follows for another part of the URL, so nothing was sent"
                ))
                .fact("unencoded", character.to_string())
                .fix(Fix::text(format!("write {character} as %{byte:02X}")))
        }
        FaultKind::Syntax(_) if failure.behind_password(fault, typed).is_some() => {
            Finding::titled("the password contains a semicolon")
                .because(format!(
                    "{driver} takes a ; for the password's end, and what follows it is no keyword=value"
                ))
                .fixes(semicolon(failure, fault, typed, ""))
        }
        FaultKind::Syntax(expected) => Finding::titled(format!("{driver} cannot parse the string"))
            .because(format!("it expects {}", printable(expected)))
            .fix(Fix::text(format!("write {}", printable(expected)))),
        _ => Finding::titled(format!("{driver} cannot parse the string")),
    }
}

/// A string as it is meant, as its driver then reads it, without its secrets.
fn as_meant(meant: &[u8], failure: &Failure) -> Option<Result<String, String>> {
    match dialect::read(meant, Some(failure.dialect)) {
        Target::Driver(reading) => {
            let text = reading.corrected(&[], None).ok()?;
            Some(Ok(crate::conninfo::mask(&text, &[]).text))
        }
        _ => None,
    }
}

/// A URL with the user that stands before the host among its parameters, and without the password.
fn without_login(typed: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(typed).ok()?;
    let (scheme, rest) = text.split_once("://")?;
    let query = rest.find('?').unwrap_or(rest.len());
    let (server, query) = rest.split_at_checked(query)?;
    // A password may have a @ in it, a host has none.
    let (login, place) = server.rsplit_once('@')?;
    let user = login.split(':').next()?;
    let more = query.strip_prefix('?').filter(|more| !more.is_empty());
    let more = more.map(|more| format!("&{more}")).unwrap_or_default();
    Some(format!("{scheme}://{place}?user={user}{more}").into_bytes())
}

/// Where a password with a semicolon in it is to be given.
fn semicolon(failure: &Failure, fault: &Fault, typed: &[u8], when: &str) -> Option<Fix> {
    let (how, rest) = failure.behind_password(fault, typed)?;
    let in_dialect = rest.map(|text| Ok(crate::conninfo::mask(&text, &[]).text));
    Some(Fix { in_dialect, ..Fix::text(format!("{when}{how}")) })
}

/// All of them at once, with those whose keywords they are.
fn keywords(given: &Typed, failure: &Failure, faults: &[&Fault]) -> Finding {
    let (driver, typed) = (failure.dialect.title, given.original.expose());
    let words = faults.iter().filter_map(|fault| match &fault.kind {
        FaultKind::UnknownKeyword { keyword, nearest, belongs_to } => {
            Some((printable(keyword), *nearest, belongs_to.as_slice()))
        }
        _ => None,
    });
    let words: Vec<_> = words.collect();
    let names: Vec<String> = words.iter().map(|(keyword, ..)| format!("`{keyword}`")).collect();
    let title = match names.as_slice() {
        [one] => format!("{driver} does not know the keyword {one}"),
        _ => format!("{driver} does not know the keywords {}", names.join(", ")),
    };
    let owners: Vec<String> = match words.as_slice() {
        [(_, _, [owner]), _, ..] if words.iter().all(|(.., owners)| *owners == [*owner]) => {
            vec![format!("these are {owner}'s")]
        }
        _ => words.iter().filter_map(|(keyword, _, owners)| belongs(keyword, owners)).collect(),
    };
    // Settings of libpq's, as others separate theirs.
    let is_libpqs = |part: &[u8]| {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        name.is_empty() || crate::conninfo::options::find(name).is_some()
    };
    let parts = typed.split(|byte| *byte == b';');
    let for_libpq = (typed.contains(&b';') && parts.into_iter().all(is_libpqs)).then(|| {
        let spaced: Vec<u8> = typed.iter().map(|byte| if *byte == b';' { b' ' } else { *byte }).collect();
        let fix = Fix::text("for libpq: separate the settings by spaces, not semicolons");
        Fix { conninfo: Some(crate::conninfo::mask(&spaced, &[]).text), ..fix }
    });
    let own = words.iter().any(|(word, ..)| word.starts_with("ssl")).then(|| own_settings(failure)).flatten();
    let anew = anew(failure, words.iter().any(|(.., owners)| owners.contains(&dialect::SQL_SERVER)));
    let renames = words.iter().map(|(keyword, nearest, _)| match nearest {
        Some(nearest) => format!("write {nearest} for {keyword}"),
        None => format!("remove {keyword}"),
    });
    let renames: Vec<String> = renames.collect();
    // All at once, where the string can be written so.
    let whole =
        given.renamed().map(|text| Fix { in_dialect: Some(Ok(text)), ..Fix::text(renames.join("; ")) });
    let whole = anew.or(whole);
    let (whole, own) =
        if words.iter().any(|(_, nearest, _)| nearest.is_some()) { (whole, None) } else { (whole, own) };
    let is_hidden =
        |fault: &&&Fault| matches!(&fault.kind, FaultKind::UnknownKeyword { keyword, .. } if keyword == MASK);
    let split = faults
        .iter()
        .find(is_hidden)
        .and_then(|fault| semicolon(failure, fault, typed, "if the password contains a ;: that ends it; "));
    let single = if whole.is_some() || split.is_some() { Vec::new() } else { renames };
    Finding::titled(title)
        .because(owners.join("; "))
        .fact("options", words.iter().map(|(keyword, ..)| keyword.clone()).collect::<Vec<String>>())
        .fixes(split)
        .fixes(for_libpq)
        .fixes(own)
        .fixes(whole)
        .fixes(single.into_iter().map(Fix::text))
}

/// What shows how the program gives a driver its settings of TLS.
fn own_settings(failure: &Failure) -> Option<Fix> {
    let client = failure.dialect.name.rsplit(['+', '-']).next().unwrap_or_default();
    crate::clients::table::find(client)?;
    let place = match failure.dialect.name.starts_with("sqlalchemy") {
        true => "; SQLAlchemy passes them on from create_engine(URL, connect_args={…})",
        false => "",
    };
    Some(
        Fix::text(format!("give the driver its own settings of TLS in their place, as this shows{place}"))
            .run(format!(
                "pgtls-check clients --for {client} 'host=HOST sslmode=verify-full sslrootcert=FILE'"
            )),
    )
}

/// The whole string in the driver's own words, where it has another product's.
fn anew(failure: &Failure, is_of_sql_server: bool) -> Option<Fix> {
    let string = failure.anew().filter(|_| is_of_sql_server)?;
    let host = string.split(|byte| *byte == b';').find_map(|pair| pair.strip_prefix(b"Host="));
    let host = host.and_then(|host| std::str::from_utf8(host).ok());
    if let Some(system) = host.and_then(provider::system_by_host) {
        return Some(Fix::text(format!(
            "give the string of a PostgreSQL server: this one and its host are those of {system}, which no PostgreSQL client reaches"
        )));
    }
    let driver = failure.dialect.title;
    let fix = Fix::text(format!(
        "the string is SQL Server's (SqlClient): use {driver}'s own, and add the password"
    ));
    Some(Fix { in_dialect: Some(Ok(crate::conninfo::mask(&string, &[]).text)), ..fix })
}

/// `pgbouncer` is Prisma's.
pub(super) fn belongs(keyword: &str, owners: &[&str]) -> Option<String> {
    match owners {
        [] => None,
        [one] => Some(format!("`{keyword}` is {one}'s")),
        // What many have says nothing.
        [first, second] => Some(format!("`{keyword}` is {first}'s and {second}'s")),
        [first, second, ..] => Some(format!("`{keyword}` is a keyword of {first}, {second} and others")),
    }
}

fn values(failure: &Failure, faults: &[&Fault], typed: &[u8]) -> Finding {
    let driver = failure.dialect.title;
    let given = |fault: &Fault| std::str::from_utf8(typed.get(fault.place.clone())?).ok();
    // A word may stand for another keyword: it is called as it was typed.
    let as_typed = |fault: &Fault| {
        let mut settings = failure.settings.iter();
        let setting =
            settings.find(|setting| !fault.place.is_empty() && setting.place.value == fault.place)?;
        Some(setting.typed.as_str()).filter(|typed| !typed.is_empty())
    };
    let words: Vec<(String, String)> = faults
        .iter()
        .map(|fault| value(driver, &fault.kind, as_typed(fault), given(fault).unwrap_or_default()))
        .collect();
    let titles: Vec<&str> = words.iter().map(|(title, _)| title.as_str()).collect();
    let fixes: Vec<Fix> = words.iter().map(|(_, fix)| Fix::text(fix.clone())).collect();
    let is_of_sql_server = |fault: &Fault| matches!(&fault.kind, FaultKind::InvalidValue(_, allowed) if allowed.contains(dialect::SQL_SERVER));
    let anew = anew(failure, faults.iter().copied().any(is_of_sql_server));
    let fixes = if anew.is_some() { Vec::new() } else { fixes };
    // A file of roots stands in the program, where the word for TLS is the driver's own argument.
    let is_argument = |fault: &Fault| as_typed(fault) == Some("ssl");
    let own = faults.iter().copied().any(is_argument).then(|| own_settings(failure)).flatten();
    let own = own.map(|own| Fix { text: format!("for a root file of your own: {}", own.text), ..own });
    Finding::titled(titles.join("; ")).fixes(anew).fixes(fixes).fixes(own)
}

fn value(driver: &str, fault: &FaultKind, typed: Option<&str>, given: &str) -> (String, String) {
    match fault {
        FaultKind::InvalidValue(keyword, allowed) => {
            let (keyword, allowed) = (printable(typed.unwrap_or(keyword)), printable(allowed));
            let words = allowed
                .split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
                .filter(|word| word.len() > 3);
            let given = given.trim_matches(['"', '\'']).replace('_', "-").to_ascii_lowercase();
            let means_primary =
                allowed.contains("primary") && ["read-write", "master", "writer"].contains(&given.as_str());
            // Who switches TLS on wants it verified.
            let is_on = ["true", "on", "yes", "1", "t", "enabled"].contains(&given.as_str());
            let full = words.clone().find(|word| is_on && ["verify-full", "VerifyFull"].contains(word));
            let fix = match full.or(nearest(&given, words)).or(means_primary.then_some("primary")) {
                Some(meant) => format!("set {keyword} to {meant} (allowed: {allowed})"),
                None => format!("set {keyword} to {allowed}"),
            };
            (format!("{driver} rejects the value of {keyword}"), fix)
        }
        FaultKind::Missing(option) => (
            format!("{driver} does not connect without {}", named(option)),
            format!("give {}", named(option)),
        ),
        FaultKind::Placeholder(keyword) => {
            let keyword = printable(keyword);
            (
                format!("the value of {keyword} is a placeholder"),
                match given.trim_start_matches(['$', '{']).trim_end_matches('}') {
                    name if given.starts_with('$') => format!(
                        "set the variable {} to the {keyword} where the string is expanded; here nothing expanded it: a shell does in \
                         double quotes, and Helm, Compose and .env files each in their own way",
                        printable(name)
                    ),
                    _ => format!("replace the placeholder with the real value of {keyword}"),
                },
            )
        }
        FaultKind::Computed(keyword) => {
            let keyword = printable(keyword);
            (
                format!("the value of {keyword} is known to the program only"),
                format!("write the value of {keyword} in place of the expression"),
            )
        }
        _ => (format!("{driver} rejects the string"), "correct the string".to_owned()),
    }
}

fn named(option: &str) -> String {
    match option {
        "host" => "a host".to_owned(),
        "user" => "a user name".to_owned(),
        "dbname" => "a database name".to_owned(),
        option => option.to_owned(),
    }
}
