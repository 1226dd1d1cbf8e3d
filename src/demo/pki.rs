//! The demo's certificates, made when it starts: a root, an intermediate, a server certificate (ECDSA P-256), client
//! certificates and CRLs. Sound ones by default; a fault changes one thing. Nothing outlives the process. The unit tests'
//! certificates come from here as well (`crate::testing`).

use std::io;

use base64::Engine;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::Parameters;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use time::{Duration, OffsetDateTime};

const ORGANISATION: &str = "pgtls-check demo";

/// A CA with its key.
pub(crate) struct Authority {
    /// Its certificate.
    pub(crate) der: Vec<u8>,
    parameters: CertificateParams,
    key: KeyPair,
}

/// An end-entity certificate with its key.
pub(crate) struct Issued {
    /// The certificate.
    pub(crate) der: Vec<u8>,
    /// Its serial number.
    pub(crate) serial: SerialNumber,
    /// Its private key, PKCS#8 in DER.
    pub(crate) key: Vec<u8>,
}

impl Authority {
    /// A self-signed root for ten years.
    pub(crate) fn root(name: &str) -> io::Result<Self> {
        Self::root_with(name, |_| {})
    }

    /// A root with something about it changed.
    pub(crate) fn root_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> io::Result<Self> {
        let mut parameters = authority(name, 3650)?;
        change(&mut parameters);
        Self::self_signed(parameters, key()?)
    }

    /// One with these parameters and this key, self-signed as all roots are.
    pub(crate) fn self_signed(parameters: CertificateParams, key: KeyPair) -> io::Result<Self> {
        let der = parameters.self_signed(&key).map_err(io::Error::other)?.der().to_vec();
        Ok(Self { der, parameters, key })
    }

    /// One with these parameters and this key, issued by this CA.
    pub(crate) fn issue(&self, parameters: CertificateParams, key: KeyPair) -> io::Result<Self> {
        let der = parameters.signed_by(&key, &self.issuer()).map_err(io::Error::other)?.der().to_vec();
        Ok(Self { der, parameters, key })
    }

    /// Another certificate of `subject`, by this CA.
    #[cfg(test)]
    pub(crate) fn cross(&self, subject: &Self) -> io::Result<Vec<u8>> {
        let signed = subject.parameters.signed_by(&subject.key, &self.issuer());
        Ok(signed.map_err(io::Error::other)?.der().to_vec())
    }

    /// An intermediate of this CA for five years.
    pub(crate) fn intermediate(&self, name: &str) -> io::Result<Self> {
        self.intermediate_with(name, key()?, |_| {})
    }

    /// An intermediate with this key and something about it changed.
    pub(crate) fn intermediate_with(
        &self,
        name: &str,
        key: KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> io::Result<Self> {
        let mut parameters = authority(name, 1825)?;
        parameters.use_authority_key_identifier_extension = true;
        change(&mut parameters);
        self.issue(parameters, key)
    }

    /// A server's certificate for these names for a year.
    pub(crate) fn server(&self, names: &[&str]) -> io::Result<Issued> {
        self.server_with(names, |_| {})
    }

    /// A server's certificate with something about it changed.
    pub(crate) fn server_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> io::Result<Issued> {
        let mut parameters = server(names)?;
        change(&mut parameters);
        let key = key()?;
        issued(parameters.signed_by(&key, &self.issuer()), &parameters, &key)
    }

    /// A client's certificate for a user for a year.
    pub(crate) fn client(&self, user: &str) -> io::Result<Issued> {
        let mut parameters = end_entity(user)?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = key()?;
        issued(parameters.signed_by(&key, &self.issuer()), &parameters, &key)
    }

    /// A CRL of this CA as PEM: what it revokes, and its age in days when its next one is due after thirty.
    pub(crate) fn crl(&self, revoked: &[&Issued], age: i64) -> io::Result<String> {
        let serials = revoked.iter().map(|certificate| certificate.serial.clone());
        Ok(pem("X509 CRL", &self.crl_of(serials, days(-age), days(-age), days(30 - age))?))
    }

    /// A CRL of this CA in DER that revokes these serial numbers as of `revoked`.
    pub(crate) fn crl_of(
        &self,
        serials: impl Iterator<Item = SerialNumber>,
        revoked: OffsetDateTime,
        this_update: OffsetDateTime,
        next_update: OffsetDateTime,
    ) -> io::Result<Vec<u8>> {
        let entry = |serial_number| RevokedCertParams {
            serial_number,
            revocation_time: revoked,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let parameters = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = parameters.signed_by(&self.issuer()).map_err(io::Error::other)?;
        Ok(list.der().to_vec())
    }

    /// Its certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// Its private key, PKCS#8 in DER.
    pub(crate) fn key_der(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.parameters, &self.key)
    }
}

impl Issued {
    /// A self-signed server certificate, in nobody's root file.
    pub(crate) fn self_signed(names: &[&str]) -> io::Result<Self> {
        let parameters = server(names)?;
        let key = key()?;
        issued(parameters.self_signed(&key), &parameters, &key)
    }

    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// The key as PEM.
    pub(crate) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key)
    }

    /// The key as PEM, encrypted with AES-256 (PBES2).
    pub(crate) fn encrypted_key_pem(&self, pass_phrase: &str) -> io::Result<String> {
        // Few iterations of PBKDF2, as `openssl pkcs8 -topk8` has them: the pass phrase is known to all.
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &random::<16>()?, random()?);
        let key = PrivateKeyInfoRef::try_from(self.key.as_slice()).map_err(io::Error::other)?;
        let encrypted = key
            .encrypt_with_params(parameters.map_err(io::Error::other)?, pass_phrase)
            .map_err(io::Error::other)?;
        Ok(pem("ENCRYPTED PRIVATE KEY", encrypted.as_bytes()))
    }
}

/// A new P-256 key.
pub(crate) fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

/// A point in time so many days from now.
pub(crate) fn days(from_now: i64) -> OffsetDateTime {
    // Half a day more in the future: a check a second later still counts as many whole days.
    let spare = Duration::hours(if from_now > 0 { 12 } else { 0 });
    OffsetDateTime::now_utc() + Duration::days(from_now) + spare
}

/// What a server's certificate of a public CA says.
fn server(names: &[&str]) -> io::Result<CertificateParams> {
    let mut parameters = end_entity(names.first().copied().unwrap_or_default())?;
    let named = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    parameters.subject_alt_names = named.map_err(io::Error::other)?.subject_alt_names;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

fn end_entity(name: &str) -> io::Result<CertificateParams> {
    let mut parameters = common(name, 365)?;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn authority(name: &str, lasts: i64) -> io::Result<CertificateParams> {
    let mut parameters = common(name, lasts)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn common(name: &str, lasts: i64) -> io::Result<CertificateParams> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = distinguished_name(ORGANISATION, name);
    (parameters.not_before, parameters.not_after) = (days(-1), days(lasts));
    // Positive and of full length (RFC 5280, 4.1.2.2).
    let [first, rest @ ..] = random::<16>()?;
    let serial: Vec<u8> = std::iter::once(first & 0x3f | 0x40).chain(rest).collect();
    parameters.serial_number = Some(SerialNumber::from(serial));
    Ok(parameters)
}

/// A subject of an organisation.
pub(crate) fn distinguished_name(organisation: &str, name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, organisation);
    subject.push(DnType::CommonName, name);
    subject
}

fn issued(
    certificate: Result<Certificate, rcgen::Error>,
    parameters: &CertificateParams,
    key: &KeyPair,
) -> io::Result<Issued> {
    let der = certificate.map_err(io::Error::other)?.der().to_vec();
    let serial = parameters.serial_number.clone().ok_or_else(|| io::Error::other("a serial number"))?;
    Ok(Issued { der, serial, key: key.serialize_der() })
}

/// A PEM block, 64 characters a line.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system has no random bytes"))?;
    Ok(bytes)
}
