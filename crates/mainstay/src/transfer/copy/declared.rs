//! Tables that were found in a database, as tables of ours: what of them can be carried over, and what cannot.

use mainstay_schema::found::{Found, FoundTable};
use mainstay_schema::{Column, DefaultValue, Schema, Table, TableKind, Type, Value};

use crate::project::is_view;

/// A found table as one that Mainstay makes; what it loses goes into `notes`, one sentence each.
pub(super) fn declared(table: &Table, about: &FoundTable, notes: &mut Vec<String>) -> Table {
    let mut made = table.clone();
    made.kind = TableKind::Table;
    for (column, known) in made.columns.iter_mut().zip(&about.columns) {
        let name = format!("{}.{}", table.name, column.name);
        let is_key = table.primary_key.contains(&column.id);
        let counts = table.primary_key == [column.id] && matches!(column.ty, Type::Int | Type::BigInt);
        if known.opaque || is_another_kind(&column.ty, &known.declared) {
            notes.push(format!("{name} ({}) becomes {}, as it is shown", known.declared, column.ty));
        }
        match &column.default {
            _ if known.computed && counts => column.default = Some(DefaultValue::Sequence),
            Some(DefaultValue::Expression(text)) if counts && text.starts_with("nextval(") => {
                column.default = Some(DefaultValue::Sequence);
            }
            Some(DefaultValue::Sequence) if !counts => {
                column.default = None;
                let why = "a sequence is for a whole number that is the primary key alone";
                notes.push(format!("{name} is not counted there: {why}"));
            }
            Some(DefaultValue::Expression(_)) => {
                column.default = None;
                notes.push(format!("the default of {name} is not carried over: it is an expression"));
            }
            _ if known.computed => notes.push(format!("{name} is computed there and will be an ordinary column")),
            _ => {}
        }
        column.optional &= !is_key;
    }
    if about.has_triggers {
        notes.push(format!("the triggers of {} are not carried over", table.name));
    }
    made
}

/// What of a found schema is not carried over whatever its tables are.
pub(super) fn left_behind(schema: &Schema, found: &Found, notes: &mut Vec<String>) {
    notes.push("checks, and indexes of some rows or of expressions, are not carried over".to_owned());
    let views = schema.tables().iter().filter(|table| is_view(schema, table));
    notes.extend(views.map(|view| format!("the view {} is not carried over", view.name)));
    notes.extend(found.left_out.iter().map(|sentence| format!("not carried over: {sentence}")));
}

/// Whether a column of text was declared as something else than text.
fn is_another_kind(ty: &Type, declared: &str) -> bool {
    let declared = declared.to_ascii_lowercase();
    let is_text = ["char", "text", "clob", "name"].iter().any(|word| declared.contains(word));
    *ty == Type::Text && !declared.is_empty() && !is_text
}

/// The value that a column of the target gets where the source has no such column; nothing if there is none.
pub(super) fn absent(column: &Column) -> Option<Value> {
    match &column.default {
        Some(DefaultValue::Literal(value)) => Some(value.clone()),
        _ if column.optional => Some(Value::Null),
        _ => None,
    }
}
