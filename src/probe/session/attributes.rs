//! What kind of server it is: target_session_attrs (fe-connect.c, CONNECTION_CHECK_TARGET), and whether the backend
//! itself sees TLS. libpq's question is asked by itself and in its words, so that a server that answers it is one that
//! answers libpq.

use tokio_postgres::SimpleQueryMessage;

use crate::conninfo::TargetSessionAttrs;
use crate::evidence::SessionFailure;

/// The question to the backend for its own view of TLS.
pub(super) const OWN_SSL: &str = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

/// What a server has to be asked that does not report it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    ReadOnly,
    Standby,
}

impl Question {
    /// libpq's words.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ReadOnly => "SHOW transaction_read_only",
            Self::Standby => "SELECT pg_catalog.pg_is_in_recovery()",
        }
    }
}

/// What the server is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    standby: Option<bool>,
    read_only: Option<bool>,
    /// Older than hot standby, or without a version, which is the same to libpq.
    old: bool,
}

impl Attributes {
    /// From the parameters that it reported; the last word counts.
    pub(super) fn reported(parameters: &[(String, String)]) -> Self {
        let value =
            |name: &str| parameters.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let version = value("server_version").unwrap_or_default().trim_start();
        let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
        let major = version.get(..digits).and_then(|digits| digits.parse().ok());
        Self {
            standby: value("in_hot_standby").map(|value| value == "on"),
            read_only: value("default_transaction_read_only").map(|value| value == "on"),
            old: major.is_none_or(|major: u32| major < 9),
        }
    }

    /// The question to ask, if what is wanted calls for one.
    pub(super) fn question(&self, wanted: TargetSessionAttrs) -> Option<Question> {
        match wanted {
            TargetSessionAttrs::Any => None,
            TargetSessionAttrs::ReadWrite | TargetSessionAttrs::ReadOnly => {
                (self.standby.is_none() || self.read_only.is_none()).then_some(Question::ReadOnly)
            }
            _ => (self.standby.is_none() && !self.old).then_some(Question::Standby),
        }
    }

    /// Takes the rows of an answer. Any number but one is no answer, and sends libpq on to the next host.
    pub(super) fn learn(
        &mut self,
        question: Question,
        rows: &[SimpleQueryMessage],
    ) -> Result<(), SessionFailure> {
        let mut cells = cells(rows);
        let (Some(cell), None) = (cells.next(), cells.next()) else { return Err(self.unmet()) };
        let cell = cell.unwrap_or_default();
        match question {
            // That the transaction is read-only proves one of the two, and it does not matter which.
            Question::ReadOnly => {
                let read_only = cell.starts_with("on");
                self.read_only = Some(read_only);
                self.standby = self.standby.map(|standby| read_only && standby);
            }
            Question::Standby => self.standby = Some(cell.starts_with('t')),
        }
        Ok(())
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
        (!met).then(|| self.unmet())
    }

    /// That it is not what is wanted, or does not say.
    pub(super) fn unmet(&self) -> SessionFailure {
        SessionFailure::WrongSessionAttrs { standby: self.standby, read_only: self.read_only }
    }
}

fn cells(rows: &[SimpleQueryMessage]) -> impl Iterator<Item = Option<&str>> {
    rows.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0)),
        _ => None,
    })
}

/// The first row's truth.
pub(super) fn truth(rows: &[SimpleQueryMessage]) -> Option<bool> {
    match cells(rows).next().flatten()? {
        "on" | "t" => Some(true),
        "off" | "f" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TargetSessionAttrs as Wanted;

    fn reported(parameters: &[(&str, &str)]) -> Attributes {
        let owned: Vec<_> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Attributes::reported(&owned)
    }

    #[test]
    fn servers_are_matched_as_libpq_matches_them() {
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
                let server = Attributes { standby: Some(standby), read_only: Some(read_only), old: false };
                assert_eq!(server.refused_by(wanted).is_none(), met, "{wanted:?} {standby} {read_only}");
            }
        }
    }

    #[test]
    fn what_is_not_reported_is_asked() {
        let standby = ("in_hot_standby", "on");
        let new = ("server_version", "17.2");
        let question = |parameters: &[(&str, &str)], wanted| reported(parameters).question(wanted);
        assert_eq!(question(&[new], Wanted::Any), None);
        assert_eq!(question(&[new], Wanted::ReadWrite), Some(Question::ReadOnly));
        assert_eq!(question(&[new], Wanted::Standby), Some(Question::Standby));
        // A pooler may pass on one of them.
        assert_eq!(question(&[new, standby], Wanted::ReadOnly), Some(Question::ReadOnly));
        assert_eq!(question(&[new, standby], Wanted::Standby), None);
        for old in [&[("server_version", "8.4.22")][..], &[("server_version", "x")], &[]] {
            assert_eq!(question(old, Wanted::Primary), None);
            assert_eq!(question(old, Wanted::ReadWrite), Some(Question::ReadOnly));
        }
    }

    #[test]
    fn the_last_word_counts_and_an_answer_without_a_row_is_none() {
        let mut server = reported(&[("in_hot_standby", "off"), ("in_hot_standby", "on")]);
        assert_eq!(server.refused_by(Wanted::Standby), None);
        assert!(server.learn(Question::ReadOnly, &[]).is_err());
    }
}
