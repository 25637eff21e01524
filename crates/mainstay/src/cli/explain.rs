//! `mainstay explain METHOD PATH [DIR]`: what a request becomes, step by step, without doing it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use mainstay_engine::{Context, Engine, Explained, Request};
use mainstay_query::parse::{self, Purpose, prefer};
use mainstay_query::request::{Action, Body, Count, ReadRequest, WriteRequest};
use mainstay_query::{Actor, Limits, Role};

use super::{Failure, Folder, Globals};
use crate::wire;

/// How long planning and asking the store may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Where the tables are in the API; a path may leave it out.
const TABLES: &str = "/rest/v1/";

/// Arguments of `mainstay explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mainstay explain GET '/rest/v1/products?price=gt.10&order=name' shop
  mainstay explain PATCH '/rest/v1/products?id=eq.1' shop --body change.json --role anon")]
pub(super) struct Args {
    /// GET, HEAD, POST, PATCH or DELETE
    #[arg(value_name = "METHOD", value_parser = parse_method)]
    method: Method,
    /// Path and query of the request
    #[arg(value_name = "PATH")]
    path: String,
    #[command(flatten)]
    folder: Folder,
    /// Who asks
    #[arg(long, value_enum, default_value = "service")]
    role: AskedRole,
    /// File with the body of a POST or PATCH: JSON, or CSV when its name ends in .csv
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Value of the Prefer header
    #[arg(long, value_name = "PREFERENCES")]
    prefer: Vec<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AskedRole {
    /// The publishable key
    Anon,
    /// The secret key
    Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

fn parse_method(text: &str) -> Result<Method, String> {
    match text.to_ascii_uppercase().as_str() {
        "GET" | "HEAD" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        "PATCH" => Ok(Method::Patch),
        "DELETE" => Ok(Method::Delete),
        _ => Err("give GET, HEAD, POST, PATCH or DELETE".to_owned()),
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open(&args.folder.folder)?;
    let limits = wire::limits(&project.settings.limits);
    let body = args.body.as_deref().map(read_body).transpose()?;
    let request = request(args.method, &args.path, &args.prefer, body, &limits)?;
    let role = match args.role {
        AskedRole::Anon => Role::Anon,
        AskedRole::Service => Role::Service,
    };
    let explained = super::block_on(async {
        let store = wire::existing_store(&project)?;
        let engine = wire::engine_over(&project, store.clone());
        let explained = explain(&engine, role, &request).await;
        store.close().await;
        explained
    })?;
    let console = globals.console();
    if console.json {
        console.value(&as_json(&explained));
    } else {
        console.line(explained.to_string().trim_end());
    }
    Ok(())
}

async fn explain(engine: &Engine, role: Role, request: &Request) -> Result<Explained, Failure> {
    let context = Context { actor: Actor::Caller(role), ..Context::system(TIME_MAX) };
    let explained = engine.explain(&context, request).await.context("the request is refused")?;
    Ok(explained)
}

fn read_body(file: &Path) -> Result<Body, Failure> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    Ok(if is_csv { Body::Csv(bytes.into()) } else { Body::Json(bytes.into()) })
}

/// The request that the API would make of these parts.
fn request(
    method: Method,
    path: &str,
    preferences: &[String],
    body: Option<Body>,
    limits: &Limits,
) -> Result<Request, Failure> {
    let (path, text) = path.split_once('?').unwrap_or((path, ""));
    let table = table_name(path)?;
    let preferences = prefer::prefer(preferences.iter().map(String::as_str));
    let query = |purpose| parse::query(purpose, text, limits).context("the query does not parse");
    let needs_body = || Failure::Usage("this method has a body; give it with --body FILE".to_owned());
    let count = if preferences.count.is_some() { Count::Exact } else { Count::None };
    let (action, query) = match method {
        Method::Get => return Ok(Request::Read(ReadRequest { table, query: query(Purpose::Read)?, count })),
        Method::Post => {
            let body = body.ok_or_else(needs_body)?;
            let missing_default = preferences.missing == Some(prefer::Missing::Default);
            let action = Action::Insert { body, resolution: preferences.resolution, missing_default };
            (action, query(Purpose::Insert)?)
        }
        Method::Patch => (Action::Update { body: body.ok_or_else(needs_body)? }, query(Purpose::Update)?),
        Method::Delete => (Action::Delete, query(Purpose::Delete)?),
    };
    Ok(Request::Write(WriteRequest {
        table,
        action,
        query,
        representation: preferences.answer == Some(prefer::Return::Representation),
        affected_max: preferences.max_affected.filter(|_| preferences.is_strict()),
        singular: false,
        keys: preferences.answer == Some(prefer::Return::HeadersOnly),
    }))
}

fn table_name(path: &str) -> Result<String, Failure> {
    let name = path.strip_prefix(TABLES).unwrap_or(path.trim_start_matches('/'));
    let name = percent_encoding::percent_decode_str(name).decode_utf8();
    match name {
        Ok(name) if !name.is_empty() && !name.contains('/') => Ok(name.into_owned()),
        _ => Err(Failure::Usage(format!("{path:?} names no table; give a path such as {TABLES}products"))),
    }
}

fn as_json(explained: &Explained) -> serde_json::Value {
    serde_json::json!({
        "request": explained.request,
        "plan": explained.plan,
        "authorized": explained.authorized,
        "statements": explained.statements,
        "details": explained.details,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_and_without_the_api_name_the_table() {
        for (path, expected) in [
            ("/rest/v1/products", Some("products")),
            ("products", Some("products")),
            ("/my%20table", Some("my table")),
            ("/rest/v1/", None),
            ("/rest/v1/a/b", None),
            ("/%ff", None),
        ] {
            assert_eq!(table_name(path).ok().as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn preferences_count_as_in_the_api() {
        let preferences = ["return=representation,handling=strict".to_owned(), "max-affected=3".to_owned()];
        let made = request(Method::Delete, "/t?id=eq.1", &preferences, None, &Limits::default()).unwrap();
        let Request::Write(write) = made else { panic!("a delete is a write") };
        assert_eq!((write.representation, write.affected_max), (true, Some(3)));
        assert!(matches!(request(Method::Post, "/t", &[], None, &Limits::default()), Err(Failure::Usage(_))));
    }
}
