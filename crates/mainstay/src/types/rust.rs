//! Rust: structs for serde. Decimals keep their digits with the feature `arbitrary_precision` of `serde_json`.

use std::fmt::Write;

use mainstay_schema::{Column, Type};

use super::names::{Names, one_line, pascal, quoted, snake};
use super::{Entity, Form, MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!("//! Rows of every table. {MADE}\n\nuse serde::{{Deserialize, Serialize}};\n");
    for entity in model.entities() {
        for (form, suffix) in entity.forms() {
            structure(&mut out, entity, *form, suffix);
        }
        enums(&mut out, entity);
    }
    out
}

fn structure(out: &mut String, entity: &Entity<'_>, form: Form, suffix: &str) {
    let words = entity.words(form, None);
    let _ = write!(
        out,
        "\n/// {words}\n#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]\npub struct {}{suffix} {{\n",
        entity.class
    );
    let enums = entity.enums();
    for (at, (column, field)) in entity.fields(|name| snake(&name.to_lowercase(), RESERVED)).into_iter().enumerate() {
        let is_left_out = form.is_sent() && !column.is_required();
        let name = enums.get(&at).cloned().unwrap_or_else(|| of_type(&column.ty));
        let _ = writeln!(out, "    /// `{}`", one_line(&column.name));
        if field != *column.name {
            let _ = writeln!(out, "    #[serde(rename = {})]", rust_text(&column.name));
        }
        if is_left_out {
            out.push_str("    #[serde(default, skip_serializing_if = \"Option::is_none\")]\n");
        }
        let is_option = is_left_out || (column.optional && column.ty != Type::Json);
        let _ = writeln!(out, "    pub {field}: {},", if is_option { format!("Option<{name}>") } else { name });
    }
    out.push_str("}\n");
}

fn enums(out: &mut String, entity: &Entity<'_>) {
    for (at, name) in entity.enums() {
        let column: &Column = &entity.columns[at];
        let _ = write!(
            out,
            "\n/// What `{}` can be.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]\npub enum {name} {{\n",
            one_line(&column.name)
        );
        let mut names = Names::default();
        for variant in &column.checks.variants {
            let _ = writeln!(
                out,
                "    /// `{}`\n    #[serde(rename = {})]\n    {},",
                one_line(variant),
                rust_text(variant),
                names.give(&variant_name(variant), &[""])
            );
        }
        out.push_str("}\n");
    }
}

fn variant_name(variant: &str) -> String {
    let name = pascal(variant);
    if name == "Self" { "Self_".to_owned() } else { name }
}

/// A text as Rust reads it: JSON's escapes of control characters are not Rust's.
fn rust_text(text: &str) -> String {
    match text.chars().any(char::is_control) {
        true => format!("{text:?}"),
        false => quoted(text),
    }
}

fn of_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int => "i32".to_owned(),
        Type::BigInt => "i64".to_owned(),
        Type::Float => "f64".to_owned(),
        Type::Decimal { .. } => "serde_json::Number".to_owned(),
        Type::Text | Type::Uuid | Type::Bytes | Type::Date | Type::Time | Type::Timestamp => "String".to_owned(),
        Type::Json => "serde_json::Value".to_owned(),
        Type::Array(item) => format!("Vec<{}>", of_type(item)),
    }
}

const RESERVED: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
