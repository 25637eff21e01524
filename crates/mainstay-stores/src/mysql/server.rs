//! Which server it is, asked of the server itself: MySQL and MariaDB speak one protocol and two languages.

use super::errors::Failure;

/// A server's kind and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Whose it is.
    pub flavor: Flavor,
    /// Its version: major, minor, patch.
    pub version: (u16, u16, u16),
    /// How far the numbers of consecutive rows are apart, more than one where several servers number the same rows.
    pub step: u32,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Oracle's MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
}

/// The oldest MariaDB that has all that is used here: `JSON_TABLE` and the uuid-free forms of 10.11, the long-term
/// release before 11.4.
const MARIADB_MIN: (u16, u16, u16) = (10, 11, 0);
/// The oldest MySQL: window functions, `JSON_TABLE` and collations without padding came with 8.0, which has ended.
const MYSQL_MIN: (u16, u16, u16) = (8, 4, 0);

impl Server {
    /// Reads what `VERSION()` says: `9.7.4`, `10.11.19-MariaDB-0+deb12u1-log`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] for a server that is too old.
    pub(super) fn of(text: &str, step: u32) -> Result<Server, Failure> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        let version = (next(), next(), next());
        let flavor = if text.contains("MariaDB") { Flavor::Mariadb } else { Flavor::Mysql };
        let least = if flavor == Flavor::Mariadb { MARIADB_MIN } else { MYSQL_MIN };
        if version < least {
            let words = "the server is too old: MySQL 8.4 and MariaDB 10.11 are the oldest that are served";
            return Err(Failure::Unavailable(words.into()));
        }
        Ok(Server { flavor, version, step: step.max(1) })
    }

    /// Whether it is MariaDB.
    pub fn is_mariadb(self) -> bool {
        self.flavor == Flavor::Mariadb
    }

    /// The collation of text that compares by code point, trailing blanks included.
    pub fn text_collation(self) -> &'static str {
        match self.flavor {
            Flavor::Mysql => "utf8mb4_0900_bin",
            Flavor::Mariadb => "utf8mb4_nopad_bin",
        }
    }

    /// What every connection is told before its first statement, in one statement, whatever the server or the user
    /// have by default: those settings on which the meaning of statements and the form of values depend.
    pub(super) fn settings(self, divides_as_configured: bool) -> String {
        let isolation = match self.flavor {
            Flavor::Mysql => "transaction_isolation",
            Flavor::Mariadb => "tx_isolation",
        };
        let digits = if divides_as_configured { SHORT_DIVISIONS } else { LONG_DIVISIONS };
        format!(
            "SET NAMES utf8mb4 COLLATE utf8mb4_bin, time_zone='+00:00', {isolation}='READ-COMMITTED', autocommit=1, \
             foreign_key_checks=1, unique_checks=1, innodb_lock_wait_timeout=5, lock_wait_timeout=30, \
             group_concat_max_len=1073741824, {digits}, max_sort_length={SORT_OCTETS}, \
             sql_mode='{MODE}'",
        )
    }
}

/// More digits after the point than are ever shown, so that means are exact.
pub(super) const LONG_DIVISIONS: &str = "div_precision_increment=30";

/// As many as the server is told to give everybody.
pub(super) const SHORT_DIVISIONS: &str = "div_precision_increment=DEFAULT";

/// The words that have a session read SQL as the standard does, in which the functions of projects are written: double
/// quotes for names, `||` for joining texts.
pub(super) fn standard_mode() -> String {
    format!("sql_mode='ANSI_QUOTES,PIPES_AS_CONCAT,{MODE}'")
}

/// The words that end that.
pub(super) fn plain_mode() -> String {
    format!("sql_mode='{MODE}'")
}

/// Octets of a text that its order is decided by; servers look at 1,024 only unless they are told.
const SORT_OCTETS: u32 = 65_536;

/// Wrong values are errors and not warnings, a backslash in a literal is a backslash, and an engine that is missing is
/// not replaced. Identifiers stand in backticks.
const MODE: &str = "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,\
                    NO_BACKSLASH_ESCAPES,NO_AUTO_VALUE_ON_ZERO,NO_UNSIGNED_SUBTRACTION";

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor, patch) = self.version;
        let name = if self.is_mariadb() { "MariaDB" } else { "MySQL" };
        write!(f, "{name} {major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_tell_what_they_are() {
        for (text, flavor, version) in [
            ("9.7.4", Flavor::Mysql, (9, 7, 4)),
            ("8.4.6-debug", Flavor::Mysql, (8, 4, 6)),
            ("10.11.19-MariaDB-0+deb12u1-log", Flavor::Mariadb, (10, 11, 19)),
            ("11.8.9-MariaDB", Flavor::Mariadb, (11, 8, 9)),
        ] {
            assert_eq!(Server::of(text, 1).expect(text), Server { flavor, version, step: 1 }, "{text}");
        }
        for text in ["5.7.44", "8.0.36", "10.6.2-MariaDB", ""] {
            assert!(Server::of(text, 1).is_err(), "{text}");
        }
    }
}
