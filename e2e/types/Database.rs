//! Rows of every table. Made by `mainstay types` from the schema; made anew when the schema changes.

use serde::{Deserialize, Serialize};

/// A tree of product groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Categories {
    /// `id`
    pub id: i32,
    /// `name`
    pub name: String,
    /// `parent_id`
    pub parent_id: Option<i32>,
}

/// A new row of `categories`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoriesInsert {
    /// `id`
    pub id: i32,
    /// `name`
    pub name: String,
    /// `parent_id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<i32>,
}

/// One thing that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Products {
    /// `id`
    pub id: i32,
    /// `slug`
    pub slug: String,
    /// `name`
    pub name: String,
    /// `price`
    pub price: serde_json::Number,
    /// `weight_kg`
    pub weight_kg: Option<f64>,
    /// `tags`
    pub tags: Vec<String>,
    /// `attributes`
    pub attributes: serde_json::Value,
    /// `available`
    pub available: bool,
    /// `added_on`
    pub added_on: String,
    /// `updated_at`
    pub updated_at: String,
}

/// A new row of `products`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductsInsert {
    /// `id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// `slug`
    pub slug: String,
    /// `name`
    pub name: String,
    /// `price`
    pub price: serde_json::Number,
    /// `weight_kg`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<f64>,
    /// `tags`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// `attributes`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<serde_json::Value>,
    /// `available`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// `added_on`
    pub added_on: String,
    /// `updated_at`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Which product is in which category; lets each embed the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductCategories {
    /// `product_id`
    pub product_id: i32,
    /// `category_id`
    pub category_id: i32,
}

/// A new row of `product_categories`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductCategoriesInsert {
    /// `product_id`
    pub product_id: i32,
    /// `category_id`
    pub category_id: i32,
}

/// A row of `customers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customers {
    /// `id`
    pub id: i32,
    /// `email`
    pub email: String,
    /// `name`
    pub name: String,
    /// `phone`
    pub phone: Option<String>,
    /// `created_at`
    pub created_at: String,
}

/// A new row of `customers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomersInsert {
    /// `id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// `email`
    pub email: String,
    /// `name`
    pub name: String,
    /// `phone`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// `created_at`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// At most one row a customer: a one-to-one relation, because the reference is also the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerSettings {
    /// `customer_id`
    pub customer_id: i32,
    /// `newsletter`
    pub newsletter: bool,
    /// `language`
    pub language: CustomerSettingsLanguage,
}

/// A new row of `customer_settings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerSettingsInsert {
    /// `customer_id`
    pub customer_id: i32,
    /// `newsletter`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newsletter: Option<bool>,
    /// `language`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<CustomerSettingsLanguage>,
}

/// What `language` can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CustomerSettingsLanguage {
    /// `en`
    #[serde(rename = "en")]
    En,
    /// `de`
    #[serde(rename = "de")]
    De,
    /// `fr`
    #[serde(rename = "fr")]
    Fr,
    /// `ja`
    #[serde(rename = "ja")]
    Ja,
}

/// What a customer bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// `id`
    pub id: i32,
    /// `customer_id`
    pub customer_id: i32,
    /// `gift_for`
    pub gift_for: Option<i32>,
    /// `status`
    pub status: OrdersStatus,
    /// `note`
    pub note: Option<String>,
    /// `placed_at`
    pub placed_at: String,
}

/// A new row of `orders`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrdersInsert {
    /// `id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// `customer_id`
    pub customer_id: i32,
    /// `gift_for`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_for: Option<i32>,
    /// `status`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrdersStatus>,
    /// `note`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `placed_at`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_at: Option<String>,
}

/// What `status` can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrdersStatus {
    /// `new`
    #[serde(rename = "new")]
    New,
    /// `paid`
    #[serde(rename = "paid")]
    Paid,
    /// `shipped`
    #[serde(rename = "shipped")]
    Shipped,
    /// `cancelled`
    #[serde(rename = "cancelled")]
    Cancelled,
}

/// A row of `order_lines`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLines {
    /// `order_id`
    pub order_id: i32,
    /// `line`
    pub line: i32,
    /// `product_id`
    pub product_id: i32,
    /// `quantity`
    pub quantity: i32,
    /// `unit_price`
    pub unit_price: serde_json::Number,
}

/// A new row of `order_lines`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLinesInsert {
    /// `order_id`
    pub order_id: i32,
    /// `line`
    pub line: i32,
    /// `product_id`
    pub product_id: i32,
    /// `quantity`
    pub quantity: i32,
    /// `unit_price`
    pub unit_price: serde_json::Number,
}

/// What people say; anybody may write one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reviews {
    /// `id`
    pub id: String,
    /// `product_id`
    pub product_id: i32,
    /// `author`
    pub author: String,
    /// `stars`
    pub stars: i32,
    /// `body`
    pub body: Option<String>,
    /// `written_at`
    pub written_at: String,
}

/// A new row of `reviews`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewsInsert {
    /// `id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `product_id`
    pub product_id: i32,
    /// `author`
    pub author: String,
    /// `stars`
    pub stars: i32,
    /// `body`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// `written_at`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<String>,
}

/// Lines and pieces of each order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderTotals {
    /// `order_id`
    pub order_id: i32,
    /// `lines`
    pub lines: i64,
    /// `pieces`
    pub pieces: i64,
}

/// What `best_sellers` is called with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestSellersArguments {
    /// `since`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// `most`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<i32>,
}

/// A row that `best_sellers` gives back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestSellersResult {
    /// `product_id`
    pub product_id: i32,
    /// `pieces`
    pub pieces: i64,
    /// `turnover`
    pub turnover: serde_json::Number,
}

/// What `cancel_order` is called with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelOrderArguments {
    /// `order_id`
    pub order_id: i32,
}

/// What `similar_products` is called with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimilarProductsArguments {
    /// `product_id`
    pub product_id: i32,
}
