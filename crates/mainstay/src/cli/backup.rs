//! `mainstay backup [FILE] [DIR]`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use mainstay_engine::{Clock, SystemClock};
use mainstay_stores::sqlite::backup::IsOver;

use super::{Failure, Folder, Globals};
use crate::backup::{Kind, make};
use crate::project::{Project, SETTINGS_FILE};

/// Arguments of `mainstay backup`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The server may go on: the backup is the database of one moment, and nobody waits for it. It is read
back and checked before it gets its name. It holds the rows and nothing else: keep mainstay.toml, schema/ and
migrations/ in version control, and .mainstay/secrets.toml where you keep secrets.

Examples:
  mainstay backup shop.db shop
  mainstay backup /var/backups/ shop    # a file named after the project and the time"
)]
pub(super) struct Args {
    /// The file, or a folder for it; a file named after the project and the time when left out
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    folder: Folder,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Say what would be written and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if let Some(folder) = args.file.as_deref().filter(|file| file.join(SETTINGS_FILE).exists()) {
        let folder = folder.display();
        let problem = format!("{folder} is a project; write the name of the backup before it");
        return Err(Failure::Usage(format!("{problem}: mainstay backup FILE {folder}")));
    }
    let project = globals.open_without_schema(&args.folder.folder)?;
    let target = target(args, &project);
    let database = super::sqlite_file(&project, "backup copies", |server| {
        format!("the server's own tools make backups of it: {}", server.backup_commands()[0])
    })?;
    if !database.is_file() {
        return Err(Failure::Usage(format!("there is no database {} yet", database.display())));
    }
    let is_same =
        |path: &Path| target.canonicalize().is_ok_and(|target| path.canonicalize().is_ok_and(|it| it == target));
    if is_same(&database) {
        return Err(Failure::Usage(format!("{} is the database itself", target.display())));
    }
    if target.exists() && !args.force {
        return Err(Failure::Usage(format!("{} is there already; --force replaces it", target.display())));
    }
    let console = globals.console();
    if args.dry_run {
        let bytes = std::fs::metadata(&database).context("cannot look at the database")?.len();
        if console.json {
            console.value(&serde_json::json!({ "file": target, "bytes": bytes, "dry_run": true }));
        } else {
            console.line(format!("would write {} with about {bytes} bytes; nothing was done", target.display()));
        }
        return Ok(());
    }
    let bar = ProgressBar::new(0);
    let form = "copying {bar:30} {percent}% of {len} pages, {eta} left";
    bar.set_style(ProgressStyle::with_template(form).expect("the form is right"));
    let made = make(&database, &target, Kind::Asked, args.force, &IsOver::default(), &mut |left, all| {
        bar.set_length(all);
        bar.set_position(all.saturating_sub(left));
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let made = made?;
    if console.json {
        console.value(&made);
        return Ok(());
    }
    let rows: u64 = made.manifest.rows.values().sum();
    let tables = made.manifest.rows.len();
    console.line(format!(
        "{}: {} bytes, {rows} rows in {tables} tables, read back and checked",
        made.file.display(),
        made.manifest.bytes
    ));
    if made.manifest.broken_references > 0 {
        console.note(format!("{} rows of the database point at nothing", made.manifest.broken_references));
    }
    console.note("not in it: keys, settings, schema and migrations");
    Ok(())
}

fn target(args: &Args, project: &Project) -> PathBuf {
    let folder = match &args.file {
        Some(file) if !file.is_dir() => return file.clone(),
        Some(folder) => folder.as_path(),
        None => Path::new(""),
    };
    let name = project.name().replace(['/', '\\'], "_");
    folder.join(format!("{name}-{}.db", SystemClock.now().strftime("%Y%m%dT%H%M%SZ")))
}
