//! Searches for words, which are PostgreSQL's own business: its dictionaries know the words of each language.

use mainstay_query::plan::Search;
use mainstay_query::request::SearchSyntax;
use mainstay_schema::{ColumnId, FullText, Language, Table};

use super::ddl::{quoted, text_literal};
use super::{Bind, Sql};
use crate::sql::Scope;

/// Puts words of another column so far behind those before that no phrase reaches from one to the other.
const GAP: &str = r" || '''$'':100'::tsvector || ";

impl<'p> Sql<'p> {
    /// Writes a search; unknown when there is no text. Its three values are told apart only where somebody asks, under a
    /// negation: otherwise an index leads to the rows.
    pub(super) fn search(&mut self, scope: Scope, table: &Table, search: &'p Search) {
        let (syntax, language, text) = search.query.source();
        let is_part = search.columns.len() > 1;
        let asks = is_part && self.negations > 0;
        if asks {
            self.push("CASE WHEN ");
            self.any_text(scope, table, search);
            self.push(" THEN ");
        } else if is_part {
            self.any_text(scope, table, search);
            self.push(" AND ");
        }
        for (position, column) in search.columns.iter().enumerate() {
            self.push(if position > 0 { GAP } else { "(" });
            self.words(scope, table, *column, language, is_part);
        }
        self.push(") @@ ");
        self.push(match syntax {
            SearchSyntax::Query => "to_tsquery(",
            SearchSyntax::Plain => "plainto_tsquery(",
            SearchSyntax::Phrase => "phraseto_tsquery(",
            SearchSyntax::Web => "websearch_to_tsquery(",
        });
        self.push(&configuration(language));
        self.push(",");
        self.bind(Bind::Text(text.to_owned()));
        self.push(if asks { ") END" } else { ")" });
    }

    fn any_text(&mut self, scope: Scope, table: &Table, search: &Search) {
        for (position, column) in search.columns.iter().enumerate() {
            self.push(if position > 0 { " OR " } else { "(" });
            self.column(scope, table, *column);
            self.push(" IS NOT NULL");
        }
        self.push(")");
    }

    /// Writes the words of a column, as the indexes have them.
    fn words(&mut self, scope: Scope, table: &Table, column: ColumnId, language: Language, is_part: bool) {
        self.push("to_tsvector(");
        self.push(&configuration(language));
        self.push(if is_part { ",coalesce(" } else { "," });
        self.column(scope, table, column);
        self.push(if is_part { ",''))" } else { ")" });
    }
}

fn configuration(language: Language) -> String {
    format!("{}::regconfig", text_literal(language.name()))
}

/// Statements that make a full-text index: one for the words of all its columns, and one for those of each.
pub(in crate::postgres) fn create(table: &Table, index: &FullText) -> Vec<String> {
    let configuration = configuration(index.language);
    let words = |column: &ColumnId, is_part: bool| {
        let name = quoted(&table.column(*column).name);
        let text = if is_part { format!("coalesce({name},'')") } else { name };
        format!("to_tsvector({configuration},{text})")
    };
    let make = |name: String, words: String| {
        format!("CREATE INDEX {} ON {} USING gin (({words}))", quoted(&name), quoted(&table.name))
    };
    let mut statements: Vec<String> =
        (index.columns.iter()).map(|column| make(name(table, index, Some(*column)), words(column, false))).collect();
    if index.columns.len() > 1 {
        let all: Vec<String> = index.columns.iter().map(|column| words(column, true)).collect();
        statements.push(make(name(table, index, None), all.join(GAP)));
    }
    statements
}

/// Statements that remove it.
pub(in crate::postgres) fn drop(table: &Table, index: &FullText) -> Vec<String> {
    let columns = index.columns.iter().map(|column| Some(*column));
    let all = (index.columns.len() > 1).then_some(None);
    columns.chain(all).map(|column| format!("DROP INDEX {}", quoted(&name(table, index, column)))).collect()
}

fn name(table: &Table, index: &FullText, column: Option<ColumnId>) -> String {
    let whole = format!("{}_{}", table.name, index.name);
    match column {
        None => whole,
        Some(column) => format!("{whole}_{}", table.column(column).name),
    }
}
