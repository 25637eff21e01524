//! What stands between the socket and a route: limits, identity, cross-origin rules. Each is one function that
//! [`edge`](crate::edge) calls in its turn.

pub(crate) mod cors;
pub(crate) mod identify;
pub(crate) mod keys;
pub(crate) mod limits;
mod token;
