//! Searches as FTS5's queries, and what FTS5 cannot say as our own function's work.

use mainstay_query::evaluate::SearchNode;
use mainstay_query::plan::Search;
use mainstay_schema::{ColumnId, Table};

use super::super::functions;
use super::fulltext::{self, Names};
use super::{Bind, Sql};
use crate::sql::Scope;

/// What FTS5 can say of a search.
#[derive(Debug, PartialEq)]
struct Candidates {
    /// A query that finds all rows that answer it, and perhaps others; `None` when only all rows would do.
    query: Option<String>,
    /// Whether it finds no others.
    is_exact: bool,
}

impl Sql<'_> {
    /// Writes a search. Its three values are told apart only where somebody asks, under a negation: what is neither
    /// true nor false would keep SQLite from going by the rows that FTS5 finds.
    pub(super) fn search(&mut self, scope: Scope, table: &Table, search: &Search) {
        match search.query.root() {
            None => self.push("0"),
            Some(root) => match candidates(root) {
                Candidates { query: None, .. } => self.decide(scope, table, search),
                Candidates { query: Some(query), is_exact } => {
                    self.found(scope, table, search, query);
                    if !is_exact {
                        self.push(" AND ");
                        self.decide(scope, table, search);
                    }
                }
            },
        }
        if self.negations > 0 && search.columns.iter().all(|column| table.column(*column).optional) {
            self.push(" OR (");
            for column in &search.columns {
                self.column(scope, table, *column);
                self.push(" IS NULL AND ");
            }
            self.push("NULL)");
        }
    }

    /// Writes that the row is among those that FTS5 finds, or among those that are due and answer the search.
    fn found(&mut self, scope: Scope, table: &Table, search: &Search, query: String) {
        let index = &table.fulltexts[search.index];
        let Names { words, due, .. } = Names::new(table, index);
        let row = fulltext::row_number(table);
        self.row(scope, &row);
        self.push(&format!(" IN (SELECT rowid FROM {words} WHERE {words} MATCH "));
        self.bind(Bind::Text(in_columns(search, &index.columns, query)));
        self.push(&format!(" AND rowid NOT IN (SELECT id FROM {due}) UNION ALL SELECT "));
        let alias = self.alias();
        let inner = Scope::Alias(alias);
        self.row(inner, &row);
        // CROSS: few rows are due, mostly none, and SQLite must not begin with the table and take every text apart.
        self.push(&format!(" FROM {due} AS d CROSS JOIN "));
        self.aliased(table, alias);
        self.push(" ON ");
        self.row(inner, &row);
        self.push("=d.id WHERE ");
        self.decide(inner, table, search);
        self.push(")");
    }

    fn row(&mut self, scope: Scope, name: &str) {
        if let Scope::Alias(alias) = scope {
            self.push(&format!("t{alias}."));
        }
        self.push(name);
    }

    /// Writes our own function, which decides by the texts themselves.
    fn decide(&mut self, scope: Scope, table: &Table, search: &Search) {
        self.push(functions::SEARCH);
        self.push("(");
        self.bind(Bind::Text(functions::search_text(&search.query)));
        for column in &search.columns {
            self.push(",");
            self.column(scope, table, *column);
        }
        self.push(")");
    }
}

/// The query for the columns that are searched, by their numbers in the index.
fn in_columns(search: &Search, indexed: &[ColumnId], query: String) -> String {
    if search.columns.len() == indexed.len() {
        return query;
    }
    let place = |column| indexed.iter().position(|other| other == column);
    let names: Vec<String> = search.columns.iter().filter_map(place).map(|place| format!("c{place}")).collect();
    format!("{{{}}} : ({query})", names.join(" "))
}

/// Words are letters and digits, so none of them can end its quotes.
fn candidates(node: &SearchNode) -> Candidates {
    match node {
        SearchNode::And(..) => all(parts(node, &conjuncts)),
        SearchNode::Or(..) => any(parts(node, &alternatives)),
        SearchNode::Not(_) => Candidates { query: None, is_exact: false },
        SearchNode::Word { .. } | SearchNode::Follows { .. } => match phrase(node) {
            Some((words, is_prefix)) => {
                let query = format!("\"{}\"{}", words.join(" "), if is_prefix { "*" } else { "" });
                Candidates { query: Some(query), is_exact: true }
            }
            None => {
                let words = words_of(node);
                let query = (!words.is_empty()).then(|| format!("({})", words.join(" AND ")));
                Candidates { query, is_exact: false }
            }
        },
    }
}

/// What a row must hold, wherever it is, to hold a phrase; nothing in particular when the list is empty. What must not
/// stand at a place of the phrase may stand elsewhere.
fn words_of(node: &SearchNode) -> Vec<String> {
    match node {
        SearchNode::Word { word, is_prefix } => vec![format!("\"{word}\"{}", if *is_prefix { "*" } else { "" })],
        SearchNode::Not(_) => Vec::new(),
        SearchNode::And(left, right) | SearchNode::Follows { left, right, .. } => {
            [words_of(left), words_of(right)].concat()
        }
        SearchNode::Or(..) => {
            let alternatives: Vec<Vec<String>> = parts(node, &alternatives).into_iter().map(words_of).collect();
            if alternatives.iter().any(Vec::is_empty) {
                return Vec::new();
            }
            let alternatives: Vec<String> = alternatives.iter().map(|words| words.join(" AND ")).collect();
            vec![format!("({})", alternatives.join(" OR "))]
        }
    }
}

fn alternatives(node: &SearchNode) -> Option<(&SearchNode, &SearchNode)> {
    if let SearchNode::Or(left, right) = node { Some((left, right)) } else { None }
}

fn conjuncts(node: &SearchNode) -> Option<(&SearchNode, &SearchNode)> {
    if let SearchNode::And(left, right) = node { Some((left, right)) } else { None }
}

/// What a chain of one operator joins: as one list, because FTS5 bounds how deep its queries nest.
fn parts<'n>(
    node: &'n SearchNode,
    split: &dyn Fn(&'n SearchNode) -> Option<(&'n SearchNode, &'n SearchNode)>,
) -> Vec<&'n SearchNode> {
    match split(node) {
        Some((left, right)) => [parts(left, split), parts(right, split)].concat(),
        None => vec![node],
    }
}

fn all(parts: Vec<&SearchNode>) -> Candidates {
    let (mut wanted, mut unwanted, mut is_exact) = (Vec::new(), Vec::new(), true);
    for part in parts {
        let inverse = if let SearchNode::Not(inner) = part { Some(candidates(inner)) } else { None };
        match inverse {
            // Only what is found exactly may be taken away.
            Some(Candidates { query: Some(query), is_exact: true }) => unwanted.push(query),
            Some(_) => is_exact = false,
            None => {
                let part = candidates(part);
                is_exact &= part.is_exact;
                wanted.extend(part.query);
            }
        }
    }
    if wanted.is_empty() {
        return Candidates { query: None, is_exact: false };
    }
    let wanted = wanted.join(" AND ");
    let query = match unwanted.is_empty() {
        true => format!("({wanted})"),
        false => format!("(({wanted}) NOT ({}))", unwanted.join(" OR ")),
    };
    Candidates { query: Some(query), is_exact }
}

fn any(parts: Vec<&SearchNode>) -> Candidates {
    let parts: Vec<Candidates> = parts.into_iter().map(candidates).collect();
    let is_exact = parts.iter().all(|part| part.is_exact);
    let queries: Option<Vec<String>> = parts.into_iter().map(|part| part.query).collect();
    Candidates { query: queries.map(|queries| format!("({})", queries.join(" OR "))), is_exact }
}

/// The words of a plain phrase, and whether the last is but a beginning.
fn phrase(node: &SearchNode) -> Option<(Vec<&str>, bool)> {
    match node {
        SearchNode::Word { word, is_prefix } => Some((vec![word], *is_prefix)),
        SearchNode::Follows { left, distance: 1, right } => {
            let ((mut words, false), (last, is_prefix)) = (phrase(left)?, phrase(right)?) else { return None };
            words.extend(last);
            Some((words, is_prefix))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::evaluate::SearchQuery;
    use mainstay_query::request::SearchSyntax;
    use mainstay_schema::Language;

    use super::*;

    #[test]
    fn what_fts5_can_say_and_what_it_cannot() {
        for (text, query, is_exact) in [
            ("a", Some("\"a\""), true),
            ("a:*", Some("\"a\"*"), true),
            ("'a b' & c", Some("(\"a b\" AND \"c\")"), true),
            ("a <-> b:*", Some("\"a b\"*"), true),
            ("a | b | c & d", Some("(\"a\" OR \"b\" OR (\"c\" AND \"d\"))"), true),
            ("a & !b & !(c | d)", Some("((\"a\") NOT (\"b\" OR (\"c\" OR \"d\")))"), true),
            ("!b & a", Some("((\"a\") NOT (\"b\"))"), true),
            ("!a", None, false),
            ("a | !b", None, false),
            ("a & (b | !c)", Some("(\"a\")"), false),
            ("a & !(b <2> c)", Some("(\"a\")"), false),
            ("a <2> b", Some("(\"a\" AND \"b\")"), false),
            ("a:* <-> b", Some("(\"a\"* AND \"b\")"), false),
            ("a <-> (b | c)", Some("(\"a\" AND (\"b\" OR \"c\"))"), false),
            ("a <-> !b", Some("(\"a\")"), false),
            ("a <-> (b & !c)", Some("(\"a\" AND \"b\")"), false),
            ("!a <-> !b", None, false),
            ("d & !(a <-> !b)", Some("(\"d\")"), false),
        ] {
            let search = SearchQuery::parse(SearchSyntax::Query, Language::Simple, text).unwrap();
            let expected = Candidates { query: query.map(str::to_owned), is_exact };
            assert_eq!(candidates(search.root().unwrap()), expected, "{text}");
        }
    }
}
