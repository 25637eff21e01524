//! JSON whose members keep the order in which they were written, and whose numbers are text: a description is read by
//! people, and no bound of a decimal may pass through a float.

use mainstay_schema::Value;

use crate::encode::push_string;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Bool(bool),
    Text(String),
    /// JSON source text.
    Raw(String),
    List(Vec<Json>),
    Object(Object),
}

/// The members of an object, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Object(Vec<(String, Json)>);

impl Object {
    pub(super) fn new() -> Object {
        Object::default()
    }

    /// With one more member.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<Json>) -> Object {
        self.push(name, value);
        self
    }

    /// With one more member if there is a value for it.
    pub(super) fn with_some(self, name: &str, value: Option<impl Into<Json>>) -> Object {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn push(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        self.0.push((name.into(), value.into()));
    }

    /// The text of the whole.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 << 10);
        Json::Object(self).write(&mut out);
        out
    }
}

impl Json {
    /// The JSON form of a value as answers carry it.
    pub(super) fn of(value: &Value) -> Json {
        match value {
            Value::Null => Json::null(),
            Value::Bool(value) => Json::Bool(*value),
            Value::Json(value) => Json::Raw(value.as_str().to_owned()),
            Value::Int(_) | Value::Float(_) | Value::Decimal(_) => Json::Raw(value.to_text().unwrap_or_default()),
            Value::Array(items) => Json::List(items.iter().map(Json::of).collect()),
            other => Json::Text(other.to_text().unwrap_or_default()),
        }
    }

    pub(super) fn null() -> Json {
        Json::Raw("null".to_owned())
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Json::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Json::Text(text) => push_string(out, text),
            Json::Raw(text) => out.extend_from_slice(text.as_bytes()),
            Json::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Json::Object(Object(members)) => {
                out.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    push_string(out, name);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// A reference to a part of the document: `#/components/schemas/orders`.
pub(super) fn reference(kind: &str, name: &str) -> Object {
    Object::new().with("$ref", format!("#/components/{kind}/{name}"))
}

/// A list of anything that is a value.
pub(super) fn list<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Json {
    Json::List(items.into_iter().map(Into::into).collect())
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json::Raw(value.to_string())
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Json {
        Json::Object(object)
    }
}

impl From<&std::sync::Arc<str>> for Json {
    fn from(text: &std::sync::Arc<str>) -> Json {
        Json::Text(text.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_numbers_their_digits() {
        let price = Value::parse(&mainstay_schema::Type::Decimal { precision: 38, scale: 2 }, "9007199254740993.10");
        let object = Object::new().with("z", Json::of(&price.unwrap())).with("a", list(["\"", "é"])).with("n", true);
        let text = String::from_utf8(object.into_bytes()).unwrap();
        assert_eq!(text, r#"{"z":9007199254740993.10,"a":["\"","é"],"n":true}"#);
    }
}
