//! The start-up message and authentication. From here on the server speaks over TLS; what it says is still only text.

use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

use super::certificate::reissue;
use super::code::{Code, Severity};
use super::fix::{RELOAD, administrator, exported, in_the_log, manager, provider_hints};
use super::passfile::passfile_fixes;
use super::rule::{Finding, Rule};
use super::said::{Gateway, Said, gateway, said};
use super::token;
use super::view::View;
use super::{Diagnosis, Fix, Verdict, look_alike};
use crate::certificate::Certificate;
use crate::conninfo::{AuthMethod, NoPassword, Notice, Origin, Password, mask_text};
use crate::evidence::{
    AuthRequest, ChannelBindingFailure, Resolution, ServerMessage, SessionFailure, SessionRecord, TcpResult,
};
use crate::file::obstacle;
use crate::provider::{self, Provider, Situation};
use crate::stage::Stage;
use crate::text;
use crate::trust::ClientIdentity;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &PASSWORD_REQUIRED, detect: password_required },
    Rule { code: &HBA_REJECTED, detect: hba_rejected },
    Rule { code: &ROLE_MISSING, detect: role_missing },
    Rule { code: &CHANNEL_BINDING_FAILED, detect: channel_binding },
    Rule { code: &PASSWORD_REJECTED, detect: password_rejected },
    Rule { code: &AUTH_METHOD_UNSUPPORTED, detect: method_unsupported },
];

/// What is asked before the rules of the handshake: an error about the client certificate that is about its name.
pub(super) const CERTIFICATE: &[Rule] =
    &[Rule { code: &CERTIFICATE_USER_MISMATCH, detect: certificate_user }];

/// `password-required`.
pub const PASSWORD_REQUIRED: Code = Code {
    name: "password-required",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "the server requires a password and none is available",
    short: Some("the server asks for a password, none is given"),
    concerns: &[],
    retryable: false,
};

/// `password-rejected`.
pub const PASSWORD_REJECTED: Code = Code {
    name: "password-rejected",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "the server rejected the password",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `hba-rejected`.
pub const HBA_REJECTED: Code = Code {
    name: "hba-rejected",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "pg_hba.conf has no entry that allows this connection",
    short: Some("rejected by pg_hba.conf"),
    concerns: &[],
    retryable: false,
};

/// `certificate-user-mismatch`.
pub const CERTIFICATE_USER_MISMATCH: Code = Code {
    name: "certificate-user-mismatch",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "the client certificate is issued to a name other than the user",
    short: Some("certificate name is not the user"),
    concerns: &[],
    retryable: false,
};

/// `role-missing`.
pub const ROLE_MISSING: Code = Code {
    name: "role-missing",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "the role does not exist",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `auth-method-unsupported`.
pub const AUTH_METHOD_UNSUPPORTED: Code = Code {
    name: "auth-method-unsupported",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "the requested authentication method cannot be used",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `channel-binding-failed`.
pub const CHANNEL_BINDING_FAILED: Code = Code {
    name: "channel-binding-failed",
    severity: Severity::Failure,
    stage: Stage::Auth,
    title: "channel binding failed or is not possible",
    short: Some("no channel binding"),
    concerns: &[],
    retryable: false,
};

/// The server's error.
pub(super) fn error<'a>(view: &View<'a>) -> Option<&'a ServerMessage> {
    match view.session_failure()? {
        SessionFailure::Server(message) => Some(message),
        _ => None,
    }
}

/// The server's words, printable, not too long and without secrets.
pub(super) fn words(message: &ServerMessage) -> String {
    text::truncated(&text::printable(&mask_text(&message.message)), 300)
}

/// A method as `require_auth` and pg_hba.conf name it.
pub(super) fn method_name(request: &AuthRequest) -> String {
    match request.method {
        AuthMethod::Password => "password (clear text)".to_owned(),
        AuthMethod::Md5 => "md5".to_owned(),
        AuthMethod::Gss => "gss".to_owned(),
        AuthMethod::Sspi => "sspi".to_owned(),
        AuthMethod::ScramSha256
            if request.mechanisms.iter().all(|name| name.starts_with("SCRAM-SHA-256")) =>
        {
            "scram-sha-256".to_owned()
        }
        AuthMethod::ScramSha256 => {
            let mechanisms: Vec<String> =
                request.mechanisms.iter().map(|name| text::printable(name)).collect();
            format!("SASL: {}", super::view::at_most(5, mechanisms).join(", "))
        }
        AuthMethod::OAuth => "oauth".to_owned(),
        AuthMethod::None => format!("request {}", request.code),
    }
}

fn asked(view: &View<'_>) -> Option<String> {
    view.session()?.requested.last().map(method_name)
}

fn password_required(view: &View<'_>) -> Option<Finding> {
    if view.session_failure()? != &SessionFailure::PasswordNeeded {
        return None;
    }
    let (file, fixes) = password_file(view);
    let certificate = view.tls().is_some_and(|tls| tls.client_certificate.sent);
    let because = match certificate {
        true => format!(
            "{}; the client certificate was sent, but this user's line in pg_hba.conf asks for a password all the same (its method \
             is not cert)",
            view.tls_words()
        ),
        false => format!("{}; --require-auth asks for a session as well", view.tls_words()),
    };
    Some(
        Finding::titled("the server asks for a password, and none is given")
            .because(because)
            .fact("user", view.user())
            .fact_if("method", asked(view))
            .fact(
                "looked_in",
                vec![
                    "password in the connection string or service: not set".to_owned(),
                    // Empty is as good as not set (fe-connect.c).
                    "environment variable PGPASSWORD: not set, or empty".to_owned(),
                    file,
                ],
            )
            .fixes(fixes)
            .fix(Fix::text("set the environment variable PGPASSWORD, or use -W for a prompt"))
            .fixes(certificate.then(|| {
                Fix::server(
                    "on the server: to log in by the certificate alone, give this user's hostssl line in pg_hba.conf the method \
                     cert",
                )
            }))
            .fix(Fix::text("to check TLS alone: omit --require-auth")),
    )
}

/// Why a password file cannot be read, without its path, which stands before it.
fn unreadable(shown: &str, reason: &str) -> String {
    let reason = text::printable(reason);
    match reason.strip_prefix(shown) {
        Some(rest) => format!("it{rest}"),
        None => reason,
    }
}

/// libpq wants a password file that nobody else reads.
fn own_file(shown: &str, reason: &str) -> Fix {
    let fix = Fix::text(format!(
        "let this account own {shown} with mode 0600, or give it a copy and set passfile (PGPASSFILE) to that"
    ));
    if cfg!(windows) {
        return fix;
    }
    let file = shell_path(shown);
    // In the shell of whoever mends it the account is another.
    let account = obstacle::reader_in(reason).map_or("\"$(id -un)\"".to_owned(), text::shell_quoted);
    fix.run(format!("sudo chown {account} {file} && sudo chmod 600 {file}"))
}

/// A path in a command; `~` stays what the shell replaces.
fn shell_path(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some(rest) => format!("~/{}", text::shell_quoted(rest)),
        None => text::shell_quoted(path),
    }
}

/// A password file with a line for this login.
fn new_password_file(view: &View<'_>, path: &str) -> Fix {
    let host = view.host().map(|host| super::view::shown_value(&host.name)).unwrap_or_default();
    let line = format!("{host}:{}:{}:{}:PASSWORD", view.port(), view.database(), view.user());
    Fix::text(format!("put this line into a new file {path}, with the password in place of PASSWORD")).run(
        match cfg!(windows) {
            true => line,
            false => format!("# in {path}:\n{line}\n# then:\nchmod 600 {}", shell_path(path)),
        },
    )
}

/// A password file that gives no password: its path, why, and what helps.
fn without_password(view: &View<'_>, path: &Path, why: &NoPassword) -> (String, String, Fix) {
    let shown = super::view::path_text(path);
    let (what, fix) = match why {
        NoPassword::Missing => (
            "does not exist".to_owned(),
            match crate::file::obstacle::similar(path) {
                Some(similar) => Fix::text(format!("use {}, which exists", super::view::path_text(&similar)))
                    .set("passfile", similar.to_string_lossy()),
                None => new_password_file(view, &shown),
            },
        ),
        NoPassword::Unreadable(reason) => (unreadable(&shown, reason), own_file(&shown, reason)),
        NoPassword::NoLine { wanted, nearest } => {
            let wanted = text::printable(wanted);
            let nearest = nearest
                .map(|(line, field)| format!("; line {line} differs only in its {field}"))
                .unwrap_or_default();
            let add = format!("add this line to {shown}, with the password in place of PASSWORD");
            (format!("no line for {wanted}{nearest}"), Fix::text(add).run(format!("{wanted}:PASSWORD")))
        }
        NoPassword::EmptyPassword { line } => (
            format!("line {line} matches, and its password is empty"),
            Fix::text(format!("write the password at the end of line {line} of {shown}")),
        ),
    };
    (shown, what, fix)
}

/// Why a password file gave no password, where it was named or is there: libpq reads no other one.
pub(super) fn useless_passfile(view: &View<'_>) -> Option<String> {
    let slot = view.attempt.map_or(0, |attempt| attempt.host);
    let (path, why) = view.settings()?.notices.iter().find_map(|notice| match notice {
        Notice::PassfileUseless { path, slot: of, why } if *of == slot => Some((path, why)),
        _ => None,
    })?;
    let origin = view.origin("passfile").filter(|origin| !matches!(origin, Origin::Default));
    let by = origin.map(|origin| format!(", from {},", view.phrase(origin))).unwrap_or_default();
    let is_told = !by.is_empty() || !matches!(why, NoPassword::Missing);
    let (shown, what, _) = without_password(view, path, why);
    let alone = if by.is_empty() { "" } else { "; no other file is read" };
    is_told.then(|| format!("{shown}{by} {what}{alone}"))
}

/// A line of the password file that is for this login but for one field.
pub(super) fn nearly_in_passfile(view: &View<'_>) -> Option<Diagnosis> {
    let slot = view.attempt.map_or(0, |attempt| attempt.host);
    let found = view.settings()?.notices.iter().find_map(|notice| match notice {
        Notice::PassfileUseless {
            path,
            slot: of,
            why: why @ NoPassword::NoLine { nearest: Some(_), .. },
        } if *of == slot => Some(without_password(view, path, why)),
        _ => None,
    });
    let (shown, what, fix) = found?;
    let title = format!("if the server asks for a password, there is none: {shown} has {what}");
    Some(Finding::titled(title).fix(fix).diagnosis(&PASSWORD_REQUIRED))
}

/// What came of the password file, and what helps there.
fn password_file(view: &View<'_>) -> (String, Vec<Fix>) {
    let slot = view.attempt.map_or(0, |attempt| attempt.host);
    let notices = view.settings().map(|settings| settings.notices.as_slice()).unwrap_or_default();
    let ignored = notices.iter().find_map(|notice| match notice {
        Notice::PassfileIgnored { path, mode, changeable } => Some((path, mode, *changeable)),
        _ => None,
    });
    let of_slot = |wanted: Option<usize>| {
        notices.iter().find_map(|notice| match notice {
            Notice::PassfileUseless { path, slot, why } if wanted.is_none_or(|wanted| wanted == *slot) => {
                Some((path, why))
            }
            _ => None,
        })
    };
    let useless = of_slot(Some(slot)).or_else(|| of_slot(None).filter(|_| ignored.is_none()));
    let open = ignored.map(|(path, mode, changeable)| {
        let why = match mode {
            Some(mode) => format!("ignored, its mode is {mode:04o}"),
            None => "ignored, it is not a regular file".to_owned(),
        };
        (super::view::path_text(path), why, passfile_fixes(path, *mode, changeable))
    });
    let useless = useless.map(|(path, why)| without_password(view, path, why));
    match (open, useless) {
        (Some((path, why, mut fixes)), Some((_, what, fix))) => {
            // One alone would not do.
            if let Some(first) = fixes.first_mut() {
                first.text.push_str(&format!(", and {}", fix.text));
                let line = fix.command.into_iter().map(|line| format!("# in {path}:\n{line}"));
                let commands: Vec<String> = first.command.take().into_iter().chain(line).collect();
                first.command = Some(commands.join("\n"));
            }
            (format!("password file {path}: {why}; and {what}"), fixes)
        }
        (Some((path, why, fixes)), None) => (format!("password file {path}: {why}"), fixes),
        (None, Some((path, what, fix))) => {
            (format!("password file {path}: {what}"), default_file(view).into_iter().chain([fix]).collect())
        }
        (None, None) => {
            let path = if cfg!(windows) { "%APPDATA%\\postgresql\\pgpass.conf" } else { "~/.pgpass" };
            (
                "password file: none (passfile is not set, and there is no home directory)".to_owned(),
                vec![new_password_file(view, path)],
            )
        }
    }
}

/// The default file, where a variable names another one, which gives no password.
fn default_file(view: &View<'_>) -> Option<Fix> {
    let Some(Origin::Environment(variable)) = view.origin("passfile") else { return None };
    let default = if cfg!(windows) { "%APPDATA%\\postgresql\\pgpass.conf" } else { "~/.pgpass" };
    let text = format!("unset {variable}, if {default} has the password: it is read then");
    Some(Fix::text(text).by_unsetting(&[variable]))
}

/// The server's proof is wrong.
fn scram_mismatch(view: &View<'_>, what: &str) -> Finding {
    let origin = view.host().and_then(|host| host.password.as_ref()).map(|password| password.origin.phrase());
    Finding::titled("the server does not prove that it knows the password")
        .because(
            "in SCRAM the server has to show that it holds the password's verifier, and this \
             one's proof is wrong: something in between may be impersonating the server",
        )
        .fact("user", view.user())
        .fact("what", text::printable(what))
        .fact_if("password_from", origin)
        .fix(Fix::text("find out who answers before the password is used again"))
        .fix(Fix::text("on the server: set the password again; its stored verifier may be damaged"))
}

/// PgBouncer has words of its own for it (of md5 without the user), under a protocol violation's SQLSTATE.
fn is_poolers_rejection(message: &ServerMessage) -> bool {
    let words = ["SASL authentication failed", "password authentication failed"];
    message.sqlstate == "08P01" && words.contains(&message.message.as_str())
}

fn password_rejected(view: &View<'_>) -> Option<Finding> {
    let user = view.user();
    let origin = view.host().and_then(|host| host.password.as_ref()).map(|password| password.origin.phrase());
    if let SessionFailure::ScramMismatch(what) = view.session_failure()? {
        return Some(scram_mismatch(view, what));
    }
    let message = error(view)?;
    let facts = |finding: Finding| {
        finding
            .fact("user", user.clone())
            .fact("password_from", origin.clone().unwrap_or_else(|| "a source not recorded".to_owned()))
            .fact("server_says", words(message))
    };
    let by_pooler = is_poolers_rejection(message);
    // Without a question there is no password to reject, unless the server says so in words.
    let asked = view.session().is_some_and(|session| !session.requested.is_empty());
    let by_state = message.sqlstate == "28P01" && (asked || message.message.contains("password"));
    let (title, cause, fixes) = match (gateway(message).map(|found| found.means), said(message)) {
        (Some(Gateway::Credential), _) => (
            format!("the credential of {user} is not accepted: {}", words(message)),
            "the server expects a token or other temporary credential as the password (IAM, Entra ID); this one has expired, or is for \
             another user, region or server",
            vec![token::fix(view, &message.message)],
        ),
        (_, Some(Said::ServiceRejected(service))) => (
            format!("the login of {user} is rejected ({service})"),
            "the server passes the password to another service (PAM, LDAP, RADIUS, IAM), and that rejected it: the password is \
             wrong or, on a managed server, a token that has expired or is for another user, region or server",
            service_fixes(view, service),
        ),
        (_, Some(Said::PasswordFailed)) | (None, _) if by_pooler || by_state => (
            if by_pooler {
                format!("PgBouncer rejects the password of {user}")
            } else {
                format!("the password of {user} is rejected")
            },
            if by_pooler {
                "PgBouncer, which has these words, compares the password with its own list (auth_file or auth_query): it is wrong, or the \
                 user is not in that list"
            } else {
                "the server reports the same for a wrong password, for a role without one, for an expired one, and \
                 for a role that does not exist"
            },
            password_fixes(view, by_pooler),
        ),
        _ => return None,
    };
    let password = view.host().and_then(|host| host.password.as_ref());
    let ends = password.and_then(|password| Some((password, token::at_its_ends(password.secret.expose())?)));
    let by_look = by_its_look(view, &title);
    if let Some(finding) = by_look.or_else(|| token::rejected(view).filter(|_| ends.is_none())) {
        return Some(facts(finding));
    }
    let hints = provider_hints(view, Situation::PasswordRejected, None);
    let hints: Vec<Fix> = hints.into_iter().filter(|_| ends.is_none()).collect();
    let is_directory = is_of_directory(view);
    let (first, last) = if is_directory { (hints, Vec::new()) } else { (Vec::new(), hints) };
    let cause = match is_directory && password.is_some() && token::of(view).is_none() {
        true => format!(
            "{user} has the form of a user of Entra ID, whose password is an access token; the password given is none"
        ),
        false => cause.to_owned(),
    };
    Some(
        facts(Finding::titled(match ends {
            Some((_, what)) => format!("{title}; it {what}"),
            None => title,
        }))
        .because(cause)
        .fixes(placeholder_password(view))
        .fixes(postgres_rejected(view))
        .fixes(ends.map(|(password, what)| without_its_ends(password, what)))
        .fixes(user_of_password(view))
        .fixes(first)
        .fixes(cut_password(view).into_iter().chain(at_server(view)))
        .fixes(fixes)
        .fixes(last),
    )
}

/// The role that a password given by itself is for, where nobody named one.
fn user_of_password(view: &View<'_>) -> Option<Fix> {
    let is_of_any = |password: &Password| !matches!(password.origin, Origin::PasswordFile(_));
    view.host()?.password.as_ref().filter(|password| is_of_any(password))?;
    matches!(view.origin("user")?, Origin::Default).then(|| {
        Fix::text(format!(
            "set user to the role whose password this is: it is not set, and {} then takes the login name of this machine's account, {}",
            view.program(),
            view.user()
        ))
        .set("user", "ROLE")
    })
}

/// A password that is the next setting: `password=` has nothing behind it.
fn swallowed_password(view: &View<'_>) -> Option<Finding> {
    let input = view.evidence.input.as_ref()?.expose();
    let found = crate::conninfo::swallowed(input);
    let (_, next) = found.into_iter().find(|(keyword, _)| *keyword == "password")?;
    let fix = "put the password behind `password=` (a variable there is empty or not set), or give it in PGPASSWORD and leave out \
               `password=`";
    Some(
        Finding::titled(format!("`password=` has no value, so {next}=… behind it is sent as the password"))
            .because(format!("libpq skips spaces behind =; {next} is not set by this string"))
            .fix(Fix::text(fix)),
    )
}

/// What the administrator is called where postgres is no login, or seldom one.
fn postgres_rejected(view: &View<'_>) -> Vec<Fix> {
    match view.user() == "postgres" {
        true => provider_hints(view, Situation::PostgresRejected, None),
        false => Vec::new(),
    }
}

/// The role of a service account that is written with its whole address.
fn without_end(user: &str) -> Option<(&'static Provider, Fix)> {
    let (provider, role) = provider::role_of(user)?;
    let end = provider.user_end.unwrap_or_default();
    Some((provider, Fix::text(format!("leave out {end}: the role is called {role}")).set("user", role)))
}

/// What the password or the user is by its look, whatever else may be wrong with it.
fn by_its_look(view: &View<'_>, title: &str) -> Option<Finding> {
    let found = swallowed_password(view).or_else(|| cut_at_semicolon(view));
    found
        .or_else(|| of_service_account(view, title))
        .or_else(|| token::wrapped(view))
        .or_else(|| token::unresolved(view))
}

/// A password of which its driver takes the part before a semicolon.
fn cut_at_semicolon(view: &View<'_>) -> Option<Finding> {
    let typed = view.evidence.typed.as_ref()?;
    let how = typed.reading()?.lost_behind_password(typed.original.expose())?;
    Some(
        Finding::titled("the password in the string contains a semicolon")
            .because(format!(
                "{} takes a ; for the password's end, and passes over what follows it",
                view.program()
            ))
            .fix(Fix::text(how)),
    )
}

/// What is wrong with user or password whatever the server is, before one was asked.
pub(super) fn without_asking(view: &View<'_>) -> Option<Diagnosis> {
    let found = by_its_look(view, "the user is not the name of a role").or_else(|| token::expired(view))?;
    Some(found.diagnosis(&PASSWORD_REJECTED))
}

/// A service account under its whole address.
fn of_service_account(view: &View<'_>, title: &str) -> Option<Finding> {
    let (provider, shorter) = without_end(&view.user())?;
    let token = "if the token is older than an hour: get a new one, as that account";
    Some(
        Finding::titled(title)
            .because(format!(
                "{} calls the role of a service account by its address without the end, and its password is an access token",
                provider.name
            ))
            .fix(shorter)
            .fix(exported(view, Fix::text(token), "gcloud sql generate-login-token".to_owned())),
    )
}

/// What stands at the ends of the password is sent as a part of it.
fn without_its_ends(password: &Password, what: &str) -> Fix {
    let how = if what.contains("feed") { " (printf %s in place of echo)" } else { "" };
    let fix = Fix::text(format!(
        "the password from {} {what}, which is sent as a part of it: take that away where it comes from{how}",
        password.origin.phrase()
    ));
    match &password.origin {
        Origin::Environment(variable) if what.contains("line feed") && !cfg!(windows) => {
            fix.run(format!("export {variable}=\"$(printf %s \"${variable}\")\""))
        }
        _ => fix,
    }
}

/// What stands in the string in the place of a password.
fn placeholder_password(view: &View<'_>) -> Option<Fix> {
    let input = view.evidence.input.as_ref()?.expose();
    crate::clients::dialect::placeholders(input).contains(&"password").then(|| {
        Fix::text("the password in the string is only a placeholder: give the real one in its place, without brackets")
    })
}

/// What is to be looked at where the password came from: another place that has another one, and the place itself.
fn at_its_source(view: &View<'_>) -> (Option<Fix>, String) {
    let slot = view.attempt.map_or(0, |attempt| attempt.host);
    let mut notices = view.settings().into_iter().flat_map(|settings| &settings.notices);
    let beside = notices.find_map(|notice| match notice {
        Notice::PasswordBeside { path, slot: of } if *of == slot => Some(super::view::path_text(path)),
        _ => None,
    });
    let known = view.host().and_then(|host| host.password.as_ref());
    // One with a $ came through a shell as it is.
    let replaced = match known {
        Some(known)
            if !known.secret.expose().contains(&b'$')
                && provider_hints(view, Situation::PasswordReplaced, None).is_empty() =>
        {
            "; if it has a $: in double quotes a shell replaces that and what follows, so set it in single quotes"
        }
        _ => "",
    };
    match known.map(|known| &known.origin) {
        Some(Origin::Environment(variable)) => {
            let unset = beside.map(|file| {
                Fix::text(format!(
                    "unset {variable}: {file}, which is read then, has another password for this login"
                ))
                .by_unsetting(&[variable])
            });
            let alone = if unset.is_none() { " (no password file is read beside it)" } else { "" };
            (unset, format!("check the password in {variable}{alone}{replaced}"))
        }
        Some(Origin::PasswordFile(file)) => {
            let place = super::view::path_text(file);
            let other = match known.and_then(|known| known.lines) {
                Some((line, Some(other))) => Some(format!(
                    "{place}: line {line} is taken, the first that matches; line {other} matches too and has another password: if that is \
                     the right one, move it up, before line {line}"
                )),
                _ => None,
            };
            let line = known
                .and_then(|known| known.lines)
                .map_or_else(String::new, |(line, _)| format!(", line {line}"));
            (
                other.map(Fix::text),
                format!("check the password in {place}{line} (the first line that matches counts)"),
            )
        }
        Some(origin) => (
            None,
            format!(
                "check the password in {} (PGPASSWORD and the password file are not read beside it){replaced}",
                origin.phrase()
            ),
        ),
        None => (None, "check the password".to_owned()),
    }
}

/// Whether a user is one of a directory (Entra ID), by the domain in the name, where the provider has that: then the
/// password is to be a token.
fn is_of_directory(view: &View<'_>) -> bool {
    let has_domain = view.user().split_once('@').is_some_and(|(_, domain)| domain.contains('.'));
    has_domain && !provider_hints(view, Situation::PasswordRejected, None).is_empty()
}

/// Where the password is to be checked: where it came from, and where it is compared.
fn password_fixes(view: &View<'_>, by_pooler: bool) -> Vec<Fix> {
    let (unset, check) = at_its_source(view);
    let password = view.host().and_then(|host| host.password.as_ref());
    // What is added to it explains it: nobody need set a new one.
    let rest = match password.and_then(|password| token::at_its_ends(password.secret.expose())) {
        Some(_) => vec![Fix::text(check)],
        None => compared_passwords(view, check, by_pooler),
    };
    unset.into_iter().chain(rest).collect()
}

fn compared_passwords(view: &View<'_>, check: String, by_pooler: bool) -> Vec<Fix> {
    let role = quoted_role(&view.user());
    let name = view.user().replace('\'', "''");
    let mut replaced = provider_hints(view, Situation::PasswordReplaced, None);
    if !replaced.is_empty() {
        replaced.push(Fix::text(check));
        return replaced;
    }
    if by_pooler {
        let list = Fix::server(
            "in PgBouncer: see whether the user is in the file of auth_file (userlist.txt) with this password (or its SCRAM secret), add \
             it, then RELOAD; the same password must be valid on the server behind, which alone has it with auth_query",
        );
        return vec![
            list.run(format!("# in userlist.txt:\n\"{}\" \"PASSWORD\"", view.user())),
            Fix::text(check),
        ];
    }
    if is_of_directory(view) {
        return Vec::new();
    }
    if manager(view).is_some() {
        let check = format!("{check}; it may have been changed since: copy it anew from where it is kept");
        let on_server = Fix::text(
            "if it is right, on the server as its administrator: see whether it has expired (a date in the past), and set it again",
        );
        if !postgres_rejected(view).is_empty() {
            return vec![Fix::text(check)];
        }
        return vec![
            Fix::text(check),
            on_server.run(format!(
                "SELECT rolvaliduntil FROM pg_roles WHERE rolname = '{name}';\n\\password {role}\nALTER ROLE {role} VALID UNTIL 'infinity';"
            )),
        ];
    }
    vec![
        // The words of crypt.c, auth-scram.c and auth.c.
        Fix::text(format!(
            "{check}; if it is right: the line DETAIL below this error in the server's log has the reason, and here is what mends each"
        ))
        .run(format!(
            "SELECT pg_current_logfile();\n-- \"has an expired password\":\nALTER ROLE {role} VALID UNTIL 'infinity';\n\
             -- \"does not have a valid SCRAM secret\" (it is stored as md5), \"has no password assigned\":\n\\password {role}\n\
             -- \"does not exist\":\nCREATE ROLE {role} LOGIN;\n-- none of these: the password is wrong \
             (in Docker and Helm it is that with which the volume was first filled, whatever POSTGRES_PASSWORD is now)"
        )),
        Fix::server(
            "without the log, on the server as a superuser: see whether the password has expired (a date in the past) or is stored as md5",
        )
        .run(format!("SELECT rolvaliduntil, left(rolpassword, 5) FROM pg_authid WHERE rolname = '{name}';")),
    ]
}

/// A line of the password file whose password ends at a colon that may belong to it.
fn cut_password(view: &View<'_>) -> Option<Fix> {
    let slot = view.attempt.map_or(0, |attempt| attempt.host);
    let notices = &view.settings()?.notices;
    let cut = notices.iter().find_map(|notice| match notice {
        Notice::PasswordCut { path, line, slot: of } if *of == slot => Some((path, line)),
        _ => None,
    });
    cut.map(|(path, line)| {
        Fix::text(format!(
            "{}, line {line}: libpq ends the password at an unescaped : and ignores the rest; if the : belongs to the password, write \\: for it",
            super::view::path_text(path)
        ))
    })
}

/// A user in the form of a retired gateway: the role alone.
fn at_server(view: &View<'_>) -> Option<Fix> {
    let user = view.user();
    let (role, server) =
        user.split_once('@').filter(|(role, server)| !role.is_empty() && !server.contains('.'))?;
    Some(
        Fix::text(format!("if the role is {role}: leave out @{server}, which only retired gateways (Azure Single Server) took off"))
            .set("user", role),
    )
}

/// What helps where another service rejects a password: the plain cause first, unless the server is a managed one.
fn service_fixes(view: &View<'_>, service: &str) -> Vec<Fix> {
    let password = view.host().and_then(|host| host.password.as_ref());
    let from = password.map(|password| format!(" in {}", password.origin.phrase())).unwrap_or_default();
    let log =
        format!("on the server, if the password is right: {service}'s reason is in the log at this time");
    let log = match service {
        "PAM" => Fix::text(log)
            .run("sudo journalctl -S -15min | grep -i pam\n# or:\nsudo grep -i pam /var/log/auth.log"),
        _ => in_the_log(&format!(
            "\"{service}\": that line is the reason; a timeout of the {service} server looks the same"
        )),
    };
    let check = Fix::text(format!(
        "if {service} checks plain passwords: check the password of {}{from}",
        view.user()
    ));
    let token = token::fix(view, "");
    let token = Fix { text: format!("if the server is managed: {}", token.text), ..token };
    match manager(view) {
        Some(_) => vec![token, check],
        None => vec![check, log, token],
    }
}

/// A client certificate whose common name is not the user. Without a line in pg_ident.conf a server that compares them
/// refuses the login (auth.c, CheckCertAuth) in the words of the line's method: `certificate`, `"trust"` or `password`.
fn certificate_user(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let Some(ClientIdentity::Ready(identity)) = view.trust().map(|trust| &trust.client) else { return None };
    if !view.tls()?.client_certificate.sent {
        return None;
    }
    let leaf = identity.chain.first()?;
    let name = leaf.facts().ok()?.subject.common_name().unwrap_or_default();
    let user = view.user();
    if text::printable(&name) == user {
        return None;
    }
    let session = view.session()?;
    let shown = if name.is_empty() { "no common name".to_owned() } else { text::printable(&name) };
    let (why, is_certain) = compared_name(message, session)?;
    let finding = Finding::titled(format!("the client certificate is issued to {shown}, the user is {user}"))
        .because(why)
        .fact("certificate_name", shown)
        .fact("user", user.clone())
        .fact_if("from", view.origin_words("user"))
        .fact("path", super::view::path_text(&identity.certificate_file))
        .fact("server_says", words(message));
    let finding = match name.is_empty() {
        true => finding,
        false => {
            let text = match session.requested.is_empty() {
                true => "log in as the user that the certificate names",
                false => "log in as the user that the certificate names, with that user's password",
            };
            finding.fix(Fix::text(text).set("user", name.clone()))
        }
    };
    // hba.c takes map= in lines with cert, ident, peer, gss and sspi only: beside a password or trust no name is mapped. The
    // message has the method's word in every language.
    let is_mapped = session.requested.is_empty() && !message.message.contains("trust");
    let finding = finding
        .fix(reissue::client(&format!("use a client certificate whose common name (CN) is {user}; ca.crt and ca.key are those of the server's client CA"), &user))
        .fix(match is_mapped {
            false => Fix::server(
                "if you run the server and any certificate of its client CA is to do: change clientcert=verify-full to \
                 clientcert=verify-ca in this user's line in pg_hba.conf, then reload",
            )
            .run(RELOAD),
            true => Fix::server(format!(
                "if you run the server: map the certificate's name to {user} in pg_ident.conf (and each other name that logs in \
                 by this line), add map=clients to the line in pg_hba.conf, then {RELOAD}"
            ))
            .run(map_line(&name, &user)),
        });
    let password = view.host().and_then(|host| host.password.as_ref());
    Some(match password.filter(|_| !is_certain) {
        Some(password) => finding
            .fix(Fix::text(format!("check the password, which came from {}", password.origin.phrase()))),
        None => finding,
    })
}

/// The line of pg_ident.conf that lets a certificate's name log in as a user.
pub(super) fn map_line(name: &str, user: &str) -> String {
    format!("clients {} {}", quoted_name(name), quoted_name(user))
}

/// Why the server compared the certificate's name, and whether that is certain.
fn compared_name(message: &ServerMessage, session: &SessionRecord) -> Option<(&'static str, bool)> {
    Some(match said(message)? {
        Said::CertificateFailed => (
            "the server compares the certificate's common name with the user (pg_hba.conf: cert, or \
             clientcert=verify-full), and no line of pg_ident.conf maps the one to the other",
            true,
        ),
        Said::PasswordFailed if session.password_accepted => (
            "the server accepted the password (SCRAM was completed) and rejected the login afterwards: its \
             pg_hba.conf compares the certificate's common name with the user too (clientcert=verify-full)",
            true,
        ),
        // By SCRAM a wrong password shows before the server's proof, and is only that.
        Said::PasswordFailed if is_scram(session.requested.last()) => return None,
        Said::PasswordFailed => (
            "one of these: the server compares the certificate's common name with the user \
             (clientcert=verify-full), and its message for that is the same as for a wrong password; or the password is \
             wrong. The server's log decides: \"certificate validation (clientcert=verify-full) failed\" is the name",
            false,
        ),
        _ => return None,
    })
}

fn is_scram(request: Option<&AuthRequest>) -> bool {
    request.is_some_and(|request| request.method == AuthMethod::ScramSha256)
}

pub(super) fn quoted_role(role: &str) -> String {
    let plain = role.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && role.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { role.to_owned() } else { format!("\"{}\"", role.replace('"', "\"\"")) }
}

/// What an error about pg_hba.conf tells. The words are the server's language, the quoted values and their order are
/// not: host, user, database (auth.c, ClientAuthentication).
#[derive(Debug, Default, PartialEq, Eq)]
struct HbaError {
    client: Option<String>,
    user: Option<String>,
    database: Option<String>,
    encryption: Option<String>,
}

impl HbaError {
    fn read(message: &str) -> Self {
        // The translations have other quotation marks.
        let message = message.replace(['»', '«', '„', '“', '”', '「', '」'], "\"");
        let mut parts = message.split('"');
        let mut quoted = Vec::new();
        let mut last = parts.next();
        while let Some(value) = parts.next() {
            quoted.push(value.trim());
            last = parts.next();
        }
        let is_address = |text: &&&str| text.parse::<IpAddr>().is_ok() || text.contains("[local]");
        let client = quoted.iter().find(is_address).copied();
        let mut names = quoted.iter().filter(|value| !is_address(value)).copied();
        // Newer servers: `, no encryption` or `, SSL encryption`; older ones `, SSL off`.
        let encryption =
            last.map(|rest| rest.trim_matches(|c: char| c == ',' || c.is_whitespace() || c == '.'));
        let printable = |text: &str| text::truncated(&text::printable(&mask_text(text)), 100);
        Self {
            client: client.map(printable),
            user: names.next().map(printable),
            database: names.next().map(printable),
            encryption: encryption.filter(|rest| !rest.is_empty()).map(printable),
        }
    }

    /// Whether the server took the connection for unencrypted.
    fn unencrypted(&self) -> bool {
        self.encryption
            .as_ref()
            .is_some_and(|words| words.contains("no encryption") || words.contains("SSL off"))
    }
}

const TERMINATED: &str = "the server took the connection for unencrypted, although this side uses TLS: a proxy in between \
                          ends TLS and continues in plaintext";
const REJECTED: &str = "the first line of pg_hba.conf that matches this user, database, address and encryption has the \
                        method reject; lines after it do not count";
const UNENCRYPTED: &str = "the connection has no TLS, and no line of pg_hba.conf matches one without: hostssl lines match \
                           TLS only";
const NO_ENTRY: &str = "no line of pg_hba.conf, as last loaded, matches this user, database, address and encryption together: hostnossl \
                        lines do not match TLS, hostgssenc lines match GSSAPI encryption only; managed services report \
                        the same if their firewall does not allow the address";

/// TLS on the second leg, which a pooler or proxy makes.
pub(super) fn tls_behind_the_proxy() -> Fix {
    Fix::server(
        "let the pooler or proxy use TLS to the server too; in PgBouncer: set server_tls_sslmode, and the root certificate of the \
         server's CA, in pgbouncer.ini, then RELOAD in its admin console",
    )
    .run("server_tls_sslmode = verify-full\nserver_tls_ca_file = /etc/pgbouncer/server-ca.crt")
}

fn terminated_fixes() -> Vec<Fix> {
    vec![tls_behind_the_proxy(), Fix::text("connect to the server itself, past the proxy")]
}

fn unencrypted_fixes() -> Vec<Fix> {
    vec![
        Fix::text("use TLS").set("sslmode", "verify-full"),
        Fix::text(
            "if the server has no TLS yet: set ssl = on there, with server.crt and server.key in place",
        ),
    ]
}

const FIND_REJECT: &str = "SELECT line_number, type, database, user_name, address FROM pg_hba_file_rules WHERE auth_method = \
                           'reject';";

/// The line that lets this connection in, and where it goes.
fn entry_fixes(view: &View<'_>, told: &HbaError, rejects: bool) -> Vec<Fix> {
    let mut fixes = provider_hints(view, Situation::NotAdmitted, told.client.as_deref());
    let address = told.client.as_deref().and_then(|client| client.parse::<IpAddr>().ok());
    let is_hinted = !fixes.is_empty();
    fixes.extend(address.map(|address| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        // `replication` is a word of pg_hba.conf, no database.
        let database = match view.settings().and_then(|settings| settings.parameter("replication")) {
            Some(replication) if !replication.value.is_empty() && told.database.is_none() => {
                "replication".to_owned()
            }
            _ => quoted_name(&told.database.clone().unwrap_or_else(|| view.database())),
        };
        let note = if database == "replication" { " (all does not cover replication)" } else { "" };
        let note = format!("{note}{}", of_mask(&address));
        let user = quoted_name(&told.user.clone().unwrap_or_else(|| view.user()));
        let line = format!("hostssl {database} {user} {address}/{bits} scram-sha-256{}", its_network(&address));
        let fix = match rejects {
            false => Fix::server(format!(
                "on the server: add the hostssl line to pg_hba.conf{note}, unless one for this is there, then reload: until that, and while a line has an error, the old rules are in force"
            ))
            .run(format!(
                "# in pg_hba.conf:\n{line}\n-- in psql, which also prints the file in use, and its errors:\n{RELOAD}\nSHOW \
                 hba_file;\nSELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL;"
            )),
            true => Fix::server(
                "on the server: find the reject line that matches (PostgreSQL 10 or later), put the hostssl line before the reject line in \
                 pg_hba.conf, then reload",
            )
            .run(format!("-- in psql:\n{FIND_REJECT}\n# in pg_hba.conf, before the reject line:\n{line}\n-- in psql:\n{RELOAD}")),
        };
        match is_hinted {
            true => fix,
            false => fix.or_at_provider(format!(
                "at the provider: allow {address} where it keeps the addresses that may connect (firewall, allow list, trusted sources)"
            )),
        }
    }));
    if rejects && address.is_none() {
        fixes.push(
            Fix::server("on the server: find the reject line that matches (PostgreSQL 10 or later), change it, then reload")
                .run(format!("{FIND_REJECT}\n{RELOAD}")),
        );
    }
    fixes
}

/// What admits a pooler to the server behind it, where the pooler repeats that none of the server's lines matched.
pub(super) fn entry_for_pooler(view: &View<'_>, said: &str) -> Option<Vec<Fix>> {
    let told = HbaError::read(said.get(said.find("no pg_hba.conf entry")?..)?);
    let client = told.client.clone()?;
    let entry = entry_fixes(view, &told, false).into_iter().find(|fix| fix.on_server)?;
    // A line that asks for TLS may be there already.
    let (first, then) = match told.unencrypted() {
        true => (Some(tls_behind_the_proxy()), "if the message then ends in \"SSL encryption\": "),
        false => (None, ""),
    };
    let text = format!(
        "{then}on the PostgreSQL server behind the pooler: admit the pooler, {client}: add the hostssl line to pg_hba.conf, then reload"
    );
    Some(first.into_iter().chain([Fix { text, ..entry }]).collect())
}

/// What follows a line of pg_hba.conf for an address that does not last: of Docker's own networks (172.16.0.0/12), which a
/// container keeps only until it is started again, and of IPv6, of which a machine takes new ones (RFC 8981).
fn its_network(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [172, second @ 16..=31, ..] => format!(
                "\n# if that is a container's address, which changes: its network, as in 172.{second}.0.0/16"
            ),
            _ => String::new(),
        },
        IpAddr::V6(address) => match address.segments() {
            [0 | 0xfe80, ..] => String::new(),
            [a, b, c, d, ..] => {
                let network = Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
                format!("\n# or its network, as machines change their IPv6 addresses; mostly {network}/64")
            }
        },
    }
}

/// Whose line is there may have taken /32 for the whole network.
fn of_mask(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) if address.is_private() => {
            let [a, b, c, _] = address.octets();
            format!(
                " (/32 is one address alone: a line for the whole network has its own mask, such as {a}.{b}.{c}.0/24; \
                 {a}.{b}.{c}.0/32 matches none of its machines)"
            )
        }
        _ => String::new(),
    }
}

/// The name has an address of IPv4 too, and rules for that do not match a client of IPv6.
fn over_ipv4(view: &View<'_>, client: Option<&str>) -> Option<Fix> {
    client?.parse::<Ipv6Addr>().ok()?;
    let Some(Resolution::Found(addresses)) = view.attempt?.dns.as_ref().map(|step| &step.result) else {
        return None;
    };
    let address = addresses.iter().find(|address| address.is_ipv4())?;
    Some(
        Fix::text("the client's address is of IPv6: if a line admits its IPv4 address, connect over IPv4")
            .set("hostaddr", address.to_string()),
    )
}

fn hba_rejected(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let rejects = match said(message) {
        Some(Said::NoEntry) => false,
        Some(Said::RejectEntry) => true,
        _ if message.message.contains("connection is insecure") => false,
        _ => return None,
    };
    let insecure = message.message.contains("connection is insecure");
    let told = HbaError::read(&message.message);
    let user = told.user.clone().unwrap_or_else(|| view.user());
    let database = told.database.clone().unwrap_or_else(|| view.database());
    // Told of a replication connection, the server names no database; `all` in pg_hba.conf does not match it.
    let replicates = view
        .settings()
        .and_then(|settings| settings.parameter("replication"))
        .is_some_and(|set| !set.value.is_empty());
    let database = if replicates && told.database.is_none() { "replication".to_owned() } else { database };
    let client = told.client.clone();
    let unencrypted = told.unencrypted() || insecure;
    let terminated = unencrypted && view.tls().is_some();
    let (cause, fixes) = if terminated {
        (TERMINATED, terminated_fixes())
    } else if rejects {
        (REJECTED, entry_fixes(view, &told, rejects))
    } else if unencrypted {
        (UNENCRYPTED, unencrypted_fixes())
    } else {
        (NO_ENTRY, entry_fixes(view, &told, rejects))
    };
    let from = client.as_ref().map(|client| format!(", from {client}")).unwrap_or_default();
    let by_default = database_by_default(view, &database).filter(|_| !terminated && !unencrypted);
    let from_user = by_default.as_ref().map(|_| "the user (dbname is not set)");
    let fixes: Vec<Fix> = by_default.into_iter().chain(fixes).collect();
    let own = own_address(view, client.as_deref());
    let cause = match manager(view).filter(|_| !terminated && !unencrypted) {
        Some(_) => {
            "its firewall does not allow that address, or its rules (pg_hba.conf, which the provider keeps) not this user or database"
        }
        None => cause,
    };
    let cause = match (&own, &client) {
        (Some(own), Some(client)) => format!(
            "{cause}; this machine's address is {own}, and the connection reaches the server from {client} (NAT): a rule has to name {client}"
        ),
        _ => cause.to_owned(),
    };
    let finding = match manager(view) {
        Some(_) => {
            Finding::titled(format!("the server does not admit user {user}, database {database}{from}"))
                .in_short("address, user or database not admitted")
        }
        None => Finding::titled(match (&client, rejects) {
            (Some(client), true) => {
                format!("pg_hba.conf rejects {user} from {client} on database {database}")
            }
            (None, true) => format!("pg_hba.conf rejects {user} on database {database}"),
            (_, false) => format!("pg_hba.conf has no entry for user {user}, database {database}{from}"),
        }),
    };
    Some(
        finding
            .because(cause)
            .fact("client", client.clone().unwrap_or_else(|| "not reported".to_owned()))
            .fact("user", user)
            .fact("database", database)
            .fact_if("database_from", from_user)
            .fact("encryption", told.encryption.clone().unwrap_or_else(|| "not reported".to_owned()))
            .fact("server_says", words(message))
            .fixes(fixes)
            .fixes(over_ipv4(view, client.as_deref()))
            .fix(Fix::text("check the spelling of user and database: another one may be allowed")),
    )
}

/// Without dbname libpq asks for a database that is called like the user: rules for other databases do not match that.
fn database_by_default(view: &View<'_>, database: &str) -> Option<Fix> {
    let is_named = view
        .origin("dbname")
        .is_some_and(|origin| !matches!(origin, Origin::Default | Origin::ToolDefault(_)));
    (!is_named && database == view.user()).then(|| {
        Fix::text("dbname is not set, so the database is called like the user: set it to the one that is meant: dbname=NAME")
    })
}

/// The address of this machine's end of the connection, where the server saw another one of the same family.
fn own_address(view: &View<'_>, client: Option<&str>) -> Option<IpAddr> {
    let Some(TcpResult::Connected { local: Some(local) }) = view.tcp() else { return None };
    let seen: IpAddr = client?.parse().ok()?;
    let own = local.ip();
    // On the server's own machine both ends have its address.
    let is_server = view.address() == Some(own) || own.is_loopback();
    (own != seen && own.is_ipv4() == seen.is_ipv4() && !is_server).then_some(own)
}

/// A name as pg_hba.conf takes it.
fn quoted_name(name: &str) -> String {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))
        && !["all", "sameuser", "samerole", "replication"].contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn role_missing(view: &View<'_>) -> Option<Finding> {
    let message = error(view)?;
    let user = view.user();
    let retired_form = view.provider().and_then(|found| found.provider.user_at_server);
    let named = said(message) == Some(Said::NoRole);
    let old_gateway = message.message.contains("username@") || message.message.contains("user@host");
    // With a domain after the @, or a token for a password, it is a user of Entra ID, whose role is called so.
    let at_server = user
        .split_once('@')
        .filter(|(role, server)| !role.is_empty() && !server.contains('.') && token::of(view).is_none())
        .zip(retired_form);
    let refused = at_server.is_some() && matches!(message.sqlstate.as_str(), "28000" | "28P01");
    if !named && !old_gateway && !refused {
        return None;
    }
    let finding = Finding::titled(match named || old_gateway {
        false => format!("the login of {user} is rejected: probably the spelling of Azure's Single Server"),
        true => format!("the role {user} does not exist"),
    })
    .fact("user", user.clone())
    .fact_if("from", view.origin_words("user"))
    .fact("server_says", words(message));
    if let Some(((role, _), retired)) = at_server {
        return Some(finding.because(retired).fix(Fix::text("set user to the role alone").set("user", role)));
    }
    if let Some(mended) = look_alike::mended_value(view, &finding, "user") {
        return Some(mended);
    }
    Some(
        finding
            .because(match view.origin("user") {
                Some(Origin::Default) | None => format!(
                    "user is not set, and {} then takes the login name of this machine's account",
                    view.program()
                ),
                Some(_) => "the server has no role of that name; names are case-sensitive".to_owned(),
            })
            .fixes(without_end(&user).map(|(_, shorter)| shorter))
            .fixes(provider_hints(view, Situation::RoleMissing, None))
            .fixes(lower_case(&user).map(|role| {
                Fix::text("write it in lower case: PostgreSQL stores names so that were not created in double quotes").set("user", role)
            }))
            .fix(
                Fix::text("set the role: user=NAME, one of those that this lists on the server")
                    .run("psql -c '\\du'"),
            )
            .fix(
                Fix::text(format!("on the server: create it and give it a password, as {} or a role with CREATEROLE", administrator(view)))
                    .run(format!("CREATE ROLE {role} LOGIN;\n\\password {role}", role = quoted_role(&user))),
            ),
    )
}

/// A name in lower case, where it is another one.
pub(super) fn lower_case(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    (lower != name).then_some(lower)
}

fn method_unsupported(view: &View<'_>) -> Option<Finding> {
    let asked = asked(view).unwrap_or_else(|| "nothing (trust or cert)".to_owned());
    let required = view
        .settings()?
        .parameter("require_auth")
        .map(|parameter| super::view::shown_value(&parameter.value));
    let finding = |title: String| {
        Finding::titled(title).fact("method", asked.clone()).fact_if("require_auth", required.clone())
    };
    Some(match view.session_failure()? {
        SessionFailure::MethodExcluded => {
            let required = required.clone().unwrap_or_default();
            finding(format!("the server requests {asked}, which require_auth excludes"))
                .because(format!(
                    "require_auth={required} (from {}) allows no other method, and the line of pg_hba.conf for this user says \
                     {asked}",
                    view.origin_words("require_auth").unwrap_or_else(|| "the settings".to_owned())
                ))
                .fix(on_the_server(view, &required))
                .fixes(allowed_too(view, &asked, &required))
        }
        SessionFailure::MethodUnsupported => finding(format!(
            "the server requests {asked}, which pgtls-check does not implement"
        ))
        .because(format!(
            "{}; GSSAPI, SSPI and OAuth need libraries and tickets that psql has and pgtls-check does not",
            view.tls_words()
        ))
        .fix(Fix::text("check TLS alone").run(view.command(["pgtls-check", "--tls-only"])))
        .fix(Fix::text("check the login with psql, or use a role with scram-sha-256 for this check")),
        SessionFailure::CertificateModeUnmet => {
            finding("sslcertmode=require, but the server requested no client certificate".to_owned())
                .because("libpq then ends the connection, since the server did not verify the client")
                .fix(
                    Fix::server(
                        "on the server: set ssl_ca_file, so that it requests client certificates, add clientcert=verify-ca to \
                         this user's line in pg_hba.conf, then reload",
                    )
                    .run(RELOAD),
                )
                .fix(Fix::text("send a certificate only if the server requests one").set("sslcertmode", "allow"))
        }
        _ => return None,
    })
}

/// How the server comes to request a method that is allowed. A password that was stored as md5 has to be set again first:
/// a line with scram-sha-256 would reject it.
pub(super) fn on_the_server(view: &View<'_>, allowed: &str) -> Fix {
    let negated = allowed.starts_with('!');
    if negated || !allowed.split(',').any(|method| method.trim() == "scram-sha-256") {
        let which = if negated { "another method" } else { "a method that require_auth allows" };
        return Fix::server(format!(
            "on the server: change this user's line in pg_hba.conf to {which}, then reload"
        ))
        .run(RELOAD);
    }
    Fix::server(
        "on the server, in this order: set the password again, so that it is stored as SCRAM; change the method in this \
         user's line in pg_hba.conf to scram-sha-256; reload",
    )
    .run(format!(
        "SET password_encryption = 'scram-sha-256';\n\\password {}\n-- now change the method in pg_hba.conf\n{RELOAD}",
        quoted_role(&view.user())
    ))
}

/// The client's part, where the certificate has shown who the server is.
fn allowed_too(view: &View<'_>, asked: &str, required: &str) -> Option<Fix> {
    let extended = !required.starts_with('!') && view.level() == Verdict::Verified;
    let fix = Fix::text(format!("if {asked} is intended: add it to require_auth"));
    // libpq's word for a session without a request.
    let method = if asked.starts_with("nothing ") { "none" } else { asked };
    extended.then(|| fix.set("require_auth", format!("{required},{method}")))
}

fn channel_binding(view: &View<'_>) -> Option<Finding> {
    let refused = error(view).is_some_and(|message| message.message.contains("channel binding"));
    let failure = match view.session_failure()? {
        SessionFailure::ChannelBinding(failure) => failure.clone(),
        _ if refused => ChannelBindingFailure::Refused,
        _ => return None,
    };
    let leaf = view.tls().and_then(|tls| tls.chain.first());
    let finding = Finding::titled(match &failure {
        ChannelBindingFailure::NotOffered => "channel binding is required, but the server does not offer it",
        ChannelBindingFailure::NoAuthentication => {
            "channel binding is required, but the server requested no password"
        }
        ChannelBindingFailure::NoDigest(_) => {
            "libpq cannot bind the channel to a certificate with this signature"
        }
        ChannelBindingFailure::Refused => "the server rejected the channel binding",
    })
    .fact_if("method", asked(view))
    .fact_if(
        "channel_binding",
        view.settings()?.parameter("channel_binding").map(|p| super::view::shown_value(&p.value)),
    )
    .fact_if("certificate", leaf.map(Certificate::short_subject));
    Some(repair_binding(view, finding, failure))
}

fn repair_binding(view: &View<'_>, finding: Finding, failure: ChannelBindingFailure) -> Finding {
    let prefer = || without_binding(view, "use channel binding where the server offers it", "prefer");
    match failure {
        // A server that has TLS itself offers SCRAM-SHA-256-PLUS wherever it offers SCRAM-SHA-256
        // (scram_get_mechanisms in auth-scram.c).
        ChannelBindingFailure::NotOffered if asked(view).as_deref() == Some("scram-sha-256") => finding
            .because(
                "the server offers SCRAM without channel binding (no SCRAM-SHA-256-PLUS), as PostgreSQL does if its own \
                 connection has no TLS: probably a pooler or proxy in front of it terminates TLS",
            )
            .fix(prefer())
            .fix(Fix::text(format!(
                "to keep channel_binding=require: connect to PostgreSQL directly; ask its administrator for the host and port behind \
                 {}, where the pooler or proxy answers",
                view.place()
            )))
            .fix(Fix::text("let the proxy pass TLS through to the server instead of terminating it")),
        ChannelBindingFailure::NotOffered | ChannelBindingFailure::NoAuthentication => finding
            .because(format!(
                "only scram-sha-256 over TLS can bind the channel; the line of pg_hba.conf for this user says {}",
                asked(view).unwrap_or_else(|| "trust or cert".to_owned())
            ))
            .fix(on_the_server(view, "scram-sha-256"))
            .fix(prefer()),
        ChannelBindingFailure::NoDigest(algorithm) => finding
            .because(format!(
                "the certificate is signed with {}, for which libpq finds no hash; it fails with \
                 channel_binding=prefer, the default, too",
                text::printable(&algorithm)
            ))
            .fact("signature", text::printable(&algorithm))
            .fix(without_binding(view, "turn channel binding off in the client", "disable"))
            .fix(reissue::server_by_another(
                view,
                "on the server: have the server certificate reissued by a CA with an RSA or ECDSA key, then reload",
            )),
        ChannelBindingFailure::Refused => finding
            .because(
                "the server presented another certificate than the one seen here: probably a proxy terminates TLS and \
                 starts a TLS connection of its own to the server; otherwise somebody intercepts the connection",
            )
            .fix(Fix::text(format!("connect to PostgreSQL directly: set host and port to the server's own (ask its administrator for those behind {}, where the proxy answers)", view.place())))
            .fix(without_binding(
                view,
                "if the proxy is yours: turn channel binding off for connections through it",
                "disable",
            )),
    }
}

/// Gives channel binding up. Where the sslmode verifies less, channel binding is what tells the server from others: it is
/// given up for verify-full alone.
fn without_binding(view: &View<'_>, text: &str, value: &str) -> Fix {
    let fix = match view.level() {
        Verdict::Verified => Fix::text(format!("{text}; TLS is verified all the same")),
        _ => Fix::text(format!("{text}, and verify the server by its certificate"))
            .set("sslmode", "verify-full"),
    };
    fix.set("channel_binding", value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_pg_hba_errors_tell_is_read_in_every_version_and_language() {
        let told = |client: &str, user: &str, database: &str, encryption: &str| HbaError {
            client: Some(client.to_owned()),
            user: Some(user.to_owned()),
            database: Some(database.to_owned()),
            encryption: Some(encryption.to_owned()),
        };
        for (message, expected) in [
            (
                r#"no pg_hba.conf entry for host "203.0.113.9", user "app", database "orders", SSL encryption"#,
                told("203.0.113.9", "app", "orders", "SSL encryption"),
            ),
            (
                r#"no pg_hba.conf entry for host "2001:db8::9", user "app", database "orders", SSL off"#,
                told("2001:db8::9", "app", "orders", "SSL off"),
            ),
            (
                "kein pg_hba.conf-Eintrag für Host »203.0.113.9«, Benutzer »app«, Datenbank »orders«, keine Verschlüsselung",
                told("203.0.113.9", "app", "orders", "keine Verschlüsselung"),
            ),
        ] {
            assert_eq!(HbaError::read(message), expected);
        }
        assert_eq!(
            HbaError::read("pg_hba.conf rejects"),
            HbaError { encryption: Some("pg_hba.conf rejects".to_owned()), ..Default::default() }
        );
    }

    #[test]
    fn names_are_quoted_as_sql_and_pg_hba_take_them() {
        for (name, sql, hba) in
            [("app", "app", "app"), ("My App", "\"My App\"", "\"My App\""), ("all", "all", "\"all\"")]
        {
            assert_eq!((quoted_role(name).as_str(), quoted_name(name).as_str()), (sql, hba));
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_message_is_read(message in ".{0,300}") {
            let told = HbaError::read(&message);
            for part in [told.client, told.user, told.database, told.encryption].into_iter().flatten() {
                prop_assert!(part.chars().all(text::is_printable));
            }
        }
    }
}
