//! MongoDB: commands on a few connections of the driver's pool, documents taken from the server's messages as they are.
//!
//! ```text
//! read.rs      commands, documents → answer    cells.rs   fields → cells
//! write.rs     documents, several steps in one transaction
//! ```

mod cells;
mod read;
mod write;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};
use mongodb::{Client, Collection, Database};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::database::Parts;
use crate::requests::{Failure, Made, Read, Rows, Write};

/// Requests under way before more are refused.
const REQUESTS_MAX: usize = 1024;

/// A database of a server. What is answered has been written to the disks of most of the set, unless told otherwise.
pub(crate) struct Mongo {
    client: Client,
    database: Database,
    customers: Collection<RawDocumentBuf>,
    orders: Collection<RawDocumentBuf>,
    counters: Collection<Document>,
    requests: Semaphore,
}

impl Mongo {
    /// Opens a database that has the collections already.
    ///
    /// # Errors
    /// When the server cannot be reached, or has other collections.
    pub(crate) async fn open(url: &str, connections: usize) -> anyhow::Result<Mongo> {
        let (client, database) = connect(url, connections).await?;
        let there = database.list_collection_names().await.context("connecting to the server")?;
        for name in ["customers", "orders", "visits", COUNTERS] {
            ensure!(there.iter().any(|other| other == name), "the database has no collection {name}");
        }
        Ok(Mongo {
            customers: database.collection("customers"),
            orders: database.collection("orders"),
            counters: database.collection(COUNTERS),
            client,
            database,
            requests: Semaphore::new(REQUESTS_MAX),
        })
    }

    /// Which server it is and how durable its commits are, in its own words.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn describe(&self) -> anyhow::Result<String> {
        let build = self.database.run_command(doc! { "buildInfo": 1 }).await?;
        let hello = self.database.run_command(doc! { "hello": 1 }).await?;
        let members = hello.get_array("hosts").map_or(0, Vec::len);
        Ok(format!(
            "MongoDB with version={}, members={members}, w=majority, j=true",
            build.get_str("version").unwrap_or_default()
        ))
    }

    /// Carries out one read.
    pub(crate) async fn read(&self, read: Read) -> Result<Rows, Failure> {
        let _place = self.enter()?;
        Ok(read::run(self, &read).await?)
    }

    /// Carries out one write, and returns once the server has committed it.
    pub(crate) async fn write(&self, write: Write) -> Result<Made, Failure> {
        let _place = self.enter()?;
        match write {
            Write::Visits(visits) => write::visits(self, &visits).await?,
            Write::Order { id, change } => write::order(self, id, &change).await?,
            Write::Checkout(checkout) => return Ok(Some(write::check_out(self, &checkout).await?)),
        }
        Ok(None)
    }

    /// The orders of a span of numbers, in parts.
    pub(crate) async fn orders(&self, from: i64, below: i64) -> Result<Parts, Failure> {
        let _place = self.enter()?;
        Ok(read::stream(self, from, below).await?)
    }

    fn enter(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.requests.try_acquire().map_err(|_| Failure::Overloaded)
    }
}

/// Where the server that is measured keeps the last number of each collection.
const COUNTERS: &str = "_mainstay_counters";

/// Loads a CSV file of reviews into a new collection beside the others; rows a second.
///
/// # Errors
/// When the file cannot be read, or the collection is there already.
pub(crate) async fn import(url: &str, file: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let (_, database) = connect(url, 1).await?;
    // With the rules of the collection that the other import goes into. There is no index of words in either.
    let rules = doc! { "$jsonSchema": {
        "bsonType": "object",
        "required": ["_id", "body", "stars"],
        "properties": {
            "_id": { "bsonType": "long" },
            "stars": { "bsonType": "int", "minimum": 1_i64, "maximum": 5_i64 },
            "body": { "bsonType": "string" },
        },
    } };
    database.create_collection(IMPORTED).validator(rules).await?;
    let rows = write::import(&database.collection(IMPORTED), file).await?;
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

const IMPORTED: &str = "yardstick_reviews";

async fn connect(url: &str, connections: usize) -> anyhow::Result<(Client, Database)> {
    // What the driver says of a URL that it cannot read may quote it.
    let options = ClientOptions::parse(url).await;
    let mut options = options.map_err(|_| anyhow::anyhow!("not a URL of MongoDB"))?;
    options.max_pool_size = u32::try_from(connections.max(1)).ok();
    options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
    let client = Client::with_options(options)?;
    let database = client.default_database().context("the URL names no database")?;
    Ok((client, database))
}
