//! Tables, keys and views as SQL that MySQL and MariaDB understand alike, so that a migration runs on either.
//!
//! Text is compared by code point, without regard to blanks at its end that is not there: the collation of that kind has
//! another name on each engine, and stands in comments that only one of them reads. A key cannot hold texts and octets of
//! any length; columns of keys get as much as InnoDB's limit leaves each of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use mainstay_query::evaluate::to_json;
use mainstay_schema::value::float_text;
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Index, Reference, ReferenceAction, Schema, Table, TableKind, Type, Value,
};

/// Octets that the columns of one key may have together in InnoDB.
const KEY_OCTETS_MAX: u32 = 3072;
/// Octets that any column of a fixed length has at most, in a key.
const FIXED_OCTETS_MAX: u32 = 32;
/// Octets of a character in `utf8mb4`.
const CHARACTER_OCTETS: u32 = 4;
/// Longest name in characters.
const NAME_CHARS_MAX: usize = 64;

/// How text of a table is compared: by code point, and no two texts are alike that are not the same.
const COLLATION: &str = "/*!80000 COLLATE utf8mb4_0900_bin *//*M! COLLATE utf8mb4_nopad_bin */";

/// What columns begin with that the migrations make for themselves.
pub(in crate::mysql) const HIDDEN: &str = "_mainstay_";

/// An identifier in quotes.
pub(in crate::mysql) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Some identifiers in quotes.
pub(in crate::mysql) fn quoted_list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The name of a key or reference as the server has it: names that are too long end with a number made from the whole.
pub(in crate::mysql) fn native_name(name: &str) -> Cow<'_, str> {
    if name.chars().count() <= NAME_CHARS_MAX {
        return Cow::Borrowed(name);
    }
    // FNV-1a, 32 bits: enough to tell apart names that begin alike.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let start: String = name.chars().take(NAME_CHARS_MAX - 9).collect();
    Cow::Owned(format!("{start}_{hash:08x}"))
}

/// Text as an SQL literal, whatever the session takes backslashes for.
pub(in crate::mysql) fn text_literal(text: &str) -> String {
    match text.contains('\\') {
        true => format!("CONVERT({} USING utf8mb4)", octets_literal(text.as_bytes())),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

fn octets_literal(octets: &[u8]) -> String {
    let mut text = "X'".to_owned();
    for octet in octets {
        // A string takes everything.
        let _ = write!(text, "{octet:02x}");
    }
    text + "'"
}

/// A value as an SQL literal, as a column of its type keeps it.
pub(in crate::mysql) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float_text(*value),
        Value::Decimal(value) => value.as_str().to_owned(),
        Value::Text(text) | Value::Date(text) | Value::Time(text) => text_literal(text),
        Value::Timestamp(text) => text_literal(&text.trim_end_matches("+00:00").replacen('T', " ", 1)),
        Value::Uuid(value) => octets_literal(value.as_bytes()),
        Value::Bytes(octets) => octets_literal(octets),
        Value::Json(json) => text_literal(json.as_str()),
        Value::Array(_) => to_json(value).map_or("NULL".to_owned(), |json| text_literal(json.as_str())),
    }
}

/// The default as an expression for rows that are there already; nothing when they get null.
pub(in crate::mysql) fn default_of_old_rows(column: &Column) -> Option<String> {
    // Version 4, since these rows were made at no known time; the servers have no function for it.
    const UUID4: &str = "UNHEX(CONCAT(HEX(RANDOM_BYTES(6)), '4', SUBSTR(HEX(RANDOM_BYTES(2)), 2), \
                         SUBSTR('89AB', 1 + FLOOR(RAND() * 4), 1), SUBSTR(HEX(RANDOM_BYTES(2)), 2), HEX(RANDOM_BYTES(6))))";
    match column.default.as_ref()? {
        DefaultValue::Now => Some("UTC_TIMESTAMP(6)".to_owned()),
        DefaultValue::Uuid7 => Some(UUID4.to_owned()),
        DefaultValue::Sequence => None,
        DefaultValue::Literal(value) => Some(literal(value)),
        DefaultValue::Expression(text) => Some(format!("({text})")),
    }
}

/// Whether values of a type have any length.
fn is_wide(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Json | Type::Array(_) | Type::Bytes)
}

/// Octets that a key over these columns leaves to each whose values have any length.
fn share(table: &Table, columns: &[ColumnId]) -> u32 {
    let wide = columns.iter().filter(|column| is_wide(&table.column(**column).ty)).count() as u32;
    let fixed = (columns.len() as u32).saturating_sub(wide) * FIXED_OCTETS_MAX;
    KEY_OCTETS_MAX.saturating_sub(fixed) / wide.max(1)
}

/// Octets that a column may have because of the keys that it is part of; nothing where any length will do.
fn octets_max(table: &Table, column: ColumnId) -> Option<u32> {
    let index = |index: &Index| index.columns.iter().map(|part| part.column).collect::<Vec<_>>();
    let keys = (table.uniques.iter().map(|key| key.columns.clone()))
        .chain(table.references.iter().map(|reference| reference.columns.clone()))
        .chain(table.indexes.iter().filter(|index| index.unique).map(index))
        .chain([table.primary_key.clone()]);
    keys.filter(|columns| columns.contains(&column)).map(|columns| share(table, &columns)).min()
}

/// The type of a column, as it is declared.
pub(in crate::mysql) fn column_type(table: &Table, column: &Column) -> String {
    let octets = octets_max(table, column.id);
    match (&column.ty, octets) {
        (Type::Bool, _) => "TINYINT(1)".to_owned(),
        (Type::Int, _) => "INT".to_owned(),
        (Type::BigInt, _) => "BIGINT".to_owned(),
        (Type::Float, _) => "DOUBLE".to_owned(),
        (Type::Decimal { precision, scale }, _) => format!("DECIMAL({precision},{scale})"),
        (Type::Uuid, _) => "BINARY(16)".to_owned(),
        (Type::Date, _) => "DATE".to_owned(),
        (Type::Time, _) => "TIME(6)".to_owned(),
        (Type::Timestamp, _) => "DATETIME(6)".to_owned(),
        (Type::Text | Type::Json | Type::Array(_), None) => "LONGTEXT".to_owned(),
        (Type::Text | Type::Json | Type::Array(_), Some(octets)) => format!("VARCHAR({})", octets / CHARACTER_OCTETS),
        (Type::Bytes, None) => "LONGBLOB".to_owned(),
        (Type::Bytes, Some(octets)) => format!("VARBINARY({octets})"),
    }
}

/// What a table is made of, part by part: what two tables are compared by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::mysql) struct Shape {
    /// Name of each column and what stands behind it.
    pub(in crate::mysql) columns: Vec<(String, String)>,
    /// The columns of the primary key.
    pub(in crate::mysql) primary_key: String,
    /// Each other key and index by its name, as `ADD` takes it.
    pub(in crate::mysql) keys: BTreeMap<String, String>,
    /// Each reference by its name, as `ADD` takes it.
    pub(in crate::mysql) references: BTreeMap<String, String>,
}

impl Shape {
    /// The parts of a table.
    pub(in crate::mysql) fn of(schema: &Schema, table: &Table) -> Shape {
        let mut shape = Shape { primary_key: names(table, &table.primary_key), ..Shape::default() };
        for column in &table.columns {
            shape.columns.push((column.name.to_string(), definition(table, column)));
        }
        for key in &table.uniques {
            let parts = key.columns.iter().map(|column| part(schema, table, &key.columns, *column));
            let parts: Vec<String> = parts.collect();
            shape.key("UNIQUE INDEX", &key.name, &parts);
        }
        for index in &table.indexes {
            shape.index(schema, table, index);
        }
        for reference in &table.references {
            shape.reference(schema, table, reference);
        }
        shape
    }

    fn key(&mut self, kind: &str, name: &str, parts: &[String]) {
        let name = native_name(name).into_owned();
        let text = format!("{kind} {} ({})", quoted(&name), parts.join(", "));
        self.keys.insert(name, text);
    }

    fn index(&mut self, schema: &Schema, table: &Table, index: &Index) {
        let columns: Vec<ColumnId> = index.columns.iter().map(|part| part.column).collect();
        let mut parts = Vec::new();
        for (position, column) in index.columns.iter().enumerate() {
            let whole = part(schema, table, &columns, column.column);
            parts.push(match (&index.condition, index.unique) {
                // Rows for which the condition does not hold have null there, and null is like nothing.
                (Some(condition), true) => {
                    let (name, of) = (hidden(index, position), table.column(column.column));
                    let value = format!("CASE WHEN {condition} THEN {} END", quoted(&of.name));
                    let text = format!("{} GENERATED ALWAYS AS ({value}) VIRTUAL INVISIBLE", column_type(table, of));
                    self.columns.push((name.clone(), text));
                    quoted(&name)
                }
                _ => whole,
            });
            if column.descending
                && let Some(last) = parts.last_mut()
            {
                last.push_str(" DESC");
            }
        }
        self.key(if index.unique { "UNIQUE INDEX" } else { "INDEX" }, &index.name, &parts);
    }

    /// A reference, and the index that InnoDB wants for it where there is none: what is said is not made in secret, and
    /// goes when it is told to.
    fn reference(&mut self, schema: &Schema, table: &Table, reference: &Reference) {
        let is_start = |columns: &[ColumnId]| columns.starts_with(&reference.columns);
        let is_indexed = is_start(&table.primary_key)
            || table.uniques.iter().any(|key| is_start(&key.columns))
            || table.indexes.iter().any(|index| {
                let columns: Vec<ColumnId> = index.columns.iter().map(|part| part.column).collect();
                is_start(&columns) && !(index.unique && index.condition.is_some())
            });
        if !is_indexed {
            let parts: Vec<String> =
                reference.columns.iter().map(|column| quoted(&table.column(*column).name)).collect();
            self.key("INDEX", &reference.name, &parts);
        }
        let is_optional = reference.columns.iter().all(|column| table.column(*column).optional);
        let target = schema.table(reference.target);
        let name = native_name(&reference.name).into_owned();
        let mut text = format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
            quoted(&name),
            names(table, &reference.columns),
            quoted(&target.name),
            names(target, &reference.target_columns),
        );
        for (event, action) in [("DELETE", reference.on_delete), ("UPDATE", reference.on_update)] {
            let words = match action {
                // InnoDB knows no defaults here: the writer sets them before it touches the target.
                ReferenceAction::Restrict | ReferenceAction::SetDefault => continue,
                ReferenceAction::Cascade => "CASCADE",
                // Refused for columns that cannot be null; the writer tells why when it comes to it.
                ReferenceAction::SetNull if is_optional => "SET NULL",
                ReferenceAction::SetNull => continue,
            };
            let _ = write!(text, " ON {event} {words}");
        }
        self.references.insert(name, text);
    }

    /// What stands behind a column's name.
    pub(in crate::mysql) fn column(&self, name: &str) -> Option<&str> {
        self.columns.iter().find(|(other, _)| other == name).map(|(_, definition)| &**definition)
    }

    /// Whether some column is computed for a key. MariaDB then rewrites the table for most changes while others only
    /// read it.
    pub(in crate::mysql) fn has_hidden(&self) -> bool {
        self.columns.iter().any(|(name, _)| name.starts_with(HIDDEN))
    }

    /// `CREATE TABLE` with everything but the references for which `is_later` holds.
    pub(in crate::mysql) fn create(&self, table: &str, is_later: impl Fn(&str) -> bool) -> String {
        let columns = self.columns.iter().map(|(name, definition)| format!("{} {definition}", quoted(name)));
        let mut parts: Vec<String> = columns.collect();
        if !self.primary_key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", self.primary_key));
        }
        parts.extend(self.keys.values().cloned());
        parts.extend(self.references.iter().filter(|(name, _)| !is_later(name)).map(|(_, text)| text.clone()));
        format!(
            "CREATE TABLE {}{} (\n  {}\n) ENGINE=InnoDB {COLLATION}",
            if_own(table, "IF NOT EXISTS "),
            quoted(table),
            parts.join(",\n  ")
        )
    }
}

/// Words for tables that are ours alone: whether one was made or dropped is not seen where a migration stopped half way, so
/// that it may be once more.
pub(in crate::mysql) fn if_own(table: &str, words: &'static str) -> &'static str {
    if table.starts_with(HIDDEN) { words } else { "" }
}

/// The names of some columns in quotes.
pub(in crate::mysql) fn names(table: &Table, columns: &[ColumnId]) -> String {
    quoted_list(columns.iter().map(|column| &*table.column(*column).name))
}

/// `CREATE VIEW`; nothing for a table.
pub(in crate::mysql) fn create_view(table: &Table) -> Option<String> {
    let TableKind::View { sql } = &table.kind else { return None };
    Some(format!("CREATE VIEW {} AS {}", quoted(&table.name), sql.trim().trim_end_matches(';')))
}

fn definition(table: &Table, column: &Column) -> String {
    let mut text = column_type(table, column);
    text.push_str(if column.optional { " NULL" } else { " NOT NULL" });
    if column.default == Some(DefaultValue::Sequence) {
        text.push_str(" AUTO_INCREMENT");
    }
    text
}

/// A column in a key over these: the beginning of its values where they may be longer than fits.
fn part(schema: &Schema, table: &Table, columns: &[ColumnId], column: ColumnId) -> String {
    let of = table.column(column);
    let name = quoted(&of.name);
    let share = share(table, columns);
    let about = schema.found().and_then(|found| found.table(table.id));
    if let Some(about) = about.and_then(|about| about.columns.get(column.index())) {
        return match start_of_found(&about.declared, share) {
            None => name,
            Some(length) => format!("{name}({length})"),
        };
    }
    if !is_wide(&of.ty) || octets_max(table, column).is_some_and(|octets| octets <= share) {
        return name;
    }
    let length = if of.ty == Type::Bytes { share } else { share / CHARACTER_OCTETS };
    format!("{name}({length})")
}

/// How much of a column that another program declared stands in a key that leaves it so many octets; nothing for all of it.
fn start_of_found(declared: &str, share: u32) -> Option<u32> {
    let declared = declared.to_ascii_lowercase();
    let word: String = declared.chars().take_while(char::is_ascii_lowercase).collect();
    let octets = if word.ends_with("binary") || word.ends_with("blob") { 1 } else { CHARACTER_OCTETS };
    let length = match word.as_str() {
        "char" | "varchar" | "binary" | "varbinary" => {
            let digits = declared[word.len()..].trim_start_matches('(').split(')').next().unwrap_or_default();
            // Of those all is the rule.
            return digits.parse().ok().filter(|length: &u32| length * octets > share).map(|_| share / octets);
        }
        "tinytext" | "tinyblob" => 255,
        "text" | "mediumtext" | "longtext" | "blob" | "mediumblob" | "longblob" | "json" => share,
        _ => return None,
    };
    Some(length.min(share) / octets)
}

fn hidden(index: &Index, position: usize) -> String {
    native_name(&format!("{HIDDEN}{}_{position}", index.name)).into_owned()
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load};

    use super::*;

    fn check(text: &str, table: &str, expected: &[&str]) {
        let files = [SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }];
        let schema = load(&files).expect("no mistakes");
        let table = schema.find(table).expect("it is there");
        let sql = Shape::of(&schema, table).create(&table.name, |_| false);
        let lines: Vec<&str> = sql.lines().map(|line| line.trim().trim_end_matches(',')).collect();
        assert_eq!(lines[1..lines.len() - 1], *expected, "{sql}");
    }

    #[test]
    fn every_type_has_a_form() {
        let fields = "id = { type = \"bigint\", primary = true, default = \"sequence\" }\nok = \"bool\"\n\
                      n = { type = \"decimal(38,4)\", optional = true }\nu = \"uuid\"\nat = \"timestamp\"\nday = \"date\"\n\
                      hour = \"time\"\nf = \"float\"\ni = \"int\"\nt = \"text\"\nj = \"json\"\nb = \"bytes\"\ntags = \"text[]\"\n";
        let expected = [
            "`id` BIGINT NOT NULL AUTO_INCREMENT",
            "`ok` TINYINT(1) NOT NULL",
            "`n` DECIMAL(38,4) NULL",
            "`u` BINARY(16) NOT NULL",
            "`at` DATETIME(6) NOT NULL",
            "`day` DATE NOT NULL",
            "`hour` TIME(6) NOT NULL",
            "`f` DOUBLE NOT NULL",
            "`i` INT NOT NULL",
            "`t` LONGTEXT NOT NULL",
            "`j` LONGTEXT NOT NULL",
            "`b` LONGBLOB NOT NULL",
            "`tags` LONGTEXT NOT NULL",
            "PRIMARY KEY (`id`)",
        ];
        check(&format!("[t.fields]\n{fields}"), "t", &expected);
    }

    #[test]
    fn text_in_keys_has_as_much_room_as_they_leave() {
        let text = "[p.fields]\nslug = { type = \"text\", primary = true }\n\n\
                    [t]\nunique = { pair = [\"a\", \"n\"] }\n\
                    indexes = { words = [\"long\", \"n desc\"], open = { on = [\"n\"], where = \"n > 0\" }, \
                    one = { on = [\"a\"], unique = true, where = \"n > 0\" } }\n\n\
                    [t.fields]\nid = { type = \"int\", primary = true }\na = \"text\"\nn = \"int\"\nlong = \"text\"\n\
                    p = { ref = \"p\", on_delete = \"cascade\" }\n";
        let expected = [
            "`id` INT NOT NULL",
            "`a` VARCHAR(760) NOT NULL",
            "`n` INT NOT NULL",
            "`long` LONGTEXT NOT NULL",
            "`p` VARCHAR(768) NOT NULL",
            "`_mainstay_t_one_0` VARCHAR(760) GENERATED ALWAYS AS (CASE WHEN n > 0 THEN `a` END) VIRTUAL INVISIBLE",
            "PRIMARY KEY (`id`)",
            "UNIQUE INDEX `t_one` (`_mainstay_t_one_0`)",
            "INDEX `t_open` (`n`)",
            "INDEX `t_p_fkey` (`p`)",
            "UNIQUE INDEX `t_pair` (`a`, `n`)",
            "INDEX `t_words` (`long`(760), `n` DESC)",
            "CONSTRAINT `t_p_fkey` FOREIGN KEY (`p`) REFERENCES `p` (`slug`) ON DELETE CASCADE",
        ];
        check(text, "t", &expected);
    }

    #[test]
    fn keys_over_columns_of_others_hold_as_much_as_these_have() {
        for (declared, expected) in [
            ("varchar(50)", None),
            ("VARCHAR(800)", Some(768)),
            ("varbinary(3072)", None),
            ("varbinary(4000)", Some(3072)),
            ("char(36)", None),
            ("text", Some(768)),
            ("tinytext", Some(63)),
            ("longblob", Some(3072)),
            ("tinyblob", Some(255)),
            ("datetime(6)", None),
            ("enum('a','b')", None),
            ("decimal(65,30)", None),
        ] {
            assert_eq!(start_of_found(declared, KEY_OCTETS_MAX), expected, "{declared}");
        }
    }

    #[test]
    fn literals_are_what_columns_keep() {
        let value = |ty: &Type, text: &str| literal(&Value::parse(ty, text).expect("a value"));
        assert_eq!(value(&Type::Timestamp, "2026-11-23T10:00:00.5+01:00"), "'2026-11-23 09:00:00.5'");
        assert_eq!(value(&Type::Text, "it's"), "'it''s'");
        assert_eq!(value(&Type::Text, "a\\"), "CONVERT(X'615c' USING utf8mb4)");
        assert_eq!(value(&Type::Bytes, "\\x00ff"), "X'00ff'");
        assert_eq!(value(&Type::Array(Box::new(Type::Int)), "{1,NULL}"), "'[1,null]'");
        assert_eq!(value(&Type::Bool, "true"), "1");
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ("a".repeat(70) + "x", "a".repeat(70) + "y");
        assert_eq!(native_name("short"), "short");
        assert_eq!(native_name(&one).chars().count(), 64);
        assert_ne!(native_name(&one), native_name(&other));
    }
}
