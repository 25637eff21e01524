//! `cargo xtask bench`: builds the three programs as they ship and lets the load generator compare them, on files or on a
//! database server that is started for it.

use clap::ValueEnum;

use crate::process::{self, cargo, program, target};
use crate::servers::{Purpose, Servers};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What both servers keep their rows in
    #[arg(long, value_enum, default_value = "sqlite")]
    on: On,
    /// A small data set and short rounds
    #[arg(long)]
    quick: bool,
    /// Programs without optimization: shows that everything runs and agrees, not how fast
    #[arg(long)]
    dev: bool,
    /// Only the workloads whose names contain this, or one of several parts with commas between them
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// More arguments for the load generator
    #[arg(last = true)]
    more: Vec<String>,
}

/// What can be compared on.
#[derive(Clone, Copy, ValueEnum)]
enum On {
    Sqlite,
    Postgres,
    Mariadb,
    Mysql,
    Mongo,
}

impl On {
    /// Its name for the load generator, and that of the server that it needs.
    fn names(self) -> (&'static str, Option<&'static str>) {
        match self {
            On::Sqlite => ("sqlite", None),
            On::Postgres => ("postgres", Some("postgres")),
            On::Mariadb => ("mariadb", Some("mariadb")),
            On::Mysql => ("mysql", Some("mysql")),
            On::Mongo => ("mongo", Some("mongo")),
        }
    }
}

/// Builds, runs and leaves the tables in `target/bench/`.
///
/// # Errors
/// When something does not build or start, or a server answers wrong.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let built = build(args.dev)?;
    let (engine, server) = args.on.names();
    let server = server.map(|name| Servers::one(name, Purpose::Benchmark)).transpose()?;
    let mut load = program(built.join("mainstay-bench-load"));
    load.arg("--mainstay").arg(built.join("mainstay"));
    load.arg("--yardstick").arg(built.join("mainstay-bench-yardstick"));
    load.arg("--out").arg(target().join("bench"));
    load.args(["--on", engine]);
    if let Some(url) = server.as_ref().and_then(Servers::url) {
        load.env("DATABASE_URL", url);
    }
    if args.quick {
        load.arg("--quick");
    }
    if let Some(part) = &args.only {
        load.arg("--only").arg(part);
    }
    process::run(load.args(&args.more))
}

/// Builds the programs; the folder that they are in.
fn build(is_dev: bool) -> anyhow::Result<std::path::PathBuf> {
    if is_dev {
        process::run(cargo().args(["build", "--workspace", "--quiet"]))?;
        return Ok(target().join("debug"));
    }
    // One at a time: built together, each would get the features that another asks of a shared dependency.
    for package in ["mainstay", "mainstay-bench-yardstick", "mainstay-bench-load"] {
        process::run(cargo().args(["build", "--release", "--quiet", "--package", package]))?;
    }
    Ok(target().join("release"))
}
