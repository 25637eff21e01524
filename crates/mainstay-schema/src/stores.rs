//! Schemas whose tables several stores keep: what each of them is shown, and what it keeps.

use std::collections::HashMap;
use std::sync::Arc;

use crate::found::{Found, FoundColumn, FoundTable};
use crate::ids::TableId;
use crate::model::{Reference, Schema, Table};

/// What the store is called that keeps the tables which name none.
pub const MAIN: &str = "main";

impl Schema {
    /// A snapshot of tables of several stores. `found` describes those of the stores that found theirs, each in the order
    /// of their ids; a store that is named neither there nor by a table is not part of it.
    ///
    /// # Panics
    /// As [`Schema::new`], and if a description is not one of exactly the tables of its store.
    pub fn of_stores(tables: Vec<Table>, found: Vec<(Option<Arc<str>>, Found)>) -> Schema {
        let mut stores: Vec<Option<Arc<str>>> = vec![None];
        for store in tables.iter().map(|table| &table.store).chain(found.iter().map(|(store, _)| store)) {
            if !stores.contains(store) {
                stores.push(store.clone());
            }
        }
        let described: Vec<(Option<Arc<str>>, Found)> =
            found.into_iter().map(|(store, found)| (store.clone(), spread(&tables, &store, found))).collect();
        let view = |store: &Option<Arc<str>>| {
            let own = described.iter().find(|(name, _)| name == store);
            let tables = tables.iter().map(|table| seen(table, store)).collect();
            let schema = match own {
                Some((_, found)) => Schema::of_found(tables, found.clone()),
                None => Schema::new(tables),
            };
            (store.clone(), Arc::new(schema))
        };
        let views = stores.iter().map(view).collect();
        let mut whole = match described.is_empty() {
            true => Schema::new(tables),
            false => {
                let all = merged(&tables, &described);
                Schema::of_found(tables, all)
            }
        };
        whole.views = views;
        whole
    }

    /// The tables as a store is to see them: all of them, under the same ids, but with indexes, references and what is
    /// known of found tables only where they are its own. `None` where one store keeps everything, and sees the schema as it is.
    pub fn seen_by(&self, store: Option<&str>) -> Option<&Arc<Schema>> {
        self.views.iter().find(|(name, _)| name.as_deref() == store).map(|(_, view)| view)
    }

    /// Whether several stores keep its tables.
    pub fn has_stores(&self) -> bool {
        self.views.len() > 1
    }

    /// The tables of one store as a schema of their own, without references that lead out of it. Ids are counted anew.
    #[must_use]
    pub fn only(&self, store: Option<&str>) -> Schema {
        let kept: Vec<&Table> = self.tables().iter().filter(|table| table.store.as_deref() == store).collect();
        let ids: HashMap<TableId, TableId> =
            kept.iter().enumerate().map(|(at, table)| (table.id, TableId(at as u32))).collect();
        let moved =
            |reference: &Reference| Some(Reference { target: *ids.get(&reference.target)?, ..reference.clone() });
        let tables = kept.iter().map(|table| Table {
            id: ids[&table.id],
            store: None,
            references: table.references.iter().filter_map(moved).collect(),
            far_references: Vec::new(),
            ..(*table).clone()
        });
        let tables: Vec<Table> = tables.collect();
        match self.seen_by(store).map_or_else(|| self.found(), |view| view.found()) {
            None => Schema::new(tables),
            Some(found) => {
                let about = kept.iter().filter_map(|table| found.table(table.id).cloned()).collect();
                Schema::of_found(tables, Found { tables: about, results: Vec::new(), ..found.clone() })
            }
        }
    }
}

/// A table as a store sees it. One of another store has nothing to look after: stores go through all tables for indexes to
/// keep in step and references to follow.
fn seen(table: &Table, store: &Option<Arc<str>>) -> Table {
    match table.store == *store {
        true => table.clone(),
        false => Table { references: Vec::new(), indexes: Vec::new(), fulltexts: Vec::new(), ..table.clone() },
    }
}

/// What is known of the tables of one store, with room for those of the others.
fn spread(tables: &[Table], store: &Option<Arc<str>>, found: Found) -> Found {
    let mut own = found.tables.into_iter();
    let about = |table: &Table| match table.store == *store {
        true => own.next().expect("each found table is described"),
        false => unknown(table),
    };
    let tables = tables.iter().map(about).collect();
    assert!(own.next().is_none(), "only found tables are described");
    Found { tables, ..found }
}

/// What is known of the tables of all stores. What is said of a database as a whole is each store's own.
fn merged(tables: &[Table], described: &[(Option<Arc<str>>, Found)]) -> Found {
    let about = |table: &Table| {
        let own = described.iter().find(|(store, _)| *store == table.store);
        own.and_then(|(_, found)| found.table(table.id).cloned()).unwrap_or_else(|| unknown(table))
    };
    Found {
        tables: tables.iter().map(about).collect(),
        left_out: described.iter().flat_map(|(_, found)| found.left_out.clone()).collect(),
        ..Found::default()
    }
}

/// Of a declared table all is said where it is declared.
fn unknown(table: &Table) -> FoundTable {
    FoundTable { columns: vec![FoundColumn::default(); table.columns.len()], ..FoundTable::default() }
}
