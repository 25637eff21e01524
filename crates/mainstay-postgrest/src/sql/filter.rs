//! Conditions.

use mainstay_query::request::{IsWord, Operator, Quantifier, SearchSyntax};

use super::embed;
use super::select::operand;
use super::statement::Sql;
use crate::catalog::Name;
use crate::plan::read::{Filter, Level, Qualifier, Test, TestOf, Vector};

/// Conditions on the rows of a relation that is written, joined by `AND`.
pub fn conditions(filters: &[Filter], table: &Name) -> Sql {
    let of = Place { qualifier: &Qualifier::Relation(table.clone()), level: None };
    let mut sql = Sql::new();
    sql.join(" AND ", filters.iter().map(|filter| condition(filter, of)));
    sql
}

/// The conditions of a level.
pub(super) fn all(level: &Level) -> Vec<Sql> {
    let of = Place { qualifier: &level.qualifier, level: Some(level) };
    level.filters.iter().map(|filter| condition(filter, of)).collect()
}

/// Whose columns conditions are about.
#[derive(Clone, Copy)]
struct Place<'p> {
    qualifier: &'p Qualifier,
    /// Where embeds are looked up.
    level: Option<&'p Level>,
}

fn condition(filter: &Filter, of: Place<'_>) -> Sql {
    let joined = |word: &str, parts: &[Filter], empty: &str| {
        let mut sql = Sql::of("(");
        match parts {
            [] => sql.push(empty),
            parts => sql.join(word, parts.iter().map(|part| condition(part, of))),
        };
        sql.push(")");
        sql
    };
    match filter {
        Filter::All(parts) => joined(" AND ", parts, "TRUE"),
        Filter::Any(parts) => joined(" OR ", parts, "FALSE"),
        Filter::Not(inner) => {
            let mut sql = Sql::of("NOT ");
            sql.append(condition(inner, of));
            sql
        }
        Filter::Test(test) => self::test(test, of.qualifier),
        Filter::Embedded(_) => {
            of.level.and_then(|level| embed::asked(filter, level)).unwrap_or_else(|| Sql::of("TRUE"))
        }
    }
}

fn test(test: &Test, of: &Qualifier) -> Sql {
    let mut sql = Sql::new();
    let column = operand(&test.operand, of);
    match &test.of {
        TestOf::Binary { operator, quantifier, value } => {
            sql.append(column).push(symbol(*operator));
            let value = match operator {
                Operator::Like | Operator::Ilike => value.replace('*', "%"),
                _ => value.clone(),
            };
            match quantifier {
                None => sql.append(read(test, value)),
                Some(quantifier) => {
                    sql.push(if *quantifier == Quantifier::Any { "ANY (" } else { "ALL (" });
                    sql.append(read(test, value)).push(")")
                }
            };
        }
        TestOf::Column { operator, other } => {
            sql.append(column).push(symbol(*operator)).append(operand(other, of));
        }
        TestOf::In(values) => {
            sql.append(column).push(" = ANY (");
            match &test.read_by {
                Some(_) if !values.is_empty() => {
                    let each = values.iter().map(|value| read(test, value.clone()));
                    sql.push("ARRAY[").join(", ", each).push("]");
                }
                _ => drop(sql.value(array(values))),
            }
            sql.push(")");
        }
        TestOf::Is(word) => {
            sql.append(column).push(match word {
                IsWord::Null => " IS NULL",
                IsWord::NotNull => " IS NOT NULL",
                IsWord::True => " IS TRUE",
                IsWord::False => " IS FALSE",
                IsWord::Unknown => " IS UNKNOWN",
            });
        }
        TestOf::Search { syntax, language, text, vector } => {
            let configured = |call: &str| {
                let mut sql = Sql::of(call);
                sql.push("(");
                if let Some(language) = language {
                    sql.value(language.clone()).push(", ");
                }
                sql
            };
            match vector {
                Vector::Itself => sql.append(column),
                Vector::Made => sql.append(configured("to_tsvector")).append(column).push(")"),
                Vector::Unknown => {
                    sql.push("CASE WHEN pg_typeof(").append(column.clone());
                    sql.push(") = 'tsvector'::regtype THEN ").append(column.clone()).push("::text::tsvector ELSE ");
                    sql.append(configured("to_tsvector")).append(column).push("::text) END")
                }
            };
            let call = match syntax {
                SearchSyntax::Query => "to_tsquery",
                SearchSyntax::Plain => "plainto_tsquery",
                SearchSyntax::Phrase => "phraseto_tsquery",
                SearchSyntax::Web => "websearch_to_tsquery",
            };
            sql.push(" @@ ").append(configured(call)).value(text.clone()).push(")");
        }
    }
    sql
}

/// A value, read by the column's own function if it has one.
fn read(test: &Test, value: String) -> Sql {
    let mut sql = Sql::new();
    match &test.read_by {
        Some(function) => sql.name(function).push("(").value(value).push(")"),
        None => sql.value(value),
    };
    sql
}

/// The symbol of an operator, with a blank on either side.
fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Eq => " = ",
        Operator::Neq => " <> ",
        Operator::Gt => " > ",
        Operator::Gte => " >= ",
        Operator::Lt => " < ",
        Operator::Lte => " <= ",
        Operator::Like => " LIKE ",
        Operator::Ilike => " ILIKE ",
        Operator::Match => " ~ ",
        Operator::Imatch => " ~* ",
        Operator::IsDistinct => " IS DISTINCT FROM ",
        Operator::Contains => " @> ",
        Operator::ContainedIn => " <@ ",
        Operator::Overlaps => " && ",
        Operator::StrictlyLeft => " << ",
        Operator::StrictlyRight => " >> ",
        Operator::NotRight => " &< ",
        Operator::NotLeft => " &> ",
        Operator::Adjacent => " -|- ",
    }
}

/// An array literal of these elements.
fn array(elements: &[String]) -> String {
    let mut text = String::from("{");
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push('"');
        for c in element.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}
