//! Which indexes would lead a store to the rows of a read, instead of having it look at all of them.
//!
//! It knows what a read asks for and which keys and indexes there are, and nothing of how many rows pass a filter: what it
//! names is worth a look and no promise.

use mainstay_schema::{ColumnId, Schema, Table, TableId};

use super::{Comparison, Filter, Join, Order, Read, Test};

/// Columns of an index that is not there, each with whether it is in descending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedIndex {
    /// The table.
    pub table: TableId,
    /// The columns in order.
    pub columns: Vec<(ColumnId, bool)>,
}

/// The indexes that a read would use if they were there, its own before those of its embeds.
pub fn wanted(schema: &Schema, plan: &Read) -> Vec<WantedIndex> {
    let mut found = Vec::new();
    if plan.call.is_none() {
        level(schema, plan, &[], &mut found);
    }
    found
}

fn level(schema: &Schema, plan: &Read, linked: &[ColumnId], found: &mut Vec<WantedIndex>) {
    let table = schema.table(plan.table);
    let mut asked = Asked { equal: linked.to_vec(), range: None };
    conditions(&plan.filter, &mut asked);
    let order = plain_order(table, &plan.order);
    if table.is_writable() && !is_served(schema, table, &asked, &order) {
        let mut columns: Vec<(ColumnId, bool)> = asked.equal.iter().map(|column| (*column, false)).collect();
        let is_new = |column: &ColumnId| !asked.equal.contains(column);
        match asked.range.filter(is_new) {
            Some(column) => columns.push((column, false)),
            None => columns.extend(order.iter().copied().filter(|(column, _)| is_new(column))),
        }
        let wanted = WantedIndex { table: table.id, columns };
        if !wanted.columns.is_empty() && !found.contains(&wanted) {
            found.push(wanted);
        }
    }
    for output in &plan.select {
        let Some(embed) = output.source.embed() else { continue };
        let (Join::Direct(pairs) | Join::Through { child: pairs, .. }) = &embed.link.join;
        let linked: Vec<ColumnId> = pairs.iter().map(|pair| pair.there).collect();
        level(schema, &embed.read, &linked, found);
    }
}

/// What the conditions that all must hold ask of columns.
struct Asked {
    equal: Vec<ColumnId>,
    range: Option<ColumnId>,
}

fn conditions(filter: &Filter, asked: &mut Asked) {
    match filter {
        Filter::And(parts) => parts.iter().for_each(|part| conditions(part, asked)),
        Filter::Test { expr, test } => {
            let Some(column) = expr.as_column() else { return };
            match test {
                Test::Compare(Comparison::Eq, _) | Test::In(_) | Test::IsNull | Test::IsBool(_)
                    if !asked.equal.contains(&column) =>
                {
                    asked.equal.push(column);
                }
                Test::Compare(Comparison::Lt | Comparison::Lte | Comparison::Gt | Comparison::Gte, _) => {
                    asked.range.get_or_insert(column);
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// The order as columns; nothing if it is by anything else, and without the primary key that only makes it total.
fn plain_order(table: &Table, terms: &[Order]) -> Vec<(ColumnId, bool)> {
    let column = |term: &Order| {
        let is_here = term.via.is_none();
        term.expr.as_column().filter(|_| is_here).map(|column| (column, term.descending))
    };
    let Some(mut order) = terms.iter().map(column).collect::<Option<Vec<_>>>() else { return Vec::new() };
    while order.last().is_some_and(|(column, _)| table.primary_key.contains(column)) {
        order.pop();
    }
    order
}

/// Whether a key or an index of all rows leads to what is asked.
fn is_served(schema: &Schema, table: &Table, asked: &Asked, order: &[(ColumnId, bool)]) -> bool {
    let keys = std::iter::once(table.primary_key.clone()).chain(table.uniques.iter().map(|key| key.columns.clone()));
    let indexes = table.indexes.iter().filter(|index| index.condition.is_none());
    let indexes = indexes.map(|index| index.columns.iter().map(|part| part.column).collect::<Vec<_>>());
    let next = asked.range.or_else(|| order.first().map(|(column, _)| *column));
    let serves = |columns: Vec<ColumnId>| match columns.first() {
        None => false,
        // One of the columns that must be equal leads to few rows, or nobody knows better.
        Some(first) if !asked.equal.is_empty() => asked.equal.contains(first),
        Some(first) => next.is_none_or(|next| next == *first),
    };
    let about = schema.found().and_then(|found| found.table(table.id));
    let led_to = about.into_iter().flat_map(|about| about.led_to.iter().cloned());
    let asks_nothing = asked.equal.is_empty() && next.is_none();
    // Beginnings of values have no order that counts.
    let leads = |columns: Vec<ColumnId>| !asked.equal.is_empty() && serves(columns);
    asks_nothing || keys.chain(indexes).any(serves) || led_to.into_iter().any(leads)
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load};

    use super::super::super::limits::Limits;
    use super::super::super::parse::{self, Purpose};
    use super::super::super::request::ReadRequest;
    use super::super::outline;
    use super::*;

    fn schema() -> Schema {
        let text = r#"
[customers.fields]
id   = { type = "int", primary = true }
name = { type = "text", unique = true }
[orders.fields]
id       = { type = "int", primary = true }
customer = { ref = "customers" }
status   = "text"
total    = "decimal(10,2)"
at       = "timestamp"
data     = "json"
[orders.indexes]
by_status = ["status", "at desc"]
"#;
        load(&[SourceFile { path: "schema/all.toml".into(), text: text.to_owned() }]).unwrap()
    }

    fn plan(schema: &Schema, target: &str) -> Read {
        let (table, query) = target.split_once('?').unwrap();
        let limits = Limits { aggregates: true, ..Limits::default() };
        let query = parse::query(Purpose::Read, query, &limits).unwrap();
        let request = ReadRequest { table: table.to_owned(), query, ..ReadRequest::default() };
        super::super::read(schema, &limits, &request).unwrap()
    }

    #[track_caller]
    fn check(target: &str, expected: &[&str]) {
        let schema = schema();
        let told = |wanted: &WantedIndex| {
            let table = schema.table(wanted.table);
            let columns = wanted.columns.iter().map(|(column, descending)| {
                format!("{}{}", table.column(*column).name, if *descending { " desc" } else { "" })
            });
            format!("{} ({})", table.name, columns.collect::<Vec<_>>().join(", "))
        };
        let found: Vec<String> = wanted(&schema, &plan(&schema, target)).iter().map(told).collect();
        assert_eq!(found, expected, "{target}");
    }

    #[test]
    fn filters_and_orders_that_no_index_begins_with_want_one() {
        check("orders?id=eq.1", &[]);
        check("orders?limit=10", &[]);
        check("orders?status=eq.new&order=at.desc", &[]);
        check("orders?total=gt.5", &["orders (total)"]);
        check("orders?customer=eq.1&order=at.desc", &["orders (customer, at desc)"]);
        check("orders?customer=eq.1&at=gt.2026-01-01&total=lt.5", &["orders (customer, at)"]);
        check("orders?order=total.desc,id", &["orders (total desc)"]);
        // What holds for one of several is no place in an index.
        check("orders?or=(total.gt.5,customer.eq.1)", &[]);
        check("orders?data->>a=eq.1", &[]);
    }

    #[test]
    fn rows_that_belong_to_others_want_one_that_begins_with_the_link() {
        check("customers?select=name,orders(status)", &["orders (customer)"]);
        check("orders?select=status,customers(name)&status=eq.new", &[]);
    }

    #[test]
    fn outlines_differ_by_what_makes_work_and_hold_no_values() {
        let schema = schema();
        let number = |target: &str| outline::number(&schema, &plan(&schema, target));
        let text = |target: &str| outline::text(&schema, &plan(&schema, target));
        assert_eq!(number("orders?status=eq.new&select=id"), number("orders?status=eq.paid&select=total,at"));
        assert_eq!(number("orders?id=in.(1,2,3)"), number("orders?id=in.(4,5,6,7)"));
        for (one, other) in [
            ("orders?status=eq.new", "orders?status=neq.new"),
            ("orders?status=eq.new", "orders?total=eq.1"),
            ("orders?status=like.a*", "orders?status=like.*a"),
            ("orders?limit=5", "orders?limit=500"),
            ("orders?data->>a=eq.1", "orders?data->>b=eq.1"),
            ("orders?select=id", "orders?select=id,customers(name)"),
            ("orders?select=id", "orders?select=id.sum()"),
        ] {
            assert_ne!(number(one), number(other), "{one} {other}");
        }
        assert_eq!(
            text(
                "orders?status=eq.hunter2&data->>hunter2=like.*hunter2&order=at.desc&limit=20&select=id,customers(name)"
            ),
            "orders where (status = ? and data->? like %?) order at desc, id limit ≤100 \
             with one (customers by customer=id)"
        );
    }
}
