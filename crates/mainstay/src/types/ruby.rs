//! Ruby: structs with keywords.

use std::fmt::Write;

use super::names::{one_line, single_quoted};
use super::{MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!("# frozen_string_literal: true\n\n# {MADE}\nmodule Database\n");
    for (at, entity) in model.entities().enumerate() {
        let gap = if at == 0 { "" } else { "\n" };
        // A struct takes keywords and leaves out what is not given, so that one does for rows and new rows.
        let (form, _) = entity.forms()[0];
        let _ = writeln!(out, "{gap}  # {}\n  {} = Struct.new(", entity.words(form, None), entity.class);
        for column in entity.columns {
            let null = if column.optional { " or nil" } else { "" };
            let _ = writeln!(out, "    :{}, # {}{null}", single_quoted(&column.name), one_line(&column.ty.to_string()));
        }
        out.push_str("    keyword_init: true\n  )\n");
    }
    out.push_str("end\n");
    out
}
