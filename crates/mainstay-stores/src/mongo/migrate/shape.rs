//! What a table is as a collection: the rules of its documents (`$jsonSchema`) and its indexes.

use std::collections::BTreeMap;

use mainstay_schema::model::Texts;
use mainstay_schema::{Column, ColumnId, DefaultValue, Schema, Table, TableKind, Type, Value};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};

use crate::mongo::names;
use crate::mongo::types::DECIMAL_DIGITS_MAX;

/// A collection as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::mongo) struct Shape {
    /// What each field may hold, by its name.
    pub(in crate::mongo) fields: BTreeMap<String, Document>,
    /// The fields that every document has.
    pub(in crate::mongo) required: Vec<String>,
    /// The indexes by their names, as `createIndexes` takes them; the one of `_id` is left out.
    pub(in crate::mongo) indexes: BTreeMap<String, Document>,
}

impl Shape {
    /// The collection of a declared table.
    pub(in crate::mongo) fn of(schema: &Schema, table: &Table) -> Shape {
        let mut shape = Shape { fields: BTreeMap::new(), required: Vec::new(), indexes: BTreeMap::new() };
        for column in &table.columns {
            let name = names::field(table, column.id);
            let is_required = !column.optional || table.primary_key.contains(&column.id);
            shape.fields.insert(name.to_owned(), rule(column, is_required));
            if is_required {
                shape.required.push(name.to_owned());
            }
        }
        shape.required.sort();
        shape.add_indexes(schema, table);
        shape
    }

    fn add_indexes(&mut self, schema: &Schema, table: &Table) {
        if table.primary_key.len() > 1 {
            self.unique(table, &format!("{}_pkey", table.name), &ascending(&table.primary_key));
        }
        for key in &table.uniques {
            self.unique(table, &key.name, &ascending(&key.columns));
        }
        for index in &table.indexes {
            let columns: Vec<(ColumnId, bool)> =
                index.columns.iter().map(|part| (part.column, part.descending)).collect();
            match index.unique {
                true => self.unique(table, &index.name, &columns),
                false => self.index(table, &index.name, &columns),
            }
        }
        // Whoever removes a row looks for those that point at it, and embeds go the same way.
        for reference in &table.references {
            if schema.table(reference.target).is_writable() && !self.is_led_to(table, &reference.columns) {
                self.index(table, &reference.name, &ascending(&reference.columns));
            }
        }
    }

    /// Whether an index, or `_id`, leads to the rows with some values in these columns.
    fn is_led_to(&self, table: &Table, columns: &[ColumnId]) -> bool {
        let names: Vec<&str> = columns.iter().map(|column| names::field(table, *column)).collect();
        let leads = |index: &Document| {
            let key = index.get_document("key").map(|key| key.keys().map(String::as_str).collect::<Vec<_>>());
            let is_partial = index.contains_key("partialFilterExpression");
            !is_partial && key.is_ok_and(|key| key.len() >= names.len() && key[..names.len()].iter().eq(&names))
        };
        names.first() == Some(&"_id") || self.indexes.values().any(leads)
    }

    /// An index. The key of the table is at its end, as it is at the end of every order, so that pages come out of it
    /// sorted.
    fn index(&mut self, table: &Table, name: &str, columns: &[(ColumnId, bool)]) {
        let is_new = |part: &&ColumnId| columns.iter().all(|(column, _)| column != *part);
        let rest = table.primary_key.iter().filter(is_new).map(|column| (*column, false));
        let columns: Vec<(ColumnId, bool)> = columns.iter().copied().chain(rest).collect();
        self.indexes.insert(name.to_owned(), doc! { "key": key(table, &columns), "name": name });
    }

    /// A unique index. Null equals nothing, so rows with null are not in it. What is in it is said by an order and not by
    /// a type: only from the former does the server see that a look-up by value may use the index.
    fn unique(&mut self, table: &Table, name: &str, columns: &[(ColumnId, bool)]) {
        let mut index = doc! { "key": key(table, columns), "name": name, "unique": true };
        let optional = columns
            .iter()
            .map(|(column, _)| table.column(*column))
            .filter(|column| column.optional && !table.primary_key.contains(&column.id));
        let present: Document = optional
            .map(|column| (names::field(table, column.id).to_owned(), Bson::from(doc! { "$gte": least(column) })))
            .collect();
        if !present.is_empty() {
            index.insert("partialFilterExpression", present);
        }
        self.indexes.insert(name.to_owned(), index);
    }

    /// The validator of the collection.
    pub(in crate::mongo) fn validator(&self) -> Document {
        let properties: Document =
            self.fields.iter().map(|(name, rule)| (name.clone(), Bson::from(rule.clone()))).collect();
        let mut schema = doc! { "bsonType": "object" };
        // The server takes no empty list.
        if !self.required.is_empty() {
            schema.insert("required", self.required.clone());
        }
        schema.insert("properties", properties);
        doc! { "$jsonSchema": schema }
    }
}

fn ascending(columns: &[ColumnId]) -> Vec<(ColumnId, bool)> {
    columns.iter().map(|column| (*column, false)).collect()
}

fn key(table: &Table, columns: &[(ColumnId, bool)]) -> Document {
    let part = |(column, descending): &(ColumnId, bool)| {
        (names::field(table, *column).to_owned(), Bson::Int32(if *descending { -1 } else { 1 }))
    };
    columns.iter().map(part).collect()
}

/// The server's word for values of a column.
fn bson_type(ty: &Type, texts: Texts) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::BigInt => "long",
        Type::Float => "double",
        Type::Decimal { .. } => "decimal",
        Type::Text if texts == Texts::ObjectIds => "objectId",
        Type::Text | Type::Date | Type::Time => "string",
        Type::Uuid | Type::Bytes => "binData",
        Type::Timestamp => "date",
        Type::Array(_) => "array",
        Type::Json => return None,
    })
}

/// What a column may hold, as far as the server can tell exactly.
fn rule(column: &Column, is_required: bool) -> Document {
    let mut rule = Document::new();
    let Some(name) = bson_type(&column.ty, column.texts) else { return rule };
    let or_null = |name: &str| Bson::from(vec![name, "null"]);
    rule.insert("bsonType", if is_required { Bson::from(name) } else { or_null(name) });
    if let Type::Array(item) = &column.ty
        && let Some(name) = bson_type(item, Texts::Plain)
    {
        rule.insert("items", doc! { "bsonType": or_null(name) });
    }
    let words = match &column.ty {
        Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => Some(("minimum", "maximum")),
        Type::Text if column.texts == Texts::Plain => Some(("minLength", "maxLength")),
        Type::Array(_) => Some(("minItems", "maxItems")),
        _ => None,
    };
    if let Some((least, most)) = words {
        for (word, bound) in [(least, &column.checks.min), (most, &column.checks.max)] {
            if let Some(bound) = bound.as_ref().and_then(number) {
                rule.insert(word, bound);
            }
        }
    }
    if !column.checks.variants.is_empty() {
        let mut all: Vec<Bson> = column.checks.variants.iter().map(|word| Bson::from(&**word)).collect();
        if !is_required {
            all.push(Bson::Null);
        }
        rule.insert("enum", all);
    }
    rule
}

fn number(value: &Value) -> Option<Bson> {
    match value {
        Value::Int(number) => Some(i32::try_from(*number).map_or(Bson::Int64(*number), Bson::Int32)),
        Value::Float(number) => Some(Bson::Double(*number)),
        Value::Decimal(number) => number.as_str().parse().ok().map(Bson::Decimal128),
        _ => None,
    }
}

/// The least value of a column, as the server orders values of its type.
pub(in crate::mongo) fn least(column: &Column) -> Bson {
    match &column.ty {
        Type::Bool => Bson::Boolean(false),
        Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => Bson::Double(f64::NEG_INFINITY),
        Type::Text if column.texts == Texts::ObjectIds => Bson::ObjectId(ObjectId::from_bytes([0; 12])),
        Type::Text | Type::Date | Type::Time => Bson::String(String::new()),
        Type::Uuid | Type::Bytes => Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: Vec::new() }),
        Type::Timestamp => Bson::DateTime(DateTime::MIN),
        Type::Json | Type::Array(_) => Bson::Null,
    }
}

/// What of a schema no collection can be, one sentence each; empty when all is well.
pub(in crate::mongo) fn refusals(schema: &Schema) -> Vec<String> {
    let tables = schema.tables().iter();
    tables.flat_map(|table| refusals_of(table).into_iter().map(|what| format!("{}: {what}", table.name))).collect()
}

fn refusals_of(table: &Table) -> Vec<String> {
    let mut told = Vec::new();
    if table.kind != TableKind::Table {
        told.push("a view is SQL, which MongoDB does not know; make the view in the database and have it found".into());
    }
    if table.name.contains('$') {
        told.push("MongoDB takes no $ in the name of a collection; give the table another name".into());
    }
    for column in &table.columns {
        let name = &column.name;
        if name.starts_with('$') {
            told.push(format!("MongoDB takes no field whose name begins with $; give {name} another name"));
        }
        if &**name == "_id" && table.primary_key != [column.id] {
            told.push(
                "_id is the primary key of every collection; make it that of the table, or call it otherwise".into(),
            );
        }
        if let Type::Decimal { precision, .. } = column.ty
            && precision > DECIMAL_DIGITS_MAX
        {
            told.push(format!(
                "{name} has {precision} digits, and MongoDB keeps {DECIMAL_DIGITS_MAX}; make it decimal({DECIMAL_DIGITS_MAX},…) or text"
            ));
        }
        if let Some(DefaultValue::Literal(Value::Json(json))) = &column.default
            && json.as_str().contains("\"$")
        {
            told.push(format!(
                "the default of {name} has a member whose name begins with $, which a migration cannot say"
            ));
        }
    }
    let indexes = table.indexes.iter().filter(|index| index.unique);
    let keys = (table.uniques.iter().map(|key| (&*key.name, key.columns.clone())))
        .chain([("the primary key", table.primary_key.clone())])
        .chain(indexes.map(|index| (&*index.name, index.columns.iter().map(|part| part.column).collect())));
    for (key, columns) in keys {
        let loose = columns.iter().map(|column| table.column(*column));
        for column in loose.filter(|column| matches!(column.ty, Type::Json | Type::Array(_))) {
            told.push(format!(
                "{key}: MongoDB compares the items of {}, which is {}, and not the whole; leave it out of the key",
                column.name, column.ty
            ));
        }
    }
    for index in &table.indexes {
        let lists = index.columns.iter().map(|part| table.column(part.column));
        let lists: Vec<&str> =
            lists.filter(|column| matches!(column.ty, Type::Array(_))).map(|column| &*column.name).collect();
        if lists.len() > 1 {
            told.push(format!(
                "{}: MongoDB makes no index over two lists; leave all but one of {} out of it",
                index.name,
                lists.join(", ")
            ));
        }
    }
    for index in table.indexes.iter().filter(|index| index.condition.is_some()) {
        told.push(format!(
            "the condition of the index {} is SQL, which MongoDB does not know; leave it out",
            index.name
        ));
    }
    told
}
