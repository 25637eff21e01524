//! The real executable in fresh folders: what each command prints, writes, serves and exits with.

#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/support.rs"]
mod support;
