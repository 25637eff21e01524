//! What documents show of the fields of a collection that says nothing of them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use mainstay_schema::Type;
use mainstay_schema::model::Texts;
use mainstay_store::StoreError;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{RawBsonRef, RawDocumentBuf, doc};

use crate::mongo::link::Link;
use crate::mongo::session::within;

/// Documents that are looked at.
const DOCUMENTS_MAX: i32 = 200;
/// Fields that are counted: more, and the names are data.
const NAMES_MAX: usize = 1000;

/// What some documents have.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// How many they were.
    pub(super) count: usize,
    /// The fields in the order in which they were met first.
    pub(super) fields: Vec<(String, Seen)>,
}

/// What one field was seen to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    kinds: BTreeSet<Kind>,
    items: BTreeSet<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Bool,
    Int,
    Long,
    Double,
    Decimal,
    String,
    ObjectId,
    Date,
    Uuid,
    Bytes,
    Document,
    Array,
    Other,
}

impl Kind {
    /// `None` for null.
    fn of(value: RawBsonRef<'_>) -> Option<Kind> {
        Some(match value {
            RawBsonRef::Null | RawBsonRef::Undefined => return None,
            RawBsonRef::Boolean(_) => Kind::Bool,
            RawBsonRef::Int32(_) => Kind::Int,
            RawBsonRef::Int64(_) => Kind::Long,
            // What is no number to JSON is none to us.
            RawBsonRef::Double(value) if value.is_finite() => Kind::Double,
            RawBsonRef::Decimal128(_) => Kind::Decimal,
            RawBsonRef::String(_) => Kind::String,
            RawBsonRef::ObjectId(_) => Kind::ObjectId,
            RawBsonRef::DateTime(_) => Kind::Date,
            RawBsonRef::Binary(value) if value.subtype == BinarySubtype::Uuid => Kind::Uuid,
            RawBsonRef::Binary(_) => Kind::Bytes,
            RawBsonRef::Document(_) => Kind::Document,
            RawBsonRef::Array(_) => Kind::Array,
            _ => Kind::Other,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Double => "double",
            Kind::Decimal => "decimal",
            Kind::String => "string",
            Kind::ObjectId => "objectId",
            Kind::Date => "date",
            Kind::Uuid => "uuid",
            Kind::Bytes => "binData",
            Kind::Document => "object",
            Kind::Array => "array",
            Kind::Other => "of another type",
        }
    }
}

impl Sample {
    pub(super) fn field(&self, name: &str) -> Option<&Seen> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, seen)| seen)
    }

    fn look(&mut self, document: &RawDocumentBuf) {
        self.count += 1;
        for (name, value) in document.iter().flatten() {
            let name = name.as_str();
            let place = match self.fields.iter().position(|(other, _)| other == name) {
                Some(place) => place,
                None if self.fields.len() >= NAMES_MAX => continue,
                None => {
                    self.fields.push((name.to_owned(), Seen::default()));
                    self.fields.len() - 1
                }
            };
            self.fields[place].1.look(value);
        }
    }
}

impl Seen {
    fn look(&mut self, value: RawBsonRef<'_>) {
        self.kinds.extend(Kind::of(value));
        if let RawBsonRef::Array(items) = value {
            self.items.extend(items.into_iter().flatten().filter_map(Kind::of));
        }
    }

    /// The type that holds all that was seen; a document where there is no other.
    pub(super) fn data_type(&self) -> (Type, Texts) {
        let kinds: Vec<Kind> = self.kinds.iter().copied().collect();
        let plain = |ty| (ty, Texts::Plain);
        match kinds.as_slice() {
            [Kind::ObjectId] => (Type::Text, Texts::ObjectIds),
            [Kind::Array] => {
                let items: Vec<Kind> = self.items.iter().copied().collect();
                plain(scalar(&items).map_or(Type::Json, |item| Type::Array(Box::new(item))))
            }
            kinds => plain(scalar(kinds).unwrap_or(Type::Json)),
        }
    }

    /// What was seen, in words.
    pub(super) fn words(&self) -> String {
        let words: Vec<&str> = self.kinds.iter().map(|kind| kind.word()).collect();
        if words.is_empty() { "null".to_owned() } else { words.join(" or ") }
    }
}

fn scalar(kinds: &[Kind]) -> Option<Type> {
    Some(match kinds {
        [Kind::Bool] => Type::Bool,
        [Kind::Int] => Type::Int,
        [Kind::Long] | [Kind::Int, Kind::Long] => Type::BigInt,
        // A double holds every number of 32 bits.
        [Kind::Double] | [Kind::Int, Kind::Double] => Type::Float,
        [Kind::String] => Type::Text,
        [Kind::Date] => Type::Timestamp,
        [Kind::Uuid] => Type::Uuid,
        [Kind::Bytes] => Type::Bytes,
        _ => return None,
    })
}

/// Looks at some documents of a collection or view.
///
/// # Errors
/// As the server says; [`StoreError::Deadline`].
pub(super) async fn take(link: &Link, collection: &str, deadline: Instant) -> Result<Sample, StoreError> {
    let documents = link.database().collection::<RawDocumentBuf>(collection);
    // For the server to heed; it takes whole milliseconds, and 0 for no limit.
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let pipeline = [doc! { "$sample": { "size": DOCUMENTS_MAX } }];
    let taken = async {
        let taken = documents.aggregate(pipeline).max_time(left).with_type::<RawDocumentBuf>();
        taken.await?.try_collect::<Vec<RawDocumentBuf>>().await
    };
    let mut sample = Sample::default();
    let mut taken = within(deadline, taken).await?;
    // Who has most of them shows best in which order fields come.
    taken.sort_by_key(|document| Reverse(document.iter().count()));
    taken.iter().for_each(|document| sample.look(document));
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::{Bson, Document};

    use super::*;

    fn check(values: &[Bson], ty: Type, texts: Texts) {
        let mut sample = Sample::default();
        for value in values {
            let document = doc! { "a": value.clone() };
            sample.look(&RawDocumentBuf::try_from(&document).unwrap());
        }
        assert_eq!(sample.field("a").map(Seen::data_type), Some((ty, texts)), "{values:?}");
    }

    #[test]
    fn the_type_is_one_that_holds_all_that_was_seen() {
        let list = |items: &[Bson]| Bson::Array(items.to_vec());
        let int = Bson::Int32(1);
        let long = Bson::Int64(1);
        let text = Bson::from("a");
        for (values, ty) in [
            (vec![int.clone(), Bson::Null], Type::Int),
            (vec![int.clone(), long.clone()], Type::BigInt),
            (vec![int.clone(), Bson::Double(0.5)], Type::Float),
            (vec![long.clone(), Bson::Double(0.5)], Type::Json),
            (vec![int.clone(), text.clone()], Type::Json),
            (vec![Bson::Double(f64::NAN)], Type::Json),
            (vec![Bson::Null], Type::Json),
            (vec![Bson::from(Document::new())], Type::Json),
            (vec![list(&[text.clone(), Bson::Null]), list(&[])], Type::Array(Box::new(Type::Text))),
            (vec![list(&[text.clone(), int.clone()])], Type::Json),
            (vec![list(&[Bson::from(Document::new())])], Type::Json),
            (vec![list(&[])], Type::Json),
            (vec![list(std::slice::from_ref(&int)), int], Type::Json),
        ] {
            check(&values, ty, Texts::Plain);
        }
        check(&[Bson::ObjectId(ObjectId::new())], Type::Text, Texts::ObjectIds);
        check(&[Bson::ObjectId(ObjectId::new()), text], Type::Json, Texts::Plain);
    }
}
