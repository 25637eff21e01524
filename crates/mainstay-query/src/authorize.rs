//! Plan + actor → authorized plan. The only place that makes an [`Authorized`], and stores take nothing else.

use std::ops::Deref;

use mainstay_schema::{ColumnId, Function, FunctionId, Rule, Schema, TableId};

use crate::error::Denied;
use crate::plan::{Assign, Filter, Read, Write, touched};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody outside, with the role that their key or token gave.
    Caller(Role),
    /// Our own background work: migrations, seeds, imports. Passes every rule, through the same door.
    System,
}

/// What a key or token makes of its bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The publishable key.
    Anon,
    /// A signed-in user.
    Authenticated,
    /// The secret key: passes every rule.
    Service,
}

impl Role {
    /// The role's name in tokens and messages.
    pub fn name(self) -> &'static str {
        match self {
            Role::Anon => "anon",
            Role::Authenticated => "authenticated",
            Role::Service => "service_role",
        }
    }
}

/// A plan that has been through the rules.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Authorized<P> {
    plan: P,
}

impl<P> Deref for Authorized<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.plan
    }
}

impl Authorized<Read> {
    /// The same read with a weaker filter and without limit, offset and count: what a store is sent when part of the
    /// work is left for us. It can only widen the filter by dropping parts that [`split`](crate::split) keeps.
    pub(crate) fn with_plan(&self, plan: Read) -> Authorized<Read> {
        Authorized { plan }
    }
}

/// The tables that a plan was let through to, for the parts into which it is split when they lie in several stores.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Tables whose rows the plan reads, or is made to read by its filters.
    tables: Vec<TableId>,
    /// The function that it calls.
    function: Option<FunctionId>,
}

impl Granted {
    /// What this read was granted.
    pub fn by_read(whole: &Authorized<Read>) -> Granted {
        let mut tables = Vec::new();
        touched::read(whole, &mut |table| tables.push(table));
        Granted { tables, function: whole.call.as_ref().map(|call| call.function) }
    }

    /// What this write was granted to read: what it filters by and gives back.
    pub fn by_write(whole: &Authorized<Write>) -> Granted {
        let mut tables = Vec::new();
        touched::write(whole, &mut |table| tables.push(table));
        Granted { tables, function: None }
    }

    /// A part of what was granted. The [splitter](crate::split::stores) makes parts by moving what stood in the plan;
    /// that none of them leads to more tables than the whole is made sure of here.
    ///
    /// # Errors
    /// [`Widened`] if it does.
    pub(crate) fn part(&self, plan: Read) -> Result<Authorized<Read>, Widened> {
        let mut is_part = plan.call.as_ref().is_none_or(|call| self.function == Some(call.function));
        touched::read(&plan, &mut |table| is_part &= self.tables.contains(&table));
        if is_part { Ok(Authorized { plan }) } else { Err(Widened) }
    }
}

impl Authorized<Write> {
    /// The same write for the one store of its tables: `plan` has other filters, which say the same by values that other
    /// stores gave, and gives back what this store has of the rows.
    ///
    /// # Errors
    /// [`Widened`] if it touches a table that the whole does not.
    pub(crate) fn with_plan(&self, plan: Write) -> Result<Authorized<Write>, Widened> {
        let (mut changed, mut all) = (Vec::new(), Vec::new());
        touched::changed(self, &mut |table| changed.push(table));
        touched::write(self, &mut |table| all.push(table));
        let mut is_part = true;
        touched::changed(&plan, &mut |table| is_part &= changed.contains(&table));
        touched::write(&plan, &mut |table| is_part &= all.contains(&table));
        if is_part { Ok(Authorized { plan }) } else { Err(Widened) }
    }
}

/// A part of a plan that does more than the whole: a mistake of the splitter, which the rules do not let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of a plan touches a table that the whole does not")]
pub struct Widened;

/// Lets a read through if the actor may read every table that it touches: by embeds, filters, orders and counts alike.
///
/// # Errors
/// [`Denied`] with the first table that may not be read.
pub fn read(schema: &Schema, actor: &Actor, plan: Read) -> Result<Authorized<Read>, Denied> {
    check_read(schema, actor, &plan)?;
    Ok(Authorized { plan })
}

/// Lets a write through if the actor may do it, and may read what it filters by and returns.
///
/// # Errors
/// [`Denied`] with the first table and operation that the rules refuse.
pub fn write(schema: &Schema, actor: &Actor, plan: Write) -> Result<Authorized<Write>, Denied> {
    check_write(schema, actor, &plan)?;
    Ok(Authorized { plan })
}

fn check_write(schema: &Schema, actor: &Actor, plan: &Write) -> Result<(), Denied> {
    match plan {
        Write::Insert(insert) => {
            need(schema, actor, insert.table, Operation::Create)?;
            if let Some(conflict) = &insert.conflict {
                // Merging or skipping tells whether a key is there, so it is reading as well.
                need(schema, actor, insert.table, Operation::Read)?;
                if conflict.merge.is_some() {
                    need(schema, actor, insert.table, Operation::Update)?;
                }
            }
        }
        Write::Update(update) => {
            need(schema, actor, update.table, Operation::Update)?;
            check_set(schema, actor, update.table, &update.set)?;
            check_filter(schema, actor, update.table, &update.filter)?;
        }
        Write::UpdateEach(update) => {
            need(schema, actor, update.table, Operation::Update)?;
            // How many rows were changed tells which keys are there.
            need(schema, actor, update.table, Operation::Read)?;
            check_filter(schema, actor, update.table, &update.filter)?;
        }
        Write::Delete(delete) => {
            need(schema, actor, delete.table, Operation::Delete)?;
            check_filter(schema, actor, delete.table, &delete.filter)?;
        }
        Write::Nested(nested) => {
            for part in &nested.parts {
                need(schema, actor, part.insert.table, Operation::Create)?;
            }
        }
        Write::Batch(writes) => {
            for write in writes {
                check_write(schema, actor, write)?;
            }
        }
        Write::Run(run) => {
            need_call(schema, actor, run.call.function)?;
            return run.returning.as_ref().map_or(Ok(()), |returning| check_result(schema, actor, returning));
        }
    }
    plan.returning().map_or(Ok(()), |returning| check_read(schema, actor, returning))
}

/// What is made of a stored value tells about it, if only by being refused.
fn check_set(schema: &Schema, actor: &Actor, table: TableId, set: &[(ColumnId, Assign)]) -> Result<(), Denied> {
    match set.iter().all(|(_, assign)| assign.as_value().is_some()) {
        true => Ok(()),
        false => need(schema, actor, table, Operation::Read),
    }
}

fn check_read(schema: &Schema, actor: &Actor, plan: &Read) -> Result<(), Denied> {
    if let Some(call) = &plan.call {
        need_call(schema, actor, call.function)?;
        return check_result(schema, actor, plan);
    }
    need(schema, actor, plan.table, Operation::Read)?;
    check_filter(schema, actor, plan.table, &plan.filter)?;
    check_around(schema, actor, plan)
}

/// The rows that a function gives back may be seen by whoever may call it, whatever table they are of; everything that
/// they lead to is asked about.
fn check_result(schema: &Schema, actor: &Actor, plan: &Read) -> Result<(), Denied> {
    check_own_filter(schema, actor, plan.table, &plan.filter)?;
    check_around(schema, actor, plan)
}

fn check_own_filter(schema: &Schema, actor: &Actor, table: TableId, filter: &Filter) -> Result<(), Denied> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().try_for_each(|part| check_own_filter(schema, actor, table, part))
        }
        Filter::Not(part) => check_own_filter(schema, actor, table, part),
        Filter::True
        | Filter::False
        | Filter::Unknown
        | Filter::Test { .. }
        | Filter::Columns { .. }
        | Filter::Search(_) => Ok(()),
        other @ Filter::Exists { .. } => check_filter(schema, actor, table, other),
    }
}

/// What a read leads to: by its order and its embeds.
fn check_around(schema: &Schema, actor: &Actor, plan: &Read) -> Result<(), Denied> {
    for order in &plan.order {
        if let Some(via) = &order.via {
            check_join(schema, actor, &via.join)?;
            need(schema, actor, via.table, Operation::Read)?;
            check_filter(schema, actor, via.table, &via.filter)?;
        }
    }
    for output in &plan.select {
        if let Some(embed) = output.source.embed() {
            check_join(schema, actor, &embed.link.join)?;
            check_read(schema, actor, &embed.read)?;
        }
    }
    Ok(())
}

fn check_filter(schema: &Schema, actor: &Actor, table: TableId, filter: &Filter) -> Result<(), Denied> {
    match filter {
        Filter::True | Filter::False | Filter::Unknown => Ok(()),
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().try_for_each(|part| check_filter(schema, actor, table, part))
        }
        Filter::Not(part) => check_filter(schema, actor, table, part),
        Filter::Test { .. } | Filter::Columns { .. } | Filter::Search(_) => need(schema, actor, table, Operation::Read),
        Filter::Exists { join, table, filter, .. } => {
            check_join(schema, actor, join)?;
            need(schema, actor, *table, Operation::Read)?;
            check_filter(schema, actor, *table, filter)
        }
    }
}

/// The rows of a junction decide what is seen, so they must be readable too.
fn check_join(schema: &Schema, actor: &Actor, join: &crate::plan::Join) -> Result<(), Denied> {
    match join {
        crate::plan::Join::Direct(_) => Ok(()),
        crate::plan::Join::Through { table, .. } => need(schema, actor, *table, Operation::Read),
    }
}

/// Whether the rules let the actor call this function.
pub fn may_call(actor: &Actor, function: &Function) -> bool {
    match actor {
        Actor::System | Actor::Caller(Role::Service) => true,
        Actor::Caller(Role::Anon | Role::Authenticated) => function.access == Rule::Always,
    }
}

fn need_call(schema: &Schema, actor: &Actor, function: FunctionId) -> Result<(), Denied> {
    let function = schema.function(function);
    if may_call(actor, function) { Ok(()) } else { Err(Denied::call(&function.name)) }
}

/// What is done to the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reading, and so filtering, ordering, counting and embedding.
    Read,
    /// Inserting.
    Create,
    /// Changing.
    Update,
    /// Deleting.
    Delete,
}

/// Whether the rules let the actor do this to the table at all. Plans go through [`read()`] and [`write()`]; this is for
/// whoever must know it without a plan, such as messages that name columns.
///
/// # Errors
/// [`Denied`] if not.
pub fn need(schema: &Schema, actor: &Actor, table: TableId, operation: Operation) -> Result<(), Denied> {
    let table = schema.table(table);
    let (rule, name) = match operation {
        Operation::Read => (table.access.read, "read"),
        Operation::Create => (table.access.create, "create"),
        Operation::Update => (table.access.update, "update"),
        Operation::Delete => (table.access.delete, "delete"),
    };
    let allowed = match actor {
        Actor::System => true,
        Actor::Caller(_) if table.internal => false,
        Actor::Caller(Role::Service) => true,
        Actor::Caller(Role::Anon | Role::Authenticated) => rule == Rule::Always,
    };
    if allowed { Ok(()) } else { Err(Denied { table: table.name.to_string(), operation: name }) }
}
