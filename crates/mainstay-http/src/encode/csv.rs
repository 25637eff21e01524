//! Rows as CSV: a header line, then a line a row, fields quoted as PostgreSQL quotes those of a row.

use bytes::Bytes;
use mainstay_query::plan::{Member, MemberKind, Shape};
use mainstay_store::{Cell, RowSink};

use super::TooLarge;
use super::escape::{push_cell, push_hex};
use super::json::{JsonSink, Nulls};

/// Writes rows as lines while they are read. Embedded rows become a field that holds their JSON.
pub(crate) struct CsvSink {
    out: Vec<u8>,
    members: Vec<Member>,
    /// The member that comes next in this line.
    next: usize,
    /// Rows and lists that are open below the line.
    depth: usize,
    /// Takes the embedded rows of the member at hand.
    inner: Option<JsonSink>,
    for_spreadsheets: bool,
    max: usize,
}

impl CsvSink {
    /// A sink for rows of this shape that keeps at most about `max` octets. With `for_spreadsheets`, text that a
    /// spreadsheet would run as a formula is prefixed with an apostrophe.
    pub(crate) fn new(shape: &Shape, for_spreadsheets: bool, max: usize) -> CsvSink {
        let members = shape.members.clone();
        CsvSink { out: Vec::new(), members, next: 0, depth: 0, inner: None, for_spreadsheets, max }
    }

    /// The lines. Without rows it is one empty line, as there is no row to take the names from.
    pub(crate) fn finish(mut self) -> Result<Bytes, TooLarge> {
        if self.is_full() {
            return Err(TooLarge { max: self.max });
        }
        if self.out.is_empty() {
            self.out.push(b'\n');
        }
        Ok(Bytes::from(self.out))
    }

    fn header(&mut self) {
        for (position, member) in self.members.iter().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            if self.for_spreadsheets && is_formula(&member.name) {
                push_field(&mut self.out, &format!("'{}", member.name), true);
                continue;
            }
            let needs_quotes = member.name.contains([',', '"', '\n', '\r']) || member.name.is_empty();
            push_field(&mut self.out, &member.name, needs_quotes);
        }
    }

    /// Begins the next field of the line.
    fn field(&mut self) {
        if self.next > 0 {
            self.out.push(b',');
        }
        self.next += 1;
    }

    /// Hands embedded rows on to a sink of their own, which sees the member as its only row or rows.
    fn descend(&mut self) {
        self.field();
        let shape = match self.members.get(self.next - 1).map(|member| &member.kind) {
            Some(MemberKind::One(shape) | MemberKind::Many(shape)) => shape,
            _ => return debug_assert!(false, "a store nested rows in a value"),
        };
        self.inner = Some(JsonSink::new(shape, Nulls::Kept, self.max));
    }

    /// Writes the embedded rows as one field.
    fn ascend(&mut self, is_list: bool) {
        let Some(inner) = self.inner.take() else { return };
        let text = if is_list { inner.finish() } else { inner.finish_single() };
        match text.as_deref().map(std::str::from_utf8) {
            Ok(Ok(text)) => push_field(&mut self.out, text, true),
            // Too large for a part is too large for the whole.
            _ => self.max = self.max.min(self.out.len().saturating_sub(1)),
        }
    }
}

impl RowSink for CsvSink {
    fn start_row(&mut self) {
        if let Some(inner) = &mut self.inner {
            self.depth += 1;
            return inner.start_row();
        }
        if self.depth == 1 {
            self.descend();
            self.depth += 1;
            if let Some(inner) = &mut self.inner {
                inner.start_row();
            }
            return;
        }
        if self.out.is_empty() {
            self.header();
        }
        self.out.push(b'\n');
        self.next = 0;
        self.depth = 1;
    }

    fn end_row(&mut self) {
        self.depth -= 1;
        if let Some(inner) = &mut self.inner {
            inner.end_row();
            if self.depth == 1 {
                self.ascend(false);
            }
        }
    }

    fn start_list(&mut self) {
        self.depth += 1;
        match &mut self.inner {
            Some(inner) => inner.start_list(),
            // The rows of the list are the rows of the inner sink.
            None => self.descend(),
        }
    }

    fn end_list(&mut self) {
        self.depth -= 1;
        if self.depth == 1 {
            self.ascend(true);
        } else if let Some(inner) = &mut self.inner {
            inner.end_list();
        }
    }

    fn cell(&mut self, cell: Cell<'_>) {
        if let Some(inner) = &mut self.inner {
            return inner.cell(cell);
        }
        self.field();
        let is_text = matches!(cell, Cell::Text(_));
        let text = match cell {
            Cell::Null => return,
            Cell::Bool(value) => return self.out.push(if value { b't' } else { b'f' }),
            Cell::Text(text) | Cell::Plain(text) | Cell::Digits(text) | Cell::Json(text) => text,
            Cell::Int(_) | Cell::Float(_) => return push_cell(&mut self.out, cell),
            Cell::Bytes(octets) => {
                self.out.extend_from_slice(br#""\x"#);
                push_hex(&mut self.out, octets);
                return self.out.push(b'"');
            }
        };
        if self.for_spreadsheets && is_text && is_formula(text) {
            return push_field(&mut self.out, &format!("'{text}"), true);
        }
        push_field(&mut self.out, text, needs_quotes(text));
    }

    fn is_full(&self) -> bool {
        self.out.len() > self.max || self.inner.as_ref().is_some_and(RowSink::is_full)
    }
}

/// Whether a spreadsheet would run it.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Null is nothing at all, so empty text must be quoted.
fn needs_quotes(text: &str) -> bool {
    let is_special =
        |b: u8| matches!(b, b',' | b'"' | b'(' | b')' | b'\\' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    text.is_empty() || text.bytes().any(is_special)
}

fn push_field(out: &mut Vec<u8>, text: &str, quoted: bool) {
    if !quoted {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for part in text.split_inclusive('"') {
        out.extend_from_slice(part.as_bytes());
        if part.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::model::{Field, feed, flat_shape, nested_shape, text_shape};
    use super::*;

    fn check(shape: &Shape, rows: &[Vec<Field<'_>>], expected: &str) {
        let mut sink = CsvSink::new(shape, false, 10_000);
        feed(&mut sink, rows);
        assert_eq!(sink.finish().unwrap(), expected);
    }

    #[test]
    fn fields_are_quoted_when_a_reader_could_mistake_them() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("(x)", "\"(x)\""),
            ("back\\slash", "\"back\\slash\""),
            ("line\nbreak", "\"line\nbreak\""),
            ("Grüße", "Grüße"),
        ] {
            check(&text_shape(), &[vec![Field::Text(text)]], &format!("t\n{expected}"));
        }
    }

    #[test]
    fn null_is_empty_and_truth_is_a_letter() {
        check(&text_shape(), &[vec![Field::Null], vec![Field::Bool(true)], vec![Field::Bool(false)]], "t\n\nt\nf");
    }

    #[test]
    fn no_rows_are_one_empty_line() {
        check(&flat_shape(), &[], "\n");
    }

    #[test]
    fn embedded_rows_are_json_in_a_field() {
        let rows = [
            vec![
                Field::Int(1),
                Field::Null,
                Field::One(Some(vec![Field::Text("a")])),
                Field::Many(vec![vec![Field::Text("x")], vec![Field::Text("y")]]),
            ],
            vec![Field::Int(2), Field::Null, Field::One(None), Field::Many(Vec::new())],
        ];
        let expected =
            concat!("id,n,one,many\n", r#"1,,"{""t"":""a""}","[{""t"":""x""},{""t"":""y""}]""#, "\n", r#"2,,,"[]""#);
        check(&nested_shape(), &rows, expected);
    }

    #[test]
    fn formulas_are_defused_only_when_asked() {
        let mut sink = CsvSink::new(&text_shape(), true, 1000);
        feed(&mut sink, &[vec![Field::Text("=1+1")], vec![Field::Text("a=1")], vec![Field::Int(-1)]]);
        assert_eq!(sink.finish().unwrap(), "t\n\"'=1+1\"\na=1\n-1");
        check(&text_shape(), &[vec![Field::Text("=1+1")]], "t\n=1+1");
    }

    /// `security.md` I8: who links to an export chooses its names, by an alias in `select`.
    #[test]
    fn names_are_defused_as_well() {
        for (name, exact, safe) in [
            ("=1+1", "=1+1\n7", "\"'=1+1\"\n7"),
            ("@a\"b", "\"@a\"\"b\"\n7", "\"'@a\"\"b\"\n7"),
            ("\tx", "\tx\n7", "\"'\tx\"\n7"),
            ("a=1", "a=1\n7", "a=1\n7"),
        ] {
            for (for_spreadsheets, expected) in [(false, exact), (true, safe)] {
                let mut shape = super::super::model::flat_shape();
                shape.members[0].name = name.into();
                let mut sink = CsvSink::new(&shape, for_spreadsheets, 1000);
                feed(&mut sink, &[vec![Field::Int(7)]]);
                assert_eq!(sink.finish().unwrap(), expected);
            }
        }
    }

    #[test]
    fn a_sink_over_its_limit_says_so() {
        let mut sink = CsvSink::new(&text_shape(), false, 10);
        feed(&mut sink, &[vec![Field::Text("more than ten octets")]]);
        assert!(sink.is_full());
        assert_eq!(sink.finish(), Err(TooLarge { max: 10 }));
    }
}
