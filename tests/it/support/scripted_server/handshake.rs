//! The handshakes of the recording server.

use super::session::{Endpoints, session};
use super::{Behaviour, ConnectionRecord, Tls};
use crate::support::odd_pki::Key;
use openssl::dh::Dh;
use openssl::ssl::{
    AlpnError, NameType, Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslStream, SslVerifyMode,
};
use openssl::x509::X509;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) enum Handshake {
    /// And whether it asks for a client certificate.
    OpenSsl(SslContext, bool),
    Rustls(Arc<rustls::ServerConfig>),
}

impl Handshake {
    pub(super) fn openssl(chain: &[Vec<u8>], key: &Key, tls: &Tls) -> Self {
        let mut context = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
        context.set_security_level(0);
        context.set_mode(SslMode::NO_AUTO_CHAIN);
        context.set_min_proto_version(tls.minimum).unwrap();
        context.set_max_proto_version(tls.maximum).unwrap();
        context.set_cipher_list(tls.ciphers.unwrap_or("ALL:@SECLEVEL=0")).unwrap();
        context.set_tmp_dh(&Dh::get_2048_256().unwrap()).unwrap();
        if let Some(groups) = tls.groups {
            context.set_groups_list(groups).unwrap();
        }
        let mut certificates = chain.iter().map(|der| X509::from_der(der).expect("OpenSSL cannot load it"));
        context.set_certificate(&certificates.next().unwrap()).unwrap();
        for certificate in certificates {
            context.add_extra_chain_cert(certificate).unwrap();
        }
        context.set_private_key(&key.private).unwrap();
        if !tls.without_alpn {
            context.set_alpn_select_callback(|_, offered| {
                openssl::ssl::select_next_proto(b"\x0apostgresql", offered).ok_or(AlpnError::NOACK)
            });
        }
        Self::OpenSsl(context.build(), tls.asks_for_certificate)
    }

    pub(super) fn rustls(chain: &[Vec<u8>], key: &Key) -> Self {
        #[derive(Debug)]
        struct FixedCertificate(Arc<rustls::sign::CertifiedKey>);
        impl rustls::server::ResolvesServerCert for FixedCertificate {
            fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
                Some(Arc::clone(&self.0))
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pkcs8 = key.private.private_key_to_pkcs8().unwrap();
        let signer =
            rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::Pkcs8(pkcs8.into())).unwrap();
        let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let certified = Arc::new(rustls::sign::CertifiedKey::new(chain, signer));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(FixedCertificate(certified)));
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Self::Rustls(Arc::new(config))
    }

    /// Shakes hands and plays the session over it.
    pub(super) fn receive(
        &self,
        client: TcpStream,
        behaviour: Behaviour,
        record: &mut ConnectionRecord,
    ) -> io::Result<()> {
        let ends = Endpoints::of(&client)?;
        match self {
            Self::OpenSsl(context, asks) => {
                let mut ssl = Ssl::new(context).unwrap();
                let presented = Arc::new(AtomicBool::new(false));
                if *asks {
                    let presented = Arc::clone(&presented);
                    // OpenSSL calls it with what the client presents, and not at all where that is nothing.
                    ssl.set_verify_callback(SslVerifyMode::PEER, move |_, _| {
                        presented.store(true, Ordering::SeqCst);
                        true
                    });
                }
                let mut stream = SslStream::new(ssl, client).unwrap();
                let result = stream.accept();
                record.certificate = presented.load(Ordering::SeqCst);
                record.sni = stream.ssl().servername(NameType::HOST_NAME).map(str::to_owned);
                if let Err(error) = result {
                    record.handshake_error = Some(error.to_string());
                    return Ok(());
                }
                record.alpn = stream.ssl().selected_alpn_protocol().is_some();
                record.encrypted = true;
                session(&mut stream, ends, behaviour, record)?;
                stream.shutdown().map(drop).map_err(io::Error::other)
            }
            Self::Rustls(config) => {
                let connection =
                    rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                let mut stream = rustls::StreamOwned::new(connection, client);
                while stream.conn.is_handshaking() {
                    if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                        record.handshake_error = Some(error.to_string());
                        return Ok(());
                    }
                }
                record.sni = stream.conn.server_name().map(str::to_owned);
                record.alpn = stream.conn.alpn_protocol().is_some();
                record.encrypted = true;
                session(&mut stream, ends, behaviour, record)
            }
        }
    }
}
