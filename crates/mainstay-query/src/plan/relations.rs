//! How an embed finds its rows: the relations that the foreign keys of a schema make between two tables, and which of
//! them a target and a hint mean.

use mainstay_schema::{ColumnId, Reference, Schema, Table, TableId, near};

use super::resolve::WIRE_SCHEMA;
use super::{Cardinality, Join, Link, Pair};
use crate::error::{Candidate, Mistaken, PlanError};
use crate::request::EmbedItem;

/// The related table and the link to it that an embed of `parent` means.
///
/// # Errors
/// [`PlanError::NoRelation`] if there is none, [`PlanError::Ambiguous`] if there are several.
pub(super) fn find(schema: &Schema, parent: &Table, embed: &EmbedItem) -> Result<(TableId, Link), PlanError> {
    let all = relations(schema, parent);
    let (target, hint) = (embed.target.as_str(), embed.hint.as_deref());
    match meant(&all, target, hint).as_slice() {
        [] => {
            let (mistaken, name, suggestion) = match all.is_empty() {
                true => (Mistaken::Parent, &*parent.name, near(&parent.name, related(schema))),
                false => (Mistaken::Child, target, near(target, all.iter().map(|relation| &*relation.target.name))),
            };
            Err(PlanError::NoRelation {
                parent: parent.name.to_string(),
                child: target.to_owned(),
                hint: embed.hint.clone(),
                schema: WIRE_SCHEMA,
                mistaken,
                suggestion: suggestion.filter(|near| *near != name).map(str::to_owned),
            })
        }
        [one] => Ok((one.target.id, one.link())),
        several => Err(ambiguous(parent, target, several)),
    }
}

/// The keys by which rows that stand inside rows of `parent`, in a member of this name, belong to them; `None` if the
/// name means no relation.
///
/// # Errors
/// [`PlanError::Ambiguous`] if there are several.
pub(super) fn way<'s>(
    schema: &'s Schema,
    parent: &'s Table,
    target: &str,
    hint: Option<&str>,
) -> Result<Option<(&'s Table, Way<'s>)>, PlanError> {
    let all = relations(schema, parent);
    match meant(&all, target, hint).as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((one.target, one.way()))),
        several => Err(ambiguous(parent, target, several)),
    }
}

/// The keys of a relation.
#[derive(Clone, Copy)]
pub(super) enum Way<'s> {
    /// The near row points at the far one.
    Parent(&'s Reference),
    /// Far rows point at the near one.
    Child {
        /// How.
        reference: &'s Reference,
        /// The near table.
        parent: &'s Table,
        /// Whether there can be only one.
        is_one: bool,
    },
    /// Rows of a junction point at both.
    Junction {
        /// The junction.
        table: &'s Table,
        /// Its reference to the near table.
        near: &'s Reference,
        /// Its reference to the far table.
        far: &'s Reference,
        /// The near table.
        parent: &'s Table,
    },
}

/// The relations that `target!hint` means.
fn meant<'r, 's>(all: &'r [Relation<'s>], target: &str, hint: Option<&str>) -> Vec<&'r Relation<'s>> {
    let mut found: Vec<&Relation<'_>> = all.iter().filter(|relation| relation.is_meant(target, hint)).collect();
    if found.is_empty() && hint.is_none() {
        // A table related to itself through a junction only: there is nothing else that its name could mean.
        found = all.iter().filter(|relation| relation.is_self() && &*relation.target.name == target).collect();
        found.retain(|relation| matches!(relation.via, Via::Junction { .. }));
    }
    found
}

/// The tables that requests may name and that are related to any.
fn related(schema: &Schema) -> impl Iterator<Item = &str> {
    let visible = || schema.tables().iter().filter(|table| !table.internal);
    let is_target = move |table: &Table| visible().any(|other| other.relations().any(|one| one.target == table.id));
    visible().filter(move |table| table.relations().next().is_some() || is_target(table)).map(|table| &*table.name)
}

fn ambiguous(parent: &Table, target: &str, several: &[&Relation<'_>]) -> PlanError {
    PlanError::Ambiguous {
        parent: parent.name.to_string(),
        child: target.to_owned(),
        candidates: several.iter().map(|relation| relation.candidate()).collect(),
    }
}

/// One way from a table to another.
pub struct Relation<'s> {
    parent: &'s Table,
    /// The table that it leads to.
    pub target: &'s Table,
    via: Via<'s>,
}

/// Which keys make a relation.
enum Via<'s> {
    /// The parent holds the foreign key.
    Parent(&'s Reference),
    /// The target holds it.
    Target(&'s Reference),
    /// A junction holds one to either side, both within its primary key.
    Junction { table: &'s Table, parent: &'s Reference, target: &'s Reference },
}

/// Every relation of `parent` to tables that requests may name.
pub fn relations<'s>(schema: &'s Schema, parent: &'s Table) -> Vec<Relation<'s>> {
    let visible = || schema.tables().iter().filter(|table| !table.internal);
    let mut found = Vec::new();
    for reference in parent.relations() {
        let target = schema.table(reference.target);
        if !target.internal {
            found.push(Relation { parent, target, via: Via::Parent(reference) });
        }
    }
    for target in visible() {
        for reference in target.relations().filter(|reference| reference.target == parent.id) {
            found.push(Relation { parent, target, via: Via::Target(reference) });
        }
    }
    for junction in visible().filter(|table| table.id != parent.id) {
        junctions(schema, parent, junction, &mut found);
    }
    found
}

fn junctions<'s>(schema: &'s Schema, parent: &'s Table, junction: &'s Table, found: &mut Vec<Relation<'s>>) {
    let in_key = |reference: &Reference| reference.columns.iter().all(|column| junction.primary_key.contains(column));
    for (position, near) in junction.relations().enumerate() {
        if near.target != parent.id || !in_key(near) {
            continue;
        }
        for (other, far) in junction.relations().enumerate() {
            let target = schema.table(far.target);
            // One key that leads to a table and to a view of it joins neither to the other.
            let is_same_key = far.columns == near.columns;
            if other != position && !is_same_key && !target.internal && in_key(far) {
                let via = Via::Junction { table: junction, parent: near, target: far };
                found.push(Relation { parent, target, via });
            }
        }
    }
}

/// What descriptions of the API tell of a relation.
impl Relation<'_> {
    /// The tables whose rows it shows: its target, and the junction on the way there.
    pub fn tables(&self) -> impl Iterator<Item = TableId> {
        let junction = match self.via {
            Via::Junction { table, .. } => Some(table.id),
            Via::Parent(_) | Via::Target(_) => None,
        };
        std::iter::once(self.target.id).chain(junction)
    }

    /// The columns of the table itself with those of the target that hold the same values; none through a junction.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let (here, there): (&[ColumnId], &[ColumnId]) = match self.via {
            Via::Parent(reference) => (&reference.columns, &reference.target_columns),
            Via::Target(reference) => (&reference.target_columns, &reference.columns),
            Via::Junction { .. } => (&[], &[]),
        };
        here.iter()
            .zip(there)
            .map(|(here, there)| (&*self.parent.column(*here).name, &*self.target.column(*there).name))
    }

    /// Whether the table itself holds the foreign key.
    pub fn is_reference(&self) -> bool {
        matches!(self.via, Via::Parent(_))
    }

    /// `many-to-one` and the like.
    pub fn cardinality(&self) -> &'static str {
        self.candidate().cardinality
    }

    /// How a request names it: the shortest text before the parentheses of an embed that means this relation alone.
    pub fn embed(&self, schema: &Schema) -> String {
        let all = relations(schema, self.parent);
        let column = match self.via {
            Via::Parent(reference) => match reference.columns.as_slice() {
                [column] => Some(self.parent.column(*column).name.to_string()),
                _ => None,
            },
            Via::Target(_) | Via::Junction { .. } => None,
        };
        let names = [Some(self.target.name.to_string()), column];
        let is_clear = |name: &String| {
            let mut meant = all.iter().filter(|relation| relation.is_meant(name, None));
            meant.next().is_some_and(|relation| relation.is_same(self)) && meant.next().is_none()
        };
        names.into_iter().flatten().find(is_clear).unwrap_or_else(|| self.candidate().instead)
    }

    fn is_same(&self, other: &Relation<'_>) -> bool {
        let key = |relation: &Relation<'_>| match relation.via {
            Via::Parent(reference) => (0, reference.name.clone(), None),
            Via::Target(reference) => (1, reference.name.clone(), None),
            Via::Junction { parent, target, .. } => (2, parent.name.clone(), Some(target.name.clone())),
        };
        self.target.id == other.target.id && key(self) == key(other)
    }
}

impl<'s> Relation<'s> {
    fn way(&self) -> Way<'s> {
        match self.via {
            Via::Parent(reference) => Way::Parent(reference),
            Via::Target(reference) => {
                Way::Child { reference, parent: self.parent, is_one: self.target.is_key(&reference.columns) }
            }
            Via::Junction { table, parent, target } => {
                Way::Junction { table, near: parent, far: target, parent: self.parent }
            }
        }
    }

    fn is_self(&self) -> bool {
        self.parent.id == self.target.id
    }

    /// Whether `target!hint` means this relation.
    fn is_meant(&self, target: &str, hint: Option<&str>) -> bool {
        let is_name = &*self.target.name == target;
        match (hint, self.is_self()) {
            (None, false) => is_name || self.is_constraint(target) || self.is_parent_column(target),
            // One key makes two relations: the name means the children, the column the parent.
            (None, true) => (is_name && matches!(self.via, Via::Target(_))) || self.is_parent_column(target),
            (Some(hint), false) => is_name && self.is_hinted(hint),
            (Some(hint), true) => is_name && self.is_hinted_self(hint),
        }
    }

    /// A foreign key of a table may be named instead of its target.
    fn is_constraint(&self, name: &str) -> bool {
        match self.via {
            Via::Parent(reference) | Via::Target(reference) => {
                &*reference.name == name && self.parent.is_writable() && self.target.is_writable()
            }
            Via::Junction { .. } => false,
        }
    }

    /// So may its column, when it is a single one.
    fn is_parent_column(&self, name: &str) -> bool {
        // A column that leads to a table leads to the views of it as well; it means the table.
        matches!(self.via, Via::Parent(reference)
            if self.target.is_writable() && is_single(self.parent, &reference.columns, name))
    }

    fn is_hinted(&self, hint: &str) -> bool {
        let (holder, other, reference) = match self.via {
            Via::Parent(reference) => (self.parent, self.target, reference),
            Via::Target(reference) => (self.target, self.parent, reference),
            Via::Junction { table, .. } => return &*table.name == hint,
        };
        &*reference.name == hint
            || is_single(holder, &reference.columns, hint)
            || is_single(other, &reference.target_columns, hint)
    }

    /// In a self reference the hint names the column on the far side, so that the key's column means the children.
    fn is_hinted_self(&self, hint: &str) -> bool {
        match self.via {
            Via::Parent(reference) => is_single(self.target, &reference.target_columns, hint),
            Via::Target(reference) => &*reference.name == hint || is_single(self.target, &reference.columns, hint),
            Via::Junction { table, target, .. } => {
                &*table.name == hint || &*target.name == hint || is_single(table, &target.columns, hint)
            }
        }
    }

    fn link(&self) -> Link {
        let (cardinality, join) = match self.via {
            Via::Parent(reference) => {
                (Cardinality::One, Join::Direct(pairs(&reference.columns, &reference.target_columns)))
            }
            Via::Target(reference) => {
                let is_one = self.target.is_key(&reference.columns);
                let cardinality = if is_one { Cardinality::One } else { Cardinality::Many };
                (cardinality, Join::Direct(pairs(&reference.target_columns, &reference.columns)))
            }
            Via::Junction { table, parent, target } => {
                let join = Join::Through {
                    table: table.id,
                    parent: pairs(&parent.target_columns, &parent.columns),
                    child: pairs(&target.columns, &target.target_columns),
                };
                (Cardinality::Many, join)
            }
        };
        Link { cardinality, join }
    }

    fn candidate(&self) -> Candidate {
        let (parent, child) = (self.parent, self.target);
        let keyed = |reference: &Reference, here: &[ColumnId], there: &[ColumnId]| {
            format!("{} using {} and {}", reference.name, side(parent, here), side(child, there))
        };
        let (cardinality, relationship, word) = match self.via {
            Via::Parent(reference) => {
                let is_one = parent.is_key(&reference.columns);
                let relationship = keyed(reference, &reference.columns, &reference.target_columns);
                (if is_one { "one-to-one" } else { "many-to-one" }, relationship, &reference.name)
            }
            Via::Target(reference) => {
                let is_one = child.is_key(&reference.columns);
                let relationship = keyed(reference, &reference.target_columns, &reference.columns);
                (if is_one { "one-to-one" } else { "one-to-many" }, relationship, &reference.name)
            }
            Via::Junction { table, parent, target } => {
                let of = |reference: &Reference| format!("{}({})", reference.name, columns(table, &reference.columns));
                let relationship = format!("{} using {} and {}", table.name, of(parent), of(target));
                // The junction's own name does not tell its two directions apart.
                ("many-to-many", relationship, if self.is_self() { &target.name } else { &table.name })
            }
        };
        Candidate {
            cardinality,
            embedding: format!("{} with {}", parent.name, child.name),
            relationship,
            instead: format!("{}!{word}", child.name),
        }
    }
}

fn is_single(table: &Table, columns: &[ColumnId], name: &str) -> bool {
    matches!(columns, [column] if &*table.column(*column).name == name)
}

fn pairs(here: &[ColumnId], there: &[ColumnId]) -> Vec<Pair> {
    here.iter().zip(there).map(|(here, there)| Pair { here: *here, there: *there }).collect()
}

fn side(table: &Table, ids: &[ColumnId]) -> String {
    format!("{}({})", table.name, columns(table, ids))
}

fn columns(table: &Table, ids: &[ColumnId]) -> String {
    ids.iter().map(|id| &*table.column(*id).name).collect::<Vec<_>>().join(", ")
}
