//! PostgreSQL as an [`Engine`] of a store.

use std::sync::Arc;

use mainstay_query::plan::{Filter, Read, Test, Write};
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_schema::{Schema, Table};
use mainstay_store::{
    Call, Capabilities, Estimate, Explanation, Migrated, Migration, MigrationPlan, OrderSupport, RowSink, Statistics,
    StoreError, Support, Transactions,
};

use super::embedding::Seen;
use super::errors::Failure;
use super::lanes::Lanes;
use super::pool::{Pool, PostgresDriver};
use super::read::{Around, Counted, Fault};
use super::render::{self, From};
use super::session::Session;
use super::write::{Affected, Work, WriteFault};
use super::{estimate, explain, found, function, migrate, probe, proof, read, statistics, write};
use crate::server::{Engine, ServerStore};

/// A PostgreSQL database as a store.
pub type PostgresStore = ServerStore<PostgresEngine>;

/// PostgreSQL, and what its reads gave before.
#[derive(Default)]
pub struct PostgresEngine {
    seen: Seen,
    lanes: Arc<Lanes>,
}

impl Engine for PostgresEngine {
    type Driver = PostgresDriver;

    const NAME: &'static str = "postgres";
    const ATTEMPTS_MAX: u32 = 3;

    fn capabilities() -> &'static Capabilities {
        &Capabilities {
            joins: true,
            offset: true,
            order: OrderSupport::Any,
            count: true,
            transactions: Transactions::Full,
            conflict_target: true,
            changes: false,
            own_words: true,
            time_digits: 6,
            decimal_digits: 38,
        }
    }

    fn support(schema: &Schema, filter: &Filter) -> Support {
        match filter {
            Filter::Test { test: Test::Match { pattern, case_sensitive }, .. }
                if schema.found().is_none() && !render::has_words_for(pattern.0.as_str(), *case_sensitive) =>
            {
                Support::Unsupported
            }
            _ => Support::Exact,
        }
    }

    fn error(failure: Failure, schema: &Schema) -> StoreError {
        failure.translate(schema, None)
    }

    async fn read(&self, pool: &Pool, call: &Call, plan: &Read, sink: &mut dyn RowSink) -> Result<Counted, Fault> {
        let around = Around { pool, seen: &self.seen, lanes: &self.lanes };
        let done = read::run(around, call, plan, sink).await;
        done.map_err(|fault| function::told(&call.schema, plan.call.as_deref(), fault))
    }

    fn close(&self) {
        self.lanes.close();
    }

    async fn read_inside(
        session: &mut Session,
        schema: &Schema,
        plan: &Read,
        sink: &mut dyn RowSink,
    ) -> Result<Counted, Fault> {
        let done = read::run_inside(session, schema, plan, render::read(schema, plan, From::Plan), sink).await;
        done.map_err(|fault| function::told(schema, plan.call.as_deref(), fault))
    }

    async fn write_alone(
        session: &mut Session,
        schema: &Schema,
        plan: &Write,
        _: &mut dyn RowSink,
    ) -> Result<Option<Affected>, WriteFault> {
        write::run_alone(session, schema, plan).await
    }

    async fn write(
        session: &mut Session,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
        _by_hand: bool,
    ) -> Result<Affected, WriteFault> {
        Work { session, schema, begins_anew: false, has_given: false }.run(plan, sink).await
    }

    async fn write_inside(
        session: &mut Session,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, WriteFault> {
        Work { session, schema, begins_anew: true, has_given: false }.run(plan, sink).await
    }

    async fn explain(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Explanation, StoreError> {
        explain::read(session, schema, plan).await
    }

    async fn explain_write(session: &mut Session, schema: &Schema, plan: &Write) -> Result<Explanation, StoreError> {
        explain::write(session, schema, plan).await
    }

    async fn estimate(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Option<Estimate>, StoreError> {
        estimate::read(session, schema, plan).await.map(Some)
    }

    async fn analyze(session: &mut Session, table: &Table) -> Result<(), StoreError> {
        statistics::analyze(session, table).await
    }

    async fn statistics(session: &mut Session) -> Result<Statistics, StoreError> {
        statistics::look(session).await.map_err(StoreError::from)
    }

    fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
        migrate::plan(old, new)
    }

    async fn prepare(session: &mut Session) -> Result<(), StoreError> {
        migrate::prepare(session).await.map_err(StoreError::from)
    }

    async fn migrate(session: &mut Session, migration: &Migration) -> Result<(), StoreError> {
        migrate::apply(session, migration).await
    }

    async fn migrations(session: &mut Session) -> Result<Vec<Migrated>, StoreError> {
        migrate::applied(session).await.map_err(StoreError::from)
    }

    async fn prove(
        session: &mut Session,
        old: &Schema,
        new: &Schema,
        sql: &str,
    ) -> Result<Result<(), Vec<String>>, StoreError> {
        proof::prove(session, old, new, sql).await
    }

    async fn drift(session: &mut Session, schema: &Schema) -> Result<Vec<String>, StoreError> {
        proof::drift(session, schema).await
    }

    async fn probe(
        session: &mut Session,
        schema: &Schema,
        statements: &[Statement],
    ) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
        probe::probe(session, schema, statements).await
    }

    async fn find(session: &mut Session) -> Result<Schema, StoreError> {
        found::find(session).await
    }

    async fn tables_version(session: &mut Session) -> Result<i64, StoreError> {
        found::version(session).await
    }

    async fn server_version(session: &mut Session) -> Result<String, StoreError> {
        let rows = session.query_all("SELECT current_setting('server_version')", &[]).await?;
        let version: String = rows.first().map(|row| row.get(0)).unwrap_or_default();
        Ok(format!("PostgreSQL {version}"))
    }
}
