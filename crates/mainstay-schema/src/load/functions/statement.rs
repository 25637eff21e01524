//! The SQL of a function, taken apart as far as needed: where its parameters stand, where it ends, that it is one
//! statement of a kind that a function may be. What it means is the engine's business.

use std::ops::Range;

use super::super::source::{Mistakes, Place, listed};

/// One statement, with its parameters written as `:name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without comments before or after it and without a final semicolon.
    pub text: String,
    /// Where each parameter stands in it, the colon included, and its name.
    pub parameters: Vec<(Range<usize>, String)>,
    /// Whether rows of several queries come together in one result (`UNION` and its like).
    pub is_compound: bool,
}

impl Statement {
    /// The text with null in the place of each parameter.
    pub fn without_parameters(&self) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut from = 0;
        for (range, _) in &self.parameters {
            text.push_str(&self.text[from..range.start]);
            text.push_str("NULL");
            from = range.end;
        }
        text.push_str(&self.text[from..]);
        text
    }
}

/// What a statement of a function begins with.
const FIRST_WORDS: [&str; 7] = ["select", "with", "values", "insert", "update", "delete", "replace"];
/// What joins several queries.
const COMPOUND_WORDS: [&str; 3] = ["union", "intersect", "except"];

/// Reads the statement that begins at `start` of a file; gives it and where its text begins.
pub(super) fn read(file: usize, source: &str, start: usize, mistakes: &mut Mistakes) -> Option<(Statement, usize)> {
    let mut tokens = Tokens { bytes: source.as_bytes(), at: start };
    let mut place = |at: usize, problem: String, remedy: &str| mistakes.add(Place { file, at }, problem, remedy);
    let (mut first, mut end) = (None, start);
    let mut statement = Statement::default();
    let mut is_over = false;
    let mut is_good = true;
    while let Some((kind, range)) = tokens.next() {
        if kind == Kind::Semicolon {
            is_over = true;
            continue;
        }
        if is_over {
            let problem = "the file holds more than one statement".to_owned();
            place(range.start, problem, "write one statement a file; WITH puts several steps into one");
            return None;
        }
        let word = &source[range.clone()];
        let begin = *first.get_or_insert(range.start);
        end = range.end;
        match kind {
            Kind::Parameter => {
                statement.parameters.push((range.start - begin..range.end - begin, word[1..].to_owned()));
            }
            Kind::OtherParameter => {
                is_good = false;
                place(range.start, format!("`{word}` is no parameter of a function"), "write parameters as :name");
            }
            Kind::Word if range.start == begin => {
                if !FIRST_WORDS.iter().any(|first| word.eq_ignore_ascii_case(first)) {
                    let problem = format!("a function cannot run {}", word.to_uppercase());
                    let words = listed(FIRST_WORDS.map(str::to_uppercase));
                    place(range.start, problem, &format!("begin the statement with one of {words}"));
                    return None;
                }
            }
            Kind::Word => {
                statement.is_compound |= COMPOUND_WORDS.iter().any(|join| word.eq_ignore_ascii_case(join));
            }
            Kind::Semicolon | Kind::Other => {}
        }
    }
    let Some(begin) = first else {
        place(source.len(), "the file holds no statement".to_owned(), "write one below the head: SELECT …");
        return None;
    };
    statement.text = source[begin..end].to_owned();
    is_good.then_some((statement, begin))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    /// `:name`
    Parameter,
    /// `?`, `?1`, `@name`, `$name`
    OtherParameter,
    Semicolon,
    Other,
}

/// Cuts SQL into tokens, leaving out blanks and comments.
struct Tokens<'s> {
    bytes: &'s [u8],
    at: usize,
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<(Kind, Range<usize>)> {
        loop {
            let start = self.at;
            let byte = *self.bytes.get(start)?;
            let follows = |text: &[u8]| self.bytes[start..].starts_with(text);
            let kind = match byte {
                _ if byte.is_ascii_whitespace() || byte == 0x0b => {
                    self.at += 1;
                    continue;
                }
                b'-' if follows(b"--") => {
                    self.at = self.find(b"\n", start + 2);
                    continue;
                }
                b'/' if follows(b"/*") => {
                    self.at = self.find(b"*/", start + 2);
                    continue;
                }
                b'\'' | b'"' | b'`' => {
                    self.at = self.find(&[byte], start + 1);
                    Kind::Other
                }
                b'[' => {
                    self.at = self.find(b"]", start + 1);
                    Kind::Other
                }
                b':' if self.bytes.get(start + 1).is_some_and(|next| is_word(*next)) => {
                    self.at = self.end_of_word(start + 1);
                    Kind::Parameter
                }
                b'?' | b'@' | b'$' => {
                    self.at = self.end_of_word(start + 1);
                    Kind::OtherParameter
                }
                b';' => {
                    self.at += 1;
                    Kind::Semicolon
                }
                _ if is_word(byte) => {
                    self.at = self.end_of_word(start);
                    Kind::Word
                }
                _ => {
                    self.at += 1;
                    Kind::Other
                }
            };
            return Some((kind, start..self.at));
        }
    }

    /// Behind the next `text`, or the end.
    fn find(&self, text: &[u8], from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        rest.windows(text.len()).position(|part| part == text).map_or(self.bytes.len(), |at| from + at + text.len())
    }

    fn end_of_word(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is_word(**byte) || **byte == b'$').count()
    }
}

/// Letters, digits and whatever is not ASCII: SQLite asks no more of a name.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(source: &str) -> Result<(Statement, usize), usize> {
        let mut mistakes = Mistakes::default();
        read(0, source, 0, &mut mistakes).ok_or(mistakes.count())
    }

    #[test]
    fn parameters_are_found_outside_of_quotes_and_comments() {
        let source = "-- :no\n SELECT ':no', \":no\", `:no`, [:no], a::b /* :no ; */ FROM x -- ;\n WHERE é=:é AND b>:b_1;  -- end";
        let (statement, begin) = read_text(source).unwrap();
        let names: Vec<&str> = statement.parameters.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["b", "é", "b_1"]);
        assert!(source[begin..].starts_with(&statement.text));
        assert!(statement.text.starts_with("SELECT") && statement.text.ends_with(":b_1"));
        for (range, name) in &statement.parameters {
            assert_eq!(statement.text[range.clone()], format!(":{name}"));
        }
        assert!(statement.without_parameters().ends_with("é=NULL AND b>NULL"));
    }

    #[test]
    fn what_is_open_at_the_end_swallows_nothing_of_ours() {
        let (statement, _) = read_text("SELECT 1 /* open").unwrap();
        assert_eq!(statement.text, "SELECT 1");
        assert!(read_text("SELECT 'open").is_ok(), "the engine refuses it");
    }

    #[test]
    fn one_statement_that_reads_or_changes_rows() {
        for good in ["select 1", "WITH a AS (SELECT 1) SELECT * FROM a;", "values (1) ; ; -- x", "DELETE FROM x"] {
            assert!(read_text(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " -- nothing\n",
            ";",
            "SELECT 1; SELECT 2",
            "PRAGMA x",
            "ATTACH 'x' AS y",
            "BEGIN",
            "EXPLAIN SELECT 1",
            "(SELECT 1)",
            "SELECT ?",
            "SELECT ?1, @a, $b",
        ] {
            // Only parentheses in front are left to the engine.
            assert_eq!(read_text(bad).is_err(), bad != "(SELECT 1)", "{bad}");
        }
        assert!(read_text("SELECT 1 UNION SELECT 2").unwrap().0.is_compound);
        assert!(!read_text("SELECT \"union\" FROM x").unwrap().0.is_compound);
    }
}
