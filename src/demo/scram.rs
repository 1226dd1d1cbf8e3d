//! The server's side of SCRAM-SHA-256, with and without channel binding (RFC 5802, 7677, 5929; PostgreSQL's manual,
//! "SASL Authentication").

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

/// PostgreSQL's default (scram_iterations).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// Mechanism without channel binding.
pub(super) const PLAIN: &str = "SCRAM-SHA-256";
/// Mechanism with channel binding.
pub(super) const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// An exchange after the client's first message.
pub(super) struct Exchange {
    /// The server's first message.
    pub(super) challenge: String,
    first_bare: String,
    binding: Vec<u8>,
    salt: [u8; 16],
}

/// Why an exchange fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A message breaks the protocol, or the channel binding is another connection's.
    Protocol,
    /// The password is wrong.
    Password,
}

impl Exchange {
    /// Begins: the client's first message, and what `tls-server-end-point` is here if the mechanism binds the channel.
    pub(super) fn begin(
        first: &[u8],
        end_point: Option<&[u8]>,
        nonce: [u8; 18],
        salt: [u8; 16],
    ) -> Result<Self, Failure> {
        let first = std::str::from_utf8(first).map_err(|_| Failure::Protocol)?;
        let (flag, rest) = first.split_once(',').ok_or(Failure::Protocol)?;
        let (_, bare) = rest.split_once(',').ok_or(Failure::Protocol)?;
        if end_point.is_some() != (flag == "p=tls-server-end-point") {
            return Err(Failure::Protocol);
        }
        let header_length = first.len() - bare.len();
        let header = first.as_bytes().get(..header_length).unwrap_or_default();
        let theirs = field(bare, "r=").ok_or(Failure::Protocol)?;
        let challenge =
            format!("r={theirs}{},s={},i={ITERATIONS}", STANDARD.encode(nonce), STANDARD.encode(salt));
        let binding = [header, end_point.unwrap_or_default()].concat();
        Ok(Self { challenge, first_bare: bare.to_owned(), binding, salt })
    }

    /// Ends: the client's last message; gives the server's, which proves that it knows the password too.
    pub(super) fn end(&self, last: &[u8], password: &str) -> Result<String, Failure> {
        let last = std::str::from_utf8(last).map_err(|_| Failure::Protocol)?;
        let (unproven, proof) = last.rsplit_once(",p=").ok_or(Failure::Protocol)?;
        let proof = STANDARD.decode(proof).map_err(|_| Failure::Protocol)?;
        let nonce = field(&self.challenge, "r=");
        if field(unproven, "c=") != Some(&STANDARD.encode(&self.binding)) || field(unproven, "r=") != nonce {
            return Err(Failure::Protocol);
        }
        let mut salted = [0; digest::SHA256_OUTPUT_LEN];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &self.salt, password.as_bytes(), &mut salted);
        let message = format!("{},{},{unproven}", self.first_bare, self.challenge);
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let signature = sign(stored_key.as_ref(), message.as_bytes());
        let expected: Vec<u8> =
            client_key.as_ref().iter().zip(signature.as_ref()).map(|(key, mask)| key ^ mask).collect();
        if proof != expected {
            return Err(Failure::Password);
        }
        let server_key = sign(&salted, b"Server Key");
        Ok(format!("v={}", STANDARD.encode(sign(server_key.as_ref(), message.as_bytes()))))
    }
}

fn sign(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// The value of a field such as `r=`.
fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|field| field.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that answers a challenge; postgres-protocol's, as tokio-postgres uses it, is tried by the tests over
    /// sockets.
    fn answer(first_bare: &str, header: &[u8], challenge: &str, password: &str) -> String {
        let salt = STANDARD.decode(field(challenge, "s=").unwrap()).unwrap();
        let mut salted = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, password.as_bytes(), &mut salted);
        let unproven = format!("c={},r={}", STANDARD.encode(header), field(challenge, "r=").unwrap());
        let key = sign(&salted, b"Client Key");
        let stored = digest::digest(&digest::SHA256, key.as_ref());
        let mask = sign(stored.as_ref(), format!("{first_bare},{challenge},{unproven}").as_bytes());
        let proof: Vec<u8> = key.as_ref().iter().zip(mask.as_ref()).map(|(key, mask)| key ^ mask).collect();
        format!("{unproven},p={}", STANDARD.encode(proof))
    }

    #[test]
    fn the_right_password_is_taken_and_another_is_not() {
        let exchange = Exchange::begin(b"n,,n=,r=abc", None, [1; 18], [2; 16]).ok().unwrap();
        let right = answer("n=,r=abc", b"n,,", &exchange.challenge, "secret");
        assert!(exchange.end(right.as_bytes(), "secret").unwrap().starts_with("v="));
        assert_eq!(exchange.end(right.as_bytes(), "other"), Err(Failure::Password));
    }

    #[test]
    fn another_channel_is_told() {
        let first = b"p=tls-server-end-point,,n=,r=abc";
        let exchange = Exchange::begin(first, Some(b"digest"), [1; 18], [2; 16]).ok().unwrap();
        let bound = |digest: &str| {
            let header = format!("p=tls-server-end-point,,{digest}");
            answer("n=,r=abc", header.as_bytes(), &exchange.challenge, "secret")
        };
        assert!(exchange.end(bound("digest").as_bytes(), "secret").is_ok());
        assert_eq!(exchange.end(bound("other").as_bytes(), "secret"), Err(Failure::Protocol));
    }

    #[test]
    fn a_malformed_message_is_refused() {
        for first in [&b"n"[..], b"n,", b"n,,", b"n,,x=1", b"p=tls-server-end-point,,r=a", b"\xff,,r=a"] {
            assert!(Exchange::begin(first, None, [0; 18], [0; 16]).is_err(), "{first:?}");
        }
    }
}
