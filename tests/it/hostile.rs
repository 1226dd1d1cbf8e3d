//! Servers and files that would write to the reader's terminal: whatever they say is printable in every format, and what
//! was said before TLS is marked as nobody's word.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use pgtls_check::report::Format;
use pgtls_check::text::is_printable;

use crate::support::home::Home;
use crate::support::odd_pki::{Draft, common_name, dns, name, text};
use crate::support::pki::Algorithm;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::{self, NAME, OPEN, Site};
use crate::support::tool::{Report, Tool};

/// Title, clear screen, a forged last line, an 8-bit control, an override of the writing direction, a delete.
const POISON: &str =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\r\nverified  forged.example\u{9b}31m\u{202e}\u{200b}\u{7f}";

/// Runs a check in every format; nothing it writes is more than text.
#[track_caller]
fn in_every_format(home: &Home, conninfo: &str) -> Report {
    let formats = Format::ALL.iter().map(|format| vec!["--format", format.name()]);
    let others = [&[][..], &["-v"], &["-q"], &["--show-config"], &["--show-config", "--format", "json"]]
        .map(<[_]>::to_vec);
    for options in others.into_iter().chain(formats) {
        let mut tool = Tool::at(home);
        for option in &options {
            tool = tool.with([*option]);
        }
        let report = tool.with([conninfo]).run();
        for written in [&report.stdout, &report.stderr] {
            let bad = written.chars().find(|sign| *sign != '\n' && !is_printable(*sign));
            assert!(bad.is_none(), "{bad:?} with {options:?}: {written:?}");
            let forged = written.lines().any(|line| line.starts_with("verified  forged.example"));
            assert!(!forged, "a forged line with {options:?}: {written}");
        }
    }
    let report = Tool::at(home).check(conninfo);
    // JSON may carry what is not printable, escaped by its own means.
    assert_eq!(report.stdout.lines().count(), 1, "{report}");
    let raw = report.stdout.trim_end().chars().find(|sign| sign.is_control());
    assert!(raw.is_none(), "{raw:?} in {report}");
    report
}

/// A server that answers whatever comes first with these bytes, and hangs up.
fn answering(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; 8];
            // A client that is gone already is not served.
            let _ = client.read_exact(&mut request).and_then(|()| client.write_all(&answer));
        }
    });
    port
}

fn error_response(message: &str) -> Vec<u8> {
    let body = format!("SFATAL\0VFATAL\0C53300\0M{message}\0D{message}\0H{message}\0\0");
    let mut response = vec![b'E'];
    response.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    response.extend(body.as_bytes());
    response
}

fn root(home: &Home) -> String {
    let root = Draft::authority("root").self_signed();
    home.write("root.pem", root.pem()).to_str().unwrap().to_owned()
}

#[test]
fn what_comes_before_tls_is_printable_and_nobody_s_word() {
    let home = Home::new();
    let root = root(&home);
    let old = format!("E{POISON}\0").into_bytes();
    for answer in [error_response(POISON), old] {
        let conninfo = site::verify_full(answering(answer), &root, OPEN);
        let report = in_every_format(&home, &conninfo);
        report.exits(6).diagnosed("server-error-before-tls");
        assert!(report.at("/diagnosis/evidence/unauthenticated").is_string(), "{report}");
        let told = Tool::at(&home).with([conninfo.as_str()]).run();
        let line = told.stdout.lines().find(|line| line.contains("owned")).expect("what the server said");
        assert!(line.contains("unauthenticated"), "{told}");
    }
    for (answer, code) in [
        (format!("SSH-2.0-{POISON}\r\n"), "not-postgresql"),
        (format!("HTTP/1.1 200 {POISON}\r\n\r\n"), "not-postgresql"),
        (format!("S{POISON}"), "injected-plaintext"),
        (format!("*{POISON}"), "not-postgresql"),
    ] {
        let conninfo = site::verify_full(answering(answer.into_bytes()), &root, OPEN);
        in_every_format(&home, &conninfo).exits(6).diagnosed(code);
    }
}

#[test]
fn names_in_certificates_are_printable() {
    let home = Home::new();
    let utf8 = |bytes: &[u8]| text(0x0c, bytes);
    let poisoned = || name(&[("2.5.4.3", utf8(POISON.as_bytes())), ("2.5.4.10", utf8(POISON.as_bytes()))]);
    let root = Draft::authority("root").subject(poisoned()).self_signed();
    let leaf =
        Draft::server(NAME).subject(poisoned()).names([dns(POISON), dns("x.example")]).signed_by(&root);
    let other = Draft::authority("other").subject(common_name("other")).self_signed();
    for (root, code) in [(&root, "hostname-mismatch"), (&other, "unknown-issuer")] {
        let scripted = ScriptedServer::start(
            std::slice::from_ref(&leaf.der),
            &leaf.key,
            &Tls { blind: true, ..Tls::default() },
        );
        let path = home.write("root.pem", root.pem());
        let conninfo = site::verify_full(scripted.address.port(), path.to_str().unwrap(), OPEN);
        in_every_format(&home, &conninfo).exits(8).diagnosed(code);
    }
}

#[test]
fn errors_and_notices_of_a_session_are_printable() {
    let home = Home::new();
    let site = Site::new(18, Algorithm::Ecdsa, |setup| setup.trusted("warned").trusted("refused"));
    // What a hostile server can say after TLS, an honest one can be made to say: a trigger on login.
    let hex: String = POISON.bytes().map(|byte| format!("{byte:02x}")).collect();
    site.server.execute(&format!(
        "CREATE FUNCTION speak() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ \
         DECLARE words text := convert_from(decode('{hex}', 'hex'), 'UTF8'); \
         BEGIN RAISE NOTICE '%', words; \
         IF session_user = 'refused' THEN RAISE EXCEPTION '%', words USING DETAIL = words, HINT = words; END IF; \
         END $$; \
         CREATE EVENT TRIGGER speak ON login EXECUTE FUNCTION speak(); \
         ALTER EVENT TRIGGER speak ENABLE ALWAYS;"
    ));
    in_every_format(&home, &site.verify_full(&home, "warned")).verified();
    let refused = in_every_format(&home, &site.verify_full(&home, "refused"));
    refused.exits(9).diagnosed("server-error").says("/diagnosis/evidence/sqlstate", "P0001");
    assert!(refused.at("/diagnosis/evidence/message").to_string().contains("owned"), "{refused}");
    // A name of the client's own comes back in the server's words.
    let database =
        in_every_format(&home, &format!("{} dbname='{POISON}'", site.verify_full(&home, "warned")));
    database.exits(9).diagnosed("database-missing");
}

#[test]
fn files_and_strings_are_printable() {
    let home = Home::new();
    let good = site::verify_full(1, &root(&home), OPEN);
    let page = home.write("page.pem", format!("<!DOCTYPE html><title>{POISON}</title>"));
    let named = home.write(&format!("{}.pem", POISON.replace('/', "")), POISON);
    let named = named.to_str().unwrap();
    home.write(".pg_service.conf", format!("[{POISON}\nhost={POISON}\n"));
    for (settings, code) in [
        (format!("sslrootcert={}", page.display()), "tcp-refused"),
        (format!("sslrootcert='{named}'"), "tcp-refused"),
        (format!("sslcert='{named}' sslkey='{named}'"), "tcp-refused"),
        (format!("sslmode='{POISON}'"), "conninfo-invalid-value"),
        (format!("host='{POISON}' hostaddr=''"), "conninfo-host-malformed"),
        (format!("service='{POISON}'"), "service-not-found"),
        ("\u{1b}[2Jkeyword=x".to_owned(), "conninfo-unknown-option"),
        (format!("x='{POISON}"), "conninfo-syntax"),
    ] {
        in_every_format(&home, &format!("{good} {settings}")).diagnosed(code);
    }
}

/// A message of TLS has room for thousands of certificates, and a certificate for a serial number of any length.
#[test]
fn chains_of_any_length_and_numbers_of_any_size_make_reports_that_can_be_read() {
    let home = Home::new();
    let root = Draft::authority("root").self_signed();
    let file = home.write("root.pem", root.pem());
    let leaf = Draft::server("other.example").serial(&[0x5a; 20_000]).signed_by(&root);
    let more = [vec![], vec![0x30]].into_iter().cycle().take(5000);
    let chain: Vec<Vec<u8>> = [leaf.der.clone()].into_iter().chain(more).collect();
    let scripted = ScriptedServer::start(&chain, &leaf.key, &Tls { blind: true, ..Tls::default() });
    let conninfo = site::verify_full(scripted.address.port(), file.to_str().unwrap(), OPEN);
    let report = in_every_format(&home, &conninfo);
    report.exits(8);
    assert!(report.stdout.len() < 150_000, "{} bytes", report.stdout.len());
    assert!(report.at("/chain_count").as_u64() > Some(5000), "{report}");
    assert_eq!(report.at("/chain").as_array().map(Vec::len), Some(100));
    let page = Tool::at(&home).with(["-v", conninfo.as_str()]).run().stdout;
    assert!(page.contains("and 49"), "{page}");
    assert!(page.lines().count() < 200 && page.lines().all(|line| line.len() < 1000), "{page}");
}
