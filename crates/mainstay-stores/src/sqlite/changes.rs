//! Gathers the row changes of a transaction, to be published once it is durable.
//!
//! SQLite calls for each row before it changes and before anything commits; what is undone by a savepoint is dropped
//! here by length, because SQLite has no hook for that. Called by `writer.rs` and `write.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use mainstay_schema::{Column, Schema, Type, Value};
use mainstay_store::{Change, ChangeKind, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use super::raw::preupdate::{self, Event};
use super::types;

/// Sees every row that changes through the writing connection while somebody listens, and counts inserts on demand.
#[derive(Default)]
pub(super) struct Recorder {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Where columns lie, when changes are wanted.
    layouts: Option<Arc<Layouts>>,
    changes: Vec<Change>,
    /// The table whose inserts are counted, and how many there were.
    counted: Option<(Arc<str>, u64)>,
}

/// Where the columns of each table of one schema lie in the file, which is not their declared order once columns were
/// added.
pub(super) struct Layouts {
    schema: Arc<Schema>,
    tables: HashMap<Arc<str>, Layout>,
}

struct Layout {
    names: Arc<[Arc<str>]>,
    /// For each column of the schema: its type and its place in the file.
    places: Vec<(Type, usize)>,
}

impl Layouts {
    /// Looks up all tables of `schema`.
    pub(super) fn read(connection: &Connection, schema: &Arc<Schema>) -> Result<Layouts> {
        let mut statement = connection.prepare_cached("SELECT name FROM pragma_table_xinfo(?) ORDER BY cid")?;
        let mut tables = HashMap::new();
        for table in schema.tables().iter().filter(|table| table.is_writable()) {
            let stored: Vec<String> = statement.query_map([&*table.name], |row| row.get(0))?.collect::<Result<_>>()?;
            let place = |name: &str| stored.iter().position(|stored| stored == name);
            let about = schema.found().and_then(|found| found.table(table.id));
            // What is computed is not in the record of a row.
            let is_kept = |column: &&Column| about.is_none_or(|about| !about.columns[column.id.index()].computed);
            let columns = || table.columns.iter().filter(is_kept);
            let places = columns().map(|column| Some((column.ty.clone(), place(&column.name)?)));
            // A table that is not as the schema says is refused by the statement that writes to it.
            if let Some(places) = places.collect::<Option<Vec<_>>>() {
                let names = columns().map(|column| column.name.clone()).collect();
                tables.insert(table.name.clone(), Layout { names, places });
            }
        }
        Ok(Layouts { schema: schema.clone(), tables })
    }

    /// Whether these are the layouts of this very snapshot.
    pub(super) fn is_of(&self, schema: &Arc<Schema>) -> bool {
        Arc::ptr_eq(&self.schema, schema)
    }
}

impl Recorder {
    fn state(&self) -> Option<MutexGuard<'_, State>> {
        self.state.lock().ok()
    }

    /// From now on, changed rows are kept, their columns named after `layouts`.
    pub(super) fn record(&self, connection: &Connection, layouts: Arc<Layouts>) {
        if let Some(mut state) = self.state() {
            state.layouts = Some(layouts);
        }
        self.attach(connection);
    }

    /// Nothing is kept any more, and SQLite no longer calls.
    pub(super) fn stop(&self, connection: &Connection) {
        preupdate::listen(connection, None);
        if let Some(mut state) = self.state() {
            state.layouts = None;
            state.changes.clear();
        }
    }

    fn attach(&self, connection: &Connection) {
        let state = self.state.clone();
        let listener = move |event: &Event<'_>| {
            if let Ok(mut state) = state.lock() {
                state.see(event);
            }
        };
        preupdate::listen(connection, Some(Arc::new(listener)));
    }

    /// How many changes there are: a point to come back to.
    pub(super) fn mark(&self) -> usize {
        self.state().map_or(0, |state| state.changes.len())
    }

    /// Forgets what came after `mark`, because it was undone.
    pub(super) fn rewind(&self, mark: usize) {
        if let Some(mut state) = self.state() {
            state.changes.truncate(mark);
        }
    }

    /// Gives all changes, in the order in which they happened.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when one of them was missed: then none may be published as if they were all.
    pub(super) fn take(&self) -> std::result::Result<Vec<Change>, StoreError> {
        match self.state() {
            Some(mut state) => Ok(std::mem::take(&mut state.changes)),
            None => Err(StoreError::Internal("a row change was missed".into())),
        }
    }

    /// Counts the rows that statements insert into `table` until the result is asked to finish.
    pub(super) fn count_inserts<'r>(&'r self, connection: &'r Connection, table: &Arc<str>) -> Counting<'r> {
        let mut is_alone = false;
        if let Some(mut state) = self.state() {
            state.counted = Some((table.clone(), 0));
            is_alone = state.layouts.is_none();
        }
        if is_alone {
            self.attach(connection);
        }
        Counting { recorder: self, connection, is_alone }
    }
}

/// Counts inserts while it lives.
pub(super) struct Counting<'r> {
    recorder: &'r Recorder,
    connection: &'r Connection,
    /// Nobody else needs the hook.
    is_alone: bool,
}

impl Counting<'_> {
    /// The number of rows inserted.
    pub(super) fn finish(self) -> u64 {
        self.recorder.state().and_then(|state| state.counted.as_ref().map(|(_, count)| *count)).unwrap_or(0)
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        if let Some(mut state) = self.recorder.state() {
            state.counted = None;
        }
        if self.is_alone {
            preupdate::listen(self.connection, None);
        }
    }
}

impl State {
    fn see(&mut self, event: &Event<'_>) {
        if let Some((table, count)) = &mut self.counted {
            let is_counted = event.kind == ChangeKind::Insert && event.depth() == 0 && **table == *event.table;
            *count += u64::from(is_counted);
        }
        let Some(layout) = self.layouts.as_ref().and_then(|layouts| layouts.tables.get(event.table)) else { return };
        let image = |value: &dyn Fn(usize) -> Value| (0..layout.places.len()).map(value).collect();
        let old = |column: usize| layout.value(column, event.columns(), |place| event.before(place));
        let new = |column: usize| layout.value(column, event.columns(), |place| event.after(place));
        self.changes.push(Change {
            table: event.table.into(),
            kind: event.kind,
            columns: layout.names.clone(),
            before: (event.kind != ChangeKind::Insert).then(|| image(&old)),
            after: (event.kind != ChangeKind::Delete).then(|| image(&new)),
        });
    }
}

impl Layout {
    fn value<'e>(&self, column: usize, columns: usize, take: impl Fn(usize) -> ValueRef<'e>) -> Value {
        let (ty, place) = &self.places[column];
        if *place < columns { types::value(ty, take(*place)) } else { Value::Null }
    }
}
