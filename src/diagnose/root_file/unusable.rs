//! Files that libpq refuses on reading (initialize_SSL in fe-secure-openssl.c): not there, not readable, not PEM.

use std::path::Path;

use super::conversion::conversions;
use super::sources::saved_as;
use super::{Context, root_sources};
use crate::conninfo::is_content;
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::fix::there;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{file_name, path_text};
use crate::file::obstacle::{Obstacle, unquoted};
use crate::file::unexpanded::{Replacer, Unexpanded};
use crate::provider::{RETIREMENTS, Retirement, SystemRoots};
use crate::stage::Stage;
use crate::text;
use crate::trust::{FileContent, Roots, is_bundle};

/// `root-file-missing`.
pub const ROOT_FILE_MISSING: Code = Code {
    name: "root-file-missing",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root file does not exist",
    short: Some("no such file"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `root-file-unreadable`.
pub const ROOT_FILE_UNREADABLE: Code = Code {
    name: "root-file-unreadable",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root file cannot be read",
    short: Some("the root file cannot be read"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `root-file-invalid`.
pub const ROOT_FILE_INVALID: Code = Code {
    name: "root-file-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root file is not a PEM file that libpq can read",
    short: Some("not a valid PEM file"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `root-file-missing`.
pub(in crate::diagnose) fn missing(roots: &Roots, context: &Context<'_>) -> Option<Finding> {
    let Roots::Missing { path, typed, obstacle, similar } = roots else { return None };
    let Some(path) = path else { return Some(no_home(context)) };
    if let Some(finding) = content_for_path("sslrootcert", path, "root.crt", context.variable) {
        return Some(finding.fact_if("from", context.from.clone()));
    }
    let shown = path_text(path);
    if let Some(found) = unexpanded(typed.as_deref().unwrap_or(path), similar.as_deref(), context) {
        return Some(found);
    }
    let of_windows = path.to_str().filter(|path| !cfg!(windows) && is_windows_path(path));
    let meant = meant(of_windows, similar.as_deref(), path)
        .map(|fix| by_default_file(similar.as_deref(), context).unwrap_or(fix));
    let meant = if unquoted(path).is_some() { without_quotes(meant, context) } else { meant };
    if let Some(typed) = typed {
        return Some(without_backslashes(&shown, typed, meant, context));
    }
    let program = context.server.program;
    let cause = why_missing(path, obstacle.as_ref(), of_windows.is_some(), context);
    // Nothing has to change in the string if the file comes to where it is looked for.
    let is_private = context.server.provider.is_none() && path.is_absolute();
    let is_link = matches!(obstacle, Some(Obstacle::LinkLoop(_) | Obstacle::DanglingLink { .. }));
    let home = context.is_default.then(|| absent_home(path, obstacle.as_ref())).flatten();
    let saves = is_private && home.is_none() && (context.is_default || is_link) && meant.is_none();
    let in_place = (meant.is_none() && !saves).then(|| match context.is_default.then(|| absent_home(path, obstacle.as_ref())) {
        None => absolute(context),
        Some(home) => Fix::text(match home {
            Some(home) => format!(
                "HOME is {home}, which does not exist: if you have the root file, set HOME to the home directory that has it in \
                 .postgresql, or sslrootcert to its absolute path"
            ),
            None => "if you have the root file: set sslrootcert to its absolute path".to_owned(),
        }),
    });
    let retired = context.server.provider.and_then(|_| called_as_retired(path));
    // The file that is named has to be another one.
    let in_place = in_place.filter(|_| retired.is_none());
    let cause = match retired {
        Some(retired) => {
            format!("{cause}; by its name the file is for {}, which {}", retired.root, retired.what)
        }
        None => cause,
    };
    let mut sources = root_sources(&context.server);
    let is_bundle = is_bundle(path) && meant.is_none();
    let installed = is_bundle.then(|| without_package(&mut sources, &context.server));
    let in_volume = in_volume(path, obstacle.as_ref());
    let saves = saves && in_volume.is_none();
    let is_link = is_link && in_volume.is_none();
    let saved = saves.then(|| {
        sources.retain(|fix| !fix.settings.is_empty());
        let fix = saved_as(&shown, program);
        match is_link && !cfg!(windows) {
            true => Fix { text: format!("remove the link, then {}", fix.text), ..fix }
                .run_words(["rm", &path.to_string_lossy()]),
            false => fix,
        }
    });
    let unlinked = (is_link && !saves && !cfg!(windows)).then(|| without_link(path));
    let mut fixes: Vec<Fix> =
        meant.into_iter().chain(installed.flatten()).chain(in_volume).chain(unlinked).chain(saved).collect();
    // Of a provider whose roots ship with the program the right file is known.
    if context.server.provider.is_some() && !sources.is_empty() {
        fixes.push(sources.remove(0));
    }
    Some(
        Finding::titled(missing_title(obstacle.as_ref(), context, &shown))
            .because(cause)
            .fact("path", shown)
            .fact_if("from", context.from.clone())
            .fixes(fixes)
            .fixes(in_place)
            .fixes(sources),
    )
}

/// The retired root that a file is called after.
fn called_as_retired(path: &Path) -> Option<&'static Retirement> {
    let letters = |text: &str| {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let file = letters(&path.file_stem()?.to_string_lossy());
    RETIREMENTS.iter().find(|retired| file.starts_with(&letters(retired.root)))
}

/// The file itself in the place of a link that leads nowhere.
fn without_link(path: &Path) -> Fix {
    Fix::text("remove the link, and save the file with the server's roots in its place")
        .run_words(["rm", &path.to_string_lossy()])
}

/// The system's bundle comes with a package, and this system has no public roots without that; in `sources` are none of them
/// then. What has private roots is verified by no such bundle.
fn without_package(sources: &mut Vec<Fix>, server: &super::Server<'_>) -> Option<Fix> {
    sources.retain(|fix| !fix.settings.iter().any(|(_, value)| value == "system"));
    let is_private = server.provider.is_some_and(|provider| provider.system_roots == SystemRoots::NotEnough);
    (!is_private).then(|| {
        Fix::text(
            "the path is that of the system's public roots: install the package ca-certificates, which small images lack (of an \
             image: in its Dockerfile)",
        )
        .run("apt-get update && apt-get install -y ca-certificates\n# Red Hat: dnf install ca-certificates; Alpine: apk add ca-certificates")
    })
}

/// To name the file by its whole path, where it is named.
fn absolute(context: &Context<'_>) -> Fix {
    let variable = context.from.as_deref().and_then(|from| from.split_once("environment variable "));
    Fix::text(match variable {
        Some((_, variable)) => format!(
            "set the environment variable {variable} to the absolute path of the file with the server's roots, or unset it and set \
             sslrootcert in the string"
        ),
        None => "set sslrootcert to the absolute path of the file with the server's roots".to_owned(),
    })
}

/// Kubernetes' own link in a mounted secret or configuration map, which is mended there.
fn in_volume(path: &Path, obstacle: Option<&Obstacle>) -> Option<Fix> {
    let Some(Obstacle::DanglingLink { target, .. }) = obstacle else { return None };
    (target.starts_with("..data") && !cfg!(windows)).then(|| {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Fix::text(format!(
            "it is a file of a Kubernetes volume: the secret or ConfigMap has no key {file} (see items in the volume, or set sslrootcert to \
             the name that it has); add the key, and restart the pod"
        ))
        .run(format!(
            "ls {}\nkubectl patch secret SECRET -p \"{{\\\"data\\\":{{\\\"{file}\\\":\\\"$(base64 -w0 root.crt)\\\"}}}}\"",
            text::shell_quoted(&format!("{}/..data/", path.parent().unwrap_or(path).display()))
        ))
    })
}

fn missing_title(obstacle: Option<&Obstacle>, context: &Context<'_>, shown: &str) -> String {
    match obstacle {
        Some(in_the_way @ (Obstacle::LinkLoop(_) | Obstacle::DanglingLink { .. })) => {
            format!("the root file cannot be found: {}", text::printable(&in_the_way.to_string()))
        }
        _ if context.is_default && context.by_tool => {
            format!(
                "there is no root file {shown}, which this check's verify-full needs (libpq's default, prefer, does not)"
            )
        }
        _ if context.is_default => format!("there is no root file {shown}"),
        _ => format!("there is no file {shown}"),
    }
}

/// Where somebody gave what a file holds in the place of its path, as container platforms tempt to: libpq takes it for a
/// path and finds no such file.
pub(in crate::diagnose) fn content_for_path(
    keyword: &str,
    path: &Path,
    file: &str,
    variable: Option<&str>,
) -> Option<Finding> {
    let fix = match variable.filter(|_| !cfg!(windows)) {
        Some(name) => Fix::text(format!("write the text into a file, and set {name} to that file"))
            .run(format!("(umask 077; printf '%s\\n' \"${name}\" > ~/{file}) && export {name}=~/{file}")),
        None => Fix::text(format!(
            "write the text into a file, {file}, of mode 0600, and set {keyword} to the path of that file"
        )),
    };
    is_content(path).then(|| {
        Finding::titled(format!("{keyword} is the content of a PEM file, not its path"))
            .because(format!("libpq takes {keyword} for a path, and no file has that name"))
            .fix(fix)
    })
}

/// The home directory of the default file, where it is not there.
fn absent_home(path: &Path, obstacle: Option<&Obstacle>) -> Option<String> {
    let home = path.parent()?.parent()?;
    match obstacle? {
        Obstacle::Absent(part) if home.starts_with(part) && !cfg!(windows) => Some(path_text(home)),
        _ => None,
    }
}

/// Where the default file was looked for, in the words of the platform.
fn home_of(path: &Path) -> String {
    match path.parent().and_then(Path::parent) {
        Some(home) if cfg!(windows) => {
            format!("the application data of this account, {} (APPDATA)", path_text(home))
        }
        Some(home) => format!("the home directory of this account, {} (HOME)", path_text(home)),
        None => "the home directory of this account".to_owned(),
    }
}

fn no_home(context: &Context<'_>) -> Finding {
    let finding = match context.server.program {
        "libpq" => Finding::titled("there is no root file, and no default one is looked for")
            .because("sslrootcert is not set, and libpq's default file is in the home directory: HOME does not name one, or the driver does not \
                      look there")
            .fact("looked_for", "~/.postgresql/root.crt"),
        program => Finding::titled("there is no root file")
            .because(format!("no root file is named, and {program} reads none by default here")),
    };
    finding.fixes(root_sources(&context.server))
}

/// A path that a shell was to complete.
fn unexpanded(path: &Path, similar: Option<&Path>, context: &Context<'_>) -> Option<Finding> {
    let written = Unexpanded::of(path.to_str()?).filter(|written| written.written != "~")?;
    let (program, begin, shown) = (context.server.program, written.written, path_text(path));
    let is_of_windows = written.by != Replacer::Posix;
    let who = match written.by {
        Replacer::Posix => "a POSIX shell replaces it (not in single quotes), a file or service does not",
        Replacer::PowerShell => "PowerShell replaces it (not in single quotes), a file or service does not",
        Replacer::Cmd => "cmd replaces it, PowerShell, a file or a service do not",
    };
    let elsewhere = is_of_windows != cfg!(windows) && similar.is_none();
    let system = if is_of_windows { "of Windows" } else { "of a POSIX system" };
    let also = if elsewhere {
        format!("; besides, this is a path {system}, and this machine is none")
    } else {
        String::new()
    };
    // What libpq looks for by itself.
    let is_default = match written.variable {
        "APPDATA" => written.rest == "postgresql/root.crt",
        "HOME" | "USERPROFILE" => written.rest == ".postgresql/root.crt",
        _ => false,
    };
    let own = is_default.then(|| {
        Fix::text(format!(
            "leave sslrootcert out: this is the file that {program} looks for by itself, {} on Windows and {} elsewhere",
            "%APPDATA%\\postgresql\\root.crt", "~/.postgresql/root.crt"
        ))
    });
    let there = elsewhere.then(|| {
        Fix::text(match is_of_windows {
            true => "on the Windows machine that it is for: write the whole path, with / for each \\; on this one: the path of the file here",
            false => "on the machine that it is for: write the whole path; on this one: the path of the file here",
        })
    });
    Some(
    Finding::titled(format!("the path of the root file still has {begin}, which {program} does not replace: {shown}"))
        .because(format!("{program} takes {begin} as it is; {who}{also}"))
        .fact("path", shown)
        .fact_if("from", context.from.clone())
        .fixes(similar.map(|similar| {
            Fix::text(format!("here: use {}, which exists and is what is meant", path_text(similar)))
                .set("sslrootcert", similar.to_string_lossy())
        }))
        .fixes(there)
        .fix(Fix::text(format!(
            "here: write the whole path in place of {begin}, or the string in double quotes where a shell reads it"
        )))
        .fixes(own)
        .fixes(root_sources(&context.server)),
    )
}

/// Why there is no file at a path.
fn why_missing(path: &Path, obstacle: Option<&Obstacle>, of_windows: bool, context: &Context<'_>) -> String {
    let program = context.server.program;
    let unset = if program == "libpq" { "sslrootcert is not set" } else { "no root file is named" };
    match obstacle {
        _ if context.is_default => format!(
            "{unset}, and {program}'s default file does not exist in {}; another account, such as a service's, has \
             another home directory; without roots nothing can be verified",
            home_of(path)
        ),
        _ if unquoted(path).is_some() => match context.variable {
            Some(_) => "the quotation marks are part of the path: a shell removes them, docker run --env-file and others do not".to_owned(),
            None => format!("{program} takes these quotation marks for a part of the path"),
        },
        _ if path.starts_with("~") => format!("{program} does not replace ~ with the home directory"),
        Some(Obstacle::LinkLoop(_) | Obstacle::DanglingLink { .. }) => format!("{program} follows symbolic links"),
        Some(Obstacle::Absent(part)) if !part.ends_with(path.file_name().unwrap_or_default()) => {
            format!("{} does not exist", path_text(part))
        }
        _ if of_windows => NOT_WINDOWS.to_owned(),
        _ if path.is_relative() => "a relative path is read from the directory the program runs in".to_owned(),
        _ => "no such file on this machine; a container or service does not see the files of another host or account"
            .to_owned(),
    }
}

/// libpq's own root file is there, where a variable names another.
fn by_default_file(similar: Option<&Path>, context: &Context<'_>) -> Option<Fix> {
    let own = if cfg!(windows) { "postgresql/root.crt" } else { ".postgresql/root.crt" };
    let (variable, default) = (context.variable?, similar.filter(|path| path.ends_with(own))?);
    let text =
        format!("unset {variable}: libpq then uses its default file {}, which exists", path_text(default));
    Some(Fix::text(text).by_unsetting(&[variable]).set("sslrootcert", default.to_string_lossy()))
}

const NOT_WINDOWS: &str = "this is a path of Windows, and this system is not Windows";

/// The file that is there, in the place of one that is not.
fn meant(of_windows: Option<&str>, similar: Option<&Path>, sought: &Path) -> Option<Fix> {
    let there = similar.map(|similar| {
        let fix = there("sslrootcert", similar, Some(sought));
        Fix { same_file: of_windows.is_some(), ..fix }
    });
    there.or_else(|| mounted(of_windows?))
}

/// What takes the quotation marks off, where variables are set to them.
fn without_quotes(meant: Option<Fix>, context: &Context<'_>) -> Option<Fix> {
    if context.quoted.is_empty() {
        return meant;
    }
    let text = format!("write without quotation marks, where they are set: {}", context.quoted.join(", "));
    Some(match meant {
        Some(fix) => Fix { text: format!("{text}; {}", fix.text), ..fix },
        None => Fix::text(text),
    })
}

/// A path in which libpq removed backslashes.
fn without_backslashes(shown: &str, typed: &Path, meant: Option<Fix>, context: &Context<'_>) -> Finding {
    let given = path_text(typed);
    let typed = typed.to_string_lossy().into_owned();
    let title = format!("there is no file {shown}: the backslashes of {given} are lost");
    let finding = Finding::titled(title)
        .fact("given", given.clone())
        .fact("read", shown.to_owned())
        .fact_if("from", context.from.clone());
    if !cfg!(windows) && is_windows_path(&typed) {
        return finding
            .because(format!(
                "{NOT_WINDOWS}; besides, in a connection string a backslash escapes the next character and is removed"
            ))
            .fixes(meant.or_else(|| mounted(&typed)))
            .fixes(root_sources(&context.server))
            .fix(Fix::text("copy the file to this machine and set sslrootcert to its path here"));
    }
    if given != text::printable(&typed) {
        return finding
            .because("this is no path: there is a password in it")
            .fixes(root_sources(&context.server));
    }
    finding
        .because("in a connection string a backslash escapes the next character and is removed")
        .fix(Fix::default().set("sslrootcert", typed.replace('\\', "/")))
        .fix(Fix::default().set("sslrootcert", typed))
        .fixes(
            root_sources(&context.server).into_iter().filter(|_| context.server.provider.is_some()).take(1),
        )
}

/// The same file as WSL shows it, if it does.
fn mounted(typed: &str) -> Option<Fix> {
    let (drive, rest) = typed.split_once(':')?;
    let path = format!("/mnt/{}{}", drive.to_ascii_lowercase(), rest.replace('\\', "/"));
    Path::new(&path).is_file().then(|| {
        let fix =
            Fix::text("use the path under which this system (WSL) has the drive").set("sslrootcert", path);
        Fix { same_file: true, ..fix }
    })
}

/// Whether a path begins with a drive (`c:\…`) or a server (`\\…`).
fn is_windows_path(path: &str) -> bool {
    let mut characters = path.chars();
    let drive = characters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && characters.next() == Some(':');
    drive || path.starts_with(r"\\")
}

/// `root-file-unreadable`.
pub(in crate::diagnose) fn unreadable(roots: &Roots, context: &Context<'_>) -> Option<Finding> {
    let (path, error, cause, fix) = match roots {
        Roots::Unreadable { path, error } => {
            let shown = path.to_string_lossy();
            let system = text::printable(&error.text);
            let (cause, fix) = match error.obstacle.as_deref() {
                Some(found @ Obstacle::NotSearchable(permissions)) => (
                    text::printable(&found.to_string()),
                    Fix::text("let this account search the directory, or copy the file to one that it can; a root is no secret")
                        .run_as_owner(permissions, ["chmod", "o+x", &permissions.path.to_string_lossy()]),
                ),
                Some(found @ Obstacle::NotReadable(permissions)) => (
                    text::printable(&found.to_string()),
                    Fix::text("let this account read the file; a root is no secret").run_as_owner(permissions, ["chmod", "a+r", &shown]),
                ),
                _ if error.kind == std::io::ErrorKind::PermissionDenied => (
                    "the account that runs this may not read the file, or not search a directory above it".to_owned(),
                    Fix::text("let this account read the file and search its directories; a root is no secret")
                        .run_words(["chmod", "a+r", &shown]),
                ),
                _ if error.kind == std::io::ErrorKind::TimedOut => (
                    "it is a pipe into which nobody writes, or on a file system whose server does not answer".to_owned(),
                    Fix::text("set sslrootcert to a copy of the root file on a local disk"),
                ),
                _ => (
                    "the file exists but cannot be read".to_owned(),
                    Fix::text("look at the file and its disk").run_words(["ls", "-l", &shown]),
                ),
            };
            (path, system, cause, fix)
        }
        Roots::Invalid { path, content: FileContent::Directory } => {
            let bundle = path.join("ca-certificates.crt");
            let fix = match bundle.is_file() {
                true => Fix::text("use the public roots in it, as one file (any libpq)")
                    .set("sslrootcert", bundle.to_string_lossy()),
                false => Fix::text("set sslrootcert to the file in it that holds the server's root"),
            };
            let cause = "sslrootcert takes one file of PEM certificates; libpq reads no directory of them, not even \
                         a hashed one";
            (path, "it is a directory".to_owned(), cause.to_owned(), fix)
        }
        _ => return None,
    };
    Some(
        Finding::titled(format!("the root file {} cannot be read", path_text(path)))
            .because(cause)
            .fact("path", path_text(path))
            .fact("error", error)
            .fact_if("from", context.from.clone())
            .fix(fix),
    )
}

/// `root-file-invalid`.
pub(in crate::diagnose) fn invalid(roots: &Roots, context: &Context<'_>) -> Option<Finding> {
    let Roots::Invalid { path, content } = roots else { return None };
    if *content == FileContent::Directory {
        return None;
    }
    let what = text::printable(&content.to_string());
    Some(
        Finding::titled(format!("{} is not a valid PEM file: {what}", file_name(path)))
            .because(format!(
                "{} reads PEM blocks (-----BEGIN CERTIFICATE----- at the beginning of a line); it rejects the \
                 whole file if it contains none, or one damaged block",
                context.server.program
            ))
            .fact("path", path_text(path))
            .fact_if("from", context.from.clone())
            .fixes(conversions(path, content))
            .fixes(root_sources(&context.server).into_iter().take(1)),
    )
}
