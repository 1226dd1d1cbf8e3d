//! libpq's language: connection strings, environment variables, service file and password file, merged as libpq 15
//! to 18 merge them. Everything is read here; later stages see only [`Settings`].
//!
//! Followed: PostgreSQL's `src/interfaces/libpq/fe-connect.c` and the manual's chapter on libpq ("Connection
//! Strings", "Parameter Key Words", "Environment Variables", "The Password File", "The Connection Service File").
//! Left out: LDAP look-ups in service files.

mod address;
mod blanks;
mod choices;
mod environment;
mod error;
mod grammar;
mod hosts;
mod kerberos;
mod keyword_value;
mod loose;
pub mod mask;
mod mend;
mod merge;
mod openssl;
mod openssl_config;
pub mod options;
mod origin;
mod parameter;
mod parse;
mod passfile;
mod program;
mod remembered;
mod resolve;
pub mod service;
mod settings;
#[cfg(test)]
pub(crate) mod testing;
mod uri;
mod validate;
mod value;
pub mod write;

pub use address::{inet_aton, parse_address};
pub use choices::{
    AuthMethod, ChannelBinding, RequireAuth, SslCertMode, SslMode, SslNegotiation, TargetSessionAttrs,
    TlsVersion,
};
pub use environment::{Environment, LoginName};
pub use error::{ConfigError, SyntaxError, SyntaxErrorKind, Unencoded};
pub use grammar::{Assignment, Parsed, Place};
pub(crate) use hosts::is_possible_name;
pub use mask::{
    MASK, Masked, blank_known, holds_secret, is_content, mask, mask_argument, mask_at, mask_cut,
    mask_file_name, mask_known, mask_path, mask_text, names_secret,
};
pub(crate) use mask::{holds_content, is_line_of_content, obstacle};
pub use mend::{Lowered, lowered, mended};
pub use merge::Overrides;
pub use openssl::Offered;
pub use openssl_config::OpenSslConfig;
pub use options::LibpqVersion;
pub use origin::Origin;
pub use parameter::{Parameter, ParameterValue};
pub(crate) use parse::with_separator;
pub use parse::{
    ParseFailure, Refusal, is_connection_string, parse, parse_as, swallowed, unknown_keywords,
    without_unknown,
};
pub use program::{Library, Program, ProgramRoots};
pub use remembered::Remembered;
pub use resolve::{Failure, resolve, resolve_secret};
pub use settings::{BadPort, Endpoint, Host, Keepalives, NoPassword, Notice, Password, RootChoice, Settings};
pub use uri::has_unencoded_password;
pub use value::Value;
pub use write::Form;
