//! Faults of the handshake, the certificate apart.

use rustls::version::TLS12;

use super::certificate::sign_with;
use super::{Fault, SeenBy};
use crate::demo::hello::alert;
use crate::demo::pki::Authority;
use crate::demo::resign::Hash;
use crate::demo::scenario::{ClientCertificates, HOST};
use crate::demo::server::OnHello;
use crate::demo::session::Authentication;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("tls-version-unsupported", "the server speaks TLS 1.0 and nothing newer", |scenario| {
        scenario.on_hello = |hello| match hello.offers_tls10() {
            true => OnHello::Tls10,
            false => OnHello::Alert(alert::PROTOCOL_VERSION),
        };
        Ok(())
    }),
    Fault::new("tls-version-unsupported", "the server speaks TLS 1.2, the client demands 1.3", |scenario| {
        scenario.versions = vec![&TLS12];
        scenario.set("ssl_min_protocol_version", "TLSv1.3");
        Ok(())
    })
    .named("tls-version-bounded"),
    Fault::new("tls-no-shared-cipher", "the server takes none of the cipher suites offered", |scenario| {
        scenario.on_hello = |_| OnHello::Alert(alert::HANDSHAKE_FAILURE);
        Ok(())
    }),
    Fault::new(
        "client-cert-required",
        "the server requires a client certificate, and none is given",
        |scenario| {
            scenario.client_certificates = ClientCertificates::MustShow(Authority::root("Demo Client CA")?);
            Ok(())
        },
    ),
    Fault::new(
        "client-cert-rejected",
        "the client certificate is of a CA that the server does not know",
        |scenario| {
            scenario.client_certificates = ClientCertificates::MustShow(Authority::root("Demo Client CA")?);
            scenario.identify_by(&Authority::root("Stranger's CA")?).map(drop)
        },
    ),
    Fault::new("sni-unrecognized", "the proxy before the server knows no server of that name", |scenario| {
        scenario.on_hello = |hello| match hello.name.as_deref() {
            None | Some(HOST) => OnHello::Serve,
            Some(_) => OnHello::Alert(alert::UNRECOGNIZED_NAME),
        };
        scenario.set("host", "old-name.example");
        Ok(())
    }),
    Fault::new("alpn-rejected", "the proxy before the server has no ALPN protocol postgresql", |scenario| {
        scenario.on_hello = |hello| match hello.alpn {
            true => OnHello::Alert(alert::NO_APPLICATION_PROTOCOL),
            false => OnHello::Serve,
        };
        Ok(())
    }),
    Fault::new("alpn-rejected", "the proxy before the server hangs up on ALPN", |scenario| {
        scenario.on_hello = |hello| if hello.alpn { OnHello::Close } else { OnHello::Serve };
        Ok(())
    })
    .named("alpn-closed"),
    Fault::new("alpn-rejected", "a firewall drops a ClientHello with ALPN", |scenario| {
        scenario.on_hello = |hello| if hello.alpn { OnHello::Silence } else { OnHello::Serve };
        scenario.set("connect_timeout", "2");
        Ok(())
    })
    .named("alpn-silence"),
    Fault::new("tls-timeout", "the server says nothing to the ClientHello", |scenario| {
        scenario.on_hello = |_| OnHello::Silence;
        scenario.set("connect_timeout", "2");
        Ok(())
    }),
    Fault::new("tls-timeout", "the second half of the server's first flight is lost", |scenario| {
        scenario.on_hello = |_| OnHello::Half;
        scenario.set("connect_timeout", "2");
        Ok(())
    })
    .named("tls-timeout-halfway"),
    Fault::new("tls-closed", "the connection is closed after the ClientHello", |scenario| {
        scenario.on_hello = |_| OnHello::Close;
        Ok(())
    }),
    Fault::new("tls-closed", "the connection is reset after the ClientHello", |scenario| {
        scenario.on_hello = |_| OnHello::Reset;
        Ok(())
    })
    .named("tls-reset"),
    Fault::new("tls-protocol-error", "what answers the ClientHello is no TLS", |scenario| {
        scenario.on_hello = |_| OnHello::Say(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n");
        Ok(())
    }),
    Fault::new("tls-protocol-error", "the server has an error of its own in the handshake", |scenario| {
        scenario.on_hello = |_| OnHello::Alert(alert::INTERNAL_ERROR);
        Ok(())
    })
    .named("tls-internal-error"),
    Fault::new(
        "tls-unsupported-here",
        "the server's certificate is signed with SHA-224, which psql verifies",
        |scenario| {
            // The channel would be bound by SHA-224 too, and this server binds by SHA-256 only.
            scenario.session.authentication = Authentication::Scram { binds: false };
            sign_with(scenario, Hash::Sha224)
        },
    ),
];

pub(super) const WARNINGS: &[Fault] = &[
    Fault::warning("tls12-only", "TLS 1.3 is offered, and the server chooses 1.2", |scenario| {
        scenario.versions = vec![&TLS12];
        Ok(())
    }),
    Fault::warning(
        "weak-cipher-accepted",
        "the server takes a suite with CBC and SHA-1 from whoever asks for it",
        |scenario| {
            scenario.on_hello = |hello| match hello.offers_weak_suites_only() {
                true => OnHello::WeakTls12,
                false => OnHello::Serve,
            };
            Ok(())
        },
    )
    .seen_by(SeenBy::Audit),
    Fault::warning("legacy-tls-accepted", "the server speaks TLS 1.0 to whoever asks for it", |scenario| {
        scenario.on_hello = |hello| match hello.offers_tls12() {
            true => OnHello::Serve,
            false => OnHello::Tls10,
        };
        Ok(())
    })
    .seen_by(SeenBy::Audit),
];
