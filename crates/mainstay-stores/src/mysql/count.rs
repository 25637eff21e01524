//! How many rows pass a filter: counted, or as the server's planner guesses.

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;
use mysql_async::Value as Native;

use super::read::{Fault, native_params};
use super::render::{self, Bind, From, Mysql};
use super::session::Session;
use crate::sql;

/// How many rows pass the filter of a read that gave `rows`; nothing unless it is asked.
pub(super) async fn total(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    rows: u64,
) -> Result<Option<u64>, Fault> {
    if plan.count == Count::None {
        return Ok(None);
    }
    // A page that is not full tells by itself.
    let is_last_page =
        plan.limit.is_none_or(|limit| rows < limit) && (rows > 0 || plan.offset == 0) && plan.after.is_none();
    if is_last_page && plan.count != Count::Planned {
        return Ok(Some(plan.offset + rows));
    }
    let dialect = Mysql(session.server());
    let exact = sql::count(dialect, schema, plan, From::Plan);
    let total = match plan.count {
        Count::None | Count::Exact => number(session, &exact).await?,
        Count::Planned => guess(session, schema, plan).await?,
        Count::Estimated(_) if plan.groups.is_some() => number(session, &exact).await?,
        Count::Estimated(most) => {
            let some = sql::count_some(dialect, schema, plan, From::Plan, most.saturating_add(1));
            match number(session, &some).await? {
                some if some <= most => some,
                some => guess(session, schema, plan).await?.max(some),
            }
        }
    };
    Ok(Some(total))
}

async fn number(session: &mut Session, (text, binds): &(String, Vec<Bind<'_>>)) -> Result<u64, Fault> {
    let rows = session.query_native(text, native_params(binds)).await?.all().await?;
    Ok(match rows.first().and_then(|row| row.as_ref(0)) {
        Some(Native::Int(count)) => count.unsigned_abs(),
        Some(Native::UInt(count)) => *count,
        _ => 0,
    })
}

/// How many rows the planner thinks there are: the product of what it expects of each table, as `EXPLAIN` tells it.
async fn guess(session: &mut Session, schema: &Schema, plan: &Read) -> Result<u64, Fault> {
    let whole = Read { limit: None, offset: 0, order: Vec::new(), after: None, select: Vec::new(), ..plan.clone() };
    // A guess about groups needs what they are made of.
    let whole = if plan.groups.is_some() { Read { select: plan.select.clone(), ..whole } } else { whole };
    let sql = render::read(session.server(), schema, &whole, From::Plan);
    // In the old form, which both servers have.
    let word = if session.server().is_mariadb() { "EXPLAIN EXTENDED" } else { "EXPLAIN FORMAT=TRADITIONAL" };
    let rows = session.query_native(&format!("{word} {}", sql.text), native_params(&sql.binds)).await?.all().await?;
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
