//! Schemas for tests, by name.

use std::sync::Arc;

use mainstay_schema::model::{Checks, FullText, Texts};
use mainstay_schema::{
    Access, Column, ColumnId, DefaultValue, Key, Language, Reference, ReferenceAction, Rule, Schema, Table, TableId,
    TableKind, Type, Value,
};

/// A table to be; names are looked up when the schema is made.
#[derive(Debug, Clone)]
pub(super) struct TableBuilder {
    name: String,
    columns: Vec<Column>,
    primary_key: Vec<String>,
    uniques: Vec<Vec<String>>,
    references: Vec<ReferenceBuilder>,
    fulltexts: Vec<(String, Vec<String>, Language)>,
}

#[derive(Debug, Clone)]
struct ReferenceBuilder {
    columns: Vec<String>,
    target: String,
    target_columns: Vec<String>,
    on_delete: ReferenceAction,
    on_update: ReferenceAction,
}

/// Begins a table.
pub(super) fn table(name: &str) -> TableBuilder {
    TableBuilder {
        name: name.to_owned(),
        columns: Vec::new(),
        primary_key: Vec::new(),
        uniques: Vec::new(),
        references: Vec::new(),
        fulltexts: Vec::new(),
    }
}

impl TableBuilder {
    /// Adds a column that must have a value.
    pub(super) fn required(self, name: &str, ty: Type) -> TableBuilder {
        self.column(name, ty, false, None)
    }

    /// Adds a column that may be null.
    pub(super) fn optional(self, name: &str, ty: Type) -> TableBuilder {
        self.column(name, ty, true, None)
    }

    /// Adds a column with a default.
    pub(super) fn default(self, name: &str, ty: Type, default: DefaultValue) -> TableBuilder {
        self.column(name, ty, false, Some(default))
    }

    pub(super) fn column(
        mut self,
        name: &str,
        ty: Type,
        optional: bool,
        default: Option<DefaultValue>,
    ) -> TableBuilder {
        self.columns.push(Column {
            id: ColumnId(self.columns.len() as u32),
            name: name.into(),
            was: None,
            ty,
            texts: Texts::default(),
            optional,
            default,
            touched: false,
            checks: Checks::default(),
            description: None,
        });
        self
    }

    /// Names the columns of the primary key, separated by blanks.
    pub(super) fn primary(mut self, columns: &str) -> TableBuilder {
        self.primary_key = words(columns);
        self
    }

    /// Adds a unique key.
    pub(super) fn unique(mut self, columns: &str) -> TableBuilder {
        self.uniques.push(words(columns));
        self
    }

    /// The text columns so far.
    pub(super) fn text_columns(&self) -> Vec<String> {
        let texts = self.columns.iter().filter(|column| column.ty == Type::Text);
        texts.map(|column| column.name.to_string()).collect()
    }

    /// Adds a full-text index.
    pub(super) fn fulltext(mut self, name: &str, columns: &str, language: Language) -> TableBuilder {
        self.fulltexts.push((name.to_owned(), words(columns), language));
        self
    }

    /// Adds a reference that refuses when its target goes away or changes.
    pub(super) fn points(self, columns: &str, target: &str, target_columns: &str) -> TableBuilder {
        self.points_with(columns, target, target_columns, ReferenceAction::Restrict, ReferenceAction::Restrict)
    }

    /// Adds a reference.
    pub(super) fn points_with(
        mut self,
        columns: &str,
        target: &str,
        target_columns: &str,
        on_delete: ReferenceAction,
        on_update: ReferenceAction,
    ) -> TableBuilder {
        let target = target.to_owned();
        let (columns, target_columns) = (words(columns), words(target_columns));
        self.references.push(ReferenceBuilder { columns, target, target_columns, on_delete, on_update });
        self
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Makes the schema of these tables.
pub(super) fn schema(tables: &[TableBuilder]) -> Arc<Schema> {
    Arc::new(Schema::new(tables.iter().enumerate().map(|(at, table)| build(tables, at, table)).collect()))
}

fn build(all: &[TableBuilder], at: usize, table: &TableBuilder) -> Table {
    let reference = |reference: &ReferenceBuilder| {
        let target = all.iter().position(|table| table.name == reference.target).expect("the target is in the schema");
        Reference {
            name: format!("{}_{}_fkey", table.name, reference.columns.join("_")).into(),
            columns: ids(table, &reference.columns),
            target: TableId(target as u32),
            target_columns: ids(&all[target], &reference.target_columns),
            on_delete: reference.on_delete,
            on_update: reference.on_update,
        }
    };
    let key = |columns: &Vec<String>| Key {
        name: format!("{}_{}_key", table.name, columns.join("_")).into(),
        columns: ids(table, columns),
    };
    let fulltext = |(name, columns, language): &(String, Vec<String>, Language)| FullText {
        name: name.as_str().into(),
        columns: ids(table, columns),
        language: *language,
    };
    Table {
        id: TableId(at as u32),
        name: table.name.as_str().into(),
        was: None,
        store: None,
        kind: TableKind::Table,
        description: None,
        columns: table.columns.clone(),
        primary_key: ids(table, &table.primary_key),
        uniques: table.uniques.iter().map(key).collect(),
        references: table.references.iter().map(reference).collect(),
        far_references: Vec::new(),
        indexes: Vec::new(),
        fulltexts: table.fulltexts.iter().map(fulltext).collect(),
        access: Access { read: Rule::Always, create: Rule::Always, update: Rule::Always, delete: Rule::Always },
        internal: false,
    }
}

fn ids(table: &TableBuilder, names: &[String]) -> Vec<ColumnId> {
    let id = |name: &String| {
        let column = table.columns.iter().find(|column| *column.name == **name);
        column.unwrap_or_else(|| panic!("{} has no column {name}", table.name)).id
    };
    names.iter().map(id).collect()
}

/// The value of a column's type that this text stands for; `null` is null.
pub(super) fn value(table: &Table, column: &str, text: &str) -> Value {
    let column = table.find_column(column).unwrap_or_else(|| panic!("{} has no column {column}", table.name));
    typed(&column.ty, text)
}

/// The value of a type that this text stands for; `null` is null.
pub(super) fn typed(ty: &Type, text: &str) -> Value {
    if text == "null" {
        return Value::Null;
    }
    Value::parse(ty, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Shorthand for types in tests: `int`, `text[]`, `decimal(5,2)` is spelled `decimal`.
pub(super) fn ty(name: &str) -> Type {
    match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "bigint" => Type::BigInt,
        "float" => Type::Float,
        "decimal" => Type::Decimal { precision: 12, scale: 2 },
        "text" => Type::Text,
        "uuid" => Type::Uuid,
        "bytes" => Type::Bytes,
        "date" => Type::Date,
        "time" => Type::Time,
        "timestamp" => Type::Timestamp,
        "json" => Type::Json,
        array => Type::Array(Box::new(ty(array.strip_suffix("[]").expect("a type's name")))),
    }
}
