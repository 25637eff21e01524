//! A read without its far embeds: what its store gives, and what becomes of that here.

use mainstay_schema::{ColumnId, Schema, TableId, Value};

use super::{Apart, is_near, store_of};
use crate::plan::{Cardinality, Embed, Expr, Join, Link, Order, Output, Read, Shape, Source, Via};

/// One level of what a store gives, and how the rows of the whole read are made of it.
///
/// A row has the members that the store gives, then the far rows that orders look at, then those of the far embeds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level {
    /// Members of a row as the store gives it; those that nobody asked for stand at the end.
    pub width: usize,
    /// The members of a row in the order in which they were asked for.
    pub pieces: Vec<Piece>,
    /// Near embeds in whose rows something is far.
    pub near: Vec<Near>,
    /// Far embeds.
    pub far: Vec<Far>,
    /// What is done here to the rows of this level, if they are ordered by far columns.
    pub sort: Option<Sort>,
}

/// Where a member comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// As the store gives it, at this place.
    Given(usize),
    /// The near embed of this number.
    Near(usize),
    /// The far embed of this number.
    Far(usize),
}

/// A near embed in whose rows something is far.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Its place among the members that the store gives.
    pub at: usize,
    /// Its rows.
    pub level: Level,
    /// What is made of them.
    pub placing: Placing,
}

/// A far embed.
#[derive(Debug, Clone, PartialEq)]
pub struct Far {
    /// The table on whose rows it stands.
    pub parent: TableId,
    /// Its columns that the link compares, and their places among the members that the store gives.
    pub keys: Vec<(ColumnId, usize)>,
    /// How many rows it leads to, and how.
    pub link: Link,
    /// What is read of them.
    pub read: Read,
    /// What is made of them.
    pub placing: Placing,
}

/// What is made of related rows: a member, or members of the row above.
#[derive(Debug, Clone, PartialEq)]
pub struct Placing {
    /// Whether their members stand in the row above.
    pub is_spread: bool,
    /// One row, or any number.
    pub cardinality: Cardinality,
    /// Their members.
    pub shape: Shape,
}

/// An order that looks at far columns, and the page in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// The terms.
    pub terms: Vec<Order>,
    /// The value of each term.
    pub places: Vec<Place>,
    /// The far rows that terms look at.
    pub far: Vec<Far>,
    /// Only rows after this place.
    pub after: Option<Vec<Value>>,
    /// Rows to skip.
    pub offset: u64,
    /// Most rows to give.
    pub limit: Option<u64>,
}

/// Where the value of a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At this place among the members that the store gives.
    Given(usize),
    /// The first member of the far row of this number.
    Far(usize),
}

impl Level {
    /// Whether the store gives all of it as it was asked for.
    pub fn is_plain(&self) -> bool {
        self.near.is_empty() && self.far.is_empty() && self.sort.is_none()
    }
}

impl Placing {
    fn of(schema: &Schema, embed: &Embed, is_spread: bool) -> Placing {
        Placing { is_spread, cardinality: embed.link.cardinality, shape: embed.read.shape(schema) }
    }
}

impl Far {
    fn new(schema: &Schema, parent: TableId, embed: Embed, is_spread: bool) -> Far {
        let placing = Placing::of(schema, &embed, is_spread);
        Far { parent, keys: Vec::new(), link: embed.link, read: *embed.read, placing }
    }

    /// Has the store give the columns that the link compares.
    fn take_keys(&mut self, members: &mut Members<'_>) {
        let (Join::Direct(pairs) | Join::Through { parent: pairs, .. }) = &self.link.join;
        self.keys = pairs.iter().map(|pair| (pair.here, members.column(pair.here))).collect();
    }
}

/// Takes what is far out of a read of `store` and of its near embeds, and has it give the members that are needed to put
/// it back. An order that looks at far columns goes, too, and with it the page; filters must not follow far links any more.
///
/// # Errors
/// [`Apart`] if groups are made of what is far.
pub fn level(schema: &Schema, store: &str, read: &mut Read) -> Result<Level, Apart> {
    let mut level = Level::default();
    let mut members = Members { schema, table: read.table, outputs: Vec::new(), width: 0 };
    for mut output in std::mem::take(&mut read.select) {
        let is_spread = matches!(output.source, Source::Spread(_));
        let Some(embed) = output.source.embed_mut() else {
            level.pieces.push(Piece::Given(members.width));
            members.add(output, 1);
            continue;
        };
        if !is_near(schema, store, &embed.link.join, embed.read.table) {
            if read.groups.is_some() {
                return Err(grouped(schema, read.table, embed.read.table));
            }
            level.pieces.push(Piece::Far(level.far.len()));
            level.far.push(Far::new(schema, read.table, embed.clone(), is_spread));
            continue;
        }
        let placing = Placing::of(schema, embed, is_spread);
        let below = self::level(schema, store, &mut embed.read)?;
        if below.is_plain() {
            let width = if is_spread { embed.read.width() } else { 1 };
            level.pieces.extend((0..width).map(|member| Piece::Given(members.width + member)));
            members.add(output, width);
            continue;
        }
        if read.groups.is_some() {
            return Err(grouped(schema, read.table, embed.read.table));
        }
        // Rows that are spread are no rows any more; so they come as rows, and are spread here.
        let source = Source::Embed(embed.clone());
        level.pieces.push(Piece::Near(level.near.len()));
        level.near.push(Near { at: members.width, level: below, placing });
        members.add(Output { name: output.name, source }, 1);
    }
    level.sort = sort(store, read, &mut members);
    for far in level.far.iter_mut().chain(level.sort.iter_mut().flat_map(|sort| &mut sort.far)) {
        far.take_keys(&mut members);
    }
    level.width = members.width;
    read.select = members.outputs;
    Ok(level)
}

/// Whether a read can be put together, its far embeds and theirs included.
///
/// # Errors
/// As [`level()`], and if groups are made through a junction of what has members of its own.
pub fn check(schema: &Schema, read: &Read) -> Result<(), Apart> {
    let mut copy = read.clone();
    let root = level(schema, store_of(schema, read), &mut copy)?;
    let mut levels = vec![&root];
    while let Some(level) = levels.pop() {
        levels.extend(level.near.iter().map(|near| &near.level));
        for far in &level.far {
            if let Join::Through { table, .. } = &far.link.join
                && far.read.groups.is_some()
                && far.read.select.iter().any(|output| output.source.embed().is_some())
            {
                return Err(grouped_through(schema, far.read.table, *table));
            }
            check(schema, &far.read)?;
        }
    }
    Ok(())
}

fn grouped_through(schema: &Schema, table: TableId, junction: TableId) -> Apart {
    let (table, junction) = (schema.table(table), schema.table(junction));
    Apart(format!(
        "rows of \"{}\" in the store {} cannot be grouped by rows related to them where \"{}\" leads to them from another \
         store; aggregate them by their own columns alone",
        table.name,
        table.store_name(),
        junction.name,
    ))
}

fn sort(store: &str, read: &mut Read, members: &mut Members<'_>) -> Option<Sort> {
    let schema = members.schema;
    let is_far = |via: &Via| !is_near(schema, store, &via.join, via.table);
    if !read.order.iter().filter_map(|term| term.via.as_deref()).any(is_far) {
        return None;
    }
    let terms = std::mem::take(&mut read.order);
    let mut far = Vec::new();
    let mut places = Vec::with_capacity(terms.len());
    for term in &terms {
        places.push(match term.via.as_deref() {
            None => Place::Given(members.value(&term.expr)),
            Some(via) if is_far(via) => {
                far.push(Far::new(schema, read.table, embed_of(term, via), false));
                Place::Far(far.len() - 1)
            }
            Some(via) => {
                let place = members.width;
                members.add(output(Source::Spread(embed_of(term, via))), 1);
                Place::Given(place)
            }
        });
    }
    let (after, offset, limit) = (read.after.take(), std::mem::take(&mut read.offset), read.limit.take());
    Some(Sort { terms, places, far, after, offset, limit })
}

/// The row that decides an order, with the one member that it is ordered by.
fn embed_of(term: &Order, via: &Via) -> Embed {
    let select = vec![output(Source::Value(term.expr.clone()))];
    let read = Read { select, filter: via.filter.clone(), ..Read::new(via.table) };
    Embed { link: Link { cardinality: Cardinality::One, join: via.join.clone() }, read: Box::new(read) }
}

fn output(source: Source) -> Output {
    Output { name: "place".into(), source }
}

/// The members that a store is asked for.
struct Members<'s> {
    schema: &'s Schema,
    table: TableId,
    outputs: Vec<Output>,
    width: usize,
}

impl Members<'_> {
    fn add(&mut self, output: Output, width: usize) {
        self.outputs.push(output);
        self.width += width;
    }

    /// The place of a column, which is added if it is not there.
    fn column(&mut self, column: ColumnId) -> usize {
        self.value(&Expr::column(column))
    }

    fn value(&mut self, expr: &Expr) -> usize {
        let mut place = 0;
        for output in &self.outputs {
            place += match &output.source {
                Source::Value(there) if there == expr => return place,
                Source::Spread(embed) => embed.read.width(),
                Source::Value(_) | Source::Aggregate(_) | Source::Embed(_) => 1,
            };
        }
        let name = self.schema.table(self.table).column(expr.column).name.clone();
        self.add(Output { name, source: Source::Value(expr.clone()) }, 1);
        place
    }
}

fn grouped(schema: &Schema, table: TableId, other: TableId) -> Apart {
    let (table, other) = (schema.table(table), schema.table(other));
    Apart(format!(
        "rows of \"{}\" in the store {} cannot be grouped by what leads to another store, here by \"{}\"; select the related \
         rows without aggregates, or aggregate inside the embed",
        table.name,
        table.store_name(),
        other.name,
    ))
}
