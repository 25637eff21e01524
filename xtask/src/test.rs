//! `cargo xtask test`: everything that a stranger runs to see that all tests pass.
//!
//! In order: the tests of the workspace with those in documentation and in the guide, then the real clients against the
//! real program, the reference in a browser, and clients made from the description. What is left out on request is listed at the end as not run; what is missing is a failure.

use anyhow::ensure;

use crate::process::{self, cargo};
use crate::{clients, generated, web};

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out what needs the npm, PyPI and Maven registries and Debian's packages: clients, browser, generated clients
    #[arg(long)]
    without_clients: bool,
}

/// Runs all tests, and says at the end what was not run.
///
/// # Errors
/// When a part fails or what it needs is missing; the other parts are run all the same.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    let mut part = |name: &'static str, result: anyhow::Result<()>| {
        if let Err(problem) = result {
            eprintln!("{name}: {problem:#}");
            failures.push(name);
        }
    };
    part("tests of the workspace", process::run(cargo().args(["test", "--workspace", "--no-fail-fast"])));
    if !args.without_clients {
        part("JavaScript clients", clients::javascript());
        part("Python client", clients::python());
        part("browser and types", web::run());
        part("generated clients", generated::clients());
    }
    ensure!(failures.is_empty(), "failed: {}", failures.join(", "));
    if args.without_clients {
        println!("not run: client libraries, the browser, generated clients (left out by --without-clients)");
    }
    println!("all tests that were run passed");
    Ok(())
}
