//! Keys and references that views inherit from the tables whose columns they show (rest.md 7.1): a key or reference
//! whose every column a view shows as it is. Views of views pass it on.

use std::collections::HashMap;

use mainstay_schema::{ColumnId, Reference, ReferenceAction, TableId};

use super::Made;
use super::lineage::{self, Shown};

/// Most steps from a view down to a table.
const DEPTH_MAX: usize = 32;
/// Most references, those that views inherit among them.
const REFERENCES_MAX: usize = 50_000;

/// A column of a view, and the column of a table that it is.
#[derive(Debug, Clone, Copy)]
struct Origin {
    here: ColumnId,
    table: usize,
    column: ColumnId,
}

/// Gives views the keys and references of what they show.
pub(super) fn inherit(made: &mut [Made<'_>], places: &HashMap<i64, usize>) {
    let shown: HashMap<usize, Vec<Shown>> = (made.iter().enumerate())
        .filter_map(|(at, made)| Some((at, lineage::shown(made.from.lineage.as_deref()?))))
        .collect();
    let origins: HashMap<usize, Vec<Origin>> =
        shown.keys().map(|view| (*view, origins(made, places, &shown, *view))).collect();
    let mut views: Vec<usize> = origins.keys().copied().collect();
    views.sort_unstable();
    for view in &views {
        if made[*view].table.primary_key.is_empty()
            && let Some(key) = key(made, &origins[view])
        {
            made[*view].table.primary_key = key;
        }
    }
    let mut all: usize = made.iter().map(|made| made.table.references.len()).sum();
    let tables: Vec<(usize, Vec<Reference>)> = (made.iter().enumerate())
        .filter(|(at, _)| !origins.contains_key(at))
        .map(|(at, made)| (at, made.table.references.clone()))
        .collect();
    for (owner, references) in &tables {
        for reference in references {
            let target = reference.target.index();
            let from = ends(*owner, &reference.columns, &origins, &views);
            let to = ends(target, &reference.target_columns, &origins, &views);
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
                    made[*here].table.references.push(inherited);
                }
            }
        }
    }
}

/// A table with columns, and the views that show all of them.
fn ends(
    table: usize,
    columns: &[ColumnId],
    origins: &HashMap<usize, Vec<Origin>>,
    views: &[usize],
) -> Vec<(usize, Vec<ColumnId>)> {
    let mut ends = vec![(table, columns.to_vec())];
    for view in views {
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
fn key(made: &[Made<'_>], origins: &[Origin]) -> Option<Vec<ColumnId>> {
    let mut tables: Vec<usize> = origins.iter().map(|origin| origin.table).collect();
    tables.dedup();
    tables.into_iter().find_map(|table| {
        let key = &made[table].table.primary_key;
        let find = |column: &ColumnId| {
            let found = origins.iter().find(|origin| origin.table == table && origin.column == *column);
            found.map(|origin| origin.here)
        };
        if key.is_empty() { None } else { key.iter().map(find).collect() }
    })
}

/// The columns of tables that the columns of a view are, through the views between.
fn origins(
    made: &[Made<'_>],
    places: &HashMap<i64, usize>,
    shown: &HashMap<usize, Vec<Shown>>,
    view: usize,
) -> Vec<Origin> {
    let follow = |first: &Shown| {
        let here = *made[view].numbers.get(&first.column)?;
        let mut at = *first;
        for _ in 0..DEPTH_MAX {
            let place = *places.get(&at.relation)?;
            match shown.get(&place) {
                None => return Some(Origin { here, table: place, column: *made[place].numbers.get(&at.origin)? }),
                Some(next) => at = *next.iter().find(|next| next.column == at.origin)?,
            }
        }
        None
    };
    shown[&view].iter().filter_map(follow).collect()
}
