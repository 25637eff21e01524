//! The snapshot as data. Read by `read.rs`, asked by the planner and by the description.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// A name with its schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The schema; empty for something that has none, such as a name of a statement's own.
    pub schema: Arc<str>,
    /// The name in it.
    pub name: Arc<str>,
}

impl Name {
    /// A name.
    pub fn new(schema: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Name {
        Name { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// Everything that requests may name, and how it hangs together. Only what lies in the exposed schemas can be asked for;
/// what lies elsewhere is there as far as relationships and types lead to it.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The server's version as it counts it: 150018 for 15.18.
    pub server_version: u32,
    /// Tables, views, materialized views, foreign and partitioned tables, by name.
    pub relations: BTreeMap<Name, Relation>,
    /// Relationships by the relation that they start from.
    pub relationships: HashMap<Name, Vec<Relationship>>,
    /// Functions by name, each with all its overloads.
    pub functions: BTreeMap<Name, Vec<Function>>,
    /// Casts between a domain and `json` or `text` by which the domain is shown and read, by (from, to): types as
    /// `format_type` writes them.
    pub representations: HashMap<(Arc<str>, Arc<str>), Representation>,
    /// What makes bodies of other media types.
    pub handlers: Vec<Handler>,
    /// Names of time zones; shared by all snapshots, since reading them is slow and they stay.
    pub timezones: Arc<HashSet<String>>,
    /// Comments of the exposed schemas.
    pub schema_comments: HashMap<Arc<str>, String>,
    /// Settings that hold for a role (`ALTER ROLE … SET`), for each role that the authenticator may become.
    pub role_settings: HashMap<String, RoleSettings>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct Relation {
    /// The server's number for it.
    pub oid: u32,
    /// Its name.
    pub name: Name,
    /// Its comment.
    pub comment: Option<String>,
    /// Whether it is a view, materialized or not.
    pub is_view: bool,
    /// Whether rows may be inserted: tables, and views that are automatically insertable or have an INSTEAD trigger.
    pub insertable: bool,
    /// As above, for updates.
    pub updatable: bool,
    /// As above, for deletes.
    pub deletable: bool,
    /// The columns of its primary key, in order of the columns; of a view those that come from one.
    pub primary_key: Vec<Arc<str>>,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
}

impl Relation {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// Its comment.
    pub comment: Option<String>,
    /// Whether it may be null; a domain may forbid it too.
    pub is_nullable: bool,
    /// Its type below all domains as `format_type` writes it, without a length: `character varying`, `integer[]`, `api.mood`.
    pub base_type: Arc<str>,
    /// Its type as declared: a domain stays one, and a length stays with its type, as in `character varying(3)` and
    /// `bit(5)`, which without it would be types of length one.
    pub declared_type: Arc<str>,
    /// Its type as the description shows it: types of the system (and domains over them) as `base_type`, others as
    /// `declared_type`.
    pub shown_type: Arc<str>,
    /// Its longest text, for types with one.
    pub length_max: Option<i32>,
    /// Its default as SQL, or that of its domain; `None` without one, for generated columns and for those that are always
    /// an identity. Other identity columns have `nextval('…')`.
    pub default: Option<String>,
    /// The labels of its type, where that is an enum.
    pub labels: Vec<String>,
    /// Whether its type (below domains) is an array or a composite type, so that JSON paths into it go through `to_jsonb`.
    pub is_composite_or_array: bool,
}

/// A way from one relation to another. A many-to-one relationship and its inverse are two of these.
#[derive(Debug, Clone)]
pub struct Relationship {
    /// Where it starts.
    pub source: Name,
    /// Where it leads.
    pub target: Name,
    /// Whether source and target are the same relation.
    pub is_self: bool,
    /// Whether the source is a view: then names of columns and constraints are no targets.
    pub source_is_view: bool,
    /// Whether the target is one.
    pub target_is_view: bool,
    /// How many, and how rows are matched.
    pub link: Link,
}

/// How rows of a relationship are matched.
#[derive(Debug, Clone)]
pub enum Link {
    /// By a foreign key, in either direction.
    Key {
        /// Name of the constraint.
        constraint: Arc<str>,
        /// Pairs of columns: of the source, of the target.
        columns: Vec<(Arc<str>, Arc<str>)>,
        /// How many rows of the target there are for one of the source.
        cardinality: Cardinality,
    },
    /// By a table between the two.
    Many(Junction),
    /// By a function that takes a row of the source.
    Computed {
        /// The function.
        function: Name,
        /// Its parameter's type, which is the source's row type or that of a relation it is called with.
        parameter: Name,
        /// Whether it gives one row at most.
        to_one: bool,
    },
}

/// How many rows of the target belong to one of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// The source holds the key.
    ManyToOne,
    /// The target holds it.
    OneToMany,
    /// The source holds it, and its columns are unique.
    OneToOne,
    /// The target holds it, and its columns are unique.
    OneToOneInverse,
}

/// A table between two.
#[derive(Debug, Clone)]
pub struct Junction {
    /// The table.
    pub table: Name,
    /// Its constraint that leads to the source.
    pub source_constraint: Arc<str>,
    /// Its constraint that leads to the target.
    pub target_constraint: Arc<str>,
    /// Pairs of columns: of the source, of the junction.
    pub source_columns: Vec<(Arc<str>, Arc<str>)>,
    /// Pairs of columns: of the target, of the junction.
    pub target_columns: Vec<(Arc<str>, Arc<str>)>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The server's number for it.
    pub oid: u32,
    /// Its name.
    pub name: Name,
    /// Its comment.
    pub comment: Option<String>,
    /// What it takes, in order; parameters that are only given back are none.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub returns: Returns,
    /// What it may do.
    pub volatility: Volatility,
    /// Whether the last parameter takes any number of values.
    pub is_variadic: bool,
    /// `ALTER FUNCTION … SET` of settings that go with the whole transaction (`statement_timeout` and the like), and of
    /// `default_transaction_isolation`.
    pub settings: Vec<(String, String)>,
}

/// What a function takes.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name; empty for one without.
    pub name: Arc<str>,
    /// Its type, as `format_type` writes it.
    pub ty: Arc<str>,
    /// A type to cast to that takes every length: `character varying` for `character`, `bit varying` for `bit`.
    pub cast_type: Arc<str>,
    /// Whether it has no default.
    pub is_required: bool,
    /// Whether it is the variadic one.
    pub is_variadic: bool,
}

/// What a function gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returns {
    /// Whether it gives any number of rows.
    pub is_set: bool,
    /// What one of them is.
    pub what: ReturnType,
}

/// What a function gives one of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnType {
    /// Nothing.
    Void,
    /// A value of this type.
    Scalar(Name),
    /// A row of this relation or composite type, or (`pg_catalog.record`) of what its out-parameters say.
    Composite {
        /// The type.
        ty: Name,
        /// Whether the rows are those of a relation of the catalog, so that they can be embedded in.
        is_relation: bool,
    },
}

/// What a function may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// Anything.
    Volatile,
    /// Read.
    Stable,
    /// Not even that.
    Immutable,
}

/// The function by which a domain is shown as, or read from, another type.
#[derive(Debug, Clone)]
pub struct Representation {
    /// The function of the cast.
    pub function: Name,
}

/// What makes a body of a media type that is not built in (or replaces one that is).
#[derive(Debug, Clone)]
pub struct Handler {
    /// The media type, in lower case; `*/*` for any.
    pub media: String,
    /// What it is made from.
    pub source: HandlerSource,
    /// The relation that it is for; `None` for every one (an aggregate over `anyelement`).
    pub relation: Option<Name>,
}

/// What makes a body.
#[derive(Debug, Clone)]
pub enum HandlerSource {
    /// This aggregate, over the rows.
    Aggregate(Name),
    /// This function, called by the request, gives the body itself.
    Function(Name),
}

/// Settings of a role.
#[derive(Debug, Clone, Default)]
pub struct RoleSettings {
    /// `default_transaction_isolation`, in lower case.
    pub isolation: Option<String>,
    /// The others, by name.
    pub settings: Vec<(String, String)>,
}
