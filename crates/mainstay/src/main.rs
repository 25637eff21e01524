//! The executable: hands its arguments to [`mainstay::cli`] and exits with what that says.

use std::process::ExitCode;

/// A request takes some fifty pieces of memory on one thread and gives many of them back on another, which costs with
/// this half of what it costs with the C library's. Without huge pages, which would triple what an idle server takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mainstay::cli::main()
}
