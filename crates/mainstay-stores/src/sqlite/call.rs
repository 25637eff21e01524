//! Runs functions that write: their statement first, then what the request makes of the rows that it gave back.

use mainstay_query::plan::{Count, Run};
use mainstay_store::{RowSink, StoreError};
use rusqlite::types::Value as Native;

use super::count::total;
use super::errors;
use super::read::{Level, bind_all};
use super::render::{self, From, Given};
use super::write::{Affected, Work};
use crate::sql::check_expect;

/// Most values, rows times columns, that a function that writes may give back: each becomes a parameter of a
/// statement, and SQLite takes not many more.
const VALUES_MAX: usize = 30_000;

impl Work<'_> {
    /// Runs a function. What it affected are the rows that it gave back and that pass the filter of the request.
    pub(super) fn function(&self, plan: &Run, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
        let function = self.schema.function(plan.call.function);
        let wrong = |error| errors::of_function(error, self.schema, function);
        let values = self.rows_of(plan).map_err(wrong)?;
        if values.len() > VALUES_MAX {
            let what = format!("the function \"{}\" gives back more than {VALUES_MAX} values", function.name);
            return Err(StoreError::Unsupported { what });
        }
        let Some(read) = plan.returning.as_deref() else { return Ok(Affected::default()) };
        let from = From::Given(Given { function, values: &values });
        let sql = render::read(self.schema, read, from);
        let rows = Level::prepare(self.connection, sql).and_then(|level| level.rows_once(sink)).map_err(wrong)?;
        check_expect(plan.expect, rows)?;
        let affected = match read.count {
            Count::None => rows,
            _ => total(self.connection, self.schema, read, from, rows).map_err(wrong)?.unwrap_or(rows),
        };
        Ok(Affected { affected, inserted: 0 })
    }

    /// Runs the statement to its end; gives its values, row by row, up to one more than are allowed.
    fn rows_of(&self, plan: &Run) -> rusqlite::Result<Vec<Native>> {
        let (text, binds) = render::function(self.schema, &plan.call);
        let mut statement = self.connection.prepare_cached(&text)?;
        bind_all(&mut statement, &binds)?;
        let width = statement.column_count();
        let mut rows = statement.raw_query();
        let mut values = Vec::new();
        while let Some(row) = rows.next()? {
            if values.len() > VALUES_MAX {
                continue;
            }
            for column in 0..width {
                values.push(row.get(column)?);
            }
        }
        Ok(values)
    }
}
