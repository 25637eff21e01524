//! What differs between a table and its former self.

use std::sync::Arc;

use super::pair::TablePair;
use super::step::column_names;
use super::{ColumnChange, Phases, ReferenceDefinition, Step, StepKind, conversion};
use crate::ids::ColumnId;
use crate::model::{Column, DefaultValue, FullText, Index, Key, Reference, ReferenceAction, Schema, Table};

/// Both sides of one kept table.
pub(super) struct Sides<'a> {
    pub(super) old: &'a Schema,
    pub(super) new: &'a Schema,
    /// All kept tables, for what references point at.
    pub(super) kept: &'a [TablePair],
    pub(super) pair: &'a TablePair,
}

/// Adds the steps of one table.
pub(super) fn compare(sides: &Sides<'_>, phases: &mut Phases) {
    let (old, new) = (sides.old_table(), sides.new_table());
    if old.name != new.name {
        let kind = StepKind::RenameTable { from: old.name.clone(), to: new.name.clone() };
        phases.rename_tables.push(Step::new(kind));
    }
    sides.columns(phases);
    sides.primary_key(phases);
    sides.uniques(phases);
    sides.references(phases);
    sides.indexes(phases);
    sides.fulltexts(phases);
}

impl<'a> Sides<'a> {
    fn old_table(&self) -> &'a Table {
        self.old.table(self.pair.old)
    }

    fn new_table(&self) -> &'a Table {
        self.new.table(self.pair.new)
    }

    /// The new positions of old columns; `None` if one is gone.
    fn moved(&self, columns: &[ColumnId]) -> Option<Vec<ColumnId>> {
        columns.iter().map(|column| self.pair.new_column(*column)).collect()
    }

    fn columns(&self, phases: &mut Phases) {
        let (old, new) = (self.old_table(), self.new_table());
        let table = &new.name;
        for column in old.columns.iter().filter(|column| self.pair.new_column(column.id).is_none()) {
            let kind = StepKind::DropColumn { table: table.clone(), column: column.name.clone() };
            phases.drop_columns.push(Step::new(kind).losing(format!("all values of {table}.{} are lost", column.name)));
        }
        for column in &new.columns {
            let Some(before) = self.pair.old_column(column.id) else {
                phases.add_columns.push(added(table, column));
                continue;
            };
            let before = old.column(before);
            if before.name != column.name {
                let (from, to) = (before.name.clone(), column.name.clone());
                phases.rename_columns.push(Step::new(StepKind::RenameColumn { table: table.clone(), from, to }));
            }
            phases.change_columns.extend(self.changed(before, column));
        }
    }

    fn changed(&self, before: &Column, after: &Column) -> Option<Step> {
        let table = &self.new_table().name;
        let change = ColumnChange {
            ty: (before.ty != after.ty).then(|| (before.ty.clone(), after.ty.clone())),
            optional: (before.optional != after.optional).then_some(after.optional),
            default: stored_default(self.old_table(), before) != stored_default(self.new_table(), after),
        };
        if change == ColumnChange::default() {
            return None;
        }
        let mut losses = Vec::new();
        if let Some((from, to)) = &change.ty
            && !conversion::keeps_all(from, to)
        {
            losses.push(format!(
                "values of {table}.{} that {to} cannot hold are lost, or make the store refuse",
                after.name
            ));
        }
        if change.optional == Some(false) && after.default.is_none() {
            losses.push(format!("refused if a row has no value in {table}.{}", after.name));
        }
        let step = Step::new(StepKind::ChangeColumn { table: table.clone(), column: after.name.clone(), change });
        Some(if losses.is_empty() { step } else { step.losing(losses.join("; ")) })
    }

    fn primary_key(&self, phases: &mut Phases) {
        let (old, new) = (self.old_table(), self.new_table());
        if self.moved(&old.primary_key).as_ref() == Some(&new.primary_key) {
            return;
        }
        let from = column_names(old, &old.primary_key);
        let to = column_names(new, &new.primary_key);
        let loss = format!("refused if two rows of {} have the same {}", new.name, to.join(", "));
        let was_unique = self.was_unique(&new.primary_key);
        let step = Step::new(StepKind::ChangePrimaryKey { table: new.name.clone(), from, to });
        phases.primary_keys.push(if was_unique { step } else { step.losing(loss) });
    }

    /// Whether the old table had these columns, all of them required, under a key already, or part of them.
    fn was_unique(&self, columns: &[ColumnId]) -> bool {
        let old = self.old_table();
        let Some(before) = columns.iter().map(|column| self.pair.old_column(*column)).collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        let keys = old.uniques.iter().map(|key| &key.columns).chain([&old.primary_key]);
        keys.filter(|key| !key.is_empty())
            .any(|key| key.iter().all(|column| before.contains(column) && !old.column(*column).optional))
    }

    fn uniques(&self, phases: &mut Phases) {
        let (old, new) = (self.old_table(), self.new_table());
        let same = |before: &Key, after: &Key| {
            before.name == after.name && self.moved(&before.columns).as_ref() == Some(&after.columns)
        };
        for key in old.uniques.iter().filter(|before| !new.uniques.iter().any(|after| same(before, after))) {
            let kind = StepKind::DropUnique { table: old.name.clone(), key: key.name.clone() };
            phases.drop_constraints.push(Step::new(kind));
        }
        for key in new.uniques.iter().filter(|after| !old.uniques.iter().any(|before| same(before, after))) {
            let columns = column_names(new, &key.columns);
            let loss = self.repeated(&key.columns);
            let kind = StepKind::AddUnique { table: new.name.clone(), key: key.name.clone(), columns };
            phases.add_keys.push(Step { kind, loss });
        }
    }

    /// Words about rows that would break a new unique key, where there may be such rows.
    fn repeated(&self, columns: &[ColumnId]) -> Option<String> {
        let new = self.new_table();
        let is_fresh =
            |column: &ColumnId| self.pair.old_column(*column).is_none() && new.column(*column).default.is_none();
        // A new column without a default is null everywhere, or the table is empty.
        if self.was_unique(columns) || columns.iter().any(is_fresh) {
            return None;
        }
        Some(format!("refused if two rows of {} have the same {}", new.name, column_names(new, columns).join(", ")))
    }

    fn references(&self, phases: &mut Phases) {
        let (old, new) = (self.old_table(), self.new_table());
        let same = |before: &Reference, after: &Reference| self.is_same_reference(before, after);
        for reference in old.references.iter().filter(|before| !new.references.iter().any(|after| same(before, after)))
        {
            let kind = StepKind::DropReference { table: old.name.clone(), reference: reference.name.clone() };
            phases.drop_constraints.push(Step::new(kind));
        }
        for reference in new.references.iter().filter(|after| !old.references.iter().any(|before| same(before, after)))
        {
            phases.add_references.push(self.added_reference(reference));
        }
    }

    fn is_same_reference(&self, before: &Reference, after: &Reference) -> bool {
        before.name == after.name
            && (before.on_delete, before.on_update) == (after.on_delete, after.on_update)
            && self.is_same_link(before, after)
    }

    /// Whether two references join the same columns of the same tables.
    fn is_same_link(&self, before: &Reference, after: &Reference) -> bool {
        let target = self.kept.iter().find(|pair| pair.old == before.target && pair.new == after.target);
        let target_columns: Option<Vec<ColumnId>> =
            target.and_then(|target| before.target_columns.iter().map(|column| target.new_column(*column)).collect());
        self.moved(&before.columns).as_ref() == Some(&after.columns)
            && target_columns.as_ref() == Some(&after.target_columns)
    }

    fn added_reference(&self, reference: &Reference) -> Step {
        let new = self.new_table();
        let definition = ReferenceDefinition::new(self.new, new, reference);
        let held_before = self.old_table().references.iter().any(|before| self.is_same_link(before, reference));
        let is_null = |column: &ColumnId| {
            let column = new.column(*column);
            self.pair.old_column(column.id).is_none() && column.optional && column.default.is_none()
        };
        let loss = if held_before || reference.columns.iter().any(is_null) {
            None
        } else {
            let columns = definition.columns.join(", ");
            Some(format!("refused if {columns} of a row of {} names no row of {}", new.name, definition.target))
        };
        let kind = StepKind::AddReference { table: new.name.clone(), reference: reference.name.clone(), definition };
        Step { kind, loss }
    }

    fn indexes(&self, phases: &mut Phases) {
        let (old, new) = (self.old_table(), self.new_table());
        let same = |before: &Index, after: &Index| self.is_same_index(before, after);
        for index in old.indexes.iter().filter(|before| !new.indexes.iter().any(|after| same(before, after))) {
            let kind = StepKind::DropIndex { table: old.name.clone(), index: index.name.clone() };
            phases.drop_constraints.push(Step::new(kind));
        }
        for index in new.indexes.iter().filter(|after| !old.indexes.iter().any(|before| same(before, after))) {
            phases.add_indexes.push(self.added_index(index));
        }
    }

    fn fulltexts(&self, phases: &mut Phases) {
        let (old, new) = (self.old_table(), self.new_table());
        let same = |before: &FullText, after: &FullText| {
            (&before.name, before.language) == (&after.name, after.language)
                && self.moved(&before.columns).as_ref() == Some(&after.columns)
        };
        for index in old.fulltexts.iter().filter(|before| !new.fulltexts.iter().any(|after| same(before, after))) {
            let kind = StepKind::DropFullText { table: old.name.clone(), index: index.name.clone() };
            phases.drop_constraints.push(Step::new(kind));
        }
        for index in new.fulltexts.iter().filter(|after| !old.fulltexts.iter().any(|before| same(before, after))) {
            let kind = StepKind::AddFullText {
                table: new.name.clone(),
                index: index.name.clone(),
                columns: column_names(new, &index.columns),
                language: index.language,
            };
            phases.add_indexes.push(Step::new(kind));
        }
    }

    fn is_same_index(&self, before: &Index, after: &Index) -> bool {
        let columns = |index: &Index| index.columns.iter().map(|column| column.column).collect::<Vec<_>>();
        let directions = |index: &Index| index.columns.iter().map(|column| column.descending).collect::<Vec<_>>();
        before.name == after.name
            && before.unique == after.unique
            && before.condition == after.condition
            && directions(before) == directions(after)
            && self.moved(&columns(before)) == Some(columns(after))
    }

    fn added_index(&self, index: &Index) -> Step {
        let new = self.new_table();
        let shown = |column: &crate::IndexColumn| {
            let name = &new.column(column.column).name;
            if column.descending { format!("{name} desc") } else { name.to_string() }
        };
        let keys: Vec<ColumnId> = index.columns.iter().map(|column| column.column).collect();
        let loss = if index.unique { self.repeated(&keys) } else { None };
        let kind = StepKind::AddIndex {
            table: new.name.clone(),
            index: index.name.clone(),
            columns: index.columns.iter().map(shown).collect(),
            unique: index.unique,
            condition: index.condition.clone(),
        };
        Step { kind, loss }
    }
}

fn added(table: &Arc<str>, column: &Column) -> Step {
    let step = Step::new(StepKind::AddColumn {
        table: table.clone(),
        column: column.name.clone(),
        ty: column.ty.clone(),
        optional: column.optional,
    });
    if !column.is_required() {
        return step;
    }
    step.losing(format!("refused if {table} has rows: {} is required and has no default", column.name))
}

/// The default as far as the store itself must know it; the planner fills in all others.
fn stored_default<'t>(table: &'t Table, column: &'t Column) -> Option<&'t DefaultValue> {
    let sets_default = |reference: &Reference| {
        reference.columns.contains(&column.id)
            && [reference.on_delete, reference.on_update].contains(&ReferenceAction::SetDefault)
    };
    column.default.as_ref().filter(|default| match default {
        DefaultValue::Sequence | DefaultValue::Expression(_) => true,
        DefaultValue::Literal(_) => table.references.iter().any(sets_default),
        DefaultValue::Now | DefaultValue::Uuid7 => false,
    })
}
