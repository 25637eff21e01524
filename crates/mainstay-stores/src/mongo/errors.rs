//! The server's errors in the words of [`StoreError`]: the only place that knows their codes.

use mainstay_store::{BoxError, DatabaseError, StoreError};
use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure};

/// `DuplicateKey`.
pub(super) const DUPLICATE: i32 = 11000;
/// `DocumentValidationFailure`.
pub(super) const INVALID: i32 = 121;
/// `WriteConflict`.
const CONFLICT: i32 = 112;
/// The SQLSTATE of a transaction that met another one.
pub(super) const AGAIN: &str = "40001";
/// `BadValue`, as when a number would be larger than 64 bits hold.
pub(super) const BAD_VALUE: i32 = 2;
/// `NamespaceNotFound`.
pub(super) const NO_COLLECTION: i32 = 26;

/// The code and the words of the error that the server sent, if it is one.
pub(super) fn server(error: &Error) -> Option<(i32, &str)> {
    match &*error.kind {
        ErrorKind::Command(command) => Some((command.code, &command.message)),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some((write.code, &write.message)),
        ErrorKind::Write(WriteFailure::WriteConcernError(write)) => Some((write.code, &write.message)),
        ErrorKind::InsertMany(many) => {
            let first = many.write_errors.as_ref().and_then(|errors| errors.first());
            first.map(|write| (write.code, &*write.message))
        }
        _ => None,
    }
}

/// Whether a transaction met another one, or the server that it was on went away: begun anew, it may go well.
pub(super) fn is_transient(error: &Error) -> bool {
    error.contains_label(TRANSIENT_TRANSACTION_ERROR) || server(error).is_some_and(|(code, _)| code == CONFLICT)
}

/// Whether nobody knows if a commit has happened: asked again, the server tells.
pub(super) fn is_unknown_commit(error: &Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
}

/// What an error means to a caller who knows nothing of the tables.
pub(super) fn meaning(error: Error) -> StoreError {
    if is_transient(&error) && server(&error).is_some() {
        return conflict();
    }
    let Some((code, words)) = server(&error).map(|(code, words)| (code, words.to_owned())) else {
        return of_driver(error);
    };
    of_code(code, &words, Box::new(error))
}

/// What a transaction that met another one is told, if there is no time to begin anew.
pub(super) fn conflict() -> StoreError {
    said(AGAIN, "could not serialize access due to concurrent update", Some("Try again."))
}

/// What a document is told that the server does not take.
pub(super) fn too_large() -> StoreError {
    said("54000", "the document would be larger than the server takes", Some("A document has 16 MiB at most."))
}

/// What a row is told whose number would be larger than the column takes.
pub(super) fn used_up(table: &str, column: &str) -> StoreError {
    said("2200H", &format!("the sequence of {table}.{column} has reached the largest number of the column"), None)
}

/// What a read is told whose row has more belonging to it than goes with it.
pub(super) fn too_many_belong() -> StoreError {
    let words = "the rows that belong to one row are larger than 16 MiB";
    said("54000", words, Some("Ask for fewer rows of the embed."))
}

/// The code of an error, if the server sent it.
pub(super) fn code(error: &Error) -> Option<i32> {
    server(error).map(|(code, _)| code)
}

/// What a code of the server means.
pub(super) fn of_code(code: i32, words: &str, error: BoxError) -> StoreError {
    match code {
        // `maxTimeMS`; a wait for a lock or for other members of the set that took too long.
        50 | 24 | 64 | 262 => StoreError::Deadline,
        // The collection is not there, or is another kind of thing; or became so while it was read.
        26 | 166 | 175 => StoreError::SchemaChanged(error),
        // Shutting down, recovering, no primary, not ready, out of reach, killed.
        6 | 7 | 89 | 91 | 189 | 9001 | 10058 | 10107 | 11600 | 11602 | 13435 | 13436 | 46841 | 237 | 43 => {
            StoreError::Unavailable(error)
        }
        // The login is refused: nothing that a caller could do about.
        18 => StoreError::Unavailable(error),
        14031 => StoreError::CannotWrite(error),
        // So are snapshots that the server no longer has, or does not have yet.
        CONFLICT | 239 | 246 => conflict(),
        13 => said("42501", words, Some("Grant the role readWrite on the database to the login of the store.")),
        INVALID => said("23514", words, None),
        DUPLICATE => said("23505", words, None),
        // The document is larger than 16 MiB.
        10334 | 17419 | 17420 => too_large(),
        // Rows that belong to one row are larger.
        4568 => too_many_belong(),
        // A transaction that the server's cache cannot hold.
        388 => said("54000", "the transaction is larger than the server can hold", Some("Change fewer rows at once.")),
        // A regular expression that it does not take, or gave up after too many steps.
        51091 | 51156 => said("2201B", words, Some("Write a simpler regular expression.")),
        // Sorts and groups that need more memory than the server gives.
        292 => said("53200", words, Some("An index in the order that is asked for needs no memory.")),
        _ => said("XX000", words, None),
    }
}

fn of_driver(error: Error) -> StoreError {
    match &*error.kind {
        ErrorKind::ServerSelection { message, .. } => StoreError::Unavailable(nobody(message).into()),
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::Shutdown => StoreError::Unavailable(error.kind.to_string().into()),
        _ => StoreError::Internal(Box::new(error)),
    }
}

/// Why no server was found: what each of them answered, out of the whole topology that the driver tells.
fn nobody(message: &str) -> String {
    let servers = message.split("{ Address: ").skip(1).filter_map(|server| {
        let (address, _) = server.split_once(',')?;
        let (_, why) = server.split_once(", Error: ")?;
        let why = why.split(", labels: ").next().unwrap_or(why).trim_end_matches([' ', '}', ',', ']']);
        Some(format!("{address}: {}", why.strip_prefix("Kind: ").unwrap_or(why)))
    });
    match servers.collect::<Vec<_>>().join("; ") {
        silent if silent.is_empty() => "no server for this was found in time".to_owned(),
        told => format!("no server for this was found in time ({told})"),
    }
}

fn said(code: &str, words: &str, hint: Option<&str>) -> StoreError {
    StoreError::Database(Box::new(DatabaseError {
        code: code.into(),
        message: words.to_owned(),
        details: None,
        hint: hint.map(str::to_owned),
    }))
}
