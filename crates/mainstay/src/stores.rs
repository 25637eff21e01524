//! The stores of a project, opened.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use mainstay_schema::{Mistake, Schema};
use mainstay_store::{Federation, Store, StoreError};

use crate::migrations::{self, MigrationError};
use crate::project::{self, Project};
use crate::wire;

/// The stores of a project: one, or several as one.
#[derive(Clone)]
pub struct Stores {
    parts: Vec<Part>,
    whole: Arc<dyn Store>,
}

/// One of them.
#[derive(Clone)]
pub struct Part {
    /// The project as this store sees it.
    pub project: Project,
    /// The store itself.
    pub store: Arc<dyn Store>,
}

impl Stores {
    /// Opens all of them, making an empty one where there is none.
    ///
    /// # Errors
    /// That a database cannot be opened.
    pub fn open(project: &Project) -> anyhow::Result<Stores> {
        let parts = project.parts().into_iter().map(|project| {
            let store = wire::own_store(&project)?;
            Ok(Part { project, store })
        });
        Ok(Stores::of(parts.collect::<anyhow::Result<_>>()?))
    }

    /// Opens all of them, if all are there.
    ///
    /// # Errors
    /// That one is not, or that it cannot be opened.
    pub fn open_existing(project: &Project) -> anyhow::Result<Stores> {
        for part in project.parts() {
            let missing = part.database_file().filter(|file| !file.exists());
            if let Some(file) = missing {
                bail!("there is no database {} yet; the first `mainstay dev` makes it", file.display());
            }
        }
        Stores::open(project)
    }

    fn of(parts: Vec<Part>) -> Stores {
        let whole = match parts.as_slice() {
            [only] => only.store.clone(),
            _ => {
                let named = parts.iter().map(|part| (part.project.store_name().into(), part.store.clone()));
                Arc::new(Federation::new(named.collect()))
            }
        };
        Stores { parts, whole }
    }

    /// All of them as one.
    pub fn whole(&self) -> &Arc<dyn Store> {
        &self.whole
    }

    /// Makes the tables of databases in which nothing was made yet, and else only looks whether they are as `schema/` says.
    ///
    /// # Errors
    /// [`MigrationError::Behind`] if they are not.
    pub async fn require_current(&self) -> Result<(), MigrationError> {
        for part in &self.parts {
            migrations::require_current(&part.project, &*part.store).await?;
        }
        Ok(())
    }

    /// Each of them, `main` first.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The same stores with what a project that was read anew says of each. Its settings of stores must be as they were.
    #[must_use]
    pub fn with_project(&self, project: &Project) -> Stores {
        let parts = project.parts().into_iter().zip(&self.parts);
        let parts = parts.map(|(project, part)| Part { project, store: part.store.clone() });
        Stores { parts: parts.collect(), whole: self.whole.clone() }
    }

    /// Whether the tables of any of them are another program's.
    pub fn has_found(&self) -> bool {
        self.found().next().is_some()
    }

    fn found(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.project.settings.store.introspect)
    }

    /// A number that changes when the tables of another program do; see [`Store::tables_version`].
    ///
    /// # Errors
    /// [`StoreError`] of the first store that does not tell.
    pub(crate) async fn tables_version(&self, deadline: Instant) -> Result<i64, StoreError> {
        if let [only] = self.parts.as_slice() {
            return only.store.tables_version(deadline).await;
        }
        let mut all = DefaultHasher::new();
        for part in self.found() {
            part.store.tables_version(deadline).await?.hash(&mut all);
        }
        Ok(i64::from_ne_bytes(all.finish().to_ne_bytes()))
    }

    /// The tables of other programs as they are now, by the name of their store.
    ///
    /// # Errors
    /// [`StoreError`] of the first store that does not tell.
    pub(crate) async fn find(&self, deadline: Instant) -> Result<Vec<(String, Schema)>, StoreError> {
        let mut found = Vec::new();
        for part in self.found() {
            found.push((part.project.store_name().to_owned(), part.store.find(deadline).await?));
        }
        Ok(found)
    }
}

/// The schema of a project over tables that were found just now.
///
/// # Errors
/// Every mistake of the files.
pub(crate) fn schema_over(project: &Project, found: &[(String, Schema)]) -> Result<Schema, Vec<Mistake>> {
    let schema = project::of_stores(&project.folder, &project.settings, found)?;
    project::add_functions(&project.folder, &project.settings.store, schema)
}
