//! Reads that the server cannot carry out with the same outcome: the rows that could matter are read, and the reference
//! store does the rest with them. What that costs is bounded by [`ROWS_MAX`].

use std::collections::HashMap;

use bson::{Bson, Document, RawDocument, doc};
use mainstay_query::plan::{Filter, Join, Pair, Read};
use mainstay_schema::{Schema, Table, TableId, TableKind, Value};
use mainstay_store::memory::Given;
use mainstay_store::residual::RESIDUAL_ROWS_MAX;
use mainstay_store::{RowSink, StoreError};
use mongodb::bson;
use mongodb::options::FindOptions;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::read::{Counted, Match};
use super::session::Session;
use super::{cells, filter, names, types};

/// Rows that are looked at here for one read at most.
pub(super) const ROWS_MAX: u64 = RESIDUAL_ROWS_MAX;

/// Rows with which nobody is held up.
const QUICK_ROWS_MAX: u64 = 500;

/// Keys that go along with one command.
const KEYS_MAX: usize = 5_000;

/// Reads the rows of a plan.
///
/// # Errors
/// As the server says; [`StoreError::Unsupported`] if too many rows would have to be looked at.
pub(super) async fn run(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, StoreError> {
    let mut gathered = Gathered::new(schema);
    gathered.level(session, plan, Among::Filter).await?;
    let (seen, deadline) = (gathered.seen, session.deadline());
    let (rows, total) = aside(seen, || Given::new(schema, gathered.rows(), deadline).read(plan, sink))?;
    Ok(Counted { rows, total })
}

/// The rows of a table that pass a condition.
///
/// # Errors
/// As [`run`].
pub(super) async fn matching(
    session: &mut Session,
    schema: &Schema,
    table: TableId,
    condition: &Filter,
) -> Result<Vec<Match>, StoreError> {
    let mut gathered = Gathered::new(schema);
    let plan = Read { filter: condition.clone(), ..Read::new(table) };
    gathered.level(session, &plan, Among::Filter).await?;
    let (seen, deadline) = (gathered.seen, session.deadline());
    let passing = aside(seen, || Given::new(schema, gathered.rows(), deadline).passing(table, condition))?;
    Ok(passing.into_iter().map(|row| Match { row }).collect())
}

/// Does what takes as long as so many rows do, and holds up nobody else where there are other threads.
fn aside<T>(rows: u64, work: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    if rows > QUICK_ROWS_MAX && matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
        block_in_place(work)
    } else {
        work()
    }
}

/// What a row is known by. `alike` has how many with the same content one command has given.
///
/// # Errors
/// [`StoreError::Internal`] if it has an `_id` that cannot be read.
fn name(table: &Table, document: &RawDocument, alike: &mut HashMap<Vec<u8>, usize>) -> Result<Name, StoreError> {
    if table.kind == TableKind::Table {
        let id = Bson::try_from(cells::field(document, names::ID));
        let id = id.map_err(|error| StoreError::Internal(Box::new(error)))?;
        // A text of its own for each type and value.
        return Ok((format!("{id:?}").into_bytes(), 0));
    }
    let content = document.as_bytes().to_vec();
    let before = alike.entry(content.clone()).or_default();
    *before += 1;
    Ok((content, *before))
}

/// Rows of all tables that matter.
struct Gathered<'s> {
    schema: &'s Schema,
    /// By table.
    tables: Vec<Vec<Vec<Value>>>,
    /// The places of the rows that are there, by table.
    known: Vec<HashMap<Name, usize>>,
    seen: u64,
}

/// What a row is known by however it is come to: by its `_id`; a row of a view, which may have none or share it, by all
/// that it holds and by how many that hold the same came before it.
type Name = (Vec<u8>, usize);

/// Of which rows those of a level are.
enum Among {
    /// All that pass its filter.
    Filter,
    /// Those that links lead to.
    Rows(Vec<usize>),
}

type Done<'f> = futures_util::future::BoxFuture<'f, Result<(), StoreError>>;

impl<'s> Gathered<'s> {
    fn new(schema: &'s Schema) -> Gathered<'s> {
        let tables: Vec<Vec<Vec<Value>>> = schema.tables().iter().map(|_| Vec::new()).collect();
        let known = vec![HashMap::new(); tables.len()];
        Gathered { schema, tables, known, seen: 0 }
    }

    fn rows(self) -> Vec<Vec<Vec<Value>>> {
        self.tables
    }

    /// Gathers the rows of a level, and all that they lead to.
    fn level<'f>(&'f mut self, session: &'f mut Session, plan: &'f Read, among: Among) -> Done<'f> {
        Box::pin(async move {
            let table = self.schema.table(plan.table);
            let rows = match among {
                Among::Filter => {
                    let could = filter::superset(self.schema, table, &plan.filter);
                    self.find(session, table, could).await?
                }
                Among::Rows(rows) => rows,
            };
            self.filter(session, table, &plan.filter, &rows).await?;
            for via in plan.order.iter().filter_map(|term| term.via.as_deref()) {
                let related = self.follow(session, table, &rows, &via.join, via.table).await?;
                self.filter(session, self.schema.table(via.table), &via.filter, &related).await?;
            }
            for embed in plan.select.iter().filter_map(|output| output.source.embed()) {
                let related = self.follow(session, table, &rows, &embed.link.join, embed.read.table).await?;
                self.level(session, &embed.read, Among::Rows(related)).await?;
            }
            Ok(())
        })
    }

    /// Gathers the rows that a filter looks at.
    fn filter<'f>(
        &'f mut self,
        session: &'f mut Session,
        table: &'f Table,
        filter: &'f Filter,
        rows: &'f [usize],
    ) -> Done<'f> {
        Box::pin(async move {
            match filter {
                Filter::And(parts) | Filter::Or(parts) => {
                    for part in parts {
                        self.filter(session, table, part, rows).await?;
                    }
                }
                Filter::Not(part) => self.filter(session, table, part, rows).await?,
                Filter::Exists { join, table: target, filter, .. } => {
                    let related = self.follow(session, table, rows, join, *target).await?;
                    self.filter(session, self.schema.table(*target), filter, &related).await?;
                }
                _ => {}
            }
            Ok(())
        })
    }

    /// Gathers the rows to which a link leads from rows of a table.
    async fn follow(
        &mut self,
        session: &mut Session,
        here: &Table,
        rows: &[usize],
        join: &Join,
        target: TableId,
    ) -> Result<Vec<usize>, StoreError> {
        let target = self.schema.table(target);
        match join {
            Join::Direct(pairs) => self.linked(session, here, rows, pairs, target).await,
            Join::Through { table: junction, parent, child } => {
                let junction = self.schema.table(*junction);
                let between = self.linked(session, here, rows, parent, junction).await?;
                self.linked(session, junction, &between, child, target).await
            }
        }
    }

    /// Gathers the rows of a table whose first linked field holds what one of these rows does.
    async fn linked(
        &mut self,
        session: &mut Session,
        here: &Table,
        rows: &[usize],
        pairs: &[Pair],
        target: &Table,
    ) -> Result<Vec<usize>, StoreError> {
        let Some(pair) = pairs.first() else { return Ok(Vec::new()) };
        let texts = target.column(pair.there).texts;
        let mut keys: HashMap<String, Bson> = HashMap::new();
        for row in rows {
            let value = &self.tables[here.id.index()][*row][pair.here.index()];
            if let (Some(text), Some(kept)) = (value.to_text(), types::operand(value, texts)) {
                keys.insert(text, kept);
            }
        }
        let field = names::field(target, pair.there);
        let keys: Vec<Bson> = keys.into_values().collect();
        let mut found = Vec::new();
        for chunk in keys.chunks(KEYS_MAX) {
            found.extend(self.find(session, target, doc! { field: { "$in": chunk.to_vec() } }).await?);
        }
        Ok(found)
    }

    /// Gathers rows; gives their places.
    async fn find(
        &mut self,
        session: &mut Session,
        table: &Table,
        condition: Document,
    ) -> Result<Vec<usize>, StoreError> {
        let left = ROWS_MAX.saturating_sub(self.seen);
        let limit = i64::try_from(left + 1).unwrap_or(i64::MAX);
        let options = FindOptions::builder().limit(limit).build();
        let mut documents = session.find(&table.name, condition, options).await?;
        let (mut found, mut alike) = (Vec::new(), HashMap::new());
        while let Some(batch) = documents.next(session).await? {
            for document in batch.documents()? {
                self.seen += 1;
                if self.seen > ROWS_MAX {
                    let what = format!(
                        "the store mongodb cannot do this with rows of \"{}\" by itself, and more than {ROWS_MAX} rows \
                         would have to be looked at; add a filter that it can use",
                        table.name
                    );
                    return Err(StoreError::Unsupported { what });
                }
                let name = name(table, document, &mut alike)?;
                found.push(self.keep(table, document, name));
            }
        }
        Ok(found)
    }

    fn keep(&mut self, table: &Table, document: &RawDocument, name: Name) -> usize {
        let at = table.id.index();
        let rows = &mut self.tables[at];
        *self.known[at].entry(name).or_insert_with(|| {
            rows.push(cells::row(table, document));
            rows.len() - 1
        })
    }
}
