//! Reads of rows that a store gathered: what it cannot do itself is done with them here, as the reference store does it.

use std::time::Instant;

use mainstay_query::plan::{Filter, Read};
use mainstay_schema::{Schema, TableId, Value};

use super::read::View;
use super::rows::Rows;
use crate::error::StoreError;
use crate::sink::RowSink;

/// Rows of all tables of a schema: at least those that a read looks at.
pub struct Given<'s> {
    schema: &'s Schema,
    tables: Vec<Rows>,
    deadline: Instant,
}

impl<'s> Given<'s> {
    /// Takes rows, by table; each has a value for every column.
    pub fn new(schema: &'s Schema, rows: Vec<Vec<Vec<Value>>>, deadline: Instant) -> Given<'s> {
        let table = |rows: Vec<Vec<Value>>| {
            let mut table = Rows::default();
            rows.into_iter().for_each(|row| {
                table.insert(row);
            });
            table
        };
        Given { schema, tables: rows.into_iter().map(table).collect(), deadline }
    }

    fn view(&self) -> View<'_> {
        View::new(self.schema, &self.tables, self.deadline, true)
    }

    /// Puts the rows of a read into `sink`; gives their number, and that of all that pass when asked.
    ///
    /// # Errors
    /// As [`Store::read`](crate::Store::read).
    pub fn read(&self, plan: &Read, sink: &mut dyn RowSink) -> Result<(u64, Option<u64>), StoreError> {
        self.view().read(plan, sink)
    }

    /// The rows of a table that pass a filter.
    ///
    /// # Errors
    /// As [`Store::read`](crate::Store::read).
    pub fn passing(&self, table: TableId, filter: &Filter) -> Result<Vec<Vec<Value>>, StoreError> {
        let view = self.view();
        let mut passing = Vec::new();
        for row in self.tables[table.index()].values() {
            if view.passes(filter, row)? {
                passing.push(row.clone());
            }
        }
        Ok(passing)
    }
}
