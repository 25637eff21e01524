//! From what a request wants to the statement that gives it: the entry to the planner.

use mainstay_http::{Problem, codes};
use mainstay_query::parse::prefer::Preferences;
use mainstay_stores::postgres::Access;

use super::counts::{self, Count};
use super::media::{Chosen, Made, choose};
use super::prepared::{Expect, Prepared};
use super::wanted::{Action, Wanted};
use super::{Planner, Root, call, write};
use crate::sql::{self, Body, Form, Sql};

/// Plans a request down to its statement.
///
/// # Errors
/// The first of what is wrong with it, in the order of `rest.md` 1.
pub fn prepare(planner: &Planner<'_>, wanted: &Wanted<'_>) -> Result<Prepared, Problem> {
    match &wanted.action {
        Action::Read { .. } => read(planner, wanted),
        Action::Call(of) => call::plan(planner, wanted, of),
        Action::Insert(_) | Action::Replace(_) | Action::Update(_) | Action::Delete => write::plan(planner, wanted),
    }
}

fn read(planner: &Planner<'_>, wanted: &Wanted<'_>) -> Result<Prepared, Problem> {
    let relation = planner.relation(wanted.target)?;
    let read = planner.read(Root::Relation(relation), wanted.query)?;
    let made = Made::Relation { name: &relation.name, is_star: read.is_star() };
    let mut chosen = choose(planner.catalog, &made, wanted.accept, planner.limits.plans_allowed)?;
    strict(wanted.preferences)?;
    if wanted.action.is_head() {
        chosen.body = Body::Nothing;
    }
    let Count { total, guess } = counts::of(planner, wanted.preferences, &read);
    let form = Form { body: chosen.body.clone(), total, counts_inserted: false, location: Vec::new() };
    let statement = sql::answer(sql::rows(&read), Sql::of("SELECT * FROM pgrst_source"), &form);
    Ok(Prepared {
        statement: explained(&chosen, statement),
        access: Access::Read,
        settings: Vec::new(),
        isolation: None,
        guess,
        expect: Expect { is_singular: chosen.media.is_singular(), ..Expect::default() },
        is_void: false,
        legacy: read.legacy_names().to_vec(),
        chosen,
    })
}

/// Refuses preferences that are not known, where that was asked for.
pub(super) fn strict(preferences: &Preferences) -> Result<(), Problem> {
    if !preferences.is_strict() || preferences.unknown.is_empty() {
        return Ok(());
    }
    Err(Problem::new(codes::PREFERENCES, "Invalid preferences given with handling=strict")
        .details(format!("Invalid preferences: {}", preferences.unknown.join(", "))))
}

/// The statement, or what gives its plan.
pub(super) fn explained(chosen: &Chosen, statement: Sql) -> Sql {
    match &chosen.plan {
        None => statement,
        Some(plan) => sql::explain(plan, statement),
    }
}
