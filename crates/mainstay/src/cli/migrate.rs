//! `mainstay migrate plan|new|apply|status [DIR]`.

use std::io::{BufRead, IsTerminal};

use anyhow::anyhow;
use serde::Serialize;
use serde_json::Value;

use super::{Console, Failure, Folder, Globals, block_on};
use crate::migrations::{self, Allow, History, MigrationError, State, Synced};
use crate::project::Project;
use crate::wire;

/// Arguments of `mainstay migrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  mainstay migrate plan shop       # what lies between schema/ and the database
  mainstay migrate new shop        # write it down as a file of migrations/
  mainstay migrate apply shop      # carry out the files that are pending")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what lies between the schema and the database: steps, statements, and what would be lost
    #[command(after_help = "Example:\n  mainstay migrate plan shop")]
    Plan(Folder),
    /// Write a migration file from what the schema says beyond the last one
    #[command(after_help = "Example:\n  mainstay migrate new shop --name add_reviews")]
    New(New),
    /// Carry out the migration files that are pending, each whole or not at all
    #[command(
        after_help = "A project without migration files is brought to its schema directly.\n\nExample:\n  mainstay migrate apply shop"
    )]
    Apply(Apply),
    /// Show which migrations were applied, are pending, or were edited since
    #[command(after_help = "Example:\n  mainstay migrate status shop")]
    Status(Folder),
}

#[derive(Debug, clap::Args)]
struct New {
    #[command(flatten)]
    folder: Folder,
    /// Name of the migration; without it, a name from its first step
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Apply {
    #[command(flatten)]
    folder: Folder,
    /// Show what would be done and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Also what loses data, without asking
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let folder = match &args.action {
        Action::Plan(folder) | Action::Status(folder) => folder,
        Action::New(new) => &new.folder,
        Action::Apply(apply) => &apply.folder,
    };
    let project = globals.open(&folder.folder)?;
    let mut parts = project.parts();
    let has_several = parts.len() > 1;
    parts.retain(|part| !part.settings.store.introspect);
    if parts.is_empty() {
        let problem = "the tables are those of another program (stores.main.introspect), which alone changes them";
        return Err(Failure::Usage(problem.to_owned()));
    }
    if let Action::New(new) = &args.action {
        return write_new(new, &parts, globals);
    }
    let mut outcome = Ok(());
    for part in &parts {
        if has_several && !globals.json {
            globals.console().line(format!("store {}:", part.store_name()));
        }
        let done = match &args.action {
            Action::Plan(_) => plan(part, globals),
            Action::Apply(apply) => run_apply(apply, part, globals),
            Action::New(_) | Action::Status(_) => status(part, globals),
        };
        match done {
            // That a file was edited is no reason not to tell about the other stores.
            Err(Failure::Negative) => outcome = Err(Failure::Negative),
            done => done?,
        }
    }
    outcome
}

fn plan(project: &Project, globals: &Globals) -> Result<(), Failure> {
    let history = with_history(project)?;
    let plan = migrations::plan(history.database, &history.current, &project.schema);
    let console = globals.console();
    if globals.json {
        value(&console, project, &serde_json::json!({ "steps": plan.steps, "losses": plan.losses, "sql": plan.sql }));
    } else if plan.steps.is_empty() {
        console.line("the database is as the schema says");
    } else {
        tell(&console, &plan.steps, &plan.losses);
        console.line(format!("\n{}", plan.sql.trim_end()));
    }
    Ok(())
}

/// Writes a file for each store whose tables the schema changes.
fn write_new(args: &New, parts: &[Project], globals: &Globals) -> Result<(), Failure> {
    let console = globals.console();
    let mut unchanged = None;
    let mut has_written = false;
    for part in parts {
        let written = block_on(async { Ok(migrations::write_new(part, args.name.as_deref()).await) })?;
        let written = match written {
            Err(error @ MigrationError::NothingChanged { .. }) => {
                unchanged = Some(error);
                continue;
            }
            written => written?,
        };
        has_written = true;
        if globals.json {
            value(&console, part, &written);
            continue;
        }
        tell(&console, &written.steps, &written.losses);
        console.line(format!("\nwrote {}", written.file.display()));
        console.line("proven: carried out on the old tables it gives exactly those of the schema");
    }
    match unchanged {
        Some(error) if !has_written => Err(error.into()),
        _ => Ok(()),
    }
}

fn run_apply(args: &Apply, project: &Project, globals: &Globals) -> Result<(), Failure> {
    let console = globals.console();
    block_on(async {
        let store = wire::store(project)?;
        let outcome = apply(args, project, &*store, &console).await;
        store.close().await;
        outcome
    })
}

async fn apply(
    args: &Apply,
    project: &Project,
    store: &dyn mainstay_store::Store,
    console: &Console,
) -> Result<(), Failure> {
    let history = History::read(store, project).await?;
    if history.files.is_empty() {
        return apply_directly(args, project, store, console, &history).await;
    }
    let pending = migrations::pending(&history)?;
    if args.dry_run {
        if console.json {
            value(console, project, &pending);
        }
        for file in pending.files.iter().filter(|_| !console.json) {
            console.line(format!("{}{}", file.name, if file.noted { ", only noted: it is there already" } else { "" }));
            tell(console, &file.steps, &file.losses);
        }
        return Ok(());
    }
    agree(&pending.losses(), args.yes, console)?;
    let applied = migrations::apply(store, &history).await?;
    if console.json {
        value(console, project, &applied);
        return Ok(());
    }
    for file in &applied.files {
        let how = if file.noted { "noted, it was there already" } else { "applied" };
        console.line(format!("{}: {how}", file.name));
    }
    if applied.files.is_empty() {
        console.line("nothing is pending");
    }
    let last = history.files.last().map(|file| &file.schema);
    if last.is_some_and(|last| !migrations::plan(history.database, last, &project.schema).steps.is_empty()) {
        console.note("schema/ has changes that no migration has; `mainstay migrate new` writes them down");
    }
    Ok(())
}

/// A project that has no migration files goes straight to its schema.
async fn apply_directly(
    args: &Apply,
    project: &Project,
    store: &dyn mainstay_store::Store,
    console: &Console,
    history: &History,
) -> Result<(), Failure> {
    let plan = migrations::plan(history.database, &history.current, &project.schema);
    let mut synced = Synced { steps: plan.steps, losses: plan.losses, ..Synced::default() };
    if !args.dry_run {
        agree(&synced.losses, args.yes, console)?;
        synced = migrations::sync(project, store, Allow::All).await?;
    }
    if console.json {
        value(console, project, &synced);
    } else if synced.steps.is_empty() {
        console.line("the database is as the schema says");
    } else {
        tell(console, &synced.steps, &synced.losses);
        console.line(if args.dry_run { "nothing was done" } else { "done" });
    }
    Ok(())
}

fn status(project: &Project, globals: &Globals) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Line {
        name: String,
        #[serde(flatten)]
        state: State,
    }
    let history = with_history(project)?;
    let lines: Vec<_> = history.states().into_iter().map(|(name, state)| Line { name, state }).collect();
    let console = globals.console();
    if globals.json {
        value(&console, project, &lines);
    } else if lines.is_empty() {
        console.line("there are no migrations");
    }
    for Line { name, state } in lines.iter().filter(|_| !globals.json) {
        console.line(match state {
            State::Applied { at } => format!("applied  {at}  {name}"),
            State::Edited { at } => format!("EDITED   {at}  {name}: not what was applied; put it back as it was"),
            State::WithoutFile { at } => format!("no file  {at}  {name}"),
            State::Pending => format!("pending  {:25}  {name}", ""),
        });
    }
    match lines.iter().any(|line| matches!(line.state, State::Edited { .. })) {
        true => Err(Failure::Negative),
        false => Ok(()),
    }
}

/// Prints a result for a program; where there are several stores, each object of it says which one it is about.
fn value(console: &Console, project: &Project, value: &impl Serialize) {
    let mut value = serde_json::to_value(value).expect("our results are plain data with text keys");
    if let Some(store) = project.part() {
        let objects = match &mut value {
            Value::Array(objects) => objects.as_mut_slice(),
            object => std::slice::from_mut(object),
        };
        for object in objects.iter_mut().filter_map(Value::as_object_mut) {
            object.insert("store".to_owned(), store.into());
        }
    }
    console.value(&value);
}

/// What the database remembers; where there is none yet, nothing.
fn with_history(project: &Project) -> Result<History, Failure> {
    block_on(async {
        if project.database_file().is_some_and(|file| !file.exists()) {
            return Ok(History::without_database(project)?);
        }
        let store = wire::existing_store(project)?;
        let history = History::read(&*store, project).await;
        store.close().await;
        Ok(history?)
    })
}

fn tell(console: &Console, steps: &[String], losses: &[String]) {
    for step in steps {
        console.line(format!("  {step}"));
    }
    for loss in losses {
        console.line(format!("  LOSS: {loss}"));
    }
}

/// Asks whether data may be lost.
fn agree(losses: &[String], yes: bool, console: &Console) -> Result<(), Failure> {
    if losses.is_empty() || yes {
        return Ok(());
    }
    for loss in losses {
        console.note(format!("LOSS: {loss}"));
    }
    if !std::io::stdin().is_terminal() {
        return Err(anyhow!("this loses data; nothing was done; give --yes to do it").into());
    }
    console.note("Type yes to go on:");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(anyhow::Error::from)?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(anyhow!("nothing was done").into()),
    }
}
