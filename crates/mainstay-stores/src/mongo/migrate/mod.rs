//! Changing the collections, command by command: MongoDB changes none in transactions.
//!
//! ```text
//! mod.rs     two schemas → commands        text.rs    a file → its commands
//! shape.rs   a table as a collection       run.rs     a command → what the server does
//! table.rs   one table that stays          convert.rs values of another type
//! ledger.rs  which were carried out, and what is left to do
//! ```
//!
//! A collection that stays is compared part by part ([`Shape`]). Its fields are changed by updates that do nothing when
//! they are run again; then it gets its new rules, which hold for all documents only once none breaks them.

mod convert;
mod ledger;
mod run;
mod shape;
mod table;
mod text;

use mainstay_schema::diff::{Step, StepKind, diff};
use mainstay_schema::{DefaultValue, Schema, Table};
use mainstay_store::{Migrated, Migration, MigrationPlan, StoreError};
use mongodb::bson::{Document, doc};

use super::link::Link;
use super::ours::COUNTERS;
pub(super) use run::Runner;
pub(super) use shape::{Shape, least, refusals};
use table::Kept;
pub(super) use text::{commands, print};

/// The way from one schema to another.
pub fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
    let diff = diff(old, new);
    let kept: Vec<Kept<'_>> = diff.kept.iter().map(|pair| Kept::new(old, new, pair)).collect();
    let mut lines = Lines::default();
    for table in &kept {
        table.make_way(&mut lines);
    }
    for step in &diff.steps {
        match &step.kind {
            StepKind::DropTable { table } => {
                lines.say(&step.in_words());
                lines.add(doc! { "drop": &**table });
                if old.find(table).is_some_and(is_counted) {
                    lines.add(doc! { "delete": COUNTERS, "deletes": [{ "q": { "_id": &**table }, "limit": 1 }] });
                }
            }
            StepKind::RenameTable { from, to } => {
                lines.say(&step.in_words());
                lines.add(doc! { "renameCollection": &**from, "to": &**to });
                if old.find(from).is_some_and(is_counted) {
                    // A number that is left under the new name, by a table that had it before, may be larger.
                    lines.add(count_on(from, to));
                    lines.add(doc! { "delete": COUNTERS, "deletes": [{ "q": { "_id": &**from }, "limit": 1 }] });
                }
            }
            StepKind::CreateTable { table, .. } => {
                if let Some(table) = new.find(table) {
                    create(&mut lines, new, table);
                }
            }
            // The other steps are those of tables that stay, which are compared as they are on the server.
            _ => {}
        }
    }
    for table in &kept {
        table.change(&mut lines);
    }
    let mut steps: Vec<String> = diff.steps.iter().map(Step::in_words).collect();
    for table in kept.iter().filter(|table| table.is_copied()) {
        steps.push(format!("copy the documents of {}; what others write to it meanwhile is lost", table.new.name));
    }
    let losses = diff.steps.iter().filter(|step| step.is_destructive()).filter_map(|step| step.loss.clone());
    MigrationPlan { sql: lines.0, steps, losses: losses.collect() }
}

/// Makes what Mainstay keeps for itself in the database, where it is missing.
///
/// # Errors
/// As the server says.
pub(super) async fn prepare(link: &Link) -> Result<(), StoreError> {
    prepare_by(&Runner::new(link.database())).await
}

/// The same, in the database of a runner.
pub(super) async fn prepare_by(runner: &Runner) -> Result<(), StoreError> {
    ledger::prepare(runner).await
}

/// Carries out a migration and remembers it.
///
/// # Errors
/// [`StoreError::Migration`] if a command is refused.
pub(super) async fn apply(link: &Link, migration: &Migration) -> Result<(), StoreError> {
    ledger::apply(&Runner::new(link.database()), migration).await
}

/// The migrations that were applied, oldest first.
///
/// # Errors
/// As the server says.
pub(super) async fn applied(link: &Link) -> Result<Vec<Migrated>, StoreError> {
    ledger::applied(link.database()).await
}

/// The text of a migration in the making.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Words for people.
    fn say(&mut self, words: &str) {
        // A line break in a name would end the comment.
        self.0.push_str(&format!("// {}\n", words.replace(['\n', '\r'], " ")));
    }

    fn add(&mut self, command: Document) {
        self.0.push_str(&text::print(&command));
        self.0.push('\n');
    }
}

fn is_counted(table: &Table) -> bool {
    table.columns.iter().any(|column| column.default == Some(DefaultValue::Sequence))
}

/// Has a counter that meets another take the larger number, for `$merge`.
fn larger() -> Vec<Document> {
    vec![doc! { "$set": { "n": { "$max": ["$n", "$$new.n"] } } }]
}

/// Has the numbers of a table go on under its new name.
fn count_on(from: &str, to: &str) -> Document {
    doc! {
        "aggregate": COUNTERS,
        "pipeline": [
            { "$match": { "_id": from } },
            { "$set": { "_id": to } },
            { "$merge": { "into": COUNTERS, "whenMatched": larger() } },
        ],
        "cursor": {},
    }
}

/// Makes a collection.
fn create(lines: &mut Lines, schema: &Schema, table: &Table) {
    let shape = Shape::of(schema, table);
    let columns: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
    lines.say(&format!("create table {} ({})", table.name, columns.join(", ")));
    lines.add(doc! {
        "create": &*table.name, "validator": shape.validator(), "validationLevel": "strict", "validationAction": "error",
    });
    index(lines, &table.name, shape.indexes.values().cloned().collect());
}

/// Makes indexes; none, no command.
fn index(lines: &mut Lines, collection: &str, indexes: Vec<Document>) {
    if !indexes.is_empty() {
        lines.add(doc! { "createIndexes": collection, "indexes": indexes });
    }
}

/// The commands that make the collections which Mainstay keeps for itself in every project.
fn internal() -> Vec<Document> {
    // A project without files has the internal tables and nothing else.
    let schema = mainstay_schema::load::load(&[]).unwrap_or_default();
    let mut lines = Lines::default();
    schema.tables().iter().filter(|table| table.internal).for_each(|table| create(&mut lines, &schema, table));
    text::commands(&lines.0).unwrap_or_default()
}

#[cfg(test)]
mod tests;
