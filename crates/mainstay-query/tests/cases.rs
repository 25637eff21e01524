//! Request text → plan text, or the error, for the files in `cases/`.
//!
//! A case is a request line, perhaps a `Prefer:` line and a body, then `----` and what comes of it; blank lines part
//! cases, lines with `#` before a request are comments. `UPDATE_EXPECT=1 cargo test` writes what comes of it into the
//! files, for a person to review.

#![expect(clippy::unwrap_used, reason = "a test may fail at once")]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use mainstay_query::limits::Limits;
use mainstay_query::parse::prefer::{CountPreference, Missing, Preferences, Return};
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{self, Fresh, print};
use mainstay_query::request::{Action, Body, Count, ReadRequest, WriteRequest};
use mainstay_query::{ParseError, PlanError};
use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn schema() -> Schema {
    let text = fs::read_to_string(folder().join("schema.toml")).unwrap();
    let file = SourceFile { path: "schema.toml".into(), text };
    load(&[file]).unwrap_or_else(|mistakes| panic!("{}", mistakes[0]))
}

/// A clock that stands still, and uuids that count.
#[derive(Default)]
struct Counting(Cell<u128>);

impl Fresh for Counting {
    fn now(&self) -> &str {
        "2026-11-23T10:00:00+00:00"
    }

    fn uuid7(&self) -> uuid::Uuid {
        self.0.set(self.0.get() + 1);
        uuid::Uuid::from_u128(self.0.get())
    }
}

struct Case<'a> {
    method: &'a str,
    table: &'a str,
    query: &'a str,
    prefer: Preferences,
    body: Vec<&'a str>,
}

impl<'a> Case<'a> {
    fn read(request: &[&'a str]) -> Case<'a> {
        let (method, target) = request[0].split_once(' ').unwrap_or_else(|| panic!("no request: {}", request[0]));
        let (table, query) = target.split_once('?').unwrap_or((target, ""));
        let mut body = request[1..].to_vec();
        let prefer = body.first().and_then(|line| line.strip_prefix("Prefer: "));
        if prefer.is_some() {
            body.remove(0);
        }
        Case { method, table, query, prefer: parse::prefer(prefer), body }
    }

    fn run(&self, schema: &Schema) -> String {
        let limits =
            Limits { filters_max: 10, embed_depth_max: 3, write_rows_max: 5, aggregates: true, ..Limits::default() };
        self.plan(schema, &limits).unwrap_or_else(|error| explain(&error))
    }

    fn plan(&self, schema: &Schema, limits: &Limits) -> Result<String, PlanError> {
        let purpose = match self.method {
            "GET" => Purpose::Read,
            "POST" | "CSV" => Purpose::Insert,
            "PUT" => Purpose::Replace,
            "PATCH" | "OPERATIONS" | "MERGE-PATCH" | "JSON-PATCH" => Purpose::Update,
            _ => Purpose::Delete,
        };
        let query = parse::query(purpose, self.query, limits)?;
        let table = self.table.to_owned();
        if purpose == Purpose::Read {
            let count = match self.prefer.count {
                None => Count::None,
                Some(CountPreference::Exact) => Count::Exact,
                Some(CountPreference::Planned) => Count::Planned,
                Some(CountPreference::Estimated) => Count::Estimated(limits.page_rows_max),
            };
            let plan = plan::read(schema, limits, &ReadRequest { table, query, count, unpaged: false })?;
            return Ok(print::read(schema, &plan));
        }
        let text = Bytes::from(self.body.join("\n"));
        let body = match self.method {
            "CSV" => Body::Csv(text),
            "OPERATIONS" => Body::Operations(text),
            "MERGE-PATCH" => Body::MergePatch(text),
            "JSON-PATCH" => Body::JsonPatch(text),
            _ => Body::Json(text),
        };
        let action = match purpose {
            Purpose::Insert => Action::Insert {
                body,
                resolution: self.prefer.resolution,
                missing_default: self.prefer.missing == Some(Missing::Default),
            },
            Purpose::Replace => Action::Replace { body },
            Purpose::Update => Action::Update { body, missing_default: self.prefer.missing == Some(Missing::Default) },
            _ => Action::Delete,
        };
        let request = WriteRequest {
            table,
            action,
            query,
            representation: self.prefer.answer == Some(Return::Representation),
            affected_max: self.prefer.max_affected.filter(|_| self.prefer.is_strict()),
            singular: false,
            keys: self.prefer.answer == Some(Return::HeadersOnly),
        };
        plan::write(schema, limits, &Counting::default(), &request).map(|plan| print::write(schema, &plan))
    }
}

/// The error with what else it tells.
fn explain(error: &PlanError) -> String {
    let mut text = format!("error: {error}\n");
    let mut more = |label: &str, value: &str| text.push_str(&format!("  {label}: {value}\n"));
    match error {
        PlanError::Parse(ParseError::Syntax { details, .. } | ParseError::NotImplemented { details }) => {
            more("details", details);
        }
        PlanError::Parse(ParseError::Body { details: Some(details), .. }) => more("details", details),
        PlanError::UnknownTable { suggestion: Some(name), .. }
        | PlanError::UnknownColumn { suggestion: Some(name), .. }
        | PlanError::NoRelation { suggestion: Some(name), .. } => more("suggestion", name),
        PlanError::Value { column, row, .. } => more("at", &format!("{column}, row {row:?}")),
        PlanError::Check { violation, row, .. } => more("at", &format!("{violation}, row {row:?}")),
        PlanError::NotNull { row, .. } => more("at", &format!("row {row:?}")),
        PlanError::Nested { row, path, tables, error } => {
            more("at", &format!("row {row} {path:?} of {}", tables.join(", ")));
            more("because", explain(error).trim_end());
        }
        PlanError::Ambiguous { candidates, .. } => {
            for each in candidates {
                let (kind, keys) = (each.cardinality, &each.relationship);
                more(&each.instead, &format!("{} {kind}, {keys}", each.embedding));
            }
        }
        _ => {}
    }
    text
}

/// The file as it should be.
fn answered(schema: &Schema, text: &str) -> String {
    let mut out = Vec::new();
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let asked = block.split("\n----").next().unwrap_or_default();
        let request: Vec<&str> = asked.lines().skip_while(|line| line.starts_with('#')).collect();
        match request.is_empty() {
            true => out.push(asked.to_owned()),
            false => out.push(format!("{asked}\n----\n{}", Case::read(&request).run(schema).trim_end())),
        }
    }
    out.join("\n\n") + "\n"
}

#[test]
fn requests_become_these_plans() {
    let schema = schema();
    let mut files = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        files += 1;
        let text = fs::read_to_string(&path).unwrap();
        let answered = answered(&schema, &text);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, answered).unwrap();
        } else if let Some((is, should)) = text.lines().zip(answered.lines()).find(|(is, should)| is != should) {
            panic!("{}: expected\n  {is}\ngot\n  {should}\nUPDATE_EXPECT=1 writes it", path.display());
        } else {
            assert_eq!(text, answered, "{}", path.display());
        }
    }
    assert!(files > 0, "no cases found");
}
