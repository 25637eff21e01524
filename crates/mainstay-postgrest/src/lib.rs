//! A PostgreSQL database served as PostgREST serves it.
//!
//! Everywhere else Mainstay's own schema and rules decide what a request may do, and one plan runs on six engines. Here
//! the database decides: its roles and grants, row-level security, functions, types and casts. So the plan of a request
//! is one statement of PostgreSQL, run as the caller's role, and what comes back is the body that the server made. Why
//! this is a path of its own: `docs/decisions/0032-the-database-decides.md`.
//!
//! ```text
//! settings/     postgrest.conf, PGRST_* → Settings
//! http/         headers → what is wanted; what came back → answer
//! catalog/      what is in the database, read as one snapshot and swapped when it changes
//! openapi/      catalog → the root document
//! plan/         request (mainstay-query) + catalog → plan, every name looked up
//! sql/          plan → statement
//! admin/        the server beside it: live, ready, metrics, the catalog
//! run.rs        one transaction: role and settings, pre-request, statement, response settings
//! ```
//!
//! The contract is `rest.md` with everything it marks PostgreSQL-only.

mod admin;
pub mod catalog;
mod http;
mod near;
pub mod openapi;
pub mod plan;
mod run;
pub mod settings;
pub mod sql;

pub use admin::{Admin, Door};
pub use http::{Api, Base, CODES, ProjectKeys, REQUEST_TIME_MAX, Reread};
pub use sql::Sql;
