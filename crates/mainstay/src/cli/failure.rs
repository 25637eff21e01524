//! Why a command did not do what it was asked, and the exit code that says so.

use std::fmt;
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
        Failure::Failed(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems().join("\n"))
    }
}

impl Failure {
    /// What is wrong, one line each.
    fn problems(&self) -> Vec<String> {
        match self {
            Failure::Usage(problem) => vec![problem.clone()],
            Failure::Mistakes(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
            Failure::Failed(error) => vec![format!("{error:#}")],
            Failure::Negative => Vec::new(),
        }
    }

    /// Tells the person on stderr, or a program as one JSON object there, and gives the exit code.
    pub fn report(&self, console: &Console) -> ExitCode {
        let problems = self.problems();
        if !problems.is_empty() {
            console.failure(&problems);
        }
        match self {
            Failure::Usage(_) | Failure::Mistakes(_) => ExitCode::from(2),
            Failure::Failed(_) | Failure::Negative => ExitCode::FAILURE,
        }
    }
}
