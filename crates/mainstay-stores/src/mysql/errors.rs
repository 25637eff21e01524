//! The servers' errors in the words of [`StoreError`]: the only place that knows their numbers on their way in.

use std::sync::Arc;

use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::{BrokenReference, DatabaseError, ReferenceEnd, StoreError};
use mysql_async::ServerError;

use super::render::{NO_VALUE, OUT_OF_RANGE};
use crate::server::DriverError;

/// `ER_LOCK_DEADLOCK`.
pub(super) const DEADLOCK: u16 = 1213;
/// `ER_LOCK_WAIT_TIMEOUT`.
const LOCK_WAIT: u16 = 1205;
/// MariaDB's `ER_CHECKREAD`: a row that was read has changed since.
const CHANGED: u16 = 1020;

/// Why a session could not do what it was told.
pub type Failure = crate::server::Failure<mysql_async::Error>;

impl DriverError for mysql_async::Error {
    fn words(&self) -> Option<String> {
        server(self).map(|error| error.message.clone())
    }

    fn is_conflict(&self) -> bool {
        server(self).is_some_and(|error| matches!(error.code, DEADLOCK | LOCK_WAIT | CHANGED))
    }

    fn is_broken(&self) -> bool {
        matches!(self, mysql_async::Error::Io(_))
    }

    fn meaning(self) -> StoreError {
        let server = match &self {
            mysql_async::Error::Server(server) => server,
            mysql_async::Error::Io(_)
            | mysql_async::Error::Driver(
                mysql_async::DriverError::ConnectionClosed | mysql_async::DriverError::PoolDisconnected,
            ) => return StoreError::Unavailable(Box::new(self)),
            mysql_async::Error::Driver(mysql_async::DriverError::PacketTooLarge) => return too_large(),
            _ => return StoreError::Internal(Box::new(self)),
        };
        match server.code {
            // What we made it say of a cast.
            1690 if refuses(server, NO_VALUE) => StoreError::Database(Box::new(failed(
                "22P02",
                "a value in a group is none of the type that it is cast to",
            ))),
            1690 if refuses(server, OUT_OF_RANGE) => {
                let message = "a value in a group is out of the range of the type that it is cast to";
                StoreError::Database(Box::new(failed("22003", message)))
            }
            // Interrupted by `KILL QUERY`, or by the limit of either server.
            1317 | 3024 | 1969 => StoreError::Deadline,
            1153 => too_large(),
            // The server itself has tried again and again: with less room than tables it forgets a view while it uses it.
            1615 => {
                let message = "the server does not keep the definition of a view for as long as a statement takes";
                let hint = "Raise table_definition_cache of the server above the number of its tables.";
                StoreError::Database(Box::new(DatabaseError {
                    hint: Some(hint.to_owned()),
                    ..failed("53000", message)
                }))
            }
            // Too many connections, shutting down, gone, killed.
            1040 | 1053 | 1077..=1079 | 1152 | 1154..=1161 | 1203 | 1927 | 2006 | 2013 | 3169 | 4031 => {
                StoreError::Unavailable(Box::new(self))
            }
            // Read-only server, full disk, full table.
            1021 | 1026 | 1114 | 1290 | 1836 | 1878 => StoreError::CannotWrite(Box::new(self)),
            // Tables or columns that are not there, statements that outlived their tables.
            1054 | 1146 | 1412 => StoreError::SchemaChanged(Box::new(self)),
            // `SIGNAL` as everybody writes it, who has no more to say than words.
            1644 if server.state == "45000" => StoreError::Raised { message: server.message.clone() },
            // A routine that has other parameters now.
            1318 => StoreError::SchemaChanged(Box::new(self)),
            _ => StoreError::Database(Box::new(words(server))),
        }
    }
}

fn server(error: &mysql_async::Error) -> Option<&ServerError> {
    match error {
        mysql_async::Error::Server(error) => Some(error),
        _ => None,
    }
}

impl Failure {
    /// The error that the server sent, if it is one.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Failure::Driver(error) => server(error),
            _ => None,
        }
    }

    /// The number of the error that the server sent.
    pub fn code(&self) -> Option<u16> {
        self.server().map(|error| error.code)
    }

    /// Whether a statement names a table or a column that is not there.
    pub(super) fn names_what_is_not_there(&self) -> bool {
        matches!(self.code(), Some(1054 | 1146))
    }

    /// Whether a reference refused it.
    pub(super) fn is_reference(&self) -> bool {
        // MySQL 9 also refuses cascades that come back to their table (6575, and what is beside it).
        matches!(self.code(), Some(1216 | 1217 | 1451 | 1452 | 1761 | 1762 | 6570..=6579))
    }
}

/// What a statement that writes was about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'c> {
    /// The table that it writes to.
    pub(super) table: &'c Table,
    /// The columns that it sets.
    pub(super) set: &'c [(ColumnId, Value)],
    /// The columns and rows that it inserts.
    pub(super) rows: Option<(&'c [ColumnId], &'c [Cells])>,
}

/// The cells of a row that is inserted.
type Cells = Vec<Option<Value>>;

impl<'c> Context<'c> {
    /// A statement of which nothing else is known.
    pub(super) fn of(table: &'c Table) -> Context<'c> {
        Context { table, set: &[], rows: None }
    }
}

/// What a failure means to a caller who knows the tables: constraints are told as every store tells them.
pub(super) fn translate(failure: Failure, schema: &Schema, context: Context<'_>) -> StoreError {
    let known = failure.server().and_then(|error| constraint(error, schema, context));
    known.unwrap_or_else(|| failure.verbatim())
}

/// A broken constraint. The servers name it in the message and nowhere else; the words around it are English unless the
/// server was told otherwise, and so only what stands in quotes is looked at.
fn constraint(error: &ServerError, schema: &Schema, context: Context<'_>) -> Option<StoreError> {
    let table = context.table;
    match error.code {
        1062 => duplicate(&error.message, context),
        1048 | 1364 => {
            let column = table.find_column(quoted(&error.message, '\'').next()?)?.name.clone();
            Some(StoreError::NotNull { table: table.name.clone(), column })
        }
        3819 => {
            let check = quoted(&error.message, '\'').next()?.to_owned();
            Some(StoreError::Check { table: table.name.clone(), check })
        }
        4025 => {
            let check = quoted(&error.message, '`').next()?;
            Some(StoreError::Check { table: table.name.clone(), check: check.rsplit('.').next()?.to_owned() })
        }
        // `SIGNAL` in a trigger.
        1644 => Some(StoreError::Raised { message: error.message.clone() }),
        1451 | 1452 => reference(&error.message, schema, context, error.code == 1452),
        1216 | 1217 | 1761 | 1762 => Some(StoreError::Reference { table: table.name.clone(), broken: None }),
        _ => None,
    }
}

/// What stands in quotes in a message.
fn quoted(message: &str, quote: char) -> impl Iterator<Item = &str> {
    message.split(quote).skip(1).step_by(2)
}

/// `Duplicate entry 'a-1' for key 't.name'`; the primary key is called `PRIMARY`, the table is named by MySQL only.
fn duplicate(message: &str, context: Context<'_>) -> Option<StoreError> {
    let table = context.table;
    let rest = message.strip_suffix('\'')?;
    let (entry, native) = rest.rsplit_once('\'')?;
    let native = native.strip_prefix(&*table.name).and_then(|name| name.strip_prefix('.')).unwrap_or(native);
    let named = |name: &str| crate::mysql::render::ddl::native_name(name) == native || name == native;
    let (key, columns): (Arc<str>, Vec<ColumnId>) = if native == "PRIMARY" {
        (format!("{}_pkey", table.name).into(), table.primary_key.clone())
    } else if let Some(key) = table.uniques.iter().find(|key| named(&key.name)) {
        (key.name.clone(), key.columns.clone())
    } else {
        let index = table.indexes.iter().find(|index| index.unique && named(&index.name))?;
        (index.name.clone(), index.columns.iter().map(|part| part.column).collect())
    };
    let entry = entry.rsplit_once("' ").map_or(entry, |(entry, _)| entry);
    let entry = entry.split_once('\'').map_or(entry, |(_, entry)| entry);
    Some(StoreError::Duplicate {
        table: table.name.clone(),
        key,
        columns: columns.iter().map(|column| table.column(*column).name.clone()).collect(),
        values: values(context, &columns, entry),
    })
}

/// The values of a key: those of the row that the message tells, as far as it does.
fn values(context: Context<'_>, columns: &[ColumnId], entry: &str) -> Option<Vec<String>> {
    let text = |value: &Value| value.to_text().unwrap_or_default();
    let set = |column: &ColumnId| context.set.iter().find(|(set, _)| set == column).map(|(_, value)| text(value));
    if let Some((given, rows)) = context.rows {
        let of_row = |row: &Vec<Option<Value>>| -> Option<Vec<String>> {
            let cell = |column: &ColumnId| row[given.iter().position(|other| other == column)?].as_ref().map(text);
            columns.iter().map(cell).collect()
        };
        let rows: Vec<Vec<String>> = rows.iter().filter_map(of_row).collect();
        return match rows.as_slice() {
            [one] => Some(one.clone()),
            rows => rows.iter().find(|row| shows(row, entry)).cloned(),
        };
    }
    if let [column] = columns {
        return Some(vec![set(column).unwrap_or_else(|| entry.to_owned())]);
    }
    let parts: Vec<String> = entry.split('-').map(str::to_owned).collect();
    (parts.len() == columns.len()).then_some(parts)
}

/// Whether a message shows these values: joined, in the servers' own forms, and cut when they are long.
fn shows(row: &[String], entry: &str) -> bool {
    let plain: Vec<String> = row.iter().map(|text| text.trim_end_matches("+00:00").replacen('T', " ", 1)).collect();
    let entry = entry.trim_end_matches('.');
    row.join("-") == entry || plain.join("-").starts_with(entry) || row.join("-").starts_with(entry)
}

/// `… (`db`.`child`, CONSTRAINT `name` FOREIGN KEY (`a`) REFERENCES `parent` (`id`) …)`.
fn reference(message: &str, schema: &Schema, context: Context<'_>, is_pointing: bool) -> Option<StoreError> {
    let names: Vec<&str> = quoted(message, '`').collect();
    let owner = schema.find(names.get(1)?)?;
    let name = names.get(2)?;
    let found = owner.references.iter().find(|reference| {
        *reference.name == **name || crate::mysql::render::ddl::native_name(&reference.name) == *name
    })?;
    let target = schema.table(found.target);
    let names = |table: &Table, columns: &[ColumnId]| -> Vec<Arc<str>> {
        columns.iter().map(|column| table.column(*column).name.clone()).collect()
    };
    let (table, columns, end, other) = match is_pointing {
        true => (owner, names(owner, &found.columns), ReferenceEnd::Pointing, target),
        false => (target, names(target, &found.target_columns), ReferenceEnd::Target, owner),
    };
    let broken = BrokenReference {
        end,
        constraint: Some(found.name.clone()),
        table: table.name.clone(),
        columns,
        values: None,
        other: Some(other.name.clone()),
        row: None,
    };
    Some(StoreError::Reference { table: context.table.name.clone(), broken: Some(Box::new(broken)) })
}

/// The database's own words.
fn words(error: &ServerError) -> DatabaseError {
    DatabaseError { code: sqlstate(error).into(), message: error.message.clone(), details: None, hint: None }
}

/// Whether a server refuses what no double can be since we asked it to.
fn refuses(error: &ServerError, why: u16) -> bool {
    error.message.contains("exp(") && error.message.contains(&format!("({why}"))
}

/// A value that is larger than what a server takes.
fn too_large() -> StoreError {
    let hint = "Raise max_allowed_packet of the server.";
    let message = "a value is larger than what the server takes in one packet";
    StoreError::Database(Box::new(DatabaseError { hint: Some(hint.to_owned()), ..failed("22001", message) }))
}

fn failed(code: &str, message: &str) -> DatabaseError {
    DatabaseError { code: code.into(), message: message.to_owned(), details: None, hint: None }
}

/// The SQLSTATE, in PostgreSQL's words where the servers' own says little: callers of the wire format match on those.
fn sqlstate(error: &ServerError) -> &str {
    match error.code {
        // Data too long.
        1406 => "22001",
        // Out of range.
        1264 | 1690 => "22003",
        // No date, no time, no number.
        1292 | 1411 => "22007",
        1265 | 1366 | 1367 | 3140 | 3141 | 4038 => "22P02",
        // Text that the column's character set does not have, and that of two which have no order in common.
        1267 | 1270 | 1271 | 3854 | 3988 => "22P05",
        // Arguments that an operator does not take: geometries have no order.
        1210 | 4079 => "42883",
        // A row that no partition takes, and one that its view would not show.
        1526 => "23514",
        1369 => "44000",
        // A view through which this cannot be written.
        1288 | 1348 | 1393 | 1394 | 1395 | 1471 => "0A000",
        // No number is left.
        1467 => "2200H",
        1365 => "22012",
        1062 => "23505",
        1451 | 1452 | 1216 | 1217 | 1761 | 1762 => "23503",
        1048 | 1364 => "23502",
        3819 | 4025 => "23514",
        // A value for a column that is computed.
        1906 | 3105 => "428C9",
        1213 => "40P01",
        1205 | 1020 => "55P03",
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 => "42501",
        1064 => "42601",
        // No such routine.
        1305 => "42883",
        _ => &error.state,
    }
}
