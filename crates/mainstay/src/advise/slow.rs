//! What slow statements tell: the filters and orders that no index begins with.

use mainstay_schema::{ColumnId, Schema, Table};

use super::{Advice, Change, Kind};
use crate::statements::{Statement, Wanted};

/// The advice with that which slow statements give. What a table's references want as well is said once, for the statements.
pub fn heed(schema: &Schema, slow: &[Statement], mut advice: Vec<Advice>) -> Vec<Advice> {
    let mut heeded: Vec<Advice> = Vec::new();
    for statement in slow {
        for wanted in &statement.indexes {
            let Some(change) = change(schema, wanted) else { continue };
            if heeded.iter().any(|one| one.change.as_ref() == Some(&change)) {
                continue;
            }
            let words =
                wanted.columns.iter().map(|(name, down)| if *down { format!("{name} desc") } else { name.clone() });
            let Statement { outline, count, p99_ms, worst_ms, .. } = statement;
            heeded.push(Advice {
                kind: Kind::MissingIndex,
                table: wanted.table.clone(),
                found: format!(
                    "`{outline}` was slow {count} times (99 of 100 within {p99_ms} ms, {worst_ms} ms at worst), and no index \
                     leads to its rows"
                ),
                remedy: format!("add an index on ({})", words.collect::<Vec<_>>().join(", ")),
                rows: advice.iter().find(|one| one.table == wanted.table).and_then(|one| one.rows),
                change: Some(change),
            });
        }
    }
    advice.retain(|one| !heeded.iter().any(|other| includes(other, one)));
    heeded.extend(advice);
    heeded
}

/// Whether the index that one piece of advice asks for begins with all that another one asks for.
fn includes(one: &Advice, other: &Advice) -> bool {
    match (&one.change, &other.change) {
        (Some(Change::Add { table, columns }), Some(Change::Add { table: of, columns: less })) => {
            table == of && columns.len() >= less.len() && columns.iter().zip(less).all(|(one, other)| one.0 == other.0)
        }
        _ => false,
    }
}

/// The index as a change, if the table has the columns and no key or index begins with them.
fn change(schema: &Schema, wanted: &Wanted) -> Option<Change> {
    let table = schema.find(&wanted.table).filter(|table| table.is_writable() && !table.internal)?;
    let ids = wanted.columns.iter().map(|(name, _)| table.find_column(name).map(|column| column.id));
    let ids = ids.collect::<Option<Vec<ColumnId>>>().filter(|ids| !ids.is_empty())?;
    let change = Change::Add { table: wanted.table.clone(), columns: wanted.columns.clone() };
    (!is_there(schema, table, &ids)).then_some(change)
}

fn is_there(schema: &Schema, table: &Table, columns: &[ColumnId]) -> bool {
    let about = schema.found().and_then(|found| found.table(table.id));
    let led_to = about.into_iter().flat_map(|about| about.led_to.iter().cloned());
    let indexes = table.indexes.iter().filter(|index| index.condition.is_none());
    let indexes = indexes.map(|index| index.columns.iter().map(|part| part.column).collect::<Vec<_>>());
    let keys = std::iter::once(table.primary_key.clone()).chain(table.uniques.iter().map(|key| key.columns.clone()));
    keys.chain(indexes).chain(led_to).any(|key| key.starts_with(columns))
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load};
    use mainstay_store::Statistics;

    use super::super::examine;
    use super::*;

    fn statement(outline: &str, columns: &[(&str, bool)]) -> Statement {
        let columns = columns.iter().map(|(name, down)| ((*name).to_owned(), *down)).collect();
        Statement {
            outline: outline.to_owned(),
            count: 3,
            total_ms: 3000,
            p99_ms: 1000,
            worst_ms: 1200,
            plan: Vec::new(),
            indexes: vec![Wanted { table: "orders".to_owned(), columns }],
        }
    }

    #[test]
    fn slow_statements_want_what_is_not_there_and_nothing_twice() {
        let text = "[people.fields]\nid = { type = \"int\", primary = true }\n[orders.fields]\nid = { type = \"int\", primary = true }\n\
                    person = { ref = \"people\" }\nat = \"timestamp\"\nkind = \"text\"\n[orders.indexes]\nby_kind = [\"kind\", \"at\"]\n";
        let schema = load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).unwrap();
        let slow = [
            statement("orders where person = ? order at desc", &[("person", false), ("at", true)]),
            statement("orders where person = ? order at desc limit ≤10", &[("person", false), ("at", true)]),
            statement("orders where kind = ?", &[("kind", false)]),
            statement("orders where gone = ?", &[("gone", false)]),
        ];
        let advice = heed(&schema, &slow, examine(&schema, &Statistics::default()));
        let told: Vec<&str> = advice.iter().map(|one| one.remedy.as_str()).collect();
        assert_eq!(told, ["add an index on (person, at desc)"]);
        assert!(advice[0].found.contains("slow 3 times (99 of 100 within 1000 ms"), "{}", advice[0].found);
    }
}
