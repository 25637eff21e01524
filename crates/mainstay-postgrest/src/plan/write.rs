//! Writes to relations: which columns of the body go where, and what is given back.

use std::collections::BTreeSet;
use std::sync::Arc;

use mainstay_http::{Problem, codes};
use mainstay_query::parse::prefer::{Missing, Return};
use mainstay_query::request::{Condition, Operation, Operator, Query, Resolution};
use mainstay_stores::postgres::Access;

use super::media::{Made, choose};
use super::payload::{JsonBody, Payload};
use super::prepare::{explained, strict};
use super::prepared::{Expect, Prepared};
use super::wanted::{Action, Wanted};
use super::{Planner, Root};
use crate::catalog::{Column, Relation};
use crate::sql::{self, Body, Conflict, Form, Insert, Rows, Sql, Update};

/// Plans a write.
pub(super) fn plan(planner: &Planner<'_>, wanted: &Wanted<'_>) -> Result<Prepared, Problem> {
    let relation = planner.relation(wanted.target)?;
    let query = wanted.query;
    let key = match wanted.action {
        Action::Replace(_) => Some(key_of_url(relation, query)?),
        _ => None,
    };
    let read = planner.read(Root::Written(relation), query)?;
    let answer = wanted.preferences.answer.unwrap_or(Return::Minimal);

    // Who wants the headers alone must be allowed to see the rows all the same.
    let returning = match answer {
        Return::Representation | Return::HeadersOnly => read.returning(),
        Return::Minimal => Vec::new(),
    };
    let wants_place = matches!(wanted.action, Action::Insert(_)) && answer == Return::HeadersOnly;

    let (source, counts_inserted) = match &wanted.action {
        Action::Insert(payload) => {
            let body = rows_of(payload)?;
            let columns = columns(relation, &body.keys)?;
            let conflict = conflict(relation, wanted);
            let counts = matches!(conflict, Some(Conflict { resolution: Resolution::Merge, .. }));
            let rows = rows(planner, body, columns, wanted);
            (sql::insert(&Insert { relation, rows, only: None, conflict, returning: &returning }), counts)
        }
        Action::Replace(payload) => {
            let body = rows_of(payload)?;
            let columns = columns(relation, &body.keys)?;
            let conflict = Conflict { columns: relation.primary_key.clone(), resolution: Resolution::Merge };
            let rows = rows(planner, body, columns, wanted);
            let insert = Insert { relation, rows, only: key, conflict: Some(conflict), returning: &returning };
            (sql::insert(&insert), true)
        }
        Action::Update(payload) => {
            let body = rows_of(payload)?;
            let columns = columns(relation, &body.keys)?;
            let rows = rows(planner, body, columns, wanted);
            let update = Update { relation, rows, filters: read.picks(), returning: &returning };
            (sql::update(&update), false)
        }
        Action::Delete => (sql::delete(relation, read.picks(), &returning), false),
        Action::Read { .. } | Action::Call(_) => unreachable!("what is no write is planned elsewhere"),
    };

    strict(wanted.preferences)?;
    let made = Made::Relation { name: &relation.name, is_star: read.is_star() };
    let mut chosen = choose(planner.catalog, &made, wanted.accept, planner.limits.plans_allowed)?;
    if answer != Return::Representation {
        chosen.body = Body::Nothing;
    }
    let form = Form {
        body: chosen.body.clone(),
        total: None,
        counts_inserted,
        location: if wants_place { relation.primary_key.clone() } else { Vec::new() },
    };
    // Nothing comes back of a write whose rows nobody wants, so there is nothing to select either.
    let rows = match answer {
        Return::Representation | Return::HeadersOnly => sql::rows(&read),
        Return::Minimal => Sql::of("SELECT 1 FROM pgrst_source"),
    };
    let statement = sql::answer(source, rows, &form);
    let affected_max = match wanted.action {
        Action::Update(_) | Action::Delete if wanted.preferences.is_strict() => wanted.preferences.max_affected,
        _ => None,
    };
    Ok(Prepared {
        statement: explained(&chosen, statement),
        access: Access::Write,
        settings: Vec::new(),
        isolation: None,
        guess: None,
        expect: Expect {
            is_singular: chosen.media.is_singular(),
            affected_max,
            is_replaced: matches!(wanted.action, Action::Replace(_)),
        },
        is_void: false,
        legacy: read.legacy_names().to_vec(),
        chosen,
    })
}

fn rows_of(payload: &Payload) -> Result<&JsonBody, Problem> {
    match payload {
        Payload::Json(body) => Ok(body),
        Payload::Form(_) | Payload::Raw(..) => Err(Problem::new(codes::BODY, "Empty or invalid json")),
    }
}

/// The columns of a relation that these names are.
fn columns<'c>(relation: &'c Relation, names: &BTreeSet<String>) -> Result<Vec<&'c Column>, Problem> {
    let find = |name: &String| {
        relation.column(name).ok_or_else(|| {
            let table = &relation.name.name;
            let message = format!("Could not find the '{name}' column of '{table}' in the schema cache");
            Problem::new(codes::BODY_COLUMN, message)
        })
    };
    names.iter().map(find).collect()
}

fn rows<'r>(planner: &Planner<'r>, body: &'r JsonBody, columns: Vec<&'r Column>, wanted: &Wanted<'_>) -> Rows<'r> {
    let with_defaults = wanted.preferences.missing == Some(Missing::Default);
    Rows { catalog: planner.catalog, body, columns, with_defaults }
}

/// What becomes of rows whose key is there already.
fn conflict(relation: &Relation, wanted: &Wanted<'_>) -> Option<Conflict> {
    let resolution = wanted.preferences.resolution?;
    let columns: Vec<Arc<str>> = match &wanted.query.on_conflict {
        Some(columns) => columns.iter().map(|column| Arc::from(column.as_str())).collect(),
        None => relation.primary_key.clone(),
    };
    (!columns.is_empty()).then_some(Conflict { columns, resolution })
}

/// The key in the URL of a `PUT`: one value for each column of the primary key.
fn key_of_url<'c>(relation: &'c Relation, query: &Query) -> Result<Vec<(&'c Column, String)>, Problem> {
    let wrong = || {
        Problem::new(
            codes::REPLACE_FILTERS,
            "Filters must include all and only primary key columns with 'eq' operators",
        )
    };
    let mut key: Vec<(&Column, String)> = Vec::new();
    for filter in query.filters.iter().filter(|filter| filter.path.is_empty()) {
        let Condition::Test(field, Operation::Binary { operator: Operator::Eq, quantifier: None, value }) =
            &filter.what
        else {
            return Err(wrong());
        };
        let is_key = field.path.is_empty() && relation.primary_key.iter().any(|column| **column == *field.name);
        let column = relation.column(&field.name).filter(|_| is_key).ok_or_else(wrong)?;
        key.push((column, value.clone()));
    }
    let is_whole = relation.primary_key.iter().all(|name| key.iter().any(|(column, _)| column.name == *name));
    if relation.primary_key.is_empty() || !is_whole { Err(wrong()) } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Name;

    fn relation() -> Relation {
        let column = |name: &str| Column {
            name: name.into(),
            comment: None,
            is_nullable: true,
            base_type: "integer".into(),
            declared_type: "integer".into(),
            shown_type: "integer".into(),
            length_max: None,
            default: None,
            labels: Vec::new(),
            is_composite_or_array: false,
        };
        Relation {
            oid: 1,
            name: Name::new("s", "t"),
            comment: None,
            is_view: false,
            insertable: true,
            updatable: true,
            deletable: true,
            primary_key: vec!["a".into(), "b".into()],
            columns: ["a", "b", "c"].map(column).into(),
        }
    }

    /// rest.md 11.5.
    #[test]
    fn a_put_names_its_row_by_the_whole_key_and_nothing_else() {
        let limits = mainstay_query::Limits { postgrest_only: true, ..Default::default() };
        let relation = relation();
        for (text, is_right) in [
            ("a=eq.1&b=eq.2", true),
            ("b=eq.2&a=eq.1&select=a", true),
            ("a=eq.1", false),
            ("", false),
            ("a=eq.1&b=gt.2", false),
            ("a=eq.1&b=eq.2&c=eq.3", false),
            ("a=eq.1&b=not.eq.2", false),
            ("and=(a.eq.1,b.eq.2)", false),
        ] {
            let query = mainstay_query::parse::query(mainstay_query::parse::Purpose::Replace, text, &limits);
            let query = query.expect("it parses");
            assert_eq!(key_of_url(&relation, &query).is_ok(), is_right, "{text}");
        }
    }
}
