//! What the server has counted of tables and indexes, where it counts at all: MySQL in `performance_schema`, MariaDB there
//! or in the statistics that `userstat` turns on.

use mainstay_schema::Table;
use mainstay_store::{IndexStatistics, Statistics, StoreError, TableStatistics};
use mysql_async::{Row, Value as Native};

use super::errors::Failure;
use super::estimate::count_of;
use super::render::ddl::quoted;
use super::session::Session;

/// Rows as the engine guesses them.
const TABLES: &str = "SELECT table_name, table_rows FROM information_schema.tables \
                      WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_rows IS NOT NULL";
/// Pages of each index, as the last look of the engine counted them.
const SIZES: &str = "SELECT table_name, index_name, stat_value * @@innodb_page_size FROM mysql.innodb_index_stats \
                     WHERE database_name = DATABASE() AND stat_name = 'size'";
const IS_COUNTED: &str = "SELECT @@performance_schema AND EXISTS (SELECT 1 FROM performance_schema.setup_instruments \
                          WHERE name = 'wait/io/table/sql/handler' AND enabled = 'YES')";
/// Of tables that were not opened since the start of the server it knows nothing.
const COUNTED: &str = "SELECT object_name, index_name, count_star \
                       FROM performance_schema.table_io_waits_summary_by_index_usage \
                       WHERE object_schema = DATABASE() AND index_name IS NOT NULL";
/// Whether the statistics are on, and whether they have been since the start of the server.
const USER_STATISTICS: &str = "SELECT global_value = 'ON', global_value_origin <> 'SQL' \
                               FROM information_schema.system_variables WHERE variable_name = 'USERSTAT'";
/// They list what was used.
const USED: &str = "SELECT s.table_name, s.index_name, MAX(COALESCE(u.rows_read, 0)) FROM information_schema.statistics s \
                    LEFT JOIN information_schema.index_statistics u ON u.table_schema = s.table_schema \
                    AND u.table_name = s.table_name AND u.index_name = s.index_name \
                    WHERE s.table_schema = DATABASE() GROUP BY s.table_name, s.index_name";
const SECONDS_PER_DAY: u64 = 86_400;

/// Uses of indexes, and for how many days they were counted; or why they are not.
type Uses = Result<(Vec<IndexStatistics>, u64), &'static str>;

/// Has the server count what a table holds. What is wrong it tells in rows, not in an error.
pub(super) async fn analyze(session: &mut Session, table: &Table) -> Result<(), StoreError> {
    let rows = session.query_text(&format!("ANALYZE TABLE {}", quoted(&table.name))).await?;
    let wrong = rows.iter().find(|row| text(row, 2).eq_ignore_ascii_case("error"));
    match wrong {
        None => Ok(()),
        Some(row) => Err(StoreError::Unsupported { what: text(row, 3) }),
    }
}

pub(super) async fn look(session: &mut Session) -> Result<Statistics, Failure> {
    if !session.server().is_mariadb() {
        session.batch_execute("SET information_schema_stats_expiry=0").await?;
    }
    let rows = session.query_all(TABLES, &[]).await?;
    let tables = rows.iter().map(|row| TableStatistics { table: text(row, 0), rows: number(row, 1) }).collect();
    let uses = match session.server().is_mariadb() {
        true => of_mariadb(session).await?,
        false => of_performance_schema(session).await?.unwrap_or(Err(
            "the server does not count them (performance_schema), or this user may not read what it has counted",
        )),
    };
    let (mut indexes, days) = match uses {
        Ok(known) => known,
        Err(why) => return Ok(Statistics { tables, uncounted: Some(why.to_owned()), ..Statistics::default() }),
    };
    for row in permitted(session.query_all(SIZES, &[]).await)?.unwrap_or_default() {
        let (table, index, bytes) = (text(&row, 0), text(&row, 1), number(&row, 2));
        let mut known = indexes.iter_mut();
        if let Some(known) = known.find(|known| known.table == table && known.index == index) {
            known.bytes = Some(bytes);
        }
    }
    Ok(Statistics { days: Some(days), tables, indexes, uncounted: None })
}

async fn of_mariadb(session: &mut Session) -> Result<Uses, Failure> {
    let on = session.query_all(USER_STATISTICS, &[]).await?;
    let is_on = on.first().is_some_and(|row| number(row, 0) == 1);
    if !is_on {
        let counted = of_performance_schema(session).await?;
        return Ok(counted.unwrap_or(Err("the server does not count them; SET GLOBAL userstat = 1 has it do so")));
    }
    let rows = session.query_all(USED, &[]).await?;
    // Of what was turned on later nobody knows when.
    let is_since_start = on.first().is_some_and(|row| number(row, 1) == 1);
    let days = if is_since_start { days_up(session).await? } else { 0 };
    Ok(Ok((rows.iter().map(index).collect(), days)))
}

/// Nothing where it does not count, or does not tell this user.
async fn of_performance_schema(session: &mut Session) -> Result<Option<Uses>, Failure> {
    let is_counted = permitted(session.query_all(IS_COUNTED, &[]).await)?.unwrap_or_default();
    if is_counted.first().is_none_or(|row| number(row, 0) != 1) {
        return Ok(None);
    }
    let Some(rows) = permitted(session.query_all(COUNTED, &[]).await)? else { return Ok(None) };
    Ok(Some(Ok((rows.iter().map(index).collect(), days_up(session).await?))))
}

/// Counts begin with the server.
async fn days_up(session: &mut Session) -> Result<u64, Failure> {
    let rows = session.query_all("SHOW GLOBAL STATUS LIKE 'Uptime'", &[]).await?;
    Ok(rows.first().map_or(0, |row| number(row, 1) / SECONDS_PER_DAY))
}

/// Nothing where the user may not ask.
fn permitted(rows: Result<Vec<Row>, Failure>) -> Result<Option<Vec<Row>>, Failure> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        // A table, a database, a column, a right that this user does not have.
        Err(failure) if matches!(failure.code(), Some(1142 | 1044 | 1143 | 1227 | 1146 | 1049)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn index(row: &Row) -> IndexStatistics {
    IndexStatistics { table: text(row, 0), index: text(row, 1), uses: number(row, 2), bytes: None }
}

fn text(row: &Row, at: usize) -> String {
    match row.as_ref(at) {
        Some(Native::Bytes(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    }
}

fn number(row: &Row, at: usize) -> u64 {
    row.as_ref(at).map_or(0, count_of)
}
