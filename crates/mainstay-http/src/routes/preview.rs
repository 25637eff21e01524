//! A request as the API would understand it, for whoever wants to look at it rather than run it (`mainstay explain`).

use bytes::Bytes;
use mainstay_engine::Request;
use mainstay_query::Limits;

use super::functions;
use super::media::Media;
use super::prefer;
use super::translate::{Asked, METHODS, translate};
use crate::errors::Problem;
use crate::errors::codes::{METHOD, PATH};
use crate::router::Route;

/// What `GET /rest/v1/films?select=title` asks of the engine.
///
/// # Errors
/// [`Problem`], as the request itself would meet it.
pub fn preview(request: http::Request<Bytes>, limits: &Limits) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    let preferences = prefer::read(&head.headers);
    let table = match Route::find(head.uri.path()) {
        Route::Records(table) => table,
        Route::Function(function) => {
            let request = functions::translate(&head, &function, body, &preferences, limits)?;
            let problem = || Problem::new(METHOD, "OPTIONS asks nothing of a function").allow(functions::METHODS);
            return request.map(Request::Call).ok_or_else(problem);
        }
        _ => {
            let problem = Problem::new(PATH, "Invalid path specified in request URL");
            return Err(problem.hint("Tables are at /rest/v1/{table}, functions at /rest/v1/rpc/{function}."));
        }
    };
    match translate(&head, &table, body, &preferences, limits)? {
        Asked::Read(request) => Ok(Request::Read(request)),
        Asked::Write(mut request) => {
            request.singular = Media::negotiate(&head.headers)?.is_single();
            Ok(Request::Write(request))
        }
        Asked::Options => Err(Problem::new(METHOD, "OPTIONS asks nothing of a table").allow(METHODS)),
    }
}
