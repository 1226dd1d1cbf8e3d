//! Terms that people ask `explain` about: sslmode values, words of pg_hba.conf, words of certificates and TLS.
//!
//! Sources: PostgreSQL's documentation, libpq SSL Support and The pg_hba.conf File; RFC 5280, RFC 6066 (SNI), RFC 7301
//! (ALPN), RFC 5929 (channel binding).

use crate::packed;

/// A term and what it means.
#[derive(Debug)]
pub struct Term {
    /// The term, and other spellings of it.
    pub names: Vec<&'static str>,
    /// What it is, in one sentence.
    pub what: &'static str,
    /// What follows for a connection.
    pub so: &'static str,
}

/// The term of that name; letter case does not count.
pub fn term(name: &str) -> Option<Term> {
    let name = name.trim();
    all().find(|term| term.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// All terms.
pub fn all() -> impl Iterator<Item = Term> {
    table("terms").chain(table("methods"))
}

/// The terms of a file of this folder.
fn table(file: &str) -> impl Iterator<Item = Term> {
    packed::rows("terms", file).map(|[names, what, so]| Term { names: names.split('|').collect(), what, so })
}

/// A line of pg_hba.conf, its fields with what they mean.
#[derive(Debug, PartialEq, Eq)]
pub struct HbaLine<'t> {
    /// Name of the field, its value, what it means.
    pub fields: Vec<(&'static str, &'t str, String)>,
}

/// A text as a line of pg_hba.conf; `None` for one that is none.
pub fn hba_line(text: &str) -> Option<HbaLine<'_>> {
    let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
    let kind = words.next()?;
    let connections = match kind {
        "local" => "connections through the Unix socket",
        "host" => "TCP connections, with or without TLS",
        "hostssl" => "TCP connections with TLS only",
        "hostnossl" => "TCP connections without TLS only",
        "hostgssenc" => "TCP connections with GSSAPI encryption only",
        "hostnogssenc" => "TCP connections without GSSAPI encryption",
        _ => return None,
    };
    let (database, user) = (words.next()?, words.next()?);
    let mut fields = vec![
        ("type", kind, connections.to_owned()),
        ("database", database, databases(database)),
        ("user", user, users(user)),
    ];
    if kind != "local" {
        let address = words.next()?;
        fields.push(("address", address, addresses(address)));
    }
    let mut method = words.next()?;
    // An address may be followed by its mask.
    if kind != "local" && method.parse::<std::net::IpAddr>().is_ok() {
        fields.push(("mask", method, "the mask of the address".to_owned()));
        method = words.next()?;
    }
    let known = table("methods").find(|term| term.names.contains(&method))?;
    fields.push(("method", method, known.what.to_owned()));
    fields.extend(words.map(|option| ("option", option, options(option).to_owned())));
    Some(HbaLine { fields })
}

fn databases(value: &str) -> String {
    match value {
        "all" => "every database".to_owned(),
        "sameuser" => "the database with the user's name".to_owned(),
        "samerole" | "samegroup" => {
            "databases with the name of a role that the user is a member of".to_owned()
        }
        "replication" => "physical replication only, no database".to_owned(),
        names => format!("only {}", names.replace(',', ", ")),
    }
}

fn users(value: &str) -> String {
    match (value, value.strip_prefix('+')) {
        ("all", _) => "every user".to_owned(),
        (_, Some(role)) => format!("members of the role {role}"),
        (names, None) => format!("only {}", names.replace(',', ", ")),
    }
}

fn addresses(value: &str) -> String {
    match value {
        "all" | "0.0.0.0/0" | "::/0" => match value {
            "all" => "every address",
            "::/0" => "every IPv6 address",
            _ => "every IPv4 address",
        }
        .to_owned(),
        "samehost" => "the server's own addresses".to_owned(),
        "samenet" => "the server's own subnets".to_owned(),
        address => format!("clients whose address is in {address}"),
    }
}

fn options(option: &str) -> &'static str {
    match option.split_once('=') {
        Some(("clientcert", "verify-full")) => {
            "the client must present a certificate whose CN is the user (or is mapped to it)"
        }
        Some(("clientcert", _)) => "the client must present a certificate of the server's ssl_ca_file",
        Some(("map", _)) => "names are mapped to users by that map of pg_ident.conf",
        Some(("clientname", _)) => "which name of the certificate counts: its CN or its DN",
        _ => "an option of the method",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_are_found_by_all_their_names_and_stand_once() {
        let mut seen = BTreeSet::new();
        for known in all() {
            assert!(!known.what.is_empty() && !known.so.is_empty(), "{known:?}");
            for name in &known.names {
                assert!(seen.insert(name.to_lowercase()), "{name} stands twice");
                assert_eq!(term(&name.to_uppercase()).unwrap().what, known.what, "{name}");
            }
        }
        assert!(term("verify").is_none() && term("").is_none());
    }

    #[test]
    fn each_sslmode_has_its_term() {
        use crate::conninfo::SslMode as M;
        for mode in [M::Disable, M::Allow, M::Prefer, M::Require, M::VerifyCa, M::VerifyFull] {
            assert!(term(mode.name()).is_some(), "{mode:?}");
        }
    }

    #[test]
    fn a_line_of_pg_hba_conf_is_read_field_by_field() {
        let line =
            hba_line("hostssl  app,web  +staff  10.0.0.0/8  scram-sha-256  clientcert=verify-full # why")
                .unwrap();
        let values: Vec<&str> = line.fields.iter().map(|(_, value, _)| *value).collect();
        assert_eq!(
            values,
            ["hostssl", "app,web", "+staff", "10.0.0.0/8", "scram-sha-256", "clientcert=verify-full"]
        );
        assert!(line.fields[2].2.contains("members of the role staff"));
        let masked = hba_line("host all all 192.0.2.0 255.255.255.0 md5").unwrap();
        assert_eq!(
            masked.fields.iter().map(|(name, ..)| *name).collect::<Vec<_>>(),
            ["type", "database", "user", "address", "mask", "method"]
        );
        assert_eq!(hba_line("local all all peer").unwrap().fields.len(), 4);
        for other in [
            "host=db.example user=u",
            "hostssl",
            "host not found",
            "hostssl all all 0.0.0.0/0",
            "host is down or so it seems",
            "",
        ] {
            assert_eq!(hba_line(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let _ = (term(&text), hba_line(&text));
        }
    }
}
