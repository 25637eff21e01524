//! What would be run for a write, as commands that could be sent. What the write computes from rows is not known before
//! they are read, and is shown as such.

use mainstay_query::plan::{Delete, Insert, Update, UpdateEach, Write};
use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::{Call, Explanation, StoreError};
use mongodb::bson::{Bson, Document, doc};

use super::counters::sequence;
use super::insert::made;
use super::keys;
use super::references::references_to;
use crate::mongo::link::Link;
use crate::mongo::migrate::print;
use crate::mongo::{names, types};

/// Most documents of an insert that are shown.
const SHOWN_MAX: usize = 100;

/// What the server would be sent for a write.
pub(in crate::mongo) async fn explain(_: &Link, call: &Call, plan: &Write) -> Result<Explanation, StoreError> {
    let mut told = Explanation { statements: Vec::new(), details: Vec::new() };
    statements(&call.schema, plan, &mut told)?;
    Ok(told)
}

fn statements(schema: &Schema, plan: &Write, told: &mut Explanation) -> Result<(), StoreError> {
    match plan {
        Write::Insert(plan) => insert(schema, plan, told),
        Write::Update(plan) => update(schema, plan, told),
        Write::UpdateEach(plan) => each(schema, plan, told),
        Write::Delete(plan) => delete(schema, plan, told),
        Write::Nested(plan) => plan.parts.iter().try_for_each(|part| insert(schema, &part.insert, told)),
        Write::Batch(plans) => plans.iter().try_for_each(|plan| statements(schema, plan, told)),
        Write::Run(_) => Ok(()),
    }
}

fn insert(schema: &Schema, plan: &Insert, told: &mut Explanation) -> Result<(), StoreError> {
    let table = schema.table(plan.table);
    let numbered = sequence(table);
    let given = |column: ColumnId, cells: &[Option<Value>]| {
        plan.columns.iter().position(|other| *other == column).and_then(|at| cells[at].clone())
    };
    let mut documents: Vec<Bson> = Vec::new();
    for cells in plan.rows.iter().take(SHOWN_MAX) {
        let new = made(schema.found().is_some(), table, &plan.columns, cells)?;
        let mut document =
            Document::try_from(new.document.as_ref()).map_err(|error| StoreError::Internal(Box::new(error)))?;
        if let Some(column) = numbered.filter(|column| given(column.id, cells).is_none()) {
            document.remove(names::field(table, column.id));
        }
        documents.push(document.into());
    }
    if plan.rows.len() > SHOWN_MAX {
        told.details.push(format!("{}: {} more documents", table.name, plan.rows.len() - SHOWN_MAX));
    }
    told.statements.push(print(&doc! { "insert": &*table.name, "documents": documents }));
    if let Some(column) = numbered.filter(|column| plan.rows.iter().any(|cells| given(column.id, cells).is_none())) {
        told.details.push(format!("{}: numbers for {} are taken first", table.name, column.name));
    }
    if let Some(conflict) = &plan.conflict {
        let names: Vec<&str> = conflict.target.iter().map(|column| &*table.column(*column).name).collect();
        let what = if conflict.merge.is_some() { "are merged" } else { "are skipped" };
        told.details.push(format!("{}: rows whose {} is there {what}", table.name, names.join(", ")));
    }
    pointing(table, told);
    Ok(())
}

fn update(schema: &Schema, plan: &Update, told: &mut Explanation) -> Result<(), StoreError> {
    let table = schema.table(plan.table);
    let mut set = Document::new();
    for (column, assign) in &plan.set {
        let name = names::field(table, *column);
        match assign.as_value() {
            Some(value) => drop(set.insert(name, types::keep(table, table.column(*column), value)?)),
            None => told.details.push(format!("{}: {name} is computed from what each row holds", table.name)),
        }
    }
    let update = doc! { "q": named(table, &plan.filter, told)?, "u": { "$set": set }, "collation": keys::collation() };
    told.statements.push(print(&doc! { "update": &*table.name, "updates": [update] }));
    pointing(table, told);
    pointed_at(schema, table, told);
    Ok(())
}

fn each(schema: &Schema, plan: &UpdateEach, told: &mut Explanation) -> Result<(), StoreError> {
    plan.rows.iter().take(SHOWN_MAX).try_for_each(|change| update(schema, &plan.update(change), told))
}

fn delete(schema: &Schema, plan: &Delete, told: &mut Explanation) -> Result<(), StoreError> {
    let table = schema.table(plan.table);
    let delete = doc! { "q": named(table, &plan.filter, told)?, "limit": 0, "collation": keys::collation() };
    told.statements.push(print(&doc! { "delete": &*table.name, "deletes": [delete] }));
    pointed_at(schema, table, told);
    Ok(())
}

/// The documents that a write goes to: by its key, or by the keys of rows that are looked for first.
fn named(table: &Table, filter: &mainstay_query::plan::Filter, told: &mut Explanation) -> Result<Document, StoreError> {
    match keys::known(table, filter) {
        Some((key, mainstay_query::plan::Filter::True)) => keys::one(table, &table.primary_key, &key),
        _ => {
            told.details.push(format!("{}: the rows are looked for first, and then written by their keys", table.name));
            let fields = table.primary_key.iter().map(|column| names::field(table, *column).to_owned());
            Ok(fields.map(|field| (field, Bson::from(doc! { "$in": Vec::<Bson>::new() }))).collect())
        }
    }
}

fn pointing(table: &Table, told: &mut Explanation) {
    for reference in &table.references {
        told.details.push(format!("{}: what {} points at is looked for", table.name, reference.name));
    }
}

fn pointed_at(schema: &Schema, table: &Table, told: &mut Explanation) {
    for (owner, reference) in references_to(schema, table.id) {
        told.details.push(format!("{}: rows that point at it by {} are looked for", owner.name, reference.name));
    }
}
