//! A request and the catalog make a plan: every name looked up, every relationship found, and no SQL yet.
//!
//! What a name means is decided here as far as the catalog knows it. A column that it does not know is left to the
//! server, which may know a function of that name, and has better words for it if not.

mod call;
mod counts;
pub mod media;
pub mod payload;
mod prepare;
mod prepared;
pub mod read;
mod relationship;
pub mod wanted;
mod write;

use mainstay_http::{Problem, codes};
use mainstay_query::request::Query;

use crate::catalog::{Catalog, Function, Name, Relation};
use crate::near;

pub use prepare::prepare;
pub use prepared::{Expect, Guess, Prepared};
pub use read::ReadPlan;

/// What bounds a plan beside the catalog.
#[derive(Debug, Clone, Default)]
pub struct PlanLimits {
    /// Most rows that are read at the top, and in every embed (`db-max-rows`).
    pub rows_max: Option<u64>,
    /// Whether aggregates may be used (`db-aggregates-enabled`).
    pub aggregates: bool,
    /// Whether plans may be asked for in place of answers (`db-plan-enabled`).
    pub plans_allowed: bool,
    /// Whether an embed with an alias may be named by its target too (`url-use-legacy-target-names`).
    pub legacy_target_names: bool,
}

/// Makes plans of requests in one schema.
#[derive(Debug, Clone)]
pub struct Planner<'c> {
    /// What is in the database.
    pub catalog: &'c Catalog,
    /// The schema that the request is about.
    pub schema: &'c str,
    /// What bounds it.
    pub limits: PlanLimits,
}

/// What the rows of a plan begin with.
#[derive(Debug, Clone, Copy)]
pub enum Root<'c> {
    /// The rows of a relation.
    Relation(&'c Relation),
    /// Rows that a write gives back, as `pgrst_source`. Filters at the top pick which rows are written, and order and
    /// page of the embeds do not count.
    Written(&'c Relation),
    /// Rows that a call gives, as `pgrst_source`.
    Called {
        /// What is called.
        function: &'c Function,
        /// The relation whose rows it gives, if any.
        relation: Option<&'c Relation>,
    },
}

impl<'c> Planner<'c> {
    /// The relation of this name.
    ///
    /// # Errors
    /// PGRST205 if there is none in the schema.
    pub fn relation(&self, name: &str) -> Result<&'c Relation, Problem> {
        self.catalog.relations.get(&Name::new(self.schema, name)).ok_or_else(|| {
            let full = format!("{}.{name}", self.schema);
            Problem::new(codes::UNKNOWN_TABLE, format!("Could not find the table '{full}' in the schema cache"))
                .hint_if_any(near::relation_hint(self.catalog, self.schema, name))
        })
    }

    /// What to read: rows with everything that is embedded in them.
    ///
    /// # Errors
    /// PGRST108, 118, 120, 123, 127, 200 or 201, as the contract says.
    pub fn read(&self, root: Root<'c>, query: &Query) -> Result<ReadPlan, Problem> {
        read::plan(self, root, query)
    }
}
