//! The engine: one function a request, each of which names its steps in their order.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use mainstay_query::authorize::Operation;
use mainstay_query::plan::Shape;
use mainstay_query::request::{Action, ReadRequest, WriteRequest};
use mainstay_query::{Limits, authorize, plan};
use mainstay_schema::Schema;
use mainstay_store::{Call, Cell, RowSink, Store, residual};

use crate::clock::{Clock, Moment, SystemClock};
use crate::conceal::{conceal, refused_as};
use crate::context::{Context, Stage};
use crate::error::Error;
use crate::faults::conceal_fault;

/// Runs requests against one store.
pub struct Engine {
    schema: ArcSwap<Schema>,
    store: Arc<dyn Store>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// Who notices that another program changed the tables; empty where only we do.
    source: OnceLock<Arc<dyn SchemaSource>>,
}

/// Follows tables that other programs may change.
pub trait SchemaSource: Send + Sync + 'static {
    /// Puts the schema of now in place if it is another than the last one, in good time before `deadline`. What cannot
    /// be found out leaves the schema as it is.
    fn refresh<'a>(&'a self, engine: &'a Engine, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// What a read gave.
#[derive(Debug)]
pub struct ReadAnswer<S> {
    /// The sink, holding the rows.
    pub sink: S,
    /// Rows in it at the top level.
    pub rows: u64,
    /// Rows that pass the filter, when a count was asked.
    pub total: Option<u64>,
}

/// What a write did. It is durable.
#[derive(Debug)]
pub struct WriteAnswer<S> {
    /// The sink with the returned rows, when rows or keys were asked for.
    pub sink: Option<S>,
    /// Rows inserted, updated or deleted by the statement itself.
    pub affected: u64,
    /// Of those, rows that an insert really inserted rather than merged into another.
    pub inserted: u64,
}

impl Engine {
    /// An engine that takes time and identifiers from the machine.
    pub fn new(schema: Schema, store: Arc<dyn Store>, limits: Limits) -> Engine {
        Engine::with_clock(schema, store, limits, Arc::new(SystemClock))
    }

    /// An engine with a clock of its own, so that a run can be replayed.
    pub fn with_clock(schema: Schema, store: Arc<dyn Store>, limits: Limits, clock: Arc<dyn Clock>) -> Engine {
        Engine { schema: ArcSwap::from_pointee(schema), store, limits, clock, source: OnceLock::new() }
    }

    /// The snapshot of now.
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.load_full()
    }

    /// Puts another snapshot in place. Requests that run keep the one they began with.
    pub fn replace_schema(&self, schema: Schema) {
        self.schema.store(Arc::new(schema));
    }

    /// From now on, asks `source` before each request whether the tables are still as they were. Said once.
    pub fn follow(&self, source: Arc<dyn SchemaSource>) {
        let _ = self.source.set(source);
    }

    /// The snapshot for a request that begins now.
    pub async fn current_schema(&self, context: &Context) -> Arc<Schema> {
        if let Some(source) = self.source.get() {
            source.refresh(self, context.deadline).await;
        }
        self.schema.load_full()
    }

    /// The bounds on one request.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The store beneath, for migrations, subscriptions and closing.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Where time and identifiers come from.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Answers one read. `make_sink` is called once the shape of the rows is known and the rules were asked.
    ///
    /// # Errors
    /// [`Error`] of the first step that refuses.
    pub async fn read<S: RowSink>(
        &self,
        context: &Context,
        request: &ReadRequest,
        make_sink: impl FnOnce(&Shape) -> S,
    ) -> Result<ReadAnswer<S>, Error> {
        let schema = self.current_schema(context).await; // One snapshot for the whole request.
        let plan = self.plan_read(&schema, context, request)?;
        let plan = authorize::read(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
        let sink = Box::new(make_sink(&plan.shape(&schema)));
        context.note(Stage::Plan);
        let call = Call { schema, deadline: context.deadline };
        // Split and store: what the store does exactly goes there, the rest is done above it.
        let done = residual::read(&*self.store, call, plan, sink).await?;
        context.note(Stage::Store);
        Ok(ReadAnswer { sink: taken_back(done.sink)?, rows: done.rows, total: done.total })
    }

    /// Carries out one write. `make_sink` is called if rows or keys come back.
    ///
    /// # Errors
    /// [`Error`] of the first step that refuses; then nothing has happened.
    pub async fn write<S: RowSink>(
        &self,
        context: &Context,
        request: &WriteRequest,
        make_sink: impl FnOnce(&Shape) -> S,
    ) -> Result<WriteAnswer<S>, Error> {
        let schema = self.current_schema(context).await;
        let plan = self.plan_write(&schema, context, request)?;
        let plan = authorize::write(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
        let shape = plan.returning().map(|returning| returning.shape(&schema));
        let sink: Box<dyn RowSink> = match &shape {
            Some(shape) => Box::new(make_sink(shape)),
            None => Box::new(Nothing),
        };
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        residual::check_write(&*self.store, &call, &plan)?; // The split of a write: all of it is the store's, or none.
        let plan = Arc::new(plan);
        context.note(Stage::Plan);
        let done = self.store.write(call, plan.clone(), sink).await;
        let done = done.map_err(|error| conceal_fault(&schema, &context.actor, &plan, error))?;
        context.note(Stage::Store);
        let sink = shape.map(|_| taken_back(done.sink)).transpose()?;
        Ok(WriteAnswer { sink, affected: done.affected, inserted: done.inserted })
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::Store`] if not.
    pub async fn ready(&self) -> Result<(), Error> {
        self.store.migrations().await?;
        Ok(())
    }

    pub(crate) fn plan_read(
        &self,
        schema: &Schema,
        context: &Context,
        request: &ReadRequest,
    ) -> Result<plan::Read, Error> {
        planned_read(schema, &self.limits, context, request)
    }

    pub(crate) fn plan_write(
        &self,
        schema: &Schema,
        context: &Context,
        request: &WriteRequest,
    ) -> Result<plan::Write, Error> {
        planned_write(schema, &self.limits, &*self.clock, context, request)
    }
}

/// The plan of a read, or the error that this actor may see.
pub(crate) fn planned_read(
    schema: &Schema,
    limits: &Limits,
    context: &Context,
    request: &ReadRequest,
) -> Result<plan::Read, Error> {
    plan::read(schema, limits, request)
        .map_err(|error| conceal(schema, &context.actor, &request.table, Operation::Read, error))
}

/// The plan of a write, or the error that this actor may see.
pub(crate) fn planned_write(
    schema: &Schema,
    limits: &Limits,
    clock: &dyn Clock,
    context: &Context,
    request: &WriteRequest,
) -> Result<plan::Write, Error> {
    let moment = Moment::new(clock);
    let operation = match request.action {
        Action::Insert { .. } | Action::Replace { .. } => Operation::Create,
        Action::Update { .. } => Operation::Update,
        Action::Delete => Operation::Delete,
    };
    plan::write(schema, limits, &moment, request)
        .map_err(|error| conceal(schema, &context.actor, &request.table, operation, error))
}

/// The sink as its own type again, after the store had it.
pub(crate) fn taken_back<S: RowSink>(sink: Box<dyn RowSink>) -> Result<S, Error> {
    let sink: Box<dyn Any> = sink;
    let sink = sink.downcast::<S>().map_err(|_| Error::Internal("a store gave back another sink"))?;
    Ok(*sink)
}

/// Takes the rows of a write that returns none.
pub(crate) struct Nothing;

impl RowSink for Nothing {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, _: Cell<'_>) {}
}
