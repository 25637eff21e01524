//! Slow statements from the process that serves to whoever asks for advice: a file in the folder of the program's own, written
//! now and then and at the end. It holds outlines, numbers and plans, and no values of anybody.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use mainstay_engine::{Engine, SlowStatement};
use serde::{Deserialize, Serialize};

use crate::project::{Project, STATE_FOLDER};

/// Name of the file.
const FILE: &str = "slow.json";
/// How often it is written, if anything came in.
const WRITTEN_EVERY: Duration = Duration::from_secs(15);

/// A slow statement as the file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// What such requests have in common: names and operators, no values.
    pub outline: String,
    /// How many there were.
    pub count: u64,
    /// How long they took together, in milliseconds.
    pub total_ms: u64,
    /// How long 99 of 100 of them took at most, in milliseconds.
    pub p99_ms: u64,
    /// How long the slowest took, in milliseconds.
    pub worst_ms: u64,
    /// What the engine's planner says about such a request, line by line.
    pub plan: Vec<String>,
    /// Indexes that would help.
    pub indexes: Vec<Wanted>,
}

/// An index that would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The table.
    pub table: String,
    /// Its columns, each with whether it is in descending order.
    pub columns: Vec<(String, bool)>,
}

impl From<&SlowStatement> for Statement {
    fn from(slow: &SlowStatement) -> Statement {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let wanted = |(table, columns): &(String, Vec<(String, bool)>)| Wanted {
            table: table.clone(),
            columns: columns.clone(),
        };
        Statement {
            outline: slow.outline.clone(),
            count: slow.count,
            total_ms: ms(slow.total),
            p99_ms: ms(slow.p99),
            worst_ms: ms(slow.worst),
            plan: slow.plan.clone(),
            indexes: slow.indexes.iter().map(wanted).collect(),
        }
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join(STATE_FOLDER).join(FILE)
}

/// What the process that served a project last has written down, what cost most first.
///
/// # Errors
/// That the file is there and cannot be read.
pub fn read(project: &Project) -> anyhow::Result<Vec<Statement>> {
    let file = file(&project.folder);
    match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is damaged; remove it", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Writes down what is slow, until this is dropped.
pub(crate) struct Recording {
    engine: Arc<Engine>,
    project: Project,
    task: tokio::task::JoinHandle<()>,
}

impl Recording {
    /// Begins. Must be called on a runtime.
    pub(crate) fn start(project: &Project, engine: &Arc<Engine>) -> Recording {
        let (own, of) = (project.clone(), engine.clone());
        let task = tokio::spawn(async move {
            let mut last = 0;
            loop {
                tokio::time::sleep(WRITTEN_EVERY).await;
                let count = of.slow_statements().iter().map(|one| one.count).sum();
                if count != last {
                    last = count;
                    write_or_warn(&own, &of);
                }
            }
        });
        Recording { engine: engine.clone(), project: project.clone(), task }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.task.abort();
        if !self.engine.slow_statements().is_empty() {
            write_or_warn(&self.project, &self.engine);
        }
    }
}

fn write_or_warn(project: &Project, engine: &Engine) {
    if let Err(error) = write(project, engine) {
        tracing::warn!("slow statements are not written down: {error:#}");
    }
}

/// The file appears whole, or stays as it was.
fn write(project: &Project, engine: &Engine) -> anyhow::Result<()> {
    let statements: Vec<Statement> = engine.slow_statements().iter().map(Statement::from).collect();
    let folder = project.state_folder()?;
    let part = folder.join(format!("{FILE}.{}.part", std::process::id()));
    fs::write(&part, serde_json::to_vec_pretty(&statements)?)?;
    fs::rename(&part, folder.join(FILE))?;
    Ok(())
}
