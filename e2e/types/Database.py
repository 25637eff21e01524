# Made by `mainstay types` from the schema; made anew when the schema changes.

from typing import Any, Literal, NotRequired, TypedDict

# A tree of product groups.
Categories = TypedDict(
    "Categories",
    {
        "id": int,
        "name": str,
        "parent_id": int | None,
    },
)

# A new row of `categories`.
CategoriesInsert = TypedDict(
    "CategoriesInsert",
    {
        "id": int,
        "name": str,
        "parent_id": NotRequired[int | None],
    },
)

# What to change in rows of `categories`.
CategoriesUpdate = TypedDict(
    "CategoriesUpdate",
    {
        "id": NotRequired[int],
        "name": NotRequired[str],
        "parent_id": NotRequired[int | None],
    },
)

# One thing that can be bought.
Products = TypedDict(
    "Products",
    {
        "id": int,
        "slug": str,
        "name": str,
        "price": float,
        "weight_kg": float | None,
        "tags": list[str],
        "attributes": Any,
        "available": bool,
        "added_on": str,
        "updated_at": str,
    },
)

# A new row of `products`.
ProductsInsert = TypedDict(
    "ProductsInsert",
    {
        "id": NotRequired[int],
        "slug": str,
        "name": str,
        "price": float,
        "weight_kg": NotRequired[float | None],
        "tags": NotRequired[list[str]],
        "attributes": NotRequired[Any],
        "available": NotRequired[bool],
        "added_on": str,
        "updated_at": NotRequired[str],
    },
)

# What to change in rows of `products`.
ProductsUpdate = TypedDict(
    "ProductsUpdate",
    {
        "id": NotRequired[int],
        "slug": NotRequired[str],
        "name": NotRequired[str],
        "price": NotRequired[float],
        "weight_kg": NotRequired[float | None],
        "tags": NotRequired[list[str]],
        "attributes": NotRequired[Any],
        "available": NotRequired[bool],
        "added_on": NotRequired[str],
        "updated_at": NotRequired[str],
    },
)

# Which product is in which category; lets each embed the other.
ProductCategories = TypedDict(
    "ProductCategories",
    {
        "product_id": int,
        "category_id": int,
    },
)

# A new row of `product_categories`.
ProductCategoriesInsert = TypedDict(
    "ProductCategoriesInsert",
    {
        "product_id": int,
        "category_id": int,
    },
)

# What to change in rows of `product_categories`.
ProductCategoriesUpdate = TypedDict(
    "ProductCategoriesUpdate",
    {
        "product_id": NotRequired[int],
        "category_id": NotRequired[int],
    },
)

# A row of `customers`.
Customers = TypedDict(
    "Customers",
    {
        "id": int,
        "email": str,
        "name": str,
        "phone": str | None,
        "created_at": str,
    },
)

# A new row of `customers`.
CustomersInsert = TypedDict(
    "CustomersInsert",
    {
        "id": NotRequired[int],
        "email": str,
        "name": str,
        "phone": NotRequired[str | None],
        "created_at": NotRequired[str],
    },
)

# What to change in rows of `customers`.
CustomersUpdate = TypedDict(
    "CustomersUpdate",
    {
        "id": NotRequired[int],
        "email": NotRequired[str],
        "name": NotRequired[str],
        "phone": NotRequired[str | None],
        "created_at": NotRequired[str],
    },
)

# At most one row a customer: a one-to-one relation, because the reference is also the key.
CustomerSettings = TypedDict(
    "CustomerSettings",
    {
        "customer_id": int,
        "newsletter": bool,
        "language": Literal["en", "de", "fr", "ja"],
    },
)

# A new row of `customer_settings`.
CustomerSettingsInsert = TypedDict(
    "CustomerSettingsInsert",
    {
        "customer_id": int,
        "newsletter": NotRequired[bool],
        "language": NotRequired[Literal["en", "de", "fr", "ja"]],
    },
)

# What to change in rows of `customer_settings`.
CustomerSettingsUpdate = TypedDict(
    "CustomerSettingsUpdate",
    {
        "customer_id": NotRequired[int],
        "newsletter": NotRequired[bool],
        "language": NotRequired[Literal["en", "de", "fr", "ja"]],
    },
)

# What a customer bought.
Orders = TypedDict(
    "Orders",
    {
        "id": int,
        "customer_id": int,
        "gift_for": int | None,
        "status": Literal["new", "paid", "shipped", "cancelled"],
        "note": str | None,
        "placed_at": str,
    },
)

# A new row of `orders`.
OrdersInsert = TypedDict(
    "OrdersInsert",
    {
        "id": NotRequired[int],
        "customer_id": int,
        "gift_for": NotRequired[int | None],
        "status": NotRequired[Literal["new", "paid", "shipped", "cancelled"]],
        "note": NotRequired[str | None],
        "placed_at": NotRequired[str],
    },
)

# What to change in rows of `orders`.
OrdersUpdate = TypedDict(
    "OrdersUpdate",
    {
        "id": NotRequired[int],
        "customer_id": NotRequired[int],
        "gift_for": NotRequired[int | None],
        "status": NotRequired[Literal["new", "paid", "shipped", "cancelled"]],
        "note": NotRequired[str | None],
        "placed_at": NotRequired[str],
    },
)

# A row of `order_lines`.
OrderLines = TypedDict(
    "OrderLines",
    {
        "order_id": int,
        "line": int,
        "product_id": int,
        "quantity": int,
        "unit_price": float,
    },
)

# A new row of `order_lines`.
OrderLinesInsert = TypedDict(
    "OrderLinesInsert",
    {
        "order_id": int,
        "line": int,
        "product_id": int,
        "quantity": int,
        "unit_price": float,
    },
)

# What to change in rows of `order_lines`.
OrderLinesUpdate = TypedDict(
    "OrderLinesUpdate",
    {
        "order_id": NotRequired[int],
        "line": NotRequired[int],
        "product_id": NotRequired[int],
        "quantity": NotRequired[int],
        "unit_price": NotRequired[float],
    },
)

# What people say; anybody may write one.
Reviews = TypedDict(
    "Reviews",
    {
        "id": str,
        "product_id": int,
        "author": str,
        "stars": int,
        "body": str | None,
        "written_at": str,
    },
)

# A new row of `reviews`.
ReviewsInsert = TypedDict(
    "ReviewsInsert",
    {
        "id": NotRequired[str],
        "product_id": int,
        "author": str,
        "stars": int,
        "body": NotRequired[str | None],
        "written_at": NotRequired[str],
    },
)

# What to change in rows of `reviews`.
ReviewsUpdate = TypedDict(
    "ReviewsUpdate",
    {
        "id": NotRequired[str],
        "product_id": NotRequired[int],
        "author": NotRequired[str],
        "stars": NotRequired[int],
        "body": NotRequired[str | None],
        "written_at": NotRequired[str],
    },
)

# Lines and pieces of each order.
OrderTotals = TypedDict(
    "OrderTotals",
    {
        "order_id": int,
        "lines": int,
        "pieces": int,
    },
)

# What `best_sellers` is called with.
BestSellersArguments = TypedDict(
    "BestSellersArguments",
    {
        "since": NotRequired[str],
        "most": NotRequired[int],
    },
)

# A row that `best_sellers` gives back.
BestSellersResult = TypedDict(
    "BestSellersResult",
    {
        "product_id": int,
        "pieces": int,
        "turnover": float,
    },
)

# What `cancel_order` is called with.
CancelOrderArguments = TypedDict(
    "CancelOrderArguments",
    {
        "order_id": int,
    },
)

# What `similar_products` is called with.
SimilarProductsArguments = TypedDict(
    "SimilarProductsArguments",
    {
        "product_id": int,
    },
)
