//! The yardstick: the benchmark's routes as a careful person would write them by hand.
//!
//! It answers the workloads of `bench/load` over the same tables that Mainstay makes, and nothing else: one statement text
//! for each route, rows written into the answer as they come. On SQLite readers have their own threads and one writer
//! commits for many; on PostgreSQL a few connections are shared by pipelining; on MariaDB and MySQL each request has one for itself. It does what such a server must do (checks
//! the key, reads typed bodies, refuses a bad one) and leaves out all that makes Mainstay general. Mainstay's figures are
//! given as parts of its.

mod database;
mod encode;
mod mysql;
mod postgres;
mod requests;
mod routes;
mod sqlite;
mod xml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

use crate::database::Database;
use crate::mysql::Mysql;
use crate::postgres::{Postgres, Sizes};
use crate::sqlite::Sqlite;

/// Serves the benchmark's routes from one database.
#[derive(Parser)]
struct Args {
    /// The database: a file of SQLite, or the URL of one of PostgreSQL, MariaDB or MySQL, whose place is the environment. Its
    /// tables must be there already, unless it is imported into
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
    /// PostgreSQL: shared connections that write; as many commits may wait for the disk together. MariaDB and MySQL:
    /// connections in all
    #[arg(long, default_value_t = 10)]
    writers: usize,
    /// Load this CSV file of reviews into a new table with a full-text index, print rows a second, and end
    #[arg(long)]
    import: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let is_url = |schemes: &[&str]| schemes.iter().any(|scheme| args.database.starts_with(scheme));
    let is_postgres = is_url(&["postgres://", "postgresql://"]);
    let is_mysql = is_url(&["mysql://"]);
    if let Some(file) = &args.import {
        let per_second = match (is_postgres, is_mysql) {
            (true, _) => postgres::import(&args.database, file).await?,
            (_, true) => mysql::import(&args.database, file).await?,
            _ => sqlite::import(Path::new(&args.database), &args.synchronous, file)?,
        };
        tell(&format!("{per_second:.0}"));
        return Ok(());
    }
    let cores = std::thread::available_parallelism()?.get();
    let database = if is_postgres {
        let sizes = Sizes { readers: args.readers.unwrap_or(2 * cores), writers: args.writers };
        let database = Postgres::open(&args.database, &sizes).await?;
        tell(&format!("on {}", Postgres::describe(&args.database).await?));
        Database::Postgres(database)
    } else if is_mysql {
        let database = Mysql::open(&args.database, args.writers).await?;
        tell(&format!("on {}", database.describe().await?));
        Database::Mysql(database)
    } else {
        let readers = args.readers.unwrap_or(cores);
        tell(&format!("on SQLite with synchronous={}", args.synchronous));
        Database::Sqlite(Sqlite::open(Path::new(&args.database), &args.synchronous, readers)?)
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
