//! Rows turned into columns: what a spread of many rows gives, one array for each member.

use mainstay_query::plan::{MemberKind, Shape};
use mainstay_schema::value::{Json, float_text};

use crate::sink::{Cell, RowSink};

/// Keeps each member of the rows that come as the source text of a JSON array.
#[derive(Debug)]
pub struct Columns {
    shape: Shape,
    /// The arrays so far, without their end.
    arrays: Vec<String>,
    /// What is open, outermost first.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    is_list: bool,
    /// Members or rows that came.
    next: usize,
}

impl Columns {
    /// Takes rows of this shape.
    pub fn new(shape: Shape) -> Columns {
        let arrays = vec!["[".to_owned(); shape.members.len()];
        Columns { shape, arrays, open: Vec::new() }
    }

    /// Gives the arrays to `sink`, one cell each, and begins anew.
    pub fn give(&mut self, sink: &mut dyn RowSink) {
        for array in &mut self.arrays {
            array.push(']');
            sink.cell(Cell::Json(array));
            array.truncate(1);
        }
        self.open.clear();
    }

    /// Writes what stands before a value, and gives the text that it goes into.
    fn next(&mut self) -> Option<&mut String> {
        // The outermost row is no object: its members are the arrays.
        let at = self.open.first().filter(|open| !open.is_list)?.next;
        let is_member = self.open.last().is_some_and(|open| !open.is_list) && self.open.len() > 1;
        let name = if is_member { self.name() } else { None };
        let array = self.arrays.get_mut(at)?;
        if !matches!(array.as_bytes().last(), Some(b'[' | b'{')) {
            array.push(',');
        }
        if let Some(name) = name {
            array.push_str(Json::string(&name).as_str());
            array.push(':');
        }
        Some(array)
    }

    /// Name of the member that comes next.
    fn name(&self) -> Option<std::sync::Arc<str>> {
        let mut rows = self.open.iter().filter(|open| !open.is_list).peekable();
        let mut shape = &self.shape;
        while let Some(row) = rows.next() {
            let member = shape.members.get(row.next)?;
            if rows.peek().is_none() {
                return Some(member.name.clone());
            }
            match &member.kind {
                MemberKind::One(below) | MemberKind::Many(below) => shape = below,
                MemberKind::Value(_) => return None,
            }
        }
        None
    }

    fn end(&mut self, bracket: char) {
        self.open.pop();
        if let Some(at) = self.open.first().map(|open| open.next)
            && let Some(array) = self.arrays.get_mut(at)
        {
            array.push(bracket);
        }
        self.advance();
    }

    /// One member of the open row is done; a list only has rows.
    fn advance(&mut self) {
        if let Some(open) = self.open.last_mut().filter(|open| !open.is_list) {
            open.next += 1;
        }
    }
}

impl RowSink for Columns {
    fn start_row(&mut self) {
        if !self.open.is_empty()
            && let Some(array) = self.next()
        {
            array.push('{');
        }
        self.open.push(Open { is_list: false, next: 0 });
    }

    fn end_row(&mut self) {
        if self.open.len() == 1 {
            self.open.pop();
        } else {
            self.end('}');
        }
    }

    fn start_list(&mut self) {
        if let Some(array) = self.next() {
            array.push('[');
        }
        self.open.push(Open { is_list: true, next: 0 });
    }

    fn end_list(&mut self) {
        self.end(']');
    }

    fn cell(&mut self, cell: Cell<'_>) {
        if let Some(array) = self.next() {
            match cell {
                Cell::Null => array.push_str("null"),
                Cell::Bool(value) => array.push_str(if value { "true" } else { "false" }),
                Cell::Int(value) => array.push_str(&value.to_string()),
                Cell::Float(value) => array.push_str(&float_text(value)),
                Cell::Digits(text) | Cell::Json(text) => array.push_str(text),
                Cell::Text(text) | Cell::Plain(text) => array.push_str(Json::string(text).as_str()),
                Cell::Bytes(octets) => {
                    array.push_str("\"\\\\x");
                    octets.iter().for_each(|octet| array.push_str(&format!("{octet:02x}")));
                    array.push('"');
                }
            }
        }
        self.advance();
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::plan::Member;
    use mainstay_schema::Type;

    use super::*;
    use crate::collect::Collected;

    fn member(name: &str, kind: MemberKind) -> Member {
        Member { name: name.into(), kind }
    }

    #[test]
    fn members_become_arrays_in_the_order_of_the_rows() {
        let inner = Shape { members: vec![member("t \"x\"", MemberKind::Value(Type::Text))] };
        let shape = Shape {
            members: vec![
                member("n", MemberKind::Value(Type::Int)),
                member("one", MemberKind::One(inner.clone())),
                member("many", MemberKind::Many(inner)),
            ],
        };
        let json = || MemberKind::Value(Type::Array(Box::new(Type::Json)));
        let arrays = Shape { members: vec![member("n", json()), member("one", json()), member("many", json())] };
        let mut columns = Columns::new(shape);
        for round in 0..2 {
            for number in [1, 2] {
                columns.start_row();
                columns.cell(Cell::Int(number));
                if number == 1 {
                    columns.start_row();
                    columns.cell(Cell::Text("é\n"));
                    columns.end_row();
                } else {
                    columns.cell(Cell::Null);
                }
                columns.start_list();
                for _ in 1..number {
                    columns.start_row();
                    columns.cell(Cell::Null);
                    columns.end_row();
                    columns.start_row();
                    columns.cell(Cell::Plain("b"));
                    columns.end_row();
                }
                columns.end_list();
                columns.end_row();
            }
            let mut collected = Collected::new(arrays.clone());
            collected.start_row();
            columns.give(&mut collected);
            collected.end_row();
            let rows = collected.finish().unwrap();
            let texts: Vec<String> = rows[0]
                .iter()
                .map(|member| match member {
                    crate::collect::Member::Value(value) => mainstay_query::evaluate::to_json(value).unwrap(),
                    other => panic!("{other:?}"),
                })
                .map(|json| json.as_str().to_owned())
                .collect();
            let expected =
                ["[1,2]", "[{\"t \\\"x\\\"\":\"é\\n\"},null]", "[[],[{\"t \\\"x\\\"\":null},{\"t \\\"x\\\"\":\"b\"}]]"];
            assert_eq!(texts, expected, "round {round}");
        }
    }
}
