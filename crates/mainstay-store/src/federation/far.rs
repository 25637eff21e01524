//! Far rows, fetched by the keys of all the rows that they belong to.

use std::collections::{HashMap, HashSet};

use mainstay_query::plan::{Cardinality, Filter, Join, Output, Pair, Read, Source};
use mainstay_query::split::stores::{BEGINNINGS_MAX, Far, beginnings, keyed};
use mainstay_schema::{ColumnId, TableId, Value, link};

use super::group::Grouping;
use super::read::Reading;
use super::rows::{Key, key, page, take_values};
use crate::collect::{self, Row};
use crate::error::StoreError;

/// Keys in one read: enough that round trips do not count, and few enough for every engine.
const KEYS_MAX: usize = 1000;

/// Far rows, by the keys of the rows that they belong to.
pub(super) struct Fetched {
    rows: Vec<Row>,
    /// How many rows each of them holds in lists.
    held: Vec<u64>,
    of: HashMap<Key, Vec<usize>>,
    /// What belongs to a row for which there is nothing: the one group of no rows, or nothing.
    nothing: Vec<Row>,
}

impl Fetched {
    /// The rows that belong to one with these values in the columns of the link.
    pub(super) fn of(&self, values: &[Value]) -> Vec<Row> {
        match self.places(values) {
            Some(places) => places.iter().map(|place| self.rows[*place].clone()).collect(),
            None => self.nothing.clone(),
        }
    }

    /// How many rows in lists those would be; a to-one row is none by itself.
    pub(super) fn held(&self, values: &[Value], cardinality: Cardinality) -> u64 {
        let of_each = u64::from(cardinality == Cardinality::Many);
        let places = self.places(values).map_or(&[][..], |places| places);
        places.iter().fold(0, |sum: u64, place| sum.saturating_add(of_each).saturating_add(self.held[*place]))
    }

    /// How many rows in lists there are, each once.
    pub(super) fn held_once(&self) -> u64 {
        self.held.iter().fold(self.rows.len() as u64, |sum, held| sum.saturating_add(*held))
    }

    fn places(&self, values: &[Value]) -> Option<&Vec<usize>> {
        key(values).and_then(|key| self.of.get(&key))
    }

    fn new(rows: Vec<Row>, of: HashMap<Key, Vec<usize>>) -> Fetched {
        let held = rows.iter().map(|row| collect::held(row)).collect();
        Fetched { rows, held, of, nothing: Vec::new() }
    }
}

impl Reading<'_> {
    /// Fetches the far rows for rows with these values in the columns of the link.
    pub(super) async fn fetch(&self, far: &Far, keys: Vec<Vec<Value>>) -> Result<Fetched, StoreError> {
        let mut fetched = match &far.link.join {
            Join::Direct(pairs) => self.fetch_direct(far, pairs, &keys).await?,
            Join::Through { table, parent, child } => self.fetch_through(far, *table, (parent, child), &keys).await?,
        };
        let limit = match far.link.cardinality {
            Cardinality::One => Some(far.read.limit.unwrap_or(1).min(1)),
            Cardinality::Many => far.read.limit,
        };
        for places in fetched.of.values_mut() {
            *places = page(std::mem::take(places), far.read.offset, limit).collect();
        }
        let is_without = |values: &Vec<Value>| key(values).is_none_or(|key| !fetched.of.contains_key(&key));
        if far.read.groups.is_some() && keys.iter().any(is_without) {
            // Groups of no rows: one if they are groups by nothing, else none.
            let none = Read { filter: Filter::False, ..far.read.clone() };
            fetched.nothing = self.rows(none).await?.rows;
        }
        Ok(fetched)
    }

    async fn fetch_direct(&self, far: &Far, pairs: &[Pair], keys: &[Vec<Value>]) -> Result<Fetched, StoreError> {
        let there: Vec<ColumnId> = pairs.iter().map(|pair| pair.there).collect();
        let keys = self.carried(keys, far.read.table, &there);
        // The page of one parent is a page for the store.
        let is_page = keys.len() == 1 && far.read.groups.is_none();
        let end = far.read.limit.filter(|_| is_page).map(|limit| limit.saturating_add(far.read.offset));
        let rows = self.keyed_rows(&far.read, &there, &keys, KEYS_MAX, end).await?;
        let (rows, keys): (Vec<Row>, Vec<Option<Key>>) = rows.into_iter().unzip();
        let mut of: HashMap<Key, Vec<usize>> = HashMap::new();
        for (place, key) in keys.into_iter().enumerate() {
            if let Some(key) = key {
                of.entry(key).or_default().push(place);
            }
        }
        Ok(Fetched::new(rows, of))
    }

    /// Through a junction: its rows first, wherever it lies, then the rows that they lead to.
    async fn fetch_through(
        &self,
        far: &Far,
        junction: TableId,
        (parent, child): (&[Pair], &[Pair]),
        keys: &[Vec<Value>],
    ) -> Result<Fetched, StoreError> {
        let to_parent: Vec<ColumnId> = parent.iter().map(|pair| pair.there).collect();
        let to_child: Vec<ColumnId> = child.iter().map(|pair| pair.here).collect();
        let select = to_child.iter().map(|column| self.output(junction, *column)).collect();
        let between = Read { select, ..Read::new(junction) };
        let keys = self.carried(keys, junction, &to_parent);
        let mut between_rows = Vec::new();
        for (mut row, parent) in self.keyed_rows(&between, &to_parent, &keys, KEYS_MAX, None).await? {
            between_rows.push((parent, take_values(&mut row, to_child.len())?));
        }
        let there: Vec<ColumnId> = child.iter().map(|pair| pair.there).collect();
        let child_keys: Vec<Vec<Value>> = between_rows.iter().map(|(_, child)| child.clone()).collect();
        let child_keys = self.carried(&child_keys, far.read.table, &there);
        // Groups of rows that are found by different keys are made here.
        let grouping = far.read.groups.as_ref().map(|groups| Grouping::new(self.schema(), &far.read, groups));
        let read = grouping.as_ref().map_or(&far.read, |grouping| &grouping.rows);
        // Rows that are found by different keys stand in one order, so they are read at once.
        if beginnings(&child_keys) > BEGINNINGS_MAX {
            return Err(self.too_many(far.read.table));
        }
        let rows = self.keyed_rows(read, &there, &child_keys, usize::MAX, None).await?;
        let mut by_key: HashMap<Key, Vec<usize>> = HashMap::new();
        for (place, (_, key)) in rows.iter().enumerate() {
            if let Some(key) = key {
                by_key.entry(key.clone()).or_default().push(place);
            }
        }
        let mut of: HashMap<Key, Vec<usize>> = HashMap::new();
        for (parent, child) in between_rows {
            if let (Some(parent), Some(places)) = (parent, key(&child).and_then(|key| by_key.get(&key))) {
                of.entry(parent).or_default().extend(places);
            }
        }
        of.values_mut().for_each(|places| places.sort_unstable());
        let mut rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
        if let Some(grouping) = &grouping {
            (rows, of) = grouping.group(&rows, of)?;
        }
        Ok(Fetched::new(rows, of))
    }

    /// The rows of a read that have one of these keys, each with its key, in the order of the read for each chunk of keys.
    /// `end` is the most of them that are looked at, if that is known.
    async fn keyed_rows(
        &self,
        read: &Read,
        columns: &[ColumnId],
        keys: &[Vec<Value>],
        chunk: usize,
        end: Option<u64>,
    ) -> Result<Vec<(Row, Option<Key>)>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunks(chunk) {
            let mut plan = keyed(self.schema(), read, columns, keys);
            let left = self.federation.rows_max.saturating_add(1) - found.len() as u64;
            plan.limit = Some(end.map_or(left, |end| end.min(left)));
            for mut row in self.rows(plan).await?.rows {
                let values = take_values(&mut row, columns.len())?;
                found.push((row, key(&values)));
            }
            if found.len() as u64 > self.federation.rows_max {
                return Err(self.too_many(read.table));
            }
        }
        Ok(found)
    }

    /// Keys as values of these columns, each once; what is none of their values has no rows.
    pub(super) fn carried(&self, keys: &[Vec<Value>], table: TableId, columns: &[ColumnId]) -> Vec<Vec<Value>> {
        let types: Vec<_> = columns.iter().map(|column| &self.schema().table(table).column(*column).ty).collect();
        let mut seen: HashSet<Key> = HashSet::new();
        let mut carried = Vec::new();
        for values in keys {
            let there: Option<Vec<Value>> =
                values.iter().zip(&types).map(|(value, ty)| link::carried(value, ty)).collect();
            if let Some(there) = there
                && let Some(key) = key(&there)
                && seen.insert(key)
            {
                carried.push(there);
            }
        }
        carried
    }

    fn output(&self, table: TableId, column: ColumnId) -> Output {
        let name = self.schema().table(table).column(column).name.clone();
        Output { name, source: Source::Value(mainstay_query::plan::Expr::column(column)) }
    }
}
