//! The statements of a migration file, one by one, as the servers' own clients tell them apart.

/// Parts a file at its semicolons: not at those in quotes and comments. A line `DELIMITER //` has statements end with
/// that until the next such line, for bodies of triggers and functions. Comments that both servers skip are left out.
pub(in crate::mysql) fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut end = ";".to_owned();
    let mut current = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_start = current.trim().is_empty();
        if is_start && let Some(after) = delimiter(rest) {
            let line = after.lines().next().unwrap_or_default();
            let word = line.trim();
            if !word.is_empty() {
                word.clone_into(&mut end);
            }
            rest = &after[line.len()..];
            current.clear();
            continue;
        }
        if rest.starts_with(&*end) {
            push(&mut found, &mut current);
            rest = &rest[end.len()..];
            continue;
        }
        let length = match c {
            '\'' | '"' | '`' => quote_length(rest, c),
            '#' => line_length(rest),
            '-' if rest.starts_with("--") && rest[2..].chars().next().is_none_or(char::is_whitespace) => {
                line_length(rest)
            }
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |at| at + 4),
            _ => c.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        // What a server may run stands in `/*!` and `/*M!`, hints in `/*+`.
        let is_comment = matches!(c, '#' | '-') && length > 1
            || part.starts_with("/*") && !["/*!", "/*M!", "/*+"].iter().any(|start| part.starts_with(start));
        current.push_str(if is_comment { " " } else { part });
        rest = after;
    }
    push(&mut found, &mut current);
    found
}

fn push(found: &mut Vec<String>, current: &mut String) {
    let statement = current.trim();
    if !statement.is_empty() {
        found.push(statement.to_owned());
    }
    current.clear();
}

/// What stands behind the word `DELIMITER` at the start of a line.
fn delimiter(text: &str) -> Option<&str> {
    const WORD: &str = "delimiter";
    let start = text.get(..WORD.len())?;
    let after = &text[WORD.len()..];
    (start.eq_ignore_ascii_case(WORD) && after.starts_with([' ', '\t'])).then_some(after)
}

/// Length of what begins with a quote, up to its other end. Backslashes escape nothing: migrations run with
/// `NO_BACKSLASH_ESCAPES`, and a doubled quote looks like two quoted parts.
fn quote_length(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |at| at + 2)
}

fn line_length(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_their_semicolons() {
        for (text, expected) in [
            ("", &[][..]),
            ("-- only words;\n", &[]),
            ("CREATE TABLE a (b INT);\n\nDROP TABLE c;\n", &["CREATE TABLE a (b INT)", "DROP TABLE c"]),
            ("SELECT 'a;b', \"c;d\", `e;f`;SELECT 'it''s;'", &["SELECT 'a;b', \"c;d\", `e;f`", "SELECT 'it''s;'"]),
            ("SELECT 'a\\';SELECT 2", &["SELECT 'a\\'", "SELECT 2"]),
            ("SELECT 1 -- one; two\n+ 2;", &["SELECT 1  \n+ 2"]),
            ("SELECT 1 # one; two\n;", &["SELECT 1"]),
            ("SELECT 1--2;", &["SELECT 1--2"]),
            ("/* a; b */ SELECT 1 /*!80000 + 1; */;", &["SELECT 1 /*!80000 + 1; */"]),
            ("a /*M! b; */ c;", &["a /*M! b; */ c"]),
            (
                "DELIMITER //\nCREATE TRIGGER t BEGIN SET a = 1; SET b = 2; END//\ndelimiter ;\nSELECT 1;",
                &["CREATE TRIGGER t BEGIN SET a = 1; SET b = 2; END", "SELECT 1"],
            ),
            ("SELECT 'open; ", &["SELECT 'open;"]),
            ("SELECT /* open; ", &["SELECT"]),
        ] {
            assert_eq!(statements(text), expected, "{text}");
        }
    }
}
