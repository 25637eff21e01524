//! Functions whose statement cannot stand inside of another one, because it writes or calls a procedure: it is run first,
//! its rows are kept, and what the request makes of them is a read of those rows.

use mainstay_query::plan::{FunctionCall, Read, Run};
use mainstay_schema::value::{Json, float_text};
use mainstay_schema::{Function, Schema, SqlKind, Type, Value, ValueError};
use mainstay_store::{Cell, RowSink, StoreError};
use tokio_postgres::Row;

use super::cells::CellKind;
use super::errors::Failure;
use super::read::{self, Counted, Fault, params};
use super::render::{From, Given, Postgres};
use super::session::Session;
use super::types::Raw;
use super::write::{Affected, Work, WriteFault, check_expect};
use crate::sql::call;
use crate::sql::typed::{VALUES_MAX, put_json, strange, too_many, typed};

/// Whether a read takes its rows from a function that is run by itself.
pub(super) fn is_run_apart(schema: &Schema, plan: &Read) -> bool {
    plan.call.as_ref().is_some_and(|call| !schema.function(call.function).sql.is_query())
}

/// The statement of such a function.
pub(super) fn text(schema: &Schema, plan: &Read) -> Option<String> {
    let call = plan.call.as_deref().filter(|_| is_run_apart(schema, plan))?;
    Some(call::function(Postgres, schema, call).0)
}

/// Reads what a plan makes of the rows of such a function.
pub(super) async fn read(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let Some(called) = plan.call.as_deref() else {
        return Err(Fault::Rows(StoreError::Internal("a function without a call".into())));
    };
    let document = [document(session, schema, called).await?];
    let from = From::Given(Given { function: schema.function(called.function), values: &document });
    read::given(session, schema, plan, from, sink).await
}

/// An error of a call. That a table, column or function is missing which the database's own function names is for whoever
/// keeps the database: the tables are as the schema says all the same. That the function itself is gone is a change.
pub(super) fn told(schema: &Schema, called: Option<&FunctionCall>, fault: Fault) -> Fault {
    let stored = called.map(|called| schema.function(called.function)).filter(|function| function.is_stored);
    let (Some(function), Fault::Session(failure)) = (stored, &fault) else { return fault };
    // What goes wrong inside of a function comes with the place.
    let is_inside = failure.server().is_some_and(|error| error.where_().is_some());
    match failure.server().map(|error| error.code().code()) {
        Some("42P01" | "42703" | "42883") if is_inside => Fault::Rows(strange(function, failure.told())),
        Some("42883" | "42809") => Fault::Rows(StoreError::SchemaChanged(failure.told().into())),
        _ => fault,
    }
}

impl Work<'_> {
    /// Runs a function. What it affected are the rows that it gave back and that pass the filter of the request.
    pub(super) async fn function(&mut self, plan: &Run, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let schema = self.schema;
        let document = match document(self.session, schema, &plan.call).await {
            Ok(document) => [document],
            Err(fault) => return Err(self.met(told(schema, Some(&plan.call), fault))),
        };
        let Some(returning) = plan.returning.as_deref() else { return Ok(Affected::default()) };
        self.has_given = true;
        let from = From::Given(Given { function: schema.function(plan.call.function), values: &document });
        let done = read::given(self.session, schema, returning, from, sink).await;
        let Counted { rows, total } = done.map_err(|fault| self.met(fault))?;
        check_expect(plan.expect, rows)?;
        Ok(Affected { affected: total.unwrap_or(rows), inserted: 0 })
    }

    /// What an error of a function means.
    fn met(&self, fault: Fault) -> WriteFault {
        let is_conflict = fault.is_conflict() && (self.begins_anew || !self.has_given);
        let error = match fault {
            Fault::Session(failure) => failure.translate(self.schema, None),
            Fault::Rows(error) => error,
        };
        if is_conflict { WriteFault::Again(error) } else { WriteFault::Final(error) }
    }
}

/// Runs a function and gives its rows as one document.
async fn document(session: &mut Session, schema: &Schema, called: &FunctionCall) -> Result<String, Fault> {
    let function = schema.function(called.function);
    let (text, binds) = call::function(Postgres, schema, called);
    let mut rows = session.query(&text, &params(&binds)).await?;
    let mut taker = Taker { schema, function, columns: None, scratch: String::new() };
    let (mut kept, mut values) = (Vec::new(), 0);
    // All of it runs, whatever becomes of the rows.
    while let Some(row) = rows.next().await? {
        values += row.len();
        if function.rows().is_some() && values <= VALUES_MAX {
            kept.push(taker.values(&row)?);
        }
    }
    if values > VALUES_MAX && function.rows().is_some() {
        return Err(Fault::Rows(too_many(function)));
    }
    Ok(call::document(&kept, Value::to_text))
}

/// A value that is of the server's own type, which it has as it is: an infinity, or a day before the first year.
fn as_it_is(cell: Cell<'_>, ty: &Type) -> Result<Value, ValueError> {
    match (cell, ty) {
        (Cell::Null | Cell::Bytes(_), _) | (_, Type::Array(_)) => typed(cell, ty),
        (Cell::Float(number), _) => Ok(Value::Text(float_text(number))),
        (Cell::Bool(_) | Cell::Int(_), _) => typed(cell, &Type::Text),
        (Cell::Text(text) | Cell::Plain(text) | Cell::Digits(text) | Cell::Json(text), _) => {
            Ok(Value::Text(text.to_owned()))
        }
    }
}

/// Makes rows of the server those of a function.
struct Taker<'t> {
    schema: &'t Schema,
    function: &'t Function,
    /// For each column of the function, the place in the rows, how its cells are read, and its type.
    columns: Option<Vec<(usize, CellKind, Type)>>,
    scratch: String,
}

impl Taker<'_> {
    fn values(&mut self, row: &Row) -> Result<Vec<Value>, Fault> {
        if self.function.sql.kind == SqlKind::Sets {
            return Ok(vec![self.object(row)?]);
        }
        if self.columns.is_none() {
            self.columns = Some(self.places(row)?);
        }
        let mut values = Vec::new();
        for (at, kind, ty) in self.columns.iter().flatten() {
            let cell = kind.cell(raw(row, *at)?, &mut self.scratch)?;
            let value = if self.function.is_stored { as_it_is(cell, ty) } else { typed(cell, ty) };
            values.push(value.map_err(|error| Fault::Rows(StoreError::Value(error)))?);
        }
        Ok(values)
    }

    fn places(&self, row: &Row) -> Result<Vec<(usize, CellKind, Type)>, Fault> {
        let Some(table) = self.function.rows().map(|table| self.schema.table(table)) else { return Ok(Vec::new()) };
        let is_named = self.function.sql.kind == SqlKind::Call && table.columns.len() > 1;
        let place = |(position, column): (usize, &mainstay_schema::ColumnId)| {
            let column = table.column(*column);
            let at = match is_named {
                true => row.columns().iter().position(|found| found.name() == &*column.name),
                false => Some(position).filter(|at| *at < row.len()),
            };
            let at = at.ok_or_else(|| strange(self.function, format!("it gives no column \"{}\"", column.name)))?;
            Ok((at, self.kind(row, at)?, column.ty.clone()))
        };
        self.function.sql.columns.iter().enumerate().map(place).collect::<Result<_, StoreError>>().map_err(Fault::Rows)
    }

    fn kind(&self, row: &Row, at: usize) -> Result<CellKind, StoreError> {
        let column = &row.columns()[at];
        CellKind::of(column.type_()).ok_or_else(|| {
            let message = format!("its column \"{}\" is {}: cast it to text", column.name(), column.type_());
            strange(self.function, message)
        })
    }

    /// A row as a document.
    fn object(&mut self, row: &Row) -> Result<Value, Fault> {
        let mut text = String::from("{");
        for (at, column) in row.columns().iter().enumerate() {
            let kind = self.kind(row, at).map_err(Fault::Rows)?;
            text.push_str(if at > 0 { "," } else { "" });
            text.push_str(Json::string(column.name()).as_str());
            text.push(':');
            put_json(&mut text, kind.cell(raw(row, at)?, &mut self.scratch)?);
        }
        text.push('}');
        Value::parse(&Type::Json, &text).map_err(|error| Fault::Rows(StoreError::Value(error)))
    }
}

fn raw(row: &Row, at: usize) -> Result<Option<&[u8]>, Fault> {
    let raw: Option<Raw<'_>> = row.try_get(at).map_err(Failure::from)?;
    Ok(raw.map(|raw| raw.0))
}
