//! MongoDB as a store, against a real server, which `cargo xtask test` starts.

mod conformance;
mod reads;
mod support;
