//! Java: records whose components have the names of the columns, so that JSON libraries need to be told nothing.

use std::fmt::Write;

use mainstay_schema::Type;

use super::names::{quoted, snake};
use super::{Entity, Form, MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!(
        "// {MADE}\n\n{IMPORTS}\n/** Rows of every table. */\npublic final class Database {{\n    private Database() {{}}\n"
    );
    for entity in model.entities() {
        for (form, suffix) in entity.forms() {
            record(&mut out, entity, *form, suffix);
        }
    }
    out.push_str("}\n");
    out
}

const IMPORTS: &str = "import java.math.BigDecimal;\nimport java.time.LocalDate;\nimport java.time.LocalTime;\n\
                       import java.time.OffsetDateTime;\nimport java.util.List;\nimport java.util.UUID;\n";

fn record(out: &mut String, entity: &Entity<'_>, form: Form, suffix: &str) {
    let words = entity.words(form, Some("null")).replace('&', "&amp;").replace('<', "&lt;").replace('@', "&#64;");
    let _ = write!(out, "\n    /** {words} */\n    public record {}{suffix}(", entity.class);
    for (at, (column, field)) in entity.fields(|name| snake(name, RESERVED)).iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let wire = if **field == *column.name {
            String::new()
        } else {
            format!("/* {} */ ", super::names::one_line(&quoted(&column.name)))
        };
        let ty = of_type(&column.ty, column.optional || (form.is_sent() && !column.is_required()));
        let _ = write!(out, "{comma}\n        {wire}{ty} {field}");
    }
    out.push_str(") {}\n");
}

fn of_type(ty: &Type, is_nullable: bool) -> String {
    let pick = |boxed: &str, plain: &str| if is_nullable { boxed.to_owned() } else { plain.to_owned() };
    match ty {
        Type::Bool => pick("Boolean", "boolean"),
        Type::Int => pick("Integer", "int"),
        Type::BigInt => pick("Long", "long"),
        Type::Float => pick("Double", "double"),
        Type::Decimal { .. } => "BigDecimal".to_owned(),
        Type::Text | Type::Bytes => "String".to_owned(),
        Type::Uuid => "UUID".to_owned(),
        Type::Date => "LocalDate".to_owned(),
        Type::Time => "LocalTime".to_owned(),
        Type::Timestamp => "OffsetDateTime".to_owned(),
        Type::Json => "Object".to_owned(),
        Type::Array(item) => format!("List<{}>", of_type(item, true)),
    }
}

/// Words that no component may be called: those of the language, and the methods that every object has without arguments.
const RESERVED: &[&str] = &[
    "abstract",
    "assert",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extends",
    "final",
    "finally",
    "float",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "int",
    "interface",
    "long",
    "native",
    "new",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "short",
    "static",
    "strictfp",
    "super",
    "switch",
    "synchronized",
    "this",
    "throw",
    "throws",
    "transient",
    "try",
    "void",
    "volatile",
    "while",
    "true",
    "false",
    "null",
    "_",
    "clone",
    "finalize",
    "getclass",
    "hashcode",
    "notify",
    "notifyall",
    "tostring",
    "wait",
];
