//! A project folder: its settings, its schema, its secrets, and where everything else in it lies.
//!
//! Reads files and nothing more: it opens no database and no socket. Every command but `init` and `completions` starts
//! with [`Project::open`].

mod found;
mod functions;
pub(crate) mod place;
mod secrets;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mainstay_schema::load::SourceFile;
use mainstay_schema::model::Texts;
use mainstay_schema::{MAIN, Mistake, Schema, Table};

use crate::config::{self, AccessSettings, Database, Environment, Override, Server, Settings, StoreSettings};

pub use found::found_schema;
pub(crate) use found::{find_on_server, is_view, of_stores};
pub(crate) use functions::add as add_functions;
pub use secrets::Secrets;
pub(crate) use secrets::file as secrets_file;
pub use watch::Watch;

/// Name of the settings file.
pub const SETTINGS_FILE: &str = "mainstay.toml";
/// Folder of the schema files.
pub const SCHEMA_FOLDER: &str = "schema";
/// Folder of the functions.
pub const QUERIES_FOLDER: &str = "queries";
/// Folder of the migrations.
pub const MIGRATIONS_FOLDER: &str = "migrations";
/// Folder of the first rows.
pub const SEED_FOLDER: &str = "seed";
/// Folder of what the program keeps for itself; never in version control.
pub const STATE_FOLDER: &str = ".mainstay";

/// A project that was read without a mistake.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder.
    pub folder: PathBuf,
    /// Every setting, with the value that counts.
    pub settings: Settings,
    /// The tables and functions, as the files of `schema/` and `queries/` declare them.
    pub schema: Arc<Schema>,
    /// The store that this is about; `None` where it is about all of them.
    pub part: Option<String>,
    /// Files of functions that are not among them yet, because a server has to look at them once it has the tables; see
    /// [`Project::with_functions`].
    pub waiting: Vec<SourceFile>,
}

impl Project {
    /// Reads the project in `folder`; `overrides` go before every other source of settings.
    ///
    /// # Errors
    /// Every mistake of the settings and of the schema.
    pub fn open(folder: &Path, overrides: &[Override]) -> Result<Project, Vec<Mistake>> {
        Project::open_as(folder, overrides, true)
    }

    /// As [`Project::open`], but without the schema: for whoever works on a database that may be damaged or gone.
    ///
    /// # Errors
    /// Every mistake of the settings.
    pub fn open_without_schema(folder: &Path, overrides: &[Override]) -> Result<Project, Vec<Mistake>> {
        Project::open_as(folder, overrides, false)
    }

    fn open_as(folder: &Path, overrides: &[Override], with_schema: bool) -> Result<Project, Vec<Mistake>> {
        let environment = Environment::of_process(folder);
        let (text, more) = match (read_settings_file(folder), &environment) {
            (Ok(text), _) => (text, Vec::new()),
            // A database is enough of a project: what is in it is served.
            (Err(_), Ok(environment)) if found::is_database_enough(folder, environment, overrides) => {
                (String::new(), found::overrides())
            }
            (Err(mistakes), _) => return Err(mistakes),
        };
        let overrides = [more.as_slice(), overrides].concat();
        let settings = environment.and_then(|environment| config::load(folder, &text, &environment, &overrides));
        let settings = settings.and_then(found::check_access).and_then(found::check_rules).and_then(check_backup);
        let schema = match &settings {
            _ if !with_schema => Ok(Schema::default()),
            Err(_) if config::names_stores(&text, &overrides) => Ok(Schema::default()),
            Ok(settings) if !settings.stores.is_empty() => found::schema_of_stores(folder, settings),
            Ok(settings) if settings.store.introspect => found_schema(folder, settings),
            _ => read_schema(folder),
        };
        let schema = match &settings {
            Ok(settings) => schema.and_then(|schema| check_object_ids(settings, schema)),
            Err(_) => schema,
        };
        // What a server knows of tables that are only declared, it knows once they are made.
        let waits = |settings: &Settings| !settings.store.introspect && settings.store.url.file(folder).is_none();
        let (schema, waiting) = match &settings {
            Ok(settings) if with_schema && waits(settings) => match functions::files(folder) {
                Ok(files) => (schema, files),
                Err(mistakes) => (schema.and(Err(mistakes)), Vec::new()),
            },
            Ok(settings) if with_schema => {
                (schema.and_then(|schema| functions::add(folder, &settings.store, schema)), Vec::new())
            }
            _ => (schema, Vec::new()),
        };
        match (settings, schema) {
            (Ok(settings), Ok(schema)) => {
                Ok(Project { folder: folder.to_owned(), settings, schema: Arc::new(schema), part: None, waiting })
            }
            (settings, schema) => {
                let mistakes = settings.err().into_iter().chain(schema.err());
                Err(mistakes.flatten().collect())
            }
        }
    }

    /// The project as each of its stores sees it, `main` first: the settings of that store, and its tables alone. Where
    /// there is one store, that is the project itself.
    pub fn parts(&self) -> Vec<Project> {
        if self.settings.stores.is_empty() {
            return vec![self.clone()];
        }
        let part = |(name, store, access): (&str, &StoreSettings, &AccessSettings)| {
            let settings =
                Settings { store: store.clone(), access: access.clone(), stores: Vec::new(), ..self.settings.clone() };
            let is_main = name == MAIN;
            Project {
                folder: self.folder.clone(),
                settings,
                schema: Arc::new(self.schema.only((!is_main).then_some(name))),
                part: Some(name.to_owned()),
                waiting: Vec::new(),
            }
        };
        self.settings.all_stores().map(part).collect()
    }

    /// Name of the store that this is about.
    pub fn store_name(&self) -> &str {
        self.part.as_deref().unwrap_or(MAIN)
    }

    /// The same where the project has several, else nothing.
    pub fn part(&self) -> Option<&str> {
        self.part.as_deref()
    }

    /// Name of the project, for people.
    pub fn name(&self) -> String {
        self.settings.project.name.clone().unwrap_or_else(|| folder_name(&self.folder))
    }

    /// The engine of the database.
    pub fn database(&self) -> Database {
        self.settings.store.url.database()
    }

    /// The file of the database, where it is a file.
    pub fn database_file(&self) -> Option<PathBuf> {
        self.settings.store.url.file(&self.folder)
    }

    /// Where the database is, for people: nothing secret is told.
    pub fn database_place(&self) -> String {
        self.settings.store.url.place(&self.folder)
    }

    /// The same with the functions that wait for the tables, which the server must have by now. Without such functions
    /// nobody is asked.
    ///
    /// # Errors
    /// Every mistake of every file.
    pub fn with_functions(self) -> Result<Project, Vec<Mistake>> {
        if self.waiting.is_empty() {
            return Ok(self);
        }
        let schema = (*self.schema).clone();
        let schema = functions::add_files(&self.folder, &self.settings.store, &self.waiting, schema)?;
        Ok(Project { schema: Arc::new(schema), waiting: Vec::new(), ..self })
    }

    /// The folder of the migrations, as messages name it.
    pub fn migrations_name(&self) -> String {
        if self.store_name() == MAIN {
            MIGRATIONS_FOLDER.to_owned()
        } else {
            format!("{MIGRATIONS_FOLDER}/{}", self.store_name())
        }
    }

    /// Where migrations lie; it may not exist. Those of a store besides `main` have a folder of its name in it.
    pub fn migrations_folder(&self) -> PathBuf {
        self.folder.join(self.migrations_name())
    }

    /// Where the first rows lie; it may not exist.
    pub fn seed_folder(&self) -> PathBuf {
        self.folder.join(SEED_FOLDER)
    }

    /// Where the program keeps what is its own. Made when it does not exist, readable by nobody else.
    ///
    /// # Errors
    /// That it cannot be made.
    pub fn state_folder(&self) -> std::io::Result<PathBuf> {
        let folder = self.folder.join(STATE_FOLDER);
        make_private_folder(&folder)?;
        Ok(folder)
    }

    /// The keys: those of the settings, and for the rest those of `.mainstay/secrets.toml`, made when they are missing.
    ///
    /// # Errors
    /// That the file cannot be read or written.
    pub fn secrets(&self) -> anyhow::Result<Secrets> {
        secrets::load(self)
    }
}

/// Refuses object ids in tables of stores that have none.
fn check_object_ids(settings: &Settings, schema: Schema) -> Result<Schema, Vec<Mistake>> {
    let mongo = Database::Server(Server::Mongo);
    let has_none = |table: &Table| {
        let store = settings.all_stores().find(|(name, ..)| *name == table.store_name());
        store.is_some_and(|(_, store, _)| store.url.database() != mongo)
    };
    let strange = schema.tables().iter().filter(|table| has_none(table)).flat_map(|table| {
        let columns = table.columns.iter().filter(|column| column.texts == Texts::ObjectIds);
        columns.map(move |column| Mistake {
            file: SCHEMA_FOLDER.into(),
            line: 1,
            column: 1,
            problem: format!("`{}.{}` is objectid, and its store is no MongoDB", table.name, column.name),
            remedy: "make it text: a reference to an object id is a text of 24 digits".to_owned(),
        })
    });
    let mistakes: Vec<Mistake> = strange.collect();
    if mistakes.is_empty() { Ok(schema) } else { Err(mistakes) }
}

/// Refuses backups that nobody would make.
fn check_backup(settings: Settings) -> Result<Settings, Vec<Mistake>> {
    let is_asked = !settings.backup.every.is_zero() || settings.backup.at.seconds.is_some();
    let Database::Server(server) = settings.store.url.database() else { return Ok(settings) };
    if !is_asked {
        return Ok(settings);
    }
    Err(vec![Mistake {
        file: SETTINGS_FILE.into(),
        line: 1,
        column: 1,
        problem: format!("[backup] is for SQLite, and the database is {}", server.name()),
        remedy: format!(
            "take the section out, and have the server's own tools make backups, such as {}",
            server.backup_program()
        ),
    }])
}

/// Reads the schema files of the project in `folder`.
///
/// # Errors
/// Every mistake of every file.
pub fn read_schema(folder: &Path) -> Result<Schema, Vec<Mistake>> {
    mainstay_schema::load::load(&schema_files(folder)?)
}

/// The name of a folder, for people.
pub(crate) fn folder_name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map_or_else(|| "mainstay".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn read_settings_file(folder: &Path) -> Result<String, Vec<Mistake>> {
    let path = folder.join(SETTINGS_FILE);
    fs::read_to_string(&path).map_err(|error| {
        let (problem, remedy) = match error.kind() {
            std::io::ErrorKind::NotFound => (
                format!("there is no project in {}", folder.display()),
                "name the folder of a project, or make one with `mainstay init DIR`".to_owned(),
            ),
            _ => (format!("the file cannot be read ({error})"), "make it a readable text file".to_owned()),
        };
        vec![Mistake { file: path, line: 1, column: 1, problem, remedy }]
    })
}

/// The schema files.
pub(crate) fn schema_files(folder: &Path) -> Result<Vec<SourceFile>, Vec<Mistake>> {
    source_files(folder, SCHEMA_FOLDER, "toml")
}

/// The files of a folder of the project in the order of their names, so that tables have the same order on every
/// machine.
fn source_files(project: &Path, folder: &str, ending: &str) -> Result<Vec<SourceFile>, Vec<Mistake>> {
    let told = |path: PathBuf, error: std::io::Error| Mistake {
        file: path,
        line: 1,
        column: 1,
        problem: format!("this cannot be read ({error})"),
        remedy: "make it readable, as UTF-8 text".to_owned(),
    };
    let entries = match fs::read_dir(project.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(vec![told(folder.into(), error)]),
    };
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == ending));
    names.sort();
    let mut mistakes = Vec::new();
    let mut files = Vec::new();
    for name in names {
        let path = Path::new(folder).join(name);
        match fs::read_to_string(project.join(&path)) {
            Ok(text) => files.push(SourceFile { path, text }),
            Err(error) => mistakes.push(told(path, error)),
        }
    }
    if mistakes.is_empty() { Ok(files) } else { Err(mistakes) }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}
