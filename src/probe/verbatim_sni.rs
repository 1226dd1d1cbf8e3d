//! Server names that rustls does not send and libpq does: with a final dot, an underscore at an odd place, blanks, bytes
//! beyond ASCII, labels of more than 63 bytes (fe-secure-openssl.c, initialize_SSL, hands `host` to OpenSSL as it is).
//!
//! rustls is given a placeholder of the same length. On its way out the ClientHello gets the true name in its place, and
//! so does the transcript that both sides hash (RFC 8446 section 4.4.1, RFC 5246 section 7.4.9), for which the hash
//! functions of the cipher suites are wrapped. Nothing else of the handshake depends on the name.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::crypto::hash::{Context, Hash, Output};
use rustls::crypto::{CryptoProvider, hash::HashAlgorithm};
use rustls::pki_types::{DnsName, ServerName};
use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};

/// rustls takes names up to this length (RFC 1035 section 2.3.4); OpenSSL sends two bytes more.
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Whether rustls sends this name as it is.
pub fn is_sent_verbatim(name: &str) -> bool {
    DnsName::try_from(name).is_ok() && !name.ends_with('.')
}

/// A name that stands in for another of the same length.
#[derive(Clone, Debug)]
pub struct Placeholder {
    name: DnsName<'static>,
    /// The server_name extension (RFC 6066 section 3) as rustls writes it.
    stand_in: Arc<[u8]>,
    /// The same with the true name.
    meant: Arc<[u8]>,
}

impl Placeholder {
    /// For a name of 1 to 253 bytes; others cannot be sent.
    pub fn of(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > LONGEST {
            return None;
        }
        let mut stand_in: Vec<u8> = (1..=name.len())
            .map(|place| if place % (LONGEST_LABEL + 1) == 0 { b'.' } else { b'x' })
            .collect();
        // A final dot would not be sent: the last two labels share their letters in another way.
        if let [.., before, last @ b'.'] = stand_in.as_mut_slice() {
            (*before, *last) = (b'.', b'x');
        }
        let text = String::from_utf8(stand_in).ok()?;
        Some(Self {
            stand_in: extension(text.as_bytes())?.into(),
            meant: extension(name)?.into(),
            name: DnsName::try_from(text).ok()?,
        })
    }

    /// What rustls is to be given.
    pub fn server_name(&self) -> ServerName<'static> {
        ServerName::DnsName(self.name.clone())
    }

    /// `bytes`, a ClientHello or something that contains one, with the true name.
    pub fn restored<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match bytes.windows(self.stand_in.len()).position(|window| *window == *self.stand_in) {
            None => Cow::Borrowed(bytes),
            Some(place) => {
                let mut restored = bytes.to_vec();
                for (byte, meant) in restored.iter_mut().skip(place).zip(self.meant.iter()) {
                    *byte = *meant;
                }
                Cow::Owned(restored)
            }
        }
    }

    /// The provider with suites that hash the true name.
    ///
    /// rustls wants suites that live for ever: some hundred bytes stay behind for each name that needs this.
    pub fn provider(&self, base: &CryptoProvider) -> CryptoProvider {
        let cipher_suites = base.cipher_suites.iter().map(|suite| self.suite(*suite)).collect();
        CryptoProvider { cipher_suites, ..base.clone() }
    }

    fn suite(&self, suite: SupportedCipherSuite) -> SupportedCipherSuite {
        let common = |common: &CipherSuiteCommon| CipherSuiteCommon {
            hash_provider: Box::leak(Box::new(RestoringHash {
                inner: common.hash_provider,
                placeholder: self.clone(),
            })),
            ..*common
        };
        match suite {
            SupportedCipherSuite::Tls12(suite) => {
                SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common: common(&suite.common),
                    ..*suite
                })))
            }
            SupportedCipherSuite::Tls13(suite) => {
                SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                    common: common(&suite.common),
                    ..*suite
                })))
            }
        }
    }
}

/// The server_name extension with one host_name.
fn extension(name: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(name.len()).ok()?;
    let mut bytes = vec![0, 0];
    bytes.extend((length + 5).to_be_bytes());
    bytes.extend((length + 3).to_be_bytes());
    bytes.push(0);
    bytes.extend(length.to_be_bytes());
    bytes.extend(name);
    Some(bytes)
}

/// A hash function that is given ClientHellos with the placeholder and hashes those that were sent.
struct RestoringHash {
    inner: &'static dyn Hash,
    placeholder: Placeholder,
}

impl Hash for RestoringHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(RestoringContext { inner: self.inner.start(), placeholder: self.placeholder.clone() })
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.inner.hash(&self.placeholder.restored(data))
    }

    fn output_len(&self) -> usize {
        self.inner.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.inner.algorithm()
    }
}

/// rustls hands over whole messages.
struct RestoringContext {
    inner: Box<dyn Context>,
    placeholder: Placeholder,
}

impl Context for RestoringContext {
    fn fork_finish(&self) -> Output {
        self.inner.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self { inner: self.inner.fork(), placeholder: self.placeholder.clone() })
    }

    fn finish(self: Box<Self>) -> Output {
        self.inner.finish()
    }

    fn update(&mut self, data: &[u8]) {
        self.inner.update(&self.placeholder.restored(data));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Mutex;

    use openssl::ssl::{NameType, SslContext, SslMethod, SslVersion};
    use rustls::ClientConnection;

    use super::*;
    use crate::testing::{Authority, params};

    #[test]
    fn every_length_has_a_placeholder_that_rustls_takes_whole() {
        for length in 1..=LONGEST {
            let placeholder = Placeholder::of(&vec![b'_'; length]).unwrap();
            let ServerName::DnsName(name) = placeholder.server_name() else { panic!("no name") };
            assert_eq!(name.as_ref().len(), length);
            assert!(is_sent_verbatim(name.as_ref()), "{length}");
        }
        assert!(Placeholder::of(b"").is_none() && Placeholder::of(&[b'a'; LONGEST + 1]).is_none());
    }

    /// Shakes hands with OpenSSL over a pair of sockets and gives the name that it saw.
    fn name_seen(name: &str, version: SslVersion, groups: &str) -> String {
        // rustls judges at the present moment, whenever that is.
        let mut never_ends = params("x", false);
        never_ends.not_after = rcgen::date_time_ymd(4096, 1, 1);
        let own = Authority::root_with(never_ends);
        let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
        context.set_min_proto_version(Some(version)).unwrap();
        context.set_max_proto_version(Some(version)).unwrap();
        context.set_groups_list(groups).unwrap();
        context.set_certificate(&openssl::x509::X509::from_der(own.certificate.der()).unwrap()).unwrap();
        let key = openssl::pkey::PKey::private_key_from_der(&own.key_der()).unwrap();
        context.set_private_key(&key).unwrap();
        let seen = Arc::new(Mutex::new(None));
        let remembered = Arc::clone(&seen);
        // The callback sees the bytes; the accessor insists on UTF-8.
        context.set_servername_callback(move |ssl, _| {
            *remembered.lock().unwrap() = ssl.servername_raw(NameType::HOST_NAME).map(<[u8]>::to_vec);
            Ok(())
        });
        let context = context.build();
        let (server, mut client) = std::os::unix::net::UnixStream::pair().unwrap();
        let thread = std::thread::spawn(move || {
            let mut stream = openssl::ssl::Ssl::new(&context).unwrap().accept(server).expect("a handshake");
            stream.write_all(b"!").unwrap();
        });

        let placeholder = Placeholder::of(name.as_bytes()).unwrap();
        let provider = placeholder.provider(&rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(own.certificate.der().into()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate))
            .with_no_client_auth();
        let mut connection = ClientConnection::new(Arc::new(config), placeholder.server_name()).unwrap();
        let mut answer = [0; 1];
        loop {
            let mut out = Vec::new();
            while connection.wants_write() {
                connection.write_tls(&mut out).unwrap();
            }
            client.write_all(&placeholder.restored(&out)).unwrap();
            match connection.reader().read(&mut answer) {
                Ok(1) => break,
                _ => connection.read_tls(&mut client).map(drop).unwrap(),
            }
            connection.process_new_packets().unwrap();
        }
        thread.join().unwrap();
        let seen = seen.lock().unwrap().take().unwrap();
        String::from_utf8(seen).unwrap()
    }

    #[test]
    fn openssl_sees_the_name_as_it_was_given_and_finishes_the_handshake() {
        let long = "l".repeat(70) + ".example";
        for name in ["db.example.", "_x._y", "-db-", "böse.example", "two words", "1.2.3.4.5", "a", &long] {
            for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
                assert_eq!(name_seen(name, version, "P-256:P-384"), name, "{version:?}");
            }
            // The first offer is of another group: a HelloRetryRequest and a second ClientHello.
            assert_eq!(name_seen(name, SslVersion::TLS1_3, "P-384"), name);
        }
    }

    #[derive(Debug)]
    struct AnyCertificate;

    impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
        fn verify_server_cert(
            &self,
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &[rustls::pki_types::CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls::pki_types::UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &rustls::pki_types::CertificateDer<'_>,
            signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, certificate, signed, &algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &rustls::pki_types::CertificateDer<'_>,
            signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
        }
    }
}
