// Made by `mainstay types` from the schema; made anew when the schema changes.

// Package database has the rows of every table.
package database

import (
	"encoding/json"
	"time"
)

// Categories: A tree of product groups.
type Categories struct {
	Id       int32  `json:"id"`
	Name     string `json:"name"`
	ParentId *int32 `json:"parent_id"`
}

// CategoriesInsert: A new row of `categories`; nil for what is left out.
type CategoriesInsert struct {
	Id       int32  `json:"id"`
	Name     string `json:"name"`
	ParentId *int32 `json:"parent_id,omitempty"`
}

// Products: One thing that can be bought.
type Products struct {
	Id         int32           `json:"id"`
	Slug       string          `json:"slug"`
	Name       string          `json:"name"`
	Price      json.Number     `json:"price"`
	WeightKg   *float64        `json:"weight_kg"`
	Tags       []string        `json:"tags"`
	Attributes json.RawMessage `json:"attributes"`
	Available  bool            `json:"available"`
	AddedOn    string          `json:"added_on"`
	UpdatedAt  time.Time       `json:"updated_at"`
}

// ProductsInsert: A new row of `products`; nil for what is left out.
type ProductsInsert struct {
	Id         *int32          `json:"id,omitempty"`
	Slug       string          `json:"slug"`
	Name       string          `json:"name"`
	Price      json.Number     `json:"price"`
	WeightKg   *float64        `json:"weight_kg,omitempty"`
	Tags       []string        `json:"tags,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`
	Available  *bool           `json:"available,omitempty"`
	AddedOn    string          `json:"added_on"`
	UpdatedAt  *time.Time      `json:"updated_at,omitempty"`
}

// ProductCategories: Which product is in which category; lets each embed the other.
type ProductCategories struct {
	ProductId  int32 `json:"product_id"`
	CategoryId int32 `json:"category_id"`
}

// ProductCategoriesInsert: A new row of `product_categories`; nil for what is left out.
type ProductCategoriesInsert struct {
	ProductId  int32 `json:"product_id"`
	CategoryId int32 `json:"category_id"`
}

// Customers: A row of `customers`.
type Customers struct {
	Id        int32     `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Phone     *string   `json:"phone"`
	CreatedAt time.Time `json:"created_at"`
}

// CustomersInsert: A new row of `customers`; nil for what is left out.
type CustomersInsert struct {
	Id        *int32     `json:"id,omitempty"`
	Email     string     `json:"email"`
	Name      string     `json:"name"`
	Phone     *string    `json:"phone,omitempty"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// CustomerSettings: At most one row a customer: a one-to-one relation, because the reference is also the key.
type CustomerSettings struct {
	CustomerId int32  `json:"customer_id"`
	Newsletter bool   `json:"newsletter"`
	Language   string `json:"language"`
}

// CustomerSettingsInsert: A new row of `customer_settings`; nil for what is left out.
type CustomerSettingsInsert struct {
	CustomerId int32   `json:"customer_id"`
	Newsletter *bool   `json:"newsletter,omitempty"`
	Language   *string `json:"language,omitempty"`
}

// Orders: What a customer bought.
type Orders struct {
	Id         int32     `json:"id"`
	CustomerId int32     `json:"customer_id"`
	GiftFor    *int32    `json:"gift_for"`
	Status     string    `json:"status"`
	Note       *string   `json:"note"`
	PlacedAt   time.Time `json:"placed_at"`
}

// OrdersInsert: A new row of `orders`; nil for what is left out.
type OrdersInsert struct {
	Id         *int32     `json:"id,omitempty"`
	CustomerId int32      `json:"customer_id"`
	GiftFor    *int32     `json:"gift_for,omitempty"`
	Status     *string    `json:"status,omitempty"`
	Note       *string    `json:"note,omitempty"`
	PlacedAt   *time.Time `json:"placed_at,omitempty"`
}

// OrderLines: A row of `order_lines`.
type OrderLines struct {
	OrderId   int32       `json:"order_id"`
	Line      int32       `json:"line"`
	ProductId int32       `json:"product_id"`
	Quantity  int32       `json:"quantity"`
	UnitPrice json.Number `json:"unit_price"`
}

// OrderLinesInsert: A new row of `order_lines`; nil for what is left out.
type OrderLinesInsert struct {
	OrderId   int32       `json:"order_id"`
	Line      int32       `json:"line"`
	ProductId int32       `json:"product_id"`
	Quantity  int32       `json:"quantity"`
	UnitPrice json.Number `json:"unit_price"`
}

// Reviews: What people say; anybody may write one.
type Reviews struct {
	Id        string    `json:"id"`
	ProductId int32     `json:"product_id"`
	Author    string    `json:"author"`
	Stars     int32     `json:"stars"`
	Body      *string   `json:"body"`
	WrittenAt time.Time `json:"written_at"`
}

// ReviewsInsert: A new row of `reviews`; nil for what is left out.
type ReviewsInsert struct {
	Id        *string    `json:"id,omitempty"`
	ProductId int32      `json:"product_id"`
	Author    string     `json:"author"`
	Stars     int32      `json:"stars"`
	Body      *string    `json:"body,omitempty"`
	WrittenAt *time.Time `json:"written_at,omitempty"`
}

// OrderTotals: Lines and pieces of each order.
type OrderTotals struct {
	OrderId int32 `json:"order_id"`
	Lines   int64 `json:"lines"`
	Pieces  int64 `json:"pieces"`
}

// BestSellersArguments: What `best_sellers` is called with; nil for what is left out.
type BestSellersArguments struct {
	Since *string `json:"since,omitempty"`
	Most  *int32  `json:"most,omitempty"`
}

// BestSellersResult: A row that `best_sellers` gives back.
type BestSellersResult struct {
	ProductId int32       `json:"product_id"`
	Pieces    int64       `json:"pieces"`
	Turnover  json.Number `json:"turnover"`
}

// CancelOrderArguments: What `cancel_order` is called with; nil for what is left out.
type CancelOrderArguments struct {
	OrderId int32 `json:"order_id"`
}

// SimilarProductsArguments: What `similar_products` is called with; nil for what is left out.
type SimilarProductsArguments struct {
	ProductId int32 `json:"product_id"`
}
