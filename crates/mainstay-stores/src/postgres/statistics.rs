//! What the server has counted of tables and indexes.

use mainstay_schema::Table;
use mainstay_store::{IndexStatistics, Statistics, StoreError, TableStatistics};

use super::errors::Failure;
use super::render::ddl::quoted;
use super::session::Session;
use super::types::Param;

/// Rows as the last `ANALYZE` or `VACUUM` guessed them; -1 stands for a table that was never looked at.
const TABLES: &str = "SELECT c.relname::text, c.reltuples::bigint FROM pg_class c \
                      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r','p') AND c.reltuples >= 0";
const IS_COUNTED: &str = "SELECT c.reltuples >= 0 FROM pg_class c \
                          WHERE c.relnamespace = current_schema()::regnamespace AND c.relname::text = $1";
const INDEXES: &str = "SELECT s.relname::text, s.indexrelname::text, s.idx_scan, pg_relation_size(s.indexrelid) \
                       FROM pg_stat_user_indexes s WHERE s.schemaname = current_schema()";
/// Counting begins with the database, whose age nobody knows, and anew with a reset or a crash: it lasts at least since the
/// start of the server or the reset, whichever came last.
const DAYS: &str = "SELECT greatest(0, extract(epoch FROM now() - greatest(pg_postmaster_start_time(), d.stats_reset)) / 86400)::bigint \
                    FROM pg_stat_database d WHERE d.datname = current_database()";

pub(super) async fn look(session: &mut Session) -> Result<Statistics, Failure> {
    let tables = session.query_all(TABLES, &[]).await?;
    let table =
        |row: &tokio_postgres::Row| Ok::<_, Failure>(TableStatistics { table: row.try_get(0)?, rows: number(row, 1)? });
    let tables = tables.iter().map(table).collect::<Result<_, _>>()?;
    let indexes = session.query_all(INDEXES, &[]).await?;
    let index = |row: &tokio_postgres::Row| {
        Ok::<_, Failure>(IndexStatistics {
            table: row.try_get(0)?,
            index: row.try_get(1)?,
            uses: number(row, 2)?,
            bytes: Some(number(row, 3)?),
        })
    };
    let indexes = indexes.iter().map(index).collect::<Result<_, _>>()?;
    let days = session.query_all(DAYS, &[]).await?;
    let days = days.first().map(|row| number(row, 0)).transpose()?;
    Ok(Statistics { days, tables, indexes, uncounted: None })
}

/// Has the server count what a table holds. Whom the table does not belong to is only warned that it was left out, so it is
/// asked whether it was ever counted.
pub(super) async fn analyze(session: &mut Session, table: &Table) -> Result<(), StoreError> {
    session.batch_execute(&format!("ANALYZE {}", quoted(&table.name))).await?;
    let counted = session.query_all(IS_COUNTED, &[Param::Text(&table.name)]).await?;
    let is_counted = counted.first().map(|row| row.try_get::<_, bool>(0)).transpose().map_err(Failure::from)?;
    match is_counted {
        Some(true) => Ok(()),
        _ => Err(StoreError::Unsupported { what: "only its owner may have the server count it".to_owned() }),
    }
}

fn number(row: &tokio_postgres::Row, at: usize) -> Result<u64, Failure> {
    Ok(row.try_get::<_, Option<i64>>(at)?.unwrap_or(0).max(0).unsigned_abs())
}
