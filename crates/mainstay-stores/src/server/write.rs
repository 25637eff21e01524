//! Writes of which engines carry out the parts: which part comes when, and what they have in common.

use std::collections::{HashMap, HashSet};
use std::future::Future;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::evaluate;
use mainstay_query::plan::{Assign, Delete, Insert, Nested, Read, Run, Update, UpdateEach, Write};
use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::collect::Collected;
use mainstay_store::nested::{self, Progress};
use mainstay_store::{RowSink, StoreError};

use super::engine::{Affected, WriteFault};

/// A session inside a transaction that carries out writes.
pub(crate) trait Writer: Send {
    /// Whether anything was put into a sink, which cannot be taken back.
    fn has_given(&mut self) -> &mut bool;

    /// Inserts or merges rows.
    fn insert(
        &mut self,
        plan: &Insert,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// Updates the rows that pass.
    fn update(
        &mut self,
        plan: &Update,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// Updates rows by their keys, each to its own values.
    fn update_each(
        &mut self,
        plan: &UpdateEach,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// Deletes the rows that pass.
    fn delete(
        &mut self,
        plan: &Delete,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// Runs a function that writes.
    fn call(&mut self, plan: &Run, sink: &mut dyn RowSink)
    -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// Reads the rows of a plan, as they are after what was written, into the sink.
    fn read_back(&mut self, plan: &Read, sink: &mut dyn RowSink)
    -> impl Future<Output = Result<(), WriteFault>> + Send;
}

/// Carries out a plan. On an error the caller undoes what has happened.
pub(crate) fn write<'f, W: Writer>(
    writer: &'f mut W,
    schema: &'f Schema,
    plan: &'f Write,
    sink: &'f mut dyn RowSink,
) -> BoxFuture<'f, Result<Affected, WriteFault>> {
    async move {
        match plan {
            Write::Insert(plan) => writer.insert(plan, sink).await,
            Write::Update(plan) => writer.update(plan, sink).await,
            Write::UpdateEach(plan) => writer.update_each(plan, sink).await,
            Write::Delete(plan) => writer.delete(plan, sink).await,
            Write::Nested(plan) => insert_nested(writer, schema, plan, sink).await,
            Write::Batch(plans) => {
                let mut sum = Affected::default();
                for plan in plans {
                    let Affected { affected, inserted } = write(writer, schema, plan, sink).await?;
                    sum = Affected { affected: sum.affected + affected, inserted: sum.inserted + inserted };
                }
                Ok(sum)
            }
            Write::Run(plan) => writer.call(plan, sink).await,
        }
    }
    .boxed()
}

/// Inserts rows and those inside of them.
async fn insert_nested<W: Writer>(
    writer: &mut W,
    schema: &Schema,
    plan: &Nested,
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    let mut progress = Progress::new(schema, plan);
    while let Some(step) = progress.step()? {
        match step {
            nested::Step::Insert(insert) => match &insert.returning {
                None => {
                    writer.insert(&insert, &mut nested::Nothing).await?;
                    progress.inserted(Vec::new())?;
                }
                Some(returning) => {
                    let mut rows = Collected::of(schema, returning.shape(schema));
                    let had_given = *writer.has_given();
                    writer.insert(&insert, &mut rows).await?;
                    // What only we have seen can be taken back.
                    *writer.has_given() = had_given;
                    progress.inserted(rows.finish()?)?;
                }
            },
            nested::Step::Read(read) => writer.read_back(&read, sink).await?,
        }
    }
    let affected = progress.affected();
    Ok(Affected { affected, inserted: affected })
}

/// What a row of an insert becomes that may meet others; `R` is what tells the row that it meets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate<R> {
    /// A new row.
    New,
    /// Columns of this row.
    Merged(R),
    /// Nothing.
    Skipped,
}

/// What becomes of rows that want these keys, as texts that are equal where the keys are; one without a key meets nothing.
/// `there` are the rows that have such keys already.
///
/// # Errors
/// [`StoreError::RepeatedKey`] if two rows would merge into one.
pub(crate) fn fates<R: Clone>(
    wanted: impl IntoIterator<Item = Option<Vec<String>>>,
    there: &HashMap<Vec<String>, R>,
    is_merge: bool,
) -> Result<Vec<Fate<R>>, StoreError> {
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    let mut fates = Vec::new();
    for key in wanted {
        let Some(key) = key else {
            fates.push(Fate::New);
            continue;
        };
        let is_repeated = seen.contains(&key);
        fates.push(match there.get(&key) {
            _ if is_merge && is_repeated => return Err(StoreError::RepeatedKey),
            Some(row) if is_merge => Fate::Merged(row.clone()),
            None if !is_repeated => Fate::New,
            _ => Fate::Skipped,
        });
        seen.insert(key);
    }
    Ok(fates)
}

/// A row that an update computes.
pub(crate) struct Computed {
    /// Its key, as it is before.
    pub(crate) old_key: Vec<Value>,
    /// Its key, as it is afterwards.
    pub(crate) new_key: Vec<Value>,
    /// What its columns become.
    pub(crate) set: Vec<(ColumnId, Value)>,
}

/// The columns that an update must read whose values depend on what is there: first the key, then those that it sets.
///
/// # Errors
/// [`StoreError::Unsupported`] for a table without a key, whose rows cannot be told apart.
pub(crate) fn computed_columns(table: &Table, set: &[(ColumnId, Assign)]) -> Result<Vec<ColumnId>, StoreError> {
    if table.primary_key.is_empty() {
        let what = format!("{} has no primary key: its values can be replaced, but not computed", table.name);
        return Err(StoreError::Unsupported { what });
    }
    Ok(table.primary_key.iter().copied().chain(set.iter().map(|(column, _)| *column)).collect())
}

/// Computes what becomes of a row, of which these columns were read, as every store computes it.
///
/// # Errors
/// As the evaluator says.
pub(crate) fn computed(table: &Table, set: &[(ColumnId, Assign)], row: &[Value]) -> Result<Computed, StoreError> {
    let (old_key, old) = row.split_at(table.primary_key.len());
    let mut computed = Computed { old_key: old_key.to_vec(), new_key: old_key.to_vec(), set: Vec::new() };
    for ((column, assign), old) in set.iter().zip(old) {
        let new = evaluate::assign(table.column(*column), old, assign);
        let new = new.map_err(|error| StoreError::of_assignment(table, table.column(*column), error))?;
        if let Some(at) = table.primary_key.iter().position(|part| part == column) {
            computed.new_key[at] = new.clone();
        }
        computed.set.push((*column, new));
    }
    Ok(computed)
}

/// Refuses null where a value must be: a server would take it for the wish for a number, or tell of another column.
///
/// # Errors
/// [`StoreError::NotNull`].
pub(crate) fn check_not_null(table: &Table, plan: &Insert) -> Result<(), StoreError> {
    let is_required = |column: &&mainstay_schema::Column| !column.optional || table.primary_key.contains(&column.id);
    for row in &plan.rows {
        for column in table.columns.iter().filter(is_required) {
            let place = plan.columns.iter().position(|other| *other == column.id);
            let is_missing = match place.map(|place| &row[place]) {
                Some(Some(value)) => value.is_null(),
                Some(None) | None => column.default.is_none(),
            };
            if is_missing {
                return Err(StoreError::NotNull { table: table.name.clone(), column: column.name.clone() });
            }
        }
    }
    Ok(())
}

/// Refuses null where a value must be in what an update sets.
///
/// # Errors
/// [`StoreError::NotNull`].
pub(crate) fn check_set(table: &Table, set: &[(ColumnId, Value)]) -> Result<(), StoreError> {
    let is_missing = |(column, value): &&(ColumnId, Value)| {
        value.is_null() && (!table.column(*column).optional || table.primary_key.contains(column))
    };
    match set.iter().find(is_missing) {
        Some((column, _)) => {
            let column = table.column(*column).name.clone();
            Err(StoreError::NotNull { table: table.name.clone(), column })
        }
        None => Ok(()),
    }
}
