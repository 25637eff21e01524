//! A database server as a [`Store`]: a session for each call, writes that are begun anew when they met others, scripts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_schema::{Schema, TableId};
use mainstay_store::script::{Progress, Step, StepDone};
use mainstay_store::{
    Call, Capabilities, ChangeFeed, Estimate, Explanation, Migrated, Migration, ReadDone, RowSink, Script, Statistics,
    Store, StoreError, Subscription, Support, WriteDone,
};

use super::engine::{Affected, Engine, Fault, SessionOf, WriteFault};
use super::pool::{Driver, Pool};
use super::session::{Access, Isolation, Transact};
use crate::sql::look::LastLook;

/// How long a migration or a look at the migrations may take: long, because a table may be rewritten.
const MAINTENANCE_TIME_MAX: Duration = Duration::from_secs(3600);

/// A database of a server as a store.
pub struct ServerStore<E: Engine> {
    pool: Pool<E::Driver>,
    engine: E,
    feed: ChangeFeed,
    look: LastLook,
}

impl<E: Engine> ServerStore<E> {
    /// A store that connects when it is first asked. Must be called on a tokio runtime, which then runs its
    /// connections.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if certificates cannot be read.
    pub fn new(options: <E::Driver as Driver>::Options) -> Result<ServerStore<E>, StoreError> {
        let pool = Pool::new(options).map_err(StoreError::Unavailable)?;
        Ok(ServerStore { pool, engine: E::default(), feed: ChangeFeed::default(), look: LastLook::default() })
    }

    /// Makes what Mainstay keeps for itself in the database, where it is missing. Not for databases that are served as
    /// they were found.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be made.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        E::prepare(&mut self.maintenance().await?).await
    }

    /// Proves a migration: carried out on the tables of `old` it gives exactly those of `new`. Tried in scratch schemas or
    /// databases; the tables of the database are not touched.
    ///
    /// # Errors
    /// The outer one is [`StoreError`] if it cannot be tried, as when the user may not make them; the inner one tells
    /// what is wrong with the migration, one sentence each.
    pub async fn prove(&self, old: &Schema, new: &Schema, sql: &str) -> Result<Result<(), Vec<String>>, StoreError> {
        E::prove(&mut self.maintenance().await?, old, new, sql).await
    }

    /// The name and the version of the server, as `MariaDB 10.11.19`.
    ///
    /// # Errors
    /// [`StoreError`] if it does not answer.
    pub async fn server_version(&self, deadline: Instant) -> Result<String, StoreError> {
        E::server_version(&mut self.session(deadline).await?).await
    }

    /// What the server says of the statements of functions over the tables of a schema.
    ///
    /// # Errors
    /// [`StoreError`] if it does not answer.
    pub async fn probe(
        &self,
        schema: &Schema,
        statements: &[Statement],
    ) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
        E::probe(&mut self.maintenance().await?, schema, statements).await
    }

    /// The connections.
    pub fn pool(&self) -> &Pool<E::Driver> {
        &self.pool
    }

    /// Takes note of an error that says that the tables have changed.
    fn heeded(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::SchemaChanged(_)) {
            self.look.doubt();
        }
        error
    }

    async fn session(&self, deadline: Instant) -> Result<SessionOf<E>, StoreError> {
        self.pool.session(deadline).await.map_err(StoreError::from)
    }

    async fn maintenance(&self) -> Result<SessionOf<E>, StoreError> {
        self.session(Instant::now() + MAINTENANCE_TIME_MAX).await
    }

    async fn write_once(
        &self,
        call: &Call,
        plan: &Write,
        sink: &mut dyn RowSink,
        by_hand: bool,
    ) -> Result<Affected, WriteFault> {
        let mut session = self.session(call.deadline).await?;
        let alone = match by_hand {
            true => None,
            false => E::write_alone(&mut session, &call.schema, plan, sink).await?,
        };
        match alone {
            Some(affected) => Ok(affected),
            // Boxed, since a statement alone needs much less room, and all of it is moved with each request.
            None => Box::pin(self.write_whole(session, call, plan, sink, by_hand)).await,
        }
    }

    /// Writes in a transaction.
    async fn write_whole(
        &self,
        mut session: SessionOf<E>,
        call: &Call,
        plan: &Write,
        sink: &mut dyn RowSink,
        by_hand: bool,
    ) -> Result<Affected, WriteFault> {
        session.begin(Access::Write, Isolation::ReadCommitted).await.map_err(StoreError::from)?;
        match E::write(&mut session, &call.schema, plan, sink, by_hand).await {
            Ok(affected) => {
                let committed = session.commit().await;
                committed.map_err(|failure| E::error(failure, &call.schema))?;
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
            session.begin(Access::Write, Isolation::Serializable).await.map_err(StoreError::from)?;
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
                        done => return done.map_err(|failure| E::error(failure, &call.schema)),
                    },
                    Ok(Step::RollBack) => return session.rollback().await.map_err(StoreError::from),
                    Ok(Step::Read { plan, mut sink }) => {
                        let done = E::read_inside(&mut session, &call.schema, &plan, &mut *sink).await;
                        done.map(|done| StepDone::Read(ReadDone { sink, rows: done.rows, total: done.total })).map_err(
                            |fault| match fault.is_conflict() {
                                true => WriteFault::Again(meaning::<E>(fault, &call.schema)),
                                false => WriteFault::Final(meaning::<E>(fault, &call.schema)),
                            },
                        )
                    }
                    Ok(Step::Write { plan, mut sink }) => {
                        let done = E::write_inside(&mut session, &call.schema, &plan, &mut *sink).await;
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
                    // Somebody else's row would have been found by now.
                    Err(WriteFault::Again(error @ StoreError::Duplicate { .. })) if attempt >= E::ATTEMPTS_MAX => {
                        progress.done(Err(error));
                    }
                    Err(WriteFault::Again(_)) => {
                        let _ = session.rollback().await;
                        drop(session);
                        progress.restart();
                        pause(attempt).await;
                        continue 'anew;
                    }
                    // Where an error ends the transaction, what the script says next can only be that it knows.
                    Err(fault) => progress.done(Err(fault.error())),
                }
            }
        }
    }
}

/// What a fault means to a caller who knows the tables.
fn meaning<E: Engine>(fault: Fault<<E::Driver as Driver>::Error>, schema: &Schema) -> StoreError {
    match fault {
        Fault::Session(failure) => E::error(failure, schema),
        Fault::Rows(error) => error,
    }
}

/// Waits a little, a little longer each time.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
}

impl<E: Engine> Store for ServerStore<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn capabilities(&self) -> &Capabilities {
        E::capabilities()
    }

    fn support(&self, schema: &Schema, _table: TableId, filter: &Filter) -> Support {
        E::support(schema, filter)
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        async move {
            let done = self.engine.read(&self.pool, &call, &plan, &mut *sink).await;
            let done = done.map_err(|fault| self.heeded(meaning::<E>(fault, &call.schema)))?;
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
                match self.write_once(&call, &plan, &mut *sink, by_hand).await {
                    Ok(Affected { affected, inserted }) => return Ok(WriteDone { sink, affected, inserted }),
                    Err(WriteFault::Again(_)) if attempt < E::ATTEMPTS_MAX && Instant::now() < call.deadline => {
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
        async move { E::explain(&mut self.session(call.deadline).await?, &call.schema, &plan).await }.boxed()
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move { E::explain_write(&mut self.session(call.deadline).await?, &call.schema, &plan).await }.boxed()
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { E::migrate(&mut self.maintenance().await?, &migration).await }.boxed()
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        async move { E::migrations(&mut self.maintenance().await?).await }.boxed()
    }

    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        async move { E::drift(&mut self.maintenance().await?, &schema).await }.boxed()
    }

    fn ping(&self, deadline: Instant) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.session(deadline).await?.ping().await.map_err(StoreError::from) }.boxed()
    }

    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        async move { E::find(&mut self.session(deadline).await?).await }.boxed()
    }

    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        async move {
            let start = Instant::now();
            if let Some(version) = self.look.version(start) {
                return Ok(version);
            }
            let version = E::tables_version(&mut self.session(deadline).await?).await?;
            self.look.saw(start, Instant::now(), version);
            Ok(version)
        }
        .boxed()
    }

    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        async move { E::estimate(&mut self.session(call.deadline).await?, &call.schema, &plan).await }.boxed()
    }

    fn analyze(&self, call: Call, table: TableId) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { E::analyze(&mut self.session(call.deadline).await?, call.schema.table(table)).await }.boxed()
    }

    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        async move { E::statistics(&mut self.session(deadline).await?).await }.boxed()
    }

    fn subscribe(&self) -> Subscription {
        self.feed.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            self.engine.close();
            self.pool.close().await;
            self.feed.close();
        }
        .boxed()
    }
}
