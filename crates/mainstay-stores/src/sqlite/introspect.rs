//! What is in a file: tables, keys, indexes and views, as SQLite tells them, in a form that compares.
//!
//! Serves the proof that a migration leads where it should, and the check that a file is as its schema says. The order
//! of columns and the names of constraints are left out on purpose: neither changes what the tables do, and both
//! differ between a table that was made at once and one that grew.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Result};

use super::render::fulltext::PREFIX;

/// The tables and views of a database, without SQLite's own and Mainstay's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    tables: BTreeMap<String, FoundTable>,
    /// Views with their text, blanks evened out.
    views: BTreeMap<String, String>,
    /// Tables and triggers of full-text indexes with their text. The tables that FTS5 makes for itself are its own.
    fulltexts: BTreeMap<String, String>,
}

/// A table: facts in words, each under the name of what it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FoundTable {
    /// `column total` → `TEXT, required, …`; `index orders_by_total` → its columns.
    named: BTreeMap<String, String>,
    /// What has no name of its own: keys and references.
    facts: BTreeSet<String>,
}

/// Looks at a database.
pub(super) fn look(connection: &Connection) -> Result<Found> {
    let mut found = Found::default();
    let mut list = connection.prepare(
        "SELECT l.name, l.type, l.wr, l.strict, coalesce(s.sql, '')
         FROM pragma_table_list AS l LEFT JOIN sqlite_schema AS s ON s.name = l.name AND s.type = l.type
         WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name NOT LIKE '\\_mainstay%' ESCAPE '\\'",
    )?;
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let (name, kind, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(4)?);
        if kind == "view" {
            found.views.insert(name, even_blanks(&sql));
        } else {
            let (without_rowid, strict): (bool, bool) = (row.get(2)?, row.get(3)?);
            let mut table = look_at_table(connection, &name)?;
            table.facts.insert(format!("strict: {strict}, kept by key: {without_rowid}"));
            found.tables.insert(name, table);
        }
    }
    let mut list = connection.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE instr(name, ?) = 1 AND type IN ('table', 'trigger')
         AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')",
    )?;
    let fulltexts = list.query_map([PREFIX], |row| Ok((row.get(0)?, even_blanks(&row.get::<_, String>(1)?))))?;
    found.fulltexts = fulltexts.collect::<Result<_>>()?;
    Ok(found)
}

fn look_at_table(connection: &Connection, name: &str) -> Result<FoundTable> {
    let mut table = FoundTable::default();
    let defaulted = defaulted_columns(connection, name)?;
    let mut key: BTreeMap<i64, String> = BTreeMap::new();
    let mut columns =
        connection.prepare("SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)")?;
    let mut rows = columns.query([name])?;
    while let Some(row) = rows.next()? {
        let (column, ty, required): (String, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (default, place, hidden): (Option<String>, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let required = if required { "required" } else { "optional" };
        let default = default.filter(|_| defaulted.contains(&column));
        let default = default.map_or_else(String::new, |default| format!(", default {default}"));
        let hidden = if hidden == 0 { "" } else { ", computed" };
        table.named.insert(format!("column {column}"), format!("{ty} {required}{default}{hidden}"));
        if place > 0 {
            key.insert(place, column);
        }
    }
    if !key.is_empty() {
        table.facts.insert(format!("primary key ({})", key.into_values().collect::<Vec<_>>().join(", ")));
    }
    look_at_references(connection, name, &mut table)?;
    look_at_indexes(connection, name, &mut table)?;
    Ok(table)
}

/// The columns whose default matters to SQLite, because a reference may set it. Elsewhere it is what `ADD COLUMN` left.
fn defaulted_columns(connection: &Connection, table: &str) -> Result<BTreeSet<String>> {
    let mut list = connection
        .prepare("SELECT \"from\" FROM pragma_foreign_key_list(?) WHERE 'SET DEFAULT' IN (on_delete, on_update)")?;
    list.query_map([table], |row| row.get(0))?.collect()
}

fn look_at_references(connection: &Connection, name: &str, table: &mut FoundTable) -> Result<()> {
    let mut list = connection.prepare(
        "SELECT \"table\", group_concat(\"from\", ', ' ORDER BY seq), group_concat(coalesce(\"to\", '?'), ', ' ORDER BY seq),
                on_delete, on_update
         FROM pragma_foreign_key_list(?) GROUP BY id",
    )?;
    let mut rows = list.query([name])?;
    while let Some(row) = rows.next()? {
        let (target, from, to): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (on_delete, on_update): (String, String) = (row.get(3)?, row.get(4)?);
        table
            .facts
            .insert(format!("reference ({from}) to {target} ({to}) on delete {on_delete} on update {on_update}"));
    }
    Ok(())
}

fn look_at_indexes(connection: &Connection, name: &str, table: &mut FoundTable) -> Result<()> {
    let mut list = connection.prepare(
        "SELECT l.name, l.\"unique\", l.origin, coalesce(s.sql, ''),
                (SELECT group_concat(coalesce(x.name, '?') || iif(x.desc, ' desc', '') || ' ' || x.coll, ', ' ORDER BY x.seqno)
                 FROM pragma_index_xinfo(l.name) AS x WHERE x.key)
         FROM pragma_index_list(?) AS l LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name",
    )?;
    let mut rows = list.query([name])?;
    while let Some(row) = rows.next()? {
        let (index, unique, origin): (String, bool, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (sql, columns): (String, String) = (row.get(3)?, row.get(4)?);
        match origin.as_str() {
            "pk" => {}
            "u" => {
                table.facts.insert(format!("unique ({columns})"));
            }
            _ => {
                let unique = if unique { "unique " } else { "" };
                let condition = condition_of(&sql).map_or_else(String::new, |text| format!(" where {text}"));
                table.named.insert(format!("index {index}"), format!("{unique}({columns}){condition}"));
            }
        }
    }
    Ok(())
}

/// The condition of a partial index, without quotes around names: SQLite adds them when it renames a column.
fn condition_of(sql: &str) -> Option<String> {
    // The list of columns ends before the condition begins, and no name in it holds this.
    let at = sql.find(") WHERE ")?;
    Some(even_blanks(&sql[at + ") WHERE ".len()..]).replace('"', ""))
}

fn even_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How `found` differs from `wanted`, one sentence each; empty when it does not.
pub(super) fn differences(wanted: &Found, found: &Found) -> Vec<String> {
    let mut sentences = Vec::new();
    compare(&wanted.tables, &found.tables, "table", &mut sentences, |name, wanted, found, sentences| {
        let prefix = format!("table {name}:");
        compare(&wanted.named, &found.named, &prefix, sentences, |name, wanted, found, sentences| {
            if wanted != found {
                sentences.push(format!("{prefix} {name} is {found}, not {wanted}"));
            }
        });
        let missing = wanted.facts.difference(&found.facts).map(|fact| format!("{prefix} lacks {fact}"));
        let surplus = found.facts.difference(&wanted.facts).map(|fact| format!("{prefix} has {fact}"));
        sentences.extend(missing.chain(surplus));
    });
    compare(&wanted.views, &found.views, "view", &mut sentences, |name, wanted, found, sentences| {
        if wanted != found {
            sentences.push(format!("view {name} is another query"));
        }
    });
    let what = "part of a full-text index,";
    compare(&wanted.fulltexts, &found.fulltexts, what, &mut sentences, |name, wanted, found, sentences| {
        if wanted != found {
            sentences.push(format!("{what} {name} is another"));
        }
    });
    sentences
}

/// Names what only one side has, and compares what both have.
fn compare<T>(
    wanted: &BTreeMap<String, T>,
    found: &BTreeMap<String, T>,
    what: &str,
    sentences: &mut Vec<String>,
    both: impl Fn(&str, &T, &T, &mut Vec<String>),
) {
    for (name, one) in wanted {
        match found.get(name) {
            Some(other) => both(name, one, other, sentences),
            None => sentences.push(format!("{what} {name} is missing")),
        }
    }
    let surplus = found.keys().filter(|name| !wanted.contains_key(*name));
    sentences.extend(surplus.map(|name| format!("{what} {name} is not in the schema")));
}

#[cfg(test)]
mod tests {
    use super::super::{connect, migrate, sample};
    use super::*;

    fn made(statements: &[&str]) -> Found {
        let connection = connect::scratch().unwrap();
        for statement in statements {
            connection.execute_batch(statement).unwrap();
        }
        look(&connection).unwrap()
    }

    fn check(wanted: &[&str], found: &[&str], expected: &[&str]) {
        assert_eq!(differences(&made(wanted), &made(found)), expected);
    }

    #[test]
    fn a_schema_looks_like_itself() {
        let sql = migrate::create(&sample::schema());
        check(&[&sql], &[&sql], &[]);
    }

    #[test]
    fn the_order_of_columns_does_not_count() {
        check(&["CREATE TABLE a (x INT, y INT) STRICT"], &["CREATE TABLE a (y INT, x INT) STRICT"], &[]);
    }

    #[test]
    fn every_difference_is_named() {
        let wanted = [
            "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT NOT NULL, b_id INTEGER REFERENCES b (id) ON DELETE CASCADE) STRICT",
            "CREATE TABLE b (id INTEGER PRIMARY KEY, UNIQUE (id)) STRICT",
            "CREATE INDEX i ON a (x) WHERE x <> 'y'",
            "CREATE VIEW v AS SELECT 1",
        ];
        let found = [
            "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, b_id INTEGER REFERENCES b (id)) STRICT",
            "CREATE INDEX i ON a (x DESC)",
            "CREATE VIEW v AS SELECT 2",
            "CREATE TABLE c (id INTEGER)",
        ];
        check(
            &wanted,
            &found,
            &[
                "table a: column x is TEXT optional, not TEXT required",
                "table a: index i is (x desc BINARY), not (x BINARY) where x <> 'y'",
                "table a: lacks reference (b_id) to b (id) on delete CASCADE on update NO ACTION",
                "table a: has reference (b_id) to b (id) on delete NO ACTION on update NO ACTION",
                "table b is missing",
                "table c is not in the schema",
                "view v is another query",
            ],
        );
    }
}
