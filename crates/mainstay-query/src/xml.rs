//! How names and texts stand in XML, in both directions: what an answer writes, a body reads.
//!
//! A column's name may be anything, an element's may not. A character that cannot stand in the name of an element is
//! written as its number between `_x` and `_`, as ISO/IEC 9075-14 (SQL/XML) does: `first word` is `first_x0020_word`.
//! An `_x` that is there already is written `_x005F_x`, so that every name comes back as it was.

/// The attribute that says how the text of an element is written; its only value is [`BASE64`].
pub const ENCODING: &str = "encoding";
/// Text that holds a character that XML cannot hold: the base64 of its UTF-8.
pub const BASE64: &str = "base64";
/// The namespace of `xsi:nil`, by which an element is null.
pub const INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Whether a character may stand in an XML 1.0 document, as it is or by its number.
pub fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a character may begin a name without a colon (XML 1.0, fifth edition, production 4).
fn is_name_start(c: char) -> bool {
    matches!(
        c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}'
    )
}

/// Whether a character may stand further on in such a name.
fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// The element's name for a column's.
pub fn element_name(name: &str) -> String {
    use std::fmt::Write as _;

    if name.is_empty() {
        return "_x_".to_owned();
    }
    // Names that begin like this belong to the makers of XML.
    let is_reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let is_first = at == 0;
        let is_plain = match c {
            _ if is_first && is_reserved => false,
            '_' => !name[at + 1..].starts_with('x'),
            c if is_first => is_name_start(c),
            c => is_name_char(c),
        };
        if is_plain {
            out.push(c);
        } else {
            let _ = write!(out, "_x{:04X}_", u32::from(c));
        }
    }
    out
}

/// The column's name for an element's; `None` if no column's name is written like that.
pub fn column_name(element: &str) -> Option<String> {
    if element == "_x_" {
        return Some(String::new());
    }
    let mut out = String::with_capacity(element.len());
    let mut rest = element;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        let (digits, after) = rest[at + 2..].split_once('_')?;
        if !(4..=6).contains(&digits.len()) {
            return None;
        }
        out.push(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?);
        rest = after;
    }
    out.push_str(rest);
    // One name has one form: without this two elements could mean one column.
    (element_name(&out) == element).then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_written_as_sql_xml_does() {
        for (name, element) in [
            ("title", "title"),
            ("größe", "größe"),
            ("first word", "first_x0020_word"),
            ("2nd", "_x0032_nd"),
            ("a2", "a2"),
            ("a:b", "a_x003A_b"),
            ("_xylophone", "_x005F_xylophone"),
            ("snake_case", "snake_case"),
            ("max_x", "max_x005F_x"),
            ("XMLish", "_x0058_MLish"),
            ("<&>", "_x003C__x0026__x003E_"),
            ("🦀", "🦀"),
            ("\u{f0000}", "_xF0000_"),
            ("-", "_x002D_"),
            ("", "_x_"),
            ("_x_", "_x005F_x_"),
            (" x", "_x0020_x"),
        ] {
            assert_eq!(element_name(name), element);
            assert_eq!(column_name(element).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_name_has_one_form() {
        for element in ["_x0061_", "_x0020", "_x20_", "_xZZZZ_", "_xD800_", "_x003a_", "_x000020_"] {
            assert_eq!(column_name(element), None, "{element}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "(?s)[_x0-9A-Fa-f<é🦀 ]{0,12}|(?s).{0,12}") {
            let element = element_name(&name);
            let is_name = element.starts_with(is_name_start) && element.chars().all(is_name_char);
            prop_assert!(is_name, "{element}");
            prop_assert_eq!(column_name(&element), Some(name));
        }
    }
}
