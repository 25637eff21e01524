//! Conditions as the server tests them: `$match` without expressions on what a caller gave, in SQL's three-valued logic.
//!
//! The server knows two outcomes and takes null for a value, so a condition has two forms here: one for the rows of which
//! it is true, one for those of which it is false; the rows of which it is unknown pass neither. `not` goes from one form
//! to the other. What a test cannot be given exactly has no form, and is looked at here (`apart.rs`).

use bson::{Bson, DateTime, Document, Regex, doc};
use mainstay_query::evaluate::like_regex;
use mainstay_query::plan::{ColumnTest, Comparison, Expr, Filter, Test};
use mainstay_schema::model::Texts;
use mainstay_schema::{ColumnId, Schema, Table, Type, Value};
use mongodb::bson;

use super::{moments, names, paths, types};
use crate::sql::pattern::{self, Words};

/// How the server writes regular expressions: PCRE, with characters as they are.
const WORDS: Words = Words { start: "", end: r"\z", character, repeat_max: 1000 };

/// Octets of a regular expression that the server takes.
const PATTERN_OCTETS_MAX: usize = 32_000;

/// Which outcome a form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The condition is true.
    True,
    /// It is false.
    False,
}

impl Outcome {
    fn opposite(self) -> Outcome {
        if self == Outcome::True { Outcome::False } else { Outcome::True }
    }
}

/// What passes every row.
pub(super) fn always() -> Document {
    Document::new()
}

/// What passes no row.
pub(super) fn never() -> Document {
    doc! { names::ID: { "$in": [] } }
}

/// All of these.
pub(super) fn all(parts: Vec<Document>) -> Document {
    let mut parts: Vec<Document> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match parts.len() {
        0 => always(),
        1 => parts.remove(0),
        _ => doc! { "$and": parts },
    }
}

/// One of these.
pub(super) fn any(mut parts: Vec<Document>) -> Document {
    if parts.iter().any(Document::is_empty) {
        return always();
    }
    match parts.len() {
        0 => never(),
        1 => parts.remove(0),
        _ => doc! { "$or": parts },
    }
}

/// Conditions on the rows of one table.
pub(super) struct Conditions<'c> {
    pub(super) schema: &'c Schema,
    pub(super) table: &'c Table,
    /// What stands for a test of related rows; nothing where they cannot be followed.
    pub(super) exists: &'c mut dyn FnMut(&Filter, Outcome) -> Option<Document>,
}

impl Conditions<'_> {
    /// The form of a condition for an outcome; `None` if it has none.
    pub(super) fn form(&mut self, filter: &Filter, outcome: Outcome) -> Option<Document> {
        let is_true = outcome == Outcome::True;
        Some(match filter {
            Filter::True => {
                if is_true {
                    always()
                } else {
                    never()
                }
            }
            Filter::False => {
                if is_true {
                    never()
                } else {
                    always()
                }
            }
            Filter::Unknown => never(),
            Filter::And(parts) | Filter::Or(parts) => {
                let forms: Option<Vec<Document>> = parts.iter().map(|part| self.form(part, outcome)).collect();
                let is_all = matches!(filter, Filter::And(_)) == is_true;
                if is_all { all(forms?) } else { any(forms?) }
            }
            Filter::Not(part) => self.form(part, outcome.opposite())?,
            Filter::Exists { .. } => (self.exists)(filter, outcome)?,
            Filter::Test { expr, test } => leaf(self.schema, self.table, expr, test, outcome)?,
            Filter::Columns { left, test, right } => columns(self.schema, self.table, left, *test, right, outcome)?,
            Filter::Search(_) => return None,
        })
    }
}

/// The form of a condition that follows no links; `None` if it has none.
pub(super) fn exact(schema: &Schema, table: &Table, filter: &Filter) -> Option<Document> {
    Conditions { schema, table, exists: &mut |_, _| None }.form(filter, Outcome::True)
}

/// A form that all rows pass of which a condition is true, and perhaps more.
pub(super) fn superset(schema: &Schema, table: &Table, filter: &Filter) -> Document {
    if let Some(exact) = exact(schema, table, filter) {
        return exact;
    }
    match filter {
        Filter::And(parts) => all(parts.iter().map(|part| superset(schema, table, part)).collect()),
        Filter::Or(parts) => any(parts.iter().map(|part| superset(schema, table, part)).collect()),
        Filter::Test { expr, test } if !is_cast(table, expr) => {
            paths::candidates(table, expr, test).unwrap_or_default()
        }
        _ => always(),
    }
}

/// Whether an expression converts what it holds.
pub(super) fn is_cast(table: &Table, expr: &Expr) -> bool {
    expr.cast.as_ref().is_some_and(|to| *to != expr.base_type(table))
}

/// A field, and what is known of what it holds.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) texts: Texts,
    /// Whether other programs write it too, so that it may hold anything.
    pub(super) is_found: bool,
}

impl Field {
    /// The field of a column; `None` if its name is one that the server would take for something else.
    pub(super) fn of(schema: &Schema, table: &Table, column: ColumnId) -> Option<Field> {
        let (name, column) = (names::field(table, column), table.column(column));
        names::is_plain(name).then(|| Field {
            name: name.to_owned(),
            ty: column.ty.clone(),
            texts: column.texts,
            is_found: schema.found().is_some(),
        })
    }

    /// A condition on the field.
    pub(super) fn is(&self, condition: impl Into<Bson>) -> Document {
        doc! { &self.name: condition.into() }
    }

    /// That it holds a value of its type, with these conditions on it besides.
    pub(super) fn holds(&self, mut condition: Document) -> Document {
        match &self.ty {
            Type::Array(_) => {
                condition.insert("$type", "array");
            }
            _ if self.is_found => {
                condition.insert("$type", kinds(&self.ty));
                // A list is taken for each of its items.
                let inner = match condition.remove("$not") {
                    Some(not) => return all(vec![self.is(condition), self.is(doc! { "$not": not }), self.no_list()]),
                    None => condition,
                };
                return all(vec![self.is(inner), self.no_list()]);
            }
            _ => {}
        }
        self.is(condition)
    }

    fn no_list(&self) -> Document {
        self.is(doc! { "$not": { "$type": "array" } })
    }

    /// That it holds nothing.
    pub(super) fn is_null(&self) -> Document {
        // A list that holds null is taken for null.
        match &self.ty {
            Type::Array(_) | Type::Json => self.is(doc! { "$eq": null, "$not": { "$type": "array" } }),
            _ if self.is_found => self.is(doc! { "$eq": null, "$not": { "$type": "array" } }),
            _ => self.is(Bson::Null),
        }
    }

    /// That it holds something.
    pub(super) fn is_not_null(&self) -> Document {
        let something = self.is(doc! { "$ne": null });
        match &self.ty {
            Type::Array(_) | Type::Json => any(vec![something, self.is(doc! { "$type": "array" })]),
            _ if self.is_found => any(vec![something, self.is(doc! { "$type": "array" })]),
            _ => something,
        }
    }

    /// That it compares with a value, which is none that is null; `None` if the server cannot tell.
    pub(super) fn compares(&self, comparison: Comparison, value: &Value) -> Option<Document> {
        use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
        let is_equality = matches!(comparison, Eq | Neq);
        if !is_comparable(&self.ty) || !(is_equality || is_ordered(&self.ty)) {
            return None;
        }
        let (comparison, value) = match self.operand(value) {
            Operand::Value(value) => (comparison, value),
            // It lies between what can be kept and the next one.
            Operand::Above(value) => match comparison {
                Eq => return Some(never()),
                Neq => return Some(self.is_not_null()),
                Lt | Lte => (Lte, value),
                Gt | Gte => (Gt, value),
            },
            Operand::Nowhere if comparison == Eq => return Some(never()),
            Operand::Nowhere if comparison == Neq => return Some(self.is_not_null()),
            Operand::Nowhere => return None,
        };
        Some(match comparison {
            // The plainest form, by which the server sees that one document is meant.
            Eq if !self.is_found && !matches!(self.ty, Type::Array(_)) => self.is(value),
            Eq => self.holds(doc! { "$eq": value }),
            // A list is of its type, so it is not null; and an item of it may be.
            Neq if matches!(self.ty, Type::Array(_)) => self.holds(doc! { "$ne": value }),
            Neq => self.holds(doc! { "$nin": [value, Bson::Null] }),
            Lt => self.holds(doc! { "$lt": value }),
            Lte => self.holds(doc! { "$lte": value }),
            Gt => self.holds(doc! { "$gt": value }),
            Gte => self.holds(doc! { "$gte": value }),
        })
    }

    fn operand(&self, value: &Value) -> Operand {
        match value {
            Value::Timestamp(text) => match moments::milliseconds(text) {
                Some((milliseconds, is_cut)) => {
                    let kept = Bson::DateTime(DateTime::from_millis(milliseconds));
                    if is_cut { Operand::Above(kept) } else { Operand::Value(kept) }
                }
                None => Operand::Nowhere,
            },
            Value::Array(items) if items.iter().any(|item| matches!(self.operand(item), Operand::Above(_))) => {
                Operand::Nowhere
            }
            value => types::operand(value, self.texts).map_or(Operand::Nowhere, Operand::Value),
        }
    }

    /// The values of a list that rows can hold.
    fn operands(&self, values: &[Value]) -> Vec<Bson> {
        let kept = |value: &Value| match self.operand(value) {
            Operand::Value(value) => Some(value),
            Operand::Above(_) | Operand::Nowhere => None,
        };
        values.iter().filter_map(kept).collect()
    }
}

/// A value as the server can hold it.
enum Operand {
    Value(Bson),
    /// Between this one and the next that it can hold.
    Above(Bson),
    /// None that it can hold.
    Nowhere,
}

/// Whether equal values of a type are equal to the server too.
pub(super) fn is_comparable(ty: &Type) -> bool {
    match ty {
        Type::Json => false,
        Type::Array(item) => **item != Type::Json,
        _ => true,
    }
}

/// Whether the server's order of a type is ours.
pub(super) fn is_ordered(ty: &Type) -> bool {
    // Of octets it takes the shorter for the smaller, and of lists it compares single items.
    !matches!(ty, Type::Json | Type::Array(_) | Type::Bytes)
}

/// The server's names of the kinds of values that a type has.
pub(super) fn kinds(ty: &Type) -> Bson {
    match ty {
        Type::Bool => "bool".into(),
        Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => "number".into(),
        Type::Text => Bson::Array(vec!["string".into(), "objectId".into()]),
        Type::Date | Type::Time => "string".into(),
        Type::Uuid | Type::Bytes => "binData".into(),
        Type::Timestamp => "date".into(),
        Type::Array(_) => "array".into(),
        Type::Json => Bson::Array(vec![Bson::Int32(-1)]),
    }
}

fn leaf(schema: &Schema, table: &Table, expr: &Expr, test: &Test, outcome: Outcome) -> Option<Document> {
    if is_cast(table, expr) {
        return None;
    }
    let field = Field::of(schema, table, expr.column)?;
    if !expr.path.is_empty() {
        return paths::form(&field, expr, test, outcome);
    }
    let is_true = outcome == Outcome::True;
    Some(match test {
        Test::IsNull => {
            if is_true {
                field.is_null()
            } else {
                field.is_not_null()
            }
        }
        Test::IsBool(wanted) if is_true => field.holds(doc! { "$eq": *wanted }),
        Test::IsBool(wanted) => field.is(doc! { "$ne": *wanted }),
        Test::Compare(comparison, value) => {
            field.compares(if is_true { *comparison } else { negated(*comparison) }, value)?
        }
        Test::IsDistinct(value) if is_comparable(&field.ty) => match (field.operand(value), is_true) {
            (Operand::Value(value), true) => field.is(doc! { "$ne": value }),
            (Operand::Value(value), false) => field.is(doc! { "$eq": value }),
            (_, true) => always(),
            (_, false) => never(),
        },
        Test::In(list) if list.is_empty() => {
            if is_true {
                never()
            } else {
                always()
            }
        }
        Test::In(list) if is_comparable(&field.ty) => {
            let mut list = field.operands(list);
            if is_true {
                field.holds(doc! { "$in": list })
            } else {
                if !matches!(field.ty, Type::Array(_)) {
                    list.push(Bson::Null);
                }
                field.holds(doc! { "$nin": list })
            }
        }
        Test::Like { pattern, case_sensitive } if field.texts != Texts::ObjectIds => {
            matches(&field, like_regex(pattern, *case_sensitive).as_str(), *case_sensitive, outcome)?
        }
        Test::Match { pattern, case_sensitive } if field.texts != Texts::ObjectIds => {
            matches(&field, pattern.0.as_str(), *case_sensitive, outcome)?
        }
        Test::Contains(value) => set(&field, Set::Contains, value, outcome)?,
        Test::ContainedIn(value) => set(&field, Set::ContainedIn, value, outcome)?,
        Test::Overlaps(value) => set(&field, Set::Overlaps, value, outcome)?,
        Test::IsDistinct(_) | Test::In(_) | Test::Like { .. } | Test::Match { .. } | Test::Range(..) => return None,
    })
}

fn negated(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Eq => Comparison::Neq,
        Comparison::Neq => Comparison::Eq,
        Comparison::Lt => Comparison::Gte,
        Comparison::Lte => Comparison::Gt,
        Comparison::Gt => Comparison::Lte,
        Comparison::Gte => Comparison::Lt,
    }
}

/// Tests of what a list holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Contains,
    ContainedIn,
    Overlaps,
}

fn set(field: &Field, set: Set, value: &Value, outcome: Outcome) -> Option<Document> {
    let (Type::Array(_), Value::Array(items)) = (&field.ty, value) else { return None };
    if !is_comparable(&field.ty) {
        return None;
    }
    let is_true = outcome == Outcome::True;
    // What equals nothing, or cannot be held, is in no list.
    let known = field.operands(&items.iter().filter(|item| !item.is_null()).cloned().collect::<Vec<_>>());
    let is_whole = known.len() == items.len();
    let list = || field.is(doc! { "$type": "array" });
    let constant = |holds: bool| if holds == is_true { list() } else { never() };
    Some(match set {
        Set::Contains if !is_whole => constant(false),
        Set::Contains if known.is_empty() => constant(true),
        Set::Contains if is_true => field.is(doc! { "$type": "array", "$all": known }),
        Set::Contains => field.is(doc! { "$type": "array", "$not": { "$all": known } }),
        Set::Overlaps if known.is_empty() => constant(false),
        Set::Overlaps if is_true => field.is(doc! { "$type": "array", "$in": known }),
        Set::Overlaps => field.is(doc! { "$type": "array", "$nin": known }),
        Set::ContainedIn if is_true => field.is(doc! { "$type": "array", "$not": { "$elemMatch": { "$nin": known } } }),
        Set::ContainedIn => field.is(doc! { "$type": "array", "$elemMatch": { "$nin": known } }),
    })
}

/// That a text has a part that a regular expression matches.
fn matches(field: &Field, source: &str, case_sensitive: bool, outcome: Outcome) -> Option<Document> {
    let regex = regex(source, case_sensitive)?;
    Some(match outcome {
        Outcome::True => field.holds(doc! { "$regex": regex }),
        Outcome::False => all(vec![field.holds(doc! { "$ne": null }), field.is(doc! { "$not": regex })]),
    })
}

/// A regular expression as the server takes it, with what it means in full.
pub(super) fn regex(source: &str, case_sensitive: bool) -> Option<Bson> {
    let pattern = pattern::translate(WORDS, source, case_sensitive)?;
    if pattern.len() > PATTERN_OCTETS_MAX {
        return None;
    }
    let pattern = pattern.try_into().ok()?;
    Some(Bson::RegularExpression(Regex { pattern, options: "s".to_owned().try_into().ok()? }))
}

fn character(text: &mut String, c: char) {
    use std::fmt::Write as _;
    if c.is_ascii_punctuation() {
        text.push('\\');
        text.push(c);
    } else {
        let _ = write!(text, "\\x{{{:x}}}", u32::from(c));
    }
}

/// Tests of one column against another. Only the names of fields stand in the expression.
fn columns(
    schema: &Schema,
    table: &Table,
    left: &Expr,
    test: ColumnTest,
    right: &Expr,
    outcome: Outcome,
) -> Option<Document> {
    let is_column = |expr: &Expr| expr.path.is_empty() && !is_cast(table, expr);
    if !is_column(left) || !is_column(right) {
        return None;
    }
    let (left, right) = (Field::of(schema, table, left.column)?, Field::of(schema, table, right.column)?);
    let is_alike = left.texts == right.texts && is_comparable(&left.ty) && is_comparable(&right.ty);
    if left.is_found || !is_alike {
        return None;
    }
    let (here, there) = (format!("${}", left.name), format!("${}", right.name));
    let is_true = outcome == Outcome::True;
    match test {
        ColumnTest::IsDistinct => {
            let word = if is_true { "$ne" } else { "$eq" };
            let or_null = |path: String| doc! { "$ifNull": [path, Bson::Null] };
            Some(doc! { "$expr": { word: [or_null(here), or_null(there)] } })
        }
        ColumnTest::Compare(comparison) => {
            let is_equality = matches!(comparison, Comparison::Eq | Comparison::Neq);
            if !(is_equality || is_ordered(&left.ty) && is_ordered(&right.ty)) {
                return None;
            }
            let word = match if is_true { comparison } else { negated(comparison) } {
                Comparison::Eq => "$eq",
                Comparison::Neq => "$ne",
                Comparison::Lt => "$lt",
                Comparison::Lte => "$lte",
                Comparison::Gt => "$gt",
                Comparison::Gte => "$gte",
            };
            let holds = doc! { "$expr": { word: [here, there] } };
            Some(all(vec![left.is_not_null(), right.is_not_null(), holds]))
        }
        ColumnTest::Like { .. } => None,
    }
}
