//! Rows that belong to those of a page, asked for by a `find` of their own, for many rows of the page at once: it takes the
//! server a fraction of the time of a `$lookup` with stages. Each is put to its row by what links them.

use std::collections::HashMap;

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};
use mainstay_store::StoreError;
use mongodb::bson;
use mongodb::options::FindOptions;

use super::filter::all;
use super::session::{Batch, Session};
use super::{cells, decimals, errors};

/// Rows of a page for which one command asks.
pub(super) const PARENTS_MAX: usize = 128;
/// Rows that are held at once.
const ROWS_MAX: usize = 10_000;
/// Octets that are held at once.
const OCTETS_MAX: usize = 16 << 20;

/// What one member of each row consists of, and how it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// Where the member is.
    pub(super) position: usize,
    pub(super) collection: String,
    /// The field of a row of the page.
    pub(super) near: String,
    /// The field of rows that belong to it, which is equal.
    pub(super) far: String,
    /// What else they must pass.
    pub(super) condition: Document,
    /// Their order and their fields.
    pub(super) options: FindOptions,
    /// How many a row has at most.
    pub(super) limit: Option<u64>,
}

/// What values that the server takes for equal have in common.
#[derive(PartialEq, Eq, Hash)]
enum Key<'d> {
    Number(i64),
    Text(&'d str),
    Octets(u8, &'d [u8]),
    Id([u8; 12]),
}

/// The key of a value; `None` for one of another kind than links are made of.
fn key(value: RawBsonRef<'_>) -> Option<Key<'_>> {
    Some(match value {
        RawBsonRef::Int32(number) => Key::Number(number.into()),
        RawBsonRef::Int64(number) => Key::Number(number),
        // Another program may have written the same number so.
        RawBsonRef::Double(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Key::Number(number as i64),
        RawBsonRef::Decimal128(number) => {
            let mut digits = String::new();
            decimals::write(number, &mut digits)?;
            let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
            let is_whole = fraction.bytes().all(|digit| digit == b'0');
            Key::Number(whole.parse().ok().filter(|_| is_whole)?)
        }
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Key::Text(text),
        RawBsonRef::Binary(value) => Key::Octets(value.subtype.into(), value.bytes),
        RawBsonRef::ObjectId(id) => Key::Id(id.bytes()),
        _ => return None,
    })
}

/// Whether a value is linked to nothing: a list is to no item of it.
fn is_nothing(value: RawBsonRef<'_>) -> bool {
    matches!(value, RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Array(_))
}

impl Beside {
    /// What the server is asked about rows with one of these keys.
    pub(super) fn filter(&self, keys: Bson) -> Document {
        all(vec![doc! { &self.far: keys }, self.condition.clone()])
    }

    /// Asks for what belongs to some rows; `None` if it is too much for so many at once, or cannot be told apart.
    ///
    /// # Errors
    /// As the server says, and for one row to which more belongs than it may.
    pub(super) async fn ask(
        &self,
        session: &mut Session,
        rows: &[&RawDocument],
    ) -> Result<Option<Vec<Batch>>, StoreError> {
        let values = rows.iter().map(|row| cells::field(row, &self.near)).filter(|value| !is_nothing(*value));
        let values: Vec<RawBsonRef<'_>> = values.collect();
        let is_one = rows.len() == 1;
        if values.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if !is_one && !values.iter().all(|value| key(*value).is_some()) {
            return Ok(None);
        }
        let kept: Result<Vec<Bson>, _> = values.into_iter().map(Bson::try_from).collect();
        let mut kept = kept.map_err(|error| StoreError::Internal(Box::new(error)))?;
        let (wanted, most) = if is_one {
            (doc! { "$eq": kept.remove(0) }, self.limit.and_then(|limit| usize::try_from(limit).ok()))
        } else {
            (doc! { "$in": kept }, Some(ROWS_MAX + 1))
        };
        let mut options = self.options.clone();
        options.limit = most.and_then(|most| i64::try_from(most).ok());
        let mut documents = session.find(&self.collection, self.filter(wanted.into()), options).await?;
        let (mut batches, mut count, mut octets) = (Vec::new(), 0, 0);
        while let Some(batch) = documents.next(session).await? {
            for document in batch.documents()? {
                count += 1;
                octets += document.as_bytes().len();
            }
            match (is_one, octets > OCTETS_MAX) {
                (true, true) => return Err(errors::too_many_belong()),
                (false, too_large) if too_large || count > ROWS_MAX => return Ok(None),
                _ => batches.push(batch),
            }
        }
        Ok(Some(batches))
    }

    /// What belongs to each of the rows for which it was asked.
    ///
    /// # Errors
    /// [`StoreError::Internal`] if a message holds no documents.
    pub(super) fn allot<'d>(
        &self,
        rows: &[&RawDocument],
        batches: &'d [Batch],
    ) -> Result<Vec<Vec<&'d RawDocument>>, StoreError> {
        let most = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let mut lists = vec![Vec::new(); rows.len()];
        let mut places: HashMap<Key<'_>, Vec<usize>> = HashMap::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            if let Some(key) = key(cells::field(row, &self.near)) {
                places.entry(key).or_default().push(place);
            }
        }
        let one = [0];
        for batch in batches {
            for document in batch.documents()? {
                let places = if rows.len() == 1 {
                    // Whatever it is that links them, the server has found it equal.
                    &one[..]
                } else {
                    let key = key(cells::field(document, &self.far));
                    key.and_then(|key| places.get(&key)).map(Vec::as_slice).unwrap_or_default()
                };
                for list in places {
                    if lists[*list].len() < most {
                        lists[*list].push(document);
                    }
                }
            }
        }
        Ok(lists)
    }
}
