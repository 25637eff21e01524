//! Backups that a serving process makes by itself, one after the other, beside the requests.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use mainstay_engine::{Clock, SystemClock};

use super::file::{BackupFile, Kind, Manifest};
use super::keep::{When, kept};
use super::make::make;
use crate::config::BackupSettings;
use crate::project::Project;

/// What the names of our own backups begin with.
const PREFIX: &str = "auto-";
/// What they end with.
const ENDING: &str = ".db";
/// Longest sleep: the clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// Shortest sleep.
const SLEEP_MIN: Duration = Duration::from_millis(200);
/// After a failure the next try comes not before this.
const RETRY_SECONDS: i64 = 15 * 60;
/// A file in the making that was not touched for so long was left by a server that was killed.
const LEFT_AGE: Duration = Duration::from_secs(3600);
/// Pause after each megabyte, so that requests come to the disk first.
const STEP_PAUSE: Duration = Duration::from_millis(4);

/// When backups of a project are made, and where.
#[derive(Debug, Clone)]
pub struct Schedule {
    settings: BackupSettings,
    database: PathBuf,
    folder: PathBuf,
    /// Whether nobody wants any more: a copy that is being made stops.
    is_over: Arc<AtomicBool>,
}

impl Schedule {
    /// The schedule of a project, if it has one.
    pub fn of(project: &Project) -> Option<Schedule> {
        let settings = project.settings.backup.clone();
        if settings.every.is_zero() && settings.at.seconds.is_none() {
            return None;
        }
        let folder = project.folder.join(&settings.folder);
        let is_over = Arc::new(AtomicBool::new(false));
        // A server makes its own.
        let database = project.database_file()?;
        Some(Schedule { settings, database, folder, is_over })
    }

    /// Where the backups are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Set to end a copy that is being made.
    pub fn is_over(&self) -> Arc<AtomicBool> {
        self.is_over.clone()
    }

    /// Makes backups when they are due, for ever. What goes wrong is logged and tried again; old backups stay.
    pub async fn run(self) {
        let mut not_before = i64::MIN;
        loop {
            let now = SystemClock.now().as_second();
            let wait = self.wait(now, self.newest_seconds()).max(not_before.saturating_sub(now));
            if wait > 0 {
                let wait = Duration::from_secs(wait.unsigned_abs());
                tokio::time::sleep(wait.clamp(SLEEP_MIN, SLEEP_MAX)).await;
                continue;
            }
            let schedule = self.clone();
            let outcome = tokio::task::spawn_blocking(move || schedule.make_one()).await;
            match outcome.map_err(anyhow::Error::from).and_then(|outcome| outcome) {
                Ok(file) => tracing::info!(file = %file.display(), "a backup was made"),
                Err(error) => {
                    not_before = now.saturating_add(RETRY_SECONDS);
                    let error: &(dyn std::error::Error + 'static) = error.as_ref();
                    tracing::warn!(error, "no backup could be made; those that are there stay, and it is tried again");
                }
            }
        }
    }

    /// Seconds until the next backup is due, at most a day; 0 when it is, also because one was missed.
    fn wait(&self, now: i64, newest: Option<i64>) -> i64 {
        let Some(newest) = newest else { return 0 };
        // A clock that was set back must not keep backups from being made.
        let newest = newest.min(now);
        let mut waits = Vec::new();
        if !self.settings.every.is_zero() {
            let every = i64::try_from(self.settings.every.as_secs()).unwrap_or(i64::MAX);
            waits.push(newest.saturating_add(every) - now);
        }
        if let Some(at) = self.settings.at.seconds {
            let next = (newest - at).div_euclid(86_400) * 86_400 + 86_400 + at;
            waits.push(next - now);
        }
        waits.into_iter().min().unwrap_or(i64::MAX).max(0)
    }

    fn newest_seconds(&self) -> Option<i64> {
        self.made().first().map(|(_, when)| when.seconds)
    }

    /// Makes one backup, then removes those that need not stay.
    fn make_one(&self) -> anyhow::Result<PathBuf> {
        make_folder(&self.folder).with_context(|| format!("cannot make the folder {}", self.folder.display()))?;
        self.remove_left();
        let name = format!("{PREFIX}{}{ENDING}", SystemClock.now().strftime("%Y%m%dT%H%M%SZ"));
        let target = self.folder.join(name);
        let mut on_step = |_, _| {
            std::thread::sleep(STEP_PAUSE);
            if self.is_over.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        make(&self.database, &target, Kind::Scheduled, false, &self.is_over, &mut on_step)?;
        self.remove_surplus();
        Ok(target)
    }

    /// Removes what was being made when a server was killed; nothing takes so long to make.
    fn remove_left(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_ours = name.starts_with(&format!(".{PREFIX}")) && name.ends_with(".part");
            let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
            if is_ours && matches!(age, Ok(Ok(age)) if age > LEFT_AGE) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn remove_surplus(&self) {
        let made = self.made();
        let whens: Vec<When> = made.iter().map(|(_, when)| *when).collect();
        for ((path, _), kept) in made.iter().zip(kept(&whens, &self.settings)) {
            if !kept && let Err(error) = fs::remove_file(path) {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, file = %path.display(), "an old backup cannot be removed");
            }
        }
    }

    /// Our own backups of this database, newest first. A file counts by what is in it and not by its name alone.
    fn made(&self) -> Vec<(PathBuf, When)> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let own = |path: PathBuf| {
            let name = path.file_name()?.to_str()?;
            name.strip_prefix(PREFIX)?.strip_suffix(ENDING)?;
            let manifest = BackupFile::open(&path).ok()?.manifest;
            let is_own = manifest.kind == Kind::Scheduled
                && self.database.file_name().is_some_and(|name| *name.to_string_lossy() == manifest.database);
            let when = when(&manifest).filter(|_| is_own)?;
            Some((path, when))
        };
        let mut made: Vec<_> = entries.filter_map(|entry| own(entry.ok()?.path())).collect();
        made.sort_by(|(_, one), (_, other)| other.cmp(one));
        made
    }
}

/// When the newest backup of a schedule was made, and whether the next is overdue.
pub fn newest(schedule: &Schedule) -> Option<(PathBuf, String, bool)> {
    let (path, when) = schedule.made().into_iter().next()?;
    let made_at = BackupFile::open(&path).ok()?.manifest.made_at;
    let is_overdue = schedule.wait(SystemClock.now().as_second(), Some(when.seconds)) == 0;
    Some((path, made_at, is_overdue))
}

fn when(manifest: &Manifest) -> Option<When> {
    let year: i64 = manifest.made_at.get(..4)?.parse().ok()?;
    let month: i64 = manifest.made_at.get(5..7)?.parse().ok()?;
    Some(When { seconds: manifest.seconds, month: year * 12 + month })
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }
    #[cfg(not(unix))]
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Override, load};

    fn schedule(text: &str) -> Schedule {
        let given: Vec<Override> = text.split(' ').map(|text| format!("backup.{text}").parse().unwrap()).collect();
        let settings = load(Path::new("."), "", &Environment::default(), &given).unwrap().backup;
        Schedule { settings, database: "main.db".into(), folder: ".".into(), is_over: Arc::default() }
    }

    #[test]
    fn a_backup_is_due_by_either_rule_and_when_one_was_missed() {
        let day = 86_400;
        let midnight = 20_783 * day;
        let every = schedule("every=3600");
        assert_eq!(every.wait(midnight, None), 0);
        assert_eq!(every.wait(midnight, Some(midnight - 600)), 3000);
        assert_eq!(every.wait(midnight, Some(midnight - 9000)), 0);
        assert_eq!(every.wait(midnight, Some(midnight + 9000)), 3600, "the clock was set back");
        let at = schedule("at=03:00");
        assert_eq!(at.wait(midnight, Some(midnight - 60)), 3 * 3600);
        assert_eq!(at.wait(midnight + 4 * 3600, Some(midnight - 60)), 0, "it was missed");
        assert_eq!(at.wait(midnight + 3 * 3600 + 5, Some(midnight + 3 * 3600)), day - 5);
        assert_eq!(schedule("at=03:00 every=600").wait(midnight, Some(midnight - 60)), 540);
    }
}
