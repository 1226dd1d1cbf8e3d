//! Certificates of CAs that servers sent, decoded once for all servers that send them: a fleet has few CAs.

use std::sync::{Arc, Mutex, PoisonError};

use crate::certificate::Certificate;

/// What was sent so far, the last first. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Issuers(Arc<Mutex<Vec<Certificate>>>);

/// So many are kept.
const MOST: usize = 32;

impl Issuers {
    /// The certificate of these bytes: the one that came before if there is one.
    pub fn decoded(&self, der: &[u8]) -> Certificate {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.iter().position(|certificate| certificate.der() == der) {
            Some(at) => known.get_mut(..=at).unwrap_or_default().rotate_right(1),
            None => {
                known.truncate(MOST - 1);
                known.insert(0, Certificate::from_der(der));
            }
        }
        known.first().cloned().unwrap_or_else(|| Certificate::from_der(der))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Authority;

    #[test]
    fn what_came_lately_is_decoded_once() {
        let issuers = Issuers::default();
        let of = |name: &str| Authority::root(name).certificate.der().to_vec();
        let first = of("first");
        assert_eq!(issuers.decoded(&first).der(), first);
        for number in 0..MOST * 2 {
            issuers.decoded(&of(&number.to_string()));
            issuers.clone().decoded(&first);
        }
        let known = issuers.0.lock().unwrap();
        assert_eq!(known.len(), MOST);
        assert_eq!(known[0].der(), first);
    }
}
