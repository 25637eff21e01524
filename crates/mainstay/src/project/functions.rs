//! The functions of a project: `queries/*.sql`.

use std::cell::RefCell;
use std::path::Path;

use mainstay_schema::load::{Lexis, Probe, Probed, Refused, SourceFile, Statement, load_functions};
use mainstay_schema::{Mistake, Schema};
use mainstay_stores::SqliteProbe;

use super::{QUERIES_FOLDER, source_files};
use crate::config::{Database, Server, StoreSettings};
use crate::server;

/// The files of the functions of the project in `folder`.
///
/// # Errors
/// That one cannot be read.
pub(super) fn files(folder: &Path) -> Result<Vec<SourceFile>, Vec<Mistake>> {
    source_files(folder, QUERIES_FOLDER, "sql")
}

/// The schema with the functions of the project in `folder`, over the tables of the schema, or those of the database
/// where they were found there.
///
/// # Errors
/// Every mistake of every file.
pub(crate) fn add(folder: &Path, settings: &StoreSettings, schema: Schema) -> Result<Schema, Vec<Mistake>> {
    add_files(folder, settings, &files(folder)?, schema)
}

/// The same with files that were read already. A server is asked about the tables that it has.
///
/// # Errors
/// Every mistake of every file.
pub(super) fn add_files(
    folder: &Path,
    settings: &StoreSettings,
    files: &[SourceFile],
    schema: Schema,
) -> Result<Schema, Vec<Mistake>> {
    if files.is_empty() {
        return Ok(schema);
    }
    // Functions are of the store `main`, and see no tables but its own.
    let own = schema.has_stores().then(|| schema.only(None));
    match settings.url.file(folder) {
        Some(file) => add_on_sqlite(&file, files, schema, own.as_ref()),
        None => add_on_server(settings, files, schema, own.as_ref()),
    }
}

fn add_on_sqlite(
    database: &Path,
    files: &[SourceFile],
    schema: Schema,
    own: Option<&Schema>,
) -> Result<Schema, Vec<Mistake>> {
    let seen = own.unwrap_or(&schema);
    let probe = match seen.found() {
        Some(_) => SqliteProbe::over(database, seen),
        None => SqliteProbe::new(seen),
    };
    let probe = probe.map_err(|error| {
        let remedy = "mend the view or condition in schema/ that it names, or name another database";
        unseen(&error.to_string(), remedy)
    })?;
    load_functions(schema, files, &probe)
}

fn add_on_server(
    settings: &StoreSettings,
    files: &[SourceFile],
    schema: Schema,
    own: Option<&Schema>,
) -> Result<Schema, Vec<Mistake>> {
    let seen = own.unwrap_or(&schema);
    let lexis = match settings.url.database() {
        Database::Server(Server::Mysql) => Lexis::Mysql,
        _ => Lexis::Postgres,
    };
    // Files are read twice: first to learn what the server has to be asked, all of it at once.
    let asked = Asking { lexis, statements: RefCell::default() };
    let _ = load_functions(schema.clone(), files, &asked);
    let statements = asked.statements.into_inner();
    let look = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(server::probe(settings, seen, &statements))?)
    };
    // Called on a runtime and beside one, so the look has a thread and a runtime of its own.
    let looked: anyhow::Result<_> = std::thread::scope(|scope| scope.spawn(look).join())
        .unwrap_or_else(|_| Err(anyhow::anyhow!("the look at them panicked")));
    let answers = looked.map_err(|error| {
        unseen(&format!("{error:#}"), "see that the server runs, and that this user may connect to the database")
    })?;
    let answers = statements.into_iter().zip(answers).collect();
    load_functions(schema, files, &Answered { lexis, answers })
}

/// That nobody can be asked about functions.
fn unseen(why: &str, remedy: &str) -> Vec<Mistake> {
    let problem = format!("the functions cannot be looked at, because the tables cannot be: {why}");
    vec![Mistake { file: QUERIES_FOLDER.into(), line: 1, column: 1, problem, remedy: remedy.to_owned() }]
}

/// Notes the statements that somebody has to be asked about.
struct Asking {
    lexis: Lexis,
    statements: RefCell<Vec<Statement>>,
}

impl Probe for Asking {
    fn probe(&self, statement: &Statement) -> Result<Option<Probed>, Refused> {
        self.statements.borrow_mut().push(statement.clone());
        Ok(None)
    }

    fn lexis(&self) -> Lexis {
        self.lexis
    }
}

/// Knows the answers. Functions of one name may have the same text and differ in the types of their parameters.
struct Answered {
    lexis: Lexis,
    answers: Vec<(Statement, Result<Probed, Refused>)>,
}

impl Probe for Answered {
    fn probe(&self, statement: &Statement) -> Result<Option<Probed>, Refused> {
        let answer = self.answers.iter().find(|(asked, _)| asked == statement).map(|(_, answer)| answer.clone());
        match answer.transpose()? {
            // What a procedure gives is seen when it is called.
            Some(_) if statement.is_call => Ok(None),
            answer => Ok(answer),
        }
    }

    fn lexis(&self) -> Lexis {
        self.lexis
    }
}
