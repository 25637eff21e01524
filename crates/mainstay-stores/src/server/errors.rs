//! Why a session could not do what it was told. What a driver's error means is told by the engine's `errors.rs`.

use mainstay_store::{BoxError, StoreError};

/// The error of a driver, as far as every store asks about it.
pub trait DriverError: std::error::Error + Send + Sync + Sized + 'static {
    /// What went wrong in the server's words, for whoever wrote the statement; `None` if the server said nothing.
    fn words(&self) -> Option<String>;

    /// Whether the transaction met another one, so that it may go well when begun anew.
    fn is_conflict(&self) -> bool;

    /// Whether the connection broke, so that nobody knows what became of the statement.
    fn is_broken(&self) -> bool;

    /// What it means to a caller who is to hear the database's own words.
    fn meaning(self) -> StoreError;
}

/// Why a session could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// The server's answer, or the end of the connection.
    #[error(transparent)]
    Driver(E),
    /// The deadline passed while the statement ran; it is being canceled.
    #[error("the deadline passed")]
    Deadline,
    /// No connection became free in time.
    #[error("no connection became free")]
    Overloaded,
    /// No connection can be had.
    #[error("no connection: {0}")]
    Unavailable(BoxError),
    /// A commit after a statement of the transaction had failed, where that ends a transaction: it was rolled back.
    #[error("the transaction had failed before its commit")]
    Aborted,
}

impl<E: DriverError> From<E> for Failure<E> {
    fn from(error: E) -> Failure<E> {
        Failure::Driver(error)
    }
}

impl<E: DriverError> From<Failure<E>> for StoreError {
    fn from(failure: Failure<E>) -> StoreError {
        failure.verbatim()
    }
}

impl<E: DriverError> Failure<E> {
    fn driver(&self) -> Option<&E> {
        match self {
            Failure::Driver(error) => Some(error),
            _ => None,
        }
    }

    /// What went wrong, in the server's words where it has some: for whoever wrote the statement.
    pub(crate) fn told(&self) -> String {
        self.driver().and_then(E::words).unwrap_or_else(|| self.to_string())
    }

    /// Whether the transaction met another one, so that it may go well when begun anew.
    pub fn is_conflict(&self) -> bool {
        self.driver().is_some_and(E::is_conflict)
    }

    /// Whether the connection broke, so that nobody knows what became of the statement.
    pub fn is_broken(&self) -> bool {
        self.driver().is_some_and(E::is_broken)
    }

    /// What it means to a caller who is to hear the database's own words, and the end of the connection or of time.
    pub fn verbatim(self) -> StoreError {
        match self {
            Failure::Driver(error) => error.meaning(),
            Failure::Deadline => StoreError::Deadline,
            Failure::Overloaded => StoreError::Overloaded,
            Failure::Unavailable(source) => StoreError::Unavailable(source),
            Failure::Aborted => StoreError::Internal(Box::new(self)),
        }
    }
}
