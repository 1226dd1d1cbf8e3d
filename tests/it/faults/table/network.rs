//! Faults on the way to the server and before TLS.

use super::*;

pub(super) const FAILURES: &[Row] = &[
    Row {
        fault: "dns-not-found",
        shows: "name: db..example; answer: Name or service not known ; asked:",
        fix: "check the spelling of host",
        fixed_by: NoSetting,
        psql: Fails("Name or service not known"),
        neighbours: &[Settings(
            "a name that the hosts file has",
            "host=localhost hostaddr=127.0.0.1 sslmode=verify-ca",
        )],
    },
    Row {
        fault: "tcp-timeout",
        shows: "to: , this machine itself; port:; seconds:",
        fix: "ss -ltn sport =",
        fixed_by: NoSetting,
        psql: Fails("timeout expired"),
        neighbours: &[Test(networks::dropped_packets_read_by_the_kind_of_address)],
    },
    Row {
        fault: "tcp-refused",
        shows: "to: 127.; port:; error: refused",
        fix: "ss -ltnp | grep -i postgres",
        fixed_by: NoSetting,
        psql: Fails("Connection refused"),
        neighbours: &[Settings(
            "the second of two hosts",
            "host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=CLOSED,PORT",
        )],
    },
    Row {
        fault: "tcp-unreachable",
        shows: "to: 127.; port:; error: unreachable",
        fix: "ip route get 127.255.255.255",
        fixed_by: NoSetting,
        psql: Fails("Network is unreachable"),
        neighbours: &[Test(networks::closed_ways_name_the_error_of_the_system)],
    },
    Row {
        fault: "server-refused-tls",
        shows: "answer: N, to SSLRequest; to: 127.",
        fix: "ALTER SYSTEM SET ssl = on;  SELECT",
        fixed_by: NoSetting,
        psql: Fails("server does not support SSL, but SSL was required"),
        neighbours: &[Test(neighbours::a_pooler_with_tls_on)],
    },
    Row {
        fault: "negotiation-closed",
        shows: "answer: closed (FIN); to: 127.",
        fix: "check the allow list of the proxy, load balancer",
        fixed_by: NoSetting,
        psql: Fails("server closed the connection unexpectedly"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "negotiation-reset",
        shows: "answer: reset (RST); to: 127.",
        fix: "check the allow list of the proxy, load balancer",
        fixed_by: NoSetting,
        psql: Fails("server closed the connection unexpectedly"),
        neighbours: &[],
    },
    Row {
        fault: "negotiation-timeout",
        shows: "to: 127.; sent: 8 bytes, acknowledged; seconds:",
        fix: "check that the load balancer or proxy there",
        fixed_by: NoSetting,
        psql: Fails("timeout expired"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "not-postgresql",
        shows: r#"protocol: HTTP; first_bytes: "HTTP/1.1 400 Bad Request\r\nServer; to: 127."#,
        fix: "check host and port: this was db.example, port",
        fixed_by: NoSetting,
        psql: Fails("received invalid response to SSL negotiation: H"),
        neighbours: &[Settings("TLS first, where that is asked for", "sslnegotiation=direct")],
    },
    Row {
        fault: "not-postgresql-ssh",
        shows: r#"protocol: SSH; first_bytes: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\; to: 127."#,
        fix: "check host and port: this was db.example, port",
        fixed_by: NoSetting,
        // It takes the S of SSH for a yes; then the rest of the banner, or the end, whichever comes first, is no TLS.
        psql: Fails("failed: SSL "),
        neighbours: &[],
    },
    Row {
        fault: "server-error-before-tls",
        shows: r#"unauthenticated: "sorry, too many clients already"; sqlstate: 53300; to: 127."#,
        fix: "wait, end idle sessions, use a pooler, or raise",
        fixed_by: NoSetting,
        psql: Fails("server sent an error response during SSL exchange"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "injected-plaintext",
        shows: "bytes: 14; first_bytes: 43 00 00 00 0d 53 45 4c 45 43 54 20 31; to: 127.",
        fix: "check from another network: if the bytes",
        fixed_by: NoSetting,
        psql: Fails("received unencrypted data after SSL response"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "direct-tls-unsupported",
        shows: "answer: closed (FIN); to: 127.",
        fix: "sslnegotiation=postgres",
        fixed_by: Works("sslnegotiation=postgres"),
        psql: Differs(&UNKNOWN, &Fails("SSL SYSCALL error: EOF detected")),
        neighbours: &[Settings("a server that knows it", "sslnegotiation=direct")],
    },
];

pub(super) const WARNINGS: &[Row] = &[
    Row {
        fault: "plaintext-accepted",
        shows: "answer: in plaintext",
        fix: "hostssl instead of host in pg_hba.conf",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Test(audit::versions_suites_and_groups_are_those_the_server_was_given)],
    },
    Row {
        fault: "gss-encryption-first",
        shows: "credentials: krb5cc; answer_to_gssencrequest: declined (N)",
        fix: "gssencmode=disable",
        fixed_by: Untried("gssencmode=disable"),
        psql: Connects,
        neighbours: &[Settings("TLS alone", "gssencmode=disable")],
    },
];
