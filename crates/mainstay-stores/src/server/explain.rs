//! The statements of a write, as they are explained.

use mainstay_query::plan::{Read, Write};
use mainstay_schema::Schema;

use crate::sql::{self, Bind, Dialect, From, ReadSql};

/// Gives the statements of a write to `add`, one for each kind of part, as far as they do not depend on what others give.
/// `bare` makes of a part what is run of it, where that is not all.
pub(crate) fn statements<D: Dialect>(
    dialect: D,
    schema: &Schema,
    plan: &Write,
    bare: fn(Write) -> Write,
    add: &mut dyn FnMut(String, &[Bind<'_, D>]),
) {
    match plan {
        Write::Insert(plan) if plan.rows.is_empty() => {}
        Write::Update(plan) if plan.set.is_empty() => {}
        // The rows are read and computed first.
        Write::Update(plan) if plan.set.iter().any(|(_, assign)| assign.as_value().is_none()) => {
            let read = Read::new(plan.table);
            let sql = ReadSql::new(dialect, schema, &read, From::Filter(&plan.filter));
            add(sql.text, &sql.binds);
        }
        Write::Insert(_) | Write::Update(_) | Write::Delete(_) => {
            let plan = bare(plan.clone());
            let sql = match &plan {
                Write::Insert(plan) => sql::insert(dialect, schema, plan),
                Write::Update(plan) => sql::update(dialect, schema, plan),
                Write::Delete(plan) => sql::delete(dialect, schema, plan),
                _ => return,
            };
            add(sql.text, &sql.binds);
        }
        Write::UpdateEach(plan) => {
            if let Some(change) = plan.rows.first() {
                statements(dialect, schema, &Write::Update(plan.update(change)), bare, add);
            }
        }
        Write::Nested(plan) => {
            for part in &plan.parts {
                statements(dialect, schema, &Write::Insert(part.insert.clone()), bare, add);
            }
        }
        Write::Batch(plans) => plans.iter().for_each(|plan| statements(dialect, schema, plan, bare, add)),
        Write::Run(_) => {}
    }
}
