//! The client's certificate in the handshake: demanded, refused.

use crate::certificate::{Certificate, Facts};
use crate::conninfo::{Origin, SslCertMode};
use crate::diagnose::certificate::{purpose_name, reissue};
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::fix::{RELOAD, provider_hints};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, at_most, path_text};
use crate::diagnose::{Fix, alerts, auth, by_default};
use crate::evidence::{ClientCertificateRecord, SessionFailure, TlsFailure};
use crate::provider::Situation;
use crate::stage::Stage;
use crate::text;
use crate::trust::ClientIdentity;

/// `client-cert-required`.
pub const CLIENT_CERT_REQUIRED: Code = Code {
    name: "client-cert-required",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the server requires a client certificate",
    short: None,
    concerns: &[Concern::ClientCertificate],
    retryable: false,
};

/// `client-cert-rejected`.
pub const CLIENT_CERT_REJECTED: Code = Code {
    name: "client-cert-rejected",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the server rejected the client certificate",
    short: None,
    concerns: &[Concern::ClientCertificate],
    retryable: false,
};

/// A certificate of the client's own that was sent and is outside its dates by this machine's clock.
struct Outdated<'a> {
    /// What it is, by its name.
    what: String,
    facts: &'a Facts,
    is_leaf: bool,
    file: String,
}

impl<'a> Outdated<'a> {
    fn sent(view: &View<'a>) -> Option<Self> {
        let ClientIdentity::Ready(identity) = &view.trust()?.client else { return None };
        let now = view.evidence.started;
        let decoded =
            identity.chain.iter().filter_map(|certificate| Some((certificate, certificate.facts().ok()?)));
        let (at, (certificate, facts)) = decoded
            .enumerate()
            .filter(|_| view.tls().is_some_and(|tls| tls.client_certificate.sent))
            .find(|(_, (_, facts))| !(facts.not_before..facts.not_after).contains(&now))?;
        let name = certificate.short_subject();
        let what = match at {
            0 => format!("the client certificate {name}"),
            _ => format!("{name}, an intermediate of the client certificate,"),
        };
        Some(Self { what, facts, is_leaf: at == 0, file: path_text(&identity.certificate_file) })
    }

    /// `expired on 2026-11-27`
    fn since(&self, view: &View<'_>) -> String {
        match self.facts.not_after <= view.evidence.started {
            true => format!("expired on {}", self.facts.not_after.date()),
            false => format!("is not valid before {}", self.facts.not_before.date()),
        }
    }

    /// Why that is known.
    fn why(&self, view: &View<'_>) -> String {
        let now = view.evidence.started;
        match self.facts.not_after <= now {
            true => format!(
                "by this machine's clock it expired {} ago, at {}",
                now.distance(self.facts.not_after),
                self.facts.not_after.minute()
            ),
            false => format!(
                "by this machine's clock it is valid from {} only, in {}",
                self.facts.not_before.minute(),
                self.facts.not_before.distance(now)
            ),
        }
    }

    fn fixes(&self, view: &View<'_>) -> Vec<Fix> {
        let Self { file, .. } = self;
        let record = view.tls().map(|tls| client_ca(&tls.client_certificate)).unwrap_or_default();
        if self.facts.not_before > view.evidence.started {
            return vec![Fix::text(format!(
                "wait until {}, or have its CA issue one that is valid now; first see that this machine's clock is right: it reads {}",
                self.facts.not_before.minute(),
                view.evidence.started
            ))
            .run("date -u")];
        }
        vec![match self.is_leaf {
            true => Fix::text(format!(
                "at {record}: issue a new certificate for {user} (ca.crt and ca.key below are that CA's, which its administrator has); \
                 then here: put it into {file}, and its key into the file of sslkey",
                user = view.user()
            ))
            .run_as(reissue::client("", &view.user())),
            false => Fix::text(format!(
                "here, in {file}: put that CA's current certificate in the place of the expired one (its administrator has it), or remove \
                 it if the server's ssl_ca_file has the current one"
            )),
        }]
    }
}

/// Where the server says "expired" and by this machine's clock nothing of the client's is: OpenSSL sends that alert for what
/// it verifies with, too (`x509table` in ssl/statem/statem_lib.c: the CA's certificate, its CRL).
const ENDS_ON_THE_SERVER: &str = "psql -Atc 'SHOW ssl_ca_file' -c 'SHOW ssl_crl_file'\n\
     openssl crl2pkcs7 -nocrl -certfile root.crt | openssl pkcs7 -print_certs -noout -text | grep -E 'Subject:|Not After'\n\
     openssl crl -noout -nextupdate -in root.crl\ndate -u";

/// The message of an error that came after the handshake.
fn server_message(view: &View<'_>) -> Option<String> {
    match view.session_failure()? {
        SessionFailure::Server(message) => Some(message.message.clone()),
        _ => None,
    }
}

pub(super) fn certificate_required(view: &View<'_>) -> Option<Finding> {
    let record = &view.tls()?.client_certificate;
    let said = server_message(view).filter(|message| message.contains("valid client certificate"));
    let answer = match (view.alert(), &said) {
        (Some(alert @ 116), _) => alerts::name(alert),
        // OpenSSL's TLS 1.2 servers, and some of TLS 1.3, say no more than this.
        (Some(alert @ (40..=42 | 109)), _) if record.requested && !record.sent => alerts::name(alert),
        (_, Some(said)) => text::printable(said),
        _ => return None,
    };
    let outdated = Outdated::sent(view);
    let held_back = view.settings().is_some_and(|settings| settings.certificate_mode == SslCertMode::Disable);
    let absent = match view.trust().map(|trust| &trust.client) {
        Some(ClientIdentity::Absent { path, .. }) => {
            Some(format!("sslcert names {}, which does not exist", path_text(path)))
        }
        Some(ClientIdentity::Ready(_)) if record.sent => Some(match &outdated {
            Some(outdated) => format!("one was sent; {} {}", outdated.what, outdated.since(view)),
            None => "one was sent, and the server cannot verify it".to_owned(),
        }),
        Some(ClientIdentity::Ready(_)) => Some(
            "one exists and was not sent: its issuer is not among those that the server accepts".to_owned(),
        ),
        _ if held_back => Some(format!(
            "none is sent with sslcertmode=disable, from {}",
            view.origin_words("sslcertmode").unwrap_or_default()
        )),
        _ => Some("none is set, and ~/.postgresql/postgresql.crt does not exist".to_owned()),
    };
    let released = held_back.then(|| {
        let fix = match view.origin("sslcertmode")? {
            Origin::Environment(variable) => {
                Fix::text(format!("unset {variable}, so that the client certificate is sent"))
                    .by_unsetting(&[variable])
            }
            _ => Fix::text("let the client certificate be sent"),
        };
        // libpq refuses an empty one.
        Some(fix.set("sslcertmode", "allow"))
    });
    let authorities: Vec<String> =
        at_most(10, record.authorities.iter().map(|authority| text::printable(authority)));
    let hints = provider_hints(view, Situation::ClientCertificate, None);
    let is_provided = !hints.is_empty();
    Some(
        Finding::titled("the server requires a client certificate")
            .because(
                "it requests one in the handshake or in pg_hba.conf (cert, clientcert=verify-ca, clientcert=verify-full) and got none that it can use",
            )
            .fact("answer", answer)
            .fact_if("client_certificate", absent)
            .fact_if("server_accepts", (!authorities.is_empty()).then_some(authorities))
            .fixes(outdated.map(|outdated| outdated.fixes(view)).unwrap_or_default())
            .fixes(released.flatten())
            .fixes(hints)
            .fixes((!is_provided).then(|| {
                Fix::text(format!(
                    "set sslcert to a client certificate issued by {} (with its chain), and sslkey to its key: sslcert=FILE \
                     sslkey=FILE; the server's administrator issues one for user {}",
                    client_ca(record),
                    view.user()
                ))
            }))
            .fix(demand_none(view))
            .fixes((!held_back).then(|| {
                Fix::text("if it is a file mounted into a container: check that the account that connects can see it")
                    .run(match view.settings().and_then(|settings| settings.path("sslcert")) {
                        Some(path) => format!("ls -lL {}", text::shell_quoted(&path.to_string_lossy())),
                        None => "ls -lL ~/.postgresql".to_owned(),
                    })
            })),
    )
}

/// The CA whose certificates the server takes: by name where it says so.
fn client_ca(record: &ClientCertificateRecord) -> String {
    match record.authorities.as_slice() {
        [] => "the client CA of this server (ssl_ca_file there)".to_owned(),
        [one] => text::printable(one),
        several => {
            let names = at_most(3, several.iter().map(|name| text::printable(name)));
            format!("a CA that the server accepts ({})", names.join("; "))
        }
    }
}

/// What an alert on the client's certificate says of it.
fn rejection(alert: Option<u8>) -> &'static str {
    match alert {
        Some(43) => {
            "the server's check of the client certificate failed: a certificate whose extendedKeyUsage lacks clientAuth is not for \
             clients"
        }
        Some(44) => "the server's check of the client certificate failed: its CRL lists it",
        Some(45) => {
            "by this machine's clock the certificates sent are valid: on the server the client CA's certificate (ssl_ca_file) or its CRL \
             (ssl_crl_file) has expired, or its clock is wrong"
        }
        Some(48) => {
            "the server's check of the client certificate failed: its chain leads to none of the client CAs of the server"
        }
        _ => "the client sent a certificate and the server rejected it",
    }
}

/// What a certificate is for, by its extendedKeyUsage.
fn purposes(facts: &Facts) -> Option<String> {
    let named: Vec<String> =
        facts.extensions.extended_key_usage.as_ref()?.iter().map(|oid| purpose_name(oid)).collect();
    let what = named.join(", ");
    Some(if named.iter().any(|name| name == "clientAuth") {
        what
    } else {
        format!("{what}, without clientAuth")
    })
}

/// What helps against a rejection by its alert, or where the certificate's name is not the user's.
fn remedies(view: &View<'_>, record: &ClientCertificateRecord, by_name: bool) -> Vec<Fix> {
    match (view.alert(), by_name) {
        (_, true) => {
            let text = format!("use a certificate whose common name is the user {}", view.user());
            vec![Fix::server(format!("{text}, or map it in pg_ident.conf")).or_at_provider(text)]
        }
        (Some(44), _) => vec![
            Fix::text(format!(
                "get a new certificate from {}: the server's CRL lists this one; ca.crt and ca.key are that CA's, whose administrator issues \
                 it so",
                client_ca(record)
            ))
            .run_as(reissue::client("", &view.user())),
        ],
        (Some(45), _) => vec![
            Fix::server(
                "on the server: see which of these dates is past, replace that file with the CA's current one, then reload; if none is: \
                 correct its clock",
            )
            .run(ENDS_ON_THE_SERVER),
        ],
        (Some(43), _) => vec![
            Fix::text(format!(
                "get a client certificate issued by {} whose extendedKeyUsage has clientAuth, and set it: sslcert=FILE sslkey=FILE; \
                 ca.crt and ca.key are that CA's, whose administrator issues it so (the commands write a new key and certificate; for one \
                 that serves as a server too: extendedKeyUsage = serverAuth, clientAuth)",
                client_ca(record)
            ))
            .run_as(reissue::client("", &view.user())),
        ],
        (Some(48), _) => {
            let other = Fix::text(format!(
                "use a client certificate issued by {}, with the intermediates after it in the file: sslcert=FILE sslkey=FILE",
                client_ca(record)
            ));
            match incomplete_chain(view, record) {
                // Of one organisation: the issuer is most likely below the CA that is accepted.
                Some((fix, true)) => vec![fix, other],
                Some((fix, false)) => vec![other, fix],
                None => vec![other],
            }
        }
        _ => vec![crate::diagnose::fix::in_the_log(
            "\"could not accept SSL connection\" has the reason; the file of sslcert must have the whole chain, the client's certificate first",
        )],
    }
}

/// The certificates of the file end below a CA that the server may accept; and whether that is of the same organisation as one
/// that it does.
fn incomplete_chain(view: &View<'_>, record: &ClientCertificateRecord) -> Option<(Fix, bool)> {
    let ClientIdentity::Ready(ready) = &view.trust()?.client else { return None };
    let last = ready.chain.last()?.facts().ok().filter(|facts| !facts.is_self_signed())?;
    let issuer = text::printable(&last.issuer.to_string());
    let is_accepted = record.authorities.iter().any(|name| text::printable(name) == issuer);
    let organisation = last.issuer.first("O").map(|name| format!("O={}", text::printable(&name.text())));
    let is_of_one = organisation.is_some_and(|one| record.authorities.iter().any(|name| name.contains(&one)));
    let file = path_text(&ready.certificate_file);
    let holds = match ready.chain.len() {
        1 => "one certificate".to_owned(),
        several => format!("{several} certificates"),
    };
    let fix = Fix::text(format!(
        "{file} has {holds} and not the issuer of the last, {}: if that is below {}, append its certificate (from that CA, as \
         intermediate.crt)",
        last.issuer.short(),
        client_ca(record)
    ));
    let quoted = text::shell_quoted(&ready.certificate_file.to_string_lossy());
    let fix = match cfg!(windows) {
        true => fix,
        false => fix.run(format!("cat intermediate.crt >> {quoted}")),
    };
    (!is_accepted && !record.authorities.is_empty()).then_some((fix, is_of_one))
}

pub(super) fn certificate_rejected(view: &View<'_>) -> Option<Finding> {
    let tls = view.tls()?;
    // trust itself never fails: under clientcert=verify-full it is the certificate's name that does.
    let said = server_message(view).filter(|message| {
        ["certificate authentication failed", "\"trust\" authentication failed"]
            .iter()
            .any(|words| message.contains(words))
    });
    let outdated = Outdated::sent(view);
    let answer = match (view.alert(), &said) {
        (Some(alert @ (40..=46 | 48 | 49 | 51)), _) if tls.client_certificate.sent => {
            format!("{}: {}", alerts::name(alert), alerts::meaning(alert))
        }
        (_, Some(said)) => text::printable(said),
        (None, None) => {
            outdated.as_ref()?;
            end_after_certificate(view)?
        }
        _ => return None,
    };
    let ready = match view.trust().map(|trust| &trust.client) {
        Some(ClientIdentity::Ready(certificate)) => Some(certificate),
        _ => None,
    };
    let stray = ready.filter(|_| said.is_none() && by_default::is_unnamed(view, "sslcert"));
    let leaf = ready.and_then(|ready| ready.chain.first());
    let facts = leaf.and_then(|leaf| leaf.facts().ok());
    let authorities =
        at_most(10, tls.client_certificate.authorities.iter().map(|authority| text::printable(authority)));
    let outdated = outdated.filter(|_| said.is_none());
    let user = view.user();
    let other_name = facts.filter(|_| said.is_none()).and_then(|facts| facts.subject.common_name());
    let other_name = other_name.filter(|name| text::printable(name) != user);
    let mut fixes = match &outdated {
        Some(outdated) => outdated.fixes(view),
        None => remedies(view, &tls.client_certificate, said.is_some()),
    };
    if let (Some(name), true) = (&other_name, outdated.is_none()) {
        then_mapped(view, name, &mut fixes);
    }
    let title = match &outdated {
        Some(outdated) => format!("{} {}, and the server rejected it", outdated.what, outdated.since(view)),
        None => "the server rejected the client certificate".to_owned(),
    };
    Some(
        Finding::titled(title)
            .because(match (stray, &outdated) {
                (Some(_), None) => "sslcert is not set; libpq found this certificate by default and sent it, and the server's check of it \
                                    failed"
                    .to_owned(),
                (Some(_), Some(outdated)) => {
                    format!("{}; sslcert is not set: libpq found it by default and sent it", outdated.why(view))
                }
                (None, Some(outdated)) => outdated.why(view),
                (None, None) => rejection(view.alert().filter(|_| said.is_none())).to_owned(),
            })
            .fact("answer", answer)
            .fact_if("certificate", leaf.map(Certificate::short_subject))
            .fact_if("issuer", facts.map(|facts| text::printable(&facts.issuer.to_string())))
            .fact_if("purposes", facts.filter(|_| view.alert() == Some(43)).and_then(purposes))
            .fact_if("expires", facts.map(|facts| facts.not_after.date()))
            .fact_if("path", ready.map(|ready| path_text(&ready.certificate_file)))
            .fact_if("common_name", other_name.as_ref().map(|name| format!("{name} is not the user {user}")))
            .fact_if("server_accepts", (!authorities.is_empty()).then_some(authorities))
            .fixes(stray.map(|ready| {
                [by_default::no_client_certificate(), by_default::move_away(&ready.certificate_file)]
            }).into_iter().flatten())
            .fixes(fixes)
            .fixes((view.alert() == Some(48) && outdated.is_none()).then(|| {
                Fix::server(
                    "if you run the server: append the CA that issued this certificate to the file of ssl_ca_file, then reload",
                )
                .run(RELOAD)
            }))
            .fixes((said.is_none() && stray.is_none()).then(by_default::no_client_certificate)),
    )
}

/// What is next for a certificate of another name, where names count. One that is issued anew is so for the user.
fn then_mapped(view: &View<'_>, name: &str, fixes: &mut [Fix]) {
    if let (Some(first), None | Some(45 | 48), None) = (fixes.first_mut(), view.alert(), view.provider()) {
        let user = view.user();
        first.then = Some(format!(
            "then, where pg_hba.conf compares names (cert, clientcert=verify-full): a certificate with CN={user}, or on the server the \
             line `{}` in pg_ident.conf and map=clients in the line of pg_hba.conf",
            auth::map_line(name, &user)
        ));
    }
}

/// A server or pooler that is to demand no certificate.
fn demand_none(view: &View<'_>) -> Fix {
    match view.pooler_of_port() {
        Some(_) => Fix::server(
            "in the pooler, if no certificate is wanted (PgBouncer: client_tls_sslmode in pgbouncer.ini, whose verify-ca and verify-full \
             demand one): change that, then RELOAD",
        )
        .run("client_tls_sslmode = require"),
        None => Fix::server(
            "on the server, if no certificate is wanted: remove clientcert from this user's line in pg_hba.conf (or change its method \
             from cert to scram-sha-256), then reload",
        )
        .run(RELOAD),
    }
}

/// How a server ended the connection that had the client's certificate and gave no alert: in its own words, or in none at
/// all before its first message.
fn end_after_certificate(view: &View<'_>) -> Option<String> {
    match (view.tls_failure(), view.session_failure()) {
        (_, Some(SessionFailure::Server(message))) => {
            let message = text::printable(&message.message);
            message.to_lowercase().contains("certificate").then_some(message)
        }
        (Some(TlsFailure::Ended(_)), _) => {
            Some("the connection was closed after the client certificate".to_owned())
        }
        (_, Some(SessionFailure::Ended(_))) if view.session()?.last_message.is_none() => {
            Some("the connection was closed after the client certificate".to_owned())
        }
        _ => None,
    }
}
