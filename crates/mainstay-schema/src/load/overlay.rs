//! What the schema files of a project say about tables that were found in its store: who may do what, words for
//! people, and what is not shown. Everything else about such tables is as the store has it.

use std::collections::HashSet;

use toml::de::DeValue;

use super::SourceFile;
use super::node::Entry;
use super::source::{Mistakes, near_or};
use super::stores::{FoundPart, StorePart, load_stores};
use super::table::read_access;
use super::words::{FOUND_FIELD_KEYS, FOUND_KEYS};
use crate::error::Mistake;
use crate::found::{Found, FoundTable};
use crate::function::{Function, Returns};
use crate::ids::{ColumnId, FunctionId, TableId};
use crate::model::{Access, Index, IndexColumn, Key, Reference, Rule, Schema, Table};

/// Lays `files` over the tables of `found`, each of which may be used as `access` says unless its own file says more.
/// Its functions may be called as `call` says.
///
/// # Errors
/// Every mistake of all files, in order of file and line.
pub fn overlay(files: &[SourceFile], found: &Schema, access: &Access, call: Rule) -> Result<Schema, Vec<Mistake>> {
    load_stores(files, &[StorePart { name: None, found: Some(FoundPart { schema: found, access, call }) }])
}

/// Lays the entries of a store over the tables that it found.
pub(super) fn laid(part: &FoundPart<'_>, entries: &[&Entry<'_>], mistakes: &mut Mistakes) -> Schema {
    let found = part.schema;
    let mut overlay = Overlay { found, tables: found.tables().to_vec(), hidden: Hidden::default() };
    for table in &mut overlay.tables {
        table.access = part.access.clone();
    }
    for entry in entries {
        overlay.read_table(entry, mistakes);
    }
    overlay.finish(part.call)
}

/// Found tables with what was said about them so far.
struct Overlay<'s> {
    found: &'s Schema,
    tables: Vec<Table>,
    hidden: Hidden,
}

/// What is not shown.
#[derive(Default)]
struct Hidden {
    tables: HashSet<TableId>,
    columns: HashSet<(TableId, ColumnId)>,
}

impl Overlay<'_> {
    fn read_table(&mut self, entry: &Entry<'_>, mistakes: &mut Mistakes) {
        let Some(table) = self.found.find(entry.key) else {
            let names = self.found.tables().iter().map(|table| &*table.name);
            let remedy = near_or(entry.key, names, || "name a table or view of the database, or remove this".into());
            return mistakes.add(entry.key_place, format!("the database has no `{}`", entry.key), remedy);
        };
        let Some(members) = entry.members("[table.access] and under it read = true", mistakes) else { return };
        for member in &members {
            match member.key {
                "description" => {
                    let text = member.text(mistakes).map(|text| text.value);
                    self.tables[table.id.index()].description = text;
                }
                "hide" => {
                    if member.flag(mistakes) == Some(true) {
                        self.hidden.tables.insert(table.id);
                    }
                }
                "access" => read_access(&mut self.tables[table.id.index()].access, member, mistakes),
                "fields" => self.read_fields(table, member, mistakes),
                // Read with those of all stores, once it is known which tables there are.
                "store" | "references" => {}
                _ => member.unknown("a table that is served as it was found", &FOUND_KEYS, mistakes),
            }
        }
    }

    fn read_fields(&mut self, table: &Table, entry: &Entry<'_>, mistakes: &mut Mistakes) {
        for member in entry.members("[table.fields] and under it name = { hide = true }", mistakes).unwrap_or_default()
        {
            let Some(column) = table.find_column(member.key) else {
                let names = table.columns.iter().map(|column| &*column.name);
                let remedy = near_or(member.key, names, || format!("name a column of `{}`", table.name));
                mistakes.add(member.key_place, format!("`{}` has no column `{}`", table.name, member.key), remedy);
                continue;
            };
            if matches!(member.node.value, DeValue::String(_)) {
                let remedy = format!("write {} = {{ description = \"…\" }} or {{ hide = true }}", member.key);
                mistakes.add(member.node.place, "the type of a found column is the database's", remedy);
                continue;
            }
            let example = "name = { hide = true }";
            for part in member.members(example, mistakes).unwrap_or_default() {
                match part.key {
                    "description" => {
                        let text = part.text(mistakes).map(|text| text.value);
                        self.tables[table.id.index()].columns[column.id.index()].description = text;
                    }
                    "ref" | "convert" => {}
                    "hide" if part.flag(mistakes) != Some(true) => {}
                    "hide" if table.is_writable() && table.primary_key.contains(&column.id) => {
                        let problem = format!("`{}` is part of the primary key", column.name);
                        mistakes.add(part.key_place, problem, "rows are told apart by it: show it, or hide the table");
                    }
                    "hide" => {
                        self.hidden.columns.insert((table.id, column.id));
                    }
                    _ => part.unknown("a found column", &FOUND_FIELD_KEYS, mistakes),
                }
            }
        }
    }

    /// The schema without what is hidden.
    fn finish(self, call: Rule) -> Schema {
        let Overlay { found, tables, hidden } = self;
        let described = found.found().cloned().unwrap_or_default();
        let ids = places(tables.iter().map(|table| !hidden.tables.contains(&table.id)));
        let columns: Vec<Vec<Option<u32>>> = tables
            .iter()
            .map(|table| places(table.columns.iter().map(|column| !hidden.columns.contains(&(table.id, column.id)))))
            .collect();
        let moved = Moved { ids: &ids, columns: &columns };
        let mut kept = Found { tables: Vec::new(), ..described.clone() };
        let mut shown = Vec::new();
        for table in tables {
            if let Some(id) = ids[table.id.index()] {
                let about = described.table(table.id).cloned().unwrap_or_default();
                let about_columns = about.columns.iter().cloned().zip(&columns[table.id.index()]);
                let about_columns = about_columns.filter(|(_, place)| place.is_some()).map(|(about, _)| about);
                let columns = about_columns.collect();
                let led_to = about.led_to.iter().filter_map(|key| moved.columns(table.id, key)).collect();
                kept.tables.push(FoundTable { columns, led_to, ..about });
                shown.push(moved.table(table, TableId(id)));
            }
        }
        let tables_count = shown.len();
        let schema = Schema::of_found(shown, kept);
        let result = |(position, table): (usize, &Table)| Table {
            id: TableId((tables_count + position) as u32),
            access: Access { read: call, ..Access::default() },
            ..table.clone()
        };
        let results = found.results().iter().enumerate().map(result).collect();
        let functions = found.functions().iter().filter_map(|function| moved.function(found, function, tables_count));
        let numbered = |(position, function)| Function { id: FunctionId(position as u32), access: call, ..function };
        schema.with_functions(functions.enumerate().map(numbered).collect(), results)
    }
}

/// The new place of each thing that is kept.
fn places(kept: impl Iterator<Item = bool>) -> Vec<Option<u32>> {
    let mut next = 0..;
    kept.map(|is_kept| if is_kept { next.next() } else { None }).collect()
}

/// Where tables and columns went.
struct Moved<'m> {
    ids: &'m [Option<u32>],
    columns: &'m [Vec<Option<u32>>],
}

impl Moved<'_> {
    /// The new ids of columns, if all of them are shown.
    fn columns(&self, table: TableId, columns: &[ColumnId]) -> Option<Vec<ColumnId>> {
        columns.iter().map(|column| self.columns[table.index()][column.index()].map(ColumnId)).collect()
    }

    /// A function whose result has moved; nothing if a part of it is hidden.
    fn function(&self, found: &Schema, function: &Function, tables_count: usize) -> Option<Function> {
        let mut function = function.clone();
        let Some(old) = function.rows() else { return Some(function) };
        let new = match old.index().checked_sub(found.tables().len()) {
            Some(result) => TableId((tables_count + result) as u32),
            None => {
                function.sql.columns = self.columns(old, &function.sql.columns)?;
                function.sql.computed = self.columns(old, &function.sql.computed)?;
                TableId(self.ids[old.index()]?)
            }
        };
        match &mut function.returns {
            Returns::Nothing => {}
            Returns::Value { table, .. } | Returns::Rows { table, .. } => *table = new,
        }
        Some(function)
    }

    fn table(&self, table: Table, id: TableId) -> Table {
        let old = table.id;
        let columns = table.columns.into_iter().filter_map(|column| {
            let id = self.columns[old.index()][column.id.index()]?;
            Some(crate::model::Column { id: ColumnId(id), ..column })
        });
        let key = |key: Key| Some(Key { columns: self.columns(old, &key.columns)?, ..key });
        let reference = |reference: Reference| {
            Some(Reference {
                columns: self.columns(old, &reference.columns)?,
                target: TableId(self.ids[reference.target.index()]?),
                target_columns: self.columns(reference.target, &reference.target_columns)?,
                ..reference
            })
        };
        let index = |index: Index| {
            let parts = index.columns.iter().map(|part| {
                let column = ColumnId(self.columns[old.index()][part.column.index()]?);
                Some(IndexColumn { column, ..*part })
            });
            Some(Index { columns: parts.collect::<Option<_>>()?, ..index })
        };
        Table {
            id,
            columns: columns.collect(),
            primary_key: self.columns(old, &table.primary_key).unwrap_or_default(),
            uniques: table.uniques.into_iter().filter_map(key).collect(),
            references: table.references.into_iter().filter_map(reference).collect(),
            indexes: table.indexes.into_iter().filter_map(index).collect(),
            ..table
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;
    use crate::found::FoundColumn;

    /// Declared tables as if they had been found.
    fn found() -> Schema {
        let text = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\nnote = \"text\"\n\n\
                    [toys.fields]\nid = { type = \"int\", primary = true }\nlabel = \"text\"\n\
                    maker_id = { ref = \"makers\" }\n";
        let schema = load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).unwrap();
        let tables: Vec<Table> = schema.tables().iter().filter(|table| !table.internal).cloned().collect();
        let about = |table: &Table| {
            let about =
                |column: &crate::Column| FoundColumn { declared: column.name.to_string(), ..Default::default() };
            FoundTable { columns: table.columns.iter().map(about).collect(), ..FoundTable::default() }
        };
        let described = Found { tables: tables.iter().map(about).collect(), ..Found::default() };
        Schema::of_found(tables, described)
    }

    fn laid(text: &str) -> Result<Schema, Vec<String>> {
        let file = SourceFile { path: "schema/a.toml".into(), text: text.to_owned() };
        let access = Access { read: Rule::Always, ..Access::default() };
        let told = |mistakes: Vec<Mistake>| mistakes.iter().map(|mistake| mistake.problem.clone()).collect();
        overlay(&[file], &found(), &access, Rule::Never).map_err(told)
    }

    #[test]
    fn access_is_that_of_the_store_unless_the_table_says_more() {
        let schema =
            laid("[toys]\ndescription = \"To play with.\"\n[toys.access]\nread = false\ncreate = true").unwrap();
        let (makers, toys) = (schema.find("makers").unwrap(), schema.find("toys").unwrap());
        assert_eq!((makers.access.read, makers.access.create), (Rule::Always, Rule::Never));
        assert_eq!((toys.access.read, toys.access.create), (Rule::Never, Rule::Always));
        assert_eq!(toys.description.as_deref(), Some("To play with."));
    }

    #[test]
    fn what_is_hidden_is_not_there_and_the_rest_moves_up() {
        let schema = laid("[makers]\nhide = true\n[toys.fields]\nlabel = { hide = true }").unwrap();
        assert!(schema.find("makers").is_none());
        let toys = schema.find("toys").unwrap();
        let names: Vec<&str> = toys.columns.iter().map(|column| &*column.name).collect();
        assert_eq!(names, ["id", "maker_id"]);
        assert_eq!(toys.columns[1].id, ColumnId(1));
        assert!(toys.references.is_empty());
        let about = &schema.found().unwrap().table(toys.id).unwrap().columns;
        assert_eq!(about.iter().map(|about| about.declared.as_str()).collect::<Vec<_>>(), names);
        let schema = laid("[makers.fields]\nname = { hide = true }").unwrap();
        let toys = schema.find("toys").unwrap();
        assert_eq!(schema.table(toys.references[0].target).name, "makers".into());
    }

    #[test]
    fn what_the_database_says_cannot_be_said_again() {
        for (text, expected) in [
            ("[toy]\nhide = true", "the database has no `toy`"),
            ("[toys.fields]\nnope = { hide = true }", "`toys` has no column `nope`"),
            ("[toys.fields]\nlabel = \"text\"", "the type of a found column is the database's"),
            ("[toys.fields]\nid = { hide = true }", "`id` is part of the primary key"),
            ("[toys]\nprimary = [\"id\"]", "unknown key `primary` in a table that is served as it was found"),
        ] {
            assert_eq!(laid(text).unwrap_err(), [expected], "{text}");
        }
    }
}
