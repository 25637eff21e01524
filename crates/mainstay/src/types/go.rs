//! Go: structs with tags for JSON. What may be null is a pointer.

use std::fmt::Write;

use mainstay_schema::{Column, Type};

use super::names::pascal;
use super::{Entity, Form, MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut body = String::new();
    for entity in model.entities() {
        for (form, suffix) in entity.forms() {
            structure(&mut body, entity, *form, suffix);
        }
    }
    let imports: Vec<_> = [("json.", "\"encoding/json\""), ("time.", "\"time\"")]
        .into_iter()
        .filter(|(used, _)| body.contains(used))
        .collect();
    let mut out = format!("// {MADE}\n\n// Package database has the rows of every table.\npackage database\n");
    if !imports.is_empty() {
        out.push_str("\nimport (\n");
        for (_, path) in imports {
            let _ = writeln!(out, "\t{path}");
        }
        out.push_str(")\n");
    }
    out + &body
}

fn structure(out: &mut String, entity: &Entity<'_>, form: Form, suffix: &str) {
    let name = format!("{}{suffix}", entity.class);
    let _ = write!(out, "\n// {name}: {}\ntype {name} struct {{\n", entity.words(form, Some("nil")));
    let fields = entity.fields(pascal);
    let lines = fields.iter().map(|(column, field)| {
        let is_left_out = form.is_sent() && !column.is_required();
        let omit = if is_left_out { ",omitempty" } else { "" };
        // A name that the JSON package cannot read in a tag is out of its reach.
        let tag =
            tag(&column.name).map_or_else(|| "`json:\"-\"`".to_owned(), |name| format!("`json:\"{name}{omit}\"`"));
        (field, of_column(column, is_left_out), tag)
    });
    let lines: Vec<_> = lines.collect();
    // In columns, as gofmt puts them.
    let field_width = lines.iter().map(|(field, ..)| field.len()).max().unwrap_or_default();
    let type_width = lines.iter().map(|(_, ty, _)| ty.len()).max().unwrap_or_default();
    for (field, ty, tag) in lines {
        let _ = writeln!(out, "\t{field:field_width$} {ty:type_width$} {tag}");
    }
    out.push_str("}\n");
}

/// The name as a tag may hold it: the JSON package reads letters, digits and a few marks.
fn tag(name: &str) -> Option<&str> {
    let is_taken = |c: char| c.is_alphanumeric() || "!#$%&()*+-./:;<=>?@[]^_{|}~ ".contains(c);
    name.chars().all(is_taken).then_some(name)
}

fn of_column(column: &Column, is_left_out: bool) -> String {
    let base = of_type(&column.ty);
    let is_pointer = (column.optional || is_left_out) && !matches!(column.ty, Type::Json | Type::Array(_));
    if is_pointer { format!("*{base}") } else { base }
}

fn of_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int => "int32".to_owned(),
        Type::BigInt => "int64".to_owned(),
        Type::Float => "float64".to_owned(),
        Type::Decimal { .. } => "json.Number".to_owned(),
        Type::Text | Type::Uuid | Type::Bytes | Type::Date | Type::Time => "string".to_owned(),
        Type::Timestamp => "time.Time".to_owned(),
        Type::Json => "json.RawMessage".to_owned(),
        Type::Array(item) => format!("[]{}", of_type(item)),
    }
}
