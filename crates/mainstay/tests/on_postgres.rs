//! Projects whose database is a PostgreSQL server, which `cargo xtask test` starts: each test has a database of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "on_postgres/advise.rs"]
mod advise;
#[path = "on_server/api.rs"]
#[expect(dead_code, reason = "the tests of several stores need more of it")]
mod api;
#[path = "on_postgres/app.rs"]
mod app;
#[path = "on_postgres/chinook.rs"]
mod chinook;
#[path = "on_server/commands.rs"]
mod commands;
#[path = "on_server/copy.rs"]
mod copies;
#[path = "on_postgres/copy.rs"]
mod copy;
#[path = "on_server/found_again.rs"]
mod found_again;
#[path = "on_server/functions.rs"]
mod functions;
#[path = "on_postgres/kinds.rs"]
mod kinds;
#[path = "on_postgres/many.rs"]
mod many;
#[path = "on_postgres/outage.rs"]
mod on_outage;
#[path = "on_postgres/shop.rs"]
mod on_shop;
#[path = "on_server/outage.rs"]
mod outage;
#[path = "on_postgres/commands.rs"]
mod own_commands;
#[path = "on_postgres/ranges.rs"]
mod ranges;
#[path = "on_postgres/routines.rs"]
mod routines;
#[path = "on_server/shop.rs"]
mod shop;
#[path = "cli/support.rs"]
#[expect(dead_code, reason = "the other tests of the executable need more of it")]
mod support;
#[path = "on_postgres/words.rs"]
mod words;
#[path = "on_postgres/work.rs"]
mod work;
#[path = "on_server/work.rs"]
mod works;
