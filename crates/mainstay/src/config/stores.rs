//! `[stores.main]`.

use std::path::{Path, PathBuf};

use super::value::FromValue;
use super::{Kind, Value};

section! {
    /// Where rows are kept.
    StoreSettings in "stores.main" {
        /// The database. A path in the URL is relative to the project folder.
        url: StoreUrl = Kind::Form { expected: EXPECTED, check: |text| StoreUrl::parse(text).map(drop) },
            default "sqlite:.mainstay/main.db", env ["DATABASE_URL"];
        /// Serves the tables that another program made in the file, as they are: no schema files, no migrations, and
        /// nothing is changed in the file but by requests.
        introspect: bool = Kind::Flag, default "false";
        /// When a write is acknowledged: `full` after it is on the disk, `normal` when it would survive a crash of the
        /// program but perhaps not a power cut.
        synchronous: String = Kind::Choice(&["full", "normal"]), default "full";
        /// Threads that read, each with a connection of its own; 0 for one per core, at least two.
        readers: usize = Kind::Number(0, 256), default "0";
        /// Threads besides them that read answers which are sent while they are read, each with a connection of its own.
        streamers: usize = Kind::Number(1, 256), default "4";
        /// Page cache of each connection, in KiB.
        cache_kib: u32 = Kind::Number(64, 1_048_576), default "8192";
        /// Requests that may wait for the database, reads and writes each; one more is answered with 503.
        queue_max: usize = Kind::Number(1, 1_000_000), default "4096";
    }
}

const EXPECTED: &str = "sqlite: and the path of the file, as in sqlite:.mainstay/main.db";

/// Which database, and where. This version has one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrl {
    path: PathBuf,
}

impl StoreUrl {
    /// Reads `sqlite:PATH` or `sqlite://PATH`.
    ///
    /// # Errors
    /// What is wrong, to follow the name of the setting. It never repeats the text: that may hold a password.
    pub fn parse(text: &str) -> Result<StoreUrl, String> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        match scheme {
            Some("sqlite") => {}
            Some(other) if other.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') => {
                return Err(format!("names a {other} database, but this build serves sqlite only"));
            }
            _ => return Err("has no scheme".to_owned()),
        }
        let rest = &text["sqlite:".len()..];
        let path = rest.strip_prefix("//").unwrap_or(rest);
        match path {
            "" => Err("names no file".to_owned()),
            ":memory:" => Err("would keep the rows in memory only".to_owned()),
            _ if path.contains('?') => Err("has parameters after the path, which mean nothing here".to_owned()),
            _ => Ok(StoreUrl { path: path.into() }),
        }
    }

    /// The database file of the project in `folder`.
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.path)
    }
}

impl FromValue for StoreUrl {
    fn from_value(value: Option<Value>) -> StoreUrl {
        StoreUrl::parse(&String::from_value(value)).expect("the kind has checked it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_sqlite_give_the_file() {
        for (text, expected) in [
            ("sqlite:shop.db", "/p/shop.db"),
            ("sqlite://data/shop.db", "/p/data/shop.db"),
            ("sqlite:/var/shop.db", "/var/shop.db"),
            ("sqlite:///var/shop.db", "/var/shop.db"),
        ] {
            assert_eq!(StoreUrl::parse(text).unwrap().path(Path::new("/p")), Path::new(expected), "{text}");
        }
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for (text, expected) in [
            ("postgres://u:hunter2@h/d", "names a postgres database, but this build serves sqlite only"),
            ("shop.db", "has no scheme"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "would keep the rows in memory only"),
            ("sqlite:a.db?mode=ro", "has parameters after the path, which mean nothing here"),
        ] {
            assert_eq!(StoreUrl::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
