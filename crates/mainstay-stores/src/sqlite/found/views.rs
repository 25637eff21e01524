//! What views inherit: a view column that comes straight from a base column has its type, and a view that has every
//! column of a key or a reference has the key or the reference (rest.md 7.1), through views of views.

use std::collections::{BTreeMap, HashMap};

use mainstay_schema::{ColumnId, Reference, ReferenceAction, Table, TableId};
use rusqlite::{Connection, Result};

use super::super::raw::lineage;
use super::super::render::ddl::quoted;
use super::{Made, REFERENCES_MAX, unused};

/// A table, or a view with some columns of it.
struct Face {
    /// The table or view.
    id: TableId,
    /// Which of its columns are which of the table's.
    columns: Vec<(ColumnId, ColumnId)>,
}

/// Gives views what they inherit, and tables the references that lead to views.
pub(super) fn inherit(
    connection: &Connection,
    made: &mut [Made],
    by_name: &HashMap<String, usize>,
    left_out: &mut Vec<String>,
) -> Result<()> {
    let mut faces: HashMap<TableId, Vec<Face>> = HashMap::new();
    for at in 0..made.len() {
        if made[at].table.is_writable() {
            let own = made[at].table.columns.iter().map(|column| (column.id, column.id)).collect();
            let face = Face { id: made[at].table.id, columns: own };
            faces.entry(face.id).or_default().insert(0, face);
            continue;
        }
        let sql = format!("SELECT * FROM {}", quoted(&made[at].table.name));
        let mut of_bases: BTreeMap<TableId, Vec<(ColumnId, ColumnId)>> = BTreeMap::new();
        for (position, origin) in lineage::origins(connection, &sql).into_iter().enumerate() {
            let Some(origin) = origin else { continue };
            let Some(base) = by_name.get(&origin.table.to_ascii_lowercase()).filter(|base| **base != at) else {
                continue;
            };
            let is_it = |name: &str| name.eq_ignore_ascii_case(&origin.column);
            let Some(column) = made[*base].table.columns.iter().find(|column| is_it(&column.name)) else { continue };
            let (id, ty) = (column.id, column.ty.clone());
            let about = made[*base].about.columns[id.index()].clone();
            let Some(view) = made[at].table.columns.get_mut(position) else { continue };
            view.ty = ty;
            of_bases.entry(made[*base].table.id).or_default().push((view.id, id));
            made[at].about.columns[position] = about;
        }
        let view = made[at].table.id;
        let keys: Vec<Vec<ColumnId>> = of_bases
            .iter()
            .filter_map(|(base, columns)| whole(columns, &made[base.index()].table.primary_key))
            .collect();
        // With the keys of two tables a row is told apart by neither alone.
        if let [key] = keys.as_slice() {
            made[at].table.primary_key.clone_from(key);
        }
        for (base, columns) in of_bases {
            faces.entry(base).or_default().push(Face { id: view, columns });
        }
    }
    let tables: Vec<Table> = made.iter().map(|made| made.table.clone()).collect();
    let mut count = tables.iter().map(|table| table.references.len()).sum::<usize>();
    for base in tables.iter().filter(|table| table.is_writable()) {
        for reference in &base.references {
            for inherited in inherited(base, reference, &faces) {
                if count >= REFERENCES_MAX {
                    left_out.push(format!("references of views: there are more than {REFERENCES_MAX}"));
                    return Ok(());
                }
                count += 1;
                let owner = &mut made[inherited.0.index()].table;
                let is_taken = |name: &str| owner.references.iter().any(|other| &*other.name == name);
                let name = unused(reference.name.to_string(), is_taken);
                owner.references.push(Reference { name: name.into(), ..inherited.1 });
            }
        }
    }
    Ok(())
}

/// The same reference between every face of its table and every face of its target, but the tables themselves.
fn inherited(base: &Table, reference: &Reference, faces: &HashMap<TableId, Vec<Face>>) -> Vec<(TableId, Reference)> {
    let mut all = Vec::new();
    let none = Vec::new();
    for near in faces.get(&base.id).unwrap_or(&none) {
        for columns in every(&near.columns, &reference.columns) {
            for far in faces.get(&reference.target).unwrap_or(&none) {
                let Some(target_columns) = whole(&far.columns, &reference.target_columns) else { continue };
                if near.id == base.id && far.id == reference.target {
                    continue;
                }
                let reference = Reference {
                    name: reference.name.clone(),
                    columns: columns.clone(),
                    target: far.id,
                    target_columns,
                    // Nothing happens to what a view shows but what happens to the tables.
                    on_delete: ReferenceAction::Restrict,
                    on_update: ReferenceAction::Restrict,
                };
                all.push((near.id, reference));
            }
        }
    }
    all
}

/// The columns of a face that are exactly these base columns, if each is there exactly once: of two, nobody knows
/// which belongs to which row.
fn whole(face: &[(ColumnId, ColumnId)], base: &[ColumnId]) -> Option<Vec<ColumnId>> {
    if base.is_empty() {
        return None;
    }
    let only = |wanted: &ColumnId| {
        let mut here = face.iter().filter(|(_, base)| base == wanted);
        let first = here.next()?;
        here.next().is_none().then_some(first.0)
    };
    base.iter().map(only).collect()
}

/// As [`whole`]; a single column may be there several times, and each is a reference.
fn every(face: &[(ColumnId, ColumnId)], base: &[ColumnId]) -> Vec<Vec<ColumnId>> {
    match base {
        [only] => face.iter().filter(|(_, base)| base == only).map(|(column, _)| vec![*column]).collect(),
        several => whole(face, several).into_iter().collect(),
    }
}
