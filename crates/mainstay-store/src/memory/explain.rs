//! Plans in words.

use mainstay_query::plan::{Filter, Join, Read, Write};
use mainstay_schema::{Schema, TableId};

/// One line for each thing that a read does, embeds indented below it.
pub(super) fn read(schema: &Schema, plan: &Read) -> Vec<String> {
    let mut lines = Vec::new();
    read_lines(schema, plan, 0, &mut lines);
    lines
}

/// One line for each thing that a write does.
pub(super) fn write(schema: &Schema, plan: &Write) -> Vec<String> {
    let mut lines = match plan {
        Write::Insert(insert) => {
            let how = match &insert.conflict {
                None => "",
                Some(conflict) if conflict.merge.is_some() => ", merging into rows that are there",
                Some(_) => ", skipping rows that are there",
            };
            vec![format!("insert {} rows into {}{how}", insert.rows.len(), name(schema, insert.table))]
        }
        Write::Update(update) => {
            let set = update.set.iter().map(|(column, _)| &*schema.table(update.table).column(*column).name);
            let set = set.collect::<Vec<_>>().join(", ");
            vec![format!("update {} where {}, setting {set}", name(schema, update.table), shown(&update.filter))]
        }
        Write::UpdateEach(update) => {
            let key = update.key.iter().map(|column| &*schema.table(update.table).column(*column).name);
            let key = key.collect::<Vec<_>>().join(", ");
            vec![format!("update {} rows of {} by {key}", update.rows.len(), name(schema, update.table))]
        }
        Write::Delete(delete) => {
            vec![format!("delete from {} where {}", name(schema, delete.table), shown(&delete.filter))]
        }
        Write::Nested(nested) => {
            nested.parts.iter().flat_map(|part| write(schema, &Write::Insert(part.insert.clone()))).collect()
        }
        Write::Batch(writes) => writes.iter().flat_map(|one| write(schema, one)).collect(),
        Write::Run(run) => vec![format!("run {}, which is refused", schema.function(run.call.function).name)],
    };
    if let Some(returning) = plan.returning() {
        lines.push("return".to_owned());
        embed_lines(schema, returning, 1, &mut lines);
    }
    lines
}

fn read_lines(schema: &Schema, plan: &Read, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    lines.push(format!("{indent}scan {} where {}", name(schema, plan.table), shown(&plan.filter)));
    for order in &plan.order {
        let column = &schema.table(order.via.as_ref().map_or(plan.table, |via| via.table)).column(order.expr.column);
        let direction = if order.descending { "descending" } else { "ascending" };
        let nulls = if order.nulls_first { "first" } else { "last" };
        lines.push(format!("{indent}sort by {} {direction}, nulls {nulls}", column.name));
    }
    if plan.offset > 0 || plan.limit.is_some() {
        let limit = plan.limit.map_or("all".to_owned(), |limit| limit.to_string());
        lines.push(format!("{indent}skip {}, take {limit}", plan.offset));
    }
    embed_lines(schema, plan, depth, lines);
}

fn embed_lines(schema: &Schema, plan: &Read, depth: usize, lines: &mut Vec<String>) {
    for output in &plan.select {
        if let Some(embed) = output.source.embed() {
            let through = match &embed.link.join {
                Join::Direct(_) => String::new(),
                Join::Through { table, .. } => format!(" through {}", name(schema, *table)),
            };
            lines.push(format!("{}for each row, {}{through}:", "  ".repeat(depth), output.name));
            read_lines(schema, &embed.read, depth + 1, lines);
        }
    }
}

fn name(schema: &Schema, table: TableId) -> &str {
    &schema.table(table).name
}

fn shown(filter: &Filter) -> String {
    format!("{filter:?}")
}
