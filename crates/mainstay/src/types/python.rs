//! Python: typed dictionaries, which is what the clients give and take.

use std::fmt::Write;

use mainstay_schema::{Column, Type};

use super::names::{one_line, quoted};
use super::{Entity, MADE, Model, Of};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!("# {MADE}\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n");
    for entity in model.entities() {
        for (form, suffix) in entity.forms() {
            let is_left_out = |column: &Column| form.is_sent() && !column.is_required();
            dictionary(&mut out, entity, suffix, &entity.words(*form, None), is_left_out);
        }
        if let Of::Table(table) = entity.of
            && table.is_writable()
        {
            let words = format!("What to change in rows of `{}`.", one_line(&table.name));
            dictionary(&mut out, entity, "Update", &words, |_| true);
        }
    }
    out
}

fn dictionary(out: &mut String, entity: &Entity<'_>, suffix: &str, words: &str, is_left_out: impl Fn(&Column) -> bool) {
    let name = format!("{}{suffix}", entity.class);
    // The form that takes any name at all.
    let _ = write!(out, "\n# {words}\n{name} = TypedDict(\n    \"{name}\",\n    {{\n");
    for column in entity.columns {
        let ty = of_column(column);
        let ty = if is_left_out(column) { format!("NotRequired[{ty}]") } else { ty };
        let _ = writeln!(out, "        {}: {ty},", quoted(&column.name));
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
