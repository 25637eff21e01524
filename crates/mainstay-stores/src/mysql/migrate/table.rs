//! The way of one table that stays: from what it is on the server to what it is to be.
//!
//! Columns first, in up to three statements: what is renamed, what is added to be filled, what is filled. Then one
//! statement for all that remains, keys included.

use mainstay_schema::diff::TablePair;
use mainstay_schema::{Column, ColumnId, DefaultValue, Schema, Table, Type};

use super::convert::converted;
use crate::mysql::render::ddl::{self, HIDDEN, Shape, quoted};

/// What others may do meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lock {
    /// Read and write.
    None,
    /// Read. The table stays where it is.
    Shared,
    /// Read. Every row is copied.
    Copy,
}

impl Lock {
    fn words(self) -> &'static str {
        match self {
            Lock::None => "LOCK=NONE",
            Lock::Shared => "LOCK=SHARED",
            Lock::Copy => "ALGORITHM=COPY",
        }
    }
}

/// When a statement has its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Columns get their names and values.
    Columns,
    /// Everything else, keys among them.
    Keys,
}

/// A table that both schemas have.
pub(super) struct Kept<'s> {
    old: &'s Table,
    pub(super) new: &'s Table,
    pair: &'s TablePair,
    /// What it is, in the names that it will have.
    pub(super) before: Shape,
    /// What it will be.
    pub(super) after: Shape,
}

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays as it is.
    Same,
    /// It becomes what it is to be in one go.
    Modified(Lock),
    /// Its values are made anew, beside it.
    Converted,
    /// It is added, and every row has null or counts.
    Added(Lock),
    /// It is added with a default, which the server then forgets.
    AddedWithDefault,
    /// It is added, and then filled.
    Filled,
}

impl<'s> Kept<'s> {
    pub(super) fn new(old: &'s Schema, renamed: &Schema, new: &'s Schema, pair: &'s TablePair) -> Kept<'s> {
        let (before, after) = (renamed.table(pair.old), new.table(pair.new));
        Kept {
            old: old.table(pair.old),
            new: after,
            pair,
            before: Shape::of(renamed, before),
            after: Shape::of(new, after),
        }
    }

    /// Whether some of these columns become ones of another type.
    pub(super) fn changes_type(&self, columns: &[ColumnId]) -> bool {
        columns.iter().any(|column| match self.fate(self.new.column(*column)) {
            Fate::Same | Fate::Modified(Lock::None) => false,
            Fate::Modified(_) | Fate::Converted => true,
            Fate::Added(_) | Fate::AddedWithDefault | Fate::Filled => false,
        })
    }

    /// Whether the key over these columns is another one than before, or was none.
    pub(super) fn changes_key(&self, columns: &[ColumnId]) -> bool {
        let names = format!("({})", ddl::names(self.new, columns));
        let holder = |shape: &Shape| {
            let is_primary = names == format!("({})", shape.primary_key);
            let unique = shape.keys.iter().find(|(_, text)| text.starts_with("UNIQUE") && text.ends_with(&names));
            if is_primary { Some("PRIMARY".to_owned()) } else { unique.map(|(name, _)| name.clone()) }
        };
        let (before, after) = (holder(&self.before), holder(&self.after));
        // A key over the same columns in another order may hold it too.
        let is_hidden = || self.before.primary_key != self.after.primary_key || self.gone_keys().next().is_some();
        before != after || (before.is_none() && is_hidden())
    }

    /// Whether its rows are copied on the way.
    pub(super) fn is_copied(&self, references: &[String]) -> bool {
        let is_copied = |statement: &String| statement.ends_with(Lock::Copy.words());
        references.iter().any(|name| self.after.references.contains_key(name))
            || self.statements(Stage::Keys).iter().any(is_copied)
    }

    pub(super) fn drop_references(&self, references: &[String]) -> Option<String> {
        let there = references.iter().filter(|name| self.before.references.contains_key(*name));
        let parts = there.map(|name| format!("DROP FOREIGN KEY {}", quoted(name)));
        alter(&self.old.name, parts.collect(), Lock::None)
    }

    pub(super) fn add_references(&self, references: &[String]) -> Option<String> {
        add_references(&self.new.name, &self.after, &|name| references.iter().any(|other| other == name))
    }

    /// Its statements of one stage.
    pub(super) fn statements(&self, stage: Stage) -> Vec<String> {
        let statements = match stage {
            Stage::Columns => [self.drop_hidden(), self.rename(), self.prepare()].concat(),
            Stage::Keys => [self.main(), self.forget_defaults(), self.add_hidden()].concat(),
        };
        debug_assert!(statements.iter().all(|statement| !statement.contains('\0')));
        statements
    }

    /// Whether the columns that are computed for keys make way, as MySQL wants for most changes of what they are
    /// computed from.
    fn hidden_goes(&self) -> bool {
        let hidden = |shape: &Shape| {
            let columns = shape.columns.iter().filter(|(name, _)| name.starts_with(HIDDEN));
            columns.cloned().collect::<Vec<_>>()
        };
        let changes = |column: &Column| self.fate(column) != Fate::Same;
        hidden(&self.before) != hidden(&self.after)
            || (self.before.has_hidden() && (!self.renames().is_empty() || self.new.columns.iter().any(changes)))
    }

    fn drop_hidden(&self) -> Vec<String> {
        if !self.hidden_goes() {
            return Vec::new();
        }
        let keys = self.before.keys.iter().filter(|(_, text)| text.contains(&format!("(`{HIDDEN}")));
        let keys = keys.map(|(name, _)| format!("DROP INDEX {}", quoted(name))).collect();
        let names = self.before.columns.iter().filter(|(name, _)| name.starts_with(HIDDEN));
        let columns = names.map(|(name, _)| format!("DROP COLUMN {}", quoted(name))).collect();
        let name = &self.new.name;
        [alter(name, keys, Lock::Shared), alter(name, columns, Lock::Shared)].into_iter().flatten().collect()
    }

    fn add_hidden(&self) -> Vec<String> {
        if !self.hidden_goes() {
            return Vec::new();
        }
        let columns = self.after.columns.iter().filter(|(name, _)| name.starts_with(HIDDEN));
        let columns = columns.map(|(name, definition)| format!("ADD COLUMN {} {definition}", quoted(name))).collect();
        let keys = self.after.keys.values().filter(|text| text.contains(&format!("(`{HIDDEN}")));
        let keys = keys.map(|text| format!("ADD {text}")).collect();
        let name = &self.new.name;
        [alter(name, columns, Lock::Shared), alter(name, keys, Lock::Shared)].into_iter().flatten().collect()
    }

    fn renames(&self) -> Vec<String> {
        let mut renames = Vec::new();
        for (before, now) in &self.pair.columns {
            let (before, now) = (&self.old.column(*before).name, &self.new.column(*now).name);
            if before != now {
                renames.push(format!("RENAME COLUMN {} TO {}", quoted(before), quoted(now)));
            }
        }
        renames
    }

    fn rename(&self) -> Vec<String> {
        alter(&self.new.name, self.renames(), Lock::None).into_iter().collect()
    }

    fn fate(&self, column: &Column) -> Fate {
        let Some(before) = self.pair.old_column(column.id) else { return new_fate(self.new, column) };
        let before = self.old.column(before);
        let (was, is) = (self.before.column(&column.name), self.after.column(&column.name));
        if was == is && before.ty == column.ty {
            return Fate::Same;
        }
        if before.ty != column.ty && !is_direct(&before.ty, &column.ty) {
            return Fate::Converted;
        }
        let kind = |text: Option<&str>| text.map(|text| text.replace(" NOT NULL", "").replace(" NULL", ""));
        let changes_kind = kind(was) != kind(is);
        // Rows without a value get the default before the column no longer goes without; then the values must be of the
        // type that the default is of.
        if changes_kind && before.optional && !column.optional && column.default.is_some() {
            return Fate::Converted;
        }
        Fate::Modified(if changes_kind { Lock::Copy } else { Lock::None })
    }

    /// Adds the columns that are filled, and fills them.
    fn prepare(&self) -> Vec<String> {
        let mut added = Vec::new();
        let mut set = Vec::new();
        let mut filled = Vec::new();
        for column in &self.new.columns {
            let name = quoted(&column.name);
            let ty = ddl::column_type(self.new, column);
            let default = ddl::default_of_old_rows(column);
            match self.fate(column) {
                Fate::Filled => {
                    added.push(format!("ADD COLUMN {name} {ty} NULL"));
                    set.extend(default.map(|default| format!("{name} = {default}")));
                }
                Fate::Converted => {
                    let fresh = quoted(&fresh(column));
                    added.push(format!("ADD COLUMN {fresh} {ty} NULL"));
                    let from = self.pair.old_column(column.id).map(|id| &self.old.column(id).ty);
                    let value = converted(&name, from.unwrap_or(&column.ty), &column.ty);
                    let value = match default.filter(|_| !column.optional) {
                        Some(default) => format!("COALESCE({value}, {default})"),
                        None => value,
                    };
                    set.push(format!("{fresh} = {value}"));
                }
                Fate::Modified(_) => {
                    let was_optional = self.pair.old_column(column.id).is_some_and(|id| self.old.column(id).optional);
                    if let Some(default) = default.filter(|_| was_optional && !column.optional) {
                        let table = quoted(&self.new.name);
                        filled.push(format!("UPDATE {table} SET {name} = {default} WHERE {name} IS NULL"));
                    }
                }
                Fate::Same | Fate::Added(_) | Fate::AddedWithDefault => {}
            }
        }
        let lock = self.least(Lock::None);
        let mut statements: Vec<String> = alter(&self.new.name, added, lock).into_iter().collect();
        if !set.is_empty() {
            statements.push(format!("UPDATE {} SET {}", quoted(&self.new.name), set.join(", ")));
        }
        statements.extend(filled);
        statements
    }

    /// The one statement for all that remains.
    fn main(&self) -> Vec<String> {
        let mut lock = Lock::None;
        let is_hidden = |text: &str| text.contains(&format!("(`{HIDDEN}"));
        let mut parts: Vec<String> = (self.gone_keys())
            .filter(|name| !is_hidden(&self.before.keys[*name]))
            .map(|name| format!("DROP INDEX {}", quoted(name)))
            .collect();
        let changes_primary = self.before.primary_key != self.after.primary_key;
        if changes_primary && !self.before.primary_key.is_empty() {
            parts.push("DROP PRIMARY KEY".to_owned());
        }
        for column in self.old.columns.iter().filter(|column| self.pair.new_column(column.id).is_none()) {
            parts.push(format!("DROP COLUMN {}", quoted(&column.name)));
        }
        for column in &self.new.columns {
            let definition = self.after.column(&column.name).unwrap_or_default();
            let name = quoted(&column.name);
            match self.fate(column) {
                Fate::Same => {}
                Fate::Modified(needed) => {
                    lock = lock.max(needed);
                    parts.push(format!("MODIFY COLUMN {name} {definition}"));
                }
                Fate::Converted => {
                    parts.push(format!("DROP COLUMN {name}"));
                    parts.push(format!("CHANGE COLUMN {} {name} {definition}", quoted(&fresh(column))));
                }
                Fate::Added(needed) => {
                    lock = lock.max(needed);
                    parts.push(format!("ADD COLUMN {name} {definition}"));
                }
                Fate::AddedWithDefault => {
                    let default = ddl::default_of_old_rows(column).unwrap_or_default();
                    parts.push(format!("ADD COLUMN {name} {definition} DEFAULT {default}"));
                }
                Fate::Filled if column.optional => {}
                Fate::Filled => parts.push(format!("MODIFY COLUMN {name} {definition}")),
            }
        }
        if changes_primary && !self.after.primary_key.is_empty() {
            parts.push(format!("ADD PRIMARY KEY ({})", self.after.primary_key));
        }
        for (name, text) in &self.after.keys {
            if self.before.keys.get(name) != Some(text) && !is_hidden(text) {
                parts.push(format!("ADD {text}"));
            }
        }
        alter(&self.new.name, parts, self.least(lock)).into_iter().collect()
    }

    /// Defaults are the planner's: the server has them only until rows have their values.
    fn forget_defaults(&self) -> Vec<String> {
        let added = self.new.columns.iter().filter(|column| self.fate(column) == Fate::AddedWithDefault);
        let parts = added.map(|column| {
            let what = if column.optional { "SET DEFAULT NULL" } else { "DROP DEFAULT" };
            format!("ALTER COLUMN {} {what}", quoted(&column.name))
        });
        alter(&self.new.name, parts.collect(), Lock::None).into_iter().collect()
    }

    fn gone_keys(&self) -> impl Iterator<Item = &String> {
        self.before.keys.iter().filter(|(name, text)| self.after.keys.get(*name) != Some(text)).map(|(name, _)| name)
    }

    fn least(&self, lock: Lock) -> Lock {
        if self.before.has_hidden() && !self.hidden_goes() { lock.max(Lock::Shared) } else { lock }
    }
}

/// `ALTER TABLE … ADD CONSTRAINT …` for some references. The servers read every row for that, and MySQL copies them.
pub(super) fn add_references(table: &str, shape: &Shape, is_wanted: &dyn Fn(&str) -> bool) -> Option<String> {
    let wanted = shape.references.iter().filter(|(name, _)| is_wanted(name));
    alter(table, wanted.map(|(_, text)| format!("ADD {text}")).collect(), Lock::Copy)
}

fn alter(table: &str, parts: Vec<String>, lock: Lock) -> Option<String> {
    (!parts.is_empty()).then(|| format!("ALTER TABLE {} {}, {}", quoted(table), parts.join(", "), lock.words()))
}

fn new_fate(table: &Table, column: &Column) -> Fate {
    if column.default == Some(DefaultValue::Sequence) {
        return Fate::Added(Lock::Shared);
    }
    let is_long = ddl::column_type(table, column).starts_with("LONG");
    match (&column.default, ddl::default_of_old_rows(column)) {
        (Some(DefaultValue::Literal(_)), Some(text)) if !is_long && !text.starts_with("CONVERT") => {
            Fate::AddedWithDefault
        }
        (_, None) if column.optional => Fate::Added(Lock::None),
        // Without a default as well: to a table with rows the server would else give them values that nobody wrote.
        _ => Fate::Filled,
    }
}

/// Whether the server makes of a value of one type what the evaluator's `cast` makes of it, when it changes a column.
fn is_direct(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Int, Type::BigInt | Type::Float) | (Type::BigInt, Type::Int) => true,
        (Type::Int | Type::BigInt, Type::Decimal { .. }) => true,
        (Type::Decimal { precision, scale }, Type::Decimal { precision: digits, scale: after }) => {
            after >= scale && digits.saturating_sub(*after) >= precision - scale
        }
        _ => false,
    }
}

/// The name of a column while its values are made.
fn fresh(column: &Column) -> String {
    ddl::native_name(&format!("{HIDDEN}new_{}", column.name)).into_owned()
}
