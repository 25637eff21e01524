//! How many rows pass a filter: counted, or taken from SQLite's statistics where those say it.
//!
//! SQLite keeps the number of rows of a table once `ANALYZE` has run on the file, and guesses nothing that it tells
//! about filters: so a guess is made for whole tables, and everything else is counted. The writing thread has files of
//! our own analyzed when it has nothing else to do; those of other programs are as analyzed as these want them.

use mainstay_query::plan::{Count, Filter, Read};
use mainstay_schema::Schema;
use mainstay_store::{Statistics, StoreError, TableStatistics};
use rusqlite::{Connection, OptionalExtension};

use super::errors;
use super::read::bind_all;
use super::render::{self, Bind, From};

/// How many rows pass the filter of a read that gave `rows`; nothing unless it is asked.
pub(super) fn total(
    connection: &Connection,
    schema: &Schema,
    plan: &Read,
    from: From<'_>,
    rows: u64,
) -> rusqlite::Result<Option<u64>> {
    if plan.count == Count::None {
        return Ok(None);
    }
    // A page that is not full tells by itself.
    let is_last_page =
        plan.limit.is_none_or(|limit| rows < limit) && (rows > 0 || plan.offset == 0) && plan.after.is_none();
    if is_last_page {
        return Ok(Some(plan.offset + rows));
    }
    let counted = || number(connection, render::count(schema, plan, from), from);
    let total = match plan.count {
        Count::None | Count::Exact => counted()?,
        Count::Planned => guess(connection, schema, plan)?.map_or_else(counted, Ok)?,
        Count::Estimated(_) if plan.groups.is_some() => counted()?,
        Count::Estimated(most) => {
            let some = number(connection, render::count_some(schema, plan, from, most.saturating_add(1)), from)?;
            match guess(connection, schema, plan)? {
                _ if some <= most => some,
                Some(guess) => guess.max(some),
                None => counted()?,
            }
        }
    };
    Ok(Some(total))
}

/// How many rows pass the filter of a read, by counting them.
pub(super) fn all(connection: &Connection, schema: &Schema, plan: &Read) -> rusqlite::Result<u64> {
    number(connection, render::count(schema, plan, From::Plan), From::Plan)
}

fn number(connection: &Connection, (text, binds): (String, Vec<Bind<'_>>), from: From<'_>) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(&text)?;
    bind_all(&mut statement, &binds)?;
    let mut rows = statement.raw_query();
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let total = row.get::<_, i64>(0)?.unsigned_abs();
    drop(rows);
    if matches!(from, From::Given(_)) {
        // It holds the rows, so it will not come again.
        statement.discard();
    }
    Ok(total)
}

/// The number of all rows of a table as of the last `ANALYZE`.
fn guess(connection: &Connection, schema: &Schema, plan: &Read) -> rusqlite::Result<Option<u64>> {
    let table = schema.table(plan.table);
    if plan.filter != Filter::True || plan.groups.is_some() || plan.call.is_some() || !table.is_writable() {
        return Ok(None);
    }
    if !connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name='sqlite_stat1'")?.exists([])? {
        return Ok(None);
    }
    // A partial index tells of its own rows alone.
    let mut statement = connection.prepare_cached(
        "SELECT s.stat FROM sqlite_stat1 AS s LEFT JOIN pragma_index_list(s.tbl) AS i ON i.name=s.idx \
         WHERE s.tbl=? COLLATE nocase AND coalesce(i.partial,0)=0 LIMIT 1",
    )?;
    let stat: Option<String> = statement.query_row([&*table.name], |row| row.get(0)).optional()?;
    Ok(stat.and_then(|stat| stat.split(' ').next()?.parse().ok()))
}

/// The numbers of rows of all tables as of the last `ANALYZE`. SQLite does not count how often an index is used.
pub(super) fn statistics(connection: &Connection) -> Result<Statistics, StoreError> {
    let look = || {
        if !connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name='sqlite_stat1'")?.exists([])? {
            return Ok(Statistics::default());
        }
        let mut statement = connection.prepare_cached(
            "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE stat IS NOT NULL GROUP BY tbl",
        )?;
        let tables = statement.query_map([], |row| {
            Ok(TableStatistics { table: row.get(0)?, rows: row.get::<_, i64>(1)?.unsigned_abs() })
        })?;
        Ok(Statistics { tables: tables.collect::<rusqlite::Result<_>>()?, ..Statistics::default() })
    };
    look().map_err(|error| errors::translate(error, &Schema::default(), None))
}

/// Has SQLite look at a table, at no more than about `limit` rows of each index.
pub(super) fn analyze_table(connection: &Connection, table: &str, limit: i64) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "analysis_limit", limit, |_| Ok(()))?;
    connection.execute_batch(&format!("ANALYZE {}", render::ddl::quoted(table)))
}

/// Has SQLite look at the tables again if `changed` rows are more than a tenth of those that it counted last; a look at
/// no more than about `limit` rows of each index.
pub(super) fn analyze(connection: &Connection, changed: u64, limit: i64) -> rusqlite::Result<()> {
    let is_analyzed = connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name='sqlite_stat1'")?.exists([])?;
    if is_analyzed {
        let known = "SELECT coalesce(sum(rows), 0) FROM (SELECT max(CAST(stat AS INTEGER)) AS rows FROM sqlite_stat1 GROUP BY tbl)";
        let known: i64 = connection.query_row(known, [], |row| row.get(0))?;
        if changed < known.unsigned_abs() / 10 {
            return Ok(());
        }
    }
    connection.pragma_update_and_check(None, "analysis_limit", limit, |_| Ok(()))?;
    connection.execute_batch("ANALYZE")
}
