//! Tables that Mainstay made in a database which is now served as it is found: they are what was declared, with the names
//! and types that no collection tells, as long as the collections still are what was declared.

use mainstay_schema::found::{FoundColumn, FoundTable};
use mainstay_schema::{Access, Reference, Schema, Table, TableId};
use mainstay_store::StoreError;

use super::super::link::Link;
use super::super::{migrate, proof};

/// The schema of the last migration; nothing where there was none, or another program has changed the collections since.
///
/// # Errors
/// As the server says.
pub(super) async fn recorded(link: &Link) -> Result<Option<Schema>, StoreError> {
    let Some(last) = migrate::applied(link).await?.pop() else { return Ok(None) };
    let Ok(schema) = Schema::from_json(&last.schema) else { return Ok(None) };
    Ok(proof::drift(link, &schema).await?.is_empty().then_some(schema))
}

/// A declared table as one that was found.
pub(super) fn table(declared: &Table, id: TableId) -> (Table, FoundTable) {
    let about =
        |column: &mainstay_schema::Column| FoundColumn { declared: column.ty.to_string(), ..Default::default() };
    let columns = declared.columns.iter().map(about).collect();
    let table = Table { id, access: Access::default(), references: Vec::new(), ..declared.clone() };
    (table, FoundTable { columns, ..FoundTable::default() })
}

/// Gives the tables their references, once it is known where each of them stands.
pub(super) fn link_up(tables: &mut [Table], recorded: &Schema) {
    let place = |name: &str| recorded.find(name).map(|table| table.id);
    let ids: Vec<(TableId, Option<TableId>)> = tables.iter().map(|table| (table.id, place(&table.name))).collect();
    let now = |old: TableId| ids.iter().find(|(_, place)| *place == Some(old)).map(|(id, _)| *id);
    for table in tables {
        let Some(declared) = recorded.find(&table.name) else { continue };
        let moved = |one: &Reference| Some(Reference { target: now(one.target)?, ..one.clone() });
        table.references = declared.references.iter().filter_map(moved).collect();
    }
}
