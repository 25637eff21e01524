//! A schema as JSON text, for the records of migrations.
//!
//! Canonical: equal schemas give equal text. Names stand for ids, values stand in their text form, and what is absent
//! or false is left out. One line a member, so that records can be compared in version control.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::RecordError;
use crate::ids::{ColumnId, TableId};
use crate::language::Language;
use crate::load::types::parse_type;
use crate::model::{
    Access, Checks, Column, DefaultValue, FullText, Index, IndexColumn, Key, Pattern, Reference, ReferenceAction, Rule,
    Schema, Table, TableKind, Texts,
};
use crate::types::{Format, Type};
use crate::value::Value;

/// Grows when a record of today could be misread by the program of yesterday.
const VERSION: u32 = 1;

impl Schema {
    /// The whole schema as canonical JSON; [`Schema::from_json`] reads it back to an equal one.
    pub fn to_json(&self) -> String {
        let record = SchemaRecord {
            version: VERSION,
            tables: self.tables().iter().map(|table| write_table(self, table)).collect(),
        };
        serde_json::to_string_pretty(&record).expect("strings, numbers and lists always have a JSON form")
    }

    /// Reads what [`Schema::to_json`] wrote.
    ///
    /// # Errors
    /// [`RecordError`] if it is anything else.
    pub fn from_json(text: &str) -> Result<Schema, RecordError> {
        let record: SchemaRecord = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
        if record.version != VERSION {
            return Err(refused(format!(
                "it is of version {}, and this program reads version {VERSION}",
                record.version
            )));
        }
        let mut tables = Vec::with_capacity(record.tables.len());
        for (at, table) in record.tables.iter().enumerate() {
            if record.tables[..at].iter().any(|earlier| earlier.name == table.name) {
                return Err(refused(format!("the table {} is there twice", table.name)));
            }
            tables.push(read_table(&record.tables, at, table)?);
        }
        Ok(Schema::new(tables))
    }
}

fn refused(reason: impl Into<String>) -> RecordError {
    RecordError { reason: reason.into() }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaRecord {
    version: u32,
    tables: Vec<TableRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableRecord {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    internal: bool,
    columns: Vec<ColumnRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    primary_key: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uniques: Vec<KeyRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<ReferenceRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    far_references: Vec<ReferenceRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fulltexts: Vec<FullTextRecord>,
    #[serde(default, skip_serializing_if = "AccessRecord::is_empty")]
    access: AccessRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnRecord {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "is_false")]
    object_ids: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<DefaultRecord>,
    #[serde(default, skip_serializing_if = "is_false")]
    touched: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variants: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DefaultRecord {
    Now,
    Uuid7,
    Sequence,
    Literal(Option<String>),
    Expression(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    name: String,
    columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceRecord {
    name: String,
    columns: Vec<String>,
    table: String,
    to: Vec<String>,
    on_delete: ActionRecord,
    on_update: ActionRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionRecord {
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FullTextRecord {
    name: String,
    columns: Vec<String>,
    language: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexRecord {
    name: String,
    columns: Vec<IndexColumnRecord>,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexColumnRecord {
    name: String,
    #[serde(default, skip_serializing_if = "is_false")]
    descending: bool,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessRecord {
    #[serde(default, skip_serializing_if = "is_false")]
    read: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    create: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    update: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    delete: bool,
}

impl AccessRecord {
    fn is_empty(&self) -> bool {
        *self == AccessRecord::default()
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn write_table(schema: &Schema, table: &Table) -> TableRecord {
    let allows = |rule: Rule| rule == Rule::Always;
    let access = &table.access;
    let references = |all: &[Reference]| all.iter().map(|one| write_reference(schema, table, one)).collect();
    TableRecord {
        name: table.name.to_string(),
        was: table.was.as_deref().map(str::to_owned),
        store: table.store.as_deref().map(str::to_owned),
        description: table.description.clone(),
        view: match &table.kind {
            TableKind::Table => None,
            TableKind::View { sql } => Some(sql.clone()),
        },
        internal: table.internal,
        columns: table.columns.iter().map(write_column).collect(),
        primary_key: names(table, &table.primary_key),
        uniques: table
            .uniques
            .iter()
            .map(|key| KeyRecord { name: key.name.to_string(), columns: names(table, &key.columns) })
            .collect(),
        references: references(&table.references),
        far_references: references(&table.far_references),
        indexes: table.indexes.iter().map(|index| write_index(table, index)).collect(),
        fulltexts: table
            .fulltexts
            .iter()
            .map(|index| FullTextRecord {
                name: index.name.to_string(),
                columns: names(table, &index.columns),
                language: index.language.name().to_owned(),
            })
            .collect(),
        access: AccessRecord {
            read: allows(access.read),
            create: allows(access.create),
            update: allows(access.update),
            delete: allows(access.delete),
        },
    }
}

fn names(table: &Table, columns: &[ColumnId]) -> Vec<String> {
    columns.iter().map(|column| table.column(*column).name.to_string()).collect()
}

fn write_column(column: &Column) -> ColumnRecord {
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::to_text);
    let checks = &column.checks;
    ColumnRecord {
        name: column.name.to_string(),
        ty: column.ty.to_string(),
        object_ids: column.texts == Texts::ObjectIds,
        optional: column.optional,
        default: column.default.as_ref().map(|default| match default {
            DefaultValue::Now => DefaultRecord::Now,
            DefaultValue::Uuid7 => DefaultRecord::Uuid7,
            DefaultValue::Sequence => DefaultRecord::Sequence,
            DefaultValue::Literal(value) => DefaultRecord::Literal(value.to_text()),
            DefaultValue::Expression(text) => DefaultRecord::Expression(text.clone()),
        }),
        touched: column.touched,
        min: text(&checks.min),
        max: text(&checks.max),
        pattern: checks.pattern.as_ref().map(|pattern| pattern.0.as_str().to_owned()),
        format: checks.format.map(|format| format.name().to_owned()),
        variants: checks.variants.iter().map(|variant| variant.to_string()).collect(),
        was: column.was.as_deref().map(str::to_owned),
        description: column.description.clone(),
    }
}

fn write_reference(schema: &Schema, table: &Table, reference: &Reference) -> ReferenceRecord {
    let action = |action: ReferenceAction| match action {
        ReferenceAction::Restrict => ActionRecord::Restrict,
        ReferenceAction::Cascade => ActionRecord::Cascade,
        ReferenceAction::SetNull => ActionRecord::SetNull,
        ReferenceAction::SetDefault => ActionRecord::SetDefault,
    };
    let target = schema.table(reference.target);
    ReferenceRecord {
        name: reference.name.to_string(),
        columns: names(table, &reference.columns),
        table: target.name.to_string(),
        to: names(target, &reference.target_columns),
        on_delete: action(reference.on_delete),
        on_update: action(reference.on_update),
    }
}

fn write_index(table: &Table, index: &Index) -> IndexRecord {
    let column = |column: &IndexColumn| IndexColumnRecord {
        name: table.column(column.column).name.to_string(),
        descending: column.descending,
    };
    IndexRecord {
        name: index.name.to_string(),
        columns: index.columns.iter().map(column).collect(),
        unique: index.unique,
        condition: index.condition.clone(),
    }
}

fn read_table(tables: &[TableRecord], at: usize, record: &TableRecord) -> Result<Table, RecordError> {
    let mut columns = Vec::with_capacity(record.columns.len());
    for (at, column) in record.columns.iter().enumerate() {
        columns.push(read_column(at, column)?);
    }
    let key = |key: &KeyRecord| Ok(Key { name: key.name.as_str().into(), columns: ids(record, &key.columns)? });
    let rule = |allowed: bool| if allowed { Rule::Always } else { Rule::Never };
    let references = |all: &[ReferenceRecord]| -> Result<Vec<Reference>, RecordError> {
        all.iter().map(|reference| read_reference(tables, record, reference)).collect()
    };
    Ok(Table {
        id: TableId(at as u32),
        name: record.name.as_str().into(),
        was: record.was.as_deref().map(Arc::from),
        store: record.store.as_deref().map(Arc::from),
        kind: record.view.clone().map_or(TableKind::Table, |sql| TableKind::View { sql }),
        description: record.description.clone(),
        columns,
        primary_key: ids(record, &record.primary_key)?,
        uniques: record.uniques.iter().map(key).collect::<Result<_, _>>()?,
        references: references(&record.references)?,
        far_references: references(&record.far_references)?,
        indexes: record.indexes.iter().map(|index| read_index(record, index)).collect::<Result<_, _>>()?,
        fulltexts: record.fulltexts.iter().map(|index| read_fulltext(record, index)).collect::<Result<_, _>>()?,
        access: Access {
            read: rule(record.access.read),
            create: rule(record.access.create),
            update: rule(record.access.update),
            delete: rule(record.access.delete),
        },
        internal: record.internal,
    })
}

fn id(table: &TableRecord, name: &str) -> Result<ColumnId, RecordError> {
    let position = table.columns.iter().position(|column| column.name == name);
    position
        .map(|position| ColumnId(position as u32))
        .ok_or_else(|| refused(format!("{} has no column {name}", table.name)))
}

fn ids(table: &TableRecord, names: &[String]) -> Result<Vec<ColumnId>, RecordError> {
    names.iter().map(|name| id(table, name)).collect()
}

fn read_column(at: usize, record: &ColumnRecord) -> Result<Column, RecordError> {
    let place = |reason: String| refused(format!("column {}: {reason}", record.name));
    let ty = parse_type(&record.ty).map_err(|(problem, _)| place(problem))?;
    let value = |ty: &Type, text: &str| Value::parse(ty, text).map_err(|error| place(error.to_string()));
    let bound_type = match ty {
        Type::Text | Type::Bytes | Type::Array(_) => Type::BigInt,
        _ => ty.clone(),
    };
    let bound = |text: &Option<String>| text.as_ref().map(|text| value(&bound_type, text)).transpose();
    let default = match &record.default {
        None => None,
        Some(DefaultRecord::Now) => Some(DefaultValue::Now),
        Some(DefaultRecord::Uuid7) => Some(DefaultValue::Uuid7),
        Some(DefaultRecord::Sequence) => Some(DefaultValue::Sequence),
        Some(DefaultRecord::Expression(text)) => Some(DefaultValue::Expression(text.clone())),
        Some(DefaultRecord::Literal(None)) => Some(DefaultValue::Literal(Value::Null)),
        Some(DefaultRecord::Literal(Some(text))) => Some(DefaultValue::Literal(value(&ty, text)?)),
    };
    let format = |name: &String| {
        let found = Format::ALL.iter().find(|(word, _)| word == name);
        found.map(|(_, format)| *format).ok_or_else(|| place(format!("unknown format {name}")))
    };
    let pattern = |source: &String| regex::Regex::new(source).map(Pattern).map_err(|error| place(error.to_string()));
    let checks = Checks {
        min: bound(&record.min)?,
        max: bound(&record.max)?,
        pattern: record.pattern.as_ref().map(pattern).transpose()?,
        format: record.format.as_ref().map(format).transpose()?,
        variants: record.variants.iter().map(|variant| Arc::from(variant.as_str())).collect(),
    };
    Ok(Column {
        texts: if record.object_ids { Texts::ObjectIds } else { Texts::Plain },
        id: ColumnId(at as u32),
        name: record.name.as_str().into(),
        was: record.was.as_deref().map(Arc::from),
        ty,
        optional: record.optional,
        default,
        touched: record.touched,
        checks,
        description: record.description.clone(),
    })
}

fn read_reference(
    tables: &[TableRecord],
    table: &TableRecord,
    record: &ReferenceRecord,
) -> Result<Reference, RecordError> {
    let action = |action: &ActionRecord| match action {
        ActionRecord::Restrict => ReferenceAction::Restrict,
        ActionRecord::Cascade => ReferenceAction::Cascade,
        ActionRecord::SetNull => ReferenceAction::SetNull,
        ActionRecord::SetDefault => ReferenceAction::SetDefault,
    };
    let target = tables.iter().position(|target| target.name == record.table);
    let target = target.ok_or_else(|| refused(format!("there is no table {}", record.table)))?;
    if record.columns.len() != record.to.len() {
        return Err(refused(format!("{} has sides of different length", record.name)));
    }
    Ok(Reference {
        name: record.name.as_str().into(),
        columns: ids(table, &record.columns)?,
        target: TableId(target as u32),
        target_columns: ids(&tables[target], &record.to)?,
        on_delete: action(&record.on_delete),
        on_update: action(&record.on_update),
    })
}

fn read_index(table: &TableRecord, record: &IndexRecord) -> Result<Index, RecordError> {
    let column = |column: &IndexColumnRecord| {
        Ok(IndexColumn { column: id(table, &column.name)?, descending: column.descending })
    };
    Ok(Index {
        name: record.name.as_str().into(),
        columns: record.columns.iter().map(column).collect::<Result<_, _>>()?,
        unique: record.unique,
        condition: record.condition.clone(),
    })
}

fn read_fulltext(table: &TableRecord, record: &FullTextRecord) -> Result<FullText, RecordError> {
    let language = Language::parse(&record.language);
    Ok(FullText {
        name: record.name.as_str().into(),
        columns: ids(table, &record.columns)?,
        language: language
            .ok_or_else(|| RecordError { reason: format!("there is no language {}", record.language) })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{SourceFile, load};

    /// A schema in which every member of the record is used.
    const EVERYTHING: &str = r#"
[customers]
was = "clients"
description = "Who buys."
[customers.fields]
email = { type = "text", format = "email", unique = true, was = "mail", description = "Where to write." }
code = { type = "text", pattern = '^[A-Z]{3}\d$', min = 4, max = 4 }
state = { enum = ["new", "old"], default = "new" }
born = { type = "date", min = 1900-01-01, optional = true }
limit = { type = "decimal(12,2)", min = 0, max = 1000.50, default = 10 }
tags = { type = "text[]", max = 5, default = ["a b", "c\"d"] }
data = { type = "json", default = { a = [1, 2] } }
changed_at = { type = "timestamp", default = "now", update = "now" }
[customers.access]
read = true
delete = true
[lines]
primary = ["no", "line"]
[lines.fields]
no = "bigint"
line = { type = "int", default = 1 }
customer = { ref = "customers", optional = true, on_delete = "set null", on_update = "cascade" }
other = { type = "bigint", default = 1 }
[lines.unique]
once = ["other", "line"]
[lines.references]
previous = { fields = ["other", "line"], table = "lines", on_delete = "set default" }
[lines.indexes]
recent = { on = ["line desc", "no"], unique = true, where = "line > 0" }
[notes.fields]
head = "text"
body = "text"
[notes.indexes]
search = { fulltext = ["head", "body"], language = "english" }
[counted.fields]
id = { type = "bigint", primary = true, default = "sequence" }
key = { type = "uuid", default = "uuid7" }
[top]
view = "select no from lines"
[top.fields]
no = "bigint"
"#;

    fn everything() -> Schema {
        load(&[SourceFile { path: "a.toml".into(), text: EVERYTHING.into() }]).unwrap()
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        let schema = everything();
        let text = schema.to_json();
        let read = Schema::from_json(&text).unwrap();
        assert_eq!(read, schema);
        assert_eq!(read.to_json(), text);
        assert_eq!(Schema::from_json(&Schema::default().to_json()), Ok(Schema::default()));
    }

    #[test]
    fn records_are_short() {
        let text =
            load(&[SourceFile { path: "a.toml".into(), text: "[a.fields]\nx = \"int\"".into() }]).unwrap().to_json();
        let expected = r#"{
  "version": 1,
  "tables": [
    {
      "name": "a",
      "columns": [
        {
          "name": "id",
          "type": "uuid",
          "default": "uuid7"
        },
        {
          "name": "x",
          "type": "int"
        }
      ],
      "primary_key": [
        "id"
      ]
    },"#;
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn changed_records_are_refused() {
        let text = everything().to_json();
        for (from, to) in [
            ("\"version\": 1", "\"version\": 2"),
            ("\"version\": 1", "\"versions\": 1"),
            ("\"type\": \"bigint\"", "\"type\": \"big\""),
            ("\"format\": \"email\"", "\"format\": \"mail\""),
            ("\"min\": \"1900-01-01\"", "\"min\": \"1900-02-30\""),
            ("^[A-Z]", "^[A-"),
            ("\"table\": \"customers\"", "\"table\": \"nobody\""),
            ("\"name\": \"counted\"", "\"name\": \"lines\""),
            ("\"set_null\"", "\"set null\""),
            ("\"literal\": \"1\"", "\"literal\": \"x\""),
            ("\"name\": \"other\"", "\"name\": \"another\""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let error = Schema::from_json(&changed).expect_err(from).to_string();
            assert!(error.starts_with("the recorded schema cannot be read: "), "{error}");
        }
        for text in ["", "{}", "[]", "null", "{\"version\":1}"] {
            assert!(Schema::from_json(text).is_err(), "{text}");
        }
    }
}
