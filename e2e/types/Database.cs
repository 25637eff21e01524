// Made by `mainstay types` from the schema; made anew when the schema changes.

using System;
using System.Collections.Generic;
using System.Runtime.Serialization;

namespace Database
{
    /// <summary>A tree of product groups.</summary>
    [DataContract]
    public sealed class Categories
    {
        [DataMember(Name = "id")]
        public int Id { get; set; }

        [DataMember(Name = "name")]
        public string Name { get; set; }

        [DataMember(Name = "parent_id")]
        public int? ParentId { get; set; }
    }

    /// <summary>A new row of `categories`; null for what is left out.</summary>
    [DataContract]
    public sealed class CategoriesInsert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public int Id { get; set; }

        [DataMember(Name = "name", EmitDefaultValue = false)]
        public string Name { get; set; }

        [DataMember(Name = "parent_id", EmitDefaultValue = false)]
        public int? ParentId { get; set; }
    }

    /// <summary>One thing that can be bought.</summary>
    [DataContract]
    public sealed class Products
    {
        [DataMember(Name = "id")]
        public int Id { get; set; }

        [DataMember(Name = "slug")]
        public string Slug { get; set; }

        [DataMember(Name = "name")]
        public string Name { get; set; }

        [DataMember(Name = "price")]
        public decimal Price { get; set; }

        [DataMember(Name = "weight_kg")]
        public double? WeightKg { get; set; }

        [DataMember(Name = "tags")]
        public List<string> Tags { get; set; }

        [DataMember(Name = "attributes")]
        public object Attributes { get; set; }

        [DataMember(Name = "available")]
        public bool Available { get; set; }

        [DataMember(Name = "added_on")]
        public string AddedOn { get; set; }

        [DataMember(Name = "updated_at")]
        public DateTimeOffset UpdatedAt { get; set; }
    }

    /// <summary>A new row of `products`; null for what is left out.</summary>
    [DataContract]
    public sealed class ProductsInsert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public int? Id { get; set; }

        [DataMember(Name = "slug", EmitDefaultValue = false)]
        public string Slug { get; set; }

        [DataMember(Name = "name", EmitDefaultValue = false)]
        public string Name { get; set; }

        [DataMember(Name = "price", EmitDefaultValue = false)]
        public decimal Price { get; set; }

        [DataMember(Name = "weight_kg", EmitDefaultValue = false)]
        public double? WeightKg { get; set; }

        [DataMember(Name = "tags", EmitDefaultValue = false)]
        public List<string> Tags { get; set; }

        [DataMember(Name = "attributes", EmitDefaultValue = false)]
        public object Attributes { get; set; }

        [DataMember(Name = "available", EmitDefaultValue = false)]
        public bool? Available { get; set; }

        [DataMember(Name = "added_on", EmitDefaultValue = false)]
        public string AddedOn { get; set; }

        [DataMember(Name = "updated_at", EmitDefaultValue = false)]
        public DateTimeOffset? UpdatedAt { get; set; }
    }

    /// <summary>Which product is in which category; lets each embed the other.</summary>
    [DataContract]
    public sealed class ProductCategories
    {
        [DataMember(Name = "product_id")]
        public int ProductId { get; set; }

        [DataMember(Name = "category_id")]
        public int CategoryId { get; set; }
    }

    /// <summary>A new row of `product_categories`; null for what is left out.</summary>
    [DataContract]
    public sealed class ProductCategoriesInsert
    {
        [DataMember(Name = "product_id", EmitDefaultValue = false)]
        public int ProductId { get; set; }

        [DataMember(Name = "category_id", EmitDefaultValue = false)]
        public int CategoryId { get; set; }
    }

    /// <summary>A row of `customers`.</summary>
    [DataContract]
    public sealed class Customers
    {
        [DataMember(Name = "id")]
        public int Id { get; set; }

        [DataMember(Name = "email")]
        public string Email { get; set; }

        [DataMember(Name = "name")]
        public string Name { get; set; }

        [DataMember(Name = "phone")]
        public string Phone { get; set; }

        [DataMember(Name = "created_at")]
        public DateTimeOffset CreatedAt { get; set; }
    }

    /// <summary>A new row of `customers`; null for what is left out.</summary>
    [DataContract]
    public sealed class CustomersInsert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public int? Id { get; set; }

        [DataMember(Name = "email", EmitDefaultValue = false)]
        public string Email { get; set; }

        [DataMember(Name = "name", EmitDefaultValue = false)]
        public string Name { get; set; }

        [DataMember(Name = "phone", EmitDefaultValue = false)]
        public string Phone { get; set; }

        [DataMember(Name = "created_at", EmitDefaultValue = false)]
        public DateTimeOffset? CreatedAt { get; set; }
    }

    /// <summary>At most one row a customer: a one-to-one relation, because the reference is also the key.</summary>
    [DataContract]
    public sealed class CustomerSettings
    {
        [DataMember(Name = "customer_id")]
        public int CustomerId { get; set; }

        [DataMember(Name = "newsletter")]
        public bool Newsletter { get; set; }

        [DataMember(Name = "language")]
        public string Language { get; set; }
    }

    /// <summary>A new row of `customer_settings`; null for what is left out.</summary>
    [DataContract]
    public sealed class CustomerSettingsInsert
    {
        [DataMember(Name = "customer_id", EmitDefaultValue = false)]
        public int CustomerId { get; set; }

        [DataMember(Name = "newsletter", EmitDefaultValue = false)]
        public bool? Newsletter { get; set; }

        [DataMember(Name = "language", EmitDefaultValue = false)]
        public string Language { get; set; }
    }

    /// <summary>What a customer bought.</summary>
    [DataContract]
    public sealed class Orders
    {
        [DataMember(Name = "id")]
        public int Id { get; set; }

        [DataMember(Name = "customer_id")]
        public int CustomerId { get; set; }

        [DataMember(Name = "gift_for")]
        public int? GiftFor { get; set; }

        [DataMember(Name = "status")]
        public string Status { get; set; }

        [DataMember(Name = "note")]
        public string Note { get; set; }

        [DataMember(Name = "placed_at")]
        public DateTimeOffset PlacedAt { get; set; }
    }

    /// <summary>A new row of `orders`; null for what is left out.</summary>
    [DataContract]
    public sealed class OrdersInsert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public int? Id { get; set; }

        [DataMember(Name = "customer_id", EmitDefaultValue = false)]
        public int CustomerId { get; set; }

        [DataMember(Name = "gift_for", EmitDefaultValue = false)]
        public int? GiftFor { get; set; }

        [DataMember(Name = "status", EmitDefaultValue = false)]
        public string Status { get; set; }

        [DataMember(Name = "note", EmitDefaultValue = false)]
        public string Note { get; set; }

        [DataMember(Name = "placed_at", EmitDefaultValue = false)]
        public DateTimeOffset? PlacedAt { get; set; }
    }

    /// <summary>A row of `order_lines`.</summary>
    [DataContract]
    public sealed class OrderLines
    {
        [DataMember(Name = "order_id")]
        public int OrderId { get; set; }

        [DataMember(Name = "line")]
        public int Line { get; set; }

        [DataMember(Name = "product_id")]
        public int ProductId { get; set; }

        [DataMember(Name = "quantity")]
        public int Quantity { get; set; }

        [DataMember(Name = "unit_price")]
        public decimal UnitPrice { get; set; }
    }

    /// <summary>A new row of `order_lines`; null for what is left out.</summary>
    [DataContract]
    public sealed class OrderLinesInsert
    {
        [DataMember(Name = "order_id", EmitDefaultValue = false)]
        public int OrderId { get; set; }

        [DataMember(Name = "line", EmitDefaultValue = false)]
        public int Line { get; set; }

        [DataMember(Name = "product_id", EmitDefaultValue = false)]
        public int ProductId { get; set; }

        [DataMember(Name = "quantity", EmitDefaultValue = false)]
        public int Quantity { get; set; }

        [DataMember(Name = "unit_price", EmitDefaultValue = false)]
        public decimal UnitPrice { get; set; }
    }

    /// <summary>What people say; anybody may write one.</summary>
    [DataContract]
    public sealed class Reviews
    {
        [DataMember(Name = "id")]
        public Guid Id { get; set; }

        [DataMember(Name = "product_id")]
        public int ProductId { get; set; }

        [DataMember(Name = "author")]
        public string Author { get; set; }

        [DataMember(Name = "stars")]
        public int Stars { get; set; }

        [DataMember(Name = "body")]
        public string Body { get; set; }

        [DataMember(Name = "written_at")]
        public DateTimeOffset WrittenAt { get; set; }
    }

    /// <summary>A new row of `reviews`; null for what is left out.</summary>
    [DataContract]
    public sealed class ReviewsInsert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public Guid? Id { get; set; }

        [DataMember(Name = "product_id", EmitDefaultValue = false)]
        public int ProductId { get; set; }

        [DataMember(Name = "author", EmitDefaultValue = false)]
        public string Author { get; set; }

        [DataMember(Name = "stars", EmitDefaultValue = false)]
        public int Stars { get; set; }

        [DataMember(Name = "body", EmitDefaultValue = false)]
        public string Body { get; set; }

        [DataMember(Name = "written_at", EmitDefaultValue = false)]
        public DateTimeOffset? WrittenAt { get; set; }
    }

    /// <summary>Lines and pieces of each order.</summary>
    [DataContract]
    public sealed class OrderTotals
    {
        [DataMember(Name = "order_id")]
        public int OrderId { get; set; }

        [DataMember(Name = "lines")]
        public long Lines { get; set; }

        [DataMember(Name = "pieces")]
        public long Pieces { get; set; }
    }

    /// <summary>What `best_sellers` is called with; null for what is left out.</summary>
    [DataContract]
    public sealed class BestSellersArguments
    {
        [DataMember(Name = "since", EmitDefaultValue = false)]
        public string Since { get; set; }

        [DataMember(Name = "most", EmitDefaultValue = false)]
        public int? Most { get; set; }
    }

    /// <summary>A row that `best_sellers` gives back.</summary>
    [DataContract]
    public sealed class BestSellersResult
    {
        [DataMember(Name = "product_id")]
        public int ProductId { get; set; }

        [DataMember(Name = "pieces")]
        public long Pieces { get; set; }

        [DataMember(Name = "turnover")]
        public decimal Turnover { get; set; }
    }

    /// <summary>What `cancel_order` is called with; null for what is left out.</summary>
    [DataContract]
    public sealed class CancelOrderArguments
    {
        [DataMember(Name = "order_id", EmitDefaultValue = false)]
        public int OrderId { get; set; }
    }

    /// <summary>What `similar_products` is called with; null for what is left out.</summary>
    [DataContract]
    public sealed class SimilarProductsArguments
    {
        [DataMember(Name = "product_id", EmitDefaultValue = false)]
        public int ProductId { get; set; }
    }}
