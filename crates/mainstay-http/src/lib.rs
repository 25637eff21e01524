//! Every route and wire format of the API. Besides the gateway the only crate that sees HTTP.
//!
//! A request passes [`edge`] (limits, identity, log line), is translated by a route into a request of
//! `mainstay-query`, run by `mainstay-engine`, and its rows are encoded while they are read. Knows no SQL.

mod app;
mod body;
mod description;
mod edge;
mod encode;
mod errors;
mod layers;
mod openapi;
mod router;
mod routes;
mod serve;

pub use app::{AnswerSettings, App};
pub use body::{AnswerBody, Cut};
pub use description::{Description, Reference, SERVER, Scope};
pub use encode::xml_schema;
pub use errors::{CODES, Code, Problem, Verbosity, codes};
pub use layers::coding::Compression;
pub use layers::cors::Cors;
pub use layers::keys::{Keys, WeakKey};
pub use layers::limits::{RequestLimits, check_head, read_body};
pub use layers::token::{
    ClaimPath, JWT_SECRET_BYTES_MIN, MissingAudience, NoPath, TokenReader, TokenSettings, UnreadableToken,
};
pub use openapi::{About, openapi};
pub use router::{ROUTES, router};
pub use routes::legacy::warning as legacy_warning;
pub use routes::prefer::TxEnd;
pub use routes::preview::preview;
pub use serve::{Answers, Listen, ServerLimits, serve};
