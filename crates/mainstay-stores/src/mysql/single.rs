//! Writes that are one statement. Outside of a transaction the server makes one of it by itself, which spares two messages
//! and their answers; inside of one it needs no place to go back to, since a statement that fails is undone by itself.

use mainstay_query::plan::{Assign, Expect, Insert, Read, Update, Write};
use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::{RowSink, StoreError};

use super::errors::Context;
use super::insert;
use super::level::{Level, Natives, Scratch};
use super::read::native_params;
use super::render::{Mysql, delete_returning};
use super::server::Server;
use super::session::Session;
use super::write::{Affected, Work, WriteFault, check_expect, has_links};
use super::{hard, references};
use crate::server::COMMIT_MAX;
use crate::server::write::check_not_null;
use crate::sql::{self, Returned, WriteSql, is_read_apart};

/// Carries out a write that is one statement; nothing if it is another one.
pub(super) async fn run_alone(
    session: &mut Session,
    schema: &Schema,
    plan: &Write,
    sink: &mut dyn RowSink,
) -> Result<Option<Affected>, WriteFault> {
    // What must hold afterwards can only be seen when it is too late to undo it.
    if expect(plan) != Some(Expect::default()) {
        return Ok(None);
    }
    let mut work = Work { session, schema, begins_anew: false, has_given: false, ledger: None };
    run(&mut work, plan, sink).await
}

/// The same inside the transaction of a script, for the session of `work`.
pub(super) async fn run(
    work: &mut Work<'_>,
    plan: &Write,
    sink: &mut dyn RowSink,
) -> Result<Option<Affected>, WriteFault> {
    let (server, schema) = (work.session.server(), work.schema);
    let Some(single) = statement(server, schema, plan)? else { return Ok(None) };
    let Single { sql, table } = single;
    let set = match plan {
        Write::Update(plan) => values(plan),
        _ => Vec::new(),
    };
    let rows = match plan {
        Write::Insert(plan) => Some((&plan.columns[..], &plan.rows[..])),
        _ => None,
    };
    let done = work.session.write(&sql.text, native_params(&sql.binds)).await;
    let done = done.map_err(|failure| work.fault(Context { table, set: &set, rows }, failure))?;
    let affected = match plan {
        Write::Insert(plan) => insert::counted(plan, &done),
        _ if matches!(sql.returned, Returned::Members(_)) => Affected::changed(done.rows.len() as u64),
        _ => Affected::changed(done.affected),
    };
    check_expect(expect(plan).unwrap_or_default(), affected.affected)?;
    if let Returned::Members(members) = &sql.returned {
        let mut level = Level::new(members, done.rows, Natives { is_found: schema.found().is_some() });
        work.has_given = true;
        // It is done, and must not look failed for want of a moment.
        let deadline = work.session.deadline() + COMMIT_MAX;
        let put = level.put(members, deadline, sink, &mut Scratch::default());
        put.map_err(|fault| work.fault(Context::of(table), fault))?;
    }
    Ok(Some(affected))
}

/// The statement of a write that is one.
struct Single<'p> {
    sql: WriteSql<'p, Mysql>,
    table: &'p Table,
}

/// # Errors
/// A value that is missing, which the server would not miss.
fn statement<'p>(server: Server, schema: &'p Schema, plan: &'p Write) -> Result<Option<Single<'p>>, StoreError> {
    if references::are_misjudged(server, schema, plan) {
        return Ok(None);
    }
    // Whether what is given back is nothing, or what the statement itself gives.
    let is_given = |table: &Table, returning: Option<&Read>| {
        let about = schema.found().and_then(|found| found.table(table.id));
        // A view may show what is written otherwise, and a trigger may change it again.
        let is_settled = about.is_none_or(|about| !about.is_view && !about.has_triggers);
        let is_whole = |read: &Read| server.is_mariadb() && is_settled && !is_read_apart(read);
        returning.is_none_or(is_whole)
    };
    let is_easy = |table: &Table, filter| !has_links(filter) && !hard::has(schema, table, filter);
    let single = match plan {
        Write::Insert(plan) => {
            let table = schema.table(plan.table);
            let is_merge = plan.conflict.is_some();
            // Rows that were merged and those that are new are told apart by what else a server says, which it does not
            // say with rows.
            let is_single = is_given(table, plan.returning.as_deref())
                && insert::is_one_statement(table, plan)
                && (!is_merge || (plan.returning.is_none() && insert::is_merged_at_once(schema, table, plan)));
            if !is_single {
                return Ok(None);
            }
            if schema.found().is_none() {
                check_not_null(table, plan)?;
            }
            Single { sql: sql::insert(Mysql(server), schema, plan), table }
        }
        Write::Update(plan) => {
            let table = schema.table(plan.table);
            let is_plain = |(_, assign): &(ColumnId, Assign)| assign.as_value().is_some();
            let is_single = plan.returning.is_none()
                && !plan.set.is_empty()
                && plan.set.iter().all(is_plain)
                && is_easy(table, &plan.filter);
            if !is_single {
                return Ok(None);
            }
            Single { sql: sql::update(Mysql(server), schema, plan), table }
        }
        Write::Delete(plan) => {
            let table = schema.table(plan.table);
            let is_single = is_given(table, plan.returning.as_deref())
                && is_easy(table, &plan.filter)
                && !sql::deletes_reach_itself(schema, plan.table);
            match plan.returning.as_deref() {
                _ if !is_single => return Ok(None),
                None => Single { sql: sql::delete(Mysql(server), schema, plan), table },
                Some(read) => Single { sql: delete_returning(server, schema, plan, read), table },
            }
        }
        Write::UpdateEach(_) | Write::Batch(_) | Write::Nested(_) | Write::Run(_) => return Ok(None),
    };
    Ok(Some(single))
}

/// What must hold after a write that may be one statement.
fn expect(plan: &Write) -> Option<Expect> {
    match plan {
        Write::Insert(Insert { expect, .. }) | Write::Update(Update { expect, .. }) => Some(*expect),
        Write::Delete(plan) => Some(plan.expect),
        _ => None,
    }
}

/// The values that an update sets.
pub(super) fn values(plan: &Update) -> Vec<(ColumnId, Value)> {
    plan.set.iter().filter_map(|(column, assign)| Some((*column, assign.as_value()?.clone()))).collect()
}
