//! Faults of the connection string and its surroundings.

use super::*;

pub(super) const FAILURES: &[Row] = &[
    Row {
        fault: "conninfo-syntax",
        shows: "column:",
        fix: "close the quote; a ' inside a value is written",
        fixed_by: Works(""),
        psql: Fails("unterminated quoted string"),
        neighbours: &[Settings("quotes and blanks that end well", r"application_name = 'it\'s \\ me'  ")],
    },
    Row {
        fault: "conninfo-unknown-option",
        shows: "option: sslrootcrt; nearest: sslrootcert",
        fix: "write `sslrootcert`",
        fixed_by: Works(""),
        psql: Fails(r#"invalid connection option "sslrootcrt""#),
        neighbours: &[Settings("an option that few know", "fallback_application_name=x")],
    },
    Row {
        fault: "conninfo-invalid-value",
        shows: "option: sslmode; value: verify_full; allowed: disable, allow, prefer, require, ; from: the connection string",
        fix: "sslmode=verify-full",
        fixed_by: Works("sslmode=verify-full"),
        psql: Fails(r#"invalid sslmode value: "verify_full""#),
        neighbours: &[Settings("blanks round a number", "connect_timeout=' 7 ' keepalives=0")],
    },
    Row {
        fault: "conninfo-host-malformed",
        shows: "host: https://db.example; meant: db.example",
        fix: "host=db.example",
        fixed_by: Uncovers("host=db.example", "dns-not-found"),
        psql: Fails(r#"could not translate host name "https://db.example""#),
        neighbours: &[Settings("an odd name beside an address", "host=https://x sslmode=verify-ca")],
    },
    Row {
        fault: "service-not-found",
        shows: "section: [billing]; looked_in: services.conf; services: orders",
        fix: "add a section [billing]",
        fixed_by: Works(""),
        psql: Fails(r#"definition of service "billing" not found"#),
        neighbours: &[Settings("a service", "service=bed")],
    },
    Row {
        fault: "host-required",
        shows: "missing: host; certificate_names: db.example",
        fix: "if the server you mean is db.example (the name in the certificate",
        fixed_by: Untried("host=db.example"),
        psql: Fails("host name must be specified for a verified SSL connection"),
        neighbours: &[Settings(
            "an address without a name, where none is compared",
            "host='' sslmode=verify-ca",
        )],
    },
    Row {
        fault: "tls-not-requested",
        shows: "sslmode: disable; from: the connection string",
        fix: "sslmode=verify-full",
        fixed_by: Works("sslmode=verify-full"),
        psql: Connects,
        neighbours: &[Settings("a mode that asks", "sslmode=verify-ca")],
    },
    Row {
        fault: "option-not-supported",
        shows: "option: gssencmode; value: require",
        fix: "turn GSSAPI encryption off",
        fixed_by: Works("gssencmode=disable"),
        psql: Fails("GSSAPI"),
        neighbours: &[Settings("the option's harmless values", "gssencmode=disable")],
    },
];
