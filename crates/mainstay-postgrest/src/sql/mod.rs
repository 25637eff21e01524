//! Statements in the making: text with bound values, and names that are quoted here and nowhere else.

mod statement;

pub use statement::Sql;
