//! Names of types and fields, made from names that may hold anything.

use std::collections::HashSet;

/// Names that are given out.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// A name like `wanted` that is free with every one of `forms` behind it.
    pub(super) fn give(&mut self, wanted: &str, forms: &[&str]) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        // Some file systems and languages do not tell cases apart.
        let folded = |name: &str, form: &str| format!("{name}{form}").to_lowercase();
        while forms.iter().any(|form| self.taken.contains(&folded(&name, form))) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        self.taken.extend(forms.iter().map(|form| folded(&name, form)));
        name
    }
}

/// `order_lines` → `OrderLines`: letters and digits of ASCII, beginning with a capital.
pub(super) fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.extend(letters);
    }
    if !out.starts_with(|c: char| c.is_ascii_uppercase()) {
        out.insert(0, 'X');
    }
    out
}

/// `order_lines` → `OrderLines`, and `list` → `ListRow` where one of the languages means something else by it.
pub(super) fn class(name: &str) -> String {
    let class = pascal(name);
    if TAKEN.contains(&class.to_ascii_lowercase().as_str()) { format!("{class}Row") } else { class }
}

/// Words and types of the languages that no type of ours may be called or hide.
const TAKEN: &[&str] = &[
    "abstract",
    "and",
    "any",
    "array",
    "as",
    "bigdecimal",
    "bool",
    "boolean",
    "box",
    "break",
    "callable",
    "case",
    "catch",
    "class",
    "clone",
    "const",
    "continue",
    "copy",
    "database",
    "datacontract",
    "datamember",
    "datetimeoffset",
    "debug",
    "declare",
    "default",
    "deserialize",
    "die",
    "do",
    "double",
    "echo",
    "else",
    "empty",
    "enum",
    "eq",
    "err",
    "eval",
    "exit",
    "extends",
    "false",
    "final",
    "finally",
    "float",
    "fn",
    "for",
    "foreach",
    "function",
    "global",
    "goto",
    "guid",
    "hash",
    "if",
    "implements",
    "include",
    "instanceof",
    "int",
    "integer",
    "interface",
    "isset",
    "iterable",
    "list",
    "literal",
    "localdate",
    "localtime",
    "long",
    "match",
    "mixed",
    "namespace",
    "never",
    "new",
    "none",
    "notrequired",
    "null",
    "object",
    "offsetdatetime",
    "ok",
    "option",
    "or",
    "parent",
    "partialeq",
    "print",
    "private",
    "protected",
    "public",
    "readonly",
    "record",
    "require",
    "return",
    "self",
    "serialize",
    "some",
    "static",
    "string",
    "struct",
    "switch",
    "system",
    "throw",
    "trait",
    "true",
    "try",
    "typeddict",
    "unset",
    "use",
    "uuid",
    "var",
    "vec",
    "void",
    "while",
    "xor",
    "yield",
];

/// `first word` → `first_word`, and `class` → `class_` where that is a word of the language.
pub(super) fn snake(name: &str, reserved: &[&str]) -> String {
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        out.insert(0, '_');
    }
    if out.bytes().all(|byte| byte == b'_') {
        out.insert(0, 'x');
    }
    if reserved.contains(&out.to_ascii_lowercase().as_str()) {
        out.push('_');
    }
    out
}

/// A text that ends no comment of any of the languages, on one line.
pub(super) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.replace("*/", "* /").replace("?>", "? >").replace('\\', "\u{29f5}").trim().to_owned()
}

/// A text in double quotes, as JSON and most languages write it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text in single quotes in which only quotes and backslashes mean anything.
pub(super) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words_of_a_language() {
        assert_eq!(["order_lines", "my orders", "2nd", "日本"].map(pascal), ["OrderLines", "MyOrders", "X2nd", "X"]);
        assert_eq!(["a b", "2nd", "class", "日本"].map(|n| snake(n, &["class"])), ["a_b", "_2nd", "class_", "x__"]);
        let mut names = Names::default();
        assert_eq!(["A", "a", "AInsert", "B"].map(|n| names.give(n, &["", "Insert"])), ["A", "a2", "AInsert2", "B"]);
        assert_eq!(one_line("a */\nb ?>"), "a * / b ? >");
    }
}
