//! C#: classes with data contracts, which every JSON library for .NET reads, from the oldest runtime on.

use std::fmt::Write;

use mainstay_schema::Type;

use super::names::{pascal, quoted};
use super::{Entity, Form, MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!(
        "// {MADE}\n\nusing System;\nusing System.Collections.Generic;\nusing System.Runtime.Serialization;\n\nnamespace Database\n{{"
    );
    let mut gap = "";
    for entity in model.entities() {
        for (form, suffix) in entity.forms() {
            out.push_str(gap);
            class(&mut out, entity, *form, suffix);
            gap = "\n";
        }
    }
    out.push_str("}\n");
    out
}

fn class(out: &mut String, entity: &Entity<'_>, form: Form, suffix: &str) {
    let words = entity.words(form, Some("null")).replace('&', "&amp;").replace('<', "&lt;");
    let name = format!("{}{suffix}", entity.class);
    let _ =
        write!(out, "\n    /// <summary>{words}</summary>\n    [DataContract]\n    public sealed class {name}\n    {{");
    for (column, field) in entity.fields(|column| member(column, &name)) {
        let emit = if form.is_sent() { ", EmitDefaultValue = false" } else { "" };
        let ty = of_type(&column.ty, column.optional || (form.is_sent() && !column.is_required()));
        let _ = write!(
            out,
            "\n        [DataMember(Name = {}{emit})]\n        public {ty} {field} {{ get; set; }}\n",
            quoted(&column.name)
        );
    }
    out.push_str("    }");
}

/// A member may not be called as its class is, nor as what every object has.
fn member(column: &str, class: &str) -> String {
    let name = pascal(column);
    let is_taken = name == class
        || ["Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "Finalize"].contains(&name.as_str());
    if is_taken { format!("{name}Value") } else { name }
}

fn of_type(ty: &Type, is_nullable: bool) -> String {
    let value = |name: &str| if is_nullable { format!("{name}?") } else { name.to_owned() };
    match ty {
        Type::Bool => value("bool"),
        Type::Int => value("int"),
        Type::BigInt => value("long"),
        Type::Float => value("double"),
        Type::Decimal { .. } => value("decimal"),
        Type::Uuid => value("Guid"),
        Type::Timestamp => value("DateTimeOffset"),
        Type::Text | Type::Bytes | Type::Date | Type::Time => "string".to_owned(),
        Type::Json => "object".to_owned(),
        Type::Array(item) => format!("List<{}>", of_type(item, true)),
    }
}
