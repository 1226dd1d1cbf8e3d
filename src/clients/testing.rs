//! What the tests of this module share: connections as a run would have them.

use std::path::{Path, PathBuf};

use super::connection::{Connection, NoConnection};
use crate::conninfo::{self, Environment, LoginName, Overrides, Settings};
use crate::trust::{self, Trust};

/// Settings and trust as a run would have them, in a directory without any file.
pub(crate) fn read(conninfo: &str) -> (Settings, Trust) {
    let environment = Environment {
        user_id: None,
        current_dir: PathBuf::from("/nonexistent"),
        account_home: Some(PathBuf::from("/nonexistent/home")),
        login_name: LoginName::Known("somebody".to_owned()),
        ..Environment::default()
    };
    let settings = conninfo::resolve(Some(conninfo.as_bytes()), &Overrides::default(), &environment).unwrap();
    let trust = trust::load(&settings, &environment);
    (settings, trust)
}

pub(crate) fn connection(conninfo: &str) -> Result<Connection, NoConnection> {
    let (settings, trust) = read(conninfo);
    Connection::of(&settings, &trust, Path::new("/nonexistent"))
}
