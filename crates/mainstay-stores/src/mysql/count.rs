//! Numbers of rows, as the servers tell them.

use mainstay_query::plan::Read;
use mainstay_schema::Schema;
use mysql_async::Value as Native;

use super::read::{Fault, native_params};
use super::render::{self, Bind, From, Mysql};
use super::session::Session;
use crate::server::count::Counting;

/// A number of rows.
pub(super) fn number(cell: Option<&Native>) -> u64 {
    match cell {
        Some(Native::Int(count)) => count.unsigned_abs(),
        Some(Native::UInt(count)) => *count,
        _ => 0,
    }
}

impl Counting for Session {
    type Dialect = Mysql;
    type Error = mysql_async::Error;

    fn dialect(&self) -> Mysql {
        Mysql(self.server())
    }

    async fn number(&mut self, text: &str, binds: &[Bind<'_>]) -> Result<u64, Fault> {
        let rows = self.query_native(text, native_params(binds)).await?.all().await?;
        Ok(number(rows.first().and_then(|row| row.as_ref(0))))
    }

    /// The product of what the planner expects of each table, as `EXPLAIN` tells it.
    async fn guess(&mut self, schema: &Schema, plan: &Read) -> Result<u64, Fault> {
        let sql = render::read(self.server(), schema, plan, From::Plan);
        // In the old form, which both servers have.
        let word = if self.server().is_mariadb() { "EXPLAIN EXTENDED" } else { "EXPLAIN FORMAT=TRADITIONAL" };
        let rows = self.query_native(&format!("{word} {}", sql.text), native_params(&sql.binds)).await?.all().await?;
        let mut product = 1.0;
        for row in &rows {
            let number = |name: &str| {
                let at = row.columns_ref().iter().position(|column| column.name_str().eq_ignore_ascii_case(name))?;
                match row.as_ref(at)? {
                    Native::Int(number) => Some(*number as f64),
                    Native::UInt(number) => Some(*number as f64),
                    Native::Double(number) => Some(*number),
                    Native::Float(number) => Some(f64::from(*number)),
                    Native::Bytes(text) => std::str::from_utf8(text).ok()?.parse().ok(),
                    _ => None,
                }
            };
            // Tables of sub-queries do not add rows.
            if number("id").is_some_and(|id| id > 1.0) {
                continue;
            }
            product *= number("rows").unwrap_or(1.0) * number("filtered").unwrap_or(100.0) / 100.0;
        }
        Ok(if rows.is_empty() { 0 } else { product.max(0.0) as u64 })
    }
}
