//! What the functions on root files are told beside the file.

use crate::conninfo::SslMode;
use crate::provider::Provider;
use crate::trust::RootStore;

/// How a root file came to be looked at, and what for.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    /// What named the file, as in `sslrootcert from the connection string`; `None` where the command's own argument
    /// did, which needs no telling.
    pub from: Option<String>,
    /// The environment variable that did.
    pub variable: Option<&'static str>,
    /// Whether it is libpq's default file, which nobody named.
    pub is_default: bool,
    /// Whether nobody asked for verification but this program.
    pub by_tool: bool,
    /// The environment variables whose values are in quotation marks.
    pub quoted: Vec<&'static str>,
    /// The server whose root it should hold.
    pub server: Server<'a>,
}

/// What is known of the server that the roots are for.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Who runs it.
    pub provider: Option<&'static Provider>,
    /// Who reads the root file: libpq, or another driver.
    pub program: &'static str,
    /// The sslmode that is to hold.
    pub sslmode: SslMode,
    /// Whether its certificate may come from a public CA: nothing says that only a private network reaches it.
    pub may_be_public: bool,
    /// This machine's trust store, where it was read.
    pub system_roots: Option<&'a RootStore>,
}

/// Nothing is known of it.
impl Default for Server<'_> {
    fn default() -> Self {
        Self {
            provider: None,
            program: "libpq",
            sslmode: SslMode::VerifyFull,
            may_be_public: true,
            system_roots: None,
        }
    }
}
