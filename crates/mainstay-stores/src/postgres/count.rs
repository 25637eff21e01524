//! Numbers of rows, as the server tells them.

use mainstay_query::plan::Read;
use mainstay_schema::Schema;

use super::errors::Failure;
use super::read::{Fault, params};
use super::render::{Bind, From, Postgres};
use super::session::Session;
use crate::server::count::Counting;

impl Counting for Session {
    type Dialect = Postgres;
    type Error = tokio_postgres::Error;

    fn dialect(&self) -> Postgres {
        Postgres
    }

    async fn number(&mut self, text: &str, binds: &[Bind<'_>]) -> Result<u64, Fault> {
        let rows = self.query_all(text, &params(binds)).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(Failure::from)?;
        Ok(count.unsigned_abs())
    }

    async fn guess(&mut self, schema: &Schema, plan: &Read) -> Result<u64, Fault> {
        let sql = super::render::read(schema, plan, From::Plan);
        let rows = self.query_all(&format!("EXPLAIN (FORMAT JSON) {}", sql.text), &params(&sql.binds)).await?;
        let text: String = rows
            .first()
            .map_or(Ok(String::new()), |row| {
                row.try_get::<_, super::types::Raw<'_>>(0).map(|raw| String::from_utf8_lossy(raw.0).into_owned())
            })
            .map_err(Failure::from)?;
        Ok(plan_rows(&text).unwrap_or(0))
    }
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
