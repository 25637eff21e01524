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

/// Carries out a nested insert on the thread of its caller, and gives the number of rows at its root.
///
/// # Errors
/// [`StoreError`] of the step that failed, or [`StoreError::Unexpected`]; all has to be undone.
pub fn run(
    schema: &Schema,
    plan: &Nested,
    sink: &mut dyn RowSink,
    store: &mut impl Nesting,
) -> Result<u64, StoreError> {
    let mut progress = Progress::new(schema, plan);
    while let Some(step) = progress.step()? {
        match step {
            Step::Insert(insert) => match &insert.returning {
                None => {
                    store.insert(&insert, &mut Nothing)?;
                    progress.inserted(Vec::new())?;
                }
                Some(returning) => {
                    let mut rows = Collected::of(schema, returning.shape(schema));
                    store.insert(&insert, &mut rows)?;
                    progress.inserted(rows.finish()?)?;
                }
            },
            Step::Read(read) => store.read(&read, sink)?,
        }
    }
    Ok(progress.affected())
}

/// A nested insert under way: it says what to do next, and is told what rows gave. Runs nothing itself, so a store may
/// call it on a thread of its own, as [`run`] does, or between two awaits.
pub struct Progress<'p> {
    schema: &'p Schema,
    plan: &'p Nested,
    /// What the parts so far gave.
    given: Vec<Given>,
    /// What the part that is being inserted gives.
    wanted: Vec<ColumnId>,
    /// Rows of the root that were read.
    returned: usize,
}

/// What a nested insert wants done.
pub enum Step {
    /// Insert rows; those that come back are for [`Progress::inserted`], in the order of the rows.
    Insert(Insert),
    /// Read into the sink of the whole.
    Read(Read),
}

impl<'p> Progress<'p> {
    /// Before the first step.
    pub fn new(schema: &'p Schema, plan: &'p Nested) -> Progress<'p> {
        Progress { schema, plan, given: Vec::with_capacity(plan.parts.len()), wanted: Vec::new(), returned: 0 }
    }

    /// The next step; `None` when all is done.
    ///
    /// # Errors
    /// [`StoreError::Unexpected`]; all has to be undone.
    pub fn step(&mut self) -> Result<Option<Step>, StoreError> {
        if let Some(part) = self.plan.parts.get(self.given.len()) {
            return self.insert(part).map(Some);
        }
        let (expect, affected) = (self.plan.expect, self.affected());
        if expect.single && affected != 1 {
            return Err(StoreError::Unexpected { affected, single: true });
        }
        if expect.affected_max.is_some_and(|max| affected > max) {
            return Err(StoreError::Unexpected { affected, single: false });
        }
        match &self.plan.returning {
            Some(returning) if (self.returned as u64) < affected => self.read(returning).map(Some),
            _ => Ok(None),
        }
    }

    /// Tells the rows that an insert gave back, none if it was to give none.
    ///
    /// # Errors
    /// [`StoreError::Internal`] if there are others than it inserted.
    pub fn inserted(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        let columns = std::mem::take(&mut self.wanted);
        let count = self.plan.parts.get(self.given.len()).map(|part| part.insert.rows.len());
        if !columns.is_empty() && count != Some(rows.len()) {
            return Err(StoreError::Internal("an insert gave back another number of rows".into()));
        }
        self.given.push(Given { columns, rows });
        Ok(())
    }

    /// Rows at the root.
    pub fn affected(&self) -> u64 {
        self.plan.parts.get(self.plan.root).map_or(0, |root| root.insert.rows.len() as u64)
    }

    fn insert(&mut self, part: &Part) -> Result<Step, StoreError> {
        let position = self.given.len();
        let mut insert = linked(part, &self.given)?;
        let mut columns = self.plan.taken(position);
        if position == self.plan.root && self.plan.returning.is_some() {
            let key = &self.schema.table(insert.table).primary_key;
            columns.extend(key.iter().filter(|column| !columns.contains(column)).copied().collect::<Vec<_>>());
        }
        if !columns.is_empty() {
            insert.returning = Some(Box::new(read_of(self.schema, insert.table, &columns)));
        }
        self.wanted = columns;
        Ok(Step::Insert(insert))
    }

    fn read(&mut self, returning: &Read) -> Result<Step, StoreError> {
        let mut parts = vec![returning.filter.clone()];
        for column in &self.schema.table(returning.table).primary_key {
            let value = self.given[self.plan.root].value(self.returned, *column)?;
            let test = Test::Compare(Comparison::Eq, value);
            parts.push(Filter::Test { expr: Expr::column(*column), test });
        }
        self.returned += 1;
        // One row by its key: what a write gives back has no pages.
        let read = Read { filter: Filter::all(parts), limit: None, offset: 0, ..returning.clone() };
        Ok(Step::Read(read))
    }
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

/// Takes rows that nobody wants.
pub struct Nothing;

impl RowSink for Nothing {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, _: crate::sink::Cell<'_>) {}
}
