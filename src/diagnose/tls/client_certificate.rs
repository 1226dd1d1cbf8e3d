//! The client's certificate in the handshake: demanded, refused.

use crate::certificate::{Certificate, Facts};
use crate::conninfo::{Origin, SslCertMode};
use crate::diagnose::certificate::{purpose_name, reissue};
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::fix::{RELOAD, provider_hints};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, at_most, path_text};
use crate::diagnose::{Fix, alerts, by_default};
use crate::evidence::{ClientCertificateRecord, SessionFailure};
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
    let held_back = view.settings().is_some_and(|settings| settings.certificate_mode == SslCertMode::Disable);
    let absent = match view.trust().map(|trust| &trust.client) {
        Some(ClientIdentity::Absent { path, .. }) => {
            Some(format!("sslcert names {}, which does not exist", path_text(path)))
        }
        Some(ClientIdentity::Ready(_)) if record.sent => {
            Some("one was sent, and the server cannot verify it".to_owned())
        }
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
    Some(
        Finding::titled("the server requires a client certificate")
            .because(
                "it requests one in the handshake or in pg_hba.conf (cert, clientcert=verify-ca, clientcert=verify-full) and got none that it can use",
            )
            .fact("answer", answer)
            .fact_if("client_certificate", absent)
            .fact_if("server_accepts", (!authorities.is_empty()).then_some(authorities))
            .fixes(released.flatten())
            .fix(Fix::text(format!(
                "set sslcert to a client certificate issued by {} (with its chain), and sslkey to its key: sslcert=FILE \
                 sslkey=FILE; the server's administrator issues one for user {}",
                client_ca(record),
                view.user()
            )))
            .fixes(provider_hints(view, Situation::ClientCertificate, None))
            .fix(
                Fix::text(
                    "on the server, if no certificate is wanted: remove clientcert from this user's line in pg_hba.conf (or \
                     change its method from cert to scram-sha-256), then reload",
                )
                .run(RELOAD),
            )
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
            "the server's check of the client certificate failed: by the server's clock it is not valid now"
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

pub(super) fn certificate_rejected(view: &View<'_>) -> Option<Finding> {
    let tls = view.tls()?;
    // trust itself never fails: under clientcert=verify-full it is the certificate's name that does.
    let said = server_message(view).filter(|message| {
        ["certificate authentication failed", "\"trust\" authentication failed"]
            .iter()
            .any(|words| message.contains(words))
    });
    let answer = match (view.alert(), &said) {
        (Some(alert @ (40..=46 | 48 | 49 | 51)), _) if tls.client_certificate.sent => {
            format!("{}: {}", alerts::name(alert), alerts::meaning(alert))
        }
        (_, Some(said)) => text::printable(said),
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
    let fix = match (view.alert(), &said) {
        (_, Some(_)) => Fix::text(format!(
            "use a certificate whose common name is the user {}, or map it in pg_ident.conf",
            view.user()
        )),
        (Some(code @ (44 | 45)), _) => {
            let why = if code == 44 { "the server's CRL lists this one" } else { "this one has expired or is not yet valid" };
            Fix::text(format!(
                "get a new certificate from {}: {why}; ca.crt and ca.key are that CA's, whose administrator issues it so",
                client_ca(&tls.client_certificate)
            ))
            .run_as(reissue::client("", &view.user()))
        }
        (Some(43), _) => Fix::text(format!(
            "get a client certificate issued by {} whose extendedKeyUsage has clientAuth, and set it: sslcert=FILE sslkey=FILE; \
             ca.crt and ca.key are that CA's, whose administrator issues it so",
            client_ca(&tls.client_certificate)
        ))
        .run_as(reissue::client("", &view.user())),
        (Some(48), _) => Fix::text(format!(
            "use a client certificate issued by {}, with the intermediates after it in the file: sslcert=FILE sslkey=FILE",
            client_ca(&tls.client_certificate)
        )),
        _ => by_its_dates(view, facts),
    };
    Some(
        Finding::titled("the server rejected the client certificate")
            .because(match stray {
                Some(_) => {
                    "sslcert is not set; libpq found this certificate by default and sent it, and the server's check of it \
                     failed"
                }
                None => rejection(view.alert().filter(|_| said.is_none())),
            })
            .fact("answer", answer)
            .fact_if("certificate", leaf.map(Certificate::short_subject))
            .fact_if("issuer", facts.map(|facts| text::printable(&facts.issuer.to_string())))
            .fact_if("purposes", facts.filter(|_| view.alert() == Some(43)).and_then(purposes))
            .fact_if("expires", facts.map(|facts| facts.not_after.date()))
            .fact_if("path", ready.map(|ready| path_text(&ready.certificate_file)))
            .fact_if("server_accepts", (!authorities.is_empty()).then_some(authorities))
            .fixes(stray.map(|ready| {
                [by_default::no_client_certificate(), by_default::move_away(&ready.certificate_file)]
            }).into_iter().flatten())
            .fix(fix)
            .fixes((view.alert() == Some(48)).then(|| {
                Fix::text(
                    "if you run the server: append the CA that issued this certificate to the file of ssl_ca_file, then reload",
                )
                .run(RELOAD)
            }))
            .fixes((said.is_none() && stray.is_none()).then(by_default::no_client_certificate)),
    )
}

/// Where the client's own certificate is not valid now: that, and what to do. Otherwise the server alone knows.
fn by_its_dates(view: &View<'_>, facts: Option<&Facts>) -> Fix {
    let now = view.evidence.started;
    Fix::text(match facts {
        Some(facts) if facts.not_before > now => format!(
            "the client certificate is valid from {} only, in {}: wait until then, or have its CA issue one that is valid now; see that \
             this machine's clock is right: date -u",
            facts.not_before.minute(),
            facts.not_before.distance(now)
        ),
        Some(facts) if facts.not_after <= now => format!(
            "the client certificate expired on {}: get a new one from its CA and set it: sslcert=FILE sslkey=FILE",
            facts.not_after.date()
        ),
        _ => "the server's log has the reason (look for \"could not accept SSL connection\"); the file must have the whole chain, the \
              client's certificate first"
            .to_owned(),
    })
}
