//! Faults before TLS: resolving, connecting, and asking for TLS.

use super::{Fault, SeenBy};
use crate::demo::messages::Refusal;
use crate::demo::server::{Listening, OnRequest};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("dns-not-found", "the host's name does not exist", |scenario| {
        scenario.unset("hostaddr");
        // An empty label: no resolver is asked, so the answer is the same without a network.
        scenario.set("host", "db..example");
        Ok(())
    }),
    Fault::new("tcp-timeout", "packets to the port are dropped", |scenario| {
        scenario.listening = Listening::Unanswered;
        scenario.set("connect_timeout", "2");
        Ok(())
    }),
    Fault::new("tcp-refused", "nobody listens on the port", |scenario| {
        scenario.listening = Listening::Refused;
        Ok(())
    }),
    Fault::new("tcp-unreachable", "no route leads to the address", |scenario| {
        scenario.listening = Listening::Refused;
        // The broadcast address of loopback: TCP goes to no such address, and no packet leaves the machine.
        scenario.set("hostaddr", "127.255.255.255");
        Ok(())
    }),
    Fault::new("server-refused-tls", "the server has TLS off and says N", |scenario| {
        scenario.on_request = OnRequest::Refuse;
        Ok(())
    }),
    Fault::new("negotiation-closed", "the server closes when asked for TLS", |scenario| {
        scenario.on_request = OnRequest::Close;
        scenario.direct = false;
        Ok(())
    }),
    Fault::new("negotiation-closed", "the server resets the connection when asked for TLS", |scenario| {
        scenario.on_request = OnRequest::Reset;
        scenario.direct = false;
        Ok(())
    })
    .named("negotiation-reset"),
    Fault::new("negotiation-timeout", "the server says nothing when asked for TLS", |scenario| {
        scenario.on_request = OnRequest::Silence;
        scenario.direct = false;
        scenario.set("connect_timeout", "2");
        Ok(())
    }),
    Fault::new("not-postgresql", "a web server listens on the port", |scenario| {
        let answer =
            "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        scenario.on_request = OnRequest::Say(answer.into());
        Ok(())
    }),
    Fault::new(
        "not-postgresql",
        "an SSH server listens on the port; its greeting begins with S",
        |scenario| {
            scenario.greeting = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
            scenario.on_request = OnRequest::Say(b"Invalid SSH identification string.\r\n".into());
            Ok(())
        },
    )
    .named("not-postgresql-ssh"),
    Fault::new("not-postgresql", "a load balancer speaks TLS at once and closes on SSLRequest", |scenario| {
        scenario.on_request = OnRequest::Close;
        Ok(())
    })
    .named("not-postgresql-tls-first"),
    Fault::new(
        "server-error-before-tls",
        "the server has no connection left and says so before TLS",
        |scenario| {
            let refusal = Refusal::fatal("53300", "sorry, too many clients already");
            scenario.on_request = OnRequest::Say(refusal.encode());
            Ok(())
        },
    ),
    Fault::new("server-error-before-tls", "the near end of a tunnel speaks plaintext only", |scenario| {
        let words = "unexpected message: wanted StartupMessage, got SSLRequest";
        scenario.on_request = OnRequest::Say(Refusal::fatal("08P01", words).encode());
        Ok(())
    })
    .named("server-error-before-tls-tunnel"),
    Fault::new("injected-plaintext", "somebody puts bytes between the server's S and TLS", |scenario| {
        scenario.on_request = OnRequest::Accept(b"C\0\0\0\x0dSELECT 1\0");
        Ok(())
    }),
    Fault::new(
        "direct-tls-unsupported",
        "the server, older than PostgreSQL 17, knows no direct TLS",
        |scenario| {
            scenario.direct = false;
            scenario.set("sslnegotiation", "direct");
            Ok(())
        },
    ),
];

pub(super) const WARNINGS: &[Fault] = &[
    Fault::warning(
        "address-silent",
        "the first of two hosts does not respond, the second does",
        |scenario| {
            let silent = scenario.start_silent()?.to_string();
            let port = scenario.port().to_string();
            scenario.set("host", "db.example,db.example");
            scenario.set("hostaddr", "127.0.0.1,127.0.0.1");
            scenario.set("port", format!("{silent},{port}"));
            scenario.set("connect_timeout", "2");
            Ok(())
        },
    ),
    Fault::warning("plaintext-accepted", "the server takes connections without TLS too", |scenario| {
        scenario.plaintext = true;
        Ok(())
    })
    .seen_by(SeenBy::Audit),
    Fault::warning(
        "gss-encryption-first",
        "Kerberos credentials are there, so libpq asks for GSS first",
        |scenario| {
            // A cache of version 4 that names a principal and holds no ticket.
            let cache = b"\x05\x04\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x0bEXAMPLE.COM\0\0\0\x05alice";
            let path = scenario.directory.write("krb5cc", cache)?;
            scenario.export("KRB5CCNAME", path);
            Ok(())
        },
    ),
    Fault::warning("libpq-builds-differ", "OpenSSL's configuration limits TLS to 1.2", |scenario| {
        let text = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = system\n[system]\nMaxProtocol = TLSv1.2\n";
        let path = scenario.directory.write("openssl.cnf", text)?;
        scenario.export("OPENSSL_CONF", path);
        Ok(())
    }),
];
