//! The real executable in fresh folders: what each command prints, writes, serves and exits with.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "cli/advise.rs"]
mod advise;
#[path = "cli/backup.rs"]
mod backup;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/copy.rs"]
mod copy;
#[path = "cli/dev.rs"]
mod dev;
#[path = "cli/existing.rs"]
mod existing;
#[path = "on_server/found_again.rs"]
mod found_again;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/slow.rs"]
mod slow;
#[path = "cli/stream.rs"]
mod stream;
#[path = "cli/support.rs"]
mod support;
