//! A piece of SQL with the values that are bound in it.

use std::fmt;

use mainstay_stores::postgres::Param;

use crate::catalog::Name;

/// A piece of SQL. Pieces are put together in any order; parameters are numbered at the end, by [`Sql::finish`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sql(Vec<Part>);

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Bound as text of no type yet, so that the server reads it as the type its place wants.
    Value(String),
    /// Bound null.
    Null,
}

impl Sql {
    /// Nothing yet.
    pub fn new() -> Sql {
        Sql::default()
    }

    /// This text. It must be of ours: no name and no value from outside.
    pub fn of(text: &str) -> Sql {
        let mut sql = Sql::new();
        sql.push(text);
        sql
    }

    /// Adds text of ours.
    pub fn push(&mut self, text: &str) -> &mut Sql {
        match self.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
        self
    }

    /// Adds a name, quoted.
    pub fn ident(&mut self, name: &str) -> &mut Sql {
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push('"');
        // A NUL can be in no name, and would end the statement.
        for c in name.chars().filter(|c| *c != '\0') {
            if c == '"' {
                quoted.push('"');
            }
            quoted.push(c);
        }
        quoted.push('"');
        self.push(&quoted)
    }

    /// Adds a name with its schema, both quoted; only the name where the schema is empty.
    pub fn name(&mut self, name: &Name) -> &mut Sql {
        if !name.schema.is_empty() {
            self.ident(&name.schema).push(".");
        }
        self.ident(&name.name)
    }

    /// Adds a constant text, quoted: for the few places where a parameter cannot stand.
    pub fn literal(&mut self, text: &str) -> &mut Sql {
        let quoted = text.replace('\0', "").replace('\'', "''");
        match quoted.contains('\\') {
            true => self.push("E'").push(&quoted.replace('\\', "\\\\")).push("'"),
            false => self.push("'").push(&quoted).push("'"),
        }
    }

    /// Adds a bound value, which the server reads as the type that its place wants.
    pub fn value(&mut self, text: impl Into<String>) -> &mut Sql {
        self.0.push(Part::Value(text.into()));
        self
    }

    /// Adds a bound value or null.
    pub fn value_or_null(&mut self, text: Option<&str>) -> &mut Sql {
        self.0.push(match text {
            Some(text) => Part::Value(text.to_owned()),
            None => Part::Null,
        });
        self
    }

    /// Adds another piece.
    pub fn append(&mut self, other: Sql) -> &mut Sql {
        for part in other.0 {
            match part {
                Part::Text(text) => drop(self.push(&text)),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Adds pieces with `separator` between them.
    pub fn join(&mut self, separator: &str, pieces: impl IntoIterator<Item = Sql>) -> &mut Sql {
        for (at, piece) in pieces.into_iter().enumerate() {
            if at > 0 {
                self.push(separator);
            }
            self.append(piece);
        }
        self
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The statement's text, and its values in the order of their numbers.
    pub fn finish(&self) -> (String, Vec<Param<'_>>) {
        let mut text = String::new();
        let mut params = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(more) => text.push_str(more),
                Part::Value(value) => params.push(Param::Text(value)),
                Part::Null => params.push(Param::Cell(None)),
            }
            if !matches!(part, Part::Text(_)) {
                text.push_str(&format!("${}", params.len()));
            }
        }
        (text, params)
    }
}

/// Values are nobody's business but the server's.
impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finish().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_cannot_leave_their_place() {
        let mut sql = Sql::of("SELECT ");
        sql.ident("a\"b").push(" FROM ").name(&Name::new("s", "t\"")).push(" WHERE x = ").value("'; --");
        let mut outer = Sql::of("SELECT * FROM t WHERE y = ");
        outer.value("1").push(" AND EXISTS (").append(sql).push(")");
        let (text, params) = outer.finish();
        let expected = r#"SELECT * FROM t WHERE y = $1 AND EXISTS (SELECT "a""b" FROM "s"."t""" WHERE x = $2)"#;
        assert_eq!((text.as_str(), params.len()), (expected, 2));
        assert_eq!(Sql::new().literal("it's").finish().0, "'it''s'");
        assert_eq!(Sql::new().literal("a\\'").finish().0, "E'a\\\\'''");
    }
}
