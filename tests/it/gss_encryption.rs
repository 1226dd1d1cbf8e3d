//! Kerberos credentials, as libpq finds them: whether libpq 15 (Debian's, built with GSSAPI) sends GSSENCRequest is what the
//! program must say. The server records what comes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::home::Home;
use crate::support::psql::Psql;
use crate::support::tool::Tool;

const GSS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];
const NAMED: &[u8] = b"\x05\x04\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x0bEXAMPLE.COM\0\0\0\x05alice";
const KEYTAB: &[u8] = b"\x05\x02\0\0\0\x2f\0\x01\0\x0bEXAMPLE.COM\0\x05alice\0\0\0\x01\0\0\0\0\x01\0\x12\0\x0ckkkkkkkkkkkk\0\0\0\x01";

/// A server that answers GSSENCRequest with these bytes, or goes without any, and SSLRequest with N.
fn answering(answer: &'static [u8]) -> (u16, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut request = [0; 8];
                while client.read_exact(&mut request).is_ok() {
                    let is_gss = request == GSS;
                    *count.lock().unwrap() += usize::from(is_gss);
                    let answer = if is_gss { answer } else { b"N" };
                    if answer.is_empty() || client.write_all(answer).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, asked)
}

fn conninfo(port: u16) -> String {
    format!("host=127.0.0.1 port={port} user=u dbname=d sslmode=require connect_timeout=5")
}

/// What the program says of the answer to GSSENCRequest, if it warns.
fn warned(home: &Home, conninfo: &str, variables: &[(&str, &str)]) -> Option<String> {
    let tool = variables.iter().fold(Tool::at(home), |tool, (name, value)| tool.env(name, value));
    let report = tool.check(conninfo).json();
    let warnings = report["warnings"].as_array().unwrap();
    let warning = warnings.iter().find(|warning| warning["code"] == "gss-encryption-first")?;
    Some(warning["evidence"]["answer_to_gssencrequest"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn credentials_are_found_where_libpq_finds_them() {
    let home = Home::new();
    for (name, content) in [
        ("good", NAMED),
        ("bad", b"\x05\x09\0\0"),
        ("unnamed", b"\x05\x04\0\0"),
        ("empty", b""),
        ("tickets/tkt1", NAMED),
        ("dangling/tkt1", NAMED),
        ("dangling/primary", b"tkt2\n"),
        ("others/ticket", NAMED),
        ("keys", KEYTAB),
        ("nokeys", b"\x05\x02"),
    ] {
        home.write(name, content);
    }
    let directory = home.path().to_str().unwrap();
    let named = |name: &str| format!("[libdefaults]\n default_ccache_name = FILE:{directory}/{name}\n");
    home.write("good.conf", named("good"));
    home.write("bad.conf", named("%{nonsense}good"));
    home.write("twice.conf", named("good") + &named("missing"));
    home.write("inc.d/x.conf", named("good"));
    home.write("included.conf", format!("includedir {directory}/inc.d\n") + &named("missing"));
    home.write("late.conf", named("missing") + &format!("includedir {directory}/inc.d\n"));
    home.write("keys.conf", format!("[libdefaults]\n default_client_keytab_name = FILE:{directory}/keys\n"));
    let caches = [
        "@/good",
        "FILE:@/good",
        "file:@/good",
        "WRFILE:@/good",
        "@/bad",
        "@/unnamed",
        "@/empty",
        "@/missing",
        "@/tickets",
        "DIR:@/tickets",
        "DIR:@/dangling",
        "DIR::@/tickets/tkt1",
        "DIR:@/others",
        "DIR:@/missing",
        "MEMORY:x",
        "KCM:",
        "KEYRING:persistent:4711",
        "FOO:x",
        "",
    ];
    let keytabs = ["@/keys", "FILE:@/keys", "@/nokeys", "@/missing"];
    let configs = ["good", "bad", "twice", "included", "late", "keys", "missing"];
    let none = ("KRB5_CONFIG", "@/none.conf".to_owned());
    let mut cases: Vec<Vec<(&str, String)>> = vec![vec![none.clone()]];
    cases.extend(caches.map(|name| vec![none.clone(), ("KRB5CCNAME", name.to_owned())]));
    cases.extend(keytabs.map(|name| vec![none.clone(), ("KRB5_CLIENT_KTNAME", name.to_owned())]));
    for name in configs {
        let config = ("KRB5_CONFIG", format!("@/{name}.conf"));
        cases.push(vec![config.clone()]);
        cases.push(vec![config.clone(), ("KRB5CCNAME", String::new())]);
        cases.push(vec![config, ("KRB5CCNAME", "@/good".to_owned()), ("PGGSSENCMODE", "disable".to_owned())]);
    }
    let mut found = 0;
    for case in cases {
        let variables: Vec<_> =
            case.into_iter().map(|(name, value)| (name, value.replace('@', directory))).collect();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (port, asked) = answering(b"N");
        Psql::libpq(15).connect(&home, &conninfo(port), &variables);
        let by_libpq = *asked.lock().unwrap() > 0;
        let here = warned(&home, &conninfo(port), &variables);
        assert_eq!(here.is_some(), by_libpq, "{variables:?}");
        assert_eq!(*asked.lock().unwrap(), 2 * usize::from(by_libpq), "asked once each: {variables:?}");
        found += usize::from(by_libpq);
    }
    assert!(found > 10, "{found}");
}

/// What each answer leads to in libpq 15, and what the program says of it.
#[test]
fn every_answer_is_told_with_what_libpq_makes_of_it() {
    let home = Home::new();
    let cache = home.write("good", NAMED);
    let variables = [("KRB5CCNAME", cache.to_str().unwrap())];
    let declined = "server does not support SSL, but SSL was required";
    for (answer, told, libpq) in [
        (&b"N"[..], "declined (N)", declined),
        (b"G", "accepted (G)", "could not initiate GSSAPI security context"),
        (b"E", "an error (E)", declined),
        (b"S", "not a PostgreSQL answer", "received invalid response to GSSAPI negotiation: S"),
        (b"", "connection closed", "server closed the connection unexpectedly"),
    ] {
        let (port, _) = answering(answer);
        let connection = Psql::libpq(15).connect(&home, &conninfo(port), &variables);
        assert!(connection.stderr.contains(libpq), "{told}: {connection:?}");
        assert_eq!(warned(&home, &conninfo(port), &variables).as_deref(), Some(told));
    }
}

#[test]
fn required_gss_encryption_is_never_tls() {
    let home = Home::new();
    let cache = home.write("good", NAMED);
    let (port, _) = answering(b"N");
    let required = format!("{} gssencmode=require", conninfo(port));
    for (variables, cause, libpq) in [
        (
            &[("KRB5CCNAME", cache.to_str().unwrap())][..],
            "never uses TLS",
            "doesn't support GSSAPI encryption",
        ),
        (
            &[("KRB5CCNAME", "MEMORY:x")],
            "without Kerberos credentials",
            "GSSAPI encryption required but was impossible",
        ),
    ] {
        let connection = Psql::libpq(15).connect(&home, &required, variables);
        assert!(connection.stderr.contains(libpq), "{connection:?}");
        let tool = variables.iter().fold(Tool::at(&home), |tool, (name, value)| tool.env(name, value));
        let report = tool.check(&required);
        report.exits(2).diagnosed("option-not-supported");
        let told = report.at("/diagnosis").to_string();
        assert!(told.contains(cause), "{told}");
    }
}
