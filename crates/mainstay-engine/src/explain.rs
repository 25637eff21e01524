//! Shows what each step makes of a request, without changing anything.

use std::fmt;
use std::sync::Arc;

use mainstay_query::request::{ReadRequest, WriteRequest};
use mainstay_query::{authorize, plan};
use mainstay_store::{Call, Explanation};

use crate::context::Context;
use crate::error::Error;
use crate::run::Engine;

/// A request of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Reads rows.
    Read(ReadRequest),
    /// Changes rows.
    Write(WriteRequest),
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
        let schema = self.schema();
        let call = Call { schema: schema.clone(), deadline: context.deadline };
        match request {
            Request::Read(request) => {
                let plan = self.plan_read(&schema, context, request)?;
                let printed = format!("{plan:#?}");
                let authorized = authorize::read(&schema, &context.actor, plan)?;
                let after = format!("{:#?}", *authorized);
                let explanation = self.store().explain(call, Arc::new(authorized)).await?;
                Ok(explained(format!("{request:#?}"), printed, after, explanation))
            }
            Request::Write(request) => {
                let plan = self.plan_write(&schema, context, request)?;
                let printed = format!("{plan:#?}");
                let authorized = authorize::write(&schema, &context.actor, plan)?;
                let after = format!("{:#?}", *authorized);
                let explanation = self.store().explain_write(call, Arc::new(authorized)).await?;
                Ok(explained(format!("{request:#?}"), printed, after, explanation))
            }
        }
    }

    /// Whether planning and the rules let a request through.
    ///
    /// # Errors
    /// [`Error`] of the step that refuses.
    pub fn check(&self, context: &Context, request: &Request) -> Result<(), Error> {
        let schema = self.schema();
        match request {
            Request::Read(request) => {
                let plan: plan::Read = self.plan_read(&schema, context, request)?;
                let _ = authorize::read(&schema, &context.actor, plan)?;
            }
            Request::Write(request) => {
                let plan: plan::Write = self.plan_write(&schema, context, request)?;
                let _ = authorize::write(&schema, &context.actor, plan)?;
            }
        }
        Ok(())
    }
}

fn explained(request: String, plan: String, authorized: String, explanation: Explanation) -> Explained {
    Explained { request, plan, authorized, statements: explanation.statements, details: explanation.details }
}
