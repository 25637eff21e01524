//! How many rows pass a filter: counted, or as the server's planner guesses.

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;

use super::errors::Failure;
use super::read::{Fault, params};
use super::render::{Bind, From, Postgres};
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
    let exact = sql::count(Postgres, schema, plan, From::Plan);
    let total = match plan.count {
        Count::None | Count::Exact => number(session, &exact).await?,
        Count::Planned => guess(session, schema, plan).await?,
        Count::Estimated(_) if plan.groups.is_some() => number(session, &exact).await?,
        Count::Estimated(most) => {
            let some = sql::count_some(Postgres, schema, plan, From::Plan, most.saturating_add(1));
            match number(session, &some).await? {
                some if some <= most => some,
                some => guess(session, schema, plan).await?.max(some),
            }
        }
    };
    Ok(Some(total))
}

async fn number(session: &mut Session, (text, binds): &(String, Vec<Bind<'_>>)) -> Result<u64, Fault> {
    let rows = session.query_all(text, &params(binds)).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(Failure::from)?;
    Ok(count.unsigned_abs())
}

/// How many rows the planner thinks there are.
async fn guess(session: &mut Session, schema: &Schema, plan: &Read) -> Result<u64, Fault> {
    let whole = Read { limit: None, offset: 0, order: Vec::new(), after: None, select: Vec::new(), ..plan.clone() };
    // A guess about groups needs what they are made of.
    let whole = if plan.groups.is_some() { Read { select: plan.select.clone(), ..whole } } else { whole };
    let sql = super::render::read(schema, &whole, From::Plan);
    let rows = session.query_all(&format!("EXPLAIN (FORMAT JSON) {}", sql.text), &params(&sql.binds)).await?;
    let text: String = rows
        .first()
        .map_or(Ok(String::new()), |row| {
            row.try_get::<_, super::types::Raw<'_>>(0).map(|raw| String::from_utf8_lossy(raw.0).into_owned())
        })
        .map_err(Failure::from)?;
    Ok(plan_rows(&text).unwrap_or(0))
}

/// The number of rows of the topmost step of an explained statement.
fn plan_rows(json: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Explained {
        #[serde(rename = "Plan")]
        plan: Step,
    }
    #[derive(serde::Deserialize)]
    struct Step {
        #[serde(rename = "Plan Rows")]
        rows: f64,
    }
    let explained: Vec<Explained> = serde_json::from_str(json).ok()?;
    explained.first().map(|explained| explained.plan.rows.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_the_topmost_step() {
        let text = r#"[{"Plan": {"Node Type": "Seq Scan", "Plan Rows": 1270, "Plans": [{"Plan Rows": 5}]}}]"#;
        assert_eq!(plan_rows(text), Some(1270));
        assert_eq!(plan_rows("[]"), None);
    }
}
