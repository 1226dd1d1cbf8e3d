//! Elixir.

use super::super::quote::Language;
use super::{Basis, Behaviour, Client, DefaultTls, Encrypts, Source, SystemRoots, Verifier, WithoutRoot};

pub(super) const CLIENTS: &[Client] = &[ECTO];

const ECTO: Client = Client {
    name: "ecto",
    aliases: &["postgrex", "elixir", "phoenix"],
    title: "Ecto, Postgrex",
    place: "config/runtime.exs",
    language: Language::Elixir,
    string: None,
    default: DefaultTls {
        mode: "ssl: false",
        encrypts: Encrypts::No,
        verifies: "no; yes as soon as ssl is on",
    },
    behaviour: Behaviour {
        verifier: Verifier::Other,
        without_root: WithoutRoot::Trusts("the operating system's roots"),
        system: SystemRoots::Spelled("the operating system's roots"),
        takes_address: false,
        further: Some(&[]),
    },
    notes: &["older releases did not verify with ssl: true", "server_name_indication is set by itself"],
    source: Source {
        what: "elixir-ecto/postgrex lib/postgrex.ex, CHANGELOG",
        date: "2026-06-24",
        basis: Basis::Read,
    },
};
