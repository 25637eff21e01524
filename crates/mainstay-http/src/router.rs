//! Every URL of the API in one list, and the door to all of them.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use http::Request;
use percent_encoding::percent_decode_str;
use tower::service_fn;

use crate::app::App;
use crate::edge;
use crate::routes::batch;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// The description of the API.
    Root,
    /// Rows of this table or view.
    Records(Cow<'a, str>),
    /// Several requests as one; perhaps rows of a table of that name.
    Batch,
    /// Rows of this table or view, asked for by a query in the body.
    Query(Cow<'a, str>),
    /// A function of this name.
    Function(Cow<'a, str>),
    /// A function of this name, called and its rows asked for by a query in the body.
    FunctionQuery(Cow<'a, str>),
    /// Below the API, where nothing is.
    Deeper,
    /// The reference for browsers, or one of its files.
    Reference(&'a str),
    /// What took the store long.
    Slow,
    /// Whether the process runs.
    Live,
    /// Whether requests can be answered.
    Ready,
    /// Outside of everything.
    Nowhere,
}

/// Each route's pattern, as logs and the authorization matrix name it, with the methods that it answers.
pub const ROUTES: &[(&str, &[&str])] = &[
    ("/rest/v1/", &["GET", "HEAD", "OPTIONS"]),
    ("/rest/v1/batch", &["POST", "OPTIONS"]),
    ("/rest/v1/{table}", &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]),
    ("/rest/v1/{table}/query", &["POST", "OPTIONS"]),
    ("/rest/v1/rpc/{function}", &["GET", "HEAD", "POST", "OPTIONS", "QUERY"]),
    ("/rest/v1/rpc/{function}/query", &["POST", "OPTIONS"]),
    ("/admin/v1/slow", &["GET", "HEAD", "OPTIONS"]),
    ("/_/api", &["GET", "HEAD"]),
    ("/_/api/{file}", &["GET", "HEAD"]),
    ("/health/live", &["GET", "HEAD"]),
    ("/health/ready", &["GET", "HEAD"]),
];

impl Route<'_> {
    /// The route of a path that is still percent-encoded.
    pub(crate) fn find(path: &str) -> Route<'_> {
        if let Some(below) = path.strip_prefix("/rest/v1") {
            return match below.strip_prefix('/') {
                Some(below) => Route::find_below(below),
                None if below.is_empty() => Route::Root,
                None => Route::Nowhere,
            };
        }
        match path {
            "/health/live" => Route::Live,
            "/health/ready" => Route::Ready,
            "/admin/v1/slow" => Route::Slow,
            "/_/api" => Route::Reference(""),
            _ if path.starts_with("/_/api/") => Route::Reference(&path["/_/api/".len()..]),
            _ => Route::Nowhere,
        }
    }

    fn find_below(path: &str) -> Route<'_> {
        if path.is_empty() {
            return Route::Root;
        }
        let (path, is_function) = match path.strip_prefix("rpc/") {
            Some(below) => (below, true),
            None => (path, false),
        };
        let (name, has_query) = match path.strip_suffix("/query") {
            Some(name) => (name, true),
            None => (path, false),
        };
        match percent_decode_str(name).decode_utf8() {
            Ok(_) if name.is_empty() || name.contains('/') => Route::Deeper,
            Ok(name) if is_function && has_query => Route::FunctionQuery(name),
            Ok(name) if is_function => Route::Function(name),
            Ok(name) if has_query => Route::Query(name),
            Ok(name) if name == batch::NAME => Route::Batch,
            Ok(name) => Route::Records(name),
            Err(_) => Route::Deeper,
        }
    }

    /// The pattern for the log: no names from outside.
    pub(crate) fn pattern(&self) -> &'static str {
        match self {
            Route::Root => "/rest/v1/",
            Route::Records(_) => "/rest/v1/{table}",
            Route::Batch => "/rest/v1/batch",
            Route::Query(_) => "/rest/v1/{table}/query",
            Route::Function(_) => "/rest/v1/rpc/{function}",
            Route::FunctionQuery(_) => "/rest/v1/rpc/{function}/query",
            Route::Deeper => "/rest/v1/{…}",
            Route::Reference("") => "/_/api",
            Route::Reference(_) => "/_/api/{file}",
            Route::Slow => "/admin/v1/slow",
            Route::Live => "/health/live",
            Route::Ready => "/health/ready",
            Route::Nowhere => "{…}",
        }
    }
}

/// The API as a router, to mount beside others. Paths are matched by us, in [`Route::find`]: all of the API passes one
/// door, and the way to the rows has no table look-up in it.
pub fn router(app: App) -> Router {
    Router::new().fallback_service(service_fn(move |request: Request<Body>| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(edge::answer(&app, request).await) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Route<'_>) {
        assert_eq!(Route::find(path), expected, "{path}");
    }

    #[test]
    fn paths_lead_to_their_routes() {
        check("/rest/v1", Route::Root);
        check("/rest/v1/", Route::Root);
        check("/rest/v1/films", Route::Records("films".into()));
        check("/rest/v1/my%20films%2Fold", Route::Records("my films/old".into()));
        check("/rest/v1/batch", Route::Batch);
        check("/rest/v1/%62atch", Route::Batch);
        check("/rest/v1/batches", Route::Records("batches".into()));
        check("/rest/v1/rpc", Route::Records("rpc".into()));
        check("/rest/v1/films/query", Route::Query("films".into()));
        check("/rest/v1/query", Route::Records("query".into()));
        check("/rest/v1/query/query", Route::Query("query".into()));
        check("/rest/v1/rpc/add", Route::Function("add".into()));
        check("/rest/v1/rpc/my%20sum", Route::Function("my sum".into()));
        check("/_/api", Route::Reference(""));
        check("/_/api/", Route::Reference(""));
        check("/_/api/page.js", Route::Reference("page.js"));
        check("/rest/v1/rpc/query", Route::Function("query".into()));
        check("/rest/v1/rpc/query/query", Route::FunctionQuery("query".into()));
        check("/rest/v1/rpc/my%20sum/query", Route::FunctionQuery("my sum".into()));
        check("/health/live", Route::Live);
        check("/health/ready", Route::Ready);
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "/rest/v1/films/",
            "/rest/v1/films/1",
            "/rest/v1//",
            "/rest/v1/rpc/",
            "/rest/v1/rpc/a/b",
            "/rest/v1/rpc//query",
            "/rest/v1/rpc/a/b/query",
            "/rest/v1//query",
            "/rest/v1/a/b/query",
            "/rest/v1/films/query/",
            "/rest/v1/%ff",
        ] {
            check(path, Route::Deeper);
        }
        for path in [
            "",
            "/",
            "/rest",
            "/rest/v10",
            "/rest/v1films",
            "/_",
            "/_/apis",
            "/health",
            "/health/live/",
            "/REST/v1/films",
        ] {
            check(path, Route::Nowhere);
        }
    }
}
