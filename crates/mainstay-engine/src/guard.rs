//! Refuses reads and writes that would look at too many rows, before they do.
//!
//! The store is asked once for each outline of a request; what it says holds for all requests of that outline until the
//! schema is another one or some time has gone. On the way of a request this costs the walk over its plan and a look into a
//! table. Of a write those rows count that it has to find.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use mainstay_query::plan::wanted::wanted;
use mainstay_query::plan::{Filter, Read, Write, outline};
use mainstay_query::{Actor, Authorized, Role, authorize, split};
use mainstay_schema::{Schema, TableId};
use mainstay_store::residual::RESIDUAL_ROWS_MAX;
use mainstay_store::{Call, Store};

/// Outlines that are remembered; when there are more, all are forgotten.
const OUTLINES_MAX: usize = 10_000;
/// How long an estimate holds: tables grow.
const HOLDS: Duration = Duration::from_secs(600);
/// How long the store may take to estimate.
const ESTIMATE_TIME_MAX: Duration = Duration::from_secs(2);

/// Rows that one request of each role may look at, as far as the store can tell; 0 for any number.
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

/// A request that would look at too many rows.
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

/// What is known of reads and writes of one schema.
pub(crate) struct Guard {
    pub(crate) limits: ExaminedLimits,
    known: RwLock<Known>,
}

struct Known {
    schema: Option<Arc<Schema>>,
    estimates: HashMap<u64, (Option<u64>, Instant)>,
}

/// Rows that a request has the store find: those of a read, or those that a write changes.
#[derive(Clone, Copy)]
pub(crate) enum Sought<'p> {
    /// Of a read, with what belongs to them.
    Read(&'p Authorized<Read>),
    /// Of a table, with what a write gives back of them.
    Changed(TableId, &'p Filter, Option<&'p Read>),
}

/// What of a request the guard does not know yet, for [`Guard::learn`].
pub(crate) struct Unknown {
    number: u64,
    plan: Authorized<Read>,
}

impl Unknown {
    /// What it is remembered by.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// What the guard says at once.
pub(crate) enum Verdict {
    /// It looks at few enough rows, or nobody can tell.
    Pass,
    /// It does not.
    Refuse(TooHeavy),
    /// The store has to be asked first.
    Ask(Box<Unknown>),
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
        sought: Sought<'_>,
    ) -> Result<(), TooHeavy> {
        match self.verdict(schema, actor, sought) {
            Verdict::Pass => Ok(()),
            Verdict::Refuse(heavy) => Err(heavy),
            Verdict::Ask(unknown) => {
                Box::pin(self.learn(store, schema, deadline, *unknown)).await;
                match self.verdict(schema, actor, sought) {
                    Verdict::Refuse(heavy) => Err(heavy),
                    // A store that cannot tell now is asked again; the request itself will meet whatever is wrong with it.
                    Verdict::Pass | Verdict::Ask(_) => Ok(()),
                }
            }
        }
    }

    /// The same for all that a write has to find.
    ///
    /// # Errors
    /// [`TooHeavy`] for another one.
    pub(crate) async fn check_write(
        &self,
        store: &dyn Store,
        schema: &Arc<Schema>,
        actor: &Actor,
        deadline: Instant,
        plan: &Authorized<Write>,
    ) -> Result<(), TooHeavy> {
        if self.limits.of(actor).is_some() {
            for sought in sought(plan) {
                self.check(store, schema, actor, deadline, sought).await?;
            }
        }
        Ok(())
    }

    /// What is known of the work. It waits for nothing.
    pub(crate) fn verdict(&self, schema: &Arc<Schema>, actor: &Actor, sought: Sought<'_>) -> Verdict {
        let Some((limit, max)) = self.limits.of(actor) else { return Verdict::Pass };
        let Some(number) = sought.number(schema) else { return Verdict::Pass };
        match self.look_up(schema, number) {
            Some(Some(rows)) if rows > max => {
                Verdict::Refuse(TooHeavy { rows, limit, max, index: index(schema, &sought.as_read()) })
            }
            Some(_) => Verdict::Pass,
            None => Verdict::Ask(Box::new(Unknown { number, plan: sought.authorized(schema) })),
        }
    }

    /// Rows that a request looks at; nothing if nobody knows.
    pub(crate) async fn estimate(
        &self,
        store: &dyn Store,
        schema: &Arc<Schema>,
        deadline: Instant,
        sought: Sought<'_>,
    ) -> Option<u64> {
        let number = sought.number(schema)?;
        if let Some(known) = self.look_up(schema, number) {
            return known;
        }
        self.learn(store, schema, deadline, Unknown { number, plan: sought.authorized(schema) }).await
    }

    /// Asks the store about what is not known.
    pub(crate) async fn learn(
        &self,
        store: &dyn Store,
        schema: &Arc<Schema>,
        deadline: Instant,
        unknown: Unknown,
    ) -> Option<u64> {
        let deadline = deadline.min(Instant::now() + ESTIMATE_TIME_MAX);
        let call = Call { schema: schema.clone(), deadline };
        let support = |table, filter: &_| store.support(schema, table, filter);
        let (pushed, _) = split::read(schema, unknown.plan, RESIDUAL_ROWS_MAX, support).ok()?;
        let rows = store.estimate(call, Arc::new(pushed)).await.ok()?.map(|estimate| estimate.rows);
        self.remember(schema, unknown.number, rows);
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

/// What a write has to find before it changes it. What it inserts it finds by keys, and so it does the rows that it changes
/// each in its own way; what a function does is its own business.
pub(crate) fn sought(plan: &Write) -> Vec<Sought<'_>> {
    match plan {
        Write::Update(update) => vec![Sought::Changed(update.table, &update.filter, update.returning.as_deref())],
        Write::Delete(delete) => vec![Sought::Changed(delete.table, &delete.filter, delete.returning.as_deref())],
        Write::Batch(plans) => plans.iter().flat_map(sought).collect(),
        Write::Insert(_) | Write::UpdateEach(_) | Write::Nested(_) | Write::Run(_) => Vec::new(),
    }
}

impl Sought<'_> {
    /// What stands for it and for all that differs from it in nothing but values; nothing for what is not looked at.
    fn number(&self, schema: &Schema) -> Option<u64> {
        match self {
            // What a function does is its own business.
            Sought::Read(plan) if plan.call.is_some() => None,
            Sought::Read(plan) => Some(outline::number(schema, plan)),
            Sought::Changed(table, filter, returning) => {
                Some(outline::number_of_changed(schema, *table, filter, *returning))
            }
        }
    }

    /// The rows as a read.
    pub(crate) fn as_read(&self) -> Read {
        match self {
            Sought::Read(plan) => (***plan).clone(),
            Sought::Changed(table, filter, returning) => Read {
                filter: (*filter).clone(),
                select: returning.map(|read| read.select.clone()).unwrap_or_default(),
                ..Read::new(*table)
            },
        }
    }

    /// The same, which passed the rules already.
    fn authorized(&self, schema: &Schema) -> Authorized<Read> {
        match self {
            Sought::Read(plan) => (*plan).clone(),
            Sought::Changed(..) => {
                let system = authorize::read(schema, &Actor::System, self.as_read());
                system.expect("our own work passes every rule")
            }
        }
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
