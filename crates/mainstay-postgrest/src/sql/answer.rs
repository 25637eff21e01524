//! The one statement of a request: what it reads or changes, and the body that is made of it.

use std::sync::Arc;

use super::INSERTED;
use super::statement::Sql;
use crate::catalog::Name;

/// What a body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A JSON array of the rows.
    Json,
    /// The one row as a JSON object; of several the first.
    Object,
    /// As [`Body::Json`], without members that are null.
    StrippedArray,
    /// As [`Body::Object`], likewise.
    StrippedObject,
    /// Lines of comma-separated fields below one with their names.
    Csv,
    /// A collection of features.
    GeoJson,
    /// What this aggregate makes of the rows, which are of this relation; `None` for any.
    Aggregate(Name, Option<Name>),
    /// The value of a call, as JSON.
    Scalar,
    /// The values of a call, as a JSON array.
    ScalarSet,
    /// As [`Body::Scalar`], without members that are null.
    StrippedScalar,
    /// As [`Body::ScalarSet`], likewise.
    StrippedScalarSet,
    /// The one row of a call as a JSON object, or null.
    SingleComposite,
    /// The value of a call as it is.
    Function,
    /// None.
    Nothing,
}

/// What is counted as the rows in all.
#[derive(Debug, Clone)]
pub enum Total {
    /// The rows of the page, which is all of them.
    Page,
    /// The rows of this query.
    Of(Sql),
}

/// What an answer tells.
#[derive(Debug, Clone)]
pub struct Form {
    /// The body.
    pub body: Body,
    /// What is counted.
    pub total: Option<Total>,
    /// Whether rows that were inserted rather than updated are told.
    pub counts_inserted: bool,
    /// The key that tells where the one row is that was inserted; empty if that is not wanted.
    pub location: Vec<Arc<str>>,
}

/// A statement of one row, whatever `source` reads or changes:
///
/// | column | type | what |
/// | --- | --- | --- |
/// | total | bigint | rows in all; null unless they are counted |
/// | rows | bigint | rows of the page, or that were changed |
/// | body | any | its octets as the type sends them; null if there is none |
/// | response_headers | text | the setting of this name; null if it is empty |
/// | response_status | text | likewise |
/// | inserted | bigint | rows that were inserted; null unless that is told |
/// | location | text[] | the parts of the key, `eq.…` or `is.null`; null unless it is one row and wanted |
///
/// `source` is called `pgrst_source` in `rows`, which picks what is shown.
pub fn answer(source: Sql, rows: Sql, form: &Form) -> Sql {
    let mut sql = Sql::of("WITH pgrst_source AS (");
    sql.append(source).push(")");
    // The names of columns come from a row, so rows are looked at twice.
    let is_csv = form.body == Body::Csv;
    if is_csv {
        sql.push(", pgrst_rows AS (").append(rows.clone()).push(")");
    }
    sql.push(" SELECT ");
    match &form.total {
        Some(Total::Page) => sql.push("pg_catalog.count(*)"),
        Some(Total::Of(rows)) => {
            sql.push("(SELECT pg_catalog.count(*) FROM (").append(rows.clone()).push(") pgrst_counted)")
        }
        None => sql.push("null::bigint"),
    };
    sql.push(" AS total, pg_catalog.count(*) AS rows, ").append(body(&form.body)).push(" AS body, ");
    sql.push("nullif(current_setting('response.headers', true), '') AS response_headers, ");
    sql.push("nullif(current_setting('response.status', true), '') AS response_status, ");
    match form.counts_inserted {
        true => sql.push(&format!("coalesce(nullif(current_setting('{INSERTED}', true), ''), '0')::bigint")),
        false => sql.push("null::bigint"),
    };
    sql.push(" AS inserted, ").append(location(&form.location)).push(" AS location FROM ");
    match is_csv {
        true => sql.push("pgrst_rows"),
        false => sql.push("(").append(rows).push(")"),
    };
    sql.push(" _postgrest_t");
    sql
}

fn body(body: &Body) -> Sql {
    let mut sql = Sql::new();
    let text = match body {
        Body::Json => "coalesce(json_agg(_postgrest_t), '[]')",
        Body::Object => "coalesce(json_agg(_postgrest_t)->0, 'null')",
        Body::StrippedArray => "coalesce(json_strip_nulls(json_agg(_postgrest_t)), '[]')",
        Body::StrippedObject => "coalesce(json_strip_nulls(json_agg(_postgrest_t)->0), 'null')",
        Body::Csv => {
            "(SELECT coalesce(string_agg(name, ','), '') FROM (SELECT json_object_keys(row_to_json(pgrst_row)) AS name \
             FROM (SELECT * FROM pgrst_rows LIMIT 1) pgrst_row) pgrst_names) || E'\\n' || coalesce(string_agg(\
             substring(_postgrest_t::text, 2, length(_postgrest_t::text) - 2), E'\\n'), '')"
        }
        Body::GeoJson => {
            "json_build_object('type', 'FeatureCollection', 'features', \
             coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))"
        }
        Body::Aggregate(aggregate, relation) => {
            sql.name(aggregate).push("(_postgrest_t");
            if let Some(relation) = relation {
                sql.push("::").name(relation);
            }
            ")"
        }
        Body::Scalar => "coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null')",
        Body::ScalarSet => "coalesce(json_agg(_postgrest_t.pgrst_scalar), '[]')",
        Body::StrippedScalar => "coalesce(json_strip_nulls(json_agg(_postgrest_t.pgrst_scalar)->0), 'null')",
        Body::StrippedScalarSet => "coalesce(json_strip_nulls(json_agg(_postgrest_t.pgrst_scalar)), '[]')",
        Body::SingleComposite => "coalesce(json_agg(_postgrest_t)->0, 'null')",
        Body::Function => "(array_agg(_postgrest_t.pgrst_scalar))[1]",
        Body::Nothing => "null::text",
    };
    sql.push(text);
    sql
}

fn location(key: &[Arc<str>]) -> Sql {
    if key.is_empty() {
        return Sql::of("null::text[]");
    }
    let mut sql = Sql::of("CASE WHEN pg_catalog.count(*) = 1 THEN (SELECT ARRAY[");
    sql.join(
        ", ",
        key.iter().map(|column| {
            let mut part = Sql::of("coalesce('eq.' || (row_to_json(pgrst_row)->>");
            part.literal(column).push("), 'is.null')");
            part
        }),
    );
    sql.push("] FROM pgrst_source pgrst_row LIMIT 1) END");
    sql
}
