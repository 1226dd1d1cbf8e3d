//! The connection that the snippets spell: one host, its root file and its client certificate, out of the merged
//! settings. Passwords and pass phrases are not in it.

use std::fmt;
use std::path::Path;

use crate::conninfo::{Endpoint, Host, Origin, Settings, SslMode, mask_text};
use crate::trust::{ClientIdentity, RootSource, Roots, Trust};
use crate::verify::is_ip_address;

/// What a snippet needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The name to verify, which is also where to connect unless there is an address beside it.
    pub host: String,
    /// The address to connect to, if it is not what the host resolves to.
    pub hostaddr: Option<String>,
    /// The port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// What is trusted.
    pub root: Root,
    /// The client's certificate.
    pub client: Option<ClientFiles>,
    /// Other settings that say what TLS and authentication must be like, by libpq's keywords, as they were given.
    pub further: Vec<(&'static str, String)>,
}

/// What is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A file.
    File(String),
    /// `sslrootcert=system`.
    System,
    /// No file is given and libpq's default file is not there: each client trusts what it trusts by itself.
    None,
}

/// Files of a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate with its chain.
    pub certificate: String,
    /// The key.
    pub key: String,
    /// Whether a pass phrase was given for the key.
    pub encrypted: bool,
}

/// Why there is nothing to spell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoConnection {
    /// A Unix-domain socket, where there is no TLS.
    Socket,
    /// There is no name or address to verify.
    NoHost,
    /// The port cannot be used: what was given.
    Port(String),
    /// A value that is not UTF-8, which most languages cannot write: its keyword.
    NotText(&'static str),
}

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket => {
                f.write_str("a Unix-domain socket has no TLS, so there is nothing to configure; name a host")
            }
            Self::NoHost => f.write_str("there is no host whose name could be verified; name one"),
            Self::Port(given) => write!(f, "there is no port \"{given}\""),
            Self::NotText(keyword) => {
                write!(f, "the value of {keyword} is not UTF-8, which few clients can be given")
            }
        }
    }
}

impl std::error::Error for NoConnection {}

/// What else is carried over where a client knows how: none of it changes where a connection leads or what is trusted,
/// all of it may make a connection refuse or last longer.
const FURTHER: [&str; 11] = [
    "sslnegotiation",
    "channel_binding",
    "require_auth",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "sslcrl",
    "sslcrldir",
    "sslcertmode",
    "sslsni",
    "target_session_attrs",
    "connect_timeout",
];

impl Connection {
    /// The connection of the first host. Relative paths are made absolute, since what the snippet is pasted into seldom
    /// runs in this directory.
    ///
    /// # Errors
    /// Why there is nothing to spell.
    pub fn of(settings: &Settings, trust: &Trust, directory: &Path) -> Result<Self, NoConnection> {
        let slot = settings.hosts.first().ok_or(NoConnection::NoHost)?;
        let (host, hostaddr) = place(slot)?;
        Ok(Self {
            host,
            hostaddr,
            port: slot.port.clone().map_err(|bad| NoConnection::Port(bad_port(bad)))?,
            database: text(settings.database.shown(), "dbname")?,
            user: text(settings.user.shown(), "user")?,
            root: root(settings, trust, directory)?,
            client: client(settings, trust, directory)?,
            further: further(settings, directory)?,
        })
    }

    /// Whether the host is an address.
    pub fn host_is_address(&self) -> bool {
        is_ip_address(self.host.as_bytes())
    }

    /// Where the socket leads.
    pub fn address(&self) -> &str {
        self.hostaddr.as_deref().unwrap_or(&self.host)
    }

    /// One of the further settings.
    pub fn further(&self, keyword: &str) -> Option<&str> {
        self.further.iter().find(|(name, _)| *name == keyword).map(|(_, value)| value.as_str())
    }

    /// The root file, if there is one.
    pub fn root_file(&self) -> Option<&str> {
        match &self.root {
            Root::File(path) => Some(path),
            Root::System | Root::None => None,
        }
    }
}

/// Whether the snippets demand more than the settings do: the mode given, if it is below verify-full.
pub fn raised_from(settings: &Settings) -> Option<SslMode> {
    Some(settings.sslmode).filter(|mode| *mode != SslMode::VerifyFull)
}

fn place(slot: &Host) -> Result<(String, Option<String>), NoConnection> {
    let name = text(slot.name.shown(), "host")?;
    match &slot.endpoint {
        Endpoint::Socket(_) => Err(NoConnection::Socket),
        Endpoint::Address(address, zone) => {
            let address = match zone {
                Some(zone) => format!("{address}%{zone}"),
                None => address.to_string(),
            };
            if name.is_empty() {
                return Ok((address, None));
            }
            let same = name == address || is_ip_address(name.as_bytes());
            Ok((name, (!same).then_some(address)))
        }
        Endpoint::Malformed { meant: Some(meant) } => Ok((meant.clone(), None)),
        Endpoint::Name(_) | Endpoint::Malformed { meant: None } | Endpoint::BadAddress
            if !name.is_empty() =>
        {
            Ok((name, None))
        }
        Endpoint::Name(_) | Endpoint::Malformed { meant: None } | Endpoint::BadAddress => {
            Err(NoConnection::NoHost)
        }
    }
}

fn bad_port(bad: crate::conninfo::BadPort) -> String {
    match bad {
        crate::conninfo::BadPort::OutOfRange(given) | crate::conninfo::BadPort::NotANumber(given) => given,
    }
}

fn root(settings: &Settings, trust: &Trust, directory: &Path) -> Result<Root, NoConnection> {
    use crate::conninfo::RootChoice;
    let file = |path: &Path| absolute(path, directory, "sslrootcert").map(Root::File);
    match (&settings.root, &trust.roots) {
        (RootChoice::System, _) => Ok(Root::System),
        (RootChoice::File { .. }, Roots::Loaded(store)) => match &store.source {
            RootSource::GivenAsTyped { typed, .. } => file(typed),
            RootSource::Given(path) | RootSource::DefaultFile(path) => file(path),
            RootSource::Text(_) => Ok(Root::None),
            RootSource::System { .. } => Ok(Root::System),
        },
        (RootChoice::File { path, .. }, _) => file(path),
        // The default file, written out: only libpq and few others look there by themselves.
        (
            RootChoice::Default(Some(path)),
            Roots::Loaded(_) | Roots::Unreadable { .. } | Roots::Invalid { .. },
        ) => file(path),
        (RootChoice::Default(_), _) => Ok(Root::None),
    }
}

fn client(settings: &Settings, trust: &Trust, directory: &Path) -> Result<Option<ClientFiles>, NoConnection> {
    let (certificate, key) = match &trust.client {
        ClientIdentity::Ready(identity) => {
            (Some(identity.certificate_file.clone()), Some(identity.key_file.clone()))
        }
        ClientIdentity::None => (None, None),
        ClientIdentity::Absent { .. } | ClientIdentity::Failed(..) => {
            (settings.path("sslcert"), settings.path("sslkey"))
        }
    };
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let given = |parameter: &crate::conninfo::Parameter| !parameter.value.is_empty();
    Ok(Some(ClientFiles {
        certificate: absolute(&certificate, directory, "sslcert")?,
        key: absolute(&key, directory, "sslkey")?,
        encrypted: settings.parameter("sslpassword").is_some_and(given),
    }))
}

fn further(settings: &Settings, directory: &Path) -> Result<Vec<(&'static str, String)>, NoConnection> {
    let mut found = Vec::new();
    for keyword in FURTHER {
        let Some(parameter) = settings.parameter(keyword) else { continue };
        let is_default = matches!(parameter.origin, Origin::Default | Origin::ToolDefault(_));
        if is_default || parameter.value.is_empty() {
            continue;
        }
        let value = match keyword {
            "sslcrl" | "sslcrldir" => absolute(&parameter.value.to_path(), directory, keyword)?,
            _ => text(parameter.value.shown(), keyword)?,
        };
        found.push((keyword, value));
    }
    Ok(found)
}

fn absolute(path: &Path, directory: &Path, keyword: &'static str) -> Result<String, NoConnection> {
    let mut whole = directory.join(path);
    // What was typed may be a secret.
    if let Some(typed) = path.to_str().filter(|_| crate::file::metadata(&whole).is_err()) {
        whole = directory.join(mask_text(typed));
    }
    whole.to_str().map(mask_text).ok_or(NoConnection::NotText(keyword))
}

fn text(bytes: &[u8], keyword: &'static str) -> Result<String, NoConnection> {
    String::from_utf8(bytes.to_vec()).map_err(|_| NoConnection::NotText(keyword))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{connection, read};
    use super::*;

    #[test]
    fn a_connection_is_read_from_settings() {
        let found = connection(
            "host=db.example hostaddr=10.0.0.7 port=6432 dbname=app user=me password=secret sslmode=require \
             sslrootcert=roots.pem sslcert=/c/me.crt sslkey=/c/me.key sslpassword=secret channel_binding=require",
        )
        .unwrap();
        let client =
            ClientFiles { certificate: "/c/me.crt".to_owned(), key: "/c/me.key".to_owned(), encrypted: true };
        assert_eq!(
            found,
            Connection {
                host: "db.example".to_owned(),
                hostaddr: Some("10.0.0.7".to_owned()),
                port: 6432,
                database: "app".to_owned(),
                user: "me".to_owned(),
                root: Root::File("/nonexistent/roots.pem".to_owned()),
                client: Some(client),
                further: vec![("channel_binding", "require".to_owned())],
            }
        );
        assert_eq!(found.address(), "10.0.0.7");
        assert!(!format!("{found:?}").contains("secret"));
    }

    #[test]
    fn hosts_and_roots() {
        let found = connection("host=10.0.0.7").unwrap();
        assert_eq!((found.host.as_str(), &found.hostaddr, &found.root), ("10.0.0.7", &None, &Root::None));
        assert!(found.host_is_address());
        assert_eq!(connection("hostaddr=::1 sslmode=verify-ca").unwrap().host, "::1");
        assert_eq!(connection("host=h sslrootcert=system sslmode=verify-full").unwrap().root, Root::System);
        assert_eq!(connection("host=/tmp"), Err(NoConnection::Socket));
        assert_eq!(connection("host=h,i port=70000,5432"), Err(NoConnection::Port("70000".to_owned())));
        let raised = |conninfo| raised_from(&read(conninfo).0);
        assert_eq!(raised("host=h sslmode=require"), Some(SslMode::Require));
        assert_eq!(raised("host=h"), None);
    }
}
