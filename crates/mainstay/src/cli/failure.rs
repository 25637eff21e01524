//! Why a command did not do what it was asked, and the exit code that says so.

use std::process::ExitCode;

use mainstay_schema::Mistake;

use super::console::Console;
use crate::migrations::MigrationError;
use crate::transfer::TransferError;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for something that makes no sense here. Exit code 2.
    Usage(String),
    /// The settings or the schema are wrong; every mistake is listed. Exit code 2.
    Mistakes(Vec<Mistake>),
    /// It was tried and did not work. Exit code 1.
    Failed(anyhow::Error),
    /// It was done, and the answer is no; everything was said already. Exit code 1.
    Negative,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Failed(error)
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Failure {
        match error {
            TransferError::Misuse(problem) => Failure::Usage(problem),
            // The message holds its cause already.
            other => Failure::Failed(anyhow::Error::msg(other.to_string())),
        }
    }
}

impl From<MigrationError> for Failure {
    fn from(error: MigrationError) -> Failure {
        Failure::Failed(anyhow::Error::msg(error.to_string()))
    }
}

impl Failure {
    /// Tells the person on stderr, or a program as one JSON object there, and gives the exit code.
    pub fn report(&self, console: &Console) -> ExitCode {
        match self {
            Failure::Usage(problem) => {
                console.failure(std::slice::from_ref(problem));
                ExitCode::from(2)
            }
            Failure::Mistakes(mistakes) => {
                console.failure(&mistakes.iter().map(ToString::to_string).collect::<Vec<_>>());
                ExitCode::from(2)
            }
            Failure::Failed(error) => {
                console.failure(&[format!("{error:#}")]);
                ExitCode::FAILURE
            }
            Failure::Negative => ExitCode::FAILURE,
        }
    }
}
