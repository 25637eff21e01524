//! Plans as SQL: text and parameters, nothing runs here. What all SQL engines have in common is written once; where
//! they differ, a [`Dialect`] says how.
//!
//! ```text
//! filter.rs   conditions                     group.rs   groups and aggregates
//! read.rs     levels of a read, embeds       write.rs   insert, update, delete
//! place.rs    pages by key                   dialect.rs where engines differ
//! inline.rs   levels inside of one statement
//! keys.rs     keys from the level above     pattern.rs  regular expressions
//! call.rs     functions of the project       typed.rs    what they give, as values
//! ```
//!
//! Identifiers come from the schema only and go through [`Sql::name`]; values are always parameters. The text depends
//! on the shape of a plan and not on its values, so that prepared statements are found again (PostgreSQL alone wants the
//! number of rows of a page in it). Dialects are chosen by type: a request pays for no dispatch, and a row for nothing at
//! all.

pub(crate) mod call;
mod dialect;
mod filter;
mod group;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) mod inherit;
mod inline;
mod keys;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "mongo"))]
pub(crate) mod look;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "mongo"))]
pub(crate) mod parts;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "mongo"))]
pub(crate) mod pattern;
mod place;
mod read;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) mod typed;
mod write;

pub(crate) use dialect::{Dialect, SetTest};
pub(crate) use filter::operator;
#[cfg(feature = "mysql")]
pub(crate) use keys::Whole;
pub(crate) use read::{Form, From, Given, MemberSql, ReadSql, count, count_some};
pub(crate) use write::{
    Returned, WriteSql, check_expect, delete, deletes_reach_itself, has_triggers, insert, is_read_apart,
    merged_columns, update,
};

use std::fmt::Write as _;

use mainstay_query::plan::Pair;
use mainstay_schema::{ColumnId, Schema, Table, Value};

/// A statement in the making.
pub(crate) struct Sql<'p, D: Dialect> {
    /// The text so far.
    pub(crate) text: String,
    /// Its parameters in order.
    pub(crate) binds: Vec<Bind<'p, D>>,
    /// Whose SQL it is.
    pub(crate) dialect: D,
    /// What names come from.
    pub(crate) schema: &'p Schema,
    aliases: u32,
    /// Whether values are written to be compared, rather than shown.
    pub(crate) is_comparing: bool,
    /// How many negations the condition in the making is under.
    pub(crate) negations: usize,
    /// How keys come for many rows at once.
    batch: Batch,
    /// The alias that is kept for the table between two others.
    between: Option<u32>,
    /// Whether what is embedded comes in the same statement.
    is_in_one: bool,
    /// Whether the number of rows that pass the filter comes along with each row.
    is_counting: bool,
    /// Whether the rows are what a function gives, of which nothing enforces what its columns say about null.
    pub(crate) is_result: bool,
    /// The columns of the rows that a query of somebody else computes, of which only the dialect knows what they are.
    pub(crate) computed: &'p [ColumnId],
}

/// How the keys of a level come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Batch {
    /// One with each run of the statement, or none.
    None,
    /// An array of each column, beside which the level stands.
    Lateral,
    /// A list of them in the condition.
    Listed,
}

/// Where the list of keys stands in a statement that takes one: no text of a statement holds this character.
pub(crate) const KEYS: char = '\u{1}';

/// A parameter of a statement.
#[derive(Debug)]
pub(crate) enum Bind<'p, D: Dialect> {
    /// A value of the plan.
    Value(&'p Value),
    /// A number of ours.
    Int(i64),
    /// A value in the driver's own form.
    Native(D::Native),
    /// Text of ours.
    Text(String),
    /// What another statement gave.
    Given(&'p D::Native),
    /// All items of a long list.
    List(D::List),
    /// A value that each run of the statement brings anew.
    Later,
}

/// How columns of a table are written: by the alias of the table, or bare where a statement takes no alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `t3."name"`.
    Alias(u32),
    /// `"name"`, as `RETURNING` wants it.
    Bare,
    /// `c3`: a value of a group.
    Groups,
}

/// A number of rows as an engine takes it.
pub(crate) fn clamp(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl<'p, D: Dialect> Sql<'p, D> {
    /// An empty statement.
    pub(crate) fn new(dialect: D, schema: &'p Schema) -> Sql<'p, D> {
        Sql {
            text: String::with_capacity(256),
            binds: Vec::new(),
            dialect,
            schema,
            aliases: 0,
            is_comparing: false,
            negations: 0,
            batch: Batch::None,
            between: None,
            is_in_one: false,
            is_counting: false,
            is_result: false,
            computed: &[],
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn comma(&mut self, position: usize) {
        if position > 0 {
            self.push(",");
        }
    }

    /// Writes an identifier: the only way that a name gets into a statement.
    pub(crate) fn name(&mut self, name: &str) {
        let quote = D::QUOTE;
        self.text.push(quote);
        match name.contains(quote) {
            true => name.chars().for_each(|c| {
                self.text.push(c);
                if c == quote {
                    self.text.push(quote);
                }
            }),
            false => self.text.push_str(name),
        }
        self.text.push(quote);
    }

    /// Writes the columns by which a row is found again.
    fn key_names(&mut self, table: &Table) {
        match row_number(self.schema, table) {
            Some(name) => self.name(name),
            None => self.names(table, &table.primary_key),
        }
    }

    pub(crate) fn names(&mut self, table: &Table, columns: &[ColumnId]) {
        for (position, column) in columns.iter().enumerate() {
            self.comma(position);
            self.name(&table.column(*column).name);
        }
    }

    /// Writes a parameter.
    pub(crate) fn bind(&mut self, bind: Bind<'p, D>) {
        D::bound(&mut self.text, self.binds.len() + 1, &bind);
        self.binds.push(bind);
    }

    /// Writes `"table" AS tN` with a new N.
    fn table(&mut self, table: &Table) -> Scope {
        let alias = self.alias();
        self.aliased(table, alias);
        Scope::Alias(alias)
    }

    /// A new alias.
    pub(crate) fn alias(&mut self) -> u32 {
        self.aliases += 1;
        self.aliases - 1
    }

    /// Writes `"table" AS tN`.
    pub(crate) fn aliased(&mut self, table: &Table, alias: u32) {
        D::table(self, table);
        let _ = write!(self.text, " AS t{alias}");
    }

    pub(crate) fn column(&mut self, scope: Scope, table: &Table, column: ColumnId) {
        // The first alias by far the most often, so it does not take the long way through formatting.
        match scope {
            Scope::Bare => {}
            Scope::Groups => {
                let _ = write!(self.text, "c{}", column.index());
                return;
            }
            Scope::Alias(0) => self.text.push_str("t0."),
            Scope::Alias(alias) => {
                let _ = write!(self.text, "t{alias}.");
            }
        }
        self.name(&table.column(column).name);
    }

    /// Writes a name that is not a column of the schema, as columns are written.
    fn scoped_name(&mut self, scope: Scope, name: &str) {
        if let Scope::Alias(alias) = scope {
            let _ = write!(self.text, "t{alias}.");
        }
        self.name(name);
    }

    /// Writes `near = far and …` for the pairs of a link.
    fn pairs(&mut self, pairs: &[Pair], near: (Scope, &Table), far: (Scope, &Table)) {
        for (position, pair) in pairs.iter().enumerate() {
            if position > 0 {
                self.push(" AND ");
            }
            self.column(near.0, near.1, pair.here);
            self.push("=");
            self.column(far.0, far.1, pair.there);
        }
    }
}

/// The name of the number that the engine gives each row of a table, where the table has no key.
pub(crate) fn row_number<'s>(schema: &'s Schema, table: &Table) -> Option<&'s str> {
    if !table.primary_key.is_empty() {
        return None;
    }
    schema.found()?.table(table.id)?.row_number.as_deref()
}

/// Whether an index of a key serves equality on this column.
pub(crate) fn is_in_key(table: &Table, column: ColumnId) -> bool {
    table.primary_key.contains(&column) || table.uniques.iter().any(|key| key.columns.contains(&column))
}
