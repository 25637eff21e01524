//! What was declared to a [`Schema`](crate::model::Schema).

use std::collections::HashMap;

use super::columns::column;
use super::declared::DeclaredTable;
use super::indexes::{TableIndexes, table_indexes};
use super::keys::{TableKeys, table_keys};
use super::references::{self, Resolved};
use super::resolve::Tables;
use super::source::{Located, Mistakes, Place};
use crate::ids::{ColumnId, TableId};
use crate::model::{Column, Key, Reference, Rule, Table, TableKind, Texts};
use crate::types::Type;

/// Brings everything together. `None` if a type could not be made out, which is a mistake already noted.
pub(super) fn build(tables: &Tables<'_>, mistakes: &mut Mistakes) -> Option<Built> {
    let keys: Vec<TableKeys> = tables.declared.iter().map(|table| table_keys(table, mistakes)).collect();
    let references = references::all(tables, &keys, mistakes);
    let types = references::field_types(tables, &references, mistakes);
    for reference in &references {
        references::check(tables, &types, reference, mistakes);
    }
    let typed = tables.declared.iter().zip(&types);
    let indexes: Vec<_> = typed.map(|(table, types)| table_indexes(table, types, mistakes)).collect();
    check_store_names(tables, &keys, &references, &indexes, mistakes);

    let object_ids = references::object_ids(tables, &references);
    let is_loose = |reference: &&Resolved<'_>| reference.is_loose(tables);
    let (far, near): (Vec<&Resolved<'_>>, Vec<&Resolved<'_>>) = references.iter().partition(is_loose);
    let mut built = Vec::with_capacity(tables.declared.len() + 1);
    for (at, declared) in tables.declared.iter().enumerate() {
        if declared.is_found {
            continue;
        }
        check_view(declared, mistakes);
        let columns = table_columns(declared, &types[at], &keys[at].primary, mistakes);
        let columns = columns.map(|mut columns: Vec<Column>| {
            for (column, is_object_id) in columns.iter_mut().zip(&object_ids[at]) {
                column.texts = if *is_object_id { Texts::ObjectIds } else { Texts::Plain };
            }
            columns
        });
        built.push(table(declared, at, columns, &keys[at], (&near, &far), &indexes[at]));
    }
    let tables = built.into_iter().collect::<Option<Vec<Table>>>()?;
    Some(Built { tables, far: far.into_iter().map(|one| (one.table, reference(one))).collect() })
}

/// What was declared, brought together.
pub(super) struct Built {
    /// The declared tables; ids are positions among all that took part.
    pub(super) tables: Vec<Table>,
    /// The references that nobody keeps, each with the position of the table that it is of.
    pub(super) far: Vec<(usize, Reference)>,
}

/// All columns, or none if the type of one is not known. Each is built all the same, for its mistakes.
fn table_columns(
    table: &DeclaredTable<'_>,
    types: &[Option<Type>],
    primary: &[usize],
    mistakes: &mut Mistakes,
) -> Option<Vec<Column>> {
    let columns: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(at, ty)| ty.as_ref().map(|ty| column(table, at, ty, primary == [at], mistakes)))
        .collect();
    columns.into_iter().collect()
}

fn table(
    declared: &DeclaredTable<'_>,
    at: usize,
    columns: Option<Vec<Column>>,
    keys: &TableKeys,
    (near, far): (&[&Resolved<'_>], &[&Resolved<'_>]),
    indexes: &TableIndexes,
) -> Option<Table> {
    let kind = match &declared.view {
        None => TableKind::Table,
        Some(sql) => TableKind::View { sql: sql.value.clone() },
    };
    let of_table = |all: &[&Resolved<'_>]| {
        all.iter().filter(|reference| reference.table == at).map(|one| reference(one)).collect()
    };
    let key = |key: &super::keys::UniqueKey| Key { name: key.name.value.as_str().into(), columns: ids(&key.columns) };
    Some(Table {
        id: TableId(at as u32),
        name: declared.name.value.as_str().into(),
        was: declared.was.as_ref().map(|was| was.value.as_str().into()),
        store: declared.store().map(Into::into),
        kind,
        description: declared.description.clone(),
        columns: columns?,
        primary_key: ids(&keys.primary),
        uniques: keys.uniques.iter().map(key).collect(),
        references: of_table(near),
        far_references: of_table(far),
        indexes: indexes.plain.iter().map(|index| index.value.clone()).collect(),
        fulltexts: indexes.fulltext.iter().map(|index| index.value.clone()).collect(),
        access: declared.access.clone(),
        internal: false,
    })
}

fn reference(resolved: &Resolved<'_>) -> Reference {
    let action = |action: &Option<Located<_>>| action.as_ref().map(|action| action.value).unwrap_or_default();
    Reference {
        name: resolved.name.value.as_str().into(),
        columns: ids(&resolved.columns),
        target: TableId(resolved.target as u32),
        target_columns: ids(&resolved.target_columns),
        on_delete: action(resolved.on_delete),
        on_update: action(resolved.on_update),
    }
}

fn ids(positions: &[usize]) -> Vec<ColumnId> {
    positions.iter().map(|position| ColumnId(*position as u32)).collect()
}

fn check_view(table: &DeclaredTable<'_>, mistakes: &mut Mistakes) {
    if table.view.is_none() {
        return;
    }
    if let Some(was) = &table.was {
        mistakes.add(was.place, "`was` has no meaning at a view", "remove it: views are made anew, they hold no data");
    }
    let access = &table.access;
    if [access.create, access.update, access.delete].contains(&Rule::Always) {
        let problem = format!("`{}` is a view, and access lets its rows be written", table.name.value);
        mistakes.add(table.name.place, problem, "leave only `read` under its access");
    }
}

/// Tables, keys, references and indexes share one set of names in some stores.
fn check_store_names(
    tables: &Tables<'_>,
    keys: &[TableKeys],
    references: &[Resolved<'_>],
    indexes: &[TableIndexes],
    mistakes: &mut Mistakes,
) {
    let mut taken: HashMap<String, usize> = HashMap::new();
    for (at, table) in tables.declared.iter().enumerate().filter(|(_, table)| !table.is_found) {
        taken.entry(table.name.value.to_ascii_lowercase()).or_insert(at);
    }
    // Two tables of one name are told about already; their keys would only repeat it.
    let is_first = |at: usize| taken.get(&tables.declared[at].name.value.to_ascii_lowercase()) == Some(&at);
    let mut named: Vec<(&str, Place)> = Vec::new();
    for at in (0..tables.declared.len()).filter(|at| is_first(*at)) {
        named.extend(keys[at].uniques.iter().map(|key| (&*key.name.value, key.name.place)));
        let of_table = references.iter().filter(|reference| reference.table == at);
        named.extend(of_table.map(|reference| (&*reference.name.value, reference.name.place)));
        named.extend(indexes[at].plain.iter().map(|index| (&*index.value.name, index.place)));
    }
    for (name, place) in named {
        if taken.insert(name.to_ascii_lowercase(), usize::MAX).is_some() {
            let problem = format!("the store would need the name `{name}` for two things");
            mistakes.add(place, problem, "give this one another name");
        }
    }
}
