//! MariaDB and MySQL: each request has one of a few connections for itself, since their protocol takes one statement at a
//! time. Statements are prepared once on each.
//!
//! ```text
//! read.rs      statements, rows → answer       cells.rs   binary cells → cells
//! write.rs     rows as one statement, several steps in one transaction
//! ```

mod cells;
mod read;
mod write;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::database::Parts;
use crate::requests::{Failure, Made, Read, Rows, Write};

/// Requests under way before more are refused.
const REQUESTS_MAX: usize = 1024;
/// Answers that are sent while they are read at the same time: as many as the server that is measured has connections.
const STREAMERS: usize = 10;
/// Statements that are kept prepared on each connection.
const STATEMENTS: usize = 64;

/// A database of a server.
pub(crate) struct Mysql {
    connections: Pool,
    /// Apart, so that a slow client keeps no connection from the others.
    streamers: Pool,
    requests: Semaphore,
}

impl Mysql {
    /// Opens a database that has the tables already, and sees to it that the server knows how large they are.
    ///
    /// # Errors
    /// When the server cannot be reached, or has other tables.
    pub(crate) async fn open(url: &str, connections: usize) -> anyhow::Result<Mysql> {
        let database = Mysql {
            connections: pool(url, connections)?,
            streamers: pool(url, STREAMERS)?,
            requests: Semaphore::new(REQUESTS_MAX),
        };
        let mut connection = database.connections.get_conn().await.context("connecting to the server")?;
        for table in ["customers", "orders", "visits", "reviews"] {
            connection.query_drop(format!("ANALYZE TABLE {table}")).await.context(table)?;
        }
        drop(connection);
        Ok(database)
    }

    /// Which server it is and how durable its commits are, in its own words.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn describe(&self) -> anyhow::Result<String> {
        let mut connection = self.connections.get_conn().await?;
        let mut words = Vec::new();
        for setting in ["version", "innodb_flush_log_at_trx_commit", "sync_binlog", "innodb_buffer_pool_size"] {
            let value: Option<String> = connection.query_first(format!("SELECT CAST(@@{setting} AS CHAR)")).await?;
            words.push(format!("{setting}={}", value.unwrap_or_default()));
        }
        Ok(format!("MariaDB or MySQL with {}", words.join(", ")))
    }

    /// Carries out one read.
    pub(crate) async fn read(&self, read: Read) -> Result<Rows, Failure> {
        let _place = self.enter()?;
        let mut connection = self.connections.get_conn().await?;
        Ok(read::run(&mut connection, &read).await?)
    }

    /// Carries out one write, and returns once the server has committed it.
    pub(crate) async fn write(&self, write: Write) -> Result<Made, Failure> {
        let _place = self.enter()?;
        let mut connection = self.connections.get_conn().await?;
        match write {
            Write::Visits(visits) => write::visits(&mut connection, "visits", &visits).await?,
            Write::Order { id, change } => write::order(&mut connection, id, &change).await?,
            Write::Checkout(checkout) => return Ok(Some(write::check_out(&mut connection, &checkout).await?)),
        }
        Ok(None)
    }

    /// The orders of a span of numbers, in parts.
    pub(crate) async fn orders(&self, from: i64, below: i64) -> Result<Parts, Failure> {
        let _place = self.enter()?;
        let connection = self.streamers.get_conn().await?;
        Ok(read::stream(connection, from, below))
    }

    fn enter(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.requests.try_acquire().map_err(|_| Failure::Overloaded)
    }
}

/// Loads a CSV file of reviews into a new table beside the others; rows a second.
///
/// # Errors
/// When the file cannot be read, or the table is there already.
pub(crate) async fn import(url: &str, file: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut connection = Conn::new(options(url)?).await?;
    connection.query_drop(IMPORTED).await?;
    let rows = write::import(&mut connection, file).await?;
    connection.disconnect().await?;
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

/// Without a full-text index, as the server that is measured makes none here.
const IMPORTED: &str = "CREATE TABLE yardstick_reviews (id bigint AUTO_INCREMENT PRIMARY KEY, \
     stars int NOT NULL CHECK (stars BETWEEN 1 AND 5), body longtext NOT NULL)";

fn pool(url: &str, count: usize) -> anyhow::Result<Pool> {
    let constraints = PoolConstraints::new(count.max(1), count.max(1)).context("no connections")?;
    // Nothing is left on a connection that would have to be cleared away.
    let pool = PoolOpts::new()
        .with_constraints(constraints)
        .with_reset_connection(false)
        .with_inactive_connection_ttl(Duration::from_secs(3600));
    Ok(Pool::new(OptsBuilder::from_opts(options(url)?).pool_opts(pool)))
}

fn options(url: &str) -> anyhow::Result<Opts> {
    // What the driver says of a URL that it cannot read may quote it.
    let options = Opts::from_url(url).map_err(|_| anyhow::anyhow!("not a URL of MariaDB or MySQL"))?;
    let init = vec!["SET time_zone = '+00:00'"];
    Ok(OptsBuilder::from_opts(options).stmt_cache_size(STATEMENTS).init(init).tcp_nodelay(true).into())
}
