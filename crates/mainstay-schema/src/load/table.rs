//! One table of a schema file, as TOML, to what it declares.

use toml::de::DeValue;

use super::declared::{DeclaredField, DeclaredIndex, DeclaredKey, DeclaredReference, DeclaredTable};
use super::field::{read_action, read_field};
use super::node::Entry;
use super::source::{Located, Mistakes, near_or};
use super::words::{ACCESS_KEYS, INDEX_KEYS, REFERENCE_KEYS, TABLE_KEYS};
use crate::language::Language;
use crate::model::{Access, Rule};
use crate::stores::MAIN;

/// Reads one entry of a file's top level; `None` if it is no table at all.
pub(super) fn read_table<'a>(entry: &Entry<'a>, mistakes: &mut Mistakes) -> Option<DeclaredTable<'a>> {
    let name = entry.key;
    let remedy = match entry.node.value {
        DeValue::Table(_) => None,
        DeValue::Array(_) => Some(format!("write [{name}] with single brackets")),
        _ => Some(format!("a schema file holds tables only, written as [{name}.fields]")),
    };
    if let Some(remedy) = remedy {
        mistakes.add(entry.key_place, format!("`{name}` is not a table"), remedy);
        return None;
    }
    let members = entry.members("", mistakes)?;
    let mut table = DeclaredTable::new(named(entry));
    for member in &members {
        read_member(&mut table, member, mistakes);
    }
    if table.fields.is_empty() {
        report_no_fields(&table, &members, mistakes);
    }
    Some(table)
}

fn read_member<'a>(table: &mut DeclaredTable<'a>, member: &Entry<'a>, mistakes: &mut Mistakes) {
    match member.key {
        "description" => table.description = member.text(mistakes).map(|text| text.value),
        "was" => table.was = member.text(mistakes),
        "store" => table.store = member.text(mistakes).filter(|store| store.value != MAIN),
        "view" => table.view = member.text(mistakes).and_then(|sql| read_view(sql, mistakes)),
        "fields" => table.fields = read_fields(member, mistakes),
        "primary" => {
            table.primary = member
                .texts("primary = [\"field\", \"other\"]", mistakes)
                .map(|value| Located { value, place: member.node.place });
        }
        "unique" => table.uniques = read_each(member, "name = [\"field\", \"other\"]", mistakes, read_unique),
        "references" => {
            let example = "name = { fields = [\"field\"], table = \"other\", to = [\"key\"] }";
            table.references = read_each(member, example, mistakes, read_reference);
        }
        "indexes" => table.indexes = read_each(member, "name = [\"field\", \"other desc\"]", mistakes, read_index),
        "access" => read_access(&mut table.access, member, mistakes),
        key => {
            let remedy = near_or(key, TABLE_KEYS.map(|(name, _)| name), || {
                format!("fields go under [{}.fields]", table.name.value)
            });
            mistakes.add(member.key_place, format!("unknown key `{key}` in a table"), remedy);
        }
    }
}

fn report_no_fields(table: &DeclaredTable<'_>, members: &[Entry<'_>], mistakes: &mut Mistakes) {
    // Fields that stand under a wrong key, or cannot be read, are mistakes already.
    let is_told = |member: &Entry<'_>| match member.key {
        "fields" => !matches!(member.node.value, DeValue::Table(table) if table.is_empty()),
        key => TABLE_KEYS.iter().all(|(name, _)| *name != key),
    };
    if members.iter().any(is_told) {
        return;
    }
    let name = &table.name.value;
    let remedy = match table.noun() {
        "view" => format!("say under [{name}.fields] which columns its query gives, and their types"),
        _ => format!("add at least one under [{name}.fields]"),
    };
    mistakes.add(table.name.place, format!("the {} `{name}` has no fields", table.noun()), remedy);
}

fn named(entry: &Entry<'_>) -> Located<String> {
    Located { value: entry.key.to_owned(), place: entry.key_place }
}

fn read_view(sql: Located<String>, mistakes: &mut Mistakes) -> Option<Located<String>> {
    let text = sql.value.trim().trim_end_matches(';').trim_end();
    if text.is_empty() {
        mistakes.add(sql.place, "`view` is empty", "write the query that gives its rows: select …");
        return None;
    }
    Some(Located { value: text.to_owned(), place: sql.place })
}

fn read_fields<'a>(entry: &Entry<'a>, mistakes: &mut Mistakes) -> Vec<DeclaredField<'a>> {
    let members = entry.members("[table.fields] and under it name = \"text\"", mistakes).unwrap_or_default();
    members.iter().map(|member| read_field(member, mistakes)).collect()
}

/// Reads each entry of a table of named things; those that cannot be read are left out.
pub(super) fn read_each<'a, T>(
    entry: &Entry<'a>,
    example: &str,
    mistakes: &mut Mistakes,
    read: impl Fn(&Entry<'a>, &mut Mistakes) -> Option<T>,
) -> Vec<T> {
    let members = entry.members(example, mistakes).unwrap_or_default();
    members.iter().filter_map(|member| read(member, mistakes)).collect()
}

fn read_unique(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Option<DeclaredKey> {
    let columns = entry.texts("name = [\"field\", \"other\"]", mistakes)?;
    Some(DeclaredKey { name: named(entry), columns })
}

pub(super) fn read_reference(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Option<DeclaredReference> {
    let example = "{ fields = [\"field\"], table = \"other\", to = [\"key\"] }";
    let members = entry.members(example, mistakes)?;
    let (mut columns, mut target, mut target_columns) = (None, None, None);
    let (mut on_delete, mut on_update) = (None, None);
    let before = mistakes.count();
    for member in &members {
        match member.key {
            "fields" => columns = member.texts("fields = [\"field\", \"other\"]", mistakes),
            "table" => target = member.text(mistakes),
            "to" => target_columns = member.texts("to = [\"field\", \"other\"]", mistakes),
            "on_delete" => on_delete = read_action(member, mistakes),
            "on_update" => on_update = read_action(member, mistakes),
            _ => member.unknown("a reference", &REFERENCE_KEYS, mistakes),
        }
    }
    if let (Some(columns), Some(target)) = (columns, target) {
        return Some(DeclaredReference { name: named(entry), columns, target, target_columns, on_delete, on_update });
    }
    if mistakes.count() == before {
        let problem = format!("the reference `{}` lacks `fields` or `table`", entry.key);
        mistakes.add(entry.key_place, problem, format!("write {} = {example}", entry.key));
    }
    None
}

fn read_index(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Option<DeclaredIndex> {
    let example = "[\"field\", \"other desc\"] or { on = [\"field\"], unique = true } or { fulltext = [\"field\"] }";
    let mut index =
        DeclaredIndex { name: named(entry), columns: Vec::new(), unique: false, condition: None, language: None };
    if !matches!(entry.node.value, DeValue::Table(_)) {
        index.columns = entry.texts(example, mistakes)?;
        return Some(index);
    }
    let before = mistakes.count();
    let members = entry.members(example, mistakes)?;
    let (mut is_fulltext, mut language) = (false, None);
    for member in &members {
        match member.key {
            "on" => index.columns = member.texts("on = [\"field\", \"other desc\"]", mistakes).unwrap_or_default(),
            "unique" => index.unique = member.flag(mistakes).unwrap_or_default(),
            "where" => index.condition = member.text(mistakes).and_then(|sql| read_condition(sql, mistakes)),
            "fulltext" => {
                is_fulltext = true;
                index.columns = member.texts("fulltext = [\"field\", \"other\"]", mistakes).unwrap_or_default();
            }
            "language" => language = member.text(mistakes).and_then(|name| read_language(&name, mistakes)),
            _ => member.unknown("an index", &INDEX_KEYS, mistakes),
        }
    }
    let strange = |key: &str| if is_fulltext { ["on", "unique", "where"].contains(&key) } else { key == "language" };
    if let Some(member) = members.iter().find(|member| strange(member.key)) {
        let problem = format!("`{}` and `fulltext` do not go together", member.key);
        let (problem, remedy) = match is_fulltext {
            true => (problem, "declare two indexes"),
            false => ("`language` is for full-text indexes".to_owned(), "write fulltext = [\"field\"], or remove it"),
        };
        mistakes.add(member.key_place, problem, remedy);
    }
    index.language = is_fulltext.then(|| language.unwrap_or_default());
    if index.columns.is_empty() && mistakes.count() == before {
        let problem = format!("the index `{}` does not say which fields", entry.key);
        mistakes.add(entry.key_place, problem, "write on = [\"field\", \"other desc\"]");
    }
    (!index.columns.is_empty()).then_some(index)
}

fn read_language(name: &Located<String>, mistakes: &mut Mistakes) -> Option<Language> {
    let found = Language::parse(&name.value);
    if found.is_none() {
        let names = Language::ALL.map(|(name, _)| name);
        let remedy = near_or(&name.value, names, || format!("the languages are {}", names.join(", ")));
        mistakes.add(name.place, format!("unknown language `{}`", name.value), remedy);
    }
    found
}

fn read_condition(sql: Located<String>, mistakes: &mut Mistakes) -> Option<String> {
    let text = sql.value.trim();
    if text.is_empty() {
        mistakes.add(sql.place, "`where` is empty", "write an SQL condition, or leave `where` out");
        return None;
    }
    Some(text.to_owned())
}

/// Reads the rules of an access; those that are not given stay as they are.
pub(super) fn read_access(access: &mut Access, entry: &Entry<'_>, mistakes: &mut Mistakes) {
    for member in entry.members("[table.access] and under it read = true", mistakes).unwrap_or_default() {
        let rule = match member.key {
            "read" => &mut access.read,
            "create" => &mut access.create,
            "update" => &mut access.update,
            "delete" => &mut access.delete,
            _ => {
                member.unknown("access", &ACCESS_KEYS, mistakes);
                continue;
            }
        };
        *rule = read_rule(&member, mistakes);
    }
}

pub(super) fn read_rule(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Rule {
    match entry.node.value {
        DeValue::Boolean(true) => Rule::Always,
        DeValue::Boolean(false) => Rule::Never,
        DeValue::String(text) if text.trim() == "true" => Rule::Always,
        DeValue::String(text) if text.trim() == "false" => Rule::Never,
        DeValue::String(_) => {
            mistakes.add(entry.node.place, "the rule language is not there yet", "write true or false");
            Rule::Never
        }
        _ => {
            let problem = format!("`{}` must be true or false, not {}", entry.key, entry.node.kind());
            mistakes.add(entry.node.place, problem, "write true or false");
            Rule::Never
        }
    }
}
