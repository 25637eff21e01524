//! What was asked, as text that parsed: names are not looked up and values have no types yet.

mod call;

use bytes::Bytes;

pub use crate::plan::Function;
pub use call::{Arguments, CallRequest, RawKind};

/// A read of rows: `GET` or `HEAD` on a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadRequest {
    /// Name of the table or view.
    pub table: String,
    /// What to return, which rows, in which order.
    pub query: Query,
    /// Whether to count all matching rows.
    pub count: Count,
    /// Whether all rows are read rather than a page of them: then only a limit that was asked for holds at the top.
    /// For answers that are sent while they are read; embeds keep their bound.
    pub unpaged: bool,
}

impl ReadRequest {
    /// Asks for at most `rows` rows at the top, whatever else was asked.
    pub fn limit_to(&mut self, rows: u64) {
        self.query.limit.push(Located { path: Vec::new(), what: rows });
    }
}

/// The query part of a request, one level of embeds after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Selected members; empty means all columns.
    pub select: Vec<Item>,
    /// Filters and logic trees with the embed path they stand on; all must hold.
    pub filters: Vec<Located<Condition>>,
    /// Order terms with their embed path.
    pub order: Vec<Located<Vec<OrderTerm>>>,
    /// Row limits with their embed path.
    pub limit: Vec<Located<u64>>,
    /// Rows to skip, with their embed path.
    pub offset: Vec<Located<u64>>,
    /// Bounds of embeds that are below zero, which PostgREST leaves to the server to refuse.
    pub below_zero: Vec<Located<Bound>>,
    /// Conditions on groups, with their embed path; all must hold.
    pub having: Vec<Located<Condition>>,
    /// Whether rows that are equal are shown once, with their embed path; the first one counts.
    pub distinct: Vec<Located<bool>>,
    /// The place after which rows begin, still closed; empty for the first page.
    pub after: Option<String>,
    /// The `columns` parameter of a write.
    pub columns: Option<Vec<String>>,
    /// The `on_conflict` parameter of an insert, or of an update that brings a row for each key.
    pub on_conflict: Option<Vec<String>>,
}

/// Something that stands on the embed reached by `path`; the empty path is the root.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// Names of embeds from the root.
    pub path: Vec<String>,
    /// What stands there.
    pub what: T,
}

/// A bound on rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// How many there are at most.
    Limit,
    /// How many are passed over.
    Offset,
}

/// Whether to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Count {
    /// Do not count.
    #[default]
    None,
    /// Count all rows that pass the filters.
    Exact,
    /// Take the store's statistics if it has any for what is asked, else count.
    Planned,
    /// Count up to so many rows; when there are more, as [`Count::Planned`], but never less than was counted.
    Estimated(u64),
}

/// One item of `select`.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `*`.
    Star,
    /// `-column`: leaves a column out of the star.
    Except(String),
    /// `alias:column->path::cast`.
    Field(FieldItem),
    /// `alias:column->path::cast.sum()::cast`, `alias:count()::cast`.
    Aggregate(AggregateItem),
    /// `alias:relation!hint!inner(items)`.
    Embed(EmbedItem),
    /// `...relation!hint!inner(items)`.
    Spread(EmbedItem),
}

impl Item {
    /// The related rows that this asks for.
    pub fn as_embed(&self) -> Option<&EmbedItem> {
        match self {
            Item::Embed(embed) | Item::Spread(embed) => Some(embed),
            Item::Star | Item::Except(_) | Item::Field(_) | Item::Aggregate(_) => None,
        }
    }
}

/// A selected column.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldItem {
    /// Declared member name.
    pub alias: Option<String>,
    /// The column and JSON path.
    pub field: Field,
    /// Cast of the result.
    pub cast: Option<String>,
}

/// A selected aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateItem {
    /// Declared member name.
    pub alias: Option<String>,
    /// Which.
    pub function: Function,
    /// The column and JSON path; `None` counts rows.
    pub field: Option<Field>,
    /// Cast of what goes in.
    pub input_cast: Option<String>,
    /// Cast of the result.
    pub cast: Option<String>,
}

/// A column with an optional JSON path.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Column name.
    pub name: String,
    /// Steps after it.
    pub path: Vec<Step>,
}

/// One step of a JSON path.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Key or index.
    pub to: StepTo,
    /// Whether the arrow was `->>`, which gives text; only allowed on the last step.
    pub as_text: bool,
}

/// Where a step goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepTo {
    /// Member of an object.
    Key(String),
    /// Element of an array, from the end when negative.
    Index(i64),
}

/// An embedded relation.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedItem {
    /// Declared member name.
    pub alias: Option<String>,
    /// Relation, constraint or column that names the target.
    pub target: String,
    /// Word that picks among several relations.
    pub hint: Option<String>,
    /// Whether parents without children are dropped.
    pub inner: bool,
    /// Selected members; `None` for empty parentheses (join, but do not show).
    pub items: Option<Vec<Item>>,
}

/// A filter or a logic tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All must hold.
    And(Vec<Condition>),
    /// One must hold.
    Or(Vec<Condition>),
    /// The opposite, in three-valued logic.
    Not(Box<Condition>),
    /// `field=op.value`.
    Test(Field, Operation),
}

/// An operator with its operand, still text.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `eq`, `neq`, `gt`, `gte`, `lt`, `lte`, `like`, `ilike`, `isdistinct`, `cs`, `cd`, `ov`, …
    Binary {
        /// The operator's word.
        operator: Operator,
        /// `(any)` or `(all)`.
        quantifier: Option<Quantifier>,
        /// The operand.
        value: String,
    },
    /// `gt(col).other`: against another column of the row.
    Column {
        /// The operator's word.
        operator: Operator,
        /// The other column.
        field: Field,
    },
    /// `fts(english).words`.
    Search {
        /// How the words are written.
        syntax: SearchSyntax,
        /// The configuration in parentheses.
        language: Option<String>,
        /// What is searched for.
        text: String,
    },
    /// `in.(a,b)`.
    In(Vec<String>),
    /// `is.word`.
    Is(IsWord),
}

/// Operators that take one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `eq`
    Eq,
    /// `neq`
    Neq,
    /// `gt`
    Gt,
    /// `gte`
    Gte,
    /// `lt`
    Lt,
    /// `lte`
    Lte,
    /// `like`
    Like,
    /// `ilike`
    Ilike,
    /// `match`
    Match,
    /// `imatch`
    Imatch,
    /// `isdistinct`
    IsDistinct,
    /// `cs`
    Contains,
    /// `cd`
    ContainedIn,
    /// `ov`
    Overlaps,
    /// `sl`: a range that lies before.
    StrictlyLeft,
    /// `sr`: a range that lies behind.
    StrictlyRight,
    /// `nxr`: a range that does not reach beyond.
    NotRight,
    /// `nxl`: a range that does not begin before.
    NotLeft,
    /// `adj`: ranges side by side.
    Adjacent,
}

impl Operator {
    /// Whether it is about ranges alone, which are types of PostgreSQL's.
    pub fn is_of_ranges(self) -> bool {
        use Operator::{Adjacent, NotLeft, NotRight, StrictlyLeft, StrictlyRight};
        matches!(self, StrictlyLeft | StrictlyRight | NotRight | NotLeft | Adjacent)
    }
}

/// How the words of a full-text search are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchSyntax {
    /// `fts`: words joined by `&`, `|`, `!`, `<->` and parentheses.
    Query,
    /// `plfts`: plain words, all of which must be there.
    Plain,
    /// `phfts`: words that must follow one another.
    Phrase,
    /// `wfts`: as people type into a search box.
    Web,
}

impl SearchSyntax {
    /// Every syntax by its operator.
    pub const ALL: [(&'static str, SearchSyntax); 4] = [
        ("fts", SearchSyntax::Query),
        ("plfts", SearchSyntax::Plain),
        ("phfts", SearchSyntax::Phrase),
        ("wfts", SearchSyntax::Web),
    ];

    /// The operator.
    pub fn word(self) -> &'static str {
        SearchSyntax::ALL[self as usize].0
    }
}

/// How an operator applies to a list operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// One element satisfies.
    Any,
    /// Every element satisfies.
    All,
}

/// The words of `is`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsWord {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`
    Unknown,
}

/// One order term.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderTerm {
    /// The to-one embed whose column it is, `order=relation(column)`.
    pub relation: Option<String>,
    /// What to order by.
    pub field: Field,
    /// `desc`.
    pub descending: bool,
    /// `nullsfirst` (`true`) or `nullslast`; `None` for PostgreSQL's default.
    pub nulls_first: Option<bool>,
}

/// A write.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteRequest {
    /// Name of the table.
    pub table: String,
    /// Insert, update or delete.
    pub action: Action,
    /// Filters pick the rows; select shapes what is returned.
    pub query: Query,
    /// Whether rows are returned.
    pub representation: bool,
    /// Most rows that may be affected before all is undone.
    pub affected_max: Option<u64>,
    /// Whether exactly one row must be affected, else all is undone.
    pub singular: bool,
    /// Whether the key of the affected rows is wanted (for `Location`).
    pub keys: bool,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `POST`.
    Insert {
        /// The rows.
        body: Body,
        /// `Prefer: resolution=`.
        resolution: Option<Resolution>,
        /// `Prefer: missing=default`: members that a row lacks take the column's default instead of null.
        missing_default: bool,
    },
    /// `PUT`: one row by its primary key, new or not.
    Replace {
        /// One object, or an array of one.
        body: Body,
    },
    /// `PATCH`. With `on_conflict`, each row of the body changes the row that has its key.
    Update {
        /// One object, or one for each key.
        body: Body,
        /// `Prefer: missing=default`, as for an insert.
        missing_default: bool,
    },
    /// `DELETE`.
    Delete,
}

/// What an insert does when a key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Take the payload's columns.
    Merge,
    /// Skip the row.
    Ignore,
}

/// A request body as it came, with its declared form.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `application/json`: an object or an array of objects.
    Json(Bytes),
    /// `text/csv` with a header line.
    Csv(Bytes),
    /// `application/vnd.mainstay.patch+json`: for each column an object that names an operation. Of an update only.
    Operations(Bytes),
    /// `application/merge-patch+json` (RFC 7396). Of an update only.
    MergePatch(Bytes),
    /// `application/json-patch+json` (RFC 6902). Of an update only.
    JsonPatch(Bytes),
    /// `application/x-ndjson`: an object a line.
    Ndjson(Bytes),
    /// `application/xml`: rows of elements.
    Xml(Bytes),
    /// Rows that the program itself brings (import, seeds), already split: names, then one text or null a cell.
    Rows {
        /// Column names.
        columns: Vec<String>,
        /// As many cells a row as there are columns.
        rows: Vec<Vec<Option<String>>>,
    },
}
