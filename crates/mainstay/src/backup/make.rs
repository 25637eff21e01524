//! Making a backup: a copy that others do not notice, verified, and then put in place whole.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use mainstay_engine::{Clock, SystemClock};
use mainstay_stores::sqlite::backup::{self, IsOver, OnStep};
use serde::Serialize;

use super::file::{Kind, Manifest, seal};

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The file.
    pub file: PathBuf,
    /// What it holds.
    #[serde(flatten)]
    pub manifest: Manifest,
}

/// Makes a backup of the database file `database` as the file `target`, replacing one that is there if `replace`.
/// `on_step` is told how many pages are left of how many, and may stop it; `is_over` stops it at any time.
///
/// # Errors
/// That something cannot be read or written, or that the database is damaged. Then no file was made or changed.
pub fn make(
    database: &Path,
    target: &Path,
    kind: Kind,
    replace: bool,
    is_over: &IsOver,
    on_step: &mut OnStep<'_>,
) -> anyhow::Result<Made> {
    let now = SystemClock.now();
    let mut part = Part::create(target)?;
    let contents = backup::copy(database, &part.path, is_over, on_step)
        .with_context(|| format!("cannot copy {} to {}", database.display(), target.display()))?;
    let file = part.file.as_mut().expect("it was opened and not yet put in place");
    let manifest = seal(file, |bytes, sha256| Manifest {
        made_at: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seconds: now.as_second(),
        kind,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: database.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes,
        sha256,
        write_ahead: contents.is_write_ahead,
        rows: contents.rows,
        broken_references: contents.broken_references,
        migration: contents.migration,
        origin: contents.origin,
    })
    .with_context(|| format!("cannot write {}", target.display()))?;
    part.put(target, replace)?;
    Ok(Made { file: target.to_owned(), manifest })
}

/// A file in the making, gone unless it is put in place.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) file: Option<File>,
}

impl Part {
    /// Begins a file beside `target`, readable by its owner only.
    pub(super) fn create(target: &Path) -> anyhow::Result<Part> {
        let name = target.file_name().with_context(|| format!("{} names no file", target.display()))?;
        let name = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        let path = target.with_file_name(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Part { path, file: Some(file) })
    }

    /// Removes what others like it left beside `target` when they were killed. Nobody may be making one.
    pub(super) fn remove_left(target: &Path) {
        let Some(name) = target.file_name().map(|name| name.to_string_lossy().into_owned()) else { return };
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let number = file.strip_prefix(&format!(".{name}.")).and_then(|rest| rest.strip_suffix(".part"));
            if number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Puts the file where it belongs, whole, and makes that durable.
    pub(super) fn put(&mut self, target: &Path, replace: bool) -> anyhow::Result<()> {
        let failed = || format!("cannot put {} in place", target.display());
        if replace {
            fs::rename(&self.path, target).with_context(failed)?;
        } else {
            // A link fails where a rename would replace what came there meanwhile.
            match fs::hard_link(&self.path, target) {
                Ok(()) => fs::remove_file(&self.path).with_context(failed)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    bail!("{} is there already; --force replaces it", target.display())
                }
                // Not every file system has links.
                Err(_) => fs::rename(&self.path, target).with_context(failed)?,
            }
        }
        self.file = None;
        sync_folder(target).with_context(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.file.is_some() {
            for ending in ["", "-journal", "-wal", "-shm"] {
                let mut path = self.path.clone().into_os_string();
                path.push(ending);
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Makes durable which files the folder of `path` has.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
