//! The names of reference constraints, which SQLite keeps in the text of `CREATE TABLE` and nowhere else.

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name or keyword without quotes.
    Word(String),
    /// A name in quotes, or text.
    Quoted(String),
    /// Any other sign.
    Sign(char),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            Token::Sign(_) => None,
        }
    }
}

/// The columns, in lower case, and the name of each reference that has one.
pub(super) fn reference_names(sql: &str) -> Vec<(Vec<String>, String)> {
    let tokens = tokens(sql);
    let mut names = Vec::new();
    let Some(start) = tokens.iter().position(|token| *token == Token::Sign('(')) else { return names };
    for definition in definitions(&tokens[start + 1..]) {
        let mut named: Option<&str> = None;
        let mut columns: Vec<String> = definition.first().and_then(Token::name).map(lower).into_iter().collect();
        for (at, token) in definition.iter().enumerate() {
            if token.is("CONSTRAINT") {
                named = definition.get(at + 1).and_then(Token::name);
            } else if token.is("FOREIGN") {
                let list = definition[at..].iter().skip_while(|token| **token != Token::Sign('(')).skip(1);
                let list = list.take_while(|token| **token != Token::Sign(')'));
                columns = list.filter_map(Token::name).map(lower).collect();
            } else if token.is("REFERENCES") {
                names.extend(named.take().map(|name| (columns.clone(), name.to_owned())));
            } else if ["UNIQUE", "CHECK", "PRIMARY", "NOT", "DEFAULT", "COLLATE"].iter().any(|word| token.is(word)) {
                // The name was that of another constraint.
                named = None;
            }
        }
    }
    names
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The parts between the commas of the outermost brackets.
fn definitions(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') if depth == 0 => {
                parts.push(&tokens[start..at]);
                return parts;
            }
            Token::Sign(')') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '-' if chars.peek() == Some(&'-') => while chars.next().is_some_and(|c| c != '\n') {},
            '/' if chars.peek() == Some(&'*') => {
                let mut last = ' ';
                chars.next();
                while let Some(c) = chars.next().filter(|c| !(last == '*' && *c == '/')) {
                    last = c;
                }
            }
            '"' | '`' | '\'' | '[' => {
                let end = if c == '[' { ']' } else { c };
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    // Two in a row stand for one; brackets have no such thing.
                    if c == end && (end == ']' || chars.next_if_eq(&end).is_none()) {
                        break;
                    }
                    text.push(c);
                }
                tokens.push(Token::Quoted(text));
            }
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_were_given() {
        let sql = "CREATE TABLE \"a, (\" ( -- FOREIGN KEY (x)
            id INTEGER CONSTRAINT pk PRIMARY KEY REFERENCES other (id),
            b INT CONSTRAINT positive CHECK (b > 0) CONSTRAINT to_b REFERENCES b (id) ON DELETE CASCADE,
            [c d] TEXT DEFAULT '),(' /* CONSTRAINT no */ REFERENCES c,
            CONSTRAINT \"two \"\"columns\"\"\" FOREIGN KEY (\"b\", [C D]) REFERENCES t (x, y),
            CONSTRAINT u UNIQUE (b), FOREIGN KEY (id) REFERENCES z)";
        assert_eq!(
            reference_names(sql),
            [
                (vec!["b".to_owned()], "to_b".to_owned()),
                (vec!["b".to_owned(), "c d".to_owned()], "two \"columns\"".to_owned()),
            ]
        );
        for broken in ["", "CREATE TABLE t", "CREATE TABLE t (", "CREATE TABLE t (a REFERENCES", "(')", "(/*"] {
            assert_eq!(reference_names(broken), [], "{broken}");
        }
    }
}
