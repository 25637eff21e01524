use super::*;
use crate::load::{SourceFile, StorePart, load, load_stores};

/// Whether `value` is what `schema`, a part of `root`, asks for. Knows exactly the words that the schema uses.
fn accepts(root: &Json, schema: &Json, value: &Json) -> bool {
    schema.as_object().expect("a schema is an object").iter().all(|(word, asked)| match word.as_str() {
        "$ref" => {
            let pointer = asked.as_str().and_then(|text| text.strip_prefix('#')).expect("a local reference");
            accepts(root, root.pointer(pointer).expect(pointer), value)
        }
        "type" => {
            asked.as_array().map_or(vec![asked], |list| list.iter().collect()).into_iter().any(|ty| is_a(ty, value))
        }
        "enum" => asked.as_array().is_some_and(|list| list.contains(value)),
        "pattern" => {
            value.as_str().is_none_or(|text| regex::Regex::new(asked.as_str().unwrap()).unwrap().is_match(text))
        }
        "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= asked.as_u64().unwrap()),
        "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= asked.as_u64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= asked.as_u64().unwrap()),
        "uniqueItems" => {
            value.as_array().is_none_or(|items| (1..items.len()).all(|at| !items[..at].contains(&items[at])))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| accepts(root, asked, item))),
        "anyOf" => asked.as_array().unwrap().iter().any(|schema| accepts(root, schema, value)),
        "not" => !accepts(root, asked, value),
        "required" => value.as_object().is_none_or(|members| {
            asked.as_array().unwrap().iter().all(|key| members.contains_key(key.as_str().unwrap()))
        }),
        "propertyNames" => {
            value.as_object().is_none_or(|members| members.keys().all(|key| accepts(root, asked, &json!(key))))
        }
        "properties" => value.as_object().is_none_or(|members| {
            members.iter().all(|(key, member)| asked.get(key).is_none_or(|schema| accepts(root, schema, member)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|members| {
            let is_known = |key: &str| schema.get("properties").is_some_and(|known| known.get(key).is_some());
            members.iter().filter(|(key, _)| !is_known(key)).all(|(_, member)| match asked {
                Json::Bool(allowed) => *allowed,
                schema => accepts(root, schema, member),
            })
        }),
        "$schema" | "title" | "description" | "$defs" => true,
        other => panic!("this test does not know {other}"),
    })
}

fn is_a(ty: &Json, value: &Json) -> bool {
    match ty.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        other => panic!("this test does not know {other}"),
    }
}

fn to_json(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(items) => items.iter().map(to_json).collect(),
        toml::Value::Table(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.clone(), to_json(value))).collect())
        }
    }
}

fn accepts_file(text: &str) -> bool {
    let root: Json = serde_json::from_str(&json_schema()).unwrap();
    let document = toml::from_str::<toml::Value>(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    accepts(&root, &root, &to_json(&document))
}

#[test]
fn a_file_that_uses_every_key_is_accepted() {
    let file = r#"
[customers]
was = "clients"
description = "Who buys."
[customers.fields]
email = { type = "text", format = "email", unique = true, was = "mail", description = "Where to write.", pattern = "@" }
state = { enum = ["new", "old"], default = "new" }
born = { type = "date", min = 1900-01-01, max = 2100-01-01, optional = true }
total = { type = "decimal(12,2)", min = 0, default = 10 }
tags = { type = "text[]", max = 5, default = [] }
prices = "decimal(5, 2)[]"
changed_at = { type = "timestamp", default = "now", update = "now" }
[customers.access]
read = true
create = "true"
update = false
delete = "false"
[lines]
primary = ["no", "line"]
[lines.fields]
no = "bigint"
line = { type = "int", default = 1 }
label = "text"
customer = { ref = "customers", optional = true, on_delete = "set null", on_update = "cascade" }
[lines.unique]
once = ["customer", "line"]
[lines.references]
previous = { fields = ["no", "line"], table = "lines", to = ["no", "line"], on_delete = "restrict", on_update = "cascade" }
[lines.indexes]
plain = ["no"]
recent = { on = ["line desc", "no"], unique = true, where = "line > 0" }
words = { fulltext = ["label"], language = "english" }
[counted.fields]
id = { type = "bigint", primary = true, default = "sequence" }
[top]
view = "select no from lines"
[top.fields]
no = "bigint"
[notes]
store = "docs"
[notes.fields]
id = { type = "objectid", primary = true }
customer = { ref = "customers", convert = "text->uuid" }
"#;
    let stores = [StorePart { name: None, found: None }, StorePart { name: Some("docs"), found: None }];
    assert_eq!(load_stores(&[SourceFile { path: "a.toml".into(), text: file.into() }], &stores).map(drop), Ok(()));
    assert!(accepts_file(file));
    for (key, _) in TABLE_KEYS.iter().chain(&FIELD_KEYS).chain(&REFERENCE_KEYS).chain(&INDEX_KEYS).chain(&ACCESS_KEYS) {
        assert!(file.contains(key), "{key} is not in the file");
    }
}

#[test]
fn mistakes_are_refused_by_both() {
    for text in [
        "x = 1",
        "[a]\nfeilds = {}",
        "[a.fields]\nx = 1",
        "[a.fields]\nx = \"string\"",
        "[a.fields]\nx = \"decimal\"",
        "[a.fields]\nx = { type = \"text\", optionl = true }",
        "[a.fields]\nx = { type = \"text\", optional = \"true\" }",
        "[a.fields]\nx = { type = \"text\", format = \"mail\" }",
        "[a.fields]\nx = { enum = [] }",
        "[a.fields]\nx = { enum = [\"a\", \"a\"] }",
        "[a.fields]\nx = { type = \"timestamp\", update = \"later\" }",
        "[a.fields]\nx = { ref = \"a\", on_delete = \"delete\" }",
        "[a.fields]\nx = { type = \"int\", min = true }",
        "[a.fields]\n_mainstay_x = \"int\"",
        "[a]\nprimary = \"x\"\nfields = { x = \"int\" }",
        "[a]\nprimary = []\nfields = { x = \"int\" }",
        "[a.fields]\nx = \"int\"\n[a.access]\nread = \"row.x == 1\"",
        "[a.fields]\nx = \"int\"\n[a.access]\nwrite = true",
        "[a.fields]\nx = \"int\"\n[a.indexes]\nx = { unique = true }",
        "[a.fields]\nx = \"int\"\n[a.references]\nx = { fields = [\"x\"] }",
    ] {
        assert!(!accepts_file(text), "{text}");
        assert!(load(&[SourceFile { path: "a.toml".into(), text: text.into() }]).is_err(), "{text}");
    }
}

#[test]
fn every_key_is_explained() {
    let root: Json = serde_json::from_str(&json_schema()).unwrap();
    let check = |pointer: &str, keys: &[(&str, &str)]| {
        let properties = root.pointer(pointer).and_then(Json::as_object).expect(pointer);
        // `hide` is for found tables and has its own words.
        let known = properties.keys().filter(|key| *key != "hide").count();
        assert_eq!(known, keys.len(), "{pointer}");
        assert!(properties.values().all(|property| property["description"].is_string()), "{pointer}");
        for (key, description) in keys {
            assert_eq!(properties[*key]["description"], json!(description), "{pointer} {key}");
        }
    };
    check("/$defs/table/properties", &TABLE_KEYS);
    check("/$defs/field/anyOf/1/properties", &FIELD_KEYS);
    check("/$defs/reference/properties", &REFERENCE_KEYS);
    check("/$defs/index/anyOf/1/properties", &INDEX_KEYS);
    check("/$defs/table/properties/access/properties", &ACCESS_KEYS);
}
