//! `[log]`.

use super::Kind;

section! {
    /// What is written to the log, on stderr.
    LogSettings in "log" {
        /// The least level that is written (`error`, `warn`, `info`, `debug`, `trace`), or filters such as
        /// `info,mainstay_engine=debug`.
        level: String = Kind::Form { expected: EXPECTED, check },
            default "info", env ["LOG_LEVEL", "RUST_LOG"];
        /// `text` for people, `json` for programs, `auto` for text on a terminal and JSON elsewhere.
        format: String = Kind::Choice(&["auto", "text", "json"]), default "auto";
        /// What takes the database this many milliseconds is a slow statement: it is logged, counted by what such statements
        /// have in common, and heeded by `mainstay advise`; 0 for none.
        slow_ms: u64 = Kind::Number(0, 3_600_000), default "500";
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

const EXPECTED: &str = "a level (off, error, warn, info, debug, trace), or a level and exceptions from it, as in info,mainstay_engine=debug";

/// Stricter than the filter itself, which takes any misspelt level for the name of a module.
fn check(text: &str) -> Result<(), String> {
    for part in text.split(',') {
        let (module, level) = part.split_once('=').map_or((None, part), |(module, level)| (Some(module), level));
        let is_module = module.is_none_or(|module| {
            !module.is_empty() && module.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        });
        if !is_module || !LEVELS.contains(&level.trim().to_ascii_lowercase().as_str()) {
            return Err(format!("has the part {part:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for text in ["info", "INFO", "warn,mainstay_http=debug", "off,tower::buffer=trace"] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in ["", "inof", "info,", "a=loud", "=info", "a b=info"] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
