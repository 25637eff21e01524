//! Nested inserts for stores that carry out one insert after the other: which keys go where.

use mainstay_query::plan::{Comparison, Expr, Filter, Insert, Nested, Output, Part, Read, Source, Test};
use mainstay_schema::{ColumnId, Schema, TableId, Value};

use crate::collect::{Collected, Member, Row};
use crate::error::StoreError;
use crate::sink::RowSink;

/// What a store does for a nested insert, inside its transaction.
pub trait Nesting {
    /// Inserts rows; those returned come in the order of the rows.
    ///
    /// # Errors
    /// [`StoreError`] that undoes all.
    fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<(), StoreError>;

    /// Reads.
    ///
    /// # Errors
    /// [`StoreError`] that undoes all.
    fn read(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<(), StoreError>;
}

/// Carries out a nested insert and gives the number of rows at its root.
///
/// # Errors
/// [`StoreError`] of the step that failed, or [`StoreError::Unexpected`]; all has to be undone.
pub fn run(
    schema: &Schema,
    plan: &Nested,
    sink: &mut dyn RowSink,
    store: &mut impl Nesting,
) -> Result<u64, StoreError> {
    let mut given: Vec<Given> = Vec::with_capacity(plan.parts.len());
    for (position, part) in plan.parts.iter().enumerate() {
        let mut insert = linked(part, &given)?;
        let mut columns = plan.taken(position);
        if position == plan.root && plan.returning.is_some() {
            let key = &schema.table(insert.table).primary_key;
            columns.extend(key.iter().filter(|column| !columns.contains(column)).copied().collect::<Vec<_>>());
        }
        let rows = if columns.is_empty() {
            store.insert(&insert, &mut Nothing)?;
            Vec::new()
        } else {
            let read = read_of(schema, insert.table, &columns);
            let mut sink = Collected::new(read.shape(schema));
            insert.returning = Some(Box::new(read));
            store.insert(&insert, &mut sink)?;
            sink.finish()?
        };
        if !columns.is_empty() && rows.len() != insert.rows.len() {
            return Err(StoreError::Internal("an insert gave back another number of rows".into()));
        }
        given.push(Given { columns, rows });
    }
    let Some(root) = plan.parts.get(plan.root) else { return Ok(0) };
    let affected = root.insert.rows.len() as u64;
    if plan.expect.single && affected != 1 {
        return Err(StoreError::Unexpected { affected, single: true });
    }
    if plan.expect.affected_max.is_some_and(|max| affected > max) {
        return Err(StoreError::Unexpected { affected, single: false });
    }
    if let Some(returning) = &plan.returning {
        let key = &schema.table(root.insert.table).primary_key;
        for row in 0..root.insert.rows.len() {
            let mut parts = vec![returning.filter.clone()];
            for column in key {
                let value = given[plan.root].value(row, *column)?;
                let test = Test::Compare(Comparison::Eq, value);
                parts.push(Filter::Test { expr: Expr::column(*column), test });
            }
            store.read(&Read { filter: Filter::all(parts), ..(**returning).clone() }, sink)?;
        }
    }
    Ok(affected)
}

/// Values of the rows of a part.
struct Given {
    columns: Vec<ColumnId>,
    rows: Vec<Row>,
}

impl Given {
    fn value(&self, row: usize, column: ColumnId) -> Result<Value, StoreError> {
        let place = self.columns.iter().position(|other| *other == column);
        let member = place.and_then(|place| self.rows.get(row)?.get(place));
        match member {
            Some(Member::Value(value)) => Ok(value.clone()),
            _ => Err(StoreError::Internal("a nested insert takes what no row gave".into())),
        }
    }
}

/// The insert of a part with the values that rows before it give.
fn linked(part: &Part, given: &[Given]) -> Result<Insert, StoreError> {
    let mut insert = part.insert.clone();
    for link in &part.links {
        let from = given.get(link.part).ok_or_else(|| StoreError::Internal("a part comes before its target".into()))?;
        for (row, target) in insert.rows.iter_mut().zip(&link.rows) {
            let Some(target) = target else { continue };
            for (place, column) in &link.columns {
                row[*place] = Some(from.value(*target, *column)?);
            }
        }
    }
    Ok(insert)
}

fn read_of(schema: &Schema, table: TableId, columns: &[ColumnId]) -> Read {
    let output = |column: &ColumnId| Output {
        name: schema.table(table).column(*column).name.clone(),
        source: Source::Value(Expr::column(*column)),
    };
    let select = columns.iter().map(output).collect();
    Read { select, ..Read::new(table) }
}

/// Takes nothing.
struct Nothing;

impl RowSink for Nothing {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, _: crate::sink::Cell<'_>) {}
}
