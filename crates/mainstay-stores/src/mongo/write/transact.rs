//! Transactions: begun anew as long as they meet others and there is time, committed until it is known that they are.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Read, Write};
use mainstay_schema::Schema;
use mainstay_store::collect::{Collected, Row, replay};
use mainstay_store::script::{Progress, Step, StepDone};
use mainstay_store::{Call, ReadDone, RowSink, Script, StoreError, WriteDone};
use mongodb::options::{ReadConcern, ReadPreference, SelectionCriteria, WriteConcern};

use super::faults::{ended, fault, is_again, settled};
use super::locks::Locks;
use super::references::Ledger;
use super::work::Work;
use super::{alone, counters};
use crate::mongo::errors;
use crate::mongo::link::{Link, View};
use crate::mongo::session::Session;
use crate::server::{Affected, COMMIT_MAX, WriteFault, write as parts};

/// Longest pause before a transaction begins anew, as a power of two in milliseconds.
const PAUSE_MAX_LOG2: u32 = 6;

/// Carries out a write; gives what it did.
pub(in crate::mongo) async fn run(
    link: &Link,
    call: &Call,
    plan: &Write,
    sink: &mut dyn RowSink,
) -> Result<Affected, StoreError> {
    let mut attempt = 0;
    let mut races = Races::default();
    loop {
        attempt += 1;
        match write_once(link, call, plan).await {
            Ok((affected, rows)) => {
                rows.iter().for_each(|row| replay(row, sink));
                return Ok(affected);
            }
            Err(WriteFault::Again(error)) if Instant::now() < call.deadline && races.may_end(&error) => {
                pause(attempt).await;
            }
            Err(fault) => return Err(fault.error()),
        }
    }
}

/// Rows of merges that met somebody else's, which was not there when it was looked for.
#[derive(Default)]
struct Races(HashSet<(String, Option<Vec<String>>)>);

impl Races {
    /// Whether a write that ended like this may go well when it is begun anew. Who has inserted the row at the same moment
    /// is seen then; a row that is met twice is not the one that is looked for, as where an index takes more for equal.
    fn may_end(&mut self, error: &StoreError) -> bool {
        match error {
            StoreError::Duplicate { key, values, .. } => self.0.insert((key.to_string(), values.clone())),
            _ => true,
        }
    }
}

/// Tries a write once. What it gives back is kept, for until it is committed it may begin anew.
async fn write_once(link: &Link, call: &Call, plan: &Write) -> Result<(Affected, Vec<Row>), WriteFault> {
    let mut session = link.session(call.deadline, View::Latest).await?;
    let shape = plan.returning().map(|read| read.shape(&call.schema));
    let mut rows =
        Collected::of(&call.schema, shape.unwrap_or_else(|| mainstay_query::plan::Shape { members: vec![] }));
    if let Some(affected) = alone::run(&mut session, &call.schema, plan, &mut rows).await? {
        return Ok((affected, rows.finish()?));
    }
    begin(&mut session).await?;
    let done = {
        let mut work = Work::new(&mut session, &call.schema);
        parts::write(&mut work, &call.schema, plan, &mut rows).await
    };
    match done {
        Ok(affected) => {
            commit(&mut session).await?;
            counters::keep_ahead(&mut session).await;
            Ok((affected, rows.finish()?))
        }
        Err(fault) => {
            undo(&mut session).await;
            Err(fault)
        }
    }
}

/// Runs a script in one transaction.
pub(in crate::mongo) async fn transact(
    link: &Link,
    call: &Call,
    mut script: Box<dyn Script>,
) -> Result<Box<dyn Script>, StoreError> {
    steps(link, call, &mut *script).await?;
    Ok(script)
}

async fn steps(link: &Link, call: &Call, script: &mut dyn Script) -> Result<(), StoreError> {
    let mut progress = Progress::new(script);
    let mut attempt = 0;
    let mut races = Races::default();
    'anew: loop {
        attempt += 1;
        let mut session = link.session(call.deadline, View::Latest).await?;
        begin(&mut session).await?;
        loop {
            if Instant::now() >= call.deadline {
                undo(&mut session).await;
                return Err(StoreError::Deadline);
            }
            let done = match progress.step() {
                Ok(Step::Commit) => match commit(&mut session).await {
                    Err(WriteFault::Again(_)) if Instant::now() < call.deadline => {
                        Err(WriteFault::Again(errors::conflict()))
                    }
                    Err(fault) => return Err(fault.error()),
                    Ok(()) => {
                        counters::keep_ahead(&mut session).await;
                        return Ok(());
                    }
                },
                Ok(Step::RollBack) => {
                    undo(&mut session).await;
                    return Ok(());
                }
                Ok(Step::Read { plan, mut sink }) => read_step(&mut session, &call.schema, &plan, &mut *sink)
                    .await
                    .map(|(rows, total)| StepDone::Read(ReadDone { sink, rows, total })),
                Ok(Step::Write { plan, mut sink }) => {
                    let mut work = Work::new(&mut session, &call.schema);
                    let done = parts::write(&mut work, &call.schema, &plan, &mut *sink).await;
                    done.map(|Affected { affected, inserted }| StepDone::Write(WriteDone { sink, affected, inserted }))
                }
                Err(error) => {
                    undo(&mut session).await;
                    return Err(error);
                }
            };
            match done {
                Ok(done) => progress.done(Ok(done)),
                Err(WriteFault::Again(error)) if races.may_end(&error) => {
                    undo(&mut session).await;
                    drop(session);
                    progress.restart();
                    pause(attempt).await;
                    continue 'anew;
                }
                // What ran out of time is over, whatever the script would say to it.
                Err(WriteFault::Final(StoreError::Deadline)) => {
                    undo(&mut session).await;
                    return Err(StoreError::Deadline);
                }
                Err(fault) => progress.done(Err(fault.error())),
            }
        }
    }
}

async fn read_step(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<(u64, Option<u64>), WriteFault> {
    let counted = Work::new(session, schema).read(plan, sink).await?;
    Ok((counted.rows, counted.total))
}

impl<'w> Work<'w> {
    /// The work of one write in a transaction that has begun.
    pub(super) fn new(session: &'w mut Session, schema: &'w Schema) -> Work<'w> {
        Work {
            session,
            schema,
            ledger: Ledger::default(),
            locks: Locks::default(),
            made: HashSet::new(),
            has_given: false,
        }
    }
}

async fn begin(session: &mut Session) -> Result<(), StoreError> {
    if !session.server().has_transactions {
        let what = "the store mongodb cannot write several documents together on a server that stands alone, and this write \
                    may touch several or look at others; make the server a replica set (one member is enough: start it with \
                    --replSet and call rs.initiate()), or write one row by its key at a time";
        return Err(StoreError::Unsupported { what: what.to_owned() });
    }
    let left = session.left()?;
    let begun = session
        .client
        .start_transaction()
        // The URL may send reads elsewhere, and then no transaction would begin.
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .read_concern(ReadConcern::snapshot())
        .write_concern(WriteConcern::majority())
        .max_commit_time(left + COMMIT_MAX);
    settled(Instant::now() + left, begun).await?.map_err(errors::meaning)
}

/// Commits, and asks again as long as nobody knows whether that happened. The deadline does not end that.
async fn commit(session: &mut Session) -> Result<(), WriteFault> {
    let deadline = session.deadline();
    loop {
        let error = match ended(deadline, session.client.commit_transaction()).await? {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if errors::is_unknown_commit(&error) {
            if Instant::now() < deadline + COMMIT_MAX {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            // It may have happened, and nothing else would be true.
            return Err(StoreError::Unavailable(Box::new(error)).into());
        }
        return Err(fault(error));
    }
}

/// Undoes what was written. If nobody can be told, the server does so by itself.
async fn undo(session: &mut Session) {
    const UNDO_MAX: Duration = Duration::from_secs(2);
    let _ = tokio::time::timeout(UNDO_MAX, session.client.abort_transaction()).await;
}

/// Waits a little, a little longer each time, and not as long as others do.
async fn pause(attempt: u32) {
    let most = 1_u64 << attempt.min(PAUSE_MAX_LOG2);
    let some = uuid::Uuid::new_v4().as_u64_pair().0 % (most * 1000);
    tokio::time::sleep(Duration::from_micros(500 + some)).await;
}

/// What an error of a read means inside of a transaction.
pub(super) fn of_read(error: StoreError) -> WriteFault {
    if is_again(&error) { WriteFault::Again(error) } else { WriteFault::Final(error) }
}
