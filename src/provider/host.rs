//! Finding a provider by what a server shows: its name, the name behind an alias, its certificate.

use super::{Form, FormKind, NamePattern, PROVIDERS, Port, Provider};
use crate::certificate::{Certificate, DistinguishedName, GeneralName};

/// A provider that was recognised.
#[derive(Clone, Debug)]
pub struct Detection {
    /// The provider.
    pub provider: &'static Provider,
    /// The form of its host name, if it is particular.
    pub form: Option<&'static Form>,
    /// What listens on the port there, if that is known.
    pub port: Option<&'static Port>,
}

impl Detection {
    /// Whether name or port belong to a connection pooler.
    pub fn is_pooler(&self) -> bool {
        self.port.is_some_and(|port| port.pooler)
            || self.form.is_some_and(|form| form.kind == FormKind::Pooler)
    }
}

/// The provider whose suffix a host name has, the most exact one first; of equal ones that of the first provider. Case
/// and a final dot do not matter.
pub fn by_host(host: &str) -> Option<&'static Provider> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut best: Option<(usize, &Provider)> = None;
    for &provider in PROVIDERS {
        for &suffix in provider.suffixes {
            // Nearly all differ in the last letters, and this is asked of every server.
            if !ends_alike(host, suffix) || match_wildcard(host, suffix).is_none() {
                continue;
            }
            let exactness = suffix.bytes().filter(|byte| *byte != b'*').count();
            if best.is_none_or(|(most, _)| exactness > most) {
                best = Some((exactness, provider));
            }
        }
    }
    best.map(|(_, provider)| provider)
}

/// The provider whose servers share this host's form with others, and that made up the names of user and database.
pub fn by_login(host: &str, user: &str, database: &str) -> Option<&'static Provider> {
    let is_made_up = |name: &str, first: char| {
        name.starts_with(first)
            && name.len() > 12
            && name.bytes().any(|byte| byte.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
    PROVIDERS.iter().copied().find(|provider| {
        let is_both = provider.made_up.is_some_and(|(of_user, of_database)| {
            is_made_up(user, of_user) && is_made_up(database, of_database)
        });
        is_both && provider.form(host).is_some_and(|form| form.kind == FormKind::Shared)
    })
}

/// The provider that host name, canonical name (the end of a CNAME chain) and chain (as sent, leaf first) speak for,
/// the host name loudest. A port alone names nobody: it only tells what listens there.
pub fn detect(
    host: Option<&str>,
    canonical_name: Option<&str>,
    port: Option<u16>,
    chain: &[Certificate],
) -> Option<Detection> {
    let provider = host
        .and_then(by_host)
        .or_else(|| canonical_name.and_then(by_host))
        .or_else(|| certified(chain))
        .or_else(|| issued(chain))?;
    let names = host.into_iter().chain(canonical_name);
    Some(Detection {
        provider,
        form: names.filter_map(|name| provider.form(name)).next(),
        port: port.and_then(|number| provider.port(number)),
    })
}

/// The public name of a server by the name that it has in its provider's own network.
pub fn public_name(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let form = by_host(&host)?.form(&host).filter(|form| form.kind == FormKind::Internal)?;
    host.strip_prefix(form.pattern.split('*').next()?).map(str::to_owned)
}

/// The name of the server itself by that of its pooler, where they differ by a word at the end of the first label.
pub fn past_pooler(host: &str) -> Option<String> {
    let form = by_host(host)?.form(host).filter(|form| form.kind == FormKind::Pooler)?;
    let word = form.pattern.split('.').next()?.strip_prefix('*')?;
    let (server, rest) = host.split_once('.')?;
    Some(format!("{}.{rest}", server.strip_suffix(word)?))
}

/// What a server of that name is called in the provider's other clouds, each with what makes it the right one.
pub fn other_names(host: &str) -> Vec<(String, String)> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let Some(provider) = by_host(&host) else { return Vec::new() };
    let mut names: Vec<(String, String)> = Vec::new();
    let Some((server, suffix)) =
        provider.suffixes.iter().find_map(|suffix| Some((host.strip_suffix(suffix)?, *suffix)))
    else {
        return names;
    };
    // The service's own labels, as in ".postgres.database."; what follows is the cloud's.
    let service = suffix.match_indices('.').nth(2).and_then(|(end, _)| suffix.get(..=end));
    for &other in PROVIDERS {
        for end in other.suffixes.iter().filter(|end| service.is_some_and(|service| end.starts_with(service)))
        {
            let name = format!("{server}{end}");
            if *end != suffix && !end.contains('*') && names.iter().all(|(known, _)| *known != name) {
                names.push((
                    name,
                    format!("if it is a server of {}: name it as it is called there", other.name),
                ));
            }
        }
    }
    names
}

/// A name that is known inside of a provider's network only: the provider, and what the name is outside of it.
pub fn external_name(host: &str) -> Option<(&'static Provider, String)> {
    let is_it = |provider: &&&Provider| {
        let form = provider.form(host);
        form.is_some_and(|form| form.kind == FormKind::Internal) && !host.contains('.')
    };
    let provider = *PROVIDERS.iter().find(is_it)?;
    let suffix = provider.suffixes.first()?.replace('*', "REGION");
    Some((provider, format!("{host}{suffix}")))
}

/// By the first of the leaf's DNS names that has a provider's suffix.
fn certified(chain: &[Certificate]) -> Option<&'static Provider> {
    let names = chain.first()?.facts().ok()?.sans.as_deref()?;
    names.iter().find_map(|name| {
        let GeneralName::Dns(bytes) = name else { return None };
        let name = std::str::from_utf8(bytes).ok()?;
        // "*.example.com" stands for the names below it.
        let example = name.replacen('*', "any", 1);
        by_host(&example)
    })
}

/// By the issuers of the chain.
fn issued(chain: &[Certificate]) -> Option<&'static Provider> {
    let issuers = chain.iter().filter_map(|certificate| certificate.facts().ok()).map(|facts| &facts.issuer);
    issuers.into_iter().find_map(by_issuer)
}

/// The provider that a CA of this name is of.
pub fn by_issuer(issuer: &DistinguishedName) -> Option<&'static Provider> {
    let issues = |pattern: &NamePattern| pattern.matches(issuer);
    PROVIDERS.iter().copied().find(|provider| provider.chain.iter().any(issues))
}

/// What the last `*` of the provider's suffix stands for in a host name: a region.
pub(super) fn region<'a>(provider: &Provider, host: &'a str) -> Option<&'a str> {
    provider
        .suffixes
        .iter()
        .filter(|suffix| suffix.contains('*'))
        .find_map(|suffix| match_wildcard(host, suffix).flatten())
}

/// The region of a server of AWS, whose requests are signed for it.
pub fn aws_region(host: &str) -> Option<&str> {
    region(by_host(host).filter(|provider| provider.id.starts_with("aws-"))?, host)
}

/// Whether a name has a form: the end of a name where the pattern begins with a dot, else the whole.
pub(super) fn has_form(host: &str, pattern: &str) -> bool {
    match_wildcard(host, pattern).is_some()
}

/// Whether a name fits a pattern, label by label, and what the last `*` in it stands for. From the end, where most differ.
fn match_wildcard<'a>(host: &'a str, pattern: &str) -> Option<Option<&'a str>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut ends = pattern.bytes().rev().take_while(|byte| *byte != b'*').zip(host.bytes().rev());
    if ends.any(|(wanted, byte)| !wanted.eq_ignore_ascii_case(&byte)) {
        return None;
    }
    let (pattern, is_end) = match pattern.strip_prefix('.') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let mut labels = host.rsplit('.');
    let mut last = None;
    for wanted in pattern.rsplit('.') {
        let label = labels.next()?;
        match wanted.split_once('*') {
            None if !label.is_empty() && label.eq_ignore_ascii_case(wanted) => {}
            None => return None,
            Some((start, end)) => {
                let middle = label.len().checked_sub(start.len() + end.len()).filter(|length| *length > 0)?;
                let (head, rest) = label.split_at_checked(start.len())?;
                let (inner, tail) = rest.split_at_checked(middle)?;
                if !head.eq_ignore_ascii_case(start) || !tail.eq_ignore_ascii_case(end) {
                    return None;
                }
                last.get_or_insert(inner);
            }
        }
    }
    let mut before = labels.peekable();
    (before.peek().is_some() == is_end && before.all(|label| !label.is_empty())).then_some(last)
}

/// Whether a name ends as a pattern does, up to the last `*` in it.
fn ends_alike(host: &str, pattern: &str) -> bool {
    let mut wanted = pattern.bytes().rev().take_while(|byte| *byte != b'*');
    let mut found = host.bytes().rev();
    wanted.all(|wanted| found.next().is_some_and(|found| found.eq_ignore_ascii_case(&wanted)))
}

/// Whether text fits a pattern in which `*` stands for anything; ASCII case does not count.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut rest = text.as_bytes();
    let mut parts = pattern.as_bytes().split(|byte| *byte == b'*').peekable();
    let mut is_first = true;
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let begins = |bytes: &[u8]| {
            bytes.get(..part.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(part))
        };
        let place = match (is_first, is_last) {
            (true, true) => return rest.eq_ignore_ascii_case(part),
            (true, false) => begins(rest).then_some(0),
            (false, true) => {
                let end = rest.len().checked_sub(part.len()).and_then(|start| rest.get(start..));
                return end.is_some_and(begins);
            }
            (false, false) => (0..=rest.len()).find(|at| rest.get(*at..).is_some_and(begins)),
        };
        match place.and_then(|place| rest.get(place + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
        is_first = false;
    }
    true
}

/// A host name whose end is nearly a provider's.
#[derive(Clone, Debug)]
pub struct NearMiss {
    /// Whose.
    pub provider: &'static Provider,
    /// The end as typed.
    pub typed: String,
    /// The end it should be.
    pub suffix: &'static str,
    /// The whole name with the right end.
    pub host: String,
}

/// The provider whose suffix a host name misses by a slip of the hand: a letter too few, too many, wrong or swapped (two
/// in long suffixes), a dot, or one label of a long suffix. A name that has a provider's suffix is no near miss.
pub fn near_miss(host: &str) -> Option<NearMiss> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.len() > 253 || !host.is_ascii() || by_host(host).is_some() {
        return None;
    }
    let mut best: Option<(usize, NearMiss)> = None;
    for &provider in PROVIDERS {
        for suffix in provider.suffixes {
            let end = literal_end(suffix);
            let Some((typos, start)) = typo(host, end).or_else(|| label_left_out(host, end)) else {
                continue;
            };
            if best.as_ref().is_some_and(|(least, _)| typos >= *least) {
                continue;
            }
            let (Some(before), Some(typed)) = (host.get(..start), host.get(start..)) else { continue };
            let corrected = format!("{before}{end}");
            if let Some(provider) = by_host(&corrected) {
                let typed = typed.to_owned();
                best = Some((typos, NearMiss { provider, typed, suffix: end, host: corrected }));
            }
        }
    }
    best.map(|(_, provider)| provider)
}

/// The end of a suffix behind its last `*` and the rest of that label.
fn literal_end(suffix: &'static str) -> &'static str {
    let behind = suffix.rfind('*').and_then(|star| suffix.get(star..)).unwrap_or(suffix);
    behind.find('.').and_then(|dot| behind.get(dot..)).unwrap_or(behind)
}

/// The fewest edits that turn an end of `host` into `end`, and where that end begins, if there are few enough for a slip.
fn typo(host: &str, end: &str) -> Option<(usize, usize)> {
    let allowed = (end.len() / 10).min(2);
    let given = host.to_ascii_lowercase();
    let starts = (0..=2 * allowed)
        .filter_map(|more| given.len().checked_sub(end.len().checked_sub(allowed)?.checked_add(more)?));
    let typos = |start: usize| Some((strsim::osa_distance(given.get(start..)?, end), start));
    let (typos, start) = starts.filter_map(typos).min_by_key(|(typos, _)| *typos)?;
    (start > 0 && (1..=allowed).contains(&typos)).then_some((typos, start))
}

/// Whether `host` has one label before an `end` of four labels or more from which one label is missing.
fn label_left_out(host: &str, end: &str) -> Option<(usize, usize)> {
    let labels: Vec<&str> = end.split('.').skip(1).collect();
    if labels.len() < 4 {
        return None;
    }
    let host = host.to_ascii_lowercase();
    (0..labels.len()).find_map(|missing| {
        let kept = labels.iter().enumerate().filter(|(place, _)| *place != missing);
        let short: String = kept.map(|(_, label)| format!(".{label}")).collect();
        let name = host.strip_suffix(&short)?;
        (!name.is_empty() && !name.contains('.')).then_some((3, name.len()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{DnType, SanType};

    use super::*;
    use crate::testing::{Authority, named, params};

    fn id(host: &str) -> Option<&'static str> {
        by_host(host).map(|provider| provider.id)
    }

    #[test]
    fn suffixes_name_providers() {
        for (host, wanted) in [
            ("mydemoserver.postgres.database.azure.com", Some("azure-flexible")),
            ("MyDemoServer.Postgres.Database.Azure.COM.", Some("azure-flexible")),
            ("x.privatelink.postgres.database.azure.com", Some("azure-flexible")),
            ("x.postgres.database.usgovcloudapi.net", Some("azure-flexible-usgov")),
            ("x.postgres.database.chinacloudapi.cn", Some("azure-flexible-china")),
            ("c-mine.abc123.postgres.cosmos.azure.com", Some("azure-cosmos-pg")),
            ("db.c1a2b3.eu-central-1.rds.amazonaws.com", Some("aws-rds")),
            ("db.proxy-c1a2b3.eu-central-1.rds.amazonaws.com", Some("aws-rds-proxy")),
            ("db.c1a2b3.cn-north-1.rds.amazonaws.com.cn", Some("aws-rds-china")),
            ("abc.dsql.us-east-1.on.aws", Some("aws-dsql")),
            ("ep-cool-1.eu-central-1.aws.neon.tech", Some("neon")),
            ("db.ref.supabase.co", Some("supabase")),
            ("aws-0-eu.pooler.supabase.com", Some("supabase")),
            ("dpg-abc-a.oregon-postgres.render.com", Some("render")),
            ("postgres.database.azure.com", None),
            (".postgres.database.azure.com", None),
            ("x.postgres.database.azure.com.evil.example", None),
            ("xpostgres.database.azure.com", None),
            ("ec2-1-2-3-4.compute-1.amazonaws.com", None),
            ("localhost", None),
            ("", None),
            ("é.neon.tech", Some("neon")),
        ] {
            assert_eq!(id(host), wanted, "{host}");
        }
    }

    #[test]
    fn a_region_is_read_from_the_name() {
        let rds = crate::provider::by_id("aws-rds").unwrap();
        assert_eq!(region(rds, "db.c1.eu-central-1.rds.amazonaws.com"), Some("eu-central-1"));
        assert_eq!(region(rds, "db.example"), None);
    }

    #[test]
    fn slips_are_corrected() {
        for (typed, wanted) in [
            ("my.postgres.database.azur.com", Some("my.postgres.database.azure.com")),
            ("my.postgres.database.azure.con", Some("my.postgres.database.azure.com")),
            ("my.postgers.database.azure.com", Some("my.postgres.database.azure.com")),
            ("my.postgresql.database.azure.com", Some("my.postgres.database.azure.com")),
            ("my.postgres.databaseazure.com", Some("my.postgres.database.azure.com")),
            ("mypostgres.database.azure.com", Some("my.postgres.database.azure.com")),
            ("my.database.azure.com", Some("my.postgres.database.azure.com")),
            ("my.postgres.azure.com", Some("my.postgres.database.azure.com")),
            ("my.postgres.database.chinacloudapi.com", Some("my.postgres.database.chinacloudapi.cn")),
            ("db.c1.eu-west-1.rds.amazonaws.con", Some("db.c1.eu-west-1.rds.amazonaws.com")),
            ("db.c1.eu-west-1.rds.amazonasw.com", Some("db.c1.eu-west-1.rds.amazonaws.com")),
            ("ep-1.eu.aws.neon.tec", Some("ep-1.eu.aws.neon.tech")),
            ("db.ref.supabase.com", Some("db.ref.supabase.co")),
            ("my.postgres.database.azure.com", None),
            ("my.mysql.database.azure.com", None),
            ("db.example.com", None),
            ("neon.tech", None),
            ("", None),
        ] {
            assert_eq!(near_miss(typed).map(|found| found.host).as_deref(), wanted, "{typed}");
        }
        let found = near_miss("my.postgres.database.azur.com").unwrap();
        assert_eq!(
            (found.provider.id, found.typed.as_str()),
            ("azure-flexible", ".postgres.database.azur.com")
        );
    }

    #[test]
    fn patterns_match_like_globs() {
        for (pattern, text, wanted) in [
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "a-b-b-c", true),
            ("*b*", "abc", true),
            ("*x*", "abc", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }

    fn certificate(dns: &[&str], issuer: &[(DnType, &str)]) -> Certificate {
        let mut authority = params("", true);
        authority.distinguished_name = named(issuer);
        let mut leaf = params("", false);
        leaf.subject_alt_names =
            dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
        Authority::root_with(authority).issue(leaf).certificate
    }

    #[test]
    fn alias_and_chain_speak_where_the_name_does_not() {
        let other = || certificate(&["db.example"], &[(DnType::CommonName, "Example CA")]);
        assert!(detect(Some("db.example"), None, Some(6432), &[other()]).is_none());
        assert!(detect(None, None, None, &[]).is_none());

        let name = "x.rs-abc.postgres.database.azure.com";
        let found = detect(Some("db.example"), Some(name), Some(6432), &[other()]).unwrap();
        assert_eq!(found.provider.id, "azure-flexible");

        let chain =
            [certificate(&["mine.postgres.database.azure.com"], &[(DnType::CommonName, "Example CA")])];
        let found = detect(Some("localhost"), None, None, &chain).unwrap();
        assert_eq!(found.provider.id, "azure-flexible");

        let chain = [certificate(&["*.neon.tech"], &[(DnType::CommonName, "R11")])];
        assert_eq!(detect(None, None, None, &chain).unwrap().provider.id, "neon");

        let issuer = "Amazon RDS eu-central-1 Subordinate CA RSA2048 G1.A.1";
        let chain = [certificate(&["db.internal"], &[(DnType::CommonName, issuer)])];
        let found = detect(Some("db.internal"), None, None, &chain).unwrap();
        assert_eq!(found.provider.id, "aws-rds");
    }

    #[test]
    fn the_host_name_speaks_loudest() {
        let chain =
            [certificate(&["x.postgres.database.azure.com"], &[(DnType::CommonName, "Zscaler Root CA")])];
        let found = detect(Some("ep-1.neon.tech"), None, None, &chain).unwrap();
        assert_eq!(found.provider.id, "neon");
    }

    #[test]
    fn poolers_and_private_links_are_told() {
        let found = detect(Some("x.postgres.database.azure.com"), None, Some(6432), &[]).unwrap();
        assert!(found.is_pooler() && found.form.is_none());
        let found = detect(Some("x.postgres.database.azure.com"), None, Some(5432), &[]).unwrap();
        assert!(!found.is_pooler());
        let alias = Some("x.privatelink.postgres.database.azure.com");
        let found = detect(Some("x.postgres.database.azure.com"), alias, None, &[]).unwrap();
        assert_eq!(found.form.map(|form| form.kind), Some(FormKind::PrivateLink));
        let found = detect(Some("pgbouncer.abc.flympg.net"), None, None, &[]).unwrap();
        assert!(found.is_pooler());
    }

    #[test]
    fn a_pooler_with_a_word_in_its_name_leads_to_its_server() {
        let past = |host| past_pooler(host);
        let server = "ep-calm-sea-1.eu-central-1.aws.neon.tech";
        assert_eq!(past("ep-calm-sea-1-pooler.eu-central-1.aws.neon.tech").as_deref(), Some(server));
        let server = "ep-calm-sea-1.c-2.us-east-1.aws.neon.tech";
        assert_eq!(past("ep-calm-sea-1-pooler.c-2.us-east-1.aws.neon.tech").as_deref(), Some(server));
        for other in [server, "aws-0-eu-central-1.pooler.supabase.com", "x-pooler.example"] {
            assert_eq!(past(other), None, "{other}");
        }
    }

    #[test]
    fn a_server_may_have_another_name_elsewhere() {
        let names = |host| other_names(host).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(
            names("my.postgres.database.azure.com."),
            ["my.postgres.database.usgovcloudapi.net", "my.postgres.database.chinacloudapi.cn"]
        );
        assert_eq!(names("my.postgres.database.chinacloudapi.cn").len(), 2);
        let public = Some("a-b-0.c.db.ondigitalocean.com".to_owned());
        assert_eq!(public_name("private-a-b-0.c.db.ondigitalocean.com"), public);
        assert_eq!(public.and_then(|public| public_name(&public)), None);
        for host in ["a-b-0.c.db.ondigitalocean.com", "db.example", "x.eu-west-1.rds.amazonaws.com"] {
            assert_eq!(names(host), [""; 0], "{host}");
        }
        let (provider, name) = external_name("dpg-x1-a").unwrap();
        assert_eq!((provider.id, name.as_str()), ("render", "dpg-x1-a.REGION-postgres.render.com"));
        for host in ["dpg-x1-a.example", "db"] {
            assert!(external_name(host).is_none(), "{host}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_name_is_looked_up(host in "[a-z.\\-*é]{0,60}", end in prop::sample::select(PROVIDERS.to_vec())) {
            let _ = near_miss(&host);
            if let Some(suffix) = end.suffixes.first() {
                let name = format!("{host}{}", suffix.replace('*', "r1"));
                if let Some(found) = near_miss(&name) {
                    prop_assert!(by_host(&found.host).is_some());
                }
            }
        }
    }
}
