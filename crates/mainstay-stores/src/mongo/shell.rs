//! Commands as they are typed in the server's shell, for people who want to try them.

use bson::spec::BinarySubtype;
use bson::{Bson, Document};
use mainstay_schema::value::{Json, float_text};
use mongodb::bson;
use mongodb::options::FindOptions;

use super::{moments, names};

/// A `find`.
pub(super) fn find(collection: &str, filter: &Document, options: &FindOptions) -> String {
    let mut text = format!("{}.find({}", of(collection), document(filter));
    if let Some(projection) = &options.projection {
        text.push_str(&format!(", {}", document(projection)));
    }
    text.push(')');
    if let Some(sort) = &options.sort {
        text.push_str(&format!(".sort({})", document(sort)));
    }
    if let Some(skip) = options.skip {
        text.push_str(&format!(".skip({skip})"));
    }
    if let Some(limit) = options.limit {
        text.push_str(&format!(".limit({limit})"));
    }
    text
}

/// An aggregation.
pub(super) fn aggregate(collection: &str, stages: &[Document]) -> String {
    let stages: Vec<String> = stages.iter().map(document).collect();
    format!("{}.aggregate([{}])", of(collection), stages.join(", "))
}

fn of(collection: &str) -> String {
    format!("db.getCollection({})", quoted(collection))
}

fn quoted(text: &str) -> String {
    Json::string(text).as_str().to_owned()
}

/// A document.
pub(super) fn document(document: &Document) -> String {
    let member = |(name, value): (&String, &Bson)| {
        let is_word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
        let name = if is_word || *name == names::ID { name.clone() } else { quoted(name) };
        format!("{name}: {}", literal(value))
    };
    let members: Vec<String> = document.iter().map(member).collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
}

fn literal(value: &Bson) -> String {
    match value {
        Bson::Null => "null".to_owned(),
        Bson::Boolean(value) => value.to_string(),
        Bson::Int32(value) => value.to_string(),
        Bson::Int64(value) => format!("NumberLong(\"{value}\")"),
        Bson::Double(value) => float_text(*value),
        Bson::Decimal128(value) => format!("NumberDecimal(\"{value}\")"),
        Bson::String(text) => quoted(text),
        Bson::ObjectId(id) => format!("ObjectId(\"{}\")", id.to_hex()),
        Bson::DateTime(moment) => {
            let mut text = String::new();
            match moments::write(moment.timestamp_millis(), &mut text) {
                Some(()) => format!("ISODate(\"{}\")", text.replace("+00:00", "Z")),
                None => format!("new Date({})", moment.timestamp_millis()),
            }
        }
        Bson::Binary(binary) => match <[u8; 16]>::try_from(&*binary.bytes) {
            Ok(octets) if binary.subtype == BinarySubtype::Uuid => {
                format!("UUID(\"{}\")", uuid::Uuid::from_bytes(octets))
            }
            _ => {
                let digits: String = binary.bytes.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("HexData(0, \"{digits}\")")
            }
        },
        Bson::RegularExpression(regex) => {
            format!("RegExp({}, {})", quoted(regex.pattern.as_str()), quoted(regex.options.as_str()))
        }
        Bson::Document(inner) => document(inner),
        Bson::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Bson::MinKey => "MinKey()".to_owned(),
        other => quoted(&format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn commands_can_be_typed() {
        let options = FindOptions::builder().sort(doc! { "_id": -1 }).skip(1).limit(2).build();
        let filter = doc! { "a.b": { "$gt": 5_i64 }, "name": "x\"", "at": bson::DateTime::from_millis(1) };
        assert_eq!(
            find("t", &filter, &options),
            r#"db.getCollection("t").find({ "a.b": { $gt: NumberLong("5") }, name: "x\"", at: ISODate("1970-01-01T00:00:00.001Z") }).sort({ _id: -1 }).skip(1).limit(2)"#
        );
        assert_eq!(aggregate("t", &[doc! { "$limit": 1 }]), r#"db.getCollection("t").aggregate([{ $limit: 1 }])"#);
    }
}
