//! What the server or the way to it did not do → problems.

use mainstay_http::{Problem, codes};
use mainstay_store::DatabaseError;
use mainstay_stores::postgres::Failure;

use super::codes::{LOST_DATABASE, NO_DATABASE, POOL_TIME};

/// What a caller is told about a failure. Where the database is and how it is reached is for the log alone.
pub(crate) fn problem(failure: &Failure, is_anonymous: bool) -> Problem {
    if let Some(error) = failure.server() {
        let error = DatabaseError {
            code: error.code().code().into(),
            message: error.message().to_owned(),
            details: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        };
        let problem = Problem::said(&error, is_anonymous);
        // The log has no other way to know what its own 500s were.
        return if problem.status().is_server_error() { problem.cause(failure) } else { problem };
    }
    match failure {
        Failure::Overloaded => {
            Problem::new(POOL_TIME, "Timed out acquiring connection from connection pool.").cause(failure)
        }
        Failure::Deadline => {
            Problem::new(codes::STATEMENT_TIME, "canceling statement due to statement timeout").cause(failure)
        }
        Failure::Unavailable(_) => Problem::new(NO_DATABASE, "Database connection error.").cause(failure),
        Failure::Driver(_) | Failure::Aborted => {
            Problem::new(LOST_DATABASE, "Database client error. Retrying the connection.").cause(failure)
        }
    }
}
