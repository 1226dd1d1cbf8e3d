//! Values that must never be shown: passwords and pass phrases.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Secret bytes. There is no `Display`; `Debug` prints stars. Clones and parts share one memory, which is wiped when the
/// last of them is dropped.
#[derive(Clone)]
pub struct Secret {
    memory: Memory,
    part: Range<usize>,
}

#[derive(Clone)]
enum Memory {
    Shared(Arc<Zeroizing<Vec<u8>>>),
    /// What stands in the program itself and is no secret, where one may stand.
    Fixed(&'static [u8]),
}

impl Secret {
    /// Takes the bytes into custody.
    pub fn new(bytes: Vec<u8>) -> Self {
        let part = 0..bytes.len();
        Self { memory: Memory::Shared(Arc::new(Zeroizing::new(bytes))), part }
    }

    /// What stands in the program itself, a default for instance.
    pub fn fixed(bytes: &'static [u8]) -> Self {
        Self { memory: Memory::Fixed(bytes), part: 0..bytes.len() }
    }

    /// The first place among these bytes of it where `bytes` stand, in the same memory.
    pub fn part(&self, within: Range<usize>, bytes: &[u8]) -> Option<Self> {
        let all = self.expose().get(within.clone())?;
        let at = match bytes {
            [] => 0,
            _ => all.windows(bytes.len()).position(|window| window == bytes)?,
        };
        let start = self.part.start + within.start + at;
        Some(Self { memory: self.memory.clone(), part: start..start + bytes.len() })
    }

    /// The bytes themselves, for the one place that sends or uses them.
    pub fn expose(&self) -> &[u8] {
        let memory: &[u8] = match &self.memory {
            Memory::Shared(bytes) => bytes,
            Memory::Fixed(bytes) => bytes,
        };
        memory.get(self.part.clone()).unwrap_or_default()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_in_the_memory_of_the_whole() {
        let whole = Secret::new(b"password='open sesame' x".to_vec());
        let part = whole.part(9..22, b"open sesame").unwrap();
        assert_eq!(part.expose(), b"open sesame");
        assert!(std::ptr::eq(&raw const part.expose()[0], &raw const whole.expose()[10]));
        assert_eq!(part.part(5..11, b"sesame").unwrap().expose(), b"sesame");
        for (within, bytes) in [(0..9, &b"open"[..]), (9..99, b"open"), (9..22, b"x")] {
            assert_eq!(whole.part(within, bytes), None);
        }
        assert_eq!(format!("{part:?}"), "********");
    }
}
