//! What an engine brings for [`ServerStore`](super::ServerStore): its own way to carry out plans, one at a time.

use std::future::Future;

use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_schema::{Schema, Table};
use mainstay_store::{
    Call, Capabilities, Estimate, Explanation, Migrated, Migration, MigrationPlan, RowSink, Statistics, StoreError,
    Support,
};

use super::errors::{DriverError, Failure};
use super::pool::{Driver, Pool};

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Rows put into the sink.
    pub rows: u64,
    /// Rows that pass the filter, if asked.
    pub total: Option<u64>,
}

/// Why a read did not come to its end.
#[derive(Debug)]
pub enum Fault<E> {
    /// The session's reason.
    Session(Failure<E>),
    /// The rows are not what they should be, or not to be had.
    Rows(StoreError),
}

impl<E> From<Failure<E>> for Fault<E> {
    fn from(failure: Failure<E>) -> Fault<E> {
        Fault::Session(failure)
    }
}

impl<E> From<StoreError> for Fault<E> {
    fn from(error: StoreError) -> Fault<E> {
        Fault::Rows(error)
    }
}

impl<E: DriverError> Fault<E> {
    /// Whether the transaction met another one.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Fault::Session(failure) if failure.is_conflict())
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Affected {
    /// Rows inserted, updated or deleted.
    pub affected: u64,
    /// Of those, rows that were inserted rather than merged into others.
    pub inserted: u64,
}

impl Affected {
    /// Rows that were there.
    pub(crate) fn changed(affected: u64) -> Affected {
        Affected { affected, inserted: 0 }
    }
}

/// Why a write failed.
#[derive(Debug)]
pub enum WriteFault {
    /// The transaction met another one: begun anew, it may go well.
    Again(StoreError),
    /// The server's references refuse it: done again with those kept by us, it may go well.
    ByHand(StoreError),
    /// For good.
    Final(StoreError),
}

impl From<StoreError> for WriteFault {
    fn from(error: StoreError) -> WriteFault {
        WriteFault::Final(error)
    }
}

impl WriteFault {
    /// The error in any case.
    pub(crate) fn error(self) -> StoreError {
        match self {
            WriteFault::Again(error) | WriteFault::ByHand(error) | WriteFault::Final(error) => error,
        }
    }
}

/// The session of an engine's driver.
pub type SessionOf<E> = <<E as Engine>::Driver as Driver>::Session;
/// The error of an engine's driver.
pub type ErrorOf<E> = <<E as Engine>::Driver as Driver>::Error;

/// A kind of database server. A value of it holds what a store remembers from one request to the next.
///
/// Every method but [`Engine::read`] works on a session that it has for itself.
pub trait Engine: Default + Send + Sync + Sized + 'static {
    /// How it is spoken to.
    type Driver: Driver;

    /// Its name, as in settings and messages.
    const NAME: &'static str;
    /// How often a write is begun anew when it met another one.
    const ATTEMPTS_MAX: u32;

    /// What it can do beyond the least that is asked of all.
    fn capabilities() -> &'static Capabilities;

    /// Whether it carries out this filter exactly.
    fn support(_schema: &Schema, filter: &Filter) -> Support {
        if filter.compares_ranges() { Support::Unsupported } else { Support::Exact }
    }

    /// What a failure means to a caller who knows the tables.
    fn error(failure: Failure<ErrorOf<Self>>, schema: &Schema) -> StoreError {
        let _ = schema;
        failure.verbatim()
    }

    /// Reads the rows of a plan, all of it from one snapshot. Takes the connection itself, since there may be a quicker
    /// way than one for this read alone.
    ///
    /// # Errors
    /// Why it did not come to its end.
    fn read(
        &self,
        pool: &Pool<Self::Driver>,
        call: &Call,
        plan: &Read,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Counted, Fault<ErrorOf<Self>>>> + Send;

    /// Gives back what it holds of a pool that is about to close.
    fn close(&self) {}

    /// Reads the rows of a plan inside the transaction of a script.
    ///
    /// # Errors
    /// Why it did not come to its end.
    fn read_inside(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Read,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Counted, Fault<ErrorOf<Self>>>> + Send;

    /// Carries out a write that is one statement and needs no transaction around it, in one message and its answer;
    /// nothing if it is another one. The sink gets what the statement gives back, once it is durable.
    ///
    /// # Errors
    /// Why it failed; nothing has happened.
    fn write_alone(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Option<Affected>, WriteFault>> + Send {
        let _ = (session, schema, plan, sink);
        std::future::ready(Ok(None))
    }

    /// Carries out a write inside the transaction of its own that has begun; `by_hand` with references kept by us.
    ///
    /// # Errors
    /// Why it failed; the caller undoes what has happened.
    fn write(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
        by_hand: bool,
    ) -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// Carries out a write inside the transaction of a script, which begins anew with new sinks.
    ///
    /// # Errors
    /// Why it failed.
    fn write_inside(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Write,
        sink: &mut dyn RowSink,
    ) -> impl Future<Output = Result<Affected, WriteFault>> + Send;

    /// What the server would run for a read.
    ///
    /// # Errors
    /// As the server says.
    fn explain(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Read,
    ) -> impl Future<Output = Result<Explanation, StoreError>> + Send;

    /// What the server would run for a write. Nothing is changed.
    ///
    /// # Errors
    /// As the server says.
    fn explain_write(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Write,
    ) -> impl Future<Output = Result<Explanation, StoreError>> + Send;

    /// How many rows the server would look at for a read; nothing if it cannot tell.
    ///
    /// # Errors
    /// As the server says.
    fn estimate(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        plan: &Read,
    ) -> impl Future<Output = Result<Option<Estimate>, StoreError>> + Send {
        let _ = (session, schema, plan);
        std::future::ready(Ok(None))
    }

    /// Has the server count what a table holds, for its planner.
    ///
    /// # Errors
    /// As the server says; [`StoreError::Unsupported`] if it does not do it for this user.
    fn analyze(session: &mut SessionOf<Self>, table: &Table) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What the server has counted of its tables and indexes.
    ///
    /// # Errors
    /// As the server says.
    fn statistics(session: &mut SessionOf<Self>) -> impl Future<Output = Result<Statistics, StoreError>> + Send {
        let _ = session;
        std::future::ready(Ok(Statistics::default()))
    }

    /// The way from one schema to another.
    fn plan(old: &Schema, new: &Schema) -> MigrationPlan;

    /// Makes what Mainstay keeps for itself in the database, where it is missing.
    ///
    /// # Errors
    /// As the server says.
    fn prepare(session: &mut SessionOf<Self>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Carries out a migration and remembers it.
    ///
    /// # Errors
    /// [`StoreError::Migration`] if a statement is refused.
    fn migrate(
        session: &mut SessionOf<Self>,
        migration: &Migration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The migrations that were applied, oldest first.
    ///
    /// # Errors
    /// As the server says.
    fn migrations(session: &mut SessionOf<Self>) -> impl Future<Output = Result<Vec<Migrated>, StoreError>> + Send;

    /// Tries a migration on the tables of `old`; the inner error says what is wrong with it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be tried.
    fn prove(
        session: &mut SessionOf<Self>,
        old: &Schema,
        new: &Schema,
        sql: &str,
    ) -> impl Future<Output = Result<Result<(), Vec<String>>, StoreError>> + Send;

    /// How the tables differ from what a schema says.
    ///
    /// # Errors
    /// As the server says.
    fn drift(
        session: &mut SessionOf<Self>,
        schema: &Schema,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// What the server says of the statements of functions over the tables of a schema, which are looked at and not run;
    /// the inner errors say what is wrong with each.
    ///
    /// # Errors
    /// As the server says.
    fn probe(
        session: &mut SessionOf<Self>,
        schema: &Schema,
        statements: &[Statement],
    ) -> impl Future<Output = Result<Vec<Result<Probed, Refused>>, StoreError>> + Send;

    /// The tables that are there, as a schema.
    ///
    /// # Errors
    /// As the server says.
    fn find(session: &mut SessionOf<Self>) -> impl Future<Output = Result<Schema, StoreError>> + Send;

    /// A number that changes whenever the tables do.
    ///
    /// # Errors
    /// As the server says.
    fn tables_version(session: &mut SessionOf<Self>) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// The name and the version of the server, as `MariaDB 10.11.19`.
    ///
    /// # Errors
    /// As the server says.
    fn server_version(session: &mut SessionOf<Self>) -> impl Future<Output = Result<String, StoreError>> + Send;
}
