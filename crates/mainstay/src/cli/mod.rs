//! The command line: one file per command, and what they share.
//!
//! A command translates its arguments into calls of the other modules and prints what comes back; it decides nothing
//! about rows or tables. Every command exits with 0 when it is done, 1 when it failed, and 2 when the command line, the
//! settings or the schema are wrong.

mod advise;
mod backup;
mod completions;
mod console;
mod copy;
mod dev;
mod doctor;
mod explain;
mod export;
mod failure;
mod first_start;
#[cfg(feature = "postgres")]
mod from_postgrest;
#[cfg(not(feature = "postgres"))]
#[path = "from_postgrest_missing.rs"]
mod from_postgrest;
#[cfg(test)]
pub(crate) mod generated;
mod import;
mod init;
mod keys;
mod listen;
mod logging;
mod migrate;
mod openapi;
mod restore;
mod schema;
mod seed;
mod serve;
mod signals;
mod slow;
mod types;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

pub use console::Console;
pub use failure::Failure;

use crate::backup::Schedule;
use crate::config::{Database, Override, Server, StoreUrl};
use crate::project::Project;

/// A folder becomes a back end: a validated, fast, durable API over your data.
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  mainstay init shop && mainstay dev shop")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    globals: Globals,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub struct Globals {
    /// Print the result as JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// Set one setting, before the environment and mainstay.toml
    #[arg(long = "set", global = true, value_name = "SECTION.NAME=VALUE")]
    pub set: Vec<Override>,
    /// Use this database as it is, instead of the one of the project: sqlite:FILE, postgres://…, mysql://… or mongodb://…
    #[arg(long, global = true, value_name = "URL", value_parser = parse_store)]
    pub store: Option<String>,
}

impl Globals {
    /// Opens the project in `folder` under the settings of the command line.
    ///
    /// # Errors
    /// [`Failure::Mistakes`] with everything that is wrong in the settings and the schema.
    pub fn open(&self, folder: &Path) -> Result<Project, Failure> {
        self.open_with(folder, &[])
    }

    /// As [`Globals::open`], with all functions: a server that has to be asked about them is.
    fn open_with_functions(&self, folder: &Path) -> Result<Project, Failure> {
        self.open(folder)?.with_functions().map_err(Failure::Mistakes)
    }

    /// As [`Globals::open`]; `options` of the command itself go before `--set`.
    fn open_with(&self, folder: &Path, options: &[Override]) -> Result<Project, Failure> {
        Project::open(folder, &self.overrides(options)).map_err(Failure::Mistakes)
    }

    /// As [`Globals::open`], but without the schema: for whoever works on a database that may be damaged or gone.
    ///
    /// # Errors
    /// [`Failure::Mistakes`] with everything that is wrong in the settings.
    fn open_without_schema(&self, folder: &Path) -> Result<Project, Failure> {
        Project::open_without_schema(folder, &self.overrides(&[])).map_err(Failure::Mistakes)
    }

    /// What the command line sets; what comes later counts.
    fn overrides(&self, options: &[Override]) -> Vec<Override> {
        let set = |name, text: &str| Override::new("stores.main", name, text).expect("the store has these settings");
        let store = self.store.iter().flat_map(|url| [set("url", url), set("introspect", "true")]);
        self.set.iter().cloned().chain(store).chain(options.iter().cloned()).collect()
    }

    /// Where the command prints.
    pub fn console(&self) -> Console {
        Console { json: self.json }
    }
}

/// The URL of a database, as it was written.
fn parse_store(text: &str) -> Result<String, String> {
    let problem = |problem| {
        format!(
            "it {problem}; write sqlite:FILE, with the path as the project folder sees it, postgres://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE or mongodb://HOST/DATABASE"
        )
    };
    StoreUrl::parse(text).map(|_| text.to_owned()).map_err(problem)
}

/// The file of the database, for commands that work on files.
///
/// # Errors
/// [`Failure::Usage`] where the database is no file: which it is, and what to do instead, which `remedy` has words for.
fn sqlite_file(project: &Project, command: &str, remedy: fn(Server) -> String) -> Result<PathBuf, Failure> {
    let place = project.database_place();
    let Database::Server(server) = project.database() else {
        return project.database_file().ok_or_else(|| Failure::Usage(format!("{place} is no file")));
    };
    let remedy = remedy(server);
    Err(Failure::Usage(format!("{command} SQLite databases, and {place} is {}; {remedy}", server.name())))
}

/// Backups that are made beside the requests, until this is dropped.
struct Backups(Option<(tokio::task::JoinHandle<()>, Arc<AtomicBool>)>);

impl Drop for Backups {
    fn drop(&mut self) {
        if let Some((task, is_over)) = &self.0 {
            // The process waits for a copy that is being made, so that it leaves no half of a file behind.
            is_over.store(true, Ordering::Relaxed);
            task.abort();
        }
    }
}

/// Begins to make the backups that the settings ask for.
fn start_backups(project: &Project) -> Backups {
    Backups(Schedule::of(project).map(|schedule| {
        let is_over = schedule.is_over();
        (tokio::spawn(schedule.run()), is_over)
    }))
}

/// The project folder, the last argument of nearly every command.
#[derive(Debug, Clone, clap::Args)]
pub struct Folder {
    /// The project folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new project folder, or one over a database that is there
    Init(init::Args),
    /// Serve a project while you work on it: create, migrate, seed, watch
    Dev(dev::Args),
    /// Serve a project
    Serve(serve::Args),
    /// Plan, write and apply changes of the tables
    Migrate(migrate::Args),
    /// Put the files of seed/ into the tables
    Seed(seed::Args),
    /// Load a file of rows into a table
    Import(import::Args),
    /// Write the rows of a table to a file or to the terminal
    Export(export::Args),
    /// Copy tables and rows into another database, of any engine, and prove it
    Copy(copy::Args),
    /// Copy the database to one file, while it is used
    Backup(backup::Args),
    /// Put a backup in the place of the database
    Restore(restore::Args),
    /// Print the keys of a project
    Keys(keys::Args),
    /// Show what a request becomes: request, plan, authorized plan, statements
    Explain(explain::Args),
    /// Print the description of the API in OpenAPI
    Openapi(openapi::Args),
    /// Print tables and functions as types of a programming language
    Types(types::Args),
    /// Tell which indexes are missing and which nobody needs, and write the changes
    Advise(advise::Args),
    /// Show what took the database long while a project was served
    Slow(slow::Args),
    /// Look for what is wrong with a project and say how to mend it
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the JSON Schema that gives editors completion in project files
    Schema(schema::Args),
}

/// Runs the command that the arguments of the process name.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| without_urls(error).exit());
    let globals = &cli.globals;
    let outcome = match &cli.command {
        Command::Init(args) => init::run(args, globals),
        Command::Dev(args) => dev::run(args, globals),
        Command::Serve(args) => serve::run(args, globals),
        Command::Migrate(args) => migrate::run(args, globals),
        Command::Seed(args) => seed::run(args, globals),
        Command::Import(args) => import::run(args, globals),
        Command::Export(args) => export::run(args, globals),
        Command::Copy(args) => copy::run(args, globals),
        Command::Backup(args) => backup::run(args, globals),
        Command::Restore(args) => restore::run(args, globals),
        Command::Keys(args) => keys::run(args, globals),
        Command::Explain(args) => explain::run(args, globals),
        Command::Openapi(args) => openapi::run(args, globals),
        Command::Types(args) => types::run(args, globals),
        Command::Advise(args) => advise::run(args, globals),
        Command::Slow(args) => slow::run(args, globals),
        Command::Doctor(args) => doctor::run(args, globals),
        Command::Completions(args) => completions::run(args, globals),
        Command::Schema(args) => schema::run(args, globals),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&globals.console()),
    }
}

/// An error of the command line that does not say again what URLs it was given: there may be a password in one.
fn without_urls(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        if let Some((before, _)) = text.split_once("://") {
            let shown = format!("{before}://[hidden]");
            error.insert(kind, ContextValue::String(shown));
        }
    }
    error
}

/// Runs `work` to its end on a runtime with one worker per core, for the commands that talk to a store.
///
/// # Errors
/// What `work` gives, or that no runtime could be made.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    runtime.block_on(work)
}
