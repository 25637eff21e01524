//! What stands between the socket and a route: limits, identity, cross-origin rules, codings. Each is one function that
//! [`edge`](crate::edge) calls in its turn.

pub(crate) mod coding;
pub(crate) mod cors;
pub(crate) mod decode;
pub(crate) mod identify;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod timing;
pub(crate) mod token;
