//! The yardstick: the benchmark's routes as a careful person would write them by hand.
//!
//! It answers the workloads of `bench/load` over the same tables that Mainstay makes, and nothing else: one statement
//! for each route, rows written into the answer as they come. On SQLite readers have their own threads and one writer
//! commits for many; on PostgreSQL a few connections are shared by pipelining; on MariaDB, MySQL and MongoDB each request
//! has one for itself. It does what such a server must do (checks the key, reads typed bodies, refuses a bad one) and leaves
//! out all that makes Mainstay general. Mainstay's figures are given as parts of its.

mod database;
mod encode;
mod mongo;
mod mysql;
mod postgres;
mod requests;
mod reviews;
mod routes;
mod sqlite;
mod xml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

use crate::database::Database;
use crate::mongo::Mongo;
use crate::mysql::Mysql;
use crate::postgres::{Postgres, Sizes};
use crate::sqlite::Sqlite;

/// Serves the benchmark's routes from one database.
#[derive(Parser)]
struct Args {
    /// The database: a file of SQLite, or the URL of one of PostgreSQL, MariaDB, MySQL or MongoDB, whose place is the
    /// environment. Its tables must be there already, unless it is imported into
    #[arg(env = "DATABASE_URL", hide_env_values = true)]
    database: String,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The key that a request must carry in its `apikey` header
    #[arg(long, required_unless_present = "import", default_value = "")]
    key: String,
    /// SQLite's `synchronous` for the writer
    #[arg(long, default_value = "FULL")]
    synchronous: String,
    /// SQLite: threads that read, as many as the machine has cores when left out. PostgreSQL: shared connections that
    /// read, twice as many when left out
    #[arg(long)]
    readers: Option<usize>,
    /// PostgreSQL: shared connections that write; as many commits may wait for the disk together. MariaDB, MySQL and
    /// MongoDB: connections in all
    #[arg(long, default_value_t = 10)]
    writers: usize,
    /// Load this CSV file of reviews into a new table with a full-text index, print rows a second, and end
    #[arg(long)]
    import: Option<PathBuf>,
}

/// What kind of database it is.
#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
    Mysql,
    Mongo,
}

impl Kind {
    /// The kind of a URL, or else of a file.
    fn of(database: &str) -> Kind {
        match database.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Kind::Postgres,
            Some(("mysql", _)) => Kind::Mysql,
            Some(("mongodb" | "mongodb+srv", _)) => Kind::Mongo,
            _ => Kind::Sqlite,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let url = &args.database;
    let kind = Kind::of(url);
    if let Some(file) = &args.import {
        let per_second = match kind {
            Kind::Sqlite => sqlite::import(Path::new(url), &args.synchronous, file)?,
            Kind::Postgres => postgres::import(url, file).await?,
            Kind::Mysql => mysql::import(url, file).await?,
            Kind::Mongo => mongo::import(url, file).await?,
        };
        tell(&format!("{per_second:.0}"));
        return Ok(());
    }
    let cores = std::thread::available_parallelism()?.get();
    let database = match kind {
        Kind::Sqlite => {
            let readers = args.readers.unwrap_or(cores);
            tell(&format!("on SQLite with synchronous={}", args.synchronous));
            Database::Sqlite(Sqlite::open(Path::new(url), &args.synchronous, readers)?)
        }
        Kind::Postgres => {
            let sizes = Sizes { readers: args.readers.unwrap_or(2 * cores), writers: args.writers };
            let database = Postgres::open(url, &sizes).await?;
            tell(&format!("on {}", Postgres::describe(url).await?));
            Database::Postgres(database)
        }
        Kind::Mysql => {
            let database = Mysql::open(url, args.writers).await?;
            tell(&format!("on {}", database.describe().await?));
            Database::Mysql(database)
        }
        Kind::Mongo => {
            let database = Mongo::open(url, args.writers).await?;
            tell(&format!("on {}", database.describe().await?));
            Database::Mongo(database)
        }
    };
    let app = Arc::new(routes::App { database, key: args.key.into_bytes() });

    let listener = TcpListener::bind(&args.listen).await.with_context(|| format!("listening on {}", args.listen))?;
    tell(&format!("listening on http://{}", listener.local_addr()?));
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // Small answers must not wait for Nagle's timer; the server that is measured does the same.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, routes::router(app)).await?;
    Ok(())
}

/// A line for whoever started the program.
#[expect(clippy::print_stdout, reason = "the line is how the load generator learns the port and the database")]
fn tell(line: &str) {
    println!("{line}");
}
