//! A MySQL or MariaDB database as a [`Store`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{Schema, TableId};
use mainstay_store::script::{Progress, Step, StepDone};
use mainstay_store::{
    Call, Capabilities, ChangeFeed, Explanation, Migrated, Migration, OrderSupport, ReadDone, RowSink, Script, Store,
    StoreError, Subscription, Support, Transactions, WriteDone,
};

use super::connect::MysqlOptions;
use super::pool::Pool;
use super::references::{self, Ledger};
use super::session::{Access, Isolation, Session};
use super::write::{Affected, Work, WriteFault};
use super::{explain, found, migrate, proof, read};
use crate::sql::look::LastLook;

/// How long a migration or a look at the migrations may take: long, because a table may be rewritten.
const MAINTENANCE_TIME_MAX: Duration = Duration::from_secs(3600);
/// How often a write is begun anew when it met another one.
const ATTEMPTS_MAX: u32 = 10;

/// A MySQL or MariaDB database as a store.
pub struct MysqlStore {
    pool: Pool,
    feed: ChangeFeed,
    look: LastLook,
}

impl MysqlStore {
    /// A store that connects when it is first asked. Must be called on a tokio runtime, which then runs its
    /// connections.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if certificates cannot be read.
    pub fn new(options: MysqlOptions) -> Result<MysqlStore, StoreError> {
        let pool = Pool::new(options).map_err(StoreError::Unavailable)?;
        Ok(MysqlStore { pool, feed: ChangeFeed::default(), look: LastLook::default() })
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

    /// Proves a migration: carried out on the tables of `old` it gives exactly those of `new`. Tried in scratch databases;
    /// the tables of the database are not touched.
    ///
    /// # Errors
    /// The outer one is [`StoreError`] if it cannot be tried, as when the user may not make databases; the inner one tells
    /// what is wrong with the migration, one sentence each.
    pub async fn prove(&self, old: &Schema, new: &Schema, sql: &str) -> Result<Result<(), Vec<String>>, StoreError> {
        let mut session = self.session(Instant::now() + MAINTENANCE_TIME_MAX).await?;
        proof::prove(&mut session, old, new, sql).await
    }

    /// The name and the version of the server, as `MariaDB 10.11.19`.
    ///
    /// # Errors
    /// [`StoreError`] if it does not answer.
    pub async fn server_version(&self, deadline: Instant) -> Result<String, StoreError> {
        Ok(self.session(deadline).await?.server().to_string())
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

    async fn write_once(
        &self,
        call: &Call,
        plan: &Write,
        sink: &mut dyn RowSink,
        ledger: Option<Ledger>,
    ) -> Result<Affected, WriteFault> {
        let mut session = self.session(call.deadline).await?;
        let is_by_hand = ledger.is_some() || references::are_misjudged(session.server(), &call.schema, plan);
        let ledger = is_by_hand.then(|| ledger.unwrap_or_default());
        let begun = async {
            session.begin(Access::Write, Isolation::ReadCommitted).await?;
            session.check_references(ledger.is_none()).await
        };
        begun.await.map_err(StoreError::from)?;
        let mut work =
            Work { session: &mut session, schema: &call.schema, begins_anew: false, has_given: false, ledger };
        match work.run(plan, sink).await {
            Ok(affected) => {
                session.commit().await.map_err(StoreError::from)?;
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
            session.begin(Access::Write, Isolation::Serializable).await?;
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
                        done => return done.map_err(StoreError::from),
                    },
                    Ok(Step::RollBack) => return session.rollback().await.map_err(StoreError::from),
                    Ok(Step::Read { plan, mut sink }) => {
                        let done = read::run_inside(&mut session, &call.schema, &plan, &mut *sink).await;
                        done.map(|done| StepDone::Read(ReadDone { sink, rows: done.rows, total: done.total })).map_err(
                            |fault| match fault.is_conflict() {
                                true => WriteFault::Again(fault.error()),
                                false => WriteFault::Final(fault.error()),
                            },
                        )
                    }
                    Ok(Step::Write { plan, mut sink }) => {
                        let done = step(&mut session, &call.schema, &plan, &mut *sink).await;
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
                    // What the script says next can only be that it knows.
                    Err(fault) => progress.done(Err(fault.error())),
                }
            }
        }
    }
}

/// Carries out one write of a script; what the server's references refuse is undone and done with those kept here.
async fn step(
    session: &mut Session,
    schema: &Schema,
    plan: &Write,
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    if !references::are_misjudged(session.server(), schema, plan) {
        session.savepoint().await.map_err(StoreError::from)?;
        let mut work = Work { session, schema, begins_anew: true, has_given: false, ledger: None };
        match work.run(plan, sink).await {
            Err(WriteFault::ByHand(_)) => session.rollback_to().await.map_err(StoreError::from)?,
            Ok(affected) => {
                session.release().await.map_err(StoreError::from)?;
                return Ok(affected);
            }
            other => return other,
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

/// Waits a little, a little longer each time.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
}

impl Store for MysqlStore {
    fn name(&self) -> &'static str {
        "mysql"
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
            own_words: false,
        }
    }

    fn support(&self, _schema: &Schema, _table: TableId, _filter: &Filter) -> Support {
        Support::Exact
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        async move {
            if plan.call.is_some() {
                let what = "the store mysql cannot run functions of the project yet".to_owned();
                return Err(StoreError::Unsupported { what });
            }
            let mut session = self.session(call.deadline).await?;
            let done = read::run(&mut session, &call.schema, &plan, &mut *sink).await;
            session.finish_read();
            let done = done.map_err(|fault| self.heeded(fault.error()))?;
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
            let mut by_hand = false;
            loop {
                attempt += 1;
                match self.write_once(&call, &plan, &mut *sink, by_hand.then(Ledger::default)).await {
                    Ok(Affected { affected, inserted }) => return Ok(WriteDone { sink, affected, inserted }),
                    Err(WriteFault::Again(_)) if attempt < ATTEMPTS_MAX && Instant::now() < call.deadline => {
                        pause(attempt).await;
                    }
                    Err(WriteFault::ByHand(_)) if !by_hand => by_hand = true,
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
            let start = Instant::now();
            if let Some(version) = self.look.version(start) {
                return Ok(version);
            }
            let mut session = self.session(deadline).await?;
            let version = found::version(&mut session).await?;
            self.look.saw(start, Instant::now(), version);
            Ok(version)
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
