//! What a fault has to work with: sound certificates, a well-behaved server and a good connection string, all open to
//! change until the server starts.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::CertificateParams;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{
    ClientHello, NoClientAuth, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::Demo;
use super::directory::Directory;
use super::hello::Hello;
use super::pki::{Authority, Issued};
use super::server::{Listening, OnHello, OnRequest, Port, Script, Server, Unanswered};
use super::session::{Authentication, OnStartup, Session};
use crate::conninfo::write::quoted_text;

/// The name that the server's certificate is for. Nothing resolves it; connection strings give the address beside it.
pub(super) const HOST: &str = "db.example";
/// The role, and its password.
pub(super) const USER: &str = "demo";
/// A secret known to everybody.
pub(super) const PASSWORD: &str = "demo-password";

/// Whether clients are asked for certificates, and of which CA.
pub(super) enum ClientCertificates {
    /// They are not.
    NotAsked,
    /// They may go without.
    Asked(Authority),
    /// Without one the handshake fails.
    MustShow(Authority),
}

/// What is started, once a fault has changed it.
pub(super) struct Scenario {
    /// Where files go.
    pub(super) directory: Directory,
    /// The root that `sslrootcert` names.
    pub(super) root: Authority,
    /// The CA below it.
    pub(super) intermediate: Authority,
    /// What the server shows, leaf first.
    pub(super) chain: Vec<Vec<u8>>,
    /// The key of the chain's first certificate, PKCS#8 in DER.
    pub(super) key: Vec<u8>,
    /// Protocol versions of honest handshakes.
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    /// Whether clients are asked for certificates.
    pub(super) client_certificates: ClientCertificates,
    /// What a ClientHello meets with.
    pub(super) on_hello: fn(&Hello) -> OnHello,
    /// What the server says unasked.
    pub(super) greeting: &'static [u8],
    /// What SSLRequest meets with.
    pub(super) on_request: OnRequest,
    /// Whether TLS may begin at once.
    pub(super) direct: bool,
    /// Whether sessions without TLS are allowed.
    pub(super) plaintext: bool,
    /// Whether connections come about.
    pub(super) listening: Listening,
    /// What comes after TLS.
    pub(super) session: Session,
    /// A port that answers nothing, held while the server runs.
    silent: Option<Unanswered>,
    port: Port,
    options: Vec<(&'static str, String)>,
    variables: Vec<(&'static str, OsString)>,
    ending: &'static str,
}

impl Scenario {
    /// The healthy case.
    pub(super) fn new() -> io::Result<Self> {
        let mut directory = Directory::new()?;
        let port = Port::new()?;
        let root = Authority::root("Demo Root CA")?;
        let intermediate = root.intermediate("Demo Intermediate CA")?;
        let leaf = intermediate.server(&[HOST])?;
        let path = directory.write("root.crt", root.pem())?;
        let mut scenario = Self {
            chain: Vec::new(),
            key: Vec::new(),
            versions: rustls::DEFAULT_VERSIONS.to_vec(),
            client_certificates: ClientCertificates::NotAsked,
            on_hello: |_| OnHello::Serve,
            greeting: b"",
            on_request: OnRequest::Accept(b""),
            direct: true,
            plaintext: false,
            listening: Listening::Open,
            session: Session {
                on_startup: OnStartup::Authenticate,
                authentication: Authentication::Scram { binds: true },
                password: PASSWORD.to_owned(),
                after_password: None,
                refusal: None,
                parameters: Vec::new(),
                backend_ssl: true,
            },
            options: Vec::new(),
            variables: vec![("HOME", directory.path().into()), ("APPDATA", directory.path().into())],
            ending: "",
            directory,
            root,
            intermediate,
            silent: None,
            port,
        };
        scenario.present(leaf);
        scenario.set("host", HOST);
        scenario.set("hostaddr", "127.0.0.1");
        scenario.set("port", scenario.port.number().to_string());
        scenario.set("dbname", "postgres");
        scenario.set("user", USER);
        scenario.set("password", PASSWORD);
        scenario.set("sslmode", "verify-full");
        scenario.name_file("sslrootcert", &path);
        Ok(scenario)
    }

    /// The server shows this certificate and the intermediate.
    pub(super) fn present(&mut self, leaf: Issued) {
        self.chain = vec![leaf.der, self.intermediate.der.clone()];
        self.key = leaf.key;
    }

    /// The server's certificate has something about it changed.
    pub(super) fn present_with(&mut self, change: impl FnOnce(&mut CertificateParams)) -> io::Result<()> {
        let leaf = self.intermediate.server_with(&[HOST], change)?;
        self.present(leaf);
        Ok(())
    }

    /// The server's certificate is for another name, and that is the host asked for.
    pub(super) fn rename(&mut self, host: &str) -> io::Result<()> {
        let leaf = self.intermediate.server(&[host])?;
        self.present(leaf);
        self.set("host", host);
        Ok(())
    }

    /// The server's certificate comes from this intermediate.
    pub(super) fn issue_from(&mut self, intermediate: Authority) -> io::Result<()> {
        self.intermediate = intermediate;
        self.present_with(|_| {})
    }

    /// The server's chain leads to this root; the file has the one it had.
    pub(super) fn root_in(&mut self, root: Authority) -> io::Result<()> {
        let intermediate = root.intermediate("Demo Intermediate CA")?;
        self.root = root;
        self.issue_from(intermediate)
    }

    /// The root file holds the server's root.
    pub(super) fn update_root_file(&mut self) -> io::Result<()> {
        self.write_for("sslrootcert", "root.crt", self.root.pem()).map(drop)
    }

    /// A client certificate of this CA with its key, in files that the connection string names.
    pub(super) fn identify_by(&mut self, authority: &Authority) -> io::Result<Issued> {
        let client = authority.client(USER)?;
        self.write_for("sslcert", "client.crt", client.pem())?;
        self.write_for("sslkey", "client.key", client.key_pem())?;
        Ok(client)
    }

    /// Sets an option of the connection string.
    pub(super) fn set(&mut self, keyword: &'static str, value: impl AsRef<str>) {
        self.type_in(keyword, quoted_text(value.as_ref()));
    }

    /// Sets an option to a path.
    pub(super) fn name_file(&mut self, keyword: &'static str, path: &std::path::Path) {
        self.set(keyword, path.to_string_lossy());
    }

    /// Sets an option to text that stands in the connection string as it is.
    pub(super) fn type_in(&mut self, keyword: &'static str, text: String) {
        match self.options.iter_mut().find(|(other, _)| *other == keyword) {
            Some((_, value)) => *value = text,
            None => self.options.push((keyword, text)),
        }
    }

    /// Takes an option out of the connection string.
    pub(super) fn unset(&mut self, keyword: &str) {
        self.options.retain(|(other, _)| *other != keyword);
    }

    /// Ends the connection string with this.
    pub(super) fn end_string_with(&mut self, ending: &'static str) {
        self.ending = ending;
    }

    /// Sets an environment variable.
    pub(super) fn export(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.push((name, value.into()));
    }

    /// Writes a file and has an option name it.
    pub(super) fn write_for(
        &mut self,
        keyword: &'static str,
        name: &str,
        content: impl AsRef<[u8]>,
    ) -> io::Result<PathBuf> {
        let path = self.directory.write(name, content)?;
        self.name_file(keyword, &path);
        Ok(path)
    }

    /// The port of the server.
    pub(super) fn port(&self) -> u16 {
        self.port.number()
    }

    /// Opens another port, which answers nothing, and gives its number.
    pub(super) fn start_silent(&mut self) -> io::Result<u16> {
        let silent = Unanswered::new(Port::new()?)?;
        Ok(self.silent.insert(silent).number())
    }

    /// Begins to serve.
    pub(super) fn open(self) -> io::Result<Demo> {
        let tls = self.tls()?;
        let options = self.options.iter().map(|(keyword, value)| format!("{keyword}={value}"));
        let conninfo = options.collect::<Vec<_>>().join(" ") + self.ending;
        let script = Script {
            greeting: self.greeting,
            on_request: self.on_request,
            direct: self.direct,
            plaintext: self.plaintext,
            on_hello: self.on_hello,
            chain: self.chain,
            tls,
            session: self.session,
        };
        let server = Server::start(self.port, self.listening, script)?;
        Ok(Demo {
            conninfo,
            variables: self.variables,
            server,
            _silent: self.silent,
            directory: self.directory,
        })
    }

    fn tls(&self) -> io::Result<Arc<ServerConfig>> {
        let kx_groups = vec![ring::kx_group::SECP256R1, ring::kx_group::X25519, ring::kx_group::SECP384R1];
        let provider = Arc::new(CryptoProvider { kx_groups, ..ring::default_provider() });
        let key = PrivateKeyDer::Pkcs8(self.key.clone().into());
        let key = ring::sign::any_supported_type(&key).map_err(io::Error::other)?;
        let chain = self.chain.iter().map(|certificate| CertificateDer::from(certificate.clone()));
        let certified = CertifiedKey::new(chain.collect(), key);
        let verifier = |authority: &Authority| {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone().into()).map_err(io::Error::other)?;
            io::Result::Ok(WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)))
        };
        let client_certificates = match &self.client_certificates {
            ClientCertificates::NotAsked => Arc::new(NoClientAuth),
            ClientCertificates::Asked(authority) => {
                verifier(authority)?.allow_unauthenticated().build().map_err(io::Error::other)?
            }
            ClientCertificates::MustShow(authority) => {
                verifier(authority)?.build().map_err(io::Error::other)?
            }
        };
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .map_err(io::Error::other)?;
        let mut config = builder
            .with_client_cert_verifier(client_certificates)
            .with_cert_resolver(Arc::new(FixedCertificate(Arc::new(certified))));
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        // PostgreSQL resumes no sessions (be-secure-openssl.c).
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

/// The certificate shown to everybody. rustls would otherwise insist that it fits its key and can be decoded.
#[derive(Debug)]
struct FixedCertificate(Arc<CertifiedKey>);

impl ResolvesServerCert for FixedCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
