//! Writes DER (X.690), for what is compared with certificates and for certificates that no library would make.

/// Appends an element: tag, length in as few bytes as it takes, content.
pub fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    let length = content.len();
    if length < 0x80 {
        out.extend_from_slice(&[tag, length.to_le_bytes()[0]]);
    } else {
        out.push(tag);
        let bytes = length.to_be_bytes();
        let skipped = bytes.iter().take_while(|byte| **byte == 0).count();
        out.push(0x80 | (bytes.len() - skipped).to_le_bytes()[0]);
        out.extend(bytes.iter().skip(skipped));
    }
    out.extend_from_slice(content);
}

/// One element whose content is the parts, one after the other.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, tag, &parts.concat());
    out
}

/// SEQUENCE.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(super::der::SEQUENCE, parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::der::Elements;

    #[test]
    fn what_is_written_is_read() {
        for (length, header) in [
            (0, &[4, 0][..]),
            (0x7f, &[4, 0x7f]),
            (0x80, &[4, 0x81, 0x80]),
            (0xff, &[4, 0x81, 0xff]),
            (0x100, &[4, 0x82, 1, 0]),
            (0x1_0000, &[4, 0x83, 1, 0, 0]),
        ] {
            let content = vec![7; length];
            let written = element(4, &[&content[..length / 2], &content[length / 2..]]);
            assert_eq!(written[..header.len()], *header);
            let read = Elements::new(&written).any("element").unwrap();
            assert_eq!((read.tag, read.content, read.whole), (4, &content[..], &written[..]));
        }
    }
}
