//! What a request wants, read and checked as far as that goes without the catalog. Made by `http/`, planned here.

use mainstay_query::parse::prefer::Preferences;
use mainstay_query::request::Query;

use super::media::Media;
use super::payload::Payload;

/// What a request wants.
#[derive(Debug, Clone)]
pub struct Wanted<'r> {
    /// The table, view or function, as the path names it.
    pub target: &'r str,
    /// What is to be done with it.
    pub action: Action<'r>,
    /// The query string. A range of the header is in it already, at the top.
    pub query: &'r Query,
    /// `Prefer`.
    pub preferences: &'r Preferences,
    /// What is accepted, in the order in which it is tried; never empty.
    pub accept: &'r [Media],
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Action<'r> {
    /// `GET` and `HEAD` of a relation.
    Read {
        /// Whether the rows are only counted.
        is_head: bool,
    },
    /// `POST` to a relation.
    Insert(&'r Payload),
    /// `PUT` to a relation.
    Replace(&'r Payload),
    /// `PATCH` of a relation.
    Update(&'r Payload),
    /// `DELETE` from a relation.
    Delete,
    /// A call of a function.
    Call(Call<'r>),
}

/// A call of a function.
#[derive(Debug, Clone)]
pub enum Call<'r> {
    /// `GET` and `HEAD`: the parameters of the query string that are no filters, in their order, decoded.
    Get {
        /// Names and values; a name may stand there several times.
        arguments: &'r [(String, String)],
        /// Whether the rows are only counted.
        is_head: bool,
    },
    /// `POST`.
    Post(&'r Payload),
}

impl Action<'_> {
    /// Whether only headers are wanted.
    pub fn is_head(&self) -> bool {
        matches!(self, Action::Read { is_head: true } | Action::Call(Call::Get { is_head: true, .. }))
    }
}
