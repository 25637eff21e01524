//! The snapshot against a real server, which `cargo xtask test` starts.

mod found;
mod support;
