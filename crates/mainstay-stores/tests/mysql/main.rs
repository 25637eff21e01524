//! MariaDB and MySQL as stores, against real servers, which `cargo xtask test` starts.

mod conformance;
mod errors;
mod migrations;
mod sessions;
mod support;
mod tls;
mod writes;
