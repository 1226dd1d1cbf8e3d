//! The files of a server, as PostgreSQL reads them when it starts and reloads (be_tls_init in be-secure-openssl.c,
//! check_ssl_key_file_permissions in be-secure-common.c; the same in 15 and 18). In its order, since it stops at the first
//! fault; here all of them are found.
//!
//! Left out: `ssl_crl_dir`, `ssl_dh_params_file`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::chain_file::{self, ChainFault};
use super::identity::{key_fits, public_key};
use super::{
    ClientIdentity, FileCertificate, FileContent, FileError, KeyProblem, Revocation, RootSource, RootStore,
    Roots, Trust, file, key, revocation, roots,
};
use crate::certificate::{Certificate, SecurityLevel, pem};
use crate::conninfo::Library;
use crate::file::account::Reader;
use crate::file::obstacle::{Account, Obstacle};
use crate::secret::Secret;

/// What a server is to read.
#[derive(Clone, Debug, Default)]
pub struct ServerPaths {
    /// `ssl_cert_file`
    pub certificate: PathBuf,
    /// `ssl_key_file`; without it nothing is said of the key.
    pub key: Option<PathBuf>,
    /// `ssl_ca_file`
    pub authorities: Option<PathBuf>,
    /// `ssl_crl_file`
    pub lists: Option<PathBuf>,
    /// The account that the server runs as; without it, the owner of the key is taken for it.
    pub account: Option<Reader>,
    /// What `ssl_passphrase_command` prints, where there is one.
    pub pass_phrase: Option<Secret>,
}

/// What a server makes of its files.
#[derive(Clone, Debug)]
pub struct ServerFiles {
    /// `ssl_cert_file`
    pub certificate_file: PathBuf,
    /// Its certificates in their order. Of a file that PostgreSQL refuses, those that it would hold as PEM, if they can
    /// be read.
    pub certificates: Vec<FileCertificate>,
    /// The key, if one was named.
    pub key: Option<ServerKey>,
    /// The client CAs, if there are any: then the server asks for client certificates.
    pub authorities: Option<RootStore>,
    /// The client CAs' revocation lists.
    pub revocation: Revocation,
    /// The account that the server runs as, if it was named.
    pub account: Option<Account>,
    /// What PostgreSQL minds, in its order.
    pub faults: Vec<ServerFault>,
    /// Those that begin with a block behind a byte-order mark, which OpenSSL 1.1 does not read.
    pub behind_mark: Vec<PathBuf>,
}

/// The server's private key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKey {
    /// `ssl_key_file`
    pub file: PathBuf,
    /// Its mode, where the system has one.
    pub mode: Option<u32>,
    /// Who owns it.
    pub owner: Option<Account>,
    /// Whether it is the leaf's; `None` where that cannot be told.
    pub fits: Option<bool>,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
}

/// Something for which PostgreSQL does not load its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFault {
    /// Which file.
    pub file: ServerFile,
    /// Its path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: ServerProblem,
}

/// The files of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFile {
    /// `ssl_cert_file`
    Certificate,
    /// `ssl_key_file`
    Key,
    /// `ssl_ca_file`
    Authorities,
    /// `ssl_crl_file`
    Lists,
}

impl ServerFile {
    /// PostgreSQL's setting.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Certificate => "ssl_cert_file",
            Self::Key => "ssl_key_file",
            Self::Authorities => "ssl_ca_file",
            Self::Lists => "ssl_crl_file",
        }
    }
}

/// What is wrong with a server's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerProblem {
    /// It is not there, or cannot be read here.
    Unreadable(FileError),
    /// The server's account cannot read it.
    NotForAccount(Box<Obstacle>),
    /// It holds something else, or damaged blocks.
    Content(FileContent),
    /// It has no list; why.
    NoList(String),
    /// The key is no regular file.
    NotAFile,
    /// Neither the server's account nor root owns the key.
    Owner {
        /// Who does.
        owner: Account,
        /// The server's account.
        account: Account,
    },
    /// Others may read or write the key.
    Mode {
        /// Its mode.
        mode: u32,
        /// Whether root owns it, whose group may read it.
        owned_by_root: bool,
    },
    /// It yields no key.
    Key(KeyProblem),
    /// The key is in DER.
    KeyInDer,
    /// The key is not the first certificate's.
    KeyMismatch {
        /// The line of the certificate in the file that it fits, if it fits one.
        fits: Option<usize>,
        /// Whether it is not even a key of the same kind.
        other_kind: bool,
    },
}

/// Reads the files.
pub fn server_files(paths: &ServerPaths, directory: &Path) -> ServerFiles {
    // OpenSSL's own level: the server's configuration is not at hand.
    let level = SecurityLevel::default();
    let place = |path: &PathBuf| directory.join(path);
    let certificate_file = place(&paths.certificate);
    let mut reading =
        Reading { account: paths.account.as_ref(), faults: Vec::new(), behind_mark: Vec::new() };
    let certificates = reading.certificates(&certificate_file, level);
    let key = paths.key.as_ref().map(|path| {
        let pass_phrase = paths.pass_phrase.as_ref().map(Secret::expose);
        reading.key(&place(path), pass_phrase, &certificates)
    });
    let mut authorities = paths.authorities.as_ref().and_then(|path| reading.authorities(&place(path)));
    let revocation = match &paths.lists {
        Some(path) => reading.lists(&place(path), authorities.as_mut()),
        None => Revocation::Off,
    };
    let account = paths.account.as_ref().map(|reader| reader.account.clone());
    let Reading { faults, behind_mark, .. } = reading;
    let files = ServerFiles {
        certificate_file,
        certificates,
        key,
        authorities,
        revocation,
        account,
        faults,
        behind_mark,
    };
    files.named_from(directory)
}

impl ServerFiles {
    /// With paths as they were given, which is how people know them.
    fn named_from(mut self, directory: &Path) -> Self {
        let shorten = |path: &mut PathBuf| {
            if let Ok(short) = path.strip_prefix(directory) {
                *path = short.to_owned();
            }
        };
        shorten(&mut self.certificate_file);
        self.behind_mark.iter_mut().for_each(shorten);
        self.faults.iter_mut().for_each(|fault| shorten(&mut fault.path));
        self.key.iter_mut().for_each(|key| shorten(&mut key.file));
        let authorities = self.authorities.iter_mut().flat_map(|store| &mut store.certificates);
        self.certificates.iter_mut().chain(authorities).for_each(|entry| shorten(&mut entry.file));
        if let Revocation::On { lists, .. } = &mut self.revocation {
            lists.iter_mut().for_each(|list| shorten(&mut list.file));
        }
        self
    }

    /// What a client's certificate is judged against; `None` of a server that asks for none.
    pub fn client_trust(&self) -> Option<Trust> {
        Some(Trust {
            roots: Roots::Loaded(self.authorities.clone()?),
            revocation: self.revocation.clone(),
            client: ClientIdentity::None,
            library: Library::default(),
            level: SecurityLevel::default(),
        })
    }

    /// The line of the certificate whose key this is, where that is not the first.
    pub fn misplaced_leaf(&self) -> Option<usize> {
        self.faults.iter().find_map(|fault| match fault.problem {
            ServerProblem::KeyMismatch { fits, .. } => fits,
            _ => None,
        })
    }

    /// The certificates as they are to stand, the one of the key first.
    pub fn in_order(&self) -> Vec<Certificate> {
        let first = self.misplaced_leaf();
        let (leaf, others): (Vec<&FileCertificate>, Vec<&FileCertificate>) =
            self.certificates.iter().partition(|entry| Some(entry.line) == first);
        leaf.into_iter().chain(others).map(|entry| entry.certificate.clone()).collect()
    }
}

struct Reading<'a> {
    account: Option<&'a Reader>,
    faults: Vec<ServerFault>,
    behind_mark: Vec<PathBuf>,
}

impl Reading<'_> {
    fn fault(&mut self, file: ServerFile, path: &Path, problem: ServerProblem) {
        self.faults.push(ServerFault { file, path: path.to_owned(), problem });
    }

    /// Notes if the server's account cannot read what this one can.
    fn is_readable(&mut self, file: ServerFile, path: &Path) {
        if let Some(obstacle) = self.account.and_then(|account| account.obstacle(path)) {
            self.fault(file, path, ServerProblem::NotForAccount(Box::new(obstacle)));
        }
    }

    fn certificates(&mut self, path: &Path, level: SecurityLevel) -> Vec<FileCertificate> {
        let of = ServerFile::Certificate;
        match chain_file::read(path, level) {
            Ok(found) => {
                self.is_readable(of, path);
                let bytes = file::read(path).unwrap_or_default();
                self.behind_mark.extend(pem::begins_behind_mark(&bytes).then(|| path.to_owned()));
                found
            }
            Err(ChainFault::Unreadable(error)) => {
                self.fault(of, path, ServerProblem::Unreadable(error));
                Vec::new()
            }
            Err(ChainFault::Invalid(content)) => {
                self.fault(of, path, ServerProblem::Content(content));
                let found = roots::certificates_in(path).ok().flatten().unwrap_or_default();
                let placed = |certificate| FileCertificate { certificate, file: path.to_owned(), line: 1 };
                found.into_iter().map(placed).collect()
            }
        }
    }

    /// The order is PostgreSQL's: a key that others may read is not even opened.
    fn key(&mut self, path: &Path, pass_phrase: Option<&[u8]>, chain: &[FileCertificate]) -> ServerKey {
        let of = ServerFile::Key;
        let mut found =
            ServerKey { file: path.to_owned(), mode: None, owner: None, fits: None, is_encrypted: false };
        match crate::file::metadata(path) {
            Err(error) => {
                self.fault(of, path, ServerProblem::Unreadable(FileError::at(path, &error)));
                return found;
            }
            Ok(metadata) if !metadata.is_file() => {
                self.fault(of, path, ServerProblem::NotAFile);
                return found;
            }
            Ok(_) => {}
        }
        self.permissions(path, &mut found);
        let bytes = match file::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) => {
                self.fault(of, path, ServerProblem::Unreadable(error));
                return found;
            }
        };
        self.is_readable(of, path);
        self.behind_mark.extend(pem::begins_behind_mark(&bytes).then(|| path.to_owned()));
        let key = match key::read(&bytes, pass_phrase) {
            Ok(key) if key::is_pem(&bytes) => key,
            Ok(_) => return self.no_key(path, found, ServerProblem::KeyInDer),
            Err(problem) => return self.no_key(path, found, ServerProblem::Key(problem)),
        };
        found.is_encrypted = key::read(&bytes, None) == Err(KeyProblem::PassPhraseMissing);
        let fits = |entry: &FileCertificate| key_fits(&key, &entry.certificate);
        found.fits = chain.first().and_then(fits);
        if found.fits == Some(false) {
            let fits = chain.iter().find(|entry| fits(entry) == Some(true)).map(|entry| entry.line);
            let first = chain.first().and_then(|entry| entry.certificate.facts().ok());
            let kind = public_key(&key).zip(first);
            let other_kind = kind.is_some_and(|(key, first)| !first.has_key_of_kind(&key));
            self.fault(of, path, ServerProblem::KeyMismatch { fits, other_kind });
        }
        found
    }

    fn no_key(&mut self, path: &Path, mut found: ServerKey, problem: ServerProblem) -> ServerKey {
        found.is_encrypted = matches!(
            problem,
            ServerProblem::Key(KeyProblem::PassPhraseMissing | KeyProblem::PassPhraseWrong)
        );
        self.fault(ServerFile::Key, path, problem);
        found
    }

    /// The key belongs to the server's account, and nobody else may touch it; or to root, and nobody but its group may
    /// read it.
    #[cfg(unix)]
    fn permissions(&mut self, path: &Path, found: &mut ServerKey) {
        let Some(permissions) = crate::file::obstacle::permissions(path) else { return };
        let (mode, owner) = (permissions.mode, permissions.owner);
        found.mode = Some(mode);
        found.owner = Some(owner.clone());
        let owned_by_root = owner.uid == 0;
        let account = self.account.map(|reader| &reader.account);
        if let Some(account) = account.filter(|account| account.uid != owner.uid && !owned_by_root) {
            let account = account.clone();
            self.fault(ServerFile::Key, path, ServerProblem::Owner { owner, account });
            return;
        }
        // A server that runs as root is none, PostgreSQL refuses to.
        let forbidden = if owned_by_root { 0o037 } else { 0o077 };
        if mode & forbidden != 0 {
            self.fault(ServerFile::Key, path, ServerProblem::Mode { mode, owned_by_root });
        }
    }

    #[cfg(not(unix))]
    fn permissions(&mut self, _: &Path, _: &mut ServerKey) {}

    /// `SSL_CTX_load_verify_locations` reads the file as libpq's a root file; `SSL_load_client_CA_file` wants a
    /// certificate in it besides.
    fn authorities(&mut self, path: &Path) -> Option<RootStore> {
        let of = ServerFile::Authorities;
        match roots::from_file(path, RootSource::Given(path.to_owned())) {
            Roots::Loaded(store) if store.certificates.is_empty() => {
                self.fault(of, path, ServerProblem::Content(FileContent::NoCertificate));
            }
            Roots::Loaded(store) => {
                self.is_readable(of, path);
                self.behind_mark.extend(store.behind_mark.then(|| path.to_owned()));
                return Some(store);
            }
            Roots::Unreadable { error, .. } => self.fault(of, path, ServerProblem::Unreadable(error)),
            Roots::Invalid { content, .. } => self.fault(of, path, ServerProblem::Content(content)),
            Roots::None | Roots::Missing { .. } => {}
        }
        None
    }

    /// Certificates among the lists are loaded into the same store.
    fn lists(&mut self, path: &Path, authorities: Option<&mut RootStore>) -> Revocation {
        let of = ServerFile::Lists;
        if let Err(error) = crate::file::metadata(path) {
            self.fault(of, path, ServerProblem::Unreadable(FileError::at(path, &error)));
            return Revocation::Off;
        }
        match revocation::from_file(path) {
            Ok((lists, certificates)) => {
                self.is_readable(of, path);
                if let Some(store) = authorities {
                    store.certificates.extend(certificates);
                }
                Revocation::On { lists, directories: Vec::new(), directory: None }
            }
            Err(why) => {
                self.fault(of, path, ServerProblem::NoList(why));
                Revocation::Off
            }
        }
    }
}
