//! What is wrong with a certificate of the path, the path's end and the name aside.

use super::reissue::{self, Key};
use super::{clock_fix, clock_is_wrong, demanded, expired_root_of_file, member, named, of_file, otherwise};
use crate::certificate::{Facts, SecurityLevel};
use crate::conninfo::{Settings, is_possible_name};
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, path_text};
use crate::stage::Stage;
use crate::text;
use crate::timestamp::Timestamp;
use crate::trust::Weakness;
use crate::verify::{Defect, NameFault, NotACa, Presented};

/// More digits of a serial number than any sound one has (RFC 5280, section 4.1.2.2: 20 octets).
const LONGEST_SERIAL: usize = 64;

/// `certificate-expired`.
pub const CERTIFICATE_EXPIRED: Code = Code {
    name: "certificate-expired",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a certificate of the chain has expired",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `certificate-not-yet-valid`.
pub const CERTIFICATE_NOT_YET_VALID: Code = Code {
    name: "certificate-not-yet-valid",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a certificate of the chain is not yet valid",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `certificate-revoked`.
pub const CERTIFICATE_REVOKED: Code = Code {
    name: "certificate-revoked",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a certificate of the chain was revoked",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `certificate-weak`.
pub const CERTIFICATE_WEAK: Code = Code {
    name: "certificate-weak",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a key or signature in the chain is too weak",
    short: Some("too weak"),
    concerns: &[],
    retryable: false,
};

/// `certificate-purpose`.
pub const CERTIFICATE_PURPOSE: Code = Code {
    name: "certificate-purpose",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a certificate is used for a purpose it does not allow",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `certificate-name-constraints`.
pub const CERTIFICATE_NAME_CONSTRAINTS: Code = Code {
    name: "certificate-name-constraints",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a CA's name constraints exclude a name",
    short: Some("a name that its CA may not certify"),
    concerns: &[],
    retryable: false,
};

/// `certificate-invalid`.
pub const CERTIFICATE_INVALID: Code = Code {
    name: "certificate-invalid",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "a certificate is malformed, or its signature or an extension is invalid",
    short: None,
    concerns: &[],
    retryable: false,
};

/// The defects of a kind that libpq minds, the first of them with its certificate and the words for its part.
pub(super) fn first<'a>(
    view: &View<'a>,
    wanted: impl Fn(&Defect) -> bool,
) -> Option<(&'a Defect, &'a Facts, String)> {
    let judgement = view.judgement()?;
    let defect = demanded(view).find(|defect| wanted(defect))?;
    let at = defect.place()?;
    let (certificate, _) = member(judgement, at)?;
    Some((defect, certificate.facts().ok()?, named(judgement, at)))
}

pub(super) fn subject(view: &View<'_>, defect: &Defect) -> String {
    let certificate = defect.place().and_then(|at| member(view.judgement()?, at));
    certificate.map_or_else(String::new, |(certificate, _)| certificate.short_subject())
}

/// The certificate at a place of the path, issued again, or another in the place of the client's own.
fn reissued(view: &View<'_>, at: usize, text: &str, key: Key) -> Vec<Fix> {
    if let Some(own) = of_file::entry(view, at) {
        return of_file::mended(view, own);
    }
    let also = of_file::copy(view, at).map(|copy| {
        Fix::text(format!(
            "here too: {}: replace the same certificate there, or remove it; it is taken before any that the server sends",
            of_file::place(copy)
        ))
    });
    [reissued_there(view, at, text, key)].into_iter().chain(also).collect()
}

/// The certificate that the server sends, issued again.
fn reissued_there(view: &View<'_>, at: usize, text: &str, key: Key) -> Fix {
    // What only says what to do is told where.
    let text = match text.starts_with("reissue") {
        true if at == 0 => format!("on the server{}: {text}, then reload", before_the_day(view)),
        true if key == Key::Kept && is_root(view, at) => format!(
            "at the CA{}: {text}; key and name stay, so that the server's certificate stays valid",
            before_the_day(view)
        ),
        true => format!("at its CA{}: {text}, then put it into the server", before_the_day(view)),
        false => text.to_owned(),
    };
    let text = text.as_str();
    match (at, key) {
        (0, _) => reissue::server(view, text, key, None),
        (_, Key::Kept) => reissue::authority(view, at, text),
        // What a CA issued is worth nothing without its key.
        (_, Key::New) => reissue::by_new_authority(view, text),
    }
}

/// Where the root file has the root that is at fault.
fn root_of_file(view: &View<'_>, defect: &Defect) -> Option<String> {
    let at = defect.place().filter(|at| is_root(view, *at))?;
    let held = view.judgement()?.path.get(at)?.in_file?;
    Some(of_file::place(view.store()?.certificates.get(held)?))
}

/// Whether the path ends there with a root, which clients have and no server needs.
fn is_root(view: &View<'_>, at: usize) -> bool {
    let link = view.judgement().and_then(|judgement| judgement.path.get(at));
    link.is_some_and(|link| link.certificate.facts().is_ok_and(Facts::is_self_signed))
}

/// Of what `--as-of` shows of a day to come, by when it has to be done.
fn before_the_day(view: &View<'_>) -> String {
    let evidence = view.evidence;
    match evidence.judged_at > evidence.started {
        true => format!(", before {}", evidence.judged_at.date()),
        false => String::new(),
    }
}

/// `openssl x509` reads the first certificate of a file alone.
const END_OF_LEAF: &str = "openssl x509 -noout -enddate -in server.crt";
const ENDS_OF_ALL: &str = "openssl crl2pkcs7 -nocrl -certfile server.crt | openssl pkcs7 -print_certs -noout -text | grep -E \
                           'Subject:|Not After'";

/// What was replaced in its file and not loaded: `if_so` says how to tell, by what `look` prints.
fn reload_of_renewed(view: &View<'_>, if_so: &str, look: &str) -> Fix {
    if view.pooler_of_port() == Some("PgBouncer") {
        return Fix::server(format!(
            "on the server: port {} is usually PgBouncer's, whose certificate is a file of its own: look at the one that is named there; {if_so} \
             and not loaded: reload; if only PostgreSQL's was: copy that and its key there first",
            view.port()
        ))
        .run(format!(
            "grep -E 'client_tls_(cert|key)_file' /etc/pgbouncer/pgbouncer.ini\n{look}\nsudo systemctl reload pgbouncer"
        ));
    }
    Fix::server(format!(
        "on the server: the first command names the file that the server reads (each cluster has its own); {if_so} and \
         not loaded: reload"
    ))
    .run(format!(
        "psql -Atc 'SHOW data_directory' -c 'SHOW ssl_cert_file'\n{look}\n{}\n# if nothing changes, the reload failed: these lines \
         of its log say why (the key's mode or owner, a key that does not fit):\ngrep -B2 'SSL configuration was not reloaded' LOGFILE",
        reissue::RELOAD
    ))
}

/// Puts a new certificate into the server. Many an expired certificate was renewed in its file, and the server was never
/// told.
fn renew(view: &View<'_>, at: usize, part: &str) -> Vec<Fix> {
    if let Some(own) = of_file::entry(view, at) {
        return of_file::mended(view, own);
    }
    if view.provider().is_some() {
        return vec![reissue::server(view, "", Key::Kept, None)];
    }
    // A rehearsal knows the file, and that one has expired; of a day to come nothing was renewed yet.
    if view.rehearsal().is_some() || view.evidence.judged_at > view.evidence.started {
        return reissued(view, at, &format!("reissue {part}"), Key::Kept);
    }
    let text = "on the server: put the renewed chain into the files that it reads, and reload";
    if reissue::installed_by_acme(view, text).is_some() {
        return vec![reissue::server(view, text, Key::Kept, other_name(view).as_deref())];
    }
    let reload = reload_of_renewed(
        view,
        &format!("if {part} in it has expired too, renew it first; if not, it was renewed"),
        if at == 0 { END_OF_LEAF } else { ENDS_OF_ALL },
    );
    let past = "on the server, if it has expired there too";
    let renewed = match (at, other_name(view)) {
        // Renewed with the names it has it would be refused next.
        (0, Some(host)) => {
            let text = format!("{past}: reissue {part}, for {host} too, which it does not name, then reload");
            vec![reissue::server(view, &text, Key::Kept, Some(&host))]
        }
        (0, None) => reissued(view, at, &format!("{past}: reissue {part}, then reload"), Key::Kept),
        _ => {
            let text = format!(
                "{past}: put the CA's current certificate in the place of {part}, or reissue it, then reload"
            );
            reissued(view, at, &text, Key::Kept)
        }
    };
    [reload].into_iter().chain(renewed).collect()
}

/// The name of the server, where its certificate lacks that.
fn other_name(view: &View<'_>) -> Option<String> {
    let lacks = view.judgement()?.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. }));
    view.dns_name().filter(|host| lacks && host.contains('.'))
}

pub(super) fn expired(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let wanted = |defect: &Defect| matches!(defect, Defect::Expired { at } if expired_root_of_file(judgement, *at).is_none());
    let (defect, facts, part) = first(view, wanted)?;
    let own = of_file::entry(view, defect.place().unwrap_or(0));
    let days = view.evidence.judged_at.days_since(facts.not_after).max(0);
    let ended = facts.not_after.date();
    let last_moment = Timestamp::from_unix(facts.not_after.unix() - 1).unwrap_or(facts.not_after);
    let defects = &view.judgement()?.defects;
    let wrong = clock_is_wrong(view, defects);
    let cause = if wrong {
        format!(
            "this machine's clock reads {}, by which the whole chain has expired: probably the clock is wrong",
            view.evidence.started
        )
    } else {
        format!(
            "it expired {} ago, at {}{}{}{}",
            view.evidence.judged_at.distance(facts.not_after),
            facts.not_after.minute(),
            if facts.is_self_signed() && facts.not_after.days_since(facts.not_before) == 30 {
                "; openssl req -x509 makes it for 30 days where -days is not given"
            } else {
                ""
            },
            if own.is_some() {
                "; OpenSSL takes it before any certificate that the server sends"
            } else {
                ""
            },
            node(view, defect)
                .map(|node| format!(
                    "; by its name {node} answers: another server behind {} may have a valid one",
                    view.host_name()
                ))
                .unwrap_or_default()
        )
    };
    Some(
        Finding::titled(format!("{part} expired on {ended}"))
            .because(cause)
            .fact("certificate", subject(view, defect))
            .fact_if("in_file", own.map(of_file::place))
            .fact("valid", format!("{} to {ended}", facts.not_before.date()))
            .fact_if("sent", own.and_then(|own| of_file::sent_instead(view, own)))
            .fact_if("days_past", Some(days).filter(|days| *days > 0))
            .fact("judged_at", view.evidence.judged_at.to_string())
            .fact_if("otherwise", otherwise::at(view, last_moment))
            .fixes(wrong.then(|| clock_fix(view, defects)).flatten())
            .fixes(renew(view, defect.place().unwrap_or(0), &part)),
    )
}

/// The machine that a server certificate calls by a name of its own, beside the one that was asked for.
fn node(view: &View<'_>, defect: &Defect) -> Option<String> {
    let leaf =
        view.judgement()?.path.first().filter(|_| defect.place() == Some(0) && view.provider().is_none())?;
    let name = leaf.certificate.facts().ok()?.subject.common_name()?;
    let host = view.dns_name().filter(|host| host.contains('.'))?;
    let matches =
        !view.judgement()?.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. }));
    let is_other = matches
        && is_possible_name(&name)
        && name.contains('.')
        && !name.contains('*')
        && !name.eq_ignore_ascii_case(&host);
    is_other.then(|| text::printable(&name))
}

pub(super) fn not_yet_valid(view: &View<'_>) -> Option<Finding> {
    let (defect, facts, part) = first(view, |defect| matches!(defect, Defect::NotYetValid { .. }))?;
    let evidence = view.evidence;
    let clock = clock_fix(view, &view.judgement()?.defects);
    let name = subject(view, defect);
    let found = begins_later(&part, name, facts, evidence.judged_at, evidence.started, clock);
    let again = format!(
        "if the clock is right: wait until {}, or on the server: reissue it, on a machine whose clock is right, then reload",
        facts.not_before.minute()
    );
    Some(
        found
            .fixes(reissued(view, defect.place().unwrap_or(0), &again, Key::Kept))
            .fact_if("otherwise", otherwise::at(view, facts.not_before)),
    )
}

/// `certificate-not-yet-valid`. `clock` is what cures the clock where it is known to be wrong.
pub(in crate::diagnose) fn begins_later(
    part: &str,
    name: String,
    facts: &Facts,
    at: Timestamp,
    now: Timestamp,
    clock: Option<Fix>,
) -> Finding {
    let begins = facts.not_before.date();
    let cause = match &clock {
        Some(_) => format!("this machine's clock reads {now}, which is probably wrong"),
        None => format!(
            "it is valid from {}, in {}: it was issued for later, or by a machine whose clock is fast or that takes its local time for UTC; or this machine's \
             clock is slow",
            facts.not_before.minute(),
            facts.not_before.distance(at)
        ),
    };
    let clock =
        clock.unwrap_or_else(|| {
            Fix::text(format!(
                "compare this machine's clock, {now}, with the right time; if it is slow, switch its synchronization on (NTP)"
            ))
                .run(if cfg!(windows) { "w32tm /query /status" } else { "timedatectl\ntimedatectl set-ntp true" })
        });
    let from = match facts.not_before.days_since(at) {
        ..2 => facts.not_before.minute(),
        _ => begins.clone(),
    };
    Finding::titled(format!("{part} is not valid before {from}"))
        .because(cause)
        .fact("certificate", name)
        .fact("valid", format!("{begins} to {}", facts.not_after.date()))
        .fact("days_ahead", facts.not_before.days_since(at).max(0))
        .fact("judged_at", at.to_string())
        .fix(clock)
}

pub(super) fn revoked(view: &View<'_>) -> Option<Finding> {
    let (defect, facts, part) = first(view, |defect| matches!(defect, Defect::Revoked { .. }))?;
    let Defect::Revoked { date, reason, list, .. } = defect else { return None };
    let since = date.map_or("a day not told".to_owned(), |date| date.date());
    let at = defect.place().unwrap_or(0);
    let may_be_replaced = at == 0 && view.provider().is_none() && view.rehearsal().is_none();
    Some(
        Finding::titled(format!("{part} was revoked on {since}"))
            .because(
                "its CA lists it in the CRL: somebody else may have its key; send nothing to this server until its administrator \
                 knows the reason",
            )
            .fact("certificate", subject(view, defect))
            .fact("serial", text::truncated(&facts.serial_hex(), LONGEST_SERIAL))
            .fact("since", since)
            .fact("reason", reason.map_or("not told".to_owned(), |reason| reason.to_string()))
            .fact("list", format!("{}, line {}", path_text(&list.file), list.line))
            .fixes(may_be_replaced.then(|| {
                let if_so = "if its certificate has another serial number than the one above, it was replaced";
                reload_of_renewed(view, if_so, "openssl x509 -noout -serial -in server.crt")
            }))
            .fixes(reissued(
                view,
                defect.place().unwrap_or(0),
                &format!("on the server: replace {part} by one with a new key, then reload"),
                Key::New,
            ))
    )
}

pub(super) fn weak(view: &View<'_>) -> Option<Finding> {
    let (defect, _, part) =
        first(view, |defect| matches!(defect, Defect::WeakKey { .. } | Defect::WeakSignature { .. }))?;
    let weakness = match defect {
        Defect::WeakKey { key, .. } => Weakness::Key(key.clone()),
        Defect::WeakSignature { algorithm, .. } => Weakness::Signature(algorithm.clone()),
        _ => return None,
    };
    let (cause, needed) = refused_as_weak(view.settings(), &weakness);
    let what = text::printable(&weakness.to_string());
    Some(
        Finding::titled(format!("{part} is too weak: {what}"))
            .because(cause)
            .fact("certificate", subject(view, defect))
            .fact("weak", what)
            .fact("needed", needed)
            .fixes(reissued(
                view,
                defect.place().unwrap_or(0),
                &format!("on the server: reissue {part} with {needed}, then reload"),
                match defect {
                    Defect::WeakKey { .. } => Key::New,
                    _ => Key::Kept,
                },
            ))
            .fixes(raised_level(view)),
    )
}

/// Where the machine demands more than OpenSSL does by itself, that may not be meant for this client.
fn raised_level(view: &View<'_>) -> Option<Fix> {
    let config = view.settings()?.openssl.as_ref()?;
    let level = config.level.filter(|level| level.number() > SecurityLevel::default().number())?;
    Some(Fix::text(format!(
        "here, if level {} is not meant for this client: {} sets it (in CipherString, @SECLEVEL); OPENSSL_CONF of this client alone can \
         name a file with OpenSSL's default, 2; check the CA's own key for that level too",
        level.number(),
        path_text(&config.file)
    )))
}

/// Why OpenSSL refuses what is weak, and what it would take; without settings at its usual level.
pub(in crate::diagnose) fn refused_as_weak(
    settings: Option<&Settings>,
    weakness: &Weakness,
) -> (String, &'static str) {
    let level = settings.map_or_else(SecurityLevel::default, Settings::security_level);
    let (keys, signatures) = match level.number() {
        ..=2 => ("RSA of 2048 bits or more, or ECDSA on P-256 and up", "a signature with SHA-256 or better"),
        3 => ("RSA of 3072 bits or more, or ECDSA on P-256 and up", "a signature with SHA-256 or better"),
        4 => ("ECDSA on P-384 and up", "a signature with SHA-384 or better"),
        _ => ("ECDSA on P-521", "a signature with SHA-512"),
    };
    let config = settings.and_then(|settings| settings.openssl.as_ref());
    let cause = match config.filter(|config| config.level.is_some()) {
        Some(config) => format!(
            "the OpenSSL configuration {} sets security level {}, at which OpenSSL rejects it; the default of OpenSSL 3 is \
             level 2",
            path_text(&config.file),
            level.number()
        ),
        None => "OpenSSL at security level 2, the default of Debian and Ubuntu, rejects it; psql elsewhere, as with OpenSSL \
                 1.1.1 at its own default of level 1, may still connect"
            .to_owned(),
    };
    (cause, if matches!(weakness, Weakness::Key(_)) { keys } else { signatures })
}

pub(super) fn purpose(view: &View<'_>) -> Option<Finding> {
    let (defect, facts, part) = first(view, |defect| {
        matches!(
            defect,
            Defect::NotACa { .. }
                | Defect::PurposeExcluded { .. }
                | Defect::NetscapeTypeExcluded { .. }
                | Defect::KeyUsageExcluded { .. }
                | Defect::PathLengthExceeded { .. }
        )
    })?;
    let uses = |uses: &[&str]| if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") };
    let (title, constraint, fix) = match defect {
        Defect::NotACa { why, .. } => {
            let constraint = match why {
                NotACa::SaysNot => "basicConstraints CA:FALSE".to_owned(),
                NotACa::NoBasicConstraints => format!("no basicConstraints (version {})", facts.version),
                NotACa::KeyUsage(has) => format!("keyUsage {}, without keyCertSign", uses(has)),
            };
            (
                format!("{part} is not a CA and may not issue certificates"),
                constraint,
                "reissue it as a CA: basicConstraints CA:TRUE and keyUsage keyCertSign",
            )
        }
        Defect::PurposeExcluded { purposes, .. } => {
            let purposes: Vec<String> = purposes.iter().map(|oid| purpose_name(oid)).collect();
            (
                format!("{part} is not valid for servers"),
                format!("extendedKeyUsage {}, without serverAuth", purposes.join(", ")),
                "reissue it with serverAuth in extendedKeyUsage",
            )
        }
        Defect::NetscapeTypeExcluded { .. } => (
            format!("{part} is not valid for servers"),
            "Netscape's certificate type without SSL server".to_owned(),
            "reissue it without Netscape's certificate type",
        ),
        Defect::KeyUsageExcluded { uses: has, .. } => (
            format!("{part} may not be used in TLS"),
            format!("keyUsage {}, without digitalSignature, keyEncipherment and keyAgreement", uses(has)),
            "reissue it with digitalSignature in keyUsage",
        ),
        Defect::PathLengthExceeded { limit, found, .. } => (
            format!("{part} allows {limit} intermediates below it; there are {found}"),
            format!("basicConstraints pathlen:{limit}"),
            "reissue it with a larger pathlen or none, or have it issue the server's certificate itself",
        ),
        _ => return None,
    };
    Some(
        Finding::titled(title)
            .because("OpenSSL checks what each certificate of the path may be used for")
            .fact("certificate", subject(view, defect))
            .fact("constraint", constraint)
            .fact_if("in_file", root_of_file(view, defect))
            .fixes(reissued(view, defect.place().unwrap_or(0), fix, Key::Kept)),
    )
}

/// The name of a purpose (RFC 5280 section 4.2.1.12), or its OID.
/// The name of a purpose, by its object identifier (RFC 5280, section 4.2.1.12).
pub(in crate::diagnose) fn purpose_name(oid: &str) -> String {
    match oid {
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "2.5.29.37.0" => "anyExtendedKeyUsage",
        other => other,
    }
    .to_owned()
}

pub(super) fn name_constraints(view: &View<'_>) -> Option<Finding> {
    let (defect, _, part) = first(view, |defect| matches!(defect, Defect::NameConstraint { .. }))?;
    let Defect::NameConstraint { authority, name, fault, .. } = defect else { return None };
    let name = text::printable(name);
    let ca = named(view.judgement()?, *authority);
    let constraint = match fault {
        NameFault::NotPermitted(permitted) => {
            let permitted = super::super::view::at_most(
                5,
                permitted.iter().map(|subtree| text::printable(&subtree.to_string())),
            );
            format!("permitted: {}", permitted.join(", "))
        }
        NameFault::Excluded(subtree) => format!("excluded: {}", text::printable(&subtree.to_string())),
        NameFault::Unsupported(subtree) => {
            format!("{}, which OpenSSL cannot apply", text::printable(&subtree.to_string()))
        }
        NameFault::BadName => "the name cannot be compared with it".to_owned(),
        NameFault::TooMany => "more names and constraints than OpenSSL compares".to_owned(),
    };
    let unconstrained = reissue::is_own_intermediate(view, *authority).then(|| {
        reissue::authority(
            view,
            *authority,
            "if the CA is your own and is to issue for this name: reissue its certificate without these name constraints (the \
             server's own stays valid), then reload",
        )
    });
    Some(
        Finding::titled(format!("{ca} may not issue for {name}"))
            .because(format!("its name constraints do not allow a name in {part}; one such name is enough"))
            .fact("certificate", subject(view, defect))
            .fact("name", name.clone())
            .fact("constraint", constraint)
            .fix(reissue::server_by_another(
                view,
                &format!("on the server: have its certificate issued by another CA, one that may issue for {name}, then reload"),
            ))
            .fixes(unconstrained)
            .fix(Fix::text("use a name that this CA may certify, in the certificate and in host")),
    )
}

/// What OpenSSL finds before it asks what a certificate is for.
pub(super) fn broken_extension(view: &View<'_>) -> Option<Finding> {
    invalid_by(view, |defect| {
        matches!(
            defect,
            Defect::Malformed { .. }
                | Defect::InvalidExtension { .. }
                | Defect::UnknownCriticalExtension { .. }
                | Defect::ProxyCertificate { .. }
                | Defect::ExplicitCurve { .. }
                | Defect::ResourcesNotNested { .. }
                | Defect::ChainTooLong
                | Defect::TooMuchWork
                | Defect::RefusedByLibrary { .. }
        )
    })
}

pub(super) fn invalid(view: &View<'_>) -> Option<Finding> {
    // With another key than the file's root has, no signature can be right.
    let other_key = super::end::root_key_changed(view).is_some();
    let is_new = |defect: &Defect| matches!(defect, Defect::BadSignature { .. }) && !other_key;
    invalid_by(view, |defect| is_new(defect) || matches!(defect, Defect::NameUnusable { .. }))
}

fn invalid_by(view: &View<'_>, wanted: impl Fn(&Defect) -> bool) -> Option<Finding> {
    let judgement = view.judgement()?;
    let defect = demanded(view).find(|defect| wanted(defect))?;
    let (title, what, remedy) = invalid_words(judgement, defect)?;
    Some(
        Finding::titled(title)
            .because("OpenSSL rejects every chain with such a certificate in it")
            .fact("certificate", subject(view, defect))
            .fact("what", what)
            .fixes(matches!(defect, Defect::BadSignature { .. }).then(|| issuer_by_another_key(view, defect)))
            .fixes(match remedy {
                Remedy::Reissue(text, key) => reissued(view, defect.place().unwrap_or(0), text, key),
                Remedy::Other(text) => vec![Fix::text(text)],
            }),
    )
}

/// A CA that has several keys has a certificate for each, of the same name.
fn issuer_by_another_key(view: &View<'_>, defect: &Defect) -> Fix {
    let at = defect.place().unwrap_or(0);
    let issuer = view.judgement().map(|judgement| named(judgement, at + 1)).unwrap_or_default();
    Fix::server(format!(
        "ask the administrator of {issuer} for its other certificates, each as intermediate.crt. The one with which this reports OK on the \
         server replaces the intermediate in server.crt; then reload"
    ))
    .run(format!("openssl verify -partial_chain -trusted intermediate.crt server.crt\n{}", reissue::RELOAD))
}

/// What helps.
enum Remedy {
    /// Issuing the certificate again.
    Reissue(&'static str, Key),
    /// Something else.
    Other(&'static str),
}

/// Title, what is wrong and remedy.
type Words = (String, String, Remedy);

fn invalid_words(judgement: &crate::verify::Judgement, defect: &Defect) -> Option<Words> {
    defect
        .place()
        .and_then(|at| words_of_one(&named(judgement, at), &named(judgement, at + 1), defect))
        .or_else(|| words_of_chain(defect))
}

/// Of what is wrong with one certificate of the path, by its name and its issuer's.
fn words_of_one(part: &str, issuer: &str, defect: &Defect) -> Option<Words> {
    Some(match defect {
        Defect::BadSignature { .. } => (
            format!("the signature on {part} is invalid"),
            format!(
                "it does not verify with the key of {issuer}: either the certificate was altered, or another key of the same name signed it"
            ),
            Remedy::Reissue(
                "if its CA has no other certificate, or none reports OK: reissue it on the server",
                Key::Kept,
            ),
        ),
        Defect::InvalidExtension { problem, .. } => (
            format!("{part} has an extension that cannot be read"),
            text::printable(&format!("{}: {}", problem.extension, problem.error)),
            Remedy::Reissue("reissue it without that extension, or with a valid one", Key::Kept),
        ),
        Defect::UnknownCriticalExtension { oid, .. } => (
            format!("{part} has a critical extension that OpenSSL does not know"),
            format!("extension {}", text::printable(oid)),
            Remedy::Reissue("reissue it without that extension, or not critical", Key::Kept),
        ),
        Defect::ProxyCertificate { .. } => (
            format!("{part} is a proxy certificate (RFC 3820)"),
            "extension proxyCertInfo".to_owned(),
            Remedy::Other("use a certificate that a CA issued"),
        ),
        Defect::ExplicitCurve { .. } => (
            format!("{part} has a key with explicit curve parameters instead of a named curve"),
            "explicit curve parameters".to_owned(),
            Remedy::Reissue(
                "reissue it with a new key (RSA, or ECDSA on the named curve prime256v1)",
                Key::New,
            ),
        ),
        Defect::ResourcesNotNested { resources, .. } => (
            format!("{part} lists {resources} that no CA above it has"),
            format!("{resources} (RFC 3779) that its issuer has not"),
            Remedy::Reissue("reissue it without them: they are for registries, not for servers", Key::Kept),
        ),
        _ => return None,
    })
}

/// Of what is wrong with the chain as a whole, or with a certificate that is in no path.
fn words_of_chain(defect: &Defect) -> Option<Words> {
    Some(match defect {
        Defect::ChainTooLong => (
            "the chain is longer than OpenSSL follows".to_owned(),
            "more than 100 certificates".to_owned(),
            Remedy::Other(
                "on the server: put only the certificates between the server's and the root into ssl_cert_file",
            ),
        ),
        Defect::TooMuchWork => (
            "the chain takes more work to verify than is done for one".to_owned(),
            "it has so many names and constraints, or signatures, that only an attack is known to need them"
                .to_owned(),
            Remedy::Other(
                "reissue it with fewer names and constraints; no known CA issues such certificates",
            ),
        ),
        Defect::RefusedByLibrary { reason } => (
            "the driver's TLS library refuses the certificate, which OpenSSL would accept".to_owned(),
            otherwise::reason_words(reason),
            Remedy::Reissue(
                "reissue the server's certificate as version 3, with CA:FALSE and every name in subjectAltName",
                Key::Kept,
            ),
        ),
        Defect::NameUnusable { name } => {
            let name = match name {
                Presented::Alternative(name) => text::printable(&name.to_string()),
                Presented::CommonName(name) => format!("CN={}", text::printable_bytes(name)),
            };
            (
                "the certificate has a name that libpq cannot compare".to_owned(),
                format!("{name}: a NUL in it, or an address of an odd length"),
                Remedy::Reissue("reissue it with valid names", Key::Kept),
            )
        }
        Defect::Malformed { sent, error } => (
            format!("certificate {} of the chain sent cannot be decoded", sent + 1),
            text::printable(&error.to_string()),
            Remedy::Reissue(
                "on the server: reissue the server's certificate, or replace this one in ssl_cert_file, then reload",
                Key::Kept,
            ),
        ),
        _ => return None,
    })
}

/// A refusal without a defect that a rule knows.
pub(super) fn refused(view: &View<'_>) -> Option<Finding> {
    Some(
        Finding::titled("the certificate was not accepted")
            .because("the handshake ended at the certificate; the reason was not recorded")
            .fact("sent", super::sent(view))
            .fix(Fix::text("look at the chain").run(view.command(["pgtls-check", "-v"]))),
    )
}
