//! Bytes read from left to right, and numbers in network order: what users type and peers send is never indexed.

/// Bytes read from left to right.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.input.get(self.position..).unwrap_or_default()
    }

    /// The next byte, which stays.
    pub fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    /// A number of two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        bytes.first_chunk().copied().map(u16::from_be_bytes)
    }

    /// So many bytes; where fewer are left, none is read.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..count)?;
        self.position += count;
        Some(taken)
    }

    /// A number of so many bytes, `None` if it is too large.
    pub fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        bytes.iter().try_fold(0usize, |number, byte| number.checked_mul(256)?.checked_add((*byte).into()))
    }

    /// Bytes behind their length of so many bytes.
    pub fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.number(width)?;
        self.take(length)
    }

    /// All bytes up to the first unwanted one.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.position;
        self.skip_while(wanted);
        self.input.get(start..self.position).unwrap_or_default()
    }

    /// Passes over the same.
    pub fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.position += 1;
        }
    }
}

/// Bytes behind their length in so many bytes, as [`Reader::vector`] reads them. The length must fit.
pub fn vector(content: &[u8], width: usize) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    debug_assert!(length.iter().rev().skip(width).all(|byte| *byte == 0), "too long for {width} bytes");
    [length.get(length.len().saturating_sub(width)..).unwrap_or_default(), content].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_off_is_not_read() {
        let mut reader = Reader::new(&[0, 3, b'a', b'b']);
        assert_eq!(reader.clone().vector(2), None);
        assert_eq!((reader.clone().number(9), reader.u16(), reader.position()), (None, Some(3), 2));
        assert_eq!((reader.take(3), reader.rest()), (None, &b"ab"[..]));
        assert_eq!(Reader::new(&[1; 9]).number(9), None);
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn what_is_written_is_read(content in prop::collection::vec(any::<u8>(), 0..300), width in 2_usize..5) {
            let written = vector(&content, width);
            let mut reader = Reader::new(&written);
            prop_assert_eq!(reader.vector(width), Some(&content[..]));
            prop_assert!(reader.rest().is_empty());
        }
    }
}
