//! The executable: hands its arguments to [`mainstay::cli`] and exits with what that says.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay::cli::main()
}
