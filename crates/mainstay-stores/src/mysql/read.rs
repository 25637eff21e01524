//! Carries out reads. Without levels below, rows go from the server's message into the sink one by one; with them, see
//! `level.rs`.

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;
use mainstay_store::RowSink;
use mysql_async::Value as Native;

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
    if plan.count != Count::None || plan.call.is_some() || hard::is_in(schema, plan) || has_levels() {
        session.begin(Access::Read, Isolation::RepeatableRead).await?;
    }
    run_inside(session, schema, plan, sink).await
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
    let rows = top(session, schema, plan, from, sink).await?;
    if sink.is_full() {
        // Nothing of it will be shown.
        return Ok(Counted { rows, total: None });
    }
    let total = total(session, schema, plan, from, rows).await?;
    Ok(Counted { rows, total })
}

/// Reads the rows of the top level with all that belongs to them.
async fn top(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    from: From<'_>,
    sink: &mut dyn RowSink,
) -> Result<u64, Fault> {
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
    let mut given = 0;
    // From one snapshot, so that a page begins where the one before it ended.
    loop {
        let left = plan.limit.map(|limit| limit - given);
        let page = Read {
            limit: Some(left.map_or(CHUNK_ROWS, |left| left.min(CHUNK_ROWS))),
            offset: plan.offset + given,
            ..plan.clone()
        };
        let sql = render::read(server, schema, &page, From::Plan);
        let (some, has_more) = give(session, own, &sql, sink).await?;
        given += some;
        if !has_more || sink.is_full() || plan.limit == Some(given) {
            return Ok(given);
        }
    }
}

/// Puts rows of a level without levels below into the sink as they come.
async fn stream(session: &mut Session, own: Natives, sql: &ReadSql<'_>, sink: &mut dyn RowSink) -> Result<u64, Fault> {
    let mut rows = session.query_native(&sql.text, native_params(&sql.binds)).await?;
    let mut level = Level::new(&sql.members, Vec::with_capacity(1), own);
    let mut scratch = Scratch::default();
    let mut given = 0;
    while let Some(row) = rows.next().await? {
        level.pass(row, &sql.members, sink, &mut scratch).await?;
        given += 1;
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
) -> Result<(u64, bool), Fault> {
    let rows = session.query_native(&sql.text, native_params(&sql.binds)).await?.all().await?;
    let is_last = (rows.len() as u64) < CHUNK_ROWS;
    let deadline = session.deadline();
    let mut level = Level::new(&sql.members, rows, own);
    let given = level.give(session, deadline, &sql.members, sink, &mut Scratch::default()).await?;
    Ok((given, !is_last))
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
