//! Rows that hold rows: a member of a row that names a relation, as an embed would, holds what is inserted with it.
//!
//! Each relation has its own [`Rows`], filled while the body is read, and remembers for each of them which row held it.
//! From this tree comes the list of inserts: what a row points at goes before it, what points at it goes after.

use mainstay_schema::model::Checks;
use mainstay_schema::{ColumnId, Reference, Schema, Table, Value};

use super::defaults::{self, Filled};
use super::relations::{self, Way};
use super::resolve::not_implemented;
use super::rows::{Rows, null};
use super::{Expect, Fresh, Insert, Nested, Part, PartLink};
use crate::error::{NestedPlace, ParseError, PlanError};
use crate::limits::Limits;
use crate::parse::within;

/// What the rows of one level may hold.
pub(super) struct Nests<'a> {
    schema: &'a Schema,
    limits: &'a Limits,
    depth: usize,
    members: Vec<Nest<'a>>,
}

/// A member that holds rows.
pub(super) struct Nest<'a> {
    /// As written.
    name: String,
    way: Way<'a>,
    pub(super) children: Rows<'a>,
    /// For each child the row that held it, from 0.
    parents: Vec<usize>,
    /// The last row that named it, from 1.
    named: usize,
}

impl<'a> Nests<'a> {
    pub(super) fn new(schema: &'a Schema, limits: &'a Limits, depth: usize) -> Nests<'a> {
        Nests { schema, limits, depth, members: Vec::new() }
    }

    pub(super) fn into_members(self) -> Vec<Nest<'a>> {
        self.members
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member of this name, if rows were seen to have it.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|nest| nest.name == name)
    }

    /// Adds the member if its name means a relation of `table`.
    pub(super) fn add(&mut self, table: &'a Table, name: &str) -> Result<Option<usize>, PlanError> {
        let (target, hint) = target(name);
        let Some((child, way)) = relations::way(self.schema, table, target, hint)? else { return Ok(None) };
        within("embed_depth_max", self.limits.embed_depth_max, self.depth + 1)?;
        within("embeds_max", self.limits.embeds_max, self.members.len() + 1)?;
        if !child.is_writable() {
            return Err(PlanError::ReadOnly { table: child.name.to_string() });
        }
        let children = Rows::nesting(self.schema, self.limits, child, None, self.depth + 1)?;
        let name = name.to_owned();
        self.members.push(Nest { name, way, children, parents: Vec::new(), named: 0 });
        Ok(Some(self.members.len() - 1))
    }

    pub(super) fn member(&mut self, number: usize) -> &mut Nest<'a> {
        &mut self.members[number]
    }

    /// Whether the row of this number, from 1, named each member.
    pub(super) fn are_named_by(&self, row: usize) -> bool {
        self.members.iter().all(|nest| nest.named == row)
    }
}

impl<'a> Nest<'a> {
    /// Whether it holds one row rather than a list.
    pub(super) fn is_one(&self) -> bool {
        matches!(self.way, Way::Parent(_) | Way::Child { is_one: true, .. })
    }

    /// Notes that the row of this number, from 1, names it; false if it did already.
    pub(super) fn name_by(&mut self, row: usize) -> bool {
        std::mem::replace(&mut self.named, row) != row
    }

    /// Notes who holds the children that came since.
    pub(super) fn hold(&mut self, row: usize) {
        self.parents.resize(self.children.next_row() - 1, row - 1);
    }

    /// An error at the child that comes next, held by the row of this number.
    pub(super) fn at_next(&self, row: usize, error: PlanError) -> PlanError {
        let child = self.children.next_row() - self.parents.len();
        self.at(row, child, error)
    }

    /// An error that tells of a child by its number among all of them, or of all of them.
    fn at_child(&self, error: PlanError) -> PlanError {
        let position = match &error {
            PlanError::Nested { row, .. } => Some(*row),
            PlanError::Value { row, .. } | PlanError::Check { row, .. } | PlanError::NotNull { row, .. } => *row,
            _ => None,
        };
        let position = position.unwrap_or(1).saturating_sub(1);
        let parent = self.parents.get(position).copied().unwrap_or(0);
        let child = self.parents.iter().take(position + 1).filter(|other| **other == parent).count();
        self.at(parent + 1, child, error)
    }

    fn at(&self, row: usize, child: usize, mut error: PlanError) -> PlanError {
        let here = NestedPlace { name: self.name.clone(), row: (!self.is_one()).then_some(child) };
        let table = self.children.table.name.to_string();
        match error {
            PlanError::Nested { mut path, mut tables, error, .. } => {
                path.insert(0, here);
                tables.insert(0, table);
                PlanError::Nested { row, path, tables, error }
            }
            _ => {
                match &mut error {
                    PlanError::Value { row, .. } | PlanError::Check { row, .. } | PlanError::NotNull { row, .. } => {
                        *row = None;
                    }
                    // The row of its list, which the place tells better.
                    PlanError::Parse(ParseError::Body { details, .. }) => {
                        details.take_if(|details| details.starts_with("row "));
                    }
                    _ => {}
                }
                PlanError::Nested { row, path: vec![here], tables: vec![table], error: Box::new(error) }
            }
        }
    }
}

/// Whether a member of this name means a relation of `table`, or several.
pub(super) fn is_relation(schema: &Schema, table: &Table, name: &str) -> bool {
    let (target, hint) = target(name);
    !matches!(relations::way(schema, table, target, hint), Ok(None))
}

/// Target and hint in the name of a member.
fn target(name: &str) -> (&str, Option<&str>) {
    name.split_once('!').map_or((name, None), |(target, hint)| (target, Some(hint)))
}

/// Makes the inserts of rows that hold rows.
pub(super) fn plan(
    rows: Rows<'_>,
    limits: &Limits,
    fresh: &dyn Fresh,
    missing_default: bool,
) -> Result<Nested, PlanError> {
    let mut builder = Builder { fresh, missing_default, parts: Vec::new() };
    let root = builder.add(rows, None)?;
    let parts = builder.parts;
    within("write_rows_max", limits.write_rows_max, parts.iter().map(|part| part.insert.rows.len()).sum())?;
    Ok(Nested { parts, root, returning: None, expect: Expect::default() })
}

struct Builder<'f> {
    fresh: &'f dyn Fresh,
    missing_default: bool,
    parts: Vec<Part>,
}

/// Rows that take the values of a reference from rows of an earlier part.
struct Taking<'a> {
    reference: &'a Reference,
    target: &'a Table,
    part: usize,
    rows: Vec<Option<usize>>,
}

impl Builder<'_> {
    /// Adds the rows of a level with all that they hold, and gives their part. `holder` is what they point at when
    /// they are held by it.
    fn add(&mut self, mut rows: Rows<'_>, holder: Option<Taking<'_>>) -> Result<usize, PlanError> {
        let count = rows.next_row() - 1;
        let mut taking: Vec<Taking<'_>> = holder.into_iter().collect();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for nest in rows.take_nests() {
            if let Way::Parent(_) = nest.way { before.push(nest) } else { after.push(nest) }
        }
        for nest in before {
            let Way::Parent(reference) = nest.way else { continue };
            let mut held = vec![None; count];
            nest.parents.iter().enumerate().for_each(|(child, row)| held[*row] = Some(child));
            let target = nest.children.table;
            let part = self.add_held(nest, None)?;
            taking.push(Taking { reference, target, part, rows: held });
        }
        let part = self.insert(rows, taking)?;
        for nest in after {
            let held = nest.parents.iter().map(|row| Some(*row)).collect();
            match nest.way {
                Way::Parent(_) => {}
                Way::Child { reference, parent, .. } => {
                    self.add_held(nest, Some(Taking { reference, target: parent, part, rows: held }))?;
                }
                Way::Junction { table, near, far, parent } => {
                    if near.columns.iter().any(|column| far.columns.contains(column)) {
                        let details = format!("Rows through {}, both of whose keys share a column.", table.name);
                        return Err(not_implemented(details));
                    }
                    if !table.is_writable() {
                        return Err(PlanError::ReadOnly { table: table.name.to_string() });
                    }
                    let target = nest.children.table;
                    let count = nest.parents.len();
                    let first = nest.parents.first().map_or(1, |row| row + 1);
                    let name = nest.name.clone();
                    let children = self.add_held(nest, None)?;
                    let mut links = Rows::new(table, None, usize::MAX)?;
                    for _ in 0..count {
                        links.push(Vec::new())?;
                    }
                    let to = |reference, target, part, rows| Taking { reference, target, part, rows };
                    let taking =
                        vec![to(near, parent, part, held), to(far, target, children, (0..count).map(Some).collect())];
                    // Of a junction's columns only those are told who may create its rows.
                    self.insert(links, taking).map_err(|error| PlanError::Nested {
                        row: first,
                        path: vec![NestedPlace { name, row: None }],
                        tables: vec![target.name.to_string(), table.name.to_string()],
                        error: Box::new(error),
                    })?;
                }
            }
        }
        Ok(part)
    }

    /// Adds what a member holds; errors tell of it by the rows that hold it.
    fn add_held<'a>(&mut self, mut nest: Nest<'a>, holder: Option<Taking<'a>>) -> Result<usize, PlanError> {
        let table = nest.children.table;
        let children = std::mem::replace(&mut nest.children, Rows::new(table, None, 0)?);
        self.add(children, holder).map_err(|error| nest.at_child(error))
    }

    fn insert(&mut self, rows: Rows<'_>, taking: Vec<Taking<'_>>) -> Result<usize, PlanError> {
        let table = rows.table;
        let mut linked: Vec<ColumnId> = Vec::new();
        for link in &taking {
            check_link(table, link)?;
            for column in &link.reference.columns {
                let name = &table.column(*column).name;
                if rows.slot(name).is_some() || linked.contains(column) {
                    let message = format!("Column \"{name}\" of \"{}\" is given twice", table.name);
                    let details = "By itself, and by a row that it would point at.".to_owned();
                    return Err(PlanError::Parse(ParseError::Body { message, details: Some(details) }));
                }
                linked.push(*column);
            }
        }
        let Filled { columns, mut rows } =
            defaults::insert_linked(rows, self.fresh, self.missing_default, &[], &linked)?;
        let mut links = Vec::with_capacity(taking.len());
        for link in taking {
            let place = |column: &ColumnId| columns.iter().position(|other| other == column);
            let places: Option<Vec<usize>> = link.reference.columns.iter().map(place).collect();
            // Without rows there may be no columns.
            let Some(places) = places else { continue };
            for (position, (row, from)) in rows.iter_mut().zip(&link.rows).enumerate() {
                for (place, column) in places.iter().zip(&link.reference.columns).filter(|_| from.is_none()) {
                    let column = table.column(*column);
                    if !column.optional {
                        return Err(null(table, column, position + 1));
                    }
                    row[*place] = Some(Value::Null);
                }
            }
            let columns = places.into_iter().zip(link.reference.target_columns.iter().copied()).collect();
            links.push(PartLink { part: link.part, columns, rows: link.rows });
        }
        let (conflict, returning, expect) = (None, None, Expect::default());
        let insert = Insert { table: table.id, columns, rows, conflict, returning, expect };
        self.parts.push(Part { insert, links });
        Ok(self.parts.len() - 1)
    }
}

/// A value that goes from one table to another is not looked at again, so what is good there must be good here.
fn check_link(table: &Table, link: &Taking<'_>) -> Result<(), PlanError> {
    let pairs = link.reference.columns.iter().zip(&link.reference.target_columns);
    for (here, there) in pairs.map(|(here, there)| (table.column(*here), link.target.column(*there))) {
        if here.ty != there.ty || here.checks != Checks::default() {
            let details = format!(
                "Rows of {} inside others: its column \"{}\" has checks, or another type than what it points at.",
                table.name, here.name
            );
            return Err(not_implemented(details));
        }
    }
    Ok(())
}
