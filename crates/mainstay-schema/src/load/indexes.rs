//! Secondary indexes and full-text indexes.

use std::sync::Arc;

use super::declared::{DeclaredIndex, DeclaredTable};
use super::resolve::has_twice;
use super::source::{Located, Mistakes};
use crate::ids::ColumnId;
use crate::language::Language;
use crate::model::{FullText, Index, IndexColumn};
use crate::types::Type;

/// The indexes of a table, each with the place of its name.
#[derive(Default)]
pub(super) struct TableIndexes {
    /// What orders rows.
    pub(super) plain: Vec<Located<Index>>,
    /// What finds words.
    pub(super) fulltext: Vec<Located<FullText>>,
}

/// The indexes of a table; those with unknown fields are left out.
pub(super) fn table_indexes(
    table: &DeclaredTable<'_>,
    types: &[Option<Type>],
    mistakes: &mut Mistakes,
) -> TableIndexes {
    let first = table.indexes.first();
    if let Some(first) = first.filter(|_| table.view.is_some()) {
        mistakes.add(first.name.place, "a view has no indexes", "declare them at the tables that its query reads");
    }
    let mut indexes = TableIndexes::default();
    for index in &table.indexes {
        match index.language {
            None => indexes.plain.extend(resolve(table, index, mistakes)),
            Some(language) => indexes.fulltext.extend(fulltext(table, types, index, language, mistakes)),
        }
    }
    indexes
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

fn fulltext(
    table: &DeclaredTable<'_>,
    types: &[Option<Type>],
    index: &DeclaredIndex,
    language: Language,
    mistakes: &mut Mistakes,
) -> Option<Located<FullText>> {
    let fields = table.find_fields(&index.columns, mistakes)?;
    for (at, name) in fields.iter().zip(&index.columns) {
        if types[*at].as_ref().is_some_and(|ty| *ty != Type::Text) {
            let problem = format!("the field `{}` holds no text to search", name.value);
            mistakes.add(name.place, problem, "a full-text index takes fields of the type text");
        }
    }
    let name = &index.name;
    if table.field(&name.value).is_some() {
        let problem = format!("the full-text index `{}` has the name of a field", name.value);
        mistakes.add(name.place, problem, "give it another: a search names it as it names a field");
    }
    // Some stores find the rows again by a number that each row has, and need a word for it.
    if ["rowid", "_rowid_", "oid"].iter().all(|word| table.fields.iter().any(|field| is_called(&field.name, word))) {
        let problem = "a table with a full-text index cannot have fields called rowid, _rowid_ and oid";
        mistakes.add(name.place, problem, "rename one of them");
    }
    let columns = fields.iter().map(|at| ColumnId(*at as u32)).collect();
    let value = FullText { name: name.value.as_str().into(), columns, language };
    Some(Located { value, place: name.place })
}

fn is_called(name: &Located<String>, word: &str) -> bool {
    name.value.eq_ignore_ascii_case(word)
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
