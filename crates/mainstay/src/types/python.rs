//! Python: typed dictionaries, which is what the clients give and take.

use std::fmt::Write;

use mainstay_schema::{Column, Type};

use super::names::quoted;
use super::{Entity, MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!("# {MADE}\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n");
    for entity in &model.entities {
        let all = |column: &Column| of_column(column);
        dictionary(&mut out, entity, "", &entity.words(), all);
        if entity.is_writable() {
            let insert = |column: &Column| match column.is_required() {
                true => of_column(column),
                false => format!("NotRequired[{}]", of_column(column)),
            };
            dictionary(&mut out, entity, "Insert", &format!("A new row of `{}`.", entity.table.name), insert);
            let update = |column: &Column| format!("NotRequired[{}]", of_column(column));
            dictionary(
                &mut out,
                entity,
                "Update",
                &format!("What to change in rows of `{}`.", entity.table.name),
                update,
            );
        }
    }
    out
}

fn dictionary(out: &mut String, entity: &Entity<'_>, form: &str, words: &str, of: impl Fn(&Column) -> String) {
    // The form that takes any name at all.
    let _ = write!(
        out,
        "\n# {}\n{}{form} = TypedDict(\n    \"{}{form}\",\n    {{\n",
        super::names::one_line(words),
        entity.class,
        entity.class
    );
    for column in &entity.table.columns {
        let _ = writeln!(out, "        {}: {},", quoted(&column.name), of(column));
    }
    out.push_str("    },\n)\n");
}

fn of_column(column: &Column) -> String {
    let base = match column.checks.variants.is_empty() {
        true => of_type(&column.ty),
        false => {
            let variants: Vec<_> = column.checks.variants.iter().map(|variant| quoted(variant)).collect();
            format!("Literal[{}]", variants.join(", "))
        }
    };
    if column.optional && column.ty != Type::Json { format!("{base} | None") } else { base }
}

fn of_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int | Type::BigInt => "int".to_owned(),
        Type::Float | Type::Decimal { .. } => "float".to_owned(),
        Type::Text | Type::Uuid | Type::Bytes | Type::Date | Type::Time | Type::Timestamp => "str".to_owned(),
        Type::Json => "Any".to_owned(),
        Type::Array(item) => format!("list[{}]", of_type(item)),
    }
}
