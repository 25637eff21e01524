//! `[log]`.

use super::Kind;

section! {
    /// What is written to the log, on stderr.
    LogSettings in "log" {
        /// The least level that is written (`error`, `warn`, `info`, `debug`, `trace`), or filters such as
        /// `info,mainstay_engine=debug`.
        level: String = Kind::Text, default "info", env ["LOG_LEVEL", "RUST_LOG"];
        /// `text` for people, `json` for programs, `auto` for text on a terminal and JSON elsewhere.
        format: String = Kind::Choice(&["auto", "text", "json"]), default "auto";
    }
}
