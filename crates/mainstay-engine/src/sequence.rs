//! Several requests in one transaction, each made when those before it are done: plan → authorize → split → store for
//! each of them, as for a request of its own, with one snapshot of the schema for all.

use std::any::Any;
use std::sync::Arc;

use mainstay_query::plan::{Shape, Work, Write};
use mainstay_query::{Actor, Authorized, Limits, ParseError, authorize, split};
use mainstay_schema::{Returns, Schema};
use mainstay_store::residual::{self, RESIDUAL_ROWS_MAX};
use mainstay_store::{Call, RowSink, Script, Step, StepDone, Store, StoreError};

use crate::call::{CallAnswer, Expected, planned_call};
use crate::clock::Clock;
use crate::conceal::refused_as;
use crate::context::{Context, Stage};
use crate::error::Error;
use crate::explain::Request;
use crate::faults::conceal_fault;
use crate::guard::{Guard, Sought, Unknown, Verdict, sought};
use crate::run::{Engine, Nothing, ReadAnswer, WriteAnswer, planned_read, planned_write};

/// Makes the requests of one transaction, one after the other. It runs where the store works, so it computes and does
/// not wait.
pub trait Sequence: Any + Send {
    /// What comes next, after all answers so far.
    fn next(&mut self) -> Turn;

    /// Where the rows of the request that [`Sequence::next`] gave last go. Called once the rules were asked, and for
    /// writes only if rows come back; `returns` is what the function returns, where the request is a call.
    fn make_sink(&mut self, shape: &Shape, returns: Option<Returns>) -> Box<dyn RowSink>;

    /// Takes what became of that request. After an error all is undone and nothing more is asked.
    fn take(&mut self, answer: Result<Answer, Error>);

    /// Forgets every answer: all was undone, and the requests begin anew.
    fn restart(&mut self);
}

/// What a sequence does next.
pub enum Turn {
    /// Another request.
    Run(Box<Request>),
    /// All that was written stays.
    Commit,
    /// Nothing that was written stays.
    RollBack,
}

/// What a request gave.
pub enum Answer {
    /// Rows.
    Read(ReadAnswer<Box<dyn RowSink>>),
    /// A change, which is durable only when the whole sequence is.
    Write(WriteAnswer<Box<dyn RowSink>>),
    /// What a function did. If it writes, that is durable only when the whole sequence is.
    Call(CallAnswer<Box<dyn RowSink>>),
}

impl Engine {
    /// Carries out a sequence in one transaction and gives it back, with what it took. Whether it was committed is the
    /// sequence's own choice.
    ///
    /// # Errors
    /// [`Error`] of the transaction itself; then nothing has happened. Errors of a request go to the sequence.
    pub async fn run<S: Sequence>(&self, context: &Context, sequence: S) -> Result<S, Error> {
        let schema = self.current_schema(context).await; // One snapshot for all requests.
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        let (limits, clock) = (self.limits().clone(), self.clock().clone());
        let store = self.store().clone();
        let guarding = self.guard().map(|guard| Guarding { guard: guard.clone(), unknown: None, asked: Vec::new() });
        let mut script = Box::new(Steps {
            schema,
            limits,
            clock,
            store,
            context: context.clone(),
            sequence,
            running: None,
            guarding,
        });
        loop {
            let done: Box<dyn Any> = self.store().transact(call.clone(), script).await?;
            context.note(Stage::Store); // Plans are made in between.
            let done = done.downcast::<Steps<S>>();
            script = done.map_err(|_| Error::Internal("a store gave back another script"))?;
            // Nobody can wait inside the transaction. So what the guard does not know undoes it, and once the store was
            // asked all of it begins anew: once for each outline that is new to this process.
            let Some(guarding) = &mut script.guarding else { return Ok(script.sequence) };
            let Some(unknown) = guarding.unknown.take() else { return Ok(script.sequence) };
            guarding.asked.push(unknown.number());
            let guard = guarding.guard.clone();
            guard.learn(&**self.store(), &call.schema, context.deadline, *unknown).await;
            script.sequence.restart();
        }
    }
}

/// A sequence as a script for the store.
struct Steps<S> {
    schema: Arc<Schema>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    context: Context,
    sequence: S,
    running: Option<Running>,
    guarding: Option<Guarding>,
}

/// Who refuses what is too much work.
struct Guarding {
    guard: Arc<Guard>,
    /// What the store has to be asked about before this can go on.
    unknown: Option<Box<Unknown>>,
    /// What it was asked about already.
    asked: Vec<u64>,
}

/// The request that the store carries out; `called` is there if it is a call.
enum Running {
    Read { called: Option<Expected> },
    Write { plan: Arc<Authorized<Write>>, gives_rows: bool, called: Option<Expected> },
}

impl<S: Sequence> Script for Steps<S> {
    fn next(&mut self, last: Option<Result<StepDone, StoreError>>) -> Step {
        let answer = last.map(|last| self.answer(last));
        if let Some(answer) = answer {
            let has_failed = answer.is_err();
            self.sequence.take(answer);
            if has_failed {
                return Step::RollBack;
            }
        }
        match self.sequence.next() {
            Turn::Commit => Step::Commit,
            Turn::RollBack => Step::RollBack,
            Turn::Run(request) => match self.prepare(&request) {
                Ok(step) => step,
                // The sequence begins anew when the store was asked.
                Err(Stop::Unknown) => Step::RollBack,
                Err(Stop::Refused(error)) => {
                    self.sequence.take(Err(error));
                    Step::RollBack
                }
            },
        }
    }

    fn restart(&mut self) {
        self.running = None;
        self.sequence.restart();
    }
}

/// Why a request does not come as far as the store.
enum Stop {
    /// A step refused it.
    Refused(Error),
    /// The guard does not know it yet.
    Unknown,
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Refused(error.into())
    }
}

impl Guarding {
    /// Lets a request pass that looks at few enough rows, or of which nobody knows.
    fn check(&mut self, schema: &Arc<Schema>, actor: &Actor, sought: Sought<'_>) -> Result<(), Stop> {
        match self.guard.verdict(schema, actor, sought) {
            Verdict::Refuse(heavy) => Err(heavy.into()),
            Verdict::Ask(unknown) if !self.asked.contains(&unknown.number()) => {
                self.unknown = Some(unknown);
                Err(Stop::Unknown)
            }
            Verdict::Pass | Verdict::Ask(_) => Ok(()),
        }
    }
}

impl<S: Sequence> Steps<S> {
    /// The way of a request up to the store.
    fn prepare(&mut self, request: &Request) -> Result<Step, Stop> {
        let schema = &self.schema;
        let mut called = None;
        let work = match request {
            Request::Read(request) if request.query.after.is_some() => {
                let details = "Pages by key (after) in a batch; use limit and offset.".to_owned();
                return Err(Error::Parse(ParseError::NotImplemented { details }).into());
            }
            Request::Read(request) => Work::Read(Box::new(planned_read(schema, &self.limits, &self.context, request)?)),
            Request::Write(request) => {
                Work::Write(Box::new(planned_write(schema, &self.limits, &*self.clock, &self.context, request)?))
            }
            Request::Call(request) => {
                let planned = planned_call(schema, &self.limits, &*self.clock, &self.context, request)?;
                called = Some(Expected::of(schema, &planned, request));
                planned.work
            }
        };
        let returns = called.map(|called| called.returns);
        match work {
            Work::Read(plan) => {
                let plan =
                    authorize::read(schema, &self.context.actor, *plan).map_err(|denied| refused_as(schema, denied))?;
                if let Some(guarding) = &mut self.guarding {
                    guarding.check(schema, &self.context.actor, Sought::Read(&plan))?;
                }
                let sink = self.sequence.make_sink(&plan.shape(schema), returns);
                let support = |table, filter: &_| self.store.support(schema, table, filter);
                let name = self.store.name_at(schema, plan.table);
                let (plan, rest) = split::read(schema, plan, RESIDUAL_ROWS_MAX, support)
                    .map_err(|refused| residual::unsupported(&*self.store, schema, &refused))?;
                if rest.is_some() {
                    let what = format!("the store {name} cannot filter like this inside a transaction");
                    return Err(StoreError::Unsupported { what }.into());
                }
                self.running = Some(Running::Read { called });
                Ok(Step::Read { plan: Arc::new(plan), sink })
            }
            Work::Write(plan) => {
                let plan = authorize::write(schema, &self.context.actor, *plan)
                    .map_err(|denied| refused_as(schema, denied))?;
                if let Some(guarding) = &mut self.guarding {
                    for sought in sought(&plan) {
                        guarding.check(schema, &self.context.actor, sought)?;
                    }
                }
                let call = Call { schema: schema.clone(), deadline: self.context.deadline };
                residual::check_write(&*self.store, &call, &plan)?;
                let shape = plan.returning().map(|returning| returning.shape(schema));
                let gives_rows = shape.is_some();
                let sink = match shape {
                    Some(shape) => self.sequence.make_sink(&shape, returns),
                    None => Box::new(Nothing),
                };
                let plan = Arc::new(plan);
                self.running = Some(Running::Write { plan: plan.clone(), gives_rows, called });
                Ok(Step::Write { plan, sink })
            }
        }
    }

    /// What the store did, or its error as this actor may see it.
    fn answer(&mut self, done: Result<StepDone, StoreError>) -> Result<Answer, Error> {
        match (done, self.running.take()) {
            (Ok(StepDone::Read(done)), Some(Running::Read { called })) => Ok(match called {
                Some(called) => Answer::Call(called.read(done.sink, done.rows, done.total)?),
                None => Answer::Read(ReadAnswer { sink: done.sink, rows: done.rows, total: done.total, next: None }),
            }),
            (Ok(StepDone::Write(done)), Some(Running::Write { gives_rows, called, .. })) => {
                let sink = gives_rows.then_some(done.sink);
                Ok(match called {
                    Some(called) => Answer::Call(called.written(sink, done.affected)),
                    None => Answer::Write(WriteAnswer { sink, affected: done.affected, inserted: done.inserted }),
                })
            }
            (Ok(_), _) => Err(Error::Internal("a store carried out another step")),
            (Err(error), Some(Running::Write { plan, .. })) => {
                Err(conceal_fault(&self.schema, &self.context.actor, &plan, error).into())
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}
