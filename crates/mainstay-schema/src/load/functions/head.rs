//! The head of a function's file: the lines that begin with `---` hold TOML.

use super::super::source::{Mistakes, Place};

/// Cuts a file in two: the head as TOML in which everything stands where it stands in the file, and where the SQL
/// begins. Blank lines and comments of two hyphens may stand between the lines of the head.
pub(super) fn split(file: usize, source: &str, mistakes: &mut Mistakes) -> (String, usize) {
    let mut toml = String::with_capacity(source.len().min(4096));
    let mut at = 0;
    let mut sql = None;
    for line in source.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let is_head = is_head_line(&line[indent..]);
        let is_passed_over = indent == line.len() || line[indent..].starts_with("--");
        match sql {
            None if is_head => {
                toml.push_str(&" ".repeat(indent + 3));
                toml.push_str(&line[indent + 3..]);
            }
            None if is_passed_over => toml.extend(line.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' })),
            None => sql = Some(at),
            Some(_) if is_head => {
                let problem = "a line of the head stands behind the beginning of the SQL";
                mistakes.add(Place { file, at }, problem, "move it up, or begin a comment with two hyphens");
            }
            Some(_) => {}
        }
        at += line.len();
    }
    (toml, sql.unwrap_or(source.len()))
}

/// `--- key = value`. A rule of many hyphens is a comment.
fn is_head_line(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| !rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_keeps_its_place() {
        let source = "-- Ä comment\n--- a = 1\n-------\n\n---b = 2\nSELECT 1 -- x\n";
        let mut mistakes = Mistakes::default();
        let (toml, sql) = split(0, source, &mut mistakes);
        assert_eq!(&source[sql..], "SELECT 1 -- x\n");
        assert_eq!(toml.len(), sql);
        for key in ["a = 1", "b = 2"] {
            assert_eq!(toml.find(key), source.find(key), "{key}");
        }
        assert!(!toml.contains("comment"));
        assert_eq!(mistakes.count(), 0);
    }

    #[test]
    fn a_head_ends_where_the_sql_begins() {
        let mut mistakes = Mistakes::default();
        split(0, "SELECT 1\n--- writes = true\n", &mut mistakes);
        assert_eq!(mistakes.count(), 1);
    }
}
