//! Tables and rows from one database into another, of any engine, with a proof that both hold the same.
//!
//! ```text
//! prepare.rs   what will be copied, and what stands against it      wanted.rs    the tables of the target
//! run.rs       rows in pieces, each with a note of how far it came  declared.rs  found tables as tables of ours
//! ledger.rs    those notes, in the target                           pieces.rs    rows on their way
//! digest.rs    what a table holds, in two numbers                   values.rs    values on their way
//! ```
//!
//! Reads and writes by authorized plans like everybody, so it knows no engine. Called by the command `copy`.

mod declared;
mod digest;
mod ledger;
mod pieces;
mod prepare;
mod run;
mod values;
mod wanted;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Expr, Order, Output, Read, Source};
use mainstay_query::{Actor, authorize};
use mainstay_schema::{ColumnId, Schema, TableId, Value};
use mainstay_store::{Call, Store, StoreError};
use serde::Serialize;

use crate::config::StoreSettings;
use pieces::{Pieces, Taker};
pub use prepare::{Job, prepare};
pub use run::{analyze, prove, run};

/// How long one table may take to be read from its first row to its last.
const TABLE_TIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// Rows that are looked at together where nothing is written.
const LOOK_ROWS: usize = 1000;

/// What to copy and how.
#[derive(Debug, Clone, Default)]
pub struct CopyRequest {
    /// The tables; all when empty.
    pub only: Vec<String>,
    /// Tables that are left out.
    pub except: Vec<String>,
    /// Rows in one transaction.
    pub batch_rows: usize,
    /// Forget an unfinished copy that is in the target.
    pub restart: bool,
    /// Copy nothing; compare what is there.
    pub verify: bool,
}

/// The database that rows come from.
pub struct SourceEnd<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// Where it is, for people.
    pub place: String,
}

/// The database that rows go to, as it is before.
pub struct TargetEnd<'a> {
    /// The database, which is only looked at; `None` if there is none yet.
    pub store: Option<&'a dyn Store>,
    /// Where it is, for people.
    pub place: String,
    /// How it is opened.
    pub settings: &'a StoreSettings,
    /// The tables that it must have, where a project declares them.
    pub declared: Option<Arc<Schema>>,
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Where rows came from.
    pub from: String,
    /// Where they went.
    pub to: String,
    /// Whether both hold the same.
    pub equal: bool,
    /// The tables, in the order in which they were filled.
    pub tables: Vec<CopiedTable>,
    /// What was not carried over or is another kind of value, one sentence each.
    pub notes: Vec<String>,
}

/// What became of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    /// Its name.
    pub table: String,
    /// Whether both databases have the same rows.
    pub equal: bool,
    /// Rows of the source.
    pub rows: u64,
    /// The sum of their hashes, in hex.
    pub hash: String,
    /// Rows of the target.
    pub target_rows: u64,
    /// The sum of their hashes, in hex.
    pub target_hash: String,
}

/// Columns of a table in the order that is given, read from its first row, or from that after a key, to its last.
struct Reading<'a> {
    store: &'a dyn Store,
    schema: &'a Arc<Schema>,
    table: TableId,
    columns: &'a [ColumnId],
    /// What the rows are ordered by; nothing for the order in which they come.
    key: &'a [ColumnId],
    after: Option<Vec<Value>>,
}

impl Reading<'_> {
    /// Reads, and gives the taker back when it has all rows.
    async fn into<T: Taker>(self, rows_max: usize, taker: T) -> Result<T, StoreError> {
        let table = self.schema.table(self.table);
        let output = |column: &ColumnId| Output {
            name: table.column(*column).name.clone(),
            source: Source::Value(Expr::column(*column)),
        };
        let order =
            |column: &ColumnId| Order { via: None, expr: Expr::column(*column), descending: false, nulls_first: false };
        let plan = Read {
            select: self.columns.iter().map(output).collect(),
            order: self.key.iter().map(order).collect(),
            after: self.after,
            ..Read::new(self.table)
        };
        let sink = Pieces::new(plan.shape(self.schema), rows_max, taker);
        let plan = authorize::read(self.schema, &Actor::System, plan).expect("our own work passes every rule");
        let call = Call { schema: self.schema.clone(), deadline: Instant::now() + TABLE_TIME_MAX };
        let done = self.store.read(call, Arc::new(plan), Box::new(sink)).await?;
        Pieces::finish(done.sink)
    }
}
