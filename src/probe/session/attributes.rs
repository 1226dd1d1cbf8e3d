//! What kind of server it is: target_session_attrs (fe-connect.c, CONNECTION_CHECK_TARGET), and whether the backend
//! itself sees TLS. One question at most, by the simple protocol.

use tokio_postgres::SimpleQueryMessage;

use crate::conninfo::TargetSessionAttrs;
use crate::evidence::SessionFailure;

const OWN_SSL: &str = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
/// PostgreSQL before 14 does not report these by itself; libpq asks so.
const OLD_ATTRIBUTES: &str = "show transaction_read_only; select pg_catalog.pg_is_in_recovery(); ";

/// The question to ask, by what is wanted and what the server reported.
pub(super) fn query(wanted: TargetSessionAttrs, parameters: &[(String, String)]) -> String {
    let told = |name| value(parameters, name).is_some();
    let told = match wanted {
        TargetSessionAttrs::Any => true,
        TargetSessionAttrs::ReadWrite | TargetSessionAttrs::ReadOnly => {
            told("in_hot_standby") && told("default_transaction_read_only")
        }
        _ => told("in_hot_standby"),
    };
    let prefix = if told { "" } else { OLD_ATTRIBUTES };
    format!("{prefix}{OWN_SSL}")
}

/// What the server is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub standby: Option<bool>,
    pub read_only: Option<bool>,
    pub backend_ssl: Option<bool>,
}

impl Answer {
    /// From the rows that answered a [`query`] and from what the server reported.
    pub(super) fn read(query: &str, rows: &[SimpleQueryMessage], parameters: &[(String, String)]) -> Self {
        let cells = rows.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0)),
            _ => None,
        });
        Self::from_cells(query.starts_with(OLD_ATTRIBUTES), cells, parameters)
    }

    fn from_cells<'a>(
        asked: bool,
        mut cells: impl Iterator<Item = Option<&'a str>>,
        parameters: &[(String, String)],
    ) -> Self {
        let mut next = || cells.next().flatten().and_then(truth);
        let (read_only, standby) = match asked {
            true => (next(), next()),
            false => (
                value(parameters, "default_transaction_read_only").and_then(truth),
                value(parameters, "in_hot_standby").and_then(truth),
            ),
        };
        Self { standby, read_only, backend_ssl: next() }
    }

    /// Why libpq would go on to the next host, if it would.
    pub(super) fn refused_by(&self, wanted: TargetSessionAttrs) -> Option<SessionFailure> {
        let standby = self.standby == Some(true);
        let read_only = self.read_only == Some(true) || standby;
        let met = match wanted {
            TargetSessionAttrs::Any => true,
            TargetSessionAttrs::ReadWrite => !read_only,
            TargetSessionAttrs::ReadOnly => read_only,
            TargetSessionAttrs::Primary => !standby,
            TargetSessionAttrs::Standby | TargetSessionAttrs::PreferStandby => standby,
        };
        (!met)
            .then_some(SessionFailure::WrongSessionAttrs { standby: self.standby, read_only: self.read_only })
    }
}

fn value<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "on" | "t" => Some(true),
        "off" | "f" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(standby: bool, read_only: bool) -> Answer {
        Answer { standby: Some(standby), read_only: Some(read_only), backend_ssl: None }
    }

    #[test]
    fn servers_are_matched_as_libpq_matches_them() {
        use TargetSessionAttrs as Wanted;
        let cases = [
            (Wanted::Any, [true, true, true, true]),
            (Wanted::ReadWrite, [true, false, false, false]),
            (Wanted::ReadOnly, [false, true, true, true]),
            (Wanted::Primary, [true, true, false, false]),
            (Wanted::Standby, [false, false, true, true]),
            (Wanted::PreferStandby, [false, false, true, true]),
        ];
        for (wanted, met) in cases {
            for ((standby, read_only), met) in
                [(false, false), (false, true), (true, false), (true, true)].into_iter().zip(met)
            {
                let refused = answer(standby, read_only).refused_by(wanted);
                assert_eq!(refused.is_none(), met, "{wanted:?} {standby} {read_only}");
            }
        }
    }

    #[test]
    fn an_old_server_is_asked() {
        let parameters = vec![("server_version".to_owned(), "13.9".to_owned())];
        assert!(query(TargetSessionAttrs::ReadWrite, &parameters).starts_with(OLD_ATTRIBUTES));
        assert_eq!(query(TargetSessionAttrs::Any, &parameters), OWN_SSL);
        let found = Answer::from_cells(true, [Some("on"), Some("f"), Some("t")].into_iter(), &parameters);
        assert_eq!(found, Answer { standby: Some(false), read_only: Some(true), backend_ssl: Some(true) });
    }

    #[test]
    fn a_new_server_tells_by_itself() {
        let parameters = vec![
            ("in_hot_standby".to_owned(), "on".to_owned()),
            ("default_transaction_read_only".to_owned(), "off".to_owned()),
        ];
        assert_eq!(query(TargetSessionAttrs::Standby, &parameters), OWN_SSL);
        // A pooler may pass on one of them.
        assert!(query(TargetSessionAttrs::ReadWrite, &parameters[..1]).starts_with(OLD_ATTRIBUTES));
        assert_eq!(query(TargetSessionAttrs::Standby, &parameters[..1]), OWN_SSL);
        let found = Answer::from_cells(false, [Some("f")].into_iter(), &parameters);
        assert_eq!(found, Answer { standby: Some(true), read_only: Some(false), backend_ssl: Some(false) });
    }
}
