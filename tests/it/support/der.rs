//! The types of ASN.1 in DER (X.690), by the program's own writer of elements, so that tests can build certificates and
//! CRLs that no library would agree to make.

pub(crate) use pgtls_check::certificate::encode::{element, sequence};

/// SET.
pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    element(0x31, parts)
}

/// SEQUENCE OF.
pub(crate) fn sequence_of<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut content = Vec::new();
    for item in items {
        content.extend_from_slice(item.as_ref());
    }
    sequence(&[&content])
}

/// `[number]`, constructed.
pub(crate) fn explicit(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(0xa0 | number, parts)
}

/// `[number]`, primitive.
pub(crate) fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0x80 | number, &[content])
}

/// OCTET STRING.
pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    element(0x04, &[content])
}

/// BIT STRING without unused bits.
pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content])
}

/// BIT STRING of named bits (X.690, 11.2.2: trailing zero bits are cut off).
pub(crate) fn named_bits(set: &[u8]) -> Vec<u8> {
    let Some(&last) = set.iter().max() else { return element(0x03, &[&[0]]) };
    let mut bytes = vec![0u8; usize::from(last / 8) + 1];
    for bit in set {
        bytes[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    element(0x03, &[&[7 - last % 8], &bytes])
}

/// INTEGER with these content bytes, whatever they are.
pub(crate) fn integer(content: &[u8]) -> Vec<u8> {
    element(0x02, &[content])
}

/// BOOLEAN TRUE or FALSE.
pub(crate) fn boolean(value: bool) -> Vec<u8> {
    element(0x01, &[&[if value { 0xff } else { 0 }]])
}

/// NULL.
pub(crate) fn null() -> Vec<u8> {
    vec![5, 0]
}

/// OBJECT IDENTIFIER from its dotted form.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let mut septets = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            septets.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        content.extend(septets.into_iter().rev());
    }
    element(0x06, &[&content])
}

/// UTF8String.
pub(crate) fn utf8(text: &str) -> Vec<u8> {
    element(0x0c, &[text.as_bytes()])
}

/// UTCTime with this text.
pub(crate) fn utc_time(text: &str) -> Vec<u8> {
    element(0x17, &[text.as_bytes()])
}

/// GeneralizedTime with this text.
pub(crate) fn generalized_time(text: &str) -> Vec<u8> {
    element(0x18, &[text.as_bytes()])
}

/// A PEM block, 64 characters a line.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = openssl::base64::encode_block(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(std::str::from_utf8(line).unwrap());
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
