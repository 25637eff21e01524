//! MongoDB from 5.0 on; transactions and snapshots where it is a replica set.
//!
//! ```text
//! connect.rs   URLs and settings              pipeline.rs  plans → stages of aggregations
//! link.rs      the server, and its sessions   filter.rs    conditions → $match
//! session.rs   commands of one request        paths.rs     conditions on what documents hold
//! errors.rs    error codes → StoreError       read.rs      rows of a plan
//! names.rs     columns → fields               apart.rs     reads that are finished here
//! types.rs     values → BSON                  groups.rs    aggregates and groups
//! cells.rs     BSON → sink, BSON → values     statistics.rs  what it has counted
//! json.rs      documents ↔ BSON               explain.rs   plans → what the server would do
//! decimals.rs  decimals as digits
//! moments.rs   timestamps ↔ milliseconds      beside.rs    what belongs to rows, asked for by itself
//! sorted.rs    pages in the order of an index  store.rs    all of it as a Store
//! late.rs      the same on a server that need not be there yet
//! write/       rows written                  migrate/       changing the collections
//! found/       collections of other programs proof.rs       whether collections are what a schema says
//! ours.rs      what Mainstay keeps for itself shell.rs      commands as they are typed
//! ```
//!
//! A table is a collection, a row a document with one field a column (`docs/decisions/0039-mongodb.md`). Knows plans,
//! values and the server; knows no HTTP, no rules and no query language.

mod apart;
mod beside;
mod cells;
mod connect;
mod decimals;
mod errors;
mod explain;
mod filter;
mod found;
mod groups;
mod json;
mod late;
mod link;
pub mod migrate;
mod moments;
mod names;
mod ours;
mod paths;
mod pipeline;
pub mod proof;
mod read;
mod session;
mod shell;
mod sorted;
mod statistics;
mod store;
mod types;
mod write;

pub use connect::MongoOptions;
pub use late::LateMongoStore;
pub use link::{Link, Server};
pub use store::MongoStore;
