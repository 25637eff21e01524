//! Plans as text for people: what `mainstay explain` prints, and what the tests of the planner compare.
//!
//! One line a member, filter and order, indented as they nest. The text is not a language: nothing reads it back.

use std::fmt::Write as _;

use mainstay_schema::{Column, ColumnId, Schema, Table, Value};

use super::{
    Aggregate, Assign, Cardinality, ColumnTest, Comparison, Count, Delete, Expect, Expr, Filter, FunctionCall, Insert,
    Join, Nested, Order, Pair, PathStep, Read, Source, Test, Update, UpdateEach, Write,
};

/// The text of a read.
pub fn read(schema: &Schema, plan: &Read) -> String {
    let mut printer = Printer { schema, text: String::new() };
    let head = match &plan.call {
        None => format!("read {}", schema.table(plan.table).name),
        Some(function) => format!("call {}", call(schema, function)),
    };
    printer.read(0, &head, plan);
    printer.text
}

/// The text of a write.
pub fn write(schema: &Schema, plan: &Write) -> String {
    let mut printer = Printer { schema, text: String::new() };
    printer.write(0, plan);
    printer.text
}

/// The text of a filter on the rows of `table`.
pub fn filter(schema: &Schema, table: &Table, filter: &Filter) -> String {
    condition(schema, table, filter)
}

struct Printer<'a> {
    schema: &'a Schema,
    text: String,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{:width$}{text}", "", width = 2 * depth);
    }

    fn read(&mut self, depth: usize, head: &str, plan: &Read) {
        self.line(depth, head);
        let table = self.schema.table(plan.table);
        self.members(depth + 1, table, plan);
        if plan.filter != Filter::True {
            let filter = condition(self.schema, table, &plan.filter);
            self.line(depth + 1, &format!("where {filter}"));
        }
        if let Some(groups) = &plan.groups {
            self.line(depth + 1, "group");
            if groups.having != Filter::True {
                let having = condition(self.schema, &groups.table, &groups.having);
                self.line(depth + 1, &format!("having {having}"));
            }
            self.order(depth + 1, &groups.table, &groups.order);
        }
        self.order(depth + 1, table, &plan.order);
        if let Some(place) = &plan.after {
            let place: Vec<String> = place.iter().map(value).collect();
            self.line(depth + 1, &format!("after {}", place.join(", ")));
        }
        if let Some(limit) = plan.limit {
            self.line(depth + 1, &format!("limit {limit}"));
        }
        if plan.offset > 0 {
            self.line(depth + 1, &format!("offset {}", plan.offset));
        }
        match plan.count {
            Count::None => {}
            Count::Exact => self.line(depth + 1, "count exact"),
            Count::Planned => self.line(depth + 1, "count planned"),
            Count::Estimated(most) => self.line(depth + 1, &format!("count estimated beyond {most}")),
        }
    }

    fn order(&mut self, depth: usize, table: &Table, terms: &[Order]) {
        if !terms.is_empty() {
            let terms: Vec<String> = terms.iter().map(|term| order(self.schema, table, term)).collect();
            self.line(depth, &format!("order {}", terms.join(", ")));
        }
    }

    /// Neighboring columns share a line, embeds have their own.
    fn members(&mut self, depth: usize, table: &Table, plan: &Read) {
        let mut values: Vec<String> = Vec::new();
        for output in &plan.select {
            match &output.source {
                Source::Value(value) => {
                    let text = expr(table, value);
                    let name = &*output.name;
                    values.push(if name == text { text } else { format!("{name}: {text}") });
                }
                Source::Aggregate(value) => {
                    let text = aggregate(table, value);
                    let name = &*output.name;
                    values.push(if name == value.function.word() { text } else { format!("{name}: {text}") });
                }
                Source::Embed(_) | Source::Spread(_) => {}
            }
        }
        if !values.is_empty() {
            self.line(depth, &format!("select {}", values.join(", ")));
        }
        for output in &plan.select {
            if let Some(embed) = output.source.embed() {
                let target = self.schema.table(embed.read.table);
                let word = match embed.link.cardinality {
                    Cardinality::One => "one",
                    Cardinality::Many => "many",
                };
                let spread = if matches!(output.source, Source::Spread(_)) { "..." } else { "" };
                let join = join(self.schema, table, target, &embed.link.join);
                let head = format!("{spread}{}: {word} {} by {join}", output.name, target.name);
                self.read(depth, &head, &embed.read);
            }
        }
    }

    fn write(&mut self, depth: usize, plan: &Write) {
        match plan {
            Write::Insert(plan) => self.insert(depth, plan),
            Write::Update(plan) => self.update(depth, plan),
            Write::UpdateEach(plan) => self.update_each(depth, plan),
            Write::Delete(plan) => self.delete(depth, plan),
            Write::Nested(plan) => self.nested(depth, plan),
            Write::Batch(plans) => {
                self.line(depth, "batch");
                plans.iter().for_each(|plan| self.write(depth + 1, plan));
            }
            Write::Run(plan) => {
                self.line(depth, &format!("run {}", call(self.schema, &plan.call)));
                self.outcome(depth + 1, plan.returning.as_deref(), plan.expect);
            }
        }
    }

    fn nested(&mut self, depth: usize, plan: &Nested) {
        self.line(depth, "nested");
        for (position, part) in plan.parts.iter().enumerate() {
            self.insert(depth + 1, &part.insert);
            let table = self.schema.table(part.insert.table);
            for link in &part.links {
                let target = &plan.parts[link.part].insert;
                let there = self.schema.table(target.table);
                let pairs: Vec<String> = link
                    .columns
                    .iter()
                    .map(|(place, column)| {
                        let here = &table.column(part.insert.columns[*place]).name;
                        format!("{here} from {}", there.column(*column).name)
                    })
                    .collect();
                let rows: Vec<String> = link
                    .rows
                    .iter()
                    .take(ROWS_SHOWN)
                    .map(|row| row.map_or("-".to_owned(), |row| (row + 1).to_string()))
                    .collect();
                self.line(depth + 2, &format!("{} of {} {}", pairs.join(", "), there.name, rows.join(" ")));
            }
            if position == plan.root {
                self.outcome(depth + 2, plan.returning.as_deref(), plan.expect);
            }
        }
    }

    fn insert(&mut self, depth: usize, plan: &Insert) {
        let table = self.schema.table(plan.table);
        self.line(depth, &format!("insert {} ({})", table.name, columns(table, &plan.columns)));
        for row in plan.rows.iter().take(ROWS_SHOWN) {
            let cells: Vec<String> = row.iter().map(|cell| cell.as_ref().map_or("made".to_owned(), value)).collect();
            self.line(depth + 1, &format!("row {}", cells.join(", ")));
        }
        if plan.rows.len() > ROWS_SHOWN {
            self.line(depth + 1, &format!("… {} rows in all", plan.rows.len()));
        }
        if let Some(conflict) = &plan.conflict {
            let target = columns(table, &conflict.target);
            let then = match &conflict.merge {
                Some(merge) => format!("merge {}", columns(table, merge)),
                None => "skip".to_owned(),
            };
            self.line(depth + 1, &format!("on conflict ({target}) {then}"));
        }
        self.outcome(depth + 1, plan.returning.as_deref(), plan.expect);
    }

    fn update(&mut self, depth: usize, plan: &Update) {
        let table = self.schema.table(plan.table);
        self.line(depth, &format!("update {}", table.name));
        for (column, new) in &plan.set {
            self.line(depth + 1, &assignment(table, *column, new));
        }
        self.line(depth + 1, &format!("where {}", condition(self.schema, table, &plan.filter)));
        self.outcome(depth + 1, plan.returning.as_deref(), plan.expect);
    }

    fn update_each(&mut self, depth: usize, plan: &UpdateEach) {
        let table = self.schema.table(plan.table);
        self.line(depth, &format!("update {} by ({})", table.name, columns(table, &plan.key)));
        for change in plan.rows.iter().take(ROWS_SHOWN) {
            let key: Vec<String> = change.key.iter().map(value).collect();
            let set: Vec<String> = change.set.iter().map(|(column, new)| assignment(table, *column, new)).collect();
            self.line(depth + 1, &format!("({}) {}", key.join(", "), set.join(", ")));
        }
        if plan.rows.len() > ROWS_SHOWN {
            self.line(depth + 1, &format!("… {} rows in all", plan.rows.len()));
        }
        if plan.filter != Filter::True {
            self.line(depth + 1, &format!("where {}", condition(self.schema, table, &plan.filter)));
        }
        self.outcome(depth + 1, plan.returning.as_deref(), plan.expect);
    }

    fn delete(&mut self, depth: usize, plan: &Delete) {
        let table = self.schema.table(plan.table);
        self.line(depth, &format!("delete {}", table.name));
        self.line(depth + 1, &format!("where {}", condition(self.schema, table, &plan.filter)));
        self.outcome(depth + 1, plan.returning.as_deref(), plan.expect);
    }

    fn outcome(&mut self, depth: usize, returning: Option<&Read>, expect: Expect) {
        if let Some(returning) = returning {
            self.read(depth, "return", returning);
        }
        if expect.single {
            self.line(depth, "expect 1 row");
        }
        if let Some(most) = expect.affected_max {
            self.line(depth, &format!("expect at most {most} rows"));
        }
    }
}

/// `best(since = 2026-01-01, most = null)`
fn call(schema: &Schema, call: &FunctionCall) -> String {
    let function = schema.function(call.function);
    let arguments = function.parameters.iter().zip(&call.arguments);
    let shown = |(parameter, given): (&Column, &Value)| match call.left_out.contains(&parameter.id) {
        true => format!("{} = default", parameter.name),
        false => format!("{} = {}", parameter.name, value(given)),
    };
    let arguments: Vec<String> = arguments.map(shown).collect();
    format!("{}({})", function.name, arguments.join(", "))
}

fn condition(schema: &Schema, table: &Table, filter: &Filter) -> String {
    let joined = |parts: &[Filter], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| condition(schema, table, part)).collect();
        format!("({})", parts.join(word))
    };
    match filter {
        Filter::True => "true".to_owned(),
        Filter::False => "false".to_owned(),
        Filter::Unknown => "unknown".to_owned(),
        Filter::And(parts) => joined(parts, " and "),
        Filter::Or(parts) => joined(parts, " or "),
        Filter::Not(part) => format!("not {}", condition(schema, table, part)),
        Filter::Test { expr: tested, test: wanted } => format!("{} {}", expr(table, tested), test(wanted)),
        Filter::Columns { left, test, right } => {
            format!("{} {} {}", expr(table, left), column_test(*test), expr(table, right))
        }
        Filter::Search(search) => {
            let (syntax, language, text) = search.query.source();
            format!("({}) {}({}) {text:?}", columns(table, &search.columns), syntax.word(), language.name())
        }
        Filter::Exists { join: by, table: target, filter, skip } => {
            let target = schema.table(*target);
            let by = join(schema, table, target, by);
            let after = if *skip > 0 { format!(" after {skip}") } else { String::new() };
            match &**filter {
                Filter::True => format!("exists {}{after} by {by}", target.name),
                filter => {
                    format!("exists {}{after} by {by} where {}", target.name, condition(schema, target, filter))
                }
            }
        }
    }
}

fn test(test: &Test) -> String {
    match test {
        Test::Compare(comparison, operand) => format!("{} {}", symbol(*comparison), value(operand)),
        Test::In(list) => {
            let shown: Vec<String> = list.iter().take(ROWS_SHOWN).map(value).collect();
            let more = if list.len() > ROWS_SHOWN { format!(", … {} in all", list.len()) } else { String::new() };
            format!("in ({}{more})", shown.join(", "))
        }
        Test::IsNull => "is null".to_owned(),
        Test::IsBool(wanted) => format!("is {wanted}"),
        Test::IsDistinct(operand) => format!("is distinct from {}", value(operand)),
        Test::Like { pattern, case_sensitive } => {
            format!("{} {pattern:?}", if *case_sensitive { "like" } else { "ilike" })
        }
        Test::Match { pattern, case_sensitive } => {
            format!("{} {:?}", if *case_sensitive { "match" } else { "imatch" }, pattern.0.as_str())
        }
        Test::Contains(operand) => format!("contains {}", value(operand)),
        Test::ContainedIn(operand) => format!("is contained in {}", value(operand)),
        Test::Overlaps(operand) => format!("overlaps {}", value(operand)),
        Test::Range(test, operand) => format!("{} {}", test.symbol(), value(operand)),
    }
}

fn column_test(test: ColumnTest) -> &'static str {
    match test {
        ColumnTest::Compare(comparison) => symbol(comparison),
        ColumnTest::IsDistinct => "is distinct from",
        ColumnTest::Like { case_sensitive: true } => "like",
        ColumnTest::Like { case_sensitive: false } => "ilike",
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "=",
        Comparison::Neq => "<>",
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    }
}

/// Text in quotes, everything else bare, so that the number 1 and the text "1" look different.
fn value(value: &Value) -> String {
    match value.to_text() {
        None => "null".to_owned(),
        Some(text) if matches!(value, Value::Text(_)) => format!("{text:?}"),
        Some(text) => text,
    }
}

/// `set stock = stock + 1`.
fn assignment(table: &Table, column: ColumnId, assign: &Assign) -> String {
    let name = &table.column(column).name;
    match assign {
        Assign::Value(new) => format!("set {name} = {}", value(new)),
        Assign::Add(number) => format!("set {name} = {name} + {}", value(number)),
        Assign::Append(more) => format!("set {name} = {name} then {}", value(more)),
        Assign::Prepend(more) => format!("set {name} = {} then {name}", value(more)),
        Assign::Remove(items) => format!("set {name} = {name} without {}", value(items)),
        Assign::Merge(patch) => format!("set {name} = {name} merged with {}", patch.as_str()),
        Assign::Patch(steps) => {
            let steps: Vec<String> = steps.iter().map(|step| format!("{:?} at {:?}", step.op, step.path)).collect();
            format!("set {name} = {name} patched by {}", steps.join(", "))
        }
    }
}

fn expr(table: &Table, expr: &Expr) -> String {
    let mut text = table.column(expr.column).name.to_string();
    for (position, step) in expr.path.iter().enumerate() {
        let is_last = position + 1 == expr.path.len();
        text.push_str(if is_last && expr.as_text { "->>" } else { "->" });
        match step {
            PathStep::Key(key) => text.push_str(&format!("{key:?}")),
            PathStep::Index(index) => text.push_str(&index.to_string()),
        }
    }
    if let Some(cast) = &expr.cast {
        text.push_str(&format!("::{cast}"));
    }
    text
}

fn aggregate(table: &Table, aggregate: &Aggregate) -> String {
    let input = aggregate.input.as_ref().map_or(String::new(), |input| expr(table, input));
    let cast = aggregate.cast.as_ref().map_or(String::new(), |cast| format!("::{cast}"));
    format!("{}({input}){cast}", aggregate.function.word())
}

fn order(schema: &Schema, table: &Table, order: &Order) -> String {
    let mut text = match &order.via {
        None => expr(table, &order.expr),
        Some(via) => {
            let target = schema.table(via.table);
            let by = join(schema, table, target, &via.join);
            let mut text = format!("{} of {} by {by}", expr(target, &order.expr), target.name);
            if via.filter != Filter::True {
                text.push_str(&format!(" where {}", condition(schema, target, &via.filter)));
            }
            text
        }
    };
    if order.descending {
        text.push_str(" desc");
    }
    // PostgreSQL's default goes without saying.
    if order.nulls_first != order.descending {
        text.push_str(if order.nulls_first { " nulls first" } else { " nulls last" });
    }
    text
}

fn join(schema: &Schema, here: &Table, there: &Table, join: &Join) -> String {
    match join {
        Join::Direct(by) => pairs(here, there, by),
        Join::Through { table, parent, child } => {
            let junction = schema.table(*table);
            format!("{} and {}", pairs(here, junction, parent), pairs(junction, there, child))
        }
    }
}

fn pairs(here: &Table, there: &Table, pairs: &[Pair]) -> String {
    let equal = |pair: &Pair| {
        let (near, far) = (here.column(pair.here), there.column(pair.there));
        format!("{}.{} = {}.{}", here.name, near.name, there.name, far.name)
    };
    pairs.iter().map(equal).collect::<Vec<_>>().join(" and ")
}

fn columns(table: &Table, ids: &[ColumnId]) -> String {
    ids.iter().map(|id| &*table.column(*id).name).collect::<Vec<_>>().join(", ")
}

/// Rows of an insert, and elements of a list, that are printed.
const ROWS_SHOWN: usize = 20;
