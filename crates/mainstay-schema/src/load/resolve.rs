//! Looking up tables and fields by the names that files use.

use super::declared::DeclaredTable;
use super::source::{Located, Mistakes, listed, near_or};

/// A field: positions of its table and of itself.
pub(super) type FieldAt = (usize, usize);

/// Everything that was declared.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    /// In order of file and place.
    pub(super) declared: Vec<DeclaredTable<'a>>,
    /// Whether all files could be read. If not, a table that is not found may stand in the other file.
    pub(super) is_complete: bool,
}

impl<'a> Tables<'a> {
    /// The table that a file calls so.
    pub(super) fn find(&self, name: &Located<String>, text: &str, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.declared.iter().position(|table| table.name.value == text);
        if found.is_none() && self.is_complete {
            let names = self.declared.iter().map(|table| table.name.value.as_str());
            let remedy = near_or(text, names, || format!("declare it under [{text}.fields], or name another"));
            mistakes.add(name.place, format!("there is no table `{text}`"), remedy);
        }
        found
    }

    /// The field at this position.
    pub(super) fn field(&self, (table, field): FieldAt) -> &super::declared::DeclaredField<'a> {
        &self.declared[table].fields[field]
    }
}

impl DeclaredTable<'_> {
    /// The field that a file calls so.
    pub(super) fn find_field(&self, name: &Located<String>, text: &str, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.fields.iter().position(|field| field.name.value == text);
        if found.is_none() {
            let names = self.fields.iter().map(|field| field.name.value.as_str());
            let remedy = near_or(text, names.clone(), || format!("its fields are {}", listed(names)));
            let problem = format!("the {} `{}` has no field `{text}`", self.noun(), self.name.value);
            mistakes.add(name.place, problem, remedy);
        }
        found
    }

    /// The fields of a list of names; `None` if any is unknown or there twice.
    pub(super) fn find_fields(&self, names: &[Located<String>], mistakes: &mut Mistakes) -> Option<Vec<usize>> {
        let found: Vec<_> = names.iter().map(|name| self.find_field(name, &name.value, mistakes)).collect();
        let found: Option<Vec<usize>> = found.into_iter().collect();
        found.filter(|fields| !has_twice(fields, names, mistakes))
    }
}

/// Notes the first field that a list names twice.
pub(super) fn has_twice(fields: &[usize], names: &[Located<String>], mistakes: &mut Mistakes) -> bool {
    let twice = (1..fields.len()).find(|at| fields[..*at].contains(&fields[*at]));
    if let Some(at) = twice {
        let problem = format!("the field `{}` is listed twice", names[at].value);
        mistakes.add(names[at].place, problem, "name each field once");
    }
    twice.is_some()
}
