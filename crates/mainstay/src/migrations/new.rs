//! Writing a migration file from what the schema says beyond the last one.

use std::path::PathBuf;

use mainstay_engine::{Clock, SystemClock};
use mainstay_schema::Schema;
use serde::Serialize;

use super::error::MigrationError;
use super::files::{self, MigrationFile};
use super::{MigrationPlan, is_same, plan};
use crate::config::{Database, StoreSettings};
use crate::project::Project;
use crate::server;

/// Characters of a name that is made from what a migration does.
const NAME_CHARS_MAX: usize = 48;

/// A migration that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// The file with its statements.
    pub file: PathBuf,
    /// What it does, in words.
    pub steps: Vec<String>,
    /// What it destroys, in words.
    pub losses: Vec<String>,
}

/// Writes a migration from the tables after the last file to those of `schema/`. It was proven before: carried out on
/// the old tables it gives the new ones.
///
/// # Errors
/// [`MigrationError`]; then nothing is written.
pub async fn write_new(project: &Project, name: Option<&str>) -> Result<Written, MigrationError> {
    let folder = project.migrations_folder();
    let files = files::read(&folder)?;
    let nothing = files::nothing(project.store_name());
    let before = files.last().map_or(&nothing, |file| &file.schema);
    let database = project.database();
    if is_same(database, before, &project.schema) {
        let last = files.last().map_or_else(|| "the empty database".to_owned(), |file| file.name.clone());
        return Err(MigrationError::NothingChanged { last });
    }
    let plan = plan(database, before, &project.schema);
    prove(&project.settings.store, before, &project.schema, &plan).await?;
    let words = name.map_or_else(|| plan.steps.first().cloned().unwrap_or_default(), str::to_owned);
    let name = format!("{}_{}", SystemClock.now().strftime("%Y%m%dT%H%M%S"), slug(&words));
    if let Some(last) = files.last().filter(|last| last.name >= name) {
        return Err(MigrationError::Clock { last: format!("{}/{}", project.migrations_name(), last.name) });
    }
    let sql = text(&plan);
    files::write(&folder, &MigrationFile { name: name.clone(), sql, schema: (*project.schema).clone() })?;
    let file = folder.join(format!("{name}.sql"));
    Ok(Written { name, file, steps: plan.steps, losses: plan.losses })
}

/// Whether the tables of `schema/` are other than after the last file; `None` where there are no files.
///
/// # Errors
/// [`MigrationError`] if the files cannot be read.
pub(crate) fn is_behind(project: &Project) -> Result<Option<bool>, MigrationError> {
    let files = files::read(&project.migrations_folder())?;
    Ok(files.last().map(|last| !is_same(project.database(), &last.schema, &project.schema)))
}

/// Carries a plan out where it does no harm: in a database of its own, or in scratch tables of the server.
///
/// # Errors
/// [`MigrationError::Unproven`] if it does not lead to `after`, [`MigrationError::Untried`] if it cannot be carried out there.
pub(crate) async fn prove(
    settings: &StoreSettings,
    before: &Schema,
    after: &Schema,
    plan: &MigrationPlan,
) -> Result<(), MigrationError> {
    let outcome = match settings.url.database() {
        Database::Sqlite => mainstay_stores::sqlite::migrate::prove(before, after, &plan.sql),
        Database::Server(_) => {
            let proved = server::prove(settings, before, after, &plan.sql).await;
            proved.map_err(MigrationError::Untried)?
        }
    };
    outcome.map_err(|differences| MigrationError::Unproven(differences.join("; ")))
}

/// The text of the file: what it does and destroys, then the statements.
fn text(plan: &MigrationPlan) -> String {
    let mut text = String::from("-- What this does:\n");
    let list = |text: &mut String, items: &[String]| {
        for item in items {
            // A line break in a name would end the comment.
            text.push_str(&format!("--   {}\n", item.replace(['\n', '\r'], " ")));
        }
    };
    list(&mut text, &plan.steps);
    if !plan.losses.is_empty() {
        text.push_str("-- What this DESTROYS:\n");
        list(&mut text, &plan.losses);
    }
    text.push('\n');
    text.push_str(plan.sql.trim_end());
    text.push('\n');
    text
}

/// Words as part of a file name.
fn slug(words: &str) -> String {
    let mut slug = String::new();
    for c in words.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    let slug: String = slug.chars().take(NAME_CHARS_MAX).collect();
    let slug = slug.trim_end_matches('_');
    if slug.is_empty() { "change".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_letters_digits_and_underscores() {
        for (words, expected) in [
            ("add reviews", "add_reviews"),
            ("create table \"Größe/x\"", "create_table_größe_x"),
            ("../../etc/passwd", "etc_passwd"),
            ("", "change"),
            ("--", "change"),
        ] {
            assert_eq!(slug(words), expected);
        }
    }

    #[test]
    fn the_file_says_what_it_destroys() {
        let plan = MigrationPlan {
            sql: "DROP TABLE a;\n\n".to_owned(),
            steps: vec!["drop table a\nDROP TABLE b;".to_owned()],
            losses: vec!["all rows of a are lost".to_owned()],
        };
        let expected = "-- What this does:\n--   drop table a DROP TABLE b;\n-- What this DESTROYS:\n--   all rows of a are lost\n\nDROP TABLE a;\n";
        assert_eq!(text(&plan), expected);
    }
}
