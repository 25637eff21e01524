//! Notices when a person has changed the settings or the schema of a project.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{QUERIES_FOLDER, SCHEMA_FOLDER, SETTINGS_FILE};

/// How long nothing must happen before a change counts as done: editors and version control write in several steps.
const QUIET: Duration = Duration::from_millis(60);

/// Longest wait for quiet, so that a file that is written all the time does not hide the others.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(1);

/// Folders whose files say what is served, and how the names of those files end.
const FOLDERS: [(&str, &str); 2] = [(SCHEMA_FOLDER, ".toml"), (QUERIES_FOLDER, ".sql")];

/// Watches one project folder until it is dropped.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
}

impl Watch {
    /// Watches `mainstay.toml`, `.env`, `schema/*.toml` and `queries/*.sql` in `folder`.
    ///
    /// # Errors
    /// That the system gives no watcher.
    pub fn open(folder: &Path) -> anyhow::Result<Watch> {
        // One waiting signal is enough: it says that something changed, and whoever hears it reads everything anew.
        let (sender, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may hide a change, so it counts as one.
            if event.map_or(true, |event| !is_reading(event.kind) && event.paths.iter().any(|path| is_source(path))) {
                let _ = sender.try_send(());
            }
        });
        let mut watch = Watch { folder: folder.to_owned(), watcher: watcher.context("cannot watch files")?, changes };
        // Folders and not files, because saving may put a new file in the place of the old one.
        let watched = watch.watcher.watch(folder, RecursiveMode::NonRecursive);
        watched.with_context(|| format!("cannot watch {}", folder.display()))?;
        watch.watch_folders();
        Ok(watch)
    }

    /// Waits until something changed and the changes have settled. Safe to drop at any time.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // The watcher is ours, so this does not happen; if it did, there would never be a change.
            return std::future::pending().await;
        }
        let settled = async { while let Ok(Some(())) = timeout(QUIET, self.changes.recv()).await {} };
        let _ = timeout(QUIET_WAIT_MAX, settled).await;
        self.watch_folders();
    }

    /// The folders may have come, or come anew, since the last look. Without them there is nothing to watch.
    fn watch_folders(&mut self) {
        for (folder, _) in FOLDERS {
            let _ = self.watcher.watch(&self.folder.join(folder), RecursiveMode::NonRecursive);
        }
    }
}

fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(_))
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_in = |folder| path.parent().is_some_and(|parent| parent.ends_with(folder));
    name == SETTINGS_FILE
        || name == ".env"
        || FOLDERS.iter().any(|(folder, ending)| name == *folder || (name.ends_with(ending) && is_in(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_of_sources_are_noticed_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::open(folder.path()).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
        assert!(timeout(Duration::from_millis(200), watch.changed()).await.is_err());

        let schema = folder.path().join(SCHEMA_FOLDER);
        std::fs::create_dir(&schema).unwrap();
        timeout(Duration::from_secs(5), watch.changed()).await.expect("the schema folder came");
        std::fs::write(schema.join("a.toml"), "x").unwrap();
        timeout(Duration::from_secs(5), watch.changed()).await.expect("a schema file came");
        std::fs::write(folder.path().join("new"), "y").unwrap();
        std::fs::rename(folder.path().join("new"), schema.join("a.toml")).unwrap();
        timeout(Duration::from_secs(5), watch.changed()).await.expect("a schema file was replaced");

        let queries = folder.path().join(QUERIES_FOLDER);
        std::fs::create_dir(&queries).unwrap();
        timeout(Duration::from_secs(5), watch.changed()).await.expect("the folder of functions came");
        std::fs::write(queries.join("a.sql"), "x").unwrap();
        timeout(Duration::from_secs(5), watch.changed()).await.expect("a function came");
    }
}
