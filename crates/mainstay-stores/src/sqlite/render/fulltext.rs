//! Full-text indexes: an FTS5 table that holds the words of each row as [`mainstay_query::evaluate::words`] gives them,
//! and a list of the rows whose words are due.
//!
//! Triggers note which rows change, whoever changes them. FTS5 is slow with single rows, because it writes out what it
//! holds back before each statement that may be undone; so the writer brings all that is due before it commits, and a
//! search looks at the rows on the list itself. A search is exact at any time, also in the midst of a transaction and
//! after another program wrote to the file.

use mainstay_schema::{FullText, Table};

use super::super::functions;
use super::ddl::{self, quoted};

/// Beginning of the names of all that belongs to full-text indexes.
pub(in crate::sqlite) const PREFIX: &str = "_mainstay_fts.";

/// The objects of one index, by their quoted names. No name in a schema holds a dot, so none of these is another's.
pub(in crate::sqlite) struct Names {
    /// The table of words.
    pub(in crate::sqlite) words: String,
    /// The rows that are due.
    pub(in crate::sqlite) due: String,
    /// The triggers.
    triggers: [String; 3],
}

impl Names {
    pub(in crate::sqlite) fn new(table: &Table, index: &FullText) -> Names {
        let name = |end: &str| quoted(&format!("{PREFIX}{}.{}.{end}", table.name, index.name));
        Names { words: name("words"), due: name("due"), triggers: ["insert", "update", "delete"].map(name) }
    }
}

/// What SQLite calls the number of a row of this table, quoted where it is a column.
pub(in crate::sqlite) fn row_number(table: &Table) -> String {
    if let Some(column) = table.columns.iter().find(|column| ddl::is_row_number(table, column)) {
        return quoted(&column.name);
    }
    let is_free = |word: &&&str| table.columns.iter().all(|column| !column.name.eq_ignore_ascii_case(word));
    // Schemas with an index and fields of all these names are refused when they are loaded.
    ["rowid", "_rowid_", "oid"].iter().find(is_free).unwrap_or(&"rowid").to_string()
}

/// Statements that make an index of a table that is there, rows included.
pub(in crate::sqlite) fn create(table: &Table, index: &FullText) -> Vec<String> {
    let Names { words, due, triggers: [insert, update, delete] } = Names::new(table, index);
    let (name, row) = (quoted(&table.name), row_number(table));
    let columns: Vec<String> = index.columns.iter().map(|column| quoted(&table.column(*column).name)).collect();
    let numbered: Vec<String> = (0..columns.len()).map(|number| format!("c{number}")).collect();
    let note = |side: &str| {
        format!("INSERT INTO {due} SELECT {side}.{row} WHERE NOT EXISTS (SELECT 1 FROM {due} WHERE id = {side}.{row});")
    };
    let differs: Vec<String> =
        [&row].into_iter().chain(&columns).map(|column| format!("old.{column} IS NOT new.{column}")).collect();
    vec![
        // The words are ours already: letters and digits in small ASCII, and whatever is not ASCII, parted by blanks.
        format!(
            "CREATE VIRTUAL TABLE {words} USING fts5({}, content='', contentless_delete=1, tokenize='ascii')",
            numbered.join(", ")
        ),
        format!("CREATE TABLE {due} (id INTEGER PRIMARY KEY) STRICT"),
        format!("CREATE TRIGGER {insert} AFTER INSERT ON {name} BEGIN {} END", note("new")),
        format!(
            "CREATE TRIGGER {update} AFTER UPDATE ON {name} WHEN {} BEGIN {} {} END",
            differs.join(" OR "),
            note("old"),
            note("new")
        ),
        format!("CREATE TRIGGER {delete} AFTER DELETE ON {name} BEGIN {} END", note("old")),
        format!(
            "INSERT INTO {words}(rowid, {}) SELECT {row}, {} FROM {name}",
            numbered.join(", "),
            kept_words(index, &columns)
        ),
    ]
}

/// Statements that remove an index, whether its table is there or not.
pub(in crate::sqlite) fn drop(table: &Table, index: &FullText) -> Vec<String> {
    let Names { words, due, triggers } = Names::new(table, index);
    let triggers = triggers.iter().map(|trigger| format!("DROP TRIGGER IF EXISTS {trigger}"));
    triggers.chain([format!("DROP TABLE {words}"), format!("DROP TABLE {due}")]).collect()
}

/// Asks whether rows are due.
pub(in crate::sqlite) fn is_due(table: &Table, index: &FullText) -> String {
    format!("SELECT 1 FROM {} LIMIT 1", Names::new(table, index).due)
}

/// Statements that bring what is due.
pub(in crate::sqlite) fn settle(table: &Table, index: &FullText) -> [String; 3] {
    let Names { words, due, .. } = Names::new(table, index);
    let (name, row) = (quoted(&table.name), row_number(table));
    let columns: Vec<String> =
        index.columns.iter().map(|column| format!("t.{}", quoted(&table.column(*column).name))).collect();
    let numbered: Vec<String> = (0..columns.len()).map(|number| format!("c{number}")).collect();
    [
        format!("DELETE FROM {words} WHERE rowid IN (SELECT id FROM {due})"),
        format!(
            "INSERT INTO {words}(rowid, {}) SELECT d.id, {} FROM {due} AS d CROSS JOIN {name} AS t ON t.{row} = d.id",
            numbered.join(", "),
            kept_words(index, &columns)
        ),
        format!("DELETE FROM {due}"),
    ]
}

fn kept_words(index: &FullText, columns: &[String]) -> String {
    let language = index.language.name();
    let words = columns.iter().map(|column| format!("{}({column}, '{language}')", functions::WORDS));
    words.collect::<Vec<_>>().join(", ")
}
