//! One step on the way, and its sentence for people.

use std::fmt;
use std::sync::Arc;

use crate::language::Language;
use crate::model::{Reference, ReferenceAction, Schema, Table};
use crate::types::Type;

/// One step. Prints as one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What to do.
    pub kind: StepKind,
    /// In words: which data is lost, or what would make the store refuse the step.
    pub loss: Option<String>,
}

/// What a step does. Tables are called by their new names from [`StepKind::RenameTable`] on, columns from
/// [`StepKind::RenameColumn`] on, and by their old names before.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StepKind {
    /// Drop a view.
    DropView {
        /// The view, as in the old schema.
        view: Arc<str>,
    },
    /// Drop an index.
    DropIndex {
        /// The table, as in the old schema.
        table: Arc<str>,
        /// The index.
        index: Arc<str>,
    },
    /// Drop a full-text index.
    DropFullText {
        /// The table, as in the old schema.
        table: Arc<str>,
        /// The index.
        index: Arc<str>,
    },
    /// Drop a foreign key.
    DropReference {
        /// The table, as in the old schema.
        table: Arc<str>,
        /// Its constraint name.
        reference: Arc<str>,
    },
    /// Drop a unique key.
    DropUnique {
        /// The table, as in the old schema.
        table: Arc<str>,
        /// Its constraint name.
        key: Arc<str>,
    },
    /// Drop a table with all its keys, references and indexes.
    DropTable {
        /// The table, as in the old schema.
        table: Arc<str>,
    },
    /// Give a table another name.
    RenameTable {
        /// The old name.
        from: Arc<str>,
        /// The new name.
        to: Arc<str>,
    },
    /// Create a table with all its columns, keys, references and indexes.
    CreateTable {
        /// The table, as in the new schema.
        table: Arc<str>,
        /// Its columns.
        columns: Vec<Arc<str>>,
    },
    /// Drop a column. A primary key that held it goes with it; [`StepKind::ChangePrimaryKey`] follows.
    DropColumn {
        /// The table.
        table: Arc<str>,
        /// The column, as in the old schema.
        column: Arc<str>,
    },
    /// Give a column another name.
    RenameColumn {
        /// The table.
        table: Arc<str>,
        /// The old name.
        from: Arc<str>,
        /// The new name.
        to: Arc<str>,
    },
    /// Add a column. Rows that exist get its default.
    AddColumn {
        /// The table.
        table: Arc<str>,
        /// The column, as in the new schema.
        column: Arc<str>,
        /// Its type.
        ty: Type,
        /// Whether null is a value of it.
        optional: bool,
    },
    /// Change what a column may hold. Values become those of the new type that mean the same; [`Step::loss`] warns
    /// where there may be none. Where null was allowed and is no longer, it becomes the default if there is one.
    ChangeColumn {
        /// The table.
        table: Arc<str>,
        /// The column, as in the new schema.
        column: Arc<str>,
        /// What changes.
        change: ColumnChange,
    },
    /// Make other columns the primary key.
    ChangePrimaryKey {
        /// The table.
        table: Arc<str>,
        /// Columns before, by their names in the old schema.
        from: Vec<Arc<str>>,
        /// Columns after.
        to: Vec<Arc<str>>,
    },
    /// Add a unique key.
    AddUnique {
        /// The table.
        table: Arc<str>,
        /// Its constraint name.
        key: Arc<str>,
        /// Its columns.
        columns: Vec<Arc<str>>,
    },
    /// Add a foreign key.
    AddReference {
        /// The table.
        table: Arc<str>,
        /// Its constraint name.
        reference: Arc<str>,
        /// What it says.
        definition: ReferenceDefinition,
    },
    /// Add an index.
    AddIndex {
        /// The table.
        table: Arc<str>,
        /// Its name.
        index: Arc<str>,
        /// Its columns, with ` desc` behind those in descending order.
        columns: Vec<String>,
        /// Whether it forbids duplicates.
        unique: bool,
        /// The condition of a partial index.
        condition: Option<String>,
    },
    /// Add a full-text index.
    AddFullText {
        /// The table.
        table: Arc<str>,
        /// Its name.
        index: Arc<str>,
        /// Its columns.
        columns: Vec<Arc<str>>,
        /// How words are reduced to stems.
        language: Language,
    },
    /// Create a view.
    CreateView {
        /// The view, as in the new schema.
        view: Arc<str>,
    },
}

/// What changes of a column; at least one thing does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnChange {
    /// Old and new type, if they differ.
    pub ty: Option<(Type, Type)>,
    /// Whether null is allowed now, if that differs.
    pub optional: Option<bool>,
    /// Whether the default differs where the store itself needs it: for a sequence, or for `set default`.
    pub default: bool,
}

/// A foreign key by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceDefinition {
    /// Columns here.
    pub columns: Vec<Arc<str>>,
    /// The table pointed at.
    pub target: Arc<str>,
    /// Columns there.
    pub target_columns: Vec<Arc<str>>,
    /// What happens here when the row there is deleted.
    pub on_delete: ReferenceAction,
    /// What happens here when the key there changes.
    pub on_update: ReferenceAction,
}

impl ReferenceDefinition {
    /// Writes a reference of `table` with names instead of ids.
    pub(super) fn new(schema: &Schema, table: &Table, reference: &Reference) -> ReferenceDefinition {
        let target = schema.table(reference.target);
        ReferenceDefinition {
            columns: column_names(table, &reference.columns),
            target: target.name.clone(),
            target_columns: column_names(target, &reference.target_columns),
            on_delete: reference.on_delete,
            on_update: reference.on_update,
        }
    }
}

/// The names of some columns of a table.
pub(super) fn column_names(table: &Table, columns: &[crate::ColumnId]) -> Vec<Arc<str>> {
    columns.iter().map(|column| table.column(*column).name.clone()).collect()
}

impl Step {
    /// A step that loses nothing and is always taken.
    pub(super) fn new(kind: StepKind) -> Step {
        Step { kind, loss: None }
    }

    /// The step with these words about what it loses or needs.
    pub(super) fn losing(mut self, loss: String) -> Step {
        self.loss = Some(loss);
        self
    }

    /// The sentence, and what may make the store refuse the step.
    pub fn in_words(&self) -> String {
        match &self.loss {
            Some(condition) if !self.is_destructive() => format!("{self} ({condition})"),
            _ => self.to_string(),
        }
    }

    /// Whether data is lost when the step is taken. A step that the store may refuse loses nothing by that.
    pub fn is_destructive(&self) -> bool {
        match &self.kind {
            StepKind::DropTable { .. } | StepKind::DropColumn { .. } => true,
            StepKind::ChangeColumn { change, .. } => {
                change.ty.as_ref().is_some_and(|(from, to)| !super::conversion::keeps_all(from, to))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepKind::DropView { view } => write!(f, "drop view {view}"),
            StepKind::DropIndex { table, index } => write!(f, "drop index {index} of {table}"),
            StepKind::DropFullText { table, index } => write!(f, "drop full-text index {index} of {table}"),
            StepKind::DropReference { table, reference } => write!(f, "drop reference {reference} of {table}"),
            StepKind::DropUnique { table, key } => write!(f, "drop unique key {key} of {table}"),
            StepKind::DropTable { table } => write!(f, "drop table {table}"),
            StepKind::RenameTable { from, to } => write!(f, "rename table {from} to {to}"),
            StepKind::CreateTable { table, columns } => write!(f, "create table {table} ({})", columns.join(", ")),
            StepKind::DropColumn { table, column } => write!(f, "drop field {table}.{column}"),
            StepKind::RenameColumn { table, from, to } => write!(f, "rename field {table}.{from} to {to}"),
            StepKind::AddColumn { table, column, ty, optional } => {
                write!(f, "add field {table}.{column}: {ty}{}", if *optional { ", optional" } else { "" })
            }
            StepKind::ChangeColumn { table, column, change } => write!(f, "change field {table}.{column}: {change}"),
            StepKind::ChangePrimaryKey { table, from, to } => {
                write!(f, "change primary key of {table}: ({}) to ({})", from.join(", "), to.join(", "))
            }
            StepKind::AddUnique { table, key, columns } => {
                write!(f, "add unique key {key}: {table} ({})", columns.join(", "))
            }
            StepKind::AddReference { table, reference, definition } => {
                write!(f, "add reference {reference}: {table} {definition}")
            }
            StepKind::AddIndex { table, index, columns, unique, condition } => {
                let unique = if *unique { "unique " } else { "" };
                write!(f, "add {unique}index {index}: {table} ({})", columns.join(", "))?;
                condition.iter().try_for_each(|condition| {
                    write!(f, " where {}", condition.split_whitespace().collect::<Vec<_>>().join(" "))
                })
            }
            StepKind::AddFullText { table, index, columns, language } => {
                write!(f, "add full-text index {index}: {table} ({}), {}", columns.join(", "), language.name())
            }
            StepKind::CreateView { view } => write!(f, "create view {view}"),
        }
    }
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some((from, to)) = &self.ty {
            parts.push(format!("{from} to {to}"));
        }
        match self.optional {
            Some(true) => parts.push("required to optional".to_owned()),
            Some(false) => parts.push("optional to required".to_owned()),
            None => {}
        }
        if self.default {
            parts.push("another default".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for ReferenceDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) to {} ({})", self.columns.join(", "), self.target, self.target_columns.join(", "))?;
        for (word, action) in [("delete", self.on_delete), ("update", self.on_update)] {
            let action = match action {
                ReferenceAction::Restrict => continue,
                ReferenceAction::Cascade => "cascade",
                ReferenceAction::SetNull => "set null",
                ReferenceAction::SetDefault => "set default",
            };
            write!(f, ", on {word} {action}")?;
        }
        Ok(())
    }
}
