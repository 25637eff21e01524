//! What a `$jsonSchema` says of the fields of a collection.

use mainstay_schema::Type;
use mainstay_schema::model::Texts;
use mongodb::bson::{Bson, Document};

/// What a validator says.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) fields: Vec<Rule>,
    /// Whether no other fields may be there.
    pub(super) is_closed: bool,
    pub(super) description: Option<String>,
}

/// What it says of one field.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    /// The types that it may have, but for null, in the server's words.
    types: Vec<String>,
    /// Those of the items of a list.
    items: Vec<String>,
    pub(super) optional: bool,
    pub(super) variants: Vec<String>,
    pub(super) description: Option<String>,
    pub(super) declared: String,
}

impl Rule {
    /// The type that its values have; `None` where the rule does not say. What was seen tells kinds apart for which the
    /// server has one word.
    pub(super) fn data_type(&self, seen: Option<&(Type, Texts)>) -> Option<(Type, Texts)> {
        if !self.variants.is_empty() && self.types.iter().all(|name| name == "string") {
            return Some((Type::Text, Texts::Plain));
        }
        match self.types.as_slice() {
            [] => None,
            [one] if one == "array" => Some((list(&self.items), Texts::Plain)),
            [one] => Some(scalar(one, seen)),
            many if many.iter().all(|name| ["int", "long"].contains(&name.as_str())) => {
                Some((Type::BigInt, Texts::Plain))
            }
            many if many.iter().all(|name| ["int", "double"].contains(&name.as_str())) => {
                Some((Type::Float, Texts::Plain))
            }
            _ => Some((Type::Json, Texts::Plain)),
        }
    }
}

fn list(items: &[String]) -> Type {
    match items {
        [one] => match scalar(one, None) {
            // Object ids and decimals of no known width have no form inside of a list but that of a document.
            (Type::Json, _) | (_, Texts::ObjectIds) => Type::Json,
            (item, _) => Type::Array(Box::new(item)),
        },
        _ => Type::Json,
    }
}

fn scalar(name: &str, seen: Option<&(Type, Texts)>) -> (Type, Texts) {
    let plain = |ty| (ty, Texts::Plain);
    match name {
        "bool" | "boolean" => plain(Type::Bool),
        "int" => plain(Type::Int),
        "long" => plain(Type::BigInt),
        "double" => plain(Type::Float),
        "string" => plain(Type::Text),
        "objectId" => (Type::Text, Texts::ObjectIds),
        "date" => plain(Type::Timestamp),
        "binData" if seen.is_some_and(|(ty, _)| *ty == Type::Uuid) => plain(Type::Uuid),
        "binData" => plain(Type::Bytes),
        // `number` is any of four kinds, and a decimal has as many digits as it likes.
        _ => plain(Type::Json),
    }
}

/// Reads a validator. One that says something else than `$jsonSchema` says nothing of types.
pub(super) fn read(validator: &Document) -> Rules {
    let Ok(schema) = validator.get_document("$jsonSchema") else { return Rules::default() };
    let required: Vec<&str> =
        schema.get_array("required").map(|all| all.iter().filter_map(Bson::as_str).collect()).unwrap_or_default();
    let properties = schema.get_document("properties").into_iter().flatten();
    let fields = properties.filter_map(|(name, rule)| {
        let rule = rule.as_document()?;
        Some(field(name, rule, required.contains(&name.as_str())))
    });
    let words = ["description", "title"].iter().find_map(|word| schema.get_str(word).ok());
    Rules {
        fields: fields.collect(),
        is_closed: schema.get_bool("additionalProperties").is_ok_and(|may| !may),
        description: words.map(str::to_owned),
    }
}

fn field(name: &str, rule: &Document, is_required: bool) -> Rule {
    let mut types = words(rule.get("bsonType").or_else(|| rule.get("type")));
    let takes_null = types.iter().any(|name| name == "null");
    types.retain(|name| name != "null");
    let mut items = rule.get_document("items").map(|items| words(items.get("bsonType").or_else(|| items.get("type"))));
    if let Ok(items) = &mut items {
        items.retain(|name| name != "null");
    }
    let all = rule.get_array("enum").map(Vec::as_slice).unwrap_or_default();
    let has_null = all.contains(&Bson::Null);
    let texts: Vec<String> = all.iter().filter_map(Bson::as_str).map(str::to_owned).collect();
    // A list of words and of other things is no list of words.
    let is_words = texts.len() + usize::from(has_null) == all.len();
    Rule {
        name: name.to_owned(),
        declared: types.join(" or "),
        optional: !is_required || takes_null || has_null || types.is_empty(),
        variants: if is_words { texts } else { Vec::new() },
        description: rule.get_str("description").ok().map(str::to_owned),
        items: items.unwrap_or_default(),
        types,
    }
}

fn words(value: Option<&Bson>) -> Vec<String> {
    match value {
        Some(Bson::String(one)) => vec![one.clone()],
        Some(Bson::Array(many)) => many.iter().filter_map(Bson::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
