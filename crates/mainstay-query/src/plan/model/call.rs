//! Functions as sources of rows, and as changes to rows.

use mainstay_schema::{ColumnId, FunctionId, Value};

use super::{Expect, Returning};

/// A function with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall {
    /// The function.
    pub function: FunctionId,
    /// One value a parameter, in their order.
    pub arguments: Vec<Value>,
    /// Parameters that were not given and whose defaults only the database knows; their values here are null.
    pub left_out: Vec<ColumnId>,
}

/// The call of a function that writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The function and its arguments.
    pub call: FunctionCall,
    /// What is made of the rows that it gives back; of this read, unlike that of other writes, all parts count.
    pub returning: Option<Returning>,
    /// What must hold of the rows that come back, else all is undone.
    pub expect: Expect,
}
