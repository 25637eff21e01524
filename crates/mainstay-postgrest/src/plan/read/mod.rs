//! What to read: a tree of levels, each with its members, conditions, order and page, and the levels embedded in it.

mod build;
mod fields;
mod model;
mod place;
mod returning;

pub(crate) use build::plan;
pub use model::{
    Aggregated, Embed, Filter, From, Join, Level, Lifted, Member, Operand, Order, OrderBy, Qualifier, ReadPlan, Test,
    TestOf, Vector,
};
