//! The SQLite store from outside: plans in, rows and changes out, a real file beneath.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod changes;
mod filters;
mod fulltext;
mod migrations;
mod reads;
mod support;
mod writes;
