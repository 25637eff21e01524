//! The yardstick: the benchmark's routes as a careful person would write them by hand.
//!
//! It answers the workloads of `bench/load` over the same database file layout that Mainstay makes, and nothing else: one
//! statement text for each route, rows written into the answer as they are stepped, readers on their own threads, one
//! writer with group commit. It does what such a server must do (checks the key, reads typed bodies, refuses a bad one)
//! and leaves out all that makes Mainstay general. Mainstay's figures are given as parts of its.

mod database;
mod encode;
mod requests;
mod routes;
mod sqlite;
mod xml;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

use crate::database::Database;
use crate::sqlite::Sqlite;

/// Serves the benchmark's routes from one database file.
#[derive(Parser)]
struct Args {
    /// The database file; its tables must be there already, unless it is imported into
    database: PathBuf,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The key that a request must carry in its `apikey` header
    #[arg(long, required_unless_present = "import", default_value = "")]
    key: String,
    /// SQLite's `synchronous` for the writer
    #[arg(long, default_value = "FULL")]
    synchronous: String,
    /// Number of reader threads; the machine's cores when left out
    #[arg(long)]
    readers: Option<usize>,
    /// Load this CSV file of reviews into a new table with a full-text index, print rows a second, and end
    #[arg(long)]
    import: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(file) = &args.import {
        tell(&format!("{:.0}", sqlite::import(&args.database, &args.synchronous, file)?));
        return Ok(());
    }
    let readers = match args.readers {
        Some(count) => count,
        None => std::thread::available_parallelism()?.get(),
    };
    let database = Database::Sqlite(Sqlite::open(&args.database, &args.synchronous, readers)?);
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
#[expect(clippy::print_stdout, reason = "the line is how the load generator learns the port")]
fn tell(line: &str) {
    println!("{line}");
}
