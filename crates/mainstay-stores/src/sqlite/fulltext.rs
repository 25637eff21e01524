//! Keeps full-text indexes in step: brings the words of rows that changed before a transaction is committed.

use mainstay_schema::Schema;
use rusqlite::{Connection, Result};

use super::render::fulltext;

/// Brings what is due in every full-text index. Costs nothing where there are none, and one look where nothing is due.
pub(super) fn settle(connection: &Connection, schema: &Schema) -> Result<()> {
    for table in schema.tables() {
        for index in &table.fulltexts {
            if connection.prepare_cached(&fulltext::is_due(table, index))?.exists([])? {
                for statement in fulltext::settle(table, index) {
                    connection.prepare_cached(&statement)?.execute([])?;
                }
            }
        }
    }
    Ok(())
}
