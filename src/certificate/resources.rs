//! The number resources of RFC 3779: blocks of addresses and numbers of autonomous systems that a certificate is for.
//! Registries' certificates have them; OpenSSL checks them in every path (v3_addr.c, v3_asid.c), and so they can decide
//! about a server's too.

use std::collections::BTreeMap;

use super::Malformed;
use super::der::{self, Element, Elements};

/// What one extension holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Each kind of resource (the address family's bytes; for systems [`AS_NUMBERS`] and [`ROUTING_DOMAINS`]) and what
    /// is held of it.
    pub holdings: BTreeMap<Vec<u8>, Holding>,
    /// Whether it is written in the one form that RFC 3779 allows: sorted, without overlaps, prefixes where possible.
    pub canonical: bool,
}

/// The key of `asnum` among holdings.
pub const AS_NUMBERS: &[u8] = b"asnum";
/// The key of `rdi` among holdings.
pub const ROUTING_DOMAINS: &[u8] = b"rdi";

/// What is held of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// The same as the issuer.
    Inherited,
    /// Ranges, both ends included.
    Ranges(Vec<(u128, u128)>),
}

impl Resources {
    /// Decodes IPAddrBlocks.
    pub(super) fn addresses(reader: &mut Elements<'_>) -> Result<Self, Malformed> {
        let mut inside = reader.expect(der::SEQUENCE, "IP resources")?.inside();
        let mut all = Self { holdings: BTreeMap::new(), canonical: true };
        while !inside.is_empty() {
            let mut family = inside.expect(der::SEQUENCE, "address family")?.inside();
            let kind = family.expect(der::OCTET_STRING, "address family")?.content;
            let choice = family.any("address choice")?;
            family.end("address family")?;
            // The numbers of the families (RFC 3779 section 2.2.3.3); no address is known of others.
            let size = match kind {
                [0, 1, ..] => 4,
                [0, 2, ..] => 16,
                _ => 0,
            };
            let ascending = all.holdings.last_key_value().is_none_or(|(last, _)| last.as_slice() < kind);
            let (holding, canonical) = holding(&choice, |element| block(element, size), true)?;
            all.canonical &= canonical && ascending;
            all.holdings.insert(kind.to_vec(), holding);
        }
        Ok(all)
    }

    /// Decodes ASIdentifiers. Numbers above 64 bits, which no registry gives, count as not canonical.
    pub(super) fn systems(reader: &mut Elements<'_>) -> Result<Self, Malformed> {
        let mut inside = reader.expect(der::SEQUENCE, "AS resources")?.inside();
        let mut all = Self { holdings: BTreeMap::new(), canonical: true };
        for (tag, kind) in [(0, AS_NUMBERS), (1, ROUTING_DOMAINS)] {
            let Some(tagged) = inside.optional(der::context_constructed(tag), "AS identifiers")? else {
                continue;
            };
            let choice = tagged.inside().any("AS choice")?;
            let (holding, canonical) = holding(&choice, system, false)?;
            all.canonical &= canonical;
            all.holdings.insert(kind.to_vec(), holding);
        }
        inside.end("AS resources")?;
        Ok(all)
    }
}

/// One entry: its ends, if they can be told, and whether it is written as a range.
struct Entry {
    ends: Option<(u128, u128)>,
    range: bool,
}

/// What is held, and whether it is in canonical form. Where `prefixes` exist, a range that is one is to be written so.
fn holding(
    choice: &Element<'_>,
    entry: impl Fn(&Element<'_>) -> Result<Entry, Malformed>,
    prefixes: bool,
) -> Result<(Holding, bool), Malformed> {
    if choice.tag == der::NULL {
        der::any_type(choice, "inherit")?;
        return Ok((Holding::Inherited, true));
    }
    if choice.tag != der::SEQUENCE {
        return Err(choice.wrong("resources are neither listed nor inherited"));
    }
    let mut inside = choice.inside();
    let mut ranges: Vec<(u128, u128)> = Vec::new();
    let mut canonical = !inside.is_empty();
    while !inside.is_empty() {
        let Entry { ends, range } = entry(&inside.any("resource")?)?;
        let Some((low, high)) = ends else {
            canonical = false;
            continue;
        };
        let own_thread =
            ranges.last().is_none_or(|(_, last)| last.checked_add(1).is_some_and(|next| next < low));
        canonical &= own_thread && low <= high && !(prefixes && range && is_prefix(low, high));
        ranges.push((low, high));
    }
    Ok((Holding::Ranges(ranges), canonical))
}

/// `range_should_be_prefix`.
fn is_prefix(low: u128, high: u128) -> bool {
    let differing = low ^ high;
    differing & differing.wrapping_add(1) == 0 && low & differing == 0
}

/// IPAddressOrRange: a prefix, or the prefixes that two addresses begin with.
fn block(element: &Element<'_>, size: usize) -> Result<Entry, Malformed> {
    if element.tag == der::SEQUENCE {
        let mut inside = element.inside();
        let low = end(&inside.expect(der::BIT_STRING, "first address")?, size, 0x00)?;
        let high = end(&inside.expect(der::BIT_STRING, "last address")?, size, 0xff)?;
        inside.end("address range")?;
        return Ok(Entry { ends: low.zip(high), range: true });
    }
    if element.tag != der::BIT_STRING {
        return Err(element.wrong("an address block is neither a prefix nor a range"));
    }
    let ends = end(element, size, 0x00)?.zip(end(element, size, 0xff)?);
    Ok(Entry { ends, range: false })
}

/// `addr_expand`: a prefix with the rest filled up.
fn end(element: &Element<'_>, size: usize, fill: u8) -> Result<Option<u128>, Malformed> {
    let (bits, unused) = der::bits(element, "address")?;
    if bits.len() > size {
        return Ok(None);
    }
    let free = (1u8 << unused) - 1;
    let last = bits.len().wrapping_sub(1);
    let bytes = (0..size).map(|at| match bits.get(at) {
        Some(byte) if at == last => byte & !free | fill & free,
        Some(byte) => *byte,
        None => fill,
    });
    Ok(Some(bytes.fold(0, |value, byte| value << 8 | u128::from(byte))))
}

/// ASIdOrRange.
fn system(element: &Element<'_>) -> Result<Entry, Malformed> {
    let number = |element: &Element<'_>| {
        der::integer(element, "AS number").map(|content| der::small(content).map(u128::from))
    };
    if element.tag == der::SEQUENCE {
        let mut inside = element.inside();
        let low = number(&inside.expect(der::INTEGER, "first AS number")?)?;
        let high = number(&inside.expect(der::INTEGER, "last AS number")?)?;
        inside.end("AS range")?;
        return Ok(Entry { ends: low.zip(high), range: true });
    }
    if element.tag != der::INTEGER {
        return Err(element.wrong("an AS resource is neither a number nor a range"));
    }
    let number = number(element)?;
    Ok(Entry { ends: number.zip(number), range: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(bytes: &[u8]) -> Resources {
        Resources::addresses(&mut Elements::new(bytes)).unwrap()
    }

    #[test]
    fn prefixes_and_ranges_are_numbers() {
        // 10.0.0.0/9 and 10.192.0.0-10.192.0.2
        let blocks = [
            0x30, 0x1e, 0x30, 0x1c, 4, 2, 0, 1, 0x30, 0x16, 3, 3, 7, 10, 0, 0x30, 0x0f, 3, 5, 0, 10, 192, 0,
            0, 3, 6, 0, 10, 192, 0, 2, 0,
        ];
        // The last BIT STRING is one byte too long for an address of version 4.
        assert!(!addresses(&blocks).canonical);
        let mut good = blocks.to_vec();
        (good[1], good[3], good[9], good[16], good[25]) = (0x1d, 0x1b, 0x15, 0x0e, 5);
        good.pop();
        let found = addresses(&good);
        let ranges = vec![(0x0a00_0000, 0x0a7f_ffff), (0x0ac0_0000, 0x0ac0_0002)];
        assert_eq!(found.holdings.get(&[0, 1][..]), Some(&Holding::Ranges(ranges)));
        assert!(found.canonical);
        // The same to 10.192.0.3 is a prefix.
        *good.last_mut().unwrap() = 3;
        assert!(!addresses(&good).canonical);
    }

    #[test]
    fn systems_are_sorted_and_apart() {
        let of = |list: &[u8]| {
            let length = u8::try_from(list.len()).unwrap();
            let bytes = [&[0x30, length + 4, 0xa0, length + 2, 0x30, length][..], list].concat();
            Resources::systems(&mut Elements::new(&bytes)).unwrap()
        };
        assert!(of(&[2, 1, 1, 2, 1, 3]).canonical);
        assert!(!of(&[2, 1, 1, 2, 1, 2]).canonical);
        assert!(!of(&[2, 1, 3, 2, 1, 1]).canonical);
        assert!(!of(&[]).canonical);
        assert!(of(&[0x30, 6, 2, 1, 5, 2, 1, 7]).canonical);
        assert!(!of(&[0x30, 6, 2, 1, 7, 2, 1, 5]).canonical);
        assert!(!of(&[2, 1, 0xff]).canonical);
    }
}
