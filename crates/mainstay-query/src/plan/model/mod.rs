//! The plan itself, as data: one file for what is read, which rows, what is written, and the shape of what comes back.

mod call;
mod filter;
mod group;
mod nested;
mod read;
mod shape;
mod write;

pub use call::{FunctionCall, Run};
pub use filter::{ColumnTest, Comparison, Filter, RangeTest, Search, Test};
pub use group::{Aggregate, Function, Groups};
pub use nested::{Nested, Part, PartLink};
pub use read::{Cardinality, Embed, Expr, Join, Link, Order, Output, Pair, PathStep, Read, Source, Via};
pub use shape::{Member, MemberKind, Shape};
pub use write::{Conflict, Delete, Expect, Insert, KeyedChange, Returning, Update, UpdateEach, Write};
