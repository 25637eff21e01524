//! Projects whose tables another program made: `introspect = true`, or nothing but a database.

use std::path::Path;
use std::time::{Duration, Instant};

use mainstay_schema::{Access, Mistake, Rule, Schema, Table};
use mainstay_stores::sqlite::found;

use super::{SETTINGS_FILE, schema_files};
use crate::config::{self, Environment, Override, Settings};
use crate::server;

/// Longest wait for the catalog of a server.
const LOOK_TIME_MAX: Duration = Duration::from_secs(120);

/// The settings of a project that is nothing but a database.
pub(super) fn overrides() -> Vec<Override> {
    vec![Override::new("stores.main", "introspect", "true").expect("the setting exists")]
}

/// Whether there is no project in `folder`, and the environment or the command line names a database: a server's, a file
/// that exists, or one that is said outright to be served as it is, which had better exist.
pub(super) fn is_database_enough(folder: &Path, environment: &Environment, given: &[Override]) -> bool {
    if folder.join(SETTINGS_FILE).exists() || folder.join(super::SCHEMA_FOLDER).exists() {
        return false;
    }
    let default = config::load(folder, "", &Environment::default(), &[]);
    let settings = config::load(folder, "", environment, given);
    // What is wrong with the settings is told, and not that there is no project.
    let (Ok(default), Ok(settings)) = (default, settings) else { return true };
    // Whether a server has the database, and tables in it, is for the first look to find out.
    let is_there = || settings.store.url.file(folder).is_none_or(|file| file.is_file());
    settings.store.url != default.store.url && (settings.store.introspect || is_there())
}

/// Refuses access settings that mean nothing because the tables are declared.
pub(super) fn check_access(settings: Settings) -> Result<Settings, Vec<Mistake>> {
    let Access { read, create, update, delete } = settings.access.rules();
    let rules = [read, create, update, delete, settings.access.call_rule()];
    if settings.store.introspect || rules.iter().all(|rule| *rule == Rule::Never) {
        return Ok(settings);
    }
    Err(vec![Mistake {
        file: SETTINGS_FILE.into(),
        line: 1,
        column: 1,
        problem: "[stores.main.access] is for tables that are found, and these are declared".to_owned(),
        remedy: "write access into the schema files, or set stores.main.introspect = true".to_owned(),
    }])
}

/// Refuses `rules = "database"` where no database has rules, or the tables are declared.
pub(super) fn check_rules(settings: Settings) -> Result<Settings, Vec<Mistake>> {
    let is_fine = settings.store.url.database() == config::Database::Server(config::Server::Postgres)
        && settings.store.introspect;
    if settings.store.rules != "database" || is_fine {
        return Ok(settings);
    }
    Err(vec![Mistake {
        file: SETTINGS_FILE.into(),
        line: 1,
        column: 1,
        problem: "stores.main.rules = \"database\" serves a PostgreSQL database as it is".to_owned(),
        remedy: "set stores.main.url to one and stores.main.introspect = true, or leave rules out".to_owned(),
    }])
}

/// The schema of the database of a project, with what its schema files say about the tables.
///
/// # Errors
/// That the database cannot be read, or every mistake of the files.
pub fn found_schema(folder: &Path, settings: &Settings) -> Result<Schema, Vec<Mistake>> {
    let place = settings.store.url.place(folder);
    let wrong = |problem: String, remedy: &str| {
        vec![Mistake { file: place.clone().into(), line: 1, column: 1, problem, remedy: remedy.to_owned() }]
    };
    let Some(file) = settings.store.url.file(folder) else {
        let found = find_on_server(settings).map_err(|error| {
            let problem = format!("the database cannot be read ({error:#})");
            wrong(problem, "see that the server runs, and that this user may connect to the database")
        })?;
        return laid_over(folder, settings, &found);
    };
    if !file.is_file() {
        let remedy = "name a database that exists in stores.main.url, or set stores.main.introspect = false";
        return Err(wrong("there is no such database, and introspect serves one that is there".to_owned(), remedy));
    }
    let found = found::load(&file).map_err(|error| {
        let problem = format!("the database cannot be read ({:#})", anyhow::Error::from(error));
        wrong(problem, "see that it is a SQLite database, and that this user may read it")
    })?;
    laid_over(folder, settings, &found)
}

/// The tables of a server's database.
///
/// Called on a runtime and beside one, so the look has a thread and a runtime of its own.
pub(crate) fn find_on_server(settings: &Settings) -> anyhow::Result<Schema> {
    let look = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = server::store(&settings.store)?;
            let found = store.find(Instant::now() + LOOK_TIME_MAX).await;
            store.close().await;
            Ok(found?)
        })
    };
    std::thread::scope(|scope| scope.spawn(look).join()).map_err(|_| anyhow::anyhow!("the look at it panicked"))?
}

/// Whether a table has no rows of its own. Rows may be written through a view all the same.
pub(crate) fn is_view(schema: &Schema, table: &Table) -> bool {
    !table.is_writable() || schema.found().and_then(|found| found.table(table.id)).is_some_and(|about| about.is_view)
}

/// Found tables with what the schema files of a project say about them.
///
/// # Errors
/// Every mistake of the files.
pub(crate) fn laid_over(folder: &Path, settings: &Settings, found: &Schema) -> Result<Schema, Vec<Mistake>> {
    mainstay_schema::load::overlay(&schema_files(folder)?, found, &settings.access.rules(), settings.access.call_rule())
}
