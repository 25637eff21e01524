//! What lies between two schemas: the steps that lead from one to the other, in an order that can be carried out.
//!
//! It knows no engine. A store turns the steps into its own statements, or rebuilds a table whose steps it cannot do one
//! by one. Descriptions, access rules, checks and most defaults are no business of stores, so they are no difference
//! here; internal tables are left out.

mod conversion;
mod order;
mod pair;
mod step;
mod table;

use std::collections::HashSet;

use crate::model::{Schema, Table, TableKind};

pub use pair::TablePair;
pub use step::{ColumnChange, ReferenceDefinition, Step, StepKind};

/// The way from one schema to another.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct Diff {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// The tables that both schemas have, in the order of the new one, whether changed or not.
    pub kept: Vec<TablePair>,
}

impl Diff {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether any step loses data. Steps that may be refused are not destructive: they change nothing then.
    pub fn is_destructive(&self) -> bool {
        self.steps.iter().any(Step::is_destructive)
    }
}

/// What leads from `old` to `new`. Renames are declared by `was` and never guessed; a `was` that is done already, or
/// names what never was, means nothing.
pub fn diff(old: &Schema, new: &Schema) -> Diff {
    let kept = pair::tables(old, new);
    let mut phases = Phases::default();
    gone_and_new_tables(old, new, &kept, &mut phases);
    for pair in &kept {
        table::compare(&table::Sides { old, new, kept: &kept, pair }, &mut phases);
    }
    let views_differ = views(old) != views(new);
    let mut steps = phases.into_steps();
    if !steps.is_empty() || views_differ {
        steps = around_views(old, new, steps);
    }
    Diff { steps, kept }
}

/// Steps by the time at which they can be carried out; what comes first frees names and objects for what comes later.
#[derive(Default)]
struct Phases {
    drop_constraints: Vec<Step>,
    drop_tables: Vec<Step>,
    rename_tables: Vec<Step>,
    create_tables: Vec<Step>,
    drop_columns: Vec<Step>,
    rename_columns: Vec<Step>,
    add_columns: Vec<Step>,
    change_columns: Vec<Step>,
    primary_keys: Vec<Step>,
    add_keys: Vec<Step>,
    add_references: Vec<Step>,
    add_indexes: Vec<Step>,
}

impl Phases {
    fn into_steps(self) -> Vec<Step> {
        [
            self.drop_constraints,
            self.drop_tables,
            self.rename_tables,
            self.create_tables,
            self.drop_columns,
            self.rename_columns,
            self.add_columns,
            self.change_columns,
            self.primary_keys,
            self.add_keys,
            self.add_references,
            self.add_indexes,
        ]
        .concat()
    }
}

/// Tables that a person declared and a store keeps.
fn stored(schema: &Schema) -> impl Iterator<Item = &Table> {
    schema.tables().iter().filter(|table| !table.internal && table.kind == TableKind::Table)
}

fn gone_and_new_tables(old: &Schema, new: &Schema, kept: &[TablePair], phases: &mut Phases) {
    let kept_old: HashSet<_> = kept.iter().map(|pair| pair.old).collect();
    let kept_new: HashSet<_> = kept.iter().map(|pair| pair.new).collect();
    let gone: Vec<&Table> = stored(old).filter(|table| !kept_old.contains(&table.id)).collect();
    // What is pointed at goes last, and comes first.
    for table in order::targets_first(&gone).into_iter().rev() {
        let loss = format!("all rows of {} are lost", table.name);
        phases.drop_tables.push(Step::new(StepKind::DropTable { table: table.name.clone() }).losing(loss));
    }
    let fresh: Vec<&Table> = stored(new).filter(|table| !kept_new.contains(&table.id)).collect();
    for table in order::targets_first(&fresh) {
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        phases.create_tables.push(Step::new(StepKind::CreateTable { table: table.name.clone(), columns }));
    }
}

/// What a store knows of a view: its name, its query and its columns.
type StoredView<'a> = (&'a str, &'a str, Vec<&'a str>);

fn views(schema: &Schema) -> Vec<StoredView<'_>> {
    let mut views: Vec<StoredView<'_>> = order::views(schema)
        .into_iter()
        .map(|(table, sql)| (&*table.name, sql, table.columns.iter().map(|column| &*column.name).collect()))
        .collect();
    views.sort();
    views
}

/// Views read tables in ways that only the store understands: they make way for every change and come back after it.
fn around_views(old: &Schema, new: &Schema, steps: Vec<Step>) -> Vec<Step> {
    let drop = |(table, _): &(&Table, &str)| Step::new(StepKind::DropView { view: table.name.clone() });
    let create = |(table, _): &(&Table, &str)| Step::new(StepKind::CreateView { view: table.name.clone() });
    let dropped = order::views(old).iter().rev().map(drop).collect();
    let created = order::views(new).iter().map(create).collect();
    [dropped, steps, created].concat()
}

#[cfg(test)]
mod tests;
