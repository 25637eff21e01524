<?php

// Made by `mainstay types` from the schema; made anew when the schema changes.

declare(strict_types=1);

namespace Database;

/** A tree of product groups. */
final readonly class Categories
{
    public function __construct(
        public int $id,
        public string $name,
        public ?int $parent_id,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
            name: $row['name'],
            parent_id: $row['parent_id'],
        );
    }
}

/** A new row of `categories`. */
final readonly class CategoriesInsert
{
    public function __construct(
        public int $id,
        public string $name,
        public ?int $parent_id = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'id' => $this->id,
            'name' => $this->name,
            'parent_id' => $this->parent_id,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** One thing that can be bought. */
final readonly class Products
{
    public function __construct(
        public int $id,
        public string $slug,
        public string $name,
        public float $price,
        public ?float $weight_kg,
        public array $tags,
        public mixed $attributes,
        public bool $available,
        public string $added_on,
        public string $updated_at,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
            slug: $row['slug'],
            name: $row['name'],
            price: (float) $row['price'],
            weight_kg: $row['weight_kg'] === null ? null : (float) $row['weight_kg'],
            tags: $row['tags'],
            attributes: $row['attributes'],
            available: $row['available'],
            added_on: $row['added_on'],
            updated_at: $row['updated_at'],
        );
    }
}

/** A new row of `products`. */
final readonly class ProductsInsert
{
    public function __construct(
        public string $slug,
        public string $name,
        public float $price,
        public string $added_on,
        public ?int $id = null,
        public ?float $weight_kg = null,
        public ?array $tags = null,
        public mixed $attributes = null,
        public ?bool $available = null,
        public ?string $updated_at = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'slug' => $this->slug,
            'name' => $this->name,
            'price' => $this->price,
            'added_on' => $this->added_on,
            'id' => $this->id,
            'weight_kg' => $this->weight_kg,
            'tags' => $this->tags,
            'attributes' => $this->attributes,
            'available' => $this->available,
            'updated_at' => $this->updated_at,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** Which product is in which category; lets each embed the other. */
final readonly class ProductCategories
{
    public function __construct(
        public int $product_id,
        public int $category_id,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            product_id: $row['product_id'],
            category_id: $row['category_id'],
        );
    }
}

/** A new row of `product_categories`. */
final readonly class ProductCategoriesInsert
{
    public function __construct(
        public int $product_id,
        public int $category_id,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'product_id' => $this->product_id,
            'category_id' => $this->category_id,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** A row of `customers`. */
final readonly class Customers
{
    public function __construct(
        public int $id,
        public string $email,
        public string $name,
        public ?string $phone,
        public string $created_at,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
            email: $row['email'],
            name: $row['name'],
            phone: $row['phone'],
            created_at: $row['created_at'],
        );
    }
}

/** A new row of `customers`. */
final readonly class CustomersInsert
{
    public function __construct(
        public string $email,
        public string $name,
        public ?int $id = null,
        public ?string $phone = null,
        public ?string $created_at = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'email' => $this->email,
            'name' => $this->name,
            'id' => $this->id,
            'phone' => $this->phone,
            'created_at' => $this->created_at,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** At most one row a customer: a one-to-one relation, because the reference is also the key. */
final readonly class CustomerSettings
{
    public function __construct(
        public int $customer_id,
        public bool $newsletter,
        public string $language,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            customer_id: $row['customer_id'],
            newsletter: $row['newsletter'],
            language: $row['language'],
        );
    }
}

/** A new row of `customer_settings`. */
final readonly class CustomerSettingsInsert
{
    public function __construct(
        public int $customer_id,
        public ?bool $newsletter = null,
        public ?string $language = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'customer_id' => $this->customer_id,
            'newsletter' => $this->newsletter,
            'language' => $this->language,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** What a customer bought. */
final readonly class Orders
{
    public function __construct(
        public int $id,
        public int $customer_id,
        public ?int $gift_for,
        public string $status,
        public ?string $note,
        public string $placed_at,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
            customer_id: $row['customer_id'],
            gift_for: $row['gift_for'],
            status: $row['status'],
            note: $row['note'],
            placed_at: $row['placed_at'],
        );
    }
}

/** A new row of `orders`. */
final readonly class OrdersInsert
{
    public function __construct(
        public int $customer_id,
        public ?int $id = null,
        public ?int $gift_for = null,
        public ?string $status = null,
        public ?string $note = null,
        public ?string $placed_at = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'customer_id' => $this->customer_id,
            'id' => $this->id,
            'gift_for' => $this->gift_for,
            'status' => $this->status,
            'note' => $this->note,
            'placed_at' => $this->placed_at,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** A row of `order_lines`. */
final readonly class OrderLines
{
    public function __construct(
        public int $order_id,
        public int $line,
        public int $product_id,
        public int $quantity,
        public float $unit_price,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            order_id: $row['order_id'],
            line: $row['line'],
            product_id: $row['product_id'],
            quantity: $row['quantity'],
            unit_price: (float) $row['unit_price'],
        );
    }
}

/** A new row of `order_lines`. */
final readonly class OrderLinesInsert
{
    public function __construct(
        public int $order_id,
        public int $line,
        public int $product_id,
        public int $quantity,
        public float $unit_price,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'order_id' => $this->order_id,
            'line' => $this->line,
            'product_id' => $this->product_id,
            'quantity' => $this->quantity,
            'unit_price' => $this->unit_price,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** What people say; anybody may write one. */
final readonly class Reviews
{
    public function __construct(
        public string $id,
        public int $product_id,
        public string $author,
        public int $stars,
        public ?string $body,
        public string $written_at,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
            product_id: $row['product_id'],
            author: $row['author'],
            stars: $row['stars'],
            body: $row['body'],
            written_at: $row['written_at'],
        );
    }
}

/** A new row of `reviews`. */
final readonly class ReviewsInsert
{
    public function __construct(
        public int $product_id,
        public string $author,
        public int $stars,
        public ?string $id = null,
        public ?string $body = null,
        public ?string $written_at = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'product_id' => $this->product_id,
            'author' => $this->author,
            'stars' => $this->stars,
            'id' => $this->id,
            'body' => $this->body,
            'written_at' => $this->written_at,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** Lines and pieces of each order. */
final readonly class OrderTotals
{
    public function __construct(
        public int $order_id,
        public int $lines,
        public int $pieces,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            order_id: $row['order_id'],
            lines: $row['lines'],
            pieces: $row['pieces'],
        );
    }
}

/** What `best_sellers` is called with. */
final readonly class BestSellersArguments
{
    public function __construct(
        public ?string $since = null,
        public ?int $most = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'since' => $this->since,
            'most' => $this->most,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** A row that `best_sellers` gives back. */
final readonly class BestSellersResult
{
    public function __construct(
        public int $product_id,
        public int $pieces,
        public float $turnover,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            product_id: $row['product_id'],
            pieces: $row['pieces'],
            turnover: (float) $row['turnover'],
        );
    }
}

/** What `cancel_order` is called with. */
final readonly class CancelOrderArguments
{
    public function __construct(
        public int $order_id,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'order_id' => $this->order_id,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** What `similar_products` is called with. */
final readonly class SimilarProductsArguments
{
    public function __construct(
        public int $product_id,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'product_id' => $this->product_id,
        ], fn (mixed $value): bool => $value !== null);
    }
}
