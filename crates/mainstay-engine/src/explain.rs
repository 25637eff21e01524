//! Shows what each step makes of a request, without changing anything.

use std::fmt;
use std::sync::Arc;

use mainstay_query::authorize;
use mainstay_query::plan::{self, Work, print};
use mainstay_query::request::{CallRequest, ReadRequest, WriteRequest};
use mainstay_query::split::{self, stores};
use mainstay_schema::Schema;
use mainstay_store::residual::{self, RESIDUAL_ROWS_MAX};
use mainstay_store::{Call, Explanation};

use crate::conceal::refused_as;
use crate::context::Context;
use crate::error::Error;
use crate::guard::{Sought, index, sought};
use crate::run::Engine;

/// A request of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Reads rows.
    Read(ReadRequest),
    /// Changes rows.
    Write(WriteRequest),
    /// Calls a function.
    Call(CallRequest),
}

/// What each step made of a request, as text. Prints as a page with one heading a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What was asked.
    pub request: String,
    /// The plan: names resolved, values typed.
    pub plan: String,
    /// The plan after the rules.
    pub authorized: String,
    /// What the store would run, in its own language.
    pub statements: Vec<String>,
    /// What the store's own planner says about it.
    pub details: Vec<String>,
    /// How many rows it would look at, and whether that is too many for this role.
    pub work: Option<String>,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "request\n{}\n", indented(&self.request))?;
        writeln!(f, "plan\n{}\n", indented(&self.plan))?;
        let authorized = if self.authorized == self.plan { "the plan, unchanged" } else { &self.authorized };
        writeln!(f, "authorized plan\n{}\n", indented(authorized))?;
        writeln!(f, "store\n{}", indented(&self.statements.join("\n")))?;
        if !self.details.is_empty() {
            writeln!(f, "\n{}", indented(&self.details.join("\n")))?;
        }
        if let Some(work) = &self.work {
            writeln!(f, "\nwork\n{}", indented(work))?;
        }
        Ok(())
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

impl Engine {
    /// Takes a request through every step but the last, and asks the store what it would do.
    ///
    /// # Errors
    /// [`Error`] of the first step that refuses, exactly as the request itself would meet it.
    pub async fn explain(&self, context: &Context, request: &Request) -> Result<Explained, Error> {
        let schema = self.current_schema(context).await;
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        let asked = format!("{request:#?}");
        match request {
            Request::Read(request) => {
                let mut plan = self.plan_read(&schema, context, request)?;
                if let Some(token) = &request.query.after {
                    self.place(&schema, context, token, &mut plan)?;
                }
                self.explain_read(context, call, asked, plan).await
            }
            Request::Write(request) => {
                let plan = self.plan_write(&schema, context, request)?;
                self.explain_write(context, call, asked, plan).await
            }
            Request::Call(request) => match self.plan_call(&schema, context, request)?.work {
                Work::Read(plan) => self.explain_read(context, call, asked, *plan).await,
                Work::Write(plan) => self.explain_write(context, call, asked, *plan).await,
            },
        }
    }

    async fn explain_read(
        &self,
        context: &Context,
        call: Call,
        request: String,
        plan: plan::Read,
    ) -> Result<Explained, Error> {
        let schema = call.schema.clone();
        let printed = print::read(&schema, &plan);
        let plan = authorize::read(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
        let authorized = print::read(&schema, &plan);
        let work = self.told_work(&schema, context, &[Sought::Read(&plan)]).await;
        if stores::only_of_read(&schema, &plan).is_none() {
            let explanation = self.store().explain(call, Arc::new(plan)).await?;
            return Ok(Explained { work, ..explained(request, printed, authorized, explanation) });
        }
        let support = |table, filter: &_| self.store().support(&schema, table, filter);
        let (pushed, residual) = split::read(&schema, plan, RESIDUAL_ROWS_MAX, support)
            .map_err(|refused| residual::unsupported(&**self.store(), &schema, &refused))?;
        let mut explanation = self.store().explain(call, Arc::new(pushed)).await?;
        if residual.is_some() {
            explanation.details.push("the rest of the filter is applied to the rows that come back".to_owned());
        }
        Ok(Explained { work, ..explained(request, printed, authorized, explanation) })
    }

    /// How many rows a request would look at, and what the guard says to that.
    async fn told_work(&self, schema: &Arc<Schema>, context: &Context, parts: &[Sought<'_>]) -> Option<String> {
        let guard = self.guard()?;
        // Each part is judged by itself; the one that looks at most rows tells of all.
        let (mut rows, mut most) = (None, parts.first()?);
        for part in parts {
            let known = guard.estimate(&**self.store(), schema, context.deadline, *part).await;
            if known > rows {
                (rows, most) = (known, part);
            }
        }
        Some(match (rows, guard.limits.of(&context.actor)) {
            (None, _) => "the store cannot tell how many rows it would look at".to_owned(),
            (Some(rows), None) => format!("looks at about {rows} rows; this role may look at any number"),
            (Some(rows), Some((limit, max))) if rows <= max => {
                format!("looks at about {rows} rows; passes, limits.{limit} is {max}")
            }
            (Some(rows), Some((limit, max))) => {
                let index = index(schema, &most.as_read())
                    .map_or_else(String::new, |index| format!("; an index on {index} would help"));
                format!("looks at about {rows} rows; refused, limits.{limit} is {max}{index}")
            }
        })
    }

    async fn explain_write(
        &self,
        context: &Context,
        call: Call,
        request: String,
        plan: plan::Write,
    ) -> Result<Explained, Error> {
        let schema = call.schema.clone();
        let printed = print::write(&schema, &plan);
        let plan = authorize::write(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
        let authorized = print::write(&schema, &plan);
        residual::check_write(&**self.store(), &call, &plan)?;
        let work = self.told_work(&schema, context, &sought(&plan)).await;
        let explanation = self.store().explain_write(call, Arc::new(plan)).await?;
        Ok(Explained { work, ..explained(request, printed, authorized, explanation) })
    }

    /// Whether planning and the rules let a request through.
    ///
    /// # Errors
    /// [`Error`] of the step that refuses.
    pub fn check(&self, context: &Context, request: &Request) -> Result<(), Error> {
        let schema = self.schema();
        match request {
            Request::Read(request) => {
                let plan = self.plan_read(&schema, context, request)?;
                let _ = authorize::read(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
            }
            Request::Write(request) => {
                let plan = self.plan_write(&schema, context, request)?;
                let _ =
                    authorize::write(&schema, &context.actor, plan).map_err(|denied| refused_as(&schema, denied))?;
            }
            Request::Call(request) => match self.plan_call(&schema, context, request)?.work {
                Work::Read(plan) => drop(authorize::read(&schema, &context.actor, *plan)?),
                Work::Write(plan) => drop(authorize::write(&schema, &context.actor, *plan)?),
            },
        }
        Ok(())
    }
}

fn explained(request: String, plan: String, authorized: String, explanation: Explanation) -> Explained {
    Explained {
        request,
        plan,
        authorized,
        statements: explanation.statements,
        details: explanation.details,
        work: None,
    }
}
