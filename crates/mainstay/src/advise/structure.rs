//! What the tables alone tell, and what the engine has counted of their use.

use mainstay_schema::{ColumnId, Index, Schema, Table};
use mainstay_store::{IndexStatistics, Statistics};

use super::{Advice, Change, Kind};
use crate::project::is_view;

/// Days for which uses must have been counted before an index counts as unused: some work is done once a week.
const DAYS_MIN: u64 = 7;

/// Everything that there is to say, tables with many rows first.
pub fn examine(schema: &Schema, statistics: &Statistics) -> Vec<Advice> {
    let mut advice = Vec::new();
    for table in schema.tables().iter().filter(|table| has_rows(schema, table)) {
        let rows = statistics.tables.iter().find(|known| known.table == *table.name).map(|known| known.rows);
        let mut add = |kind, found: String, remedy: String, change| {
            advice.push(Advice { kind, table: table.name.to_string(), found, remedy, rows, change });
        };
        if table.primary_key.is_empty() {
            let (found, remedy) = no_key(table);
            add(Kind::NoKey, found, remedy, None);
        }
        for (name, columns, target) in unindexed_references(schema, table) {
            let words = names(table, &columns).join(", ");
            let found = format!("no index leads to the rows that refer to {target} by {words} ({name})");
            let change = Change::Add {
                table: table.name.to_string(),
                columns: names(table, &columns).into_iter().map(|name| (name, false)).collect(),
            };
            add(Kind::MissingIndex, found, format!("add an index on ({words})"), Some(change));
        }
        for index in &table.indexes {
            let drop = Change::Drop { table: table.name.to_string(), index: index.name.to_string() };
            let is_it = |known: &&IndexStatistics| known.table == *table.name && known.index == *index.name;
            let used = statistics.indexes.iter().find(is_it);
            if let Some(other) = replaced_by(table, index) {
                let found = format!("the index {} does nothing that {other} does not", index.name);
                add(Kind::RedundantIndex, found, format!("drop the index {}", index.name), Some(drop));
            } else if let (Some(used), Some(days)) = (used, statistics.days)
                && used.uses == 0
                && !index.unique
                && !is_for_reference(table, index)
            {
                let size = used.bytes.map_or_else(String::new, |bytes| format!(" ({} KiB)", bytes / 1024));
                let found = format!("the index {}{size} was not used in {days} days of counting", index.name);
                if days < DAYS_MIN {
                    let remedy = format!("look again when uses were counted for {DAYS_MIN} days");
                    add(Kind::UnusedIndex, found, remedy, None);
                } else {
                    let remedy = format!("drop the index {}, if no other server of the database uses it", index.name);
                    add(Kind::UnusedIndex, found, remedy, Some(drop));
                }
            }
        }
    }
    advice.sort_by(|one, other| (one.kind, other.rows, &one.table).cmp(&(other.kind, one.rows, &other.table)));
    advice
}

/// Whether a table keeps rows and is not one of ours.
fn has_rows(schema: &Schema, table: &Table) -> bool {
    !table.internal && !is_view(schema, table)
}

fn no_key(table: &Table) -> (String, String) {
    let is_there = |column: &ColumnId| !table.column(*column).optional;
    let key = table.uniques.iter().find(|key| key.columns.iter().all(is_there));
    let remedy = match key {
        Some(key) => format!("make the unique key {} its primary key", key.name),
        None => "give it a primary key: without one no request can name a row, and copies begin anew".to_owned(),
    };
    ("rows have no primary key".to_owned(), remedy)
}

/// References whose columns no index begins with: deleting or changing what they refer to looks at every row here.
fn unindexed_references(schema: &Schema, table: &Table) -> Vec<(String, Vec<ColumnId>, String)> {
    let mut found: Vec<(String, Vec<ColumnId>, String)> = Vec::new();
    for reference in &table.references {
        let is_known = found.iter().any(|(_, columns, _)| *columns == reference.columns);
        if !is_known && !leads_to(table, &reference.columns) {
            let target = schema.table(reference.target).name.to_string();
            found.push((reference.name.to_string(), reference.columns.clone(), target));
        }
    }
    found
}

/// Whether a key or an index of all rows begins with these columns, in any order.
pub(super) fn leads_to(table: &Table, columns: &[ColumnId]) -> bool {
    let begins = |key: &[ColumnId]| {
        key.len() >= columns.len() && key[..columns.len()].iter().all(|column| columns.contains(column))
    };
    let by_index = |index: &Index| index.condition.is_none() && begins(&columns_of(index));
    begins(&table.primary_key)
        || table.uniques.iter().any(|key| begins(&key.columns))
        || table.indexes.iter().any(by_index)
}

/// Whether a reference of the table would have no index without this one. Deletions of what is referred to go by it, which no
/// engine counts as a use, and some engines do not let it go.
fn is_for_reference(table: &Table, index: &Index) -> bool {
    let mut without = table.clone();
    without.indexes.retain(|other| other.name != index.name);
    table
        .references
        .iter()
        .any(|reference| leads_to(table, &reference.columns) && !leads_to(&without, &reference.columns))
}

fn columns_of(index: &Index) -> Vec<ColumnId> {
    index.columns.iter().map(|part| part.column).collect()
}

/// The key or index that does what an index does; nothing if there is none, or the index does more.
fn replaced_by(table: &Table, index: &Index) -> Option<String> {
    if index.unique {
        return None;
    }
    let ascends = index.columns.iter().all(|part| !part.descending);
    let columns = columns_of(index);
    let begins = |key: &[ColumnId]| ascends && index.condition.is_none() && key.starts_with(&columns);
    if begins(&table.primary_key) {
        return Some("the primary key".to_owned());
    }
    if let Some(key) = table.uniques.iter().find(|key| begins(&key.columns)) {
        return Some(format!("the unique key {}", key.name));
    }
    // Of two that are alike the later one goes.
    let place = table.indexes.iter().position(|other| other.name == index.name)?;
    let others = table.indexes.iter().enumerate().filter(|(at, other)| {
        let is_longer = other.columns.len() > index.columns.len();
        *at != place
            && other.condition == index.condition
            && other.columns.starts_with(&index.columns)
            && (is_longer || other.unique || *at < place)
    });
    others.map(|(_, other)| format!("the index {}", other.name)).next()
}

fn names(table: &Table, columns: &[ColumnId]) -> Vec<String> {
    columns.iter().map(|column| table.column(*column).name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load};
    use mainstay_store::TableStatistics;

    use super::*;

    fn schema(text: &str) -> Schema {
        load(&[SourceFile { path: "schema/all.toml".into(), text: text.to_owned() }]).unwrap()
    }

    fn check(text: &str, statistics: &Statistics, expected: &[&str]) {
        let advice = examine(&schema(text), statistics);
        let told: Vec<String> = advice.iter().map(|one| format!("{}: {}", one.table, one.remedy)).collect();
        assert_eq!(told, expected, "{advice:#?}");
    }

    const SHOP: &str = r#"
[customers.fields]
id   = { type = "int", primary = true }
name = "text"
[orders]
primary = ["customer", "number"]
[orders.fields]
customer = { ref = "customers" }
number   = "int"
giver    = { ref = "customers", optional = true }
payer    = { ref = "customers", optional = true }
at       = "timestamp"
"#;

    #[test]
    fn references_want_an_index_that_begins_with_them() {
        check(SHOP, &Statistics::default(), &["orders: add an index on (giver)", "orders: add an index on (payer)"]);
        let more = format!("{SHOP}[orders.indexes]\na = [\"giver desc\", \"at\"]\nb = [\"at\", \"payer\"]\n");
        check(&more, &Statistics::default(), &["orders: add an index on (payer)"]);
        // One of some rows leads to some rows.
        let some =
            format!("{SHOP}[orders.indexes]\na = [\"giver\"]\nb = {{ on = [\"payer\"], where = \"at > '2026'\" }}\n");
        check(&some, &Statistics::default(), &["orders: add an index on (payer)"]);
    }

    #[test]
    fn an_index_that_another_one_begins_with_is_redundant() {
        let indexes = r#"[orders.indexes]
g = ["giver"]
ga = ["giver", "at"]
p = ["payer"]
p2 = ["payer"]
down = ["at desc"]
up = ["at", "number"]
key = ["customer"]
only = { on = ["payer"], unique = true }
"#;
        let expected = [
            "orders: drop the index orders_g",
            "orders: drop the index orders_p",
            "orders: drop the index orders_p2",
            "orders: drop the index orders_key",
        ];
        check(&format!("{SHOP}{indexes}"), &Statistics::default(), &expected);
    }

    #[test]
    fn an_index_counts_as_unused_after_a_week() {
        let text =
            format!("{SHOP}[orders.indexes]\ng = [\"giver\"]\np = [\"payer\"]\nt = [\"at\"]\nn = [\"number\"]\n");
        let index = |table: &str, index: &str, uses, bytes| IndexStatistics {
            table: table.to_owned(),
            index: index.to_owned(),
            uses,
            bytes,
        };
        let mut statistics = Statistics {
            days: Some(2),
            tables: vec![TableStatistics { table: "orders".to_owned(), rows: 12 }],
            indexes: vec![
                index("orders", "orders_t", 0, Some(8192)),
                index("orders", "orders_p", 7, None),
                // The only one that leads to the rows of a reference.
                index("orders", "orders_g", 0, None),
                // Of another table of whose indexes one has this name.
                index("customers", "orders_n", 0, None),
            ],
            uncounted: None,
        };
        check(&text, &statistics, &["orders: look again when uses were counted for 7 days"]);
        assert_eq!(examine(&schema(&text), &statistics)[0].change, None);
        statistics.days = Some(30);
        check(&text, &statistics, &["orders: drop the index orders_t, if no other server of the database uses it"]);
        let told = examine(&schema(&text), &statistics);
        assert!(told[0].rows == Some(12) && told[0].found.contains("orders_t (8 KiB) was not used in 30"), "{told:?}");
        statistics.days = None;
        check(&text, &statistics, &[]);
    }
}
