//! The snapshot against a real server, which `cargo xtask test` starts.

mod big;
mod description;
mod found;
mod live;
mod roles;
mod support;
