//! Transactions of several steps, each of which must be of the store of the first.

use std::any::Any;
use std::sync::Arc;

use mainstay_query::split::stores;
use mainstay_schema::Schema;

use super::{Federation, call_of, of_store};
use crate::error::StoreError;
use crate::script::{Script, Step, StepDone};
use crate::store::Call;

impl Federation {
    /// Begins a transaction on the store of the first step. What comes of a step for another store is its failure.
    pub(super) async fn transact_in_one(
        &self,
        call: Call,
        mut script: Box<dyn Script>,
    ) -> Result<Box<dyn Script>, StoreError> {
        let schema = call.schema.clone();
        let first = script.next(None);
        let name = match store_of(&schema, &first) {
            Ok(Some(name)) => name.to_owned(),
            // Nothing was done, and so there is nothing to end.
            Ok(None) => return Ok(script),
            Err(refused) => {
                let _ = script.next(Some(Err(refused)));
                return Ok(script);
            }
        };
        let store = self.named(&name)?;
        let bound = Box::new(Bound { script, first: Some(first), store: name.clone(), schema });
        let done: Box<dyn Any> =
            store.transact(call_of(&name, call), bound).await.map_err(|error| of_store(&name, error))?;
        match done.downcast::<Bound>() {
            Ok(bound) => Ok(bound.script),
            Err(_) => Err(StoreError::Internal("a store gave back another script".into())),
        }
    }
}

/// A script that is bound to one store.
struct Bound {
    script: Box<dyn Script>,
    /// The first step, which said whose script it is, until the store asks for it.
    first: Option<Step>,
    store: String,
    schema: Arc<Schema>,
}

impl Script for Bound {
    fn next(&mut self, last: Option<Result<StepDone, StoreError>>) -> Step {
        if let Some(first) = self.first.take() {
            return first;
        }
        let step = self.script.next(last);
        let refused = match store_of(&self.schema, &step) {
            Ok(Some(name)) if name != self.store => several(&[&self.store, name]),
            Ok(_) => return step,
            Err(refused) => refused,
        };
        // The script learns that its step failed, and answers as to any other failure.
        self.script.next(Some(Err(refused)))
    }

    fn restart(&mut self) {
        self.first = None;
        self.script.restart();
    }
}

/// The store of a step; nothing for the end.
fn store_of<'s>(schema: &'s Schema, step: &Step) -> Result<Option<&'s str>, StoreError> {
    let names = match step {
        Step::Read { plan, .. } => stores::of_read(schema, plan),
        Step::Write { plan, .. } => stores::of_write(schema, plan),
        Step::Commit | Step::RollBack => return Ok(None),
    };
    match names.as_slice() {
        [one] => Ok(Some(one)),
        names => Err(several(names)),
    }
}

fn several(names: &[&str]) -> StoreError {
    let what = format!(
        "one transaction cannot span several stores, here {}; send a request for each of them, and embed rows of another \
         store in requests of their own",
        names.join(" and ")
    );
    StoreError::Unsupported { what }
}
