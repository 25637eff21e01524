//! Changes of indexes in the schema files of a project.

use std::path::{Path, PathBuf};

use mainstay_schema::load::SourceFile;
use toml_edit::{Array, DocumentMut, Item, TableLike};

use super::Change;

/// Why a schema file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No file declares the table, or none declares the index.
    #[error("no file of schema/ declares {0}")]
    NotDeclared(String),
    /// A file is written in a way that is not understood here.
    #[error("{}: {what} is not written as a table", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// What in it.
        what: String,
    },
}

/// Makes the changes in the files that declare the tables; gives those that are other than before.
///
/// # Errors
/// [`EditError`]; nothing is written here in any case.
pub fn edit(files: &[SourceFile], changes: &[Change]) -> Result<Vec<SourceFile>, EditError> {
    let parse = |file: &SourceFile| Some((file.path.clone(), file.text.parse::<DocumentMut>().ok()?));
    let mut documents: Vec<(PathBuf, DocumentMut)> = files.iter().filter_map(parse).collect();
    for change in changes {
        let (Change::Add { table, .. } | Change::Drop { table, .. }) = change;
        let declares = |(_, document): &&mut (PathBuf, DocumentMut)| document.contains_key(table);
        let (path, document) =
            documents.iter_mut().find(declares).ok_or_else(|| EditError::NotDeclared(table.clone()))?;
        make(path, document, change)?;
    }
    let edited = documents.into_iter().map(|(path, document)| SourceFile { path, text: document.to_string() });
    Ok(edited.filter(|new| files.iter().any(|old| old.path == new.path && old.text != new.text)).collect())
}

fn make(path: &Path, document: &mut DocumentMut, change: &Change) -> Result<(), EditError> {
    let form = |what: &str| EditError::Form { file: path.to_owned(), what: what.to_owned() };
    let (Change::Add { table: name, .. } | Change::Drop { table: name, .. }) = change;
    let table = document.get_mut(name).and_then(Item::as_table_like_mut).ok_or_else(|| form(name))?;
    let indexes = table.entry("indexes").or_insert_with(|| Item::Table(toml_edit::Table::new()));
    let indexes = indexes.as_table_like_mut().ok_or_else(|| form("indexes"))?;
    match change {
        Change::Add { columns, .. } => {
            let words: Vec<&str> = columns.iter().map(|(column, _)| column.as_str()).collect();
            let key = unused(format!("by_{}", words.join("_")), indexes);
            let mut list = Array::new();
            list.extend(columns.iter().map(|(column, descending)| match descending {
                true => format!("{column} desc"),
                false => column.clone(),
            }));
            indexes.insert(&key, toml_edit::value(list));
        }
        Change::Drop { index, .. } => {
            let key = index.strip_prefix(&format!("{name}_")).unwrap_or(index).to_owned();
            indexes.remove(&key).ok_or_else(|| EditError::NotDeclared(index.clone()))?;
            if indexes.is_empty() {
                table.remove("indexes");
            }
        }
    }
    Ok(())
}

/// The name, or the name with a number behind it.
fn unused(name: String, indexes: &dyn TableLike) -> String {
    let mut names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}_{number}")));
    names.find(|name| !indexes.contains_key(name)).expect("there is always a larger number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(table: &str, columns: &[(&str, bool)]) -> Change {
        let columns = columns.iter().map(|(name, descending)| ((*name).to_owned(), *descending)).collect();
        Change::Add { table: table.to_owned(), columns }
    }

    fn drop(table: &str, index: &str) -> Change {
        Change::Drop { table: table.to_owned(), index: index.to_owned() }
    }

    fn check(text: &str, changes: &[Change], expected: &str) {
        let file = SourceFile { path: "schema/a.toml".into(), text: text.to_owned() };
        let edited = edit(&[file], changes).unwrap();
        assert_eq!(edited[0].text, expected);
        mainstay_schema::load::load(&edited).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    }

    const TEXT: &str = "# Ours.\n[a.fields]\nid = { type = \"int\", primary = true } # the key\nb = \"int\"\n\n[c.fields]\nid = { type = \"int\", primary = true }\n";

    #[test]
    fn the_rest_of_a_file_stays_as_it_was() {
        let with = "# Ours.\n[a.fields]\nid = { type = \"int\", primary = true } # the key\nb = \"int\"\n\n[a.indexes]\nby_b = [\"b\"]\n\n[c.fields]\nid = { type = \"int\", primary = true }\n";
        check(TEXT, &[add("a", &[("b", false)])], with);
        check(with, &[drop("a", "a_by_b")], TEXT);
        let both =
            with.replace("by_b = [\"b\"]\n", "by_b = [\"b\"]\nby_b_id = [\"b desc\", \"id\"]\nby_b_2 = [\"b\"]\n");
        check(with, &[add("a", &[("b", true), ("id", false)]), add("a", &[("b", false)])], &both);
    }

    #[test]
    fn what_is_not_declared_is_told() {
        let file = SourceFile { path: "schema/a.toml".into(), text: TEXT.to_owned() };
        let refused = |change| edit(std::slice::from_ref(&file), &[change]).unwrap_err().to_string();
        assert_eq!(refused(add("x", &[("b", false)])), "no file of schema/ declares x");
        assert_eq!(refused(drop("a", "a_other")), "no file of schema/ declares a_other");
    }
}
