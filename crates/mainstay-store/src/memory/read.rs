//! Reads: filter, order, page, then one embed after the other for each row.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use mainstay_query::evaluate::{self, Related, compare_rows, is_after, linked};
use mainstay_query::plan::{Cardinality, Count, Embed, Filter, Join, Order, Output, Pair, Read, Source};
use mainstay_schema::{ColumnId, Schema, TableId, TableKind, Value, ValueError, link};

use super::rows::{Row, RowId, Rows};
use super::{check_deadline, unsupported};
use crate::columns::Columns;
use crate::error::StoreError;
use crate::sink::{Cell, RowSink, put};

/// The tables as they stand, for as long as one statement looks at them.
pub(super) struct View<'a> {
    pub(super) schema: &'a Schema,
    pub(super) tables: &'a [Rows],
    pub(super) deadline: Instant,
    /// Whether the rows of views are among them.
    pub(super) has_views: bool,
    /// What links have looked for so far.
    links: RefCell<HashMap<(TableId, ColumnId), Index<'a>>>,
}

/// The rows of a table by what a column holds, in their order.
type Index<'a> = HashMap<String, Vec<&'a Row>>;

/// What equal values have in common, and few others; `None` for null.
pub(super) fn bucket(value: &Value) -> Option<String> {
    Some(match value {
        // Two numbers of different scales may be equal.
        Value::Decimal(number) => match number.as_str() {
            digits if digits.contains('.') => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
            digits => digits.to_owned(),
        },
        Value::Array(items) => items.iter().map(|item| bucket(item).unwrap_or_default() + ",").collect(),
        value => return link::key(value),
    })
}

impl<'a> View<'a> {
    pub(super) fn new(schema: &'a Schema, tables: &'a [Rows], deadline: Instant, has_views: bool) -> View<'a> {
        View { schema, tables, deadline, has_views, links: RefCell::default() }
    }

    /// Puts the rows of a read into `sink`; gives their number, and that of all that pass when asked.
    pub(super) fn read(&self, plan: &Read, sink: &mut dyn RowSink) -> Result<(u64, Option<u64>), StoreError> {
        let (given, total) = self.rows(plan, self.source(plan)?, sink)?;
        Ok((given, (plan.count != Count::None).then_some(total)))
    }

    /// Puts those of `candidates` that a read asks for into `sink`; gives their number, and that of all that pass.
    fn rows(&self, plan: &Read, candidates: Vec<&'a Row>, sink: &mut dyn RowSink) -> Result<(u64, u64), StoreError> {
        let mut given = 0;
        let mut goes_on = |sink: &mut dyn RowSink| {
            given += u64::from(!sink.is_full());
            !sink.is_full()
        };
        if let Some(groups) = &plan.groups {
            let rows: Result<Vec<_>, _> =
                candidates.into_iter().map(|row| Ok((self.passes(&plan.filter, row)?, row))).collect();
            let rows: Vec<&Row> = rows?.into_iter().filter(|(passes, _)| *passes).map(|(_, row)| row).collect();
            let (groups, total) = self.groups(plan, groups, &rows)?;
            for group in groups {
                if !goes_on(sink) {
                    break;
                }
                group.emit(&plan.select, sink);
            }
            return Ok((given, total));
        }
        let (rows, total) = self.select(plan, candidates)?;
        for row in rows {
            if !goes_on(sink) {
                break;
            }
            self.emit(&plan.select, row, sink)?;
        }
        Ok((given, total))
    }

    /// The rows of a table that pass a filter.
    pub(super) fn matching(&self, table: TableId, filter: &Filter) -> Result<Vec<RowId>, StoreError> {
        self.all(table)?;
        let mut matching = Vec::new();
        for (id, row) in self.tables[table.index()].iter() {
            if self.passes(filter, row)? {
                matching.push(id);
            }
        }
        Ok(matching)
    }

    /// Puts one row with its members into `sink`.
    pub(super) fn emit(&self, select: &[Output], row: &[Value], sink: &mut dyn RowSink) -> Result<(), StoreError> {
        sink.start_row();
        self.emit_members(select, row, sink)?;
        sink.end_row();
        Ok(())
    }

    fn emit_members(&self, select: &[Output], row: &[Value], sink: &mut dyn RowSink) -> Result<(), StoreError> {
        for output in select {
            match &output.source {
                Source::Value(expr) => put(sink, &evaluate::expr(row, expr).map_err(StoreError::Value)?),
                Source::Embed(embed) => self.emit_embed(embed, row, sink)?,
                Source::Spread(embed) => self.emit_spread(embed, row, sink)?,
                Source::Aggregate(_) => {
                    return Err(StoreError::Internal("an aggregate of rows that are not grouped".into()));
                }
            }
        }
        Ok(())
    }

    fn emit_spread(&self, embed: &Embed, row: &[Value], sink: &mut dyn RowSink) -> Result<(), StoreError> {
        let related = self.follow(&embed.link.join, row, embed.read.table)?;
        if embed.link.cardinality == Cardinality::Many {
            let mut columns = Columns::new(embed.read.shape(self.schema));
            self.rows(&embed.read, related, &mut columns)?;
            columns.give(sink);
            return Ok(());
        }
        match self.select(&embed.read, related)?.0.first() {
            Some(related) => self.emit_members(&embed.read.select, related, sink),
            None => {
                (0..embed.read.width()).for_each(|_| sink.cell(Cell::Null));
                Ok(())
            }
        }
    }

    fn source(&self, plan: &Read) -> Result<Vec<&'a Row>, StoreError> {
        match &plan.call {
            None => self.all(plan.table),
            Some(call) => Err(super::no_functions(self.schema, call.function)),
        }
    }

    fn emit_embed(&self, embed: &Embed, row: &[Value], sink: &mut dyn RowSink) -> Result<(), StoreError> {
        let related = self.follow(&embed.link.join, row, embed.read.table)?;
        match embed.link.cardinality {
            Cardinality::One => {
                let first = Read { limit: Some(embed.read.limit.unwrap_or(1).min(1)), ..(*embed.read).clone() };
                if self.rows(&first, related, sink)?.0 == 0 {
                    sink.cell(Cell::Null);
                }
            }
            Cardinality::Many => {
                sink.start_list();
                self.rows(&embed.read, related, sink)?;
                sink.end_list();
            }
        }
        Ok(())
    }

    fn all(&self, table: TableId) -> Result<Vec<&'a Row>, StoreError> {
        self.held(table).map(|rows| rows.values().collect())
    }

    fn held(&self, table: TableId) -> Result<&'a Rows, StoreError> {
        match self.schema.table(table).kind {
            TableKind::View { .. } if !self.has_views => {
                Err(unsupported(format!("cannot compute the view \"{}\"", self.schema.table(table).name)))
            }
            TableKind::Table | TableKind::View { .. } => Ok(&self.tables[table.index()]),
        }
    }

    /// Filters, orders and pages `candidates`; also gives the number that passed the filter.
    pub(super) fn select(&self, plan: &Read, candidates: Vec<&'a Row>) -> Result<(Vec<&'a Row>, u64), StoreError> {
        let mut keyed = Vec::new();
        for row in candidates {
            if self.passes(&plan.filter, row)? {
                let key: Result<Vec<Value>, _> = plan.order.iter().map(|order| self.order_key(order, row)).collect();
                keyed.push((key?, row));
            }
        }
        let total = keyed.len() as u64;
        if let Some(place) = &plan.after {
            keyed.retain(|(key, _)| is_after(&plan.order, key, place));
        }
        keyed.sort_by(|(left, _), (right, _)| compare_rows(&plan.order, left, right));
        Ok((page(plan, keyed.into_iter().map(|(_, row)| row)), total))
    }

    pub(super) fn passes(&self, filter: &Filter, row: &[Value]) -> Result<bool, StoreError> {
        let passes = evaluate::filter(self, row, filter).map(|outcome| outcome == Some(true));
        // Afterwards, since a look at related rows is cut short when it is too late.
        check_deadline(self.deadline)?;
        passes.map_err(StoreError::Value)
    }

    fn order_key(&self, order: &Order, row: &[Value]) -> Result<Value, StoreError> {
        let value = match &order.via {
            None => evaluate::expr(row, &order.expr),
            Some(via) => {
                for related in self.follow(&via.join, row, via.table)? {
                    if self.passes(&via.filter, related)? {
                        return evaluate::expr(related, &order.expr).map_err(StoreError::Value);
                    }
                }
                Ok(Value::Null)
            }
        };
        value.map_err(StoreError::Value)
    }

    /// The rows to which a link leads. Through a junction, one for each of its rows, so that a row which is linked
    /// twice comes twice, as in a join.
    pub(super) fn follow(&self, join: &Join, row: &[Value], table: TableId) -> Result<Vec<&'a Row>, StoreError> {
        match join {
            Join::Direct(pairs) => self.linked(pairs, row, table),
            Join::Through { table: junction, parent, child } => {
                let mut related = Vec::new();
                for middle in self.linked(parent, row, *junction)? {
                    related.extend(self.linked(child, middle, table)?);
                }
                Ok(related)
            }
        }
    }

    /// The rows of a table to which pairs of columns lead. Each is looked at once, and then found by the first column.
    fn linked(&self, pairs: &[Pair], row: &[Value], table: TableId) -> Result<Vec<&'a Row>, StoreError> {
        let rows = self.held(table)?;
        let Some(first) = pairs.first() else { return Ok(rows.values().collect()) };
        let Some(wanted) = bucket(&row[first.here.index()]) else { return Ok(Vec::new()) };
        let mut links = self.links.borrow_mut();
        let index = links.entry((table, first.there)).or_insert_with(|| {
            let mut index = Index::new();
            for row in rows.values() {
                if let Some(held) = bucket(&row[first.there.index()]) {
                    index.entry(held).or_default().push(row);
                }
            }
            index
        });
        let candidates = index.get(&wanted).into_iter().flatten().copied();
        Ok(candidates.filter(|there| linked(pairs, row, there)).collect())
    }
}

/// Those of `rows` that lie on the page that is asked for.
pub(super) fn page<T>(plan: &Read, rows: impl IntoIterator<Item = T>) -> Vec<T> {
    let skip = usize::try_from(plan.offset).unwrap_or(usize::MAX);
    let take = plan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    rows.into_iter().skip(skip).take(take).collect()
}

impl Related for View<'_> {
    fn any(
        &self,
        join: &Join,
        row: &[Value],
        table: TableId,
        test: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        // A view has no rows unless they were given, and reading one by itself is refused.
        for related in self.follow(join, row, table).unwrap_or_default() {
            // Whoever asked looks at the time too, and then this does not count.
            if check_deadline(self.deadline).is_err() {
                return Ok(false);
            }
            if test(related)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use mainstay_schema::Type;

    use super::*;

    #[test]
    fn equal_values_are_in_one_bucket() {
        let decimal = Type::Decimal { precision: 9, scale: 2 };
        for (ty, one, other) in [
            (decimal.clone(), "1.5", "1.50"),
            (decimal.clone(), "0", "0.00"),
            (decimal, "100", "100.0"),
            (Type::Float, "0", "-0"),
            (Type::Array(Box::new(Type::Float)), "{0,NULL}", "{-0,NULL}"),
        ] {
            let [one, other] = [one, other].map(|text| Value::parse(&ty, text).unwrap());
            assert_eq!(bucket(&one), bucket(&other), "{one:?} {other:?}");
        }
        let [ten, one] = ["10", "1"].map(|text| Value::Decimal(mainstay_schema::value::Decimal::parse(text).unwrap()));
        assert_ne!(bucket(&ten), bucket(&one));
        assert_eq!(bucket(&Value::Null), None);
    }
}
