//! Calls of functions: planned and authorized like reads and writes, which is what they become.

use std::sync::Arc;

use mainstay_query::authorize::{Operation, may_call, need};
use mainstay_query::plan::{self, Shape, Work};
use mainstay_query::request::CallRequest;
use mainstay_query::split::stores;
use mainstay_query::{Denied, Limits, PlanError, authorize};
use mainstay_schema::{Returns, Schema};
use mainstay_store::{Call, RowSink, StoreError, residual};

use crate::clock::{Clock, Moment};
use crate::conceal::{refused_as, subject};
use crate::context::{Context, Stage};
use crate::error::Error;
use crate::faults::conceal_fault;
use crate::run::{Engine, Nothing, taken_back};
use crate::slow::Watch;

/// What a call gave. If the function writes, what it did is durable.
#[derive(Debug)]
pub struct CallAnswer<S> {
    /// The sink with the result; none if the function returns nothing.
    pub sink: Option<S>,
    /// What the function returns.
    pub returns: Returns,
    /// Whether it writes.
    pub writes: bool,
    /// Rows in the sink at the top level.
    pub rows: u64,
    /// Rows of the result that pass the filter, when a count was asked.
    pub total: Option<u64>,
}

impl Engine {
    /// Calls a function. `make_sink` is called once the shape of the result is known and the rules were asked.
    ///
    /// # Errors
    /// [`Error`] of the first step that refuses; then nothing has happened.
    pub async fn call<S: RowSink>(
        &self,
        context: &Context,
        request: &CallRequest,
        make_sink: impl FnOnce(&Shape, Returns) -> S,
    ) -> Result<CallAnswer<S>, Error> {
        let schema = self.current_schema(context).await;
        let planned = self.plan_call(&schema, context, request)?;
        let expected = Expected::of(&schema, &planned, request);
        let returns = expected.returns;
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        let refused = |denied| refused_as(&schema, denied);
        match planned.work {
            Work::Read(plan) => {
                let plan = authorize::read(&schema, &context.actor, *plan).map_err(refused)?;
                context.note_stores(|| stores::several_of_read(&schema, &plan));
                let sink = Box::new(make_sink(&plan.shape(&schema), returns));
                let watch = Watch::start(self.slow().filter(|_| !sink.may_wait()));
                context.note(Stage::Plan);
                let done = residual::read(&**self.store(), call, plan, sink).await;
                if let Some(took) = watch.and_then(|watch| watch.slow(done.as_ref().err())) {
                    self.note_slow_call(&schema, context, request, took).await;
                }
                let done = done?;
                context.note(Stage::Store);
                Ok(expected.read(taken_back(done.sink)?, done.rows, done.total)?)
            }
            Work::Write(plan) => {
                let plan = authorize::write(&schema, &context.actor, *plan).map_err(refused)?;
                context.note_stores(|| stores::several_of_write(&schema, &plan));
                let sink: Option<S> = plan.returning().map(|read| make_sink(&read.shape(&schema), returns));
                let has_sink = sink.is_some();
                let sink: Box<dyn RowSink> = match sink {
                    Some(sink) => Box::new(sink),
                    None => Box::new(Nothing),
                };
                residual::check_write(&**self.store(), &call, &plan)?;
                let plan = Arc::new(plan);
                let watch = Watch::start(self.slow());
                context.note(Stage::Plan);
                let done = self.store().write(call, plan.clone(), sink).await;
                if let Some(took) = watch.and_then(|watch| watch.slow(done.as_ref().err())) {
                    self.note_slow_call(&schema, context, request, took).await;
                }
                let done = done.map_err(|error| conceal_fault(&schema, &context.actor, &plan, error))?;
                context.note(Stage::Store);
                let sink = if has_sink { Some(taken_back(done.sink)?) } else { None };
                Ok(expected.written(sink, done.affected))
            }
        }
    }

    pub(crate) fn plan_call(
        &self,
        schema: &Schema,
        context: &Context,
        request: &CallRequest,
    ) -> Result<plan::Call, Error> {
        planned_call(schema, self.limits(), &**self.clock(), context, request)
    }
}

/// What is known of a call before a store carries it out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// What the function returns.
    pub(crate) returns: Returns,
    writes: bool,
    /// Limit and offset of the rows that a function which writes gives back.
    page: Option<(Option<u64>, u64)>,
    is_counted: bool,
    affected_max: Option<u64>,
}

impl Expected {
    pub(crate) fn of(schema: &Schema, planned: &plan::Call, request: &CallRequest) -> Expected {
        let function = schema.function(planned.function);
        let page = match &planned.work {
            Work::Write(write) => write.returning().map(|read| (read.limit, read.offset)),
            Work::Read(_) => None,
        };
        Expected {
            returns: function.returns,
            writes: function.writes,
            page,
            is_counted: request.count != plan::Count::None,
            affected_max: request.affected_max,
        }
    }

    /// The answer of a function that reads, unless its rows are too many.
    pub(crate) fn read<S>(self, sink: S, rows: u64, total: Option<u64>) -> Result<CallAnswer<S>, StoreError> {
        if self.affected_max.is_some_and(|most| rows > most) {
            return Err(StoreError::Unexpected { affected: rows, single: false });
        }
        Ok(CallAnswer { sink: Some(sink), returns: self.returns, writes: self.writes, rows, total })
    }

    /// The answer of a function that writes.
    pub(crate) fn written<S>(self, sink: Option<S>, affected: u64) -> CallAnswer<S> {
        let total = self.is_counted.then_some(affected);
        // With a count, what was affected are all rows that pass the filter, of which a page is in the sink.
        let rows = self.page.map_or(0, |(limit, offset)| match total {
            Some(total) => total.saturating_sub(offset).min(limit.unwrap_or(u64::MAX)),
            None => affected,
        });
        CallAnswer { sink, returns: self.returns, writes: self.writes, rows, total }
    }
}

/// The plan of a call, or the error that this actor may see.
pub(crate) fn planned_call(
    schema: &Schema,
    limits: &Limits,
    clock: &dyn Clock,
    context: &Context,
    request: &CallRequest,
) -> Result<plan::Call, Error> {
    let may_call = |function: &_| may_call(&context.actor, function);
    plan::call(schema, limits, &Moment::new(clock), request, &may_call)
        .map_err(|error| conceal(schema, context, &request.function, error))
}

/// The error that this actor may see: of functions that it may not call, and of tables around the result that it may
/// not read, nothing is told but that.
fn conceal(schema: &Schema, context: &Context, function: &str, mut error: PlanError) -> Error {
    let actor = &context.actor;
    let callable = || schema.find_functions(function).filter(|function| may_call(actor, function));
    if callable().next().is_none() && schema.find_functions(function).next().is_some() {
        return Error::Denied(Denied::call(function));
    }
    let refused = |table: &str| {
        let table = schema.find(table)?;
        need(schema, actor, table.id, Operation::Read).err()
    };
    // The columns of its own result are known to whoever may call it.
    let is_result =
        |table: &str| callable().filter_map(|one| one.rows()).any(|rows| &*schema.table(rows).name == table);
    if let Some(denied) = subject(&error).filter(|table| !is_result(table)).and_then(refused) {
        return refused_as(schema, denied);
    }
    if let PlanError::NoRelation { suggestion, .. } = &mut error {
        suggestion.take_if(|name| refused(name).is_some());
    }
    Error::from(error)
}
