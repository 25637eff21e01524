//! The functions of a project: `queries/*.sql`.

use std::path::Path;

use mainstay_schema::load::load_functions;
use mainstay_schema::{Mistake, Schema};
use mainstay_stores::SqliteProbe;

use super::{QUERIES_FOLDER, source_files};

/// The schema with the functions of the project in `folder`, over the tables of the schema, or those of `database` where
/// they were found there.
///
/// # Errors
/// Every mistake of every file.
pub(crate) fn add(folder: &Path, database: &Path, schema: Schema) -> Result<Schema, Vec<Mistake>> {
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
