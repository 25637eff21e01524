//! Writes as SQL.

use mainstay_query::plan::{Delete, Insert, Read, Source, Update};
use mainstay_schema::{ColumnId, Reference, ReferenceAction, Schema, Table, TableId};

use super::super::types::Bind;
use super::{MemberSql, Scope, Sql};

/// A statement that writes.
pub(in crate::sqlite) struct WriteSql<'p> {
    /// The statement.
    pub(in crate::sqlite) text: String,
    /// Its parameters; those of an insert are brought by each row.
    pub(in crate::sqlite) binds: Vec<Bind<'p>>,
    /// What its result columns become, when the statement itself gives the rows back.
    pub(in crate::sqlite) returned: Returned<'p>,
}

/// How a write's rows are given back.
pub(in crate::sqlite) enum Returned<'p> {
    /// Not at all.
    Nothing,
    /// The result columns are the members.
    Members(Vec<MemberSql<'p>>),
    /// The result columns are the primary key, by which the rows are read afterwards.
    Key,
}

/// Renders an insert of one row, to be run once for each.
pub(in crate::sqlite) fn insert<'p>(schema: &'p Schema, plan: &'p Insert) -> WriteSql<'p> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(schema);
    sql.push("INSERT INTO ");
    sql.name(&table.name);
    if plan.columns.is_empty() && plan.conflict.is_none() {
        sql.push(" DEFAULT VALUES");
    } else if plan.columns.is_empty() {
        // `DEFAULT VALUES` takes no conflict clause; without columns the key is a sequence, which null asks for.
        sql.push("(");
        sql.names(table, &table.primary_key);
        sql.push(") VALUES (NULL)");
    } else {
        sql.push("(");
        sql.names(table, &plan.columns);
        sql.push(") VALUES (");
        for position in 0..plan.columns.len() {
            sql.push(if position > 0 { "," } else { "" });
            sql.bind(Bind::Later);
        }
        sql.push(")");
    }
    if let Some(conflict) = &plan.conflict {
        sql.push(" ON CONFLICT(");
        sql.names(table, &conflict.target);
        sql.push(")");
        match &conflict.merge {
            None => sql.push(" DO NOTHING"),
            Some(columns) => sql.merge(table, if columns.is_empty() { &conflict.target } else { columns }),
        }
    }
    sql.finish(table, plan.returning.as_deref())
}

/// Renders an update.
pub(in crate::sqlite) fn update<'p>(schema: &'p Schema, plan: &'p Update) -> WriteSql<'p> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(schema);
    sql.push("UPDATE ");
    let scope = sql.table(table);
    sql.push(" SET ");
    for (position, (column, value)) in plan.set.iter().enumerate() {
        sql.push(if position > 0 { "," } else { "" });
        sql.name(&table.column(*column).name);
        sql.push("=");
        sql.bind(Bind::Value(value));
    }
    sql.push(" WHERE ");
    sql.filter(scope, table, &plan.filter);
    sql.finish(table, plan.returning.as_deref())
}

/// Renders a delete. There is always a condition: without one SQLite empties the table at once, unseen by the hook
/// that feeds the changes.
pub(in crate::sqlite) fn delete<'p>(schema: &'p Schema, plan: &'p Delete) -> WriteSql<'p> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(schema);
    sql.push("DELETE FROM ");
    let scope = sql.table(table);
    sql.push(" WHERE ");
    sql.filter(scope, table, &plan.filter);
    // A deleted row cannot be read by its key afterwards: with embeds, the rows are read before, and so are rows that
    // may be gone when the statement comes to them.
    match plan.returning.as_deref() {
        Some(read) if !has_embeds(read) && !cascades_to_itself(schema, plan.table) => sql.finish(table, Some(read)),
        _ => sql.finish(table, None),
    }
}

/// Whether rows that are given back hold related rows.
pub(in crate::sqlite) fn has_embeds(read: &Read) -> bool {
    read.select.iter().any(|output| matches!(output.source, Source::Embed(_)))
}

/// Whether deleting a row of a table may delete others of it.
pub(in crate::sqlite) fn cascades_to_itself(schema: &Schema, table: TableId) -> bool {
    let mut reached = vec![table];
    let mut at = 0;
    while let Some(target) = reached.get(at).copied() {
        at += 1;
        for other in schema.tables().iter().filter(|other| other.is_writable()) {
            let is_cascade =
                |reference: &Reference| reference.target == target && reference.on_delete == ReferenceAction::Cascade;
            if !other.references.iter().any(is_cascade) {
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

impl<'p> Sql<'p> {
    fn merge(&mut self, table: &Table, columns: &[ColumnId]) {
        self.push(" DO UPDATE SET ");
        for (position, column) in columns.iter().enumerate() {
            let name = &table.column(*column).name;
            self.push(if position > 0 { "," } else { "" });
            self.name(name);
            self.push("=excluded.");
            self.name(name);
        }
    }

    fn finish(mut self, table: &Table, returning: Option<&'p Read>) -> WriteSql<'p> {
        let returned = match returning {
            None => Returned::Nothing,
            Some(read) if has_embeds(read) => {
                self.push(" RETURNING ");
                self.names(table, &table.primary_key);
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
