//! A request that is ready to run.

use std::sync::Arc;

use mainstay_stores::postgres::Access;

use super::media::{Chosen, PlanMedia};
use crate::sql::Sql;

/// One statement, and what its answer must be like.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Gives one row: see [`crate::sql::answer`]. Of a plan that is wanted in its place, rows of one text each.
    pub statement: Sql,
    /// Whether it reads or writes.
    pub access: Access,
    /// What comes back.
    pub chosen: Chosen,
    /// Settings that the function wants for its transaction.
    pub settings: Vec<(String, String)>,
    /// The transaction isolation that the function wants, in lower case.
    pub isolation: Option<String>,
    /// What counting is left to do.
    pub guess: Option<Guess>,
    /// What must hold of the rows, or all is undone.
    pub expect: Expect,
    /// Whether it calls a function that gives nothing.
    pub is_void: bool,
    /// Embeds that were called by their target although they have an alias, and the alias.
    pub legacy: Vec<(Arc<str>, Arc<str>)>,
}

impl Prepared {
    /// The plan that is wanted in place of the answer.
    pub fn plan(&self) -> Option<&PlanMedia> {
        self.chosen.plan.as_ref()
    }
}

/// A count that the planner of the server guesses.
#[derive(Debug, Clone)]
pub struct Guess {
    /// `EXPLAIN (FORMAT JSON) …`, whose plan's `Plan Rows` it is.
    pub explain: Sql,
    /// Up to where rows are counted and not guessed: the total of the statement counts when it is not more than this,
    /// else the greater of the two. `None`: only the guess counts ([`Guess::counted`] is false), or the greater always.
    pub up_to: Option<u64>,
    /// Whether the statement counts too.
    pub counted: bool,
}

/// What must hold of the rows that were read or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expect {
    /// Exactly one (PGRST116).
    pub is_singular: bool,
    /// At most so many (PGRST124).
    pub affected_max: Option<u64>,
    /// Exactly one, since the row must be that of the URL (PGRST115).
    pub is_replaced: bool,
}
