//! What the program says of these servers.

use crate::commands::Words;

/// What the program says of these servers.
pub(crate) const WORDS: Words = Words {
    product: "MySQL or MariaDB",
    back_up: "mariadb-dump",
    restore: "mysql",
    statement: "FROM `notes`",
    url: "mysql://somebody:hunter2@127.0.0.1:1/shop?ssl-mode=disabled",
    wrong_mode: ("ssl-mode=disabled", "ssl-mode=hunter3", "ssl-mode must be"),
};
