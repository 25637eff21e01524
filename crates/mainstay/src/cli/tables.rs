//! How the tables of a database stand to the schema of a project, for the commands that serve.

use std::sync::Arc;

use anyhow::Context;
use mainstay_schema::{Schema, diff};
use mainstay_store::Store;

use crate::project::Project;

/// How the tables of a database stand to the schema of a project.
#[derive(Debug)]
pub(super) enum Standing {
    /// No table was ever made.
    New,
    /// They are as the schema says.
    Current,
    /// They are as this earlier schema says.
    Behind(Arc<Schema>),
}

/// Compares the tables of a project with its schema.
pub(super) async fn standing(project: &Project, store: &dyn Store) -> anyhow::Result<Standing> {
    let applied = store.migrations().await.context("cannot read which migrations were applied")?;
    let Some(last) = applied.last() else { return Ok(Standing::New) };
    let schema = Schema::from_json(&last.schema)
        .with_context(|| format!("the record of the migration {} cannot be read", last.name))?;
    let is_current = diff::diff(&schema, &project.schema).is_empty();
    Ok(if is_current { Standing::Current } else { Standing::Behind(Arc::new(schema)) })
}
