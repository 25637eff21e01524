//! MySQL and MariaDB as an [`Engine`] of a store.

use mainstay_query::plan::{Read, Write};
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_schema::{Schema, Table};
use mainstay_store::{
    Call, Capabilities, Estimate, Explanation, Migrated, Migration, MigrationPlan, OrderSupport, RowSink, Statistics,
    StoreError, Transactions,
};

use super::pool::{MysqlDriver, Pool};
use super::read::{Counted, Fault};
use super::references::{self, Ledger};
use super::session::Session;
use super::write::{Affected, Work, WriteFault};
use super::{estimate, explain, found, function, migrate, probe, proof, read, single, statistics};
use crate::server::{Engine, ServerStore};

/// A MySQL or MariaDB database as a store.
pub type MysqlStore = ServerStore<MysqlEngine>;

/// MySQL and MariaDB.
#[derive(Debug, Default)]
pub struct MysqlEngine;

impl Engine for MysqlEngine {
    type Driver = MysqlDriver;

    const NAME: &'static str = "mysql";
    const ATTEMPTS_MAX: u32 = 10;

    fn capabilities() -> &'static Capabilities {
        &Capabilities {
            joins: true,
            offset: true,
            order: OrderSupport::Any,
            count: true,
            transactions: Transactions::Full,
            conflict_target: true,
            changes: false,
            own_words: false,
            time_digits: 6,
            decimal_digits: 38,
        }
    }

    async fn read(&self, pool: &Pool, call: &Call, plan: &Read, sink: &mut dyn RowSink) -> Result<Counted, Fault> {
        let mut session = pool.session(call.deadline).await?;
        let done = read::run(&mut session, &call.schema, plan, sink).await;
        session.finish_read();
        done.map_err(|fault| function::told(&call.schema, plan.call.as_deref(), fault))
    }

    async fn read_inside(
        session: &mut Session,
        schema: &Schema,
        plan: &Read,
        sink: &mut dyn RowSink,
    ) -> Result<Counted, Fault> {
        let done = read::run_inside(session, schema, plan, sink).await;
        done.map_err(|fault| function::told(schema, plan.call.as_deref(), fault))
    }

    async fn write_alone(
        session: &mut Session,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
    ) -> Result<Option<Affected>, WriteFault> {
        single::run_alone(session, schema, plan, sink).await
    }

    async fn write(
        session: &mut Session,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
        by_hand: bool,
    ) -> Result<Affected, WriteFault> {
        let is_by_hand = by_hand || references::are_misjudged(session.server(), schema, plan);
        session.check_references(!is_by_hand).await.map_err(StoreError::from)?;
        let ledger = is_by_hand.then(Ledger::default);
        Work { session, schema, begins_anew: false, has_given: false, ledger }.run(plan, sink).await
    }

    /// What the server's references refuse is undone and done with those kept here.
    async fn write_inside(
        session: &mut Session,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, WriteFault> {
        if !references::are_misjudged(session.server(), schema, plan) {
            let mut work = Work { session, schema, begins_anew: true, has_given: false, ledger: None };
            match single::run(&mut work, plan, sink).await {
                // One statement that failed has done nothing.
                Err(WriteFault::ByHand(_)) => {}
                Err(fault) => return Err(fault),
                Ok(Some(affected)) => return Ok(affected),
                Ok(None) => {
                    session.savepoint().await.map_err(StoreError::from)?;
                    let mut work = Work { session, schema, begins_anew: true, has_given: false, ledger: None };
                    match work.run(plan, sink).await {
                        Err(WriteFault::ByHand(_)) => session.rollback_to().await.map_err(StoreError::from)?,
                        Ok(affected) => {
                            session.release();
                            return Ok(affected);
                        }
                        other => return other,
                    }
                }
            }
        }
        session.check_references(false).await.map_err(StoreError::from)?;
        let mut work = Work { session, schema, begins_anew: true, has_given: false, ledger: Some(Ledger::default()) };
        let done = work.run(plan, sink).await;
        if matches!(done, Err(WriteFault::Again(_))) {
            return done;
        }
        session.check_references(true).await.map_err(StoreError::from)?;
        done
    }

    async fn explain(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Explanation, StoreError> {
        explain::read(session, schema, plan).await
    }

    async fn explain_write(session: &mut Session, schema: &Schema, plan: &Write) -> Result<Explanation, StoreError> {
        explain::write(session, schema, plan).await
    }

    fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
        migrate::plan(old, new)
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
        Ok(session.server().to_string())
    }
}
