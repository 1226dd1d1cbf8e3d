//! The number resources of a path (RFC 3779 sections 2.3 and 3.3), as OpenSSL checks them: where the server's certificate
//! lists any, each certificate above must have them, and the root may not inherit (`X509v3_addr_validate_path`,
//! `X509v3_asid_validate_path`).

use super::defect::Defect;
use super::path::Member;
use crate::certificate::{
    AS_NUMBERS, ExtensionProblem, Extensions, Holding, Malformed, ROUTING_DOMAINS, Resources,
};

/// Checks a path that ends in the root file.
pub(super) fn check(members: &[Member<'_>], defects: &mut Vec<Defect>) {
    let kinds: Vec<&[u8]> = members
        .first()
        .and_then(|leaf| leaf.facts.extensions.ip_resources.as_ref())
        .map(|own| own.holdings.keys().map(Vec::as_slice).collect())
        .unwrap_or_default();
    check_one(members, "IP resources", |extensions| extensions.ip_resources.as_ref(), &kinds, defects);
    let kinds = [AS_NUMBERS, ROUTING_DOMAINS];
    check_one(members, "AS resources", |extensions| extensions.as_resources.as_ref(), &kinds, defects);
}

fn check_one<'a>(
    members: &[Member<'a>],
    name: &str,
    of: fn(&'a Extensions) -> Option<&'a Resources>,
    kinds: &[&[u8]],
    defects: &mut Vec<Defect>,
) {
    let held: Vec<Option<&Resources>> = members.iter().map(|member| of(&member.facts.extensions)).collect();
    let Some(Some(own)) = held.first() else { return };
    for (at, _) in held.iter().enumerate().filter(|(_, held)| held.is_some_and(|held| !held.canonical)) {
        let error = Malformed { what: "not in the form that RFC 3779 demands".to_owned(), offset: None };
        defects.push(Defect::InvalidExtension {
            at,
            problem: ExtensionProblem { extension: name.to_owned(), error },
        });
    }
    for kind in kinds {
        let above = held.iter().skip(1).map(|held| held.and_then(|held| held.holdings.get(*kind)));
        if let Some(at) = not_nested(own.holdings.get(*kind), above) {
            defects.push(Defect::ResourcesNotNested { at, resources: name.to_owned() });
        }
    }
}

/// The first place, counted from the leaf, whose issuer does not hold what is held there.
fn not_nested<'a>(
    own: Option<&'a Holding>,
    above: impl Iterator<Item = Option<&'a Holding>>,
) -> Option<usize> {
    let (mut held, mut last, mut place) = (own, own, 0);
    for (below, issuer) in above.enumerate() {
        match (held, issuer) {
            (Some(Holding::Ranges(_)), None) => return Some(below),
            (Some(Holding::Ranges(ranges)), Some(Holding::Ranges(issuers))) if !within(ranges, issuers) => {
                return Some(below);
            }
            (_, Some(Holding::Ranges(_))) => held = issuer,
            (_, Some(Holding::Inherited) | None) => {}
        }
        (last, place) = (issuer, below + 1);
    }
    (last == Some(&Holding::Inherited)).then_some(place)
}

/// `addr_contains`, `asid_contains`. The issuer's ranges are sorted, or their form is a defect already.
fn within(ranges: &[(u128, u128)], issuers: &[(u128, u128)]) -> bool {
    ranges.iter().all(|(low, high)| {
        let after = issuers.partition_point(|(first, _)| first <= low);
        let around = after.checked_sub(1).and_then(|at| issuers.get(at));
        around.is_some_and(|(_, last)| high <= last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_issuer_holds_what_is_held_below_it() {
        let ranges = |ends: &[(u128, u128)]| Some(Holding::Ranges(ends.to_vec()));
        let inherited = || Some(Holding::Inherited);
        for (own, above, place) in [
            (ranges(&[(1, 3)]), vec![ranges(&[(1, 9)]), ranges(&[(0, 9)])], None),
            (ranges(&[(1, 3), (5, 6)]), vec![ranges(&[(1, 3), (5, 6)])], None),
            (ranges(&[(1, 5)]), vec![ranges(&[(1, 3), (4, 6)])], Some(0)),
            (ranges(&[(1, 3)]), vec![ranges(&[(1, 9)]), ranges(&[(2, 9)])], Some(1)),
            (ranges(&[(1, 3)]), vec![None], Some(0)),
            (ranges(&[(1, 3)]), vec![inherited(), ranges(&[(1, 9)])], None),
            (ranges(&[(1, 3)]), vec![inherited(), ranges(&[(2, 9)])], Some(1)),
            (ranges(&[(1, 3)]), vec![inherited()], Some(1)),
            (inherited(), vec![ranges(&[(1, 3)]), ranges(&[(1, 2)])], Some(1)),
            (inherited(), vec![None, None], None),
            (inherited(), vec![], Some(0)),
            (ranges(&[(1, 3)]), vec![], None),
            (None, vec![ranges(&[(1, 3)]), None], Some(1)),
            (None, vec![None, None], None),
        ] {
            let found = not_nested(own.as_ref(), above.iter().map(Option::as_ref));
            assert_eq!(found, place, "{own:?} below {above:?}");
        }
    }
}
