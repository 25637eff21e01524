//! Applying the files that are pending, oldest first, each whole or not at all.

use mainstay_store::{Migration, Store};
use serde::Serialize;

use super::error::MigrationError;
use super::history::{History, State, noted};
use super::{is_same, plan};

/// What applying would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// The files, in order.
    pub files: Vec<PendingFile>,
}

/// A file that is to be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingFile {
    /// Its name.
    pub name: String,
    /// The file, as the project folder has it.
    pub file: String,
    /// What it does, in words.
    pub steps: Vec<String>,
    /// What it destroys, in words.
    pub losses: Vec<String>,
    /// Whether what it leads to is there already, so that it is only noted.
    pub noted: bool,
}

impl Pending {
    /// What is destroyed by all of them.
    pub fn losses(&self) -> Vec<String> {
        self.files.iter().filter(|file| !file.noted).flat_map(|file| file.losses.clone()).collect()
    }
}

/// What applying did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The files, in order.
    pub files: Vec<AppliedFile>,
}

/// A file that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedFile {
    /// Its name.
    pub name: String,
    /// The file, as the project folder has it.
    pub file: String,
    /// Whether it was only noted.
    pub noted: bool,
}

/// The files that [`apply`] would apply.
///
/// # Errors
/// [`MigrationError::Edited`] and [`MigrationError::Astray`].
pub fn pending(history: &History) -> Result<Pending, MigrationError> {
    if let Some(file) = history.files.iter().find(|file| matches!(history.state(file), State::Edited { .. })) {
        return Err(MigrationError::Edited { file: history.file(&file.name) });
    }
    let waiting = history.pending();
    let Some((_, first)) = waiting.first() else { return Ok(Pending::default()) };
    // Normally the first file starts from what is there. Where `dev` went ahead, a later one does, or all are there.
    let starts = waiting.iter().position(|(before, _)| is_same(history.database, before, &history.current));
    let is_there = || waiting.last().is_some_and(|(_, last)| is_same(history.database, &last.schema, &history.current));
    let noted = match starts {
        Some(at) => at,
        None if is_there() => waiting.len(),
        None => return Err(MigrationError::Astray { file: history.file(&first.name) }),
    };
    let files = waiting.iter().enumerate().map(|(at, (before, file))| {
        let plan = plan(history.database, before, &file.schema);
        let (name, path) = (file.name.clone(), history.file(&file.name));
        PendingFile { name, file: path, steps: plan.steps, losses: plan.losses, noted: at < noted }
    });
    Ok(Pending { files: files.collect() })
}

/// Applies the files that are pending. Whether their losses are wanted is the caller's to ask, by [`pending`].
///
/// # Errors
/// [`MigrationError`] of the first that fails; those before it stay applied.
pub async fn apply(store: &dyn Store, history: &History) -> Result<Applied, MigrationError> {
    let mut applied = Applied::default();
    for pending in pending(history)?.files {
        let file = history.files.iter().find(|file| file.name == pending.name);
        let file = file.expect("pending files are among the files");
        let sql = if pending.noted { noted(&file.sql) } else { file.sql.clone() };
        let migration = Migration { name: file.name.clone(), sql, schema: file.schema.to_json() };
        let outcome = store.migrate(migration).await;
        outcome.map_err(|error| MigrationError::Store { place: history.file(&file.name), error })?;
        applied.files.push(AppliedFile { name: pending.name, file: pending.file, noted: pending.noted });
    }
    Ok(applied)
}
