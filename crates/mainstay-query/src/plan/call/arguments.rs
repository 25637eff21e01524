//! What a function is called with: from texts and JSON to one value a parameter.

use std::fmt;

use bytes::Bytes;
use mainstay_schema::check::{check, sanitize};
use mainstay_schema::{Column, ColumnId, DefaultValue, Function, Type, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::Fresh;
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::parse::within;
use crate::request::{Arguments, CallRequest, RawKind};

/// What a request gives, by name or as a whole.
pub(super) enum Given<'r> {
    /// Names and texts, in order; a name may stand there several times.
    Texts(Vec<(&'r str, &'r str)>),
    /// Members of a JSON object, each name once, and the body that they stand in.
    Members(Vec<(String, &'r RawValue)>, &'r str),
    /// JSON that is no object.
    Json(&'r str),
    /// A body that is not JSON.
    Raw(RawKind, &'r Bytes),
}

impl<'r> Given<'r> {
    /// Reads the arguments of a request, of which only those named by `columns` count, if it names any.
    pub(super) fn read(request: &'r CallRequest, limits: &Limits) -> Result<Given<'r>, PlanError> {
        let chosen = request.query.columns.as_deref();
        let counts = |name: &str| chosen.is_none_or(|chosen| chosen.iter().any(|column| column == name));
        match &request.arguments {
            Arguments::Named(named) => {
                within("items_max", limits.items_max, named.len())?;
                let texts = named.iter().map(|(name, text)| (name.as_str(), text.as_str()));
                Ok(Given::Texts(texts.filter(|(name, _)| counts(name)).collect()))
            }
            Arguments::Json(body) => {
                let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8".to_owned()))?;
                // A call without arguments needs no body.
                let text = if text.trim().is_empty() { "{}" } else { text };
                if !text.trim_start().starts_with('{') {
                    Value::parse_json(&Type::Json, text).map_err(|error| malformed(error.to_string()))?;
                    return Ok(Given::Json(text));
                }
                let Members(mut members) = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
                within("items_max", limits.items_max, members.len())?;
                if let Some(at) =
                    (1..members.len()).find(|at| members[..*at].iter().any(|(name, _)| *name == members[*at].0))
                {
                    let message = format!("Member \"{}\" appears twice", members[at].0);
                    return Err(PlanError::Parse(ParseError::Body { message, details: None }));
                }
                members.retain(|(name, _)| counts(name));
                Ok(Given::Members(members, text))
            }
            Arguments::Raw { kind, body } => Ok(Given::Raw(*kind, body)),
        }
    }

    /// The names of what is given, sorted, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match self {
            Given::Texts(texts) => texts.iter().map(|(name, _)| *name).collect(),
            Given::Members(members, _) => members.iter().map(|(name, _)| name.as_str()).collect(),
            Given::Json(_) | Given::Raw(..) => Vec::new(),
        };
        names.sort_unstable();
        names.dedup();
        names
    }

    /// One value a parameter of the function, defaults filled in.
    pub(super) fn values(&self, function: &Function, fresh: &dyn Fresh) -> Result<Vec<Value>, PlanError> {
        function.parameters.iter().map(|parameter| self.value(function, parameter, fresh)).collect()
    }

    /// The parameters that are not given and that the database fills in by itself.
    pub(super) fn left_out(&self, function: &Function) -> Vec<ColumnId> {
        let names = self.names();
        let is_filled_in = |parameter: &&Column| {
            function.is_stored
                && !function.takes_body
                && matches!(parameter.default, Some(DefaultValue::Expression(_)))
                && !names.contains(&&*parameter.name)
        };
        function.parameters.iter().filter(is_filled_in).map(|parameter| parameter.id).collect()
    }

    fn value(&self, function: &Function, parameter: &Column, fresh: &dyn Fresh) -> Result<Value, PlanError> {
        let wrong = |error| PlanError::Argument { error, parameter: parameter.name.to_string() };
        let given = if function.takes_body {
            Some(self.whole(&parameter.ty)?)
        } else {
            match self {
                Given::Texts(texts) => {
                    let texts: Vec<&str> =
                        texts.iter().filter(|(name, _)| *name == &*parameter.name).map(|(_, text)| *text).collect();
                    from_texts(&parameter.ty, &texts)
                }
                Given::Members(members, _) => {
                    let member = members.iter().find(|(name, _)| **name == *parameter.name);
                    member.map(|(_, source)| Value::parse_json(&parameter.ty, source.get()))
                }
                Given::Json(_) | Given::Raw(..) => None,
            }
        };
        let value = match given {
            Some(value) => value.map_err(wrong)?,
            None => default(parameter, fresh).map_err(wrong)?,
        };
        if value.is_null() {
            if parameter.optional || function.is_stored {
                return Ok(value);
            }
            let (function, parameter) = (function.name.to_string(), parameter.name.to_string());
            return Err(PlanError::ArgumentNull { function, parameter });
        }
        let value = sanitize(parameter, value);
        check(parameter, &value)
            .map_err(|violation| PlanError::ArgumentCheck { function: function.name.to_string(), violation })?;
        Ok(value)
    }

    /// The whole body as the value of the one parameter that takes it.
    fn whole(&self, ty: &Type) -> Result<Result<Value, mainstay_schema::ValueError>, PlanError> {
        Ok(match (self, ty) {
            (Given::Members(_, text) | Given::Json(text), _) => Value::parse_json(ty, text),
            (Given::Raw(_, body), Type::Bytes) => Ok(Value::Bytes(body.to_vec())),
            (Given::Raw(_, body), _) => {
                let text = std::str::from_utf8(body).map_err(|_| {
                    let message = "The body is not UTF-8".to_owned();
                    PlanError::Parse(ParseError::Body { message, details: None })
                })?;
                Value::parse(ty, text)
            }
            (Given::Texts(_), _) => Ok(Value::Null),
        })
    }
}

/// The last text counts. For an array, one text is an array literal, and several, or one that is no literal, are its
/// items.
fn from_texts(ty: &Type, texts: &[&str]) -> Option<Result<Value, mainstay_schema::ValueError>> {
    let last = texts.last()?;
    Some(match ty {
        Type::Array(_) if texts.len() == 1 && last.trim_start().starts_with('[') => Value::parse_json(ty, last),
        Type::Array(item) if texts.len() > 1 || !last.trim_start().starts_with('{') => {
            texts.iter().map(|text| Value::parse(item, text)).collect::<Result<_, _>>().map(Value::Array)
        }
        _ => Value::parse(ty, last),
    })
}

fn default(parameter: &Column, fresh: &dyn Fresh) -> Result<Value, mainstay_schema::ValueError> {
    match &parameter.default {
        Some(DefaultValue::Literal(value)) => Ok(value.clone()),
        Some(DefaultValue::Now) => Value::parse(&parameter.ty, fresh.now()),
        Some(DefaultValue::Uuid7) => Ok(Value::Uuid(fresh.uuid7())),
        Some(DefaultValue::Sequence | DefaultValue::Expression(_)) | None => Ok(Value::Null),
    }
}

fn malformed(details: String) -> PlanError {
    PlanError::Parse(ParseError::Body { message: "Empty or invalid json".to_owned(), details: Some(details) })
}

/// The members of an object in order, their values still text.
struct Members<'r>(Vec<(String, &'r RawValue)>);

impl<'de: 'r, 'r> Deserialize<'de> for Members<'r> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Members<'r>, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        source.deserialize_map(Object)
    }
}
