//! Rows of a table in the order that was asked for. Targets come in as they end.

use super::server::Server;
use super::{Layout, Sort};
use crate::evidence::Place;
use crate::order;

/// Rows with what they are sorted by.
pub(super) struct Rows<T> {
    sort: Sort,
    rows: Vec<(Key, T)>,
}

/// The rank that the order asks for, then the target's place in the run.
type Key = (i64, Place);

impl<T> Rows<T> {
    /// No rows yet.
    pub(super) fn new(layout: Layout) -> Self {
        Self { sort: layout.sort, rows: Vec::new() }
    }

    /// A row of a target; several of one stay together and in their order.
    pub(super) fn add(&mut self, server: &Server, row: T) {
        let rank = match self.sort {
            Sort::Input => 0,
            Sort::Expires => server.path_not_after.map_or(i64::MAX, |end| end.unix()),
            Sort::Verdict => server.standing as i64,
        };
        self.rows.push(((rank, server.place), row));
    }

    /// All rows, in order.
    pub(super) fn sorted(&mut self) -> Vec<&T> {
        order::by_key(&mut self.rows, |(key, _)| *key);
        self.rows.iter().map(|(_, row)| row).collect()
    }
}
