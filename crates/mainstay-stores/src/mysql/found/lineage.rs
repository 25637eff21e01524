//! Which column of which table a view's column is, read from the view's query as the servers keep it.
//!
//! `information_schema.views` has that query in one form, whoever wrote it how: every name in backticks, every column with
//! its table before it, every item of the list with the name that it is given. A column that is shown as it is is
//! nothing but names. The rest of the query is read only for what its names in the list stand for.

/// A column that a view shows as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// The view's column.
    pub(super) name: String,
    /// The table or view that it comes from, of the same database.
    pub(super) table: String,
    /// The column there.
    pub(super) column: String,
}

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// In backticks.
    Name(String),
    /// A word, in lower case.
    Word(String),
    Sign(char),
}

/// What the columns of a view show, those that are computed left out.
pub(super) fn shown(query: &str, database: &str) -> Vec<Shown> {
    let tokens = tokens(query);
    let Some((list, rest)) = parts(&tokens) else { return Vec::new() };
    let tables = tables(rest, database);
    let item = |item: &[Token]| {
        let (names, given) = match item {
            [names @ .., Token::Word(word), Token::Name(given)] if word == "as" => (names, given),
            _ => return None,
        };
        let (alias, column) = match names {
            [Token::Name(alias), Token::Sign('.'), Token::Name(column)] => (alias, column),
            [Token::Name(home), Token::Sign('.'), Token::Name(alias), Token::Sign('.'), Token::Name(column)]
                if home == database =>
            {
                (alias, column)
            }
            _ => return None,
        };
        let (_, table) = tables.iter().find(|(name, _)| name == alias)?;
        Some(Shown { name: given.clone(), table: table.clone(), column: column.clone() })
    };
    split(list, ',').into_iter().filter_map(item).collect()
}

/// The list of the outermost query, and what stands behind it; nothing for what is no plain query.
fn parts(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let is_word = |token: &Token, word: &str| matches!(token, Token::Word(other) if other == word);
    let start = tokens.iter().position(|token| is_word(token, "select"))?;
    if start != 0
        || at_top(tokens, |token| is_word(token, "union") || is_word(token, "intersect") || is_word(token, "except"))
            .is_some()
    {
        return None;
    }
    let from = at_top(tokens, |token| is_word(token, "from"))?;
    let end = at_top(&tokens[from..], |token| {
        ["where", "group", "having", "order", "limit", "window"].iter().any(|word| is_word(token, word))
    });
    let end = end.map_or(tokens.len(), |end| from + end);
    // `distinct`, `straight_join` and the like are words before the first item.
    let words = tokens[1..from].iter().take_while(|token| matches!(token, Token::Word(_))).count();
    let is_item = tokens.get(1 + words).is_some_and(|token| matches!(token, Token::Name(_)));
    let first = if is_item { 1 + words } else { 1 };
    Some((&tokens[first..from], &tokens[from + 1..end]))
}

/// What the names before columns stand for: tables of the database under their own names or those that they are given.
fn tables(tokens: &[Token], database: &str) -> Vec<(String, String)> {
    let mut tables = Vec::new();
    let mut depth_of_query = None;
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Sign('(') => {
                depth += 1;
                if matches!(tokens.get(at + 1), Some(Token::Word(word)) if word == "select") && depth_of_query.is_none()
                {
                    depth_of_query = Some(depth);
                }
            }
            Token::Sign(')') => {
                if depth_of_query == Some(depth) {
                    depth_of_query = None;
                }
                depth -= 1;
            }
            // The condition of a join, which ends where the next table comes or its bracket does: columns there have
            // three names, or two that are no database's.
            Token::Name(home) if depth_of_query.is_none() && home == database => {
                if let (Some(Token::Sign('.')), Some(Token::Name(table))) = (tokens.get(at + 1), tokens.get(at + 2))
                    && !matches!(tokens.get(at + 3), Some(Token::Sign('.')))
                {
                    let alias = match tokens.get(at + 3) {
                        Some(Token::Name(alias)) => alias,
                        _ => table,
                    };
                    tables.push((alias.clone(), table.clone()));
                    at += 2;
                }
            }
            _ => {}
        }
        at += 1;
    }
    tables
}

/// The place of the first such token outside of all brackets.
fn at_top(tokens: &[Token], is_it: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().position(|token| {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && is_it(token)
    })
}

/// The parts between signs that stand outside of all brackets.
fn split(tokens: &[Token], sign: char) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut rest = tokens;
    while let Some(at) = at_top(rest, |token| *token == Token::Sign(sign)) {
        parts.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    parts.push(rest);
    parts
}

fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '`' => {
                let (name, length) = quoted(rest, '`');
                tokens.push(Token::Name(name));
                length
            }
            '\'' | '"' => {
                let (_, length) = quoted(rest, c);
                tokens.push(Token::Sign('\''));
                length
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_lowercase()));
                end
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token::Sign(c));
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// What stands in quotes at the beginning of a text, and the length of that. Backslashes escape what follows in texts,
/// as the servers write them.
fn quoted(text: &str, quote: char) -> (String, usize) {
    let mut inside = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = letters.next() {
        match c {
            '\\' if quote != '`' => drop(letters.next()),
            c if c == quote && letters.peek().is_some_and(|(_, next)| *next == quote) => {
                letters.next();
                inside.push(c);
            }
            c if c == quote => return (inside, at + c.len_utf8()),
            c => inside.push(c),
        }
    }
    (inside, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: &[(&str, &str, &str)]) {
        let expected: Vec<Shown> = (expected.iter())
            .map(|(name, table, column)| Shown {
                name: (*name).into(),
                table: (*table).into(),
                column: (*column).into(),
            })
            .collect();
        assert_eq!(shown(query, "db"), expected, "{query}");
    }

    #[test]
    fn columns_that_are_nothing_but_names_are_shown() {
        check(
            "select `a`.`id` AS `id`,`a`.`n` + 1 AS `n`,concat(`a`.`x`,', ') AS `x`,`a`.`y` AS `other` from `db`.`album` `a`",
            &[("id", "album", "id"), ("other", "album", "y")],
        );
        check(
            "select distinct `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`a` > 1 order by `db`.`t`.`a`",
            &[("a", "t", "a")],
        );
        check(
            "select `a`.`id` AS `id`,`b`.`id` AS `b_id` from (`db`.`album` `a` join `db`.`band` `b` \
             on((`a`.`band` = `b`.`id`))) group by `a`.`id`",
            &[("id", "album", "id"), ("b_id", "band", "id")],
        );
        check(
            "select `q`.`id` AS `id`,`t`.`b` AS `b` from (`db`.`t` join (select `db`.`q`.`id` AS `id` from `db`.`q`) `q`)",
            &[("b", "t", "b")],
        );
        check("select `o`.`a` AS `a` from `elsewhere`.`t` `o`", &[]);
        check("select `t`.`a` AS `a` from `db`.`t` union select 1 AS `1`", &[]);
        check("select 1 AS `1`", &[]);
        check("select `t`.`a``b` AS `it's from` from `db`.`t`", &[("it's from", "t", "a`b")]);
        check("select 'it''s from `db`.`t`' AS `a`,`t`.`b` AS `b` from `db`.`t`", &[("b", "t", "b")]);
    }
}
