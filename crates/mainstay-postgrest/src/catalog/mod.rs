//! What is in the database, as one immutable snapshot.

mod columns;
mod functions;
mod model;
mod names;
mod read;
mod relations;
mod reload;

pub use model::{
    Cardinality, Catalog, Column, Function, Handler, HandlerSource, Junction, Link, Name, Parameter, Relation,
    Relationship, Representation, ReturnType, Returns, RoleSettings, Volatility,
};
pub use read::{HOISTED, ReadOptions, read};
pub use reload::{Health, Live, LiveOptions, Reconfigure};
