//! One table as it becomes another: by SQLite's own `ALTER TABLE` where that does it, else by a new table that takes
//! over the rows.

use mainstay_schema::diff::TablePair;
use mainstay_schema::{Column, ColumnId, DefaultValue, FullText, Index, Reference, Schema, Table, Type};

use super::super::functions;
use super::ddl::{self, quoted};
use super::fulltext;

/// Beginning of the name under which a table is made anew.
pub(in crate::sqlite) const ANEW: &str = "_mainstay_new_";

/// A table before and after.
pub(in crate::sqlite) struct Change<'s> {
    new_schema: &'s Schema,
    old: &'s Table,
    new: &'s Table,
    pair: &'s TablePair,
    /// All tables that stay, for what references point at.
    kept: &'s [TablePair],
}

impl<'s> Change<'s> {
    /// What becomes of one of the tables that stay.
    pub(in crate::sqlite) fn new(
        old_schema: &'s Schema,
        new_schema: &'s Schema,
        pair: &'s TablePair,
        kept: &'s [TablePair],
    ) -> Change<'s> {
        Change { new_schema, old: old_schema.table(pair.old), new: new_schema.table(pair.new), pair, kept }
    }

    /// Statements that free the names of indexes, for a table that has its old name.
    pub(in crate::sqlite) fn drop_indexes(&self) -> Vec<String> {
        let gone =
            self.old.indexes.iter().filter(|old| !self.new.indexes.iter().any(|new| self.is_same_index(old, new)));
        gone.map(|index| format!("DROP INDEX {}", quoted(&index.name))).collect()
    }

    /// Statements that remove the full-text indexes that go, for a table that has its old name.
    pub(in crate::sqlite) fn drop_fulltexts(&self) -> Vec<String> {
        let gone = self.old.fulltexts.iter().filter(|old| !self.new.fulltexts.iter().any(|new| self.keeps(old, new)));
        gone.flat_map(|index| fulltext::drop(self.old, index)).collect()
    }

    /// Statements that make the full-text indexes that are missing after that.
    pub(in crate::sqlite) fn create_fulltexts(&self) -> Vec<String> {
        let come = self.new.fulltexts.iter().filter(|new| !self.old.fulltexts.iter().any(|old| self.keeps(old, new)));
        come.flat_map(|index| fulltext::create(self.new, index)).collect()
    }

    /// Whether a full-text index is as it was. One whose table is made anew is not: its rows get other numbers. Nor is
    /// one whose table or columns get other names, which are all over it.
    fn keeps(&self, old: &FullText, new: &FullText) -> bool {
        let is_same_column = |(old, new): (&ColumnId, &ColumnId)| {
            self.pair.new_column(*old) == Some(*new) && self.old.column(*old).name == self.new.column(*new).name
        };
        let row = fulltext::row_number;
        (&old.name, old.language, &self.old.name, row(self.old))
            == (&new.name, new.language, &self.new.name, row(self.new))
            && old.columns.len() == new.columns.len()
            && old.columns.iter().zip(&new.columns).all(is_same_column)
            && !self.needs_rebuild()
    }

    /// Statements that change the table, for one that has its new name.
    pub(in crate::sqlite) fn alter(&self) -> Vec<String> {
        if self.needs_rebuild() { self.rebuild() } else { self.alter_in_place() }
    }

    /// Statements that make the indexes that are missing after that.
    pub(in crate::sqlite) fn create_indexes(&self) -> Vec<String> {
        let is_there = |new: &Index| self.old.indexes.iter().any(|old| self.is_same_index(old, new));
        let is_rebuilt = self.needs_rebuild();
        let come = self.new.indexes.iter().filter(|new| is_rebuilt || !is_there(new));
        come.map(|index| ddl::create_index(self.new_schema, self.new, index)).collect()
    }

    fn origin(&self, column: &Column) -> Option<&Column> {
        self.pair.old_column(column.id).map(|id| self.old.column(id))
    }

    /// The columns before that have no place after.
    fn dropped(&self) -> impl Iterator<Item = &Column> {
        self.old.columns.iter().filter(|column| self.pair.new_column(column.id).is_none())
    }

    /// Whether a key of columns before is the same key after.
    fn is_same_key(&self, old: &[ColumnId], new: &[ColumnId]) -> bool {
        old.len() == new.len() && old.iter().zip(new).all(|(old, new)| self.pair.new_column(*old) == Some(*new))
    }

    fn needs_rebuild(&self) -> bool {
        let (old, new) = (self.old, self.new);
        let columns_differ = new.columns.iter().any(|column| match self.origin(column) {
            Some(origin) => self.is_changed(origin, column),
            None => !self.can_be_added(column),
        });
        let uniques_differ = old.uniques.len() != new.uniques.len()
            || !new
                .uniques
                .iter()
                .all(|key| old.uniques.iter().any(|before| self.is_same_key(&before.columns, &key.columns)));
        let references_differ = old.references.len() != new.references.len()
            || !new
                .references
                .iter()
                .all(|after| old.references.iter().any(|before| self.is_same_reference(before, after)));
        // SQLite refuses to drop a column that a key, a reference or an index holds; indexes are gone by then.
        let drops_held = self.dropped().any(|column| {
            let holds = |columns: &[ColumnId]| columns.contains(&column.id);
            holds(&old.primary_key)
                || old.uniques.iter().any(|key| holds(&key.columns))
                || old.references.iter().any(|reference| holds(&reference.columns))
        });
        columns_differ
            || uniques_differ
            || references_differ
            || drops_held
            || ddl::is_kept_by_key(old) != ddl::is_kept_by_key(new)
            || !self.is_same_key(&old.primary_key, &new.primary_key)
            || self.renames_collide()
    }

    fn is_changed(&self, old: &Column, new: &Column) -> bool {
        let is_row_number = ddl::is_row_number(self.new, new);
        let default = |table, column| ddl::stored_default(table, column).cloned();
        !is_kept_the_same(&old.ty, &new.ty)
            || is_row_number != ddl::is_row_number(self.old, old)
            || !is_row_number && old.optional != new.optional
            || default(self.old, old) != default(self.new, new)
    }

    /// Whether `ADD COLUMN` can do it: rows that exist must get a value that SQLite itself can give them.
    fn can_be_added(&self, column: &Column) -> bool {
        let is_filled = match &column.default {
            Some(DefaultValue::Literal(_)) => true,
            Some(_) => false,
            None => column.optional,
        };
        let is_held = self.new.primary_key.contains(&column.id)
            || self.new.uniques.iter().any(|key| key.columns.contains(&column.id))
            || self.new.references.iter().any(|reference| reference.columns.contains(&column.id));
        is_filled && !is_held
    }

    fn is_same_reference(&self, before: &Reference, after: &Reference) -> bool {
        let Some(target) = self.kept.iter().find(|pair| pair.old == before.target && pair.new == after.target) else {
            return false;
        };
        let moved: Option<Vec<ColumnId>> =
            before.target_columns.iter().map(|column| target.new_column(*column)).collect();
        self.is_same_key(&before.columns, &after.columns)
            && moved.as_ref() == Some(&after.target_columns)
            && (before.on_delete, before.on_update) == (after.on_delete, after.on_update)
    }

    fn is_same_index(&self, old: &Index, new: &Index) -> bool {
        let is_same_type = |old, new| self.old.column(old).ty == self.new.column(new).ty;
        (&old.name, old.unique, &old.condition) == (&new.name, new.unique, &new.condition)
            && old.columns.len() == new.columns.len()
            && old.columns.iter().zip(&new.columns).all(|(old, new)| {
                self.pair.new_column(old.column) == Some(new.column)
                    && old.descending == new.descending
                    && is_same_type(old.column, new.column)
            })
    }

    /// Whether a column takes a name that another one still has.
    fn renames_collide(&self) -> bool {
        self.new.columns.iter().any(|column| {
            self.origin(column).is_none_or(|origin| origin.name != column.name)
                && self.old.columns.iter().any(|other| other.name.eq_ignore_ascii_case(&column.name))
        })
    }

    fn alter_in_place(&self) -> Vec<String> {
        let table = quoted(&self.new.name);
        let mut statements = Vec::new();
        for column in self.dropped() {
            statements.push(format!("ALTER TABLE {table} DROP COLUMN {}", quoted(&column.name)));
        }
        for column in &self.new.columns {
            match self.origin(column) {
                Some(origin) if origin.name == column.name => {}
                Some(origin) => {
                    let (from, to) = (quoted(&origin.name), quoted(&column.name));
                    statements.push(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
                }
                None => {
                    let definition = ddl::added_column(self.new_schema, column);
                    statements.push(format!("ALTER TABLE {table} ADD COLUMN {definition}"));
                }
            }
        }
        statements
    }

    fn rebuild(&self) -> Vec<String> {
        let anew = format!("{ANEW}{}", self.new.name);
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in &self.new.columns {
            if let Some(value) = self.value(column) {
                names.push(quoted(&column.name));
                values.push(value);
            }
        }
        let (table, new) = (quoted(&self.new.name), quoted(&anew));
        let mut statements = vec![ddl::create_table(self.new_schema, self.new, Some(&anew))];
        if !names.is_empty() {
            statements.push(format!(
                "INSERT INTO {new} ({}) SELECT {} FROM {table}",
                names.join(", "),
                values.join(", ")
            ));
        }
        statements.push(format!("DROP TABLE {table}"));
        statements.push(format!("ALTER TABLE {new} RENAME TO {table}"));
        statements
    }

    /// What a column of an existing row becomes; nothing when that is null.
    fn value(&self, column: &Column) -> Option<String> {
        let Some(origin) = self.origin(column) else { return self.default(column) };
        let name = quoted(&origin.name);
        let value = if is_kept_the_same(&origin.ty, &column.ty) {
            name
        } else {
            format!("{}({name}, '{}', '{}')", functions::CAST, origin.ty, column.ty)
        };
        // Rows without a value get the default where the column no longer goes without.
        match self.default(column).filter(|_| origin.optional && !column.optional) {
            Some(default) => Some(format!("coalesce({value}, {default})")),
            None => Some(value),
        }
    }

    /// The default as an expression.
    fn default(&self, column: &Column) -> Option<String> {
        match column.default.as_ref()? {
            DefaultValue::Now => Some("strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')".to_owned()),
            DefaultValue::Uuid7 => Some(format!("{}()", functions::UUID7)),
            DefaultValue::Sequence => None,
            DefaultValue::Literal(value) => Some(ddl::literal(value)),
            DefaultValue::Expression(text) => Some(format!("({text})")),
        }
    }
}

/// Whether the values of a type are kept the same way under another.
fn is_kept_the_same(old: &Type, new: &Type) -> bool {
    match (old, new) {
        (Type::Int, Type::BigInt) | (Type::Uuid | Type::Date | Type::Time | Type::Timestamp, Type::Text) => true,
        (Type::Decimal { precision: p, scale: s }, Type::Decimal { precision, scale }) => s == scale && p <= precision,
        (old, new) => old == new,
    }
}
