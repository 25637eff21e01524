//! `mainstay doctor [DIR]`: looks for what is wrong with a project, and says how to mend each thing.

mod database;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde::Serialize;

use super::{Console, Failure, Folder, Globals};
use crate::backup::{self, Schedule};
use crate::config::Database;
use crate::project::{self, Project, STATE_FOLDER};

/// Arguments of `mainstay doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay doctor shop --json")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
}

/// What was looked at, and what was found.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at.
    what: &'static str,
    state: State,
    /// What was found.
    found: String,
    /// How to mend it; empty when there is nothing to mend.
    #[serde(skip_serializing_if = "String::is_empty")]
    remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// Works, but somebody should look at it.
    Warn,
    /// Does not work.
    Fail,
}

impl Finding {
    fn ok(what: &'static str, found: impl Into<String>) -> Finding {
        Finding { what, state: State::Ok, found: found.into(), remedy: String::new() }
    }

    fn warn(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { what, state: State::Warn, found: found.into(), remedy: remedy.into() }
    }

    fn fail(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { what, state: State::Fail, found: found.into(), remedy: remedy.into() }
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    // Mistakes in the files stop every command in the same way, this one too: nothing else can be looked at.
    let project = globals.open(&args.folder.folder)?;
    let findings = examine(&project);
    report(&findings, &globals.console());
    let has_failed = findings.iter().any(|finding| finding.state == State::Fail);
    if has_failed { Err(Failure::Negative) } else { Ok(()) }
}

fn examine(project: &Project) -> Vec<Finding> {
    let mut findings = vec![files(project), secrets(project), version_control(project)];
    findings.extend(project.database_file().map(|file| disk(project, &file)));
    findings.push(port(project));
    findings.extend(functions(project));
    let parts = project.parts();
    for part in &parts {
        let found = database::examine(part);
        // One of several stores is told by its name.
        let name = |finding: Finding| match parts.len() {
            1 => finding,
            _ => Finding { found: format!("{}: {}", part.store_name(), finding.found), ..finding },
        };
        findings.extend(found.into_iter().map(name));
    }
    findings.push(backups(project));
    findings
}

fn report(findings: &[Finding], console: &Console) {
    if console.json {
        console.value(&findings);
        return;
    }
    for Finding { what, state, found, remedy } in findings {
        let word = match state {
            State::Ok => "ok  ",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        let separator = if remedy.is_empty() { "" } else { "; " };
        console.line(format!("{word}  {what}: {found}{separator}{remedy}"));
    }
}

fn files(project: &Project) -> Finding {
    let tables = project.schema.tables().iter().filter(|table| !table.internal);
    let (tables, views): (Vec<_>, Vec<_>) = tables.partition(|table| !project::is_view(&project.schema, table));
    let found = format!("no mistakes; {} tables, {} views", tables.len(), views.len());
    if tables.is_empty() && views.is_empty() {
        return Finding::warn("files", "there is no table", "declare one in schema/tables.toml");
    }
    Finding::ok("files", found)
}

fn secrets(project: &Project) -> Finding {
    let file = project::secrets_file(&project.folder);
    let Ok(metadata) = fs::metadata(&file) else {
        return Finding::ok("secrets", "not there yet; the first start makes them");
    };
    match is_private(&metadata) {
        true => Finding::ok("secrets", "readable by their owner only"),
        false => Finding::fail("secrets", "others can read them", format!("chmod 600 '{}'", file.display())),
    }
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

/// Whether git would take the state folder, and the keys in it, along.
fn version_control(project: &Project) -> Finding {
    let folder = project.folder.canonicalize().unwrap_or_else(|_| project.folder.clone());
    let Some(root) = folder.ancestors().find(|folder| folder.join(".git").exists()) else {
        return Finding::ok("version control", "none");
    };
    let between = folder.ancestors().take_while(|folder| folder.starts_with(root));
    match between.into_iter().any(ignores_state) {
        true => Finding::ok("version control", format!("{STATE_FOLDER} is left out")),
        false => Finding::fail(
            "version control",
            format!("nothing keeps {STATE_FOLDER}, which holds the keys, out of it"),
            format!("add the line /{STATE_FOLDER}/ to .gitignore"),
        ),
    }
}

fn ignores_state(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
    text.lines().any(|line| {
        let pattern = line.trim().trim_start_matches("**").trim_matches('/');
        pattern == STATE_FOLDER
    })
}

/// Whether the database can grow: tried with a file beside it, since permissions alone do not tell.
fn disk(project: &Project, file: &Path) -> Finding {
    let folder = file.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(&project.folder);
    let probe = folder.join(format!(".mainstay-probe-{}", std::process::id()));
    let written = fs::write(&probe, [0; 4096]);
    let _ = fs::remove_file(&probe);
    match written {
        Ok(()) => Finding::ok("disk", format!("{} can be written", folder.display())),
        Err(error) => Finding::fail(
            "disk",
            format!("{} cannot be written ({error})", folder.display()),
            "make room, or give this user the right to write there",
        ),
    }
}

/// Functions that the server has to look at.
fn functions(project: &Project) -> Option<Finding> {
    let count = project.waiting.len();
    (count > 0).then(|| match project.clone().with_functions() {
        Ok(_) => Finding::ok("functions", format!("{count} fit the tables")),
        Err(mistakes) => {
            let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
            let found = format!("{} mistakes, such as {first}", mistakes.len());
            Finding::fail("functions", found, "mend them, or bring the tables to the schema if they wait for that")
        }
    })
}

/// Whether backups are made by themselves, and when the last one was.
fn backups(project: &Project) -> Finding {
    if let Database::Server(server) = project.database() {
        let tools = format!("left to the server's own tools, such as {}", server.backup_program());
        return Finding::ok("backups", tools);
    }
    let Some(schedule) = Schedule::of(project) else {
        return Finding::ok("backups", "none are scheduled; set backup.at or backup.every, or run `mainstay backup`");
    };
    let folder = schedule.folder().display().to_string();
    match backup::newest(&schedule) {
        None => Finding::warn("backups", format!("none in {folder} yet"), "the next `mainstay serve` makes the first"),
        Some((file, made_at, false)) => Finding::ok("backups", format!("the last is {} of {made_at}", file.display())),
        Some((file, made_at, true)) => Finding::warn(
            "backups",
            format!("the last is {} of {made_at}, and another is due", file.display()),
            "see that `mainstay serve` runs, and its log for why it could not make one",
        ),
    }
}

fn port(project: &Project) -> Finding {
    let server = &project.settings.server;
    let address = format!("{}:{}", server.host, server.port);
    match TcpListener::bind((server.host.as_str(), server.port)) {
        Ok(_) => Finding::ok("port", format!("{address} is free")),
        Err(error) => Finding::warn(
            "port",
            format!("cannot listen on {address} ({error})"),
            "fine if this project is being served there; else set server.port to another",
        ),
    }
}
