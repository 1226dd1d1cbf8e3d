//! `target_session_attrs` before a primary, a server that is read-only by default, and a hot standby.

use super::Reason::*;
use super::servers::Server;
use super::{Case, Peer};
use pgtls_check::diagnose::codes;

const REST: &str = "user=postgres dbname=postgres sslmode=verify-full sslrootcert=FILES/root.crt";

/// One server after the other, all by the same name.
fn among<const N: usize>(servers: [Server; N], attributes: &str) -> Case {
    let list = |item: &dyn Fn(usize) -> String| (0..N).map(item).collect::<Vec<_>>().join(",");
    let conninfo = format!(
        "host={} hostaddr={} port={} {REST} target_session_attrs={attributes}",
        list(&|_| "db.example".to_owned()),
        list(&|_| "127.0.0.1".to_owned()),
        list(&|index| format!("PORT{index}")),
    );
    Case::among(servers.map(Peer::Server), &conninfo, format!("{attributes} of {servers:?}"))
}

pub(super) fn cases() -> Vec<Case> {
    use Server::{ReadOnly, Standby, Usual};
    let mut all = Vec::new();
    for (attributes, usual, read_only, standby) in [
        ("any", true, true, true),
        ("read-write", true, false, false),
        ("read-only", false, true, true),
        ("primary", true, true, false),
        ("standby", false, false, true),
        ("prefer-standby", true, true, true),
    ] {
        for (server, fine) in [(Usual, usual), (ReadOnly, read_only), (Standby, standby)] {
            let case = among([server], attributes).reaches(0);
            all.push(if fine { case } else { case.refused(Attributes).code(&codes::SESSION_READONLY) });
        }
    }
    all.extend([
        among([Standby, Usual], "any").reaches(0),
        among([Standby, Usual], "read-write").reaches(1),
        among([ReadOnly, Usual], "read-write").reaches(1),
        among([Standby, ReadOnly, Usual], "read-write").reaches(2),
        among([Usual, ReadOnly], "read-only").reaches(1),
        among([Usual, Standby], "read-only").reaches(1),
        among([Standby, ReadOnly], "primary").reaches(1),
        among([Usual, ReadOnly, Standby], "standby").reaches(2),
        among([Usual, Standby], "prefer-standby").reaches(1),
        among([Usual, ReadOnly], "prefer-standby").reaches(0),
        among([Standby, ReadOnly], "read-write").refused(Attributes).reaches(1),
        Case::among([Peer::Closed, Peer::Server(Usual)], "", "prefer-standby behind a closed port")
            .instead("host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=PORT0,PORT1")
            .with(REST)
            .with("target_session_attrs=prefer-standby")
            .reaches(1),
        Case::among([Peer::Server(Standby), Peer::Closed], "", "read-write before a closed port")
            .instead("host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=PORT0,PORT1")
            .with(REST)
            .with("target_session_attrs=read-write")
            .refused(Tcp)
            .reaches(1),
        Case::among([Peer::Server(Standby), Peer::Server(Usual)], "", "PGTARGETSESSIONATTRS=read-write")
            .instead("host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=PORT0,PORT1")
            .with(REST)
            .env("PGTARGETSESSIONATTRS", "read-write")
            .reaches(1),
        Case::at(Server::Usual, "read-only by options")
            .with("options='-c default_transaction_read_only=on'")
            .with("target_session_attrs=read-only"),
        Case::at_pooler("read-write before PgBouncer").with(&format!(
            "user=scram password='{}' target_session_attrs=read-write",
            super::servers::PASSWORD
        )),
    ]);
    all
}
