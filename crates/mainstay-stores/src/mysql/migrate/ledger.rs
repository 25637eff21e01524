//! Which migrations were carried out, and which statements of one that is half done.
//!
//! Each statement that changes tables is written down before it runs, with what the tables were then, and again when it
//! has run. So whoever comes after a process that was killed knows whether it happened: a statement happens whole or not
//! at all, and if the tables are other ones than before, it did. Statements that change rows are written down in the
//! transaction that they run in.

use std::time::Duration;

use mainstay_store::{Migrated, Migration, StoreError};
use sha2::{Digest, Sha256};

use super::statements::statements;
use crate::mysql::errors::Failure;
use crate::mysql::proof;
use crate::mysql::render::ddl::Shape;
use crate::mysql::session::{Access, Isolation, Session};
use crate::mysql::types::Param;

/// What Mainstay keeps for itself: the migrations, and the statements of one that is not through.
const PREPARE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS `_mainstay_migrations` (\n  \
       `position` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  `name` VARCHAR(255) NOT NULL UNIQUE,\n  \
       `applied_at` DATETIME NOT NULL,\n  `sql` LONGTEXT NOT NULL,\n  `schema` LONGTEXT NOT NULL\n\
     ) ENGINE=InnoDB CHARACTER SET utf8mb4",
    "CREATE TABLE IF NOT EXISTS `_mainstay_migration_steps` (\n  \
       `position` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  `statement` LONGTEXT NOT NULL,\n  \
       `tables_before` CHAR(64) NOT NULL,\n  `is_done` TINYINT(1) NOT NULL\n\
     ) ENGINE=InnoDB CHARACTER SET utf8mb4",
];

/// Name of the lock that one migration holds, for each database of the server one.
const LOCK: &str = "CONCAT('mainstay ', LEFT(SHA2(DATABASE(), 256), 40))";
/// How long one migration waits for another, in seconds.
const LOCK_WAIT_S: i64 = 60;
/// How long a statement waits for a table that others use, as [`super::SETTINGS`] say, in seconds; and then until it is
/// tried again.
const TABLE_WAIT_S: u64 = 2;
/// How often it is tried.
const TRIES_MAX: u32 = 5;
/// `ER_LOCK_WAIT_TIMEOUT`: others used the table all the time.
const IN_USE: u16 = 1205;
/// `ER_ALTER_OPERATION_NOT_SUPPORTED` and the same with a reason: what was asked for cannot be done so.
const NOT_SO: [u16; 2] = [1845, 1846];
/// Rows up to which a table is copied without being asked: with so few nobody notices.
const COPIED_ROWS_MAX: i64 = 100_000;
/// The line of a migration file that lets it copy any table.
const COPIES_ALLOWED: &str = "-- copies: allowed";

/// Makes what Mainstay keeps for itself where it is missing.
///
/// # Errors
/// As the server says.
pub async fn prepare(session: &mut Session) -> Result<(), Failure> {
    for statement in PREPARE {
        session.batch_execute(statement).await?;
    }
    // A project without files has the internal tables and nothing else.
    let schema = mainstay_schema::load::load(&[]).unwrap_or_default();
    for table in schema.tables().iter().filter(|table| table.internal) {
        // Unless it is there, as is said of all that is ours alone.
        session.batch_execute(&Shape::of(&schema, table).create(&table.name, |_| false)).await?;
    }
    Ok(())
}

/// The migrations that were applied, oldest first.
///
/// # Errors
/// As the server says.
pub async fn applied(session: &mut Session) -> Result<Vec<Migrated>, Failure> {
    let is_there = "SELECT COUNT(*) FROM information_schema.tables \
                    WHERE table_schema = DATABASE() AND table_name = '_mainstay_migrations'";
    if number(session, is_there).await? == 0 {
        return Ok(Vec::new());
    }
    let list = "SELECT `name`, DATE_FORMAT(`applied_at`, '%Y-%m-%dT%H:%i:%S+00:00'), `sql`, `schema` \
                FROM `_mainstay_migrations` ORDER BY `position`";
    let rows = session.query_all(list, &[]).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let (name, applied_at, sql, schema) = mysql_async::from_row(row);
            Migrated { name, applied_at, sql, schema }
        })
        .collect())
}

/// Carries out a migration, statement by statement, and remembers it. What an earlier try has done of it is not done
/// again.
///
/// # Errors
/// [`StoreError::Migration`] if a statement is refused; those before it stay done.
pub async fn apply(session: &mut Session, migration: &Migration) -> Result<(), StoreError> {
    prepare(session).await?;
    let locked = number_of(session, &format!("SELECT GET_LOCK({LOCK}, ?)"), &[Param::Int(LOCK_WAIT_S)]).await?;
    if locked != 1 {
        return Err(failed("another migration of this database is running".to_owned()));
    }
    let settings = session.server().settings(false);
    let done = match session.batch_execute(super::SETTINGS).await {
        Ok(()) => {
            Run { session, may_copy: migration.sql.lines().any(|line| line.trim() == COPIES_ALLOWED) }
                .all(migration)
                .await
        }
        Err(failure) => Err(failure.into()),
    };
    // Whoever gets this connection next is told what every connection is told. If it is gone, so is the lock.
    let _ = session.batch_execute(&settings).await;
    let _ = session.query_all(&format!("SELECT RELEASE_LOCK({LOCK})"), &[]).await;
    done
}

fn failed(message: String) -> StoreError {
    StoreError::Migration { message }
}

/// A statement of a migration that is not through.
struct Begun {
    position: i64,
    statement: String,
    tables_before: String,
    is_done: bool,
}

/// One migration under way.
struct Run<'s> {
    session: &'s mut Session,
    may_copy: bool,
}

impl Run<'_> {
    async fn all(&mut self, migration: &Migration) -> Result<(), StoreError> {
        let statements = statements(&migration.sql);
        let mut done = self.begun(&statements).await?;
        let mut count = 0;
        for (at, statement) in statements.iter().enumerate() {
            if let Some(place) = done.iter().position(|other| other == statement) {
                done.swap_remove(place);
                count += 1;
                continue;
            }
            if let Err(message) = self.step(statement).await? {
                let mut message = format!("statement {} of {}: {message}", at + 1, statements.len());
                if count > 0 {
                    message.push_str(&format!(
                        "; of the others {count} are done, and will not be done again when the migration is run again"
                    ));
                }
                return Err(failed(message));
            }
            count += 1;
        }
        self.session.begin(Access::Write, Isolation::ReadCommitted).await?;
        let record = "INSERT INTO `_mainstay_migrations` (`name`, `applied_at`, `sql`, `schema`) \
                      VALUES (?, UTC_TIMESTAMP(), ?, ?)";
        let values = [Param::Text(&migration.name), Param::Text(&migration.sql), Param::Text(&migration.schema)];
        self.session.execute(record, &values).await.map_err(|failure| failed(failure.told()))?;
        self.session.execute("DELETE FROM `_mainstay_migration_steps`", &[]).await?;
        self.session.commit().await?;
        Ok(())
    }

    /// The statements that an earlier try has done; refused if this migration does not have them.
    async fn begun(&mut self, statements: &[String]) -> Result<Vec<String>, StoreError> {
        let list = "SELECT `position`, `statement`, `tables_before`, `is_done` \
                    FROM `_mainstay_migration_steps` ORDER BY `position`";
        let mut done = Vec::new();
        for row in self.session.query_all(list, &[]).await? {
            let (position, statement, tables_before, is_done) = mysql_async::from_row(row);
            let begun = Begun { position, statement, tables_before, is_done };
            if begun.is_done || self.has_happened(&begun).await? {
                done.push(begun.statement);
            }
        }
        let mut left = statements.to_vec();
        for statement in &done {
            match left.iter().position(|other| other == statement) {
                Some(place) => drop(left.swap_remove(place)),
                None => {
                    return Err(failed(format!(
                        "an earlier migration stopped half way, and this one does not go on from there: it has done \
                         `{}`. Have the schema say again what it said then and migrate, or undo that statement by \
                         hand and delete it from _mainstay_migration_steps",
                        shortened(statement)
                    )));
                }
            }
        }
        Ok(done)
    }

    /// Whether a statement happened whose end nobody saw.
    async fn has_happened(&mut self, begun: &Begun) -> Result<bool, StoreError> {
        let has_happened = self.fingerprint().await? != begun.tables_before;
        let mark = match has_happened {
            true => "UPDATE `_mainstay_migration_steps` SET `is_done` = 1 WHERE `position` = ?",
            false => "DELETE FROM `_mainstay_migration_steps` WHERE `position` = ?",
        };
        self.session.execute(mark, &[Param::Int(begun.position)]).await?;
        Ok(has_happened)
    }

    /// Runs one statement; the inner error is why the server would not.
    async fn step(&mut self, statement: &str) -> Result<Result<(), String>, StoreError> {
        if let Err(refusal) = self.may_copy(statement).await? {
            return Ok(Err(refusal));
        }
        match is_of_rows(statement) {
            true => self.rows_step(statement).await,
            false => self.tables_step(statement).await,
        }
    }

    /// Changes rows, and writes that down in the same transaction.
    async fn rows_step(&mut self, statement: &str) -> Result<Result<(), String>, StoreError> {
        self.session.begin(Access::Write, Isolation::ReadCommitted).await?;
        let run = async {
            self.session.batch_execute(statement).await?;
            self.note(statement, "", true).await?;
            self.session.commit().await
        };
        match run.await {
            Ok(()) => Ok(Ok(())),
            Err(failure) => {
                let told = told(failure);
                let _ = self.session.rollback().await;
                told
            }
        }
    }

    async fn tables_step(&mut self, statement: &str) -> Result<Result<(), String>, StoreError> {
        let before = self.fingerprint().await?;
        self.note(statement, &before, false).await?;
        let mut tries = 0;
        let failure = loop {
            tries += 1;
            match self.session.batch_execute(statement).await {
                Ok(()) => {
                    self.session.execute("UPDATE `_mainstay_migration_steps` SET `is_done` = 1", &[]).await?;
                    return Ok(Ok(()));
                }
                Err(failure) if failure.code() == Some(IN_USE) && tries < TRIES_MAX => {
                    tokio::time::sleep(Duration::from_secs(TABLE_WAIT_S)).await;
                }
                Err(failure) => break failure,
            }
        };
        let code = failure.code();
        let told = told(failure)?;
        // It has not happened: nothing is left to find out.
        self.session.execute("DELETE FROM `_mainstay_migration_steps` WHERE `is_done` = 0", &[]).await?;
        Ok(told.map_err(|message| match code {
            Some(IN_USE) => format!(
                "{message}: others used the table whenever it was tried, {TRIES_MAX} times for {TABLE_WAIT_S} s"
            ),
            Some(code) if NOT_SO.contains(&code) => format!(
                "{message}. The table would be copied while nobody can write to it: where that may be, write \
                 ALGORITHM=COPY into the statement of the migration file"
            ),
            _ => message,
        }))
    }

    async fn note(&mut self, statement: &str, before: &str, is_done: bool) -> Result<(), Failure> {
        let note = "INSERT INTO `_mainstay_migration_steps` (`statement`, `tables_before`, `is_done`) VALUES (?, ?, ?)";
        let values = [Param::Text(statement), Param::Text(before), Param::Int(i64::from(is_done))];
        self.session.execute(note, &values).await.map(drop)
    }

    /// What the tables are, in so many hexadecimal digits.
    async fn fingerprint(&mut self) -> Result<String, StoreError> {
        let mut hash = Sha256::new();
        for ((table, part), how) in proof::described(self.session, None).await? {
            for text in [table, part, how] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
        }
        Ok(hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect())
    }

    /// Whether a statement that works on every row of a table may do so: where there are few, or the file says it.
    async fn may_copy(&mut self, statement: &str) -> Result<Result<(), String>, StoreError> {
        let Some(table) = copied_table(statement).filter(|_| !self.may_copy) else { return Ok(Ok(())) };
        let about = "SELECT CAST(COALESCE(MAX(table_rows), 0) AS SIGNED) FROM information_schema.tables \
                     WHERE table_schema = DATABASE() AND table_name = ?";
        let rows = number_of(self.session, about, &[Param::Text(&table)]).await?;
        Ok(if rows <= COPIED_ROWS_MAX {
            Ok(())
        } else {
            Err(format!(
                "this works on every row of {table}, of which there are about {rows}, and nobody can write to them \
                 meanwhile. Where that may be, add the line `{COPIES_ALLOWED}` to the migration file"
            ))
        })
    }
}

/// What a server said to a statement, or that it said nothing.
fn told(failure: Failure) -> Result<Result<(), String>, StoreError> {
    if failure.server().is_some() { Ok(Err(failure.told())) } else { Err(failure.into()) }
}

/// Whether a statement changes rows, and so can be undone by the transaction that it is in.
fn is_of_rows(statement: &str) -> bool {
    let word: String = statement.chars().take_while(char::is_ascii_alphabetic).collect();
    ["UPDATE", "INSERT", "DELETE", "REPLACE", "SELECT", "WITH"].iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// The table whose rows a statement of ours works on, all of them.
fn copied_table(statement: &str) -> Option<String> {
    let rest = match statement.strip_prefix("UPDATE `") {
        Some(rest) => rest,
        None => statement.strip_prefix("ALTER TABLE `").filter(|_| statement.contains("ALGORITHM=COPY"))?,
    };
    let mut name = String::new();
    let mut letters = rest.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '`' if letters.peek() == Some(&'`') => drop(letters.next()),
            '`' => return Some(name),
            _ => {}
        }
        name.push(c);
    }
    None
}

fn shortened(statement: &str) -> String {
    const CHARS_MAX: usize = 200;
    let words: Vec<&str> = statement.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

async fn number(session: &mut Session, sql: &str) -> Result<i64, Failure> {
    number_of(session, sql, &[]).await
}

async fn number_of(session: &mut Session, sql: &str, params: &[Param<'_>]) -> Result<i64, Failure> {
    let rows = session.query_all(sql, params).await?;
    Ok(rows.into_iter().next().and_then(|mut row| row.take::<Option<i64>, _>(0)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_work_on_all_rows_are_seen() {
        for (statement, expected) in [
            ("UPDATE `a``b` SET `c` = 1", Some("a`b")),
            ("ALTER TABLE `t` MODIFY COLUMN `a` INT, ALGORITHM=COPY", Some("t")),
            ("ALTER TABLE `t` MODIFY COLUMN `a` INT, LOCK=NONE", None),
            ("CREATE TABLE `t` (a INT)", None),
            ("UPDATE `open", None),
        ] {
            assert_eq!(copied_table(statement).as_deref(), expected, "{statement}");
        }
    }

    #[test]
    fn statements_of_rows_are_told_apart() {
        for (statement, expected) in [
            ("UPDATE a SET b = 1", true),
            ("insert into a values (1)", true),
            ("INSERTED", false),
            ("ALTER TABLE a ADD b INT", false),
            ("SET @a = 1", false),
        ] {
            assert_eq!(is_of_rows(statement), expected, "{statement}");
        }
    }
}
