//! How a project becomes a running engine: the one place where the crates meet.
