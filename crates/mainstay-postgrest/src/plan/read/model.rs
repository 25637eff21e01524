//! The plan of a read as data. Made by `build.rs`, rendered by `sql/`.

use std::sync::Arc;

use mainstay_query::request::{Bound, IsWord, Operator, Quantifier, SearchSyntax, Step};

use crate::catalog::Name;

/// Rows with everything that is embedded in them.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    pub(crate) root: Level,
    /// Which rows a write changes.
    pub(crate) picks: Vec<Filter>,
    /// What `pgrst_source` must hold; see [`ReadPlan::returning`].
    pub(crate) returning: Vec<Arc<str>>,
    pub(crate) is_star: bool,
    pub(crate) legacy: Vec<(Arc<str>, Arc<str>)>,
}

impl ReadPlan {
    /// Of a write: which rows it changes.
    pub fn picks(&self) -> &[Filter] {
        &self.picks
    }

    /// Of a write: the columns that `pgrst_source` must have for what is selected, embedded and ordered by.
    /// Functions of the row count as columns.
    pub fn returning(&self) -> Vec<Arc<str>> {
        self.returning.clone()
    }

    /// Whether the rows are selected whole and as they are, so that a handler for the relation may take them.
    pub fn is_star(&self) -> bool {
        self.is_star
    }

    /// Embeds with an alias that were named by their target nonetheless: the name used, and the alias.
    pub fn legacy_names(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.legacy
    }

    /// Of a read: whether it gives all rows that there are.
    pub fn is_whole(&self) -> bool {
        self.root.limit.is_none() && self.root.offset == 0
    }

    /// Of a read: the most rows it gives, if that is bounded.
    pub fn limit(&self) -> Option<u64> {
        self.root.limit
    }

    /// Rows that are skipped.
    pub fn offset(&self) -> u64 {
        self.root.offset
    }
}

/// The rows of one relation at one place of the tree.
#[derive(Debug, Clone)]
pub struct Level {
    /// Where rows come from.
    pub from: From,
    /// By what name its columns are called in the statement.
    pub qualifier: Qualifier,
    /// What is shown of each row, before what is embedded.
    pub members: Vec<Member>,
    /// Whether what is shown goes up into the level that this one is spread in. Then it is called `c1`, `c2`, … in the
    /// statement, in the order of members, embeds and what spreads in turn hand up.
    pub is_spread: bool,
    /// What is embedded.
    pub embeds: Vec<Embed>,
    /// What must hold.
    pub filters: Vec<Filter>,
    /// How rows are ordered.
    pub order: Vec<Order>,
    /// Most rows.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Those of the two that are below zero, which the server refuses if it comes to them.
    pub below_zero: Vec<Bound>,
}

impl Level {
    /// Whether rows are grouped: some member is made of many rows.
    pub fn is_grouped(&self) -> bool {
        let is_lifted = |embed: &Embed| embed.lifted.iter().any(|lifted| lifted.aggregate.is_some());
        self.members.iter().any(|member| matches!(member, Member::Aggregate { .. }))
            || self.embeds.iter().any(is_lifted)
    }
}

/// Where the rows of a level come from.
#[derive(Debug, Clone)]
pub enum From {
    /// A relation.
    Relation(Name),
    /// What the call gave.
    Called,
    /// What the write gave back: these columns of the relation, perhaps only some of them, and perhaps functions of the
    /// row besides.
    Written(Vec<Arc<str>>),
    /// A function of the parent's row, which is of this type.
    Computed {
        /// The function.
        function: Name,
        /// Its parameter's type.
        parameter: Name,
    },
}

/// What stands before the names of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualifier {
    /// The relation itself.
    Relation(Name),
    /// Another name that was given to it.
    Alias(Arc<str>),
}

impl Qualifier {
    /// The bare name.
    pub fn name(&self) -> &str {
        match self {
            Qualifier::Relation(name) => &name.name,
            Qualifier::Alias(name) => name,
        }
    }
}

/// Something shown of a row.
#[derive(Debug, Clone)]
pub enum Member {
    /// All columns.
    Star,
    /// One of them.
    Field {
        /// Which.
        operand: Operand,
        /// Converted to this type.
        cast: Option<String>,
        /// Under this name; `None` where the server gives it the right one.
        name: Option<Arc<str>>,
    },
    /// Made of many rows.
    Aggregate {
        /// How.
        aggregated: Aggregated,
        /// Of what; `None` counts rows.
        operand: Option<Operand>,
        /// What goes in is converted to this type.
        input_cast: Option<String>,
        /// Under this name.
        name: Option<Arc<str>>,
    },
    /// A constant for each row, which an aggregate outside counts.
    One,
}

/// How many values become one.
#[derive(Debug, Clone)]
pub struct Aggregated {
    /// The function's word.
    pub word: &'static str,
    /// The result is converted to this type.
    pub cast: Option<String>,
}

/// A member that a spread hands up to the level it stands in.
#[derive(Debug, Clone)]
pub struct Lifted {
    /// Its name inside of the statement.
    pub column: Arc<str>,
    /// The name that it is shown under.
    pub name: Arc<str>,
    /// What is made of it there.
    pub aggregate: Option<Aggregated>,
    /// Whether it is JSON that has no equality, so that it cannot be grouped by as it is.
    pub is_json: bool,
}

/// A level inside of another.
#[derive(Debug, Clone)]
pub struct Embed {
    /// The member's name; `None` if it is not shown.
    pub name: Option<Arc<str>>,
    /// What it is called in the statement.
    pub alias: Arc<str>,
    /// Its rows.
    pub level: Level,
    /// How they are matched.
    pub join: Join,
    /// Whether there may be several.
    pub is_many: bool,
    /// Whether parents without any are left out.
    pub is_inner: bool,
    /// Columns of the one row that the rows around are ordered by.
    pub keys: Vec<Operand>,
    /// Of a spread, what it hands up; otherwise empty.
    pub lifted: Vec<Lifted>,
}

/// How the rows of an embed are matched to the parent's.
#[derive(Debug, Clone)]
pub enum Join {
    /// Equal columns: of the parent, of the embed.
    Direct(Vec<(Arc<str>, Arc<str>)>),
    /// Through a table between the two.
    Through {
        /// The table.
        table: Name,
        /// What it is called.
        qualifier: Qualifier,
        /// Equal columns: of the parent, of the table.
        near: Vec<(Arc<str>, Arc<str>)>,
        /// Equal columns: of the embed, of the table.
        far: Vec<(Arc<str>, Arc<str>)>,
    },
    /// The rows are what a function makes of the parent's.
    Computed,
}

/// A column with what is done to it.
#[derive(Debug, Clone)]
pub struct Operand {
    /// The column.
    pub name: Arc<str>,
    /// Steps into it.
    pub path: Vec<Step>,
    /// Whether it is made JSON first.
    pub to_json: bool,
    /// The function by which it is shown.
    pub shown_by: Option<Name>,
}

/// What must hold.
#[derive(Debug, Clone)]
pub enum Filter {
    /// All of them.
    All(Vec<Filter>),
    /// One of them.
    Any(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// A comparison.
    Test(Box<Test>),
    /// There are rows in the embed at this place of the level's list.
    Embedded(usize),
}

/// A comparison.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is compared.
    pub operand: Operand,
    /// The function by which values are read.
    pub read_by: Option<Name>,
    /// With what, and how.
    pub of: TestOf,
}

/// The kinds of comparisons.
#[derive(Debug, Clone)]
pub enum TestOf {
    /// An operator and a value, or each of several.
    Binary {
        /// The operator.
        operator: Operator,
        /// Whether one or each of the values satisfies it.
        quantifier: Option<Quantifier>,
        /// The value, or an array literal.
        value: String,
    },
    /// An operator and another column.
    Column {
        /// The operator.
        operator: Operator,
        /// The other column.
        other: Operand,
    },
    /// Full-text search.
    Search {
        /// How words are written.
        syntax: SearchSyntax,
        /// The configuration.
        language: Option<String>,
        /// The words.
        text: String,
        /// How the column becomes a vector.
        vector: Vector,
    },
    /// One of these.
    In(Vec<String>),
    /// `IS …`.
    Is(IsWord),
}

/// How a search gets the vector that it looks into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vector {
    /// The value is one.
    Itself,
    /// One is made of the value, which is text or JSON.
    Made,
    /// Whichever its type wants, which only the server knows.
    Unknown,
}

/// One term of an order.
#[derive(Debug, Clone)]
pub struct Order {
    /// What is looked at.
    pub by: OrderBy,
    /// Whether the largest come first.
    pub descending: bool,
    /// Where nulls come, if that was said.
    pub nulls_first: Option<bool>,
}

/// What rows are ordered by.
#[derive(Debug, Clone)]
pub enum OrderBy {
    /// A column of their own.
    Own(Operand),
    /// A column of the one row in an embed.
    Embedded {
        /// The embed's place in the level's list.
        embed: usize,
        /// The column's place in the embed's keys.
        key: usize,
    },
}
