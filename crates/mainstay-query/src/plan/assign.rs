//! What becomes of a column of a row that is there: a value, or something made of what the column holds.
//! [`evaluate::assign`](crate::evaluate::assign) says what each means.

use mainstay_schema::Value;
use mainstay_schema::value::Json;

/// What becomes of a column. Where the column holds null, null counts as 0, as empty text, or as an empty list.
#[derive(Debug, Clone, PartialEq)]
pub enum Assign {
    /// This value, whatever was there. Its checks were made.
    Value(Value),
    /// The sum of what was there and this number of the column's type.
    Add(Value),
    /// What was there with this text, or these items, behind it.
    Append(Value),
    /// What was there with this text, or these items, before it.
    Prepend(Value),
    /// The list that was there without the items that equal one of these.
    Remove(Value),
    /// The document that was there, changed as this merge patch (RFC 7396) says.
    Merge(Json),
    /// The column's JSON form, changed by these steps (RFC 6902) one after the other.
    Patch(Vec<PatchStep>),
}

impl From<Value> for Assign {
    fn from(value: Value) -> Assign {
        Assign::Value(value)
    }
}

impl Assign {
    /// The value, if it does not depend on what was there.
    pub fn as_value(&self) -> Option<&Value> {
        match self {
            Assign::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// One step of a JSON patch inside one column.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchStep {
    /// Where, as unescaped segments of a JSON pointer below the column; empty for the column itself.
    pub path: Vec<String>,
    /// What is done there.
    pub op: PatchOp,
}

/// What a step of a JSON patch does.
#[derive(Debug, Clone, PartialEq)]
pub enum PatchOp {
    /// Puts a member, or an item before the one there.
    Add(Json),
    /// Takes away what is there.
    Remove,
    /// Puts this in place of what is there.
    Replace(Json),
    /// Takes away what is at this place and adds it.
    Move(Vec<String>),
    /// Adds what is at this place.
    Copy(Vec<String>),
    /// Refuses the row unless this is there.
    Test(Json),
}
