//! What becomes of a request that took long: its outline, its plan and the indexes that would have helped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::wanted::{WantedIndex, wanted};
use mainstay_query::plan::{self, Work, outline};
use mainstay_query::request::{CallRequest, ReadRequest};
use mainstay_query::{Actor, Authorized, authorize};
use mainstay_schema::Schema;
use mainstay_store::Call;

use crate::context::Context;
use crate::guard::sought;
use crate::run::Engine;
use crate::slow::{Particulars, SlowLog, named};

/// How long the store may take to tell its plan of a request that was slow anyway.
const EXPLAIN_TIME_MAX: Duration = Duration::from_secs(1);

impl Engine {
    /// Keeps a read that was slow. It is planned again: to keep the plan of every read until then would cost all of them.
    pub(crate) async fn note_slow_read(
        &self,
        schema: &Arc<Schema>,
        context: &Context,
        request: &ReadRequest,
        took: Duration,
    ) {
        let (Some(log), Ok(plan)) = (self.slow(), self.plan_read(schema, context, request)) else { return };
        self.keep_read(log, schema, plan, took).await;
    }

    /// Keeps a call of a function that was slow.
    pub(crate) async fn note_slow_call(
        &self,
        schema: &Arc<Schema>,
        context: &Context,
        request: &CallRequest,
        took: Duration,
    ) {
        let (Some(log), Ok(planned)) = (self.slow(), self.plan_call(schema, context, request)) else { return };
        match planned.work {
            Work::Read(plan) => self.keep_read(log, schema, *plan, took).await,
            Work::Write(plan) => {
                if let Ok(plan) = authorize::write(schema, &Actor::System, *plan) {
                    self.note_slow_write(schema, Arc::new(plan), took).await;
                }
            }
        }
    }

    async fn keep_read(&self, log: &SlowLog, schema: &Arc<Schema>, plan: plan::Read, took: Duration) {
        let number = outline::number(schema, &plan);
        if log.count(number, outline::text(schema, &plan), took) {
            let indexes = named(schema, &wanted(schema, &plan));
            let mut lines = Vec::new();
            // It was answered, so the rules let it pass.
            if let Ok(plan) = authorize::read(schema, &Actor::System, plan) {
                lines =
                    self.store().explain(explain_call(schema), Arc::new(plan)).await.map_or(lines, |told| told.details);
            }
            log.keep(number, took, Particulars { plan: lines, indexes });
        }
        log.tell(number, took);
    }

    /// Keeps a write that was slow.
    pub(crate) async fn note_slow_write(
        &self,
        schema: &Arc<Schema>,
        plan: Arc<Authorized<plan::Write>>,
        took: Duration,
    ) {
        let Some(log) = self.slow() else { return };
        let (number, text) = outline::of_write(schema, &plan);
        if log.count(number, text, took) {
            let found: Vec<WantedIndex> =
                sought(&plan).iter().flat_map(|sought| wanted(schema, &sought.as_read())).collect();
            let indexes = named(schema, &found);
            let told = self.store().explain_write(explain_call(schema), plan).await;
            let plan = told.map(|told| told.details).unwrap_or_default();
            log.keep(number, took, Particulars { plan, indexes });
        }
        log.tell(number, took);
    }
}

fn explain_call(schema: &Arc<Schema>) -> Call {
    Call { schema: schema.clone(), deadline: Instant::now() + EXPLAIN_TIME_MAX }
}
