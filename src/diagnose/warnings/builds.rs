//! Where another release of libpq, or another build or configuration of its OpenSSL, ends otherwise on what was met.

use std::path::{Path, PathBuf};

use crate::certificate::{Facts, SecurityLevel};
use crate::conninfo::Notice;
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, path_text};
use crate::stage::Stage;
use crate::text;

/// `libpq-builds-differ`.
pub const LIBPQ_BUILDS_DIFFER: Code = Code {
    name: "libpq-builds-differ",
    severity: Severity::Warning,
    stage: Stage::Trust,
    title: "another libpq or OpenSSL gives another result",
    short: None,
    concerns: &[],
    retryable: false,
};

/// The verdict is that of libpq 18 on OpenSSL 3 with the configuration of this machine; this names the others.
pub(super) fn libpq_builds_differ(view: &View<'_>) -> Vec<Finding> {
    let found = [
        spaces_in_uri(view),
        byte_order_mark(view),
        lowered_level(view),
        limited_versions(view),
        fips_mode(view),
    ];
    found.into_iter().flatten().chain(marks_of_server_files(view)).collect()
}

/// The same of a server's files, which another OpenSSL may read than this one.
fn marks_of_server_files(view: &View<'_>) -> Vec<Finding> {
    let marked = view.rehearsal().map(|rehearsal| rehearsal.files.behind_mark.as_slice()).unwrap_or_default();
    let finding = |path: &PathBuf| {
        let file = path_text(path);
        Finding::titled(format!(
            "{file} begins with a byte-order mark: PostgreSQL on OpenSSL 1.1 does not read its first block"
        ))
        .fact("file", file)
        .fix(without_mark(path))
    };
    marked.iter().map(finding).collect()
}

fn without_mark(file: &Path) -> Fix {
    Fix::text("remove the mark, which is the first 3 bytes").run_words([
        "sed",
        "-i",
        r"1s/^\xEF\xBB\xBF//",
        &file.to_string_lossy(),
    ])
}

/// fe-connect.c, `conninfo_uri_decode`: 18 drops spaces at both ends of a part, 15 keeps them.
fn spaces_in_uri(view: &View<'_>) -> Option<Finding> {
    let keywords = view.settings()?.notices.iter().find_map(|notice| match notice {
        Notice::ReadOtherwise { keywords } => Some(keywords),
        _ => None,
    })?;
    let options = keywords.join(", ");
    let file = keywords
        .contains(&"sslrootcert")
        .then_some("libpq 15 looks for a root file with the spaces in its name");
    Some(
        Finding::titled(format!(
            "libpq 15 keeps the spaces around {options} in the URI, libpq 18 drops them"
        ))
        .fact("options", options)
        .fact_if("then", file)
        .fix(Fix::text("remove the spaces from the URI; where one belongs to the value, write %20")),
    )
}

/// OpenSSL 3 skips the mark (`get_name` in pem_lib.c); 1.1 loses the block behind it.
fn byte_order_mark(view: &View<'_>) -> Option<Finding> {
    let store = view.store().filter(|store| store.behind_mark)?;
    let first = store.certificates.first()?;
    let others = || store.certificates.iter().skip(1);
    let alone = others().next().is_none();
    let twice = others().any(|other| other.certificate == first.certificate);
    let anchor = view.judgement().and_then(|judgement| judgement.path.last()).and_then(|last| last.in_file);
    let (then, needed) = match alone {
        true => ("rejects the file", true),
        false => ("ignores its first certificate, which this chain needs", anchor == Some(0) && !twice),
    };
    let file = path_text(&first.file);
    needed.then(|| {
        Finding::titled(format!("{file} begins with a byte-order mark: libpq on OpenSSL 1.1 {then}"))
            .fact("file", file)
            .fix(without_mark(&first.file))
    })
}

/// A level below OpenSSL's own that makes libpq accept what it refuses elsewhere.
fn lowered_level(view: &View<'_>) -> Option<Finding> {
    let config = view.settings()?.openssl.as_ref()?;
    let level = config.level.filter(|level| *level < SecurityLevel::default())?;
    let judgement = view.judgement().filter(|judgement| judgement.verifies && judgement.chain_is_good())?;
    let facts: Vec<&Facts> = judgement.path.iter().filter_map(|link| link.certificate.facts().ok()).collect();
    let weak = facts.iter().find_map(|facts| {
        let usual = SecurityLevel::default();
        let algorithm = facts.signature.algorithm;
        if facts.key.is_weak_at(usual) {
            return Some(format!("key {}", facts.key));
        }
        (algorithm.is_weak_at(usual) && !facts.is_self_signed())
            .then(|| format!("signature {}", facts.signature))
    })?;
    let file = path_text(&config.file);
    let fix = format!(
        "reissue what is weak, then remove SECLEVEL={} from {file}: elsewhere libpq uses level 2",
        level.number()
    );
    Some(
        Finding::titled(format!(
            "the OpenSSL configuration {file} sets security level {}: at level 2, the default, libpq rejects this chain",
            level.number()
        ))
        .fact("weak", text::printable(&weak))
        .fact("configuration", file)
        .fix(Fix::text(fix)),
    )
}

fn limited_versions(view: &View<'_>) -> Option<Finding> {
    let settings = view.settings()?;
    let offered = &view.tls()?.offer.versions;
    let limit = settings.configured_limit()?;
    let config = settings.openssl.as_ref()?;
    let file = path_text(&config.file);
    let names: Vec<&str> = offered.iter().map(|version| version.name()).collect();
    let names = if names.is_empty() { "no TLS version".to_owned() } else { names.join(" and ") };
    Some(
        Finding::titled(format!(
            "the OpenSSL configuration {file} limits TLS ({limit}): libpq offers {names} here"
        ))
        .fix(Fix::text(format!(
            "to offer the versions that libpq offers elsewhere: remove {limit} from {file}"
        )))
        .fact("configuration", file),
    )
}

/// Whether the module with the approved algorithms is installed cannot be seen here.
fn fips_mode(view: &View<'_>) -> Option<Finding> {
    let config = view.settings()?.openssl.as_ref().filter(|config| config.fips)?;
    view.tls()?;
    let file = path_text(&config.file);
    Some(
        Finding::titled(format!(
            "the OpenSSL configuration {file} turns FIPS mode on: libpq offers approved algorithms only, and fails where \
             OpenSSL's FIPS module is missing"
        ))
        .fact("configuration", file)
        .fact("libpq_says", "could not create SSL context: library has no ciphers")
        .fix(Fix::text("see whether the FIPS module is active").run("openssl list -providers")),
    )
}
