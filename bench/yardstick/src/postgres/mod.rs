//! PostgreSQL: a few connections that many requests share by pipelining, and some that are lent to one request at a time
//! for transactions of several steps and for answers that are sent while they are read.
//!
//! ```text
//! connect.rs   connections, shared and lent    write.rs   rows as arrays, several steps in two round trips
//! read.rs      statements, rows → answer       cells.rs   binary cells → cells
//! ```
//!
//! A connection that breaks stays broken: the benchmark ends with it.

mod cells;
mod connect;
mod read;
mod write;

use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use futures_util::SinkExt;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, Config};

use self::connect::{Lending, Shared};
use crate::database::Parts;
use crate::requests::{Failure, Made, Read, Rows, Write};

/// Requests under way before more are refused.
const REQUESTS_MAX: usize = 1024;

/// How many connections there are.
pub(crate) struct Sizes {
    /// Shared ones that read.
    pub(crate) readers: usize,
    /// Shared ones that write; as many commits may wait for the disk together.
    pub(crate) writers: usize,
}

/// A database of a server.
pub(crate) struct Postgres {
    readers: Shared<read::Statements>,
    writers: Shared<write::Statements>,
    streamers: Lending<read::Statements>,
    transactions: Lending<write::Statements>,
    requests: Semaphore,
}

impl Postgres {
    /// Connects to a database that has the tables already, and sees to it that the server knows how large they are.
    ///
    /// # Errors
    /// When the server cannot be reached, or has other tables.
    pub(crate) async fn open(url: &str, sizes: &Sizes) -> anyhow::Result<Postgres> {
        let config = config(url)?;
        let client = connect::client(&config).await?;
        for table in ["customers", "orders", "visits", "reviews"] {
            client.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await.context(table)?;
        }
        Ok(Postgres {
            readers: Shared::connect(&config, sizes.readers).await?,
            writers: Shared::connect(&config, sizes.writers).await?,
            streamers: Lending::new(config.clone(), STREAMERS),
            transactions: Lending::new(config, sizes.writers),
            requests: Semaphore::new(REQUESTS_MAX),
        })
    }

    /// Which server it is and how durable its commits are, in its own words.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn describe(url: &str) -> anyhow::Result<String> {
        let client = connect::client(&config(url)?).await?;
        let mut words = Vec::new();
        for setting in ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"] {
            let value: String = client.query_one(&format!("SHOW {setting}"), &[]).await?.try_get(0)?;
            words.push(format!("{setting}={value}"));
        }
        Ok(format!("PostgreSQL with {}", words.join(", ")))
    }

    /// Carries out one read.
    pub(crate) async fn read(&self, read: Read) -> Result<Rows, Failure> {
        let _place = self.requests.try_acquire().map_err(|_| Failure::Overloaded)?;
        Ok(read::run(&self.readers.pick(), &read).await?)
    }

    /// Carries out one write, and returns once the server has committed it.
    pub(crate) async fn write(&self, write: Write) -> Result<Made, Failure> {
        let _place = self.requests.try_acquire().map_err(|_| Failure::Overloaded)?;
        match write {
            Write::Visits(visits) => write::visits(&self.writers.pick(), &visits).await?,
            Write::Order { id, change } => write::order(&self.writers.pick(), id, &change).await?,
            Write::Checkout(checkout) => {
                let lent = self.transactions.lend().await?;
                let order = write::check_out(&lent, &checkout).await?;
                // Not after a failure: nobody knows what is still under way on it.
                self.transactions.take_back(lent);
                return Ok(Some(order));
            }
        }
        Ok(None)
    }

    /// The orders of a span of numbers, in parts.
    pub(crate) async fn orders(&self, from: i64, below: i64) -> Result<Parts, Failure> {
        let _place = self.requests.try_acquire().map_err(|_| Failure::Overloaded)?;
        let lent = self.streamers.lend().await?;
        Ok(read::stream(lent, self.streamers.clone(), from, below))
    }
}

/// Answers that are sent while they are read at the same time: as many as the server that is measured has connections.
const STREAMERS: usize = 10;

/// Loads a CSV file of reviews into a new table with a full-text index, in a schema of its own; rows a second.
///
/// # Errors
/// When the file cannot be read, or the schema is there already.
pub(crate) async fn import(url: &str, file: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let client = connect::client(&config(url)?).await?;
    client.batch_execute(IMPORTED).await?;
    let rows = copy(&client, file).await?;
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

const IMPORTED: &str = "CREATE SCHEMA yardstick; \
     CREATE TABLE yardstick.reviews (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, \
     stars integer NOT NULL CHECK (stars BETWEEN 1 AND 5), body text COLLATE \"C\" NOT NULL); \
     CREATE INDEX ON yardstick.reviews USING gin (to_tsvector('english', body))";

/// Octets of the file that are sent at a time.
const COPY_BYTES: usize = 64 << 10;

/// The server reads CSV itself, so the file goes to it as it is.
async fn copy(client: &Client, file: &Path) -> anyhow::Result<u64> {
    use std::io::Read as _;
    let open = || format!("reading {}", file.display());
    let mut source = std::fs::File::open(file).with_context(open)?;
    let sink = client.copy_in("COPY yardstick.reviews (id, stars, body) FROM STDIN (FORMAT csv, HEADER)").await?;
    tokio::pin!(sink);
    loop {
        let mut part = Vec::with_capacity(COPY_BYTES);
        source.by_ref().take(COPY_BYTES as u64).read_to_end(&mut part).with_context(open)?;
        if part.is_empty() {
            return Ok(sink.finish().await?);
        }
        sink.send(Bytes::from(part)).await?;
    }
}

fn config(url: &str) -> anyhow::Result<Config> {
    // What the driver says of a URL that it cannot read may quote it.
    Config::from_str(url).map_err(|_| anyhow::anyhow!("not a URL of PostgreSQL"))
}
