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

    /** A new row of {@code categories}; null for what is left out. */
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

    /** A new row of {@code products}; null for what is left out. */
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

    /** A new row of {@code product_categories}; null for what is left out. */
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

    /** A new row of {@code customers}; null for what is left out. */
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

    /** A new row of {@code customer_settings}; null for what is left out. */
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

    /** A new row of {@code orders}; null for what is left out. */
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

    /** A new row of {@code order_lines}; null for what is left out. */
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

    /** A new row of {@code reviews}; null for what is left out. */
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
}
