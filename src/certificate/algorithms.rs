//! Public keys and signature algorithms: what they are, and their names for people.

use std::fmt;

use super::Malformed;
use super::der::{self, Element};

/// A public key's kind. Its `Display` is `RSA 2048`, `EC P-256`, `Ed25519`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with so many bits; 0 if the key itself cannot be decoded, which OpenSSL takes for a weak key.
    Rsa(u32),
    /// An RSA key restricted to PSS, with so many bits; 0 as above.
    RsaPss(u32),
    /// EC on a named curve (`P-256`, `P-384`, `P-521`, else the dotted OID, `explicit parameters`, or `no curve`).
    Ec(String),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Another algorithm, by dotted OID.
    Other(String),
}

impl KeyKind {
    /// Whether it has fewer bits of security than OpenSSL wants at this level.
    pub fn is_weak_at(&self, level: SecurityLevel) -> bool {
        self.security_bits() < level.bits()
    }

    /// OpenSSL's estimate: of curves half the length of their order (`EVP_PKEY_security_bits`), of RSA that of
    /// [`rsa_security_bits`]. Of what it cannot tell nothing is demanded.
    fn security_bits(&self) -> u32 {
        match self {
            Self::Rsa(bits) | Self::RsaPss(bits) => rsa_security_bits(*bits),
            Self::Ec(curve) => match curve.as_str() {
                "1.2.840.10045.3.1.1" | "1.3.132.0.31" => 80,
                "1.3.132.0.33" => 112,
                "P-384" | "1.3.36.3.3.2.8.1.1.11" | "1.3.36.3.3.2.8.1.1.12" => 192,
                "P-521" | "1.3.36.3.3.2.8.1.1.13" | "1.3.36.3.3.2.8.1.1.14" => 256,
                _ => 128,
            },
            Self::Ed25519 => 128,
            Self::Ed448 => 224,
            Self::Other(_) => u32::MAX,
        }
    }
}

/// OpenSSL 3 estimates the bits of security of RSA by a formula (SP 800-56B, appendix D), rounded to a multiple of eight
/// (`ossl_ifc_ffc_compute_security_bits`): here where what the levels want begins, by `RSA_security_bits` of OpenSSL 3.0.
/// OpenSSL 1.1.1 wants 2048 bits at level 2.
fn rsa_security_bits(bits: u32) -> u32 {
    match bits {
        ..920 => 0,
        920..1963 => 80,
        1963..2671 => 112,
        2671..6947 => 128,
        6947..13914 => 192,
        13914.. => 256,
    }
}

/// OpenSSL's security level: what keys and signatures must be good for (SSL_CTX_set_security_level(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecurityLevel(u8);

impl Default for SecurityLevel {
    /// That of OpenSSL 3.2 and later, and of Debian, Ubuntu and Red Hat before.
    fn default() -> Self {
        Self(2)
    }
}

impl SecurityLevel {
    /// A level from 0 to 5.
    pub fn new(number: u8) -> Option<Self> {
        (number <= 5).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The bits of security that it wants.
    pub fn bits(self) -> u32 {
        match self.0 {
            0 => 0,
            1 => 80,
            2 => 112,
            3 => 128,
            4 => 192,
            _ => 256,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(0) | Self::RsaPss(0) => f.write_str("RSA, not readable"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::RsaPss(bits) => write!(f, "RSA-PSS {bits}"),
            Self::Ec(curve) => write!(f, "EC {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Other(oid) => write!(f, "algorithm {oid}"),
        }
    }
}

/// A hash function inside a signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// MD2, MD4 or MD5: broken.
    Md,
    /// SHA-1: too weak for security level 2.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// Another.
    Other,
}

impl Hash {
    /// The bits of security that OpenSSL 3 grants a signature with it.
    fn security_bits(self) -> u32 {
        match self {
            Self::Md => 39,
            Self::Sha1 => 63,
            Self::Sha224 => 112,
            Self::Sha256 => 128,
            Self::Sha384 => 192,
            Self::Sha512 => 256,
            Self::Other => u32::MAX,
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Other => "another hash",
        })
    }
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS.
    RsaPss {
        /// The hash of the message.
        hash: Hash,
        /// The hash of the mask generation function.
        mask_hash: Hash,
        /// Length of the salt in bytes.
        salt: u64,
    },
    /// ECDSA.
    Ecdsa(Hash),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// DSA.
    Dsa(Hash),
    /// Another.
    Other,
}

impl SignatureAlgorithm {
    /// The hash of the message, where the algorithm has one apart.
    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) | Self::Dsa(hash) => {
                Some(hash)
            }
            Self::Ed25519 | Self::Ed448 | Self::Other => None,
        }
    }

    /// Whether its hash is too weak for OpenSSL at this level: at level 2 MD5 and SHA-1 (`X509_SIG_INFO`, x509_set.c).
    pub fn is_weak_at(self, level: SecurityLevel) -> bool {
        let bits = match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) | Self::Dsa(hash) => {
                hash.security_bits()
            }
            Self::Ed25519 => 128,
            Self::Ed448 => 224,
            Self::Other => u32::MAX,
        };
        bits < level.bits()
    }

    /// Whether a key of this kind can have made such a signature (`check_sig_alg_match` in v3_purp.c).
    pub fn fits(self, key: &KeyKind) -> bool {
        matches!(
            (self, key),
            (Self::RsaPkcs1(_), KeyKind::Rsa(_))
                | (Self::RsaPss { .. }, KeyKind::Rsa(_) | KeyKind::RsaPss(_))
                | (Self::Ecdsa(_), KeyKind::Ec(_))
                | (Self::Ed25519, KeyKind::Ed25519)
                | (Self::Ed448, KeyKind::Ed448)
                | (Self::Dsa(_), KeyKind::Other(_))
        )
    }
}

/// A signature's algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureKind {
    /// The field's name (`sha256WithRSAEncryption`, `ecdsa-with-SHA384`, `Ed25519`), else the dotted OID.
    pub name: String,
    /// AlgorithmIdentifier, DER.
    pub der: Vec<u8>,
    /// The same, understood.
    pub algorithm: SignatureAlgorithm,
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.algorithm {
            SignatureAlgorithm::RsaPss { hash, .. } => write!(f, "{} with {hash}", self.name),
            _ => f.write_str(&self.name),
        }
    }
}

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];

const CURVES: [(&[u8], &str); 3] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "P-256"),
    (&[0x2b, 0x81, 0x04, 0, 0x22], "P-384"),
    (&[0x2b, 0x81, 0x04, 0, 0x23], "P-521"),
];

const SIGNATURES: [(&[u8], &str, SignatureAlgorithm); 18] = {
    use SignatureAlgorithm::{Dsa, Ecdsa, Ed448 as Signed448, Ed25519 as Signed25519, RsaPkcs1};
    [
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2], "md2WithRSAEncryption", RsaPkcs1(Hash::Md)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 3], "md4WithRSAEncryption", RsaPkcs1(Hash::Md)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], "md5WithRSAEncryption", RsaPkcs1(Hash::Md)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], "sha1WithRSAEncryption", RsaPkcs1(Hash::Sha1)),
        (&[0x2b, 0x0e, 3, 2, 0x1d], "sha1WithRSA", RsaPkcs1(Hash::Sha1)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14], "sha224WithRSAEncryption", RsaPkcs1(Hash::Sha224)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], "sha256WithRSAEncryption", RsaPkcs1(Hash::Sha256)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], "sha384WithRSAEncryption", RsaPkcs1(Hash::Sha384)),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], "sha512WithRSAEncryption", RsaPkcs1(Hash::Sha512)),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], "ecdsa-with-SHA1", Ecdsa(Hash::Sha1)),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1], "ecdsa-with-SHA224", Ecdsa(Hash::Sha224)),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], "ecdsa-with-SHA256", Ecdsa(Hash::Sha256)),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], "ecdsa-with-SHA384", Ecdsa(Hash::Sha384)),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], "ecdsa-with-SHA512", Ecdsa(Hash::Sha512)),
        (ED25519, "Ed25519", Signed25519),
        (ED448, "Ed448", Signed448),
        (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], "dsa-with-SHA1", Dsa(Hash::Sha1)),
        (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2], "dsa-with-SHA256", Dsa(Hash::Sha256)),
    ]
};

const HASHES: [(&[u8], Hash); 6] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5], Hash::Md),
    (&[0x2b, 0x0e, 3, 2, 0x1a], Hash::Sha1),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4], Hash::Sha224),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], Hash::Sha256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], Hash::Sha384),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], Hash::Sha512),
];

/// An AlgorithmIdentifier taken apart: the OID and the parameters.
fn identifier<'a>(element: &Element<'a>) -> Result<(&'a [u8], Option<Element<'a>>), Malformed> {
    let mut inside = element.inside();
    let oid = inside.object_identifier("algorithm")?.content;
    let parameters = if inside.is_empty() { None } else { Some(inside.any("algorithm parameters")?) };
    if let Some(parameters) = &parameters {
        der::any_type(parameters, "algorithm parameters")?;
    }
    inside.end("algorithm parameters")?;
    Ok((oid, parameters))
}

/// Understands the AlgorithmIdentifier of a signature.
pub(super) fn signature(element: &Element<'_>) -> Result<SignatureKind, Malformed> {
    let (oid, parameters) = identifier(element)?;
    let known = SIGNATURES.iter().find(|(known, ..)| *known == oid);
    let (name, algorithm) = match known {
        Some((_, name, algorithm)) => ((*name).to_owned(), *algorithm),
        None if oid == RSASSA_PSS => (
            "rsassaPss".to_owned(),
            parameters.and_then(|parameters| pss(&parameters).ok()).unwrap_or(SignatureAlgorithm::Other),
        ),
        None => (der::dotted(oid), SignatureAlgorithm::Other),
    };
    Ok(SignatureKind { name, der: element.whole.to_vec(), algorithm })
}

/// RSASSA-PSS-params (RFC 4055 section 3.1).
fn pss(parameters: &Element<'_>) -> Result<SignatureAlgorithm, Malformed> {
    let mut inside = parameters.inside();
    let (mut hash, mut mask_hash, mut salt) = (Hash::Sha1, Hash::Sha1, 20);
    if let Some(tagged) = inside.optional(der::context_constructed(0), "hash")? {
        hash = hash_function(&tagged.inside().expect(der::SEQUENCE, "hash")?)?;
    }
    if let Some(tagged) = inside.optional(der::context_constructed(1), "mask")? {
        let (oid, function) = identifier(&tagged.inside().expect(der::SEQUENCE, "mask")?)?;
        mask_hash = match function {
            Some(function) if oid == MGF1 => hash_function(&function)?,
            _ => Hash::Other,
        };
    }
    if let Some(tagged) = inside.optional(der::context_constructed(2), "salt length")? {
        let length = tagged.inside().expect(der::INTEGER, "salt length")?;
        salt = der::small(length.content).ok_or_else(|| length.wrong("salt length is out of range"))?;
    }
    Ok(SignatureAlgorithm::RsaPss { hash, mask_hash, salt })
}

fn hash_function(element: &Element<'_>) -> Result<Hash, Malformed> {
    let (oid, _) = identifier(element)?;
    Ok(HASHES.iter().find(|(known, _)| *known == oid).map_or(Hash::Other, |(_, hash)| *hash))
}

/// A SubjectPublicKeyInfo taken apart: the kind and the bits of subjectPublicKey.
pub(crate) fn public_key(spki: &[u8]) -> Result<(KeyKind, &[u8]), Malformed> {
    let element = der::Elements::new(spki).expect(der::SEQUENCE, "public key")?;
    key(&element)
}

/// What the RSASSA-PSS key of a SubjectPublicKeyInfo restricts its signatures to, if it does.
pub(crate) fn pss_restriction(spki: &[u8]) -> Option<SignatureAlgorithm> {
    let mut inside = der::Elements::new(spki).expect(der::SEQUENCE, "public key").ok()?.inside();
    let (_, parameters) = identifier(&inside.expect(der::SEQUENCE, "public key algorithm").ok()?).ok()?;
    pss(&parameters?).ok()
}

/// Understands a SubjectPublicKeyInfo.
pub(super) fn key<'a>(element: &Element<'a>) -> Result<(KeyKind, &'a [u8]), Malformed> {
    let mut inside = element.inside();
    let (oid, parameters) = identifier(&inside.expect(der::SEQUENCE, "public key algorithm")?)?;
    let bit_string = inside.expect(der::BIT_STRING, "public key bits")?;
    inside.end("public key")?;
    let (bits, _) = der::bits(&bit_string, "public key")?;
    let kind = match oid {
        RSA_ENCRYPTION => KeyKind::Rsa(modulus_bits(bits).unwrap_or(0)),
        RSASSA_PSS => KeyKind::RsaPss(modulus_bits(bits).unwrap_or(0)),
        EC_PUBLIC_KEY => KeyKind::Ec(match parameters {
            Some(curve) if curve.tag == der::OBJECT_IDENTIFIER => CURVES
                .iter()
                .find(|(known, _)| *known == curve.content)
                .map_or_else(|| der::dotted(curve.content), |(_, name)| (*name).to_owned()),
            Some(curve) if curve.tag == der::SEQUENCE => EXPLICIT_CURVE.to_owned(),
            _ => "no curve".to_owned(),
        }),
        ED25519 => KeyKind::Ed25519,
        ED448 => KeyKind::Ed448,
        other => KeyKind::Other(der::dotted(other)),
    };
    Ok((kind, bits))
}

/// What stands for the curve's name in [`KeyKind::Ec`] when the curve is spelt out. OpenSSL 3 refuses it in chains.
pub(crate) const EXPLICIT_CURVE: &str = "explicit parameters";

/// The size of the modulus in an RSAPublicKey.
fn modulus_bits(key: &[u8]) -> Result<u32, Malformed> {
    rsa_public_key(key).map(|(modulus, _)| bit_length(modulus))
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017, appendix A.1.1).
pub(crate) fn rsa_public_key(key: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut inside = der::Elements::new(key).expect(der::SEQUENCE, "RSA key")?.inside();
    let modulus = inside.expect(der::INTEGER, "RSA modulus")?;
    let exponent = inside.expect(der::INTEGER, "RSA exponent")?;
    inside.end("RSA key")?;
    let exponent = der::integer(&exponent, "RSA exponent")?;
    Ok((der::integer(&modulus, "RSA modulus")?, exponent))
}

/// The length of the number that the bytes of an INTEGER are, without a sign.
pub(crate) fn bit_length(number: &[u8]) -> u32 {
    let digits = number.strip_prefix(&[0]).unwrap_or(number);
    let leading = digits.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(digits.len()).unwrap_or(u32::MAX / 8).saturating_mul(8).saturating_sub(leading)
}

/// How the OIDs of the curves begin that OpenSSL has (ec_curve.c): ANSI X9.62, SECG, Brainpool, WAP, SM2.
const OPENSSL_CURVES: [&str; 6] = [
    "1.2.840.10045.3.0.",
    "1.2.840.10045.3.1.",
    "1.3.132.0.",
    "1.3.36.3.3.2.8.1.1.",
    "2.23.43.1.4.",
    "1.2.156.10197.1.301",
];

/// Whether OpenSSL can decode a public key: the point of an EC key must be on its curve. Curves that OpenSSL knows and
/// this tool does not are taken to be well.
pub(super) fn key_decodes(spki: &[u8]) -> bool {
    match public_key(spki) {
        Ok((KeyKind::Ec(curve), point)) => match curve.as_str() {
            "P-256" => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
            "P-384" => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
            "P-521" => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
            EXPLICIT_CURVE => true,
            other => OPENSSL_CURVES.iter().any(|family| other.starts_with(family)),
        },
        Ok((KeyKind::Rsa(0) | KeyKind::RsaPss(0), _)) | Err(_) => false,
        Ok(_) => true,
    }
}

/// Whether two points of one curve are the same, one of them compressed (SEC 1, 2.3.3: 2 or 3 and x, for 4, x and y).
pub(super) fn is_same_point(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let (Some((sign @ (2 | 3), x)), Some((4, both))) = (short.split_first(), long.split_first()) else {
        return false;
    };
    both.len() == 2 * x.len()
        && both.starts_with(x)
        && both.last().is_some_and(|last| 2 + (last & 1) == *sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_want_what_openssl_3_wants() {
        let level = |number| SecurityLevel::new(number).unwrap();
        assert_eq!(SecurityLevel::default(), level(2));
        assert_eq!(SecurityLevel::new(6), None);
        // The shortest RSA key of each level.
        for (number, shortest) in [(1, 920), (2, 1963), (3, 2671), (4, 6947), (5, 13914)] {
            assert!(!KeyKind::Rsa(shortest).is_weak_at(level(number)), "{number}");
            assert!(KeyKind::Rsa(shortest - 1).is_weak_at(level(number)), "{number}");
            assert!(KeyKind::RsaPss(0).is_weak_at(level(number)), "{number}");
        }
        assert!(!KeyKind::Rsa(0).is_weak_at(level(0)));
        for (curve, highest) in [("1.3.132.0.31", 1), ("P-256", 3), ("P-384", 4), ("P-521", 5)] {
            let key = KeyKind::Ec(curve.to_owned());
            assert!(!key.is_weak_at(level(highest)), "{curve}");
            assert!(highest == 5 || key.is_weak_at(level(highest + 1)), "{curve}");
        }
        for (hash, highest) in
            [(Hash::Md, 0), (Hash::Sha1, 0), (Hash::Sha224, 2), (Hash::Sha256, 3), (Hash::Sha384, 4)]
        {
            let algorithm = SignatureAlgorithm::Ecdsa(hash);
            assert!(
                !algorithm.is_weak_at(level(highest)) && algorithm.is_weak_at(level(highest + 1)),
                "{hash}"
            );
        }
    }
}
