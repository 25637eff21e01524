//! A project over a database that another program made: settings that name it, and a schema file in which every table is
//! named and nothing is said yet.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use mainstay_schema::{Schema, Table};
use mainstay_stores::sqlite::found;
use serde_json::json;
use toml_edit::Key;

use super::{NewFile, slug};
use crate::cli::Failure;
use crate::config::{self, Environment, Override, Server, StoreUrl};
use crate::project::{self, QUERIES_FOLDER, SCHEMA_FOLDER, SETTINGS_FILE};

/// Where a project takes the URL of a server from.
const FROM_ENVIRONMENT: &str = "env:DATABASE_URL";

/// A database, and what is in it.
pub(super) struct Found {
    url: String,
    schema: Schema,
}

impl Found {
    /// Reads the tables of a file or of a server; its URL is as the project in `folder` needs it.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is no such database, or it cannot be served.
    pub(super) fn look_at(from: &str, folder: &Path) -> Result<Found, Failure> {
        match from.split_once("://").and_then(|(scheme, _)| Server::of_scheme(scheme)) {
            Some(server) => Found::on_server(server, from),
            None => Found::in_file(Path::new(from), folder),
        }
    }

    /// The URL may hold a password, so it is written nowhere.
    fn on_server(server: Server, url: &str) -> Result<Found, Failure> {
        let url = Override::new("stores.main", "url", url).expect("the setting exists");
        let settings = config::load(Path::new("."), "", &Environment::default(), &[url]).map_err(Failure::Mistakes)?;
        let schema = project::find_on_server(&settings.store).map_err(|error| {
            let place = settings.store.url.place(Path::new("."));
            Failure::Usage(format!("{place}: this is no {} database that can be read ({error:#})", server.name()))
        })?;
        Ok(Found { url: FROM_ENVIRONMENT.to_owned(), schema })
    }

    fn in_file(file: &Path, folder: &Path) -> Result<Found, Failure> {
        let told = |problem: &str| Failure::Usage(format!("{}: {problem}", file.display()));
        if !file.is_file() {
            return Err(told("there is no such file"));
        }
        let schema = found::load(file).map_err(|error| {
            let error = anyhow::Error::from(error);
            told(&format!("this is no SQLite database that can be read ({error:#})"))
        })?;
        let path = file.canonicalize().with_context(|| format!("cannot find {}", file.display()))?;
        // A file of the project moves with it; any other stays where it is.
        let inside = folder.canonicalize().ok().and_then(|folder| path.strip_prefix(folder).ok());
        let path = inside.unwrap_or(&path).to_str().ok_or_else(|| told("the path is not UTF-8"))?;
        let url = format!("sqlite:{path}");
        StoreUrl::parse(&url).map_err(|problem| told(&format!("its URL {problem}")))?;
        Ok(Found { url, schema })
    }

    /// The files of the project.
    pub(super) fn files(&self, name: &str) -> Vec<NewFile> {
        let quoted = |text: &str| toml_edit::Value::from(text).to_string().trim().to_owned();
        let settings =
            include_str!("found.toml").replace("\"NAME\"", &quoted(name)).replace("\"URL\"", &quoted(&self.url));
        let file = |path: String, text: String| NewFile { path, text };
        vec![
            file(SETTINGS_FILE.to_owned(), settings),
            file(format!("{SCHEMA_FOLDER}/{}.toml", slug(name)), self.tables()),
            file(format!("{QUERIES_FOLDER}/.gitkeep"), String::new()),
        ]
    }

    /// Every table as a remark, so that its name need only be uncovered. What is said outright of a table stops the start
    /// once the other program has removed it.
    fn tables(&self) -> String {
        let mut text = include_str!("found_tables.toml").to_owned();
        for table in self.served() {
            let what = if table.is_writable() { "" } else { " # a view, or a table that is only read" };
            // Writing to a String cannot fail.
            let _ = write!(text, "\n# [{}.access]{what}\n# read = true\n", Key::new(&*table.name));
        }
        text
    }

    /// How much there is, for people.
    pub(super) fn words(&self) -> String {
        let (tables, views) = self.numbers();
        let mut words = format!("\nFound {tables} tables and {views} views.");
        if let left @ 1.. = self.left_out() {
            let _ = write!(words, " Not served: {left}; `mainstay doctor` says what and why.");
        }
        if self.url == FROM_ENVIRONMENT {
            words += " Its URL may hold a password and was not written down: set DATABASE_URL.";
        }
        words + " Only the secret key may use them until access says otherwise."
    }

    /// How much there is, for programs.
    pub(super) fn counts(&self) -> serde_json::Value {
        let (tables, views) = self.numbers();
        json!({ "url": self.url, "tables": tables, "views": views, "left_out": self.left_out() })
    }

    fn numbers(&self) -> (usize, usize) {
        let tables = self.served().filter(|table| !project::is_view(&self.schema, table)).count();
        (tables, self.served().count() - tables)
    }

    fn left_out(&self) -> usize {
        self.schema.found().map_or(0, |found| found.left_out.len())
    }

    fn served(&self) -> impl Iterator<Item = &Table> {
        self.schema.tables().iter().filter(|table| !table.internal)
    }
}
