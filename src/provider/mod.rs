//! Who runs a server, as far as name, port and chain tell, and the roots that providers use. Data with sources.
//!
//! [`PROVIDERS`] is the table; [`by_host`] and [`detect`] look a server up in it, [`near_miss`] finds the suffix that a
//! mistyped name meant. [`bundle`] and [`known_roots`] give the certificates, [`advice`] and [`retirement`] the rules
//! behind warnings about a root file. [`inspection`] knows the CA names of products that break TLS open.
//!
//! Nothing here decides about a verdict. Days are text, `2026-04-15`, and compare as such.

mod advice;
mod content_networks;
mod host;
pub mod inspection;
mod other_systems;
mod retired;
mod roots;
mod table;

use crate::certificate::{Certificate, DistinguishedName};

pub use advice::{Advice, Due, MissingRoot, advice};
pub use content_networks::{ContentNetwork, content_network};
pub use host::{
    Detection, NearMiss, aws_region, by_host, by_issuer, by_login, detect, external_name, near_miss,
    other_names, past_pooler, public_name,
};
pub use other_systems::{system_by_host, system_by_scheme};
pub use retired::{RETIREMENTS, Retirement, retirement};
pub use roots::{Bundle, BundleRoot, bundle, is_known_name, known_count, known_root, known_roots};
pub use table::PROVIDERS;

/// A provider of PostgreSQL servers.
#[derive(Debug)]
pub struct Provider {
    /// Public identifier (`azure-flexible`).
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Ends of its host names, each with its leading dot. A `*` stands for a label or a part of one.
    pub suffixes: &'static [&'static str],
    /// Ports, the usual one first; empty where each server has its own.
    pub ports: &'static [Port],
    /// Roots at which its servers' chains end, ended or will end; empty where that is not known or differs.
    pub roots: &'static [ExpectedRoot],
    /// What `sslrootcert` should name, for people; `None` where it is not known.
    pub root_file: Option<&'static str>,
    /// The sslmode to use, for people; `None` where it is not known.
    pub sslmode: Option<&'static str>,
    /// Whether `sslrootcert=system` verifies its servers.
    pub system_roots: SystemRoots,
    /// The services that a token may be for that logs in there (the claim `aud`); empty where that is not known.
    pub token_audiences: &'static [&'static str],
    /// Particular forms of its host names.
    pub forms: &'static [Form],
    /// Names of the same cluster that differ in one part.
    pub twins: &'static [Twin],
    /// The end of its users' addresses that the role of the same user does not have.
    pub user_end: Option<&'static str>,
    /// What the users and the databases that it makes up begin with, where letters and digits follow.
    pub made_up: Option<(char, char)>,
    /// Why `user@server` is no user's name there any more, where it once was.
    pub user_at_server: Option<&'static str>,
    /// Names in its chains that nobody else's have.
    pub chain: &'static [NamePattern],
    /// What to look at first when something fails there.
    pub hints: &'static [Hint],
    /// Changes of its certificates, with their day.
    pub announcements: &'static [Announcement],
    /// What surprises people.
    pub gotchas: &'static [&'static str],
    /// Where this row was read.
    pub sources: &'static [Source],
    /// How sure it is.
    pub confidence: Confidence,
}

/// A port and what listens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// What listens there.
    pub what: &'static str,
    /// Whether that is a connection pooler.
    pub pooler: bool,
}

/// A root at which a provider's chains end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedRoot {
    /// Its common name. A `*` stands for what the last `*` of the host's suffix stands for (a region).
    pub name: &'static str,
    /// When and for whom.
    pub status: RootStatus,
    /// Its SHA-256 in lower-case hexadecimal, where this tool knows it and does not ship the certificate.
    pub sha256: Option<&'static str>,
}

impl ExpectedRoot {
    /// Whether a certificate with that common name can be this root.
    pub fn is_called(&self, common_name: &str) -> bool {
        host::fits(self.name, common_name)
    }
}

/// When and for whom a root counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootStatus {
    /// Chains end there now.
    Now,
    /// Chains begin to end there on a day.
    Announced {
        /// The day.
        from: &'static str,
    },
    /// Chains of some servers end there.
    Sometimes {
        /// Of which.
        which: &'static str,
    },
    /// Chains ended there.
    Former {
        /// Until that day.
        until: &'static str,
    },
}

impl RootStatus {
    /// Whether chains end at the root on a day.
    pub fn is_now(self, at: crate::timestamp::Timestamp) -> bool {
        match self {
            Self::Now => true,
            Self::Announced { from } => has_come(from, at),
            Self::Sometimes { .. } | Self::Former { .. } => false,
        }
    }
}

/// Whether `sslrootcert=system` verifies a provider's servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemRoots {
    /// Yes.
    Enough,
    /// It depends: on what.
    Depends(&'static str),
    /// No, its roots are private.
    NotEnough,
    /// Not known.
    Unknown,
}

/// A particular form of host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is.
    pub kind: FormKind,
    /// The end of the name, or its whole where it begins without a dot; written as in [`Provider::suffixes`].
    pub pattern: &'static str,
}

/// What a form of host name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// A server of a private endpoint or network.
    PrivateLink,
    /// A name for the provider's own network; without what stands before its `*` the public one.
    Internal,
    /// A connection pooler.
    Pooler,
    /// The server itself, past its pooler.
    Direct,
    /// A name that servers of others have too: no evidence.
    Shared,
}

/// Two names of a cluster: what stands in the one in the place of what stands in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    /// What leads to a standby.
    pub from: &'static str,
    /// What leads to the primary.
    pub to: &'static str,
}

/// A pattern for one attribute of a distinguished name; case does not count, `*` stands for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamePattern {
    /// The attribute's type, such as `CN`.
    pub kind: &'static str,
    /// The pattern.
    pub pattern: &'static str,
}

impl NamePattern {
    /// Whether an attribute of the name fits.
    pub fn matches(&self, name: &DistinguishedName) -> bool {
        name.attributes
            .iter()
            .filter(|attribute| attribute.kind == self.kind)
            .any(|attribute| host::fits(self.pattern, &attribute.text()))
    }
}

/// What to look at first in a situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The situation.
    pub at: Situation,
    /// What to do, imperative.
    pub text: &'static str,
    /// A command with places such as `{client}`: see [`Hint::command`].
    pub command: Option<&'static str>,
}

/// A situation in which a provider has advice of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// The name does not resolve.
    NameNotFound,
    /// The name is that of the server itself, past its pooler, and does not resolve, or has no route.
    DirectAway,
    /// The name is for the provider's own network, and does not resolve.
    InternalName,
    /// The name does not resolve, and the user is spelled for a service that is no more.
    NameRetired,
    /// A public address does not answer.
    NoAnswer,
    /// A private address does not answer.
    NoAnswerPrivate,
    /// It does not answer a machine that is in another network.
    NoAnswerOutside,
    /// A public address does not answer, and the name leads through the zone of private endpoints.
    PrivateZoneUnseen,
    /// The address is one of a content network, which answers for web sites.
    WebAddress,
    /// There is no route to the address.
    Unreachable,
    /// The server turns the client's address, user or database away, over TLS.
    NotAdmitted,
    /// The server turns the client away because the connection is not encrypted.
    NotEncrypted,
    /// The server does not know the role.
    RoleMissing,
    /// The server rejects the password.
    PasswordRejected,
    /// It does so, and the provider makes and changes the passwords, which nobody else need set.
    PasswordReplaced,
    /// It does so of postgres, which is no login there, or not always one.
    PostgresRejected,
    /// The server has no database of the name.
    DatabaseMissing,
    /// The pooler's port does not answer.
    PoolerOff,
    /// The pooler has no database of the name.
    NoPool,
    /// The server has no free connections.
    NoConnectionsLeft,
    /// The provider's PgBouncer has reached a limit of its clients.
    PoolerFull,
    /// The pooler takes a setting of the session for an error.
    PoolerIgnores,
    /// The server ends or refuses the connection before TLS.
    RefusedBeforeTls,
    /// The chain is good, the name is not.
    NameMismatch,
    /// The server wants to be told its name in the handshake (SNI).
    ServerNameMissing,
    /// The chain leads to a root that is not given.
    RootMissing,
    /// The server sends no chain but a certificate that nobody else signed.
    SelfSigned,
    /// The server asks for a client certificate.
    ClientCertificate,
}

impl Provider {
    /// Its hints for a situation, most likely first.
    pub fn hints(&self, situation: Situation) -> impl Iterator<Item = &'static Hint> {
        self.hints.iter().filter(move |hint| hint.at == situation)
    }

    /// Those for a server by its name: where that leads nowhere, also those for a name of the server itself.
    pub fn hints_for(&self, host: Option<&str>, situation: Situation) -> impl Iterator<Item = &'static Hint> {
        let is_away = matches!(situation, Situation::NameNotFound | Situation::Unreachable)
            && host.and_then(|host| self.form(host)).is_some_and(|form| form.kind == FormKind::Direct);
        let away = is_away.then_some(Situation::DirectAway);
        self.hints.iter().filter(move |hint| hint.at == situation || Some(hint.at) == away)
    }

    /// The name of a cluster's primary by that of its standbys.
    pub fn twin(&self, host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let twin = self.twins.iter().find(|twin| host.contains(twin.from))?;
        Some(host.replacen(twin.from, twin.to, 1))
    }

    /// The DNS zone of its private endpoints.
    pub fn private_zone(&self) -> Option<&'static str> {
        let form = self.forms.iter().find(|form| form.kind == FormKind::PrivateLink)?;
        Some(form.pattern.trim_start_matches('.'))
    }

    /// The public name of a server that is named by its alias in the zone of private endpoints: certificates are for that.
    pub fn public_name(&self, host: &str) -> Option<String> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let form = self.form(host).filter(|form| form.kind == FormKind::PrivateLink)?;
        let suffix = self.suffixes.iter().find(|suffix| form.pattern.ends_with(*suffix))?;
        let server = host.get(..host.len().checked_sub(form.pattern.len())?)?;
        Some(format!("{server}{suffix}"))
    }

    /// What listens on a port there, as far as that is known.
    pub fn port(&self, number: u16) -> Option<&'static Port> {
        self.ports.iter().find(|port| port.number == number)
    }

    /// The form a host name has there, if it is particular.
    pub fn form(&self, host: &str) -> Option<&'static Form> {
        self.forms.iter().find(|form| host::has_form(host, form.pattern))
    }
}

impl Hint {
    /// The command for one server. Places are filled by `value` and quoted for the running system's shell; what is not
    /// known stays as a word in capitals, to be filled in by hand.
    ///
    /// Places: `client` (the address the server saw), `host`, `port`, `server` (the host's first label), and
    /// words for what the user alone knows (`resource_group`).
    pub fn command(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut pieces = self.command?.split('{');
        let mut command = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (place, rest) = piece.split_once('}').unwrap_or((piece, ""));
            match value(place) {
                Some(value) => command.push_str(&crate::text::shell_quoted(&value)),
                None => command.push_str(&place.to_ascii_uppercase().replace('_', "-")),
            }
            command.push_str(rest);
        }
        Some(command)
    }
}

/// A change of a provider's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The day it begins.
    pub day: &'static str,
    /// What changes.
    pub what: &'static str,
    /// Who says so.
    pub source: Source,
}

/// Where a fact was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The page, repository or measurement.
    pub what: &'static str,
    /// Its day, where it has one.
    pub date: Option<&'static str>,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.date {
            Some(date) => write!(f, "{}, {date}", self.what),
            None => f.write_str(self.what),
        }
    }
}

/// How sure a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Read in the provider's own documents.
    Documented,
    /// Reported by users.
    SecondHand,
    /// General knowledge, not looked up.
    Unverified,
}

impl Confidence {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::SecondHand => "second-hand",
            Self::Unverified => "unverified",
        }
    }
}

/// A root certificate that this tool knows.
#[derive(Clone, Debug)]
pub struct KnownRoot {
    /// The certificate.
    pub certificate: Certificate,
    /// The identifiers of the providers that use it now.
    pub used_by: Vec<&'static str>,
}

/// The role of a user that is written with the whole address that its provider's pages show.
pub fn role_of(user: &str) -> Option<(&'static Provider, &str)> {
    let role = |provider: &&'static Provider| Some((*provider, user.strip_suffix(provider.user_end?)?));
    PROVIDERS.iter().find_map(role)
}

/// The provider that a file of few roots is for, where its servers are called `SERVER.SUFFIX`; and that suffix.
pub fn by_roots<'c>(
    mut roots: impl Iterator<Item = &'c Certificate>,
) -> Option<(&'static Provider, &'static str)> {
    let names: Vec<String> =
        roots.by_ref().take(MOST_OWN_ROOTS + 1).map(Certificate::short_subject).collect();
    let current = |root: &&ExpectedRoot| root.status == RootStatus::Now;
    let is_for = |provider: &&&Provider| {
        provider.private_zone().is_some()
            && provider.roots.iter().filter(current).any(|root| names.iter().any(|name| root.is_called(name)))
    };
    let provider = PROVIDERS.iter().find(is_for).filter(|_| names.len() <= MOST_OWN_ROOTS)?;
    Some((provider, provider.suffixes.first()?))
}

/// A file of more roots is a system's.
const MOST_OWN_ROOTS: usize = 10;

/// The provider with an identifier.
pub fn by_id(id: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.id == id)
}

/// Whether a day has come.
fn has_come(day: &str, at: crate::timestamp::Timestamp) -> bool {
    at.date().as_str() >= day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hints_command_is_filled_and_quoted() {
        let azure = by_id("azure-flexible").unwrap();
        let hint = azure.hints(Situation::NotAdmitted).next().unwrap();
        let value = |place: &str| match place {
            "client" => Some("203.0.113.7".to_owned()),
            "server" => Some("my server".to_owned()),
            _ => None,
        };
        assert_eq!(
            hint.command(value).unwrap(),
            "az postgres flexible-server firewall-rule create --resource-group RESOURCE-GROUP --name 'my server' \
             --rule-name RULE --start-ip-address 203.0.113.7 --end-ip-address 203.0.113.7"
        );
        assert_eq!(azure.hints(Situation::NameMismatch).next().unwrap().command(value), None);
    }

    #[test]
    fn a_name_in_a_zone_of_private_endpoints_has_a_public_one() {
        for provider in PROVIDERS {
            let Some(zone) = provider.private_zone() else { continue };
            let name = provider.public_name(&format!("mydemo.{zone}")).unwrap();
            assert_eq!(host::by_host(&name).map(|found| found.id), Some(provider.id));
            assert!(!name.contains("privatelink") && name.starts_with("mydemo."), "{name}");
            assert_eq!(provider.public_name(&name), None);
        }
    }

    #[test]
    fn every_bundle_that_a_hint_exports_exists() {
        for command in PROVIDERS.iter().flat_map(|provider| provider.hints).filter_map(|hint| hint.command) {
            if let Some((_, rest)) = command.split_once("roots export ") {
                let id = rest.split(' ').next().unwrap();
                assert!(bundle(id).is_some(), "{command}");
            }
        }
    }
}
