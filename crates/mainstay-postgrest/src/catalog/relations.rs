//! How relations hang together: foreign keys in both directions, what views inherit of them, tables between two others,
//! and functions that lead from rows of one to rows of another.
//!
//! A view inherits a key or foreign key when it shows every column of it as it is, through other views too. When it shows
//! a column twice, each way to choose is a relationship of its own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mainstay_stores::postgres::lineage::{self, Shown};

use super::{Cardinality, Junction, Link, Name, Relation, Relationship};

/// Most steps from a view down to a table.
const DEPTH_MAX: usize = 64;
/// Most ways to choose among columns that one view shows several times.
const CHOICES_MAX: usize = 64;
/// Most relationships; what is beyond cannot be embedded. Far more than any schema that people can read has.
const RELATIONSHIPS_MAX: usize = 1_000_000;

/// What the catalog says about relations, by their numbers.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) keys: Vec<Key>,
    /// Views and their parsed queries.
    pub(super) views: Vec<(u32, String)>,
    pub(super) computed: Vec<ComputedRow>,
    /// Names of the columns of exposed relations.
    pub(super) attributes: HashMap<(u32, i16), Arc<str>>,
}

/// A key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) relation: u32,
    pub(super) name: Arc<str>,
    pub(super) columns: Vec<i16>,
    pub(super) kind: KeyKind,
}

/// What kind of key.
#[derive(Debug)]
pub(super) enum KeyKind {
    Primary,
    Unique,
    Foreign { target: u32, columns: Vec<i16> },
}

/// A function from rows to rows.
#[derive(Debug)]
pub(super) struct ComputedRow {
    pub(super) function: Name,
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) to_one: bool,
}

impl Found {
    /// Gives the relations their primary keys; all relationships between them, by where they start.
    pub(super) fn relate(&self, relations: &mut HashMap<u32, Relation>) -> HashMap<Name, Vec<Relationship>> {
        let shows = Shows::new(&self.views, &self.attributes);
        self.give_primary_keys(relations, &shows);
        let relations = &*relations;
        let mut all = self.to_one(relations, &shows);
        let many = junctions(&all, relations);
        let inverse: Vec<Relationship> = all.iter().filter_map(inverse).collect();
        all.extend(inverse);
        all.extend(many);
        let mut by_source: HashMap<Name, Vec<Relationship>> = HashMap::new();
        for relationship in all {
            by_source.entry(relationship.source.clone()).or_default().push(relationship);
        }
        self.compute(relations, &mut by_source);
        for list in by_source.values_mut() {
            list.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        by_source
    }

    fn give_primary_keys(&self, relations: &mut HashMap<u32, Relation>, shows: &Shows) {
        for key in self.keys.iter().filter(|key| matches!(key.kind, KeyKind::Primary)) {
            if let Some(relation) = relations.get_mut(&key.relation) {
                let names = key.columns.iter().filter_map(|column| self.attributes.get(&(key.relation, *column)));
                relation.primary_key = names.cloned().collect();
            }
            for view in shows.views_of(key.relation) {
                let first = |column: &i16| view.names(key.relation, *column).first().cloned();
                let (Some(relation), Some(names)) =
                    (relations.get_mut(&view.oid), key.columns.iter().map(first).collect::<Option<Vec<_>>>())
                else {
                    continue;
                };
                relation.primary_key.extend(names);
            }
        }
        for relation in relations.values_mut().filter(|relation| !relation.primary_key.is_empty()) {
            let key: HashSet<Arc<str>> = relation.primary_key.drain(..).collect();
            let columns = relation.columns.iter().map(|column| &column.name);
            relation.primary_key = columns.filter(|name| key.contains(*name)).cloned().collect();
        }
    }

    /// Relationships from where a foreign key is to where it leads.
    fn to_one(&self, relations: &HashMap<u32, Relation>, shows: &Shows) -> Vec<Relationship> {
        let mut unique: HashMap<u32, HashSet<Vec<i16>>> = HashMap::new();
        for key in self.keys.iter().filter(|key| !matches!(key.kind, KeyKind::Foreign { .. })) {
            unique.entry(key.relation).or_default().insert(sorted(&key.columns));
        }
        let mut all = Vec::new();
        for key in &self.keys {
            let KeyKind::Foreign { target, columns: target_columns } = &key.kind else { continue };
            let is_unique = unique.get(&key.relation).is_some_and(|keys| keys.contains(&sorted(&key.columns)));
            let cardinality = if is_unique { Cardinality::OneToOne } else { Cardinality::ManyToOne };
            let sources = self.ends(key.relation, &key.columns, relations, shows);
            let targets = self.ends(*target, target_columns, relations, shows);
            for (source, columns) in &sources {
                for (target, target_columns) in &targets {
                    if all.len() >= RELATIONSHIPS_MAX {
                        return all;
                    }
                    all.push(Relationship {
                        source: source.name.clone(),
                        target: target.name.clone(),
                        is_self: source.oid == target.oid,
                        source_is_view: source.is_view,
                        target_is_view: target.is_view,
                        link: Link::Key {
                            constraint: key.name.clone(),
                            columns: columns.iter().cloned().zip(target_columns.iter().cloned()).collect(),
                            cardinality,
                        },
                    });
                }
            }
        }
        all
    }

    /// Every exposed relation that has these columns of a table: the table itself, and views that show all of them.
    fn ends<'r>(
        &self,
        table: u32,
        columns: &[i16],
        relations: &'r HashMap<u32, Relation>,
        shows: &Shows,
    ) -> Vec<(&'r Relation, Vec<Arc<str>>)> {
        let mut ends = Vec::new();
        if let Some(relation) = relations.get(&table) {
            let names = columns.iter().map(|column| self.attributes.get(&(table, *column)).cloned());
            ends.extend(names.collect::<Option<Vec<_>>>().map(|names| (relation, names)));
        }
        for view in shows.views_of(table) {
            if let Some(relation) = relations.get(&view.oid) {
                ends.extend(view.choices(table, columns).into_iter().map(|names| (relation, names)));
            }
        }
        ends
    }

    /// Adds what functions compute. Such a relationship takes the place of those that lead to a relation of its name.
    fn compute(&self, relations: &HashMap<u32, Relation>, by_source: &mut HashMap<Name, Vec<Relationship>>) {
        for row in &self.computed {
            let (Some(source), Some(target)) = (relations.get(&row.source), relations.get(&row.target)) else {
                continue;
            };
            let list = by_source.entry(source.name.clone()).or_default();
            list.retain(|other| matches!(other.link, Link::Computed { .. }) || other.target != row.function);
            list.push(Relationship {
                source: source.name.clone(),
                target: target.name.clone(),
                is_self: source.oid == target.oid,
                source_is_view: source.is_view,
                target_is_view: target.is_view,
                link: Link::Computed {
                    function: row.function.clone(),
                    parameter: source.name.clone(),
                    to_one: row.to_one,
                },
            });
        }
    }
}

fn sorted(columns: &[i16]) -> Vec<i16> {
    let mut columns = columns.to_vec();
    columns.sort_unstable();
    columns
}

fn swapped(columns: &[(Arc<str>, Arc<str>)]) -> Vec<(Arc<str>, Arc<str>)> {
    columns.iter().map(|(here, there)| (there.clone(), here.clone())).collect()
}

/// The other direction.
fn inverse(relationship: &Relationship) -> Option<Relationship> {
    let Link::Key { constraint, columns, cardinality } = &relationship.link else { return None };
    Some(Relationship {
        source: relationship.target.clone(),
        target: relationship.source.clone(),
        is_self: relationship.is_self,
        source_is_view: relationship.target_is_view,
        target_is_view: relationship.source_is_view,
        link: Link::Key {
            constraint: constraint.clone(),
            columns: swapped(columns),
            cardinality: match cardinality {
                Cardinality::OneToOne | Cardinality::OneToOneInverse => Cardinality::OneToOneInverse,
                Cardinality::ManyToOne | Cardinality::OneToMany => Cardinality::OneToMany,
            },
        },
    })
}

/// Relationships through a relation that leads to two others by columns that are all part of its primary key.
fn junctions(all: &[Relationship], relations: &HashMap<u32, Relation>) -> Vec<Relationship> {
    let keys: HashMap<&Name, &[Arc<str>]> = (relations.values())
        .filter(|relation| !relation.primary_key.is_empty())
        .map(|relation| (&relation.name, &*relation.primary_key))
        .collect();
    let mut sides: HashMap<&Name, Vec<Side<'_>>> = HashMap::new();
    for relationship in all {
        let Link::Key { constraint, columns, cardinality: Cardinality::ManyToOne } = &relationship.link else {
            continue;
        };
        let Some(key) = keys.get(&relationship.source) else { continue };
        if columns.iter().all(|(here, _)| key.contains(here)) {
            sides.entry(&relationship.source).or_default().push(Side { relationship, constraint, columns });
        }
    }
    let mut many = Vec::new();
    for (table, sides) in sides {
        for from in &sides {
            for to in sides.iter().filter(|to| to.constraint != from.constraint) {
                if all.len() + many.len() >= RELATIONSHIPS_MAX {
                    return many;
                }
                many.push(Relationship {
                    source: from.relationship.target.clone(),
                    target: to.relationship.target.clone(),
                    is_self: from.relationship.target == to.relationship.target,
                    source_is_view: from.relationship.target_is_view,
                    target_is_view: to.relationship.target_is_view,
                    link: Link::Many(Junction {
                        table: table.clone(),
                        source_constraint: from.constraint.clone(),
                        target_constraint: to.constraint.clone(),
                        source_columns: swapped(from.columns),
                        target_columns: swapped(to.columns),
                    }),
                });
            }
        }
    }
    many
}

/// One of the two relationships that a junction has.
struct Side<'r> {
    relationship: &'r Relationship,
    constraint: &'r Arc<str>,
    columns: &'r [(Arc<str>, Arc<str>)],
}

/// Clients see several candidates in this order, whatever the order in which the server gave the keys: by their targets,
/// and those to one target with keys of the target first, then with keys of the source, then through junctions.
fn order(relationship: &Relationship) -> impl Ord + '_ {
    let (kind, table, names, columns) = match &relationship.link {
        Link::Key { constraint, columns, cardinality } => {
            let kind = match cardinality {
                Cardinality::OneToMany => 0,
                Cardinality::ManyToOne => 1,
                Cardinality::OneToOne | Cardinality::OneToOneInverse => 2,
            };
            (kind, None, [&**constraint, ""], Some(columns))
        }
        Link::Many(junction) => {
            let names = [&*junction.source_constraint, &*junction.target_constraint];
            (3, Some(&junction.table), names, Some(&junction.source_columns))
        }
        Link::Computed { function, .. } => (4, Some(function), ["", ""], None),
    };
    (kind == 4, &relationship.target, kind, table, names, columns)
}

/// What views show of tables.
struct Shows {
    views: Vec<View>,
    /// For each table, which views show something of it.
    by_table: HashMap<u32, Vec<usize>>,
}

/// What one exposed view shows.
struct View {
    oid: u32,
    /// For each column of a table, what the columns that show it are called.
    columns: HashMap<(u32, i16), Vec<Arc<str>>>,
}

impl Shows {
    fn new(views: &[(u32, String)], attributes: &HashMap<(u32, i16), Arc<str>>) -> Shows {
        let shown: HashMap<u32, Vec<Shown>> =
            views.iter().map(|(view, action)| (*view, lineage::shown(action))).collect();
        let mut shows = Shows { views: Vec::new(), by_table: HashMap::new() };
        for (oid, _) in views {
            let mut columns: HashMap<(u32, i16), Vec<Arc<str>>> = HashMap::new();
            for first in &shown[oid] {
                let (Some(name), Some(origin)) = (attributes.get(&(*oid, first.column)), origin(&shown, first)) else {
                    continue;
                };
                columns.entry(origin).or_default().push(name.clone());
            }
            let tables: HashSet<u32> = columns.keys().map(|(table, _)| *table).collect();
            for table in tables {
                shows.by_table.entry(table).or_default().push(shows.views.len());
            }
            shows.views.push(View { oid: *oid, columns });
        }
        shows
    }

    fn views_of(&self, table: u32) -> impl Iterator<Item = &View> {
        self.by_table.get(&table).into_iter().flatten().map(|at| &self.views[*at])
    }
}

/// The column of a table that a view's column is, through the views between.
fn origin(shown: &HashMap<u32, Vec<Shown>>, first: &Shown) -> Option<(u32, i16)> {
    let mut at = *first;
    for _ in 0..DEPTH_MAX {
        let relation = u32::try_from(at.relation).ok()?;
        match shown.get(&relation) {
            None => return Some((relation, at.origin)),
            Some(next) => at = *next.iter().find(|next| next.column == at.origin)?,
        }
    }
    None
}

impl View {
    fn names(&self, table: u32, column: i16) -> &[Arc<str>] {
        self.columns.get(&(table, column)).map_or(&[], Vec::as_slice)
    }

    /// Every way to choose one of the view's columns for each of these of a table; none if one is not shown.
    fn choices(&self, table: u32, columns: &[i16]) -> Vec<Vec<Arc<str>>> {
        let mut choices: Vec<Vec<Arc<str>>> = vec![Vec::new()];
        for column in columns {
            let names = self.names(table, *column);
            let longer = choices.iter().flat_map(|choice| {
                names.iter().map(move |name| choice.iter().chain([name]).cloned().collect::<Vec<_>>())
            });
            choices = longer.take(CHOICES_MAX).collect();
        }
        choices
    }
}
