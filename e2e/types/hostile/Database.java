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

    /** * / ? > &lt;% " ''' ⧵ ${x} #{y} */
    public record MyOrders(
        /* "class" */ int class_,
        /* "first word" */ String first_word,
        /* "first_word" */ String first_word2,
        /* "größe" */ BigDecimal gr__e,
        Object self,
        List<Integer> def,
        OffsetDateTime record,
        /* "ISBN$" */ String ISBN_) {}

    /** A new row of `my orders`; null for what is left out. */
    public record MyOrdersInsert(
        /* "class" */ int class_,
        /* "first word" */ String first_word,
        /* "first_word" */ String first_word2,
        /* "größe" */ BigDecimal gr__e,
        Object self,
        List<Integer> def,
        OffsetDateTime record,
        /* "ISBN$" */ String ISBN_) {}

    /** A row of `my_orders`. */
    public record MyOrders2(
        int id) {}

    /** A new row of `my_orders`; null for what is left out. */
    public record MyOrders2Insert(
        int id) {}

    /** A row of `class`. */
    public record ClassRow(
        UUID id,
        Integer type) {}

    /** A new row of `class`; null for what is left out. */
    public record ClassRowInsert(
        UUID id,
        Integer type) {}
}
