//! Schema files of a project whose tables are kept by several stores: each store's own entries are read as if there were
//! no other, then references are followed across all of them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeValue;

use super::build::{self, Built};
use super::columns::check_without_reference;
use super::declared::{DeclaredField, DeclaredKey, DeclaredReference, DeclaredTable, DeclaredType};
use super::node::{self, Entry};
use super::source::{Located, Mistakes, Place, near_or};
use super::table::{read_each, read_reference, read_table};
use super::{SourceFile, internal, keys, naming, overlay, parse, resolve};
use crate::error::Mistake;
use crate::found::Found;
use crate::function::{Function, Returns};
use crate::ids::TableId;
use crate::model::{Access, Key, Reference, Rule, Schema, Table, Texts};
use crate::stores::MAIN;

/// A store of a project.
#[derive(Debug, Clone, Copy)]
pub struct StorePart<'s> {
    /// Its name; `None` for the one called `main`.
    pub name: Option<&'s str>,
    /// Its tables, where it found them; else they are declared.
    pub found: Option<FoundPart<'s>>,
}

/// The tables that a store found.
#[derive(Debug, Clone, Copy)]
pub struct FoundPart<'s> {
    /// All of them.
    pub schema: &'s Schema,
    /// Who may do what with those whose entry says nothing else.
    pub access: &'s Access,
    /// Whether its functions may be called.
    pub call: Rule,
}

/// Reads the schema files of a project, in any order, for its stores: an entry is of the store that it names. Declared
/// tables are in order of path, then of place; tables that were found follow, store after store.
///
/// # Errors
/// Every mistake of all files, in order of file and line.
pub fn load_stores(files: &[SourceFile], stores: &[StorePart<'_>]) -> Result<Schema, Vec<Mistake>> {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut mistakes = Mistakes::default();
    let documents: Vec<_> = files.iter().enumerate().map(|(file, source)| parse(file, source, &mut mistakes)).collect();
    let entries: Vec<Vec<Entry<'_>>> = documents
        .iter()
        .enumerate()
        .map(|(file, document)| document.as_ref().map(|document| node::entries(file, document)).unwrap_or_default())
        .collect();
    let mut entries: Vec<(Option<&str>, &Entry<'_>)> =
        entries.iter().flatten().map(|entry| (store_of(entry), entry)).collect();
    let count = entries.len();
    entries.retain(|(store, entry)| is_known(*store, entry, stores, &mut mistakes));
    let is_complete = documents.iter().all(Option::is_some) && entries.len() == count;
    let of_store = |name: Option<&str>| -> Vec<&Entry<'_>> {
        entries.iter().filter(|(store, _)| *store == name).map(|(_, entry)| *entry).collect()
    };

    let is_declared = |name: Option<&str>| stores.iter().any(|part| part.name == name && part.found.is_none());
    let of_declared = entries.iter().filter(|(store, _)| is_declared(*store));
    let mut declared: Vec<_> = of_declared.filter_map(|(_, entry)| read_table(entry, &mut mistakes)).collect();
    keys::add_generated_ids(&mut declared, &mut mistakes);
    naming::check_names(&declared, &mut mistakes);
    let declared_count = declared.len();

    let mut shown: Vec<(Option<&str>, Schema)> = Vec::new();
    for part in stores {
        let Some(found) = &part.found else { continue };
        let entries = of_store(part.name);
        let schema = overlay::laid(found, &entries, &mut mistakes);
        // Ten thousand tables are not looked at one by one for links that cannot be there.
        let is_linked = stores.len() > 1 || entries.iter().any(|entry| declares_link(entry));
        for table in schema.tables().iter().filter(|_| is_linked) {
            let entry = entries.iter().find(|entry| entry.key == &*table.name);
            let is_view = schema.found().and_then(|found| found.table(table.id)).is_some_and(|about| about.is_view);
            declared.push(found_table(table, is_view, part.name, entry.copied(), &mut mistakes));
        }
        shown.push((part.name, schema));
    }
    let clashes = clashes(&declared, &files, &mut mistakes);
    let built = build::build(&resolve::Tables { declared, is_complete }, &mut mistakes);
    let mut told = if mistakes.count() == 0 { Vec::new() } else { mistakes.into_sorted(&files) };
    told.extend(clashes);
    let (Some(built), true) = (built, told.is_empty()) else { return Err(told) };
    if let ([_], [(_, only)]) = (stores, shown.as_slice()) {
        return Ok(linked(only, &built.far));
    }
    Ok(merge(built, declared_count, stores, shown))
}

/// The store that an entry names; what is no name is told when the entry is read.
fn store_of<'e>(entry: &Entry<'e>) -> Option<&'e str> {
    let table = entry.node.value.as_table()?;
    let store = table.get("store")?.get_ref().as_str()?;
    (store != MAIN).then_some(store)
}

fn is_known(store: Option<&str>, entry: &Entry<'_>, stores: &[StorePart<'_>], mistakes: &mut Mistakes) -> bool {
    let is_known = stores.iter().any(|part| part.name == store);
    if !is_known {
        let name = store.unwrap_or(MAIN);
        let names = stores.iter().map(|part| part.name.unwrap_or(MAIN));
        let remedy = near_or(name, names, || format!("add a section [stores.{name}] with its url to mainstay.toml"));
        mistakes.add(
            entry.key_place,
            format!("`{}` is kept by `{name}`, and there is no such store", entry.key),
            remedy,
        );
    }
    is_known
}

/// A table that is there already, as references see it, with those that its entry declares.
fn found_table<'e>(
    table: &Table,
    is_view: bool,
    store: Option<&str>,
    entry: Option<&Entry<'e>>,
    mistakes: &mut Mistakes,
) -> DeclaredTable<'e> {
    let place = entry.map_or(Place { file: 0, at: 0 }, |entry| entry.key_place);
    let located = |value: String| Located { value, place };
    let field = |column: &crate::model::Column| DeclaredField {
        ty: DeclaredType::Given(Located { value: column.ty.clone(), place }),
        object_ids: column.texts == Texts::ObjectIds,
        primary: table.primary_key.contains(&column.id).then_some(place),
        unique: table.is_key(&[column.id]) && table.primary_key != [column.id],
        ..DeclaredField::new(located(column.name.to_string()))
    };
    let key = |key: &Key| DeclaredKey {
        name: located(key.name.to_string()),
        columns: key.columns.iter().map(|column| located(table.column(*column).name.to_string())).collect(),
    };
    let mut declared = DeclaredTable {
        store: store.map(|store| located(store.to_owned())),
        is_found: true,
        fields: table.columns.iter().map(field).collect(),
        view: (is_view || !table.is_writable()).then(|| located(String::new())),
        uniques: table.uniques.iter().filter(|key| key.columns.len() > 1).map(key).collect(),
        ..DeclaredTable::new(located(table.name.to_string()))
    };
    let members = entry.and_then(|entry| entry.members("", &mut Mistakes::default())).unwrap_or_default();
    for member in &members {
        match member.key {
            "fields" => read_links(&mut declared, member, mistakes),
            "references" => declared.references = read_links_of_several(member, mistakes),
            _ => {}
        }
    }
    declared
}

/// Whether the entry of a found table has a reference.
fn declares_link(entry: &Entry<'_>) -> bool {
    let has = |value: &DeValue<'_>, key: &str| value.as_table().is_some_and(|table| table.contains_key(key));
    let fields = entry.node.value.as_table().and_then(|table| table.get("fields")?.get_ref().as_table());
    has(entry.node.value, "references")
        || fields.is_some_and(|fields| fields.values().any(|field| has(field.get_ref(), "ref")))
}

fn read_links(declared: &mut DeclaredTable<'_>, fields: &Entry<'_>, mistakes: &mut Mistakes) {
    // What is no table, and what names no column, is told where the entry is laid over the table.
    let mut nowhere = Mistakes::default();
    for entry in fields.members("", &mut nowhere).unwrap_or_default() {
        let Some(at) = declared.field(entry.key) else { continue };
        for part in entry.members("", &mut nowhere).unwrap_or_default() {
            let field = &mut declared.fields[at];
            match part.key {
                "ref" => field.reference = part.text(mistakes),
                "convert" => field.convert = part.text(mistakes),
                _ => continue,
            }
            field.name.place = entry.key_place;
        }
        check_without_reference(&declared.fields[at], mistakes);
    }
}

fn read_links_of_several(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Vec<DeclaredReference> {
    read_each(entry, "name = { fields = [\"field\"], table = \"other\", to = [\"key\"] }", mistakes, read_reference)
}

/// Tables of two stores that have one name, which no request could tell apart: told where one of them is declared, or else
/// given back.
fn clashes(tables: &[DeclaredTable<'_>], files: &[&SourceFile], mistakes: &mut Mistakes) -> Vec<Mistake> {
    let mut seen: HashMap<&str, &DeclaredTable<'_>> = HashMap::new();
    let mut clashes = Vec::new();
    for table in tables {
        let Some(first) = seen.insert(&table.name.value, table) else { continue };
        if first.store() != table.store() && table.is_found {
            let [one, other] = [first, table].map(|table| table.store().unwrap_or(MAIN));
            let name = &table.name.value;
            let problem = format!("the stores `{one}` and `{other}` both have a table `{name}`");
            let remedy = format!("hide one: [{name}] with store = \"{other}\" and hide = true");
            if !first.is_found {
                mistakes.add(first.name.place, problem, remedy);
                continue;
            }
            let file = files.first().map_or_else(|| Path::new("mainstay.toml").to_owned(), |file| file.path.clone());
            clashes.push(Mistake { file, line: 1, column: 1, problem, remedy });
        }
    }
    clashes
}

/// The schema of the only store with references that nobody keeps.
fn linked(schema: &Schema, far: &[(usize, Reference)]) -> Schema {
    if far.is_empty() {
        return schema.clone();
    }
    let mut tables = schema.tables().to_vec();
    for (table, reference) in far {
        tables[*table].far_references.push(reference.clone());
    }
    let found = schema.found().cloned().unwrap_or_default();
    Schema::of_found(tables, found).with_functions(schema.functions().to_vec(), schema.results().to_vec())
}

/// Puts what was declared and what was found into one schema.
fn merge(built: Built, declared_count: usize, stores: &[StorePart<'_>], shown: Vec<(Option<&str>, Schema)>) -> Schema {
    let Built { mut tables, far } = built;
    for part in stores.iter().filter(|part| part.found.is_none()) {
        internal::append(&mut tables, part.name);
    }
    // Internal tables stand between the declared ones and those that were found.
    let moved = |id: TableId| match id.index() < declared_count {
        true => id,
        false => TableId((id.index() + tables.len() - declared_count) as u32),
    };
    let far: Vec<(TableId, Reference)> = far
        .into_iter()
        .map(|(table, one)| (moved(TableId(table as u32)), Reference { target: moved(one.target), ..one }))
        .collect();
    let mut functions = (Vec::new(), Vec::new());
    let mut found: Vec<(Option<Arc<str>>, Found)> = Vec::new();
    let found_count: usize = shown.iter().map(|(_, schema)| schema.tables().len()).sum();
    let all = tables.len() + found_count;
    for (store, schema) in shown {
        let first = tables.len();
        let shift = |id: TableId| TableId((id.index() + first) as u32);
        for table in schema.tables() {
            let near = |one: &Reference| Reference { target: shift(one.target), ..one.clone() };
            tables.push(Table {
                id: shift(table.id),
                store: store.map(Into::into),
                references: table.references.iter().map(near).collect(),
                ..table.clone()
            });
        }
        let mut about = schema.found().cloned().unwrap_or_default();
        match store {
            None => functions = main_functions(&schema, first, all),
            Some(name) if !schema.functions().is_empty() => {
                about.left_out.push(format!("functions of the store {name}: only those of {MAIN} are served"));
            }
            Some(_) => {}
        }
        if store.is_some() {
            about.results.clear();
        }
        found.push((store.map(Into::into), about));
    }
    for table in &mut tables {
        let of_table = far.iter().filter(|(owner, _)| *owner == table.id);
        table.far_references = of_table.map(|(_, one)| one.clone()).collect();
    }
    let schema = match (found.is_empty(), stores.len()) {
        (true, 1) => Schema::new(tables),
        _ => Schema::of_stores(tables, found),
    };
    let (functions, results) = functions;
    if functions.is_empty() { schema } else { schema.with_functions(functions, results) }
}

/// The functions of the store `main`, whose first table has moved to `first`, in a schema of so many tables.
fn main_functions(schema: &Schema, first: usize, all: usize) -> (Vec<Function>, Vec<Table>) {
    let count = schema.tables().len();
    let moved = |id: TableId| match id.index().checked_sub(count) {
        Some(result) => TableId((all + result) as u32),
        None => TableId((id.index() + first) as u32),
    };
    let functions = schema.functions().iter().cloned().map(|mut function| {
        match &mut function.returns {
            Returns::Nothing => {}
            Returns::Value { table, .. } | Returns::Rows { table, .. } => *table = moved(*table),
        }
        function
    });
    let results = schema.results().iter().map(|table| Table { id: moved(table.id), ..table.clone() });
    (functions.collect(), results.collect())
}

#[cfg(test)]
mod tests;
