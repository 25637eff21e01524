//! What the server says to a write, as the other stores say it.

use std::future::IntoFuture;
use std::time::Instant;

use mainstay_schema::{ColumnId, Table, Value};
use mainstay_store::StoreError;
use mongodb::bson::{Bson, Document};
use mongodb::error::{Error, ErrorKind, WriteFailure};

use super::keys::Row;
use super::keys::value_of;
use crate::mongo::session::{self, timed};
use crate::mongo::{errors, names};
use crate::server::{COMMIT_MAX, WriteFault};

/// An error of one document, as the server tells it in the reply to a write.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Which of the documents or statements.
    pub(super) at: usize,
    code: i32,
    message: String,
    /// The name of the index, for a duplicate.
    index: Option<String>,
    key: Option<Document>,
    details: Option<Document>,
}

impl Refusal {
    /// The first one in a reply.
    pub(super) fn first(reply: &Document) -> Option<Refusal> {
        let error = reply.get_array("writeErrors").ok()?.first()?.as_document()?;
        let at = error.get_i32("index").ok().and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
        Some(Refusal::read(at, error))
    }

    /// The one that an error of the driver holds, if the server refused a document.
    pub(super) fn of(error: &Error) -> Option<Refusal> {
        let reply = error.server_response().and_then(|reply| Document::try_from(reply.as_ref()).ok());
        if let Some(refusal) = reply.as_ref().and_then(Refusal::first) {
            return Some(refusal);
        }
        let (code, message) =
            errors::server(error).filter(|(code, _)| [errors::DUPLICATE, errors::INVALID].contains(code))?;
        let whole = match (&*error.kind, reply) {
            (ErrorKind::Write(WriteFailure::WriteError(write)), _) => {
                let mut whole = Document::new();
                whole.extend(write.details.clone().map(|details| ("errInfo".to_owned(), details.into())));
                whole
            }
            (_, reply) => reply.unwrap_or_default(),
        };
        let told = Refusal::read(0, &whole);
        Some(Refusal { code, message: message.to_owned(), index: index_name(message), ..told })
    }

    fn read(at: usize, error: &Document) -> Refusal {
        let message = error.get_str("errmsg").unwrap_or_default().to_owned();
        Refusal {
            at,
            code: error.get_i32("code").unwrap_or_default(),
            index: index_name(&message),
            key: error.get_document("keyValue").ok().cloned(),
            details: error.get_document("errInfo").ok().cloned(),
            message,
        }
    }

    pub(super) fn is_duplicate(&self) -> bool {
        self.code == errors::DUPLICATE
    }

    /// Columns of the key that a document would have been the second one with.
    pub(super) fn columns(&self, table: &Table) -> Vec<ColumnId> {
        self.named(table).map(|(_, columns)| columns).unwrap_or_default()
    }

    fn named(&self, table: &Table) -> Option<(String, Vec<ColumnId>)> {
        let name = self.index.as_deref()?;
        let primary = format!("{}_pkey", table.name);
        if name == "_id_" || *name == primary {
            return Some((primary, table.primary_key.clone()));
        }
        let key = table.uniques.iter().find(|key| *key.name == *name).map(|key| key.columns.clone());
        let columns = key.or_else(|| {
            let index = table.indexes.iter().find(|index| *index.name == *name)?;
            Some(index.columns.iter().map(|part| part.column).collect())
        })?;
        Some((name.to_owned(), columns))
    }

    /// What it means for a write to a table; `row` is what would have been written, where that is known.
    pub(super) fn error(&self, table: &Table, row: Option<&Row>) -> StoreError {
        if self.code == errors::INVALID {
            return self.broken_rules(table);
        }
        if !self.is_duplicate() {
            return self.told();
        }
        let (key, columns) = self.named(table).unwrap_or_else(|| (self.index.clone().unwrap_or_default(), Vec::new()));
        let told = |column: &ColumnId| -> Option<String> {
            let column_of = table.column(*column);
            let value = match row {
                Some(row) => row[column.index()].clone(),
                None => value_of(&column_of.ty, self.key.as_ref()?.get(names::field(table, *column))?),
            };
            Some(value.to_text().unwrap_or_else(|| "null".to_owned()))
        };
        StoreError::Duplicate {
            table: table.name.clone(),
            key: key.into(),
            columns: columns.iter().map(|column| table.column(*column).name.clone()).collect(),
            values: columns.iter().map(told).collect::<Option<Vec<_>>>().filter(|values| !values.is_empty()),
        }
    }

    /// What it means where no table is concerned.
    pub(super) fn told(&self) -> StoreError {
        errors::of_code(self.code, &self.message, "the server refused a document".into())
    }

    /// Which rule a document breaks: a missing value is told as such, the rest by the name of the field.
    fn broken_rules(&self, table: &Table) -> StoreError {
        let check = self.details.as_ref().and_then(broken_field);
        let column = check.as_deref().and_then(|field| {
            let id = table.columns.iter().map(|column| column.id).find(|id| names::field(table, *id) == field)?;
            Some(table.column(id))
        });
        let check = match (column, check) {
            (Some(column), _) => format!("{}_{}_check", table.name, column.name),
            (None, Some(field)) => field,
            (None, None) => "validator".to_owned(),
        };
        StoreError::Check { table: table.name.clone(), check }
    }
}

/// The field that the details of a broken rule are about first: they say it differently for rules of the whole document.
fn broken_field(details: &Document) -> Option<String> {
    let rules = details.get_document("details").ok()?.get_array("schemaRulesNotSatisfied").ok()?;
    let first = rules.first()?.as_document()?;
    let missing =
        first.get_array("missingProperties").ok().and_then(|names| names.first()?.as_str().map(str::to_owned));
    missing.or_else(|| {
        let properties = first.get_array("propertiesNotSatisfied").ok()?;
        properties.first()?.as_document()?.get_str("propertyName").ok().map(str::to_owned)
    })
}

/// `… index: users_email_key dup key: { … }`. The name is the last word before `dup key`, since values may hold anything.
fn index_name(message: &str) -> Option<String> {
    let start = message.find(" index: ")? + " index: ".len();
    let rest = &message[start..];
    let end = rest.find(" dup key: ")?;
    // A collation may stand between the two.
    Some(rest[..end].split(" collation: ").next().unwrap_or_default().to_owned())
}

/// What an error of the driver means to a transaction.
pub(super) fn fault(error: Error) -> WriteFault {
    let is_transient = errors::is_transient(&error);
    let meaning = errors::meaning(error);
    if is_transient { WriteFault::Again(meaning) } else { WriteFault::Final(meaning) }
}

/// Whether a transaction met another one, by what was made of its error.
pub(super) fn is_again(error: &StoreError) -> bool {
    matches!(error, StoreError::Database(error) if &*error.code == errors::AGAIN)
}

/// Waits for what the driver does, but not beyond the deadline, and keeps its error as it is.
///
/// # Errors
/// [`StoreError::Deadline`].
pub(super) async fn settled<T>(
    deadline: Instant,
    work: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, StoreError> {
    match timed(deadline, work).await {
        Ok(done) => Ok(Ok(done)),
        Err(session::Failure::Driver(error)) => Ok(Err(error)),
        Err(session::Failure::Deadline) => Err(StoreError::Deadline),
    }
}

/// Waits for what makes a write durable: a commit, or a write without a transaction. The deadline does not end it, since
/// then nobody knew whether it happened.
///
/// # Errors
/// [`StoreError::Unavailable`] if there is no answer: it may have happened.
pub(super) async fn ended<T>(
    deadline: Instant,
    work: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, StoreError> {
    settled(deadline + COMMIT_MAX, work)
        .await
        .map_err(|_| StoreError::Unavailable("the server did not answer a commit in time".into()))
}

/// What an error of a write without a transaction means. One of other members of the set, or of the journal, comes after
/// it has happened: that it is out of time would not be true.
pub(super) fn meaning(error: Error) -> StoreError {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteConcernError(_)) => StoreError::Unavailable(Box::new(error)),
        _ => errors::meaning(error),
    }
}

/// The number that a reply has under a name.
pub(in crate::mongo) fn number(reply: &Document, name: &str) -> u64 {
    match reply.get(name) {
        Some(Bson::Int32(number)) => u64::try_from(*number).unwrap_or_default(),
        Some(Bson::Int64(number)) => u64::try_from(*number).unwrap_or_default(),
        Some(Bson::Double(number)) if *number > 0.0 => *number as u64,
        _ => 0,
    }
}

/// The values of a row that an update leaves.
pub(super) fn after(before: &[Value], set: &[(ColumnId, Value)]) -> Row {
    let mut row = before.to_vec();
    for (column, value) in set {
        row[column.index()] = value.clone();
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_indexes_are_read_from_messages() {
        let check = |message: &str, expected: Option<&str>| assert_eq!(index_name(message).as_deref(), expected);
        check(
            "E11000 duplicate key error collection: a.t index: t_a_key dup key: { a: \"x dup key: y\" }",
            Some("t_a_key"),
        );
        check("E11000 duplicate key error collection: a.t index: _id_ dup key: { _id: 1 }", Some("_id_"));
        check(
            "E11000 duplicate key error collection: a.t index: i collation: { locale: \"de\" } dup key: { }",
            Some("i"),
        );
        check("another error", None);
    }
}
