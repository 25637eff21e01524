//! Writes as SQL.

use mainstay_query::plan::{Assign, Conflict, Delete, Expect, Filter, Insert, Read, Update};
use mainstay_schema::{Column, ColumnId, Reference, ReferenceAction, Schema, Table, TableId};
use mainstay_store::StoreError;

use super::dialect::Dialect;
use super::{Bind, MemberSql, Scope, Sql};

/// A statement that writes.
pub(crate) struct WriteSql<'p, D: Dialect> {
    /// The statement.
    pub(crate) text: String,
    /// Its parameters; those of an insert are brought by each row.
    pub(crate) binds: Vec<Bind<'p, D>>,
    /// What its result columns become, when the statement itself gives the rows back.
    pub(crate) returned: Returned<'p, D>,
}

/// How a write's rows are given back.
pub(crate) enum Returned<'p, D: Dialect> {
    /// Not at all.
    Nothing,
    /// The result columns are the members.
    Members(Vec<MemberSql<'p, D>>),
    /// The result columns are the primary key, by which the rows are read afterwards.
    Key,
}

/// Refuses what affected more or other rows than it may.
///
/// # Errors
/// [`StoreError::Unexpected`].
pub(crate) fn check_expect(expect: Expect, affected: u64) -> Result<(), StoreError> {
    if expect.single && affected != 1 {
        return Err(StoreError::Unexpected { affected, single: true });
    }
    if expect.affected_max.is_some_and(|most| affected > most) {
        return Err(StoreError::Unexpected { affected, single: false });
    }
    Ok(())
}

/// Renders an insert of one row, to be run once for each.
pub(crate) fn insert<'p, D: Dialect>(dialect: D, schema: &'p Schema, plan: &'p Insert) -> WriteSql<'p, D> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(dialect, schema);
    sql.push("INSERT INTO ");
    D::table(&mut sql, table);
    if plan.columns.is_empty() {
        D::no_values(&mut sql, table, plan);
    } else {
        sql.push("(");
        sql.names(table, &plan.columns);
        sql.push(")");
        D::values(&mut sql, table, plan);
    }
    if let Some(conflict) = &plan.conflict {
        D::conflict(&mut sql, table, conflict);
    }
    let merged = plan.conflict.as_ref().map(merged_columns).unwrap_or_default();
    let is_unsettled = updates_reach_itself(schema, plan.table, merged);
    sql.finish(table, plan.returning.as_deref(), is_unsettled)
}

/// Renders an update.
pub(crate) fn update<'p, D: Dialect>(dialect: D, schema: &'p Schema, plan: &'p Update) -> WriteSql<'p, D> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(dialect, schema);
    sql.push("UPDATE ");
    let scope = sql.table(table);
    sql.push(" SET ");
    for (position, (column, assign)) in plan.set.iter().enumerate() {
        sql.comma(position);
        sql.name(&table.column(*column).name);
        sql.push("=");
        match assign {
            Assign::Value(value) => D::stored(&mut sql, table, *column, |sql| sql.bind(Bind::Value(value))),
            _ => D::assign(&mut sql, scope, table, *column, assign, position),
        }
    }
    sql.push(" WHERE ");
    sql.filter(scope, table, &plan.filter);
    let is_unsettled = updates_reach_itself(schema, plan.table, plan.set.iter().map(|(column, _)| *column));
    sql.finish(table, plan.returning.as_deref(), is_unsettled)
}

/// Renders a delete. There is always a condition: without one an engine may empty the table at once, unseen by
/// whoever follows the changes of rows.
pub(crate) fn delete<'p, D: Dialect>(dialect: D, schema: &'p Schema, plan: &'p Delete) -> WriteSql<'p, D> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(dialect, schema);
    let scope = D::delete_from(&mut sql, table);
    sql.push(" WHERE ");
    sql.filter(scope, table, &plan.filter);
    // A deleted row cannot be read by its key afterwards: with embeds, the rows are read before, and so are rows that
    // may be gone or changed when the statement comes to them.
    match plan.returning.as_deref() {
        Some(read)
            if !is_read_apart(read) && !has_triggers(schema, table) && !deletes_reach_itself(schema, plan.table) =>
        {
            sql.finish(table, Some(read), false)
        }
        _ => sql.finish(table, None, false),
    }
}

/// The columns that a merge really sets: those of the key that decides are equal already, and setting a key makes
/// an engine do what references say of a change.
pub(crate) fn merged_columns(conflict: &Conflict) -> Vec<ColumnId> {
    let merged = conflict.merge.iter().flatten().copied();
    merged.filter(|column| !conflict.target.contains(column)).collect()
}

/// Whether statements of the file itself run when rows of the table change.
pub(crate) fn has_triggers(schema: &Schema, table: &Table) -> bool {
    schema.found().and_then(|found| found.table(table.id)).is_some_and(|about| about.has_triggers)
}

/// Whether rows that are given back are read by a statement of their own: because they hold related rows, or because
/// not all of them are given back.
pub(crate) fn is_read_apart(read: &Read) -> bool {
    read.filter != Filter::True || read.select.iter().any(|output| output.source.embed().is_some())
}

/// Whether deleting a row of a table may delete or change others of it, by its own references or through other tables.
pub(crate) fn deletes_reach_itself(schema: &Schema, table: TableId) -> bool {
    reaches_itself(schema, table, |reference| reference.on_delete)
}

/// Whether setting these columns may change other rows of the table, or more of the same row.
fn updates_reach_itself(schema: &Schema, table: TableId, columns: impl IntoIterator<Item = ColumnId>) -> bool {
    let mut columns = columns.into_iter();
    let is_key = |column: &ColumnId| {
        let references = schema.tables().iter().flat_map(|other| &other.references);
        let mut to_here = references.filter(|reference| reference.target == table);
        to_here.any(|reference| reference.target_columns.contains(column))
    };
    columns.any(|column| is_key(&column)) && reaches_itself(schema, table, |reference| reference.on_update)
}

/// Whether what references do leads from a table back to it.
fn reaches_itself(schema: &Schema, table: TableId, action: impl Fn(&Reference) -> ReferenceAction) -> bool {
    let mut reached = vec![table];
    let mut at = 0;
    while let Some(target) = reached.get(at).copied() {
        at += 1;
        for other in schema.tables().iter().filter(|other| other.is_writable()) {
            let acts =
                |reference: &Reference| reference.target == target && action(reference) != ReferenceAction::Restrict;
            if !other.references.iter().any(acts) {
                continue;
            }
            if other.id == table {
                return true;
            }
            if !reached.contains(&other.id) {
                reached.push(other.id);
            }
        }
    }
    false
}

impl<'p, D: Dialect> Sql<'p, D> {
    pub(super) fn merge(&mut self, table: &Table, columns: &[ColumnId]) {
        self.push(" DO UPDATE SET ");
        if columns.is_empty() {
            // Nothing to set, but the row counts and is given back: set something to itself, best what no key holds.
            let is_plain = |column: &&Column| !table.primary_key.contains(&column.id);
            let column = table.columns.iter().find(is_plain).or(table.columns.first());
            let name = column.map_or("", |column| &column.name);
            self.name(name);
            self.push("=");
            self.name(&table.name);
            self.push(".");
            self.name(name);
        }
        for (position, column) in columns.iter().enumerate() {
            let name = &table.column(*column).name;
            self.comma(position);
            self.name(name);
            self.push("=excluded.");
            self.name(name);
        }
    }

    /// Adds what is given back. Rows that are `unsettled`, because references may change them before the statement is
    /// over, are read by their key when it is.
    pub(crate) fn finish(mut self, table: &'p Table, returning: Option<&'p Read>, unsettled: bool) -> WriteSql<'p, D> {
        let returned = match returning {
            None => Returned::Nothing,
            Some(read) if unsettled || has_triggers(self.schema, table) || is_read_apart(read) => {
                self.push(" RETURNING ");
                self.key_names(table);
                Returned::Key
            }
            Some(read) => {
                self.push(" RETURNING ");
                Returned::Members(self.members(Scope::Bare, table, read))
            }
        };
        WriteSql { text: self.text, binds: self.binds, returned }
    }
}
