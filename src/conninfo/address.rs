//! Numeric addresses in text, as the C library reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// glibc's `inet_aton`: one to four numbers, decimal, octal (`0…`) or hexadecimal (`0x…`), the last one filling the
/// rest; whatever follows a blank is ignored.
pub fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let mut leading = 0u32;
    let mut rest = text;
    for remaining in (0..4u32).rev() {
        let (value, after) = number(rest)?;
        rest = after;
        if let (Some(b'.'), 1..) = (rest.first(), remaining) {
            leading = leading << 8 | u32::from(u8::try_from(value).ok()?);
            rest = rest.get(1..)?;
            continue;
        }
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
        if !rest.first().is_none_or(blank) {
            return None;
        }
        let bits = 8 * (remaining + 1);
        let last = u32::try_from(value).ok().filter(|value| u64::from(*value) >> bits == 0)?;
        return Some(Ipv4Addr::from(leading.checked_shl(bits).unwrap_or(0) | last));
    }
    None
}

/// C's `strtoul` with base 0 on text that begins with a digit, up to 32 bits.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    text.first().filter(|byte| byte.is_ascii_digit())?;
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', after @ ..] if after.first().is_some_and(u8::is_ascii_hexdigit) => (16, after),
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let mut value = 0u64;
    let mut rest = digits;
    while let Some((byte, after)) = rest.split_first() {
        let Some(digit) = char::from(*byte).to_digit(radix) else { break };
        value = value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))?;
        rest = after;
    }
    (value <= u64::from(u32::MAX)).then_some((value, rest))
}

/// What `getaddrinfo` takes for a numeric address (`AI_NUMERICHOST`): IPv4 in all of `inet_aton`'s spellings, IPv6 with
/// or without a zone, which may be a number or the name of a network interface of this machine.
pub fn parse_address(text: &[u8]) -> Option<(IpAddr, Option<u32>)> {
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(|character: char| character.is_ascii_whitespace()) {
        return None;
    }
    if let Some(address) = inet_aton(text.as_bytes()) {
        return Some((address.into(), None));
    }
    let Some((address, zone)) = text.split_once('%') else {
        return text.parse::<Ipv6Addr>().ok().map(|address| (address.into(), None));
    };
    let address: Ipv6Addr = address.parse().ok()?;
    if let Ok(zone) = zone.parse::<u32>() {
        return Some((address.into(), Some(zone)));
    }
    // The system alone knows its interfaces; with an address before the `%` it asks no name server.
    (text, 0).to_socket_addrs().ok()?.find_map(|found| match found {
        SocketAddr::V6(found) => Some((address.into(), Some(found.scope_id()))),
        SocketAddr::V4(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, address, zone) in [
            ("127.0.0.1", Some("127.0.0.1"), None),
            ("127.1", Some("127.0.0.1"), None),
            ("0x7f.1", Some("127.0.0.1"), None),
            ("::1", Some("::1"), None),
            ("fe80::1%3", Some("fe80::1"), Some(3)),
            ("fe80::1%lo", Some("fe80::1"), Some(1)),
            ("fe80::1%no-such-interface", None, None),
            ("[::1]", None, None),
            ("127.0.0.1 ", None, None),
            ("db.example", None, None),
            ("", None, None),
        ] {
            let expected = address.map(|address| (address.parse().unwrap(), zone));
            assert_eq!(parse_address(text.as_bytes()), expected, "{text}");
        }
    }
}
