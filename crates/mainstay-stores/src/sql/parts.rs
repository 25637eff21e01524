//! What tables are made of, part by part, as a server describes them itself; and how two such descriptions differ.

use std::collections::BTreeMap;

/// How each part of each table is: the table, the part, and how that is. A table has a part that is called `is`.
pub(crate) type Parts = BTreeMap<(String, String), String>;

/// What is said of tables that are there and not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// That they are there.
    Told,
    /// Nothing.
    Ignored,
}

/// What of `found` is not as it is `wanted`, one sentence a part.
pub(crate) fn differences(wanted: &Parts, found: &Parts, extra: Extra) -> Vec<String> {
    let has = |parts: &Parts, table: &str| parts.keys().any(|(other, _)| other == table);
    let is_whole = |part: &str| part == "is";
    let mut sentences = Vec::new();
    for ((table, part), how) in wanted {
        match found.get(&(table.clone(), part.clone())) {
            Some(other) if other == how => {}
            Some(other) => sentences.push(format!("{table}: {part} {other}, not {how}")),
            None if is_whole(part) => sentences.push(format!("{table} is missing")),
            None if has(found, table) => sentences.push(format!("{table}: {part} is missing")),
            None => {}
        }
    }
    for (table, part) in found.keys().filter(|key| !wanted.contains_key(key)) {
        match has(wanted, table) {
            true => sentences.push(format!("{table}: {part} is there and not in the schema")),
            false if extra == Extra::Told && is_whole(part) => {
                sentences.push(format!("{table} is there and not in the schema"));
            }
            false => {}
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(all: &[(&str, &str, &str)]) -> Parts {
        all.iter().map(|(table, part, how)| (((*table).to_owned(), (*part).to_owned()), (*how).to_owned())).collect()
    }

    #[test]
    fn differences_are_told_part_by_part() {
        let wanted = parts(&[("a", "is", "a table"), ("a", "column x", "integer"), ("b", "is", "a table")]);
        let found = parts(&[
            ("a", "is", "a table"),
            ("a", "column x", "text"),
            ("a", "column y", "text"),
            ("c", "is", "a table"),
            ("c", "column z", "text"),
        ]);
        let expected = ["a: column x text, not integer", "b is missing", "a: column y is there and not in the schema"];
        assert_eq!(differences(&wanted, &found, Extra::Ignored), expected);
        let expected = [&expected[..], &["c is there and not in the schema"]].concat();
        assert_eq!(differences(&wanted, &found, Extra::Told), expected);
        assert!(differences(&wanted, &wanted, Extra::Told).is_empty());
    }
}
