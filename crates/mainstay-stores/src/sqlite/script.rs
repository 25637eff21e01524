//! Carries out scripts on the writing thread, inside the transaction or savepoint that `writer.rs` began.

use mainstay_query::Authorized;
use mainstay_query::plan::{Read, Write};
use mainstay_store::script::{End, Fault, Transaction, drive};
use mainstay_store::{RowSink, Script, StoreError};

use super::job::Watch;
use super::read;
use super::write::{self, Affected, Work};

/// How a job of the writing thread ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// What it wrote stays.
    Commit(Affected),
    /// What it wrote is to be undone, as it wanted.
    RollBack,
    /// It has to be undone and begun anew in a transaction of its own.
    Restart,
}

/// Carries out a script; `is_alone` while nothing else has been written in its transaction.
pub(super) fn run(
    work: &Work<'_>,
    watch: &Watch,
    is_alone: bool,
    script: &mut dyn Script,
) -> Result<Ended, StoreError> {
    Ok(match drive(script, &mut Steps { work, watch, is_alone })? {
        End::Commit => Ended::Commit(Affected::default()),
        End::RollBack => Ended::RollBack,
        End::Restart => Ended::Restart,
    })
}

struct Steps<'w> {
    work: &'w Work<'w>,
    watch: &'w Watch,
    is_alone: bool,
}

impl Transaction for Steps<'_> {
    fn check(&self) -> Result<(), StoreError> {
        self.work.stop.check()
    }

    fn read(&mut self, plan: &Authorized<Read>, sink: &mut dyn RowSink) -> Result<(u64, Option<u64>), Fault> {
        // An interrupted read, unlike an interrupted write, leaves the transaction as it is.
        self.watch.arm(self.work.stop);
        let counted = read::run_inside(self.work.connection, self.work.schema, plan, sink);
        self.watch.disarm();
        let counted = counted?;
        Ok((counted.rows, counted.total))
    }

    fn write(&mut self, plan: &Authorized<Write>, sink: &mut dyn RowSink) -> Result<(u64, u64), Fault> {
        let is_bounded = write::is_bounded(self.work.schema, plan);
        if !is_bounded {
            if !self.is_alone {
                return Err(Fault::Restart);
            }
            self.watch.arm(self.work.stop);
        }
        let done = write::run_alone(self.work, plan, sink);
        self.watch.disarm();
        let Affected { affected, inserted } = done?;
        Ok((affected, inserted))
    }
}
