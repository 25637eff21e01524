//! The PostgreSQL store against a real server, which `cargo xtask test` starts.

#![cfg(feature = "postgres")]

mod conformance;
mod errors;
mod lanes;
mod pooler;
mod proof;
mod sessions;
mod support;
mod tls;
mod wire;
