//! `cargo xtask test`: everything that a stranger runs to see that all tests pass.
//!
//! In order: the tests of the workspace with those in documentation and in the guide, against real database servers that
//! are started for them; then the real clients against the
//! real program, the reference in a browser, and clients made from the description. What is left out on request is listed at the end as not run; what is missing is a failure.

use anyhow::ensure;

use crate::process::{self, cargo};
use crate::servers::Servers;
use crate::{clients, generated, web};

/// How many parts there are.
const PARTS: usize = 5;

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out what needs the npm, PyPI and Maven registries and Debian's packages: clients, browser, generated clients
    #[arg(long)]
    without_clients: bool,
    /// Run only the part whose name begins like this: tests, JavaScript, Python, browser, generated
    #[arg(long, conflicts_with = "without_clients")]
    only: Option<String>,
}

/// Runs all tests, and says at the end what was not run.
///
/// # Errors
/// When a part fails or what it needs is missing; the other parts are run all the same.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    let mut left_out = Vec::new();
    let mut part = |name: &'static str, run: &dyn Fn() -> anyhow::Result<()>| {
        if args.only.as_deref().is_some_and(|only| !name.starts_with(only)) {
            left_out.push(name);
        } else if let Err(problem) = run() {
            eprintln!("{name}: {problem:#}");
            failures.push(name);
        }
    };
    part("tests of the workspace", &|| {
        let servers = Servers::start()?;
        process::run(servers.tell(cargo().args(["test", "--workspace", "--no-fail-fast"])))
    });
    if !args.without_clients {
        part("JavaScript clients", &clients::javascript);
        part("Python client", &clients::python);
        part("browser and types", &web::run);
        part("generated clients", &generated::clients);
    }
    ensure!(failures.is_empty(), "failed: {}", failures.join(", "));
    if args.without_clients {
        println!("not run: client libraries, the browser, generated clients (left out by --without-clients)");
    }
    if let Some(only) = &args.only {
        ensure!(left_out.len() < PARTS, "no part begins with {only:?}");
        println!("not run: {} (left out by --only)", left_out.join(", "));
    }
    println!("all tests that were run passed");
    Ok(())
}
