//! The trust settings that OpenSSL keeps behind a certificate in a `TRUSTED CERTIFICATE` block: X509_CERT_AUX
//! (x_x509a.c), read with an eye on TLS servers (`obj_trust` in x509_trust.c).

use super::der::{self, Elements};
use super::{Malformed, ServerTrust};

/// id-kp-serverAuth.
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// anyExtendedKeyUsage.
const ANY: &[u8] = &[0x55, 0x1d, 0x25, 0];

/// What the settings say about TLS servers. What follows them does not count.
pub(super) fn server_trust(bytes: &[u8]) -> Result<ServerTrust, Malformed> {
    let mut inside = Elements::new(bytes).expect(der::SEQUENCE, "trust settings")?.inside();
    let trusted = match inside.optional(der::SEQUENCE, "trusted uses")? {
        Some(uses) => Some(purposes(uses.inside())?),
        None => None,
    };
    let rejected = match inside.optional(der::context_constructed(0), "rejected uses")? {
        Some(uses) => purposes(uses.inside())?,
        None => Vec::new(),
    };
    inside.optional(der::UTF8_STRING, "alias")?;
    inside.optional(der::OCTET_STRING, "key identifier")?;
    inside.optional(der::context_constructed(1), "other settings")?;
    inside.end("trust settings")?;
    let names_servers = |uses: &[&[u8]]| uses.iter().any(|purpose| [SERVER_AUTH, ANY].contains(purpose));
    Ok(match trusted {
        _ if names_servers(&rejected) => ServerTrust::Rejected,
        Some(uses) if names_servers(&uses) => ServerTrust::Trusted,
        Some(_) => ServerTrust::Rejected,
        None => ServerTrust::Unsaid,
    })
}

fn purposes(mut inside: Elements<'_>) -> Result<Vec<&[u8]>, Malformed> {
    let mut purposes = Vec::new();
    while !inside.is_empty() {
        purposes.push(inside.object_identifier("use")?.content);
    }
    Ok(purposes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::encode::{element, sequence};

    const EMAIL: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];

    fn settings(trusted: Option<&[&[u8]]>, rejected: &[&[u8]]) -> Vec<u8> {
        let oids = |uses: &[&[u8]]| uses.iter().flat_map(|oid| element(6, &[oid])).collect::<Vec<u8>>();
        let trusted = trusted.map(|uses| sequence(&[&oids(uses)])).unwrap_or_default();
        let rejected = if rejected.is_empty() { Vec::new() } else { element(0xa0, &[&oids(rejected)]) };
        sequence(&[&trusted, &rejected, &element(0x0c, &[b"alias"])])
    }

    #[test]
    fn settings_are_read_for_servers() {
        use ServerTrust::{Rejected, Trusted, Unsaid};
        for (trusted, rejected, wanted) in [
            (None, &[][..], Unsaid),
            (Some(&[SERVER_AUTH][..]), &[], Trusted),
            (Some(&[ANY]), &[], Trusted),
            (Some(&[EMAIL]), &[], Rejected),
            (Some(&[EMAIL, SERVER_AUTH]), &[], Trusted),
            (Some(&[]), &[], Rejected),
            (None, &[SERVER_AUTH], Rejected),
            (None, &[ANY], Rejected),
            (None, &[EMAIL], Unsaid),
            (Some(&[SERVER_AUTH]), &[SERVER_AUTH], Rejected),
        ] {
            assert_eq!(server_trust(&settings(trusted, rejected)), Ok(wanted), "{trusted:?} {rejected:?}");
        }
        for broken in [&[0x30, 2, 6][..], &[0x30, 4, 0x30, 2, 6, 0], &[0x31, 0], &[0x30, 2, 5, 0]] {
            assert!(server_trust(broken).is_err(), "{broken:?}");
        }
    }
}
