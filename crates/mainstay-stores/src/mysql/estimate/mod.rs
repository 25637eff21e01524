//! How many rows the server would look at for a read, by what its planner expects.
//!
//! ```text
//! mod.rs      which statements are asked about, and how often each runs
//! mysql.rs    the plan as MySQL tells it      mariadb.rs  as MariaDB tells it
//! ```
//!
//! Costs are in units of each server's own, so they are not used. Rows are, with care: for a statement with a limit both
//! servers tell so many rows of an index that is read in its order as the limit wants, whatever the filter leaves out. So
//! the rows of what is read from end to end are those of the table, and a limit counts only where nothing is left out and
//! nothing is sorted.

mod mariadb;
mod mysql;

use std::collections::HashMap;
use std::sync::LazyLock;

use mainstay_query::plan::{Comparison, Count, Filter, Read, Test};
use mainstay_schema::{Schema, Table};
use mainstay_store::{Estimate, StoreError};
use mysql_async::Value as Native;
use regex::Regex;

use super::errors::Failure;
use super::hard;
use super::level::{KEYS_MAX, with_keys};
use super::read::native_params;
use super::render::{self, From, MemberSql, Mysql, ReadSql};
use super::session::Session;
use crate::sql;

/// A key of which nobody knows whether it is there: a number, a text, a date, as each column takes it.
const SOME_KEY: &str = "20000101";

/// What a statement costs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Work {
    /// Rows that it looks at.
    rows: f64,
    /// Rows that come out.
    given: f64,
}

/// How the rows of the first table are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Driving {
    /// All of them are looked at.
    is_scan: bool,
    /// Columns of an index that lead to them.
    parts: Vec<String>,
    /// They are sorted or grouped before the first comes out.
    is_sorted: bool,
}

/// How a limit shortens the work.
#[derive(Debug, Clone, Copy, Default)]
struct Most {
    /// Rows of the first table that are looked at, at most.
    first: Option<f64>,
    /// Rows for which the rest of the tables is looked at, at most: where no table leaves any out, and they are not sorted
    /// together.
    joined: Option<f64>,
}

/// A plan as a server tells it.
trait Told: Sized {
    /// Reads it.
    fn read(json: &str) -> Option<Self>;

    /// How the rows of the first table are found.
    fn driving(&self) -> Driving;

    /// What it costs, if no more than so many rows are wanted.
    fn work(&self, sizes: &Sizes, most: Most) -> Work;
}

/// Rows of tables, by their names and by what a statement calls them.
#[derive(Debug, Default)]
struct Sizes(HashMap<String, f64>);

impl Sizes {
    /// The rows of a table; what the planner told where that is no table.
    fn rows(&self, name: &str, told: f64) -> f64 {
        // Both are guesses of the same: the larger one is on the safe side.
        self.0.get(name).map_or(told, |rows| rows.max(told))
    }
}

/// Asks the planner about the statements of a read.
pub(super) async fn read(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Estimate, StoreError> {
    let settings = match session.server().is_mariadb() {
        true => "SET eq_range_index_dive_limit=1",
        false => "SET eq_range_index_dive_limit=1, explain_json_format_version=2, information_schema_stats_expiry=0",
    };
    // How many rows a key leads to is wanted on the average, and not for the key that is asked with.
    session.batch_execute(settings).await.map_err(StoreError::from)?;
    let rows = match session.server().is_mariadb() {
        true => Asking::<mariadb::Plan>::new(session, schema).read(plan).await,
        false => Asking::<mysql::Plan>::new(session, schema).read(plan).await,
    };
    session.batch_execute("SET eq_range_index_dive_limit=DEFAULT").await.map_err(StoreError::from)?;
    Ok(Estimate { rows: rows?.max(0.0) as u64 })
}

struct Asking<'a, T> {
    session: &'a mut Session,
    schema: &'a Schema,
    told: std::marker::PhantomData<T>,
}

impl<'a, T: Told> Asking<'a, T> {
    fn new(session: &'a mut Session, schema: &'a Schema) -> Asking<'a, T> {
        Asking { session, schema, told: std::marker::PhantomData }
    }

    async fn read(&mut self, plan: &Read) -> Result<f64, StoreError> {
        // What is tested here is tested on rows that were read before (`hard.rs`): those that the rest of the filter leaves.
        let (mut plan, is_hard) = (plan.clone(), hard::is_in(self.schema, plan));
        if is_hard {
            soften(self.schema, &mut plan);
        }
        let schema = self.schema;
        // What the count looks at is asked by itself.
        let is_counted = std::mem::replace(&mut plan.count, Count::None) == Count::Exact;
        let sql = render::read(self.session.server(), schema, &plan, From::Plan);
        let (told, sizes) = self.ask(&sql.text, native_params(&sql.binds)).await?;
        let taken = plan.limit.map(|limit| limit.saturating_add(plan.offset) as f64);
        let first = taken.filter(|_| ends_early(schema.table(plan.table), &plan, &told.driving()));
        let joined = taken.filter(|_| plan.groups.is_none() && !looks_elsewhere(&plan.filter));
        let top = told.work(&sizes, Most { first, joined });
        let mut rows = top.rows;
        let mut parents = taken.map_or(top.given, |taken| top.given.min(taken)).max(1.0);
        if is_hard {
            let most = hard::ROWS_MAX as f64;
            parents = parents.min(most);
            rows = if plan.filter == Filter::True { rows.min(most + 1.0) } else { rows } + parents;
        }
        // Those below run for the keys of all rows, so many keys with each run.
        let mut below: Vec<(&ReadSql<'_>, f64)> = Vec::new();
        list(&sql.members, parents, &mut below);
        while let Some((level, parents)) = below.pop() {
            let (text, params) = match &level.listed {
                None => (level.text.clone(), keyed(level)),
                Some(listed) => with_keys(level, &[vec![some_key(); listed.columns.len()]]),
            };
            let (told, sizes) = self.ask(&text, params).await?;
            let work = told.work(&sizes, Most::default());
            let runs = match told.driving().is_scan && level.listed.is_some() {
                true => (parents / KEYS_MAX as f64).ceil(),
                false => parents,
            };
            rows += runs * work.rows.max(1.0);
            list(&level.members, (parents * work.given).max(1.0), &mut below);
        }
        if is_counted {
            let (text, binds) = sql::count(Mysql(self.session.server()), schema, &plan, From::Plan);
            let (told, sizes) = self.ask(&text, native_params(&binds)).await?;
            rows += told.work(&sizes, Most::default()).rows;
        }
        Ok(rows)
    }

    async fn ask(&mut self, text: &str, params: Vec<Native>) -> Result<(T, Sizes), StoreError> {
        let rows = self.session.query_native(&format!("EXPLAIN FORMAT=JSON {text}"), params).await;
        let rows = rows.map_err(StoreError::from)?.all().await.map_err(StoreError::from)?;
        let json = match rows.first().and_then(|row| row.as_ref(0)) {
            Some(Native::Bytes(json)) => std::str::from_utf8(json).ok().and_then(T::read),
            _ => None,
        };
        let told = json.ok_or_else(|| StoreError::Internal("the planner gave no plan".into()))?;
        Ok((told, sizes(self.session, text).await.map_err(StoreError::from)?))
    }
}

/// The parameters of a statement that runs for one key.
fn keyed(level: &ReadSql<'_>) -> Vec<Native> {
    let mut params = native_params(&level.binds);
    params[level.keys.clone()].fill(some_key());
    params
}

fn some_key() -> Native {
    Native::Bytes(SOME_KEY.as_bytes().to_vec())
}

fn list<'r, 'p>(members: &'r [MemberSql<'p>], parents: f64, below: &mut Vec<(&'r ReadSql<'p>, f64)>) {
    for member in members {
        match member {
            MemberSql::Cell { .. } => {}
            MemberSql::Embed { read, .. } => below.push((read, parents)),
            MemberSql::Joined { members, .. } => list(members, parents, below),
        }
    }
}

/// The rows of the tables that a statement names.
async fn sizes(session: &mut Session, text: &str) -> Result<Sizes, Failure> {
    static ALIAS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"`((?:[^`]|``)+)` AS (\w+)").expect("the pattern is written right"));
    let named: Vec<(String, String)> =
        ALIAS.captures_iter(text).map(|found| (found[1].replace("``", "`"), found[2].to_owned())).collect();
    let mut sizes = Sizes::default();
    if named.is_empty() {
        return Ok(sizes);
    }
    let places = vec!["?"; named.len()].join(",");
    let sql = format!(
        "SELECT table_name, table_rows FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name IN ({places}) AND table_rows IS NOT NULL"
    );
    let names = named.iter().map(|(name, _)| Native::Bytes(name.as_bytes().to_vec())).collect();
    for row in session.query_native(&sql, names).await?.all().await? {
        let (Some(Native::Bytes(name)), Some(rows)) = (row.as_ref(0), row.as_ref(1)) else { continue };
        let (name, rows) = (String::from_utf8_lossy(name).into_owned(), count_of(rows) as f64);
        for (_, alias) in named.iter().filter(|(of, _)| of.eq_ignore_ascii_case(&name)) {
            sizes.0.insert(alias.clone(), rows);
        }
        sizes.0.insert(name, rows);
    }
    Ok(sizes)
}

/// A number of rows as the driver gives it.
pub(super) fn count_of(native: &Native) -> u64 {
    match native {
        Native::UInt(count) => *count,
        Native::Int(count) => count.unsigned_abs(),
        Native::Bytes(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0),
        _ => 0,
    }
}

/// Puts what is always true in the place of tests that the server does not make.
fn soften(schema: &Schema, plan: &mut Read) {
    let filter = std::mem::replace(&mut plan.filter, Filter::True);
    plan.filter = softened(schema, schema.table(plan.table), filter);
    for term in &mut plan.order {
        if let Some(via) = &mut term.via {
            let filter = std::mem::replace(&mut via.filter, Filter::True);
            via.filter = softened(schema, schema.table(via.table), filter);
        }
    }
    for output in &mut plan.select {
        if let Some(embed) = output.source.embed_mut() {
            soften(schema, &mut embed.read);
        }
    }
}

fn softened(schema: &Schema, table: &Table, filter: Filter) -> Filter {
    match filter {
        Filter::And(parts) => Filter::all(parts.into_iter().map(|part| softened(schema, table, part))),
        Filter::Exists { join, table, filter, skip } => {
            let filter = Box::new(softened(schema, schema.table(table), *filter));
            Filter::Exists { join, table, filter, skip }
        }
        // Of one of several, or of what must not be, nobody knows what it leaves.
        filter if hard::has(schema, table, &filter) => Filter::True,
        filter => filter,
    }
}

/// Whether a limit ends the look at the first table: nothing is sorted, and no row is left out that was looked at.
fn ends_early(table: &Table, plan: &Read, driving: &Driving) -> bool {
    let leads = |column| driving.parts.iter().any(|part| part.eq_ignore_ascii_case(&table.column(column).name));
    let starts_there = || {
        let first = plan.order.first().filter(|term| term.via.is_none()).and_then(|term| term.expr.as_column());
        first.is_some_and(leads)
    };
    plan.groups.is_none()
        && !driving.is_sorted
        && (plan.after.is_none() || starts_there())
        && is_led_to(&plan.filter, &leads)
}

/// Whether a filter is about rows of other tables, which a server may join.
fn looks_elsewhere(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(looks_elsewhere),
        Filter::Not(part) => looks_elsewhere(part),
        Filter::Exists { .. } => true,
        _ => false,
    }
}

/// Whether an index leads to nothing but what passes.
fn is_led_to(filter: &Filter, leads: &impl Fn(mainstay_schema::ColumnId) -> bool) -> bool {
    match filter {
        Filter::True => true,
        Filter::And(parts) => parts.iter().all(|part| is_led_to(part, leads)),
        Filter::Test { expr, test } => {
            let is_place = matches!(
                test,
                Test::In(_)
                    | Test::IsNull
                    | Test::Compare(
                        Comparison::Eq | Comparison::Lt | Comparison::Lte | Comparison::Gt | Comparison::Gte,
                        _
                    )
            );
            is_place && expr.as_column().is_some_and(leads)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::Limits;
    use mainstay_query::parse::{self, Purpose};
    use mainstay_query::request::ReadRequest;
    use mainstay_schema::load::{SourceFile, load};

    use super::*;

    fn schema() -> Schema {
        let text = "[t.fields]\nid = { type = \"int\", primary = true }\na = \"int\"\nb = \"int\"\ndata = \"json\"\n";
        load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).unwrap()
    }

    fn plan(schema: &Schema, query: &str) -> Read {
        let limits = Limits::default();
        let query = parse::query(Purpose::Read, query, &limits).unwrap();
        let request = ReadRequest { table: "t".to_owned(), query, ..ReadRequest::default() };
        mainstay_query::plan::read(schema, &limits, &request).unwrap()
    }

    #[test]
    fn a_limit_counts_where_an_index_leads_to_nothing_else() {
        let schema = schema();
        let by = |parts: &[&str]| Driving {
            is_scan: parts.is_empty(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            is_sorted: false,
        };
        for (query, driving, expected) in [
            ("limit=10", by(&[]), true),
            ("limit=10&a=eq.1", by(&[]), false),
            ("limit=10&a=eq.1", by(&["a"]), true),
            ("limit=10&a=eq.1&b=gt.5", by(&["a"]), false),
            ("limit=10&a=eq.1&b=gt.5", by(&["a", "B"]), true),
            ("limit=10&a=neq.1", by(&["a"]), false),
            ("limit=10&or=(a.eq.1,a.eq.2)", by(&["a"]), false),
            ("limit=10", Driving { is_sorted: true, ..by(&[]) }, false),
        ] {
            let plan = plan(&schema, query);
            assert_eq!(ends_early(&schema.tables()[0], &plan, &driving), expected, "{query} {driving:?}");
        }
    }

    #[test]
    fn what_is_tested_here_leaves_the_rest_of_the_filter() {
        let schema = schema();
        let check = |query: &str, expected: &str| {
            let mut hard = plan(&schema, query);
            soften(&schema, &mut hard);
            assert_eq!(hard.filter, plan(&schema, expected).filter, "{query}");
        };
        check("data=cs.{\"a\":1}", "");
        check("data=cs.{\"a\":1}&a=eq.1", "a=eq.1");
        check("or=(data.cs.{},a.eq.1)", "");
        check("a=eq.1", "a=eq.1");
    }

    #[test]
    fn the_rows_of_a_table_are_not_fewer_than_the_planner_tells() {
        let sizes = Sizes(HashMap::from([("t".to_owned(), 100.0)]));
        assert_eq!(
            (sizes.rows("t", 10.0), sizes.rows("t", 200.0), sizes.rows("<derived2>", 10.0)),
            (100.0, 200.0, 10.0)
        );
    }
}
