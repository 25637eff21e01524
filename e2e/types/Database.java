// Made by `mainstay types` from the schema; made anew when the schema changes.

import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;

/** Rows of every table. */
public final class Database {
    private Database() {}

    /** A tree of product groups. */
    public record Categories(
        int id,
        String name,
        Integer parent_id) {}

    /** A new row of `categories`; null for what is left out. */
    public record CategoriesInsert(
        int id,
        String name,
        Integer parent_id) {}

    /** One thing that can be bought. */
    public record Products(
        int id,
        String slug,
        String name,
        BigDecimal price,
        Double weight_kg,
        List<String> tags,
        Object attributes,
        boolean available,
        LocalDate added_on,
        OffsetDateTime updated_at) {}

    /** A new row of `products`; null for what is left out. */
    public record ProductsInsert(
        Integer id,
        String slug,
        String name,
        BigDecimal price,
        Double weight_kg,
        List<String> tags,
        Object attributes,
        Boolean available,
        LocalDate added_on,
        OffsetDateTime updated_at) {}

    /** Which product is in which category; lets each embed the other. */
    public record ProductCategories(
        int product_id,
        int category_id) {}

    /** A new row of `product_categories`; null for what is left out. */
    public record ProductCategoriesInsert(
        int product_id,
        int category_id) {}

    /** A row of `customers`. */
    public record Customers(
        int id,
        String email,
        String name,
        String phone,
        OffsetDateTime created_at) {}

    /** A new row of `customers`; null for what is left out. */
    public record CustomersInsert(
        Integer id,
        String email,
        String name,
        String phone,
        OffsetDateTime created_at) {}

    /** At most one row a customer: a one-to-one relation, because the reference is also the key. */
    public record CustomerSettings(
        int customer_id,
        boolean newsletter,
        String language) {}

    /** A new row of `customer_settings`; null for what is left out. */
    public record CustomerSettingsInsert(
        int customer_id,
        Boolean newsletter,
        String language) {}

    /** What a customer bought. */
    public record Orders(
        int id,
        int customer_id,
        Integer gift_for,
        String status,
        String note,
        OffsetDateTime placed_at) {}

    /** A new row of `orders`; null for what is left out. */
    public record OrdersInsert(
        Integer id,
        int customer_id,
        Integer gift_for,
        String status,
        String note,
        OffsetDateTime placed_at) {}

    /** A row of `order_lines`. */
    public record OrderLines(
        int order_id,
        int line,
        int product_id,
        int quantity,
        BigDecimal unit_price) {}

    /** A new row of `order_lines`; null for what is left out. */
    public record OrderLinesInsert(
        int order_id,
        int line,
        int product_id,
        int quantity,
        BigDecimal unit_price) {}

    /** What people say; anybody may write one. */
    public record Reviews(
        UUID id,
        int product_id,
        String author,
        int stars,
        String body,
        OffsetDateTime written_at) {}

    /** A new row of `reviews`; null for what is left out. */
    public record ReviewsInsert(
        UUID id,
        int product_id,
        String author,
        int stars,
        String body,
        OffsetDateTime written_at) {}

    /** Lines and pieces of each order. */
    public record OrderTotals(
        int order_id,
        long lines,
        long pieces) {}

    /** What `best_sellers` is called with; null for what is left out. */
    public record BestSellersArguments(
        LocalDate since,
        Integer most) {}

    /** A row that `best_sellers` gives back. */
    public record BestSellersResult(
        int product_id,
        long pieces,
        BigDecimal turnover) {}

    /** What `cancel_order` is called with; null for what is left out. */
    public record CancelOrderArguments(
        int order_id) {}

    /** What `similar_products` is called with; null for what is left out. */
    public record SimilarProductsArguments(
        int product_id) {}
}
