//! Carries out reads. Without levels below, rows go from the server's message into the sink one by one; with them, see
//! `level.rs`.

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;
use mainstay_store::RowSink;
use mysql_async::Value as Native;

use super::count::number;
use super::level::{Level, Natives, Scratch};
use super::render::{self, Bind, From, Given, MemberSql, ReadSql};
use super::session::{Access, Isolation, Session};
use super::{function, hard, types};
pub(super) use crate::server::Counted;
use crate::server::count::total;

/// Rows of the top level that are read at a time when there are levels below.
const CHUNK_ROWS: u64 = 1000;

/// Why a read did not come to its end.
pub(super) type Fault = crate::server::Fault<mysql_async::Error>;

/// Reads the rows of a plan, all of it from one snapshot.
pub(super) async fn run(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    // What has nothing embedded in it, as most reads, is rendered once.
    let has_levels = || {
        plan.select.iter().any(|output| output.source.embed().is_some()) && {
            let sql = render::read(session.server(), schema, plan, From::Plan);
            sql.members.iter().any(MemberSql::has_levels)
        }
    };
    // A single statement is its own snapshot.
    if plan.call.is_some() || hard::is_in(schema, plan) || has_levels() {
        session.begin(Access::Read, Isolation::RepeatableRead).await?;
    } else if plan.count != Count::None && !tells_its_count(plan) {
        if let Some(counted) = with_count(session, schema, plan, sink).await? {
            return Ok(counted);
        }
        session.begin(Access::Read, Isolation::RepeatableRead).await?;
    }
    run_inside(session, schema, plan, sink).await
}

/// Whether the rows of a read are all that it counts.
fn tells_its_count(plan: &Read) -> bool {
    plan.count == Count::Exact && plan.limit.is_none() && plan.offset == 0 && plan.after.is_none()
}

/// Reads a page whose count comes along; nothing where no row came that could tell it.
async fn with_count(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Option<Counted>, Fault> {
    hard::check(schema, plan)?;
    let page = render::read(session.server(), schema, plan, From::Plan);
    if page.total.is_none() {
        return Ok(None);
    }
    let own = Natives { is_found: schema.found().is_some() };
    let Counted { rows, total } = stream(session, own, &page, sink).await?;
    let is_empty = rows == 0 && plan.offset == 0 && plan.after.is_none();
    let total = if is_empty { Some(0) } else { total };
    Ok((total.is_some() || sink.is_full()).then_some(Counted { rows, total }))
}

/// Reads the rows of a plan inside the transaction that the session is in.
pub(super) async fn run_inside(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    if let Some(call) = &plan.call {
        hard::check_result(schema, plan)?;
        if let Some(document) = function::run_apart(session, schema, call).await? {
            let values = [document];
            let from = From::Given(Given { function: schema.function(call.function), values: &values });
            return run_from(session, schema, plan, from, sink).await;
        }
    }
    run_from(session, schema, plan, From::Plan, sink).await
}

/// The same for rows that are taken from elsewhere.
pub(super) async fn run_from(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    from: From<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    hard::check(schema, plan)?;
    if hard::is_in(schema, plan) {
        let mut plan = plan.clone();
        hard::read(session, schema, &mut plan, hard::Lock::No).await?;
        return run_exact(session, schema, &plan, from, sink).await;
    }
    run_exact(session, schema, plan, from, sink).await
}

async fn run_exact(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    from: From<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let Counted { rows, total: along } = top(session, schema, plan, from, sink).await?;
    if sink.is_full() {
        // Nothing of it will be shown.
        return Ok(Counted { rows, total: None });
    }
    let total = match along {
        Some(along) => Some(along),
        None => total(session, schema, plan, from, rows).await?,
    };
    Ok(Counted { rows, total })
}

/// Reads the rows of the top level with all that belongs to them, and their number if it comes along.
async fn top(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    from: From<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let server = session.server();
    let sql = render::read(server, schema, plan, from);
    let own = Natives { is_found: schema.found().is_some() };
    if !sql.members.iter().any(MemberSql::has_levels) {
        return stream(session, own, &sql, sink).await;
    }
    // What a function gives is asked for once.
    let is_result = plan.call.is_some() || matches!(from, From::Given(_));
    if is_result || plan.limit.is_some_and(|limit| limit <= CHUNK_ROWS) {
        return Ok(give(session, own, &sql, sink).await?.0);
    }
    let mut given = Counted { rows: 0, total: None };
    // From one snapshot, so that a page begins where the one before it ended.
    loop {
        let left = plan.limit.map(|limit| limit - given.rows);
        let page = Read {
            limit: Some(left.map_or(CHUNK_ROWS, |left| left.min(CHUNK_ROWS))),
            offset: plan.offset + given.rows,
            // Once is enough, and rows without a bound tell it by themselves.
            count: if given.rows > 0 || plan.limit.is_none() { Count::None } else { plan.count },
            ..plan.clone()
        };
        let sql = render::read(server, schema, &page, From::Plan);
        let (some, has_more) = give(session, own, &sql, sink).await?;
        given = Counted { rows: given.rows + some.rows, total: given.total.or(some.total) };
        if !has_more || sink.is_full() || plan.limit == Some(given.rows) {
            return Ok(given);
        }
    }
}

/// Puts rows of a level without levels below into the sink as they come.
async fn stream(
    session: &mut Session,
    own: Natives,
    sql: &ReadSql<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let mut rows = session.query_native(&sql.text, native_params(&sql.binds)).await?;
    let mut level = Level::new(&sql.members, Vec::with_capacity(1), own);
    let mut scratch = Scratch::default();
    let mut given = Counted { rows: 0, total: None };
    while let Some(row) = rows.next().await? {
        given.total = given.total.or_else(|| sql.total.map(|place| number(row.as_ref(place))));
        level.pass(row, &sql.members, sink, &mut scratch).await?;
        given.rows += 1;
        // What is still to come is canceled on the server.
        if sink.is_full() {
            break;
        }
    }
    Ok(given)
}

/// Reads rows of the top level and what belongs to them, and puts all into the sink; tells whether there may be more.
async fn give(
    session: &mut Session,
    own: Natives,
    sql: &ReadSql<'_>,
    sink: &mut dyn RowSink,
) -> Result<(Counted, bool), Fault> {
    let rows = session.query_native(&sql.text, native_params(&sql.binds)).await?.all().await?;
    let is_last = (rows.len() as u64) < CHUNK_ROWS;
    let total = rows.first().and_then(|row| sql.total.map(|place| number(row.as_ref(place))));
    let deadline = session.deadline();
    let mut level = Level::new(&sql.members, rows, own);
    let rows = level.give(session, deadline, &sql.members, sink, &mut Scratch::default()).await?;
    Ok((Counted { rows, total }, !is_last))
}

/// The parameters that a plan brings, in the driver's own form.
pub(super) fn native_params(binds: &[Bind<'_>]) -> Vec<Native> {
    let native = |bind: &Bind<'_>| match bind {
        Bind::Value(value) => types::native(value),
        Bind::Int(number) => Native::Int(*number),
        Bind::Native(value) => value.clone(),
        Bind::Given(value) => (*value).clone(),
        Bind::Text(text) | Bind::List(text) => Native::Bytes(text.as_bytes().to_vec()),
        Bind::Later => Native::NULL,
    };
    binds.iter().map(native).collect()
}
