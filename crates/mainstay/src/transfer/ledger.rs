//! How far an import came: one row of `_mainstay_imports`, written in the transaction of the rows themselves, so that it
//! is true whatever happens to the process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Comparison, Conflict, Expr, Filter, Insert, Output, Read, Source, Test, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::{ColumnId, Schema, Table, TableId, Value};
use mainstay_store::{Call, Store, StoreError};

use super::cells::Kept;
use super::error::TransferError;
use super::typing::Moment;

/// How long one statement of a transfer may take before it is given up.
pub(super) const STATEMENT_TIME_MAX: Duration = Duration::from_secs(600);

const TABLE: &str = "_mainstay_imports";
/// Its columns in the order in which rows are written.
const COLUMNS: [&str; 7] = ["id", "file", "rows", "lines", "bad", "finished", "updated_at"];

/// How far an import came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Rows of the file that are in the table.
    pub(super) rows: u64,
    /// Records of the file that were dealt with, bad ones among them.
    pub(super) records: u64,
    /// Records that were set aside.
    pub(super) bad: u64,
    /// Whether the end of the file was reached.
    pub(super) finished: bool,
}

/// The row of one import.
pub(super) struct Ledger {
    schema: Arc<Schema>,
    /// Nothing where another program made the tables: then nothing is noted.
    table: Option<TableId>,
    id: String,
    file: String,
}

impl Ledger {
    /// The row of an import into this table, in the store that keeps it.
    pub(super) fn new(schema: Arc<Schema>, into: TableId, id: String, file: String) -> Ledger {
        let store = &schema.table(into).store;
        let is_it = |table: &&Table| table.internal && table.name.starts_with(TABLE) && table.store == *store;
        let table = schema.tables().iter().find(is_it).map(|table| table.id);
        Ledger { schema, table, id, file }
    }

    fn table(&self) -> &Table {
        self.schema.table(self.table.expect("the loader appends our own tables to every store that is declared"))
    }

    fn column(&self, name: &str) -> ColumnId {
        self.table().find_column(name).expect("the loader made the table").id
    }

    /// How far an earlier run came, `None` if there was none.
    pub(super) async fn reached(&self, store: &dyn Store) -> Result<Option<Reached>, TransferError> {
        let select = ["rows", "lines", "bad", "finished"]
            .map(|name| Output { name: name.into(), source: Source::Value(Expr::column(self.column(name))) });
        let is_ours = Test::Compare(Comparison::Eq, Value::Text(self.id.clone()));
        let plan = Read {
            select: select.into(),
            filter: Filter::Test { expr: Expr::column(self.column("id")), test: is_ours },
            limit: Some(1),
            ..Read::new(self.table().id)
        };
        let rows = read(store, &self.schema, plan).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let number = |at: usize| row.get(at).and_then(|cell| cell.as_deref()?.parse().ok()).unwrap_or(0);
        let finished = row.get(3).is_some_and(|cell| cell.as_deref() == Some("true"));
        Ok(Some(Reached { rows: number(0), records: number(1), bad: number(2), finished }))
    }

    /// The write that notes how far the import came.
    pub(super) fn note(&self, reached: Reached) -> Write {
        // Counts of rows stay far below the signed range; a store that held more could not be read either.
        let number = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let row = [
            Value::Text(self.id.clone()),
            Value::Text(self.file.clone()),
            number(reached.rows),
            number(reached.records),
            number(reached.bad),
            Value::Bool(reached.finished),
            Moment::new().now(),
        ];
        let columns: Vec<_> = COLUMNS.iter().map(|name| self.column(name)).collect();
        Write::Insert(Insert {
            table: self.table().id,
            conflict: Some(Conflict { target: vec![columns[0]], merge: Some(columns[1..].to_vec()) }),
            columns,
            rows: vec![row.into_iter().map(Some).collect()],
            returning: None,
            expect: Default::default(),
        })
    }
}

/// Carries out a read of our own and gives its rows as text.
pub(super) async fn read(
    store: &dyn Store,
    schema: &Arc<Schema>,
    plan: Read,
) -> Result<Vec<Vec<Option<String>>>, StoreError> {
    let plan = authorize::read(schema, &Actor::System, plan).expect("our own work passes every rule");
    let done = store.read(call(schema), Arc::new(plan), Box::<Kept>::default()).await?;
    Ok(Kept::of(done.sink))
}

/// What goes along with a plan of ours.
pub(super) fn call(schema: &Arc<Schema>) -> Call {
    Call { schema: schema.clone(), deadline: Instant::now() + STATEMENT_TIME_MAX }
}
