//! .NET and Power BI.

use super::super::quote::Language;
use super::super::strings::npgsql;
use super::{Basis, Behaviour, Client, DefaultTls, Encrypts, Source, SystemRoots, Verifier, WithoutRoot};

pub(super) const CLIENTS: &[Client] = &[NPGSQL, POWER_BI];

const BEHAVIOUR: Behaviour = Behaviour {
    verifier: Verifier::Other,
    without_root: WithoutRoot::Trusts("the operating system's store, unless ~/.postgresql/root.crt is there"),
    system: SystemRoots::Spelled("the operating system's store"),
    takes_address: false,
    further: Some(&[]),
};

const NPGSQL: Client = Client {
    name: "npgsql",
    aliases: &["ef-core", "efcore", ".net", "dotnet", "c#"],
    title: "Npgsql, Entity Framework Core",
    place: "C#",
    language: Language::CSharp,
    string: Some(npgsql),
    default: DefaultTls { mode: "Prefer", encrypts: Encrypts::IfOffered, verifies: "no" },
    behaviour: BEHAVIOUR,
    notes: &[
        "Require does not verify; in 6.0 to 7.x it was refused without Trust Server Certificate",
        "PGSSLROOTCERT, PGSSLCERT, PGSSLKEY and ~/.postgresql are honoured; a root file may be PFX as well",
        "no revocation check unless asked for; 10.x tries GSS first; ALPN postgresql is always sent",
    ],
    source: Source {
        what: "npgsql/doc security.md 2026-06-01; npgsql/npgsql NpgsqlConnector.cs",
        date: "2026-08-18",
        basis: Basis::Read,
    },
};

const POWER_BI: Client = Client {
    name: "power-bi",
    aliases: &["powerbi"],
    title: "Power BI",
    place: "the PostgreSQL connector and the gateway's machine",
    language: Language::Plain,
    string: None,
    default: DefaultTls {
        mode: "encrypted",
        encrypts: Encrypts::Always,
        verifies: "yes, against the Windows store",
    },
    behaviour: BEHAVIOUR,
    notes: &["it takes no root file: the Windows certificate store decides", "it uses Npgsql"],
    source: Source { what: "Npgsql's rules on Windows", date: "", basis: Basis::General },
};
