//! How many rows pass a filter: counted, or as the server's planner guesses.

use std::future::Future;

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;

use super::engine::Fault;
use crate::sql::{self, Bind, Dialect, From};

/// A session that counts.
pub(crate) trait Counting: Send {
    /// The SQL.
    type Dialect: Dialect<Native: Send + Sync, List: Send + Sync, Kind: Send + Sync>;
    /// The driver's error.
    type Error: Send;

    /// Whose SQL it is.
    fn dialect(&self) -> Self::Dialect;

    /// Runs a statement that gives one number.
    fn number(
        &mut self,
        text: &str,
        binds: &[Bind<'_, Self::Dialect>],
    ) -> impl Future<Output = Result<u64, Fault<Self::Error>>> + Send;

    /// How many rows the planner thinks that a read of a whole table gives.
    fn guess(&mut self, schema: &Schema, plan: &Read) -> impl Future<Output = Result<u64, Fault<Self::Error>>> + Send;
}

/// How many rows pass the filter of a read that gave `rows`; nothing unless it is asked.
pub(crate) async fn total<C: Counting>(
    session: &mut C,
    schema: &Schema,
    plan: &Read,
    from: From<'_, C::Dialect>,
    rows: u64,
) -> Result<Option<u64>, Fault<C::Error>> {
    if plan.count == Count::None {
        return Ok(None);
    }
    // A page that is not full tells by itself.
    let is_last_page =
        plan.limit.is_none_or(|limit| rows < limit) && (rows > 0 || plan.offset == 0) && plan.after.is_none();
    if is_last_page && plan.count != Count::Planned {
        return Ok(Some(plan.offset + rows));
    }
    let total = match plan.count {
        Count::Planned => guess(session, schema, plan).await?,
        Count::Estimated(most) if plan.groups.is_none() => {
            let (text, binds) = sql::count_some(session.dialect(), schema, plan, from, most.saturating_add(1));
            match session.number(&text, &binds).await? {
                some if some <= most => some,
                some => guess(session, schema, plan).await?.max(some),
            }
        }
        Count::None | Count::Exact | Count::Estimated(_) => {
            let (text, binds) = sql::count(session.dialect(), schema, plan, from);
            session.number(&text, &binds).await?
        }
    };
    Ok(Some(total))
}

async fn guess<C: Counting>(session: &mut C, schema: &Schema, plan: &Read) -> Result<u64, Fault<C::Error>> {
    let whole = Read { limit: None, offset: 0, order: Vec::new(), after: None, select: Vec::new(), ..plan.clone() };
    // A guess about groups needs what they are made of.
    let whole = if plan.groups.is_some() { Read { select: plan.select.clone(), ..whole } } else { whole };
    session.guess(schema, &whole).await
}
