//! `[limits]`.

use std::time::Duration;

use super::Kind;

section! {
    /// What one request may ask. Past a limit a request is refused with the limit's name.
    LimitSettings in "limits" {
        /// Rows in one page; a larger or absent `limit` is cut to this, at the top and in every embed.
        page_rows_max: u64 = Kind::Number(1, 1_000_000), default "1000";
        /// Rows in one insert.
        write_rows_max: usize = Kind::Number(1, 1_000_000), default "10000";
        /// Filters of one request, counted as single comparisons, in trees and in embeds together.
        filters_max: usize = Kind::Number(1, 10_000), default "100";
        /// Elements of one `in` list.
        list_items_max: usize = Kind::Number(1, 100_000), default "10000";
        /// Levels of embeds below the root.
        embed_depth_max: usize = Kind::Number(0, 32), default "8";
        /// Embeds of one request in all.
        embeds_max: usize = Kind::Number(0, 256), default "32";
        /// Nesting of `and(…)` and `or(…)`.
        logic_depth_max: usize = Kind::Number(1, 64), default "16";
        /// Characters of a pattern of `like` or `match`.
        pattern_chars_max: usize = Kind::Number(1, 10_000), default "1024";
        /// Selected members of one level, and order terms of one level.
        items_max: usize = Kind::Number(1, 10_000), default "2048";
        /// Steps of one batch.
        batch_steps_max: usize = Kind::Number(1, 10_000), default "100";
        /// Octets of a body.
        body_bytes_max: u64 = Kind::Number(1, 1 << 30), default "1048576";
        /// Time from the head of a request to the end of its body.
        body_time: Duration = Kind::Seconds(1, 3600), default "60";
        /// Octets of path and query.
        url_bytes_max: usize = Kind::Number(256, 1 << 20), default "16384";
        /// Header fields.
        headers_max: usize = Kind::Number(8, 1000), default "100";
        /// Octets of all header fields together.
        head_bytes_max: usize = Kind::Number(1024, 1 << 20), default "65536";
        /// Octets of one answer to a read.
        response_bytes_max: usize = Kind::Number(1024, 1 << 32), default "67108864";
        /// Time from the end of the body to the answer.
        handler_time: Duration = Kind::Seconds(1, 3600), default "30";
        /// Time to read the rows of an answer that is sent while it is read.
        stream_time: Duration = Kind::Seconds(1, 86_400), default "600";
        /// Rows that one read with the publishable key may look at, as far as the database can tell beforehand; 0 for any
        /// number. A million take it some tenths of a second.
        examined_rows_anon: u64 = Kind::Number(0, 1_000_000_000_000), default "1000000";
        /// The same for whoever is signed in.
        examined_rows_authenticated: u64 = Kind::Number(0, 1_000_000_000_000), default "1000000";
        /// The same with the secret key.
        examined_rows_service: u64 = Kind::Number(0, 1_000_000_000_000), default "0";
        /// Requests that run at once; more are told to come again.
        in_flight_max: usize = Kind::Number(1, 1_000_000), default "4096";
    }
}
