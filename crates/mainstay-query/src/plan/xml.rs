//! XML bodies: `<rows>` of `<row>`, or one `<row>`, with an element a column. The form is that of XML answers
//! ([`crate::xml`] has the names).
//!
//! Nothing is taken that could lead out of the document or grow in it: no document type, no entities but the five of
//! the language, no nesting but that of rows, cells and items. The body is read in one pass.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_schema::{Type, Value, ValueError};
use quick_xml::Reader;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::rows::{Row, Rows};
use crate::error::{ParseError, PlanError};
use crate::xml::{BASE64, ENCODING, column_name, is_char};

/// Attributes of one element. Looking for one that is there twice costs the square of their number.
const ATTRIBUTES_MAX: usize = 16;

/// Reads the rows of a body.
pub(super) fn read(body: &[u8], rows: &mut Rows<'_>) -> Result<(), PlanError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    Document { reader, rows }.read()
}

struct Document<'x, 'r, 'a> {
    reader: Reader<&'x [u8]>,
    rows: &'r mut Rows<'a>,
}

/// What the attributes of a cell say.
#[derive(Default, PartialEq, Eq)]
struct Marks {
    is_null: bool,
    is_base64: bool,
}

/// What stands in a cell.
enum Content {
    Text(String),
    Items(Vec<Option<String>>),
}

impl<'x> Document<'x, '_, '_> {
    fn read(mut self) -> Result<(), PlanError> {
        let mut is_first = true;
        let mut has_root = false;
        loop {
            match self.next()? {
                Event::Decl(declaration) if is_first => check_declaration(&declaration)?,
                Event::Start(start) if !has_root => {
                    has_root = true;
                    unmarked(&start)?;
                    match start.name().as_ref() {
                        "rows" => self.rows()?,
                        "row" => self.row()?,
                        other => return Err(malformed(format!("the root is <{other}>; write <rows> or <row>"))),
                    }
                }
                Event::Eof if has_root => return Ok(()),
                Event::Eof => return Err(malformed("the body is empty")),
                other => self.pass_over(&other)?,
            }
            is_first = false;
        }
    }

    fn next(&mut self) -> Result<Event<'x>, PlanError> {
        let event = self.reader.read_event();
        event.map_err(|error| malformed(format!("position {}: {error}", self.reader.error_position() + 1)))
    }

    /// Lets through what means nothing between elements, and refuses the rest.
    fn pass_over(&self, event: &Event<'_>) -> Result<(), PlanError> {
        match event {
            Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Text(text) if text.trim_ascii().is_empty() => Ok(()),
            Event::DocType(_) => Err(malformed("a document type is not taken")),
            Event::Eof => Err(malformed("the body ends in the middle")),
            _ => Err(self.misplaced()),
        }
    }

    fn misplaced(&self) -> PlanError {
        malformed(format!("unexpected markup or text before position {}", self.reader.buffer_position() + 1))
    }

    fn rows(&mut self) -> Result<(), PlanError> {
        loop {
            match self.next()? {
                Event::Start(start) if start.name().as_ref() == "row" => {
                    unmarked(&start)?;
                    self.row()?;
                }
                Event::End(_) => return Ok(()),
                other => self.pass_over(&other)?,
            }
        }
    }

    fn row(&mut self) -> Result<(), PlanError> {
        // The first row says which columns there are, unless the request does.
        let is_first = self.rows.next_row() == 1 && !self.rows.is_chosen();
        let mut row: Row = vec![None; self.rows.width()];
        let mut position = 0;
        loop {
            let start = match self.next()? {
                Event::Start(start) => start,
                Event::End(_) => break,
                other => {
                    self.pass_over(&other)?;
                    continue;
                }
            };
            let name = start.name();
            let name = column_name(name.as_ref()).unwrap_or_else(|| name.as_ref().to_owned());
            let slot = match self.rows.slot_near(position, &name) {
                Some(slot) if row[slot].is_some() => return Err(repeated(&name, self.rows.next_row())),
                Some(slot) => slot,
                None if is_first => {
                    row.push(None);
                    self.rows.add_slot(&name)?
                }
                None if self.rows.is_chosen() => {
                    self.skip(&start)?;
                    continue;
                }
                None => return Err(unequal(self.rows.next_row())),
            };
            row[slot] = Some(self.cell(slot, &start)?);
            position += 1;
        }
        if position < row.len() && !self.rows.is_chosen() {
            return Err(unequal(self.rows.next_row()));
        }
        self.rows.push(row)
    }

    /// Passes over an element that is not wanted.
    fn skip(&mut self, start: &BytesStart<'_>) -> Result<(), PlanError> {
        let skipped = self.reader.read_to_end(start.name());
        skipped.map(drop).map_err(|error| malformed(error.to_string()))
    }

    fn cell(&mut self, slot: usize, start: &BytesStart<'_>) -> Result<Value, PlanError> {
        let marks = marks(start)?;
        let content = self.content(true)?;
        let content = match content {
            Content::Text(text) if marks.is_null && text.trim_ascii().is_empty() => None,
            _ if marks.is_null => return Err(malformed(format!("<{}> is null and not empty", start.name().as_ref()))),
            Content::Text(text) if marks.is_base64 => Some(Content::Text(unpacked(&text)?)),
            content => Some(content),
        };
        if matches!(content, Some(Content::Items(_))) && !matches!(self.rows.ty(slot), Type::Array(_)) {
            return Err(malformed(format!("<{}> holds elements, and its column holds no list", start.name().as_ref())));
        }
        self.rows.cell(slot, |ty| content.map_or(Ok(Value::Null), |content| value(ty, &content)))
    }

    /// What stands in a cell, up to its end. Items hold no items, so this goes one level deep and no deeper.
    fn content(&mut self, may_have_items: bool) -> Result<Content, PlanError> {
        let mut text = String::new();
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::Text(more) => push(&mut text, &more.xml10_content())?,
                Event::CData(more) => push(&mut text, &more.xml10_content())?,
                Event::GeneralRef(reference) => text.push(resolve(&reference)?),
                Event::Start(start) if may_have_items && start.name().as_ref() == "item" => {
                    let marks = marks(&start)?;
                    items.push(self.item(&marks)?);
                }
                Event::End(_) if items.is_empty() => return Ok(Content::Text(text)),
                Event::End(_) if text.trim_ascii().is_empty() => return Ok(Content::Items(items)),
                Event::End(_) => return Err(malformed("text stands between the items of a list")),
                Event::Comment(_) | Event::PI(_) => {}
                other => self.pass_over(&other)?,
            }
        }
    }

    /// The text of one element of a list, up to its end; `None` for null.
    fn item(&mut self, marks: &Marks) -> Result<Option<String>, PlanError> {
        match self.content(false)? {
            Content::Items(_) => Err(malformed("an item holds items")),
            Content::Text(text) if marks.is_null && text.trim_ascii().is_empty() => Ok(None),
            Content::Text(_) if marks.is_null => Err(malformed("an item is null and not empty")),
            Content::Text(text) if marks.is_base64 => unpacked(&text).map(Some),
            Content::Text(text) => Ok(Some(text)),
        }
    }
}

fn push(text: &mut String, more: &str) -> Result<(), PlanError> {
    if let Some(c) = more.chars().find(|c| !is_char(*c)) {
        return Err(malformed(format!("U+{:04X} is no character of XML", u32::from(c))));
    }
    text.push_str(more);
    Ok(())
}

/// The value that a cell holds. A list is its items, or the text form that filters and CSV take.
fn value(ty: &Type, content: &Content) -> Result<Value, ValueError> {
    match (ty, content) {
        (Type::Array(item), Content::Items(items)) => {
            let value = |text: &Option<String>| text.as_ref().map_or(Ok(Value::Null), |text| Value::parse(item, text));
            items.iter().map(value).collect::<Result<_, _>>().map(Value::Array)
        }
        (Type::Array(_), Content::Text(text)) if text.trim_ascii().is_empty() => Ok(Value::Array(Vec::new())),
        (ty, Content::Text(text)) => Value::parse(ty, text),
        (_, Content::Items(_)) => Ok(Value::Null), // Refused before.
    }
}

/// One of the five entities, or a character by its number.
fn resolve(reference: &BytesRef<'_>) -> Result<char, PlanError> {
    let by_number = reference.resolve_char_ref().map_err(|error| malformed(error.to_string()))?;
    let name = reference.xml10_content();
    let c = by_number.or(match &*name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    });
    match c {
        Some(c) if is_char(c) => Ok(c),
        Some(_) => Err(malformed(format!("&{name}; is no character of XML"))),
        None => Err(malformed("only the entities lt, gt, amp, quot and apos are taken")),
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), PlanError> {
    match declaration.version() {
        Ok(version) if version == "1.0" => {}
        _ => return Err(malformed("only XML 1.0 is taken")),
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(_) => Err(malformed("only UTF-8 is taken")),
    }
}

fn marks(start: &BytesStart<'_>) -> Result<Marks, PlanError> {
    let mut marks = Marks::default();
    for (number, attribute) in start.attributes().enumerate() {
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        if number >= ATTRIBUTES_MAX {
            return Err(malformed(format!("an element has more than {ATTRIBUTES_MAX} attributes")));
        }
        let name = attribute.key.as_ref();
        match name.rsplit_once(':').unwrap_or(("", name)) {
            ("xmlns", _) | ("", "xmlns") | ("xsi", "schemaLocation" | "noNamespaceSchemaLocation" | "type") => {}
            ("xsi", "nil") | ("", "null") => marks.is_null = truth(name, &attribute)?,
            ("", ENCODING) if attribute.value == BASE64 => marks.is_base64 = true,
            _ => return Err(malformed(format!("the attribute {name} means nothing here"))),
        }
    }
    Ok(marks)
}

/// Refuses the marks of a cell on what is none.
fn unmarked(start: &BytesStart<'_>) -> Result<(), PlanError> {
    if marks(start)? == Marks::default() {
        Ok(())
    } else {
        Err(malformed(format!("<{}> cannot be null or encoded", start.name().as_ref())))
    }
}

fn truth(name: &str, attribute: &Attribute<'_>) -> Result<bool, PlanError> {
    match &*attribute.value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(malformed(format!("the attribute {name} is neither true nor false"))),
    }
}

fn unpacked(text: &str) -> Result<String, PlanError> {
    let octets = STANDARD.decode(text.trim_ascii()).ok();
    octets.and_then(|octets| String::from_utf8(octets).ok()).ok_or_else(|| malformed("text is not base64 of UTF-8"))
}

fn malformed(details: impl Into<String>) -> PlanError {
    body_error("Empty or invalid xml".to_owned(), details.into())
}

fn unequal(row: usize) -> PlanError {
    body_error("All rows must have the same elements".to_owned(), format!("row {row}"))
}

fn repeated(name: &str, row: usize) -> PlanError {
    body_error(format!("Element \"{name}\" appears twice"), format!("row {row}"))
}

fn body_error(message: String, details: String) -> PlanError {
    PlanError::Parse(ParseError::Body { message, details: Some(details) })
}
