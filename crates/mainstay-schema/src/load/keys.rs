//! Primary and unique keys.

use super::declared::{DeclaredField, DeclaredTable};
use super::source::{Located, Mistakes, Place};

/// The keys of one table, by position of their fields.
#[derive(Debug)]
pub(super) struct TableKeys {
    /// Empty if it could not be made out, or for a view that declares none.
    pub(super) primary: Vec<usize>,
    /// The others.
    pub(super) uniques: Vec<UniqueKey>,
}

/// A unique key.
#[derive(Debug)]
pub(super) struct UniqueKey {
    pub(super) name: Located<String>,
    pub(super) columns: Vec<usize>,
}

impl TableKeys {
    /// All keys that there are.
    pub(super) fn all(&self) -> impl Iterator<Item = &[usize]> {
        let uniques = self.uniques.iter().map(|key| key.columns.as_slice());
        [self.primary.as_slice()].into_iter().filter(|key| !key.is_empty()).chain(uniques)
    }

    /// Whether these fields, in any order, are one of the keys.
    pub(super) fn contain(&self, fields: &[usize]) -> bool {
        let same = |key: &[usize]| key.len() == fields.len() && key.iter().all(|field| fields.contains(field));
        self.all().any(same)
    }
}

/// Puts `id` in front of each table that declares no primary key.
pub(super) fn add_generated_ids(tables: &mut [DeclaredTable<'_>], mistakes: &mut Mistakes) {
    for table in tables {
        let has_primary = table.primary.is_some() || table.fields.iter().any(|field| field.primary.is_some());
        // A table without fields is a mistake already, and a second one about it would not help.
        if has_primary || table.view.is_some() || table.fields.is_empty() {
            continue;
        }
        match table.fields.iter().find(|field| field.name.value.eq_ignore_ascii_case("id")) {
            None => table.fields.insert(0, DeclaredField::generated_id(table.name.place)),
            Some(field) => mistakes.add(
                field.name.place,
                format!("no primary key is declared, and `{}` stands where one would be made", field.name.value),
                format!("add primary = true to `{}`, or to another field", field.name.value),
            ),
        }
    }
}

/// Makes out the keys of a table.
pub(super) fn table_keys(table: &DeclaredTable<'_>, mistakes: &mut Mistakes) -> TableKeys {
    TableKeys { primary: primary_key(table, mistakes), uniques: unique_keys(table, mistakes) }
}

fn primary_key(table: &DeclaredTable<'_>, mistakes: &mut Mistakes) -> Vec<usize> {
    let marked: Vec<(usize, Place)> =
        table.fields.iter().enumerate().filter_map(|(at, field)| Some((at, field.primary?))).collect();
    let key: Vec<(usize, Place)> = match &table.primary {
        None => marked,
        Some(listed) => {
            if !marked.is_empty() {
                mistakes.add(
                    listed.place,
                    format!("the primary key of `{}` is declared twice", table.name.value),
                    "write it here or at the fields, not both",
                );
            }
            let fields = table.find_fields(&listed.value, mistakes).unwrap_or_default();
            fields.into_iter().zip(listed.value.iter().map(|name| name.place)).collect()
        }
    };
    for (field, place) in &key {
        if table.fields[*field].optional && table.view.is_none() {
            let problem = format!("`{}` is part of the primary key and optional", table.fields[*field].name.value);
            mistakes.add(*place, problem, "remove optional = true: a key is never null");
        }
    }
    key.into_iter().map(|(field, _)| field).collect()
}

fn unique_keys(table: &DeclaredTable<'_>, mistakes: &mut Mistakes) -> Vec<UniqueKey> {
    let name = &table.name.value;
    // A field that is the whole primary key is unique without a second key.
    let is_primary = |field: &DeclaredField<'_>| match &table.primary {
        Some(listed) => listed.value.len() == 1 && listed.value[0].value == field.name.value,
        None => field.primary.is_some() && table.fields.iter().filter(|field| field.primary.is_some()).count() == 1,
    };
    let of_fields = table.fields.iter().enumerate().filter(|(_, field)| field.unique && !is_primary(field));
    let mut keys: Vec<UniqueKey> = of_fields
        .map(|(at, field)| UniqueKey {
            name: Located { value: format!("{name}_{}_key", field.name.value), place: field.name.place },
            columns: vec![at],
        })
        .collect();
    for key in &table.uniques {
        if let Some(columns) = table.find_fields(&key.columns, mistakes) {
            let name = Located { value: format!("{name}_{}", key.name.value), place: key.name.place };
            keys.push(UniqueKey { name, columns });
        }
    }
    keys
}
