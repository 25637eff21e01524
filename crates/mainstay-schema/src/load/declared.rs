//! What a schema file says, read but not yet brought together: names are still text, and perhaps nonsense.

use toml::de::DeValue;

use super::node::Node;
use super::source::{Located, Place};
use crate::language::Language;
use crate::model::{Access, Pattern, ReferenceAction};
use crate::types::{Format, Type};

/// The default of the `id` that a table without a primary key gets.
pub(super) static UUID7: DeValue<'static> = DeValue::String(std::borrow::Cow::Borrowed("uuid7"));

/// One table or view.
#[derive(Debug)]
pub(super) struct DeclaredTable<'a> {
    pub(super) name: Located<String>,
    pub(super) was: Option<Located<String>>,
    /// The store that keeps it; `None` for the one called `main`.
    pub(super) store: Option<Located<String>>,
    /// It is there already: only its references are declared.
    pub(super) is_found: bool,
    pub(super) description: Option<String>,
    pub(super) view: Option<Located<String>>,
    pub(super) fields: Vec<DeclaredField<'a>>,
    /// `primary = […]` of the table; fields may say it themselves instead.
    pub(super) primary: Option<Located<Vec<Located<String>>>>,
    pub(super) uniques: Vec<DeclaredKey>,
    pub(super) references: Vec<DeclaredReference>,
    pub(super) indexes: Vec<DeclaredIndex>,
    pub(super) access: Access,
}

impl<'a> DeclaredTable<'a> {
    /// A table of which nothing but the name is known.
    pub(super) fn new(name: Located<String>) -> DeclaredTable<'a> {
        DeclaredTable {
            name,
            was: None,
            store: None,
            is_found: false,
            description: None,
            view: None,
            fields: Vec::new(),
            primary: None,
            uniques: Vec::new(),
            references: Vec::new(),
            indexes: Vec::new(),
            access: Access::default(),
        }
    }

    /// The name of its store; `None` for the one called `main`.
    pub(super) fn store(&self) -> Option<&str> {
        self.store.as_ref().map(|store| store.value.as_str())
    }

    /// Position of the field with exactly this name; the first, if it is declared twice.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name.value == name)
    }

    /// `table` or `view`.
    pub(super) fn noun(&self) -> &'static str {
        if self.view.is_some() { "view" } else { "table" }
    }
}

/// One field.
#[derive(Debug)]
pub(super) struct DeclaredField<'a> {
    pub(super) name: Located<String>,
    pub(super) was: Option<Located<String>>,
    pub(super) description: Option<String>,
    pub(super) ty: DeclaredType,
    /// Its texts are object ids.
    pub(super) object_ids: bool,
    /// How its values are compared with those of a key in another store: `text->uuid`.
    pub(super) convert: Option<Located<String>>,
    pub(super) optional: bool,
    pub(super) default: Option<Node<'a>>,
    /// Where `update = "now"` stands.
    pub(super) touched: Option<Place>,
    pub(super) unique: bool,
    /// Where `primary = true` stands.
    pub(super) primary: Option<Place>,
    pub(super) reference: Option<Located<String>>,
    pub(super) on_delete: Option<Located<ReferenceAction>>,
    pub(super) on_update: Option<Located<ReferenceAction>>,
    pub(super) variants: Option<Located<Vec<Located<String>>>>,
    pub(super) format: Option<Located<Format>>,
    pub(super) min: Option<Node<'a>>,
    pub(super) max: Option<Node<'a>>,
    pub(super) pattern: Option<Located<Pattern>>,
}

/// What `type` says.
#[derive(Debug)]
pub(super) enum DeclaredType {
    /// Nothing: the referenced key or `enum` must tell.
    Absent,
    /// Something that is no type; that mistake is noted already.
    Broken,
    /// This type.
    Given(Located<Type>),
}

impl<'a> DeclaredField<'a> {
    /// A field of which nothing but the name is known.
    pub(super) fn new(name: Located<String>) -> DeclaredField<'a> {
        DeclaredField {
            name,
            was: None,
            description: None,
            ty: DeclaredType::Absent,
            object_ids: false,
            convert: None,
            optional: false,
            default: None,
            touched: None,
            unique: false,
            primary: None,
            reference: None,
            on_delete: None,
            on_update: None,
            variants: None,
            format: None,
            min: None,
            max: None,
            pattern: None,
        }
    }

    /// Notes that what would have told the type is broken; a type that is given still holds.
    pub(super) fn lose_type(&mut self) {
        if let DeclaredType::Absent = self.ty {
            self.ty = DeclaredType::Broken;
        }
    }

    /// The `id` of a table that declares no primary key.
    pub(super) fn generated_id(place: Place) -> DeclaredField<'a> {
        let name = Located { value: "id".to_owned(), place };
        DeclaredField {
            ty: DeclaredType::Given(Located { value: Type::Uuid, place }),
            default: Some(Node { value: &UUID7, place }),
            primary: Some(place),
            ..DeclaredField::new(name)
        }
    }
}

/// An entry of `[table.unique]`.
#[derive(Debug)]
pub(super) struct DeclaredKey {
    pub(super) name: Located<String>,
    pub(super) columns: Vec<Located<String>>,
}

/// An entry of `[table.references]`.
#[derive(Debug)]
pub(super) struct DeclaredReference {
    pub(super) name: Located<String>,
    pub(super) columns: Vec<Located<String>>,
    pub(super) target: Located<String>,
    pub(super) target_columns: Option<Vec<Located<String>>>,
    pub(super) on_delete: Option<Located<ReferenceAction>>,
    pub(super) on_update: Option<Located<ReferenceAction>>,
}

/// An entry of `[table.indexes]`.
#[derive(Debug)]
pub(super) struct DeclaredIndex {
    pub(super) name: Located<String>,
    /// Each perhaps with ` desc` or ` asc` behind the name.
    pub(super) columns: Vec<Located<String>>,
    pub(super) unique: bool,
    pub(super) condition: Option<String>,
    /// Set for a full-text index.
    pub(super) language: Option<Language>,
}
