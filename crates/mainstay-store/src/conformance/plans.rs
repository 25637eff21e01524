//! Plans for tests, by name.

use mainstay_query::plan::{
    self, Aggregate, Cardinality, Comparison, Conflict, Count, Delete, Embed, Expect, Expr, Filter, Function, Insert,
    Join, Link, Order, Output, Pair, PathStep, Read, Source, Test, Update, Via, Write,
};
use mainstay_schema::{ColumnId, Schema, Table, Type, Value};

use super::tables::value;

/// Names of one table's columns, as plans say them.
#[derive(Clone, Copy)]
pub(super) struct Of<'s> {
    pub(super) schema: &'s Schema,
    pub(super) table: &'s Table,
}

impl<'s> Of<'s> {
    pub(super) fn new(schema: &'s Schema, table: &str) -> Of<'s> {
        Of { schema, table: schema.find(table).unwrap_or_else(|| panic!("no table {table}")) }
    }

    pub(super) fn id(self, column: &str) -> ColumnId {
        let found = self.table.find_column(column);
        found.unwrap_or_else(|| panic!("{} has no column {column}", self.table.name)).id
    }

    /// `column`, `column->key->0`, `column->>key`.
    pub(super) fn expr(self, text: &str) -> Expr {
        let mut parts = text.split("->");
        let mut expr = Expr::column(self.id(parts.next().unwrap_or_default()));
        for part in parts {
            let key = part.strip_prefix('>').unwrap_or(part);
            expr.as_text = part.starts_with('>');
            expr.path.push(key.parse().map_or_else(|_| PathStep::Key(key.to_owned()), PathStep::Index));
        }
        expr
    }

    pub(super) fn test(self, expr: &str, test: Test) -> Filter {
        Filter::Test { expr: self.expr(expr), test }
    }

    pub(super) fn compare(self, expr: &str, comparison: Comparison, operand: &str) -> Filter {
        let expr = self.expr(expr);
        let operand = super::tables::typed(&expr.ty(self.table), operand);
        Filter::Test { expr, test: Test::Compare(comparison, operand) }
    }

    pub(super) fn eq(self, expr: &str, operand: &str) -> Filter {
        self.compare(expr, Comparison::Eq, operand)
    }

    pub(super) fn like(self, expr: &str, pattern: &str, case_sensitive: bool) -> Filter {
        self.test(expr, Test::Like { pattern: pattern.to_owned(), case_sensitive })
    }

    /// All rows with all columns, by primary key.
    pub(super) fn read(self) -> ReadBuilder<'s> {
        let select = self.table.columns.iter().map(|column| output(&column.name, Expr::column(column.id)));
        let order = self.table.primary_key.iter().map(|column| Order {
            via: None,
            expr: Expr::column(*column),
            descending: false,
            nulls_first: false,
        });
        let read = Read { select: select.collect(), order: order.collect(), ..Read::new(self.table.id) };
        ReadBuilder { of: self, read }
    }

    /// `here=there`, several separated by blanks.
    pub(super) fn pairs(self, other: Of<'_>, text: &str) -> Vec<Pair> {
        let pair = |text: &str| {
            let (here, there) = text.split_once('=').expect("here=there");
            Pair { here: self.id(here), there: other.id(there) }
        };
        text.split_whitespace().map(pair).collect()
    }

    /// `here=there` to another table.
    pub(super) fn join(self, other: &str, pairs: &str) -> Join {
        Join::Direct(self.pairs(Of::new(self.schema, other), pairs))
    }

    /// `here=there` to a junction and on to another table.
    pub(super) fn through(self, junction: &str, parent: &str, other: &str, child: &str) -> Join {
        let junction = Of::new(self.schema, junction);
        Join::Through {
            table: junction.table.id,
            parent: self.pairs(junction, parent),
            child: junction.pairs(Of::new(self.schema, other), child),
        }
    }

    pub(super) fn exists(self, join: Join, other: &str, filter: Filter) -> Filter {
        Filter::Exists { join, table: Of::new(self.schema, other).table.id, filter: Box::new(filter), skip: 0 }
    }

    /// Rows whose cells are separated by `|`, in the columns named.
    pub(super) fn insert(self, columns: &str, rows: &[&str]) -> Insert {
        let names: Vec<&str> = columns.split_whitespace().collect();
        let row = |row: &&str| {
            let cells = row.split('|').map(str::trim);
            let cells: Vec<_> = cells.zip(&names).map(|(text, column)| Some(value(self.table, column, text))).collect();
            assert_eq!(cells.len(), names.len(), "{row}");
            cells
        };
        Insert {
            table: self.table.id,
            columns: names.iter().map(|name| self.id(name)).collect(),
            rows: rows.iter().map(row).collect(),
            conflict: None,
            returning: None,
            expect: Expect::default(),
        }
    }

    pub(super) fn conflict(self, target: &str, merge: Option<&str>) -> Option<Conflict> {
        let ids = |text: &str| text.split_whitespace().map(|name| self.id(name)).collect();
        Some(Conflict { target: ids(target), merge: merge.map(ids) })
    }

    /// `column=value`, several separated by blanks.
    pub(super) fn update(self, set: &str, filter: Filter) -> Update {
        let set = set.split_whitespace().map(|part| {
            let (column, text) = part.split_once('=').expect("column=value");
            (self.id(column), value(self.table, column, text).into())
        });
        Update { table: self.table.id, set: set.collect(), filter, returning: None, expect: Expect::default() }
    }

    pub(super) fn delete(self, filter: Filter) -> Delete {
        Delete { table: self.table.id, filter, returning: None, expect: Expect::default() }
    }

    /// What a write returns: all columns.
    pub(super) fn returning(self) -> Option<Box<Read>> {
        Some(Box::new(self.read().build()))
    }
}

/// A read in the making.
#[derive(Clone)]
pub(super) struct ReadBuilder<'s> {
    of: Of<'s>,
    read: Read,
}

impl ReadBuilder<'_> {
    /// Only these members, separated by blanks.
    pub(super) fn select(mut self, exprs: &str) -> Self {
        self.read.select = exprs.split_whitespace().map(|text| output(text, self.of.expr(text))).collect();
        self
    }

    pub(super) fn cast(mut self, expr: &str, ty: Type) -> Self {
        let expr = Expr { cast: Some(ty), ..self.of.expr(expr) };
        self.read.select.push(output("cast", expr));
        self
    }

    pub(super) fn filter(mut self, filter: Filter) -> Self {
        self.read.filter = filter;
        self
    }

    /// `expr [desc] [nullsfirst]`, several separated by commas; the primary key comes last.
    pub(super) fn order(mut self, terms: &str) -> Self {
        let by_key = std::mem::take(&mut self.read.order);
        self.read.order = terms.split(',').map(|term| self.of.order(term)).chain(by_key).collect();
        self
    }

    /// A term that follows a link first.
    pub(super) fn order_via(mut self, join: Join, other: &str, term: &str) -> Self {
        let other = Of::new(self.of.schema, other);
        let via = Via { join, table: other.table.id, filter: Filter::True };
        self.read.order.insert(0, Order { via: Some(Box::new(via)), ..other.order(term) });
        self
    }

    pub(super) fn limit(mut self, limit: u64) -> Self {
        self.read.limit = Some(limit);
        self
    }

    pub(super) fn offset(mut self, offset: u64) -> Self {
        self.read.offset = offset;
        self
    }

    pub(super) fn count(mut self) -> Self {
        self.read.count = Count::Exact;
        self
    }

    /// One more member: an aggregate of an expression, or of rows.
    pub(super) fn aggregate(mut self, function: Function, expr: Option<&str>) -> Self {
        let aggregate = Aggregate { function, input: expr.map(|expr| self.of.expr(expr)), cast: None };
        self.read.select.push(Output { name: function.word().into(), source: Source::Aggregate(aggregate) });
        self
    }

    /// Grouped by all members that are no aggregates.
    pub(super) fn grouped(mut self) -> Self {
        self.read = plan::grouped(self.of.schema, self.read).expect("no lists in groups");
        self
    }

    /// Only groups that pass; the filter is made of the groups as a table.
    pub(super) fn having(mut self, filter: impl FnOnce(Of<'_>) -> Filter) -> Self {
        let groups = self.read.groups.as_mut().expect("grouped before");
        groups.having = filter(Of { schema: self.of.schema, table: &groups.table });
        self
    }

    /// Groups in this order first.
    pub(super) fn order_groups(mut self, terms: &str) -> Self {
        let groups = self.read.groups.as_mut().expect("grouped before");
        let of = Of { schema: self.of.schema, table: &groups.table };
        let first: Vec<Order> = terms.split(',').map(|term| of.order(term)).collect();
        groups.order.splice(0..0, first);
        self
    }

    /// Only rows after a place: values of the order's terms, separated by `|`.
    pub(super) fn after(mut self, place: &str) -> Self {
        let schema = self.of.schema;
        let typed = |(term, text): (&Order, &str)| {
            let holder = schema.table(term.via.as_ref().map_or(self.read.table, |via| via.table));
            if text == "null" { Value::Null } else { super::tables::typed(&term.expr.ty(holder), text) }
        };
        self.read.after = Some(self.read.order.iter().zip(place.split('|')).map(typed).collect());
        self
    }

    /// The members of related rows as members of this one.
    pub(super) fn spread(mut self, cardinality: Cardinality, join: Join, read: ReadBuilder<'_>) -> Self {
        let embed = Embed { link: Link { cardinality, join }, read: Box::new(read.read) };
        self.read.select.push(Output { name: "spread".into(), source: Source::Spread(embed) });
        self
    }

    pub(super) fn one(self, join: Join, read: ReadBuilder<'_>) -> Self {
        self.embed(Cardinality::One, join, read)
    }

    pub(super) fn many(self, join: Join, read: ReadBuilder<'_>) -> Self {
        self.embed(Cardinality::Many, join, read)
    }

    fn embed(mut self, cardinality: Cardinality, join: Join, read: ReadBuilder<'_>) -> Self {
        let embed = Embed { link: Link { cardinality, join }, read: Box::new(read.read) };
        let name = format!("embed{}", self.read.select.len()).into();
        self.read.select.push(Output { name, source: Source::Embed(embed) });
        self
    }

    pub(super) fn build(self) -> Read {
        self.read
    }
}

impl Of<'_> {
    fn order(self, term: &str) -> Order {
        let mut words = term.split_whitespace();
        let expr = self.expr(words.next().expect("a term names something"));
        let words: Vec<&str> = words.collect();
        Order { via: None, expr, descending: words.contains(&"desc"), nulls_first: words.contains(&"nullsfirst") }
    }
}

fn output(name: &str, expr: Expr) -> Output {
    Output { name: name.into(), source: Source::Value(expr) }
}

pub(super) fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

pub(super) fn is_in(values: Vec<Value>) -> Test {
    Test::In(values)
}

impl From<Insert> for Plan {
    fn from(insert: Insert) -> Plan {
        Plan(Write::Insert(insert))
    }
}

impl From<Update> for Plan {
    fn from(update: Update) -> Plan {
        Plan(Write::Update(update))
    }
}

impl From<Delete> for Plan {
    fn from(delete: Delete) -> Plan {
        Plan(Write::Delete(delete))
    }
}

impl From<Write> for Plan {
    fn from(write: Write) -> Plan {
        Plan(write)
    }
}

/// Any write, so that tests need not wrap.
pub(super) struct Plan(pub(super) Write);
