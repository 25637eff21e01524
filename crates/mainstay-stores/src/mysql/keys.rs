//! Keys of rows that are written to found tables, as the server has them: what it rounds, fills up and cuts off, what an
//! expression of its own gives, and which of them are equal to it that look different.

use std::fmt::Write as _;

use mainstay_query::plan::Insert;
use mainstay_schema::{ColumnId, DefaultValue, Table, Value};
use mainstay_store::StoreError;
use mysql_async::Value as Native;

use super::errors::{Context, Failure};
use super::render::ddl::quoted;
use super::write::{Key, Work, WriteFault};
use super::{cells, types};

/// Values that one statement is asked for at most.
const VALUES_MAX: usize = 1000;

/// A part of a key: that of this key, in this place.
type At = (usize, usize);

impl Work<'_> {
    /// Keys as they are once they are kept.
    pub(super) async fn as_kept(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        mut keys: Vec<Key>,
    ) -> Result<Vec<Key>, WriteFault> {
        let about = self.schema.found().and_then(|found| found.table(table.id));
        let Some(about) = about else { return Ok(keys) };
        let mut asked: Vec<(At, String)> = Vec::new();
        for (part, column) in columns.iter().enumerate() {
            let declared = about.columns.get(column.index()).map_or("", |about| about.declared.as_str());
            let kind = declared.split(['(', ' ']).next().unwrap_or_default();
            let length = declared.split(['(', ')']).nth(1).and_then(|digits| digits.parse::<usize>().ok());
            for (at, key) in keys.iter_mut().enumerate() {
                match (kind, &mut key[part]) {
                    ("binary", Value::Bytes(octets)) => octets.resize(octets.len().max(length.unwrap_or(1)), 0),
                    ("char", Value::Text(text)) => text.truncate(text.trim_end_matches(' ').len()),
                    ("float", Value::Float(number)) => *number = f64::from(*number as f32),
                    ("datetime" | "timestamp" | "time", value) => {
                        let digits = length.unwrap_or(0);
                        if fraction_digits(value) > digits {
                            let kind = if kind == "time" { "TIME" } else { "DATETIME" };
                            asked.push(((at, part), format!("{kind}({digits})")));
                        }
                    }
                    _ => {}
                }
            }
        }
        for some in asked.chunks(VALUES_MAX) {
            let casts: Vec<String> = some.iter().map(|(_, ty)| format!("CAST(? AS {ty})")).collect();
            let params = some.iter().map(|((at, part), _)| types::native(&keys[*at][*part])).collect();
            let told = self.one_row(&format!("SELECT {}", casts.join(",")), params).await;
            let told = told.map_err(|failure| self.fault(Context::of(table), failure))?;
            for (((at, part), _), native) in some.iter().zip(&told) {
                // What is no moment at all stays what it is, and is refused where it is written.
                if *native != Native::NULL {
                    keys[*at][*part] = cells::value(native, &table.column(columns[*part]).ty)?;
                }
            }
        }
        Ok(keys)
    }

    /// An insert whose rows are to be given back, with the parts of keys that expressions of the server give: it does not
    /// tell them afterwards. Nothing where there are none, or where they depend on more than themselves.
    pub(super) async fn with_made_keys(&mut self, table: &Table, plan: &Insert) -> Result<Option<Insert>, WriteFault> {
        if self.schema.found().is_none() || plan.returning.is_none() {
            return Ok(None);
        }
        let mut made = plan.clone();
        let mut asked: Vec<(At, &str)> = Vec::new();
        for column in &table.primary_key {
            let Some(DefaultValue::Expression(sql)) = &table.column(*column).default else { continue };
            let place = made.columns.iter().position(|other| other == column).unwrap_or_else(|| {
                made.columns.push(*column);
                made.rows.iter_mut().for_each(|row| row.push(None));
                made.columns.len() - 1
            });
            let missing = (0..made.rows.len()).filter(|at| made.rows[*at][place].is_none());
            asked.extend(missing.map(|at| ((at, place), sql.as_str())));
        }
        for some in asked.chunks(VALUES_MAX) {
            // MySQL shows quotes inside of expressions behind backslashes.
            let list: Vec<String> = some.iter().map(|(_, sql)| format!("({})", sql.replace("\\'", "'"))).collect();
            let told = match self.one_row(&format!("SELECT {}", list.join(",")), Vec::new()).await {
                Err(failure) if failure.server().is_some() && !failure.is_conflict() => return Ok(None),
                told => told.map_err(|failure| self.fault(Context::of(table), failure))?,
            };
            for (((at, place), _), native) in some.iter().zip(&told) {
                let ty = &table.column(made.columns[*place]).ty;
                made.rows[*at][*place] = Some(cells::taken(native, ty)?);
            }
        }
        Ok((!asked.is_empty()).then_some(made))
    }

    /// Makes keys look alike that are equal to the server: as the first of them.
    pub(super) async fn alike(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &mut [&mut Key],
    ) -> Result<(), WriteFault> {
        if keys.len() < 2 {
            return Ok(());
        }
        let names: Vec<String> = columns.iter().map(|column| quoted(&table.column(*column).name)).collect();
        let list = |prefix: &str| (0..names.len()).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>().join(",");
        let shown: Vec<String> = names.iter().enumerate().map(|(at, name)| format!("{name} AS k{at}")).collect();
        // Beside the columns themselves, values compare by their rules.
        let mut sql = format!(
            "SELECT group_concat(n.i) FROM (SELECT 0 AS i,{} FROM {} WHERE FALSE",
            shown.join(","),
            quoted(&table.name)
        );
        let mut params = Vec::with_capacity(keys.len() * names.len());
        let marks = vec!["?"; names.len()].join(",");
        for at in 0..keys.len().next_power_of_two() {
            let at = at.min(keys.len() - 1);
            let _ = write!(sql, " UNION ALL SELECT {at},{marks}");
            params.extend(keys[at].iter().map(types::native));
        }
        let _ = write!(sql, ") AS n GROUP BY {} HAVING count(DISTINCT n.i)>1", list("n.k"));
        let told = self.rows_of(&sql, params).await.map_err(|failure| self.fault(Context::of(table), failure))?;
        for row in told {
            let text: Option<String> = row.get::<Option<String>, _>(0).flatten();
            let text = text.unwrap_or_default();
            let mut places: Vec<usize> = text.split(',').filter_map(|digits| digits.parse().ok()).collect();
            places.sort_unstable();
            let Some(first) = places.first().and_then(|at| keys.get(*at)).map(|key| (**key).clone()) else { continue };
            for at in places {
                if let Some(key) = keys.get_mut(at) {
                    (**key).clone_from(&first);
                }
            }
        }
        Ok(())
    }

    async fn rows_of(&mut self, sql: &str, params: Vec<Native>) -> Result<Vec<mysql_async::Row>, Failure> {
        self.session.query_native(sql, params).await?.all().await
    }

    async fn one_row(&mut self, sql: &str, params: Vec<Native>) -> Result<Vec<Native>, Failure> {
        let rows = self.rows_of(sql, params).await?;
        Ok(rows.into_iter().next().map(mysql_async::Row::unwrap).unwrap_or_default())
    }
}

/// Whether the text of a key says whether it is equal to another one.
pub(super) fn is_plain(key: &Key) -> bool {
    key.iter().all(|part| matches!(part, Value::Int(_) | Value::Bool(_) | Value::Uuid(_) | Value::Bytes(_)))
}

/// The number that a server made, as a value of its column.
pub(super) fn number(column: &mainstay_schema::Column, number: u64) -> Option<Value> {
    match i64::try_from(number) {
        Ok(number) if !matches!(column.ty, mainstay_schema::Type::Decimal { .. }) => Some(Value::Int(number)),
        _ => mainstay_schema::value::Decimal::parse(&number.to_string()).ok().map(Value::Decimal),
    }
}

/// Digits behind the point of a moment.
fn fraction_digits(value: &Value) -> usize {
    let (Value::Text(text) | Value::Timestamp(text) | Value::Time(text)) = value else { return 0 };
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.bytes().take_while(u8::is_ascii_digit).count()
}

/// That rows are not found again whose keys are known.
pub(super) fn lost(table: &Table) -> StoreError {
    let what =
        format!("the database changes keys of {} as it writes them, so that its rows cannot be given back", table.name);
    StoreError::Unsupported { what }
}
