//! A database of one test.

use std::sync::atomic::{AtomicU32, Ordering};

use mongodb::bson::{Document, doc};
use mongodb::{Client, Database as Connected};

/// The URL of the server; without it the tests fail, since nobody should take what did not run for what passed.
fn server() -> String {
    std::env::var("MAINSTAY_TEST_MONGO_URL").unwrap_or_else(|_| {
        panic!("not run: no server; cargo xtask test starts one (MAINSTAY_TEST_MONGO_URL is not set)")
    })
}

/// A database that goes when the test is over.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) fn new() -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Database { name: format!("mainstay_test_{}_{number}", std::process::id()) }
    }

    pub(crate) fn url(&self) -> String {
        let server = server();
        let (start, parameters) = server.split_once("/?").unwrap();
        format!("{start}/{}?{parameters}", self.name)
    }

    /// The same on a port of this machine where something else may listen.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("mongodb://127.0.0.1:{port}/{}?directConnection=true&serverSelectionTimeoutMS=500", self.name)
    }

    /// What another program does in it.
    pub(crate) async fn run(&self, commands: impl IntoIterator<Item = Document>) {
        let database = connected(&self.name).await;
        for command in commands {
            database.run_command(command.clone()).await.unwrap_or_else(|error| panic!("{command}: {error}"));
        }
    }

    /// A document as it lies there.
    pub(crate) async fn document(&self, collection: &str, filter: Document) -> Document {
        connected(&self.name).await.collection::<Document>(collection).find_one(filter).await.unwrap().unwrap()
    }
}

async fn connected(name: &str) -> Connected {
    Client::with_uri_str(server()).await.unwrap().database(name)
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = self.name.clone();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connected(&name).await.run_command(doc! { "dropDatabase": 1 }).await })
        };
        // A test may be over inside a runtime of its own.
        let _ = std::thread::spawn(work).join();
    }
}
