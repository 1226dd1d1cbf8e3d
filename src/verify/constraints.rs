//! Name constraints (RFC 5280 section 4.2.1.10) as OpenSSL applies them (crypto/x509/v3_ncons.c and
//! `check_name_constraints` in x509_vfy.c): the root's count too, and the common name when there is no dNSName.

use super::budget::Budget;
use super::defect::{Defect, NameFault};
use super::path::Member;
use crate::certificate::{Attribute, DistinguishedName, GeneralName, NameConstraints, Subtree};

/// `NAME_CHECK_MAX`.
const MOST_COMPARISONS: usize = 1 << 20;
/// So many violations are reported; one is enough to refuse the chain.
const MOST_OFFENCES: usize = 16;
const IA5_STRING: u8 = 0x16;

/// Checks every certificate of the path against the constraints of all above it; self-issued ones only as the leaf.
pub(super) fn check(members: &[Member<'_>], budget: &Budget, defects: &mut Vec<Defect>) {
    let before = defects.len();
    for (at, member) in members.iter().enumerate().rev() {
        if at > 0 && member.facts.is_self_issued() {
            continue;
        }
        let sans = member.facts.sans.as_deref().unwrap_or_default();
        let subject = &member.facts.subject;
        let has_dns = sans.iter().any(|name| matches!(name, GeneralName::Dns(_)));
        for (authority, above) in members.iter().enumerate().skip(at + 1).rev() {
            let Some(constraints) = &above.facts.extensions.name_constraints else { continue };
            // More than OpenSSL makes are a violation by themselves.
            let work = comparisons(subject, sans, constraints);
            if work <= MOST_COMPARISONS && budget.spend(work).is_err() {
                return defects.push(Defect::TooMuchWork);
            }
            let violation = violation_by_names(subject, sans, constraints).or_else(|| {
                if at == 0 && !has_dns { violation_by_common_names(subject, constraints) } else { None }
            });
            defects.extend(violation.map(|Violation { name, fault }| Defect::NameConstraint {
                at,
                authority,
                name,
                fault,
            }));
            if defects.len() >= before + MOST_OFFENCES {
                return;
            }
        }
    }
}

/// How many times a name is held against a constraint at most, as OpenSSL counts.
fn comparisons(subject: &DistinguishedName, sans: &[GeneralName], constraints: &NameConstraints) -> usize {
    let names = subject.attributes.len() + sans.len();
    let rules = constraints.permitted.len() + constraints.excluded.len();
    names.saturating_mul(rules)
}

/// A name that violates a constraint, printable, and how.
struct Violation {
    name: String,
    fault: NameFault,
}

/// `NAME_CONSTRAINTS_check`.
fn violation_by_names(
    subject: &DistinguishedName,
    sans: &[GeneralName],
    constraints: &NameConstraints,
) -> Option<Violation> {
    if comparisons(subject, sans, constraints) > MOST_COMPARISONS {
        return Some(Violation { name: subject.to_string(), fault: NameFault::TooMany });
    }
    if !subject.is_empty() {
        let found = violation(&GeneralName::Directory(subject.clone()), constraints);
        if found.is_some() {
            return found;
        }
        for address in subject.attributes.iter().filter(|attribute| attribute.kind == "emailAddress") {
            let name = GeneralName::Email(address.value.clone());
            if address.tag != IA5_STRING {
                return Some(Violation { name: name.to_string(), fault: NameFault::BadName });
            }
            let found = violation(&name, constraints);
            if found.is_some() {
                return found;
            }
        }
    }
    sans.iter().find_map(|name| violation(name, constraints))
}

/// `NAME_CONSTRAINTS_check_CN`: every common name that looks like a host name of two labels or more.
fn violation_by_common_names(
    subject: &DistinguishedName,
    constraints: &NameConstraints,
) -> Option<Violation> {
    subject.attributes.iter().filter(|attribute| attribute.kind == "CN").find_map(
        |attribute| match host_name(attribute) {
            Ok(Some(name)) => violation(&GeneralName::Dns(name), constraints),
            Ok(None) => None,
            Err(fault) => Some(Violation { name: format!("CN={}", attribute.text()), fault }),
        },
    )
}

/// `cn2dnsid`.
fn host_name(common_name: &Attribute) -> Result<Option<Vec<u8>>, NameFault> {
    let text = common_name.text();
    let text = text.trim_end_matches('\0').as_bytes();
    if text.contains(&0) {
        return Err(NameFault::BadName);
    }
    let mut labels = 1;
    for (index, byte) in text.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || *byte == b'_' {
            continue;
        }
        let (Some(before), Some(after)) =
            (index.checked_sub(1).and_then(|i| text.get(i)), text.get(index + 1))
        else {
            return Ok(None);
        };
        match byte {
            b'-' => {}
            b'.' if *after != b'.' && *before != b'-' && *after != b'-' => labels += 1,
            _ => return Ok(None),
        }
    }
    Ok((labels > 1).then(|| text.to_vec()))
}

/// `nc_match`: one of the permitted subtrees of the name's kind must contain it, if there are any, and no excluded one.
fn violation(name: &GeneralName, constraints: &NameConstraints) -> Option<Violation> {
    let violated = |fault| Some(Violation { name: name.to_string(), fault });
    let of_kind = |subtree: &&Subtree| kind(&subtree.base) == kind(name);
    let permitted = || constraints.permitted.iter().filter(of_kind);
    let mut contained = permitted().next().is_none();
    for subtree in permitted() {
        if !subtree.whole {
            return violated(NameFault::Unsupported(subtree.clone()));
        }
        if !contained {
            match contains(&subtree.base, name) {
                Ok(within) => contained = within,
                Err(fault) => return violated(fault.of(subtree)),
            }
        }
    }
    if !contained {
        return violated(NameFault::NotPermitted(permitted().cloned().collect()));
    }
    for subtree in constraints.excluded.iter().filter(of_kind) {
        if !subtree.whole {
            return violated(NameFault::Unsupported(subtree.clone()));
        }
        match contains(&subtree.base, name) {
            Ok(true) => return violated(NameFault::Excluded(subtree.clone())),
            Ok(false) => {}
            Err(fault) => return violated(fault.of(subtree)),
        }
    }
    None
}

/// The kind of a name, by its tag number.
fn kind(name: &GeneralName) -> u32 {
    match name {
        GeneralName::Email(_) => 1,
        GeneralName::Dns(_) => 2,
        GeneralName::Directory(_) => 4,
        GeneralName::Uri(_) => 6,
        GeneralName::Ip(_) | GeneralName::BadIp(_) => 7,
        GeneralName::Other(tag, _) => *tag,
    }
}

/// Why a name and a constraint cannot be compared.
enum Incomparable {
    Name,
    Constraint,
}

impl Incomparable {
    fn of(self, subtree: &Subtree) -> NameFault {
        match self {
            Self::Name => NameFault::BadName,
            Self::Constraint => NameFault::Unsupported(subtree.clone()),
        }
    }
}

/// `nc_match_single`.
fn contains(base: &GeneralName, name: &GeneralName) -> Result<bool, Incomparable> {
    match (base, name) {
        (GeneralName::Directory(base), GeneralName::Directory(name)) => {
            Ok(name.canonical.starts_with(&base.canonical))
        }
        (GeneralName::Dns(base), GeneralName::Dns(name)) => Ok(dns_contains(base, name)),
        (GeneralName::Email(base), GeneralName::Email(name)) => email_contains(base, name),
        (GeneralName::Uri(base), GeneralName::Uri(name)) => uri_contains(base, name),
        (GeneralName::BadIp(base), GeneralName::Ip(address)) => Ok(match address {
            std::net::IpAddr::V4(address) => network_contains(base, &address.octets()),
            std::net::IpAddr::V6(address) => network_contains(base, &address.octets()),
        }),
        (_, GeneralName::BadIp(_)) => Err(Incomparable::Name),
        _ => Err(Incomparable::Constraint),
    }
}

/// `nc_dns`: equal, or whole labels more on the left; an empty base contains everything.
fn dns_contains(base: &[u8], name: &[u8]) -> bool {
    let Some(surplus) = name.len().checked_sub(base.len()) else { return false };
    let at_label = surplus == 0
        || base.first() == Some(&b'.')
        || surplus.checked_sub(1).and_then(|index| name.get(index)) == Some(&b'.');
    base.is_empty() || at_label && ends_with(name, base)
}

/// `nc_email`.
fn email_contains<'a>(base: &'a [u8], name: &'a [u8]) -> Result<bool, Incomparable> {
    let at_sign = |address: &[u8]| address.iter().rposition(|byte| *byte == b'@');
    let host = |address: &'a [u8], at: usize| address.get(at + 1..).unwrap_or_default();
    let Some(at) = at_sign(name) else { return Err(Incomparable::Name) };
    Ok(match at_sign(base) {
        None if base.first() == Some(&b'.') => name.len() > base.len() && ends_with(name, base),
        None => host(name, at).eq_ignore_ascii_case(base),
        Some(base_at) => {
            let same_local = base_at == 0 || base.get(..base_at) == name.get(..at);
            same_local && host(name, at).eq_ignore_ascii_case(host(base, base_at))
        }
    })
}

/// `nc_uri`: only the host counts.
fn uri_contains(base: &[u8], name: &[u8]) -> Result<bool, Incomparable> {
    let colon = name.iter().position(|byte| *byte == b':').ok_or(Incomparable::Name)?;
    let after = name.get(colon + 1..).and_then(|rest| rest.strip_prefix(b"//")).ok_or(Incomparable::Name)?;
    let find = |wanted: u8| after.iter().position(|byte| *byte == wanted);
    let end = find(b':').or_else(|| find(b'/')).unwrap_or(after.len());
    let host = after.get(..end).filter(|host| !host.is_empty()).ok_or(Incomparable::Name)?;
    Ok(if base.first() == Some(&b'.') {
        host.len() > base.len() && ends_with(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    })
}

/// `nc_ip`: address and mask, of the same length each.
fn network_contains(base: &[u8], address: &[u8]) -> bool {
    let Some((network, mask)) = base.split_at_checked(address.len()) else { return false };
    mask.len() == address.len()
        && address
            .iter()
            .zip(network)
            .zip(mask)
            .all(|((address, network), mask)| (address ^ network) & mask == 0)
}

fn ends_with(name: &[u8], suffix: &[u8]) -> bool {
    let start = name.len().checked_sub(suffix.len());
    start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}
