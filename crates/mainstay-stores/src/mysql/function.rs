//! Functions whose statement cannot stand inside of another one, because it writes or calls a procedure: it is run first,
//! its rows are kept, and what the request makes of them is a read of those rows.
//!
//! A procedure may give several sets of rows, and what is in them is known when they come. Its output parameters come as
//! one more set, after all others.

use mainstay_query::plan::{FunctionCall, Read, Run};
use mainstay_schema::value::Json;
use mainstay_schema::{Function, Schema, SqlKind, Table, Type, Value};
use mainstay_store::{Cell, RowSink, StoreError};
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Row, Value as Native};

use super::cells::{self, CellKind};
use super::hard;
use super::read::{self, Counted, Fault, native_params};
use super::render::{self, From, Given, Mysql};
use super::returning::Change;
use super::server::Server;
use super::session::{Session, Set};
use super::write::{Affected, Work, WriteFault, check_expect};
use crate::sql::call;
use crate::sql::typed::{VALUES_MAX, put_json, strange, too_many};

/// The statement of a function that is run by itself.
pub(super) fn text(server: Server, schema: &Schema, plan: &Read) -> Option<String> {
    let call = plan.call.as_deref().filter(|call| !schema.function(call.function).sql.is_query())?;
    Some(call::function(Mysql(server), schema, call).0)
}

/// Makes a session read the statement of a function as its author wrote it.
pub(super) async fn prepare(session: &mut Session, schema: &Schema, called: &FunctionCall) -> Result<(), StoreError> {
    let function = schema.function(called.function);
    if !function.is_stored {
        session.speak_standard().await?;
    }
    if function.is_stored || !function.sql.is_query() {
        session.divide_as_configured().await?;
    }
    Ok(())
}

/// Runs a function that is to be read from; gives its rows if that had to be done apart.
pub(super) async fn run_apart(
    session: &mut Session,
    schema: &Schema,
    called: &FunctionCall,
) -> Result<Option<Native>, Fault> {
    prepare(session, schema, called).await?;
    match schema.function(called.function).sql.is_query() {
        true => Ok(None),
        false => document(session, schema, called).await.map(Some),
    }
}

/// An error of a call. That a table or column is missing which the database's own function names is for whoever keeps the
/// database: the tables are as the schema says all the same.
pub(super) fn told(schema: &Schema, called: Option<&FunctionCall>, fault: Fault) -> Fault {
    let stored = called.map(|called| schema.function(called.function)).filter(|function| function.is_stored);
    match (stored, fault) {
        (Some(function), Fault::Session(failure)) if failure.names_what_is_not_there() => {
            Fault::Rows(strange(function, failure.told()))
        }
        (_, fault) => fault,
    }
}

impl Work<'_> {
    /// Runs a function. What it affected are the rows that it gave back and that pass the filter of the request.
    pub(super) async fn function(&mut self, plan: &Run, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let schema = self.schema;
        prepare(self.session, schema, &plan.call).await?;
        let document = match document(self.session, schema, &plan.call).await {
            Ok(document) => [document],
            Err(fault) => return Err(self.met(told(schema, Some(&plan.call), fault))),
        };
        let Some(returning) = plan.returning.as_deref() else { return Ok(Affected::default()) };
        hard::check_result(schema, returning)?;
        self.has_given = true;
        let from = From::Given(Given { function: schema.function(plan.call.function), values: &document });
        let done = read::run_from(self.session, schema, returning, from, sink).await;
        let Counted { rows, total } = done.map_err(|fault| self.met(fault))?;
        check_expect(plan.expect, rows)?;
        Ok(Affected { affected: total.unwrap_or(rows), inserted: 0 })
    }

    /// What an error of a function means.
    fn met(&self, fault: Fault) -> WriteFault {
        let is_conflict = fault.is_conflict() && (self.begins_anew || !self.has_given);
        let error = match fault {
            Fault::Session(failure) => failure.verbatim(),
            Fault::Rows(error) => error,
        };
        if is_conflict { WriteFault::Again(error) } else { WriteFault::Final(error) }
    }
}

/// Runs a function and gives its rows as one document.
async fn document(session: &mut Session, schema: &Schema, called: &FunctionCall) -> Result<Native, Fault> {
    let function = schema.function(called.function);
    let (text, binds) = call::function(Mysql(session.server()), schema, called);
    let params = native_params(&binds);
    let (sets, count) = match function.sql.is_query() {
        true if Change::is_by_hand(session.server(), &function.sql.pieces) => {
            let change = Change::of(&function.sql.pieces, schema).map_err(|words| strange(function, words))?;
            let rows = change.run(session, function, &called.arguments).await?;
            let columns = rows.first().map(Row::columns).unwrap_or_default();
            let count = rows.iter().map(Row::len).sum();
            (vec![Set { columns, rows }], count)
        }
        true => {
            let rows = session.query_native(&text, params).await?.all().await?;
            let columns = rows.first().map(Row::columns).unwrap_or_default();
            let count = rows.iter().map(Row::len).sum();
            (vec![Set { columns, rows }], count)
        }
        false => session.sets(&text, params, VALUES_MAX).await?,
    };
    let Some(table) = function.rows().map(|table| schema.table(table)) else { return Ok(Native::NULL) };
    if count > VALUES_MAX {
        return Err(Fault::Rows(too_many(function)));
    }
    let rows = rows(function, table, &sets)?;
    Ok(Native::Bytes(call::document(&rows, render::listed).into_bytes()))
}

/// The rows of a function in what its statement gave.
fn rows(function: &Function, table: &Table, sets: &[Set]) -> Result<Vec<Vec<Value>>, StoreError> {
    match (function.sql.kind, sets) {
        (SqlKind::Sets, sets) => documents(function, sets),
        (SqlKind::Out, [set]) => of_set(function, table, set, false),
        (SqlKind::Out, _) => {
            let words = "it gives rows besides its output parameters, which nothing that is known of it tells";
            Err(strange(function, words.to_owned()))
        }
        (SqlKind::OutAndSets, [sets @ .., set]) => {
            let mut rows = of_set(function, table, set, false)?;
            let listed = documents(function, sets)?.into_iter().flatten().filter_map(|value| value.to_text());
            let listed = format!("[{}]", listed.collect::<Vec<_>>().join(","));
            if let Some(row) = rows.first_mut() {
                row.push(Value::parse(&Type::Json, &listed).map_err(StoreError::Value)?);
            }
            Ok(rows)
        }
        (SqlKind::OutAndSets, []) => Ok(Vec::new()),
        (SqlKind::Statement, [set]) => of_set(function, table, set, false),
        (SqlKind::Call, [set]) => of_set(function, table, set, function.sql.columns.len() > 1),
        (SqlKind::Statement | SqlKind::Call, []) => Ok(Vec::new()),
        (SqlKind::Statement | SqlKind::Call, several) => {
            let words = format!("it gives {} sets of rows where one was declared", several.len());
            Err(strange(function, words))
        }
    }
}

/// The rows of a set whose columns are those of the function: by their names, or by their places.
fn of_set(function: &Function, table: &Table, set: &Set, is_named: bool) -> Result<Vec<Vec<Value>>, StoreError> {
    if set.rows.is_empty() {
        return Ok(Vec::new());
    }
    let place = |(position, id)| {
        let column = table.column(id);
        let at = match is_named {
            true => set.columns.iter().position(|found| found.name_str() == *column.name),
            false => Some(position).filter(|at| *at < set.columns.len()),
        };
        at.map(|at| (at, &column.ty))
            .ok_or_else(|| strange(function, format!("it gives no column \"{}\"", column.name)))
    };
    // What stands behind output parameters is in other sets.
    let own = function.sql.columns.len() - usize::from(function.sql.kind == SqlKind::OutAndSets);
    let places: Vec<(usize, &Type)> =
        function.sql.columns[..own].iter().copied().enumerate().map(place).collect::<Result<_, _>>()?;
    let is_out = matches!(function.sql.kind, SqlKind::Out | SqlKind::OutAndSets);
    let cell = |row: &Row, at: usize, ty: &Type| {
        let native = row.as_ref(at).unwrap_or(&Native::NULL);
        match native {
            Native::Bytes(digits) if is_out && set.columns[at].column_type() == ColumnType::MYSQL_TYPE_BIT => {
                let octets = if *ty == Type::Bytes { bits(&set.columns[at], digits) } else { None };
                cells::taken(octets.as_ref().unwrap_or(native), ty)
            }
            native => cells::taken(native, ty),
        }
    };
    let row = |row: &Row| places.iter().map(|(at, ty)| cell(row, *at, ty)).collect();
    set.rows.iter().map(row).collect()
}

/// Each row as a document; of several sets each set.
fn documents(function: &Function, sets: &[Set]) -> Result<Vec<Vec<Value>>, StoreError> {
    let one = |text: &str| Value::parse(&Type::Json, text).map(|value| vec![value]).map_err(StoreError::Value);
    let of_set = |set: &Set| -> Result<Vec<String>, StoreError> {
        let is_twice = |at: usize| set.columns[..at].iter().any(|other| other.name_ref() == set.columns[at].name_ref());
        if let Some(at) = (1..set.columns.len()).find(|at| is_twice(*at)) {
            let words = format!("it gives two columns named \"{}\"", set.columns[at].name_str());
            return Err(strange(function, words));
        }
        let kinds: Vec<CellKind> = set.columns.iter().map(|column| CellKind::of(&natural(column))).collect();
        set.rows.iter().map(|row| object(&set.columns, &kinds, row)).collect()
    };
    match sets {
        [] => Ok(Vec::new()),
        [set] => of_set(set)?.iter().map(|text| one(text)).collect(),
        several => several.iter().map(|set| one(&format!("[{}]", of_set(set)?.join(",")))).collect(),
    }
}

fn object(columns: &[Column], kinds: &[CellKind], row: &Row) -> Result<String, StoreError> {
    let mut out = Members(String::from("{"));
    let mut scratch = String::new();
    for (at, (column, kind)) in columns.iter().zip(kinds).enumerate() {
        out.0.push_str(if at > 0 { "," } else { "" });
        out.0.push_str(Json::string(&column.name_str()).as_str());
        out.0.push(':');
        match row.as_ref(at).unwrap_or(&Native::NULL) {
            // However many there are.
            Native::Bytes(digits) if column.column_type() == ColumnType::MYSQL_TYPE_NEWDECIMAL => {
                out.0.push_str(&String::from_utf8_lossy(digits));
            }
            native => kind.give(native, &mut out, &mut scratch)?,
        }
    }
    out.0.push('}');
    Ok(out.0)
}

/// Takes cells as JSON.
struct Members(String);

impl RowSink for Members {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}

    fn cell(&mut self, cell: Cell<'_>) {
        put_json(&mut self.0, cell);
    }
}

/// The type of ours that the values of a column are shown as, by what the server says of it.
fn natural(column: &Column) -> Type {
    let is_binary = column.character_set() == BINARY;
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY
            if column.column_length() == 1 && !column.flags().contains(ColumnFlags::UNSIGNED_FLAG) =>
        {
            Type::Bool
        }
        ColumnType::MYSQL_TYPE_BIT if column.column_length() == 1 => Type::Bool,
        ColumnType::MYSQL_TYPE_TINY
        | ColumnType::MYSQL_TYPE_SHORT
        | ColumnType::MYSQL_TYPE_INT24
        | ColumnType::MYSQL_TYPE_LONG
        | ColumnType::MYSQL_TYPE_LONGLONG
        | ColumnType::MYSQL_TYPE_YEAR => Type::BigInt,
        ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => Type::Float,
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => Type::Date,
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => Type::Time,
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => Type::Timestamp,
        // No instant, but whatever the clock on the wall showed.
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => Type::Text,
        ColumnType::MYSQL_TYPE_JSON => Type::Json,
        ColumnType::MYSQL_TYPE_BIT | ColumnType::MYSQL_TYPE_GEOMETRY => Type::Bytes,
        _ if is_binary => Type::Bytes,
        _ => Type::Text,
    }
}

/// The octets of a `bit(n)`, which comes out of a procedure as the digits of a number.
fn bits(column: &Column, digits: &[u8]) -> Option<Native> {
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let count = (column.column_length() as usize).div_ceil(8).clamp(1, 8);
    Some(Native::Bytes(number.to_be_bytes()[8 - count..].to_vec()))
}

/// The number of the character set of octets.
const BINARY: u16 = 63;
