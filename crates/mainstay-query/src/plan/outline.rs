//! Reads without the values in them: what requests have in common that differ in nothing but values.
//!
//! One walk serves both ways to see it: as a number, which costs no more than the walk and stands for the outline wherever
//! something is remembered of it, and as a line of text for people. Which plain columns are shown does not count: it makes
//! no other work for a store. Sizes count by their magnitude.

use std::hash::{DefaultHasher, Hash, Hasher};

use mainstay_schema::{ColumnId, Schema, Table, TableId};

use super::{
    Cardinality, ColumnTest, Comparison, Count, Expr, Filter, Join, Order, Pair, PathStep, Read, Source, Test, Write,
};

/// Parts of a write of several that are told.
const WRITES_SHOWN: usize = 8;

/// The number of the outline of a read.
pub fn number(schema: &Schema, plan: &Read) -> u64 {
    let mut walk = Walk { schema, out: Number(DefaultHasher::new()) };
    walk.read(plan);
    walk.out.0.finish()
}

/// The outline of a read as one line: names and operators, `?` for values.
pub fn text(schema: &Schema, plan: &Read) -> String {
    let mut walk = Walk { schema, out: Text(String::new()) };
    walk.read(plan);
    walk.out.0
}

/// The number of what a write has to find: rows of a table that pass a filter, with what is given back of them.
pub fn number_of_changed(schema: &Schema, table: TableId, filter: &Filter, returning: Option<&Read>) -> u64 {
    let mut walk = Walk { schema, out: Number(DefaultHasher::new()) };
    walk.out.word("change ");
    let of = schema.table(table);
    walk.out.table(of);
    walk.filter(of, filter);
    if let Some(read) = returning {
        walk.embeds(of, read);
    }
    walk.out.0.finish()
}

/// The number and the outline of a write, as far as it says what the store has to find.
pub fn of_write(schema: &Schema, plan: &Write) -> (u64, String) {
    let mut walk = Walk { schema, out: Text(String::new()) };
    walk.write(plan);
    let mut hasher = DefaultHasher::new();
    walk.out.0.hash(&mut hasher);
    (hasher.finish(), walk.out.0)
}

/// Where a walk puts what it meets.
trait Out {
    fn word(&mut self, word: &str);
    fn table(&mut self, table: &Table);
    fn column(&mut self, table: &Table, column: ColumnId);
    fn size(&mut self, size: u64);
    /// What whoever asks has written, and is shown to nobody.
    fn hidden(&mut self, text: &str);
}

struct Number(DefaultHasher);

impl Out for Number {
    fn word(&mut self, word: &str) {
        word.hash(&mut self.0);
    }

    fn table(&mut self, table: &Table) {
        table.id.hash(&mut self.0);
    }

    fn column(&mut self, _: &Table, column: ColumnId) {
        column.hash(&mut self.0);
    }

    fn size(&mut self, size: u64) {
        magnitude(size).hash(&mut self.0);
    }

    fn hidden(&mut self, text: &str) {
        text.hash(&mut self.0);
    }
}

struct Text(String);

impl Out for Text {
    fn word(&mut self, word: &str) {
        self.0.push_str(word);
    }

    fn table(&mut self, table: &Table) {
        self.0.push_str(&table.name);
    }

    fn column(&mut self, table: &Table, column: ColumnId) {
        self.0.push_str(&table.column(column).name);
    }

    fn size(&mut self, size: u64) {
        self.0.push_str(&format!("≤{}", magnitude(size)));
    }

    fn hidden(&mut self, _: &str) {
        self.0.push('?');
    }
}

/// The power of ten that is not less.
fn magnitude(size: u64) -> u64 {
    let mut power: u64 = 1;
    while power < size {
        power = power.saturating_mul(10);
    }
    power
}

struct Walk<'s, O> {
    schema: &'s Schema,
    out: O,
}

impl<O: Out> Walk<'_, O> {
    fn read(&mut self, plan: &Read) {
        let table = self.schema.table(plan.table);
        match &plan.call {
            None => self.out.table(table),
            Some(call) => {
                self.out.word("call ");
                self.out.word(&self.schema.function(call.function).name);
            }
        }
        if plan.filter != Filter::True {
            self.out.word(" where ");
            self.filter(table, &plan.filter);
        }
        if let Some(groups) = &plan.groups {
            self.out.word(" group");
            for output in &plan.select {
                if let Source::Value(expr) = &output.source {
                    self.out.word(" ");
                    self.expr(table, expr);
                }
            }
            if groups.having != Filter::True {
                self.out.word(" having ");
                self.filter(&groups.table, &groups.having);
            }
            self.order(&groups.table, &groups.order);
        }
        self.order(table, &plan.order);
        if plan.after.is_some() {
            self.out.word(" after ?");
        }
        for (word, size) in [(" limit ", plan.limit), (" offset ", Some(plan.offset).filter(|offset| *offset > 0))] {
            if let Some(size) = size {
                self.out.word(word);
                self.out.size(size);
            }
        }
        self.out.word(match plan.count {
            Count::None => "",
            Count::Exact => " count",
            Count::Planned => " count planned",
            Count::Estimated(_) => " count estimated",
        });
        self.embeds(table, plan);
    }

    fn embeds(&mut self, table: &Table, plan: &Read) {
        for output in &plan.select {
            if let Some(embed) = output.source.embed() {
                self.out.word(match embed.link.cardinality {
                    Cardinality::One => " with one (",
                    Cardinality::Many => " with many (",
                });
                self.read(&embed.read);
                self.join(table, self.schema.table(embed.read.table), &embed.link.join);
                self.out.word(")");
            }
        }
    }

    fn write(&mut self, plan: &Write) {
        let (word, table, filter) = match plan {
            Write::Insert(insert) => ("insert ", insert.table, &Filter::True),
            Write::Update(update) => ("update ", update.table, &update.filter),
            Write::UpdateEach(update) => ("update each of ", update.table, &update.filter),
            Write::Delete(delete) => ("delete ", delete.table, &delete.filter),
            Write::Batch(plans) => {
                for (position, plan) in plans.iter().enumerate().take(WRITES_SHOWN) {
                    self.out.word(if position > 0 { "; " } else { "" });
                    self.write(plan);
                }
                return;
            }
            Write::Nested(nested) => {
                for (position, part) in nested.parts.iter().enumerate().take(WRITES_SHOWN) {
                    self.out.word(if position > 0 { "; insert " } else { "insert " });
                    self.out.table(self.schema.table(part.insert.table));
                }
                return;
            }
            Write::Run(run) => {
                self.out.word("call ");
                return self.out.word(&self.schema.function(run.call.function).name);
            }
        };
        let table = self.schema.table(table);
        self.out.word(word);
        self.out.table(table);
        if *filter != Filter::True {
            self.out.word(" where ");
            self.filter(table, filter);
        }
    }

    fn order(&mut self, table: &Table, terms: &[Order]) {
        for (position, term) in terms.iter().enumerate() {
            self.out.word(if position == 0 { " order " } else { ", " });
            match &term.via {
                None => self.expr(table, &term.expr),
                Some(via) => {
                    let target = self.schema.table(via.table);
                    self.expr(target, &term.expr);
                    self.out.word(" of ");
                    self.out.table(target);
                    self.join(table, target, &via.join);
                    if via.filter != Filter::True {
                        self.out.word(" where ");
                        self.filter(target, &via.filter);
                    }
                }
            }
            self.out.word(if term.descending { " desc" } else { "" });
            if term.nulls_first != term.descending {
                self.out.word(if term.nulls_first { " nulls first" } else { " nulls last" });
            }
        }
    }

    fn join(&mut self, here: &Table, there: &Table, join: &Join) {
        match join {
            Join::Direct(pairs) => self.pairs(here, there, pairs),
            Join::Through { table, parent, child } => {
                let junction = self.schema.table(*table);
                self.out.word(" through ");
                self.out.table(junction);
                self.pairs(here, junction, parent);
                self.pairs(junction, there, child);
            }
        }
    }

    fn pairs(&mut self, here: &Table, there: &Table, pairs: &[Pair]) {
        for pair in pairs {
            self.out.word(" by ");
            self.out.column(here, pair.here);
            self.out.word("=");
            self.out.column(there, pair.there);
        }
    }

    fn filter(&mut self, table: &Table, filter: &Filter) {
        match filter {
            Filter::True => self.out.word("true"),
            Filter::False => self.out.word("false"),
            Filter::Unknown => self.out.word("unknown"),
            Filter::And(parts) => self.joined(table, parts, " and "),
            Filter::Or(parts) => self.joined(table, parts, " or "),
            Filter::Not(part) => {
                self.out.word("not ");
                self.filter(table, part);
            }
            Filter::Test { expr, test } => {
                self.expr(table, expr);
                self.test(test);
            }
            Filter::Columns { left, test, right } => {
                self.expr(table, left);
                self.out.word(match test {
                    ColumnTest::Compare(comparison) => symbol(*comparison),
                    ColumnTest::IsDistinct => " is distinct from ",
                    ColumnTest::Like { case_sensitive: true } => " like ",
                    ColumnTest::Like { case_sensitive: false } => " ilike ",
                });
                self.expr(table, right);
            }
            Filter::Search(search) => {
                self.out.word("words of");
                for column in &search.columns {
                    self.out.word(" ");
                    self.out.column(table, *column);
                }
            }
            Filter::Exists { join, table: target, filter, .. } => {
                let target = self.schema.table(*target);
                self.out.word("exists (");
                self.out.table(target);
                self.join(table, target, join);
                if **filter != Filter::True {
                    self.out.word(" where ");
                    self.filter(target, filter);
                }
                self.out.word(")");
            }
        }
    }

    fn joined(&mut self, table: &Table, parts: &[Filter], word: &str) {
        self.out.word("(");
        for (position, part) in parts.iter().enumerate() {
            self.out.word(if position > 0 { word } else { "" });
            self.filter(table, part);
        }
        self.out.word(")");
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Compare(comparison, _) => {
                self.out.word(symbol(*comparison));
                self.out.word("?");
            }
            Test::In(list) => {
                self.out.word(" in ");
                self.out.size(list.len() as u64);
            }
            Test::IsNull => self.out.word(" is null"),
            Test::IsBool(true) => self.out.word(" is true"),
            Test::IsBool(false) => self.out.word(" is false"),
            Test::IsDistinct(_) => self.out.word(" is distinct from ?"),
            // A pattern that begins with a text can be looked up, another cannot.
            Test::Like { pattern, case_sensitive } => {
                self.out.word(if *case_sensitive { " like " } else { " ilike " });
                self.out.word(if pattern.starts_with(['%', '_']) { "%?" } else { "?" });
            }
            Test::Match { case_sensitive: true, .. } => self.out.word(" match ?"),
            Test::Match { case_sensitive: false, .. } => self.out.word(" imatch ?"),
            Test::Contains(_) => self.out.word(" contains ?"),
            Test::ContainedIn(_) => self.out.word(" is contained in ?"),
            Test::Overlaps(_) => self.out.word(" overlaps ?"),
            Test::Range(test, _) => {
                self.out.word(test.symbol());
                self.out.word("?");
            }
        }
    }

    fn expr(&mut self, table: &Table, expr: &Expr) {
        self.out.column(table, expr.column);
        for step in &expr.path {
            self.out.word("->");
            match step {
                PathStep::Key(key) => self.out.hidden(key),
                PathStep::Index(_) => self.out.word("?"),
            }
        }
        if let Some(cast) = &expr.cast {
            self.out.word("::");
            self.out.word(cast.wire_name());
        }
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => " = ",
        Comparison::Neq => " <> ",
        Comparison::Lt => " < ",
        Comparison::Lte => " <= ",
        Comparison::Gt => " > ",
        Comparison::Gte => " >= ",
    }
}
