//! What columns, filters and orders mean on one relation.

use std::sync::Arc;

use mainstay_http::{Problem, codes};
use mainstay_query::request::{Condition, Field, IsWord, Operation};

use super::model::{Filter, Operand, Test, TestOf, Vector};
use super::place::{Names, Node};
use crate::catalog::{Catalog, Column, Name, Relation};

/// Looks names up in one relation, or leaves them to the server where there is none.
#[derive(Clone, Copy)]
pub(super) struct Fields<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) relation: Option<&'c Relation>,
}

impl<'c> Fields<'c> {
    /// A column as it stands in filters and orders.
    pub(super) fn operand(&self, field: &Field) -> Operand {
        let column = self.column(&field.name);
        let is_json = column.is_some_and(|column| matches!(&*column.declared_type, "json" | "jsonb"));
        Operand {
            name: column.map_or_else(|| Arc::from(&*field.name), |column| column.name.clone()),
            path: field.path.clone(),
            // Columns that are JSON stay as they are, so that indexes on paths are used.
            to_json: !field.path.is_empty() && !is_json,
            shown_by: None,
        }
    }

    /// A column as it is shown.
    pub(super) fn shown(&self, field: &Field) -> Operand {
        let mut operand = self.operand(field);
        if field.path.is_empty() {
            operand.shown_by = self.column(&field.name).and_then(|column| self.shown_by(column));
        }
        operand
    }

    /// All columns, each as it is shown.
    pub(super) fn all_shown(&self) -> Vec<Operand> {
        let shown = |column: &Column| Operand {
            name: column.name.clone(),
            path: Vec::new(),
            to_json: false,
            shown_by: self.shown_by(column),
        };
        self.relation.map(|relation| relation.columns.iter().map(shown).collect()).unwrap_or_default()
    }

    /// Whether some column is shown in another form than the server's.
    pub(super) fn has_shown_forms(&self) -> bool {
        self.relation.is_some_and(|relation| relation.columns.iter().any(|column| self.shown_by(column).is_some()))
    }

    fn column(&self, name: &str) -> Option<&'c Column> {
        self.relation.and_then(|relation| relation.column(name))
    }

    fn shown_by(&self, column: &Column) -> Option<Name> {
        self.representation(&column.declared_type, &Arc::from("json"))
    }

    fn representation(&self, from: &Arc<str>, to: &Arc<str>) -> Option<Name> {
        let all = &self.catalog.representations;
        if all.is_empty() {
            return None;
        }
        all.get(&(from.clone(), to.clone())).map(|representation| representation.function.clone())
    }

    /// A filter at a level with these children.
    ///
    /// # Errors
    /// PGRST120 if an embed is tested for anything but null.
    pub(super) fn filter(
        &self,
        condition: &Condition,
        children: &[Node<'_>],
        names: &mut Names,
    ) -> Result<Filter, Problem> {
        let all = |parts: &[Condition], names: &mut Names| -> Result<Vec<Filter>, Problem> {
            parts.iter().map(|part| self.filter(part, children, names)).collect()
        };
        Ok(match condition {
            Condition::And(parts) => Filter::All(all(parts, names)?),
            Condition::Or(parts) => Filter::Any(all(parts, names)?),
            Condition::Not(inner) => Filter::Not(Box::new(self.filter(inner, children, names)?)),
            Condition::Test(field, operation) => match self.embedded(field, operation, children, names)? {
                Some(filter) => filter,
                None => Filter::Test(Box::new(self.test(field, operation))),
            },
        })
    }

    /// A null test on an embed, if it is one.
    fn embedded(
        &self,
        field: &Field,
        operation: &Operation,
        children: &[Node<'_>],
        names: &mut Names,
    ) -> Result<Option<Filter>, Problem> {
        let word = match operation {
            Operation::Is(word @ (IsWord::Null | IsWord::NotNull)) => Some(*word),
            _ => None,
        };
        let is_column = self.column(&field.name).is_some();
        let is_child = |child: &Node<'_>| child.alias() == Some(&*field.name) || child.target() == field.name;
        if !field.path.is_empty() || !children.iter().any(is_child) || (is_column && word.is_none()) {
            return Ok(None);
        }
        // The name of a column is one, also where an embed with another name leads through it.
        if is_column && !children.iter().any(|child| child.alias().unwrap_or(child.target()) == field.name) {
            return Ok(None);
        }
        let at = names.look_up(children, &field.name)?;
        Ok(match (at, word) {
            (None, _) => None,
            (Some(at), Some(IsWord::NotNull)) => Some(Filter::Embedded(at)),
            (Some(at), Some(_)) => Some(Filter::Not(Box::new(Filter::Embedded(at)))),
            (Some(_), None) => {
                let message = format!("Bad operator on the '{}' embedded resource", field.name);
                let details = "Only is null or not is null filters are allowed on embedded resources";
                return Err(Problem::new(codes::EMBED_FILTER, message).details(details));
            }
        })
    }

    fn test(&self, field: &Field, operation: &Operation) -> Test {
        let column = self.column(&field.name);
        let read_by = column
            .filter(|_| field.path.is_empty())
            .and_then(|column| self.representation(&Arc::from("text"), &column.declared_type));
        let of = match operation {
            Operation::Binary { operator, quantifier, value } => {
                TestOf::Binary { operator: *operator, quantifier: *quantifier, value: value.clone() }
            }
            Operation::Column { operator, field } => TestOf::Column { operator: *operator, other: self.operand(field) },
            Operation::Search { syntax, language, text } => TestOf::Search {
                syntax: *syntax,
                language: language.clone(),
                text: text.clone(),
                vector: self.vector(field),
            },
            Operation::In(values) => TestOf::In(values.clone()),
            Operation::Is(word) => TestOf::Is(*word),
        };
        Test { operand: self.operand(field), read_by, of }
    }

    /// How a search gets the vector of a field.
    fn vector(&self, field: &Field) -> Vector {
        match self.column(&field.name) {
            _ if !field.path.is_empty() => Vector::Made,
            Some(column) if &*column.base_type == "tsvector" => Vector::Itself,
            Some(_) => Vector::Made,
            // A function of the row may give either.
            None => Vector::Unknown,
        }
    }
}
