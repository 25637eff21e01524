//! Rows that a write gives back, in the order of the write.

use std::collections::HashMap;

use mainstay_query::evaluate;
use mainstay_query::plan::{Expr, Filter, Output, Read, Source};
use mainstay_schema::{Schema, Table, Value};
use mainstay_store::collect::{Collected, Member, Row as Given, replay};
use mainstay_store::{RowSink, StoreError};

use super::keys::{Key, Row, key_in, key_of, text_of};
use super::references::references_to;
use super::work::{KEYS_AT_ONCE, Work};
use crate::server::WriteFault;

/// Whether what is given back of a row can be computed from the row alone.
pub(super) fn is_plain(read: &Read) -> bool {
    read.filter == Filter::True && read.select.iter().all(|output| matches!(output.source, Source::Value(_)))
}

/// What is given back of a row, where that is computed from the row alone.
pub(super) fn plain(read: &Read, row: &[Value]) -> Result<Given, StoreError> {
    let member = |output: &Output| match &output.source {
        Source::Value(expr) => evaluate::expr(row, expr).map(Member::Value).map_err(StoreError::Value),
        _ => Err(StoreError::Internal("what is given back is no value".into())),
    };
    read.select.iter().map(member).collect()
}

impl Work<'_> {
    /// Gives rows back that were written.
    pub(super) async fn give_back(
        &mut self,
        table: &Table,
        read: &Read,
        rows: Vec<Row>,
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        let given = match is_plain(read) && !reaches_itself(self.schema, table) {
            true => rows.iter().map(|row| plain(read, row)).collect::<Result<Vec<_>, _>>()?,
            false => self.read_rows(table, read, rows).await?,
        };
        self.put(&given, sink);
        Ok(())
    }

    /// Puts rows into a sink. Those who may begin anew keep them first.
    pub(super) fn put(&mut self, rows: &[Given], sink: &mut dyn RowSink) {
        for row in rows {
            self.has_given = true;
            replay(row, sink);
        }
    }

    /// What a read gives of rows, in their order.
    pub(super) async fn read_rows(
        &mut self,
        table: &Table,
        read: &Read,
        rows: Vec<Row>,
    ) -> Result<Vec<Given>, WriteFault> {
        if is_plain(read) && !reaches_itself(self.schema, table) {
            return Ok(rows.iter().map(|row| plain(read, row)).collect::<Result<Vec<_>, _>>()?);
        }
        let keys: Vec<Key> = rows.iter().map(|row| key_of(row, &table.primary_key)).collect();
        let key_output = |column: &mainstay_schema::ColumnId| Output {
            name: table.column(*column).name.clone(),
            source: Source::Value(Expr::column(*column)),
        };
        let mut select = read.select.clone();
        select.extend(table.primary_key.iter().map(key_output));
        let mut found: HashMap<Vec<String>, Given> = HashMap::new();
        for some in keys.chunks(KEYS_AT_ONCE) {
            let filter = Filter::all([key_in(&table.primary_key, some), read.filter.clone()]);
            let read =
                Read { select: select.clone(), filter, order: Vec::new(), limit: None, offset: 0, ..read.clone() };
            let shape = read.shape(self.schema);
            let width = shape.members.len();
            let mut collected = Collected::of(self.schema, shape);
            self.read(&read, &mut collected).await?;
            for mut row in collected.finish()? {
                let key = row.split_off(width - table.primary_key.len());
                let values = key.into_iter().map(|member| match member {
                    Member::Value(value) => value,
                    _ => Value::Null,
                });
                found.extend(text_of(&values.collect::<Key>()).map(|text| (text, row)));
            }
        }
        Ok(keys.iter().filter_map(|key| found.remove(&text_of(key)?)).collect())
    }
}

/// Whether what references do when a row of a table changes may change rows of the same table again.
fn reaches_itself(schema: &Schema, table: &Table) -> bool {
    !table.references.is_empty() && !references_to(schema, table.id).is_empty()
}
