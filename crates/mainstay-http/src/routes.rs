//! One file a noun. A handler translates between HTTP and the engine, and decides nothing else.

pub(crate) mod batch;
mod conditional;
pub(crate) mod functions;
pub(crate) mod health;
mod legacy;
mod media;
mod patch;
mod precondition;
pub(crate) mod prefer;
pub(crate) mod preview;
pub(crate) mod query;
pub(crate) mod records;
pub(crate) mod reference;
pub(crate) mod root;
mod translate;
