//! The `Range` header of a read, counted in rows.

use crate::error::ParseError;
use crate::request::{Located, Query};

/// Rows from `first` to `last`, both included, counted from 0; without `last` to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First row.
    pub first: u64,
    /// Last row.
    pub last: Option<u64>,
}

/// Reads `0-9` or `10-`. Any other text is no range and is ignored.
///
/// # Errors
/// [`ParseError::Range`] if the range ends before it starts.
pub fn range(text: &str) -> Result<Option<Range>, ParseError> {
    let number = |digits: &str| -> Option<u64> {
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    let Some((first, last)) = text.trim().split_once('-') else {
        return Ok(None);
    };
    match (number(first), number(last)) {
        (Some(first), None) if last.is_empty() => Ok(Some(Range { first, last: None })),
        (Some(first), Some(last)) if first > last => Err(upside_down()),
        (Some(first), Some(last)) => Ok(Some(Range { first, last: Some(last) })),
        _ => Ok(None),
    }
}

impl Range {
    /// Narrows the rows of a query to those that are also in this range.
    ///
    /// # Errors
    /// [`ParseError::Range`] if no row can be in both, unless the query asks for none with `limit=0`.
    pub fn narrow(self, query: &mut Query) -> Result<(), ParseError> {
        let at_root = |list: &[Located<u64>]| -> Vec<u64> {
            list.iter().filter(|bound| bound.path.is_empty()).map(|bound| bound.what).collect()
        };
        let offset = at_root(&query.offset).into_iter().max().unwrap_or(0);
        let limit = at_root(&query.limit).into_iter().min();
        if limit == Some(0) {
            return Ok(());
        }
        let first = offset.max(self.first);
        // Ends are exclusive here.
        let ends = [limit.map(|limit| offset.saturating_add(limit)), self.last.map(|last| last.saturating_add(1))];
        let end = ends.into_iter().flatten().min();
        if end.is_some_and(|end| end <= first) {
            return Err(upside_down());
        }
        query.offset.retain(|bound| !bound.path.is_empty());
        query.limit.retain(|bound| !bound.path.is_empty());
        query.offset.push(Located { path: Vec::new(), what: first });
        query.limit.extend(end.map(|end| Located { path: Vec::new(), what: end - first }));
        Ok(())
    }
}

fn upside_down() -> ParseError {
    ParseError::Range {
        details: "The lower boundary must be lower than or equal to the upper boundary in the Range header.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, parse};

    #[test]
    fn two_numbers_or_one() {
        let from = |first, last| Ok(Some(Range { first, last }));
        assert_eq!(range("0-9"), from(0, Some(9)));
        assert_eq!(range("10-"), from(10, None));
        for text in ["", "-", "-5", "a-b", "1-b", "items=0-9", "1--2", "0-9,20-29", "9"] {
            assert_eq!(range(text), Ok(None), "{text}");
        }
        assert!(matches!(range("9-0"), Err(ParseError::Range { .. })));
    }

    /// Offset and limit after narrowing; `None` if nothing is in both.
    fn narrow(query: &str, header: &str) -> Option<(u64, Option<u64>)> {
        let mut query = parse::query(parse::Purpose::Read, query, &Limits::default()).unwrap();
        range(header).unwrap().unwrap().narrow(&mut query).ok()?;
        let root = |bounds: &[Located<u64>]| bounds.iter().find(|b| b.path.is_empty()).map(|b| b.what);
        Some((root(&query.offset).unwrap_or(0), root(&query.limit)))
    }

    #[test]
    fn header_and_query_intersect() {
        assert_eq!(narrow("", "5-9"), Some((5, Some(5))));
        assert_eq!(narrow("limit=20&offset=8", "5-9"), Some((8, Some(2))));
        assert_eq!(narrow("limit=3", "2-"), Some((2, Some(1))));
        assert_eq!(narrow("", "2-"), Some((2, None)));
        assert_eq!(narrow("limit=3", "3-9"), None);
        assert_eq!(narrow("limit=0", "3-9"), Some((0, Some(0))));
        assert_eq!(narrow("films.limit=1", "0-1"), Some((0, Some(2))));
    }
}
