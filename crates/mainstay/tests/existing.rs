//! Databases of other programs, served as they are: Chinook, hostile names, values of any kind, tables that change.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "existing/app.rs"]
mod app;
#[path = "existing/chinook.rs"]
mod chinook;
#[path = "existing/functions.rs"]
mod functions;
#[path = "existing/names.rs"]
mod names;
#[path = "existing/tables.rs"]
mod tables;
#[path = "existing/values.rs"]
mod values;
#[path = "existing/work.rs"]
mod work;
