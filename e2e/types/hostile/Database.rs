//! Rows of every table. Made by `mainstay types` from the schema; made anew when the schema changes.

use serde::{Deserialize, Serialize};

/// * / ? > <% " ''' ⧵ ${x} #{y}
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MyOrders {
    /// `class`
    pub class: i32,
    /// `first word`
    #[serde(rename = "first word")]
    pub first_word: Option<String>,
    /// `first_word`
    #[serde(rename = "first_word")]
    pub first_word2: Option<MyOrdersFirstWord>,
    /// `größe`
    #[serde(rename = "größe")]
    pub gr__e: serde_json::Number,
    /// `self`
    #[serde(rename = "self")]
    pub self_: serde_json::Value,
    /// `def`
    pub def: Vec<i32>,
    /// `record`
    pub record: String,
    /// `ISBN$`
    #[serde(rename = "ISBN$")]
    pub isbn_: Option<String>,
}

/// A new row of `my orders`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MyOrdersInsert {
    /// `class`
    pub class: i32,
    /// `first word`
    #[serde(rename = "first word")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_word: Option<String>,
    /// `first_word`
    #[serde(rename = "first_word")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_word2: Option<MyOrdersFirstWord>,
    /// `größe`
    #[serde(rename = "größe")]
    pub gr__e: serde_json::Number,
    /// `self`
    #[serde(rename = "self")]
    pub self_: serde_json::Value,
    /// `def`
    pub def: Vec<i32>,
    /// `record`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// `ISBN$`
    #[serde(rename = "ISBN$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isbn_: Option<String>,
}

/// What `first_word` can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MyOrdersFirstWord {
    /// `a b`
    #[serde(rename = "a b")]
    AB,
    /// `A-B`
    #[serde(rename = "A-B")]
    AB2,
    /// ``
    #[serde(rename = "")]
    X,
    /// `1`
    #[serde(rename = "1")]
    X1,
    /// `$x`
    #[serde(rename = "$x")]
    X2,
    /// `#{1}`
    #[serde(rename = "#{1}")]
    X12,
    /// `'"⧵`
    #[serde(rename = "'\"\\")]
    X3,
}

/// A row of `my_orders`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MyOrders2 {
    /// `id`
    pub id: i32,
}

/// A new row of `my_orders`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MyOrders2Insert {
    /// `id`
    pub id: i32,
}

/// A row of `class`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassRow {
    /// `id`
    pub id: String,
    /// `type`
    #[serde(rename = "type")]
    pub type_: Option<i32>,
}

/// A new row of `class`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassRowInsert {
    /// `id`
    pub id: String,
    /// `type`
    #[serde(rename = "type")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<i32>,
}
