//! What the program says of these servers.

use crate::commands::Words;

/// What the program says of this server.
pub(crate) const WORDS: Words = Words {
    product: "PostgreSQL",
    back_up: "pg_dump",
    restore: "pg_restore",
    statement: "FROM \"notes\" AS t0 WHERE (t0.\"id\"=$1)",
    url: "postgres://somebody:hunter2@127.0.0.1:1/shop?sslmode=disable",
    wrong_mode: ("sslmode=disable", "sslmode=hunter3", "sslmode must be"),
};
