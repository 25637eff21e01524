//! The schema snapshot: tables, columns, keys, references, indexes and access rules.

use std::collections::HashMap;
use std::sync::Arc;

use crate::found::Found;
use crate::function::Function;
use crate::ids::{ColumnId, FunctionId, TableId};
use crate::language::Language;
use crate::stores::MAIN;
use crate::types::{Format, Type};
use crate::value::Value;

/// One immutable snapshot of the tables and views of a project's stores, and of the functions over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    tables: Vec<Table>,
    by_name: HashMap<Arc<str>, TableId>,
    /// `None` for tables that were declared.
    found: Option<Arc<Found>>,
    functions: Vec<Function>,
    /// What functions give back, where that is no table of the schema; ids go on after those of `tables`.
    results: Vec<Table>,
    /// What each store is shown; empty where there is only one.
    pub(crate) views: Vec<(Option<Arc<str>>, Arc<Schema>)>,
}

impl Schema {
    /// Builds a snapshot; `tables[i].id` must be `i`, and references must point at ids inside `tables`.
    ///
    /// # Panics
    /// If an id disagrees with its position: the loader owns both, so that is a bug here and not a user's mistake.
    pub fn new(tables: Vec<Table>) -> Schema {
        for (position, table) in tables.iter().enumerate() {
            assert_eq!(table.id.index(), position, "table ids are positions");
        }
        let by_name = tables.iter().map(|table| (table.name.clone(), table.id)).collect();
        Schema { tables, by_name, ..Schema::default() }
    }

    /// Builds a snapshot of tables that were found in a store rather than declared.
    ///
    /// # Panics
    /// As [`Schema::new`], and if `found` does not describe exactly these tables.
    pub fn of_found(tables: Vec<Table>, found: Found) -> Schema {
        assert_eq!(tables.len(), found.tables.len(), "each found table is described");
        Schema { found: Some(Arc::new(found)), ..Schema::new(tables) }
    }

    /// What is known of found tables; `None` for declared ones.
    pub fn found(&self) -> Option<&Found> {
        self.found.as_deref()
    }

    /// The same tables with these functions; `functions[i].id` must be `i`, and the ids of `results` must go on after
    /// those of the tables.
    ///
    /// # Panics
    /// If an id disagrees with its position, as [`Schema::new`].
    #[must_use]
    pub fn with_functions(self, functions: Vec<Function>, results: Vec<Table>) -> Schema {
        for (position, function) in functions.iter().enumerate() {
            assert_eq!(function.id.index(), position, "function ids are positions");
        }
        for (position, table) in results.iter().enumerate() {
            assert_eq!(table.id.index(), self.tables.len() + position, "ids of results follow those of tables");
        }
        let shown = |(store, view): &(Option<Arc<str>>, Arc<Schema>)| {
            let view = (**view).clone().with_functions(functions.clone(), results.clone());
            (store.clone(), Arc::new(view))
        };
        let views = self.views.iter().map(shown).collect();
        Schema { functions, results, views, ..self }
    }

    /// All tables and views in id order.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table with this id, which may be the result of a function.
    pub fn table(&self, id: TableId) -> &Table {
        match self.tables.get(id.index()) {
            Some(table) => table,
            None => &self.results[id.index() - self.tables.len()],
        }
    }

    /// What functions give back, where that is no table of the schema, in id order.
    pub fn results(&self) -> &[Table] {
        &self.results
    }

    /// All functions in id order.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The function with this id.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// The functions with exactly this name; they differ in their parameters.
    pub fn find_functions(&self, name: &str) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(move |function| &*function.name == name)
    }

    /// The table or view with exactly this name.
    pub fn find(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name).map(|id| self.table(*id))
    }
}

/// A table, or a view defined by SQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Position in the schema.
    pub id: TableId,
    /// Name on the wire and in the store.
    pub name: Arc<str>,
    /// The former name, declared by `was`, which makes a rename out of a drop and a create.
    pub was: Option<Arc<str>>,
    /// The store that keeps it; `None` for the one called `main`.
    pub store: Option<Arc<str>>,
    /// Table or view.
    pub kind: TableKind,
    /// Words for people; shown in the API description.
    pub description: Option<String>,
    /// Columns in declared order; `columns[i].id` is `i`.
    pub columns: Vec<Column>,
    /// Columns of the primary key, never empty for a table, possibly empty for a view.
    pub primary_key: Vec<ColumnId>,
    /// Unique keys other than the primary key.
    pub uniques: Vec<Key>,
    /// Foreign keys of this table. On a view they only describe how to embed.
    pub references: Vec<Reference>,
    /// References to tables of other stores, and those that the database of a found table does not know of. Nobody keeps
    /// them: they only tell how to embed.
    pub far_references: Vec<Reference>,
    /// Secondary indexes.
    pub indexes: Vec<Index>,
    /// Full-text indexes.
    pub fulltexts: Vec<FullText>,
    /// Who may do what.
    pub access: Access,
    /// Kept by Mainstay for itself: never reachable by name from outside.
    pub internal: bool,
}

impl Table {
    /// A table of which nothing is known but its columns, and that nobody may use.
    pub fn new(id: TableId, name: impl Into<Arc<str>>, kind: TableKind, columns: Vec<Column>) -> Table {
        Table {
            id,
            name: name.into(),
            was: None,
            store: None,
            kind,
            description: None,
            columns,
            primary_key: Vec::new(),
            uniques: Vec::new(),
            references: Vec::new(),
            far_references: Vec::new(),
            indexes: Vec::new(),
            fulltexts: Vec::new(),
            access: Access::default(),
            internal: false,
        }
    }

    /// The column with this id.
    pub fn column(&self, id: ColumnId) -> &Column {
        &self.columns[id.index()]
    }

    /// The column with exactly this name.
    pub fn find_column(&self, name: &str) -> Option<&Column> {
        // Tables have few columns: a scan of short names beats hashing.
        self.columns.iter().find(|column| &*column.name == name)
    }

    /// References to tables of its own store and of others: what embeds follow. Only the former are kept by anybody.
    pub fn relations(&self) -> impl Iterator<Item = &Reference> {
        self.references.iter().chain(&self.far_references)
    }

    /// Name of the store that keeps it.
    pub fn store_name(&self) -> &str {
        self.store.as_deref().unwrap_or(MAIN)
    }

    /// Whether rows can be written at all.
    pub fn is_writable(&self) -> bool {
        matches!(self.kind, TableKind::Table)
    }

    /// Whether `columns`, in any order, are exactly the primary key or exactly one unique key.
    pub fn is_key(&self, columns: &[ColumnId]) -> bool {
        let same = |key: &[ColumnId]| key.len() == columns.len() && key.iter().all(|column| columns.contains(column));
        (!self.primary_key.is_empty() && same(&self.primary_key)) || self.uniques.iter().any(|key| same(&key.columns))
    }
}

/// Whether rows are kept or computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// Rows are kept in the store.
    Table,
    /// Rows are computed by this SQL query, written for the store's own dialect; read only.
    View {
        /// The text after `CREATE VIEW … AS`.
        sql: String,
    },
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Position in the table.
    pub id: ColumnId,
    /// Name on the wire and in the store.
    pub name: Arc<str>,
    /// The former name, declared by `was`.
    pub was: Option<Arc<str>>,
    /// Type of its values.
    pub ty: Type,
    /// What its texts are to the database.
    pub texts: Texts,
    /// Whether null is a value of this column.
    pub optional: bool,
    /// What an absent value becomes on insert.
    pub default: Option<DefaultValue>,
    /// Set to the time of the write on every update that does not set it.
    pub touched: bool,
    /// Validation beyond the type.
    pub checks: Checks,
    /// Words for people.
    pub description: Option<String>,
}

impl Column {
    /// A column of which nothing is known but its type. It may be null.
    pub fn new(id: ColumnId, name: impl Into<Arc<str>>, ty: Type) -> Column {
        Column {
            id,
            name: name.into(),
            was: None,
            ty,
            texts: Texts::Plain,
            optional: true,
            default: None,
            touched: false,
            checks: Checks::default(),
            description: None,
        }
    }

    /// Whether an insert that does not name this column is refused.
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none()
    }
}

/// What the texts of a column are to the database, which may have types that have none of their own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Texts {
    /// Texts, or the column holds none.
    #[default]
    Plain,
    /// Ranges, or sets of ranges, which lie before and behind each other.
    Ranges,
    /// Object ids: 24 lower case hexadecimal digits.
    ObjectIds,
}

/// Validation of one column's values beyond the type. All apply to present values only; null is `optional`'s business.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checks {
    /// Smallest value (numbers, dates, times) or length in characters (text), octets (bytes) or items (arrays).
    pub min: Option<Value>,
    /// Largest value or length, as `min`.
    pub max: Option<Value>,
    /// Regular expression that must match somewhere in the text; anchor it with `^` and `$` to match the whole.
    pub pattern: Option<Pattern>,
    /// Named text format.
    pub format: Option<Format>,
    /// The only values allowed; empty for no such limit.
    pub variants: Vec<Arc<str>>,
}

/// A compiled regular expression that compares by its source.
#[derive(Debug, Clone)]
pub struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What an absent value becomes on insert.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// The time of the request.
    Now,
    /// A fresh version 7 uuid.
    Uuid7,
    /// The next number of a sequence that the store keeps. Only on a single-column integer primary key.
    Sequence,
    /// This value.
    Literal(Value),
    /// What this expression gives, in the store's own language. Only in tables that were found: the store fills it in.
    Expression(String),
}

/// A named unique key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Constraint name, unique in the schema.
    pub name: Arc<str>,
    /// Its columns in declared order.
    pub columns: Vec<ColumnId>,
}

/// A foreign key: `columns` of this table hold the value of `target_columns` in `target`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Constraint name, `{table}_{columns}_fkey` unless declared.
    pub name: Arc<str>,
    /// Columns here; same length and order as `target_columns`.
    pub columns: Vec<ColumnId>,
    /// The table pointed at.
    pub target: TableId,
    /// Columns there: its primary key or a unique key.
    pub target_columns: Vec<ColumnId>,
    /// What happens here when the row there is deleted.
    pub on_delete: ReferenceAction,
    /// What happens here when the key there changes.
    pub on_update: ReferenceAction,
}

/// What a foreign key does when its target goes away or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferenceAction {
    /// Refuse the change while rows here point at it.
    #[default]
    Restrict,
    /// Do the same here.
    Cascade,
    /// Set the columns here to null.
    SetNull,
    /// Set the columns here to their defaults.
    SetDefault,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Name in the store, `{table}_{declared name}`.
    pub name: Arc<str>,
    /// Columns in order.
    pub columns: Vec<IndexColumn>,
    /// Whether the index also forbids duplicates.
    pub unique: bool,
    /// Only rows for which this SQL condition holds are in the index.
    pub condition: Option<String>,
}

/// A full-text index: what makes searching for words in its columns possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullText {
    /// Name as declared, unique among the indexes of the table; a search of all its columns names it like a column.
    pub name: Arc<str>,
    /// Text columns in order.
    pub columns: Vec<ColumnId>,
    /// How words are reduced to stems.
    pub language: Language,
}

/// One column of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexColumn {
    /// The column.
    pub column: ColumnId,
    /// Whether the index keeps it in descending order.
    pub descending: bool,
}

/// Who may do what with the rows of a table. Nothing is allowed that is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Reading rows, and so filtering, ordering, counting and embedding them.
    pub read: Rule,
    /// Inserting rows.
    pub create: Rule,
    /// Changing rows.
    pub update: Rule,
    /// Deleting rows.
    pub delete: Rule,
}

/// An access rule. Only the constants exist so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// Nobody but the secret key.
    #[default]
    Never,
    /// Anybody with a key.
    Always,
}
