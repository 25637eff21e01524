//! Carries out reads: one statement a level for all rows of the level above at once, whose keys go along as arrays.
//!
//! A level comes back whole before the next is asked for, so what is kept is bounded by the rows of one chunk of the
//! top level ([`CHUNK_ROWS`]) and what belongs to them. Without levels rows go from the server's message into the
//! sink one by one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;
use mainstay_store::{Call, RowSink};
use tokio_postgres::Row;

use super::embedding::{Embedding, Seen};
use super::errors::Failure;
use super::function;
use super::lanes::Lanes;
use super::level::{Cells, Kept, Level, Scratch};
use super::pool::Pool;
use super::render::{self, Bind, From, MemberSql, ReadSql};
use super::session::{Access, Isolation, Session};
use super::types::Param;
pub(super) use crate::server::Counted;
use crate::server::count::total;

/// Rows of the top level that are read at a time when there are levels below and no limit keeps them few.
const CHUNK_ROWS: u64 = 1000;

/// Why a read did not come to its end.
pub(super) type Fault = crate::server::Fault<tokio_postgres::Error>;

impl std::convert::From<super::cells::Malformed> for Fault {
    fn from(malformed: super::cells::Malformed) -> Fault {
        Fault::Rows(malformed.into())
    }
}

/// What a read finds around it.
pub(super) struct Around<'e> {
    pub(super) pool: &'e Pool,
    pub(super) seen: &'e Seen,
    pub(super) lanes: &'e Arc<Lanes>,
}

/// Reads the rows of a plan, all of it from one snapshot.
pub(super) async fn run(
    Around { pool, seen, lanes }: Around<'_>,
    call: &Call,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let schema: &Schema = &call.schema;
    let mut sql = render::read(schema, plan, From::Plan);
    let mut has_levels = sql.members.iter().any(MemberSql::has_levels);
    // Of a page that is not bounded the levels come for some rows at a time.
    let limit = plan.limit.filter(|limit| *limit <= CHUNK_ROWS);
    let mut shape = limit.map(|_| hash(&sql.text));
    let levels = shape.filter(|_| has_levels);
    if let (Some(limit), Some(shape)) = (limit, &mut shape)
        && has_levels
    {
        let is_wanted = match pool.options().embedding {
            Embedding::OneStatement => true,
            Embedding::EachLevel => false,
            Embedding::Measured => seen.is_one_quicker(pool.round_trip(), sql.levels().len(), *shape, limit),
        };
        if let Some(one) = is_wanted.then(|| render::read_in_one(schema, plan)).flatten() {
            (sql, has_levels, *shape) = (one, false, hash(&sql.text));
        }
    }
    // A single statement is its own snapshot. One that counts along tells nothing where it finds no rows.
    let counts = plan.count != Count::None;
    let is_single = !has_levels && plan.call.is_none() && (!counts || sql.total.is_some());
    let mut scratch = Kept::scratch(schema.found().is_none());
    if is_single
        && let Some(shape) = shape
        && let Some(rows) = lanes.rows(pool, shape, &sql.text, &params(&sql.binds), call.deadline).await?
        && (!counts || !rows.is_empty())
    {
        let total = total_along(&sql, rows.first())?;
        let rows = put(&sql, rows, call.deadline, sink, &mut scratch).await?;
        if let Some(levels) = levels {
            seen.saw(levels, scratch.embedded);
        }
        return Ok(Counted { rows, total });
    }
    let may_share = is_single && (!counts || (plan.offset == 0 && plan.after.is_none()));
    // Boxed, since the quick way above needs much less room, and all of it is moved with each request.
    Box::pin(alone(Around { pool, seen, lanes }, call, plan, &sql, Fitness { shape, levels, may_share }, sink, scratch))
        .await
}

/// What is known of a statement before it is run.
struct Fitness {
    /// What it is remembered by, if it is bounded.
    shape: Option<u64>,
    /// The same for those that have levels below.
    levels: Option<u64>,
    /// Whether it may go on a lane the next time.
    may_share: bool,
}

/// Reads on a connection that nobody else has meanwhile.
async fn alone(
    Around { pool, seen, lanes }: Around<'_>,
    call: &Call,
    plan: &Read,
    sql: &ReadSql<'_>,
    Fitness { shape, levels, may_share }: Fitness,
    sink: &mut dyn RowSink,
    mut scratch: Scratch,
) -> Result<Counted, Fault> {
    let schema: &Schema = &call.schema;
    let mut session = pool.session(call.deadline).await?;
    if !may_share || session.is_pooled() {
        session.begin(Access::Read, Isolation::RepeatableRead);
    }
    let began = Instant::now();
    let done = if function::is_run_apart(schema, plan) {
        function::read(&mut session, schema, plan, sink).await
    } else {
        counted(&mut session, schema, plan, sql, From::Plan, sink, &mut scratch).await
    };
    if done.is_ok()
        && let Some(levels) = levels
    {
        seen.saw(levels, scratch.embedded);
    }
    match shape.filter(|_| may_share && done.is_ok()) {
        Some(shape) => lanes.saw(pool, shape, began.elapsed(), session),
        None => session.finish_read(),
    }
    done
}

/// Reads the rows of a plan inside the transaction that the session is in.
pub(super) async fn run_inside(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sql: ReadSql<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    if function::is_run_apart(schema, plan) {
        return function::read(session, schema, plan, sink).await;
    }
    let mut scratch = Kept::scratch(schema.found().is_none());
    counted(session, schema, plan, &sql, From::Plan, sink, &mut scratch).await
}

/// Reads what a plan makes of rows that its function gave.
pub(super) async fn given(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    from: From<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let sql = render::read(schema, plan, from);
    let mut scratch = Kept::scratch(schema.found().is_none());
    counted(session, schema, plan, &sql, from, sink, &mut scratch).await
}

/// Reads and counts.
async fn counted(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sql: &ReadSql<'_>,
    from: From<'_>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<Counted, Fault> {
    let (rows, along) = top(session, plan, sql, sink, scratch).await?;
    if along.is_some() || sink.is_full() {
        // Of what is full nothing will be shown.
        return Ok(Counted { rows, total: along });
    }
    let total = total(session, schema, plan, from, rows).await?;
    Ok(Counted { rows, total })
}

/// The number of rows that came along with one of them.
fn total_along(sql: &ReadSql<'_>, row: Option<&Row>) -> Result<Option<u64>, Fault> {
    let (Some(column), Some(row)) = (sql.total, row) else { return Ok(None) };
    let total: i64 = row.try_get(column).map_err(Failure::from)?;
    Ok(Some(total.unsigned_abs()))
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Reads the rows of the top level with all that belongs to them; tells their number, and the one that came along.
async fn top(
    session: &mut Session,
    plan: &Read,
    sql: &ReadSql<'_>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<(u64, Option<u64>), Fault> {
    let params = params(&sql.binds);
    if !sql.members.iter().any(MemberSql::has_levels) {
        return stream(session, sql, &params, sink, scratch).await;
    }
    if plan.limit.is_some_and(|limit| limit <= CHUNK_ROWS) {
        let rows = session.query_all(&sql.text, &params).await?;
        let total = total_along(sql, rows.first())?;
        return Ok((give(session, sql, rows, sink, scratch).await?, total));
    }
    // A statement is kept by its text, and what fetching gives depends on the cursor: so each has its own name.
    let cursor = format!("page_{:x}", hash(&sql.text));
    session.execute(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {}", sql.text), &params).await?;
    let fetch = format!("FETCH {CHUNK_ROWS} FROM {cursor}");
    let (mut given, mut total) = (0, None);
    loop {
        let rows = session.query_all(&fetch, &[]).await?;
        let is_last = (rows.len() as u64) < CHUNK_ROWS;
        total = total.or(total_along(sql, rows.first())?);
        given += give(session, sql, rows, sink, scratch).await?;
        if is_last || sink.is_full() {
            session.batch_execute(&format!("CLOSE {cursor}")).await?;
            return Ok((given, total));
        }
    }
}

/// Puts rows of a level without levels below into the sink as they come; tells their number, and the one that came along.
async fn stream(
    session: &mut Session,
    sql: &ReadSql<'_>,
    params: &[Param<'_>],
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<(u64, Option<u64>), Fault> {
    let mut rows = session.query(&sql.text, params).await?;
    let mut level: Option<Level> = None;
    let (mut given, mut total) = (0, None);
    while let Some(row) = rows.next().await? {
        let level = match &mut level {
            Some(level) => level,
            None => {
                total = total_along(sql, Some(&row))?;
                level.insert(Level::new(&sql.members, Vec::with_capacity(1), Cells::of(&row, 0)))
            }
        };
        level.pass(row, &sql.members, sink, scratch).await?;
        given += 1;
        // What is still to come is canceled on the server.
        if sink.is_full() {
            break;
        }
    }
    Ok((given, total))
}

/// Reads what belongs to rows of the top level and puts all into the sink.
async fn give(
    session: &mut Session,
    sql: &ReadSql<'_>,
    rows: Vec<Row>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<u64, Fault> {
    let Some(first) = rows.first() else { return Ok(0) };
    let own = Cells::of(first, 0);
    let deadline = session.deadline();
    Level::new(&sql.members, rows, own).give(session, deadline, &sql.members, sink, scratch).await
}

/// Puts rows into the sink to which nothing else belongs.
async fn put(
    sql: &ReadSql<'_>,
    rows: Vec<Row>,
    deadline: Instant,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<u64, Fault> {
    let Some(first) = rows.first() else { return Ok(0) };
    let own = Cells::of(first, 0);
    Level::new(&sql.members, rows, own).give_filled(deadline, &sql.members, sink, scratch).await
}

/// The parameters that a plan brings.
pub(super) fn params<'b>(binds: &'b [Bind<'_>]) -> Vec<Param<'b>> {
    let param = |bind: &'b Bind<'_>| match bind {
        Bind::Value(value) => Param::Value(value),
        Bind::Int(number) => Param::Int(*number),
        Bind::Text(text) => Param::Text(text),
        Bind::List(values) => Param::List(values),
        Bind::Native(text) => Param::Text(text),
        Bind::Given(text) => Param::Text(text),
        Bind::Later => Param::Cell(None),
    };
    binds.iter().map(param).collect()
}
