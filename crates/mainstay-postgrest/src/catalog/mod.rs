//! What is in the database, as one immutable snapshot.

mod functions;
mod model;
mod names;
mod read;
mod relations;

pub use model::{
    Cardinality, Catalog, Column, Function, Handler, HandlerSource, Junction, Link, Name, Parameter, Relation,
    Relationship, Representation, ReturnType, Returns, RoleSettings, Volatility,
};
pub use read::{HOISTED, ReadOptions, read};
