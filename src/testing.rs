//! Certificates for unit tests, by the demo's maker: sound ones with dates that do not move, since they are judged at one
//! moment, and with what a test changes in them. Odd and broken ones are made by `tests/it/support/odd_pki`, which encodes
//! what no library agrees to.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, SerialNumber,
    date_time_ymd,
};

use crate::certificate::{Certificate, Crl};
use crate::demo::pki;
use crate::timestamp::Timestamp;

/// A certificate with its key, able to issue others.
pub(crate) struct Authority {
    pub certificate: Certificate,
    made: pki::Authority,
}

impl From<pki::Authority> for Authority {
    fn from(made: pki::Authority) -> Self {
        Self { certificate: Certificate::from_der(&made.der), made }
    }
}

impl Authority {
    /// A root.
    pub(crate) fn root(name: &str) -> Self {
        Self::root_with(params(name, true))
    }

    pub(crate) fn root_with(params: CertificateParams) -> Self {
        Self::root_for(pki::key().unwrap(), params)
    }

    /// One with this key, self-signed as all roots are.
    pub(crate) fn root_for(key: KeyPair, params: CertificateParams) -> Self {
        pki::Authority::self_signed(params, key).unwrap().into()
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Self {
        self.issue_for(pki::key().unwrap(), params)
    }

    /// One for this key.
    pub(crate) fn issue_for(&self, key: KeyPair, params: CertificateParams) -> Self {
        self.made.issue(params, key).unwrap().into()
    }

    /// Another certificate of `subject`.
    pub(crate) fn cross(&self, subject: &Self) -> Certificate {
        Certificate::from_der(&self.made.cross(&subject.made).unwrap())
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        self.issue(params(name, true))
    }

    pub(crate) fn server(&self, name: &str) -> Certificate {
        self.issue(params(name, false)).certificate
    }

    /// Its private key, PKCS#8 in DER.
    pub(crate) fn key_der(&self) -> Vec<u8> {
        self.made.key_der()
    }

    /// Its revocation list of 2026-10-01 with certificates revoked on 2026-02-03, and when the next one is due.
    pub(crate) fn crl(&self, revoked: &[&Certificate], (year, month, day): (i32, u8, u8)) -> Crl {
        let serial =
            |certificate: &&Certificate| SerialNumber::from_slice(&certificate.facts().unwrap().serial);
        let next = date_time_ymd(year, month, day);
        let serials = revoked.iter().map(serial);
        let der = self.made.crl_of(serials, date_time_ymd(2026, 2, 3), date_time_ymd(2026, 10, 1), next);
        Crl::decode(&der.unwrap()).unwrap()
    }
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
