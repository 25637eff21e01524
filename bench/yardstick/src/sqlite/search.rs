//! Words of reviews, by FTS5 as SQLite has it: an index beside the table, with the English stems of its own tokenizer.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use rusqlite::{Connection, params};

/// The first twenty reviews that a search finds; FTS5 gives them in the order of their numbers.
pub(crate) const REVIEWS: &str = "SELECT r.id, r.stars, r.body FROM review_words JOIN reviews r ON r.id = review_words.rowid \
     WHERE review_words MATCH ?1 ORDER BY review_words.rowid LIMIT 20";

const INDEX: &str = "CREATE VIRTUAL TABLE IF NOT EXISTS review_words \
     USING fts5(body, content='reviews', content_rowid='id', tokenize=\"porter unicode61 remove_diacritics 2\")";

const TABLE: &str = "CREATE TABLE reviews (id INTEGER PRIMARY KEY, stars INTEGER NOT NULL \
     CHECK (stars BETWEEN 1 AND 5), body TEXT NOT NULL) STRICT";

/// Rows in one transaction of an import.
const BATCH_ROWS: usize = 50_000;

/// What FTS5 is asked for reviews that have all of these words: each a quoted string, so that none is an operator.
pub(crate) fn all_of(words: &str) -> String {
    let quoted: Vec<String> =
        words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    quoted.join(" ")
}

/// Makes the index of the reviews that are there.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(INDEX)?;
    connection.execute("INSERT INTO review_words (review_words) VALUES ('rebuild')", []).map(drop)
}

/// Loads a CSV file of reviews into a new table with such an index; rows a second.
pub(crate) fn import(connection: &Connection, file: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    connection.execute_batch(&format!("{TABLE}; {INDEX}"))?;
    let mut records = csv::Reader::from_path(file).with_context(|| format!("reading {}", file.display()))?;
    let mut insert = connection.prepare("INSERT INTO reviews (id, stars, body) VALUES (?1, ?2, ?3)")?;
    let mut index = connection
        .prepare("INSERT INTO review_words (rowid, body) SELECT id, body FROM reviews WHERE id BETWEEN ?1 AND ?2")?;
    let mut rows = 0;
    let mut records = records.deserialize().peekable();
    while records.peek().is_some() {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for record in records.by_ref().take(BATCH_ROWS) {
            let (id, stars, body): (i64, i64, String) = record?;
            insert.execute(params![id, stars, body])?;
            (first, last) = (first.min(id), last.max(id));
            rows += 1;
        }
        index.execute([first, last])?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(f64::from(rows) / began.elapsed().as_secs_f64())
}
