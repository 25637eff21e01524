//! The files of `migrations/`.

use std::fs;
use std::path::Path;

use mainstay_schema::load::{StorePart, load_stores};
use mainstay_schema::{MAIN, Schema};

use super::error::MigrationError;

/// A migration that lies in `migrations/`.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationFile {
    /// Name without ending: `20261123T101500_add_reviews`. Names sort by time.
    pub name: String,
    /// The whole text of the file, comments and statements.
    pub sql: String,
    /// The schema that holds afterwards.
    pub schema: Schema,
}

/// Reads the folder; one that does not exist holds nothing.
pub(super) fn read(folder: &Path) -> Result<Vec<MigrationFile>, MigrationError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(MigrationError::file(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(MigrationError::file(folder))?.path();
        let (Some(stem), Some(ending)) = (path.file_stem(), path.extension()) else { continue };
        let stem = stem.to_string_lossy().into_owned();
        if stem.starts_with('.') {
            continue;
        }
        let other = match ending.to_str() {
            Some("sql") => path.with_extension("json"),
            Some("json") => path.with_extension("sql"),
            _ => continue,
        };
        if !other.exists() {
            return Err(MigrationError::Half { path: other });
        }
        if ending == "sql" {
            names.push(stem);
        }
    }
    names.sort();
    names.into_iter().map(|name| read_one(folder, name)).collect()
}

fn read_one(folder: &Path, name: String) -> Result<MigrationFile, MigrationError> {
    let text = |ending: &str| {
        let path = folder.join(format!("{name}.{ending}"));
        fs::read_to_string(&path).map_err(MigrationError::file(path))
    };
    let (sql, record) = (text("sql")?, text("json")?);
    let schema = Schema::from_json(&record);
    let place = || folder.join(format!("{name}.json")).display().to_string();
    let schema = schema.map_err(|error| MigrationError::Record { place: place(), error })?;
    Ok(MigrationFile { name, sql, schema })
}

/// Writes both files of a migration. The statements come last: a migration without them is noticed as half.
pub(super) fn write(folder: &Path, file: &MigrationFile) -> Result<(), MigrationError> {
    fs::create_dir_all(folder).map_err(MigrationError::file(folder))?;
    for (ending, text) in [("json", file.schema.to_json() + "\n"), ("sql", file.sql.clone())] {
        let path = folder.join(format!("{}.{ending}", file.name));
        fs::write(&path, text).map_err(MigrationError::file(path))?;
    }
    Ok(())
}

/// The schema of the database of a store in which nothing was made yet.
pub(crate) fn nothing(store: &str) -> Schema {
    let name = (store != MAIN).then_some(store);
    let schema = load_stores(&[], &[StorePart { name, found: None }]);
    schema.expect("no files hold no mistakes").only(name)
}
