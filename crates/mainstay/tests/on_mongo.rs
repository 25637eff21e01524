//! Projects that keep rows in MongoDB, alone and beside other stores. `cargo xtask test` starts the servers; every test has
//! databases of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "on_server/api.rs"]
#[expect(dead_code, reason = "the tests of SQL servers need more of it")]
mod api;
#[path = "on_mongo/app.rs"]
mod app;
#[path = "on_server/copy.rs"]
#[expect(dead_code, reason = "the tests of SQL servers need more of it")]
mod copies;
#[path = "on_mongo/copy.rs"]
mod copy;
#[path = "on_mongo/found.rs"]
mod found;
#[path = "on_postgres/app.rs"]
#[expect(dead_code, reason = "the tests of PostgreSQL need more of it")]
mod postgres;
#[path = "on_server/shop.rs"]
#[expect(dead_code, reason = "the tests of SQL servers need more of it")]
mod shop;
#[path = "on_mongo/stores.rs"]
mod stores;
#[path = "cli/support.rs"]
#[expect(dead_code, reason = "the other tests of the executable need more of it")]
mod support;
