//! The functions of a project: `queries/*.sql`.

use std::path::Path;

use mainstay_schema::load::load_functions;
use mainstay_schema::{Mistake, Schema};
use mainstay_stores::SqliteProbe;

use super::{QUERIES_FOLDER, source_files};

/// The schema with the functions of the project in `folder`, over the tables of the schema, or those of the file
/// `database` where they were found there. Without a file there are none: no server runs them yet.
///
/// # Errors
/// Every mistake of every file.
pub(crate) fn add(folder: &Path, database: Option<&Path>, schema: Schema) -> Result<Schema, Vec<Mistake>> {
    let Some(database) = database else { return Ok(schema) };
    let files = source_files(folder, QUERIES_FOLDER, "sql")?;
    if files.is_empty() {
        return Ok(schema);
    }
    let probe = match schema.found() {
        Some(_) => SqliteProbe::over(database, &schema),
        None => SqliteProbe::new(&schema),
    };
    let probe = probe.map_err(|error| {
        let problem = format!("the functions cannot be looked at, because the tables cannot be: {error}");
        let remedy = "mend the view or condition in schema/ that it names, or name another database".to_owned();
        vec![Mistake { file: QUERIES_FOLDER.into(), line: 1, column: 1, problem, remedy }]
    })?;
    load_functions(schema, &files, &probe)
}

/// The names of the functions of the project in `folder`.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let files = source_files(folder, QUERIES_FOLDER, "sql").unwrap_or_default();
    let stems = files.iter().filter_map(|file| file.path.file_stem());
    stems.map(|stem| stem.to_string_lossy().into_owned()).collect()
}
