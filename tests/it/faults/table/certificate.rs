//! Faults of the chain and of the name.

use super::*;

pub(super) const FAILURES: &[Row] = &[
    Row {
        fault: "unknown-issuer",
        shows: "sought: CN=Demo Root CA, O=pgtls-check demo; sent: db.example; in_file: Other Root CA",
        fix: "get the root certificate of this CA",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Settings("the root, first of several", "sslrootcert=DIR/several-first.pem")],
    },
    Row {
        fault: "root-not-in-file",
        shows: "sent: db.example; needed: Demo Root CA, SHA-256; known_in: this machine's store; in_file: Other Root CA",
        fix: "sslrootcert=system",
        fixed_by: Works("sslrootcert=system"),
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Settings("the root, last of several", "sslrootcert=DIR/several.pem")],
    },
    Row {
        fault: "intermediate-missing",
        shows: "missing: CN=Demo Intermediate CA; sent: db.example; in_file: Demo Root CA",
        fix: "cat intermediate.crt >> server.crt",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Chain("what nobody needs, sent between the certificates", |certificates| {
            certificates.staged(&[
                &certificates.plain,
                &certificates.root,
                &certificates.old,
                &certificates.ca,
            ])
        })],
    },
    Row {
        fault: "self-signed",
        shows: "subject: db.example; sha256:; until:; in_file: Demo Root CA",
        fix: "openssl x509 -noout -fingerprint -sha256 -in",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Chain("a self-signed certificate that is in the file", |certificates| {
            let own = server().self_signed();
            Staged { root: own.clone(), ..certificates.staged(&[&own]) }
        })],
    },
    Row {
        fault: "root-key-changed",
        shows: "name: Demo Root CA; used: SHA-256; in_file: SHA-256; sent: db.example",
        fix: "get the CA's current certificate",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Settings("both roots of the name, the old one first", "sslrootcert=DIR/renewed.pem")],
    },
    Row {
        fault: "root-file-lacks-root",
        shows: "in_file: Demo Intermediate CA; needed: Demo Root CA",
        fix: "get the root certificate Demo Root CA",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Settings("the intermediate beside its root", "sslrootcert=DIR/both.pem")],
    },
    Row {
        fault: "tls-inspection",
        shows: "issued_by: CN=Zscaler Intermediate Root CA, O=Zscaler; product: Zscaler; expected: a CA of Azure Database for PostgreSQL; sent: demo.postgres.database.azure.com; in_file: Demo Root CA",
        fix: "have demo.postgres.database.azure.com port",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Chain("an inspecting proxy's root, trusted", |certificates| {
            let root = Draft::authority("Zscaler Root CA").self_signed();
            Staged { root: root.clone(), ..certificates.staged(&[&server().signed_by(&root)]) }
        })],
    },
    Row {
        fault: "tls-inspection-own-ca",
        shows: "issued_by: Corporate Root CA; expected: a CA of Azure Database for PostgreSQL; sent: demo.postgres.database.azure.com; in_file: Demo Root CA",
        fix: "do not add its CA to the root file",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[],
    },
    Row {
        fault: "hostname-mismatch",
        shows: "expected: localhost; certificate_names: db.example; closest: db.example",
        fix: "host=db.example hostaddr=127.0.0.1",
        fixed_by: Works("host=db.example hostaddr=127.0.0.1"),
        psql: Fails(r#"server certificate for "db.example" does not match host name "localhost""#),
        neighbours: &[
            Settings("the name in other letters", "host=DB.Example"),
            Settings("an address that the certificate is for", "host=127.0.0.1 hostaddr=''"),
            Settings("an IPv6 address, written long", "host=0:0:0:0:0:0:0:1 hostaddr=''"),
            Chain("a wildcard", |certificates| {
                certificates.issued(Draft::server("*.example").names([dns("*.example"), dns("x.test")]))
            }),
            Chain("the last of several names", |certificates| {
                let names = [dns("first.test"), ip(&[10, 0, 0, 1]), dns(NAME)];
                certificates.issued(Draft::server("first.test").names(names))
            }),
        ],
    },
    Row {
        fault: "hostname-mismatch-address",
        shows: "expected: 127.0.0.1; certificate_names: db.example; closest: db.example",
        fix: "host=db.example hostaddr=127.0.0.1",
        fixed_by: Works("host=db.example hostaddr=127.0.0.1"),
        psql: Fails(r#"does not match host name "127.0.0.1""#),
        neighbours: &[],
    },
    Row {
        fault: "hostname-mismatch-other-server",
        shows: "expected: orders.example; certificate_names: db.example; closest: db.example; address_from: hostaddr=127.0.0.1 comes from environment variable PGHOSTADDR",
        fix: "let it end at orders.example",
        fixed_by: Untried("host=db.example hostaddr=127.0.0.1"),
        psql: Fails(r#"server certificate for "db.example" does not match host name "orders.example""#),
        neighbours: &[],
    },
    Row {
        fault: "certificate-expired",
        shows: "certificate: db.example; valid:; days_past:; judged_at:",
        fix: "SELECT pg_reload_conf()",
        fixed_by: NoSetting,
        psql: Alerts(CERTIFICATE_EXPIRED),
        neighbours: &[Chain("an expired certificate of another server, sent as well", |certificates| {
            certificates.staged(&[&certificates.plain, &certificates.ca, &certificates.old])
        })],
    },
    Row {
        fault: "intermediate-expired",
        shows: "certificate: Demo Intermediate CA; valid:; days_past:; judged_at:",
        fix: "SELECT pg_reload_conf()",
        fixed_by: NoSetting,
        psql: Alerts(CERTIFICATE_EXPIRED),
        neighbours: &[],
    },
    Row {
        fault: "certificate-not-yet-valid",
        shows: "certificate: db.example; valid:; days_ahead: 7; judged_at:",
        fix: "timedatectl",
        fixed_by: NoSetting,
        psql: Alerts(BAD_CERTIFICATE),
        neighbours: &[Chain("a CA to come, sent as well", |certificates| {
            let next = Draft::authority("Next CA").future().signed_by(&certificates.root);
            certificates.staged(&[&certificates.plain, &certificates.ca, &next])
        })],
    },
    Row {
        fault: "certificate-revoked",
        shows: "certificate: db.example; serial:; since:; reason: keyCompromise; list: root.crl",
        fix: "SELECT pg_reload_conf()",
        fixed_by: NoSetting,
        psql: Alerts(CERTIFICATE_REVOKED),
        neighbours: &[Chain("a list that revokes another", Certificates::with_lists)],
    },
    Row {
        fault: "crl-missing",
        shows: "issuer: CN=Demo Root CA, O=pgtls-check demo; certificate: Demo Intermediate CA; crl_files: root.crl",
        fix: "openssl crl -in ca.crl >>",
        fixed_by: Works("sslcrl="),
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[Chain("a list of every CA", Certificates::with_lists)],
    },
    Row {
        fault: "crl-directory-missing",
        shows: "issuer: CN=Demo Intermediate CA; certificate: db.example; crl_files:; directory: no-such-directory, which does not exist",
        fix: "openssl rehash",
        fixed_by: Works("sslcrldir="),
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[],
    },
    Row {
        fault: "certificate-weak",
        shows: "certificate: db.example; weak: its signature uses SHA-1 (ecdsa-with-SHA1); needed: a signature with SHA-256 or better",
        fix: "SELECT pg_reload_conf()",
        fixed_by: NoSetting,
        psql: Differs(&Alerts(BAD_CERTIFICATE), &Connects),
        neighbours: &[Chain("the smallest RSA key that is taken", |certificates| {
            certificates.issued(server().keyed(Kind::Rsa(2048)))
        })],
    },
    Row {
        fault: "certificate-purpose",
        shows: "certificate: db.example; constraint: extendedKeyUsage clientAuth",
        fix: "reissue it with serverAuth in extendedKeyUsage",
        fixed_by: NoSetting,
        psql: Alerts(UNSUPPORTED_CERTIFICATE),
        neighbours: &[Chain("no purpose named", |certificates| {
            certificates.issued(server().without(EXTENDED_KEY_USAGE))
        })],
    },
    Row {
        fault: "issuer-no-ca",
        shows: "certificate: Demo Intermediate; constraint: keyUsage digitalSignature",
        fix: "reissue it as a CA: basicConstraints CA:TRUE",
        fixed_by: NoSetting,
        psql: Alerts(UNKNOWN_CA),
        neighbours: &[],
    },
    Row {
        fault: "certificate-name-constraints",
        shows: "certificate: db.example; name: DNS:db.example; constraint: permitted",
        fix: "issued by another CA, one that may issue for DNS:db.example",
        fixed_by: NoSetting,
        psql: Alerts(CERTIFICATE_UNKNOWN),
        neighbours: &[Chain("a CA for these names and not for others", |certificates| {
            let constraints = name_constraints(&[dns("example")], &[dns("other.example")]);
            let ca = Draft::authority("Constrained CA").with(constraints).signed_by(&certificates.root);
            certificates.staged(&[&server().signed_by(&ca), &ca])
        })],
    },
    Row {
        fault: "certificate-invalid",
        shows: "certificate: db.example; what: it does not verify with the key of the",
        fix: "openssl verify -partial_chain -trusted intermediate.crt server.crt",
        fixed_by: NoSetting,
        psql: Alerts(DECRYPT_ERROR),
        neighbours: &[Chain("an extension that nobody knows, not critical", |certificates| {
            certificates.issued(server().also(Extension::new("1.3.6.1.4.1.99999.7", vec![5, 0])))
        })],
    },
    Row {
        fault: "unknown-critical-extension",
        shows: "certificate: db.example; what: extension 1.3.6.1.4.1.99999.1",
        fix: "reissue it without that extension",
        fixed_by: NoSetting,
        psql: Alerts(CERTIFICATE_UNKNOWN),
        neighbours: &[],
    },
    Row {
        fault: "certificate-malformed",
        shows: "what: certificate is cut off:; subject:; sha256:",
        fix: "reissue it with a current tool",
        fixed_by: NoSetting,
        psql: Alerts(BAD_CERTIFICATE),
        neighbours: &[],
    },
];

pub(super) const WARNINGS: &[Row] = &[
    Row {
        fault: "sslmode-not-verifying",
        shows: "verify_full: would fail: there is no root file to verify with; from: the connection string",
        fix: "sslmode=verify-full",
        fixed_by: Uncovers("sslmode=verify-full", "root-file-missing"),
        psql: Connects,
        neighbours: &[Settings(
            "the mode that verifies all, named twice",
            "sslmode=verify-full sslmode=verify-full",
        )],
    },
    Row {
        fault: "certificate-expires-soon",
        shows: "days_left: 10; expires:; threshold: 30",
        fix: "on the server: renew it for longer than the threshold of 30 days (it expires in 10 days)",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Chain("two days more than the threshold", |certificates| {
            certificates.issued(server().valid(days(-2), days(32)))
        })],
    },
    Row {
        fault: "root-expires-soon",
        shows: "days_left: 20; expires:; threshold: 30",
        fix: "get the CA's next root and add it to the file",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Chain("a root that ends two days after the threshold", |certificates| {
            let root = Draft::authority("Neighbour Root").valid(days(-2), days(32)).self_signed();
            Staged { root: root.clone(), ..certificates.staged(&[&server().signed_by(&root)]) }
        })],
    },
    Row {
        fault: "root-bundle-incomplete",
        shows: "missing: DigiCert Global Root G2, SHA-256 CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F; announced: 2025-11-11; source:",
        fix: "sslrootcert=azure-roots.pem",
        fixed_by: Uncovers("sslrootcert=azure-roots.pem", "tls-inspection"),
        psql: Connects,
        neighbours: &[Chain("all roots that the provider has announced", Certificates::at_azure)],
    },
    Row {
        fault: "no-subject-alt-name",
        shows: "refused_by: Go (lib/pq, pgx)",
        fix: "reissue it with every name in subjectAltName",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Chain("another common name beside the right subjectAltName", |certificates| {
            certificates.issued(server().subject(common_name("another name")))
        })],
    },
    Row {
        fault: "ca-as-server-certificate",
        shows: "refused_by: rustls (tokio-postgres, sqlx)",
        fix: "reissue it with CA:FALSE",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Chain("the CAs themselves sent as well", |certificates| {
            certificates.staged(&[&certificates.plain, &certificates.ca, &certificates.root])
        })],
    },
    Row {
        fault: "strict-client-rejects",
        shows: "refused_by: rustls (tokio-postgres, sqlx)",
        fix: "reissue it as version 3",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Chain("the same policy, not critical", |certificates| {
            let policy = sequence(&[&oid("1.3.6.1.4.1.99999.1")]);
            certificates.issued(server().also(Extension::new(POLICIES, sequence(&[&policy]))))
        })],
    },
];
