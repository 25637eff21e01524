//! MongoDB as a store, against a real server, which `cargo xtask test` starts.

mod conformance;
mod found;
mod migrations;
mod reads;
mod sessions;
mod shop;
mod sorted;
mod support;
mod writes;
