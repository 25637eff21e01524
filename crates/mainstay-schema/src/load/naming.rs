//! Names: which are allowed, that none is used twice, and that `was` names what is gone.

use std::collections::HashMap;

use super::declared::{DeclaredField, DeclaredTable};
use super::source::{Located, Mistakes};

/// Longest name in characters: what every store can keep.
const NAME_CHARS_MAX: usize = 63;
/// Beginnings of names that Mainstay keeps for itself, and SQLite for itself.
const RESERVED_PREFIXES: [&str; 2] = ["_mainstay", "sqlite_"];

/// Checks the names of tables, fields, keys, references and indexes.
pub(super) fn check_names(tables: &[DeclaredTable<'_>], mistakes: &mut Mistakes) {
    let names = tables.iter().map(|table| &table.name);
    check_each("table", names.clone(), mistakes);
    check_former("table", names, tables.iter().filter_map(|table| table.was.as_ref()), mistakes);
    for table in tables {
        check_fields(&table.fields, mistakes);
        check_each("unique key", table.uniques.iter().map(|key| &key.name), mistakes);
        check_each("reference", table.references.iter().map(|reference| &reference.name), mistakes);
        check_each("index", table.indexes.iter().map(|index| &index.name), mistakes);
    }
}

fn check_fields(fields: &[DeclaredField<'_>], mistakes: &mut Mistakes) {
    let names = fields.iter().map(|field| &field.name);
    check_each("field", names.clone(), mistakes);
    check_former("field", names, fields.iter().filter_map(|field| field.was.as_ref()), mistakes);
}

fn check_each<'a>(what: &str, names: impl Iterator<Item = &'a Located<String>>, mistakes: &mut Mistakes) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in names {
        if let Some((problem, remedy)) = name_problem(&name.value) {
            mistakes.add(name.place, problem, remedy);
        }
        if let Some(first) = seen.insert(name.value.to_ascii_lowercase(), &name.value) {
            let problem = match *first == name.value {
                true => format!("the {what} `{first}` is declared twice"),
                false => format!("the {what} `{}` differs from `{first}` in case only", name.value),
            };
            mistakes.add(name.place, problem, "remove one, or give it another name");
        }
    }
}

/// A `was` must name something that is gone: else it could mean a rename and a drop at once.
fn check_former<'a>(
    what: &str,
    names: impl Iterator<Item = &'a Located<String>>,
    former: impl Iterator<Item = &'a Located<String>>,
    mistakes: &mut Mistakes,
) {
    let current: HashMap<String, &str> =
        names.map(|name| (name.value.to_ascii_lowercase(), name.value.as_str())).collect();
    let mut seen: HashMap<String, &str> = HashMap::new();
    for was in former {
        let folded = was.value.to_ascii_lowercase();
        if let Some(name) = current.get(&folded) {
            mistakes.add(
                was.place,
                format!("`was` names the {what} `{name}`, which still exists"),
                "remove `was`, or the thing it names",
            );
        }
        if seen.insert(folded, &was.value).is_some() {
            let problem = format!("two {what}s say that they were `{}`", was.value);
            mistakes.add(was.place, problem, "keep `was` at the one that takes over its data");
        }
    }
}

/// What is wrong with a name and what would be right, if anything.
pub(super) fn name_problem(name: &str) -> Option<(String, String)> {
    let told = |problem: String, remedy: &str| Some((problem, remedy.to_owned()));
    if name.is_empty() {
        return told("a name is empty".to_owned(), "write one of letters, digits and `_`");
    }
    if name.chars().count() > NAME_CHARS_MAX {
        let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
        return told(
            format!("the name `{}…` is longer than {NAME_CHARS_MAX} characters", shown.escape_debug()),
            "write a shorter one, and say the rest in `description`",
        );
    }
    if let Some(c) = name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '_' | ' ' | '$' | '-')) {
        return told(
            format!("the name `{}` contains {c:?}", name.escape_debug()),
            "write letters, digits, `_`, `$`, single hyphens and spaces only",
        );
    }
    if name.starts_with([' ', '-']) || name.ends_with([' ', '-']) || name.contains("--") {
        return told(
            format!("the name `{name}` begins or ends with a space or hyphen, or has two hyphens together"),
            "leave them out: such a name could not be written in a request",
        );
    }
    let folded = name.to_ascii_lowercase();
    let prefix = RESERVED_PREFIXES.iter().find(|prefix| folded.starts_with(**prefix))?;
    told(format!("the name `{name}` is reserved"), &format!("write one that does not begin with `{prefix}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script() {
        let longest = "x".repeat(NAME_CHARS_MAX);
        for name in ["a", "order_lines", "größe", "日本", "2fa", "unit price", "a-b", "$x", "_private", &longest] {
            assert_eq!(name_problem(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_a_request_or_a_store_could_not_carry() {
        let too_long = "x".repeat(NAME_CHARS_MAX + 1);
        for name in [
            "",
            " a",
            "a ",
            "-a",
            "a-",
            "a--b",
            "a.b",
            "a,b",
            "a\"b",
            "a:b",
            "a(b",
            "a*",
            "a\nb",
            "a\0",
            "_mainstay_x",
            "_Mainstay",
            "sqlite_a",
            &too_long,
        ] {
            assert!(name_problem(name).is_some(), "{name}");
        }
    }
}
