//! How other protocols answer SSLRequest or a ClientHello: their first bytes. One row a protocol.

use crate::text;

/// A protocol and how its answers begin.
struct Fingerprint {
    /// Its name for people.
    name: &'static str,
    /// Whether these are its first bytes.
    fits: fn(&[u8]) -> bool,
    /// What most likely is the matter, as the end of a sentence.
    meaning: &'static str,
}

/// A protocol that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recognised {
    /// Its name.
    pub name: &'static str,
    /// What most likely is the matter.
    pub meaning: &'static str,
}

/// Names the protocol of some first bytes.
pub(super) fn recognise(bytes: &[u8]) -> Option<Recognised> {
    FINGERPRINTS
        .iter()
        .find(|fingerprint| (fingerprint.fits)(bytes))
        .map(|Fingerprint { name, meaning, .. }| Recognised { name, meaning })
}

/// First bytes for people: as text where it is text, else in hexadecimal; at most 60 of them.
pub(super) fn first_bytes(bytes: &[u8]) -> String {
    let head = bytes.get(..60).unwrap_or(bytes);
    let more = if head.len() < bytes.len() { "…" } else { "" };
    let is_text = head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if is_text {
        format!("\"{}\"{more}", text::printable_bytes(head))
    } else {
        let head = head.get(..24).unwrap_or(head);
        let hex: Vec<String> = head.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}{}", hex.join(" "), if head.len() < bytes.len() { " …" } else { "" })
    }
}

/// Where a protocol of its own owns the port.
const OTHER_PORT: &str = "host or port are those of another service";

const FINGERPRINTS: &[Fingerprint] = &[
    Fingerprint {
        name: "HTTP",
        fits: |bytes| {
            let text = bytes.trim_ascii_start();
            [b"HTTP/".as_slice(), b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML", b"<?xml"]
                .iter()
                .any(|start| text.starts_with(start))
        },
        meaning: "a web server or HTTP proxy listens there",
    },
    Fingerprint {
        name: "SSH",
        fits: |bytes| bytes.starts_with(b"SSH-"),
        meaning: "an SSH server listens there; a tunnel needs the local port that ssh -L opens",
    },
    Fingerprint {
        name: "MySQL or MariaDB",
        fits: mysql,
        meaning: "it is a MySQL server; PostgreSQL's port is 5432",
    },
    Fingerprint {
        name: "SMTP",
        fits: |bytes| bytes.starts_with(b"220") && contains(bytes, b"SMTP"),
        meaning: "a mail server listens there",
    },
    Fingerprint {
        name: "FTP",
        fits: |bytes| bytes.starts_with(b"220 ") || bytes.starts_with(b"220-"),
        meaning: "a file server listens there",
    },
    Fingerprint {
        name: "SMTP",
        fits: |bytes| bytes.starts_with(b"554 ") || bytes.starts_with(b"421 "),
        meaning: "a mail or file server listens there",
    },
    Fingerprint {
        name: "POP3",
        fits: |bytes| bytes.starts_with(b"+OK"),
        meaning: "a mail server listens there",
    },
    Fingerprint {
        name: "IMAP",
        fits: |bytes| bytes.starts_with(b"* OK") || bytes.starts_with(b"* BYE"),
        meaning: "a mail server listens there",
    },
    Fingerprint {
        name: "Redis",
        fits: |bytes| {
            [b"-ERR".as_slice(), b"-NOAUTH", b"-DENIED", b"+PONG", b"-LOADING"]
                .iter()
                .any(|start| bytes.starts_with(start))
        },
        meaning: "it is a Redis server; PostgreSQL's port is 5432",
    },
    Fingerprint {
        name: "Memcached",
        fits: |bytes| bytes.starts_with(b"ERROR\r\n"),
        meaning: "it is a Memcached server",
    },
    Fingerprint { name: "NATS", fits: |bytes| bytes.starts_with(b"INFO {"), meaning: OTHER_PORT },
    Fingerprint { name: "AMQP", fits: |bytes| bytes.starts_with(b"AMQP"), meaning: OTHER_PORT },
    Fingerprint { name: "VNC", fits: |bytes| bytes.starts_with(b"RFB 0"), meaning: OTHER_PORT },
    Fingerprint {
        name: "MongoDB",
        fits: mongodb,
        meaning: "it is a MongoDB server; PostgreSQL's port is 5432",
    },
    Fingerprint {
        name: "SQL Server (TDS)",
        fits: |bytes| matches!(bytes, [0x04, 0x00 | 0x01, _, _, _, _, _, ..]),
        meaning: "it is a Microsoft SQL Server; PostgreSQL's port is 5432",
    },
    Fingerprint {
        name: "Oracle (TNS)",
        fits: |bytes| matches!(bytes, [_, _, 0, 0, 0x04 | 0x0b, 0, 0, 0, ..]),
        meaning: "it is an Oracle listener; PostgreSQL's port is 5432",
    },
    Fingerprint {
        name: "TLS from the first byte",
        fits: |bytes| matches!(bytes, [0x14..=0x17, 0x03, 0x00..=0x04, ..]),
        meaning: "something there speaks TLS at once and does not know SSLRequest: a TLS proxy such as \
             stunnel or a load balancer",
    },
    Fingerprint { name: "RDP", fits: |bytes| bytes.starts_with(&[0x03, 0x00, 0x00]), meaning: OTHER_PORT },
    Fingerprint {
        name: "SMB",
        fits: |bytes| contains(bytes, b"\xffSMB") || contains(bytes, b"\xfeSMB"),
        meaning: OTHER_PORT,
    },
    Fingerprint {
        name: "Telnet",
        fits: |bytes| matches!(bytes, [0xff, 0xfb..=0xfe, ..]),
        meaning: OTHER_PORT,
    },
    Fingerprint {
        name: "PostgreSQL without negotiation",
        fits: |bytes| matches!(bytes, [b'R', 0, 0, 0, 8..=64, ..]),
        meaning: "something there speaks PostgreSQL's protocol and took SSLRequest for a start-up \
             message: a proxy",
    },
    Fingerprint { name: "a service with a text protocol", fits: text_line, meaning: OTHER_PORT },
];

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// A packet of number 0: protocol version 10 and a version in text, or an error.
fn mysql(bytes: &[u8]) -> bool {
    matches!(bytes, [_, _, 0, 0, 0x0a, b'0'..=b'9', ..] | [_, _, 0, 0, 0xff, ..])
}

/// A reply: little-endian length and, after two numbers, OP_REPLY or OP_MSG.
fn mongodb(bytes: &[u8]) -> bool {
    let code = bytes.get(12..16).and_then(|code| code.try_into().ok()).map(u32::from_le_bytes);
    matches!(code, Some(1 | 2013)) && bytes.get(2..4) == Some(&[0, 0])
}

/// A line of text that is longer than an accident.
fn text_line(bytes: &[u8]) -> bool {
    bytes.len() >= 8
        && bytes.iter().take(40).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every row has an answer here that it is the first to fit.
    #[test]
    fn protocols_are_named_by_their_first_bytes() {
        let mut met = vec![false; FINGERPRINTS.len()];
        for (bytes, name) in [
            (b"HTTP/1.1 400 Bad Request\r\n".as_slice(), "HTTP"),
            (b"<html><body>", "HTTP"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
            (b"J\0\0\0\x0a8.0.36\0", "MySQL or MariaDB"),
            (b"E\0\0\0\xffj\x04Host", "MySQL or MariaDB"),
            (b"220 mx.example ESMTP Postfix\r\n", "SMTP"),
            (b"220 ProFTPD ready\r\n", "FTP"),
            (b"+OK Dovecot ready.\r\n", "POP3"),
            (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
            (b"-ERR unknown command\r\n", "Redis"),
            (b"\x15\x03\x01\x00\x02\x02\x46", "TLS from the first byte"),
            (b"\x04\x01\x00\x25\x00\x00\x01\x00", "SQL Server (TDS)"),
            (b"\x30\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0", "MongoDB"),
            (b"\x03\x00\x00\x13\x0e", "RDP"),
            (b"554 no SMTP service here\r\n", "SMTP"),
            (b"ERROR\r\n", "Memcached"),
            (b"INFO {\"server_id\":\"NA\"", "NATS"),
            (b"AMQP\0\0\x09\x01", "AMQP"),
            (b"RFB 003.008\n", "VNC"),
            (b"\0\x20\0\0\x04\0\0\0\x22\0", "Oracle (TNS)"),
            (b"\0\0\0\x23\xffSMBr", "SMB"),
            (b"\xff\xfd\x18\xff\xfd\x20", "Telnet"),
            (b"R\0\0\0\x08\0\0\0\x03", "PostgreSQL without negotiation"),
            (b"hello, this is a banner\n", "a service with a text protocol"),
        ] {
            assert_eq!(recognise(bytes).map(|found| found.name), Some(name), "{bytes:?}");
            if let Some(row) = FINGERPRINTS.iter().position(|row| (row.fits)(bytes)) {
                met[row] = true;
            }
        }
        let without: Vec<&str> =
            FINGERPRINTS.iter().zip(met).filter(|(_, met)| !met).map(|(row, _)| row.name).collect();
        assert!(without.is_empty(), "no answer of theirs is here, or an earlier row takes it: {without:?}");
        assert_eq!(recognise(b"\x00\x01\x02"), None);
        assert_eq!(recognise(b""), None);
    }

    #[test]
    fn bytes_are_shown_as_text_or_in_hexadecimal() {
        assert_eq!(first_bytes(b"SSH-2.0\r\n"), "\"SSH-2.0\\r\\n\"");
        assert_eq!(first_bytes(b"\x15\x03\x01"), "15 03 01");
        assert!(first_bytes(&[b'x'; 100]).ends_with("\"…"));
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_bytes_are_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = recognise(&bytes);
            prop_assert!(first_bytes(&bytes).chars().all(text::is_printable));
        }
    }
}
