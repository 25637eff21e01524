//! Keys and references that views inherit from the tables whose columns they show (rest.md 7.1): a key or reference
//! whose every column a view shows as it is. Views of views pass it on. Where a store reads which column of what a view
//! shows is its own business.

use std::collections::HashMap;

use mainstay_schema::{ColumnId, Reference, ReferenceAction, Table, TableId};

/// Most steps from a view down to a table.
const DEPTH_MAX: usize = 32;
/// Most references, those that views inherit among them.
const REFERENCES_MAX: usize = 50_000;

/// A column of a view, and the column of a table or view that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The view's own column.
    pub(crate) here: ColumnId,
    /// The place of the table or view that it comes from.
    pub(crate) table: usize,
    /// The column there.
    pub(crate) column: ColumnId,
}

/// What each view shows, by the place of the view; columns that are computed are left out.
pub(crate) type Views = HashMap<usize, Vec<Shown>>;

/// Gives views the keys and references of what they show; `tables[i].id` is `i`.
pub(crate) fn inherit(tables: &mut [&mut Table], shown: &Views) {
    let origins: Views = shown.keys().map(|view| (*view, origins(shown, *view))).collect();
    let mut views: Vec<usize> = origins.keys().copied().collect();
    views.sort_unstable();
    for view in &views {
        if tables[*view].primary_key.is_empty()
            && let Some(key) = key(tables, &origins[view])
        {
            tables[*view].primary_key = key;
        }
    }
    let mut showing: HashMap<usize, Vec<usize>> = HashMap::new();
    for view in &views {
        for origin in &origins[view] {
            let showing = showing.entry(origin.table).or_default();
            if showing.last() != Some(view) {
                showing.push(*view);
            }
        }
    }
    let mut all: usize = tables.iter().map(|table| table.references.len()).sum();
    let owners: Vec<(usize, Vec<Reference>)> = (tables.iter().enumerate())
        .filter(|(at, _)| !origins.contains_key(at))
        .map(|(at, table)| (at, table.references.clone()))
        .collect();
    for (owner, references) in &owners {
        for reference in references {
            let target = reference.target.index();
            let from = ends(*owner, &reference.columns, &origins, &showing);
            let to = ends(target, &reference.target_columns, &origins, &showing);
            for (here, columns) in &from {
                for (there, target_columns) in &to {
                    if (*here, *there) == (*owner, target) || all >= REFERENCES_MAX {
                        continue;
                    }
                    all += 1;
                    let inherited = Reference {
                        name: reference.name.clone(),
                        columns: columns.clone(),
                        target: TableId(*there as u32),
                        target_columns: target_columns.clone(),
                        on_delete: ReferenceAction::Restrict,
                        on_update: ReferenceAction::Restrict,
                    };
                    tables[*here].references.push(inherited);
                }
            }
        }
    }
}

/// A table with columns, and the views that show all of them.
fn ends(
    table: usize,
    columns: &[ColumnId],
    origins: &Views,
    showing: &HashMap<usize, Vec<usize>>,
) -> Vec<(usize, Vec<ColumnId>)> {
    let mut ends = vec![(table, columns.to_vec())];
    for view in showing.get(&table).into_iter().flatten() {
        let find = |column: &ColumnId| {
            let found = origins[view].iter().find(|origin| origin.table == table && origin.column == *column);
            found.map(|origin| origin.here)
        };
        if let Some(found) = columns.iter().map(find).collect::<Option<Vec<_>>>() {
            ends.push((*view, found));
        }
    }
    ends
}

/// The columns that show the whole primary key of the first table of which there is one.
fn key(all: &[&mut Table], origins: &[Shown]) -> Option<Vec<ColumnId>> {
    let mut tables: Vec<usize> = origins.iter().map(|origin| origin.table).collect();
    tables.dedup();
    tables.into_iter().find_map(|table| {
        let key = &all[table].primary_key;
        let find = |column: &ColumnId| {
            let found = origins.iter().find(|origin| origin.table == table && origin.column == *column);
            found.map(|origin| origin.here)
        };
        if key.is_empty() { None } else { key.iter().map(find).collect() }
    })
}

/// The columns of tables that the columns of a view are, through the views between.
fn origins(shown: &Views, view: usize) -> Vec<Shown> {
    let follow = |first: &Shown| {
        let mut at = *first;
        for _ in 0..DEPTH_MAX {
            match shown.get(&at.table) {
                None => return Some(Shown { here: first.here, ..at }),
                Some(next) => at = *next.iter().find(|next| next.here == at.column)?,
            }
        }
        None
    };
    shown[&view].iter().filter_map(follow).collect()
}
