//! How far a copy came: a table in the target, written in the transactions of the rows themselves, that is there as long
//! as the copy goes on.

use std::sync::Arc;

use mainstay_query::plan::{Conflict, Expr, Insert, Output, Read, Source, Write};
use mainstay_schema::{Column, ColumnId, Schema, Table, TableId, TableKind, Type, Value};
use mainstay_store::{Store, StoreError};

use super::super::ledger::read;

/// Name of the table.
pub(super) const TABLE: &str = "_mainstay_copy";
const COLUMNS: [(&str, Type, bool); 4] = [
    ("name", Type::Text, false),
    ("rows", Type::BigInt, false),
    ("reached", Type::Text, true),
    ("finished", Type::Bool, false),
];

/// How far the copy of one table came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Rows that are in the target.
    pub(super) rows: u64,
    /// The key of the last of them: a JSON list of texts and nulls. Nothing before the first row, and without a key.
    pub(super) key: Option<String>,
    /// Whether those are all.
    pub(super) is_finished: bool,
}

/// The table of the ledger.
pub(super) fn table() -> Table {
    let columns = COLUMNS.into_iter().enumerate();
    let columns = columns
        .map(|(at, (name, ty, optional))| Column { optional, ..Column::new(ColumnId(at as u32), name, ty) })
        .collect();
    Table { primary_key: vec![ColumnId(0)], ..Table::new(TableId(0), TABLE, TableKind::Table, columns) }
}

/// The ledger of a copy in the tables of a schema that has one.
pub(super) struct Ledger {
    schema: Arc<Schema>,
    table: TableId,
}

impl Ledger {
    pub(super) fn of(schema: &Arc<Schema>) -> Option<Ledger> {
        let table = schema.find(TABLE)?.id;
        Some(Ledger { schema: schema.clone(), table })
    }

    /// Every note, by the name of its table; that without a name is of the copy itself.
    pub(super) async fn notes(&self, store: &dyn Store) -> Result<Vec<(String, Reached)>, StoreError> {
        let columns = COLUMNS.iter().enumerate();
        let select = columns.map(|(at, (name, ..))| Output {
            name: (*name).into(),
            source: Source::Value(Expr::column(ColumnId(at as u32))),
        });
        let rows = read(store, &self.schema, Read { select: select.collect(), ..Read::new(self.table) }).await?;
        let note = |row: Vec<Option<String>>| {
            let text = |at: usize| row.get(at).cloned().flatten();
            let rows = text(1).and_then(|rows| rows.parse().ok()).unwrap_or(0);
            let is_finished = text(3).as_deref() == Some("true");
            (text(0).unwrap_or_default(), Reached { rows, key: text(2), is_finished })
        };
        Ok(rows.into_iter().map(note).collect())
    }

    /// The write that notes how far the copy of a table came.
    pub(super) fn note(&self, name: &str, reached: &Reached) -> Write {
        let row = [
            Value::Text(name.to_owned()),
            Value::Int(i64::try_from(reached.rows).unwrap_or(i64::MAX)),
            reached.key.clone().map_or(Value::Null, Value::Text),
            Value::Bool(reached.is_finished),
        ];
        let columns: Vec<ColumnId> = (0..COLUMNS.len()).map(|at| ColumnId(at as u32)).collect();
        Write::Insert(Insert {
            table: self.table,
            conflict: Some(Conflict { target: vec![columns[0]], merge: Some(columns[1..].to_vec()) }),
            columns,
            rows: vec![row.into_iter().map(Some).collect()],
            returning: None,
            expect: Default::default(),
        })
    }
}

/// A key as the ledger keeps it.
pub(super) fn key_text(key: &[Value]) -> String {
    let parts: Vec<Option<String>> = key.iter().map(Value::to_text).collect();
    serde_json::to_string(&parts).expect("texts and nulls have a JSON form")
}

/// The key that a note holds, if it is one of these types.
pub(super) fn key_of(text: &str, types: &[&Type]) -> Option<Vec<Value>> {
    let parts: Vec<Option<String>> = serde_json::from_str(text).ok()?;
    if parts.len() != types.len() {
        return None;
    }
    let value = |(part, ty): (Option<String>, &&Type)| match part {
        None => Some(Value::Null),
        Some(text) => Value::parse(ty, &text).ok(),
    };
    parts.into_iter().zip(types).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_as_text() {
        let key = [Value::Int(-3), Value::Text("a\"b".into()), Value::Null];
        let types = [&Type::BigInt, &Type::Text, &Type::Date];
        assert_eq!(key_text(&key), r#"["-3","a\"b",null]"#);
        assert_eq!(key_of(&key_text(&key), &types).unwrap(), key);
        assert_eq!(key_of("[]", &types), None);
        assert_eq!(key_of("[\"x\"]", &[&Type::Int]), None);
    }
}
