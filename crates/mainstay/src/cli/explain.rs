//! `mainstay explain METHOD PATH [DIR]`: what a request becomes, step by step, without doing it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};
use mainstay_engine::{Context, Engine, Explained, Request};
use mainstay_http::Problem;
use mainstay_query::Actor;

use super::openapi::RoleName;
use super::{Failure, Folder, Globals};
use crate::wire;

/// How long planning and asking the store may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Arguments of `mainstay explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mainstay explain GET '/rest/v1/products?price=gt.10&order=name' shop
  mainstay explain PATCH '/rest/v1/products?id=eq.1' shop --body change.json --role anon -H 'Prefer: return=representation'")]
pub(super) struct Args {
    /// GET, HEAD, POST, PUT, PATCH or DELETE
    #[arg(value_name = "METHOD", value_parser = parse_method)]
    method: Method,
    /// Path and query of the request
    #[arg(value_name = "PATH")]
    path: String,
    #[command(flatten)]
    folder: Folder,
    /// Who asks
    #[arg(long, value_enum, default_value = "service_role")]
    role: RoleName,
    /// A header of the request, such as 'Prefer: count=exact'
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// File with the body of a POST, PUT or PATCH: JSON, or CSV when its name ends in .csv
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

fn parse_method(text: &str) -> Result<Method, String> {
    match text.to_ascii_uppercase().as_str() {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        _ => Err("give GET, HEAD, POST, PUT, PATCH or DELETE".to_owned()),
    }
}

fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let form = || "write NAME: VALUE".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(form)?;
    Ok((name.trim().parse().map_err(|_| form())?, value.trim().parse().map_err(|_| form())?))
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open_with_functions(&args.folder.folder)?;
    let limits = wire::limits(&project.settings);
    let request = mainstay_http::preview(request(args)?, &limits).map_err(|problem| refused(&problem))?;
    let explained = super::block_on(async {
        let engine = wire::engine_over(&project, wire::existing_store(&project)?);
        let context = Context { actor: Actor::Caller(args.role.role()), ..Context::system(TIME_MAX) };
        let explained = explain(&engine, &context, &request).await;
        engine.store().close().await;
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

fn request(args: &Args) -> Result<http::Request<Bytes>, Failure> {
    let body = match &args.body {
        Some(file) => fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
        None => Vec::new(),
    };
    let is_csv = args.body.as_ref().and_then(|file| file.extension()).is_some_and(|ending| ending == "csv");
    let content_type = if is_csv { "text/csv" } else { "application/json" };
    let mut request = http::Request::builder().method(&args.method).uri(&args.path);
    if !args.headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, content_type);
    }
    for (name, value) in &args.headers {
        request = request.header(name, value);
    }
    let wrong = |error| Failure::Usage(format!("{:?} is no path ({error})", args.path));
    request.body(body.into()).map_err(wrong)
}

async fn explain(engine: &Engine, context: &Context, request: &Request) -> Result<Explained, Failure> {
    let explained = engine.explain(context, request).await;
    explained.map_err(|error| refused(&Problem::of(error, &context.actor)))
}

fn refused(problem: &Problem) -> Failure {
    Failure::Failed(anyhow::anyhow!("the request is refused: {}", problem.told()))
}

fn as_json(explained: &Explained) -> serde_json::Value {
    serde_json::json!({
        "request": explained.request,
        "plan": explained.plan,
        "authorized": explained.authorized,
        "statements": explained.statements,
        "details": explained.details,
        "work": explained.work,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_a_name_and_a_value() {
        let (name, value) = parse_header("Prefer: return=minimal").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("prefer", "return=minimal"));
        assert!(parse_header("Prefer").is_err() && parse_header("a b: c").is_err());
    }
}
