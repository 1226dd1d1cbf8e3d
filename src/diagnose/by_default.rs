//! Files that libpq finds in its default place although nobody named them: a root file that makes `require` verify, a
//! client certificate, a CRL. Where such a file is the cause, that is half of it.

use std::path::Path;

use super::view::{View, path_text, shown_value};
use super::{Code, Diagnosis, Fact, Fix};
use crate::conninfo::{Origin, SslMode, options};
use crate::diagnose::Concern;
use crate::stage::Stage;
use crate::trust::{Revocation, RootSource};

/// A path at which no file is: libpq of every release then does without the file, where `sslcertmode=disable` needs
/// libpq 16.
pub const NO_FILE: &str = if cfg!(windows) { "C:/nonexistent" } else { "/nonexistent" };

/// Whether nobody named the file of a keyword.
pub(super) fn is_unnamed(view: &View<'_>, keyword: &str) -> bool {
    view.settings().is_some_and(|settings| settings.path(keyword).is_none())
}

/// libpq goes without a client certificate.
pub(super) fn no_client_certificate() -> Fix {
    Fix::text("if no client certificate is wanted: point sslcert to no file").set("sslcert", NO_FILE)
}

/// The file is moved away.
pub(super) fn move_away(path: &Path) -> Fix {
    let from = path.to_string_lossy();
    let to = format!("{from}.unused");
    let command = if cfg!(windows) { "move" } else { "mv" };
    Fix::text("if the file is a leftover: move it away").run_words([command, &from, &to])
}

/// Takes settings away where they were made: the text, and for variables the command that does it. An empty value in the
/// string does the same, whatever set them.
pub(super) fn without(made: &[(&'static str, &Origin)]) -> Fix {
    let all = || made.iter().map(|(keyword, _)| (*keyword, String::new()));
    let keywords = |from: &Origin| {
        let its: Vec<&str> =
            made.iter().filter(|(_, origin)| *origin == from).map(|(keyword, _)| *keyword).collect();
        its.join(" and ")
    };
    let variables: Vec<&str> = made
        .iter()
        .filter_map(|(_, origin)| match origin {
            Origin::Environment(variable) => Some(*variable),
            _ => None,
        })
        .collect();
    if variables.len() == made.len() {
        return Fix::text(format!("unset {}", variables.join(" and "))).by_unsetting(&variables).all(all());
    }
    let mut places: Vec<String> = Vec::new();
    for (_, origin) in made {
        let place = match origin {
            Origin::Environment(variable) => format!("unset {variable}"),
            Origin::Service { name, file } => {
                let them = if keywords(origin).contains(" and ") { "them" } else { "it" };
                format!(
                    "{}: remove {} from [{name}], or override {them} in the string",
                    path_text(file),
                    keywords(origin)
                )
            }
            _ => format!("remove {} from {}", keywords(origin), origin.phrase()),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Fix::text(places.join("; ")).all(all())
}

/// The settings in which a diagnosis lies, as far as they name files.
fn keywords(code: &Code) -> &'static [&'static str] {
    if code.concerns(Concern::Roots) {
        &["sslrootcert"]
    } else if code.concerns(Concern::Revocation) {
        &["sslcrl", "sslcrldir"]
    } else if code.concerns(Concern::ClientCertificate) || code.concerns(Concern::ClientFiles) {
        &["sslcert", "sslkey"]
    } else {
        &[]
    }
}

/// Whether nobody typed it into the string or beside it.
fn is_stray(origin: &&Origin) -> bool {
    matches!(origin, Origin::Environment(_) | Origin::Service { .. })
}

/// Where an address or a port that nobody typed comes from, where nothing answers there.
fn with_origin_of_place(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let keywords: &[&'static str] = match found.code.stage {
        Stage::Dns => &["host"],
        Stage::Tcp | Stage::Negotiate => &["host", "hostaddr", "port"],
        _ => return found,
    };
    let stray: Vec<(&'static str, &Origin)> = keywords
        .iter()
        .filter_map(|keyword| Some((*keyword, view.origin(keyword).filter(is_stray)?)))
        .collect();
    let Some((keyword, origin)) = stray.last() else { return found };
    let shown = |(keyword, origin): &(&'static str, &Origin)| {
        let value = view.settings()?.parameter(keyword).map(|known| shown_value(&known.value))?;
        Some(format!("{keyword}={value} comes from {}", view.phrase(origin)))
    };
    let places: Vec<String> = stray.iter().filter_map(shown).collect();
    found.cause.push_str(&format!("; {}, not from the connection string", places.join(", ")));
    if let (&"port", Origin::Environment(variable)) = (keyword, origin) {
        let unset =
            Fix::text(format!("if that port is not meant: unset {variable}; without it the port is 5432"));
        // It leads to that port, whatever else does.
        found.fixes.retain(|fix| fix.settings != [("port", "5432".to_owned())]);
        found.fixes.insert(0, unset.by_unsetting(&[variable]).set("port", "5432"));
    }
    found
}

/// Taking away the service that a variable names, where a setting of it is part of the cause: its settings are then as if
/// nobody had said anything.
fn without_service(found: &Diagnosis, view: &View<'_>) -> Option<Fix> {
    let settings = view.settings()?;
    let of_service =
        |parameter: &&crate::conninfo::Parameter| view.service_variable(&parameter.origin).is_some();
    let first = settings.parameters.iter().find(of_service)?;
    let variable = view.service_variable(&first.origin)?;
    let origin = view.phrase(&first.origin);
    let is_told = found.cause.contains(&origin)
        || found.evidence.iter().any(|(_, fact)| matches!(fact, Fact::Text(text) if text.contains(&origin)))
        || found.code.stage == Stage::Config;
    if !is_told {
        return None;
    }
    let without = |parameter: &crate::conninfo::Parameter| {
        let value = match parameter.keyword {
            // Nothing that is offered verifies less.
            "sslmode" => "verify-full",
            keyword => {
                options::find(keyword.as_bytes()).and_then(|option| option.default).unwrap_or_default()
            }
        };
        (parameter.keyword, value.to_owned())
    };
    let all: Vec<_> = settings.parameters.iter().filter(of_service).map(without).collect();
    let names: Vec<&str> = all.iter().map(|(keyword, _)| *keyword).collect();
    let text =
        format!("if that service is not meant: unset {variable}, which brings its {}", names.join(", "));
    Some(Fix::text(text).by_unsetting(&[variable]).all(all))
}

/// Where what is at fault comes from, if nobody typed it: found by default, from a variable, from a service file. That is
/// half of the cause, and taking the setting away a remedy.
pub(super) fn with_origin(found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let mut found = with_origin_of_files(with_origin_of_place(found, view), view);
    found.fixes.extend(without_service(&found, view));
    found
}

fn with_origin_of_files(found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let mut found = with_root_file(found, view);
    let stray: Vec<(&'static str, &Origin)> = keywords(found.code)
        .iter()
        .filter_map(|keyword| Some((*keyword, view.origin(keyword).filter(is_stray)?)))
        .collect();
    let Some((first, origin)) = stray.first() else { return found };
    let path = view.settings().and_then(|settings| settings.path(first)).map(|path| path_text(&path));
    if let Some(path) = path.filter(|_| found.evidence.iter().all(|(known, _)| *known != "from")) {
        let label = if *first == "sslrootcert" { "root_file" } else { "set_by" };
        found.evidence.push((label, format!("{first}={path} comes from {}", view.phrase(origin)).into()));
        found.cause.push_str(&format!(
            "; {first} comes from {}, not from the connection string",
            view.phrase(origin)
        ));
    }
    // Which other root file would do, a trial finds.
    if !found.code.concerns(Concern::Roots) {
        found.fixes.retain(|fix| !fix.settings.iter().any(|(_, value)| value == NO_FILE));
        let wanted = match found.code.concerns(Concern::Revocation) {
            true => ("if revocation is not to be checked: ", "; revoked certificates then pass"),
            false => ("if no client certificate is wanted: ", ""),
        };
        let fix = without(&stray);
        let is_leftover = found.code.concerns(Concern::Revocation) && is_of_others(view);
        if is_leftover {
            found.cause.push_str(
                ", and its CRLs are all of CAs that have no part in this chain: probably a leftover",
            );
        }
        let at = if is_leftover { 0 } else { found.fixes.len() };
        found.fixes.insert(at, Fix { text: format!("{}{}{}", wanted.0, fix.text, wanted.1), ..fix });
    }
    found
}

/// Whether there are CRLs at hand, all of CAs that have no part in the path.
fn is_of_others(view: &View<'_>) -> bool {
    let path = view.judgement().map(|judgement| judgement.path.as_slice()).unwrap_or_default();
    match view.trust().map(|trust| &trust.revocation) {
        Some(Revocation::On { lists, .. }) if !lists.is_empty() => lists.iter().all(|list| {
            let issuer = &list.crl.facts().issuer.canonical;
            path.iter()
                .all(|link| link.certificate.facts().is_ok_and(|facts| facts.subject.canonical != *issuer))
        }),
        _ => false,
    }
}

/// A root file that nobody named, in a diagnosis of the roots.
fn with_root_file(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let Some(RootSource::DefaultFile(path)) = view.store().map(|store| &store.source) else { return found };
    if !found.code.concerns(Concern::Roots) {
        return found;
    }
    let shown = path_text(path);
    found.evidence.push(("root_file", format!("{shown}, found by default (sslrootcert is not set)").into()));
    if view.mode < SslMode::VerifyCa {
        found.cause.push_str(&format!(
            "; sslmode={} verifies nothing by itself, but because {shown} exists, libpq verifies the chain as under verify-ca",
            view.mode.name()
        ));
    }
    found.fixes.push(match view.mode < SslMode::VerifyCa {
        true => move_away(path),
        // Without it there would be no roots at all.
        false => Fix::text(format!(
            "if {shown} is for other servers, leave it: set sslrootcert to a file with this server's root"
        )),
    });
    found
}
