//! Projects whose database is a MariaDB or a MySQL server, which `cargo xtask test` starts: every test runs on both, and
//! has a database of its own on each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "on_mysql/advise.rs"]
mod advise;
#[path = "on_server/api.rs"]
#[expect(dead_code, reason = "the tests of several stores need more of it")]
mod api;
#[path = "on_mysql/app.rs"]
mod app;
#[path = "on_mysql/casts.rs"]
mod casts;
#[path = "on_mysql/chinook.rs"]
mod chinook;
#[path = "on_server/commands.rs"]
mod commands;
#[path = "on_server/copy.rs"]
mod copies;
#[path = "on_mysql/copy.rs"]
mod copy;
#[path = "on_server/found_again.rs"]
mod found_again;
#[path = "on_server/functions.rs"]
mod functions;
#[path = "on_mysql/kept.rs"]
mod kept;
#[path = "on_mysql/kinds.rs"]
mod kinds;
#[path = "on_mysql/levels.rs"]
mod levels;
#[path = "on_server/outage.rs"]
mod outage;
#[path = "on_postgres/app.rs"]
#[expect(dead_code, reason = "the tests of PostgreSQL need more of it")]
mod postgres;
#[path = "on_mysql/projects.rs"]
mod projects;
#[path = "on_mysql/routines.rs"]
mod routines;
#[path = "on_server/shop.rs"]
mod shop;
#[path = "on_mysql/slow.rs"]
mod slow;
#[path = "cli/support.rs"]
#[expect(dead_code, reason = "the other tests of the executable need more of it")]
mod support;
#[path = "on_mysql/views.rs"]
mod views;
#[path = "on_mysql/words.rs"]
mod words;
#[path = "on_mysql/work.rs"]
mod work;
#[path = "on_server/work.rs"]
mod works;
