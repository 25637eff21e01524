//! Which relationship the target and hint of an embed mean.

use std::sync::Arc;

use mainstay_http::{Problem, codes};

use super::Planner;
use crate::catalog::{Cardinality, Junction, Link, Name, Relationship};
use crate::near;

type Pairs = [(Arc<str>, Arc<str>)];

/// The one relationship from `source` that `target!hint` means.
///
/// # Errors
/// PGRST200 if there is none, PGRST201 if there are several.
pub(super) fn find<'c>(
    planner: &Planner<'c>,
    source: &Name,
    target: &str,
    hint: Option<&str>,
) -> Result<&'c Relationship, Problem> {
    let all = planner.catalog.relationships.get(source).map(Vec::as_slice).unwrap_or_default();
    let reachable: Vec<&Relationship> = all.iter().filter(|one| is_in(one, planner.schema)).collect();
    match meant(&reachable, target, hint).as_slice() {
        [] => Err(none(planner, source, target, hint, &reachable)),
        [one] => Ok(one),
        several => Err(ambiguous(source, target, several)),
    }
}

/// Whether a relationship leads into a schema: a computed one does so by its function, wherever the rows come from.
fn is_in(relationship: &Relationship, schema: &str) -> bool {
    match &relationship.link {
        Link::Computed { function, .. } => &*function.schema == schema,
        Link::Key { .. } | Link::Many(_) => &*relationship.target.schema == schema,
    }
}

fn meant<'c>(all: &[&'c Relationship], target: &str, hint: Option<&str>) -> Vec<&'c Relationship> {
    let computed =
        |one: &&&Relationship| matches!(&one.link, Link::Computed { function, .. } if &*function.name == target);
    let found: Vec<&Relationship> = all.iter().filter(computed).copied().collect();
    if !found.is_empty() {
        return found;
    }
    let mut found: Vec<&Relationship> = all.iter().filter(|one| is_meant(one, target, hint)).copied().collect();
    if found.is_empty() && hint.is_none() {
        // There is nothing else that could be meant.
        found = all.iter().filter(|one| is_perhaps_meant(one, target)).copied().collect();
    }
    found
}

fn is_meant(one: &Relationship, target: &str, hint: Option<&str>) -> bool {
    let is_name = &*one.target.name == target;
    match (&one.link, hint) {
        (Link::Computed { .. }, _) => false,
        (link, None) if one.is_self => {
            // One key makes two relationships: the name means the children, the column the parent.
            (is_name && is_of_target(link)) || is_source_column(one, target)
        }
        (_, None) => is_name || is_constraint(one, target) || is_source_column(one, target),
        (link, Some(hint)) => is_name && is_hinted(link, hint, one.is_self),
    }
}

/// A column of the target that holds the key.
fn is_perhaps_meant(one: &Relationship, target: &str) -> bool {
    match &one.link {
        Link::Key { columns, .. } => {
            is_of_target(&one.link) && !one.target_is_view && is_single(columns, |(_, far)| &**far == target)
        }
        Link::Many(_) | Link::Computed { .. } => false,
    }
}

/// Whether the target holds the key.
fn is_of_target(link: &Link) -> bool {
    use Cardinality::{OneToMany, OneToOneInverse};
    matches!(link, Link::Key { cardinality: OneToMany | OneToOneInverse, .. })
}

/// Between tables, a constraint may be named instead of the target.
fn is_constraint(one: &Relationship, name: &str) -> bool {
    let are_tables = !one.source_is_view && !one.target_is_view;
    are_tables && matches!(&one.link, Link::Key { constraint, .. } if &**constraint == name)
}

/// So may the column of the source that holds the key, when it is a single one.
fn is_source_column(one: &Relationship, name: &str) -> bool {
    // A column that leads to a table leads to the views of it as well; it means the table.
    let is_key = matches!(&one.link, Link::Key { columns, .. } if is_single(columns, |(near, _)| &**near == name));
    is_key && !is_of_target(&one.link) && !one.target_is_view
}

fn is_hinted(link: &Link, hint: &str, is_self: bool) -> bool {
    match link {
        // With a hint it is always the children; the column alone is the parent.
        Link::Key { constraint, columns, .. } if is_self => {
            is_of_target(link) && (&**constraint == hint || is_single(columns, |(_, far)| &**far == hint))
        }
        Link::Key { constraint, columns, .. } => {
            &**constraint == hint || is_single(columns, |(near, far)| &**near == hint || &**far == hint)
        }
        Link::Many(Junction { table, target_constraint, target_columns, .. }) => {
            let is_far =
                |name: &str| &**target_constraint == name || is_single(target_columns, |(_, far)| &**far == name);
            &*table.name == hint || (is_self && is_far(hint))
        }
        Link::Computed { .. } => false,
    }
}

fn is_single(columns: &Pairs, is_wanted: impl Fn(&(Arc<str>, Arc<str>)) -> bool) -> bool {
    matches!(columns, [pair] if is_wanted(pair))
}

fn none(
    planner: &Planner<'_>,
    source: &Name,
    target: &str,
    hint: Option<&str>,
    reachable: &[&Relationship],
) -> Problem {
    let source = &source.name;
    let near = near::relationship_hint(planner.catalog, planner.schema, source, target, reachable);
    let message = format!("Could not find a relationship between '{source}' and '{target}' in the schema cache");
    let using = hint.map(|hint| format!(" using the hint '{hint}'")).unwrap_or_default();
    let details = format!(
        "Searched for a foreign key relationship between '{source}' and '{target}'{using} in the schema '{}', but no \
         matches were found.",
        planner.schema
    );
    Problem::new(codes::NO_RELATION, message).details(details).hint_if_any(near)
}

fn ambiguous(source: &Name, target: &str, several: &[&Relationship]) -> Problem {
    let message =
        format!("Could not embed because more than one relationship was found for '{}' and '{target}'", source.name);
    let candidates: Vec<Candidate> = several.iter().map(|one| candidate(one)).collect();
    let instead: Vec<String> = candidates.iter().map(|one| format!("'{}'", one.instead)).collect();
    let entries: Vec<serde_json::Value> = candidates
        .iter()
        .map(|one| {
            serde_json::json!({
                "cardinality": one.cardinality,
                "embedding": one.embedding,
                "relationship": one.relationship,
            })
        })
        .collect();
    Problem::new(codes::AMBIGUOUS, message).details_json(serde_json::Value::from(entries).to_string()).hint(format!(
        "Try changing '{target}' to one of the following: {}. Find the desired relationship in the 'details' key.",
        instead.join(", ")
    ))
}

/// A relationship as the error tells it.
struct Candidate {
    cardinality: &'static str,
    embedding: String,
    relationship: String,
    /// What to write to mean this one.
    instead: String,
}

fn candidate(one: &Relationship) -> Candidate {
    let (source, target) = (&one.source.name, &one.target.name);
    let (cardinality, relationship, word) = match &one.link {
        Link::Key { constraint, columns, cardinality } => {
            let near = names(columns, |(near, _)| near);
            let far = names(columns, |(_, far)| far);
            let relationship = format!("{constraint} using {source}({near}) and {target}({far})");
            let cardinality = match cardinality {
                Cardinality::ManyToOne => "many-to-one",
                Cardinality::OneToMany => "one-to-many",
                Cardinality::OneToOne | Cardinality::OneToOneInverse => "one-to-one",
            };
            (cardinality, relationship, &**constraint)
        }
        Link::Many(junction) => {
            let near = names(&junction.source_columns, |(_, column)| column);
            let far = names(&junction.target_columns, |(_, column)| column);
            let (to_source, to_target) = (&junction.source_constraint, &junction.target_constraint);
            let relationship = format!("{} using {to_source}({near}) and {to_target}({far})", junction.table.name);
            // The junction's own name does not tell its two directions apart.
            let word = if one.is_self { to_target } else { &junction.table.name };
            ("many-to-many", relationship, &**word)
        }
        Link::Computed { function, to_one, .. } => {
            let cardinality = if *to_one { "many-to-one" } else { "one-to-many" };
            (cardinality, format!("{} of {source}", function.name), &*function.name)
        }
    };
    Candidate {
        cardinality,
        embedding: format!("{source} with {target}"),
        relationship,
        instead: format!("{target}!{word}"),
    }
}

fn names(columns: &Pairs, side: impl Fn(&(Arc<str>, Arc<str>)) -> &Arc<str>) -> String {
    columns.iter().map(|pair| &**side(pair)).collect::<Vec<_>>().join(", ")
}
