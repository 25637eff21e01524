//! A call of a function, as text that parsed.

use bytes::Bytes;

use super::{Count, Query};

/// A call of a function: `/rpc/{function}`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRequest {
    /// Name of the function.
    pub function: String,
    /// What it is called with.
    pub arguments: Arguments,
    /// Select, filters, order and page of the result; `columns` picks the members of a body that count.
    pub query: Query,
    /// Whether all rows of the result that pass the filters are counted.
    pub count: Count,
    /// Whether the method is one that changes nothing (`GET`, `HEAD`).
    pub read_only: bool,
    /// Whether exactly one row must come back, else all is undone.
    pub singular: bool,
    /// Most rows that may come back before all is undone.
    pub affected_max: Option<u64>,
}

/// What a function is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum Arguments {
    /// Names and texts: parameters of a query string, fields of a form. A name may stand there several times.
    Named(Vec<(String, String)>),
    /// A JSON body: an object whose members are the arguments, or one for the function that takes it whole.
    Json(Bytes),
    /// A body of another kind, for the function that takes it whole.
    Raw {
        /// What it is.
        kind: RawKind,
        /// Its octets.
        body: Bytes,
    },
}

/// Kinds of bodies that a function may take whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawKind {
    /// `text/plain`
    Text,
    /// `text/xml`
    Xml,
    /// `application/octet-stream`
    Bytes,
}
