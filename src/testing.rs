//! Certificates for unit tests: sound ones by default, made when they are needed, judged at one moment, with what a test
//! changes in them. The
//! tests of `tests/it` have a maker of odd ones, the demo one of its own.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, IsCa,
    Issuer, KeyIdMethod, KeyPair, RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};

use crate::certificate::{Certificate, Crl};
use crate::timestamp::Timestamp;

/// A certificate with its key, able to issue others.
pub(crate) struct Authority {
    pub certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    /// A root.
    pub(crate) fn root(name: &str) -> Self {
        Self::root_with(params(name, true))
    }

    pub(crate) fn root_with(params: CertificateParams) -> Self {
        Self::root_for(KeyPair::generate().unwrap(), params)
    }

    /// One with this key, self-signed as all roots are.
    pub(crate) fn root_for(key: KeyPair, params: CertificateParams) -> Self {
        let certificate = Certificate::from_der(params.self_signed(&key).unwrap().der());
        Self { certificate, params, key }
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Self {
        self.issue_for(KeyPair::generate().unwrap(), params)
    }

    /// One for this key.
    pub(crate) fn issue_for(&self, key: KeyPair, params: CertificateParams) -> Self {
        let certificate = issued((&params, &key), (&self.params, &self.key));
        Self { certificate, params, key }
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        self.issue(params(name, true))
    }

    pub(crate) fn server(&self, name: &str) -> Certificate {
        self.issue(params(name, false)).certificate
    }

    /// Its private key, PKCS#8 in DER.
    pub(crate) fn key_der(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    /// Its revocation list of 2026-10-01 with certificates revoked on 2026-02-03, and when the next one is due.
    pub(crate) fn crl(&self, revoked: &[&Certificate], (year, month, day): (i32, u8, u8)) -> Crl {
        let revoked_certs = revoked
            .iter()
            .map(|certificate| RevokedCertParams {
                serial_number: SerialNumber::from_slice(&certificate.facts().unwrap().serial),
                revocation_time: date_time_ymd(2026, 2, 3),
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            })
            .collect();
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 10, 1),
            next_update: date_time_ymd(year, month, day),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::new(self.params.clone(), &self.key);
        Crl::decode(params.signed_by(&issuer).unwrap().der()).unwrap()
    }
}

/// A certificate for one key, issued in the name and with the key of another.
pub(crate) fn issued(
    (params, key): (&CertificateParams, &KeyPair),
    (issuer, issuer_key): (&CertificateParams, &KeyPair),
) -> Certificate {
    let issuer = Issuer::from_params(issuer, issuer_key);
    Certificate::from_der(params.signed_by(key, &issuer).unwrap().der())
}

/// The moment at which tests judge.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_utc(2026, 11, 25, 12, 0, 0).unwrap()
}

/// An honest certificate's parameters, valid [`now`]: a CA, or a server's for `name`.
pub(crate) fn params(name: &str, ca: bool) -> CertificateParams {
    let mut params = CertificateParams::new(if ca { vec![] } else { vec![name.to_owned()] }).unwrap();
    params.distinguished_name = named(&[(DnType::CommonName, name)]);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = if ca { date_time_ymd(2035, 1, 1) } else { date_time_ymd(2027, 4, 14) };
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

/// A name of these attributes.
pub(crate) fn named(attributes: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in attributes {
        name.push(kind.clone(), *value);
    }
    name
}
