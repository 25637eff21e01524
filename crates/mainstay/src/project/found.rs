//! Projects whose tables another program made: `introspect = true`, or nothing but a database.

use std::path::Path;
use std::time::{Duration, Instant};

use mainstay_schema::load::{FoundPart, StorePart, load_stores};
use mainstay_schema::{Access, MAIN, Mistake, Rule, Schema, Table};
use mainstay_stores::sqlite::found;

use super::{SETTINGS_FILE, schema_files};
use crate::config::{self, AccessSettings, Environment, Override, Settings, StoreSettings};
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
    let is_fine = |store: &StoreSettings, access: &AccessSettings| {
        let Access { read, create, update, delete } = access.rules();
        let rules = [read, create, update, delete, access.call_rule()];
        store.introspect || rules.iter().all(|rule| *rule == Rule::Never)
    };
    let mut strange: Vec<&str> = Vec::new();
    if !is_fine(&settings.store, &settings.access) {
        strange.push(MAIN);
    }
    strange.extend(settings.stores.iter().filter(|one| !is_fine(&one.store, &one.access)).map(|one| one.name.as_str()));
    let told = |name: &str| Mistake {
        file: SETTINGS_FILE.into(),
        line: 1,
        column: 1,
        problem: format!("[stores.{name}.access] is for tables that are found, and these are declared"),
        remedy: format!("write access into the schema files, or set stores.{name}.introspect = true"),
    };
    let mistakes: Vec<Mistake> = strange.into_iter().map(told).collect();
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

/// Refuses `rules = "database"` where no database has rules, or the tables are declared.
pub(super) fn check_rules(settings: Settings) -> Result<Settings, Vec<Mistake>> {
    let told = |problem: String, remedy: String| {
        Err(vec![Mistake { file: SETTINGS_FILE.into(), line: 1, column: 1, problem, remedy }])
    };
    if let Some(one) = settings.stores.iter().find(|one| one.store.rules == "database") {
        let problem = format!("stores.{}.rules = \"database\" is for the store {MAIN} alone", one.name);
        return told(problem, "leave it out: rules of the project decide in the others".to_owned());
    }
    let is_fine = settings.store.url.database() == config::Database::Server(config::Server::Postgres)
        && settings.store.introspect;
    if settings.store.rules != "database" {
        return Ok(settings);
    }
    match settings.stores.first() {
        Some(one) => told(
            format!(
                "stores.main.rules = \"database\" leaves everything to one database, and there is stores.{}",
                one.name
            ),
            "leave one of them out".to_owned(),
        ),
        None if is_fine => Ok(settings),
        None => told(
            "stores.main.rules = \"database\" serves a PostgreSQL database as it is".to_owned(),
            "set stores.main.url to one and stores.main.introspect = true, or leave rules out".to_owned(),
        ),
    }
}

/// The schema of the database of a project, with what its schema files say about the tables.
///
/// # Errors
/// That the database cannot be read, or every mistake of the files.
pub fn found_schema(folder: &Path, settings: &Settings) -> Result<Schema, Vec<Mistake>> {
    laid_over(folder, settings, &found_in(folder, MAIN, &settings.store)?)
}

/// The schema of a project of several stores: what its schema files declare, and what is found in those with
/// `introspect`.
///
/// # Errors
/// That a database cannot be read, or every mistake of the files.
pub(super) fn schema_of_stores(folder: &Path, settings: &Settings) -> Result<Schema, Vec<Mistake>> {
    let mut found = Vec::new();
    for (name, store) in settings.introspected() {
        found.push((name.to_owned(), found_in(folder, name, store)?));
    }
    of_stores(folder, settings, &found)
}

/// The same when what was found is known already; it is of the stores of these names.
///
/// # Errors
/// Every mistake of the files.
pub(crate) fn of_stores(
    folder: &Path,
    settings: &Settings,
    found: &[(String, Schema)],
) -> Result<Schema, Vec<Mistake>> {
    let rules: Vec<Access> = settings.all_stores().map(|(_, _, access)| access.rules()).collect();
    let parts = settings.all_stores().zip(&rules).map(|((name, store, access), rules)| {
        let own = found.iter().find(|(other, _)| *other == name).filter(|_| store.introspect);
        StorePart {
            name: (name != MAIN).then_some(name),
            found: own.map(|(_, schema)| FoundPart { schema, access: rules, call: access.call_rule() }),
        }
    });
    load_stores(&schema_files(folder)?, &parts.collect::<Vec<_>>())
}

/// The tables of a database that another program made.
fn found_in(folder: &Path, name: &str, settings: &StoreSettings) -> Result<Schema, Vec<Mistake>> {
    let place = settings.url.place(folder);
    let wrong = |problem: String, remedy: &str| {
        vec![Mistake { file: place.clone().into(), line: 1, column: 1, problem, remedy: remedy.to_owned() }]
    };
    let Some(file) = settings.url.file(folder) else {
        return find_on_server(settings).map_err(|error| {
            let problem = format!("the database cannot be read ({error:#})");
            wrong(problem, "see that the server runs, and that this user may connect to the database")
        });
    };
    if !file.is_file() {
        let remedy =
            format!("name a database that exists in stores.{name}.url, or set stores.{name}.introspect = false");
        return Err(wrong("there is no such database, and introspect serves one that is there".to_owned(), &remedy));
    }
    found::load(&file).map_err(|error| {
        let problem = format!("the database cannot be read ({:#})", anyhow::Error::from(error));
        wrong(problem, "see that it is a SQLite database, and that this user may read it")
    })
}

/// The tables of a server's database.
///
/// Called on a runtime and beside one, so the look has a thread and a runtime of its own.
pub(crate) fn find_on_server(settings: &StoreSettings) -> anyhow::Result<Schema> {
    // As those who serve them will compute them, which says of what type a column of a view is.
    let settings = &StoreSettings { introspect: true, ..settings.clone() };
    let look = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = server::store(settings)?;
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
fn laid_over(folder: &Path, settings: &Settings, found: &Schema) -> Result<Schema, Vec<Mistake>> {
    mainstay_schema::load::overlay(&schema_files(folder)?, found, &settings.access.rules(), settings.access.call_rule())
}
