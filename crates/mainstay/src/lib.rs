//! The binary's library: command line, configuration, the project folder, and the wiring of the other crates.
//!
//! The only place that knows every crate. [`cli`] is what a person types, [`config`] what may be set, [`project`] what
//! lies in a project folder, [`migrations`] and [`transfer`] what moves tables and rows, [`types`] what other languages
//! call them, and [`wire`] how a project becomes a running engine.

pub mod advise;
pub mod backup;
pub mod cli;
pub mod config;
#[cfg(feature = "postgres")]
mod database_rules;
mod follow;
pub mod migrations;
pub mod project;
mod server;
pub mod statements;
pub mod stores;
pub mod transfer;
pub mod types;
pub mod wire;
