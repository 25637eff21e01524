//! Rows as XML: `<rows>` of `<row>`, an element a member, embedded rows inside theirs.
//!
//! ```xml
//! <row><id>1</id><note xsi:nil="true"/><tags><item>new</item></tags><maker><name>Oak</name></maker></row>
//! ```
//!
//! [`mainstay_query::xml`] has the names of elements and the way of text that XML cannot hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mainstay_query::plan::{MemberKind, Shape};
use mainstay_query::xml::{BASE64, ENCODING, INSTANCE_NAMESPACE, element_name, is_char};
use mainstay_schema::Type;
use mainstay_store::{Cell, RowSink};
use serde_json::value::RawValue;

use super::TooLarge;
use super::escape::{push_cell, push_hex, push_without_nulls};
use super::json::Nulls;

const PROLOG: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Writes rows as elements while they are read.
pub(crate) struct XmlSink {
    out: Vec<u8>,
    /// Every kind of row in the answer; the rows themselves are level 0.
    levels: Vec<Vec<Member>>,
    /// What is open, outermost first; empty between rows.
    open: Vec<Open>,
    nulls: Nulls,
    /// Whether the only row is the root.
    is_single: bool,
    max: usize,
}

struct Member {
    /// The element's name.
    name: Box<str>,
    /// The level of its rows; 0, which is never nested, for values.
    level: usize,
    /// The type of the items of a list.
    item: Option<Type>,
}

struct Open {
    level: usize,
    /// Members written of a row.
    next: usize,
    is_list: bool,
    /// The member of the row above whose element this is; `None` for `<row>`.
    element: Option<(usize, usize)>,
}

impl XmlSink {
    /// A sink for rows of this shape that keeps at most about `max` octets.
    pub(crate) fn new(shape: &Shape, nulls: Nulls, is_single: bool, max: usize) -> XmlSink {
        let mut levels = Vec::new();
        add_level(&mut levels, shape);
        let mut out = PROLOG.to_vec();
        if !is_single {
            out.extend_from_slice(format!("<rows xmlns:xsi=\"{INSTANCE_NAMESPACE}\">").as_bytes());
        }
        XmlSink { out, levels, open: Vec::new(), nulls, is_single, max }
    }

    /// The document.
    pub(crate) fn finish(mut self) -> Result<Bytes, TooLarge> {
        if self.is_full() {
            return Err(TooLarge { max: self.max });
        }
        if !self.is_single {
            self.out.extend_from_slice(b"</rows>");
        }
        Ok(Bytes::from(self.out))
    }

    /// Goes on to the next member of the open row.
    fn member(&mut self) -> Option<(usize, usize)> {
        let open = self.open.last_mut()?;
        let at = (open.level, open.next);
        open.next += 1;
        debug_assert!(self.levels[at.0].len() > at.1, "a store gave more members than the shape has");
        Some(at)
    }

    fn start(&mut self, element: Option<(usize, usize)>) {
        self.out.push(b'<');
        match element {
            Some((level, member)) => self.out.extend_from_slice(self.levels[level][member].name.as_bytes()),
            None => self.out.extend_from_slice(b"row"),
        }
        if self.is_single && self.open.is_empty() {
            self.out.extend_from_slice(format!(" xmlns:xsi=\"{INSTANCE_NAMESPACE}\"").as_bytes());
        }
        self.out.push(b'>');
    }

    fn end(&mut self, element: Option<(usize, usize)>) {
        self.out.extend_from_slice(b"</");
        match element {
            Some((level, member)) => self.out.extend_from_slice(self.levels[level][member].name.as_bytes()),
            None => self.out.extend_from_slice(b"row"),
        }
        self.out.push(b'>');
    }

    fn list(&mut self, item: &Type, json: &str) {
        // A store gives lists as JSON. What is none would be a bug there, and is written as text.
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) else { return push_text(&mut self.out, json) };
        for source in items {
            let source = source.get();
            if source == "null" {
                self.out.extend_from_slice(b"<item xsi:nil=\"true\"/>");
                continue;
            }
            let text = match item {
                Type::Json => None,
                _ => serde_json::from_str::<String>(source).ok(),
            };
            push_element(&mut self.out, "item", text.as_deref().unwrap_or(source));
        }
    }
}

fn add_level(levels: &mut Vec<Vec<Member>>, shape: &Shape) -> usize {
    let number = levels.len();
    levels.push(Vec::new());
    let members = shape.members.iter().map(|member| {
        let (level, item) = match &member.kind {
            MemberKind::Value(Type::Array(item)) => (0, Some((**item).clone())),
            MemberKind::Value(_) => (0, None),
            MemberKind::One(shape) | MemberKind::Many(shape) => (add_level(levels, shape), None),
        };
        Member { name: element_name(&member.name).into(), level, item }
    });
    let members = members.collect();
    levels[number] = members;
    number
}

impl RowSink for XmlSink {
    fn start_row(&mut self) {
        let (level, element) = match self.open.last() {
            None => (0, None),
            Some(open) if open.is_list => (open.level, None),
            Some(_) => {
                let element = self.member();
                (element.map_or(0, |(level, member)| self.levels[level][member].level), element)
            }
        };
        self.start(element);
        self.open.push(Open { level, next: 0, is_list: false, element });
    }

    fn end_row(&mut self) {
        let element = self.open.pop().and_then(|open| open.element);
        self.end(element);
    }

    fn start_list(&mut self) {
        let element = self.member();
        let level = element.map_or(0, |(level, member)| self.levels[level][member].level);
        self.start(element);
        self.open.push(Open { level, next: 0, is_list: true, element });
    }

    fn end_list(&mut self) {
        let element = self.open.pop().and_then(|open| open.element);
        self.end(element);
    }

    fn cell(&mut self, cell: Cell<'_>) {
        let Some(at) = self.member() else { return debug_assert!(false, "a store gave a member outside a row") };
        let member = &self.levels[at.0][at.1];
        match cell {
            Cell::Null => {
                if self.nulls == Nulls::Kept {
                    self.out.push(b'<');
                    self.out.extend_from_slice(member.name.as_bytes());
                    self.out.extend_from_slice(b" xsi:nil=\"true\"/>");
                }
            }
            Cell::Json(json) if let Some(item) = member.item.clone() => {
                self.start(Some(at));
                self.list(&item, json);
                self.end(Some(at));
            }
            Cell::Json(json) if self.nulls == Nulls::Stripped => {
                let mut text = Vec::with_capacity(json.len());
                push_without_nulls(&mut text, json);
                push_element(&mut self.out, &member.name, std::str::from_utf8(&text).unwrap_or(json));
            }
            Cell::Text(text) | Cell::Json(text) => push_element(&mut self.out, &member.name, text),
            Cell::Plain(text) | Cell::Digits(text) => {
                self.start(Some(at));
                self.out.extend_from_slice(text.as_bytes());
                self.end(Some(at));
            }
            Cell::Bytes(octets) => {
                self.start(Some(at));
                self.out.extend_from_slice(b"\\x");
                push_hex(&mut self.out, octets);
                self.end(Some(at));
            }
            Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => {
                self.start(Some(at));
                push_cell(&mut self.out, cell);
                self.end(Some(at));
            }
        }
    }

    fn is_full(&self) -> bool {
        self.out.len() > self.max
    }
}

/// An element that holds text, whatever characters that has.
fn push_element(out: &mut Vec<u8>, name: &str, text: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    // Nearly all text is without control characters; only that with some, or with U+FFFE and U+FFFF, is looked at.
    let is_suspect = text.bytes().any(|b| b < b' ' || b == 0xef);
    if is_suspect && !text.chars().all(is_char) {
        out.extend_from_slice(format!(" {ENCODING}=\"{BASE64}\">").as_bytes());
        out.extend_from_slice(STANDARD.encode(text).as_bytes());
    } else {
        out.push(b'>');
        push_text(out, text);
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Text in an element. A carriage return would be read as a line feed, so it is written by its number.
fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| matches!(b, b'<' | b'>' | b'&' | b'\r')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'&' => b"&amp;",
            _ => b"&#13;",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use mainstay_query::plan;

    use super::super::model::{Field, feed, nested_shape, text_shape};
    use super::*;

    fn value(name: &str, ty: Type) -> plan::Member {
        plan::Member { name: name.into(), kind: MemberKind::Value(ty) }
    }

    fn body(sink: XmlSink) -> String {
        let text = String::from_utf8(sink.finish().unwrap().to_vec()).unwrap();
        text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap().to_owned()
    }

    const ROWS: &str = "<rows xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";

    #[test]
    fn members_are_elements_and_nest() {
        let rows = [
            vec![
                Field::Int(1),
                Field::Null,
                Field::One(Some(vec![Field::Text("a<b")])),
                Field::Many(vec![vec![Field::Text("x")], vec![Field::Null]]),
            ],
            vec![Field::Int(2), Field::Text(""), Field::One(None), Field::Many(Vec::new())],
        ];
        let write = |nulls| {
            let mut sink = XmlSink::new(&nested_shape(), nulls, false, usize::MAX);
            feed(&mut sink, &rows);
            body(sink)
        };
        let expected = format!(
            "{ROWS}<row><id>1</id><n xsi:nil=\"true\"/><one><t>a&lt;b</t></one>\
             <many><row><t>x</t></row><row><t xsi:nil=\"true\"/></row></many></row>\
             <row><id>2</id><n></n><one xsi:nil=\"true\"/><many></many></row></rows>"
        );
        assert_eq!(write(Nulls::Kept), expected);
        let expected = format!(
            "{ROWS}<row><id>1</id><one><t>a&lt;b</t></one><many><row><t>x</t></row><row></row></many></row>\
             <row><id>2</id><n></n><many></many></row></rows>"
        );
        assert_eq!(write(Nulls::Stripped), expected);
    }

    #[test]
    fn no_rows_are_an_empty_root() {
        assert_eq!(body(XmlSink::new(&text_shape(), Nulls::Kept, false, 1000)), format!("{ROWS}</rows>"));
    }

    #[test]
    fn a_single_row_is_the_root() {
        let mut sink = XmlSink::new(&text_shape(), Nulls::Kept, true, 1000);
        feed(&mut sink, &[vec![Field::Text("a")]]);
        assert_eq!(body(sink), "<row xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><t>a</t></row>");
    }

    #[test]
    fn every_type_has_its_text() {
        let shape = Shape {
            members: vec![
                value("first word", Type::Text),
                value("b", Type::Bytes),
                value("j", Type::Json),
                value("l", Type::Array(Box::new(Type::Text))),
                value("k", Type::Array(Box::new(Type::Json))),
                value("n", Type::Array(Box::new(Type::Decimal { precision: 9, scale: 2 }))),
                value("f", Type::Float),
            ],
        };
        let mut sink = XmlSink::new(&shape, Nulls::Kept, false, usize::MAX);
        sink.start_row();
        sink.cell(Cell::Text("a\u{1}\r"));
        sink.cell(Cell::Bytes(&[0, 255]));
        sink.cell(Cell::Json(r#"{"a":"<\u0001>"}"#));
        sink.cell(Cell::Json(r#"["x\ny",null,"\u0001",""]"#));
        sink.cell(Cell::Json(r#"["x",{"y":1}]"#));
        sink.cell(Cell::Json(r#"[1.50,"2.00"]"#));
        sink.cell(Cell::Float(1e-7));
        sink.end_row();
        let expected = format!(
            "{ROWS}<row><first_x0020_word encoding=\"base64\">YQEN</first_x0020_word><b>\\x00ff</b>\
             <j>{{\"a\":\"&lt;\\u0001&gt;\"}}</j>\
             <l><item>x\ny</item><item xsi:nil=\"true\"/><item encoding=\"base64\">AQ==</item><item></item></l>\
             <k><item>\"x\"</item><item>{{\"y\":1}}</item></k><n><item>1.50</item><item>2.00</item></n><f>1e-7</f>\
             </row></rows>"
        );
        assert_eq!(body(sink), expected);
    }

    #[test]
    fn a_sink_over_its_limit_says_so() {
        let mut sink = XmlSink::new(&text_shape(), Nulls::Kept, false, 10);
        feed(&mut sink, &[vec![Field::Text("more than ten octets")]]);
        assert!(sink.is_full());
        assert_eq!(sink.finish(), Err(TooLarge { max: 10 }));
    }
}
