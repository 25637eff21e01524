//! Refuses reads that would look at too many rows, before they do.
//!
//! The store is asked once for each outline of a read; what it says holds for all requests of that outline until the schema
//! is another one or some time has gone. On the way of a request this costs the walk over its plan and a look into a table.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use mainstay_query::plan::wanted::wanted;
use mainstay_query::plan::{Read, outline};
use mainstay_query::{Actor, Authorized, Role, split};
use mainstay_schema::Schema;
use mainstay_store::residual::RESIDUAL_ROWS_MAX;
use mainstay_store::{Call, Store};

/// Outlines that are remembered; when there are more, all are forgotten.
const OUTLINES_MAX: usize = 10_000;
/// How long an estimate holds: tables grow.
const HOLDS: Duration = Duration::from_secs(600);
/// How long the store may take to estimate.
const ESTIMATE_TIME_MAX: Duration = Duration::from_secs(2);

/// Rows that one read of each role may look at, as far as the store can tell; 0 for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExaminedLimits {
    /// With the publishable key alone.
    pub anon: u64,
    /// Signed in.
    pub authenticated: u64,
    /// With the secret key.
    pub service: u64,
}

impl Default for ExaminedLimits {
    fn default() -> ExaminedLimits {
        // A million rows take a database some tenths of a second of one processor: more than strangers should be able to ask
        // for by a URL. Whoever has the secret key may as well have the database.
        ExaminedLimits { anon: 1_000_000, authenticated: 1_000_000, service: 0 }
    }
}

impl ExaminedLimits {
    /// The limit of an actor, with the name of its setting; nothing where there is none.
    pub(crate) fn of(&self, actor: &Actor) -> Option<(&'static str, u64)> {
        let (name, limit) = match actor {
            Actor::System => return None,
            Actor::Caller(Role::Anon) => ("examined_rows_anon", self.anon),
            Actor::Caller(Role::Authenticated) => ("examined_rows_authenticated", self.authenticated),
            Actor::Caller(Role::Service) => ("examined_rows_service", self.service),
        };
        (limit > 0).then_some((name, limit))
    }
}

/// A read that would look at too many rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this request would look at about {rows} rows, and limits.{limit} is {max}")]
pub struct TooHeavy {
    /// Rows that it would look at.
    pub rows: u64,
    /// Name of the setting.
    pub limit: &'static str,
    /// Its value.
    pub max: u64,
    /// An index that would help, as `orders (status, at desc)`; nothing where none is known.
    pub index: Option<String>,
}

/// What is known of reads of one schema.
pub(crate) struct Guard {
    pub(crate) limits: ExaminedLimits,
    known: RwLock<Known>,
}

struct Known {
    schema: Option<Arc<Schema>>,
    estimates: HashMap<u64, (Option<u64>, Instant)>,
}

impl Guard {
    pub(crate) fn new(limits: ExaminedLimits) -> Guard {
        Guard { limits, known: RwLock::new(Known { schema: None, estimates: HashMap::new() }) }
    }

    /// Lets a read pass that looks at few enough rows, or of which nobody knows.
    ///
    /// # Errors
    /// [`TooHeavy`] for another one.
    pub(crate) async fn check(
        &self,
        store: &dyn Store,
        schema: &Arc<Schema>,
        actor: &Actor,
        deadline: Instant,
        plan: &Authorized<Read>,
    ) -> Result<(), TooHeavy> {
        let Some((limit, max)) = self.limits.of(actor) else { return Ok(()) };
        match self.estimate(store, schema, deadline, plan).await {
            Some(rows) if rows > max => Err(TooHeavy { rows, limit, max, index: index(schema, plan) }),
            _ => Ok(()),
        }
    }

    /// Rows that a read looks at; nothing if nobody knows.
    pub(crate) async fn estimate(
        &self,
        store: &dyn Store,
        schema: &Arc<Schema>,
        deadline: Instant,
        plan: &Authorized<Read>,
    ) -> Option<u64> {
        // What a function does is its own business.
        if plan.call.is_some() {
            return None;
        }
        let number = outline::number(schema, plan);
        if let Some(known) = self.look_up(schema, number) {
            return known;
        }
        let deadline = deadline.min(Instant::now() + ESTIMATE_TIME_MAX);
        let call = Call { schema: schema.clone(), deadline };
        let support = |table, filter: &_| store.support(schema, table, filter);
        // A store that cannot tell now is asked again; the request itself will meet whatever is wrong with it.
        let (pushed, _) = split::read(schema, plan.clone(), RESIDUAL_ROWS_MAX, support).ok()?;
        let rows = store.estimate(call, Arc::new(pushed)).await.ok()?.map(|estimate| estimate.rows);
        self.remember(schema, number, rows);
        rows
    }

    fn look_up(&self, schema: &Arc<Schema>, number: u64) -> Option<Option<u64>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if !known.schema.as_ref().is_some_and(|known| Arc::ptr_eq(known, schema)) {
            return None;
        }
        known.estimates.get(&number).filter(|(_, until)| Instant::now() < *until).map(|(rows, _)| *rows)
    }

    fn remember(&self, schema: &Arc<Schema>, number: u64, rows: Option<u64>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !known.schema.as_ref().is_some_and(|known| Arc::ptr_eq(known, schema)) {
            *known = Known { schema: Some(schema.clone()), estimates: HashMap::new() };
        }
        if known.estimates.len() >= OUTLINES_MAX {
            known.estimates.clear();
        }
        known.estimates.insert(number, (rows, Instant::now() + HOLDS));
    }
}

/// The first index that would help a read.
pub(crate) fn index(schema: &Schema, plan: &Read) -> Option<String> {
    let first = wanted(schema, plan).into_iter().next()?;
    let table = schema.table(first.table);
    let columns = first.columns.iter().map(|(column, descending)| {
        let name = &table.column(*column).name;
        if *descending { format!("{name} desc") } else { name.to_string() }
    });
    Some(format!("{} ({})", table.name, columns.collect::<Vec<_>>().join(", ")))
}
