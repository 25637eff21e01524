//! Putting a backup in the place of the database: verified before anything is touched, switched at once, and with what
//! was there kept aside.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use mainstay_engine::{Clock, SystemClock};
use mainstay_store::StoreError;
use mainstay_stores::sqlite::backup::{self, Contents, IsOver};
use mainstay_stores::sqlite::lock;
use serde::Serialize;

use super::file::{BackupFile, Manifest};
use super::make::{Part, sync_folder};
use crate::project::Project;
use crate::wire;

/// What a restore did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The database that holds the backup now.
    pub database: PathBuf,
    /// What was there before.
    pub kept: Option<PathBuf>,
    /// What the backup holds.
    pub manifest: Manifest,
    /// Whether nothing was done.
    pub dry_run: bool,
}

/// Whose backup may be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// That of the project.
    Project,
    /// Of any project.
    Any,
}

/// Restores the backup `file` as the database of a project; with `dry_run`, says whether that would go well.
///
/// # Errors
/// That the backup is not whole or of another project, the database is in use, or something cannot be written. Then
/// nothing has changed.
pub fn restore(project: &Project, file: &Path, owner: Owner, dry_run: bool) -> anyhow::Result<Restored> {
    let database = project.database_file().context("only a database in a file can be restored")?;
    let backup = BackupFile::open(file)?;
    if owner == Owner::Project {
        check_owner(&backup, &database)?;
    }
    if dry_run {
        verify(&backup, &std::env::temp_dir().join("mainstay-restore"))?;
    }
    let lock = lock::alone(&wire::lock_file(project)?).context("cannot look whether the database is in use")?;
    let Some(_lock) = lock else {
        bail!("{} is in use; stop the server or the command that has it open", database.display());
    };
    if dry_run {
        return Ok(Restored { database, kept: None, manifest: backup.manifest, dry_run });
    }
    Part::remove_left(&database);
    let mut part = verify(&backup, &database)?;
    let kept = database.exists().then(|| aside(&database)).transpose()?;
    if kept.is_some() {
        // Whoever could use the database before can use it afterwards.
        let permissions = fs::metadata(&database).context("cannot look at the database")?.permissions();
        fs::set_permissions(&part.path, permissions).context("cannot prepare the database")?;
    }
    let settled = match &kept {
        Some(kept) => Some(set_aside(&database, kept)?),
        None => None,
    };
    part.put(&database, true)?;
    drop(settled);
    Ok(Restored { database, kept, manifest: backup.manifest, dry_run })
}

/// Refuses a backup that is not of the project whose database this is, as far as the two can tell: by their first
/// migrations, or, where another program made the tables, by having no table in common.
fn check_owner(backup: &BackupFile, database: &Path) -> anyhow::Result<()> {
    let name = backup.path.display();
    match (&backup.manifest.origin, database.exists().then(|| backup::origin(database)).flatten()) {
        (Some(theirs), Some(ours)) if *theirs != ours => bail!(
            "{name} is of another project: its first migration is {theirs}, and that of {} is {ours}; \
             --other-project restores it all the same",
            database.display()
        ),
        (Some(_), Some(_)) => return Ok(()),
        _ => {}
    }
    let (theirs, ours) = (&backup.manifest.rows, backup::tables(database));
    let is_own = |name: &&String| !name.starts_with("_mainstay");
    let (mut ours_own, theirs_own) = (ours.iter().filter(is_own).peekable(), theirs.keys().filter(is_own).count());
    let has_common = ours_own.peek().is_none() || theirs_own == 0 || ours_own.any(|name| theirs.contains_key(name));
    ensure!(
        has_common,
        "{name} is of another project: it has no table in common with {}; --other-project restores it all the same",
        database.display()
    );
    Ok(())
}

/// Takes the database out of a backup, to a file beside `target`, and shows that it is whole.
fn verify(backup: &BackupFile, target: &Path) -> anyhow::Result<Part> {
    let mut part = Part::create(target)?;
    let manifest = &backup.manifest;
    let out = part.file.as_mut().expect("it was just opened");
    backup.copy_to(out)?;
    let damaged = || format!("{} is damaged", backup.path.display());
    let contents = backup::examine(&part.path, &IsOver::default()).with_context(damaged)?;
    let Contents { rows, broken_references, migration, .. } = contents;
    let is_same =
        (&rows, broken_references, &migration) == (&manifest.rows, manifest.broken_references, &manifest.migration);
    ensure!(is_same, "{} holds other rows than its manifest says", backup.path.display());
    if manifest.write_ahead {
        backup::set_write_ahead(&part.path).context("cannot prepare the database")?;
    }
    part.file.as_ref().expect("it is still open").sync_all().context("cannot write the copy")?;
    Ok(part)
}

/// Where the database is kept: beside it, under a name that was never used.
fn aside(database: &Path) -> anyhow::Result<PathBuf> {
    let name = database.file_name().context("the database has a name")?.to_string_lossy().into_owned();
    let time = SystemClock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (1..).map(|number| match number {
        1 => format!("{name}.before-{time}"),
        number => format!("{name}.before-{time}-{number}"),
    });
    let mut paths = names.map(|name| database.with_file_name(name));
    Ok(paths.find(|path| !path.exists()).expect("there is always a larger number"))
}

/// Gives the database a second name, and keeps others from using it until the answer is dropped. It keeps its first
/// name, so that there is a database at every moment.
fn set_aside(database: &Path, kept: &Path) -> anyhow::Result<Option<backup::Settled>> {
    let settled = match backup::settle(database) {
        Ok(settled) => Some(settled),
        Err(StoreError::Overloaded) => {
            bail!("{} is in use by another program; stop it first", database.display())
        }
        // What cannot be opened is why people restore.
        Err(_) => None,
    };
    keep_under(database, kept)?;
    if settled.is_none() {
        // Its log belongs to it and must not be taken for one of the backup.
        for ending in ["-wal", "-shm", "-journal"] {
            let (from, to) = (with_ending(database, ending), with_ending(kept, ending));
            if from.exists() {
                fs::rename(&from, &to).with_context(|| format!("cannot keep {}", from.display()))?;
            }
        }
    }
    sync_folder(database).context("cannot write the folder of the database")?;
    Ok(settled)
}

/// The second name; a copy where the file system has no links.
fn keep_under(database: &Path, kept: &Path) -> anyhow::Result<()> {
    if fs::hard_link(database, kept).is_ok() {
        return Ok(());
    }
    fs::copy(database, kept).with_context(|| format!("cannot keep {}", database.display()))?;
    fs::File::open(kept).and_then(|file| file.sync_all()).with_context(|| format!("cannot keep {}", database.display()))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
