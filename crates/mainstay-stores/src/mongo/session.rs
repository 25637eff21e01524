//! Commands of one request, all in one session: with one snapshot, in a transaction, or each by itself.
//!
//! Each command tells the server how long it may take, so that nothing goes on that nobody waits for; a cursor that is
//! dropped is closed there.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use mainstay_store::StoreError;
use mongodb::bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf};
use mongodb::error::Error;
use mongodb::options::{AggregateOptions, Collation, FindOptions};
use mongodb::raw_batch_cursor::{RawBatch, SessionRawBatchCursor};
use mongodb::{ClientSession, Collection, Database};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use super::errors;
use super::link::{Link, Server};

/// How long after the deadline the server's own word that it has passed is waited for.
const GRACE: Duration = Duration::from_millis(500);

/// Documents that one message is asked to hold; those of 16 MiB are less.
const BATCH_MAX: u32 = 10_001;

/// A session of the server, lent to one request.
pub(super) struct Session {
    link: Link,
    pub(super) client: ClientSession,
    deadline: Instant,
    /// Numbers that rows were given in columns whose sequences stay ahead of them once the rows are there, by table.
    pub(super) given: BTreeMap<String, i64>,
    _slot: OwnedSemaphorePermit,
}

impl Session {
    pub(super) fn new(link: Link, client: ClientSession, deadline: Instant, slot: OwnedSemaphorePermit) -> Session {
        Session { link, client, deadline, given: BTreeMap::new(), _slot: slot }
    }

    /// When to give up.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What the server has told of itself.
    pub(super) fn server(&self) -> &Server {
        self.link.server()
    }

    /// The database.
    pub(super) fn database(&self) -> &Database {
        self.link.database()
    }

    /// A collection of the database.
    pub(super) fn collection(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.link.database().collection(name)
    }

    /// The time that is left, for the server to heed.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] if there is none.
    pub(super) fn left(&self) -> Result<Duration, StoreError> {
        // The server takes whole milliseconds, and 0 for no limit.
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) { Err(StoreError::Deadline) } else { Ok(left) }
    }

    /// The documents that a condition lets through.
    ///
    /// # Errors
    /// As the server says.
    pub(super) fn find<'f>(
        &'f mut self,
        collection: &'f str,
        filter: Document,
        mut options: FindOptions,
    ) -> BoxFuture<'f, Result<Documents, StoreError>> {
        async move {
            options.max_time = Some(self.left()?);
            options.collation = Some(simple());
            options.allow_disk_use = Some(true);
            // By itself the server answers with a hundred first, and with the rest when it is asked again.
            let limit = options.limit.and_then(|limit| u32::try_from(limit).ok());
            options.batch_size = limit.filter(|limit| (1..=BATCH_MAX).contains(limit));
            let collection = self.collection(collection);
            let found = collection.find(filter).with_options(options).session(&mut self.client);
            within(self.deadline, found.batch()).await.map(Documents)
        }
        .boxed()
    }

    /// What an aggregation gives.
    ///
    /// # Errors
    /// As the server says.
    pub(super) fn aggregate<'f>(
        &'f mut self,
        collection: &'f str,
        pipeline: Vec<Document>,
    ) -> BoxFuture<'f, Result<Documents, StoreError>> {
        async move {
            let options = AggregateOptions::builder().max_time(self.left()?).allow_disk_use(true);
            let options = options.collation(simple()).build();
            let collection = self.collection(collection);
            let found = collection.aggregate(pipeline).with_options(options).session(&mut self.client);
            within(self.deadline, found.batch()).await.map(Documents)
        }
        .boxed()
    }

    /// The answer to a command that is not of the session, and sees what is there when it runs.
    ///
    /// # Errors
    /// As the server says.
    pub(super) fn apart(&mut self, mut command: Document) -> BoxFuture<'_, Result<Document, StoreError>> {
        async move {
            let left = i64::try_from(self.left()?.as_millis()).unwrap_or(i64::MAX);
            command.insert("maxTimeMS", left);
            within(self.deadline, self.link.database().run_command(command)).await
        }
        .boxed()
    }
}

/// Texts are compared by code point, whatever the collection says.
pub(super) fn simple() -> Collation {
    Collation::builder().locale("simple").build()
}

/// Documents that come from the server.
pub(super) struct Documents(SessionRawBatchCursor);

impl Documents {
    /// The documents of the server's next message; `None` after the last one.
    ///
    /// # Errors
    /// As the server says.
    pub(super) fn next<'n>(&'n mut self, session: &'n mut Session) -> BoxFuture<'n, Result<Option<Batch>, StoreError>> {
        async move {
            let deadline = session.deadline;
            let mut batches = self.0.stream(&mut session.client);
            within(deadline, async { batches.next().await.transpose() }).await.map(|batch| batch.map(Batch))
        }
        .boxed()
    }

    /// All of them; `None` if they are more than `most`.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn all(
        mut self,
        session: &mut Session,
        most: u64,
    ) -> Result<Option<Vec<RawDocumentBuf>>, StoreError> {
        let mut all: Vec<RawDocumentBuf> = Vec::new();
        while let Some(batch) = self.next(session).await? {
            all.extend(batch.documents()?.map(RawDocument::to_owned));
            if all.len() as u64 > most {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }
}

/// Documents that came in one message.
pub(super) struct Batch(RawBatch);

impl Batch {
    /// The documents.
    ///
    /// # Errors
    /// [`StoreError::Internal`] if the message holds none.
    pub(super) fn documents(&self) -> Result<impl Iterator<Item = &RawDocument>, StoreError> {
        let documents = self.0.doc_slices().map_err(errors::meaning)?;
        Ok(documents.into_iter().flatten().filter_map(RawBsonRef::as_document))
    }
}

/// Why a command was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The driver's or the server's reason.
    Driver(Error),
    /// Nobody answered in time.
    Deadline,
}

impl Failure {
    /// What it means to a caller who knows nothing of the tables.
    pub(super) fn meaning(self) -> StoreError {
        match self {
            Failure::Driver(error) => errors::meaning(error),
            Failure::Deadline => StoreError::Deadline,
        }
    }
}

/// Waits for what the driver does, but not beyond the deadline.
///
/// # Errors
/// The driver's error as it is, for those who look into it.
pub(super) async fn timed<T>(
    deadline: Instant,
    work: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match timeout_at((deadline + GRACE).into(), work.into_future()).await {
        Ok(done) => done.map_err(Failure::Driver),
        Err(_) => Err(Failure::Deadline),
    }
}

/// Waits for what the driver does, but not beyond the deadline.
///
/// # Errors
/// [`StoreError::Deadline`]; else what the driver's error means.
pub(super) async fn within<T>(
    deadline: Instant,
    work: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    timed(deadline, work).await.map_err(Failure::meaning)
}
