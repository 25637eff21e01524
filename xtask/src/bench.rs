//! `cargo xtask bench`: builds the three programs as they ship and lets the load generator compare them.

use crate::process::{self, cargo, program, target};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A small data set and short rounds
    #[arg(long)]
    quick: bool,
    /// Only the workloads whose names contain this, or one of several parts with commas between them
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// More arguments for the load generator
    #[arg(last = true)]
    more: Vec<String>,
}

/// Builds, runs and leaves the tables in `target/bench/`.
///
/// # Errors
/// When something does not build, or a server answers wrong.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // One at a time: built together, each would get the features that another asks of a shared dependency.
    for package in ["mainstay", "mainstay-bench-yardstick", "mainstay-bench-load"] {
        process::run(cargo().args(["build", "--release", "--quiet", "--package", package]))?;
    }
    let built = target().join("release");
    let mut load = program(built.join("mainstay-bench-load"));
    load.arg("--mainstay").arg(built.join("mainstay"));
    load.arg("--yardstick").arg(built.join("mainstay-bench-yardstick"));
    load.arg("--out").arg(target().join("bench"));
    if args.quick {
        load.arg("--quick");
    }
    if let Some(part) = &args.only {
        load.arg("--only").arg(part);
    }
    process::run(load.args(&args.more))
}
