//! Random schemas, rows and plans.
//!
//! Everything is drawn from tapes of numbers, one for the schema and one for each step: fewer steps, a shorter tape or
//! smaller numbers make a simpler scenario, so shrinking the tapes shrinks the failure. A tape that has run out gives
//! zeros, which choose the simplest of everything.

use std::sync::Arc;

use mainstay_query::evaluate::SearchQuery;
use mainstay_query::plan::{
    self, Aggregate, Assign, Cardinality, ColumnTest, Comparison, Conflict, Count, Delete, Embed, Expect, Expr, Filter,
    Function, Insert, Join, KeyedChange, Link, Order, Output, Pair, PatchOp, PatchStep, PathStep, Read, Search, Source,
    Test, Update, UpdateEach, Via, Write,
};
use mainstay_query::request::SearchSyntax;
use mainstay_schema::{Column, ColumnId, DefaultValue, Language, ReferenceAction, Schema, Table, TableId, Type, Value};

use super::filters::{SAMPLES, tests_of};
use super::plans::not;
use super::tables::{TableBuilder, schema, table, ty, typed};

const TABLES_MAX: usize = 4;
const COLUMNS_MAX: usize = 5;
const EMBED_DEPTH_MAX: usize = 2;
const FILTER_DEPTH_MAX: usize = 3;
const ACTIONS: [ReferenceAction; 4] =
    [ReferenceAction::Restrict, ReferenceAction::Cascade, ReferenceAction::SetNull, ReferenceAction::SetDefault];
/// Paths that meet members, elements and nothing in the JSON samples.
const PATHS: [&[&str]; 4] = [&["a"], &["0"], &["b", "-1"], &["nowhere"]];

/// Tables and what is done to them.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) schema: Arc<Schema>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) enum Step {
    Read(Read),
    Write(Write),
}

pub(super) fn tables(words: &[u32]) -> Arc<Schema> {
    Tape { words: words.iter(), is_found: false }.schema()
}

pub(super) fn scenario(schema: Arc<Schema>, steps: &[Vec<u32>]) -> Scenario {
    let is_found = schema.found().is_some();
    let steps = steps.iter().map(|words| Tape { words: words.iter(), is_found }.step(&schema)).collect();
    Scenario { schema, steps }
}

pub(super) struct Tape<'w> {
    words: std::slice::Iter<'w, u32>,
    /// Whether the tables were found.
    is_found: bool,
}

/// A table and a way to it.
struct Way {
    join: Join,
    table: TableId,
    cardinality: Cardinality,
}

impl Tape<'_> {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.words.next().copied().unwrap_or_default() as usize % bound.max(1)
    }

    /// False from an empty tape.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub(super) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// Each of `items` with the given chance.
    fn some<T: Clone>(&mut self, items: &[T], percent: usize) -> Vec<T> {
        items.iter().filter(|_| self.chance(percent)).cloned().collect()
    }

    fn schema(&mut self) -> Arc<Schema> {
        let count = 2 + self.below(TABLES_MAX - 1);
        let mut tables: Vec<(TableBuilder, Vec<(&str, &str)>)> = Vec::new();
        for at in 0..count {
            let key: Vec<(&str, &str)> = match self.below(5) {
                0 => vec![("id", "int")],
                1 => vec![("id", "text")],
                2 => vec![("id", "uuid")],
                3 => vec![("id", "bigint")],
                _ => vec![("k1", "int"), ("k2", "text")],
            };
            let names: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
            let mut builder = table(&format!("t{at}")).primary(&names.join(" "));
            for (name, of) in &key {
                builder = builder.required(name, ty(of));
            }
            builder = self.plain_columns(builder);
            let so_far: Vec<_> = tables.iter().map(|(_, key)| key.clone()).chain([key.clone()]).collect();
            builder = self.references(builder, &so_far);
            let texts = builder.text_columns();
            if !texts.is_empty() && self.chance(40) {
                let language = *self.pick(&[Language::Simple, Language::English]);
                builder = builder.fulltext("words", &texts.join(" "), language);
            }
            tables.push((builder, key));
        }
        schema(&tables.into_iter().map(|(builder, _)| builder).collect::<Vec<_>>())
    }

    fn plain_columns(&mut self, mut builder: TableBuilder) -> TableBuilder {
        for at in 0..1 + self.below(COLUMNS_MAX) {
            let (of, _) = *self.pick(&SAMPLES);
            let name = format!("c{at}");
            let optional = !self.chance(30);
            builder = builder.column(&name, ty(of), optional, None);
            if self.chance(20) && !matches!(ty(of), Type::Json | Type::Array(_)) {
                builder = builder.unique(&name);
            }
        }
        builder
    }

    /// References to tables before this one, or to itself, which is the last.
    fn references(&mut self, mut builder: TableBuilder, keys: &[Vec<(&str, &str)>]) -> TableBuilder {
        for at in 0..self.below(3) {
            let target = self.below(keys.len());
            let optional = !self.chance(30);
            let (mut here, mut there) = (Vec::new(), Vec::new());
            for (name, of) in &keys[target] {
                let own = format!("r{at}_{name}");
                builder = builder.column(&own, ty(of), optional, None);
                here.push(own);
                there.push(*name);
            }
            // The last two want columns that may be null.
            let actions = if optional { &ACTIONS[..] } else { &ACTIONS[..2] };
            let (on_delete, on_update) = (*self.pick(actions), *self.pick(actions));
            builder =
                builder.points_with(&here.join(" "), &format!("t{target}"), &there.join(" "), on_delete, on_update);
        }
        builder
    }

    fn step(&mut self, schema: &Schema) -> Step {
        match self.below(20) {
            0..7 => Step::Write(self.insert(schema)),
            7..10 => Step::Write(self.update(schema)),
            10..12 => Step::Write(self.delete(schema)),
            12 => Step::Write(Write::Batch((0..1 + self.below(3)).map(|_| self.small_write(schema)).collect())),
            13 => Step::Write(self.family(schema)),
            _ => {
                let table = self.table(schema);
                Step::Read(self.read(schema, table, 0))
            }
        }
    }

    fn small_write(&mut self, schema: &Schema) -> Write {
        let mut write = match self.below(3) {
            0 => self.insert(schema),
            1 => self.update(schema),
            _ => self.delete(schema),
        };
        match &mut write {
            Write::Insert(insert) => insert.returning = None,
            Write::Update(update) => update.returning = None,
            Write::UpdateEach(update) => update.returning = None,
            Write::Delete(delete) => delete.returning = None,
            Write::Batch(_) | Write::Nested(_) | Write::Run(_) => {}
        }
        write
    }

    pub(super) fn table<'s>(&mut self, schema: &'s Schema) -> &'s Table {
        self.pick(schema.tables())
    }

    /// A value of a column: few different ones, so that keys and references meet.
    fn value(&mut self, table: &Table, column: ColumnId) -> Value {
        let is_key = |column| {
            table.primary_key.contains(column)
                || table.references.iter().any(|reference| reference.columns.contains(column))
        };
        let of = &table.column(column).ty;
        match of {
            Type::Int | Type::BigInt if is_key(&column) => Value::Int(self.below(5) as i64),
            Type::Text if is_key(&column) => typed(of, ["a", "b", "B", "é"][self.below(4)]),
            _ => self.sample(of),
        }
    }

    fn sample(&mut self, of: &Type) -> Value {
        let texts = SAMPLES.iter().find(|(name, _)| ty(name) == *of).map_or(&[][..], |(_, texts)| *texts);
        match texts[self.below(texts.len())] {
            // A document that is a number loses digits where a store takes it for one.
            "1.0" | "12345678901234567890.5" if self.is_found && *of == Type::Json => typed(of, "1"),
            text => typed(of, text),
        }
    }

    /// What a part of a value is compared with. Whether 1 is 1.0 there PostgreSQL sees otherwise than the reference, as its
    /// guide says, so no number is one that a part may be with other digits.
    fn inner(&mut self, of: &Type) -> Value {
        match self.sample(of) {
            Value::Json(json) if json.as_str() == "1.0" => typed(of, "7"),
            sample => sample,
        }
    }

    pub(super) fn value_or_null(&mut self, table: &Table, column: ColumnId) -> Value {
        let percent = match table.column(column) {
            column if column.optional => 25,
            // Null would ask for a number.
            column if column.default == Some(DefaultValue::Sequence) => 0,
            _ => 2,
        };
        if self.chance(percent) { Value::Null } else { self.value(table, column) }
    }

    pub(super) fn insert(&mut self, schema: &Schema) -> Write {
        let table = self.table(schema);
        let mut columns: Vec<ColumnId> = Vec::new();
        for column in &table.columns {
            let skipped = if column.optional { 30 } else { 1 };
            if table.primary_key.contains(&column.id) || !self.chance(skipped) {
                columns.push(column.id);
            }
        }
        let row = |tape: &mut Self| columns.iter().map(|column| Some(tape.value_or_null(table, *column))).collect();
        let rows = (0..1 + self.below(4)).map(|_| row(self)).collect();
        let conflict = self.chance(40).then(|| self.conflict(table, &columns));
        let (returning, expect) = (self.returning(schema, table), self.expect());
        Write::Insert(Insert { table: table.id, columns, rows, conflict, returning, expect })
    }

    fn conflict(&mut self, table: &Table, columns: &[ColumnId]) -> Conflict {
        let mut keys = vec![&table.primary_key];
        keys.extend(table.uniques.iter().map(|key| &key.columns));
        let target = (*self.pick(&keys)).clone();
        let others: Vec<ColumnId> = columns.iter().filter(|column| !target.contains(column)).copied().collect();
        let merge = (!self.chance(30)).then(|| others.into_iter().filter(|_| !self.chance(20)).collect());
        Conflict { target, merge }
    }

    fn update(&mut self, schema: &Schema) -> Write {
        let table = self.table(schema);
        if self.chance(25) {
            return self.update_each(schema, table);
        }
        let set = self.assignments(table, &[]);
        let filter = self.filter(schema, table, 1);
        let (returning, expect) = (self.returning(schema, table), self.expect());
        Write::Update(Update { table: table.id, set, filter, returning, expect })
    }

    fn update_each(&mut self, schema: &Schema, table: &Table) -> Write {
        let mut keys = vec![&table.primary_key];
        keys.extend(table.uniques.iter().map(|key| &key.columns));
        let key = (*self.pick(&keys)).clone();
        let mut rows: Vec<KeyedChange> = Vec::new();
        for _ in 0..1 + self.below(3) {
            let values: Vec<Value> = key.iter().map(|column| self.value(table, *column)).collect();
            let set = self.assignments(table, &key);
            if !set.is_empty() && rows.iter().all(|row| row.key != values) {
                rows.push(KeyedChange { key: values, set });
            }
        }
        let filter = if self.chance(30) { self.filter(schema, table, 1) } else { Filter::True };
        let (returning, expect) = (self.returning(schema, table), self.expect());
        Write::UpdateEach(UpdateEach { table: table.id, key, rows, filter, returning, expect })
    }

    /// What becomes of one or two columns that are not of `key`.
    fn assignments(&mut self, table: &Table, key: &[ColumnId]) -> Vec<(ColumnId, Assign)> {
        let mut set: Vec<(ColumnId, Assign)> = Vec::new();
        for _ in 0..1 + self.below(2) {
            let column = self.pick(&table.columns).id;
            if set.iter().all(|(other, _)| *other != column) && !key.contains(&column) {
                let assign = self.assign(table, column);
                set.push((column, assign));
            }
        }
        set
    }

    fn assign(&mut self, table: &Table, column: ColumnId) -> Assign {
        // Keys are looked at row by row while an update goes on, so whether `id + 1` meets another row depends on the way.
        let is_key =
            table.primary_key.contains(&column) || table.uniques.iter().any(|key| key.columns.contains(&column));
        if is_key || !self.chance(30) {
            return Assign::Value(self.value_or_null(table, column));
        }
        let operand = self.value(table, column);
        match (&table.column(column).ty, operand) {
            (Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. }, number) => Assign::Add(number),
            (Type::Text, more) if self.chance(50) => Assign::Append(more),
            (Type::Text, more) => Assign::Prepend(more),
            (Type::Array(_), items) => match self.below(3) {
                0 => Assign::Append(items),
                1 => Assign::Prepend(items),
                _ => Assign::Remove(items),
            },
            (Type::Json, Value::Json(json)) if self.chance(50) => Assign::Merge(json),
            (Type::Json, Value::Json(json)) => {
                let path = self.pick(&PATHS).iter().map(|step| (*step).to_owned()).collect();
                let op = if self.chance(50) { PatchOp::Add(json) } else { PatchOp::Test(json) };
                Assign::Patch(vec![PatchStep { path, op }])
            }
            (_, value) => Assign::Value(value),
        }
    }

    fn delete(&mut self, schema: &Schema) -> Write {
        let table = self.table(schema);
        let filter = self.filter(schema, table, 1);
        let (returning, expect) = (self.returning(schema, table), self.expect());
        Write::Delete(Delete { table: table.id, filter, returning, expect })
    }

    pub(super) fn returning(&mut self, schema: &Schema, table: &Table) -> Option<Box<Read>> {
        let read = self.chance(50).then(|| Box::new(Read { count: Count::None, ..self.read(schema, table, 1) }));
        // What a write returns is not grouped.
        read.filter(|read| read.groups.is_none())
    }

    fn expect(&mut self) -> Expect {
        match self.below(10) {
            9 => Expect { single: true, affected_max: None },
            8 => Expect { single: false, affected_max: Some(self.below(3) as u64) },
            _ => Expect::default(),
        }
    }

    fn read(&mut self, schema: &Schema, table: &Table, depth: usize) -> Read {
        let mut select: Vec<Output> =
            self.some(&table.columns, 60).iter().map(|column| output(&column.name, Expr::column(column.id))).collect();
        if select.is_empty() || self.chance(15) {
            let expr = self.expr(table);
            select.push(output("expr", expr));
        }
        if depth < EMBED_DEPTH_MAX {
            for at in 0..self.below(3) {
                if let Some(embed) = self.embed(schema, table, depth) {
                    let is_spread = self.chance(25) && embed.read.groups.is_none();
                    let source = if is_spread { Source::Spread(embed) } else { Source::Embed(embed) };
                    select.push(Output { name: format!("embed{at}").into(), source });
                }
            }
        }
        if self.chance(15) {
            return self.grouped(schema, table, depth);
        }
        let order = self.order(schema, table);
        let after = (depth == 0 && self.chance(20)).then(|| self.place(schema, table, &order));
        Read {
            select,
            filter: self.filter(schema, table, depth),
            order,
            after,
            limit: self.chance(40).then(|| self.below(5) as u64),
            offset: if self.chance(25) { self.below(3) as u64 } else { 0 },
            count: if depth == 0 && self.chance(50) { Count::Exact } else { Count::None },
            ..Read::new(table.id)
        }
    }

    /// Groups by columns that have one order everywhere, perhaps by a row that the table refers to, which has its key.
    fn grouped(&mut self, schema: &Schema, table: &Table, depth: usize) -> Read {
        let is_key = |column: &&Column| !matches!(column.ty, Type::Json | Type::Array(_));
        let columns: Vec<&Column> = table.columns.iter().filter(is_key).collect();
        let keys = self.some(&columns, 30);
        let mut select: Vec<Output> = keys.iter().map(|column| output(&column.name, Expr::column(column.id))).collect();
        for at in 0..self.below(4) {
            select.push(Output { name: format!("agg{at}").into(), source: Source::Aggregate(self.aggregate(table)) });
        }
        if let Some(way) = self.way(schema, table).filter(|way| way.cardinality == Cardinality::One) {
            let target = schema.table(way.table);
            let mut inner: Vec<Output> =
                (target.primary_key.iter()).map(|id| output(&target.column(*id).name, Expr::column(*id))).collect();
            let is_spread = self.chance(40);
            if is_spread && self.chance(50) {
                inner.push(Output { name: "agg".into(), source: Source::Aggregate(self.aggregate(target)) });
            }
            let filter = if self.chance(30) { self.test(target) } else { Filter::True };
            let link = Link { cardinality: Cardinality::One, join: way.join };
            let read = Box::new(Read { select: inner, filter, ..Read::new(way.table) });
            let embed = Embed { link, read };
            let source = if is_spread { Source::Spread(embed) } else { Source::Embed(embed) };
            select.push(Output { name: "embed".into(), source });
        }
        if select.is_empty() {
            let aggregate = Aggregate { function: Function::Count, input: None, cast: None };
            select.push(Output { name: "count".into(), source: Source::Aggregate(aggregate) });
        }
        let mut read = Read {
            select,
            filter: self.filter(schema, table, depth),
            limit: self.chance(30).then(|| self.below(5) as u64),
            offset: if self.chance(20) { self.below(3) as u64 } else { 0 },
            count: if depth == 0 && self.chance(50) { Count::Exact } else { Count::None },
            ..Read::new(table.id)
        };
        read = plan::grouped(schema, read).expect("no lists in groups");
        if let Some(groups) = &mut read.groups {
            let known: Vec<ColumnId> =
                groups.table.columns.iter().filter(|c| has_samples(&c.ty)).map(|c| c.id).collect();
            if !known.is_empty() && self.chance(40) {
                let column = *self.pick(&known);
                let operand = self.sample(&groups.table.column(column).ty);
                let tests = tests_of(&groups.table.column(column).ty, &operand);
                groups.having = Filter::Test { expr: Expr::column(column), test: self.pick(&tests).clone() };
            }
            if self.chance(50) {
                let expr = Expr::column(self.pick(&groups.table.columns).id);
                let term = Order { via: None, expr, descending: self.chance(50), nulls_first: self.chance(50) };
                // A JSON value, and an array of them, may be equal to one of another text.
                if !matches!(term.expr.ty(&groups.table), Type::Json | Type::Array(_)) {
                    groups.order.insert(0, term);
                }
            }
        }
        read
    }

    /// An aggregate whose result does not depend on the order of rows: of floats no sum.
    fn aggregate(&mut self, table: &Table) -> Aggregate {
        let function = *self.pick(&[Function::Count, Function::Sum, Function::Avg, Function::Min, Function::Max]);
        let column = self.pick(&table.columns);
        let is_exact = column.ty != Type::Float || !matches!(function, Function::Sum | Function::Avg);
        if function.result(&column.ty).is_some() && is_exact {
            return Aggregate { function, input: Some(Expr::column(column.id)), cast: None };
        }
        Aggregate { function: Function::Count, input: None, cast: None }
    }

    /// A place in an order, of values that rows may have.
    fn place(&mut self, schema: &Schema, table: &Table, order: &[Order]) -> Vec<Value> {
        let mut place = Vec::with_capacity(order.len());
        for term in order {
            let holder = term.via.as_ref().map_or(table, |via| schema.table(via.table));
            place.push(match term.expr.as_column() {
                _ if self.chance(15) => Value::Null,
                Some(column) => self.value(holder, column),
                None => self.sample(&term.expr.ty(holder)),
            });
        }
        place
    }

    fn embed(&mut self, schema: &Schema, table: &Table, depth: usize) -> Option<Embed> {
        let Way { join, table, cardinality } = self.way(schema, table)?;
        let mut read = self.read(schema, schema.table(table), depth + 1);
        if cardinality == Cardinality::One {
            (read.limit, read.offset) = (None, 0);
        }
        Some(Embed { link: Link { cardinality, join }, read: Box::new(read) })
    }

    /// One of the links of a table: along a reference, against one, or through a table with two.
    fn way(&mut self, schema: &Schema, table: &Table) -> Option<Way> {
        let mut ways: Vec<Way> = Vec::new();
        for reference in &table.references {
            let pairs = pairs(&reference.columns, &reference.target_columns);
            ways.push(Way { join: Join::Direct(pairs), table: reference.target, cardinality: Cardinality::One });
        }
        for other in schema.tables() {
            for (at, reference) in other.references.iter().enumerate().filter(|(_, near)| near.target == table.id) {
                let parent = pairs(&reference.target_columns, &reference.columns);
                ways.push(Way { join: Join::Direct(parent.clone()), table: other.id, cardinality: Cardinality::Many });
                for far in other.references.iter().enumerate().filter(|(far, _)| *far != at).map(|(_, far)| far) {
                    let (parent, child) = (parent.clone(), pairs(&far.columns, &far.target_columns));
                    let join = Join::Through { table: other.id, parent, child };
                    ways.push(Way { join, table: far.target, cardinality: Cardinality::Many });
                }
            }
        }
        (!ways.is_empty()).then(|| ways.swap_remove(self.below(ways.len())))
    }

    /// A column, or a path into one, mostly one that is JSON.
    fn expr(&mut self, table: &Table) -> Expr {
        let column = self.pick(&table.columns);
        let mut expr = Expr::column(column.id);
        let percent = if matches!(column.ty, Type::Json | Type::Array(_)) { 60 } else { 5 };
        if self.chance(percent) {
            let step = |text: &&str| text.parse().map_or_else(|_| PathStep::Key((*text).to_owned()), PathStep::Index);
            expr.path = self.pick(&PATHS).iter().map(step).collect();
            expr.as_text = self.chance(50);
        }
        expr
    }

    /// Terms that every store orders alike, then the primary key.
    fn order(&mut self, schema: &Schema, table: &Table) -> Vec<Order> {
        let mut order = Vec::new();
        for _ in 0..self.below(3) {
            let way = if self.chance(20) { self.way(schema, table) } else { None };
            let way = way.filter(|way| way.cardinality == Cardinality::One);
            let holder = way.as_ref().map_or(table, |way| schema.table(way.table));
            let expr = self.expr(holder);
            let ty = expr.base_type(holder);
            let via = way.map(|Way { join, table, .. }| {
                let filter = if self.chance(30) { self.test(schema.table(table)) } else { Filter::True };
                Box::new(Via { join, table, filter })
            });
            if !matches!(ty, Type::Json | Type::Array(_)) {
                order.push(Order { via, expr, descending: self.chance(50), nulls_first: self.chance(50) });
            }
        }
        let key = table.primary_key.iter().map(|column| Expr::column(*column));
        order.extend(key.map(|expr| Order { via: None, expr, descending: false, nulls_first: false }));
        order
    }

    fn filter(&mut self, schema: &Schema, table: &Table, depth: usize) -> Filter {
        if depth >= FILTER_DEPTH_MAX {
            return self.test(table);
        }
        match self.below(15) {
            14 => self.search(table),
            12 => self.column_test(table),
            13 => Filter::Unknown,
            0..3 => Filter::True,
            3..8 => self.test(table),
            8 => Filter::And((0..self.below(3)).map(|_| self.filter(schema, table, depth + 1)).collect()),
            9 => Filter::Or((0..1 + self.below(3)).map(|_| self.filter(schema, table, depth + 1)).collect()),
            10 => not(self.filter(schema, table, depth + 1)),
            _ => match self.way(schema, table) {
                None => Filter::True,
                Some(Way { join, table: other, .. }) => {
                    let filter = Box::new(self.filter(schema, schema.table(other), depth + 1));
                    let skip = if self.chance(20) { 1 + self.below(2) as u64 } else { 0 };
                    Filter::Exists { join, table: other, filter, skip }
                }
            },
        }
    }

    /// Words in all or in one of the columns of a full-text index, if there is one.
    fn search(&mut self, table: &Table) -> Filter {
        // No word of them is one that an engine with dictionaries of its own leaves out, as English does with "a".
        const SEARCHES: [&str; 10] =
            ["b", "!b", "b & !é", "b | é", "B:*", "é", "straße", "100", "日 <-> 本", "b <-> !é"];
        let Some(index) = table.fulltexts.first() else { return Filter::Unknown };
        let columns = if self.chance(50) { index.columns.clone() } else { vec![*self.pick(&index.columns)] };
        let text = *self.pick(&SEARCHES);
        let query = SearchQuery::parse(SearchSyntax::Query, index.language, text).expect("a search");
        Filter::Search(Search { index: 0, columns, query })
    }

    /// Two columns of one type, if there are; else a column against itself.
    fn column_test(&mut self, table: &Table) -> Filter {
        use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
        let left = self.pick(&table.columns);
        let alike: Vec<ColumnId> =
            table.columns.iter().filter(|column| column.ty == left.ty).map(|column| column.id).collect();
        let mut tests = vec![ColumnTest::IsDistinct];
        tests.extend([Eq, Neq, Lt, Lte, Gt, Gte].map(ColumnTest::Compare));
        if left.ty == Type::Text {
            tests.extend([true, false].map(|case_sensitive| ColumnTest::Like { case_sensitive }));
        }
        let (test, right) = (*self.pick(&tests), *self.pick(&alike));
        Filter::Columns { left: Expr::column(left.id), test, right: Expr::column(right) }
    }

    fn test(&mut self, table: &Table) -> Filter {
        let expr = self.expr(table);
        let of = expr.ty(table);
        if self.chance(15) {
            return Filter::Test { expr, test: Test::IsNull };
        }
        let operand = if expr.path.is_empty() { self.value(table, expr.column) } else { self.inner(&of) };
        let tests = tests_of(&of, &operand);
        let mut test = self.pick(&tests).clone();
        if let Test::In(list) = &mut test {
            let is_part = !expr.path.is_empty();
            list.extend((0..self.below(3)).map(|_| if is_part { self.inner(&of) } else { self.sample(&of) }));
        }
        Filter::Test { expr, test }
    }
}

fn has_samples(of: &Type) -> bool {
    SAMPLES.iter().any(|(name, _)| ty(name) == *of)
}

fn output(name: &str, expr: Expr) -> Output {
    Output { name: name.into(), source: Source::Value(expr) }
}

fn pairs(here: &[ColumnId], there: &[ColumnId]) -> Vec<Pair> {
    here.iter().zip(there).map(|(here, there)| Pair { here: *here, there: *there }).collect()
}
