//! The files a check trusts or uses: root file, CRLs, client certificate and key. They are read once, before a socket
//! is opened; what libpq would make of them is judged later, when libpq would read them.

use std::io;
use std::path::PathBuf;

use crate::certificate::{Certificate, Crl};
use crate::conninfo::{Environment, Settings};

/// Everything that was read from files.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The trust anchors.
    pub roots: Roots,
    /// Revocation lists.
    pub revocation: Revocation,
    /// The client's certificate and key.
    pub client: ClientIdentity,
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
        /// The path as typed, before libpq ate its backslashes, if it differs. It does not exist either.
        typed: Option<PathBuf>,
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
    /// The certificates, in the order of the file.
    pub certificates: Vec<FileCertificate>,
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
    /// PKCS#7, PEM or DER.
    Pkcs7,
    /// PKCS#12.
    Pkcs12,
    /// A private key and no certificate.
    PrivateKey,
    /// A certificate signing request.
    Csr,
    /// An HTML page.
    Html,
    /// UTF-16 text.
    Utf16,
    /// PEM with a block that cannot be read: its line and what is wrong with it.
    BadBlock {
        /// Line of the `-----BEGIN`, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Something without any certificate in it.
    NoCertificate,
}

/// CRLs.
#[derive(Clone, Debug)]
pub enum Revocation {
    /// No checking.
    Off,
    /// Every certificate of the path is checked.
    On {
        /// The lists, in the order of the files.
        lists: Vec<FileCrl>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlDirectoryState {
    /// It is not there.
    Missing,
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
    /// None, and none was asked for by the settings.
    None,
}

/// Reads every file the settings call for. Never fails: what is wrong is in the value.
pub fn load(settings: &Settings, environment: &Environment) -> Trust {
    let _ = (settings, environment);
    Trust { roots: Roots::None, revocation: Revocation::Off, client: ClientIdentity::None }
}
