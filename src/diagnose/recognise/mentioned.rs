//! What an error text itself mentions of the connection: host, port, user, database, files.

use std::net::IpAddr;

use super::super::fix::RELOAD;
use super::super::view::{Reachability, reachability};
use super::tidied;
use crate::conninfo::write::{Form, string};
use crate::conninfo::{ParameterValue, Value};
use crate::provider::{self, Provider};

/// What an error text mentions, as far as it can be settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioned(Vec<(&'static str, String)>);

impl Mentioned {
    /// The value of a keyword.
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == keyword).map(|(_, value)| value.as_str())
    }

    /// The connection string of a check with everything that the text mentions and `sslmode=verify-full`; `None` where
    /// it mentions neither a host nor an address.
    pub fn conninfo(&self) -> Option<String> {
        let host = self.value("host").or_else(|| self.value("hostaddr"))?;
        let rest = ["port", "user", "dbname", "replication", "sslrootcert", "sslcert", "sslkey"];
        let others = rest.iter().filter_map(|keyword| Some((*keyword, self.value(keyword)?)));
        let settings = [("host", host)].into_iter().chain(others).chain([("sslmode", "verify-full")]);
        let bytes = string(Form::KeywordValue, settings.map(|(keyword, value)| (keyword, value.as_bytes())));
        String::from_utf8(bytes).ok()
    }

    /// The line that admits the client with TLS.
    fn hba_line(&self) -> Option<String> {
        let client: IpAddr = self.value("client")?.parse().ok()?;
        let bits = if client.is_ipv4() { 32 } else { 128 };
        let replicates = self.value("replication").is_some();
        let database = if replicates { "" } else { self.value("dbname")? };
        let user = self.value("user")?;
        let is_plain = |name: &str| {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            name.chars().all(is_of_name) && !["all", "sameuser", "samerole", "replication"].contains(&name)
        };
        let word = if replicates { "replication" } else { database };
        let note = if replicates { " (all does not cover replication)" } else { "" };
        (is_plain(database) && is_plain(user))
            .then(|| format!("hostssl {word} {user} {client}/{bits} scram-sha-256{note}"))
    }

    /// Whether the client's address is private, or it replicates.
    fn is_of_own_network(&self) -> bool {
        let client = self.value("client").and_then(|client| client.parse().ok());
        self.value("replication").is_some()
            || client.is_some_and(|client| reachability(client) != Reachability::Public)
    }

    /// Paths of Windows without any slash are none: what is left of them is no setting.
    fn take_lost_paths(&mut self) {
        let is_lost = |(keyword, value): &(&str, String)| {
            let is_drive = value.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
            keyword.starts_with("ssl")
                && is_drive
                && value.get(1..).is_some_and(|rest| rest.starts_with(':') && rest.len() > 1)
                && !value.contains(['/', '\\'])
        };
        if self.0.iter().any(is_lost) {
            self.0.retain(|mention| !is_lost(mention));
            self.0.push((LOST, String::new()));
        }
    }

    /// The provider of the server, by its host or its certificate's name.
    pub(super) fn provider(&self) -> Option<&'static Provider> {
        ["host", "certified"]
            .into_iter()
            .filter_map(|keyword| self.value(keyword))
            .find_map(provider::by_host)
    }

    /// The provider whose roots this program has.
    pub(super) fn bundle(&self) -> Option<&'static str> {
        let provider = self.provider()?;
        provider::bundle(provider.id).map(|_| provider.id)
    }

    /// Whether the server's address is a private one.
    pub(super) fn is_private(&self) -> bool {
        let address = self.value("hostaddr").and_then(|address| address.parse().ok());
        address.is_some_and(|address| reachability(address) != Reachability::Public)
    }

    /// The first mention of a setting counts.
    fn add(&mut self, keyword: &'static str, value: &str) {
        let value =
            if keyword == "port" { value.trim_end_matches(|c: char| !c.is_ascii_digit()) } else { value };
        // What may hold a secret is not repeated.
        let of = if keyword == "client" { "hostaddr" } else { keyword };
        let is_plain = ParameterValue::of(of, Value::from(value), false).plain().is_some();
        if self.value(keyword).is_none() && is_plain && is_possible(keyword, value) {
            self.0.push((keyword, value.to_owned()));
        }
    }
}

/// Stands for paths that lost their backslashes.
const LOST: &str = "lost";

/// How they lost them, and what keeps them.
const ESCAPES: &str =
    "the path has lost its backslashes: in key=value strings one escapes the next character and is removed";
const SLASHES: &str = "write the path with / (C:/Users/…) or each \\ twice; the file is most likely in place";

/// Where a provider's roots are written.
const BUNDLE: &str = "roots.pem";

/// What a text mentions of the connection. In a text, `{keyword}` stands for a value of it; `{}` for what does not count,
/// such as the client's own address.
pub fn mentioned(text: &str) -> Mentioned {
    let text = tidied(text);
    let mut mentioned = Mentioned::default();
    for mention in MENTIONS {
        for (keyword, value) in values(&text, mention).unwrap_or_default() {
            mentioned.add(keyword, value);
        }
    }
    // A server of a provider is one wherever its name stands.
    if mentioned.value("host").is_none()
        && let Some((host, port)) = providers_server(&text)
    {
        mentioned.add("host", host);
        mentioned.add("port", port);
    }
    mentioned.take_lost_paths();
    // What Node calls an address that it cannot check.
    if text.contains("altnames: Host: localhost.") {
        mentioned.0.retain(|(keyword, _)| *keyword != "host");
    }
    // The file that does not exist is the one thing that does not help.
    if text.contains("root certificate file")
        && text.contains("does not exist")
        && mentioned.bundle().is_some()
        && mentioned.value(LOST).is_none()
    {
        mentioned.0.retain(|(keyword, _)| *keyword != "sslrootcert");
        mentioned.add("sslrootcert", BUNDLE);
    }
    if text.contains("could not load system root certificate paths") {
        mentioned.add("sslrootcert", "system");
    }
    // In every language PostgreSQL quotes the client's address, the user and the database in this order; of a connection for
    // replication no database.
    if text.contains("pg_hba.conf") && mentioned.value("client").is_none() {
        let quoted: Vec<&str> = text.split(QUOTES).skip(1).step_by(2).map(str::trim).collect();
        let from = quoted.iter().rposition(|part| is_address(part)).unwrap_or_default();
        match quoted.get(from..) {
            Some([client, user]) if is_address(client) => {
                for (keyword, value) in [("client", *client), ("user", user), ("replication", "true")] {
                    mentioned.add(keyword, value);
                }
            }
            Some([client, user, database, ..]) if is_address(client) => {
                for (keyword, value) in [("client", client), ("user", user), ("dbname", database)] {
                    mentioned.add(keyword, value);
                }
            }
            _ => {}
        }
    }
    mentioned
}

/// The first name in a text that is one of a provider's server, and the port behind it.
fn providers_server(text: &str) -> Option<(&str, &str)> {
    let words = text.split(|c: char| !is_name_character(c) && c != ':');
    words.map(|word| word.split_once(':').unwrap_or((word, ""))).find(|(host, _)| {
        let (first, rest) = host.split_once('.').unwrap_or_default();
        !first.is_empty() && rest.contains('.') && provider::by_host(host).is_some()
    })
}

/// Quotation marks of PostgreSQL's languages.
const QUOTES: [char; 8] =
    ['"', '\u{ab}', '\u{bb}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{300c}', '\u{300d}'];

/// A fix as [`filled`], without what nobody can do at the provider that the text mentions.
pub fn filled_fix(fix: &str, mentioned: &Mentioned) -> String {
    // Nobody edits pg_hba.conf at a provider: the address is allowed in its console.
    if let Some(provider) = mentioned.provider() {
        let client = mentioned.value("client").unwrap_or("this client's address");
        let firewall = format!(
            "at {}: allow {client} in the server's firewall or network rules (its console or command line); the provider writes pg_hba.conf",
            provider.name
        );
        if fix.contains("{hba|hostssl") {
            return firewall;
        }
        if FILES.iter().any(|file| fix.contains(file)) {
            return at_provider(fix, provider.name, &firewall, mentioned);
        }
    }
    // No provider's firewall sees an address of a network of one's own, and few let anybody replicate.
    if fix.contains("{hba|hostssl")
        && let Some(line) = mentioned.hba_line().filter(|_| mentioned.is_of_own_network())
    {
        return format!(
            "on the server: add this line to pg_hba.conf, before any that rejects: {line}; then {RELOAD}"
        );
    }
    if mentioned.value(LOST).is_some()
        && let Some((before, _)) = fix.split_once("{slashes}")
    {
        return format!("{before}{SLASHES}");
    }
    filled(fix, mentioned)
}

/// What only who has the server's own files can change.
const FILES: [&str; 8] = [
    "a container",
    "docker",
    "pg_hba.conf",
    "pg_ident.conf",
    "postgresql.conf",
    "server.crt",
    "ALTER SYSTEM",
    "listen_addresses",
];

/// A fix without what nobody can do at a provider.
fn at_provider(fix: &str, name: &str, firewall: &str, mentioned: &Mentioned) -> String {
    let mut kept = Vec::new();
    for part in fix.split("; ") {
        if part.contains("pg_hba.conf") {
            let before = part.split_once("on the server:").map_or("", |(before, _)| before);
            kept.push(format!("{before}{firewall}"));
        } else if !FILES.iter().any(|file| part.contains(file)) && !part.starts_with("SELECT pg_reload_conf")
        {
            kept.push(filled(part, mentioned));
        }
    }
    if kept.is_empty() {
        kept.push(format!(
            "at {name}: the server's files are the provider's; see its console, or ask its support"
        ));
    }
    kept.join("; ")
}

/// Words with what the text mentions in them: `{sslkey|KEY}` is the path of the key if that is mentioned, else KEY. `{hba}` is
/// a line of pg_hba.conf.
pub fn filled(words: &str, mentioned: &Mentioned) -> String {
    let mut filled = String::new();
    let mut rest = words;
    while let Some((before, (hole, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let (keyword, otherwise) = hole.split_once('|').unwrap_or((hole, ""));
        let value = match keyword {
            "hba" => mentioned.hba_line(),
            LOST => mentioned.value(LOST).map(|_| ESCAPES.to_owned()),
            "roots" => mentioned.bundle().map(|id| {
                format!("pgtls-check roots export {id} --output {BUNDLE}, and set sslrootcert to that file")
            }),
            "san" => mentioned.value("host").map(|host| {
                let kind = if is_address(host) { "IP" } else { "DNS" };
                format!("subjectAltName={kind}:{host}")
            }),
            "host" => {
                mentioned.value("host").or_else(|| mentioned.value("hostaddr")).map(crate::text::shell_quoted)
            }
            _ => mentioned.value(keyword).map(crate::text::shell_quoted),
        };
        filled += before;
        filled += value.as_deref().unwrap_or(otherwise);
        rest = after;
    }
    filled + rest
}

/// Texts that mention settings. Sources: those of `texts.tsv`.
#[rustfmt::skip]
static MENTIONS: &[&str] = &[
    "unsupported startup parameter: {parameter} ",
    // libpq
    "connection to server at \"{host}\" ({hostaddr}), port {port} failed",
    "connection to server at \"{host}\", port {port} failed",
    "running on host \"{host}\" ({hostaddr}) and accepting TCP/IP connections on port {port}?",
    "running on host \"{host}\" and accepting TCP/IP connections on port {port}?",
    "could not translate host name \"{host}\" to address",
    "does not match host name \"{host}\"",
    "root certificate file \"{sslrootcert}\"",
    "could not open certificate file \"{sslcert}\"",
    "could not read certificate file \"{sslcert}\"",
    "private key file \"{sslkey}\"",
    "password file \"{passfile}\"",
    "server certificate for \"{certified}\"",
    "could not load server certificate file \"{serverfile}\"",
    "could not load private key file \"{serverfile}\"",
    "could not access private key file \"{serverfile}\"",
    // Java
    "Connection to {host}:{port} refused",
    "No subject alternative names matching IP address {host} found",
    "No subject alternative DNS name matching {host} found",
    "No name matching {host} found",
    "UnknownHostException: {host} ",
    "The hostname {host} could not be verified",
    // Node
    "getaddrinfo ENOTFOUND {host} ",
    "getaddrinfo EAI_AGAIN {host} ",
    "connect ECONNREFUSED {hostaddr}:{port} ",
    "connect ETIMEDOUT {hostaddr}:{port} ",
    "connect EHOSTUNREACH {hostaddr}:{port} ",
    "connect ENETUNREACH {hostaddr}:{port} ",
    "does not match certificate's altnames: Host: {host}. ",
    "certificate's altnames: IP: {host} is not in",
    "is not in the cert's altnames: DNS:{certified}, ",
    "is not in the cert's altnames: DNS:{certified} ",
    // Prisma
    "database server at `{host}:{port}`",
    "database server at `{host}`:`{port}`",
    // Go
    "failed to connect to `host={host} user={user} database={dbname}`",
    "failed to connect to `user={user} database={dbname}`: {hostaddr}:{port} ({host})",
    "failed to connect to `user={user} database={dbname}`",
    "dial tcp: lookup {host}: ",
    "dial tcp: lookup {host} on ",
    "dial tcp {hostaddr}:{port}: ",
    "dial tcp [{hostaddr}]:{port}: ",
    "x509: certificate is valid for {certified}, not {host} ",
    "x509: cannot validate certificate for {host} because",
    // Python
    "Failed to connect to {hostaddr}:{port} ",
    "Connect call failed ('{hostaddr}', {port})",
    "certificate is not valid for '{host}'",
    // Others
    "tcp connect ({host}:{port})",
    "username/password, username: {user}. ",
    "find your database: {dbname}. ",
    "compose exec {service} psql",
    "DNS lookup failed: {upstream}: ",
    "initialized by PostgreSQL version {release},",
    // Rust
    "certificate not valid for name \"{host}\"",
    // the server
    "This IP address {client} is not ",
    "for host \"{client}\", user \"{user}\", database \"{dbname}\"",
    "authentication failed for user \"{user}\"",
    "role \"{user}\" does not exist",
    "database \"{dbname}\" does not exist",
];

/// The values that a mention has in a text; `None` where it is not in it. A blank at the end of a mention also stands for
/// the end of the text.
fn values<'t>(text: &'t str, mention: &'static str) -> Option<Vec<(&'static str, &'t str)>> {
    let (start, holes) = mention.split_once('{')?;
    let mut rest = text.find(start).and_then(|place| text.get(place + start.len()..))?;
    let mut found = Vec::new();
    for hole in holes.split('{') {
        let (keyword, after) = hole.split_once('}')?;
        let (value, behind) = match rest.split_once(after) {
            Some(_) if after.is_empty() => (rest, ""),
            Some(parts) => parts,
            None if after == " " => (rest, ""),
            None => (rest.strip_suffix(after.strip_suffix(' ')?)?, ""),
        };
        if !keyword.is_empty() {
            found.push((keyword, value));
        }
        rest = behind;
    }
    Some(found)
}

/// Whether it can be a value: a host name or address, a port, a name or path of moderate length without control
/// characters or quotes. Anything else was matched by accident.
fn is_possible(keyword: &str, value: &str) -> bool {
    match keyword {
        "host" | "certified" | "upstream" | "service" => {
            !value.is_empty()
                && value.len() <= 253
                && (value.chars().all(is_name_character) || is_address(value))
        }
        "hostaddr" | "client" => is_address(value),
        "port" => value.parse::<u16>().is_ok_and(|port| port != 0),
        _ => {
            let longest = if keyword.starts_with("ssl") { 1024 } else { 63 };
            let is_plain = |c: char| crate::text::is_printable(c) && c != '"';
            !value.is_empty() && value.len() <= longest && value.chars().all(is_plain)
        }
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn is_address(value: &str) -> bool {
    value.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn conninfo(text: &str) -> Option<String> {
        mentioned(text).conninfo()
    }

    #[test]
    fn the_check_has_what_the_text_mentions() {
        for (text, expected) in [
            (
                "psql: error: connection to server at \"db.example\" (192.0.2.7), port 6432 failed: FATAL:  password \
                 authentication failed for user \"app\"",
                "host=db.example port=6432 user=app sslmode=verify-full",
            ),
            (
                "connection to server at \"10.0.0.1\", port 5432 failed: root certificate file \"/home/a b/r.crt\" does \
                 not exist",
                "host=10.0.0.1 port=5432 sslrootcert='/home/a b/r.crt' sslmode=verify-full",
            ),
            // Of a provider whose roots ship, the file to check with is not the one that is not there.
            (
                "connection to server at \"x.postgres.database.azure.com\" (192.0.2.7), port 5432 failed: root certificate file \
                 \"C:\\a/root.crt\" does not exist",
                "host=x.postgres.database.azure.com port=5432 sslrootcert=roots.pem sslmode=verify-full",
            ),
            ("getaddrinfo ENOTFOUND db.internal", "host=db.internal sslmode=verify-full"),
            (
                "connection to server at \"h.example\" (10.0.0.1), port 5432 failed: could not load system root certificate paths: x",
                "host=h.example port=5432 sslrootcert=system sslmode=verify-full",
            ),
            ("Error: connect ECONNREFUSED 10.0.0.1:5433", "host=10.0.0.1 port=5433 sslmode=verify-full"),
            ("dial tcp [::1]:5432: connect: connection refused", "host=::1 port=5432 sslmode=verify-full"),
            (
                "failed to connect to `host=h.example user=u database=d`: dial error",
                "host=h.example user=u dbname=d sslmode=verify-full",
            ),
            (
                "Error: self-signed certificate in certificate chain, postgres://u:p@m.abc.eu-west-1.rds.amazonaws.com:5433/d",
                "host=m.abc.eu-west-1.rds.amazonaws.com port=5433 sslmode=verify-full",
            ),
            (
                "x509: certificate is valid for a.example, b.example, not c.example",
                "host=c.example sslmode=verify-full",
            ),
        ] {
            assert_eq!(conninfo(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_fix_has_what_the_text_mentions() {
        let fix = |text: &str, fix: &str| filled_fix(fix, &mentioned(text));
        let key = "private key file \"/home/a b/k.key\" has group or world access";
        let missing = |host: &str| {
            format!(
                "connection to server at \"{host}\", port 5432 failed: root certificate file \"/r.crt\" does not exist"
            )
        };
        let export = fix(&missing("x.postgres.database.azure.com"), "{roots|none}");
        assert!(export.starts_with("pgtls-check roots export azure-flexible --output roots.pem"), "{export}");
        assert_eq!(fix(&missing("db.example"), "{roots|none}"), "none");
        assert_eq!(fix(key, "chmod 600 {sslkey|KEY}, done"), "chmod 600 '/home/a b/k.key', done");
        assert_eq!(fix("has group or world access", "chmod 600 {sslkey|KEY}"), "chmod 600 KEY");
        for entry in [
            "FATAL: no pg_hba.conf entry for host \"192.0.2.9\", user \"u\", database \"d\", no encryption",
            "kein pg_hba.conf-Eintrag f\u{fc}r Host \u{bb}192.0.2.9\u{ab}, Benutzer \u{bb}u\u{ab}, Datenbank \u{bb}d\u{ab}, SSL aus",
        ] {
            assert_eq!(fix(entry, "{hba|none}"), "hostssl d u 192.0.2.9/32 scram-sha-256", "{entry}");
        }
        for client in ["2600:1f14:7::3", "::1"] {
            let entry = format!("no pg_hba.conf entry for host \"{client}\", user \"u\", database \"d\"");
            assert_eq!(fix(&entry, "{hba|none}"), format!("hostssl d u {client}/128 scram-sha-256"));
        }
        for entry in [
            "connection to server at \"h\" (192.0.2.7), port 5432 failed: FATAL:  no pg_hba.conf entry for replication connection from host \"192.0.2.9\", user \"r\", SSL encryption",
            "kein pg_hba.conf-Eintrag f\u{fc}r Replikationsverbindung von Host \u{bb}192.0.2.9\u{ab}, Benutzer \u{bb}r\u{ab}, SSL an",
        ] {
            let line = fix(entry, "{hba|none}");
            assert!(
                line.starts_with("hostssl replication r 192.0.2.9/32 scram-sha-256 (all does not"),
                "{line}"
            );
            assert!(conninfo(entry).is_none_or(|text| text.contains("user=r replication=true")), "{entry}");
        }
        let text = "at a managed server: allow {client|it}; at your own: {hba|hostssl LINE}";
        for (client, is_own) in [("10.3.0.7", true), ("::1", true), ("192.0.2.9", false)] {
            let entry = format!("no pg_hba.conf entry for host \"{client}\", user \"u\", database \"d\"");
            assert_eq!(fix(&entry, text).starts_with("on the server: add this line"), is_own, "{client}");
        }
        for named in ["replication", "all"] {
            let entry =
                format!("no pg_hba.conf entry for host \"192.0.2.9\", user \"u\", database \"{named}\"");
            assert_eq!(fix(&entry, "{hba|none}"), "none");
        }
        let odd = "no pg_hba.conf entry for host \"192.0.2.9\", user \"u;v\", database \"d\"";
        assert_eq!(fix(odd, "{hba|none}"), "none");
    }

    #[test]
    fn no_fix_asks_for_a_file_of_a_providers_server() {
        let said = mentioned("timeout at m.postgres.database.azure.com, client");
        for known in super::super::texts() {
            for reading in known.readings() {
                let fix = filled_fix(reading.fix, &said);
                assert!(!fix.is_empty());
                assert!(!filled(reading.tell, &said).contains("its console"), "{}", reading.tell);
                let without = fix.replace("the provider writes pg_hba.conf", "");
                assert!(FILES.iter().all(|file| !without.contains(file)), "{fix}");
            }
        }
        let plain = super::super::recognise(
            "connection to server at \"m.postgres.database.azure.com\" (192.0.2.7), port 5432 failed: FATAL:  no pg_hba.conf \
             entry for host \"192.0.2.9\", user \"u\", database \"d\", no encryption",
        );
        let fix = filled_fix(plain.unwrap().readings()[0].fix, &said);
        assert!(fix.starts_with("here: set sslmode=verify-full; pgtls-check roots export "), "{fix}");
        assert!(fix.contains("with TLS too, at Azure"), "{fix}");
        // Nor for a volume or container that holds the server.
        let rejected = super::super::recognise("password authentication failed for user \"u\"");
        let fix = rejected.unwrap().readings()[0].fix;
        assert!(fix.contains("delete the volume"), "{fix}");
        assert_eq!(
            filled_fix(fix, &said),
            "here: correct the password; on the server: ALTER ROLE … PASSWORD '…'"
        );
    }

    #[test]
    fn a_path_without_its_backslashes_is_written_with_slashes() {
        for (text, is_lost) in [
            ("root certificate file \"D:certsazureroot.pem\" does not exist", true),
            ("could not open certificate file \"c:Usersmex.crt\": No such file or directory", true),
            ("certificate present, but not private key file \"C:keysk.key\"", true),
            ("root certificate file \"C:/certs/root.pem\" does not exist", false),
            ("root certificate file \"certs\\root.pem\" does not exist", false),
            ("root certificate file \"root.pem\" does not exist", false),
        ] {
            let text = format!(
                "connection to server at \"x.postgres.database.azure.com\", port 5432 failed: {text}"
            );
            let readings = super::super::recognise(&text).unwrap().readings();
            let said = mentioned(&text);
            let fixes: Vec<String> = readings.iter().map(|reading| filled_fix(reading.fix, &said)).collect();
            let told =
                readings.iter().any(|reading| filled(reading.tell, &said).contains("lost its backslashes"));
            assert_eq!(told, is_lost, "{text}");
            assert_eq!(
                fixes.iter().any(|fix| fix.starts_with("here: write the path with /")),
                is_lost,
                "{fixes:?}"
            );
            assert!(fixes.iter().all(|fix| !fix.contains("{slashes}")), "{fixes:?}");
            assert!(!is_lost || !conninfo(&text).unwrap().contains("sslrootcert"), "{text}");
        }
    }

    #[test]
    fn a_clients_own_address_is_not_the_servers() {
        let text =
            "FATAL: no pg_hba.conf entry for host \"192.0.2.9\", user \"u\", database \"d\", no encryption";
        let found = mentioned(text);
        assert_eq!(
            (found.value("host"), found.value("user"), found.value("dbname")),
            (None, Some("u"), Some("d"))
        );
        assert_eq!(found.conninfo(), None);
    }

    #[test]
    fn what_cannot_be_a_host_or_a_port_is_left_out() {
        for text in [
            "could not translate host name \"secret@host:1\" to address",
            "connect ECONNREFUSED ::1:99999",
            "Connection to $(reboot):5432 refused",
        ] {
            assert_eq!(conninfo(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_text_gives_a_string_that_parses(text in any::<String>(), mention in prop::sample::select(MENTIONS), value in ".{0,20}") {
            let _ = mentioned(&text);
            let mut filled = mention.to_owned();
            for keyword in ["", "host", "hostaddr", "port", "user", "dbname", "sslrootcert", "sslcert", "sslkey"] {
                filled = filled.replace(&format!("{{{keyword}}}"), &value);
            }
            if let Some(conninfo) = mentioned(&filled).conninfo() {
                prop_assert!(crate::conninfo::parse(conninfo.as_bytes()).is_ok(), "{conninfo}");
            }
        }
    }
}
