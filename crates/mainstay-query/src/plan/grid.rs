//! Bodies whose rows have the cells that a header names: CSV, and rows that the program itself brings.

use mainstay_schema::Value;

use super::rows::Rows;
use crate::csv::{Field, Records};
use crate::error::{ParseError, PlanError};

/// Reads CSV: a header, then one line a row. A bare field `NULL` is null; a quoted one is that text.
pub(super) fn read_csv(body: &[u8], rows: &mut Rows<'_>) -> Result<(), PlanError> {
    let malformed = |row: usize| body_error("Empty or invalid csv", row);
    let text = std::str::from_utf8(body).map_err(|_| malformed(0))?;
    let mut records = Records::new(text);
    let mut fields = Vec::new();
    if !records.next(&mut fields).map_err(|_| malformed(0))? {
        return Err(malformed(0));
    }
    let header = Header::new(fields.iter().map(|field| &*field.text), rows)?;
    while records.next(&mut fields).map_err(|_| malformed(rows.next_row()))? {
        header.row(fields.iter().map(Field::value), fields.len(), rows)?;
    }
    Ok(())
}

/// Takes rows that are split already; an absent text is null.
pub(super) fn read_rows(
    columns: &[String],
    cells: &[Vec<Option<String>>],
    rows: &mut Rows<'_>,
) -> Result<(), PlanError> {
    let header = Header::new(columns.iter().map(String::as_str), rows)?;
    for row in cells {
        header.row(row.iter().map(Option::as_deref), row.len(), rows)?;
    }
    Ok(())
}

/// Where the fields of each line go.
struct Header {
    /// The slot of each field; `None` for columns that the request did not choose.
    slots: Vec<Option<usize>>,
}

impl Header {
    fn new<'n>(names: impl Iterator<Item = &'n str>, rows: &mut Rows<'_>) -> Result<Header, PlanError> {
        let mut slots = Vec::new();
        for name in names {
            let slot = match rows.slot(name) {
                Some(slot) if slots.contains(&Some(slot)) => {
                    return Err(body_error(&format!("Column \"{name}\" appears twice"), 0));
                }
                Some(slot) => Some(slot),
                None if rows.is_chosen() => None,
                None => Some(rows.add_slot(name)?),
            };
            slots.push(slot);
        }
        Ok(Header { slots })
    }

    fn row<'t>(
        &self,
        texts: impl Iterator<Item = Option<&'t str>>,
        length: usize,
        rows: &mut Rows<'_>,
    ) -> Result<(), PlanError> {
        if length != self.slots.len() {
            return Err(body_error("All lines must have same number of fields", rows.next_row()));
        }
        let mut row = vec![None; rows.width()];
        for (slot, text) in self.slots.iter().zip(texts) {
            if let Some(slot) = slot {
                let read = |ty: &_| text.map_or(Ok(Value::Null), |text| Value::parse(ty, text));
                row[*slot] = Some(rows.cell(*slot, read)?);
            }
        }
        rows.push(row)
    }
}

/// Row 0 is the header.
fn body_error(message: &str, row: usize) -> PlanError {
    let place = if row == 0 { "header".to_owned() } else { format!("row {row}") };
    PlanError::Parse(ParseError::Body { message: message.to_owned(), details: Some(place) })
}
