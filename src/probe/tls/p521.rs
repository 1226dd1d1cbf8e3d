//! Key exchange over P-521 (`secp521r1`, RFC 8446 section 4.2.8.2): psql's OpenSSL has it and ring has not. It is offered
//! last, for servers whose ssl_ecdh_curve allows nothing else, and for those of TLS 1.2 with a key on P-521: OpenSSL
//! shows such a certificate only to clients that offer its curve (`tls1_check_cert_param` in t1_lib.c).

use p521::elliptic_curve::point::AffineCoordinates;
use p521::elliptic_curve::sec1::ToSec1Point;
use p521::{AffinePoint, PublicKey, Sec1Point, SecretKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// The group `secp521r1`.
#[derive(Debug)]
pub(super) struct P521;

impl SupportedKxGroup for P521 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut bytes = [0; 66];
        SystemRandom::new().fill(&mut bytes).map_err(|_| GetRandomFailed)?;
        // The group's order has 521 bits, so that nearly every number of 521 bits is a key.
        if let Some(first) = bytes.first_mut() {
            *first &= 1;
        }
        let secret = SecretKey::from_slice(&bytes).map_err(|_| GetRandomFailed)?;
        let public = secret.public_key().to_sec1_point(false);
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

struct Exchange {
    secret: SecretKey,
    public: Sec1Point,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = PublicKey::from_sec1_bytes(peer).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let shared: AffinePoint = (peer.to_projective() * *self.secret.to_nonzero_scalar()).to_affine();
        Ok(SharedSecret::from(shared.x().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sides_agree_as_openssl_would() {
        let curve = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::SECP521R1).unwrap();
        let theirs = openssl::ec::EcKey::generate(&curve).unwrap();
        let ours = P521.start().unwrap();
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        let public = openssl::ec::EcPoint::from_bytes(&curve, ours.pub_key(), &mut context).unwrap();
        let public = openssl::ec::EcKey::from_public_key(&curve, &public).unwrap();
        let theirs_point = theirs
            .public_key()
            .to_bytes(&curve, openssl::ec::PointConversionForm::UNCOMPRESSED, &mut context)
            .unwrap();
        let theirs = openssl::pkey::PKey::from_ec_key(theirs).unwrap();
        let public = openssl::pkey::PKey::from_ec_key(public).unwrap();
        let mut deriver = openssl::derive::Deriver::new(&theirs).unwrap();
        deriver.set_peer(&public).unwrap();
        let secret = ours.complete(&theirs_point).unwrap();
        assert_eq!(secret.secret_bytes(), deriver.derive_to_vec().unwrap());
    }

    #[test]
    fn what_is_no_point_is_refused() {
        for share in [&[][..], &[4], &[0], &[4; 133], &[0xff; 500]] {
            assert!(P521.start().unwrap().complete(share).is_err());
        }
    }
}
