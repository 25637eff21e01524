//! The SQL of a function, taken apart as far as needed: where its parameters stand, where it ends, that it is one
//! statement of a kind that a function may be. What it means is the engine's business.

use std::ops::Range;

use super::super::source::{Mistakes, Place, listed};
use crate::function::{Clause, Piece};
use crate::ids::ColumnId;
use crate::model::Column;
use crate::types::Type;

/// How an engine cuts the text of a statement into words, as far as engines differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lexis {
    /// Names in brackets, and four kinds of parameters.
    #[default]
    Sqlite,
    /// Literals between dollars and with backslashes; `?`, `@` and brackets are operators.
    Postgres,
    /// Comments that begin with `#`, and two hyphens that are none.
    Mysql,
}

/// One statement, with its parameters written as `:name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without comments before or after it and without a final semicolon.
    pub text: String,
    /// Where each parameter stands in it, the colon included, and its name.
    pub parameters: Vec<(Range<usize>, String)>,
    /// The type of each of these, where it is known.
    pub types: Vec<Option<Type>>,
    /// Whether rows of several queries come together in one result (`UNION` and its like).
    pub is_compound: bool,
    /// Whether it calls a procedure.
    pub is_call: bool,
    /// Whether it has an order and no bound.
    pub is_ordered: bool,
    /// Where its clauses begin, if it has one that says what is given back.
    pub clauses: Vec<(usize, Clause)>,
}

impl Statement {
    /// The text cut at its parameters, each of which `place` gives its number, and at its clauses.
    pub fn pieces(&self, place: impl Fn(&str) -> Option<ColumnId>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut clauses = self.clauses.iter().peekable();
        let mut from = 0;
        let mut text_to = |pieces: &mut Vec<Piece>, from: usize, to: usize| {
            let mut start = from;
            while let Some((at, clause)) = clauses.next_if(|(at, _)| *at <= to) {
                pieces.extend([Piece::Text(self.text[start..*at].to_owned()), Piece::Clause(*clause)]);
                start = *at;
            }
            pieces.push(Piece::Text(self.text[start..to].to_owned()));
        };
        for (range, name) in &self.parameters {
            text_to(&mut pieces, from, range.start);
            from = range.end;
            pieces.extend(place(name).map(Piece::Parameter));
        }
        text_to(&mut pieces, from, self.text.len());
        pieces
    }

    /// Notes the types of its parameters.
    pub(super) fn add_types(&mut self, declared: &[Column]) {
        let ty = |name: &str| declared.iter().find(|one| &*one.name == name).map(|one| one.ty.clone());
        self.types = self.parameters.iter().map(|(_, name)| ty(name)).collect();
    }

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
/// What the clauses of a change begin with.
const CLAUSES: [(&str, Clause); 3] = [("set", Clause::Set), ("where", Clause::Where), ("returning", Clause::Returning)];
/// What calls a procedure, where there are some.
const CALL: &str = "call";
/// What joins several queries.
const COMPOUND_WORDS: [&str; 3] = ["union", "intersect", "except"];

/// Reads the statement that begins at `start` of a file; gives it and where its text begins.
pub(super) fn read(
    (file, source): (usize, &str),
    start: usize,
    lexis: Lexis,
    mistakes: &mut Mistakes,
) -> Option<(Statement, usize)> {
    let mut tokens = Tokens { bytes: source.as_bytes(), at: start, lexis };
    let (mut depth, mut is_bound) = (0_usize, false);
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
                statement.is_call = lexis != Lexis::Sqlite && word.eq_ignore_ascii_case(CALL);
                if !statement.is_call && !FIRST_WORDS.iter().any(|first| word.eq_ignore_ascii_case(first)) {
                    let problem = format!("a function cannot run {}", word.to_uppercase());
                    let words = listed(FIRST_WORDS.map(str::to_uppercase));
                    place(range.start, problem, &format!("begin the statement with one of {words}"));
                    return None;
                }
            }
            Kind::Word => {
                statement.is_compound |= COMPOUND_WORDS.iter().any(|join| word.eq_ignore_ascii_case(join));
                // What stands in parentheses is another query's.
                let is = |wanted: &str| depth == 0 && word.eq_ignore_ascii_case(wanted);
                statement.is_ordered |= is("order");
                is_bound |= is("limit") || is("fetch") || is("for");
                let clause = CLAUSES.iter().find(|(word, _)| is(word));
                statement.clauses.extend(clause.map(|(_, clause)| (range.start - begin, *clause)));
            }
            Kind::Other if word == "(" => depth += 1,
            Kind::Other if word == ")" => depth = depth.saturating_sub(1),
            Kind::Semicolon | Kind::Other => {}
        }
    }
    let Some(begin) = first else {
        place(source.len(), "the file holds no statement".to_owned(), "write one below the head: SELECT …");
        return None;
    };
    statement.text = source[begin..end].to_owned();
    statement.is_ordered &= !is_bound;
    if statement.clauses.iter().all(|(_, clause)| *clause != Clause::Returning) {
        statement.clauses.clear();
    }
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
    lexis: Lexis,
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
                b'-' if follows(b"--") && self.is_comment(start) => {
                    self.at = self.find(b"\n", start + 2);
                    continue;
                }
                b'#' if self.lexis == Lexis::Mysql => {
                    self.at = self.find(b"\n", start + 1);
                    continue;
                }
                b'/' if follows(b"/*") => {
                    self.at = self.find(b"*/", start + 2);
                    continue;
                }
                b'\'' if self.has_escapes(start) => {
                    self.at = self.end_of_escaped(start + 1);
                    Kind::Other
                }
                b'`' if self.lexis == Lexis::Postgres => {
                    self.at += 1;
                    Kind::Other
                }
                b'\'' | b'"' | b'`' => {
                    self.at = self.find(&[byte], start + 1);
                    Kind::Other
                }
                b'[' if self.lexis == Lexis::Sqlite => {
                    self.at = self.find(b"]", start + 1);
                    Kind::Other
                }
                // A cast of PostgreSQL.
                b':' if follows(b"::") => {
                    self.at += 2;
                    Kind::Other
                }
                b'?' | b'@' if self.lexis == Lexis::Postgres => {
                    self.at += 1;
                    Kind::Other
                }
                b'$' if self.lexis == Lexis::Postgres && self.opens_literal(start) => {
                    let tag = self.find(b"$", start + 1);
                    self.at = self.find(&self.bytes[start..tag], tag);
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

    /// Whether two hyphens begin a comment: MySQL wants a blank behind them.
    fn is_comment(&self, at: usize) -> bool {
        self.lexis != Lexis::Mysql || self.bytes.get(at + 2).is_none_or(u8::is_ascii_whitespace)
    }

    /// Whether backslashes mean something in the literal that begins here: `E'…'`.
    fn has_escapes(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map(|at| self.bytes[at]);
        self.lexis == Lexis::Postgres && matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(is_word)
    }

    /// Whether a literal between dollars begins here: `$$` or `$tag$`.
    fn opens_literal(&self, at: usize) -> bool {
        let end = at + 1 + self.bytes[at + 1..].iter().take_while(|byte| is_word(**byte)).count();
        self.bytes.get(end) == Some(&b'$') && !self.bytes[at + 1].is_ascii_digit()
    }

    /// Behind the quote that ends a literal with backslashes, or the end.
    fn end_of_escaped(&self, from: usize) -> usize {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                b'\'' => return at + 1,
                _ => at += 1,
            }
        }
        self.bytes.len()
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
        read_as(Lexis::Sqlite, source)
    }

    fn read_as(lexis: Lexis, source: &str) -> Result<(Statement, usize), usize> {
        let mut mistakes = Mistakes::default();
        read((0, source), 0, lexis, &mut mistakes).ok_or(mistakes.count())
    }

    /// The names of the parameters of a statement of a server.
    fn names(lexis: Lexis, source: &str) -> Vec<String> {
        let (statement, _) = read_as(lexis, source).unwrap_or_else(|_| panic!("{source}"));
        statement.parameters.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn each_engine_has_words_of_its_own() {
        let postgres = r"SELECT a[:n], b::int, E'it\':no', $$:no$$, $x$ :no $y$ :no $x$, c ? 'k', d @> :d, '\', :e";
        assert_eq!(names(Lexis::Postgres, postgres), ["n", "d", "e"]);
        let mysql = "SELECT `:no`, 5--:a # :no\n, ':no' -- :no\n, '\\', :b";
        assert_eq!(names(Lexis::Mysql, mysql), ["a", "b"]);
        assert!(read_as(Lexis::Postgres, "SELECT $1").is_err());
        assert!(read_as(Lexis::Mysql, "SELECT @a").is_err());
        for lexis in [Lexis::Postgres, Lexis::Mysql] {
            assert!(read_as(lexis, "CALL p(:a)").unwrap().0.is_call);
        }
        assert!(read_text("CALL p(:a)").is_err());
        // What is open at the end swallows nothing of ours.
        for open in ["SELECT $x$ :a", "SELECT E'\\", "SELECT $", "SELECT :a --"] {
            let _ = read_as(Lexis::Postgres, open);
        }
    }

    #[test]
    fn clauses_of_what_is_given_back_are_marked() {
        let text = "UPDATE x SET a = (SELECT b FROM y WHERE c) WHERE d = :d RETURNING a, :e";
        let (statement, _) = read_text(text).unwrap();
        let shown: String =
            statement.pieces(|_| Some(ColumnId(0))).iter().fold(String::new(), |text, piece| match piece {
                Piece::Text(more) => text + more,
                Piece::Parameter(_) => text + "?",
                Piece::Clause(_) => text + "|",
                Piece::Optional(_) | Piece::Out => text,
            });
        assert_eq!(shown, "UPDATE x |SET a = (SELECT b FROM y WHERE c) |WHERE d = ? |RETURNING a, ?");
        assert!(read_text("UPDATE x SET a = 1 WHERE b").unwrap().0.clauses.is_empty());
    }

    #[test]
    fn an_order_without_a_bound_is_noticed() {
        for (text, expected) in [
            ("SELECT a FROM x ORDER BY a", true),
            ("SELECT a FROM x ORDER BY a LIMIT 3", false),
            ("SELECT a FROM (SELECT a FROM x ORDER BY a LIMIT 3) AS y", false),
            ("SELECT a FROM (SELECT a FROM x LIMIT 3) AS y ORDER BY a", true),
            ("SELECT sum(a) OVER (ORDER BY a) FROM x", false),
        ] {
            assert_eq!(read_text(text).unwrap().0.is_ordered, expected, "{text}");
        }
    }

    #[test]
    fn parameters_are_found_outside_of_quotes_and_comments() {
        let source = "-- :no\n SELECT ':no', \":no\", `:no`, [:no], a::no /* :no ; */ FROM x -- ;\n WHERE é=:é AND b>:b_1;  -- end";
        let (statement, begin) = read_text(source).unwrap();
        let names: Vec<&str> = statement.parameters.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["é", "b_1"]);
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
