//! The data model of a project: names, types, values, tables, relations and access rules.
//!
//! Pure: it reads text and values and never touches a file, a socket or a clock. A [`Schema`] is one immutable
//! snapshot; a change builds a new one. [`load`] makes it from the TOML files of a project folder, [`diff`] says what
//! lies between two of them, [`value`] is the one place where text and JSON become typed values.

pub mod check;
pub mod diff;
pub mod editor;
pub mod error;
pub mod found;
pub mod function;
pub mod ids;
mod json;
mod language;
pub mod link;
pub mod load;
pub mod model;
pub mod near;
mod stores;
pub mod types;
pub mod value;

pub use error::{Mistake, RecordError, ValueError, Violation};
pub use function::{Function, Returns, SqlKind};
pub use ids::{ColumnId, FunctionId, TableId};
pub use language::Language;
pub use model::{
    Access, Column, DefaultValue, FullText, Index, IndexColumn, Key, Reference, ReferenceAction, Rule, Schema, Table,
    TableKind,
};
pub use near::{near, nearest};
pub use stores::MAIN;
pub use types::{Format, Type};
pub use value::Value;
