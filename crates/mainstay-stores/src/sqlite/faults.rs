//! Which key a refused write is about. SQLite only says that some reference broke, so what broke is looked for
//! afterwards, inside the transaction, where the failed statement has left no trace.
//!
//! Runs on the way of an error only. What cannot be found, or not in time, is left out of the error.

use mainstay_query::plan::{
    Assign, Comparison, Delete, Expr, Filter, Insert, Join, Output, Pair, Read, Source, Test, Update, Write,
};
use mainstay_schema::{ColumnId, Reference, ReferenceAction, Schema, Table, TableId, Value};
use mainstay_store::collect::{Collected, Member};
use mainstay_store::{BrokenReference, StoreError};
use rusqlite::Connection;

use super::read;

/// Most rows of an update that are looked through for the one that points at nothing.
const ROWS_MAX: u64 = 1000;

/// A connection whose last statement failed.
pub(super) struct Faults<'a> {
    /// The connection, still inside its transaction.
    pub(super) connection: &'a Connection,
    /// The schema of the plan.
    pub(super) schema: &'a Schema,
}

/// Rows that would go, or take other keys.
struct Leaving {
    table: TableId,
    filter: Filter,
    /// The new values; `None` when the rows go.
    set: Option<Vec<(ColumnId, Value)>>,
}

impl<'a> Faults<'a> {
    /// The error of one row of an insert.
    pub(super) fn of_row(&self, plan: &Insert, position: usize, error: StoreError) -> StoreError {
        let table = self.schema.table(plan.table);
        let cell = |column| given(plan, position, column);
        match error {
            StoreError::Reference { table: name, broken: None } => {
                let broken =
                    self.missing(table, cell).or_else(|| self.held(&merging(plan, position)?, &mut Vec::new()));
                StoreError::Reference { table: name, broken: broken.map(Box::new) }
            }
            error => with_values(table, error, cell),
        }
    }

    /// The error that is found when all rows of an insert are in.
    pub(super) fn of_rows(&self, plan: &Insert, error: StoreError) -> StoreError {
        self.explained(error, || self.missing_row(plan))
    }

    /// The error that only the end of a transaction brings.
    pub(super) fn of_commit(&self, plan: &Write, error: StoreError) -> StoreError {
        self.explained(error, || self.missing_rows(plan))
    }

    /// The error of an update.
    pub(super) fn of_update(&self, plan: &Update, error: StoreError) -> StoreError {
        let table = self.schema.table(plan.table);
        let set = given_values(&plan.set);
        let error = with_values(table, error, |column| value_of(&set, column));
        self.explained(error, || {
            let leaving = Leaving { table: plan.table, filter: plan.filter.clone(), set: Some(set.clone()) };
            self.missing_update(table, plan, &set).or_else(|| self.held(&leaving, &mut Vec::new()))
        })
    }

    /// The error of a delete.
    pub(super) fn of_delete(&self, plan: &Delete, error: StoreError) -> StoreError {
        let leaving = || Leaving { table: plan.table, filter: plan.filter.clone(), set: None };
        self.explained(error, || self.held(&leaving(), &mut Vec::new()))
    }

    fn explained(&self, error: StoreError, find: impl FnOnce() -> Option<BrokenReference>) -> StoreError {
        match error {
            StoreError::Reference { table, broken: None } => {
                StoreError::Reference { table, broken: find().map(Box::new) }
            }
            error => error,
        }
    }

    fn missing_rows(&self, plan: &Write) -> Option<BrokenReference> {
        match plan {
            Write::Insert(plan) => self.missing_row(plan),
            Write::Batch(plans) => plans.iter().find_map(|plan| self.missing_rows(plan)),
            // A nested insert leaves nothing to the commit.
            Write::Update(_) | Write::UpdateEach(_) | Write::Delete(_) | Write::Nested(_) | Write::Run(_) => None,
        }
    }

    fn missing_row(&self, plan: &Insert) -> Option<BrokenReference> {
        let table = self.schema.table(plan.table);
        (0..plan.rows.len()).find_map(|position| self.missing(table, |column| given(plan, position, column)))
    }

    fn missing_update(&self, table: &Table, plan: &Update, set: &[(ColumnId, Value)]) -> Option<BrokenReference> {
        let is_set = |column: &ColumnId| value_of(set, *column).is_some();
        table.references.iter().filter(|reference| reference.columns.iter().any(is_set)).find_map(|reference| {
            // The update may change only a part of the key: the row has the rest.
            let limit = if reference.columns.iter().all(is_set) { 1 } else { ROWS_MAX };
            let rows = self.rows(plan.table, &reference.columns, plan.filter.clone(), limit)?;
            rows.iter().find_map(|row| {
                let of_row = |column| Some(&row[reference.columns.iter().position(|other| *other == column)?]);
                self.missing_of(table, reference, |column| value_of(set, column).or_else(|| of_row(column)))
            })
        })
    }

    /// The first reference of a row whose target is not there. References of unknown value are passed over.
    fn missing<'v>(&self, table: &Table, cell: impl Fn(ColumnId) -> Option<&'v Value>) -> Option<BrokenReference> {
        table.references.iter().find_map(|reference| self.missing_of(table, reference, &cell))
    }

    fn missing_of<'v>(
        &self,
        table: &Table,
        reference: &Reference,
        cell: impl Fn(ColumnId) -> Option<&'v Value>,
    ) -> Option<BrokenReference> {
        let values: Vec<&Value> = reference.columns.iter().map(|column| cell(*column)).collect::<Option<_>>()?;
        let mut pairs = reference.target_columns.iter().copied().zip(values.iter().copied());
        let is_itself =
            reference.target == table.id && pairs.clone().all(|(column, value)| cell(column) == Some(value));
        if is_itself || values.iter().any(|value| value.is_null()) {
            return None;
        }
        let filter = Filter::all(pairs.by_ref().map(|(column, value)| equals(column, value)));
        let found = self.rows(reference.target, &reference.target_columns, filter, 1)?;
        found.is_empty().then(|| BrokenReference::missing(self.schema, table, reference, values))
    }

    /// A key of these rows that others still point at, of the rows themselves or of those that follow them.
    fn held(&self, leaving: &Leaving, seen: &mut Vec<TableId>) -> Option<BrokenReference> {
        if seen.contains(&leaving.table) {
            return None;
        }
        seen.push(leaving.table);
        let references: Vec<_> =
            self.references_to(leaving.table).filter(|(_, reference)| leaving.touches(reference)).collect();
        let with = |wanted| references.iter().filter(move |(_, reference)| leaving.action(reference) == wanted);
        with(ReferenceAction::Restrict).find_map(|(owner, reference)| self.held_by(leaving, owner, reference)).or_else(
            || {
                with(ReferenceAction::Cascade)
                    .find_map(|(owner, reference)| self.held(&leaving.followed_by(owner, reference), seen))
            },
        )
    }

    fn held_by(&self, leaving: &Leaving, owner: &Table, reference: &Reference) -> Option<BrokenReference> {
        let stays = match leaving.frees(owner, reference) {
            // Whether the condition is not true: `NOT` alone would leave the unknown unknown.
            true => Filter::Not(Box::new(exists(same(&owner.primary_key), owner.id, leaving.filter.clone()))),
            false => Filter::True,
        };
        let pairs = reference.target_columns.iter().zip(&reference.columns);
        let join = pairs.map(|(here, there)| Pair { here: *here, there: *there }).collect();
        let filter = Filter::all([leaving.changed(reference), leaving.filter.clone(), exists(join, owner.id, stays)]);
        let rows = self.rows(leaving.table, &reference.target_columns, filter, 1)?;
        rows.first().map(|key| BrokenReference::held(self.schema, owner, reference, key))
    }

    /// Every reference of a table (a view only describes embeds) to this one.
    fn references_to(&self, target: TableId) -> impl Iterator<Item = (&'a Table, &'a Reference)> {
        let tables = self.schema.tables().iter().filter(|table| table.is_writable());
        tables
            .flat_map(|table| table.references.iter().map(move |reference| (table, reference)))
            .filter(move |(_, reference)| reference.target == target)
    }

    /// Values of some columns of the rows that pass; `None` if they could not be read.
    fn rows(&self, table: TableId, columns: &[ColumnId], filter: Filter, limit: u64) -> Option<Vec<Vec<Value>>> {
        let output = |column: &ColumnId| Output {
            name: self.schema.table(table).column(*column).name.clone(),
            source: Source::Value(Expr::column(*column)),
        };
        let select = columns.iter().map(output).collect();
        let plan = Read { select, filter, limit: Some(limit), ..Read::new(table) };
        let mut sink = Collected::new(plan.shape(self.schema));
        read::run(self.connection, self.schema, &plan, &mut sink).ok()?;
        let value = |member| match member {
            Member::Value(value) => Some(value),
            Member::One(_) | Member::Many(_) => None,
        };
        sink.finish().ok()?.into_iter().map(|row| row.into_iter().map(value).collect()).collect()
    }
}

impl Leaving {
    fn action(&self, reference: &Reference) -> ReferenceAction {
        if self.set.is_some() { reference.on_update } else { reference.on_delete }
    }

    /// Whether what the reference points at goes or may change.
    fn touches(&self, reference: &Reference) -> bool {
        self.sets(&reference.target_columns)
    }

    fn sets(&self, columns: &[ColumnId]) -> bool {
        let is_set = |set: &Vec<(ColumnId, Value)>| columns.iter().any(|column| value_of(set, *column).is_some());
        self.set.as_ref().is_none_or(is_set)
    }

    /// Whether the rows, where they are their own holders, let go of what they point at.
    fn frees(&self, owner: &Table, reference: &Reference) -> bool {
        owner.id == self.table && self.sets(&reference.columns)
    }

    /// Which of the rows really lose the key that the reference points at.
    fn changed(&self, reference: &Reference) -> Filter {
        let Some(set) = &self.set else { return Filter::True };
        let differs = |column: &ColumnId| {
            let test = match value_of(set, *column)? {
                Value::Null => return Some(Filter::Not(Box::new(test(*column, Test::IsNull)))),
                value => Test::IsDistinct(value.clone()),
            };
            Some(self::test(*column, test))
        };
        Filter::Or(reference.target_columns.iter().filter_map(differs).collect())
    }

    /// The rows of `owner` that a cascade takes along.
    fn followed_by(&self, owner: &Table, reference: &Reference) -> Leaving {
        let pairs = reference.columns.iter().zip(&reference.target_columns);
        let join = pairs.clone().map(|(here, there)| Pair { here: *here, there: *there }).collect();
        let filter = Filter::all([self.changed(reference), self.filter.clone()]);
        let moved = |set: &Vec<(ColumnId, Value)>| {
            pairs.filter_map(|(here, there)| Some((*here, value_of(set, *there)?.clone()))).collect()
        };
        Leaving { table: owner.id, filter: exists(join, self.table, filter), set: self.set.as_ref().map(moved) }
    }
}

/// The change that a row of a merge makes to the row that has its key.
fn merging(plan: &Insert, position: usize) -> Option<Leaving> {
    let conflict = plan.conflict.as_ref()?;
    // Null conflicts with nothing.
    let cell = |column: &ColumnId| given(plan, position, *column);
    let part = |column: &ColumnId| Some(equals(*column, cell(column).filter(|value| !value.is_null())?));
    let key = conflict.target.iter().map(part).collect::<Option<Vec<_>>>()?;
    let set = conflict.merge.as_ref()?.iter().filter_map(|column| Some((*column, cell(column)?.clone()))).collect();
    Some(Leaving { table: plan.table, filter: Filter::all(key), set: Some(set) })
}

/// What a row of an insert gives to a column, if the row surely takes it: a merge may leave it as it was.
fn given(plan: &Insert, position: usize, column: ColumnId) -> Option<&Value> {
    if let Some(conflict) = &plan.conflict
        && let Some(merge) = &conflict.merge
        && !merge.contains(&column)
        && !conflict.target.contains(&column)
    {
        return None;
    }
    let place = plan.columns.iter().position(|given| *given == column)?;
    plan.rows[position][place].as_ref()
}

/// A duplicate with the values that the write gave.
fn with_values<'v>(table: &Table, mut error: StoreError, cell: impl Fn(ColumnId) -> Option<&'v Value>) -> StoreError {
    if let StoreError::Duplicate { table: name, columns, values: values @ None, .. } = &mut error
        && *name == table.name
    {
        *values = columns.iter().map(|column| cell(table.find_column(column)?.id)?.to_text()).collect();
    }
    error
}

/// The values that an update gives; of those that it computes nothing is said.
fn given_values(set: &[(ColumnId, Assign)]) -> Vec<(ColumnId, Value)> {
    set.iter().filter_map(|(column, assign)| Some((*column, assign.as_value()?.clone()))).collect()
}

fn value_of(set: &[(ColumnId, Value)], column: ColumnId) -> Option<&Value> {
    set.iter().find(|(other, _)| *other == column).map(|(_, value)| value)
}

fn equals(column: ColumnId, value: &Value) -> Filter {
    test(column, Test::Compare(Comparison::Eq, value.clone()))
}

fn test(column: ColumnId, test: Test) -> Filter {
    Filter::Test { expr: Expr::column(column), test }
}

fn exists(join: Vec<Pair>, table: TableId, filter: Filter) -> Filter {
    Filter::Exists { join: Join::Direct(join), table, filter: Box::new(filter), skip: 0 }
}

fn same(columns: &[ColumnId]) -> Vec<Pair> {
    columns.iter().map(|column| Pair { here: *column, there: *column }).collect()
}
