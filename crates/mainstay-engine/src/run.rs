//! The engine: one function a request, each of which names its steps in their order.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use mainstay_query::authorize::Operation;
use mainstay_query::plan::Shape;
use mainstay_query::request::{Action, ReadRequest, WriteRequest};
use mainstay_query::split::stores;
use mainstay_query::{Authorized, Limits, authorize, plan};
use mainstay_schema::Schema;
use mainstay_store::{Call, Cell, RowSink, Store, residual};

use crate::clock::{Clock, Moment, SystemClock};
use crate::conceal::{conceal, refused_as};
use crate::context::{Context, Stage};
use crate::error::Error;
use crate::faults::conceal_fault;
use crate::guard::{ExaminedLimits, Guard, Sought};
use crate::page::{self, PageKey, Pages, PlaceSink};
use crate::slow::{SlowLog, SlowStatement, Watch};

/// Longest wait for a store that is asked whether it answers.
const PING_TIME_MAX: Duration = Duration::from_secs(5);

/// Runs requests against one store.
pub struct Engine {
    schema: ArcSwap<Schema>,
    store: Arc<dyn Store>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// Who notices that another program changed the tables; empty where only we do.
    source: OnceLock<Arc<dyn SchemaSource>>,
    page_key: OnceLock<PageKey>,
    /// Who refuses what is too much work; empty where everything may be asked.
    guard: OnceLock<Arc<Guard>>,
    /// Who keeps what took long; empty where nobody wants to know.
    slow: OnceLock<SlowLog>,
    has_several_stores: bool,
}

/// Follows tables that other programs may change, and puts their schema in place when it is another than the last one.
/// What cannot be found out leaves the schema as it is.
pub trait SchemaSource: Send + Sync + 'static {
    /// Before a request: sees to it that changes are noticed, and waits for them only where that is soon over.
    fn refresh(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Waits until what has changed up to now is in place, at most until `deadline`.
    fn settle(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
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
    /// The place after the last row, when pages are asked for by key and there may be another one.
    pub next: Option<String>,
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
        let schema = ArcSwap::from_pointee(schema);
        let (source, page_key, guard, slow) = Default::default();
        let has_several_stores = store.parts().len() > 1;
        Engine { schema, store, limits, clock, source, page_key, guard, slow, has_several_stores }
    }

    /// Says which secret seals the places of pages by key, so that they are good on every node and after a restart.
    /// Without it they are good for as long as this engine lives. The first one counts.
    pub fn seal_pages_with(&self, secret: &[u8]) {
        let _ = self.page_key.set(PageKey::derive(secret));
    }

    /// From now on, refuses what would look at more rows than these. Said once.
    pub fn guard_work(&self, limits: ExaminedLimits) {
        let _ = self.guard.set(Arc::new(Guard::new(limits)));
    }

    /// Who refuses what is too much work.
    pub(crate) fn guard(&self) -> Option<&Arc<Guard>> {
        self.guard.get()
    }

    /// From now on, keeps what takes long. Said once.
    pub fn log_slow(&self, log: SlowLog) {
        let _ = self.slow.set(log);
    }

    /// What took long since the start, what cost most first.
    pub fn slow_statements(&self) -> Vec<SlowStatement> {
        self.slow.get().map(SlowLog::statements).unwrap_or_default()
    }

    /// Whether what takes long is kept.
    pub fn keeps_slow(&self) -> bool {
        self.slow.get().is_some()
    }

    /// Who keeps what took long.
    pub(crate) fn slow(&self) -> Option<&SlowLog> {
        self.slow.get()
    }

    /// Whether the guard lets a read through.
    async fn check_work(
        &self,
        schema: &Arc<Schema>,
        context: &Context,
        plan: &Authorized<plan::Read>,
    ) -> Result<(), Error> {
        let Some(guard) = self.guard.get() else { return Ok(()) };
        Ok(guard.check(&*self.store, schema, &context.actor, context.deadline, Sought::Read(plan)).await?)
    }

    /// The key that seals places.
    pub(crate) fn page_key(&self) -> &PageKey {
        self.page_key.get_or_init(|| {
            // 148 bits of randomness.
            let secret = [*self.clock.uuid7().as_bytes(), *self.clock.uuid7().as_bytes()];
            PageKey::derive(secret.as_flattened())
        })
    }

    /// The snapshot of now.
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.load_full()
    }

    /// Puts another snapshot in place, and gives the last one. Requests that run keep the one they began with.
    pub fn replace_schema(&self, schema: Schema) -> Arc<Schema> {
        self.schema.swap(Arc::new(schema))
    }

    /// From now on, asks `source` before each request whether the tables are still as they were. Said once.
    pub fn follow(&self, source: Arc<dyn SchemaSource>) {
        let _ = self.source.set(source);
    }

    /// The snapshot for a request that begins now.
    pub async fn current_schema(&self, context: &Context) -> Arc<Schema> {
        if let Some(source) = self.source.get() {
            source.refresh(context.deadline).await;
        }
        self.schema.load_full()
    }

    /// The snapshot that a request begins with, where another program may change the tables: for [`Engine::is_outdated`].
    pub fn followed_schema(&self) -> Option<Arc<Schema>> {
        self.source.get().map(|_| self.schema.load_full())
    }

    /// Whether another snapshot has taken the place of `known`, or does so when what has changed up to now is waited for:
    /// a request that did not find a name may find it there.
    pub async fn is_outdated(&self, known: &Arc<Schema>, deadline: Instant) -> bool {
        let is_other = || !Arc::ptr_eq(&self.schema.load(), known);
        if let Some(source) = self.source.get().filter(|_| !is_other()) {
            source.settle(deadline).await;
        }
        is_other()
    }

    /// The bounds on one request.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether there are several stores, so that answers may be joined from them.
    pub fn has_several_stores(&self) -> bool {
        self.has_several_stores
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
        if let Some(token) = &request.query.after {
            return Box::pin(self.read_page(schema, context, (request, token), plan, make_sink)).await;
        }
        let plan = authorize::read(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
        context.note_stores(|| stores::several_of_read(&schema, &plan));
        self.check_work(&schema, context, &plan).await?;
        let sink = Box::new(make_sink(&plan.shape(&schema)));
        // Rows that are sent while they are read take as long as whoever takes them.
        let watch = Watch::start(self.slow.get().filter(|_| !sink.may_wait()));
        context.note(Stage::Plan);
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        // Split and store: what the store does exactly goes there, the rest is done above it.
        let done = residual::read(&*self.store, call, plan, sink).await;
        if let Some(took) = watch.and_then(|watch| watch.slow(done.as_ref().err())) {
            Box::pin(self.note_slow_read(&schema, context, request, took)).await;
        }
        let done = done?;
        context.note(Stage::Store);
        Ok(ReadAnswer { sink: taken_back(done.sink)?, rows: done.rows, total: done.total, next: None })
    }

    /// The same steps for a page that begins after a place and tells the next one.
    async fn read_page<S: RowSink>(
        &self,
        schema: Arc<Schema>,
        context: &Context,
        (request, token): (&ReadRequest, &str),
        mut plan: plan::Read,
        make_sink: impl FnOnce(&Shape) -> S,
    ) -> Result<ReadAnswer<S>, Error> {
        let (shape, limit) = (plan.shape(&schema), plan.limit);
        let (pages, now_s) = self.place(&schema, context, token, &mut plan)?;
        let plan = authorize::read(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
        context.note_stores(|| stores::several_of_read(&schema, &plan));
        self.check_work(&schema, context, &plan).await?;
        let sink = Box::new(PlaceSink::new(make_sink(&shape), shape.members.len()));
        let watch = Watch::start(self.slow.get().filter(|_| !sink.may_wait()));
        context.note(Stage::Plan);
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        let done = residual::read(&*self.store, call, plan, sink).await;
        if let Some(took) = watch.and_then(|watch| watch.slow(done.as_ref().err())) {
            Box::pin(self.note_slow_read(&schema, context, request, took)).await;
        }
        let done = done?;
        context.note(Stage::Store);
        let sink: PlaceSink<S> = taken_back(done.sink)?;
        let may_go_on = done.rows > 0 && limit.is_some_and(|limit| done.rows >= limit);
        let next = may_go_on.then(|| pages.seal(&sink.place, now_s)).transpose()?;
        Ok(ReadAnswer { sink: sink.rows, rows: done.rows, total: done.total, next })
    }

    /// Puts the place that a token tells into a plan, whose rows then bring their places along; gives what seals them,
    /// and the time of it.
    pub(crate) fn place(
        &self,
        schema: &Schema,
        context: &Context,
        token: &str,
        plan: &mut plan::Read,
    ) -> Result<(Pages<'_>, i64), Error> {
        let now_s = self.clock.now().as_second();
        let pages = Pages::new(self.page_key(), schema, &context.actor, plan);
        plan.after = if token.is_empty() { None } else { Some(pages.open(token, now_s)?) };
        page::add_places(plan);
        Ok((pages, now_s))
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
        context.note_stores(|| stores::several_of_write(&schema, &plan));
        let shape = plan.returning().map(|returning| returning.shape(&schema));
        let sink: Box<dyn RowSink> = match &shape {
            Some(shape) => Box::new(make_sink(shape)),
            None => Box::new(Nothing),
        };
        if let Some(guard) = self.guard.get() {
            guard.check_write(&*self.store, &schema, &context.actor, context.deadline, &plan).await?;
        }
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        residual::check_write(&*self.store, &call, &plan)?; // The split of a write: all of it is the store's, or none.
        let plan = Arc::new(plan);
        let watch = Watch::start(self.slow.get());
        context.note(Stage::Plan);
        let done = self.store.write(call, plan.clone(), sink).await;
        if let Some(took) = watch.and_then(|watch| watch.slow(done.as_ref().err())) {
            Box::pin(self.note_slow_write(&schema, plan.clone(), took)).await;
        }
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
        // Whoever asks has a limit of its own, and a shorter one.
        self.store.ping(Instant::now() + PING_TIME_MAX).await?;
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
