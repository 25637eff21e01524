//! `mainstay serve --from-postgrest` as a process over a real server, and projects whose database decides: what PostgREST
//! promises of headers, statuses, transactions and settings (rest.md 1, 9 to 20).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "from_postgrest/answers.rs"]
mod answers;
#[path = "from_postgrest/context.rs"]
mod context;
#[path = "from_postgrest/details.rs"]
mod details;
#[path = "from_postgrest/project.rs"]
mod project;
#[path = "from_postgrest/readings.rs"]
mod readings;
#[path = "from_postgrest/settings.rs"]
mod settings;
#[path = "from_postgrest/support.rs"]
mod support;
#[path = "from_postgrest/tokens.rs"]
mod tokens;
