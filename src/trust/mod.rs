//! The files a check trusts or uses: root file, CRLs, client certificate and key. They are read once, before a socket
//! is opened; what libpq would make of them is judged later, when libpq would read them.

mod blocks;
mod chain_file;
pub mod contents;
mod file;
mod identity;
mod issuers;
mod kept;
mod key;
mod p521;
mod revocation;
mod roots;
mod server;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)] // Tests only.
mod testing;

use std::cell::OnceCell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;

use crate::certificate::{Alteration, Certificate, Crl, KeyKind, SecurityLevel, SignatureKind, pem};
use crate::conninfo::{Environment, Library, Settings};
use crate::file::obstacle::Obstacle;
pub use issuers::Issuers;
pub use kept::KeptTrust;
pub use roots::is_bundle;
pub use server::{ServerFault, ServerFile, ServerFiles, ServerKey, ServerPaths, ServerProblem, server_files};
pub use store::{HashedDirectory, HashedFile, namesakes_in_directories};

/// Everything that was read from files.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The trust anchors.
    pub roots: Roots,
    /// Revocation lists.
    pub revocation: Revocation,
    /// The client's certificate and key.
    pub client: ClientIdentity,
    /// What the program verifies with.
    pub library: Library,
    /// OpenSSL's security level.
    pub level: SecurityLevel,
}

/// The trust anchors, as far as they could be read.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The sslmode reads no root file, or the default file is absent where that is fine (require and below).
    None,
    /// Read and usable by libpq.
    Loaded(RootStore),
    /// The file is absent (by `stat`), and the mode requires one.
    Missing {
        /// The path, as libpq reads it; `None` when there is no home directory to look in.
        path: Option<PathBuf>,
        /// The path as typed, before libpq removed its backslashes, if it differs. It does not exist either.
        typed: Option<PathBuf>,
        /// What on the path is in the way.
        obstacle: Option<Obstacle>,
        /// A file that exists and may be meant: of almost the same name, or with the home directory for `~`.
        similar: Option<PathBuf>,
    },
    /// The file is there and cannot be read.
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        error: FileError,
    },
    /// The file is there, and libpq would refuse it whole.
    Invalid {
        /// The path.
        path: PathBuf,
        /// What it really is.
        content: FileContent,
    },
}

/// A usable set of trust anchors.
#[derive(Clone, Debug)]
pub struct RootStore {
    /// Where they came from.
    pub source: RootSource,
    /// The certificates: those that are loaded, in the order of the files, and behind them those that OpenSSL would find
    /// in directories.
    pub certificates: Vec<FileCertificate>,
    /// The directories, in the order in which OpenSSL looks into them: into none for a name that is loaded already, and
    /// into none behind the first that has the name.
    pub directories: Vec<HashedDirectory>,
    /// Whether the first line is a block's behind a byte-order mark: OpenSSL 1.1 takes it for text, and loses the block.
    pub behind_mark: bool,
    /// Whether something binary stands between or behind the blocks, such as a certificate in DER: it is passed over.
    pub has_binary: bool,
    /// CAs below these, as servers sent them.
    pub issuers: Issuers,
}

impl RootStore {
    /// A store of certificates that are all loaded.
    pub fn loaded(source: RootSource, certificates: Vec<FileCertificate>) -> Self {
        let issuers = Issuers::default();
        Self { source, certificates, directories: Vec::new(), behind_mark: false, has_binary: false, issuers }
    }
}

/// Where trust anchors came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootSource {
    /// The file that `sslrootcert` names.
    Given(PathBuf),
    /// As `Given`, found only under the path as typed: libpq reads another path that does not exist.
    GivenAsTyped {
        /// The file used.
        typed: PathBuf,
        /// The path libpq would look for.
        parsed: PathBuf,
    },
    /// The default file `~/.postgresql/root.crt`.
    DefaultFile(PathBuf),
    /// Text of the program's own, by what it is the value of.
    Text(PathBuf),
    /// `sslrootcert=system`: the file and directory OpenSSL would read.
    System {
        /// `SSL_CERT_FILE` or the compiled-in file.
        file: Option<PathBuf>,
        /// `SSL_CERT_DIR` or the compiled-in directory.
        directory: Option<PathBuf>,
    },
}

/// A certificate and its place in a file.
#[derive(Clone, Debug)]
pub struct FileCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The file.
    pub file: PathBuf,
    /// The line of its `-----BEGIN` (from 1).
    pub line: usize,
}

/// An operating-system error, kept as values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Its kind.
    pub kind: io::ErrorKind,
    /// The system's text.
    pub text: String,
    /// What on the path is in the way, as far as that could be found.
    pub obstacle: Option<Box<Obstacle>>,
}

/// What a file that should hold PEM certificates really holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileContent {
    /// Nothing.
    Empty,
    /// A directory.
    Directory,
    /// One DER certificate.
    DerCertificate,
    /// PKCS#7.
    Pkcs7(Pkcs7Form),
    /// PKCS#12.
    Pkcs12,
    /// A keystore of Java's (JKS, JCEKS).
    JavaKeystore,
    /// A private key and no certificate.
    PrivateKey,
    /// A certificate signing request.
    Csr,
    /// An HTML page.
    Html,
    /// UTF-16 text.
    Utf16(Utf16Form),
    /// PEM with a block that cannot be read: its line and what is wrong with it.
    BadBlock {
        /// Line of the `-----BEGIN`, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A sound certificate, to be presented, that OpenSSL does not load at its security level.
    TooWeak {
        /// Line of the `-----BEGIN`, from 1.
        line: usize,
        /// Whether it is the file's first one, and not one of its chain.
        is_leaf: bool,
        /// What about it is too weak.
        weakness: Weakness,
    },
    /// PEM that was altered on its way.
    Altered(Vec<Alteration>),
    /// Not the certificates, but the path of their file.
    PathOfFile(PathBuf),
    /// Nothing but the name of a variable, in the form in which a pipeline, a template or a shell would have replaced it.
    Placeholder(String),
    /// What another program has packed or encrypted, or left in the place of the file.
    Wrapped(Wrapping),
    /// Something without any certificate in it.
    NoCertificate,
}

/// What is too weak about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Its key.
    Key(KeyKind),
    /// The hash of its signature.
    Signature(SignatureKind),
}

impl std::fmt::Display for Weakness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => write!(f, "its key is {key}"),
            Self::Signature(kind) => match kind.algorithm.hash() {
                Some(hash) => write!(f, "its signature uses {hash} ({kind})"),
                None => write!(f, "its signature uses a weak hash ({kind})"),
            },
        }
    }
}

/// Forms of other programs, by how a file of theirs begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// RFC 1952.
    Gzip,
    /// A ZIP archive.
    Zip,
    /// A pointer of Git LFS (git-lfs, docs/spec.md).
    LfsPointer,
    /// git-crypt (commands.cpp).
    GitCrypt,
    /// Ansible Vault (docs.ansible.com, vault).
    AnsibleVault,
    /// PGP.
    Pgp,
    /// Mozilla's sops (getsops.io).
    Sops,
    /// age (age-encryption.org).
    Age,
    /// What a template of Helm's, Jinja's or a shell's should have filled in.
    Template,
    /// An answer such as `404: Not Found`.
    ErrorPage,
    /// What `openssl x509 -text` prints.
    Text,
    /// A key without a certificate around it.
    PublicKey,
}

impl Wrapping {
    const BEGINNINGS: [(&'static [u8], Self); 13] = [
        (b"\x1f\x8b", Self::Gzip),
        (b"PK\x03\x04", Self::Zip),
        (b"version https://git-lfs", Self::LfsPointer),
        (b"\0GITCRYPT", Self::GitCrypt),
        (b"$ANSIBLE_VAULT;", Self::AnsibleVault),
        (b"-----BEGIN PGP MESSAGE", Self::Pgp),
        (b"age-encryption.org/", Self::Age),
        (b"-----BEGIN AGE ENCRYPTED", Self::Age),
        (b"{{", Self::Template),
        (b"${", Self::Template),
        (b"404", Self::ErrorPage),
        (b"Certificate:", Self::Text),
        (b"-----BEGIN PUBLIC KEY", Self::PublicKey),
    ];

    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let known = Self::BEGINNINGS
            .iter()
            .find(|(begin, _)| bytes.starts_with(begin))
            .map(|(_, wrapping)| *wrapping);
        // sops keeps the form of a file (JSON, YAML, …) and encrypts its values.
        known.or_else(|| memchr::memmem::find(bytes, b"ENC[AES256_GCM,").map(|_| Self::Sops))
    }

    fn words(self) -> &'static str {
        match self {
            Self::Gzip => "it is compressed with gzip",
            Self::Zip => "it is a ZIP archive",
            Self::LfsPointer => "it is a pointer of Git LFS, not the file itself",
            Self::GitCrypt => "it is encrypted with git-crypt",
            Self::AnsibleVault => "it is encrypted with Ansible Vault",
            Self::Pgp => "it is encrypted with PGP",
            Self::Sops => "it is encrypted with sops",
            Self::Age => "it is encrypted with age",
            Self::Template => "it contains a placeholder that was not replaced",
            Self::ErrorPage => "it contains the error 404 of a web server",
            Self::Text => "it contains the description of a certificate, not the certificate",
            Self::PublicKey => "it contains a public key, not a certificate",
        }
    }
}

/// How a PKCS#7 bundle is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkcs7Form {
    /// PEM, labelled `PKCS7`.
    Pem,
    /// PEM, labelled `CMS`.
    PemCms,
    /// DER.
    Der,
}

/// How UTF-16 tells its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf16Form {
    /// By a byte-order mark.
    Marked,
    /// Not at all; it is little-endian.
    LittleEndian,
    /// Not at all; it is big-endian.
    BigEndian,
}

impl std::fmt::Display for FileContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Directory => "it is a directory",
            Self::DerCertificate => "it contains a DER certificate",
            Self::Pkcs7(_) => "it contains a PKCS#7 bundle",
            Self::Pkcs12 => "it contains a PKCS#12 bundle",
            Self::JavaKeystore => "it is a Java keystore (JKS)",
            Self::PrivateKey => "it contains a private key",
            Self::Csr => "it contains a certificate signing request",
            Self::Html => "it contains an HTML page",
            Self::Utf16(_) => "it is UTF-16 text",
            Self::BadBlock { line, what } => {
                return write!(f, "the block at line {line} is damaged: {what}");
            }
            Self::TooWeak { line, weakness, .. } => {
                return write!(f, "the certificate at line {line} is too weak for OpenSSL: {weakness}");
            }
            Self::Altered(by) => {
                let all: Vec<String> = by.iter().map(ToString::to_string).collect();
                return f.write_str(&all.join(", "));
            }
            Self::PathOfFile(path) => {
                return write!(f, "it contains the path of a file, {}, not certificates", path.display());
            }
            Self::Placeholder(name) => {
                return write!(
                    f,
                    "it contains {name}, a variable that nothing has replaced, not certificates"
                );
            }
            Self::Wrapped(by) => by.words(),
            Self::NoCertificate => "it contains no certificate",
        })
    }
}

/// CRLs.
#[derive(Clone, Debug)]
pub enum Revocation {
    /// No checking.
    Off,
    /// Every certificate of the path is checked.
    On {
        /// The lists: those that are loaded, in the order of the files, and behind them those in directories.
        lists: Vec<FileCrl>,
        /// The directories, in the order in which OpenSSL looks into them.
        directories: Vec<HashedDirectory>,
        /// `sslcrldir`, if it is set.
        directory: Option<CrlDirectory>,
    },
    /// CRLs were asked for, and libpq goes on without checking.
    Ignored {
        /// The file or directory.
        path: PathBuf,
        /// Why nothing in it is used.
        why: String,
    },
}

/// A revocation list and its place in a file.
#[derive(Clone, Debug)]
pub struct FileCrl {
    /// The list.
    pub crl: Crl,
    /// The file.
    pub file: PathBuf,
    /// The line of its `-----BEGIN` (from 1).
    pub line: usize,
}

/// The directory that `sslcrldir` names.
#[derive(Clone, Debug)]
pub struct CrlDirectory {
    /// The path.
    pub path: PathBuf,
    /// What it is like.
    pub state: CrlDirectoryState,
}

/// What a directory of CRLs is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrlDirectoryState {
    /// It is not there.
    Missing,
    /// Its file system does not answer.
    Silent,
    /// Nothing is in it.
    Empty,
    /// Its files are not named by hash, so that OpenSSL finds none of them.
    NotHashed,
    /// It has files named by hash.
    Hashed,
}

/// The client's certificate and key.
#[derive(Clone, Debug)]
pub enum ClientIdentity {
    /// None: neither given nor found by default, or not to be used.
    None,
    /// The certificate that `sslcert` names is absent; libpq goes on without one.
    Absent {
        /// Its path.
        path: PathBuf,
        /// The file beside it whose name is nearest.
        similar: Option<PathBuf>,
    },
    /// Both are there and belong together, as far as that can be told.
    Ready(ClientCertificate),
    /// libpq would refuse one of them; with the certificate, where that is not what it refuses.
    Failed(IdentityError, Option<Box<Certificate>>),
}

/// A client certificate with its chain and key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// Leaf first.
    pub chain: Vec<Certificate>,
    /// The key. It has no `Debug`.
    pub(crate) key: Arc<PrivateKeyDer<'static>>,
    /// Where the certificates were read.
    pub certificate_file: PathBuf,
    /// Where the key was read.
    pub key_file: PathBuf,
    /// Whether the key is PEM; else it is DER.
    pub key_is_pem: bool,
}

/// Why libpq would refuse certificate or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// The certificate cannot be read.
    CertificateUnreadable {
        /// Its path.
        path: PathBuf,
        /// The operating system's error.
        error: FileError,
    },
    /// The certificate file holds something else.
    CertificateInvalid {
        /// Its path.
        path: PathBuf,
        /// What it really is.
        content: FileContent,
    },
    /// There is a certificate and no key.
    KeyMissing {
        /// The certificate's path.
        certificate: PathBuf,
        /// The path where the key should be; `None` without a home directory.
        key: Option<PathBuf>,
        /// Whether it is a CA's certificate, which no client has but by mistake.
        of_ca: bool,
    },
    /// The key cannot be read.
    KeyUnreadable {
        /// Its path.
        path: PathBuf,
        /// The operating system's error.
        error: FileError,
    },
    /// The key's path leads to something that is no regular file.
    KeyNotAFile {
        /// Its path.
        path: PathBuf,
    },
    /// The key's permissions are too open.
    KeyPermissions {
        /// Its path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Whether root owns it (then its group may read it).
        owned_by_root: bool,
    },
    /// The key cannot be used.
    KeyInvalid {
        /// Its path.
        path: PathBuf,
        /// Why.
        problem: KeyProblem,
    },
    /// The key is in an OpenSSL engine, which this tool cannot reach.
    KeyInEngine {
        /// `sslkey` as given, `name:id`.
        reference: PathBuf,
    },
    /// The key is not the certificate's.
    KeyMismatch {
        /// The certificate's path.
        certificate: PathBuf,
        /// The key's path.
        key: PathBuf,
        /// The place in the file, from 0, of another certificate that is the key's.
        place: Option<usize>,
    },
}

/// Why a key file yields no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// It holds no private key.
    NotAKey,
    /// A private key in DER, encrypted: libpq decrypts PEM only.
    EncryptedDer,
    /// A PKCS#12 bundle.
    Pkcs12,
    /// A key in OpenSSH's own format.
    OpenSsh,
    /// A certificate.
    Certificate,
    /// The text of a PEM key whose lines were altered.
    Altered,
    /// It is damaged.
    Damaged,
    /// It is encrypted, and `sslpassword` is not given.
    PassPhraseMissing,
    /// It is encrypted, and `sslpassword` does not open it.
    PassPhraseWrong,
    /// It is encrypted in a way this tool does not know: which.
    CipherUnknown(String),
}

/// Reads every file the settings call for. Never fails: what is wrong is in the value.
pub fn load(settings: &Settings, environment: &Environment) -> Trust {
    let (mut roots, mut directories) = roots::load(settings, environment);
    let revocation = revocation::load(settings, environment, &mut roots, &mut directories);
    if let Roots::Loaded(store) = &mut roots {
        store.directories = store::look_for_certificates(&directories, &mut store.certificates);
    }
    Trust {
        roots,
        revocation,
        client: identity::load(settings, environment),
        library: environment.program.library,
        level: settings.security_level(),
    }
}

/// The public roots of this machine, as `sslrootcert=system` would use them.
pub fn system_roots(environment: &Environment) -> RootStore {
    let (mut store, directories) = roots::system(environment);
    store.directories = store::look_for_certificates(&directories, &mut store.certificates);
    store
}

/// The file of `sslrootcert=system`, if there is one.
pub fn system_file(environment: &Environment) -> Option<PathBuf> {
    match roots::system(environment).0.source {
        RootSource::System { file, .. } => file.filter(|file| !file.as_os_str().is_empty()),
        RootSource::Given(_)
        | RootSource::GivenAsTyped { .. }
        | RootSource::DefaultFile(_)
        | RootSource::Text(_) => None,
    }
}

/// The system's trust store, read when it is first wanted and then kept: its 150 certificates take a while.
#[derive(Debug, Default)]
pub struct SystemStore(OnceCell<RootStore>);

impl SystemStore {
    /// The store. `environment` counts the first time.
    pub fn get(&self, environment: &Environment) -> &RootStore {
        self.0.get_or_init(|| system_roots(environment))
    }
}

/// Reads any file as libpq would read a root file, relative to a directory. What is not there is missing, as under
/// verify-full.
pub fn read_root_file(path: &std::path::Path, directory: &std::path::Path) -> Roots {
    roots::given(path, directory).0
}

/// As [`read_root_file`], for the bytes of a file that has been read.
pub fn root_file_from_bytes(path: &std::path::Path, bytes: &[u8], source: RootSource) -> Roots {
    roots::from_bytes(path, bytes, source)
}

/// What a command that converts the file at `from` to PEM would write to `to`; `None` for what only that command can
/// tell.
pub fn converted(from: &std::path::Path, to: &std::path::Path) -> Option<Roots> {
    roots::converted(from, to)
}

/// The certificates in their order, but cross-signed copies of a self-signed one last: OpenSSL takes the first of the two.
pub fn roots_first(certificates: Vec<Certificate>) -> Vec<Certificate> {
    roots::roots_first(certificates)
}

/// The certificates of a file that holds them in any form that can be read here: PEM, altered PEM, UTF-16, DER. `None`
/// for a file without any, and for one that is damaged.
///
/// # Errors
/// What the system says of a file that cannot be read.
pub fn certificates_in(path: &std::path::Path) -> Result<Option<Vec<Certificate>>, FileError> {
    roots::certificates_in(path)
}

/// Whether a text has a certificate in PEM that can be a root, or one that can be a client's.
fn holds_certificate(bytes: &[u8], of_ca: bool) -> bool {
    pem::blocks(bytes).iter().filter_map(|block| block.content.as_ref().ok()).any(|der| {
        let certificate = Certificate::from_der(der);
        certificate.facts().is_ok_and(|facts| match of_ca {
            true => facts.is_ca() || facts.subject == facts.issuer,
            false => !facts.is_ca(),
        })
    })
}
