//! The answers to `catalog.sql`, which gives the fields in this order without their names, and to `routines.sql`.

use serde::Deserialize;

/// Everything of one schema of the database.
#[derive(Debug, Deserialize)]
pub(super) struct Catalog {
    pub(super) tables: Vec<CatalogTable>,
}

/// A table or view.
#[derive(Debug, Deserialize)]
pub(super) struct CatalogTable {
    pub(super) oid: i64,
    pub(super) name: String,
    /// `r` table, `p` partitioned table, `v` view, `m` materialized view, `f` foreign table.
    pub(super) kind: String,
    /// Bits of `pg_relation_is_updatable`.
    pub(super) updatable: i32,
    pub(super) description: Option<String>,
    pub(super) has_triggers: bool,
    pub(super) columns: Vec<CatalogColumn>,
    pub(super) constraints: Vec<CatalogConstraint>,
    pub(super) indexes: Vec<CatalogIndex>,
    /// The parsed query of a view.
    pub(super) lineage: Option<String>,
}

/// A column, or what goes into a function or comes out of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CatalogColumn {
    /// Its number in the table, which stays when others go.
    pub(super) number: i16,
    pub(super) name: String,
    /// Its type as PostgreSQL writes it.
    pub(super) declared: String,
    /// The type that it is in the end, when domains are looked through.
    pub(super) base: String,
    pub(super) base_schema: String,
    /// `b` base, `c` composite, `e` enum, `r` range, `m` multirange, `p` none that a value has.
    pub(super) kind: String,
    /// What stands in parentheses behind the type, as one number; -1 for nothing.
    pub(super) modifier: i32,
    /// Type of the items of an array.
    pub(super) item: Option<String>,
    /// What kind of type that is.
    pub(super) item_kind: Option<String>,
    pub(super) required: bool,
    pub(super) default: Option<String>,
    /// `a` always, `d` by default, or nothing.
    pub(super) identity: String,
    pub(super) generated: bool,
    pub(super) description: Option<String>,
    /// The values of an enum.
    pub(super) labels: Option<Vec<String>>,
}

/// A primary key (`p`), unique key (`u`) or foreign key (`f`).
#[derive(Debug, Deserialize)]
pub(super) struct CatalogConstraint {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) columns: Vec<i16>,
    pub(super) target: i64,
    pub(super) target_columns: Option<Vec<i16>>,
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

/// An index of whole columns over all rows that is no constraint's.
#[derive(Debug, Deserialize)]
pub(super) struct CatalogIndex {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) columns: Vec<i16>,
    /// A bit field a column; the lowest bit says that it is in descending order.
    pub(super) options: Vec<i16>,
}

/// A function or procedure.
#[derive(Debug, Deserialize)]
pub(super) struct CatalogRoutine {
    pub(super) name: String,
    pub(super) is_procedure: bool,
    pub(super) gives_set: bool,
    /// `i` immutable, `s` stable, `v` volatile.
    pub(super) volatility: String,
    pub(super) description: Option<String>,
    pub(super) parameters: Vec<CatalogParameter>,
    /// What it returns, under its name.
    pub(super) result: CatalogColumn,
    /// The table or composite type whose rows that is; 0 for no row.
    pub(super) relation: i64,
    /// The columns of that.
    pub(super) columns: Vec<CatalogColumn>,
}

/// A parameter; its name is empty where it has none.
#[derive(Debug, Deserialize)]
pub(super) struct CatalogParameter {
    /// `i` in, `o` out, `b` both, `v` the rest of what goes in, `t` a column of the result.
    pub(super) mode: String,
    #[serde(flatten)]
    pub(super) column: CatalogColumn,
}

impl CatalogParameter {
    pub(super) fn goes_in(&self) -> bool {
        matches!(self.mode.as_str(), "i" | "b" | "v")
    }

    pub(super) fn comes_out(&self) -> bool {
        matches!(self.mode.as_str(), "o" | "b" | "t")
    }
}
