//! What a caller is told about the keys that a store found broken: of other tables and of values that the caller did
//! not bring only what the rules let it read. Also finds the row of the body, which only the plan knows.

use std::sync::Arc;

use mainstay_query::Actor;
use mainstay_query::authorize::{Operation, need};
use mainstay_query::plan::{Insert, Write};
use mainstay_schema::{Schema, Table, Value};
use mainstay_store::{BrokenReference, ReferenceEnd, StoreError};

/// The store's error as this actor may see it, whose plan failed.
pub(crate) fn conceal_fault(schema: &Schema, actor: &Actor, plan: &Write, mut error: StoreError) -> StoreError {
    let may_read =
        |name: &str| schema.find(name).is_some_and(|table| need(schema, actor, table.id, Operation::Read).is_ok());
    let view = View { schema, plan };
    match &mut error {
        StoreError::Duplicate { table, columns, values, .. } => {
            if values.is_none() {
                *values = view.only_row(table, columns);
            }
            values.take_if(|values| !view.brings(table, columns, values) && !may_read(table));
        }
        StoreError::Reference { table, broken } => {
            // A cascade came to a table that the request does not name.
            broken.take_if(|broken| broken.table != *table && !may_read(&broken.table));
            if let Some(broken) = broken {
                view.conceal_reference(broken, &may_read);
            }
        }
        _ => {}
    }
    error
}

/// What the caller knows: the schema's names and its own write.
struct View<'a> {
    schema: &'a Schema,
    plan: &'a Write,
}

impl<'a> View<'a> {
    fn conceal_reference(&self, broken: &mut BrokenReference, may_read: &dyn Fn(&str) -> bool) {
        let values = broken.values.as_deref().unwrap_or_default();
        let is_pointing = broken.end == ReferenceEnd::Pointing;
        let is_brought = is_pointing && self.brings(&broken.table, &broken.columns, values);
        if is_pointing {
            broken.row = self.row(&broken.table, &broken.columns, values);
        }
        if !is_brought && !may_read(&broken.table) {
            broken.values = None;
        }
        if broken.other.take_if(|other| !may_read(other)).is_some() && !is_pointing {
            // The constraint is the other table's and bears its name.
            broken.constraint = None;
        }
    }

    /// The values of a write of a single row.
    fn only_row(&self, table: &str, columns: &[Arc<str>]) -> Option<Vec<String>> {
        let (table, insert) = self.insert_into(table)?;
        let [row] = &insert.rows[..] else { return None };
        columns.iter().map(|column| cell(table, insert, row, column)?.to_text()).collect()
    }

    /// Whether the write itself gives these values to these columns.
    fn brings(&self, table: &str, columns: &[Arc<str>], values: &[String]) -> bool {
        if let Write::Update(update) = self.plan {
            let table = self.schema.table(update.table).name.as_ref() == table;
            let is_set = |name: &Arc<str>| {
                let column = self.schema.table(update.table).find_column(name);
                column.is_some_and(|column| update.set.iter().any(|(set, _)| *set == column.id))
            };
            return table && columns.iter().all(is_set);
        }
        if let Write::UpdateEach(update) = self.plan {
            let target = self.schema.table(update.table);
            let sets = |(name, value): (&Arc<str>, &String)| {
                let column = target.find_column(name).map(|column| column.id);
                update.rows.iter().any(|row| {
                    row.set.iter().any(|(set, assign)| {
                        Some(*set) == column && assign.as_value().and_then(Value::to_text).as_ref() == Some(value)
                    })
                })
            };
            return *target.name == *table && columns.iter().zip(values).all(sets);
        }
        self.place(table, columns, values).is_some()
    }

    /// The number of the first row with these values, where there are several.
    fn row(&self, table: &str, columns: &[Arc<str>], values: &[String]) -> Option<usize> {
        let Write::Insert(_) = self.plan else { return None };
        let (_, insert) = self.insert_into(table)?;
        let place = self.place(table, columns, values)?;
        (insert.rows.len() > 1).then_some(place + 1)
    }

    fn place(&self, table: &str, columns: &[Arc<str>], values: &[String]) -> Option<usize> {
        let (table, insert) = self.insert_into(table)?;
        insert.rows.iter().position(|row| {
            columns.iter().zip(values).all(|(column, value)| {
                let given = cell(table, insert, row, column).and_then(Value::to_text);
                given.as_deref() == Some(value)
            })
        })
    }

    fn insert_into(&self, table: &str) -> Option<(&'a Table, &'a Insert)> {
        match self.plan {
            Write::Nested(nested) => {
                let of = |part: &'a mainstay_query::plan::Part| (self.schema.table(part.insert.table), &part.insert);
                nested.parts.iter().map(of).find(|(target, _)| *target.name == *table)
            }
            Write::Insert(insert) => {
                let target = self.schema.table(insert.table);
                (*target.name == *table).then_some((target, insert))
            }
            _ => None,
        }
    }
}

fn cell<'r>(table: &Table, insert: &Insert, row: &'r [Option<Value>], column: &str) -> Option<&'r Value> {
    let column = table.find_column(column)?.id;
    row[insert.columns.iter().position(|id| *id == column)?].as_ref()
}

#[cfg(test)]
mod tests {
    use mainstay_query::Role;
    use mainstay_query::plan::{Delete, Expect, Filter};
    use mainstay_schema::load::{SourceFile, load};
    use mainstay_schema::{Access, Rule};

    use super::*;

    /// `parents`, and `children` that point at them; each may be read or not.
    fn schema(parents: bool, children: bool) -> Schema {
        let text = "[parents.fields]\nid = { type = \"int\", primary = true }\n\
                    [children.fields]\nid = { type = \"int\", primary = true }\nparent = { ref = \"parents\" }\n";
        let file = SourceFile { path: "schema/test.toml".into(), text: text.to_owned() };
        let mut tables = load(&[file]).unwrap().tables().to_vec();
        for table in &mut tables {
            let is_read = if &*table.name == "parents" { parents } else { children };
            table.access = Access { read: if is_read { Rule::Always } else { Rule::Never }, ..Access::default() };
        }
        Schema::new(tables)
    }

    fn insert(schema: &Schema, parents: &[i64]) -> Write {
        let table = schema.find("children").unwrap();
        let columns = ["id", "parent"].map(|name| table.find_column(name).unwrap().id).to_vec();
        let rows = parents.iter().map(|parent| vec![Some(Value::Int(1)), Some(Value::Int(*parent))]).collect();
        let (conflict, returning, expect) = (None, None, Expect::default());
        Write::Insert(Insert { table: table.id, columns, rows, conflict, returning, expect })
    }

    fn delete(schema: &Schema, table: &str) -> Write {
        let table = schema.find(table).unwrap().id;
        Write::Delete(Delete { table, filter: Filter::True, returning: None, expect: Expect::default() })
    }

    /// What an anonymous caller is told of a reference: `constraint values other row`.
    fn told(schema: &Schema, plan: &Write, written: &str, end: ReferenceEnd, value: i64) -> String {
        let owner = schema.find("children").unwrap();
        let make = match end {
            ReferenceEnd::Pointing => BrokenReference::missing,
            ReferenceEnd::Target => BrokenReference::held,
        };
        let broken = Some(Box::new(make(schema, owner, &owner.references[0], &[Value::Int(value)])));
        let error = StoreError::Reference { table: written.into(), broken };
        match conceal_fault(schema, &Actor::Caller(Role::Anon), plan, error) {
            StoreError::Reference { broken: None, .. } => "nothing".to_owned(),
            StoreError::Reference { broken: Some(broken), .. } => {
                let known = |part: Option<String>| part.unwrap_or("-".to_owned());
                let name = |name: Option<Arc<str>>| known(name.map(|name| name.to_string()));
                let values = known(broken.values.map(|values| values.join(",")));
                let row = known(broken.row.map(|row| row.to_string()));
                format!("{} {values} {} {row}", name(broken.constraint), name(broken.other))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_a_missing_target_only_what_the_caller_brought_or_may_read_is_told() {
        for (readable, given, expected) in [
            ((true, true), &[9][..], "children_parent_fkey 9 parents -"),
            ((true, false), &[9], "children_parent_fkey 9 parents -"),
            ((false, false), &[9], "children_parent_fkey 9 - -"),
            ((true, true), &[1, 9], "children_parent_fkey 9 parents 2"),
            // The write brought another value than the one that is missing.
            ((true, true), &[1], "children_parent_fkey 9 parents -"),
            ((true, false), &[1], "children_parent_fkey - parents -"),
        ] {
            let schema = schema(readable.0, readable.1);
            let plan = insert(&schema, given);
            assert_eq!(told(&schema, &plan, "children", ReferenceEnd::Pointing, 9), expected, "{readable:?} {given:?}");
        }
    }

    #[test]
    fn who_holds_a_key_is_told_only_to_those_who_may_read_it() {
        for (readable, expected) in [
            ((true, true), "children_parent_fkey 2 children -"),
            ((true, false), "- 2 - -"),
            ((false, true), "children_parent_fkey - children -"),
            ((false, false), "- - - -"),
        ] {
            let schema = schema(readable.0, readable.1);
            let plan = delete(&schema, "parents");
            assert_eq!(told(&schema, &plan, "parents", ReferenceEnd::Target, 2), expected, "{readable:?}");
        }
    }

    #[test]
    fn of_a_table_that_a_cascade_came_to_nothing_is_told_to_those_who_may_not_read_it() {
        for (readable, expected) in [(true, "children_parent_fkey 2 children -"), (false, "nothing")] {
            let schema = schema(readable, true);
            let plan = delete(&schema, "children");
            assert_eq!(told(&schema, &plan, "children", ReferenceEnd::Target, 2), expected);
        }
    }

    #[test]
    fn values_of_a_duplicate_are_those_of_the_write_or_of_a_table_that_may_be_read() {
        let told = |readable, given: &[i64], values: Option<&str>| {
            let schema = schema(true, readable);
            let values = values.map(|value| vec![value.to_owned()]);
            let (key, columns) = ("key".into(), vec!["parent".into()]);
            let error = StoreError::Duplicate { table: "children".into(), key, columns, values };
            match conceal_fault(&schema, &Actor::Caller(Role::Anon), &insert(&schema, given), error) {
                StoreError::Duplicate { values, .. } => values.map(|values| values.join(",")),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(told(false, &[4], None).as_deref(), Some("4"));
        assert_eq!(told(false, &[4, 5], None), None);
        assert_eq!(told(false, &[4, 5], Some("5")).as_deref(), Some("5"));
        assert_eq!(told(false, &[4, 5], Some("6")), None);
        assert_eq!(told(true, &[4, 5], Some("6")).as_deref(), Some("6"));
    }
}
