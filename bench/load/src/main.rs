//! Measures Mainstay against the yardstick: same machine, same data, same client, rounds by turns.
//!
//! `cargo xtask bench` builds the three programs and runs this one. It makes a project with known data in a file or on a
//! database server, starts both servers on free ports of the loopback interface, proves that they give the same answers,
//! then puts the same load on each by turns and reports ratios. Nothing here decides a test: timing is for reading.

mod client;
mod dataset;
mod engine;
mod exchange;
mod figures;
mod language;
mod report;
mod servers;
mod verify;
mod workloads;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;

use crate::engine::Engine;
use crate::figures::{Comparison, Figures, Settings};
use crate::servers::Server;
use crate::workloads::Workload;

/// Compares Mainstay with the hand-written yardstick.
#[derive(Parser)]
struct Args {
    /// The `mainstay` program
    #[arg(long)]
    mainstay: PathBuf,
    /// The yardstick's program
    #[arg(long)]
    yardstick: PathBuf,
    /// What both keep their rows in; for a server, DATABASE_URL names an empty database of it
    #[arg(long, value_enum, default_value = "sqlite")]
    on: Engine,
    /// Folder for latest.json and latest.md, or part.json and part.md when only some workloads run; for a server its name
    /// stands before
    #[arg(long)]
    out: PathBuf,
    /// A small data set and short rounds: shows that everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Run only the workloads whose names contain this, or one of several parts with commas between them
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<String>,
    /// Rounds for each server and workload
    #[arg(long)]
    rounds: Option<usize>,
    /// Keep-alive connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Threads or connections of the yardstick that read; its own choice when left out
    #[arg(long)]
    yardstick_readers: Option<usize>,
    /// Start the servers, print what to ask them, and wait for a line on standard input
    #[arg(long)]
    hold: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    args.on.check()?;
    let settings = Settings {
        connections: args.connections,
        rounds: args.rounds.unwrap_or(if args.quick { 3 } else { 5 }),
        round: Duration::from_millis(if args.quick { 300 } else { 2000 }),
        warm_up: Duration::from_millis(if args.quick { 200 } else { 1000 }),
        customers: if args.quick { 1_000 } else { 10_000 },
        orders: if args.quick { 10_000 } else { 100_000 },
        reviews: if args.quick { 5_000 } else { 50_000 },
        engine: args.on,
        yardstick_readers: args.yardstick_readers,
        cores: std::thread::available_parallelism()?.get(),
    };

    let data = dataset::build(&args.mainstay, &args.yardstick, &settings)?;
    let start = servers::measure_start(&args.mainstay, &data, &settings)?;
    let mainstay = Server::mainstay(&args.mainstay, &data, &settings)?;
    let idle_mainstay = mainstay.resident_bytes()?;
    let yardstick = Server::yardstick(&args.yardstick, &data, &settings)?;
    let idle_yardstick = yardstick.resident_bytes()?;
    if args.hold {
        return servers::hold(&mainstay, &yardstick, &data);
    }

    let workloads = workloads::all(&settings, &data, &mainstay, &yardstick)?;
    let is_asked =
        |workload: &&Workload| args.only.is_empty() || args.only.iter().any(|part| workload.name.contains(part.trim()));
    let names: Vec<_> = workloads.iter().map(|workload| workload.name).collect();
    let mut comparisons = Vec::new();
    for workload in workloads.iter().filter(is_asked) {
        report::progress(&format!("{} …", workload.name));
        comparisons.push(compare(workload, &mainstay, &yardstick, &settings, &data.secret_key)?);
    }
    ensure!(!comparisons.is_empty(), "no workload is called so; there are: {}", names.join("; "));
    let figures = Figures {
        settings,
        database: yardstick.database.clone().context("the yardstick did not say what it serves")?,
        workloads: comparisons,
        import: data.import,
        start_ms: start,
        idle_bytes: idle_mainstay,
        idle_bytes_yardstick: idle_yardstick,
        loaded_bytes: mainstay.resident_bytes()?,
        loaded_bytes_yardstick: yardstick.resident_bytes()?,
        binary_bytes: std::fs::metadata(&args.mainstay)?.len(),
        binary_bytes_yardstick: std::fs::metadata(&args.yardstick)?.len(),
    };
    // A part of a run is no new state of the whole.
    let name = if args.only.is_empty() { "latest" } else { "part" };
    report::write(&figures, &args.out, &format!("{}{name}", args.on.prefix()))
}

/// One workload on both servers: the answers agree, then a warm-up each, then rounds by turns.
fn compare(
    workload: &Workload,
    ours: &Server,
    theirs: &Server,
    settings: &Settings,
    key: &str,
) -> anyhow::Result<Comparison> {
    let requests = verify::agree(workload, ours, theirs, settings, key)?;
    client::run(theirs.address, &requests.yardstick, settings.connections, settings.warm_up)?;
    client::run(ours.address, &requests.mainstay, settings.connections, settings.warm_up)?;
    let mut comparison = Comparison::new(workload, settings.engine);
    for _ in 0..settings.rounds {
        comparison.yardstick.push(client::run(
            theirs.address,
            &requests.yardstick,
            settings.connections,
            settings.round,
        )?);
        comparison.mainstay.push(client::run(ours.address, &requests.mainstay, settings.connections, settings.round)?);
    }
    Ok(comparison)
}
