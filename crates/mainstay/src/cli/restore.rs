//! `mainstay restore FILE [DIR]`.

use std::path::PathBuf;

use super::{Failure, Folder, Globals};
use crate::backup::{Owner, restore};

/// Arguments of `mainstay restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is touched before the backup has been read and checked as a whole. The database that was there
is kept beside the new one; remove it when it is no longer needed.

Example:
  mainstay restore shop.db shop --dry-run && mainstay restore shop.db shop"
)]
pub(super) struct Args {
    /// A file that `mainstay backup` or the schedule made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    folder: Folder,
    /// Check the backup and whether the database is free, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Restore it even if it is a backup of another project
    #[arg(long)]
    other_project: bool,
    /// A moment between two backups. Not possible: a backup is of its own moment only
    #[arg(long, value_name = "TIME", hide = true)]
    at: Option<String>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if args.at.is_some() {
        let problem = "a backup is of the moment when it was made, and what was written afterwards is nowhere kept; \
                       restore the last backup before that moment, and make them more often with backup.every";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let project = globals.open_without_schema(&args.folder.folder)?;
    super::sqlite_file(&project, "restore puts back", |server| {
        format!("the server's own tools restore it: {}", server.backup_commands()[1])
    })?;
    let owner = if args.other_project { Owner::Any } else { Owner::Project };
    let restored = restore(&project, &args.file, owner, args.dry_run)?;
    let console = globals.console();
    if console.json {
        console.value(&restored);
        return Ok(());
    }
    let manifest = &restored.manifest;
    let rows: u64 = manifest.rows.values().sum();
    let holds = format!("made {}, {rows} rows in {} tables", manifest.made_at, manifest.rows.len());
    if restored.dry_run {
        console.line(format!("{} is whole ({holds}) and could be restored; nothing was done", args.file.display()));
        return Ok(());
    }
    console.line(format!("{} is the backup ({holds})", restored.database.display()));
    if let Some(kept) = &restored.kept {
        console.line(format!("what was there is {}", kept.display()));
    }
    if let Some(migration) = &manifest.migration {
        console.note(format!(
            "its last migration is {migration}; `mainstay migrate plan` shows what the schema has beyond"
        ));
    }
    Ok(())
}
