//! `RETURNING` of changes that somebody wrote, which neither server has for updates, and MySQL for nothing: the rows are
//! found and locked first, and shown when they are changed, or before they go.

use mainstay_schema::function::{Clause, Piece};
use mainstay_schema::{Function, Schema, Table, Value};
use mysql_async::{Row, Value as Native};

use super::read::Fault;
use super::render::ddl::names;
use super::server::Server;
use super::session::Session;
use super::types;
use crate::sql::typed::{VALUES_MAX, strange, too_many};

/// A change of the rows of one table that says what it gives back.
pub(super) struct Change<'c> {
    /// What comes before the target: `UPDATE` or `DELETE FROM`.
    verb: &'static str,
    table: &'c Table,
    /// The table, perhaps with another name.
    target: String,
    /// `SET …`, for an update.
    set: &'c [Piece],
    /// `WHERE …`, or nothing.
    condition: &'c [Piece],
    /// What stands behind `RETURNING`.
    list: &'c [Piece],
}

impl<'c> Change<'c> {
    /// Whether a server needs help with a statement.
    pub(super) fn is_by_hand(server: Server, pieces: &[Piece]) -> bool {
        let is_insert = || verb(pieces).is_some_and(|(verb, _)| verb == "INSERT");
        pieces.contains(&Piece::Clause(Clause::Returning)) && !(server.is_mariadb() && is_insert())
    }

    /// Takes a statement apart.
    ///
    /// # Errors
    /// Why that cannot be done, in words.
    pub(super) fn of(pieces: &'c [Piece], schema: &'c Schema) -> Result<Change<'c>, String> {
        let at = |clause| pieces.iter().position(|piece| *piece == Piece::Clause(clause));
        let (set, condition) = (at(Clause::Set), at(Clause::Where));
        let returning = at(Clause::Returning).unwrap_or(pieces.len());
        let head_end = set.or(condition).unwrap_or(returning);
        let (verb, target) = match verb(&pieces[..head_end]) {
            Some(("UPDATE", target)) if set.is_some() => ("UPDATE", target),
            Some(("DELETE", target)) if set.is_none() => ("DELETE FROM", target),
            _ => return Err("the server gives nothing back from a statement like this".to_owned()),
        };
        // A name, and perhaps `AS` and another one.
        let words: Vec<&str> = target.split_whitespace().collect();
        let is_one = matches!(words.as_slice(), [_] | [_, _] | [_, _, _]) && !target.contains([',', '(', ')']);
        let name = words.first().map(|word| word.trim_matches(['"', '`'])).filter(|_| is_one);
        let table = name.and_then(|name| schema.find(name)).filter(|table| !table.primary_key.is_empty());
        let table = table.ok_or("what is given back must be of one table that has a primary key")?;
        let end_of_set = condition.unwrap_or(returning);
        Ok(Change {
            verb,
            table,
            target: target.to_owned(),
            set: set.map_or(&[], |at| &pieces[at..end_of_set]),
            condition: condition.map_or(&[], |at| &pieces[at..returning]),
            list: pieces.get(returning + 1..).unwrap_or_default(),
        })
    }

    /// The change alone.
    pub(super) fn changing(&self) -> String {
        format!("{} {} {}{}", self.verb, self.target, text(self.set), text(self.condition))
    }

    /// What is given back.
    pub(super) fn showing(&self) -> String {
        format!("{} FROM {} {}", self.select(), self.target, text(self.condition))
    }

    fn select(&self) -> String {
        let list = text(self.list);
        format!("SELECT {}", list.trim_start().get("RETURNING".len()..).unwrap_or_default())
    }

    /// Makes the change; gives the rows.
    pub(super) async fn run(
        &self,
        session: &mut Session,
        function: &Function,
        arguments: &[Value],
    ) -> Result<Vec<Row>, Fault> {
        let params = |parts: &[&[Piece]]| -> Vec<Native> {
            let place = |piece: &Piece| match piece {
                Piece::Parameter(id) => arguments.get(id.index()).map(types::native),
                _ => None,
            };
            parts.iter().flat_map(|part| part.iter()).filter_map(place).collect()
        };
        if self.verb != "UPDATE" {
            let sql = format!("{} FOR UPDATE", self.showing());
            let rows = session.query_native(&sql, params(&[self.list, self.condition])).await?.all().await?;
            session.query_native(&self.changing(), params(&[self.condition])).await?.end().await?;
            return Ok(rows);
        }
        let key = names(self.table, &self.table.primary_key);
        let sql = format!("SELECT {key} FROM {} {} FOR UPDATE", self.target, text(self.condition));
        let keys = session.query_native(&sql, params(&[self.condition])).await?.all().await?;
        session.query_native(&self.changing(), params(&[self.set, self.condition])).await?.end().await?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let width = self.table.primary_key.len();
        if keys.len() * width > VALUES_MAX {
            return Err(Fault::Rows(too_many(function)));
        }
        let one = format!("({})", vec!["?"; width].join(","));
        let list = vec![one.as_str(); keys.len()].join(",");
        let sql = format!("{} FROM {} WHERE ({key}) IN ({list})", self.select(), self.target);
        let mut values = params(&[self.list]);
        values.extend(keys.iter().flat_map(|row| (0..width).map(|at| row.as_ref(at).cloned().unwrap_or(Native::NULL))));
        let rows = session.query_native(&sql, values).await?.all().await?;
        if rows.len() != keys.len() {
            let words = "it changes the key of what it gives back, and so cannot find it again".to_owned();
            return Err(Fault::Rows(strange(function, words)));
        }
        Ok(rows)
    }
}

/// What a statement does, and to what.
fn verb(pieces: &[Piece]) -> Option<(&'static str, &str)> {
    let Some(Piece::Text(text)) = pieces.first() else { return None };
    let word = |text: &'_ str| text.split(|c: char| !c.is_ascii_alphabetic()).next().map_or(0, str::len);
    let (first, rest) = text.split_at(word(text));
    let rest = rest.trim();
    if first.eq_ignore_ascii_case("update") {
        return Some(("UPDATE", rest));
    }
    if first.eq_ignore_ascii_case("insert") || first.eq_ignore_ascii_case("replace") {
        return Some(("INSERT", rest));
    }
    let (from, target) = rest.split_at(word(rest));
    let is_delete = first.eq_ignore_ascii_case("delete") && from.eq_ignore_ascii_case("from");
    is_delete.then(|| ("DELETE", target.trim()))
}

/// The text of a part, with its parameters as the server takes them.
fn text(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(more) => text.push_str(more),
            Piece::Parameter(_) | Piece::Optional(_) | Piece::Out => text.push('?'),
            Piece::Clause(_) => {}
        }
    }
    text
}
