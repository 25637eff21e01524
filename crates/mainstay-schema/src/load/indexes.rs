//! Secondary indexes.

use std::sync::Arc;

use super::declared::{DeclaredIndex, DeclaredTable};
use super::resolve::has_twice;
use super::source::{Located, Mistakes};
use crate::ids::ColumnId;
use crate::model::{Index, IndexColumn};

/// The indexes of a table, each with the place of its name; those with unknown fields are left out.
pub(super) fn table_indexes(table: &DeclaredTable<'_>, mistakes: &mut Mistakes) -> Vec<Located<Index>> {
    let first = table.indexes.first();
    if let Some(first) = first.filter(|_| table.view.is_some()) {
        mistakes.add(first.name.place, "a view has no indexes", "declare them at the tables that its query reads");
    }
    table.indexes.iter().filter_map(|index| resolve(table, index, mistakes)).collect()
}

fn resolve(table: &DeclaredTable<'_>, index: &DeclaredIndex, mistakes: &mut Mistakes) -> Option<Located<Index>> {
    let found: Vec<_> = index.columns.iter().map(|column| index_column(table, column, mistakes)).collect();
    let columns = found.into_iter().collect::<Option<Vec<IndexColumn>>>()?;
    let positions: Vec<usize> = columns.iter().map(|column| column.column.index()).collect();
    if has_twice(&positions, &index.columns, mistakes) {
        return None;
    }
    let name: Arc<str> = format!("{}_{}", table.name.value, index.name.value).into();
    let value = Index { name, columns, unique: index.unique, condition: index.condition.clone() };
    Some(Located { value, place: index.name.place })
}

/// Reads `field`, `field asc` or `field desc`; a field that is really called so comes first.
fn index_column(table: &DeclaredTable<'_>, text: &Located<String>, mistakes: &mut Mistakes) -> Option<IndexColumn> {
    let whole = text.value.trim();
    let (name, descending) = match whole.rsplit_once(' ') {
        _ if table.field(whole).is_some() => (whole, false),
        Some((name, word)) if word.eq_ignore_ascii_case("desc") => (name.trim_end(), true),
        Some((name, word)) if word.eq_ignore_ascii_case("asc") => (name.trim_end(), false),
        _ => (whole, false),
    };
    let position = table.find_field(text, name, mistakes)?;
    Some(IndexColumn { column: ColumnId(position as u32), descending })
}
