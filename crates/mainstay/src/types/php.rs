//! PHP 8.2: readonly classes, with a way from a decoded row to each.

use std::fmt::Write;

use mainstay_schema::{Column, Type};

use super::names::{single_quoted, snake};
use super::{Entity, Form, MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!("<?php\n\n// {MADE}\n\ndeclare(strict_types=1);\n\nnamespace Database;\n");
    for entity in model.entities() {
        for (form, suffix) in entity.forms() {
            class(&mut out, entity, *form, suffix);
        }
    }
    out
}

fn class(out: &mut String, entity: &Entity<'_>, form: Form, suffix: &str) {
    let name = format!("{}{suffix}", entity.class);
    let words = entity.words(form, None);
    let _ = write!(out, "\n/** {words} */\nfinal readonly class {name}\n{{\n    public function __construct(\n");
    let mut fields = entity.fields(|name| snake(name, &["this"]));
    // What may be left out comes last, as the language wants it.
    fields.sort_by_key(|(column, _)| form.is_sent() && !column.is_required());
    for (column, field) in &fields {
        let is_left_out = form.is_sent() && !column.is_required();
        let default = if is_left_out { " = null" } else { "" };
        let _ = writeln!(out, "        public {} ${field}{default},", of_column(column, is_left_out));
    }
    out.push_str("    ) {\n    }\n");
    if form.is_sent() {
        out.push_str("\n    /** What to send: without what was left out. */\n    public function toArray(): array\n    {\n        return array_filter([\n");
        for (column, field) in &fields {
            let _ = writeln!(out, "            {} => $this->{field},", single_quoted(&column.name));
        }
        out.push_str("        ], fn (mixed $value): bool => $value !== null);\n    }\n");
    } else {
        out.push_str("\n    public static function fromArray(array $row): self\n    {\n        return new self(\n");
        for (column, field) in &fields {
            let cast = if column.ty == Type::Float || matches!(column.ty, Type::Decimal { .. }) {
                number(column)
            } else {
                format!("$row[{}]", single_quoted(&column.name))
            };
            let _ = writeln!(out, "            {field}: {cast},");
        }
        out.push_str("        );\n    }\n");
    }
    out.push_str("}\n");
}

/// A number that JSON may have written without a fraction.
fn number(column: &Column) -> String {
    let value = format!("$row[{}]", single_quoted(&column.name));
    if column.optional { format!("{value} === null ? null : (float) {value}") } else { format!("(float) {value}") }
}

fn of_column(column: &Column, is_left_out: bool) -> String {
    let name = match column.ty {
        Type::Bool => "bool",
        Type::Int | Type::BigInt => "int",
        Type::Float | Type::Decimal { .. } => "float",
        Type::Text | Type::Uuid | Type::Bytes | Type::Date | Type::Time | Type::Timestamp => "string",
        Type::Json => return "mixed".to_owned(),
        Type::Array(_) => "array",
    };
    if column.optional || is_left_out { format!("?{name}") } else { name.to_owned() }
}
