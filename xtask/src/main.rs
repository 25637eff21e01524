//! Project automation in Rust, so that it runs wherever the project builds: `cargo xtask --help` lists it.
//!
//! Each command is one file. A command fails when something it needs is missing, and says `not run:` with the reason when
//! it leaves something out; it never passes over a check in silence.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program for the people of the project")]

mod audit;
mod bench;
mod clients;
mod codegen;
mod debian;
mod fuzz;
mod generated;
mod process;
mod servers;
mod test;
mod tidy;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Automation of the Mainstay project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test: the workspace's, the documents' and the real clients'
    Test(test::Args),
    /// Run a command with the database servers that tests need, or print where they are and wait
    Servers(servers::Args),
    /// Check the workspace's own rules: crate table, file lengths, module docs and the like
    Tidy,
    /// Write the files that are made from the code
    Codegen(codegen::Args),
    /// Check licences, bans, advisories and the number of crates
    Audit,
    /// Compare with the hand-written yardstick and print ratios
    Bench(bench::Args),
    /// Fuzz what reads foreign text, for a while
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Servers(args) => servers::run(&args),
        Command::Tidy => tidy::run(),
        Command::Codegen(args) => codegen::run(&args),
        Command::Audit => audit::run(),
        Command::Bench(args) => bench::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}
