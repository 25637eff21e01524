//! The tables that the target is to have: as they are in the end, and as they are while rows come in.
//!
//! Meanwhile the tables lack what would be kept up for every row in vain, indexes, and what rows cannot satisfy before the
//! last of them is there: references that lead in a circle. Both are made when all rows are there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mainstay_schema::{ColumnId, Reference, Schema, Table, TableId, TableKind};

use crate::project::is_view;

/// References that no order of tables satisfies, by the names of table and constraint.
pub(super) type Circular = HashSet<(Arc<str>, Arc<str>)>;

/// A table, and the schema in which its references lead somewhere.
pub(super) struct Draft<'s> {
    pub(super) table: Table,
    pub(super) of: &'s Schema,
}

impl<'s> Draft<'s> {
    pub(super) fn new(of: &'s Schema, table: &Table) -> Draft<'s> {
        Draft { table: table.clone(), of }
    }
}

/// One schema of these tables. References to what is not among them, or is no key there, are left out and told.
pub(super) fn assemble(drafts: Vec<Draft<'_>>, notes: &mut Vec<String>) -> Schema {
    let place = |at: usize| TableId(at as u32);
    let places: HashMap<Arc<str>, usize> =
        drafts.iter().enumerate().map(|(at, draft)| (draft.table.name.clone(), at)).collect();
    let mut tables = Vec::with_capacity(drafts.len());
    for (at, draft) in drafts.iter().enumerate() {
        let mut table = draft.table.clone();
        table.id = place(at);
        table.references.clear();
        for reference in &draft.table.references {
            let old = draft.of.table(reference.target);
            let target = places.get(&old.name).map(|at| &drafts[*at].table);
            match target.and_then(|target| Some((target, same_columns(old, &reference.target_columns, target)?))) {
                Some((target, columns)) if target.is_key(&columns) || table.kind != TableKind::Table => {
                    let (target, target_columns) = (place(places[&target.name]), columns);
                    table.references.push(Reference { target, target_columns, ..reference.clone() });
                }
                // What a view shows has a reference of its own, and that the view stays behind is told by itself.
                _ if is_view(draft.of, old) => {}
                _ => notes.push(format!(
                    "the reference {} of {} is not carried over: {} is no table of the target, or its columns are no key",
                    reference.name, table.name, old.name
                )),
            }
        }
        tables.push(table);
    }
    Schema::new(tables)
}

/// The columns of the same names.
fn same_columns(old: &Table, columns: &[ColumnId], new: &Table) -> Option<Vec<ColumnId>> {
    columns.iter().map(|column| Some(new.find_column(&old.column(*column).name)?.id)).collect()
}

/// The order in which tables are filled, so that rows come after those that they refer to, and the references that no
/// order satisfies.
pub(super) fn order(schema: &Schema, tables: &[TableId]) -> (Vec<TableId>, Circular) {
    let mut left: Vec<TableId> = tables.to_vec();
    let mut filled = Vec::with_capacity(left.len());
    let mut circular = Circular::new();
    while !left.is_empty() {
        let waits = |table: &TableId| {
            let mut references = schema.table(*table).references.iter();
            references.any(|reference| reference.target != *table && left.contains(&reference.target))
        };
        let next = left.iter().position(|table| !waits(table)).unwrap_or_else(|| in_circle(schema, &left));
        let next = left.remove(next);
        let table = schema.table(next);
        let early =
            table.references.iter().filter(|reference| reference.target == next || left.contains(&reference.target));
        circular.extend(early.map(|reference| (table.name.clone(), reference.name.clone())));
        filled.push(next);
    }
    (filled, circular)
}

/// The place of a table that waits for itself by way of others, where all wait for others.
fn in_circle(schema: &Schema, left: &[TableId]) -> usize {
    let mut passed = Vec::new();
    let mut at = 0;
    while !passed.contains(&at) {
        passed.push(at);
        let here = left[at];
        let targets = schema.table(here).references.iter().map(|reference| reference.target);
        let mut next = targets.filter(|target| *target != here);
        at = next.find_map(|target| left.iter().position(|table| *table == target)).unwrap_or(at);
    }
    at
}

/// The tables while rows come in. Views that are not there yet wait for the end.
pub(super) fn bare(full: &Schema, filled: &[TableId], circular: &Circular, current: &Schema, ledger: Table) -> Schema {
    let is_there = |table: &Table| table.kind == TableKind::Table || current.find(&table.name).is_some();
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for table in full.tables().iter().filter(|table| is_there(table)) {
        let mut draft = Draft::new(full, table);
        if filled.contains(&table.id) {
            draft.table.indexes.clear();
            draft.table.fulltexts.clear();
            draft.table.references.retain(|one| !circular.contains(&(table.name.clone(), one.name.clone())));
        }
        drafts.push(draft);
    }
    drafts.push(Draft { table: ledger, of: full });
    assemble(drafts, &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load};

    use super::*;

    fn schema(text: &str) -> Schema {
        load(&[SourceFile { path: "schema/all.toml".into(), text: text.to_owned() }]).unwrap()
    }

    const CIRCLE: &str = r#"
[staff.fields]
id    = { type = "int", primary = true }
boss  = { ref = "staff", optional = true }
shop  = { ref = "shops" }
[staff.indexes]
by_shop = ["shop"]
[shops.fields]
id      = { type = "int", primary = true }
manager = { ref = "staff", optional = true }
[sales.fields]
id   = { type = "int", primary = true }
shop = { ref = "shops" }
"#;

    fn names(schema: &Schema, tables: &[TableId]) -> Vec<String> {
        tables.iter().map(|table| schema.table(*table).name.to_string()).collect()
    }

    #[test]
    fn rows_come_after_those_that_they_refer_to_unless_they_go_in_a_circle() {
        let schema = schema(CIRCLE);
        let id = |name: &str| schema.find(name).unwrap().id;
        let (filled, circular) = order(&schema, &[id("sales"), id("staff"), id("shops")]);
        assert_eq!(filled.len(), 3);
        let at = |name: &str| names(&schema, &filled).iter().position(|other| other == name).unwrap();
        assert!(at("shops") < at("sales"), "{:?}", names(&schema, &filled));
        let broken: Vec<&str> = circular.iter().map(|(table, _)| &**table).collect();
        assert!(broken.contains(&"staff") && circular.len() == 2, "{circular:?}");
        // What is there already is waited for by nobody.
        let (filled, circular) = order(&schema, &[id("sales")]);
        assert_eq!((names(&schema, &filled), circular.len()), (vec!["sales".to_owned()], 0));
    }

    #[test]
    fn a_reference_to_what_is_not_there_is_left_out_and_told() {
        let schema = schema(CIRCLE);
        let drafts = ["sales", "staff"].map(|name| Draft::new(&schema, schema.find(name).unwrap()));
        let mut notes = Vec::new();
        let made = assemble(drafts.into(), &mut notes);
        assert!(made.find("sales").unwrap().references.is_empty());
        assert_eq!(made.find("staff").unwrap().references.len(), 1, "its own");
        assert_eq!(made.find("staff").unwrap().references[0].target, TableId(1));
        assert_eq!(notes.len(), 2, "{notes:?}");
    }
}
