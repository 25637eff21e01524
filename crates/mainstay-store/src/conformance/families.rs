//! Random rows that are inserted together with rows that belong to them.

use mainstay_query::plan::{Expect, Insert, Nested, Part, PartLink, Write};
use mainstay_schema::{ColumnId, Schema, Table, Value};

use super::generate::Tape;

impl Tape<'_> {
    /// Rows of a table and rows that point at them, either of which the write may be about; a plain insert where nothing
    /// points at anything.
    pub(super) fn family(&mut self, schema: &Schema) -> Write {
        let references = schema.tables().iter().flat_map(|table| table.references.iter().map(move |to| (table, to)));
        let references: Vec<_> = references.collect();
        if references.is_empty() {
            return self.insert(schema);
        }
        let (owner, reference) = *self.pick(&references);
        let target = schema.table(reference.target);
        let parents = self.rows(target, &[]);
        let mut children = self.rows(owner, &reference.columns);
        let is_optional = reference.columns.iter().all(|column| owner.column(*column).optional);
        let mut links = Vec::new();
        for row in &mut children.rows {
            let is_alone = is_optional && self.chance(15);
            let cell = if is_alone { Some(Value::Null) } else { None };
            row.extend(reference.columns.iter().map(|_| cell.clone()));
            links.push((!is_alone).then(|| self.below(parents.rows.len())));
        }
        let first = children.columns.len();
        children.columns.extend(&reference.columns);
        let columns = (first..).zip(reference.target_columns.iter().copied()).collect();
        let link = PartLink { part: 0, columns, rows: links };
        let root = self.below(2);
        let returning = self.returning(schema, [target, owner][root]);
        let parts = vec![Part { insert: parents, links: Vec::new() }, Part { insert: children, links: vec![link] }];
        Write::Nested(Nested { parts, root, returning, expect: Expect::default() })
    }

    /// Rows of a table with values for all columns but some.
    fn rows(&mut self, table: &Table, without: &[ColumnId]) -> Insert {
        let columns: Vec<ColumnId> =
            table.columns.iter().map(|column| column.id).filter(|column| !without.contains(column)).collect();
        let count = 1 + self.below(3);
        let row = |tape: &mut Self| columns.iter().map(|column| Some(tape.value_or_null(table, *column))).collect();
        let rows = (0..count).map(|_| row(self)).collect();
        Insert { table: table.id, columns, rows, conflict: None, returning: None, expect: Expect::default() }
    }
}
