//! Integration tests: the built program against real servers on loopback, beside libpq itself.
// The exemption that clippy grants to tests covers functions marked `#[test]` only; here every function is a test's.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod audit;
mod bounded;
mod catalogue;
mod chain_parity;
#[cfg(unix)]
mod client_files;
mod clients;
mod command_line;
mod completions;
mod conninfo_oracle;
#[cfg(unix)]
mod crl_commands;
mod cut_handshakes;
mod dialects;
mod each;
mod end_to_end;
mod faults;
mod fleets;
mod formats;
mod generated;
mod gss_encryption;
mod hostile;
mod layout;
mod levels;
mod linear;
mod manual;
mod memory;
mod network;
mod option_parity;
#[cfg(unix)]
mod origins;
#[cfg(unix)]
mod output_places;
mod passwords;
mod probe_real;
mod providers;
mod readme;
mod real_faults;
mod real_servers;
mod recipes;
mod recognise;
#[cfg(unix)]
mod rehearse;
mod reissue;
mod root_files;
mod roots;
mod scale;
#[cfg(unix)]
mod scarce;
mod secrets;
mod since;
#[cfg(unix)]
mod special_files;
mod ssl_not_loaded;
mod structure;
mod support;
mod trials;
mod trusted;
mod verify_properties;
mod waiting;
mod words;
