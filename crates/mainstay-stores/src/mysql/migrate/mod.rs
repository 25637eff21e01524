//! Changing the tables, statement by statement: neither server changes tables in transactions.
//!
//! ```text
//! mod.rs        two schemas → statements       statements.rs  a file → its statements
//! table.rs      one table that stays           ledger.rs      which were carried out, and what is left to do
//! convert.rs    values of another type
//! ```
//!
//! A table that stays is compared part by part ([`Shape`]) and changed by as few statements as can be, each of which
//! happens whole or not at all. Each says what others may do meanwhile: `LOCK=NONE` where they may write, so that a
//! server that would have to copy the table refuses; `ALGORITHM=COPY` where there is no way around it.

mod convert;
mod ledger;
mod statements;
mod table;

use mainstay_schema::diff::{Step, StepKind, TablePair, diff};
use mainstay_schema::{Schema, Table};
use mainstay_store::MigrationPlan;

use super::render::ddl::{self, Shape, quoted};
pub use ledger::{applied, apply, prepare};
pub(super) use statements::statements;
use table::{Kept, Stage};

/// What the connection of a migration is told: that quotes and bars mean what the standard says, in the queries of views
/// and the conditions of indexes; and that it does not wait long for a table that others use, since whoever waits for it
/// blocks everybody who comes later.
pub(super) const SETTINGS: &str =
    "SET lock_wait_timeout = 2, sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES,PIPES_AS_CONCAT')";

/// The way from one schema to another.
pub fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
    let diff = diff(old, new);
    let renamed = renamed(old, new, &diff.kept);
    let kept: Vec<Kept<'_>> = diff.kept.iter().map(|pair| Kept::new(old, &renamed, new, pair)).collect();
    let way = Way { kept: &kept };

    let mut first = Vec::new();
    let mut tables = Vec::new();
    let mut views = Vec::new();
    let mut created: Vec<&Table> = Vec::new();
    for step in &diff.steps {
        match &step.kind {
            StepKind::DropView { view } => first.push(format!("DROP VIEW {}", quoted(view))),
            StepKind::DropTable { table } => {
                tables.push(format!("DROP TABLE {}{}", ddl::if_own(table, "IF EXISTS "), quoted(table)))
            }
            StepKind::RenameTable { from, to } => {
                tables.push(format!("RENAME TABLE {} TO {}", quoted(from), quoted(to)));
            }
            StepKind::CreateTable { table, .. } => created.extend(new.find(table)),
            StepKind::CreateView { view } => views.extend(new.find(view).and_then(ddl::create_view)),
            // The other steps are those of tables that stay, which are compared as they are on the server.
            _ => {}
        }
    }
    let dropped: Vec<&Table> = diff.steps.iter().filter_map(|step| dropped(old, step)).collect();
    first.extend(rings(&dropped));

    let touched: Vec<Vec<String>> = kept.iter().map(|table| way.touched(table)).collect();
    for (table, references) in kept.iter().zip(&touched) {
        first.extend(table.drop_references(references));
    }
    let mut later = Vec::new();
    for table in &created {
        let shape = Shape::of(new, table);
        let is_later = |name: &str| {
            let found = table.references.iter().find(|reference| ddl::native_name(&reference.name) == name);
            found.is_some_and(|reference| !way.is_there(&created, table, reference.target))
        };
        tables.push(shape.create(&table.name, is_later));
        later.extend(table::add_references(&table.name, &shape, &is_later));
    }
    let mut statements = first;
    statements.extend(tables);
    for table in &kept {
        statements.extend(table.statements(Stage::Columns));
    }
    for table in &kept {
        statements.extend(table.statements(Stage::Keys));
    }
    statements.extend(later);
    for (table, references) in kept.iter().zip(&touched) {
        statements.extend(table.add_references(references));
    }
    statements.extend(views);

    let mut steps: Vec<String> = diff.steps.iter().map(Step::in_words).collect();
    for (table, references) in kept.iter().zip(&touched) {
        if table.is_copied(references) {
            steps.push(format!("copy the rows of {}, which can be read and not written meanwhile", table.new.name));
        }
    }
    let losses = diff.steps.iter().filter(|step| step.is_destructive()).filter_map(|step| step.loss.clone());
    let sql = statements.into_iter().map(|statement| statement + ";\n").collect();
    MigrationPlan { sql, steps, losses: losses.collect() }
}

/// All that stays.
struct Way<'w> {
    kept: &'w [Kept<'w>],
}

impl Way<'_> {
    /// Names of the references of a table that must make way and come back, or are gone or new: a column of theirs
    /// becomes another, or the key that they point at does.
    fn touched(&self, table: &Kept<'_>) -> Vec<String> {
        let is_same = |name: &String| table.before.references.get(name) == table.after.references.get(name);
        let mut names: Vec<String> = table.before.references.keys().filter(|name| !is_same(name)).cloned().collect();
        names
            .extend(table.after.references.keys().filter(|name| !table.before.references.contains_key(*name)).cloned());
        for reference in &table.new.references {
            let name = ddl::native_name(&reference.name).into_owned();
            let target = self.kept.iter().find(|kept| kept.new.id == reference.target);
            let is_moved = table.changes_type(&reference.columns)
                || target.is_some_and(|target| {
                    target.changes_type(&reference.target_columns) || target.changes_key(&reference.target_columns)
                });
            if is_moved && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Whether a table is there, as it will be, when another one is made.
    fn is_there(&self, created: &[&Table], table: &Table, target: mainstay_schema::TableId) -> bool {
        let place = |id| created.iter().position(|other| other.id == id);
        match (place(target), place(table.id)) {
            (Some(target), Some(table)) => target <= table,
            _ => self.kept.iter().any(|kept| kept.new.id == target && kept.before == kept.after),
        }
    }
}

fn dropped<'s>(old: &'s Schema, step: &Step) -> Option<&'s Table> {
    match &step.kind {
        StepKind::DropTable { table } => old.find(table),
        _ => None,
    }
}

/// Statements that part tables which all go and point at one another, so that each can go on its own.
fn rings(dropped: &[&Table]) -> Vec<String> {
    let mut statements = Vec::new();
    for (at, table) in dropped.iter().enumerate() {
        let earlier = |target| dropped[..at].iter().any(|other| other.id == target);
        for reference in table.references.iter().filter(|reference| earlier(reference.target)) {
            let (table, name) = (quoted(&table.name), quoted(&ddl::native_name(&reference.name)));
            statements.push(format!("ALTER TABLE {table} DROP FOREIGN KEY {name}, LOCK=NONE"));
        }
    }
    statements
}

/// The old schema in the names of the new one; what goes has names that nothing else has.
fn renamed(old: &Schema, new: &Schema, kept: &[TablePair]) -> Schema {
    let gone = |name: &str| format!("\0{name}").into();
    let rename = |table: &Table| {
        let mut table = table.clone();
        let Some(pair) = kept.iter().find(|pair| pair.old == table.id) else {
            table.name = gone(&table.name);
            return table;
        };
        let now = new.table(pair.new);
        table.name = now.name.clone();
        for column in &mut table.columns {
            column.name = match pair.new_column(column.id) {
                Some(id) => now.column(id).name.clone(),
                None => gone(&column.name),
            };
        }
        table
    };
    let tables = old.tables().iter().map(rename).collect();
    match old.found() {
        Some(found) => Schema::of_found(tables, found.clone()),
        None => Schema::new(tables),
    }
}

#[cfg(test)]
mod tests;
