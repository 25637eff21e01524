//! A PostgreSQL database as a [`Store`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Test, Write};
use mainstay_schema::{Schema, TableId};
use mainstay_store::script::{Progress, Step, StepDone};
use mainstay_store::{
    Call, Capabilities, ChangeFeed, Estimate, Explanation, Migrated, Migration, OrderSupport, ReadDone, RowSink,
    Script, Statistics, Store, StoreError, Subscription, Support, Transactions, WriteDone,
};

use super::connect::PostgresOptions;
use super::embedding::Seen;
use super::pool::Pool;
use super::render::{self, From};
use super::session::{Access, Isolation, Session};
use super::write::{Affected, Work, WriteFault};
use super::{estimate, explain, found, migrate, proof, read, statistics};
use crate::sql::look::LastLook;

/// How long a migration or a look at the migrations may take: long, because a table may be rewritten.
const MAINTENANCE_TIME_MAX: Duration = Duration::from_secs(3600);
/// How often a write is begun anew when it met another one.
const ATTEMPTS_MAX: u32 = 3;

/// A PostgreSQL database as a store.
pub struct PostgresStore {
    pool: Pool,
    feed: ChangeFeed,
    look: LastLook,
    seen: Seen,
}

impl PostgresStore {
    /// A store that connects when it is first asked. Must be called on a tokio runtime, which then runs its
    /// connections.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if certificates cannot be read.
    pub fn new(options: PostgresOptions) -> Result<PostgresStore, StoreError> {
        let pool = Pool::new(options).map_err(StoreError::Unavailable)?;
        Ok(PostgresStore { pool, feed: ChangeFeed::default(), look: LastLook::default(), seen: Seen::default() })
    }

    /// Makes what Mainstay keeps for itself in the database, where it is missing. Not for databases that are served as
    /// they were found.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be made.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let mut session = self.session(Instant::now() + MAINTENANCE_TIME_MAX).await?;
        migrate::prepare(&mut session).await.map_err(StoreError::from)
    }

    /// Proves a migration: carried out on the tables of `old` it gives exactly those of `new`. Tried in two scratch schemas
    /// inside one transaction that is rolled back; the tables of the database are not touched.
    ///
    /// # Errors
    /// The outer one is [`StoreError`] if it cannot be tried, as when the user may not make schemas; the inner one tells
    /// what is wrong with the migration, one sentence each.
    pub async fn prove(&self, old: &Schema, new: &Schema, sql: &str) -> Result<Result<(), Vec<String>>, StoreError> {
        let mut session = self.session(Instant::now() + MAINTENANCE_TIME_MAX).await?;
        proof::prove(&mut session, old, new, sql).await
    }

    /// The version of the server, as it tells it.
    ///
    /// # Errors
    /// [`StoreError`] if it does not answer.
    pub async fn server_version(&self, deadline: Instant) -> Result<String, StoreError> {
        let mut session = self.session(deadline).await?;
        let rows = session.query_all("SELECT current_setting('server_version')", &[]).await?;
        Ok(rows.first().map(|row| row.get(0)).unwrap_or_default())
    }

    /// The connections.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Takes note of an error that says that the tables have changed.
    fn heeded(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::SchemaChanged(_)) {
            self.look.doubt();
        }
        error
    }

    async fn session(&self, deadline: Instant) -> Result<Session, StoreError> {
        if Instant::now() >= deadline {
            return Err(StoreError::Deadline);
        }
        self.pool.session(deadline).await.map_err(StoreError::from)
    }

    async fn write_once(&self, call: &Call, plan: &Write, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let mut session = self.session(call.deadline).await?;
        session.begin(Access::Write, Isolation::ReadCommitted);
        let mut work = Work { session: &mut session, schema: &call.schema, begins_anew: false, has_given: false };
        match work.run(plan, sink).await {
            Ok(affected) => {
                let committed = session.commit().await;
                committed.map_err(|failure| failure.translate(&call.schema, None))?;
                Ok(affected)
            }
            Err(fault) => {
                // The connection is good for others once the transaction is undone; if not, it is given up.
                let _ = session.rollback().await;
                Err(fault)
            }
        }
    }

    async fn run_script(&self, call: &Call, script: &mut dyn Script) -> Result<(), StoreError> {
        let mut progress = Progress::new(script);
        let mut attempt = 0;
        'anew: loop {
            attempt += 1;
            let mut session = self.session(call.deadline).await?;
            // Later steps are made from what earlier ones read, which nobody may change meanwhile.
            session.begin(Access::Write, Isolation::Serializable);
            loop {
                if Instant::now() >= call.deadline {
                    let _ = session.rollback().await;
                    return Err(StoreError::Deadline);
                }
                let done = match progress.step() {
                    Ok(Step::Commit) => match session.commit().await {
                        Err(failure) if failure.is_conflict() => {
                            progress.restart();
                            pause(attempt).await;
                            continue 'anew;
                        }
                        done => return done.map_err(|failure| failure.translate(&call.schema, None)),
                    },
                    Ok(Step::RollBack) => return session.rollback().await.map_err(StoreError::from),
                    Ok(Step::Read { plan, mut sink }) => {
                        let sql = render::read(&call.schema, &plan, From::Plan);
                        let done = read::run_inside(&mut session, &call.schema, &plan, sql, &mut *sink).await;
                        done.map(|done| StepDone::Read(ReadDone { sink, rows: done.rows, total: done.total })).map_err(
                            |fault| match fault.is_conflict() {
                                true => WriteFault::Again(fault.translate(&call.schema)),
                                false => WriteFault::Final(fault.translate(&call.schema)),
                            },
                        )
                    }
                    Ok(Step::Write { plan, mut sink }) => {
                        let mut work =
                            Work { session: &mut session, schema: &call.schema, begins_anew: true, has_given: false };
                        let done = work.run(&plan, &mut *sink).await;
                        done.map(|Affected { affected, inserted }| {
                            StepDone::Write(WriteDone { sink, affected, inserted })
                        })
                    }
                    Err(error) => {
                        let _ = session.rollback().await;
                        return Err(error);
                    }
                };
                match done {
                    Ok(done) => progress.done(Ok(done)),
                    Err(WriteFault::Again(_)) => {
                        let _ = session.rollback().await;
                        drop(session);
                        progress.restart();
                        pause(attempt).await;
                        continue 'anew;
                    }
                    // The transaction has ended; what the script says next can only be that it knows.
                    Err(fault) => progress.done(Err(fault.error())),
                }
            }
        }
    }
}

/// Waits a little, a little longer each time.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
}

impl Store for PostgresStore {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn capabilities(&self) -> &Capabilities {
        &Capabilities {
            joins: true,
            offset: true,
            order: OrderSupport::Any,
            count: true,
            transactions: Transactions::Full,
            conflict_target: true,
            changes: false,
            own_words: true,
        }
    }

    fn support(&self, schema: &Schema, _table: TableId, filter: &Filter) -> Support {
        match filter {
            Filter::Test { test: Test::Match { pattern, case_sensitive }, .. }
                if schema.found().is_none() && !render::has_words_for(pattern.0.as_str(), *case_sensitive) =>
            {
                Support::Unsupported
            }
            _ => Support::Exact,
        }
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        async move {
            if plan.call.is_some() {
                let what = "the store postgres cannot run functions of the project yet".to_owned();
                return Err(StoreError::Unsupported { what });
            }
            let mut session = self.session(call.deadline).await?;
            let done = read::run(&mut session, (&self.pool, &self.seen), &call.schema, &plan, &mut *sink).await;
            session.finish_read();
            let done = done.map_err(|fault| self.heeded(fault.translate(&call.schema)))?;
            Ok(ReadDone { sink, rows: done.rows, total: done.total })
        }
        .boxed()
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        async move {
            let mut attempt = 0;
            loop {
                attempt += 1;
                match self.write_once(&call, &plan, &mut *sink).await {
                    Ok(Affected { affected, inserted }) => return Ok(WriteDone { sink, affected, inserted }),
                    Err(WriteFault::Again(_)) if attempt < ATTEMPTS_MAX && Instant::now() < call.deadline => {}
                    Err(fault) => return Err(self.heeded(fault.error())),
                }
            }
        }
        .boxed()
    }

    fn transact(&self, call: Call, mut script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        async move {
            self.run_script(&call, &mut *script).await.map_err(|error| self.heeded(error))?;
            Ok(script)
        }
        .boxed()
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move {
            let mut session = self.session(call.deadline).await?;
            explain::read(&mut session, &call.schema, &plan).await
        }
        .boxed()
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move {
            let mut session = self.session(call.deadline).await?;
            explain::write(&mut session, &call.schema, &plan).await
        }
        .boxed()
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let mut session = self.session(Instant::now() + MAINTENANCE_TIME_MAX).await?;
            migrate::apply(&mut session, &migration).await
        }
        .boxed()
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        async move {
            let mut session = self.session(Instant::now() + MAINTENANCE_TIME_MAX).await?;
            migrate::applied(&mut session).await.map_err(StoreError::from)
        }
        .boxed()
    }

    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        async move {
            let mut session = self.session(Instant::now() + MAINTENANCE_TIME_MAX).await?;
            proof::drift(&mut session, &schema).await
        }
        .boxed()
    }

    fn ping(&self, deadline: Instant) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let mut session = self.session(deadline).await?;
            session.execute("SELECT 1", &[]).await.map_err(StoreError::from).map(drop)
        }
        .boxed()
    }

    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        async move {
            let mut session = self.session(deadline).await?;
            found::find(&mut session).await
        }
        .boxed()
    }

    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        async move {
            let now = Instant::now();
            if let Some(version) = self.look.version(now) {
                return Ok(version);
            }
            let mut session = self.session(deadline).await?;
            let version = found::version(&mut session).await?;
            self.look.saw(now, Instant::now(), version);
            Ok(version)
        }
        .boxed()
    }

    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        async move {
            let mut session = self.session(call.deadline).await?;
            estimate::read(&mut session, &call.schema, &plan).await.map(Some)
        }
        .boxed()
    }

    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        async move {
            let mut session = self.session(deadline).await?;
            statistics::look(&mut session).await.map_err(StoreError::from)
        }
        .boxed()
    }

    fn subscribe(&self) -> Subscription {
        self.feed.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            self.pool.close().await;
            self.feed.close();
        }
        .boxed()
    }
}
