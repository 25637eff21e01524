//! The API in process, without a socket but for `server`: what is promised, and how it refuses.
//! Every test runs on the in-memory store and on SQLite.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod app;
mod batch;
mod coding;
mod contract;
mod describe;
mod errors;
mod faults;
mod filters;
mod function_answers;
mod function_writes;
mod functions;
mod headers;
mod hostile;
mod lines;
mod media;
mod nested;
mod patches;
mod preconditions;
mod preferences;
mod puts;
mod query;
mod reads;
mod selects;
mod server;
mod stores;
mod writes;
mod xml;
