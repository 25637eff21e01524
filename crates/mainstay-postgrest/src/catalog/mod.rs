//! What is in the database, as one immutable snapshot.

mod model;

pub use model::{
    Cardinality, Catalog, Column, Function, Handler, HandlerSource, Junction, Link, Name, Parameter, Relation,
    Relationship, Representation, ReturnType, Returns, RoleSettings, Volatility,
};
