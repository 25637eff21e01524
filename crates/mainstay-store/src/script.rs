//! Transactions of several steps in which each step is made from what the steps before it gave.
//!
//! A [`Script`] says step by step what to do, and a store carries it out between the beginning and the end of one
//! transaction. The script holds no lock and waits for nothing: it computes plans, has them authorized, and takes what
//! came back. So a store may run it on the thread that owns its connection, or await each step on a network.

use std::any::Any;
use std::sync::Arc;

use mainstay_query::Authorized;
use mainstay_query::plan::{Read, Write};

use crate::error::StoreError;
use crate::sink::RowSink;
use crate::store::{ReadDone, WriteDone};

/// Decides the steps of one transaction, one after the other.
pub trait Script: Any + Send {
    /// The next step. `last` is what became of the one before, and `None` at the beginning.
    ///
    /// A step that failed has ended the transaction: all of it is undone. The script is told, so that it can keep the
    /// error, and answers [`Step::RollBack`].
    fn next(&mut self, last: Option<Result<StepDone, StoreError>>) -> Step;

    /// Forgets every step: all was undone, and the store asks for the first one again. Stores do so when a transaction
    /// met another one, or has to have the connection for itself.
    fn restart(&mut self);
}

/// What a script wants done.
pub enum Step {
    /// Read rows into the sink, as they are after the steps before.
    Read {
        /// What to read.
        plan: Arc<Authorized<Read>>,
        /// Where the rows go.
        sink: Box<dyn RowSink>,
    },
    /// Write, and put returned rows into the sink.
    Write {
        /// What to write.
        plan: Arc<Authorized<Write>>,
        /// Where returned rows go.
        sink: Box<dyn RowSink>,
    },
    /// Nothing more: all that was written stays.
    Commit,
    /// Nothing more: nothing that was written stays.
    RollBack,
}

/// What a step did.
pub enum StepDone {
    /// It read.
    Read(ReadDone),
    /// It wrote. This is durable only when the whole transaction is.
    Write(WriteDone),
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What was written stays.
    Commit,
    /// What was written is undone.
    RollBack,
    /// What was written is undone, and the script begins anew.
    Restart,
}

/// A transaction that has begun, of a store that works on the thread of its caller.
pub trait Transaction {
    /// Whether there is time for another step.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] if not.
    fn check(&self) -> Result<(), StoreError>;

    /// Reads into `sink`; gives the rows put there and the total, if asked.
    ///
    /// # Errors
    /// [`Fault`] that ends the transaction.
    fn read(&mut self, plan: &Authorized<Read>, sink: &mut dyn RowSink) -> Result<(u64, Option<u64>), Fault>;

    /// Writes; gives the rows affected, and how many of them were inserted.
    ///
    /// # Errors
    /// [`Fault`] that ends the transaction.
    fn write(&mut self, plan: &Authorized<Write>, sink: &mut dyn RowSink) -> Result<(u64, u64), Fault>;
}

/// Why a transaction cannot go on.
#[derive(Debug)]
pub enum Fault {
    /// A step failed.
    Failed(StoreError),
    /// It has to begin anew.
    Restart,
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Failed(error)
    }
}

/// A script under way: it says what to do next, and is told what became of it. Runs nothing itself, so a store may call
/// it on a thread of its own, as [`drive`] does, or between two awaits.
pub struct Progress<'s> {
    script: &'s mut dyn Script,
    last: Option<Result<StepDone, StoreError>>,
}

impl<'s> Progress<'s> {
    /// Before the first step.
    pub fn new(script: &'s mut dyn Script) -> Progress<'s> {
        Progress { script, last: None }
    }

    /// The next step. [`Step::Commit`] and [`Step::RollBack`] are the last.
    ///
    /// # Errors
    /// [`StoreError::Internal`] if the script goes on after a failed step. All has to be undone.
    pub fn step(&mut self) -> Result<Step, StoreError> {
        let has_failed = matches!(self.last, Some(Err(_)));
        match self.script.next(self.last.take()) {
            Step::RollBack => Ok(Step::RollBack),
            _ if has_failed => Err(StoreError::Internal("a script went on after a step that failed".into())),
            step => Ok(step),
        }
    }

    /// Tells what became of a step that read or wrote.
    pub fn done(&mut self, outcome: Result<StepDone, StoreError>) {
        self.last = Some(outcome);
    }

    /// Has the script begin anew, after all was undone.
    pub fn restart(&mut self) {
        self.last = None;
        self.script.restart();
    }
}

/// Carries out a script inside a transaction, up to its end, which is the caller's to carry out.
///
/// # Errors
/// [`StoreError::Deadline`] if time ran out between two steps, [`StoreError::Internal`] if the script goes on after a
/// failed step. All has to be undone.
pub fn drive(script: &mut dyn Script, transaction: &mut impl Transaction) -> Result<End, StoreError> {
    let mut progress = Progress::new(script);
    loop {
        transaction.check()?;
        let done = match progress.step()? {
            Step::Read { plan, mut sink } => {
                transaction.read(&plan, &mut *sink).map(|(rows, total)| StepDone::Read(ReadDone { sink, rows, total }))
            }
            Step::Write { plan, mut sink } => transaction
                .write(&plan, &mut *sink)
                .map(|(affected, inserted)| StepDone::Write(WriteDone { sink, affected, inserted })),
            Step::Commit => return Ok(End::Commit),
            Step::RollBack => return Ok(End::RollBack),
        };
        match done {
            Ok(done) => progress.done(Ok(done)),
            Err(Fault::Failed(error)) => progress.done(Err(error)),
            Err(Fault::Restart) => {
                progress.restart();
                return Ok(End::Restart);
            }
        }
    }
}
