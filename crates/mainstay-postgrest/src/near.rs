//! Names that were probably meant (rest.md 16.5).
//!
//! Names are compared by the runs of letters that they share, and those that share most then by edits. What is told is a
//! guess that helps a person; nothing is decided by it.

use std::collections::{HashMap, HashSet};

use crate::catalog::{Catalog, Function, Name, Relationship};

/// Score from which on a relation or function is told of.
const CLOSE: f64 = 0.75;
/// Score from which on parameters and relationships are.
const AKIN: f64 = 0.33;
/// Schemas with this many relations get no guesses of relations.
const RELATIONS_MAX: usize = 500;
/// Names that are compared by edits, those that share most letters first.
const COMPARED_MAX: usize = 50;

/// What to ask for instead of a relation that is not there.
pub(crate) fn relation_hint(catalog: &Catalog, schema: &str, name: &str) -> Option<String> {
    let first = Name::new(schema, "");
    let names: Vec<&str> = (catalog.relations.range(first..).map(|(name, _)| name))
        .take_while(|name| &*name.schema == schema)
        .take(RELATIONS_MAX)
        .map(|name| &*name.name)
        .collect();
    let (_, found) = (names.len() < RELATIONS_MAX).then(|| nearest(names, name, CLOSE))??;
    Some(format!("Perhaps you meant the table '{schema}.{found}'"))
}

/// What to call instead of a function that is not there; `overloads` are those of its name, which take other parameters
/// than `given`.
pub(crate) fn function_hint(catalog: &Catalog, name: &Name, overloads: &[Function], given: &[&str]) -> Option<String> {
    let called = if overloads.is_empty() {
        let all = catalog.functions.keys().filter(|known| known.schema == name.schema).map(|known| &*known.name);
        nearest(all, &name.name, CLOSE)?.1.to_owned()
    } else {
        let lists: Vec<String> = (overloads.iter())
            .map(|function| listed(function.parameters.iter().map(|parameter| &*parameter.name)))
            .collect();
        let given = listed(given.iter().copied());
        format!("{}{}", name.name, nearest(lists.iter().map(String::as_str), &given, AKIN)?.1)
    };
    Some(format!("Perhaps you meant to call the function {}.{called}", name.schema))
}

/// What to embed instead, or what to embed it in: `reachable` are the relationships of `source` into the schema.
pub(crate) fn relationship_hint(
    catalog: &Catalog,
    schema: &str,
    source: &str,
    target: &str,
    reachable: &[&Relationship],
) -> Option<String> {
    let (instead, of) = if reachable.is_empty() {
        let has_some = |list: &[Relationship]| list.iter().any(|one| &*one.target.schema == schema);
        let sources = catalog.relationships.iter().filter(|(_, list)| has_some(list));
        (nearest(sources.map(|(name, _)| &*name.name), source, AKIN)?.1, source)
    } else {
        let (score, found) = nearest(reachable.iter().map(|one| &*one.target.name), target, AKIN)?;
        // The name itself is there: what is wrong is the hint, or the case.
        (if score < 1.0 { found } else { return None }, target)
    };
    Some(format!("Perhaps you meant '{instead}' instead of '{of}'."))
}

/// Names in order, in parentheses.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    format!("({})", names.join(", "))
}

/// The one of these names that is nearest, and how near it is: 1 for the same but for case.
fn nearest<'n>(names: impl IntoIterator<Item = &'n str>, wanted: &str, score_min: f64) -> Option<(f64, &'n str)> {
    let wanted = wanted.to_lowercase();
    let mut seen = HashSet::new();
    let mut names: Vec<(String, &str)> = names.into_iter().map(|name| (name.to_lowercase(), name)).collect();
    // Maps give names in no order; ties must not be told differently each time.
    names.sort_unstable();
    names.retain(|(lower, _)| seen.insert(lower.clone()));
    if let Some((_, name)) = names.iter().find(|(lower, _)| *lower == wanted) {
        return Some((1.0, name));
    }
    [3, 2].into_iter().find_map(|length| {
        let sought = Runs::of(&wanted, length);
        let mut alike: Vec<(f64, &str, &str)> = (names.iter())
            .map(|(lower, name)| (sought.likeness(&Runs::of(lower, length)), lower.as_str(), *name))
            .filter(|(likeness, ..)| *likeness > 0.0)
            .collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0));
        let scored = alike.into_iter().take(COMPARED_MAX).map(|(_, lower, name)| (closeness(lower, &wanted), name));
        // The first of those that are equally close, which shares most.
        let best = scored.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        (best.0 >= score_min).then_some(best)
    })
}

/// How often each run of some characters is in a name.
struct Runs {
    counts: HashMap<Vec<char>, f64>,
    /// Root of the sum of the squares.
    size: f64,
}

impl Runs {
    fn of(name: &str, length: usize) -> Runs {
        let mut padded = vec!['-'];
        padded.extend(name.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | ',')));
        padded.push('-');
        padded.resize(padded.len().max(length), '-');
        let mut counts = HashMap::new();
        for run in padded.windows(length) {
            *counts.entry(run.to_vec()).or_insert(0.0) += 1.0;
        }
        let size = counts.values().map(|count: &f64| count * count).sum::<f64>().sqrt();
        Runs { counts, size }
    }

    /// Cosine of the angle between two.
    fn likeness(&self, other: &Runs) -> f64 {
        let shared = self.counts.iter().map(|(run, count)| count * other.counts.get(run).copied().unwrap_or(0.0));
        shared.sum::<f64>() / (self.size * other.size)
    }
}

/// One less the edits between two names as a part of the longer one's length.
fn closeness(a: &str, b: &str) -> f64 {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut length = 0;
    for (at, from) in a.chars().enumerate() {
        length = at + 1;
        let mut diagonal = std::mem::replace(&mut row[0], length);
        for (place, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    1.0 - row[b.len()] as f64 / length.max(b.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Link, Parameter, Relation, ReturnType, Returns, Volatility};

    #[test]
    fn edits_are_counted() {
        for (a, b, edits, length) in [
            ("", "", 0, 1),
            ("a", "", 1, 1),
            ("kitten", "sitting", 3, 7),
            ("ab", "ba", 2, 2),
            ("größe", "grösse", 2, 6),
        ] {
            let expected = 1.0 - f64::from(edits) / f64::from(length);
            assert!((closeness(a, b) - expected).abs() < 1e-9, "{a} {b}");
            assert!((closeness(b, a) - expected).abs() < 1e-9, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_if_one_is_near() {
        let names = ["projects", "project_tasks", "Clients", "unnamed_text_param", "unnamed_xml_param"];
        let near = |wanted, score_min| nearest(names, wanted, score_min).map(|(_, name)| name);
        assert_eq!(near("projetcs", CLOSE), Some("projects"));
        assert_eq!(near("clients", CLOSE), Some("Clients"));
        assert_eq!(near("unnamed_int_param", CLOSE), Some("unnamed_text_param"));
        assert_eq!(near("proje", CLOSE), None);
        assert_eq!(near("proje", AKIN), Some("projects"));
        assert_eq!(near("zzz", AKIN), None);
        assert_eq!(near("", AKIN), None);
        assert_eq!(nearest([], "x", AKIN), None);
    }

    fn relation(schema: &str, name: &str) -> (Name, Relation) {
        let relation = Relation {
            oid: 1,
            name: Name::new(schema, name),
            comment: None,
            is_view: false,
            insertable: true,
            updatable: true,
            deletable: true,
            primary_key: Vec::new(),
            columns: Vec::new(),
        };
        (relation.name.clone(), relation)
    }

    fn function(name: &str, parameters: &[&str]) -> Function {
        let parameter = |name: &&str| Parameter {
            name: (*name).into(),
            ty: "integer".into(),
            cast_type: "integer".into(),
            is_required: true,
            is_variadic: false,
        };
        Function {
            oid: 1,
            name: Name::new("api", name),
            comment: None,
            parameters: parameters.iter().map(parameter).collect(),
            returns: Returns { is_set: false, what: ReturnType::Void },
            volatility: Volatility::Volatile,
            is_variadic: false,
            settings: Vec::new(),
        }
    }

    #[test]
    fn relations_of_the_schema_are_told_of_unless_there_are_very_many() {
        let mut catalog = Catalog::default();
        catalog.relations.extend([relation("api", "films"), relation("other", "filmz"), relation("a", "filmt")]);
        let hint = |catalog: &Catalog| relation_hint(catalog, "api", "filmz");
        assert_eq!(hint(&catalog).as_deref(), Some("Perhaps you meant the table 'api.films'"));
        assert_eq!(relation_hint(&catalog, "none", "films"), None);
        catalog.relations.extend((0..498).map(|at| relation("api", &format!("t{at}"))));
        assert!(hint(&catalog).is_some());
        catalog.relations.extend([relation("api", "one_more")]);
        assert_eq!(hint(&catalog), None);
    }

    #[test]
    fn functions_are_told_of_by_name_or_by_what_they_take() {
        let mut catalog = Catalog::default();
        let overloads = [function("add_them", &["b", "a"]), function("add_them", &[])];
        catalog.functions.insert(Name::new("api", "add_them"), overloads.to_vec());
        let hint = |name: &str, overloads: &[Function], given: &[&str]| {
            function_hint(&catalog, &Name::new("api", name), overloads, given)
        };
        let expected = Some("Perhaps you meant to call the function api.add_them".to_owned());
        assert_eq!(hint("add_then", &[], &[]), expected);
        assert_eq!(hint("multiply", &[], &[]), None);
        let expected = Some("Perhaps you meant to call the function api.add_them(a, b)".to_owned());
        assert_eq!(hint("add_them", &overloads, &["b", "c"]), expected);
        assert_eq!(hint("add_them", &overloads, &["something"]), None);
    }

    #[test]
    fn relationships_are_told_of_by_either_end() {
        let mut catalog = Catalog::default();
        let to = |target: &str| Relationship {
            source: Name::new("api", "films"),
            target: Name::new("api", target),
            is_self: false,
            source_is_view: false,
            target_is_view: false,
            link: Link::Computed {
                function: Name::new("api", target),
                parameter: Name::new("api", "films"),
                to_one: true,
            },
        };
        let all = [to("directors"), to("roles")];
        catalog.relationships.insert(Name::new("api", "films"), all.to_vec());
        let reachable: Vec<&Relationship> = all.iter().collect();
        let hint = |source: &str, target: &str, reachable: &[&Relationship]| {
            relationship_hint(&catalog, "api", source, target, reachable)
        };
        let expected = Some("Perhaps you meant 'directors' instead of 'director'.".to_owned());
        assert_eq!(hint("films", "director", &reachable), expected);
        assert_eq!(hint("films", "roles", &reachable), None, "it is there: the hint was wrong");
        assert_eq!(hint("film", "roles", &[]), Some("Perhaps you meant 'films' instead of 'film'.".to_owned()));
        assert_eq!(hint("xyz", "roles", &[]), None);
    }

    #[test]
    fn names_are_listed_in_order() {
        assert_eq!(listed(["b", "a"].into_iter()), "(a, b)");
        assert_eq!(listed([].into_iter()), "()");
    }
}
