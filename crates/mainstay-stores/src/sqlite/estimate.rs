//! How many rows SQLite would look at for a read, by its plan and the numbers of rows.
//!
//! SQLite says how it goes about a statement and not how many rows it expects: `SCAN` is every row of a table, `SEARCH` those
//! that an index leads to, of which `sqlite_stat1` knows the average once `ANALYZE` has run on the file.

use std::collections::HashMap;
use std::sync::LazyLock;

use mainstay_query::plan::{Count, Filter, Read};
use mainstay_schema::Schema;
use mainstay_store::{Estimate, StoreError};
use regex::Regex;
use rusqlite::{Connection, OptionalExtension};

use super::errors;
use super::render::{self, From};

/// Rows for each key of an index of which nothing is known, as SQLite itself assumes.
const ROWS_OF_KEY: f64 = 10.0;
/// Rows that a search for words leads to, for want of anything better.
const ROWS_OF_SEARCH: f64 = 100.0;
/// The part of a table that a range of an index leads to, as SQLite itself assumes.
const PART_OF_RANGE: f64 = 0.25;

/// Asks SQLite's planner about the statements of a read.
pub(super) fn read(connection: &Connection, schema: &Schema, plan: &Read) -> Result<Estimate, StoreError> {
    let sql = render::read(schema, plan, From::Plan);
    let levels: Vec<String> = sql.levels().iter().map(|level| level.text.clone()).collect();
    let estimate = || {
        // Explaining a statement does not look whether the tables are still those that the connection knows; running one does.
        connection.prepare_cached("SELECT 1 FROM sqlite_schema LIMIT 1")?.exists([])?;
        let mut rows = 0.0;
        let mut parents = 1.0;
        for (depth, text) in levels.iter().enumerate() {
            let mut level = Level::ask(connection, text)?;
            if depth == 0 {
                // Nothing is left out and nothing is sorted: what is not taken is not looked at.
                let taken = plan.limit.map(|limit| limit.saturating_add(plan.offset) as f64);
                if plan.filter == Filter::True && plan.groups.is_none() && !level.sorts {
                    level.first_most = taken;
                }
            }
            rows += parents * level.examined(connection)?;
            if depth == 0 {
                // Those below run anew for each row.
                parents = plan.limit.map_or(level.given, |limit| level.given.min(limit as f64)).max(1.0);
            }
        }
        if plan.count == Count::Exact {
            let mut level = Level::ask(connection, &render::count(schema, plan, From::Plan).0)?;
            rows += level.examined(connection)?;
        }
        Ok(Estimate { rows: rows as u64 })
    };
    estimate().map_err(|error| errors::translate(error, schema, None))
}

/// A statement as SQLite goes about it.
struct Level {
    /// Number, number of the step above, and what is done.
    steps: Vec<(i64, i64, String)>,
    tables: HashMap<String, String>,
    sorts: bool,
    /// Most rows of the first table that are looked at.
    first_most: Option<f64>,
    /// Rows that come out, as far as is known.
    given: f64,
}

impl Level {
    fn ask(connection: &Connection, text: &str) -> rusqlite::Result<Level> {
        static ALIAS: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#""((?:[^"]|"")+)" AS (\w+)"#).expect("the pattern is written right"));
        let tables = ALIAS.captures_iter(text).map(|found| (found[2].to_owned(), found[1].replace("\"\"", "\"")));
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
        let mut rows = plan.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push((row.get(0)?, row.get(1)?, row.get::<_, String>(3)?));
        }
        let sorts = steps.iter().any(|(_, _, what)| what.starts_with("USE TEMP B-TREE FOR"));
        Ok(Level { steps, tables: tables.collect(), sorts, first_most: None, given: 1.0 })
    }

    fn examined(&mut self, connection: &Connection) -> rusqlite::Result<f64> {
        let mut sizes = Sizes { connection, known: HashMap::new() };
        let (rows, given) = self.below(0, self.first_most, &mut sizes)?;
        self.given = given;
        Ok(rows)
    }

    /// Rows that the steps below one look at, and those that come out: loops run inside one another.
    fn below(&self, above: i64, first_most: Option<f64>, sizes: &mut Sizes<'_>) -> rusqlite::Result<(f64, f64)> {
        let (mut rows, mut times): (f64, f64) = (0.0, 1.0);
        let mut most = first_most;
        for (number, _, what) in self.steps.iter().filter(|(_, parent, _)| *parent == above) {
            match self.found(what, sizes)? {
                Some(found) => {
                    let found = most.take().map_or(found, |most| found.min(most));
                    rows += times * found;
                    times *= found;
                }
                None => {
                    let (inside, _) = self.below(*number, None, sizes)?;
                    let each = if what.starts_with("CORRELATED") { times } else { 1.0 };
                    rows += each * inside;
                }
            }
        }
        Ok((rows, times.max(1.0)))
    }

    /// Rows that one step finds; nothing for a step that holds others.
    fn found(&self, what: &str, sizes: &mut Sizes<'_>) -> rusqlite::Result<Option<f64>> {
        let Some((kind, rest)) = what.split_once(' ') else { return Ok(None) };
        let alias = rest.split(' ').next().unwrap_or_default();
        let table = self.tables.get(alias).map_or(alias, String::as_str);
        match kind {
            // Words that were searched for, or the elements of a list.
            "SCAN" if rest.contains("VIRTUAL TABLE") => Ok(Some(sizes.rows(table)?.min(ROWS_OF_SEARCH))),
            "SCAN" => sizes.rows(table).map(Some),
            "SEARCH" => sizes.search(table, rest).map(Some),
            _ => Ok(None),
        }
    }
}

/// Numbers of rows, asked once each.
struct Sizes<'c> {
    connection: &'c Connection,
    known: HashMap<String, f64>,
}

impl Sizes<'_> {
    /// The rows of a table, at most: what was counted, or the largest number of a row.
    fn rows(&mut self, table: &str) -> rusqlite::Result<f64> {
        if let Some(rows) = self.known.get(table) {
            return Ok(*rows);
        }
        let rows = match self.statistic("tbl", table)?.first() {
            Some(rows) => *rows,
            None => {
                let quoted = render::ddl::quoted(table);
                let largest = format!("SELECT max(rowid) FROM {quoted}");
                let ask = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
                // A table that is kept by its key has no numbers, and neither has a view.
                let rows = ask(&largest).or_else(|_| ask(&format!("SELECT count(*) FROM {quoted}")));
                // What is no table, such as a list, is counted where it is made.
                rows.ok().flatten().unwrap_or(1).max(0) as f64
            }
        };
        self.known.insert(table.to_owned(), rows);
        Ok(rows)
    }

    /// The rows that an index leads to: `t0 USING INDEX orders_by_status (status=? AND at>?)`.
    fn search(&mut self, table: &str, what: &str) -> rusqlite::Result<f64> {
        let all = self.rows(table)?;
        let conditions = what.rsplit_once('(').map_or("", |(_, conditions)| conditions);
        let equal = conditions.matches("=?").count();
        let has_range = conditions.contains("<?") || conditions.contains(">?");
        let index = match what.split_once("INDEX ") {
            // One that is made for this statement, of all rows.
            _ if what.contains("AUTOMATIC") => return Ok(all),
            Some((_, rest)) => rest.split(" (").next(),
            // A table that is kept by its key has its statistics under its own name.
            None if what.contains("USING PRIMARY KEY") => Some(table),
            None => None,
        };
        let found = match index {
            // By the number of the row itself.
            None if equal > 0 => 1.0,
            None => all,
            Some(_) if equal == 0 => all,
            Some(index) => match self.statistic("idx", index)?.get(equal) {
                Some(rows) => *rows,
                None => ROWS_OF_KEY,
            },
        };
        Ok(if has_range { found * PART_OF_RANGE } else { found }.clamp(1.0, all.max(1.0)))
    }

    /// What `ANALYZE` knows of a table or an index: all rows, then those for each key of the first columns.
    fn statistic(&self, column: &str, name: &str) -> rusqlite::Result<Vec<f64>> {
        let is_there = "SELECT 1 FROM sqlite_schema WHERE name='sqlite_stat1'";
        if !self.connection.prepare_cached(is_there)?.exists([])? {
            return Ok(Vec::new());
        }
        let sql =
            format!("SELECT stat FROM sqlite_stat1 WHERE {column}=? COLLATE nocase ORDER BY length(stat) DESC LIMIT 1");
        let stat: Option<Option<String>> =
            self.connection.prepare_cached(&sql)?.query_row([name], |row| row.get(0)).optional()?;
        Ok(stat
            .flatten()
            .map(|stat| stat.split(' ').filter_map(|part| part.parse().ok()).collect())
            .unwrap_or_default())
    }
}
