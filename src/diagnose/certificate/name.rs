//! The name: the chain is good, and for another host.

use std::net::{IpAddr, SocketAddr};

use super::reissue::{self, Key};
use super::{demanded, detour, names_of, otherwise};
use crate::certificate::GeneralName;
use crate::conninfo::is_possible_name;
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::fix::provider_hints;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{Reachability, View, at_most, reachability, shown, shown_value};
use crate::provider::{self, PROVIDERS, Situation};
use crate::stage::Stage;
use crate::text::{self, distance};
use crate::verify::hints::closest_name;
use crate::verify::{Defect, is_ip_address, matches_name};

/// `hostname-mismatch`.
pub const HOSTNAME_MISMATCH: Code = Code {
    name: "hostname-mismatch",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the certificate is not valid for the host name",
    short: None,
    concerns: &[],
    retryable: false,
};

pub(super) fn hostname_mismatch(view: &View<'_>) -> Option<Finding> {
    let Defect::NameMismatch { host, common_name, .. } =
        demanded(view).find(|defect| matches!(defect, Defect::NameMismatch { .. }))?
    else {
        return None;
    };
    let asked = shown(host);
    let leaf = view.tls()?.chain.first()?;
    let facts = leaf.facts().ok()?;
    let names = names_of(leaf);
    let closest = closest_name(facts, &asked).map(|name| text::printable(&name));
    let led_by = is_full_name(&asked).then(|| detour::detour(view)).flatten().map(|detour| detour.words);
    let reading = reading(view, &asked, &names, closest.as_deref());
    let server = reading.fixes.iter().flat_map(|fix| &fix.settings).find(|(keyword, _)| *keyword == "host");
    let server = server.filter(|(_, name)| !is_ip_address(name.as_bytes()));
    let refused = server.and_then(|(_, name)| otherwise::refused_under(view, name));
    let common_name = common_name.as_ref().map(|name| text::printable_bytes(name));
    let common_name = common_name.filter(|name| !names.contains(name));
    // Where the server's name is known, nothing is wrong with its certificate.
    let is_known = reading.fixes.iter().any(|fix| fix.names("host") && !fix.claimed);
    let support = reissue::of_provider(view).filter(|_| is_known || reading.fixes.len() > 1);
    let public = server.is_some_and(|(_, name)| provider::by_host(name).is_some());
    let hints = if public { Vec::new() } else { provider_hints(view, Situation::NameMismatch, None) };
    Some(
        Finding::titled(format!("the certificate is not valid for \"{asked}\""))
            .in_short("valid chain, wrong host name")
            .because(reading.cause)
            .fact("expected", asked)
            .fact("certificate_names", at_most(20, names))
            .fact_if("common_name", common_name)
            .fact_if("closest", closest)
            .fact_if("address_from", led_by)
            .fact_if("strict_clients", refused)
            .fixes(reading.fixes.into_iter().filter(|fix| support.as_ref() != Some(fix)))
            .fixes(hints),
    )
}

/// What most likely is the matter, and what to do.
struct Reading {
    cause: String,
    fixes: Vec<Fix>,
}

/// The readings, the most specific first.
fn reading(view: &View<'_>, asked: &str, names: &[String], closest: Option<&str>) -> Reading {
    let mismatch = Mismatch::new(view, asked, names, closest);
    let known = mismatch.final_dot().or_else(|| mismatch.common_name_alone());
    if is_full_name(asked) {
        // Whoever asked for a whole name meant that one: what the server calls itself is no better one for it.
        return known
            .or_else(|| mismatch.alias())
            .or_else(|| mismatch.private_alias())
            .or_else(|| mismatch.cluster_domain())
            .or_else(|| mismatch.wildcard())
            .or_else(|| mismatch.partial_wildcard())
            .or_else(|| mismatch.nameless())
            .or_else(|| mismatch.first_label_alone())
            .or_else(|| mismatch.led_elsewhere())
            .or_else(|| mismatch.of_another_host())
            .or_else(|| mismatch.slip())
            .or_else(|| mismatch.of_development())
            .or_else(|| mismatch.pooler())
            .unwrap_or_else(|| mismatch.another_server());
    }
    known
        .or_else(|| mismatch.through_this_machine())
        .or_else(|| mismatch.by_address())
        .or_else(|| mismatch.alias())
        .unwrap_or_else(|| mismatch.short_name())
}

/// Whether a host is a name that stands for one server everywhere: neither an address, nor this machine, nor a name
/// without a dot, which is some network's own word for it.
fn is_full_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_local = name == "localhost.localdomain" || name.ends_with(".localhost");
    name.contains('.') && !is_local && !is_ip_address(host.as_bytes())
}

/// Whether a name is the one of an instance of Cloud SQL: `project:instance`, with a domain before it in older projects.
fn is_of_instance(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":.-".contains(c);
    name.contains(':')
        && name.len() <= LONGEST_HOST_NAME
        && name.chars().all(plain)
        && !is_ip_address(name.as_bytes())
}

/// As IANA has registered it.
const POSTGRESQL_PORT: u16 = 5432;
/// RFC 1035, section 2.3.4.
const LONGEST_HOST_NAME: usize = 253;

/// A name asked for, the certificate's names, and the way to the server.
struct Mismatch<'a> {
    view: &'a View<'a>,
    asked: &'a str,
    names: &'a [String],
    closest: Option<&'a str>,
    /// The name behind an alias, which the certificate is for.
    behind: Option<String>,
    /// The name that the server most likely has.
    server: Option<String>,
    address: Option<IpAddr>,
}

impl<'a> Mismatch<'a> {
    fn new(view: &'a View<'a>, asked: &'a str, names: &'a [String], closest: Option<&'a str>) -> Self {
        // A common name can be anything; only what could stand in host is offered.
        let is_name = |name: &str| name.len() <= LONGEST_HOST_NAME && is_possible_name(name);
        let usable = |name: &&String| is_name(name) && !is_ip_address(name.as_bytes());
        let closest = closest.filter(|name| is_name(name));
        // The name behind an alias is the resolver's word; the certificate must be for it.
        let canonical = view.attempt.and_then(|attempt| attempt.canonical_name.clone());
        let behind = canonical
            .filter(|name| names.iter().any(|pattern| matches_name(pattern.as_bytes(), name.as_bytes())));
        let of_provider = names.iter().filter(usable).find(|name| provider::by_host(name).is_some());
        let server = behind
            .clone()
            .or_else(|| of_provider.cloned())
            .or_else(|| closest.map(str::to_owned).filter(|name| !is_ip_address(name.as_bytes())))
            .or_else(|| names.iter().find(usable).cloned())
            // PROJECT:INSTANCE, which libpq compares verbatim where hostaddr has the address.
            .or_else(|| {
                names.iter().find(|name| is_of_instance(name)).filter(|_| view.provider().is_some()).cloned()
            });
        Self { view, asked, names, closest, behind, server, address: view.address() }
    }

    /// The domain of the servers of a provider whose certificate is for all of them, as `.postgres.database.azure.com`, where
    /// no name of one server is known. What else the certificate names is the provider's own business.
    fn domain(&self) -> Option<&str> {
        let mut domains = self.names.iter().filter_map(|name| name.strip_prefix('*'));
        let is_known = self.server.as_deref().is_some_and(|name| provider::by_host(name).is_some());
        domains
            .find(|domain| PROVIDERS.iter().any(|known| known.suffixes.contains(domain)))
            .filter(|_| !is_known)
    }

    /// The server's name in host, the way as it was.
    fn pair(&self, text: &str) -> Option<Fix> {
        if let Some(domain) = self.domain() {
            let short =
                Some(self.asked).filter(|asked| !asked.contains('.') && !is_ip_address(asked.as_bytes()));
            return Some(match short.filter(|name| !name.eq_ignore_ascii_case("localhost")) {
                Some(name) => self.at_address(Fix::text(text).set("host", format!("{name}{domain}"))),
                None => self.at_address(
                    Fix::text(format!("{text}; SERVER stands for what the provider's portal calls it"))
                        .set("host", format!("SERVER{domain}"))
                        .by_its_own_word(),
                ),
            });
        }
        Some(self.at_address(Fix::text(text).set("host", self.server.clone()?)))
    }

    /// A fix under which the address stays as it was.
    fn at_address(&self, fix: Fix) -> Fix {
        match self.address {
            Some(address) => fix.set("hostaddr", address.to_string()),
            None => fix,
        }
    }

    /// The same where another whole name was asked for.
    fn claimed(&self) -> Option<Fix> {
        let server = self.server.as_deref()?;
        Some(
            self.pair(&format!("only if {server} is the server you mean: set host to that name"))?
                .by_its_own_word(),
        )
    }

    /// What the name asked for has to be in subjectAltName.
    fn kind(&self) -> &'static str {
        if is_ip_address(self.asked.as_bytes()) { "IP" } else { "DNS" }
    }

    fn reissue(&self) -> Fix {
        let asked = self.asked;
        let kind = self.kind();
        let text =
            format!("if you run the server: reissue its certificate with {kind}:{asked} in subjectAltName");
        reissue::server(self.view, &text, Key::Kept, Some(asked))
    }

    /// The same, where a name of the certificate is that one with an error in it.
    fn renamed(&self, wrong: &str) -> Fix {
        let asked = self.asked;
        let text =
            format!("if you run the server: reissue its certificate with {asked} in the place of {wrong}");
        reissue::server_renamed(self.view, &text, wrong, asked)
    }

    fn pair_or_reissue(&self, text: &str) -> Vec<Fix> {
        self.pair(text).into_iter().chain([self.reissue()]).collect()
    }

    /// Where the connection led: `203.0.113.7:5432`.
    fn place(&self) -> String {
        match self.address {
            Some(address) => SocketAddr::new(address, self.view.port()).to_string(),
            None => self.view.place(),
        }
    }

    /// `127.0.0.1:24010 leads to db1.example, not to orders.example`
    fn leads_to(&self) -> String {
        let server = self.server.as_deref().unwrap_or("another server");
        format!("{} leads to {server}, not to {}", self.place(), self.asked)
    }

    fn final_dot(&self) -> Option<Reading> {
        let asked = self.asked;
        let Some(bare) = asked.strip_suffix('.') else {
            let dotted =
                |name: &&String| name.strip_suffix('.').is_some_and(|bare| bare.eq_ignore_ascii_case(asked));
            return self.names.iter().find(dotted).map(|name| Reading {
                cause: format!(
                    "the certificate's name \"{name}\" ends with a dot (.); {} compares it, and DNS names in \
                     certificates have none",
                    self.view.program()
                ),
                fixes: vec![self.renamed(name)],
            });
        };
        self.names.iter().any(|name| matches_name(name.as_bytes(), bare.as_bytes())).then(|| Reading {
            cause: format!(
                "{} compares the final dot (.) at the end too, and no certificate name ends with one",
                self.view.program()
            ),
            fixes: vec![Fix::text("remove the dot at the end").set("host", bare)],
        })
    }

    /// The common name is the one asked for, or a DNS name the address, and others stand in subjectAltName.
    fn common_name_alone(&self) -> Option<Reading> {
        let asked = self.asked;
        let common_name =
            self.view.tls()?.chain.first()?.facts().ok()?.subject.common_name().unwrap_or_default();
        let is_named = common_name.eq_ignore_ascii_case(asked) || self.names.iter().any(|name| name == asked);
        let kind = self.kind();
        is_named.then(|| Reading {
            cause: format!(
                "{} counts only {kind}:{asked} in subjectAltName; the certificate has {asked} elsewhere (as its common name, or an address \
                 as a DNS name)",
                self.view.program()
            ),
            fixes: vec![self.reissue()],
        })
    }

    fn through_this_machine(&self) -> Option<Reading> {
        let address = self.address.filter(|address| reachability(*address) == Reachability::Loopback)?;
        Some(Reading {
            cause: format!(
                "the connection goes through this machine ({address}), so it is probably a tunnel; the name \
                 to verify is still the server's"
            ),
            fixes: match self.pair("keep the tunnel but verify the server's own name") {
                // Every machine is called so: no certificate should be.
                Some(fix) if self.asked.eq_ignore_ascii_case("localhost") => vec![fix],
                pair => pair.into_iter().chain([self.reissue()]).collect(),
            },
        })
    }

    fn by_address(&self) -> Option<Reading> {
        is_ip_address(self.asked.as_bytes()).then(|| Reading {
            cause: "host is an address that is not among the certificate's names: set host to the name to verify and hostaddr to the address"
                .to_owned(),
            fixes: {
                let pair = self.pair("if it is the right server: set host to its name and keep the address");
                let pair = pair.or_else(|| self.other_address());
                // A provider's certificate is right as it is: no address belongs into it.
                let reissue = (pair.is_none() || self.view.provider().is_none()).then(|| self.reissue());
                pair.into_iter().chain(reissue).collect()
            },
        })
    }

    /// The certificate is for another address, which may be one of the same server's.
    fn other_address(&self) -> Option<Fix> {
        let name = self.names.iter().find(|name| is_ip_address(name.as_bytes()))?;
        let text = format!(
            "if this, on the server, lists {name} (another interface) or the server is behind NAT: verify that address and keep the way \
             to it; if not, {name} is another server: set host to that one if it is meant"
        );
        Some(self.at_address(Fix::text(text).set("host", name).run("ip -brief address")))
    }

    fn alias(&self) -> Option<Reading> {
        let behind = self.behind.as_ref()?;
        let asked = self.asked;
        // The first search domain with such a name wins: the server that was meant may be in another one.
        let prefix = format!("{}.", asked.to_ascii_lowercase());
        if let Some(domain) =
            behind.to_ascii_lowercase().strip_prefix(&prefix).filter(|_| !asked.contains('.'))
        {
            return Some(Reading {
                cause: format!(
                    "{asked} is no full name: here it became {behind}, most likely by the search domains of /etc/resolv.conf ({domain})"
                ),
                fixes: vec![
                    Fix::text(format!(
                        "if {behind} is not the server you mean: set host to the full name, {asked}.DOMAIN, or correct the search domains \
                         (the first one that has the name counts)"
                    ))
                    .run("grep -E '^(search|domain)' /etc/resolv.conf"),
                    Fix::text(format!("if {behind} is the server you mean: set host to that name"))
                        .set("host", behind)
                        .by_its_own_word(),
                ],
            });
        }
        Some(Reading {
            cause: format!(
                "{} is an alias (CNAME) of {}, and the certificate is for that name",
                self.asked,
                text::printable(behind)
            ),
            fixes: vec![Fix::text("name the server itself").set("host", behind), self.reissue()],
        })
    }

    /// The alias of a server in its provider's zone of private endpoints. The address stays: outside of that zone the public
    /// name may lead elsewhere, or nowhere.
    fn private_alias(&self) -> Option<Reading> {
        let provider = provider::by_host(self.asked)?;
        let public = provider.public_name(self.asked)?;
        self.names.iter().find(|name| matches_name(name.as_bytes(), public.as_bytes()))?;
        Some(Reading {
            cause: format!(
                "{} is the server's alias in the DNS zone of its private endpoint; its certificate is for its public name, {public}",
                self.asked
            ),
            fixes: vec![
                self.at_address(
                    Fix::text("name the server by its public name, and keep the private address")
                        .set("host", public),
                ),
            ],
        })
    }

    /// The whole name of a Kubernetes service, of which the certificate has the shorter form, without the cluster's domain.
    fn cluster_domain(&self) -> Option<Reading> {
        let asked = self.asked.to_ascii_lowercase();
        let shorter = self.names.iter().find(|name| {
            let name = name.to_ascii_lowercase();
            name.ends_with(".svc") && asked.strip_prefix(&name) == Some(".cluster.local")
        })?;
        Some(Reading {
            cause: format!(
                "{} is {shorter} with the cluster's domain after it: the same Kubernetes service, and the certificate has only \
                 the shorter name",
                self.asked
            ),
            fixes: vec![
                self.at_address(
                    Fix::text("use the name that the certificate has, for the same service (hostaddr keeps the address)")
                        .set("host", shorter),
                ),
                Fix::server(format!(
                    "in Kubernetes: have {} added to the names (CloudNativePG: serverAltDNSNames in spec.certificates of the Cluster; \
                     cert-manager: dnsNames of the Certificate)",
                    self.asked
                )),
            ],
        })
    }

    /// A wildcard stands for one label (RFC 6125, section 6.4.3).
    fn wildcard(&self) -> Option<Reading> {
        let asked = self.asked.to_ascii_lowercase();
        let labels = |name: &&String| {
            let parent = name.to_ascii_lowercase();
            let parent = parent.strip_prefix("*.")?;
            if asked == parent {
                return Some(0);
            }
            Some(asked.strip_suffix(parent)?.strip_suffix('.')?.split('.').count())
        };
        let (name, labels) = self.names.iter().find_map(|name| Some((name, labels(&name)?)))?;
        let parent = name.trim_start_matches("*.");
        let stands = match labels {
            0 => "is that domain itself".to_owned(),
            labels => format!("has {labels} labels there"),
        };
        Some(Reading {
            cause: format!(
                "the wildcard {name} stands for exactly one label, as in NAME.{parent}; {} {stands}",
                self.asked
            ),
            fixes: vec![
                self.reissue(),
                Fix::text(format!(
                    "if DNS has a name with one label for the same server: set host to that, NAME.{parent}"
                )),
            ],
        })
    }

    /// A `*` that is not a whole label, which libpq takes for itself (fe-secure-common.c, wildcard_certificate_match).
    fn partial_wildcard(&self) -> Option<Reading> {
        let asked = self.asked.to_ascii_lowercase();
        let fits = |name: &&String| {
            let name = name.to_ascii_lowercase();
            let Some((before, after)) = name.split_once('*').filter(|_| !name.starts_with("*.")) else {
                return false;
            };
            let rest = asked.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            rest.is_some_and(|rest| !rest.contains('.'))
        };
        let name = self.names.iter().find(fits)?;
        let parent = name.split_once('.').map_or("", |(_, parent)| parent);
        Some(Reading {
            cause: format!(
                "{name} stands for no name: libpq takes * as a wildcard only where it is the whole first label, as in *.{parent}"
            ),
            fixes: vec![reissue::server(
                self.view,
                &format!(
                    "on the server: reissue its certificate with each server's name, or *.{parent}, in the place of {name}"
                ),
                Key::Kept,
                Some(&format!("*.{parent}")),
            )],
        })
    }

    /// A certificate without any name that could be a host's.
    fn nameless(&self) -> Option<Reading> {
        if !self.names.is_empty() {
            return None;
        }
        let leaf = self.view.tls()?.chain.first()?;
        let has_uri = leaf.readable().sans.iter().any(|name| matches!(name, GeneralName::Uri(_)));
        Some(Reading {
            cause: match has_uri {
                true => "the certificate names a URI (such as SPIFFE's) and no host; for a host name only DNS names count",
                false => "the certificate names no host at all, so it is valid for none",
            }
            .to_owned(),
            fixes: has_uri
                .then(|| {
                    Fix::text(format!(
                        "if SPIRE issues it: add -dns {} to the server's entry (spire-server entry update; in Kubernetes dnsNameTemplates of its \
                         ClusterSPIFFEID), and let the server load the new certificate",
                        self.asked
                    ))
                })
                .into_iter()
                .chain([self.reissue()])
                .collect(),
        })
    }

    /// The certificate has the first label of the name, as the machine calls itself.
    fn first_label_alone(&self) -> Option<Reading> {
        let (first, domain) = self.asked.split_once('.')?;
        let name = self.names.iter().find(|name| name.eq_ignore_ascii_case(first))?;
        let until = format!("until then, if {name} is this server's own short name: set host to it");
        Some(Reading {
            cause: format!("the certificate has the short name {name} alone, without the domain {domain}"),
            fixes: [self.reissue()]
                .into_iter()
                .chain([self.at_address(Fix::text(until).set("host", name)).by_its_own_word()])
                .collect(),
        })
    }

    /// Something other than the name's DNS record leads to another server.
    fn led_elsewhere(&self) -> Option<Reading> {
        let asked = self.asked;
        let detour = detour::detour(self.view);
        let is_local = self.address.map(reachability) == Some(Reachability::Loopback);
        if detour.is_none() && !is_local {
            return None;
        }
        let port = self.view.port();
        let mut fixes = Vec::new();
        let mut cause = self.leads_to();
        let is_stray = detour.as_ref().is_some_and(|detour| detour.is_stray);
        if let Some(detour) = detour {
            // Of a full name the row `address_from` says it.
            if !is_full_name(asked) {
                cause.push_str(&format!("; {}", detour.words));
            }
            fixes.push(detour.removal);
        }
        if is_stray {
            fixes.extend(self.claimed());
        }
        fixes.push(match is_local {
            true => Fix::text(format!(
                "if port {port} of this machine is a tunnel: let it end at {asked} (it ends at another server now)"
            )),
            false => Fix::text(format!("set hostaddr to the address of {asked}")),
        });
        // Where something that nobody typed leads to another server, its certificate is not at fault.
        if !is_stray {
            fixes.push(self.reissue());
            fixes.extend(self.claimed());
        }
        Some(Reading { cause, fixes })
    }

    /// The certificate is for another host of the same list.
    fn of_another_host(&self) -> Option<Reading> {
        let asked = self.asked;
        let hosts = &self.view.settings()?.hosts;
        let is_other = |host: &str| {
            !host.eq_ignore_ascii_case(asked)
                && self.names.iter().any(|name| matches_name(name.as_bytes(), host.as_bytes()))
        };
        let other = hosts.iter().map(|host| shown_value(&host.name)).find(|host| is_other(host))?;
        Some(Reading {
            cause: format!(
                "{} has the certificate of {other}, another host of the same string: it was copied from there with the data or the \
                 configuration, or the name {asked} leads to that server",
                self.place()
            ),
            fixes: vec![self.reissue(), self.check_record()],
        })
    }

    fn slip(&self) -> Option<Reading> {
        let asked = self.asked;
        let name = self
            .closest
            .filter(|name| distance(&name.to_ascii_lowercase(), &asked.to_ascii_lowercase()) <= 2)?;
        let compare = Fix::text(format!(
            "compare host with the name that you were given: \"{asked}\" answers as \"{name}\", which is a typing \
             error in one of them or another server"
        ));
        let host = Fix::text(format!("if \"{asked}\" is a typing error: set host to the server's name"))
            .set("host", name)
            .by_its_own_word();
        let mut cause = format!("\"{asked}\" differs from a name of the certificate by a letter or two");
        let renamed = self.renamed(name);
        let fixes = match self.is_new() {
            Some(since) => {
                cause += &format!(
                    "; that is valid only since {since}, and DNS has \"{asked}\": probably the error is in it"
                );
                vec![renamed, compare, host]
            }
            None => vec![compare, host, renamed],
        };
        Some(Reading { cause, fixes })
    }

    /// The day from which the certificate is valid, where it was just issued for a server that DNS leads to.
    fn is_new(&self) -> Option<String> {
        self.view.attempt.filter(|_| self.view.provider().is_none())?.dns.as_ref()?;
        let since = self.view.tls()?.chain.first()?.facts().ok()?.not_before;
        let days = self.view.evidence.started.days_since(since);
        (0..=14).contains(&days).then(|| since.date())
    }

    /// A certificate for this machine alone, as tools for development create it.
    fn of_development(&self) -> Option<Reading> {
        let is_local = |name: &String| {
            name == "localhost"
                || name.parse::<IpAddr>().is_ok_and(|address| reachability(address) == Reachability::Loopback)
        };
        (!self.names.is_empty() && self.names.iter().all(is_local)).then(|| Reading {
            cause: "the server's certificate is for localhost alone: it was made for development".to_owned(),
            fixes: vec![self.reissue()],
        })
    }

    /// On another port than PostgreSQL's own answers what has a certificate of its own.
    fn pooler(&self) -> Option<Reading> {
        let (asked, port) = (self.asked, self.view.port());
        let server = self.server.as_deref().filter(|_| port != POSTGRESQL_PORT)?;
        let what = match self.view.pooler_of_port() {
            Some(pooler) => format!("usually {pooler}'s"),
            None => "not PostgreSQL's usual one".to_owned(),
        };
        let pair =
            self.pair(&format!("if {server} is the pooler at {asked}, or behind it: set host to that name"))?;
        Some(Reading {
            cause: format!(
                "port {port} is {what}: a pooler or proxy there has the certificate of {server}, its own or another server's"
            ),
            fixes: vec![self.reissue(), pair.by_its_own_word()],
        })
    }

    fn another_server(&self) -> Reading {
        let asked = self.asked;
        let private = if self.address.map(reachability) == Some(Reachability::Private) {
            "; the address is private, so the name may be a private one that the certificate lacks"
        } else {
            ""
        };
        let cause = format!(
            "{}: the DNS record of {asked} points to another server, to a proxy or pooler in front of it, or is an \
             alias that the certificate lacks{private}",
            self.leads_to()
        );
        let mut fixes = vec![self.check_record(), self.reissue()];
        fixes.extend(self.claimed());
        Reading { cause, fixes }
    }

    /// Whether the address is the server's, and the certificate its own.
    fn check_record(&self) -> Fix {
        let check = format!(
            "check the DNS record of {}: does {} belong to the server you mean?",
            self.asked,
            self.address.map_or_else(|| self.place(), |address| address.to_string())
        );
        Fix::server(format!(
            "{check} If it does, see on that server whether another server's certificate was installed: its own has to be in the file \
             of ssl_cert_file, then reload"
        ))
        .or_at_provider(check)
        .run("psql -c 'SHOW ssl_cert_file'\nopenssl x509 -noout -subject -ext subjectAltName -in server.crt")
    }

    /// A name without a dot: a network's own word for the server.
    fn short_name(&self) -> Reading {
        Reading {
            cause: format!(
                "\"{}\" is a name of this network or machine only, and the certificate has the server's own name",
                self.asked
            ),
            fixes: self
                .pair_or_reissue("if it is the right server: set host to its own name and keep the address"),
        }
    }
}
